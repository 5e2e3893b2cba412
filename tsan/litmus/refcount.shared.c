/* refcount.shared.c -- whoever drops the last reference sees what all others did with the
 * object. */
#include "tsan/litmus/litmus.h"

static Value object; /* made anew for each turn; one reference for each side */
static Value weak;   /* the same, death by compare-and-swap */

static void
use_and_drop(Thread *th, Value v, int side)
{
    Node *n = (Node *)(void *)value_object(v);
    ((uint32_t *)&n->magic)[side] = (uint32_t)(MAGIC >> (32 * side)); /* plain */
    drop(th, v);
}

static void
one(Thread *th, long i)
{
    (void)i;
    use_and_drop(th, object, 0);
    use_and_drop(th, weak, 0);
}

static void
two(Thread *th, long i)
{
    (void)i;
    use_and_drop(th, object, 1);
    use_and_drop(th, weak, 1);
}

static bool
check(Thread *th, long i)
{
    (void)i;
    POLL(th);
    object = value_of(node_new(th));
    retain(th, object);
    weak = value_of(node_new(th));
    object_mark_weak(th, value_object(weak));
    retain(th, weak);
    return load_relaxed(&nodes_made) - load_relaxed(&nodes_died) <= 20000;
}

int
main(void)
{
    Thread *th = fake_start();
    check(th, 0);
    litmus_run(th, 20000, one, two, check, "two foreign drops");
    drop(th, object);
    drop(th, object);
    drop(th, weak);
    drop(th, weak);
    reclaim_flush(th);
    POLL(th);
    OK(load_relaxed(&nodes_made) == load_relaxed(&nodes_died), "each object died once");
    fake_end(th);
    DONE();
}
