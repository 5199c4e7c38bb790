// Mail answers as the octets that are said of them, made once for all who ask, until the answer is another. What is
// kept here goes with nothing but memory: it can be made again at any time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "route/router.h"
#include "serve/render.h"

namespace mxtrust::serve {

class RenderedBodies {
  public:
    /// It had to be asked for; whoever asks again is told that it had not.
    [[nodiscard]] static bool is_said_once(const mail::MailAnswer& answer) { return answer.mx && !answer.mx->cached; }
    std::shared_ptr<const std::string> body_of(const route::MailAnswerRef& answer) {
        const auto found = bodies_.find(answer.get());
        // The address alone does not identify an answer: another one may have been made in its place.
        if (found != bodies_.end() && found->second.answer.lock() == answer) return found->second.body;
        auto body = std::make_shared<const std::string>(render_mail_body(*answer));
        if (!is_said_once(*answer)) keep(answer, body);
        return body;
    }
    void keep(const route::MailAnswerRef& answer, std::shared_ptr<const std::string> body) {
        if (bodies_.size() >= most_bodies) clear();
        bodies_[answer.get()] = Entry{answer, std::move(body)};
    }
    void clear() { bodies_.clear(); }

  private:
    static constexpr std::size_t most_bodies = 4096;  // some 4 KiB each
    struct Entry {
        std::weak_ptr<const mail::MailAnswer> answer;
        std::shared_ptr<const std::string> body;
    };
    std::unordered_map<const mail::MailAnswer*, Entry> bodies_;
};

}  // namespace mxtrust::serve
