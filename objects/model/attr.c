/* attr.c -- getting, setting and deleting attributes.
 *
 * The order of the default lookup: data descriptors of the type, the instance's own
 * attributes, the type's other attributes.  Names are interned before they reach a slot.
 * No state, no locks: type_lookup.c and instance.c hold the protocols.
 */
#include "objects/model/type_priv.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"

Value
name_interned(Thread *th, Value name)
{
    Value plain = str_intern(th, retain(th, name));
    if (plain != NULL && UNLIKELY(!str_is_interned(plain))) { /* the table could not grow */
        drop(th, plain);
        return raise_memory(th);
    }
    return plain;
}

COLD bool
raise_bad_name(Thread *th, Value name)
{
    raise_type_error(th, "attribute name must be string, not '%T'", name);
    return false;
}

/* Setting or deleting fails: the error does not name the object. */
static COLD void
raise_no_attribute(Thread *th, Value o, Value name)
{
    raise_error(th, &exc_AttributeError, "'%T' object has no attribute '%V'", o, name);
}

/* -- the default for instances -- */

/* `d` is what the type has under the name, or NULL. */
static inline Answer
get_attr_found(Thread *th, Value o, Value name, Value STEALS d, Value *out)
{
    Type *t = type_of(o);
    DescrGetFn get = NULL;
    *out = NULL;
    if (d != NULL) {
        get = SLOT(type_of(d), descr_get);
        if (get != NULL && SLOT(type_of(d), descr_set) != NULL) {
            *out = get(th, d, o, value_of_type(t));
            drop(th, d);
            return *out ? YES : FAILED;
        }
    }
    if (t->attrs_offset != 0 || t->extra->own_dict) {
        Value v = instance_get(th, o, name);
        if (v != NULL) {
            drop_null(th, d);
            *out = v;
            return YES;
        }
        if (UNLIKELY(error_set(th))) { /* an odd key's __eq__ */
            drop_null(th, d);
            return FAILED;
        }
    }
    if (d == NULL)
        return NO;
    if (get == NULL) {
        *out = d;
        return YES;
    }
    *out = get(th, d, o, value_of_type(t));
    drop(th, d);
    return *out ? YES : FAILED;
}

Answer
generic_get_attr_optional(Thread *th, Value o, Value name, Value *out)
{
    return get_attr_found(th, o, name, type_lookup(th, type_of(o), name), out);
}

Value
generic_get_attr_found(Thread *th, Value o, Value name, Value STEALS d)
{
    Value v;
    if (get_attr_found(th, o, name, d, &v) == NO)
        return raise_attribute_error(th, o, name);
    return v;
}

Value
generic_get_attr(Thread *th, Value o, Value name)
{
    if (UNLIKELY(!is_plain_name(name)))
        return get_attr_by(th, o, name, generic_get_attr);
    return generic_get_attr_found(th, o, name, type_lookup(th, type_of(o), name));
}

bool
generic_set_attr(Thread *th, Value o, Value name, Value v)
{
    if (UNLIKELY(!is_plain_name(name)))
        return set_attr_by(th, o, name, v, generic_set_attr);
    Type *t = type_of(o);
    Value d = type_lookup(th, t, name);
    bool ok = false;
    DescrSetFn set;
    if (d != NULL && (set = SLOT(type_of(d), descr_set)) != NULL) {
        ok = set(th, d, o, v);
    } else if (instance_has_dict(o)) {
        if (v != NULL) {
            ok = instance_set(th, o, name, v);
        } else {
            Answer there = instance_delete(th, o, name);
            ok = there == YES;
            if (there == NO)
                raise_no_attribute(th, o, name);
        }
        /* What a key's __eq__ raised passes for a key that is not there. */
        if (UNLIKELY(!ok) && error_matches(th, &exc_KeyError)) {
            error_clear(th);
            raise_no_attribute(th, o, name);
        }
    } else if (d == NULL) {
        raise_no_attribute(th, o, name);
    } else {
        raise_error(th, &exc_AttributeError, "'%T' object attribute '%V' is read-only", o, name);
    }
    drop_null(th, d);
    return ok;
}

