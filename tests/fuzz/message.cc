// Any octets as a message: parsing must not fail in any way but by a Result, and what parses must survive being
// rendered.
#include <cstdint>

#include "base/require.h"
#include "dns/message.h"

using namespace mxtrust;
using namespace mxtrust::dns;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView wire(data, size);
    static_cast<void>(parse_envelope(wire));
    const auto message = parse_message(wire);
    if (!message) return 0;

    // Uncompressed names may make it longer than a message can be; then it is cut, and still a message.
    const Bytes rendered = render_message(*message);
    require(rendered.size() <= 65535);
    const auto again = parse_message(rendered);
    require(again.has_value());
    if (!again->truncated && again->additional.size() == message->additional.size()) {
        require(again->answer == message->answer);
        require(again->authority == message->authority);
        require(again->additional == message->additional);
    }
    const auto cut = parse_message(render_message(*message, 512));
    require(cut.has_value() && cut->edns.has_value() == message->edns.has_value());

    for (const auto* section : {&message->answer, &message->authority, &message->additional}) {
        for (const RRset& set : group(*section)) {
            for (const Bytes& rdata : set.records) {
                require(check_rdata(set.type, rdata).has_value());
                require(canonical(set.type, canonical(set.type, rdata)) == canonical(set.type, rdata));
            }
        }
    }
    if (message->edns) static_cast<void>(message->edns->extended_errors());
    return 0;
}
