// The simulated network: what lies between the resolver and the servers of a Universe, in virtual time. Loses, repeats,
// reorders, delays, cuts off and forges, as the weather is.
#pragma once

#include <string>
#include <vector>

#include "net/network.h"
#include "simulate/universe.h"
#include "task/wait.h"

namespace simulate {

class Wire final : public mxtrust::net::Network {
  public:
    struct Faults {  ///< percent, of every datagram or connection
        std::uint64_t loss = 0, duplication = 0, forgery = 0, spike = 0, broken_stream = 0;
        std::uint32_t jitter_ms = 5;
    };
    Wire(Universe& universe, Faults faults, std::uint64_t seed, const mxtrust::Clock& clock)
        : universe_(universe), faults_(faults), random_(seed), clock_(clock) {}

    mxtrust::task::Task<mxtrust::Result<mxtrust::net::DatagramReply>> exchange_datagram(
        mxtrust::Endpoint server, mxtrust::Bytes query, mxtrust::net::Matcher matcher,
        mxtrust::MonoTime deadline) override;
    mxtrust::task::Task<mxtrust::Result<mxtrust::Bytes>> exchange_stream(mxtrust::Endpoint server, mxtrust::Bytes query,
                                                                         mxtrust::MonoTime deadline) override;

    [[nodiscard]] std::uint64_t packets() const { return packets_; }
    [[nodiscard]] std::uint64_t lies() const { return lies_; }
    /// Exchanges that were begun and neither ended nor were destroyed.
    [[nodiscard]] std::int64_t open() const { return open_; }
    /// Nothing comes through.
    bool cut = false;
    /// Where given, every event is written down.
    std::vector<std::string>* trace = nullptr;

  private:
    struct Arrival {
        mxtrust::MonoTime when;
        mxtrust::Bytes message;
    };
    /// Lives in an exchange's frame: counts it.
    class Presence {
      public:
        explicit Presence(std::int64_t& count) : count_(count) { ++count_; }
        Presence(const Presence&) = delete;
        Presence& operator=(const Presence&) = delete;
        ~Presence() { --count_; }

      private:
        std::int64_t& count_;
    };
    [[nodiscard]] bool chance(std::uint64_t percent) { return random_.below(100) < percent; }
    [[nodiscard]] std::chrono::milliseconds way(const Server& server);
    [[nodiscard]] std::optional<dns::Message> reply_of(const Server& server, const dns::Message& query);
    [[nodiscard]] static std::optional<dns::Message> by_habit(const Server& server, const dns::Message& query);
    [[nodiscard]] std::vector<Arrival> arrivals(const mxtrust::Endpoint& to, const dns::Message& query);
    void note(const char* what, const mxtrust::Endpoint& server, const dns::Message& message);

    Universe& universe_;
    Faults faults_;
    mxtrust::SeededRandom random_;
    const mxtrust::Clock& clock_;
    std::uint64_t packets_ = 0, lies_ = 0;
    std::int64_t open_ = 0;
};

}  // namespace simulate
