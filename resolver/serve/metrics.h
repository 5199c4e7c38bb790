// The daemon's figures in Prometheus' text format (version 0.0.4), and who gives them out: a little HTTP, for GET
// /metrics alone, on a Unix socket or a loopback address.
//
// Written by hand and not with prometheus-cpp: its exposer is a web server with threads of its own that knows no Unix
// socket, and its registry would count a second time what the workers count already. No domain is in any label: labels
// are few, and known beforehand.
#pragma once

#include <memory>
#include <string>

#include "net/server.h"
#include "serve/status.h"

namespace mxtrust::serve {

[[nodiscard]] std::string render_metrics(const Status& status);

/// One request, as it came so far: nothing while it is incomplete, else the whole reply.
[[nodiscard]] std::optional<std::string> answer_scrape(std::string_view request,
                                                       const std::function<std::string()>& metrics);

class MetricsServer {
  public:
    static constexpr std::size_t most_connections = 16;       ///< a Prometheus has one, or two
    static constexpr std::size_t most_request_octets = 8192;  ///< no scraper sends more
    static constexpr Duration most_idle_time{5000};

    explicit MetricsServer(std::function<std::string()> metrics) : metrics_(std::move(metrics)) {}
    /// For net::StreamServer.
    std::shared_ptr<net::ConnectionUser> greet(net::ConnectionRef connection);

  private:
    class Conversation;
    std::function<std::string()> metrics_;
};

}  // namespace mxtrust::serve
