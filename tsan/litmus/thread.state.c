/* thread.state.c -- online, offline and claimed exclude each other, and each sees what the
 * one before did. */
#include "tsan/litmus/litmus.h"

static Thread *context;
static long word; /* plain: belongs to who has the context */
static long claims;

static void
owner(Thread *th, long i)
{
    (void)i;
    thread_detach(th);
    thread_attach(context); /* this OS thread runs the other context for a moment */
    word++;
    thread_detach(context);
    thread_attach(th);
}

static void
helper(Thread *th, long i)
{
    (void)th;
    (void)i;
    for (int k = 0; k < 10; k++)
        if (thread_claim(context)) {
            word++;
            claims++;
            thread_unclaim(context);
        }
}

static bool
check(Thread *th, long i)
{
    (void)th;
    return word == i + 1 + claims;
}

int
main(void)
{
    Thread *th = fake_start();
    context = thread_acquire(th->interp);
    thread_detach(th);
    thread_attach(th);
    litmus_run(th, 30000, owner, helper, check, "a context has one user at a time");
    OK(claims > 0, "claims succeeded");
    thread_attach(context);
    thread_release(context);
    thread_bind(th);
    fake_end(th);
    DONE();
}
