// Whole signed responses, with a mutator that knows their structure: an input is a zone (octet), a question (two
// octets, an index) and a message. Whatever the message, its verdict must be one that may stand
// (tests/structure/trial.h). What libFuzzer's own mutations would break at the first octet, the custom one takes apart,
// changes as an attacker could, and puts together again; signatures stay valid where nothing was changed that they
// cover.
#include <array>
#include <cstdint>
#include <cstdio>

#include "base/require.h"
#include "structure/mutation.h"
#include "structure/trial.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace {

using namespace mxtrust;
using namespace mxtrust::structure;

constexpr std::size_t head = 3;

struct World {
    std::array<SignedZone, 3> zones{SignedZone("example.org", Denial::nsec, 1),
                                    SignedZone("example.net", Denial::nsec3, 2),
                                    SignedZone("example.com", Denial::opt_out, 3)};
    std::array<Trial, 3> trials{Trial(zones[0]), Trial(zones[1]), Trial(zones[2])};
};

const World& world() {
    static const World all;
    return all;
}

struct Input {
    std::size_t zone;
    const Question* question;
    BytesView wire;
};

/// Requires: at least `head` octets.
Input input_of(BytesView data) {
    const std::size_t zone = data[0] % world().zones.size();
    const std::vector<Question>& questions = world().zones.at(zone).questions();
    return {zone, &questions[(std::size_t{data[1]} << 8U | data[2]) % questions.size()], data.subspan(head)};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < head) return 0;
    const Input input = input_of({data, size});
    const Trial& trial = world().trials.at(input.zone);
    for (const Sentence& sentence : trial.judge(*input.question, input.wire)) {
        if (!sentence.fault.empty())
            std::fprintf(stderr, "asked %s: %s\n", input.question->name.to_text().c_str(), sentence.fault.c_str());
        require(sentence.fault.empty());
    }
    if (input.question->type == dns::Type::dnskey) {
        const Result<dns::Message> message = dns::parse_message(input.wire);
        if (message) require(trial.judge_keys(*message).fault.empty());
    }
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
    SeededRandom random(seed);
    // Octets change, too, now and then: the parser's own business.
    if (size < head || random.below(16) == 0) return LLVMFuzzerMutate(data, size, most);
    if (random.below(8) == 0) {
        for (std::size_t index = 0; index < head; ++index) data[index] = static_cast<std::uint8_t>(random.next());
        size = head;
    }
    const Input input = input_of({data, size});
    const SignedZone& zone = world().zones.at(input.zone);
    Result<dns::Message> parsed = dns::parse_message(input.wire);
    dns::Message message = parsed ? *std::move(parsed) : zone.answer(*input.question);
    static_cast<void>(mutate(message, zone, random));
    const Bytes wire = dns::render_message(message);
    if (wire.size() + head > most) return LLVMFuzzerMutate(data, size, most);
    std::copy(wire.begin(), wire.end(), data + head);
    return wire.size() + head;
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* one, std::size_t one_size,
                                                 const std::uint8_t* other, std::size_t other_size, std::uint8_t* out,
                                                 std::size_t most, unsigned seed) {
    if (one_size < head || other_size < head) return 0;
    SeededRandom random(seed);
    const Input first = input_of({one, one_size});
    Result<dns::Message> message = dns::parse_message(first.wire);
    const Result<dns::Message> donor = dns::parse_message(input_of({other, other_size}).wire);
    if (!message || !donor) return 0;
    // Sections of the one, sections of the other; the question stays the first one's.
    if (random.below(2) == 0) message->answer = donor->answer;
    if (random.below(2) == 0) message->authority = donor->authority;
    if (random.below(2) == 0) message->rcode = donor->rcode;
    const Bytes wire = dns::render_message(*message);
    if (wire.size() + head > most) return 0;
    std::copy(one, one + head, out);
    std::copy(wire.begin(), wire.end(), out + head);
    return wire.size() + head;
}
