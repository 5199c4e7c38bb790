// What tests/crash/run does to a store, one act a run. Every act prints what it found as `name value` lines; the script
// says what it must be. A store is a directory.
//
//   write DIRECTORY              stores numbered answers in batches; a line with the last number that is committed,
//                                until it is killed
//   verify DIRECTORY NUMBER      after that: all up to NUMBER must be there, what is behind may, nothing may be wrong
//   damage DIRECTORY VARIANTS SEED   copies of a file with torn, old, exchanged, dropped and flipped pages
//   full DIRECTORY               on a disk with little room: fills it, waits for a line on its standard input, goes on
//   flood DIRECTORY              what mail needs, then a flood, in a small store
//   hold DIRECTORY               opens the store and waits for the end of its standard input
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <thread>

#include "base/random.h"
#include "cache/file_check.h"
#include "cache/file_view.h"
#include "cache/place.h"
#include "mail_world.h"

using namespace mxtrust;
using namespace mxtrust::test;
using cache::LmdbStore;
using dns::Type;

namespace {

/// Names come again after so many, with a new address: records are replaced, not only added.
constexpr std::uint64_t names = 5000;
constexpr std::uint64_t batch = 25;

void tell(std::string_view what, std::uint64_t value) {
    std::cout << what << ' ' << value << std::endl;
}

std::string host(std::uint64_t number) {
    return "h" + std::to_string(number % names) + ".example.org";
}

/// The address says which round of names it is of.
std::string address(std::uint64_t round) {
    return "10." + std::to_string(round >> 16 & 0xFF) + "." + std::to_string(round >> 8 & 0xFF) + "." +
           std::to_string(round & 0xFF);
}

dnssec::FindingRef numbered(std::uint64_t number) {
    if (number % 3 == 0) return records(host(number), Type::a, {address(number / names)});
    const dnssec::FindingRef absent = nodata(host(number), Type::a);
    return number % 3 == 1 ? absent
                           : records(host(number), Type::a, {address(number / names)},
                                     {.security = dnssec::Security::insecure, .zone = "example.org"});
}

bool is_numbered(const dnssec::FindingRef& found, std::uint64_t number) {
    return found && same(*found, *numbered(number));
}

cache::StoreSettings settings_of(const std::string& directory) {
    cache::StoreSettings settings;
    settings.directory = directory;
    settings.epoch = "crash";
    settings.boot_id = "this-boot";
    settings.most_octets = std::uint64_t{64} << 20;
    return settings;
}

// --- kill -9.

int write(const std::string& directory) {
    const OpenStore opened = open_store(settings_of(directory));
    const auto view = opened.store->view();
    static_cast<void>(view->find(name("x.example.org"), Type::a, start));
    const auto note = view->find_note("written", start);
    // What was stored behind that is stored again, the same.
    std::uint64_t number = note ? std::strtoull(note->c_str(), nullptr, 10) + 1 : 0;
    for (;; ++number) {
        view->store(numbered(number));
        if (number % batch != batch - 1) continue;
        view->store_note("written", std::to_string(number), start + seconds(3600));
        opened.store->sync();
        std::cout << number << std::endl;
    }
}

/// Secure does not give way to insecure: of a name's rounds the last secure one counts, and all are of the same kind,
/// as `names` is no multiple of three… so the newest that the rules let in is worked out here.
class Expected {
  public:
    void add(std::uint64_t number) {
        Last& last = last_[number % names];
        const bool is_secure = number % 3 != 2;
        if (!is_secure && last.is_secure) return;
        last = {number, is_secure};
    }
    [[nodiscard]] std::optional<std::uint64_t> of(std::uint64_t name) const {
        const auto found = last_.find(name);
        return found == last_.end() ? std::nullopt : std::optional(found->second.number);
    }

