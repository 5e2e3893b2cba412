/* object_lock.c -- the cold halves of object locks and sharing. */
#include "gc/object_lock.h"

#include "gc/heap.h"

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
    byte_lock((ByteLock *)(void *)&a->lock);
    if (a != b)
        byte_lock((ByteLock *)(void *)&b->lock);
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
    bool held = object_lock(o);
    object_set_bits(o, BIT_SHARED);
    object_unlock(o, held);
}
