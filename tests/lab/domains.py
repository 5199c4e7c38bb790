"""The lab's mail domains, one for each case and each row of the decision tables.

Only what the DNS says is written here. What mxtrust must make of it is written by hand in tests/mail/expected.table.
"""

from lab.model import DANE_HOST, PLAIN_HOST, rule


def tlsa(*sets):
    """One MX host with these TLSA records."""
    return PLAIN_HOST + "".join(f"TLSA mx {one}\n" for one in sets)


def handshake(world):
    """Domains whose DNS is in order and whose mail servers decide the outcome."""
    mail = world.mail
    mail("dane-ee.nlx", "1", "the ordinary DANE domain: everything signed, 3 1 1 matches")
    mail("dane-ee-stale.nlx", "2", "3 1 1 of a key that the server no longer has", tlsa("3 1 1 stale"))
    mail("dane-no-starttls.nlx", "3", "DANE, but the server does not offer STARTTLS", receiver="no-starttls")
    mail("dane-starttls-454.nlx", "4", "DANE, but the server answers STARTTLS with 454", receiver="starttls-454")
    mail("dane-ee-expired-cert.nlx", "5", "3 1 1 matches a certificate that has expired", tlsa("3 1 1 expired"),
         receiver="expired")
    mail("dane-ta-expired-leaf.nlx", "6", "2 1 1 and a leaf that has expired", tlsa("2 1 1 ca"), receiver="leaf-expired")
    mail("dane-ta-wrong-name.nlx", "7", "2 1 1 and a leaf for another name", tlsa("2 1 1 ca"), receiver="leaf-wrong-name")
    mail("dane-ta-nexthop-name.nlx", "8", "2 1 1 and a leaf that names only the mail domain", tlsa("2 1 1 ca"),
         receiver="leaf-nexthop")
    mail("dane-ta-root-unsent.nlx", "9", "2 0 1 of a root that the server does not send", tlsa("2 0 1 ca"),
         receiver="leaf-alone")
    mail("dane-ta-bare-key.nlx", "10", "2 1 0: the bare public key of the anchor", tlsa("2 1 0 ca"), receiver="leaf-alone")


def usability(world):
    """TLSA records that can be used, that cannot, and sets of both."""
    mail = world.mail
    mail("tlsa-pkix-only.nlx", "11", "only usages 0 and 1", tlsa("0 0 1 ca", "1 1 1 server"))
    mail("tlsa-selector-2.nlx", "12", "only selector 2", tlsa("3 2 1 server"))
    mail("tlsa-matching-3.nlx", "12", "only matching type 3", tlsa("3 1 3 server"))
    mail("tlsa-matching-255.nlx", "12", "only matching type 255", tlsa("3 1 255 server"))
    mail("tlsa-usage-255.nlx", "12", "only usage 255", tlsa("255 1 1 server"))
    mail("tlsa-short-sha256.nlx", "13", "a SHA-256 digest of 31 octets", tlsa("3 1 1 " + "ab" * 31))
    mail("tlsa-long-sha256.nlx", "13", "a SHA-256 digest of 33 octets", tlsa("3 1 1 " + "ab" * 33))
    mail("tlsa-short-sha512.nlx", "13", "a SHA-512 digest of 32 octets", tlsa("3 1 2 " + "ab" * 32))
    mail("tlsa-300-malformed.nlx", "14", "3 0 0 with what is no certificate", tlsa("3 0 0 3003020100"))
    mail("tlsa-310-malformed.nlx", "14", "3 1 0 with what is no public key", tlsa("3 1 0 3003020100"))
    mail("tlsa-310-spki.nlx", "14", "3 1 0 with a whole public key", tlsa("3 1 0 server"))
    mail("tlsa-300-certificate.nlx", "14", "3 0 0 with a whole certificate", tlsa("3 0 0 server"))
    mail("tlsa-201.nlx", "14", "2 0 1 beside 2 0 2", tlsa("2 0 1 ca", "2 0 2 ca"))
    mail("tlsa-rdata-3.nlx", "15", "TLSA rdata of 3 octets: no association data", PLAIN_HOST + "_25._tcp.mx TYPE52 \\# 3 030101\n")
    mail("tlsa-rdata-0.nlx", "15", "TLSA rdata of no octets, signed", PLAIN_HOST + "_25._tcp.mx TYPE52 \\# 0\n",
         servers="scripted", rules=[rule("inject-empty-tlsa", type="TLSA")])
    mail("tlsa-pkix-beside-ee.nlx", "16", "1 1 1 beside 3 1 1", tlsa("1 1 1 server", "3 1 1 server"))
    mail("tlsa-stale-sha256.nlx", "17", "3 1 1 stale, 3 1 2 matches", tlsa("3 1 1 stale", "3 1 2 server"))
    mail("tlsa-stale-sha512.nlx", "17", "3 1 2 stale, 3 1 1 matches: the stronger digest decides",
         tlsa("3 1 2 stale", "3 1 1 server"))
    mail("tlsa-many.nlx", "table", "twelve whole certificates: the answer needs TCP",
         tlsa("3 1 1 server", *(f"3 0 0 filler{n}" for n in range(12))))


