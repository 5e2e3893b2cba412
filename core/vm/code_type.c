/* code_type.c -- Code objects as Python sees them.
 *
 * co_code is the whole of what the machine needs besides names and constants, so that replace()
 * can give it back: the instructions as the compiler wrote them (8 bytes each), then the live
 * maps, then a trailer of counts.  It is made on demand and kept.
 */
#include "core/vm/code_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "core/vm/opcode.h"
#include "gc/heap.h"
#include "gc/holds.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

/* -- co_code -- */

typedef struct Trailer {
    uint32_t instr_count, register_count, temp_base, live_sets, live_total, self_attr_count;
    uint32_t local_count, magic;
} Trailer;
#define TRAILER_MAGIC 0x74666577u

/* The instructions without what the evaluator wrote into them. */
static void
plain_instrs(const Code *c, Instr *out)
{
    memcpy(out, c->instrs, (size_t)c->instr_count * sizeof(Instr));
    for (uint32_t i = 0; i < c->instr_count;) {
        out[i].op = opcode_generic(instr_op(&c->instrs[i]));
        uint32_t words = (uint32_t)opcode_words(out[i].op);
        if (opcode_has_cache(out[i].op) && i + words < c->instr_count)
            memset(&out[i + 1], 0, words * sizeof(Instr));
        i += 1 + words;
    }
}

static Value
code_bytes(Thread *th, Code *c)
{
    Value have = field_read(th, &c->head, &c->weak_bytes);
    if (have != NULL)
        return have;
    uint32_t live_total = c->live_start[c->live_sets];
    size_t n = (size_t)c->instr_count * sizeof(Instr);
    size_t index = (size_t)c->instr_count * sizeof(uint16_t);
    size_t start = ((size_t)c->live_sets + 1) * sizeof(uint32_t);
    size_t regs = (size_t)live_total * sizeof(uint16_t);
    size_t all = n + start + index + regs + sizeof(Trailer);
    Instr *plain = malloc(n ? n : 1);
    Value v = plain ? bytes_new(th, (all + 7) & ~(size_t)7) : raise_memory(th);
    if (v != NULL) {
        uint8_t *p = as_bytes(v)->data;
        memset(p, 0, (all + 7) & ~(size_t)7);
        plain_instrs(c, plain);
        memcpy(p, plain, n);
        p += n;
        memcpy(p, c->live_start, start);
        p += start;
        memcpy(p, c->live_index, index);
        p += index;
        memcpy(p, c->live_registers, regs);
        Trailer t = {c->instr_count, c->register_count, c->temp_base, c->live_sets, live_total,
                     c->self_attr_count, c->local_count, TRAILER_MAGIC};
        memcpy(as_bytes(v)->data + as_bytes(v)->length - sizeof t, &t, sizeof t);
        if (field_set_once(th, &c->head, &c->weak_bytes, v))
            retain(th, v);
    }
    free(plain);
    return v;
}

/* Reads co_code back; the pointers in `init` lead into *copy, which is malloc'ed.  Registers move if
 * the variables have become more or fewer. */
static bool
bytes_to_init(Thread *th, Value v, CodeInit *init, void **copy)
{
    Trailer t;
    size_t length = (size_t)as_bytes(v)->length;
    if (length < sizeof t)
        goto bad;
    memcpy(&t, as_bytes(v)->data + length - sizeof t, sizeof t);
    if (t.magic != TRAILER_MAGIC || t.instr_count > length / 8 || t.live_sets > 65536 ||
        t.live_total > length)
        goto bad;
    size_t n = (size_t)t.instr_count * sizeof(Instr);
    size_t start = ((size_t)t.live_sets + 1) * sizeof(uint32_t);
    size_t index = (size_t)t.instr_count * sizeof(uint16_t);
    size_t regs = (size_t)t.live_total * sizeof(uint16_t);
    if (((n + start + index + regs + sizeof t + 7) & ~(size_t)7) != length)
        goto bad;
    uint32_t total;
    memcpy(&total, as_bytes(v)->data + n + start - sizeof total, sizeof total);
    if (total != t.live_total)
        goto bad;
    uint8_t *p = malloc(length);
    if (p == NULL) {
        raise_memory(th);
        return false;
    }
    *copy = p;
    memcpy(p, as_bytes(v)->data, length);
    int32_t by = (int32_t)init->temp_base - (int32_t)t.temp_base;
    uint16_t *live = (uint16_t *)(void *)(p + n + start + index);
    if (by != 0)
        code_move_registers((Instr *)(void *)p, t.instr_count, live, t.live_total,
                            t.local_count < init->local_count ? t.local_count : init->local_count,
                            by);
    init->instrs = (const Instr *)(const void *)p;
    init->live_start = (const uint32_t *)(const void *)(p + n);
    init->live_index = (const uint16_t *)(const void *)(p + n + start);
    init->live_registers = live;
    init->instr_count = t.instr_count;
    init->register_count = (uint32_t)((int64_t)t.register_count + by);
    init->live_sets = t.live_sets;
    init->self_attr_count = t.self_attr_count;
    return true;
bad:
    raise_value_error(th, "code: co_code is malformed");
    return false;
}

