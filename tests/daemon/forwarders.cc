// Forwarders and stub zones as they are configured, and as resolv.conf names them: each mistake told, never ourselves
// asked.
#include "daemon/forwarders.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace mxtrust;
using namespace mxtrust::daemon;

namespace {

std::string error_of(const std::string& text) {
    const auto loaded = parse_configuration(text, "x.toml", TestMode::off);
    return loaded ? "(good)" : loaded.error().text;
}

std::vector<std::string> texts(const std::vector<Endpoint>& endpoints) {
    std::vector<std::string> all;
    for (const Endpoint& endpoint : endpoints) all.push_back(endpoint.to_text());
    return all;
}

Endpoint at(std::string_view text) {
    return parse_endpoint(text).value();
}

/// What resolv.conf(5) with this content names.
std::vector<std::string> of_host(const std::string& content, const std::vector<Endpoint>& listening) {
    std::string name = (std::filesystem::temp_directory_path() / "mxtrust-resolv-XXXXXX").string();
    const int descriptor = mkstemp(name.data());
    REQUIRE(descriptor >= 0);
    close(descriptor);
    std::ofstream(name) << content;
    const auto found = texts(forwarders_of_host(name, listening));
    unlink(name.c_str());
    return found;
}

}  // namespace

TEST_CASE("forwarders and stub zones are read: with and without port, both families, first") {
    const auto loaded = parse_configuration(
        "[resolver]\nfallback = [\"192.0.2.7\"]\n"
        "[[forward]]\nzone = \"Example.ORG\"\naddresses = [\"192.0.2.53\", \"[2001:db8::53]:5353\"]\nfirst = true\n"
        "[[stub]]\nzone = \"corp.example.org\"\naddresses = [\"2001:db8::54\"]\n",
        "x.toml", TestMode::off);
    REQUIRE(loaded);
    const Configuration& all = loaded->configuration;
    REQUIRE(all.forwards.size() == 1);
    CHECK(all.forwards[0].zone.to_text() == "example.org");
    CHECK(texts(all.forwards[0].servers) == std::vector<std::string>{"192.0.2.53:53", "[2001:db8::53]:5353"});
    CHECK(all.forwards[0].first == resolve::Switch::on);
    REQUIRE(all.stubs.size() == 1);
    CHECK(texts(all.stubs[0].servers) == std::vector<std::string>{"[2001:db8::54]:53"});
    CHECK(all.stubs[0].first == resolve::Switch::off);
    CHECK(all.resolver.fallback == Fallback::listed);
    CHECK(texts(all.resolver.fallback_forwarders) == std::vector<std::string>{"192.0.2.7:53"});
}

TEST_CASE("each mistake with forwarders is told with file, line, what is wrong and what would be right") {
    const std::string zone = "[[forward]]\nzone = \"a.example\"\n";
    struct Row {
        std::string text, begins, names;
    };
    for (const Row& row : std::vector<Row>{
             {"forward = 1\n", "x.toml:1: forward: must be a table with zone", "is 1"},
             {"[forward]\nzone = \"a.example\"\n", "x.toml:1: forward: must be in double brackets", "zone = "},
             {zone + "addresses = [\"192.0.2.1\"]\n\n[[forward]]\nzone = \"b.example\"\naddresses = [\"b\"]\n",
              "x.toml:5: forward: entry 2 addresses \"b\" is no address", ""},
             {zone, "x.toml:1: forward: entry 1 lacks addresses", "wanted is a table with zone"},
             {"[[stub]]\naddresses = [\"192.0.2.1\"]\n", "x.toml:1: stub: entry 1 lacks zone", "wanted is a table"},
             {zone + "addresses = []\n", "x.toml:1: forward: entry 1 addresses must have 1 to 8 addresses, has 0", ""},
             {zone + "addresses = \"192.0.2.1\"\n", "x.toml:1: forward: entry 1 addresses must be a list", ""},
             {zone + "addresses = [\"dns.example\"]\n",
              "x.toml:1: forward: entry 1 addresses \"dns.example\" is no address", "such as 192.0.2.53"},
             {zone + "addresses = [\"192.0.2.1:0\"]\n", "x.toml:1: forward: entry 1 addresses \"192.0.2.1:0\" is no",
              ""},
             {zone + "addresses = [\"0.0.0.0\"]\n", "x.toml:1: forward: entry 1 addresses \"0.0.0.0\" is no address",
              ""},
             {zone + "addresses = [\"192.0.2.1\", \"192.0.2.1:53\"]\n", "x.toml:1: forward: entry 1 addresses",
              "is there twice"},
             {zone + "addresses = [\"192.0.2.1\"]\nfirst = \"yes\"\n",
              "x.toml:1: forward: entry 1 first must be true or false", ""},
             {zone + "addresses = [\"192.0.2.1\"]\nport = 5\n",
              "x.toml:1: forward: entry 1 has a key that is unknown here, port", ""},
             {"[[forward]]\nzone = \"a..b\"\naddresses = [\"192.0.2.1\"]\n", "x.toml:1: forward: entry 1 zone ", ""},
             {zone + "addresses = [\"192.0.2.1\"]\n[[stub]]\nzone = \"a.example\"\naddresses = [\"192.0.2.2\"]\n",
              "x.toml:", "zone a.example must be given once"},
             {"[[stub]]\nzone = \".\"\naddresses = [\"192.0.2.2\"]\nfirst = true\n",
              "x.toml:", "the root zone cannot have first"},
             {zone + "addresses = [\"127.0.0.1\"]\n", "x.toml:", "127.0.0.1:53 is this daemon itself"},
             {"[resolver]\nipv6 = false\n" + zone + "addresses = [\"2001:db8::1\"]\n",
              "x.toml:", "needs [resolver] ipv6 = true"},
             {"[resolver]\nfallback = \"maybe\"\n",
              "x.toml:2: [resolver] fallback: must be \"off\", \"resolv.conf\" or a list", "maybe"},
             {"[resolver]\nfallback = [\"127.0.0.1\"]\n", "x.toml:2: [resolver] fallback: ", "is this daemon itself"},
         }) {
        INFO(row.text);
        const std::string error = error_of(row.text);
        CHECK(error.substr(0, row.begins.size()) == row.begins);
        INFO(error);
        CHECK(error.find(row.names) != std::string::npos);
    }
}

