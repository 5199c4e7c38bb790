"""More mail domains: what the rules say where two of them meet.

The domains of `domains.py` follow the list of cases; these are what nobody listed: aliases of every kind of domain, one
family that fails in every way, mixtures of hosts, other ports, names at the edge of what a name can be. Nothing is
delivered to them, so their hosts share one address.
"""

from lab.model import rule


def host(*names):
    return "".join(f"{name} A 192.0.2.252\n{name} AAAA 2001:db8:25::252\n" for name in names)


HOST = "@ MX 10 mx\n" + host("mx")
DANE = HOST + "TLSA mx 3 1 1 server\n"


def domain_aliases(world):
    """The domain itself is an alias: of every kind of domain, over every kind of link."""
    world.zone("nicknames.nlx", """
        to-implicit CNAME implicit.nlx.
        to-nothing CNAME gone.dane-ee.nlx.
        to-null CNAME null-mx.nlx.
        to-bogus CNAME mx-corrupt.nlx.
        to-failing CNAME mx-servfail.nlx.
        to-unsigned-alias CNAME to-dane.aliases.oldx.
        falsely-signed CNAME dane-ee.nlx.
        circle CNAME circle2
        circle2 CNAME circle
        """, sigs={"falsely-signed CNAME": "corrupt"})
    world.zone("nicknames.oldx", "to-implicit CNAME implicit.nlx.\nto-nothing CNAME gone.dane-ee.nlx.\n", algorithm=0)
    name = world.name
    name("to-implicit.nicknames.nlx", "44", "signed alias of a domain without MX, which is its own host")
    name("to-implicit.nicknames.oldx", "44", "unsigned alias of a domain without MX")
    name("to-nothing.nicknames.nlx", "48", "signed alias of a domain that does not exist")
    name("to-nothing.nicknames.oldx", "48", "unsigned alias of a domain that does not exist")
    name("to-null.nicknames.nlx", "42", "alias of a domain with a null MX")
    name("to-bogus.nicknames.nlx", "38", "alias of a domain with bogus MX")
    name("to-failing.nicknames.nlx", "table", "alias of a domain whose MX fails")
    name("to-unsigned-alias.nicknames.nlx", "table", "signed alias of an unsigned alias of a DANE domain")
    name("falsely-signed.nicknames.nlx", "38", "the signature of the alias does not verify")
    name("circle.nicknames.nlx", "29", "the domain is an alias that runs in a circle")


def host_aliases(world):
    mail = world.mail
    start, initial = "@ MX 10 mx\n", "TLSA mx 3 1 1 server\n"
    mail("alias-initial-bogus.nlx", "26", "no TLSA at the target, bogus at the alias",
         start + initial + "mx CNAME mx1.plainhost.nlx.", sigs={"_25._tcp.mx TLSA": "corrupt"})
    mail("alias-unsigned-bogus.nlx", "27", "signed alias of an unsigned host, TLSA at the alias is bogus",
         start + initial + "mx CNAME mx1.legacy.oldx.", sigs={"_25._tcp.mx TLSA": "corrupt"})
    mail("alias-unsigned-later.nlx", "27", "two signed aliases, then an unsigned host; TLSA at the first alias",
         start + initial + "mx CNAME middle\nmiddle CNAME mx1.legacy.oldx.")
    mail("alias-to-island.nlx", "27", "signed alias of a host on an unsigned island; TLSA at the alias",
         start + initial + "mx CNAME mx.island.bighost.nlx.")
    mail("alias-through-unsigned.nlx", "27", "signed alias of an unsigned alias of a DANE host, no TLSA at the first",
         start + "mx CNAME mx.aliases.oldx.")
    mail("alias-through-unsigned-tlsa.nlx", "27", "the same with TLSA at the first alias",
         start + initial + "mx CNAME mx.aliases.oldx.")
    mail("alias-falsely-signed.nlx", "22", "the signature of the host's CNAME does not verify",
         start + initial + "mx CNAME mx1.mailhost.nlx.", sigs={"mx CNAME": "corrupt"})
    mail("alias-to-bogus.nlx", "22", "alias of a host with bogus addresses; TLSA at the alias",
         start + initial + "mx CNAME mx.addresses-bogus.nlx.")
    mail("alias-to-failing.nlx", "22", "alias of a host whose addresses fail; TLSA at the alias",
         start + initial + "mx CNAME mx.addresses-servfail.nlx.")
    mail("alias-to-pkix.nlx", "24", "the target's TLSA cannot be used, the alias' can: the target's decides",
         start + initial + "mx CNAME mx.tlsa-pkix-only.nlx.")
    mail("alias-to-tlsa-unsigned.nlx", "25", "the target's TLSA name leads into an unsigned zone, the alias has TLSA",
         start + initial + "mx CNAME mx.tlsa-cname-unsigned.nlx.")
    mail("alias-to-optout.nlx", "25", "the target's TLSA is denied by opt-out, the alias has TLSA",
         start + initial + "mx CNAME mx.tlsa-optout.nlx.")


