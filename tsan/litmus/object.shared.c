/* object.shared.c -- a private holder's owner removes an item while a foreign thread comes to
 * read: either the removal waits for an epoch, or the reader does not find the item. */
#include "tsan/litmus/litmus.h"

static ATOMIC(Node *) holder;

static void
owner(Thread *th, long i)
{
    (void)i;
    Node *n = node_new(th);
    field_init(&n->field[0], leaf_new(th));
    retain(th, value_of(n)); /* for the other side */
    store_release(&holder, n);
    for (int k = 0; k < (int)(i % 32); k++)
        os_pause();
    field_replace(th, &n->head, &n->field[0], NULL);
    drop(th, value_of(n));
}

static void
reader(Thread *th, long i)
{
    (void)i;
    Frame frame = {{0}};
    th->frame = (void *)&frame;
    Node *n;
    while ((n = exchange_acq_rel(&holder, NULL)) == NULL)
        os_pause();
    reg_read(th, &frame, 0, &n->head, &n->field[0]);
    Object *o = reg_object(&frame, 0);
    if (o)
        CHECK(((Leaf *)(void *)o)->magic == MAGIC);
    POLL(th);
    drop(th, value_of(n));
    safepoint_upgrade(th);
    reg_clear(th, &frame, 0);
    th->frame = NULL;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 20000, owner, reader, NULL, "the flip is seen in time");
    reclaim_flush(th);
    POLL(th);
    OK(load_relaxed(&leaves_made) == load_relaxed(&leaves_died), "each item died once");
    fake_end(th);
    DONE();
}
