// What is known of the forwarders: who they are, how they do, whether DNSSEC survives them, and whether they stand in
// for recursion now. One board for all workers, so that one look serves all and every change is told once.
//
// It decides nothing about answers; forward.h does.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "dns/name.h"
#include "log/log.h"

namespace mxtrust::resolve {

enum class ForwarderState : std::uint8_t {
    unknown,    ///< not asked yet
    good,       ///< answers
    failing,    ///< silent, unreachable, or answers with errors
    ourselves,  ///< leads back to this daemon: never asked
};
/// Does what a validator needs come through (RFC 4035 3.2.1, RFC 5625)?
enum class ForwarderDnssec : std::uint8_t {
    unknown,    ///< not found out yet
    ok,         ///< signatures and proofs come through, and hold
    stripped,   ///< signatures or proofs of denial are missing
    no_edns,    ///< answers without EDNS, which DNSSEC rides on
    lying,      ///< what comes is signed wrongly, or an NXDOMAIN was rewritten
    unchecked,  ///< nothing is to be validated there: no trust anchor applies
};
[[nodiscard]] std::string_view to_text(ForwarderState state);
[[nodiscard]] std::string_view to_text(ForwarderDnssec dnssec);

struct ForwarderStatus {
    Endpoint address;
    std::string purpose;  ///< "example.org" (zones forwarded to it), "fallback"
    ForwarderState state = ForwarderState::unknown;
    ForwarderDnssec dnssec = ForwarderDnssec::unknown;
    WallTime since{};                     ///< since when state and dnssec are what they are
    std::optional<WallTime> last_answer;  ///< nothing: never
    std::string last_error;
    std::optional<Duration> round_trip;
};

/// Who does the asking, for `status`.
struct ResolutionStatus {
    bool forwarding = false;  ///< forwarders stand in for recursion
    WallTime since{};
    std::string reason;  ///< why forwarders, or why not although recursion is impossible
};

/// May be used from any thread.
class ForwarderBoard {
  public:
    static constexpr std::uint32_t most_failures = 3;  ///< in a row: then it comes last

    /// The log outlives the board.
    explicit ForwarderBoard(log::Log& log) : log_(log) {}

    void know(const Endpoint& forwarder, const std::string& purpose);
    /// Replaces the forwarders that may stand in for recursion.
    void set_fallback(const std::vector<Endpoint>& forwarders);
    [[nodiscard]] std::vector<Endpoint> fallback() const;

    /// In the order in which they should be asked: those that pass DNSSEC first, failing ones last, the faster first.
    /// Ourselves is left out.
    [[nodiscard]] std::vector<Endpoint> order(const std::vector<Endpoint>& forwarders) const;
    [[nodiscard]] ForwarderStatus status(const Endpoint& forwarder) const;
    [[nodiscard]] std::vector<ForwarderStatus> all() const;

    void answered(const Endpoint& forwarder, Duration round_trip, WallTime now);
    /// No answer to a question that was asked at `asked`. Where it answered another one since, this one is hard and the
    /// forwarder no worse for it.
    void failed(const Endpoint& forwarder, const std::string& error, WallTime asked, WallTime now);
    void judged(const Endpoint& forwarder, ForwarderDnssec dnssec, const std::string& error, WallTime now);

    /// A question was sent to `forwarder` that nobody else asks; when it comes in here, the forwarder is ourselves.
    void expect(const dns::Name& name, const Endpoint& forwarder);
    void forget(const dns::Name& name);
    void came_in(const dns::Name& name, WallTime now);

    [[nodiscard]] bool forwarding() const { return forwarding_.load(std::memory_order_relaxed); }
    void stand_in(const std::string& reason, WallTime now);
    void stand_back(WallTime now);
    /// Recursion is impossible, and nobody can stand in.
    void nobody_stands_in(const std::string& reason, WallTime now);
    /// Recursion works, after all.
    void recursion_works();
    [[nodiscard]] ResolutionStatus resolution() const;

  private:
    struct Record {
        ForwarderStatus status;
        std::uint32_t failures = 0;  ///< in a row
    };
    Record& record(const Endpoint& forwarder);
    void change(Record& record, ForwarderState state, ForwarderDnssec dnssec, WallTime now);
    [[nodiscard]] static int rank(const Record& record);

    log::Log& log_;
    mutable std::mutex mutex_;
    std::map<Endpoint, Record> records_;
    std::vector<Endpoint> fallback_;
    std::map<dns::Name, Endpoint> expected_;
    std::atomic<std::size_t> expected_count_{0};
    std::atomic<bool> forwarding_{false};
    ResolutionStatus resolution_;
    bool nobody_ = false;
};

}  // namespace mxtrust::resolve
