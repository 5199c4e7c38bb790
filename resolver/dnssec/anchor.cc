// Anchors from text. Told with the line's number, because people write these files.
#include "dnssec/anchor.h"

#include <algorithm>
#include <charconv>

#include "dnssec/signature.h"

namespace mxtrust::dnssec {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Takes the first word off.
std::string_view next_word(std::string_view& text) {
    text = trim(text);
    const std::size_t end = std::min(text.find_first_of(blanks), text.size());
    const std::string_view word = text.substr(0, end);
    text = trim(text.substr(end));
    return word;
}

bool is_number(std::string_view word) {
    return !word.empty() && std::ranges::all_of(word, [](char letter) { return letter >= '0' && letter <= '9'; });
}

bool is_class_in(std::string_view word) {
    return word == "IN" || word == "in";
}

tl::unexpected<Failure> wrong(Code code, std::size_t line, const std::string& what) {
    return fail(FailureKind::malformed, code, "trust anchor, line " + std::to_string(line) + ": " + what);
}

Result<TrustAnchor> parse_record(std::string_view text, std::size_t line) {
    const std::string_view owner = next_word(text);
    Result<dns::Name> zone = dns::Name::from_text(owner);
    if (!zone) return wrong("VATN"_code, line, zone.error().text);
    std::string_view word = next_word(text);
    while (is_number(word) || is_class_in(word)) word = next_word(text);
    const Result<dns::Type> type = dns::type_from_text(word);
    if (!type || (*type != dns::Type::ds && *type != dns::Type::dnskey)) {
        return wrong("VATT"_code, line, "a DS or DNSKEY record of class IN is expected");
    }
    const Result<Bytes> rdata = dns::rdata_from_text(*type, text);
    if (!rdata) return wrong("VATR"_code, line, rdata.error().text);
    TrustAnchor anchor{std::move(*zone), {}, {}};
    if (*type == dns::Type::ds) {
        Result<dns::Ds> ds = dns::parse_ds(*rdata);
        if (!ds) return wrong("VATD"_code, line, ds.error().text);
        if (ds->digest.empty()) return wrong("VATG"_code, line, "the DS has no digest");
        anchor.ds.push_back(std::move(*ds));
        return anchor;
    }
    Result<dns::Dnskey> key = dns::parse_dnskey(*rdata);
    if (!key) return wrong("VATK"_code, line, key.error().text);
    if (!may_sign(*key)) return wrong("VATS"_code, line, "the DNSKEY is revoked or no zone key and must not sign");
    anchor.keys.push_back(std::move(*key));
    return anchor;
}

/// Cuts the comment off; neither character occurs in DS or DNSKEY rdata, and a zone's name with one is written escaped.
std::string_view without_comment(std::string_view line) {
    std::size_t end = line.find_first_of(";#");
    while (end != std::string_view::npos && end > 0 && line[end - 1] == '\\') end = line.find_first_of(";#", end + 1);
    return trim(line.substr(0, std::min(end, line.size())));
}

}  // namespace

Result<TrustAnchors> TrustAnchors::parse(std::string_view text) {
    if (text.size() > most_anchor_octets) {
        return fail(FailureKind::malformed, "VATL"_code, "trust anchors are longer than 64 KiB");
    }
    TrustAnchors anchors;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view record = without_comment(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (record.empty()) continue;
        Result<TrustAnchor> anchor = parse_record(record, line);
        if (!anchor) return fail(anchor.error());
        anchors.add(std::move(*anchor));
    }
    return anchors;
}

Result<TrustAnchor> parse_anchor(std::string_view text) {
    const Result<TrustAnchors> anchors = TrustAnchors::parse(text);
    if (!anchors) return fail(anchors.error());
    if (anchors->all().size() != 1) {
        return fail(FailureKind::malformed, "VATO"_code, "trust anchor: records of exactly one zone are expected");
    }
    return anchors->all().begin()->second;
}

void TrustAnchors::add(TrustAnchor anchor) {
    auto [place, is_new] = anchors_.try_emplace(anchor.zone, anchor);
    if (is_new) return;
    TrustAnchor& known = place->second;
    std::ranges::move(anchor.ds, std::back_inserter(known.ds));
    std::ranges::move(anchor.keys, std::back_inserter(known.keys));
}

const TrustAnchor* TrustAnchors::closest(const dns::Name& name) const {
    for (std::size_t labels = name.label_count() + 1; labels-- > 0;) {
        const auto found = anchors_.find(name.ancestor(labels));
        if (found != anchors_.end()) return &found->second;
    }
    return nullptr;
}

}  // namespace mxtrust::dnssec