/* -- tables as bytes -- */

static Value
exception_bytes(Thread *th, const Code *c)
{
    return bytes_from(th, c->exceptions, (size_t)c->exception_count * sizeof(ExceptionEntry));
}

static Value
position_bytes(Thread *th, const Code *c)
{
    return bytes_from(th, c->position_table, c->position_table_size);
}

/* Names of the variables of one kind, in order. */
static Value
names_of_kind(Thread *th, const Code *c, unsigned kind)
{
    size_t n = 0;
    for (uint32_t i = 0; i < c->temp_base; i++)
        n += (c->var_kinds[i] & kind) != 0;
    Value t = n ? tuple_new(th, n) : retain(th, tuple_empty);
    if (t == NULL || n == 0)
        return t;
    n = 0;
    for (uint32_t i = 0; i < c->temp_base; i++) {
        if (c->var_kinds[i] & kind)
            tuple_init_item(t, (int64_t)n++, retain(th, tuple_item(c->var_names, i)));
    }
    return t;
}

/* -- attributes -- */

enum CodeAttr {
    ATTR_ARGCOUNT, ATTR_POSONLY, ATTR_KWONLY, ATTR_NLOCALS, ATTR_STACKSIZE, ATTR_FLAGS,
    ATTR_FIRSTLINE, ATTR_CODE, ATTR_VARNAMES, ATTR_FREEVARS, ATTR_CELLVARS, ATTR_LINETABLE,
    ATTR_EXCEPTIONTABLE, ATTR_LNOTAB,
};

/* The old line table: pairs (bytes, lines). */
static Value
lnotab(Thread *th, const Code *c)
{
    VEC(uint8_t) out = VEC_INIT;
    CodeRun run = {0};
    uint32_t byte = 0;
    int32_t line = (int32_t)c->first_line;
    bool ok = true;
    while (ok && code_next_run(c, &run)) {
        if (run.position.line <= 0 || run.position.line == line)
            continue;
        uint32_t bytes = run.start * 2 - byte;
        int64_t lines = (int64_t)run.position.line - line;
        for (; ok && bytes > 255; bytes -= 255)
            ok = vec_push(&out, 255) && vec_push(&out, 0);
        for (; ok && lines > 127; lines -= 127, bytes = 0)
            ok = vec_push(&out, (uint8_t)bytes) && vec_push(&out, 127);
        for (; ok && lines < -128; lines += 128, bytes = 0)
            ok = vec_push(&out, (uint8_t)bytes) && vec_push(&out, (uint8_t)-128);
        ok = ok && vec_push(&out, (uint8_t)bytes) && vec_push(&out, (uint8_t)lines);
        byte = run.start * 2;
        line = run.position.line;
    }
    Value v = ok ? bytes_from(th, out.items, out.count) : raise_memory(th);
    vec_free(&out);
    return v;
}

