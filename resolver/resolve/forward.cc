// Asking forwarders: the sound and fast ones first, a second one beside a slow one.
#include "resolve/forward.h"

#include <algorithm>
#include <set>

#include "resolve/exchange.h"
#include "resolve/scrub.h"
#include "task/gather.h"

namespace mxtrust::resolve {
namespace {

constexpr std::size_t most_troubles_told = 4;  // in one sentence

std::string describe(const Endpoint& forwarder) {
    return "forwarder " + forwarder.to_text();
}

const Detour* deepest(const std::vector<Detour>& detours, const dns::Name& name) {
    const Detour* best = nullptr;
    for (const Detour& detour : detours) {
        if (name.is_within(detour.zone) && (best == nullptr || detour.zone.is_below(best->zone))) best = &detour;
    }
    return best;
}

/// EDE codes that say that the forwarder validated (RFC 8914 4): with CD it should not have let that decide (RFC 4035
/// 3.2.2).
bool says_bogus(const dns::ExtendedError& error) {
    const auto code = static_cast<std::uint16_t>(error.code);
    return code >= 5 && code <= 12;
}

}  // namespace

/// Whom to ask next, and what became of those who were asked.
class Forwarding::Round {
  public:
    Round(std::vector<Endpoint> order, const std::vector<Address>& excluded) : order_(std::move(order)) {
        std::erase_if(order_, [&excluded](const Endpoint& forwarder) {
            return std::ranges::find(excluded, forwarder.address) != excluded.end();
        });
        known_ = order_.size();
    }
    std::optional<Endpoint> next() {
        // A packet may have been lost: those who were silent so far get another one.
        if (next_ == order_.size()) {
            for (std::size_t index = next_ - std::min(next_, known_); index < next_; ++index) {
                if (!over_.contains(order_[index])) order_.push_back(order_[index]);
            }
        }
        if (next_ >= order_.size() || next_ >= most_attempts) return std::nullopt;
        return order_[next_++];
    }
    void failed(std::size_t index, const Attempt& attempt) {
        if (attempt.kind != FailureKind::timeout) over_.insert(attempt.forwarder);
        ended_.insert(index);
        if (troubles_++ < most_troubles_told)
            told_ += (told_.empty() ? "" : "; ") + describe(attempt.forwarder) + " " + attempt.text;
        if (attempt.kind == FailureKind::refused || kind_ == FailureKind::unreachable) kind_ = attempt.kind;
        if (attempt.kind == FailureKind::refused) rcode_ = attempt.rcode;
    }
    /// Those that were asked before `index` and have not answered yet.
    [[nodiscard]] std::vector<Endpoint> slower_than(std::size_t index) const {
        std::vector<Endpoint> slow;
        for (std::size_t before = 0; before < index && before < known_; ++before) {
            if (!ended_.contains(before) && order_[before] != order_[index]) slow.push_back(order_[before]);
        }
        return slow;
    }
    [[nodiscard]] bool nobody() const { return known_ == 0; }
    [[nodiscard]] const std::string& told() const { return told_; }
    [[nodiscard]] FailureKind kind() const { return kind_; }
    [[nodiscard]] dns::Rcode rcode() const { return rcode_; }

