/* refcount.credit.c -- a thread that keeps its reference in hand gives it back later: whoever
 * lets the object die sees what it did with it before. */
#include "tsan/litmus/litmus.h"

static Value object; /* made anew for each turn; one reference for each side */

static void
use_and_drop(Thread *th, int side)
{
    Node *n = (Node *)(void *)value_object(object);
    retain(th, object);
    ((uint32_t *)&n->magic)[side] = (uint32_t)(MAGIC >> (32 * side)); /* plain */
    drop(th, object);
    drop(th, object);
}

static void
one(Thread *th, long i)
{
    (void)i;
    use_and_drop(th, 0);
}

static void
two(Thread *th, long i)
{
    (void)i;
    use_and_drop(th, 1);
}

static bool
check(Thread *th, long i)
{
    (void)i;
    POLL(th);
    object = value_of(node_new_shape(th, SHAPE_POOLED));
    object_merge(th, value_object(object));
    retain(th, object);
    return load_relaxed(&nodes_made) - load_relaxed(&nodes_died) <= 20000;
}

int
main(void)
{
    Thread *th = fake_start();
    check(th, 0);
    litmus_run(th, 20000, one, two, check, "two drops that are kept");
    drop(th, object);
    drop(th, object);
    reclaim_flush(th);
    POLL(th);
    OK(load_relaxed(&nodes_made) == load_relaxed(&nodes_died), "each object died once");
    fake_end(th);
    DONE();
}
