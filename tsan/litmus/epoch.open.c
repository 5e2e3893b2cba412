/* epoch.open.c -- who announces an epoch sees what was unlinked before it opened. */
#include "tsan/litmus/litmus.h"

static long unlinked; /* plain: ordered by the epoch alone */
static ATOMIC(uint64_t) goal;
static bool seen_old;

static void
opener(Thread *th, long i)
{
    (void)th;
    unlinked = i + 1;
    store_relaxed(&goal, fetch_add_seq_cst(&thread_epoch, 1) + 1);
}

static void
announcer(Thread *th, long i)
{
    for (int k = 0; k < 20; k++) {
        thread_announce(th);
        uint64_t g = load_relaxed(&goal);
        if (g && load_relaxed(&th->epoch) >= g && g > (uint64_t)i) {
            seen_old |= unlinked < i;
            return;
        }
    }
}

static bool
check(Thread *th, long i)
{
    (void)th;
    (void)i;
    store_relaxed(&goal, 0);
    bool ok = !seen_old;
    seen_old = false;
    return ok;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 30000, opener, announcer, check, "an announced epoch orders the unlinking");
    fake_end(th);
    DONE();
}
