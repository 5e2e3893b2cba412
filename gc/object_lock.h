/* object_lock.h -- the one-byte lock in an object's header; see threads/mutex.h, and threads/bias.h for
 * the objects that only their owner has touched: those are not really locked.
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

/* object_lock() of what is not private. */
void object_lock_slow(Object *o);

/* Locks `o` (a leaf lock; see above).  Returns whether its lock was really taken: pass it
 * to object_unlock(). */
static inline bool
object_lock(Object *o)
{
    if (LIKELY(load_relaxed(&threads_started) == 0))
        return false;
    Thread *th = thread_current;
    ASSERT(load_relaxed(&th->section) == NULL);
    /* Immutable ones only while they are filled: sharing them does not wait for anybody. */
    ASSERT(!(ops_flags_of(object_ops(o)) & OPS_IMMUTABLE) || !(object_bits(o) & BIT_SHARED));
    if (LIKELY(object_bias_word(o) == load_relaxed(&th->bias))) {
        store_relaxed(&th->section, o);
        /* The other side has the machine's barrier: bias_exclude() [bias.section]. */
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        if (LIKELY(object_bias_word(o) == load_relaxed(&th->bias)))
            return false;
        store_release(&th->section, NULL); /* pairs with bias_exclude() [bias.section] */
    }
    uint8_t free_state = 0;
    if (UNLIKELY(((load_relaxed(&o->bits) & BIT_SHARED) == 0 &&
                  load_relaxed(&o->owner) != th->id) ||
                 !cas_acquire(&o->lock, &free_state, 1)))
        object_lock_slow(o);
    return true;
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

#endif
