// The chain of trust as SVG: an indented tree from the root to each record, one box a zone, with the key tags that its
// parent names beside those that it has. State is told by a word, a sign and the kind of border; colour comes last.
#include <algorithm>
#include <map>
#include <set>

#include "client/check.h"
#include "dns/text.h"

namespace mxtrust::client {
namespace {

constexpr int width = 940, step_in = 30, gap = 14, chip_height = 22, line_height = 30, head_height = 34;
/// A picture of more is none; the rest is in the tests below it.
constexpr std::size_t most_boxes = 150, most_chips = 5;
constexpr std::size_t longest_label = 64;

struct Leaf {
    std::string title, text, state;
    std::vector<std::pair<std::string, std::string>> servers;  ///< text, state
};
struct Zone {
    std::string name, state;
    Json step;
    std::vector<std::string> children;
    std::vector<Leaf> leaves;
};

std::string cut(const std::string& text) {
    const std::string clean = dns::clean_text(text, 400);
    if (clean.size() <= longest_label) return clean;
    return dns::clean_text(clean.substr(0, longest_label / 2), longest_label) + "…" +
           clean.substr(clean.size() - longest_label / 2);
}

std::string number(int value) {
    return std::to_string(value);
}

/// One of the four, whatever somebody says: it becomes a class in the picture.
std::string known_state(const Json& status) {
    const std::string state = text_at(status, "security");
    const bool known = state == "secure" || state == "insecure" || state == "bogus";
    return known ? state : "indeterminate";
}

std::string state_word(const std::string& state) {
    if (state == "insecure") return "not signed";
    if (state == "indeterminate") return "not found out";
    if (state == "bad") return "fails";
    if (state == "good") return "passes";
    return state;
}

std::string text_element(int x, int y, const std::string& style, const std::string& text,
                         const std::string& more = "") {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" class=\"" + style + "\"" + more + ">" +
           html_text(text) + "</text>\n";
}

/// A sign that needs no colour: tick, cross, dash, question mark.
std::string sign(int x, int y, const std::string& state) {
    const std::string at = "<g transform=\"translate(" + number(x) + " " + number(y) + ")\" class=\"sign " + state +
                           "\"><circle r=\"9\"/>";
    if (state == "secure" || state == "good") return at + "<path d=\"M-4.5 0.5l3 3.5l6-7.5\"/></g>\n";
    if (state == "bogus" || state == "bad") return at + "<path d=\"M-4 -4l8 8M4 -4l-8 8\"/></g>\n";
    if (state == "insecure") return at + "<path d=\"M-4.5 0h9\"/></g>\n";
    return at + "<path d=\"M-2.6 -2.4c0-3.4 5.4-3.4 5.4 0c0 2.2-2.8 2.2-2.8 4.4M0 5.2v.6\"/></g>\n";
}

/// "3 1 1 8c81fe67769c46…": of a digest its beginning is enough to tell it from others.
std::string brief(const std::string& record) {
    constexpr std::size_t most = 24;
    const std::size_t last = record.rfind(' ');
    const std::size_t digest = last == std::string::npos ? 0 : last + 1;
    const bool is_digest =
        record.size() - digest > 40 && record.find_first_not_of("0123456789abcdefABCDEF", digest) == std::string::npos;
    return is_digest ? record.substr(0, most) + "…" : record;
}

class Picture {
  public:
    explicit Picture(const Report& report) : report_(report) { collect(); }

    std::string draw() {
        if (zones_.empty()) return {};
        draw_zone(order_.front(), 0, -1);
        const std::string head =
            "<svg viewBox=\"0 0 " + number(width) + " " + number(y_ + 6) +
            "\" role=\"img\" aria-labelledby=\"chain-title\"><title id=\"chain-title\">The chain of trust of " +
            html_text(report_.domain) + "</title>\n";
        return head + lines_ + boxes_ + "</svg>\n";
    }

