// Is this a build with a sanitizer that has a malloc of its own?
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MXTRUST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MXTRUST_SANITIZED 1
#endif
#endif

namespace mxtrust::test {

#ifdef MXTRUST_SANITIZED
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

}  // namespace mxtrust::test