def families(world):
    """A and AAAA, each in its own trouble."""
    def scripted(name, case, about, *rules, records=DANE, **options):
        world.mail(name, case, about, records, servers="scripted", rules=list(rules), **options)

    mail = world.mail
    four, six = "@ MX 10 mx\nmx A 192.0.2.252\n", "@ MX 10 mx\nmx AAAA 2001:db8:25::252\n"
    tlsa = "TLSA mx 3 1 1 server\n"
    mail("aaaa-bogus-alone.nlx", "22", "no A, AAAA bogus", six + tlsa, sigs={"mx AAAA": "corrupt"})
    mail("a-bogus-alone.nlx", "22", "A bogus, no AAAA", four + tlsa, sigs={"mx A": "corrupt"})
    scripted("aaaa-servfail-alone.nlx", "46", "no A, AAAA gets SERVFAIL", rule("rcode", type="AAAA", name="mx", argument="SERVFAIL"),
             records=six + tlsa)
    scripted("aaaa-dropped.nlx", "46", "A fine, AAAA is never answered", rule("drop", type="AAAA", name="mx"))
    scripted("aaaa-servfail.oldx", "46", "unsigned: A fine, AAAA gets SERVFAIL", rule("rcode", type="AAAA", name="mx", argument="SERVFAIL"),
             algorithm=0, records=HOST)
    scripted("a-servfail-alone.oldx", "46", "unsigned: A gets SERVFAIL, no AAAA", rule("rcode", type="A", name="mx", argument="SERVFAIL"),
             algorithm=0, records=four)
    scripted("addresses-servfail.oldx", "table", "unsigned: A and AAAA get SERVFAIL",
             rule("rcode", type=["A", "AAAA"], name="mx", argument="SERVFAIL"), algorithm=0, records=HOST)
    scripted("a-bogus-aaaa-servfail.nlx", "22", "A bogus, AAAA gets SERVFAIL", rule("rcode", type="AAAA", name="mx", argument="SERVFAIL"),
             sigs={"mx A": "corrupt"})
    scripted("late-mx.nlx", "37", "MX takes 1.5 s", rule("delay", type="MX", argument=1500))
    scripted("late-addresses.nlx", "37", "addresses take 1.5 s", rule("delay", type=["A", "AAAA"], name="mx", argument=1500))
    scripted("late-tlsa.nlx", "37", "TLSA takes 1.5 s", rule("delay", type="TLSA", argument=1500))


def mixtures(world):
    """Domains with hosts of different worth."""
    mail = world.mail

    def hosts(*names):
        return "".join(f"@ MX {10 * n} {name}\n" for n, name in enumerate(names, 1))

    dane, encrypt, plain, unsigned = "mx1.mailhost.nlx.", "mx.tlsa-pkix-only.nlx.", "mx1.plainhost.nlx.", "mx1.legacy.oldx."
    bogus, failing, absent = "mx.tlsa-bogus.nlx.", "mx.addresses-servfail.nlx.", "gone.plainhost.nlx."
    mail("mixed-dane-encrypt.nlx", "23", "one DANE host, one with unusable TLSA", hosts(dane, encrypt))
    mail("mixed-encrypt-may.nlx", "23", "one host with unusable TLSA, one without", hosts(encrypt, plain))
    mail("mixed-encrypt-skip.nlx", "21", "one host with bogus TLSA, one with unusable TLSA", hosts(bogus, encrypt))
    mail("mixed-may-skip.nlx", "21", "one host with bogus TLSA, one unsigned", hosts(bogus, unsigned))
    mail("mixed-may-unreachable.nlx", "47", "one host that does not exist, one unsigned", hosts(absent, unsigned))
    mail("mixed-skip-unreachable.nlx", "47", "one host that does not exist, one that fails", hosts(absent, failing))
    mail("mixed-all.nlx", "23", "hosts of every kind", hosts(absent, failing, bogus, unsigned, plain, encrypt, dane))
    mail("mixed-all.comx", "18", "the same, unsigned", hosts(absent, failing, bogus, unsigned, plain, encrypt, dane),
         algorithm=0, ds="none")
    mail("bogus-host.comx", "18", "unsigned domain, its only host has bogus TLSA", hosts(bogus), algorithm=0, ds="none")


