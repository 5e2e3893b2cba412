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
    result = park_wait_pulled(&byte, SET, CLEAR, clock_monotonic_ns() + limit, &pull);
    cpu = sched_getcpu();
    os_pull_end(&pull);
    sched_getaffinity(0, sizeof after, &after);
    return NULL;
}

static bool hand; /* what decide() says */

static bool
decide(ParkByte *b, void *arg, bool any, bool more)
{
    (void)arg;
    OK(any && !more, "who waits is found");
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
        OK(park_wake_deciding(&byte, decide, NULL, &sleeper) == PARK_SLEEPS && sleeper != NULL, "it sleeps on");
        sched_getaffinity(load_acquire(&tid), sizeof moved, &moved);
        OK(CPU_COUNT(&moved) == 1 && CPU_ISSET((size_t)mine, &moved), "but where the caller runs");
        sched_setaffinity(0, sizeof allowed, &allowed);
        futex_wake(sleeper, 1);
        pthread_join(t, NULL);
        OK(result == (hand ? PARK_HANDED : PARK_WOKEN) && cpu == mine, "there it goes on");
        OK(CPU_EQUAL(&after, &allowed), "and may run anywhere again");
    }

    pthread_t t = start(&short_time);
    OK(park_wake_deciding(&byte, decide, NULL, &sleeper) == PARK_SLEEPS, "it sleeps on");
    pthread_join(t, NULL);
    OK(result == PARK_WOKEN && CPU_EQUAL(&after, &allowed), "until its own time is over, if nobody wakes it");

    t = start(&short_time);
    pthread_join(t, NULL);
    OK(result == PARK_TIMEOUT && CPU_EQUAL(&after, &allowed), "if it was not moved it just ends");

    t = start(&long_time);
    bind_to(0, first);
    (void)park_wake_deciding(&byte, decide, NULL, &sleeper);
    sched_setaffinity(0, sizeof allowed, &allowed);
    bind_to(load_acquire(&tid), last);
    futex_wake(sleeper, 1);
    pthread_join(t, NULL);
    OK(CPU_COUNT(&after) == 1 && CPU_ISSET((size_t)last, &after), "what somebody else has said meanwhile stays");

    t = start(&long_time);
    bind_to(load_acquire(&tid), last);
    bind_to(0, first);
    (void)park_wake_deciding(&byte, decide, NULL, &sleeper);
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

int
main(void)
{
    bool free = os_pull_begin(&pull);
    OK(free || pull.cpu == -1, "it is known whether threads may be moved");
    not_where_filtered();
    sched_getaffinity(0, sizeof allowed, &allowed);
    if (free && CPU_COUNT(&allowed) > 1)
        moves();
    DONE();
}
