// Two octets of type, then any octets as its RDATA: from a message, from the cache, and as text.
#include <cstdint>

#include "base/require.h"
#include "dns/rdata.h"

using namespace mxtrust;
using namespace mxtrust::dns;

namespace {

void parse_views(Type type, BytesView rdata) {
    // Which view a caller takes is not the attacker's choice, but each must bear anything.
    static_cast<void>(parse_mx(rdata));
    static_cast<void>(parse_soa(rdata));
    static_cast<void>(parse_single_name(rdata));
    require(parse_ds(rdata).has_value() == check_rdata(Type::ds, rdata).has_value());
    require(parse_dnskey(rdata).has_value() == check_rdata(Type::dnskey, rdata).has_value());
    require(parse_rrsig(rdata).has_value() == check_rdata(Type::rrsig, rdata).has_value());
    require(parse_nsec(rdata).has_value() == check_rdata(Type::nsec, rdata).has_value());
    require(parse_nsec3(rdata).has_value() == check_rdata(Type::nsec3, rdata).has_value());
    require(parse_tlsa(rdata).has_value() == check_rdata(Type::tlsa, rdata).has_value());
    static_cast<void>(canonical(type, rdata));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 65537) return 0;
    const BytesView octets(data, size);
    const auto type = static_cast<Type>(octets[0] << 8U | octets[1]);
    const BytesView rdata = octets.subspan(2);
    parse_views(type, rdata);

    Reader message(octets, 2);
    const auto read = read_rdata(type, message, static_cast<std::uint16_t>(rdata.size()));
    if (read) require(check_rdata(type, *read).has_value());

    const std::string text = rdata_to_text(type, rdata);
    const auto back = rdata_from_text(type, text);
    require(back.has_value() == check_rdata(type, rdata).has_value());
    // Names lose their letters' case in text; nothing else is lost.
    if (back) require(canonical(type, *back) == canonical(type, rdata) || rdata_to_text(type, *back) == text);
    static_cast<void>(rdata_from_text(type, as_text(rdata)));
    return 0;
}
