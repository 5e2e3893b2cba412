/* intrinsics.c -- rare operations behind one instruction.  No state, no locks. */
#include "core/vm/internal.h"

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

/* "module.name()" of a callee, for messages: a str, or str(callee). */
static Value
function_text(Thread *th, Value f)
{
    Value qualname, module;
    Answer has = get_attr_optional(th, f, NAME(__qualname__), &qualname);
    if (has == FAILED)
        return NULL;
    if (has == NO)
        return to_str(th, f);
    has = get_attr_optional(th, f, NAME(__module__), &module);
    Value text = NULL;
    if (has == YES && module != NONE && !(is_str(module) && str_equal_ascii(module, "builtins")))
        text = str_format_c(th, "%V.%V()", module, qualname);
    else if (has != FAILED)
        text = str_format_c(th, "%V()", qualname);
    drop_null(th, module);
    drop(th, qualname);
    return text;
}

static bool
is_iterable(Value v)
{
    return SLOT(type_of(v), iter) != NULL || is_sequence(v);
}

Value
star_tuple(Thread *th, Value callee, Value v)
{
    if (is_exact(v, SHAPE_TUPLE))
        return retain(th, v);
    if (!is_iterable(v)) {
        Value text = function_text(th, callee);
        if (text != NULL) {
            raise_type_error(th, "%V argument after * must be an iterable, not %T", text, v);
            drop(th, text);
        }
        return NULL;
    }
    return sequence_tuple(th, v);
}

bool
list_extend_star(Thread *th, Value list, Value v)
{
    if (list_extend(th, list, v))
        return true;
    if (error_matches(th, &exc_TypeError) && !is_iterable(v)) {
        error_clear(th);
        raise_type_error(th, "Value after * must be an iterable, not %T", v);
    }
    return false;
}

bool
dict_update_display(Thread *th, Value dict, Value mapping)
{
    if (dict_merge(th, dict, mapping, 1))
        return true;
    if (error_matches(th, &exc_AttributeError)) {
        error_clear(th);
        raise_type_error(th, "'%T' object is not a mapping", mapping);
    }
    return false;
}

bool
dict_merge_keywords(Thread *th, Value dict, Value mapping, Value callee)
{
    if (dict_merge(th, dict, mapping, 2))
        return true;
    bool duplicate = error_matches(th, &exc_KeyError);
    if (!duplicate && !error_matches(th, &exc_AttributeError))
        return false;
    Value e = error_take(th), key = NULL;
    if (duplicate) {
        Value args = field_read(th, value_object(e),
                                &((BaseException *)(void *)value_object(e))->args);
        if (args != NULL && is_tuple(args) && tuple_length(args) == 1)
            key = retain(th, tuple_item(args, 0));
        drop_null(th, args);
    }
    Value text = function_text(th, callee);
    if (text == NULL) {
        /* its exception is the one */
    } else if (!duplicate) {
        raise_type_error(th, "%V argument after ** must be a mapping, not %T", text, mapping);
    } else if (key != NULL) {
        raise_type_error(th, "%V got multiple values for keyword argument '%V'", text, key);
    } else {
        error_restore(th, e);
        e = NULL;
    }
    drop_null(th, text);
    drop_null(th, key);
    drop_null(th, e);
    return false;
}

/* -- unpacking -- */

static Value
unpack_iter(Thread *th, Value v)
{
    Value it = get_iter(th, v);
    if (it == NULL && error_matches(th, &exc_TypeError) && !is_iterable(v)) {
        error_clear(th);
        raise_type_error(th, "cannot unpack non-iterable %T object", v);
    }
    return it;
}

bool
unpack_sequence(Thread *th, Value v, Value *out, size_t n)
{
    size_t got = 0;
    if (is_exact(v, SHAPE_LIST)) {
        Value item;
        while (got < n && (item = list_get(th, v, (int64_t)got)) != NULL)
            out[got++] = item;
        int64_t length = list_length(v);
        if (got == n && (size_t)length == n)
            return true;
        if ((size_t)length > n)
            raise_value_error(th, "too many values to unpack (expected %zu)", n);
        else
            raise_value_error(th, "not enough values to unpack (expected %zu, got %zu)", n, got);
    } else if (is_exact(v, SHAPE_TUPLE)) {
        if ((size_t)tuple_length(v) > n)
            raise_value_error(th, "too many values to unpack (expected %zu)", n);
        else
            raise_value_error(th, "not enough values to unpack (expected %zu, got %lld)", n,
                              (long long)tuple_length(v));
    } else {
        Value it = unpack_iter(th, v);
        if (it == NULL)
            return false;
        Value item;
        while (got < n && (item = iter_next(th, it)) != NULL)
            out[got++] = item;
        if (got == n) {
            item = iter_next(th, it);
            if (item == NULL && !error_set(th)) {
                drop(th, it);
                return true;
            }
            if (item != NULL) {
                drop(th, item);
                raise_value_error(th, "too many values to unpack (expected %zu)", n);
            }
        } else if (!error_set(th)) {
            raise_value_error(th, "not enough values to unpack (expected %zu, got %zu)", n, got);
        }
        drop(th, it);
    }
    while (got > 0)
        drop(th, out[--got]);
    return false;
}

