// The list of keys, and what they must be to each other. Reading a file is a walk over this list: a key that is not in
// it is an error, and one that is has exactly one reader.
#include "daemon/configuration.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>

#include "daemon/characters.h"
#include "daemon/forwarders.h"
#include "daemon/lists.h"
#include "daemon/root_data.h"
#include "daemon/values.h"

namespace mxtrust::daemon {
namespace {

/// Unix socket paths are short (sockaddr_un, 108 octets with the NUL).
constexpr std::size_t most_socket_path_octets = 107;
/// No sane configuration is longer; a wrong path (a cache, a log) is noticed here.
constexpr std::uintmax_t most_file_octets = 1 << 20;

struct Key {
    std::string_view section, name;
    Done (*read)(const Value&, Configuration&);
};

Done read_log_level(const Value& value, Configuration& all) {
    constexpr std::array<std::pair<std::string_view, log::Level>, 4> words{{{"debug", log::Level::debug},
                                                                            {"info", log::Level::info},
                                                                            {"warning", log::Level::warning},
                                                                            {"error", log::Level::error}}};
    return read_word<log::Level>(value, words, all.server.log_level);
}

Done read_log_target(const Value& value, Configuration& all) {
    constexpr std::array<std::pair<std::string_view, log::Target>, 3> words{{{"stderr", log::Target::standard_error},
                                                                             {"journal", log::Target::journal},
                                                                             {"nowhere", log::Target::nowhere}}};
    return read_word<log::Target>(value, words, all.server.log_target);
}

Done read_filter(const Value& value, Configuration& all) {
    bool on = true;
    const Done done = read_boolean(value, on);
    if (done) all.server.system_call_filter = on ? SystemCallFilter::on : SystemCallFilter::off;
    return done;
}

Done read_insecure_mx(const Value& value, Configuration& all) {
    constexpr std::array<std::pair<std::string_view, mail::InsecureMx>, 2> words{
        {{"dane", mail::InsecureMx::dane}, {"may", mail::InsecureMx::may}}};
    return read_word<mail::InsecureMx>(value, words, all.mail.insecure_mx);
}

template <Limit limit>
Done read_limit(const Value& value, Configuration& all) {
    // Ten times the default leaves room for odd domains; more would let one question do what A1 to A17 of the attack
    // catalogue want.
    constexpr std::int64_t usual = BudgetLimits{}.most[static_cast<std::size_t>(limit)];
    return read_number(value, 1, usual * 10, all.resolver.limits.at(static_cast<std::size_t>(limit)));
}

Done read_seconds(const Value& value, std::int64_t most, std::chrono::seconds& target) {
    const auto number = read_integer(value, 0, most);
    if (!number) return fail(number.error());
    target = std::chrono::seconds(*number);
    return {};
}

/// RFC 7646 6: what is taken out of validation is so for a while. An exception that is older is a rule.
constexpr std::chrono::seconds longest_usual = std::chrono::days(366);

Done read_deadline(const Value& value, Configuration& all) {
    const auto number = read_integer(value, 100, 30000);
    if (!number) return fail(number.error());
    all.resolver.deadline = Duration(*number);
    return {};
}

Done read_stale_timer(const Value& value, Configuration& all) {
    const auto number = read_integer(value, 0, 30000);
    if (!number) return fail(number.error());
    all.resolver.serve_stale_after = Duration(*number);
    return {};
}

Done read_recheck_interval(const Value& value, Configuration& all) {
    const auto number = read_integer(value, 10, 86400);
    if (!number) return fail(number.error());
    all.operator_keys.recheck_interval = std::chrono::seconds(*number);
    return {};
}

Done read_sts_round(const Value& value, Configuration& all) {
    const auto number = read_integer(value, 1, 86400);
    if (!number) return fail(number.error());
    all.test.sts_round = std::chrono::seconds(*number);
    return {};
}

using V = const Value&;
using C = Configuration&;

/// Every key there is; those of a section stand together.
constexpr Key keys[] = {
    {"", "forward", [](V v, C c) { return read_detours(v, c.forwards); }},
    {"", "stub", [](V v, C c) { return read_detours(v, c.stubs); }},
    {"server", "state-directory", [](V v, C c) { return read_path(v, c.server.state_directory); }},
    {"server", "query-socket", [](V v, C c) { return read_path(v, c.server.query_socket); }},
    {"server", "query-socket-mode", [](V v, C c) { return read_mode(v, c.server.query_socket_mode); }},
    {"server", "postfix-socket", [](V v, C c) { return read_path(v, c.server.postfix_socket); }},
    {"server", "dns-listen", [](V v, C c) { return read_endpoints(v, c.server.dns_listen); }},
    {"server", "metrics-listen", [](V v, C c) { return read_metrics_listen(v, c.server.metrics_listen); }},
    {"server", "allow", [](V v, C c) { return read_networks(v, c.server.allow); }},
    {"server", "workers", [](V v, C c) { return read_number(v, 0, 64, c.server.workers); }},
    {"server", "user", [](V v, C c) { return read_account(v, c.server.user); }},
    {"server", "group", [](V v, C c) { return read_account(v, c.server.group); }},
    {"server", "system-call-filter", read_filter},
    {"server", "log-level", read_log_level},
    {"server", "log-target", read_log_target},
    {"server", "cache-size-mb", [](V v, C c) { return read_number(v, 8, 65536, c.server.cache_size_mb); }},
    {"resolver", "ipv4", [](V v, C c) { return read_boolean(v, c.resolver.ipv4); }},
    {"resolver", "ipv6", [](V v, C c) { return read_boolean(v, c.resolver.ipv6); }},
    {"resolver", "qname-minimisation", [](V v, C c) { return read_boolean(v, c.resolver.qname_minimisation); }},
    {"resolver", "query-case-randomisation",
     [](V v, C c) { return read_boolean(v, c.resolver.query_case_randomisation); }},
    {"resolver", "prime-root", [](V v, C c) { return read_boolean(v, c.resolver.prime_root); }},
    {"resolver", "aggressive-nsec", [](V v, C c) { return read_boolean(v, c.resolver.aggressive_nsec); }},
    {"resolver", "edns-udp-size", [](V v, C c) { return read_number(v, 512, 4096, c.resolver.edns_udp_size); }},
    {"resolver", "cache-min-ttl", [](V v, C c) { return read_seconds(v, 3600, c.resolver.cache_min_ttl); }},
    {"resolver", "cache-max-ttl", [](V v, C c) { return read_seconds(v, 604800, c.resolver.cache_max_ttl); }},
    {"resolver", "cache-min-negative-ttl",
     [](V v, C c) { return read_seconds(v, 3600, c.resolver.cache_min_negative_ttl); }},
    {"resolver", "cache-max-negative-ttl",
     [](V v, C c) { return read_seconds(v, 86400, c.resolver.cache_max_negative_ttl); }},
    {"resolver", "error-reporting", [](V v, C c) { return read_boolean(v, c.resolver.error_reporting); }},
    {"resolver", "hide-query-type", [](V v, C c) { return read_boolean(v, c.resolver.hide_query_type); }},
    {"resolver", "verify-glue", [](V v, C c) { return read_boolean(v, c.resolver.verify_glue); }},
    {"resolver", "child-name-servers", [](V v, C c) { return read_boolean(v, c.resolver.child_name_servers); }},
    {"resolver", "prefetch", [](V v, C c) { return read_boolean(v, c.resolver.prefetch); }},
    {"resolver", "serve-stale", [](V v, C c) { return read_seconds(v, 259200, c.resolver.serve_stale); }},
    {"resolver", "serve-stale-after-ms", read_stale_timer},
    {"resolver", "serve-stale-ttl", [](V v, C c) { return read_seconds(v, 3600, c.resolver.serve_stale_ttl); }},
    {"resolver", "private-addresses", [](V v, C c) { return read_networks(v, c.resolver.private_addresses); }},
    {"resolver", "private-domains", [](V v, C c) { return read_names(v, c.resolver.private_domains); }},
    {"resolver", "nsec3-iterations", [](V v, C c) { return read_number(v, 0, 500, c.resolver.nsec3_iterations); }},
    {"resolver", "nsec3-iterations-by-key",
     [](V v, C c) { return read_iteration_limits(v, c.resolver.nsec3_iterations_by_key); }},
    {"resolver", "accept-sha1", [](V v, C c) { return read_boolean(v, c.resolver.accept_sha1); }},
    {"resolver", "deadline-ms", read_deadline},
    {"resolver", "fallback", [](V v, C c) { return read_fallback(v, c.resolver); }},
    {"resolver.limits", "packets", read_limit<Limit::packets>},
    {"resolver.limits", "bytes", read_limit<Limit::bytes>},
    {"resolver.limits", "verifications", read_limit<Limit::verifications>},
    {"resolver.limits", "failures", read_limit<Limit::failures>},
    {"resolver.limits", "nsec3-hashes", read_limit<Limit::nsec3_hashes>},
    {"resolver.limits", "lookups", read_limit<Limit::lookups>},
    {"resolver.limits", "mail-question", [](V v, C c) { return read_number(v, 4, 100, c.resolver.mail_lookups); }},
    {"dnssec", "trust-anchor-file", [](V v, C c) { return read_path(v, c.dnssec.trust_anchor_file); }},
    {"dnssec", "negative-trust-anchors",
     [](V v, C c) { return read_negative_anchors(v, c.dnssec.negative_trust_anchors); }},
    {"dnssec", "root-key-sentinel", [](V v, C c) { return read_boolean(v, c.dnssec.root_key_sentinel); }},
    {"dnssec", "all-algorithms", [](V v, C c) { return read_boolean(v, c.dnssec.all_algorithms); }},
    {"dnssec", "follow-rollovers", [](V v, C c) { return read_boolean(v, c.dnssec.follow_rollovers); }},
    {"dnssec", "key-tag-signal", [](V v, C c) { return read_boolean(v, c.dnssec.key_tag_signal); }},
    {"dnssec", "root-data", [](V v, C c) { return read_path(v, c.dnssec.root_data); }},
    {"mail", "insecure-mx", read_insecure_mx},
    {"mail", "strict-null-mx", [](V v, C c) { return read_boolean(v, c.mail.strict_null_mx); }},
    {"mail", "allow-mx-literals", [](V v, C c) { return read_boolean(v, c.mail.allow_mx_literals); }},
    {"mail", "mta-sts", [](V v, C c) { return read_boolean(v, c.mail.mta_sts); }},
    {"mail", "mta-sts-ca-file", [](V v, C c) { return read_path(v, c.mail.mta_sts_ca_file); }},
    {"mail", "tlsrpt", [](V v, C c) { return read_boolean(v, c.mail.tlsrpt); }},
    {"mail", "refresh-ahead", [](V v, C c) { return read_boolean(v, c.mail.refresh_ahead); }},
    {"operator", "exceptions", [](V v, C c) { return read_exceptions(v, c.operator_keys.exceptions); }},
    {"operator", "recheck-interval", read_recheck_interval},
    {"test", "time", [](V v, C c) { return read_time(v, c.test.time); }},
    {"test", "root-hints", [](V v, C c) { return read_root_hints(v, c.test.root_hints); }},
    {"test", "trust-anchors", [](V v, C c) { return read_anchor_texts(v, c.test.trust_anchors); }},
    {"test", "allow-local-authorities", [](V v, C c) { return read_boolean(v, c.test.allow_local_authorities); }},
    {"test", "allow-loopback-authorities", [](V v, C c) { return read_boolean(v, c.test.allow_loopback_authorities); }},
    {"test", "ignore-signature-dates", [](V v, C c) { return read_boolean(v, c.test.ignore_signature_dates); }},
    {"test", "authority-port", [](V v, C c) { return read_number(v, 1, 65535, c.test.authority_port); }},
    {"test", "rollover-pace", [](V v, C c) { return read_number(v, 0, 10'000'000, c.test.rollover_pace); }},
    {"test", "mta-sts-round", read_sts_round},
    {"test", "resolv-conf", [](V v, C c) { return read_path(v, c.test.resolv_conf); }},
};

bool is_section(std::string_view name) {
    return std::any_of(std::begin(keys), std::end(keys), [name](const Key& key) { return key.section == name; });
}

std::vector<std::string_view> sections() {
    std::vector<std::string_view> names;
    for (const Key& key : keys) {
        const std::string_view name = key.section.empty() ? key.name : key.section;
        if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
}

/// One walk over a parsed file.
class Walk {
  public:
    Walk(std::string_view file, TestMode mode) : file_(file), mode_(mode), loaded_{Configuration(), Origin(file_)} {}

    Done section(const std::string& name, const toml::table& table) {
        for (const auto& [key, node] : table) {
            Done done = entry(name, key.str(), node);
            if (!done) return done;
        }
        return {};
    }
    [[nodiscard]] Loaded take() { return std::move(loaded_); }

  private:
    [[nodiscard]] std::string line(const toml::node& node) const {
        return file_ + ":" + std::to_string(node.source().begin.line) + ": ";
    }

    Done entry(const std::string& in, std::string_view key, const toml::node& node) {
        const std::string path = in.empty() ? std::string(key) : in + "." + std::string(key);
        if (is_section(path)) return enter(path, node);
        for (const Key& known : keys) {
            if (known.section != in || known.name != key) continue;
            loaded_.origin.note(in, key, node.source().begin.line, written(node));
            return known.read(Value{node, loaded_.origin.place(in, key)}, loaded_.configuration);
        }
        return unknown(in, key, node);
    }

    Done enter(const std::string& path, const toml::node& node) {
        const auto* table = node.as_table();
        if (table == nullptr) {
            return fail(FailureKind::malformed, "ASEC"_code, line(node) + path + ": must be a section, [" + path + "]");
        }
        // Time, anchors and local authorities decide what is believed: never by a file alone.
        if (path == "test" && mode_ == TestMode::off) {
            return fail(FailureKind::malformed, "ATST"_code,
                        line(node) + "[test]: is for tests only and needs --test-mode on the command line");
        }
        return section(path, *table);
    }

    [[nodiscard]] Done unknown(const std::string& in, std::string_view key, const toml::node& node) const {
        std::vector<std::string_view> names;
        if (in.empty()) {
            names = sections();
        } else {
            for (const Key& known : keys) {
                if (known.section == in) names.push_back(known.name);
            }
        }
        std::string text = line(node) + (in.empty() ? "" : "[" + in + "] ") + std::string(key) +
                           (in.empty() ? ": there is no such section" : ": there is no such key");
        const std::string_view near = nearest(key, names);
        if (!near.empty()) text += "; did you mean " + std::string(near) + "?";
        return fail(FailureKind::malformed, "AUNK"_code, std::move(text));
    }

    std::string file_;
    TestMode mode_;
    Loaded loaded_;
};

Done check_server(const ServerKeys& server, const Origin& origin) {
    if (server.state_directory.empty()) {
        return fail(FailureKind::malformed, "ASTD"_code,
                    origin.place("server", "state-directory") + "must not be empty: the cache lives there");
    }
    if (server.query_socket.native().size() > most_socket_path_octets) {
        return fail(FailureKind::malformed, "ASOC"_code,
                    origin.place("server", "query-socket") + "must have at most " +
                        std::to_string(most_socket_path_octets) + " octets, has " +
                        std::to_string(server.query_socket.native().size()));
    }
    if (server.postfix_socket.native().size() > most_socket_path_octets) {
        return fail(FailureKind::malformed, "APSL"_code,
                    origin.place("server", "postfix-socket") + "must have at most " +
                        std::to_string(most_socket_path_octets) + " octets, has " +
                        std::to_string(server.postfix_socket.native().size()));
    }
    if (!server.postfix_socket.empty() && server.postfix_socket == server.query_socket) {
        return fail(
            FailureKind::malformed, "APSQ"_code,
            origin.place("server", "postfix-socket") + "must not be query-socket: they speak different protocols");
    }
    if (server.query_socket.empty() && server.dns_listen.empty()) {
        return fail(
            FailureKind::malformed, "ANON"_code,
            origin.place("server", "dns-listen") + "must not be empty where query-socket is, too: nobody could ask");
    }
    if (!server.group.empty() && server.user.empty()) {
        return fail(FailureKind::malformed, "AGRP"_code, origin.place("server", "group") + "needs [server] user");
    }
    std::set<Endpoint> seen;
    for (const Endpoint& endpoint : server.dns_listen) {
        if (endpoint.port != 0 && !seen.insert(endpoint).second) {
            return fail(
                FailureKind::malformed, "ADUP"_code,
                origin.place("server", "dns-listen") + endpoint.to_text() + " must be given once, is there twice");
        }
    }
    return {};
}

Done check_resolver(const ResolverKeys& resolver, const Origin& origin) {
    if (!resolver.ipv4 && !resolver.ipv6) {
        return fail(
            FailureKind::malformed, "AFAM"_code,
            origin.place("resolver", "ipv6") + "ipv4 and ipv6 must not both be false: no server could be asked");
    }
    if (resolver.cache_min_ttl > resolver.cache_max_ttl) {
        return fail(FailureKind::malformed, "ATTL"_code,
                    origin.place("resolver", "cache-min-ttl") + "must be at most cache-max-ttl (" +
                        std::to_string(resolver.cache_max_ttl.count()) + "), is " +
                        std::to_string(resolver.cache_min_ttl.count()));
    }
    if (resolver.cache_min_negative_ttl > resolver.cache_max_negative_ttl) {
        return fail(FailureKind::malformed, "ANTL"_code,
                    origin.place("resolver", "cache-min-negative-ttl") + "must be at most cache-max-negative-ttl (" +
                        std::to_string(resolver.cache_max_negative_ttl.count()) + "), is " +
                        std::to_string(resolver.cache_min_negative_ttl.count()));
    }
    const auto limit = [&resolver](Limit which) { return resolver.limits.at(static_cast<std::size_t>(which)); };
    if (limit(Limit::failures) > limit(Limit::verifications)) {
        return fail(FailureKind::malformed, "ALIM"_code,
                    origin.place("resolver.limits", "failures") + "must be at most verifications (" +
                        std::to_string(limit(Limit::verifications)) + "), is " +
                        std::to_string(limit(Limit::failures)));
    }
    return {};
}

}  // namespace

ServerKeys::ServerKeys()
    : dns_listen{parse_endpoint("127.0.0.1:53").value()},
      allow{Network::from_text("127.0.0.0/8").value(), Network::from_text("::1/128").value()} {}

void Origin::note(std::string_view section, std::string_view key, std::uint32_t line, std::string value) {
    places_[std::string(section) + "." + std::string(key)] = {line, std::move(value)};
}

std::vector<std::string> Origin::differing(const Origin& other) const {
    std::set<std::string> all;
    for (const auto& [here, there] : {std::pair(this, &other), std::pair(&other, this)}) {
        for (const auto& [key, place] : here->places_) {
            const auto same = there->places_.find(key);
            if (same == there->places_.end() || same->second.value != place.value) all.insert(key);
        }
    }
    return {all.begin(), all.end()};
}

bool Origin::has(std::string_view section, std::string_view key) const {
    return places_.contains(std::string(section) + "." + std::string(key));
}

std::string Origin::place(std::string_view section, std::string_view key) const {
    const auto place = places_.find(std::string(section) + "." + std::string(key));
    const std::string in = section.empty() ? "" : "[" + std::string(section) + "] ";
    return file_ + (place == places_.end() ? "" : ":" + std::to_string(place->second.line)) + ": " + in +
           std::string(key) + ": ";
}

Result<Loaded> parse_configuration(std::string_view text, std::string_view file, TestMode mode) {
    const Done plain = check_characters(text, file);
    if (!plain) return fail(plain.error());
    const toml::parse_result parsed = toml::parse(text, file);
    if (!parsed) {
        return fail(FailureKind::malformed, "ATOM"_code,
                    std::string(file) + ":" + std::to_string(parsed.error().source().begin.line) + ": " +
                        std::string(parsed.error().description()));
    }
    Walk walk(file, mode);
    const Done walked = walk.section("", parsed.table());
    if (!walked) return fail(walked.error());
    Loaded loaded = walk.take();
    const Done checked = check(loaded.configuration, loaded.origin);
    if (!checked) return fail(checked.error());
    return loaded;
}

Result<Loaded> read_configuration(const std::filesystem::path& file, TestMode mode) {
    std::error_code error;
    // A pipe would be waited for, perhaps for ever, and could not be read a second time (SIGHUP).
    const std::filesystem::file_type kind = std::filesystem::status(file, error).type();
    if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found && !error)
        return fail(FailureKind::system, "AKND"_code, file.string() + ": cannot be read: it is no regular file");
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    std::ifstream stream(file, std::ios::binary);
    if (error || !stream) {
        return fail(FailureKind::system, "AFIL"_code,
                    file.string() + ": cannot be read: " + (error ? error.message() : "permission denied"));
    }
    if (size > most_file_octets)
        return fail(FailureKind::malformed, "ABIG"_code, file.string() + ": is larger than 1 MiB");
    std::ostringstream text;
    text << stream.rdbuf();
    return parse_configuration(text.str(), file.string(), mode);
}

Result<Loaded> read_usual_configuration(const std::filesystem::path& file, TestMode mode) {
    std::error_code error;
    if (std::filesystem::symlink_status(file, error).type() != std::filesystem::file_type::not_found)
        return read_configuration(file, mode);
    return parse_configuration("", "there is no " + file.string() + ": defaults", mode);
}

Done check(const Configuration& configuration, const Origin& origin) {
    Done done = check_server(configuration.server, origin);
    if (!done) return done;
    done = check_resolver(configuration.resolver, origin);
    if (!done) return done;
    return check_detours(configuration, origin);
}

std::vector<std::pair<std::string_view, std::string_view>> known_keys() {
    std::vector<std::pair<std::string_view, std::string_view>> all;
    for (const Key& key : keys) all.emplace_back(key.section, key.name);
    return all;
}

std::vector<dnssec::NegativeAnchor> current_negative_anchors(const Configuration& configuration, WallTime now) {
    std::vector<dnssec::NegativeAnchor> current;
    for (const dnssec::NegativeAnchor& anchor : configuration.dnssec.negative_trust_anchors) {
        if (now < anchor.ends) current.push_back(anchor);
    }
    return current;
}

std::vector<std::string> lasting_doubts(const Configuration& configuration) {
    std::vector<std::string> all;
    for (const dnssec::NegativeAnchor& anchor : configuration.dnssec.negative_trust_anchors) {
        if (anchor.name.label_count() > 1) continue;
        all.push_back("the negative trust anchor for " + anchor.name.to_text() + " switches validation off for " +
                      (anchor.name.is_root() ? "everything" : "a whole top-level domain"));
    }
    // In a world of its own, or with the operator's anchors, nobody asks for Debian's.
    if (!configuration.test.root_hints) {
        for (std::string& doubt : read_root_data(configuration.dnssec.root_data).doubts)
            all.push_back(std::move(doubt));
    }
    if (configuration.resolver.accept_sha1) {
        all.emplace_back("accept-sha1: signatures with SHA-1 are accepted, although they can be forged (RFC 9905)");
    }
    return all;
}

std::vector<std::string> doubts(const Configuration& configuration, WallTime now) {
    std::vector<std::string> all;
    const auto judge = [&all, now](const mail::OperatorsWord& word) {
        const std::string what = mail::described(word);
        if (word.expires <= now) {
            all.push_back(what + " has expired and is ignored; its reason was: " + word.reason);
        } else if (word.expires - now > longest_usual) {
            all.push_back(what + " holds for more than a year; what is meant to stay is no exception");
        }
    };
    for (const dnssec::NegativeAnchor& anchor : configuration.dnssec.negative_trust_anchors)
        judge(mail::word_of(anchor));
    for (const mail::Exception& exception : configuration.operator_keys.exceptions) judge(mail::word_of(exception));
    for (std::string& doubt : lasting_doubts(configuration)) all.push_back(std::move(doubt));
    return all;
}

}  // namespace mxtrust::daemon
