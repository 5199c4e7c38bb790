// OpenSSL between two memory BIOs; the wire carries what they hold.
#include "probe/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "dns/text.h"
#include "probe/certificate.h"

namespace mxtrust::probe {
namespace {

constexpr std::size_t most_text_octets = 300;

/// What a server must be able to sign with to be chosen. PKCS #1 stands in the second list for the signatures inside
/// the chain: TLS 1.3 allows it nowhere else, and for TLS 1.2 the ciphers decide.
constexpr const char* rsa_signatures =
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:rsa_pss_pss_sha256:rsa_pss_pss_sha384:"
    "rsa_pss_pss_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512:RSA+SHA1";
constexpr const char* ecdsa_signatures =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:RSA+SHA256:RSA+SHA384:RSA+SHA512";
// Level 0, as MTAs have it: what is weak is told, not refused; nothing secret is sent here.
constexpr const char* any_ciphers = "DEFAULT:@SECLEVEL=0";
constexpr const char* rsa_ciphers = "aRSA:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0";
constexpr const char* ecdsa_ciphers = "aECDSA:!aNULL:!eNULL:!PSK:!SRP:@SECLEVEL=0";

struct ContextFree {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// Notes every complaint and lets verification go on: one look is to find all that is wrong.
int note_complaint(int good, X509_STORE_CTX* store) {
    if (good == 1) return 1;
    const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto* complaints = static_cast<std::vector<Complaint>*>(SSL_get_app_data(ssl));
    const int error = X509_STORE_CTX_get_error(store), depth = X509_STORE_CTX_get_error_depth(store);
    const bool known = std::any_of(complaints->begin(), complaints->end(), [error, depth](const Complaint& one) {
        return one.error == error && one.depth == depth;
    });
    // A chain of ten certificates has not a hundred faults.
    if (!known && complaints->size() < 100) complaints->push_back({error, depth, X509_verify_cert_error_string(error)});
    return 1;
}

std::string library_text() {
    const unsigned long error = ERR_peek_last_error();
    const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
    return reason == nullptr ? "the handshake failed" : dns::clean_text(reason, most_text_octets);
}

TlsFailure library_failure() {
    const unsigned long error = ERR_peek_last_error();
    const int reason = ERR_GET_REASON(error);
    TlsFailure failure{TlsTrouble::garbage, library_text()};
    // Reasons from 1000 on are the alerts that the other side sent.
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET) failure.trouble = TlsTrouble::refused;
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason == SSL_R_EXCESSIVE_MESSAGE_SIZE) {
        failure.trouble = TlsTrouble::too_much;
        failure.text = "a certificate message of more than " + std::to_string(most_certificate_octets) + " octets";
    }
    ERR_clear_error();
    return failure;
}

TlsFailure ours(std::string_view what) {
    std::string text = std::string(what) + ": " + library_text();
    ERR_clear_error();
    return {TlsTrouble::ours, std::move(text)};
}

}  // namespace

struct TlsWire::State {
    explicit State(Wire& wire) : under(wire) {}

    bool prepare(const Wanted& wanted);
    bool prepare_names(const Wanted& wanted);
    bool add_records(const Wanted& wanted);
    Done flush(MonoTime deadline);
    Result<std::size_t> fill(MonoTime deadline);
    Handshake seen(const Wanted& wanted);

    Wire& under;
    std::unique_ptr<SSL_CTX, ContextFree> context;
    std::unique_ptr<SSL, SslFree> ssl;
    std::vector<Complaint> complaints;
    std::size_t taken = 0;
    bool established = false;
};

bool TlsWire::State::prepare(const Wanted& wanted) {
    context.reset(SSL_CTX_new(TLS_client_method()));
    if (context == nullptr) return false;
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_cert_list(context.get(), static_cast<long>(most_certificate_octets));
    const char* ciphers = wanted.kind == KeyKind::rsa     ? rsa_ciphers
                          : wanted.kind == KeyKind::ecdsa ? ecdsa_ciphers
                                                          : any_ciphers;
    if (SSL_CTX_set_cipher_list(context.get(), ciphers) != 1) return false;
    if (wanted.kind != KeyKind::any &&
        SSL_CTX_set1_sigalgs_list(context.get(), wanted.kind == KeyKind::rsa ? rsa_signatures : ecdsa_signatures) != 1)
        return false;
    if (wanted.judging == Judging::dane && SSL_CTX_dane_enable(context.get()) != 1) return false;
    if (wanted.judging == Judging::webpki && SSL_CTX_set_default_verify_paths(context.get()) != 1) return false;
    ssl.reset(SSL_new(context.get()));
    if (ssl == nullptr) return false;
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    if (in == nullptr || out == nullptr) {
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    SSL_set_bio(ssl.get(), in, out);
    SSL_set_app_data(ssl.get(), &complaints);
    // With SSL_VERIFY_NONE nothing is asked of the callback; it never says no.
    SSL_set_verify(ssl.get(), wanted.judging == Judging::nobody ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                   wanted.judging == Judging::nobody ? nullptr : note_complaint);
    SSL_set_verify_depth(ssl.get(), static_cast<int>(most_certificates));
    X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl.get()), wanted.now.seconds);
    SSL_set_connect_state(ssl.get());
    return prepare_names(wanted) && (wanted.judging != Judging::dane || add_records(wanted));
}

