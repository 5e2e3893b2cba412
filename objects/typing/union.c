/* union.c -- int | str: one of several types.
 *
 * The members are a flat tuple without duplicates, in the order they were written; None
 * stands as its type.  A union of one type is that type.  All is constant but the
 * parameters, which are computed when first asked for.
 */
#include "objects/model/model.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "objects/typing/typing.h"

#include <stddef.h>

static inline Union *
as_union(Value v)
{
    return (Union *)(void *)value_object(v);
}

static bool
may_join(Value v)
{
    return v == NONE || is_type(v) || is_generic_alias(v) || is_exact(v, SHAPE_UNION);
}

/* Whether a list of members has `v`; aliases compare by value. */
static Answer
has_member(Thread *th, Value list, Value v)
{
    for (int64_t i = 0; i < list_length(list); i++) {
        Value seen = list_get(th, list, i);
        if (seen == NULL)
            break;
        Answer same = seen == v ? YES : NO;
        if (same == NO && is_generic_alias(seen) && is_generic_alias(v))
            same = values_equal(th, seen, v);
        drop(th, seen);
        if (same != NO)
            return same;
    }
    return NO;
}

/* Appends a type, or the members of a union, to a list without duplicates. */
static bool
add_member(Thread *th, Value list, Value v)
{
    if (is_exact(v, SHAPE_UNION)) {
        Value members = union_args(v);
        for (int64_t i = 0; i < tuple_length(members); i++) {
            if (!add_member(th, list, tuple_item(members, i)))
                return false;
        }
        return true;
    }
    if (v == NONE)
        v = value_of_type(&none_type);
    Answer there = has_member(th, list, v);
    return there == YES || (there == NO && list_append(th, list, v));
}

/* The union of a list's members; it has at least one. */
static Value
union_from_list(Thread *th, Value list)
{
    if (list_length(list) == 1)
        return list_get(th, list, 0);
    Value args = list_to_tuple(th, list);
    if (args == NULL)
        return NULL;
    Value v = type_alloc(th, &union_type, 0);
    if (v == NULL) {
        drop(th, args);
        return NULL;
    }
    as_union(v)->args = args;
    return v;
}

Value
union_new(Thread *th, Value a, Value b)
{
    if (!may_join(a) || !may_join(b))
        return NOT_IMPLEMENTED;
    Value list = list_new(th, 2);
    Value r = NULL;
    if (list != NULL && add_member(th, list, a) && add_member(th, list, b))
        r = union_from_list(th, list);
    drop_null(th, list);
    return r;
}

Value
union_of_tuple(Thread *th, Value types)
{
    int64_t n = tuple_length(types);
    if (n == 0)
        return raise_type_error(th, "cannot make a union of no types");
    Value r = retain(th, tuple_item(types, 0));
    for (int64_t i = 1; r != NULL && i < n; i++) {
        Value joined = number_or(th, r, tuple_item(types, i));
        drop(th, r);
        r = joined;
    }
    return r;
}

static Value
union_parameters(Thread *th, Value self)
{
    Union *u = as_union(self);
    Value v = field_read(th, &u->head, &u->parameters);
    if (v != NULL)
        return v;
    v = typing_parameters(th, u->args);
    if (v != NULL && field_set_once(th, &u->head, &u->parameters, v))
        retain(th, v);
    return v;
}

static Value
union_repr(Thread *th, Value self)
{
    Value args = union_args(self);
    StrBuilder b;
    str_builder_init(&b);
    bool ok = true;
    for (int64_t i = 0; ok && i < tuple_length(args); i++) {
        Value v = tuple_item(args, i);
        ok = i == 0 || str_builder_c(th, &b, " | ");
        if (ok && v == value_of_type(&none_type))
            ok = str_builder_c(th, &b, "None");
        else if (ok)
            ok = typing_repr_item(th, &b, v);
    }
    if (ok)
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

static bool
union_hash(Thread *th, Value self, int64_t *hash)
{
    Value set = frozenset_from(th, union_args(self));
    if (set == NULL)
        return false;
    bool ok = to_hash(th, set, hash);
    drop(th, set);
    return ok;
}

static Value
union_compare(Thread *th, Value a, Value b, int op)
{
    if ((op != OP_EQ && op != OP_NE) || !is_exact(a, SHAPE_UNION) || !is_exact(b, SHAPE_UNION))
        return NOT_IMPLEMENTED;
    Value x = set_from(th, union_args(a));
    Value y = x ? set_from(th, union_args(b)) : NULL;
    Value r = y ? compare(th, x, y, op) : NULL;
    drop_null(th, x);
    drop_null(th, y);
    return r;
}

static Value
union_getattr(Thread *th, Value self, Value name)
{
    if (name == NAME(__module__))
        return get_attr(th, value_of_type(&union_type), name);
    return generic_get_attr(th, self, name);
}

static Value
union_getitem(Thread *th, Value self, Value item)
{
    Value parameters = union_parameters(th, self);
    if (parameters == NULL)
        return NULL;
    Value args = typing_substitute(th, self, union_args(self), parameters, item);
    drop(th, parameters);
    if (args == NULL)
        return NULL;
    Value r = union_of_tuple(th, args);
    drop(th, args);
    return r;
}

static Value
get_parameters(Thread *th, Value self, void *closure)
{
    (void)closure;
    return union_parameters(th, self);
}

static const GetterDef getters[] = {
    {"__parameters__", get_parameters, NULL, "Type variables in the types.UnionType.", NULL},
    {.name = NULL},
};

static const MemberDef members[] = {
    {"__args__", MEMBER_CONST_VALUE, offsetof(Union, args), true, NULL},
    {.name = NULL},
};

static void
visit(Object *o, VisitFn fn, void *arg)
{
    Union *u = (Union *)(void *)o;
    value_visit(u->args, fn, arg);
    field_visit(&u->parameters, fn, arg);
}

static void
clear(Thread *th, Object *o)
{
    field_replace(th, o, &((Union *)(void *)o)->parameters, NULL);
}

static void
dealloc(Thread *th, Object *o)
{
    Union *u = (Union *)(void *)o;
    drop_null(th, u->args);
    field_drop(th, &u->parameters);
}

Type union_type;
const TypeSpec union_spec = {
    .name = "types.UnionType",
    .size = sizeof(Union),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .doc = "Represent a PEP 604 union type\n\nE.g. for int | str",
    .getters = getters,
    .members = members,
    .slots = {.repr = union_repr,
              .hash = union_hash,
              .getattr = union_getattr,
              .compare = union_compare,
              .or_ = union_new,
              .getitem = union_getitem},
    .visit = visit,
    .clear = clear,
    .dealloc = dealloc,
};
