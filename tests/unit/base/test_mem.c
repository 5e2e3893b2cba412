/* test_mem.c -- allocation, and its failing on request; clocks. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/tap.h"

int
main(void)
{
    char *p = mem_alloc_zeroed(100);
    bool zero = true;
    for (int i = 0; i < 100; i++)
        zero &= p[i] == 0;
    OK(zero && mem_usable_size(p) >= 100, "zeroed memory");
    memset(p, 'x', 100);
    p = mem_resize(p, 10000);
    OK(p[99] == 'x', "resizing keeps the contents");
    mem_free(p);
    p = mem_alloc_aligned(1 << 20, 1 << 16);
    OK(((uintptr_t)p & 0xffff) == 0, "aligned memory");
    mem_free(p);
    mem_free(NULL);
    bool kept = true, zeroed = true;
    uint32_t *n = mem_alloc(sizeof *n), *others[8];
    n[0] = 0;
    size_t used = 1, room = 1;
    for (int i = 0; i < 40; i++) { /* grows, among others that are in its way, and shrinks */
        room = room < ((size_t)8 << 20) && i < 32 ? room * 2 : room / 4 + 1;
        if (used > room)
            used = room;
        n = mem_resize_zeroed(n, used * sizeof *n, room * sizeof *n);
        for (size_t j = 0; j < used; j++)
            kept &= n[j] == (uint32_t)j;
        for (size_t j = used; j < room; j++)
            zeroed &= n[j] == 0;
        used = room - room / 5;
        for (size_t j = 0; j < room; j++)
            n[j] = (uint32_t)j;
        others[i % 8] = mem_alloc_brief((size_t)1 << (12 + i % 12));
        others[i % 8][0] = 1;
        if (i % 8 == 7)
            for (int k = 0; k < 8; k++)
                mem_free(others[k]);
    }
    OK(kept && zeroed && mem_usable_size(n) >= room * sizeof *n, "large blocks grow and shrink");
    mem_free(n);
#ifdef WEFT_DEBUG
    mem_fail_nth(2);
    void *a = mem_alloc(8), *b = mem_alloc(8), *c = mem_alloc(8);
    OK(a && !b && c && mem_has_failed(), "the second allocation fails, once");
    mem_free(a);
    mem_free(c);
#endif
    int64_t t = clock_monotonic_ns();
    OK(clock_monotonic_ns() >= t && clock_realtime_ns() > NS_PER_S, "clocks go forward");
    OK(clock_deadline_ns(-1) == INT64_MAX && clock_deadline_ns(INT64_MAX) == INT64_MAX,
       "deadlines do not overflow");
    struct timespec ts = clock_timespec(3 * NS_PER_S + 5);
    OK(ts.tv_sec == 3 && ts.tv_nsec == 5, "timespec");
    OK(clock_process_ns() > 0 && clock_thread_ns() > 0 && clock_coarse_ns() > 0, "other clocks");
    DONE();
}
