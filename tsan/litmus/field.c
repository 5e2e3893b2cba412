/* field.c -- what a field refers to is whole when another thread reads it. */
#include "tsan/litmus/litmus.h"

static Node *holder;

static void
writer(Thread *th, long i)
{
    (void)i;
    for (int k = 0; k < 4; k++)
        field_replace(th, &holder->head, &holder->field[0], leaf_new(th));
    POLL(th);
}

static void
reader(Thread *th, long i)
{
    (void)i;
    for (int k = 0; k < 4; k++) {
        Value v = field_read(th, &holder->head, &holder->field[0]);
        if (v) {
            CHECK(((Leaf *)(void *)value_object(v))->magic == MAGIC);
            drop(th, v);
        }
        v = field_exchange(th, &holder->head, &holder->field[0], NULL);
        drop_null(th, v);
    }
    POLL(th);
}

int
main(void)
{
    Thread *th = fake_start();
    holder = node_new(th);
    litmus_run(th, 20000, writer, reader, NULL, "fields publish");
    drop(th, value_of(holder));
    reclaim_flush(th);
    POLL(th);
    OK(load_relaxed(&leaves_made) == load_relaxed(&leaves_died), "each leaf died once");
    fake_end(th);
    DONE();
}
