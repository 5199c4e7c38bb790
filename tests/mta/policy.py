"""The Postfix socket from outside, the words of a policy in real Postfixes, Exim's ACL, and what the status counts of them."""
import time

from mta import exim, place, postfix
from mta.socketmap import Client, FixedServer, netstring

# request → what the reply begins with, by hand from the tables of PROTOCOL.md; "=" is the whole reply
REPLIES = [
    ("policy dane-ee.nlx", "=OK dane-only"),
    ("policy DANE-EE.nlx.", "=OK dane-only"),
    ("policy-tlsrpt dane-ee.nlx", "=OK dane-only"),
    ("policy bücher.nlx", "=OK dane-only"),
    ("policy xn--bcher-kva.nlx", "=OK dane-only"),
    ("policy [smart.relay.nlx]:587", "=OK dane-only"),
    ("policy [smart.relay.nlx]:submission", "=OK dane-only"),
    ("policy alias-secure.nlx", "=OK dane-only"),
    ("policy implicit.nlx", "=OK dane-only"),
    ("policy many-mx.nlx", "=OK dane-only"),
    ("policy unsigned-mx.comx", "=OK dane"),
    ("policy best-without-tlsa.nlx", "=OK dane"),
    ("policy first-tlsa-bogus.nlx", "=OK dane"),
    ("policy unreachable-and-dane.nlx", "=OK dane"),
    ("policy tlsa-pkix-only.nlx", "=OK dane"),
    ("policy tlsa-bogus.nlx", "=OK dane"),
    ("policy skip-bogus-first.nlx", "=OK dane"),
    ("policy dane-ee.nlx:msa", "=OK dane"),
    ("policy ☃.nlx", "=OK dane"),
    ("policy no-tlsa.nlx", "=NOTFOUND "),
    ("policy plain.oldx", "=NOTFOUND "),
    ("policy host-tlsa-broken.nlx", "=NOTFOUND "),
    ("policy null-mx.nlx", "=NOTFOUND "),
    ("policy null-mx.oldx", "=NOTFOUND "),
    ("policy nosuch.nlx", "=NOTFOUND "),
    ("policy nosuch.oldx", "=NOTFOUND "),
    ("policy hosts-nxdomain.nlx", "=NOTFOUND "),
    ("policy [smart.relay.nlx]", "=NOTFOUND "),
    ("policy [bare.relay.nlx]", "=NOTFOUND "),
    ("policy [192.0.2.1]:25", "=NOTFOUND "),
    ("policy [IPv6:2001:db8:25::1]", "=NOTFOUND "),
    ("policy .dane-ee.nlx", "=NOTFOUND "),
    ("policy .nlx", "=NOTFOUND "),
    ("policy-tlsrpt .nlx", "=NOTFOUND "),
    ("policy dane..nlx", "=NOTFOUND "),
    ("policy /run/lmtp", "=NOTFOUND "),
    ("policy a\0.nlx", "=NOTFOUND "),
    ("policy mx-corrupt.nlx", "TEMP 4.7.324 dnssec-invalid: "),
    ("policy gone.nxdomain-bogus.nlx", "TEMP 4.7.324 dnssec-invalid: "),
    ("policy mx-servfail.nlx", "TEMP 4.4.312 DNS query failed: "),
    ("policy mx-servfail.oldx", "TEMP 4.4.312 DNS query failed: "),
    ("other dane-ee.nlx", "PERM there is no map "),
    ("policy", "PERM a socketmap request is "),
]
KINDS = {"=OK dane-only": "postfix_dane_only", "=OK dane": "postfix_dane", "=NOTFOUND ": "postfix_not_found",
         "TEMP": "postfix_temp", "PERM": "postfix_perm"}
# What mxtrust says for an MTA-STS policy (a test of the unit says the same), here for a domain whose server has a
# certificate of the lab's authority with the domain's own name.
STS_DOMAIN = "dane-ta-nexthop-name.nlx"
PLAIN = f"OK secure servername=hostname match={STS_DOMAIN} match=.example.net"
LINES = ("version: STSv1", "mode: enforce", f"mx: {STS_DOMAIN}", "mx: *.example.net", "max_age: 86400")
REPORTED = (f"{PLAIN} policy_type=sts policy_domain={STS_DOMAIN}" + "".join(f" {{ policy_string = {line} }}" for line in LINES)
            + f" mx_host_pattern={STS_DOMAIN} mx_host_pattern=*.example.net")
SUBMITTED = [("dane-ee.nlx", "250 "), ("plain.oldx", "250 "), ("mx-corrupt.nlx", "451 4.7.324 the MX records"),
             ("tlsa-bogus.nlx", "451 4.7.324 no host can be used now"), ("null-mx.nlx", "550 5.1.10 "), ("nosuch.nlx", "550 5.1.2 ")]
TIMEOUT = 90.0


def is_right(reply, wanted):
    return reply is not None and (reply == wanted[1:] if wanted.startswith("=") else reply.startswith(wanted))


def compare(replies):
    return [f"{request!r}: {reply!r}, must be {wanted!r}"
            for (request, wanted), reply in zip(REPLIES, replies) if not is_right(reply, wanted)]


