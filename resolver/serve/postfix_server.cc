// A Conversation is one connection. Each request has a place in the queue of replies and is answered by a coroutine of
// its own, which keeps the Conversation alive; what is ready goes out as far as nothing before it is missing.
#include "serve/postfix_server.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <string>

#include "resolve/crowd.h"
#include "serve/netstring.h"
#include "serve/patience.h"
#include "serve/postfix_policy.h"
#include "task/task.h"

namespace mxtrust::serve {
namespace {

/// A reply that may not be there yet, in its turn; and a place among all questions that are under way.
struct Turn {
    std::optional<std::string> reply;
    std::optional<resolve::Crowd::Place> place;
    /// Was it told already that there is no room for it?
    [[nodiscard]] bool was_told() const { return place && !place->is_held(); }
};
using TurnRef = std::shared_ptr<Turn>;

}  // namespace

struct PostfixServer::State {
    State(PostfixLimits its_limits, Tools its_tools)
        : limits(its_limits),
          tools(its_tools),
          crowd(std::make_shared<resolve::Crowd>(resolve::Crowd::Limits{limits.most_pending_in_all}, its_tools.clock,
                                                 its_tools.random)) {}

    PostfixLimits limits;
    Tools tools;
    std::size_t pending = 0;                ///< those included that were told to come again
    std::shared_ptr<resolve::Crowd> crowd;  ///< of those that wait for an answer
    std::size_t most_at_once = limits.most_pending_in_all;
    DoorCounters counters;

    /// The crowd sees to who waits; work that nobody waits for any more ends by itself, if late.
    [[nodiscard]] bool is_full() const { return pending >= 2 * most_at_once; }

