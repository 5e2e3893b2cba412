/* memory_priv.h -- memoryview: its layout, and items in native formats. */
#ifndef OBJECTS_TEXT_MEMORY_PRIV_H
#define OBJECTS_TEXT_MEMORY_PRIV_H

#include "base/sanitize.h"
#include "objects/text/bytes_priv.h"

#define MEMORY_DIMS_MAX 64

/* The exporter's buffer, shared by the views over it. */
typedef struct Managed {
    ATOMIC(int64_t) views;   /* not yet released */
    Buffer master;           /* [const] */
} Managed;

/* `state`: whether it is released, how many buffers it exports, and how many threads are using
 * its memory at this moment. */
#define MEMORY_RELEASED ((int64_t)1)
#define MEMORY_EXPORT ((int64_t)2)
#define MEMORY_PIN ((int64_t)1 << 32)
#define MEMORY_EXPORTS(state) (((state) & (MEMORY_PIN - 1)) >> 1)

typedef struct MemoryView {
    struct Object head;
    ATOMIC(int64_t) state;
    ATOMIC(Managed *) managed;  /* NULL once released and no longer used */
    ATOMIC(int64_t) hash;       /* 0 until computed */
    uint8_t *data;              /* [const], as all that follows */
    int64_t length, item_size;
    const char *format;         /* never NULL */
    int ndim;
    bool readonly, has_suboffsets;
    char native;                /* the format's character if it is a native one, else 0 */
    int64_t dims[];             /* shape, strides, suboffsets: ndim each */
} MemoryView;

static inline MemoryView *
as_memory(Value v)
{
    return (MemoryView *)(void *)value_object(v);
}

/* An n-dimensional array in memory; suboffsets may be NULL. */
typedef struct Layout {
    uint8_t *data;
    int64_t length, item_size;
    const char *format;
    int ndim;
    const int64_t *shape, *strides, *suboffsets;
} Layout;

static inline Layout
memory_layout(const MemoryView *m)
{
    return (Layout){m->data, m->length, m->item_size, m->format, m->ndim, m->dims,
                    m->dims + m->ndim, m->has_suboffsets ? m->dims + 2 * m->ndim : NULL};
}

/* A buffer's layout; `space` holds what the exporter left out. */
typedef struct LayoutSpace {
    int64_t shape[1], strides[MEMORY_DIMS_MAX];
} LayoutSpace;
Layout buffer_layout(const Buffer *b, LayoutSpace *space);

bool layout_is_c(const Layout *l);       /* contiguous, last index fastest */
bool layout_is_fortran(const Layout *l);
static inline uint8_t *
layout_step(const Layout *l, int dim, uint8_t *p, int64_t i)
{
    p += l->strides[dim] * i;
    if (l->suboffsets != NULL && l->suboffsets[dim] >= 0) {
        uint8_t *target; /* a pointer stands in the memory */
        memcpy(&target, p, sizeof target);
        p = target + l->suboffsets[dim];
    }
    return p;
}
/* Copies all items out in C or Fortran order. */
void layout_copy_out(const Layout *l, uint8_t *out, bool fortran);
/* Copies items between layouts of one shape and item size, which may overlap; 1 dimension. */
RAISES bool layout_copy(Thread *th, const Layout *to, const Layout *from);

/* An item in one piece, as far as it is aligned: threads that use one item at once do not see
 * halves of it.  Relaxed: whoever shares memory orders the accesses himself. */
static inline void
item_load(uint8_t out[8], const uint8_t *p, int64_t size)
{
    if (WEFT_TSAN) {
        memory_move_raced(out, p, (size_t)size);
    } else if (size == 1) {
        out[0] = __atomic_load_n(p, __ATOMIC_RELAXED);
    } else if (size == 2 && ((uintptr_t)p & 1) == 0) {
        uint16_t x = __atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_RELAXED);
        memcpy(out, &x, 2);
    } else if (size == 4 && ((uintptr_t)p & 3) == 0) {
        uint32_t x = __atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_RELAXED);
        memcpy(out, &x, 4);
    } else if (size == 8 && ((uintptr_t)p & 7) == 0) {
        uint64_t x = __atomic_load_n((const uint64_t *)(const void *)p, __ATOMIC_RELAXED);
        memcpy(out, &x, 8);
    } else {
        memcpy(out, p, (size_t)size);
    }
}

static inline void
item_store(uint8_t *p, const uint8_t in[8], int64_t size)
{
    if (WEFT_TSAN) {
        memory_move_raced(p, in, (size_t)size);
    } else if (size == 1) {
        __atomic_store_n(p, in[0], __ATOMIC_RELAXED);
    } else if (size == 2 && ((uintptr_t)p & 1) == 0) {
        uint16_t x;
        memcpy(&x, in, 2);
        __atomic_store_n((uint16_t *)(void *)p, x, __ATOMIC_RELAXED);
    } else if (size == 4 && ((uintptr_t)p & 3) == 0) {
        uint32_t x;
        memcpy(&x, in, 4);
        __atomic_store_n((uint32_t *)(void *)p, x, __ATOMIC_RELAXED);
    } else if (size == 8 && ((uintptr_t)p & 7) == 0) {
        uint64_t x;
        memcpy(&x, in, 8);
        __atomic_store_n((uint64_t *)(void *)p, x, __ATOMIC_RELAXED);
    } else {
        memcpy(p, in, (size_t)size);
    }
}

/* -- items -- */
/* The character of a native one-character format, or 0. */
char item_format(const char *format);
int64_t item_format_size(char format);
RAISES Value item_unpack(Thread *th, const uint8_t *p, char format);
/* Converts v to an item's bytes (8 at most). */
RAISES bool item_pack(Thread *th, uint8_t out[8], char format, const char *shown, Value v);
RAISES Value layout_to_list(Thread *th, const Layout *l, char format);
/* Whether two layouts hold equal items. */
Answer layout_equal(Thread *th, const Layout *a, const Layout *b);

#endif
