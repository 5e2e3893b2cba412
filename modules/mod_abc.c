/* mod_abc.c -- module _abc: the registry and caches behind abc.ABCMeta.
 *
 * Each abstract class has an _abc_data object in its dict: three sets of weak references (registry,
 * cache, negative cache) and the version of the negative cache.  The sets are Python sets of
 * weakref.ref objects whose callbacks remove them; all of them may be changed by several threads.
 *
 * In front of the two caches stands a memo of a few verdicts by the guard of a class, which is unique in the
 * process and gone when the class changes.  `resets` counts what makes verdicts void: a memo of an earlier
 * count is none.
 */
#include "core/run/run.h"
#include "modules/modules.h"

#include "threads/mutex.h"

#define MEMO_SIZE 8

typedef struct AbcData {
    struct Object head;
    Field registry, cache, negative; /* sets of weak references, or NULL */
    ATOMIC(uint64_t) negative_version;
    ATOMIC(uint32_t) resets;
    ATOMIC(uint64_t) memo[MEMO_SIZE]; /* guard, low bits of `resets`, verdict: memo_word() */
} AbcData;

typedef struct AbcState {
    Type *data_type;                 /* [const] counted */
    ATOMIC(uint64_t) invalidation;   /* counts registrations */
} AbcState;

static void
data_visit(Object *o, VisitFn visit, void *arg)
{
    AbcData *d = (AbcData *)o;
    field_visit(&d->registry, visit, arg);
    field_visit(&d->cache, visit, arg);
    field_visit(&d->negative, visit, arg);
}

static void
data_clear(Thread *th, Object *o)
{
    AbcData *d = (AbcData *)o;
    field_replace(th, o, &d->registry, NULL);
    field_replace(th, o, &d->cache, NULL);
    field_replace(th, o, &d->negative, NULL);
}

static void
data_dealloc(Thread *th, Object *o)
{
    AbcData *d = (AbcData *)o;
    field_drop(th, &d->registry);
    field_drop(th, &d->cache);
    field_drop(th, &d->negative);
}

static const TypeSpec data_spec = {
    .name = "_abc._abc_data",
    .size = sizeof(AbcData),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .doc = "Internal state held by ABC machinery.",
    .visit = data_visit,
    .clear = data_clear,
    .dealloc = data_dealloc,
};

/* -- sets of weak references --------------------------------------------------------------------------- */

/* Called with the dead weak reference; self is a weak reference to the set. */
static Value
forget(Thread *th, Value self, Value ref)
{
    Value set = weakref_get(th, self);
    if (set) {
        if (set_discard(th, set, ref) == FAILED) {
            drop(th, set);
            return NULL;
        }
        drop(th, set);
    }
    return NONE;
}

static const MethodDef forget_def = NATIVE_1("_destroy", forget, NULL);

/* The set in `field`, made if there is none; a new reference. */
RAISES static Value
weak_set(Thread *th, Value holder, Field *field)
{
    for (;;) {
        Value set = field_read(th, value_object(holder), field);
        if (set != NULL)
            return set;
        set = set_new(th);
        if (set == NULL)
            return NULL;
        retain(th, set);
        if (field_set_once(th, value_object(holder), field, set))
            return set;
        drop(th, set);
        drop(th, set);
    }
}

RAISES static bool
weak_set_add(Thread *th, Value set, Value v)
{
    Value set_ref = weakref_new(th, set, NULL);
    Value callback = set_ref ? native_function_new(th, &forget_def, set_ref, NULL) : NULL;
    Value ref = callback ? weakref_new(th, v, callback) : NULL;
    bool ok = ref && set_add(th, set, ref);
    drop_null(th, ref);
    drop_null(th, callback);
    drop_null(th, set_ref);
    return ok;
}

RAISES static bool
weak_add(Thread *th, Value holder, Field *field, Value v)
{
    Value set = weak_set(th, holder, field);
    if (set == NULL)
        return false;
    bool ok = weak_set_add(th, set, v);
    drop(th, set);
    return ok;
}

