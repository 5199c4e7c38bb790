// A Conversation is one connection: it cuts lines, keeps the order of text replies, and minds the limits. Each request
// is a coroutine of its own, so that a slow answer holds up nobody; it keeps its Conversation alive, and what it says
// after the client has left is not sent.
#include "serve/query_server.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <list>
#include <optional>

#include "mail/domain.h"
#include "resolve/crowd.h"
#include "serve/hot_lines.h"
#include "serve/patience.h"
#include "serve/render.h"
#include "serve/rendered_bodies.h"
#include "serve/request.h"
#include "task/signal.h"
#include "task/task.h"

namespace mxtrust::serve {
namespace {

constexpr std::size_t most_hosts_explained = 10;  // a person reads it; an MTA tries no more hosts either
constexpr Duration reload_time{10'000};           // milliseconds are usual
constexpr int time_to_explain = 5;                // this part of the time is left for what the answer rests on
constexpr std::size_t octets_at_once = 65536;     // replies are gathered up to here before the kernel gets them
constexpr std::string_view head_of_reply = "{\"id\":";

/// Where in a connection's order a reply belongs: text replies keep theirs, JSON replies go out as they come. And its
/// place among all that are under way, where the answer takes more than a look.
struct Ticket {
    std::shared_ptr<std::optional<std::string>> turn;  ///< null for JSON
    std::shared_ptr<std::optional<resolve::Crowd::Place>> place;
    /// Was it told already that there is no room for it?
    [[nodiscard]] bool was_told() const { return place && *place && !(*place)->is_held(); }
};

/// The domain whose doing an answer is, if it takes a look at others at all.
std::optional<dns::Name> domain_of(const Request& request) {
    struct Names {
        using Found = std::optional<dns::Name>;
        Found operator()(const MailRequest& mail) const { return mail.next_hop.name; }
        Found operator()(const DecideRequest& decide) const { return decide.mail.next_hop.name; }
        Found operator()(const RRsetRequest& rrset) const { return rrset.name; }
        Found operator()(const ExplainRequest& explain) const { return explain.what.name; }
        Found operator()(const StatusRequest& /*status*/) const { return std::nullopt; }
        Found operator()(const FailingRequest& /*failing*/) const { return std::nullopt; }
        Found operator()(const FlushRequest& /*flush*/) const { return std::nullopt; }
        Found operator()(const ReloadRequest& /*reload*/) const { return std::nullopt; }
    };
    return std::visit(Names(), request.what);
}

/// Clients of the machine are told apart by their account: processes are made at will.
std::string client_of(const std::optional<net::PeerCredentials>& peer) {
    return peer ? "user " + std::to_string(peer->user) : std::string();
}

std::string overloaded(const Request& request) {
    constexpr std::string_view text = "too many requests are under way; try again in a moment";
    const bool in_words = std::holds_alternative<DecideRequest>(request.what);
    return in_words ? render_error_words(ErrorCode::overloaded, text)
                    : render_error(request.id, ErrorCode::overloaded, text);
}

std::string described(const Request& request) {
    struct Words {
        std::string operator()(const MailRequest& mail) const { return "mail " + mail.next_hop.to_text(); }
        std::string operator()(const DecideRequest& decide) const { return "decide " + decide.mail.next_hop.to_text(); }
        std::string operator()(const RRsetRequest& rrset) const {
            return "rrset " + rrset.name.to_text() + " " + dns::to_text(rrset.type);
        }
        std::string operator()(const ExplainRequest& explain) const {
            if (explain.domain) return "explain " + explain.domain->to_text();
            return "explain " + explain.what.name.to_text() + " " + dns::to_text(explain.what.type);
        }
        std::string operator()(const StatusRequest& /*status*/) const { return "status"; }
        std::string operator()(const FailingRequest& /*failing*/) const { return "failing"; }
        std::string operator()(const FlushRequest& flush) const { return "flush " + flush.name.to_text(); }
        std::string operator()(const ReloadRequest& /*reload*/) const { return "reload"; }
    };
    return std::visit(Words(), request.what);
}

}  // namespace

bool may_flush(const net::PeerCredentials& peer, uid_t own_user, gid_t own_group) {
    return peer.user == 0 || peer.user == own_user || peer.group == own_group;
}

struct QueryServer::State {
    State(QueryLimits its_limits, Tools its_tools, Flush its_flush, Publish its_publish, Reloading its_reloading)
        : limits(its_limits),
          tools(its_tools),
          flush(std::move(its_flush)),
          publish(std::move(its_publish)),
          reloading(std::move(its_reloading)),
          hot(its_tools.resolver.tools().random),
          crowd(std::make_shared<resolve::Crowd>(resolve::Crowd::Limits{limits.most_pending_in_all}, its_tools.clock,
                                                 its_tools.resolver.tools().random)) {}

