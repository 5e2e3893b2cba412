/* fake.h -- types for tests of gc/: a node with four fields, and a leaf.
 *
 * The nodes' fields follow the field protocol.  `registers` plays the evaluator: each
 * thread has an array of words that may carry the borrowed bit, and the upgrade handler
 * turns those into counted ones.
 */
#ifndef TESTS_UNIT_GC_FAKE_H
#define TESTS_UNIT_GC_FAKE_H

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "gc/collect.h"
#include "gc/field.h"
#include "gc/gc_init.h"
#include "gc/gc_state.h"
#include "gc/heap.h"
#include "gc/pending.h"
#include "gc/reclaim.h"
#include "gc/weakref.h"
#include "base/assert.h"
#include "tests/tap.h"
#include "threads/interp.h"
#include "threads/safepoint.h"
#include "threads/stop_world.h"

enum { SHAPE_NODE = 1, SHAPE_LEAF, SHAPE_FROZEN, SHAPE_FINAL, SHAPE_WEAKREF, SHAPE_META, SHAPE_POOLED };

typedef struct Node {
    struct Object head;
    Field field[4];
    uint64_t magic;
} Node;

typedef struct Leaf {
    struct Object head;
    uint64_t magic;
} Leaf;

#define MAGIC UINT64_C(0x600dc0de600dc0de)

static ATOMIC(long) nodes_made, nodes_died, leaves_made, leaves_died, finals_run;

static void
node_visit(Object *o, VisitFn visit, void *arg)
{
    Node *n = (Node *)(void *)o;
    for (int i = 0; i < 4; i++)
        field_visit(&n->field[i], visit, arg);
}

static void
node_clear(Thread *th, Object *o)
{
    Node *n = (Node *)(void *)o;
    for (int i = 0; i < 4; i++)
        field_replace(th, o, &n->field[i], NULL);
}

static void
node_dealloc(Thread *th, Object *o)
{
    Node *n = (Node *)(void *)o;
    CHECK(n->magic == MAGIC);
    n->magic = 0;
    fetch_add_relaxed(&nodes_died, 1);
    for (int i = 0; i < 4; i++)
        field_drop(th, &n->field[i]);
}

static void
leaf_dealloc(Thread *th, Object *o)
{
    (void)th;
    CHECK(((Leaf *)(void *)o)->magic == MAGIC);
    ((Leaf *)(void *)o)->magic = 0;
    fetch_add_relaxed(&leaves_died, 1);
}

static void (*on_finalize)(Thread *th, Object *o);

static void
final_finalize(Thread *th, Object *o)
{
    fetch_add_relaxed(&finals_run, 1);
    if (on_finalize)
        on_finalize(th, o);
}

static void
weakref_visit(Object *o, VisitFn visit, void *arg)
{
    field_visit(&((WeakCell *)(void *)o)->callback, visit, arg);
}

static void
weakref_dealloc(Thread *th, Object *o)
{
    WeakCell *c = (WeakCell *)(void *)o;
    weak_cell_unlink(th, c);
    field_drop(th, &c->callback);
}

static TypeOps node_ops = {
    .ops_flags = OPS_TRACKED,
    .visit = node_visit,
    .clear = node_clear,
    .dealloc = node_dealloc,
};
static TypeOps leaf_ops = {.dealloc = leaf_dealloc};
static TypeOps frozen_ops = {
    .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
    .visit = node_visit,
    .dealloc = node_dealloc,
};
static TypeOps final_ops = {
    .ops_flags = OPS_TRACKED | OPS_FINALIZER,
    .visit = node_visit,
    .clear = node_clear,
    .finalize = final_finalize,
    .dealloc = node_dealloc,
};
static TypeOps pooled_ops = {
    .ops_flags = OPS_TRACKED | OPS_POOLED,
    .visit = node_visit,
    .clear = node_clear,
    .dealloc = node_dealloc,
};
static TypeOps weakref_ops = {
    .ops_flags = OPS_TRACKED,
    .visit = weakref_visit,
    .dealloc = weakref_dealloc,
};

static UNUSED Node *
node_new_shape(Thread *th, uint32_t shape)
{
    Object *o = object_new(th, shape, sizeof(Node));
    CHECK(o);
    ((Node *)(void *)o)->magic = MAGIC;
    fetch_add_relaxed(&nodes_made, 1);
    return (Node *)(void *)o;
}

static UNUSED Node *
node_new(Thread *th)
{
    return node_new_shape(th, SHAPE_NODE);
}

static UNUSED Value
leaf_new(Thread *th)
{
    Object *o = object_new(th, SHAPE_LEAF, sizeof(Leaf));
    CHECK(o);
    ((Leaf *)(void *)o)->magic = MAGIC;
    fetch_add_relaxed(&leaves_made, 1);
    return value_of(o);
}

