// The daemon's configuration: one aggregate with defaults, read from TOML, checked once, immutable afterwards.
//
// Everything has a default that serves a mail server well; a file is needed only to differ. An unknown key, a value of
// the wrong kind or out of its bounds, and values that do not fit together are errors that name file, line, section and
// key, what is wrong and what would be right. What could make answers untrustworthy (another time, other anchors, local
// addresses as authorities) is in [test] alone, which is an error unless the daemon was started with --test-mode.
// daemon/mxtrust.toml documents every key.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/budget.h"
#include "base/clock.h"
#include "base/networks.h"
#include "base/result.h"
#include "dns/name.h"
#include "dnssec/policy.h"
#include "log/log.h"
#include "mail/answer.h"
#include "mail/exception.h"
#include "resolve/resolver.h"

namespace mxtrust::daemon {

struct RootHint {
    dns::Name name;
    Address address;
    friend bool operator==(const RootHint&, const RootHint&) = default;
};

/// Off only where the kernel has none, or to find out what it forbids.
enum class SystemCallFilter : std::uint8_t { off, on };

struct ServerKeys {
    std::filesystem::path state_directory = "/var/lib/mxtrust";
    std::filesystem::path query_socket = "/run/mxtrust/query.sock";  ///< empty: none
    std::uint32_t query_socket_mode = 0666;
    std::filesystem::path postfix_socket = "/run/mxtrust/postfix.sock";  ///< empty: none; permissions as above
    std::string metrics_listen;        ///< a path, or a loopback address with port; empty: none
    std::vector<Endpoint> dns_listen;  ///< set by the constructor: 127.0.0.1:53
    std::uint32_t workers = 0;         ///< 0: one per core
    std::string user;                  ///< empty: stay as started
    std::string group;                 ///< empty: the user's
    SystemCallFilter system_call_filter = SystemCallFilter::on;
    log::Level log_level = log::Level::info;
    log::Target log_target = log::Target::standard_error;
    std::uint32_t cache_size_mb = 256;
    std::vector<Network> allow;  ///< set by the constructor: loopback
    ServerKeys();
    friend bool operator==(const ServerKeys&, const ServerKeys&) = default;
};

/// Who may stand in where recursion is impossible.
enum class Fallback : std::uint8_t { off, resolv_conf, listed };

struct ResolverKeys {
    bool ipv4 = true;
    bool ipv6 = true;
    bool qname_minimisation = true;
    bool query_case_randomisation = true;
    bool prime_root = true;
    bool aggressive_nsec = true;
    std::uint16_t edns_udp_size = 1232;
    std::chrono::seconds cache_min_ttl{0};
    std::chrono::seconds cache_max_ttl{86400};
    std::chrono::seconds cache_min_negative_ttl{0};
    std::chrono::seconds cache_max_negative_ttl{3600};
    bool hide_query_type = false;
    bool error_reporting = false;  ///< RFC 9567
    bool verify_glue = false;
    bool child_name_servers = false;
    bool prefetch = false;
    std::chrono::seconds serve_stale{0};       ///< for so long after its end; 0: never
    Duration serve_stale_after{1800};          ///< RFC 8767 5: the client response timer
    std::chrono::seconds serve_stale_ttl{30};  ///< RFC 8767 4
    std::vector<Network> private_addresses;    ///< filtered out of all names but those below
    std::vector<dns::Name> private_domains;
    std::uint16_t nsec3_iterations = 50;
    std::vector<dnssec::IterationLimit> nsec3_iterations_by_key;  ///< instead of the above
    bool accept_sha1 = false;
    Duration deadline{4900};  ///< of an answer over DNS; an MTA's own time-out is 5 s
    std::array<std::uint32_t, limit_count> limits = BudgetLimits{}.most;
    std::uint32_t mail_lookups = 20;  ///< so many look-ups' limits are a mail question's
    Fallback fallback = Fallback::resolv_conf;
    std::vector<Endpoint> fallback_forwarders;  ///< where they are listed
    friend bool operator==(const ResolverKeys&, const ResolverKeys&) = default;
};

struct DnssecKeys {
    std::filesystem::path trust_anchor_file;  ///< empty: the anchors that are built in
    std::vector<dnssec::NegativeAnchor> negative_trust_anchors;
    bool root_key_sentinel = true;                       ///< RFC 8509
    bool all_algorithms = false;                         ///< stricter than RFC 6840 5.11
    bool follow_rollovers = true;                        ///< RFC 5011
    bool key_tag_signal = true;                          ///< RFC 8145
    std::filesystem::path root_data = "/usr/share/dns";  ///< where Debian's dns-root-data is; empty: not looked at
    friend bool operator==(const DnssecKeys&, const DnssecKeys&) = default;
};

struct MailKeys {
    mail::InsecureMx insecure_mx = mail::InsecureMx::dane;
    bool strict_null_mx = false;
    bool allow_mx_literals = false;
    bool mta_sts = true;
    std::filesystem::path mta_sts_ca_file;  ///< empty: the system's certificate authorities
    bool tlsrpt = true;
    bool refresh_ahead = true;
    friend bool operator==(const MailKeys&, const MailKeys&) = default;
};

/// What the operator says against what the DNS says, and how it is looked after.
struct OperatorKeys {
    std::vector<mail::Exception> exceptions;
    std::chrono::seconds recheck_interval{3600};
    friend bool operator==(const OperatorKeys&, const OperatorKeys&) = default;
};

/// Only with --test-mode.
struct TestKeys {
    WallTime time{};  ///< 0: the real one
    std::optional<std::vector<RootHint>> root_hints;
    std::optional<std::vector<std::string>>
        trust_anchors;                        ///< DS or DNSKEY as text; an empty list: nothing is validated
    bool allow_local_authorities = false;     ///< private and documentation addresses
    bool allow_loopback_authorities = false;  ///< 127.0.0.0/8 and ::1
    bool ignore_signature_dates = false;      ///< no signature is too old or too young
    std::uint16_t authority_port = 53;
    std::uint32_t rollover_pace = 0;  ///< how many times faster RFC 5011's timers run; 0: its anchors are not followed
    std::chrono::seconds sts_round{1800};  ///< between two looks for MTA-STS policies to be fetched again
    std::filesystem::path resolv_conf;     ///< empty: /etc/resolv.conf, or none in a world with another root
    friend bool operator==(const TestKeys&, const TestKeys&) = default;
};

struct Configuration {
    ServerKeys server;
    ResolverKeys resolver;
    DnssecKeys dnssec;
    MailKeys mail;
    OperatorKeys operator_keys;  ///< [operator]
    TestKeys test;
    std::vector<resolve::Detour> forwards, stubs;
    friend bool operator==(const Configuration&, const Configuration&) = default;
};

enum class TestMode : std::uint8_t { off, on };

/// Where each key stood, for errors that are found later.
class Origin {
  public:
    explicit Origin(std::string file = "(defaults)") : file_(std::move(file)) {}
    /// `value`: as it stands there, for telling one file's from another's.
    void note(std::string_view section, std::string_view key, std::uint32_t line, std::string value = {});
    /// Keys whose values are others there than here, as "section.key", in order; one that is in one file alone counts.
    [[nodiscard]] std::vector<std::string> differing(const Origin& other) const;
    [[nodiscard]] const std::string& file() const { return file_; }
    /// Is the key in the file?
    [[nodiscard]] bool has(std::string_view section, std::string_view key) const;
    /// "FILE:LINE: [section] key: "; without line where the key is not in the file.
    [[nodiscard]] std::string place(std::string_view section, std::string_view key) const;

