/* shape.c -- the trees of shapes of a class; see shape.h.
 *
 * Invariant: names[0 .. used-1] of a ShapeKeys differ from one another, so that one probe
 * answers for every shape that shares it.
 * Locks: children and keys grow under the type's object lock.  Memory comes from malloc
 * outside the lock where it can be large; the small pieces of a child are made before it.
 */
#include "objects/model/shape.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "gc/collect.h"
#include "gc/reclaim.h"
#include "objects/error/error.h"
#include "objects/model/type_priv.h"
#include "threads/interp.h"

static ShapeKeys *
keys_new(uint32_t capacity)
{
    uint32_t slots = 8;
    while (slots < capacity * 2)
        slots *= 2;
    ShapeKeys *k = calloc(1, sizeof(ShapeKeys) + slots);
    if (k == NULL)
        return NULL;
    k->names = calloc(capacity, sizeof(Value));
    if (k->names == NULL) {
        free(k);
        return NULL;
    }
    k->capacity = capacity;
    k->mask = slots - 1;
    return k;
}

/* Appends a name whose reference is taken over.  The type is locked. */
static void
keys_append(ShapeKeys *k, Value STEALS name)
{
    uint32_t at = load_relaxed(&k->used);
    k->names[at] = name;
    uint32_t i = name_hash_word(name);
    while (load_relaxed(&k->index[i & k->mask]) != 0)
        i++;
    store_release(&k->index[i & k->mask], (uint8_t)(at + 1)); /* pairs with shape_find() */
    store_release(&k->used, at + 1);
}

static void
keys_free(Thread *th, void *p)
{
    ShapeKeys *k = p;
    for (uint32_t i = 0; i < k->used.raw_; i++)
        drop(th, k->names[i]);
    free(k->names);
    free(k);
}

static void
shape_free(Thread *th, void *p)
{
    (void)th;
    Shape *s = p;
    shape_index_free(s->number);
    free(s);
}

/* Gives a shape its number, one that need not be if it is `spare`. */
static bool
shape_number(Thread *th, Type *type, Shape *s, bool spare)
{
    s->number = shape_index_new(th, spare);
    s->type = type;
    return s->number != 0;
}

/* Enters a shape in the tables; from now on others find it, and its fields stay. */
static void
shape_enter(Shape *s)
{
    __atomic_store_n(&shape_info[s->number], s, __ATOMIC_RELEASE); /* pairs with shape_at() [shape.table] */
    __atomic_store_n(&shape_type[s->number], &s->type->ops, __ATOMIC_RELEASE);
}

/* The type is locked. */
static void
shape_list_locked(Type *type, Shape *s)
{
    TypeExtra *x = type->extra;
    s->next = load_relaxed(&x->shapes);
    store_release(&x->shapes, s); /* pairs with the walk in type_lookup.c */
    store_relaxed(&x->shape_count, load_relaxed(&x->shape_count) + 1);
}

/* A root that has its number goes into the tables and the type's list. */
static void
root_enter(Type *type, Shape *s)
{
    shape_enter(s);
    bool held = object_lock(&type->ops.head);
    shape_list_locked(type, s);
    object_unlock(&type->ops.head, held);
}

static Shape *
root_new(Thread *th, Type *type, uint32_t inline_capacity, bool spare)
{
    Shape *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->inline_capacity = inline_capacity;
    if (!shape_number(th, type, s, spare)) {
        free(s);
        return NULL;
    }
    root_enter(type, s);
    return s;
}

/* Numbers have run out: those of garbage are fetched.  False: that gave nothing. */
static COLD bool
promise_after_collecting(Thread *th, uint32_t n)
{
    uint32_t given = shapes_given_back();
    int64_t since = clock_monotonic_ns();
    struct timespec tick = clock_timespec(NS_PER_MS);
    /* A type that dies together with instances takes two collections, and its numbers a grace
     * period more. */
    for (int tries = 0;; tries++) {
        gc_collect(th, 2);
        reclaim_flush(th);
        if (shapes_promise(th, n, 0))
            return true;
        if (given != shapes_given_back()) {
            given = shapes_given_back(); /* others were faster */
            since = clock_monotonic_ns();
            tries = 0;
        }
        if (tries >= 2) {
            /* What others' collections hold, and others have queued, comes at their safepoints. */
            if (load_relaxed(&th->interp->thread_count) <= 1 ||
                clock_monotonic_ns() - since > 200 * NS_PER_MS)
                return false;
            blocking_begin(th);
            nanosleep(&tick, NULL);
            blocking_end(th);
        }
    }
}