static Value
get_code_attr(Thread *th, Value self, void *closure)
{
    Code *c = as_code(self);
    switch ((enum CodeAttr)(uintptr_t)closure) {
    case ATTR_ARGCOUNT: return value_from_fixnum(c->arg_count);
    case ATTR_POSONLY: return value_from_fixnum(c->posonly_count);
    case ATTR_KWONLY: return value_from_fixnum(c->kwonly_count);
    case ATTR_NLOCALS: return value_from_fixnum(c->local_count);
    case ATTR_STACKSIZE: return value_from_fixnum(c->register_count - c->temp_base);
    case ATTR_FLAGS: return value_from_fixnum(c->flags);
    case ATTR_FIRSTLINE: return value_from_fixnum(c->first_line);
    case ATTR_CODE: return code_bytes(th, c);
    case ATTR_VARNAMES: return names_of_kind(th, c, VAR_LOCAL);
    case ATTR_FREEVARS: return names_of_kind(th, c, VAR_FREE);
    case ATTR_CELLVARS: return names_of_kind(th, c, VAR_CELL);
    case ATTR_LINETABLE: return position_bytes(th, c);
    case ATTR_EXCEPTIONTABLE: return exception_bytes(th, c);
    case ATTR_LNOTAB: return lnotab(th, c);
    }
    return NULL;
}

#define ATTR(name, which) {name, get_code_attr, NULL, NULL, (void *)(uintptr_t)(which)}
static const GetterDef code_getters[] = {
    ATTR("co_argcount", ATTR_ARGCOUNT),
    ATTR("co_posonlyargcount", ATTR_POSONLY),
    ATTR("co_kwonlyargcount", ATTR_KWONLY),
    ATTR("co_nlocals", ATTR_NLOCALS),
    ATTR("co_stacksize", ATTR_STACKSIZE),
    ATTR("co_flags", ATTR_FLAGS),
    ATTR("co_firstlineno", ATTR_FIRSTLINE),
    ATTR("co_code", ATTR_CODE),
    ATTR("_co_code_adaptive", ATTR_CODE),
    ATTR("co_varnames", ATTR_VARNAMES),
    ATTR("co_freevars", ATTR_FREEVARS),
    ATTR("co_cellvars", ATTR_CELLVARS),
    ATTR("co_linetable", ATTR_LINETABLE),
    ATTR("co_exceptiontable", ATTR_EXCEPTIONTABLE),
    ATTR("co_lnotab", ATTR_LNOTAB),
    {NULL, NULL, NULL, NULL, NULL},
};
#undef ATTR

static const MemberDef code_members[] = {
    {"co_consts", MEMBER_CONST_VALUE, offsetof(Code, const_tuple), true, NULL},
    {"co_names", MEMBER_CONST_VALUE, offsetof(Code, name_tuple), true, NULL},
    {"co_filename", MEMBER_CONST_VALUE, offsetof(Code, filename), true, NULL},
    {"co_name", MEMBER_CONST_VALUE, offsetof(Code, name), true, NULL},
    {"co_qualname", MEMBER_CONST_VALUE, offsetof(Code, qualname), true, NULL},
    {NULL, MEMBER_VALUE, 0, false, NULL},
};

/* -- iterators over positions -- */

typedef struct CodeIter {
    struct Object head;
    Value code;              /* [const] */
    ATOMIC(uint32_t) word;   /* co_positions: next word; co_lines: next run's first word */
} CodeIter;

static Value
int_or_none(int32_t n, int32_t least)
{
    return n >= least ? value_from_fixnum(n) : NONE;
}

static Value
positions_next(Thread *th, Value self)
{
    CodeIter *it = (CodeIter *)(void *)value_object(self);
    Code *c = as_code(it->code);
    uint32_t i = fetch_add_relaxed(&it->word, 1);
    if (i >= c->instr_count) {
        store_relaxed(&it->word, c->instr_count);
        return NULL;
    }
    Position p = code_position(c, i);
    if (c->position_table_size == 0) /* as CPython has it for an empty table */
        p.end_line = (int32_t)c->first_line + 1;
    return tuple_pack(th, 4, int_or_none(p.line, 1), int_or_none(p.end_line, 1),
                      int_or_none(p.column, 0), int_or_none(p.end_column, 0));
}

