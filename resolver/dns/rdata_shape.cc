// The table itself. Sources: RFC 1035 3.3, 1183, 2163, 2230, 2782, 3403, 3596, 4034, 4255, 5155, 6672, 6698, 7344,
// 8162, 8659. Not here: A6 (historic, RFC 6563), whose names RFC 4034 6.2 would lower-case; it is passed on as it came.
#include "dns/rdata_shape.h"

#include <algorithm>
#include <array>

namespace mxtrust::dns {

namespace {

constexpr auto shapes = std::to_array<Shape>({
    {Type::a, "a", Names::kept, Check::strict},
    {Type::ns, "n", Names::compressed, Check::strict},
    {Type::md, "n", Names::compressed, Check::strict},
    {Type::mf, "n", Names::compressed, Check::strict},
    {Type::cname, "n", Names::compressed, Check::strict},
    {Type::soa, "nn44444", Names::compressed, Check::strict},
    {Type::mb, "n", Names::compressed, Check::strict},
    {Type::mg, "n", Names::compressed, Check::strict},
    {Type::mr, "n", Names::compressed, Check::strict},
    {Type::ptr, "n", Names::compressed, Check::strict},
    // No names in it, in spite of RFC 4034 6.2 (RFC 6840 5.1).
    {Type::hinfo, "ss", Names::kept, Check::opaque},
    {Type::minfo, "nn", Names::compressed, Check::strict},
    {Type::mx, "2n", Names::compressed, Check::strict},
    {Type::txt, "S", Names::kept, Check::opaque},
    {Type::rp, "nn", Names::expanded, Check::strict},
    {Type::afsdb, "2n", Names::expanded, Check::strict},
    {Type::rt, "2n", Names::expanded, Check::strict},
    {Type::sig, "t114dd2nb", Names::expanded, Check::strict},
    {Type::px, "2nn", Names::expanded, Check::strict},
    {Type::aaaa, "6", Names::kept, Check::strict},
    {Type::nxt, "n*", Names::expanded, Check::strict},
    {Type::srv, "222n", Names::expanded, Check::strict},
    {Type::naptr, "22sssn", Names::expanded, Check::strict},
    {Type::kx, "2n", Names::expanded, Check::strict},
    {Type::dname, "n", Names::expanded, Check::strict},
    {Type::ds, "211x", Names::kept, Check::strict},
    {Type::sshfp, "11x", Names::kept, Check::opaque},
    {Type::rrsig, "t114dd2nb", Names::plain, Check::strict},
    {Type::nsec, "nT", Names::kept, Check::strict},
    {Type::dnskey, "211b", Names::kept, Check::strict},
    {Type::nsec3, "112XhT", Names::kept, Check::strict},
    {Type::nsec3param, "112X", Names::kept, Check::strict},
    {Type::tlsa, "111x", Names::kept, Check::strict},
    {Type::smimea, "111x", Names::kept, Check::opaque},
    {Type::cds, "211x", Names::kept, Check::opaque},
    {Type::cdnskey, "211b", Names::kept, Check::opaque},
    {Type::caa, "1gv", Names::kept, Check::opaque},
});
static_assert(std::ranges::is_sorted(shapes, {}, &Shape::type));

}  // namespace

const Shape* shape_of(Type type) {
    const auto* const found = std::ranges::lower_bound(shapes, type, {}, &Shape::type);
    return found != shapes.end() && found->type == type ? &*found : nullptr;
}

}  // namespace mxtrust::dns