  private:
    std::string file_;
    struct Place {
        std::uint32_t line = 0;
        std::string value;
    };
    std::map<std::string, Place> places_;
};

struct Loaded {
    Configuration configuration;
    Origin origin;
};

/// Parses and checks. `file` is for errors only.
Result<Loaded> parse_configuration(std::string_view text, std::string_view file, TestMode mode);
/// Reads, parses and checks. FailureKind::system where the file cannot be read.
Result<Loaded> read_configuration(const std::filesystem::path& file, TestMode mode);
/// The same of the usual file, which need not be there: then all is default. One that is there and cannot be read is an
/// error, also where only its folder, or what a link leads to, cannot be looked at.
Result<Loaded> read_usual_configuration(const std::filesystem::path& file, TestMode mode);
/// What the values must be to each other; single values were judged when they were read.
Done check(const Configuration& configuration, const Origin& origin);

/// All keys as the file has them: {"server", "workers"}, …
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> known_keys();

/// "127.0.0.1:53", "[::1]:53"; the port is needed, 0 lets the system choose.
Result<Endpoint> parse_endpoint(std::string_view text);
/// The negative trust anchors that still hold.
[[nodiscard]] std::vector<dnssec::NegativeAnchor> current_negative_anchors(const Configuration& configuration,
                                                                           WallTime now);
/// What works but is hardly meant so: one sentence each, for a warning.
[[nodiscard]] std::vector<std::string> doubts(const Configuration& configuration, WallTime now);
/// Of these, what does not depend on the time: the daemon itself looks after what has ended or ends soon.
[[nodiscard]] std::vector<std::string> lasting_doubts(const Configuration& configuration);

}  // namespace mxtrust::daemon