bool TlsWire::State::prepare_names(const Wanted& wanted) {
    // RFC 7672 3.2.3: a wildcard stands for a whole leftmost label only. To MTA-STS a name in the subject alone is none
    // (RFC 8461 4.2); to DANE it is one, where there are no others.
    const unsigned never_subject = wanted.judging == Judging::webpki ? X509_CHECK_FLAG_NEVER_CHECK_SUBJECT : 0U;
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | never_subject);
    // What SSL_set_tlsext_host_name is; g++ minds that macro's cast. The name is copied.
    if (!wanted.sni.empty() && SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                        const_cast<char*>(wanted.sni.c_str())) != 1)
        return false;
    if (wanted.judging == Judging::nobody) return true;
    if (wanted.names.empty()) return false;
    if (wanted.judging == Judging::dane) {
        if (SSL_dane_enable(ssl.get(), wanted.names.front().c_str()) != 1) return false;
        // RFC 7672 3.1.1: usage 3 ignores names (and OpenSSL, with DANE, dates).
        SSL_dane_set_flags(ssl.get(), DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    } else if (SSL_set1_host(ssl.get(), wanted.names.front().c_str()) != 1) {
        return false;
    }
    return std::all_of(wanted.names.begin() + 1, wanted.names.end(),
                       [this](const std::string& name) { return SSL_add1_host(ssl.get(), name.c_str()) == 1; });
}

bool TlsWire::State::add_records(const Wanted& wanted) {
    std::size_t added = 0;
    for (const mail::TlsaRecord& record : wanted.records) {
        if (!record.counts) continue;
        // 0: OpenSSL finds it unusable, though we do not; the others decide then (RFC 7671 10.1.1).
        const int result = SSL_dane_tlsa_add(ssl.get(), record.usage, record.selector, record.matching,
                                             record.data.data(), record.data.size());
        if (result < 0) return false;
        added += result > 0 ? 1 : 0;
        ERR_clear_error();
    }
    return added > 0;
}

Done TlsWire::State::flush(MonoTime deadline) {
    std::array<std::uint8_t, 16384> chunk{};
    for (;;) {
        const int count = BIO_read(SSL_get_wbio(ssl.get()), chunk.data(), static_cast<int>(chunk.size()));
        if (count <= 0) return {};
        const Done sent = under.send(BytesView(chunk.data(), static_cast<std::size_t>(count)), deadline);
        if (!sent) return sent;
    }
}

Result<std::size_t> TlsWire::State::fill(MonoTime deadline) {
    std::array<std::uint8_t, 16384> chunk{};
    const Result<std::size_t> count = under.receive(chunk, deadline);
    if (!count || *count == 0) return count;
    taken += *count;
    if (taken > most_handshake_octets)
        return fail(FailureKind::budget, "PTLB"_code,
                    "more than " + std::to_string(most_handshake_octets) + " octets inside TLS");
    BIO_write(SSL_get_rbio(ssl.get()), chunk.data(), static_cast<int>(*count));
    return count;
}

