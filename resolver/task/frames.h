// The memory of coroutines' frames. A question takes some dozens, of one to four kilobytes each, which end in the
// opposite order: what one leaves is kept for the next of its size, by the thread in which it ended, still warm in the
// processor's cache. In builds with sanitizers nothing is kept, so that they see each use after its end.
#pragma once

#include <cstddef>

namespace mxtrust::task {

/// Does this build keep any?
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool keeps_frames = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool keeps_frames = false;
#else
inline constexpr bool keeps_frames = true;
#endif
#else
inline constexpr bool keeps_frames = true;
#endif

inline constexpr std::size_t most_frame_octets = 8192;        ///< a larger frame is not kept
inline constexpr std::size_t most_kept_octets = 1024 * 1024;  ///< in all, for each thread

/// Room for a frame, aligned as operator new aligns. To be given back with the same size, in any thread; that compilers
/// do so is looked at by tests/toolchain.
[[nodiscard]] void* take_frame(std::size_t octets);
void give_frame(void* frame, std::size_t octets) noexcept;
/// Of this thread.
[[nodiscard]] std::size_t kept_frame_octets() noexcept;

}  // namespace mxtrust::task