static UNUSED WeakCell *
weakref_new(Thread *th, Object *to, Value callback)
{
    WeakCell *c = (WeakCell *)(void *)object_new(th, SHAPE_WEAKREF, sizeof(WeakCell));
    CHECK(c);
    field_init(&c->callback, callback);
    c->rank = callback ? WEAK_OTHER : WEAK_PLAIN_REF;
    CHECK(weak_cell_link(th, c, to));
    return c;
}

/* -- a simulated register file -- */

#define REGISTERS 8

typedef struct Frame {
    Value r[REGISTERS];
} Frame;

static UNUSED void
fake_upgrade(Thread *th)
{
    Frame *f = (Frame *)th->frame;
    for (int i = 0; f && i < REGISTERS; i++)
        if (f->r[i] && (value_bits(f->r[i]) & 7) == VALUE_BORROWED)
            f->r[i] = retain(th, value_strip(f->r[i]));
}

static UNUSED uint32_t
fake_count_borrowed(Thread *th)
{
    Frame *f = (Frame *)th->frame;
    uint32_t n = 0;
    for (int i = 0; f && i < REGISTERS; i++)
        n += f->r[i] && (value_bits(f->r[i]) & 7) == VALUE_BORROWED;
    return n;
}

/* Drops what register `i` counts and empties it. */
static UNUSED void
reg_clear(Thread *th, Frame *f, int i)
{
    Value w = f->r[i];
    f->r[i] = NULL;
    if (w && (value_bits(w) & 7) == 0)
        drop(th, w);
}

/* Reads a field of `holder` into register `i` as the evaluator does. */
static UNUSED void
reg_read(Thread *th, Frame *f, int i, Object *holder, Field *field)
{
    object_touch(th, holder);
    Value v = field_peek(field);
    Value word = NULL;
    if (v && object_is_owned(th, holder) && !(object_bits(holder) & BIT_SHARED))
        word = retain(th, v);
    else if (v)
        word = value_from_bits(value_bits(v) | VALUE_BORROWED);
    reg_clear(th, f, i);
    f->r[i] = word;
}

static UNUSED Object *
reg_object(Frame *f, int i)
{
    return f->r[i] ? value_object(value_strip(f->r[i])) : NULL;
}

/* -- start and end -- */

static UNUSED Thread *
fake_start(void)
{
    gc_init();
    shape_type[SHAPE_NODE] = &node_ops;
    shape_type[SHAPE_LEAF] = &leaf_ops;
    shape_type[SHAPE_FROZEN] = &frozen_ops;
    shape_type[SHAPE_FINAL] = &final_ops;
    shape_type[SHAPE_WEAKREF] = &weakref_ops;
    shape_type[SHAPE_POOLED] = &pooled_ops;
    safepoint_handlers.upgrade_registers = fake_upgrade;
    safepoint_handlers.count_borrowed = fake_count_borrowed;
    Interp *interp = interp_create();
    CHECK(interp);
    Thread *th = thread_create_main(interp);
    CHECK(th);
    return th;
}

static UNUSED size_t
live_objects(Thread *th)
{
    world_stop(th);
    heap_check_stopped(th->interp);
    size_t n = heap_count_live_stopped(th->interp);
    world_start(th);
    return n;
}

static UNUSED void
fake_end(Thread *th)
{
    Interp *interp = th->interp;
    thread_release(th);
    interp_free(interp);
}

/* Runs fn(th, arg) on `n` OS threads with contexts of th's interpreter; th waits offline. */
typedef struct Runner {
    Interp *interp;
    void (*fn)(Thread *th, void *arg, int index);
    void *arg;
    int index;
} Runner;

static UNUSED void *
run_one(void *p)
{
    Runner *r = p;
    Thread *th = thread_acquire(r->interp);
    CHECK(th);
    thread_attach(th);
    Frame frame = {{0}};
    th->frame = (void *)&frame;
    r->fn(th, r->arg, r->index);
    for (int i = 0; i < REGISTERS; i++)
        reg_clear(th, &frame, i);
    th->frame = NULL;
    thread_release(th);
    return NULL;
}

static UNUSED void
run_threads(Thread *th, int n, void (*fn)(Thread *th, void *arg, int index), void *arg)
{
    pthread_t os[64];
    Runner runner[64];
    for (int i = 0; i < n; i++) {
        runner[i] = (Runner){th->interp, fn, arg, i};
        CHECK(pthread_create(&os[i], NULL, run_one, &runner[i]) == 0);
    }
    blocking_begin(th);
    for (int i = 0; i < n; i++)
        pthread_join(os[i], NULL);
    blocking_end(th);
}

static UNUSED uint32_t
random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

#define POLL(th) CHECK(safepoint_poll(th))

#endif