static Answer
weak_contains(Thread *th, Value holder, Field *field, Value v)
{
    Value set = field_read(th, value_object(holder), field);
    if (set == NULL || set_length(set) == 0) {
        drop_null(th, set);
        return NO;
    }
    Value ref = weakref_new(th, v, NULL);
    Answer a;
    if (ref == NULL) { /* cannot be referred to weakly: was never added */
        a = error_matches(th, &exc_TypeError) ? NO : FAILED;
        if (a == NO)
            error_clear(th);
    } else {
        a = set_contains(th, set, ref);
        drop(th, ref);
    }
    drop(th, set);
    return a;
}

/* -- the memo ------------------------------------------------------------------------------------------------ */

static uint64_t
memo_word(uint32_t guard, uint32_t resets, bool verdict)
{
    return (uint64_t)guard << 32 | (resets & 0x7fffffff) << 1 | verdict;
}

/* What is remembered of a class: NO is "not an instance", FAILED "nothing" (without exception). */
static Answer
memo_find(AbcData *d, const AbcState *s, const Type *sub)
{
    /* First: who made it this version has voided the memos before [abc.verdicts] */
    uint64_t version = load_acquire(&d->negative_version);
    uint32_t guard = load_relaxed(&sub->version), resets = load_relaxed(&d->resets);
    if (guard == 0)
        return FAILED;
    uint64_t word = load_relaxed(&d->memo[guard % MEMO_SIZE]);
    if (word == memo_word(guard, resets, true))
        return YES;
    if (word == memo_word(guard, resets, false) && version == load_relaxed(&s->invalidation))
        return NO;
    return FAILED;
}

/* Remembers what was found in a cache; `resets` is the count from before. */
static void
memo_put(Thread *th, AbcData *d, Value sub, uint32_t resets, bool verdict)
{
    uint32_t guard = is_type(sub) ? type_guard(th, as_type(sub)) : 0;
    if (guard != 0)
        store_relaxed(&d->memo[guard % MEMO_SIZE], memo_word(guard, resets, verdict));
}

/* -- functions ---------------------------------------------------------------------------------------------- */

static AbcState *
abc_state(Value module)
{
    return module_state(module);
}

static Value
data_of(Thread *th, Value module, Value cls)
{
    Value d = get_attr(th, cls, NAME(_abc_impl));
    if (d && type_of(d) != abc_state(module)->data_type) {
        drop(th, d);
        return raise_type_error(th, "_abc_impl is set to a wrong type");
    }
    return d;
}

static Answer
is_abstract(Thread *th, Value v)
{
    Value flag;
    Answer a = get_attr_optional(th, v, NAME(__isabstractmethod__), &flag);
    if (a != YES)
        return a;
    a = is_true(th, flag);
    drop(th, flag);
    return a;
}

