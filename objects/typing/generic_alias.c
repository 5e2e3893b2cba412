/* generic_alias.c -- list[int]: a class with type arguments.
 *
 * An alias behaves as its origin but for a few attributes of its own; calling it makes an
 * instance of the origin.  Origin and arguments are constant; the parameters are computed
 * when first asked for.  Iterating over an alias gives *alias once: a starred alias.
 */
#include "objects/model/model.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "objects/typing/typing.h"
#include "threads/interp.h"

#include <stddef.h>

static inline GenericAlias *
as_alias(Value v)
{
    return (GenericAlias *)(void *)value_object(v);
}

bool
is_generic_alias(Value v)
{
    return is_instance_of(v, &generic_alias_type);
}

static Value
alias_make(Thread *th, Type *type, Value origin, Value args)
{
    Value tuple = is_tuple(args) ? retain(th, args) : tuple_pack(th, 1, args);
    if (tuple == NULL)
        return NULL;
    Value v = type_alloc(th, type, 0);
    if (v == NULL) {
        drop(th, tuple);
        return NULL;
    }
    as_alias(v)->origin = retain(th, origin);
    as_alias(v)->args = tuple;
    return v;
}

Value
generic_alias_new(Thread *th, Value origin, Value args)
{
    return alias_make(th, &generic_alias_type, origin, args);
}

static Value
alias_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    if (!args_no_keywords(th, "GenericAlias", kwnames) ||
        !args_count(th, "GenericAlias", nargs, 2, 2))
        return NULL;
    return alias_make(th, type, arg(args, 0), arg(args, 1));
}

/* The parameters, computed if nobody has asked before. */
static Value
alias_parameters(Thread *th, Value self)
{
    GenericAlias *a = as_alias(self);
    Value v = field_read(th, &a->head, &a->parameters);
    if (v != NULL)
        return v;
    v = typing_parameters(th, a->args);
    if (v != NULL && field_set_once(th, &a->head, &a->parameters, v))
        retain(th, v);
    return v;
}

static Value
alias_repr(Thread *th, Value self)
{
    const GenericAlias *a = as_alias(self);
    if (thread_stack_low(th))
        return raise_recursion(th, " while getting the repr of an object");
    StrBuilder b;
    str_builder_init(&b);
    bool ok = load_relaxed(&a->starred) == 0 || str_builder_char(th, &b, '*');
    ok = ok && typing_repr_item(th, &b, a->origin) && str_builder_char(th, &b, '[');
    int64_t n = tuple_length(a->args);
    for (int64_t i = 0; ok && i < n; i++)
        ok = (i == 0 || str_builder_c(th, &b, ", ")) &&
             typing_repr_item(th, &b, tuple_item(a->args, i));
    if (ok && n == 0)
        ok = str_builder_c(th, &b, "()");
    if (ok && str_builder_char(th, &b, ']'))
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

static bool
alias_hash(Thread *th, Value self, int64_t *hash)
{
    const GenericAlias *a = as_alias(self);
    int64_t x, y;
    if (!to_hash(th, a->origin, &x) || !to_hash(th, a->args, &y))
        return false;
    *hash = (x ^ y) == -1 ? -2 : x ^ y;
    return true;
}

static Value
alias_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    Value made = call(th, as_alias(self)->origin, args, nargs, kwnames);
    if (made == NULL)
        return NULL;
    if (!set_attr(th, made, NAME(__orig_class__), self)) {
        if (!error_matches(th, &exc_AttributeError) && !error_matches(th, &exc_TypeError)) {
            drop(th, made);
            return NULL;
        }
        error_clear(th);
    }
    return made;
}

static Value
alias_getitem(Thread *th, Value self, Value item)
{
    GenericAlias *a = as_alias(self);
    Value parameters = alias_parameters(th, self);
    if (parameters == NULL)
        return NULL;
    Value args = typing_substitute(th, self, a->args, parameters, item);
    drop(th, parameters);
    if (args == NULL)
        return NULL;
    Value r = generic_alias_new(th, a->origin, args);
    drop(th, args);
    if (r != NULL)
        store_relaxed(&as_alias(r)->starred, load_relaxed(&a->starred));
    return r;
}

/* The attributes an alias has itself; all others are its origin's. */
static const char *const own_attributes[] = {
    "__class__",       "__origin__",    "__args__",
    "__unpacked__",    "__parameters__", "__typing_unpacked_tuple_args__",
    "__mro_entries__", "__reduce_ex__", "__reduce__",
    "__copy__",        "__deepcopy__",
};

