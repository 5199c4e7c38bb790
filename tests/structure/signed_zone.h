// A whole signed zone with its own idea of what is true in it, and an authoritative server for it: honest answers as
// messages, with real signatures. What is true is read from the zone's content by RFC 1034 4.3.2 and RFC 4592 alone;
// nothing of the validator is asked. Test code: the structure-aware fuzzer is built on it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "dns/message.h"
#include "dnssec/signer.h"

namespace mxtrust::structure {

enum class Denial : std::uint8_t { nsec, nsec3, opt_out };

/// What is so at a name, for a type. `elsewhere`: below a zone cut, where this zone has no say.
struct Truth {
    enum class Kind : std::uint8_t { records, nodata, nxdomain, elsewhere } kind = Kind::elsewhere;
    const dns::RRset* set = nullptr;  ///< records: the set, CNAME or DNAME that answers; of a wildcard, the wildcard's
    bool unsigned_only = false;       ///< denied by an opt-out span at best: insecure is the right word (RFC 5155 9.2)
};

struct Question {
    dns::Name name;
    dns::Type type{};
};

class SignedZone {
  public:
    SignedZone(const std::string& apex, Denial denial, std::uint8_t seed);

    [[nodiscard]] const dns::Name& apex() const { return apex_; }
    [[nodiscard]] const test::Signer& key() const { return key_; }
    [[nodiscard]] const dns::RRset& key_set() const { return key_set_; }
    [[nodiscard]] Truth truth(const dns::Name& name, dns::Type type) const;
    /// Is `name` a delegation, and one with DS?
    [[nodiscard]] bool is_cut(const dns::Name& name) const;
    [[nodiscard]] bool has(const dns::Name& name, dns::Type type) const;
    /// What the zone's own server says.
    [[nodiscard]] dns::Message answer(const Question& question) const;
    /// Everything that is worth asking.
    [[nodiscard]] const std::vector<Question>& questions() const { return questions_; }
    /// What an attacker has got: every signed set of the zone, old and forged ones besides (another key under the
    /// zone's name, a child's key, an attacker's zone, expired, not yet valid).
    [[nodiscard]] const std::vector<dns::RRset>& pool() const { return pool_; }

    static constexpr std::uint32_t ttl = 3600;
    static constexpr std::uint32_t negative_ttl = 300;

  private:
    using Node = std::map<dns::Type, dns::RRset>;
    void add(const std::string& owner, dns::Type type, const std::vector<std::string>& rdata);
    void fill();
    void sign_all();
    void chain_nsec();
    void chain_nsec3();
    void collect();
    [[nodiscard]] std::string types_at(const dns::Name& name, bool in_nsec) const;
    [[nodiscard]] std::string full(const std::string& relative) const;
    [[nodiscard]] bool exists(const dns::Name& name) const;
    [[nodiscard]] dns::Name closest_encloser(const dns::Name& name) const;
    [[nodiscard]] std::optional<dns::Name> cut_above(const dns::Name& name, dns::Type type) const;
    [[nodiscard]] const dns::RRset* matching(const dns::Name& name) const;
    [[nodiscard]] const dns::RRset* covering(const dns::Name& name) const;
    void deny(dns::Message& message, const dns::Name& name) const;
    void prove_expansion(dns::Message& message, const dns::Name& name) const;
    void refer(dns::Message& message, const dns::Name& cut) const;

    dns::Name apex_;
    Denial denial_;
    test::Signer key_;
    dns::RRset key_set_;
    std::map<dns::Name, Node> nodes_;
    std::set<dns::Name> names_;                 ///< all that exist, empty non-terminals among them
    std::map<std::string, dns::RRset> hashed_;  ///< NSEC3 by hash, as octets
    std::vector<Question> questions_;
    std::vector<dns::RRset> pool_;
};

/// Appends a set with its signatures, as owner `owner`.
void append(std::vector<dns::Record>& section, const dns::RRset& set, const dns::Name& owner);
void append(std::vector<dns::Record>& section, const dns::RRset& set);

}  // namespace mxtrust::structure
