#include "resolve/exchange.h"

#include <algorithm>

#include "resolve/resolver.h"
#include "task/gather.h"

namespace mxtrust::resolve {
namespace {

constexpr std::size_t most_unfragmented = 1472;  // IPv4 and UDP headers away from an Ethernet's 1500
constexpr Duration first_pause_in_crowd{20}, most_pause_in_crowd{320};  // until a place is tried for again
constexpr std::size_t most_standing_in_line = 500;
constexpr Duration most_brief{300};   // the usual round trip of a server that may have one of the places kept free
constexpr Duration time_to_note{10};  // after a time-out, before what nobody waits for is ended

/// How a server that does not know EDNS, or not what stands in it, answers (RFC 6891 7).
bool looks_old(dns::Rcode rcode) {
    return rcode == dns::Rcode::formerr || rcode == dns::Rcode::notimp || rcode == dns::Rcode::badvers;
}

/// Errors that servers send without repeating the question.
bool may_lack_question(dns::Rcode rcode) {
    return rcode == dns::Rcode::formerr || rcode == dns::Rcode::notimp || rcode == dns::Rcode::servfail ||
           rcode == dns::Rcode::refused;
}

/// The question as it stands in the datagram, letters as sent.
Result<dns::Question> read_question(BytesView datagram) {
    Reader reader(datagram, 12);
    dns::Question question;
    Result<dns::Name> name = dns::Name::from_message(reader, &question.spelled);
    if (!name) return fail(std::move(name.error()));
    Result<std::uint16_t> type = reader.u16();
    if (!type) return fail(std::move(type.error()));
    Result<std::uint16_t> klass = reader.u16();
    if (!klass) return fail(std::move(klass.error()));
    question.name = std::move(*name);
    question.type = static_cast<dns::Type>(*type);
    question.class_ = static_cast<dns::Class>(*klass);
    return question;
}

bool same_question(const dns::Question& left, const dns::Question& right, Letters letters) {
    if (left.name != right.name || left.type != right.type || left.class_ != right.class_) return false;
    return letters == Letters::any || left.spelled == right.spelled;
}

}  // namespace

Exchange::Options options_of(const Settings& settings) {
    Exchange::Options options;
    options.case_mix = settings.case_randomisation == Switch::on ? CaseMix::on : CaseMix::off;
    options.edns_size = settings.edns_size;
    options.port = settings.port;
    return options;
}

std::string mix_case(const dns::Name& name, Random& random) {
    std::string spelled(as_text(name.wire()));
    std::uint64_t bits = 0;
    unsigned left = 0;
    for (char& letter : spelled) {
        // Length octets are at most 63 and so never look like a letter.
        if (letter < 'a' || letter > 'z') continue;
        if (left == 0) {
            bits = random.next();
            left = 64;
        }
        if ((bits & 1U) != 0) letter = static_cast<char>(letter - 'a' + 'A');
        bits >>= 1U;
        --left;
    }
    return spelled;
}

net::Match match_reply(BytesView datagram, const dns::Message& sent, Letters letters) {
    Result<dns::Envelope> envelope = dns::parse_envelope(datagram);
    // Not even an answer (QR=0, a fragment of a header): whoever sent it, the answer may still come (A32).
    if (!envelope || !envelope->response) return net::Match::ignore;
    if (envelope->id != sent.id || envelope->opcode != dns::Opcode::query) return net::Match::suspect;
    if (envelope->questions > 1) return net::Match::suspect;
    if (envelope->questions == 0) {
        const auto rcode = static_cast<dns::Rcode>(datagram[3] & 0x0f);
        return may_lack_question(rcode) ? net::Match::accept : net::Match::suspect;
    }
    Result<dns::Question> question = read_question(datagram);
    if (!question || !sent.question || !same_question(*question, *sent.question, letters)) return net::Match::suspect;
    return net::Match::accept;
}

Exchange::Exchange(Options options, Tools tools)
    : options_(options),
      tools_(tools),
      cookies_(tools.random),
      crowd_(std::make_shared<Crowd>(options.crowd, tools.clock, tools.random)),
      lingering_(0, AddressHash(HashKey::draw(tools.random))),
      flights_(tools.scheduler, task::most_flights, KeyHash(tools.random)) {}

dns::Message Exchange::build(const Query& query, const Manner& manner) {
    dns::Message message;
    message.id = static_cast<std::uint16_t>(tools_.random.next());
    dns::Question question;
    question.name = query.name;
    question.type = query.type;
    const bool mixed = options_.case_mix == CaseMix::on && manner.letters == Letters::as_sent;
    question.spelled = mixed ? mix_case(query.name, tools_.random) : std::string(as_text(query.name.wire()));
    message.question = std::move(question);
    if (manner.extras == Extras::none) return message;
    dns::Edns edns;
    edns.udp_size = options_.edns_size;
    edns.dnssec_ok = true;
    if (manner.extras == Extras::cookie) {
        std::optional<dns::EdnsOption> cookie = cookies_.option_for(query.to.address, tools_.clock.mono());
        if (cookie) edns.options.push_back(std::move(*cookie));
    }
    message.edns = std::move(edns);
    return message;
}

Result<dns::Message> Exchange::accept(const Query& query, BytesView wire, Budget& budget) {
    counters_.octets += wire.size();
    if (!budget.take(Limit::bytes, static_cast<std::uint32_t>(wire.size()))) {
        return fail(FailureKind::budget, "RXBY"_code, "the look-up received more octets than its budget allows");
    }
    Result<dns::Message> message = dns::parse_message(wire);
    if (!message) return fail(FailureKind::malformed, "RXMF"_code, "sent a malformed message: " + message.error().text);
    // Authorities compress names in RDATA against our mixed-case question: its letters are ours, and not to be passed
    // on.
    for (std::vector<dns::Record>* section : {&message->answer, &message->authority, &message->additional}) {
        for (dns::Record& record : *section) {
            if (record.type != dns::Type::rrsig) record.rdata = dns::canonical(record.type, record.rdata);
        }
    }
    tools_.log.received(budget.question(), query.to.address.to_text(), dns::to_text(message->rcode));
    return message;
}

Endpoint Exchange::endpoint_of(const Query& query) const {
    return {query.to.address, query.to.port != 0 ? query.to.port : options_.port};
}

void Exchange::note_failure(const Query& query, const Failure& failure, QuestionNumber question) {
    const MonoTime now = tools_.clock.mono();
    if (failure.kind == FailureKind::timeout) {
        ++counters_.timeouts;
        tools_.servers.timed_out(query.to.address, now);
    } else if (failure.kind == FailureKind::unreachable) {
        tools_.servers.unreachable(query.to.address, now);
    }
    const Family family = query.to.address.family();
    const Family other = family == Family::ipv4 ? Family::ipv6 : Family::ipv4;
    // Where both are, there is no network at all, and the look at the root says so.
    if (tools_.servers.is_family_dead(family, now) && !tools_.servers.is_family_dead(other, now))
        tools_.log.family_silent(family);
    tools_.log.server_trouble(question, query.to.address.to_text(), failure.text);
}

/// Is what came by datagram the answer? Whatever is odd about it may be a forger's, and is left to a stream.
Result<Exchange::Heard> Exchange::consider(const Query& query, const dns::Message& sent,
                                           const net::DatagramReply& reply, Budget& budget) {
    Heard heard;
    if (reply.too_large) return heard;
    // Larger than was asked for: it came in fragments, of which the later ones may be anybody's (RFC 9715, A29).
    if (reply.message.size() > std::max<std::size_t>(options_.edns_size, most_unfragmented)) return heard;
    if (reply.suspicious) {
        // A wrong ID or question: somebody guesses, or the server does not keep the question's letters (A26).
        ++counters_.suspicious;
        return heard;
    }
    Result<dns::Message> message = accept(query, reply.message, budget);
    if (!message && message.error().kind == FailureKind::budget) return fail(std::move(message.error()));
    if (!message) {
        // Garbage under the right ID: cut off without a word, or made to end the question early (A32).
        ++counters_.suspicious;
        tools_.log.server_trouble(budget.question(), query.to.address.to_text(), message.error().text);
        return heard;
    }
    const MonoTime now = tools_.clock.mono();
    const CookieSign sign = sign_of(sent, *message);
    const bool missing = sign == CookieSign::absent && cookies_.expects(query.to.address, now);
    if (sign == CookieSign::wrong || missing) {
        // RFC 7873 5.3: not from the server that was asked, as far as can be told.
        ++counters_.suspicious;
        return heard;
    }
    if (sign == CookieSign::right) cookies_.learn(query.to.address, *message, now);
    if (message->truncated) return heard;
    if (message->rcode == dns::Rcode::badcookie && sign != CookieSign::none) {
        if (sign == CookieSign::right) heard.next = Heard::Next::again;
        return heard;
    }
    heard.next = Heard::Next::settled;
    heard.message = std::move(*message);
    return heard;
}

task::Task<Result<Exchange::Heard>> Exchange::ask_datagram(Query query, Manner manner, BudgetRef budget) {
    if (!budget->take(Limit::packets)) {
        co_return fail(FailureKind::budget, "RXUP"_code, "the look-up sent as many queries as its budget allows");
    }
    ++counters_.udp;
    if (query.retry) ++counters_.retries;
    tools_.log.sent(budget->question(), query.to.address.to_text(), query.name, query.type);
    dns::Message sent = build(query, manner);
    Bytes wire = dns::render_message(sent);
    Endpoint endpoint = endpoint_of(query);
    const MonoTime begin = tools_.clock.mono();
    const Duration wait = std::max(tools_.servers.timeout(query.to.address), query.patience);
    const MonoTime until = std::min(query.until, begin + wait);
    auto only_letters = std::make_shared<bool>(false);
    const Letters letters = manner.letters;
    net::Matcher matcher = [expected = sent, letters, only_letters](BytesView datagram) {
        const net::Match match = match_reply(datagram, expected, letters);
        *only_letters =
            match == net::Match::suspect && match_reply(datagram, expected, Letters::any) == net::Match::accept;
        return match;
    };
    Result<net::DatagramReply> reply =
        co_await tools_.network.exchange_datagram(endpoint, std::move(wire), std::move(matcher), until);
    if (!reply) {
        note_failure(query, reply.error(), budget->question());
        co_return fail(std::move(reply.error()));
    }
    if (!reply->suspicious && !reply->too_large) {
        const Duration took = std::chrono::duration_cast<Duration>(tools_.clock.mono() - begin);
        tools_.servers.answered(query.to.address, took);
        tools_.log.family_answers(query.to.address.family());
        counters_.time.note(took);
    }
    if (query.heard) *query.heard = true;
    Result<Heard> heard = consider(query, sent, *reply, *budget);
    if (heard) heard->only_letters = *only_letters;
    co_return heard;
}

task::Task<Result<dns::Message>> Exchange::ask_stream(Query query, Manner manner, BudgetRef budget) {
    if (!budget->take(Limit::packets)) {
        co_return fail(FailureKind::budget, "RXTP"_code, "the look-up sent as many queries as its budget allows");
    }
    ++counters_.tcp;
    tools_.log.sent(budget->question(), query.to.address.to_text(), query.name, query.type);
    dns::Message sent = build(query, manner);
    Bytes wire = dns::render_message(sent);
    Endpoint endpoint = endpoint_of(query);
    MonoTime until = query.until;
    Result<Bytes> reply = co_await tools_.network.exchange_stream(endpoint, std::move(wire), until);
    if (!reply) {
        // Its datagrams may still be good: a server without TCP is not dead.
        tools_.log.server_trouble(budget->question(), query.to.address.to_text(), reply.error().text);
        co_return fail(std::move(reply.error()));
    }
    // Nobody guesses a connection: a server that does not keep the letters is merely odd.
    if (match_reply(*reply, sent, Letters::any) != net::Match::accept) {
        co_return fail(FailureKind::malformed, "RXTQ"_code, "answered another question over TCP");
    }
    const MonoTime now = tools_.clock.mono();
    if (match_reply(*reply, sent, Letters::as_sent) != net::Match::accept) {
        tools_.servers.letters_lost(query.to.address, Servers::Seen::stream, now);
    }
    Result<dns::Message> message = accept(query, *reply, *budget);
    if (!message) co_return message;
    if (message->truncated) {
        co_return fail(FailureKind::malformed, "RXTT"_code, "truncates its answers over TCP, too");
    }
    switch (sign_of(sent, *message)) {
        case CookieSign::right:
            cookies_.learn(query.to.address, *message, now);
            break;
        case CookieSign::absent:
            cookies_.forget(query.to.address);
            break;
        case CookieSign::wrong:
            cookies_.switch_off(query.to.address, now);
            break;
        case CookieSign::none:
            break;
    }
    co_return message;
}

/// The question came back in other letters, and there is no stream to settle it. Asked once more without mixed letters,
/// under another ID and from another port: a forger would have to guess both twice.
task::Task<Result<dns::Message>> Exchange::ask_in_small_letters(Query query, Manner manner, BudgetRef budget) {
    manner.letters = Letters::any;
    Result<Heard> heard = co_await ask_datagram(query, manner, budget);
    if (!heard) co_return fail(std::move(heard.error()));
    if (heard->next != Heard::Next::settled) {
        co_return fail(FailureKind::malformed, "RXLE"_code,
                       "answers with other letters than asked, and cannot be asked over TCP");
    }
    tools_.servers.letters_lost(query.to.address, Servers::Seen::datagram, tools_.clock.mono());
    co_return std::move(heard->message);
}

task::Task<Result<dns::Message>> Exchange::ask_once(Query query, Extras extras, BudgetRef budget) {
    Manner manner;
    manner.extras = extras;
    const bool keeps = tools_.servers.keeps_letters(query.to.address, tools_.clock.mono());
    manner.letters = keeps ? Letters::as_sent : Letters::any;
    Result<Heard> heard = co_await ask_datagram(query, manner, budget);
    if (heard && heard->next == Heard::Next::again) {
        // RFC 7873 5.3: once more with the cookie just learnt. Who finds that bad, too, is asked over a stream, and
        // there the matter ends (CVE-2026-5950).
        heard = co_await ask_datagram(query, manner, budget);
    }
    if (!heard) co_return fail(std::move(heard.error()));
    if (heard->next == Heard::Next::settled) co_return std::move(heard->message);
    Result<dns::Message> streamed = co_await ask_stream(query, manner, budget);
    const bool in_vain = !streamed && streamed.error().kind != FailureKind::budget;
    if (!in_vain || !heard->only_letters) co_return streamed;
    co_return co_await ask_in_small_letters(query, manner, budget);
}

/// With all that is known of the server: how is it asked first?
Exchange::Extras Exchange::extras_for(const Query& query, MonoTime now) const {
    const EdnsSupport edns = tools_.servers.edns(query.to.address, now);
    const bool may_go_without = query.edns == EdnsNeed::wanted;
    if (edns == EdnsSupport::refused && may_go_without) return Extras::none;
    const bool silent = tools_.servers.was_silent(query.to.address);
    if (!silent || cookies_.expects(query.to.address, now)) return Extras::cookie;
    // Some drop what they do not know: after silence, only what was seen to work there, or must be.
    return edns == EdnsSupport::works || !may_go_without ? Extras::edns : Extras::none;
}

/// An error that may come from what went with the question: how to ask without it (RFC 6891 7).
std::optional<Exchange::Extras> Exchange::older_manner(const Query& query, Extras asked,
                                                       const dns::Message& said) const {
    if (asked == Extras::none || !looks_old(said.rcode)) return std::nullopt;
    const bool may_go_without = query.edns == EdnsNeed::wanted;
    const bool knows_edns = said.edns && said.rcode != dns::Rcode::badvers;
    if (!knows_edns && may_go_without) return Extras::none;
    if (asked == Extras::cookie && !cookies_.expects(query.to.address, tools_.clock.mono())) return Extras::edns;
    return std::nullopt;
}

void Exchange::note_manner(const Query& query, Extras asked, const dns::Message& said) {
    const MonoTime now = tools_.clock.mono();
    switch (asked) {
        case Extras::none:
            // Not told again while it holds, so that EDNS is tried anew when it ends.
            if (tools_.servers.edns(query.to.address, now) == EdnsSupport::refused) break;
            tools_.servers.edns_refused(query.to.address, now);
            break;
        case Extras::edns:
            cookies_.switch_off(query.to.address, now);
            break;
        case Extras::cookie:
            break;
    }
    if (asked != Extras::none && said.edns) tools_.servers.edns_works(query.to.address);
}

task::Task<Result<dns::Message>> Exchange::ask_alone(Query query, BudgetRef budget) {
    const Extras extras = extras_for(query, tools_.clock.mono());
    Result<dns::Message> message = co_await ask_once(query, extras, budget);
    if (!message) co_return message;
    const std::optional<Extras> older = older_manner(query, extras, *message);
    if (!older) {
        // Nothing is to be learnt about EDNS from an error.
        if (!looks_old(message->rcode)) note_manner(query, extras, *message);
        co_return message;
    }
    const Extras less = *older;
    Result<dns::Message> retried = co_await ask_once(query, less, budget);
    // Still the same: what went with the question was not the reason.
    if (!retried || looks_old(retried->rcode)) co_return message;
    note_manner(query, less, *retried);
    co_return retried;
}

task::Task<Exchange::Said> Exchange::say(Query query, BudgetRef budget) {
    Result<dns::Message> message = co_await ask_alone(std::move(query), std::move(budget));
    co_return std::make_shared<const Result<dns::Message>>(std::move(message));
}

void Exchange::stand(const std::shared_ptr<Standing>& standing, const Query& query) {
    const std::optional<Duration> usual = tools_.servers.round_trip(query.to.address);
    const bool answers = usual && *usual < most_brief && !tools_.servers.was_silent(query.to.address);
    const Crowd::Stay stay = answers ? Crowd::Stay::brief : Crowd::Stay::unknown;
    standing->place.emplace(crowd_, query.name, stay, [self = standing.get()] { self->lost.ring_all(); });
}

/// A burst of questions for one provider's names gets through in the end. Not many wait, though: whoever is slow would
/// have a long line.
task::Task<void> Exchange::stand_in_line(std::shared_ptr<Standing> standing, Query query) {
    const InLine place_in_line(in_line_);
    Duration pause = first_pause_in_crowd;
    while (!standing->place->is_held() && in_line_ <= most_standing_in_line) {
        const MonoTime next = tools_.clock.mono() + pause;
        if (next >= query.until) break;
        co_await task::sleep_until(next);
        stand(standing, query);
        pause = std::min(2 * pause, most_pause_in_crowd);
    }
}

Exchange::Said Exchange::crowded(const Query& query) {
    Result<dns::Message> refused =
        fail(FailureKind::system, "RXCR"_code,
             "was not asked: too many questions about " + Crowd::group_of(query.name).to_text() + " are under way");
    return std::make_shared<const Result<dns::Message>>(std::move(refused));
}

/// Ends when the place is needed for somebody else's question.
task::Task<Exchange::Said> Exchange::give_way(Query query, std::shared_ptr<Standing> standing) {
    while (standing->place->is_held()) {
        co_await standing->lost.wait();
    }
    co_return crowded(query);
}

Exchange::Lingering::Lingering(std::unordered_set<Address, AddressHash>& all, const Address& address)
    : all_(all), address_(address), may_(all.size() < most && all.insert(address).second) {}

Exchange::Lingering::~Lingering() {
    if (may_) all_.erase(address_);
}

/// Ends with nothing when nobody waits any more, though not before the server had its usual time: whom a faster one
/// outran must still be found silent, or it would be asked for ever.
task::Task<Exchange::Said> Exchange::leave_off(Query query, task::AskersRef askers) {
    const MonoTime learnt = tools_.clock.mono() + tools_.servers.timeout(query.to.address) + time_to_note;
    bool awaited = true;
    while (awaited) {
        while (askers->any()) {
            co_await askers->left.wait();
        }
        const Lingering lingering(lingering_, query.to.address);
        if (!*query.heard && lingering.may()) co_await task::sleep_until(learnt);
        awaited = askers->any();
    }
    co_return nullptr;
}

task::Task<Exchange::Said> Exchange::fly(Query query, BudgetRef budget, task::AskersRef askers) {
    auto standing = std::make_shared<Standing>();
    stand(standing, query);
    if (!standing->place->is_held()) {
        std::shared_ptr<Standing> waiting = standing;
        co_await stand_in_line(std::move(waiting), query);
    }
    if (!standing->place->is_held()) co_return crowded(query);
    query.heard = std::make_shared<bool>(false);
    task::Gather<Said> race(tools_.scheduler);
    race.add(say(query, std::move(budget)));
    race.add(leave_off(query, std::move(askers)));
    race.add(give_way(query, standing));
    std::optional<std::pair<std::size_t, Said>> first = co_await race.next(task::never);
    co_return std::move(first->second);
}

task::Task<Result<dns::Message>> Exchange::ask(Query query, BudgetRef budget) {
    const MonoTime until = query.until;
    const MonoTime patient_until = std::min(until, tools_.clock.mono() + query.patience);
    auto starter = [this, query, budget](task::AskersRef askers) { return fly(query, budget, std::move(askers)); };
    Said said;
    for (unsigned turn = 0; turn < 2; ++turn) {
        Key key{endpoint_of(query), query.name, query.type, query.edns};
        std::optional<Said> flown = co_await flights_.run(std::move(key), until, starter);
        if (!flown) break;
        said = std::move(*flown);
        // Joined what was being left off, or what had less patience: once more, for ourselves.
        const bool silent = said && !*said && said->error().kind == FailureKind::timeout;
        const bool hasty = silent && tools_.clock.mono() < patient_until;
        if (said && !hasty) break;
    }
    if (!said) co_return fail(FailureKind::timeout, "RXLT"_code, "did not answer in time");
    const Result<dns::Message>& message = *said;
    // Somebody else's budget ended what was asked for both.
    const bool poorer = !message && message.error().kind == FailureKind::budget && !budget->exhausted();
    if (poorer) co_return co_await ask_alone(std::move(query), std::move(budget));
    co_return message;
}

}  // namespace mxtrust::resolve
