"""What one row of expected.table cannot tell: other settings, other ports, and deadlines that come too early."""

import json
import time

from lab import daemon as lab_daemon

# (settings, [(domain, policies in the order of preference, decision)]), written by hand from the rules.
SETTINGS = [
    ('insecure-mx = "may"', [
        ("unsigned-mx.comx", "may", "deliver may"),
        ("mixed-all.comx", "unreachable skip may may may may may", "deliver may"),  # TLSA is asked of none
        ("bogus-host.comx", "may", "deliver may"),
        ("to-dane.aliases.oldx", "may", "deliver may"),
        ("dane-ee.nlx", "dane", "deliver dane auth"),
        ("tlsa-bogus.nlx", "skip", "defer 4.7.324"),
        ("[smart.relay.nlx]:587", "dane", "deliver dane auth"),  # the client's own word is no insecure MX
        ("implicit-iterations.nlx", "dane", "deliver dane"),  # no MX record names this host
    ]),
    ("strict-null-mx = true", [
        ("null-mx-beside.nlx", "unreachable unreachable", "bounce 5.1.10"),
        ("null-mx-last.nlx", "unreachable unreachable", "bounce 5.1.10"),
        ("null-mx.nlx", "", "bounce 5.1.10"),
        ("dane-ee.nlx", "dane", "deliver dane auth"),
    ]),
    ("allow-mx-literals = true", [
        ("mx-literal.nlx", "may dane", "deliver dane-partial"),
        ("mx-literal-only.nlx", "may", "deliver may"),
        ("mx-literal-ipv6.nlx", "may dane", "deliver dane-partial"),
        ("null-mx-beside-bad.nlx", "unreachable may", "deliver may"),
    ]),
]
# domain -> what of its only host is late, and what is told of it then.
LATE = {"late-mx.nlx": (None, "defer 4.4.312"), "late-addresses.nlx": ("a aaaa", "defer 4.4.312"),
        "late-tlsa.nlx": ("tlsa", "defer 4.7.324")}
# Of a deadline, where the answer takes 1500: enough for all that is not late, on a machine with other work, too.
EARLY_MS = 1200
SLACK = 3.0
# What was late arrives without anybody waiting for it; servers that are slow get a second try or two before.
ARRIVED = 6.0


def in_short(answer):
    """(policies, decision) of an answer, or the error twice."""
    if "error" in answer:
        return str(answer["error"]), str(answer["error"])
    decision = answer["decision"]
    told = decision["code"].split()[0] if decision["code"] else decision["level"]
    auth = " auth" if decision["authenticated"] else ""
    return " ".join(host["policy"]["action"] for host in answer["hosts"]), f"{decision['action']} {told}{auth}"


def check_settings(state, report):
    for setting, rows in SETTINGS:
        with lab_daemon.Daemon(state, extra=f"\n[mail]\n{setting}\n") as daemon:
            for domain, policies, decision in rows:
                answer = daemon.ask({"query": "mail", "domain": domain})
                found = in_short(answer)
                wrong = [] if found == (policies, decision) else [f"expected {policies or '-'} → {decision}"]
                report(f"{setting}: {domain} → {found[0] or '-'} → {found[1]}", wrong)


def unanswered(answer, late):
    """What is wrong with an answer in which LATE has not come."""
    wrong = []
    statuses = [("mx", answer["mx"])] if late is None else [(which, answer["hosts"][0][which]) for which in late.split()]
    for which, status in statuses:
        if (status or {}).get("security") != "indeterminate" or status.get("outcome") != "failure" or not status.get("reason"):
            wrong.append(f"{which} is not indeterminate with a reason: {json.dumps(status)}")
    if late == "tlsa" and (answer["hosts"][0]["a"]["security"], answer["hosts"][0]["a"]["outcome"]) != ("secure", "records"):
        wrong.append("the addresses were there in time and are not in the answer")
    return wrong


def check_late(daemon, report):
    """The deadline is kept, what is not there is marked, and goes on being looked up for whoever asks next."""
    for domain, (late, decision) in LATE.items():
        # The way down is known, only what is late is not.
        daemon.ask({"query": "rrset", "name": domain, "type": "SOA"})
        begin = time.monotonic()
        answer = daemon.ask({"query": "mail", "domain": domain, "deadline_ms": EARLY_MS})
        seconds = time.monotonic() - begin
        found = in_short(answer)[1]
        wrong = [] if "error" in answer else unanswered(answer, late)
        wrong += [] if found == decision else [f"expected {decision}"]
        wrong += [] if seconds < EARLY_MS / 1000 + SLACK else [f"it took {seconds:.2f} s"]
        report(f"{domain} within {EARLY_MS} ms → {found}", wrong)
    time.sleep(ARRIVED)
    for domain in LATE:
        begin = time.monotonic()
        answer = daemon.ask({"query": "mail", "domain": domain, "deadline_ms": EARLY_MS})
        if domain == "late-mx.nlx" or in_short(answer)[1].startswith("defer"):
            # The MX answer arrived, its hosts were asked by this question only.
            answer = daemon.ask({"query": "mail", "domain": domain})
        found = in_short(answer)[1]
        seconds = time.monotonic() - begin
        wrong = [] if found == "deliver dane auth" else [f"expected deliver dane auth: {answer.get('decision')}"]
        wrong += [] if seconds < EARLY_MS / 1000 + SLACK else [f"it took {seconds:.2f} s"]
        report(f"{domain} a moment later → {found}", wrong)


def check_ports(daemon, report):
    """The port beside the domain says the same as the port behind it, and the domain keeps its name."""
    for domain, port, policies, tlsa in (("tlsa-port-587.nlx", 587, "dane", "_587._tcp.mx.tlsa-port-587.nlx"),
                                         ("tlsa-port-587.nlx", 25, "may", "_25._tcp.mx.tlsa-port-587.nlx"),
                                         ("[smart.relay.nlx]", 587, "dane", "_587._tcp.smart.relay.nlx"),
                                         ("[smart.relay.nlx]:587", 25, "dane", "_587._tcp.smart.relay.nlx")):
        answer = daemon.ask({"query": "mail", "domain": domain, "port": port})
        found = in_short(answer)[0]
        wrong = [] if found == policies else [f"expected {policies}"]
        if (answer.get("domain"), answer["hosts"][0]["tlsa"]["name"]) != (domain, tlsa):
            wrong.append(f"domain {answer.get('domain')}, TLSA at {answer['hosts'][0]['tlsa']['name']}, expected {tlsa}")
        report(f"{domain}, port {port} → {found}", wrong)