TEST_CASE("resolv.conf names forwarders; this daemon itself, doubles and nonsense are passed over") {
    const std::vector<Endpoint> listening{at("127.0.0.1:53")};
    CHECK(
        of_host("# none\nnameserver 192.0.2.1\nnameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver dns.example\n"
                "search example\nnameserver 2001:db8::1\nnameserver fe80::1%eth0\nnameserver 0.0.0.0\noptions edns0\n",
                listening) == std::vector<std::string>{"192.0.2.1:53", "[2001:db8::1]:53"});
    CHECK(of_host("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\nnameserver "
                  "192.0.2.5\n",
                  listening)
              .size() == 4);
    CHECK(of_host("", listening).empty());
    CHECK(forwarders_of_host("/nonexistent/resolv.conf", listening).empty());
    // Another daemon of this machine is somebody else.
    CHECK(of_host("nameserver 127.0.0.53\n", listening) == std::vector<std::string>{"127.0.0.53:53"});
}

TEST_CASE("where resolv.conf names this daemon alone, what others keep of the network's name servers is looked at") {
    const std::vector<Endpoint> listening{at("127.0.0.1:53")};
    std::string place = (std::filesystem::temp_directory_path() / "mxtrust-resolv-XXXXXX").string();
    REQUIRE(mkdtemp(place.data()) != nullptr);
    const std::filesystem::path folder = place;
    const auto write = [&folder](const char* name, const char* content) { std::ofstream(folder / name) << content; };
    const std::vector<std::filesystem::path> files{folder / "resolv.conf", folder / "absent", folder / "saved",
                                                   folder / "later"};
    write("resolv.conf", "nameserver 127.0.0.1\n");
    write("saved", "nameserver 192.0.2.1\n");
    write("later", "nameserver 192.0.2.2\n");
    CHECK(texts(forwarders_of_host(files, listening)) == std::vector<std::string>{"192.0.2.1:53"});
    // It names somebody again: then the others are not looked at.
    write("resolv.conf", "nameserver 127.0.0.1\nnameserver 192.0.2.3\n");
    CHECK(texts(forwarders_of_host(files, listening)) == std::vector<std::string>{"192.0.2.3:53"});
    // All of them name us, or nobody.
    write("resolv.conf", "nameserver 127.0.0.1\n");
    write("saved", "nameserver 127.0.0.1\n");
    write("later", "search example\n");
    CHECK(forwarders_of_host(files, listening).empty());
    std::filesystem::remove_all(folder);
}

TEST_CASE("a daemon of the public Internet looks at this machine's files, one of a world of its own at none") {
    Configuration configuration;
    const auto files = resolv_confs_of(configuration);
    REQUIRE(files.size() > 1);
    CHECK(files.front() == "/etc/resolv.conf");
    configuration.test.root_hints.emplace();
    CHECK(resolv_confs_of(configuration).empty());
    configuration.test.resolv_conf = "/x/resolv.conf";
    CHECK(resolv_confs_of(configuration) == std::vector<std::filesystem::path>{"/x/resolv.conf"});
}

TEST_CASE("a wildcard listens on every address of this machine, and on no other port") {
    CHECK(is_ours(at("127.0.0.53:53"), {at("0.0.0.0:53")}));
    CHECK(is_ours(at("[::1]:53"), {at("[::]:53")}));
    CHECK_FALSE(is_ours(at("127.0.0.53:5353"), {at("0.0.0.0:53")}));
    CHECK_FALSE(is_ours(at("192.0.2.1:53"), {at("0.0.0.0:53")}));
    CHECK_FALSE(is_ours(at("[::1]:53"), {at("0.0.0.0:53")}));
}

TEST_CASE("the figures are given out on a socket or on loopback, and nowhere else") {
    for (const char* text : {"/run/mxtrust/metrics.sock", "127.0.0.1:9953", "[::1]:9953", ""})
        CHECK(error_of("[server]\nmetrics-listen = \"" + std::string(text) + "\"\n") == "(good)");
    for (const char* text : {"0.0.0.0:9953", "192.0.2.1:9953", "9953", "metrics.sock", "127.0.0.1"}) {
        INFO(text);
        CHECK(error_of("[server]\nmetrics-listen = \"" + std::string(text) + "\"\n")
                  .starts_with("x.toml:2: [server] metrics-listen: must be the path of a socket"));
    }
}
