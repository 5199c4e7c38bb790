// A zone of the simulated Internet: its data, signed once when it is closed, its NSEC or NSEC3 chain, and what a
// correct server says of it (RFC 1034 4.3.2, RFC 4035 3.1, RFC 5155 7.2). Nothing here lies; liar.h does.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dns/message.h"
#include "dnssec/signer.h"

namespace simulate {

namespace dns = mxtrust::dns;

enum class Denial : std::uint8_t { nsec, nsec3, opt_out };

/// What is true of a name and a type within one zone.
struct Fact {
    enum class Kind : std::uint8_t { records, alias, nodata, nxdomain } kind{};
    const dns::RRset* set = nullptr;      ///< records; the CNAME or DNAME of an alias
    std::optional<dns::Name> wildcard{};  ///< the source of synthesis, where there is one
    dns::Name encloser{};                 ///< closest encloser, where the name itself does not exist
};

class Zone {
  public:
    struct Keys {
        std::uint8_t seed;        ///< of the key that signs
        std::int64_t expiration;  ///< of all signatures, in seconds after the tests' noon
        Denial denial = Denial::nsec;
        std::optional<std::uint8_t> also = std::nullopt;  ///< seed of a key that is published beside it (RFC 6781 4.1)
    };
    Zone(const dns::Name& apex, std::optional<Keys> keys);
    /// Requires: not closed.
    void add(const dns::Name& owner, dns::Type type, const std::string& rdata);
    /// Requires: not closed. Nothing happens where there is no such set.
    void remove(const dns::Name& owner, dns::Type type);
    /// Signs everything. Nothing is added any more.
    void close();
    /// The same data, to be changed and to be signed anew by these keys: the zone's next generation, not closed.
    [[nodiscard]] Zone reopened(std::optional<Keys> keys) const;

    [[nodiscard]] const dns::Name& apex() const { return apex_; }
    [[nodiscard]] bool is_signed() const { return signer_.has_value(); }
    [[nodiscard]] const std::optional<Keys>& keys() const { return keys_; }
    [[nodiscard]] const mxtrust::test::Signer& signer() const { return *signer_; }
    [[nodiscard]] std::string ds_text() const;  ///< rdata of a DS for the key that signs
    [[nodiscard]] static std::string ds_text(const dns::Name& apex, std::uint8_t seed);

    [[nodiscard]] Fact look(const dns::Name& name, dns::Type type) const;
    [[nodiscard]] const dns::RRset* find(const dns::Name& owner, dns::Type type) const;
    /// The cut at or above `name` at which this zone ends, for a question of this type.
    [[nodiscard]] const dns::RRset* cut_above(const dns::Name& name, dns::Type type) const;
    [[nodiscard]] dns::Message answer(const dns::Message& query) const;
    /// Everything but glue, for liars and question makers.
    [[nodiscard]] const std::vector<dns::Name>& owners() const { return owners_; }
    [[nodiscard]] const std::map<dns::Type, dns::RRset>& sets_at(const dns::Name& owner) const {
        return sets_.at(owner);
    }
    /// The denial that is right for `name`, put into the authority section; rcode is left alone.
    void deny(dns::Message& message, const dns::Name& name, dns::Type type) const;
    void refer(dns::Message& message, const dns::RRset& ns) const;
    /// The NSEC or NSEC3 set that matches or covers; null where there is none.
    [[nodiscard]] const dns::RRset* matching(const dns::Name& name) const;
    [[nodiscard]] const dns::RRset* covering(const dns::Name& name) const;

  private:
    void make_chain();
    /// That an existing name does not have a type.
    [[nodiscard]] std::vector<const dns::RRset*> proof_of_type(const dns::Name& name) const;
    [[nodiscard]] std::string types_at(const dns::Name& owner) const;
    [[nodiscard]] std::string place_of(const dns::Name& name) const;
    [[nodiscard]] bool is_below_cut(const dns::Name& owner) const;

    dns::Name apex_;
    std::optional<Keys> keys_;
    std::optional<mxtrust::test::Signer> signer_;
    std::map<dns::Name, std::map<dns::Type, dns::RRset>> sets_;
    std::vector<dns::Name> owners_;
    std::set<dns::Name> names_;                ///< that exist: owners and empty non-terminals
    std::map<std::string, dns::RRset> chain_;  ///< by lookup key or by hash
};

/// The set into a section, with its signatures where the query wants them.
void put(const dns::Message& message, std::vector<dns::Record>& section, const dns::RRset& set);

}  // namespace simulate
