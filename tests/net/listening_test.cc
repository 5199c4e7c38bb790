// What is listened on, and what is not: files of Unix sockets, addresses that are not ours.
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "net/tools.h"

namespace mxtrust::net {

TEST_CASE("a stale socket file is replaced; one that is alive, or is no socket, is not") {
    Folder folder;
    {
        const Listening stale = listen(folder.file("socket"));
    }
    CHECK(std::filesystem::exists(folder.file("socket")));
    const Listening fresh = listen(folder.file("socket"));
    const auto second = Listening::unix_stream(folder.file("socket"), 0600);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == FailureKind::system);
    std::ofstream(folder.file("letter")) << "not a socket";
    CHECK_FALSE(Listening::unix_stream(folder.file("letter"), 0600));
    CHECK(std::filesystem::file_size(folder.file("letter")) == 12);
    CHECK_FALSE(Listening::unix_stream(folder.file(std::string(200, 'x')), 0600));
    CHECK_FALSE(Listening::unix_stream("", 0600));
    CHECK_FALSE(Listening::unix_stream(folder.file("no/such/folder"), 0600));
}

TEST_CASE("somebody who listens and takes no connection is alive, and keeps nobody waiting") {
    Folder folder;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, folder.file("socket").c_str());
    const int hanging = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(hanging, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(hanging, 0) == 0);
    std::vector<int> waiting;
    int status = 0;
    while (status == 0) {  // until no more may wait
        waiting.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        status = connect(waiting.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    REQUIRE(errno == EAGAIN);
    alarm(10);  // instead of waiting for ever
    const auto second = Listening::unix_stream(folder.file("socket"), 0600);
    alarm(0);
    REQUIRE_FALSE(second);
    CHECK(second.error().text == "somebody listens on " + folder.file("socket") + " already");
    CHECK(std::filesystem::exists(folder.file("socket")));
    for (const int one : waiting) ::close(one);
    ::close(hanging);
}

TEST_CASE("an address that is not this host's cannot be listened on") {
    const auto listening = Listening::tcp({*Address::from_text("192.0.2.1"), 0});
    REQUIRE_FALSE(listening);
    CHECK(listening.error().kind == FailureKind::system);
    CHECK(listening.error().text.find("192.0.2.1") != std::string::npos);
}

}  // namespace mxtrust::net
