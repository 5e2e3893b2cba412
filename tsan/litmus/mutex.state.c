/* mutex.state.c -- what was done under a lock is seen by the next holder. */
#include "tsan/litmus/litmus.h"

static ByteLock byte;
static Mutex mutex;
static long by_byte, by_mutex; /* plain: ordered by the locks alone */

static void
both(Thread *th, long i)
{
    (void)i;
    byte_lock(&byte);
    by_byte++;
    byte_unlock(&byte);
    mutex_lock(th, &mutex);
    by_mutex++;
    mutex_unlock(&mutex);
}

static bool
check(Thread *th, long i)
{
    (void)th;
    return by_byte == 2 * (i + 1) && by_mutex == by_byte;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 50000, both, both, check, "locks exclude and order");
    fake_end(th);
    DONE();
}
