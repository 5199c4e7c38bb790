// Mnemonics of types, response codes and algorithms; numbers without one in the generic form of RFC 3597 5.
#include "dns/types.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <type_traits>

namespace mxtrust::dns {

namespace {

template <class Enum>
constexpr auto number_of(Enum value) {
    return static_cast<std::underlying_type_t<Enum>>(value);
}

template <class Number>
struct Mnemonic {
    Number number;
    std::string_view text;
};

/// Also types that this program treats as opaque octets: people ask for them by name.
constexpr auto types = std::to_array<Mnemonic<std::uint16_t>>({
    {1, "A"},       {2, "NS"},     {3, "MD"},       {4, "MF"},          {5, "CNAME"},     {6, "SOA"},
    {7, "MB"},      {8, "MG"},     {9, "MR"},       {10, "NULL"},       {11, "WKS"},      {12, "PTR"},
    {13, "HINFO"},  {14, "MINFO"}, {15, "MX"},      {16, "TXT"},        {17, "RP"},       {18, "AFSDB"},
    {19, "X25"},    {20, "ISDN"},  {21, "RT"},      {22, "NSAP"},       {24, "SIG"},      {25, "KEY"},
    {26, "PX"},     {27, "GPOS"},  {28, "AAAA"},    {29, "LOC"},        {30, "NXT"},      {33, "SRV"},
    {35, "NAPTR"},  {36, "KX"},    {37, "CERT"},    {38, "A6"},         {39, "DNAME"},    {41, "OPT"},
    {42, "APL"},    {43, "DS"},    {44, "SSHFP"},   {45, "IPSECKEY"},   {46, "RRSIG"},    {47, "NSEC"},
    {48, "DNSKEY"}, {49, "DHCID"}, {50, "NSEC3"},   {51, "NSEC3PARAM"}, {52, "TLSA"},     {53, "SMIMEA"},
    {55, "HIP"},    {59, "CDS"},   {60, "CDNSKEY"}, {61, "OPENPGPKEY"}, {62, "CSYNC"},    {63, "ZONEMD"},
    {64, "SVCB"},   {65, "HTTPS"}, {66, "DSYNC"},   {99, "SPF"},        {104, "NID"},     {105, "L32"},
    {106, "L64"},   {107, "LP"},   {108, "EUI48"},  {109, "EUI64"},     {128, "NXNAME"},  {249, "TKEY"},
    {250, "TSIG"},  {251, "IXFR"}, {252, "AXFR"},   {253, "MAILB"},     {254, "MAILA"},   {255, "ANY"},
    {256, "URI"},   {257, "CAA"},  {258, "AVC"},    {260, "AMTRELAY"},  {261, "RESINFO"}, {262, "WALLET"},
});

constexpr auto rcodes = std::to_array<Mnemonic<std::uint16_t>>({
    {0, "NOERROR"},
    {1, "FORMERR"},
    {2, "SERVFAIL"},
    {3, "NXDOMAIN"},
    {4, "NOTIMP"},
    {5, "REFUSED"},
    {6, "YXDOMAIN"},
    {7, "YXRRSET"},
    {8, "NXRRSET"},
    {9, "NOTAUTH"},
    {10, "NOTZONE"},
    {16, "BADVERS"},
    {17, "BADKEY"},
    {18, "BADTIME"},
    {22, "BADTRUNC"},
    {23, "BADCOOKIE"},
});

constexpr auto algorithms = std::to_array<Mnemonic<std::uint8_t>>({
    {1, "RSAMD5"},
    {3, "DSA"},
    {5, "RSASHA1"},
    {6, "DSA-NSEC3-SHA1"},
    {7, "RSASHA1-NSEC3-SHA1"},
    {8, "RSASHA256"},
    {10, "RSASHA512"},
    {12, "ECC-GOST"},
    {13, "ECDSAP256SHA256"},
    {14, "ECDSAP384SHA384"},
    {15, "ED25519"},
    {16, "ED448"},
    {17, "SM2SM3"},
    {23, "ECC-GOST12"},
});

template <class Number, std::size_t count>
std::string text_of(const std::array<Mnemonic<Number>, count>& table, Number number, std::string_view generic) {
    for (const Mnemonic<Number>& entry : table) {
        if (entry.number == number) {
            return std::string(entry.text);
        }
    }
    return std::string(generic) + std::to_string(number);
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    const auto upper = [](char letter) {
        return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    };
    return std::ranges::equal(left, right, {}, upper, upper);
}

}  // namespace

std::string to_text(Type type) {
    return text_of(types, number_of(type), "TYPE");
}

Result<Type> type_from_text(std::string_view text) {
    for (const auto& entry : types) {
        if (equal_ignoring_case(entry.text, text)) {
            return static_cast<Type>(entry.number);
        }
    }
    constexpr std::string_view generic = "TYPE";  // RFC 3597 5
    if (equal_ignoring_case(text.substr(0, generic.size()), generic)) {
        const std::string_view digits = text.substr(generic.size());
        std::uint16_t number = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (error == std::errc() && end == digits.data() + digits.size()) {
            return static_cast<Type>(number);
        }
    }
    return fail(FailureKind::malformed, "DTYP"_code, "not a type of the DNS");
}

std::string to_text(Rcode rcode) {
    return text_of(rcodes, number_of(rcode), "RCODE");
}

std::string to_text(Algorithm algorithm) {
    return text_of(algorithms, number_of(algorithm), "algorithm ");
}

bool is_meta(Type type) {
    const std::uint16_t number = number_of(type);
    return type == Type::opt || (number >= 128 && number <= 255);  // RFC 6895 3.1
}

}  // namespace mxtrust::dns
