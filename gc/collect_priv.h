/* collect_priv.h -- one collection's data, and its phases (for gc/ only). */
#ifndef GC_COLLECT_PRIV_H
#define GC_COLLECT_PRIV_H

#include "gc/gc_state.h"

/* A cell's number during a collection. */
#define CELL_NONE (-1)            /* free, untracked, or not of this collection's age */
                                  /* 0 ..: references from outside the candidates */
#define CELL_ROOT (1 << 30)       /* alive whatever its count says */
#define CELL_MARKED (INT32_MAX - 1) /* reachable, what it holds not yet looked at */
#define CELL_SCANNED INT32_MAX      /* reachable */

typedef struct ObjectList {
    Object **items;
    size_t count, capacity;
    bool stuck; /* there was no memory for more: not asked for again */
} ObjectList;

typedef struct Collection {
    Thread *th;
    Interp *interp;
    int generation;
    bool full;            /* all objects are candidates, and types, too */
    bool stack_overflow;  /* a reachable object found no room in `stack` */
    bool no_memory;       /* not all garbage found room in the list */
    bool types;           /* there are types among the garbage */
    int32_t *counts;      /* the slabs' numbers, one piece for each */
    size_t cells;
    ObjectList stack;     /* reachable objects still to be looked at */
    ObjectList garbage;   /* each counted once by this collection */
    ObjectList condemned; /* types among it that no cell names any more */
} Collection;

bool object_list_push(ObjectList *list, Object *o);
void object_list_free(ObjectList *list);

/* Calls fn(c, slab) for each tracked slab of the interpreter, frozen ones excepted; and for
 * those only. */
void candidates_each_slab(Collection *c, void (*fn)(Collection *c, Slab *s));
void candidates_each_frozen(Collection *c, void (*fn)(Collection *c, Slab *s));

/* The number of `o`'s cell, or NULL if it is not a candidate's. */
static inline int32_t *
candidate_of(const void *o)
{
    if (!chunk_contains(o))
        return NULL; /* static */
    Slab *s = slab_of(o);
    return s->counts ? &s->counts[slab_cell_index(s, o)] : NULL;
}

/* -- candidates.c: false: no memory -- */
bool candidates_take(Collection *c);
bool candidates_take_garbage(Collection *c);
void candidates_release(Collection *c);

/* -- unreachable.c -- */
void unreachable_subtract(Collection *c);
void unreachable_subtract_garbage(Collection *c);
void unreachable_mark(Collection *c);
void unreachable_mark_garbage(Collection *c);
void unreachable_mark_root(Collection *c, const void *o);

/* -- collect.c -- */
void collect_visit_roots(Collection *c);

/* -- finalize.c -- */
bool finalize_gather_stopped(Collection *c);
void finalize_weakrefs_stopped(Collection *c, bool callbacks);
bool finalize_run(Collection *c);
void finalize_condemn_types_stopped(Collection *c);

#endif
