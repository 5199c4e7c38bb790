// From the configuration's keys to what the parts take: trust anchors, root hints, settings of the resolver and of the
// mail answer. Nothing is started here.
#pragma once

#include <string>
#include <vector>

#include "daemon/configuration.h"
#include "dnssec/anchor.h"
#include "resolve/resolver.h"
#include "route/router.h"
#include "serve/dns_server.h"
#include "serve/status.h"

namespace mxtrust::daemon {

struct Anchors {
    dnssec::TrustAnchors anchors;
    std::string origin;  ///< "built-in", the file's name, "[test]"
};

/// Lines "NAME TTL TYPE DATA" as in trust-anchors/root.hints; A and AAAA become servers, NS lines are for people.
Result<std::vector<resolve::RootServer>> parse_root_hints(std::string_view text);

/// The anchors of [test], else of the file, else the built-in ones. An unreadable or wrong file is an error: without it
/// nobody knows what the operator wanted to trust. It names the key's place.
Result<Anchors> choose_anchors(const Configuration& configuration, const Origin& origin = Origin());
Result<std::vector<resolve::RootServer>> choose_root_hints(const Configuration& configuration);

/// What all workers share of the time: what has ended for one has ended for all.
using LatestRef = std::shared_ptr<LatestTime>;

Result<resolve::Settings> resolver_settings(const Configuration& configuration, const Anchors& anchors, WallTime now,
                                            LatestRef latest = std::make_shared<LatestTime>());
[[nodiscard]] route::RouteSettings route_settings(const Configuration& configuration,
                                                  const LatestRef& latest = std::make_shared<LatestTime>());
[[nodiscard]] serve::DnsSettings dns_settings(const Configuration& configuration);
/// Canonical text of all that decides about verdicts, but negative trust anchors: records of another epoch do not exist
/// for the cache.
[[nodiscard]] std::string cache_epoch(const resolve::Settings& settings, const MailKeys& mail);

}  // namespace mxtrust::daemon
