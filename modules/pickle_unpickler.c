/* pickle_unpickler.c -- class Unpickler, and the view of its memo.
 *
 * The hook persistent_load() is looked up when a load begins.
 */
#include "modules/pickle.h"

static inline Unpickler *
as_unpickler(Value v)
{
    return (Unpickler *)(void *)value_object(v);
}

static bool
unpickler_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "Unpickler",
                                     .names = {"file", "fix_imports", "encoding", "errors", "buffers"},
                                     .positional = 1,
                                     .required = 1};
    Unpickler *u = as_unpickler(self);
    Value v[5], buffers = NULL;
    PickleFile f = {NULL, NULL, NULL};
    bool fix_imports = true;
    if (!args_bind(th, &params, args, nargs, kwnames, v) || !arg_bool(th, v[1], &fix_imports) ||
        !pickle_codec_name(th, "Unpickler", "argument 'encoding'", v[2]) ||
        !pickle_codec_name(th, "Unpickler", "argument 'errors'", v[3]))
        return false;
    bool ok = pickle_file_get(th, v[0], &f);
    if (ok && v[4] != NULL && v[4] != NONE && (buffers = get_iter(th, v[4])) == NULL) {
        pickle_file_drop(th, &f);
        f = (PickleFile){NULL, NULL, NULL};
        ok = false;
    }
    Value error = th->error;
    th->error = NULL;
    enum PickleClaim claim = pickle_claim(th, &u->user);
    if (claim != CLAIM_NEW) {
        if (ok)
            pickle_file_drop(th, &f);
        drop_null(th, buffers);
        drop_null(th, error);
        if (claim == CLAIM_NESTED)
            raise_error(th, &exc_RuntimeError, "Unpickler.__init__() was called while it is loading");
        return false;
    }
    u->ready = ok; /* if this fails it is as if it had never been called */
    u->fix_imports = fix_imports;
    field_replace(th, &u->head, &u->read, ok ? f.read : NULL);
    field_replace(th, &u->head, &u->readline, ok ? f.readline : NULL);
    field_replace(th, &u->head, &u->peek, ok ? f.peek : NULL);
    field_replace(th, &u->head, &u->encoding, retain_null(th, v[2]));
    field_replace(th, &u->head, &u->errors, retain_null(th, v[3]));
    field_replace(th, &u->head, &u->buffers, buffers);
    slots_clear(th, &u->memo);
    pickle_release(&u->user, claim);
    th->error = error;
    return ok;
}

static Value
unpickler_load_claimed(Thread *th, Value self)
{
    Unpickler *u = as_unpickler(self);
    Object *o = &u->head;
    const PickleState *st = pickle_state(th);
    Value persistent_load = NULL, v = NULL;
    if (get_attr_optional(th, self, st->persistent_load, &persistent_load) == FAILED)
        return NULL;
    PickleFile f = {field_read(th, o, &u->read), field_read(th, o, &u->readline),
                     field_read(th, o, &u->peek)};
    Value encoding = field_read(th, o, &u->encoding), errors = field_read(th, o, &u->errors);
    Value buffers = field_read(th, o, &u->buffers);
    const UnpickleJob job = {
        .file = f,
        .self = type_of(self) == &unpickler_type ? NULL : self,
        .persistent_load = persistent_load,
        .buffers = buffers,
        .encoding = encoding,
        .errors = errors,
        .fix_imports = u->fix_imports,
        .protocol = &u->protocol,
        .memo = &u->memo,
    };
    v = pickle_read(th, &job);
    pickle_file_drop(th, &f);
    drop_null(th, persistent_load);
    drop_null(th, encoding);
    drop_null(th, errors);
    drop_null(th, buffers);
    return v;
}

static Value
unpickler_load(Thread *th, Value self)
{
    Unpickler *u = as_unpickler(self);
    enum PickleClaim claim = pickle_claim(th, &u->user);
    if (claim == CLAIM_FAILED)
        return NULL;
    Value v = NULL;
    if (claim == CLAIM_NESTED)
        raise_error(th, &exc_RuntimeError, "Unpickler.load() was called while it is loading");
    else if (!u->ready)
        raise_error(th, as_type(pickle_state(th)->unpickling_error),
                    "Unpickler.__init__() was not called by %T.__init__()", self);
    else
        v = unpickler_load_claimed(th, self);
    pickle_release(&u->user, claim);
    return v;
}