static Value
lines_next(Thread *th, Value self)
{
    CodeIter *it = (CodeIter *)(void *)value_object(self);
    Code *c = as_code(it->code);
    uint32_t from = load_relaxed(&it->word);
    if (from >= c->instr_count || c->position_table_size == 0)
        return NULL;
    int line = code_line(c, from);
    CodeRun run = {0};
    uint32_t to = from;
    while (code_next_run(c, &run)) {
        if (run.start + run.words <= from)
            continue;
        if (run.position.line != line)
            break;
        to = run.start + run.words;
    }
    if (to <= from)
        to = c->instr_count;
    store_relaxed(&it->word, to);
    return tuple_pack(th, 3, value_from_fixnum(2 * (int64_t)from), value_from_fixnum(2 * (int64_t)to),
                      int_or_none(line, 1));
}

static Value
code_iter_new(Thread *th, uint32_t shape, Value code)
{
    CodeIter *it = (CodeIter *)(void *)object_new_kind(th, shape, sizeof *it, false);
    if (it == NULL)
        return NULL;
    it->code = retain(th, code);
    return value_of(it);
}

static Value
code_iter_self(Thread *th, Value self)
{
    return retain(th, self);
}

HOLDS_VALUES(code_iter, CodeIter, code);

#define CODE_ITER(symbol, text, step)                                                             \
    Type symbol##_type;                                                                           \
    const TypeSpec symbol##_spec = {                                                              \
        .name = text,                                                                             \
        .size = sizeof(CodeIter),                                                                 \
        .flags = TYPE_DISALLOW_NEW,                                                               \
        .slots = {.iter = code_iter_self, .next = step},                                          \
        .visit = code_iter_visit,                                                                 \
        .dealloc = code_iter_dealloc,                                                             \
    }
CODE_ITER(code_positions, "positions_iterator", positions_next);
CODE_ITER(code_lines, "line_iterator", lines_next);

static Value
code_positions_method(Thread *th, Value self)
{
    return code_iter_new(th, SHAPE_CODE_POSITIONS, self);
}

static Value
code_lines_method(Thread *th, Value self)
{
    return code_iter_new(th, SHAPE_CODE_LINES, self);
}

/* -- making from Python -- */

/* What a code object is made of, as replace() and the constructor take it. */
typedef struct Parts {
    int32_t numbers[6];     /* argcount, posonly, kwonly, nlocals, stacksize, flags */
    int32_t first_line;
    Value code, consts, names_, varnames, filename, name, qualname, linetable, exceptiontable;
    Value freevars, cellvars;
} Parts;

static bool
all_strs(Thread *th, Value tuple, const char *what)
{
    for (int64_t i = 0; i < tuple_length(tuple); i++) {
        if (!is_str(tuple_item(tuple, i))) {
            raise_type_error(th, "name tuples must contain only strings, not '%T'",
                             tuple_item(tuple, i));
            return false;
        }
    }
    (void)what;
    return true;
}

static int64_t
index_of(Value tuple, Value name)
{
    for (int64_t i = 0; i < tuple_length(tuple); i++) {
        if (tuple_item(tuple, i) == name || str_equal(tuple_item(tuple, i), name))
            return i;
    }
    return -1;
}

/* A tuple of interned names. */
static Value
interned_tuple(Thread *th, Value tuple)
{
    int64_t n = tuple_length(tuple);
    Value t = n ? tuple_new(th, (size_t)n) : retain(th, tuple_empty);
    for (int64_t i = 0; t != NULL && i < n; i++) {
        Value s = str_intern(th, retain(th, tuple_item(tuple, i)));
        if (s == NULL)
            DROP_CLEAR(th, t);
        else
            tuple_init_item(t, i, s);
    }
    return t;
}

