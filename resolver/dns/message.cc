// Messages from the wire. Strict: what is left over, counted wrongly or said twice is an error, because two readers who
// understand one message differently are how poison gets in (A22, A32).
#include "dns/message.h"

#include <algorithm>

#include "dns/text.h"

namespace mxtrust::dns {

namespace {

constexpr std::size_t most_records = 5000;  ///< a 64 KiB message has room for more only if it means harm
constexpr std::size_t most_options = 100;   ///< CVE-2026-41292

constexpr std::uint16_t response_bit = 0x8000, authoritative_bit = 0x0400, truncated_bit = 0x0200,
                        recursion_desired_bit = 0x0100, recursion_available_bit = 0x0080, authentic_data_bit = 0x0020,
                        checking_disabled_bit = 0x0010;
constexpr std::uint32_t dnssec_ok_bit = 0x8000;

struct Header {
    std::uint16_t id, flags, questions, answers, authorities, additionals;
};

Result<Header> read_header(Reader& reader) {
    const auto octets = reader.take(12);
    if (!octets) return fail(FailureKind::malformed, "DHDR"_code, "message shorter than its header");
    const auto number = [&octets](std::size_t index) {
        return static_cast<std::uint16_t>((*octets)[2 * index] << 8U | (*octets)[2 * index + 1]);
    };
    return Header{number(0), number(1), number(2), number(3), number(4), number(5)};
}

Opcode opcode_of(std::uint16_t flags) {
    return static_cast<Opcode>(flags >> 11U & 0xfU);
}

Result<Question> read_question(Reader& reader) {
    Question question;
    auto name = Name::from_message(reader, &question.spelled);
    if (!name) return fail(std::move(name.error()));
    const auto type = reader.u16();
    const auto class_ = reader.u16();
    if (!type || !class_) return fail(FailureKind::malformed, "DQST"_code, "question ends too early");
    question.name = std::move(*name);
    question.type = static_cast<Type>(*type);
    question.class_ = static_cast<Class>(*class_);
    return question;
}

/// The fixed part of a record, before anything is known of its type.
struct RecordHead {
    Name owner;
    Type type{};
    std::uint16_t class_ = 0;
    std::uint32_t ttl = 0;
    std::uint16_t length = 0;
};

Result<RecordHead> read_head(Reader& reader) {
    auto owner = Name::from_message(reader);
    if (!owner) return fail(std::move(owner.error()));
    const auto type = reader.u16();
    const auto class_ = reader.u16();
    const auto ttl = reader.u32();
    const auto length = reader.u16();
    if (!type || !class_ || !ttl || !length) {
        return fail(FailureKind::malformed, "DREC"_code, "record ends too early");
    }
    return RecordHead{std::move(*owner), static_cast<Type>(*type), *class_, *ttl, *length};
}

Result<Record> read_record(RecordHead head, Reader& reader) {
    Record record;
    record.owner = std::move(head.owner);
    record.type = head.type;
    record.class_ = static_cast<Class>(head.class_);
    record.ttl = Ttl(head.ttl > 0x7fffffffU ? 0 : head.ttl);  // RFC 2181 8
    // RDATA formats are known for class IN only (A of class CH is another thing): everything else stays octets.
    const Type format = record.class_ == Class::in ? record.type : Type{};
    auto rdata = read_rdata(format, reader, head.length);
    if (!rdata) return fail(std::move(rdata.error()));
    record.rdata = std::move(*rdata);
    return record;
}

Result<std::vector<EdnsOption>> read_options(BytesView rdata) {
    std::vector<EdnsOption> options;
    Reader reader(rdata);
    while (!reader.done()) {
        const auto code = reader.u16();
        const auto data = reader.u16().and_then([&reader](std::uint16_t length) { return reader.take(length); });
        if (!code || !data) return fail(FailureKind::malformed, "DOPS"_code, "EDNS option longer than its record");
        if (options.size() == most_options) {
            return fail(FailureKind::malformed, "DOPM"_code, "more than 100 EDNS options");
        }
        options.push_back(EdnsOption{*code, Bytes(data->begin(), data->end())});
    }
    return options;
}

/// RFC 6891 6.1. The upper bits of the response code go to `message`.
Done read_opt(const RecordHead& head, Reader& reader, Message& message) {
    const auto rdata = reader.take(head.length);
    if (!rdata) return fail(FailureKind::malformed, "DOPL"_code, "OPT record longer than its message");
    if (message.edns) return fail(FailureKind::malformed, "DOPT"_code, "two OPT records");
    if (!head.owner.is_root())
        return fail(FailureKind::malformed, "DOPO"_code, "OPT record at a name other than the root");
    auto options = read_options(*rdata);
    if (!options) return fail(std::move(options.error()));
    Edns& edns = message.edns.emplace();
    edns.udp_size = head.class_;
    edns.version = static_cast<std::uint8_t>(head.ttl >> 16U);
    edns.dnssec_ok = (head.ttl & dnssec_ok_bit) != 0;
    edns.options = std::move(*options);
    const auto upper = static_cast<std::uint16_t>(head.ttl >> 24U << 4U);
    message.rcode = static_cast<Rcode>(static_cast<std::uint16_t>(message.rcode) | upper);
    return {};
}

enum class Section : bool { without_opt, with_opt };

Done read_section(Reader& reader, std::size_t count, Section section, std::vector<Record>& records, Message& message) {
    // A count is only a claim; a record has eleven octets at least.
    records.reserve(std::min(count, reader.remaining() / 11));
    for (; count > 0; --count) {
        auto head = read_head(reader);
        if (!head) return fail(std::move(head.error()));
        if (head->type == Type::opt) {
            if (section == Section::without_opt) {
                return fail(FailureKind::malformed, "DOPA"_code, "OPT record outside the additional section");
            }
            auto opt = read_opt(*head, reader, message);
            if (!opt) return opt;
            continue;
        }
        auto record = read_record(std::move(*head), reader);
        if (!record) return fail(std::move(record.error()));
        records.push_back(std::move(*record));
    }
    return {};
}

void set_flags(std::uint16_t flags, Message& message) {
    message.opcode = opcode_of(flags);
    message.rcode = static_cast<Rcode>(flags & 0xfU);
    message.response = (flags & response_bit) != 0;
    message.authoritative = (flags & authoritative_bit) != 0;
    message.truncated = (flags & truncated_bit) != 0;
    message.recursion_desired = (flags & recursion_desired_bit) != 0;
    message.recursion_available = (flags & recursion_available_bit) != 0;
    message.authentic_data = (flags & authentic_data_bit) != 0;
    message.checking_disabled = (flags & checking_disabled_bit) != 0;
}

}  // namespace

Result<Message> parse_message(BytesView wire) {
    Reader reader(wire);
    const auto header = read_header(reader);
    if (!header) return fail(header.error());
    if (header->questions > 1) return fail(FailureKind::malformed, "DQDC"_code, "more than one question");  // RFC 9619
    if (std::size_t{header->answers} + header->authorities + header->additionals > most_records) {
        return fail(FailureKind::malformed, "DMNY"_code, "more than 5,000 records");
    }
    Message message;
    message.id = header->id;
    set_flags(header->flags, message);
    if (header->questions == 1) {
        auto question = read_question(reader);
        if (!question) return fail(std::move(question.error()));
        message.question = std::move(*question);
    }
    auto read =
        read_section(reader, header->answers, Section::without_opt, message.answer, message)
            .and_then([&] {
                return read_section(reader, header->authorities, Section::without_opt, message.authority, message);
            })
            .and_then([&] {
                return read_section(reader, header->additionals, Section::with_opt, message.additional, message);
            });
    if (!read) return fail(std::move(read.error()));
    if (!reader.done()) return fail(FailureKind::malformed, "DTRL"_code, "octets behind the end of the message");
    return message;
}

Result<Envelope> parse_envelope(BytesView wire) {
    Reader reader(wire);
    const auto header = read_header(reader);
    if (!header) return fail(header.error());
    Envelope envelope;
    envelope.id = header->id;
    envelope.response = (header->flags & response_bit) != 0;
    envelope.opcode = opcode_of(header->flags);
    envelope.questions = header->questions;
    envelope.recursion_desired = (header->flags & recursion_desired_bit) != 0;
    envelope.checking_disabled = (header->flags & checking_disabled_bit) != 0;
    return envelope;
}

std::vector<ExtendedError> Edns::extended_errors() const {
    std::vector<ExtendedError> errors;
    for (const EdnsOption& option : options) {
        Reader reader(option.data);
        const auto code = reader.u16();
        if (option.code == option_ede && code) {
            errors.push_back(
                ExtendedError{static_cast<Ede>(*code), clean_text(as_text(reader.rest()), most_ede_octets)});
        }
    }
    return errors;
}

EdnsOption make_ede(const ExtendedError& error) {
    Writer data;
    data.u16(static_cast<std::uint16_t>(error.code));
    data.bytes(clean_text(error.text, most_ede_octets));  // no NUL at its end (RFC 8914 2)
    return EdnsOption{option_ede, std::move(data).finish()};
}

}  // namespace mxtrust::dns
