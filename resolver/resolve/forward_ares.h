// The real relay: c-ares carries the datagrams and streams to forwarders, the loop watches its sockets. Sole includer
// of <ares.h> is forward_ares.cc.
//
// What c-ares 1.18 does by itself, and what it is not left to do:
// - IDs: those of the query that it is given, and so ours, from the kernel's randomness.
// - Ports: it would take the kernel's choice and keep the socket; here every question has a channel and a socket of its
//   own, bound to a random port by us (RFC 5452 9.2).
// - Matching: it compares ID, question and address, ignores what does not fit, and so would let a forger guess for as
//   long as the question is open. Here each datagram is judged before c-ares sees it, and a guess ends the datagram
//   part (A26).
// - EDNS: it would take OPT away after FORMERR. It never sees such an answer; without EDNS there is no DNSSEC.
// - Servers, retries, configuration files: one server, one try; the choice is forward.h's. No file is read.
#pragma once

#include "base/random.h"
#include "net/loop.h"
#include "resolve/forward_relay.h"

namespace mxtrust::resolve {

class AresRelay final : public Relay {
  public:
    static constexpr std::size_t most_channels = 1000;  ///< at once; more is a Failure (system), like too many sockets

    /// Both outlive the relay, and the relay every question asked of it. Not to be made by two threads at once (that is
    /// c-ares' condition).
    AresRelay(net::UvLoop& loop, Random& random);
    ~AresRelay() override;

    task::Task<Result<Bytes>> ask(RelayQuestion question) override;

  private:
    enum class Transport : std::uint8_t { datagram, stream };
    task::Task<Result<net::DatagramReply>> ask_by(Transport transport, RelayQuestion question);

    net::UvLoop& loop_;
    Random& random_;
    int library_;  ///< what ares_library_init said
    std::size_t channels_ = 0;
    class Channel;
};

}  // namespace mxtrust::resolve
