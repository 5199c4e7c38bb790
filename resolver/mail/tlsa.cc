// TLSA usability; see tlsa.h.
#include "mail/tlsa.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "crypto/certificate.h"
#include "dns/rdata.h"

namespace mxtrust::mail {
namespace {

constexpr std::uint8_t dane_ta = 2, dane_ee = 3;
constexpr std::uint8_t whole_certificate = 0, public_key_info = 1;
constexpr std::uint8_t exact = 0, sha2_256 = 1, sha2_512 = 2;

std::string digest_complaint(std::string_view digest, std::size_t wanted, std::size_t found) {
    std::string text(digest);
    return text + " digests have " + std::to_string(wanted) + " octets, this one has " + std::to_string(found);
}

/// Why a record cannot be used; empty where it can.
std::string complaint(const TlsaRecord& record) {
    if (record.usage < dane_ta) {
        // RFC 7672 3.1.3: SMTP has no use for PKIX-TA(0) and PKIX-EE(1); they are unusable, not errors.
        return "usage " + std::to_string(record.usage) + " is not for SMTP (RFC 7672 3.1.3); publish 3 1 1 or 2 1 1";
    }
    if (record.usage > dane_ee) return "usage " + std::to_string(record.usage) + " is not known";
    if (record.selector > public_key_info) return "selector " + std::to_string(record.selector) + " is not known";
    if (record.matching > sha2_512) return "matching type " + std::to_string(record.matching) + " is not known";
    if (record.data.empty()) return "the certificate association data are missing";
    if (record.matching == sha2_256 && record.data.size() != 32)
        return digest_complaint("SHA-256", 32, record.data.size());
    if (record.matching == sha2_512 && record.data.size() != 64)
        return digest_complaint("SHA-512", 64, record.data.size());
    if (record.matching != exact) return {};
    if (record.selector == whole_certificate && !crypto::is_certificate(record.data)) {
        return "the data are no X.509 certificate, though selector 0 with matching type 0 says so";
    }
    if (record.selector == public_key_info && !crypto::is_public_key_info(record.data)) {
        return "the data are no public key (SubjectPublicKeyInfo), though selector 1 with matching type 0 says so";
    }
    return {};
}

std::vector<TlsaRecord> parsed(const dns::RRset& rrset) {
    std::vector<TlsaRecord> records;
    for (const Bytes& rdata : rrset.records) {
        Result<dns::Tlsa> tlsa = dns::parse_tlsa(rdata);
        if (!tlsa) {
            // Shorter than three octets: messages with such records do not parse; should one get here, it is listed and
            // worthless.
            TlsaRecord record;
            record.why = "the record is too short to be a TLSA record";
            records.push_back(std::move(record));
            continue;
        }
        TlsaRecord record;
        record.usage = tlsa->usage;
        record.selector = tlsa->selector;
        record.matching = tlsa->matching;
        record.data = std::move(tlsa->data);
        records.push_back(std::move(record));
    }
    std::sort(records.begin(), records.end(), [](const TlsaRecord& left, const TlsaRecord& right) {
        return std::tie(left.usage, left.selector, left.matching, left.data) <
               std::tie(right.usage, right.selector, right.matching, right.data);
    });
    return records;
}

/// RFC 7671 9: of the digests published for one usage and selector only the strongest counts; matching type 0 always
/// does. What is unusable supersedes nothing: a damaged strong digest must not switch off a sound weaker one.
bool is_superseded(const TlsaRecord& record, const std::vector<TlsaRecord>& records) {
    if (record.matching == exact) return false;
    return std::any_of(records.begin(), records.end(), [&record](const TlsaRecord& other) {
        return other.usable && other.usage == record.usage && other.selector == record.selector &&
               other.matching > record.matching;
    });
}

}  // namespace

std::vector<TlsaRecord> judge_tlsa(const dnssec::SecureRRset& rrset) {
    std::vector<TlsaRecord> records = parsed(*rrset);
    for (TlsaRecord& record : records) {
        if (record.why.empty()) record.why = complaint(record);
        record.usable = record.why.empty();
    }
    for (TlsaRecord& record : records) {
        if (!record.usable) continue;
        record.counts = !is_superseded(record, records);
        if (!record.counts)
            record.why = "a SHA-512 digest is published for the same usage and selector; only that counts (RFC 7671 9)";
    }
    return records;
}

std::vector<TlsaRecord> list_unproven_tlsa(const dns::RRset& rrset) {
    std::vector<TlsaRecord> records = parsed(rrset);
    for (TlsaRecord& record : records) record.why = "not authentic: the record is not signed with DNSSEC";
    return records;
}

bool any_usable(const std::vector<TlsaRecord>& records) {
    return std::any_of(records.begin(), records.end(), [](const TlsaRecord& record) { return record.usable; });
}

}  // namespace mxtrust::mail