def half_signed(world):
    """Security that ends somewhere between the MX record and the TLSA record."""
    mail = world.mail
    mail("unsigned-mx.comx", "18", "unsigned domain (below opt-out) with a DANE host at a signed provider",
         "@ MX 10 mx1.mailhost.nlx.", algorithm=0, ds="none")
    mail("host-in-unsigned-tld.nlx", "19", "signed domain, MX host in an unsigned TLD", "@ MX 10 mx1.legacy.oldx.")
    mail("tlsa-broken.oldx", "19", "unsigned host whose TLSA queries are not answered", PLAIN_HOST, algorithm=0,
         servers="scripted", rules=[rule("drop", type="TLSA")])
    mail("host-tlsa-broken.nlx", "19", "signed domain, unsigned MX host where TLSA queries fail", "@ MX 10 mx.tlsa-broken.oldx.")
    mail("host-on-island.nlx", "20", "MX host in a zone that is alone insecurely delegated inside a signed one",
         "@ MX 10 mx.island.bighost.nlx.")
    three = "@ MX 10 mx1\n@ MX 20 mx2\n@ MX 30 mx3\n" + "".join(
        f"mx{n} A\nTLSA mx{n} 3 1 1 server\n" for n in (1, 2, 3))
    mail("one-tlsa-bogus.nlx", "21", "three hosts, one TLSA bogus", three, sigs={"_25._tcp.mx2 TLSA": "corrupt"})
    mail("one-a-bogus.nlx", "22", "three hosts, one A bogus", three, sigs={"mx2 A": "corrupt"})
    two = "@ MX 10 mx1\n@ MX 20 mx2\n" + "".join(f"HOST mx{n}\nTLSA mx{n} 3 1 1 server\n" for n in (1, 2))
    mail("first-tlsa-bogus.nlx", "21", "the best of two hosts has a bogus TLSA record", two, sigs={"_25._tcp.mx1 TLSA": "corrupt"})
    mail("both-tlsa-bogus.nlx", "21", "both hosts have a bogus TLSA record", two,
         sigs={"_25._tcp.mx1 TLSA": "corrupt", "_25._tcp.mx2 TLSA": "corrupt"})
    mail("first-addresses-bogus.nlx", "22", "the best of two hosts has bogus addresses", two, sigs={"mx1 A": "corrupt", "mx1 AAAA": "corrupt"})
    mail("first-tlsa-servfail.nlx", "21", "TLSA of the best of two hosts fails", "@ MX 10 mx.tlsa-servfail.nlx.\n@ MX 20 mx1.mailhost.nlx.")
    mail("first-no-starttls.nlx", "3", "the best of two DANE hosts does not offer STARTTLS",
         "@ MX 10 mx.dane-no-starttls.nlx.\n@ MX 20 mx1.mailhost.nlx.")
    mail("best-without-tlsa.nlx", "23", "best host without TLSA, worse host with",
         "@ MX 10 mx1\n@ MX 20 mx2\nHOST mx1\nHOST mx2\nTLSA mx2 3 1 1 server")
    mail("plain.oldx", "table", "unsigned domain in an unsigned TLD", PLAIN_HOST, algorithm=0, ds="none")
    mail("unsigned.comx", "table", "unsigned domain below an opt-out TLD", PLAIN_HOST, algorithm=0, ds="none")
    mail("unsigned.nlx", "table", "unsigned domain, its delegation proven by NSEC", PLAIN_HOST, algorithm=0, ds="none")
    mail("unsigned.dex", "table", "unsigned domain, its delegation proven by NSEC3", PLAIN_HOST, algorithm=0, ds="none")
    mail("no-tlsa.nlx", "table", "signed domain without TLSA, denial by NSEC", PLAIN_HOST)
    mail("no-tlsa.dex", "table", "signed domain without TLSA, denial by NSEC3", PLAIN_HOST, denial="nsec3", algorithm=8)
    mail("tlsa-nodata.nlx", "table", "the TLSA name exists with another type only", PLAIN_HOST + "_25._tcp.mx TXT none\n")


