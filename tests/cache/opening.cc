// Before a file is looked over: what is in it can be read, whatever is in it.
#include <catch2/catch.hpp>
#include <map>

#include "base/random.h"
#include "cache/file_check.h"
#include "cache/file_view.h"
#include "cache/totals.h"
#include "findings.h"
#include "place.h"

using namespace mxtrust;
using namespace mxtrust::cache;
using namespace mxtrust::test;
using dns::Type;

namespace {

constexpr int entries = 700;

std::string host_text(int count) {
    return "h" + std::to_string(count) + ".example.org";
}

/// Enough for a tree of two levels, and one record too long for a page.
void fill(const Place& place, const std::string& address, int from = 0, int to = entries) {
    auto settings = place.settings();
    settings.batch_entries = 50;
    const OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    for (int count = from; count < to; ++count) {
        view->store(records(host_text(count), Type::a, {address}));
        if (count % 50 == 0) opened.store->sync();
    }
    view->store_note("large", std::string(20000, 'n'), start + seconds(3600));
}

std::map<std::string, Bytes> everything(Snapshot& records) {
    std::map<std::string, Bytes> found;
    records.scan({"a", "z"}, [&](const Entry& entry) {
        found.emplace(std::string(entry.key), Bytes(entry.record.begin(), entry.record.end()));
        return Walk::on;
    });
    return found;
}

std::shared_ptr<const MappedFile> mapped(const std::string& path) {
    return MappedFile::open(path).value();
}

}  // namespace

TEST_CASE("a file is read without LMDB as LMDB reads it", "[opening]") {
    const Place place;
    fill(place, "192.0.2.1");
    std::map<std::string, Bytes> expected;
    {
        ReadView reader(Environment::open(place.data(), std::uint64_t{16} << 20).value());
        reader.begin();
        expected = everything(reader);
        reader.end();
    }
    REQUIRE(expected.size() == entries + 1);
    const auto file = mapped(place.data());
    FileView view{std::weak_ptr(file)};
    view.begin();
    CHECK(everything(view) == expected);
    for (const auto& [key, record] : expected) {
        const auto found = view.get(key);
        REQUIRE(found);
        CHECK(as_text(*found) == as_text(record));
        CHECK_FALSE(view.get(key + '\1'));
        const auto before = view.at_or_before("a", key + '\1');
        if (key.front() == 'a') CHECK((before && before->key == key));
    }
    CHECK_FALSE(view.get("a"));
    CHECK_FALSE(view.at_or_before("a", "a"));
    CHECK(view.at_or_before("n", "o")->key == "nlarge");
    std::size_t some = 0;
    view.scan(prefix_range("a"), [&](const Entry&) { return ++some < 10 ? Walk::on : Walk::stop; });
    CHECK(some == 10);
    CHECK_FALSE(view.is_broken());
    view.end();
}

TEST_CASE("when its owner lets go of a file, all of it is absent", "[opening]") {
    const Place place;
    fill(place, "192.0.2.1", 0, 10);
    auto file = mapped(place.data());
    FileView view{std::weak_ptr(file)};
    file.reset();
    view.begin();
    CHECK(everything(view).empty());
    CHECK_FALSE(view.get("nlarge"));
    CHECK_FALSE(view.is_broken());
}

TEST_CASE("a store answers from what it found, also before that was looked over", "[opening]") {
    const Place place;
    fill(place, "192.0.2.1");
    for (int round = 0; round < 20; ++round) {
        Notices notices;
        const auto store = LmdbStore::open(place.settings(), start, notices).value();
        const auto view = store->view();
        for (int count = 0; count < entries; ++count) CHECK(view->find(name(host_text(count)), Type::a, start));
        view->store(records("new" + std::to_string(round) + ".example.org", Type::a, {"192.0.2.7"}));
        if (round % 2 == 0) store->sync();
        CHECK(view->find(name("new" + std::to_string(round) + ".example.org"), Type::a, start));
        CHECK(store->take_notices().empty());
    }
}

