/* park.ready.c -- a waiter that was woken sees what its waker did; its frame is not touched
 * afterwards.  Also [park.bucket]: standing in line and waking exclude each other. */
#include "threads/park.h"
#include "tsan/litmus/litmus.h"

static ParkByte byte;
static long message; /* plain: ordered by the wake-up */
static bool bad;

static void
waiter(Thread *th, long i)
{
    thread_detach(th);
    while (load_acquire(&byte) == 0)
        if (park_wait(&byte, 0, INT64_MAX, false) == PARK_WOKEN)
            break;
    bad |= message != i + 1;
    thread_attach(th);
}

static void
waker(Thread *th, long i)
{
    (void)th;
    message = i + 1;
    park_wake_one(&byte, 1, 1);
}

static bool
check(Thread *th, long i)
{
    (void)th;
    (void)i;
    store_relaxed(&byte, 0);
    return !bad;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 20000, waiter, waker, check, "no wake-up is lost, and it orders");
    fake_end(th);
    DONE();
}
