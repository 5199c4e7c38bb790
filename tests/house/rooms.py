"""Who may include what: the arrows of resolver/README.md, and the one room of each third-party header."""
import re

from house.code import line_of, without_comments

_FACTS = {"base", "dns", "dnssec"}
_RESOLVE = _FACTS | {"crypto", "log", "task", "net", "cache"}
_ROUTE = _RESOLVE | {"resolve", "mail"}
_SERVE = _ROUTE | {"route"}

# Room → the rooms it may include, besides itself. Two arrows say less than stands here, on purpose: whoever may include route/ or
# resolve/ may include what their headers are made of.
ARROWS: dict[str, set[str]] = {
    "base": set(),
    "dns": {"base"},
    "crypto": {"base"},
    "dnssec": {"base", "dns", "crypto"},
    "mail": _FACTS | {"crypto"},
    "log": _FACTS,
    "task": {"base"},
    "net": {"base", "task"},
    "cache": _FACTS,
    "resolve": _RESOLVE,
    "route": _ROUTE,
    "sts": _FACTS | {"task", "cache", "mail", "net"},
    "probe": {"base", "dns", "mail", "net", "task"},
    "serve": _SERVE,
    "daemon": _SERVE | {"serve", "sts", "probe"},
    "client": {"base", "dns", "mail", "probe"},
}
# Single headers beyond the arrows: a digest or a key is asked for by its DNS number.
EXTRA = {("crypto", "dns/types.h")}

# Header (by its beginning) → where it may be included: rooms, or single files.
THIRD_PARTY: dict[str, set[str]] = {
    "uv.h": {"net"},
    "openssl/": {"crypto", "probe"},
    "ares.h": {"resolve"},
    "lmdb.h": {"cache"},
    "spdlog/": {"log/log.cc"},
    "curl/": {"sts"},
    "systemd/": {"daemon", "log/journal.cc"},
    "seccomp.h": {"daemon/filter.cc"},
    "malloc.h": {"daemon/memory.cc"},
    "idn2.h": {"mail"},
    "nlohmann/": {"serve", "client"},
    "toml++/": {"daemon"},
    "CLI/": {"daemon", "client"},
    "tl/expected.hpp": {"base/result.h"},
}
# The operating system's own headers; a room that is pure has no business with them (see purity()).
SYSTEM = re.compile(r"^(sys|netinet|arpa|net|linux)/[a-z0-9_]+\.h$|^(unistd|fcntl|signal|poll|grp|pwd|netdb|ifaddrs|pthread|sched|"
                    r"dirent|syslog|errno|string|strings|stdint|stdlib|time|limits|endian|termios|sysexits|getopt|elf)\.h$")
STANDARD = re.compile(r"^[a-z0-9_]+$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>]+>|"[^"]+")', re.M)

PURE = ("dns", "crypto", "dnssec", "mail")
IMPURE = re.compile(r"""\b(?:system_clock|steady_clock|high_resolution_clock)\b | \bstd::(?:cout|cerr|clog|random_device|mt19937)
    | \b(?:getrandom|gettimeofday|clock_gettime|getenv|f?printf|puts|fopen|localtime|gmtime)\s*\( | \bstd::[io]?fstream\b
    | (?<![\w.:>])::?(?:socket|open|read|write|time)\s*\( | \bstd::time\s*\( | \bthread_local\b""", re.X)
# One clock, one randomness: base/ reads them, everybody else is handed them. A line of the log is about the moment it is written.
SOURCE_OF_TIME = re.compile(r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\b|\b(?:clock_gettime|gettimeofday)\s*\(")
SOURCE_OF_CHANCE = re.compile(r"\bstd::(?:random_device|mt19937\w*|minstd_rand\w*|rand)\b|\b(?:getrandom|arc4random\w*)\s*\(")
SHELL_OF_CLOCK = {"base/clock.cc", "base/random.cc", "base/random.h", "log/log.cc"}


def room_of(path: str) -> str:
    """resolver/ROOM/file → ROOM."""
    return path.split("/")[1]


def includes(files: dict[str, str]):
    """path, line, header, quoted?"""
    for path, source in files.items():
        text = without_comments(source)
        for match in INCLUDE.finditer(text):
            yield path, line_of(text, match.start(1)), match[1][1:-1], match[1][0] == '"'


def layering(files: dict[str, str]) -> list[str]:
    found = []
    known = {path.removeprefix("resolver/") for path in files}
    for path, line, header, quoted in includes(files):
        room = room_of(path)
        if room not in ARROWS:
            found.append(f"{path}:1: {room}/ is no room of the house")
            continue
        if not quoted:
            if header in known:
                found.append(f'{path}:{line}: write #include "{header}"')
            continue
        target = header.split("/")[0]
        if header.startswith(".") or "/" not in header or target not in ARROWS:
            found.append(f'{path}:{line}: "{header}" is not written from resolver/ down ("room/file.h")')
        elif header not in known:
            found.append(f'{path}:{line}: "{header}" does not exist')
        elif target != room and target not in ARROWS[room] and (room, header) not in EXTRA:
            found.append(f"{path}:{line}: {room}/ may not include {header} (it may include: {' '.join(sorted(ARROWS[room])) or 'nothing'})")
    return sorted(set(found))


def third_party(files: dict[str, str]) -> list[str]:
    found = []
    for path, line, header, quoted in includes(files):
        if quoted:
            continue
        owner = next((prefix for prefix in THIRD_PARTY if header.startswith(prefix)), None)
        here = path.removeprefix("resolver/")
        if owner is not None:
            if room_of(path) not in THIRD_PARTY[owner] and here not in THIRD_PARTY[owner]:
                found.append(f"{path}:{line}: <{header}> belongs to {' and '.join(sorted(THIRD_PARTY[owner]))} alone")
        elif SYSTEM.match(header):
            if room_of(path) in PURE:
                found.append(f"{path}:{line}: <{header}> of the operating system in a pure room")
        elif not STANDARD.match(header):
            found.append(f"{path}:{line}: <{header}> has no room yet: name one in tests/house/rooms.py")
    return found


def build_arrows(cmake: str) -> list[str]:
    """room(NAME USES …) of resolver/CMakeLists.txt says no more than the arrows."""
    found = []
    for match in re.finditer(r"^room\((\w+)(?:\s+USES\s+([\w\s]*?))?(?:\s+LIBRARIES[^)]*)?\)", cmake, re.M):
        room, uses = match[1], set((match[2] or "").split())
        allowed = ARROWS.get(room, set()) | {header.split("/")[0] for user, header in EXTRA if user == room}
        for extra in sorted(uses - allowed):
            found.append(f"resolver/CMakeLists.txt:{line_of(cmake, match.start())}: {room} may not link {extra}")
    return found


def purity(files: dict[str, str]) -> list[str]:
    from house.code import bare
    found = []
    for path, source in files.items():
        text = bare(source)
        if room_of(path) in PURE:
            found += [f"{path}:{line_of(text, m.start())}: {m[0].strip()} in a pure room" for m in IMPURE.finditer(text)]
        elif path.removeprefix("resolver/") not in SHELL_OF_CLOCK:
            for pattern, what in ((SOURCE_OF_TIME, "base/clock.h"), (SOURCE_OF_CHANCE, "base/random.h")):
                found += [f"{path}:{line_of(text, m.start())}: {m[0].strip()}: {what} is the only source" for m in pattern.finditer(text)]
    return found
