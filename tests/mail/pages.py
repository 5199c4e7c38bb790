"""What a person sees: the mxtrust command asked for every domain of the lab, in a pipe and on a terminal."""

import os
import pty
import re
import subprocess

import built

WIDTH = 80
ESCAPE = re.compile(r"\x1b\[\d*m")
SPAN = re.compile(r"(good for|Look again in) \d+ (s|min|h|days?)")
STATUS = {"deliver": 0, "defer": 1, "bounce": 2}


def in_pipe(daemon, domains):
    done = subprocess.run([built.CLIENT, "--socket", daemon.socket_path, *domains], capture_output=True, text=True, timeout=120)
    return done.stdout, done.returncode


def on_terminal(daemon, domains):
    """The same on a pseudo-terminal, where nobody has asked for no colour."""
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
    main, other = pty.openpty()
    child = subprocess.Popen([built.CLIENT, "--socket", daemon.socket_path, *domains], stdout=other, stderr=other, stdin=other, env=environment)
    os.close(other)
    octets = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # the other side is closed
            piece = b""
        if not piece:
            break
        octets += piece
    os.close(main)
    child.wait(timeout=120)
    return octets.decode().replace("\r\n", "\n")


def misshapen(page):
    """Lines too wide (but for a word that cannot be broken), or with blanks at their end."""
    wrong = []
    for line in page.splitlines():
        if len(line) > WIDTH and max(len(word) for word in line.split()) < WIDTH - 24:
            wrong.append(f"{len(line)} columns: {line}")
        if line != line.rstrip():
            wrong.append(f"blanks at the end of: {line!r}")
    return wrong


def check(daemon, rows, report):
    domains = [row.domain for row in rows]
    page, _ = in_pipe(daemon, domains)
    wrong = misshapen(page) + (["colour in a pipe"] if "\x1b" in page else [])
    pages = page.split("\n\n")
    if len(pages) != len(domains):
        wrong.append(f"{len(pages)} pages for {len(domains)} domains")
    report(f"mxtrust, {len(domains)} domains in a pipe: {WIDTH} columns", wrong)
    some = [row.domain for row in rows if row.domain in ("dane-ee.nlx", "mixed-encrypt-may.nlx", "mx-corrupt.nlx", "null-mx.nlx", "alias-secure.nlx")]
    coloured = on_terminal(daemon, some)
    plain, _ = in_pipe(daemon, some)
    wrong = [] if "\x1b[32m" in coloured and "\x1b[31m" in coloured else ["no colours"]
    if SPAN.sub("", ESCAPE.sub("", coloured)) != SPAN.sub("", plain):
        wrong.append("without its colours it says something else")
    report(f"mxtrust, {len(some)} domains on a terminal: the same in colour", wrong)
    for row in rows:
        if row.domain not in some or "/" in row.decision:
            continue
        status = in_pipe(daemon, [row.domain])[1]
        wanted = STATUS[row.decision.split(":")[0]]
        report(f"mxtrust {row.domain} ends with {status}", [] if status == wanted else [f"expected {wanted}"])
