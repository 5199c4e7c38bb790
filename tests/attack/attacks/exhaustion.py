"""A15 to A21: making one question into many, and taking the places of others."""
import socket
import struct
import time

import dns.flags
import dns.rcode

import built
from attack.attacks.base import Attack, RR, wire, world
from attack.lane import Benign, MXTRUST_PORT, UNBOUND_PORT
from lab.loopback import taken_in

FAILS = ("insecure", "failure")
ROOM = 1 << 16      # octets that may wait at a socket: a flood is as fast as it is taken in, so that benign questions are not lost in the kernel
LOST = ("indeterminate", "failure")


class Referring(Attack):
    """At the zone's own server, what lies below `sub` is referred by `delegate_sub`."""
    is_signed = False
    verifications = 12

    def question(self, instance):
        return "www.sub." + self.zone(instance), "A"

    def sub(self, question, zone):
        raise NotImplementedError

    def reply(self, question):
        zone = self.zone_of(question)
        if question.name.endswith("sub." + zone):
            names, glue = self.sub(question, zone)
            return wire.message(question, [], [RR("sub." + zone, "NS", wire.name(one)) for one in names], glue, aa=False)
        return self.honest(question).reply(question)


class Nxns(Referring):
    number, title = 15, "NXNSAttack (CVE-2020-12662): 1000 name servers without glue under the victim's zone"
    rule = "≤ 20 packets to the victim, ≤ 5 names looked up"
    instances = ["m", "few"]
    queries, verifications = 100, 40
    floods = 5

    def expect(self, instance):
        # The names alone are more octets than a look-up may take; with fewer of them, the limit on names is what counts.
        return ("indeterminate", "failure", "limit of bytes") if instance == "m" else FAILS

    def sub(self, question, zone):
        many = 100 if "few" in self.instance_of(question) else 1000
        return [f"n{number}.{self.instance_of(question)}.victim." for number in range(many)], []

    def judge(self, lane, instance, answer, cost):
        super().judge(lane, instance, answer, cost)
        victim = [one for one in lane.good.seen() if one.address == world.VICTIM]
        lane.check("the victim gets at most 20 packets", len(victim) <= 20, len(victim))
        lane.check("the victim is asked for no more than 5 names", len({one.name for one in victim if one.name.startswith("n")}) <= 5,
                   {one.name for one in victim})


class Unresponsive(Referring):
    number, title = 16, "non-responsive delegation (CVE-2022-3204): 1500 name servers at mute addresses"
    rule = "13 servers, an address is asked once"
    queries, verifications = 40, 12
    instances = ["many", "same", "heap"]
    servers = 60
    floods = 6

    def expect(self, instance):
        return ("indeterminate", "failure", "limit of bytes") if instance == "heap" else FAILS

    def delegation(self, zone):
        return self.name_servers(zone)[:2], False

    def sub(self, question, zone):
        same = "same" in self.instance_of(question)
        many = 1000 if "heap" in self.instance_of(question) else 200
        names = [f"n{number}.sub.{zone}" for number in range(many)]
        addresses = self.addresses()[2:]
        return names, [RR(name, "A", wire.address(addresses[0 if same else at % len(addresses)])) for at, name in enumerate(names)]

    def reply(self, question):
        if question.address not in self.addresses()[:2]:
            return None
        return super().reply(question)

    def judge(self, lane, instance, answer, cost):
        super().judge(lane, instance, answer, cost)
        if instance == "same":
            asked = [one for one in lane.evil.seen() if one.address == self.addresses()[2]]
            lane.check("one address with many names is one server", len(asked) <= 4, len(asked))