    void count_reply(std::string_view reply);
    task::Task<void> converse(std::shared_ptr<Conversation> conversation, PolicyQuestion asked, TurnRef turn);
};

class PostfixServer::Conversation final : public net::ConnectionUser,
                                          public std::enable_shared_from_this<Conversation> {
  public:
    Conversation(State& server, net::ConnectionRef connection)
        : server_(server),
          connection_(std::move(connection)),
          patience_(server.tools.scheduler, connection_),
          requests_(most_socketmap_request_octets) {}

    void received(BytesView data) override {
        if (ended_) return;  // framing was given up, and nothing behind that means anything
        requests_.add(as_text(data));
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
    void reply(std::string text, const TurnRef& turn) {
        --pending_;
        --server_.pending;
        if (!turn->was_told()) say(std::move(text), turn);
        turn->place.reset();
        pump();
    }

  private:
    /// Takes requests as far as the limits allow, and stops or goes on reading accordingly.
    void pump() {
        if (closed_ || pumping_) return;
        pumping_ = true;
        while (!is_full() && take_request()) {
            patience_.end();  // that request is finished; the next one has time of its own
        }
        pumping_ = false;
        if (closed_) return;
        if (is_full()) {
            patience_.watch(false, {});
            pause();
            return;
        }
        patience_.watch(!ended_ && requests_.is_inside(), server_.limits.most_request_time);
        resume();
        if (ended_ && pending_ == 0) connection_->close_when_sent();
    }
    [[nodiscard]] bool is_full() const {
        return pending_ >= server_.limits.most_pending || connection_->queued() > server_.limits.most_queued_octets;
    }
    void pause() {
        if (!paused_) connection_->pause_reading();
        paused_ = true;
    }
    void resume() {
        if (paused_ && !ended_) connection_->resume_reading();
        paused_ = false;
    }

    /// False where there is no whole request.
    bool take_request() {
        if (broken_) return false;
        const Result<std::optional<std::string>> request = requests_.take();
        if (!request) {
            // There is no reply that says so, and no telling where the next request would begin.
            server_.tools.log.client_trouble("Postfix socket", request.error().text);
            ++server_.counters.postfix_broken_framing;
            broken_ = true;
            ended_ = true;
            connection_->pause_reading();
            return false;
        }
        if (!*request) return false;
        ask(**request);
        return true;
    }
    void ask(std::string_view request) {
        ++server_.counters.postfix_requests;
        waiting_.push_back(std::make_shared<Turn>());
        const TurnRef turn = waiting_.back();
        std::variant<PolicyQuestion, std::string> parsed = parse_policy_request(request);
        if (auto* known = std::get_if<std::string>(&parsed)) {
            say(std::move(*known), turn);
            return;
        }
        auto& question = std::get<PolicyQuestion>(parsed);
        if (server_.is_full() || !find_place(question.next_hop.name, turn)) {
            ++server_.counters.postfix_overloaded;
            say(overloaded_policy_reply(), turn);
        } else {
            ++pending_;
            ++server_.pending;
            server_.tools.scheduler.spawn(server_.converse(shared_from_this(), std::move(question), turn));
        }
    }
    /// False where there is none. Who has to give it up later, to a domain or a client that has fewer, is told so then.
    bool find_place(const dns::Name& domain, const TurnRef& turn) {
        const std::optional<net::PeerCredentials> peer = connection_->credentials();
        const resolve::Crowd::Claim claim(domain, peer ? "user " + std::to_string(peer->user) : std::string());
        auto lost = [self = weak_from_this(), its = std::weak_ptr(turn)] {
            const std::shared_ptr<Conversation> conversation = self.lock();
            const TurnRef its_turn = its.lock();
            if (conversation && its_turn) conversation->give_up(its_turn);
        };
        turn->place.emplace(server_.crowd, claim, resolve::Crowd::Stay::unknown, std::move(lost));
        return turn->place->is_held();
    }
    void give_up(const TurnRef& turn) {
        ++server_.counters.postfix_overloaded;
        say(overloaded_policy_reply(), turn);
    }
    void say(std::string text, const TurnRef& turn) {
        server_.count_reply(text);
        turn->reply = std::move(text);
        while (!waiting_.empty() && waiting_.front()->reply) {
            send(*waiting_.front()->reply);
            waiting_.pop_front();
        }
    }
    void send(std::string_view text) {
        if (closed_) return;
        const std::string framed = netstring(text);
        const BytesView octets = as_bytes(framed);
        connection_->send(Bytes(octets.begin(), octets.end()));
    }

    State& server_;
    net::ConnectionRef connection_;
    Patience patience_;
    NetstringReader requests_;
    std::deque<TurnRef> waiting_;  ///< replies in the order of their requests
    std::size_t pending_ = 0;
    bool ended_ = false, broken_ = false, closed_ = false, paused_ = false, pumping_ = false;
};

void PostfixServer::State::count_reply(std::string_view reply) {
    switch (policy_reply_kind(reply)) {
        case PolicyReplyKind::dane_only:
            ++counters.postfix_dane_only;
            return;
        case PolicyReplyKind::dane:
            ++counters.postfix_dane;
            return;
        case PolicyReplyKind::secure:
            ++counters.postfix_secure;
            return;
        case PolicyReplyKind::encrypt:
            ++counters.postfix_encrypt;
            return;
        case PolicyReplyKind::may:
            ++counters.postfix_may;
            return;
        case PolicyReplyKind::not_found:
            ++counters.postfix_not_found;
            return;
        case PolicyReplyKind::temp:
            ++counters.postfix_temp;
            return;
        case PolicyReplyKind::perm:
            ++counters.postfix_perm;
            return;
    }
}

task::Task<void> PostfixServer::State::converse(std::shared_ptr<Conversation> conversation, PolicyQuestion asked,
                                                TurnRef turn) {
    const std::string what = "policy " + asked.next_hop.to_text();
    const PolicyMap map = asked.map;
    route::MailQuestion question;
    question.next_hop = std::move(asked.next_hop);
    question.deadline = tools.clock.mono() + limits.deadline;
    const QuestionNumber number = tools.log.next_question();
    question.number = number;
    route::MailAnswerRef answer = co_await tools.router.ask(std::move(question));
    std::string text = policy_reply(map, *answer);
    tools.log.answered(number, what, text);
    conversation->reply(std::move(text), turn);
}

PostfixServer::PostfixServer(PostfixLimits limits, Tools tools) : state_(std::make_unique<State>(limits, tools)) {}
PostfixServer::~PostfixServer() = default;

void PostfixServer::count(DoorCounters& counters) const {
    counters += state_->counters;
}

void PostfixServer::restrain(Restraint restraint) {
    const bool few = restraint == Restraint::few;
    const std::size_t usual = state_->limits.most_pending_in_all;
    state_->most_at_once = few ? std::min(few_questions, usual) : usual;
    state_->crowd->set_most(state_->most_at_once);
}

std::shared_ptr<net::ConnectionUser> PostfixServer::greet(net::ConnectionRef connection) {
    connection->close_when_idle_for(state_->limits.most_idle_time);
    return std::make_shared<Conversation>(*state_, std::move(connection));
}

}  // namespace mxtrust::serve
