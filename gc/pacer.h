/* pacer.h -- when to collect (for gc/ only). */
#ifndef GC_PACER_H
#define GC_PACER_H

#include "gc/gc_state.h"

void gc_pace_init(GcState *gc);

/* The context's heap has taken as many tracked cells as it was allowed: asks for a
 * collection if the interpreter has grown enough, and sets the next allowance. */
COLD void gc_pace(Thread *th);

/* Numbers of shapes run short: asks for a full collection. */
COLD void gc_pace_shapes(Thread *th);

/* Which generation is due now; -1: none. */
int gc_pace_due(Interp *interp);

/* After a collection of `generation`, the world still stopped: `live` tracked cells are in
 * use, `garbage` objects are about to go. */
void gc_pace_collected_stopped(Interp *interp, int generation, uint64_t live, uint64_t garbage);

/* The answer to REQUEST_GC: collects if that is still due. */
void gc_collect_due(Thread *th);

#endif
