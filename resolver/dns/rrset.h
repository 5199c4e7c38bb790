// RRsets: the unit that is signed, judged and cached (RFC 2181 5). Parsed once, shared, never changed afterwards.
#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/types.h"

namespace mxtrust::dns {

/// One resource record of a message. Class is IN unless it is OPT (which never gets here) or the message is malformed.
struct Record {
    Name owner;
    Type type{};
    Class class_ = Class::in;
    Ttl ttl{};
    Bytes rdata;  ///< names uncompressed, letters as sent
    friend bool operator==(const Record&, const Record&) = default;
};

struct RRset {
    Name owner;
    Type type{};
    Ttl ttl{};  ///< the lowest of its records' (RFC 2181 5.2) and of their signatures' (RFC 4035 5.3.3)
    std::vector<Bytes> records;     ///< rdata, in the order received, duplicates removed
    std::vector<Bytes> signatures;  ///< rdata of the RRSIGs that cover it, in the order received
    friend bool operator==(const RRset&, const RRset&) = default;
};
using RRsetRef = std::shared_ptr<const RRset>;

/// Groups records into RRsets in order of first appearance; RRSIGs join the set they cover. Signatures without a set
/// give a set with no records. Records of a class other than IN are left out.
std::vector<RRset> group(const std::vector<Record>& records);

}  // namespace mxtrust::dns
