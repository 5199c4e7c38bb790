// The store on disk: shared between workers, bounded, and there again after a restart.
#include "cache/store.h"

#include <catch2/catch.hpp>
#include <thread>

#include "findings.h"
#include "place.h"

using namespace mxtrust;
using namespace mxtrust::cache;
using namespace mxtrust::test;
using dns::Type;
using dnssec::Security;

namespace {

const dns::Name host = name("mail.example.org");
dnssec::FindingRef address(int count, WallTime expires = start + seconds(3600)) {
    return records("h" + std::to_string(count) + ".example.org", Type::a, {"192.0.2.1"}, {.expires = expires});
}
dns::Name address_name(int count) {
    return name("h" + std::to_string(count) + ".example.org");
}

}  // namespace

TEST_CASE("what was stored is there after a restart, with its status, proof and reason", "[store]") {
    const Place place;
    const std::vector<dnssec::FindingRef> all{
        records("mail.example.org", Type::a, {"192.0.2.1"}), nodata("mail.example.org", Type::aaaa),
        bogus("bad.example.org", Type::a),
        records("plain.example", Type::mx, {"0 ."}, {.security = Security::insecure, .zone = "plain.example"})};
    {
        const OpenStore opened = open_store(place.settings());
        const auto view = opened.store->view();
        for (const auto& finding : all) view->store(finding);
        view->store_cut(cut("example.org"));
        view->store_note("ledger/x", "value", start + seconds(60));
    }
    const OpenStore opened = open_store(place.settings(), start + seconds(1));
    CHECK(opened.notices.empty());
    const auto view = opened.store->view();
    for (const auto& finding : all) {
        const auto found = view->find(finding->name(), finding->type(), start + seconds(1));
        REQUIRE(found);
        CHECK(same(*found, *finding));
    }
    CHECK(*view->find_cut(name("example.org"), start) == cut("example.org"));
    CHECK(view->find_note("ledger/x", start) == "value");
    CHECK(view->counters().entries == all.size() + 2 + 2);
}

TEST_CASE("a worker sees at once what it stored, others after the commit", "[store]") {
    const Place place;
    auto settings = place.settings();
    settings.batch_time = std::chrono::hours(1);
    const OpenStore opened = open_store(settings);
    const auto one = opened.store->view(), other = opened.store->view();
    one->store(address(1));
    CHECK(one->find(address_name(1), Type::a, start) != nullptr);
    CHECK(other->find(address_name(1), Type::a, start) == nullptr);
    opened.store->sync();
    CHECK(one->find(address_name(1), Type::a, start) != nullptr);
    CHECK(other->find(address_name(1), Type::a, start) != nullptr);
    CHECK(one->counters().hits == 3);
    CHECK(one->counters().misses == 1);
}

TEST_CASE("the rules hold between workers that do not see each other's entries yet", "[store]") {
    const Place place;
    auto settings = place.settings();
    settings.batch_time = std::chrono::hours(1);
    const OpenStore opened = open_store(settings);
    const auto one = opened.store->view(), other = opened.store->view();
    one->store(records("mail.example.org", Type::a, {"192.0.2.1"}));
    other->store(bogus("mail.example.org", Type::a));
    other->store(nxdomain("gone.example.org", Type::mx));
    one->store(records("gone.example.org", Type::a, {"192.0.2.1"}));
    opened.store->sync();
    for (const auto* view : {&one, &other}) {
        CHECK((*view)->find(host, Type::a, start)->is_secure());
        CHECK((*view)->find_nxdomain(name("gone.example.org"), start) == nullptr);
    }
}