def aliases(world):
    mail = world.mail
    start = "@ MX 10 mx\n"
    initial = "TLSA mx 3 1 1 server\n"
    mail("alias-secure.nlx", "24", "MX host is an alias of a DANE host", start + "mx CNAME mx1.mailhost.nlx.")
    mail("alias-sni.nlx", "24", "MX host is an alias; its server has the right certificate for the SNI of the target only",
         start + "mx CNAME host\nHOST host\nTLSA host 3 1 1 server", receiver="sni")
    mail("alias-tlsa-initial.nlx", "25", "alias of a host without TLSA; TLSA at the alias itself",
         start + initial + "mx CNAME mx1.plainhost.nlx.")
    mail("alias-both.nlx", "24", "TLSA at the alias (stale) and at its target: the target's counts",
         start + "TLSA mx 3 1 1 stale\nmx CNAME mx1.mailhost.nlx.")
    mail("alias-expanded-bogus.nlx", "26", "TLSA bogus at the target, fine at the alias",
         start + initial + "mx CNAME mx.tlsa-bogus.nlx.")
    mail("alias-expanded-servfail.nlx", "26", "TLSA fails at the target, fine at the alias",
         start + initial + "mx CNAME mx.tlsa-servfail.nlx.")
    mail("alias-to-unsigned.nlx", "27", "signed alias of an unsigned host, TLSA at the alias",
         start + initial + "mx CNAME mx1.legacy.oldx.")
    mail("alias-to-unsigned-bare.nlx", "27", "signed alias of an unsigned host, no TLSA", start + "mx CNAME mx1.legacy.oldx.")
    mail("alias-from-unsigned.nlx", "28", "MX host is an unsigned alias of a DANE host", "@ MX 10 mx.aliases.oldx.")
    mail("alias-between.nlx", "24", "TLSA only at the middle of a chain of aliases: never looked at",
         start + "mx CNAME middle\nmiddle CNAME mx1.plainhost.nlx.\nTLSA middle 3 1 1 server")
    mail("alias-loop.nlx", "29", "MX host is an alias that runs in a circle", start + "mx CNAME x\nx CNAME mx")
    chain = "".join(f"c{n} CNAME c{n + 1}\n" for n in range(1, 20))
    mail("alias-chain-20.nlx", "29", "twenty aliases in a row", start + "mx CNAME c1\n" + chain + "c20 A")
    mail("alias-chain-5.nlx", "24", "five aliases in a row, then a DANE host",
         start + "mx CNAME c16\n" + chain.replace("c20", "mx1.mailhost.nlx."))
    mail("alias-dname.nlx", "24", "MX host below a DNAME", "@ MX 10 mx1.old.moved.nlx.")
    mail("alias-to-nothing.nlx", "47", "alias of a name that does not exist", start + "mx CNAME gone.plainhost.nlx.")
    mail("tlsa-cname.nlx", "30", "the TLSA name is an alias of a shared TLSA record",
         PLAIN_HOST + "_25._tcp.mx CNAME _dane.mailhost.nlx.")
    mail("tlsa-cname-unsigned.nlx", "31", "the TLSA name is an alias into an unsigned zone",
         PLAIN_HOST + "_25._tcp.mx CNAME _dane.legacy.oldx.")
    mail("tlsa-cname-nothing.nlx", "30", "the TLSA name is an alias of a name that does not exist",
         PLAIN_HOST + "_25._tcp.mx CNAME _none.mailhost.nlx.")
    mail("tlsa-cname-bogus.nlx", "30", "the TLSA name is an alias of a bogus TLSA record",
         PLAIN_HOST + "_25._tcp.mx CNAME _25._tcp.mx.tlsa-bogus.nlx.")
    world.name("to-dane.aliases.nlx", "table", "the domain itself is a signed alias of a DANE domain")
    world.name("to-dane.aliases.oldx", "table", "the domain itself is an unsigned alias of a DANE domain")
    world.name("to-plain.aliases.nlx", "table", "the domain itself is a signed alias of an unsigned domain")


