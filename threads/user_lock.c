/* user_lock.c -- the locks that Python programs make: waiting for them.
 *
 * Moving a lock and what it guards to another processor takes longer than a short block under it.
 * So a waiter first looks for a few microseconds, without touching the lock.  If nobody takes it
 * again, it is the waiter's as soon as it is free.  If others take it again and again (its `turns`
 * go up quickly), they are left alone for a while: the waiter sleeps for PATIENCE by the clock, so
 * that no release has to wake it, and then takes the lock as soon as it sees it free.  Where threads
 * do nothing but take the same lock, each of these passes costs some microseconds of cold caches:
 * the time doubles from one pass to the next, up to PATIENCE << BUSY_MAX, while they come as fast as
 * that allows, and the lock is taken thousands of times in between; the waiter looks every SLICE, or
 * four times in all, whether it still is, and ends its patience if not; a thread that blocks or ends wakes who naps, as it
 * may be the one that took the lock so often.  Who has just lost the lock to a patient waiter looks
 * a little longer, until that one takes it often: so no release has to wake it either.
 *
 * Turns of a millisecond and more stay on one processor: it is awake, and what the threads share is in its
 * caches.  The patient waiter does not take the lock itself but gets in line, even if the lock is free in that
 * moment, to be handed it by the next release, which has the kernel move it to its own processor while it
 * sleeps (os_pull()), and lets it sleep on until the thread that lost the lock, wanting it again, is
 * about to sleep.  If that does not come, the waiter wakes up by itself after PULL_TIME; the lock is its own by
 * then.  docs/decisions/0010.
 *
 * In such turns the lock is its thread's own (TURN): docs/decisions/0011.  A waiter that gets in line need not end
 * the turn: the next release sees it.  That there is a next one is not certain, so it ends the turn if the lock is not in use,
 * and else sleeps by the clock.
 *
 * One waiter at a time does that (AWAKE); others sleep in the parking lot, and the first release after it has
 * got the lock wakes the next.  A waiter that was woken, or was patient, and still did not get the
 * lock sets HAND: the next release that wakes somebody passes the lock on without making it free.
 * So a lock that is released from time to time is had after a bounded number of turns.
 *
 * Sources: S. Boyd-Wickizer et al. (OLS 2012) on what a contended hand-over costs; Go's sync.Mutex
 * (one awake waiter, none woken beside it; after a millisecond the lock is handed over); WebKit's
 * WTF::Lock and ParkingLot (barging, and fairness now and then).
 *
 * AWAKE is a hint that holds releases back.  Who has set it takes it away when it takes the lock,
 * gives up or goes to sleep; two may believe that it is theirs, which wakes one waiter more than
 * necessary.  The thread may also be gone (a fork): a sleeper that found AWAKE set wakes up by itself
 * and does its work.
 *
 * Process-wide state: whether somebody naps.
 */
#include "threads/user_lock.h"

#include "base/clock.h"
#include "threads/blocking.h"
#include "threads/futex.h"
#include "threads/os_thread.h"
#include "threads/park.h"
#include "threads/safepoint.h"
#include "threads/signals.h"

#define HELD USER_LOCK_HELD
#define WAITED USER_LOCK_WAITED
#define AWAKE USER_LOCK_AWAKE
#define HAND USER_LOCK_HAND
#define TURN USER_LOCK_TURN

#define LOOK_EVERY (1 * NS_PER_US)   /* the first looks of a waiter */
#define LOOKS 10                     /* until it goes to sleep, while that has paid lately */
#define PROBE_EVERY 8                /* waits with all looks while it has not */
#define LOOKS_PASSED 30              /* of one that has just lost the lock to a patient waiter */
#define STILL 3                      /* looks in which it has to be free all the time for that one */
#define BUSY 3                       /* turns between two looks, from which on it is patient */
#define PATIENCE (125 * NS_PER_US)   /* at first */
#define BUSY_MAX 6                   /* doublings */
#define BUSY_TURN 200                /* ns: a lock that is taken less often is not left alone for longer */
#define PULL 3                       /* doublings, from which on who was patient goes on where the other ran */
#define PULL_TIME (200 * NS_PER_US)  /* how long it waits for being moved */
#define SLICE (1 * NS_PER_MS)        /* until it looks, at least: each sleep costs some 20 us of a processor */
#define GRAB (20 * NS_PER_US)        /* how long it tries after that */
#define DOUBT (20 * NS_PER_MS)       /* whether who has set AWAKE still exists, and the lock is still released */

