/* gen.c -- the code generator's hands: emitting, registers, live sets, labels, constants.
 *
 * Invariant: the list `live` is ascending; every register in it was written by an instruction
 * emitted before.  live_id caches the number of the present set in the code's table of sets.
 */
#include "core/compile/gen.h"

#include <stdarg.h>
#include <string.h>

bool
gen_failed(Unit *u)
{
    return u->c->failed;
}

static void
fail_memory(Unit *u)
{
    if (!u->c->failed) {
        u->c->failed = true;
        raise_memory(u->th);
    }
}

static void
fail_raised(Unit *u)
{
    u->c->failed = true;
}

void
gen_error(Unit *u, const void *node, const char *format, ...)
{
    if (u->c->failed)
        return;
    u->c->failed = true;
    const AstNode *n = node;
    va_list ap;
    va_start(ap, format);
    Value message = str_format_c_va(u->th, format, ap);
    va_end(ap);
    if (message == NULL)
        return;
    compile_error(u->th, u->c->options->filename, n->lineno, n->col_offset, n->end_lineno,
                  n->end_col_offset, "%V", message);
    drop(u->th, message);
}

void
gen_at(Unit *u, const void *node)
{
    const AstNode *n = node;
    u->pos = (Position){n->lineno, n->end_lineno, n->col_offset, n->end_col_offset};
}

void
gen_at_attr(Unit *u, const void *node, const AstExpr *attr)
{
    gen_at(u, node);
    if (u->pos.line == attr->end_lineno)
        return;
    int length = (int)str_length(attr->Attribute.attr);
    u->pos.line = attr->end_lineno;
    u->pos.column = length <= attr->end_col_offset ? attr->end_col_offset - length : -1;
    if (u->pos.column < 0) /* a tree from Python code with odd places */
        u->pos.end_column = -1;
}

Value
keep_value(Compiler *c, Value STEALS v)
{
    if (v == NULL || !vec_push(&c->keep, v)) {
        if (v) {
            drop(c->th, v);
            raise_memory(c->th);
        }
        c->failed = true;
        return NULL;
    }
    return v;
}

/* -- live sets ---------------------------------------------------------------------------------- */

static uint32_t
live_hash_now(const Unit *u)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < u->live.count; i++)
        h = (h ^ u->live.items[i]) * 16777619u;
    return h;
}

static bool
live_same(const Unit *u, uint32_t id)
{
    uint32_t start = u->live_start.items[id], n = u->live_start.items[id + 1] - start;
    return n == u->live.count &&
           (n == 0 || memcmp(u->live_registers.items + start, u->live.items, n * sizeof(uint16_t)) == 0);
}

static bool
live_rehash(Unit *u, uint32_t size)
{
    uint32_t *table = arena_calloc(&u->c->arena, size * sizeof *table);
    if (table == NULL)
        return false;
    uint32_t sets = (uint32_t)u->live_start.count - 1;
    for (uint32_t id = 0; id < sets; id++) {
        uint32_t h = 2166136261u;
        for (uint32_t k = u->live_start.items[id]; k < u->live_start.items[id + 1]; k++)
            h = (h ^ u->live_registers.items[k]) * 16777619u;
        uint32_t i = h & (size - 1);
        while (table[i])
            i = (i + 1) & (size - 1);
        table[i] = id + 1;
    }
    u->live_hash = table;
    u->live_hash_size = size;
    return true;
}

static int
live_set_id(Unit *u)
{
    if (u->live_id >= 0)
        return u->live_id;
    if (u->live_start.count == 0 && !vec_push(&u->live_start, 0u)) {
        fail_memory(u);
        return 0;
    }
    uint32_t sets = (uint32_t)u->live_start.count - 1;
    if (sets * 2 >= u->live_hash_size && !live_rehash(u, u->live_hash_size ? u->live_hash_size * 2 : 16)) {
        fail_memory(u);
        return 0;
    }
    uint32_t mask = u->live_hash_size - 1, i = live_hash_now(u) & mask;
    for (; u->live_hash[i]; i = (i + 1) & mask)
        if (live_same(u, u->live_hash[i] - 1))
            return u->live_id = (int)u->live_hash[i] - 1;
    if (sets >= 65535) {
        if (!u->c->failed) {
            fail_raised(u);
            raise_memory(u->th);
        }
        return 0;
    }
    for (size_t k = 0; k < u->live.count; k++)
        if (!vec_push(&u->live_registers, u->live.items[k]))
            fail_memory(u);
    if (!vec_push(&u->live_start, (uint32_t)u->live_registers.count))
        fail_memory(u);
    u->live_hash[i] = sets + 1;
    return u->live_id = (int)sets;
}

