/* pickle_pickler.c -- class Pickler, and the view of its memo.
 *
 * Hooks (persistent_id(), reducer_override(), dispatch_table) are looked up when a dump begins.
 */
#include "modules/pickle.h"

static inline Pickler *
as_pickler(Value v)
{
    return (Pickler *)(void *)value_object(v);
}

static bool
pickler_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "Pickler",
                                     .names = {"file", "protocol", "fix_imports", "buffer_callback"},
                                     .positional = 4,
                                     .required = 1};
    Pickler *p = as_pickler(self);
    PickleOptions o;
    Value v[4], write = NULL;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return false;
    if (pickle_options(th, &o, v[1], v[2], v[3]))
        write = pickle_file_write(th, v[0]);
    Value error = th->error;
    th->error = NULL;
    enum PickleClaim claim = pickle_claim(th, &p->user);
    if (claim != CLAIM_NEW) {
        drop_null(th, write);
        drop_null(th, error);
        if (claim == CLAIM_NESTED)
            raise_error(th, &exc_RuntimeError, "Pickler.__init__() was called while it is dumping");
        return false;
    }
    p->ready = write != NULL; /* if this fails it is as if it had never been called */
    memo_clear(th, &p->memo);
    field_replace(th, &p->head, &p->write, write);
    if (write != NULL) {
        p->protocol = o.protocol;
        p->fix_imports = o.fix_imports;
        store_relaxed(&p->bin, o.protocol > 0);
        store_relaxed(&p->fast, 0);
        field_replace(th, &p->head, &p->buffer_callback, retain_null(th, o.buffer_callback));
    }
    pickle_release(&p->user, claim);
    th->error = error;
    return error == NULL;
}

static bool
pickler_dump_claimed(Thread *th, Value self, Value object)
{
    Pickler *p = as_pickler(self);
    const PickleState *st = pickle_state(th);
    PickleJob job = {
        .protocol = (int)p->protocol,
        .bin = load_relaxed(&p->bin) != 0,
        .fast = load_relaxed(&p->fast) != 0,
        .fix_imports = p->fix_imports,
        .memo = &p->memo,
    };
    bool ok = get_attr_optional(th, self, st->persistent_id, &job.persistent_id) != FAILED &&
              get_attr_optional(th, self, st->reducer_override, &job.reducer_override) != FAILED &&
              get_attr_optional(th, self, st->dispatch, &job.dispatch_table) != FAILED;
    job.write = field_read(th, &p->head, &p->write);
    job.buffer_callback = field_read(th, &p->head, &p->buffer_callback);
    if (ok) {
        Value done = pickle_write(th, object, &job);
        ok = done != NULL;
        drop_null(th, done);
    }
    Value held[] = {job.write, job.persistent_id, job.reducer_override, job.dispatch_table,
                    job.buffer_callback};
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        drop_null(th, held[i]);
    return ok;
}

static Value
pickler_dump(Thread *th, Value self, Value object)
{
    Pickler *p = as_pickler(self);
    enum PickleClaim claim = pickle_claim(th, &p->user);
    if (claim == CLAIM_FAILED)
        return NULL;
    bool ok = false;
    if (claim == CLAIM_NESTED)
        raise_error(th, &exc_RuntimeError, "Pickler.dump() was called while it is dumping");
    else if (!p->ready)
        raise_error(th, as_type(pickle_state(th)->pickling_error),
                    "Pickler.__init__() was not called by %T.__init__()", self);
    else
        ok = pickler_dump_claimed(th, self, object);
    pickle_release(&p->user, claim);
    return ok ? NONE : NULL;
}

static Value
pickler_clear_memo(Thread *th, Value self)
{
    Pickler *p = as_pickler(self);
    enum PickleClaim claim = pickle_claim(th, &p->user);
    if (claim == CLAIM_FAILED)
        return NULL;
    memo_clear(th, &p->memo);
    pickle_release(&p->user, claim);
    return NONE;
}

static Value
pickler_sizeof(Thread *th, Value self)
{
    Pickler *p = as_pickler(self);
    enum PickleClaim claim = pickle_claim(th, &p->user);
    if (claim == CLAIM_FAILED)
        return NULL;
    size_t n = type_of(self)->basic_size + p->memo.capacity * sizeof(MemoEntry);
    pickle_release(&p->user, claim);
    return int_from_size(th, n);
}

