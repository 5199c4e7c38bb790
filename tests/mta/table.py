"""expected.tsv: what an MTA does with mail for a destination, by door; and what disagrees with it."""
import pathlib
import re

from mta import place

HERE = pathlib.Path(__file__).resolve().parent
# Door: whose log tells the outcome. "postfix" in the table is all doors of Postfix, "exim" both of Exim.
DOORS = ("postfix-dns", "postfix-socketmap", "postfix-tlsrpt", "postfix-3.10-dns", "exim-dns", "exim-readsocket")
# Destinations that are no mail domains: mail for these domains goes to a next-hop that the operator named.
ROUTED = {"[smart.relay.nlx]:587": "smart-587.test", "[smart.relay.nlx]": "smart.test", "[bare.relay.nlx]": "bare.test",
          "[192.0.2.1]": "literal.test", "[mx.dane-ee-stale.nlx]": "stale.test"}


class Row:
    def __init__(self, destination, door, status, word, receiver, expression):
        self.destination, self.door, self.status, self.word = destination, door, status, word
        self.receiver, self.expression = receiver, expression

    def with_(self, **changed):
        return Row(**{**vars(self), **changed})

    @property
    def domain(self):
        return ROUTED.get(self.destination, self.destination)

    @property
    def recipient(self):
        return f"{self.door}@{self.domain}"


def doors_of(words):
    wanted = words.split(",")
    return [door for door in DOORS if door in wanted or door.split("-")[0] in wanted or "all" in wanted]


def read(doors):
    """The rows for DOORS; an error where a row can't be meant."""
    rows = []
    for line in (HERE / "expected.tsv").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        fields = re.split(r"\t+", line)
        if len(fields) != 6:
            raise place.MtaError(f"expected.tsv: not six fields: {line}")
        destination, words, status, word, receiver, expression = fields
        if not doors_of(words):
            raise place.MtaError(f"expected.tsv: {destination}: no such door: {words}")
        if (receiver == "-") != (status != "sent"):
            raise place.MtaError(f"expected.tsv: {destination}: what is sent arrives somewhere, and nothing else does")
        rows += [Row(destination, door, status, word, receiver, expression) for door in doors_of(words)]
    seen = [(row.destination, row.door) for row in rows]
    if len(seen) != len(set(seen)):
        raise place.MtaError("expected.tsv: a destination has two rows for one door")
    return [row for row in rows if row.door in doors]


def places(row, addresses):
    """The (address, port, TLS) at which the message may arrive."""
    if row.receiver == "-":
        return []
    where, transport = row.receiver.split("/")
    host, _, port = where.partition(":")
    host = row.destination if host == "@" else host if "." in host else f"{host}.{row.destination}"
    return [(address, int(port or 25), transport) for address in addresses[host]]


def disagreements(row, found, arrived, addresses):
    """FOUND: the sender's (status, word, log), or None; ARRIVED: [(address, port, TLS)] of the receivers."""
    if found is None:
        return ["no outcome in time"]
    wrong = []
    if found[0] != row.status:
        wrong.append(f"is {found[0]}, must be {row.status}")
    if found[1] != row.word:
        wrong.append(f"is {found[1]}, must be {row.word}")
    # Names come in the case in which the name server sent them.
    if not re.search(row.expression, found[2], re.IGNORECASE):
        wrong.append(f"does not say /{row.expression}/")
    allowed = places(row, addresses)
    if len(arrived) != (1 if allowed else 0):
        wrong.append(f"has arrived {len(arrived)} times")
    wrong += [f"has arrived at {at}, must only at {row.receiver}" for at in arrived if at not in allowed]
    if wrong:
        wrong.append(f"said: {found[2]}")
    return wrong


def spoiled(row):
    """The row with one thing after the other wrong: each must be noticed."""
    yield row.with_(status="bounced" if row.status != "bounced" else "deferred", receiver="-")
    if row.status != "sent":
        yield row.with_(status="sent", receiver="mx1.mailhost.nlx/tls")
    yield row.with_(word="spoiled")
    yield row.with_(expression="nobody says this")
    if row.receiver != "-":
        yield row.with_(receiver="mx2.plainhost.nlx/tls")
        where, transport = row.receiver.split("/")
        yield row.with_(receiver=f"{where}/{'clear' if transport == 'tls' else 'tls'}")


def unnoticed(row, found, arrived, addresses):
    """(tried, those that nobody would notice)"""
    tried = list(spoiled(row))
    blind = [one for one in tried if not disagreements(one, found, arrived, addresses)]
    if not disagreements(row, None, arrived, addresses):
        blind.append(row)
    return len(tried) + 1, blind