  private:
    void add_chain(const Json& lookup, Leaf leaf) {
        const Json& chain = member(lookup, "chain");
        if (!chain.is_array() || chain.empty()) return;
        std::string parent;
        for (const Json& step : chain) {
            const std::string name = text_at(step, "zone");
            if (!zones_.contains(name)) {
                if (zones_.size() >= most_boxes) return;
                Zone zone;
                zone.name = name;
                zone.state = known_state(step);
                zone.step = step;
                zones_.emplace(name, std::move(zone));
                order_.push_back(name);
                if (!parent.empty()) zones_.at(parent).children.push_back(name);
            }
            parent = name;
        }
        std::vector<Leaf>& leaves = zones_.at(parent).leaves;
        if (leaves.size() < most_boxes) leaves.push_back(std::move(leaf));
    }

    static Leaf leaf_of(const std::string& title, const Json& status) {
        Leaf leaf;
        leaf.title = title;
        leaf.state = known_state(status);
        const std::string outcome = text_at(status, "outcome");
        const Json& records = member(status, "records");
        for (const Json& one : records.is_array() ? records : Json::array()) {
            if (leaf.text.size() >= longest_label) {
                leaf.text += ", …";
                break;
            }
            if (one.is_string()) leaf.text += (leaf.text.empty() ? "" : ", ") + brief(one.get<std::string>());
        }
        if (outcome == "nodata") leaf.text = "proven: there is none";
        if (outcome == "nxdomain") leaf.text = "proven: there is no such name";
        if (outcome == "nodata" && leaf.state != "secure") leaf.text = "there is none";
        if (outcome == "failure") leaf.text = text_at(status, "reason");
        return leaf;
    }

    void add_servers(const std::string& host, Leaf& leaf) const {
        for (const probe::Observation& one : report_.observations) {
            if (one.target.host != host) continue;
            const probe::Visit& visit = one.decisive();
            std::string text =
                "[" + one.target.endpoint.address.to_text() + "]:" + std::to_string(one.target.endpoint.port);
            std::string state = visit.trouble == probe::Trouble::none ? "good" : "bad";
            if (visit.trouble == probe::Trouble::no_route) state = "indeterminate";
            if (visit.trouble == probe::Trouble::none && one.target.action != mail::HostAction::dane)
                state = "insecure";
            if (visit.trouble != probe::Trouble::none) text += "  " + std::string(probe::to_text(visit.trouble));
            if (visit.handshake && visit.handshake->authority)
                text += "  " + std::to_string(visit.handshake->authority->usage) + " " +
                        std::to_string(visit.handshake->authority->selector) + " " +
                        std::to_string(visit.handshake->authority->matching) + " fits at depth " +
                        std::to_string(visit.handshake->authority->depth) + ", " + visit.handshake->protocol;
            leaf.servers.emplace_back(text, state);
        }
    }

    void collect() {
        const Json& explain = report_.explain;
        if (!text_at(explain, "type").empty()) add_chain(explain, leaf_of("MX " + text_at(explain, "name"), explain));
        const Json& hosts = member(explain, "hosts");
        for (const Json& host : hosts.is_array() ? hosts : Json::array()) {
            const std::string name = text_at(host, "name");
            const bool has_tlsa = member(host, "tlsa").is_object();
            for (const char* what : {"a", "aaaa", "tlsa"}) {
                const Json& lookup = member(host, what);
                if (!lookup.is_object()) continue;
                // A host with one family only: that the other is missing is no news.
                if (what != std::string_view("tlsa") && text_at(lookup, "outcome") == "nodata") continue;
                Leaf leaf = leaf_of(text_at(lookup, "type") + " " + text_at(lookup, "name"), lookup);
                const bool last = what == std::string_view("tlsa") || (!has_tlsa && what == std::string_view("a"));
                if (last) add_servers(name, leaf);
                add_chain(lookup, std::move(leaf));
            }
        }
    }

