// Messages and records for the tests of this room, from text.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "dns/message.h"

namespace stage {

inline mxtrust::dns::Name name(const std::string& text) {
    auto parsed = mxtrust::dns::Name::from_text(text);
    REQUIRE(parsed);
    return *parsed;
}

inline mxtrust::dns::Record record(const std::string& owner, mxtrust::dns::Type type, const std::string& rdata,
                                   unsigned ttl = 3600) {
    mxtrust::dns::Record made;
    made.owner = name(owner);
    made.type = type;
    made.ttl = mxtrust::dns::Ttl(ttl);
    auto parsed = mxtrust::dns::rdata_from_text(type, rdata);
    INFO(owner << " " << rdata);
    REQUIRE(parsed);
    made.rdata = *parsed;
    return made;
}

/// A response with AA set; sections are added by the test.
inline mxtrust::dns::Message response(const std::string& question, mxtrust::dns::Type type) {
    mxtrust::dns::Message message;
    message.response = true;
    message.authoritative = true;
    mxtrust::dns::Question asked;
    asked.name = name(question);
    asked.type = type;
    message.question = asked;
    return message;
}

}  // namespace stage
