/* park.c -- waiting on an address: the parking lot.
 *
 * operation x operation: everything on one bucket excludes everything else on it, by
 * the bucket's lock; a woken waiter's node is not touched after its `ready` word is
 * set, because it lies in the frame of a function that then returns.
 *
 * Process-wide state: the buckets.
 */
#include "threads/park.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/hash.h"
#include "threads/futex.h"
#include "threads/os_thread.h"

FutexResult
futex_wait(FutexWord *word, uint32_t expected, int64_t deadline)
{
    int saved = errno;
    struct timespec until, *end = NULL;
    if (deadline != INT64_MAX) {
        until = clock_timespec(deadline < 0 ? 0 : deadline);
        end = &until;
    }
    /* WAIT_BITSET takes an absolute time, WAIT a relative one. */
    long r = syscall(SYS_futex, &word->raw_, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, end,
                     NULL, FUTEX_BITSET_MATCH_ANY);
    FutexResult result = FUTEX_AGAIN;
    if (r < 0 && errno == ETIMEDOUT)
        result = FUTEX_TIMEOUT;
    else if (r < 0 && errno == EINTR)
        result = FUTEX_INTERRUPTED;
    errno = saved;
    return result;
}

void
futex_wake(FutexWord *word, int count)
{
    int saved = errno;
    syscall(SYS_futex, &word->raw_, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
    errno = saved;
}

typedef struct Waiter {
    const void *address;
    struct Waiter *next;
    FutexWord ready; /* [atomic] WOKEN or HANDED once taken out of the line by a waker */
    uint8_t note;    /* for the waker's `decide` */
    OsPull *pull;    /* it is to be moved to the waker's processor, and woken later; or NULL */
    int64_t since;   /* with `pull`: when it got in line */
} Waiter;

typedef struct Bucket {
    FutexWord lock;              /* 0 free, 1 held, 2 held and somebody sleeps */
    Waiter *first, *last;        /* [lock] */
} __attribute__((aligned(64))) Bucket;

enum { WOKEN = 1, HANDED = 2 };

#define BUCKETS 256
/* Until who got in line certainly sleeps: a thread that still runs is stopped to be moved, some 40 us. */
#define ASLEEP_AFTER (20 * NS_PER_US)

#define MOVED_AFTER (50 * NS_PER_US) /* who was taken out of the line as its time ended: until it is moved */

static Bucket buckets[BUCKETS];

static Bucket *
bucket_of(const void *address)
{
    return &buckets[hash_mix((uintptr_t)address) % BUCKETS];
}

static void
bucket_lock(Bucket *b)
{
    uint32_t state = 0;
    if (cas_acquire(&b->lock, &state, 1)) /* acquire: pairs with bucket_unlock() [park.bucket] */
        return;
    for (int spin = 0; spin < 40; spin++) {
        os_pause();
        state = 0;
        if (load_relaxed(&b->lock) == 0 && cas_acquire(&b->lock, &state, 1))
            return; /* acquire: as above [park.bucket] */
    }
    while (exchange_acq_rel(&b->lock, 2) != 0) /* acquire: as above [park.bucket] */
        futex_wait(&b->lock, 2, INT64_MAX);
}

static void
bucket_unlock(Bucket *b)
{
    /* release: pairs with bucket_lock() [park.bucket] */
    if (exchange_acq_rel(&b->lock, 0) == 2)
        futex_wake(&b->lock, 1);
}

/* Takes `w` out of the line; false: a waker was faster. */
static bool
bucket_remove(Bucket *b, Waiter *w)
{
    Waiter *before = NULL;
    for (Waiter *at = b->first; at; before = at, at = at->next) {
        if (at != w)
            continue;
        if (before)
            before->next = w->next;
        else
            b->first = w->next;
        if (b->last == w)
            b->last = before;
        return true;
    }
    return false;
}

/* In line, under the bucket's lock. */
static void
stand(Bucket *b, Waiter *w)
{
    if (b->last)
        b->last->next = w;
    else
        b->first = w;
    b->last = w;
}

/* Sleeps in line. */
static ParkResult
wait_in(Bucket *b, Waiter *self, int64_t deadline, bool interruptible)
{
    OsThread *os = os_thread_self();
    store_relaxed(&os->waiting_on, self->address);
    ParkResult result = PARK_WOKEN;
    uint32_t ready;
    while ((ready = load_acquire(&self->ready)) == 0) { /* pairs with wake() [park.ready] */
        FutexResult r = futex_wait(&self->ready, 0, deadline);
        if (r == FUTEX_AGAIN || (r == FUTEX_INTERRUPTED && !interruptible))
            continue;
        bucket_lock(b);
        bool left = bucket_remove(b, self);
        bucket_unlock(b);
        if (left) {
            result = r == FUTEX_TIMEOUT ? PARK_TIMEOUT : PARK_INTERRUPTED;
            break;
        }
        /* A waker has this waiter in hand: its wake-up comes in a moment and must not be
         * lost on somebody who gives up.  Whom it moves it need not wake. */
        deadline = self->pull != NULL ? clock_monotonic_ns() + MOVED_AFTER : INT64_MAX;
        interruptible = false;
    }
    store_relaxed(&os->waiting_on, NULL);
    return ready == HANDED ? PARK_HANDED : result;
}

static ParkResult
wait_while(ParkByte *byte, uint8_t mask, uint8_t expected, uint8_t note, int64_t deadline, bool interruptible)
{
    Waiter self = {.address = byte, .note = note};
    Bucket *b = bucket_of(byte);

    bucket_lock(b);
    if ((load_relaxed(byte) & mask) != expected) { /* relaxed: wakers change it under the same lock */
        bucket_unlock(b);
        return PARK_CHANGED;
    }
    stand(b, &self);
    bucket_unlock(b);
    return wait_in(b, &self, deadline, interruptible);
}

ParkResult
park_wait(ParkByte *byte, uint8_t expected, int64_t deadline, bool interruptible)
{
    return wait_while(byte, UINT8_MAX, expected, 0, deadline, interruptible);
}

ParkResult
park_wait_bits(ParkByte *byte, uint8_t mask, uint8_t note, int64_t deadline)
{
    return wait_while(byte, mask, mask, note, deadline, true);
}

ParkResult
park_wait_pulled(ParkByte *byte, uint8_t set, uint8_t clear, uint8_t note, int64_t deadline, OsPull *pull)
{
    Waiter self = {.address = byte, .note = note, .pull = pull, .since = clock_monotonic_ns()};
    Bucket *b = bucket_of(byte);

    bucket_lock(b);
    stand(b, &self);
    uint8_t s = load_relaxed(byte);
    while (!cas_relaxed(byte, &s, (uint8_t)((s | set) & ~clear))) /* who reads it takes the bucket's lock */
        ;
    bucket_unlock(b);
    return wait_in(b, &self, deadline, true);
}

/* `decide` NULL: *byte becomes if_more or if_none. */
static ParkWake
wake(ParkByte *byte, ParkDecide decide, void *arg, FutexWord **sleeper, uint8_t if_more,
     uint8_t if_none)
{
    Bucket *b = bucket_of(byte);
    bucket_lock(b);
    Waiter *chosen = NULL, *before = NULL, *at = b->first;
    for (; at; before = at, at = at->next)
        if (at->address == byte) {
            chosen = at;
            break;
        }
    if (chosen && decide && chosen->pull && clock_monotonic_ns() - chosen->since < ASLEEP_AFTER) {
        bucket_unlock(b);
        return PARK_LATER;
    }
    ParkFound found = {.any = chosen != NULL};
    if (chosen) {
        found.note = chosen->note;
        for (at = chosen->next; at && !found.more; at = at->next)
            found.more = at->address == byte;
        if (before)
            before->next = chosen->next;
        else
            b->first = chosen->next;
        if (b->last == chosen)
            b->last = before;
    }
    bool handed = false;
    if (decide)
        handed = decide(byte, arg, &found);
    else
        store_release(byte, found.more ? if_more : if_none); /* release: the lock's own [mutex.state] */
    bucket_unlock(b);
    if (chosen) {
        FutexWord *ready = &chosen->ready;
        OsPull *pull = handed ? chosen->pull : NULL;
        if (pull != NULL)
            os_pull(pull);
        /* release: pairs with wait_in() [park.ready] */
        store_release(ready, handed ? (uint32_t)HANDED : (uint32_t)WOKEN);
        if (pull != NULL) {
            *sleeper = ready;
            return PARK_SLEEPS;
        }
        /* The waiter may be gone already, and its frame with it: a wake-up on an address
         * where nobody sleeps does nothing, and sleepers on words allow for stray ones. */
        futex_wake(ready, 1);
    }
    return PARK_DONE;
}

void
park_wake_one(ParkByte *byte, uint8_t if_more, uint8_t if_none)
{
    (void)wake(byte, NULL, NULL, NULL, if_more, if_none);
}

ParkWake
park_wake_deciding(ParkByte *byte, ParkDecide decide, void *arg, FutexWord **sleeper)
{
    return wake(byte, decide, arg, sleeper, 0, 0);
}

void
park_reset_in_child(void)
{
    for (int i = 0; i < BUCKETS; i++) {
        store_relaxed(&buckets[i].lock, 0); /* relaxed: the only thread of the process */
        buckets[i].first = buckets[i].last = NULL;
    }
}