static Value
code_from_parts(Thread *th, const Parts *p)
{
    for (int i = 0; i < 6; i++) {
        if (p->numbers[i] < 0) {
            static const char *const texts[] = {
                "argcount must not be negative", "posonlyargcount must not be negative",
                "kwonlyargcount must not be negative", "nlocals must not be negative",
                "stacksize must not be negative", "flags must not be negative",
            };
            return raise_value_error(th, "code: %s", texts[i]);
        }
    }
    if (!all_strs(th, p->names_, "names") || !all_strs(th, p->varnames, "varnames") ||
        !all_strs(th, p->freevars, "freevars") || !all_strs(th, p->cellvars, "cellvars"))
        return NULL;
    if (p->numbers[3] != tuple_length(p->varnames))
        return raise_value_error(th, "code: co_nlocals != len(co_varnames)");
    int64_t params = (int64_t)p->numbers[0] + p->numbers[2] +
                     ((p->numbers[5] & CODE_VARARGS) != 0) +
                     ((p->numbers[5] & CODE_VARKEYWORDS) != 0);
    if (p->numbers[0] < p->numbers[1] || params > p->numbers[3])
        return raise_value_error(th, "code: varnames is too small");
    /* Variables: locals, then cells that are no locals, then free ones. */
    int64_t nlocals = tuple_length(p->varnames), ncells = tuple_length(p->cellvars);
    int64_t nfree = tuple_length(p->freevars), own = 0;
    for (int64_t i = 0; i < ncells; i++)
        own += index_of(p->varnames, tuple_item(p->cellvars, i)) < 0;
    int64_t total = nlocals + own + nfree;
    Value vars = NULL, names_ = NULL, code = NULL;
    void *copy = NULL;
    uint8_t *kinds = calloc((size_t)total + 1, 1);
    if (kinds == NULL || total > 60000)
        raise_memory(th);
    else
        vars = total ? tuple_new(th, (size_t)total) : retain(th, tuple_empty);
    if (vars == NULL)
        goto done;
    int64_t at = 0;
    for (int64_t i = 0; i < nlocals; i++, at++) {
        kinds[at] = VAR_LOCAL;
        tuple_init_item(vars, at, retain(th, tuple_item(p->varnames, i)));
    }
    for (int64_t i = 0; i < ncells; i++) {
        Value name = tuple_item(p->cellvars, i);
        int64_t local = index_of(p->varnames, name);
        if (local >= 0) {
            kinds[local] |= VAR_CELL;
        } else {
            kinds[at] = VAR_CELL;
            tuple_init_item(vars, at++, retain(th, name));
        }
    }
    for (int64_t i = 0; i < nfree; i++, at++) {
        kinds[at] = VAR_FREE;
        tuple_init_item(vars, at, retain(th, tuple_item(p->freevars, i)));
    }
    Value interned = interned_tuple(th, vars);
    drop(th, vars);
    vars = interned;
    names_ = interned_tuple(th, p->names_);
    if (vars == NULL || names_ == NULL)
        goto done;
    CodeInit init = {
        .temp_base = (uint32_t)total,
        .flags = (uint32_t)p->numbers[5],
        .arg_count = (uint32_t)p->numbers[0],
        .posonly_count = (uint32_t)p->numbers[1],
        .kwonly_count = (uint32_t)p->numbers[2],
        .local_count = (uint32_t)nlocals,
        .cell_count = (uint32_t)ncells,
        .free_count = (uint32_t)nfree,
        .first_line = (uint32_t)p->first_line,
        .const_tuple = p->consts,
        .name_tuple = names_,
        .var_names = vars,
        .var_kinds = kinds,
        .name = p->name,
        .qualname = p->qualname,
        .filename = p->filename,
        .position_table = as_bytes(p->linetable)->data,
        .position_table_size = (uint32_t)as_bytes(p->linetable)->length,
        .exceptions = (const ExceptionEntry *)(const void *)as_bytes(p->exceptiontable)->data,
        .exception_count =
            (uint32_t)((size_t)as_bytes(p->exceptiontable)->length / sizeof(ExceptionEntry)),
    };
    if (!bytes_to_init(th, p->code, &init, &copy))
        goto done;
    if ((uint32_t)p->numbers[4] + init.temp_base > init.register_count)
        init.register_count = (uint32_t)p->numbers[4] + init.temp_base;
    if (code_verify(th, &init))
        code = code_new(th, &init);
done:
    free(copy);
    drop_null(th, vars);
    drop_null(th, names_);
    free(kinds);
    return code;
}

