// A file that is not to be believed: noticed, set aside, begun anew, never served.
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "base/random.h"
#include "cache/file_check.h"
#include "cache/file_view.h"
#include "findings.h"
#include "place.h"

using namespace mxtrust;
using namespace mxtrust::cache;
using namespace mxtrust::test;
using dns::Type;

namespace {

dns::Name address_name(int count) {
    return name("h" + std::to_string(count) + ".example.org");
}

void fill(const StoreSettings& settings, int entries) {
    const OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    for (int count = 0; count < entries; ++count) {
        view->store(records("h" + std::to_string(count) + ".example.org", Type::a, {"192.0.2.1"}));
        if (count % 100 == 0) opened.store->sync();
    }
    view->store_note("large", std::string(20000, 'n'), start + seconds(3600));
}

int count_found(LmdbCache& view, int entries) {
    int found = 0;
    for (int count = 0; count < entries; ++count) found += view.find(address_name(count), Type::a, start) ? 1 : 0;
    return found;
}

void set_aside_and_works(const Place& place, const std::string& why) {
    const OpenStore opened = open_store(place.settings());
    INFO(why);
    REQUIRE(opened.notices.size() == 1);
    INFO(opened.notices.front());
    CHECK(opened.notices.front().find(why) != std::string::npos);
    CHECK(place.set_aside().size() == 1);
    const auto view = opened.store->view();
    CHECK(count_found(*view, 100) == 0);
    view->store(records("h1.example.org", Type::a, {"192.0.2.1"}));
    opened.store->sync();
    CHECK(view->find(address_name(1), Type::a, start) != nullptr);
    CHECK(view->counters().entries == 1);
}

bool is_there(LmdbCache& view, std::string_view owner, WallTime now) {
    return view.find(name(owner), Type::a, now) != nullptr;
}

}  // namespace

TEST_CASE("a whole file passes the check, whatever was written, evicted and flushed", "[damage]") {
    const Place place;
    auto settings = place.settings();
    settings.most_octets = std::uint64_t{1} << 20;
    SeededRandom random(5);
    for (int round = 0; round < 8; ++round) {
        {
            const OpenStore opened = open_store(settings);
            CHECK(opened.notices.empty());
            const auto view = opened.store->view();
            for (int count = 0; count < 1500; ++count) {
                view->store(records("h" + std::to_string(random.below(5000)) + ".example.org", Type::a, {"192.0.2.1"}));
                if (count % 200 == 0) opened.store->sync();
                if (count % 400 == 0)
                    view->store_note("n" + std::to_string(round), std::string(random.below(60000), 'x'),
                                     start + seconds(60));
            }
            view->flush(address_name(round), true);
        }
        const auto whole = check_file_at(place.data());
        INFO((whole ? "" : whole.error().text));
        CHECK(whole);
    }
}

TEST_CASE("a file that was not closed before the system went down is not believed", "[damage]") {
    const Place place;
    fill(place.settings(), 100);
    SECTION("it was closed: another boot believes it") {
        auto settings = place.settings();
        settings.boot_id = "another-boot";
        const OpenStore opened = open_store(settings);
        CHECK(opened.notices.empty());
        CHECK(count_found(*opened.store->view(), 100) == 100);
    }
    SECTION("it was in use in another boot") {
        spill(place.path() + "/state", as_bytes("mxtrust cache state\nformat 2\nboot another-boot\nleft open\n"));
        set_aside_and_works(place, "not closed before the system went down");
    }
    SECTION("it was in use in this boot: the kernel has all of it") {
        spill(place.path() + "/state", as_bytes("mxtrust cache state\nformat 2\nboot this-boot\nleft open\n"));
        const OpenStore opened = open_store(place.settings());
        CHECK(opened.notices.empty());
        CHECK(count_found(*opened.store->view(), 100) == 100);
    }
    SECTION("nothing says how it was left") {
        std::filesystem::remove(place.path() + "/state");
        set_aside_and_works(place, "nothing says how it was left");
    }
    SECTION("another version wrote it") {
        spill(place.path() + "/state", as_bytes("mxtrust cache state\nformat 0\nboot this-boot\nleft clean\n"));
        set_aside_and_works(place, "another version");
    }
}

