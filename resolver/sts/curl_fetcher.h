// HTTPS by libcurl's multi socket interface on a libuv loop: nothing blocks. Sole includer of <curl/…>.
//
// libcurl gets nothing to find out by itself: no name is resolved (the addresses are given, and each socket is checked
// against them), no proxy, no configuration, no environment, no cookies, no redirects, nothing but HTTPS with TLS 1.2
// or newer, and a certificate that the system's authorities vouch for. One for each loop.
#pragma once

#include <memory>
#include <string>

#include "net/loop.h"
#include "sts/fetcher.h"

namespace mxtrust::sts {

struct FetchSettings {
    std::string ca_file;     ///< authorities instead of the system's; empty: the system's
    std::string user_agent;  ///< what the server is told of us
};

class CurlFetcher final : public Fetcher {
  public:
    /// Transfers at once; what comes when there are so many fails.
    static constexpr std::size_t most_transfers = 64;

    /// Once in a process, before any thread. False where libcurl cannot be used.
    [[nodiscard]] static bool prepare_library();

    /// The loop outlives the fetcher. Requires: prepare_library().
    CurlFetcher(FetchSettings settings, net::UvLoop& loop);
    ~CurlFetcher() override;
    task::Task<Fetched> fetch(FetchRequest request, MonoTime deadline) override;

  private:
    class Transfer;
    struct Engine;
    FetchSettings settings_;
    std::unique_ptr<Engine> engine_;
};

}  // namespace mxtrust::sts
