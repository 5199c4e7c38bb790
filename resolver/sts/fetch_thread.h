// HTTPS in a thread of its own: no handshake, no list of authorities and no signature of the web's holds up a worker's
// answers. Workers hand a request over and get the result back in their own loop.
#pragma once

#include <memory>
#include <thread>

#include "net/loop.h"
#include "sts/curl_fetcher.h"
#include "sts/fetcher.h"

namespace mxtrust::sts {

class FetchThread {
  public:
    /// The clock outlives it. Requires: CurlFetcher::prepare_library().
    FetchThread(FetchSettings settings, const Clock& clock);
    ~FetchThread();
    FetchThread(const FetchThread&) = delete;
    FetchThread& operator=(const FetchThread&) = delete;

    void start();
    /// Ends all transfers; who still waits does so until its deadline. Before the loops of those who ask are gone.
    void stop();
    /// For the tasks of one loop, which outlives it.
    [[nodiscard]] std::unique_ptr<Fetcher> fetcher_for(net::UvLoop& loop);

  private:
    class Remote;
    net::UvLoop loop_;
    CurlFetcher curl_;
    std::thread thread_;
};

}  // namespace mxtrust::sts
