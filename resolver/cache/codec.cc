// See codec.h.
#include "cache/codec.h"

#include <memory>

#include "cache/checksum.h"
#include "cache/codec_parts.h"

namespace mxtrust::cache {
namespace {

using namespace codec;
using dnssec::Finding;
using dnssec::FindingRef;
using dnssec::Outcome;
using dnssec::Reason;
using dnssec::Security;

constexpr std::uint64_t most_proof_sets = 1024;
constexpr std::uint64_t most_servers = 1024;
constexpr std::size_t usual_octets = 256;  // of a finding: there is room for it from the start

// --- Reasons: most findings have none.
enum ReasonPart : std::uint8_t { has_ede = 1, has_zone = 2, has_key_tag = 4, has_when = 8, has_record = 16 };

void put_reason(Writer& out, const Reason& reason, const dns::Name& base) {
    std::uint8_t parts = 0;
    if (reason.ede) parts |= has_ede;
    if (reason.zone) parts |= has_zone;
    if (reason.key_tag) parts |= has_key_tag;
    if (reason.when) parts |= has_when;
    if (!reason.record.empty()) parts |= has_record;
    out.u8(parts);
    out.bytes(reason.code.view());
    put_text(out, reason.text);
    put_text(out, reason.server);
    if (reason.ede) out.u16(static_cast<std::uint16_t>(*reason.ede));
    if (reason.zone) put_name(out, *reason.zone, base);
    if (reason.key_tag) out.u16(*reason.key_tag);
    if (reason.when) out.u64(static_cast<std::uint64_t>(reason.when->seconds));
    if (!reason.record.empty()) put_text(out, reason.record);
}

/// The optional parts, in the order of put_reason.
Done get_reason_parts(Reader& in, std::uint8_t parts, Reason& reason, const dns::Name& base) {
    if ((parts & has_ede) != 0) {
        const auto ede = in.u16();
        if (!ede) return fail(ede.error());
        reason.ede = dns::Ede{*ede};
    }
    if ((parts & has_zone) != 0) {
        auto zone = get_name(in, base);
        if (!zone) return fail(zone.error());
        reason.zone = std::move(*zone);
    }
    if ((parts & has_key_tag) != 0) {
        const auto tag = in.u16();
        if (!tag) return fail(tag.error());
        reason.key_tag = *tag;
    }
    if ((parts & has_when) != 0) {
        const auto when = in.u64();
        if (!when) return fail(when.error());
        reason.when = WallTime{static_cast<std::int64_t>(*when)};
    }
    if ((parts & has_record) != 0) {
        auto record = get_text(in);
        if (!record) return fail(record.error());
        reason.record = std::move(*record);
    }
    return {};
}

Result<Reason> get_reason(Reader& in, const dns::Name& base) {
    const auto parts = in.u8();
    if (!parts) return fail(parts.error());
    if (*parts > 31) return fail(FailureKind::malformed, "KRSN"_code, "reason with unknown parts in a cache record");
    const auto code = in.take(4);
    if (!code) return fail(code.error());
    auto text = get_text(in);
    if (!text) return fail(text.error());
    auto server = get_text(in);
    if (!server) return fail(server.error());
    Reason reason{.code = Code(as_text(*code)), .text = std::move(*text), .server = std::move(*server)};
    const auto rest = get_reason_parts(in, *parts, reason, base);
    if (!rest) return fail(rest.error());
    return reason;
}

// --- Findings.
enum FindingPart : std::uint8_t { has_rrset = 1, has_proof = 2, has_reason = 4, has_rcode = 8 };

/// The rcode that goes without saying.
dns::Rcode usual_rcode(Outcome outcome) {
    switch (outcome) {
        case Outcome::records:
        case Outcome::nodata:
            return dns::Rcode::noerror;
        case Outcome::nxdomain:
            return dns::Rcode::nxdomain;
        case Outcome::failure:
            return dns::Rcode::servfail;
    }
    return dns::Rcode::servfail;
}

std::uint8_t parts_of(const Finding& finding) {
    std::uint8_t parts = 0;
    if (finding.rrset()) parts |= has_rrset;
    if (!finding.proof().empty()) parts |= has_proof;
    if (finding.reason() != Reason{}) parts |= has_reason;
    if (finding.rcode() != usual_rcode(finding.outcome())) parts |= has_rcode;
    return parts;
}

/// In the place of a set's first octet, which is never so large: the set is on the shelf.
constexpr std::uint8_t on_shelf = 0xFF;

void put_mark(Writer& out, const ShelfMark& mark, const dns::Name& base) {
    out.u8(on_shelf);
    put_number(out, static_cast<std::uint16_t>(mark.type));
    put_name(out, mark.owner, base);
    out.u32(mark.version);
}

Result<dns::RRsetRef> get_marked(Reader& in, const Finding::Parts& parts, Shelf* shelf) {
    in.seek(in.position() + 1);
    const auto type = get_number(in, 0xFFFF);
    if (!type) return fail(type.error());
    auto owner = get_name(in, parts.name);
    if (!owner) return fail(owner.error());
    const auto version = in.u32();
    if (!version) return fail(version.error());
    if (!owner->is_within(parts.zone))
        return fail(FailureKind::malformed, "KMRK"_code, "set of another zone in a cache record");
    const ShelfMark mark{parts.zone, dns::Type{static_cast<std::uint16_t>(*type)}, std::move(*owner), *version};
    dns::RRsetRef set = shelf != nullptr ? shelf->take(mark) : nullptr;
    if (!set) return fail(FailureKind::unreachable, "KSHF"_code, "a set of a cached proof is gone");
    return set;
}

Result<dns::RRsetRef> get_set(Reader& in, const Finding::Parts& parts, Shelf* shelf) {
    const bool is_marked = !in.done() && in.whole()[in.position()] == on_shelf;
    return is_marked ? get_marked(in, parts, shelf) : get_rrset(in, {parts.name, parts.zone});
}

Done get_proof(Reader& in, Finding::Parts& parts, Shelf* shelf) {
    const auto sets = get_number(in, most_proof_sets);
    if (!sets) return fail(sets.error());
    for (std::uint64_t index = 0; index < *sets; ++index) {
        auto set = get_set(in, parts, shelf);
        if (!set) return fail(set.error());
        parts.proof.push_back(std::move(*set));
    }
    return {};
}

/// What was marked as present, in the order of encode.
Done get_parts(Reader& in, std::uint8_t present, Finding::Parts& parts, Shelf* shelf) {
    if ((present & has_rcode) != 0) {
        const auto rcode = in.u16();
        if (!rcode) return fail(rcode.error());
        parts.rcode = dns::Rcode{*rcode};
    }
    auto zone = get_name(in, parts.name);
    if (!zone) return fail(zone.error());
    parts.zone = std::move(*zone);
    if ((present & has_reason) != 0) {
        auto reason = get_reason(in, parts.name);
        if (!reason) return fail(reason.error());
        parts.reason = std::move(*reason);
    }
    if ((present & has_rrset) != 0) {
        auto set = get_set(in, parts, shelf);
        if (!set) return fail(set.error());
        parts.rrset = std::move(*set);
    }
    if ((present & has_proof) != 0) return get_proof(in, parts, shelf);
    return {};
}

/// What cannot be in any finding that was ever made; a record that says so is not believed, whatever its checksum.
bool is_contradictory(Security security, const Finding::Parts& parts) {
    const bool proven = security == Security::secure || security == Security::insecure;
    if (!proven && (parts.rrset || !parts.proof.empty())) return true;
    if (security == Security::secure && parts.outcome == Outcome::failure) return true;
    if (security == Security::indeterminate && parts.outcome != Outcome::failure) return true;
    return proven && (parts.outcome == Outcome::records) != (parts.rrset != nullptr);
}

}  // namespace

std::uint32_t Codec::version_of(const dns::RRset& set, const dns::Name& zone) {
    Writer out(usual_octets);
    put_rrset(out, set, {set.owner, zone});
    Checksum sum;
    sum.add(out.view());
    return static_cast<std::uint32_t>(sum.value() ^ sum.value() >> 32);
}

/// A set that denials rest on. One of a secure finding's proof was proven with it (RFC 4035 5.4): as a finding of its
/// own.
void Codec::put_shared_set(Writer& out, const Finding& finding, const dns::RRsetRef& set, Shelf* shelf) {
    const bool is_denial = set->type == dns::Type::nsec || set->type == dns::Type::nsec3 || set->type == dns::Type::soa;
    if (shelf != nullptr && finding.is_secure() && is_denial && set->owner.is_within(finding.zone())) {
        const ShelfMark mark{finding.zone(), set->type, set->owner, version_of(*set, finding.zone())};
        Finding::Parts parts{.name = set->owner,
                             .type = set->type,
                             .outcome = Outcome::records,
                             .rcode = dns::Rcode::noerror,
                             .rrset = set,
                             .zone = finding.zone(),
                             .expires = finding.expires()};
        if (shelf->keeps(mark, Finding::proven(dnssec::ProofKey(), Security::secure, std::move(parts)))) {
            put_mark(out, mark, finding.name());
            return;
        }
    }
    put_rrset(out, *set, {finding.name(), finding.zone()});
}

Bytes Codec::encode(const Finding& finding, Shelf* shelf) {
    Writer out(usual_octets);
    out.u8(parts_of(finding));
    if (finding.rcode() != usual_rcode(finding.outcome())) out.u16(static_cast<std::uint16_t>(finding.rcode()));
    put_name(out, finding.zone(), finding.name());
    if (finding.reason() != Reason{}) put_reason(out, finding.reason(), finding.name());
    const Names names{finding.name(), finding.zone()};
    if (finding.rrset() && finding.rrset()->type == dns::Type::soa) {
        put_shared_set(out, finding, finding.rrset(), shelf);
    } else if (finding.rrset()) {
        put_rrset(out, *finding.rrset(), names);
    }
    if (!finding.proof().empty()) {
        put_number(out, finding.proof().size());
        for (const dns::RRsetRef& set : finding.proof()) put_shared_set(out, finding, set, shelf);
    }
    return std::move(out).finish();
}

Result<FindingRef> Codec::decode(BytesView content, const dns::Name& name, dns::Type type, const Standing& standing,
                                 Shelf* shelf) {
    const Security security = standing.security;
    const Outcome outcome = standing.outcome;
    Reader in(content);
    const auto present = in.u8();
    if (!present) return fail(present.error());
    if (*present > 15) return fail(FailureKind::malformed, "KFND"_code, "finding with unknown parts in a cache record");
    Finding::Parts parts{
        .name = name, .type = type, .outcome = outcome, .rcode = usual_rcode(outcome), .expires = standing.expires};
    const auto rest = get_parts(in, *present, parts, shelf);
    if (!rest) return fail(rest.error());
    if (!in.done()) return fail(FailureKind::malformed, "KEND"_code, "octets left over in a cache record");
    if (is_contradictory(security, parts))
        return fail(FailureKind::malformed, "KCON"_code, "contradiction in a cache record");
    switch (security) {
        case Security::secure:
        case Security::insecure:
            return Finding::proven(dnssec::ProofKey(), security, std::move(parts));
        case Security::bogus:
            return Finding::bogus(std::move(parts));
        case Security::indeterminate:
            return Finding::failure(std::move(parts));
    }
    return fail(FailureKind::malformed, "KSEC"_code, "unknown security state in a cache record");
}

Bytes Codec::encode(const ZoneCut& cut) {
    Writer out(usual_octets);
    put_name(out, cut.parent, cut.zone);
    put_number(out, cut.servers.size());
    for (const NameServer& server : cut.servers) {
        put_name(out, server.name, cut.zone);
        put_number(out, server.addresses.size());
        for (const Address& address : server.addresses) put_octets(out, address.octets());
    }
    return std::move(out).finish();
}

namespace {

Result<NameServer> get_server(Reader& in, const dns::Name& zone) {
    auto name = get_name(in, zone);
    if (!name) return fail(name.error());
    NameServer server{.name = std::move(*name), .addresses = {}};
    const auto addresses = get_number(in, most_servers);
    if (!addresses) return fail(addresses.error());
    for (std::uint64_t index = 0; index < *addresses; ++index) {
        const auto octets = get_octets(in);
        if (!octets) return fail(octets.error());
        const auto address = Address::from_rdata(*octets);
        if (!address) return fail(address.error());
        server.addresses.push_back(*address);
    }
    return server;
}

}  // namespace

Result<ZoneCut> Codec::decode_cut(BytesView content, const dns::Name& zone, WallTime expires) {
    Reader in(content);
    auto parent = get_name(in, zone);
    if (!parent) return fail(parent.error());
    ZoneCut cut{.zone = zone, .parent = std::move(*parent), .servers = {}, .expires = expires};
    const auto servers = get_number(in, most_servers);
    if (!servers) return fail(servers.error());
    for (std::uint64_t index = 0; index < *servers; ++index) {
        auto server = get_server(in, zone);
        if (!server) return fail(server.error());
        cut.servers.push_back(std::move(*server));
    }
    if (!in.done()) return fail(FailureKind::malformed, "KCUT"_code, "octets left over in a cached zone cut");
    return cut;
}

FindingRef Codec::dname_of(const Finding& finding) {
    const bool proven = finding.security() == Security::secure || finding.security() == Security::insecure;
    if (!proven || finding.outcome() != Outcome::records || !finding.proof().empty()) return nullptr;
    const dns::RRsetRef& set = finding.rrset();
    if (!set || set->type != dns::Type::dname || !finding.name().is_below(set->owner)) return nullptr;
    Finding::Parts parts{.name = set->owner,
                         .type = dns::Type::dname,
                         .outcome = Outcome::records,
                         .rcode = dns::Rcode::noerror,
                         .rrset = set,
                         .zone = finding.zone(),
                         .reason = finding.reason(),
                         .expires = finding.expires()};
    return Finding::proven(dnssec::ProofKey(), finding.security(), std::move(parts));
}

}  // namespace mxtrust::cache
