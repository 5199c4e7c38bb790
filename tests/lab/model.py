"""What the lab world is made of: zones, the mail domains that live in them, and the shorthand they are written in.

This module holds no data and touches no network. `infrastructure.py` and `domains.py` fill a World with it,
`signing.py` turns it into signed zone files, `servers.py` serves them.

The records of a zone are written as in a zone file, relative to the zone's origin, with two additions:

    HOST mx                      an A and an AAAA record with addresses of their own
    TLSA mx 3 1 1 server         TLSA at _25._tcp.mx, its data computed from a certificate of the lab's own PKI

and an `A` or `AAAA` without rdata is given a fresh address.
"""

from dataclasses import dataclass, field

# One MX host with addresses in both families and a matching `3 1 1`: the most ordinary DANE domain.
DANE_HOST = """
@ MX 10 mx
HOST mx
TLSA mx 3 1 1 server
"""

# The same without TLSA.
PLAIN_HOST = """
@ MX 10 mx
HOST mx
"""


@dataclass
class Zone:
    name: str  # without the final dot; "" is the root
    records: str
    servers: str = "host"  # a key of infrastructure.SERVER_GROUPS, or "scripted"
    algorithm: int = 13  # 0: the zone is not signed
    keys: str = "csk"  # csk, or split: a KSK and a ZSK
    denial: str = "nsec"  # nsec, nsec3, optout
    iterations: int = 0
    ds: str = "good"  # what the parent publishes: see signing.delegation_signers
    dates: str = "valid"  # valid, expired, future
    sigs: dict = field(default_factory=dict)  # "NAME TYPE" -> expired, future, soon, corrupt, missing, signer, labels
    rules: list = field(default_factory=list)  # what the scripted server does: see scripted.py
    algorithm_shown: int = 0  # an algorithm number nobody supports, written over the real one
    flags_shown: int = 0  # flags that forbid the use of the keys, written over the real ones (RFC 4034 2.1.1, RFC 5011 2.1)
    soa_minimum: int = 300

    @property
    def signed(self):
        return self.algorithm != 0


@dataclass
class Domain:
    name: str
    case: str  # number in the list of cases, or the word "table" for a row of the decision tables
    about: str
    receiver: str = ""  # what its mail servers present: for the tests that deliver mail


class World:
    def __init__(self):
        self.zones = {}
        self.domains = {}

    def zone(self, name, records="", **options):
        assert name not in self.zones, name
        self.zones[name] = Zone(name, records, **options)

    def mail(self, name, case, about, records=DANE_HOST, receiver="server", **options):
        """A mail domain with a zone of its own."""
        self.zone(name, records, **options)
        self.name(name, case, about, receiver)

    def name(self, name, case, about, receiver=""):
        """A mail domain (or next-hop) that lives in a zone declared elsewhere, or nowhere."""
        assert name not in self.domains, name
        self.domains[name] = Domain(name, case, about, receiver)

    def parent_of(self, name):
        """The closest enclosing zone of NAME, not counting NAME itself."""
        labels = name.split(".")
        for start in range(1, len(labels)):
            candidate = ".".join(labels[start:])
            if candidate in self.zones:
                return self.zones[candidate]
        return self.zones[""]

    def children_of(self, name):
        return [zone for zone in self.zones.values() if zone.name != "" and self.parent_of(zone.name).name == name]


def rule(do, *, type=None, name=None, server=None, over=None, edns=None, argument=None):
    """One line of a scripted server's script. Criteria left out match everything; the first rule that matches acts.

    server 1 or 2 is one of the zone's two servers, over is "udp" or "tcp", name is relative to the zone, type a type
    or a list of types."""
    types = [type] if isinstance(type, str) else type
    return {"do": do, "types": types, "name": name, "server": server, "over": over, "edns": edns, "argument": argument}
