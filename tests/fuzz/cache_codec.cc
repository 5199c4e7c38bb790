// Content of cache records: whatever the octets, reading them ends, stays within them, and what was understood is
// written and read again as the same. The first octet chooses standing and kind; the rest is content, and also tried as
// a whole record and as an LMDB file.
#include <cstdint>
#include <cstdlib>

#include "cache/codec.h"
#include "cache/file_check.h"
#include "cache/record.h"

using namespace mxtrust;
using namespace mxtrust::cache;

namespace {

void must(bool holds) {
    if (!holds) std::abort();
}

void try_finding(BytesView content, std::uint8_t choice, const dns::Name& name) {
    const auto security = static_cast<dnssec::Security>(choice & 3);
    const auto outcome = static_cast<dnssec::Outcome>(choice >> 2 & 3);
    const auto finding = Codec::decode(content, name, dns::Type::mx, {security, outcome, {1}});
    if (!finding) return;
    const Bytes once = Codec::encode(**finding);
    const auto again = Codec::decode(once, name, dns::Type::mx, {(*finding)->security(), (*finding)->outcome(), {1}});
    must(again.has_value());
    must(Codec::encode(**again) == once);
    static_cast<void>(Codec::dname_of(**again));
    if ((*again)->is_alias()) static_cast<void>((*again)->alias_rrset());
}

void try_cut(BytesView content, const dns::Name& name) {
    const auto cut = Codec::decode_cut(content, name, {1});
    if (!cut) return;
    const auto again = Codec::decode_cut(Codec::encode(*cut), name, {1});
    must(again && *again == *cut);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const dns::Name name = dns::Name::from_text("mail.example.org").value();
    if (size == 0) return 0;
    const BytesView content(data + 1, size - 1);
    if ((data[0] & 0x80) != 0) {
        try_cut(content, name);
    } else {
        try_finding(content, data[0], name);
    }
    const Opened opened = open_record("key", content, Epoch(std::string_view("a")), {1});
    must(opened.fitness == Fitness::good || opened.content.empty());
    static_cast<void>(check_file(content));
    return 0;
}
