// See totals.h.
#include "cache/totals.h"

#include "cache/checksum.h"

namespace mxtrust::cache {
namespace {

constexpr std::size_t number_octets = 8;

std::uint64_t last_number(BytesView octets) {
    Reader end(octets, octets.size() < number_octets ? 0 : octets.size() - number_octets);
    return end.u64().value_or(0);
}

std::uint64_t checksum_of(BytesView octets) {
    Checksum sum;
    sum.add(octets);
    return sum.value();
}

}  // namespace

std::uint64_t Totals::checksum_in(BytesView record) {
    return last_number(record);
}

std::optional<Totals> Totals::read(BytesView stored) {
    if (stored.size() != 3 * number_octets) return std::nullopt;
    if (checksum_of(stored.first(2 * number_octets)) != last_number(stored)) return std::nullopt;
    Reader in(stored);
    Totals totals;
    totals.sum_ = *in.u64();
    totals.count_ = *in.u64();
    return totals;
}

Bytes Totals::write() const {
    Writer out(24);
    out.u64(sum_);
    out.u64(count_);
    out.u64(checksum_of(out.view()));
    return std::move(out).finish();
}

bool Totals::fits(const std::optional<Totals>& stored) const {
    return stored ? *stored == *this : count_ == 0;
}

}  // namespace mxtrust::cache
