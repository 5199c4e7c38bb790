// Parts that records are made of: numbers, names, rdata, signatures, sets; written and read back. Numbers are of
// variable length (seven bits an octet, low first); names are relative to the name of the key. Of codec.cc only.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "dns/rrset.h"

namespace mxtrust::cache::codec {

// Limits of what reading believes; far above what the validator lets through (attacks.md: 256 records to a set).
inline constexpr std::uint64_t most_records = 65535;
inline constexpr std::uint64_t most_octets = 65535;

struct Names {
    const dns::Name& base;    ///< the name in the key
    const dns::Name& signer;  ///< the zone of the finding
};

void put_number(Writer& out, std::uint64_t number);
Result<std::uint64_t> get_number(Reader& in, std::uint64_t most);
/// With their length before them.
void put_octets(Writer& out, BytesView octets);
Result<BytesView> get_octets(Reader& in);
void put_text(Writer& out, std::string_view text);
Result<std::string> get_text(Reader& in);
/// The first octet is at most dns::Name::most_labels.
void put_name(Writer& out, const dns::Name& name, const dns::Name& base);
Result<dns::Name> get_name(Reader& in, const dns::Name& base);
/// Begins as put_name does.
void put_rrset(Writer& out, const dns::RRset& set, const Names& names);
Result<dns::RRsetRef> get_rrset(Reader& in, const Names& names);

}  // namespace mxtrust::cache::codec
