// One poll handle for each descriptor; it lives on the heap until libuv has closed it.
#include "net/poll.h"

#include <netinet/in.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>

#include "net/sockaddr.h"

namespace mxtrust::net {
namespace {

constexpr unsigned most_binds = 16;  // random ports tried before giving up
constexpr std::uint64_t lowest_port = 1024;

}  // namespace

struct PollSet::Watched {
    uv_poll_t handle{};
    int descriptor = -1;
    PollSet* owner = nullptr;
};

PollSet::~PollSet() {
    for (Watched* watched : watched_) release(watched);
}

void PollSet::release(Watched* watched) {
    watched->owner = nullptr;
    uv_poll_stop(&watched->handle);
    uv_close(reinterpret_cast<uv_handle_t*>(&watched->handle),
             [](uv_handle_t* handle) { std::unique_ptr<Watched>(static_cast<Watched*>(handle->data)).reset(); });
}

void PollSet::note(Event event) {
    const auto same = [&event](const Event& known) { return known.descriptor == event.descriptor; };
    const auto known = std::ranges::find_if(events_, same);
    if (known == events_.end()) {
        events_.push_back(event);
    } else {
        known->readable = known->readable || event.readable;
        known->writable = known->writable || event.writable;
    }
    came_.ring_all();
}

void PollSet::watch(int descriptor, bool readable, bool writable) {
    const auto same = [descriptor](const Watched* one) { return one->descriptor == descriptor; };
    auto known = std::ranges::find_if(watched_, same);
    if (!readable && !writable) {
        std::erase_if(events_, [descriptor](const Event& event) { return event.descriptor == descriptor; });
        if (known == watched_.end()) return;
        release(*known);
        watched_.erase(known);
        return;
    }
    if (known == watched_.end()) {
        auto fresh = std::make_unique<Watched>();
        if (uv_poll_init(loop_.raw(), &fresh->handle, descriptor) != 0) {
            note({descriptor, true, true});
            return;
        }
        fresh->descriptor = descriptor;
        fresh->owner = this;
        fresh->handle.data = fresh.get();
        known = watched_.insert(watched_.end(), fresh.release());
    }
    const int events = (readable ? static_cast<int>(UV_READABLE) : 0) | (writable ? static_cast<int>(UV_WRITABLE) : 0);
    const int status = uv_poll_start(&(*known)->handle, events, [](uv_poll_t* handle, int error, int came) {
        auto* self = static_cast<Watched*>(handle->data);
        if (self->owner == nullptr) return;
        const bool failed = error != 0;
        self->owner->note({self->descriptor, failed || (came & UV_READABLE) != 0, failed || (came & UV_WRITABLE) != 0});
    });
    if (status != 0) note({descriptor, true, true});
}

std::vector<PollSet::Event> PollSet::take() {
    return std::exchange(events_, {});
}

int bind_randomly(int descriptor, Family family, Random& random) {
    const int four = IP_PMTUDISC_PROBE;
    const int six = IPV6_PMTUDISC_PROBE;
    // Best effort: a kernel that refuses still sends queries that are far below any path's limit.
    if (family == Family::ipv4) {
        static_cast<void>(setsockopt(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, &four, sizeof four));
    } else {
        static_cast<void>(setsockopt(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &six, sizeof six));
    }
    int status = -1;
    for (unsigned attempt = 0; attempt < most_binds; ++attempt) {
        const auto port = static_cast<std::uint16_t>(lowest_port + random.below(65536 - lowest_port));
        const SocketAddress local = SocketAddress::any(family, port);
        status = bind(descriptor, local.raw(), local.size());
        if (status == 0 || errno != EADDRINUSE) break;
    }
    return status;
}

}  // namespace mxtrust::net
