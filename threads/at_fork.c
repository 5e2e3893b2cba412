/* at_fork.c -- what fork() means for threads, locks and queues.
 *
 * Preparing: each level takes the locks that its own threads may hold while they are offline; one
 * fork at a time goes on; then the world of all interpreters is stopped, so that nobody is
 * online and every register is counted; then the locks of this level are taken, so that
 * their lists are whole, and no OS thread is being started or ended.  In the child the
 * parking lot is empty, those locks are made free, and every other context is in no OS
 * thread's hands.
 *
 * Memory: a thread that is online, being started or ended is never in the middle of malloc() or free()
 * then, so mimalloc is whole.  What libc allocates on behalf of threads that are offline in its
 * functions (getaddrinfo()) libc puts in order itself, and so do the sanitizers' runtimes but for one,
 * see sanitizer_locks_at_fork().
 *
 * Locks: those of the levels, then fork_lock, then all of threads/.  Process-wide state:
 * fork_lock, the registered hooks.
 */
#include "threads/at_fork.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/sanitize.h"
#include "threads/bias.h"
#include "threads/interp.h"
#include "threads/lock_rank.h"
#include "threads/mutex.h"
#include "threads/os_thread.h"
#include "threads/park.h"
#include "threads/signals.h"
#include "threads/stop_state.h"
#include "threads/stop_world.h"
#include "threads/thread_list.h"

static Mutex fork_lock = MUTEX_INIT(RANK_FORK);

#define HOOKS_MAX 16
static const ForkHooks *hooks[HOOKS_MAX]; /* [const] once the process has started */
static int hook_count;

void
fork_register_hooks(const ForkHooks *h)
{
    CHECK(hook_count < HOOKS_MAX);
    hooks[hook_count++] = h;
}

#if WEFT_ASAN && defined(__clang__) && __clang_major__ < 18
/* Until version 18 the runtime of AddressSanitizer takes no locks of its own at fork(), so that a child
 * waits for ever for one that another thread held.  These functions of it take them, as later versions
 * do by themselves; where it lacks one, nothing is done. */
#define RUNTIME(name, symbol) extern void name(void) __asm__(symbol) __attribute__((weak))
RUNTIME(lock_registry, "_ZN6__lsan18LockThreadRegistryEv");
RUNTIME(unlock_registry, "_ZN6__lsan20UnlockThreadRegistryEv");
RUNTIME(lock_allocator, "_ZN6__lsan13LockAllocatorEv");
RUNTIME(unlock_allocator, "_ZN6__lsan15UnlockAllocatorEv");
RUNTIME(lock_stacks, "_ZN11__sanitizer17StackDepotLockAllEv");
RUNTIME(unlock_stacks, "_ZN11__sanitizer19StackDepotUnlockAllEv");

static void
lock_runtime(void)
{
    lock_registry();
    lock_allocator();
    lock_stacks();
}

static void
unlock_runtime(void)
{
    unlock_stacks();
    unlock_allocator();
    unlock_registry();
}

/* The caller holds fork_lock. */
static void
sanitizer_locks_at_fork(void)
{
    static bool done;
    if (!done && lock_registry && unlock_registry && lock_allocator && unlock_allocator && lock_stacks &&
        unlock_stacks)
        (void)pthread_atfork(lock_runtime, unlock_runtime, unlock_runtime);
    done = true;
}
#else
#define sanitizer_locks_at_fork() ((void)0)
#endif

void
fork_prepare(Thread *th)
{
    for (int i = hook_count; i-- > 0;)
        if (hooks[i]->prepare)
            hooks[i]->prepare(th);
    mutex_lock(th, &fork_lock);
    sanitizer_locks_at_fork();
    world_stop_all(th);
    os_thread_hold_changes();
    for (Interp *i = interps_first; i; i = i->next)
        mutex_lock(NULL, &i->threads_lock);
    thread_ids_lock();
    for (int i = 0; i < hook_count; i++)
        if (hooks[i]->stopped)
            hooks[i]->stopped();
}

void
fork_parent(Thread *th)
{
    for (int i = 0; i < hook_count; i++)
        if (hooks[i]->parent)
            hooks[i]->parent();
    thread_ids_unlock();
    for (Interp *i = interps_first; i; i = i->next)
        mutex_unlock(&i->threads_lock);
    os_thread_changes_go_on();
    world_start_all(th);
    mutex_unlock(&fork_lock);
}

/* Frees the stop of one interpreter, whose waiters are gone. */
static void
reset_stop(Interp *interp)
{
    StopState *s = interp->stop;
    mutex_reset(&s->lock);
    store_relaxed(&s->stopper, NULL);
    store_relaxed(&s->sleeping, 0);
    store_relaxed(&s->waiting, 0);
    fetch_and_seq_cst(&interp->flags, ~INTERP_STOPPING);
}

void
fork_child(Thread *th)
{
    /* Nobody else exists: all stores may be relaxed. */
    park_reset_in_child();
    lock_rank_reset();
    os_thread_reset_in_child();
    bias_init();
    OsThread *os = os_thread_self();
    th->os_thread = os;
    th->ident = os->ident;
    signals_reset_in_child();

    mutex_reset(&fork_lock);
    mutex_reset(&interps_lock);
    thread_ids_reset();
    for (Interp *i = interps_first; i; i = i->next) {
        mutex_reset(&i->threads_lock);
        reset_stop(i);
    }
    for (int i = 0; i < hook_count; i++)
        if (hooks[i]->child)
            hooks[i]->child();

    for (Interp *i = interps_first; i; i = i->next) {
        for (Thread *t = load_relaxed(&i->threads); t; t = load_relaxed(&t->next)) {
            if (t == th)
                continue;
            store_relaxed(&t->state, THREAD_DETACHED); /* a claimant is gone, too */
            if (!t->in_use)
                continue;
            if (i == th->interp)
                for (int h = hook_count; h-- > 0;)
                    if (hooks[h]->adopt)
                        hooks[h]->adopt(th, t);
            thread_forget(t);
        }
        /* A thread that was on its way out may still have been counted. */
        store_relaxed(&i->thread_count, i == th->interp ? 1 : 0);
    }
}

int
fork_process(Thread *th)
{
    fork_prepare(th);
    pid_t pid = fork();
    int saved = errno;
    if (pid == 0)
        fork_child(th);
    else
        fork_parent(th);
    errno = saved;
    return (int)pid;
}
