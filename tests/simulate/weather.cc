#include "simulate/weather.h"

#include <algorithm>
#include <stdexcept>

#include "simulate/liar.h"

namespace simulate {

using namespace mxtrust;
using std::chrono::milliseconds;

namespace {

dns::Message parse_own(BytesView query) {
    auto parsed = dns::parse_message(query);
    if (!parsed)
        throw std::runtime_error("the resolver sent what does not parse: " + to_hex(query) + ": " +
                                 parsed.error().text);
    return *parsed;
}

}  // namespace

std::chrono::milliseconds Wire::way(const Server& server) {
    milliseconds span(server.delay_ms + random_.below(faults_.jitter_ms + 1));
    if (chance(faults_.spike)) span += milliseconds(random_.below(3000));
    return span;
}

void Wire::note(const char* what, const Endpoint& server, const dns::Message& message) {
    if (trace == nullptr) return;
    const auto now = std::chrono::duration_cast<milliseconds>(clock_.mono().time_since_epoch());
    std::string line = std::to_string(now.count()) + " ms " + what + " " + server.address.to_text();
    if (message.question) line += " " + message.question->name.to_text() + " " + dns::to_text(message.question->type);
    if (message.response) {
        line +=
            " " + dns::to_text(message.rcode) + (message.authoritative ? " AA" : "") + (message.truncated ? " TC" : "");
        for (const auto* section : {&message.answer, &message.authority, &message.additional}) {
            line += " |";
            for (const dns::Record& record : *section) {
                line += " " + record.owner.to_text() + "/" + dns::to_text(record.type);
                if (record.type == dns::Type::ns || record.type == dns::Type::a || record.type == dns::Type::cname)
                    line += "=" + dns::rdata_to_text(record.type, record.rdata);
            }
        }
    }
    trace->push_back(std::move(line));
}

// Lame servers say the same to everybody; nothing: the server is none of these.
std::optional<dns::Message> Wire::by_habit(const Server& server, const dns::Message& query) {
    dns::Message bare;
    bare.id = query.id;
    bare.response = true;
    bare.question = query.question;
    bare.edns = query.edns;
    if (server.habit == Habit::refusing) {
        bare.rcode = dns::Rcode::refused;
        return bare;
    }
    if (server.habit == Habit::empty) return bare;
    if (server.habit == Habit::upwards) {
        const dns::Name host = *dns::Name::from_text("ns0.");
        bare.authority.push_back({dns::Name(), dns::Type::ns, dns::Class::in, dns::Ttl(3600),
                                  Bytes(host.wire().begin(), host.wire().end())});
        return bare;
    }
    if (server.habit == Habit::old && query.edns) {
        bare.rcode = dns::Rcode::formerr;
        bare.edns.reset();
        return bare;
    }
    return std::nullopt;
}

std::optional<dns::Message> Wire::reply_of(const Server& server, const dns::Message& query) {
    if (!server.up || server.habit == Habit::dead) return std::nullopt;
    if (auto lame = by_habit(server, query)) return lame;
    const Place* place = Universe::served_by(server, query);
    if (place == nullptr || (server.habit == Habit::failing && chance(50))) {
        dns::Message bare;
        bare.id = query.id;
        bare.response = true;
        bare.question = query.question;
        bare.edns = query.edns;
        bare.rcode = place == nullptr ? dns::Rcode::refused : dns::Rcode::servfail;
        return bare;
    }
    dns::Message honest = place->zone.answer(query);
    if (server.habit != Habit::liar || chance(40)) return honest;
    ++lies_;
    return lie(random_, universe_, *place, query, std::move(honest));
}

std::vector<Wire::Arrival> Wire::arrivals(const Endpoint& to, const dns::Message& query) {
    std::vector<Arrival> found;
    ++packets_;
    const MonoTime now = clock_.mono();
    const Server* server = universe_.server_at(to.address);
    note("ask", to, query);
    if (cut) return found;
    if (chance(faults_.forgery)) {
        const dns::Message forged = forge_blindly(random_, query);
        note("forged by", to, forged);
        found.push_back({now + milliseconds(random_.below(40)), dns::render_message(forged)});
    }
    if (server == nullptr || chance(faults_.loss)) return found;
    std::optional<dns::Message> reply = reply_of(*server, query);
    if (!reply || chance(faults_.loss)) return found;
    const std::size_t most = query.edns ? query.edns->udp_size : 512;
    if (server->habit == Habit::cutting) {
        reply->answer.clear();
        reply->authority.clear();
        reply->additional.clear();
        reply->truncated = true;
    }
    note("reply of", to, *reply);
    const Bytes wire = dns::render_message(*reply, most);
    found.push_back({now + way(*server), wire});
    if (chance(faults_.duplication)) found.push_back({now + way(*server), wire});
    std::ranges::sort(found, {}, &Arrival::when);
    return found;
}

task::Task<Result<net::DatagramReply>> Wire::exchange_datagram(Endpoint server, Bytes query, net::Matcher matcher,
                                                               MonoTime deadline) {
    const Presence presence(open_);
    const dns::Message parsed = parse_own(query);
    const std::vector<Arrival> coming = arrivals(server, parsed);
    for (const Arrival& arrival : coming) {
        if (arrival.when > deadline) break;
        co_await task::sleep_until(arrival.when);
        net::DatagramReply result;
        switch (matcher(arrival.message)) {
            case net::Match::accept:
                result.message = arrival.message;
                co_return result;
            case net::Match::suspect:
                result.suspicious = true;
                co_return result;
            case net::Match::ignore:
                break;
        }
    }
    co_await task::sleep_until(deadline);
    co_return fail(FailureKind::timeout, Code("TEST"), "did not answer in time");
}

task::Task<Result<Bytes>> Wire::exchange_stream(Endpoint server, Bytes query, MonoTime deadline) {
    const Presence presence(open_);
    const dns::Message parsed = parse_own(query);
    ++packets_;
    const Server* found = universe_.server_at(server.address);
    note("stream to", server, parsed);
    std::optional<dns::Message> reply;
    const bool hangs = cut || found == nullptr || chance(faults_.loss / 2);
    if (!hangs) reply = reply_of(*found, parsed);
    if (!cut && found != nullptr && (found->habit == Habit::datagrams || chance(faults_.broken_stream))) {
        const MonoTime refused = std::min(deadline, clock_.mono() + way(*found));
        co_await task::sleep_until(refused);
        co_return fail(FailureKind::unreachable, Code("TEST"), "closed the connection");
    }
    if (!reply) {
        co_await task::sleep_until(deadline);
        co_return fail(FailureKind::timeout, Code("TEST"), "did not answer in time");
    }
    const MonoTime arrives = clock_.mono() + 2 * way(*found);
    if (arrives > deadline) {
        co_await task::sleep_until(deadline);
        co_return fail(FailureKind::timeout, Code("TEST"), "did not answer in time");
    }
    co_await task::sleep_until(arrives);
    reply->truncated = false;
    note("stream from", server, *reply);
    Bytes rendered = dns::render_message(*reply);
    co_return rendered;
}

}  // namespace simulate
