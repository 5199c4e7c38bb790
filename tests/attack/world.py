"""The attacked Internet: a signed root, "good." and "victim." beside the hostile "evil.", each on addresses that only exist in the namespace
of this run. Honest zones answer for any name that their `find` knows, signed on the spot; hostile ones are those of attacks/.

    20.53.0.1, .9  root   20.53.0.2, .3  good.      20.53.0.4  victim.
    20.66.0.1  evil.     20.66.N.1, .2 …  the servers of attack N: of every zone aN.evil. and WORD-aN.evil.
"""
import functools
import re
import subprocess

from attack import wire
from attack.wire import RR

# The second root is one that nobody is told of: A39 takes its address away and gives it back.
ROOT, SECOND_ROOT, GOOD, SECOND_GOOD, VICTIM, EVIL = "20.53.0.1", "20.53.0.9", "20.53.0.2", "20.53.0.3", "20.53.0.4", "20.66.0.1"
HONEST_MAIL = "20.53.1.25"
HOSTILE = re.compile(r"(?:([a-z0-9]+)-)?a(\d+)$")
SOA = "ns1.{zone} hostmaster.{zone} 1 3600 600 86400 30"


@functools.lru_cache(20_000)
def key_of(zone: str) -> wire.Key:
    return wire.Key(zone)


@functools.lru_cache(50_000)
def _signed(zone: str, owner: bytes, kind: int, ttl: int, data: tuple) -> RR:
    return key_of(zone).sign([RR(owner, kind, one, ttl) for one in data], zone)


def signed(records: list[RR], zone: str) -> list[RR]:
    """An RRset with its signature, by the zone's own key."""
    first = records[0]
    return [*records, _signed(zone, first.owner, first.kind, first.ttl, tuple(one.data for one in records))]


def child_of(name: str, zone: str) -> str | None:
    """The name right below ZONE that NAME is at or below of."""
    own, above = name.rstrip(".").split("."), [label for label in zone.rstrip(".").split(".") if label]
    if len(own) <= len(above) or own[len(own) - len(above):] != above:
        return None
    return ".".join(own[len(own) - len(above) - 1:]) + "."


class Zone:
    """An honest zone. `find(name)` gives {type: [data, …]}, or None where there is no such name; `delegate(child)` gives
    ([(server, [address, …]), …], signed or not), or None where the child is no zone."""

    def __init__(self, apex: str, servers, find, delegate=lambda child: None, is_signed=True, ttl=300):
        self.apex, self.servers, self.find, self.delegate, self.is_signed, self.ttl = apex, servers, find, delegate, is_signed, ttl

    def sets_at(self, name: str):
        sets = dict(self.find(name) or {}) or None
        if name == self.apex:
            sets = {**(sets or {}), "SOA": [SOA.format(zone="" if self.apex == "." else self.apex)], "NS": [server for server, _ in self.servers]}
            if self.is_signed:
                sets["DNSKEY"] = [key_of(self.apex).data]
        for server, addresses in self.servers:
            if name == server and name.endswith("." + self.apex.lstrip(".")):
                sets = {**(sets or {}), "A": [wire.address(one) for one in addresses]}
        return sets

    def seal(self, records: list[RR]) -> list[RR]:
        return signed(records, self.apex) if self.is_signed else records

    def records(self, owner, kind, data) -> list[RR]:
        return [RR(owner, kind, one, self.ttl) for one in data]

    def soa(self) -> list[RR]:
        return self.seal(self.records(self.apex, "SOA", [SOA.format(zone="" if self.apex == "." else self.apex)]))

    def nothing(self, name: str, sets) -> list[RR]:
        """The proof that there is no such set, or no such name, by records made for this question alone (RFC 4470)."""
        proof = self.soa()
        if not self.is_signed:
            return proof
        owner = wire.name(name)
        if sets is not None:
            kinds = [kind for kind in sets] + ["RRSIG", "NSEC"]
            return proof + signed([RR(owner, "NSEC", b"\1\0" + owner + wire.bitmap(kinds), self.ttl)], self.apex)
        first = wire.labels_of(owner)[0]
        rest = owner[1 + len(first):]
        before = first[:-1] + bytes([first[-1] - 1]) + b"~"
        after = first + b"\0"
        proof += signed([RR(bytes([len(before)]) + before + rest, "NSEC", bytes([len(after)]) + after + rest + wire.bitmap(["RRSIG", "NSEC"]))], self.apex)
        return proof + signed([RR(b"\2!~" + rest, "NSEC", b"\1+" + rest + wire.bitmap(["RRSIG", "NSEC"]))], self.apex)

    def referral(self, question, child: str, servers, child_signed: bool) -> bytes:
        authority = [RR(child, "NS", server, self.ttl) for server, _ in servers]
        if self.is_signed and child_signed:
            authority += signed([RR(child, "DS", key_of(child).ds(child), self.ttl)], self.apex)
        elif self.is_signed:
            owner = wire.name(child)
            authority += signed([RR(owner, "NSEC", b"\1\0" + owner + wire.bitmap(["NS", "RRSIG", "NSEC"]), self.ttl)], self.apex)
        glue = [RR(server, "AAAA" if ":" in one else "A", wire.address(one), self.ttl) for server, addresses in servers for one in addresses]
        return wire.message(question, [], authority, glue, aa=False)

    def reply(self, question) -> bytes:
        if not question.name.endswith(self.apex) and self.apex != ".":
            return wire.message(question, rcode=wire.REFUSED, aa=False)
        child = child_of(question.name, self.apex)
        delegation = self.delegate(child) if child else None
        if delegation is not None:
            servers, child_signed = delegation
            if question.name != child or question.type != "DS":
                return self.referral(question, child, servers, child_signed)
            if child_signed:
                return wire.message(question, self.seal([RR(child, "DS", key_of(child).ds(child), self.ttl)]))
            return wire.message(question, [], self.nothing(child, {"NS": []}))
        sets = self.sets_at(question.name)
        answer = []
        if sets is None:
            return wire.message(question, [], self.nothing(question.name, None), rcode=wire.NXDOMAIN)
        for kind in (question.type, "CNAME"):
            if kind in sets and sets[kind]:
                answer = self.seal(self.records(question.owner, kind, sets[kind]))
                return wire.message(question, answer)
        return wire.message(question, [], self.nothing(question.name, sets))


