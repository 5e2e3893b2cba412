/* test_object_lock.c -- the locks of shared objects: which thread one favours, how long, and that who is
 * favoured excludes the others all the same. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/gc/fake.h"
#include "threads/at_fork.h"
#include "threads/os_thread.h"

#if WEFT_TSAN
/* The child of a fork goes on. */
const char *__tsan_default_options(void);
const char *
__tsan_default_options(void)
{
    return "die_after_fork=0";
}
#endif

#define ENOUGH 2000 /* changes after which one thread's object has long favoured it */

static Node *node;
static long changed;   /* plain: ordered by the node's lock, real or not */
static Node *many[200];
typedef ATOMIC(long) Counter;
static Counter favoured; /* changes without the lock */

/* Whether the lock was really taken. */
static bool
change(Object *o)
{
    bool held = object_lock(o);
    changed++;
    object_unlock(o, held);
    return held;
}

/* Changes `o` n times; whether the last one went without the lock. */
static bool
change_often(Object *o, long n)
{
    bool held = true;
    while (n-- > 0)
        held = change(o);
    return !held;
}

static Node *
shared_node(Thread *th)
{
    Node *n = node_new(th);
    object_share(&n->head);
    return n;
}

static void
run(Thread *th, void *(*fn)(void *), int threads)
{
    pthread_t os[70];
    blocking_begin(th);
    for (int i = 0; i < threads; i++)
        CHECK(pthread_create(&os[i], NULL, fn, th->interp) == 0);
    for (int i = 0; i < threads; i++)
        pthread_join(os[i], NULL);
    blocking_end(th);
}

static Thread *
begin(void *interp)
{
    Thread *th = thread_acquire(interp);
    CHECK(th);
    thread_attach(th);
    return th;
}

static void *
nothing(void *interp)
{
    thread_release(begin(interp));
    return NULL;
}

static void *
change_once(void *interp)
{
    Thread *th = begin(interp);
    CHECK(change(&node->head)); /* really locked */
    thread_release(th);
    return NULL;
}

static void *
be_favoured(void *interp)
{
    Thread *th = begin(interp);
    if (change_often(&node->head, ENOUGH))
        fetch_add_relaxed(&favoured, 1);
    thread_release(th); /* it ends, and the object still favours it */
    return NULL;
}

/* Several threads take turns of different length. */
static void *
take_turns(void *interp)
{
    Thread *th = begin(interp);
    uint32_t seed = th->id * 77 + 1;
    long sections = 0;
    for (long i = 0; i < TAP_SCALE(400); i++) {
        uint32_t r = random_next(&seed);
        long n = r % 8 == 0 ? 1 : r % 600;
        for (long k = 0; k < n; k++)
            sections += !change(&node->head);
        if (r % 5 == 0) {
            object_unlock_two(th, &node->head, &many[0]->head, object_touch_lock_two(th, &node->head, &many[0]->head));
        } else if (r % 7 == 0) {
            blocking_begin(th);
            os_yield();
            blocking_end(th);
        } else if (r % 31 == 0) {
            world_stop(th);
            world_start(th);
        }
        bool held = object_lock(&node->head);
        changed -= n; /* what this thread has added */
        object_unlock(&node->head, held);
        POLL(th);
    }
    fetch_add_relaxed(&favoured, sections);
    thread_release(th);
    return NULL;
}

static void
test_fork(Thread *th)
{
    CHECK(change_often(&node->head, ENOUGH));
    fork_prepare(th);
    pid_t pid = fork();
    if (pid == 0) {
        fork_child(th);
        bool right = change_often(&node->head, ENOUGH);
        run(th, be_favoured, 1);
        right = right && change(&node->head); /* it favoured a thread that is gone */
        _exit(right && load_relaxed(&favoured) == 1 ? 0 : 1);
    }
    fork_parent(th);
    int status;
    OK(waitpid(pid, &status, 0) == pid && status == 0, "the child of a fork goes on");
}

int
main(void)
{
    Thread *th = fake_start();
    node = node_new(th);
    OK(!change(&node->head) && load_relaxed(&th->section) == NULL, "one thread: no lock");
    run(th, nothing, 1);
    if (load_relaxed(&th->bias) == BIAS_NONE) {
        OK(change(&node->head), "no membarrier here: always locked");
        fake_end(th);
        DONE();
    }
    OK(!change(&node->head), "an owner does not lock its private object");
    object_share(&node->head);
    OK(change(&node->head), "it locks a shared one");
    OK(change_often(&node->head, ENOUGH), "until that favours it");
    OK(load_relaxed(&node->head.lock) == load_relaxed(&th->favour), "as its lock byte says");
    object_unlock_two(th, &node->head, &node->head, object_touch_lock_two(th, &node->head, &node->head));
    OK(!change(&node->head), "locking two objects does not end that");
    bool held = object_touch_lock_two(th, &node->head, &node->head);
    OK(held && (load_relaxed(&node->head.lock) & 1), "though it really locks");
    object_unlock_two(th, &node->head, &node->head, held);
    run(th, change_once, 1);
    OK(load_relaxed(&node->head.lock) == 0 && change(&node->head), "another thread ends it");
    OK(change_often(&node->head, ENOUGH), "for a while");
    run(th, be_favoured, 1);
    OK(load_relaxed(&favoured) == 1, "another thread is favoured after enough changes");
    OK(change(&node->head), "which may be gone when the next one comes");
    OK(change_often(&node->head, ENOUGH), "that is then favoured");
    changed = 0;
    store_relaxed(&favoured, 0);

    /* No more favours than can be paid for. */
    int got = 0;
    int64_t start = clock_monotonic_ns();
    for (int i = 0; i < 200; i++) {
        many[i] = shared_node(th);
        got += change_often(&many[i]->head, ENOUGH);
    }
    int64_t allowed = 32 + (clock_monotonic_ns() - start) / load_relaxed(&bias_favour_every) + 1;
    OK(got > 0 && got <= allowed, "the number of favours is limited");

    store_relaxed(&bias_favour_every, 0);
    OK(change_often(&node->head, ENOUGH), "or, for this test, is not");
    changed = 0;
    run(th, take_turns, 4);
    OK(changed == 0, "threads that take turns exclude each other");
    OK(load_relaxed(&favoured) > 0, "and are favoured meanwhile");

    store_relaxed(&favoured, 0);
    test_fork(th);

    /* Threads whose numbers do not fit a lock byte; they are there at the same time. */
    Thread *kept[70];
    for (int i = 0; i < 70; i++)
        kept[i] = thread_acquire(th->interp);
    store_relaxed(&favoured, 0);
    run(th, be_favoured, 1);
    OK(load_relaxed(&favoured) == 0, "a thread with a high number is not favoured");
    CHECK(kept[69]->id > FAVOUR_ID_MAX);
    for (int i = 0; i < 70; i++)
        thread_release(kept[i]);
    store_relaxed(&favoured, 0);
    changed = 0;
    run(th, take_turns, 6);
    OK(changed == 0, "more threads");

    drop(th, value_of(node));
    for (int i = 0; i < 200; i++)
        drop(th, value_of(many[i]));
    fake_end(th);
    DONE();
}