static Value
unpickler_find_class(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    Unpickler *u = as_unpickler(self);
    enum PickleClaim claim = pickle_claim(th, &u->user);
    if (claim == CLAIM_FAILED)
        return NULL;
    int protocol = u->protocol;
    bool fix_imports = u->fix_imports;
    pickle_release(&u->user, claim);
    if (!is_str(arg(args, 0)) || !is_str(arg(args, 1)))
        return raise_type_error(th, "module and name must be str");
    return pickle_find_class(th, arg(args, 0), arg(args, 1), protocol, fix_imports);
}

static Value
unpickler_sizeof(Thread *th, Value self)
{
    Unpickler *u = as_unpickler(self);
    enum PickleClaim claim = pickle_claim(th, &u->user);
    if (claim == CLAIM_FAILED)
        return NULL;
    size_t n = type_of(self)->basic_size + u->memo.capacity * sizeof(Value);
    pickle_release(&u->user, claim);
    return int_from_size(th, n);
}

static Value
unpickler_get_memo(Thread *th, Value self, void *closure)
{
    (void)closure;
    return memo_proxy_new(th, &unpickler_memo_type, self);
}

static bool
slots_from_dict(Thread *th, Slots *s, Value d)
{
    Value key, v;
    size_t pos = 0;
    bool ok = true;
    while (ok && dict_next(th, d, &pos, &key, &v)) {
        int64_t number = 0;
        ok = is_int(key);
        if (!ok)
            raise_type_error(th, "memo key must be integers");
        else if ((ok = arg_ssize(th, key, &number)) && number < 0) {
            raise_value_error(th, "memo key must be positive integers.");
            ok = false;
        }
        ok = ok && slots_put(th, s, (uint64_t)number, v);
        drop(th, key);
        drop(th, v);
    }
    return ok;
}

static bool
unpickler_set_memo(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    Unpickler *u = as_unpickler(self);
    Slots memo = {0};
    bool ok = false;
    if (v == NULL)
        raise_type_error(th, "attribute deletion is not supported");
    else if (type_of(v) == &unpickler_memo_type) {
        Unpickler *other = as_unpickler(memo_proxy_of(v));
        enum PickleClaim claim = pickle_claim(th, &other->user);
        ok = claim != CLAIM_FAILED && slots_copy(th, &memo, &other->memo);
        if (claim != CLAIM_FAILED)
            pickle_release(&other->user, claim);
    } else if (is_dict(v))
        ok = slots_from_dict(th, &memo, v);
    else
        raise_type_error(th, "'memo' attribute must be an UnpicklerMemoProxy object or dict, not %T",
                         v);
    enum PickleClaim claim = ok ? pickle_claim(th, &u->user) : CLAIM_FAILED;
    if (claim == CLAIM_FAILED) {
        slots_clear(th, &memo);
        return false;
    }
    Slots old = u->memo;
    u->memo = memo;
    pickle_release(&u->user, claim);
    slots_clear(th, &old);
    return true;
}

static Value
unpickler_get_persistent_load(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value v = field_read(th, value_object(self), &as_unpickler(self)->persistent_load);
    return v ? v : raise_value(th, &exc_AttributeError, pickle_state(th)->persistent_load);
}

static bool
unpickler_set_persistent_load(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    if (v == NULL)
        raise_type_error(th, "attribute deletion is not supported");
    else if (is_callable(v) != YES)
        raise_type_error(th, "persistent_load must be a callable taking one argument");
    else {
        field_replace(th, value_object(self), &as_unpickler(self)->persistent_load, retain(th, v));
        return true;
    }
    return false;
}

static void
unpickler_visit(Object *o, VisitFn visit, void *arg)
{
    Unpickler *u = (Unpickler *)(void *)o;
    Field *fields[] = {&u->read, &u->readline, &u->peek, &u->persistent_load,
                       &u->encoding, &u->errors, &u->buffers};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        field_visit(fields[i], visit, arg);
    slots_visit(&u->memo, visit, arg);
}

static void
unpickler_clear(Thread *th, Object *o)
{
    Unpickler *u = (Unpickler *)(void *)o;
    Field *fields[] = {&u->read, &u->readline, &u->peek, &u->persistent_load, &u->buffers};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        field_replace(th, o, fields[i], NULL);
}