static bool
compute_abstract(Thread *th, Value cls)
{
    Value found = set_new(th), dict = get_attr(th, cls, NAME(__dict__)), items = NULL, bases = NULL;
    bool ok = false;
    if (found == NULL || dict == NULL)
        goto done;
    items = call_method_0(th, dict, NAME(items));
    if (items == NULL)
        goto done;
    Value list = sequence_list(th, items);
    if (list == NULL)
        goto done;
    for (int64_t i = 0;; i++) {
        Value pair = list_get(th, list, i);
        if (pair == NULL)
            break;
        Answer a = is_tuple(pair) && tuple_length(pair) == 2 ? is_abstract(th, tuple_item(pair, 1)) : NO;
        bool good = a != FAILED && (a == NO || set_add(th, found, tuple_item(pair, 0)));
        drop(th, pair);
        if (!good) {
            drop(th, list);
            goto done;
        }
    }
    drop(th, list);
    bases = get_attr(th, cls, NAME(__bases__));
    if (bases == NULL)
        goto done;
    if (!is_tuple(bases)) {
        raise_type_error(th, "__bases__ is not tuple");
        goto done;
    }
    for (int64_t i = 0; i < tuple_length(bases); i++) {
        Value inherited;
        Answer have = get_attr_optional(th, tuple_item(bases, i), NAME(__abstractmethods__), &inherited);
        if (have == FAILED)
            goto done;
        if (have == NO)
            continue;
        Value it = get_iter(th, inherited), name;
        drop(th, inherited);
        if (it == NULL)
            goto done;
        while ((name = iter_next(th, it))) {
            Value v;
            Answer a = is_str(name) ? get_attr_optional(th, cls, name, &v) : NO;
            if (a == YES) {
                a = is_abstract(th, v);
                drop(th, v);
                if (a == YES && !set_add(th, found, name))
                    a = FAILED;
            }
            drop(th, name);
            if (a == FAILED)
                break;
        }
        drop(th, it);
        if (error_set(th))
            goto done;
    }
    Value frozen = frozenset_from(th, found);
    ok = frozen && set_attr(th, cls, NAME(__abstractmethods__), frozen);
    drop_null(th, frozen);
done:
    drop_null(th, found);
    drop_null(th, dict);
    drop_null(th, items);
    drop_null(th, bases);
    return ok;
}

#define PATTERN_FLAGS (TYPE_SEQUENCE | TYPE_MAPPING)

static Value
abc_init(Thread *th, Value self, Value cls)
{
    if (!compute_abstract(th, cls))
        return NULL;
    Value data = type_alloc(th, abc_state(self)->data_type, 0);
    if (data == NULL)
        return NULL;
    plain_store(&((AbcData *)(void *)data)->negative_version, load_relaxed(&abc_state(self)->invalidation));
    bool ok = set_attr(th, cls, NAME(_abc_impl), data);
    drop(th, data);
    if (!ok)
        return NULL;
    if (is_type(cls)) { /* __abc_tpflags__: how instances match in patterns */
        Value flags = NULL, dict = get_attr(th, cls, NAME(__dict__));
        if (dict == NULL)
            return NULL;
        Answer have = contains(th, dict, NAME(__abc_tpflags__));
        if (have == YES)
            flags = get_attr(th, cls, NAME(__abc_tpflags__));
        drop(th, dict);
        if (have == FAILED || (have == YES && flags == NULL))
            return NULL;
        if (flags && is_int(flags)) {
            int64_t n;
            bool fits = int_fits_i64(flags, &n);
            drop(th, flags);
            if (!fits)
                return raise_overflow(th, "Python int too large to convert to C long");
            n &= PATTERN_FLAGS;
            if (n == PATTERN_FLAGS)
                return raise_type_error(th, "__abc_tpflags__ cannot be both Py_TPFLAGS_SEQUENCE and Py_TPFLAGS_MAPPING");
            fetch_or_relaxed(&as_type(cls)->flags, (uint32_t)n);
            if (!set_attr(th, cls, NAME(__abc_tpflags__), NULL))
                return NULL;
        } else
            drop_null(th, flags);
    }
    return NONE;
}

/* Gives the pattern flags of an ABC to a class and its subclasses. */
static void
give_flags(Thread *th, Type *t, uint32_t flags, int depth)
{
    if (depth > 100 || !(type_flags(t) & TYPE_HEAP))
        return;
    fetch_and_relaxed(&t->flags, ~(uint32_t)PATTERN_FLAGS);
    fetch_or_relaxed(&t->flags, flags);
    Value subs = call_method_0(th, value_of_type(t), NAME(__subclasses__));
    for (int64_t i = 0; subs && is_list(subs); i++) {
        Value sub = list_get(th, subs, i);
        if (sub == NULL)
            break;
        if (is_type(sub))
            give_flags(th, as_type(sub), flags, depth + 1);
        drop(th, sub);
    }
    if (subs == NULL)
        error_clear(th);
    drop_null(th, subs);
}