bool
unpack_extended(Thread *th, Value v, Value *out, size_t before, size_t after)
{
    size_t got = 0;
    Value item, list = NULL;
    Value it = unpack_iter(th, v);
    if (it == NULL)
        return false;
    while (got < before && (item = iter_next(th, it)) != NULL)
        out[got++] = item;
    if (got < before) {
        if (!error_set(th))
            raise_value_error(th, "not enough values to unpack (expected at least %zu, got %zu)",
                              before + after, got);
        goto fail;
    }
    list = sequence_list(th, it);
    if (list == NULL)
        goto fail;
    int64_t length = list_length(list);
    if ((size_t)length < after) {
        raise_value_error(th, "not enough values to unpack (expected at least %zu, got %zu)",
                          before + after, before + (size_t)length);
        goto fail;
    }
    out[got++] = list;
    for (size_t i = 0; i < after; i++)
        out[before + 1 + i] = list_get(th, list, length - (int64_t)after + (int64_t)i);
    drop(th, it);
    if (after == 0 || list_delete_slice(th, list, length - (int64_t)after, length))
        return true;
    for (size_t i = 0; i < after; i++)
        drop(th, out[before + 1 + i]);
    while (got > 0)
        drop(th, out[--got]);
    return false;
fail:
    drop_null(th, list);
    drop(th, it);
    while (got > 0)
        drop(th, out[--got]);
    return false;
}

Value
format_value(Thread *th, Value v, int conversion, Value spec)
{
    Value converted = NULL, s;
    switch (conversion) {
    case 1: converted = to_str(th, v); break;
    case 2: converted = to_repr(th, v); break;
    case 3: converted = to_ascii(th, v); break;
    default: converted = retain(th, v); break;
    }
    if (converted == NULL)
        return NULL;
    if (spec == NULL && is_exact(converted, SHAPE_STR))
        return converted;
    s = to_format(th, converted, spec);
    drop(th, converted);
    return s;
}

/* -- matching -- */

/* One attribute of a class pattern into `out`: NO: the subject has none. */
static Answer
match_attribute(Thread *th, Value subject, Value type, Value name, Value seen, Value out)
{
    Answer again = set_contains(th, seen, name);
    if (again == YES)
        raise_type_error(th, "%N() got multiple sub-patterns for attribute %R", as_type(type), name);
    if (again != NO || !set_add(th, seen, name))
        return FAILED;
    Value v;
    Answer a = get_attr_optional(th, subject, name, &v);
    if (a == YES && !list_append_steal(th, out, v))
        return FAILED;
    return a;
}

Value
match_class(Thread *th, Value subject, Value type, int64_t positional, Value names_)
{
    if (!is_type(type))
        return raise_type_error(th, "called match pattern must be a type");
    Answer is = is_instance(th, subject, type);
    if (is != YES)
        return is == NO ? NONE : NULL;
    Value seen = set_new(th), out = list_new(th, 0), match_args = NULL;
    Answer a = seen != NULL && out != NULL ? YES : FAILED;
    if (a == YES && positional > 0) {
        bool self = false;
        Answer has = get_attr_optional(th, type, NAME(__match_args__), &match_args);
        if (has == FAILED) {
            a = FAILED;
        } else if (has == NO) {
            match_args = retain(th, tuple_empty);
            self = (type_flags(as_type(type)) & TYPE_MATCH_SELF) != 0;
        } else if (!is_exact(match_args, SHAPE_TUPLE)) {
            raise_type_error(th, "%N.__match_args__ must be a tuple (got %T)", as_type(type),
                             match_args);
            a = FAILED;
        }
        int64_t allowed = a != YES ? 0 : self ? 1 : tuple_length(match_args);
        if (a == YES && allowed < positional) {
            raise_type_error(th, "%N() accepts %lld positional sub-pattern%s (%lld given)",
                             as_type(type), (long long)allowed, allowed == 1 ? "" : "s",
                             (long long)positional);
            a = FAILED;
        }
        if (a == YES && self) {
            if (!list_append(th, out, subject))
                a = FAILED;
        } else {
            for (int64_t i = 0; a == YES && i < positional; i++) {
                Value name = tuple_item(match_args, i);
                if (!is_exact(name, SHAPE_STR)) {
                    raise_type_error(th, "__match_args__ elements must be strings (got %T)", name);
                    a = FAILED;
                } else {
                    a = match_attribute(th, subject, type, name, seen, out);
                }
            }
        }
    }
    for (int64_t i = 0; a == YES && i < tuple_length(names_); i++) {
        Value name = tuple_item(names_, i);
        if (UNLIKELY(!is_exact(name, SHAPE_STR))) { /* code from outside */
            raise_system_error(th, "a class pattern's attribute is no str but %T", name);
            a = FAILED;
        } else {
            a = match_attribute(th, subject, type, name, seen, out);
        }
    }
    Value result = a == YES ? list_to_tuple(th, out) : a == NO ? NONE : NULL;
    drop_null(th, seen);
    drop_null(th, out);
    drop_null(th, match_args);
    return result;
}

