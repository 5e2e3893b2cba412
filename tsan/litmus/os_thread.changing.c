/* os_thread.changing.c -- who holds up the start and the end of threads sees each on its way in or out as
 * not begun or as done, and what he does meanwhile is done when the next one begins. */
#include "tsan/litmus/litmus.h"

#include "threads/os_thread.h"

#define ROUNDS 2000

static int way_out[ROUNDS]; /* plain: 0 not begun, 1 in the middle, 2 done */
static int held;            /* plain: 1 while hold() is at it */
static ATOMIC(int) wrong;

static pthread_key_t key;

/* Runs where the allocators take down what they keep for a thread. */
static void
on_the_way_out(void *slot)
{
    int *mine = slot;
    *mine = 1;
    if (held)
        store_relaxed(&wrong, 1);
    *mine = 2;
}

static void
body(void *slot)
{
    CHECK(pthread_setspecific(key, slot) == 0);
}

static void
start(Thread *th, long i)
{
    (void)th;
    (void)os_thread_start(body, &way_out[i], 0);
}

static void
hold(Thread *th, long i)
{
    (void)th;
    os_thread_hold_changes();
    held = 1;
    for (long k = i < 50 ? 0 : i - 50; k <= i; k++)
        if (way_out[k] == 1)
            store_relaxed(&wrong, 1);
    held = 0;
    os_thread_changes_go_on();
}

static bool
check(Thread *th, long i)
{
    (void)th, (void)i;
    return load_relaxed(&wrong) == 0;
}

int
main(void)
{
    Thread *th = fake_start();
    CHECK(pthread_key_create(&key, on_the_way_out) == 0); /* before os_thread.c's */
    litmus_run(th, ROUNDS, start, hold, check, "threads are not held up in the middle of their way");
    fake_end(th);
    DONE();
}