static bool
is_own_attribute(Value name)
{
    for (size_t i = 0; i < ARRAY_LEN(own_attributes); i++) {
        if (str_equal_ascii(name, own_attributes[i]))
            return true;
    }
    return false;
}

static Value
alias_getattr(Thread *th, Value self, Value name)
{
    if (is_str(name) && !is_own_attribute(name))
        return get_attr(th, as_alias(self)->origin, name);
    return generic_get_attr(th, self, name);
}

static Value
alias_compare(Thread *th, Value a, Value b, int op)
{
    if ((op != OP_EQ && op != OP_NE) || !is_generic_alias(a) || !is_generic_alias(b))
        return NOT_IMPLEMENTED;
    const GenericAlias *x = as_alias(a);
    const GenericAlias *y = as_alias(b);
    Answer equal = load_relaxed(&x->starred) == load_relaxed(&y->starred) ? YES : NO;
    if (equal == YES)
        equal = values_equal(th, x->origin, y->origin);
    if (equal == YES)
        equal = values_equal(th, x->args, y->args);
    if (equal == FAILED)
        return NULL;
    return bool_from((equal == YES) == (op == OP_EQ));
}

/* -- methods -- */

static Value
alias_mro_entries(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)args;
    (void)nargs;
    return tuple_pack(th, 1, as_alias(self)->origin);
}

static Value
alias_instancecheck(Thread *th, Value self, Value v)
{
    (void)self;
    (void)v;
    return raise_type_error(th, "isinstance() argument 2 cannot be a parameterized generic");
}

static Value
alias_subclasscheck(Thread *th, Value self, Value v)
{
    (void)self;
    (void)v;
    return raise_type_error(th, "issubclass() argument 2 cannot be a parameterized generic");
}

static Value
builtin(Thread *th, const char *name)
{
    Value v = dict_get_c(th, th->interp->builtins, name);
    return v ? v : raise_error(th, &exc_AttributeError, "%s", name);
}

/* (builtins.name, (v,)) */
static Value
reduce_by(Thread *th, const char *name, Value v)
{
    Value f = builtin(th, name);
    Value args = f ? tuple_pack(th, 1, v) : NULL;
    Value r = args ? tuple_pack(th, 2, f, args) : NULL;
    drop_null(th, f);
    drop_null(th, args);
    return r;
}

static Value alias_iter(Thread *th, Value self);

static Value
alias_reduce(Thread *th, Value self)
{
    const GenericAlias *a = as_alias(self);
    if (load_relaxed(&a->starred) != 0) { /* next(iter(alias)) */
        Value plain = generic_alias_new(th, a->origin, a->args);
        Value it = plain ? alias_iter(th, plain) : NULL;
        Value r = it ? reduce_by(th, "next", it) : NULL;
        drop_null(th, plain);
        drop_null(th, it);
        return r;
    }
    Value args = tuple_pack(th, 2, a->origin, a->args);
    Value r = args ? tuple_pack(th, 2, value_of_type(type_of(self)), args) : NULL;
    drop_null(th, args);
    return r;
}

static Value
alias_dir(Thread *th, Value self)
{
    Value list = to_dir(th, as_alias(self)->origin);
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < ARRAY_LEN(own_attributes); i++) {
        Value name = str_intern_c(th, own_attributes[i]);
        Answer there = name ? contains(th, list, name) : FAILED;
        ok = there == YES || (there == NO && list_append(th, list, name));
        drop_null(th, name);
    }
    if (!ok && list != NULL)
        DROP_CLEAR(th, list);
    return list;
}

static Value
get_parameters(Thread *th, Value self, void *closure)
{
    (void)closure;
    return alias_parameters(th, self);
}

static Value
get_unpacked_args(Thread *th, Value self, void *closure)
{
    (void)closure;
    const GenericAlias *a = as_alias(self);
    if (load_relaxed(&a->starred) != 0 && a->origin == value_of_type(&tuple_type))
        return retain(th, a->args);
    return NONE;
}

static Value
alias_or(Thread *th, Value a, Value b)
{
    return union_new(th, a, b);
}

static const MethodDef methods[] = {
    NATIVE_N("__mro_entries__", alias_mro_entries, 0, -1, NULL),
    NATIVE_1("__instancecheck__", alias_instancecheck, NULL),
    NATIVE_1("__subclasscheck__", alias_subclasscheck, NULL),
    NATIVE_0("__reduce__", alias_reduce, NULL),
    NATIVE_0("__dir__", alias_dir, NULL),
    NATIVE_END,
};

