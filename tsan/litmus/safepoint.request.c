/* safepoint.request.c -- who answers a request sees what was asked for, and no request is
 * lost. */
#include "tsan/litmus/litmus.h"

static ATOMIC(Thread *) answerer;
static ATOMIC(long) asked;
static long answered;

static void
merge(Thread *th)
{
    if (th == load_relaxed(&answerer))
        answered = load_relaxed(&asked);
}

static void
asker(Thread *th, long i)
{
    (void)th;
    store_relaxed(&asked, i + 1);
    safepoint_request(load_acquire(&answerer), REQUEST_MERGE);
}

static void
answer(Thread *th, long i)
{
    (void)i;
    store_release(&answerer, th);
    POLL(th);
}

/* The answering side's last poll comes after the request, or the bit is still set. */
static bool
check(Thread *th, long i)
{
    (void)th;
    return i == 0 || answered == i + 1 ||
           (load_relaxed(&load_relaxed(&answerer)->request) & REQUEST_MERGE);
}

int
main(void)
{
    Thread *th = fake_start();
    safepoint_handlers.merge = merge;
    store_release(&answerer, th);
    litmus_run(th, 30000, asker, answer, check, "requests are not lost");
    fake_end(th);
    DONE();
}
