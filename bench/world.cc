// Makes a signed mail Internet to measure in: zone files for four groups of name servers (root, TLDs, hosters, mail
// providers), root hints, the root's DS, and the list of domains. The same numbers and seed give the same names, hosts
// and delegations; keys and signatures are new each time.
//
//   bench_world FOLDER DOMAINS [SEED]
//
// What it is like: 8 TLDs signed with NSEC3 and opt-out; 20 hosters with two name servers each, whose names lie in the
// hoster's own zone; 50 providers with one or two MX hosts; every twentieth domain is not signed. Half of the domains
// take their mail at a provider, the other half at hosts of their own; every signed host has a TLSA set. Every fiftieth
// domain and its hosts have a TTL of 3 s instead of an hour (`short` in the list): they expire within a measurement.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "crypto/digest.h"
#include "dns/rdata.h"
#include "dnssec/signer.h"

namespace {

using namespace mxtrust;
using dns::Name;
using dns::RRset;
using dns::Type;

constexpr int tops = 8, hosters = 20, providers = 50;
constexpr std::uint32_t hour = 3600, moment = 3;
constexpr std::int64_t signed_for = 20 * 86400;

enum class Group { root, top, hoster, provider };
constexpr const char* group_names[] = {"root", "tld", "hoster", "provider"};

std::string address(Group group, int number) {
    return "10.77." + std::to_string(static_cast<int>(group)) + "." + std::to_string(1 + number);
}

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "bench_world: %s\n", why.c_str());
    std::exit(69);
}

/// One zone: filled, signed, written, forgotten.
class Zone {
  public:
    enum class Denial { nsec, opt_out };

    Zone(const std::string& apex, std::uint32_t ttl, bool with_keys, Denial denial = Denial::nsec)
        : apex_(test::name(apex)), ttl_(ttl), denial_(denial) {
        if (with_keys) signer_.emplace(apex, dns::Algorithm::ecdsa_p256_sha256);
    }
    void add(const std::string& owner, Type type, const std::string& rdata) {
        const Name name = test::name(owner);
        RRset& set = sets_[name][type];
        set.owner = name;
        set.type = type;
        set.ttl = dns::Ttl(ttl_);
        set.records.push_back(dns::rdata_from_text(type, rdata).value());
    }
    /// Name servers with their addresses where these lie in the zone.
    void serve(const std::vector<std::pair<std::string, std::string>>& servers) {
        const std::string apex = absolute();
        add(apex, Type::soa,
            servers.front().first + " hostmaster." + (apex == "." ? "" : apex) + " 1 7200 3600 1209600 300");
        for (const auto& [host, at] : servers) {
            add(apex, Type::ns, host);
            if (test::name(host).is_within(apex_)) add(host, Type::a, at);
        }
    }
    void delegate(const std::string& child, const std::vector<std::pair<std::string, std::string>>& servers,
                  const std::string& ds) {
        for (const auto& [host, at] : servers) {
            add(child, Type::ns, host);
            if (test::name(host).is_within(test::name(child))) add(host, Type::a, at);
        }
        if (!ds.empty()) add(child, Type::ds, ds);
    }
    [[nodiscard]] std::string ds() const {
        if (!signer_) return "";
        const dns::Ds made = signer_->ds();
        return std::to_string(made.key_tag) + " " + std::to_string(static_cast<int>(made.algorithm)) + " " +
               std::to_string(static_cast<int>(made.digest_type)) + " " + to_hex(made.digest);
    }
    void write(const std::string& path) {
        if (signer_) close();
        std::ofstream file(path);
        for (const auto& [owner, sets] : sets_) {
            for (const auto& [type, set] : sets) put(file, set);
        }
        for (const RRset& set : chain_) put(file, set);
        if (!file.flush()) give_up("cannot write " + path);
    }

  private:
    [[nodiscard]] std::string absolute() const { return apex_.is_root() ? "." : apex_.to_text() + "."; }
    static std::string text(const Name& name) { return name.is_root() ? "." : name.to_text() + "."; }

