// JSON lines through nlohmann's parser, text lines by words; both end in the same few functions that check values.
#include "serve/request.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "dns/text.h"

namespace mxtrust::serve {
namespace {

using nlohmann::json;

/// An id is for the client to tell replies apart, not for storing things here.
constexpr std::size_t most_id_octets = 256;
/// Of a client's text in an error.
constexpr std::size_t most_quoted_octets = 100;

constexpr std::string_view verbs = "mail, decide, rrset, explain, status, failing, flush or reload";
constexpr std::string_view queries = "mail, rrset, explain, status, failing, flush or reload";

std::string in_quotes(std::string_view text) {
    return "\"" + dns::clean_text(text, most_quoted_octets) + "\"";
}

Failure wrong(Code code, std::string text) {
    return Failure{FailureKind::malformed, code, std::move(text)};
}

Result<dns::Name> parse_name(std::string_view text) {
    // The root is a name that can be asked, but no name in IDNA's eyes.
    auto name = text == "." ? dns::Name::from_text(text) : mail::name_from_utf8(text);
    if (!name) return fail(wrong("SNAM"_code, "name: " + in_quotes(text) + " is no domain name: " + name.error().text));
    return name;
}

Result<dns::Type> parse_type(std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(), [](char letter) {
        return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    });
    auto type = dns::type_from_text(upper);
    if (!type)
        return fail(wrong("STYP"_code, "type: " + in_quotes(text) + " is no record type, such as MX, TLSA or TYPE52"));
    if (dns::is_meta(*type)) {
        return fail(
            wrong("SMET"_code, "type: " + in_quotes(text) + " is no type of data; ask for one type, such as MX"));
    }
    return type;
}

Result<MailRequest> parse_mail(std::string_view domain) {
    auto next_hop = mail::parse_next_hop(domain);
    if (!next_hop) return fail(wrong("SDOM"_code, "domain: " + in_quotes(domain) + ": " + next_hop.error().text));
    MailRequest request;
    request.next_hop = std::move(*next_hop);
    request.asked = dns::clean_text(domain, most_request_octets);
    return request;
}

// ---- text form
// -------------------------------------------------------------------------------------------------------------

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (true) {
        const std::size_t start = line.find_first_not_of(" \t");
        if (start == std::string_view::npos) return words;
        line.remove_prefix(start);
        const std::size_t length = std::min(line.find_first_of(" \t"), line.size());
        words.push_back(line.substr(0, length));
        line.remove_prefix(length);
    }
}

using Parsed = Result<decltype(Request::what)>;

Parsed need(std::string_view usage) {
    return fail(wrong("SUSE"_code, "wanted is: " + std::string(usage)));
}

Parsed text_mail(const std::vector<std::string_view>& words) {
    if (words.size() != 2) return need("mail DOMAIN");
    auto request = parse_mail(words[1]);
    if (!request) return fail(request.error());
    return std::move(*request);
}

Parsed text_decide(const std::vector<std::string_view>& words) {
    if (words.size() != 2) return need("decide DOMAIN");
    auto request = parse_mail(words[1]);
    if (!request) return fail(request.error());
    return DecideRequest{std::move(*request)};
}

Result<RRsetRequest> name_and_type(std::string_view name_text, std::string_view type_text) {
    auto name = parse_name(name_text);
    if (!name) return fail(name.error());
    const auto type = parse_type(type_text);
    if (!type) return fail(type.error());
    return RRsetRequest{std::move(*name), *type};
}

Parsed text_rrset(const std::vector<std::string_view>& words) {
    if (words.size() != 3) return need("rrset NAME TYPE");
    auto request = name_and_type(words[1], words[2]);
    if (!request) return fail(request.error());
    return std::move(*request);
}

/// A mail domain, as in `mail`: a next-hop in brackets has no MX, and an address has nothing that could be explained.
Result<ExplainRequest> explain_domain(std::string_view text) {
    auto mail = parse_mail(text);
    if (!mail) return fail(mail.error());
    mail::NextHop& next_hop = mail->next_hop;
    if (next_hop.kind == mail::NextHop::Kind::address) {
        return fail(wrong("SXAD"_code, in_quotes(text) + " is an address: nothing is looked up for it"));
    }
    const bool is_domain = next_hop.kind == mail::NextHop::Kind::domain;
    ExplainRequest request{RRsetRequest{next_hop.name, is_domain ? dns::Type::mx : dns::Type::a}, {}};
    request.domain = std::move(next_hop);
    return request;
}

Parsed text_explain(const std::vector<std::string_view>& words) {
    if (words.size() != 2 && words.size() != 3) return need("explain DOMAIN, or explain NAME TYPE");
    if (words.size() == 2) {
        auto domain = explain_domain(words[1]);
        if (!domain) return fail(domain.error());
        return std::move(*domain);
    }
    auto request = name_and_type(words[1], words[2]);
    if (!request) return fail(request.error());
    return ExplainRequest{std::move(*request)};
}

