// Questions whose answer is more than one set: type ANY, and all that a client takes who validates by itself (CD).
#include <algorithm>

#include "resolve/iterate.h"
#include "resolve/signed_stage.h"

using namespace mxtrust;
using namespace std::chrono_literals;
using dns::Type;
using dnssec::FindingRef;
using stage::Stage;
using stage::ZoneData;

namespace {

std::string label(std::size_t length) {
    return std::string(length, 'x') + ".";
}

/// A signed root and "all.", signed, with sets, a DNAME, and aliases made from wildcards.
struct World : Stage {
    World() {
        const std::string far = label(63) + label(63) + label(63) + "all.";
        ZoneData& all = zone("all.",
                             {"all. NS ns.all.", "ns.all. A 192.0.2.2", "host.all. A 198.51.100.1",
                              "host.all. TXT \"t\"", "old.all. DNAME all.", "circle.all. DNAME other.circle.all.",
                              "long.all. DNAME " + far, "*.alias.all. CNAME host.all.", "*.void.all. CNAME none.all."},
                             std::uint8_t{2});
        ZoneData& root =
            zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "all. NS ns.all.", "ns.all. A 192.0.2.2", all.ds_line()},
                 std::uint8_t{1});
        world.serve(stage::root_address, {&root});
        world.serve(stage::org_address, {&all});
        open(root, {stage::root_address});
    }
    std::vector<FindingRef> all(const std::string& name) {
        const auto found = scheduler.run(resolver().resolve_any(stage::name(name), resolver().budget(Duration(5000))));
        REQUIRE(found);
        return *found;
    }
    resolve::RawAnswer unchecked(const std::string& name, Type type) {
        const auto raw =
            scheduler.run(resolver().resolve_unchecked(stage::name(name), type, resolver().budget(Duration(5000))));
        REQUIRE(raw);
        return *raw;
    }
};

std::string told(const std::vector<FindingRef>& findings) {
    std::string text;
    for (const FindingRef& one : findings) {
        text += text.empty() ? "" : ", ";
        text += std::string(dnssec::to_text(one->security())) + " ";
        text += one->rrset() ? dns::to_text(one->rrset()->type) : std::string(dnssec::to_text(one->outcome()));
    }
    return text;
}

std::string types(const std::vector<dns::RRset>& sets) {
    std::string text;
    for (const dns::RRset& set : sets) text += (text.empty() ? "" : " ") + dns::to_text(set.type);
    return text;
}

}  // namespace

TEST_CASE("type ANY: each set is judged, and a DNAME above the name leads on to what is there (RFC 6672 3.2)") {
    World play;
    CHECK(told(play.all("host.all.")) == "secure A, secure TXT");
    CHECK(told(play.all("none.all.")) == "secure nxdomain");
    CHECK(told(play.all("host.old.all.")) == "secure DNAME, secure A, secure TXT");
    CHECK(told(play.all("none.old.all.")) == "secure DNAME, secure nxdomain");
    // RFC 6672 2.2: nothing beside the DNAME; the reply makes YXDOMAIN of it.
    CHECK(told(play.all(label(60) + "long.all.")) == "secure DNAME");
    const std::vector<FindingRef> circle = play.all("a.circle.all.");
    REQUIRE(circle.size() > 1);
    CHECK(circle.size() <= resolve::most_aliases + 2);
    CHECK(circle.back()->outcome() == dnssec::Outcome::failure);
}

TEST_CASE("25 twin: with CD each link that comes from a wildcard brings its proof, also to a denial (RFC 4035 3.2.2)") {
    World play;
    const resolve::RawAnswer there = play.unchecked("any.alias.all.", Type::a);
    CHECK(types(there.answer) == "CNAME A");
    CHECK(types(there.authority) == "NSEC");
    const resolve::RawAnswer nowhere = play.unchecked("any.void.all.", Type::a);
    CHECK(nowhere.rcode == dns::Rcode::nxdomain);
    CHECK(types(nowhere.answer) == "CNAME");
    CHECK(types(nowhere.authority).starts_with("NSEC SOA NSEC"));
}

TEST_CASE("with CD a DNAME whose substitution grows too long is YXDOMAIN, and no failure (RFC 6672 2.2)") {
    World play;
    const resolve::RawAnswer raw = play.unchecked(label(60) + "long.all.", Type::a);
    CHECK(raw.rcode == dns::Rcode::yxdomain);
    CHECK(types(raw.answer) == "DNAME");
}
