/* test_collect.c -- cycles, finalizers, resurrection, weak references, types, freezing. */
#include "base/clock.h"
#include "tests/unit/gc/fake.h"

/* A ring of n nodes; returns a counted reference to one. */
static Value
ring(Thread *th, int n, uint32_t shape)
{
    Node *first = node_new_shape(th, shape), *last = first;
    for (int i = 1; i < n; i++) {
        Node *next = node_new_shape(th, shape);
        field_init(&last->field[0], value_of(next));
        last = next;
    }
    field_init(&last->field[0], retain(th, value_of(first)));
    return value_of(first);
}

static size_t
collect_full(Thread *th)
{
    return gc_collect(th, 2).collected;
}

static void
test_rings(Thread *th)
{
    gc_enable(th->interp, false);
    Value a = ring(th, 1, SHAPE_NODE), b = ring(th, 10, SHAPE_NODE);
    OK(collect_full(th) == 0, "what is referenced from outside stays");
    drop(th, a);
    drop(th, b);
    OK(live_objects(th) == 11, "counts alone do not free a cycle");
    OK(collect_full(th) == 11, "the collector does");
    OK(live_objects(th) == 0, "all of it");

    Node *root = node_new(th);
    Value r = ring(th, 5, SHAPE_NODE);
    field_replace(th, &root->head, &root->field[1], r);
    OK(collect_full(th) == 0, "a ring reachable from a living object stays");
    field_replace(th, &root->head, &root->field[1], NULL);
    OK(collect_full(th) == 5, "and goes when it is not");
    drop(th, value_of(root));

    /* A tail that hangs on a ring goes with it; a ring that only refers to a living object
     * leaves that alone. */
    Node *outer = node_new(th);
    r = ring(th, 3, SHAPE_NODE);
    Node *in = (Node *)(void *)value_object(r);
    field_replace(th, &in->head, &in->field[1], leaf_new(th));
    field_replace(th, &in->head, &in->field[2], retain(th, value_of(outer)));
    drop(th, r);
    OK(collect_full(th) == 3, "a ring with a tail");
    OK(object_refcount(&outer->head) == 1, "lets go of what it referred to");
    drop(th, value_of(outer));
    OK(live_objects(th) == 0, "nothing is left");

    /* Immutable objects in cycles are freed by clearing others. */
    Node *t = node_new_shape(th, SHAPE_FROZEN), *n = node_new(th);
    field_init(&t->field[0], value_of(n));
    field_replace(th, &n->head, &n->field[0], value_of(t));
    OK(collect_full(th) == 2 && live_objects(th) == 0, "a cycle through an immutable object");
}

static void
test_generations(Thread *th)
{
    Value old = ring(th, 4, SHAPE_NODE);
    collect_full(th);
    drop(th, old);
    Value young = ring(th, 3, SHAPE_NODE);
    drop(th, young);
    OK(gc_collect(th, 0).collected == 3, "a young collection finds young garbage");
    OK(gc_collect(th, 1).collected == 0, "and no old one");
    OK(collect_full(th) == 4, "a full one finds the rest");
}

static void
test_long(Thread *th, long n)
{
    Value r = NULL;
    Node *first = node_new(th);
    r = value_of(first);
    for (long i = 1; i < n; i++) {
        Node *next = node_new(th);
        field_init(&next->field[0], r);
        r = value_of(next);
    }
    field_init(&first->field[0], retain(th, r));
    int64_t start = clock_monotonic_ns();
    OK(collect_full(th) == 0, "a long living ring");
    int64_t middle = clock_monotonic_ns();
    drop(th, r);
    OK(collect_full(th) == (size_t)n, "a long dead ring");
    int64_t end = clock_monotonic_ns();
    printf("# %ld objects: %ld ms alive, %ld ms dead\n", n, (long)((middle - start) / NS_PER_MS),
           (long)((end - middle) / NS_PER_MS));
    OK(live_objects(th) == 0, "is gone");
}

/* -- finalizers -- */

static Node *saved;

static void
resurrect(Thread *th, Object *o)
{
    if (saved == NULL)
        saved = (Node *)(void *)value_object(retain(th, value_of(o)));
}

