/* code_flow.c -- is a code object from outside safe to run?  Second part: what registers hold.
 *
 * Follows every path through the instructions, with what each register holds: nothing, NULL or a
 * value, a value, a value of a certain kind.  Where paths meet, what all of them have in common
 * holds; blocks are done again until nothing changes, which happens soon, since a register's kind
 * can only become less certain a few times.
 *
 * The live maps say which temporaries hold something at each instruction.  So the check is that
 * they tell the truth: all that they name holds something on every way there, and nothing else
 * does.  (None may be forgotten: it is not counted.)  A handler may be entered from every
 * instruction that it protects, with what held when that instruction began, less what the
 * instruction ends.
 *
 * A generator's frame and a function's differ: in front of RETURN_GENERATOR nothing may yield,
 * behind it nothing may return another one.
 */
#include "core/vm/code_priv.h"

#include <stdlib.h>
#include <string.h>

#include "core/vm/opcode.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"

/* What a register holds. */
enum Kind {
    NOTHING,           /* a temporary that is not in use */
    NULL_OR_VALUE,
    ANY_VALUE,
    NONE_ITSELF,
    EXCEPTION_OR_NONE,
    EXCEPTION,
    LIST, SET, DICT, TUPLE,
    CELL,
    CELLS,             /* CELLS + n: a tuple of n cells */
};
typedef uint16_t RegKind;
#define CELLS_MAX (UINT16_MAX - CELLS)

/* What holds where several paths may meet: the kinds of the variables, then those of the
 * temporaries in the live map. */
typedef struct Block {
    uint32_t word;
    RegKind *kinds;  /* NULL: not reached yet */
    bool generator;
    bool queued;
} Block;

typedef struct Flow {
    const CodeInit *in;
    const uint8_t *starts;
    CodeFault *fault;
    uint32_t *block_of;   /* [instr_count] index + 1, 0: no block begins here */
    uint32_t *handler_of; /* [instr_count] word of the handler + 1, 0: none */
    Block *blocks;
    uint32_t block_count;
    uint32_t again;       /* lowest block that is queued */
    uint64_t budget;      /* steps left: a malicious code object must not take for ever */
    /* here and now */
    uint32_t at;          /* the instruction */
    RegKind *now;         /* [register_count] */
    uint32_t held;        /* temporaries that are not NOTHING */
    bool generator;
    uint32_t handler;     /* of this instruction, + 1 */
    uint32_t synced;      /* the handler that knows `now` but for `changed` */
    uint16_t *changed;    /* [CHANGED_MAX] */
    uint32_t change_count;
} Flow;

enum { CHANGED_MAX = 64 };

static bool
fail(Flow *w, const char *what)
{
    if (w->fault->what == NULL && !w->fault->no_memory) {
        w->fault->what = what;
        w->fault->word = w->at;
    }
    return false;
}

static bool
fail_memory(Flow *w)
{
    w->fault->no_memory = true;
    return false;
}

static bool
spend(Flow *w, uint64_t steps)
{
    if (steps > w->budget)
        return fail(w, "it is too complicated to be checked");
    w->budget -= steps;
    return true;
}

static const uint16_t *
live_at(const Flow *w, uint32_t word, uint32_t *n)
{
    uint32_t set = w->in->live_index[word];
    *n = w->in->live_start[set + 1] - w->in->live_start[set];
    return w->in->live_registers + w->in->live_start[set];
}