Shape *
shape_root_first(Thread *th, Type *type, uint32_t inline_capacity, bool dict_mode)
{
    Shape *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    /* One more for dictionary mode, where it is another shape. */
    bool promise = type->attrs_offset != 0 && !dict_mode;
    if (!shapes_promise(th, 1 + promise, 0) &&
        (type->spec != NULL || !promise_after_collecting(th, 1 + promise))) {
        free(s);
        return NULL;
    }
    s->inline_capacity = inline_capacity;
    s->dict_mode = dict_mode;
    s->number = shape_index_promised();
    s->type = type;
    root_enter(type, s);
    TypeExtra *x = type->extra;
    store_relaxed(&x->dict_promised, promise);
    if (dict_mode)
        store_release(&x->dict_shape, s); /* pairs with shape_dict_mode() */
    return s;
}

void
shape_root_fixed(Type *type, uint32_t number)
{
    static Shape fixed[SHAPE_FIXED_END];
    Shape *s = &fixed[number];
    s->number = number;
    s->type = type;
    s->dict_mode = type->attrs_offset != 0;
    shape_info[number] = s;
    shape_type[number] = &type->ops;
    plain_store(&type->extra->shapes, s); /* at start */
    plain_store(&type->extra->shape_count, 1u);
    if (s->dict_mode)
        plain_store(&type->extra->dict_shape, s);
}

Shape *
shape_child_find(const Shape *s, Value name)
{
    for (Shape *c = load_acquire(&s->children); c; c = load_acquire(&c->sibling)) {
        if (c->keys->names[s->count] == name)
            return c;
    }
    return NULL;
}

Shape *
shape_child(Thread *th, Shape *s, Value name)
{
    Shape *c = shape_child_find(s, name);
    if (c)
        return c;
    Type *type = s->type;
    TypeExtra *x = type->extra;
    if (s->dict_mode || s->count >= SHAPE_NAMES_MAX ||
        load_relaxed(&x->shape_count) >= SHAPES_PER_TYPE)
        return NULL;
    c = calloc(1, sizeof *c);
    uint32_t capacity = s->count < 4 ? 4 : s->count < 16 ? 16 : SHAPE_NAMES_MAX;
    ShapeKeys *fresh = keys_new(capacity);
    if (c == NULL || fresh == NULL || !shape_number(th, type, c, true)) {
        if (fresh)
            keys_free(th, fresh);
        free(c); /* without a number */
        return NULL;
    }
    c->count = s->count + 1;
    c->inline_capacity = s->inline_capacity;
    retain_many(th, name, 1);

    bool held = object_lock(&type->ops.head);
    Shape *other = shape_child_find(s, name);
    if (other == NULL) {
        ShapeKeys *k = s->keys;
        if (k && load_relaxed(&k->used) == s->count && s->count < k->capacity) {
            keys_append(k, name);
        } else {
            for (uint32_t i = 0; i < s->count; i++)
                keys_append(fresh, retain(th, k->names[i]));
            keys_append(fresh, name);
            k = fresh;
            fresh = NULL;
        }
        k->refs++;
        c->keys = k;
        shape_enter(c);
        plain_store(&c->sibling, load_relaxed(&s->children)); /* not yet published */
        shape_list_locked(type, c);
        store_release(&s->children, c); /* pairs with shape_child_find() */
    }
    object_unlock(&type->ops.head, held);

    if (fresh)
        keys_free(th, fresh);
    if (other) { /* another thread was faster */
        drop(th, name);
        shape_index_free(c->number);
        free(c);
        return other;
    }
    return c;
}

