/* weakref.referent.c -- getting a referent races with its death and with the cell's. */
#include "tsan/litmus/litmus.h"

static Value referent;
static WeakCell *cell; /* two references */

static void
getter(Thread *th, long i)
{
    (void)i;
    for (int k = 0; k < 3; k++) {
        Value v = weak_cell_get(th, cell);
        if (v) {
            CHECK(((Leaf *)(void *)value_object(v))->magic == MAGIC);
            drop(th, v);
        }
    }
    drop(th, value_of(cell));
}

static void
killer(Thread *th, long i)
{
    (void)i;
    drop(th, referent);
    drop(th, value_of(cell));
}

static bool
check(Thread *th, long i)
{
    (void)i;
    POLL(th);
    referent = leaf_new(th);
    cell = weakref_new(th, value_object(referent), NULL);
    retain(th, value_of(cell));
    return true;
}

int
main(void)
{
    Thread *th = fake_start();
    check(th, 0);
    litmus_run(th, 20000, getter, killer, check, "a referent is had alive or not at all");
    drop(th, referent);
    drop(th, value_of(cell));
    drop(th, value_of(cell));
    reclaim_flush(th);
    POLL(th);
    OK(load_relaxed(&leaves_made) == load_relaxed(&leaves_died), "each died once");
    fake_end(th);
    DONE();
}
