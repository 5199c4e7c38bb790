// Text for a person at 80 columns: wrapped lines, spans of time in words, colour where there is a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mxtrust::client {

enum class Colour : std::uint8_t { off, on };
enum class Tone : std::uint8_t { plain, good, fair, bad, faint, strong };

/// A part of a line in a colour of its own.
struct Piece {
    std::string text;
    Tone tone = Tone::plain;
};

/// The same text with its spaces glued: no line is broken there, and spaces are printed.
[[nodiscard]] std::string unbroken(std::string text);
/// Columns of a text, one for each character of UTF-8.
[[nodiscard]] std::size_t columns(std::string_view text);
/// "59 min", "2 h", "3 days"; never negative.
[[nodiscard]] std::string span_words(std::int64_t seconds);
/// "2026-11-22 06:00 UTC"
[[nodiscard]] std::string date_words(std::int64_t seconds);
/// First letter upper case, unless a domain name or an address begins it, and a final stop.
[[nodiscard]] std::string sentence(std::string_view text);

/// Collects lines.
class Page {
  public:
    static constexpr std::size_t width = 80;
    explicit Page(Colour colour) : colour_(colour) {}

    /// Coloured where colour is on. Control characters never get through.
    [[nodiscard]] std::string toned(std::string_view text, Tone tone) const;
    /// `head`, then `text` in words; what is too long goes on in lines of their own, indented by `hanging`. Head is not
    /// broken.
    void put(std::string_view head, std::string_view text, std::size_t hanging, Tone tone = Tone::plain);
    void put(const std::vector<Piece>& head, std::string_view text, std::size_t hanging);
    void blank() { text_ += '\n'; }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    Colour colour_;
    std::string text_;
};

}  // namespace mxtrust::client
