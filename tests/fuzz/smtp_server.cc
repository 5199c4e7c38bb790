// A mail server that says anything, in the clear and in the place of TLS: whatever it is, a visit ends, with bounded
// text that has no control characters. The first octet says in how large pieces it comes.
#include <cstdlib>

#include "dns/text.h"
#include "probe/probe.h"

namespace {

using namespace mxtrust;

class Fuzzed final : public probe::Wire {
  public:
    Fuzzed(BytesView said, std::size_t piece) : said_(said), piece_(piece) {}
    Result<std::size_t> receive(std::span<std::uint8_t> into, MonoTime) override {
        const std::size_t count = std::min({into.size(), piece_, said_.size()});
        std::copy_n(said_.begin(), count, into.begin());
        said_ = said_.subspan(count);
        return count;
    }
    Done send(BytesView, MonoTime) override { return {}; }

  private:
    BytesView said_;
    std::size_t piece_;
};

class FuzzedConnector final : public probe::Connector {
  public:
    explicit FuzzedConnector(BytesView said) : said_(said) {}
    Result<std::unique_ptr<probe::Wire>> connect(const Endpoint&, MonoTime) override {
        const std::size_t piece = said_.empty() ? 1 : said_.front() + std::size_t{1};
        return std::unique_ptr<probe::Wire>(std::make_unique<Fuzzed>(said_.empty() ? said_ : said_.subspan(1), piece));
    }

  private:
    BytesView said_;
};

void check(const std::string& text) {
    if (text != dns::clean_text(text, 1000)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ManualClock clock(WallTime{1795305600});
    FuzzedConnector connector({data, size});
    probe::Target target;
    target.host = "mx.example.org";
    target.action = mail::HostAction::dane;
    target.sni = "mx.example.org";
    target.names = {"mx.example.org"};
    mail::TlsaRecord record;
    record.usage = 3;
    record.selector = record.matching = 1;
    record.data.assign(32, 7);
    record.usable = record.counts = true;
    target.records = {record};
    const probe::Observation seen = probe::probe(target, connector, clock, {});
    // Whatever is said, it cannot be what the record names.
    if (seen.visit.trouble == probe::Trouble::none) std::abort();
    check(seen.visit.detail);
    check(seen.visit.greeting);
    check(seen.visit.starttls_reply);
    for (const std::string& line : seen.visit.extensions) check(line);
    return 0;
}