void
live_add(Unit *u, unsigned reg)
{
    size_t i = u->live.count;
    if (reg >= u->top)
        u->top = reg + 1;
    if (i && u->live.items[i - 1] >= reg) {
        while (i && u->live.items[i - 1] > reg)
            i--;
        if (i && u->live.items[i - 1] == reg)
            return;
    }
    if (!vec_push(&u->live, (uint16_t)reg)) {
        fail_memory(u);
        return;
    }
    memmove(u->live.items + i + 1, u->live.items + i, (u->live.count - 1 - i) * sizeof(uint16_t));
    u->live.items[i] = (uint16_t)reg;
    u->live_id = -1;
}

void
live_del(Unit *u, unsigned reg)
{
    for (size_t i = u->live.count; i-- > 0;)
        if (u->live.items[i] == reg) {
            memmove(u->live.items + i, u->live.items + i + 1,
                    (u->live.count - 1 - i) * sizeof(uint16_t));
            u->live.count--;
            u->live_id = -1;
            return;
        }
}

bool
live_has(Unit *u, unsigned reg)
{
    for (size_t i = u->live.count; i-- > 0;)
        if (u->live.items[i] == reg)
            return true;
    return false;
}

/* -- temporaries ----------------------------------------------------------------------------------- */

unsigned
temps_new(Unit *u, unsigned n)
{
    unsigned reg = u->top;
    if (n > 60000 || reg + n > 65000) {
        if (!u->c->failed) {
            fail_raised(u);
            raise_recursion(u->th, " during compilation"); /* too many temporaries at once */
        }
        return u->temp_base;
    }
    u->top += n;
    if (u->top > u->max)
        u->max = u->top;
    return reg;
}

unsigned
temp_new(Unit *u)
{
    return temps_new(u, 1);
}

void
temp_end(Unit *u, unsigned reg)
{
    live_del(u, reg);
    if (reg < u->top)
        u->top = reg;
    /* The top never sinks below a register that is live. */
    if (u->live.count && u->live.items[u->live.count - 1] >= u->top)
        u->top = u->live.items[u->live.count - 1] + 1u;
}

void
opnd_end(Unit *u, Opnd o)
{
    if (o.temp)
        temp_end(u, o.reg);
}

void
dest_done(Unit *u, Dest d)
{
    if (d.flags & A_LIVE)
        bound_set(u, d.reg);
    else
        live_add(u, d.reg);
}

/* -- bound variables -------------------------------------------------------------------------------- */

void
bound_set(Unit *u, unsigned reg)
{
    if (reg / 64 < u->bound_words)
        u->bound[reg / 64] |= (uint64_t)1 << (reg % 64);
}

bool
bound_has(Unit *u, unsigned reg)
{
    return reg / 64 < u->bound_words && (u->bound[reg / 64] >> (reg % 64) & 1) &&
           !(u->deleted[reg / 64] >> (reg % 64) & 1);
}

uint64_t *
bound_save(Unit *u)
{
    uint64_t *copy = arena_alloc(&u->c->arena, (u->bound_words + 1) * sizeof *copy);
    if (copy == NULL) {
        fail_memory(u);
        return NULL;
    }
    if (u->bound_words)
        memcpy(copy, u->bound, u->bound_words * sizeof *copy);
    return copy;
}

void
bound_restore(Unit *u, const uint64_t *saved)
{
    if (saved && u->bound_words)
        memcpy(u->bound, saved, u->bound_words * sizeof *saved);
}

void
bound_meet(Unit *u, const uint64_t *saved)
{
    for (uint32_t i = 0; saved && i < u->bound_words; i++)
        u->bound[i] &= saved[i];
}

