/* bias.h -- the owner of an object changes it without taking its lock, and so does the thread that a
 * shared object favours.
 *
 * An object that only its owner has touched needs no lock, until somebody else comes.  The owner
 * writes the object's address to th->section (and that of a second one to th->section_2), looks then
 * whether the object is private and its lock free, and clears the word at the end: plain stores.
 * Who comes from outside takes the object's lock, makes every running thread of the process pass a
 * memory barrier (membarrier(2)), and waits until the owner's section is another one.  Either the
 * owner then sees the lock, or the newcomer sees the section.
 *
 * The barrier costs the newcomer about a microsecond.  A thread whose objects are taken over one
 * after the other therefore loses its bias: it locks like everybody else, newcomers need no
 * barrier, and after a while it is switched on again.  A thread that is offline needs none either.
 *
 * A shared object may favour a thread: its lock byte is then that thread's `favour`.  The thread
 * enters as an owner does, by its section and a look at the byte.  Who else takes the lock
 * replaces the byte, which ends the favour, and excludes the thread as above.  Who is favoured is
 * decided in gc/object_lock.c; how many favours there are in a second, here.
 *
 * Sources: biased locking with asymmetric barriers (Dice, Moir, Scherer 2001; Russell and Detlefs,
 * OOPSLA 2006, for revocation); membarrier(2).
 */
#ifndef THREADS_BIAS_H
#define THREADS_BIAS_H

#include "threads/thread.h"

enum BiasState { BIAS_ON, BIAS_REVOKING, BIAS_OFF };

/* Threads with a higher number are not favoured: the number is in bits 2 to 7 of the lock byte. */
#define FAVOUR_ID_MAX 63

/* Called once, while the process has one thread, and again in a forked child.  Where the system has
 * no membarrier all threads stay without bias. */
void bias_init(void);

/* A context that was just made. */
void bias_start(Thread *th);

/* A second thread is about to start, the first is stopped: where there is no barrier it has no bias
 * from now on. */
void bias_before_threads(void);

/* Waits until `owner` has no section open on `object`, whose lock the caller holds.  From then on it
 * will see the lock.  The caller is not `owner`. */
void bias_exclude(Thread *owner, const void *object);

/* The same for the thread that `object` has favoured; its bias stays.  th is the caller, or NULL: if it has just got a
 * program's Lock that it waited for, the favoured thread, which probably lost it, has some time to go offline. */
void bias_exclude_favoured(Thread *th, Thread *favoured, const void *object);

/* Whether one more object may favour a thread now: taking a favour back costs some microseconds, so
 * the process gives out no more than it can afford. */
bool bias_favour_allowed(void);
/* One favour in how many ns; 0: no limit, for tests. */
extern ATOMIC(int64_t) bias_favour_every;

/* Called by th, outside a section: switches its bias on again if it has been off for some time. */
void bias_renew_slow(Thread *th);

static inline void
bias_renew(Thread *th)
{
    if (UNLIKELY(load_relaxed(&th->bias_state) == BIAS_OFF))
        bias_renew_slow(th);
}

#endif