Handshake TlsWire::State::seen(const Wanted& wanted) {
    Handshake found;
    found.asked = wanted.kind;
    found.protocol = SSL_get_version(ssl.get());
    const char* cipher = SSL_get_cipher_name(ssl.get());
    found.cipher = cipher == nullptr ? "" : cipher;
    found.complaints = complaints;
    found.matches.resize(wanted.records.size());
    STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl.get());
    const int count = sent == nullptr ? 0 : sk_X509_num(sent);
    found.sent_certificates = static_cast<std::size_t>(count);
    for (int depth = 0; depth < count && found.chain.size() < most_certificates; ++depth) {
        X509* certificate = sk_X509_value(sent, depth);
        found.chain.push_back(facts_of(certificate));
        for (std::size_t index = 0; index < wanted.records.size(); ++index) {
            const mail::TlsaRecord& record = wanted.records[index];
            // RFC 7671 5.1, 5.2: usage 3 is about the server's own certificate, usage 2 about those above it.
            const bool applies = record.usage == 3 ? depth == 0 : record.usage == 2 && depth > 0;
            if (applies && !found.matches[index] && fits(record, certificate)) found.matches[index] = depth;
        }
    }
    if (wanted.judging != Judging::dane) return found;
    EVP_PKEY* key = nullptr;
    const int depth = SSL_get0_dane_authority(ssl.get(), nullptr, &key);
    if (depth < 0) return found;
    Authority authority;
    authority.depth = depth;
    authority.by_bare_key = key != nullptr;
    const unsigned char* data = nullptr;
    std::size_t length = 0;
    SSL_get0_dane_tlsa(ssl.get(), &authority.usage, &authority.selector, &authority.matching, &data, &length);
    if (data != nullptr) authority.data.assign(data, data + length);
    found.authority = std::move(authority);
    return found;
}

TlsWire::TlsWire(Wire& under) : state_(std::make_unique<State>(under)) {}
TlsWire::~TlsWire() = default;

bool Handshake::complains_of(int error) const {
    return std::any_of(complaints.begin(), complaints.end(),
                       [error](const Complaint& one) { return one.error == error; });
}

tl::expected<Handshake, TlsFailure> TlsWire::handshake(const Wanted& wanted, MonoTime deadline) {
    ERR_clear_error();
    if (!state_->prepare(wanted)) return tl::unexpected(ours("TLS cannot be set up"));
    for (;;) {
        const int result = SSL_do_handshake(state_->ssl.get());
        const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(state_->ssl.get(), result);
        const Done sent = state_->flush(deadline);
        if (error == SSL_ERROR_NONE) break;
        if (error != SSL_ERROR_WANT_READ) return tl::unexpected(library_failure());
        if (!sent && sent.error().kind == FailureKind::timeout)
            return tl::unexpected(TlsFailure{TlsTrouble::timeout, sent.error().text});
        const Result<std::size_t> count = state_->fill(deadline);
        if (!count && count.error().kind == FailureKind::timeout)
            return tl::unexpected(TlsFailure{TlsTrouble::timeout, count.error().text});
        if (!count && count.error().kind == FailureKind::budget)
            return tl::unexpected(TlsFailure{TlsTrouble::too_much, count.error().text});
        if (!count || *count == 0) {
            const TlsTrouble trouble = state_->taken == 0 ? TlsTrouble::cut : TlsTrouble::cut_later;
            return tl::unexpected(TlsFailure{trouble, "the server closed the connection"});
        }
    }
    state_->established = true;
    return state_->seen(wanted);
}

Result<std::size_t> TlsWire::receive(std::span<std::uint8_t> into, MonoTime deadline) {
    for (;;) {
        const int count = SSL_read(state_->ssl.get(), into.data(), static_cast<int>(into.size()));
        if (count > 0) return static_cast<std::size_t>(count);
        const int error = SSL_get_error(state_->ssl.get(), count);
        ERR_clear_error();
        if (error == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
        if (error != SSL_ERROR_WANT_READ)
            return fail(FailureKind::malformed, "PTLR"_code, "what came is not what TLS was agreed on");
        const Done sent = state_->flush(deadline);
        if (!sent) return fail(sent.error());
        const Result<std::size_t> filled = state_->fill(deadline);
        if (!filled || *filled == 0) return filled;
    }
}

Done TlsWire::send(BytesView octets, MonoTime deadline) {
    if (!octets.empty() && SSL_write(state_->ssl.get(), octets.data(), static_cast<int>(octets.size())) <= 0) {
        ERR_clear_error();
        return fail(FailureKind::unreachable, "PTLS"_code, "TLS is closed");
    }
    return state_->flush(deadline);
}

void TlsWire::close(MonoTime deadline) {
    if (!state_->established) return;
    SSL_shutdown(state_->ssl.get());
    ERR_clear_error();
    // Whether it arrives, nobody needs to know: the connection is done with.
    const Done sent = state_->flush(deadline);
    static_cast<void>(sent);
}

std::string_view to_text(KeyKind kind) {
    switch (kind) {
        case KeyKind::any:
            return "any";
        case KeyKind::rsa:
            return "RSA";
        case KeyKind::ecdsa:
            return "ECDSA";
    }
    return "any";
}

}  // namespace mxtrust::probe
