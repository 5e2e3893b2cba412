/* test_reclaim.c -- epochs: borrowed registers, retire order, chains, limits, flushing. */
#include "base/clock.h"
#include "tests/unit/gc/fake.h"

/* -- one thread -- */

static void
test_alone(Thread *th, const char *what)
{
    Frame frame = {{0}};
    th->frame = (void *)&frame;
    Node *box = node_new(th);
    object_set_bits(&box->head, BIT_SHARED);
    field_replace(th, &box->head, &box->field[0], leaf_new(th));
    reg_read(th, &frame, 0, &box->head, &box->field[0]);
    OK(value_bits(frame.r[0]) & VALUE_BORROWED, "what is read from a shared holder is borrowed");
    long died = load_relaxed(&leaves_died);
    field_replace(th, &box->head, &box->field[0], NULL);
    OK(load_relaxed(&leaves_died) == died, "what is removed from it waits");
    POLL(th);
    OK(!(value_bits(frame.r[0]) & VALUE_BORROWED), "the register was upgraded");
    OK(load_relaxed(&leaves_died) == died, "and keeps the object alive");
    reg_clear(th, &frame, 0);
    OK(load_relaxed(&leaves_died) == died + 1, what);
    drop(th, value_of(box));
    POLL(th);
    th->frame = NULL;
}

static void
test_private(Thread *th)
{
    Node *box = node_new(th);
    field_replace(th, &box->head, &box->field[0], leaf_new(th));
    long died = load_relaxed(&leaves_died);
    field_replace(th, &box->head, &box->field[0], NULL);
    OK(load_relaxed(&leaves_died) == died + 1, "a private holder gives up at once");
    drop(th, value_of(box));
}

static void
test_immutable(Thread *th)
{
    Frame frame = {{0}};
    th->frame = (void *)&frame;
    Node *t = node_new_shape(th, SHAPE_FROZEN);
    field_init(&t->field[0], leaf_new(th));
    object_set_bits(&t->head, BIT_SHARED);
    reg_read(th, &frame, 0, &t->head, &t->field[0]); /* borrowed */
    long died = load_relaxed(&leaves_died);
    drop(th, value_of(t)); /* the holder dies with the register still borrowing */
    OK(load_relaxed(&leaves_died) == died, "a dead shared holder keeps its items for an epoch");
    CHECK(((Leaf *)(void *)reg_object(&frame, 0))->magic == MAGIC);
    POLL(th);
    OK(load_relaxed(&leaves_died) == died, "the borrower has counted its item");
    reg_clear(th, &frame, 0);
    OK(load_relaxed(&leaves_died) == died + 1, "and frees it");
    th->frame = NULL;
}

static void
test_shared_chain(Thread *th, long length, const char *what)
{
    Value chain = NULL;
    for (long i = 0; i < length; i++) {
        Node *n = node_new(th);
        object_set_bits(&n->head, BIT_SHARED);
        field_init(&n->field[0], chain);
        chain = value_of(n);
    }
    long died = load_relaxed(&nodes_died);
    int64_t start = clock_monotonic_ns();
    drop(th, chain);
    reclaim_flush(th);
    int64_t took = clock_monotonic_ns() - start;
    OK(load_relaxed(&nodes_died) == died + length, what);
    printf("# %ld links, %ld ms\n", length, (long)(took / NS_PER_MS));
}

static int order[8], order_count;

static void
note(Thread *th, void *p)
{
    (void)th;
    order[order_count++] = *(int *)p;
    mem_free(p);
}

static void
test_order(Thread *th)
{
    for (int i = 0; i < 5; i++) {
        int *p = mem_alloc(sizeof(int));
        *p = i;
        retire_memory(th, p, sizeof(int), note);
    }
    OK(order_count == 0, "memory is not freed when retired");
    reclaim_flush(th);
    bool ok = order_count == 5;
    for (int i = 0; i < 5; i++)
        ok &= order[i] == i;
    OK(ok, "but a grace period later, in order");
}

/* -- readers that borrow, writers that replace -- */

#define HOLDERS 16
static Node *holder[HOLDERS];

static void
read_and_write(Thread *th, void *arg, int index)
{
    (void)arg;
    Frame *f = (Frame *)th->frame;
    uint32_t seed = 5 + (uint32_t)index;
    for (long i = 0; i < TAP_SCALE(300000); i++) {
        uint32_t r = random_next(&seed);
        Node *h = holder[r % HOLDERS];
        int k = (r >> 8) % 4, reg = (r >> 12) % REGISTERS;
        if (r >> 20 & 7) {
            reg_read(th, f, reg, &h->head, &h->field[k]);
        } else {
            Node *n = node_new_shape(th, SHAPE_FROZEN);
            field_init(&n->field[0], leaf_new(th));
            field_replace(th, &h->head, &h->field[k], value_of(n));
        }
        /* Look into whatever the registers hold, and borrow on from there. */
        Object *o = reg_object(f, (int)(r >> 16) % REGISTERS);
        if (o && object_shape(o) == SHAPE_FROZEN) {
            CHECK(((Node *)(void *)o)->magic == MAGIC);
            reg_read(th, f, reg, o, &((Node *)(void *)o)->field[0]);
        } else if (o)
            CHECK(((Leaf *)(void *)o)->magic == MAGIC);
        if (i % 16 == 0)
            POLL(th);
        if (r % 20011 == 0) {
            blocking_begin(th);
            sched_yield();
            blocking_end(th);
        }
    }
}

