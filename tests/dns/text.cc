#include "dns/text.h"

#include <catch2/catch.hpp>

using namespace mxtrust::dns;

TEST_CASE("text from the network is made fit to be shown") {
    struct Row {
        std::string why, text, clean;
    };
    using namespace std::string_literals;
    const auto row =
        GENERATE(Row{"plain", "signature expired", "signature expired"},
                 Row{"UTF-8", "abgelaufen: grün €", "abgelaufen: grün €"},
                 Row{"beyond the BMP", "\xf0\x9f\x92\xa9", "\xf0\x9f\x92\xa9"},
                 Row{"escape sequence", "\x1b[31mred", "?[31mred"}, Row{"line breaks", "a\r\nb", "a??b"},
                 Row{"C1 control",
                     "a\xc2\x9b"
                     "b",
                     "a?b"},
                 Row{"DEL", "a\x7f", "a?"}, Row{"NUL inside", "a\0b"s, "a?b"}, Row{"NULs at the end", "ab\0\0"s, "ab"},
                 Row{"overlong slash", "\xc0\xaf", "??"}, Row{"overlong in three", "\xe0\x80\xaf", "???"},
                 Row{"surrogate", "\xed\xa0\x80", "???"}, Row{"above U+10FFFF", "\xf4\x90\x80\x80", "????"},
                 Row{"cut short", "a\xe2\x82", "a??"}, Row{"stray continuation", "\x80", "?"},
                 Row{"direction override",
                     "\xe2\x80\xae"
                     "abc",
                     "?abc"},
                 Row{"isolate", "\xe2\x81\xa6", "?"}, Row{"line separator", "\xe2\x80\xa8", "?"},
                 Row{"byte order mark", "\xef\xbb\xbf", "?"}, Row{"empty", "", ""});
    CAPTURE(row.why);
    CHECK(clean_text(row.text, 100) == row.clean);
}

TEST_CASE("long text is cut between characters") {
    CHECK(clean_text("grün", 4) == "grü");
    CHECK(clean_text("grün", 3) == "gr");
    CHECK(clean_text(std::string(1000, 'x'), 256).size() == 256);
}
