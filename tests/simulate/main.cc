// The resolver in a simulated Internet, many of them, in virtual time. See tests/simulate/run.
//
//   simulate --resolutions N --seed S [--each N]     histories from one seed until N questions were answered
//   simulate --history S [--each N] [--trace]        one history, by its own seed
#include <cstdio>
#include <cstdlib>
#include <new>

#include "simulate/history.h"

namespace {

/// Objects on the heap; what outlives a history has leaked.
std::int64_t alive = 0;

}  // namespace

void* operator new(std::size_t size) {
    void* memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) std::abort();
    ++alive;
    return memory;
}
void operator delete(void* memory) noexcept {
    if (memory == nullptr) return;
    --alive;
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    operator delete(memory);
}

namespace {

using namespace simulate;

struct Arguments {
    std::uint64_t resolutions = 20'000;
    std::uint64_t seed = 1;
    std::uint64_t each = 500;
    bool one = false;
    bool trace = false;
};

Arguments parse(int count, char** words) {
    Arguments made;
    for (int at = 1; at < count; ++at) {
        const std::string_view word = words[at];
        if (word == "--trace") {
            made.trace = true;
            continue;
        }
        if (at + 1 == count) {
            std::fprintf(stderr, "simulate: %s needs a number\n", words[at]);
            std::exit(64);
        }
        const std::uint64_t number = std::strtoull(words[++at], nullptr, 10);
        if (word == "--resolutions") {
            made.resolutions = number;
        } else if (word == "--seed") {
            made.seed = number;
        } else if (word == "--each") {
            made.each = std::max<std::uint64_t>(number, 1);
        } else if (word == "--history") {
            made.seed = number;
            made.one = true;
        } else {
            std::fprintf(stderr, "simulate: what is %s?\n", words[at - 1]);
            std::exit(64);
        }
    }
    return made;
}

/// One history; what did not hold is printed with what led to it. Returns how many rules did not hold.
std::size_t live(std::uint64_t seed, std::uint64_t resolutions, bool with_trace, Tally& tally) {
    const std::int64_t before = alive;
    std::vector<Violation> violations;
    {
        std::vector<std::string> trace;
        violations = run_history(seed, resolutions, tally, Tracing::off, trace);
    }
    const auto left = alive - before;
    ++tally.held[static_cast<std::size_t>(Rule::nothing_left)];
    if (violations.empty() && left != 0)
        violations.push_back({Rule::nothing_left, std::to_string(left) + " objects are left on the heap"});
    if (violations.empty() && !with_trace) return 0;
    Tally again;
    std::vector<std::string> trace;
    run_history(seed, resolutions, again, Tracing::on, trace);
    const std::size_t shown = with_trace ? trace.size() : std::min<std::size_t>(trace.size(), 150);
    for (std::size_t line = trace.size() - shown; line < trace.size(); ++line)
        std::printf("    %s\n", trace[line].c_str());
    for (const Violation& violation : violations)
        std::printf("history %llu: %s: %s\n", static_cast<unsigned long long>(seed), to_text(violation.rule).data(),
                    violation.text.c_str());
    return violations.size();
}

/// "count N WHAT", for whoever adds the parts of a run.
void count_of(std::uint64_t number, const std::string& what) {
    std::printf("count %llu %s\n", static_cast<unsigned long long>(number), what.c_str());
}

void report(const Tally& tally, std::uint64_t histories) {
    count_of(tally.resolutions, "resolutions");
    count_of(tally.cancelled, "questions given up by who asked");
    count_of(histories, "histories");
    count_of(tally.packets, "packets sent to servers");
    count_of(tally.lies, "lies told by servers");
    count_of(tally.flushes, "times the cache was wiped");
    count_of(tally.closings, "times the cache was closed or opened");
    count_of(tally.changes, "changes of zones: data, signatures, keys, delegations");
    count_of(tally.steps, "times the clock was set");
    count_of(tally.outages, "times the network was cut off");
    count_of(tally.secure, "answers secure");
    count_of(tally.insecure, "answers insecure");
    count_of(tally.bogus, "answers bogus");
    count_of(tally.indeterminate, "answers indeterminate");
    for (std::size_t rule = 0; rule < rule_count; ++rule)
        count_of(tally.held[rule], "checked: " + std::string(to_text(static_cast<Rule>(rule))));
}

}  // namespace

int main(int count, char** words) {
    const Arguments arguments = parse(count, words);
    Tally tally;
    std::uint64_t histories = 0, failed = 0;
    {
        // What libraries make once and keep is made here.
        Tally warming;
        std::vector<std::string> trace;
        run_history(1, 20, warming, Tracing::off, trace);
    }
    mxtrust::SeededRandom seeds(arguments.seed);
    do {
        ++histories;
        const std::uint64_t seed = arguments.one ? arguments.seed : seeds.next() >> 16;
        failed += live(seed, arguments.each, arguments.trace, tally) > 0 ? 1 : 0;
    } while (!arguments.one && tally.resolutions < arguments.resolutions && failed < 5);
    report(tally, histories);
    std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(histories - failed),
                static_cast<unsigned long long>(failed));
    return failed == 0 ? 0 : 1;
}
