#include "log/journal.h"

#include <sys/stat.h>
#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION  // where the line was written is in its code, four letters
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cstdlib>

namespace mxtrust::log {
namespace {

/// Where there is none, sd_journal_sendv(3) drops the line and says that all is well.
constexpr const char* journal_socket = "/run/systemd/journal/socket";

int priority(Level level) {
    switch (level) {
        case Level::debug:
            return 7;
        case Level::info:
            return 6;
        case Level::warning:
            return 4;
        case Level::error:
            return 3;
    }
    return 6;
}

bool stderr_is_journals() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat status{};
    if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
    return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

}  // namespace

bool reaches_journal(Target target) {
    if (target == Target::nowhere || access(journal_socket, W_OK) != 0) return false;
    return target == Target::journal || stderr_is_journals();
}

std::string journal_field(std::string_view name, std::string_view value) {
    std::string field = "MXTRUST_";
    for (const char letter : name) {
        const bool small = letter >= 'a' && letter <= 'z';
        field += small ? static_cast<char>(letter - 'a' + 'A') : letter == ' ' || letter == '-' ? '_' : letter;
    }
    return field + "=" + std::string(value);
}

bool send_to_journal(Level level, std::string_view event, std::string_view text, const Fields& fields) {
    std::vector<std::string> all{"MESSAGE=" + std::string(text), "PRIORITY=" + std::to_string(priority(level)),
                                 "SYSLOG_IDENTIFIER=mxtrustd", journal_field("event", event)};
    for (const auto& [name, value] : fields) {
        if (!value.empty()) all.push_back(journal_field(name, value));
    }
    std::vector<iovec> parts;
    parts.reserve(all.size());
    for (std::string& field : all) parts.push_back({field.data(), field.size()});
    return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

}  // namespace mxtrust::log
