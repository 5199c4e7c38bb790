// The serving side: stream sockets (TCP and Unix) and datagram sockets of one worker's loop. Framing and meaning are
// serve/'s.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/bytes.h"
#include "net/circle.h"
#include "net/loop.h"

namespace mxtrust::net {

/// Who is at the other end of a Unix socket (SO_PEERCRED).
struct PeerCredentials {
    uid_t user{};
    gid_t group{};
    pid_t process{};
};

class Connection;
using ConnectionRef = std::shared_ptr<Connection>;

/// What a connection tells its user. None of these is called after closed(), and none from within a call into the
/// connection.
class ConnectionUser {
  public:
    virtual ~ConnectionUser() = default;
    virtual void received(BytesView data) = 0;
    virtual void ended() = 0;    ///< the peer will send nothing more (EOF); replies can still be sent
    virtual void drained() = 0;  ///< everything queued has been given to the kernel
    virtual void closed() = 0;   ///< gone, by either side or by an error; sending does nothing from now on
};

/// Held by its user; libuv's handle lives until its close callback.
class Connection {
  public:
    Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    virtual ~Connection() = default;
    virtual void send(Bytes data) = 0;
    /// The same for octets that the caller keeps: given to the kernel at once, as far as it takes them; only the rest
    /// is copied.
    virtual void write(BytesView data) { send(Bytes(data.begin(), data.end())); }
    [[nodiscard]] virtual std::size_t queued() const = 0;  ///< octets not yet taken by the kernel
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;
    virtual void close_when_sent() = 0;  ///< closes after what is queued has gone out
    virtual void close() = 0;
    virtual void close_when_idle_for(
        Duration span) = 0;  ///< closes when nothing is received or sent for so long; 0: never
    [[nodiscard]] virtual std::optional<Endpoint> peer() const = 0;                ///< TCP
    [[nodiscard]] virtual std::optional<PeerCredentials> credentials() const = 0;  ///< Unix
};

/// Makes the user of a fresh connection; null refuses it (it is closed).
using Greeter = std::function<std::shared_ptr<ConnectionUser>(ConnectionRef)>;

/// A listening descriptor, opened before privileges are dropped or inherited from systemd; shared by all workers.
class Listening {
  public:
    /// `mode`: permissions of the socket file. A socket file on which nobody listens is replaced; one that is alive is
    /// an error.
    static Result<Listening> unix_stream(const std::string& path, unsigned mode);
    static Result<Listening> tcp(const Endpoint& endpoint);  ///< port 0 lets the kernel choose
    static Result<Listening> udp(const Endpoint& endpoint);
    /// A listening stream socket or a bound datagram socket that somebody else has opened (systemd), made ready as our
    /// own are. An error says what it is instead. The descriptor is owned from now on, also where it is refused.
    static Result<Listening> inherited(int descriptor);
    /// Gives the descriptor away; the caller closes it.
    [[nodiscard]] int release();
    Listening(Listening&& other) noexcept;
    Listening& operator=(Listening&& other) noexcept;
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;
    ~Listening();
    [[nodiscard]] int descriptor() const { return descriptor_; }
    enum class Kind : std::uint8_t { unix_stream, tcp, udp };
    [[nodiscard]] Kind kind() const;
    [[nodiscard]] Endpoint endpoint() const;  ///< as bound, with the real port
    [[nodiscard]] std::string path() const;   ///< of a Unix socket; empty where it has none
    /// A second descriptor for the same socket, for another worker.
    [[nodiscard]] Result<Listening> duplicate() const;
    /// Of those who accept on this socket and its duplicates.
    [[nodiscard]] const std::shared_ptr<Circle>& circle() const { return circle_; }

  private:
    explicit Listening(int descriptor, std::shared_ptr<Circle> circle = std::make_shared<Circle>())
        : descriptor_(descriptor), circle_(std::move(circle)) {}
    int descriptor_ = -1;
    std::shared_ptr<Circle> circle_;
};

/// Connections of one StreamServer since it began.
struct StreamCounters {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;  ///< at once, as there were too many
    std::uint64_t idle = 0;     ///< closed by us, as nothing happened on them
};

/// Accepts on a listening stream socket, in this loop. Several loops may accept on duplicates of one socket: then each
/// gets its share of the connections (circle.h). May be destroyed from within its greeter and its connections' users.
class StreamServer {
  public:
    static Result<std::unique_ptr<StreamServer>> start(UvLoop& loop, Listening listening, std::size_t most_connections,
                                                       Greeter greeter);
    virtual ~StreamServer() = default;
    /// Those that another loop has handed over count from then on.
    [[nodiscard]] virtual std::size_t connections() const = 0;
    [[nodiscard]] virtual const StreamCounters& counters() const = 0;
    /// Another limit from now on; those who are connected stay.
    virtual void set_most_connections(std::size_t most) = 0;
    /// Stops accepting, and takes nothing more from those who are connected: what they have sent already is read and
    /// answered, then their connections are closed. They see their next request fail to be sent, never unanswered.
    virtual void drain() = 0;
    /// Stops accepting and closes all connections.
    virtual void stop() = 0;
};

/// Where a datagram came from and to which local address, so that the reply leaves from there.
struct DatagramPeer {
    Endpoint from;
    std::optional<Address> local{};  ///< where the socket has more than one
    unsigned interface = 0;
};
using DatagramHandler = std::function<void(BytesView data, const DatagramPeer& peer)>;

/// How many loops take from duplicates of the same datagram socket? Where there are others, each takes a few datagrams
/// at a time, so that a burst is everybody's.
enum class Takers : std::uint8_t { one, several };

/// May be destroyed from within its handler.
class DatagramServer {
  public:
    static Result<std::unique_ptr<DatagramServer>> start(UvLoop& loop, Listening listening, DatagramHandler handler,
                                                         Takers takers = Takers::several);
    virtual ~DatagramServer() = default;
    /// What became of a reply. A full send buffer drops it, as a network would: it counts as sent. Short ones that are
    /// said from within the handler leave together, when the handler has had what had come by then.
    enum class Sent : std::uint8_t {
        yes,
        too_large,  ///< for the path's interface: datagrams are never fragmented (RFC 9715 3.1); a shorter one may go
    };
    virtual Sent reply(const DatagramPeer& peer, BytesView data) = 0;
    /// Not from within the handler. Hands over what has come by now, then takes nothing more; replies still go out.
    virtual void drain() = 0;
    virtual void stop() = 0;
};

}  // namespace mxtrust::net
