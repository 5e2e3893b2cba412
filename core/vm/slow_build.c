/* slow_build.c -- instructions as functions, second part: building, functions, with, matching. */
#include "core/vm/slow.h"

#include "objects/container/container.h"
#include "objects/container/fast.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

#define NAME_C(f, pc) ((f)->code->names_[(pc)->c])

static inline void
drop_dead(Thread *th, Frame *f, const Instr *pc, unsigned flag, unsigned at)
{
    if (pc->flags & flag)
        reg_drop(th, f->r[at]);
}

/* -- slices -- */

bool
slow_GET_SLICE(Thread *th, Frame *f, const Instr *pc)
{
    Value *w = f->r + pc->c;
    unsigned n = pc->flags & FLAG_X ? 3 : 2;
    Value v = item_get_slice(th, reg(f, pc->b), value_strip(w[0]), value_strip(w[1]),
                        n == 3 ? value_strip(w[2]) : NULL);
    if (v == NULL)
        return false;
    for (unsigned i = 0; i < n; i++)
        reg_drop(th, w[i]);
    put_result_b(th, f, pc, v);
    return true;
}

bool
slow_SET_SLICE(Thread *th, Frame *f, const Instr *pc)
{
    Value *w = f->r + pc->b;
    unsigned n = pc->flags & FLAG_X ? 3 : 2;
    if (!item_set_slice(th, reg(f, pc->a), value_strip(w[0]), value_strip(w[1]),
                   n == 3 ? value_strip(w[2]) : NULL, reg(f, pc->c)))
        return false;
    for (unsigned i = 0; i < n; i++)
        reg_drop(th, w[i]);
    drop_dead(th, f, pc, A_DEAD, pc->a);
    drop_dead(th, f, pc, C_DEAD, pc->c);
    return true;
}

/* -- displays -- */

