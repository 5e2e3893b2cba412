/* pacer.h -- when to collect (for gc/ only). */
#ifndef GC_PACER_H
#define GC_PACER_H

#include "threads/thread.h"

/* The context's heap has taken as many tracked cells as it was allowed: asks for a
 * collection if the interpreter has grown enough, and sets the next allowance. */
COLD void gc_pace(Thread *th);

#endif
