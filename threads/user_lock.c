/* user_lock.c -- the locks that Python programs make: waiting for them.
 *
 * A waiter is offline while it sleeps, and answers signals when it is interrupted.  No state of the
 * process.
 */
#include "threads/user_lock.h"

#include "base/clock.h"
#include "threads/blocking.h"
#include "threads/os_thread.h"
#include "threads/park.h"
#include "threads/safepoint.h"
#include "threads/signals.h"

#define FREE USER_LOCK_FREE
#define HELD USER_LOCK_HELD
#define WAITED USER_LOCK_WAITED
#define FIRST_PAUSE (4 * NS_PER_US) /* of a thread that waits for a lock, before it sleeps */
#define LAST_PAUSE (32 * NS_PER_US)

static ParkByte *
byte_of(UserLock *l)
{
    return (ParkByte *)(void *)&l->state;
}

bool
user_lock_try_slow(UserLock *l)
{
    uint8_t s = load_relaxed(&l->state);
    while (!(s & HELD))
        if (cas_acquire(&l->state, &s, (uint8_t)(s | HELD))) /* [user_lock.state] */
            return true;
    return false;
}

/* Most locks are held for a moment.  Tries a few times and leaves the byte alone for longer and
 * longer in between: whoever takes and releases it in a loop meanwhile works from its own cache,
 * and neither side goes to the kernel.  LOCK_TIMEOUT: sleep. */
static LockResult
try_awake(Thread *th, UserLock *l, int64_t deadline)
{
    int64_t now = clock_monotonic_ns();
    for (int64_t pause = FIRST_PAUSE; pause <= LAST_PAUSE && now < deadline; pause *= 2) {
        int64_t end = now + pause < deadline ? now + pause : deadline;
        do {
            for (int i = 0; i < 10; i++)
                os_pause();
            if (!safepoint_poll(th))
                return LOCK_INTERRUPTED;
            now = clock_monotonic_ns();
        } while (now < end);
        if (!user_lock_is_held(l) && user_lock_try(l))
            return LOCK_TAKEN;
    }
    return LOCK_TIMEOUT;
}

LockResult
user_lock_acquire(Thread *th, UserLock *l, int64_t deadline)
{
    if (user_lock_try(l))
        return LOCK_TAKEN;
    if (deadline == 0)
        return LOCK_TIMEOUT;
    for (;;) {
        LockResult a = try_awake(th, l, deadline);
        if (a != LOCK_TIMEOUT)
            return a;
        uint8_t s = load_relaxed(&l->state);
        if (!(s & HELD)) {
            if (user_lock_try(l))
                return LOCK_TAKEN;
            continue;
        }
        if (!(s & WAITED) && !cas_relaxed(&l->state, &s, (uint8_t)(s | WAITED)))
            continue;
        blocking_begin(th);
        ParkResult r = park_wait(byte_of(l), HELD | WAITED, deadline, true);
        blocking_end(th);
        if (user_lock_try(l))
            return LOCK_TAKEN;
        if (r == PARK_TIMEOUT)
            return LOCK_TIMEOUT;
        if (!safepoint_poll(th))
            return LOCK_INTERRUPTED;
        if (r == PARK_INTERRUPTED && !signals_check(th))
            return LOCK_INTERRUPTED;
    }
}

bool
user_lock_release_slow(UserLock *l)
{
    if (!user_lock_is_held(l))
        return false;
    park_wake_one(byte_of(l), WAITED, FREE);
    return true;
}
