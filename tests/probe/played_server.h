// A mail server in the same thread, in virtual time: a script of SMTP lines, and TLS with certificates made on the
// spot. Nobody else is needed to see what the probe makes of a server.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "mail/answer.h"
#include "probe/probe.h"

namespace mxtrust::probe::testing {

inline constexpr std::int64_t now = 1795305600;
inline constexpr std::int64_t day = 86400;

struct Free {
    void operator()(X509* one) const { X509_free(one); }
    void operator()(EVP_PKEY* one) const { EVP_PKEY_free(one); }
    void operator()(SSL_CTX* one) const { SSL_CTX_free(one); }
    void operator()(SSL* one) const { SSL_free(one); }
};
using CertificatePtr = std::unique_ptr<X509, Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;

struct Issued {
    CertificatePtr certificate;
    KeyPtr key;
    std::string subject;
};

struct Order {
    std::string name = "mx.example.org";
    std::int64_t begin = now - day, end = now + 90 * day;
    const Issued* issuer = nullptr;  ///< null: self-signed
    bool is_authority = false;
    bool rsa = false;
    bool names_alternative = true;  ///< off: the subject alone has the name
};

inline void add_extension(X509* certificate, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

inline Issued issue(const Order& order) {
    static long serial = 1;
    Issued made;
    made.subject = order.name;
    made.key.reset(order.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
    made.certificate.reset(X509_new());
    X509* certificate = made.certificate.get();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    ASN1_TIME_set(X509_getm_notBefore(certificate), order.begin);
    ASN1_TIME_set(X509_getm_notAfter(certificate), order.end);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(order.name.c_str()),
                               -1, -1, 0);
    X509_set_issuer_name(certificate,
                         order.issuer == nullptr ? name : X509_get_subject_name(order.issuer->certificate.get()));
    add_extension(certificate, NID_basic_constraints, order.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!order.is_authority && order.names_alternative)
        add_extension(certificate, NID_subject_alt_name, "DNS:" + order.name);
    X509_sign(certificate, order.issuer == nullptr ? made.key.get() : order.issuer->key.get(), EVP_sha256());
    return made;
}

inline Bytes der_of(const Issued& issued, int selector) {
    unsigned char* der = nullptr;
    const int length = selector == 0 ? i2d_X509(issued.certificate.get(), &der)
                                     : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issued.certificate.get()), &der);
    Bytes octets(der, der + length);
    OPENSSL_free(der);
    return octets;
}

inline mail::TlsaRecord record_for(const Issued& issued, std::uint8_t usage, std::uint8_t selector,
                                   std::uint8_t matching) {
    mail::TlsaRecord record;
    record.usage = usage;
    record.selector = selector;
    record.matching = matching;
    record.data = der_of(issued, selector);
    record.usable = record.counts = true;
    if (matching == 0) return record;
    Bytes digest(EVP_MAX_MD_SIZE);
    unsigned length = 0;
    EVP_Digest(record.data.data(), record.data.size(), digest.data(), &length,
               matching == 1 ? EVP_sha256() : EVP_sha512(), nullptr);
    digest.resize(length);
    record.data = digest;
    return record;
}

/// What the server does; the usual one is a good server.
struct Script {
    std::string greeting = "220 mx.example.org ESMTP\r\n";
    std::string ehlo = "250-mx.example.org\r\n250 STARTTLS\r\n";
    std::string starttls = "220 go ahead\r\n";
    std::string instead_of_tls;  ///< sent in the place of the handshake
    bool cut_at_starttls = false, cut_in_tls = false;
    std::vector<const Issued*> certificates;  ///< one of each kind of key
    std::vector<const Issued*> above;         ///< sent with them
};

/// What clients said, over all connections.
struct Heard {
    std::vector<std::string> lines;
    std::string sni;
    int connections = 0;
};

class PlayedWire final : public Wire {
  public:
    PlayedWire(const Script& script, Heard& heard, ManualClock& clock) : script_(script), heard_(heard), clock_(clock) {
        ++heard_.connections;
        say(script.greeting);
    }
    ~PlayedWire() override = default;

    Result<std::size_t> receive(std::span<std::uint8_t> into, MonoTime deadline) override {
        if (out_.empty() && closed_) return std::size_t{0};
        if (out_.empty()) {
            // Nobody else is there who could say something: time goes by.
            if (deadline > clock_.mono()) clock_.advance(deadline - clock_.mono());
            return fail(FailureKind::timeout, Code("TEST"), "nothing came in time");
        }
        const std::size_t count = std::min(into.size(), out_.size());
        std::copy_n(out_.begin(), count, into.begin());
        out_.erase(0, count);
        return count;
    }

