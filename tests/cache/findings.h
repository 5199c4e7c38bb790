// Findings for tests of the cache. Only the validator and the codec can make proven ones, so they are built here as
// content octets in the plainest form the codec reads (whole names, nothing shared), which also tests its reading
// against a second writer.
#pragma once

#include <string>
#include <vector>

#include "cache/cache.h"
#include "cache/codec.h"

namespace mxtrust::test {

inline constexpr WallTime start{1'790'000'000};
using std::chrono::seconds;

inline dns::Name name(std::string_view text) {
    return dns::Name::from_text(text).value();
}
inline Bytes rdata(dns::Type type, std::string_view text) {
    return dns::rdata_from_text(type, text).value();
}

/// An RRSIG's rdata with these fields and a signature of 64 octets.
inline Bytes signature(dns::Type covered, const dns::Name& signer, std::uint8_t fill = 0x5A) {
    Writer out;
    out.u16(static_cast<std::uint16_t>(covered));
    out.u8(13);
    out.u8(2);
    out.u32(3600);
    out.u32(1'800'000'000);
    out.u32(1'780'000'000);
    out.u16(4711);
    out.bytes(signer.wire());
    out.bytes(Bytes(64, fill));
    return std::move(out).finish();
}

inline dns::RRsetRef rrset(std::string_view owner, dns::Type type, const std::vector<std::string>& records,
                           std::string_view signer = "") {
    auto set = std::make_shared<dns::RRset>();
    set->owner = name(owner);
    set->type = type;
    set->ttl = dns::Ttl(3600);
    for (const std::string& record : records) set->records.push_back(rdata(type, record));
    if (!signer.empty()) set->signatures.push_back(signature(type, name(signer)));
    return set;
}

namespace plain {

inline void number(Writer& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.u8(static_cast<std::uint8_t>((value & 0x7F) | 0x80));
        value >>= 7;
    }
    out.u8(static_cast<std::uint8_t>(value));
}
inline void whole_name(Writer& out, const dns::Name& value) {
    out.u8(0);
    out.bytes(value.wire());
}
inline void set(Writer& out, const dns::RRset& value) {
    whole_name(out, value.owner);
    number(out, static_cast<std::uint16_t>(value.type));
    number(out, value.ttl.count());
    number(out, value.records.size());
    for (const Bytes& octets : value.records) {
        number(out, octets.size() << 1);
        out.bytes(octets);
    }
    number(out, value.signatures.size());
    for (const Bytes& octets : value.signatures) {
        number(out, octets.size() << 1);
        out.bytes(octets);
    }
}

}  // namespace plain

/// Any proven finding. parts.rcode must be the outcome's own.
inline dnssec::FindingRef proven(dnssec::Security security, const dnssec::Finding::Parts& parts) {
    Writer out;
    out.u8(static_cast<std::uint8_t>((parts.rrset ? 1 : 0) | (parts.proof.empty() ? 0 : 2)));
    plain::whole_name(out, parts.zone);
    if (parts.rrset) plain::set(out, *parts.rrset);
    if (!parts.proof.empty()) {
        plain::number(out, parts.proof.size());
        for (const auto& set : parts.proof) plain::set(out, *set);
    }
    const Bytes content = std::move(out).finish();
    return cache::Codec::decode(content, parts.name, parts.type, {security, parts.outcome, parts.expires}).value();
}

struct Wanted {
    dnssec::Security security = dnssec::Security::secure;
    WallTime expires = start + seconds(3600);
    std::string zone = "example.org";
};

inline dnssec::FindingRef records(std::string_view owner, dns::Type type, const std::vector<std::string>& data,
                                  const Wanted& wanted = {}) {
    const bool is_signed = wanted.security == dnssec::Security::secure;
    return proven(wanted.security, {.name = name(owner),
                                    .type = type,
                                    .outcome = dnssec::Outcome::records,
                                    .rrset = rrset(owner, type, data, is_signed ? wanted.zone : ""),
                                    .zone = name(wanted.zone),
                                    .expires = wanted.expires});
}

/// A finding for `asked` whose set has another owner or type.
inline dnssec::FindingRef alias(std::string_view asked, dns::Type type, const dns::RRsetRef& set,
                                const Wanted& wanted = {}) {
    return proven(wanted.security, {.name = name(asked),
                                    .type = type,
                                    .outcome = dnssec::Outcome::records,
                                    .rrset = set,
                                    .zone = name(wanted.zone),
                                    .expires = wanted.expires});
}

inline std::vector<dns::RRsetRef> some_proof(const std::string& zone) {
    return {rrset(zone, dns::Type::soa, {"ns." + zone + ". host." + zone + ". 1 2 3 4 5"}, zone),
            rrset("a." + zone, dns::Type::nsec, {"z." + zone + ". A RRSIG NSEC"}, zone)};
}

inline dnssec::FindingRef denial(std::string_view owner, dns::Type type, dnssec::Outcome outcome,
                                 const Wanted& wanted = {}) {
    return proven(wanted.security, {.name = name(owner),
                                    .type = type,
                                    .outcome = outcome,
                                    .proof = some_proof(wanted.zone),
                                    .zone = name(wanted.zone),
                                    .expires = wanted.expires});
}

inline dnssec::FindingRef nodata(std::string_view owner, dns::Type type, const Wanted& wanted = {}) {
    return denial(owner, type, dnssec::Outcome::nodata, wanted);
}
inline dnssec::FindingRef nxdomain(std::string_view owner, dns::Type type, const Wanted& wanted = {}) {
    return denial(owner, type, dnssec::Outcome::nxdomain, wanted);
}

inline dnssec::Finding::Parts trouble(std::string_view owner, dns::Type type, WallTime expires) {
    dnssec::Reason reason;
    reason.code = Code("TEST");
    reason.ede = dns::Ede::signature_expired;
    reason.text = "the signature of its zone has expired";
    reason.zone = name("example.org");
    reason.server = "ns1.example.org (192.0.2.1)";
    reason.key_tag = std::uint16_t{20326};
    reason.when = start - seconds(86400);
    return {.name = name(owner),
            .type = type,
            .outcome = dnssec::Outcome::failure,
            .rcode = dns::Rcode::servfail,
            .zone = name("example.org"),
            .reason = reason,
            .expires = expires};
}
inline dnssec::FindingRef bogus(std::string_view owner, dns::Type type, WallTime expires = start + seconds(60)) {
    return dnssec::Finding::bogus(trouble(owner, type, expires));
}
inline dnssec::FindingRef failure(std::string_view owner, dns::Type type, WallTime expires = start + seconds(5)) {
    return dnssec::Finding::failure(trouble(owner, type, expires));
}

inline bool same_sets(const dns::RRsetRef& left, const dns::RRsetRef& right) {
    return (!left && !right) || (left && right && *left == *right);
}

inline bool same(const dnssec::Finding& left, const dnssec::Finding& right) {
    if (left.name() != right.name() || left.type() != right.type() || left.security() != right.security()) return false;
    if (left.outcome() != right.outcome() || left.rcode() != right.rcode() || left.zone() != right.zone()) return false;
    if (!(left.reason() == right.reason()) || left.expires() != right.expires()) return false;
    if (!same_sets(left.rrset(), right.rrset()) || left.proof().size() != right.proof().size()) return false;
    for (std::size_t index = 0; index < left.proof().size(); ++index) {
        if (!same_sets(left.proof()[index], right.proof()[index])) return false;
    }
    return true;
}

inline cache::ZoneCut cut(std::string_view zone, WallTime expires = start + seconds(86400)) {
    const std::string text(zone);
    return {.zone = name(zone),
            .parent = name(zone).parent(),
            .servers = {{name("ns1." + text),
                         {Address::from_text("192.0.2.1").value(), Address::from_text("2001:db8::1").value()}},
                        {name("ns.elsewhere.example"), {}}},
            .expires = expires};
}

}  // namespace mxtrust::test