  private:
    struct Last {
        std::uint64_t number = 0;
        bool is_secure = false;
    };
    std::map<std::uint64_t, Last> last_;
};

int verify(const std::string& directory, std::uint64_t told) {
    cache::Notices notices;
    const auto store = LmdbStore::open(settings_of(directory), start, notices).value();
    const auto view = store->view();
    const auto note = view->find_note("written", start);
    const std::uint64_t written = note ? std::strtoull(note->c_str(), nullptr, 10) : 0;
    Expected at_least, at_most;
    const std::uint64_t first = written / names * names >= 4 * names ? written / names * names - 4 * names : 0;
    for (std::uint64_t number = first; number <= written; ++number) at_least.add(number);
    at_most = at_least;
    for (std::uint64_t number = written + 1; number <= written + 2 * batch; ++number) at_most.add(number);
    std::uint64_t wrong = 0, lost = 0, newer = 0;
    for (const bool is_looked_over : {false, true}) {
        if (is_looked_over) store->sync();
        for (std::uint64_t number = 0; number < std::min(names, written + 1); ++number) {
            const auto found = view->find(name(host(number)), Type::a, start);
            const auto last = at_least.of(number), next = at_most.of(number);
            if (!last || !next) continue;
            if (is_numbered(found, *last)) continue;
            if (is_numbered(found, *next)) {
                ++newer;
            } else {
                ++(found ? wrong : lost);
            }
        }
    }
    for (const std::string& text : store->take_notices()) notices.push_back(text);
    tell("written", written);
    tell("told", told);
    tell("wrong", wrong);
    tell("lost", lost);
    tell("newer", newer);
    tell("notices", notices.size());
    for (const std::string& text : notices) std::cerr << text << '\n';
    return 0;
}

// --- Damage.

constexpr std::size_t page_octets = 4096;
constexpr int damage_names = 240;

std::string damage_host(int number) {
    return "d" + std::to_string(number) + ".example.org";
}

/// Only what was written, ever: an address of this name, or its absence.
bool was_written(const dnssec::Finding& found, int number, int newest) {
    if (!found.is_secure()) return false;
    for (int round = 0; round <= newest; ++round) {
        if (same(found, *records(damage_host(number), Type::a, {address(static_cast<std::uint64_t>(round))})))
            return true;
    }
    return number % 5 == 0 && same(found, *nodata(damage_host(number), Type::a));
}

bool is_newest(const dnssec::Finding& found, int number, int newest) {
    if (number % 5 == 0) return same(found, *nodata(damage_host(number), Type::a));
    const int round = number < 40 ? newest : 0;
    return same(found, *records(damage_host(number), Type::a, {address(static_cast<std::uint64_t>(round))}));
}

constexpr int rounds = 24;

/// A file as it was after several commits: what an operating system may have written of it, in whatever order.
std::vector<Bytes> moments(const std::string& directory) {
    std::vector<Bytes> made;
    const OpenStore opened = open_store(settings_of(directory));
    const auto view = opened.store->view();
    static_cast<void>(view->find(name("x.example.org"), Type::a, start));
    for (int number = 0; number < damage_names; ++number) {
        view->store(number % 5 == 0 ? nodata(damage_host(number), Type::a)
                                    : records(damage_host(number), Type::a, {address(0)}));
        if (number % 20 == 19) opened.store->sync();
    }
    view->store_note("large", std::string(30'000, 'n'), start + seconds(3600));
    for (int round = 1; round <= rounds; ++round) {
        for (int number = 0; number < 40; ++number) {
            if (number % 5 != 0 && (number + round) % 4 == 0)
                view->store(records(damage_host(number), Type::a, {address(static_cast<std::uint64_t>(round))}));
        }
        opened.store->sync();
        made.push_back(slurp(directory + "/cache.lmdb"));
    }
    for (int number = 0; number < 40; ++number) {
        if (number % 5 != 0)
            view->store(records(damage_host(number), Type::a, {address(static_cast<std::uint64_t>(rounds))}));
    }
    opened.store->sync();
    made.push_back(slurp(directory + "/cache.lmdb"));
    return made;
}

constexpr std::array<const char*, 9> kinds = {"flipped bits",     "page of an older moment", "several old pages",
                                              "torn page",        "pages exchanged",         "page dropped",
                                              "end of file lost", "page of noise",           "old meta page"};

/// One way in which a disk or a crash may leave a file.
Bytes spoil(std::size_t kind, const std::vector<Bytes>& made, SeededRandom& random) {
    Bytes file = made.back();
    const std::size_t pages = file.size() / page_octets;
    const auto page_at = [&file](std::size_t page) {
        return file.begin() + static_cast<std::ptrdiff_t>(page * page_octets);
    };
    const auto older = [&]() -> const Bytes& { return made[random.below(made.size() - 1)]; };
    const auto take_old = [&](const Bytes& from, std::size_t page, std::size_t begin, std::size_t end) {
        for (std::size_t at = page * page_octets + begin; at < page * page_octets + end; ++at)
            if (at < from.size()) file[at] = from[at];
    };
    const std::size_t page = random.below(pages);
    switch (kind) {
        case 0:
            for (std::uint64_t bits = 1 + random.below(4); bits > 0; --bits) {
                const std::size_t at =
                    random.below(2) == 0 ? page * page_octets + random.below(200) : random.below(file.size());
                file[at] ^= static_cast<std::uint8_t>(1U << random.below(8));
            }
            break;
        case 1:
            take_old(older(), page, 0, page_octets);
            break;
        case 2: {
            const Bytes& from = older();
            for (std::size_t other = 0; other < pages; ++other)
                if (random.below(3) == 0) take_old(from, other, 0, page_octets);
            break;
        }
        case 3:
            take_old(older(), page, 0, 512 * (1 + random.below(7)));
            break;
        case 4: {
            const std::size_t other = random.below(pages);
            std::swap_ranges(page_at(page), page_at(page) + page_octets, page_at(other));
            break;
        }
        case 5:
            std::fill_n(page_at(page), page_octets, std::uint8_t{0});
            break;
        case 6:
            file.resize(random.below(file.size()));
            break;
        case 7:
            for (std::size_t at = 0; at < page_octets; ++at)
                *(page_at(page) + static_cast<std::ptrdiff_t>(at)) = static_cast<std::uint8_t>(random.below(256));
            break;
        default:
            take_old(older(), random.below(2), 0, page_octets);
            if (random.below(2) == 0) take_old(older(), page, 0, page_octets);
            break;
    }
    return file;
}

/// The cache's rules over a file that nobody has looked over.
class BareCache final : public cache::RecordCache {
  public:
    explicit BareCache(const std::weak_ptr<const cache::MappedFile>& file)
        : RecordCache(cache::Epoch(std::string_view("crash")), start), view_(file) {}
    std::size_t flush(const dns::Name&, bool) override { return 0; }
    [[nodiscard]] cache::CacheCounters counters() const override { return counted_; }

  private:
    cache::Records& begin() override {
        view_.begin();
        return view_;
    }
    void end() override { view_.end(); }
    void write(std::string, cache::RecordRef, std::vector<std::string>) override {}
    void first_hit(std::string_view) override {}
    void damaged(std::string_view) override {}
    cache::FileView view_;
};

struct Tally {
    std::uint64_t variants = 0, found_damaged = 0, good = 0, older_state = 0, wrong = 0, wrong_before = 0,
                  old_before = 0;
};

/// Before it is looked over: what comes out was written once, by a record of its own. After: all of one moment, or
/// none.
void judge(const std::string& directory, Tally& tally) {
    ++tally.variants;
    {
        const auto file = cache::MappedFile::open(directory + "/cache.lmdb").value();
        BareCache bare{std::weak_ptr(file)};
        for (int number = 0; number < damage_names; ++number) {
            const auto found = bare.find(name(damage_host(number)), Type::a, start);
            if (!found) continue;
            if (!was_written(*found, number, rounds)) ++tally.wrong_before;
            if (!is_newest(*found, number, rounds)) ++tally.old_before;
        }
    }
    const OpenStore opened = open_store(settings_of(directory));
    const auto view = opened.store->view();
    int newest = 0, written = 0, found_all = 0;
    for (int number = 0; number < damage_names; ++number) {
        const auto found = view->find(name(damage_host(number)), Type::a, start);
        if (!found) continue;
        ++found_all;
        newest += is_newest(*found, number, rounds) ? 1 : 0;
        written += was_written(*found, number, rounds) ? 1 : 0;
    }
    view->store(records("new.example.org", Type::a, {"192.0.2.1"}));
    opened.store->sync();
    const bool works = view->find(name("new.example.org"), Type::a, start) != nullptr;
    if (!works || written != found_all) {
        ++tally.wrong;
    } else if (!opened.notices.empty()) {
        ++(found_all == 0 ? tally.found_damaged : tally.wrong);
    } else if (newest == damage_names) {
        ++tally.good;
    } else {
        // An older meta page with all its pages still there: the whole state of an earlier commit.
        ++(found_all == damage_names ? tally.older_state : tally.wrong);
    }
}

int damage(const std::string& directory, std::uint64_t variants, std::uint64_t seed) {
    const std::vector<Bytes> made = moments(directory);
    const Bytes state = slurp(directory + "/state");
    if (made.size() < 2 || !cache::check_file(made.back())) return 1;
    SeededRandom random(seed);
    std::array<Tally, kinds.size()> tallies{};
    for (std::uint64_t variant = 0; variant < variants; ++variant) {
        const std::size_t kind = variant % kinds.size();
        spill(directory + "/cache.lmdb", spoil(kind, made, random));
        spill(directory + "/state", state);
        judge(directory, tallies.at(kind));
    }
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        const Tally& tally = tallies.at(kind);
        std::cout << "row\t" << kinds.at(kind) << '\t' << tally.variants << '\t' << tally.found_damaged << '\t'
                  << tally.good << '\t' << tally.older_state << '\t' << tally.wrong << '\t' << tally.wrong_before
                  << '\t' << tally.old_before << '\n';
    }
    return 0;
}

// --- No room.

bool is_known(cache::Cache& view, std::size_t number, WallTime now = start) {
    return view.find(MailWorld::domain(number), Type::mx, now) != nullptr;
}

int full(const std::string& directory) {
    auto settings = settings_of(directory);
    settings.batch_time = std::chrono::milliseconds(5);
    const OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    MailWorld world(Mix::ecdsa, start);
    std::uint64_t failed = 0, notices = 0, number = 0;
    const auto learn = [&](std::uint64_t until, WallTime now) {
        for (; number < until; ++number) {
            world.learn(number, *view);
            if (!is_known(*view, number, now)) ++failed;
            if (number % 50 == 0) opened.store->sync();
        }
        opened.store->sync();
        for (const std::string& notice : opened.store->take_notices()) {
            std::cerr << notice << '\n';
            ++notices;
        }
    };
    learn(6000, start);
    tell("not_answered_while_full", failed);
    tell("notices_while_full", notices);
    tell("keeping_says_so", view->counters().keeping == cache::Keeping::not_written ? 1 : 0);
    tell("dropped", view->counters().dropped);
    std::string line;
    std::getline(std::cin, line);
    // Trouble is over after ten seconds without, by the clock of the questions.
    const std::uint64_t before = number;
    notices = 0;
    for (int turn = 0; turn < 3; ++turn) learn(number + 300, start + seconds(61 * (turn + 1)));
    tell("notices_after", notices);
    tell("keeping_good_again", view->counters().keeping == cache::Keeping::good ? 1 : 0);
    std::uint64_t committed = 0;
    const auto other = opened.store->view();
    for (std::uint64_t domain = before + 600; domain < number; ++domain) committed += is_known(*other, domain) ? 1 : 0;
    tell("written_after", committed);
    return 0;
}

// --- Floods.

struct Flood {
    const char* title;
    void (*store)(std::uint64_t number, cache::Cache& cache);
};

std::string below_flood(std::uint64_t number) {
    return "x" + std::to_string(number * 2654435761U % 1'000'000'007U) + ".flood.example";
}

const std::array<Flood, 5> floods = {
    Flood{"NXDOMAIN of random names",
          [](std::uint64_t number, cache::Cache& cache) {
              cache.store(
                  nxdomain(below_flood(number), Type::a, {.expires = start + seconds(86400), .zone = "flood.example"}));
          }},
    Flood{"addresses of random names below a wildcard",
          [](std::uint64_t number, cache::Cache& cache) {
              cache.store(records(below_flood(number), Type::a, {address(number)},
                                  {.expires = start + seconds(86400), .zone = "flood.example"}));
          }},
    Flood{"MX of random names, as from senders",
          [](std::uint64_t number, cache::Cache& cache) {
              cache.store(records(below_flood(number), Type::mx, {"10 mail.flood.example."},
                                  {.expires = start + seconds(86400), .zone = "flood.example"}));
          }},
    Flood{"delegations of random names",
          [](std::uint64_t number, cache::Cache& cache) { cache.store_cut(cut(below_flood(number))); }},
    Flood{"TXT sets of 16 KiB",
          [](std::uint64_t number, cache::Cache& cache) {
              if (number % 40 != 0) return;
              std::vector<std::string> texts(70,
                                             '"' + std::string(240, static_cast<char>('a' + number / 40 % 26)) + '"');
              for (std::size_t text = 0; text < texts.size(); ++text) texts[text].insert(1, std::to_string(text));
              cache.store(records(below_flood(number), Type::txt, texts,
                                  {.expires = start + seconds(86400), .zone = "flood.example"}));
          }},
};

int flood(const std::string& directory) {
    constexpr std::size_t domains = 1200;
    constexpr std::uint64_t most = std::uint64_t{8} << 20;
    for (const Flood& kind : floods) {
        std::filesystem::remove_all(directory);
        auto settings = settings_of(directory);
        settings.most_octets = most;
        const OpenStore opened = open_store(settings);
        const auto view = opened.store->view();
        static_cast<void>(view->find(name("x.example.org"), Type::a, start));
        MailWorld world(Mix::ecdsa, start);
        for (std::size_t number = 0; number < domains; ++number) world.learn(number, *view);
        opened.store->sync();
        // Half of them were asked for again.
        for (std::size_t number = 0; number < domains; number += 2) static_cast<void>(is_known(*view, number));
        for (std::uint64_t number = 0; number < 60'000; ++number) {
            kind.store(number, *view);
            if (number % 500 == 499) opened.store->sync();
        }
        opened.store->sync();
        std::uint64_t asked = 0, once = 0, keys = 0;
        for (std::size_t number = 0; number < domains; ++number) {
            const dns::Name domain = MailWorld::domain(number);
            (number % 2 == 0 ? asked : once) += is_known(*view, number) ? 1 : 0;
            if (view->find(domain, Type::ds, start) && view->find(domain, Type::dnskey, start) &&
                view->find_cut(domain, start))
                ++keys;
        }
        const auto counters = view->counters();
        std::cout << "row\t" << kind.title << '\t' << counters.stored << '\t' << counters.evicted << '\t' << asked
                  << '\t' << once << '\t' << keys << '\t' << domains / 2 << '\t' << counters.dropped << '\t'
                  << std::filesystem::file_size(directory + "/cache.lmdb") << '\t' << most << '\n';
    }
    return 0;
}

int hold(const std::string& directory) {
    cache::Notices notices;
    const auto store = LmdbStore::open(settings_of(directory), start, notices);
    std::cout << (store ? "open" : store.error().text) << std::endl;
    if (!store) return 1;
    std::string line;
    std::getline(std::cin, line);
    return 0;
}

}  // namespace

int main(int count, char** values) {
    const std::vector<std::string> arguments(values + 1, values + count);
    if (arguments.size() < 2) return 64;
    const auto number = [&](std::size_t index) {
        return arguments.size() > index ? std::strtoull(arguments[index].c_str(), nullptr, 10) : 0;
    };
    const std::string &act = arguments[0], &directory = arguments[1];
    if (act == "write") return write(directory);
    if (act == "verify") return verify(directory, number(2));
    if (act == "damage") return damage(directory, number(2), number(3));
    if (act == "full") return full(directory);
    if (act == "flood") return flood(directory);
    if (act == "hold") return hold(directory);
    return 64;
}
