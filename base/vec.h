/* vec.h -- typed growable arrays.
 *
 *     typedef VEC(int) IntVec;
 *     IntVec v = VEC_INIT;
 *     if (!vec_push(&v, 7)) { no memory }
 *     for (size_t i = 0; i < v.count; i++) use(v.items[i]);
 *     vec_free(&v);
 *
 * The items move when the array grows.  An array belongs to one thread.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/attrs.h"
#include "base/mem.h"

#define VEC(type)                                                              \
    struct {                                                                   \
        type *items;                                                           \
        size_t count;                                                          \
        size_t capacity;                                                       \
    }

#define VEC_INIT {NULL, 0, 0}

/* A pointer to the items of any array, as vec_grow_slow() sees it. */
typedef void *__attribute__((may_alias)) VecItems;

/* Makes room for `need` items of `size` bytes; false when there is no memory.  Short arrays double. */
static NOINLINE UNUSED bool
vec_grow_slow(VecItems *items, size_t *capacity, size_t need, size_t size)
{
    size_t grown = *capacity < 8 ? 8 : *capacity < 512 ? *capacity * 2 : *capacity + *capacity / 2;
    if (grown < need) {
        grown = need;
    }
    if (grown > SIZE_MAX / 2 / size) {
        return false;
    }
    void *moved = mem_fails_now() ? NULL : realloc(*items, grown * size);
    if (moved == NULL) {
        return false;
    }
    *items = moved;
    *capacity = grown;
    return true;
}

/* Whether there is room for `extra` more items behind the last one. */
#define vec_reserve(v, extra)                                                  \
    (LIKELY((v)->capacity - (v)->count >= (size_t)(extra)) ||                  \
     vec_grow_slow((VecItems *)&(v)->items, &(v)->capacity,                       \
                   (v)->count + (size_t)(extra), sizeof(*(v)->items)))

/* Appends `item`; false when there is no memory. */
#define vec_push(v, item)                                                      \
    (vec_reserve(v, 1) ? ((v)->items[(v)->count++] = (item), true) : false)

#define vec_pop(v) ((v)->items[--(v)->count])
#define vec_last(v) ((v)->items[(v)->count - 1])

/* Frees the items; the array is empty and may be used again. */
#define vec_free(v)                                                            \
    (free((v)->items), (v)->items = NULL, (v)->count = 0, (v)->capacity = 0)

#endif
