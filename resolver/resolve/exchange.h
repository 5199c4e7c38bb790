// One question to one address of an authority: datagram first, stream where it is needed, and what is done when a
// server is old or somebody forges. RFC 1035 4.2, RFC 5452, RFC 6891, RFC 7766, RFC 9715.
//
// Refuses to judge: what comes back is the message as parsed, whatever its rcode.
#pragma once

#include "base/budget.h"
#include "base/random.h"
#include "dns/message.h"
#include "log/log.h"
#include "net/network.h"
#include "resolve/servers.h"
#include "task/task.h"

namespace mxtrust::resolve {

/// A zone below a DS is never asked without EDNS: its signatures would be lost, and a forger would love that (A32).
enum class EdnsNeed : std::uint8_t { wanted, indispensable };
enum class CaseMix : std::uint8_t { off, on };

struct Query {
    Candidate to;
    dns::Name name;
    dns::Type type{};
    EdnsNeed edns = EdnsNeed::wanted;
    MonoTime until{};  ///< when this attempt ends at the latest
};

class Exchange {
  public:
    struct Options {
        CaseMix case_mix = CaseMix::on;
        std::uint16_t edns_size = 1232;
        std::uint16_t port = 53;
    };
    struct Counters {
        std::uint64_t udp = 0, tcp = 0, timeouts = 0, suspicious = 0, octets = 0;
    };
    Exchange(Options options, Clock& clock, Random& random, net::Network& network, Servers& servers, log::Log& log)
        : options_(options), clock_(clock), random_(random), network_(network), servers_(servers), log_(log) {}

    /// Failures: timeout, unreachable, budget, malformed (nothing that parses came).
    task::Task<Result<dns::Message>> ask(Query query, BudgetRef budget);
    [[nodiscard]] const Counters& counters() const { return counters_; }

  private:
    enum class WithEdns : std::uint8_t { no, yes };
    task::Task<Result<dns::Message>> ask_once(Query query, WithEdns edns, BudgetRef budget);
    task::Task<Result<dns::Message>> ask_stream(Query query, WithEdns edns, BudgetRef budget);
    [[nodiscard]] dns::Message build(const Query& query, WithEdns edns);
    Result<dns::Message> accept(const Query& query, BytesView wire, Budget& budget);
    [[nodiscard]] Endpoint endpoint_of(const Query& query) const;
    void note_failure(const Query& query, const Failure& failure);

    Options options_;
    Clock& clock_;
    Random& random_;
    net::Network& network_;
    Servers& servers_;
    log::Log& log_;
    Counters counters_;
};

/// The name's wire form with letters in random case (0x20). Pure but for the random bits.
std::string mix_case(const dns::Name& name, Random& random);

/// Must the question come back in the letters it was sent in?
enum class Letters : std::uint8_t { any, as_sent };
/// Is this the answer to `sent`? ID, QR, opcode and question must be those sent.
net::Match match_reply(BytesView datagram, const dns::Message& sent, Letters letters);

}  // namespace mxtrust::resolve
