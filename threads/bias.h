/* bias.h -- the owner of an object changes it without taking its lock.
 *
 * An object that only its owner has touched needs no lock, until somebody else comes.  The owner
 * writes the object's address to th->section, looks once more whether the object is private and
 * its lock free, and clears th->section at the end: plain stores.  Who comes from outside takes
 * the object's lock, makes every running thread of the process pass a memory barrier
 * (membarrier(2)), and waits until the owner's section is another one.  Either the owner then
 * sees the lock, or the newcomer sees the section.
 *
 * The barrier costs the newcomer about a microsecond.  A thread whose objects are taken over one
 * after the other therefore loses its bias: it locks like everybody else, newcomers need no
 * barrier, and after a while it is switched on again.  A thread that is offline needs none either.
 *
 * Sources: biased locking with asymmetric barriers (Dice, Moir, Scherer 2001; Russell and Detlefs,
 * OOPSLA 2006, for revocation); membarrier(2).
 */
#ifndef THREADS_BIAS_H
#define THREADS_BIAS_H

#include "threads/thread.h"

enum BiasState { BIAS_ON, BIAS_REVOKING, BIAS_OFF };

/* Called once, while the process has one thread, and again in a forked child.  Where the system has
 * no membarrier all threads stay without bias. */
void bias_init(void);

/* A context that was just made. */
void bias_start(Thread *th);

/* Waits until `owner` has no section open on `object`, whose lock the caller holds.  From then on it
 * will see the lock.  The caller is not `owner`. */
void bias_exclude(Thread *owner, const void *object);

/* Called by th, outside a section: switches its bias on again if it has been off for some time. */
void bias_renew_slow(Thread *th);

static inline void
bias_renew(Thread *th)
{
    if (UNLIKELY(load_relaxed(&th->bias_state) == BIAS_OFF))
        bias_renew_slow(th);
}

#endif
