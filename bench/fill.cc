// Fills a store as if COUNT mail domains had been asked: delegation, DS, DNSKEY, MX, A, AAAA (denied), TLSA and TLSRPT
// (denied) of each, as judged findings. Asking a million domains takes hours, and every peer would need its own.
//
//   bench_fill CONFIGURATION COUNT      (the daemon's; it must not be running)
//
// The domains are f0.t0, f1.t1 … below the TLDs of the bench's world (world.cc). What is stored was never validated:
// its signatures are any octets. That is why this is a bench's tool and lives here: nothing else may write what nobody
// judged.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/random.h"
#include "cache/findings.h"
#include "cache/lmdb_cache.h"
#include "cache/store.h"
#include "daemon/assemble.h"
#include "daemon/configuration.h"

namespace {

using namespace mxtrust;
using dns::Type;

constexpr int tops = 8;
constexpr int domains_a_batch = 2000;
constexpr std::chrono::hours life{24};

template <class T>
T need(Result<T> result, const char* what) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "bench_fill: %s: %s\n", what, result.error().text.c_str());
    std::exit(65);
}

std::string hex(Random& random, std::size_t octets) {
    std::string text;
    for (std::size_t index = 0; index < 2 * octets; ++index) text += "0123456789abcdef"[random.below(16)];
    return text;
}

std::string base64(Random& random, std::size_t groups) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t index = 0; index < 4 * groups; ++index) text += letters[random.below(64)];
    return text;
}

void store_domain(cache::Cache& cache, int number, WallTime now, Random& random) {
    const std::string domain = "f" + std::to_string(number) + ".t" + std::to_string(number % tops);
    const std::string host = "mx0." + domain;
    const test::Wanted here{dnssec::Security::secure, now + life, domain};
    const test::Wanted above{dnssec::Security::secure, now + life, "t" + std::to_string(number % tops)};
    cache.store_cut(test::cut(domain, now + life));
    cache.store(test::records(domain, Type::ds, {"4711 13 2 " + hex(random, 32)}, above));
    cache.store(test::records(domain, Type::dnskey, {"257 3 13 " + base64(random, 21) + "AA=="}, here));
    cache.store(test::records(domain, Type::mx, {"10 " + host + "."}, here));
    cache.store(test::records(host, Type::a, {"192.0.2." + std::to_string(1 + number % 250)}, here));
    cache.store(test::nodata(host, Type::aaaa, here));
    cache.store(test::nodata("_smtp._tls." + domain, Type::txt, here));
    cache.store(test::records("_25._tcp." + host, Type::tlsa, {"3 1 1 " + hex(random, 32)}, here));
}

}  // namespace

int main(int count, char** words) {
    if (count != 3) {
        std::fputs("bench_fill CONFIGURATION COUNT\n", stderr);
        return 64;
    }
    SystemClock clock;
    const WallTime now = clock.wall();
    const daemon::Loaded loaded = need(daemon::read_configuration(words[1], daemon::TestMode::on), "the configuration");
    const daemon::Anchors anchors = need(daemon::choose_anchors(loaded.configuration), "the anchors");
    const resolve::Settings resolver = need(daemon::resolver_settings(loaded.configuration, anchors, now), "settings");
    cache::StoreSettings settings;
    settings.directory = loaded.configuration.server.state_directory.string();
    settings.most_octets = std::uint64_t{loaded.configuration.server.cache_size_mb} << 20U;
    settings.epoch = daemon::cache_epoch(resolver, loaded.configuration.mail);
    settings.most_waiting_octets = std::uint64_t{256} << 20U;
    cache::Notices notices;
    const auto store = need(cache::LmdbStore::open(settings, now, notices), "the store");
    SeededRandom random(1);
    {
        const std::unique_ptr<cache::LmdbCache> view = store->view();
        // The time is told to a cache by those who look something up.
        static_cast<void>(view->find(dns::Name(), Type::ns, now));
        const int all = std::atoi(words[2]);
        for (int number = 0; number < all; ++number) {
            store_domain(*view, number, now, random);
            if (number % domains_a_batch == domains_a_batch - 1) store->sync();
        }
        store->sync();
    }
    const cache::CacheCounters counters = store->counters();
    std::printf("{\"entries\":%llu,\"octets\":%llu,\"dropped\":%llu,\"evicted\":%llu}\n",
                static_cast<unsigned long long>(counters.entries), static_cast<unsigned long long>(counters.octets),
                static_cast<unsigned long long>(counters.dropped), static_cast<unsigned long long>(counters.evicted));
    return 0;
}