static void
unpickler_dealloc(Thread *th, Object *o)
{
    Unpickler *u = (Unpickler *)(void *)o;
    Field *fields[] = {&u->read, &u->readline, &u->peek, &u->persistent_load,
                       &u->encoding, &u->errors, &u->buffers};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        field_drop(th, fields[i]);
    slots_clear(th, &u->memo);
}

static Value
unpickler_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args, (void)nargs, (void)kwnames; /* __init__() reads them */
    return type_alloc(th, type, 0);
}

static const MethodDef unpickler_methods[] = {
    NATIVE_0("load", unpickler_load,
             "load($self, /)\n--\n\nReads a pickle from the file and returns the object."),
    NATIVE_N("find_class", unpickler_find_class, 2, 2,
             "find_class($self, module_name, global_name, /)\n--\n\n"
             "Returns what has this name in this module, importing it if necessary.\n\n"
             "Subclasses may override it to decide what a pickle can reach."),
    NATIVE_0("__sizeof__", unpickler_sizeof,
             "__sizeof__($self, /)\n--\n\nThe size in memory, in bytes."),
    NATIVE_END,
};

static const GetterDef unpickler_getters[] = {
    {.name = "memo", .get = unpickler_get_memo, .set = unpickler_set_memo},
    {.name = "persistent_load",
     .get = unpickler_get_persistent_load,
     .set = unpickler_set_persistent_load},
    {.name = NULL},
};

Type unpickler_type;
const TypeSpec unpickler_spec = {
    .name = "_pickle.Unpickler",
    .size = sizeof(Unpickler),
    .flags = TYPE_BASE,
    .ops_flags = OPS_TRACKED,
    .doc = "Unpickler(file, *, fix_imports=True, encoding='ASCII', errors='strict',\n"
           "          buffers=())\n--\n\n"
           "Reads pickles from a binary file; the protocol is found out by itself.\n\n"
           "file: has the methods read(n) and readline().\n"
           "fix_imports: names of Python 2 become those of Python 3.\n"
           "encoding, errors: how 8-bit strings of Python 2 are decoded; the encoding 'bytes'\n"
           "    makes bytes of them.\n"
           "buffers: yields the buffers that are not in the pickle.",
    .methods = unpickler_methods,
    .getters = unpickler_getters,
    .slots = {.new = unpickler_new, .init = unpickler_init},
    .visit = unpickler_visit,
    .clear = unpickler_clear,
    .dealloc = unpickler_dealloc,
};

/* -- UnpicklerMemoProxy -- */

static Unpickler *
proxy_unpickler(Value self)
{
    return as_unpickler(memo_proxy_of(self));
}

static Value
unpickler_memo_clear(Thread *th, Value self)
{
    Unpickler *u = proxy_unpickler(self);
    enum PickleClaim claim = pickle_claim(th, &u->user);
    if (claim == CLAIM_FAILED)
        return NULL;
    slots_clear(th, &u->memo);
    pickle_release(&u->user, claim);
    return NONE;
}

static Value
unpickler_memo_copy(Thread *th, Value self)
{
    Unpickler *u = proxy_unpickler(self);
    enum PickleClaim claim = pickle_claim(th, &u->user);
    if (claim == CLAIM_FAILED)
        return NULL;
    Slots memo = {0};
    bool ok = slots_copy(th, &memo, &u->memo);
    pickle_release(&u->user, claim);
    Value d = !ok ? NULL : memo.others ? dict_copy(th, memo.others) : dict_new(th);
    for (size_t i = 0; d != NULL && i < memo.capacity; i++)
        if (memo.items[i] != NULL && !dict_set(th, d, value_from_fixnum((int64_t)i), memo.items[i]))
            DROP_CLEAR(th, d);
    slots_clear(th, &memo);
    return d;
}

static const MethodDef unpickler_memo_methods[] = {
    NATIVE_0("clear", unpickler_memo_clear, "clear($self, /)\n--\n\nForgets all objects."),
    NATIVE_0("copy", unpickler_memo_copy, "copy($self, /)\n--\n\nThe memo as a dict."),
    NATIVE_0("__reduce__", memo_proxy_reduce, "__reduce__($self, /)\n--\n\nFor pickling."),
    NATIVE_END,
};

Type unpickler_memo_type;
const TypeSpec unpickler_memo_spec = {
    .name = "_pickle.UnpicklerMemoProxy",
    .size = sizeof(MemoProxy),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = unpickler_memo_methods,
    .slots = {.hash = hash_unhashable},
    .visit = memo_proxy_visit,
    .dealloc = memo_proxy_dealloc,
};
