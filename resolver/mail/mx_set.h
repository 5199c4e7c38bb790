// From the answer to the MX question to the hosts that mail may go to, in order (RFC 5321 5.1, RFC 7505, RFC
// 7672 2.2.1).
//
// Nothing is cut silently: what an MX RRset names is listed, with flags, and what is not used says why. Where the MX
// answer alone decides (null MX, no such domain, bogus, a failed look-up), `verdict` says so and there are no hosts to
// be asked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mail/answer.h"
#include "mail/next_hop.h"

namespace mxtrust::mail {

/// So many hosts of one domain are looked up. The largest MX RRsets in use have some 30; RFC 5321 5.1 lets a sender try
/// a few only.
inline constexpr std::size_t most_hosts = 100;

struct MxHost {
    enum class Fate : std::uint8_t {
        use,         ///< asked for, or (a literal) used as it is
        drop,        ///< never used, and its failing is none: not a host name, a literal, a misplaced null MX
        over_limit,  ///< not looked at: like a host whose look-ups failed
        left_out,    ///< by the operator's word: like one that must be skipped for now
    };
    std::string text;  ///< as shown
    dns::Name name;    ///< where it is no literal
    std::optional<Address> literal;
    std::optional<std::uint16_t> preference;  ///< none for a bracketed next-hop
    bool implicit = false;
    std::vector<Flag> flags;
    Fate fate = Fate::use;
    std::string why;           ///< where it is not used
    ExceptionRef exception{};  ///< the one that counts for this host; its own, or its domain's
};

/// What the destination is, apart from its hosts' own records.
struct MxSet {
    std::vector<MxHost> hosts;        ///< by preference, then by name
    std::optional<Decision> verdict;  ///< where the hosts need not be asked
    /// Who named the hosts: authentic DNS data or the client itself; or data anybody could have forged.
    bool authentic = false;
    bool asked_mx = true;
    /// The next-hop domain and, where it is an alias, its expanded name: reference identifiers where `authentic` (RFC
    /// 7672 3.2.2).
    std::vector<dns::Name> identifiers;
    dns::Name domain;          ///< the next-hop domain or bracketed host
    ExceptionRef exception{};  ///< the next-hop domain's
};

/// Reads the answer to (domain, MX).
MxSet read_mx(const dns::Name& domain, const dnssec::Answer& mx, const Options& options);
/// A bracketed next-hop: MX is not asked, the host is what the client said (RFC 7672 2.2.1: "a-priori secure").
MxSet without_mx(const NextHop& hop);

}  // namespace mxtrust::mail
