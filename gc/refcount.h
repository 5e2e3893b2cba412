/* refcount.h -- taking and giving up references.
 *
 * Biased reference counting (Choi, Shull, Torrellas, PACT 2018): the owner counts
 * in `local` without atomics, everybody else in `shared`.  An owner whose local
 * count reaches zero merges the halves; a foreign decrement that makes `shared`
 * negative queues the object to its owner, who merges at a safepoint.
 *
 *     retain(th, v)   one more reference; returns v
 *     drop(th, v)     one less; the object may die at once
 *
 * Immediates are ignored by both.  drop() never runs Python code: finalizers and
 * weakref callbacks go to the thread's pending list, served at the end of the
 * instruction (rules A10).  No lock is held at a drop.
 */
#ifndef GC_REFCOUNT_H
#define GC_REFCOUNT_H

#include "gc/header.h"
#include "gc/type_ops.h"
#include "threads/thread.h"

/* The cold halves. */
void object_retain_slow(Thread *th, Object *o);
void object_drop_slow(Thread *th, Object *o);
/* The owner's local count reached zero. */
void object_drop_last(Thread *th, Object *o);

static inline void
object_retain(Thread *th, Object *o)
{
    if (LIKELY(load_relaxed(&o->owner) == th->id)) {
        uint32_t n = load_relaxed(&o->local) + 1; /* only the owner writes it */
        if (UNLIKELY((int32_t)n < 0)) {
            object_retain_slow(th, o);
            return;
        }
        store_relaxed(&o->local, n);
    } else
        object_retain_slow(th, o);
}

static inline void
object_drop(Thread *th, Object *o)
{
    if (LIKELY(load_relaxed(&o->owner) == th->id)) {
        uint32_t n = load_relaxed(&o->local) - 1;
        if (UNLIKELY((int32_t)n < 0)) { /* saturated: immortal */
            object_drop_slow(th, o);
            return;
        }
        store_relaxed(&o->local, n);
        if (n == 0)
            object_drop_last(th, o);
    } else
        object_drop_slow(th, o);
}

static inline Value
retain(Thread *th, Value v)
{
    if (value_is_object(v))
        object_retain(th, value_object(v));
    return v;
}

static inline void
drop(Thread *th, Value v)
{
    if (value_is_object(v))
        object_drop(th, value_object(v));
}

/* For items of containers, among which None and its like are frequent: those need no call. */
static inline Value
retain_item(Thread *th, Value v)
{
    if (value_is_object(v) && load_relaxed(&value_object(v)->owner) != OWNER_IMMORTAL)
        object_retain(th, value_object(v));
    return v;
}

static inline void
drop_item(Thread *th, Value v)
{
    if (value_is_object(v) && load_relaxed(&value_object(v)->owner) != OWNER_IMMORTAL)
        object_drop(th, value_object(v));
}

static inline Value
retain_null(Thread *th, Value v)
{
    return v ? retain(th, v) : NULL;
}

static inline void
drop_null(Thread *th, Value v)
{
    if (v)
        drop(th, v);
}

/* Clears a C variable before giving up what it held. */
#define DROP_CLEAR(th, var)                                                    \
    do {                                                                       \
        Value dropped_ = (var);                                                \
        (var) = NULL;                                                          \
        drop_null((th), dropped_);                                             \
    } while (0)

/* Takes `n` references at once (n >= 0), saturating. */
void retain_many(Thread *th, Value v, size_t n);

/* The reference count as sys.getrefcount() shows it; a snapshot. */
int64_t object_refcount(Object *o);

/* Whether `th` holds the only reference and nobody else can reach the object by
 * an uncounted pointer: then it may be changed in place even if immutable. */
static inline bool
object_unique(Thread *th, Object *o)
{
    return load_relaxed(&o->owner) == th->id && load_relaxed(&o->local) == 1 &&
           load_acquire(&o->shared) == 0 && /* what others did before they dropped [refcount.shared] */
           (load_relaxed(&o->bits) & BIT_SHARED) == 0;
}

/* Makes the owner's half of the count join the shared half: from now on all threads count
 * in `shared`.  For objects that mostly other threads will use.  th owns `o`. */
void object_merge(Thread *th, Object *o);

/* Gives up `n` references (n > 0) to an object that is merged. */
void object_drop_many(Thread *th, Object *o, uint32_t n);

/* th has met another thread's object of a type with OPS_POOLED: its owner is asked to merge it,
 * and from then on all threads count it by what they keep in hand (credit.h).  th holds a
 * reference, or a borrowed word, and no lock; other objects may die. */
void object_pool(Thread *th, Object *o);

/* Makes `o` immortal: never counted, never freed.  Only for static objects and
 * documented cases. */
void object_make_immortal(Object *o);

/* Before an uncounted pointer to `o` (interned string, cache; weak references do it by
 * themselves) is published: makes death go through compare-and-swap (rules C7), and keeps
 * the cell readable for a grace period after it, because readers need no lock. */
void object_mark_weak(Thread *th, Object *o);

/* Whether the object's count has reached zero and it waits in a retire queue. */
static inline bool
object_is_dead(const Object *o)
{
    return load_relaxed(&o->owner) == OWNER_MERGED && load_relaxed(&o->local) == LOCAL_DEAD;
}

/* Takes a reference to an object reached by an uncounted pointer, unless it is
 * dead already.  The caller is online or holds the lock that its death takes. */
bool object_try_retain(Thread *th, Object *o);

static inline bool
object_is_owned(Thread *th, const Object *o)
{
    return load_relaxed(&o->owner) == th->id;
}

static inline uint8_t
object_bits(const Object *o)
{
    return load_relaxed(&o->bits);
}

static inline void
object_set_bits(Object *o, uint8_t bits)
{
    fetch_or_relaxed(&o->bits, bits);
}

#endif
