// See record_cache.h.
#include "cache/record_cache.h"

#include <algorithm>

#include "cache/codec.h"
#include "dns/rdata.h"

namespace mxtrust::cache {
namespace {

using dnssec::Finding;
using dnssec::FindingRef;
using dnssec::Outcome;
using dnssec::Security;

bool is_proven(const Finding& finding) {
    return finding.security() == Security::secure || finding.security() == Security::insecure;
}

bool is_proven(const Header& header) {
    return header.security == Security::secure || header.security == Security::insecure;
}

/// A positive answer of another type or owner than asked: CNAME, DNAME.
bool is_renaming(const Finding& finding) {
    if (finding.outcome() != Outcome::records || !finding.rrset()) return false;
    return finding.rrset()->type != finding.type() || finding.rrset()->owner != finding.name();
}

/// Types that live beside a CNAME (RFC 4035 2.5), or above the cut that the name is (DS): an alias says nothing about
/// them.
bool ignores_aliases(dns::Type type) {
    return type == dns::Type::cname || type == dns::Type::ds || type == dns::Type::nsec;
}

/// With opt-out an unsigned delegation may hide in the span: no ground for a cut of the tree (validator-pitfalls 7).
bool rests_on_opt_out(const Finding& finding) {
    return std::any_of(finding.proof().begin(), finding.proof().end(), [](const dns::RRsetRef& set) {
        if (set->type != dns::Type::nsec3) return false;
        return std::any_of(set->records.begin(), set->records.end(), [](const Bytes& rdata) {
            const auto nsec3 = dns::parse_nsec3(rdata);
            return !nsec3 || nsec3->opt_out();
        });
    });
}

/// Does this NXDOMAIN hold for every type (RFC 2308 5)? A proof is about the name. Without one it is what a server said
/// when it was asked for this type; there are servers that say so to AAAA, and have an A (RFC 4074 4.2).
bool is_word_on_name(const Finding& finding) {
    return finding.is_secure() || rests_on_opt_out(finding);
}

dns::Type slot_of(const Finding& finding) {
    if (finding.outcome() == Outcome::nxdomain && is_proven(finding))
        return is_word_on_name(finding) ? nxdomain_slot : finding.type();
    if (is_renaming(finding) && !ignores_aliases(finding.type())) return dns::Type::cname;
    return finding.type();
}

bool is_denial_type(dns::Type type) {
    return type == dns::Type::nsec || type == dns::Type::nsec3 || type == dns::Type::soa;
}

}  // namespace

/// One public call: from begin to end, whichever way it leaves.
class RecordCache::Session {
  public:
    explicit Session(RecordCache& cache) : records(cache.begin()), cache_(cache) {}
    Session(RecordCache& cache, WallTime now) : Session(cache) { cache.latest_ = now; }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { cache_.end(); }
    Records& records;

