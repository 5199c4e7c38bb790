// A plain, blocking conversation with the query socket.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"

namespace mxtrust::client {

class Connection {
  public:
    static Result<Connection> open(const std::string& path);
    Connection(Connection&& other) noexcept;
    Connection& operator=(Connection&& other) noexcept;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    /// One line out, one line back, both without line feed.
    Result<std::string> ask(const std::string& request, std::chrono::milliseconds patience);

  private:
    explicit Connection(int descriptor) : descriptor_(descriptor) {}
    Done send(std::string_view line);

    int descriptor_;
    std::string received_;
};

}  // namespace mxtrust::client