    /// From the parent's left edge down to this box, and in.
    void connect(int parent_x, int parent_y, int x, int y, const std::string& state) {
        lines_ += "<path class=\"link\" d=\"M" + number(parent_x) + " " + number(parent_y) + "V" + number(y) + "\"/>\n";
        lines_ += "<path class=\"link " + state + "\" d=\"M" + number(parent_x) + " " + number(y) + "H" + number(x) +
                  "\"/>\n";
    }

    void box(int x, int y, int height, const std::string& state, const std::string& kind) {
        boxes_ += "<rect class=\"box " + kind + " " + state + "\" x=\"" + number(x) + "\" y=\"" + number(y) +
                  "\" width=\"" + number(width - x - 4) + "\" height=\"" + number(height) + "\" rx=\"7\"/>\n";
    }

    /// Key tags in a row; returns where each begins. `others`: the tags of the other row.
    std::map<std::int64_t, int> chips(const Json& list, int x, int y, const std::set<std::int64_t>& others, bool keys) {
        std::map<std::int64_t, int> places;
        std::size_t count = 0;
        for (const Json& one : list.is_array() ? list : Json::array()) {
            if (++count > most_chips) {
                boxes_ += text_element(x, y + 15, "small", "…");
                break;
            }
            const std::int64_t tag = number_at(one, "key_tag");
            std::string label = std::to_string(tag) + " " + text_at(one, "algorithm");
            if (keys && member(one, "secure_entry_point") == true) label += " entry";
            if (member(one, "revoked") == true) label += " revoked";
            label = cut(label);
            const int chip = static_cast<int>(columns(label)) * 8 + 18;
            if (x + chip > width - 20) break;
            const bool paired = others.contains(tag);
            boxes_ += "<rect class=\"chip " +
                      std::string(paired ? "paired"
                                  : keys ? "plain"
                                         : "lonely") +
                      "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(chip) + "\" height=\"" +
                      number(chip_height) + "\" rx=\"11\"/>\n";
            boxes_ += text_element(x + 8, y + 15, "small", label);
            places.emplace(tag, x + 24);
            x += chip + 8;
        }
        return places;
    }

    static std::set<std::int64_t> tags_of(const Json& list) {
        std::set<std::int64_t> tags;
        for (const Json& one : list.is_array() ? list : Json::array()) tags.insert(number_at(one, "key_tag"));
        return tags;
    }

    /// When signatures over the keys hold, and where now is.
    void validity(const Json& signature, int x, int y) {
        const std::int64_t begin = number_at(signature, "inception"), end = number_at(signature, "expiration"),
                           now = report_.time;
        if (begin <= 0 || end <= begin) return;
        const std::int64_t first = std::min(begin, now), last = std::max(end, now),
                           span = std::max<std::int64_t>(last - first, 1);
        constexpr int bar = 150;
        auto place = [first, span](std::int64_t time) { return static_cast<int>((time - first) * bar / span); };
        boxes_ += "<rect class=\"bar\" x=\"" + number(x + place(begin)) + "\" y=\"" + number(y + 7) + "\" width=\"" +
                  number(std::max(place(end) - place(begin), 2)) + "\" height=\"8\" rx=\"4\"/>\n";
        boxes_ += "<path class=\"now\" d=\"M" + number(x + place(now)) + " " + number(y + 2) + "v18\"/>\n";
        boxes_ += text_element(x + bar + 12, y + 15, "small",
                               "by " + std::to_string(number_at(signature, "key_tag")) + ", " + date_words(begin) +
                                   " to " + date_words(end));
    }

