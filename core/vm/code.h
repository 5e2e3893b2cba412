/* code.h -- Code: what the compiler hands over; immutable but for opcodes and caches.
 *
 * Instructions, the tables that go with them, and the names.  A Code owns one reference to each
 * Value.  Positions are per 64-bit word; co_positions() yields one entry a word, and tb_lasti,
 * f_lasti are 2 * word index.
 */
#ifndef CORE_VM_CODE_H
#define CORE_VM_CODE_H

#include "objects/model/type.h"

enum Opcode {
#define OP(name, words, ...) OP_##name,
#include "core/vm/opcodes.def"
#undef OP
    OP_BASE_COUNT /* specialised opcodes of the evaluator follow */
};

enum {
    A_DEAD = 1, B_DEAD = 2, C_DEAD = 4, A_LIVE = 8, FLAG_X = 16,
    SUB_SHIFT = 5,
};
#define SUB(flags) ((flags) >> SUB_SHIFT)

/* Words of a frame's header, below its first register; see frame.h. */
#define FRAME_WORDS 6

typedef struct Instr {
    uint8_t op;
    uint8_t flags;
    uint16_t a, b, c;
} Instr;
_Static_assert(sizeof(Instr) == 8, "an instruction is one word");

static inline int32_t
instr_bc(const Instr *i)
{
    return (int32_t)((uint32_t)i->b | (uint32_t)i->c << 16);
}

/* co_flags, with CPython's values. */
enum {
    CODE_OPTIMIZED = 1, CODE_NEWLOCALS = 2, CODE_VARARGS = 4, CODE_VARKEYWORDS = 8,
    CODE_NESTED = 0x10, CODE_GENERATOR = 0x20, CODE_COROUTINE = 0x80,
    CODE_ITERABLE_COROUTINE = 0x100, CODE_ASYNC_GENERATOR = 0x200,
    CODE_FUTURE_BARRY_AS_BDFL = 0x400000, CODE_FUTURE_GENERATOR_STOP = 0x800000,
    CODE_FUTURE_ANNOTATIONS = 0x1000000,
};

/* One protected range: an exception at word index start <= i < end goes to `target`; temporaries
 * that are live at i but not in target's live map are dropped.  Innermost first. */
typedef struct ExceptionEntry {
    uint32_t start, end, target;
    uint32_t depth; /* what co_exceptiontable shows; not used by the machine */
} ExceptionEntry;

typedef struct Position {
    int32_t line, end_line;     /* 0: none */
    int32_t column, end_column; /* UTF-8 byte offsets, -1: none */
} Position;

/* Kinds of a variable (bits). */
enum { VAR_LOCAL = 1, VAR_CELL = 2, VAR_FREE = 4 };

typedef struct Code {
    struct Object head;
    /* What calls read lies a cache line behind the count words, which other threads change. */
    Value name, qualname, filename; /* str */
    /* Positions, compressed or not as code.c likes. */
    uint8_t *position_table;
    uint32_t position_table_size;
    uint32_t first_line;
    Instr *instrs;             /* op and cache words change, by relaxed stores of whole fields */
    Instr *start;              /* where a call begins if nothing is requested: after RESUME */
    uint32_t simple_args;      /* arg_count if a call with just so many positional arguments needs
                                  no binding, else UINT32_MAX */
    uint32_t param_count;      /* parameters, *args and **kwargs included */
    uint32_t instr_count;      /* words */
    uint32_t register_count;   /* locals, cells, frees and temporaries (windows' headers included) */
    uint32_t temp_base;        /* first temporary: number of variables */
    uint32_t flags;            /* CODE_ */
    uint32_t arg_count, posonly_count, kwonly_count; /* arg_count includes posonly */
    uint32_t local_count;      /* co_nlocals: variables with VAR_LOCAL, registers 0.. */
    uint32_t cell_count, free_count;
    uint32_t self_attr_count;  /* distinct names stored on the first parameter */
    Value *consts;             /* const_tuple's items */
    Value *names_;             /* name_tuple's items, interned */
    Value const_tuple, name_tuple; /* counted tuples */
    Value var_names;           /* tuple: name of every variable register 0 .. temp_base-1 */
    uint8_t *var_kinds;        /* VAR_ bits of every variable register */
    /* The live map: for each word the index of a set of registers (temporaries only). */
    uint16_t *live_index;      /* [instr_count] */
    uint32_t *live_start;      /* [live_sets + 1] offsets into live_registers */
    uint16_t *live_registers;  /* ascending */
    uint32_t live_sets;
    ExceptionEntry *exceptions;
    uint32_t exception_count;
    ATOMIC(struct PolyTable *) poly; /* caches of instructions that meet several classes or globals, or NULL; set once */
    ATOMIC(const void *) globals_seen; /* those that LOAD_GLOBAL was first made fast for; only compared */
    Field weak_bytes;          /* co_code made on demand */
    ATOMIC(uint32_t) warmup;
    Field plain_bytes;         /* bytes of the position table, made on demand */
} Code;

static inline Code *as_code(Value v) { return (Code *)(void *)value_object(v); }

/* Everything the compiler (marshal, code.replace) gives; arrays are copied, Values retained. */
typedef struct CodeInit {
    const Instr *instrs;
    uint32_t instr_count;
    uint32_t register_count, temp_base, flags;
    uint32_t arg_count, posonly_count, kwonly_count, local_count, cell_count, free_count;
    uint32_t first_line, self_attr_count;
    Value const_tuple, name_tuple, var_names;
    const uint8_t *var_kinds;
    Value name, qualname, filename;
    const uint16_t *live_index;
    const uint32_t *live_start;
    const uint16_t *live_registers;
    uint32_t live_sets;
    const ExceptionEntry *exceptions;
    uint32_t exception_count;
    const Position *positions; /* [instr_count]; NULL if position_table is given */
    const uint8_t *position_table;
    uint32_t position_table_size;
} CodeInit;

RAISES Value code_new(Thread *th, const CodeInit *init);
/* What is wrong with a code object, and where. */
typedef struct CodeFault {
    const char *what;
    uint32_t word;
    bool no_memory;
} CodeFault;
/* Whether a code object from outside (marshal, replace, the constructor) may be run: code_verify.c,
 * code_flow.c.  Whatever passes neither reads a register that holds nothing nor takes one thing for
 * another. */
bool code_check(const CodeInit *init, CodeFault *fault);
/* The same; a fault is a ValueError. */
RAISES bool code_verify(Thread *th, const CodeInit *init);
/* For debug builds: what the compiler makes passes, too; else a message and abort(). */
void code_assert(const CodeInit *init);
/* Source position of word index i. */
Position code_position(const Code *c, uint32_t i);
int code_line(const Code *c, uint32_t i);
/* How many extra words follow the instruction (specialised opcodes included). */
int opcode_words(uint8_t op);
const char *opcode_name(uint8_t op);

#endif
