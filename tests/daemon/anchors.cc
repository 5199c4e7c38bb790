// The trust anchors over restarts, whatever becomes of their file; and Debian's root data.
#include "daemon/anchors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "daemon/builtin.h"
#include "daemon/root_data.h"

using namespace mxtrust;
using namespace mxtrust::daemon;
using dnssec::KeyState;

namespace {

constexpr WallTime now{1795300000};
constexpr std::string_view old_key =
    "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/"
    "4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMt"
    "NROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/"
    "b58Da+sqqls3eNbuv7pr+eoZG+SrDK"
    "6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/"
    "ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=";

dns::Dnskey key(std::string_view base64, std::uint16_t flags = 257) {
    const Bytes rdata =
        dns::rdata_from_text(dns::Type::dnskey, std::to_string(flags) + " 3 8 " + std::string(base64)).value();
    return dns::parse_dnskey(rdata).value();
}

/// A folder of its own, and all that a keeper needs.
struct Place {
    Place() {
        std::string name = (std::filesystem::temp_directory_path() / "mxtrust-anchors-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        folder = name;
        Configuration built_in;
        built_in.dnssec.root_data.clear();
        settings.configured = choose_anchors(built_in).value();
        settings.file = folder / AnchorKeeper::file_name;
    }
    ~Place() { std::filesystem::remove_all(folder); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// A daemon's start.
    std::unique_ptr<AnchorKeeper> start() {
        lines.clear();
        auto keeper = std::make_unique<AnchorKeeper>(settings, clock, log);
        keeper->load();
        return keeper;
    }
    static std::string state_of(const AnchorKeeper& keeper, std::uint16_t tag) {
        for (const serve::AnchorStatus& anchor : keeper.report().anchors) {
            if (anchor.key_tag == tag) return anchor.state;
        }
        return "none";
    }
    static bool trusts(const AnchorKeeper& keeper, std::uint16_t tag) {
        const dnssec::TrustAnchors anchors = keeper.in_force();
        const dnssec::TrustAnchor* root = anchors.closest(dns::Name());
        const auto named = [tag](const auto& record) { return record.key_tag == tag; };
        return std::ranges::any_of(root->ds, named) || std::ranges::any_of(root->keys, named);
    }
    void write(std::string_view text) const { std::ofstream(settings.file) << text; }

    std::filesystem::path folder;
    ManualClock clock{now};
    std::vector<std::string> lines;
    log::Log log{log::Level::info, [this](std::string_view line) { lines.emplace_back(line); }};
    AnchorKeeper::Settings settings;
};

dnssec::Observation seen(std::vector<dns::Dnskey> keys, std::vector<dns::Dnskey> revoked = {}) {
    dnssec::Observation observation;
    observation.authentic = !keys.empty();
    observation.keys = std::move(keys);
    observation.revoked = std::move(revoked);
    observation.original_ttl = std::chrono::hours(48);
    observation.signature_life = std::chrono::days(20);
    return observation;
}

const dns::Dnskey root_2017 = key(old_key);
const dns::Dnskey stranger = key("AwEAAQ==");

}  // namespace

TEST_CASE("without any state the configured anchors hold, and their zone is due") {
    Place place;
    const auto keeper = place.start();
    CHECK(place.lines.empty());
    CHECK(keeper->due() == std::vector{dns::Name()});
    CHECK(Place::trusts(*keeper, 20326));
    CHECK(Place::trusts(*keeper, 38696));
    CHECK(keeper->report().anchors.size() == 2);
    CHECK_FALSE(keeper->report().anchors[0].last_seen);
}

TEST_CASE("what was learnt is there after a restart: who was seen, who waits, who is revoked") {
    Place place;
    REQUIRE(root_2017.key_tag == 20326);
    {
        const auto keeper = place.start();
        CHECK_FALSE(keeper->observed(dns::Name(), seen({root_2017, stranger})));
        CHECK(keeper->due().empty());
    }
    {
        const auto keeper = place.start();
        CHECK(place.lines.empty());
        CHECK(keeper->due().empty());
        CHECK(Place::state_of(*keeper, 20326) == "valid");
        CHECK(Place::state_of(*keeper, stranger.key_tag) == "pending");
        CHECK_FALSE(Place::trusts(*keeper, stranger.key_tag));
        place.clock.advance(std::chrono::days(31));
        CHECK(keeper->due() == std::vector{dns::Name()});
        CHECK(keeper->observed(dns::Name(), seen({root_2017, stranger})));
        CHECK(Place::trusts(*keeper, stranger.key_tag));
        CHECK(keeper->observed(dns::Name(), seen({stranger}, {root_2017})));
        REQUIRE(place.lines.size() == 2);
        CHECK(place.lines[0].find("is trusted from now on") != std::string::npos);
        CHECK(place.lines[1].find("key 20326 of . is revoked") != std::string::npos);
    }
    const auto keeper = place.start();
    CHECK(Place::state_of(*keeper, 20326) == "revoked");
    CHECK_FALSE(Place::trusts(*keeper, 20326));
    CHECK(Place::trusts(*keeper, 38696));
    CHECK(Place::trusts(*keeper, stranger.key_tag));
}

TEST_CASE("state that is damaged, later or unreadable: one line, the configured anchors hold, the file is set aside") {
    Place place;
    place.start()->observed(dns::Name(), seen({root_2017, stranger}));
    std::ifstream stream(place.settings.file);
    const std::string good{std::istreambuf_iterator<char>(stream), {}};
    for (const std::string& bad : std::vector<std::string>{
             "", "rubbish", good.substr(0, good.size() / 2), "mxtrust-trust-anchors 2 1\n",
             std::string(good).replace(good.find("valid"), 5, "dilav"), std::string(400000, 'x')}) {
        INFO(bad.substr(0, 40));
        place.write(bad);
        const auto keeper = place.start();
        CHECK(place.lines.size() == 1);
        CHECK(Place::trusts(*keeper, 20326));
        CHECK(Place::trusts(*keeper, 38696));
        CHECK(Place::state_of(*keeper, stranger.key_tag) == "none");
        CHECK_FALSE(keeper->report().trouble.empty());
        CHECK_FALSE(std::filesystem::exists(place.settings.file));
        CHECK(std::filesystem::exists(place.settings.file.string() + ".set-aside"));
        // The next look writes a good one, and the trouble is over.
        keeper->observed(dns::Name(), seen({root_2017}));
        keeper->settle();
        CHECK(keeper->report().trouble.empty());
        CHECK(place.start()->report().trouble.empty());
    }
}

TEST_CASE("state that cannot be written is told once an hour; nothing is trusted less for it") {
    Place place;
    std::filesystem::create_directory(place.settings.file.string() + ".new");
    const auto keeper = place.start();
    for (int look = 0; look < 10; ++look) {
        keeper->observed(dns::Name(), seen({root_2017, stranger}));
        keeper->settle();
        place.clock.advance(std::chrono::minutes(5));
    }
    CHECK(std::ranges::count_if(place.lines, [](const std::string& line) {
              return line.find("cannot be written") != std::string::npos;
          }) == 1);
    CHECK(Place::trusts(*keeper, 20326));
    place.clock.advance(std::chrono::days(31));
    keeper->observed(dns::Name(), seen({root_2017, stranger}));
    keeper->settle();
    CHECK(Place::trusts(*keeper, stranger.key_tag));
    CHECK(place.start()->report().trouble.empty());
    std::filesystem::remove(place.settings.file.string() + ".new");
    place.clock.advance(std::chrono::hours(2));
    keeper->observed(dns::Name(), seen({root_2017, stranger}));
    keeper->settle();
    CHECK(keeper->report().trouble.empty());
}

TEST_CASE("a disk that takes its time over the state keeps nobody waiting") {
    Place place;
    // Whoever opens it for writing waits for a reader.
    const std::string slow = place.settings.file.string() + ".new";
    REQUIRE(mkfifo(slow.c_str(), 0600) == 0);
    const auto keeper = place.start();
    keeper->observed(dns::Name(), seen({root_2017, stranger}));
    keeper->observed(dns::Name(), seen({root_2017}));
    CHECK(Place::state_of(*keeper, 20326) == "valid");
    CHECK(keeper->report().trouble.empty());
    CHECK_FALSE(std::filesystem::exists(place.settings.file));
    const int reader = open(slow.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(reader >= 0);
    // A pipe cannot be synchronised: it is taken away, and what comes later goes into a proper file.
    keeper->settle();
    CHECK(close(reader) == 0);
    place.clock.advance(std::chrono::hours(2));
    keeper->observed(dns::Name(), seen({root_2017}));
    keeper->settle();
    CHECK(keeper->report().trouble.empty());
    CHECK(Place::state_of(*place.start(), 20326) == "valid");
}

TEST_CASE("state of the future: trust and revocations stay, what waits begins anew, and it is told") {
    Place place;
    place.start()->observed(dns::Name(), seen({stranger}, {root_2017}));
    place.clock.step_wall(-std::chrono::days(400));
    const auto keeper = place.start();
    CHECK(place.lines.size() == 1);
    CHECK_FALSE(Place::trusts(*keeper, 20326));
    CHECK(keeper->due() == std::vector{dns::Name()});
    place.clock.advance(std::chrono::days(29));
    keeper->observed(dns::Name(), seen({stranger}));
    CHECK(Place::state_of(*keeper, stranger.key_tag) == "pending");
    place.clock.advance(std::chrono::days(2));
    keeper->observed(dns::Name(), seen({stranger}));
    CHECK(Place::trusts(*keeper, stranger.key_tag));
}

TEST_CASE("a look that finds nobody changes nothing, and is tried again after an hour") {
    Place place;
    const auto keeper = place.start();
    CHECK_FALSE(keeper->observed(dns::Name(), fail(FailureKind::unreachable, "TST1"_code, "silence")));
    CHECK(keeper->due().empty());
    CHECK(Place::trusts(*keeper, 38696));
    place.clock.advance(std::chrono::hours(1));
    CHECK(keeper->due().size() == 1);
}

TEST_CASE("where rollovers are not followed, no state is read and no zone is due") {
    Place place;
    place.start()->observed(dns::Name(), seen({stranger}, {root_2017}));
    place.settings.follows = false;
    const auto keeper = place.start();
    CHECK(keeper->due().empty());
    CHECK(Place::trusts(*keeper, 20326));
}

TEST_CASE("Debian's root.ds adds keys, and is left alone where it is wrong") {
    const auto builtin = dnssec::parse_anchor(builtin_root_anchors()).value();
    const std::string same(builtin_root_anchors());
    const std::string next = ". IN DS 12345 13 2 " + std::string(64, 'A') + "\n";
    CHECK_FALSE(newer_anchors(builtin, same).value());
    CHECK_FALSE(newer_anchors(builtin, same.substr(0, same.rfind(". IN"))).value());  // an older one
    const auto newer = newer_anchors(builtin, same + next).value();
    REQUIRE(newer);
    CHECK(newer->ds.size() == 3);
    // Nothing is taken away by what is not there.
    CHECK(newer_anchors(builtin, next).value()->ds.size() == 3);
    std::string many;
    for (int tag = 1; tag < 12; ++tag)
        many += ". IN DS " + std::to_string(tag) + " 13 2 " + std::string(64, 'B') + "\n";
    for (const std::string& wrong :
         {std::string(), std::string("rubbish"), std::string("example.org. DS 1 13 2 ") + std::string(64, 'A'),
          std::string(". DS 1 13 1 ") + std::string(40, 'A'), std::string(". DS 1 13 2 AABB"),
          std::string(". DS 1 250 2 ") + std::string(64, 'A'), many}) {
        INFO(wrong.substr(0, 60));
        CHECK_FALSE(newer_anchors(builtin, same + wrong + (wrong.empty() ? "rubbish" : "")));
    }
}

TEST_CASE("Debian's root.hints are used where they are of a later root zone, and sane") {
    const std::string builtin(builtin_root_hints());
    const auto dated = [&builtin](std::string_view date) {
        std::string text = builtin;
        const std::size_t place = text.find("2024041801");
        REQUIRE(place != std::string::npos);
        return text.replace(place, 10, date);
    };
    CHECK_FALSE(newer_hints(builtin, builtin).value());
    CHECK_FALSE(newer_hints(builtin, dated("2023010101")).value());
    CHECK(newer_hints(builtin, dated("2026010101")).value()->size() == 26);
    const std::string newer = dated("2026010101");
    CHECK_FALSE(newer_hints(builtin, newer.substr(0, newer.size() / 3)));
    CHECK_FALSE(newer_hints(builtin, newer + "a.example. 60 A 8.8.8.8\n"));
    CHECK_FALSE(newer_hints(builtin, newer + "m.root-servers.net. 60 A 10.0.0.1\n"));
    CHECK_FALSE(newer_hints(builtin, "rubbish\n"));
}

TEST_CASE("root data belongs to root alone, or is not used; where there is none, nothing is said") {
    Place place;
    CHECK(read_root_data(place.folder / "nowhere").doubts.empty());
    CHECK(read_root_data({}).doubts.empty());
    std::ofstream(place.folder / "root.ds") << ". IN DS 12345 13 2 " << std::string(64, 'A') << "\n";
    std::filesystem::permissions(place.folder / "root.ds", std::filesystem::perms(0666));
    const RootData data = read_root_data(place.folder);
    CHECK_FALSE(data.anchors);
    REQUIRE(data.doubts.size() == 1);
    CHECK(data.doubts[0].find("must belong to root") != std::string::npos);
    std::filesystem::permissions(place.folder / "root.ds", std::filesystem::perms(0644));
    if (geteuid() == 0) {
        CHECK(read_root_data(place.folder).anchors->ds.size() == 3);
        CHECK(read_root_data(place.folder).doubts.empty());
    } else {
        CHECK(read_root_data(place.folder).doubts.size() == 1);
    }
}
