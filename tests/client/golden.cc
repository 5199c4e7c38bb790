// `mxtrust DOMAIN` as it is printed: facts are decided by mail/, rendered by serve/, put into words here, and held
// against the files of golden/, one for each kind of answer. MXTRUST_WRITE_GOLDEN=1 writes them anew: read them before
// they are committed, they are what people will read.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>

#include "client/words.h"
#include "mail/support.h"
#include "serve/render.h"

namespace mxtrust::client {
namespace {

using namespace mail::testing;

struct Scene {
    const char* name;
    std::function<void(World&)> world;
    std::string asked = "example.org";
    std::uint16_t port = 25;
};

/// One host is in another domain.
void three_mx_two_domains(World& world) {
    world.put("example.org", Type::mx, Axis::secure_records,
              {"10 mx1.example.org.", "20 mx2.example.org.", "30 mx3.example.net."});
    for (const char* host : {"mx1.example.org", "mx2.example.org", "mx3.example.net"}) world.put_host(host, {sha256});
}

const std::vector<Scene>& scenes() {
    const std::string unusable = "1 1 1 " + std::string(64, 'a');
    static const std::vector<Scene> all{
        {"dane", [](World& w) { with_tlsa(w, {sha256}); }, "Example.ORG"},
        {"dane-many", [](World& w) { with_tlsa(w, {sha256, sha512, "2 0 1 " + std::string(64, 'c')}); }},
        {"dane-unsigned-mx",
         [](World& w) {
             one_mx(w, Axis::insecure_records);
             w.put_host("mx.example.org", {sha256});
         }},
        {"partial",
         [](World& w) {
             three_mx_two_domains(w);
             w.put_tlsa("mx1.example.org", Axis::secure_nodata);
             w.put("mx3.example.net", Type::a, Axis::insecure_records, {"192.0.2.1"});
             w.put("mx3.example.net", Type::aaaa, Axis::insecure_nodata);
         }},
        {"may",
         [](World& w) {
             one_mx(w, Axis::insecure_records);
             w.put_host("mx.example.org", {}, Axis::insecure_records);
         }},
        {"encrypt", [unusable](World& w) { with_tlsa(w, {unusable}); }},
        {"skip-one",
         [](World& w) {
             three_mx_two_domains(w);
             w.put_tlsa("mx1.example.org", Axis::bogus);
             w.put("mx2.example.org", Type::a, Axis::indeterminate);
             w.put("mx2.example.org", Type::aaaa, Axis::indeterminate);
         }},
        {"skip-only",
         [](World& w) {
             with_tlsa(w, {});
             w.put_tlsa("mx.example.org", Axis::indeterminate);
         }},
        {"bogus-mx", [](World& w) { w.put("example.org", Type::mx, Axis::bogus); }},
        {"failed-mx", [](World& w) { w.put("example.org", Type::mx, Axis::indeterminate); }},
        {"null-mx", [](World& w) { w.put("example.org", Type::mx, Axis::secure_records, {"0 ."}); }},
        {"null-mx-beside",
         [](World& w) {
             w.put("example.org", Type::mx, Axis::secure_records, {"0 .", "10 mx_1.example.org.", "20 192.0.2.1."});
             w.put_host("mx_1.example.org", {sha256});
         }},
        {"nxdomain", [](World& w) { w.put("example.org", Type::mx, Axis::secure_nxdomain); }},
        {"implicit", [](World& w) { w.put_host("example.org", {sha256}); }},
        {"unreachable",
         [](World& w) {
             w.put("example.org", Type::mx, Axis::secure_records, {"10 gone.example.org.", "20 gone.example.net."});
         }},
        {"alias",
         [](World& w) {
             w.put_alias("example.org", "example.com.");
             w.put("example.com", Type::mx, Axis::secure_records, {"10 mx.example.org."});
             w.put_alias("mx.example.org", "host.example.net.");
             w.put_host("host.example.net", {sha256});
         }},
        {"long-name",
         [](World& w) {
             const std::string host = "mailserver-with-a-rather-long-name.production.example.org";
             w.put("example.org", Type::mx, Axis::secure_records, {"10 " + host + ".", "20 mx.example.org."});
             w.put_host(host, {sha256});
             w.put_host("mx.example.org", {sha256});
         }},
        {"literal", [](World&) {}, "[192.0.2.1]"},
        {"bracketed",
         [](World& w) {
             w.put_host("relay.example", {});
             w.put_tlsa("relay.example", Axis::secure_records, {sha256}, 587);
         },
         "[relay.example]:587"},
        {"port",
         [](World& w) {
             one_mx(w);
             w.put_host("mx.example.org", {});
         },
         "example.org", 2525},
        {"idn", [](World& w) { w.put_host("xn--bcher-kva.example", {sha256}); }, "bücher.example"},
    };
    return all;
}

/// What the daemon would send.
Json reply_of(const Scene& scene) {
    World world;
    scene.world(world);
    const mail::MailAnswer answer = ask(world, scene.asked, {}, scene.port);
    const mail::NextHop hop = mail::parse_next_hop(scene.asked).value();
    const std::string domain = mail::destination_text(hop, hop.port.value_or(25));
    return Json::parse(serve::render_mail("null", domain, scene.asked, serve::render_mail_body(answer)));
}

std::string path_of(const std::string& name) {
    return std::string(MXTRUST_SOURCE_DIR) + "/tests/client/golden/" + name + ".txt";
}

void compare(const std::string& name, const std::string& words) {
    const char* writing = std::getenv("MXTRUST_WRITE_GOLDEN");
    if (writing != nullptr && *writing == '1') std::ofstream(path_of(name)) << words;
    std::ifstream file(path_of(name));
    std::ostringstream golden;
    golden << file.rdbuf();
    INFO(name);
    CHECK(words == golden.str());
}

std::string without_colour(std::string text) {
    for (std::size_t start = text.find('\x1b'); start != std::string::npos; start = text.find('\x1b', start))
        text.erase(start, text.find('m', start) + 1 - start);
    return text;
}

/// Escapes as words, for the eye.
std::string with_marks(std::string text) {
    const std::pair<const char*, const char*> marks[] = {{"\x1b[32m", "<good>"},  {"\x1b[33m", "<fair>"},
                                                         {"\x1b[31m", "<bad>"},   {"\x1b[2m", "<faint>"},
                                                         {"\x1b[1m", "<strong>"}, {"\x1b[0m", "</>"}};
    for (const auto& [escape, mark] : marks) {
        for (std::size_t at = text.find(escape); at != std::string::npos; at = text.find(escape))
            text.replace(at, std::string_view(escape).size(), mark);
    }
    return text;
}

TEST_CASE("each kind of mail answer reads as its golden page, in a pipe and on a terminal") {
    for (const Scene& scene : scenes()) {
        const Json reply = reply_of(scene);
        const std::string plain = words_of(Command::mail, reply, Colour::off);
        const std::string coloured = words_of(Command::mail, reply, Colour::on);
        compare(scene.name, plain);
        compare(std::string(scene.name) + ".colour", with_marks(coloured));
        CHECK(plain.find('\x1b') == std::string::npos);
        CHECK(without_colour(coloured) == plain);
        std::istringstream lines(plain);
        for (std::string line; std::getline(lines, line);) {
            CHECK(columns(line) <= Page::width);
            CHECK((line.empty() || line.back() != ' '));
        }
    }
}

}  // namespace
}  // namespace mxtrust::client
