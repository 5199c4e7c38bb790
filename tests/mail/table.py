"""Reads expected.table: what mxtrust must say of each lab domain. The notation is explained at the top of that file."""

import pathlib
import re
from dataclasses import dataclass, field

PATH = pathlib.Path(__file__).resolve().parent / "expected.table"
SECURITY = {"S": "secure", "I": "insecure", "B": "bogus", "X": "indeterminate"}
OUTCOME = {"+": "records", "0": "nodata", "x": "nxdomain", "!": "failure"}
STATUS = re.compile(r"(-|B|[SIX?][+0x!](\((\d+)of(\d+)\))?)$")
PORT = re.compile(r":\d+$")  # an IPv6 address stands in brackets
DOMAIN_KEYS = {"flag", "ede.mx", "maxage.mx", "hosts"}
HOST_KEYS = {"alias", "base", "names", "port", "maxage.tlsa", "ede.a", "ede.aaaa", "ede.tlsa"}


class TableError(Exception):
    pass


@dataclass
class Host:
    preference: int | None
    name: str
    a: str
    aaaa: str
    tlsa: str
    policy: str
    more: dict

    @property
    def base(self):
        return self.more.get("base", self.name)

    @property
    def tlsa_name(self):
        return f"_{self.more.get('port', '25')}._tcp.{self.base}"


@dataclass
class Row:
    domain: str
    case: str
    mx: str
    decision: str
    more: dict
    hosts: list = field(default_factory=list)

    @property
    def name(self):
        """The domain without a port."""
        return PORT.sub("", self.domain)


def further(words, allowed):
    more = {}
    for word in words:
        key, _, value = word.partition("=")
        if key not in allowed or not value:
            raise TableError(f"unknown word {word}")
        more[key] = value
    return more


def checked_status(text):
    for one in text.split("/"):
        if not STATUS.match(one):
            raise TableError(f"not a status: {one}")
    return text


def parse_row(words):
    domain, case, mx, arrow, decision, *rest = words
    if arrow != "=>":
        raise TableError("=> is missing")
    return Row(domain, case, checked_status(mx), decision, further(rest, DOMAIN_KEYS))


def parse_host(words, domain):
    preference, name, a, aaaa, tlsa, policy, *rest = words
    port = PORT.search(domain)
    domain = PORT.sub("", domain)
    if name == "@":
        name = domain
    elif name.endswith("."):
        name = name[:-1]
    else:
        name = f"{name}.{domain}"
    more = further(rest, HOST_KEYS)
    if port:
        more.setdefault("port", port.group(0)[1:])
    return Host(None if preference == "-" else int(preference), name, checked_status(a), checked_status(aaaa), checked_status(tlsa), policy,
                more)


def read(path=PATH):
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        try:
            if line[0] == " ":
                rows[-1].hosts.append(parse_host(words, rows[-1].domain))
            else:
                rows.append(parse_row(words))
        except (TableError, ValueError) as error:
            raise TableError(f"{path.name}:{number}: {error}") from None
    names = [row.domain for row in rows]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise TableError(f"twice in {path.name}: {', '.join(sorted(doubled))}")
    return rows


def agrees(expected, security, outcome):
    """Does the status (security, outcome), in the protocol's words, match one of the alternatives of EXPECTED?"""
    for one in expected.split("/"):
        if one == "B" and security == "bogus":
            return True
        if one in ("B", "-"):
            continue
        right_security = security != "bogus" if one[0] == "?" else security == SECURITY[one[0]]
        if right_security and outcome == OUTCOME[one[1]]:
            return True
    return False
