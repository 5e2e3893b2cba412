/* thread.h -- Thread: one running thread's state, and who may touch it.
 *
 * A Thread ("context" in the design) is owner number, heap, queues, register
 * stack and error state in one block.  It belongs to an OS thread while that
 * runs, and goes back to its interpreter's pool when it ends, with its heap:
 * nothing is abandoned, the next thread takes it over.
 *
 * Life of a thread's `state`:
 *
 *     DETACHED --attach--> ATTACHED --detach--> DETACHED
 *     DETACHED --claim---> CLAIMED  --release-> DETACHED   (a helper merges its queue)
 *
 * ATTACHED means online: the thread may touch objects, holds up grace periods
 * and stop-the-world until it passes a safepoint.  DETACHED means offline: its
 * registers hold no borrowed word, its retired batches are handed over.
 */
#ifndef THREADS_THREAD_H
#define THREADS_THREAD_H

#include "base/atomic.h"
#include "base/attrs.h"
#include "base/value.h"
#include "threads/futex.h"

/* Owner numbers.  A thread's is 1 .. THREAD_ID_MAX. */
#define OWNER_MERGED 0
#define THREAD_ID_MAX 65533
#define OWNER_POOLED 65534 /* merged, and threads keep references in hand: gc/credit.h */
#define OWNER_IMMORTAL 65535
/* In Thread.bias: the thread takes the locks of its private objects, too. */
#define BIAS_NONE UINT32_MAX
/* In Thread.favour: no shared object favours the thread; no lock byte is ever that. */
#define FAVOUR_NONE 2

/* Bits of `request`, polled at every loop back-edge, call and safepoint. */
enum {
    REQUEST_EPOCH = 1 << 0,   /* an epoch waits for this thread's announcement */
    REQUEST_STOP = 1 << 1,    /* stop-the-world */
    REQUEST_MERGE = 1 << 2,   /* other threads queued counts to merge */
    REQUEST_PENDING = 1 << 3, /* finalizers, callbacks, retired batches to serve */
    REQUEST_SIGNAL = 1 << 4,  /* Python signal handlers to run (main thread) */
    REQUEST_GC = 1 << 5,      /* a cycle collection is due */
    REQUEST_ASYNC = 1 << 6,   /* an exception set by another thread */
    REQUEST_CALLS = 1 << 7,   /* pending calls (handshakes) */
};

enum ThreadState {
    THREAD_DETACHED,
    THREAD_ATTACHED,
    THREAD_CLAIMED,
    THREAD_CLAIMED_WAITED, /* claimed, and its owner sleeps until it is released */
};

struct Heap;       /* gc/heap.h */
struct Reclaim;    /* gc/reclaim_priv.h: retire queues, pending list of this thread */
struct MergeQueue; /* gc/refcount.c */
struct CreditTable; /* gc/credit.h */
struct OsThread;   /* threads/os_thread.h */
struct Frame;     /* core/vm/frame.h */
struct ErrorItem; /* objects/error/error.h: stack of exceptions being handled */
struct ReprGuard; /* objects/protocol/repr_guard.c */

struct Thread {
    /* -- what the evaluator reads all the time -- */
    ATOMIC(uint32_t) request;  /* [atomic] REQUEST_ bits */
    uint32_t id;               /* [const] owner number of the objects it makes */
    Value error;               /* [owner] exception being raised, counted; NULL if none */
    struct Heap *heap;         /* [owner] */
    struct Frame *frame;       /* [owner] innermost frame, NULL outside Python code */
    Value *stack_limit;        /* [owner] end of the register stack */
    Value *stack_base;         /* [owner] its beginning */
    uintptr_t c_stack_limit;   /* [owner] lowest address C code may reach */
    int32_t recursion_left;    /* [owner] Python calls until RecursionError */
    int32_t recursion_limit;   /* [owner] copy of the interpreter's limit */
    uint32_t pending_count;    /* [owner] entries in the pending list */
    uint32_t no_safepoint;     /* [owner] depth of no_safepoint_begin(), debug */
    struct ErrorItem *handled; /* [owner] innermost exception being handled */
    Interp *interp;            /* [const] for life: contexts never change interpreter */
    /* Biased object locks, threads/bias.h. */
    ATOMIC(uint32_t) bias;     /* [owner], or the thread that revokes: id, or BIAS_NONE */
    ATOMIC(uint8_t) favour;    /* the same: the lock byte of objects that favour it, or FAVOUR_NONE */
    uint8_t favour_in;         /* [owner] locks of shared objects it takes until it looks at one */
    ATOMIC(void *) section;    /* [owner] the object it is changing without a lock, */
    ATOMIC(void *) section_2;  /* [owner] and a second one: object_touch_lock_two() */

