#include "resolve/world.h"

#include <algorithm>
#include <sstream>

#include "cache/memory_cache.h"
#include "resolve/build.h"

namespace stage {

using namespace mxtrust;
using dns::Name;
using dns::RRset;
using dns::Type;

ZoneData::ZoneData(const std::string& apex, const std::vector<std::string>& lines, std::optional<std::uint8_t> key_seed)
    : apex_(name(apex)) {
    if (key_seed) signer_.emplace(apex, dns::Algorithm::ed25519, *key_seed);
    std::vector<std::string> all = lines;
    all.push_back(apex + " SOA ns." + (apex == "." ? "" : apex) + " host. 1 7200 3600 1209600 300");
    for (const std::string& line : all) {
        std::istringstream words(line);
        std::string owner, type_text, rdata;
        words >> owner >> type_text;
        std::getline(words >> std::ws, rdata);
        const auto type = dns::type_from_text(type_text);
        REQUIRE(type);
        const dns::Record made = record(owner, *type, rdata);
        RRset& set = sets_[made.owner][*type];
        set.owner = made.owner;
        set.type = *type;
        set.ttl = made.ttl;
        set.records.push_back(made.rdata);
    }
    if (signer_) sets_[apex_][Type::dnskey] = signer_->key_set();
}

std::string ZoneData::ds_line() const {
    const dns::Ds ds = signer_->ds();
    return (apex_.is_root() ? std::string(".") : apex_.to_text() + ".") + " DS " + std::to_string(ds.key_tag) + " " +
           std::to_string(static_cast<int>(ds.algorithm)) + " " + std::to_string(static_cast<int>(ds.digest_type)) +
           " " + to_hex(ds.digest);
}

const RRset* ZoneData::find(const Name& owner, Type type) const {
    const auto at = sets_.find(owner);
    if (at == sets_.end()) return nullptr;
    const auto set = at->second.find(type);
    return set == at->second.end() ? nullptr : &set->second;
}

bool ZoneData::exists(const Name& name) const {
    return std::ranges::any_of(sets_, [&name](const auto& entry) { return entry.first.is_within(name); });
}

const RRset* ZoneData::delegation_above(const Name& name, Type type) const {
    for (std::size_t labels = apex_.label_count() + 1; labels <= name.label_count(); ++labels) {
        const Name cut = name.ancestor(labels);
        if (cut == name && type == Type::ds) return nullptr;
        if (const RRset* ns = find(cut, Type::ns)) return ns;
    }
    return nullptr;
}

void ZoneData::put(dns::Message& message, std::vector<dns::Record>& section, const RRset& set) const {
    const bool is_glue_or_cut = set.owner != apex_ && set.type == Type::ns;
    RRset whole = set;
    const bool dnssec_ok = message.edns && message.edns->dnssec_ok;
    if (dnssec_ok && signer_ && !is_glue_or_cut && set.signatures.empty()) whole = signer_->sign(set);
    for (const Bytes& rdata : whole.records)
        section.push_back({whole.owner, whole.type, dns::Class::in, whole.ttl, rdata});
    if (!dnssec_ok) return;
    for (const Bytes& rdata : whole.signatures)
        section.push_back({whole.owner, Type::rrsig, dns::Class::in, whole.ttl, rdata});
}

RRset ZoneData::nsec_for(const Name& name) const {
    std::vector<Name> owners;
    for (const auto& [owner, sets] : sets_) {
        const bool below_cut = owner != apex_ && delegation_above(owner, Type::ds) != nullptr;
        if (!below_cut) owners.push_back(owner);
    }
    std::size_t at = 0;
    for (std::size_t index = 0; index < owners.size(); ++index) {
        if (owners[index] <= name) at = index;
    }
    std::string types;
    for (const auto& [type, set] : sets_.at(owners[at])) types += " " + dns::to_text(type);
    const std::string next = owners[(at + 1) % owners.size()].to_text();
    const std::string rdata = (next == "." ? next : next + ".") + types + " RRSIG NSEC";
    const dns::Record made = record(owners[at].is_root() ? "." : owners[at].to_text() + ".", Type::nsec, rdata, 300);
    return RRset{made.owner, made.type, made.ttl, {made.rdata}, {}};
}

void ZoneData::refer(dns::Message& message, const RRset& ns) const {
    message.authoritative = false;
    put(message, message.authority, ns);
    if (const RRset* ds = find(ns.owner, Type::ds)) {
        put(message, message.authority, *ds);
    } else if (signer_) {
        put(message, message.authority, nsec_for(ns.owner));
    }
    for (const Bytes& rdata : ns.records) {
        const auto host = dns::parse_single_name(rdata);
        for (const Type type : {Type::a, Type::aaaa}) {
            const RRset* glue = find(*host, type);
            if (glue == nullptr) continue;
            for (const Bytes& address : glue->records)
                message.additional.push_back({*host, type, dns::Class::in, glue->ttl, address});
        }
    }
}

void ZoneData::deny(dns::Message& message, const Name& denied) const {
    put(message, message.authority, *find(apex_, Type::soa));
    if (!signer_) return;
    const RRset nsec = nsec_for(denied);
    put(message, message.authority, nsec);
    if (message.rcode != dns::Rcode::nxdomain) return;
    Name encloser = denied;
    while (!exists(encloser)) encloser = encloser.parent();
    const RRset wildcard = nsec_for(*encloser.wildcard());
    if (!(wildcard == nsec)) put(message, message.authority, wildcard);
}

dns::Message ZoneData::answer(const dns::Message& query) const {
    dns::Message message;
    message.id = query.id;
    message.response = true;
    message.authoritative = true;
    message.question = query.question;
    message.edns = query.edns;
    const Name& asked = query.question->name;
    const Type type = query.question->type;
    if (const RRset* ns = delegation_above(asked, type)) {
        refer(message, *ns);
        return message;
    }
    if (type == Type::any && sets_.contains(asked)) {
        for (const auto& [one, set] : sets_.at(asked)) put(message, message.answer, set);
        return message;
    }
    if (const RRset* set = find(asked, type)) {
        put(message, message.answer, *set);
        if (asked.is_root() && type == Type::ns) {
            dns::Message glue;
            refer(glue, *set);
            message.additional = glue.additional;
        }
        return message;
    }
    if (const RRset* cname = find(asked, Type::cname)) {
        put(message, message.answer, *cname);
        return message;
    }
    for (Name above = asked; above != apex_;) {
        above = above.parent();
        const RRset* dname = find(above, Type::dname);
        if (dname == nullptr) continue;
        put(message, message.answer, *dname);
        return message;
    }
    if (!exists(asked) && expand(message, asked, type)) return message;
    if (!exists(asked)) message.rcode = dns::Rcode::nxdomain;
    deny(message, asked);
    return message;
}

/// RFC 4592, RFC 4035 3.1.3.3.
bool ZoneData::expand(dns::Message& message, const Name& asked, Type type) const {
    Name encloser = asked;
    while (!exists(encloser)) encloser = encloser.parent();
    const Name wildcard = *encloser.wildcard();
    for (const Type one : {type, Type::cname}) {
        const RRset* source = find(wildcard, one);
        if (source == nullptr) continue;
        RRset expanded = signer_ ? signer_->sign(*source) : *source;
        expanded.owner = asked;
        put(message, message.answer, expanded);
        if (signer_) put(message, message.authority, nsec_for(asked));
        return true;
    }
    return false;
}

void World::serve(const std::string& address, std::vector<const ZoneData*> zones) {
    Server& server = servers_[*Address::from_text(address)];
    server.zones.insert(server.zones.end(), zones.begin(), zones.end());
}
void World::replace(const std::string& address, std::vector<const ZoneData*> zones) {
    servers_[*Address::from_text(address)].zones = std::move(zones);
}
void World::behave(const std::string& address, Behaviour behaviour) {
    servers_[*Address::from_text(address)].behaviour = std::move(behaviour);
}
void World::delay(const std::string& address, Duration span) {
    servers_[*Address::from_text(address)].delay = span;
}

void World::delay(const std::string& address, Type type, Duration span) {
    servers_[*Address::from_text(address)].delays[type] = span;
}

Duration World::Server::delay_of(const dns::Message& query) const {
    const auto one = delays.find(query.question->type);
    return one == delays.end() ? delay : one->second;
}

std::size_t World::times_asked(const std::string& part) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(asked, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

std::optional<dns::Message> World::reply_of(const Endpoint& endpoint, const dns::Message& query) {
    asked.push_back(endpoint.address.to_text() + " " + query.question->name.to_text() + " " +
                    dns::to_text(query.question->type));
    const auto found = servers_.find(endpoint.address);
    if (found == servers_.end() || endpoint.port != 53) return std::nullopt;
    const ZoneData* best = nullptr;
    for (const ZoneData* zone : found->second.zones) {
        const bool parent_side = query.question->type == Type::ds && query.question->name == zone->apex();
        if (!query.question->name.is_within(zone->apex()) || (parent_side && !zone->apex().is_root())) continue;
        if (best == nullptr || zone->apex().is_below(best->apex())) best = zone;
    }
    dns::Message honest;
    if (best != nullptr) {
        honest = best->answer(query);
    } else {
        honest.id = query.id;
        honest.response = true;
        honest.question = query.question;
        honest.edns = query.edns;
        honest.rcode = dns::Rcode::refused;
    }
    if (!found->second.behaviour) return honest;
    return found->second.behaviour(query, std::move(honest));
}

task::Task<Result<net::DatagramReply>> World::exchange_datagram(Endpoint server, Bytes query, net::Matcher matcher,
                                                                MonoTime deadline) {
    const Result<dns::Message> parsed = dns::parse_message(query);
    REQUIRE(parsed);
    std::optional<dns::Message> reply = reply_of(server, *parsed);
    const auto known = servers_.find(server.address);
    const MonoTime arrives =
        scheduler_.now() + (known == servers_.end() ? Duration{0} : known->second.delay_of(*parsed));
    if (!reply || arrives > deadline) {
        co_await task::sleep_until(deadline);
        co_return fail(FailureKind::timeout, Code("TEST"), "did not answer in time");
    }
    co_await task::sleep_until(arrives);
    net::DatagramReply result;
    result.message = dns::render_message(*reply, parsed->edns ? parsed->edns->udp_size : 512);
    switch (matcher(result.message)) {
        case net::Match::accept:
            co_return result;
        case net::Match::suspect:
            result.suspicious = true;
            result.message.clear();
            co_return result;
        case net::Match::ignore:
            break;
    }
    co_await task::sleep_until(deadline);
    co_return fail(FailureKind::timeout, Code("TEST"), "did not answer in time");
}

task::Task<Result<Bytes>> World::exchange_stream(Endpoint server, Bytes query, MonoTime deadline) {
    ++streams;
    const Result<dns::Message> parsed = dns::parse_message(query);
    REQUIRE(parsed);
    std::optional<dns::Message> reply = reply_of(server, *parsed);
    const auto known = servers_.find(server.address);
    const MonoTime arrives =
        scheduler_.now() + (known == servers_.end() ? Duration{0} : 2 * known->second.delay_of(*parsed));
    if (!reply || arrives > deadline) {
        co_await task::sleep_until(deadline);
        co_return fail(FailureKind::timeout, Code("TEST"), "did not answer in time");
    }
    co_await task::sleep_until(arrives);
    reply->truncated = false;
    co_return dns::render_message(*reply);
}

Stage::Stage(std::function<void(resolve::Settings&)> change)
    : cache(std::make_unique<cache::MemoryCache>()),
      log(log::Level::error, log::Target::nowhere),
      change_(std::move(change)) {}

ZoneData& Stage::zone(const std::string& apex, const std::vector<std::string>& lines,
                      std::optional<std::uint8_t> key_seed) {
    zones.push_back(std::make_unique<ZoneData>(apex, lines, key_seed));
    return *zones.back();
}

void Stage::open(const ZoneData& root, const std::vector<std::string>& root_addresses) {
    resolve::Settings settings;
    for (const std::string& address : root_addresses)
        settings.root_hints.push_back({name("a.root."), *Address::from_text(address)});
    if (root.is_signed()) settings.anchors = *dnssec::TrustAnchors::parse(root.ds_line());
    settings.local_authorities = resolve::Switch::on;
    if (change_) change_(settings);
    resolver_ = std::make_unique<resolve::Resolver>(
        settings, resolve::Resolver::Tools{clock, random, world, *cache, log, scheduler, extra.relay, extra.board});
}

dnssec::Answer Stage::ask(const std::string& what, Type type, Duration time) {
    return ask_with(what, type, resolver_->budget(time));
}

dnssec::Answer Stage::ask_with(const std::string& what, Type type, BudgetRef budget) {
    last_budget = std::move(budget);
    std::optional<dnssec::Answer> answer = scheduler.run(resolver_->resolve(name(what), type, last_budget));
    REQUIRE(answer);
    return *answer;
}

std::string verdict(const dnssec::Answer& answer) {
    return std::string(dnssec::to_text(answer.security())) + " " + std::string(dnssec::to_text(answer.outcome()));
}

}  // namespace stage
