// Finished mail answers as the bytes of their replies, found by the bytes of the request: a line that was answered once
// is answered again without being parsed, without a coroutine, an allocation, a lock or a log line.
//
// A line is known by all its octets but those of a numeric id, which clients count up. Nothing is decided here: whether
// the answer behind a line still holds is asked of the router at every hit (Router::kept), and a line whose answer the
// router no longer keeps, or has made anew, does not exist. Refuses whatever it does not understand at a glance; the
// parser in request.h is the one that knows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/keyed_hash.h"
#include "mail/answer.h"
#include "route/router.h"

namespace mxtrust::serve {

/// A request line without its id. `id` is empty where it has none.
struct LineShape {
    std::string_view before, id, after;
};
/// Where the id of a request stands; nothing where that takes a parser to tell (escapes, nested objects, text as id),
/// or where the line cannot be of a kind that is kept.
[[nodiscard]] std::optional<LineShape> shape_of(std::string_view line);

class HotLines {
  public:
    static constexpr std::size_t most_lines = 16'384;     ///< some hundred octets each, beside the shared body
    static constexpr std::size_t most_line_octets = 512;  ///< longer requests are for the parser

    explicit HotLines(Random& random) : lines_(0, Hash(random)) {}

    /// What was said to a line, and what it rests on.
    struct Reply {
        std::string destination;  ///< for Router::kept
        std::weak_ptr<const mail::MailAnswer> answer;
        std::string head;                         ///< behind `{"id":ID`; for a line of words all of it
        std::shared_ptr<const std::string> body;  ///< shared by all who ask the same; may be null
        bool in_words = false;                    ///< `decide`
    };
    /// Null where the line is not known. Valid until the next keep() or clear().
    [[nodiscard]] const Reply* find(const LineShape& shape) const;
    void keep(const LineShape& shape, Reply reply);
    void clear() { lines_.clear(); }
    [[nodiscard]] std::size_t size() const { return lines_.size(); }

  private:
    struct Hash {
        using is_transparent = void;
        explicit Hash(Random& random) : key(HashKey::draw(random)) {}
        std::size_t operator()(const LineShape& shape) const;
        std::size_t operator()(const std::string& joined) const;
        HashKey key;
    };
    /// A stored line is its two parts, joined by the separator.
    struct Same {
        using is_transparent = void;
        bool operator()(const LineShape& shape, const std::string& joined) const;
        bool operator()(const std::string& joined, const LineShape& shape) const { return (*this)(shape, joined); }
        bool operator()(const std::string& left, const std::string& right) const { return left == right; }
    };

    std::unordered_map<std::string, Reply, Hash, Same> lines_;
};

}  // namespace mxtrust::serve
