// Any octets as a line of the query socket: a request or an error that is one line of valid UTF-8; never a crash.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "serve/render.h"
#include "serve/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mxtrust::serve;
    if (size > most_request_octets) return 0;
    const auto parsed = parse_request(mxtrust::as_text({data, size}));
    if (const auto* bad = std::get_if<BadRequest>(&parsed)) {
        const std::string line = render_bad_request(*bad);
        if (line.find('\n') != std::string::npos) std::abort();
        if (!bad->wants_words && nlohmann::json::parse(line, nullptr, false).is_discarded()) std::abort();
    } else if (nlohmann::json::parse(std::get<Request>(parsed).id, nullptr, false).is_discarded()) {
        std::abort();
    }
    return 0;
}