static Value
abc_register(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)n;
    Value cls = arg(a, 0), sub = arg(a, 1);
    if (!is_type(sub))
        return raise_type_error(th, "Can only register classes");
    Answer already = is_subclass(th, sub, cls);
    if (already == FAILED)
        return NULL;
    if (already == YES)
        return retain(th, sub);
    Answer cycle = is_subclass(th, cls, sub);
    if (cycle == FAILED)
        return NULL;
    if (cycle == YES)
        return raise_error(th, &exc_RuntimeError, "Refusing to create an inheritance cycle");
    Value data = data_of(th, self, cls);
    if (data == NULL)
        return NULL;
    bool ok = weak_add(th, data, &((AbcData *)(void *)data)->registry, sub);
    drop(th, data);
    if (!ok)
        return NULL;
    /* release: who sees the count finds the class in the registry [abc.verdicts] */
    fetch_add_acq_rel(&abc_state(self)->invalidation, 1);
    if (is_type(cls)) {
        uint32_t flags = type_flags(as_type(cls)) & PATTERN_FLAGS;
        if (flags)
            give_flags(th, as_type(sub), flags, 0);
    }
    return retain(th, sub);
}

static Answer
check_registry(Thread *th, AbcData *d, Value sub, Value holder)
{
    Value set = field_read(th, value_object(holder), &d->registry);
    if (set == NULL)
        return NO;
    /* A copy: __subclasscheck__ may change the registry. */
    Value list = sequence_list(th, set);
    drop(th, set);
    if (list == NULL)
        return FAILED;
    Answer result = NO;
    for (int64_t i = 0; result == NO; i++) {
        Value ref = list_get(th, list, i);
        if (ref == NULL)
            break;
        Value cls = weakref_get(th, ref);
        drop(th, ref);
        if (cls) {
            result = is_subclass(th, sub, cls);
            drop(th, cls);
        }
    }
    drop(th, list);
    return result;
}

/* Puts `sub` into the cache; the verdict. */
RAISES static Value
remember(Thread *th, Value data, AbcData *d, Value sub)
{
    return weak_add(th, data, &d->cache, sub) ? TRUE : NULL;
}

/* Puts `sub` into `negative`; the verdict. */
RAISES static Value
remember_negative(Thread *th, Value negative, Value sub)
{
    return weak_set_add(th, negative, sub) ? FALSE : NULL;
}

