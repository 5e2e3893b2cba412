/* slow.c -- instructions as functions, first part: names, numbers, attributes, items. */
#include "core/vm/slow.h"

#include "objects/container/container.h"
#include "objects/container/dict_priv.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/type_priv.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"
#include "threads/interp.h"

#define NAME_C(f, pc) ((f)->code->names_[(pc)->c])
#define NAME_BC(f, pc) ((f)->code->names_[(uint32_t)instr_bc(pc)])

static inline void
drop_a(Thread *th, Frame *f, const Instr *pc)
{
    if (pc->flags & A_DEAD)
        reg_drop(th, f->r[pc->a]);
}

static inline void
drop_b(Thread *th, Frame *f, const Instr *pc)
{
    if (pc->flags & B_DEAD)
        reg_drop(th, f->r[pc->b]);
}

static inline void
drop_c(Thread *th, Frame *f, const Instr *pc)
{
    if (pc->flags & C_DEAD)
        reg_drop(th, f->r[pc->c]);
}

/* -- names -- */

bool
slow_load_global(Thread *th, Frame *f, Instr *pc)
{
    if (instr_op(pc) == OP_LOAD_GLOBAL_POLY) {
        CacheWord *way = poly_victim(th, f->code, pc, FAMILY_LOAD_GLOBAL_POLY);
        if (way != NULL)
            specialize_load_global(th, pc, f, NAME_BC(f, pc), way);
    } else if (cache_warm(th, pc)) {
        specialize_load_global(th, pc, f, NAME_BC(f, pc), NULL);
    }
    Value v = name_load_global(th, f, NAME_BC(f, pc));
    if (v == NULL)
        return false;
    put_plain(th, f, pc, v);
    return true;
}

bool
slow_load_name(Thread *th, Frame *f, Instr *pc)
{
    if (cache_warm(th, pc))
        specialize_load_name(th, pc, f, NAME_BC(f, pc));
    Value v = name_load(th, f, NAME_BC(f, pc));
    if (v == NULL)
        return false;
    put_plain(th, f, pc, v);
    return true;
}

bool
slow_store_global(Thread *th, Frame *f, Instr *pc)
{
    if (cache_warm(th, pc))
        specialize_store_global(th, pc, f, NAME_BC(f, pc));
    Value globals = function_globals(frame_function(f));
    if (!dict_set(th, globals, NAME_BC(f, pc), reg(f, pc->a)))
        return false;
    drop_a(th, f, pc);
    return true;
}

bool
slow_DELETE_GLOBAL(Thread *th, Frame *f, const Instr *pc)
{
    return name_delete_global(th, f, NAME_BC(f, pc));
}

bool
slow_store_name(Thread *th, Frame *f, Instr *pc)
{
    if (cache_warm(th, pc))
        specialize_store_name(th, pc, f, NAME_BC(f, pc));
    if (!name_store(th, f, NAME_BC(f, pc), reg(f, pc->a)))
        return false;
    drop_a(th, f, pc);
    return true;
}

bool
slow_DELETE_NAME(Thread *th, Frame *f, const Instr *pc)
{
    return name_delete(th, f, NAME_BC(f, pc));
}

bool
slow_LOAD_LOCALS(Thread *th, Frame *f, const Instr *pc)
{
    if (f->locals == NULL) {
        raise_system_error(th, "no locals");
        return false;
    }
    put_plain(th, f, pc, retain(th, f->locals));
    return true;
}

bool
slow_LOAD_CLASSDEREF(Thread *th, Frame *f, const Instr *pc)
{
    Value name = tuple_item(f->code->var_names, pc->b), v = NULL;
    if (f->locals != NULL) {
        if (is_exact(f->locals, SHAPE_DICT)) {
            if (dict_get(th, f->locals, name, &v) == FAILED)
                return false;
        } else {
            v = get_item(th, f->locals, name);
            if (v == NULL) {
                if (!error_matches(th, &exc_KeyError))
                    return false;
                error_clear(th);
            }
        }
    }
    if (v == NULL) {
        Cell *cell = (Cell *)(void *)reg_object(f->r[pc->b]);
        v = field_read(th, &cell->head, &cell->content);
        if (v == NULL)
            return raise_unbound_deref(th, f->code, pc->b);
    }
    put_plain(th, f, pc, v);
    return true;
}

