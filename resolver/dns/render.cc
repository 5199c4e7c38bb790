// Messages to the wire: name compression, and what is left out where there is not room for everything.
#include <algorithm>
#include <array>
#include <optional>

#include "dns/message.h"
#include "dns/rdata_shape.h"

namespace mxtrust::dns {

namespace {

constexpr std::size_t farthest_target = 0x3fff;  ///< a pointer has 14 bits (RFC 1035 4.1.4)
constexpr std::uint16_t truncated_bit = 0x0200, authentic_bit = 0x0020;
constexpr std::size_t opt_octets = 11;  ///< OPT without options (RFC 6891 6.1.2)
/// Slots looked at for one suffix. Names can be chosen by an attacker so that they fall together; rendering then
/// compresses less and never takes longer.
constexpr std::size_t most_probes = 16;

std::uint8_t lower(std::uint8_t octet) {
    return octet >= 'A' && octet <= 'Z' ? static_cast<std::uint8_t>(octet - 'A' + 'a') : octet;
}

/// Whether a pointer may lead to a name with other letters in upper case. Owners take the question's spelling, as
/// everywhere; what a record says keeps the letters it was sent with.
enum class Letters : std::uint8_t { any_case, exact };

/// Where suffixes of names stand in what was written so far. Open hashing over offsets; the names themselves are
/// compared in the message, so nothing is copied.
class Suffixes {
  public:
    /// Where `suffix` (wire form, not the root) was written, if it was.
    [[nodiscard]] std::optional<std::uint16_t> find(BytesView message, std::uint32_t hash, BytesView suffix,
                                                    Letters letters) const {
        if (slots_.empty()) return std::nullopt;
        for (std::size_t probe = 0; probe < most_probes; ++probe) {
            const Slot& slot = slots_[(hash + probe) & (slots_.size() - 1)];
            if (slot.offset == 0) return std::nullopt;
            if (slot.hash == hash && stands_at(message, slot.offset, suffix, letters)) return slot.offset;
        }
        return std::nullopt;
    }
    void add(std::uint32_t hash, std::size_t offset) {
        if (offset > farthest_target) return;
        if (2 * used_ >= slots_.size()) grow();
        insert(Slot{hash, static_cast<std::uint16_t>(offset)});
    }
    /// Forgets what stood at `size` and behind.
    void truncate(std::size_t size) {
        std::vector<Slot> kept = std::move(slots_);
        slots_.assign(kept.size(), Slot{});
        used_ = 0;
        for (const Slot& slot : kept) {
            if (slot.offset != 0 && slot.offset < size) insert(slot);
        }
    }

  private:
    struct Slot {
        std::uint32_t hash = 0;
        std::uint16_t offset = 0;  ///< 0: free; no name stands in the header
    };

    void insert(Slot slot) {
        for (std::size_t probe = 0; probe < most_probes; ++probe) {
            Slot& place = slots_[(slot.hash + probe) & (slots_.size() - 1)];
            if (place.offset == 0) {
                place = slot;
                ++used_;
                return;
            }
        }
    }
    void grow() {
        std::vector<Slot> old = std::move(slots_);
        slots_.assign(std::max<std::size_t>(64, old.size() * 2), Slot{});
        used_ = 0;
        for (const Slot& slot : old) {
            if (slot.offset != 0) insert(slot);
        }
    }
    /// The message is our own: its pointers go back and its names end.
    static bool stands_at(BytesView message, std::size_t at, BytesView suffix, Letters letters) {
        for (std::size_t index = 0; index < suffix.size();) {
            while (message[at] >= 0xc0) {
                at = (message[at] & 0x3fU) << 8U | message[at + 1];
            }
            const std::size_t octets = message[at] + std::size_t{1};
            if (suffix[index] != message[at] || index + octets > suffix.size()) return false;
            for (std::size_t octet = 1; octet < octets; ++octet) {
                const std::uint8_t there = message[at + octet];
                const std::uint8_t here = suffix[index + octet];
                if (there != here && (letters == Letters::exact || lower(there) != lower(here))) return false;
            }
            at += octets;
            index += octets;
        }
        return true;
    }

    std::vector<Slot> slots_;  ///< a power of two
    std::size_t used_ = 0;
};

class Renderer {
  public:
    [[nodiscard]] Writer& out() { return out_; }