static Value
pickler_get_memo(Thread *th, Value self, void *closure)
{
    (void)closure;
    return memo_proxy_new(th, &pickler_memo_type, self);
}

/* {id: (number, object)} as a memo. */
static bool
memo_from_dict(Thread *th, Memo *m, Value d)
{
    Value key, pair;
    size_t pos = 0;
    while (dict_next(th, d, &pos, &key, &pair)) {
        int64_t number = 0;
        bool ok = is_tuple(pair) && tuple_length(pair) == 2;
        if (!ok)
            raise_type_error(th, "'memo' values must be 2-item tuples");
        ok = ok && arg_ssize(th, tuple_item(pair, 0), &number) &&
             memo_add(th, m, tuple_item(pair, 1), (size_t)number);
        drop(th, key);
        drop(th, pair);
        if (!ok)
            return false;
    }
    return true;
}

static bool
pickler_set_memo(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    Pickler *p = as_pickler(self);
    Memo memo = {0};
    bool ok = false;
    if (v == NULL)
        raise_type_error(th, "attribute deletion is not supported");
    else if (type_of(v) == &pickler_memo_type) {
        Pickler *other = as_pickler(memo_proxy_of(v));
        enum PickleClaim claim = pickle_claim(th, &other->user);
        ok = claim != CLAIM_FAILED && memo_copy(th, &memo, &other->memo);
        if (claim != CLAIM_FAILED)
            pickle_release(&other->user, claim);
    } else if (is_dict(v))
        ok = memo_from_dict(th, &memo, v);
    else
        raise_type_error(th, "'memo' attribute must be a PicklerMemoProxy object or dict, not %T", v);
    enum PickleClaim claim = ok ? pickle_claim(th, &p->user) : CLAIM_FAILED;
    if (claim == CLAIM_FAILED) {
        memo_clear(th, &memo);
        return false;
    }
    Memo old = p->memo;
    p->memo = memo;
    pickle_release(&p->user, claim);
    memo_clear(th, &old);
    return true;
}

static Value
pickler_get_persistent_id(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value v = field_read(th, value_object(self), &as_pickler(self)->persistent_id);
    return v ? v : raise_value(th, &exc_AttributeError, pickle_state(th)->persistent_id);
}

static bool
pickler_set_persistent_id(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL)
        raise_type_error(th, "attribute deletion is not supported");
    else if (is_callable(v) != YES)
        raise_type_error(th, "persistent_id must be a callable taking one argument");
    else {
        field_replace(th, value_object(self), &as_pickler(self)->persistent_id, retain(th, v));
        return true;
    }
    return false;
}

static void
pickler_visit(Object *o, VisitFn visit, void *arg)
{
    Pickler *p = (Pickler *)(void *)o;
    field_visit(&p->write, visit, arg);
    field_visit(&p->dispatch_table, visit, arg);
    field_visit(&p->persistent_id, visit, arg);
    field_visit(&p->buffer_callback, visit, arg);
    memo_visit(&p->memo, visit, arg);
}

static void
pickler_clear(Thread *th, Object *o)
{
    Pickler *p = (Pickler *)(void *)o;
    field_replace(th, o, &p->write, NULL);
    field_replace(th, o, &p->dispatch_table, NULL);
    field_replace(th, o, &p->persistent_id, NULL);
    field_replace(th, o, &p->buffer_callback, NULL);
}

static void
pickler_dealloc(Thread *th, Object *o)
{
    Pickler *p = (Pickler *)(void *)o;
    field_drop(th, &p->write);
    field_drop(th, &p->dispatch_table);
    field_drop(th, &p->persistent_id);
    field_drop(th, &p->buffer_callback);
    memo_clear(th, &p->memo);
}

static Value
pickler_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args, (void)nargs, (void)kwnames; /* __init__() reads them */
    return type_alloc(th, type, 0);
}

