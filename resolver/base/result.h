// Result<T>: what can go wrong is part of the type.
//
// A Failure says what happened (kind), where in the source (a four-letter code that occurs once in the tree) and in one
// sentence for a person. It is not a security state: a failure never means that something does not exist (RFC 4033 5
// has its own states, see dnssec/finding.h).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace mxtrust {

/// A four-letter name of a place in the source; `grep CODE resolver/` finds it. Printed in logs, EDE texts and JSON.
class Code {
  public:
    constexpr Code() = default;
    constexpr explicit Code(std::string_view letters) {
        for (std::size_t index = 0; index < letters_.size() && index < letters.size(); ++index) {
            letters_.at(index) = letters[index];
        }
    }
    [[nodiscard]] constexpr std::string_view view() const { return {letters_.data(), letters_.size()}; }
    friend constexpr bool operator==(const Code&, const Code&) = default;

  private:
    std::array<char, 4> letters_{'-', '-', '-', '-'};
};

inline namespace literals {
consteval Code operator""_code(const char* letters, std::size_t length) {
    if (length != 4) throw "a failure code has four letters";
    return Code(std::string_view(letters, length));
}
}  // namespace literals

/// What kind of thing went wrong; callers branch on this, never on the text.
enum class FailureKind : std::uint8_t {
    malformed,    ///< input that does not parse (message, name, configuration, request)
    timeout,      ///< no answer within the time there was
    unreachable,  ///< the other side cannot be reached or closed the connection
    refused,      ///< the other side answered, with an error (SERVFAIL, REFUSED, NOTIMP, lame …)
    budget,       ///< a named limit of base/budget.h was reached
    cancelled,    ///< whoever asked is gone, or the daemon stops
    system,       ///< the operating system said no (disk full, no descriptors, …)
    unsupported,  ///< an algorithm or a format that is not implemented or not allowed here
};

struct [[nodiscard]] Failure {
    FailureKind kind{};
    Code code{};
    std::string text;  ///< one sentence without final stop, no control characters
};

template <class T>
using Result = tl::expected<T, Failure>;
using Done = Result<void>;

/// `return fail(FailureKind::malformed, "DNAM"_code, "label longer than 63 octets");`
inline tl::unexpected<Failure> fail(FailureKind kind, Code code, std::string text) {
    return tl::unexpected<Failure>(Failure{kind, code, std::move(text)});
}
inline tl::unexpected<Failure> fail(Failure failure) {
    return tl::unexpected<Failure>(std::move(failure));
}

}  // namespace mxtrust
