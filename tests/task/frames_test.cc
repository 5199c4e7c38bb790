// The memory of frames: what one left is what the next one gets, in bounds, whichever thread ended it.
#include "task/frames.h"

#include <cstring>
#include <thread>
#include <vector>

#include "task/tools.h"

namespace mxtrust::task {
namespace {

constexpr std::size_t usual_octets = 2000;

void fill(void* frame, std::size_t octets) {
    std::memset(frame, 0x5a, octets);
}

}  // namespace

TEST_CASE("a frame's room goes to the next frame of its size, last first") {
    if (!keeps_frames) return;  // sanitizers are to see each use after the end
    std::thread([] {            // a thread that has kept nothing yet
        void* const first = take_frame(usual_octets);
        void* const second = take_frame(usual_octets);
        fill(first, usual_octets);
        fill(second, usual_octets);
        give_frame(first, usual_octets);
        give_frame(second, usual_octets);
        const std::size_t kept = kept_frame_octets();
        void* const third = take_frame(usual_octets);
        void* const other = take_frame(2 * usual_octets);
        const bool last_first = third == second;
        const bool by_size = other != first;
        give_frame(other, 2 * usual_octets);
        give_frame(third, usual_octets);
        CHECK(kept >= 2 * usual_octets);
        CHECK(last_first);
        CHECK(by_size);
    })
        .join();
}

TEST_CASE("every size up to the largest frame has all its octets, and what is larger is not kept") {
    std::thread([] {
        for (std::size_t octets = 1; octets <= most_frame_octets + 1; ++octets) {
            void* const frame = take_frame(octets);
            fill(frame, octets);
            give_frame(frame, octets);
        }
        const std::size_t before = kept_frame_octets();
        void* const large = take_frame(most_frame_octets + 1);
        fill(large, most_frame_octets + 1);
        give_frame(large, most_frame_octets + 1);
        CHECK(kept_frame_octets() == before);
        CHECK((before > 0) == keeps_frames);
    }).join();
}

TEST_CASE("a flood of frames leaves no more than a thread may keep") {
    std::thread([] {
        std::vector<void*> frames;
        for (std::size_t count = 0; count < 2 * most_kept_octets / usual_octets; ++count)
            frames.push_back(take_frame(usual_octets));
        for (void* frame : frames) give_frame(frame, usual_octets);
        CHECK(kept_frame_octets() <= most_kept_octets);
        CHECK((kept_frame_octets() > most_kept_octets / 2) == keeps_frames);
    }).join();
}

TEST_CASE("a frame may begin in one thread and end in another") {
    World world;
    int alive = 0;
    std::vector<Task<int>> tasks;
    for (int number = 0; number < 50; ++number) tasks.push_back(hold(Counted(&alive, long_text), world.at(1s)));
    std::thread([&tasks] { tasks.clear(); }).join();
    CHECK(alive == 0);
    for (int number = 0; number < 50; ++number) tasks.push_back(hold(Counted(&alive, long_text), world.at(1s)));
    CHECK(alive == 50);
    tasks.clear();
    CHECK(alive == 0);
}

TEST_CASE("what a thread destroys at its very end may still be frames") {
    int alive = 0;
    World world;
    std::thread([&] {
        static thread_local std::vector<Task<int>>
            left;  // made before the stacks of frames, and so destroyed after them
        left.clear();
        left.push_back(hold(Counted(&alive, long_text), world.at(1s)));
    }).join();
    CHECK(alive == 0);
}

}  // namespace mxtrust::task
