// The state of trust anchors as text: one line for each zone and key, a checksum at the end.
#include <charconv>
#include <sstream>

#include "crypto/digest.h"
#include "dnssec/rollover.h"

namespace mxtrust::dnssec {
namespace {

constexpr std::string_view title = "mxtrust-trust-anchors";
constexpr std::string_view version = "1";
constexpr std::string_view seal = "sha256 ";
constexpr std::size_t most_zones = 1000;

std::string time_text(const std::optional<WallTime>& time) {
    return time ? std::to_string(time->seconds) : "-";
}

std::string key_text(const dns::Dnskey& key) {
    return std::to_string(key.flags) + " " + std::to_string(key.protocol) + " " +
           std::to_string(static_cast<unsigned>(key.algorithm)) + " " + to_base64(key.public_key);
}

tl::unexpected<Failure> damaged(const std::string& what) {
    return fail(FailureKind::malformed, "VRSD"_code, "the state of the trust anchors is damaged: " + what);
}

bool read_number(std::istream& words, std::int64_t& target) {
    std::string word;
    if (!(words >> word)) return false;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), target);
    return error == std::errc() && end == word.data() + word.size() && target >= 0;
}

bool read_time(std::istream& words, std::optional<WallTime>& target) {
    const auto place = words.tellg();
    std::string word;
    if (!(words >> word)) return false;
    if (word == "-") return true;
    words.seekg(place);
    WallTime time;
    if (!read_number(words, time.seconds)) return false;
    target = time;
    return true;
}

bool read_zone(std::istream& words, ZoneRollover& zone) {
    std::int64_t ttl = 0;
    std::int64_t life = 0;
    const bool good = read_time(words, zone.last_authentic) && read_time(words, zone.last_tried) &&
                      read_number(words, ttl) && read_number(words, life);
    zone.original_ttl = std::chrono::seconds(ttl);
    zone.signature_life = std::chrono::seconds(life);
    return good;
}

bool read_key(std::istream& words, ManagedKey& key) {
    std::string state;
    if (!(words >> state)) return false;
    const auto known = key_state_from_text(state);
    if (!known || !read_number(words, key.since.seconds) || !read_time(words, key.last_seen)) return false;
    key.state = *known;
    std::string rest;
    std::getline(words, rest);
    const auto rdata = dns::rdata_from_text(dns::Type::dnskey, rest);
    if (!rdata) return false;
    auto parsed = dns::parse_dnskey(*rdata);
    if (!parsed || !may_sign(*parsed) || !parsed->is_secure_entry_point()) return false;
    key.key = std::move(*parsed);
    return true;
}

/// A line of the body; what it belongs to must have come before.
Done read_line(const std::string& line, Rollovers& zones) {
    std::istringstream words(line);
    std::string kind;
    std::string owner;
    words >> kind >> owner;
    auto name = dns::Name::from_text(owner);
    if (!name) return damaged("\"" + owner.substr(0, 80) + "\" is no zone");
    if (kind == "zone") {
        ZoneRollover zone;
        if (zones.size() >= most_zones || !read_zone(words, zone)) return damaged("a zone's line cannot be read");
        if (!zones.try_emplace(std::move(*name), std::move(zone)).second) return damaged("a zone is there twice");
        return {};
    }
    const auto zone = zones.find(*name);
    ManagedKey key;
    const bool good = kind == "key" && zone != zones.end() && zone->second.keys.size() < 2 * most_managed_keys &&
                      read_key(words, key);
    if (!good) return damaged("a key's line cannot be read");
    zone->second.keys.push_back(std::move(key));
    return {};
}

}  // namespace

std::string encode_rollovers(const Rollovers& zones, WallTime written) {
    std::string text = std::string(title) + " " + std::string(version) + " " + std::to_string(written.seconds) + "\n";
    for (const auto& [name, zone] : zones) {
        const std::string owner = name.is_root() ? "." : name.to_text();
        text += "zone " + owner + " " + time_text(zone.last_authentic) + " " + time_text(zone.last_tried) + " " +
                std::to_string(zone.original_ttl.count()) + " " + std::to_string(zone.signature_life.count()) + "\n";
        for (const ManagedKey& key : zone.keys) {
            text += "key " + owner + " " + std::string(to_text(key.state)) + " " + std::to_string(key.since.seconds) +
                    " " + time_text(key.last_seen) + " " + key_text(key.key) + "\n";
        }
    }
    const std::string sum = to_hex(crypto::sha256(as_bytes(text)));
    return text + std::string(seal) + sum + "\n";
}

Result<DecodedRollovers> decode_rollovers(std::string_view text) {
    if (text.size() > most_rollover_octets) return damaged("it is too long");
    std::istringstream first{std::string(text.substr(0, text.find('\n')))};
    std::string found_title;
    std::string found_version;
    DecodedRollovers decoded;
    first >> found_title >> found_version;
    if (found_title != title || found_version.empty()) return damaged("it does not begin as it should");
    if (found_version != version) {
        return fail(FailureKind::unsupported, "VRSV"_code,
                    "the state of the trust anchors has version " + found_version.substr(0, 20) +
                        "; this program knows version " + std::string(version));
    }
    const std::size_t end = text.rfind(seal);
    if (end == std::string_view::npos || end == 0 || text[end - 1] != '\n') return damaged("its end is missing");
    const std::string_view body = text.substr(0, end);
    const std::string sum = to_hex(crypto::sha256(as_bytes(body)));
    if (text.substr(end + seal.size()) != sum + "\n") return damaged("the checksum is another one");
    if (!read_number(first, decoded.written.seconds)) return damaged("it does not say when it was written");
    std::istringstream lines{std::string(body)};
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
        const Done read = read_line(line, decoded.zones);
        if (!read) return fail(read.error());
    }
    return decoded;
}

}  // namespace mxtrust::dnssec
