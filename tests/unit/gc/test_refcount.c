/* test_refcount.c -- biased counts: one thread, many threads, saturation, long chains. */
#include "tests/unit/gc/fake.h"

static void
test_single(Thread *th)
{
    Value v = leaf_new(th);
    OK(object_refcount(value_object(v)) == 1, "a new object has one reference");
    retain(th, v);
    retain_many(th, v, 5);
    OK(object_refcount(value_object(v)) == 7, "retain counts");
    OK(!object_unique(th, value_object(v)), "seven references are not unique");
    for (int i = 0; i < 6; i++)
        drop(th, v);
    OK(object_unique(th, value_object(v)), "one reference is unique");
    long died = load_relaxed(&leaves_died);
    drop(th, v);
    OK(load_relaxed(&leaves_died) == died + 1, "the last drop frees at once");
    retain(th, value_from_fixnum(7));
    drop(th, value_from_fixnum(7));
    drop_null(th, NULL);
    OK(true, "immediates are ignored");
}

static void
test_chain(Thread *th, long length)
{
    Value chain = NULL;
    for (long i = 0; i < length; i++) {
        Node *n = node_new(th);
        field_init(&n->field[0], chain);
        chain = value_of(n);
    }
    long died = load_relaxed(&nodes_died);
    drop(th, chain);
    OK(load_relaxed(&nodes_died) == died + length, "a long chain dies without recursion");
}

static void
test_tree(Thread *th)
{
    Value level[17];
    long made = load_relaxed(&nodes_made), died = load_relaxed(&nodes_died);
    level[0] = value_of(node_new(th));
    for (int d = 1; d <= 16; d++) {
        Node *n = node_new(th);
        for (int i = 0; i < 4; i++)
            field_init(&n->field[i], i == 0 ? level[d - 1] : retain(th, level[d - 1]));
        level[d] = value_of(n);
    }
    drop(th, level[16]);
    OK(load_relaxed(&nodes_died) - died == load_relaxed(&nodes_made) - made, "a lattice dies");
}

static void
test_saturation(Thread *th)
{
    Value v = leaf_new(th);
    retain_many(th, v, (size_t)1 << 31);
    OK(load_relaxed(&value_object(v)->owner) == OWNER_IMMORTAL, "2^31 references: immortal");
    drop(th, v);
    OK(((Leaf *)(void *)value_object(v))->magic == MAGIC, "and never freed");
    Value w = leaf_new(th);
    retain_many(th, w, ((size_t)1 << 31) - 2);
    OK(object_refcount(value_object(w)) == INT32_MAX, "just below the limit is counted");
    retain(th, w);
    OK(load_relaxed(&value_object(w)->owner) == OWNER_IMMORTAL, "one more: immortal");
}

/* -- four threads hand objects round, keep and drop references -- */

#define SLOTS 64
static Value slots[SLOTS];
static ByteLock slot_lock[SLOTS];

static void
hand_round(Thread *th, void *arg, int index)
{
    (void)arg;
    uint32_t seed = 1 + (uint32_t)index;
    Value mine[16] = {NULL};
    for (long i = 0; i < TAP_SCALE(400000); i++) {
        uint32_t r = random_next(&seed);
        uint32_t k = r % SLOTS;
        Value *own = &mine[(r >> 8) % 16];
        switch (r >> 20 & 3) {
        case 0: { /* put a new object into a slot: its owner is this thread */
            Value fresh = leaf_new(th);
            byte_lock(&slot_lock[k]);
            Value old = slots[k];
            slots[k] = fresh;
            byte_unlock(&slot_lock[k]);
            drop_null(th, old);
            break;
        }
        case 1: /* take a reference out of a slot */
            byte_lock(&slot_lock[k]);
            Value v = slots[k] ? retain(th, slots[k]) : NULL;
            byte_unlock(&slot_lock[k]);
            drop_null(th, *own);
            *own = v;
            break;
        case 2: /* move one's own reference into a slot */
            byte_lock(&slot_lock[k]);
            Value was = slots[k];
            slots[k] = *own;
            byte_unlock(&slot_lock[k]);
            *own = was;
            break;
        default:
            if (*own) {
                CHECK(((Leaf *)(void *)value_object(*own))->magic == MAGIC);
                retain(th, *own);
                drop(th, *own);
            }
        }
        if (i % 128 == 0)
            POLL(th);
        if (i % 10000 == 0) { /* now and then offline: others must merge for us */
            blocking_begin(th);
            sched_yield();
            blocking_end(th);
        }
    }
    for (int i = 0; i < 16; i++)
        drop_null(th, mine[i]);
}

static void
test_threads(Thread *th)
{
    run_threads(th, 4, hand_round, NULL);
    for (int i = 0; i < SLOTS; i++) {
        drop_null(th, slots[i]);
        slots[i] = NULL;
    }
    POLL(th);
    OK(live_objects(th) == 0, "four threads: nothing but immortals is left");
    OK(load_relaxed(&leaves_made) - load_relaxed(&leaves_died) == 2, "each was freed once");
}

/* -- the owner is offline: others merge for it -- */

static Value handed;

static void
drop_handed(Thread *th, void *arg, int index)
{
    (void)arg;
    (void)index;
    drop(th, handed);
}