void
bound_unreachable(Unit *u)
{
    for (uint32_t i = 0; i < u->bound_words; i++)
        u->bound[i] = ~(uint64_t)0;
}

/* -- emitting ---------------------------------------------------------------------------------------- */

static void
push_word(Unit *u, uint64_t word)
{
    if (!vec_push(&u->words, word) || !vec_push(&u->positions, u->pos) ||
        !vec_push(&u->live_index, (uint16_t)live_set_id(u)))
        fail_memory(u);
}

uint32_t
emit(Unit *u, enum Opcode op, unsigned flags, unsigned a, unsigned b, unsigned c)
{
    Instr i = {(uint8_t)op, (uint8_t)flags, (uint16_t)a, (uint16_t)b, (uint16_t)c};
    uint64_t word;
    memcpy(&word, &i, sizeof word);
    uint32_t at = (uint32_t)u->words.count;
    push_word(u, word);
    return at;
}

uint32_t
emit_wide(Unit *u, enum Opcode op, unsigned flags, unsigned a, int32_t bc)
{
    return emit(u, op, flags, a, (uint32_t)bc & 0xffff, (uint32_t)bc >> 16);
}

void
emit_extra(Unit *u, uint64_t word)
{
    push_word(u, word);
}

Label
label_new(Unit *u)
{
    if (!vec_push(&u->labels, -1)) {
        fail_memory(u);
        return 0;
    }
    return (Label)u->labels.count - 1;
}

void
label_bind(Unit *u, Label l)
{
    if (!u->c->failed)
        u->labels.items[l] = (int32_t)u->words.count;
}

void
emit_jump(Unit *u, enum Opcode op, unsigned flags, unsigned a, Label to)
{
    uint32_t at = emit_wide(u, op, flags, a, 0);
    if (!vec_push(&u->fixups, ((Fixup){at, at + 1, to, false})))
        fail_memory(u);
}

void
emit_jump_extra(Unit *u, enum Opcode op, unsigned flags, unsigned a, unsigned b, unsigned c, Label to)
{
    uint32_t at = emit(u, op, flags, a, b, c);
    emit_extra(u, 0);
    if (!vec_push(&u->fixups, ((Fixup){at + 1, at + 2, to, true})))
        fail_memory(u);
}

/* -- constants and names ------------------------------------------------------------------------------ */

static bool
const_same(Value a, Value b)
{
    if (a == b)
        return true;
    if (!value_is_object(a) || !value_is_object(b) || shape_of(a) != shape_of(b))
        return false;
    switch (shape_of(a)) {
    case SHAPE_STR:
        return str_equal(a, b);
    case SHAPE_BYTES:
        return as_bytes(a)->length == as_bytes(b)->length &&
               memcmp(as_bytes(a)->data, as_bytes(b)->data, (size_t)as_bytes(a)->length) == 0;
    case SHAPE_INT:
        return int_compare(a, b) == 0;
    case SHAPE_FLOAT: {
        double x = float_value(a), y = float_value(b);
        return memcmp(&x, &y, sizeof x) == 0;
    }
    case SHAPE_COMPLEX: {
        Complex *x = (Complex *)(void *)a, *y = (Complex *)(void *)b;
        return memcmp(&x->real, &y->real, sizeof x->real) == 0 &&
               memcmp(&x->imag, &y->imag, sizeof x->imag) == 0;
    }
    case SHAPE_TUPLE:
        if (tuple_length(a) != tuple_length(b))
            return false;
        for (int64_t i = 0; i < tuple_length(a); i++)
            if (!const_same(tuple_item(a, i), tuple_item(b, i)))
                return false;
        return true;
    default:
        return false;
    }
}

