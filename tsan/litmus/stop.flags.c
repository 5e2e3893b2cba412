/* stop.flags.c -- a stop excludes all others; they see what the stopper did.  Also
 * [stop.changes]: the stopper does not sleep through the last thread's going offline. */
#include "tsan/litmus/litmus.h"

static long word; /* plain: written between safepoints, and in stops */

static void
stopper(Thread *th, long i)
{
    (void)i;
    world_stop(th);
    word++;
    world_start(th);
}

static void
worker(Thread *th, long i)
{
    (void)i;
    /* Only this side and the stopper write: the stop alone orders them. */
    for (int k = 0; k < 5; k++) {
        word++;
        if (k & 1) {
            thread_detach(th);
            thread_attach(th);
        } else
            POLL(th);
    }
}

static bool
check(Thread *th, long i)
{
    (void)th;
    return word == 6 * (i + 1);
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 20000, stopper, worker, check, "a stop excludes and orders");
    fake_end(th);
    DONE();
}
