#include "daemon/configuration.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/process.h"

using namespace mxtrust;
using namespace mxtrust::daemon;

namespace {

std::string shipped() {
    std::ifstream stream(MXTRUST_SOURCE_DIR "/resolver/daemon/mxtrust.toml");
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

Configuration good(std::string_view text, TestMode mode = TestMode::off) {
    const auto loaded = parse_configuration(text, "x.toml", mode);
    INFO((loaded ? std::string() : loaded.error().text));
    REQUIRE(loaded.has_value());
    return loaded->configuration;
}

std::string error_of(std::string_view text, TestMode mode = TestMode::off) {
    const auto loaded = parse_configuration(text, "x.toml", mode);
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().kind == FailureKind::malformed);
    return loaded.error().text;
}

WallTime day(int year, unsigned month, unsigned date) {
    const std::chrono::sys_seconds time = std::chrono::sys_days(
        std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(month), std::chrono::day(date)));
    return WallTime{time.time_since_epoch().count()};
}

}  // namespace

TEST_CASE("an empty file is the defaults") {
    CHECK(good("") == Configuration());
}

TEST_CASE("the shipped file sets every key to its default") {
    const std::string text = shipped();
    REQUIRE_FALSE(text.empty());
    CHECK(good(text) == Configuration());
    for (const auto& [section, key] : known_keys()) {
        INFO(section << " " << key);
        if (section.empty()) {
            CHECK(text.find("\n# [[" + std::string(key) + "]]\n") != std::string::npos);
            continue;
        }
        const std::string prefix = section == "test" ? "\n# " : "\n";
        CHECK(text.find(prefix + "[" + std::string(section) + "]\n") != std::string::npos);
        CHECK(text.find(prefix + std::string(key) + " = ") != std::string::npos);
    }
}

TEST_CASE("the shipped file's [test] section parses once it is no comment") {
    std::string text = shipped();
    const std::size_t start = text.find("# [test]");
    REQUIRE(start != std::string::npos);
    std::istringstream lines(text.substr(start));
    std::string section;
    for (std::string line; std::getline(lines, line);) {
        const bool is_key = line.find(" = ") != std::string::npos || line == "# [test]";
        if (is_key) section += line.substr(2) + "\n";
    }
    CHECK(good(section, TestMode::on).test.root_hints->size() == 1);
}

TEST_CASE("values are read into their types") {
    const Configuration all = good(R"(
        [server]
        dns-listen = ["0.0.0.0:5300", "[::1]:0"]
        allow = ["192.0.2.0/24", "2001:db8::1"]
        query-socket-mode = 0o660
        log-level = "debug"
        [resolver]
        cache-max-ttl = 10
        [resolver.limits]
        packets = 200
        [dnssec]
        negative-trust-anchors = [{ name = "Broken.Example.", reason = "ticket", expires = 2030-01-31 }]
        [mail]
        insecure-mx = "may"
    )");
    CHECK(all.server.dns_listen ==
          std::vector<Endpoint>{{Address::from_text("0.0.0.0").value(), 5300}, {Address::from_text("::1").value(), 0}});
    CHECK(all.server.allow[1].to_text() == "2001:db8::1/128");
    CHECK(all.server.query_socket_mode == 0660);
    CHECK(all.server.log_level == log::Level::debug);
    CHECK(all.resolver.cache_max_ttl == std::chrono::seconds(10));
    CHECK(all.resolver.limits[0] == 200);
    REQUIRE(all.dnssec.negative_trust_anchors.size() == 1);
    CHECK(all.dnssec.negative_trust_anchors[0].name.to_text() == "broken.example");
    CHECK(all.mail.insecure_mx == mail::InsecureMx::may);
}

