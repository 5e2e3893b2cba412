/* code_verify.c -- is an untrusted code object safe to look at?
 *
 * Operands must be registers, constants and names that exist, jumps and handlers must lead to
 * instructions, the tables must be well-formed and the last instruction must not fall through.
 * Whether temporaries are defined before they are used is the compiler's promise, as it is for
 * CPython's stack.
 */
#include "core/vm/code.h"

#include <stdlib.h>
#include <string.h>

#include "core/vm/opcode.h"
#include "objects/container/container.h"
#include "objects/error/error.h"

/* What the operands of an instruction are: three letters for a, b, c, then one for the extra word.
 *   r register   v variable   w call window   n name   i anything
 *   + this and the next register   x call window of three arguments   C c registers from here   D 2c from here
 *   m the parts of MAKE_FUNCTION   S two registers from here, three with FLAG_X
 *   N bc a name   K bc a constant   J bc a jump   (in the place of b; c is skipped)
 *   extra: j jump   k index of a constant   . nothing to check */
static const char *
operands(uint8_t op)
{
    switch (op) {
    case OP_NOP: case OP_SETUP_ANNOTATIONS: case OP_RESUME: case OP_RETURN_GENERATOR:
        return "iii.";
    case OP_COPY: case OP_MOVE: case OP_LOAD_CLOSURE: case OP_NEGATIVE: case OP_POSITIVE:
    case OP_INVERT: case OP_NOT: case OP_GET_ITER: case OP_LIST_APPEND: case OP_SET_ADD:
    case OP_LIST_EXTEND: case OP_SET_UPDATE: case OP_DICT_UPDATE: case OP_LIST_TO_TUPLE:
    case OP_ASYNC_GEN_WRAP: case OP_GET_YIELD_FROM_ITER: case OP_GET_AWAITABLE: case OP_GET_AITER:
    case OP_GET_ANEXT: case OP_MATCH_MAPPING: case OP_MATCH_SEQUENCE: case OP_GET_LEN:
    case OP_YIELD: case OP_STORE_DEREF: case OP_DELETE_ITEM: case OP_ADD_IMM: case OP_SUBTRACT_IMM:
    case OP_GET_ITEM_IMM: case OP_MULTIPLY_IMM: case OP_FLOOR_DIVIDE_IMM: case OP_REMAINDER_IMM:
    case OP_LSHIFT_IMM: case OP_RSHIFT_IMM: case OP_AND_IMM:
        return "rri.";
    case OP_SET_ITEM_IMM: return "rir.";
    case OP_ADD_K: case OP_SUBTRACT_K: case OP_MULTIPLY_K: case OP_TRUE_DIVIDE_K:
    case OP_SUBTRACT_FROM_K: case OP_DIVIDE_K:
        return "rrk.";
    case OP_LOAD_CONST: return "rK.";
    case OP_LOAD_INT: case OP_DROP: case OP_LOAD_LOCALS: case OP_LOAD_BUILD_CLASS: case OP_RETURN:
    case OP_IMPORT_STAR: case OP_LOAD_ASSERTION_ERROR: case OP_PRINT_EXPR: case OP_SET_HANDLED:
    case OP_RAISE_REST:
        return "rii.";
    case OP_CHECK_BOUND: case OP_DELETE_FAST: case OP_CLEAR_FAST: case OP_MAKE_CELL:
    case OP_DELETE_DEREF:
        return "vii.";
    case OP_LOAD_DEREF: case OP_LOAD_CLASSDEREF: return "rvi.";
    case OP_LOAD_GLOBAL: case OP_STORE_GLOBAL: case OP_LOAD_NAME: case OP_STORE_NAME: return "rN.";
    case OP_DELETE_GLOBAL: case OP_DELETE_NAME: return "iN.";
    case OP_LOAD_ATTR: case OP_STORE_ATTR: case OP_DELETE_ATTR: case OP_IMPORT_FROM: return "rrn.";
    case OP_LOAD_METHOD: case OP_LOAD_SUPER: return "wrn.";
    case OP_BUILD_SLICE: case OP_BUILD_TUPLE: case OP_BUILD_LIST: case OP_BUILD_SET:
    case OP_BUILD_STRING:
        return "rCi.";
    case OP_BUILD_MAP: return "rDi.";
    case OP_GET_SLICE: return "rrS.";
    case OP_SET_SLICE: return "rSr.";
    case OP_JUMP: case OP_JUMP_BACK: return "iJ.";
    case OP_JUMP_IF_TRUE: case OP_JUMP_IF_FALSE: case OP_JUMP_IF_NONE: case OP_JUMP_IF_NOT_NONE:
        return "rJ.";
    case OP_JUMP_COMPARE: return "irrj";
    case OP_JUMP_COMPARE_IMM: return "irij";
    case OP_FOR_ITER: return "rrij";
    case OP_UNPACK: return "Cri.";
    case OP_UNPACK_EX: return "rriu";
    case OP_FORMAT_VALUE: return "rrf.";
    case OP_CALL: case OP_CALL_METHOD: return "Wir.";
    case OP_CALL_KW: case OP_CALL_METHOD_KW: return "Wirk";
    case OP_CALL_EX: return "wir.";
    case OP_MAKE_FUNCTION: return "rkm.";
    case OP_RETURN_CONST: return "iK.";
    case OP_IMPORT_NAME: return "r+n.";
    case OP_ENTER_HANDLER: case OP_LEAVE_HANDLER: case OP_UNWIND_HANDLER: case OP_RERAISE:
        return "+ii.";
    case OP_JUMP_NO_MATCH: return "irrj";
    case OP_RAISE: return "rri.";
    case OP_WITH_PREPARE: return "+rw.";
    case OP_WITH_EXIT: return "+fx.";
    case OP_END_ASYNC_FOR: return "riij";
    case OP_MATCH_CLASS: return "rr+.";
    default: return "rrr.";
    }
}

