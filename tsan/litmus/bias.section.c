/* bias.section.c -- the owner changes its private object without the lock, alone or together with
 * another one, while a foreign thread takes it over: no change is lost, and each sees the other's. */
#include "tsan/litmus/litmus.h"

static ATOMIC(Node *) holder;
static long changed; /* plain: ordered by the node's lock, real or not */

/* Takes longer than a membarrier(): who does not wait for the end is found out. */
static void
count(void)
{
    long now = changed;
    for (int i = 0; i < 100; i++)
        os_pause();
    changed = now + 1;
}

static void
change(Object *o)
{
    bool held = object_lock(o);
    count();
    object_unlock(o, held);
}

static void
change_two(Thread *th, Object *o, Object *mate)
{
    bool held = object_touch_lock_two(th, o, mate);
    count();
    object_unlock_two(th, o, mate, held);
}

static void
owner(Thread *th, long i)
{
    Node *n = node_new(th), *mate = node_new(th);
    retain(th, value_of(n)); /* for the other side */
    change(&n->head);
    store_release(&holder, n);
    for (int k = 0; k < (int)(i % 64); k++) {
        if (k & 1)
            change(&n->head);
        else if (k & 2) /* the one that is taken over is the first or the second */
            change_two(th, &n->head, &mate->head);
        else
            change_two(th, &mate->head, &n->head);
    }
    drop(th, value_of(mate));
    drop(th, value_of(n));
}

static void
newcomer(Thread *th, long i)
{
    Node *n, *mate = node_new(th);
    while ((n = exchange_acq_rel(&holder, NULL)) == NULL)
        os_pause();
    object_touch(th, &n->head);
    for (int k = 0; k < (int)(i % 8); k++) {
        if (k & 1)
            change(&n->head);
        else
            change_two(th, &n->head, &mate->head);
    }
    drop(th, value_of(mate));
    drop(th, value_of(n));
}

static bool
check(Thread *th, long i)
{
    (void)th;
    bool right = changed == 1 + i % 64 + i % 8;
    changed = 0;
    return right;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 20000, owner, newcomer, check, "the owner's sections exclude the newcomer");
    fake_end(th);
    DONE();
}