TEST_CASE("each bad key or value is told with file, line, section, key, what is wrong and what would be right") {
    struct Case {
        const char *text, *error;
    };
    const std::vector<Case> cases = {
        {"[server]\nworkers = 65", "x.toml:2: [server] workers: must be 0 to 64, is 65"},
        {"[server]\nworkers = \"many\"", "x.toml:2: [server] workers: must be 0 to 64, is \"many\""},
        {"[server]\nworkers = 1.5", "x.toml:2: [server] workers: must be 0 to 64, is a number with a fraction"},
        {"[resolver]\ncache-min-negative-ttl = 3600\ncache-max-negative-ttl = 60",
         "x.toml:2: [resolver] cache-min-negative-ttl: must be at most cache-max-negative-ttl (60), is 3600"},
        {"[resolver]\nserve-stale = 300000", "x.toml:2: [resolver] serve-stale: must be 0 to 259200, is 300000"},
        {"[resolver]\nprivate-addresses = [\"10.0.0.1/8\"]",
         "x.toml:2: [resolver] private-addresses: \"10.0.0.1/8\" is not a network"},
        {"[resolver]\nprivate-domains = [\"a..b\"]",
         "x.toml:2: [resolver] private-domains: \"a..b\" is not a domain name"},
        {"[resolver]\nnsec3-iterations-by-key = [{ bits = 2048, iterations = 1 }, { bits = 1024, iterations = 1 }]",
         "x.toml:2: [resolver] nsec3-iterations-by-key: entry 2 the bits must grow"},
        {"[server]\n\n\nwokers = 1", "x.toml:4: [server] wokers: there is no such key; did you mean workers?"},
        {"[server]\nfrobnicate = 1", "x.toml:2: [server] frobnicate: there is no such key"},
        {"[resolve]\nipv4 = true", "x.toml:1: resolve: there is no such section; did you mean resolver?"},
        {"server = 1", "x.toml:1: server: must be a section, [server]"},
        {"[server]\nworkers = 1\nworkers = 2", "x.toml:3: "},
        {"[server]\nworkers = ", "x.toml:2: "},
        {"[server]\nstate-directory = \"relative\"",
         "x.toml:2: [server] state-directory: must be an absolute path, or \"\" for none, is \"relative\""},
        {"[server]\nstate-directory = \"\"",
         "x.toml:2: [server] state-directory: must not be empty: the cache lives there"},
        {"[server]\nquery-socket-mode = 666",
         "x.toml:2: [server] query-socket-mode: must be permissions in octal, 0o000 to 0o777, such as 0o660, is 666 "
         "(in decimal)"},
        {"[server]\ndns-listen = \"127.0.0.1:53\"",
         "x.toml:2: [server] dns-listen: must be a list of addresses with ports, such as [\"127.0.0.1:53\", "
         "\"[::1]:53\"], is "
         "\"127.0.0.1:53\""},
        {"[server]\ndns-listen = [\"127.0.0.1\"]",
         "x.toml:2: [server] dns-listen: \"127.0.0.1\" is not an address with a port, such as 127.0.0.1:53 or "
         "[::1]:53"},
        {"[server]\ndns-listen = [\"::1:53\"]",
         "x.toml:2: [server] dns-listen: \"::1:53\" is not an address with a port, such as 127.0.0.1:53 or [::1]:53"},
        {"[server]\ndns-listen = [\"127.0.0.1:65536\"]",
         "x.toml:2: [server] dns-listen: \"127.0.0.1:65536\" is not an address with a port, such as 127.0.0.1:53 or "
         "[::1]:53"},
        {"[server]\ndns-listen = [\"127.0.0.1:53\", 7]",
         "x.toml:2: [server] dns-listen: entry 2 must be an address with a port, is 7"},
        {"[server]\ndns-listen = [\"127.0.0.1:53\", \"127.0.0.1:53\"]",
         "x.toml:2: [server] dns-listen: 127.0.0.1:53 must be given once, is there twice"},
        {"[server]\ndns-listen = []\nquery-socket = \"\"",
         "x.toml:2: [server] dns-listen: must not be empty where query-socket is, too: nobody could ask"},
        {"[server]\nallow = [\"192.0.2.1/24\"]",
         "x.toml:2: [server] allow: \"192.0.2.1/24\" is not a network, such as 192.0.2.0/24: the address has bits set "
         "behind the "
         "prefix"},
        {"[server]\ngroup = \"mail\"", "x.toml:2: [server] group: needs [server] user"},
        {"[server]\nlog-level = \"loud\"",
         "x.toml:2: [server] log-level: must be \"debug\", \"info\", \"warning\" or \"error\", is \"loud\""},
        {"[resolver]\nipv4 = 1", "x.toml:2: [resolver] ipv4: must be true or false, is 1"},
        {"[resolver]\nipv4 = false\nipv6 = false",
         "x.toml:3: [resolver] ipv6: ipv4 and ipv6 must not both be false: no server could be asked"},
        {"[resolver]\ncache-min-ttl = 20\ncache-max-ttl = 10",
         "x.toml:2: [resolver] cache-min-ttl: must be at most cache-max-ttl (10), is 20"},
        {"[resolver]\nedns-udp-size = 511", "x.toml:2: [resolver] edns-udp-size: must be 512 to 4096, is 511"},
        {"[resolver.limits]\npackets = 1001", "x.toml:2: [resolver.limits] packets: must be 1 to 1000, is 1001"},
        {"[resolver.limits]\nmail-question = 101",
         "x.toml:2: [resolver.limits] mail-question: must be 4 to 100, is 101"},
        {"[resolver.limits]\nverifications = 4",
         "x.toml: [resolver.limits] failures: must be at most verifications (4), is 8"},
        {"[dnssec]\nnegative-trust-anchors = [{ name = \"a.example\", reason = \"x\" }]",
         "x.toml:2: [dnssec] negative-trust-anchors: entry 1 lacks expires"},
        {"[dnssec]\nnegative-trust-anchors = [{ name = \"a..example\", reason = \"x\", expires = 2030-01-31 }]",
         "x.toml:2: [dnssec] negative-trust-anchors: entry 1 name must be a domain name, is \"a..example\""},
        {"[dnssec]\nnegative-trust-anchors = [{ name = \"a.example\", reason = \"\", expires = 2030-01-31 }]",
         "x.toml:2: [dnssec] negative-trust-anchors: entry 1 needs a reason that is not empty; wanted is"},
        {"[dnssec]\nnegative-trust-anchors = [{ name = \"a.example\", reason = \"x\", expires = \"2030-01-31\" }]",
         "x.toml:2: [dnssec] negative-trust-anchors: entry 1 expires must be a date without quotes, such as "
         "2030-01-31"},
        {"[.server]\n", "x.toml:1: "},
        {"[server]\n.workers = 1\n", "x.toml:2: "},
        {"[mail]\ninsecure-mx = \"no\"", "x.toml:2: [mail] insecure-mx: must be \"dane\" or \"may\", is \"no\""},
    };
    for (const Case& each : cases) {
        INFO(each.text);
        const std::string error = error_of(each.text);
        CHECK(error.substr(0, std::string_view(each.error).size()) == each.error);
    }
}

