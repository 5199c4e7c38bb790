"""The DNS listener: AD is set where and only where it should be (RFC 4035 3.2.3, RFC 6840 5.7 and 5.8).

Written by hand: name, type, flags of the query (AD, DO, CD) → rcode, AD in the answer, has the answer the type asked for,
EDE. Every failure is SERVFAIL; with CD the data is there, and AD is not."""

import concurrent.futures
import time
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

TIMEOUT = 20.0
# Silent servers cost five seconds each.
PARALLEL = 6
YES, NO = True, False

TABLE = [
    # name, type, query flags, rcode, AD, records, EDE
    ("dane-ee.nlx", "MX", "DO", "NOERROR", YES, YES, None),
    ("dane-ee.nlx", "MX", "AD", "NOERROR", YES, YES, None),
    ("dane-ee.nlx", "MX", "AD DO", "NOERROR", YES, YES, None),
    ("dane-ee.nlx", "MX", "", "NOERROR", NO, YES, None),
    ("dane-ee.nlx", "MX", "CD", "NOERROR", NO, YES, None),
    ("mx.dane-ee.nlx", "A", "AD", "NOERROR", YES, YES, None),
    ("_25._tcp.mx.dane-ee.nlx", "TLSA", "AD", "NOERROR", YES, YES, None),
    ("dane-ee.nlx", "DNSKEY", "DO", "NOERROR", YES, YES, None),
    ("dane-ee.nlx", "DS", "DO", "NOERROR", YES, YES, None),
    ("unsigned.nlx", "DS", "DO", "NOERROR", YES, NO, None),
    ("unsigned.dex", "DS", "DO", "NOERROR", YES, NO, None),
    ("unsigned.comx", "DS", "DO", "NOERROR", NO, NO, None),
    ("dane-ee.nlx", "TXT", "DO", "NOERROR", YES, NO, None),
    ("plain.oldx", "MX", "DO", "NOERROR", NO, YES, None),
    ("plain.oldx", "MX", "AD", "NOERROR", NO, YES, None),
    ("unsigned.comx", "MX", "DO", "NOERROR", NO, YES, None),
    ("stray-signatures.nlx", "MX", "DO", "NOERROR", NO, YES, None),
    ("algorithm-unsupported.nlx", "MX", "DO", "NOERROR", NO, YES, None),
    ("nosuch.nlx", "MX", "DO", "NXDOMAIN", YES, NO, None),
    ("nosuch.dex", "MX", "DO", "NXDOMAIN", YES, NO, None),
    ("nosuch.comx", "MX", "DO", "NXDOMAIN", NO, NO, None),
    ("nosuch.oldx", "MX", "DO", "NXDOMAIN", NO, NO, None),
    ("_25._tcp.mx.no-tlsa.nlx", "TLSA", "AD", "NXDOMAIN", YES, NO, None),
    ("_tcp.mx.tlsa-ent.nlx", "TLSA", "DO", "NOERROR", YES, NO, None),
    ("_tcp.mx.tlsa-ent.dex", "TLSA", "DO", "NOERROR", YES, NO, None),
    ("_25._tcp.mx.tlsa-optout.nlx", "TLSA", "DO", "NXDOMAIN", NO, NO, None),
    ("_25._tcp.mx.nsec3-iterations.nlx", "TLSA", "DO", "NXDOMAIN", NO, NO, 27),
    ("_25._tcp.mx.tlsa-wildcard.nlx", "TLSA", "DO", "NOERROR", YES, YES, None),
    ("mx.alias-secure.nlx", "A", "AD", "NOERROR", YES, YES, None),
    ("mx.alias-to-unsigned.nlx", "A", "AD", "NOERROR", NO, YES, None),
    ("mx.aliases.oldx", "A", "AD", "NOERROR", NO, YES, None),
    ("mx1.old.moved.nlx", "A", "AD", "NOERROR", YES, YES, None),
    ("_25._tcp.mx.tlsa-cname.nlx", "TLSA", "AD", "NOERROR", YES, YES, None),
    ("_25._tcp.mx.tlsa-cname-unsigned.nlx", "TLSA", "AD", "NOERROR", NO, YES, None),
    ("mx-corrupt.nlx", "MX", "DO", "SERVFAIL", NO, NO, 6),
    ("mx-corrupt.nlx", "MX", "", "SERVFAIL", NO, NO, 6),
    ("mx-corrupt.nlx", "MX", "CD DO", "NOERROR", NO, YES, None),
    ("mx-expired.nlx", "MX", "DO", "SERVFAIL", NO, NO, 7),
    ("mx-expired.nlx", "MX", "CD DO", "NOERROR", NO, YES, None),
    ("mx-future.nlx", "MX", "AD", "SERVFAIL", NO, NO, 8),
    ("ds-mismatch.nlx", "MX", "AD", "SERVFAIL", NO, NO, 9),
    ("mx-unsigned-rrset.nlx", "MX", "AD", "SERVFAIL", NO, NO, 10),
    ("_25._tcp.mx.denial-without-nsec.nlx", "TLSA", "AD", "SERVFAIL", NO, NO, 12),
    ("_25._tcp.mx.tlsa-bogus.nlx", "TLSA", "AD", "SERVFAIL", NO, NO, 6),
    ("_25._tcp.mx.tlsa-servfail.nlx", "TLSA", "AD", "SERVFAIL", NO, NO, None),
    ("gone.nxdomain-bogus.nlx", "MX", "AD", "SERVFAIL", NO, NO, 12),
    ("mx-servfail.nlx", "MX", "AD", "SERVFAIL", NO, NO, None),
    ("mx.alias-loop.nlx", "A", "AD", "SERVFAIL", NO, NO, None),
    ("many-mx.nlx", "MX", "AD DO", "NOERROR", YES, YES, None),
    ("_25._tcp.mx.tlsa-many.nlx", "TLSA", "DO", "NOERROR", YES, YES, None),
    (".", "DNSKEY", "DO", "NOERROR", YES, YES, None),
    # What an MTA asks: Postfix's probe at start; an alias by itself, which has its own AD, whatever its target has.
    (".", "NS", "AD", "NOERROR", YES, YES, None),
    (".", "NS", "DO", "NOERROR", YES, YES, None),
    (".", "NS", "", "NOERROR", NO, YES, None),
    ("mx.alias-secure.nlx", "CNAME", "AD", "NOERROR", YES, YES, None),
    ("mx.alias-to-unsigned.nlx", "CNAME", "AD", "NOERROR", YES, YES, None),
    ("mx.alias-to-unsigned.nlx", "AAAA", "AD", "NOERROR", NO, YES, None),
    ("mx.alias-expanded-bogus.nlx", "CNAME", "AD", "NOERROR", YES, YES, None),
    ("mx.alias-to-nothing.nlx", "CNAME", "AD", "NOERROR", YES, YES, None),
    ("mx.alias-to-nothing.nlx", "A", "AD", "NXDOMAIN", YES, NO, None),
    ("mx.alias-loop.nlx", "CNAME", "AD", "NOERROR", YES, YES, None),
    ("mx.aliases.oldx", "CNAME", "AD", "NOERROR", NO, YES, None),
    ("mx.aliases.oldx", "CNAME", "DO", "NOERROR", NO, YES, None),
    ("to-plain.aliases.nlx", "CNAME", "AD", "NOERROR", YES, YES, None),
    ("to-plain.aliases.nlx", "MX", "AD", "NOERROR", NO, YES, None),
    ("_25._tcp.mx.tlsa-cname-unsigned.nlx", "CNAME", "AD", "NOERROR", YES, YES, None),
    ("mx.dane-ee.nlx", "CNAME", "AD", "NOERROR", YES, NO, None),
    # What servers refuse, do not implement or do not answer is SERVFAIL here: an MTA bounces mail for anything else.
    ("lame.nlx", "MX", "AD", "SERVFAIL", NO, NO, None),
    ("silent.nlx", "MX", "AD", "SERVFAIL", NO, NO, None),
    ("silent.nlx", "MX", "", "SERVFAIL", NO, NO, None),
    ("mx-dropped.nlx", "MX", "AD", "SERVFAIL", NO, NO, None),
    ("keys-dropped.nlx", "MX", "AD", "SERVFAIL", NO, NO, None),
    ("truncating.nlx", "MX", "AD", "SERVFAIL", NO, NO, None),
    ("_25._tcp.mx.tlsa-refused.nlx", "TLSA", "AD", "SERVFAIL", NO, NO, None),
    ("_25._tcp.mx.tlsa-notimp.nlx", "TLSA", "AD", "SERVFAIL", NO, NO, None),
    ("_25._tcp.mx.tlsa-formerr.nlx", "TLSA", "AD", "SERVFAIL", NO, NO, None),
    ("_25._tcp.mx.tlsa-dropped.nlx", "TLSA", "AD", "SERVFAIL", NO, NO, None),
    # Ordinary questions of a stub, of types that are rarely asked.
    ("dane-ee.nlx", "SRV", "AD", "NOERROR", YES, NO, None),
    ("dane-ee.nlx", "TYPE65400", "AD", "NOERROR", YES, NO, None),
    ("dane-ee.nlx", "HTTPS", "AD", "NOERROR", YES, NO, None),
    ("10.2.0.192.in-addr.arpa", "PTR", "AD", "NXDOMAIN", YES, NO, None),
    ("mx-expired.nlx", "MX", "DO", "SERVFAIL", NO, NO, 7),  # what CD fetched must not be served without CD
]
# glibc and Postfix give up after 5 s and ask again: by then there is an answer, if only SERVFAIL; a loaded machine may add some.
LONGEST = 5.0 + 3.0