Parsed text_status(const std::vector<std::string_view>& words) {
    if (words.size() != 1) return need("status");
    return StatusRequest{};
}

Parsed text_failing(const std::vector<std::string_view>& words) {
    if (words.size() != 1) return need("failing");
    return FailingRequest{};
}

Parsed text_flush(const std::vector<std::string_view>& words) {
    if (words.size() != 2) return need("flush NAME");
    auto name = parse_name(words[1]);
    if (!name) return fail(name.error());
    return FlushRequest{std::move(*name)};
}

Parsed text_reload(const std::vector<std::string_view>& words) {
    if (words.size() != 1) return need("reload");
    return ReloadRequest{};
}

Parsed parse_text(std::string_view line) {
    const std::vector<std::string_view> words = words_of(line);
    if (words.empty())
        return fail(wrong("SEMP"_code, "the line is empty; wanted is a JSON object or " + std::string(verbs)));
    struct Verb {
        std::string_view word;
        Parsed (*parse)(const std::vector<std::string_view>&);
    };
    constexpr std::array<Verb, 8> all{{{"mail", text_mail},
                                       {"decide", text_decide},
                                       {"rrset", text_rrset},
                                       {"explain", text_explain},
                                       {"status", text_status},
                                       {"failing", text_failing},
                                       {"flush", text_flush},
                                       {"reload", text_reload}}};
    for (const Verb& verb : all) {
        if (verb.word == words[0]) return verb.parse(words);
    }
    return fail(
        wrong("SVRB"_code, in_quotes(words[0]) + " is no request; wanted is a JSON object or " + std::string(verbs)));
}

// ---- JSON
// ------------------------------------------------------------------------------------------------------------------

/// Finds out where a text stops to be JSON; builds nothing.
class WhereItEnds final : public nlohmann::json_sax<json> {
  public:
    bool null() override { return true; }
    bool boolean(bool /*value*/) override { return true; }
    bool number_integer(number_integer_t /*value*/) override { return true; }
    bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
    bool string(string_t& /*value*/) override { return true; }
    bool binary(binary_t& /*value*/) override { return true; }
    bool start_object(std::size_t /*elements*/) override { return true; }
    bool key(string_t& /*value*/) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t /*elements*/) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t position, const std::string& /*token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        at = position;
        return false;
    }
    std::size_t at = 0;
};

/// The members of a request, each read once, each with its own words when it is wrong.
class Members {
  public:
    explicit Members(const json& object) : object_(object) {}

    Result<std::string> text(const char* key, std::string_view example) const {
        const auto member = object_.find(key);
        if (member == object_.end()) {
            return fail(
                wrong("SMIS"_code, std::string(key) + ": is missing; wanted is for example " + std::string(example)));
        }
        if (!member->is_string())
            return fail(wrong("SSTR"_code, std::string(key) + ": must be a string, is " + member->type_name()));
        return member->get<std::string>();
    }
    Result<std::int64_t> number(const char* key, std::int64_t usual, std::int64_t least, std::int64_t most) const {
        const auto member = object_.find(key);
        if (member == object_.end()) return usual;
        const bool integral = member->is_number_integer() && (!member->is_number_unsigned() ||
                                                              member->get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
        if (!integral || member->get<std::int64_t>() < least || member->get<std::int64_t>() > most) {
            return fail(wrong("SINT"_code, std::string(key) + ": must be a whole number, " + std::to_string(least) +
                                               " to " + std::to_string(most) + ", is " +
                                               dns::clean_text(member->dump(-1, ' ', true), 40)));
        }
        return member->get<std::int64_t>();
    }
    Result<bool> truth(const char* key, bool usual) const {
        const auto member = object_.find(key);
        if (member == object_.end()) return usual;
        if (!member->is_boolean())
            return fail(wrong("SBOO"_code, std::string(key) + ": must be true or false, is " + member->type_name()));
        return member->get<bool>();
    }
    [[nodiscard]] bool has(const char* key) const { return object_.contains(key); }
    [[nodiscard]] Result<Duration> deadline() const {
        const auto milliseconds =
            number("deadline_ms", default_deadline.count(), least_deadline.count(), most_deadline.count());
        if (!milliseconds) return fail(milliseconds.error());
        return Duration(*milliseconds);
    }

  private:
    const json& object_;
};

Parsed json_mail(const Members& members) {
    const auto domain = members.text("domain", R"({"query":"mail","domain":"example.org"})");
    if (!domain) return fail(domain.error());
    auto request = parse_mail(*domain);
    if (!request) return fail(request.error());
    const auto port = members.number("port", 25, 1, 65535);
    if (!port) return fail(port.error());
    const auto sts = members.truth("sts", true);
    if (!sts) return fail(sts.error());
    const auto refresh = members.truth("refresh", false);
    if (!refresh) return fail(refresh.error());
    const auto deadline = members.deadline();
    if (!deadline) return fail(deadline.error());
    request->port = static_cast<std::uint16_t>(*port);
    request->sts = *sts ? Sts::wanted : Sts::ignored;
    request->freshness = *refresh ? Freshness::refresh : Freshness::kept;
    request->deadline = *deadline;
    return std::move(*request);
}

Result<RRsetRequest> json_name_and_type(const Members& members) {
    const auto name = members.text("name", R"("name":"mx1.example.org")");
    if (!name) return fail(name.error());
    const auto type = members.text("type", R"("type":"TLSA")");
    if (!type) return fail(type.error());
    auto request = name_and_type(*name, *type);
    if (!request) return request;
    const auto deadline = members.deadline();
    if (!deadline) return fail(deadline.error());
    request->deadline = *deadline;
    return request;
}

Parsed json_rrset(const Members& members) {
    auto request = json_name_and_type(members);
    if (!request) return fail(request.error());
    return std::move(*request);
}

Parsed json_explain(const Members& members) {
    if (!members.has("domain")) {
        auto request = json_name_and_type(members);
        if (!request) return fail(request.error());
        return ExplainRequest{std::move(*request)};
    }
    const auto domain = members.text("domain", R"("domain":"example.org")");
    if (!domain) return fail(domain.error());
    auto request = explain_domain(*domain);
    if (!request) return fail(request.error());
    const auto deadline = members.deadline();
    if (!deadline) return fail(deadline.error());
    request->what.deadline = *deadline;
    return std::move(*request);
}

Parsed json_status(const Members& /*members*/) {
    return StatusRequest{};
}

