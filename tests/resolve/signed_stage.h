// The usual Internet of this room's tests: a signed root and "org", signed "mail.org" on two servers, unsigned
// "plain.org".
#pragma once

#include "resolve/build.h"
#include "resolve/world.h"

namespace stage {

inline constexpr auto root_address = "192.0.2.1";
inline constexpr auto org_address = "192.0.2.2";
inline constexpr auto mail_address = "192.0.2.3";
inline constexpr auto second_address = "192.0.2.4";
inline constexpr auto plain_address = "192.0.2.5";

struct SignedStage : Stage {
    explicit SignedStage(std::function<void(mxtrust::resolve::Settings&)> change = {}) : Stage(std::move(change)) {
        ZoneData& mail = zone("mail.org.",
                              {"mail.org. NS ns1.mail.org.", "mail.org. NS ns2.mail.org.", "ns1.mail.org. A 192.0.2.3",
                               "ns2.mail.org. A 192.0.2.4", "mail.org. MX 10 mx.mail.org.",
                               "mx.mail.org. A 198.51.100.25", "_25._tcp.mx.mail.org. TLSA 3 1 1 00112233",
                               "alias.mail.org. CNAME mx.mail.org.", "out.mail.org. CNAME www.plain.org.",
                               "loop1.mail.org. CNAME loop2.mail.org.", "loop2.mail.org. CNAME loop1.mail.org.",
                               "moved.mail.org. DNAME mail.org.", "host.ent.mail.org. A 198.51.100.30"},
                              std::uint8_t{3});
        ZoneData& plain = zone("plain.org.", {"plain.org. NS ns.plain.org.", "ns.plain.org. A 192.0.2.5",
                                              "www.plain.org. A 198.51.100.80", "in.plain.org. CNAME mx.mail.org."});
        ZoneData& org = zone("org.",
                             {"org. NS ns.org.", "ns.org. A 192.0.2.2", "mail.org. NS ns1.mail.org.",
                              "mail.org. NS ns2.mail.org.", "ns1.mail.org. A 192.0.2.3", "ns2.mail.org. A 192.0.2.4",
                              "plain.org. NS ns.plain.org.", "ns.plain.org. A 192.0.2.5", mail.ds_line()},
                             std::uint8_t{2});
        ZoneData& root =
            zone(".", {". NS a.root.", "a.root. A 192.0.2.1", "org. NS ns.org.", "ns.org. A 192.0.2.2", org.ds_line()},
                 std::uint8_t{1});
        world.serve(root_address, {&root});
        world.serve(org_address, {&org});
        world.serve(mail_address, {&mail});
        world.serve(second_address, {&mail});
        world.serve(plain_address, {&plain});
        open(root, {root_address});
    }
    void both(const Behaviour& behaviour) {
        world.behave(mail_address, behaviour);
        world.behave(second_address, behaviour);
    }
};

}  // namespace stage
