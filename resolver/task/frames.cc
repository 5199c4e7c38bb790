// Frames are sorted by size in steps; each step has a stack of blocks that nobody uses.
#include "task/frames.h"

#include <array>
#include <memory>
#include <new>
#include <vector>

namespace mxtrust::task {
namespace {

constexpr std::size_t step_octets = 128;

struct Return {
    void operator()(void* block) const noexcept { ::operator delete(block); }
};
using Block = std::unique_ptr<void, Return>;

constexpr std::size_t step_of(std::size_t octets) {
    return octets == 0 ? 0 : (octets - 1) / step_octets;
}
constexpr std::size_t octets_of(std::size_t step) {
    return (step + 1) * step_octets;
}

/// A thread's own objects may end frames while they are destroyed themselves, after the stacks.
thread_local bool has_ended = false;

class Stacks {
  public:
    Stacks() = default;
    Stacks(const Stacks&) = delete;
    Stacks& operator=(const Stacks&) = delete;
    ~Stacks() { has_ended = true; }

    Block take(std::size_t step) noexcept {
        std::vector<Block>& stack = stacks_[step];
        if (stack.empty()) return nullptr;
        Block block = std::move(stack.back());
        stack.pop_back();
        octets_ -= octets_of(step);
        return block;
    }
    void give(Block block, std::size_t step) noexcept {
        if (octets_ + octets_of(step) > most_kept_octets) return;
        try {
            stacks_[step].push_back(std::move(block));
        } catch (const std::bad_alloc&) {
            return;  // it goes back to where it came from
        }
        octets_ += octets_of(step);
    }
    [[nodiscard]] std::size_t octets() const noexcept { return octets_; }

  private:
    std::array<std::vector<Block>, step_of(most_frame_octets) + 1> stacks_;
    std::size_t octets_ = 0;
};

thread_local Stacks stacks;

bool is_kept(std::size_t octets) {
    return keeps_frames && octets <= most_frame_octets && !has_ended;
}

}  // namespace

void* take_frame(std::size_t octets) {
    if (!is_kept(octets)) return ::operator new(octets);
    const std::size_t step = step_of(octets);
    if (Block block = stacks.take(step)) return block.release();
    return ::operator new(octets_of(step));
}

void give_frame(void* frame, std::size_t octets) noexcept {
    Block block(frame);
    if (is_kept(octets)) stacks.give(std::move(block), step_of(octets));
}

std::size_t kept_frame_octets() noexcept {
    return has_ended ? 0 : stacks.octets();
}

}  // namespace mxtrust::task
