/* bias.state.c -- the same while the owner loses its bias and takes it back all the time. */
#include "tsan/litmus/litmus.h"

static ATOMIC(Node *) holder;
static long changed; /* plain: ordered by the node's lock, real or not */

static void
change(Object *o)
{
    bool held = object_lock(o);
    changed++;
    object_unlock(o, held);
}

static void
owner(Thread *th, long i)
{
    Node *n = node_new(th);
    retain(th, value_of(n)); /* for the other side */
    change(&n->head);
    store_release(&holder, n);
    for (int k = 0; k < (int)(i % 64); k++)
        change(&n->head);
    drop(th, value_of(n));
    if (load_acquire(&th->bias_state) == BIAS_OFF) { /* pairs with switch_off() [bias.state] */
        th->bias_off_since = 0;                      /* long enough ago */
        bias_renew(th);
    }
}

static void
newcomer(Thread *th, long i)
{
    Node *n;
    while ((n = exchange_acq_rel(&holder, NULL)) == NULL)
        os_pause();
    object_touch(th, &n->head);
    for (int k = 0; k < (int)(i % 8); k++)
        change(&n->head);
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
    litmus_run(th, 20000, owner, newcomer, check, "switching the bias off and on loses nothing");
    fake_end(th);
    DONE();
}
