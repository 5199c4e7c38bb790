// Any octets as a stream of netstrings, whole and octet by octet: the same strings come out, each within its bound, and
// framed again they are the octets they came from.
#include "serve/netstring.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/bytes.h"
#include "serve/postfix_policy.h"

namespace {

struct Taken {
    std::vector<std::string> strings;
    bool broken = false;
    friend bool operator==(const Taken&, const Taken&) = default;
};

Taken take_all(std::string_view text, std::size_t step) {
    mxtrust::serve::NetstringReader reader(mxtrust::serve::most_socketmap_request_octets);
    Taken taken;
    for (std::size_t at = 0; at < text.size() && !taken.broken; at += step) {
        reader.add(text.substr(at, step));
        while (true) {
            const auto next = reader.take();
            taken.broken = !next;
            if (!next || !*next) break;
            taken.strings.push_back(**next);
        }
    }
    return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = mxtrust::as_text({data, size});
    const Taken whole = take_all(text, size == 0 ? 1 : size);
    if (!(whole == take_all(text, 1))) std::abort();
    std::string again;
    for (const std::string& each : whole.strings) {
        if (each.size() > mxtrust::serve::most_socketmap_request_octets) std::abort();
        again += mxtrust::serve::netstring(each);
        const auto parsed = mxtrust::serve::parse_policy_request(each);
        const auto* reply = std::get_if<std::string>(&parsed);
        if (reply == nullptr) continue;
        // Nothing is put off for what only a look-up could tell, and no level but Postfix's own DANE comes without one.
        if (*reply != "NOTFOUND " && *reply != "OK dane" && !reply->starts_with("PERM ")) std::abort();
        if (reply->size() > mxtrust::serve::most_socketmap_reply_octets) std::abort();
    }
    if (!text.starts_with(again)) std::abort();
    return 0;
}
