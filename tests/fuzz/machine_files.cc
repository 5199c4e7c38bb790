// Any text as the files that `mxtrust status` looks at: resolv.conf, Postfix's main.cf and master.cf, Exim's
// configuration. Each is judged in finite time, in words without control characters, about lines that are there.
// Between two files stands an octet 0.
#include <algorithm>

#include "base/require.h"
#include "client/doctor.h"
#include "client/postfix_conf.h"

using namespace mxtrust;
using namespace mxtrust::client;

namespace {

File next_file(std::string_view& text, const char* path) {
    File file;
    file.path = path;
    file.present = true;
    const std::size_t end = std::min(text.find('\0'), text.size());
    file.text = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text = as_text({data, size});
    Facts facts;
    facts.machine.resolv = next_file(text, "/etc/resolv.conf");
    PostfixFiles postfix;
    postfix.main = next_file(text, "/etc/postfix/main.cf");
    postfix.master = next_file(text, "/etc/postfix/master.cf");
    postfix.chroot_resolv = next_file(text, "/var/spool/postfix/etc/resolv.conf");
    facts.machine.postfix = {postfix};
    facts.machine.exim = next_file(text, "/etc/exim4/exim4.conf");

    const std::vector<Finding> findings = diagnose(facts);
    const auto lines = static_cast<std::uint32_t>(std::count(data, data + size, '\n')) + 1;
    for (const Finding& finding : findings) {
        require(!finding.check.empty() && !finding.seen.empty());
        require(finding.line <= lines);
    }
    Page page(Colour::off);
    put_doctor(page, findings);
    for (const char letter : page.text()) {
        const auto octet = static_cast<unsigned char>(letter);
        require((octet >= 0x20 && octet != 0x7f) || letter == '\n');
    }
    static_cast<void>(
        doctor_json(facts, findings).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    require(servers_to_probe(facts.machine.resolv).size() <= most_name_servers);
    return 0;
}
