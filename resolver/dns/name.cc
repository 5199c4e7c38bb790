// Names: reading them from text and from messages, their order, and the lookup key.
//
// Everything here works on the wire form in place; comparing and testing for ancestry allocates nothing.
#include "dns/name.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/require.h"

namespace mxtrust::dns {

namespace {

constexpr std::size_t most_label_octets = 63;
constexpr std::uint8_t pointer_bits = 0xc0;

/// Every pointer goes strictly backwards, so loops cannot be; a chain of pointers to pointers could still be as long as
/// the message. No honest name needs more jumps than it has labels (A22, CVE-2024-8508).
constexpr std::size_t most_jumps = Name::most_labels;

// Octets of the lookup key. An end of label sorts before everything, so that a name precedes all below it; the two
// lowest octets are written as two, so that they stay above an end of label and in their order (RFC 4034 6.1).
constexpr char key_end = '\x00';
constexpr char key_escape = '\x01';
constexpr char key_zero = '\x01';
constexpr char key_one = '\x02';

/// ASCII only (RFC 4343): other octets are data.
char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::uint8_t octet_at(std::string_view wire, std::size_t position) {
    return static_cast<std::uint8_t>(wire[position]);
}

/// Where each label starts, without the root's. A name is at most 255 octets, so an octet holds a position.
struct Labels {
    std::array<std::uint8_t, Name::most_labels> starts;  // only the first `count` are set
    std::size_t count = 0;

    explicit Labels(std::string_view wire) {
        for (std::size_t at = 0; wire[at] != '\0'; at += octet_at(wire, at) + 1U) {
            starts[count++] = static_cast<std::uint8_t>(at);
        }
    }
};

std::string_view label_at(std::string_view wire, std::size_t start) {
    return wire.substr(start + 1, octet_at(wire, start));
}

/// Unsigned octets left to right; the shorter first where one is the other's beginning (RFC 4034 6.1).
std::strong_ordering compare_labels(std::string_view left, std::string_view right) {
    // char_traits<char> compares as unsigned char.
    return left.compare(right) <=> 0;
}

Result<char> read_escape(std::string_view text, std::size_t& position) {
    const auto digit = [&text](std::size_t at) -> std::optional<unsigned> {
        if (at >= text.size() || text[at] < '0' || text[at] > '9') return std::nullopt;
        return static_cast<unsigned>(text[at] - '0');
    };
    if (position >= text.size()) {
        return fail(FailureKind::malformed, "DESC"_code, "name ends in a backslash");
    }
    if (!digit(position)) {
        return text[position++];
    }
    const auto tens = digit(position + 1);
    const auto ones = digit(position + 2);
    const unsigned value = tens && ones ? *digit(position) * 100 + *tens * 10 + *ones : 256;
    if (value > 255) {
        return fail(FailureKind::malformed, "DDDD"_code, "escape in a name is not \\DDD with 000 to 255");
    }
    position += 3;
    return static_cast<char>(value);
}

/// Collects labels until the root's; keeps the length limit.
class Builder {
  public:
    /// `label` with the case as it came; lower-cased by finish().
    Done add(std::string_view label) {
        if (label.empty() || label.size() > most_label_octets) {
            return fail(FailureKind::malformed, "DLAB"_code, "label is empty or longer than 63 octets");
        }
        // One octet is kept for the root's label.
        if (size_ + 1 + label.size() + 1 > Name::most_octets) {
            return fail(FailureKind::malformed, "DLEN"_code, "name longer than 255 octets");
        }
        wire_[size_++] = static_cast<char>(label.size());
        size_ += label.copy(wire_.data() + size_, label.size());
        return {};
    }
    [[nodiscard]] std::string finish(std::string* spelled) && {
        wire_[size_++] = '\0';
        std::string wire(wire_.data(), size_);
        if (spelled != nullptr) {
            *spelled = wire;
        }
        // Lengths are at most 63, below 'A': lowering the whole wire form changes letters only.
        std::ranges::transform(wire, wire.begin(), lower);
        return wire;
    }