static const MethodDef pickler_methods[] = {
    NATIVE_1("dump", pickler_dump,
             "dump($self, obj, /)\n--\n\nWrites a pickle of the object to the file."),
    NATIVE_0("clear_memo", pickler_clear_memo,
             "clear_memo($self, /)\n--\n\n"
             "Forgets which objects have been pickled: they will be pickled again in full."),
    NATIVE_0("__sizeof__", pickler_sizeof,
             "__sizeof__($self, /)\n--\n\nThe size in memory, in bytes."),
    NATIVE_END,
};

static const GetterDef pickler_getters[] = {
    {.name = "memo", .get = pickler_get_memo, .set = pickler_set_memo},
    {.name = "persistent_id", .get = pickler_get_persistent_id, .set = pickler_set_persistent_id},
    {.name = NULL},
};

static const MemberDef pickler_members[] = {
    {.name = "bin", .kind = MEMBER_INT, .offset = offsetof(Pickler, bin)},
    {.name = "fast", .kind = MEMBER_INT, .offset = offsetof(Pickler, fast)},
    {.name = "dispatch_table", .kind = MEMBER_VALUE, .offset = offsetof(Pickler, dispatch_table)},
    {.name = NULL},
};

Type pickler_type;
const TypeSpec pickler_spec = {
    .name = "_pickle.Pickler",
    .size = sizeof(Pickler),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "Pickler(file, protocol=None, fix_imports=True, buffer_callback=None)\n--\n\n"
           "Writes pickles to a binary file.\n\n"
           "protocol: 0 to 5, the default is 4; a negative number stands for the highest.\n"
           "file: has a write() method that accepts bytes.\n"
           "fix_imports: with a protocol below 3, names are written as Python 2 had them.\n"
           "buffer_callback: with protocol 5, is called with every PickleBuffer; where it\n"
           "    returns a false value the buffer is left out of the pickle.",
    .methods = pickler_methods,
    .getters = pickler_getters,
    .members = pickler_members,
    .slots = {.new = pickler_new, .init = pickler_init},
    .visit = pickler_visit,
    .clear = pickler_clear,
    .dealloc = pickler_dealloc,
};

/* -- PicklerMemoProxy -- */

static Pickler *
proxy_pickler(Value self)
{
    return as_pickler(memo_proxy_of(self));
}

static Value
pickler_memo_clear(Thread *th, Value self)
{
    return pickler_clear_memo(th, memo_proxy_of(self));
}

static Value
pickler_memo_copy(Thread *th, Value self)
{
    Pickler *p = proxy_pickler(self);
    enum PickleClaim claim = pickle_claim(th, &p->user);
    if (claim == CLAIM_FAILED)
        return NULL;
    Memo memo = {0};
    bool ok = memo_copy(th, &memo, &p->memo);
    pickle_release(&p->user, claim);
    Value d = ok ? dict_new_sized(th, memo.count) : NULL;
    for (size_t i = 0; d != NULL && i < memo.capacity; i++) {
        if (memo.table[i].object == NULL)
            continue;
        Value id = int_from_u64(th, (uint64_t)(uintptr_t)memo.table[i].object);
        Value number = int_from_size(th, memo.table[i].number);
        Value pair = number ? tuple_pack(th, 2, number, memo.table[i].object) : NULL;
        drop_null(th, number);
        if (id == NULL || pair == NULL) {
            drop_null(th, id);
            drop_null(th, pair);
            DROP_CLEAR(th, d);
        } else if (!dict_set_steal(th, d, id, pair))
            DROP_CLEAR(th, d);
    }
    memo_clear(th, &memo);
    return d;
}

static const MethodDef pickler_memo_methods[] = {
    NATIVE_0("clear", pickler_memo_clear, "clear($self, /)\n--\n\nForgets all objects."),
    NATIVE_0("copy", pickler_memo_copy, "copy($self, /)\n--\n\nThe memo as a dict."),
    NATIVE_0("__reduce__", memo_proxy_reduce, "__reduce__($self, /)\n--\n\nFor pickling."),
    NATIVE_END,
};

Type pickler_memo_type;
const TypeSpec pickler_memo_spec = {
    .name = "_pickle.PicklerMemoProxy",
    .size = sizeof(MemoProxy),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = pickler_memo_methods,
    .slots = {.hash = hash_unhashable},
    .visit = memo_proxy_visit,
    .dealloc = memo_proxy_dealloc,
};
