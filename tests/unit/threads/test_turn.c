/* test_turn.c -- a program's lock in its thread's turn: what that thread and others find, and who ends the turn. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/tap.h"
#include "threads/interp.h"
#include "threads/user_lock.h"

static Interp *interp;
static UserLock lock;

static bool
in_turn(void)
{
    return (load_relaxed(&lock.state) & USER_LOCK_TURN) != 0;
}

/* What another thread does, and how it ends. */
typedef enum Deed { TRY, WAIT_SHORT, WAIT, RELEASE, RELEASE_WITHOUT_CONTEXT } Deed;

typedef struct Call {
    Deed deed;
    bool result;
} Call;

static void *
do_it(void *arg)
{
    Call *c = arg;
    if (c->deed == RELEASE_WITHOUT_CONTEXT) {
        c->result = user_lock_release(NULL, &lock);
        return NULL;
    }
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    if (c->deed == RELEASE) {
        c->result = user_lock_release(th, &lock);
    } else {
        int64_t deadline = c->deed == TRY ? 0 : c->deed == WAIT ? INT64_MAX : clock_monotonic_ns() + 5 * NS_PER_MS;
        c->result = user_lock_acquire(th, &lock, deadline) == LOCK_TAKEN;
        if (c->result)
            user_lock_release(th, &lock);
    }
    thread_release(th);
    return NULL;
}

static pthread_t
start(Call *c)
{
    pthread_t t;
    CHECK(pthread_create(&t, NULL, do_it, c) == 0);
    return t;
}

static bool
other(Thread *th, Deed deed)
{
    Call c = {deed, false};
    pthread_t t = start(&c);
    thread_detach(th);
    pthread_join(t, NULL);
    thread_attach(th);
    return c.result;
}

/* th's turn, and it holds the lock. */
static void
begin(Thread *th)
{
    if (!user_lock_is_held(&lock))
        CHECK(user_lock_acquire(th, &lock, 0) == LOCK_TAKEN);
    user_lock_begin_turn(th, &lock);
}

static void
alone(Thread *th)
{
    begin(th);
    OK(in_turn() && user_lock_is_held(&lock), "a turn begins with the lock held");
    uint32_t turns = load_relaxed(&lock.turns);
    OK(!user_lock_try(th, &lock), "it is not taken twice");
    OK(user_lock_release(th, &lock) && !user_lock_is_held(&lock) && in_turn(), "it is released within the turn");
    OK(user_lock_try(th, &lock) && user_lock_is_held(&lock) && in_turn(), "and taken");
    OK(load_relaxed(&lock.turns) == turns + 1, "that is counted");
    OK(!user_lock_try(th, &lock) && user_lock_acquire(th, &lock, 0) == LOCK_TIMEOUT, "not twice");
    user_lock_begin_turn(th, &lock);
    OK(in_turn() && user_lock_is_held(&lock), "a turn that is there goes on");
    int64_t limit = clock_monotonic_ns() + 5 * NS_PER_MS;
    OK(user_lock_acquire(th, &lock, limit) == LOCK_TIMEOUT && user_lock_is_held(&lock), "who holds it waits for itself");
    OK(user_lock_release(th, &lock) && !user_lock_is_held(&lock), "and can release it afterwards");
    OK(!user_lock_release(th, &lock), "not twice");
    begin(th);
    OK(user_lock_release(th, &lock) && !user_lock_release(th, &lock) && !user_lock_is_held(&lock),
       "nor within a turn");
    OK(user_lock_try(th, &lock) && user_lock_release(th, &lock), "it works as before");
}

