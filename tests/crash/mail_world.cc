// See mail_world.h.
#include "mail_world.h"

#include <array>

#include "cache/findings.h"

namespace mxtrust::test {
namespace {

using dns::Type;

constexpr std::size_t providers = 50;
constexpr std::array<const char*, 8> tops = {"nl", "de", "com", "org", "net", "se", "cz", "ch"};
constexpr std::array<const char*, 10> first = {"alpen", "blue",   "city", "delta", "energie",
                                               "forum", "garten", "hand", "immo",  "jacht"};
constexpr std::array<const char*, 10> second = {"werk",  "shop",   "design", "net",   "bouw",
                                                "media", "praxis", "advies", "hotel", "consult"};

dns::Name below(const dns::Name& name, std::string_view label) {
    return name.prepend(label).value();
}

Bytes number16(std::uint16_t number, const dns::Name& name) {
    Writer out;
    out.u16(number);
    out.bytes(name.wire());
    return std::move(out).finish();
}

std::uint32_t address_number(std::size_t number) {
    return static_cast<std::uint32_t>(0x0A000000 + number);
}

dns::Name provider(std::size_t number) {
    return name("mail-" + std::string(second[number % 10]) + std::to_string(number) + "." + tops[number % 8]);
}

}  // namespace

std::string_view to_text(Mix mix) {
    switch (mix) {
        case Mix::ecdsa:
            return "ECDSA P-256";
        case Mix::rsa:
            return "RSA 2048";
        case Mix::mostly:
            return "2/3 ECDSA, 1/3 RSA";
    }
    return "";
}

dns::Name MailWorld::domain(std::size_t number) {
    return name(std::string(first[number % 10]) + second[number / 10 % 10] + std::to_string(number / 100) + "." +
                tops[number % 8]);
}

MailWorld::Zone MailWorld::zone_of(std::size_t number) const {
    const bool is_rsa = mix_ == Mix::rsa || (mix_ == Mix::mostly && number % 3 == 0);
    return {domain(number), is_rsa, number % 2 == 0};
}

Bytes MailWorld::noise(std::size_t octets) {
    Bytes made(octets);
    for (std::uint8_t& octet : made) octet = static_cast<std::uint8_t>(random_.below(256));
    return made;
}

Bytes MailWorld::signature(Type covered, const dns::Name& owner, const Zone& zone) {
    Writer out;
    out.u16(static_cast<std::uint16_t>(covered));
    out.u8(zone.is_rsa ? 8 : 13);
    out.u8(static_cast<std::uint8_t>(owner.label_count()));
    out.u32(3600);
    out.u32(static_cast<std::uint32_t>(now_.seconds + 864'000));
    out.u32(static_cast<std::uint32_t>(now_.seconds - 86'400));
    out.u16(static_cast<std::uint16_t>(address_number(zone.name.wire().size() * 2477)));
    out.bytes(zone.name.wire());
    out.bytes(noise(zone.is_rsa ? 256 : 64));
    return std::move(out).finish();
}

dns::RRsetRef MailWorld::rrset(const dns::Name& owner, Type type, std::vector<Bytes> records, const Zone& zone) {
    auto set = std::make_shared<dns::RRset>();
    set->owner = owner;
    set->type = type;
    set->ttl = dns::Ttl(3600);
    set->records = std::move(records);
    set->signatures.push_back(signature(type, owner, zone));
    return set;
}

void MailWorld::keep(cache::Cache& cache, const dns::Name& name, Type type, std::vector<Bytes> records,
                     const Zone& zone) {
    cache.store(proven(dnssec::Security::secure, {.name = name,
                                                  .type = type,
                                                  .outcome = dnssec::Outcome::records,
                                                  .rrset = rrset(name, type, std::move(records), zone),
                                                  .zone = zone.name,
                                                  .expires = now_ + seconds(3600)}));
}

/// NODATA, and what resolve/ keeps of its proof.
void MailWorld::deny(cache::Cache& cache, const dns::Name& owner, Type type, const dns::Name& next, const Zone& zone) {
    Writer soa;
    soa.bytes(name("ns1.hosting-company.net").wire());
    soa.bytes(below(zone.name, "hostmaster").wire());
    for (const std::uint32_t number : {2026112201U, 14400U, 3600U, 1209600U, 3600U}) soa.u32(number);
    std::vector<dns::RRsetRef> proof = {rrset(zone.name, Type::soa, {std::move(soa).finish()}, zone)};
    Writer denial;
    const Bytes bitmap = {0x00, 0x06, 0x40, 0x01, 0x00, 0x00, 0x00, 0x03};
    if (zone.has_nsec3) {
        SeededRandom hash(std::hash<std::string>()(owner.to_text()));
        Bytes hashed(20);
        for (std::uint8_t& octet : hashed) octet = static_cast<std::uint8_t>(hash.below(256));
        denial.bytes(Bytes{1, 0, 0, 0, 0, 20});
        denial.bytes(noise(20));
        denial.bytes(bitmap);
        proof.push_back(rrset(below(zone.name, to_base32hex(hashed)), Type::nsec3, {std::move(denial).finish()}, zone));
    } else {
        denial.bytes(next.wire());
        denial.bytes(bitmap);
        proof.push_back(rrset(owner, Type::nsec, {std::move(denial).finish()}, zone));
    }
    const auto finding = proven(dnssec::Security::secure, {.name = owner,
                                                           .type = type,
                                                           .outcome = dnssec::Outcome::nodata,
                                                           .proof = proof,
                                                           .zone = zone.name,
                                                           .expires = now_ + seconds(3600)});
    cache.store(finding);
    for (const dns::RRsetRef& set : proof) {
        const auto own = proven(dnssec::Security::secure, {.name = set->owner,
                                                           .type = set->type,
                                                           .outcome = dnssec::Outcome::records,
                                                           .rrset = set,
                                                           .zone = zone.name,
                                                           .expires = now_ + seconds(3600)});
        if (set->type == Type::soa) {
            cache.store(own);
        } else {
            cache.store_denial(zone.name, own);
        }
    }
}

void MailWorld::learn_zone(cache::Cache& cache, const Zone& zone, const Zone& parent) {
    Writer ds;
    ds.u16(4711);
    ds.u8(zone.is_rsa ? 8 : 13);
    ds.u8(2);
    ds.bytes(noise(32));
    keep(cache, zone.name, Type::ds, {std::move(ds).finish()}, parent);
    std::vector<Bytes> keys;
    for (const std::uint16_t flags : {std::uint16_t{257}, std::uint16_t{256}}) {
        Writer key;
        key.u16(flags);
        key.u8(3);
        key.u8(zone.is_rsa ? 8 : 13);
        key.bytes(noise(zone.is_rsa ? 260 : 64));
        keys.push_back(std::move(key).finish());
    }
    keep(cache, zone.name, Type::dnskey, std::move(keys), zone);
    const std::string hoster = "hoster" + std::to_string(random_.below(20)) + ".net";
    cache.store_cut({.zone = zone.name,
                     .parent = zone.name.parent(),
                     .servers = {{name("ns1." + hoster), {}}, {name("ns2." + hoster), {}}},
                     .expires = now_ + seconds(86400)});
}

/// A always; AAAA for two of three; TLSA for half of them.
std::size_t MailWorld::learn_host(cache::Cache& cache, const dns::Name& host, const Zone& zone, std::size_t kind) {
    Writer address;
    address.u32(address_number(kind * 7919));
    keep(cache, host, Type::a, {std::move(address).finish()}, zone);
    if (kind % 3 != 0) {
        keep(cache, host, Type::aaaa, {noise(16)}, zone);
    } else {
        deny(cache, host, Type::aaaa, below(zone.name, "www"), zone);
    }
    const dns::Name tlsa = below(below(host, "_tcp"), "_25");
    if (kind % 2 == 0) {
        Bytes record = noise(35);
        record[0] = 3, record[1] = 1, record[2] = 1;
        keep(cache, tlsa, Type::tlsa, {record}, zone);
    } else {
        deny(cache, tlsa, Type::tlsa, below(zone.name, "www"), zone);
    }
    return 3;
}

std::size_t MailWorld::learn_providers(cache::Cache& cache) {
    std::size_t questions = 0;
    for (std::size_t number = 0; number < providers; ++number) {
        const Zone zone{provider(number), zone_of(number).is_rsa, number % 2 == 0};
        learn_zone(cache, zone, {zone.name.parent(), mix_ == Mix::rsa, true});
        for (const char* host : {"mx1", "mx2"}) questions += learn_host(cache, below(zone.name, host), zone, number);
    }
    return questions;
}

/// Seven of ten have a provider's hosts.
std::size_t MailWorld::learn(std::size_t number, cache::Cache& cache) {
    const Zone zone = zone_of(number);
    const bool top_is_rsa = mix_ == Mix::rsa || (mix_ == Mix::mostly && number % 8 < 4);
    learn_zone(cache, zone, {zone.name.parent(), top_is_rsa, true});
    if (number % 10 < 7) {
        const dns::Name its = provider(random_.below(providers));
        keep(cache, zone.name, Type::mx, {number16(10, below(its, "mx1")), number16(20, below(its, "mx2"))}, zone);
        return 1;
    }
    const dns::Name host = below(zone.name, "mail");
    keep(cache, zone.name, Type::mx, {number16(10, host)}, zone);
    return 1 + learn_host(cache, host, zone, number);
}

}  // namespace mxtrust::test
