/* field.h -- a reference inside a heap object that may change.
 *
 * Every Value that a published object holds and may replace is a Field, read and
 * replaced only through these functions: they hold the owner/shared/lock/retire
 * protocol (rules A6).  A Value that never changes after publication is a plain
 * `Value` marked [const]; whoever holds a reference to the object may use it.
 */
#ifndef GC_FIELD_H
#define GC_FIELD_H

#include "gc/object_lock.h"
#include "gc/reclaim.h"

typedef ATOMIC(Value) Field;

/* Before publication, or in visit/dealloc, where nobody else looks. */
static inline void
field_init(Field *f, Value STEALS v)
{
    plain_store(f, v);
}

/* The raw word: for visit(), for identity tests, and inside no_safepoint sections. */
static inline Value
field_peek(const Field *f)
{
    return load_acquire(f); /* pairs with field_replace() [field] */
}

/* A new reference to what `f` of `holder` refers to, or NULL. */
static inline Value
field_read(Thread *th, Object *holder, Field *f)
{
    object_touch(th, holder);
    Value v = load_acquire(f); /* pairs with field_replace() [field] */
    /* Nothing removed from a holder that this thread may read is given up before its
     * next safepoint, and there is none between the load and the count. */
    return v ? retain(th, v) : NULL;
}

/* Puts `v` (may be NULL) in place of what is there, which is given up. */
static inline void
field_replace(Thread *th, Object *holder, Field *f, Value STEALS v)
{
    bool held = object_touch_lock(th, holder);
    Value old = load_relaxed(f);
    store_release(f, v); /* release: pairs with field_read(), field_peek() [field] */
    bool shared = (object_bits(holder) & BIT_SHARED) != 0;
    object_unlock(holder, held);
    drop_from(th, shared, old);
}

/* The same, but the old value is returned as a new reference (NULL if none). */
static inline Value
field_exchange(Thread *th, Object *holder, Field *f, Value STEALS v)
{
    bool held = object_touch_lock(th, holder);
    Value old = load_relaxed(f);
    store_release(f, v); /* release: pairs with field_read(), field_peek() [field] */
    bool shared = (object_bits(holder) & BIT_SHARED) != 0;
    object_unlock(holder, held);
    if (old && shared) { /* a reference leaves a shared container only into the queue */
        retain(th, old);
        retire(th, old);
    }
    return old;
}

/* Stores `v` if `f` is empty; returns whether it did (then `v` is taken over). */
static inline bool
field_set_once(Thread *th, Object *holder, Field *f, Value v)
{
    bool held = object_touch_lock(th, holder);
    bool empty = load_relaxed(f) == NULL;
    if (empty)
        store_release(f, v); /* release: pairs with field_read() [field] */
    object_unlock(holder, held);
    return empty;
}

/* For visit(): */
static inline void
field_visit(const Field *f, VisitFn visit, void *arg)
{
    Value v = plain_load(f); /* stopped or dying */
    if (v)
        visit(v, arg);
}

/* For dealloc(): */
static inline void
field_drop(Thread *th, Field *f)
{
    Value v = plain_load(f); /* dying: nobody else sees it */
    plain_store(f, NULL);
    drop_null(th, v);
}

static inline void
value_visit(Value v, VisitFn visit, void *arg)
{
    if (v)
        visit(v, arg);
}

#endif