def denials(world):
    mail = world.mail
    wildcard = PLAIN_HOST + "*._tcp.mx TLSA 3 1 1 server\n"
    mail("tlsa-wildcard.nlx", "32", "TLSA by wildcard, with NSEC", wildcard)
    mail("tlsa-wildcard.dex", "32", "TLSA by wildcard, with NSEC3", wildcard, denial="nsec3", algorithm=8)
    mail("tlsa-wildcard-noproof.nlx", "32", "TLSA by wildcard, the proof is left out", wildcard, servers="scripted",
         rules=[rule("strip-denial", type="TLSA")])
    mail("mx-wildcard.nlx", "table", "a zone whose names all have a wildcard MX", "* MX 10 mx1.mailhost.nlx.\n")
    world.name("any.mx-wildcard.nlx", "table", "MX by wildcard")
    mail("tlsa-ent.nlx", "33", "no TLSA, and _tcp is an empty non-terminal", PLAIN_HOST + "_443._tcp.mx TLSA 3 1 1 server\n")
    mail("tlsa-ent.dex", "33", "the same with NSEC3", PLAIN_HOST + "_443._tcp.mx TLSA 3 1 1 server\n", denial="nsec3")
    mail("ent-nxdomain.nlx", "34", "the servers deny the empty non-terminal _tcp, and have TLSA below", servers="scripted",
         rules=[rule("set-rcode", name="_tcp.mx", argument="NXDOMAIN")])
    mail("ent-nxdomain.oldx", "34", "the same, unsigned: the MX host lies below a denied empty non-terminal",
         "@ MX 10 a.deep\nHOST a.deep", algorithm=0, servers="scripted",
         rules=[rule("set-rcode", name="deep", argument="NXDOMAIN")])
    # The denials of these zones are spoiled for every question: one good NSEC, got for a minimised name or another
    # type, could prove the absence of TLSA as well.
    mail("denial-without-nsec.nlx", "35", "no TLSA, and denials lack their NSEC records", PLAIN_HOST, servers="scripted",
         rules=[rule("strip-denial")])
    mail("denial-without-nsec3.dex", "35", "the same with NSEC3", PLAIN_HOST, servers="scripted", denial="nsec3",
         rules=[rule("strip-denial")])
    mail("denial-half.nlx", "35", "no TLSA, and the denial has lost the NSEC3 of the closest encloser", PLAIN_HOST,
         servers="scripted", denial="nsec3", rules=[rule("strip-encloser", argument="mx")])
    mail("tlsa-optout.nlx", "36", "no TLSA, covered by NSEC3 with opt-out", PLAIN_HOST, denial="optout")
    mail("nsec3-iterations.nlx", "41", "NSEC3 with 200 iterations, no TLSA", PLAIN_HOST, denial="nsec3", iterations=200)
    mail("nsec3-iterations-tlsa.nlx", "41", "NSEC3 with 200 iterations, TLSA is there", denial="nsec3", iterations=200)
    world.name("nosuch.nlx", "48", "a domain that does not exist, denied by NSEC")
    world.name("nosuch.dex", "48", "a domain that does not exist, denied by NSEC3")
    world.name("nosuch.comx", "48", "a domain that does not exist, denied by opt-out only")
    world.name("nosuch.oldx", "48", "a domain that does not exist in an unsigned TLD")
    mail("nxdomain-bogus.nlx", "48", "denials of its names lack their NSEC records", servers="scripted",
         rules=[rule("strip-denial")])
    world.name("gone.nxdomain-bogus.nlx", "48", "a domain that does not exist, but the denial is bogus")


