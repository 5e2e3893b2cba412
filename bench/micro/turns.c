/* turns.c -- what a machine takes from two threads that only compute and take turns.
 *
 * build: cc -O2 -pthread -o turns turns.c
 * usage: turns [MS [CPU CPU]]
 *
 * Two threads take turns of MS ms (default 2) at arithmetic in registers, bound to the two CPUs if they are
 * given.  Whose turn it is not either sleeps (futex) or looks all the time.  Prints the work they get done together
 * in 400 ms over that of one thread in the same time, on the mean of the CPUs: medians of 15.  What is missing from 1
 * is the time a CPU takes to wake up, and what it is slower afterwards.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 15
#define LONG 400000000 /* ns */

static int64_t turn_ns = 2000000;
static int cpus[2] = {0, 1};
static int sleeps;                    /* whose turn it is not */
static uint32_t turn, stop;           /* atomic */
static struct { int64_t done; char line[120]; } work[2];

static int64_t
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
bind_to(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        exit(1);
}

static void
compute(int me, int64_t ns)
{
    for (int64_t end = now() + ns; now() < end; work[me].done++) {
        uint64_t x = 1;
        for (int i = 0; i < 2000; i++) {
            x = x * 6364136223846793005u + 1;
            __asm__ volatile("" : "+r"(x));
        }
    }
}

static void
pass_on(int me)
{
    __atomic_store_n(&turn, 1 - (uint32_t)me, __ATOMIC_RELEASE);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *
take_turns(void *arg)
{
    int me = (int)(intptr_t)arg;
    bind_to(cpus[me]);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        uint32_t t = __atomic_load_n(&turn, __ATOMIC_ACQUIRE);
        if ((int)t == me) {
            compute(me, turn_ns);
            pass_on(me);
        } else if (sleeps) {
            syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, t, NULL, NULL, 0);
        }
    }
    pass_on(me);
    return NULL;
}

static double
alone(int cpu)
{
    bind_to(cpu);
    work[0].done = 0;
    int64_t start = now();
    compute(0, LONG / 2);
    return (double)work[0].done / (double)(now() - start);
}

static double
together(void)
{
    pthread_t threads[2];
    work[0].done = work[1].done = 0;
    stop = turn = 0;
    int64_t start = now();
    for (intptr_t i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, take_turns, (void *)i) != 0)
            exit(1);
    usleep(LONG / 1000);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return (double)(work[0].done + work[1].done) / (double)(now() - start);
}

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
    if (argc > 1)
        turn_ns = (int64_t)(atof(argv[1]) * 1e6);
    for (int i = 0; i < 2 && argc > 3; i++)
        cpus[i] = atoi(argv[2 + i]);
    for (sleeps = 1; sleeps >= 0; sleeps--) {
        double ratio[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            double before = (alone(cpus[0]) + alone(cpus[1])) / 2, two = together();
            double after = (alone(cpus[0]) + alone(cpus[1])) / 2;
            ratio[i] = 2 * two / (before + after);
        }
        qsort(ratio, ROUNDS, sizeof *ratio, ascending);
        printf("%s: %.3f (%.3f to %.3f)\n", sleeps ? "asleep" : "looking", ratio[ROUNDS / 2], ratio[ROUNDS / 4],
               ratio[3 * ROUNDS / 4]);
        if (cpus[0] == cpus[1])
            break; /* who looks would take the other's time */
    }
    return 0;
}
