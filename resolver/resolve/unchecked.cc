// See unchecked.h.
#include "resolve/unchecked.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mxtrust::resolve {
namespace {

/// What proves that a wildcard may stand for a name belongs to that link and goes with it, whatever the last one says
/// (RFC 4035 3.2.2: a client that validates by itself gets all that it takes). Its SOA would be read as a denial's.
void add_proofs(RawAnswer& answer, const std::vector<dns::RRset>& authority) {
    const auto proves = [](const dns::RRset& set) { return set.type != dns::Type::soa; };
    std::ranges::copy_if(authority, std::back_inserter(answer.authority), proves);
}

}  // namespace

task::Task<RawAnswer> find_unchecked(Iterator* iterator, dns::Name name, dns::Type type, Lifetime life,
                                     BudgetRef budget) {
    RawAnswer answer;
    answer.expires = life.now + life.most_ttl;
    std::vector<dns::Name> visited;  // a dozen at most
    dns::Name next = std::move(name);
    for (std::size_t step = 0; step <= most_aliases; ++step) {
        visited.push_back(next);
        Context context{budget, 0, {}};
        dns::Name asked = next;
        Found found = co_await iterator->find(std::move(asked), type, std::move(context));
        if (!found.reply) {
            answer.rcode = dns::Rcode::servfail;
            answer.reason = std::move(found.reason);
            co_return answer;
        }
        if (const auto* any = std::get_if<AnySets>(&*found.reply)) {
            answer.answer.insert(answer.answer.end(), any->sets.begin(), any->sets.end());
            add_proofs(answer, any->authority);
            answer.rcode = dns::Rcode::noerror;
            co_return answer;
        }
        const auto* response = std::get_if<dnssec::Response>(&*found.reply);
        if (response == nullptr) break;
        answer.rcode = response->rcode;
        if (!response->positive) {
            answer.authority.insert(answer.authority.end(), response->authority.begin(), response->authority.end());
            co_return answer;
        }
        add_proofs(answer, response->authority);
        answer.answer.push_back(*response->positive);
        const std::chrono::seconds ttl =
            std::clamp(std::chrono::seconds(response->positive->ttl), life.least_ttl, life.most_ttl);
        answer.answer.back().ttl = std::chrono::duration_cast<dns::Ttl>(ttl);
        answer.expires = std::min(answer.expires, life.now + ttl);
        if (response->shape == dnssec::Shape::records) co_return answer;
        Result<dns::Name> target = dns::parse_single_name(response->positive->records.front());
        if (target && response->shape == dnssec::Shape::dname) {
            Result<dns::Name> rebased = next.rebase(response->positive->owner, *target);
            if (!rebased) {  // RFC 6672 2.2: it grew too long
                answer.rcode = dns::Rcode::yxdomain;
                co_return answer;
            }
            dns::RRset synthesised{next, dns::Type::cname, response->positive->ttl, {}, {}};
            synthesised.records.emplace_back(rebased->wire().begin(), rebased->wire().end());
            answer.answer.push_back(std::move(synthesised));
            target = std::move(rebased);
            if (type == dns::Type::cname) co_return answer;  // that is what was asked for
        }
        if (!target || std::ranges::find(visited, *target) != visited.end()) break;
        next = std::move(*target);
    }
    answer.rcode = dns::Rcode::servfail;
    answer.reason.code = "RRAW"_code;
    answer.reason.ede = dns::Ede::other;
    answer.reason.text = "the aliases lead nowhere";
    co_return answer;
}

}  // namespace mxtrust::resolve
