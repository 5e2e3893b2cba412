/* interp.h -- Interp: one isolated interpreter.
 *
 * Owns its threads, contexts and slabs; everything that upper levels keep per
 * interpreter hangs in one struct each (objects: ObjectsState, run: RunState).
 */
#ifndef THREADS_INTERP_H
#define THREADS_INTERP_H

#include "threads/mutex.h"
#include "threads/thread.h"

struct GcState;      /* gc/collect.c */
struct InterpState;  /* core/run/interp_state.h: modules, sys, import, settings */

struct Interp {
    uint32_t id;                  /* [const] */
    Mutex threads_lock;           /* the list below, the pool, async exceptions */
    ATOMIC(Thread *) threads;     /* [lock] threads_lock; all contexts, in use or not */
    ATOMIC(uint32_t) thread_count;/* attached or detached, in use */
    struct GcState *gc;           /* [const] */
    struct StopState *stop;       /* [const] stop-the-world domain */
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
    uint32_t int_max_str_digits;  /* sys.set_int_max_str_digits */
    Value hooks[8];               /* for objects/ and core/ (codec registry etc.) */
};

/* Creates an empty interpreter.  NULL: no memory. */
Interp *interp_create(void);
/* Frees an interpreter all of whose threads are gone. */
void interp_free(Interp *interp);
extern Interp *interp_main;

#endif
