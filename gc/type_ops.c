/* type_ops.c -- the tables of shapes, and the counter of cache guards.
 *
 * Process-wide state: the three tables and the two counters.  An entry is written before
 * its number is published in any object, and not changed after (versions excepted, which
 * are caches).  Numbers are not given out twice: an old inline cache that names a shape
 * never meets another one (rules C3).
 */
#include "gc/type_ops.h"

#include <stdlib.h>

TypeOps *shape_type[SHAPE_MAX];
__typeof__(shape_version) shape_version;
struct Shape *shape_info[SHAPE_MAX];

static ATOMIC(uint32_t) next_shape = {SHAPE_DYNAMIC_FIRST};
static ATOMIC(uint32_t) next_guard = {1};

uint32_t
shape_index_new(void)
{
    uint32_t n = load_relaxed(&next_shape);
    do {
        if (n >= SHAPE_MAX)
            return 0;
    } while (!cas_relaxed(&next_shape, &n, n + 1)); /* relaxed: only the number matters */
    return n;
}

uint32_t
shape_index_end(void)
{
    return load_relaxed(&next_shape);
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
guard_new(void)
{
    uint32_t n = load_relaxed(&next_guard);
    do {
        if (n >= guards_end())
            return 0; /* never wraps */
    } while (!cas_relaxed(&next_guard, &n, n + 1)); /* relaxed: only the number matters */
    return n;
}