bool
slow_BUILD_TUPLE(Thread *th, Frame *f, const Instr *pc)
{
    Value *w = f->r + pc->b;
    size_t n = pc->c;
    Value t = n ? tuple_new(th, n) : tuple_empty;
    if (t == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        tuple_init_item(t, (int64_t)i, reg_take(th, w[i]));
    put_plain(th, f, pc, t);
    return true;
}

bool
slow_BUILD_LIST(Thread *th, Frame *f, const Instr *pc)
{
    Value *w = f->r + pc->b;
    size_t n = pc->c;
    for (size_t i = 0; i < n; i++)
        w[i] = reg_take(th, w[i]);
    Value list = list_of_taken(th, w, n);
    if (list == NULL)
        return false;
    put_plain(th, f, pc, list);
    return true;
}

bool
slow_BUILD_SET(Thread *th, Frame *f, const Instr *pc)
{
    size_t n = pc->c;
    Value *w = f->r + pc->b;
    bool simple = true;
    for (size_t i = 0; i < n; i++) {
        w[i] = reg_take(th, w[i]);
        simple = simple && dict_key_is_compact(w[i]);
    }
    Value set = LIKELY(simple) ? set_of_taken(th, w, n) : set_new(th);
    if (set == NULL)
        return false;
    if (LIKELY(simple)) {
        put_plain(th, f, pc, set);
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (!set_add(th, set, reg(f, pc->b + (unsigned)i))) { /* may run Python: read each anew */
            drop(th, set);
            return false;
        }
    }
    for (size_t i = 0; i < n; i++)
        reg_drop(th, f->r[pc->b + i]);
    put_plain(th, f, pc, set);
    return true;
}

Answer
slow_union_display(Thread *th, Frame *f, const Instr *pc)
{
    const Instr *next = pc + 1; /* a = b | c */
    Value *w = f->r + pc->b;
    size_t n = pc->c;
    Value set = reg(f, next->b);
    if (next->c != pc->a || !(next->flags & C_DEAD) || next->b == next->c)
        return NO;
    if (!is_exact(set, SHAPE_FROZENSET) && (!is_exact(set, SHAPE_SET) || (next->flags & FLAG_X)))
        return NO;
    for (size_t i = 0; i < n; i++) {
        if (!dict_key_is_compact(value_strip(w[i])))
            return NO;
    }
    for (size_t i = 0; i < n; i++)
        w[i] = reg_take(th, w[i]);
    Value v = set_with(th, set, w, n);
    if (v == NULL)
        return FAILED;
    for (size_t i = 0; i < n; i++)
        reg_drop(th, w[i]);
    put_result_b(th, f, next, v);
    return YES;
}

bool
slow_BUILD_MAP(Thread *th, Frame *f, const Instr *pc)
{
    size_t n = pc->c;
    Value *w = f->r + pc->b;
    bool simple = true;
    for (size_t i = 0; i < n; i++) {
        w[2 * i] = reg_take(th, w[2 * i]);
        w[2 * i + 1] = reg_take(th, w[2 * i + 1]);
        simple = simple && dict_key_is_compact(w[2 * i]);
    }
    Value d = dict_new_sized(th, n);
    if (d == NULL)
        return false;
    if (LIKELY(simple)) {
        dict_put_taken(th, d, w, n);
        put_plain(th, f, pc, d);
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned at = pc->b + 2 * (unsigned)i;
        if (!dict_set(th, d, reg(f, at), reg(f, at + 1))) {
            drop(th, d);
            return false;
        }
    }
    for (size_t i = 0; i < 2 * n; i++)
        reg_drop(th, f->r[pc->b + i]);
    put_plain(th, f, pc, d);
    return true;
}

bool
slow_BUILD_STRING(Thread *th, Frame *f, const Instr *pc)
{
    Value *w = f->r + pc->b;
    Value s = str_join_args(th, (const Arg *)(const void *)w, pc->c);
    if (s == NULL)
        return false;
    for (size_t i = 0; i < pc->c; i++)
        reg_drop(th, w[i]);
    put_plain(th, f, pc, s);
    return true;
}

bool
slow_SET_ADD(Thread *th, Frame *f, const Instr *pc)
{
    if (!set_add(th, reg(f, pc->a), reg(f, pc->b)))
        return false;
    drop_dead(th, f, pc, B_DEAD, pc->b);
    return true;
}

bool
slow_MAP_ADD(Thread *th, Frame *f, const Instr *pc)
{
    if (!dict_set(th, reg(f, pc->a), reg(f, pc->b), reg(f, pc->c)))
        return false;
    drop_dead(th, f, pc, B_DEAD, pc->b);
    drop_dead(th, f, pc, C_DEAD, pc->c);
    return true;
}

bool
slow_LIST_EXTEND(Thread *th, Frame *f, const Instr *pc)
{
    if (!list_extend_star(th, reg(f, pc->a), reg(f, pc->b)))
        return false;
    drop_dead(th, f, pc, B_DEAD, pc->b);
    return true;
}

bool
slow_SET_UPDATE(Thread *th, Frame *f, const Instr *pc)
{
    if (!set_update(th, reg(f, pc->a), reg(f, pc->b)))
        return false;
    drop_dead(th, f, pc, B_DEAD, pc->b);
    return true;
}

bool
slow_DICT_UPDATE(Thread *th, Frame *f, const Instr *pc)
{
    if (!dict_update_display(th, reg(f, pc->a), reg(f, pc->b)))
        return false;
    drop_dead(th, f, pc, B_DEAD, pc->b);
    return true;
}

bool
slow_DICT_MERGE(Thread *th, Frame *f, const Instr *pc)
{
    if (!dict_merge_keywords(th, reg(f, pc->a), reg(f, pc->b), reg(f, pc->c)))
        return false;
    drop_dead(th, f, pc, B_DEAD, pc->b);
    return true;
}

bool
slow_LIST_TO_TUPLE(Thread *th, Frame *f, const Instr *pc)
{
    Value t = list_to_tuple(th, reg(f, pc->b));
    if (t == NULL)
        return false;
    put_result_b(th, f, pc, t);
    return true;
}

bool
slow_FORMAT_VALUE(Thread *th, Frame *f, const Instr *pc)
{
    bool has_spec = (pc->flags & FLAG_X) != 0;
    Value s = format_value(th, reg(f, pc->b), SUB(pc->flags), has_spec ? reg(f, pc->c) : NULL);
    if (s == NULL)
        return false;
    if (has_spec)
        put_result(th, f, pc, s);
    else
        put_result_b(th, f, pc, s);
    return true;
}

/* -- functions and classes -- */

bool
slow_MAKE_FUNCTION(Thread *th, Frame *f, const Instr *pc)
{
    Value code = f->code->consts[pc->b];
    /* The new function's builtins are this one's: both come from the same globals. */
    Function *maker = frame_function(f);
    Value v = function_make(th, code, function_globals(maker), function_builtins(maker), NULL);
    if (v == NULL)
        return false;
    Function *fn = as_function(v);
    Value *w = f->r + pc->c;
    Field *fields[4];
    unsigned n = 0;
    if (pc->flags & FLAG_X)
        fields[n++] = &fn->defaults;
    if (SUB(pc->flags) & 1)
        fields[n++] = &fn->kwdefaults;
    if (SUB(pc->flags) & 2)
        fields[n++] = &fn->annotations;
    if (SUB(pc->flags) & 4)
        fields[n++] = &fn->closure;
    for (unsigned i = 0; i < n; i++) {
        Value part = reg_take(th, w[i]);
        if (is_exact(part, SHAPE_TUPLE))
            object_set_bits(value_object(part), BIT_SHARED); /* read without counts (rules A5) */
        field_init(fields[i], part);
    }
    put_plain(th, f, pc, v);
    return true;
}

/* -- imports -- */

bool
slow_IMPORT_NAME(Thread *th, Frame *f, const Instr *pc)
{
    Value v = import_op_name(th, f, NAME_C(f, pc), reg(f, pc->b + 1u), reg(f, pc->b));
    if (v == NULL)
        return false;
    Value level = f->r[pc->b], list = f->r[pc->b + 1];
    put_plain(th, f, pc, v);
    reg_drop(th, level);
    reg_drop(th, list);
    return true;
}

bool
slow_IMPORT_FROM(Thread *th, Frame *f, const Instr *pc)
{
    Value v = import_op_from(th, reg(f, pc->b), NAME_C(f, pc));
    if (v == NULL)
        return false;
    put_plain(th, f, pc, v);
    return true;
}

bool
slow_IMPORT_STAR(Thread *th, Frame *f, const Instr *pc)
{
    if (!import_op_star(th, f, reg(f, pc->a)))
        return false;
    drop_dead(th, f, pc, A_DEAD, pc->a);
    return true;
}

/* -- exceptions and with -- */

bool
slow_CHECK_EG_MATCH(Thread *th, Frame *f, const Instr *pc)
{
    Value rest;
    Value match = exception_group_match(th, reg(f, pc->b), reg(f, pc->c), &rest);
    if (match == NULL)
        return false;
    Value b = f->r[pc->b], c = pc->flags & C_DEAD ? f->r[pc->c] : NULL;
    f->r[pc->b] = rest;
    put_plain(th, f, pc, match);
    reg_drop(th, b);
    reg_drop(th, c);
    return true;
}

bool
slow_PREP_RERAISE_STAR(Thread *th, Frame *f, const Instr *pc)
{
    Value v = exception_group_reraise(th, reg(f, pc->b), reg(f, pc->c));
    if (v == NULL)
        return false;
    put_result(th, f, pc, v);
    return true;
}

/* The special method `name` of `o`: the function, with *self set, or what binding gives. */
static Value
with_method(Thread *th, Value o, Value name, bool *self)
{
    Type *t = type_of(o);
    Value f = type_lookup(th, t, name);
    *self = f != NULL && value_has_flag(f, TYPE_METHOD_DESCR);
    DescrGetFn get = f != NULL && !*self ? SLOT(type_of(f), descr_get) : NULL;
    if (get == NULL)
        return f;
    Value bound = get(th, f, o, value_of_type(t));
    drop(th, f);
    return bound;
}

bool
slow_with_prepare(Thread *th, Frame *f, Instr *pc)
{
    bool async = (pc->flags & FLAG_X) != 0;
    bool enter_self, leave_self;
    Value o = reg(f, pc->b);
    if (cache_warm(th, pc))
        specialize_with(th, pc, o);
    Value enter = with_method(th, o, async ? NAME(__aenter__) : NAME(__enter__), &enter_self);
    if (enter == NULL) {
        if (!error_set(th)) {
            raise_type_error(th, async ? "'%T' object does not support the asynchronous context "
                                         "manager protocol"
                                       : "'%T' object does not support the context manager "
                                         "protocol",
                             o);
        }
        return false;
    }
    Value leave = with_method(th, o, async ? NAME(__aexit__) : NAME(__exit__), &leave_self);
    if (leave == NULL) {
        if (!error_set(th)) {
            raise_type_error(th,
                             async ? "'%T' object does not support the asynchronous context "
                                     "manager protocol (missed __aexit__ method)"
                                   : "'%T' object does not support the context manager protocol "
                                     "(missed __exit__ method)",
                             o);
        }
        drop(th, enter);
        return false;
    }
    Value word = f->r[pc->b];
    Value *pair = f->r + pc->a, *win = f->r + pc->c;
    win[0] = enter;
    win[FRAME_WORDS] = enter_self ? reg_copy(th, word) : NULL;
    pair[0] = leave;
    pair[1] = leave_self ? reg_copy(th, word) : NULL;
    if (pc->flags & B_DEAD)
        reg_drop(th, word);
    return true;
}

void
slow_with_exit(Thread *th, Frame *f, const Instr *pc)
{
    Value *pair = f->r + pc->a, *win = f->r + pc->c;
    Value *args = win + FRAME_WORDS + 1;
    if (pc->flags & FLAG_X) {
        Value e = reg(f, pc->b);
        Value tb = field_read(th, value_object(e), &((BaseException *)(void *)value_object(e))->traceback);
        args[0] = retain(th, value_of_type(type_of(e)));
        args[1] = retain(th, e);
        args[2] = tb ? tb : REG_STATIC(NONE);
        win[0] = reg_copy(th, pair[0]);
        win[FRAME_WORDS] = reg_copy(th, pair[1]);
    } else {
        args[0] = args[1] = args[2] = REG_STATIC(NONE);
        win[0] = pair[0];
        win[FRAME_WORDS] = pair[1];
    }
}

/* -- generators -- */

bool
slow_ASYNC_GEN_WRAP(Thread *th, Frame *f, const Instr *pc)
{
    Value v = async_gen_wrap(th, reg(f, pc->b));
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

bool
slow_GET_YIELD_FROM_ITER(Thread *th, Frame *f, const Instr *pc)
{
    Value v = get_yield_from_iter(th, reg(f, pc->b), f->code);
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

bool
slow_GET_AWAITABLE(Thread *th, Frame *f, const Instr *pc)
{
    Value v = get_awaitable(th, reg(f, pc->b), SUB(pc->flags));
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

bool
slow_GET_AITER(Thread *th, Frame *f, const Instr *pc)
{
    Value v = get_aiter_checked(th, reg(f, pc->b));
    if (v == NULL)
        return false;
    put_result_b(th, f, pc, v);
    return true;
}

bool
slow_GET_ANEXT(Thread *th, Frame *f, const Instr *pc)
{
    Value v = get_anext(th, reg(f, pc->b));
    if (v == NULL)
        return false;
    put_plain(th, f, pc, v);
    return true;
}

/* -- matching -- */

bool
slow_MATCH_CLASS(Thread *th, Frame *f, const Instr *pc)
{
    int64_t positional = (int64_t)*(const uint64_t *)(const void *)(pc + 1);
    Value v = match_class(th, reg(f, pc->b), reg(f, pc->c), positional, reg(f, pc->c + 1u));
    if (v == NULL)
        return false;
    Value c = f->r[pc->c], names_ = f->r[pc->c + 1];
    put_plain(th, f, pc, v);
    reg_drop(th, c);
    reg_drop(th, names_);
    return true;
}

bool
slow_MATCH_MAPPING(Thread *th, Frame *f, const Instr *pc)
{
    bool yes = value_has_flag(reg(f, pc->b), TYPE_MAPPING);
    put_plain(th, f, pc, yes ? REG_STATIC(TRUE) : REG_STATIC(FALSE));
    return true;
}

bool
slow_MATCH_SEQUENCE(Thread *th, Frame *f, const Instr *pc)
{
    bool yes = value_has_flag(reg(f, pc->b), TYPE_SEQUENCE);
    put_plain(th, f, pc, yes ? REG_STATIC(TRUE) : REG_STATIC(FALSE));
    return true;
}

bool
slow_MATCH_KEYS(Thread *th, Frame *f, const Instr *pc)
{
    Value v = match_keys(th, reg(f, pc->b), reg(f, pc->c));
    if (v == NULL)
        return false;
    put_plain(th, f, pc, v);
    return true;
}

bool
slow_COPY_DICT_WITHOUT(Thread *th, Frame *f, const Instr *pc)
{
    Value v = copy_dict_without(th, reg(f, pc->b), reg(f, pc->c));
    if (v == NULL)
        return false;
    put_plain(th, f, pc, v);
    return true;
}

bool
slow_PRINT_EXPR(Thread *th, Frame *f, const Instr *pc)
{
    if (!print_expr(th, reg(f, pc->a)))
        return false;
    drop_dead(th, f, pc, A_DEAD, pc->a);
    return true;
}