def broken_signatures(world):
    mail = world.mail
    mail("mx-expired.nlx", "38", "the signature of MX has expired", sigs={"@ MX": "expired"})
    mail("mx-future.nlx", "38", "the signature of MX is not yet valid", sigs={"@ MX": "future"})
    mail("mx-corrupt.nlx", "38", "the signature of MX does not verify", sigs={"@ MX": "corrupt"})
    mail("mx-unsigned-rrset.nlx", "38", "MX has no signature in a signed zone", sigs={"@ MX": "missing"})
    mail("zone-expired.nlx", "38", "all signatures of the zone have expired", dates="expired")
    mail("zone-future.nlx", "38", "no signature of the zone is valid yet", dates="future")
    mail("tlsa-expired.nlx", "38", "the signature of TLSA has expired", sigs={"_25._tcp.mx TLSA": "expired"})
    mail("tlsa-bogus.nlx", "21", "the signature of TLSA does not verify", sigs={"_25._tcp.mx TLSA": "corrupt"})
    mail("a-bogus.nlx", "22", "A bogus, AAAA fine: delivery over IPv6", sigs={"mx A": "corrupt"})
    mail("aaaa-bogus.nlx", "22", "A fine, AAAA bogus: delivery over IPv4", sigs={"mx AAAA": "corrupt"})
    mail("addresses-bogus.nlx", "22", "A and AAAA bogus", sigs={"mx A": "corrupt", "mx AAAA": "corrupt"})
    mail("ds-mismatch.nlx", "39", "the DS record matches no DNSKEY", ds="stale")
    mail("ds-without-keys.nlx", "39", "a DS record, but the zone is not signed", algorithm=0, ds="stale")
    mail("ds-two.nlx", "39", "two DS records, one stale: one valid path suffices", ds="stale good")
    mail("ds-sha1.nlx", "table", "DS with SHA-1 alone", ds="sha1")
    mail("ds-sha384.nlx", "table", "DS with SHA-384 alone", ds="sha384")
    mail("ds-sha256-wrong.nlx", "39", "DS with a right SHA-1 and a wrong SHA-256: SHA-1 is ignored", ds="sha1 wrong-sha256")
    mail("algorithm-unsupported.nlx", "40", "an algorithm that nobody supports", algorithm_shown=200)
    mail("digest-unsupported.nlx", "40", "a DS digest type that nobody supports", ds="digest-200")
    mail("digest-unsupported-two.nlx", "40", "an unsupported digest beside SHA-256", ds="digest-200 good")
    mail("rsasha1.nlx", "40", "RSASHA1-NSEC3-SHA1: unsupported by policy", algorithm=7, denial="nsec3")
    mail("stray-signatures.nlx", "table", "the zone is signed, its parent has no DS", ds="none")
    mail("algorithm-8.dex", "table", "RSASHA256 below RSASHA256, NSEC3", algorithm=8, denial="nsec3", keys="split")
    mail("algorithm-10.orgx", "table", "RSASHA512 below RSASHA512", algorithm=10)
    mail("algorithm-14.eux", "table", "ECDSAP384SHA384 below the same, NSEC3", algorithm=14, denial="nsec3")
    mail("algorithm-15.infox", "table", "ED25519 below ED25519", algorithm=15)
    mail("algorithm-16.netx", "table", "ED448 below ED448, NSEC3", algorithm=16, denial="nsec3")
    mail("signed.comx", "table", "signed domain below an opt-out TLD", denial="nsec3")


