// Readers take no lock; their slots are few, and one that was killed holds nothing back.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "cache/environment.h"
#include "findings.h"
#include "place.h"

using namespace mxtrust;
using namespace mxtrust::cache;
using namespace mxtrust::test;
using dns::Type;

namespace {

/// Replaces the same records again and again, a transaction each time: without readers the file hardly grows.
std::uintmax_t churn(const Place& place) {
    const OpenStore opened = open_store(place.settings());
    const auto view = opened.store->view();
    for (int round = 0; round < 60; ++round) {
        for (int count = 0; count < 200; ++count)
            view->store(
                records("h" + std::to_string(count) + ".example.org", Type::a, {"192.0.2." + std::to_string(round)}));
        opened.store->sync();
    }
    CHECK(opened.store->take_notices().empty());
    return std::filesystem::file_size(place.data());
}

}  // namespace

TEST_CASE("a reader that was killed in the middle of a snapshot does not make the file grow", "[readers]") {
    const Place undisturbed, place;
    churn(place);
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const auto environment = Environment::open(place.data(), place.settings().most_octets);
        if (!environment) ::_exit(1);
        ReadView reader(*environment);
        reader.begin();
        if (!reader.get(answer_key(name("h1.example.org"), Type::a)) || ::write(ready[1], "x", 1) != 1) ::_exit(1);
        for (;;) ::pause();
    }
    ::close(ready[1]);
    char told = 0;
    REQUIRE(::read(ready[0], &told, 1) == 1);
    ::close(ready[0]);
    REQUIRE(::kill(child, SIGKILL) == 0);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const auto expected = churn(undisturbed);
    CHECK(churn(place) <= 2 * expected);
}

TEST_CASE("more readers than there are slots: some know only what they stored themselves, and nothing breaks",
          "[readers]") {
    const Place place;
    const OpenStore opened = open_store(place.settings());
    std::vector<std::unique_ptr<LmdbCache>> views;
    views.push_back(opened.store->view());
    views.front()->store(records("h.example.org", Type::a, {"192.0.2.1"}));
    opened.store->sync();
    constexpr std::size_t slots = 254, more = 30;
    while (views.size() < slots + more) views.push_back(opened.store->view());
    std::size_t found = 0;
    for (const auto& view : views) found += view->find(name("h.example.org"), Type::a, start) ? 1 : 0;
    CHECK(found >= slots);
    const auto& last = views.back();
    last->store(records("own.example.org", Type::a, {"192.0.2.2"}));
    CHECK(last->find(name("own.example.org"), Type::a, start));
    opened.store->sync();
    CHECK(views.front()->find(name("own.example.org"), Type::a, start));
    CHECK(opened.store->take_notices().empty());
    views.erase(views.begin(), views.begin() + 100);
    CHECK(views.back()->find(name("h.example.org"), Type::a, start));
}
