"""What all attacks have in common; each overrides what it does differently."""
import socket
import struct
import time

import dns.flags
import dns.rcode

import built
from attack import wire, world
from attack.lane import ENOUGH, MOST_P99, MXTRUST_PORT, UNBOUND_PORT, dig
from attack.wire import RR


class Attack:
    number = 0
    title = ""
    rule = ""                       # what the catalogue wants, in a few words
    is_signed = True
    instances = ["m"]               # zones that are asked alone, one after the other, each measured
    floods = 12                     # and so many more of each kind, all at once, beside benign questions
    unbound = True                  # can the attack be shown to another resolver as well?
    why_not = ""                    # if not
    servers = 2
    # What one question may cost, and what its answer must be: (security, outcome), and a word of the reason.
    queries, verifications, failures, hashes = 30, 30, 8, 0
    most_p99 = MOST_P99
    expected = ("secure", "records")
    word = ""
    again = 0                       # queries when it is asked once more, everybody being silent

    lane = None

    # The hostile servers.
    def addresses(self) -> list[str]:
        return [f"20.66.{self.number}.{one}" for one in range(1, self.servers + 1)]

    def extra_addresses(self) -> list[str]:
        return []

    def name_servers(self, zone: str):
        return [(f"ns{at}.{zone}", [address]) for at, address in enumerate(self.addresses(), 1)]

    def delegation(self, zone: str):
        return self.name_servers(zone), self.is_signed

    def at_parent(self, tld):
        """Who answers at evil.'s own server for names of this attack."""
        return tld

    def zone_of(self, question) -> str:
        return ".".join(question.labels[-2:]) + "."

    def instance_of(self, question) -> str:
        match = world.HOSTILE.fullmatch(question.labels[-2]) if len(question.labels) > 1 else None
        return (match[1] or "") if match else ""

    def find(self, zone: str, name: str):
        """What the zone has; beside its SOA, NS and DNSKEY."""
        return {"A": [wire.address("20.66.200.80")]} if name == "www." + zone else None

    def honest(self, question, zone=None, **more) -> world.Zone:
        zone = zone or self.zone_of(question)
        return world.Zone(zone, self.name_servers(zone), lambda name: self.find(zone, name), is_signed=self.is_signed, **more)

    def reply(self, question):
        return self.honest(question).reply(question)

    def command(self, word, argument):
        """What the test tells the servers."""
        setattr(self, word, argument)

    def tell(self, word, argument):
        return self.lane.evil.tell((self.number, word), argument)

    # The client.
    def zone(self, instance: str) -> str:
        return f"{instance}-a{self.number}.evil."

    def question(self, instance: str):
        return "www." + self.zone(instance), "A"

    def expect(self, instance: str):
        return self.expected

    def configuration(self) -> str:
        return ""

    def other_configuration(self) -> str:
        """The same for Unbound."""
        return ""

    def begin(self, lane) -> None:
        """Before anything is played: what has to ripen."""

    def afterwards(self, lane) -> None:
        """What else must hold when all is over: above all what is in the cache."""

    def judge(self, lane, instance, answer, cost) -> None:
        """Status, reason and cost of one question."""
        name, kind = self.question(instance)
        where = f"{name[:60]} {kind}"
        wanted = self.expect(instance)
        got = (answer.get("security"), answer.get("outcome"))
        lane.check(f"{where} is {self.allowed(instance)}", got in self.accepted(instance), f"{got}: {answer.get('reason') or answer.get('error')}")
        word = wanted[2] if len(wanted) > 2 else self.word
        if word:
            lane.check(f"{where}: the reason says “{word}”", word in (answer.get("reason") or ""), answer.get("reason"))
        if wanted[1] == "failure":
            lane.check(f"{where}: the reason has its code", (answer.get("reason") or "").rstrip().endswith("]") or bool(answer.get("ede")),
                       (answer.get("reason"), answer.get("ede")))
        lane.looks_at("queries", "operations", "status")
        for what, most in (("queries", self.queries), ("verifications", self.verifications), ("failures", self.failures), ("hashes", self.hashes)):
            lane.check(f"{where}: at most {most} {what}", getattr(cost, what) <= most, cost)

    def ask(self, lane, instance):
        name, kind = self.question(instance)
        return lane.daemon.rrset(name, kind)

    def flood(self, port: int) -> None:
        """Many of them at once; nobody waits for the answers."""
        floods = max(2, self.floods // built.SLOWER)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
            for number in range(floods):
                for instance in self.instances:
                    plug.sendto(wire.query(*self.question(f"{instance}{number}" if self.numbered() else instance)), ("127.0.0.1", port))
            plug.settimeout(1.2)
            until = time.monotonic() + 1.2
            for _ in range(floods * len(self.instances)):
                try:
                    plug.recv(65535)
                except OSError:
                    break
                if time.monotonic() > until:
                    break

    def numbered(self) -> bool:
        """May an instance have a number behind it and mean the same?"""
        return True

    def play(self, lane) -> dict:
        total, worst = None, None
        for instance in self.instances:
            answer, cost = lane.measure(lambda instance=instance: self.ask(lane, instance))
            self.judge(lane, instance, answer, cost)
            self.remembers(lane, instance)
            if worst is None or (cost.verifications + cost.hashes, cost.queries) > (worst.verifications + worst.hashes, worst.queries):
                worst = cost
            total = answer
        self.afterwards(lane)
        row = {"status": f"{total.get('security')} {total.get('outcome')}", **self.spent(worst)}
        row |= self.benign(lane)
        return row | self.other(lane)

    @staticmethod
    def spent(cost) -> dict:
        return {"queries": cost.queries, "verifications": cost.verifications, "hashes": cost.hashes, "milliseconds": cost.milliseconds}

    def remembers(self, lane, instance) -> None:
        """Everybody is silent: what is known is told, and nobody is asked for it."""
        lane.mute(True)
        try:
            answer, cost = lane.measure(lambda: Attack.ask(self, lane, instance))
        finally:
            lane.mute(False)
        lane.looks_at("cache")
        name = self.question(instance)[0][:60]
        self.judge_again(lane, name, instance, answer)
        lane.check(f"{name}: asked again, it costs at most {self.again} queries and no crypto",
                   cost.queries <= self.again and cost.verifications == 0 and cost.hashes == 0, cost)

    def accepted(self, instance) -> tuple:
        """Verdicts that the rule allows: mostly one."""
        return (tuple(self.expect(instance)[:2]),)

    def allowed(self, instance) -> str:
        return " or ".join(map(" ".join, self.accepted(instance)))

    def judge_again(self, lane, name, instance, answer):
        got = (answer.get("security"), answer.get("outcome"))
        lane.check(f"{name}: asked again, it is known: {self.allowed(instance)}", got in self.accepted(instance), (got, answer.get("reason")))

    def benign(self, lane) -> dict:
        return self.benign_beside(lane, lane.beside(self, MXTRUST_PORT, self.flood))

    def benign_beside(self, lane, stream) -> dict:
        """What those felt who asked for something else meanwhile."""
        lane.looks_at("others")
        lane.check("benign answers beside it are right, every one", len(stream.times) > ENOUGH and not stream.wrong,
                   f"{len(stream.wrong)} of {len(stream.times)}: {stream.wrong[:3]}")
        lane.check(f"benign answers beside it come within {self.most_p99} s (p99)", stream.p99() < self.most_p99, f"{stream.p99():.3f} s")
        return {"p99": stream.p99(), "baseline": lane.baseline}

    def other(self, lane) -> dict:
        """The same, shown to Unbound: told, not judged."""
        if not self.unbound:
            return {"unbound": self.why_not or "-"}
        before, used = lane.good.count(True) + lane.evil.count(True), lane.unbound.processor()
        said = []
        for instance in self.instances[:3]:
            reply = dig(UNBOUND_PORT, *self.question(instance), timeout=2.5)
            said.append("no answer" if reply is None else dns.rcode.to_text(reply.rcode()) + (" AD" if reply.flags & dns.flags.AD else ""))
        time.sleep(0.1)
        queries, spent = lane.good.count(True) + lane.evil.count(True) - before, lane.unbound.processor() - used
        stream = lane.beside(self, UNBOUND_PORT, self.flood)
        return {"unbound": ", ".join(dict.fromkeys(said)), "unbound_queries": round(queries / len(said)), "unbound_milliseconds": spent,
                "unbound_p99": stream.p99(), "unbound_baseline": lane.unbound_baseline, "unbound_wrong": len(stream.wrong)}


def ask_stream(port: int, octets: bytes, timeout=5.0) -> bytes:
    """One message over TCP; what came back, whole."""
    with socket.create_connection(("127.0.0.1", port), timeout) as plug:
        plug.sendall(wire.framed(octets))
        plug.settimeout(timeout)
        data = b""
        while len(data) < 2 or len(data) < 2 + struct.unpack("!H", data[:2])[0]:
            more = plug.recv(65535)
            if not more:
                break
            data += more
        return data[2:]


__all__ = ["Attack", "RR", "ask_stream", "dig", "wire", "world"]
