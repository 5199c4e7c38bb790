// One question to one address of an authority: datagram first, stream where it is needed, and what is done when a
// server is old or somebody forges. RFC 1035 4.2, RFC 5452, RFC 6891, RFC 7766, RFC 7873, RFC 9715.
//
// The same question is never under way twice to one address: a second one would double a forger's chances (RFC 5452 5,
// CVE-2025-5994). When nobody waits for it any more it ends: at once where the server said something already, else when
// its silence is known, which one question at a time finds out for each server. Refuses to judge: what comes back is
// the message as parsed, whatever its rcode.
#pragma once

#include <unordered_set>

#include "base/budget.h"
#include "base/histogram.h"
#include "base/random.h"
#include "dns/message.h"
#include "log/log.h"
#include "net/network.h"
#include "resolve/cookies.h"
#include "resolve/crowd.h"
#include "resolve/servers.h"
#include "task/single_flight.h"
#include "task/task.h"

namespace mxtrust::resolve {

struct Settings;

/// A zone that may be signed is never asked without EDNS: its signatures would be lost, and a forger would love that
/// (A32).
enum class EdnsNeed : std::uint8_t { wanted, indispensable };
enum class CaseMix : std::uint8_t { off, on };

struct Query {
    Candidate to;
    dns::Name name;
    dns::Type type{};
    EdnsNeed edns = EdnsNeed::wanted;
    MonoTime until{};               ///< when this attempt ends at the latest
    bool retry = false;             ///< somebody was asked the same before, and was slow, silent or of no use
    Duration patience{0};           ///< a datagram is waited for at least so long, however fast the server is otherwise
    std::shared_ptr<bool> heard{};  ///< the exchange's own: set once the server has said anything
};

/// Must the question come back in the letters it was sent in?
enum class Letters : std::uint8_t { any, as_sent };

class Exchange {
  public:
    struct Options {
        CaseMix case_mix = CaseMix::on;
        std::uint16_t edns_size = 1232;
        std::uint16_t port = 53;
        Crowd::Limits crowd{};
    };
    struct Tools {  ///< all outlive the exchange
        Clock& clock;
        Random& random;
        net::Network& network;
        Servers& servers;
        log::Log& log;
        task::Scheduler& scheduler;
    };
    struct Counters {
        std::uint64_t udp = 0, tcp = 0, retries = 0, timeouts = 0, suspicious = 0, octets = 0;
        Histogram time;  ///< from datagram to datagram
    };
    Exchange(Options options, Tools tools);

    /// Failures: timeout, unreachable, budget, malformed (nothing that parses came).
    task::Task<Result<dns::Message>> ask(Query query, BudgetRef budget);
    [[nodiscard]] const Counters& counters() const { return counters_; }
    [[nodiscard]] const Crowd& crowd() const { return *crowd_; }

  private:
    /// What goes with a question; each has the ones before.
    enum class Extras : std::uint8_t { none, edns, cookie };
    struct Manner {
        Extras extras{};
        Letters letters = Letters::as_sent;
    };
    /// What a datagram led to.
    struct Heard {
        enum class Next : std::uint8_t {
            settled,  ///< `message` is the answer
            stream,   ///< truncated, garbled, or perhaps forged
            again,    ///< BADCOOKIE, with a cookie that is better
        } next = Next::stream;
        bool only_letters = false;  ///< all was right but the question's letters
        dns::Message message{};
    };
    struct Key {
        Endpoint to;
        dns::Name name;
        dns::Type type{};
        EdnsNeed edns{};
        friend bool operator==(const Key&, const Key&) = default;
    };
    class KeyHash {
      public:
        explicit KeyHash(Random& random) : names_(HashKey::draw(random)), addresses_(HashKey::draw(random)) {}
        std::size_t operator()(const Key& key) const {
            return names_(key.name) ^ addresses_(key.to.address) ^ (static_cast<std::size_t>(key.type) * 131);
        }

      private:
        dns::NameHash names_;
        AddressHash addresses_;
    };
    using Said = std::shared_ptr<const Result<dns::Message>>;

    task::Task<Said> fly(Query query, BudgetRef budget, task::AskersRef askers);
    task::Task<Said> say(Query query, BudgetRef budget);
    task::Task<Said> leave_off(Query query, task::AskersRef askers);
    /// Whether the question may be under way, and who is told when it may no more.
    struct Standing {
        std::optional<Crowd::Place> place;
        task::Condition lost;
    };
    task::Task<Said> give_way(Query query, std::shared_ptr<Standing> standing);
    void stand(const std::shared_ptr<Standing>& standing, const Query& query);
    task::Task<void> stand_in_line(std::shared_ptr<Standing> standing, Query query);
    class InLine {
      public:
        explicit InLine(std::size_t& count) : count_(count) { ++count_; }
        InLine(const InLine&) = delete;
        InLine& operator=(const InLine&) = delete;
        ~InLine() { --count_; }

      private:
        std::size_t& count_;
    };
    [[nodiscard]] static Said crowded(const Query& query);
    /// One question to each server, and not many in all, is waited for only to learn that it is not answered.
    class Lingering {
      public:
        static constexpr std::size_t most = 128;
        Lingering(std::unordered_set<Address, AddressHash>& all, const Address& address);
        ~Lingering();
        Lingering(const Lingering&) = delete;
        Lingering& operator=(const Lingering&) = delete;
        [[nodiscard]] bool may() const { return may_; }

      private:
        std::unordered_set<Address, AddressHash>& all_;
        Address address_;
        bool may_;
    };
    task::Task<Result<dns::Message>> ask_alone(Query query, BudgetRef budget);
    task::Task<Result<dns::Message>> ask_once(Query query, Extras extras, BudgetRef budget);
    task::Task<Result<dns::Message>> ask_in_small_letters(Query query, Manner manner, BudgetRef budget);
    task::Task<Result<Heard>> ask_datagram(Query query, Manner manner, BudgetRef budget);
    task::Task<Result<dns::Message>> ask_stream(Query query, Manner manner, BudgetRef budget);
    [[nodiscard]] dns::Message build(const Query& query, const Manner& manner);
    [[nodiscard]] Extras extras_for(const Query& query, MonoTime now) const;
    [[nodiscard]] std::optional<Extras> older_manner(const Query& query, Extras asked, const dns::Message& said) const;
    void note_manner(const Query& query, Extras asked, const dns::Message& said);
    Result<dns::Message> accept(const Query& query, BytesView wire, Budget& budget);
    Result<Heard> consider(const Query& query, const dns::Message& sent, const net::DatagramReply& reply,
                           Budget& budget);
    [[nodiscard]] Endpoint endpoint_of(const Query& query) const;
    void note_failure(const Query& query, const Failure& failure, QuestionNumber question);

    Options options_;
    Tools tools_;
    Cookies cookies_;
    Counters counters_;
    std::shared_ptr<Crowd> crowd_;
    std::size_t in_line_ = 0;  ///< those who wait for a place in the crowd
    std::unordered_set<Address, AddressHash> lingering_;
    task::SingleFlight<Key, Said, KeyHash> flights_;  // last: what flies uses the rest
};

/// What of them an exchange needs.
[[nodiscard]] Exchange::Options options_of(const Settings& settings);

/// The name's wire form with letters in random case (0x20). Pure but for the random bits.
std::string mix_case(const dns::Name& name, Random& random);

/// Is this the answer to `sent`? ID, QR, opcode and question must be those sent.
net::Match match_reply(BytesView datagram, const dns::Message& sent, Letters letters);

}  // namespace mxtrust::resolve