def tlsa_names(world):
    mail = world.mail
    mail("tlsa-circle.nlx", "30", "the TLSA name is an alias that runs in a circle",
         HOST + "_25._tcp.mx CNAME x\nx CNAME _25._tcp.mx")
    mail("tlsa-wildcard-alias.nlx", "32", "a wildcard alias leads to the shared TLSA record",
         HOST + "*._tcp.mx CNAME _dane.mailhost.nlx.")
    mail("tlsa-wildcard-host.nlx", "32", "the wildcard stands above _tcp", HOST + "*.mx TLSA 3 1 1 server")
    mail("tlsa-port-587.nlx", "table", "TLSA at port 587 only", HOST + "_587._tcp.mx TLSA 3 1 1 server")
    world.name("tlsa-port-587.nlx:587", "table", "mail domain with a port: MX is asked, TLSA at port 587")
    world.name("dane-ee.nlx:587", "table", "mail domain with a port where nothing is published")
    world.name("tlsa-wildcard.nlx:465", "32", "wildcard TLSA answers for any port")
    label = "a" * 63
    # 255 octets, the most that a name can have: there is no room for _25._tcp.
    longest = f"{label}.{label}.{label}.{'b' * 46}"
    mail("long-host.nlx", "table", "the host's name is so long that no TLSA name fits before it",
         f"@ MX 10 {longest}\n" + host(longest))


def more_mx(world):
    mail = world.mail
    good = host("mx") + "TLSA mx 3 1 1 server\n"
    mail("null-mx-twice.nlx", "42", "two null MX of different preference say the same", "@ MX 0 .\n@ MX 10 .")
    mail("null-mx-last.nlx", "43", "a null MX less preferred than a real host", "@ MX 10 mx\n@ MX 50 .\n" + good)
    mail("null-mx-beside-bad.nlx", "43", "a null MX beside what is no host name", "@ MX 0 .\n@ MX 10 192.0.2.1.\n")
    mail("mx-self.nlx", "table", "the domain names itself as its MX host", "@ MX 10 @\n" + host("@") + "TLSA @ 3 1 1 server")
    mail("mx-literal-ipv6.nlx", "table", "an IPv6 address as MX host, beside a host name",
         "@ MX 5 2001:db8:25::1.\n@ MX 10 mx\n" + good)
    mail("mx-hyphen.nlx", "table", "an MX host whose name begins with a hyphen, beside a good one",
         "@ MX 5 -bad\n@ MX 10 mx\n" + host("-bad") + good)
    mail("mx-of-tld.nlx", "table", "a TLD as MX host", "@ MX 10 nlx.")
    mail("implicit-iterations.nlx", "44", "no MX, and 200 NSEC3 iterations: nothing proves it; TLSA at the domain",
         host("@") + "TLSA @ 3 1 1 server", denial="nsec3", iterations=200)
    mail("implicit-bogus.nlx", "44", "no MX, and the TLSA record of the domain is bogus",
         host("@") + "TLSA @ 3 1 1 server", sigs={"_25._tcp TLSA": "corrupt"})
    world.name("nlx", "table", "a domain of one label: a TLD without MX and address")
    world.name("oldx", "table", "the same, unsigned")


def next_hops(world):
    world.name("[smart.relay.nlx]", "table", "next-hop in brackets; TLSA at another port does not count")
    world.name("[gone.relay.nlx]", "table", "next-hop in brackets that does not exist")
    world.name("[mx1.legacy.oldx]", "table", "next-hop in brackets, unsigned")
    world.name("[mx.alias-secure.nlx]", "24", "next-hop in brackets is an alias of a DANE host")
    world.name("[mx.tlsa-bogus.nlx]", "21", "next-hop in brackets with bogus TLSA")
    world.name("[192.0.2.1]:2525", "table", "next-hop is an IPv4 address with a port")
    world.name("[IPv6:2001:db8:25::1]", "table", "next-hop is an IPv6 address")


