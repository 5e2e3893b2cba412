/* clock.c -- what time it is, in nanoseconds. */
#include "base/clock.h"

static int64_t
read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t
clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t
clock_coarse_ns(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

int64_t
clock_realtime_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t
clock_process_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t
clock_thread_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
clock_deadline_ns(int64_t timeout)
{
    if (timeout < 0)
        return INT64_MAX;
    int64_t now = clock_monotonic_ns();
    return timeout > INT64_MAX - now ? INT64_MAX : now + timeout;
}

struct timespec
clock_timespec(int64_t ns)
{
    struct timespec t = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    return t;
}
