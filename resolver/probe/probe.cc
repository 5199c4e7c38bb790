// A visit reads as the dialogue does.
#include "probe/probe.h"

#include <openssl/x509_vfy.h>

#include <algorithm>

#include "dns/text.h"

namespace mxtrust::probe {
namespace {

/// Of a line, as it is shown, and of how many.
constexpr std::size_t most_extensions = 40;
/// QUIT and its reply, once nothing else is of interest.
constexpr std::chrono::milliseconds farewell{2000};

Trouble trouble_of(const Failure& failure) {
    switch (failure.kind) {
        case FailureKind::timeout:
            return Trouble::silent;
        case FailureKind::malformed:
            return Trouble::no_smtp;
        case FailureKind::budget:
            return Trouble::endless;
        case FailureKind::unreachable:
        case FailureKind::refused:
        case FailureKind::cancelled:
        case FailureKind::system:
        case FailureKind::unsupported:
            return Trouble::closed;
    }
    return Trouble::closed;
}

Trouble trouble_of(const TlsFailure& failure) {
    switch (failure.trouble) {
        case TlsTrouble::cut:
            return Trouble::starttls_cut;
        case TlsTrouble::cut_later:
            return Trouble::tls_cut;
        case TlsTrouble::timeout:
            return Trouble::tls_timeout;
        case TlsTrouble::too_much:
            return Trouble::tls_too_much;
        case TlsTrouble::refused:
            return Trouble::tls_refused;
        case TlsTrouble::garbage:
            return Trouble::tls_garbage;
        case TlsTrouble::ours:
            return Trouble::tls_ours;
    }
    return Trouble::tls_garbage;
}

/// What verification says of the handshake. Where several things are wrong, the first that a new certificate would not
/// mend.
Trouble verdict(const Handshake& seen, Judging judging, std::string& detail) {
    if (judging == Judging::nobody) return Trouble::none;
    const bool proven = seen.complaints.empty() && (judging == Judging::webpki || seen.authority.has_value());
    if (proven) return Trouble::none;
    if (!seen.complaints.empty()) detail = seen.complaints.front().text;
    if (seen.complains_of(X509_V_ERR_DANE_NO_MATCH)) return Trouble::no_match;
    struct Kind {
        int error;
        Trouble trouble;
    };
    for (const Kind& kind :
         {Kind{X509_V_ERR_HOSTNAME_MISMATCH, Trouble::wrong_name}, Kind{X509_V_ERR_CERT_HAS_EXPIRED, Trouble::expired},
          Kind{X509_V_ERR_CERT_NOT_YET_VALID, Trouble::not_yet_valid}}) {
        const bool only = std::all_of(seen.complaints.begin(), seen.complaints.end(), [](const Complaint& one) {
            return one.error == X509_V_ERR_HOSTNAME_MISMATCH || one.error == X509_V_ERR_CERT_HAS_EXPIRED ||
                   one.error == X509_V_ERR_CERT_NOT_YET_VALID;
        });
        if (only && seen.complains_of(kind.error)) return kind.trouble;
    }
    return judging == Judging::dane && seen.complaints.empty() ? Trouble::no_match : Trouble::untrusted;
}

class Visiting {
  public:
    Visiting(const Target& target, const Clock& clock, const Options& options, KeyKind kind, WallTime now)
        : target_(target), clock_(clock), options_(options), now_(now), deadline_(clock.mono() + options.timeout) {
        visit_.asked = kind;
    }

    Visit run(Connector& connector) {
        const MonoTime begun = clock_.mono();
        Result<std::unique_ptr<Wire>> wire = connector.connect(target_.endpoint, deadline_);
        if (!wire) {
            const FailureKind kind = wire.error().kind;
            stop(kind == FailureKind::timeout  ? Trouble::connect_timeout
                 : kind == FailureKind::system ? Trouble::no_route
                                               : Trouble::connect_refused,
                 wire.error().text);
        } else {
            visit_.from = (*wire)->local();
            talk(**wire);
        }
        visit_.took = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.mono() - begun);
        return std::move(visit_);
    }

  private:
    void stop(Trouble trouble, std::string_view detail) {
        visit_.trouble = trouble;
        visit_.detail = dns::clean_text(detail, most_shown_octets * 2);
    }

    void talk(Wire& wire) {
        Conversation plain(wire);
        if (greet(plain) && start_tls(plain)) {
            secure(wire);
        } else if (visit_.trouble != Trouble::closed && visit_.trouble != Trouble::starttls_cut &&
                   visit_.trouble != Trouble::injected) {
            quit(plain);
        }
    }

    /// Greeting and EHLO. false: the visit is over.
    bool greet(Conversation& plain) {
        const Result<Reply> greeting = plain.reply(deadline_);
        if (!greeting) return over(greeting.error());
        visit_.greeting = greeting->shown();
        if (greeting->code != 220) return refused(*greeting);
        const Result<Reply> ehlo = ask(plain, "EHLO " + options_.ehlo_name);
        if (!ehlo) return over(ehlo.error());
        if (ehlo->code / 100 != 2) return refused(*ehlo);
        for (std::size_t index = 1; index < ehlo->lines.size() && index < most_extensions; ++index)
            visit_.extensions.push_back(dns::clean_text(ehlo->lines[index], most_shown_octets));
        if (offers(*ehlo, "STARTTLS")) return true;
        stop(Trouble::starttls_absent, "the reply to EHLO does not offer STARTTLS");
        return false;
    }

