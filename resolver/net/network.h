// The network as resolve/ sees it: one datagram exchange, one stream exchange. Everything above is the same over libuv
// and over the simulation.
#pragma once

#include <functional>

#include "base/address.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "task/task.h"

namespace mxtrust::net {

/// What the asker says of an incoming datagram.
enum class Match : std::uint8_t {
    accept,   ///< this is the answer
    ignore,   ///< not for us, go on waiting
    suspect,  ///< looks like a forgery (wrong ID or question from the right address): stop, the asker goes to TCP (A26)
};
using Matcher = std::function<Match(BytesView)>;

struct DatagramReply {
    Bytes message;            ///< empty where one of these holds
    bool suspicious = false;  ///< ended by Match::suspect
    bool too_large = false;   ///< the question did not fit into a datagram on this path; nothing was sent (RFC 9715)
};

class Network {
  public:
    Network() = default;
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    virtual ~Network() = default;

    /// Sends from a fresh connected socket on a random port, waits until `matcher` accepts, or the deadline (Failure
    /// timeout). ICMP errors end it early (unreachable). Datagrams up to 65,535 octets; don't-fragment is set on what
    /// is sent. The socket is closed when the task ends or is destroyed.
    virtual task::Task<Result<DatagramReply>> exchange_datagram(Endpoint server, Bytes query, Matcher matcher,
                                                                MonoTime deadline) = 0;
    /// Sends the query length-prefixed (RFC 7766) on a connection of its own, returns the first message with the
    /// query's ID.
    virtual task::Task<Result<Bytes>> exchange_stream(Endpoint server, Bytes query, MonoTime deadline) = 0;
};

}  // namespace mxtrust::net