  private:
    RecordCache& cache_;
};

std::optional<Opened> RecordCache::judge(std::string_view key, BytesView record, Epoch epoch) {
    const Opened opened = open_record(key, record, epoch, latest_);
    switch (opened.fitness) {
        case Fitness::good:
            return opened;
        case Fitness::damaged:
            damaged(key);
            return std::nullopt;
        case Fitness::expired:
        case Fitness::ahead:
        case Fitness::other_epoch:
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<Opened> RecordCache::open(Records& records, std::string_view key, Epoch epoch) {
    const auto record = records.get(key);
    if (!record) return std::nullopt;
    return judge(key, *record, epoch);
}

/// The records of denials as a shelf: all findings that rest on a set refer to its one record.
class RecordCache::OwnShelf final : public Shelf {
  public:
    /// `use`: of those that will refer to a set; it is as dear as they are.
    OwnShelf(RecordCache& cache, Records& records, Use use = Use::rubbish)
        : cache_(cache), records_(records), use_(use) {}

    bool keeps(const ShelfMark& mark, const FindingRef& set) override {
        const std::string key = denial_key(mark.zone, mark.type, mark.owner, mark.version);
        if (key.size() > most_key_octets || set->expires() <= cache_.latest_) return false;
        Header header{.use = static_cast<std::uint8_t>(use_),
                      .security = set->security(),
                      .outcome = set->outcome(),
                      .epoch = cache_.epoch_,
                      .expires = set->expires()};
        if (const auto present = cache_.open(records_, key, cache_.epoch_)) {
            if (present->header.expires >= header.expires && present->header.use >= header.use) return true;
            header.expires = std::max(header.expires, present->header.expires);
            header.use = std::max(header.use, present->header.use);
        }
        cache_.submit(records_, key, header, Codec::encode(*set));
        return true;
    }

    dns::RRsetRef take(const ShelfMark& mark) override {
        const std::string key = denial_key(mark.zone, mark.type, mark.owner, mark.version);
        const std::optional<Opened> opened = cache_.open(records_, key, cache_.epoch_);
        if (!opened) return nullptr;
        const FindingRef set = cache_.decode(key, *opened, mark.owner, mark.type, nullptr);
        if (!set || !set->is_secure() || set->zone() != mark.zone || is_renaming(*set)) return nullptr;
        const auto use = static_cast<Use>(opened->header.use);
        if (after_hit(use) != use) cache_.first_hit(key);
        return set->rrset();
    }

  private:
    RecordCache& cache_;
    Records& records_;
    Use use_;
};

FindingRef RecordCache::decode(std::string_view key, const Opened& opened, const dns::Name& name, dns::Type type,
                               Shelf* shelf) {
    const Header& header = opened.header;
    const Codec::Standing standing{header.security, header.outcome, header.expires};
    auto finding = Codec::decode(opened.content, name, type, standing, shelf);
    if (finding) return std::move(*finding);
    // The checksum fits, the content does not: as bad as damage. But what it refers to may have been evicted.
    if (finding.error().kind != FailureKind::unreachable) damaged(key);
    return nullptr;
}

FindingRef RecordCache::read(Records& records, const std::string& key, const dns::Name& name, dns::Type type) {
    const std::optional<Opened> opened = open(records, key, epoch_);
    if (!opened) return nullptr;
    OwnShelf shelf(*this, records);
    FindingRef finding = decode(key, *opened, name, type, &shelf);
    const auto use = static_cast<Use>(opened->header.use);
    if (finding && after_hit(use) != use) first_hit(key);
    return finding;
}

FindingRef RecordCache::find_any(Records& records, const dns::Name& name, dns::Type type) {
    if (FindingRef exact = read(records, answer_key(name, type), name, type)) return exact;
    if (!ignores_aliases(type)) {
        FindingRef alias = read(records, answer_key(name, dns::Type::cname), name, type);
        if (alias && is_renaming(*alias)) return alias;
    }
    FindingRef nothing = read(records, answer_key(name, nxdomain_slot), name, type);
    // A DS belongs to the parent: what a zone says of its own apex says nothing of it (RFC 4035 3.1.4.1).
    const bool own_word = type == dns::Type::ds && !name.is_root() && nothing && nothing->zone() == name;
    return own_word ? nullptr : nothing;
}

FindingRef RecordCache::find(const dns::Name& name, dns::Type type, WallTime now) {
    if (dns::is_meta(type) || type == nxdomain_slot) return nullptr;
    const Session session(*this, now);
    FindingRef finding = find_any(session.records, name, type);
    ++(finding ? counted_.hits : counted_.misses);
    return finding;
}

FindingRef RecordCache::find_dname(const dns::Name& owner, WallTime now) {
    const Session session(*this, now);
    FindingRef finding = read(session.records, answer_key(owner, dns::Type::dname), owner, dns::Type::dname);
    if (!finding || finding->outcome() != Outcome::records || is_renaming(*finding)) return nullptr;
    return finding;
}

FindingRef RecordCache::find_nxdomain(const dns::Name& name, WallTime now) {
    const Session session(*this, now);
    FindingRef finding = read(session.records, answer_key(name, nxdomain_slot), name, dns::Type::any);
    if (!finding || !finding->is_secure() || finding->outcome() != Outcome::nxdomain) return nullptr;
    return rests_on_opt_out(*finding) ? nullptr : finding;
}

void RecordCache::submit(Records& records, std::string key, Header header, BytesView content) {
    header.stored = latest_;
    header.use = std::max(header.use, static_cast<std::uint8_t>(use_of(key, header, content.size())));
    auto record = key.size() > most_key_octets ? std::nullopt : seal(key, header, content);
    if (!record) {
        ++counted_.dropped;
        return;
    }
    Change change = decide(records, key, header);
    if (!change.accepted) return;
    ++counted_.stored;
    write(std::move(key), std::make_shared<const Bytes>(std::move(*record)), std::move(change.superseded));
}

void RecordCache::place(Records& records, std::string key, const Finding& finding) {
    const Header header{
        .security = finding.security(), .outcome = finding.outcome(), .epoch = epoch_, .expires = finding.expires()};
    // The shelf's own records hold what they are about.
    OwnShelf shelf(*this, records, use_of(key, header, 0));
    const Bytes content = Codec::encode(finding, kind_of(key) == Kind::answer ? &shelf : nullptr);
    submit(records, std::move(key), header, content);
}

void RecordCache::store(const FindingRef& finding) {
    if (!finding || dns::is_meta(finding->type()) || finding->type() == nxdomain_slot) return;
    const Session session(*this);
    const dns::Type slot = slot_of(*finding);
    place(session.records, answer_key(finding->name(), slot), *finding);
    if (slot != dns::Type::cname) return;
    // The type's own slot is read first: what is there was the answer until now, and would hide the alias.
    const std::string own = answer_key(finding->name(), finding->type());
    if (finding->type() != slot && open(session.records, own, epoch_)) place(session.records, own, *finding);
    const FindingRef dname = Codec::dname_of(*finding);
    if (dname) place(session.records, answer_key(dname->name(), dns::Type::dname), *dname);
}

FindingRef RecordCache::find_denial(const dns::Name& zone, dns::Type nsec_type, const dns::Name& position,
                                    WallTime now) {
    if (!position.is_within(zone)) return nullptr;
    const Session session(*this, now);
    const std::string seek = denial_key(zone, nsec_type, position, ~std::uint32_t{0});
    const auto entry = session.records.at_or_before(denial_prefix(zone, nsec_type), seek);
    if (!entry) return nullptr;
    const auto owner = denial_owner(zone, nsec_type, entry->key);
    if (!owner) {
        damaged(entry->key);
        return nullptr;
    }
    return newest_version(session.records, zone, nsec_type, *owner);
}

/// Of an owner's sets, which all were proven, what the zone said last.
FindingRef RecordCache::newest_version(Records& records, const dns::Name& zone, dns::Type type,
                                       const dns::Name& owner) {
    std::string newest;
    WallTime stored{};
    records.scan(prefix_range(denial_versions(zone, type, owner)), [&](const Entry& entry) {
        const std::optional<Opened> opened = judge(entry.key, entry.record, epoch_);
        if (opened && (newest.empty() || opened->header.stored >= stored)) {
            newest = entry.key;
            stored = opened->header.stored;
        }
        return Walk::on;
    });
    if (newest.empty()) return nullptr;
    const std::optional<Opened> opened = open(records, newest, epoch_);
    return opened ? decode(newest, *opened, owner, type, nullptr) : nullptr;
}

void RecordCache::store_denial(const dns::Name& zone, const FindingRef& set) {
    if (!set || !set->is_secure() || set->outcome() != Outcome::records || is_renaming(*set)) return;
    if (!is_denial_type(set->type()) || !set->name().is_within(zone)) return;
    const Session session(*this);
    const std::uint32_t version = Codec::version_of(*set->rrset(), zone);
    place(session.records, denial_key(zone, set->type(), set->name(), version), *set);
}

std::optional<Ended> RecordCache::find_ended(const dns::Name& name, dns::Type type, WallTime now) {
    const Session session(*this, now);
    for (const dns::Type slot : {type, nxdomain_slot}) {
        const std::string key = answer_key(name, slot);
        const auto record = session.records.get(key);
        const std::optional<Header> header = record ? peek(*record) : std::nullopt;
        if (!header || header->expires > now || header->stored > now) continue;
        // As it stood when it was written; its epoch and its checksum count all the same.
        const Opened opened = open_record(key, *record, epoch_, header->stored);
        if (opened.fitness != Fitness::good || !is_proven(opened.header)) continue;
        Ended ended{opened.header.outcome, {}};
        if (ended.outcome != Outcome::records) return ended;  // what proved it may be gone
        OwnShelf shelf(*this, session.records);
        const FindingRef old = decode(key, opened, name, type, &shelf);
        if (!old) return std::nullopt;
        if (old->rrset() && old->rrset()->type == type && old->rrset()->owner == name)
            ended.records = old->rrset()->records;
        return ended;
    }
    return std::nullopt;
}

/// The opened cut, in use from now on.
std::shared_ptr<const ZoneCut> RecordCache::read_cut(const std::string& key, const dns::Name& zone,
                                                     const Opened& opened) {
    auto cut = Codec::decode_cut(opened.content, zone, opened.header.expires);
    if (!cut) {
        damaged(key);
        return nullptr;
    }
    const auto use = static_cast<Use>(opened.header.use);
    if (after_hit(use) != use) first_hit(key);
    return std::make_shared<const ZoneCut>(std::move(*cut));
}

std::shared_ptr<const ZoneCut> RecordCache::find_cut(const dns::Name& zone, WallTime now) {
    const Session session(*this, now);
    const std::string key = cut_key(zone);
    const std::optional<Opened> opened = open(session.records, key, epoch_);
    return opened ? read_cut(key, zone, *opened) : nullptr;
}

std::shared_ptr<const ZoneCut> RecordCache::find_cut_of_any_age(const dns::Name& zone, WallTime now) {
    const Session session(*this, now);
    const std::string key = cut_key(zone);
    const auto record = session.records.get(key);
    const std::optional<Header> header = record ? peek(*record) : std::nullopt;
    if (!header) return nullptr;
    if (header->expires > now) {
        const std::optional<Opened> good = judge(key, *record, epoch_);
        return good ? read_cut(key, zone, *good) : nullptr;
    }
    if (header->stored > now) return nullptr;
    // As it stood when it was written; its epoch and its checksum count all the same.
    const Opened opened = open_record(key, *record, epoch_, header->stored);
    return opened.fitness == Fitness::good ? read_cut(key, zone, opened) : nullptr;
}

void RecordCache::store_cut(const ZoneCut& cut) {
    const Session session(*this);
    const Bytes content = Codec::encode(cut);
    submit(session.records, cut_key(cut.zone), Header{.epoch = epoch_, .expires = cut.expires}, content);
}

std::optional<std::string> RecordCache::find_note(std::string_view key, WallTime now) {
    const Session session(*this, now);
    const std::optional<Opened> opened = open(session.records, note_key(key), Epoch::of_notes());
    if (!opened) return std::nullopt;
    return std::string(as_text(opened->content));
}

void RecordCache::store_note(std::string_view key, std::string_view value, WallTime expires) {
    const Session session(*this);
    if (value.size() > most_note_octets || key.size() > most_note_key_octets) {
        ++counted_.dropped;
        return;
    }
    if (expires <= latest_) {
        write(note_key(key), nullptr, {});
        return;
    }
    submit(session.records, note_key(key), Header{.epoch = Epoch::of_notes(), .expires = expires}, as_bytes(value));
}

std::vector<std::pair<std::string, std::string>> RecordCache::notes(std::string_view prefix, std::size_t most,
                                                                    WallTime now) {
    const Session session(*this, now);
    std::vector<std::pair<std::string, std::string>> found;
    if (most == 0) return found;
    session.records.scan(prefix_range(note_key(prefix)), [&](const Entry& entry) {
        const std::optional<Opened> opened = judge(entry.key, entry.record, Epoch::of_notes());
        if (opened) found.emplace_back(std::string(entry.key.substr(1)), std::string(as_text(opened->content)));
        return found.size() < most ? Walk::on : Walk::stop;
    });
    return found;
}

}  // namespace mxtrust::cache