/* The place of `reg` in the live map of `word`, -1: not there. */
static int64_t
live_find(const Flow *w, uint32_t word, unsigned reg)
{
    uint32_t n, low = 0;
    const uint16_t *live = live_at(w, word, &n);
    for (uint32_t high = n; low < high;) {
        uint32_t middle = (low + high) / 2;
        if (live[middle] < reg)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && live[low] == reg ? (int64_t)low : -1;
}

/* -- kinds -- */

static bool
is_none_or_exception(RegKind k)
{
    return k == NONE_ITSELF || k == EXCEPTION_OR_NONE || k == EXCEPTION;
}

/* What is certain if it is one or the other. */
static RegKind
meet(RegKind a, RegKind b)
{
    if (a == b)
        return a;
    if (a == NULL_OR_VALUE || b == NULL_OR_VALUE)
        return NULL_OR_VALUE;
    if (is_none_or_exception(a) && is_none_or_exception(b))
        return EXCEPTION_OR_NONE;
    if ((a == TUPLE || a >= CELLS) && (b == TUPLE || b >= CELLS))
        return TUPLE;
    return ANY_VALUE;
}

/* Whether a register of that kind will do where opcodes.def has `letter`. */
static bool
suits(RegKind k, char letter)
{
    switch (letter) {
    case '?': return k != NOTHING;
    case 'L': return k == LIST;
    case 'S': return k == SET;
    case 'D': return k == DICT;
    case 'T': return k == TUPLE || k >= CELLS;
    case 'X': return k == EXCEPTION;
    case 'E': return is_none_or_exception(k);
    case 'C': return k == CELL;
    default: return k >= ANY_VALUE;
    }
}

static RegKind
kind_of_letter(char letter)
{
    switch (letter) {
    case '?': return NULL_OR_VALUE;
    case 'L': return LIST;
    case 'S': return SET;
    case 'D': return DICT;
    case 'T': return TUPLE;
    case 'X': return EXCEPTION;
    case 'E': return EXCEPTION_OR_NONE;
    case 'C': return CELL;
    default: return ANY_VALUE;
    }
}

static RegKind
kind_of_constant(Value v)
{
    return v == NONE                  ? NONE_ITSELF
           : is_exact(v, SHAPE_TUPLE) ? TUPLE
                                      : ANY_VALUE;
}

/* -- registers -- */

static bool
is_variable(const Flow *w, unsigned reg)
{
    return reg < w->in->temp_base;
}

static void
set_kind(Flow *w, unsigned reg, RegKind kind)
{
    if (w->now[reg] == kind)
        return;
    w->now[reg] = kind;
    if (w->change_count == CHANGED_MAX)
        w->synced = 0;
    else
        w->changed[w->change_count++] = (uint16_t)reg;
}

/* A read operand. */
static bool
take(Flow *w, unsigned reg, char letter)
{
    RegKind k = w->now[reg];
    if (k == NOTHING)
        return fail(w, "a register is read that holds nothing");
    if (!suits(k, letter))
        return fail(w, k == NULL_OR_VALUE ? "a register is read that may hold nothing"
                                          : "a register may hold something of another kind");
    return true;
}

/* A temporary that ends with this instruction. */
static bool
end(Flow *w, unsigned reg)
{
    if (w->now[reg] == NOTHING)
        return fail(w, "a register ends twice");
    if (w->handler != 0 && live_find(w, w->handler - 1, reg) >= 0)
        return fail(w, "a register ends that the handler needs");
    set_kind(w, reg, NOTHING);
    w->held--;
    return true;
}

static bool
take_and_end(Flow *w, unsigned reg, char letter)
{
    return take(w, reg, letter) && end(w, reg);
}

/* A result: a temporary that is free, or a variable. */
static bool
put(Flow *w, unsigned reg, RegKind kind)
{
    if (!is_variable(w, reg)) {
        if (w->now[reg] != NOTHING)
            return fail(w, "a register is written that holds something");
        w->held++;
    }
    set_kind(w, reg, kind);
    return true;
}

static bool
end_range(Flow *w, unsigned first, uint64_t n)
{
    if (!spend(w, n))
        return false;
    for (uint64_t i = 0; i < n; i++) {
        if (!take_and_end(w, first + (unsigned)i, 'v'))
            return false;
    }
    return true;
}

/* -- paths -- */

/* Joins what holds now to what is known at `word`. */
static bool
join(Flow *w, uint32_t word, bool handler)
{
    Block *b = &w->blocks[w->block_of[word] - 1];
    uint32_t variables = w->in->temp_base, n;
    const uint16_t *live = live_at(w, word, &n);
    if (!spend(w, 8 + (uint64_t)variables / 4 + n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (w->now[live[i]] == NOTHING)
            return fail(w, "the live map names a register that holds nothing");
    }
    if (!handler && w->held != n)
        return fail(w, "the live map misses a register that holds something");
    bool changed = false;
    if (b->kinds == NULL) {
        size_t count = (size_t)variables + n;
        if (!spend(w, count * 8)) /* memory, too */
            return false;
        b->kinds = malloc((count + 1) * sizeof *b->kinds);
        if (b->kinds == NULL)
            return fail_memory(w);
        memcpy(b->kinds, w->now, variables * sizeof *b->kinds);
        for (uint32_t i = 0; i < n; i++)
            b->kinds[variables + i] = w->now[live[i]];
        b->generator = w->generator;
        changed = true;
    } else {
        if (b->generator != w->generator)
            return fail(w, "a generator's frame and a function's meet");
        for (uint32_t i = 0; i < variables + n; i++) {
            RegKind k = meet(b->kinds[i], w->now[i < variables ? i : live[i - variables]]);
            if (k != b->kinds[i]) {
                b->kinds[i] = k;
                changed = true;
            }
        }
    }
    if (changed) {
        b->queued = true;
        uint32_t index = w->block_of[word] - 1;
        if (index < w->again)
            w->again = index;
    }
    return true;
}

/* The same for the handler of this instruction, for what has changed since it was last done. */
static bool
join_handler(Flow *w)
{
    if (w->synced != w->handler) {
        if (!join(w, w->handler - 1, true))
            return false;
        w->synced = w->handler;
        w->change_count = 0;
        return true;
    }
    Block *b = &w->blocks[w->block_of[w->handler - 1] - 1];
    for (uint32_t i = 0; i < w->change_count; i++) {
        unsigned reg = w->changed[i];
        int64_t place = is_variable(w, reg) ? (int64_t)reg : live_find(w, w->handler - 1, reg);
        if (place < 0)
            continue;
        if (w->now[reg] == NOTHING)
            return fail(w, "the handler needs a register that holds nothing");
        if (!is_variable(w, reg))
            place += w->in->temp_base;
        RegKind k = meet(b->kinds[place], w->now[reg]);
        if (k != b->kinds[place]) {
            b->kinds[place] = k;
            b->queued = true;
            uint32_t index = w->block_of[w->handler - 1] - 1;
            if (index < w->again)
                w->again = index;
        }
    }
    w->change_count = 0;
    if (b->generator != w->generator)
        return fail(w, "a generator's frame and a function's meet");
    return true;
}

/* A normal path to `word`. */
static bool
go(Flow *w, uint32_t word)
{
    if (code_starts_handler(w->in->instrs[word].op))
        return fail(w, "a handler is reached without an exception");
    return join(w, word, false);
}

/* A path to `word` on which r[reg], a temporary that stays, is None: it may be forgotten. */
static bool
go_with_none(Flow *w, uint32_t word, unsigned reg)
{
    RegKind before = w->now[reg];
    bool forget = !is_variable(w, reg) && live_find(w, word, reg) < 0;
    if (is_variable(w, reg))
        return go(w, word);
    w->now[reg] = forget ? NOTHING : NONE_ITSELF;
    w->held -= forget;
    bool ok = go(w, word);
    w->held += forget;
    w->now[reg] = before;
    return ok;
}

/* -- instructions -- */

static const uint8_t dead_flags[3] = {A_DEAD, B_DEAD, C_DEAD};

/* First the operands are read. */
static bool
read_operand(Flow *w, const Instr *i, const char *facts, unsigned reg)
{
    switch (facts[0]) {
    case 'v': case '?': case 'L': case 'S': case 'D': case 'T': case 'X': case 'E': case 'C':
        return take(w, reg, facts[0]);
    case 'R':
    case 'i':
        return take(w, reg, 'v');
    case 'w':
        return take(w, reg, 'E');
    case 'x':
        return !(i->flags & FLAG_X) || take(w, reg, 'v');
    case 'W':
        return !(i->flags & FLAG_X) || take(w, reg, 'X');
    case 'Q':
        return take(w, reg, 'v') && take(w, reg + 1, '?');
    case 'y':
        return SUB(i->flags) < 1 || take(w, reg, 'v');
    case 'z':
        return SUB(i->flags) < 2 || take(w, reg, 'v');
    default:
        return true;
    }
}

/* The arguments of a call at `first`; nothing else may lie in the window or above. */
static bool
end_window(Flow *w, const Instr *i, char letter)
{
    unsigned first = i->a + FRAME_WORDS, n = letter == 'e' ? 1 + !!(i->flags & FLAG_X) : i->b;
    if (!take_and_end(w, i->a, 'v'))
        return false;
    if (letter == 'g' && !take_and_end(w, first++, '?'))
        return false;
    if (!end_range(w, first, n))
        return false;
    uint32_t live_count;
    const uint16_t *live = live_at(w, w->at, &live_count);
    if (live_count != 0 && live[live_count - 1] > i->a) {
        /* Ascending: those from the window on are the last ones. */
        uint32_t mine = 1 + n + (letter == 'g');
        if (mine > live_count || live[live_count - mine] != i->a)
            return fail(w, "a register above a call's window holds something");
    }
    return true;
}

static bool
end_parts(Flow *w, const Instr *i)
{
    unsigned reg = i->c;
    Value code = tuple_item(w->in->const_tuple, i->b);
    uint32_t cells = as_code(code)->free_count;
    if ((i->flags & FLAG_X) && !take_and_end(w, reg++, 'T'))
        return false;
    if ((SUB(i->flags) & 1) && !take_and_end(w, reg++, 'D'))
        return false;
    if ((SUB(i->flags) & 2) && !take_and_end(w, reg++, 'T'))
        return false;
    if (!(SUB(i->flags) & 4))
        return cells == 0 || fail(w, "a function lacks its cells");
    if (cells > CELLS_MAX || w->now[reg] != CELLS + cells)
        return fail(w, "a function has other cells than its code");
    return end(w, reg);
}

/* Then some of them end. */
static bool
end_operand(Flow *w, const Instr *i, int which, unsigned reg)
{
    const char *facts = op_facts[i->op].operand[which];
    switch (facts[0]) {
    case 'R':
        return is_variable(w, reg) || end(w, reg);
    case '2':
        return end_range(w, reg, 2);
    case 'c':
        return end_range(w, reg, i->c);
    case 'd':
        return end_range(w, reg, 2 * (uint64_t)i->c);
    case 's':
        return end_range(w, reg, i->flags & FLAG_X ? 3 : 2);
    case 'q':
        return take_and_end(w, reg, 'v') && take_and_end(w, reg + 1, 'T');
    case 'h':
        return take_and_end(w, reg, 'E') && take_and_end(w, reg + 1, 'X');
    case 'Q':
        return (i->flags & FLAG_X) || (end(w, reg) && end(w, reg + 1));
    case 'p':
        return end_parts(w, i);
    case 'f':
    case 'g':
    case 'e':
        return end_window(w, i, facts[0]);
    case '=': case '~': case 'u': case 'm': case 'M': case 'H': case 'P': case 'V': case 'C':
    case 'W': case '-': case '#': case 'n': case 'k': case 'o': case 'r': case 't':
        return true;
    default:
        return !((i->flags & dead_flags[which]) || facts[1] == '!') || end(w, reg);
    }
}

/* What has been read and has not ended must still be there: it was not another operand's. */
static bool
still_there(Flow *w, const Instr *i, int which, unsigned reg)
{
    const char *facts = op_facts[i->op].operand[which];
    switch (facts[0]) {
    case 'v': case '?': case 'L': case 'S': case 'D': case 'T': case 'X': case 'E': case 'w': case 'i':
        return (i->flags & dead_flags[which]) || facts[1] == '!' || w->now[reg] != NOTHING ||
               fail(w, "a register ends that is read, too");
    default:
        return true;
    }
}

/* At last the result is written. `copied`: what operand b held. */
static bool
write_operand(Flow *w, const Instr *i, const char *facts, unsigned reg, RegKind copied)
{
    switch (facts[0]) {
    case '=':
        if (facts[1] != '*')
            return put(w, reg, kind_of_letter(facts[1]));
        return put(w, reg, copied);
    case '~':
        return put(w, reg, ANY_VALUE);
    case 'm':
        return put(w, reg, ANY_VALUE) && put(w, reg + FRAME_WORDS, NULL_OR_VALUE);
    case 'M':
        for (unsigned k = 1; k <= 3; k++) {
            if (!put(w, reg + FRAME_WORDS + k, ANY_VALUE))
                return false;
        }
        return put(w, reg, ANY_VALUE) && put(w, reg + FRAME_WORDS, NULL_OR_VALUE);
    case 'P':
        return put(w, reg, ANY_VALUE) && put(w, reg + 1, NULL_OR_VALUE);
    case 'H':
        return put(w, reg, EXCEPTION_OR_NONE) && put(w, reg + 1, EXCEPTION);
    case 'w':
        set_kind(w, reg, EXCEPTION_OR_NONE);
        return true;
    case 'V':
        if (facts[1] == 'C')
            set_kind(w, reg, CELL);
        else if (facts[1] == '-')
            set_kind(w, reg, NULL_OR_VALUE);
        else if (w->now[reg] == NULL_OR_VALUE)
            set_kind(w, reg, ANY_VALUE);
        return true;
    case 'u': {
        uint64_t n = code_unpack_count(w->in, w->at);
        /* Variables are written one by one while b is still read. */
        if ((i->flags & A_LIVE) && i->b >= reg && i->b < reg + n)
            return fail(w, "what is unpacked is written, too");
        if (!spend(w, n))
            return false;
        for (uint64_t k = 0; k < n; k++) {
            if (!put(w, reg + (unsigned)k, ANY_VALUE))
                return false;
        }
        return true;
    }
    default:
        return true;
    }
}

/* BUILD_TUPLE of nothing but cells. */
static bool
all_cells(const Flow *w, const Instr *i)
{
    if (i->c == 0 || i->c > CELLS_MAX)
        return false;
    for (unsigned k = 0; k < i->c; k++) {
        if (w->now[i->b + k] != CELL)
            return false;
    }
    return true;
}

/* The instruction as if nothing jumped. */
static bool
step(Flow *w, const Instr *i)
{
    const OpFacts *facts = &op_facts[i->op];
    const unsigned regs[3] = {i->a, i->b, i->c};
    int operands = fact_is_wide(facts->operand[1][0]) ? 1 : 3;
    RegKind copied = ANY_VALUE;
    if (facts->operand[0][1] == '*' && facts->operand[0][0] == '=')
        copied = operands == 1 ? kind_of_constant(tuple_item(w->in->const_tuple, instr_bc(i)))
                               : w->now[i->b];
    for (int k = 0; k < operands; k++) {
        if (!read_operand(w, i, facts->operand[k], regs[k]))
            return false;
    }
    bool cells = i->op == OP_BUILD_TUPLE && all_cells(w, i);
    for (int k = 0; k < operands; k++) {
        if (!end_operand(w, i, k, regs[k]))
            return false;
    }
    for (int k = 0; k < operands; k++) {
        if (!still_there(w, i, k, regs[k]))
            return false;
    }
    if (i->op == OP_FOR_ITER) /* its result is there only if it does not jump */
        return true;
    for (int k = 0; k < operands; k++) {
        if (!write_operand(w, i, facts->operand[k], regs[k], copied))
            return false;
    }
    if (cells)
        set_kind(w, i->a, (RegKind)(CELLS + i->c));
    return true;
}

static bool
check_generator(Flow *w, uint8_t op)
{
    if (op == OP_RETURN_GENERATOR) {
        if (w->generator || w->held != 0 || w->handler != 0)
            return fail(w, "a generator cannot be made here");
        w->generator = true;
    } else if ((op == OP_YIELD || op == OP_YIELD_FROM) && !w->generator) {
        return fail(w, "only a generator yields");
    }
    return true;
}

/* An iterator that is exhausted: the jump of FOR_ITER and END_ASYNC_FOR. */
static bool
go_exhausted(Flow *w, uint32_t word, unsigned reg)
{
    RegKind before = w->now[reg];
    w->now[reg] = NOTHING;
    w->held--;
    bool ok = go(w, word);
    w->now[reg] = before;
    w->held++;
    return ok;
}

/* The whole of the instruction at w->at, and its jump.  *falls: it may go on behind. */
static bool
run_instr(Flow *w, bool *falls)
{
    const Instr *i = &w->in->instrs[w->at];
    int64_t next = (int64_t)w->at + 1 + opcode_words(i->op);
    uint32_t near = (uint32_t)(next + instr_bc(i));
    uint32_t far = (uint32_t)(next + (int32_t)code_extra_word(w->in, w->at));
    *falls = true;
    w->handler = w->handler_of[w->at];
    if (w->handler != 0 && !join_handler(w))
        return false;
    if (!check_generator(w, i->op) || !step(w, i))
        return false;
    switch (i->op) {
    case OP_RETURN:
    case OP_RETURN_CONST:
        *falls = false;
        return w->held == 0 || fail(w, "a register holds something when the frame ends");
    case OP_RAISE:
    case OP_RERAISE:
    case OP_RAISE_REST:
    case OP_UNWIND_HANDLER:
        *falls = false;
        return true;
    case OP_JUMP:
    case OP_JUMP_BACK:
        *falls = false;
        return go(w, near);
    case OP_JUMP_IF_TRUE:
    case OP_JUMP_IF_FALSE:
        return go(w, near);
    case OP_JUMP_IF_NONE:
    case OP_JUMP_IF_NOT_NONE: {
        bool none = i->op == OP_JUMP_IF_NONE;
        if (i->flags & A_DEAD)
            return go(w, near);
        RegKind k = w->now[i->a], other = k == EXCEPTION_OR_NONE ? EXCEPTION : k;
        if (none && !go_with_none(w, near, i->a))
            return false;
        if (!none) {
            w->now[i->a] = other;
            bool ok = go(w, near);
            w->now[i->a] = k;
            if (!ok)
                return false;
        }
        if (!is_variable(w, i->a))
            set_kind(w, i->a, none ? other : NONE_ITSELF);
        return true;
    }
    case OP_FOR_ITER:
        return go_exhausted(w, far, i->a) && put(w, i->b, ANY_VALUE);
    case OP_END_ASYNC_FOR:
        *falls = false;
        return go_exhausted(w, far, i->a);
    default:
        return !facts_have(op_facts[i->op].rest, 'j') || go(w, far);
    }
}

/* What the live map says at w->at, after an instruction that went on here. */
static bool
agree(Flow *w, uint32_t before)
{
    if (w->in->live_index[w->at] == w->in->live_index[before] && w->change_count == 0)
        return true; /* nothing has happened */
    uint32_t n;
    const uint16_t *live = live_at(w, w->at, &n);
    if (!spend(w, 1 + (uint64_t)n))
        return false;
    for (uint32_t k = 0; k < n; k++) {
        if (w->now[live[k]] == NOTHING)
            return fail(w, "the live map names a register that holds nothing");
    }
    return w->held == n || fail(w, "the live map misses a register that holds something");
}

static bool
run_block(Flow *w, Block *b)
{
    uint32_t variables = w->in->temp_base, n;
    const uint16_t *live = live_at(w, b->word, &n);
    if (!spend(w, 8 + w->in->register_count / 8))
        return false;
    memset(w->now, 0, w->in->register_count * sizeof *w->now);
    memcpy(w->now, b->kinds, variables * sizeof *w->now);
    for (uint32_t i = 0; i < n; i++)
        w->now[live[i]] = b->kinds[variables + i];
    w->held = n;
    w->generator = b->generator;
    w->synced = 0;
    w->change_count = 0;
    w->at = b->word;
    for (;;) {
        bool falls;
        if (!spend(w, 4) || !run_instr(w, &falls))
            return false;
        if (!falls)
            return true;
        uint32_t before = w->at;
        w->at += 1 + (uint32_t)opcode_words(w->in->instrs[before].op);
        if (w->block_of[w->at] != 0)
            return go(w, w->at);
        if (!agree(w, before))
            return false;
    }
}

/* -- the whole -- */

/* The first entry that covers a word is its handler: each word is painted once. */
static bool
find_handlers(Flow *w)
{
    const CodeInit *in = w->in;
    uint32_t *next = malloc(((size_t)in->instr_count + 1) * sizeof *next); /* unpainted, from here */
    if (next == NULL)
        return fail_memory(w);
    for (uint32_t i = 0; i <= in->instr_count; i++)
        next[i] = i;
    for (uint32_t e = 0; e < in->exception_count; e++) {
        const ExceptionEntry *x = &in->exceptions[e];
        uint32_t i = x->start;
        while (i < x->end) {
            uint32_t to = i;
            while (next[to] != to)
                to = next[to];
            while (next[i] != to && i != to) { /* shorten the way */
                uint32_t after = next[i];
                next[i] = to;
                i = after;
            }
            i = to;
            if (i < x->end) {
                w->handler_of[i] = x->target + 1;
                next[i] = i + 1;
            }
        }
    }
    free(next);
    return true;
}

static void
mark(Flow *w, int64_t word)
{
    w->block_of[word] = 1;
}

static bool
find_blocks(Flow *w)
{
    const CodeInit *in = w->in;
    mark(w, 0);
    for (uint32_t i = 0; i < in->instr_count; i++) {
        if (!w->starts[i])
            continue;
        const Instr *x = &in->instrs[i];
        int64_t next = (int64_t)i + 1 + opcode_words(x->op);
        char b = op_facts[x->op].operand[1][0];
        if (b == 'J' || b == 'Z')
            mark(w, next + instr_bc(x));
        if (facts_have(op_facts[x->op].rest, 'j'))
            mark(w, next + (int32_t)code_extra_word(in, i));
    }
    for (uint32_t e = 0; e < in->exception_count; e++)
        mark(w, in->exceptions[e].target);
    for (uint32_t i = 0; i < in->instr_count; i++)
        w->block_count += w->block_of[i];
    w->blocks = calloc(w->block_count, sizeof *w->blocks);
    if (w->blocks == NULL)
        return fail_memory(w);
    uint32_t n = 0;
    for (uint32_t i = 0; i < in->instr_count; i++) {
        if (w->block_of[i] != 0) {
            w->blocks[n].word = i;
            w->block_of[i] = ++n;
        }
    }
    return true;
}

/* What holds when a frame begins. */
static bool
begin(Flow *w)
{
    const CodeInit *in = w->in;
    uint32_t params = in->arg_count + in->kwonly_count + ((in->flags & CODE_VARARGS) != 0) +
                      ((in->flags & CODE_VARKEYWORDS) != 0);
    for (uint32_t i = 0; i < in->temp_base; i++)
        w->now[i] = i < params                               ? ANY_VALUE
                    : i >= in->temp_base - in->free_count ? CELL
                                                              : NULL_OR_VALUE;
    return go(w, 0);
}

static bool
run_all(Flow *w)
{
    if (!find_handlers(w) || !find_blocks(w) || !begin(w))
        return false;
    while (w->again != UINT32_MAX) {
        uint32_t i = w->again;
        w->again = UINT32_MAX;
        for (; i < w->block_count && i < w->again; i++) {
            Block *b = &w->blocks[i];
            if (!spend(w, 1))
                return false;
            if (!b->queued)
                continue;
            b->queued = false;
            if (!run_block(w, b))
                return false;
        }
    }
    return true;
}

bool
code_flow(const CodeInit *in, const uint8_t *starts, CodeFault *fault)
{
    uint16_t changed[CHANGED_MAX];
    Flow w = {
        .in = in,
        .starts = starts,
        .fault = fault,
        .block_of = calloc(in->instr_count, sizeof *w.block_of),
        .handler_of = calloc(in->instr_count, sizeof *w.handler_of),
        .now = calloc((size_t)in->register_count + 1, sizeof *w.now),
        .again = UINT32_MAX,
        .budget = ((uint64_t)1 << 28) + (uint64_t)in->instr_count * 1024,
        .changed = changed,
    };
    bool ok = w.block_of != NULL && w.handler_of != NULL && w.now != NULL ? run_all(&w)
                                                                          : fail_memory(&w);
    for (uint32_t i = 0; i < w.block_count && w.blocks != NULL; i++)
        free(w.blocks[i].kinds);
    free(w.blocks);
    free(w.block_of);
    free(w.handler_of);
    free(w.now);
    return ok;
}
