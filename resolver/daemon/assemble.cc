// Each function reads the configuration and gives one part what it needs.
#include "daemon/assemble.h"

#include <fstream>
#include <sstream>

#include "daemon/builtin.h"
#include "daemon/lists.h"
#include "daemon/root_data.h"

namespace mxtrust::daemon {
namespace {

resolve::Switch to_switch(bool on) {
    return on ? resolve::Switch::on : resolve::Switch::off;
}

Result<std::string> read_file(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string text;
    text.resize(dnssec::most_anchor_octets + 1);
    if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream && !stream.eof()) {
        return fail(FailureKind::malformed, "ATAF"_code, file.string() + " cannot be read");
    }
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

Result<resolve::RootServer> parse_hint(const std::vector<std::string>& words) {
    const auto name = dns::Name::from_text(words.front());
    if (!name) return fail(name.error());
    const auto address = Address::from_text(words.back());
    if (!address) return fail(address.error());
    return resolve::RootServer{*name, *address};
}

}  // namespace

Result<std::vector<resolve::RootServer>> parse_root_hints(std::string_view text) {
    std::vector<resolve::RootServer> servers;
    std::istringstream lines{std::string(text)};
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        std::istringstream stream(line.substr(0, line.find(';')));
        std::vector<std::string> words;
        for (std::string word; stream >> word;) words.push_back(word);
        if (words.empty()) continue;
        const std::string type = words.size() < 3 ? std::string() : words.at(words.size() - 2);
        if (type == "NS") continue;
        auto server = parse_hint(words);
        if ((type != "A" && type != "AAAA") || !server) {
            return fail(FailureKind::malformed, "AHIN"_code,
                        "root hints, line " + std::to_string(number) +
                            ": wanted is NAME TTL TYPE DATA with type NS, A or AAAA");
        }
        servers.push_back(std::move(*server));
    }
    if (servers.empty()) return fail(FailureKind::malformed, "AHNO"_code, "root hints: there is no address in them");
    return servers;
}

Result<Anchors> choose_anchors(const Configuration& configuration, const Origin& origin) {
    std::string text(builtin_root_anchors());
    std::string source = "built-in";
    std::string place = "built-in trust anchors: ";
    if (configuration.test.trust_anchors) {
        text.clear();
        for (const std::string& line : *configuration.test.trust_anchors) text += line + "\n";
        source = "[test]";
        place = origin.place("test", "trust-anchors");
        if (configuration.test.trust_anchors->empty()) return Anchors{{}, source};
    } else if (!configuration.dnssec.trust_anchor_file.empty()) {
        source = configuration.dnssec.trust_anchor_file.string();
        place = origin.place("dnssec", "trust-anchor-file");
        auto content = read_file(configuration.dnssec.trust_anchor_file);
        if (!content) {
            return fail(Failure{content.error().kind, content.error().code, place + content.error().text});
        }
        text = std::move(*content);
        place += source + ": ";
    }
    auto anchors = dnssec::TrustAnchors::parse(text);
    if (!anchors) return fail(FailureKind::malformed, "ATAP"_code, place + anchors.error().text);
    if (source == "built-in") {
        if (const auto newer = read_root_data(configuration.dnssec.root_data).anchors) {
            dnssec::TrustAnchors joined;
            joined.add(*newer);
            return Anchors{std::move(joined), "built-in and " + (configuration.dnssec.root_data / "root.ds").string()};
        }
    }
    return Anchors{std::move(*anchors), source};
}

Result<std::vector<resolve::RootServer>> choose_root_hints(const Configuration& configuration) {
    if (!configuration.test.root_hints) {
        auto newer = read_root_data(configuration.dnssec.root_data).hints;
        if (newer) return std::move(*newer);
        return parse_root_hints(builtin_root_hints());
    }
    std::vector<resolve::RootServer> servers;
    for (const RootHint& hint : *configuration.test.root_hints) servers.push_back({hint.name, hint.address});
    return servers;
}

