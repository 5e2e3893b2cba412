/* substitute.c -- type parameters: which ones a tuple of type arguments has, and putting
 * types in their place.
 *
 * A parameter is anything with a __typing_subst__; something with a tuple __parameters__
 * is generic itself.  Classes are never looked into: their __parameters__ are descriptors.
 * No state, no locks.
 */
#include "objects/typing/typing.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

/* Where `v` is among the items of a tuple, by identity; -1 if it is not. */
static int64_t
tuple_index(Value tuple, Value v)
{
    for (int64_t i = 0; i < tuple_length(tuple); i++) {
        if (tuple_item(tuple, i) == v)
            return i;
    }
    return -1;
}

/* Appends `v` to a list unless it is there already. */
static bool
add_once(Thread *th, Value list, Value v)
{
    for (int64_t i = 0; i < list_length(list); i++) {
        Value seen = list_get(th, list, i);
        drop_null(th, seen);
        if (seen == v)
            return true;
    }
    return list_append(th, list, v);
}

/* v.__parameters__ if that is a tuple: new; NULL without an exception if it has none. */
static Value
own_parameters(Thread *th, Value v)
{
    Value parameters;
    if (get_attr_optional(th, v, NAME(__parameters__), &parameters) != YES)
        return NULL;
    if (!is_tuple(parameters)) {
        drop(th, parameters);
        return NULL;
    }
    return parameters;
}

static bool
add_parameters_of(Thread *th, Value list, Value v)
{
    if (is_type(v))
        return true;
    Value subst;
    Answer has = get_attr_optional(th, v, NAME(__typing_subst__), &subst);
    if (has == FAILED)
        return false;
    if (has == YES) {
        drop(th, subst);
        return add_once(th, list, v);
    }
    Value inner = own_parameters(th, v);
    if (inner == NULL)
        return !error_set(th);
    bool ok = true;
    for (int64_t i = 0; ok && i < tuple_length(inner); i++)
        ok = add_once(th, list, tuple_item(inner, i));
    drop(th, inner);
    return ok;
}

Value
typing_parameters(Thread *th, Value args)
{
    Value list = list_new(th, 0);
    bool ok = list != NULL;
    for (int64_t i = 0; ok && i < tuple_length(args); i++)
        ok = add_parameters_of(th, list, tuple_item(args, i));
    Value tuple = ok ? list_to_tuple(th, list) : NULL;
    drop_null(th, list);
    return tuple;
}

/* Appends `v`, or, if it is an unpacked tuple type of fixed length, what is in it. */
static bool
append_unpacked(Thread *th, Value list, Value v)
{
    if (!is_type(v)) {
        Value inner;
        Answer has = get_attr_optional(th, v, NAME(__typing_unpacked_tuple_args__), &inner);
        if (has == FAILED)
            return false;
        if (has == YES) {
            int64_t n = is_tuple(inner) ? tuple_length(inner) : -1;
            bool fixed = n >= 0 && !(n > 0 && tuple_item(inner, n - 1) == ELLIPSIS);
            bool ok = !fixed || list_extend(th, list, inner);
            drop(th, inner);
            if (fixed || !ok)
                return ok;
        }
    }
    return list_append(th, list, v);
}

/* What stands between the brackets, as a tuple. */
static Value
unpack_item(Thread *th, Value item)
{
    Value list = list_new(th, 0);
    bool ok = list != NULL;
    if (ok && is_tuple(item)) {
        for (int64_t i = 0; ok && i < tuple_length(item); i++)
            ok = append_unpacked(th, list, tuple_item(item, i));
    } else if (ok) {
        ok = append_unpacked(th, list, item);
    }
    Value tuple = ok ? list_to_tuple(th, list) : NULL;
    drop_null(th, list);
    return tuple;
}

/* Lets each parameter have a look at all the items first.  Takes `items` over. */
static Value
prepare_items(Thread *th, Value self, Value parameters, Value STEALS items)
{
    for (int64_t i = 0; i < tuple_length(parameters); i++) {
        Value prepare;
        Answer has = get_attr_optional(th, tuple_item(parameters, i),
                                       NAME(__typing_prepare_subst__), &prepare);
        if (has == FAILED) {
            drop(th, items);
            return NULL;
        }
        if (has == NO)
            continue;
        if (prepare != NONE) {
            Value prepared = call_2(th, prepare, self, items);
            drop(th, items);
            items = prepared;
            if (items != NULL && !is_tuple(items)) {
                Value one = tuple_pack(th, 1, items);
                drop(th, items);
                items = one;
            }
        }
        drop(th, prepare);
        if (items == NULL)
            return NULL;
    }
    return items;
}