static void
test_finalizers(Thread *th)
{
    on_finalize = NULL;
    long ran = load_relaxed(&finals_run);
    drop(th, value_of(node_new_shape(th, SHAPE_FINAL)));
    OK(load_relaxed(&finals_run) == ran, "a finalizer does not run inside drop");
    POLL(th);
    OK(load_relaxed(&finals_run) == ran + 1 && live_objects(th) == 0, "but at the safepoint");

    drop(th, ring(th, 6, SHAPE_FINAL));
    OK(collect_full(th) == 6, "a ring with finalizers");
    OK(load_relaxed(&finals_run) == ran + 7, "each ran once");

    on_finalize = resurrect;
    saved = NULL;
    drop(th, value_of(node_new_shape(th, SHAPE_FINAL)));
    POLL(th);
    OK(saved && saved->magic == MAGIC, "a finalizer may resurrect its object");
    on_finalize = NULL;
    drop(th, value_of(saved));
    POLL(th);
    OK(load_relaxed(&finals_run) == ran + 8, "its finalizer does not run again");

    saved = NULL;
    on_finalize = resurrect;
    drop(th, ring(th, 4, SHAPE_FINAL));
    OK(collect_full(th) == 0, "a resurrected ring survives");
    OK(saved->magic == MAGIC && live_objects(th) == 4, "whole");
    on_finalize = NULL;
    drop(th, value_of(saved));
    OK(collect_full(th) == 4, "and goes the next time");
    OK(load_relaxed(&finals_run) == ran + 12, "without a finalizer");
}

/* -- weak references -- */

static ATOMIC(int) callbacks;

static void
count_callback(Thread *th, Value cell, Value callback)
{
    (void)callback;
    fetch_add_relaxed(&callbacks, 1);
    CHECK(weak_cell_get(th, (WeakCell *)(void *)value_object(cell)) == NULL);
}

static void
test_weak(Thread *th)
{
    weak_callback = count_callback;
    Value v = value_of(node_new(th));
    WeakCell *plain = weakref_new(th, value_object(v), NULL);
    WeakCell *called = weakref_new(th, value_object(v), leaf_new(th));
    WeakCell *newer = weakref_new(th, value_object(v), leaf_new(th));
    Value again = weak_cell_reuse(th, value_object(v), SHAPE_WEAKREF);
    OK(again == value_of(plain), "a weak reference without callback is shared");
    drop(th, again);
    OK(weak_cells_of(value_object(v), NULL, th, NULL) == 3, "three of them");
    Value got = weak_cell_get(th, plain);
    OK(got == v, "gets the object");
    drop(th, got);
    drop(th, value_of(newer)); /* a weak reference that dies first is not called */
    drop(th, v);
    OK(weak_cell_get(th, plain) == NULL && weak_cell_get(th, called) == NULL, "cleared at death");
    OK(load_relaxed(&callbacks) == 0, "callbacks do not run inside drop");
    POLL(th);
    OK(load_relaxed(&callbacks) == 1, "but at the safepoint");
    drop(th, value_of(plain));
    drop(th, value_of(called));

    /* Into garbage: a weak reference that is garbage itself is cleared, not called. */
    Value r = ring(th, 3, SHAPE_FINAL);
    Node *n = (Node *)(void *)value_object(r);
    WeakCell *outside = weakref_new(th, &n->head, leaf_new(th));
    WeakCell *inside = weakref_new(th, &n->head, leaf_new(th));
    field_replace(th, &n->head, &n->field[3], value_of(inside));
    drop(th, r);
    store_relaxed(&callbacks, 0);
    OK(collect_full(th) == 4, "garbage with weak references");
    OK(load_relaxed(&callbacks) == 1, "only the one from outside is called");
    drop(th, value_of(outside));
    OK(live_objects(th) == 0, "nothing is left");

    /* Many on one object, many objects. */
    enum { N = 3000 };
    static WeakCell *cell[N];
    Value target[30];
    for (int i = 0; i < 30; i++)
        target[i] = value_of(node_new(th));
    for (int i = 0; i < N; i++)
        cell[i] = weakref_new(th, value_object(target[i % 30]), i % 3 ? leaf_new(th) : NULL);
    for (int i = 0; i < N; i += 2) {
        drop(th, value_of(cell[i]));
        cell[i] = NULL;
    }
    store_relaxed(&callbacks, 0);
    for (int i = 0; i < 30; i++)
        drop(th, target[i]);
    POLL(th);
    int expected = 0;
    bool dead = true;
    for (int i = 1; i < N; i += 2) {
        expected += i % 3 != 0;
        dead &= weak_cell_get(th, cell[i]) == NULL;
        drop(th, value_of(cell[i]));
    }
    OK(dead && load_relaxed(&callbacks) == expected, "many weak references to many objects");
    POLL(th);
    OK(live_objects(th) == 0, "nothing is left");
}

/* -- heap types: named by their instances without counting -- */

typedef struct FakeType {
    TypeOps ops;
    Field self; /* types are in cycles anyway */
    Field attr;
} FakeType;

static void
type_visit(Object *o, VisitFn visit, void *arg)
{
    field_visit(&((FakeType *)(void *)o)->self, visit, arg);
    field_visit(&((FakeType *)(void *)o)->attr, visit, arg);
}

