/* test_stop_world.c -- stopping, attaching, pooling, claiming, starting the second thread. */
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/tap.h"
#include "threads/interp.h"
#include "threads/mutex.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"
#include "threads/stop_world.h"

#define CHECK_TRUE(x) ((x) ? (void)0 : abort())

static Interp *interp;
static long shared_word;         /* written by all, but only while stopped or ... */
static ATOMIC(long) turns;
static ATOMIC(int) quit;
static ATOMIC(int) running;

/* Each thread increments the word between two polls, under a lock that is no safepoint. */
static ByteLock word_lock;

static void *
worker(void *arg)
{
    uint32_t seed = (uint32_t)(uintptr_t)arg;
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    fetch_add_relaxed(&running, 1);
    while (!load_relaxed(&quit)) {
        byte_lock(&word_lock);
        shared_word++;
        byte_unlock(&word_lock);
        fetch_add_relaxed(&turns, 1);
        CHECK_TRUE(safepoint_poll(th));
        seed = seed * 1664525u + 1013904223u;
        if (seed >> 24 == 0) {
            thread_detach(th);
            if (seed >> 20 & 1)
                os_yield();
            thread_attach(th);
        }
    }
    thread_release(th);
    return NULL;
}

/* Stops the world again and again: nothing changes meanwhile. */
static void *
stopper(void *arg)
{
    (void)arg;
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    long bad = 0;
    for (long i = 0; i < TAP_SCALE(2000); i++) {
        world_stop(th);
        long before = shared_word;
        for (int k = 0; k < 20; k++)
            os_pause();
        bad += shared_word != before;
        shared_word++;
        world_start(th);
        CHECK_TRUE(safepoint_poll(th));
    }
    thread_release(th);
    return (void *)bad;
}

static void *
churn(void *arg)
{
    (void)arg;
    for (long i = 0; i < TAP_SCALE(2000); i++) {
        Thread *th = thread_acquire(interp);
        CHECK_TRUE(th != NULL);
        thread_attach(th);
        CHECK_TRUE(safepoint_poll(th));
        thread_release(th);
    }
    return NULL;
}

static void *
stop_all(void *arg)
{
    (void)arg;
    Thread *th = thread_acquire(interp);
    thread_attach(th);
    for (long i = 0; i < TAP_SCALE(500); i++) {
        world_stop_all(th);
        long before = shared_word;
        os_yield();
        CHECK_TRUE(shared_word == before);
        world_start_all(th);
        CHECK_TRUE(safepoint_poll(th));
    }
    thread_release(th);
    return NULL;
}

static uint32_t started_seen;

static void *
second(void *arg)
{
    Thread *th = arg;
    thread_attach(th); /* waits for the first thread's safepoint */
    started_seen = load_relaxed(&threads_started);
    thread_release(th);
    return NULL;
}

static ATOMIC(int) done;

static void
started_thread(Thread *th, void *arg)
{
    (void)arg;
    CHECK_TRUE(thread_current == th && !thread_stack_low(th));
    store_release(&done, 1);
}

int
main(void)
{
    interp = interp_create();
    Thread *th = thread_create_main(interp);
    OK(load_relaxed(&threads_started) == 0, "one thread so far");
    thread_detach(th);
    thread_attach(th);
    OK(load_relaxed(&threads_started) == 0, "the first one may come and go");

    pthread_t t[8];
    Thread *two = thread_acquire(interp);
    pthread_create(&t[0], NULL, second, two);
    usleep(20000);
    OK(load_relaxed(&threads_started) == 0, "the second waits for the first one's safepoint");
    while (load_relaxed(&threads_started) == 0)
        CHECK_TRUE(safepoint_poll(th));
    thread_detach(th);
    pthread_join(t[0], NULL);
    thread_attach(th);
    OK(started_seen == 1, "and sees that threads are started");
    OK(thread_acquire(interp) == two, "a finished context is used again");
    thread_attach(two);
    thread_release(two);
    thread_bind(th);
    thread_detach(th);

    void *bad = NULL, *bad2 = NULL;
    pthread_create(&t[0], NULL, worker, (void *)1);
    pthread_create(&t[1], NULL, worker, (void *)2);
    pthread_create(&t[2], NULL, worker, (void *)3);
    while (load_relaxed(&running) < 3)
        os_yield();
    pthread_create(&t[3], NULL, stopper, NULL);
    pthread_create(&t[4], NULL, stopper, NULL);
    pthread_create(&t[5], NULL, churn, NULL);
    pthread_create(&t[6], NULL, stop_all, NULL);
    pthread_join(t[3], &bad);
    pthread_join(t[4], &bad2);
    pthread_join(t[5], NULL);
    pthread_join(t[6], NULL);
    OK(bad == NULL && bad2 == NULL, "nothing runs while the world is stopped");
    store_relaxed(&quit, 1);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    OK(shared_word == load_relaxed(&turns) + 2 * TAP_SCALE(2000),
       "and everything did before and after");

    thread_attach(th);
    Thread *three = thread_acquire(interp);
    OK(thread_start(three, started_thread, NULL, 0), "thread_start");
    thread_detach(th);
    while (!load_acquire(&done))
        os_yield();
    thread_attach(th);
    OK(true, "runs the function attached");

    /* Another interpreter's threads are stopped only by world_stop_all(). */
    Interp *other = interp_create();
    Thread *o = thread_acquire(other);
    thread_detach(th);
    thread_attach(o);
    OK(thread_current == o && o->interp == other, "one OS thread, two interpreters");
    thread_release(o);
    thread_attach(th);
    interp_free(other);
    OK(interp_main == interp, "the main interpreter stays");
    while (load_relaxed(&interp->thread_count) > 1)
        os_yield();
    thread_release(th);
    interp_free(interp);
    DONE();
}
