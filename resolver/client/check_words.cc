// The table of diagnoses: for each what it means for who sends mail there, and what the domain's administrator should
// do. "{subject}" and "{domain}" stand for the test's subject and the domain. What DNSSEC broke has more words than
// these: the daemon's remedies (resolve/remedy.cc) say there what to do.
#include <algorithm>

#include "base/require.h"
#include "client/check.h"

namespace mxtrust::client {
namespace {

struct Entry {
    std::string_view diagnosis;
    Grade grade;
    std::string_view means, todo;
};

constexpr Grade failure = Grade::failure, warning = Grade::warning;

constexpr Entry entries[] = {
    // DNSSEC and MX
    {"dnssec-broken", failure, "senders that validate DNSSEC put mail off, and return it to its sender in the end",
     "mend DNSSEC as the reason says, with whoever signs and serves the zone"},
    {"dns-failure", failure, "senders cannot find out where mail goes; they keep it and try again, for some days",
     "see that the zone's name servers are up, reachable over UDP and TCP, and answer for it"},
    {"domain-unsigned", warning,
     "nobody can prove who takes this domain's mail: whoever can forge DNS answers can redirect it, TLS or not",
     "sign the zone, and have the DS record published through its registrar"},
    {"operators-word", warning,
     "the configuration of this mxtrustd decides here; other senders go by what is really published",
     "remove the negative trust anchor or the exception once it is not needed; mxtrust status says when"},
    {"domain-not-found", failure, "mail is returned at once: there is no such domain",
     "see whether the name is written as it is meant, and whether the domain is still registered"},
    {"mx-none", warning, "senders take the domain's own address for its mail server (RFC 5321 5.1)",
     "publish an MX record, or a null MX (0 .) where the domain takes no mail"},
    {"null-mx", failure, "the domain says that it takes no mail; it is returned at once",
     "nothing, if that is meant; else replace the null MX by the domain's hosts"},
    {"null-mx-beside-others", warning, "a null MX beside other hosts has no meaning; some senders take it at its word",
     "remove the record with the single dot"},
    {"mx-invalid-host", warning, "senders drop an MX record that names no host", "let it name a host with an address"},
    {"mx-duplicate", warning, "the host is used once, with the lower preference value", "remove the other record"},
    {"no-usable-host", failure, "there is no host that mail can be handed to", "publish addresses for the MX hosts"},
    {"ttl-long", warning,
     "after a change, senders go on with the old record until it ends: mail fails, or goes where it should not",
     "publish it with a TTL of an hour, at the latest some days before the next change"},
    // the expected MX
    {"expected-mx-not-found", failure, "mail does not go to {subject}",
     "publish it: {domain} MX 0 {subject}, or ask for another host with --expect-mx"},
    {"expected-mx-differs", failure, "all mail goes to other hosts than {subject}",
     "replace the MX records by {domain} MX 0 {subject}"},
    {"expected-mx-unknown", failure, "the name {subject} leads nowhere; mail that is sent there would be returned",
     "see whether the name is written as its provider gave it"},
    {"expected-mx-not-secured", failure,
     "{subject} has no address that DNSSEC proves: senders would not use DANE for it",
     "choose the host's name in a signed zone that the provider has for this"},
    {"expected-mx-unproven", failure, "whether {subject} takes the mail cannot be found out",
     "mend the DNS as said above"},
    {"expected-mx-preference", warning,
     "the preference of {subject} is not 0: some providers want 0, and any host added with a "
     "lower value would be used before it",
     "change the record to {domain} MX 0 {subject}"},
    {"expected-mx-too-high", failure, "mail goes to another host first; {subject} gets it only while that one is down",
     "give {subject} the lowest preference value, and remove or raise the others"},
    {"other-mx-same-preference", warning, "senders choose between both at random: a part of the mail goes there",
     "give the other host a higher value, or remove it"},
    {"other-mx-lower-preference", failure, "senders turn to the other host first",
     "remove the other host, or give it a higher value"},
    {"other-mx-higher-preference", warning,
     "mail goes there when {subject} is busy; spam comes that way often, past the filters of the first",
     "remove the other host once the new one has proven itself"},
    // hosts
    {"address-missing", failure, "the host has no address: mail cannot be delivered to it",
     "publish A or AAAA records for {subject}, or take it out of the MX records"},
    {"addresses-failed", failure,
     "senders cannot find out where the host is, and put mail off or go on to the next host",
     "see that the name servers of its zone answer"},
    {"host-zone-insecure", warning,
     "the host's name is in a zone without DNSSEC: its TLSA records are not even asked for, and no sender uses DANE",
     "sign that zone, or let MX name the host in a zone that is signed"},
    {"address-family-failed", warning, "one family of addresses cannot be looked up; senders use the other",
     "mend the failing look-up as its reason says"},
    {"tlsa-missing", warning,
     "senders use TLS only if it is offered, and accept any certificate: both can be taken away by an attacker",
     "publish TLSA 3 1 1 records for the present key and the next one"},
    {"tlsa-lookup-failed", failure,
     "a failing look-up may be an attack, so senders with DANE must not deliver to this host (RFC 7672 2.1.1)",
     "the provider's name servers must answer for TLSA: with records, or with a signed proof that there are none"},
    {"tlsa-none-usable", failure,
     "TLS is required, but nobody is authenticated: an attacker's certificate is as good as yours",
     "publish records 3 1 1 (or 2 1 1) with the SHA-256 digest of the public key"},
    {"tlsa-unusable", warning, "senders ignore this record", "remove it, or replace it by a 3 1 1 record"},
    {"tlsa-superseded", warning, "senders that follow RFC 7671 9 ignore this record",
     "see that the stronger digest is right, too, or remove it"},
    {"tlsa-not-recommended", warning,
     "it works, but has to be changed with every renewal of the certificate, or is not understood by everybody",
     "publish 3 1 1 (the key of the server), or 2 1 1 (the key of its authority)"},
    {"tlsa-no-rollover-partner", warning,
     "on the day on which the key changes, mail fails until the new record has replaced the old one everywhere",
     "publish a second record for the next key (3 1 1 + 3 1 1), or for the authority's key (3 1 1 + 2 1 1)"},
    {"tlsa-stale-record", warning, "the record fits nothing that the server presents; others do",
     "remove it, unless it is for the next key"},
    // policies
    {"sts-lacks-mx", failure, "senders with MTA-STS refuse to deliver to {subject}",
     "add the host to the policy, and change its id"},
    {"sts-no-expected-mx", warning, "whether the policy is ready for another host cannot be said",
     "name the host that is to come with --expect-mx"},
    {"sts-testing", warning, "failures are reported and not prevented", "set mode: enforce once reports are clean"},
    {"sts-not-fetched", warning,
     "a policy is announced, but is not in force here: it could not be had, or its look-up is off",
     "see that https://mta-sts.{domain}/.well-known/mta-sts.txt is served with a valid certificate"},
    {"tlsrpt-missing", warning, "nobody tells you when mail to you fails",
     "publish _smtp._tls.{domain} TXT \"v=TLSRPTv1; rua=mailto:tlsrpt@{domain}\""},
    {"tlsrpt-malformed", warning, "senders ignore the record, and nobody tells you when mail to you fails",
     "let it read: v=TLSRPTv1; rua=mailto:tlsrpt@{domain}"},
    // visits
    {"connect-refused", failure, "mail waits, or goes to the next host",
     "see that the server runs and listens at this address, and that no firewall rejects it"},
    {"connect-timeout", failure, "mail waits, or goes to the next host",
     "see that the address is right, the server is up, and no firewall drops packets"},
    {"server-silent", failure, "senders give up after some minutes, and try again later",
     "see what the server waits for: a slow look-up of its client's name, too many clients, a proxy in between"},
    {"connection-closed", failure, "mail waits, or goes to the next host",
     "look for this client's address in the server's log: it may be blocked"},
    {"greeting-temporary", failure, "mail waits, or goes to the next host",
     "look into the server's log for the reason that it gave"},
    {"greeting-permanent", failure, "mail is returned, or goes to the next host",
     "look into the server's log for the reason that it gave: it may refuse this client alone"},
    {"no-smtp", failure, "mail cannot be delivered there",
     "see what listens at this address and port: it is no mail server"},
    {"endless-reply", failure, "senders close the connection", "see what listens at this address and port"},
    {"starttls-absent", failure, "senders with DANE do not deliver without TLS; others send in the clear",
     "find the server by its address, give it a certificate and turn STARTTLS on; look for a firewall that takes it "
     "away"},
    {"starttls-refused-4xx", failure, "senders with DANE try again later and, in the end, return the mail",
     "look into the server's log: mostly its certificate or key cannot be read"},
    {"starttls-refused-5xx", failure, "senders with DANE do not deliver",
     "turn TLS on in the server, or stop offering it; look for a firewall in between"},
    {"starttls-cut", failure, "senders with DANE do not deliver",
     "look into the server's log; look for a firewall that does not let TLS through"},
    {"starttls-injection", failure, "somebody puts words into the server's mouth before TLS begins",
     "look for a proxy or firewall between; update the server"},
    {"tls-cut", failure, "no TLS, no delivery", "look into the server's log for why it ended the handshake"},
    {"tls-timeout", failure, "no TLS, no delivery", "see what the server, or something between, waits for"},
    {"tls-too-much", failure, "senders end the connection",
     "send the server's certificate and what leads to its authority, and no more"},
    {"tls-refused", failure, "no TLS, no delivery",
     "see that the server has TLS 1.2 or 1.3, a certificate, and no demand for one of the client"},
    {"tls-garbage", failure, "no TLS, no delivery",
     "see what answers there: it agrees to STARTTLS, and then does not speak TLS"},
    {"tls-library", failure, "nothing is known of the server: the TLS library of this machine refuses",
     "run the check on a machine with a current OpenSSL"},
    {"tlsa-no-match", failure, "senders with DANE take the server for somebody else's, and do not deliver",
     "publish TLSA records for the certificate that the server presents, or give it back the one that they are for"},
    {"certificate-expired", failure, "senders with DANE or MTA-STS do not deliver",
     "renew the certificate, install it, publish TLSA records for it where its key has changed, wait for their TTL, "
     "and check again"},
    {"certificate-not-yet-valid", failure, "senders do not deliver until that time",
     "correct the clock of who issued it, or install another"},
    {"certificate-wrong-name", failure,
     "with TLSA usage 2 (and MTA-STS) the certificate must name the host; senders do not deliver",
     "get a certificate with the host's name in it, or publish 3 1 1 records, which do not look at names"},
    {"certificate-not-trusted", failure, "senders do not deliver",
     "send the whole chain up to the authority that the TLSA record (or the Web's list) names"},
    {"encrypted-nobody-knows", warning, "mail is encrypted, and nobody knows for whom", "publish usable TLSA records"},
    {"starttls-absent-unprotected", warning, "mail is sent there in the clear",
     "give the server a certificate and turn STARTTLS on"},
    {"tls-fails-unprotected", warning, "senders that need no TLS send in the clear; others do not deliver",
     "see what is said above, and look into the server's log"},
    {"old-tls", failure,
     "TLS before 1.2 is broken (RFC 8996): senders on current systems refuse it, and do not deliver",
     "turn TLS 1.2 and 1.3 on"},
    {"weak-key", warning, "the key is too short for today",
     "make a new one: ECDSA P-256, or RSA with 2048 bits or more; publish its TLSA record first"},
    {"certificate-expires-soon", warning,
     "when it has expired, senders that look at dates (usage 2, MTA-STS) do not deliver",
     "renew it now; where its key changes, publish the new TLSA record first"},
    {"expired-but-usage-3", warning, "nothing for senders with DANE: usage 3 ignores dates; others may refuse or warn",
     "renew it all the same"},
    {"wrong-name-but-usage-3", warning, "nothing for senders with DANE: usage 3 ignores names; MTA-STS would fail",
     "name the MX host in the next certificate"},
    {"second-key-fails", failure,
     "the server has certificates of two kinds, and only one is right: senders that get the other do not deliver",
     "publish a TLSA record for each of them"},
};

void replace(std::string& text, std::string_view what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
}

std::string filled(std::string_view text, const Test& test, const Report& report) {
    std::string result(text);
    replace(result, "{subject}", test.subject.substr(0, test.subject.find(" [")));
    replace(result, "{domain}", report.domain);
    return result;
}

}  // namespace

std::string_view to_text(Grade grade) {
    switch (grade) {
        case Grade::pass:
            return "pass";
        case Grade::not_tested:
            return "not-tested";
        case Grade::warning:
            return "warning";
        case Grade::failure:
            return "failure";
    }
    return "failure";
}

std::string permanent(const std::string& code) {
    std::string text = code;
    if (!text.empty() && text.front() == '4') text.front() = '5';
    return text;
}

Test diagnosed(std::string_view test, std::string subject, std::string_view diagnosis, std::string seen,
               const Report& report) {
    const auto* entry = std::find_if(std::begin(entries), std::end(entries),
                                     [diagnosis](const Entry& one) { return one.diagnosis == diagnosis; });
    require(entry != std::end(entries));
    Test made;
    made.test = test;
    made.subject = std::move(subject);
    made.grade = entry->grade;
    made.diagnosis = diagnosis;
    made.seen = std::move(seen);
    made.means = filled(entry->means, made, report);
    made.todo = filled(entry->todo, made, report);
    return made;
}

Test passed(std::string_view test, std::string subject, std::string seen) {
    Test made;
    made.test = test;
    made.subject = std::move(subject);
    made.diagnosis = "good";
    made.seen = std::move(seen);
    return made;
}

Test not_tested(std::string_view test, std::string subject, std::string why) {
    Test made = passed(test, std::move(subject), std::move(why));
    made.grade = Grade::not_tested;
    made.diagnosis = "not-tested";
    return made;
}

}  // namespace mxtrust::client
