// The operator's exceptions: what somebody who answers for this mail server has decided for a mail domain or an MX
// host, against or beyond what its DNS says, with a reason and an end.
//
//     may           TLS where it is offered, without authentication; TLSA records are not looked at
//     encrypt       TLS is required, without authentication; TLSA records are not looked at
//     no-dane       as if the host had no TLSA records; an MTA-STS policy still counts
//     no-sts        as if the domain had no MTA-STS policy; TLSA records still count
//     require-dane  a host that is not authenticated by DANE is not used (RFC 8460's dane-required)
//     skip          the host is not used (hosts only)
//     hold          mail for the domain is put off (domains only)
//
// An exception never makes a bogus record usable: who must deliver to a zone whose signatures are broken writes a
// negative trust anchor. Whatever an exception has changed is not authenticated and says by whom and until when; where
// it changes nothing, nothing is said. Where several apply, for hosts as for domains the one for the nearest name
// counts; of a host's and its domain's the stricter. An exception that has ended stays ended, though the clock be set
// back.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "dnssec/negative_anchor.h"
#include "mail/answer.h"
#include "mail/domain.h"

namespace mxtrust::mail {

enum class ExceptionAction : std::uint8_t { may, encrypt, no_dane, no_sts, require_dane, skip, hold };
[[nodiscard]] std::string_view to_text(ExceptionAction action);  ///< "no-dane"

struct Exception {
    enum class On : std::uint8_t { domain, host };
    On on = On::domain;
    dns::Name name;           ///< the next-hop domain as mail is addressed, or the MX host as its MX record names it
    bool subdomains = false;  ///< the name and all below it
    ExceptionAction action = ExceptionAction::may;
    std::string reason;
    WallTime ends{};  ///< from here on it is as if it were not there
    friend bool operator==(const Exception&, const Exception&) = default;
};

class Exceptions {
  public:
    Exceptions() = default;
    Exceptions(const std::vector<Exception>& all, std::shared_ptr<LatestTime> latest);

    /// The one that counts; null where there is none in force.
    [[nodiscard]] ExceptionRef find(Exception::On on, const dns::Name& name, WallTime now) const;
    [[nodiscard]] bool is_in_force(const Exception& exception, WallTime now) const;
    /// `now`, or what was seen before where that is later: what had ended by then has ended.
    [[nodiscard]] WallTime seen(WallTime now) const { return latest_->seen(now); }
    [[nodiscard]] const std::vector<ExceptionRef>& all() const { return all_; }

  private:
    std::vector<ExceptionRef> all_;
    std::shared_ptr<LatestTime> latest_ = std::make_shared<LatestTime>();
};

/// Writes down at each host, and at the set, which exception counts there. Before the hosts are asked: it decides
/// whether that is needed.
void note_exceptions(MxSet& set, const NextHop& hop, const Options& options, WallTime now);
/// May this host's TLSA records make a difference, as far as exceptions go?
[[nodiscard]] bool wants_tlsa(const MxHost& host);

/// How a host's circumstances are changed before it is judged, and its answer afterwards.
[[nodiscard]] Circumstances under_exception(const HostFacts& facts, Circumstances circumstances);
void apply_exception(HostAnswer& answer, const HostFacts& facts, const Circumstances& natural, const MxSet& set);
/// The last step of a decision: a domain that is held; what the operator's word has touched is not authenticated, and
/// names that word.
void apply_operators_word(MailAnswer& answer, const DomainFacts& facts, const Options& options);

/// The operator's word that an answer rests on: negative trust anchors above its links.
[[nodiscard]] std::vector<OperatorsWord> words_of(const dnssec::Answer& answer, const dnssec::NegativeAnchors& anchors);
[[nodiscard]] std::vector<OperatorsWord> words_of(const dnssec::Reason& reason, const dnssec::NegativeAnchors& anchors);
[[nodiscard]] OperatorsWord word_of(const Exception& exception);
[[nodiscard]] OperatorsWord word_of(const dnssec::NegativeAnchor& anchor);
/// "the negative trust anchor for example.org", "the operator's exception for host mx.example.org (may)"
[[nodiscard]] std::string described(const OperatorsWord& word);
/// When the first of these ends; nothing where there are none.
[[nodiscard]] std::optional<WallTime> first_end(const std::vector<OperatorsWord>& words);

}  // namespace mxtrust::mail
