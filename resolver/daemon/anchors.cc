#include "daemon/anchors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace mxtrust::daemon {
namespace {

/// A clock that is a little slower than it was is no clock of the past.
constexpr std::chrono::seconds future_allowed{86400};

std::string system_text(int error) {
    return std::generic_category().message(error);
}

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] bool is_open() const { return number_ >= 0; }

  private:
    int number_;
};

bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const ssize_t count = write(descriptor, content.data(), content.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

tl::unexpected<Failure> cannot_write(Code code, const std::filesystem::path& file, int error) {
    return fail(FailureKind::system, code, file.string() + " cannot be written: " + system_text(error));
}

std::string zone_text(const dns::Name& zone) {
    return zone.is_root() ? "." : zone.to_text();
}

bool is_same(const dnssec::TrustAnchor& left, const dnssec::TrustAnchor& right) {
    const auto all_of = [](const dnssec::TrustAnchor& one, const dnssec::TrustAnchor& other) {
        return std::ranges::all_of(one.keys, [&](const dns::Dnskey& key) {
            return std::ranges::any_of(other.keys,
                                       [&](const dns::Dnskey& same) { return same.public_key == key.public_key; });
        });
    };
    const auto same_ds = [](const dns::Ds& one, const dns::Ds& other) {
        return one.key_tag == other.key_tag && one.digest_type == other.digest_type && one.digest == other.digest;
    };
    return std::ranges::equal(left.ds, right.ds, same_ds) && all_of(left, right) && all_of(right, left);
}

}  // namespace

Result<std::string> read_state(const std::filesystem::path& file) {
    const Descriptor descriptor(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!descriptor.is_open()) {
        const FailureKind kind = errno == ENOENT ? FailureKind::unreachable : FailureKind::system;
        return fail(kind, "ARDO"_code, file.string() + " cannot be read: " + system_text(errno));
    }
    std::string content;
    std::array<char, 16384> piece{};
    while (content.size() <= dnssec::most_rollover_octets) {
        const ssize_t count = read(descriptor.number(), piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return fail(FailureKind::system, "ARDR"_code, file.string() + " cannot be read: " + system_text(errno));
        if (count == 0) break;
        content.append(piece.data(), static_cast<std::size_t>(count));
    }
    return content;
}

Done write_state(const std::filesystem::path& file, std::string_view content) {
    const std::filesystem::path fresh = file.string() + ".new";
    {
        const Descriptor descriptor(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (!descriptor.is_open()) return cannot_write("AWRO"_code, fresh, errno);
        if (!write_all(descriptor.number(), content) || fsync(descriptor.number()) != 0) {
            const int error = errno;
            unlink(fresh.c_str());
            return cannot_write("AWRW"_code, fresh, error);
        }
    }
    if (rename(fresh.c_str(), file.c_str()) != 0) {
        const int error = errno;
        unlink(fresh.c_str());
        return cannot_write("AWRR"_code, file, error);
    }
    const Descriptor directory(open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.is_open() || fsync(directory.number()) != 0) return cannot_write("AWRS"_code, file, errno);
    return {};
}

AnchorKeeper::AnchorKeeper(Settings settings, const Clock& clock, log::Log& log)
    : settings_(std::move(settings)), clock_(clock), log_(log) {}

AnchorKeeper::~AnchorKeeper() {
    {
        const std::lock_guard guard(mutex_);
        over_ = true;
    }
    changed_.notify_all();
    if (writer_.joinable()) writer_.join();
}

void AnchorKeeper::settle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !unwritten_ && !writing_; });
}

void AnchorKeeper::load() {
    if (!settings_.follows) return;
    const std::lock_guard guard(mutex_);
    const auto content = read_state(settings_.file);
    // The first start, or one after somebody took the file away: both are as good as a state that says nothing.
    if (!content && content.error().kind == FailureKind::unreachable) return;
    auto decoded =
        content ? dnssec::decode_rollovers(*content) : Result<dnssec::DecodedRollovers>(fail(content.error()));
    if (!decoded) {
        trouble_ = decoded.error().text + " (" + settings_.file.string() + ")";
        log_.anchor_state_trouble(trouble_ + "; validation goes on from the configured trust anchors");
        // Kept for whoever wants to know, and for the version that could read it.
        std::error_code ignored;
        std::filesystem::rename(settings_.file, settings_.file.string() + ".set-aside", ignored);
        return;
    }
    const WallTime now = clock_.wall();
    const bool future = decoded->written > now + future_allowed;
    if (future) {
        trouble_ =
            "the state of the trust anchors was written later than this clock's time (" + settings_.file.string() + ")";
        log_.anchor_state_trouble(trouble_ + "; what it trusts or knows as revoked stays so, waiting keys wait anew");
    }
    for (auto& [zone, rollover] : decoded->zones) {
        // Of a zone that has no anchor any more nothing is to be kept.
        const dnssec::TrustAnchor* anchor = settings_.configured.anchors.closest(zone);
        if (anchor == nullptr || anchor->zone != zone) continue;
        zones_[zone] = dnssec::not_of_the_future(std::move(rollover), now);
    }
}

const dnssec::ZoneRollover& AnchorKeeper::known(const dns::Name& zone) const {
    static const dnssec::ZoneRollover nothing;
    const auto found = zones_.find(zone);
    return found == zones_.end() ? nothing : found->second;
}

