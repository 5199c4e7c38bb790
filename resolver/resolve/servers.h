// What a worker knows of the authorities' addresses: how fast, how reliable, what they cannot do. Chooses whom to ask
// next.
//
// Smoothed round trips as RFC 6298 2 computes them; an address that does not answer is asked later and later, but never
// forgotten for ever; now and then a slower one is tried first so that a server that got better is found again. A
// family in which nothing answers is noticed as a whole.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/random.h"
#include "dns/name.h"

namespace mxtrust::resolve {

enum class EdnsSupport : std::uint8_t { unknown, works, refused };

/// One address of one name server of a zone.
struct Candidate {
    dns::Name server;
    Address address;
    std::uint16_t port = 0;  ///< 0: that of all authorities
};

/// What is worth knowing of servers after a restart (servers_note.h keeps it).
struct ServersMemory {
    struct One {
        Address address;
        Duration smoothed{0};  ///< of one never heard from: how long it was waited for in vain
        Duration variation{0};
        std::uint32_t failures = 0;  ///< in a row
        bool heard = false;
        friend bool operator==(const One&, const One&) = default;
    };
    std::vector<One> servers;          ///< failing ones first, then those in demand
    std::array<bool, 2> dead{};        ///< families: IPv4, IPv6
    std::vector<Duration> contacts{};  ///< how long first answers took lately
    friend bool operator==(const ServersMemory&, const ServersMemory&) = default;
};

class Servers {
  public:
    static constexpr Duration first_timeout{900};  ///< for an address never asked before
    static constexpr Duration least_timeout{200};
    static constexpr Duration most_timeout{1800};
    /// How long an address never heard from may take before another is asked as well: as long as nine in ten took that
    /// were asked for the first time lately, within these bounds. So at most one in ten costs a packet more than
    /// needed, and a dead one costs what a far one does. `most` before anything is known of where we are.
    static constexpr Duration least_first_hedge{50};
    static constexpr Duration most_first_hedge{300};
    static constexpr std::size_t first_contacts = 64;       ///< remembered
    static constexpr std::size_t least_first_contacts = 8;  ///< fewer say little
    static constexpr Duration least_hedge{40};
    static constexpr Duration most_hedge{600};
    static constexpr Duration doubted_hedge{10};  ///< for one that is overdue, or was silent last time
    static constexpr std::chrono::seconds doubted_time{
        2};  ///< how long one that is overdue comes last, if it says nothing
    static constexpr std::size_t most_addresses = 20'000;  ///< remembered; the table is emptied by half when it is full
    static constexpr std::chrono::seconds lame_time{
        60};  ///< how long a server is not asked about a zone it does not know
    /// How long a server is asked in an older manner once `most_strikes` questions in a row showed that it needs that.
    /// One question may have been answered by a forger (A32).
    static constexpr std::chrono::seconds doubt_time{900};
    static constexpr std::uint8_t most_strikes = 2;
    static constexpr std::uint32_t family_dead_after =
        6;  ///< failures in a row, of different addresses, without any success
    static constexpr std::chrono::seconds family_retry{60};

    explicit Servers(Random& random)
        : random_(random), records_(0, AddressHash(HashKey::draw(random))), tie_(HashKey::draw(random)) {}

    /// In the order in which they should be asked. Dead families and addresses, and the zone's lame ones, come last.
    [[nodiscard]] std::vector<Candidate> order(std::vector<Candidate> candidates, const dns::Name& zone, MonoTime now);
    [[nodiscard]] Duration timeout(const Address& address) const;
    /// How long it may take until another one is asked as well.
    [[nodiscard]] Duration hedge_delay(const Address& address) const;
    [[nodiscard]] bool is_lame(const Address& address, const dns::Name& zone, MonoTime now) const;
    [[nodiscard]] bool is_family_dead(Family family, MonoTime now) const;
    [[nodiscard]] EdnsSupport edns(const Address& address, MonoTime now) const;
    /// Did the last question go without any reply?
    [[nodiscard]] bool was_silent(const Address& address) const;
    /// Does it give the question back in the letters it was sent in (0x20)? Yes, until shown.
    [[nodiscard]] bool keeps_letters(const Address& address, MonoTime now) const;
    /// As measured; nothing where it was never heard.
    [[nodiscard]] std::optional<Duration> round_trip(const Address& address) const;

