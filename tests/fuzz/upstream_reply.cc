// Any octets as what comes back for a question, from an authority or a forwarder: what is taken for its answer has the
// question's own ID, and its question in the letters in which it was sent, or is an error of a server that repeats
// none. The first octet chooses what was sent; where its highest bit is set, the ID is put right, else nothing would
// ever get through.
#include <algorithm>
#include <array>

#include "base/require.h"
#include "resolve/cookies.h"
#include "resolve/exchange.h"

using namespace mxtrust;
using namespace mxtrust::resolve;

namespace {

constexpr std::uint16_t id = 0x4d58;
const std::array<std::string_view, 4> spellings = {"\7eXaMplE\3OrG", "\4_25x\4_TCP\2mX\7examPLE\3org", "", "\1x"};
const std::array<dns::Type, 4> types = {dns::Type::mx, dns::Type::tlsa, dns::Type::dnskey, dns::Type::a};

dns::Message sent_for(std::uint8_t choice) {
    dns::Message sent;
    sent.id = id;
    dns::Question question;
    question.spelled = std::string(spellings.at(choice & 3U)) + '\0';
    Reader reader(BytesView(reinterpret_cast<const std::uint8_t*>(question.spelled.data()), question.spelled.size()));
    question.name = std::move(*dns::Name::from_wire(reader));
    question.type = types.at((choice >> 2U) & 3U);
    sent.question = std::move(question);
    if ((choice & 0x10U) != 0) {
        sent.edns.emplace();
        sent.edns->dnssec_ok = true;
    }
    if ((choice & 0x20U) != 0) {
        sent.edns.emplace();
        sent.edns->options.push_back({dns::option_cookie, {1, 2, 3, 4, 5, 6, 7, 8}});
    }
    return sent;
}

/// By hand, from the octets (RFC 1035 4.1).
void check_accepted(BytesView wire, const dns::Message& sent, Letters letters) {
    require(wire.size() >= 12 && wire[0] == (id >> 8U) && wire[1] == (id & 0xffU));
    require((wire[2] & 0xf8U) == 0x80U);  // a response to a QUERY
    require(wire[4] == 0 && wire[5] <= 1);
    if (wire[5] == 0) {
        const unsigned rcode = wire[3] & 0x0fU;
        require(rcode == 1 || rcode == 2 || rcode == 4 || rcode == 5);
        return;
    }
    // A question's name has nothing before it to point to but the header, and so stands there in full, or points into
    // the header, which has no room for a name that is any of those that were sent but the root's.
    const dns::Question& question = *sent.question;
    if ((wire[12] & 0xc0U) == 0xc0U) return require(question.name.is_root());
    require(wire.size() >= 12 + question.spelled.size() + 4);
    if (letters == Letters::as_sent)
        require(std::equal(question.spelled.begin(), question.spelled.end(), wire.begin() + 12,
                           [](char left, std::uint8_t right) { return static_cast<std::uint8_t>(left) == right; }));
    const BytesView rest = wire.subspan(12 + question.spelled.size());
    require(rest[0] * 256 + rest[1] == static_cast<int>(question.type) && rest[2] == 0 && rest[3] == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::uint8_t choice = data[0];
    Bytes wire(data + 1, data + size);
    if ((choice & 0x80U) != 0 && wire.size() >= 2) {
        wire[0] = id >> 8U;
        wire[1] = id & 0xffU;
    }
    const dns::Message sent = sent_for(choice);
    const net::Match strict = match_reply(wire, sent, Letters::as_sent);
    const net::Match loose = match_reply(wire, sent, Letters::any);
    if (strict == net::Match::accept) check_accepted(wire, sent, Letters::as_sent);
    if (loose == net::Match::accept) check_accepted(wire, sent, Letters::any);
    require(strict != net::Match::accept || loose == net::Match::accept);
    require((strict == net::Match::ignore) == (loose == net::Match::ignore));

    const auto reply = dns::parse_message(wire);
    if (!reply) return 0;
    const CookieSign sign = sign_of(sent, *reply);
    const bool asked = (choice & 0x20U) != 0;
    require(asked ? sign != CookieSign::none : sign == CookieSign::none || sign == CookieSign::wrong);
    if (sign != CookieSign::right) return 0;
    // What is believed for its cookie has ours in it.
    const auto& options = reply->edns->options;
    const Bytes ours = {1, 2, 3, 4, 5, 6, 7, 8};
    require(std::any_of(options.begin(), options.end(), [&ours](const dns::EdnsOption& option) {
        return option.code == dns::option_cookie && option.data.size() >= ours.size() && option.data.size() <= 40 &&
               std::equal(ours.begin(), ours.end(), option.data.begin());
    }));
    return 0;
}
