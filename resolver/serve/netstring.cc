// A length is judged digit by digit, so that an endless one is refused as soon as it exceeds the bound.
#include "serve/netstring.h"

namespace mxtrust::serve {

Result<std::optional<std::size_t>> NetstringReader::length() {
    std::size_t value = 0;
    for (colon_ = 0; colon_ < buffer_.size(); ++colon_) {
        const char letter = buffer_[colon_];
        if (letter == ':' && colon_ > 0) return std::optional<std::size_t>(value);
        if (letter < '0' || letter > '9') {
            return fail(FailureKind::malformed, "SNSD"_code,
                        "a netstring begins with its length in digits and a colon");
        }
        if (colon_ == 1 && buffer_.front() == '0') {
            return fail(FailureKind::malformed, "SNSZ"_code, "the length of a netstring has no leading zero");
        }
        value = value * 10 + static_cast<std::size_t>(letter - '0');
        if (value > most_octets_) {
            return fail(FailureKind::malformed, "SNSL"_code,
                        "a netstring longer than " + std::to_string(most_octets_) + " octets");
        }
    }
    return std::optional<std::size_t>();
}

Result<std::optional<std::string>> NetstringReader::take() {
    const Result<std::optional<std::size_t>> announced = length();
    if (!announced) return fail(announced.error());
    if (!*announced) return std::optional<std::string>();
    const std::size_t comma = colon_ + 1 + **announced;
    if (buffer_.size() <= comma) return std::optional<std::string>();
    if (buffer_[comma] != ',') {
        return fail(FailureKind::malformed, "SNSC"_code,
                    "a netstring does not end with a comma where its length says so");
    }
    std::string content = buffer_.substr(colon_ + 1, **announced);
    buffer_.erase(0, comma + 1);
    return std::optional<std::string>(std::move(content));
}

std::string netstring(std::string_view content) {
    std::string framed = std::to_string(content.size());
    framed += ':';
    framed += content;
    framed += ',';
    return framed;
}

}  // namespace mxtrust::serve