static void
type_clear(Thread *th, Object *o)
{
    field_replace(th, o, &((FakeType *)(void *)o)->self, NULL);
    field_replace(th, o, &((FakeType *)(void *)o)->attr, NULL);
}

static int types_died;

static void
type_dealloc(Thread *th, Object *o)
{
    types_died++;
    field_drop(th, &((FakeType *)(void *)o)->self);
    field_drop(th, &((FakeType *)(void *)o)->attr);
}

static TypeOps meta_ops = {
    .ops_flags = OPS_TRACKED | OPS_BORN_SHARED,
    .visit = type_visit,
    .clear = type_clear,
    .dealloc = type_dealloc,
};

static FakeType *
type_new_fake(Thread *th, uint32_t *shape)
{
    shape_type[SHAPE_META] = &meta_ops;
    FakeType *t = (FakeType *)(void *)object_new(th, SHAPE_META, sizeof(*t));
    object_set_bits(&t->ops.head, BIT_DEFERRED);
    t->ops.ops_flags = OPS_TRACKED | OPS_HEAP_TYPE;
    t->ops.visit = node_visit;
    t->ops.clear = node_clear;
    t->ops.dealloc = node_dealloc;
    *shape = shape_index_new(th, false);
    shape_type[*shape] = &t->ops;
    field_init(&t->self, retain(th, value_of(t)));
    return t;
}

static void
test_types(Thread *th)
{
    uint32_t shape;
    types_died = 0;
    FakeType *t = type_new_fake(th, &shape);
    Node *n = node_new_shape(th, shape);
    drop(th, value_of(t));
    collect_full(th);
    OK(types_died == 0, "an instance keeps its type");
    drop(th, value_of(n));
    collect_full(th);
    reclaim_flush(th);
    OK(types_died == 1, "without instances it goes");

    t = type_new_fake(th, &shape);
    n = node_new_shape(th, shape);
    field_replace(th, &n->head, &n->field[0], retain(th, value_of(t)));
    field_replace(th, &t->ops.head, &t->attr, value_of(n));
    drop(th, value_of(t));
    types_died = 0;
    for (int i = 0; i < 3; i++) {
        collect_full(th);
        reclaim_flush(th);
    }
    OK(types_died == 1 && live_objects(th) == 0, "type and instance in one cycle");

    t = type_new_fake(th, &shape);
    for (int i = 0; i < 100; i++) {
        retain(th, value_of(t));
        drop(th, value_of(t));
    }
    field_replace(th, &t->ops.head, &t->self, NULL);
    drop(th, value_of(t));
    reclaim_flush(th);
    OK(types_died == 1, "a type does not die of a zero count");
    OK(object_try_retain(th, &t->ops.head), "and can still be had");
    drop(th, value_of(t));
    collect_full(th);
    reclaim_flush(th);
    OK(types_died == 2, "the collector frees it");
}

static void
test_freeze(Thread *th)
{
    Value r = ring(th, 10, SHAPE_NODE);
    gc_freeze(th);
    OK(gc_freeze_count(th->interp) == 10, "ten frozen objects");
    drop(th, r);
    Value s = ring(th, 3, SHAPE_NODE);
    drop(th, s);
    OK(collect_full(th) == 3, "frozen garbage stays, other goes");
    gc_unfreeze(th);
    OK(collect_full(th) == 10, "thawed garbage goes");
    OK(live_objects(th) == 0, "nothing is left");
}

static void
test_automatic(Thread *th)
{
    gc_enable(th->interp, true);
    GcStats before[3], after[3];
    gc_get_stats(th->interp, before);
    size_t most = 0;
    for (long i = 0; i < TAP_SCALE(300000); i++) {
        drop(th, ring(th, 2, SHAPE_NODE));
        POLL(th);
        if (i % 4096 == 0) {
            size_t n = heap_tracked_cells(th->interp);
            most = n > most ? n : most;
        }
    }
    gc_get_stats(th->interp, after);
    OK(after[0].collections > before[0].collections, "cyclic garbage is collected by itself");
    OK(most < 60000, "and does not pile up");
    printf("# %lu young, %lu middle, %lu full collections; %zu cells at most\n",
           (unsigned long)(after[0].collections - before[0].collections),
           (unsigned long)(after[1].collections - before[1].collections),
           (unsigned long)(after[2].collections - before[2].collections), most);
    collect_full(th);
    uint64_t count[3], later[3];
    gc_get_count(th->interp, count);
    Value v = value_of(node_new(th));
    gc_get_count(th->interp, later);
    OK(later[0] == count[0] + 1, "gc.get_count() counts each tracked object");
    drop(th, v);
    OK(live_objects(th) == 0, "nothing is left");
}

