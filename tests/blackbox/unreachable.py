"""A world in which no name server can be reached: everything fails, nothing is believed, and in time."""
import time

import dns.flags
import dns.message
import dns.query
import dns.rcode

from lab.daemon import Daemon

# Nobody listens at that port: every name server is unreachable. (Discard: with the first, ICMP says so; silence is the lab's silent.nlx.)
NOBODY = "authority-port = 9\n"
DEADLINE_MS = 3000
SLACK = 3.0         # seconds that a loaded machine may add
ENDINGS = 10


def run(state, tally) -> None:
    """A daemon of its own, with nothing in its cache."""
    with Daemon(state, extra=NOBODY) as daemon:
        for domain in ("dane-ee.nlx", "unsigned.nlx", "nosuch.nlx", "null-mx.nlx", "nowhere.at-all"):
            started = time.monotonic()
            answer = daemon.ask({"query": "mail", "domain": domain, "deadline_ms": DEADLINE_MS})
            took = time.monotonic() - started
            decision, mx = answer["decision"], answer["mx"]
            tally.check(f"unreachable world: {domain} is deferred with 4.4.312", decision["action"] == "defer" and
                        (decision["code"] or "").startswith("4.4.312"), decision)
            tally.check(f"unreachable world: {domain} is indeterminate, with a reason", mx["security"] == "indeterminate" and
                        mx["outcome"] == "failure" and bool(mx["reason"]), mx)
            tally.check(f"unreachable world: {domain} is answered within its deadline", took < DEADLINE_MS / 1000 + SLACK, f"{took:.1f} s")
            tally.check(f"unreachable world: {domain} comes with a time for the next look", (decision["retry_after"] or 0) > 0, decision)
        for name, qtype in (("dane-ee.nlx", "MX"), ("nosuch.nlx", "A"), (".", "NS")):
            started = time.monotonic()
            reply = dns.query.udp(dns.message.make_query(name, qtype, want_dnssec=True), "127.0.0.1", timeout=20, port=daemon.dns_port)
            tally.check(f"unreachable world: {name} {qtype} is SERVFAIL without AD, within 5 s",
                        reply.rcode() == dns.rcode.SERVFAIL and not reply.flags & dns.flags.AD and time.monotonic() - started < 5 + SLACK,
                        reply.to_text())
        status = daemon.ask({"query": "status"})
        tally.check("status says that the root is not secure", status["health"] != "good", status.get("health"))
        tally.check("the daemon lives on", daemon.alive(), daemon.log_tail())
        tally.check("and ends properly", daemon.stop() == 0, daemon.log_tail())
    endings(state, tally)


def endings(state, tally) -> None:
    """Told to end in the moment in which it first answers, it puts in order what was begun."""
    found = []
    for _ in range(ENDINGS):
        with Daemon(state, extra=NOBODY) as daemon:
            found.append(daemon.stop())
            left = daemon.socket_path.exists()
        tally.check("ended as soon as it answers, it takes its socket away", not left)
    tally.check("ended as soon as it answers, it ends properly", set(found) == {0}, found)
