/* object_reduce.c -- how any object is pickled and copied: object.__reduce_ex__, __getstate__.
 *
 * Protocol 2 and above say "call cls.__new__ with these arguments, then set this state";
 * below, copyreg's Python code decides.  No state, no locks.
 */
#include "objects/model/type_priv.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"
#include "threads/interp.h"

static Value
copyreg_attr(Thread *th, const char *name)
{
    Value loaded = th->interp->modules;
    Value module = loaded ? dict_get_c(th, loaded, "copyreg") : NULL;
    if (module == NULL)
        module = upcalls.import_module(th, "copyreg");
    if (module == NULL)
        return NULL;
    Value v = get_attr_c(th, module, name);
    drop(th, module);
    return v;
}

/* -- __getstate__ -- */

/* The names of all __slots__ of a class: a list or None. */
static Value
slot_names_of(Thread *th, Type *type)
{
    Value d = field_read(th, &type->ops.head, &type->dict);
    Value found = d ? dict_get_str(th, d, NAME(__slotnames__)) : NULL;
    drop_null(th, d);
    if (found != NULL) {
        if (found == NONE || is_list(found))
            return found;
        raise_type_error(th, "%N.__slotnames__ should be a list or None, not %T", type, found);
        drop(th, found);
        return NULL;
    }
    Value f = error_set(th) ? NULL : copyreg_attr(th, "_slotnames");
    Value r = f ? call_1(th, f, value_of_type(type)) : NULL;
    drop_null(th, f);
    if (r != NULL && r != NONE && !is_list(r)) {
        raise_type_error(th, "copyreg._slotnames didn't return a list or None");
        DROP_CLEAR(th, r);
    }
    return r;
}

/* The values of the __slots__ that are set, by name; NULL without exception: none. */
static Value
slot_state(Thread *th, Value self, Value slot_list)
{
    Value state = dict_new(th);
    for (int64_t i = 0; state; i++) {
        Value name = list_get(th, slot_list, i);
        if (name == NULL)
            break;
        Value v;
        Answer has = get_attr_optional(th, self, name, &v);
        bool ok = has == NO || (has == YES && dict_set(th, state, name, v));
        drop_null(th, v);
        drop(th, name);
        if (!ok)
            DROP_CLEAR(th, state);
    }
    if (state && dict_length(state) == 0)
        DROP_CLEAR(th, state);
    return state;
}

/* `required`: the state is all there is, so a C struct's own fields would be lost. */
static Value
default_state(Thread *th, Value self, bool required)
{
    Type *type = type_of(self);
    const TypeExtra *x = type->extra;
    if (required && type->item_size != 0)
        return raise_type_error(th, "cannot pickle %T objects", self);
    Value state;
    if (type->attrs_offset != 0 || x->own_dict == OWN_DICT_MODULE) {
        bool none;
        state = instance_dict_copy(th, self, &none);
        if (state && dict_length(state) == 0) {
            drop(th, state);
            state = retain(th, NONE);
        }
    } else {
        state = retain(th, NONE);
    }
    if (state == NULL)
        return NULL;
    Value slot_list = slot_names_of(th, type);
    if (slot_list == NULL) {
        drop(th, state);
        return NULL;
    }
    if (required && (x->slots_start > sizeof(struct Object) || x->tail)) {
        raise_type_error(th, "cannot pickle '%T' object", self);
        DROP_CLEAR(th, state);
    } else if (slot_list != NONE && list_length(slot_list) > 0) {
        Value by_name = slot_state(th, self, slot_list);
        if (by_name != NULL) {
            Value pair = tuple_pack(th, 2, state, by_name);
            drop(th, state);
            drop(th, by_name);
            state = pair;
        } else if (error_set(th)) {
            DROP_CLEAR(th, state);
        }
    }
    drop(th, slot_list);
    return state;
}

Value
object_getstate(Thread *th, Value self)
{
    return default_state(th, self, false);
}

static Value
state_of(Thread *th, Value self, bool required)
{
    Value f = get_attr(th, self, NAME(__getstate__));
    if (f == NULL)
        return NULL;
    Value r;
    NativeFunction *native = (NativeFunction *)(void *)value_object(f);
    if (is_exact(f, SHAPE_NATIVE_FUNCTION) && native->self == self &&
        native->def->f0 == object_getstate)
        r = default_state(th, self, required);
    else
        r = call_0(th, f);
    drop(th, f);
    return r;
}

/* -- the arguments of __new__ -- */