TEST_CASE("a file with control characters is no configuration, and does not end the program") {
    CHECK(error_of("\n[\x1enssec]\n") == "x.toml:2: there is a control character; is this a text file?");
    CHECK(error_of(std::string_view("# \0\n", 4)) == "x.toml:1: there is a control character; is this a text file?");
    CHECK(good("[server]\r\n\tworkers = 1\r\n").server.workers == 1);
}

TEST_CASE("letters beyond ASCII may stand in lines that are comments, and escaped in texts") {
    CHECK(good("# Bücher\n  # ü\n[server]\nuser = \"b\\u00fccher\"").server.user == "bücher");
    for (const char* text :
         {"\n\xcd\x9e = 1", "\n[ü]", "# x\nü = 1", "[server]\nuser = \"ü\"", "[server]\nuser = \"\" # ü"}) {
        INFO(text);
        CHECK(error_of(text) ==
              "x.toml:2: letters beyond ASCII may stand in lines that are comments only; in a text write them as "
              "\\u00FC");
    }
}

TEST_CASE("what decides about belief is refused without --test-mode") {
    const char* text = "[test]\ntime = 1795305600\nallow-local-authorities = true\ntrust-anchors = []\n";
    CHECK(error_of(text) == "x.toml:1: [test]: is for tests only and needs --test-mode on the command line");
    const Configuration all = good(text, TestMode::on);
    CHECK(all.test.time == WallTime{1795305600});
    CHECK(all.test.allow_local_authorities);
    CHECK(all.test.trust_anchors->empty());
    CHECK_FALSE(all.test.root_hints.has_value());
}

TEST_CASE("an exception is read with its action, reason and end; a time with its offset ends to the second") {
    const Configuration all = good(
        "[operator]\nrecheck-interval = 60\n[[operator.exceptions]]\ndomain = \"Partner.Example.\"\naction = \"may\"\n"
        "reason = \"ticket 4711\"\nexpires = 2026-12-24\n[[operator.exceptions]]\nhost = \"mx.example\"\nsubdomains = "
        "true\naction = \"skip\"\nreason = \"ticket 4712\"\nexpires = 2026-12-24T12:00:00+02:00\n");
    const std::vector<mail::Exception>& both = all.operator_keys.exceptions;
    REQUIRE(both.size() == 2);
    CHECK(both[0] == mail::Exception{mail::Exception::On::domain, dns::Name::from_text("partner.example").value(),
                                     false, mail::ExceptionAction::may, "ticket 4711", WallTime{1798156800}});
    CHECK(both[1] == mail::Exception{mail::Exception::On::host, dns::Name::from_text("mx.example").value(), true,
                                     mail::ExceptionAction::skip, "ticket 4712", WallTime{1798106400}});
    CHECK(all.operator_keys.recheck_interval == std::chrono::seconds(60));
}

