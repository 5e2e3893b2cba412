/* thread.c -- contexts: made, bound, attached, detached, pooled.
 *
 * Who may change `state`:
 *
 *     from          to             who
 *     DETACHED      ATTACHED       the OS thread that runs the context
 *     ATTACHED      DETACHED       the same
 *     DETACHED      CLAIMED        any thread (compare-and-swap decides)
 *     CLAIMED       CLAIMED_WAITED the OS thread that wants to attach
 *     CLAIMED*      DETACHED       the claimant
 *
 * Going online and going offline are one sequentially consistent read-modify-write of
 * `state` each, followed by a load of what others ask for (the interpreter's flags, the
 * epoch, the merge queue).  Whoever asks does the opposite: writes the request, then
 * loads `state`.  At least one of the two sees the other.
 *
 * Process-wide state: thread_by_id, thread_id_high, thread_epoch, the free contexts, the
 * registered hooks, the first context that attached.
 */
#include "threads/thread.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "threads/futex.h"
#include "threads/bias.h"
#include "threads/interp.h"
#include "threads/lock_rank.h"
#include "threads/mutex.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"
#include "threads/stop_world.h"
#include "threads/thread_list.h"

_Thread_local Thread *thread_current __attribute__((tls_model("initial-exec")));

__typeof__(thread_by_id) thread_by_id;
__typeof__(thread_id_high) thread_id_high;
__typeof__(thread_epoch) thread_epoch = {1}; /* 0 is "never announced" */

static Mutex ids_lock = MUTEX_INIT(RANK_IDS);
static Thread *free_contexts; /* [lock] ids_lock: of interpreters that are gone */

/* The only context there is until threads_started. */
static ATOMIC(Thread *) first_context;

#define HOOKS_MAX 8
static const ThreadHooks *hooks[HOOKS_MAX]; /* [const] once the process has started */
static int hook_count;

void
thread_register_hooks(const ThreadHooks *h)
{
    CHECK(hook_count < HOOKS_MAX);
    hooks[hook_count++] = h;
}

/* ---------------------------------------------------------------- online, offline */

/* Waits until a claimant lets go of `th`. */
static void
wait_unclaimed(Thread *th)
{
    uint32_t s = load_relaxed(&th->state);
    for (int spin = 0; spin < 100; spin++) {
        if (s != THREAD_CLAIMED && s != THREAD_CLAIMED_WAITED)
            return;
        os_pause();
        s = load_relaxed(&th->state);
    }
    if (s == THREAD_CLAIMED && !cas_relaxed(&th->state, &s, THREAD_CLAIMED_WAITED))
        return;
    if (s == THREAD_CLAIMED || s == THREAD_CLAIMED_WAITED)
        futex_wait((FutexWord *)(void *)&th->state, THREAD_CLAIMED_WAITED, INT64_MAX);
}

bool
thread_claim(Thread *th)
{
    uint32_t s = THREAD_DETACHED;
    /* acquire: what the context did while attached; seq_cst: see the file's head
     * [thread.state] */
    return cas_seq_cst(&th->state, &s, THREAD_CLAIMED);
}

void
thread_unclaim(Thread *th)
{
    /* release: what the claimant did; pairs with thread_online() [thread.state] */
    if (exchange_seq_cst(&th->state, THREAD_DETACHED) == THREAD_CLAIMED_WAITED)
        futex_wake((FutexWord *)(void *)&th->state, 1);
}

static COLD void
online_slow(Thread *th, bool attached)
{
    Interp *interp = th->interp;
    for (;;) {
        if (attached) {
            uint32_t flags = load_seq_cst(&interp->flags); /* [thread.state] */
            bool mine = world_is_stopped_by(th) ||
                        ((flags & INTERP_CLOSED) && load_relaxed(&interp->finalizer) == th);
            bool must_wait = (flags & (INTERP_STOPPING | INTERP_CLOSED)) && !mine;
            Thread *first = NULL;
            bool must_start = load_relaxed(&threads_started) == 0 &&
                              !cas_relaxed(&first_context, &first, th) && first != th;
            if (!must_wait && !must_start) {
                if (flags & INTERP_HANDED)
                    safepoint_request(th, REQUEST_PENDING);
                return;
            }
            /* Too early: nothing was touched yet. */
            exchange_seq_cst(&th->state, THREAD_DETACHED); /* [thread.state] */
            world_wake_stopper(interp);
            if (must_wait)
                world_wait(th);
            else
                world_start_threads(th);
        }
        uint32_t s = THREAD_DETACHED;
        attached = cas_seq_cst(&th->state, &s, THREAD_ATTACHED); /* [thread.state] */
        if (!attached)
            wait_unclaimed(th);
    }
}