def mx_rows(world):
    """What MX may say, from null MX to nonsense."""
    mail = world.mail
    good = "HOST mx\nTLSA mx 3 1 1 server\n"
    mail("null-mx.nlx", "42", "MX 0 . and an address nobody may ask for", "@ MX 0 .\n@ A")
    mail("null-mx-preference.nlx", "42", "MX 10 .: any preference", "@ MX 10 .\n@ A")
    mail("null-mx.oldx", "42", "MX 0 . in an unsigned zone", "@ MX 0 .\n@ A", algorithm=0, ds="none")
    mail("null-mx-beside.nlx", "43", "MX 0 . beside a real host", "@ MX 0 .\n@ MX 10 mx\n" + good)
    mail("implicit.nlx", "44", "no MX; address and TLSA at the domain itself", "@ A\nTLSA @ 3 1 1 server")
    mail("implicit-no-tlsa.nlx", "44", "no MX, no TLSA; address at the domain itself", "@ A")
    mail("implicit.oldx", "44", "no MX in an unsigned zone", "@ A", algorithm=0, ds="none")
    mail("implicit-ipv6.nlx", "45", "no MX and only an IPv6 address", "@ AAAA\nTLSA @ 3 1 1 server")
    mail("implicit-nothing.nlx", "44", "no MX and no address", "@ TXT nothing")
    mail("host-ipv6-only.nlx", "46", "MX host with AAAA only", "@ MX 10 mx\nmx AAAA\nTLSA mx 3 1 1 server")
    mail("hosts-nxdomain.nlx", "47", "no MX host exists", "@ MX 10 mx1\n@ MX 20 mx2")
    mail("hosts-nodata.nlx", "47", "the MX host has no address", "@ MX 10 mx\nmx TXT nothing")
    mail("hosts-nxdomain.oldx", "47", "no MX host exists, unsigned", "@ MX 10 mx1", algorithm=0, ds="none")
    many = "".join(f"@ MX {n} mx{n:02}\nmx{n:02} A\nTLSA mx{n:02} 3 1 1 server\n" for n in range(1, 26))
    mail("many-mx.nlx", "49", "25 MX hosts", many)
    mail("equal-preference.nlx", "50", "three MX hosts of one preference",
         "".join(f"@ MX 10 {h}\n{h} A\nTLSA {h} 3 1 1 server\n" for h in ("charlie", "alpha", "bravo")))
    mail("xn--bcher-kva.nlx", "51", "bücher.nlx as A-labels")
    world.name("bücher.nlx", "51", "the same domain as U-labels")
    mail("mx-literal.nlx", "table", "an address literal as MX host, beside a host name", "@ MX 5 192.0.2.1.\n@ MX 10 mx\n" + good)
    mail("mx-literal-only.nlx", "table", "nothing but an address literal as MX host", "@ MX 5 192.0.2.1.\n")
    mail("mx-invalid.nlx", "table", "an MX host that is no host name, beside a good one",
         "@ MX 5 bad\\032name\nbad\\032name A\n@ MX 10 mx\n" + good)
    mail("mx-invalid-only.nlx", "table", "nothing but an MX host that is no host name", "@ MX 5 bad\\036name\nbad\\036name A\n")
    mail("mx-underscore.nlx", "table", "an MX host with an underscore: tolerated",
         "@ MX 10 mx_1\nHOST mx_1\nTLSA mx_1 3 1 1 server")
    mail("mx-duplicate.nlx", "table", "one MX host twice", "@ MX 10 mx\n@ MX 20 mx\n" + good)
    mail("skip-bogus-first.nlx", "table", "no host can be used; the most preferred is bogus",
         "@ MX 10 mx.addresses-bogus.nlx.\n@ MX 20 mx.addresses-servfail.nlx.\n@ MX 30 gone")
    mail("skip-servfail-first.nlx", "table", "no host can be used; the most preferred fails",
         "@ MX 10 mx.addresses-servfail.nlx.\n@ MX 20 mx.addresses-bogus.nlx.\n@ MX 30 gone")
    mail("unreachable-and-dane.nlx", "table", "the best MX host does not exist, the next is DANE",
         "@ MX 5 gone\n@ MX 10 mx\n" + good)
    mail("tlsa-ttl-0.nlx", "53", "TLSA with a TTL of 0", PLAIN_HOST + "_25._tcp.mx 0 TLSA 3 1 1 {server}\n")
    mail("mx-expires-soon.nlx", "53", "the signature of MX ends before its TTL",
         good + "@ 172800 MX 10 mx\n", sigs={"@ MX": "soon"})
    world.name("[smart.relay.nlx]:587", "table", "next-hop in brackets, TLSA at port 587")
    world.name("[bare.relay.nlx]", "table", "next-hop in brackets without TLSA")
    world.name("[192.0.2.1]", "table", "next-hop is an address literal")