static bool
part_int(Thread *th, Value v, int32_t *out)
{
    int n;
    if (!arg_int(th, v, &n))
        return false;
    *out = n;
    return true;
}

static bool
part_is(Thread *th, const char *function, const char *name, Value v, uint32_t shape,
        const char *type)
{
    bool ok = shape == SHAPE_STR ? is_str(v) : shape == SHAPE_BYTES ? is_bytes(v) : is_tuple(v);
    if (!ok)
        raise_type_error(th, "%s argument %s must be %s, not %T", function, name, type, v);
    return ok;
}

static Value
make_code(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    if (!args_no_keywords(th, "code", kwnames) || !args_count(th, "code", nargs, 16, 18))
        return NULL;
    Parts p = {.freevars = tuple_empty, .cellvars = tuple_empty};
    for (int i = 0; i < 6; i++) {
        if (!part_int(th, arg(args, (size_t)i), &p.numbers[i]))
            return NULL;
    }
    Value *const fields[] = {&p.code, &p.consts, &p.names_, &p.varnames, &p.filename, &p.name,
                             &p.qualname, NULL, &p.linetable, &p.exceptiontable, &p.freevars,
                             &p.cellvars};
    static const uint32_t shapes[] = {SHAPE_BYTES, SHAPE_TUPLE, SHAPE_TUPLE, SHAPE_TUPLE, SHAPE_STR,
                                      SHAPE_STR, SHAPE_STR, 0, SHAPE_BYTES, SHAPE_BYTES,
                                      SHAPE_TUPLE, SHAPE_TUPLE};
    for (size_t i = 6; i < nargs; i++) {
        if (i == 13) {
            if (!part_int(th, arg(args, i), &p.first_line))
                return NULL;
            continue;
        }
        uint32_t shape = shapes[i - 6];
        char position[8];
        position[0] = (char)('0' + (i + 1) / 10);
        position[1] = (char)('0' + (i + 1) % 10);
        position[2] = 0;
        if (!part_is(th, "code()", position, arg(args, i), shape,
                     shape == SHAPE_STR ? "str" : shape == SHAPE_BYTES ? "bytes" : "tuple"))
            return NULL;
        *fields[i - 6] = arg(args, i);
    }
    return code_from_parts(th, &p);
}

static Value
code_replace(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "replace",
        .names = {"co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_nlocals",
                  "co_stacksize", "co_flags", "co_firstlineno", "co_code", "co_consts", "co_names",
                  "co_varnames", "co_freevars", "co_cellvars", "co_filename", "co_name",
                  "co_qualname", "co_linetable", "co_exceptiontable"},
        .positional = 0,
    };
    Value v[18];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Code *c = as_code(self);
    Parts p = {
        .numbers = {(int32_t)c->arg_count, (int32_t)c->posonly_count, (int32_t)c->kwonly_count,
                    (int32_t)c->local_count, (int32_t)(c->register_count - c->temp_base),
                    (int32_t)c->flags},
        .first_line = (int32_t)c->first_line,
    };
    for (int i = 0; i < 7; i++) {
        if (v[i] != NULL && !part_int(th, v[i], i < 6 ? &p.numbers[i] : &p.first_line))
            return NULL;
        if (v[i] != NULL && (i < 6 ? p.numbers[i] : p.first_line) < 0)
            return raise_value_error(th, "%s must be a positive integer", params.names[i]);
    }
    /* Positions count from the first line. */
    Value own[11] = {NULL};
    Value result = NULL;
    own[0] = code_bytes(th, c);
    own[1] = retain(th, c->const_tuple);
    own[2] = retain(th, c->name_tuple);
    own[3] = names_of_kind(th, c, VAR_LOCAL);
    own[4] = names_of_kind(th, c, VAR_FREE);
    own[5] = names_of_kind(th, c, VAR_CELL);
    own[6] = retain(th, c->filename);
    own[7] = retain(th, c->name);
    own[8] = retain(th, c->qualname);
    own[9] = position_bytes(th, c);
    own[10] = exception_bytes(th, c);
    Value *const fields[11] = {&p.code, &p.consts, &p.names_, &p.varnames, &p.freevars, &p.cellvars,
                               &p.filename, &p.name, &p.qualname, &p.linetable, &p.exceptiontable};
    static const uint32_t shapes[11] = {SHAPE_BYTES, SHAPE_TUPLE, SHAPE_TUPLE, SHAPE_TUPLE,
                                        SHAPE_TUPLE, SHAPE_TUPLE, SHAPE_STR, SHAPE_STR, SHAPE_STR,
                                        SHAPE_BYTES, SHAPE_BYTES};
    for (int i = 0; i < 11; i++) {
        if (own[i] == NULL)
            goto done;
        *fields[i] = own[i];
        if (v[7 + i] == NULL)
            continue;
        char name[32];
        snprintf(name, sizeof name, "'%s'", params.names[7 + i]);
        if (!part_is(th, "replace()", name, v[7 + i], shapes[i],
                     shapes[i] == SHAPE_STR     ? "str"
                     : shapes[i] == SHAPE_BYTES ? "bytes"
                                                : "tuple"))
            goto done;
        *fields[i] = v[7 + i];
    }
    if (v[3] == NULL && v[10] != NULL)
        p.numbers[3] = (int32_t)tuple_length(v[10]);
    result = code_from_parts(th, &p);
