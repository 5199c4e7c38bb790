// Randomness, injected. IDs, ports, 0x20 patterns and server choice draw from it; a seeded one makes a run repeatable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace mxtrust {

class Random {
  public:
    Random() = default;
    Random(const Random&) = delete;
    Random& operator=(const Random&) = delete;
    virtual ~Random() = default;
    virtual std::uint64_t next() = 0;
    /// Uniform in [0, bound). Requires: bound > 0.
    std::uint64_t below(std::uint64_t bound);
};

/// The kernel's CSPRNG (getrandom), buffered. Aborts when the kernel gives none: without it no query is safe (A26).
class SystemRandom final : public Random {
  public:
    std::uint64_t next() override;

  private:
    std::array<std::uint64_t, 64> buffer_{};
    std::size_t left_ = 0;
};

/// Repeatable; tests and simulation only.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t next() override { return engine_(); }

  private:
    std::mt19937_64 engine_;
};

}  // namespace mxtrust