def broken_servers(world):
    """What servers do wrong; every domain here has two servers of its own."""
    def scripted(name, case, about, *rules, records=DANE_HOST, **options):
        world.mail(name, case, about, records, servers="scripted", rules=list(rules), **options)

    scripted("tlsa-dropped.nlx", "37", "TLSA queries are dropped by both servers", rule("drop", type="TLSA"))
    scripted("tlsa-dropped-one.nlx", "37", "TLSA queries are dropped by one of two servers", rule("drop", type="TLSA", server=1))
    scripted("tlsa-servfail.nlx", "table", "TLSA queries get SERVFAIL", rule("rcode", type="TLSA", argument="SERVFAIL"))
    scripted("tlsa-refused.nlx", "table", "TLSA queries get REFUSED", rule("rcode", type="TLSA", argument="REFUSED"))
    scripted("tlsa-notimp.nlx", "table", "TLSA queries get NOTIMP", rule("rcode", type="TLSA", argument="NOTIMP"))
    scripted("tlsa-formerr.nlx", "table", "TLSA queries get FORMERR", rule("rcode", type="TLSA", argument="FORMERR"))
    scripted("tlsa-nxdomain-bare.nlx", "35", "TLSA queries get a bare NXDOMAIN", rule("rcode", type="TLSA", argument="NXDOMAIN"))
    scripted("tlsa-unsigned-answer.nlx", "38", "TLSA comes without its signature", rule("strip-signatures", type="TLSA"))
    scripted("tlsa-tcp-refused.nlx", "table", "TLSA is truncated and TCP answers SERVFAIL",
             rule("truncate", type="TLSA", over="udp"), rule("rcode", type="TLSA", over="tcp", argument="SERVFAIL"))
    scripted("aaaa-servfail.nlx", "46", "A fine, AAAA gets SERVFAIL", rule("rcode", type="AAAA", name="mx", argument="SERVFAIL"))
    scripted("a-servfail.nlx", "46", "A gets SERVFAIL, AAAA fine", rule("rcode", type="A", name="mx", argument="SERVFAIL"))
    scripted("a-servfail-alone.nlx", "table", "A gets SERVFAIL, there is no AAAA", rule("rcode", type="A", name="mx", argument="SERVFAIL"),
             records="@ MX 10 mx\nmx A\nTLSA mx 3 1 1 server")
    scripted("addresses-servfail.nlx", "table", "A and AAAA get SERVFAIL", rule("rcode", type=["A", "AAAA"], name="mx", argument="SERVFAIL"))
    scripted("mx-servfail.nlx", "table", "MX gets SERVFAIL", rule("rcode", type="MX", argument="SERVFAIL"))
    scripted("mx-servfail.oldx", "table", "MX gets SERVFAIL in an unsigned zone", rule("rcode", type="MX", argument="SERVFAIL"),
             algorithm=0, ds="none")
    scripted("mx-dropped.nlx", "table", "MX queries are dropped by both servers", rule("drop", type="MX"))
    scripted("lame.nlx", "table", "both servers refuse everything", rule("rcode", argument="REFUSED"))
    scripted("lame-one.nlx", "table", "one of two servers refuses everything", rule("rcode", server=1, argument="REFUSED"))
    scripted("lame-empty-one.nlx", "table", "one of two servers answers all with empty, non-authoritative NOERROR",
             rule("empty", server=1))
    scripted("silent.nlx", "table", "both servers are silent", rule("drop"))
    scripted("silent-one.nlx", "table", "one of two servers is silent", rule("drop", server=1))
    scripted("keys-dropped.nlx", "table", "DNSKEY queries are dropped: a failure, not bogus", rule("drop", type="DNSKEY"))
    scripted("keys-stripped.nlx", "39", "DNSKEY comes without signatures", rule("strip-signatures", type="DNSKEY"))
    scripted("stripped-one.nlx", "table", "one of two servers strips all signatures", rule("strip-signatures", server=1))
    scripted("stripped.nlx", "38", "both servers strip all signatures", rule("strip-signatures"))
    scripted("truncating.nlx", "table", "every answer is truncated, over TCP as well", rule("truncate"))
    scripted("tcp-only.nlx", "table", "every answer over UDP is truncated", rule("truncate", over="udp"))
    scripted("wrong-id-udp.nlx", "table", "wrong IDs over UDP, right ones over TCP", rule("wrong-id", over="udp"))
    scripted("wrong-id.nlx", "table", "wrong IDs over UDP and TCP", rule("wrong-id"))
    scripted("wrong-question.nlx", "table", "answers to another question", rule("wrong-question"))
    scripted("lower-case.nlx", "table", "the question comes back in lower case", rule("lower-case"))
    scripted("slow.nlx", "table", "answers take 300 ms", rule("delay", argument=300))
    scripted("no-edns.nlx", "table", "signed, but EDNS gets FORMERR: EDNS is not given up",
             rule("rcode-without-edns", edns=True, argument="FORMERR"))
    scripted("no-edns.oldx", "table", "unsigned, EDNS gets FORMERR: asked again without",
             rule("rcode-without-edns", edns=True, argument="FORMERR"), algorithm=0, ds="none", records=PLAIN_HOST)
    world.mail("servers-ipv4-only.nlx", "table", "name servers with IPv4 only", servers="four")
    world.mail("servers-ipv6-only.nlx", "table", "name servers with IPv6 only", servers="six")
    world.mail("servers-own.nlx", "table", "name servers below the domain, with glue", servers="own")


def explained(world):
    """Broken zones that no mail domain needs, for what `explain` says of them."""
    elsewhere = "@ MX 10 mx.dane-ee.nlx."
    world.zone("key-revoked.nlx", elsewhere, flags_shown=257 | 0x80)
    world.zone("key-without-zone-bit.nlx", elsewhere, flags_shown=1)
    world.zone("signer-wrong.nlx", elsewhere, sigs={"@ MX": "signer"})
    world.zone("labels-wrong.nlx", elsewhere, sigs={"@ MX": "labels"})


def build(world):
    for part in (handshake, usability, half_signed, aliases, denials, broken_signatures, mx_rows, broken_servers,
                 explained):
        part(world)