    QueryLimits limits;
    Tools tools;
    Flush flush;
    Publish publish;
    Reloading reloading;
    DoorCounters counters;
    RenderedBodies bodies;
    HotLines hot;
    std::size_t pending = 0;                ///< those included that were told to come again
    std::shared_ptr<resolve::Crowd> crowd;  ///< of those that wait for an answer
    std::size_t most_at_once = limits.most_pending_in_all;

    /// The crowd sees to who waits; work that nobody waits for any more ends by itself, if late.
    [[nodiscard]] bool is_full() const { return pending >= 2 * most_at_once; }
    /// The reply to a line that was answered before, appended to `out`; false where it takes more than a look.
    bool answer_at_once(std::string_view line, std::string& out);
    /// Keeps what was said to a line for whoever sends the same.
    void keep_hot(std::string_view line, const MailRequest& asked, const route::MailAnswerRef& answer,
                  HotLines::Reply reply);
    task::Task<void> converse(std::shared_ptr<Conversation> conversation, Request request, Ticket ticket,
                              std::string line);
    task::Task<std::string> answer(Request request, std::optional<net::PeerCredentials> peer, std::string line);
    task::Task<route::MailAnswerRef> ask_router(MailRequest request);
    task::Task<std::string> answer_mail(std::string id, MailRequest request, std::string line);
    task::Task<std::string> answer_decide(DecideRequest request, std::string line);
    task::Task<std::string> answer_rrset(std::string id, RRsetRequest request);
    task::Task<std::string> answer_explain(std::string id, ExplainRequest request);
    [[nodiscard]] BudgetRef budget_until(MonoTime until, std::optional<QuestionNumber> number = std::nullopt) const;
    void count_decision(mail::Action action);
    task::Task<std::string> explain_domain(std::string id, ExplainRequest request);
    task::Task<HostExplanation> explain_host(mail::HostAnswer host, MonoTime until);
    task::Task<resolve::Explanation> explain_one(dns::Name name, dns::Type type, MonoTime until);
    task::Task<std::string> answer_reload(std::string id, std::optional<net::PeerCredentials> peer);
    std::string answer_status(std::string_view id);
    QuestionNumber number_of(Request& request);
    std::string answer_failing(std::string_view id, const FailingRequest& request);
    std::string answer_flush(std::string_view id, const FlushRequest& request,
                             const std::optional<net::PeerCredentials>& peer);
};

class QueryServer::Conversation final : public net::ConnectionUser, public std::enable_shared_from_this<Conversation> {
  public:
    Conversation(State& server, net::ConnectionRef connection)
        : server_(server), connection_(std::move(connection)), patience_(server.tools.scheduler, connection_) {}

    void received(BytesView data) override {
        if (ended_) return;  // framing was given up, and nothing behind that means anything
        buffer_ += as_text(data);
        pump();
    }
    void ended() override {
        ended_ = true;
        pump();
    }
    void drained() override { pump(); }
    void closed() override {
        closed_ = true;
        patience_.end();
    }
    /// A request is answered; what it said goes out where it belongs.
    void reply(std::string line, const Ticket& ticket) {
        --pending_;
        --server_.pending;
        if (!ticket.was_told()) say(std::move(line), ticket);
        if (ticket.place) ticket.place->reset();
        pump();
    }
    [[nodiscard]] std::optional<net::PeerCredentials> peer() const { return connection_->credentials(); }

