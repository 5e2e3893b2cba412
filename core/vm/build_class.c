/* build_class.c -- the class statement: __build_class__(function, name, *bases, **keywords). */
#include "core/vm/internal.h"

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/type_priv.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

/* The bases with __mro_entries__ applied: a new tuple; `bases` itself if nothing changes. */
static Value
update_bases(Thread *th, Value bases)
{
    Value list = NULL;
    for (int64_t i = 0; i < tuple_length(bases); i++) {
        Value base = tuple_item(bases, i), entries = NULL, made;
        if (!is_type(base) &&
            get_attr_optional(th, base, NAME(__mro_entries__), &entries) == FAILED)
            goto fail;
        if (entries == NULL) {
            if (list != NULL && !list_append(th, list, base))
                goto fail;
            continue;
        }
        made = call_1(th, entries, bases);
        drop(th, entries);
        if (made == NULL)
            goto fail;
        if (!is_tuple(made)) {
            drop(th, made);
            raise_type_error(th, "__mro_entries__ must return a tuple");
            goto fail;
        }
        if (list == NULL) {
            list = list_of(th, as_tuple(bases)->items, (size_t)i);
            if (list == NULL) {
                drop(th, made);
                goto fail;
            }
        }
        bool ok = list_extend(th, list, made);
        drop(th, made);
        if (!ok)
            goto fail;
    }
    if (list == NULL)
        return retain(th, bases);
    Value t = list_to_tuple(th, list);
    drop(th, list);
    return t;
fail:
    drop_null(th, list);
    return NULL;
}

/* The keywords but `metaclass`, as a dict; *meta: that one, a new reference, or NULL. */
static Value
keyword_dict(Thread *th, const Arg *values, Value kwnames, Value *meta)
{
    *meta = NULL;
    Value d = dict_new(th);
    for (int64_t i = 0; d != NULL && kwnames != NULL && i < tuple_length(kwnames); i++) {
        Value name = tuple_item(kwnames, i), v = arg(values, (size_t)i);
        if (str_equal_ascii(name, "metaclass"))
            *meta = retain(th, v);
        else if (!dict_set(th, d, name, v))
            DROP_CLEAR(th, d);
    }
    if (d == NULL)
        DROP_CLEAR(th, *meta);
    return d;
}

static Value
prepare_namespace(Thread *th, Value meta, Value name, Value bases, Value keywords)
{
    Value prepare, ns;
    if (get_attr_optional(th, meta, NAME(__prepare__), &prepare) == FAILED)
        return NULL;
    if (prepare == NULL)
        return dict_new(th);
    Value args = tuple_pack(th, 2, name, bases);
    ns = args ? call_tuple_dict(th, prepare, args, keywords) : NULL;
    drop_null(th, args);
    drop(th, prepare);
    if (ns != NULL && !is_mapping(ns)) {
        if (is_type(meta))
            raise_type_error(th, "%N.__prepare__() must return a mapping, not %T", as_type(meta),
                             ns);
        else
            raise_type_error(th, "<metaclass>.__prepare__() must return a mapping, not %T", ns);
        DROP_CLEAR(th, ns);
    }
    return ns;
}

/* The class cell that the body left must refer to the class that was made. */
static bool
check_cell(Thread *th, Value cell, Value cls, Value name)
{
    if (!is_type(cls) || !is_exact(cell, SHAPE_CELL))
        return true;
    Cell *c = (Cell *)(void *)value_object(cell);
    Value have = field_read(th, &c->head, &c->content);
    bool ok = have == cls;
    if (have == NULL)
        raise_error(th, &exc_RuntimeError,
                    "__class__ not set defining %R as %R. Was __classcell__ propagated to "
                    "type.__new__?",
                    name, cls);
    else if (!ok)
        raise_type_error(th, "__class__ set to %R defining %R as %R", have, name, cls);
    drop_null(th, have);
    return ok;
}

Value
vm_build_class(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    (void)self;
    if (nargs < 2)
        return raise_type_error(th, "__build_class__: not enough arguments");
    Value function = arg(args, 0), name = arg(args, 1);
    if (!is_function(function))
        return raise_type_error(th, "__build_class__: func must be a function");
    if (!is_str(name))
        return raise_type_error(th, "__build_class__: name is not a string");
    Value given = NULL, bases = NULL, keywords = NULL, meta = NULL, ns = NULL, cell = NULL;
    Value cls = NULL;
    bool is_class = true;
    given = nargs > 2 ? tuple_of_args(th, args + 2, nargs - 2) : retain(th, tuple_empty);
    if (given == NULL)
        return NULL;
    bases = update_bases(th, given);
    if (bases == NULL)
        goto done;
    keywords = keyword_dict(th, args + nargs, kwnames, &meta);
    if (keywords == NULL)
        goto done;
    if (meta == NULL) {
        Type *t = tuple_length(bases) ? type_of(tuple_item(bases, 0)) : &type_type;
        meta = retain(th, value_of_type(t));
    } else {
        is_class = is_type(meta);
    }
    if (is_class) {
        Type *winner = metatype_derive(th, as_type(meta), bases);
        if (winner == NULL)
            goto done;
        if (value_of_type(winner) != meta) {
            drop(th, meta);
            meta = retain(th, value_of_type(winner));
        }
    }
    ns = prepare_namespace(th, meta, name, bases, keywords);
    if (ns == NULL)
        goto done;
    cell = function_run_in(th, function, ns);
    if (cell == NULL)
        goto done;
    if (bases != given) {
        bool ok = is_exact(ns, SHAPE_DICT) ? dict_set(th, ns, NAME(__orig_bases__), given)
                                           : set_item(th, ns, NAME(__orig_bases__), given);
        if (!ok)
            goto done;
    }
    Value three = tuple_pack(th, 3, name, bases, ns);
    if (three == NULL)
        goto done;
    cls = call_tuple_dict(th, meta, three, keywords);
    drop(th, three);
    if (cls != NULL && !check_cell(th, cell, cls, name))
        DROP_CLEAR(th, cls);
done:
    drop(th, given);
    drop_null(th, bases);
    drop_null(th, keywords);
    drop_null(th, meta);
    drop_null(th, ns);
    drop_null(th, cell);
    return cls;
}
