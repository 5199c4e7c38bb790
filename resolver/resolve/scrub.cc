#include "resolve/scrub.h"

#include <algorithm>

namespace mxtrust::resolve {

std::vector<dns::RRset> within_zone(const std::vector<dns::Record>& section, const dns::Name& zone) {
    std::vector<dns::RRset> sets = dns::group(section);
    std::erase_if(sets, [&zone](const dns::RRset& set) {
        return !set.owner.is_within(zone) || set.records.size() > most_records_per_set || set.records.empty();
    });
    return sets;
}

bool has_overlarge_set(const std::vector<dns::Record>& section, const dns::Name& zone) {
    if (section.size() <= most_records_per_set) return false;  // as nearly always
    return std::ranges::any_of(dns::group(section), [&zone](const dns::RRset& set) {
        return set.owner.is_within(zone) && set.records.size() > most_records_per_set;
    });
}

void drop_private_addresses(dns::Message& message, const std::vector<Network>& networks,
                            const std::vector<dns::Name>& exempt) {
    if (networks.empty()) return;
    const auto is_private = [&](const dns::Record& record) {
        if (record.type != dns::Type::a && record.type != dns::Type::aaaa) return false;
        const Result<Address> address = Address::from_rdata(record.rdata);
        if (!address || !is_allowed(networks, *address)) return false;
        return std::ranges::none_of(exempt, [&](const dns::Name& domain) { return record.owner.is_within(domain); });
    };
    for (std::vector<dns::Record>* section : {&message.answer, &message.authority, &message.additional})
        std::erase_if(*section, is_private);
}

namespace {

void add_glue(cache::NameServer& server, const std::vector<dns::Record>& additional) {
    for (const dns::Record& record : additional) {
        if (server.addresses.size() >= most_addresses_per_server) return;
        if (record.class_ != dns::Class::in || record.owner != server.name) continue;
        if (record.type != dns::Type::a && record.type != dns::Type::aaaa) continue;
        Result<Address> address = Address::from_rdata(record.rdata);
        if (!address) continue;
        if (std::ranges::find(server.addresses, *address) == server.addresses.end())
            server.addresses.push_back(*address);
    }
}

}  // namespace

std::vector<cache::NameServer> servers_with_glue(const dns::RRset& ns, const std::vector<dns::Record>& additional,
                                                 const dns::Name& zone_asked) {
    std::vector<cache::NameServer> servers;
    for (const Bytes& rdata : ns.records) {
        if (servers.size() >= most_servers_per_zone) break;
        Result<dns::Name> name = dns::parse_single_name(rdata);
        if (!name) continue;
        cache::NameServer server{*name, {}};
        // Glue is what the parent must add because its own zone contains the name (RFC 9471 2); anything else is
        // hearsay.
        if (name->is_within(zone_asked)) add_glue(server, additional);
        servers.push_back(std::move(server));
    }
    return servers;
}

}  // namespace mxtrust::resolve