void
thread_online(Thread *th)
{
    ASSERT(load_relaxed(&th->state) != THREAD_ATTACHED);
    uint64_t seen = load_relaxed(&thread_epoch);
    store_relaxed(&th->epoch, seen);
    uint32_t s = THREAD_DETACHED;
    /* release: whoever sees ATTACHED sees the epoch; pairs with thread_epoch_reached()
     * [thread.state] */
    bool attached = cas_seq_cst(&th->state, &s, THREAD_ATTACHED);
    if (UNLIKELY(!attached || load_seq_cst(&th->interp->flags) != 0 ||
                 (load_relaxed(&threads_started) == 0 && load_relaxed(&first_context) != th))) {
        int saved = errno;
        online_slow(th, attached);
        errno = saved;
    }
    bias_renew(th);
    /* An epoch that opened before others could see this thread online: take part in it,
     * there is no borrowed word yet. */
    uint64_t now = load_seq_cst(&thread_epoch); /* pairs with reclaim's opening [epoch.open] */
    if (UNLIKELY(now != seen))
        store_release(&th->epoch, now); /* pairs with thread_epoch_reached() [epoch.announce] */
    if (safepoint_stressed())
        safepoint_request(th, REQUEST_EPOCH); /* from the first poll on */
}

/* Goes offline; false: somebody queued a count and still saw this thread online, so it is
 * online again and has merged. */
static inline bool
go_offline(Thread *th)
{
    ASSERT(load_relaxed(&th->state) == THREAD_ATTACHED);
    ASSERT(th->no_safepoint == 0);
    ASSERT(load_relaxed(&th->section) == NULL && load_relaxed(&th->section_2) == NULL);
    /* release: all that this thread did; pairs with claims, stops and
     * thread_epoch_reached() [thread.state] */
    exchange_seq_cst(&th->state, THREAD_DETACHED);
    if (UNLIKELY(load_seq_cst(&th->interp->flags) & INTERP_STOPPING))
        world_wake_stopper(th->interp);
    if (LIKELY(load_seq_cst(&th->merge_count) == 0 || safepoint_handlers.merge == NULL))
        return true;
    int saved = errno;
    thread_online(th);
    safepoint_handlers.merge(th);
    errno = saved;
    return false;
}

void
thread_offline(Thread *th)
{
    while (!go_offline(th)) {
    }
}

void
thread_attach(Thread *th)
{
    if (UNLIKELY(thread_current != th))
        thread_bind(th);
    thread_online(th);
}

void
thread_detach(Thread *th)
{
    ASSERT(thread_current == th);
    do {
        if (UNLIKELY(th->frame != NULL || th->offline_work)) {
            int saved = errno;
            safepoint_upgrade(th);
            if (th->offline_work && safepoint_handlers.offline)
                safepoint_handlers.offline(th);
            errno = saved;
        }
    } while (UNLIKELY(!go_offline(th)));
}

/* ---------------------------------------------------------------- epochs */

void
thread_announce(Thread *th)
{
    /* The load is an acquire: what was unlinked before the epoch opened is not seen again
     * [epoch.open].  The release publishes the counts that the upgrade took; it pairs with
     * thread_epoch_reached() [epoch.announce]. */
    uint64_t now = load_seq_cst(&thread_epoch);
    if (load_relaxed(&th->epoch) != now)
        store_release(&th->epoch, now);
    bias_renew(th);
}

bool
thread_epoch_reached(const Thread *self, uint64_t goal, uint32_t *from, Thread **blocker)
{
    uint32_t high = load_acquire(&thread_id_high); /* pairs with new_context() [thread.table] */
    for (uint32_t id = *from; id <= high; id++) {
        Thread *t = load_acquire(&thread_by_id[id]); /* [thread.table] */
        if (t == NULL || t == self)
            continue;
        /* Offline: has no borrowed word, and will see the newest epoch when it comes back
         * [thread.state].  Online: has it announced? [epoch.announce] */
        if (load_seq_cst(&t->state) == THREAD_ATTACHED && load_acquire(&t->epoch) < goal) {
            *from = id;
            if (blocker)
                *blocker = t;
            return false;
        }
    }
    *from = high + 1;
    return true;
}