def borrowed(world):
    """One host elsewhere, in a zone that is out of order as a whole, beside a good one: the zone's fault is that host's alone."""
    def beside(domain, about, bad, case="22", **options):
        world.mail(domain, case, about, f"@ MX 10 {bad}\n@ MX 20 mx1.mailhost.nlx.\n", **options)

    beside("host-zone-expired.nlx", "the first of two hosts is in a zone whose signatures have all expired", "mx.zone-expired.nlx.")
    beside("host-zone-mismatch.nlx", "the first of two hosts is in a zone whose DS matches no key", "mx.ds-mismatch.nlx.")
    beside("host-zone-silent.nlx", "the first of two hosts is in a zone whose servers are silent", "mx.silent.nlx.", case="37")
    beside("host-zone-lame.nlx", "the first of two hosts is in a zone that no server serves", "mx.lame.nlx.", case="37")
    beside("host-zone-keys-dropped.nlx", "the first of two hosts is in a zone whose keys cannot be had", "mx.keys-dropped.nlx.", case="37")
    beside("host-zone-unsupported.nlx", "the first of two hosts is in a zone of an algorithm that nobody supports", "mx.algorithm-unsupported.nlx.", case="40")
    beside("host-tld-unknown.nlx", "the first of two hosts is in a TLD that does not exist", "mx.example.gone.", case="47")
    beside("host-zone-expired.oldx", "the same as the first, in an unsigned domain", "mx.zone-expired.nlx.", algorithm=0, ds="none")
    world.mail("alias-to-unsupported.nlx", "27", "signed alias of a host in a zone of an algorithm that nobody supports; TLSA at the alias",
               "@ MX 10 mx\nTLSA mx 3 1 1 server\nmx CNAME mx.algorithm-unsupported.nlx.")
    world.mail("alias-to-expired.nlx", "22", "alias of a host in a zone whose signatures have all expired; TLSA at the alias",
               "@ MX 10 mx\nTLSA mx 3 1 1 server\nmx CNAME mx.zone-expired.nlx.")


def redirected(world):
    """DNAME and wildcards where the list of cases has CNAME and names of their own."""
    mail = world.mail
    good = host("mx.new") + "TLSA mx.new 3 1 1 server\n"
    mail("alias-dname-own.nlx", "24", "MX host below a DNAME that leads to another branch of its own zone", "@ MX 10 mx.old\nold DNAME new\n" + good)
    mail("alias-dname-twice.nlx", "24", "MX host below a DNAME that leads below another DNAME",
         "@ MX 10 mx.older\nolder DNAME old\nold DNAME new\n" + good)
    mail("alias-dname-unsigned.nlx", "27", "MX host below a DNAME into an unsigned zone; the initial name can have no TLSA",
         "@ MX 10 mx1.away\naway DNAME legacy.oldx.")
    mail("alias-dname-corrupt.nlx", "22", "the signature of the DNAME above the MX host does not verify",
         "@ MX 10 mx.old\nold DNAME new\n" + good, sigs={"old DNAME": "corrupt"})
    mail("alias-dname-nothing.nlx", "47", "MX host below a DNAME that leads to nothing", "@ MX 10 gone.old\nold DNAME new\n" + good)
    mail("tlsa-dname.nlx", "30", "the TLSA name lies below a DNAME to a DANE host's", HOST + "_tcp.mx DNAME _tcp.mx1.mailhost.nlx.")
    mail("tlsa-dname-unsigned.nlx", "31", "the TLSA name lies below a DNAME into an unsigned zone", HOST + "_tcp.mx DNAME _tcp.mx.plain.oldx.")
    mail("alias-wildcard.nlx", "24", "the MX host is a wildcard alias of a DANE host", "@ MX 10 any.hosts\n*.hosts CNAME mx1.mailhost.nlx.")
    mail("alias-wildcard.dex", "24", "the same with NSEC3", "@ MX 10 any.hosts\n*.hosts CNAME mx1.mailhost.nlx.", denial="nsec3", algorithm=8)
    mail("host-wildcard.nlx", "32", "the MX host's addresses and TLSA come from one wildcard",
         "@ MX 10 any\n" + host("*") + "* TLSA 3 1 1 server")
    mail("host-wildcard.dex", "32", "the same with NSEC3, a label deeper", "@ MX 10 any.hosts\n" + host("*.hosts") + "*.hosts TLSA 3 1 1 server",
         denial="nsec3", algorithm=8)
    mail("tlsa-wildcard-blocked.nlx", "33", "the wildcard TLSA does not reach below _tcp, which is there",
         HOST + "*.mx TLSA 3 1 1 server\n_tcp.mx TXT here")
    mail("mx-wildcard-unsigned.oldx", "table", "an unsigned zone with a wildcard MX", "* MX 10 mx1.mailhost.nlx.", algorithm=0, ds="none")
    world.name("any.mx-wildcard-unsigned.oldx", "table", "MX by wildcard in an unsigned zone, of a DANE host")