static void
test_readers(Thread *th)
{
    for (int i = 0; i < HOLDERS; i++)
        holder[i] = node_new(th);
    run_threads(th, 4, read_and_write, NULL);
    for (int i = 0; i < HOLDERS; i++)
        drop(th, value_of(holder[i]));
    reclaim_flush(th);
    size_t left = live_objects(th);
    OK(left == 0, "four threads read borrowed and replace: all is freed in the end");
    OK(load_relaxed(&nodes_made) == load_relaxed(&nodes_died) &&
           load_relaxed(&leaves_made) == load_relaxed(&leaves_died),
       "and each object once");
}

/* -- a thread that retires and then never polls again, or goes to sleep -- */

static void
retire_and_sleep(Thread *th, void *arg, int index)
{
    (void)index;
    Node *box = arg;
    field_replace(th, &box->head, &box->field[index], leaf_new(th));
    field_replace(th, &box->head, &box->field[index], NULL);
    blocking_begin(th);
    struct timespec t = clock_timespec(100 * NS_PER_MS);
    nanosleep(&t, NULL);
    blocking_end(th);
}

static ATOMIC(int) may_end;

static void
wait_for_leaf(Thread *th, void *arg, int index)
{
    if (index == 0) {
        retire_and_sleep(th, arg, 0);
        return;
    }
    /* An idle thread that only polls: it serves what the other handed over. */
    int64_t end = clock_monotonic_ns() + 5 * NS_PER_S;
    while (load_relaxed(&leaves_died) != load_relaxed(&leaves_made) && clock_monotonic_ns() < end)
        POLL(th);
    store_relaxed(&may_end, 1);
}

static void
test_hand_over(Thread *th)
{
    Node *box = node_new(th);
    run_threads(th, 2, wait_for_leaf, box);
    OK(load_relaxed(&leaves_made) == load_relaxed(&leaves_died),
       "what a sleeping thread retired is served by another");

    /* Nobody is online: the service thread does it. */
    long before = load_relaxed(&leaves_died);
    field_replace(th, &box->head, &box->field[1], leaf_new(th));
    field_replace(th, &box->head, &box->field[1], NULL);
    blocking_begin(th);
    for (int i = 0; i < 500 && load_relaxed(&leaves_died) == before; i++) {
        struct timespec t = clock_timespec(10 * NS_PER_MS);
        nanosleep(&t, NULL);
    }
    bool freed = load_relaxed(&leaves_died) == before + 1;
    blocking_end(th);
    OK(freed, "going offline alone gives up what was retired");
    drop(th, value_of(box));
    reclaim_flush(th);
}

/* -- back-pressure: one thread retires much, another one computes and polls -- */

static ATOMIC(size_t) peak;

static void
forget(Thread *th, void *p)
{
    (void)th;
    mem_free(p);
}

static void
retire_much(Thread *th, void *arg, int index)
{
    (void)arg;
    if (index == 1) {
        while (load_relaxed(&may_end) == 0)
            POLL(th);
        return;
    }
    for (long i = 0; i < TAP_SCALE(200000); i++) {
        retire_memory(th, mem_alloc(64), 4096, forget);
        POLL(th);
        size_t bytes = th->reclaim->open_bytes + th->reclaim->waiting_bytes;
        if (bytes > load_relaxed(&peak))
            store_relaxed(&peak, bytes);
    }
    store_relaxed(&may_end, 1);
}

static void
test_limits(Thread *th)
{
    store_relaxed(&may_end, 0);
    run_threads(th, 2, retire_much, NULL);
    OK(load_relaxed(&peak) <= RETIRE_HARD + RETIRE_SOFT, "the hard limit holds");
    printf("# peak %zu KiB\n", load_relaxed(&peak) / 1024);
}

int
main(void)
{
    Thread *th = fake_start();
    test_alone(th, "one context: the last reference frees");
    test_private(th);
    test_immutable(th);
    test_order(th);
    test_shared_chain(th, TAP_SCALE(300000), "a shared chain, one context");
    test_readers(th);
    test_alone(th, "alone after others ended: the last reference frees");
    test_shared_chain(th, TAP_SCALE(300000), "a shared chain, alone online");
    test_hand_over(th);
    test_limits(th);
    OK(live_objects(th) == 0, "nothing is left");
    fake_end(th);
    DONE();
}