/* A generic type with its own parameters replaced: v[...].  New reference. */
static Value
replace_inside(Thread *th, Value v, Value parameters, Value items)
{
    Value inner = own_parameters(th, v);
    if (inner == NULL)
        return error_set(th) ? NULL : retain(th, v);
    if (tuple_length(inner) == 0) {
        drop(th, inner);
        return retain(th, v);
    }
    Value list = list_new(th, 0);
    bool ok = list != NULL;
    for (int64_t i = 0; ok && i < tuple_length(inner); i++) {
        Value one = tuple_item(inner, i);
        int64_t at = tuple_index(parameters, one);
        if (at < 0) {
            ok = list_append(th, list, one);
            continue;
        }
        Value given = tuple_item(items, at);
        /* A variadic parameter stands for as many types as it was given. */
        if (SLOT(type_of(one), iter) != NULL && is_tuple(given))
            ok = list_extend(th, list, given);
        else
            ok = list_append(th, list, given);
    }
    Value key = ok ? list_to_tuple(th, list) : NULL;
    Value r = key ? get_item(th, v, key) : NULL;
    drop_null(th, key);
    drop_null(th, list);
    drop(th, inner);
    return r;
}

static Answer
is_unpacked_variadic(Thread *th, Value v)
{
    Value flag;
    Answer has = get_attr_optional(th, v, NAME(__typing_is_unpacked_typevartuple__), &flag);
    if (has != YES)
        return has;
    Answer answer = is_true(th, flag);
    drop(th, flag);
    return answer;
}

/* Appends what one argument becomes. */
static bool
append_replaced(Thread *th, Value list, Value v, Value parameters, Value items)
{
    if (is_type(v))
        return list_append(th, list, v);
    Answer spread = is_unpacked_variadic(th, v);
    if (spread == FAILED)
        return false;
    Value subst;
    Answer has = get_attr_optional(th, v, NAME(__typing_subst__), &subst);
    if (has == FAILED)
        return false;
    Value r;
    if (has == YES) {
        int64_t at = tuple_index(parameters, v);
        r = at < 0 ? retain(th, v) : call_1(th, subst, tuple_item(items, at));
        drop(th, subst);
    } else {
        r = replace_inside(th, v, parameters, items);
    }
    if (r == NULL)
        return false;
    bool ok = spread == YES && is_tuple(r) ? list_extend(th, list, r) : list_append(th, list, r);
    drop(th, r);
    return ok;
}

Value
typing_substitute(Thread *th, Value self, Value args, Value parameters, Value item)
{
    int64_t wanted = tuple_length(parameters);
    if (wanted == 0)
        return raise_type_error(th, "%R is not a generic class", self);
    Value items = unpack_item(th, item);
    if (items != NULL)
        items = prepare_items(th, self, parameters, items);
    if (items == NULL)
        return NULL;
    Value result = NULL;
    if (tuple_length(items) != wanted) {
        raise_type_error(th, "Too %s arguments for %R; actual %lld, expected %lld",
                         tuple_length(items) > wanted ? "many" : "few", self,
                         (long long)tuple_length(items), (long long)wanted);
    } else {
        Value list = list_new(th, (size_t)tuple_length(args));
        bool ok = list != NULL;
        for (int64_t i = 0; ok && i < tuple_length(args); i++)
            ok = append_replaced(th, list, tuple_item(args, i), parameters, items);
        if (ok)
            result = list_to_tuple(th, list);
        drop_null(th, list);
    }
    drop(th, items);
    return result;
}

/* -- text -- */

/* v.name if it is there and a str: new; NULL without an exception otherwise. */
static Value
str_attribute(Thread *th, Value v, Value name)
{
    Value text;
    if (get_attr_optional(th, v, name, &text) != YES)
        return NULL;
    if (text == NONE || !is_str(text)) {
        drop(th, text);
        return NULL;
    }
    return text;
}

/* Whether `v` looks like a generic alias, whose repr says it all. */
static Answer
has_alias_attributes(Thread *th, Value v)
{
    const Value wanted[] = {NAME(__origin__), NAME(__args__)};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        Value found;
        Answer has = get_attr_optional(th, v, wanted[i], &found);
        if (has != YES)
            return has;
        drop(th, found);
    }
    return YES;
}

bool
typing_repr_item(Thread *th, StrBuilder *b, Value v)
{
    if (v == ELLIPSIS)
        return str_builder_c(th, b, "...");
    Answer alias = has_alias_attributes(th, v);
    if (alias == FAILED)
        return false;
    bool ok = true;
    Value qualname = NULL;
    Value module = NULL;
    if (alias == NO) {
        qualname = str_attribute(th, v, NAME(__qualname__));
        if (qualname != NULL)
            module = str_attribute(th, v, NAME(__module__));
        if (error_set(th))
            ok = false;
    }
    if (ok && qualname != NULL && module != NULL) {
        if (!str_equal_ascii(module, "builtins"))
            ok = str_builder_str(th, b, module) && str_builder_char(th, b, '.');
        ok = ok && str_builder_str(th, b, qualname);
    } else if (ok) {
        Value text = to_repr(th, v);
        ok = text != NULL && str_builder_str(th, b, text);
        drop_null(th, text);
    }
    drop_null(th, qualname);
    drop_null(th, module);
    return ok;
}