dnssec::TrustAnchors AnchorKeeper::in_force_now() const {
    dnssec::TrustAnchors all;
    for (const auto& [zone, anchor] : settings_.configured.anchors.all())
        all.add(dnssec::in_force(anchor, known(zone)));
    return all;
}

dnssec::TrustAnchors AnchorKeeper::in_force() const {
    const std::lock_guard guard(mutex_);
    return in_force_now();
}

std::vector<dns::Name> AnchorKeeper::due() const {
    std::vector<dns::Name> all;
    if (!settings_.follows) return all;
    const std::lock_guard guard(mutex_);
    const WallTime now = clock_.wall();
    for (const auto& [zone, anchor] : settings_.configured.anchors.all()) {
        if (dnssec::next_look(known(zone), settings_.timers, now) <= now) all.push_back(zone);
    }
    return all;
}

bool AnchorKeeper::observed(const dns::Name& zone, const Result<dnssec::Observation>& seen) {
    const std::lock_guard guard(mutex_);
    const dnssec::TrustAnchor* configured = settings_.configured.anchors.closest(zone);
    if (configured == nullptr || configured->zone != zone) return false;
    const dnssec::TrustAnchor before = dnssec::in_force(*configured, known(zone));
    dnssec::Observation nothing;
    dnssec::Advanced advanced =
        dnssec::advance(known(zone), *configured, seen ? *seen : nothing, settings_.timers, clock_.wall());
    zones_[zone] = std::move(advanced.zone);
    for (const dnssec::RolloverEvent& event : advanced.events) {
        const bool expected = event.kind == dnssec::RolloverEvent::Kind::seen ||
                              event.kind == dnssec::RolloverEvent::Kind::trusted ||
                              event.kind == dnssec::RolloverEvent::Kind::back;
        log_.anchor_changed(zone_text(zone), event.key.key_tag, dnssec::to_text(event.kind), expected);
    }
    const dnssec::TrustAnchor after = dnssec::in_force(*configured, known(zone));
    if (after.ds.empty() && after.keys.empty() && !(before.ds.empty() && before.keys.empty())) {
        log_.system_trouble("every trust anchor of " + zone_text(zone) +
                            " is revoked: nothing there can be validated until there is another one; bring mxtrust, or "
                            "[dnssec] trust-anchor-file, up to date");
    }
    save();
    return !is_same(before, after);
}

void AnchorKeeper::save() {
    const WallTime now = clock_.wall();
    const bool waits = write_failed_ && now >= *write_failed_ && now < *write_failed_ + write_again;
    if (waits) return;
    // Of what is not written yet only the latest counts.
    unwritten_ = Unwritten{dnssec::encode_rollovers(zones_, now), now};
    if (!writer_.joinable()) writer_ = std::thread([this] { write(); });
    changed_.notify_all();
}

void AnchorKeeper::write() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return unwritten_ || over_; });
        if (!unwritten_) return;
        const Unwritten next = *std::exchange(unwritten_, std::nullopt);
        writing_ = true;
        lock.unlock();
        const Done outcome = write_state(settings_.file, next.content);
        lock.lock();
        written(outcome, next.made);
        writing_ = false;
        changed_.notify_all();
    }
}

void AnchorKeeper::written(const Done& outcome, WallTime when) {
    if (outcome) {
        write_failed_.reset();
        trouble_.clear();
        return;
    }
    write_failed_ = when;
    trouble_ = outcome.error().text;
    log_.anchor_state_trouble(trouble_ + "; validation goes on, and a restart knows the configured trust anchors only");
}

void AnchorKeeper::report_zone(const dnssec::TrustAnchor& anchor, serve::AnchorReport& report) const {
    const dnssec::ZoneRollover& rollover = known(anchor.zone);
    std::vector<std::uint16_t> told;
    for (const dnssec::ManagedKey& key : rollover.keys) {
        const bool configured = dnssec::names(anchor, key.key);
        serve::AnchorStatus one{anchor.zone, key.key.key_tag, key.key.algorithm, "DNSKEY", "RFC 5011"};
        if (configured) one.origin = settings_.configured.origin;
        one.state = dnssec::to_text(key.state);
        one.since = key.since;
        one.last_seen = key.last_seen;
        if (configured) told.push_back(key.key.key_tag);
        report.anchors.push_back(std::move(one));
    }
    const auto is_told = [&told](std::uint16_t tag) { return std::ranges::find(told, tag) != told.end(); };
    for (const dns::Ds& ds : anchor.ds) {
        if (is_told(ds.key_tag)) continue;
        told.push_back(ds.key_tag);
        report.anchors.push_back({anchor.zone, ds.key_tag, ds.algorithm, "DS", settings_.configured.origin});
    }
    for (const dns::Dnskey& key : anchor.keys) {
        if (!is_told(key.key_tag))
            report.anchors.push_back({anchor.zone, key.key_tag, key.algorithm, "DNSKEY", settings_.configured.origin});
    }
    const std::optional<WallTime>& last = rollover.last_authentic;
    if (last && (!report.last_authentic || *last < *report.last_authentic)) report.last_authentic = last;
}

serve::AnchorReport AnchorKeeper::report() const {
    const std::lock_guard guard(mutex_);
    serve::AnchorReport report;
    report.follows = settings_.follows;
    report.trouble = trouble_;
    for (const auto& [zone, anchor] : settings_.configured.anchors.all()) report_zone(anchor, report);
    return report;
}

}  // namespace mxtrust::daemon
