// One form of an awaiting statement per FORM, the rest the same: allowed ones (the coroutine rule of
// resolver/README.md) and forbidden ones. The answer is right when the length comes back and every object has ended
// exactly once.
#include "tiny_task.h"

#include <optional>
#include <variant>

namespace {

/// Long enough to live on the heap, so that a second destruction is noticed.
const std::string words = "a text that is longer than any small string";
const int right = static_cast<int>(words.size()) + 1;

struct Question {
    Counted name;
    int type = 0;
};

Task<int> ask(Question question) {
    co_return static_cast<int>(question.name.text.size()) + question.type;
}
Task<int> measure(Counted counted) {
    co_return static_cast<int>(counted.text.size()) + 1;
}
Task<int> number(int value) {
    co_return value;
}
template <class Function>
Task<int> with(Function function) {
    co_return function();
}

#if FORM == 1  // allowed: a named local, moved
Task<int> body(std::string text) {
    Question question{Counted(text), 1};
    int answer = co_await ask(std::move(question));
    co_return answer;
}
#elif FORM == 2   // allowed: a class with a constructor as a temporary
Task<int> body(std::string text) {
    int answer = co_await measure(Counted(text));
    co_return answer;
}
#elif FORM == 3   // allowed: the awaiting statement is the body of an if and of a loop
Task<int> body(std::string text) {
    int answer = 0;
    if (!text.empty()) answer = co_await number(1);
    for (int round = 0; round < static_cast<int>(text.size()); ++round) {
        int step = co_await number(1);
        answer += step;
    }
    co_return answer;
}
#elif FORM == 4   // allowed: co_return co_await, and a bare await
Task<int> body(std::string text) {
    Counted counted(text);
    co_await number(3);
    co_return co_await measure(std::move(counted));
}
#elif FORM == 5   // allowed: a named lambda, moved
Task<int> body(std::string text) {
    Counted counted(text);
    auto length = [counted] { return static_cast<int>(counted.text.size()) + 1; };
    int answer = co_await with(std::move(length));
    co_return answer;
}
#elif FORM == 6   // allowed: what an if tests is not awaited, its body returns what is
Task<int> body(std::string text) {
    Counted counted(text);
    std::optional<Question> other;
    if (other) co_return co_await ask(std::move(*other));
    if (counted.text.size() > 3 && !counted.text.empty()) co_return co_await measure(std::move(counted));
    co_return 0;
}
#elif FORM == 7   // allowed: an if that looks through a pointer, an assignment in its body
Task<int> body(std::string text) {
    auto question = std::make_shared<Question>();
    question->name = Counted(text);
    Counted counted(text);
    int answer = 0;
    if (!question->type) co_await number(3);
    if (question && !question->name.text.empty()) answer = co_await measure(std::move(counted));
    co_return answer;
}
#elif FORM == 8   // allowed: an if that declares, its body moves out of what was found
Task<int> body(std::string text) {
    std::variant<std::monostate, Counted, Question> request(std::in_place_type<Question>, Question{Counted(text), 1});
    if (auto* counted = std::get_if<Counted>(&request)) co_return co_await measure(std::move(*counted));
    if (auto* question = std::get_if<Question>(&request)) co_return co_await ask(std::move(*question));
    co_return 0;
}
#elif FORM == 9   // allowed: a bare await as the body of a while, and of an if that calls
struct Guests {
    int left = 3;
    Counted name;
    [[nodiscard]] bool may() const { return left > 0; }
};
Task<int> body(std::string text) {
    auto guests = std::make_shared<Guests>();
    guests->name = Counted(text);
    while (guests->left > 0) co_await number(--guests->left);
    if (!guests->left && !guests->may()) co_await number(1);
    if (!guests->may()) co_return co_await measure(Counted(text));
    co_return guests->left;
}
#elif FORM == 11  // forbidden: an aggregate made in the statement
Task<int> body(std::string text) {
    int answer = co_await ask(Question{Counted(text), 1});
    co_return answer;
}
#elif FORM == 12  // forbidden: braces
Task<int> body(std::string text) {
    int answer = co_await ask({Counted(text), 1});
    co_return answer;
}
#elif FORM == 13  // forbidden: a lambda written in the statement
Task<int> body(std::string text) {
    Counted counted(text);
    int answer = co_await with([counted] { return static_cast<int>(counted.text.size()) + 1; });
    co_return answer;
}
#elif FORM == 14  // forbidden: ?: among the arguments
Task<int> body(std::string text) {
    Counted counted(text);
    int answer = co_await measure(text.size() > 3 ? counted : Counted("short"));
    co_return answer;
}
#elif FORM == 15  // forbidden: an await in a branch of ?:
Task<int> body(std::string text) {
    Counted counted(text);
    int answer = text.size() > 3 ? co_await ask(Question{counted, 1}) : 0;
    co_return answer;
}
#endif

}  // namespace

int main() {
    int answer = 0;
    {
        Task<int> task = body(words);
        answer = task.run();
    }
    return verdict(answer == right);
}
