// CRC-64/XZ (ECMA-182 polynomial, reflected): finds every burst of errors up to 64 bits and every small number of
// flipped bits in a record of a few hundred octets. It guards against damage, not against somebody who may write the
// file.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace mxtrust::cache {

class Checksum {
  public:
    void add(BytesView data);
    [[nodiscard]] std::uint64_t value() const { return ~state_; }

  private:
    std::uint64_t state_ = ~std::uint64_t{0};
};

}  // namespace mxtrust::cache