Thread *
thread_other_online(const Thread *self)
{
    uint32_t high = load_acquire(&thread_id_high); /* [thread.table] */
    for (uint32_t id = 1; id <= high; id++) {
        Thread *t = load_acquire(&thread_by_id[id]); /* [thread.table] */
        if (t != NULL && t != self && load_seq_cst(&t->state) == THREAD_ATTACHED)
            return t;
    }
    return NULL;
}

/* ---------------------------------------------------------------- making and pooling */

/* A context with a number, of no interpreter yet. */
static Thread *
new_context(void)
{
    mutex_lock(NULL, &ids_lock);
    Thread *th = free_contexts;
    if (th) {
        free_contexts = th->next_free;
        mutex_unlock(&ids_lock);
        return th;
    }
    uint32_t id = load_relaxed(&thread_id_high) + 1;
    if (id <= THREAD_ID_MAX)
        th = mem_alloc_lines(sizeof(*th));
    if (th) {
        th->id = id;
        bias_start(th);
        store_release(&thread_by_id[id], th); /* release: its fields [thread.table] */
        store_release(&thread_id_high, id);   /* release: the entry [thread.table] */
    }
    mutex_unlock(&ids_lock);
    return th;
}

static void
free_context(Thread *th)
{
    th->interp = NULL;
    mutex_lock(NULL, &ids_lock);
    th->next_free = free_contexts;
    free_contexts = th;
    mutex_unlock(&ids_lock);
}

static void
run_destroy(Thread *th, int created)
{
    while (created-- > 0)
        if (hooks[created]->destroy)
            hooks[created]->destroy(th);
}

static Thread *
create(Interp *interp)
{
    Thread *th = new_context();
    if (th == NULL)
        return NULL;
    th->interp = interp;
    for (int i = 0; i < hook_count; i++)
        if (hooks[i]->create && !hooks[i]->create(th)) {
            run_destroy(th, i);
            free_context(th);
            return NULL;
        }
    mutex_lock(NULL, &interp->threads_lock);
    Thread *head = load_relaxed(&interp->threads);
    store_relaxed(&th->next, head);
    /* release: pairs with walks of the list without the lock [interp.threads] */
    store_release(&interp->threads, th);
    mutex_unlock(&interp->threads_lock);
    return th;
}

/* Back to the pool, whatever is left in it. */
static void
put_in_pool(Thread *th)
{
    Interp *interp = th->interp;
    mutex_lock(NULL, &interp->threads_lock);
    th->in_use = 0;
    th->os_thread = NULL;
    th->ident = 0;
    th->next_free = interp->pool;
    interp->pool = th;
    mutex_unlock(&interp->threads_lock);
    /* Release, and last: after it the interpreter may be freed; pairs with interp_free()
     * [interp.count] */
    fetch_add_acq_rel(&interp->thread_count, -1u);
}

void
thread_forget(Thread *th)
{
    th->frame = NULL;
    th->error = NULL;
    th->handled = NULL;
    put_in_pool(th);
}

void
thread_ids_lock(void)
{
    mutex_lock(NULL, &ids_lock);
}

void
thread_ids_unlock(void)
{
    mutex_unlock(&ids_lock);
}

void
thread_ids_reset(void)
{
    mutex_reset(&ids_lock);
}

