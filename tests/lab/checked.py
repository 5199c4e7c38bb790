"""Zones for `mxtrust check`: what a domain's DNS can have besides its mail decision (TLSRPT, MTA-STS, TTLs, preferences), and
hosts whose servers a test plays (tests/check). They are no rows of the table of mail decisions.

Hosts have addresses of loopback, 127.0.25.N, which every Linux has: whoever plays the server listens there.
"""

# Hosts with a server that a script plays: name → (last number of its address, TLSA records).
PLAYED = {}
# Domains with MTA-STS, and their web server's address (tests/sts/web.py).
STS_PLAYED = ("sts-good", "sts-testing", "sts-lacks", "sts-wrong-name", "sts-expired")
STS_RECORDS = '_mta-sts TXT "v=STSv1; id=20260101"\nmta-sts A 127.0.0.78\n'


def address(number):
    return f"127.0.25.{number}"


def play(world, name, *records, ttl=3600, more=""):
    """A domain with one MX host, its TLSA records, and everything else as it should be."""
    number = len(PLAYED) + 1
    PLAYED[name] = (number, records)
    world.zone(name, f"@ MX 0 mx\nmx A {address(number)}\n" + "".join(f"_25._tcp.mx {ttl} TLSA {one}\n" for one in records)
               + f'_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@{name}"\n' + more)


def build(world):
    PLAYED.clear()
    both = ("3 1 1 server", "3 1 1 stale")
    play(world, "well.check.nlx", "3 1 1 named", "3 1 1 stale")
    for name in ("garbage", "tls-cut", "tls-slow", "starttls-cut", "starttls-5xx", "injection", "endless", "long-line", "no-smtp",
                 "silent", "greeting-4xx", "greeting-5xx", "closed", "bomb", "no-certificate", "old-tls", "unreachable", "markup", "drip",
                 "certificate-flood"):
        play(world, f"{name}.check.nlx", *both)
    play(world, "two-keys.check.nlx", "3 1 1 server", "3 1 1 server-rsa")
    play(world, "second-key.check.nlx", *both)
    play(world, "future.check.nlx", "2 1 1 ca", "3 1 1 stale")
    play(world, "no-ca.check.nlx", "2 1 1 no-ca", "3 1 1 stale")
    play(world, "soon.check.nlx", "3 1 1 soon", "3 1 1 stale")
    play(world, "weak.check.nlx", "3 1 1 weak", "3 1 1 stale")
    play(world, "stale.check.nlx", *both, "3 1 1 expired")
    play(world, "full.check.nlx", "3 0 1 server", "3 1 2 stale")
    play(world, "slow-ttl.check.nlx", *both, ttl=172800)
    play(world, "plain.check.nlx")
    play(world, "plain-clear.check.nlx")
    play(world, "plain-broken.check.nlx")
    play(world, "unusable.check.nlx", "1 1 1 server")
    # MTA-STS: no TLSA records, and a policy at the web server that tests/check starts; its text is there, too.
    for name in STS_PLAYED:
        play(world, f"{name}.check.nlx", more=STS_RECORDS)
    world.zone("sts-no-mx.check.nlx", f'@ A {address(99)}\n_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@sts-no-mx.check.nlx"\n' + STS_RECORDS)
    # The operator's exceptions (tests/check/stage.py): for the host of the one, for the other as a whole.
    play(world, "exempt.check.nlx", *both)
    play(world, "held.check.nlx", *both)
    world.zone("reports.check.nlx", """
        @ MX 10 mx.dane-ee.nlx.
        _smtp._tls TXT "v=TLSRPTv1; rua=tls@reports.check.nlx"
        _mta-sts TXT "v=STSv1; id=20260101"
        """)
    world.zone("before.check.nlx", "@ MX 10 mx.well.check.nlx.\n@ MX 5 mx1.mailhost.nlx.\n")
    world.zone("after.check.nlx", "@ MX 0 mx.well.check.nlx.\n@ MX 30 mx1.mailhost.nlx.\n")
    world.zone("beside.check.nlx", "@ MX 10 mx.well.check.nlx.\n@ MX 10 mx1.mailhost.nlx.\n")
    world.zone("check.nlx", "@ TXT \"zones of tests/check\"\n")
