/* pending.h -- what must run as Python code, but not here.
 *
 * Finalizers and weakref callbacks found while dropping go to the thread's pending
 * list; the evaluator serves it as the instruction ends (rules A10).  Native code
 * that loops for long may call pending_serve() where it holds nothing half-done.
 */
#ifndef GC_PENDING_H
#define GC_PENDING_H

#include "gc/refcount.h"

/* Queues fn(th, a, b); the list owns a reference to each of a, b (may be NULL). */
void pending_add(Thread *th, void (*fn)(Thread *th, Value a, Value b), Value STEALS a,
                 Value STEALS b);

/* Runs everything queued, to a fixpoint; th->error is saved and restored. Also
 * carries out retired batches when th is the only thread online. */
void pending_serve(Thread *th);

/* Whether calls wait in the interpreter that th may make: the next pending_serve() does. */
bool pending_waits(Thread *th);

/* The interpreter is about to end: makes all calls that wait anywhere in it, and waits a moment for
 * those that are being made. */
void pending_settle(Thread *th);

#endif
