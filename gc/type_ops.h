/* type_ops.h -- all that memory management asks of a type.
 *
 * Every object's header names a *shape* by its index.  A shape belongs to one
 * type; a type without attribute dictionary has one shape, a class has one for
 * each set of attributes its instances have.  Three parallel tables, process
 * wide, never moved; an index is used again a grace period after its type died:
 *
 *     shape_type[i]      the type (a Type starts with its TypeOps)
 *     shape_version[i]   guard for inline caches; 0: do not cache (rules C2-C5)
 *     shape_info[i]      which attribute is where (objects/model/shape.h)
 */
#ifndef GC_TYPE_OPS_H
#define GC_TYPE_OPS_H

#include "gc/header.h"
#include "threads/thread.h"

/* Called with each reference an object holds; `v` may be an immediate, never NULL. */
typedef void (*VisitFn)(Value v, void *arg);

/* Flags of a type for gc/. */
#define OPS_TRACKED 0x01u      /* instances can be part of cycles */
#define OPS_HEAP_TYPE 0x02u    /* made at run time: instances keep it reachable */
#define OPS_FINALIZER 0x04u    /* `finalize` is set: ask it before death */
#define OPS_IMMUTABLE 0x08u    /* no field changes after publication: no lock to flip */
#define OPS_BORN_SHARED 0x10u  /* types, code objects, functions */
#define OPS_DEL 0x40u          /* `finalize` runs a __del__() of the program */
#define OPS_POOLED 0x20u       /* threads that share one keep references in hand: gc/credit.h */

typedef struct TypeOps {
    struct Object head; /* a type is an object itself */
    uint32_t ops_flags; /* OPS_ bits; OPS_FINALIZER may come and go: read by ops_flags_of() */
    uint32_t cell_size; /* [const] bytes of an instance without items, header included */

    /* Calls visit(v, arg) for each reference that `o` counts.  Takes no lock: runs
     * with the world stopped, or on a dying object. */
    void (*visit)(Object *o, VisitFn visit, void *arg);

    /* Gives up references to break a cycle, through field_replace() and the like:
     * the object stays valid.  NULL: not needed (immutable). */
    void (*clear)(Thread *th, Object *o);

    /* PEP 442: called once, with the object alive (count held), before it dies;
     * may resurrect it; may run Python code; keeps th->error as it was.  [atomic] as a program may take
     * a class's __del__ away; see object_finalize(). */
    void (*finalize)(Thread *th, Object *o);

    /* Drops all references, frees buffers outside the cell.  Runs no Python code
     * itself (drops may queue finalizers of others).  The cell is freed by the caller. */
    void (*dealloc)(Thread *th, Object *o);

    /* With OPS_FINALIZER: whether this very object needs `finalize` (a generator that is
     * not suspended does not).  NULL: all do.  Reads only what the dying object holds. */
    bool (*wants_finalize)(Object *o);
} TypeOps;

static inline uint32_t
ops_flags_of(const TypeOps *ops)
{
    return __atomic_load_n(&ops->ops_flags, __ATOMIC_RELAXED);
}

#define SHAPE_MAX (1u << 20)
/* Numbers below this one are given out by hand (objects/model/shapes.def). */
#define SHAPE_DYNAMIC_FIRST 4096u

/* A type without `visit` is a leaf: its instances hold no Value.  A leaf with BIT_SHARED
 * (object_mark_weak() sets it: interned strings) is dealloced as soon as its count is zero,
 * and its cell freed a grace period later: a table's lock-free reader may still look at it.
 * `dealloc` of a leaf without anything outside its cell may be NULL. */

struct Shape;
extern TypeOps *shape_type[SHAPE_MAX];
extern ATOMIC(uint32_t) shape_version[SHAPE_MAX];
extern struct Shape *shape_info[SHAPE_MAX];

/* Gives out a shape index, from SHAPE_DYNAMIC_FIRST on; 0 when none is left, or for a `spare`
 * one few are. */
uint32_t shape_index_new(Thread *th, bool spare);
/* Keeps `n` indices for later, so that `leave` more are left; false: there are not that many. */
bool shapes_promise(Thread *th, uint32_t n, uint32_t leave);
/* Gives `n` promises back that were not used. */
void shapes_unpromise(uint32_t n);
/* An index that was promised. */
uint32_t shape_index_promised(void);
/* Takes an index back that nobody can hold any more: a grace period after its entries were
 * cleared, or without ever having had any. */
void shape_index_free(uint32_t n);
/* How many were ever given back, for those who wait for some. */
uint32_t shapes_given_back(void);
/* A full collection was made. */
void shapes_collected(void);
/* No index from here on was ever given out. */
uint32_t shape_index_end(void);

/* Gives out a guard for caches, unique in the process over all kinds of guards;
 * 0 ("do not cache") when the counter has run out. */
uint32_t guard_new(void);
/* No guard from here on was ever given out. */
uint32_t guard_end(void);

static inline uint32_t
object_shape(const Object *o)
{
    return load_relaxed(&o->shape);
}

static inline TypeOps *
object_ops(const Object *o)
{
    /* relaxed: a shape is published after its entry, and the address depends on it */
    return __atomic_load_n(&shape_type[object_shape(o)], __ATOMIC_RELAXED);
}

/* Calls `finalize` of o's type; nothing if there is none any more: between its death and this call the
 * program may have deleted the class's __del__. */
static inline void
object_finalize(struct Thread *th, Object *o)
{
    void (*fn)(struct Thread *, Object *) = __atomic_load_n(&object_ops(o)->finalize, __ATOMIC_ACQUIRE);
    if (fn != NULL)
        fn(th, o);
}

#endif
