"""The manual pages: clean roff, and nothing that programs, configuration or protocol have is missing from them."""
import json
import re
import subprocess
import tempfile
from pathlib import Path

import built
from lab.daemon import Connection, Daemon

ROOT = built.ROOT
PAGES = ("mxtrust.1", "mxtrust.toml.5", "mxtrust-mta.7", "mxtrust-protocol.7", "mxtrustd.8")


def text_of(page):
    """As a reader sees it, on one line, without hyphenation."""
    shown = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=200", str(page)], capture_output=True, text=True, check=True).stdout
    return " ".join(re.sub(r".\x08", "", shown).split())


def clean_roff(tally, page):
    """Both formatters of Linux systems have nothing to say."""
    # A long word that cannot be broken, such as a request in JSON, is no fault of the page ("break").
    for command in (["mandoc", "-T", "lint", "-W", "warning", str(page)], ["groff", "-man", "-ww", "-Wbreak", "-b", "-T", "utf8", "-z", str(page)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        tally.check(f"pages: {command[0]} is content with {page.name}", done.returncode == 0 and not done.stdout + done.stderr,
                    (done.stdout + done.stderr)[:500])


def options_of(program):
    """All that begins with a hyphen in what --help prints."""
    shown = subprocess.run([str(program), "--help"], capture_output=True, text=True, check=True).stdout
    return shown, sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", shown)))


def commands_of(help_text):
    """The words after the program's name at the beginning of a line."""
    return sorted(set(re.findall(r"^  mxtrust ([a-z]+)\b", help_text, re.M)))


def keys_of(toml):
    """(section, key) of the shipped file; that it has all keys is tested in tests/daemon."""
    section, found = "", []
    for line in toml.splitlines():
        line = line.removeprefix("# ") if section == "test" or line == "# [test]" else line
        if match := re.fullmatch(r"\[\[?([a-z.-]+)\]\]?", line):
            section = match[1]
        elif match := re.match(r"([a-z0-9-]+) = ", line):
            found.append((section, match[1]))
    return found


def members(json_value):
    """All names of members, at all depths."""
    if isinstance(json_value, dict):
        for name, value in json_value.items():
            yield name
            yield from members(value)
    elif isinstance(json_value, list):
        for value in json_value:
            yield from members(value)


def words_of_protocol(tally, page):
    """Verbs and error codes of the source, fields of real replies."""
    request = (ROOT / "resolver/serve/request.cc").read_text()
    verbs = sorted(set(re.findall(r'\{"([a-z]+)", (?:text|json)_\w+\}', request)))
    tally.check("pages: the source of the protocol's verbs is understood", {"mail", "decide", "status", "flush"} <= set(verbs), verbs)
    codes = re.findall(r'return "([a-z-]+)";', (ROOT / "resolver/serve/render.cc").read_text().split("anchor_json")[0])
    tally.check("pages: the source of the protocol's error codes is understood", "bad-request" in codes and len(codes) >= 4, codes)
    for word in [*verbs, *sorted(set(codes))]:
        tally.check(f"pages: mxtrust-protocol(7) knows {word}", re.search(rf"(?<![\w-]){word}(?![\w-])", page), "")


def fields_of_replies(tally, page, ask):
    """What a real daemon says has a word in the page. Counters are numbers for whoever knows them: only their groups are described."""
    for question in ({"query": "mail", "domain": "dane-ee.nlx"}, {"query": "mail", "domain": "mx-expired.nlx"},
                     {"query": "mail", "domain": "null-mx.nlx"}, {"query": "rrset", "name": "dane-ee.nlx", "type": "MX"},
                     {"query": "explain", "domain": "mx-expired.nlx"}, {"query": "explain", "domain": "dane-ee.nlx"}, {"query": "status"},
                     {"query": "failing"}, {"query": "flush", "name": "nosuch.nlx"}, {"query": "nonsense"}):
        reply = ask(question)
        if question["query"] == "status":
            for group in ("cache", "resolver", "mail", "doors", "forwarders"):
                if isinstance(reply.get(group), dict):
                    reply[group] = None
        missing = sorted(name for name in set(members(reply)) if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", page))
        tally.check(f"pages: mxtrust-protocol(7) has every field of the reply to {json.dumps(question)}", not missing, missing)


def installed(tally):
    """cmake --install puts programs and pages where they belong."""
    with tempfile.TemporaryDirectory(prefix="mxtrust-guide-") as prefix:
        done = subprocess.run(["cmake", "--install", str(built.BUILD), "--prefix", prefix], capture_output=True, text=True, check=False)
        files = {str(path.relative_to(prefix)) for path in Path(prefix).rglob("*") if path.is_file()}
        unit = Path(prefix, "lib/systemd/system/mxtrustd.service")
        service = unit.read_text() if unit.is_file() else ""
    wanted = {"bin/mxtrust", "sbin/mxtrustd", *(f"share/man/man{page[-1]}/{page}" for page in PAGES)}
    tally.check("pages: cmake --install installs programs and pages", done.returncode == 0 and wanted <= files, done.stderr or sorted(files))
    named = set(re.findall(r"(/[^ =\n]*/mxtrustd?)(?=[ \n])", service))
    tally.check("pages: the installed unit names the programs that were installed with it", named == {f"{prefix}/sbin/mxtrustd", f"{prefix}/bin/mxtrust"},
                named)


def run(tally, state):
    """Needs the lab for real replies."""
    folder = built.BUILD / "resolver/manual"
    missing = [name for name in PAGES if not (folder / name).exists()]
    tally.check("pages: all are built (target manual)", not missing, missing)
    if missing:
        return
    text = {}
    for name in PAGES:
        clean_roff(tally, folder / name)
        text[name] = text_of(folder / name)
    for program, name in ((built.CLIENT, "mxtrust.1"), (built.DAEMON, "mxtrustd.8")):
        shown, options = options_of(program)
        tally.check(f"pages: --help of {program.name} is understood", "--help" in options, shown)
        for option in options:
            tally.check(f"pages: {name} describes {option}", re.search(rf"{option}(?![\w-])", text[name]), "")
        for command in commands_of(shown) if program == built.CLIENT else []:
            tally.check(f"pages: {name} describes {command}", re.search(rf"(?<![\w-]){command}(?![\w-])", text[name]), "")
    keys = keys_of((ROOT / "resolver/daemon/mxtrust.toml").read_text())
    tally.check("pages: the keys of mxtrust.toml are understood", len(keys) > 30, keys)
    for section, key in keys:
        tally.check(f"pages: mxtrust.toml(5) describes [{section}] {key}", re.search(rf"(?<![\w-]){key} = ", text["mxtrust.toml.5"]), "")
    checks = sorted(set(re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+|musl)"', "".join(
        (ROOT / "resolver/client" / f"{part}.cc").read_text() for part in ("doctor", "doctor_daemon", "doctor_operator", "resolv_conf", "postfix_conf", "exim_conf"))))
                    - {"dane-only", "policy-tlsrpt", "built-in", "trust-ad", "cloud-init", "systemd-resolved", "no-edns"})
    tally.check("pages: the doctor's checks are understood", "no-trust-ad" in checks and "musl" in checks, checks)
    for check in checks:
        tally.check(f"pages: mxtrust(1) describes the check {check}", check in text["mxtrust.1"], "")
    words_of_protocol(tally, text["mxtrust-protocol.7"])
    installed(tally)
    with Daemon(state) as daemon:
        connection = Connection(daemon.socket_path, 40)
        fields_of_replies(tally, text["mxtrust-protocol.7"], connection.ask)
        connection.close()
