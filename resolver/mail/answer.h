// The mail answer: everything that is told of one mail domain, as values. The query socket renders JSON from it, the
// Postfix socketmap a policy, the client words for a person; none of them decides anything. Answers are shared and
// cached: what belongs to one request (its id, how the domain was spelled) is not in here.
//
// RFC 7672 (DANE for SMTP), 7505 (null MX), 5321 5.1 (implicit MX), 8460 4.3 (result types), 3463 (enhanced codes).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "dns/name.h"
#include "dns/types.h"
#include "dnssec/finding.h"
#include "dnssec/negative_anchor.h"

namespace mxtrust::mail {

/// What hosts named by an MX RRset from an unsigned zone are worth (RFC 7672 2.2.1).
enum class InsecureMx : std::uint8_t {
    dane,  ///< their TLSA records are used; the answer says that the destination itself is not authenticated
    may,   ///< they are treated as if nobody had TLSA records
};

struct Exception;
class Exceptions;
using ExceptionRef = std::shared_ptr<const Exception>;

/// The operator's choices; the configuration fills it.
struct Options {
    bool dane_on = true;  ///< off: no TLSA is asked, every reachable host is `may`
    InsecureMx insecure_mx = InsecureMx::dane;
    bool strict_null_mx = false;     ///< "." beside other MX hosts bounces (RFC 7505 3 only says "no other")
    bool allow_mx_literals = false;  ///< an MX target that is an IP address is used; RFC 5321 5.1 forbids it
    std::shared_ptr<const Exceptions> exceptions{};                     ///< null: none (exception.h)
    std::shared_ptr<const dnssec::NegativeAnchors> negative_anchors{};  ///< null: none; for naming them in answers
};

/// Something the operator said that an answer, or a part of one, rests on: it is not proven, and not authenticated.
struct OperatorsWord {
    enum class Kind : std::uint8_t { negative_trust_anchor, exception };
    Kind kind = Kind::exception;
    std::string on;  ///< "zone", "domain" or "host"
    dns::Name name;
    bool subdomains = false;
    std::string action;  ///< "insecure" of a negative trust anchor; of an exception its action, "may"
    std::string reason;  ///< the operator's
    WallTime expires{};
    std::string text;  ///< all of this as part of a sentence
    friend bool operator==(const OperatorsWord&, const OperatorsWord&) = default;
};

/// What went wrong, as a sender is told: an enhanced status code with its name (see codes.h for texts).
enum class Fault : std::uint8_t {
    starttls_not_supported,  ///< 4.7.321
    certificate_expired,     ///< 4.7.322
    tlsa_invalid,            ///< 4.7.323
    dnssec_invalid,          ///< 4.7.324
    dns_query_failed,        ///< 4.4.312
    null_mx,                 ///< 5.1.10
    bad_domain,              ///< 5.1.2
    no_route,                ///< 5.4.4
    sts_policy,              ///< 4.7.0: the MTA-STS policy does not allow the host
    dane_required,           ///< 4.7.5: the operator requires DANE, and the host has none
    held,                    ///< 4.7.1: the operator holds the domain's mail, or leaves out the host
};
/// "4.7.324", "4.4.312", "5.1.10": temporary for what may heal, permanent for what is proven.
[[nodiscard]] std::string_view code_number(Fault fault);
/// "dnssec-invalid", "DNS query failed", "null MX"
[[nodiscard]] std::string_view code_name(Fault fault);
/// "4.7.324 dnssec-invalid": the `code` of the protocol.
[[nodiscard]] std::string code_text(Fault fault);
/// The same once the message expires, after 24 h: "5.7.324 dnssec-invalid".
[[nodiscard]] std::string expired_code_text(Fault fault);

/// RFC 8460 4.3.
enum class TlsrptType : std::uint8_t {
    starttls_not_supported,
    certificate_host_mismatch,
    certificate_not_trusted,
    certificate_expired,
    validation_failure,
    tlsa_invalid,
    dnssec_invalid,
    dane_required,
    sts_policy_fetch_error,
    sts_policy_invalid,
    sts_webpki_invalid,
};
[[nodiscard]] std::string_view to_text(TlsrptType type);  ///< "dnssec-invalid"

/// Peculiarities of a host's entry; none of them decides, all of them are shown.
enum class Flag : std::uint8_t {
    implicit_mx,
    address_literal,
    malformed_null_mx,
    duplicate,
    cname,
    invalid_name,
    underscore,
    over_limit,
};
[[nodiscard]] std::string_view to_text(Flag flag);  ///< "implicit-mx"

/// One look-up as shown: both axes and why.
struct Status {
    dnssec::Security security = dnssec::Security::indeterminate;
    dnssec::Outcome outcome = dnssec::Outcome::failure;
    dns::Rcode rcode = dns::Rcode::servfail;
    std::optional<dns::Ttl> ttl;  ///< left at `MailAnswer::time`, of records
    WallTime expires{};
    dnssec::Reason reason;                     ///< `ede` is reason.ede with reason.text; empty text: null
    std::optional<dns::Name> signer;           ///< the zone that signed; where secure
    std::vector<OperatorsWord> by_operator{};  ///< negative trust anchors that it rests on
};

struct MxStatus {
    Status status;
    bool cached = false;  ///< nothing had to be asked
    std::vector<dns::Name>
        alias;  ///< where the domain is an alias: the chain from the domain to the expanded name; else empty
};

struct AddressStatus {
    Status status;
    std::vector<Address> addresses;  ///< in numerical order
};

struct AliasStatus {
    dnssec::Security security = dnssec::Security::indeterminate;  ///< of the weakest link
    std::vector<dns::Name> chain;                                 ///< from the host's name to `expanded`
    dns::Name expanded;
};

/// A TLSA record and what it is worth (RFC 7671 4, 5, 9).
struct TlsaRecord {
    std::uint8_t usage = 0, selector = 0, matching = 0;
    Bytes data;
    bool usable = false;  ///< well-formed and of a kind that SMTP uses
    bool counts = false;  ///< usable and not superseded by a stronger digest: takes part in matching
    std::string why;      ///< where it does not count: one sentence; else empty
};

struct TlsaStatus {
    Status status;
    dns::Name base;  ///< the TLSA base domain
    dns::Name name;  ///< _25._tcp.base
    std::vector<TlsaRecord>
        records;  ///< of a secure answer as judged; of an insecure one none counts and `why` says so
};

enum class HostAction : std::uint8_t { dane, encrypt, sts, may, skip, unreachable };
[[nodiscard]] std::string_view to_text(HostAction action);

/// What to do with one host.
struct HostPolicy {
    HostAction action = HostAction::skip;
    std::string sni;  ///< dane, encrypt with TLSA: the TLSA base domain; else the host's name; empty for literals
    std::vector<std::string>
        names;  ///< dane: reference identifiers, the TLSA base domain first (RFC 7672 3.2.2); sts: the host
    std::optional<Fault> fault;  ///< of skip and unreachable
    std::optional<TlsrptType> tlsrpt;
    std::string text;  ///< a sentence that a postmaster can act on, without final stop
};

struct HostAnswer {
    std::string name;  ///< "mx1.example.org"; of a literal the address as in `a` or `aaaa`, "." of a misplaced null MX
    std::optional<std::uint16_t> preference;  ///< none for a bracketed next-hop
    bool implicit = false;
    std::vector<Flag> flags;
    std::optional<AliasStatus> alias;
    std::optional<AddressStatus> a, aaaa;  ///< none where they were not asked
    std::optional<TlsaStatus> tlsa;        ///< none where it was not asked; policy.text says why
    HostPolicy policy;
    WallTime expires{};                        ///< the first end of all that the policy rests on, shown above or not
    std::vector<dns::Name> unshown{};          ///< names that look-ups led over and that do not stand above
    std::vector<OperatorsWord> by_operator{};  ///< what the policy or a status rests on
};

enum class Action : std::uint8_t { deliver, defer, bounce };
enum class Level : std::uint8_t { dane, dane_partial, encrypt, sts, may };
[[nodiscard]] std::string_view to_text(Action action);
[[nodiscard]] std::string_view to_text(Level level);  ///< "dane-partial"

/// What to do with mail for the domain. `level` speaks of the hosts that may be used (neither skip nor unreachable):
/// `dane` where all of them are, `dane_partial` where some are, else that of the weakest.
struct Decision {
    Action action = Action::defer;
    std::optional<Level> level;  ///< of deliver only
    bool authenticated = false;  ///< MX (or the operator's own word) secure, and every host that may be used is `dane`
    std::optional<Fault> fault;  ///< of defer and bounce
    std::optional<TlsrptType> tlsrpt;
    std::optional<std::chrono::seconds> retry_after;  ///< of defer
    std::string text;                                 ///< one sentence without final stop
};

/// A policy of MTA-STS (RFC 8461 3.2); who fetches it is not this room's business.
struct StsPolicy {
    enum class Mode : std::uint8_t { enforce, testing, none };
    Mode mode = Mode::none;
    std::string id;                     ///< of the TXT record by which it was found
    std::vector<std::string> patterns;  ///< "mx.example.org", "*.example.net", lower-case A-labels
    std::chrono::seconds max_age{};     ///< as published, within the bounds of RFC 8461 3.2
    WallTime fetched{};
    WallTime expires{};
    friend bool operator==(const StsPolicy&, const StsPolicy&) = default;
};
[[nodiscard]] std::string_view to_text(StsPolicy::Mode mode);  ///< "enforce"

/// Why there is no policy, or no newer one, under the type of TLSRPT.
struct StsTrouble {
    TlsrptType type = TlsrptType::sts_policy_fetch_error;
    std::string text;  ///< one sentence without final stop
    friend bool operator==(const StsTrouble&, const StsTrouble&) = default;
};

/// What was found out about a domain's MTA-STS policy.
struct StsStatus {
    enum class Source : std::uint8_t { none, https, cache };
    std::optional<StsPolicy> policy;  ///< the one that holds now
    Source source = Source::none;     ///< of `policy`: fetched for this answer, or kept from before
    std::optional<Status> record;     ///< of the TXT record at _mta-sts; none where it was not there in time
    std::string record_id;            ///< of a good record
    std::optional<StsTrouble> trouble;
    WallTime expires{};  ///< when to look again, whatever was found
    bool late = false;   ///< something was not there in time
};

/// Where reports on TLS are wanted (RFC 8460 3).
struct TlsrptStatus {
    std::optional<Status> record;  ///< of the TXT record at _smtp._tls; none where it was not there in time
    std::vector<std::string> rua;  ///< "mailto:…", "https://…"; none: nobody wants reports
    std::string problem;           ///< why the record does not count; else empty
    WallTime expires{};
};

/// A policy as reports name it (RFC 8460 4.4), and what of it has failed before any connection was made.
struct ReportedPolicy {
    enum class Type : std::uint8_t { tlsa, sts, no_policy_found };
    struct Failure {
        TlsrptType type{};
        std::string host;  ///< empty where it is the domain's
        std::string text;
    };
    Type type = Type::no_policy_found;
    std::string domain;                 ///< of tlsa the TLSA base domain; else the next-hop domain
    std::vector<std::string> strings;   ///< the policy: lines of MTA-STS, or TLSA records
    std::vector<std::string> mx_hosts;  ///< of sts: its patterns
    std::vector<Failure> failures;
};
[[nodiscard]] std::string_view to_text(ReportedPolicy::Type type);  ///< "no-policy-found"

struct MailAnswer {
    std::string domain;  ///< normal form: "example.org", "[relay.example]:587", "[192.0.2.1]"
    std::uint16_t port = 25;
    WallTime time{};
    WallTime expires{};  ///< the first end of what it rests on; of what failed a few seconds
    Decision decision;
    std::optional<MxStatus> mx;                ///< none for a bracketed next-hop: MX was not asked
    std::vector<HostAnswer> hosts;             ///< by preference, then name; hosts of a null MX: none
    std::optional<StsStatus> sts;              ///< none where it was not looked at: DANE decides, or it is switched off
    std::optional<TlsrptStatus> tlsrpt;        ///< none where it was not looked at
    std::vector<OperatorsWord> by_operator{};  ///< all that anything in it rests on
};

}  // namespace mxtrust::mail