TEST_CASE("each wrong exception is told with its own line, its number, the key and what is allowed") {
    struct Case {
        const char *entry, *error;
    };
    const std::vector<Case> cases = {
        {"action = \"may\", reason = \"x\", expires = 2030-01-31", "entry 2 lacks domain or host; wanted is a list of"},
        {"domain = \"a.example\", host = \"b.example\", action = \"may\", reason = \"x\", expires = 2030-01-31",
         "entry 2 has domain and host, and may have one of them"},
        {"domain = \"a.example\", reason = \"x\", expires = 2030-01-31", "entry 2 lacks action"},
        {"domain = \"a.example\", action = \"may\", expires = 2030-01-31", "entry 2 lacks reason"},
        {"domain = \"a.example\", action = \"may\", reason = \" \", expires = 2030-01-31",
         "entry 2 needs a reason that is not empty"},
        {"domain = \"a.example\", action = \"may\", reason = \"x\"", "entry 2 lacks expires"},
        {"domain = \"a.example\", action = \"maybe\", reason = \"x\", expires = 2030-01-31",
         "entry 2 action must be \"may\", \"encrypt\", \"no-dane\", \"no-sts\" or \"require-dane\"; of a host also "
         "\"skip\", of a "
         "domain also \"hold\", is \"maybe\""},
        {"domain = \"a.example\", action = \"skip\", reason = \"x\", expires = 2030-01-31", "entry 2 action must be"},
        {"host = \"a.example\", action = \"hold\", reason = \"x\", expires = 2030-01-31", "entry 2 action must be"},
        {"domain = \".\", action = \"may\", reason = \"x\", expires = 2030-01-31", "entry 2 domain must be a name of"},
        {"host = \"[192.0.2.1]\", action = \"may\", reason = \"x\", expires = 2030-01-31",
         "entry 2 host must be a name of"},
        {"domain = \"a..b\", action = \"may\", reason = \"x\", expires = 2030-01-31",
         "entry 2 domain must be a domain name, is \"a..b\""},
        {"domain = \"a.example\", action = \"may\", reason = \"x\", expires = \"2030-01-31\"",
         "entry 2 expires must be a date without quotes, such as 2030-01-31 (the last day, UTC), or a time with its "
         "offset, such as 2030-01-31T12:00:00Z; from 2020 to 2099, is \"2030-01-31\""},
        {"domain = \"a.example\", action = \"may\", reason = \"x\", expires = 9999-12-31",
         "entry 2 expires must be a date"},
        {"domain = \"a.example\", action = \"may\", reason = \"x\", expires = 2030-01-31T12:00:00",
         "entry 2 expires must be a date"},
        {"domain = \"a.example\", action = \"may\", reason = \"x\", expires = 2030-01-31, until = 1",
         "entry 2 has a key that is unknown here, until"},
        {"domain = \"a.example\", subdomains = 1, action = \"may\", reason = \"x\", expires = 2030-01-31",
         "entry 2 subdomains must be true or false, is 1"},
        {"domain = \"FIRST.example.\", action = \"hold\", reason = \"x\", expires = 2030-01-31",
         "entry 2 domain must be there once: first.example is there twice"},
    };
    for (const Case& each : cases) {
        const std::string text =
            "[operator]\nexceptions = [\n  { domain = \"first.example\", action = \"may\", reason = \"x\", expires = "
            "2030-01-31 },\n  { " +
            std::string(each.entry) + " },\n]\n";
        const std::string error = error_of(text.c_str());
        INFO(text << error);
        const std::string wanted = "x.toml:4: [operator] exceptions: " + std::string(each.error);
        CHECK(error.substr(0, wanted.size()) == wanted);
    }
    CHECK(error_of("[operator]\nrecheck-interval = 1")
              .starts_with("x.toml:2: [operator] recheck-interval: must be 10 to 86400, is 1"));
}

