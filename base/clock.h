/* clock.h -- what time it is, in nanoseconds. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)

/* Time that only goes forward; its zero is somewhere in the past. */
int64_t clock_monotonic_ns(void);
/* The same to about 4 ms, for a fifth of the cost. */
int64_t clock_coarse_ns(void);
/* Time since 1970-01-01 UTC. */
int64_t clock_realtime_ns(void);
/* Processor time of the process, of the calling thread. */
int64_t clock_process_ns(void);
int64_t clock_thread_ns(void);

/* The moment `timeout` ns from now on the monotonic clock; never overflows.  A
 * negative timeout means "no end" and gives INT64_MAX. */
int64_t clock_deadline_ns(int64_t timeout);

/* `ns` >= 0 as the system calls want it. */
struct timespec clock_timespec(int64_t ns);

#endif