static uint32_t
const_hash(Value v)
{
    uint64_t h = (uintptr_t)v >> 3;
    if (value_is_object(v))
        switch (shape_of(v)) {
        case SHAPE_STR:
            h = (uint64_t)str_hash(v);
            break;
        case SHAPE_BYTES:
            h = 5381 + (uint64_t)as_bytes(v)->length;
            for (int64_t i = 0; i < as_bytes(v)->length && i < 64; i++)
                h = h * 33 + as_bytes(v)->data[i];
            break;
        case SHAPE_INT:
            h = (uint64_t)int_hash(v);
            break;
        case SHAPE_FLOAT: {
            double d = float_value(v);
            memcpy(&h, &d, sizeof h);
            break;
        }
        case SHAPE_COMPLEX:
            h = 17;
            break;
        case SHAPE_TUPLE:
            h = 7;
            for (int64_t i = 0; i < tuple_length(v); i++)
                h = h * 1000003 + const_hash(tuple_item(v, i));
            break;
        default:
            break;
        }
    return (uint32_t)(h ^ h >> 32) * 0x9E3779B1u;
}


static unsigned
table_find(Unit *u, ValueVec *items, uint32_t **hash, uint32_t *size, Value v, bool names)
{
    if (items->count * 2 >= *size) {
        uint32_t n = *size ? *size * 2 : 32;
        uint32_t *table = arena_calloc(&u->c->arena, n * sizeof *table);
        if (table == NULL) {
            fail_memory(u);
            return 0;
        }
        for (uint32_t k = 0; k < items->count; k++) {
            uint32_t i = (names ? (uint32_t)((uintptr_t)items->items[k] >> 4) * 0x9E3779B1u
                                : const_hash(items->items[k])) & (n - 1);
            while (table[i])
                i = (i + 1) & (n - 1);
            table[i] = k + 1;
        }
        *hash = table;
        *size = n;
    }
    uint32_t mask = *size - 1;
    uint32_t i = (names ? (uint32_t)((uintptr_t)v >> 4) * 0x9E3779B1u : const_hash(v)) & mask;
    for (; (*hash)[i]; i = (i + 1) & mask) {
        Value have = items->items[(*hash)[i] - 1];
        if (names ? have == v : const_same(have, v))
            return (*hash)[i] - 1;
    }
    if (!vec_push(items, v)) {
        fail_memory(u);
        return 0;
    }
    retain(u->th, v);
    (*hash)[i] = (uint32_t)items->count;
    return (unsigned)items->count - 1;
}

unsigned
gen_const(Unit *u, Value v)
{
    if (v == NULL || u->c->failed)
        return 0;
    return table_find(u, &u->consts, &u->const_hash, &u->const_hash_size, v, false);
}

unsigned
gen_name_wide(Unit *u, Value name)
{
    if (name == NULL || u->c->failed)
        return 0;
    return table_find(u, &u->names, &u->name_hash, &u->name_hash_size, name, true);
}

unsigned
gen_name(Unit *u, Value name)
{
    unsigned i = gen_name_wide(u, name);
    if (i > 65535 && !u->c->failed) {
        fail_raised(u);
        raise_error(u->th, &exc_OverflowError, "too many attribute names in one code block");
    }
    return i & 0xffff;
}

/* PEP: `__name` in class C means `_C__name`; leading underscores of C are dropped. */
Value
mangle_name(void *compiler, Value class_name, Value name)
{
    Compiler *c = compiler;
    if (class_name == NULL || name == NULL)
        return name;
    Str *s = as_str(name);
    size_t n = s->length;
    if (n < 3 || str_char(s, 0) != '_' || str_char(s, 1) != '_' ||
        (str_char(s, n - 1) == '_' && str_char(s, n - 2) == '_'))
        return name;
    for (size_t i = 0; i < n; i++)
        if (str_char(s, i) == '.')
            return name;
    size_t skip = 0, length = str_length(class_name);
    while (skip < length && str_char(as_str(class_name), skip) == '_')
        skip++;
    if (skip == length)
        return name;
    if (c->mangle_dict == NULL && (c->mangle_dict = dict_new(c->th)) == NULL) {
        c->failed = true;
        return name;
    }
    Value tail = str_substring(c->th, class_name, skip, length);
    Value mangled = tail ? str_format_c(c->th, "_%V%V", tail, name) : NULL;
    drop_null(c->th, tail);
    if (mangled)
        mangled = str_intern(c->th, mangled);
    if (mangled == NULL || !dict_set(c->th, c->mangle_dict, mangled, NONE)) {
        drop_null(c->th, mangled);
        c->failed = true;
        return name;
    }
    drop(c->th, mangled); /* the dict keeps it; interned: the same word each time */
    return mangled;
}

