// What the daemon tells its operator: one function per event, one line per event. Sole includer of spdlog is log.cc.
// Behind its words a line has fields, in the journal as MXTRUST_QUESTION and the like, elsewhere as key=value; what
// belongs to a question has its number there.
//
// No domain is named at info level unless it failed. Texts from the network are cleaned of control characters here.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/budget.h"
#include "base/clock.h"
#include "base/result.h"
#include "dnssec/finding.h"

namespace mxtrust::log {

enum class Level : std::uint8_t { debug, info, warning, error };
enum class Target : std::uint8_t { standard_error, journal, nowhere };

/// May be called from any thread.
class Log {
  public:
    /// Target journal writes to stderr with the priority prefixes of sd-daemon(3), which the journal takes for levels.
    Log(Level level, Target target);
    /// Every line is handed to `writer`, in order, one at a time: for tests and tools.
    Log(Level level, std::function<void(std::string_view)> writer);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void started(std::string_view version, std::string_view sockets);
    void stopping(std::string_view why);
    void bad_configuration(const Failure& failure);    ///< error
    void reloaded(std::string_view what, bool whole);  ///< info; warning where something of it needs a restart
    void reload_refused(const Failure& failure);       ///< error: the old configuration stays in force
    void configuration_doubt(std::string_view what);   ///< warning: works, but hardly as meant
    /// For the next question; from 1 on, while the daemon runs. Whoever joins a question that is under way finds the
    /// lines of that one.
    [[nodiscard]] QuestionNumber next_question();
    /// Info; debug where it is only insecure.
    void not_secure(QuestionNumber question, const dns::Name& name, dns::Type type, dnssec::Security security,
                    const dnssec::Reason& reason);
    /// Is every single question to be told?
    [[nodiscard]] bool is_debugging() const;
    /// Debug: one question of a client, one line.
    void answered(QuestionNumber question, std::string_view what, std::string_view result);
    /// Debug: one query to an authority.
    void sent(QuestionNumber question, std::string_view server, const dns::Name& name, dns::Type type);
    void received(QuestionNumber question, std::string_view server, std::string_view what);  ///< debug
    void reported(QuestionNumber question,
                  const dns::Name& report);  ///< debug: a zone's error, to whom its servers name (RFC 9567)
    void server_trouble(QuestionNumber question, std::string_view server, std::string_view what);  ///< debug
    void cache_set_aside(std::string_view file, std::string_view why);                             ///< warning
    void store_trouble(std::string_view what);                         ///< warning, rate-limited
    void client_trouble(std::string_view who, std::string_view what);  ///< debug
    void system_trouble(std::string_view what);                        ///< error
    void memory_short(std::string_view what);                          ///< warning
    void memory_enough(std::string_view what);                         ///< info: it is over
    void root_probe(bool secure, const dnssec::Reason& reason);  ///< info when it changes, warning when not secure
    /// Of a trust anchor's key (RFC 5011): info where a rollover goes as it should, else warning.
    void anchor_changed(std::string_view zone, std::uint16_t key_tag, std::string_view what, bool expected);
    void anchor_state_trouble(std::string_view what);  ///< warning
    /// A forwarder's state or handling of DNSSEC changed: info where it is sound, else warning.
    void forwarder(std::string_view address, std::string_view what, std::string_view why, bool sound);
    /// Of name servers none answers over this family, while others answer over the other: warning; then info. Told
    /// when it changes, and not often.
    void family_silent(Family family);
    void family_answers(Family family);
    /// Who does the asking changed (authorities or forwarders): info where all is as it should be, else warning.
    void resolution_changed(std::string_view what, bool sound);
    /// Of the operator's own: "the negative trust anchor for example.org", "the operator's exception for …".
    void operators_word_needed(std::string_view what, std::string_view why);      ///< info: when it has become so
    void operators_word_not_needed(std::string_view what, std::string_view why);  ///< warning: when it has become so
    void operators_word_ends_soon(std::string_view what, std::string_view when);  ///< warning: once
    void operators_word_ended(std::string_view what);                             ///< warning: once
    void set_level(Level level);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mxtrust::log
