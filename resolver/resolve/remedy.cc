// The table of remedies, and the table of places that lead to them.
#include "resolve/remedy.h"

#include <algorithm>
#include <array>

namespace mxtrust::resolve {

namespace {

/// {zone}: the zone at fault; {parent}: the zone above it; {tag}: " 12345" or nothing;
struct Row {
    std::string_view fault;
    Party party;
    std::string_view text;
};

// The order is PROTOCOL.md's.
constexpr std::array table{
    // From the parent to the keys.
    Row{"ds-matches-no-key", Party::parent,
        "replace the DS records of {zone} at its registrar by those of its present keys, or bring back the key that "
        "they "
        "name"},
    Row{"ds-wrong-digest", Party::parent,
        "have the DS of {zone} computed anew from the DNSKEY with key tag{tag}, and replace it at the registrar"},
    Row{"zone-not-signed", Party::parent,
        "sign {zone} again, or have its registrar remove the DS records while it is not signed"},
    Row{"keys-not-signed", Party::zone,
        "look whether a server or something on the way strips signatures of {zone}; else sign it again"},
    Row{"keys-signed-by-others", Party::zone,
        "sign the DNSKEY records of {zone} with the key that its DS names (key tag{tag}), or have the DS replaced"},
    Row{"key-revoked", Party::zone,
        "sign with a key of {zone} that is not revoked, and have its DS replaced where it names this one"},
    Row{"key-without-zone-bit", Party::zone,
        "publish the key of {zone} with flags 256 or 257 and protocol 3, and have its DS computed anew"},
    Row{"key-malformed", Party::zone,
        "publish the key of {zone} (key tag{tag}) anew: its octets fit no key of its algorithm"},
    Row{"key-unsupported", Party::zone, "sign {zone} with a common algorithm, best ECDSAP256SHA256 (13)"},
    Row{"algorithm-unsupported", Party::zone,
        "nothing is broken, but mail to {zone} is not protected: sign it with a common algorithm, best ECDSAP256SHA256 "
        "(13)"},
    Row{"digest-unsupported", Party::parent,
        "nothing is broken, but mail to {zone} is not protected: publish its DS with digest type 2 (SHA-256)"},
    Row{"no-such-zone", Party::parent, "have {parent} delegate {zone}, or have its servers stop answering for it"},
    // Signatures.
    Row{"signature-expired", Party::zone,
        "sign {zone} again and look why it was not done in time; where many zones seem to have expired, this machine's "
        "clock is wrong"},
    Row{"signature-not-yet-valid", Party::zone,
        "set the clock of the machine that signs {zone} and sign again; where many zones seem to be signed in the "
        "future, "
        "this machine's clock is wrong"},
    Row{"signature-dates", Party::zone, "sign {zone} again: the signature's dates contradict one another"},
    Row{"signature-missing", Party::zone,
        "sign {zone} again, all of it; where its servers have the signature, something on the way strips it"},
    Row{"signature-wrong", Party::zone,
        "sign {zone} again: the records were changed after they were signed, or its servers mix two versions of it"},
    Row{"signature-unreadable", Party::zone, "look at the servers of {zone}: what they send as a signature is none"},
    Row{"signer-wrong", Party::zone,
        "look at the servers of {zone}: they answer with signatures of another zone, as after a zone was split or "
        "moved"},
    Row{"labels-wrong", Party::zone,
        "sign {zone} again with another signer: the label count of the signature is impossible"},
    Row{"key-unknown", Party::zone,
        "publish the DNSKEY with key tag{tag} in {zone}, or sign again with one that is published; a key was rolled "
        "too early"},
    // Denials.
    Row{"denial-missing", Party::zone,
        "look at the servers of {zone}: they deny without NSEC or NSEC3 records; something may strip them"},
    Row{"denial-does-not-cover", Party::zone,
        "sign {zone} again and look whether all its servers have the same version: the proof is for other names"},
    Row{"denial-contradicts", Party::zone, "sign {zone} again: its proof says that what is denied is there"},
    Row{"wildcard-not-proven", Party::zone,
        "look at the servers of {zone}: with an answer from a wildcard they must send the proof that no closer name "
        "exists"},
    Row{"wildcard-impossible", Party::zone, "remove records of this type from the wildcard in {zone}"},
    Row{"nsec3-iterations", Party::zone,
        "sign {zone} with NSEC3 parameters 1 0 0 - (RFC 9276); until then it counts as unsigned"},
    Row{"answer-malformed", Party::zone, "look at the servers of {zone}: their answer does not fit the question"},
    // Servers.
    Row{"servers-unreachable", Party::zone,
        "look whether the name servers of {zone} run and can be reached from here over UDP and TCP; try again later"},
    Row{"servers-without-address", Party::zone,
        "publish addresses of the name servers of {zone}, and glue at {parent} where they lie within it"},
    Row{"servers-lame", Party::zone,
        "have the name servers of {zone} serve it, or have {parent} delegate it to those that do"},
    Row{"servers-fail", Party::zone, "look at the name servers of {zone}: what they said stands in the reason"},
    Row{"forwarders-fail", Party::us,
        "look at the forwarders that are configured for {zone}: what they said stands in the reason"},
    Row{"forwarder-without-dnssec", Party::us,
        "configure a forwarder that passes DNSSEC on, or none; the reason names the one that does not"},
    Row{"alias-loop", Party::zone, "look at the CNAME and DNAME records on the way: they lead nowhere"},
    // Us.
    Row{"limit-reached", Party::zone,
        "look why {zone} needs that much work; an attack looks like this; no more is spent on one question"},
    Row{"deadline", Party::us, "ask again, with more time where this is usual: what was found out by then is kept"},
    Row{"not-supported", Party::us, "ask for the records themselves"},
    Row{"library", Party::us, "look at the system's policy for OpenSSL: it refuses what DNSSEC needs"},
    // Nothing is broken.
    Row{"negative-trust-anchor", Party::us,
        "remove the negative trust anchor from the configuration once {zone} is mended"},
    Row{"no-trust-anchor", Party::us, "configure a trust anchor for the root"},
    Row{"anchors-revoked", Party::us,
        "bring mxtrust, or the file of trust anchors, up to date: every trust anchor of {zone} was revoked by its "
        "owner"},
    Row{"unsigned-delegation", Party::zone,
        "nothing is broken; to protect mail by DANE, sign {zone} and publish its DS at {parent}"},
    Row{"opt-out", Party::zone,
        "nothing is broken; to protect mail by DANE, sign the domain and publish its DS at {zone}"},
};

std::string filled(std::string_view text, const dnssec::Reason& reason) {
    const dns::Name zone = reason.zone.value_or(dns::Name());
    const auto name_of = [](const dns::Name& name) {
        return name.is_root() ? std::string("the root") : name.to_text();
    };
    std::string result(text);
    const auto put = [&result](std::string_view mark, const std::string& value) {
        for (std::size_t at = result.find(mark); at != std::string::npos; at = result.find(mark, at + value.size())) {
            result.replace(at, mark.size(), value);
        }
    };
    put("{zone}", reason.zone ? name_of(zone) : "the zone");
    put("{parent}", !reason.zone || zone.is_root() ? "its parent" : name_of(zone.parent()));
    put("{tag}", reason.key_tag ? " " + std::to_string(*reason.key_tag) : std::string());
    return result;
}

/// Where a failure was found, and what fault that is.
constexpr KnownPlace places[] = {
    {"VKNM", "ds-matches-no-key"},
    {"VKAL", "ds-matches-no-key"},
    {"VSGM", "signature-missing"},
    {"VKDG", "ds-wrong-digest"},
    {"VKNO", "zone-not-signed"},
    {"VKSU", "keys-not-signed"},
    {"VKSK", "keys-signed-by-others"},
    {"VKRV", "key-revoked"},
    {"VSGR", "key-revoked"},
    {"VKZK", "key-without-zone-bit"},
    {"VSGZ", "key-without-zone-bit"},
    {"VKBR", "key-malformed"},
    {"VSGA", "key-unsupported"},
    {"VKBU", "algorithm-unsupported"},
    {"RNOC", "no-such-zone"},
    {"VSGE", "signature-expired"},
    {"VSGY", "signature-not-yet-valid"},
    {"VSGI", "signature-dates"},
    {"VSGN", "signature-missing"},
    {"VSGW", "signature-wrong"},
    {"VSGU", "signature-unreadable"},
    {"VSGS", "signer-wrong"},
    {"VSGB", "labels-wrong"},
    {"VSGK", "key-unknown"},
    {"VDNO", "denial-missing"},
    {"VHNO", "denial-missing"},
    {"VNOM", "denial-does-not-cover"},
    {"VNWM", "denial-does-not-cover"},
    {"VNXM", "denial-does-not-cover"},
    {"VNXW", "denial-does-not-cover"},
    {"VNXP", "denial-does-not-cover"},
    {"VHCE", "denial-does-not-cover"},
    {"VHWM", "denial-does-not-cover"},
    {"VHXW", "denial-does-not-cover"},
    {"VHXP", "denial-does-not-cover"},
    {"VNOB", "denial-contradicts"},
    {"VNWB", "denial-contradicts"},
    {"VNXE", "denial-contradicts"},
    {"VNXT", "denial-contradicts"},
    {"VHOB", "denial-contradicts"},
    {"VHWB", "denial-contradicts"},
    {"VHXE", "denial-contradicts"},
    {"VHCD", "denial-contradicts"},
    {"VHPM", "denial-contradicts"},
    {"VJWP", "wildcard-not-proven"},
    {"VJWT", "wildcard-impossible"},
    {"VHIT", "nsec3-iterations"},
    {"VJSA", "answer-malformed"},
    {"VJUA", "answer-malformed"},
    {"VJDS", "answer-malformed"},
    {"VJDD", "answer-malformed"},
    {"VDSO", "answer-malformed"},
    {"RNOS", "servers-unreachable"},
    {"RNAD", "servers-without-address"},
    {"RLAM", "servers-lame"},
    {"RERR", "servers-fail"},
    {"RFNO", "forwarders-fail"},
    {"RFBL", "forwarder-without-dnssec"},
    {"RALI", "alias-loop"},
    {"RANY", "alias-loop"},
    {"RYXD", "alias-loop"},
    {"VSGL", "limit-reached"},
    {"VSGT", "limit-reached"},
    {"VSGV", "limit-reached"},
    {"VSGF", "limit-reached"},
    {"VKLM", "limit-reached"},
    {"VDMX", "limit-reached"},
    {"VHLM", "limit-reached"},
    {"RBUD", "limit-reached"},
    {"RSTP", "limit-reached"},
    {"RTLT", "deadline"},
    {"RDLT", "deadline"},
    {"RDUE", "deadline"},
    {"RLUP", "deadline"},
    {"RLAT", "deadline"},
    {"RSIG", "not-supported"},
    {"VHSR", "library"},
    {"VNTA", "negative-trust-anchor"},
    {"RNOA", "no-trust-anchor"},
    {"VZNA", "anchors-revoked"},
    {"VZUD", "unsigned-delegation"},
    {"VHOO", "opt-out"},
};

}  // namespace

std::span<const KnownPlace> known_places() {
    return places;
}

std::vector<std::string_view> known_faults() {
    std::vector<std::string_view> faults;
    std::ranges::transform(table, std::back_inserter(faults), &Row::fault);
    return faults;
}

std::string_view to_text(Party party) {
    switch (party) {
        case Party::zone:
            return "zone";
        case Party::parent:
            return "parent";
        case Party::us:
            return "us";
    }
    return "us";
}

namespace {

/// Two places tell of algorithms and of digests alike; the extended error says which.
std::string_view fault_of(const dnssec::Reason& reason) {
    const std::string_view code = reason.code.view();
    if (code == "VKUN" || code == "VZUS") {
        return reason.ede == dns::Ede::unsupported_ds_digest ? "digest-unsupported" : "algorithm-unsupported";
    }
    const auto place = std::ranges::find(places, code, &KnownPlace::code);
    return place == std::end(places) ? std::string_view() : place->fault;
}

}  // namespace

std::optional<Remedy> remedy_of(const dnssec::Reason& reason) {
    const std::string_view fault = fault_of(reason);
    const auto* const row = std::ranges::find(table, fault, &Row::fault);
    if (reason.text.empty() || row == table.end()) return std::nullopt;
    return Remedy{row->fault, row->party, filled(row->text, reason)};
}

}  // namespace mxtrust::resolve
