// What happens when a caller breaks a promise: a line on stderr, then the end. No logging room is used; it may be what
// broke.
#include "base/require.h"

#include <cstdio>
#include <cstdlib>

namespace mxtrust {

void broken_promise(const std::source_location& place) {
    // Nothing can be done about a failing stderr at this point.
    static_cast<void>(std::fprintf(stderr, "mxtrust: broken promise at %s:%u in %s\n", place.file_name(),
                                   static_cast<unsigned>(place.line()), place.function_name()));
    std::abort();
}

}  // namespace mxtrust
