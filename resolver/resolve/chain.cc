#include "resolve/chain.h"

#include <algorithm>

#include "resolve/aggressive.h"

namespace mxtrust::resolve {
namespace {

using dnssec::Cut;
using dnssec::FindingRef;
using dnssec::Judge;
using dnssec::Reason;
using dnssec::Security;
using dnssec::ZoneTrust;

std::optional<dns::Name> first_signer(const dns::RRset& set) {
    for (const Bytes& signature : set.signatures) {
        Result<dns::Rrsig> rrsig = dns::parse_rrsig(signature);
        if (rrsig && set.owner.is_within(rrsig->signer)) return rrsig->signer;
    }
    return std::nullopt;
}

/// Who signed the answer: the positive set, or any set of the proof.
std::optional<dns::Name> signer_of(const dnssec::Response& response) {
    if (response.positive) return first_signer(*response.positive);
    std::optional<dns::Name> signer;
    for (const dns::RRset& set : response.authority) {
        std::optional<dns::Name> here = first_signer(set);
        // The deepest one: a parent's NSEC beside the child's answer proves nothing about the child's names.
        if (here && response.name.is_within(*here) && (!signer || here->is_below(*signer))) signer = std::move(here);
    }
    return signer;
}

/// The deepest name at which a cut may lie above the answer's data.
dns::Name lowest_apex(const dnssec::Response& response) {
    if (response.type == dns::Type::ds && !response.name.is_root()) return response.name.parent();
    if (response.positive && response.shape == dnssec::Shape::dname) return response.positive->owner;
    return response.name;
}

}  // namespace

Chain::Chain(Tools tools)
    : tools_(tools),
      failures_(tools.random),
      flights_(tools.scheduler, task::most_flights, dns::NameHash(HashKey::draw(tools.random))),
      ds_flights_(tools.scheduler, task::most_flights, dns::NameHash(HashKey::draw(tools.random))),
      trusts_(0, dns::NameHash(HashKey::draw(tools.random))),
      older_trusts_(trusts_) {}

void Chain::store(const FindingRef& finding) {
    tools_.cache.store(finding);
    if (tools_.settings.aggressive_denial == Switch::on) keep_denials(tools_.cache, *finding);
}

FindingRef Chain::judge(const dnssec::Response& response, const ZoneTrust& trust, const BudgetRef& budget) {
    Budget answer = budget_of_answer(budget);
    FindingRef finding = Judge(tools_.settings.policy, tools_.clock.wall(), answer, &verified_).judge(response, trust);
    count(answer);
    return finding;
}

Budget Chain::budget_of_answer(const BudgetRef& lookup) const {
    return {limits_of_an_answer(tools_.settings.lookup_limits), lookup->deadline(), lookup};
}

void Chain::count(const Budget& answer) {
    if (answer.exhausted() && !answer.is_starved()) ++tools_.counters.answers_exhausted;
}

FindingRef Chain::failure(const dns::Name& name, dns::Type type, const Found& found) const {
    dnssec::Finding::Parts parts;
    parts.name = name;
    parts.type = type;
    parts.outcome = dnssec::Outcome::failure;
    parts.rcode = dns::Rcode::servfail;
    parts.zone = found.zone;
    parts.reason = found.reason;
    parts.expires = tools_.clock.wall() + failure_ttl;
    return dnssec::Finding::failure(std::move(parts));
}

Chain::TrustRef Chain::remembered(const dns::Name& zone) const {
    for (const auto* trusts : {&trusts_, &older_trusts_}) {
        const auto found = trusts->find(zone);
        if (found == trusts->end()) continue;
        return found->second->expires() <= tools_.clock.wall() ? nullptr : found->second;
    }
    return nullptr;
}

void Chain::remember(const TrustRef& trust) {
    if (trusts_.size() >= most_trusts / 2) {  // the older half goes
        older_trusts_.swap(trusts_);
        trusts_.clear();
    }
    trusts_[trust->zone()] = trust;
}

void Chain::flush(const dns::Name& name) {
    for (auto* trusts : {&trusts_, &older_trusts_})
        std::erase_if(*trusts, [&name](const auto& entry) { return entry.first.is_within(name); });
}

void Chain::forget_all() {
    ++generation_;
    trusts_.clear();
    older_trusts_.clear();
}

std::optional<ZoneTrust> Chain::taken_out(const dns::Name& apex, const dns::Name& name, Budget& budget) const {
    const WallTime now = tools_.clock.wall();
    const dnssec::NegativeAnchor* negative = tools_.settings.negative_anchors.above(name, now);
    if (negative == nullptr) return std::nullopt;
    // RFC 7646 1.1: a trust anchor below it is nearer, and goes before it.
    const dnssec::TrustAnchor* anchor = tools_.settings.anchors.closest(name);
    if (anchor != nullptr && anchor->zone.is_below(negative->name)) return std::nullopt;
    Judge judge(tools_.settings.policy, now, budget);
    const WallTime end = std::min(now + tools_.settings.policy.most_ttl, negative->ends);
    return judge.insecure_by_configuration(apex, dnssec::reason_of(*negative), end);
}

std::optional<ZoneTrust> Chain::configured(const dns::Name& zone, Budget& budget) const {
    if (std::optional<ZoneTrust> insecure = taken_out(zone, zone, budget)) return insecure;
    const WallTime now = tools_.clock.wall();
    Judge judge(tools_.settings.policy, now, budget);
    if (tools_.settings.anchors.closest(zone) != nullptr) return std::nullopt;
    Reason reason;
    reason.code = "RNOA"_code;
    reason.zone = zone;
    reason.text = "no trust anchor is configured above " + zone.to_text();
    return judge.insecure_by_configuration(zone, std::move(reason), now + tools_.settings.policy.most_ttl);
}

bool Chain::is_known_unsigned(const dns::Name& zone) const {
    Budget none(BudgetLimits{}, MonoTime{});
    if (configured(zone, none)) return true;
    const TrustRef known = remembered(zone);
    return known && known->security() == Security::insecure;
}

bool Chain::lacks_keys(const dns::Name& zone) const {
    const WallTime now = tools_.clock.wall();
    if (tools_.cache.find(zone, dns::Type::dnskey, now)) return false;
    const FindingRef ds = tools_.cache.find(zone, dns::Type::ds, now);
    if (ds) return Judge::cut_of(*ds, tools_.settings.policy) == Cut::signed_delegation;
    const auto had_records = [&](dns::Type type) {
        const std::optional<cache::Ended> once = tools_.cache.find_ended(zone, type, now);
        return once && once->outcome == dnssec::Outcome::records;
    };
    return had_records(dns::Type::dnskey) || had_records(dns::Type::ds);
}

bool Chain::is_to_be_renewed(const dns::Name& zone) const {
    Budget none(BudgetLimits{}, MonoTime{});
    if (remembered(zone) || configured(zone, none)) return false;
    // With a denial that has ended, the parent has to be asked again, too.
    return lacks_keys(zone) || tools_.cache.find_ended(zone, dns::Type::ds, tools_.clock.wall());
}

dns::Name Chain::parent_of(const dns::Name& zone) const {
    const cache::ZoneCut cut = tools_.iterator.deepest_cut(zone);
    if (cut.zone == zone && cut.zone.is_below(cut.parent)) return cut.parent;
    return tools_.iterator.deepest_cut(zone.parent()).zone;
}

task::Task<ZoneTrust> Chain::trust_of(dns::Name zone, Context context, Reach reach) {
    if (std::optional<ZoneTrust> fixed = configured(zone, *context.budget)) co_return std::move(*fixed);
    if (TrustRef known = remembered(zone)) {
        if (older_trusts_.erase(zone) != 0) remember(known);  // it is still passed
        co_return *known;
    }
    std::optional<TrustRef> built;
    if (reach == Reach::delegation) {
        dns::Name asked = zone;
        Context same = context;
        built = co_await build(std::move(asked), std::move(same), reach);
    } else {
        auto starter = [this, zone, context]() { return build(zone, context, Reach::keys); };
        dns::Name key = zone;
        const MonoTime deadline = context.budget->deadline();
        built = co_await flights_.run(std::move(key), deadline, std::move(starter));
    }
    if (built && *built) co_return **built;
    Reason reason;
    reason.code = "RTLT"_code;
    reason.ede = dns::Ede::dnssec_indeterminate;
    reason.zone = zone;
    reason.record = "DNSKEY " + zone.to_text();
    reason.text = "the keys of " + zone.to_text() + " could not be fetched in the time there was";
    co_return ZoneTrust::indeterminate(std::move(zone), std::move(reason), tools_.clock.wall() + failure_ttl);
}

task::Task<Chain::TrustRef> Chain::build(dns::Name zone, Context context, Reach reach) {
    TrustRef trust;
    const std::uint64_t generation = generation_;
    const dnssec::TrustAnchors& anchors = tools_.settings.anchors;
    const dnssec::TrustAnchor* anchor = anchors.closest(zone);
    if (anchor != nullptr && anchor->zone == zone) {
        dns::Name asked = zone;
        Context same = context;
        trust = co_await build_anchor(std::move(asked), std::move(same));
    } else {
        // Beside one another, not one after the other: the keys, the parent's standing, and what the parent says.
        KeysAhead ahead;
        if (reach == Reach::keys) {
            ahead = std::make_shared<task::Gather<Found>>(tools_.scheduler);
            if (context.excluded.empty() && lacks_keys(zone))
                ahead->add(tools_.iterator.find(zone, dns::Type::dnskey, context));
        }
        const Trail trail = tools_.iterator.trail_to(zone);
        task::Gather<ZoneTrust> above(tools_.scheduler);
        if (!trail.ended.empty() && trail.ended.back().zone == zone) {
            // Which zone is the parent is a guess here, and only warms up what follows.
            above.add(trust_of(trail.ended.back().parent, context, Reach::keys));
            dns::Name delegated = zone;
            Context same = context;
            Found learnt = co_await tools_.iterator.learn_delegation(std::move(delegated), std::move(same));
            static_cast<void>(learnt);
        }
        dns::Name parent = parent_of(zone);
        // An anchor below the known cut: the chain begins there.
        anchor = anchors.closest(zone);
        if (anchor != nullptr && anchor->zone.is_below(parent)) parent = anchor->zone;
        dns::Name asked = zone;
        Context same = context;
        trust = co_await build_below(std::move(asked), std::move(parent), std::move(same), std::move(ahead));
    }
    // What failed because somebody's mail question had spent all is no fault of this zone's.
    const bool to_blame = trust->security() != Security::indeterminate || !context.budget->is_starved();
    if (reach == Reach::keys && to_blame && generation == generation_) remember(trust);
    co_return trust;
}

/// `ahead`: null where only signed and unsigned are to be told apart.
task::Task<Chain::TrustRef> Chain::build_below(dns::Name zone, dns::Name parent, Context context, KeysAhead ahead) {
    const WallTime now = tools_.clock.wall();
    dns::Name above = parent;
    Context first = context;
    ZoneTrust parent_trust = co_await trust_of(std::move(above), std::move(first), Reach::keys);
    if (parent_trust.security() != Security::secure)
        co_return std::make_shared<const ZoneTrust>(parent_trust.inherited_by(zone));
    dns::Name child = zone;
    Context second = context;
    FindingRef ds = co_await ds_of(std::move(child), std::move(second));
    switch (Judge::cut_of(*ds, tools_.settings.policy)) {
        case Cut::unsigned_delegation: {
            ZoneTrust trust = Judge(tools_.settings.policy, now, *context.budget).judge_unsigned(zone, *ds);
            co_return std::make_shared<const ZoneTrust>(std::move(trust));
        }
        case Cut::no_cut: {
            Reason reason;
            reason.code = "RNOC"_code;
            reason.ede = dns::Ede::dnssec_bogus;
            reason.zone = zone;
            reason.text =
                parent.to_text() + " proves that there is no zone " + zone.to_text() + ", but a server answers for one";
            ZoneTrust trust = ZoneTrust::bogus(zone, std::move(reason), now + tools_.settings.policy.bogus_ttl);
            co_return std::make_shared<const ZoneTrust>(std::move(trust));
        }
        case Cut::unknown: {
            Reason reason = ds->reason();
            const bool bogus = ds->security() == Security::bogus;
            ZoneTrust trust = bogus ? ZoneTrust::bogus(zone, std::move(reason), ds->expires())
                                    : ZoneTrust::indeterminate(zone, std::move(reason), ds->expires());
            co_return std::make_shared<const ZoneTrust>(std::move(trust));
        }
        case Cut::signed_delegation:
            break;
    }
    if (!ahead) {
        Reason reason;
        reason.code = "RSGN"_code;
        reason.zone = zone;
        reason.text = zone.to_text() + " is signed";
        ZoneTrust trust = ZoneTrust::indeterminate(zone, std::move(reason), ds->expires());
        co_return std::make_shared<const ZoneTrust>(std::move(trust));
    }
    Delegated delegated;
    delegated.ds = Judge::usable_ds(*ds->rrset(), tools_.settings.policy);
    delegated.expires = ds->expires();
    co_return co_await keys_of(std::move(zone), std::move(delegated), std::move(context), std::move(ahead));
}

task::Task<Chain::TrustRef> Chain::build_anchor(dns::Name zone, Context context) {
    Delegated by_nobody;
    KeysAhead not_ahead;
    co_return co_await keys_of(std::move(zone), std::move(by_nobody), std::move(context), std::move(not_ahead));
}

task::Task<Found> Chain::find_keys(dns::Name zone, Context context, KeysAhead ahead) {
    if (ahead && ahead->pending() > 0) {
        const MonoTime deadline = context.budget->deadline();
        auto there = co_await ahead->next(deadline);
        if (there) co_return std::move(there->second);
    }
    co_return co_await tools_.iterator.find(std::move(zone), dns::Type::dnskey, std::move(context));
}

/// Of an anchor by which nothing can be verified here (pitfalls 20): whatever keys the zone has, they say no more.
Chain::TrustRef Chain::unsupported_anchor(const dns::Name& zone, Budget& budget) const {
    const dnssec::TrustAnchor* anchor = tools_.settings.anchors.closest(zone);
    if (anchor == nullptr || anchor->zone != zone) return nullptr;
    Judge judge(tools_.settings.policy, tools_.clock.wall(), budget);
    ZoneTrust trust = judge.judge_anchor(zone, anchor->ds, anchor->keys, dns::RRset{});
    return trust.security() == Security::insecure ? std::make_shared<const ZoneTrust>(std::move(trust)) : nullptr;
}

task::Task<Chain::TrustRef> Chain::keys_of(dns::Name zone, Delegated delegated, Context context, KeysAhead ahead) {
    TrustRef first_bogus;
    if (TrustRef without = unsupported_anchor(zone, *context.budget)) co_return without;
    const FindingRef cached = tools_.cache.find(zone, dns::Type::dnskey, tools_.clock.wall());
    for (std::size_t attempt = 0; attempt <= most_bogus_retries; ++attempt) {
        std::string server;
        std::optional<Endpoint> forwarder;
        dns::RRset dnskey;
        dnskey.owner = zone;
        dnskey.type = dns::Type::dnskey;
        const bool from_cache =
            attempt == 0 && cached && cached->is_secure() && cached->outcome() == dnssec::Outcome::records;
        if (from_cache) {
            dnskey = *cached->rrset();
        } else {
            dns::Name asked = zone;
            Context same = context;
            KeysAhead sent = ahead;
            Found found = co_await find_keys(std::move(asked), std::move(same), std::move(sent));
            const auto* response = found.reply ? std::get_if<dnssec::Response>(&*found.reply) : nullptr;
            if (response == nullptr) {
                if (first_bogus) co_return first_bogus;
                // Not reachable is not bogus (validator-pitfalls 31).
                if (!found.reason.ede) found.reason.ede = dns::Ede::dnssec_indeterminate;
                const std::chrono::seconds kept = failures_.failed(zone, dns::Type::dnskey, tools_.clock.mono());
                ZoneTrust unknown = ZoneTrust::indeterminate(zone, std::move(found.reason), tools_.clock.wall() + kept);
                co_return std::make_shared<const ZoneTrust>(std::move(unknown));
            }
            failures_.succeeded(zone, dns::Type::dnskey);
            if (response->positive && response->shape == dnssec::Shape::records) dnskey = *response->positive;
            server = response->server;
            forwarder = found.forwarder;
            context.excluded.push_back(found.server.address);
        }
        Budget answer = budget_of_answer(context.budget);
        Judge judge(tools_.settings.policy, tools_.clock.wall(), answer, &verified_);
        const dnssec::TrustAnchor* anchor = tools_.settings.anchors.closest(zone);
        const bool anchored = anchor != nullptr && anchor->zone == zone;
        ZoneTrust trust = anchored ? judge.judge_anchor(zone, anchor->ds, anchor->keys, dnskey)
                                   : judge.judge_keys(zone, delegated.ds, dnskey, delegated.expires);
        count(answer);
        const FindingRef keys = trust.take_key_set();
        if (keys && !from_cache) store(keys);
        trust.name_server(server);
        TrustRef made = std::make_shared<const ZoneTrust>(std::move(trust));
        if (made->security() != Security::bogus) co_return made;
        if (forwarder) {
            const Endpoint suspect = *forwarder;
            const MonoTime deadline = context.budget->deadline();
            made = co_await excuse_zone(std::move(made), suspect, deadline);
        }
        if (!first_bogus) first_bogus = made;
    }
    co_return first_bogus;
}

/// What the referral to the zone said, judged; null where it said nothing that holds.
task::Task<FindingRef> Chain::ds_from_referral(dns::Name zone, Context context) {
    const Evidence::Entry* said = tools_.evidence.find(zone, tools_.clock.wall());
    const bool says_something = said != nullptr && (said->response.positive || !said->response.authority.empty());
    if (!says_something) co_return FindingRef();
    dns::Name parent = said->parent;
    const dnssec::Response response = said->response;
    dnssec::Response asked = response;
    Context same = context;
    ZoneTrust trust = co_await trust_for(std::move(parent), std::move(asked), std::move(same));
    FindingRef finding = judge(response, trust, context.budget);
    if (finding->security() == Security::secure || finding->security() == Security::insecure) {
        store(finding);
        co_return finding;
    }
    tools_.evidence.drop(zone);
    co_return FindingRef();
}

/// Asked at the parent. Where what comes does not hold, the referral may: some answer DS with what is not theirs to say
/// (A12).
task::Task<FindingRef> Chain::fetch_ds(dns::Name zone, Context context) {
    dns::Name asked = zone;
    Context first = context;
    FindingRef fetched = co_await fetch(std::move(asked), dns::Type::ds, std::move(first));
    if (fetched->security() != Security::bogus) co_return fetched;
    dns::Name again = zone;
    Context second = context;
    const bool referred = co_await tools_.iterator.refresh_referral(std::move(again), std::move(second));
    if (!referred) co_return fetched;
    FindingRef said = co_await ds_from_referral(std::move(zone), std::move(context));
    if (said) co_return said;
    co_return fetched;
}

task::Task<FindingRef> Chain::ds_of(dns::Name zone, Context context) {
    FindingRef cached = tools_.cache.find(zone, dns::Type::ds, tools_.clock.wall());
    if (cached) co_return cached;
    dns::Name referred = zone;
    Context same = context;
    FindingRef said = co_await ds_from_referral(std::move(referred), std::move(same));
    if (said) co_return said;
    auto starter = [this, zone, context]() { return fetch_ds(zone, context); };
    dns::Name key = zone;
    const MonoTime deadline = context.budget->deadline();
    std::optional<FindingRef> fetched = co_await ds_flights_.run(std::move(key), deadline, std::move(starter));
    if (fetched && *fetched) co_return *fetched;
    Found late;
    late.zone = zone;
    late.reason.code = "RDLT"_code;
    late.reason.ede = dns::Ede::dnssec_indeterminate;
    late.reason.zone = zone;
    late.reason.record = "DS " + zone.to_text();
    late.reason.text = "the DS of " + zone.to_text() + " could not be fetched in the time there was";
    co_return failure(zone, dns::Type::ds, late);
}

task::Task<ZoneTrust> Chain::trust_for(dns::Name asked, dnssec::Response response, Context context) {
    dns::Name zone = asked;
    Context first = context;
    const dns::Name lowest = lowest_apex(response);
    // A negative anchor need not stand at a zone's apex: _25._tcp.mx.example.org takes out the TLSA records alone.
    if (std::optional<ZoneTrust> fixed = taken_out(asked, lowest, *context.budget)) co_return std::move(*fixed);
    // An anchor between the zone that was asked and the name: the chain begins there, whatever the parent is.
    const dnssec::TrustAnchor* closest = tools_.settings.anchors.closest(lowest);
    const std::optional<dns::Name> island = closest != nullptr ? std::optional(closest->zone) : std::nullopt;
    const std::optional<dns::Name> signer = signer_of(response);
    if (island && island->is_below(asked)) {
        // But where the zone above is secure itself, its word counts, too: any anchor that proves it will do (RFC 6840
        // appendix C.2).
        if (signer && island->is_below(*signer) && signer->is_within(asked)) {
            dns::Name above = *signer;
            Context beside = context;
            ZoneTrust over = co_await trust_of(std::move(above), std::move(beside), Reach::keys);
            if (over.security() == Security::secure) co_return over;
        }
        asked = zone = *island;
    }
    ZoneTrust trust = co_await trust_of(std::move(zone), std::move(first), Reach::keys);
    if (trust.security() != Security::secure) co_return trust;
    // A forwarder's answer does not show that a negative anchor lies between (RFC 7646 2).
    if (std::optional<ZoneTrust> fixed = configured(lowest, *context.budget)) co_return std::move(*fixed);
    if (signer && *signer == asked) co_return trust;
    if (signer && signer->is_below(asked) && lowest.is_within(*signer)) {
        dns::Name deeper = *signer;
        Context second = context;
        co_return co_await trust_of(std::move(deeper), std::move(second), Reach::keys);
    }
    // Signed by somebody else, who has no say here: the judge will say so.
    if (signer) co_return trust;
    // Not signed: is there an unsigned delegation in between that the server, being on both sides of it, did not show?
    for (std::size_t labels = asked.label_count() + 1; labels <= lowest.label_count(); ++labels) {
        dns::Name between = lowest.ancestor(labels);
        dns::Name queried = between;
        Context third = context;
        FindingRef ds = co_await ds_of(std::move(queried), std::move(third));
        const Cut cut = Judge::cut_of(*ds, tools_.settings.policy);
        if (cut == Cut::no_cut) {
            if (ds->outcome() == dnssec::Outcome::nxdomain) co_return trust;
            continue;
        }
        Context fourth = context;
        dns::Name apex = between;
        trust = co_await trust_of(std::move(apex), std::move(fourth), Reach::keys);
        if (trust.security() != Security::secure) co_return trust;
    }
    co_return trust;
}

task::Task<ZoneTrust> Chain::trust_of_silent(Found found, dns::Name name, dns::Type type, Context context) {
    dns::Name zone = found.zone;
    if (!found.forwarded) co_return co_await trust_of(std::move(zone), std::move(context), Reach::delegation);
    // Through forwarders nobody sees the cuts: they are looked for from the top.
    dnssec::Response nothing;
    nothing.name = std::move(name);
    nothing.type = type;
    nothing.shape = dnssec::Shape::nodata;
    co_return co_await trust_for(std::move(zone), std::move(nothing), std::move(context));
}

task::Task<FindingRef> Chain::excuse(FindingRef bogus, Endpoint forwarder, MonoTime deadline) {
    dns::Name name = bogus->name();
    const bool stands = co_await tools_.iterator.forwarding().vouches(forwarder, std::move(name), deadline);
    if (stands) co_return bogus;
    Found found;
    found.zone = bogus->zone();
    found.reason = tools_.iterator.forwarding().blame(forwarder, bogus->reason());
    co_return failure(bogus->name(), bogus->type(), found);
}

task::Task<Chain::TrustRef> Chain::excuse_zone(TrustRef bogus, Endpoint forwarder, MonoTime deadline) {
    dns::Name name = bogus->zone();
    const bool stands = co_await tools_.iterator.forwarding().vouches(forwarder, std::move(name), deadline);
    if (stands) co_return bogus;
    Reason reason = tools_.iterator.forwarding().blame(forwarder, bogus->reason());
    ZoneTrust trust = ZoneTrust::indeterminate(bogus->zone(), std::move(reason), tools_.clock.wall() + failure_ttl);
    co_return std::make_shared<const ZoneTrust>(std::move(trust));
}

task::Task<FindingRef> Chain::fetch(dns::Name name, dns::Type type, Context context) {
    FindingRef first_bogus;
    for (std::size_t attempt = 0; attempt <= most_bogus_retries; ++attempt) {
        dns::Name asked = name;
        Context same = context;
        Found found = co_await tools_.iterator.find(std::move(asked), type, std::move(same));
        const auto* response = found.reply ? std::get_if<dnssec::Response>(&*found.reply) : nullptr;
        if (response == nullptr) {
            if (first_bogus) break;
            // Insecure + failure only where the zone is proven to be unsigned (mail-trust.md): ask the parent, not the
            // dead zone.
            dns::Name asked_name = name;
            Found silent = found;
            Context second = context;
            ZoneTrust trust =
                co_await trust_of_silent(std::move(silent), std::move(asked_name), type, std::move(second));
            // Ended by what others of the same mail question had spent: that is no failure of this question's.
            if (context.budget->is_starved()) co_return failure(name, type, found);
            // RFC 9520 3.2: the longer it goes on failing, the later it is asked again.
            dnssec::Policy policy = tools_.settings.policy;
            policy.failure_ttl = failures_.failed(name, type, tools_.clock.mono());
            if (context.budget->exhausted()) {
                // Our own limit says nothing about the zone, be it proven to be unsigned.
                trust = ZoneTrust::indeterminate(trust.zone(), found.reason, tools_.clock.wall() + policy.failure_ttl);
            }
            Judge judge_now(policy, tools_.clock.wall(), *context.budget);
            FindingRef failed = judge_now.judge_failure(name, type, found.rcode, found.reason, trust);
            store(failed);
            co_return failed;
        }
        failures_.succeeded(name, type);
        dns::Name zone = found.zone;
        dnssec::Response copy = *response;
        Context third = context;
        ZoneTrust trust = co_await trust_for(std::move(zone), std::move(copy), std::move(third));
        FindingRef finding = judge(*response, trust, context.budget);
        const bool suspect = found.forwarder && finding->security() == Security::bogus;
        if (suspect) {
            FindingRef bogus = finding;
            const Endpoint forwarder = *found.forwarder;
            const MonoTime deadline = context.budget->deadline();
            finding = co_await excuse(std::move(bogus), forwarder, deadline);
        }
        // An answer without signatures of which it cannot be said whether it ought to have some: the next server's may
        // have.
        const bool unsigned_answer = trust.security() == Security::indeterminate && !signer_of(*response);
        const bool others_may_help = unsigned_answer || suspect ||
                                     (finding->security() == Security::bogus && trust.security() == Security::secure);
        if (!others_may_help) {
            if (first_bogus && finding->security() == Security::indeterminate && !unsigned_answer) break;
            const bool to_blame = finding->security() != Security::indeterminate || !context.budget->is_starved();
            if (to_blame) store(finding);
            co_return finding;
        }
        if (!first_bogus) first_bogus = finding;
        context.excluded.push_back(found.server.address);
    }
    const bool starved = first_bogus->security() == Security::indeterminate && context.budget->is_starved();
    if (!starved) store(first_bogus);
    co_return first_bogus;
}

}  // namespace mxtrust::resolve