  private:
    /// Takes lines from the buffer as far as the limits allow, and stops or goes on reading accordingly.
    void pump() {
        if (closed_ || pumping_) return;
        pumping_ = true;
        while (!is_full() && take_line()) {
            if (skipped_ == 0) patience_.end();  // that line is finished; the next one has time of its own
        }
        pumping_ = false;
        buffer_.erase(0, taken_);
        taken_ = 0;
        give_out();
        if (closed_) return;
        if (is_full()) {
            if (connection_->queued() > server_.limits.most_queued_octets && !paused_)
                ++server_.counters.query_slow_readers;
            patience_.watch(false, {});
            pause();
            return;
        }
        patience_.watch(!buffer_.empty() || skipped_ > 0, server_.limits.most_line_time);
        resume();
        if (ended_ && pending_ == 0) connection_->close_when_sent();
    }
    [[nodiscard]] bool is_full() const {
        return pending_ >= server_.limits.most_pending ||
               connection_->queued() + out_.size() > server_.limits.most_queued_octets;
    }
    void pause() {
        if (!paused_) connection_->pause_reading();
        paused_ = true;
    }
    void resume() {
        if (paused_ && !ended_) connection_->resume_reading();
        paused_ = false;
    }

    /// False where there is no whole line.
    bool take_line() {
        const std::string_view left = std::string_view(buffer_).substr(taken_);
        const std::size_t end = left.find('\n');
        if (skipped_ > 0) return skip(end, left.size());
        std::size_t length = std::min(end, left.size());
        if (left.substr(0, length).ends_with('\r')) --length;  // of the line's end, perhaps: it is not counted
        if (length > most_request_octets) {
            overlong(left);
            return true;
        }
        if (end != std::string_view::npos) {
            taken_ += end + 1;
            ask(left.substr(0, end));
            return true;
        }
        // What stands before the end of input is a line, too: clients that shut down their side need not end it.
        if (!ended_ || left.empty()) return false;
        taken_ += left.size();
        ask(left);
        return true;
    }
    void overlong(std::string_view left) {
        refuse(overlong_request(left.substr(0, most_request_octets)));
        skipped_ = 1;
    }
    /// Drops the rest of an overlong line.
    bool skip(std::size_t end, std::size_t left) {
        const std::size_t count = end == std::string_view::npos ? left : end + 1;
        taken_ += count;
        skipped_ = end == std::string_view::npos ? skipped_ + count : 0;
        if (skipped_ > server_.limits.most_skipped_octets) {
            ended_ = true;
            taken_ = buffer_.size();
            skipped_ = 0;
            connection_->pause_reading();
            return false;
        }
        return end != std::string_view::npos;
    }

    /// `line` lies in the buffer, which stays as it is until all its lines are taken.
    void ask(std::string_view line) {
        // Words are answered in order, and debugging wants to see every question.
        if (waiting_.empty() && server_.answer_at_once(line, out_)) {
            if (out_.size() > octets_at_once) give_out();
            return;
        }
        std::variant<Request, BadRequest> parsed = parse_request(line);
        if (const auto* bad = std::get_if<BadRequest>(&parsed)) {
            refuse(*bad);
            return;
        }
        auto& request = std::get<Request>(parsed);
        ++server_.counters.query_requests;
        Ticket ticket = ticket_for(request.form);
        if (server_.is_full() || !find_place(request, ticket)) {
            ++server_.counters.query_overloaded;
            say(overloaded(request), ticket);
            return;
        }
        ++pending_;
        ++server_.pending;
        server_.tools.scheduler.spawn(
            server_.converse(shared_from_this(), std::move(request), ticket, std::string(line)));
    }
    /// False where there is none. Who has to give it up later, to a domain or a client that has fewer, is told so then.
    bool find_place(const Request& request, Ticket& ticket) {
        std::optional<dns::Name> domain = domain_of(request);
        if (!domain) return true;
        ticket.place = std::make_shared<std::optional<resolve::Crowd::Place>>();
        resolve::Crowd::Claim claim(std::move(*domain), client_of(peer()));
        auto lost = [self = weak_from_this(), turn = ticket.turn, text = overloaded(request)] {
            if (const std::shared_ptr<Conversation> conversation = self.lock()) conversation->give_up(text, turn);
        };
        ticket.place->emplace(server_.crowd, claim, resolve::Crowd::Stay::unknown, std::move(lost));
        return (*ticket.place)->is_held();
    }
    void give_up(std::string text, const std::shared_ptr<std::optional<std::string>>& turn) {
        ++server_.counters.query_overloaded;
        say(std::move(text), Ticket{turn, nullptr});
        if (!pumping_) give_out();
    }
    void refuse(const BadRequest& bad) {
        ++server_.counters.query_bad_requests;
        server_.tools.log.client_trouble("query socket", bad.failure.text);
        say(render_bad_request(bad), ticket_for(bad.form));
    }
    Ticket ticket_for(Form form) {
        if (form == Form::json) return {};
        waiting_.push_back(std::make_shared<std::optional<std::string>>());
        return {waiting_.back(), nullptr};
    }
    void say(std::string line, const Ticket& ticket) {
        if (!ticket.turn) {
            send(line);
            return;
        }
        *ticket.turn = std::move(line);
        while (!waiting_.empty() && waiting_.front()->has_value()) {
            send(**waiting_.front());
            waiting_.pop_front();
        }
    }
    void send(const std::string& line) {
        out_ += line;
        out_ += '\n';
    }
    void give_out() {
        if (!closed_ && !out_.empty()) connection_->write(as_bytes(out_));
        out_.clear();
    }