    void sign(RRset& set) const {
        test::Bend dates;
        dates.inception = std::time(nullptr) - 7200 - test::noon.seconds;
        dates.expiration = std::time(nullptr) + signed_for - test::noon.seconds;
        set.signatures.push_back(signer_->signature(set, dates));
    }
    static void put(std::ofstream& file, const RRset& set) {
        const std::string head = text(set.owner) + " " + std::to_string(set.ttl.count()) + " IN ";
        for (const Bytes& rdata : set.records)
            file << head << dns::to_text(set.type) << ' ' << dns::rdata_to_text(set.type, rdata) << '\n';
        for (const Bytes& rdata : set.signatures)
            file << head << "RRSIG " << dns::rdata_to_text(Type::rrsig, rdata) << '\n';
    }
    /// A cut above the owner, or at it.
    [[nodiscard]] const Name* cut(const Name& owner) const {
        for (std::size_t labels = apex_.label_count() + 1; labels <= owner.label_count(); ++labels) {
            const auto found = sets_.find(owner.ancestor(labels));
            if (found != sets_.end() && found->second.contains(Type::ns)) return &found->first;
        }
        return nullptr;
    }
    void close() {
        sets_[apex_][Type::dnskey] = RRset{apex_, Type::dnskey, dns::Ttl(ttl_), {signer_->rdata()}, {}};
        if (denial_ == Denial::opt_out)
            sets_[apex_][Type::nsec3param] = RRset{apex_,
                                                   Type::nsec3param,
                                                   dns::Ttl(ttl_),
                                                   {dns::rdata_from_text(Type::nsec3param, "1 0 0 -").value()},
                                                   {}};
        std::map<std::string, std::pair<Name, std::string>> places;  // lookup key or hash → name, types
        for (auto& [owner, sets] : sets_) {
            const Name* at = cut(owner);
            if (at != nullptr && *at != owner) continue;  // glue
            const bool is_cut = at != nullptr;
            std::string types;
            for (auto& [type, set] : sets) {
                types += " " + dns::to_text(type);
                if (!is_cut || type == Type::ds) sign(set);
            }
            const bool is_signed = !is_cut || sets.contains(Type::ds);
            if (denial_ == Denial::nsec) {
                places.emplace(owner.lookup_key(), std::pair{owner, types + " RRSIG NSEC"});
                continue;
            }
            if (is_signed)
                places.emplace(std::string(as_text(crypto::nsec3_hash(owner.wire(), {}, 0))),
                               std::pair{owner, types + " RRSIG"});
        }
        for (auto here = places.begin(); here != places.end(); ++here) {
            const auto next = std::next(here) == places.end() ? places.begin() : std::next(here);
            RRset set;
            set.ttl = dns::Ttl(std::min<std::uint32_t>(ttl_, 300));
            if (denial_ == Denial::nsec) {
                set.owner = here->second.first;
                set.type = Type::nsec;
                set.records.push_back(
                    dns::rdata_from_text(Type::nsec, text(next->second.first) + here->second.second).value());
            } else {
                set.owner = apex_.prepend(to_base32hex(as_bytes(here->first))).value();
                set.type = Type::nsec3;
                set.records.push_back(
                    dns::rdata_from_text(Type::nsec3,
                                         "1 1 0 - " + to_base32hex(as_bytes(next->first)) + here->second.second)
                        .value());
            }
            sign(set);
            chain_.push_back(std::move(set));
        }
    }

    Name apex_;
    std::uint32_t ttl_;
    Denial denial_;
    std::optional<test::Signer> signer_;
    std::map<Name, std::map<Type, RRset>> sets_;
    std::vector<RRset> chain_;
};

using Servers = std::vector<std::pair<std::string, std::string>>;

std::string top_name(int number) {
    return "t" + std::to_string(number) + ".";
}

class World {
  public:
    World(std::string folder, int domains, std::uint64_t seed)
        : folder_(std::move(folder)), domains_(domains), random_(seed) {}

    void make() {
        for (const char* group : group_names) lists_.emplace(group, std::ofstream(folder_ + "/" + group + ".zones"));
        Zone root(".", hour, true);
        const Servers at_root{{"a.root-x.", address(Group::root, 0)}, {"b.root-x.", address(Group::root, 1)}};
        root.serve(at_root);
        for (int number = 0; number < tops; ++number) {
            tops_.emplace_back(top_name(number), hour, true, Zone::Denial::opt_out);
            tops_.back().serve(top_servers(number));
        }
        for (int number = 0; number < hosters; ++number) make_hoster(number);
        for (int number = 0; number < providers; ++number) make_provider(number);
        std::ofstream list(folder_ + "/domains"), short_list(folder_ + "/short");
        for (int number = 0; number < domains_; ++number) {
            const bool is_short = number % 50 == 49;
            (is_short ? short_list : list) << make_domain(number, is_short) << '\n';
        }
        for (int number = 0; number < tops; ++number) {
            root.delegate(top_name(number), top_servers(number), tops_[static_cast<std::size_t>(number)].ds());
            write(tops_[static_cast<std::size_t>(number)], top_name(number), Group::top);
        }
        write(root, ".", Group::root);
        std::ofstream hints(folder_ + "/hints");
        for (const auto& [host, at] : at_root)
            hints << ". 3600000 NS " << host << '\n' << host << " 3600000 A " << at << '\n';
        std::ofstream(folder_ + "/anchors") << ". IN DS " << root.ds() << '\n';
        std::printf("%d domains, %d hosts, %.2f questions for each\n", domains_, hosts_,
                    static_cast<double>(questions_) / static_cast<double>(domains_));
    }

