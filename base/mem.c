/* mem.c -- memory that is not an object: checked allocation.
 *
 * Process-wide state: the countdown of mem_fail_nth(), in debug builds only; how much the machine has.
 */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/assert.h"
#include "base/atomic.h"
#include "base/mem_map.h"

#if defined(WEFT_LIBC_MALLOC)
#include <malloc.h>
#define raw_malloc malloc
#define raw_zalloc(size) calloc(1, (size))
#define raw_realloc realloc
#define raw_free free
#define raw_usable malloc_usable_size

static void *
raw_aligned(size_t size, size_t align)
{
    void *p = NULL;
    return posix_memalign(&p, align < sizeof(void *) ? sizeof(void *) : align, size) == 0 ? p
                                                                                          : NULL;
}
#else
#include <mimalloc.h>
#define raw_malloc mi_malloc
#define raw_zalloc mi_zalloc
#define raw_realloc mi_realloc
#define raw_free mi_free
#define raw_aligned mi_malloc_aligned
#define raw_usable mi_usable_size
#endif

#if defined(WEFT_DEBUG)
static ATOMIC(uint64_t) fail_countdown; /* [atomic] 0: no failure is due */
static ATOMIC(uint8_t) fail_happened;   /* [atomic] */

int
mem_fails_now(void)
{
    uint64_t n = load_relaxed(&fail_countdown);
    while (n != 0) {
        if (cas_relaxed(&fail_countdown, &n, n - 1)) {
            if (n == 1)
                store_relaxed(&fail_happened, 1);
            return n == 1;
        }
    }
    return 0;
}

void
mem_fail_nth(uint64_t n)
{
    store_relaxed(&fail_happened, 0);
    store_relaxed(&fail_countdown, n);
}

int
mem_has_failed(void)
{
    return load_relaxed(&fail_happened);
}
#else
void
mem_fail_nth(uint64_t n)
{
    (void)n;
}

int
mem_has_failed(void)
{
    return 0;
}
#endif

/* mimalloc reserves address space without asking whether there could ever be memory behind it, so what
 * is more than the machine has would be given, and the process killed when it writes.  The system's own
 * malloc is refused by the kernel in that case. */
static int
exceeds_machine(size_t size)
{
    static ATOMIC(size_t) total; /* [atomic] bytes of memory and swap; 0: not asked yet */
    if (LIKELY(size < (size_t)1 << 28))
        return 0;
    size_t limit = load_relaxed(&total);
    if (limit == 0) {
        struct sysinfo info;
        limit = sysinfo(&info) == 0 ? ((size_t)info.totalram + info.totalswap) * info.mem_unit : SIZE_MAX;
        store_relaxed(&total, limit);
    }
    return size > limit;
}

void *
mem_alloc(size_t size)
{
    if (exceeds_machine(size) || mem_fails_now())
        return NULL;
    return raw_malloc(size ? size : 1);
}

void *
mem_alloc_zeroed(size_t size)
{
    if (exceeds_machine(size) || mem_fails_now())
        return NULL;
    return raw_zalloc(size ? size : 1);
}

#if defined(WEFT_LIBC_MALLOC)
#define MAPS 0 /* the sanitizer is to see each block */
#else
#define MAPS 1
#endif

void *
mem_alloc_brief(size_t size)
{
    void *p;
    if (!MAPS || size < MEM_MAPPED)
        return mem_alloc(size);
    if (exceeds_machine(size) || mem_fails_now())
        return NULL;
    return (p = map_new(size)) != NULL ? p : raw_malloc(size);
}

/* A block that is not mapped, or must not stay so, gets a new place. */
static void *
move_block(void *p, size_t size)
{
    void *to = size < MEM_MAPPED ? NULL : map_new(size);
    if (to == NULL && (to = raw_malloc(size ? size : 1)) == NULL)
        return NULL;
    size_t had = mem_usable_size(p);
    memcpy(to, p, had < size ? had : size);
    mem_free(p);
    return to;
}

void *
mem_resize(void *p, size_t size)
{
    if (exceeds_machine(size) || mem_fails_now())
        return NULL;
    bool mapped = MAPS && map_contains(p);
    if (LIKELY(!mapped && (!MAPS || p == NULL || size < MEM_MAPPED)))
        return raw_realloc(p, size ? size : 1);
    void *same = mapped && size >= MEM_MAPPED ? map_resize(p, size) : NULL;
    return same != NULL ? same : move_block(p, size);
}

void *
mem_resize_zeroed(void *p, size_t used, size_t size)
{
    size_t had = p != NULL ? mem_usable_size(p) : 0;
    char *to = mem_resize(p, size);
    if (UNLIKELY(to == NULL))
        return NULL;
    /* A mapping that became longer is zero already where the block had no bytes. */
    size_t end = MAPS && map_contains(to) && had < size ? had : size;
    if (used < end)
        memset(to + used, 0, end - used);
    return to;
}

void *
mem_alloc_aligned(size_t size, size_t align)
{
    ASSERT((align & (align - 1)) == 0);
    if (exceeds_machine(size) || mem_fails_now())
        return NULL;
    return raw_aligned(size, align);
}

#define LINE_PAIR ((size_t)128)

void *
mem_alloc_lines(size_t size)
{
    size = (size + LINE_PAIR - 1) & ~(LINE_PAIR - 1);
    char *p = mem_alloc_aligned(size + LINE_PAIR, LINE_PAIR);
    if (p != NULL)
        memset(p, 0, size + LINE_PAIR);
    return p;
}

void
mem_free(void *p)
{
    if (MAPS && UNLIKELY(map_contains(p)))
        map_free(p);
    else
        raw_free(p);
}

size_t
mem_usable_size(void *p)
{
    return MAPS && map_contains(p) ? map_size(p) : raw_usable(p);
}

#define PIN_FIRST 1024u

void
mem_pin(MemPins *pins)
{
    size_t size = PIN_FIRST;
    for (int i = 0; i < MEM_PINS; i++, size += size / 4) /* mimalloc has four sizes to an octave */
#if defined(WEFT_LIBC_MALLOC)
        pins->block[i] = NULL;
#else
        pins->block[i] = mi_malloc(size); /* NULL: then not */
#endif
}

void
mem_unpin(MemPins *pins)
{
    for (int i = 0; i < MEM_PINS; i++)
        raw_free(pins->block[i]);
}
