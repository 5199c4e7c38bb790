// A small Internet in memory: zones, servers that answer as correct ones do, and hooks for those that do not. Virtual
// time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dnssec/signer.h"
#include "net/network.h"
#include "resolve/resolver.h"
#include "task/manual.h"
#include "task/wait.h"

namespace stage {

namespace dns = mxtrust::dns;

/// One zone's data; signed with one Ed25519 key where it has a signer. NSEC chains are made as they are asked for.
class ZoneData {
  public:
    /// Each line "owner TYPE rdata"; SOA and NS of the apex are there already.
    ZoneData(const std::string& apex, const std::vector<std::string>& lines, std::optional<std::uint8_t> key_seed);
    [[nodiscard]] const dns::Name& apex() const { return apex_; }
    [[nodiscard]] bool is_signed() const { return signer_.has_value(); }
    [[nodiscard]] std::string ds_line() const;  ///< for the parent's zone
    [[nodiscard]] dns::Message answer(const dns::Message& query) const;

  private:
    void put(dns::Message& message, std::vector<dns::Record>& section, const dns::RRset& set) const;
    [[nodiscard]] const dns::RRset* find(const dns::Name& owner, dns::Type type) const;
    [[nodiscard]] const dns::RRset* delegation_above(const dns::Name& name, dns::Type type) const;
    [[nodiscard]] dns::RRset nsec_for(const dns::Name& name) const;  ///< matches or covers
    [[nodiscard]] bool exists(const dns::Name& name) const;
    void refer(dns::Message& message, const dns::RRset& ns) const;
    void deny(dns::Message& message, const dns::Name& name) const;
    bool expand(dns::Message& message, const dns::Name& asked, dns::Type type) const;

    dns::Name apex_;
    std::map<dns::Name, std::map<dns::Type, dns::RRset>> sets_;
    std::optional<mxtrust::test::Signer> signer_;
};

/// What a server does with a query: the honest reply is given; nothing means silence.
using Behaviour = std::function<std::optional<dns::Message>(const dns::Message& query, dns::Message honest)>;

class World final : public mxtrust::net::Network {
  public:
    explicit World(mxtrust::task::Scheduler& scheduler) : scheduler_(scheduler) {}
    void serve(const std::string& address, std::vector<const ZoneData*> zones);
    /// From now on it serves these and no others.
    void replace(const std::string& address, std::vector<const ZoneData*> zones);
    void behave(const std::string& address, Behaviour behaviour);
    void delay(const std::string& address, mxtrust::Duration span);
    /// As above, for questions of one type only.
    void delay(const std::string& address, dns::Type type, mxtrust::Duration span);

    mxtrust::task::Task<mxtrust::Result<mxtrust::net::DatagramReply>> exchange_datagram(
        mxtrust::Endpoint server, mxtrust::Bytes query, mxtrust::net::Matcher matcher,
        mxtrust::MonoTime deadline) override;
    mxtrust::task::Task<mxtrust::Result<mxtrust::Bytes>> exchange_stream(mxtrust::Endpoint server, mxtrust::Bytes query,
                                                                         mxtrust::MonoTime deadline) override;
    /// "192.0.2.1 www.example A", in order.
    std::vector<std::string> asked;
    std::size_t streams = 0;
    [[nodiscard]] std::size_t times_asked(const std::string& part) const;

  private:
    struct Server {
        std::vector<const ZoneData*> zones;
        Behaviour behaviour;
        mxtrust::Duration delay{10};
        std::map<dns::Type, mxtrust::Duration> delays;
        [[nodiscard]] mxtrust::Duration delay_of(const dns::Message& query) const;
    };
    [[nodiscard]] std::optional<dns::Message> reply_of(const mxtrust::Endpoint& endpoint, const dns::Message& query);

    mxtrust::task::Scheduler& scheduler_;
    std::map<mxtrust::Address, Server> servers_;
};

/// Root, "example." (signed), "plain." (unsigned), a provider; a resolver that knows the root's key. The usual stage.
class Stage {
  public:
    explicit Stage(std::function<void(mxtrust::resolve::Settings&)> change = {});
    mxtrust::dnssec::Answer ask_with(const std::string& name, dns::Type type, mxtrust::BudgetRef budget);
    mxtrust::dnssec::Answer ask(const std::string& name, dns::Type type,
                                mxtrust::Duration time = std::chrono::milliseconds(5000));

    mxtrust::ManualClock clock{mxtrust::test::noon};
    mxtrust::SeededRandom random{7};
    mxtrust::task::ManualScheduler scheduler{clock};
    World world{scheduler};
    std::unique_ptr<mxtrust::cache::Cache> cache;
    mxtrust::log::Log log;
    std::vector<std::unique_ptr<ZoneData>> zones;
    ZoneData& zone(const std::string& apex, const std::vector<std::string>& lines,
                   std::optional<std::uint8_t> key_seed = std::nullopt);
    /// Builds the resolver from the root zone's key; call after the root zone was made.
    void open(const ZoneData& root, const std::vector<std::string>& root_addresses);
    mxtrust::resolve::Resolver& resolver() { return *resolver_; }
    mxtrust::BudgetRef last_budget;
    /// What the resolver is given besides the above; set before open().
    struct Extra {
        mxtrust::resolve::Relay* relay = nullptr;
        mxtrust::resolve::ForwarderBoard* board = nullptr;
    } extra;

  private:
    std::function<void(mxtrust::resolve::Settings&)> change_;
    std::unique_ptr<mxtrust::resolve::Resolver> resolver_;
};

/// "secure records", "insecure nodata", "bogus failure" …
std::string verdict(const mxtrust::dnssec::Answer& answer);

}  // namespace stage
