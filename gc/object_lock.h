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
#include "threads/safepoint.h"

/* The owner's number if the object is private and nobody holds its lock; else no context's. */
static inline uint32_t
object_bias_word(const Object *o)
{
    return object_owner_word(o) & (OWNER_WORD_OWNER | OWNER_WORD_LOCK | OWNER_WORD_SHARED);
}

/* Under a lock or in a section nothing is dropped, nobody waits, and there is no safepoint: debug builds
 * check that as they do between no_safepoint_begin() and no_safepoint_end(). */
static inline void
object_lock_entered(Thread *th)
{
    no_safepoint_begin(th);
}

static inline void
object_lock_left(Thread *th)
{
    no_safepoint_end(th);
}

/* Takes back that a section was to begin. */
static inline void
section_clear(Thread *th)
{
    store_release(&th->section, NULL); /* pairs with bias_exclude() [bias.section] */
}

/* Opens a section on `o`: true if th need not take its lock, since `o` is its own and private, or shared
 * and favours it, and nobody holds the lock.  What th sees behind the store counts.  If false, it has
 * stored in vain: object_lock_slow() takes that back.  For object_lock() and object_touch_lock(). */
static inline bool
object_section_begin(Thread *th, Object *o)
{
    ASSERT(load_relaxed(&th->section) == NULL);
    /* Immutable ones only while they are filled: sharing them does not wait for anybody. */
    ASSERT(!(ops_flags_of(object_ops(o)) & OPS_IMMUTABLE) || !(object_bits(o) & BIT_SHARED));
    store_relaxed(&th->section, o);
    /* The other side has the machine's barrier: bias_exclude() [bias.section]. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return LIKELY(object_bias_word(o) == load_relaxed(&th->bias)) ||
           LIKELY(load_relaxed(&o->lock) == load_relaxed(&th->favour));
}

static inline void
object_section_end(Thread *th)
{
    ASSERT(load_relaxed(&th->section) != NULL);
    object_lock_left(th);
    section_clear(th);
}

/* Opens a section on `o` if it is th's own and private: nobody else changes it, or reads it without
 * waiting, before object_section_end().  False: there is no section. */
static inline bool
object_section_private(Thread *th, Object *o)
{
    ASSERT(load_relaxed(&th->section) == NULL);
    ASSERT(!(ops_flags_of(object_ops(o)) & OPS_IMMUTABLE)); /* sharing those does not wait for anybody */
    store_relaxed(&th->section, o);
    /* The other side has the machine's barrier: bias_exclude() [bias.section]. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (LIKELY(object_bias_word(o) == load_relaxed(&th->bias))) {
        object_lock_entered(th);
        return true;
    }
    section_clear(th);
    return false;
}

/* object_lock() of what is not open to `th`; its section has begun in vain. */
bool object_lock_slow(Thread *th, Object *o);
/* object_touch() and that. */
bool object_touch_lock_slow(Thread *th, Object *o);

/* Locks `o` (a leaf lock; see above).  Returns whether its lock was really taken: pass it
 * to object_unlock().  Where anybody reads without the lock `o` was touched before: what leaves another thread's
 * private object would be given up at once. */
static inline bool
object_lock(Object *o)
{
    Thread *th = thread_current;
    bool held = LIKELY(object_section_begin(th, o)) ? false : object_lock_slow(th, o);
    object_lock_entered(th);
    return held;
}

/* object_unlock() by th, the current thread. */
static inline void
object_unlock_by(Thread *th, Object *o, bool taken)
{
    if (UNLIKELY(taken)) {
        object_lock_left(th);
        byte_unlock((ByteLock *)(void *)&o->lock);
    } else {
        object_section_end(th);
    }
}

static inline void
object_unlock(Object *o, bool taken)
{
    object_unlock_by(thread_current, o, taken);
}

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
    bool held = LIKELY(object_section_begin(th, o)) ? false : object_touch_lock_slow(th, o);
    object_lock_entered(th);
    return held;
}

static inline void
object_section_end_two(Thread *th)
{
    store_release(&th->section_2, NULL); /* pairs with bias_exclude() [bias.section] */
    section_clear(th);
}

/* The rest of object_touch_lock_two() and object_unlock_two(): what is locked really. */
bool object_lock_two_slow(Thread *th, Object *a, Object *b);
void object_unlock_two_slow(Object *a, Object *b);

/* object_touch_lock() of two objects (or one, given twice), in address order.  If th owns both and both
 * are private, it has a section on each; what favours th is locked, too. */
static inline bool
object_touch_lock_two(Thread *th, Object *a, Object *b)
{
    ASSERT(load_relaxed(&th->section) == NULL && load_relaxed(&th->section_2) == NULL);
    store_relaxed(&th->section, a);
    store_relaxed(&th->section_2, b);
    /* The other side has the machine's barrier: bias_exclude() [bias.section]. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    uint32_t bias = load_relaxed(&th->bias);
    bool held = LIKELY(object_bias_word(a) == bias && object_bias_word(b) == bias)
                    ? false
                    : object_lock_two_slow(th, a, b);
    object_lock_entered(th);
    return held;
}

static inline void
object_unlock_two(Thread *th, Object *a, Object *b, bool taken)
{
    object_lock_left(th);
    if (LIKELY(!taken))
        object_section_end_two(th);
    else
        object_unlock_two_slow(a, b);
}

#endif