Thread *
thread_acquire(Interp *interp)
{
    mutex_lock(NULL, &interp->threads_lock);
    Thread *th = interp->pool;
    if (th)
        interp->pool = th->next_free;
    mutex_unlock(&interp->threads_lock);
    if (th == NULL && (th = create(interp)) == NULL)
        return NULL;

    th->next_free = NULL;
    th->in_use = 1;
    th->run = ((th->run >> 16) + 1) << 16 | th->id; /* 65,536 runs later they begin anew */
    th->is_main = th->is_daemon = th->finalizing = 0;
    th->frame = NULL;
    th->error = NULL;
    th->handled = NULL;
    th->repr_guard = NULL;
    th->vm_depth = 0;
    th->dealloc_depth = 0;
    th->no_safepoint = 0;
    th->recursion_limit = load_relaxed(&interp->recursion_limit);
    th->recursion_left = th->recursion_limit;
    /* Requests to the context's last run that still matter are asked again. */
    store_relaxed(&th->request, 0);
    fetch_add_relaxed(&interp->thread_count, 1);
    for (int i = 0; i < hook_count; i++)
        if (hooks[i]->start && !hooks[i]->start(th)) {
            put_in_pool(th);
            return NULL;
        }
    return th;
}

void
thread_bind(Thread *th)
{
    int saved = errno;
    OsThread *os = os_thread_self();
    if (th->os_thread != os || th->ident != os->ident) {
        th->os_thread = os;
        th->ident = os->ident;
        th->c_stack_limit = os_thread_stack_limit(os);
    }
    thread_current = th;
    errno = saved;
}

Thread *
thread_create_main(Interp *interp)
{
    if (load_relaxed(&thread_id_high) == 0)
        bias_init();
    Thread *th = thread_acquire(interp);
    if (th == NULL)
        return NULL;
    th->is_main = 1;
    thread_attach(th);
    return th;
}

bool
thread_can_run_python(const Thread *th)
{
    return th->interp->state == NULL || th->handled != NULL;
}

void
thread_end_run(Thread *th)
{
    /* Here Python code can still run, unless the evaluator has taken its state down. */
    if (safepoint_handlers.serve_pending && thread_can_run_python(th))
        safepoint_handlers.serve_pending(th);
    th->releasing = 1;
    for (int i = hook_count; i-- > 0;)
        if (hooks[i]->finish)
            hooks[i]->finish(th);
    ASSERT(th->error == NULL);
    thread_detach(th);
    ASSERT(th->pending_count == 0);
}

void
thread_release(Thread *th)
{
    thread_rests(th);
    ASSERT(th->in_use);
    if (th->os_thread == NULL) { /* it never ran: there is nothing to take down */
        put_in_pool(th);
        return;
    }
    if (!th->releasing) {
        if (!thread_is_attached(th))
            thread_attach(th);
        thread_end_run(th);
    }
    th->releasing = 0;
    if (thread_current == th)
        thread_current = NULL;
    put_in_pool(th);
}

void
thread_free_all(Interp *interp)
{
    Thread *next;
    for (Thread *th = load_relaxed(&interp->threads); th; th = next) {
        next = load_relaxed(&th->next);
        ASSERT(load_relaxed(&th->state) == THREAD_DETACHED);
        run_destroy(th, hook_count);
        if (thread_current == th)
            thread_current = NULL;
        Thread *expected = th; /* the next process-wide first context may be any */
        (void)cas_relaxed(&first_context, &expected, NULL);
        /* `request` and the last line may still be looked at by other interpreters. */
        store_relaxed(&th->request, 0);
        size_t from = offsetof(Thread, error);
        memset((char *)th + from, 0, offsetof(Thread, state) - from);
        free_context(th);
    }
    store_relaxed(&interp->threads, NULL);
    interp->pool = NULL;
}

/* ---------------------------------------------------------------- running */

typedef struct RunArgs {
    Thread *th;
    void (*fn)(Thread *th, void *arg);
    void *arg;
} RunArgs;

static void
run_thread(void *p)
{
    RunArgs run = *(RunArgs *)p;
    thread_attach(run.th);
    mem_free(p); /* online: a fork waits for it */
    run.fn(run.th, run.arg);
    thread_release(run.th);
}

bool
thread_start(Thread *th, void (*fn)(Thread *th, void *arg), void *arg, size_t stack_size)
{
    uint64_t ident;
    return thread_start_ident(th, fn, arg, stack_size, &ident);
}

bool
thread_start_ident(Thread *th, void (*fn)(Thread *th, void *arg), void *arg, size_t stack_size,
                   uint64_t *ident)
{
    RunArgs *run = mem_alloc(sizeof(*run));
    if (run == NULL)
        return false;
    *run = (RunArgs){th, fn, arg};
    if (os_thread_start_ident(run_thread, run, stack_size, ident))
        return true;
    mem_free(run);
    return false;
}