  private:
    std::array<char, Name::most_octets> wire_{};
    std::size_t size_ = 0;
};

enum class Pointers : bool { refused, followed };

Result<std::string> read_labels(Reader& reader, Pointers pointers, std::string* spelled) {
    Builder builder;
    Reader at = reader;
    std::size_t segment = at.position();
    std::size_t jumps = 0;
    while (true) {  // ends: each round adds to a name of bounded length, or is one of a bounded number of jumps
        auto length = at.u8();
        if (!length) return fail(std::move(length.error()));
        if (*length == 0) break;
        if (*length <= most_label_octets) {
            const auto label = at.take(*length);
            if (!label) return fail(label.error());
            auto added = builder.add(as_text(*label));
            if (!added) return fail(std::move(added.error()));
            continue;
        }
        if ((*length & pointer_bits) != pointer_bits) {
            return fail(FailureKind::malformed, "DBIT"_code, "label of a type that does not exist");  // RFC 6891 5
        }
        if (pointers == Pointers::refused) {
            return fail(FailureKind::malformed, "DCMP"_code, "compressed name where none may be");
        }
        const auto low = at.u8();
        if (!low) return fail(low.error());
        const std::size_t target = static_cast<std::size_t>(*length & ~pointer_bits) << 8U | *low;
        // "A prior occurrence" (RFC 1035 4.1.4): before the piece that points, not into it.
        if (target >= segment || ++jumps > most_jumps) {
            return fail(FailureKind::malformed, "DPTR"_code, "compression pointer that does not go back, or too many");
        }
        if (jumps == 1) reader.seek(at.position());
        segment = target;
        at.seek(target);
    }
    if (jumps == 0) reader.seek(at.position());
    return std::move(builder).finish(spelled);
}

void append_escaped(std::string& text, std::string_view label) {
    for (const char letter : label) {
        const auto octet = static_cast<std::uint8_t>(letter);
        if (octet <= 0x20 || octet >= 0x7f) {
            text.push_back('\\');
            text.push_back(static_cast<char>('0' + octet / 100));
            text.push_back(static_cast<char>('0' + octet / 10 % 10));
            text.push_back(static_cast<char>('0' + octet % 10));
            continue;
        }
        if (std::string_view(".\\\"();@$").find(letter) != std::string_view::npos) {
            text.push_back('\\');
        }
        text.push_back(letter);
    }
}

}  // namespace

Result<Name> Name::from_text(std::string_view text) {
    if (text == ".") {
        return Name();
    }
    Builder builder;
    std::string label;
    std::size_t position = 0;
    bool pending = true;  // a label is expected: "" and "a..b" are errors, "a." is not
    while (position < text.size()) {
        const char letter = text[position++];
        if (letter == '.') {
            auto added = builder.add(label);
            if (!added) return fail(std::move(added.error()));
            label.clear();
            pending = false;
            continue;
        }
        pending = true;
        if (letter != '\\') {
            label.push_back(letter);
            continue;
        }
        auto escaped = read_escape(text, position);
        if (!escaped) return fail(std::move(escaped.error()));
        label.push_back(*escaped);
    }
    if (pending) {
        auto added = builder.add(label);
        if (!added) return fail(std::move(added.error()));
    }
    return Name(std::move(builder).finish(nullptr));
}

Result<Name> Name::from_message(Reader& reader, std::string* spelled) {
    return read_labels(reader, Pointers::followed, spelled).map([](std::string&& wire) {
        return Name(std::move(wire));
    });
}

Result<Name> Name::from_wire(Reader& reader, std::string* spelled) {
    return read_labels(reader, Pointers::refused, spelled).map([](std::string&& wire) {
        return Name(std::move(wire));
    });
}

std::size_t Name::label_count() const {
    std::size_t count = 0;
    for (std::size_t at = 0; wire_[at] != '\0'; at += octet_at(wire_, at) + 1U) {
        ++count;
    }
    return count;
}

std::string_view Name::label(std::size_t index) const {
    std::size_t at = 0;
    for (; index > 0; --index) {
        require(wire_[at] != '\0');
        at += octet_at(wire_, at) + 1U;
    }
    require(wire_[at] != '\0');
    return label_at(wire_, at);
}

Name Name::parent() const {
    require(!is_root());
    return Name(wire_.substr(octet_at(wire_, 0) + 1U));
}

Name Name::ancestor(std::size_t labels) const {
    const Labels own(wire_);
    require(labels <= own.count);
    return labels == 0 ? Name() : Name(wire_.substr(own.starts[own.count - labels]));
}

Result<Name> Name::prepend(std::string_view label) const {
    if (label.empty() || label.size() > most_label_octets || label.size() + 1 + wire_.size() > most_octets) {
        return fail(FailureKind::malformed, "DPRE"_code, "name grows too long, or the label is empty or too long");
    }
    std::string wire;
    wire.reserve(label.size() + 1 + wire_.size());
    wire.push_back(static_cast<char>(label.size()));
    std::ranges::transform(label, std::back_inserter(wire), lower);
    wire.append(wire_);
    return Name(std::move(wire));
}

Result<Name> Name::rebase(const Name& from, const Name& to) const {
    require(is_within(from));
    const std::size_t kept = wire_.size() - from.wire_.size();
    if (kept + to.wire_.size() > most_octets) {
        return fail(FailureKind::malformed, "DNYX"_code, "name grows too long");  // YXDOMAIN, RFC 6672 2.2
    }
    return Name(wire_.substr(0, kept) + to.wire_);
}

bool Name::is_within(const Name& ancestor) const {
    if (ancestor.wire_.size() > wire_.size()) {
        return false;
    }
    const std::size_t start = wire_.size() - ancestor.wire_.size();
    // The tail must begin at a label, not at an octet inside one that looks like a length.
    std::size_t at = 0;
    while (at < start) {
        at += octet_at(wire_, at) + 1U;
    }
    return at == start && std::string_view(wire_).substr(start) == ancestor.wire_;
}

Name Name::common_ancestor(const Name& other) const {
    const Labels own(wire_);
    const Labels others(other.wire_);
    std::size_t shared = 0;
    while (shared < own.count && shared < others.count &&
           label_at(wire_, own.starts[own.count - 1 - shared]) ==
               label_at(other.wire_, others.starts[others.count - 1 - shared])) {
        ++shared;
    }
    return shared == 0 ? Name() : Name(wire_.substr(own.starts[own.count - shared]));
}

std::string Name::to_text() const {
    if (is_root()) {
        return ".";
    }
    std::string text;
    text.reserve(wire_.size());
    for (std::size_t at = 0; wire_[at] != '\0'; at += octet_at(wire_, at) + 1U) {
        if (at > 0) {
            text.push_back('.');
        }
        append_escaped(text, label_at(wire_, at));
    }
    return text;
}

std::string Name::lookup_key(std::string_view before) const {
    constexpr std::size_t usually_appended = 8;
    std::string key;
    key.reserve(before.size() + wire_.size() + usually_appended);
    key += before;
    const Labels own(wire_);
    for (std::size_t left = own.count; left > 0; --left) {
        const std::string_view label = label_at(wire_, own.starts[left - 1]);
        if (label.find('\x00') == label.npos && label.find('\x01') == label.npos) {
            key += label;
            key.push_back(key_end);
            continue;
        }
        for (const char letter : label) {
            if (letter == '\x00' || letter == '\x01') {
                key.push_back(key_escape);
                key.push_back(letter == '\x00' ? key_zero : key_one);
            } else {
                key.push_back(letter);
            }
        }
        key.push_back(key_end);
    }
    return key;
}

Result<Name> Name::from_lookup_key(std::string_view key) {
    Name name;
    std::string label;
    for (std::size_t at = 0; at < key.size(); ++at) {
        if (key[at] == key_end) {
            auto longer = name.prepend(label);
            if (!longer) return fail(std::move(longer.error()));
            name = std::move(*longer);
            label.clear();
            continue;
        }
        if (key[at] != key_escape) {
            label.push_back(key[at]);
            continue;
        }
        ++at;
        if (at == key.size() || (key[at] != key_zero && key[at] != key_one)) {
            return fail(FailureKind::malformed, "DKEY"_code, "escape in a lookup key that does not exist");
        }
        label.push_back(key[at] == key_zero ? '\x00' : '\x01');
    }
    // One key for one name: nothing may be left over, and letters are lower-case already.
    if (!label.empty() || name.lookup_key() != key) {
        return fail(FailureKind::malformed, "DKEN"_code, "lookup key that no name has");
    }
    return name;
}

std::strong_ordering operator<=>(const Name& left, const Name& right) {
    const Labels own(left.wire_);
    const Labels others(right.wire_);
    const std::size_t shared = std::min(own.count, others.count);
    for (std::size_t depth = 1; depth <= shared; ++depth) {
        const std::strong_ordering order = compare_labels(label_at(left.wire_, own.starts[own.count - depth]),
                                                          label_at(right.wire_, others.starts[others.count - depth]));
        if (order != std::strong_ordering::equal) {
            return order;
        }
    }
    return own.count <=> others.count;
}

}  // namespace mxtrust::dns
