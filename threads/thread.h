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

/* Owner numbers.  A thread's is 1 .. THREAD_ID_MAX. */
#define OWNER_MERGED 0
#define THREAD_ID_MAX 65533
#define OWNER_IMMORTAL 65535

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

enum ThreadState { THREAD_DETACHED, THREAD_ATTACHED, THREAD_CLAIMED };

struct Heap;      /* gc/heap.h */
struct Reclaim;   /* gc/reclaim.h: retire queues of this thread */
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

    /* -- gc/ -- */
    struct Reclaim *reclaim;      /* [owner] */
    ATOMIC(uint64_t) epoch;       /* [atomic] last announced epoch, 0 when offline */
    ATOMIC(uint32_t) state;       /* [atomic] enum ThreadState */
    uint32_t dealloc_depth;       /* [owner] nested deallocations in C */
    struct MergeQueue *merge;     /* objects whose counts others ask to merge */
    uint64_t allocated;           /* [owner] tracked objects since the last collection */

    /* -- threads/ -- */
    struct OsThread *os_thread;   /* the OS thread that runs it, NULL in the pool */
    uint64_t ident;               /* threading.get_ident() */
    ATOMIC(Thread *) next;        /* list of the interpreter's threads */
    uint8_t is_main;              /* runs the interpreter's main program */
    uint8_t is_daemon;
    uint8_t finalizing;
    uint8_t in_use;               /* not in the pool [lock] interp->threads_lock */

    /* -- objects/ and core/ -- */
    struct ReprGuard *repr_guard; /* [owner] containers whose repr is being made */
    Value thread_dict;            /* [owner] what _thread._local hangs on, or NULL */
    Value context;                /* [owner] contextvars.Context, or NULL */
    Value async_exc;              /* [lock] interp->threads_lock: exception to raise, or NULL */
    Value trace_func, profile_func; /* [owner] hooks of sys.settrace, sys.setprofile */
    Value asyncgen_firstiter, asyncgen_finalizer; /* [owner] sys.set_asyncgen_hooks */
    Value current_sentinel;       /* [owner] lock released when the thread ends, or NULL */
    int32_t coroutine_origin_depth;
    uint32_t vm_depth;            /* [owner] nested evaluator calls in C */
    void *slots[8];               /* [owner] for modules */
};

/* The thread of the calling OS thread, NULL if it has none. */
extern _Thread_local Thread *thread_current;

/* Returns whether less than a safe margin of C stack is left.  Every C function
 * that recurses on a program's data asks, and raises RecursionError
 * (error_recursion() of objects/error/error.h). */
static inline bool
thread_stack_low(Thread *th)
{
    char here;
    return UNLIKELY((uintptr_t)&here < th->c_stack_limit);
}

/* Creates the main thread's Thread for `interp` and attaches it. */
RAISES Thread *thread_create_main(Interp *interp);

/* Takes a Thread of `interp` from the pool, or makes one.  NULL: no memory or no
 * number left.  It is DETACHED. */
Thread *thread_acquire(Interp *interp);
/* Gives a finished, detached Thread back to its pool. */
void thread_release(Thread *th);

/* Becomes online: waits while the world is stopped.  The caller's OS thread owns `th`. */
void thread_attach(Thread *th);
/* Becomes offline: upgrades borrowed registers, hands over retired batches. */
void thread_detach(Thread *th);

/* Round a system call that may block.  Nothing between them touches an object;
 * errno is kept.  Signal handlers are NOT run: see signals.h. */
static inline void
blocking_begin(Thread *th)
{
    thread_detach(th);
}

static inline void
blocking_end(Thread *th)
{
    thread_attach(th); /* keeps errno */
}

#endif
