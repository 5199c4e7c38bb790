// A connection as the probe sees it: octets in, octets out, each with a deadline. The real one is TCP (socket.h); TLS
// is one over another (tls.h); tests have theirs, in virtual time.
//
// Calls block. The probe is part of a program that does one thing and ends; what it says to one server is a sequence of
// questions and answers, and several servers are several threads. No mail flows through here.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "base/address.h"
#include "base/bytes.h"
#include "base/clock.h"

namespace mxtrust::probe {

class Wire {
  public:
    Wire() = default;
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    virtual ~Wire() = default;

    /// Returns how many octets came, at least 1; 0: the other side has closed. Failure timeout at the deadline,
    /// unreachable where the connection broke, budget where more came than is taken.
    virtual Result<std::size_t> receive(std::span<std::uint8_t> into, MonoTime deadline) = 0;
    /// The address at this end; none where there is no such thing.
    [[nodiscard]] virtual std::optional<Address> local() const { return std::nullopt; }
    /// All of it.
    virtual Done send(BytesView octets, MonoTime deadline) = 0;
};

class Connector {
  public:
    Connector() = default;
    Connector(const Connector&) = delete;
    Connector& operator=(const Connector&) = delete;
    virtual ~Connector() = default;
    virtual Result<std::unique_ptr<Wire>> connect(const Endpoint& server, MonoTime deadline) = 0;
};

}  // namespace mxtrust::probe
