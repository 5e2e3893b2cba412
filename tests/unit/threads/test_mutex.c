/* test_mutex.c -- byte locks, mutexes, time limits, events. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/tap.h"
#include "threads/event.h"
#include "threads/interp.h"
#include "threads/lock_rank.h"
#include "threads/mutex.h"
#include "threads/os_thread.h"

static ByteLock byte;
static Mutex mutex = MUTEX_INIT(RANK_NONE);
static long counter; /* [lock] byte, then mutex */
static Interp *interp;

static void *
count_bytes(void *arg)
{
    (void)arg;
    for (long i = 0; i < TAP_SCALE(300000); i++) {
        byte_lock(&byte);
        counter++;
        byte_unlock(&byte);
    }
    return NULL;
}

static void *
count_mutex(void *arg)
{
    (void)arg;
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    for (long i = 0; i < TAP_SCALE(200000); i++) {
        mutex_lock(th, &mutex);
        counter++;
        if (i % 1000 == 0) { /* a long section: the others have to sleep */
            thread_detach(th);
            os_yield();
            thread_attach(th);
        }
        mutex_unlock(&mutex);
    }
    thread_release(th);
    return NULL;
}

static void
run(void *(*fn)(void *), int n)
{
    pthread_t t[16];
    for (int i = 0; i < n; i++)
        pthread_create(&t[i], NULL, fn, NULL);
    for (int i = 0; i < n; i++)
        pthread_join(t[i], NULL);
}

static Event event;
static int seen;
typedef ATOMIC(long) AtomicLong;

static void *
wait_event(void *arg)
{
    (void)arg;
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    if (event_wait(th, &event, -1) && *(volatile int *)&seen == 42)
        fetch_add_relaxed((AtomicLong *)&counter, 1);
    thread_release(th);
    return NULL;
}

static void
on_signal(int signal)
{
    (void)signal;
}

static void *
lock_interruptible(void *arg)
{
    (void)arg;
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    LockResult r = mutex_lock_timed(th, &mutex, -1, true);
    thread_release(th);
    return (void *)(uintptr_t)(r == LOCK_INTERRUPTED);
}

int
main(void)
{
    interp = interp_create();
    Thread *th = thread_create_main(interp);

    thread_detach(th);
    run(count_bytes, 4);
    OK(counter == 4 * TAP_SCALE(300000), "byte locks exclude each other");
    counter = 0;
    run(count_mutex, 4);
    OK(counter == 4 * TAP_SCALE(200000), "mutexes exclude each other");
    thread_attach(th);

    OK(mutex_try_lock(&mutex) && !mutex_try_lock(&mutex), "try_lock");
    int64_t start = clock_monotonic_ns();
    OK(mutex_lock_timed(th, &mutex, 30 * NS_PER_MS, false) == LOCK_TIMEOUT, "a time limit");
    int64_t took = clock_monotonic_ns() - start;
    OK(took >= 29 * NS_PER_MS, "is kept");
    OK(mutex_lock_timed(th, &mutex, 0, false) == LOCK_TIMEOUT, "a time limit of zero");

    struct sigaction sa = {0};
    sa.sa_handler = on_signal;
    sigaction(SIGUSR1, &sa, NULL);
    pthread_t t;
    pthread_create(&t, NULL, lock_interruptible, NULL);
    void *interrupted = NULL;
    thread_detach(th);
    for (int i = 0; i < 20; i++) {
        usleep(10000);
        pthread_kill(t, SIGUSR1);
        if (pthread_tryjoin_np(t, &interrupted) == 0)
            break;
    }
    thread_attach(th);
    OK(interrupted != NULL, "a signal ends an interruptible wait");
    mutex_unlock(&mutex);
    OK(mutex_try_lock(&mutex), "who gave up does not hold the lock");
    mutex_unlock(&mutex);

    counter = 0;
    OK(!event_wait(th, &event, 5 * NS_PER_MS), "an event that does not happen");
    pthread_t waiter[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&waiter[i], NULL, wait_event, NULL);
    usleep(20000);
    seen = 42;
    event_set(&event);
    thread_detach(th);
    for (int i = 0; i < 3; i++)
        pthread_join(waiter[i], NULL);
    thread_attach(th);
    OK(counter == 3, "an event wakes all who wait");
    OK(event_wait(th, &event, 0), "and has happened from then on");

    errno = 123;
    thread_detach(th);
    thread_attach(th);
    OK(errno == 123, "detach and attach keep errno");
    thread_release(th);
    interp_free(interp);
    DONE();
}