  private:
    static Servers top_servers(int number) {
        const std::string base = "nic." + top_name(number);
        return {{"a." + base, address(Group::top, 2 * number)}, {"b." + base, address(Group::top, 2 * number + 1)}};
    }
    static std::string hoster_name(int number) {
        return "host" + std::to_string(number) + "." + top_name(number % tops);
    }
    static Servers hoster_servers(int number) {
        const std::string base = hoster_name(number);
        return {{"ns1." + base, address(Group::hoster, 2 * number)},
                {"ns2." + base, address(Group::hoster, 2 * number + 1)}};
    }
    static std::string provider_name(int number) {
        return "mail" + std::to_string(number) + "." + top_name((number + 3) % tops);
    }
    static Servers provider_servers(int number) {
        const std::string base = provider_name(number);
        return {{"ns1." + base, address(Group::provider, 2 * number)},
                {"ns2." + base, address(Group::provider, 2 * number + 1)}};
    }
    Zone& top_of(int number) { return tops_[static_cast<std::size_t>(number % tops)]; }

    void write(Zone& zone, const std::string& apex, Group group) {
        const char* kind = group_names[static_cast<int>(group)];
        const std::string file = std::string(kind) + "/" + (apex == "." ? "root" : apex) + "zone";
        zone.write(folder_ + "/" + file);
        lists_.at(kind) << apex << ' ' << file << '\n';
    }
    void add_host(Zone& zone, const std::string& host, bool with_tlsa) {
        ++hosts_;
        zone.add(host, Type::a, "192.0.2." + std::to_string(1 + random_.below(250)));
        if (random_.below(2) == 0) zone.add(host, Type::aaaa, "2001:db8::" + std::to_string(1 + random_.below(9000)));
        if (!with_tlsa) return;
        std::string digest;
        while (digest.size() < 64) digest += "0123456789abcdef"[random_.below(16)];
        zone.add("_25._tcp." + host, Type::tlsa, "3 1 1 " + digest);
    }
    void make_hoster(int number) {
        Zone zone(hoster_name(number), hour, true);
        zone.serve(hoster_servers(number));
        top_of(number).delegate(hoster_name(number), hoster_servers(number), zone.ds());
        write(zone, hoster_name(number), Group::hoster);
    }
    void make_provider(int number) {
        Zone zone(provider_name(number), hour, true);
        zone.serve(provider_servers(number));
        for (int host = 0; host < provider_hosts(number); ++host)
            add_host(zone, "mx" + std::to_string(host) + "." + provider_name(number), true);
        top_of(number + 3).delegate(provider_name(number), provider_servers(number), zone.ds());
        write(zone, provider_name(number), Group::provider);
    }
    static int provider_hosts(int number) { return number % 5 < 3 ? 2 : 1; }

    std::string make_domain(int number, bool is_short) {
        const std::string name = "d" + std::to_string(number) + "." + top_name(number % tops);
        const bool is_signed = number % 20 != 7;
        const int hoster = static_cast<int>(random_.below(hosters));
        Zone zone(name, is_short ? moment : hour, is_signed);
        zone.serve(hoster_servers(hoster));
        int hosts = 1;
        bool secure_hosts = true;
        if (!is_short && random_.below(2) == 0) {
            const int provider = static_cast<int>(random_.below(providers));
            hosts = provider_hosts(provider);
            for (int host = 0; host < hosts; ++host)
                zone.add(
                    name, Type::mx,
                    std::to_string(10 * (1 + host)) + " mx" + std::to_string(host) + "." + provider_name(provider));
        } else {
            hosts = random_.below(5) == 0 ? 2 : 1;
            secure_hosts = is_signed;
            for (int host = 0; host < hosts; ++host) {
                const std::string mx = "mx" + std::to_string(host) + "." + name;
                zone.add(name, Type::mx, std::to_string(10 * (1 + host)) + " " + mx);
                add_host(zone, mx, is_signed);
            }
        }
        questions_ += 1 + (secure_hosts ? 3 : 2) * hosts;
        top_of(number).delegate(name, hoster_servers(hoster), zone.ds());
        write(zone, name, Group::hoster);
        return name.substr(0, name.size() - 1);
    }

    std::string folder_;
    int domains_;
    SeededRandom random_;
    std::vector<Zone> tops_;
    std::map<std::string, std::ofstream> lists_;
    int hosts_ = 0;
    std::int64_t questions_ = 0;
};

}  // namespace

int main(int count, char** words) {
    if (count < 3 || std::atoi(words[2]) < 1) {
        std::fputs("bench_world FOLDER DOMAINS [SEED]; FOLDER has the folders root, tld, hoster and provider in it\n",
                   stderr);
        return 64;
    }
    World(words[1], std::atoi(words[2]), count > 3 ? std::strtoull(words[3], nullptr, 10) : 1).make();
    return 0;
}
