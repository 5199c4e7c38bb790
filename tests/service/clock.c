/* For one process, clocks that can be set: what clock_gettime(2) says, plus what a file says (two 64-bit numbers of seconds: for the wall
 * clock and for the monotonic one). Preloaded by tests/service; the kernel's own waits go on by the real clock. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *offsets;

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("MXTRUST_TEST_CLOCK");
    int descriptor = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    if (descriptor < 0) return;
    void *map = mmap(0, 16, PROT_READ, MAP_SHARED, descriptor, 0);
    if (map != MAP_FAILED) offsets = map;
    close(descriptor);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && offsets)
        time->tv_sec += clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? offsets[0] : offsets[1];
    return result;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