TEST_CASE("a flush is seen by all workers at once, also of what nobody has committed", "[store]") {
    const Place place;
    auto settings = place.settings();
    settings.batch_time = std::chrono::hours(1);
    const OpenStore opened = open_store(settings);
    const auto one = opened.store->view(), other = opened.store->view();
    one->store(address(1));
    opened.store->sync();
    other->store(address(2));
    CHECK(one->flush(name("example.org"), true) == 1);
    for (const int count : {1, 2}) {
        CHECK(one->find(address_name(count), Type::a, start) == nullptr);
        CHECK(other->find(address_name(count), Type::a, start) == nullptr);
    }
    other->store(address(3));
    CHECK(other->find(address_name(3), Type::a, start) != nullptr);
    opened.store->sync();
    CHECK(one->find(address_name(1), Type::a, start) == nullptr);
    CHECK(one->find(address_name(2), Type::a, start) == nullptr);
    CHECK(one->find(address_name(3), Type::a, start) != nullptr);
    CHECK(one->counters().entries == 1);
}

TEST_CASE("a flush of everything leaves the notes", "[store]") {
    const Place place;
    const OpenStore opened = open_store(place.settings());
    const auto view = opened.store->view();
    for (int count = 0; count < 3000; ++count) view->store(address(count));
    view->store_note("kept", "yes", start + seconds(60));
    opened.store->sync();
    CHECK(view->flush(dns::Name(), true) == 3000);
    opened.store->sync();
    CHECK(view->counters().entries == 1);
    CHECK(view->find_note("kept", start) == "yes");
}

TEST_CASE("a judgement of another epoch does not exist; a note does", "[store]") {
    const Place place;
    {
        const OpenStore opened = open_store(place.settings());
        const auto view = opened.store->view();
        view->store(records("mail.example.org", Type::a, {"192.0.2.1"}));
        view->store_cut(cut("example.org"));
        view->store_note("anchors", "state", start + seconds(60));
    }
    auto settings = place.settings();
    settings.epoch = "other anchors";
    {
        const OpenStore opened = open_store(settings);
        CHECK(opened.notices.empty());
        const auto view = opened.store->view();
        CHECK(view->find(host, Type::a, start) == nullptr);
        CHECK(view->find_cut(name("example.org"), start) == nullptr);
        CHECK(view->find_note("anchors", start) == "state");
        // Nor does it protect itself from what is judged now.
        view->store(bogus("mail.example.org", Type::a));
        opened.store->sync();
        CHECK(view->find(host, Type::a, start)->security() == Security::bogus);
    }
    const OpenStore opened = open_store(place.settings());
    const auto view = opened.store->view();
    CHECK(view->find(host, Type::a, start) == nullptr);
    view->store(records("mail.example.org", Type::a, {"192.0.2.1"}));
    CHECK(view->find(host, Type::a, start) != nullptr);
    opened.store->set_epoch("changed while running");
    CHECK(view->find(host, Type::a, start) == nullptr);
    opened.store->sync();
    CHECK(view->find(host, Type::a, start) == nullptr);
}

TEST_CASE("two processes' stores on one directory are refused, and told why", "[store]") {
    const Place place;
    const OpenStore opened = open_store(place.settings());
    Notices notices;
    const auto second = LmdbStore::open(place.settings(), start, notices);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == FailureKind::refused);
    CHECK(second.error().text.find("in use by another process, " + std::to_string(::getpid())) != std::string::npos);
    const auto view = opened.store->view();
    view->store(address(1));
    CHECK(view->find(address_name(1), Type::a, start) != nullptr);
}

TEST_CASE("the file stays within its limit; a flood of rubbish pushes out rubbish only", "[store]") {
    const Place place;
    auto settings = place.settings();
    settings.most_octets = std::uint64_t{2} << 20;
    settings.batch_entries = 256;
    const OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    CHECK(view->find(host, Type::a, start) == nullptr);
    for (int count = 0; count < 500; ++count) view->store(address(count));
    view->store_cut(cut("example.org"));
    for (int count = 0; count < 30000; ++count) {
        view->store(nxdomain("rubbish" + std::to_string(count * 7919 % 30000) + ".example.org", Type::a));
        if (count % 1000 == 0) opened.store->sync();
    }
    opened.store->sync();
    const CacheCounters counters = view->counters();
    CHECK(counters.evicted > 15000);
    CHECK(counters.dropped == 0);
    CHECK(counters.octets <= settings.most_octets);
    CHECK(std::filesystem::file_size(place.data()) <= settings.most_octets);
    CHECK(opened.store->take_notices().empty());
    int kept = 0;
    for (int count = 0; count < 500; ++count) kept += view->find(address_name(count), Type::a, start) ? 1 : 0;
    CHECK(kept == 500);
    CHECK(view->find_cut(name("example.org"), start) != nullptr);
}

