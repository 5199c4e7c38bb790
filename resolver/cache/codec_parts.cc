// See codec_parts.h.
#include "cache/codec_parts.h"

#include <memory>
#include <optional>

namespace mxtrust::cache::codec {

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

namespace {

// --- Rdata: as it is, or, marked by the lowest bit of its length, with its names relative to the name of the key.
// Letters keep their case: only what is the same octet for octet is left out.

/// Where names stand in rdata (RFC 1035 3.3, RFC 4034 4.1): after so many octets, so many of them.
struct NamePlaces {
    std::size_t before = 0, names = 0;
};
NamePlaces name_places(dns::Type type) {
    if (type == dns::Type::mx) return {2, 1};
    if (type == dns::Type::soa) return {0, 2};
    const bool is_one =
        type == dns::Type::ns || type == dns::Type::cname || type == dns::Type::dname || type == dns::Type::nsec;
    return {0, is_one ? 1U : 0U};
}

/// How many octets the uncompressed name at the front has; nothing where there is none.
std::optional<std::size_t> name_octets(BytesView octets) {
    std::size_t at = 0;
    while (at < octets.size() && octets[at] != 0) {
        if (octets[at] > 63) return std::nullopt;
        at += 1 + std::size_t{octets[at]};
    }
    if (at >= octets.size() || at >= dns::Name::most_octets) return std::nullopt;
    return at + 1;
}

/// Like put_name, for a name as it is written in rdata.
void put_written_name(Writer& out, BytesView written, const dns::Name& base) {
    std::size_t at = 0;
    for (;; at += 1 + std::size_t{written[at]}) {
        const BytesView end = written.subspan(at);
        const BytesView whole = base.wire();
        if (end.size() <= whole.size() && as_text(whole.last(end.size())) == as_text(end)) {
            // It ends like the base, at a label's beginning in both, unless octets of a label look like lengths.
            for (std::size_t labels = 0; labels <= base.label_count(); ++labels) {
                if (base.ancestor(labels).wire().size() != end.size()) continue;
                out.u8(static_cast<std::uint8_t>(labels));
                out.bytes(written.first(at));
                out.u8(0);
                return;
            }
        }
    }
}

Done get_written_name(Reader& in, Writer& rdata, const dns::Name& base) {
    const auto shared = in.u8();
    if (!shared) return fail(shared.error());
    const auto octets = name_octets(in.whole().subspan(in.position()));
    if (!octets || *shared > base.label_count())
        return fail(FailureKind::malformed, "KWRN"_code, "impossible name in the rdata of a cache record");
    const dns::Name end = base.ancestor(*shared);
    if (*octets - 1 + end.wire().size() > dns::Name::most_octets)
        return fail(FailureKind::malformed, "KWRL"_code, "name too long in the rdata of a cache record");
    rdata.bytes(in.take(*octets)->first(*octets - 1));
    rdata.bytes(end.wire());
    return {};
}

/// Nothing where the rdata is not what its type makes expect, or nothing is gained.
std::optional<Bytes> shorter_rdata(BytesView rdata, dns::Type type, const dns::Name& base) {
    const NamePlaces places = name_places(type);
    if (places.names == 0 || rdata.size() < places.before) return std::nullopt;
    Writer out(rdata.size());
    out.bytes(rdata.first(places.before));
    BytesView rest = rdata.subspan(places.before);
    for (std::size_t count = 0; count < places.names; ++count) {
        const auto octets = name_octets(rest);
        if (!octets) return std::nullopt;
        put_written_name(out, rest.first(*octets), base);
        rest = rest.subspan(*octets);
    }
    out.bytes(rest);
    if (out.size() >= rdata.size()) return std::nullopt;
    return std::move(out).finish();
}

void put_rdata(Writer& out, BytesView rdata, dns::Type type, const dns::Name& base) {
    const std::optional<Bytes> shorter = shorter_rdata(rdata, type, base);
    put_number(out, shorter ? shorter->size() << 1 | 1 : rdata.size() << 1);
    out.bytes(shorter ? BytesView(*shorter) : rdata);
}

Result<Bytes> get_rdata(Reader& in, dns::Type type, const dns::Name& base) {
    const auto length = get_number(in, most_octets << 1 | 1);
    if (!length) return fail(length.error());
    const auto stored = in.take(*length >> 1);
    if (!stored) return fail(stored.error());
    if ((*length & 1) == 0) return Bytes(stored->begin(), stored->end());
    const NamePlaces places = name_places(type);
    Reader front(*stored);
    const auto before = front.take(places.before);
    if (!before || places.names == 0)
        return fail(FailureKind::malformed, "KRDN"_code, "rdata without names in a cache record");
    Writer rdata(stored->size() + base.wire().size());
    rdata.bytes(*before);
    for (std::size_t count = 0; count < places.names; ++count) {
        if (auto good = get_written_name(front, rdata, base); !good) return fail(good.error());
    }
    rdata.bytes(front.rest());
    return std::move(rdata).finish();
}

// --- Signatures: RFC 4034 3.1: type covered (2), algorithm, labels, TTL (4), expiration (4), inception (4), key tag
// (2), signer, signature. Regular is one whose type, labels, TTL and signer are those of its set and zone.
constexpr std::size_t signature_fixed = 18, signature_times = 8, times_octets = 10;

Bytes regular_front(const dns::RRset& set, std::uint8_t algorithm) {
    const bool is_wildcard = set.owner.is_wildcard();
    Writer out(signature_fixed);
    out.u16(static_cast<std::uint16_t>(set.type));
    out.u8(algorithm);
    out.u8(static_cast<std::uint8_t>(set.owner.label_count() - (is_wildcard ? 1 : 0)));
    out.u32(set.ttl.count());
    return std::move(out).finish();
}

bool is_regular(BytesView rdata, const dns::RRset& set, const dns::Name& signer) {
    if (rdata.size() < signature_fixed + signer.wire().size()) return false;
    return as_text(rdata.first(signature_times)) == as_text(regular_front(set, rdata[2])) &&
           as_text(rdata.subspan(signature_fixed, signer.wire().size())) == as_text(signer.wire());
}

void put_signature(Writer& out, BytesView rdata, const dns::RRset& set, const dns::Name& signer) {
    if (!is_regular(rdata, set, signer)) {
        put_number(out, rdata.size() << 1);
        out.bytes(rdata);
        return;
    }
    const BytesView own = rdata.subspan(signature_fixed + signer.wire().size());
    put_number(out, (1 + times_octets + own.size()) << 1 | 1);
    out.u8(rdata[2]);
    out.bytes(rdata.subspan(signature_times, times_octets));
    out.bytes(own);
}

Result<Bytes> get_signature(Reader& in, const dns::RRset& set, const dns::Name& signer) {
    const auto length = get_number(in, most_octets << 1 | 1);
    if (!length) return fail(length.error());
    const auto stored = in.take(*length >> 1);
    if (!stored) return fail(stored.error());
    if ((*length & 1) == 0) return Bytes(stored->begin(), stored->end());
    if (stored->size() < 1 + times_octets)
        return fail(FailureKind::malformed, "KSIG"_code, "signature too short in a cache record");
    Writer rdata(signature_fixed + stored->size() + signer.wire().size());
    rdata.bytes(regular_front(set, stored->front()));
    rdata.bytes(stored->subspan(1, times_octets));
    rdata.bytes(signer.wire());
    rdata.bytes(stored->subspan(1 + times_octets));
    return std::move(rdata).finish();
}

}  // namespace

void put_rrset(Writer& out, const dns::RRset& set, const Names& names) {
    put_name(out, set.owner, names.base);
    put_number(out, static_cast<std::uint16_t>(set.type));
    put_number(out, set.ttl.count());
    put_number(out, set.records.size());
    for (const Bytes& rdata : set.records) put_rdata(out, rdata, set.type, names.base);
    put_number(out, set.signatures.size());
    for (const Bytes& rdata : set.signatures) put_signature(out, rdata, set, names.signer);
}

namespace {

Done get_records(Reader& in, dns::RRset& set, const Names& names) {
    const auto records = get_number(in, most_records);
    if (!records) return fail(records.error());
    for (std::uint64_t index = 0; index < *records; ++index) {
        auto rdata = get_rdata(in, set.type, names.base);
        if (!rdata) return fail(rdata.error());
        set.records.push_back(std::move(*rdata));
    }
    const auto signatures = get_number(in, most_records);
    if (!signatures) return fail(signatures.error());
    for (std::uint64_t index = 0; index < *signatures; ++index) {
        auto rdata = get_signature(in, set, names.signer);
        if (!rdata) return fail(rdata.error());
        set.signatures.push_back(std::move(*rdata));
    }
    return {};
}

}  // namespace

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

}  // namespace mxtrust::cache::codec