done:
    for (int i = 0; i < 11; i++)
        drop_null(th, own[i]);
    return result;
}

static Value
varname_from_oparg(Thread *th, Value self, Value v)
{
    int i;
    if (!arg_int(th, v, &i))
        return NULL;
    Code *c = as_code(self);
    if (i < 0 || (uint32_t)i >= c->temp_base)
        return raise_error(th, &exc_IndexError, "tuple index out of range");
    return retain(th, tuple_item(c->var_names, i));
}

static Value
code_sizeof(Thread *th, Value self)
{
    (void)th;
    Code *c = as_code(self);
    return value_from_fixnum((int64_t)(sizeof *c + c->instr_count * 10u + c->position_table_size +
                                       c->exception_count * sizeof(ExceptionEntry) +
                                       c->temp_base));
}

static const MethodDef code_methods[] = {
    NATIVE_0("co_positions", code_positions_method, NULL),
    NATIVE_0("co_lines", code_lines_method, NULL),
    NATIVE_0("__sizeof__", code_sizeof, NULL),
    NATIVE_1("_varname_from_oparg", varname_from_oparg,
             "_varname_from_oparg($self, /, oparg)\n--\n\n(internal-only) Return the local "
             "variable name for the given oparg.\n\nWARNING: this method is for internal use only "
             "and may change or go away."),
    NATIVE_K("replace", code_replace,
             "replace($self, /, *, co_argcount=-1, co_posonlyargcount=-1,\n        "
             "co_kwonlyargcount=-1, co_nlocals=-1, co_stacksize=-1,\n        co_flags=-1, "
             "co_firstlineno=-1, co_code=None, co_consts=None,\n        co_names=None, "
             "co_varnames=None, co_freevars=None,\n        co_cellvars=None, co_filename=None, "
             "co_name=None,\n        co_qualname=None, co_linetable=None, "
             "co_exceptiontable=None)\n--\n\nReturn a copy of the code object with new values for "
             "the specified fields."),
    NATIVE_END,
};

/* -- equality -- */

/* Constants are equal only if their types are, too, and signs of zero. */
static Answer
same_constant(Thread *th, Value a, Value b)
{
    if (a == b)
        return YES;
    if (type_of(a) != type_of(b))
        return NO;
    if (thread_stack_low(th)) {
        raise_recursion(th, " in comparison");
        return FAILED;
    }
    if (is_exact(a, SHAPE_FLOAT)) {
        double x = float_value(a), y = float_value(b);
        return memcmp(&x, &y, sizeof x) == 0 ? YES : NO;
    }
    if (is_exact(a, SHAPE_COMPLEX)) {
        double x[2], y[2];
        if (!complex_value(th, a, &x[0], &x[1]) || !complex_value(th, b, &y[0], &y[1]))
            return FAILED;
        return memcmp(x, y, sizeof x) == 0 ? YES : NO;
    }
    if (is_exact(a, SHAPE_TUPLE)) {
        if (tuple_length(a) != tuple_length(b))
            return NO;
        for (int64_t i = 0; i < tuple_length(a); i++) {
            Answer same = same_constant(th, tuple_item(a, i), tuple_item(b, i));
            if (same != YES)
                return same;
        }
        return YES;
    }
    return values_equal(th, a, b);
}

