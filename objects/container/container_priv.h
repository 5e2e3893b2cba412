/* container_priv.h -- what the files of this folder share: removed references, item arrays,
 * quick comparison, indices.
 *
 * The protocol that every mutable container here follows:
 *
 *   writers   object_touch(), object_lock(), change with release stores, read BIT_SHARED under
 *             the lock, object_unlock(), then give up what was removed: at once if the container
 *             is private, through the retire queue if it is shared.
 *   readers   object_touch(), acquire loads, retain before any safepoint.  No lock.
 *
 * A private container (BIT_SHARED clear, read under the lock or by the owner) has no reader but
 * its owner: a foreign thread sets the bit under the lock before its first look.  So its arrays
 * are moved with memmove and freed at once.
 */
#ifndef OBJECTS_CONTAINER_CONTAINER_PRIV_H
#define OBJECTS_CONTAINER_CONTAINER_PRIV_H

#include <string.h>

#include "base/assert.h"
#include "gc/field.h"
#include "gc/heap.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/native.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/protocol/step.h"
#include "objects/text/str.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

#define ITEMS_MAX ((size_t)1 << 59) /* items of a sequence that could exist */

/* Whether `o` is shared; exact under its lock. */
static inline bool
object_shared(const Object *o)
{
    return (object_bits(o) & BIT_SHARED) != 0;
}

/* Turns the container's reference to `v` into the caller's, after unlocking (rules A4). */
static inline Value
value_leave(Thread *th, bool shared, Value v)
{
    if (UNLIKELY(shared) && value_is_object(v)) {
        retain(th, v);
        retire(th, v);
    }
    return v;
}

/* Whether a == b without running Python code: FAILED means "cannot tell" (no exception). */
static inline Answer
quick_equal(Value a, Value b)
{
    if (a == b)
        return YES;
    if (value_is_object(a)) {
        if (!value_is_object(b))
            return object_shape(value_object(a)) == SHAPE_STR ? NO : FAILED;
        if (object_shape(value_object(a)) == SHAPE_STR &&
            object_shape(value_object(b)) == SHAPE_STR)
            return str_equal(a, b) ? YES : NO;
        return FAILED;
    }
    if (value_is_object(b))
        return object_shape(value_object(b)) == SHAPE_STR ? NO : FAILED;
    /* Two different immediates of one kind differ; neither NaN nor a zero is immediate. */
    return value_is_fixnum(a) == value_is_fixnum(b) ? NO : FAILED;
}

/* a is b or a == b, as containers compare; may run Python code.  Both are held. */
static inline Answer
items_equal(Thread *th, Value a, Value b)
{
    Answer quick = quick_equal(a, b);
    return LIKELY(quick != FAILED) ? quick : compare_answer(th, a, b, OP_EQ);
}

static inline int64_t
fixnum_hash(Value v)
{
    int64_t n = value_fixnum(v);
    if (LIKELY(n >= 0 && n < ((int64_t)1 << 61) - 1))
        return n;
    return int_hash(v);
}

static inline int64_t
str_hash_fast(Value s)
{
    int64_t h = load_relaxed(&as_str(s)->hash); /* a cache: every thread computes the same */
    return LIKELY(h != 0) ? h : str_hash(s);
}

/* to_hash() with the common kinds in line. */
RAISES static inline bool
value_hash(Thread *th, Value v, int64_t *hash)
{
    if (value_is_object(v)) {
        if (LIKELY(object_shape(value_object(v)) == SHAPE_STR)) {
            *hash = str_hash_fast(v);
            return true;
        }
    } else if (value_is_fixnum(v)) {
        *hash = fixnum_hash(v);
        return true;
    }
    return to_hash(th, v, hash);
}

/* Whether `v` can be an index (has __index__). */
static inline bool
is_index(Value v)
{
    return value_is_fixnum(v) || SLOT(type_of(v), index) != NULL;
}

/* An index as subscripts take it: IndexError when it does not fit. */
RAISES static inline bool
index_value(Thread *th, Value v, int64_t *i)
{
    if (LIKELY(value_is_fixnum(v))) {
        *i = value_fixnum(v);
        return true;
    }
    return to_ssize(th, v, i, &exc_IndexError);
}

static inline bool
is_slice(Value v)
{
    return is_exact(v, SHAPE_SLICE);
}

/* The tuple (start, stop, step) that a slice means for `length`, an int of any size (slice.c). */
RAISES Value slice_bounds(Thread *th, Value slice, Value length);

/* x[start:stop:step] with the bounds as slice_unpack() gives them, the step not 0. */
RAISES Value list_slice_step(Thread *th, Value list, int64_t start, int64_t stop, int64_t step);
RAISES Value tuple_slice_step(Thread *th, Value tuple, int64_t start, int64_t stop, int64_t step);
RAISES bool list_assign_slice(Thread *th, Value list, int64_t start, int64_t stop, int64_t step,
                              Value v);

/* Leaves the lock of `o`, and that of `other` if `both` were taken at once. */
static inline void
unlock_one_or_two(Thread *th, Object *o, Object *other, bool both, bool held)
{
    if (both)
        object_unlock_two(th, o, other, held);
    else
        object_unlock(o, held);
}

/* -- item arrays (list.c) -- */

/* An unpublished array for `capacity` items, not initialised; NULL with MemoryError. */
RAISES ItemArray *item_array_new(Thread *th, size_t capacity);
/* Gives up the first `capacity` items of an array (NULL ones are skipped) and its memory: at once
 * or a grace period later.  `array` may be NULL. */
