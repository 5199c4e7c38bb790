"""What is asked: every name of the lab's zones, names that are nowhere, and names that nobody should ask for. From a seed;
the same seed in the same world asks the same.
"""

import random

import dns.exception
import dns.name
import dns.rdatatype

# NSEC3 parameters, ANY, RRSIG and zone transfers are left out: what to say is each resolver's own choice.
COMMON = ["A", "AAAA", "MX", "TLSA", "TXT", "NS", "SOA", "DS", "CNAME", "DNSKEY"]
RARE = ["SRV", "CAA", "HTTPS", "PTR", "NAPTR", "DNAME", "NSEC", "CDS", "SSHFP", "TYPE65280", "TYPE1234", "SPF", "HINFO", "URI"]

# Questions to these cost every resolver its patience; they are asked rarely.
SLOW = ("dropped", "silent", "timeout", "slow", "tcp-refused", "wrong-id", "unreachable", "lame", "servfail", "refused")

SPECIAL = [
    ".", "lab.", "nlx.", "dex.", "comx.", "oldx.", "netx.", "eux.", "nosuchtld.", "com.", "arpa.", "in-addr.arpa.", "ip6.arpa.",
    "example.", "example.com.", "root.", "0.", "1.2.3.4.", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.nlx.", "*.", "*.nlx.",
    "*.*.nlx.", "*.dane-ee.nlx.", "*.mx-wildcard.nlx.", "*.tlsa-wildcard.nlx.", "*.*.mx-wildcard.nlx.", "sub.*.mx-wildcard.nlx.",
    "\\000.nlx.", "\\000.dane-ee.nlx.", "\\255.dane-ee.nlx.", "a\\.b.dane-ee.nlx.", "mx\\.dane-ee.nlx.", "\\032.dane-ee.nlx.",
    "\\\\.dane-ee.nlx.", "\\@.dane-ee.nlx.", "\"quoted\".dane-ee.nlx.", "tab\\009tab.dane-ee.nlx.", "ü.dane-ee.nlx.",
    "xn--nxasmq6b.dane-ee.nlx.", "xn--.dane-ee.nlx.", "-.dane-ee.nlx.", "-a-.dane-ee.nlx.", "_.dane-ee.nlx.", "__.dane-ee.nlx.",
    "_25._tcp.dane-ee.nlx.", "_tcp.mx.dane-ee.nlx.", "_udp.mx.dane-ee.nlx.", "_26._tcp.mx.dane-ee.nlx.", "x._25._tcp.mx.dane-ee.nlx.",
    "_25._tcp._25._tcp.mx.dane-ee.nlx.", "DANE-EE.NLX.", "dAnE-Ee.nLx.", "MX.dane-EE.nlx.", "_25._TCP.mx.dane-ee.nlx.",
    "x.old.moved.nlx.", "old.moved.nlx.", "mx1.old.moved.nlx.", "_25._tcp.mx1.old.moved.nlx.", "nothing.nothing.old.moved.nlx.",
    ".".join(["x" * 63] * 3) + ".old.moved.nlx.", "dane-ee.nlx.dane-ee.nlx.", "nlx.nlx.", "lab.lab.", "root.lab.", "a.root.lab.",
    "mta-sts.dane-ee.nlx.", "_mta-sts.dane-ee.nlx.", "_smtp._tls.dane-ee.nlx.", "ns1.host.lab.", "host.lab.", "tld.lab.",
]


def zone_names(zones):
    """{owner name: types there} of all signed zone files, as ldns wrote them: one record a line."""
    found = {}
    for path in sorted(zones.iterdir()):
        for line in path.read_text().splitlines():
            fields = line.split(None, 4)
            if len(fields) == 5 and fields[2] == "IN" and fields[3] not in ("RRSIG", "NSEC3", "NSEC3PARAM"):
                found.setdefault(fields[0].lower(), set()).add(fields[3])
    return found


def is_slow(name):
    return any(word in name for word in SLOW)


def spoiled_case(chance, name):
    return "".join(letter.upper() if chance.random() < 0.5 else letter for letter in name)


def random_label(chance):
    kind = chance.randrange(8)
    if kind == 0:
        return "_" + chance.choice(["tcp", "udp", "25", "443", "dmarc", "domainkey", "mta-sts"])
    if kind == 1:
        return "".join(f"\\{chance.randrange(256):03}" for _ in range(chance.randint(1, 4)))
    if kind == 2:
        return chance.choice(["*", "www", "mx", "mx1", "mail", "ns1", "_25._tcp", "_25._tcp.mx", "a", "z", "zzzz", "0", "-", "~"])
    if kind == 3:
        return "x" * chance.choice([1, 30, 62, 63])
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789-") for _ in range(chance.randint(1, 12)))


def near(chance, name):
    """A name beside, below or a little off NAME."""
    labels = name.rstrip(".").split(".") if name != "." else []
    kind = chance.randrange(6)
    if kind <= 2 or not labels:
        return ".".join([random_label(chance) for _ in range(chance.randint(1, 3))] + labels) + "."
    if kind == 3:
        return ".".join([random_label(chance)] + labels[1:]) + "."
    if kind == 4:
        return ".".join([labels[0] + chance.choice("0a-z")] + labels[1:]) + "."
    return ".".join(labels[chance.randrange(len(labels)):]) + "."


def is_name(text):
    try:
        dns.name.from_text(text)
        return True
    except (dns.exception.DNSException, UnicodeError):
        return False


def make(zones, count, seed):
    """COUNT different questions: (name, type)."""
    chance = random.Random(seed)
    known = zone_names(zones)
    wanted = {(name, kind) for name, types in known.items() for kind in types if kind != "DNSKEY"}
    wanted |= {(name, kind) for name in known if not is_slow(name) for kind in ("A", "AAAA", "MX", "TLSA", "NS", "DS")}
    wanted |= {(name, kind) for name in SPECIAL for kind in COMMON}
    wanted = {(name, kind) for name, kind in wanted if not is_slow(name) or chance.random() < 0.4}
    quick = sorted(name for name in known if not is_slow(name))
    slow = sorted(name for name in known if is_slow(name))
    while len(wanted) < count:
        base = chance.choice(slow) if chance.random() < 0.01 else chance.choice(quick)
        name = near(chance, base) if chance.random() < 0.7 else base
        if chance.random() < 0.1:
            name = spoiled_case(chance, name)
        if is_name(name):
            wanted.add((name, chance.choice(RARE) if chance.random() < 0.2 else chance.choice(COMMON)))
    ordered = sorted(question for question in wanted if is_name(question[0]))
    chance.shuffle(ordered)
    return ordered
