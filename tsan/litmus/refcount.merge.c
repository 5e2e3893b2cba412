/* refcount.merge.c -- a count that is queued while its owner goes offline is merged by one of
 * the two; one that is queued while its owner comes online is, too, and the owner need not go
 * offline again for that. */
#include "tsan/litmus/litmus.h"

static ATOMIC(Object *) handed;
static long died_before, late;

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

/* Comes online while the other queues, and stays so: one poll after that has to be enough. */
static void
returner(Thread *th, long i)
{
    store_release(&handed, value_object(leaf_new(th)));
    thread_detach(th);
    for (long k = i % 64; k > 0; k--)
        os_pause();
    thread_attach(th);
    while (load_acquire(&litmus_ready[1]) <= i)
        os_pause();
    POLL(th);
    late += load_relaxed(&leaves_died) != died_before + 1;
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
    litmus_run(th, 200000, returner, dropper, check, "none is left behind when its owner comes back");
    OK(late == 0, "and the owner has merged it at its next poll");
    fake_end(th);
    DONE();
}
