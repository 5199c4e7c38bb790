#include "resolve/exchange.h"

#include <algorithm>

namespace mxtrust::resolve {
namespace {

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
    if (!envelope || !envelope->response) return net::Match::ignore;
    if (envelope->id != sent.id || envelope->opcode != dns::Opcode::query) return net::Match::suspect;
    if (envelope->questions == 0) {
        const auto rcode = static_cast<dns::Rcode>(datagram[3] & 0x0f);
        return may_lack_question(rcode) ? net::Match::accept : net::Match::suspect;
    }
    Result<dns::Question> question = read_question(datagram);
    if (!question || !sent.question || !same_question(*question, *sent.question, letters)) return net::Match::suspect;
    return net::Match::accept;
}

dns::Message Exchange::build(const Query& query, WithEdns edns) {
    dns::Message message;
    message.id = static_cast<std::uint16_t>(random_.next());
    dns::Question question;
    question.name = query.name;
    question.type = query.type;
    question.spelled =
        options_.case_mix == CaseMix::on ? mix_case(query.name, random_) : std::string(as_text(query.name.wire()));
    message.question = std::move(question);
    if (edns == WithEdns::yes) {
        dns::Edns options;
        options.udp_size = options_.edns_size;
        options.dnssec_ok = true;
        message.edns = std::move(options);
    }
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
    log_.received(query.to.address.to_text(), dns::to_text(message->rcode));
    return message;
}

Endpoint Exchange::endpoint_of(const Query& query) const {
    return {query.to.address, query.to.port != 0 ? query.to.port : options_.port};
}

void Exchange::note_failure(const Query& query, const Failure& failure) {
    const MonoTime now = clock_.mono();
    if (failure.kind == FailureKind::timeout) {
        ++counters_.timeouts;
        servers_.timed_out(query.to.address, now);
    } else if (failure.kind == FailureKind::unreachable) {
        servers_.unreachable(query.to.address, now);
    }
    log_.server_trouble(query.to.address.to_text(), failure.text);
}

task::Task<Result<dns::Message>> Exchange::ask_stream(Query query, WithEdns edns, BudgetRef budget) {
    if (!budget->take(Limit::packets)) {
        co_return fail(FailureKind::budget, "RXTP"_code, "the look-up sent as many queries as its budget allows");
    }
    ++counters_.tcp;
    dns::Message sent = build(query, edns);
    Bytes wire = dns::render_message(sent);
    Endpoint endpoint = endpoint_of(query);
    MonoTime until = query.until;
    Result<Bytes> reply = co_await network_.exchange_stream(endpoint, std::move(wire), until);
    if (!reply) {
        note_failure(query, reply.error());
        co_return fail(std::move(reply.error()));
    }
    // Nobody guesses a connection: a server that does not keep the letters is merely odd.
    if (match_reply(*reply, sent, Letters::any) != net::Match::accept) {
        co_return fail(FailureKind::malformed, "RXTQ"_code, "answered another question over TCP");
    }
    Result<dns::Message> message = accept(query, *reply, *budget);
    if (message && message->truncated) {
        co_return fail(FailureKind::malformed, "RXTT"_code, "truncates its answers over TCP, too");
    }
    co_return message;
}

task::Task<Result<dns::Message>> Exchange::ask_once(Query query, WithEdns edns, BudgetRef budget) {
    if (!budget->take(Limit::packets)) {
        co_return fail(FailureKind::budget, "RXUP"_code, "the look-up sent as many queries as its budget allows");
    }
    ++counters_.udp;
    log_.sent(query.to.address.to_text(), query.name, query.type);
    dns::Message sent = build(query, edns);
    Bytes wire = dns::render_message(sent);
    Endpoint endpoint = endpoint_of(query);
    const MonoTime begin = clock_.mono();
    const MonoTime until = std::min(query.until, begin + servers_.timeout(query.to.address));
    net::Matcher matcher = [expected = sent](BytesView datagram) {
        return match_reply(datagram, expected, Letters::as_sent);
    };
    Result<net::DatagramReply> reply =
        co_await network_.exchange_datagram(endpoint, std::move(wire), std::move(matcher), until);
    if (!reply) {
        note_failure(query, reply.error());
        co_return fail(std::move(reply.error()));
    }
    if (reply->suspicious) {
        // Somebody guesses, or the server does not keep the question's letters: the stream settles it (A26).
        ++counters_.suspicious;
        co_return co_await ask_stream(std::move(query), edns, std::move(budget));
    }
    servers_.answered(query.to.address, std::chrono::duration_cast<Duration>(clock_.mono() - begin));
    Result<dns::Message> message = accept(query, reply->message, *budget);
    if (message && message->truncated) {
        co_return co_await ask_stream(std::move(query), edns, std::move(budget));
    }
    co_return message;
}

task::Task<Result<dns::Message>> Exchange::ask(Query query, BudgetRef budget) {
    WithEdns edns = WithEdns::yes;
    const bool refused_before = servers_.edns(query.to.address, clock_.mono()) == EdnsSupport::refused;
    if (refused_before && query.edns == EdnsNeed::wanted) edns = WithEdns::no;
    Result<dns::Message> message = co_await ask_once(query, edns, budget);
    if (!message || edns == WithEdns::no) co_return message;
    if (message->edns) {
        servers_.edns_works(query.to.address);
        co_return message;
    }
    // An error without OPT from a server that may not know EDNS (RFC 6891 7): once more without it.
    const bool looks_old = message->rcode == dns::Rcode::formerr || message->rcode == dns::Rcode::notimp;
    if (!looks_old || query.edns == EdnsNeed::indispensable) co_return message;
    BudgetRef again = budget;
    Query plain = query;
    Result<dns::Message> retried = co_await ask_once(std::move(plain), WithEdns::no, std::move(again));
    if (retried && retried->rcode != dns::Rcode::formerr && retried->rcode != dns::Rcode::notimp) {
        servers_.edns_refused(query.to.address, clock_.mono());
    }
    co_return retried;
}

}  // namespace mxtrust::resolve
