"""Rules about text: failure codes, sizes, openings, what must not be named, fuzz targets, the top level."""
import os
import re
import subprocess
from pathlib import Path

from house.code import bare, line_of, without_comments
from house.rooms import room_of

CODE = re.compile(r'(?<!operator)"([^"\n]*)"_code\b')
LETTER = {"base": "B", "dns": "D", "crypto": "C", "dnssec": "V", "mail": "M", "log": "L", "task": "T", "net": "N", "cache": "K",
          "resolve": "R", "route": "U", "serve": "S", "daemon": "A", "client": "I"}
MOST_LINES = 600
MOST_TEST_LINES = 800          # tables of cases are long, and none the worse for it


def codes(files: dict[str, str]) -> list[str]:
    """A line of a log must lead to one line of code."""
    found, places = [], {}
    for path, source in files.items():
        text = without_comments(source)
        for match in CODE.finditer(text):
            place = f"{path}:{line_of(text, match.start())}"
            if not re.fullmatch(r"[A-Z]{4}", match[1]):
                found.append(f'{place}: "{match[1]}" is not four capital letters')
            elif LETTER.get(room_of(path), match[1][0]) != match[1][0]:
                found.append(f"{place}: codes of {room_of(path)}/ begin with {LETTER[room_of(path)]}, not {match[1]}")
            places.setdefault(match[1], []).append(place)
    for code, where in sorted(places.items()):
        if len(where) > 1:
            found.append(f"{where[1]}: {code} is used already at {where[0]}")
    return found


def listed(files: dict[str, str]) -> list[str]:
    """The list of recursion's rules is true: each source has the word that is named, each test exists; each failure has its EDE."""
    path = "resolver/resolve/README.md"
    cases = "\n".join(re.sub(r'"\s*\n\s*"', "", source) for name, source in files.items()
                      if name.startswith("tests/") and name.endswith(".cc"))
    titles = re.findall(r'TEST_CASE\(\s*"((?:[^"\\]|\\.)*)"', cases)
    found, explained = [], ""
    for number, line in enumerate(files.get(path, "").splitlines(), 1):
        if row := re.fullmatch(r'\|.*\| `([^`]+)` `([^`]+)` \| "([^"]+)" \|', line):
            source = files.get(os.path.normpath(f"resolver/resolve/{row[1]}"))
            if source is None or row[2] not in source:
                found.append(f"{path}:{number}: {row[1]} has no {row[2]}")
            if not any(row[3] in title for title in titles):
                found.append(f"{path}:{number}: no test is called {row[3]}…")
        elif row := re.fullmatch(r"\| ([A-Z ]+) \| (\d+) \|.*", line):
            explained += f" {row[1]}"
    for name, source in files.items():
        for match in CODE.finditer(source) if name.startswith("resolver/resolve/") else ():
            told = re.search(r"\.code = $", source[:match.start()]) or source[match.end():].lstrip().startswith(", dns::Ede::")
            ede = "ede" in source[match.end():match.end() + 300].split("text =")[0]
            if told and ede and match[1] not in explained and not match[1].startswith("RF"):
                found.append(f"{name}:{line_of(source, match.start())}: {match[1]} is missing in {path}")
    return found


def limits(files: dict[str, str]) -> list[str]:
    """The table of limits says what the sources say."""
    path, found, rows = "resolver/resolve/README.md", [], 0
    for number, line in enumerate(files.get(path, "").splitlines(), 1):
        row = re.fullmatch(r"\| [^|]+ \| ([0-9][0-9\'A-Za-z ]*) \| `([^`]+)` `([^`]+)` \|[^|]*\|", line)
        if not row:
            continue
        rows += 1
        source = files.get(os.path.normpath(f"resolver/resolve/{row[2]}"), "")
        lines = [one for one in source.splitlines() if row[3] in one]
        if not any(re.search(rf"(?<![0-9\']){re.escape(row[1])}(?![0-9\'])", one) for one in lines):
            found.append(f"{path}:{number}: {row[2]} does not say {row[1]} where it says {row[3]}")
    if path in files and rows < 20:
        found.append(f"{path}: the table of limits cannot be read")
    return found


def scripts(files: dict[str, str]) -> list[str]:
    """Every program in Python and in the shell can be read by its interpreter."""
    found = []
    for path, source in files.items():
        first = source.split("\n", 1)[0]
        if path.endswith(".py") or (first.startswith("#!") and "python" in first):
            try:
                compile(source, path, "exec", dont_inherit=True)
            except SyntaxError as error:
                found.append(f"{path}:{error.lineno}: {error.msg}")
        elif first.startswith("#!") and first.endswith(("sh", "bash")):
            shell = first[2:].split()[-1]
            run = subprocess.run([shell, "-n"], input=source, capture_output=True, text=True, check=False)
            if run.returncode:
                found.append(f"{path}: {run.stderr.strip().splitlines()[0]}")
    return found


