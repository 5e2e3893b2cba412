/* code.c -- Code objects: making, positions, and their memory.
 *
 * A Code is immutable after code_new() but for opcodes and cache words.  Its Values are [const]
 * and kept by it; its tables are one allocation.  The type that Python sees is in code_type.c.
 *
 * The position table has the public format of co_linetable, a word counting as a code unit. An
 * entry covers 1 to 8 words; its first byte is 0x80 | kind << 3 | words - 1:
 *
 *     0..9     the line of the entry before; column = kind << 3 | upper 3 bits of the second byte
 *              behind its sign bit, end column = column + its lower 4 bits
 *     10..12   line + (kind - 10); column, end column: a byte each
 *     13       line + svarint; no columns
 *     14       line + svarint; varints: end line - line, column + 1, end column + 1
 *     15       no position
 *
 * Varints have 6 bits a byte, least significant first, 0x40: more; signed ones keep the sign in
 * the lowest bit. Readers check bounds: the table may come from a file.
 */
#include "core/vm/code_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "core/vm/opcode.h"
#include "gc/heap.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/text/str.h"
#include "threads/interp.h"

/* -- positions -- */

typedef struct PositionReader {
    const uint8_t *p, *end;
    uint32_t word;      /* first word of the present run */
    uint32_t run;       /* its length */
    Position position;
    int32_t line;       /* last line seen */
} PositionReader;

static bool
read_varint(PositionReader *in, uint32_t *out)
{
    uint32_t v = 0;
    for (unsigned shift = 0; in->p < in->end && shift < 32; shift += 6) {
        uint8_t byte = *in->p++;
        v |= (uint32_t)(byte & 63) << shift;
        if ((byte & 64) == 0) {
            *out = v;
            return true;
        }
    }
    return false;
}

static bool
read_svarint(PositionReader *in, int32_t *out)
{
    uint32_t v;
    if (!read_varint(in, &v))
        return false;
    *out = v & 1 ? -(int32_t)(v >> 1) : (int32_t)(v >> 1);
    return true;
}

/* The next entry; false at the end. */
static bool
next_run(PositionReader *in)
{
    in->word += in->run;
    in->run = 0;
    if (in->p >= in->end)
        return false;
    uint8_t head = *in->p++;
    unsigned kind = head >> 3 & 15;
    int32_t delta = 0;
    uint32_t end_delta = 0, column = 0, end_column = 0; /* columns + 1 */
    in->position = (Position){0, 0, -1, -1};
    if (kind <= 12) {
        if (kind >= 10) {
            if (in->end - in->p < 2)
                return false;
            delta = (int32_t)kind - 10;
            column = *in->p++ + 1u;
            end_column = *in->p++ + 1u;
        } else {
            if (in->p >= in->end)
                return false;
            uint8_t second = *in->p++;
            column = (kind << 3 | (second >> 4 & 7)) + 1u;
            end_column = column + (second & 15);
        }
    } else if (kind != 15) {
        if (!read_svarint(in, &delta))
            return false;
        if (kind == 14 && (!read_varint(in, &end_delta) || !read_varint(in, &column) ||
                           !read_varint(in, &end_column)))
            return false;
    }
    if (kind != 15) {
        in->line = (int32_t)((uint32_t)in->line + (uint32_t)delta);
        in->position = (Position){in->line, (int32_t)((uint32_t)in->line + end_delta),
                                  (int32_t)column - 1, (int32_t)end_column - 1};
    }
    in->run = (head & 7u) + 1;
    return true;
}

static PositionReader
reader_of(const Code *c)
{
    return (PositionReader){
        .p = c->position_table,
        .end = c->position_table + c->position_table_size,
        .line = (int32_t)c->first_line,
    };
}

Position
code_position(const Code *c, uint32_t i)
{
    PositionReader in = reader_of(c);
    while (next_run(&in)) {
        if (i < in.word + in.run)
            return in.position;
    }
    return (Position){0, 0, -1, -1};
}

int
code_line(const Code *c, uint32_t i)
{
    return code_position(c, i).line;
}

bool
code_next_run(const Code *c, CodeRun *run)
{
    PositionReader in = reader_of(c);
    if (run->next_byte != 0) {
        in.p += run->next_byte - 1;
        in.line = run->line;
        in.word = run->start;
        in.run = run->words;
    }
    if (!next_run(&in))
        return false;
    run->next_byte = (uint32_t)(in.p - c->position_table) + 1;
    run->line = in.line;
    run->start = in.word;
    run->words = in.run;
    run->position = in.position;
    return true;
}

typedef struct Bytes8 {
    uint8_t *p;
    size_t n, room;
} Bytes8;

#define ENTRY_MAX 32 /* bytes of an entry: a head and four numbers of at most six */

/* Makes room for an entry; false: no memory. */
static bool
put_room(Bytes8 *out)
{
    if (LIKELY(out->room - out->n >= ENTRY_MAX))
        return true;
    size_t room = out->room * 2 + 8 * ENTRY_MAX;
    uint8_t *p = realloc(out->p, room);
    if (p == NULL)
        return false;
    out->p = p;
    out->room = room;
    return true;
}