bool
slow_LOAD_BUILD_CLASS(Thread *th, Frame *f, const Instr *pc)
{
    Value builtins = function_builtins(frame_function(f)), v;
    if (is_exact(builtins, SHAPE_DICT)) {
        v = dict_get_str(th, builtins, NAME(__build_class__));
    } else {
        v = get_item(th, builtins, NAME(__build_class__));
        if (v == NULL && error_matches(th, &exc_KeyError))
            error_clear(th);
    }
    if (v == NULL) {
        if (!error_set(th))
            raise_error(th, &exc_NameError, "__build_class__ not found");
        return false;
    }
    put_plain(th, f, pc, v);
    return true;
}

bool
slow_LOAD_ASSERTION_ERROR(Thread *th, Frame *f, const Instr *pc)
{
    put_plain(th, f, pc, REG_STATIC(value_of_type(&exc_AssertionError)));
    return true;
}

bool
slow_SETUP_ANNOTATIONS(Thread *th, Frame *f, const Instr *pc)
{
    (void)pc;
    return setup_annotations(th, f);
}

/* -- numbers -- */

/* s += t where s is a str that only its register holds: in place. */
static bool
append_in_place(Thread *th, Frame *f, const Instr *pc, bool *done)
{
    *done = false;
    Value x = f->r[pc->b];
    bool ends = (pc->flags & B_DEAD) || ((pc->flags & A_LIVE) && pc->a == pc->b);
    if (!ends || !reg_is_counted(x) || !object_unique(th, value_object(x)))
        return true;
    Value y = reg(f, pc->c);
    f->r[pc->b] = NULL;
    Value v = str_append(th, x, y);
    if (v == NULL) {
        f->r[pc->b] = x;
        return false;
    }
    *done = true;
    Value c = f->r[pc->c];
    if ((pc->flags & A_LIVE) && pc->a != pc->b)
        reg_drop(th, f->r[pc->a]);
    f->r[pc->a] = v;
    if (pc->flags & C_DEAD)
        reg_drop(th, c);
    return true;
}

bool
slow_binary(Thread *th, Frame *f, const Instr *pc)
{
    int op = (int)pc->op - OP_ADD;
    Value x = reg(f, pc->b), y = reg(f, pc->c), v = NULL;
    if (op == BIN_ADD && is_exact(x, SHAPE_STR) && is_exact(y, SHAPE_STR)) {
        bool done;
        if (!append_in_place(th, f, pc, &done))
            return false;
        if (done)
            return true;
        v = str_concat(th, x, y);
    } else {
        double m, n;
        bool numbers = false;
        if (value_is_fixnum(x) && value_is_flonum(y)) {
            m = (double)value_fixnum(x);
            n = float_decode(y);
            numbers = true;
        } else if (value_is_flonum(x) && value_is_fixnum(y)) {
            m = float_decode(x);
            n = (double)value_fixnum(y);
            numbers = true;
        }
        if (numbers) {
            switch (op) {
            case BIN_ADD: v = float_from(th, m + n); break;
            case BIN_SUBTRACT: v = float_from(th, m - n); break;
            case BIN_MULTIPLY: v = float_from(th, m * n); break;
            case BIN_TRUE_DIVIDE:
                numbers = n != 0;
                if (numbers)
                    v = float_from(th, m / n);
                break;
            default: numbers = false; break;
            }
        }
        if (!numbers)
            v = pc->flags & FLAG_X ? number_inplace(th, x, y, op) : number_binary(th, x, y, op);
    }
    if (v == NULL)
        return false;
    put_result(th, f, pc, v);
    return true;
}