  private:
    std::vector<Endpoint> order_;
    std::set<Endpoint> over_;  // said that they have no answer
    std::set<std::size_t> ended_;
    std::size_t known_ = 0, next_ = 0, troubles_ = 0;
    std::string told_;
    FailureKind kind_ = FailureKind::unreachable;
    dns::Rcode rcode_ = dns::Rcode::servfail;
};

Forwarding::Forwarding(Tools tools)
    : tools_(tools), looks_(tools.scheduler, task::most_flights, EndpointHash(tools.random)), checks_(tools.scheduler) {
    for (const Detour& detour : tools_.settings.forwards) {
        const std::string purpose = detour.zone.is_root() ? "." : detour.zone.to_text();
        for (const Endpoint& forwarder : detour.servers) tools_.board.know(forwarder, purpose);
    }
}

std::optional<Forwarding::Way> Forwarding::way(const dns::Name& name) const {
    const Detour* forward = deepest(tools_.settings.forwards, name);
    const Detour* stub = deepest(tools_.settings.stubs, name);
    if (stub != nullptr && (forward == nullptr || stub->zone.is_below(forward->zone))) return std::nullopt;
    if (forward != nullptr) return Way{forward->zone, forward->servers, forward->first};
    if (tools_.board.forwarding()) return Way{dns::Name(), tools_.board.fallback(), Switch::off};
    return std::nullopt;
}

dns::Name Forwarding::configured_zone(const dns::Name& name) const {
    const Detour* forward = deepest(tools_.settings.forwards, name);
    const Detour* stub = deepest(tools_.settings.stubs, name);
    if (forward == nullptr && stub == nullptr) return dns::Name();
    if (forward == nullptr || (stub != nullptr && stub->zone.is_below(forward->zone))) return stub->zone;
    return forward->zone;
}

dns::Message Forwarding::build(const dns::Name& name, dns::Type type) {
    dns::Message message;
    message.id = static_cast<std::uint16_t>(tools_.random.next());
    message.recursion_desired = true;
    message.checking_disabled = true;
    dns::Question question;
    question.name = name;
    question.type = type;
    const bool mixed = tools_.settings.case_randomisation == Switch::on;
    question.spelled = mixed ? mix_case(name, tools_.random) : std::string(as_text(name.wire()));
    message.question = std::move(question);
    dns::Edns edns;
    edns.udp_size = tools_.settings.edns_size;
    edns.dnssec_ok = true;
    message.edns = std::move(edns);
    return message;
}

task::Task<Result<dns::Message>> Forwarding::exchange(Endpoint forwarder, dns::Name name, dns::Type type,
                                                      MonoTime until, BudgetRef budget) {
    if (tools_.relay == nullptr) co_return fail(FailureKind::unsupported, "RFNR"_code, "cannot be asked from here");
    tools_.log.sent(budget->question(), forwarder.to_text(), name, type);
    const dns::Message sent = build(name, type);
    RelayQuestion question;
    question.forwarder = forwarder;
    question.query = dns::render_message(sent);
    question.datagram = [sent](BytesView datagram) { return match_reply(datagram, sent, Letters::as_sent); };
    question.stream = [sent](BytesView message) { return match_reply(message, sent, Letters::any); };
    question.deadline = std::min(until, budget->deadline());
    question.budget = budget;
    const MonoTime begin = tools_.clock.mono();
    const WallTime asked = tools_.clock.wall();
    Result<Bytes> wire = co_await tools_.relay->ask(std::move(question));
    const WallTime now = tools_.clock.wall();
    if (!wire) {
        const bool its_fault = wire.error().kind == FailureKind::timeout ||
                               wire.error().kind == FailureKind::unreachable ||
                               wire.error().kind == FailureKind::malformed;
        if (its_fault) tools_.board.failed(forwarder, wire.error().text, asked, now);
        tools_.log.server_trouble(budget->question(), forwarder.to_text(), wire.error().text);
        co_return fail(std::move(wire.error()));
    }
    if (!budget->take(Limit::bytes, static_cast<std::uint32_t>(wire->size()))) {
        co_return fail(FailureKind::budget, "RFBY"_code, "the look-up received more octets than its budget allows");
    }
    Result<dns::Message> message = dns::parse_message(*wire);
    if (!message) {
        tools_.board.failed(forwarder, "sent a malformed message: " + message.error().text, asked, now);
        co_return fail(FailureKind::malformed, "RFMF"_code, "sent a malformed message: " + message.error().text);
    }
    // Names in RDATA may have been compressed against our mixed-case question: its letters are not to be passed on.
    for (std::vector<dns::Record>* section : {&message->answer, &message->authority, &message->additional}) {
        for (dns::Record& record : *section) {
            if (record.type != dns::Type::rrsig) record.rdata = dns::canonical(record.type, record.rdata);
        }
    }
    tools_.log.received(budget->question(), forwarder.to_text(), dns::to_text(message->rcode));
    const bool refuses = message->rcode == dns::Rcode::refused || message->rcode == dns::Rcode::notimp ||
                         message->rcode == dns::Rcode::formerr;
    if (refuses) {
        tools_.board.failed(forwarder, "answers " + dns::to_text(message->rcode), asked, now);
    } else {
        tools_.board.answered(forwarder, std::chrono::duration_cast<Duration>(tools_.clock.mono() - begin), now);
    }
    co_return message;
}

task::Task<Forwarding::Attempt> Forwarding::attempt(Endpoint forwarder, dns::Name zone, ForwardQuestion question) {
    Attempt result;
    result.forwarder = forwarder;
    dns::Name name = question.name;
    const MonoTime until = tools_.clock.mono() + attempt_time;
    Result<dns::Message> message = co_await exchange(forwarder, std::move(name), question.type, until, question.budget);
    if (!message) {
        result.kind = message.error().kind;
        result.code = message.error().code;
        result.text = message.error().text;
        co_return result;
    }
    result.rcode = message->rcode;
    result.kind = FailureKind::refused;
    drop_private_addresses(*message, tools_.settings.private_addresses, tools_.settings.private_domains);
    Asked asked{question.name, question.type, std::move(zone), Asked::Authority::none};
    Classified classified = classify(asked, *message);
    if (auto* unusable = std::get_if<Unusable>(&classified)) {
        result.text = unusable->text;
        for (const dns::ExtendedError& error : unusable->extended_errors) {
            if (says_bogus(error)) result.text += ", although it was told not to check (CD)";
            if (!error.text.empty()) result.text += " (it says: " + error.text + ")";
        }
        co_return result;
    }
    if (std::holds_alternative<Referral>(classified)) {
        result.text = "answered with a referral: it does not recurse";
        co_return result;
    }
    if (auto* response = std::get_if<dnssec::Response>(&classified)) response->server = describe(forwarder);
    result.reply = std::move(classified);
    co_return result;
}

Duration Forwarding::hedge_delay(const Endpoint& forwarder) const {
    const std::optional<Duration> known = tools_.board.status(forwarder).round_trip;
    return known ? std::clamp(4 * *known, least_hedge, most_hedge) : first_hedge;
}

task::Task<Forwarding::Reply> Forwarding::ask(Way way, ForwardQuestion question) {
    Round round(tools_.board.order(way.forwarders), question.excluded);
    Reply result;
    const MonoTime deadline = question.budget->deadline();
    task::Gather<Attempt> flying(tools_.scheduler);
    for (std::size_t turn = 0; turn < 4 * most_attempts && tools_.clock.mono() < deadline; ++turn) {
        std::optional<Endpoint> next;
        if (flying.pending() < most_side_by_side) next = round.next();
        MonoTime wake = deadline;
        if (next) {
            flying.add(attempt(*next, way.zone, question));
            wake = std::min(deadline, tools_.clock.mono() + hedge_delay(*next));
        }
        if (flying.pending() == 0) break;
        std::optional<std::pair<std::size_t, Attempt>> finished = co_await flying.next(wake);
        if (!finished) continue;
        Attempt& attempt = finished->second;
        if (attempt.reply) {
            for (const Endpoint& slow : round.slower_than(finished->first))
                tools_.board.failed(slow, "is slower than others", tools_.clock.wall(), tools_.clock.wall());
            result.reply = std::move(attempt.reply);
            result.forwarder = attempt.forwarder;
            result.rcode = attempt.rcode;
            co_return result;
        }
        round.failed(finished->first, attempt);
        if (attempt.kind == FailureKind::budget) break;
    }
    result.kind = round.kind();
    result.rcode = round.rcode();
    result.reason.code = "RFNO"_code;
    result.reason.ede = dns::Ede::no_reachable_authority;
    result.reason.zone = way.zone;
    result.reason.record = dns::to_text(question.type) + " " + question.name.to_text();
    const std::string what = question.name.to_text() + " " + dns::to_text(question.type);
    if (round.nobody()) {
        result.reason.text = "there is no forwarder to ask for " + what;
    } else {
        result.reason.text = "no forwarder gave a usable answer for " + what;
        result.reason.text += round.told().empty() ? " in the time there was" : ": " + round.told();
    }
    co_return result;
}

dnssec::Reason Forwarding::blame(const Endpoint& forwarder, const dnssec::Reason& found) const {
    dnssec::Reason reason = found;
    reason.code = "RFBL"_code;
    reason.ede = dns::Ede::dnssec_indeterminate;
    reason.server = describe(forwarder);
    reason.text = "DNSSEC does not come through the " + describe(forwarder);
    switch (tools_.board.status(forwarder).dnssec) {
        case ForwarderDnssec::stripped:
            reason.text += ", which strips signatures or proofs";
            break;
        case ForwarderDnssec::no_edns:
            reason.text += ", which answers without EDNS";
            break;
        case ForwarderDnssec::lying:
            reason.text += ", whose answers are not what the zones' owners signed";
            break;
        case ForwarderDnssec::unknown:
        case ForwarderDnssec::ok:
        case ForwarderDnssec::unchecked:
            reason.text = "it is not known whether DNSSEC comes through the " + describe(forwarder);
            break;
    }
    reason.text += ": " + found.text;
    return reason;
}

}  // namespace mxtrust::resolve
