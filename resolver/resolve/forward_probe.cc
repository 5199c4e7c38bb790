// Finding out about forwarders, and about recursion: does DNSSEC come through, does a forwarder lead back here, does
// the root answer. RFC 8027 3 has the same questions for a host that validates behind a resolver it was given.
#include <algorithm>

#include "resolve/exchange.h"
#include "resolve/forward.h"
#include "task/gather.h"

namespace mxtrust::resolve {
namespace {

constexpr std::size_t letters_of_nobody = 16;  // random, so that neither a cache nor anybody else knows the name
constexpr Duration settle_interval{20};
constexpr std::size_t most_roots_tried = 3;  // of each address family

bool has_signature(const std::vector<dns::Record>& section) {
    return std::ranges::any_of(section, [](const dns::Record& record) { return record.type == dns::Type::rrsig; });
}

/// The anchor to look at through a forwarder of `zone`: one inside it, else the one above.
const dnssec::TrustAnchor* anchor_for(const dnssec::TrustAnchors& anchors, const dns::Name& zone) {
    if (const dnssec::TrustAnchor* above = anchors.closest(zone)) return above;
    for (const auto& [name, anchor] : anchors.all()) {
        if (name.is_within(zone)) return &anchor;
    }
    return nullptr;
}

bool is_able(ForwarderDnssec dnssec) {
    return dnssec == ForwarderDnssec::ok || dnssec == ForwarderDnssec::unchecked;
}

}  // namespace

std::optional<dns::Name> Forwarding::nobodys_name(const dns::Name& zone) {
    std::string label;
    for (std::size_t index = 0; index < letters_of_nobody; ++index)
        label += static_cast<char>('a' + tools_.random.below(26));
    Result<dns::Name> name = zone.prepend(label);
    return name ? std::optional<dns::Name>(std::move(*name)) : std::nullopt;
}

/// What is known to be signed must come with signatures that hold.
task::Task<Forwarding::Look> Forwarding::look_at_keys(Endpoint forwarder, dns::Name zone, BudgetRef budget) {
    Look look;
    const dnssec::TrustAnchor* anchor = anchor_for(tools_.settings.anchors, zone);
    const bool inside = anchor->zone.is_within(zone);
    const dns::Name apex = inside ? anchor->zone : zone;
    const std::string what = (apex.is_root() ? "." : apex.to_text()) + " DNSKEY";
    dns::Name asked = apex;
    BudgetRef same = budget;
    const MonoTime until = budget->deadline();
    Result<dns::Message> message =
        co_await exchange(forwarder, std::move(asked), dns::Type::dnskey, until, std::move(same));
    if (!message) {
        look.error = message.error().text;
        co_return look;
    }
    if (message->rcode != dns::Rcode::noerror) {
        look.error = "answers " + dns::to_text(message->rcode) + " for " + what;
        if (message->rcode == dns::Rcode::formerr && !message->edns) look.dnssec = ForwarderDnssec::no_edns;
        co_return look;
    }
    if (!message->edns) {
        look.dnssec = ForwarderDnssec::no_edns;
        look.error = "answers without EDNS";
        co_return look;
    }
    if (!has_signature(message->answer) && (inside || !has_signature(message->authority))) {
        // Whether a zone without an anchor is signed is not known here.
        if (inside) look.dnssec = ForwarderDnssec::stripped;
        look.error = "gives no signatures for " + what;
        co_return look;
    }
    look.dnssec = ForwarderDnssec::ok;
    if (!inside) co_return look;
    Asked question{apex, dns::Type::dnskey, zone, Asked::Authority::none};
    const Classified classified = classify(question, *message);
    const auto* response = std::get_if<dnssec::Response>(&classified);
    dns::RRset keys;
    keys.owner = apex;
    keys.type = dns::Type::dnskey;
    if (response != nullptr && response->positive) keys = *response->positive;
    dnssec::Judge judge(tools_.settings.policy, tools_.clock.wall(), *budget);
    dnssec::ZoneTrust trust = judge.judge_anchor(apex, anchor->ds, anchor->keys, keys);
    if (trust.security() == dnssec::Security::bogus) {
        look.dnssec = ForwarderDnssec::lying;
        look.error = trust.reason().text;
    }
    if (trust.security() != dnssec::Security::secure) co_return look;
    co_return co_await look_at_denial(forwarder, apex, std::move(trust), std::move(budget));
}

/// A name that does not exist must be denied, with proof.
task::Task<Forwarding::Look> Forwarding::look_at_denial(Endpoint forwarder, dns::Name zone, dnssec::ZoneTrust trust,
                                                        BudgetRef budget) {
    Look look;
    const std::optional<dns::Name> nobody = nobodys_name(zone);
    if (!nobody) co_return look;
    tools_.board.expect(*nobody, forwarder);
    dns::Name asked = *nobody;
    BudgetRef same = budget;
    const MonoTime until = budget->deadline();
    Result<dns::Message> message = co_await exchange(forwarder, std::move(asked), dns::Type::a, until, std::move(same));
    tools_.board.forget(*nobody);
    if (!message || message->rcode == dns::Rcode::servfail) {
        look.error = message ? "answers SERVFAIL for a name that does not exist" : message.error().text;
        co_return look;
    }
    Asked question{*nobody, dns::Type::a, zone, Asked::Authority::none};
    const Classified classified = classify(question, *message);
    const auto* response = std::get_if<dnssec::Response>(&classified);
    if (response == nullptr) {
        look.error = "answers " + dns::to_text(message->rcode) + " for a name that does not exist";
        co_return look;
    }
    const dnssec::FindingRef finding =
        dnssec::Judge(tools_.settings.policy, tools_.clock.wall(), *budget).judge(*response, trust);
    if (finding->security() != dnssec::Security::bogus) {
        look.dnssec = ForwarderDnssec::ok;
    } else if (response->positive) {
        look.dnssec = ForwarderDnssec::lying;
        look.error = "makes up answers for names that do not exist";
    } else {
        look.dnssec = has_signature(message->authority) ? ForwarderDnssec::lying : ForwarderDnssec::stripped;
        look.error = "gives no proof that a name does not exist: " + finding->reason().text;
    }
    co_return look;
}

/// For a forwarder that has nothing to prove: does it answer at all, and not by asking us? The board hears it.
task::Task<void> Forwarding::ask_nobody(Endpoint forwarder, BudgetRef budget) {
    const dns::Name root;
    const std::optional<dns::Name> nobody = nobodys_name(root);
    tools_.board.expect(*nobody, forwarder);
    dns::Name asked = *nobody;
    const MonoTime until = budget->deadline();
    Result<dns::Message> message =
        co_await exchange(forwarder, std::move(asked), dns::Type::a, until, std::move(budget));
    tools_.board.forget(*nobody);
    static_cast<void>(message);  // the board was told whether there was one
}

task::Task<ForwarderDnssec> Forwarding::look_at(Endpoint forwarder, dns::Name zone) {
    BudgetRef budget = std::make_shared<Budget>(tools_.settings.lookup_limits, tools_.clock.mono() + probe_time);
    Look look;
    if (anchor_for(tools_.settings.anchors, zone) == nullptr) {
        look.dnssec = ForwarderDnssec::unchecked;
        const std::vector<Endpoint> fallback = tools_.board.fallback();
        const bool stands_in = std::ranges::find(fallback, forwarder) != fallback.end();
        if (stands_in) co_await ask_nobody(forwarder, std::move(budget));
    } else {
        look = co_await look_at_keys(forwarder, std::move(zone), std::move(budget));
    }
    looked_[forwarder] = tools_.clock.mono();
    // One that gave no answer now is as good or bad as before.
    const bool told = look.dnssec != ForwarderDnssec::unknown;
    const ForwarderDnssec before = tools_.board.status(forwarder).dnssec;
    tools_.board.judged(forwarder, told ? look.dnssec : before, look.error, tools_.clock.wall());
    co_return look.dnssec;
}

task::Task<bool> Forwarding::vouches(Endpoint forwarder, dns::Name name, MonoTime deadline) {
    const std::optional<Way> way = this->way(name);
    const auto looked = looked_.find(forwarder);
    const bool fresh = looked != looked_.end() && tools_.clock.mono() - looked->second < trust_time;
    ForwarderDnssec dnssec = tools_.board.status(forwarder).dnssec;
    if (!fresh) {
        const dns::Name zone = way ? way->zone : dns::Name();
        auto starter = [this, forwarder, zone]() { return look_at(forwarder, zone); };
        Endpoint key = forwarder;
        std::optional<ForwarderDnssec> seen = co_await looks_.run(key, deadline, std::move(starter));
        dnssec = seen.value_or(ForwarderDnssec::unknown);
    }
    co_return is_able(dnssec);
}

task::Task<void> Forwarding::look_when_due(Endpoint forwarder, dns::Name zone) {
    const ForwarderStatus status = tools_.board.status(forwarder);
    const bool sound = status.state == ForwarderState::good && is_able(status.dnssec);
    const auto looked = looked_.find(forwarder);
    const bool due =
        looked == looked_.end() || tools_.clock.mono() - looked->second >= (sound ? probe_good : probe_bad);
    if (!due) co_return;
    auto starter = [this, forwarder, zone]() { return look_at(forwarder, zone); };
    Endpoint key = forwarder;
    const MonoTime deadline = tools_.clock.mono() + 2 * probe_time;
    std::optional<ForwarderDnssec> seen = co_await looks_.run(key, deadline, std::move(starter));
    static_cast<void>(seen);
}

task::Task<void> Forwarding::tend() {
    const dns::Name root;
    task::Gather<void> looking(tools_.scheduler);
    for (const Detour& detour : tools_.settings.forwards) {
        for (const Endpoint& forwarder : detour.servers) looking.add(look_when_due(forwarder, detour.zone));
    }
    for (const Endpoint& forwarder : tools_.board.fallback()) looking.add(look_when_due(forwarder, root));
    while (looking.pending() > 0) {
        co_await looking.next(task::never);
    }
    const ResolutionStatus now = tools_.board.resolution();
    if (!now.forwarding && now.reason.empty()) co_return;
    const bool works = co_await root_answers();
    if (works) {
        silent_.clear();
        tools_.board.stand_back(tools_.clock.wall());
        tools_.board.recursion_works();
    } else if (!now.forwarding) {
        co_await stand_in();
    }
}

void Forwarding::nothing_from(const dns::Name& zone, const Address& server) {
    if (zone.label_count() > 1 || tools_.board.forwarding() || checking_ || tools_.relay == nullptr) return;
    if (std::ranges::find(silent_, server) == silent_.end()) silent_.push_back(server);
    const std::size_t enough = std::min(enough_silence, tools_.settings.root_hints.size());
    if (silent_.size() < enough || tools_.clock.mono() < next_check_) return;
    if (tools_.board.fallback().empty()) return;
    checking_ = true;
    checks_.spawn(check_recursion());
}

task::Task<void> Forwarding::settle(MonoTime deadline) {
    while (checking_ && tools_.clock.mono() < deadline) {
        const MonoTime again = std::min(deadline, tools_.clock.mono() + settle_interval);
        co_await task::sleep_until(again);
    }
}

task::Task<void> Forwarding::check_recursion() {
    const bool works = co_await root_answers();
    if (works) {
        silent_.clear();
    } else {
        co_await stand_in();
    }
    next_check_ = tools_.clock.mono() + check_again;
    checking_ = false;
}

task::Task<bool> Forwarding::root_server_answers(Endpoint server, MonoTime deadline) {
    const dns::Name root;
    dns::Message sent = build(root, dns::Type::ns);
    sent.recursion_desired = false;
    sent.checking_disabled = false;
    Bytes wire = dns::render_message(sent);
    net::Matcher matcher = [sent](BytesView datagram) { return match_reply(datagram, sent, Letters::as_sent); };
    Result<net::DatagramReply> reply =
        co_await tools_.network.exchange_datagram(server, std::move(wire), std::move(matcher), deadline);
    if (!reply || reply->suspicious) co_return false;
    const Result<dns::Message> message = dns::parse_message(reply->message);
    // Where port 53 leads to somebody else's resolver, authority is what is missing.
    co_return message && message->authoritative && message->rcode == dns::Rcode::noerror;
}

task::Task<bool> Forwarding::root_answers() {
    std::vector<Address> servers;
    for (const RootServer& hint : tools_.settings.root_hints) servers.push_back(hint.address);
    for (std::size_t left = servers.size(); left > 1; --left)
        std::swap(servers[left - 1], servers[tools_.random.below(left)]);
    std::array<std::size_t, 2> chosen{};
    const MonoTime deadline = tools_.clock.mono() + root_time;
    task::Gather<bool> asking(tools_.scheduler);
    for (const Address& server : servers) {
        const bool four = server.family() == Family::ipv4;
        if ((four ? tools_.settings.ipv4 : tools_.settings.ipv6) == Switch::off) continue;
        if (chosen.at(four ? 0 : 1)++ < most_roots_tried)
            asking.add(root_server_answers(Endpoint{server, tools_.settings.port}, deadline));
    }
    while (asking.pending() > 0) {
        std::optional<std::pair<std::size_t, bool>> answered = co_await asking.next(task::never);
        if (answered && answered->second) co_return true;
    }
    co_return false;
}

/// Whoever is sound may stand in; nobody else: answers through one that strips would all be indeterminate.
task::Task<bool> Forwarding::stand_in() {
    const dns::Name root;
    std::string troubles;
    task::Gather<void> looking(tools_.scheduler);
    for (const Endpoint& forwarder : tools_.board.fallback()) looking.add(look_when_due(forwarder, root));
    while (looking.pending() > 0) {
        co_await looking.next(task::never);
    }
    for (const Endpoint& forwarder : tools_.board.fallback()) {
        const ForwarderStatus status = tools_.board.status(forwarder);
        if (status.state == ForwarderState::good && is_able(status.dnssec)) {
            tools_.board.stand_in("no root server answers", tools_.clock.wall());
            co_return true;
        }
        troubles += (troubles.empty() ? "" : "; ") + forwarder.to_text() + " is " + std::string(to_text(status.state)) +
                    ", DNSSEC " + std::string(to_text(status.dnssec)) +
                    (status.last_error.empty() ? "" : " (" + status.last_error + ")");
    }
    tools_.board.nobody_stands_in(troubles.empty() ? "none is known but ourselves ([resolver] fallback)" : troubles,
                                  tools_.clock.wall());
    co_return false;
}

}  // namespace mxtrust::resolve
