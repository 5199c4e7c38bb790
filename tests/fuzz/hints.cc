// Any text as root hints: an error that says so, or servers; and servers written down again are read as the same.
#include "base/require.h"
#include "daemon/assemble.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mxtrust;
    const auto servers = daemon::parse_root_hints(as_text(BytesView(data, size)));
    if (!servers) {
        require(!servers.error().text.empty());
        return 0;
    }
    require(!servers->empty());
    std::string again;
    for (const resolve::RootServer& server : *servers) {
        const std::string address = server.address.to_text();
        const bool six = address.find(':') != std::string::npos;
        again += server.name.to_text() + " 3600000 " + (six ? "AAAA " : "A ") + address + "\n";
    }
    const auto read = daemon::parse_root_hints(again);
    // A name with a space or a semicolon in it is written with escapes that these lines do not know.
    if (again.find('\\') != std::string::npos) return 0;
    require(read.has_value() && read->size() == servers->size());
    for (std::size_t index = 0; index < servers->size(); ++index)
        require((*read)[index].name == (*servers)[index].name && (*read)[index].address == (*servers)[index].address);
    return 0;
}