static Value
abc_subclasscheck(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)n;
    Value cls = arg(a, 0), sub = arg(a, 1);
    if (!is_type(sub))
        return raise_type_error(th, "issubclass() arg 1 must be a class");
    Value data = data_of(th, self, cls);
    if (data == NULL)
        return NULL;
    AbcData *d = (AbcData *)(void *)data;
    AbcState *s = abc_state(self);
    Value result = NULL, subs = NULL, negative = NULL;
    Answer in = memo_find(d, s, as_type(sub));
    if (in != FAILED) {
        result = bool_from(in);
        goto done;
    }
    uint32_t resets = load_acquire(&d->resets); /* [abc.verdicts] */
    in = weak_contains(th, data, &d->cache, sub);
    if (in != NO) {
        if (in == YES)
            memo_put(th, d, sub, resets, true);
        result = in == YES ? TRUE : NULL;
        goto done;
    }
    uint64_t now = load_acquire(&s->invalidation); /* [abc.verdicts] */
    if (load_acquire(&d->negative_version) < now) {
        fetch_add_acq_rel(&d->resets, 1u);
        field_replace(th, value_object(data), &d->negative, NULL);
        store_release(&d->negative_version, now); /* [abc.verdicts] */
    } else {
        in = weak_contains(th, data, &d->negative, sub);
        if (in != NO) {
            if (in == YES)
                memo_put(th, d, sub, resets, false);
            result = in == YES ? FALSE : NULL;
            goto done;
        }
    }
    /* The set of this moment: when a class is registered while the verdict is looked for, another set
     * takes its place, in which the verdict does not appear. */
    negative = weak_set(th, data, &d->negative);
    if (negative == NULL)
        goto done;
    Value hook = call_method_1(th, cls, NAME(__subclasshook__), sub);
    if (hook == NULL)
        goto done;
    drop(th, hook);
    if (hook == TRUE || hook == FALSE) {
        result = hook == TRUE ? remember(th, data, d, sub) : remember_negative(th, negative, sub);
        goto done;
    }
    if (hook != NOT_IMPLEMENTED) {
        raise_error(th, &exc_AssertionError, "__subclasshook__ must return either False, True, or NotImplemented");
        goto done;
    }
    if (is_type(cls) && type_is_subtype(as_type(sub), as_type(cls))) {
        result = remember(th, data, d, sub);
        goto done;
    }
    in = check_registry(th, d, sub, data);
    if (in != NO) {
        if (in == YES)
            result = remember(th, data, d, sub);
        goto done;
    }
    subs = call_method_0(th, cls, NAME(__subclasses__));
    if (subs == NULL)
        goto done;
    if (!is_list(subs)) {
        raise_type_error(th, "__subclasses__() must return a list");
        goto done;
    }
    for (int64_t i = 0;; i++) {
        Value c = list_get(th, subs, i);
        if (c == NULL)
            break;
        in = is_subclass(th, sub, c);
        drop(th, c);
        if (in == NO)
            continue;
        if (in == YES)
            result = remember(th, data, d, sub);
        goto done;
    }
    result = remember_negative(th, negative, sub);
done:
    drop_null(th, subs);
    drop_null(th, negative);
    drop(th, data);
    return result;
}

static Value
abc_instancecheck(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)n;
    Value cls = arg(a, 0), v = arg(a, 1), data = data_of(th, self, cls);
    if (data == NULL)
        return NULL;
    AbcData *d = (AbcData *)(void *)data;
    Value sub = get_attr(th, v, NAME(__class__)), result = NULL;
    if (sub == NULL)
        goto done;
    Value type = value_of_type(type_of(v));
    Answer in = sub == type ? memo_find(d, abc_state(self), type_of(v)) : FAILED;
    if (in != FAILED) {
        result = bool_from(in);
        goto done;
    }
    uint32_t resets = load_acquire(&d->resets); /* [abc.verdicts] */
    in = weak_contains(th, data, &d->cache, sub);
    if (in != NO) {
        if (in == YES)
            memo_put(th, d, sub, resets, true);
        result = in == YES ? TRUE : NULL;
        goto done;
    }
    if (sub == type) {
        if (load_acquire(&d->negative_version) == load_relaxed(&abc_state(self)->invalidation)) { /* [abc.verdicts] */
            in = weak_contains(th, data, &d->negative, sub);
            if (in != NO) {
                if (in == YES)
                    memo_put(th, d, sub, resets, false);
                result = in == YES ? FALSE : NULL;
                goto done;
            }
        }
        result = call_method_1(th, cls, NAME(__subclasscheck__), sub);
        goto done;
    }
    result = call_method_1(th, cls, NAME(__subclasscheck__), sub);
    if (result) {
        Answer yes = is_true(th, result);
        if (yes == NO) {
            drop(th, result);
            result = call_method_1(th, cls, NAME(__subclasscheck__), type);
        } else if (yes == FAILED)
            DROP_CLEAR(th, result);
    }
done:
    drop_null(th, sub);
    drop(th, data);
    return result;
}

static Value
abc_get_cache_token(Thread *th, Value self)
{
    return int_from_u64(th, load_relaxed(&abc_state(self)->invalidation));
}