static const GetterDef getters[] = {
    {"__parameters__", get_parameters, NULL, "Type variables in the GenericAlias.", NULL},
    {"__typing_unpacked_tuple_args__", get_unpacked_args, NULL, NULL, NULL},
    {.name = NULL},
};

static const MemberDef members[] = {
    {"__origin__", MEMBER_CONST_VALUE, offsetof(GenericAlias, origin), true, NULL},
    {"__args__", MEMBER_CONST_VALUE, offsetof(GenericAlias, args), true, NULL},
    {"__unpacked__", MEMBER_BOOL, offsetof(GenericAlias, starred), true, NULL},
    {.name = NULL},
};

static void
alias_visit(Object *o, VisitFn fn, void *arg)
{
    GenericAlias *a = (GenericAlias *)(void *)o;
    value_visit(a->origin, fn, arg);
    value_visit(a->args, fn, arg);
    field_visit(&a->parameters, fn, arg);
}

static void
alias_clear(Thread *th, Object *o)
{
    field_replace(th, o, &((GenericAlias *)(void *)o)->parameters, NULL);
}

static void
alias_dealloc(Thread *th, Object *o)
{
    GenericAlias *a = (GenericAlias *)(void *)o;
    drop_null(th, a->origin);
    drop_null(th, a->args);
    field_drop(th, &a->parameters);
}

Type generic_alias_type;
const TypeSpec generic_alias_spec = {
    .name = "types.GenericAlias",
    .size = sizeof(GenericAlias),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "GenericAlias(origin, args, /)\n--\n\n"
           "Represent a PEP 585 generic type\n\n"
           "E.g. for t = list[int], t.__origin__ is list and t.__args__ is (int,).",
    .methods = methods,
    .getters = getters,
    .members = members,
    .slots = {.repr = alias_repr,
              .hash = alias_hash,
              .call = alias_call,
              .getattr = alias_getattr,
              .compare = alias_compare,
              .iter = alias_iter,
              .new = alias_new,
              .or_ = alias_or,
              .getitem = alias_getitem},
    .visit = alias_visit,
    .clear = alias_clear,
    .dealloc = alias_dealloc,
};

/* -- iteration -- */

typedef struct AliasIter {
    struct Object head;
    Field alias; /* NULL once it was given out */
} AliasIter;

static Value
alias_iter(Thread *th, Value self)
{
    Object *o = object_new_fast(th, SHAPE_GENERIC_ALIAS_ITER, sizeof(AliasIter), true);
    if (o == NULL)
        return NULL;
    field_init(&((AliasIter *)(void *)o)->alias, retain(th, self));
    return value_of(o);
}

static Value
iter_self(Thread *th, Value self)
{
    return retain(th, self);
}

static Value
iter_next_alias(Thread *th, Value self)
{
    Object *o = value_object(self);
    Value alias = field_exchange(th, o, &((AliasIter *)(void *)o)->alias, NULL);
    if (alias == NULL)
        return NULL;
    Value starred = generic_alias_new(th, as_alias(alias)->origin, as_alias(alias)->args);
    if (starred != NULL)
        store_relaxed(&as_alias(starred)->starred, 1);
    drop(th, alias);
    return starred;
}

static Value
iter_reduce(Thread *th, Value self)
{
    Object *o = value_object(self);
    Value alias = field_read(th, o, &((AliasIter *)(void *)o)->alias);
    Value r = reduce_by(th, "iter", alias ? alias : tuple_empty);
    drop_null(th, alias);
    return r;
}

static const MethodDef iter_methods[] = {
    NATIVE_0("__reduce__", iter_reduce, NULL),
    NATIVE_END,
};

static void
iter_visit(Object *o, VisitFn fn, void *arg)
{
    field_visit(&((AliasIter *)(void *)o)->alias, fn, arg);
}

static void
iter_clear(Thread *th, Object *o)
{
    field_replace(th, o, &((AliasIter *)(void *)o)->alias, NULL);
}

static void
iter_dealloc(Thread *th, Object *o)
{
    field_drop(th, &((AliasIter *)(void *)o)->alias);
}

Type generic_alias_iter_type;
const TypeSpec generic_alias_iter_spec = {
    .name = "generic_alias_iterator",
    .size = sizeof(AliasIter),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = iter_methods,
    .slots = {.iter = iter_self, .next = iter_next_alias},
    .visit = iter_visit,
    .clear = iter_clear,
    .dealloc = iter_dealloc,
};
