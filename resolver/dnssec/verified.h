// Signatures that were found to hold, so that one that comes again (the SOA beside every denial of a zone, an NSEC for
// two questions, a set that is asked for anew before its signature is) need not be computed again.
//
// What is remembered is arithmetic: this key, this signature and these octets fit. Whether the signature is in time, by
// a key that may sign, and of use here, is looked at every time. Known by SHA-256 over all three, so that nothing that
// differs in a bit is taken for it. For one thread.
#pragma once

#include <cstddef>
#include <set>

#include "base/bytes.h"
#include "dns/rdata.h"

namespace mxtrust::dnssec {

class VerifiedSignatures {
  public:
    /// Of each half; when the younger is full, the older one goes. Some hundred octets each.
    static constexpr std::size_t most = 1024;

    /// Empty where the library refuses SHA-256: then nothing is remembered.
    [[nodiscard]] static Bytes fingerprint(const dns::Dnskey& key, BytesView data, BytesView signature);
    [[nodiscard]] bool holds(const Bytes& fingerprint);
    void add(Bytes fingerprint);
    [[nodiscard]] std::size_t size() const { return young_.size() + old_.size(); }

  private:
    std::set<Bytes> young_, old_;
};

}  // namespace mxtrust::dnssec