    Done send(BytesView octets, MonoTime) override {
        if (closed_) return fail(FailureKind::unreachable, Code("TEST"), "closed");
        if (ssl_ != nullptr) {
            BIO_write(SSL_get_rbio(ssl_.get()), octets.data(), static_cast<int>(octets.size()));
            serve_tls();
        } else if (in_tls_) {
            say(script_.instead_of_tls);
            closed_ = script_.cut_in_tls;
        } else {
            in_.append(octets.begin(), octets.end());
            serve_lines([this](const std::string& text) { say(text); });
        }
        return {};
    }

  private:
    void say(const std::string& text) { out_ += text; }

    template <class Say>
    void serve_lines(Say answer) {
        for (std::size_t end = in_.find("\r\n"); end != std::string::npos; end = in_.find("\r\n")) {
            const std::string line = in_.substr(0, end);
            in_.erase(0, end + 2);
            heard_.lines.push_back(line);
            if (line.starts_with("EHLO")) {
                answer(script_.ehlo);
            } else if (line == "STARTTLS") {
                if (script_.cut_at_starttls) {
                    closed_ = true;
                    return;
                }
                answer(script_.starttls);
                if (script_.starttls.starts_with("220")) begin_tls();
                return;
            } else if (line == "QUIT") {
                answer("221 bye\r\n");
                return;
            } else {
                answer("500 what?\r\n");
            }
        }
    }

    void begin_tls() {
        in_tls_ = true;
        if (!script_.instead_of_tls.empty() || script_.cut_in_tls) return;
        context_.reset(SSL_CTX_new(TLS_server_method()));
        for (const Issued* one : script_.certificates) {
            SSL_CTX_use_certificate(context_.get(), one->certificate.get());
            SSL_CTX_use_PrivateKey(context_.get(), one->key.get());
            for (const Issued* above : script_.above) SSL_CTX_add1_chain_cert(context_.get(), above->certificate.get());
        }
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(ssl_.get());
    }

    void serve_tls() {
        char chunk[4096];
        for (int count = SSL_read(ssl_.get(), chunk, sizeof chunk); count > 0;
             count = SSL_read(ssl_.get(), chunk, sizeof chunk)) {
            in_.append(chunk, static_cast<std::size_t>(count));
            serve_lines(
                [this](const std::string& text) { SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())); });
        }
        const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
        if (name != nullptr) heard_.sni = name;
        for (int count = BIO_read(SSL_get_wbio(ssl_.get()), chunk, sizeof chunk); count > 0;
             count = BIO_read(SSL_get_wbio(ssl_.get()), chunk, sizeof chunk))
            out_.append(chunk, static_cast<std::size_t>(count));
    }

    Script script_;
    Heard& heard_;
    ManualClock& clock_;
    std::string out_, in_;
    bool closed_ = false, in_tls_ = false;
    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL, Free> ssl_;
};

class PlayedConnector final : public Connector {
  public:
    PlayedConnector(Script script, ManualClock& clock) : script_(std::move(script)), clock_(clock) {}
    Result<std::unique_ptr<Wire>> connect(const Endpoint&, MonoTime) override {
        return std::unique_ptr<Wire>(std::make_unique<PlayedWire>(script_, heard, clock_));
    }
    Heard heard;

  private:
    Script script_;
    ManualClock& clock_;
};

inline Target dane_target(std::vector<mail::TlsaRecord> records) {
    Target target;
    target.host = "mx.example.org";
    target.endpoint = Endpoint{*Address::from_text("192.0.2.25"), 25};
    target.action = mail::HostAction::dane;
    target.sni = "mx.example.org";
    target.names = {"mx.example.org", "example.org"};
    target.records = std::move(records);
    return target;
}

struct Visited {
    Observation seen;
    Heard heard;
    std::chrono::microseconds took{};
};

inline Visited visit(const Script& script, Target target) {
    ManualClock clock(WallTime{now});
    PlayedConnector connector(script, clock);
    Options options;
    options.ehlo_name = "sender.example";
    Visited result;
    const MonoTime begin = clock.mono();
    result.seen = probe(std::move(target), connector, clock, options);
    result.took = clock.mono() - begin;
    result.heard = connector.heard;
    return result;
}

}  // namespace mxtrust::probe::testing
