// One function per event, one line per event. This file decides levels and words; it is the only one that knows spdlog.
#include "log/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "dns/text.h"
#include "log/journal.h"

namespace mxtrust::log {
namespace {

/// A failing disk would otherwise fill the journal with one line per stored record.
constexpr std::chrono::seconds store_trouble_interval{60};
/// Different ones in that time; the store itself tells of a trouble when it begins and when it ends.
constexpr std::size_t most_store_troubles = 16;
/// A client that asks for a thousand bogus names, or a zone that breaks under load, would else write the log full
/// (A39).
constexpr std::chrono::seconds flood_interval{10};
constexpr std::chrono::minutes family_interval{10};  // a network that comes and goes
constexpr std::uint64_t most_in_flood_interval = 200;
/// Of a text from the network, per field; a whole line stays well below the journal's 48 KiB.
constexpr std::size_t most_octets_of_text = 500;

class WriterSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit WriterSink(std::function<void(std::string_view)> writer) : writer_(std::move(writer)) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        writer_({message.payload.data(), message.payload.size()});
    }
    void flush_() override {}

  private:
    std::function<void(std::string_view)> writer_;
};

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

/// sd-daemon(3): SD_ERR, SD_WARNING, SD_INFO, SD_DEBUG.
std::string_view journal_prefix(Level level) {
    switch (level) {
        case Level::debug:
            return "<7>";
        case Level::info:
            return "<6>";
        case Level::warning:
            return "<4>";
        case Level::error:
            return "<3>";
    }
    return "<6>";
}

spdlog::sink_ptr make_sink(Target target) {
    switch (target) {
        case Target::standard_error:
        case Target::journal:
            return std::make_shared<spdlog::sinks::stderr_sink_mt>();
        case Target::nowhere:
            return std::make_shared<spdlog::sinks::null_sink_mt>();
    }
    return std::make_shared<spdlog::sinks::null_sink_mt>();
}

std::string clean(std::string_view text) {
    return dns::clean_text(text, most_octets_of_text);
}

std::string words(const dnssec::Reason& reason) {
    std::string text = clean(reason.text);
    if (!reason.server.empty()) text += " [server " + clean(reason.server) + "]";
    text += " (" + std::string(reason.code.view()) + ")";
    return text;
}

std::string asked(const dns::Name& name, dns::Type type) {
    return name.to_text() + " " + dns::to_text(type);
}

/// The fields of a line where there is no journal: ` | question=17 zone=example.org server="ns1.example.org
/// (192.0.2.1)"`.
std::string pairs(const Fields& fields) {
    std::string text;
    for (const auto& [name, value] : fields) {
        if (value.empty()) continue;
        text += text.empty() ? " | " : " ";
        for (const char letter : name) text += letter == ' ' ? '_' : letter;
        text += '=';
        if (value.find_first_of(" \"=\\|") == std::string::npos) {
            text += value;
            continue;
        }
        text += '"';
        for (const char letter : value) {
            if (letter == '"' || letter == '\\') text += '\\';
            text += letter;
        }
        text += '"';
    }
    return text;
}

std::string number_text(QuestionNumber question) {
    return question.number == 0 ? std::string() : std::to_string(question.number);
}

}  // namespace