class Camp(Attack):
    number, title = 17, "CAMP, iDNS (CVE-2026-50045): aliases × name servers without glue × minimisation"
    rule = "≤ 100 packets per look-up; the budget is not refilled on the way"
    is_signed = False
    queries, verifications = 104, 30
    floods = 4
    instances = ["m", "validated"]

    def expect(self, instance):
        return LOST

    def judge(self, lane, instance, answer, cost):
        lane.looks_at("queries", "operations", "status")
        got = (answer["security"], answer["outcome"])
        lane.check("it fails, and is not secure", got in (LOST, FAILS), (got, answer["reason"]))
        lane.check("the reason names a limit, or that no server has an address", any(word in answer["reason"] for word in ("limit", "longer than", "address", "time there was")),
                   answer["reason"])
        lane.check(f"at most {self.queries} queries", cost.queries <= self.queries, cost)
        lane.check(f"at most {self.verifications} verifications", cost.verifications <= self.verifications, cost)

    def judge_again(self, lane, name, instance, answer):
        lane.check(f"{name}: asked again, it fails", answer["outcome"] == "failure", answer["reason"])

    def delegation(self, zone):
        return self.name_servers(zone), "validated" in zone

    def honest(self, question, zone=None, **more):
        made = super().honest(question, zone, **more)
        made.is_signed = "validated" in self.instance_of(question)
        return made

    def reply(self, question):
        """Every name is an alias into a delegation whose servers live in delegations like it, many labels deep."""
        zone = self.zone_of(question)
        depth = len(question.labels) - 2
        if question.name == zone or depth == 0:
            return self.honest(question).reply(question)
        top = question.labels[-3]
        if top.startswith("d"):
            number = int("".join(one for one in top if one.isdigit()) or 0)
            names = [f"{'x.' * 6}s{at}.d{number * 7 + at + 1}.{zone}" for at in range(13)]
            return wire.message(question, [], [RR(f"{top}.{zone}", "NS", wire.name(one)) for one in names], aa=False)
        target = RR(question.owner, "CNAME", wire.name(f"{'y.' * 8}q.d{(hash(top) & 1023) + 2}.{zone}"))
        return wire.message(question, self.honest(question).seal([target]))


class Tsuname(Attack):
    number, title = 18, "TsuNAME: name servers in each other's zones"
    rule = "< 20 queries, then the failure is remembered"
    is_signed = False
    queries, verifications = 19, 8

    def expect(self, instance):
        return FAILS

    def delegation(self, zone):
        other = zone.replace("one", "two", 1) if "one" in zone else zone.replace("two", "one", 1)
        return [("ns." + other, []), ("ns2." + other, [])], False

    instances = ["one"]

    def afterwards(self, lane):
        answer, cost = lane.measure(lambda: lane.daemon.rrset("mail." + self.zone("one"), "MX"))
        lane.check("another name in there costs less than 20 queries, too", cost.queries < 20 and answer["outcome"] == "failure", cost)


class CacheFlush(Attack):
    number, title = 19, "CacheFlush (CVE-2024-1737): 500 records of a type, 300 types at a name, 1000 glue records"
    rule = "≤ 256 records per RRset; 13 servers, 6 addresses; the cache stays bounded"
    queries, verifications = 20, 12
    instances = ["records", "types", "glue"]
    floods = 30

    def expect(self, instance):
        return {"records": ("indeterminate", "failure"), "types": ("secure", "records"), "glue": FAILS}[instance.rstrip("0123456789")]

    def question(self, instance):
        return ("www.sub." if instance.startswith("glue") else "www.") + self.zone(instance), "A"

    def judge(self, lane, instance, answer, cost):
        if instance == "records":
            lane.check("a set of 500 records is not secure data, or is cut to 256 only where nothing is signed", answer["outcome"] == "failure" or
                       len(answer["records"]) <= 256, (answer["security"], len(answer["records"])))
            lane.bounded("the set of 500", cost, self.queries, self.verifications)
            return
        super().judge(lane, instance, answer, cost)

    def judge_again(self, lane, name, instance, answer):
        if instance != "records":
            super().judge_again(lane, name, instance, answer)

    def reply(self, question):
        zone, instance = self.zone_of(question), self.instance_of(question)
        if instance.startswith("records") and question.name == "www." + zone and question.kind == 1:
            return wire.message(question, world.signed([RR(question.owner, "A", bytes([20, 66, one >> 8, one & 255])) for one in range(500)], zone))
        if instance.startswith("types") and question.name == "www." + zone and question.kind == 1:
            heap = [RR(question.owner, 1000 + one, b"\3abc") for one in range(300)]
            return wire.message(question, world.signed([RR(question.owner, "A", "20.66.200.80")], zone) + heap)
        if instance.startswith("glue") and question.name.endswith("sub." + zone):
            if question.type == "DS":
                return wire.message(question, [], self.honest(question).nothing(question.name, {"NS": []}))
            owner = wire.name("sub." + zone)
            proof = world.signed([RR(owner, "NSEC", b"\1\0" + owner + wire.bitmap(["NS", "RRSIG", "NSEC"]))], zone)
            return wire.message(question, [], [RR(owner, "NS", "ns.sub." + zone)] + proof,
                                [RR("ns.sub." + zone, "A", bytes([20, 66, 200 + (one >> 8), one & 255])) for one in range(1000)], aa=False)
        return self.honest(question).reply(question)

    def afterwards(self, lane):
        kept = lane.daemon.status()["cache"]
        before = lane.daemon.rrset("www.good.")
        lane.check("what others put there is still in the cache", before["outcome"] == "records", before)
        lane.check("the other types were not taken in", lane.daemon.ask({"query": "rrset", "name": "www." + self.zone("types"), "type": "TYPE1005"})["outcome"] !=
                   "records")
        self.octets = kept["octets"]

    def benign(self, lane):
        row = super().benign(lane)
        grown = lane.daemon.status()["cache"]["octets"] - self.octets
        lane.check("ninety more of these put less than 3 MiB into the cache", grown < 3 << 20, grown)
        return row