bool
slow_binary_imm(Thread *th, Frame *f, const Instr *pc)
{
    static const uint8_t binary[] = {
        [OP_ADD_IMM] = BIN_ADD, [OP_SUBTRACT_IMM] = BIN_SUBTRACT, [OP_MULTIPLY_IMM] = BIN_MULTIPLY,
        [OP_FLOOR_DIVIDE_IMM] = BIN_FLOOR_DIVIDE, [OP_REMAINDER_IMM] = BIN_REMAINDER,
        [OP_LSHIFT_IMM] = BIN_LSHIFT, [OP_RSHIFT_IMM] = BIN_RSHIFT, [OP_AND_IMM] = BIN_AND,
    };
    int op = binary[pc->op];
    Value x = reg(f, pc->b), y = value_from_fixnum((int16_t)pc->c), v;
    if (value_is_flonum(x) && (op == BIN_ADD || op == BIN_SUBTRACT)) {
        double n = (double)(int16_t)pc->c;
        v = float_from(th, op == BIN_ADD ? float_decode(x) + n : float_decode(x) - n);
    } else {
        v = pc->flags & FLAG_X ? number_inplace(th, x, y, op) : number_binary(th, x, y, op);
    }
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

bool
slow_binary_k(Thread *th, Frame *f, const Instr *pc)
{
    static const uint8_t binary[] = {
        [OP_ADD_K] = BIN_ADD, [OP_SUBTRACT_K] = BIN_SUBTRACT, [OP_MULTIPLY_K] = BIN_MULTIPLY,
        [OP_TRUE_DIVIDE_K] = BIN_TRUE_DIVIDE, [OP_SUBTRACT_FROM_K] = BIN_SUBTRACT,
        [OP_DIVIDE_K] = BIN_TRUE_DIVIDE,
    };
    int op = binary[pc->op];
    Value x = reg(f, pc->b), k = f->code->consts[pc->c], v;
    if (pc->op == OP_SUBTRACT_FROM_K || pc->op == OP_DIVIDE_K)
        v = number_binary(th, k, x, op);
    else
        v = pc->flags & FLAG_X ? number_inplace(th, x, k, op) : number_binary(th, x, k, op);
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

bool
slow_unary(Thread *th, Frame *f, const Instr *pc)
{
    Value x = reg(f, pc->b), v;
    switch (pc->op) {
    case OP_NEGATIVE: v = number_negative(th, x); break;
    case OP_POSITIVE: v = number_positive(th, x); break;
    default: v = number_invert(th, x); break;
    }
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

/* x <op> y as an Answer if it needs no general comparison: both exact strs (== and !=). */
static inline bool
compare_strs(Value x, Value y, int op, bool *yes)
{
    if ((op != OP_EQ && op != OP_NE) || !is_exact(x, SHAPE_STR) || !is_exact(y, SHAPE_STR))
        return false;
    *yes = (x == y || str_equal(x, y)) == (op == OP_EQ);
    return true;
}

bool
slow_compare(Thread *th, Frame *f, const Instr *pc)
{
    Value x = reg(f, pc->b), y = reg(f, pc->c), v;
    bool yes;
    if (compare_strs(x, y, SUB(pc->flags), &yes))
        v = yes ? REG_STATIC(TRUE) : REG_STATIC(FALSE);
    else
        v = compare(th, x, y, SUB(pc->flags));
    if (v == NULL)
        return false;
    put_result(th, f, pc, v);
    return true;
}

Answer
slow_compare_jump(Thread *th, Frame *f, const Instr *pc, bool imm)
{
    Value x = reg(f, pc->b);
    Value y = imm ? value_from_fixnum((int16_t)pc->c) : reg(f, pc->c);
    bool yes;
    Answer a;
    if (compare_strs(x, y, SUB(pc->flags), &yes)) {
        a = yes ? YES : NO;
    } else {
        Value v = compare(th, x, y, SUB(pc->flags));
        if (v == NULL)
            return FAILED;
        a = v == TRUE ? YES : v == FALSE ? NO : is_true(th, v);
        drop(th, v);
        if (a == FAILED)
            return FAILED;
    }
    drop_b(th, f, pc);
    if (!imm)
        drop_c(th, f, pc);
    return a;
}

Answer
slow_truth(Thread *th, Frame *f, unsigned at)
{
    Value v = reg(f, at);
    switch (shape_of(v)) {
    case SHAPE_STR:
        return str_length(v) != 0 ? YES : NO;
    case SHAPE_LIST:
        return load_relaxed(&as_list(v)->length) != 0 ? YES : NO;
    case SHAPE_TUPLE:
        return tuple_length(v) != 0 ? YES : NO;
    default:
        return is_true(th, v);
    }
}

bool
slow_CONTAINS(Thread *th, Frame *f, const Instr *pc)
{
    Value x = reg(f, pc->b), y = reg(f, pc->c);
    Answer a = is_exact(y, SHAPE_DICT) ? dict_contains(th, y, x) : contains(th, y, x);
    if (a == FAILED)
        return false;
    bool yes = (a == YES) != ((pc->flags & FLAG_X) != 0);
    put_result(th, f, pc, yes ? REG_STATIC(TRUE) : REG_STATIC(FALSE));
    return true;
}

/* -- attributes -- */

bool
slow_load_attr(Thread *th, Frame *f, Instr *pc)
{
    Value o = reg(f, pc->b), name = NAME_C(f, pc);
    if (instr_op(pc) == OP_LOAD_ATTR_POLY) {
        CacheWord *way = poly_victim(th, f->code, pc, FAMILY_LOAD_ATTR_POLY);
        if (way != NULL)
            specialize_load_attr(th, pc, o, name, way);
    } else if (cache_warm(th, pc)) {
        specialize_load_attr(th, pc, o, name, NULL);
    }
    Value v = get_attr(th, o, name);
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

bool
slow_store_attr(Thread *th, Frame *f, Instr *pc)
{
    Value o = reg(f, pc->a), name = NAME_C(f, pc);
    if (instr_op(pc) == OP_STORE_ATTR_POLY) {
        CacheWord *way = poly_victim(th, f->code, pc, FAMILY_STORE_ATTR_POLY);
        if (way != NULL)
            specialize_store_attr(th, pc, o, name, way);
    } else if (cache_warm(th, pc)) {
        specialize_store_attr(th, pc, o, name, NULL);
    }
    if (!set_attr(th, o, name, reg(f, pc->b)))
        return false;
    drop_a(th, f, pc);
    drop_b(th, f, pc);
    return true;
}

bool
slow_DELETE_ATTR(Thread *th, Frame *f, const Instr *pc)
{
    if (!set_attr(th, reg(f, pc->a), NAME_C(f, pc), NULL))
        return false;
    drop_a(th, f, pc);
    return true;
}

bool
slow_load_method(Thread *th, Frame *f, Instr *pc)
{
    Value o = reg(f, pc->b), name = NAME_C(f, pc);
    if (instr_op(pc) == OP_LOAD_METHOD_POLY) {
        CacheWord *way = poly_victim(th, f->code, pc, FAMILY_LOAD_METHOD_POLY);
        if (way != NULL)
            specialize_load_method(th, pc, o, name, way);
    } else if (cache_warm(th, pc)) {
        specialize_load_method(th, pc, o, name, NULL);
    }
    Type *t = type_of(o);
    Value callee = NULL;
    bool bound = false;
    if (SLOT(t, getattr) == generic_get_attr) {
        callee = type_lookup(th, t, name);
        if (callee != NULL && value_has_flag(callee, TYPE_METHOD_DESCR)) {
            Value own = t->attrs_offset != 0 ? instance_get(th, o, name) : NULL;
            bound = own == NULL;
            if (own != NULL || UNLIKELY(error_set(th))) { /* an odd key's __eq__ */
                drop(th, callee);
                callee = own;
            }
        } else {
            callee = generic_get_attr_found(th, o, name, callee);
        }
    } else {
        callee = get_attr(th, o, name);
    }
    if (callee == NULL)
        return false;
    Value word = f->r[pc->b];
    Value self = NULL;
    if (bound)
        self = pc->flags & B_DEAD ? word : reg_copy(th, word);
    else if (pc->flags & B_DEAD)
        reg_drop(th, word);
    f->r[pc->a + FRAME_WORDS] = self;
    f->r[pc->a] = callee;
    return true;
}

bool
slow_LOAD_SUPER(Thread *th, Frame *f, const Instr *pc)
{
    Value callee = reg(f, pc->b), name = NAME_C(f, pc), self = NULL, v;
    if (LIKELY(callee == value_of_type(&super_type))) {
        Type *type;
        Value object;
        bool unbound;
        if (!upcalls.super_arguments(th, &type, &object))
            return false;
        v = super_get_method(th, type, object, name, &unbound);
        drop(th, value_of_type(type));
        if (v != NULL && unbound)
            self = object;
        else
            drop(th, object);
    } else {
        Value s = call_0(th, callee);
        if (s == NULL)
            return false;
        v = get_attr(th, s, name);
        drop(th, s);
    }
    if (v == NULL)
        return false;
    reg_drop(th, f->r[pc->b]);
    f->r[pc->a + FRAME_WORDS] = self;
    f->r[pc->a] = v;
    return true;
}

/* -- items -- */

bool
slow_get_item(Thread *th, Frame *f, const Instr *pc)
{
    Value v = get_item(th, reg(f, pc->b), reg(f, pc->c));
    if (v == NULL)
        return false;
    put_result(th, f, pc, v);
    return true;
}

bool
slow_set_item(Thread *th, Frame *f, const Instr *pc)
{
    Value o = reg(f, pc->a);
    bool ok = is_exact(o, SHAPE_DICT) ? dict_set(th, o, reg(f, pc->b), reg(f, pc->c))
                                      : set_item(th, o, reg(f, pc->b), reg(f, pc->c));
    if (!ok)
        return false;
    drop_a(th, f, pc);
    drop_b(th, f, pc);
    drop_c(th, f, pc);
    return true;
}

bool
slow_get_item_imm(Thread *th, Frame *f, const Instr *pc)
{
    Value v = get_item(th, reg(f, pc->b), value_from_fixnum((int16_t)pc->c));
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

bool
slow_set_item_imm(Thread *th, Frame *f, const Instr *pc)
{
    if (!set_item(th, reg(f, pc->a), value_from_fixnum((int16_t)pc->b), reg(f, pc->c)))
        return false;
    drop_a(th, f, pc);
    drop_c(th, f, pc);
    return true;
}

bool
slow_DELETE_ITEM(Thread *th, Frame *f, const Instr *pc)
{
    if (!set_item(th, reg(f, pc->a), reg(f, pc->b), NULL))
        return false;
    drop_a(th, f, pc);
    drop_b(th, f, pc);
    return true;
}

bool
slow_BUILD_SLICE(Thread *th, Frame *f, const Instr *pc)
{
    Value *w = f->r + pc->b;
    Value v = slice_new(th, value_strip(w[0]), value_strip(w[1]),
                        pc->c == 3 ? value_strip(w[2]) : NULL);
    if (v == NULL)
        return false;
    for (unsigned i = 0; i < pc->c; i++)
        reg_drop(th, w[i]);
    put_plain(th, f, pc, v);
    return true;
}

/* -- iteration -- */

bool
slow_GET_ITER(Thread *th, Frame *f, const Instr *pc)
{
    Value v = get_iter(th, reg(f, pc->b));
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

Answer
slow_for_iter_end(Thread *th, Frame *f, const Instr *pc)
{
    if (!error_set(th)) { /* its class changed meanwhile, or it is none */
        raise_type_error(th, "'%T' object is not an iterator", reg(f, pc->a));
        return FAILED;
    }
    if (!error_matches(th, &exc_StopIteration))
        return FAILED;
    error_clear(th);
    Value w = f->r[pc->a];
    f->r[pc->a] = NULL;
    reg_drop(th, w);
    return NO;
}

/* Moves n counted items into the registers from r[a] on; then b ends. */
static void
put_items(Thread *th, Frame *f, const Instr *pc, const Value *items, size_t n)
{
    Value b = pc->flags & B_DEAD ? f->r[pc->b] : NULL;
    for (size_t i = 0; i < n; i++) {
        Value old = pc->flags & A_LIVE ? f->r[pc->a + i] : NULL;
        f->r[pc->a + i] = items[i];
        reg_drop(th, old);
    }
    reg_drop(th, b);
}

bool
slow_unpack(Thread *th, Frame *f, const Instr *pc)
{
    enum { INLINE = 16 };
    Value small[INLINE];
    Value *items = small;
    size_t n = pc->c;
    Value v = reg(f, pc->b);
    if (n > INLINE) {
        items = buffer_new(th, n * sizeof(Value));
        if (items == NULL)
            return false;
    }
    bool ok = unpack_sequence(th, v, items, n);
    if (ok)
        put_items(th, f, pc, items, n);
    if (items != small)
        buffer_free(items);
    return ok;
}

bool
slow_UNPACK_EX(Thread *th, Frame *f, const Instr *pc)
{
    uint32_t counts[2];
    memcpy(counts, pc + 1, sizeof counts);
    size_t n = (size_t)counts[0] + 1 + counts[1];
    Value *items = buffer_new(th, n * sizeof(Value));
    if (items == NULL)
        return false;
    bool ok = unpack_extended(th, reg(f, pc->b), items, counts[0], counts[1]);
    if (ok)
        put_items(th, f, pc, items, n);
    buffer_free(items);
    return ok;
}

bool
slow_GET_LEN(Thread *th, Frame *f, const Instr *pc)
{
    int64_t n = length_of(th, reg(f, pc->b));
    if (n < 0)
        return false;
    put_plain(th, f, pc, value_from_fixnum(n));
    return true;
}
