// Any JSON as a reply of the daemon, whose texts strangers wrote: it is told in words without control characters but
// line feeds, and never ends the program. The first octet chooses the command.
#include "client/words.h"
#include "base/require.h"
#include "client/doctor.h"

using namespace mxtrust;
using namespace mxtrust::client;

namespace {

void check(const std::string& text) {
    for (const char letter : text) {
        const auto octet = static_cast<unsigned char>(letter);
        require((octet >= 0x20 && octet != 0x7f) || letter == '\n');
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto command = static_cast<Command>(data[0] % 7);
    Json reply = Json::parse(data + 1, data + size, nullptr, false);
    if (reply.is_discarded()) return 0;
    const ExitStatus status = status_of(command, reply);
    require(status == deliver || status == defer || status == bounce || status == wrong_usage || status == unavailable);
    check(words_of(command, reply, Colour::off));
    if (command != Command::status || !reply.is_object()) return 0;
    Facts facts;
    facts.status = std::move(reply);
    Page page(Colour::off);
    put_doctor(page, diagnose(facts));
    check(page.text());
    return 0;
}
