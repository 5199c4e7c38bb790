// See codec.h. Numbers are variable-length (seven bits an octet, low first); names are relative to the name of the key.
#include "cache/codec.h"

#include <memory>

namespace mxtrust::cache {
namespace {

using dnssec::Finding;
using dnssec::FindingRef;
using dnssec::Outcome;
using dnssec::Reason;
using dnssec::Security;

// Limits of what decode believes; far above what the validator lets through (attacks.md: 256 records to a set).
constexpr std::uint64_t most_records = 65535;
constexpr std::uint64_t most_proof_sets = 1024;
constexpr std::uint64_t most_servers = 1024;
constexpr std::uint64_t most_octets = 65535;

void put_number(Writer& out, std::uint64_t number) {
    while (number >= 0x80) {
        out.u8(static_cast<std::uint8_t>((number & 0x7F) | 0x80));
        number >>= 7;
    }
    out.u8(static_cast<std::uint8_t>(number));
}

Result<std::uint64_t> get_number(Reader& in, std::uint64_t most) {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        const auto octet = in.u8();
        if (!octet) return fail(octet.error());
        number |= std::uint64_t{*octet & 0x7FU} << shift;
        if ((*octet & 0x80) != 0) continue;
        if (number > most) return fail(FailureKind::malformed, "KNUM"_code, "number above its limit in a cache record");
        if (*octet == 0 && shift > 0)
            return fail(FailureKind::malformed, "KNUL"_code, "number with idle octets in a cache record");
        return number;
    }
    return fail(FailureKind::malformed, "KNUB"_code, "number too long in a cache record");
}

void put_octets(Writer& out, BytesView octets) {
    put_number(out, octets.size());
    out.bytes(octets);
}

Result<BytesView> get_octets(Reader& in) {
    const auto length = get_number(in, most_octets);
    if (!length) return fail(length.error());
    return in.take(*length);
}

void put_text(Writer& out, std::string_view text) {
    put_octets(out, as_bytes(text.substr(0, most_octets)));
}

Result<std::string> get_text(Reader& in) {
    const auto octets = get_octets(in);
    if (!octets) return fail(octets.error());
    return std::string(as_text(*octets));
}

/// How many of the base's last labels follow, then the labels before these, each with its length, and a zero.
void put_name(Writer& out, const dns::Name& name, const dns::Name& base) {
    const dns::Name shared = name.common_ancestor(base);
    out.u8(static_cast<std::uint8_t>(shared.label_count()));
    out.bytes(name.wire().first(name.wire().size() - shared.wire().size()));
    out.u8(0);
}

Result<dns::Name> get_name(Reader& in, const dns::Name& base) {
    const auto shared = in.u8();
    if (!shared) return fail(shared.error());
    if (*shared > base.label_count())
        return fail(FailureKind::malformed, "KNAM"_code, "name shares more than there is");
    const auto front = dns::Name::from_wire(in);
    if (!front) return fail(front.error());
    if (front->is_root()) return base.ancestor(*shared);
    return front->rebase(dns::Name(), base.ancestor(*shared));
}

// --- Signatures: RFC 4034 3.1: type covered (2), algorithm, labels, TTL, expiration, inception, key tag (16), signer,
// signature.
constexpr std::size_t signature_fixed = 18;

/// Whether type covered and signer are the expected ones, octet for octet, and need not be kept.
bool is_regular(BytesView rdata, dns::Type covered, const dns::Name& signer) {
    const auto type = static_cast<std::uint16_t>(covered);
    if (rdata.size() < signature_fixed + signer.wire().size()) return false;
    if (rdata[0] != (type >> 8) || rdata[1] != (type & 0xFF)) return false;
    return as_text(rdata.subspan(signature_fixed, signer.wire().size())) == as_text(signer.wire());
}

void put_signature(Writer& out, BytesView rdata, dns::Type covered, const dns::Name& signer) {
    if (!is_regular(rdata, covered, signer)) {
        put_number(out, rdata.size() << 1);
        out.bytes(rdata);
        return;
    }
    const std::size_t left_out = 2 + signer.wire().size();
    put_number(out, (rdata.size() - left_out) << 1 | 1);
    out.bytes(rdata.subspan(2, signature_fixed - 2));
    out.bytes(rdata.subspan(signature_fixed + signer.wire().size()));
}

Result<Bytes> get_signature(Reader& in, dns::Type covered, const dns::Name& signer) {
    const auto length = get_number(in, most_octets << 1 | 1);
    if (!length) return fail(length.error());
    const auto stored = in.take(*length >> 1);
    if (!stored) return fail(stored.error());
    if ((*length & 1) == 0) return Bytes(stored->begin(), stored->end());
    if (stored->size() < signature_fixed - 2)
        return fail(FailureKind::malformed, "KSIG"_code, "signature too short in a cache record");
    Writer rdata;
    rdata.u16(static_cast<std::uint16_t>(covered));
    rdata.bytes(stored->first(signature_fixed - 2));
    rdata.bytes(signer.wire());
    rdata.bytes(stored->subspan(signature_fixed - 2));
    return std::move(rdata).finish();
}

struct Names {
    const dns::Name& base;    ///< the name in the key
    const dns::Name& signer;  ///< the zone of the finding
};

void put_rrset(Writer& out, const dns::RRset& set, const Names& names) {
    put_name(out, set.owner, names.base);
    put_number(out, static_cast<std::uint16_t>(set.type));
    put_number(out, set.ttl.count());
    put_number(out, set.records.size());
    for (const Bytes& rdata : set.records) put_octets(out, rdata);
    put_number(out, set.signatures.size());
    for (const Bytes& rdata : set.signatures) put_signature(out, rdata, set.type, names.signer);
}

Done get_records(Reader& in, dns::RRset& set, const Names& names) {
    const auto records = get_number(in, most_records);
    if (!records) return fail(records.error());
    for (std::uint64_t index = 0; index < *records; ++index) {
        const auto rdata = get_octets(in);
        if (!rdata) return fail(rdata.error());
        set.records.emplace_back(rdata->begin(), rdata->end());
    }
    const auto signatures = get_number(in, most_records);
    if (!signatures) return fail(signatures.error());
    for (std::uint64_t index = 0; index < *signatures; ++index) {
        auto rdata = get_signature(in, set.type, names.signer);
        if (!rdata) return fail(rdata.error());
        set.signatures.push_back(std::move(*rdata));
    }
    return {};
}

Result<dns::RRsetRef> get_rrset(Reader& in, const Names& names) {
    auto owner = get_name(in, names.base);
    if (!owner) return fail(owner.error());
    const auto type = get_number(in, 0xFFFF);
    if (!type) return fail(type.error());
    const auto ttl = get_number(in, 0xFFFFFFFF);
    if (!ttl) return fail(ttl.error());
    auto set = std::make_shared<dns::RRset>();
    set->owner = std::move(*owner);
    set->type = dns::Type{static_cast<std::uint16_t>(*type)};
    set->ttl = dns::Ttl(static_cast<std::uint32_t>(*ttl));
    const auto rest = get_records(in, *set, names);
    if (!rest) return fail(rest.error());
    return set;
}

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

Done get_proof(Reader& in, Finding::Parts& parts) {
    const auto sets = get_number(in, most_proof_sets);
    if (!sets) return fail(sets.error());
    for (std::uint64_t index = 0; index < *sets; ++index) {
        auto set = get_rrset(in, {parts.name, parts.zone});
        if (!set) return fail(set.error());
        parts.proof.push_back(std::move(*set));
    }
    return {};
}

/// What was marked as present, in the order of encode.
Done get_parts(Reader& in, std::uint8_t present, Finding::Parts& parts) {
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
        auto set = get_rrset(in, {parts.name, parts.zone});
        if (!set) return fail(set.error());
        parts.rrset = std::move(*set);
    }
    if ((present & has_proof) != 0) return get_proof(in, parts);
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

Bytes Codec::encode(const Finding& finding) {
    Writer out;
    out.u8(parts_of(finding));
    if (finding.rcode() != usual_rcode(finding.outcome())) out.u16(static_cast<std::uint16_t>(finding.rcode()));
    put_name(out, finding.zone(), finding.name());
    if (finding.reason() != Reason{}) put_reason(out, finding.reason(), finding.name());
    const Names names{finding.name(), finding.zone()};
    if (finding.rrset()) put_rrset(out, *finding.rrset(), names);
    if (!finding.proof().empty()) {
        put_number(out, finding.proof().size());
        for (const dns::RRsetRef& set : finding.proof()) put_rrset(out, *set, names);
    }
    return std::move(out).finish();
}

Result<FindingRef> Codec::decode(BytesView content, const dns::Name& name, dns::Type type, Security security,
                                 Outcome outcome, WallTime expires) {
    Reader in(content);
    const auto present = in.u8();
    if (!present) return fail(present.error());
    if (*present > 15) return fail(FailureKind::malformed, "KFND"_code, "finding with unknown parts in a cache record");
    Finding::Parts parts{
        .name = name, .type = type, .outcome = outcome, .rcode = usual_rcode(outcome), .expires = expires};
    const auto rest = get_parts(in, *present, parts);
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
    Writer out;
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
