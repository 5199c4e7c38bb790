// Doors of our own and of the service manager's: what is in the file and has no effect is told, and no file stays
// behind.
#include "daemon/sockets.h"

#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

using namespace mxtrust;
using namespace mxtrust::daemon;

namespace {

class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "mxtrust-doors-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

Loaded loaded(const std::string& keys) {
    auto all = parse_configuration("[server]\n" + keys, "x.toml", TestMode::off);
    REQUIRE(all);
    return std::move(*all);
}

using Texts = std::vector<std::string>;

std::vector<PassedSocket> passed_query(const Folder& folder, unsigned mode) {
    auto query = net::Listening::unix_stream(folder.file("query"), mode);
    REQUIRE(query);
    std::vector<PassedSocket> passed;
    passed.push_back({"query", std::move(*query)});
    return passed;
}

}  // namespace

TEST_CASE("a key that says otherwise than what the service manager opened is told, with what to change instead") {
    const PassedDoors none, all{{"/run/q.sock"}, {"/run/p.sock"}, {"127.0.0.1:53"}, {"127.0.0.1:9953"}};
    CHECK(unheeded_keys(loaded("dns-listen = [\"127.0.0.2:53\"]\nquery-socket-mode = 0o660\n"), none).empty());
    CHECK(unheeded_keys(loaded(""), all).empty());
    CHECK(unheeded_keys(loaded("dns-listen = [\"127.0.0.1:53\"]\nquery-socket = \"/run/q.sock\"\nmetrics-listen = "
                               "\"127.0.0.1:9953\"\npostfix-socket = \"/run/p.sock\"\n"),
                        all)
              .empty());
    const std::string why = "has no effect, for the service manager opens this socket: ";
    struct Row {
        const char *keys, *error;
    };
    for (const Row& row :
         {Row{"dns-listen = [\"127.0.0.2:53\"]", "dns-listen: "}, Row{"dns-listen = []", "dns-listen: "},
          Row{"query-socket = \"\"", "query-socket: "}, Row{"query-socket = \"/a\"", "query-socket: "},
          Row{"postfix-socket = \"\"", "postfix-socket: "}, Row{"query-socket-mode = 0o660", "query-socket-mode: "},
          Row{"metrics-listen = \"/run/m.sock\"", "metrics-listen: "}}) {
        INFO(row.keys);
        const Texts found = unheeded_keys(loaded(row.keys), all);
        REQUIRE(found.size() == 1);
        CHECK(found.front().starts_with("x.toml:2: [server] " + (row.error + why)));
    }
}

TEST_CASE("permissions that the files of passed sockets have are no others than those wanted") {
    const Folder folder;
    std::vector<PassedSocket> given = passed_query(folder, 0660);
    const Loaded all = loaded("query-socket-mode = 0o660\npostfix-socket = \"\"\ndns-listen = []\n");
    const auto sockets = Sockets::open(all.configuration.server, std::move(given));
    REQUIRE(sockets);
    CHECK(sockets->passed.query == Texts{folder.file("query")});
    CHECK(unheeded_keys(all, sockets->passed).empty());
    REQUIRE(chmod(folder.file("query").c_str(), 0666) == 0);
    CHECK(unheeded_keys(all, sockets->passed).size() == 1);
}

TEST_CASE("own socket files go with the sockets, whatever the end; those of passed ones stay") {
    const Folder folder;
    std::vector<PassedSocket> given = passed_query(folder, 0600);
    const Loaded all = loaded("postfix-socket = \"" + folder.file("postfix") + "\"\nmetrics-listen = \"" +
                              folder.file("metrics") + "\"\ndns-listen = []\n");
    {
        auto sockets = Sockets::open(all.configuration.server, std::move(given));
        REQUIRE(sockets);
        const Sockets moved = std::move(*sockets);
        const auto copies = moved.duplicate();
        CHECK(std::filesystem::exists(folder.file("postfix")));
        CHECK(std::filesystem::exists(folder.file("metrics")));
    }
    CHECK_FALSE(std::filesystem::exists(folder.file("postfix")));
    CHECK_FALSE(std::filesystem::exists(folder.file("metrics")));
    CHECK(std::filesystem::exists(folder.file("query")));
}