static inline void
put_byte(Bytes8 *out, unsigned byte)
{
    out->p[out->n++] = (uint8_t)byte;
}

static void
put_varint(Bytes8 *out, uint32_t v)
{
    for (; v > 63; v >>= 6)
        put_byte(out, (v & 63) | 64);
    put_byte(out, v);
}

static void
put_entry(Bytes8 *out, const Position *p, uint32_t words, int32_t *line)
{
    unsigned length = words - 1;
    if (p->line <= 0) {
        put_byte(out, 0x80 | 15 << 3 | length);
        return;
    }
    int32_t delta = p->line - *line, width = p->end_column - p->column;
    bool one_line = p->end_line == p->line || p->end_line <= 0;
    *line = p->line;
    if (one_line && p->column < 0 && p->end_column < 0) {
        put_byte(out, 0x80 | 13 << 3 | length);
        put_varint(out, delta < 0 ? (uint32_t)-delta << 1 | 1 : (uint32_t)delta << 1);
    } else if (one_line && delta == 0 && p->column >= 0 && p->column < 80 && width >= 0 &&
               width < 16) {
        put_byte(out, 0x80 | (unsigned)p->column >> 3 << 3 | length);
        put_byte(out, ((unsigned)p->column & 7) << 4 | (unsigned)width);
    } else if (one_line && delta >= 0 && delta < 3 && p->column >= 0 && p->column < 128 &&
               p->end_column >= 0 && p->end_column < 128) {
        put_byte(out, 0x80 | (10u + (unsigned)delta) << 3 | length);
        put_byte(out, (unsigned)p->column);
        put_byte(out, (unsigned)p->end_column);
    } else {
        put_byte(out, 0x80 | 14 << 3 | length);
        put_varint(out, delta < 0 ? (uint32_t)-delta << 1 | 1 : (uint32_t)delta << 1);
        put_varint(out, one_line || p->end_line < p->line ? 0 : (uint32_t)(p->end_line - p->line));
        put_varint(out, (uint32_t)(p->column + 1));
        put_varint(out, (uint32_t)(p->end_column + 1));
    }
}

static bool
same_position(const Position *a, const Position *b)
{
    return a->line == b->line && a->end_line == b->end_line && a->column == b->column &&
           a->end_column == b->end_column;
}

static Position
encoded_position(const Position *p, bool lines_only)
{
    return lines_only ? (Position){p->line, p->line, -1, -1} : *p;
}

uint8_t *
code_encode_positions(const Position *p, uint32_t count, int32_t first_line, bool lines_only, uint32_t *size)
{
    Bytes8 out = {0};
    int32_t line = first_line;
    for (uint32_t i = 0; i < count;) {
        uint32_t run = 1;
        Position here = encoded_position(&p[i], lines_only);
        while (run < 8 && i + run < count) {
            Position next = encoded_position(&p[i + run], lines_only);
            if (!same_position(&here, &next))
                break;
            run++;
        }
        if (!put_room(&out)) {
            free(out.p);
            return NULL;
        }
        put_entry(&out, &here, run, &line);
        i += run;
    }
    *size = (uint32_t)out.n;
    return out.p ? out.p : malloc(1);
}

/* -- making -- */

static size_t
padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static void
count_parameters(Code *c)
{
    c->param_count = c->arg_count + c->kwonly_count + ((c->flags & CODE_VARARGS) != 0) +
                     ((c->flags & CODE_VARKEYWORDS) != 0);
    c->simple_args = c->param_count == c->arg_count && (c->flags & CODE_OPTIMIZED) ? c->arg_count : UINT32_MAX;
    c->start = c->instrs;
    if (c->instr_count > 1 && c->instrs[0].op == OP_RESUME)
        c->start++;
}

/* Types of constants whose reading may be without counts (rules A5).  Constants from outside may be
 * nested without end, so tuples wait in a list; without memory, deep ones are read with counts. */
static void
mark_constants(Value tuple)
{
    VEC(Value) todo = VEC_INIT;
    object_share(value_object(tuple)); /* one of a subclass has attributes, and may be another thread's */
    for (;;) {
        for (int64_t i = 0; i < tuple_length(tuple); i++) {
            Value v = tuple_item(tuple, i);
            if (v != NULL && value_is_object(v) &&
                (is_exact(v, SHAPE_TUPLE) || is_exact(v, SHAPE_FROZENSET)) &&
                (object_bits(value_object(v)) & BIT_SHARED) == 0) {
                object_set_bits(value_object(v), BIT_SHARED);
                if (is_exact(v, SHAPE_TUPLE))
                    (void)vec_push(&todo, v);
            }
        }
        if (todo.count == 0)
            break;
        tuple = todo.items[--todo.count];
    }
    vec_free(&todo);
}