def sizes(files: dict[str, str]) -> list[str]:
    found = []
    for path, source in files.items():
        most = MOST_TEST_LINES if path.startswith("tests/") else MOST_LINES
        if (count := source.count("\n")) > most:
            found.append(f"{path}:{most}: {count} lines: more than one idea stands here")
    return found


def openings(files: dict[str, str]) -> list[str]:
    """The first line says what the file is (for a source with a header of its name, the header's does; unit tests have the names of
    their cases); a header is read once; no header opens a namespace for its includers."""
    found = []
    for path, source in files.items():
        spoken_for = path.endswith(".cc") and (path.removesuffix(".cc") + ".h" in files or "TEST_CASE(" in source)
        if not re.match(r"//\s*\w", source) and not spoken_for:
            found.append(f"{path}:1: opens without a paragraph that says what it is")
        if path.endswith(".h"):
            if "#pragma once" not in source:
                found.append(f"{path}:1: no #pragma once")
            text = bare(source)
            found += [f"{path}:{line_of(text, m.start())}: using namespace in a header"
                      for m in re.finditer(r"^using namespace\b", text, re.M) if not path.startswith("tests/")]
    return found


# Put together here, so that this file does not find itself.
MACHINE = re.compile("|".join([r"(?<![\w.])/" + r"(?:work|root|home/\w+)/", r"(?<![\w.$}])/" + r"tmp/\w", r"https?://(?:deb|archive|security|snapshot)"
                               + r"\.", r"py" + r"pi\.org", r"proxy\.golang" + r"\.org", r"registry\.npm" + r"js"]))
NEIGHBOUR = re.compile(r"\.\./" + "shared")


def machine(files: dict[str, str]) -> list[str]:
    found = []
    for path, source in files.items():
        for number, line in enumerate(source.splitlines(), 1):
            if MACHINE.search(line):
                found.append(f"{path}:{number}: names a place of one machine: {line.strip()[:80]}")
            if NEIGHBOUR.search(line) and not path.startswith("tests/conformance/"):
                found.append(f"{path}:{number}: names a folder that users do not have")
    return found


IMPATIENT = re.compile(r"\bthis_thread::sleep_(?:for|until)\b|(?<![\w.:>])(?:::)?(?:u|nano)?sleep\s*\(|\b(?:system|steady)_clock::now\b")


def patience(files: dict[str, str]) -> list[str]:
    return [f"{path}:{line_of(text, m.start())}: {m[0].strip()} in a test"
            for path, source in files.items() if not path.startswith(("tests/fuzz/", "tests/lab/"))
            for text in [bare(source)] for m in IMPATIENT.finditer(text)]


# What reads what a stranger wrote → the fuzz target that must be there as soon as the reader is.
PARSERS = {
    "resolver/dns/name.h": "name",
    "resolver/dns/rdata.h": "rdata",
    "resolver/dns/message.h": "message",
    "resolver/dnssec/nsec3.h": "nsec3_proof",
    "resolver/cache/codec.h": "cache_codec",
    "resolver/serve/request.h": "query_line",
    "resolver/serve/netstring.h": "netstring",
    "resolver/daemon/configuration.h": "configuration",
    "resolver/probe/smtp.h": "smtp_server",
}


def fuzzed(files: dict[str, str], root: Path) -> list[str]:
    found = []
    for parser, target in PARSERS.items():
        if parser not in files:
            continue
        if f"tests/fuzz/{target}.cc" not in files:
            found.append(f"{parser}:1: no fuzz target tests/fuzz/{target}.cc")
    for path in files:
        if re.fullmatch(r"tests/fuzz/\w+\.cc", path):
            seeds = root / "tests/fuzz/seeds" / Path(path).stem
            if not (seeds.is_dir() and any(seeds.iterdir())):
                found.append(f"{path}:1: no seeds in tests/fuzz/seeds/{Path(path).stem}/")
            if "LLVMFuzzerTestOneInput" not in files[path]:
                found.append(f"{path}:1: no LLVMFuzzerTestOneInput")
    return found


TOP = {"CMakeLists.txt", "CMakePresets.json", "README.md", "resolver", "trust-anchors", "tests", "bench", "systemd", "LICENSE"}


def top_level(files: dict[str, str]) -> list[str]:
    names = {path.split("/")[0] for path in files}
    return [f"{name}: not one of the house's folders" for name in sorted(names) if name not in TOP and not name.startswith(".")]
