/* epoch.announce.c -- what a thread did before it announced an epoch is seen by who waits
 * for the announcement. */
#include "tsan/litmus/litmus.h"

static long counted; /* plain: ordered by the announcement alone */

static void
reader(Thread *th, long i)
{
    (void)i;
    counted++; /* the upgrade */
    POLL(th);  /* answers the epoch */
}

static void
reclaimer(Thread *th, long i)
{
    (void)i;
    uint64_t goal = fetch_add_seq_cst(&thread_epoch, 1) + 1;
    uint32_t from = 1;
    Thread *blocker = NULL;
    thread_announce(th);
    while (!thread_epoch_reached(th, goal, &from, &blocker)) {
        safepoint_request(blocker, REQUEST_EPOCH);
        from = 1;
        if (load_relaxed(&litmus_ready[0]) > i)
            return; /* it polled before the request: try the next time */
    }
}

static bool
check(Thread *th, long i)
{
    (void)th;
    return counted == i + 1;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 30000, reader, reclaimer, check, "announcements order the upgrade");
    fake_end(th);
    DONE();
}