Shape *
shape_dict_mode(Thread *th, Type *type)
{
    TypeExtra *x = type->extra;
    Shape *s = load_acquire(&x->dict_shape);
    if (s)
        return s;
    Shape *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        raise_memory(th);
        return NULL;
    }
    /* Who takes the promise makes it, with all that is needed in hand. */
    if (exchange_relaxed(&x->dict_promised, 0) == 0) {
        while ((s = load_acquire(&x->dict_shape)) == NULL)
            sched_yield(); /* no safepoint over there: it takes no time */
        free(fresh);
        return s;
    }
    fresh->dict_mode = true;
    fresh->type = type;
    fresh->number = shape_index_promised();
    root_enter(type, fresh);
    store_release(&x->dict_shape, fresh); /* pairs with the loads above */
    return fresh;
}

Shape *
shape_root_for(Thread *th, Type *type, uint32_t inline_capacity)
{
    for (Shape *s = load_acquire(&type->extra->shapes); s; s = s->next) {
        if (s->count == 0 && !s->dict_mode && s->inline_capacity == inline_capacity)
            return s;
    }
    return root_new(th, type, inline_capacity, true);
}

void
shape_outgrown(Thread *th, Shape *s)
{
    Type *type = s->type;
    TypeExtra *x = type->extra;
    uint32_t have = __atomic_load_n(&x->inline_capacity, __ATOMIC_RELAXED); /* looked at again under the lock */
    if (s->inline_capacity != have || have >= 30 || type->attrs_offset <= ATTRS_TAIL ||
        (type_flags(type) & TYPE_HEAP) == 0)
        return;
    uint32_t want = have + (have < 4 ? 2 : have / 2);
    if ((want - have) % 2)
        want++; /* keeps the size a multiple of 16 */
    Shape *root = shape_root_for(th, type, want);
    if (root == NULL)
        return;
    bool held = object_lock(&type->ops.head);
    if (x->inline_capacity == have) {
        __atomic_store_n(&x->inline_capacity, want, __ATOMIC_RELAXED);
        __atomic_store_n(&type->root_shape, root->number, __ATOMIC_RELEASE);
    }
    object_unlock(&type->ops.head, held);
}

void
shapes_free(Thread *th, Type *type)
{
    TypeExtra *x = type->extra;
    Shape *s = plain_load(&x->shapes); /* dying */
    plain_store(&x->shapes, NULL);
    if (exchange_relaxed(&x->dict_promised, 0))
        shapes_unpromise(1);
    bool held = load_relaxed(&threads_started) != 0;
    if (held)
        byte_lock(&types_lock); /* walks over all types, attr_sweep() */
    for (const Shape *each = s; each; each = each->next) {
        store_relaxed(&shape_version[each->number], 0u);
        __atomic_store_n(&shape_info[each->number], NULL, __ATOMIC_RELEASE);
        __atomic_store_n(&shape_type[each->number], NULL, __ATOMIC_RELEASE);
    }
    if (held)
        byte_unlock(&types_lock);
    while (s) {
        Shape *next = s->next;
        if (s->keys && --s->keys->refs == 0)
            retire_memory(th, s->keys, sizeof *s->keys, keys_free);
        retire_memory(th, s, sizeof *s, shape_free);
        s = next;
    }
}

/* -- what the evaluator's caches ask -- */

uint32_t
shape_slot_offset(uint32_t shape, Value name)
{
    const Shape *s = shape_at(shape);
    if (s == NULL || s->dict_mode || s->type->attrs_offset <= ATTRS_TAIL)
        return 0;
    int i = shape_find(s, name);
    if (i < 0 || (uint32_t)i >= s->inline_capacity)
        return 0;
    return s->type->attrs_offset + (uint32_t)offsetof(AttrPart, slots) +
           (uint32_t)i * (uint32_t)sizeof(Field);
}

uint32_t
shape_transition(Thread *th, uint32_t shape, Value name, uint32_t *offset)
{
    Shape *s = shape_at(shape);
    if (s == NULL || s->dict_mode || s->type->attrs_offset <= ATTRS_TAIL ||
        s->count >= s->inline_capacity || shape_find(s, name) >= 0)
        return 0;
    Shape *c = shape_child(th, s, name);
    if (c == NULL)
        return 0;
    *offset = s->type->attrs_offset + (uint32_t)offsetof(AttrPart, slots) +
              s->count * (uint32_t)sizeof(Field);
    return c->number;
}