# What the benign zones hold: a mail domain for every number, so that each question is a new one.
def good(name: str):
    """mN.good. with its host; all of it signed."""
    labels = name.split(".")
    if re.fullmatch(r"m\d+\.good\.", name):
        return {"MX": [f"10 mx.{name}"], "TXT": [b"\4good"]}
    if re.fullmatch(r"mx\.m\d+\.good\.", name):
        return {"A": [wire.address(HONEST_MAIL)]}
    if re.fullmatch(r"_25\._tcp\.mx\.m\d+\.good\.", name):
        return {"TLSA": ["3 1 1 " + "ab" * 32]}
    if re.fullmatch(r"(_tcp\.)?mx\.m\d+\.good\.|_tcp\.mx\.m\d+\.good\.", name) or (labels[0] == "www" and len(labels) == 3):
        return {"A": [wire.address("20.53.1.80")]} if labels[0] == "www" else {}
    return None


def victim(name: str):
    """Its own name, a host and its mail; nothing else."""
    return {"www.victim.": {"A": [wire.address("20.53.1.99")]}, "victim.": {"MX": ["10 www.victim."]}}.get(name)


def honest_servers(attacks):
    """(addresses, what chooses the zone) of the honest process."""
    tlds = {"good.": ([("ns1.good.", [GOOD]), ("ns2.good.", [SECOND_GOOD])], True), "victim.": ([("ns1.victim.", [VICTIM])], True),
            "evil.": ([("ns1.evil.", [EVIL])], True)}
    root = Zone(".", [("a.root.", [ROOT])], {"a.root.": {"A": [wire.address(ROOT)]}}.get, tlds.get)
    zones = {GOOD: Zone("good.", tlds["good."][0], good), VICTIM: Zone("victim.", tlds["victim."][0], victim), ROOT: root}
    zones[SECOND_GOOD], zones[SECOND_ROOT] = zones[GOOD], root

    def choose(question):
        return zones[question.address]
    return list(zones), choose


class Hostile:
    """What chooses among the attacks: by the address that was asked."""

    def __init__(self, attacks):
        self.attacks = {attack.number: attack for attack in attacks}
        self.tld = Zone("evil.", [("ns1.evil.", [EVIL])], lambda name: None, self.delegate)
        self.addresses = [EVIL] + [address for attack in attacks for address in attack.addresses()]

    def of(self, zone: str):
        match = HOSTILE.fullmatch(zone.split(".")[0])
        return self.attacks.get(int(match[2])) if match else None

    def delegate(self, child: str):
        attack = self.of(child)
        return attack.delegation(child) if attack else None

    def __call__(self, question):
        if question.address == EVIL:
            attack = self.of((child_of(question.name, "evil.") or "."))
            return attack.at_parent(self.tld) if attack else self.tld
        for attack in self.attacks.values():
            if question.address in attack.addresses():
                return attack
        return self.tld

    def command(self, verb, argument):
        number, word = verb
        return self.attacks[number].command(word, argument)


def anchor() -> str:
    """The root's DS, as a line of a zone file."""
    tag, algorithm, digest = key_of(".").tag, 15, key_of(".").ds(".")[4:].hex().upper()
    return f". DS {tag} {algorithm} 2 {digest}"


def put_up(addresses: list[str]) -> None:
    """The addresses, on the loopback interface of the namespace that we are in."""
    lines = ["link set lo up"] + [f"address add {one}/{128 if ':' in one else 32} dev lo" + (" nodad" if ":" in one else "") for one in addresses]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