TEST_CASE("when all is of one kind, the expired goes first, then what ends soonest; the used stays longer", "[store]") {
    const Place place;
    auto settings = place.settings();
    settings.most_octets = std::uint64_t{1} << 20;
    const OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    CHECK(view->find(host, Type::a, start) == nullptr);
    for (int count = 0; count < 300; ++count) view->store(address(count, start + seconds(100)));
    opened.store->sync();
    for (int count = 0; count < 100; ++count) CHECK(view->find(address_name(count), Type::a, start) != nullptr);
    for (int count = 300; count < 8000; ++count) {
        view->store(address(count, start + seconds(3600)));
        if (count % 500 == 0) opened.store->sync();
    }
    opened.store->sync();
    const auto there = [&](int from, int to) {
        int found = 0;
        for (int count = from; count < to; ++count) found += view->find(address_name(count), Type::a, start) ? 1 : 0;
        return found;
    };
    CHECK(view->counters().evicted > 0);
    CHECK(there(0, 100) == 100);
    CHECK(there(100, 300) == 0);
    CHECK(there(300, 8000) > 1000);
}

TEST_CASE("a queue that is full costs entries on disk, not the answer", "[store]") {
    const Place place;
    auto settings = place.settings();
    settings.batch_time = std::chrono::hours(1);
    settings.most_waiting_octets = 4096;
    const OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    for (int count = 0; count < 100; ++count) view->store(address(count));
    CHECK(view->counters().dropped > 50);
    for (int count = 0; count < 100; ++count) CHECK(view->find(address_name(count), Type::a, start) != nullptr);
    opened.store->sync();
    view->store(address(200));
    opened.store->sync();
    CHECK(view->find(address_name(200), Type::a, start) != nullptr);
}

TEST_CASE("a worker's memory of what is not committed is bounded", "[store]") {
    const Place place;
    auto settings = place.settings();
    settings.batch_time = std::chrono::hours(1);
    settings.batch_entries = 1'000'000;
    settings.most_overlay_octets = 100'000;
    const OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    int found = 0;
    for (int count = 0; count < 5000; ++count) view->store(address(count));
    for (int count = 0; count < 5000; ++count) found += view->find(address_name(count), Type::a, start) ? 1 : 0;
    CHECK(found > 50);
    CHECK(found < 500);
    opened.store->sync();
    found = 0;
    for (int count = 0; count < 5000; ++count) found += view->find(address_name(count), Type::a, start) ? 1 : 0;
    CHECK(found == 5000);
}

TEST_CASE("many workers read and write side by side, one flushes, and nobody sees anything wrong", "[store][threads]") {
    const Place place;
    auto settings = place.settings();
    settings.batch_time = std::chrono::milliseconds(1);
    const OpenStore opened = open_store(settings);
    constexpr int workers = 4, rounds = 1500;
    std::atomic<int> wrong{0}, found{0};
    const auto work = [&](int worker) {
        const auto view = opened.store->view();
        for (int round = 0; round < rounds; ++round) {
            const int own = (round * workers + worker) % 500, other = (round * 31 + worker) % 500;
            view->store(address(own));
            const auto others = view->find(address_name(other), Type::a, start);
            if (!others) continue;
            ++found;
            if (!same(*others, *address(other))) ++wrong;
            if (worker == 0 && round % 100 == 0) view->flush(address_name(other), false);
        }
    };
    std::vector<std::thread> threads;
    for (int worker = 0; worker < workers; ++worker) threads.emplace_back(work, worker);
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
    CHECK(found > rounds);
    opened.store->sync();
    CHECK(opened.store->take_notices().empty());
}
