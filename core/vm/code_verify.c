/* code_verify.c -- is a code object from outside safe to run?  First part: instruction by instruction.
 *
 * Operands must be registers, constants and names that exist and of the sort the instruction needs,
 * jumps and handlers must lead forward (but for JUMP_BACK, which polls) to instructions, the tables
 * must be well-formed and the last instruction must not fall through.  What registers hold where is
 * followed by code_flow.c.
 */
#include "core/vm/code_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/vm/opcode.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/text/str.h"

enum { SELF_ATTRS_MAX = 64 };

typedef struct Check {
    const CodeInit *in;
    uint8_t *starts; /* words that begin an instruction */
} Check;

static bool
in_registers(const CodeInit *in, uint64_t first, uint64_t n)
{
    return first + n <= in->register_count;
}

/* n temporaries from `first` on. */
static bool
temporaries(const CodeInit *in, uint64_t first, uint64_t n)
{
    return n == 0 || (first >= in->temp_base && in_registers(in, first, n));
}

static bool
is_start(const Check *k, int64_t word)
{
    return word >= 0 && word < (int64_t)k->in->instr_count && k->starts[word];
}

uint64_t
code_extra_word(const CodeInit *in, uint32_t at)
{
    uint64_t word = 0;
    if (opcode_words(in->instrs[at].op) != 0)
        memcpy(&word, &in->instrs[at + 1], sizeof word);
    return word;
}

uint64_t
code_unpack_count(const CodeInit *in, uint32_t at)
{
    if (in->instrs[at].op == OP_UNPACK)
        return in->instrs[at].c;
    uint64_t word = code_extra_word(in, at);
    return (word & UINT32_MAX) + (word >> 32) + 1;
}

/* How many parts MAKE_FUNCTION has. */
static unsigned
function_parts(uint8_t flags)
{
    return ((flags & FLAG_X) != 0) + (SUB(flags) & 1) + (SUB(flags) >> 1 & 1) + (SUB(flags) >> 2);
}

static Value
constant(const CodeInit *in, uint64_t i)
{
    return i < (uint64_t)tuple_length(in->const_tuple) ? tuple_item(in->const_tuple, (int64_t)i)
                                                      : NULL;
}

static const uint8_t dead_flags[3] = {A_DEAD, B_DEAD, C_DEAD};

/* The operand a, b or c (which: 0, 1, 2). */
static const char *
operand_fault(const CodeInit *in, uint32_t at, int which, bool *wide)
{
    static const char no_register[] = "there is no such register";
    const Instr *i = &in->instrs[at];
    const char *facts = op_facts[i->op].operand[which];
    unsigned v = which == 0 ? i->a : which == 1 ? i->b : i->c;
    bool dead = (i->flags & dead_flags[which]) != 0, ok = true;
    int64_t bc = instr_bc(i);
    Value k;
    switch (facts[0]) {
    case '-':
    case '#':
        return NULL;
    case 't':
        return v == 2 || v == 3 ? NULL : "a count is wrong";
    case 'n':
        return (int64_t)v < tuple_length(in->name_tuple) ? NULL : "there is no such name";
    case 'o':
    case 'r':
        k = constant(in, v);
        if (k == NULL || !(facts[0] == 'o' ? is_exact(k, SHAPE_CODE) : value_is_flonum(k)))
            return "the constant is not of the kind needed";
        return NULL;
    case 'N':
        *wide = true;
        return bc >= 0 && bc < tuple_length(in->name_tuple) ? NULL : "there is no such name";
    case 'K':
        *wide = true;
        return bc >= 0 && constant(in, (uint64_t)bc) != NULL ? NULL : "there is no such constant";
    case 'J':
    case 'Z':
        *wide = true;
        return NULL;
    case '=':
        ok = i->flags & A_LIVE ? v < in->temp_base : temporaries(in, v, 1);
        break;
    case 'u':
        ok = i->flags & A_LIVE ? v + code_unpack_count(in, at) <= in->temp_base
                               : temporaries(in, v, code_unpack_count(in, at));
        break;
    case 'V':
    case 'C':
        ok = v < in->temp_base;
        break;
    case 'x':
        if (!(i->flags & FLAG_X))
            return dead ? "a flag means nothing" : NULL;
        goto read;
    case 'y':
    case 'z':
        if (SUB(i->flags) < (facts[0] == 'y' ? 1 : 2))
            return dead ? "a flag means nothing" : NULL;
        goto read;
    default:
    read:
        ok = dead || facts[1] == '!' ? temporaries(in, v, 1) : in_registers(in, v, 1);
        break;
    case '~': case 'i': case 'w': ok = temporaries(in, v, 1); break;
    case 'h': case 'H': case 'q': case '2': case 'P': case 'Q': ok = temporaries(in, v, 2); break;
    case 's': ok = temporaries(in, v, i->flags & FLAG_X ? 3 : 2); break;
    case 'c': ok = temporaries(in, v, i->c); break;
    case 'd': ok = temporaries(in, v, 2 * (uint64_t)i->c); break;
    case 'p': ok = temporaries(in, v, function_parts(i->flags)); break;
    case 'W': ok = !(i->flags & FLAG_X) || in_registers(in, v, 1); break;
    case 'm': ok = temporaries(in, v, FRAME_WORDS + 1); break;
    case 'M': ok = temporaries(in, v, FRAME_WORDS + 4); break;
    case 'f': ok = temporaries(in, v, FRAME_WORDS + (uint64_t)i->b); break;
    case 'g': ok = temporaries(in, v, FRAME_WORDS + 1 + (uint64_t)i->b); break;
    case 'e': ok = temporaries(in, v, FRAME_WORDS + (i->flags & FLAG_X ? 2 : 1)); break;
    }
    return ok ? NULL : no_register;
}

