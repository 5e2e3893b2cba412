/* park.h -- waiting on an address: the parking lot.
 *
 * A lock of one byte has no room for a queue.  Its waiters stand in a process-wide
 * hash table, in a bucket chosen by the lock's address, each sleeping on a word in its
 * own stack frame.  A bucket is held for a few instructions at a time.
 *
 *     waiter                         waker
 *     lock bucket                    lock bucket
 *     *byte still as expected?       take the first waiter of this address out
 *     stand in line, unlock, sleep   set *byte, unlock, wake it
 *
 * The test of the byte and the change of the byte both happen under the bucket's lock,
 * so no wake-up is lost.
 */
#ifndef THREADS_PARK_H
#define THREADS_PARK_H

#include "base/atomic.h"
#include "threads/futex.h"
#include "threads/os_thread.h"

typedef enum ParkResult {
    PARK_WOKEN,       /* somebody woke this waiter */
    PARK_HANDED,      /* the same, with what the waker's `decide` said */
    PARK_CHANGED,     /* the byte was not as expected: did not sleep */
    PARK_TIMEOUT,
    PARK_INTERRUPTED, /* a signal handler ran here (only if `interruptible`) */
} ParkResult;

typedef ATOMIC(uint8_t) ParkByte;

/* Sleeps while *byte is `expected`, until `deadline` (INT64_MAX: never).  Takes no other
 * lock and knows no Thread: whether the caller is online is its own business. */
ParkResult park_wait(ParkByte *byte, uint8_t expected, int64_t deadline, bool interruptible);
/* The same while the bits `mask` of *byte are all set.  The waker is told `note`.  A signal interrupts it. */
ParkResult park_wait_bits(ParkByte *byte, uint8_t mask, uint8_t note, int64_t deadline);
/* Sets and clears bits of *byte as it gets in line and sleeps, whatever *byte is.  Who wakes it, if it is PARK_HANDED, moves it to its own
 * processor: the caller has called os_pull_begin(), and calls os_pull_end().  `note`, signals: as above. */
ParkResult park_wait_pulled(ParkByte *byte, uint8_t set, uint8_t clear, uint8_t note, int64_t deadline, OsPull *pull);

/* Wakes the longest waiter on *byte, if any.  Under the bucket's lock *byte becomes
 * `if_more` when others still wait, `if_none` when not. */
void park_wake_one(ParkByte *byte, uint8_t if_more, uint8_t if_none);

/* What a waker does to *byte, under the bucket's lock, when it has taken out who waited.  True: that one's
 * result is PARK_HANDED. */
typedef struct ParkFound {
    bool any;     /* there was one */
    bool more;    /* others still wait */
    uint8_t note; /* of the one that was */
} ParkFound;
typedef bool (*ParkDecide)(ParkByte *byte, void *arg, const ParkFound *found);
typedef enum ParkWake {
    PARK_DONE,
    PARK_SLEEPS, /* the waiter is one that is pulled, and PARK_HANDED: it sleeps until the caller, about to sleep itself, calls
                  * futex_wake() on *sleeper, or until its own time is over */
    PARK_LATER,  /* it is, and may not sleep yet: nothing was done */
} ParkWake;
ParkWake park_wake_deciding(ParkByte *byte, ParkDecide decide, void *arg, FutexWord **sleeper);

/* Forgets all waiters: in the child of a fork, where none of them exists. */
void park_reset_in_child(void);


#endif