/* One wait. */
typedef struct Wait {
    Thread *th;
    UserLock *lock;
    int64_t deadline;
    bool mine;      /* this thread has set AWAKE, or was woken with it */
    bool used;      /* others took it while this thread looked */
    bool tried;     /* in vain, after it was woken or was patient */
    bool pull;      /* it has been patient for long: the holder shall have it woken where it runs itself */
} Wait;

static ParkByte *
byte_of(UserLock *l)
{
    return (ParkByte *)(void *)&l->state;
}

void
user_lock_begin_turn(Thread *th, UserLock *l)
{
    uint8_t tag = load_relaxed(&th->favour), s = load_relaxed(&l->state);
    if (tag == FAVOUR_NONE || (s & TURN))
        return;
    store_relaxed(&l->inside, 1);
    while (!cas_acq_rel(&l->state, &s, (uint8_t)(s | TURN))) /* release: `inside` [user_lock.turn] */
        ;
    store_release(&l->favour, tag); /* pairs with end_turn() [user_lock.turn] */
}

/* Ends the turn, if there is one: the state alone says then whether the lock is held.  The caller has no
 * section. */
static void
end_turn(Thread *th, UserLock *l)
{
    ASSERT(th == NULL || load_relaxed(&th->section) == NULL);
    uint32_t favoured;
    while (load_acquire(&l->state) & TURN) { /* pairs with the end below [user_lock.turn] */
        /* Before the loads in bias_exclude_favoured() [bias.state]; pairs with the turn's beginning [user_lock.turn] */
        favoured = exchange_seq_cst(&l->favour, 0) >> 2;
        if (favoured == 0) { /* it has only begun, or somebody else ends it */
            os_yield();
            continue;
        }
        if (th == NULL || favoured != th->id)
            bias_exclude_favoured(th, load_acquire(&thread_by_id[favoured]), l); /* [thread.table] */
        bool held = load_relaxed(&l->inside);
        uint8_t s = load_relaxed(&l->state);
        while (!cas_acq_rel(&l->state, &s, (uint8_t)(s & ~TURN))) /* release: to who waits above [user_lock.turn] */
            ;
        if (!held) /* the caller holds it now */
            (void)user_lock_release_slow(th, l);
        return;
    }
}

static bool
take(Wait *w)
{
    UserLock *l = w->lock;
    uint8_t s = load_relaxed(&l->state);
    if ((s & TURN) && !user_lock_is_held(l)) {
        end_turn(w->th, l);
        s = load_relaxed(&l->state);
    }
    while (!(s & HELD)) {
        uint8_t to = (uint8_t)((s | HELD) & ~(w->mine ? AWAKE : 0u));
        if (cas_acquire(&l->state, &s, to)) { /* pairs with the release [user_lock.state] */
            user_lock_taken(l);
            w->mine = false;
            return true;
        }
    }
    return false;
}

/* The wait ends without the lock.  What a release has left to this waiter goes to another one.
 * LOCK_TAKEN: it was free now, and is kept if `keep`. */
static LockResult
give_up(Wait *w, LockResult result, bool keep)
{
    UserLock *l = w->lock;
    while (w->mine) {
        if (take(w)) {
            if (keep)
                return LOCK_TAKEN;
            user_lock_release(w->th, l); /* wakes somebody if somebody sleeps */
            break;
        }
        uint8_t s = load_relaxed(&l->state);
        if ((s & HELD) && cas_relaxed(&l->state, &s, (uint8_t)(s & ~AWAKE)))
            w->mine = false;
    }
    return result;
}