Value
gen_mangle(Unit *u, Value name)
{
    return mangle_name(u->c, u->scope->private_class, name);
}

void
load_const(Unit *u, Value v, Dest d)
{
    if (v && value_is_fixnum(v) && value_fixnum(v) >= INT32_MIN && value_fixnum(v) <= INT32_MAX)
        emit_wide(u, OP_LOAD_INT, d.flags, d.reg, (int32_t)value_fixnum(v));
    else
        emit_wide(u, OP_LOAD_CONST, d.flags, d.reg, (int32_t)gen_const(u, v));
    dest_done(u, d);
}

/* -- blocks ----------------------------------------------------------------------------------------------- */

Block *
block_push(Unit *u, Block *b, enum BlockKind kind, Label handler)
{
    *b = (Block){.kind = kind, .handler = handler, .reg = -1, .range_start = -1, .outer = u->block};
    b->depth = u->block ? u->block->depth + 1 : 1;
    b->live_count = (uint32_t)u->live.count;
    if (b->depth > BLOCKS_MAX && !u->c->failed) { /* the language's limit; it also bounds this file's recursion */
        u->c->failed = true;
        compile_error(u->th, u->c->options->filename, u->pos.line, u->pos.column, u->pos.end_line,
                      u->pos.end_column, "too many statically nested blocks");
    }
    if (handler >= 0)
        b->range_start = (int32_t)u->words.count;
    u->block = b;
    return b;
}

void
block_suspend(Unit *u, Block *b)
{
    if (b->handler < 0 || b->range_start < 0)
        return;
    uint32_t start = (uint32_t)b->range_start, end = (uint32_t)u->words.count;
    b->range_start = -1;
    if (start < end &&
        !vec_push(&u->ranges, ((Protected){{start, end, 0, 0}, b->handler, b->depth})))
        fail_memory(u);
}

void
block_resume(Unit *u, Block *b)
{
    if (b->handler >= 0)
        b->range_start = (int32_t)u->words.count;
}

void
block_pop(Unit *u, Block *b)
{
    block_suspend(u, b);
    u->block = b->outer;
}

/* -- units -------------------------------------------------------------------------------------------------- */

static int
compare_symbols(const void *x, const void *y)
{
    Value a = (*(Symbol *const *)x)->name, b = (*(Symbol *const *)y)->name;
    return str_compare(a, b);
}

static int
add_variable(Unit *u, Value name, unsigned kind)
{
    if (!vec_push(&u->var_names, name) || !vec_push(&u->var_kinds, (uint8_t)kind)) {
        fail_memory(u);
        return 0;
    }
    return (int)u->var_names.count - 1;
}

/* Adds the symbols that satisfy `which`, in alphabetical order. */
static void
add_sorted(Unit *u, bool frees)
{
    Scope *scope = u->scope;
    Symbol **list = arena_alloc(&u->c->arena, (scope->count + 1) * sizeof *list);
    uint32_t n = 0;
    if (list == NULL) {
        fail_memory(u);
        return;
    }
    for (uint32_t i = 0; i < scope->count; i++) {
        Symbol *sym = &scope->symbols[i];
        if (frees ? (sym->place == PLACE_FREE || (sym->flags & DEF_FREE_CLASS))
                  : (sym->place == PLACE_CELL && sym->reg < 0))
            list[n++] = sym;
    }
    qsort(list, n, sizeof *list, compare_symbols);
    for (uint32_t i = 0; i < n; i++) {
        list[i]->reg = add_variable(u, list[i]->name, frees ? VAR_FREE : VAR_CELL);
        if (frees)
            u->free_count++;
        else
            u->cell_count++;
    }
}

