/* itertools_priv.h -- what the files of module itertools share.
 *
 * All iterators here may be shared by threads: what they draw from is held by Fields or never
 * changes, counters are atomics.  While an iterator is private to its thread counters are stepped with
 * plain stores, in a section where each position has to come once (iter_step_begin).
 */
#ifndef MODULES_ITERTOOLS_PRIV_H
#define MODULES_ITERTOOLS_PRIV_H

#include "modules/static_types.h"
#include "objects/container/container.h"
#include "objects/container/fast.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/protocol/step.h"
#include "objects/text/str.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

#include <string.h>

#define REDUCE(function) NATIVE_0("__reduce__", function, "Return state information for pickling.")
#define SETSTATE(function)                                                                         \
    NATIVE_1("__setstate__", function, "Set state information for unpickling.")

static inline bool
iter_alone(Thread *th, const Object *o)
{
    return object_is_owned(th, o) && (object_bits(o) & BIT_SHARED) == 0;
}

static inline Value
iter_self(Thread *th, Value self)
{
    return retain(th, self);
}

/* Clears a field if it still refers to `seen`, which the caller holds. */
static inline void
field_clear_if(Thread *th, Object *holder, Field *f, Value seen)
{
    bool held = object_touch_lock(th, holder);
    bool same = load_relaxed(f) == seen;
    if (same)
        store_release(f, NULL); /* pairs with field_read() [field] */
    bool shared = (object_bits(holder) & BIT_SHARED) != 0;
    object_unlock(holder, held);
    if (same)
        drop_from(th, shared, seen);
}

/* A result tuple that may be filled again: `*result` if the iterator is alone and nobody kept the
 * last one (a new reference), else NULL. */
static inline Value
result_reuse(Thread *th, Object *holder, Field *result)
{
    if (!iter_alone(th, holder))
        return NULL;
    Value v = field_peek(result);
    return v != NULL && object_unique(th, value_object(v)) ? retain(th, v) : NULL;
}

/* Remembers a fresh result tuple for result_reuse().  If somebody kept the one that is remembered, the
 * next ones will be kept, too: it is not tried any more, which None in its place says. */
static inline void
result_keep(Thread *th, Object *holder, Field *result, Value v)
{
    if (!iter_alone(th, holder))
        return;
    Value last = field_peek(result);
    if (last != NONE)
        field_replace(th, holder, result, last == NULL ? retain(th, v) : NONE);
}

/* (type, args) and (type, args, state) as new tuples; the Values are taken over, and NULL among
 * them makes it fail with the exception set. */
RAISES Value reduce_2(Thread *th, Value self, Value STEALS args);
RAISES Value reduce_3(Thread *th, Value self, Value STEALS args, Value STEALS state);
/* "state is not a tuple", or the wrong number of items. */
RAISES bool state_check(Thread *th, Value state, int64_t items);
/* No keyword arguments for the type itself; subclasses may take some in __init__. */
RAISES bool no_keywords(Thread *th, const char *name, Type *type, Type *own, Value kwnames);

#define STATIC_TYPE_DECL(symbol)                                                                   \
    extern Type itertools_##symbol##_type;                                                         \
    extern const TypeSpec itertools_##symbol##_spec;
/* mod_itertools.c */
STATIC_TYPE_DECL(accumulate)
STATIC_TYPE_DECL(chain)
STATIC_TYPE_DECL(compress)
STATIC_TYPE_DECL(count)
STATIC_TYPE_DECL(cycle)
STATIC_TYPE_DECL(dropwhile)
STATIC_TYPE_DECL(filterfalse)
STATIC_TYPE_DECL(islice)
STATIC_TYPE_DECL(pairwise)
STATIC_TYPE_DECL(repeat)
STATIC_TYPE_DECL(starmap)
STATIC_TYPE_DECL(takewhile)
/* itertools_combine.c */
STATIC_TYPE_DECL(combinations)
STATIC_TYPE_DECL(combinations_with_replacement)
STATIC_TYPE_DECL(permutations)
STATIC_TYPE_DECL(product)
/* itertools_group.c */
STATIC_TYPE_DECL(groupby)
STATIC_TYPE_DECL(_grouper)
STATIC_TYPE_DECL(_tee)
STATIC_TYPE_DECL(_tee_dataobject)
STATIC_TYPE_DECL(zip_longest)
Value itertools_tee(Thread *th, Value module, const Arg *args, size_t nargs);

/* The rows of TypeSpec that all have in common. */
#define ITERTOOL(symbol, struct_type)                                                              \
    .name = "itertools." #symbol, .size = sizeof(struct_type), .ops_flags = OPS_TRACKED

#endif