Result<resolve::Settings> resolver_settings(const Configuration& configuration, const Anchors& anchors, WallTime now,
                                            LatestRef latest) {
    auto hints = choose_root_hints(configuration);
    if (!hints) return fail(hints.error());
    const ResolverKeys& keys = configuration.resolver;
    resolve::Settings settings;
    settings.root_hints = std::move(*hints);
    settings.anchors = anchors.anchors;
    settings.negative_anchors =
        dnssec::NegativeAnchors(current_negative_anchors(configuration, latest->seen(now)), latest);
    settings.policy.sha1 = keys.accept_sha1 ? dnssec::Sha1::accepted : dnssec::Sha1::unsupported;
    settings.policy.most_nsec3_iterations = keys.nsec3_iterations;
    settings.policy.most_ttl = keys.cache_max_ttl;
    settings.policy.least_ttl = keys.cache_min_ttl;
    settings.policy.most_negative_ttl = std::min(keys.cache_max_negative_ttl, keys.cache_max_ttl);
    settings.policy.least_negative_ttl = keys.cache_min_negative_ttl;
    settings.policy.nsec3_by_key = keys.nsec3_iterations_by_key;
    settings.policy.dates = configuration.test.ignore_signature_dates ? dnssec::Dates::ignored : dnssec::Dates::checked;
    settings.policy.algorithms =
        configuration.dnssec.all_algorithms ? dnssec::Algorithms::all : dnssec::Algorithms::any;
    settings.lookup_limits.most = keys.limits;
    settings.ipv4 = to_switch(keys.ipv4);
    settings.ipv6 = to_switch(keys.ipv6);
    settings.minimisation = to_switch(keys.qname_minimisation);
    settings.case_randomisation = to_switch(keys.query_case_randomisation);
    settings.prime_root = to_switch(keys.prime_root);
    settings.aggressive_denial = to_switch(keys.aggressive_nsec);
    settings.error_reporting = to_switch(keys.error_reporting);
    settings.hide_query_type = to_switch(keys.hide_query_type);
    settings.verify_glue = to_switch(keys.verify_glue);
    settings.child_name_servers = to_switch(keys.child_name_servers);
    settings.prefetch = to_switch(keys.prefetch);
    settings.most_stale = keys.serve_stale;
    settings.private_addresses = keys.private_addresses;
    settings.private_domains = keys.private_domains;
    settings.local_authorities = to_switch(configuration.test.allow_local_authorities);
    settings.loopback_authorities = to_switch(configuration.test.allow_loopback_authorities);
    settings.edns_size = keys.edns_udp_size;
    settings.port = configuration.test.authority_port;
    settings.forwards = configuration.forwards;
    settings.stubs = configuration.stubs;
    // A wildcard is left out: an authority on this host is asked like any other, and a question that came back to us
    // would end there, for it does not desire recursion.
    for (const Endpoint& endpoint : configuration.server.dns_listen) {
        if (endpoint.port == settings.port) settings.own_addresses.push_back(endpoint.address);
    }
    return settings;
}

route::RouteSettings route_settings(const Configuration& configuration, const LatestRef& latest) {
    route::RouteSettings settings;
    settings.options.exceptions =
        std::make_shared<const mail::Exceptions>(configuration.operator_keys.exceptions, latest);
    settings.options.negative_anchors =
        std::make_shared<const dnssec::NegativeAnchors>(configuration.dnssec.negative_trust_anchors, latest);
    settings.budget_factor = configuration.resolver.mail_lookups;
    settings.options.insecure_mx = configuration.mail.insecure_mx;
    settings.options.strict_null_mx = configuration.mail.strict_null_mx;
    settings.options.allow_mx_literals = configuration.mail.allow_mx_literals;
    settings.tlsrpt = configuration.mail.tlsrpt;
    settings.refresh_ahead = configuration.mail.refresh_ahead;
    return settings;
}

serve::DnsSettings dns_settings(const Configuration& configuration) {
    serve::DnsSettings settings;
    settings.allow = configuration.server.allow;
    settings.deadline = configuration.resolver.deadline;
    settings.root_key_sentinel = to_switch(configuration.dnssec.root_key_sentinel);
    settings.stale_after = configuration.resolver.serve_stale_after;
    settings.stale_ttl = configuration.resolver.serve_stale_ttl;
    return settings;
}

std::string cache_epoch(const resolve::Settings& settings, const MailKeys& mail) {
    std::ostringstream text;
    for (const auto& [zone, anchor] : settings.anchors.all()) {
        for (const dns::Ds& ds : anchor.ds) {
            text << "anchor " << zone.to_text() << " DS " << ds.key_tag << ' ' << static_cast<unsigned>(ds.algorithm)
                 << ' ' << static_cast<unsigned>(ds.digest_type) << ' ' << to_hex(ds.digest) << '\n';
        }
        for (const dns::Dnskey& key : anchor.keys) {
            text << "anchor " << zone.to_text() << " DNSKEY " << key.flags << ' '
                 << static_cast<unsigned>(key.algorithm) << ' ' << to_hex(key.public_key) << '\n';
        }
    }
    // Negative trust anchors are not in it: each record that rests on one says so (resolve/fitting_cache.h).
    text << "sha1 " << static_cast<unsigned>(settings.policy.sha1) << "\niterations "
         << settings.policy.most_nsec3_iterations << "\nttl " << settings.policy.least_ttl.count() << ' '
         << settings.policy.most_ttl.count() << ' ' << settings.policy.least_negative_ttl.count() << ' '
         << settings.policy.most_negative_ttl.count() << "\nlocal " << static_cast<unsigned>(settings.local_authorities)
         << "\nmail " << static_cast<unsigned>(mail.insecure_mx) << '\n';
    for (const dnssec::IterationLimit& limit : settings.policy.nsec3_by_key)
        text << "iterations " << limit.key_bits << ' ' << limit.iterations << '\n';
    if (settings.policy.algorithms == dnssec::Algorithms::all) text << "all algorithms\n";
    if (settings.policy.dates == dnssec::Dates::ignored) text << "dates ignored\n";
    for (const Network& network : settings.private_addresses) text << "private " << network.to_text() << '\n';
    for (const dns::Name& name : settings.private_domains) text << "private " << name.to_text() << '\n';
    // Another root is another world: nothing of the one may be seen in the other.
    for (const resolve::RootServer& server : settings.root_hints) text << "hint " << server.address.to_text() << '\n';
    // So are zones that others are asked about.
    for (const auto* detours : {&settings.forwards, &settings.stubs}) {
        for (const resolve::Detour& detour : *detours) {
            text << (detours == &settings.forwards ? "forward " : "stub ") << detour.zone.to_text();
            for (const Endpoint& server : detour.servers) text << ' ' << server.to_text();
            text << '\n';
        }
    }
    return text.str();
}

}  // namespace mxtrust::daemon
