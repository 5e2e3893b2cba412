/* opcode.h -- specialised opcodes, inline caches. */
#ifndef CORE_VM_OPCODE_H
#define CORE_VM_OPCODE_H

#include "core/vm/code.h"

enum SpecialOpcode {
    OP_SPECIAL_BEFORE_ = OP_BASE_COUNT - 1,
#define SPECIAL(name, generic, family) OP_##name,
#include "core/vm/special.def"
#undef SPECIAL
    OP_COUNT
};
_Static_assert((int)OP_COUNT <= 256, "an opcode is one byte");

enum CacheFamily {
#define SPECIAL(name, generic, family) FAMILY_##name = family,
#include "core/vm/special.def"
#undef SPECIAL
};

/* What the operands of an instruction are: the letters of opcodes.def. */
typedef struct OpFacts {
    const char *operand[3]; /* a, b, c */
    const char *rest;
} OpFacts;
extern const OpFacts op_facts[OP_BASE_COUNT];

/* The opcode the compiler wrote. */
uint8_t opcode_generic(uint8_t op);
/* Whether the extra words are caches (zero in code that was never run). */
bool opcode_has_cache(uint8_t op);

/* -- inline caches --
 * One word: guard in the low half, payload in the high half, its upper 4 bits the family.  It is
 * loaded and stored whole.  Family 0: a counter of the generic opcode. */
typedef uint64_t CacheWord;
#define CACHE_PAYLOAD_MAX ((1u << 28) - 1)
#define CACHE_GUARD_MASK ((CacheWord)0xf0000000ffffffff)

static inline CacheWord
cache_load(const Instr *pc)
{
    return __atomic_load_n((const CacheWord *)(const void *)(pc + 1), __ATOMIC_RELAXED);
}

static inline void
cache_store(Instr *pc, CacheWord word)
{
    __atomic_store_n((CacheWord *)(void *)(pc + 1), word, __ATOMIC_RELEASE);
}

static inline CacheWord
cache_word(uint32_t guard, unsigned family, uint32_t payload)
{
    return (CacheWord)family << 60 | (CacheWord)payload << 32 | guard;
}

/* What cache & CACHE_GUARD_MASK is if the guard holds. */
static inline CacheWord
cache_expect(uint32_t guard, unsigned family)
{
    return (CacheWord)family << 60 | guard;
}

static inline uint32_t
cache_payload(CacheWord word)
{
    return (uint32_t)(word >> 32) & CACHE_PAYLOAD_MAX;
}

/* Whether the word, loaded once, is for `guard` and `family`; then its payload.  (A word of another
 * family leaves more than a payload can be.) */
static inline bool
cache_hit(CacheWord word, uint32_t guard, unsigned family, uint32_t *payload)
{
    /* Both in one comparison: what differs in the low half is moved above what differs in the high one. */
    uint64_t x = word - ((uint64_t)family << 60) - guard;
    x = x << 32 | x >> 32;
    *payload = (uint32_t)x;
    return x <= CACHE_PAYLOAD_MAX;
}

static inline uint8_t
instr_op(const Instr *pc)
{
    return __atomic_load_n(&pc->op, __ATOMIC_RELAXED);
}

static inline void
instr_set_op(Instr *pc, uint8_t op)
{
    __atomic_store_n(&pc->op, op, __ATOMIC_RELAXED);
}

/* -- several classes at one instruction --
 * A *_POLY instruction has POLY_WAYS words of its own in a table of its code object.  Each is what
 * a cache word of a sibling would be, whole: guard, family and payload (rules C2). */
enum { POLY_WAYS = 8 };
typedef struct PolyTable {
    uint32_t count;         /* [const] instructions that have words */
    CacheWord words[];      /* [atomic] relaxed loads, stores with release */
} PolyTable;

/* The word for `guard` of the instruction at pc, 0 if there is none. */
static inline CacheWord
poly_find(const Code *c, const Instr *pc, unsigned family, uint32_t guard)
{
    CacheWord w = cache_load(pc);
    const PolyTable *t = load_acquire(&c->poly); /* pairs with poly_begin() [code.poly] */
    if (UNLIKELY(w >> 60 != family || guard == 0 || t == NULL))
        return 0;
    const CacheWord *way = t->words + (size_t)cache_payload(w) * POLY_WAYS;
    for (int i = 0; i < POLY_WAYS; i++) {
        CacheWord x = __atomic_load_n(&way[i], __ATOMIC_RELAXED);
        if ((uint32_t)x == guard)
            return x;
    }
    return 0;
}

static inline int32_t
instr_offset(const Instr *pc) /* the extra word as a jump */
{
    return *(const int32_t *)(const void *)(pc + 1);
}

#endif