    State& server_;
    net::ConnectionRef connection_;
    Patience patience_;
    std::string buffer_;     ///< what was received
    std::size_t taken_ = 0;  ///< so much of the buffer is dealt with; 0 outside of pump()
    std::string out_;        ///< replies to be given to the kernel together
    std::deque<std::shared_ptr<std::optional<std::string>>> waiting_;  ///< text replies in their order
    std::size_t pending_ = 0;
    std::size_t skipped_ = 0;  ///< octets dropped of an overlong line; 0 outside of one
    bool ended_ = false, closed_ = false, paused_ = false, pumping_ = false;
};

task::Task<void> QueryServer::State::converse(std::shared_ptr<Conversation> conversation, Request request,
                                              Ticket ticket, std::string line) {
    const std::string what = tools.log.is_debugging() ? described(request) : std::string();
    const QuestionNumber number = number_of(request);
    std::optional<net::PeerCredentials> peer = conversation->peer();
    std::string reply = co_await answer(std::move(request), peer, std::move(line));
    tools.log.answered(number, what, reply);
    conversation->reply(std::move(reply), ticket);
}

bool QueryServer::State::answer_at_once(std::string_view line, std::string& out) {
    if (tools.log.is_debugging()) return false;
    const std::optional<LineShape> shape = shape_of(line);
    if (!shape) return false;
    const HotLines::Reply* known = hot.find(*shape);
    if (known == nullptr) return false;
    const route::MailAnswerRef kept = tools.router.kept(known->destination);
    // The very answer that was said to this line, and no other that came to be kept in its place.
    const bool same = kept && !kept.owner_before(known->answer) && !known->answer.owner_before(kept);
    if (!same) return false;
    ++counters.query_requests;
    if (known->in_words) {
        count_decision(kept->decision.action);
    } else {
        ++counters.query_mail;
        out += head_of_reply;
        out += shape->id.empty() ? std::string_view("null") : shape->id;
    }
    out += known->head;
    if (known->body) out += *known->body;
    out += '\n';
    return true;
}

void QueryServer::State::keep_hot(std::string_view line, const MailRequest& asked, const route::MailAnswerRef& answer,
                                  HotLines::Reply reply) {
    if (asked.freshness == Freshness::refresh || tools.log.is_debugging()) return;
    if (RenderedBodies::is_said_once(*answer)) return;
    const std::optional<LineShape> shape = shape_of(line);
    if (!shape) return;
    reply.destination = answer->domain;
    reply.answer = answer;
    hot.keep(*shape, std::move(reply));
}

/// Gives those a number of which there will be lines.
QuestionNumber QueryServer::State::number_of(Request& request) {
    const QuestionNumber number = tools.log.next_question();
    if (auto* mail = std::get_if<MailRequest>(&request.what)) mail->number = number;
    if (auto* decide = std::get_if<DecideRequest>(&request.what)) decide->mail.number = number;
    if (auto* rrset = std::get_if<RRsetRequest>(&request.what)) rrset->number = number;
    return number;
}

task::Task<std::string> QueryServer::State::answer(Request request, std::optional<net::PeerCredentials> peer,
                                                   std::string line) {
    if (auto* mail = std::get_if<MailRequest>(&request.what))
        co_return co_await answer_mail(std::move(request.id), std::move(*mail), std::move(line));
    if (auto* decide = std::get_if<DecideRequest>(&request.what))
        co_return co_await answer_decide(std::move(*decide), std::move(line));
    if (auto* rrset = std::get_if<RRsetRequest>(&request.what))
        co_return co_await answer_rrset(std::move(request.id), std::move(*rrset));
    if (auto* explain = std::get_if<ExplainRequest>(&request.what)) {
        co_return co_await answer_explain(std::move(request.id), std::move(*explain));
    }
    if (const auto* failing = std::get_if<FailingRequest>(&request.what))
        co_return answer_failing(request.id, *failing);
    if (const auto* flushing = std::get_if<FlushRequest>(&request.what))
        co_return answer_flush(request.id, *flushing, peer);
    if (std::holds_alternative<ReloadRequest>(request.what))
        co_return co_await answer_reload(std::move(request.id), std::move(peer));
    co_return answer_status(request.id);
}

task::Task<route::MailAnswerRef> QueryServer::State::ask_router(MailRequest request) {
    route::MailQuestion question;
    question.next_hop = std::move(request.next_hop);
    question.port = request.port;
    question.deadline = tools.clock.mono() + request.deadline;
    question.refresh = request.freshness == Freshness::refresh ? route::Refresh::yes : route::Refresh::no;
    question.number = request.number;
    question.sts = request.sts == Sts::wanted ? route::Sts::wanted : route::Sts::ignored;
    co_return co_await tools.router.ask(std::move(question));
}

task::Task<std::string> QueryServer::State::answer_mail(std::string id, MailRequest request, std::string line) {
    const MailRequest asked = request;
    ++counters.query_mail;
    const std::string domain = mail::destination_text(request.next_hop, request.next_hop.port.value_or(25));
    route::MailAnswerRef answer = co_await ask_router(std::move(request));
    HotLines::Reply reply;
    reply.body = bodies.body_of(answer);
    reply.head = render_mail_head(domain, asked.asked);
    std::string said(head_of_reply);
    said += id;
    said += reply.head;
    said += *reply.body;
    keep_hot(line, asked, answer, std::move(reply));
    co_return said;
}

task::Task<std::string> QueryServer::State::answer_decide(DecideRequest request, std::string line) {
    const MailRequest asked = request.mail;
    route::MailAnswerRef answer = co_await ask_router(std::move(request.mail));
    count_decision(answer->decision.action);
    HotLines::Reply reply;
    reply.head = render_decide(*answer);
    reply.in_words = true;
    std::string said = reply.head;
    keep_hot(line, asked, answer, std::move(reply));
    co_return said;
}

void QueryServer::State::count_decision(mail::Action action) {
    switch (action) {
        case mail::Action::deliver:
            ++counters.query_decide_deliver;
            return;
        case mail::Action::defer:
            ++counters.query_decide_defer;
            return;
        case mail::Action::bounce:
            ++counters.query_decide_bounce;
            return;
    }
}

/// The work has the time that a domain may need; who has less goes away before.
BudgetRef QueryServer::State::budget_until(MonoTime until, std::optional<QuestionNumber> number) const {
    const auto left = std::chrono::duration_cast<Duration>(until - tools.clock.mono());
    BudgetRef budget = tools.resolver.budget(std::max(left, default_deadline), nullptr, number);
    budget->leave_at(until);
    return budget;
}

task::Task<std::string> QueryServer::State::answer_rrset(std::string id, RRsetRequest request) {
    BudgetRef budget = budget_until(tools.clock.mono() + request.deadline, request.number);
    dnssec::Answer answer = co_await tools.resolver.resolve(std::move(request.name), request.type, std::move(budget));
    co_return render_rrset(id, answer, tools.resolver.settings().negative_anchors, tools.clock.wall());
}

task::Task<std::string> QueryServer::State::answer_explain(std::string id, ExplainRequest request) {
    if (request.domain) co_return co_await explain_domain(std::move(id), std::move(request));
    const MonoTime until = tools.clock.mono() + request.what.deadline;
    resolve::Explanation explanation = co_await explain_one(std::move(request.what.name), request.what.type, until);
    co_return render_explanation(id, explanation, tools.resolver.settings().negative_anchors, tools.clock.wall());
}

task::Task<resolve::Explanation> QueryServer::State::explain_one(dns::Name name, dns::Type type, MonoTime until) {
    BudgetRef budget = budget_until(until);
    co_return co_await tools.resolver.explain(std::move(name), type, std::move(budget));
}

/// What the mail answer rests on is explained: the same names, from the cache that it has filled.
task::Task<HostExplanation> QueryServer::State::explain_host(mail::HostAnswer host, MonoTime until) {
    HostExplanation explained;
    explained.name = host.name;
    const Result<dns::Name> name = dns::Name::from_text(host.name);
    if (name && host.a) {
        dns::Name owner = *name;
        explained.a = co_await explain_one(std::move(owner), dns::Type::a, until);
    }
    if (name && host.aaaa) {
        dns::Name owner = *name;
        explained.aaaa = co_await explain_one(std::move(owner), dns::Type::aaaa, until);
    }
    if (host.tlsa) {
        dns::Name owner = host.tlsa->name;
        explained.tlsa = co_await explain_one(std::move(owner), dns::Type::tlsa, until);
    }
    co_return explained;
}

task::Task<std::string> QueryServer::State::explain_domain(std::string id, ExplainRequest request) {
    const MonoTime until = tools.clock.mono() + request.what.deadline;
    DomainExplanation explanation;
    explanation.domain = request.domain->to_text();
    MailRequest mail;
    mail.next_hop = *request.domain;
    mail.deadline = request.what.deadline - request.what.deadline / time_to_explain;
    route::MailAnswerRef answer = co_await ask_router(std::move(mail));
    if (answer->mx) {
        dns::Name name = request.what.name;
        explanation.mx = co_await explain_one(std::move(name), dns::Type::mx, until);
    }
    for (const mail::HostAnswer& host : answer->hosts) {
        if (explanation.hosts.size() >= most_hosts_explained) {
            ++explanation.left_out;
            continue;
        }
        mail::HostAnswer copy = host;
        HostExplanation explained = co_await explain_host(std::move(copy), until);
        explanation.hosts.push_back(std::move(explained));
    }
    co_return render_explanation(id, explanation, tools.resolver.settings().negative_anchors, tools.clock.wall());
}

std::string QueryServer::State::answer_status(std::string_view id) {
    publish();
    return render_status(id, tools.board.status(tools.clock.wall(), tools.clock.mono(), tools.cache.counters()));
}

std::string QueryServer::State::answer_failing(std::string_view id, const FailingRequest& request) {
    return render_failing(id, tools.router.failing(request.limit), tools.clock.wall());
}

std::string QueryServer::State::answer_flush(std::string_view id, const FlushRequest& request,
                                             const std::optional<net::PeerCredentials>& peer) {
    if (!peer || !may_flush(*peer, geteuid(), getegid())) {
        return render_error(id, ErrorCode::forbidden, "flush is for root and the group of the service");
    }
    return render_flushed(id, request.name, request.extent, flush(request.name, request.extent));
}

task::Task<std::string> QueryServer::State::answer_reload(std::string id, std::optional<net::PeerCredentials> peer) {
    if (!peer || !may_flush(*peer, geteuid(), getegid()))
        co_return render_error(id, ErrorCode::forbidden, "reload is for root and the group of the service");
    struct Outcome {
        task::Signal told;
        Reload reload;
    };
    auto outcome = std::make_shared<Outcome>();
    reloading([outcome](const Reload& reload) {
        outcome->reload = reload;
        outcome->told.notify();
    });
    const MonoTime deadline = tools.clock.mono() + reload_time;
    bool in_time = co_await outcome->told.wait(deadline);
    if (in_time) co_return render_reload(id, outcome->reload);
    outcome->reload.time = tools.clock.wall();
    outcome->reload.text = "not every worker has taken it over in time";
    co_return render_reload(id, outcome->reload);
}

QueryServer::QueryServer(QueryLimits limits, Tools tools, Flush flush, Publish publish, Reloading reloading)
    : state_(std::make_unique<State>(limits, tools, std::move(flush), std::move(publish), std::move(reloading))) {}
QueryServer::~QueryServer() = default;

void QueryServer::restrain(Restraint restraint) {
    const bool few = restraint == Restraint::few;
    const std::size_t usual = state_->limits.most_pending_in_all;
    state_->most_at_once = few ? std::min(few_questions, usual) : usual;
    state_->crowd->set_most(state_->most_at_once);
}

void QueryServer::prepare(const route::MailAnswerRef& answer, std::shared_ptr<const std::string> body) {
    state_->bodies.keep(answer, std::move(body));
}

void QueryServer::forget() {
    state_->bodies.clear();
    state_->hot.clear();
}

std::shared_ptr<net::ConnectionUser> QueryServer::greet(net::ConnectionRef connection) {
    connection->close_when_idle_for(state_->limits.most_idle_time);
    return std::make_shared<Conversation>(*state_, std::move(connection));
}

void QueryServer::count(DoorCounters& counters) const {
    counters += state_->counters;
}

}  // namespace mxtrust::serve
