// What an answer costs: fills a store as look-ups of mail domains do (mail_world.h), and weighs it.
//
//   crash_weigh ANSWERS MIX DIRECTORY [kinds]     MIX: ecdsa, rsa, mostly
//
// Prints one line: MIX, answers (questions of mail servers that can be answered: MX, A, AAAA, TLSA), entries (with
// delegations, keys and denials), octets of the file, octets of memory that the process gained (its map of the file
// included), processor seconds of all threads, entries dropped. With `kinds`, also a line for each kind of entry: how
// many, octets of keys, octets of records; the rest of the file is room in its pages.
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "cache/file_view.h"
#include "cache/place.h"
#include "mail_world.h"

using namespace mxtrust;
using namespace mxtrust::test;

namespace {

/// Resident octets of this process.
std::uint64_t resident() {
    std::ifstream in("/proc/self/statm");
    std::uint64_t all = 0, there = 0;
    in >> all >> there;
    return there * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double processor_seconds() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

void tell_kinds(const std::string& directory) {
    struct Kind {
        std::uint64_t entries = 0, keys = 0, records = 0;
    };
    std::map<std::string, Kind> kinds;
    const auto file = cache::MappedFile::open(directory + "/cache.lmdb").value();
    cache::FileView view{std::weak_ptr(file)};
    view.begin();
    view.scan({"a", "z"}, [&](const cache::Entry& entry) {
        std::string kind(1, entry.key.front());
        if (kind == "a") kind += " " + std::string(dns::to_text(cache::answer_type(entry.key)));
        Kind& sum = kinds[kind];
        ++sum.entries, sum.keys += entry.key.size(), sum.records += entry.record.size();
        return cache::Walk::on;
    });
    view.end();
    for (const auto& [kind, sum] : kinds)
        std::cout << "  " << kind << '\t' << sum.entries << '\t' << sum.keys << '\t' << sum.records << '\n';
}

int weigh(std::size_t wanted, Mix mix, const std::string& directory) {
    cache::StoreSettings settings;
    settings.directory = directory;
    settings.epoch = "weigh";
    settings.most_octets = std::uint64_t{64} << 30;
    const OpenStore opened = open_store(settings);
    const auto view = opened.store->view();
    opened.store->sync();
    const std::uint64_t before = resident();
    MailWorld world(mix, start);
    std::size_t answers = world.learn_providers(*view);
    // A few hundred domains a second at most: what a batch of 50 ms holds.
    for (std::size_t number = 0; answers < wanted; ++number) {
        answers += world.learn(number * 7919 % 100'000'007, *view);
        if (number % 64 == 63) opened.store->sync();
    }
    opened.store->sync();
    const auto counters = view->counters();
    std::cout << to_text(mix) << '\t' << answers << '\t' << counters.entries << '\t'
              << std::filesystem::file_size(directory + "/cache.lmdb") << '\t' << counters.octets << '\t'
              << resident() - before << '\t' << processor_seconds() << '\t' << counters.dropped << '\n';
    return 0;
}

}  // namespace

int main(int count, char** values) {
    if (count < 4) return 64;
    const std::string mix = values[2];
    const int status = weigh(std::strtoull(values[1], nullptr, 10),
                             mix == "rsa"     ? Mix::rsa
                             : mix == "ecdsa" ? Mix::ecdsa
                                              : Mix::mostly,
                             values[3]);
    if (count > 4) tell_kinds(values[3]);
    return status;
}
