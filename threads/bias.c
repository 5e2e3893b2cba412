/* bias.c -- see bias.h.
 *
 * Process-wide state: whether there is a barrier, written while there is one thread; when the next
 * favour is due.
 */
#include "threads/bias.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "threads/os_thread.h"

#define WAITS_MAX 64               /* handshakes until a thread loses its bias */
#define OFF_TIME (10 * NS_PER_MS)  /* until it gets it back */
#define SHORT (1 * NS_PER_US)      /* for a favoured thread to go offline by itself */
#define PATIENCE (20 * NS_PER_US)  /* where it is likely to: a virtual machine's barrier takes as long */
#define PAUSES 8                   /* between two looks at the clock */
#define FAVOURS_SAVED 32           /* that were not given out may be given out later */

static ATOMIC(uint8_t) available;
__typeof__(bias_favour_every) bias_favour_every = {500 * NS_PER_US};
static ATOMIC(int64_t) favour_due; /* when the favours given out so far are paid for */

static long
membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0);
}

void
bias_init(void)
{
    store_relaxed(&available, membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0);
}

static void
switch_on(Thread *th)
{
    store_relaxed(&th->bias, th->id);
    store_relaxed(&th->favour, (uint8_t)(th->id <= FAVOUR_ID_MAX ? th->id << 2 : FAVOUR_NONE));
}

void
bias_start(Thread *th)
{
    store_relaxed(&th->bias, BIAS_NONE);
    store_relaxed(&th->favour, FAVOUR_NONE);
    /* The first one needs no barrier as long as it is alone; see bias_before_threads(). */
    bool on = load_relaxed(&available) != 0 || th->id == 1;
    if (on)
        switch_on(th);
    store_relaxed(&th->bias_state, on ? BIAS_ON : BIAS_OFF);
    store_relaxed(&th->bias_waits, 0);
}

void
bias_before_threads(void)
{
    Thread *th = load_acquire(&thread_by_id[1]); /* [thread.table] */
    if (load_relaxed(&available) || th == NULL)
        return;
    store_relaxed(&th->bias, BIAS_NONE);
    store_relaxed(&th->favour, FAVOUR_NONE);
    store_relaxed(&th->bias_state, BIAS_OFF);
}

static void
barrier(void)
{
    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0)
        CHECK(!"membarrier"); /* it worked when it was registered */
}

/* Waits for the end of the section on `object`; NULL: of any. */
static void
wait_section(Thread *t, const void *object)
{
    for (int i = 0;; i++) {
        /* Both pair with object_unlock() [bias.section]. */
        void *one = load_acquire(&t->section), *two = load_acquire(&t->section_2);
        if (object ? one != object && two != object : one == NULL && two == NULL)
            return;
        if (i < 100)
            os_pause();
        else
            os_yield();
    }
}

/* The thread takes locks from now on.  Its sections are short, none waits for anything. */
static void
switch_off(Thread *t)
{
    uint32_t on = BIAS_ON;
    if (!cas_seq_cst(&t->bias_state, &on, BIAS_REVOKING))
        return; /* somebody else is at it */
    store_seq_cst(&t->bias, BIAS_NONE);
    store_seq_cst(&t->favour, FAVOUR_NONE);
    barrier();
    wait_section(t, NULL);
    t->bias_off_since = clock_monotonic_ns();
    store_seq_cst(&t->bias_state, BIAS_OFF); /* pairs with bias_exclude(), renewing [bias.state] */
}

/* Whether it had to ask for a barrier. */
static bool
exclude(Thread *owner, const void *object)
{
    /* The lock was taken before these loads (all sequentially consistent): an owner that switches
     * its bias on later, or comes online later, sees it [bias.state] [thread.state]. */
    if (load_seq_cst(&owner->bias_state) == BIAS_OFF ||
        load_seq_cst(&owner->state) != THREAD_ATTACHED)
        return false;
    barrier();
    wait_section(owner, object);
    return true;
}

void
bias_exclude(Thread *owner, const void *object)
{
    if (exclude(owner, object) && fetch_add_relaxed(&owner->bias_waits, 1) >= WAITS_MAX)
        switch_off(owner);
}

void
bias_exclude_favoured(Thread *th, Thread *favoured, const void *object)
{
    /* If th has just got a program's Lock, the other may be about to wait for it. */
    bool won = th != NULL && th->lock_won;
    int64_t now = clock_monotonic_ns(), end = now + (won ? PATIENCE : SHORT);
    if (won)
        th->lock_won = 0;
    while (now < end && load_relaxed(&favoured->state) == THREAD_ATTACHED) {
        for (int i = 0; i < PAUSES; i++)
            os_pause();
        now = clock_monotonic_ns();
    }
    (void)exclude(favoured, object);
}

bool
bias_favour_allowed(void)
{
    int64_t now = clock_monotonic_ns(), every = load_relaxed(&bias_favour_every);
    if (every == 0)
        return true;
    int64_t due = load_relaxed(&favour_due), next; /* relaxed: the number alone matters */
    do {
        next = (due > now ? due : now) + every;
        if (next - now > FAVOURS_SAVED * every)
            return false;
    } while (!cas_relaxed(&favour_due, &due, next));
    return true;
}

void
bias_renew_slow(Thread *th)
{
    /* acquire: pairs with switch_off() [bias.state] */
    if (!load_relaxed(&available) || load_acquire(&th->bias_state) != BIAS_OFF ||
        clock_monotonic_ns() - th->bias_off_since < OFF_TIME)
        return;
    store_relaxed(&th->bias_waits, 0);
    switch_on(th);
    /* Before the next section; see bias_exclude() [bias.state] */
    exchange_seq_cst(&th->bias_state, BIAS_ON);
}