static void
number_variables(Unit *u)
{
    Scope *scope = u->scope;
    for (uint32_t i = 0; i < scope->count; i++)
        scope->symbols[i].reg = -1; /* a finally part is compiled once for each way into it */
    if (scope->kind == SCOPE_FUNCTION) {
        /* Parameters come first in a scope's symbols only in the order of visit_params(): the same
         * as co_varnames. */
        for (uint32_t i = 0; i < scope->count; i++) {
            Symbol *sym = &scope->symbols[i];
            if (sym->flags & DEF_PARAM) {
                sym->reg = add_variable(u, sym->name,
                                        VAR_LOCAL | (sym->place == PLACE_CELL ? VAR_CELL : 0));
                if (sym->place == PLACE_CELL)
                    u->cell_count++;
            }
        }
        for (uint32_t i = 0; i < scope->count; i++) {
            Symbol *sym = &scope->symbols[i];
            if (sym->place == PLACE_LOCAL && sym->reg < 0)
                sym->reg = add_variable(u, sym->name, VAR_LOCAL);
        }
        u->local_count = (uint32_t)u->var_names.count;
    }
    if (scope->kind != SCOPE_MODULE) {
        add_sorted(u, false);
        if (scope->kind == SCOPE_CLASS && scope->needs_class_cell) {
            u->class_cell_reg = add_variable(u, NAME(__class__), VAR_CELL);
            u->cell_count++;
        }
        add_sorted(u, true);
    }
}

bool
unit_begin(Unit *u, Compiler *c, Unit *outer, Scope *scope, Value name)
{
    memset(u, 0, sizeof *u);
    u->c = c;
    u->th = c->th;
    u->outer = outer;
    u->scope = scope;
    u->name = name;
    u->live_id = -1;
    u->class_cell_reg = -1;
    u->is_function = scope->kind == SCOPE_FUNCTION;
    number_variables(u);
    u->temp_base = u->top = u->max = (uint32_t)u->var_names.count;
    if (u->temp_base > 60000 && !c->failed) {
        fail_raised(u);
        raise_error(u->th, &exc_OverflowError, "too many variables in one code block");
    }
    u->bound_words = (u->temp_base + 63) / 64;
    u->bound = arena_calloc(&c->arena, (u->bound_words + 1) * sizeof(uint64_t));
    u->deleted = arena_calloc(&c->arena, (u->bound_words + 1) * sizeof(uint64_t));
    if (u->bound == NULL || u->deleted == NULL)
        fail_memory(u);
    /* The qualified name. */
    Value prefix = NULL;
    if (outer && outer->outer == NULL && outer->scope->kind == SCOPE_MODULE)
        outer = NULL;
    if (outer) {
        Symbol *sym = scope->kind == SCOPE_MODULE
                          ? NULL
                          : scope_find(outer->scope, mangle_name(c, outer->scope->private_class, name));
        if (!(sym && sym->place == PLACE_GLOBAL_EXPLICIT && scope->comp == COMP_NONE))
            prefix = outer->qualname;
    }
    if (!c->failed) {
        if (prefix == NULL)
            u->qualname = retain(u->th, name);
        else if (u->outer->is_function)
            u->qualname = str_format_c(u->th, "%V.<locals>.%V", prefix, name);
        else
            u->qualname = str_format_c(u->th, "%V.%V", prefix, name);
        u->qualname = keep_value(c, u->qualname);
    }
    u->flags = c->future;
    if (scope->kind == SCOPE_FUNCTION) {
        u->flags |= CODE_NEWLOCALS | CODE_OPTIMIZED;
        if (scope->nested)
            u->flags |= CODE_NESTED;
        if (scope->is_generator && !scope->is_coroutine)
            u->flags |= CODE_GENERATOR;
        if (!scope->is_generator && scope->is_coroutine)
            u->flags |= CODE_COROUTINE;
        if (scope->is_generator && scope->is_coroutine)
            u->flags |= CODE_ASYNC_GENERATOR;
        if (scope->has_varargs)
            u->flags |= CODE_VARARGS;
        if (scope->has_varkeywords)
            u->flags |= CODE_VARKEYWORDS;
    }
    return !c->failed;
}

