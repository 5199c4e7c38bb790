"""The pages of --html: one file each, no script, nothing from elsewhere, no markup of strangers; and as Chromium shows them, in light and
dark, narrow, and on paper. The pictures are in build/check: look at them."""
import html.parser
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile

import built

SCENES = ("well.check.nlx", "ds-mismatch.nlx", "mixed-all.nlx", "markup.check.nlx", "second-key.check.nlx")
FOLDER = built.ROOT / "build/check"
# name → options of Chromium
LOOKS = {"light": ["--window-size=1000,1900"], "dark": ["--window-size=1000,1900", "--blink-settings=preferredColorScheme=0"],
         "narrow": ["--window-size=500,1900"]}


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.tags, self.text = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "href", "srcset", "action", "data") or "http:" in (value or "") or "https:" in (value or ""):
                self.wrong.append(f"{tag} {name}={value}")
        if tag not in ("meta", "link", "br", "path", "circle", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)


def read(tally, domain, page):
    text = page.read_text()
    reader = Reader()
    reader.feed(text)
    tally.check(f"page of {domain}: every element is closed, none asks for anything", not reader.wrong and not reader.open, (reader.wrong, reader.open))
    tally.check(f"page of {domain}: no script", "script" not in reader.tags and "<script" not in text)
    tally.check(f"page of {domain}: has the picture and the tests", "svg" in reader.tags and "details" in reader.tags and "summary" in reader.tags)
    tally.check(f"page of {domain}: no control characters", not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text))
    tally.check(f"page of {domain}: state is told in words, too", all(word in " ".join(reader.text) for word in ("proven by DNSSEC", "broken, or fails")))
    return text


def colours(png):
    """How many of the bytes differ from their neighbours: an empty page has none. Returns (width, height, octets)."""
    data = png.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    return width, height, len(data)


def chromium(folder, *options):
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
               "--disable-background-networking", f"--user-data-dir={folder}/profile", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


def run(on, tally):
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for domain in SCENES:
        page = FOLDER / f"{domain}.html"
        on.check("--html", str(page), "--timeout", "3", domain)
        if not tally.check(f"page of {domain}: is written", page.exists()):
            continue
        text = read(tally, domain, page)
        if domain.startswith("markup"):
            tally.check("page: a server's markup is text", "&lt;script&gt;alert(1)&lt;/script&gt;" in text)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mxtrust-chromium-"))
    try:
        show(tally, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def show(tally, folder):
    """Not every page in every look: each look once, each page once, and what differs must differ."""
    for domain, look in [(domain, "light") for domain in SCENES] + [("ds-mismatch.nlx", "dark"), ("well.check.nlx", "dark"), ("second-key.check.nlx", "narrow")]:
        picture = FOLDER / f"{domain}-{look}.png"
        done = chromium(folder, *LOOKS[look], f"--screenshot={picture}", f"file://{FOLDER}/{domain}.html")
        good = picture.exists() and colours(picture)[2] > 40000
        tally.check(f"picture of {domain}, {look}", good, done.stderr[-300:])
    light, dark = FOLDER / "ds-mismatch.nlx-light.png", FOLDER / "ds-mismatch.nlx-dark.png"
    tally.check("dark is another picture than light", light.exists() and dark.exists() and light.read_bytes() != dark.read_bytes())
    paper = FOLDER / "well.check.nlx.pdf"
    done = chromium(folder, "--no-pdf-header-footer", f"--print-to-pdf={paper}", f"file://{FOLDER}/well.check.nlx.html")
    tally.check("on paper", paper.exists() and paper.read_bytes().startswith(b"%PDF") and paper.stat().st_size > 20000, done.stderr[-300:])
    print(f"the pages and their pictures: {FOLDER}")