static Answer
codes_equal(Thread *th, Code *a, Code *b)
{
    if (a == b)
        return YES;
    if (a->arg_count != b->arg_count || a->posonly_count != b->posonly_count ||
        a->kwonly_count != b->kwonly_count || a->flags != b->flags ||
        a->first_line != b->first_line || a->instr_count != b->instr_count ||
        a->temp_base != b->temp_base || a->exception_count != b->exception_count ||
        a->position_table_size != b->position_table_size ||
        memcmp(a->var_kinds, b->var_kinds, a->temp_base) != 0 ||
        memcmp(a->exceptions, b->exceptions, a->exception_count * sizeof *a->exceptions) != 0 ||
        memcmp(a->position_table, b->position_table, a->position_table_size) != 0)
        return NO;
    Value pairs[][2] = {{a->name, b->name}, {a->name_tuple, b->name_tuple},
                        {a->var_names, b->var_names}};
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        Answer same = values_equal(th, pairs[i][0], pairs[i][1]);
        if (same != YES)
            return same;
    }
    Answer same = same_constant(th, a->const_tuple, b->const_tuple);
    if (same != YES)
        return same;
    Value x = code_bytes(th, a), y = code_bytes(th, b);
    same = x != NULL && y != NULL ? values_equal(th, x, y) : FAILED;
    drop_null(th, x);
    drop_null(th, y);
    return same;
}

static Value
code_compare(Thread *th, Value x, Value y, int op)
{
    if ((op != OP_EQ && op != OP_NE) || !is_exact(x, SHAPE_CODE) || !is_exact(y, SHAPE_CODE))
        return NOT_IMPLEMENTED;
    Answer same = codes_equal(th, as_code(x), as_code(y));
    if (same == FAILED)
        return NULL;
    return bool_from((same == YES) == (op == OP_EQ));
}

static bool
code_hash(Thread *th, Value self, int64_t *hash)
{
    Code *c = as_code(self);
    Value bytes = code_bytes(th, c);
    if (bytes == NULL)
        return false;
    int64_t h[5] = {0};
    bool ok = to_hash(th, c->name, &h[0]) && to_hash(th, c->name_tuple, &h[1]) &&
              to_hash(th, c->var_names, &h[2]) && to_hash(th, bytes, &h[3]);
    drop(th, bytes);
    if (!ok)
        return false;
    uint64_t all = c->arg_count ^ (uint64_t)c->flags << 8 ^ (uint64_t)c->first_line << 24;
    for (int i = 0; i < 4; i++)
        all = (all ^ (uint64_t)h[i]) * 0x9e3779b97f4a7c15u;
    *hash = (int64_t)all == -1 ? -2 : (int64_t)all;
    return true;
}

static Value
code_repr(Thread *th, Value self)
{
    Code *c = as_code(self);
    return str_format_c(th, "<code object %V at %p, file \"%V\", line %d>", c->name, (void *)c,
                        c->filename, (int)(c->first_line ? (int)c->first_line : -1));
}

Type code_type;
const TypeSpec code_spec = {
    .name = "code",
    .size = sizeof(Code),
    .flags = TYPE_WEAKREFS,
    .ops_flags = OPS_BORN_SHARED | OPS_POOLED, /* not tracked: no cycle leads through constants */
    .doc = "code(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize,\n"
           "      flags, codestring, constants, names, varnames, filename, name,\n"
           "      qualname, firstlineno, linetable, exceptiontable, freevars=(),\n"
           "      cellvars=(), /)\n--\n\nCreate a code object.  Not for mere mortals.",
    .methods = code_methods,
    .getters = code_getters,
    .members = code_members,
    .slots = {
        .repr = code_repr,
        .hash = code_hash,
        .compare = code_compare,
        .new = make_code,
    },
    .visit = code_visit,
    .dealloc = code_dealloc,
};
