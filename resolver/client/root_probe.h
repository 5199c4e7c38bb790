// Does the AD flag arrive? Asks the name servers of resolv.conf for NS of the root with AD and DO, as Postfix does at
// its start (dnssec_probe): where no AD comes back, an MTA that asks there does no DANE, and does not say so to anybody
// but its log.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/address.h"
#include "dns/message.h"

namespace mxtrust::client {

struct Probe {
    Address server;
    bool answered = false;
    dns::Rcode rcode = dns::Rcode::noerror;  ///< of what answered
    bool authentic = false;                  ///< NS of the root with AD
    friend bool operator==(const Probe&, const Probe&) = default;
};

[[nodiscard]] Bytes probe_query(std::uint16_t id);
/// What `reply` says; nothing answered where it is no reply to that query.
[[nodiscard]] Probe judge_probe(const Address& server, std::uint16_t id, BytesView reply);

/// Asks all at once, at port 53 over UDP; waits no longer than `patience`. One probe for each server, in order.
[[nodiscard]] std::vector<Probe> probe_all(const std::vector<Address>& servers, std::chrono::milliseconds patience);

}  // namespace mxtrust::client
