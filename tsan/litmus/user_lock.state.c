/* user_lock.state.c -- what was done under a program's lock is seen by the next holder. */
#include "tsan/litmus/litmus.h"

#include "threads/user_lock.h"

static UserLock lock;
static long count; /* plain: ordered by the lock alone */

static void
both(Thread *th, long i)
{
    (void)i;
    if (user_lock_acquire(th, &lock, INT64_MAX) != LOCK_TAKEN)
        return;
    count++;
    user_lock_release(th, &lock);
}

static bool
check(Thread *th, long i)
{
    (void)th;
    return count == 2 * (i + 1);
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 50000, both, both, check, "a program's lock excludes and orders");
    fake_end(th);
    DONE();
}