static void
with_others(Thread *th)
{
    begin(th);
    OK(!other(th, TRY) && user_lock_is_held(&lock), "another thread finds it held");
    OK(!other(th, WAIT_SHORT) && user_lock_is_held(&lock) && !in_turn(), "who waits for it ends the turn");
    OK(user_lock_release(th, &lock) && !user_lock_is_held(&lock), "its holder releases it");

    begin(th);
    user_lock_release(th, &lock);
    OK(in_turn() && other(th, TRY) && !in_turn() && !user_lock_is_held(&lock), "another thread finds it free, and takes it");
    begin(th);
    user_lock_release(th, &lock);
    OK(other(th, WAIT) && !in_turn(), "or waits until it has found that out");

    begin(th);
    OK(other(th, RELEASE) && !user_lock_is_held(&lock) && !in_turn(), "another thread releases what is held");
    begin(th);
    user_lock_release(th, &lock);
    OK(!other(th, RELEASE) && !user_lock_is_held(&lock), "but not what is free");
    begin(th);
    OK(other(th, RELEASE_WITHOUT_CONTEXT) && !user_lock_is_held(&lock), "also a thread that has ended");
    begin(th);
    user_lock_release(th, &lock);
    OK(!other(th, RELEASE_WITHOUT_CONTEXT) && !user_lock_is_held(&lock), "or finds it free");
    OK(!user_lock_release(NULL, &lock), "and so does this one");

    begin(th);
    Call c = {WAIT, false};
    pthread_t t = start(&c);
    thread_detach(th);
    usleep(30000);
    thread_attach(th);
    OK(user_lock_is_held(&lock) && !c.result, "who waits does not get what is held");
    user_lock_release(th, &lock);
    thread_detach(th);
    pthread_join(t, NULL);
    thread_attach(th);
    OK(c.result && !user_lock_is_held(&lock), "but when it is released");

    /* This thread uses the lock all the time, for turn after turn. */
    c.result = false;
    begin(th);
    t = start(&c);
    long rounds = 0;
    bool joined = false;
    while (!joined) {
        for (int i = 0; i < 1000; i++, rounds++) {
            user_lock_release(th, &lock);
            while (!user_lock_try(th, &lock))
                if (user_lock_acquire(th, &lock, INT64_MAX) == LOCK_TAKEN)
                    break;
        }
        user_lock_begin_turn(th, &lock);
        joined = pthread_tryjoin_np(t, NULL) == 0;
    }
    OK(c.result, "or while it is used");
    user_lock_release(th, &lock);
}

static void *
add_up(void *arg)
{
    long *sum = arg;
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    for (long i = 0; i < TAP_SCALE(300000); i++) {
        if (user_lock_acquire(th, &lock, INT64_MAX) != LOCK_TAKEN)
            break;
        if (i % 4096 == 0) /* as if it had been handed over */
            user_lock_begin_turn(th, &lock);
        ++*sum;
        user_lock_release(th, &lock);
    }
    thread_release(th);
    return NULL;
}

/* Of several threads, too many for each to be awake. */
static void
race(Thread *th, int n)
{
    long sum = 0;
    pthread_t t[8];
    for (int i = 0; i < n; i++)
        CHECK(pthread_create(&t[i], NULL, add_up, &sum) == 0);
    thread_detach(th);
    for (int i = 0; i < n; i++)
        pthread_join(t[i], NULL);
    thread_attach(th);
    OK(sum == n * TAP_SCALE(300000) && !user_lock_is_held(&lock), "turns of several threads exclude each other");
}

int
main(void)
{
    interp = interp_create();
    Thread *th = thread_create_main(interp);
    if (load_relaxed(&th->favour) != FAVOUR_NONE) {
        alone(th);
        with_others(th);
        begin(th);
        user_lock_reset(&lock);
        OK(!user_lock_is_held(&lock) && !in_turn() && user_lock_try(th, &lock), "a reset makes it free");
        user_lock_release(th, &lock);
    }
    race(th, 2);
    race(th, 8);
    uint8_t favour = load_relaxed(&th->favour);
    store_relaxed(&th->favour, FAVOUR_NONE);
    CHECK(user_lock_acquire(th, &lock, 0) == LOCK_TAKEN);
    user_lock_begin_turn(th, &lock);
    OK(!in_turn() && user_lock_release(th, &lock), "a thread without bias has no turns");
    store_relaxed(&th->favour, favour);
    thread_release(th);
    interp_free(interp);
    DONE();
}
