// See all_sets.h.
#include "resolve/all_sets.h"

#include <algorithm>
#include <utility>

namespace mxtrust::resolve {
namespace {

using dnssec::FindingRef;

std::vector<dnssec::Response> one_for_each_set(const Found& found, const dns::Name& name) {
    std::vector<dnssec::Response> responses;
    if (const auto* any = std::get_if<AnySets>(&*found.reply)) {
        for (const dns::RRset& set : any->sets) {
            dnssec::Response response;
            response.name = name;
            response.type = set.type;
            response.shape = dnssec::Shape::records;
            response.positive = set;
            response.authority = any->authority;
            responses.push_back(std::move(response));
        }
    } else if (const auto* response = std::get_if<dnssec::Response>(&*found.reply)) {
        responses.push_back(*response);
    }
    return responses;
}

/// At one name. A DNAME above it is the only one, then.
task::Task<std::vector<FindingRef>> find_at(Iterator* iterator, Chain* chain, dns::Name name, BudgetRef budget) {
    Context context{budget, 0, {}};
    std::vector<FindingRef> findings;
    dns::Name asked = name;
    Context first = context;
    Found found = co_await iterator->find(std::move(asked), dns::Type::any, std::move(first));
    if (!found.reply) {
        findings.push_back(chain->failure(name, dns::Type::any, found));
        co_return findings;
    }
    const std::vector<dnssec::Response> responses = one_for_each_set(found, name);
    for (const dnssec::Response& response : responses) {
        dns::Name zone = found.zone;
        dnssec::Response copy = response;
        Context again = context;
        dnssec::ZoneTrust trust = co_await chain->trust_for(std::move(zone), std::move(copy), std::move(again));
        findings.push_back(chain->judge(response, trust, budget));
    }
    co_return findings;
}

FindingRef leads_nowhere(const Chain& chain, const dns::Name& name) {
    Found nothing;
    nothing.zone = name;
    nothing.reason.code = "RANY"_code;
    nothing.reason.ede = dns::Ede::other;
    nothing.reason.text = "the aliases to " + name.to_text() + " lead nowhere";
    return chain.failure(name, dns::Type::any, nothing);
}

}  // namespace

task::Task<std::vector<FindingRef>> find_all(Iterator* iterator, Chain* chain, dns::Name name, BudgetRef budget) {
    std::vector<FindingRef> all;
    std::vector<dns::Name> visited;  // a dozen at most
    while (true) {
        visited.push_back(name);
        dns::Name asked = name;
        BudgetRef same = budget;
        std::vector<FindingRef> here = co_await find_at(iterator, chain, std::move(asked), std::move(same));
        if (here.empty() && !all.empty()) here.push_back(leads_nowhere(*chain, name));
        all.insert(all.end(), here.begin(), here.end());
        if (here.size() != 1 || !here.front()->is_alias()) co_return all;
        Result<dns::Name> target = here.front()->alias_target();
        if (!target) co_return all;  // too long: the DNAME is all there is to tell (RFC 6672 2.2)
        const bool circle = std::ranges::find(visited, *target) != visited.end();
        if (circle || visited.size() > most_aliases) {
            all.push_back(leads_nowhere(*chain, *target));
            co_return all;
        }
        name = std::move(*target);
    }
}

}  // namespace mxtrust::resolve