struct Log::State {
    State(spdlog::sink_ptr sink, Level level, bool prefixed, bool to_journal = false)
        : logger("mxtrust", std::move(sink)), with_prefix(prefixed), journal(to_journal) {
        logger.set_level(to_spdlog(level));
        logger.set_pattern(prefixed ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    }
    /// What kind of event it is stands before the first colon.
    void say(Level level, std::string_view text, const Fields& fields = {}) {
        if (!logger.should_log(to_spdlog(level))) return;
        if (journal && send_to_journal(level, text.substr(0, text.find(':')), text, fields)) return;
        std::string line(with_prefix ? journal_prefix(level) : std::string_view());
        line += text;
        line += pairs(fields);
        logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
    }

    /// May another line of the kind that strangers cause be told? `untold`: how many were not, since the last interval.
    bool may_tell(std::uint64_t& untold) {
        const auto now = std::chrono::steady_clock::now();
        const std::lock_guard guard(mutex);
        if (!flood_began || now - *flood_began >= flood_interval) {
            untold = std::exchange(flood_untold, 0);
            flood_began = now;
            flood_told = 0;
        }
        if (++flood_told <= most_in_flood_interval) return true;
        ++flood_untold;
        return false;
    }

    spdlog::logger logger;
    bool with_prefix;
    bool journal;
    std::atomic<std::uint64_t> questions = 0;
    struct FamilyTold {
        std::atomic<bool> silent = false;
        std::optional<std::chrono::steady_clock::time_point> last;  // guarded
    };
    std::array<FamilyTold, 2> families;
    std::mutex mutex;  // guards what is below
    /// What was told of the store, and when: what else comes meanwhile (that it is over, for example) is told too.
    std::map<std::string, std::chrono::steady_clock::time_point, std::less<>> store_trouble_told;
    std::uint64_t store_troubles_untold = 0;
    std::optional<bool> root_was_secure;
    std::optional<std::chrono::steady_clock::time_point> flood_began;
    std::uint64_t flood_told = 0, flood_untold = 0;
};

Log::Log(Level level, Target target)
    : state_(std::make_unique<State>(make_sink(target), level, target == Target::journal, reaches_journal(target))) {}
Log::Log(Level level, std::function<void(std::string_view)> writer)
    : state_(std::make_unique<State>(std::make_shared<WriterSink>(std::move(writer)), level, false)) {}
Log::~Log() = default;

void Log::started(std::string_view version, std::string_view sockets) {
    state_->say(Level::info, "started: mxtrustd " + clean(version) + ", listening on " + clean(sockets));
}

void Log::stopping(std::string_view why) {
    state_->say(Level::info, "stopping: " + clean(why));
}

void Log::bad_configuration(const Failure& failure) {
    state_->say(Level::error, "configuration: " + clean(failure.text) + " (" + std::string(failure.code.view()) + ")");
}

void Log::reloaded(std::string_view what, bool whole) {
    state_->say(whole ? Level::info : Level::warning, "configuration reloaded: " + clean(what));
}

void Log::reload_refused(const Failure& failure) {
    state_->say(Level::error, "configuration not reloaded, the old one stays in force: " + clean(failure.text) + " (" +
                                  std::string(failure.code.view()) + ")");
}

void Log::configuration_doubt(std::string_view what) {
    state_->say(Level::warning, "configuration: " + clean(what));
}

QuestionNumber Log::next_question() {
    return {state_->questions.fetch_add(1, std::memory_order_relaxed) + 1};
}

void Log::not_secure(QuestionNumber question, const dns::Name& name, dns::Type type, dnssec::Security security,
                     const dnssec::Reason& reason) {
    // An insecure zone is most of the Internet and no failure: its names do not belong into a log at info level.
    const Level level =
        security == dnssec::Security::bogus || security == dnssec::Security::indeterminate ? Level::info : Level::debug;
    if (!state_->logger.should_log(to_spdlog(level))) return;
    std::uint64_t untold = 0;
    if (!state_->may_tell(untold)) return;
    if (untold != 0) {
        state_->say(Level::warning, "too much to tell: " + std::to_string(untold) +
                                        " more questions were bogus or not found out in the last seconds");
    }
    state_->say(level, std::string(dnssec::to_text(security)) + ": " + asked(name, type) + ": " + words(reason),
                {{"question", number_text(question)},
                 {"security", std::string(dnssec::to_text(security))},
                 {"name", name.to_text()},
                 {"type", dns::to_text(type)},
                 {"zone", reason.zone ? reason.zone->to_text() : std::string()},
                 {"server", clean(reason.server)},
                 {"code", std::string(reason.code.view())}});
}

bool Log::is_debugging() const {
    return state_->logger.should_log(spdlog::level::debug);
}

void Log::answered(QuestionNumber question, std::string_view what, std::string_view result) {
    if (!is_debugging()) return;
    state_->say(Level::debug, "answered: " + clean(what) + ": " + clean(result), {{"question", number_text(question)}});
}

void Log::sent(QuestionNumber question, std::string_view server, const dns::Name& name, dns::Type type) {
    if (!is_debugging()) return;
    state_->say(Level::debug, "sent: " + asked(name, type) + " to " + clean(server),
                {{"question", number_text(question)}, {"server", clean(server)}});
}

void Log::received(QuestionNumber question, std::string_view server, std::string_view what) {
    if (!is_debugging()) return;
    state_->say(Level::debug, "received: " + clean(what) + " from " + clean(server),
                {{"question", number_text(question)}, {"server", clean(server)}});
}

void Log::reported(QuestionNumber question, const dns::Name& report) {
    if (!is_debugging()) return;
    state_->say(Level::debug, "error report: " + report.to_text(), {{"question", number_text(question)}});
}

void Log::server_trouble(QuestionNumber question, std::string_view server, std::string_view what) {
    if (!is_debugging()) return;
    state_->say(Level::debug, "server trouble: " + clean(server) + ": " + clean(what),
                {{"question", number_text(question)}, {"server", clean(server)}});
}

void Log::cache_set_aside(std::string_view file, std::string_view why) {
    state_->say(Level::warning, "cache set aside: " + clean(file) + ": " + clean(why));
}

void Log::store_trouble(std::string_view what) {
    const auto now = std::chrono::steady_clock::now();
    std::uint64_t untold = 0;
    {
        const std::lock_guard guard(state_->mutex);
        std::erase_if(state_->store_trouble_told,
                      [now](const auto& told) { return now - told.second >= store_trouble_interval; });
        if (state_->store_trouble_told.size() >= most_store_troubles || state_->store_trouble_told.contains(what)) {
            ++state_->store_troubles_untold;
            return;
        }
        state_->store_trouble_told.emplace(what, now);
        untold = std::exchange(state_->store_troubles_untold, 0);
    }
    std::string line = "store trouble: " + clean(what);
    if (untold != 0) line += " (" + std::to_string(untold) + " more since the last such line)";
    state_->say(Level::warning, line);
}

void Log::client_trouble(std::string_view who, std::string_view what) {
    state_->say(Level::debug, "client trouble: " + clean(who) + ": " + clean(what));
}

void Log::system_trouble(std::string_view what) {
    state_->say(Level::error, "system trouble: " + clean(what));
}

void Log::memory_short(std::string_view what) {
    state_->say(Level::warning, "memory: " + clean(what));
}

void Log::memory_enough(std::string_view what) {
    state_->say(Level::info, "memory: " + clean(what));
}

void Log::root_probe(bool secure, const dnssec::Reason& reason) {
    bool changed = false;
    {
        const std::lock_guard guard(state_->mutex);
        changed = state_->root_was_secure != secure;
        state_->root_was_secure = secure;
    }
    if (!secure) {
        state_->say(Level::warning,
                    "root probe: the answer for the root's name servers is not secure: " + words(reason));
    } else if (changed) {
        state_->say(Level::info, "root probe: the answer for the root's name servers is secure");
    }
}

void Log::anchor_changed(std::string_view zone, std::uint16_t key_tag, std::string_view what, bool expected) {
    state_->say(expected ? Level::info : Level::warning,
                "trust anchor: key " + std::to_string(key_tag) + " of " + clean(zone) + " " + clean(what),
                {{"zone", clean(zone)}, {"key tag", std::to_string(key_tag)}});
}

void Log::anchor_state_trouble(std::string_view what) {
    state_->say(Level::warning, "trust anchors: " + clean(what));
}

void Log::forwarder(std::string_view address, std::string_view what, std::string_view why, bool sound) {
    std::string line = "forwarder: " + clean(address) + " is " + clean(what);
    if (!why.empty()) line += ": " + clean(why);
    state_->say(sound ? Level::info : Level::warning, line, {{"forwarder", clean(address)}, {"state", clean(what)}});
}

void Log::family_silent(Family family) {
    State::FamilyTold& told = state_->families.at(family == Family::ipv4 ? 0 : 1);
    if (told.silent.load(std::memory_order_relaxed)) return;
    const auto now = std::chrono::steady_clock::now();
    {
        const std::lock_guard guard(state_->mutex);
        if (told.last && now - *told.last < family_interval) return;
        told.last = now;
        told.silent = true;
    }
    const bool four = family == Family::ipv4;
    state_->say(Level::warning, std::string("network: nothing answers over ") + (four ? "IPv4" : "IPv6") + "; " +
                                    (four ? "IPv6" : "IPv4") + " is used. Mend it, or set [resolver] " +
                                    (four ? "ipv4" : "ipv6") + " = false");
}

void Log::family_answers(Family family) {
    State::FamilyTold& told = state_->families.at(family == Family::ipv4 ? 0 : 1);
    if (!told.silent.load(std::memory_order_relaxed) || !told.silent.exchange(false)) return;
    state_->say(Level::info,
                std::string("network: ") + (family == Family::ipv4 ? "IPv4" : "IPv6") + " is answered over again");
}

void Log::resolution_changed(std::string_view what, bool sound) {
    state_->say(sound ? Level::info : Level::warning, "resolution: " + clean(what));
}

void Log::operators_word_needed(std::string_view what, std::string_view why) {
    state_->say(Level::info, "operator's word: " + clean(what) + " is still needed: " + clean(why));
}

void Log::operators_word_not_needed(std::string_view what, std::string_view why) {
    state_->say(Level::warning,
                "operator's word: " + clean(what) + " is no longer needed: " + clean(why) + "; remove it");
}

void Log::operators_word_ends_soon(std::string_view what, std::string_view when) {
    state_->say(Level::warning, "operator's word: " + clean(what) + " ends soon: it holds " + clean(when));
}

void Log::operators_word_ended(std::string_view what) {
    state_->say(Level::warning, "operator's word: " + clean(what) + " has ended and has no effect any more; remove it");
}

void Log::set_level(Level level) {
    state_->logger.set_level(to_spdlog(level));
}

}  // namespace mxtrust::log