typedef struct Check {
    const CodeInit *in;
    uint8_t *starts; /* words that begin an instruction */
} Check;

static bool
in_registers(const CodeInit *in, uint64_t first, uint64_t n)
{
    return first + n <= in->register_count;
}

static bool
is_start(const Check *k, int64_t word)
{
    return word >= 0 && word < (int64_t)k->in->instr_count && k->starts[word];
}

/* One operand; `c` is the instruction's c, for ranges. */
static bool
operand_ok(const Check *k, const Instr *i, char kind, unsigned v)
{
    const CodeInit *in = k->in;
    switch (kind) {
    case 'r': return in_registers(in, v, 1);
    case 'v': return v < in->temp_base;
    case '+': return in_registers(in, v, 2);
    case 'S': return in_registers(in, v, i->flags & FLAG_X ? 3 : 2);
    case 'm':
        return in_registers(in, v, (uint64_t)((i->flags & FLAG_X) != 0) + (SUB(i->flags) & 1) +
                                       (SUB(i->flags) >> 1 & 1) + (SUB(i->flags) >> 2)) ||
               ((i->flags & FLAG_X) == 0 && SUB(i->flags) == 0);
    case 'w': return in_registers(in, v, FRAME_WORDS + 1);
    case 'x': return in_registers(in, v, FRAME_WORDS + 4);
    case 'W': return in_registers(in, v, FRAME_WORDS + 1 + (uint64_t)i->b) ||
                     ((i->op == OP_CALL || i->op == OP_CALL_KW) &&
                      in_registers(in, v, FRAME_WORDS + (uint64_t)i->b));
    case 'C': return in_registers(in, v, i->c);
    case 'D': return in_registers(in, v, 2 * (uint64_t)i->c);
    case 'f': return !(i->flags & FLAG_X) || in_registers(in, v, 1);
    case 'n': return (int64_t)v < tuple_length(in->name_tuple);
    case 'k': return (int64_t)v < tuple_length(in->const_tuple);
    default: return true;
    }
}

static bool
instr_ok(const Check *k, uint32_t at)
{
    const CodeInit *in = k->in;
    const Instr *i = &in->instrs[at];
    int words = opcode_words(i->op);
    const char *kinds = operands(i->op);
    int64_t next = (int64_t)at + 1 + words;
    char extra;
    if (!operand_ok(k, i, kinds[0], i->a))
        return false;
    if (kinds[1] == 'N' || kinds[1] == 'K' || kinds[1] == 'J') {
        int64_t bc = instr_bc(i);
        if (kinds[1] == 'J') {
            if (!is_start(k, next + bc))
                return false;
        } else if (bc < 0 ||
                   bc >= tuple_length(kinds[1] == 'N' ? in->name_tuple : in->const_tuple)) {
            return false;
        }
        extra = kinds[2];
    } else {
        if (!operand_ok(k, i, kinds[1], i->b) || !operand_ok(k, i, kinds[2], i->c))
            return false;
        extra = kinds[3];
    }
    uint64_t word = 0;
    if (words != 0)
        memcpy(&word, &in->instrs[at + 1], sizeof word);
    if (extra == 'j' && !is_start(k, next + (int32_t)word))
        return false;
    if (extra == 'k' && (word >= (uint64_t)tuple_length(in->const_tuple) ||
                         !is_exact(tuple_item(in->const_tuple, (int64_t)word), SHAPE_TUPLE)))
        return false;
    if (extra == 'u' && !in_registers(in, i->a, (word & UINT32_MAX) + (word >> 32) + 1))
        return false;
    if (i->op == OP_MAKE_FUNCTION &&
        !is_exact(tuple_item(in->const_tuple, i->b), SHAPE_CODE))
        return false;
    return true;
}