class DnsBomb(Attack):
    number, title = 20, "DNSBomb (CVE-2024-33655): answers held back 1.8 s while thousands of clients wait"
    rule = "one query for all who wait; nothing is amplified; others are served meanwhile"
    is_signed = False
    queries, verifications = 16, 8
    floods = 1
    waiting = 5000 // built.SLOWER

    def expect(self, instance):
        return ("insecure", "records")

    def find(self, zone, name):
        return {"A": [wire.address("20.66.200.80")]} if name.endswith(".slow." + zone) or name == "www." + zone else {} if name == "slow." + zone else None

    def reply(self, question):
        octets = super().reply(question)
        return [(1.8, octets)] if question.name.endswith(".slow." + self.zone_of(question)) else octets

    def flood(self, port):
        """Thousands ask for a few slow names at once."""
        self.received = self.sent = 0
        zone = self.zone(f"f{port}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
            for number in range(self.waiting):
                octets = wire.query(f"n{number % 20}.slow.{zone}")
                plug.sendto(octets, ("127.0.0.1", port))
                self.sent += len(octets)
                if number % 100 == 99:
                    time.sleep(0.01)
                    taken_in(port, ROOM)
            plug.settimeout(0.5)
            until = time.monotonic() + 3.5
            count = 0
            while time.monotonic() < until and count < self.waiting:
                try:
                    self.received += len(plug.recv(65535))
                    count += 1
                except socket.timeout:
                    continue

    def benign(self, lane):
        before = len([one for one in lane.evil.seen() if ".slow." in one.name])
        row = super().benign(lane)
        asked = len([one for one in lane.evil.seen() if ".slow." in one.name]) - before
        lane.check(f"{self.waiting} who wait for twenty names make at most 160 queries", asked <= 160, asked)
        lane.check("the replies are not larger than three times the questions", self.received <= 3 * self.sent, (self.received, self.sent))
        row["queries"] = max(row.get("queries", 0), round(asked / 20))
        return row


class SlowDomain(Attack):
    number, title = 21, "the queue is filled with a slow domain's names (CVE-2026-42534)"
    rule = "a zone has its share of what may be under way, and no more"
    is_signed = False
    queries, verifications = 24, 8
    servers = 8
    instances = ["m"]
    asked = 3600 // built.SLOWER
    most_p99 = 6.0                  # two and a half thousand look-ups in a second are work, too

    def delegation(self, zone):
        return self.name_servers(zone), False

    def expect(self, instance):
        return FAILS

    def reply(self, question):
        return None

    def flood(self, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
            for number in range(self.asked):
                # Some within one zone, some in a zone each.
                zone = self.zone(f"f{port}" if number % 3 else f"g{port}x{number}")
                plug.sendto(wire.query(f"n{number}.{zone}"), ("127.0.0.1", port))
                if number % 100 == 99:
                    time.sleep(0.02)
                    taken_in(port, ROOM)
                    if port == MXTRUST_PORT:
                        self.lane.daemon.status()   # no faster than they are taken in, however busy this machine is
            time.sleep(0.5)

    def benign(self, lane):
        row = super().benign(lane)
        mail = lane.daemon.ask({"query": "mail", "domain": f"m{next(Benign.numbers)}.good"})
        lane.check("mail for a benign domain is decided meanwhile", mail["decision"]["action"] == "deliver" and mail["decision"]["level"] == "dane", mail["decision"])
        return row


ALL = [Nxns(), Unresponsive(), Camp(), Tsuname(), CacheFlush(), DnsBomb(), SlowDomain()]