    void zone_rows(const Zone& zone, int x, int y) {
        const Json &ds = member(zone.step, "ds"), &keys = member(zone.step, "keys"),
                   &signatures = member(zone.step, "signatures");
        const bool is_root = zone.name == ".";
        boxes_ += text_element(x + 16, y + 15, "label", is_root ? "trust anchor" : "DS at parent");
        boxes_ += text_element(x + 16, y + line_height + 15, "label", "DNSKEY");
        const int left = x + 110;
        const auto above = chips(ds, left, y, tags_of(keys), false);
        const auto below = chips(keys, left, y + line_height, tags_of(ds), true);
        for (const auto& [tag, place] : above)
            if (const auto found = below.find(tag); found != below.end())
                boxes_ += "<path class=\"pair\" d=\"M" + number(place) + " " + number(y + chip_height) + "L" +
                          number(found->second) + " " + number(y + line_height) + "\"/>\n";
        if (ds.empty()) boxes_ += text_element(left, y + 15, "small", "none: the delegation is not signed");
        if (keys.empty()) boxes_ += text_element(left, y + line_height + 15, "small", "none was seen");
        if (!signatures.is_array() || signatures.empty()) return;
        boxes_ += text_element(x + 16, y + 2 * line_height + 15, "label", "signed");
        validity(signatures.front(), left, y + 2 * line_height);
    }

    void draw_zone(const std::string& name, int depth, int parent) {
        const Zone& zone = zones_.at(name);
        // Deeper than this, boxes stay where they are: they must have room for words.
        const int x = 4 + std::min(depth, 12) * step_in, top = y_;
        const Json& signatures = member(zone.step, "signatures");
        const bool is_signed = !member(zone.step, "ds").empty() || !member(zone.step, "keys").empty();
        const int rows = is_signed ? (signatures.is_array() && !signatures.empty() ? 3 : 2) : 0;
        const std::string reason = text_at(zone.step, "reason");
        const int height = head_height + rows * line_height + (reason.empty() ? 0 : 22);
        if (parent >= 0) connect(x - step_in + 14, parent, x, top + 17, zone.state);
        box(x, top, height, zone.state, "zone");
        boxes_ += sign(x + 20, top + 17, zone.state);
        boxes_ += text_element(x + 38, top + 22, "title", (zone.name == "." ? ". (the root)" : cut(zone.name)));
        boxes_ += text_element(width - 20, top + 22, "state", state_word(zone.state), " text-anchor=\"end\"");
        if (rows > 0) zone_rows(zone, x, top + head_height);
        if (!reason.empty()) boxes_ += text_element(x + 16, top + height - 9, "reason", cut_long(reason, x));
        const int bottom = top + height;
        y_ = bottom + gap;
        for (const Leaf& leaf : zone.leaves) draw_leaf(leaf, x + step_in, bottom);
        for (const std::string& child : zone.children) draw_zone(child, depth + 1, bottom);
    }

    static std::string cut_long(const std::string& text, int x) {
        const std::size_t room = static_cast<std::size_t>(std::max(width - x - 60, 100)) * 10 / 69;
        const std::string clean = dns::clean_text(text, 1000);
        return columns(clean) <= room ? clean : dns::clean_text(clean, room) + "…";
    }

    void draw_leaf(const Leaf& leaf, int x, int parent) {
        const int top = y_;
        connect(x - step_in + 14, parent, x, top + 15, leaf.state);
        box(x, top, 46 + static_cast<int>(leaf.servers.size()) * 24, leaf.state, "leaf");
        boxes_ += sign(x + 18, top + 15, leaf.state);
        boxes_ += text_element(x + 34, top + 20, "record", cut(leaf.title));
        boxes_ += text_element(width - 20, top + 20, "state", state_word(leaf.state), " text-anchor=\"end\"");
        boxes_ += text_element(x + 34, top + 37, "small", cut_long(leaf.text, x + 20));
        int y = top + 46;
        for (const auto& [text, state] : leaf.servers) {
            boxes_ += sign(x + 44, y + 8, state);
            boxes_ += text_element(x + 60, y + 13, "small", cut_long("server " + text, x + 60));
            y += 24;
        }
        y_ = y + gap;
    }

    const Report& report_;
    std::map<std::string, Zone> zones_;
    std::vector<std::string> order_;
    std::string lines_, boxes_;
    int y_ = 4;
};

}  // namespace

std::string chain_picture(const Report& report) {
    return Picture(report).draw();
}

}  // namespace mxtrust::client