Parsed json_failing(const Members& members) {
    const auto limit = members.number("limit", default_failing, 1, most_failing);
    if (!limit) return fail(limit.error());
    return FailingRequest{static_cast<std::size_t>(*limit)};
}

Parsed json_flush(const Members& members) {
    const auto text = members.text("name", R"("name":"example.org")");
    if (!text) return fail(text.error());
    auto name = parse_name(*text);
    if (!name) return fail(name.error());
    const auto subtree = members.truth("subtree", true);
    if (!subtree) return fail(subtree.error());
    return FlushRequest{std::move(*name), *subtree ? Extent::subtree : Extent::name};
}

Parsed json_reload(const Members& /*members*/) {
    return ReloadRequest{};
}

Parsed parse_members(const Members& members) {
    const auto query = members.text("query", R"({"query":"mail","domain":"example.org"})");
    if (!query) return fail(query.error());
    struct Query {
        std::string_view word;
        Parsed (*parse)(const Members&);
    };
    constexpr std::array<Query, 7> all{{{"mail", json_mail},
                                        {"rrset", json_rrset},
                                        {"explain", json_explain},
                                        {"status", json_status},
                                        {"failing", json_failing},
                                        {"flush", json_flush},
                                        {"reload", json_reload}}};
    for (const Query& each : all) {
        if (each.word == *query) return each.parse(members);
    }
    return fail(wrong("SQRY"_code, "query: " + in_quotes(*query) + " is unknown; wanted is " + std::string(queries)));
}

/// The id as JSON; an error where it is none that can be echoed.
Result<std::string> id_of(const json& object) {
    const auto id = object.find("id");
    if (id == object.end() || id->is_null()) return std::string("null");
    if (!id->is_number() && !id->is_string()) return fail(wrong("SIDK"_code, "id: must be a number or a string"));
    std::string text = id->dump();
    if (text.size() > most_id_octets) {
        return fail(wrong("SIDL"_code, "id: must have at most " + std::to_string(most_id_octets) + " octets"));
    }
    return text;
}

std::variant<Request, BadRequest> parse_json(std::string_view line) {
    const json object = json::parse(line, nullptr, false);
    if (object.is_discarded() || !object.is_object()) {
        WhereItEnds position;
        json::sax_parse(line, &position);
        return BadRequest{
            Form::json, false, "null",
            wrong("SJSN"_code, "this is no JSON object in UTF-8, from octet " + std::to_string(position.at) + " on")};
    }
    auto id = id_of(object);
    if (!id) return BadRequest{Form::json, false, "null", std::move(id.error())};
    auto what = parse_members(Members(object));
    if (!what) return BadRequest{Form::json, false, std::move(*id), std::move(what.error())};
    return Request{Form::json, std::move(*id), std::move(*what)};
}

bool is_decide(std::string_view line) {
    const std::vector<std::string_view> words = words_of(line.substr(0, std::min<std::size_t>(line.size(), 64)));
    return !words.empty() && words[0] == "decide";
}

}  // namespace

std::variant<Request, BadRequest> parse_request(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty() && line.front() == '{') return parse_json(line);
    auto what = parse_text(line);
    if (!what) return BadRequest{Form::text, is_decide(line), "null", std::move(what.error())};
    return Request{Form::text, "null", std::move(*what)};
}

BadRequest overlong_request(std::string_view beginning) {
    const Form form = !beginning.empty() && beginning.front() == '{' ? Form::json : Form::text;
    return BadRequest{form, form == Form::text && is_decide(beginning), "null",
                      wrong("SLNG"_code, "the line is longer than " + std::to_string(most_request_octets) + " octets")};
}

}  // namespace mxtrust::serve