def pipelined(path):
    """All requests in one go, then the end: all replies, in order, then the end."""
    client = Client(path)
    client.write(b"".join(netstring(request) for request, _ in REPLIES))
    client.end()
    replies = [client.reply() for _ in REPLIES]
    wrong = compare(replies)
    if client.reply() is not None:
        wrong.append("there is more than was asked for")
    client.close()
    return wrong


def one_by_one(path):
    """On one connection, which stays open; octet by octet every third time."""
    client = Client(path)
    replies = []
    for number, (request, _) in enumerate(REPLIES):
        framed = netstring(request)
        for octets in [framed] if number % 3 else [framed[at:at + 1] for at in range(len(framed))]:
            client.write(octets)
        replies.append(client.reply())
    client.close()
    return compare(replies)


def broken(path):
    """What cannot be framed ends the connection, after what was asked before is answered; and only that connection."""
    wrong = []
    for rubbish in (b"99999:", b"GET / HTTP/1.0\r\n\r\n", b"01:a,", b"3:abcd,"):
        client = Client(path)
        client.write(netstring("policy dane-ee.nlx") + rubbish)
        replies = [client.reply(), client.reply()]
        if replies != ["OK dane-only", None]:
            wrong.append(f"{rubbish!r}: {replies}")
        client.close()
    longest = Client(path)
    reply = longest.ask("policy " + "a" * (10_000 - len("policy ")))
    if reply != "NOTFOUND ":
        wrong.append(f"the longest request: {reply!r}")
    longest.close()
    return wrong


def doors(daemon):
    return daemon.ask({"query": "status"})["doors"]


def counted(daemon, path):
    """The status tells of each request, and of each reply by kind. Other workers tell once a second."""
    before = daemon.at_rest()["doors"]
    wrong = one_by_one(path)
    expected = {"postfix_requests": len(REPLIES), "postfix_connections": 1}
    for _, wanted in REPLIES:
        kind = next(name for prefix, name in KINDS.items() if wanted == prefix or (prefix[0] != "=" and wanted.startswith(prefix)))
        expected[kind] = expected.get(kind, 0) + 1
    for word in ("dane-ee.nlx", "mx-corrupt.nlx", "null-mx.nlx", "nosuch.nlx"):
        daemon.ask(f"decide {word}")
    expected.update({"query_decide_deliver": 1, "query_decide_defer": 1, "query_decide_bounce": 2})
    deadline = time.monotonic() + 30.0
    while True:
        after = doors(daemon)
        grown = {key: after[key] - before[key] for key in expected}
        if grown == expected or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    return wrong + [f"{key} grew by {grown[key]}, must by {expected[key]}" for key in expected if grown[key] != expected[key]]


def words(on, name, reply, programs):
    """What a Postfix makes of a policy's words: (outcome, its log)."""
    path = on.folder / f"{name}.sock"
    server = FixedServer(path, reply)
    on.begin(server)
    sender = on.begin(postfix.sender(
        on.folder / name, on.lines("postfix-socketmap.cf"), programs=programs, smtp_tls_policy_maps=f"socketmap:unix:{path}:policy",
        smtp_tls_CAfile=on.state / "pki/ca.crt"))
    recipient = f"{name}@{STS_DOMAIN}"
    sender.send(recipient)
    place.wait_for(f"an outcome of {recipient}", lambda: sender.outcome(recipient), TIMEOUT, [sender.running])
    return sender.outcome(recipient), sender.text()


def check_words(on, report):
    old, new = place.TOOLS, place.NEWER
    found, _ = words(on, "sts-3.7", PLAIN, old)
    report("Postfix 3.7 takes the policy of the map policy", [] if found[:2] == ("sent", "verified") else [str(found)])
    found, log = words(on, "sts-3.7-reported", REPORTED, old)
    right = found[:2] == ("deferred", "4.7.5") and 'invalid attribute name: "policy_type"' in log
    report("Postfix 3.7 cannot take that of policy-tlsrpt: hence two maps", [] if right else [str(found)])
    if new.exists():
        found, _ = words(on, "sts-3.10", REPORTED, new)
        report("Postfix 3.10 takes the policy of the map policy-tlsrpt", [] if found[:2] == ("sent", "verified") else [str(found)])
        found, _ = words(on, "sts-3.10-other", REPORTED.replace(f"match={STS_DOMAIN}", "match=other.example"), new)
        right = found[:2] == ("deferred", "4.7.5") and "not verified" in found[2]
        report("and holds back mail for a server with another name", [] if right else [str(found)])


def check_submission(on, report):
    replies = exim.submit(on.folder / "exim-submission", on.lines("exim-acl.conf"), [f"somebody@{domain}" for domain, _ in SUBMITTED])
    for domain, wanted in SUBMITTED:
        reply = replies[f"somebody@{domain}"]
        report(f"submission by Exim for {domain}: {reply[:60]}", [] if reply.startswith(wanted) else [f"must begin with {wanted}"])


def run(on, report):
    path = on.daemon.folder / "postfix.sock"
    report(f"{len(REPLIES)} socketmap requests at once, then the end", pipelined(path))
    report("the same one by one, in any pieces", one_by_one(path))
    report("broken framing costs its connection only", broken(path))
    report("the doors' counters", counted(on.daemon, path))
    check_words(on, report)
    check_submission(on, report)
