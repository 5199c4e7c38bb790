// Any text as configuration: an error or values that pass their own check; never a crash.
#include "daemon/configuration.h"

#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mxtrust::daemon;
    const std::string_view text = mxtrust::as_text({data, size});
    const auto loaded = parse_configuration(text, "fuzz.toml", TestMode::on);
    if (loaded) {
        if (!check(loaded->configuration, loaded->origin)) std::abort();
    } else if (loaded.error().text.empty()) {
        std::abort();
    }
    return 0;
}