/* After a pause: LOCK_INTERRUPTED if an exception is set now, LOCK_TAKEN if not. */
static LockResult
answer_requests(Thread *th, bool interrupted)
{
    if (!safepoint_poll(th) || (interrupted && !signals_check(th)))
        return LOCK_INTERRUPTED;
    return LOCK_TAKEN;
}

typedef enum Look { LOOK_TOOK, LOOK_BUSY, LOOK_HELD, LOOK_RAISED } Look;

/* Whether somebody who was patient took the lock within the last 65 to 130 us.  It will be busy again
 * in a moment, in other caches: who wants it now need not sleep for a release to wake it. */
static bool
just_passed(UserLock *l, int64_t now)
{
    return load_relaxed(&l->busy) > 0 && (uint32_t)(now >> 16) - load_relaxed(&l->passed) <= 1;
}

/* Wakes whom this thread has handed a lock. */
static void
wake_sleeper(Thread *th)
{
    FutexWord *sleeper = th->lock_sleeper;
    if (sleeper == NULL)
        return;
    th->lock_sleeper = NULL;
    futex_wake(sleeper, 1); /* its frame may be gone: see park.c */
}

/* th wants the lock that it has just handed to somebody who will keep it for some time, and who is to be woken
 * where th runs now.  If it has handed on another one, or long ago, that one's new holder is woken now. */
static bool
just_handed(Thread *th, UserLock *l, int64_t now)
{
    if (th->lock_sleeper == NULL)
        return false;
    if (th->lock_handed == l && just_passed(l, now))
        return true;
    wake_sleeper(th);
    return false;
}

/* Waits awake, looking now and then.  Where whoever holds the locks seldom runs meanwhile (the
 * processors are busy) that only costs time: once it has failed, one look has to do for a while. */
static Look
look(Wait *w)
{
    Thread *th = w->th;
    UserLock *l = w->lock;
    int64_t now = clock_monotonic_ns();
    if (just_handed(th, l, now))
        return LOOK_BUSY;
    bool passed = just_passed(l, now);
    bool probe = !passed && (th->lock_luck || th->lock_looks++ % PROBE_EVERY == 0);
    int looks = passed ? LOOKS_PASSED : probe ? LOOKS : 1;
    uint32_t turns = load_relaxed(&l->turns);
    int still = 0;
    for (int i = 0; i < looks && now < w->deadline; i++) {
        int64_t end = now + LOOK_EVERY;
        /* Offline: whoever has the lock now and changes what favoured this thread needs no barrier. */
        safepoint_upgrade(th);
        thread_offline(th);
        do {
            for (int k = 0; k < 8; k++)
                os_pause();
            now = clock_monotonic_ns();
        } while (now < end);
        thread_online(th);
        uint32_t n = load_relaxed(&l->turns);
        if (n - turns >= BUSY)
            return LOOK_BUSY;
        still = n == turns && !user_lock_is_held(l) ? still + 1 : 0;
        turns = n;
        if (still >= (passed ? STILL : 0) && !user_lock_is_held(l) && take(w)) {
            if (!passed)
                th->lock_luck = probe;
            return LOOK_TOOK;
        }
        if (!safepoint_poll(th))
            return LOOK_RAISED;
    }
    if (probe)
        th->lock_luck = 0;
    return LOOK_HELD;
}

FutexWord thread_naps;

void
thread_rests_slow(Thread *th)
{
    wake_sleeper(th);
    if (exchange_relaxed(&thread_naps, 0) != 0)
        futex_wake(&thread_naps, FUTEX_ALL);
}

