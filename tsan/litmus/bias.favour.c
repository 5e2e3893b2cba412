/* bias.favour.c -- a shared object that favours now one thread and now the other: no change is lost, and
 * each sees the other's. */
#include "tsan/litmus/litmus.h"

#define MANY 400 /* changes in a row after which the object favours the thread */

static Node *node;
static long changed;     /* plain: ordered by the node's lock, real or not */
static long sections[2]; /* [owner] changes without the lock */

static void
change(int side)
{
    bool held = object_lock(&node->head);
    changed++;
    sections[side] += !held;
    object_unlock(&node->head, held);
}

static void
one(Thread *th, long i)
{
    (void)th;
    for (int k = 0; k < (i % 2 ? MANY : (int)(i % 8)); k++)
        change(0);
}

static void
other(Thread *th, long i)
{
    (void)th;
    for (int k = 0; k < (i % 2 ? (int)(i % 8) : MANY); k++)
        change(1);
}

static bool
check(Thread *th, long i)
{
    (void)th;
    bool right = changed == MANY + i % 8;
    changed = 0; /* both sides wait, and see it when they are told to go on */
    return right;
}

int
main(void)
{
    Thread *th = fake_start();
    store_relaxed(&bias_favour_every, 0);
    node = node_new(th);
    object_share(&node->head);
    litmus_run(th, 10000, one, other, check, "who is favoured excludes the other");
    OK(load_relaxed(&th->bias) == BIAS_NONE || sections[0] + sections[1] > 0, "and somebody is");
    drop(th, value_of(node));
    fake_end(th);
    DONE();
}