Value
code_new(Thread *th, const CodeInit *in)
{
    uint32_t live_total = in->live_sets ? in->live_start[in->live_sets] : 0;
    size_t instr_bytes = (size_t)in->instr_count * sizeof(Instr);
    size_t index_bytes = padded((size_t)in->instr_count * sizeof(uint16_t));
    size_t start_bytes = padded(((size_t)in->live_sets + 1) * sizeof(uint32_t));
    size_t regs_bytes = padded((size_t)live_total * sizeof(uint16_t));
    size_t except_bytes = padded((size_t)in->exception_count * sizeof(ExceptionEntry));
    size_t kinds_bytes = padded(in->temp_base);

    uint8_t *table = NULL;
    uint32_t table_size = 0;
    if (in->positions != NULL) {
        table = code_encode_positions(in->positions, in->instr_count, (int32_t)in->first_line,
                                      th->interp->lines_only, &table_size);
        if (table == NULL)
            return raise_memory(th);
    } else {
        table_size = in->position_table_size;
    }
    char *block = malloc(instr_bytes + index_bytes + start_bytes + regs_bytes + except_bytes +
                         kinds_bytes + table_size + 8);
    if (block == NULL) {
        free(table);
        return raise_memory(th);
    }
    Code *c = (Code *)(void *)object_new_kind(th, SHAPE_CODE, sizeof *c, false);
    if (c == NULL) {
        free(table);
        free(block);
        return NULL;
    }
    char *p = block;
    c->instrs = (Instr *)(void *)p;
    memcpy(p, in->instrs, instr_bytes);
    p += instr_bytes;
    c->live_start = (uint32_t *)(void *)p;
    if (in->live_sets)
        memcpy(p, in->live_start, ((size_t)in->live_sets + 1) * sizeof(uint32_t));
    else
        c->live_start[0] = 0;
    p += start_bytes;
    c->exceptions = (ExceptionEntry *)(void *)p;
    if (in->exception_count)
        memcpy(p, in->exceptions, (size_t)in->exception_count * sizeof(ExceptionEntry));
    p += except_bytes;
    c->live_index = (uint16_t *)(void *)p;
    memcpy(p, in->live_index, (size_t)in->instr_count * sizeof(uint16_t));
    p += index_bytes;
    c->live_registers = (uint16_t *)(void *)p;
    if (live_total)
        memcpy(p, in->live_registers, (size_t)live_total * sizeof(uint16_t));
    p += regs_bytes;
    c->var_kinds = (uint8_t *)p;
    if (in->temp_base)
        memcpy(p, in->var_kinds, in->temp_base);
    p += kinds_bytes;
    c->position_table = (uint8_t *)p;
    if (table_size)
        memcpy(p, table ? table : in->position_table, table_size);
    free(table);
    c->position_table_size = table_size;

    c->instr_count = in->instr_count;
    c->register_count = in->register_count;
    c->temp_base = in->temp_base;
    c->flags = in->flags;
    c->arg_count = in->arg_count;
    c->posonly_count = in->posonly_count;
    c->kwonly_count = in->kwonly_count;
    c->local_count = in->local_count;
    c->cell_count = in->cell_count;
    c->free_count = in->free_count;
    c->first_line = in->first_line;
    c->self_attr_count = in->self_attr_count;
    c->live_sets = in->live_sets;
    c->exception_count = in->exception_count;
    c->const_tuple = retain(th, in->const_tuple);
    c->name_tuple = retain(th, in->name_tuple);
    c->var_names = retain(th, in->var_names);
    c->name = retain(th, in->name);
    c->qualname = retain(th, in->qualname);
    c->filename = retain(th, in->filename);
    c->consts = as_tuple(c->const_tuple)->items;
    c->names_ = as_tuple(c->name_tuple)->items;
    mark_constants(c->const_tuple);
    object_share(value_object(c->name_tuple));
    object_share(value_object(c->var_names));
    object_set_bits(&c->head, BIT_SHARED);
    count_parameters(c);
    return value_of(c);
}

void
code_visit(Object *o, VisitFn visit, void *arg)
{
    Code *c = (Code *)(void *)o;
    value_visit(c->const_tuple, visit, arg);
    value_visit(c->name_tuple, visit, arg);
    value_visit(c->var_names, visit, arg);
    value_visit(c->name, visit, arg);
    value_visit(c->qualname, visit, arg);
    value_visit(c->filename, visit, arg);
    field_visit(&c->weak_bytes, visit, arg);
    field_visit(&c->plain_bytes, visit, arg);
}

void
code_dealloc(Thread *th, Object *o)
{
    Code *c = (Code *)(void *)o;
    free(c->instrs); /* the whole block */
    free(plain_load(&c->poly));
    drop_null(th, c->const_tuple);
    drop_null(th, c->name_tuple);
    drop_null(th, c->var_names);
    drop_null(th, c->name);
    drop_null(th, c->qualname);
    drop_null(th, c->filename);
    field_drop(th, &c->weak_bytes);
    field_drop(th, &c->plain_bytes);
}