def depths(world):
    """Zones where the list of cases has them one below the other, and where it has not."""
    mail = world.mail
    mail("far.below.deep.nlx", "table", "three labels below the TLD, and a zone cut at the last only")
    mail("host-below.nlx", "table", "the MX host in a signed zone below the domain", "@ MX 10 mx.sub")
    world.zone("sub.host-below.nlx", host("mx") + "TLSA mx 3 1 1 server")
    mail("host-below-tlsa.nlx", "table", "a zone cut between the MX host and its TLSA record", HOST)
    world.zone("_tcp.mx.host-below-tlsa.nlx", "_25 TLSA 3 1 1 server")
    mail("host-below-unsigned.nlx", "31", "an unsigned zone cut between the MX host and its TLSA record", HOST)
    world.zone("_tcp.mx.host-below-unsigned.nlx", "_25 TLSA 3 1 1 server", algorithm=0, ds="none")
    mail("host-below-bogus.nlx", "39", "between the MX host and its TLSA record a zone cut whose DS matches no key", HOST)
    world.zone("_tcp.mx.host-below-bogus.nlx", "_25 TLSA 3 1 1 server", ds="stale")
    mail("signed.oldx", "table", "a signed domain below an unsigned TLD: there is no chain to it")
    mail("host-below-host.nlx", "table", "the MX host is the domain's parent", "@ MX 10 nlx.\n@ MX 20 mx\n" + host("mx") + "TLSA mx 3 1 1 server")


def crowds(world):
    mail = world.mail
    mail("mx-edges.nlx", "50", "preferences 0 and 65535", "@ MX 65535 mx2\n@ MX 0 mx1\n" + host("mx1", "mx2") + "TLSA mx1 3 1 1 server\nTLSA mx2 3 1 1 server")
    mail("mx-two-aliases.nlx", "24", "two MX hosts are aliases of one host",
         "@ MX 10 mx1\n@ MX 20 mx2\nmx1 CNAME mx1.mailhost.nlx.\nmx2 CNAME mx1.mailhost.nlx.")
    mail("mx-alias-of-self.nlx", "24", "the MX host is an alias of the domain", "@ MX 10 mx\nmx CNAME @\n" + host("@") + "TLSA @ 3 1 1 server")
    mail("mx-invalid-first.nlx", "table", "a dropped host and one that is skipped: the skip decides", "@ MX 5 -bad\n@ MX 10 mx.tlsa-bogus.nlx.")
    mail("tlsa-usage-2-and-3.nlx", "17", "2 1 1 beside 3 1 1: each usage for itself", HOST + "TLSA mx 2 1 1 ca\nTLSA mx 3 1 1 server")
    mail("tlsa-superseded-by-unusable.nlx", "17", "3 1 2 of the wrong length beside 3 1 1: what is unusable supersedes nothing",
         HOST + "TLSA mx 3 1 2 " + "ab" * 32 + "\nTLSA mx 3 1 1 server")


