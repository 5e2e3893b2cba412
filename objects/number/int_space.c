/* int_space.c -- GMP's functions that want working space of their own.
 *
 * What is small they take from the C stack, the rest by the allocation functions given here, which
 * may not return without memory: GMP has no way to say that it failed.  So each call that may need
 * much is made inside a Space: a list of the blocks GMP has at the moment, and the place where to
 * go on if there is no other.  GMP keeps nothing between calls, and nothing else runs inside one.
 * Outside of a Space running out ends the process, as GMP's own functions do.
 *
 * Locks: none; a Space belongs to its OS thread, which may be offline.
 */
#include "objects/number/int_priv.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* Below this many limbs GMP's working space comes from the stack (64 KiB a piece). */
#define SPACED 512

typedef struct Block {
    struct Block *next, **link; /* link: what points here */
} Block;

_Static_assert(sizeof(Block) == 16, "what follows a block's head is aligned as malloc() aligns");

typedef struct Space {
    Block *blocks;
    jmp_buf failed;
} Space;

static _Thread_local Space *inside;

static void *
no_memory(void)
{
    if (inside != NULL)
        longjmp(inside->failed, 1);
    fputs("Fatal Python error: no memory for an int\n", stderr);
    abort();
}

static void
link_block(Space *s, Block *b)
{
    b->next = s->blocks;
    b->link = &s->blocks;
    if (b->next != NULL)
        b->next->link = &b->next;
    s->blocks = b;
}

static void
unlink_block(Block *b)
{
    *b->link = b->next;
    if (b->next != NULL)
        b->next->link = b->link;
}

static void *
space_alloc(size_t size)
{
    Block *b = mem_alloc(sizeof *b + size);
    if (b == NULL)
        return no_memory();
    if (inside != NULL)
        link_block(inside, b);
    else
        *b = (Block){NULL, &b->next};
    return b + 1;
}

static void
space_free(void *p, size_t size)
{
    (void)size;
    Block *b = (Block *)p - 1;
    unlink_block(b);
    mem_free(b);
}

static void *
space_resize(void *p, size_t had, size_t size)
{
    void *to = space_alloc(size);
    memcpy(to, p, had < size ? had : size);
    space_free(p, had);
    return to;
}

void
int_space_init(void)
{
    mp_set_memory_functions(space_alloc, space_resize, space_free);
}

/* Ends the Space; what GMP could not give back is freed. */
static bool
leave(Space *s, bool ok)
{
    inside = NULL;
    for (Block *b = s->blocks, *next; b != NULL; b = next) {
        next = b->next;
        mem_free(b);
    }
    return ok;
}

/* The body of a function: the statement, in a Space if it is about many limbs. */
#define IN_SPACE(limbs, statement)                                             \
    if (LIKELY((limbs) < SPACED)) {                                            \
        statement;                                                             \
        return true;                                                           \
    }                                                                          \
    Space space;                                                               \
    space.blocks = NULL;                                                       \
    inside = &space;                                                           \
    if (setjmp(space.failed) != 0)                                             \
        return leave(&space, false);                                           \
    statement;                                                                 \
    return leave(&space, true)

bool
big_mul(Limb *r, const Limb *p, mp_size_t n, const Limb *q, mp_size_t m)
{
    IN_SPACE(n, mpn_mul(r, p, n, q, m));
}

bool
big_sqr(Limb *r, const Limb *p, mp_size_t n)
{
    IN_SPACE(n, mpn_sqr(r, p, n));
}

bool
big_divide(Limb *q, Limb *r, const Limb *p, mp_size_t n, const Limb *d, mp_size_t m)
{
    IN_SPACE(n, mpn_tdiv_qr(q, r, 0, p, n, d, m));
}

bool
big_sqrt(Limb *r, const Limb *p, mp_size_t n)
{
    IN_SPACE(n, mpn_sqrtrem(r, NULL, p, n));
}

bool
big_gcd(Limb *g, mp_size_t *gn, Limb *p, mp_size_t n, Limb *q, mp_size_t m)
{
    IN_SPACE(n, *gn = mpn_gcd(g, p, n, q, m));
}

bool
big_gcdext(Limb *g, mp_size_t *gn, Limb *s, mp_size_t *sn, Limb *p, mp_size_t n, Limb *q, mp_size_t m)
{
    IN_SPACE(n, *gn = mpn_gcdext(g, s, sn, p, n, q, m));
}

bool
big_get_str(uint8_t *digits, size_t *count, int base, Limb *p, mp_size_t n)
{
    IN_SPACE(n, *count = mpn_get_str(digits, base, p, n));
}

bool
big_set_str(Limb *r, mp_size_t *n, const uint8_t *digits, size_t count, int base)
{
    IN_SPACE((mp_size_t)(count / 16), *n = mpn_set_str(r, digits, count, base));
}
