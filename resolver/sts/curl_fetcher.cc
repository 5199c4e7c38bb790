// One multi handle for the loop, which keeps the parsed authorities between transfers; an easy handle for each
// transfer, which lives in the coroutine's frame, so that cancelling the task ends it.
#include "sts/curl_fetcher.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "mail/sts.h"
#include "net/poll.h"
#include "net/sockaddr.h"
#include "task/nursery.h"
#include "task/scheduler.h"
#include "task/signal.h"

namespace mxtrust::sts {
namespace {

constexpr std::uint16_t https_port = 443;
constexpr long http_good = 200;
constexpr long most_authority_age = 86400;  // seconds until the authorities' file is read again

mail::StsTrouble trouble(mail::TlsrptType type, std::string text) {
    return mail::StsTrouble{type, std::move(text)};
}

Fetched failed(mail::TlsrptType type, std::string text) {
    Fetched fetched;
    fetched.trouble = trouble(type, std::move(text));
    return fetched;
}

/// "text/plain", with parameters or without, in any case (RFC 8461 3.2).
bool is_plain_text(const char* type) {
    if (type == nullptr) return false;
    std::string text(type);
    text.resize(std::min(text.find(';'), text.size()));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
    std::transform(text.begin(), text.end(), text.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    });
    return text == "text/plain";
}

/// Has the server's own certificate subject alternative names?
bool names_alternatives(CURL* easy) {
    curl_certinfo* chain = nullptr;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr || chain->num_of_certs < 1)
        return false;
    for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
        if (std::string_view(line->data).starts_with("X509v3 Subject Alternative Name:")) return true;
    }
    return false;
}

/// What libcurl says in its own words, as part of a sentence.
std::string one_line(std::string_view text) {
    std::string line(text.substr(0, 200));
    std::replace_if(line.begin(), line.end(), [](char letter) { return letter < ' ' || letter > '~'; }, '?');
    return line;
}

}  // namespace

/// What libcurl wants done for it: sockets watched, and to be called after a time.
struct CurlFetcher::Engine {
    explicit Engine(net::UvLoop& its_loop)
        : loop(its_loop),
          polls(its_loop),
          timer(its_loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }),
          background(its_loop),
          multi(curl_multi_init()) {
        if (multi == nullptr) return;
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Engine::watch);
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Engine::wake);
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L);
        background.spawn(serve(this));
    }
    ~Engine() {
        background.cancel_all();
        timer.cancel();
        if (multi != nullptr) curl_multi_cleanup(multi);
    }
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    static int watch(CURL*, curl_socket_t descriptor, int what, void* self, void*) {
        const bool in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
        const bool out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
        static_cast<Engine*>(self)->polls.watch(descriptor, in, out);
        return 0;
    }
    static int wake(CURLM*, long milliseconds, void* self) {
        auto* engine = static_cast<Engine*>(self);
        if (milliseconds < 0) {
            engine->timer.cancel();
        } else {
            engine->timer.wake_at(engine->loop.now() + Duration(milliseconds));
        }
        return 0;
    }
    /// The engine outlives its background.
    static task::Task<void> serve(Engine* self) {
        while (true) {
            co_await self->polls.wait(task::never);
            for (const net::PollSet::Event& event : self->polls.take()) {
                self->act(event.descriptor,
                          (event.readable ? CURL_CSELECT_IN : 0) | (event.writable ? CURL_CSELECT_OUT : 0));
            }
        }
    }
    void act(curl_socket_t descriptor, int what);

    net::UvLoop& loop;
    net::PollSet polls;
    task::Timer timer;
    task::Nursery background;
    CURLM* multi;
    std::size_t transfers = 0;
};