    /* -- gc/ -- */
    struct Reclaim *reclaim;  /* [owner] */
    struct MergeQueue *merge; /* [const] objects whose counts others ask to merge */
    struct CreditTable *credits; /* [const] references kept in hand */
    uint32_t dealloc_depth;   /* [owner] nested deallocations in C */
    uint8_t offline_work;     /* [owner] the gc has something to hand over at detach */

    /* -- threads/ -- */
    struct OsThread *os_thread;   /* the OS thread that runs it, NULL in the pool */
    uint64_t ident;               /* threading.get_ident() */
    ATOMIC(Thread *) next;        /* list of the interpreter's contexts */
    Thread *next_free;            /* [lock] the interpreter's pool, or the process's */
    uint32_t run;                 /* [const] during a run: its number and the id; no other thread's */
    uint8_t is_main;              /* runs the interpreter's main program */
    uint8_t is_daemon;
    uint8_t finalizing;
    uint8_t releasing;            /* [owner] from thread_end_run() on: no Python code any more */
    uint8_t in_use;               /* not in the pool [lock] interp->threads_lock */
    uint8_t lock_luck;            /* [owner] whether looking for a lock has paid: user_lock.c */
    uint8_t lock_looks;           /* [owner] a rhythm */
    FutexWord *lock_sleeper;      /* [owner] on which sleeps whom it has handed a program's lock, or NULL */
    const void *lock_handed;      /* [owner] that lock */
    uint8_t lock_won;             /* [owner] has just got a program's lock that it waited for */
    uint8_t pool_in;              /* [owner] foreign drops until it asks for an object to be pooled */
    ATOMIC(uint32_t) locks_taken; /* [owner] of programs' locks, minus those it gave back itself */
    uint32_t cache_lot;           /* [owner] draws the runs that write to inline caches */

    /* -- objects/ and core/ -- */
    struct ReprGuard *repr_guard; /* [owner] containers whose repr is being made */
    Value thread_dict;            /* [owner] what _thread._local hangs on, or NULL */
    Value context;                /* [owner] contextvars.Context, or NULL */
    Value async_exc;              /* [lock] interp->threads_lock: exception to raise, or NULL */
    Value trace_func, profile_func; /* [owner] hooks of sys.settrace, sys.setprofile */
    Value asyncgen_firstiter, asyncgen_finalizer; /* [owner] sys.set_asyncgen_hooks */
    Value current_sentinel;       /* [owner] lock released when the thread ends, or NULL */
    Value ended_sentinel;         /* [owner] the one of the run that has ended; the next one drops it */
    int32_t coroutine_origin_depth;
    uint32_t vm_depth;            /* [owner] nested evaluator calls in C */
    void *slots[8];               /* [owner] for modules */

    /* -- what other threads look at: a pair of cache lines of its own, as processors fetch both -- */
    ATOMIC(uint32_t) state __attribute__((aligned(128))); /* [atomic] enum ThreadState */
    ATOMIC(uint32_t) merge_count; /* [atomic] entries in `merge` */
    ATOMIC(uint64_t) epoch;       /* [atomic] last announced epoch; counts while ATTACHED */
    ATOMIC(uint32_t) bias_state;  /* [atomic] enum BiasState */
    ATOMIC(uint32_t) bias_waits;  /* [atomic] handshakes since it was switched on */
    ATOMIC(uint32_t) locks_given; /* [atomic] locks it had taken and others gave back */
    int64_t bias_off_since;       /* by whoever switched it off, before BIAS_OFF [bias.state] */
} __attribute__((aligned(128)));

/* The thread of the calling OS thread, NULL if it has none. */
extern _Thread_local Thread *thread_current __attribute__((tls_model("initial-exec")));

/* Every context of the process by its number.  Contexts are never freed, only
 * recycled, so whoever finds one here may read its state at any time. */
extern ATOMIC(Thread *) thread_by_id[THREAD_ID_MAX + 1];
/* The highest number given out so far. */
extern ATOMIC(uint32_t) thread_id_high;

/* The epoch: grows by one for each batch of retired references (gc/reclaim.c).  An
 * online thread's `epoch` says which value it has seen with no borrowed word left. */
extern ATOMIC(uint64_t) thread_epoch;

/* What each level adds to a context.  Called in the order of registration. */
typedef struct ThreadHooks {
    /* A new context: lay out what it keeps for life.  False: no memory. */
    bool (*create)(Thread *th);
    /* Taken from the pool to run again (also right after create); detached.  The calling
     * thread need not be the one that will run it.  False: no memory. */
    bool (*start)(Thread *th);
    /* About to go back to the pool; attached, on its own OS thread: drop what the run leaves
     * behind.  In the reverse order of registration.  Python code that this makes due
     * (finalizers) runs on another thread. */
    void (*finish)(Thread *th);
    /* Its interpreter is gone: free what create made.  Detached. */
    void (*destroy)(Thread *th);
} ThreadHooks;

