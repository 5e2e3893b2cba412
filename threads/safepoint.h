/* safepoint.h -- where a thread answers requests.
 *
 * A safepoint is the only place where other threads' requests are answered:
 * epochs are announced (after the borrowed registers were upgraded), the world
 * stops, counts are merged, collections run, signal handlers and finalizers
 * run Python code.  The evaluator polls at back-edges and calls; long native
 * loops poll with safepoint_poll() at least every 10,000 steps.
 */
#ifndef THREADS_SAFEPOINT_H
#define THREADS_SAFEPOINT_H

#include "base/assert.h"
#include "threads/thread.h"

/* What upper levels do at a safepoint; each registers once at start. */
typedef struct SafepointHandlers {
    /* Turns every borrowed word in th's live registers into a counted one. */
    void (*upgrade_registers)(Thread *th);
    /* Runs Python signal handlers; false with an exception set. */
    bool (*run_signals)(Thread *th);
    /* Runs finalizers and weakref callbacks of the pending list. */
    void (*serve_pending)(Thread *th);
    /* Runs a cycle collection. */
    void (*collect)(Thread *th);
    /* Merges queued counts. */
    void (*merge)(Thread *th);
    /* Announces the newest epoch (registers are upgraded already), carries out
     * retired batches that are due. */
    void (*announce)(Thread *th);
    /* Raises what another thread asked for; false when it did. */
    bool (*raise_async)(Thread *th);
    /* Runs pending calls; false with an exception set. */
    bool (*run_calls)(Thread *th);
    /* Before going offline, if th->offline_work: hands over retired batches. */
    void (*offline)(Thread *th);
    /* Debug: how many borrowed words th's live registers hold; 0 after an upgrade. */
    uint32_t (*count_borrowed)(Thread *th);
} SafepointHandlers;

/* Each member NULL until the level that knows it fills it in: gc_init() those of gc/,
 * core/run the others.  A missing handler has nothing to do. */
extern SafepointHandlers safepoint_handlers;

/* Turns the borrowed words of th's registers into counted ones. */
void safepoint_upgrade(Thread *th);

/* Whether every poll opens an epoch (WEFT_STRESS_EPOCH=1 in the environment); only in
 * debug builds. */
#if defined(WEFT_DEBUG) && WEFT_DEBUG >= 1
bool safepoint_stressed(void);
#else
#define safepoint_stressed() false
#endif

/* Answers all requests.  False with an exception set (a signal handler raised,
 * an exception came from another thread). */
RAISES bool safepoint_slow(Thread *th);

/* Asks whether a request waits and answers it.  The caller holds no lock and no
 * borrowed word in C variables. */
RAISES static inline bool
safepoint_poll(Thread *th)
{
    if (LIKELY(load_relaxed(&th->request) == 0))
        return true;
    return safepoint_slow(th);
}

/* Answers only what cannot raise or run Python (epochs, stops, merges): for
 * native code that must not fail at this point. */
void safepoint_quiet(Thread *th);

/* Sets request bits of `th`; any thread, any time, async-signal-safe. */
static inline void
safepoint_request(Thread *th, uint32_t bits)
{
    fetch_or_seq_cst(&th->request, bits);
}

/* Between these, a word read without taking a count stays valid, and nothing in
 * between may poll, park, drop or call.  Free in release builds. */
static inline void
no_safepoint_begin(Thread *th)
{
#ifdef WEFT_DEBUG
    th->no_safepoint++;
#else
    (void)th;
#endif
}

static inline void
no_safepoint_end(Thread *th)
{
#ifdef WEFT_DEBUG
    ASSERT(th->no_safepoint > 0);
    th->no_safepoint--;
#else
    (void)th;
#endif
}

#endif
