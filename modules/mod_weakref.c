/* mod_weakref.c -- module _weakref. */
#include "core/run/run.h"
#include "modules/modules.h"

#include "gc/weakref.h"

static Value
weakref_count(Thread *th, Value self, Value v)
{
    (void)self;
    if (!value_is_object(v))
        return value_from_fixnum(0);
    return value_from_fixnum((int64_t)weak_cells_of(value_object(v), NULL, th, NULL));
}

typedef struct Found {
    Value items[64];
    size_t count, skipped;
} Found;

/* Under the stripe's lock: only counts are taken. */
static void
collect_cell(Thread *th, WeakCell *cell, void *arg)
{
    Found *f = arg;
    if (f->count < ARRAY_LEN(f->items) && object_try_retain(th, &cell->head))
        f->items[f->count++] = value_of(cell);
    else
        f->skipped++;
}

static Value
weakref_list(Thread *th, Value self, Value v)
{
    (void)self;
    Value list = list_new(th, 0);
    if (list == NULL || !value_is_object(v))
        return list;
    Found found = {.count = 0};
    weak_cells_of(value_object(v), collect_cell, th, &found);
    for (size_t i = 0; i < found.count; i++)
        if (list == NULL)
            drop(th, found.items[i]);
        else if (!list_append_steal(th, list, found.items[i]))
            DROP_CLEAR(th, list);
    return list;
}

static Value
weakref_proxy(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    return weakproxy_new(th, arg(a, 0), n > 1 && arg(a, 1) != NONE ? arg(a, 1) : NULL);
}

static Value
weakref_remove_dead(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    Value d = arg(a, 0), v;
    if (!is_dict(d))
        return raise_type_error(th, "_remove_dead_weakref() argument 1 must be dict, not %B", d);
    /* One step: the entry goes only while it holds the dead reference that was seen. */
    for (;;) {
        Answer have = dict_get(th, d, arg(a, 1), &v);
        if (have != YES)
            return have == NO ? NONE : NULL;
        if (!is_instance_of(v, &weakref_type)) {
            drop(th, v);
            return raise_type_error(th, "not a weakref");
        }
        Value live = weakref_get(th, v);
        if (live) {
            drop(th, live);
            drop(th, v);
            return NONE;
        }
        Value removed = NULL;
        Answer popped = dict_pop(th, d, arg(a, 1), &removed);
        if (popped == YES && removed != v) { /* another thread stored a new one: put it back */
            Value now = dict_set_default(th, d, arg(a, 1), removed);
            drop_null(th, now);
        }
        drop_null(th, removed);
        drop(th, v);
        return popped == FAILED ? NULL : NONE;
    }
}

static const MethodDef weakref_methods[] = {
    NATIVE_1("getweakrefcount", weakref_count, "getweakrefcount($module, object, /)\n--\n\nReturn the number of weak references to 'object'."),
    NATIVE_1("getweakrefs", weakref_list, "getweakrefs($module, object, /)\n--\n\nReturn a list of all weak reference objects pointing to 'object'."),
    NATIVE_N("proxy", weakref_proxy, 1, 2, "proxy($module, object, callback=None, /)\n--\n\nCreate a proxy object that weakly references 'object'."),
    NATIVE_N("_remove_dead_weakref", weakref_remove_dead, 2, 2, "_remove_dead_weakref($module, dct, key, /)\n--\n\nAtomically remove key from dict if it points to a dead weakref."),
    NATIVE_END,
};

static bool
weakref_exec(Thread *th, Value m)
{
    return module_add(th, m, "ref", retain(th, value_of_type(&weakref_type))) &&
           module_add(th, m, "ReferenceType", retain(th, value_of_type(&weakref_type))) &&
           module_add(th, m, "ProxyType", retain(th, value_of_type(&weakproxy_type))) &&
           module_add(th, m, "CallableProxyType", retain(th, value_of_type(&weakcallableproxy_type)));
}

const ModuleSpec weakref_module = {
    .name = "_weakref",
    .doc = "Weak-reference support module.",
    .methods = weakref_methods,
    .exec = weakref_exec,
};