TEST_CASE("a damaged file is set aside; one such file is kept", "[damage]") {
    const Place place;
    fill(place.settings(), 100);
    Bytes file = slurp(place.data());
    SECTION("empty") {
        spill(place.data(), {});
        const OpenStore opened = open_store(place.settings());
        CHECK(count_found(*opened.store->view(), 100) == 0);
    }
    SECTION("not LMDB's") {
        spill(place.data(), as_bytes(std::string(100'000, 'x')));
        set_aside_and_works(place, "damaged");
    }
    SECTION("cut short") {
        spill(place.data(), BytesView(file).first(file.size() / 2));
        set_aside_and_works(place, "damaged");
    }
    SECTION("another version of LMDB") {
        file[20] = 2;
        spill(place.data(), file);
        set_aside_and_works(place, "format");
    }
    SECTION("twice") {
        for (const char* why : {"damaged", "damaged"}) {
            spill(place.data(), as_bytes(std::string(100'000, 'x')));
            set_aside_and_works(place, why);
        }
    }
}

TEST_CASE("a file or directory that is not only ours is not used", "[damage]") {
    const Place place;
    fill(place.settings(), 100);
    Notices notices;
    SECTION("directory writable by others") {
        REQUIRE(::chmod(place.path().c_str(), 0777) == 0);
        const auto store = LmdbStore::open(place.settings(), start, notices);
        REQUIRE_FALSE(store);
        CHECK(store.error().kind == FailureKind::refused);
        CHECK(store.error().text.find("may be written by others") != std::string::npos);
    }
    SECTION("file writable by others") {
        REQUIRE(::chmod(place.data().c_str(), 0666) == 0);
        set_aside_and_works(place, "may be written by others");
    }
    SECTION("a link") {
        const std::string elsewhere = place.path() + "/elsewhere";
        std::filesystem::rename(place.data(), elsewhere);
        std::filesystem::create_symlink(elsewhere, place.data());
        set_aside_and_works(place, "not a plain file");
    }
    SECTION("somebody else's") {
        if (::geteuid() != 0) return;  // only root can give files away
        REQUIRE(::chown(place.data().c_str(), 65534, 65534) == 0);
        set_aside_and_works(place, "somebody else");
        REQUIRE(::chown(place.path().c_str(), 65534, 65534) == 0);
        const auto store = LmdbStore::open(place.settings(), start, notices);
        REQUIRE_FALSE(store);
        CHECK(store.error().kind == FailureKind::refused);
    }
}

TEST_CASE("a directory that cannot be used yet is tried again, without a restart", "[damage]") {
    const Place place;
    const std::string obstacle = place.path() + "/obstacle";
    auto settings = place.settings();
    settings.directory = obstacle + "/store";
    const bool has_file = GENERATE(false, true);
    if (has_file) {  // of an earlier run
        std::filesystem::create_directory(obstacle);
        const OpenStore earlier = open_store(settings);
        earlier.store->view()->store(
            records("earlier.example", Type::a, {"192.0.2.1"}, {dnssec::Security::secure, start + seconds(7200)}));
        earlier.store->sync();
    }
    if (has_file) std::filesystem::rename(obstacle, obstacle + "-aside");
    std::ofstream(obstacle) << "no directory";
    Notices notices;
    const auto store = LmdbStore::open(settings, start, notices);
    REQUIRE(store);
    const auto view = (*store)->view();
    view->store(
        records("meanwhile.example", Type::a, {"192.0.2.1"}, {dnssec::Security::secure, start + seconds(7200)}));
    (*store)->sync();
    CHECK(is_there(*view, "meanwhile.example", start));
    CHECK(view->counters().keeping == Keeping::not_written);
    const bool flushed = GENERATE(false, true);
    if (flushed) view->flush(name("earlier.example"), false);
    (*store)->sync();
    std::filesystem::remove(obstacle);
    if (has_file) {
        std::filesystem::rename(obstacle + "-aside", obstacle);
    } else {
        std::filesystem::create_directory(obstacle);
    }
    for (const int later : {20, 40, 60}) {  // it is tried with the next thing stored, and called well after a while
        CHECK(is_there(*view, "meanwhile.example", start + seconds(later)));
        view->store(records("later.example", Type::a, {"192.0.2.1"},
                            {dnssec::Security::secure, start + seconds(7200 + later)}));
        (*store)->sync();
    }
    CHECK(view->counters().keeping == Keeping::good);
    CHECK(is_there(*view, "meanwhile.example", start + seconds(60)));
    CHECK(is_there(*view, "earlier.example", start + seconds(60)) == (has_file && !flushed));
    (*store)->sync();
    const Notices told = (*store)->take_notices();
    const auto telling = [&told](const char* words) {
        return std::count_if(told.begin(), told.end(),
                             [words](const std::string& text) { return text.find(words) != std::string::npos; });
    };
    CHECK(telling("cannot be written (Not a directory)") == 1);
    CHECK(telling("can be written again") == 1);
    CHECK(telling("set aside") == (has_file && flushed ? 1 : 0));
}

TEST_CASE("a flipped bit anywhere never gives another answer, nor a crash", "[damage]") {
    const Place place;
    constexpr int entries = 60;
    fill(place.settings(), entries);
    const Bytes good = slurp(place.data());
    const Bytes state = slurp(place.path() + "/state");
    REQUIRE(check_file(good));
    SeededRandom random(11);
    int noticed = 0;
    // Structure first: every bit of the meta pages and of all page headers would take long; a sample of each page, and
    // of all octets.
    for (int round = 0; round < 20000; ++round) {
        Bytes flipped = good;
        const std::size_t page = random.below(good.size() / 4096) * 4096;
        const std::size_t octet = round % 2 == 0 ? page + random.below(160) : random.below(good.size());
        flipped[octet] ^= static_cast<std::uint8_t>(1U << random.below(8));
        noticed += check_file(flipped) ? 0 : 1;
    }
    CHECK(noticed > 1000);
    // What the check lets pass (pages not in use, unused fields) must not matter to anybody.
    for (int round = 0; round < 60; ++round) {
        Bytes flipped = good;
        flipped[random.below(good.size())] ^= static_cast<std::uint8_t>(1U << random.below(8));
        spill(place.data(), flipped);
        spill(place.path() + "/state", state);
        const OpenStore opened = open_store(place.settings());
        const auto view = opened.store->view();
        const int found = count_found(*view, entries);
        CHECK((found == entries || (found == 0 && opened.notices.size() == 1)));
        view->store(records("new.example.org", Type::a, {"192.0.2.1"}));
        opened.store->sync();
        CHECK(view->find(name("new.example.org"), Type::a, start) != nullptr);
    }
}

TEST_CASE("a meta page that miscounts its trees' pages is damaged: eviction goes by them", "[damage]") {
    const Place place;
    fill(place.settings(), 400);
    const Bytes good = slurp(place.data());
    REQUIRE(check_file(good));
    constexpr std::size_t page = 4096, free_tree = 16 + 24, main_tree = 16 + 72;
    for (const std::size_t tree : {free_tree, main_tree}) {
        for (const std::size_t count : {8U, 16U, 24U, 32U}) {  // branches, leaves, overflow pages, entries
            Bytes spoilt = good;
            for (const std::size_t meta : {std::size_t{0}, page}) spoilt[meta + tree + count + 5] ^= 0x80;
            INFO(tree << " " << count);
            CHECK_FALSE(check_file(spoilt));
        }
    }
}

TEST_CASE("packing moves entries closer together and changes none", "[store]") {
    const Place place;
    const auto settings = place.settings();
    constexpr int entries = 16000;
    std::uint64_t octets = 0;
    {
        const OpenStore opened = open_store(settings);
        const auto view = opened.store->view();
        for (int count = 0; count < entries; ++count) {  // domains in no order, with several entries each
            const std::string owner = "h" + std::to_string(count / 8 * 7919 % 10007) + ".example.org";
            view->store(records(std::string("mail") + std::to_string(count % 8) + "." + owner, Type::a, {"192.0.2.1"}));
            if (count % 40 == 0) opened.store->sync();
        }
        opened.store->sync();
        CHECK(view->counters().entries == entries);
        octets = view->counters().octets;
        int found = 0;
        for (int count = 0; count < entries; ++count)
            found += is_there(*view,
                              "mail" + std::to_string(count % 8) + ".h" + std::to_string(count / 8 * 7919 % 10007) +
                                  ".example.org",
                              start)
                         ? 1
                         : 0;
        CHECK(found == entries);
    }
    REQUIRE(check_file_at(place.data()));
    std::uint64_t content = 0;
    const auto file = MappedFile::open(place.data()).value();
    FileView view{std::weak_ptr(file)};
    view.begin();
    view.scan({"a", "z"}, [&content](const Entry& entry) {
        content += entry.key.size() + entry.record.size() + 10;  // with LMDB's node
        return Walk::on;
    });
    view.end();
    INFO("filled to " << content * 100 / octets << " %");
    CHECK(content * 100 >= octets * 66);  // without, 60 or less
}

TEST_CASE("a record that is damaged while the store runs is not served, and the file is begun anew", "[damage]") {
    const Place place;
    fill(place.settings(), 100);
    OpenStore opened = open_store(place.settings());
    const auto view = opened.store->view();
    REQUIRE(count_found(*view, 100) == 100);
    opened.store->sync();  // that they were asked for is written down, too: from here on the writer has nothing to do
    // The address record of h7, found by its key in the file, which the kernel shares with the map.
    Bytes file = slurp(place.data());
    const std::string key = answer_key(address_name(7), Type::a);
    std::size_t changed = 0;
    for (auto at = std::search(file.begin(), file.end(), key.begin(), key.end()); at != file.end();
         at = std::search(at + 1, file.end(), key.begin(), key.end())) {
        at[static_cast<std::ptrdiff_t>(key.size()) + 25] ^= 1;
        ++changed;
    }
    REQUIRE(changed > 0);
    {
        std::fstream out(place.data(), std::ios::binary | std::ios::in | std::ios::out);
        out << as_text(file);
    }
    CHECK(view->find(address_name(7), Type::a, start) == nullptr);
    view->store(records("new.example.org", Type::a, {"192.0.2.1"}));
    opened.store->sync();
    CHECK(view->find(name("new.example.org"), Type::a, start) != nullptr);
    CHECK(count_found(*view, 100) == 0);
    const Notices notices = opened.store->take_notices();
    REQUIRE(notices.size() == 1);
    CHECK(notices.front().find("damaged") != std::string::npos);
    CHECK(place.set_aside().size() == 1);
}

TEST_CASE("a full disk costs entries, is told once, and is recovered from", "[damage]") {
    const Place place;
    auto settings = place.settings();
    settings.batch_time = std::chrono::milliseconds(1);
    OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    view->store(records("h0.example.org", Type::a, {"192.0.2.1"}));
    opened.store->sync();
    // A limit on the size of files stands for a disk without room; the writer gets EFBIG in place of ENOSPC.
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit tight = before;
    tight.rlim_cur = std::filesystem::file_size(place.data());
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    for (int count = 1; count < 500; ++count) {
        view->store(records("h" + std::to_string(count) + ".example.org", Type::a, {"192.0.2.1"}));
        if (count % 50 == 0) opened.store->sync();
    }
    opened.store->sync();
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(count_found(*view, 500) == 500);
    CHECK(view->counters().dropped > 100);
    Notices notices = opened.store->take_notices();
    REQUIRE(notices.size() == 1);
    CHECK(notices.front().find("cannot be written") != std::string::npos);
    CHECK(view->counters().keeping == Keeping::not_written);
    CHECK(view->find(name("after.example.org"), Type::a, start + seconds(10)) == nullptr);
    view->store(records("after.example.org", Type::a, {"192.0.2.1"}));
    opened.store->sync();
    notices = opened.store->take_notices();
    REQUIRE(notices.size() == 1);
    CHECK(notices.front().find("can be written again") != std::string::npos);
    CHECK(view->counters().keeping == Keeping::good);
    CHECK(opened.store->view()->find(name("after.example.org"), Type::a, start) != nullptr);
    CHECK(opened.store->view()->find(address_name(0), Type::a, start) != nullptr);
}

// --- kill -9: this program starts itself as the child that writes.

TEST_CASE("(child of the kill test: writes until killed)", "[.child]") {
    const char* directory = std::getenv("MXTRUST_TEST_STORE");
    REQUIRE(directory != nullptr);
    StoreSettings settings = Place().settings();
    settings.directory = directory;
    settings.batch_entries = 64;
    settings.batch_time = std::chrono::milliseconds(1);
    const OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    CHECK(view->find(address_name(0), Type::a, start) == nullptr);
    for (int count = 0;; ++count) {
        view->store(records("h" + std::to_string(count % 3000) + ".example.org", Type::a, {"192.0.2.1"}));
        if (count % 100 != 99) continue;
        opened.store->sync();
        const char mark = '.';
        if (::write(STDERR_FILENO, &mark, 1) != 1) return;
    }
}

TEST_CASE("after kill -9 at any moment all that was committed is there", "[damage][kill]") {
    const Place place;
    SeededRandom random(13);
    for (int round = 0; round < 6; ++round) {
        int marks[2];
        REQUIRE(::pipe(marks) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            ::dup2(marks[1], STDERR_FILENO);
            ::close(marks[0]);
            ::close(marks[1]);
            ::setenv("MXTRUST_TEST_STORE", place.path().c_str(), 1);
            ::execl("/proc/self/exe", "test_cache", "[.child]", "-o", "/dev/null", static_cast<char*>(nullptr));
            ::_exit(127);
        }
        ::close(marks[1]);
        const std::uint64_t wanted = 3 + random.below(25);
        std::uint64_t seen = 0;
        for (char mark = 0; seen < wanted && ::read(marks[0], &mark, 1) == 1; ++seen) REQUIRE(mark == '.');
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        ::close(marks[0]);
        REQUIRE(WIFSIGNALED(status));
        REQUIRE(seen == wanted);

        const OpenStore opened = open_store(place.settings());
        CHECK(opened.notices.empty());
        const auto view = opened.store->view();
        const int committed = static_cast<int>(std::min<std::uint64_t>(wanted * 100, 3000));
        CHECK(count_found(*view, committed) == committed);
    }
}
