// The real network: a fresh connected socket on a random port for every datagram question, a connection for every
// stream question. RFC 5452 9.2, RFC 7766, RFC 9715 3 (don't fragment).
#pragma once

#include <array>
#include <memory>

#include "base/random.h"
#include "net/loop.h"
#include "net/network.h"

namespace mxtrust::net {

struct NetworkCounters {
    std::uint64_t datagrams_sent = 0, datagrams_received = 0, streams = 0, octets_received = 0, refused = 0;
    std::size_t sockets = 0;
};

class UvNetwork final : public Network {
  public:
    /// At most so many sockets at once; more is a Failure (system), so that a flood does not take all descriptors
    /// (A39).
    static constexpr std::size_t most_sockets = 4000;
    using ReceiveBuffer = std::array<std::uint8_t, 65536>;

    /// Both outlive the network, and the network every question asked of it.
    UvNetwork(UvLoop& loop, Random& random, std::size_t most = most_sockets)
        : loop_(loop), random_(random), most_(most), buffer_(std::make_unique<ReceiveBuffer>()) {}

    task::Task<Result<DatagramReply>> exchange_datagram(Endpoint server, Bytes query, Matcher matcher,
                                                        MonoTime deadline) override;
    task::Task<Result<Bytes>> exchange_stream(Endpoint server, Bytes query, MonoTime deadline) override;
    [[nodiscard]] const NetworkCounters& counters() const { return counters_; }

  private:
    UvLoop& loop_;
    Random& random_;
    std::size_t most_;
    NetworkCounters counters_;
    std::unique_ptr<ReceiveBuffer> buffer_;  ///< one for all sockets: a datagram is judged before the next is read
};

}  // namespace mxtrust::net
