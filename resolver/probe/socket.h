// TCP as the operating system has it.
#pragma once

#include "probe/wire.h"

namespace mxtrust::probe {

class SocketConnector final : public Connector {
  public:
    /// The clock outlives it and its connections.
    explicit SocketConnector(const Clock& clock) : clock_(clock) {}
    Result<std::unique_ptr<Wire>> connect(const Endpoint& server, MonoTime deadline) override;

  private:
    const Clock& clock_;
};

}  // namespace mxtrust::probe