/* -- the same for types -- */

static COLD Value
raise_type_attribute(Thread *th, Value type, Value name)
{
    raise_error(th, &exc_AttributeError, "type object '%N' has no attribute '%V'", as_type(type),
                name);
    attribute_error_complete(th, type, name);
    return NULL;
}

Answer
type_get_attr_optional(Thread *th, Value v, Value name, Value *out)
{
    Type *type = as_type(v);
    Type *meta = type_of(v);
    *out = NULL;
    Value of_meta = type_lookup(th, meta, name);
    DescrGetFn get = of_meta ? SLOT(type_of(of_meta), descr_get) : NULL;
    if (get != NULL && SLOT(type_of(of_meta), descr_set) != NULL) {
        *out = get(th, of_meta, v, value_of_type(meta));
        drop(th, of_meta);
        return *out ? YES : FAILED;
    }
    Value own = type_lookup(th, type, name);
    if (own != NULL) {
        drop_null(th, of_meta);
        DescrGetFn own_get = SLOT(type_of(own), descr_get);
        if (own_get == NULL) {
            *out = own;
            return YES;
        }
        *out = own_get(th, own, NULL, v);
        drop(th, own);
        return *out ? YES : FAILED;
    }
    if (of_meta == NULL)
        return NO;
    if (get == NULL) {
        *out = of_meta;
        return YES;
    }
    *out = get(th, of_meta, v, value_of_type(meta));
    drop(th, of_meta);
    return *out ? YES : FAILED;
}

Value
type_get_attr(Thread *th, Value type, Value name)
{
    if (UNLIKELY(!is_plain_name(name)))
        return get_attr_by(th, type, name, type_get_attr);
    Value v;
    if (type_get_attr_optional(th, type, name, &v) == NO)
        return raise_type_attribute(th, type, name);
    return v;
}

static inline bool
is_dunder_like(Value name)
{
    const Str *s = as_str(name);
    return s->length >= 2 && str_char(s, 0) == '_' && str_char(s, 1) == '_';
}

/* Whether setting `name` to v cannot change which attributes are data descriptors. */
static bool
is_mild(Thread *th, Value dict, Value name, Value v)
{
    if (is_dunder_like(name) || (v && SLOT(type_of(v), descr_set)))
        return false;
    Value old;
    bool mild = dict_get_str_quiet(th, dict, name, &old) != FAILED &&
                (old == NULL || SLOT(type_of(old), descr_set) == NULL);
    drop_null(th, old);
    return mild;
}

/* Sets or deletes an entry of the type's dict. */
static bool
type_dict_set(Thread *th, Type *type, Value name, Value v)
{
    Value d = field_read(th, &type->ops.head, &type->dict);
    if (d == NULL) {
        raise_type_attribute(th, value_of_type(type), name);
        return false;
    }
    bool ok;
    if (is_mild(th, d, name, v))
        type_modify_begin_mild(th, type, name);
    else
        type_modify_begin(th, type, name);
    if (v != NULL) {
        ok = dict_set(th, d, name, v);
    } else {
        Answer there = dict_delete(th, d, name);
        ok = there == YES;
        if (there == NO)
            raise_error(th, &exc_AttributeError, "type object '%N' has no attribute '%V'", type,
                        name);
    }
    type_modify_end(th);
    drop(th, d);
    if (ok && slot_name_is_dunder(name))
        slots_update_tree(th, type, name);
    return ok;
}

bool
type_set_attr(Thread *th, Value v, Value name, Value value)
{
    if (UNLIKELY(!is_plain_name(name)))
        return set_attr_by(th, v, name, value, type_set_attr);
    Type *type = as_type(v);
    if (type_flags(type) & TYPE_IMMUTABLE) {
        raise_type_error(th, "cannot set '%V' attribute of immutable type '%N'", name, type);
        return false;
    }
    Value d = type_lookup(th, type_of(v), name);
    DescrSetFn set = d ? SLOT(type_of(d), descr_set) : NULL;
    bool ok = set ? set(th, d, v, value) : type_dict_set(th, type, name, value);
    drop_null(th, d);
    return ok;
}

