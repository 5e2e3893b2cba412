/* user_lock.turn.c -- a program's lock that is now one thread's turn and now the other's: it excludes and orders,
 * whether it was taken with atomic operations or without, and whoever ends the turn. */
#include "tsan/litmus/litmus.h"

#include "threads/user_lock.h"

#define MANY 20

static UserLock lock;
static long count;    /* plain: ordered by the lock alone */
static long in_turns; /* [lock] counted in a turn */

/* Takes the lock, and if it is no turn begins one, every now and then. */
static void
add(Thread *th, long i, int k)
{
    /* One side waits, the other tries: that ends turns in which the lock is free. */
    while (k % 3 ? user_lock_acquire(th, &lock, INT64_MAX) != LOCK_TAKEN
                 : user_lock_acquire(th, &lock, 0) != LOCK_TAKEN)
        POLL(th);
    count++;
    in_turns += (load_relaxed(&lock.state) & USER_LOCK_TURN) != 0;
    if ((i + k) % 4 == 0)
        user_lock_begin_turn(th, &lock);
    user_lock_release(th, &lock);
}

static void
one(Thread *th, long i)
{
    for (int k = 0; k < MANY; k++)
        add(th, i, k);
}

static void
other(Thread *th, long i)
{
    for (int k = 0; k < i % MANY; k++)
        add(th, i + 2, k);
}

static bool
check(Thread *th, long i)
{
    bool right = count == MANY + i % MANY && !user_lock_is_held(&lock);
    count = 0;
    /* This thread ends what is left of a turn, or lets it go on. */
    if (i % 2) {
        right = right && user_lock_acquire(th, &lock, 0) == LOCK_TAKEN && user_lock_release(th, &lock);
        right = right && !(load_relaxed(&lock.state) & USER_LOCK_TURN);
    }
    return right;
}

int
main(void)
{
    Thread *th = fake_start();
    litmus_run(th, 10000, one, other, check, "a lock in turns excludes and orders");
    OK(load_relaxed(&th->favour) == FAVOUR_NONE || in_turns > 0, "and there are some");
    fake_end(th);
    DONE();
}
