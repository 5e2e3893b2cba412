/* test_pull.c -- a thread that sleeps is moved to the processor of who wakes it. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "tests/tap.h"
#include "threads/os_thread.h"
#include "threads/park.h"

enum { SET = 2, CLEAR = 4, OLD = 8 };

static ParkByte byte;
static OsPull pull;
static ATOMIC(int) tid;
static ParkResult result;
static cpu_set_t allowed, moved, after;
static int cpu;

static void *
sleep_in_line(void *arg)
{
    int64_t limit = *(int64_t *)arg;
    if (!os_pull_begin(&pull))
        return NULL;
    store_release(&tid, pull.tid);
    result = park_wait_pulled(&byte, SET, CLEAR, 7, clock_monotonic_ns() + limit, &pull);
    cpu = sched_getcpu();
    os_pull_end(&pull);
    sched_getaffinity(0, sizeof after, &after);
    return NULL;
}

static bool hand; /* what decide() says */

static bool
decide(ParkByte *b, void *arg, const ParkFound *found)
{
    OK(arg == &pull && found->any && !found->more && found->note == 7, "who waits is found, and the note that it left");
    store_release(b, 0);
    return hand;
}

/* Starts the sleeper and waits until it sleeps. */
static pthread_t
start(int64_t *limit)
{
    pthread_t t;
    store_relaxed(&byte, OLD | CLEAR);
    store_relaxed(&tid, 0);
    pthread_create(&t, NULL, sleep_in_line, limit);
    while (!(load_acquire(&byte) & SET))
        usleep(1000);
    usleep(20000);
    return t;
}

static void
bind_to(pid_t who, int to)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)to, &one);
    sched_setaffinity(who, sizeof one, &one);
}

static void
moves(void)
{
    FutexWord *sleeper = NULL;
    int64_t long_time = 20 * NS_PER_S, short_time = 100 * NS_PER_MS;
    int first = 0, last;
    while (!CPU_ISSET((size_t)first, &allowed))
        first++;
    for (last = OS_CPUS_MAX - 1; !CPU_ISSET((size_t)last, &allowed); last--)
        ;

    for (int i = 0; i < 4; i++) {
        int mine = i & 1 ? last : first;
        hand = i < 2;
        pthread_t t = start(&long_time);
        OK(load_relaxed(&byte) == (OLD | SET), "bits are set and cleared in line");
        bind_to(0, mine);
        ParkWake woke = park_wake_deciding(&byte, decide, &pull, &sleeper);
        if (hand) {
            OK(woke == PARK_SLEEPS && sleeper != NULL, "it sleeps on");
            sched_getaffinity(load_acquire(&tid), sizeof moved, &moved);
            OK(CPU_COUNT(&moved) == 1 && CPU_ISSET((size_t)mine, &moved), "but where the caller runs");
            futex_wake(sleeper, 1);
            pthread_join(t, NULL);
            OK(result == PARK_HANDED && cpu == mine, "there it goes on");
        } else {
            OK(woke == PARK_DONE, "who is handed nothing is just woken");
            pthread_join(t, NULL);
            OK(result == PARK_WOKEN, "and goes on");
        }
        sched_setaffinity(0, sizeof allowed, &allowed);
        OK(CPU_EQUAL(&after, &allowed), "and may run anywhere again");
    }
    hand = true;

    pthread_t t = start(&short_time);
    OK(park_wake_deciding(&byte, decide, &pull, &sleeper) == PARK_SLEEPS, "it sleeps on");
    pthread_join(t, NULL);
    OK(result == PARK_HANDED && CPU_EQUAL(&after, &allowed), "until its own time is over, if nobody wakes it");

    t = start(&short_time);
    pthread_join(t, NULL);
    OK(result == PARK_TIMEOUT && CPU_EQUAL(&after, &allowed), "if it was not moved it just ends");

    t = start(&long_time);
    bind_to(0, first);
    (void)park_wake_deciding(&byte, decide, &pull, &sleeper);
    sched_setaffinity(0, sizeof allowed, &allowed);
    bind_to(load_acquire(&tid), last);
    futex_wake(sleeper, 1);
    pthread_join(t, NULL);
    OK(CPU_COUNT(&after) == 1 && CPU_ISSET((size_t)last, &after), "what somebody else has said meanwhile stays");

    t = start(&long_time);
    bind_to(load_acquire(&tid), last);
    bind_to(0, first);
    (void)park_wake_deciding(&byte, decide, &pull, &sleeper);
    sched_setaffinity(0, sizeof allowed, &allowed);
    futex_wake(sleeper, 1);
    pthread_join(t, NULL);
    OK(cpu == last && CPU_COUNT(&after) == 1, "who may run in one place only is not moved");
}

/* In a process of its own, which has a filter of system calls from now on: one that allows everything. */
static int
filtered(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {1, &allow};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        return 2;
    return os_pull_begin(&pull) ? 1 : 0;
}

static void
not_where_filtered(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(filtered());
    OK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status), "a child under a filter of system calls ends");
    if (WEXITSTATUS(status) == 2)
        printf("# filters cannot be set here\n");
    else
        OK(WEXITSTATUS(status) == 0, "where a filter of system calls is in force nobody is moved");
}

#define SHORT (100 * NS_PER_US)

/* [byte] */
static ATOMIC(long) waits, handed;

static void *
sleep_shortly(void *arg)
{
    for (long i = 0; i < *(long *)arg; i++) {
        if (!os_pull_begin(&pull))
            return NULL;
        fetch_add_relaxed(&waits, 1);
        if (park_wait_pulled(&byte, SET, CLEAR, 7, clock_monotonic_ns() + SHORT, &pull) == PARK_HANDED)
            fetch_add_relaxed(&handed, 1);
        os_pull_end(&pull);
    }
    return NULL;
}

static bool
decide_any(ParkByte *b, void *arg, const ParkFound *found)
{
    store_release(b, 0);
    *(long *)arg += found->any;
    return found->any;
}

/* Who is taken out of the line just as its time ends is not woken by anybody: it must not wait for that. */
static void
in_time(void)
{
    long n = TAP_SCALE(3000), found = 0;
    FutexWord *sleeper;
    pthread_t t;
    store_relaxed(&byte, 0);
    CHECK(pthread_create(&t, NULL, sleep_shortly, &n) == 0);
    for (long i = 0; pthread_tryjoin_np(t, NULL) != 0; i++) {
        while (!(load_acquire(&byte) & SET) && load_relaxed(&waits) < n)
            os_pause();
        int64_t until = clock_monotonic_ns() + SHORT / 2 + i % 128 * NS_PER_US;
        while (clock_monotonic_ns() < until)
            os_pause();
        (void)park_wake_deciding(&byte, decide_any, &found, &sleeper);
    }
    OK(load_relaxed(&handed) == found, "who was handed something knows it");
}

int
main(void)
{
    alarm(300); /* somebody was not woken */
    bool free = os_pull_begin(&pull);
    OK(free || pull.cpu == -1, "it is known whether threads may be moved");
    not_where_filtered();
    sched_getaffinity(0, sizeof allowed, &allowed);
    if (free && CPU_COUNT(&allowed) > 1)
        moves();
    if (free)
        in_time();
    DONE();
}
