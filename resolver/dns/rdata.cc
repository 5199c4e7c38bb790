// RDATA taken apart: the walk over a shape's fields (see rdata_shape.h), and the typed views.
//
// A message with one malformed record of a checked type is refused as a whole. A server that sends one is broken or
// lies; leaving the record out would turn what was signed as a set into another set, and a failure into an absence.
#include "dns/rdata.h"

#include <algorithm>

#include "base/require.h"
#include "dns/rdata_shape.h"

namespace mxtrust::dns {

namespace {

constexpr std::size_t most_window_octets = 32;

/// What the walk makes of the names.
enum class Form : std::uint8_t {
    expanded,   ///< from a message: pointers followed where the type allows them, letters kept
    as_is,      ///< from uncompressed octets, letters kept
    canonical,  ///< from uncompressed octets, letters lower-cased where the type says so
};

/// Type bit maps: windows ascending, none empty or longer than 32 octets (RFC 4034 4.1.2). Bits set are told to `each`.
template <class Each>
Done walk_bitmap(BytesView bitmap, Each each) {
    Reader reader(bitmap);
    int last_window = -1;
    while (!reader.done()) {
        const auto head = reader.u16();
        if (!head) return fail(head.error());
        const int window = *head >> 8U;
        const std::size_t length = *head & 0xffU;
        const auto octets = reader.take(length);
        if (window <= last_window || length == 0 || length > most_window_octets || !octets) {
            return fail(FailureKind::malformed, "DMAP"_code,
                        "type bit map with windows out of order or of a wrong length");
        }
        last_window = window;
        for (std::size_t bit = 0; bit < length * 8; ++bit) {
            if (((*octets)[bit / 8] & (0x80U >> bit % 8)) != 0) {
                each(static_cast<Type>(static_cast<std::size_t>(window) * 256 + bit));
            }
        }
    }
    return {};
}

Done copy_name(const Shape& shape, Form form, Reader& reader, Writer& out) {
    const bool pointers =
        form == Form::expanded && (shape.names == Names::compressed || shape.names == Names::expanded);
    std::string spelled;
    const auto name = pointers ? Name::from_message(reader, &spelled) : Name::from_wire(reader, &spelled);
    if (!name) return fail(name.error());
    if (form == Form::canonical && shape.names != Names::kept) {
        out.bytes(name->wire());
    } else {
        out.bytes(spelled);
    }
    return {};
}

Done copy_octets(Reader& reader, std::size_t count, Writer& out) {
    const auto octets = reader.take(count);
    if (!octets) return fail(octets.error());
    out.bytes(*octets);
    return {};
}

/// One length octet and as many octets as it says.
Done copy_counted(Reader& reader, std::size_t least, Writer& out) {
    const auto length = reader.u8();
    if (!length) return fail(length.error());
    if (*length < least) {
        return fail(FailureKind::malformed, "DCNT"_code, "counted field is empty");
    }
    out.u8(*length);
    return copy_octets(reader, *length, out);
}

Done copy_strings(Reader& reader, Writer& out) {
    do {
        auto copied = copy_counted(reader, 0, out);
        if (!copied) return copied;
    } while (!reader.done());
    return {};
}

Done copy_bitmap(Reader& reader, Writer& out) {
    const BytesView bitmap = reader.rest();
    out.bytes(bitmap);
    return walk_bitmap(bitmap, [](Type) {});
}

Done copy_field(const Shape& shape, char field, Form form, Reader& reader, Writer& out) {
    switch (field) {
        case '1':
            return copy_octets(reader, 1, out);
        case '2':
        case 't':
            return copy_octets(reader, 2, out);
        case '4':
        case 'd':
        case 'a':
            return copy_octets(reader, 4, out);
        case '6':
            return copy_octets(reader, 16, out);
        case 'n':
            return copy_name(shape, form, reader, out);
        case 's':
        case 'X':
            return copy_counted(reader, 0, out);
        case 'h':
        case 'g':
            return copy_counted(reader, 1, out);
        case 'S':
            return copy_strings(reader, out);
        case 'T':
            return copy_bitmap(reader, out);
        case 'x':
        case 'b':
        case 'v':
        case '*':
            out.bytes(reader.rest());
            return {};
        default:
            broken_promise(std::source_location::current());  // a letter that rdata_shape.h does not list
    }
}

/// Reads to the end of `reader`; what is left over is an error.
Result<Bytes> walk(const Shape& shape, Form form, Reader& reader) {
    Writer out(reader.remaining());
    for (const char field : shape.fields) {
        auto copied = copy_field(shape, field, form, reader, out);
        if (!copied) return fail(std::move(copied.error()));
    }
    if (!reader.done()) {
        return fail(FailureKind::malformed, "DRES"_code, to_text(shape.type) + " record with octets left over");
    }
    return std::move(out).finish();
}

/// For the typed views: the fields are read without asking after each, because the shape was checked before.
template <class Value>
Value sure(Result<Value> value) {
    require(value.has_value());
    return std::move(*value);
}

Bytes copy_of(BytesView octets) {
    return {octets.begin(), octets.end()};
}

}  // namespace

Result<Bytes> read_rdata(Type type, Reader& message, std::uint16_t length) {
    if (length > message.remaining()) {
        return fail(FailureKind::malformed, "DRUN"_code, "record that is longer than its message");
    }
    const std::size_t end = message.position() + length;
    const Shape* const shape = shape_of(type);
    if (shape == nullptr || shape->check == Check::opaque) {
        return message.take(length).map(copy_of);
    }
    // Names may point to anything before; nothing may be read behind the RDATA's end.
    Reader reader(message.whole().first(end), message.position());
    message.seek(end);
    return walk(*shape, Form::expanded, reader);
}

Done check_rdata(Type type, BytesView rdata) {
    const Shape* const shape = shape_of(type);
    if (shape == nullptr || shape->check == Check::opaque) {
        return {};
    }
    Reader reader(rdata);
    return walk(*shape, Form::as_is, reader).map([](const Bytes&) {});
}

Bytes canonical(Type type, BytesView rdata) {
    const Shape* const shape = shape_of(type);
    const bool changes = shape != nullptr && shape->names != Names::kept;
    if (changes) {
        Reader reader(rdata);
        auto lowered = walk(*shape, Form::canonical, reader);
        if (lowered) return std::move(*lowered);
    }
    return copy_of(rdata);
}

Result<TypeSet> TypeSet::parse(BytesView bitmap) {
    TypeSet set;
    return walk_bitmap(bitmap, [&set](Type type) { set.types_.push_back(type); }).map([&set] {
        return std::move(set);
    });
}

bool TypeSet::has(Type type) const {
    return std::ranges::binary_search(types_, type);
}

Result<Mx> parse_mx(BytesView rdata) {
    return check_rdata(Type::mx, rdata).map([rdata] {
        Reader reader(rdata);
        const std::uint16_t preference = sure(reader.u16());
        return Mx{preference, sure(Name::from_wire(reader))};
    });
}

Result<Soa> parse_soa(BytesView rdata) {
    return check_rdata(Type::soa, rdata).map([rdata] {
        Reader reader(rdata);
        Soa soa{};
        soa.mname = sure(Name::from_wire(reader));
        soa.rname = sure(Name::from_wire(reader));
        soa.serial = sure(reader.u32());
        soa.refresh = sure(reader.u32());
        soa.retry = sure(reader.u32());
        soa.expire = sure(reader.u32());
        soa.minimum = sure(reader.u32());
        return soa;
    });
}

Result<Ds> parse_ds(BytesView rdata) {
    return check_rdata(Type::ds, rdata).map([rdata] {
        Reader reader(rdata);
        Ds ds{};
        ds.key_tag = sure(reader.u16());
        ds.algorithm = static_cast<Algorithm>(sure(reader.u8()));
        ds.digest_type = static_cast<DigestType>(sure(reader.u8()));
        ds.digest = copy_of(reader.rest());
        return ds;
    });
}

std::uint16_t key_tag_of(BytesView dnskey_rdata) {
    std::uint32_t sum = 0;
    for (std::size_t index = 0; index < dnskey_rdata.size(); ++index) {
        sum += index % 2 == 0 ? static_cast<std::uint32_t>(dnskey_rdata[index]) << 8U : dnskey_rdata[index];
    }
    sum += sum >> 16U & 0xffffU;
    return static_cast<std::uint16_t>(sum);
}

Result<Dnskey> parse_dnskey(BytesView rdata) {
    return check_rdata(Type::dnskey, rdata).map([rdata] {
        Reader reader(rdata);
        Dnskey key{};
        key.flags = sure(reader.u16());
        key.protocol = sure(reader.u8());
        key.algorithm = static_cast<Algorithm>(sure(reader.u8()));
        key.public_key = copy_of(reader.rest());
        key.key_tag = key_tag_of(rdata);
        return key;
    });
}

Result<Rrsig> parse_rrsig(BytesView rdata) {
    return check_rdata(Type::rrsig, rdata).map([rdata] {
        Reader reader(rdata);
        Rrsig signature{};
        signature.covered = static_cast<Type>(sure(reader.u16()));
        signature.algorithm = static_cast<Algorithm>(sure(reader.u8()));
        signature.labels = sure(reader.u8());
        signature.original_ttl = sure(reader.u32());
        signature.expiration = sure(reader.u32());
        signature.inception = sure(reader.u32());
        signature.key_tag = sure(reader.u16());
        signature.signer = sure(Name::from_wire(reader));
        signature.signature = copy_of(reader.rest());
        return signature;
    });
}

Result<Nsec> parse_nsec(BytesView rdata) {
    return check_rdata(Type::nsec, rdata).map([rdata] {
        Reader reader(rdata);
        Nsec nsec{};
        nsec.next = sure(Name::from_wire(reader));
        nsec.types = sure(TypeSet::parse(reader.rest()));
        return nsec;
    });
}

Result<Nsec3> parse_nsec3(BytesView rdata) {
    return check_rdata(Type::nsec3, rdata).map([rdata] {
        Reader reader(rdata);
        Nsec3 nsec3{};
        nsec3.hash_algorithm = sure(reader.u8());
        nsec3.flags = sure(reader.u8());
        nsec3.iterations = sure(reader.u16());
        nsec3.salt = copy_of(sure(reader.take(sure(reader.u8()))));
        nsec3.next_hash = copy_of(sure(reader.take(sure(reader.u8()))));
        nsec3.types = sure(TypeSet::parse(reader.rest()));
        return nsec3;
    });
}

Result<Tlsa> parse_tlsa(BytesView rdata) {
    return check_rdata(Type::tlsa, rdata).map([rdata] {
        Reader reader(rdata);
        Tlsa tlsa{};
        tlsa.usage = sure(reader.u8());
        tlsa.selector = sure(reader.u8());
        tlsa.matching = sure(reader.u8());
        tlsa.data = copy_of(reader.rest());
        return tlsa;
    });
}

Result<Name> parse_single_name(BytesView rdata) {
    return check_rdata(Type::ns, rdata).map([rdata] {
        Reader reader(rdata);
        return sure(Name::from_wire(reader));
    });
}

}  // namespace mxtrust::dns
