/* weakref_priv.h -- weak cells, for the other files of gc/. */
#ifndef GC_WEAKREF_PRIV_H
#define GC_WEAKREF_PRIV_H

#include "gc/weakref.h"

struct WeakTable *weak_table_create(void);
void weak_table_destroy(struct WeakTable *t);

/* weak_cells_clear(), but only callbacks of cells that wants() accepts are queued. */
void weak_cells_clear_if(Thread *th, Object *o, bool (*wants)(WeakCell *cell, void *arg),
                         void *arg);

#endif