/* The flags that may be set. */
static bool
flags_ok(const Instr *i)
{
    const OpFacts *facts = &op_facts[i->op];
    unsigned allowed = 0, subs = 1;
    for (int k = 0; k < 3; k++) {
        const char *f = facts->operand[k];
        switch (f[0]) {
        case 'v': case '?': case 'L': case 'S': case 'D': case 'T': case 'X': case 'E': case 'R':
        case 'x': case 'y': case 'z':
            allowed |= f[1] != '.' ? dead_flags[k] : 0u;
            break;
        case '=': case 'u':
            allowed |= A_LIVE;
            break;
        default:
            break;
        }
    }
    for (const char *rest = facts->rest; *rest != '\0'; rest++) {
        if (*rest == 'X')
            allowed |= FLAG_X;
        else if (*rest == '<')
            subs = (unsigned)(rest[1] - '0');
    }
    unsigned plain = (1u << SUB_SHIFT) - 1;
    return (i->flags & plain & ~allowed) == 0 && SUB(i->flags) < subs;
}

/* Whether `v` is a tuple of at most `most` exact strs. */
static bool
is_names(Value v, unsigned most)
{
    if (v == NULL || !is_exact(v, SHAPE_TUPLE) || tuple_length(v) > (int64_t)most)
        return false;
    for (int64_t i = 0; i < tuple_length(v); i++) {
        if (!is_exact(tuple_item(v, i), SHAPE_STR))
            return false;
    }
    return true;
}