/* Where register `reg` goes when the variables become more or fewer: locals stay, the others are
 * counted from the end. */
static uint16_t
moved(uint32_t reg, uint32_t locals, int32_t by)
{
    return (uint16_t)(reg < locals ? reg : (uint32_t)((int32_t)reg + by));
}

void
code_move_registers(Instr *instrs, uint32_t count, uint16_t *live, uint32_t live_count,
                    uint32_t locals, int32_t by)
{
    for (uint32_t at = 0; at < count;) {
        Instr *i = &instrs[at];
        const char *kinds = operands(i->op);
        uint16_t *operand[3] = {&i->a, &i->b, &i->c};
        for (int k = 0; k < 3; k++) {
            if (kinds[k] == 'N' || kinds[k] == 'K' || kinds[k] == 'J')
                break;
            if (strchr("rvwx+mSCDWf", kinds[k]) != NULL)
                *operand[k] = moved(*operand[k], locals, by);
        }
        at += 1 + (uint32_t)opcode_words(i->op);
    }
    for (uint32_t i = 0; i < live_count; i++)
        live[i] = moved(live[i], locals, by);
}

static bool
ends(uint8_t op)
{
    switch (op) {
    case OP_RETURN: case OP_RETURN_CONST: case OP_JUMP: case OP_JUMP_BACK: case OP_RAISE:
    case OP_RERAISE: case OP_RAISE_REST: case OP_UNWIND_HANDLER: case OP_END_ASYNC_FOR:
        return true;
    default:
        return false;
    }
}

static bool
tables_ok(const Check *k)
{
    const CodeInit *in = k->in;
    if (in->live_start[0] != 0)
        return false;
    for (uint32_t s = 0; s < in->live_sets; s++) {
        if (in->live_start[s + 1] < in->live_start[s])
            return false;
    }
    for (uint32_t s = 0; s < in->live_sets; s++) {
        uint32_t before = in->temp_base;
        for (uint32_t i = in->live_start[s]; i < in->live_start[s + 1]; i++) {
            uint32_t reg = in->live_registers[i];
            if (reg < before || reg >= in->register_count)
                return false;
            before = reg + 1;
        }
    }
    for (uint32_t i = 0; i < in->instr_count; i++) {
        if (in->live_index[i] >= in->live_sets && !(in->live_sets == 0 && in->live_index[i] == 0))
            return false;
    }
    for (uint32_t i = 0; i < in->exception_count; i++) {
        const ExceptionEntry *e = &in->exceptions[i];
        if (e->start > e->end || e->end > in->instr_count || !is_start(k, e->target))
            return false;
    }
    return true;
}

bool
code_verify(Thread *th, const CodeInit *in)
{
    uint64_t params = (uint64_t)in->arg_count + in->kwonly_count +
                      ((in->flags & CODE_VARARGS) != 0) + ((in->flags & CODE_VARKEYWORDS) != 0);
    bool ok = in->instr_count != 0 && in->temp_base <= in->register_count &&
              in->register_count <= UINT16_MAX + 1u && params <= in->temp_base &&
              in->posonly_count <= in->arg_count && in->free_count <= in->temp_base &&
              in->live_sets <= UINT16_MAX + 1u && in->live_sets != 0 &&
              tuple_length(in->var_names) == (int64_t)in->temp_base;
    Check k = {in, NULL};
    if (ok) {
        k.starts = calloc(in->instr_count, 1);
        if (k.starts == NULL) {
            raise_memory(th);
            return false;
        }
        uint8_t last = 0;
        for (uint32_t i = 0; i < in->instr_count && ok;) {
            last = in->instrs[i].op;
            ok = last < OP_BASE_COUNT &&
                 (uint64_t)i + 1 + (uint64_t)opcode_words(last) <= in->instr_count;
            k.starts[i] = 1;
            i += 1 + (uint32_t)opcode_words(last);
        }
        ok = ok && ends(last);
    }
    for (uint32_t i = 0; ok && i < in->instr_count; i++)
        ok = !k.starts[i] || instr_ok(&k, i);
    ok = ok && tables_ok(&k);
    free(k.starts);
    if (!ok)
        raise_value_error(th, "code: the instructions are malformed");
    return ok;
}
