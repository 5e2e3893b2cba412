/* gc_init.h -- bringing the memory manager up. */
#ifndef GC_GC_INIT_H
#define GC_GC_INIT_H

#include <stdbool.h>

/* Registers what gc/ adds to contexts, interpreters and safepoints.  Once, at process
 * start, before the first interp_create(). */
void gc_init(void);

#endif