static Value
abc_reset_registry(Thread *th, Value self, Value cls)
{
    Value data = data_of(th, self, cls);
    if (data == NULL)
        return NULL;
    field_replace(th, value_object(data), &((AbcData *)(void *)data)->registry, NULL);
    drop(th, data);
    return NONE;
}

static Value
abc_reset_caches(Thread *th, Value self, Value cls)
{
    Value data = data_of(th, self, cls);
    if (data == NULL)
        return NULL;
    AbcData *d = (AbcData *)(void *)data;
    field_replace(th, &d->head, &d->cache, NULL);
    field_replace(th, &d->head, &d->negative, NULL);
    fetch_add_acq_rel(&d->resets, 1u); /* [abc.verdicts] */
    drop(th, data);
    return NONE;
}

static Value
copy_set(Thread *th, Value holder, Field *f)
{
    Value set = field_read(th, value_object(holder), f);
    Value copy = set ? set_from(th, set) : set_new(th);
    drop_null(th, set);
    return copy;
}

static Value
abc_get_dump(Thread *th, Value self, Value cls)
{
    Value data = data_of(th, self, cls);
    if (data == NULL)
        return NULL;
    AbcData *d = (AbcData *)(void *)data;
    Value registry = copy_set(th, data, &d->registry), cache = copy_set(th, data, &d->cache),
          negative = copy_set(th, data, &d->negative), t = NULL;
    Value version = int_from_u64(th, load_relaxed(&d->negative_version));
    if (registry && cache && negative && version)
        t = tuple_pack(th, 4, registry, cache, negative, version);
    drop_null(th, registry);
    drop_null(th, cache);
    drop_null(th, negative);
    drop_null(th, version);
    drop(th, data);
    return t;
}

static const MethodDef abc_methods[] = {
    NATIVE_0("get_cache_token", abc_get_cache_token, "get_cache_token($module, /)\n--\n\nReturns the current ABC cache token."),
    NATIVE_1("_abc_init", abc_init, "_abc_init($module, self, /)\n--\n\nInternal ABC helper for class set-up. Should be never used outside abc module."),
    NATIVE_1("_reset_registry", abc_reset_registry, "_reset_registry($module, self, /)\n--\n\nInternal ABC helper to reset registry of a given class."),
    NATIVE_1("_reset_caches", abc_reset_caches, "_reset_caches($module, self, /)\n--\n\nInternal ABC helper to reset both caches of a given class."),
    NATIVE_1("_get_dump", abc_get_dump, "_get_dump($module, self, /)\n--\n\nInternal ABC helper for cache and registry debugging."),
    NATIVE_N("_abc_register", abc_register, 2, 2, "_abc_register($module, self, subclass, /)\n--\n\nInternal ABC helper for subclasss registration. Should be never used outside abc module."),
    NATIVE_N("_abc_instancecheck", abc_instancecheck, 2, 2, "_abc_instancecheck($module, self, instance, /)\n--\n\nInternal ABC helper for instance checks. Should be never used outside abc module."),
    NATIVE_N("_abc_subclasscheck", abc_subclasscheck, 2, 2, "_abc_subclasscheck($module, self, subclass, /)\n--\n\nInternal ABC helper for subclasss checks. Should be never used outside abc module."),
    NATIVE_END,
};

static bool
abc_exec(Thread *th, Value m)
{
    AbcState *s = abc_state(m);
    s->data_type = type_from_spec(th, &data_spec, m, NULL);
    return s->data_type != NULL;
}

static void
abc_visit(Value m, VisitFn visit, void *arg)
{
    if (abc_state(m)->data_type)
        visit(value_of_type(abc_state(m)->data_type), arg);
}

const ModuleSpec abc_module = {
    .name = "_abc",
    .doc = "Module contains faster C implementation of abc.ABCMeta",
    .methods = abc_methods,
    .exec = abc_exec,
    .state_size = sizeof(AbcState),
    .visit = abc_visit,
};