TEST_CASE("an exception that has expired or holds for years is accepted with a doubt") {
    const char* text =
        "[operator]\nexceptions = [{ host = \"mx.example\", action = \"skip\", reason = \"ticket 4711\", expires = "
        "2030-01-31 }]";
    CHECK(doubts(good(text), day(2030, 1, 31)).empty());
    CHECK(
        doubts(good(text), day(2030, 2, 1)) ==
        std::vector<std::string>{"the operator's exception for host mx.example (skip) has expired and is ignored; its "
                                 "reason was: ticket 4711"});
    CHECK(
        doubts(good(text), day(2028, 1, 31)) ==
        std::vector<std::string>{"the operator's exception for host mx.example (skip) holds for more than a year; what "
                                 "is meant to stay is no exception"});
}

TEST_CASE("a negative trust anchor holds to the end of its day and is told of afterwards") {
    const Configuration all = good(
        "[dnssec]\nnegative-trust-anchors = [{ name = \"a.example\", reason = \"ticket 4711\", expires = 2030-01-31 "
        "}]");
    CHECK(current_negative_anchors(all, day(2030, 1, 31)).size() == 1);
    CHECK(doubts(all, day(2030, 1, 31)).empty());
    CHECK(current_negative_anchors(all, day(2030, 2, 1)).empty());
    CHECK(doubts(all, day(2030, 2, 1)) ==
          std::vector<std::string>{
              "the negative trust anchor for a.example has expired and is ignored; its reason was: ticket 4711"});
}

TEST_CASE("a file that cannot be read is no malformed file") {
    const auto loaded = read_configuration("/nonexistent/mxtrust.toml", TestMode::off);
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().kind == FailureKind::system);
    CHECK(loaded.error().text == "/nonexistent/mxtrust.toml: cannot be read: No such file or directory");
}

TEST_CASE("the usual file need not be there; one that is there and cannot be looked at does not mean the defaults") {
    std::string place = (std::filesystem::temp_directory_path() / "mxtrust-usual-XXXXXX").string();
    REQUIRE(mkdtemp(place.data()) != nullptr);
    const std::filesystem::path folder = place;
    const auto absent = read_usual_configuration(folder / "absent.toml", TestMode::off);
    REQUIRE(absent.has_value());
    CHECK(absent->configuration == Configuration());
    CHECK(absent->origin.file() == "there is no " + (folder / "absent.toml").string() + ": defaults");
    CHECK(read_usual_configuration(folder / "no" / "folder" / "x.toml", TestMode::off).has_value());
    std::filesystem::create_symlink("gone.toml", folder / "dangling.toml");
    std::filesystem::create_symlink("circle.toml", folder / "circle.toml");
    std::ofstream(folder / "good.toml") << "[server]\nworkers = 3\n";
    CHECK(read_usual_configuration(folder / "good.toml", TestMode::off)->configuration.server.workers == 3);
    for (const char* name : {"dangling.toml", "circle.toml"}) {
        INFO(name);
        const auto loaded = read_usual_configuration(folder / name, TestMode::off);
        REQUIRE_FALSE(loaded.has_value());
        CHECK(loaded.error().text.starts_with((folder / name).string() + ": cannot be read: "));
    }
    if (geteuid() == 0) {  // whom no folder is closed to
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
        REQUIRE(seteuid(12345) == 0);
        const auto closed = read_usual_configuration(folder / "good.toml", TestMode::off);
        REQUIRE(seteuid(0) == 0);
        REQUIRE_FALSE(closed.has_value());
        CHECK(closed.error().text == (folder / "good.toml").string() + ": cannot be read: Permission denied");
    }
    std::filesystem::remove_all(folder);
}

TEST_CASE("what is no regular file is not waited for") {
    for (const char* file : {"/dev/null", "/dev/zero", "/"}) {
        const auto loaded = read_configuration(file, TestMode::off);
        REQUIRE_FALSE(loaded.has_value());
        CHECK(loaded.error().text == std::string(file) + ": cannot be read: it is no regular file");
    }
}

TEST_CASE("an account or group that this machine does not have is told with its place in the file") {
    const auto text = [](const std::string& keys) {
        const auto loaded = parse_configuration("[server]\n" + keys, "x.toml", TestMode::off);
        REQUIRE(loaded.has_value());
        const auto account = find_account(loaded->configuration.server, loaded->origin);
        return account ? std::string() : account.error().text;
    };
    CHECK(text("user = \"nobody-of-that-name\"\n") ==
          "x.toml:2: [server] user: there is no account \"nobody-of-that-name\" on this machine");
    CHECK(text("user = \"root\"\ngroup = \"none-of-that-name\"\n") ==
          "x.toml:3: [server] group: there is no group \"none-of-that-name\" on this machine");
    CHECK(text("user = \"root\"\n").empty());
}