@dataclass
class Listener:
    address: str
    port: int

    def ask(self, name, rrtype, words, payload=1232):
        """Over UDP, and over TCP where that answer is truncated."""
        flags = dns.flags.RD
        flags |= dns.flags.AD if "AD" in words else 0
        flags |= dns.flags.CD if "CD" in words else 0
        query = dns.message.make_query(name, rrtype, flags=flags, use_edns=0, payload=payload, want_dnssec="DO" in words)
        return dns.query.udp_with_fallback(query, self.address, port=self.port, timeout=TIMEOUT)[0]


def extended_errors(answer):
    return [int(option.code) for option in answer.options if option.otype == 15]


def check(listener, line):
    """What is wrong with the answer to one line of TABLE."""
    name, rrtype, words, rcode, ad, records, ede = line
    flags = words.split()
    begin = time.monotonic()
    try:
        answer = listener.ask(name, rrtype, flags)
    except (dns.exception.DNSException, OSError) as error:
        return [f"no answer: {type(error).__name__} {error}"]
    wrong = []
    if time.monotonic() - begin > LONGEST:
        wrong.append(f"the answer took {time.monotonic() - begin:.1f} s")
    if dns.rcode.to_text(answer.rcode()) != rcode:
        wrong.append(f"rcode {dns.rcode.to_text(answer.rcode())}, expected {rcode}")
    if bool(answer.flags & dns.flags.AD) != ad:
        wrong.append(f"AD is {'set' if not ad else 'clear'}")
    if not answer.flags & dns.flags.RA:
        wrong.append("RA is clear")
    if bool(answer.flags & dns.flags.CD) != ("CD" in flags):
        wrong.append("CD is not copied")
    wanted = dns.rdatatype.from_text(rrtype)
    if rrtype == "CNAME" and any(rrset.rdtype not in (wanted, dns.rdatatype.RRSIG) for rrset in answer.answer):
        wrong.append("the alias does not come alone")
    if any(rrset.rdtype == wanted for rrset in answer.answer) != records:
        wrong.append(f"records of type {rrtype} are {'missing' if records else 'there'}")
    signatures = any(rrset.rdtype == dns.rdatatype.RRSIG for rrset in answer.answer + answer.authority)
    if signatures and "DO" not in flags:
        wrong.append("signatures without DO")
    if ad and "DO" in flags and not signatures:
        wrong.append("no signatures with DO")
    found = extended_errors(answer)
    if ede is not None and ede not in found:
        wrong.append(f"EDE {found or 'none'}, expected {ede}")
    if rcode == "SERVFAIL" and not found:
        wrong.append("SERVFAIL without an extended error")
    return wrong


def run(listener, report):
    """Asks all of TABLE; REPORT(name, what is wrong) is called for each line."""
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        for line, wrong in zip(TABLE, pool.map(lambda line: check(listener, line), TABLE)):
            name, rrtype, words, rcode, ad, _, _ = line
            report(f"dns {name} {rrtype} {words or '-'} → {rcode}{' AD' if ad else ''}", wrong)