static const char *
instr_fault(const Check *k, uint32_t at)
{
    const CodeInit *in = k->in;
    const Instr *i = &in->instrs[at];
    const OpFacts *facts = &op_facts[i->op];
    int64_t next = (int64_t)at + 1 + opcode_words(i->op);
    if (!flags_ok(i))
        return "a flag means nothing";
    bool wide = false;
    for (int which = 0; which < 3 && !wide; which++) {
        const char *fault = operand_fault(in, at, which, &wide);
        if (fault != NULL)
            return fault;
    }
    char b = facts->operand[1][0];
    int64_t bc = instr_bc(i);
    if ((b == 'J' && (bc < 0 || !is_start(k, next + bc))) ||
        (b == 'Z' && (bc >= 0 || !is_start(k, next + bc))))
        return "a jump leads nowhere";
    uint64_t word = code_extra_word(in, at);
    if (facts_have(facts->rest, 'j') && ((int32_t)word < 0 || !is_start(k, next + (int32_t)word)))
        return "a jump leads nowhere";
    if (facts_have(facts->rest, 'k') && !is_names(constant(in, word), i->b))
        return "the constant is not of the kind needed";
    if (facts_have(facts->rest, 'p') && word > INT32_MAX)
        return "a count is wrong";
    for (int64_t w = (int64_t)at + 1; opcode_has_cache(i->op) && w < next; w++) {
        memcpy(&word, &in->instrs[w], sizeof word);
        if (word != 0)
            return "a cache is not empty";
    }
    return NULL;
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
        uint16_t *operand[3] = {&i->a, &i->b, &i->c};
        for (int k = 0; i->op < OP_BASE_COUNT && k < 3; k++) {
            char kind = op_facts[i->op].operand[k][0];
            if (fact_is_wide(kind))
                break;
            if (strchr("-#nkort", kind) == NULL)
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

bool
code_starts_handler(uint8_t op)
{
    return op == OP_ENTER_HANDLER || op == OP_UNWIND_HANDLER || op == OP_END_ASYNC_FOR;
}

static bool
live_maps_ok(const CodeInit *in)
{
    if (in->live_sets == 0 || in->live_sets > UINT16_MAX + 1u || in->live_start[0] != 0)
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
        if (in->live_index[i] >= in->live_sets)
            return false;
    }
    return true;
}

/* A handler lies behind what it protects: a loop of exceptions needs a JUMP_BACK, too. */
static bool
handlers_ok(const Check *k)
{
    const CodeInit *in = k->in;
    for (uint32_t i = 0; i < in->exception_count; i++) {
        const ExceptionEntry *e = &in->exceptions[i];
        if (e->start > e->end || e->end > e->target || !is_start(k, e->target) ||
            !code_starts_handler(in->instrs[e->target].op))
            return false;
    }
    return true;
}

static bool
variables_ok(const CodeInit *in)
{
    uint64_t params = (uint64_t)in->arg_count + in->kwonly_count +
                      ((in->flags & CODE_VARARGS) != 0) + ((in->flags & CODE_VARKEYWORDS) != 0);
    if (in->temp_base > in->register_count || in->register_count > UINT16_MAX + 1u ||
        params > in->local_count || in->posonly_count > in->arg_count ||
        (uint64_t)in->local_count + in->free_count > in->temp_base ||
        in->self_attr_count > SELF_ATTRS_MAX ||
        tuple_length(in->var_names) != (int64_t)in->temp_base)
        return false;
    uint32_t cells = 0;
    for (uint32_t i = 0; i < in->temp_base; i++) {
        unsigned kind = in->var_kinds[i];
        bool local = i < in->local_count, is_free = i >= in->temp_base - in->free_count;
        if ((kind & ~(unsigned)(VAR_LOCAL | VAR_CELL | VAR_FREE)) != 0 || kind == 0 ||
            ((kind & VAR_LOCAL) != 0) != local || ((kind & VAR_FREE) != 0) != is_free)
            return false;
        cells += (kind & VAR_CELL) != 0;
    }
    return cells == in->cell_count;
}

/* Which words begin instructions; false if they do not fit. */
static bool
find_starts(Check *k)
{
    const CodeInit *in = k->in;
    uint8_t last = OP_NOP;
    for (uint32_t i = 0; i < in->instr_count;) {
        last = in->instrs[i].op;
        if (last >= OP_BASE_COUNT ||
            (uint64_t)i + 1 + (uint64_t)opcode_words(last) > in->instr_count)
            return false;
        k->starts[i] = 1;
        i += 1 + (uint32_t)opcode_words(last);
    }
    return ends(last);
}

static bool
fault_at(CodeFault *fault, uint32_t word, const char *what)
{
    fault->word = word;
    fault->what = what;
    return false;
}

static bool
check_all(Check *k, CodeFault *fault)
{
    const CodeInit *in = k->in;
    if (!find_starts(k))
        return fault_at(fault, 0, "the instructions are malformed");
    for (uint32_t i = 0; i < in->instr_count; i++) {
        const char *what = k->starts[i] ? instr_fault(k, i) : NULL;
        if (what != NULL)
            return fault_at(fault, i, what);
    }
    if (!live_maps_ok(in))
        return fault_at(fault, 0, "the live maps are malformed");
    if (!handlers_ok(k))
        return fault_at(fault, 0, "the exception table is malformed");
    return code_flow(in, k->starts, fault);
}

bool
code_check(const CodeInit *in, CodeFault *fault)
{
    *fault = (CodeFault){NULL, 0, false};
    if (in->instr_count == 0 || !variables_ok(in))
        return fault_at(fault, 0, "the counts are inconsistent");
    Check k = {in, calloc(in->instr_count, 1)};
    if (k.starts == NULL) {
        fault->no_memory = true;
        return false;
    }
    bool ok = check_all(&k, fault);
    free(k.starts);
    return ok;
}

bool
code_verify(Thread *th, const CodeInit *in)
{
    CodeFault fault;
    if (code_check(in, &fault))
        return true;
    if (fault.no_memory)
        raise_memory(th);
    else
        raise_value_error(th, "code: %s (word %u)", fault.what, fault.word);
    return false;
}

void
code_assert(const CodeInit *in)
{
    CodeFault fault;
    if (code_check(in, &fault) || fault.no_memory)
        return;
    char name[80], file[200];
    str_to_buffer(in->qualname, name, sizeof name);
    str_to_buffer(in->filename, file, sizeof file);
    const Instr *i = &in->instrs[fault.word];
    fprintf(stderr, "%s: code of %s, word %u: %s a=%u b=%u c=%u flags=%x: %s\n", file, name,
            fault.word, opcode_name(i->op), i->a, i->b, i->c, i->flags, fault.what);
    abort();
}
