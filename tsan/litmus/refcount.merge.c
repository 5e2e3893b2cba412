/* refcount.merge.c -- a count that is queued while its owner goes offline is merged by one of
 * the two. */
#include "tsan/litmus/litmus.h"

static ATOMIC(Object *) handed;
static long died_before;

static void
owner(Thread *th, long i)
{
    (void)i;
    store_release(&handed, value_object(leaf_new(th)));
    thread_detach(th);
    for (int k = 0; k < 20; k++)
        os_pause();
    thread_attach(th);
    thread_detach(th);
    while (load_acquire(&litmus_ready[1]) <= i) /* offline until the other is done */
        os_yield();
    thread_attach(th);
}

static void
dropper(Thread *th, long i)
{
    (void)i;
    Object *o;
    while ((o = exchange_acq_rel(&handed, NULL)) == NULL)
        os_pause();
    object_drop(th, o);
}

static bool
check(Thread *th, long i)
{
    (void)th;
    (void)i;
    bool ok = load_relaxed(&leaves_died) == died_before + 1;
    died_before = load_relaxed(&leaves_died);
    return ok;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 20000, owner, dropper, check, "no queued count is left behind");
    fake_end(th);
    DONE();
}