void item_array_give_up(Thread *th, bool shared, ItemArray *array);
/* Frees the memory of an array whose references live elsewhere; `array` may be NULL. */
void item_array_free(Thread *th, bool shared, ItemArray *array);
/* The items of a list at one moment, counted; *n is their number.  Give it up with
 * item_array_give_up(th, false, ...) or take the references out. */
RAISES ItemArray *list_snapshot(Thread *th, Value list, size_t *n);

/* The array's slots from `from` on become NULL; it is not published. */
static inline void
clear_tail(ItemArray *a, size_t from)
{
    memset((void *)(a->items + from), 0, ((size_t)a->capacity - from) * sizeof(Field));
}

/* How many items to make room for when there must be `n`: an eighth more. */
static inline size_t
grown_capacity(size_t n)
{
    return (n + (n >> 3) + 3) | 1;
}

/* -- changing lists (list.c) -- */

/* A list that takes `a`, with its first n items, over; on failure they are given up. */
RAISES Value list_from_array(Thread *th, ItemArray *a, size_t n);
/* Makes room for `need` items in all; `exact` reserves no more than that. */
RAISES bool list_reserve(Thread *th, List *l, size_t need, bool exact);
/* Gives back memory when less than half of the array is used; not doing it is no failure. */
void list_shrink(Thread *th, List *l);
/* Replaces items lo .. hi-1 by the n items of `items`, whose references are taken over if it
 * succeeds.  Bounds are a slice's, of the length at the moment of the change: negative ones count
 * from the end, lo INT64_MAX appends. */
RAISES bool list_splice(Thread *th, List *l, int64_t lo, int64_t hi, const Value *items, size_t n);
/* list[lo:hi] = v in place, without other memory, if v is an exact tuple or another exact list of at most
 * SPLICE_ITEMS items, the array has room and at most SPLICE_SMALL items leave it.  NO: nothing was done. */
Answer list_splice_small(Thread *th, List *l, int64_t lo, int64_t hi, Value v);
enum { SPLICE_SMALL = 32, SPLICE_ITEMS = 64 * SPLICE_SMALL };

/* set_next() with the hash. */
bool set_next_hash(Thread *th, Value set, size_t *pos, Value *key, int64_t *hash);
/* list_snapshot() for the keys of a set. */
#define FROZENSET_FILLING BIT_USER /* of a frozenset: its maker has not put all items */
RAISES ItemArray *set_snapshot(Thread *th, Value set, size_t *n);

static inline size_t
item_array_bytes(size_t capacity)
{
    return sizeof(ItemArray) + capacity * sizeof(Value);
}

/* -- iterators (iterators.c) -- */

/* A new reference to a name of the builtins module. */
RAISES Value builtin_get(Thread *th, const char *name);
/* (builtins.name, args) and (builtins.name, args, state), as __reduce__ returns them; the
 * Values are taken over, NULL args make it fail with the exception set. */
RAISES Value reduce_builtin(Thread *th, const char *name, Value STEALS args);
RAISES Value reduce_builtin_state(Thread *th, const char *name, Value STEALS args,
                                  Value STEALS state);
/* The `iter` slot of iterators. */
Value iter_self(Thread *th, Value self);

/* Takes the next index of an iterator that threads may share: -1 when it is exhausted. */
static inline int64_t
iter_take_index(Thread *th, Object *o, void *cell)
{
    ATOMIC(int64_t) *index = cell;
    int64_t i;
    if (LIKELY(iter_step_begin(th, o))) {
        i = load_relaxed(index); /* the index alone decides; nothing is published by it */
        if (i >= 0)
            store_relaxed(index, i + 1);
        object_section_end(th);
        return i;
    }
    object_touch(th, o);
    i = load_relaxed(index);
    while (i >= 0 && !cas_relaxed(index, &i, i + 1)) {
    }
    return i;
}

Value tuple_iter_new(Thread *th, Value tuple);
Value list_iter_new(Thread *th, Value list);
Value list_reversed_new(Thread *th, Value list);

Answer zip_next_pair(Thread *th, Value zip, Value *first, Value *second);
bool zip_of_two(Value zip);
Answer enumerate_next_pair(Thread *th, Value it, Value *number, Value *item);

/* A bound of index(): as slices take it, but None is refused. */
RAISES static inline bool
index_bound(Thread *th, Value v, int64_t *i)
{
    if (UNLIKELY(!is_index(v))) {
        raise_type_error(th, "slice indices must be integers or have an __index__ method");
        return false;
    }
    return arg_ssize_clamped(th, v, i);
}

/* Moves words inside an array other threads may be reading. */
static inline void
fields_move(Field *to, const Field *from, size_t n, bool shared)
{
    if (LIKELY(!shared)) {
        memmove((void *)to, (const void *)from, n * sizeof(Field));
    } else if (to < from) {
        for (size_t i = 0; i < n; i++)
            store_release(&to[i], load_relaxed(&from[i])); /* pairs with list_get() [list.item] */
    } else {
        for (size_t i = n; i-- > 0;)
            store_release(&to[i], load_relaxed(&from[i])); /* pairs with list_get() [list.item] */
    }
}

/* -- methods many types share -- */
Value class_getitem(Thread *th, Value type, Value item); /* __class_getitem__ */

#endif