/* Registers hooks; at process start, before any context exists.  `hooks` stays valid. */
void thread_register_hooks(const ThreadHooks *hooks);

/* Returns whether less than a safe margin of C stack is left.  Every C function
 * that recurses on a program's data asks, and raises RecursionError
 * (raise_recursion() of objects/error/error.h). */
static inline bool
thread_stack_low(Thread *th)
{
    return UNLIKELY((uintptr_t)__builtin_frame_address(0) < th->c_stack_limit);
}

/* Creates the main thread's Thread for `interp` and attaches it. */
RAISES Thread *thread_create_main(Interp *interp);

/* Takes a Thread of `interp` from the pool, or makes one.  NULL: no memory or no
 * number left.  It is DETACHED.  The caller is attached to `interp`, alone in it, or takes
 * thread_acquire_outside(). */
Thread *thread_acquire(Interp *interp);
/* For a caller without a context: waits while the world is stopped, whose stopper looks at all contexts. */
Thread *thread_acquire_outside(Interp *interp);
/* The last thing that the run of th does online: what it queued and kept in hand is given up.  th is
 * attached; afterwards it is detached, touches no object any more and calls thread_release(). */
void thread_end_run(Thread *th);
/* Gives a finished Thread back to its pool; the calling OS thread runs it, or nobody has
 * run it yet.  Attached or detached; it is detached afterwards and must not be used again. */
void thread_release(Thread *th);

/* Becomes online: waits while the world is stopped.  The first attach on an OS thread
 * binds `th` to it.  Keeps errno. */
void thread_attach(Thread *th);
/* Becomes offline: upgrades borrowed registers, hands over retired batches.  Keeps
 * errno. */
void thread_detach(Thread *th);

/* Starts an OS thread that attaches `th`, runs fn(th, arg) and releases `th`.  False:
 * the system has no thread left; `th` is then still the caller's.  `stack_size` 0: the
 * default. */
bool thread_start(Thread *th, void (*fn)(Thread *th, void *arg), void *arg, size_t stack_size);
/* The same; *ident becomes what threading.get_ident() says in the new thread (th->ident is
 * written by that thread, and may be gone again before the caller looks). */
bool thread_start_ident(Thread *th, void (*fn)(Thread *th, void *arg), void *arg,
                        size_t stack_size, uint64_t *ident);

/* Whether the evaluator's state of `th` is up (always, where there is no evaluator). */
bool thread_can_run_python(const Thread *th);

/* Makes the calling OS thread the one that runs `th`; thread_attach() does it by
 * itself. */
void thread_bind(Thread *th);

/* Whether `th` holds a lock that a program made (objects/model/lock.h); a snapshot unless th is the
 * caller's.  Counted over all runs of the context. */
static inline bool
thread_holds_locks(Thread *th)
{
    return load_relaxed(&th->locks_taken) != load_relaxed(&th->locks_given);
}

/* Whether `th` is online; a snapshot unless th is the caller's. */
static inline bool
thread_is_attached(Thread *th)
{
    return load_relaxed(&th->state) == THREAD_ATTACHED;
}

/* -- for gc/ and threads/ -- */

/* Claims a DETACHED context to work on its queues; false: it is in use or claimed. */
bool thread_claim(Thread *th);
void thread_unclaim(Thread *th);

/* Detach and attach without handing over: for short waits. */
void thread_offline(Thread *th);
void thread_online(Thread *th);

/* Announces the newest epoch.  The registers hold no borrowed word. */
void thread_announce(Thread *th);

/* Whether every other online thread has announced `goal` or a later epoch.  *from is a
 * context number to go on from; start with 1.  *blocker (if not NULL) is who has not. */
bool thread_epoch_reached(const Thread *self, uint64_t goal, uint32_t *from, Thread **blocker);

/* Some other context that is online, or NULL: then `self` was alone at that moment. */
Thread *thread_other_online(const Thread *self);

/* Frees the contexts of an interpreter whose threads are all gone. */
void thread_free_all(Interp *interp);

/* 1 while a thread sleeps by the clock because others keep a program's lock busy (user_lock.c): one of
 * those may stop doing so when it blocks or ends, and calls thread_rests() then.  A hint. */
extern FutexWord thread_naps;
void thread_rests_slow(Thread *th);

static inline void
thread_rests(Thread *th)
{
    if (UNLIKELY(load_relaxed(&thread_naps) != 0) || UNLIKELY(th->lock_sleeper != NULL))
        thread_rests_slow(th);
}

/* Round a system call that may block.  Nothing between them touches an object;
 * errno is kept.  Signal handlers are NOT run: see signals.h. */
static inline void
blocking_begin(Thread *th)
{
    thread_rests(th);
    thread_detach(th);
}

static inline void
blocking_end(Thread *th)
{
    thread_attach(th); /* keeps errno */
}

#endif
