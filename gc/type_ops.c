/* type_ops.c -- the tables of shapes, who gets their numbers, and the counter of cache guards.
 *
 * Process-wide state: the three tables, the counters and the list of numbers given back.  An
 * entry is written before its number is published in any object, and not changed as long as
 * anybody may hold the number (versions excepted, which are caches).  A shape's number is given
 * out again a grace period after its type has died; guards are not given out twice: an inline
 * cache knows a shape by its version, so that it never meets another one (rules C3).
 *
 * A number is free, promised, or in use.  A class whose instances have attributes is promised
 * one for their dictionary mode when it is made: a class can be refused for want of numbers, an
 * attribute cannot.  Shapes that only save memory get none of the last quarter.
 *
 * Lock: free_lock, a leaf, for the list.
 */
#include "gc/type_ops.h"

#include <stdlib.h>

#include "base/assert.h"
#include "gc/pacer.h"
#include "threads/interp.h"
#include "threads/mutex.h"

TypeOps *shape_type[SHAPE_MAX];
__typeof__(shape_version) shape_version;
struct Shape *shape_info[SHAPE_MAX];

static ATOMIC(uint32_t) next_shape = {SHAPE_DYNAMIC_FIRST};
static ATOMIC(uint32_t) next_guard = {1};

static ATOMIC(uint32_t) shapes_taken; /* [atomic] numbers in use or promised */
static ATOMIC(uint32_t) shapes_back;  /* [atomic] how many were ever given back */
static ATOMIC(uint32_t) shapes_mark;  /* [atomic] a collection is due when so many are; 0: not yet known */

static ByteLock free_lock;
static uint32_t free_first;           /* [lock] free_lock; 0: none */
static uint32_t free_next[SHAPE_MAX]; /* [lock] free_lock */

/* How many numbers can be given out.  WEFT_SHAPES=n in a debug build: n, so that a test sees
 * what happens when they run out. */
static inline uint32_t
shapes_limit(void)
{
#ifdef WEFT_DEBUG
    static ATOMIC(uint32_t) limit; /* [atomic] 0: not asked yet */
    uint32_t n = load_relaxed(&limit);
    if (n == 0) {
        const char *s = getenv("WEFT_SHAPES");
        n = s && *s ? (uint32_t)strtoul(s, NULL, 10) : UINT32_MAX;
        if (n > SHAPE_MAX - SHAPE_DYNAMIC_FIRST)
            n = SHAPE_MAX - SHAPE_DYNAMIC_FIRST;
        store_relaxed(&limit, n);
    }
    return n;
#else
    return SHAPE_MAX - SHAPE_DYNAMIC_FIRST;
#endif
}

/* With `taken` numbers gone, the next collection is due when a quarter of the rest is. */
static uint32_t
mark_after(uint32_t taken)
{
    uint32_t left = shapes_limit() - taken;
    return taken + left / 4 + 1;
}

void
shapes_collected(void)
{
    store_relaxed(&shapes_mark, mark_after(load_relaxed(&shapes_taken)));
}

bool
shapes_promise(Thread *th, uint32_t n, uint32_t leave)
{
    uint32_t limit = shapes_limit(), taken = load_relaxed(&shapes_taken);
    do {
        if (taken + n + leave > limit)
            return false;
    } while (!cas_relaxed(&shapes_taken, &taken, taken + n)); /* relaxed: only the number matters */
    uint32_t mark = load_relaxed(&shapes_mark);
    if (mark == 0)
        shapes_collected();
    else if (taken + n >= mark)
        gc_pace_shapes(th);
    return true;
}

void
shapes_unpromise(uint32_t n)
{
    uint32_t taken = fetch_add_relaxed(&shapes_taken, -n) - n;
    uint32_t mark = mark_after(taken);
    if (mark < load_relaxed(&shapes_mark))
        store_relaxed(&shapes_mark, mark); /* a hint: another thread's may get lost */
    fetch_add_relaxed(&shapes_back, n);
}

uint32_t
shapes_given_back(void)
{
    return load_relaxed(&shapes_back);
}

void
shape_index_free(uint32_t n)
{
    byte_lock(&free_lock);
    free_next[n] = free_first;
    free_first = n;
    byte_unlock(&free_lock);
    shapes_unpromise(1);
}

uint32_t
shape_index_end(void)
{
    return load_relaxed(&next_shape);
}

uint32_t
shape_index_promised(void)
{
    byte_lock(&free_lock);
    uint32_t n = free_first;
    if (n != 0)
        free_first = free_next[n];
    byte_unlock(&free_lock);
    if (n == 0)
        n = fetch_add_relaxed(&next_shape, 1);
    CHECK(n < SHAPE_MAX); /* what is promised is there */
    return n;
}

uint32_t
shape_index_new(Thread *th, bool spare)
{
    if (!shapes_promise(th, 1, spare ? shapes_limit() / 4 : 0))
        return 0;
    return shape_index_promised();
}

/* How many guards there are.  WEFT_GUARDS=n in a debug build: n, so that a test sees what
 * happens when they run out. */
static inline uint32_t
guards_end(void)
{
#ifdef WEFT_DEBUG
    static ATOMIC(uint32_t) end; /* [atomic] 0: not asked yet */
    uint32_t n = load_relaxed(&end);
    if (n == 0) {
        const char *s = getenv("WEFT_GUARDS");
        n = s && *s ? (uint32_t)strtoul(s, NULL, 10) + 1 : UINT32_MAX;
        store_relaxed(&end, n);
    }
    return n;
#else
    return UINT32_MAX;
#endif
}

uint32_t
guard_end(void)
{
    return load_relaxed(&next_guard);
}

uint32_t
guard_new(void)
{
    uint32_t n = load_relaxed(&next_guard);
    do {
        if (n >= guards_end())
            return 0; /* never wraps */
    } while (!cas_relaxed(&next_guard, &n, n + 1)); /* relaxed: only the number matters */
    return n;
}
