// Postfix's main.cf and master.cf, as far as sending by DANE depends on them, and what is wrong there. Pure.
//
// Facts about Postfix 3.7 to 3.11: without smtp_dns_support_level = dnssec (or with MX errors ignored, or names
// searched), the level "dane" silently becomes "may", and "dane-only" defers.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "client/files.h"
#include "client/finding.h"

namespace mxtrust::client {

struct Parameter {
    std::string value;
    std::uint32_t line = 0;
};
class Parameters {
  public:
    void set(const std::string& name, Parameter parameter) { all_[name] = std::move(parameter); }
    /// With $name and ${name} of other parameters in main.cf filled in; `otherwise` where it is not there.
    [[nodiscard]] std::string value(const std::string& name, std::string_view otherwise = "") const;
    [[nodiscard]] std::uint32_t line(const std::string& name) const;  ///< 0 where it is not there
    [[nodiscard]] bool has(const std::string& name) const { return all_.contains(name); }

  private:
    std::map<std::string, Parameter, std::less<>> all_;
};
/// Logical lines: what begins with white space goes on from the line before (postconf(5)). The last of a name counts.
[[nodiscard]] Parameters parse_main_cf(std::string_view text);

/// A service that runs smtp(8).
struct SmtpService {
    std::string name;
    std::string chroot;                            ///< the column: "y", "n" or "-"
    std::map<std::string, std::string> overrides;  ///< -o NAME=VALUE
    std::uint32_t line = 0;
};
[[nodiscard]] std::vector<SmtpService> parse_master_cf(std::string_view text);

/// `sockets`: the daemon's, as status has them; empty where it could not be asked.
[[nodiscard]] std::vector<Finding> judge_postfix(const PostfixFiles& files, const File& resolv,
                                                 const std::vector<std::string>& sockets);

}  // namespace mxtrust::client