    /// `wire` is in lower case, `spelled` is what is written.
    void name(BytesView wire, BytesView spelled, Letters letters) {
        std::array<std::uint8_t, Name::most_labels> starts;  // only the first `count` are set
        std::array<std::uint32_t, Name::most_labels> hashes;
        std::size_t count = 0;
        for (std::size_t at = 0; wire[at] != 0; at += wire[at] + std::size_t{1}) {
            starts.at(count++) = static_cast<std::uint8_t>(at);
        }
        std::uint32_t hash = 2166136261U;  // FNV-1a, octets from the right: one pass gives the hashes of all suffixes
        std::size_t label = count;
        for (std::size_t at = wire.size() - 1; at-- > 0;) {
            hash = (hash ^ wire[at]) * 16777619U;
            if (starts.at(label - 1) == at) hashes.at(--label) = hash;
        }
        const std::size_t base = out_.size();
        std::optional<std::uint16_t> target;
        for (label = 0; label < count; ++label) {
            target = suffixes_.find(out_.view(), hashes.at(label), spelled.subspan(starts.at(label)), letters);
            if (target) break;
            out_.bytes(spelled.subspan(starts.at(label), wire[starts.at(label)] + std::size_t{1}));
        }
        if (target) {
            out_.u16(static_cast<std::uint16_t>(0xc000U | *target));
        } else {
            out_.u8(0);
        }
        // Only now: a name that is not written to its end must not be compared with.
        for (std::size_t fresh = 0; fresh < label; ++fresh) {
            suffixes_.add(hashes.at(fresh), base + starts.at(fresh));
        }
    }
    void record(const Record& record) {
        name(record.owner.wire(), record.owner.wire(), Letters::any_case);
        out_.u16(static_cast<std::uint16_t>(record.type));
        out_.u16(static_cast<std::uint16_t>(record.class_));
        out_.u32(record.ttl.count());
        const std::size_t length_at = out_.size();
        out_.u16(0);
        rdata(record);
        out_.patch_u16(length_at, static_cast<std::uint16_t>(out_.size() - length_at - 2));
    }
    void truncate(std::size_t size) {
        out_.truncate(size);
        suffixes_.truncate(size);
    }

  private:
    void rdata(const Record& record) {
        const Shape* const shape = shape_of(record.type);
        const bool compress = shape != nullptr && shape->names == Names::compressed && record.class_ == Class::in;
        if (!compress || !check_rdata(record.type, record.rdata)) {
            out_.bytes(BytesView(record.rdata));
            return;
        }
        // In these types there are numbers before the names or behind them, and nothing else (RFC 1035 3.3).
        Reader reader(record.rdata);
        for (const char field : shape->fields) {
            if (field == 'n') {
                std::string spelled;
                const auto target = Name::from_wire(reader, &spelled);
                if (target) name(target->wire(), as_bytes(spelled), Letters::exact);
                continue;
            }
            const auto octets = reader.take(field == '2' ? 2 : 4);
            if (octets) out_.bytes(*octets);
        }
    }