Value
match_keys(Thread *th, Value mapping, Value keys)
{
    int64_t n = tuple_length(keys);
    if (n == 0)
        return retain(th, tuple_empty);
    Value seen = NULL, get = NULL, dummy = NULL, out = NULL, result = NULL;
    seen = set_new(th);
    get = get_attr(th, mapping, NAME(get));
    dummy = type_alloc(th, &object_type, 0);
    out = tuple_new(th, (size_t)n);
    if (seen == NULL || get == NULL || dummy == NULL || out == NULL)
        goto done;
    for (int64_t i = 0; i < n; i++) {
        Value key = tuple_item(keys, i);
        Answer again = set_contains(th, seen, key);
        if (again == YES)
            raise_value_error(th, "mapping pattern checks duplicate key (%R)", key);
        if (again != NO || !set_add(th, seen, key))
            goto done;
        Value v = call_2(th, get, key, dummy);
        if (v == NULL)
            goto done;
        if (v == dummy) {
            drop(th, v);
            result = NONE;
            goto done;
        }
        tuple_init_item(out, i, v);
    }
    result = out;
    out = NULL;
done:
    drop_null(th, seen);
    drop_null(th, get);
    drop_null(th, dummy);
    drop_null(th, out);
    return result;
}

Value
copy_dict_without(Thread *th, Value mapping, Value keys)
{
    Value d = dict_new(th);
    if (d == NULL || !dict_update(th, d, mapping))
        goto fail;
    for (int64_t i = 0; i < tuple_length(keys); i++) {
        Value key = tuple_item(keys, i);
        Answer a = dict_delete(th, d, key);
        if (a == NO)
            raise_key_error(th, key);
        if (a != YES)
            goto fail;
    }
    return d;
fail:
    drop_null(th, d);
    return NULL;
}

/* -- exceptions -- */

Answer
exception_matches_clause(Thread *th, Value exc, Value types)
{
    int64_t n = is_tuple(types) ? tuple_length(types) : 1;
    for (int64_t i = 0; i < n; i++) {
        if (!is_exception_class(is_tuple(types) ? tuple_item(types, i) : types)) {
            raise_type_error(th, "catching classes that do not inherit from BaseException is not "
                                 "allowed");
            return FAILED;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        Value t = is_tuple(types) ? tuple_item(types, i) : types;
        if (type_is_subtype(type_of(exc), as_type(t)))
            return YES;
    }
    return NO;
}

/* -- module level -- */

bool
setup_annotations(Thread *th, Frame *f)
{
    Value name = NAME(__annotations__), v = NULL;
    if (f->locals == NULL) {
        raise_system_error(th, "no locals found when setting up annotations");
        return false;
    }
    if (is_exact(f->locals, SHAPE_DICT)) {
        Answer a = dict_contains(th, f->locals, name);
        if (a != NO)
            return a == YES;
    } else {
        v = get_item(th, f->locals, name);
        if (v != NULL) {
            drop(th, v);
            return true;
        }
        if (!error_matches(th, &exc_KeyError))
            return false;
        error_clear(th);
    }
    v = dict_new(th);
    if (v == NULL)
        return false;
    bool ok = set_item(th, f->locals, name, v);
    drop(th, v);
    return ok;
}

bool
print_expr(Thread *th, Value v)
{
    Value hook = upcalls.sys_get(th, "displayhook");
    if (hook == NULL) {
        if (!error_set(th))
            raise_error(th, &exc_RuntimeError, "lost sys.displayhook");
        return false;
    }
    Value r = call_1(th, hook, v);
    drop(th, hook);
    drop_null(th, r);
    return r != NULL;
}