/* False: exception.  *args NULL: the class says nothing about them. */
static bool
new_arguments(Thread *th, Value self, Value *args, Value *kwargs)
{
    *args = *kwargs = NULL;
    bool missing;
    Value r = call_special(th, self, NAME(__getnewargs_ex__), NULL, 0, &missing);
    if (!missing) {
        if (r == NULL)
            return false;
        if (!is_tuple(r)) {
            raise_type_error(th, "__getnewargs_ex__ should return a tuple, not '%T'", r);
        } else if (tuple_length(r) != 2) {
            raise_value_error(th, "__getnewargs_ex__ should return a tuple of length 2, not %ld",
                              (long)tuple_length(r));
        } else if (!is_tuple(tuple_item(r, 0))) {
            raise_type_error(th, "first item of the tuple returned by __getnewargs_ex__ must be a "
                                 "tuple, not '%T'", tuple_item(r, 0));
        } else if (!is_dict(tuple_item(r, 1))) {
            raise_type_error(th, "second item of the tuple returned by __getnewargs_ex__ must be "
                                 "a dict, not '%T'", tuple_item(r, 1));
        } else {
            *args = retain(th, tuple_item(r, 0));
            *kwargs = retain(th, tuple_item(r, 1));
        }
        drop(th, r);
        return *args != NULL;
    }
    r = call_special(th, self, NAME(__getnewargs__), NULL, 0, &missing);
    if (missing)
        return true;
    if (r != NULL && !is_tuple(r)) {
        raise_type_error(th, "__getnewargs__ should return a tuple, not '%T'", r);
        DROP_CLEAR(th, r);
    }
    *args = r;
    return r != NULL;
}

/* Iterators over the items of lists and dicts, else None. */
static bool
item_iterators(Thread *th, Value self, Value *items, Value *pairs)
{
    *items = *pairs = NULL;
    if (is_list(self)) {
        *items = get_iter(th, self);
        if (*items == NULL)
            return false;
    } else {
        *items = retain(th, NONE);
    }
    if (!is_dict(self)) {
        *pairs = retain(th, NONE);
        return true;
    }
    Value view = call_method_0(th, self, NAME(items));
    *pairs = view ? get_iter(th, view) : NULL;
    drop_null(th, view);
    return *pairs != NULL;
}

/* (cls, *args) */
static Value
class_and_args(Thread *th, Value cls, Value args)
{
    int64_t n = args ? tuple_length(args) : 0;
    Value t = tuple_new(th, (size_t)n + 1);
    if (t == NULL)
        return NULL;
    tuple_init_item(t, 0, retain(th, cls));
    for (int64_t i = 0; i < n; i++)
        tuple_init_item(t, i + 1, retain(th, tuple_item(args, i)));
    return t;
}

static Value
reduce_new(Thread *th, Value self)
{
    Type *type = type_of(self);
    Value cls = value_of_type(type);
    if (SLOT(type, new) == NULL)
        return raise_type_error(th, "cannot pickle '%T' object", self);
    Value args, kwargs;
    if (!new_arguments(th, self, &args, &kwargs))
        return NULL;
    bool has_args = args != NULL;
    bool keywords = kwargs && dict_length(kwargs) != 0;
    Value maker = copyreg_attr(th, keywords ? "__newobj_ex__" : "__newobj__");
    Value how = NULL, state = NULL, items = NULL, pairs = NULL, result = NULL;
    if (maker == NULL)
        goto done;
    how = keywords ? tuple_pack(th, 3, cls, args, kwargs) : class_and_args(th, cls, args);
    if (how == NULL)
        goto done;
    state = state_of(th, self, !has_args && !is_list(self) && !is_dict(self));
    if (state == NULL || !item_iterators(th, self, &items, &pairs))
        goto done;
    result = tuple_pack(th, 5, maker, how, state, items, pairs);
done:
    drop_null(th, args);
    drop_null(th, kwargs);
    drop_null(th, maker);
    drop_null(th, how);
    drop_null(th, state);
    drop_null(th, items);
    drop_null(th, pairs);
    return result;
}

static Value
reduce_by_protocol(Thread *th, Value self, int64_t protocol)
{
    if (protocol >= 2)
        return reduce_new(th, self);
    Value f = copyreg_attr(th, "_reduce_ex");
    if (f == NULL)
        return NULL;
    Value r = call_2(th, f, self, value_from_fixnum(protocol));
    drop(th, f);
    return r;
}

Value
object_reduce(Thread *th, Value self)
{
    return reduce_by_protocol(th, self, 0);
}

Value
object_reduce_ex(Thread *th, Value self, Value protocol)
{
    int number;
    if (!arg_int(th, protocol, &number))
        return NULL;
    Value reduce;
    Answer has = get_attr_optional(th, self, NAME(__reduce__), &reduce);
    if (has == FAILED)
        return NULL;
    if (has == YES) {
        /* A class with a __reduce__ of its own is asked. */
        Value of_class = type_lookup(th, type_of(self), NAME(__reduce__));
        Value of_object = type_lookup(th, &object_type, NAME(__reduce__));
        bool own = of_class != of_object;
        drop_null(th, of_class);
        drop_null(th, of_object);
        if (own) {
            Value r = call_0(th, reduce);
            drop(th, reduce);
            return r;
        }
        drop(th, reduce);
    }
    return reduce_by_protocol(th, self, number);
}