static void
test_no_memory(Thread *th)
{
#ifdef WEFT_DEBUG
    gc_enable(th->interp, false);
    bool ok = true;
    for (uint64_t n = 1; n < 30; n++) {
        drop(th, ring(th, 400, SHAPE_FINAL));
        mem_fail_nth(n);
        gc_collect(th, 2);
        mem_fail_nth(0);
        for (int i = 0; i < 2; i++)
            gc_collect(th, 2);
        ok &= live_objects(th) == 0;
    }
    OK(ok, "a collection that finds no memory loses nothing");
#else
    (void)th;
#endif
}

/* -- collections while others work -- */

static Node *shared_root[8];

static void
mutate(Thread *th, void *arg, int index)
{
    (void)arg;
    uint32_t seed = 77 + (uint32_t)index;
    Node *own = node_new(th);
    for (long i = 0; i < TAP_SCALE(60000); i++) {
        uint32_t r = random_next(&seed);
        Node *root = shared_root[r % 8];
        int k = (r >> 4) % 4;
        Value v = field_read(th, &root->head, &root->field[(r >> 6) % 4]);
        Node *n = node_new_shape(th, r >> 9 & 1 ? SHAPE_NODE : SHAPE_FINAL);
        if (v)
            field_replace(th, &n->head, &n->field[0], v);
        if (r >> 10 & 1) /* close a cycle */
            field_replace(th, &n->head, &n->field[1], retain(th, value_of(n)));
        if (r >> 11 & 1) {
            WeakCell *w = weakref_new(th, &n->head, r >> 12 & 1 ? leaf_new(th) : NULL);
            field_replace(th, &n->head, &n->field[2], value_of(w));
            Value got = weak_cell_get(th, w);
            CHECK(got == value_of(n));
            drop(th, got);
        }
        if (r >> 13 & 1) {
            field_replace(th, &own->head, &own->field[k], retain(th, value_of(n)));
        }
        if (r >> 14 & 3)
            field_replace(th, &root->head, &root->field[k], value_of(n));
        else {
            field_replace(th, &root->head, &root->field[k], NULL);
            drop(th, value_of(n));
        }
        POLL(th);
        if (r % 4001 == 0)
            gc_collect(th, (int)(r >> 16) % 3);
        if (r % 5003 == 0) {
            blocking_begin(th);
            sched_yield();
            blocking_end(th);
        }
    }
    drop(th, value_of(own));
}

static void
test_threads(Thread *th)
{
    weak_callback = count_callback;
    gc_enable(th->interp, true);
    for (int i = 0; i < 8; i++)
        shared_root[i] = node_new(th);
    run_threads(th, 4, mutate, NULL);
    for (int i = 0; i < 8; i++)
        drop(th, value_of(shared_root[i]));
    for (int i = 0; i < 3; i++)
        collect_full(th);
    reclaim_flush(th);
    OK(live_objects(th) == 0, "four threads make garbage while it is collected: nothing is left");
    OK(load_relaxed(&nodes_made) == load_relaxed(&nodes_died), "every node died once");
}

/* -- references that others have queued -- */

static ATOMIC(Value) to_drop;
static ATOMIC(int) dropped;

static void *
drop_it(void *interp)
{
    Thread *th = thread_acquire(interp);
    CHECK(th);
    thread_attach(th);
    drop(th, exchange_acq_rel(&to_drop, NULL));
    store_release(&dropped, 1);
    thread_release(th);
    return NULL;
}

/* Another thread gives up the last reference to a ring of th's; th has not been at a safepoint since. */
static void
test_queued(Thread *th)
{
    gc_enable(th->interp, false);
    store_relaxed(&dropped, 0);
    store_release(&to_drop, ring(th, 4, SHAPE_NODE));
    pthread_t other;
    CHECK(pthread_create(&other, NULL, drop_it, th->interp) == 0);
    while (!load_acquire(&dropped))
        sched_yield();
    OK(load_relaxed(&th->merge_count) == 1, "what another thread drops waits for its owner");
    OK(gc_collect(th, 2).collected == 4 && live_objects(th) == 0, "a full collection looks there first");
    blocking_begin(th);
    pthread_join(other, NULL);
    blocking_end(th);
}

int
main(void)
{
    Thread *th = fake_start();
    test_rings(th);
    test_generations(th);
    test_long(th, TAP_SCALE(500000));
    test_finalizers(th);
    test_weak(th);
    test_types(th);
    test_freeze(th);
    test_no_memory(th);
    test_automatic(th);
    test_threads(th);
    test_types(th); /* again, with threads_started */
    test_queued(th);
    fake_end(th);
    DONE();
}