    bool start_tls(Conversation& plain) {
        const Result<Reply> reply = ask(plain, "STARTTLS");
        if (!reply) {
            const bool gone =
                reply.error().kind == FailureKind::unreachable || reply.error().kind == FailureKind::timeout;
            stop(gone ? Trouble::starttls_cut : trouble_of(reply.error()), reply.error().text);
            return false;
        }
        visit_.starttls_reply = reply->shown();
        if (reply->code != 220) {
            stop(reply->code / 100 == 4 ? Trouble::starttls_temporary : Trouble::starttls_permanent, reply->shown());
            return false;
        }
        if (!plain.has_more()) return true;
        stop(Trouble::injected, "octets came behind the reply to STARTTLS, before TLS");
        return false;
    }

    void secure(Wire& wire) {
        const Judging judging = judging_of(target_.action);
        TlsWire tls(wire);
        Wanted wanted;
        wanted.judging = judging;
        wanted.kind = visit_.asked;
        wanted.sni = target_.sni;
        wanted.names = target_.names;
        wanted.records = target_.records;
        wanted.now = now_;
        tl::expected<Handshake, TlsFailure> seen = tls.handshake(wanted, deadline_);
        if (!seen) {
            stop(trouble_of(seen.error()), seen.error().text);
            return;
        }
        std::string detail;
        const Trouble trouble = verdict(*seen, judging, detail);
        visit_.handshake = std::move(*seen);
        if (trouble != Trouble::none) stop(trouble, detail);
        // A sender greets again inside TLS (RFC 3207 4.2); then there is nothing to be said. What the server says now
        // decides nothing.
        Conversation inside(tls);
        const MonoTime end = std::min(deadline_, clock_.mono() + farewell);
        Result<Reply> again =
            inside.command("EHLO " + options_.ehlo_name, end) ? inside.reply(end) : Result<Reply>(Reply{});
        if (again) quit(inside);
        tls.close(end);
    }

    Result<Reply> ask(Conversation& talk, const std::string& command) {
        const Done sent = talk.command(command, deadline_);
        if (!sent) return fail(sent.error());
        return talk.reply(deadline_);
    }

    void quit(Conversation& talk) {
        const MonoTime end = clock_.mono() + farewell;
        visit_.said_quit = talk.command("QUIT", end).has_value();
        // Politeness: the reply is awaited, whatever it is.
        const Result<Reply> reply = talk.reply(end);
        static_cast<void>(reply);
    }

    bool over(const Failure& failure) {
        stop(trouble_of(failure), failure.text);
        return false;
    }
    bool refused(const Reply& reply) {
        stop(reply.code / 100 == 4 ? Trouble::greeting_temporary : Trouble::greeting_permanent, reply.shown());
        return false;
    }

    const Target& target_;
    const Clock& clock_;
    const Options& options_;
    WallTime now_;
    MonoTime deadline_;
    Visit visit_;
};

/// Is a server that cannot be had with the other kind of key one that has no such key?
bool has_no_such_key(const Visit& visit, KeyKind kind) {
    if (visit.handshake) return !visit.handshake->chain.empty() && visit.handshake->chain.front().kind != kind;
    return visit.trouble == Trouble::tls_refused || visit.trouble == Trouble::tls_cut ||
           visit.trouble == Trouble::starttls_cut || visit.trouble == Trouble::tls_garbage;
}

}  // namespace

Judging judging_of(mail::HostAction action) {
    switch (action) {
        case mail::HostAction::dane:
            return Judging::dane;
        case mail::HostAction::sts:
            return Judging::webpki;
        case mail::HostAction::encrypt:
        case mail::HostAction::may:
        case mail::HostAction::skip:
        case mail::HostAction::unreachable:
            return Judging::nobody;
    }
    return Judging::nobody;
}

const Visit& Observation::decisive() const {
    return visit.trouble == Trouble::none && other && other->trouble != Trouble::none ? *other : visit;
}

Observation probe(Target target, Connector& connector, const Clock& clock, const Options& options) {
    Observation found;
    found.target = std::move(target);
    found.time = clock.wall();
    found.visit = Visiting(found.target, clock, options, KeyKind::any, found.time).run(connector);
    const bool judged = judging_of(found.target.action) != Judging::nobody;
    const auto& seen = found.visit.handshake;
    if (!options.both_keys || !judged || !seen || seen->chain.empty()) return found;
    const KeyKind first = seen->chain.front().kind;
    if (first == KeyKind::any) return found;
    // A server with two certificates must be right with both: which one a sender gets is the sender's choice.
    const KeyKind second = first == KeyKind::rsa ? KeyKind::ecdsa : KeyKind::rsa;
    Visit other = Visiting(found.target, clock, options, second, found.time).run(connector);
    found.other_absent = has_no_such_key(other, second);
    if (!found.other_absent && other.handshake) found.other = std::move(other);
    return found;
}

}  // namespace mxtrust::probe