/* Whether nobody takes or releases the lock for two microseconds. */
static bool
is_free(UserLock *l)
{
    uint32_t turns = load_relaxed(&l->turns);
    int64_t end = clock_monotonic_ns() + 2 * LOOK_EVERY;
    do {
        if (user_lock_is_held(l) || load_relaxed(&l->turns) != turns)
            return false;
        os_pause();
    } while (clock_monotonic_ns() < end);
    return true;
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

typedef enum Nap { NAP_BUSY, NAP_RESTS, NAP_RAISED } Nap;

/* Sleeps by the clock.  NAP_RESTS: meanwhile a thread has blocked or ended, and since then nobody takes
 * the lock. */
static Nap
nap(Wait *w, int64_t until)
{
    FutexWord nobody = {0}, *word = &thread_naps;
    store_relaxed(word, 1);
    do {
        thread_detach(w->th);
        wake_sleeper(w->th);
        FutexResult r = futex_wait(word, word == &nobody ? 0 : 1, until);
        thread_attach(w->th);
        if (answer_requests(w->th, r == FUTEX_INTERRUPTED) == LOCK_INTERRUPTED)
            return NAP_RAISED;
        if (r == FUTEX_AGAIN && is_free(w->lock))
            return NAP_RESTS;
        word = &nobody;
    } while (clock_monotonic_ns() < until);
    return NAP_BUSY;
}

/* Leaves the lock alone for a while.  False: an exception is set. */
static bool
leave_alone(Wait *w)
{
    UserLock *l = w->lock;
    int64_t now = clock_monotonic_ns();
    unsigned busy = load_relaxed(&l->busy); /* relaxed: hints */
    int64_t since = (int64_t)((uint32_t)(now >> 16) - load_relaxed(&l->passed)) << 16;
    if (since > 4 * (PATIENCE << busy))
        busy = 0;
    int64_t enough = now + (PATIENCE << busy), end = earlier(enough, w->deadline);
    /* It wakes up on the holder's processor if it has been the holder there. */
    int64_t slice = (PATIENCE << busy) / (w->th->lock_sleeper != NULL ? 2 : 4);
    slice = slice > SLICE ? slice : SLICE;
    while (now < end) {
        uint32_t turns = load_relaxed(&l->turns);
        int64_t from = now;
        Nap slept = nap(w, earlier(now + slice, end));
        if (slept == NAP_RAISED)
            return false;
        now = clock_monotonic_ns();
        if (slept == NAP_RESTS || (int64_t)(load_relaxed(&l->turns) - turns) * BUSY_TURN < now - from) {
            /* Nobody wants it any more, or the holder has lost its processor. */
            store_relaxed(&l->busy, (uint8_t)(busy > 0 ? busy - 1 : 0));
            return true;
        }
    }
    w->pull = end == enough && busy >= PULL;
    if (end == enough)
        store_relaxed(&l->busy, (uint8_t)(busy < BUSY_MAX ? busy + 1 : BUSY_MAX));
    return true;
}

/* Leaves the lock alone for a while and then takes it.  LOCK_TIMEOUT: not got. */
static LockResult
be_patient(Wait *w)
{
    UserLock *l = w->lock;
    if (!leave_alone(w))
        return LOCK_INTERRUPTED;
    int64_t now = clock_monotonic_ns(), end = now + GRAB;
    store_relaxed(&l->passed, (uint32_t)(now >> 16));
    if (w->pull)
        return LOCK_TIMEOUT;
    do {
        for (int i = 0; i < 32; i++) {
            if (!user_lock_is_held(l) && take(w))
                return LOCK_TAKEN;
            os_pause();
        }
    } while (clock_monotonic_ns() < end);
    return LOCK_TIMEOUT;
}

/* Sets AWAKE for this waiter, if nobody else has. */
static bool
claim_awake(Wait *w)
{
    UserLock *l = w->lock;
    uint8_t s = load_relaxed(&l->state);
    while (!w->mine && (s & (HELD | AWAKE)) == HELD)
        w->mine = cas_relaxed(&l->state, &s, (uint8_t)(s | AWAKE));
    return w->mine;
}

/* Stands in line for the next release, which moves this thread to the processor of who releases, even if the lock
 * is free now: it will be taken again in a moment. */
static ParkResult
wait_pulled(Wait *w, OsPull *pull)
{
    uint8_t clear = w->mine ? AWAKE : 0;
    w->mine = false;
    uint8_t note = load_relaxed(&w->th->favour);
    blocking_begin(w->th);
    ParkResult r = park_wait_pulled(byte_of(w->lock), WAITED | HAND, clear, note,
                                    earlier(w->deadline, clock_monotonic_ns() + PULL_TIME), pull);
    os_pull_end(pull);
    blocking_end(w->th);
    return r;
}

/* Sleeps in the parking lot until a release wakes this waiter.  LOCK_TIMEOUT: look again. */
static LockResult
park(Wait *w)
{
    UserLock *l = w->lock;
    OsPull pull;
    ParkResult r;
    wake_sleeper(w->th);
    if (w->pull && os_pull_begin(&pull)) {
        r = wait_pulled(w, &pull);
    } else {
        uint8_t s = load_relaxed(&l->state), to;
        do {
            if ((s & TURN) && !w->used) {
                end_turn(w->th, l);
                s = load_relaxed(&l->state);
            }
            if (!(s & HELD))
                return take(w) ? LOCK_TAKEN : LOCK_TIMEOUT;
            to = (uint8_t)((s | WAITED | (w->tried ? HAND : 0u)) & ~(w->mine ? AWAKE : 0u));
        } while (to != s && !cas_relaxed(&l->state, &s, to));
        w->mine = false;
        int64_t until = w->deadline;
        if (to & (AWAKE | TURN))
            until = earlier(until, clock_monotonic_ns() + DOUBT);
        uint8_t note = load_relaxed(&w->th->favour);
        blocking_begin(w->th);
        r = park_wait_bits(byte_of(l), HELD | WAITED, note, until);
        blocking_end(w->th);
        if (r == PARK_TIMEOUT && until < w->deadline && (to & AWAKE)) /* that is this waiter's now */
            w->mine = true;
    }
    if (r == PARK_HANDED) {
        user_lock_taken(l);
        return LOCK_TAKEN;
    }
    if (r == PARK_WOKEN)
        w->mine = true;
    w->tried = r == PARK_WOKEN || w->pull;
    w->pull = false;
    return answer_requests(w->th, r == PARK_INTERRUPTED) == LOCK_INTERRUPTED ? LOCK_INTERRUPTED
                                                                            : LOCK_TIMEOUT;
}

static LockResult
acquire_slow(Thread *th, UserLock *l, int64_t deadline)
{
    Wait w = {.th = th, .lock = l, .deadline = deadline};
    for (;;) {
        Look seen = look(&w);
        /* Whom its queues had to wait for may be offline now. */
        if (th->offline_work)
            safepoint_request(th, REQUEST_PENDING);
        if (seen == LOOK_TOOK)
            return LOCK_TAKEN;
        w.used = seen == LOOK_BUSY;
        LockResult r = seen == LOOK_RAISED ? LOCK_INTERRUPTED : LOCK_TIMEOUT;
        if (seen == LOOK_BUSY && claim_awake(&w)) {
            r = be_patient(&w);
            w.tried = true;
        }
        if (r == LOCK_TIMEOUT && clock_monotonic_ns() < deadline)
            r = park(&w);
        if (r == LOCK_TAKEN)
            return LOCK_TAKEN;
        if (r == LOCK_INTERRUPTED)
            return give_up(&w, LOCK_INTERRUPTED, false);
        if (deadline != INT64_MAX && clock_monotonic_ns() >= deadline)
            return take(&w) ? LOCK_TAKEN : give_up(&w, LOCK_TIMEOUT, true);
    }
}

LockResult
user_lock_acquire(Thread *th, UserLock *l, int64_t deadline)
{
    if (user_lock_try(th, l))
        return LOCK_TAKEN;
    if (deadline == 0) {
        Wait w = {.th = th, .lock = l};
        return take(&w) ? LOCK_TAKEN : LOCK_TIMEOUT;
    }
    LockResult r = acquire_slow(th, l, deadline);
    th->lock_won = r == LOCK_TAKEN;
    return r;
}

/* This thread has handed the lock to one that sleeps.  It will want it again, and wakes the other when it is about to
 * sleep itself, so that they need not run side by side. */
static void
wake_later(Thread *th, UserLock *l, FutexWord *sleeper)
{
    if (th == NULL) {
        futex_wake(sleeper, 1);
        return;
    }
    wake_sleeper(th);
    th->lock_sleeper = sleeper;
    th->lock_handed = l;
}

typedef struct Release {
    UserLock *lock;
    bool done;
} Release;

/* Under the bucket's lock, by the holder.  HELD keeps others from changing more than AWAKE, HAND and WAITED; what is
 * handed over goes to that thread's turn if turns are long.  In a turn, whose thread goes on with the lock, it is not
 * released: who was found is only woken. */
static bool
decide(ParkByte *b, void *arg, const ParkFound *found)
{
    Release *r = arg;
    UserLock *l = r->lock;
    uint8_t s = load_relaxed(b), to;
    bool hand, begin, turn;
    do {
        turn = s & TURN;
        hand = found->any && (s & HAND) && !turn;
        begin = hand && found->note != FAVOUR_NONE && load_relaxed(&l->busy) >= PULL;
        to = (uint8_t)(s & (turn ? HELD | TURN | AWAKE | HAND : AWAKE));
        if (begin) {
            store_relaxed(&l->inside, 1); /* turns begin under the bucket's lock only */
            to |= HELD | TURN;
        } else if (hand) {
            to |= HELD;
        } else if (found->any) {
            to |= AWAKE;
        }
        if (found->more)
            to |= WAITED;
        /* release: pairs with taking it [user_lock.state], with end_turn(): `inside` [user_lock.turn]; a lock handed
         * over: [park.ready] */
    } while (!cas_acq_rel(b, &s, to));
    if (begin)
        store_release(&l->favour, found->note); /* pairs with end_turn() [user_lock.turn] */
    r->done = !turn;
    return hand;
}

typedef enum Woke { WOKE_RELEASED, WOKE_IN_TURN, WOKE_LATER } Woke;

/* Releases the lock, but for a turn, and wakes the next sleeper.  WOKE_LATER: neither, that one is not asleep yet. */
static Woke
wake_one(Thread *th, UserLock *l)
{
    FutexWord *sleeper;
    Release r = {.lock = l};
    ParkWake woke = park_wake_deciding(byte_of(l), decide, &r, &sleeper);
    if (woke == PARK_SLEEPS)
        wake_later(th, l, sleeper);
    return woke == PARK_LATER ? WOKE_LATER : r.done ? WOKE_RELEASED : WOKE_IN_TURN;
}

bool
user_lock_release_slow(Thread *th, UserLock *l)
{
    uint8_t s;
    while ((s = load_relaxed(&l->state)) & HELD) {
        bool wakes = (s & (WAITED | AWAKE)) == WAITED;
        if (s & TURN) {
            /* Another waiter can be woken in a turn, but a turn is not handed over. */
            bool mine = th != NULL && load_relaxed(&l->favour) == load_relaxed(&th->favour);
            Woke woke = mine && wakes && !(s & HAND) ? wake_one(th, l) : WOKE_LATER;
            if (woke == WOKE_RELEASED || (woke == WOKE_IN_TURN && user_lock_turn_release(th, l)))
                return true;
            if (woke == WOKE_LATER)
                end_turn(th, l);
            continue;
        }
        Woke woke = wakes ? wake_one(th, l) : WOKE_LATER;
        if (woke == WOKE_RELEASED)
            return true;
        if (woke == WOKE_IN_TURN)
            continue;
        /* release: pairs with user_lock_try() [user_lock.state] */
        if (__atomic_compare_exchange_n(&l->state.raw_, &s, (uint8_t)(s & ~HELD), false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return true;
    }
    return false;
}