class CurlFetcher::Transfer {
  public:
    Transfer(Engine& engine, const FetchSettings& settings, FetchRequest request)
        : engine_(engine), request_(std::move(request)), easy_(curl_easy_init()) {
        ++engine_.transfers;
        host_ = request_.host.to_text();
        if (easy_ != nullptr) set(settings);
    }
    ~Transfer() {
        if (added_) curl_multi_remove_handle(engine_.multi, easy_);
        if (easy_ != nullptr) curl_easy_cleanup(easy_);
        curl_slist_free_all(known_);
        --engine_.transfers;
    }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    bool begin() {
        if (easy_ == nullptr || engine_.multi == nullptr || !settings_hold_) return false;
        added_ = curl_multi_add_handle(engine_.multi, easy_) == CURLM_OK;
        return added_;
    }
    void end(CURLcode code) {
        code_ = code;
        ended_.notify();
    }
    [[nodiscard]] task::Task<bool> wait(MonoTime deadline) { return ended_.wait(deadline); }

    [[nodiscard]] Fetched result() {
        if (!ended_.is_set())
            return failed(mail::TlsrptType::sts_policy_fetch_error, host_ + " did not answer in time");
        if (too_large_ || code_ == CURLE_FILESIZE_EXCEEDED)
            return failed(mail::TlsrptType::sts_policy_fetch_error, host_ + " sends more than 64 KiB");
        if (code_ != CURLE_OK) return unfetched();
        // RFC 8461 3.3: a name in the subject alone does not count; libcurl would fall back to it.
        if (!names_alternatives(easy_))
            return failed(mail::TlsrptType::sts_webpki_invalid,
                          "the certificate of " + host_ + " has no subject alternative name");
        long status = 0;
        const char* type = nullptr;
        curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy_, CURLINFO_CONTENT_TYPE, &type);
        if (status >= 300 && status < 400) {
            return failed(mail::TlsrptType::sts_policy_fetch_error,
                          host_ + " redirects, which is not followed (RFC 8461 3.3)");
        }
        if (status != http_good) {
            return failed(mail::TlsrptType::sts_policy_fetch_error,
                          host_ + " answers with HTTP status " + std::to_string(status));
        }
        if (!is_plain_text(type))
            return failed(mail::TlsrptType::sts_policy_fetch_error, host_ + " sends something else than text/plain");
        Fetched fetched;
        fetched.good = true;
        fetched.text = std::move(text_);
        return fetched;
    }

  private:
    [[nodiscard]] Fetched unfetched() const {
        const std::string words = one_line(error_[0] != '\0' ? error_.data() : curl_easy_strerror(code_));
        if (code_ == CURLE_PEER_FAILED_VERIFICATION || code_ == CURLE_SSL_ISSUER_ERROR)
            return failed(mail::TlsrptType::sts_webpki_invalid,
                          "the certificate of " + host_ + " is not valid: " + words);
        if (code_ == CURLE_SSL_CACERT_BADFILE)
            return failed(mail::TlsrptType::sts_policy_fetch_error,
                          "the certificate authorities cannot be read here: " + words);
        return failed(mail::TlsrptType::sts_policy_fetch_error, host_ + " cannot be asked: " + words);
    }

    template <class Value>
    void option(CURLoption which, Value value) {
        settings_hold_ = settings_hold_ && curl_easy_setopt(easy_, which, value) == CURLE_OK;
    }
    void set(const FetchSettings& settings) {
        const std::string url = "https://" + host_ + "/.well-known/mta-sts.txt";
        option(CURLOPT_PRIVATE, this);
        option(CURLOPT_ERRORBUFFER, error_.data());
        option(CURLOPT_NOSIGNAL, 1L);
        option(CURLOPT_URL, url.c_str());
        option(CURLOPT_PROTOCOLS_STR, "https");
        option(CURLOPT_FOLLOWLOCATION, 0L);
        option(CURLOPT_PROXY, "");
        option(CURLOPT_NOPROXY, "*");
        option(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
        option(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        option(CURLOPT_HTTP_CONTENT_DECODING, 0L);
        option(CURLOPT_FRESH_CONNECT, 1L);
        option(CURLOPT_FORBID_REUSE, 1L);
        option(CURLOPT_USERAGENT, settings.user_agent.c_str());
        option(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
        option(CURLOPT_SSL_VERIFYPEER, 1L);
        option(CURLOPT_SSL_VERIFYHOST, 2L);
        option(CURLOPT_CERTINFO, 1L);
        option(CURLOPT_CA_CACHE_TIMEOUT, most_authority_age);
        if (!settings.ca_file.empty()) {
            option(CURLOPT_CAINFO, settings.ca_file.c_str());
            option(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
        }
        option(CURLOPT_MAXFILESIZE, static_cast<long>(mail::most_sts_octets));
        option(CURLOPT_WRITEFUNCTION, &Transfer::write);
        option(CURLOPT_WRITEDATA, this);
        option(CURLOPT_OPENSOCKETFUNCTION, &Transfer::open);
        option(CURLOPT_OPENSOCKETDATA, this);
        know_addresses();
    }
    /// "+": for this time only, not for ever.
    void know_addresses() {
        std::string entry = "+" + host_ + ":" + std::to_string(https_port) + ":";
        for (std::size_t index = 0; index < request_.addresses.size(); ++index)
            entry += (index == 0 ? "" : ",") + request_.addresses[index].to_text();
        known_ = curl_slist_append(nullptr, entry.c_str());
        settings_hold_ = settings_hold_ && known_ != nullptr;
        option(CURLOPT_RESOLVE, known_);
    }
    static std::size_t write(char* data, std::size_t size, std::size_t count, void* self) {
        auto* transfer = static_cast<Transfer*>(self);
        const std::size_t octets = size * count;
        transfer->too_large_ = transfer->text_.size() + octets > mail::most_sts_octets;
        if (transfer->too_large_) return 0;
        transfer->text_.append(data, octets);
        return octets;
    }
    /// Nobody is connected to but who was resolved by us.
    static curl_socket_t open(void* self, curlsocktype purpose, curl_sockaddr* to) {
        const std::vector<Address>& allowed = static_cast<Transfer*>(self)->request_.addresses;
        const Endpoint endpoint = net::SocketAddress::endpoint(&to->addr);
        const bool known = std::find(allowed.begin(), allowed.end(), endpoint.address) != allowed.end();
        if (purpose != CURLSOCKTYPE_IPCXN || !known || endpoint.port != https_port) return CURL_SOCKET_BAD;
        return socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);
    }

    Engine& engine_;
    FetchRequest request_;
    std::string host_;
    CURL* easy_;
    curl_slist* known_ = nullptr;
    std::array<char, CURL_ERROR_SIZE> error_{};
    std::string text_;
    task::Signal ended_;
    CURLcode code_ = CURLE_OK;
    bool settings_hold_ = true, added_ = false, too_large_ = false;
};

void CurlFetcher::Engine::act(curl_socket_t descriptor, int what) {
    int running = 0;
    curl_multi_socket_action(multi, descriptor, what, &running);
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode code = message->data.result;
        char* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        // It is told through the ready queue: nothing is destroyed in here.
        reinterpret_cast<Transfer*>(transfer)->end(code);
    }
}

bool CurlFetcher::prepare_library() {
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

CurlFetcher::CurlFetcher(FetchSettings settings, net::UvLoop& loop)
    : settings_(std::move(settings)), engine_(std::make_unique<Engine>(loop)) {}
CurlFetcher::~CurlFetcher() = default;

task::Task<Fetched> CurlFetcher::fetch(FetchRequest request, MonoTime deadline) {
    const mail::TlsrptType type = mail::TlsrptType::sts_policy_fetch_error;
    if (engine_->transfers >= most_transfers)
        co_return failed(type, "too many policies of MTA-STS are being fetched here");
    Transfer transfer(*engine_, settings_, std::move(request));
    if (!transfer.begin()) co_return failed(type, "libcurl cannot be used as it must be");
    co_await transfer.wait(deadline);
    co_return transfer.result();
}

}  // namespace mxtrust::sts
