/* fork_mutex.h -- a lock of an object that may be held offline, and so by a thread that a child of
 * fork() does not have.
 *
 * In the child the first use of each such lock makes it free; who then takes it first is told that the
 * work under it was left in the middle.
 */
#ifndef MODULES_FORK_MUTEX_H
#define MODULES_FORK_MUTEX_H

#include "modules/io.h"
#include "threads/mutex.h"

typedef struct ForkMutex {
    Mutex mutex;
    ATOMIC(uint8_t) torn;        /* whoever held it was left behind: told to the next holder */
    ATOMIC(uint32_t) generation; /* [lock] renew_lock; fork generation in which it was last looked at */
} ForkMutex;

/* The first use in this process. */
void fork_mutex_renew(ForkMutex *m);

/* Locks.  False: what the lock guards is in the middle of something, for ever. */
static inline bool
fork_mutex_lock(Thread *th, ForkMutex *m)
{
    if (UNLIKELY(load_acquire(&m->generation) != load_relaxed(&io_fork_generation)))
        fork_mutex_renew(m); /* acquire: the lock is free [fork_mutex] */
    mutex_lock(th, &m->mutex);
    return LIKELY(!load_relaxed(&m->torn)) || !exchange_relaxed(&m->torn, 0);
}

static inline void
fork_mutex_unlock(ForkMutex *m)
{
    mutex_unlock(&m->mutex);
}

#endif