static bool
patch_jumps(Unit *u)
{
    for (size_t i = 0; i < u->fixups.count; i++) {
        Fixup *f = &u->fixups.items[i];
        int32_t target = u->labels.items[f->label];
        CHECK(target >= 0);
        int32_t offset = target - (int32_t)f->base;
        if (f->extra)
            u->words.items[f->word] = (uint32_t)offset;
        else {
            Instr in;
            memcpy(&in, &u->words.items[f->word], sizeof in);
            in.b = (uint16_t)((uint32_t)offset & 0xffff);
            in.c = (uint16_t)((uint32_t)offset >> 16);
            memcpy(&u->words.items[f->word], &in, sizeof in);
        }
    }
    return true;
}

static int
compare_ranges(const void *x, const void *y)
{
    const Protected *a = x, *b = y;
    if (a->depth != b->depth)
        return b->depth - a->depth; /* innermost first */
    return a->e.start < b->e.start ? -1 : a->e.start > b->e.start;
}

/* Words that only exist between instructions are always reachable by their own jumps; the table
 * of protected ranges is sorted so that the first match is the innermost. */
Value
unit_finish(Unit *u)
{
    if (u->c->failed)
        return NULL;
    patch_jumps(u);
    (void)live_set_id(u); /* at least one set */
    ExceptionEntry *entries = arena_alloc(&u->c->arena, (u->ranges.count + 1) * sizeof *entries);
    if (entries == NULL) {
        fail_memory(u);
        return NULL;
    }
    if (u->ranges.count)
        qsort(u->ranges.items, u->ranges.count, sizeof(Protected), compare_ranges);
    uint32_t n = 0;
    for (size_t i = 0; i < u->ranges.count; i++) {
        Protected *r = &u->ranges.items[i];
        entries[n] = r->e;
        entries[n++].target = (uint32_t)u->labels.items[r->handler];
    }
    Value consts = tuple_of(u->th, u->consts.items, u->consts.count);
    Value names = consts ? tuple_of(u->th, u->names.items, u->names.count) : NULL;
    Value vars = names ? tuple_of(u->th, u->var_names.items, u->var_names.count) : NULL;
    Value code = NULL;
    if (vars) {
        CodeInit init = {
            .instrs = (const Instr *)(const void *)u->words.items,
            .instr_count = (uint32_t)u->words.count,
            .register_count = u->max > u->temp_base ? u->max : u->temp_base + 1u, /* co_stacksize is never 0 */
            .temp_base = u->temp_base,
            .flags = u->flags,
            .arg_count = u->arg_count,
            .posonly_count = u->posonly_count,
            .kwonly_count = u->kwonly_count,
            .local_count = u->local_count,
            .cell_count = u->cell_count,
            .free_count = u->free_count,
            .first_line = (uint32_t)(u->scope->kind == SCOPE_MODULE ? 1 : u->scope->lineno),
            .self_attr_count = u->self_attr_count,
            .const_tuple = consts,
            .name_tuple = names,
            .var_names = vars,
            .var_kinds = u->var_kinds.items,
            .name = u->name,
            .qualname = u->qualname,
            .filename = u->c->options->filename,
            .live_index = u->live_index.items,
            .live_start = u->live_start.items,
            .live_registers = u->live_registers.items,
            .live_sets = (uint32_t)u->live_start.count - 1,
            .exceptions = entries,
            .exception_count = n,
            .positions = u->positions.items,
        };
#ifdef WEFT_DEBUG
        code_assert(&init);
#endif
        code = code_new(u->th, &init);
    }
    drop_null(u->th, consts);
    drop_null(u->th, names);
    drop_null(u->th, vars);
    if (code == NULL)
        fail_raised(u);
    return code;
}

void
unit_free(Unit *u)
{
    for (size_t i = 0; i < u->consts.count; i++)
        drop(u->th, u->consts.items[i]);
    for (size_t i = 0; i < u->names.count; i++)
        drop(u->th, u->names.items[i]);
    vec_free(&u->consts);
    vec_free(&u->names);
    vec_free(&u->words);
    vec_free(&u->positions);
    vec_free(&u->live_index);
    vec_free(&u->var_names);
    vec_free(&u->var_kinds);
    vec_free(&u->live);
    vec_free(&u->live_start);
    vec_free(&u->live_registers);
    vec_free(&u->labels);
    vec_free(&u->fixups);
    vec_free(&u->ranges);
}