def one_of_two(world):
    """One of two servers is wrong about one type, in every way; the other one's answer counts."""
    def scripted(name, case, about, *rules, records=DANE, **options):
        world.mail(name, case, about, records, servers="scripted", rules=list(rules), **options)

    def first(do, **criteria):
        return rule(do, server=1, **criteria)

    scripted("tlsa-servfail-one.nlx", "37", "TLSA queries get SERVFAIL from one of two servers", first("rcode", type="TLSA", argument="SERVFAIL"))
    scripted("tlsa-nxdomain-one.nlx", "37", "TLSA queries get a bare NXDOMAIN from one of two servers", first("rcode", type="TLSA", argument="NXDOMAIN"))
    scripted("tlsa-nodata-one.nlx", "37", "TLSA queries get an empty answer with AA from one of two servers", first("rcode", type="TLSA", argument="NOERROR"))
    scripted("tlsa-unsigned-one.nlx", "37", "TLSA comes without its signature from one of two servers", first("strip-signatures", type="TLSA"))
    scripted("mx-dropped-one.nlx", "37", "MX queries are dropped by one of two servers", first("drop", type="MX"))
    scripted("mx-nxdomain-one.nlx", "38", "MX queries get a bare NXDOMAIN from one of two servers", first("rcode", type="MX", argument="NXDOMAIN"))
    scripted("keys-dropped-one.nlx", "37", "DNSKEY queries are dropped by one of two servers", first("drop", type="DNSKEY"))
    scripted("keys-stripped-one.nlx", "39", "DNSKEY comes without signatures from one of two servers", first("strip-signatures", type="DNSKEY"))
    scripted("denial-stripped-one.nlx", "35", "no TLSA, and the denials of one of two servers lack their NSEC records", first("strip-denial"), records=HOST)
    scripted("slow-one.nlx", "37", "one of two servers takes 3 s", first("delay", argument=3000))


def quirks(world):
    """What both servers do wrong, and mail servers meet."""
    def scripted(name, case, about, *rules, records=DANE, **options):
        world.mail(name, case, about, records, servers="scripted", rules=list(rules), **options)

    open_zone = {"algorithm": 0, "ds": "none"}
    four = "@ MX 10 mx\nmx A 192.0.2.252\n"
    scripted("tlsa-empty.nlx", "35", "TLSA queries get an empty answer without authority", rule("empty", type="TLSA"))
    scripted("tlsa-empty-authoritative.nlx", "35", "TLSA queries get an empty answer with AA: no SOA, no NSEC", rule("rcode", type="TLSA", argument="NOERROR"))
    scripted("tlsa-tcp-dropped.nlx", "37", "TLSA is truncated, and TCP is silent", rule("truncate", type="TLSA", over="udp"), rule("drop", type="TLSA", over="tcp"))
    scripted("tlsa-too-late.nlx", "37", "TLSA takes 9 s", rule("delay", type="TLSA", argument=9000))
    scripted("mx-too-late.nlx", "37", "MX takes 9 s", rule("delay", type="MX", argument=9000))
    scripted("aaaa-nxdomain.nlx", "46", "A fine, AAAA gets a bare NXDOMAIN", rule("rcode", type="AAAA", name="mx", argument="NXDOMAIN"), records=four + "TLSA mx 3 1 1 server")
    scripted("aaaa-nxdomain.oldx", "46", "unsigned: A fine, AAAA gets NXDOMAIN with a SOA", rule("set-rcode", type="AAAA", name="mx", argument="NXDOMAIN"), records=four, **open_zone)
    scripted("aaaa-nxdomain-first.oldx", "46", "the same, and A comes later", rule("set-rcode", type="AAAA", name="mx", argument="NXDOMAIN"),
             rule("delay", type="A", name="mx", argument=200), records=four, **open_zone)
    scripted("a-unsigned.nlx", "22", "A comes without its signature, AAAA with", rule("strip-signatures", type="A"))
    scripted("mx-empty.oldx", "44", "unsigned: MX queries get an empty answer with AA and no SOA", rule("rcode", type="MX", argument="NOERROR"), records=host("@"), **open_zone)
    scripted("mx-nxdomain.oldx", "48", "unsigned: MX queries get a bare NXDOMAIN", rule("rcode", type="MX", argument="NXDOMAIN"), **open_zone)
    scripted("everything-notimp.oldx", "table", "unsigned: every query gets NOTIMP", rule("rcode", argument="NOTIMP"), **open_zone)
    scripted("everything-formerr.nlx", "table", "every query gets FORMERR", rule("rcode", argument="FORMERR"))
    scripted("keys-servfail.nlx", "table", "DNSKEY queries get SERVFAIL: a failure, not bogus", rule("rcode", type="DNSKEY", argument="SERVFAIL"))
    scripted("edns-dropped.nlx", "table", "signed: queries with EDNS are dropped, and EDNS is not given up", rule("drop", edns=True))


def build(world):
    for part in (domain_aliases, host_aliases, families, mixtures, tlsa_names, more_mx, next_hops, borrowed, redirected, depths, crowds,
                 one_of_two, quirks):
        part(world)
