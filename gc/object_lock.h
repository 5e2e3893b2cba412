/* object_lock.h -- the one-byte lock in an object's header; see threads/mutex.h, and threads/bias.h for
 * the objects that only their owner has touched, and for those that favour a thread: those are not
 * really locked.  The byte: 0 free; a multiple of 4, free and favouring a thread; odd: held.
 *
 * The pattern of every writer of a container:
 *
 *     bool held = object_lock(o);
 *     ... change it with release stores; remember what was removed ...
 *     bool shared = object_bits(o) & BIT_SHARED;
 *     object_unlock(o, held);
 *     drop_from(th, shared, removed);
 */
#ifndef GC_OBJECT_LOCK_H
#define GC_OBJECT_LOCK_H

#include "gc/header.h"
#include "gc/refcount.h"
#include "base/assert.h"
#include "threads/bias.h"
#include "threads/mutex.h"

/* Owner, lock and BIT_SHARED of a header in one load (each is its own atomic): the owner's
 * number if the object is private and nobody holds its lock. */
static inline uint32_t
object_bias_word(const Object *o)
{
    _Static_assert(__builtin_offsetof(struct Object, owner) == 12, "owner, lock, bits");
    uint32_t word = __atomic_load_n((const uint32_t *)(const void *)&o->owner, __ATOMIC_RELAXED);
    return word & (0xffffffu | (uint32_t)BIT_SHARED << 24);
}

/* Opens a section on `o` if th need not take its lock: `o` is its own and private, or shared and
 * favours it; nobody holds the lock. */
static inline bool
object_section_begin(Thread *th, Object *o)
{
    ASSERT(load_relaxed(&th->section) == NULL);
    /* Immutable ones only while they are filled: sharing them does not wait for anybody. */
    ASSERT(!(ops_flags_of(object_ops(o)) & OPS_IMMUTABLE) || !(object_bits(o) & BIT_SHARED));
    if (LIKELY(object_bias_word(o) == load_relaxed(&th->bias))) {
        store_relaxed(&th->section, o);
        /* The other side has the machine's barrier: bias_exclude() [bias.section]. */
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        if (LIKELY(object_bias_word(o) == load_relaxed(&th->bias)))
            return true;
    } else if (LIKELY(load_relaxed(&o->lock) == load_relaxed(&th->favour))) {
        store_relaxed(&th->section, o);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* as above [bias.section] */
        if (LIKELY(load_relaxed(&o->lock) == load_relaxed(&th->favour)))
            return true;
    } else {
        return false;
    }
    store_release(&th->section, NULL); /* pairs with bias_exclude() [bias.section] */
    return false;
}

/* object_lock() of what is not open to `th`. */
bool object_lock_slow(Thread *th, Object *o);
/* object_touch() and that. */
bool object_touch_lock_slow(Thread *th, Object *o);

/* Locks `o` (a leaf lock; see above).  Returns whether its lock was really taken: pass it
 * to object_unlock(). */
static inline bool
object_lock(Object *o)
{
    if (LIKELY(load_relaxed(&threads_started) == 0))
        return false;
    Thread *th = thread_current;
    if (LIKELY(object_section_begin(th, o)))
        return false;
    return object_lock_slow(th, o);
}

static inline void
object_unlock(Object *o, bool taken)
{
    if (UNLIKELY(taken))
        byte_unlock((ByteLock *)(void *)&o->lock);
    else
        store_release(&thread_current->section, NULL); /* pairs with bias_exclude() [bias.section] */
}

/* Locks two objects (or one, given twice) in address order. */
bool object_lock_two(Object *a, Object *b);
void object_unlock_two(Object *a, Object *b, bool taken);

/* Called before reading or changing a mutable container: if `th` is not its owner
 * and it is still private, marks it shared, under its lock.  After that, what it
 * holds is given up only through the retire queue. */
void object_share_slow(Object *o);

/* Marks `o` shared whoever owns it: from now on it is read without counting. */
static inline void
object_share(Object *o)
{
    if ((load_relaxed(&o->bits) & BIT_SHARED) == 0)
        object_share_slow(o);
}

static inline void
object_touch(Thread *th, Object *o)
{
    if (UNLIKELY(load_relaxed(&o->owner) != th->id &&
                 (load_relaxed(&o->bits) & BIT_SHARED) == 0))
        object_share_slow(o);
}

/* object_touch() and object_lock() of the same object: what is open to th is its own or shared. */
static inline bool
object_touch_lock(Thread *th, Object *o)
{
    if (LIKELY(load_relaxed(&threads_started) == 0)) {
        object_touch(th, o);
        return false;
    }
    if (LIKELY(object_section_begin(th, o)))
        return false;
    return object_touch_lock_slow(th, o);
}

#endif
