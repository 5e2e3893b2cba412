/* object_lock.c -- the cold halves of object locks and sharing. */
#include "gc/object_lock.h"

#include "gc/heap.h"

/* Takes the lock of an object that may be another thread's private one, which is then between
 * two of its changes. */
static void
lock_excluding(Object *o)
{
    uint8_t free_state = 0;
    /* seq_cst: before the loads in bias_exclude() [bias.state] */
    if (!cas_seq_cst(&o->lock, &free_state, 1))
        byte_lock_slow((void *)&o->lock);
    uint32_t owner = load_relaxed(&o->owner);
    if ((load_relaxed(&o->bits) & BIT_SHARED) == 0 && owner != OWNER_MERGED &&
        owner <= THREAD_ID_MAX && owner != thread_current->id)
        bias_exclude(load_acquire(&thread_by_id[owner]), o); /* [thread.table] */
}

void
object_lock_slow(Object *o)
{
    if (object_bits(o) & BIT_SHARED)
        byte_lock_slow((void *)&o->lock);
    else
        lock_excluding(o);
}

bool
object_lock_two(Object *a, Object *b)
{
    if (load_relaxed(&threads_started) == 0)
        return false;
    if (a > b) {
        Object *t = a;
        a = b;
        b = t;
    }
    lock_excluding(a);
    if (a != b)
        lock_excluding(b);
    return true;
}

void
object_unlock_two(Object *a, Object *b, bool taken)
{
    if (!taken)
        return;
    byte_unlock((ByteLock *)(void *)&a->lock);
    if (a != b)
        byte_unlock((ByteLock *)(void *)&b->lock);
}

void
object_share_slow(Object *o)
{
    if (ops_flags_of(object_ops(o)) & OPS_IMMUTABLE) {
        /* No lock: the owner's reads do not depend on it; its death sees the bit through
         * the count that this thread, or its container, gives up (rules A5). */
        object_set_bits(o, BIT_SHARED);
        return;
    }
    /* A writer tests the bit under the lock: it sees it now, or is done before this thread
     * looks [object.shared]. */
    if (load_relaxed(&threads_started) == 0) {
        object_set_bits(o, BIT_SHARED);
        return;
    }
    lock_excluding(o);
    object_set_bits(o, BIT_SHARED);
    byte_unlock((ByteLock *)(void *)&o->lock);
}
