// Domain names: immutable, uncompressed wire form, lower-cased at construction (RFC 1035 3.1, RFC 4034 6.2).
//
// The root is a value like any other; there is no empty name. How a client spelled a name is kept beside it (see
// dns::Question::spelled), never in it. Order is the canonical order of RFC 4034 6.1.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/keyed_hash.h"

namespace mxtrust::dns {

class Name {
  public:
    static constexpr std::size_t most_octets = 255;
    static constexpr std::size_t most_labels = 127;  ///< without the root's empty label
    /// The longest lookup_key(): four labels with 250 octets in all, each written as two, and their four ends.
    static constexpr std::size_t most_key_octets = 504;

    Name() : wire_(1, '\0') {}  ///< the root

    /// Master-file form; with or without final dot; \DDD and \X escapes. "" is an error, "." is the root.
    static Result<Name> from_text(std::string_view text);
    /// Reads an uncompressed or compressed name (pointers only backwards, RFC 1035 4.1.4) and moves the reader behind
    /// it. `spelled`, where given, receives the wire form with the letters' case as sent.
    static Result<Name> from_message(Reader& reader, std::string* spelled = nullptr);
    /// Reads an uncompressed name; a pointer is an error (RFC 3597 4, RFC 4034 3.1.7).
    static Result<Name> from_wire(Reader& reader, std::string* spelled = nullptr);

    [[nodiscard]] BytesView wire() const { return as_bytes(wire_); }
    [[nodiscard]] bool is_root() const { return wire_.size() == 1; }
    /// Without the root's empty label: "example.org" has 2, the root 0. RFC 4034 3.1.3 wants this minus a leading "*".
    [[nodiscard]] std::size_t label_count() const;
    /// Label 0 is the leftmost. Requires: index < label_count().
    [[nodiscard]] std::string_view label(std::size_t index) const;
    [[nodiscard]] bool is_wildcard() const { return wire_.size() > 2 && wire_[0] == 1 && wire_[1] == '*'; }

    /// Without the leftmost label. Requires: not the root.
    [[nodiscard]] Name parent() const;
    /// The last `labels` labels: ancestor(0) is the root. Requires: labels ≤ label_count().
    [[nodiscard]] Name ancestor(std::size_t labels) const;
    /// label + this; an error where it grows too long. `label` is raw octets, 1 to 63.
    [[nodiscard]] Result<Name> prepend(std::string_view label) const;
    /// "*." + this.
    [[nodiscard]] Result<Name> wildcard() const { return prepend("*"); }
    /// Replaces the suffix `from` by `to` (DNAME, RFC 6672 2.2). Requires: is_within(from).
    [[nodiscard]] Result<Name> rebase(const Name& from, const Name& to) const;
    /// Equal to or below `ancestor`.
    [[nodiscard]] bool is_within(const Name& ancestor) const;
    /// Strictly below.
    [[nodiscard]] bool is_below(const Name& ancestor) const {
        return wire_.size() > ancestor.wire_.size() && is_within(ancestor);
    }
    /// The deepest name that both lie within.
    [[nodiscard]] Name common_ancestor(const Name& other) const;

    /// Master-file form without final dot; the root is ".". Anything but printable ASCII is escaped.
    [[nodiscard]] std::string to_text() const;
    /// Reversed labels, each ended by an octet 0, such that plain octet order of keys is canonical order. A subtree is
    /// one range: the names within N are exactly the keys that begin with N's key; the root's key is empty. `before` is
    /// put in front.
    [[nodiscard]] std::string lookup_key(std::string_view before = {}) const;
    /// The reverse; anything that lookup_key() cannot have made is an error.
    static Result<Name> from_lookup_key(std::string_view key);

    friend bool operator==(const Name&, const Name&) = default;
    friend std::strong_ordering operator<=>(const Name& left, const Name& right);  ///< RFC 4034 6.1

  private:
    explicit Name(std::string wire) : wire_(std::move(wire)) {}
    std::string wire_;
};

/// For hash tables. Strangers choose the names: each table has a key of its own, drawn at start, so that nobody can
/// make many names fall into one bucket.
class NameHash {
  public:
    explicit NameHash(HashKey key) : key_(key) {}
    std::size_t operator()(const Name& name) const { return keyed_hash(key_, name.wire()); }

  private:
    HashKey key_;
};

}  // namespace mxtrust::dns
