/* interp.h -- Interp: one isolated interpreter.
 *
 * Owns its threads, contexts and slabs; everything that upper levels keep per
 * interpreter hangs in one struct each (objects: ObjectsState, run: RunState).
 */
#ifndef THREADS_INTERP_H
#define THREADS_INTERP_H

#include "threads/futex.h"
#include "threads/mutex.h"
#include "threads/thread.h"

struct GcState;      /* gc/collect.c */
struct InterpState;  /* core/run/run.h: modules, sys, import, settings */

struct Interp {
    uint32_t id;                  /* [const] */
    Mutex threads_lock;           /* the list below, the pool, async exceptions */
    ATOMIC(Thread *) threads;     /* [lock] threads_lock; all contexts, in use or not */
    ATOMIC(uint32_t) thread_count;/* attached or detached, in use */
    struct GcState *gc;           /* [const] */
    FutexWord flags;              /* [atomic] INTERP_ bits, read at every attach */
    struct StopState *stop;       /* [const] stop-the-world domain */
    Thread *pool;                 /* [lock] threads_lock; contexts not in use */
    struct InterpState *state;    /* [const] set by core/run */
    Value modules;                /* [const] sys.modules dict */
    Value sys_dict;               /* [const] dict of module sys */
    Value builtins;               /* [const] dict of module builtins */
    Value importlib;              /* [const] module _frozen_importlib, once set */
    ATOMIC(int32_t) recursion_limit;
    ATOMIC(uint8_t) finalizing;   /* Py_Finalize has begun */
    ATOMIC(Thread *) finalizer;   /* the thread that ends the interpreter */
    Interp *next;                 /* [lock] interps_lock */
    ATOMIC(void *) slots[32];     /* per-interpreter state of native modules, see native.h */
    Value kept[32];               /* who holds that state, counted: modules, types */
    ATOMIC(uint32_t) int_max_str_digits; /* sys.set_int_max_str_digits */
    uint8_t bytes_warning;        /* [const] -b: how often it was given */
    bool lines_only;              /* [const] -X no_debug_ranges: code is made without columns */
    ATOMIC(Value) objects[4];     /* counted; made on first use, see native.h */
};

/* Bits of `flags`: a thread that attaches takes the slow path if one is set. */
#define INTERP_STOPPING 1u /* stop-the-world: wait */
#define INTERP_CLOSED 2u   /* over: only `finalizer` may attach, all others sleep for ever */
#define INTERP_HANDED 4u   /* retired batches of others wait to be served */
#define INTERP_CALLS 8u    /* finalizers wait for a thread that may run them: gc/pending.h */

/* What each level adds to an interpreter, in the order of registration. */
typedef struct InterpHooks {
    bool (*create)(Interp *interp); /* false: no memory */
    void (*closing)(Interp *interp); /* it is about to end; before that, any number of times */
    void (*destroy)(Interp *interp);
} InterpHooks;
void interp_register_hooks(const InterpHooks *hooks);

/* Creates an empty interpreter.  NULL: no memory. */
Interp *interp_create(void);
/* Frees an interpreter all of whose threads are gone. */
void interp_free(Interp *interp);

/* From here on only `th` may attach in its interpreter: threads that are detached, or
 * that reach a safepoint, sleep for ever.  Returns when all of them do. */
void interp_close(Thread *th);

/* All interpreters, newest last; hold interps_lock. */
extern Mutex interps_lock;
extern Interp *interps_first;

extern Interp *interp_main;

#endif
