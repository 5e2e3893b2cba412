/* interp.threads.c -- the list of an interpreter's contexts grows while others walk it. */
#include "tsan/litmus/litmus.h"

static Thread *made[50];

static void
maker(Thread *th, long i)
{
    if (i < 50)
        made[i] = thread_acquire(th->interp);
}

static void
walker(Thread *th, long i)
{
    (void)i;
    for (Thread *t = load_acquire(&th->interp->threads); t; t = load_relaxed(&t->next))
        CHECK(t->interp == th->interp && t->heap);
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 1000, maker, walker, NULL, "the list is whole at any moment");
    for (int i = 0; i < 50 && made[i]; i++) {
        thread_attach(made[i]);
        thread_release(made[i]);
    }
    thread_bind(th);
    fake_end(th);
    DONE();
}