    void answered(const Address& address, Duration round_trip);
    void timed_out(const Address& address, MonoTime now);
    void unreachable(const Address& address, MonoTime now);
    /// Asked, and another one was asked as well before it answered: at least this slow, and perhaps dead. Until it
    /// answers, or for a while, others are asked before it, also for what is asked by somebody else.
    void overdue(const Address& address, Duration waited, MonoTime now);
    void lame(const Address& address, const dns::Name& zone, MonoTime now);
    void edns_works(const Address& address);
    /// Asked without EDNS it answered, asked with EDNS it had not.
    void edns_refused(const Address& address, MonoTime now);
    /// `Seen::stream`: nobody can have forged that.
    enum class Seen : std::uint8_t { datagram, stream };
    void letters_lost(const Address& address, Seen seen, MonoTime now);

    /// Has anything answered, and does it still? Where not it is our own network, and says nothing about servers.
    [[nodiscard]] bool is_anybody_there(MonoTime now) const;
    /// Of at most so many servers.
    [[nodiscard]] ServersMemory remember(std::size_t most, MonoTime now) const;
    /// What somebody remembered, perhaps long ago and elsewhere: it decides who is asked first and how long it is
    /// waited for, never whether somebody is asked. What is known already stays. A family that was dead is tried again
    /// soon.
    void recall(const ServersMemory& memory, MonoTime now);
    struct Count {
        std::size_t known = 0, failing = 0;  ///< addresses
    };
    [[nodiscard]] Count count() const;
    /// Grows whenever there is something new to remember.
    [[nodiscard]] std::uint64_t changes() const { return changes_; }

  private:
    /// Something odd that a server did: believed when it did it often enough.
    struct Doubt {
        std::uint8_t strikes = 0;
        MonoTime until{};
        void strike(MonoTime now);
        [[nodiscard]] bool holds(MonoTime now) const { return strikes >= most_strikes && until > now; }
    };
    struct Record {
        std::optional<Duration> smoothed;  ///< of one never heard from: how long it was waited for in vain
        Duration variation{0};
        std::uint32_t failures = 0;  ///< in a row
        std::uint32_t answers = 0;   ///< heard since the start: how much it is in demand
        MonoTime dead_until{};       ///< asked after all others until then
        bool heard = false;          ///< has ever answered
        bool doubted = false;        ///< overdue, or failed, and nothing was heard since
        bool silent = false;         ///< the last question went without any reply
        bool edns_works = false;
        Doubt no_edns, no_letters;
        std::vector<std::pair<dns::Name, MonoTime>> lame;  ///< zone, until
    };
    struct FamilyState {
        bool answered = false;  ///< since the start
        std::uint32_t failures = 0;
        Address last_failed{};
        MonoTime dead_until{};
    };

    Record& record(const Address& address);
    [[nodiscard]] const Record* known(const Address& address) const;
    void family_failed(const Address& address, MonoTime now);
    void note_first_contact(Duration round_trip);
    void learn_first_hedge();
    [[nodiscard]] Duration cost(const Candidate& candidate, const dns::Name& zone, MonoTime now) const;

    Random& random_;
    std::unordered_map<Address, Record, AddressHash> records_;
    std::array<FamilyState, 2> families_{};
    HashKey tie_;  ///< which of several unknown ones is asked first
    std::array<Duration, first_contacts> contacts_{};
    std::size_t contacts_made_ = 0;
    Duration first_hedge_ = most_first_hedge;
    std::uint64_t changes_ = 0;
};

}  // namespace mxtrust::resolve