    Writer out_;
    Suffixes suffixes_;
};

std::uint16_t flags_of(const Message& message, Rcode rcode) {
    const auto bit = [](bool set, std::uint32_t mask) { return set ? mask : 0U; };
    return static_cast<std::uint16_t>(
        bit(message.response, 0x8000) | (static_cast<std::uint32_t>(message.opcode) & 0xfU) << 11U |
        bit(message.authoritative, 0x0400) | bit(message.truncated, truncated_bit) |
        bit(message.recursion_desired, 0x0100) | bit(message.recursion_available, 0x0080) |
        bit(message.authentic_data, 0x0020) | bit(message.checking_disabled, 0x0010) |
        (static_cast<std::uint32_t>(rcode) & 0xfU));
}

/// The response code that can be said: without OPT there are four bits, and their being cut must not make an error
/// NOERROR.
Rcode sayable(const Message& message) {
    const bool extended = static_cast<std::uint16_t>(message.rcode) > 15;
    return extended && !message.edns ? Rcode::servfail : message.rcode;
}

Bytes render_opt(const Edns& edns, Rcode rcode, std::size_t most_octets) {
    Writer out(64);
    out.u8(0);
    out.u16(static_cast<std::uint16_t>(Type::opt));
    out.u16(edns.udp_size);
    out.u8(static_cast<std::uint8_t>(static_cast<std::uint16_t>(rcode) >> 4U));
    out.u8(edns.version);
    out.u16(edns.dnssec_ok ? 0x8000 : 0);
    out.u16(0);
    for (const EdnsOption& option : edns.options) {
        // Options say more about the answer, they are not the answer: those for which there is no room stay away.
        if (option.data.size() + 4 > most_octets - std::min(out.size(), most_octets)) continue;
        out.u16(option.code);
        out.u16(static_cast<std::uint16_t>(option.data.size()));
        out.bytes(BytesView(option.data));
    }
    out.patch_u16(opt_octets - 2, static_cast<std::uint16_t>(out.size() - opt_octets));
    return std::move(out).finish();
}

/// One past the last record of the RRset that begins at `first`, with the signatures that follow it.
std::size_t end_of_set(const std::vector<Record>& records, std::size_t first) {
    const Record& head = records[first];
    const auto belongs = [&head](const Record& record) {
        if (record.owner != head.owner || record.class_ != head.class_) return false;
        if (record.type == head.type) return true;
        Reader reader(record.rdata);
        return record.type == Type::rrsig && reader.u16().value_or(0) == static_cast<std::uint16_t>(head.type);
    };
    std::size_t end = first + 1;
    while (end < records.size() && belongs(records[end])) {
        ++end;
    }
    return end;
}

/// How many records were written: all, or those of the RRsets that end at `most_octets` at the latest.
std::uint16_t render_section(const std::vector<Record>& records, std::size_t most_octets, Renderer& renderer) {
    std::size_t written = 0;
    while (written < records.size()) {
        const std::size_t size_before = renderer.out().size();
        const std::size_t end = end_of_set(records, written);
        for (std::size_t index = written; index < end; ++index) {
            renderer.record(records[index]);
            if (renderer.out().size() > most_octets || index >= 0xffff) {
                renderer.truncate(size_before);
                return static_cast<std::uint16_t>(written);
            }
        }
        written = end;
    }
    return static_cast<std::uint16_t>(written);
}

void render_question(const Question& question, Renderer& renderer) {
    const BytesView wire = question.name.wire();
    // A spelling of another name, or none, is not written.
    const bool own_spelling = std::ranges::equal(as_bytes(question.spelled), wire, {}, lower);
    renderer.name(wire, own_spelling ? as_bytes(question.spelled) : wire, Letters::exact);
    renderer.out().u16(static_cast<std::uint16_t>(question.type));
    renderer.out().u16(static_cast<std::uint16_t>(question.class_));
}

}  // namespace

Bytes render_message(const Message& message, std::size_t most_octets) {
    most_octets = std::min<std::size_t>(most_octets, 65535);
    const Rcode rcode = sayable(message);
    Renderer renderer;
    Writer& out = renderer.out();
    out.u16(message.id);
    out.u16(0);  // flags and counts of records are known at the end
    out.u16(message.question ? 1 : 0);
    out.bytes(BytesView(std::array<std::uint8_t, 6>{}));
    if (message.question) render_question(*message.question, renderer);

    const std::size_t left = most_octets - std::min(most_octets, out.size());
    const Bytes opt = message.edns ? render_opt(*message.edns, rcode, left) : Bytes{};
    const std::size_t most_before_opt = most_octets - std::min(most_octets, opt.size());
    const std::array<const std::vector<Record>*, 3> sections{&message.answer, &message.authority, &message.additional};
    std::array<std::uint16_t, 3> counts{};
    std::uint16_t flags = flags_of(message, rcode);
    bool complete = true;
    for (std::size_t section = 0; section < sections.size() && complete; ++section) {
        const std::vector<Record>& records = *sections.at(section);
        const std::uint16_t written = render_section(records, most_before_opt, renderer);
        counts.at(section) = written;
        complete = written == records.size();
        // Additional records are there for convenience: that some are missing is no truncation (RFC 2181 9). AD speaks
        // of the whole (RFC 4035 3.2.3): beside sections that were cut off, whoever overlooks TC would read it as an
        // authentic denial.
        if (!complete && section < 2)
            flags = static_cast<std::uint16_t>((flags | truncated_bit) & ~std::uint32_t{authentic_bit});
    }
    if (message.edns) {
        ++counts.back();
        out.bytes(BytesView(opt));
    }
    out.patch_u16(2, flags);
    for (std::size_t section = 0; section < counts.size(); ++section) {
        out.patch_u16(6 + 2 * section, counts.at(section));
    }
    return std::move(out).finish();
}

}  // namespace mxtrust::dns