/* -- any value -- */

Value
get_attr_by(Thread *th, Value o, Value name, GetAttrFn fn)
{
    if (!is_str(name)) {
        raise_bad_name(th, name);
        return NULL;
    }
    Value plain = name_interned(th, name);
    if (plain == NULL)
        return NULL;
    Value v = fn(th, o, plain);
    drop(th, plain);
    return v;
}

bool
set_attr_by(Thread *th, Value o, Value name, Value v, SetAttrFn fn)
{
    if (!is_str(name))
        return raise_bad_name(th, name);
    Value plain = name_interned(th, name);
    if (plain == NULL)
        return false;
    bool ok = fn(th, o, plain, v);
    drop(th, plain);
    return ok;
}

Value
get_attr(Thread *th, Value o, Value name)
{
    if (UNLIKELY(!is_plain_name(name)))
        return get_attr_by(th, o, name, get_attr);
    GetAttrFn fn = SLOT(type_of(o), getattr);
    if (!stack_check(th))
        return NULL;
    Value v = fn(th, o, name);
    if (UNLIKELY(v == NULL))
        attribute_error_complete(th, o, name);
    return v;
}

bool
set_attr(Thread *th, Value o, Value name, Value v)
{
    if (UNLIKELY(!is_plain_name(name)))
        return set_attr_by(th, o, name, v, set_attr);
    SetAttrFn fn = SLOT(type_of(o), setattr);
    return stack_check(th) && fn(th, o, name, v);
}

Answer
get_attr_optional(Thread *th, Value o, Value name, Value *out)
{
    *out = NULL;
    if (UNLIKELY(!is_plain_name(name))) {
        if (!is_str(name)) {
            raise_bad_name(th, name);
            return FAILED;
        }
        Value plain = name_interned(th, name);
        if (plain == NULL)
            return FAILED;
        Answer a = get_attr_optional(th, o, plain, out);
        drop(th, plain);
        return a;
    }
    GetAttrFn fn = SLOT(type_of(o), getattr);
    Answer a;
    if (!stack_check(th))
        return FAILED;
    if (fn == generic_get_attr) {
        a = generic_get_attr_optional(th, o, name, out);
    } else if (fn == type_get_attr) {
        a = type_get_attr_optional(th, o, name, out);
    } else if (fn == module_getattr) {
        a = module_getattr_optional(th, o, name, out);
    } else {
        *out = fn(th, o, name);
        a = *out ? YES : FAILED;
    }
    if (UNLIKELY(a == FAILED) && error_matches(th, &exc_AttributeError)) {
        error_clear(th);
        a = NO;
    }
    return a;
}

Value
get_attr_c(Thread *th, Value o, const char *name)
{
    Value n = str_intern_c(th, name);
    if (n == NULL)
        return NULL;
    Value v = get_attr(th, o, n);
    drop(th, n);
    return v;
}

bool
set_attr_c(Thread *th, Value o, const char *name, Value v)
{
    Value n = str_intern_c(th, name);
    if (n == NULL)
        return false;
    bool ok = set_attr(th, o, n, v);
    drop(th, n);
    return ok;
}

Answer
has_attr(Thread *th, Value o, Value name)
{
    Value v;
    Answer a = get_attr_optional(th, o, name, &v);
    drop_null(th, v);
    return a;
}

Value
lookup_special(Thread *th, Value self, Value name)
{
    Type *t = type_of(self);
    Value f = type_lookup(th, t, name);
    DescrGetFn get = f ? SLOT(type_of(f), descr_get) : NULL;
    if (get == NULL)
        return f;
    Value bound = get(th, f, self, value_of_type(t));
    drop(th, f);
    return bound;
}