TEST_CASE("what is forgotten before the file was looked over does not come back", "[opening]") {
    const Place place;
    fill(place, "192.0.2.1");
    for (int round = 0; round < 20; ++round) {
        const int count = round * 10;
        {
            Notices notices;
            const auto store = LmdbStore::open(place.settings(), start, notices).value();
            const auto view = store->view();
            CHECK(view->flush(name(host_text(count)), false) == 1);
            CHECK_FALSE(view->find(name(host_text(count)), Type::a, start));
        }
        const OpenStore opened = open_store(place.settings());
        CHECK_FALSE(opened.store->view()->find(name(host_text(count)), Type::a, start));
        CHECK(opened.store->view()->find(name(host_text(count + 1)), Type::a, start));
    }
}

TEST_CASE("whatever is in a file, reading it ends, and a whole record is one that was written", "[opening]") {
    const Place place;
    fill(place, "192.0.2.1");
    const Bytes good = slurp(place.data());
    const std::size_t pages = good.size() / 4096;
    SeededRandom random(17);
    std::size_t broken = 0;
    for (int round = 0; round < 400; ++round) {
        Bytes damaged = good;
        for (std::uint64_t times = 1 + random.below(8); times > 0; --times) {
            const std::size_t page = random.below(pages) * 4096;
            damaged[page + random.below(round % 2 == 0 ? 160 : 4096)] = static_cast<std::uint8_t>(random.below(256));
        }
        spill(place.path() + "/copy", damaged);
        const auto file = mapped(place.path() + "/copy");
        FileView view{std::weak_ptr(file)};
        view.begin();
        for (const auto& [key, record] : everything(view)) static_cast<void>(is_whole(key, record));
        for (int count = 0; count < entries; count += 7) {
            const std::string key = answer_key(name(host_text(count)), Type::a);
            const auto record = view.get(key);
            if (!record || !is_whole(key, *record)) continue;
            CHECK(as_text(*record).find(std::string("\xC0\x00\x02\x01", 4)) != std::string::npos);
        }
        static_cast<void>(view.at_or_before("d", "dz"));
        broken += view.is_broken() ? 1 : 0;
        view.end();
    }
    CHECK(broken > 50);
}

TEST_CASE("a page of an older moment among newer ones is found, although each of its records is whole", "[opening]") {
    const Place place;
    fill(place, "192.0.2.1");
    std::vector<Bytes> moments;
    {
        // The same few records again and again, one to a transaction: their pages take turns in the same places.
        const OpenStore opened = open_store(place.settings());
        const auto view = opened.store->view();
        for (int round = 0; round < 40; ++round) {
            view->store(records(host_text(round % 3), Type::a, {"198.51.100." + std::to_string(round)}));
            opened.store->sync();
            if (round >= 20) moments.push_back(slurp(place.data()));
        }
    }
    REQUIRE(check_file(moments.back()));
    const Bytes& newest = moments.back();
    const auto contents = [&](const Bytes& octets) {
        spill(place.path() + "/copy", octets);
        const auto file = mapped(place.path() + "/copy");
        FileView view{std::weak_ptr(file)};
        view.begin();
        auto found = everything(view);
        view.end();
        return found;
    };
    const auto expected = contents(newest);
    std::size_t found = 0, harmless = 0;
    for (std::size_t older = 0; older + 1 < moments.size(); ++older) {
        for (std::size_t page = 2; (page + 1) * 4096 <= moments[older].size(); ++page) {
            Bytes mixed = newest;
            const auto at = static_cast<std::ptrdiff_t>(page * 4096);
            std::copy_n(moments[older].begin() + at, 4096, mixed.begin() + at);
            if (check_file(mixed)) {
                ++harmless;
                CHECK(contents(mixed) == expected);
            } else {
                ++found;
            }
        }
    }
    CHECK(found > 20);
    CHECK(harmless > 20);
}

TEST_CASE("totals say which records there are, in any order", "[opening]") {
    const Bytes first = {1, 2, 3, 4, 5, 6, 7, 8, 9}, second = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    Totals totals, other;
    totals.add(first);
    totals.add(second);
    other.add(second);
    CHECK_FALSE(totals == other);
    other.add(first);
    CHECK(totals == other);
    CHECK(Totals::read(totals.write()) == totals);
    CHECK(totals.fits(other));
    CHECK_FALSE(totals.fits(std::nullopt));
    CHECK(Totals().fits(std::nullopt));
    Bytes stored = totals.write();
    for (std::uint8_t& octet : stored) {
        octet ^= 4;
        CHECK_FALSE(Totals::read(stored));
        octet ^= 4;
    }
    totals.subtract(second);
    totals.subtract(first);
    CHECK(totals == Totals());
}
