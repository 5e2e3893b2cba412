/* pickle_global.c -- finding things by module and name, in both directions, and the memos.
 *
 * Stateless but for what the caller owns.
 */
#include "modules/pickle.h"

#include "core/run/run.h"
#include "objects/model/upcall.h"

/* -- the memo of a writer -------------------------------------------------------------------- */

static size_t
memo_place(const Memo *m, Value object)
{
    uint64_t h = (uint64_t)(uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(h >> 20) & (m->capacity - 1);
    while (m->table[i].object != NULL && m->table[i].object != object)
        i = (i + 1) & (m->capacity - 1);
    return i;
}

const MemoEntry *
memo_find(const Memo *m, Value object)
{
    if (m->count == 0)
        return NULL;
    const MemoEntry *e = &m->table[memo_place(m, object)];
    return e->object ? e : NULL;
}

static bool
memo_resize(Thread *th, Memo *m, size_t capacity)
{
    Memo grown = {.capacity = capacity, .count = m->count};
    grown.table = buffer_new_zeroed(th, capacity * sizeof(MemoEntry));
    if (grown.table == NULL)
        return false;
    for (size_t i = 0; i < m->capacity; i++)
        if (m->table[i].object != NULL)
            grown.table[memo_place(&grown, m->table[i].object)] = m->table[i];
    buffer_free(m->table);
    *m = grown;
    return true;
}

bool
memo_add(Thread *th, Memo *m, Value object, size_t number)
{
    if (m->count * 3 >= m->capacity * 2 && !memo_resize(th, m, m->capacity ? m->capacity * 4 : 32))
        return false;
    MemoEntry *e = &m->table[memo_place(m, object)];
    if (e->object == NULL) {
        e->object = retain(th, object);
        m->count++;
    }
    e->number = number;
    return true;
}

bool
memo_copy(Thread *th, Memo *to, const Memo *from)
{
    *to = (Memo){.capacity = from->capacity, .count = from->count};
    if (from->capacity == 0)
        return true;
    to->table = buffer_new(th, from->capacity * sizeof(MemoEntry));
    if (to->table == NULL)
        return false;
    for (size_t i = 0; i < from->capacity; i++) {
        to->table[i] = from->table[i];
        retain_null(th, to->table[i].object);
    }
    return true;
}

void
memo_clear(Thread *th, Memo *m)
{
    Memo old = *m;
    *m = (Memo){0};
    for (size_t i = 0; i < old.capacity; i++)
        drop_null(th, old.table[i].object);
    buffer_free(old.table);
}

void
memo_visit(const Memo *m, VisitFn visit, void *arg)
{
    for (size_t i = 0; i < m->capacity; i++)
        value_visit(m->table[i].object, visit, arg);
}

/* -- the memo of a reader -------------------------------------------------------------------- */

/* Makes room for number `number`, which is not much larger than the count. */
static bool
slots_grow(Thread *th, Slots *s, size_t number)
{
    size_t capacity = s->capacity ? s->capacity : 32;
    while (capacity <= number)
        capacity *= 2;
    Value *items = s->items ? buffer_resize(th, s->items, capacity * sizeof(Value))
                            : buffer_new(th, capacity * sizeof(Value));
    if (items == NULL)
        return false;
    memset(items + s->capacity, 0, (capacity - s->capacity) * sizeof(Value));
    s->items = items;
    s->capacity = capacity;
    return true;
}

bool
slots_put(Thread *th, Slots *s, uint64_t number, Value v)
{
    if (number < s->capacity || number <= s->count * 4 + 1024) {
        if (number >= s->capacity && !slots_grow(th, s, (size_t)number))
            return false;
        Value old = s->items[number];
        s->items[number] = retain(th, v);
        s->count += old == NULL;
        drop_null(th, old);
        return true;
    }
    if (s->others == NULL && (s->others = dict_new(th)) == NULL)
        return false;
    Value key = int_from_u64(th, number);
    bool ok = key != NULL && dict_set(th, s->others, key, v);
    drop_null(th, key);
    return ok;
}

Value
slots_get(Thread *th, const Slots *s, uint64_t number)
{
    if (number < s->capacity && s->items[number] != NULL)
        return retain(th, s->items[number]);
    Value key = s->others ? int_from_u64(th, number) : NULL, v = NULL;
    if (key != NULL)
        (void)dict_get(th, s->others, key, &v);
    drop_null(th, key);
    return v;
}

bool
slots_copy(Thread *th, Slots *to, const Slots *from)
{
    *to = (Slots){0};
    if (from->others != NULL && (to->others = dict_copy(th, from->others)) == NULL)
        return false;
    for (size_t i = from->capacity; i-- > 0;)
        if (from->items[i] != NULL && i >= to->capacity && !slots_grow(th, to, i))
            return false;
    for (size_t i = 0; i < from->capacity; i++)
        if (from->items[i] != NULL)
            to->items[i] = retain(th, from->items[i]);
    to->count = from->count;
    return true;
}

void
slots_clear(Thread *th, Slots *s)
{
    Slots old = *s;
    *s = (Slots){0};
    for (size_t i = 0; i < old.capacity; i++)
        drop_null(th, old.items[i]);
    drop_null(th, old.others);
    buffer_free(old.items);
}

void
slots_visit(const Slots *s, VisitFn visit, void *arg)
{
    for (size_t i = 0; i < s->capacity; i++)
        value_visit(s->items[i], visit, arg);
    value_visit(s->others, visit, arg);
}

/* -- the proxies of memos -- */

Value
memo_proxy_new(Thread *th, Type *type, Value owner)
{
    Value proxy = type_alloc(th, type, 0);
    if (proxy != NULL)
        ((MemoProxy *)(void *)value_object(proxy))->owner = retain(th, owner);
    return proxy;
}

Value
memo_proxy_of(Value proxy)
{
    return ((MemoProxy *)(void *)value_object(proxy))->owner;
}

Value
memo_proxy_reduce(Thread *th, Value proxy)
{
    Value copy = call_method_0(th, proxy, NAME(copy));
    Value args = copy ? tuple_pack(th, 1, copy) : NULL;
    Value r = args ? tuple_pack(th, 2, value_of_type(&dict_type), args) : NULL;
    drop_null(th, copy);
    drop_null(th, args);
    return r;
}

void
memo_proxy_visit(Object *o, VisitFn visit, void *arg)
{
    value_visit(((MemoProxy *)(void *)o)->owner, visit, arg);
}

void
memo_proxy_dealloc(Thread *th, Object *o)
{
    drop_null(th, ((MemoProxy *)(void *)o)->owner);
}

/* -- the claim ------------------------------------------------------------------------------- */

enum PickleClaim
pickle_claim(Thread *th, uint32_t *user)
{
    uint32_t nobody = 0, me = (uint32_t)th->id + 1;
    /* acquire: pairs with pickle_release() */
    if (__atomic_compare_exchange_n(user, &nobody, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return CLAIM_NEW;
    if (nobody == me)
        return CLAIM_NESTED;
    raise_error(th, &exc_RuntimeError, "another thread is using this object");
    return CLAIM_FAILED;
}

/* -- names ----------------------------------------------------------------------------------- */

Value
pickle_name_parts(Thread *th, Value name, Value where)
{
    Value parts = str_split(th, name, str_latin1('.'), -1), part;
    for (int64_t i = 0; parts != NULL && (part = list_get(th, parts, i)) != NULL; i++) {
        bool local = str_equal_ascii(part, "<locals>");
        drop(th, part);
        if (!local)
            continue;
        if (where == NULL)
            raise_error(th, &exc_AttributeError, "Can't pickle local object %R", name);
        else
            raise_error(th, &exc_AttributeError, "Can't get local attribute %R on %R", name, where);
        DROP_CLEAR(th, parts);
    }
    return parts;
}

Value
pickle_attribute(Thread *th, Value from, Value parts, Value *parent)
{
    Value v = retain(th, from), holder = NULL, part;
    for (int64_t i = 0; v != NULL && (part = list_get(th, parts, i)) != NULL; i++) {
        drop_null(th, holder);
        holder = v;
        v = get_attr(th, holder, part);
        drop(th, part);
    }
    if (parent != NULL && v != NULL)
        *parent = holder;
    else
        drop_null(th, holder);
    return v;
}

/* sys.modules, a new reference. */
static Value
loaded_modules(Thread *th)
{
    Value modules = upcalls.sys_get(th, "modules");
    if (modules == NULL && !error_set(th))
        raise_error(th, &exc_RuntimeError, "lost sys.modules");
    return modules;
}

Value
pickle_import(Thread *th, Value module_name)
{
    Value builtins = upcalls.import_module(th, "builtins");
    Value import = builtins ? get_attr(th, builtins, NAME(__import__)) : NULL;
    drop_null(th, builtins);
    Value top = import ? call_1(th, import, module_name) : NULL;
    drop_null(th, import);
    if (top == NULL)
        return NULL;
    drop(th, top);
    /* __import__() gives the first part of a dotted name. */
    Value modules = loaded_modules(th), module = NULL;
    if (modules == NULL)
        return NULL;
    if (is_dict(modules)) {
        if (dict_get(th, modules, module_name, &module) == NO)
            raise_key_error(th, module_name);
    } else
        module = get_item(th, modules, module_name);
    drop(th, modules);
    return module;
}

/* Whether `object` is what `parts` name in `module`. */
static Answer
is_found_in(Thread *th, Value module, Value parts, Value object)
{
    Value v = pickle_attribute(th, module, parts, NULL);
    if (v == NULL) {
        if (!error_matches(th, &exc_AttributeError))
            return FAILED;
        error_clear(th);
        return NO;
    }
    drop(th, v);
    return v == object ? YES : NO;
}

Value
pickle_which_module(Thread *th, Value object, Value parts)
{
    Value name;
    Answer has = get_attr_optional(th, object, NAME(__module__), &name);
    if (has == FAILED)
        return NULL;
    if (has == YES && name != NONE)
        return name;
    drop_null(th, name);
    /* The attribute is missing: search all modules, in a copy because looking may import. */
    Value modules = loaded_modules(th);
    Value items = modules ? call_method_0(th, modules, NAME(items)) : NULL;
    Value list = items ? sequence_list(th, items) : NULL, pair;
    drop_null(th, modules);
    drop_null(th, items);
    if (list == NULL)
        return NULL;
    Value found = NULL;
    for (int64_t i = 0; found == NULL && (pair = list_get(th, list, i)) != NULL; i++) {
        if (is_exact(pair, SHAPE_TUPLE) && tuple_length(pair) == 2) {
            Value key = tuple_item(pair, 0), module = tuple_item(pair, 1);
            bool main = is_str(key) && str_equal_ascii(key, "__main__");
            Answer here = module == NONE || main ? NO : is_found_in(th, module, parts, object);
            if (here == YES)
                found = retain(th, key);
            if (here == FAILED) {
                drop(th, pair);
                drop(th, list);
                return NULL;
            }
        }
        drop(th, pair);
    }
    drop(th, list);
    return found ? found : retain(th, pickle_state(th)->main);
}

/* -- old names ------------------------------------------------------------------------------- */

/* What a table of _compat_pickle says about a name. */
static Answer
renamed_pair(Thread *th, Value table, const char *title, Value *module, Value *name)
{
    Value key = tuple_pack(th, 2, *module, *name), pair = NULL;
    Answer found = key ? dict_get(th, table, key, &pair) : FAILED;
    drop_null(th, key);
    if (found != YES)
        return found;
    if (!is_tuple(pair) || tuple_length(pair) != 2 || !is_str(tuple_item(pair, 0)) ||
        !is_str(tuple_item(pair, 1))) {
        raise_error(th, &exc_RuntimeError,
                    "_compat_pickle.%s values should be 2-tuples, not %T", title, pair);
        drop(th, pair);
        return FAILED;
    }
    drop(th, *module);
    drop(th, *name);
    *module = retain(th, tuple_item(pair, 0));
    *name = retain(th, tuple_item(pair, 1));
    drop(th, pair);
    return YES;
}

static Answer
renamed_module(Thread *th, Value table, const char *title, Value *module)
{
    Value other = NULL;
    Answer found = dict_get(th, table, *module, &other);
    if (found != YES)
        return found;
    if (!is_str(other)) {
        raise_error(th, &exc_RuntimeError, "_compat_pickle.%s values should be strings, not %T",
                    title, other);
        drop(th, other);
        return FAILED;
    }
    drop(th, *module);
    *module = other;
    return YES;
}

bool
pickle_names_3to2(Thread *th, Value *module, Value *name)
{
    PickleState *st = pickle_state(th);
    Answer found = renamed_pair(th, st->names_3to2, "REVERSE_NAME_MAPPING", module, name);
    if (found == NO)
        found = renamed_module(th, st->imports_3to2, "REVERSE_IMPORT_MAPPING", module);
    return found != FAILED;
}

Value
pickle_find_class(Thread *th, Value module_name, Value name, int protocol, bool fix_imports)
{
    PickleState *st = pickle_state(th);
    Value both = tuple_pack(th, 2, module_name, name);
    bool allowed = both != NULL && upcalls.audit(th, "pickle.find_class", both);
    drop_null(th, both);
    if (!allowed)
        return NULL;
    retain(th, module_name);
    retain(th, name);
    Value module = NULL, parts = NULL, found = NULL;
    if (protocol < 3 && fix_imports) {
        Answer old = renamed_pair(th, st->names_2to3, "NAME_MAPPING", &module_name, &name);
        if (old == NO)
            old = renamed_module(th, st->imports_2to3, "IMPORT_MAPPING", &module_name);
        if (old == FAILED)
            goto fail;
    }
    module = pickle_import(th, module_name);
    if (module == NULL)
        goto fail;
    if (protocol < 4)
        found = get_attr(th, module, name);
    else {
        parts = pickle_name_parts(th, name, module);
        found = parts ? pickle_attribute(th, module, parts, NULL) : NULL;
        if (found == NULL && parts != NULL && error_matches(th, &exc_AttributeError))
            raise_error(th, &exc_AttributeError, "Can't get attribute %R on %R", name, module);
    }
fail:
    drop(th, module_name);
    drop(th, name);
    drop_null(th, module);
    drop_null(th, parts);
    return found;
}