static void
test_offline_owner(Thread *th)
{
    handed = leaf_new(th);
    long died = load_relaxed(&leaves_died);
    run_threads(th, 1, drop_handed, NULL); /* th is offline meanwhile */
    OK(load_relaxed(&leaves_died) == died + 1, "a foreign thread frees for a detached owner");
}

/* -- objects whose references threads keep in hand -- */

static Value pooled[SLOTS];

static void
use_pooled(Thread *th, void *arg, int index)
{
    (void)arg;
    uint32_t seed = 77 + (uint32_t)index;
    Value mine[16] = {NULL};
    for (long i = 0; i < TAP_SCALE(200000); i++) {
        uint32_t r = random_next(&seed);
        uint32_t k = r % SLOTS;
        Value *own = &mine[(r >> 8) % 16];
        if ((r >> 20 & 63) == 0) { /* a new one, which may hold another */
            Node *n = node_new_shape(th, SHAPE_POOLED);
            if (r >> 30 & 1)
                field_init(&n->field[0], retain_null(th, *own));
            else if (r >> 29 & 1)
                field_init(&n->field[0], retain(th, value_of(n))); /* for the collector */
            byte_lock(&slot_lock[k]);
            Value old = pooled[k];
            pooled[k] = value_of(n);
            byte_unlock(&slot_lock[k]);
            drop_null(th, old);
        } else if (r >> 20 & 1) {
            byte_lock(&slot_lock[k]);
            Value v = retain_null(th, pooled[k]);
            byte_unlock(&slot_lock[k]);
            drop_null(th, *own);
            *own = v;
        } else if (*own) {
            CHECK(((Node *)(void *)value_object(*own))->magic == MAGIC);
            object_pool(th, value_object(*own));
            retain(th, *own);
            retain(th, *own);
            drop(th, *own);
            drop(th, *own);
        }
        if (i % 128 == 0)
            POLL(th);
        if (i % 5000 == 0) {
            blocking_begin(th);
            sched_yield();
            blocking_end(th);
        }
        if (i % 20000 == 10000)
            gc_collect(th, 2);
    }
    for (int i = 0; i < 16; i++)
        drop_null(th, mine[i]);
}

static void
test_pooled(Thread *th)
{
    run_threads(th, 4, use_pooled, NULL);
    for (int i = 0; i < SLOTS; i++)
        DROP_CLEAR(th, pooled[i]);
    gc_collect(th, 2);
    reclaim_flush(th);
    OK(load_relaxed(&nodes_made) == load_relaxed(&nodes_died), "pooled objects die once each");
}

static void
touch_handed(Thread *th, void *arg, int index)
{
    (void)arg;
    (void)index;
    Object *o = value_object(handed);
    object_pool(th, o); /* the owner is offline */
    OK(load_relaxed(&o->owner) == OWNER_POOLED, "an object is pooled for a detached owner");
    retain(th, handed);
    uint32_t before = load_relaxed(&o->shared);
    drop(th, handed); /* kept */
    OK(load_relaxed(&o->shared) == before, "a drop keeps the reference");
    OK(object_refcount(o) == 1, "which is not shown");
    retain(th, handed);
    OK(load_relaxed(&o->shared) == before, "and the next one comes from there");
    drop(th, handed);
}

static void
test_pooled_alone(Thread *th)
{
    Node *n = node_new_shape(th, SHAPE_POOLED);
    Object *o = &n->head;
    handed = value_of(n);
    run_threads(th, 1, touch_handed, NULL);
    OK(object_refcount(o) == 1 && load_relaxed(&o->shared) == (SHARED_ONE | SHARED_MERGED),
       "a thread that ends gives back what it kept");
    retain(th, handed);
    drop(th, handed);
    long died = load_relaxed(&nodes_died);
    drop(th, handed);
    reclaim_flush(th);
    OK(load_relaxed(&nodes_died) == died + 1, "the last reference that is not kept lets it die");
    n = node_new_shape(th, SHAPE_POOLED);
    o = &n->head;
    field_init(&n->field[0], retain(th, value_of(n)));
    object_merge(th, o);
    retain(th, value_of(n));
    drop(th, value_of(n)); /* kept */
    drop(th, value_of(n)); /* kept: only its own field refers to it now */
    gc_collect(th, 0);
    reclaim_flush(th);
    OK(load_relaxed(&nodes_died) == died + 2, "the collector leaves out what is kept");
}

static void
test_try_retain(Thread *th)
{
    Value v = leaf_new(th);
    Object *o = value_object(v);
    object_mark_weak(th, o);
    OK(object_try_retain(th, o), "a living object can be had by an uncounted pointer");
    OK(object_refcount(o) == 2, "and is counted then");
    drop(th, v);
    no_safepoint_begin(th);
    no_safepoint_end(th);
    drop(th, v);
    OK(!object_try_retain(th, o), "a dead one cannot; its header is still there");
    POLL(th);
}

int
main(void)
{
    Thread *th = fake_start();
    test_single(th);
    test_chain(th, TAP_SCALE(2000000));
    test_tree(th);
    test_try_retain(th);
    test_saturation(th);
    test_threads(th);
    test_offline_owner(th);
    test_pooled_alone(th);
    test_pooled(th);
    OK(load_relaxed(&nodes_made) == load_relaxed(&nodes_died), "every node died once");
    fake_end(th);
    DONE();
}
