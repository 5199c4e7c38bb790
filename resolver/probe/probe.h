// One look at one mail server, as a sender would come to it, but without mail: connect, greeting, EHLO, STARTTLS,
// handshake, EHLO, QUIT (RFC 5321, RFC 3207, RFC 7672). Says who it is, asks for nothing that a sender would not,
// always says QUIT, and ends in a bounded time, whatever the server does.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "mail/answer.h"
#include "probe/smtp.h"
#include "probe/tls.h"

namespace mxtrust::probe {

/// What stands in the way of a delivery, at the first place where something does.
enum class Trouble : std::uint8_t {
    none,
    connect_refused,     ///< or otherwise impossible
    connect_timeout,     ///< no answer at all
    no_route,            ///< this machine has no way there (no IPv6, for example): says nothing of the server
    silent,              ///< connected, and nothing came in time; also a reply that drips too slowly
    closed,              ///< the connection ended before STARTTLS was asked for
    greeting_temporary,  ///< 4xx as greeting or to EHLO
    greeting_permanent,  ///< 5xx
    no_smtp,             ///< what came is no SMTP
    endless,             ///< more than any server has to say
    starttls_absent,     ///< not offered
    starttls_temporary,  ///< 4xx to STARTTLS
    starttls_permanent,  ///< 5xx
    starttls_cut,        ///< the connection ended, or fell silent, at STARTTLS
    injected,            ///< plaintext behind the reply to STARTTLS
    tls_cut,             ///< ended in the handshake
    tls_timeout,         ///< fell silent in the handshake
    tls_too_much,        ///< more than a handshake can need
    tls_refused,         ///< the server sent an alert: nothing in common, no certificate for this name …
    tls_garbage,         ///< what came is no TLS
    tls_ours,            ///< the library of this machine refuses
    no_match,            ///< no TLSA record that counts fits
    expired,             ///< usage 2 or WebPKI: a certificate of the chain is out of its time
    not_yet_valid,       ///< the same, before its time
    wrong_name,          ///< the same: none of the reference identifiers
    untrusted,           ///< the same: the chain does not hold
};
[[nodiscard]] std::string_view to_text(Trouble trouble);  ///< "starttls-absent"
/// The code under which a sender puts mail off, where TLS is required; none: no business of TLS.
[[nodiscard]] std::optional<mail::Fault> fault_of(Trouble trouble);
/// The TLSRPT result type (RFC 8460 4.3). `judging`: WebPKI has others than DANE.
[[nodiscard]] std::optional<mail::TlsrptType> tlsrpt_of(Trouble trouble, Judging judging);

struct Target {
    std::string host;
    Endpoint endpoint;
    mail::HostAction action = mail::HostAction::may;
    std::string sni;                 ///< empty: none
    std::vector<std::string> names;  ///< reference identifiers; not empty for dane and sts
    std::vector<mail::TlsaRecord> records;
};
struct Options {
    std::string ehlo_name = "localhost";
    std::chrono::milliseconds timeout{20000};  ///< of one connection, from the first packet to QUIT
    bool both_keys = true;                     ///< where there is something to compare
};

/// One connection.
struct Visit {
    KeyKind asked = KeyKind::any;
    Trouble trouble = Trouble::none;
    std::string detail;                   ///< clean text for `trouble`
    std::string greeting;                 ///< clean; empty where none came
    std::vector<std::string> extensions;  ///< of EHLO, clean
    std::string starttls_reply;
    std::optional<Handshake> handshake;
    bool said_quit = false;
    std::optional<Address> from;  ///< our own address
    std::chrono::milliseconds took{0};
};
struct Observation {
    Target target;
    WallTime time{};
    Visit visit;
    /// The other kind of key: a visit where the server has it, else `other_absent` or nothing.
    std::optional<Visit> other;
    bool other_absent = false;
    /// The more serious of both visits.
    [[nodiscard]] const Visit& decisive() const;
};

[[nodiscard]] Judging judging_of(mail::HostAction action);
[[nodiscard]] Observation probe(Target target, Connector& connector, const Clock& clock, const Options& options);

}  // namespace mxtrust::probe
