/* io_pair.c -- BufferedRWPair: a reader and a writer as one stream.
 *
 * It only passes calls on; the two streams have their own locks.
 */
#include "modules/io.h"
#include "gc/holds.h"

typedef struct Pair {
    struct Object head;
    Field reader, writer; /* NULL before __init__ */
} Pair;

static inline Pair *
as_pair(Value v)
{
    return (Pair *)(void *)value_object(v);
}

/* A new reference to one of the two. */
static Value
half(Thread *th, Value self, bool reader)
{
    Pair *p = as_pair(self);
    Value v = field_read(th, &p->head, reader ? &p->reader : &p->writer);
    if (v == NULL)
        raise_value_error(th, "I/O operation on uninitialized object");
    return v;
}

static Value
pass(Thread *th, Value self, bool reader, Value name, const Arg *args, size_t nargs)
{
    Value v = half(th, self, reader);
    if (v == NULL)
        return NULL;
    Value r = call_method(th, v, name, args, nargs, NULL);
    drop(th, v);
    return r;
}

static bool
pair_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    int64_t size = IO_BUFFER_SIZE;
    if (!args_no_keywords(th, "BufferedRWPair", kwnames) ||
        !args_count(th, "BufferedRWPair", nargs, 2, 3) ||
        (nargs > 2 && !arg_ssize(th, arg(args, 2), &size)))
        return false;
    Value raw_reader = arg(args, 0), raw_writer = arg(args, 1);
    if (!io_check_readable(th, raw_reader) || !io_check_writable(th, raw_writer))
        return false;
    Value reader = io_buffered_new(th, &io_reader_type, raw_reader, size);
    if (reader == NULL)
        return false;
    Value writer = io_buffered_new(th, &io_writer_type, raw_writer, size);
    if (writer == NULL) {
        drop(th, reader);
        return false;
    }
    Pair *p = as_pair(self);
    field_replace(th, &p->head, &p->reader, reader);
    field_replace(th, &p->head, &p->writer, writer);
    return true;
}

static Value
pair_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

static Value
pair_read(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return pass(th, self, true, NAME(read), args, nargs);
}

static Value
pair_peek(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return pass(th, self, true, NAME(peek), args, nargs);
}

static Value
pair_read1(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return pass(th, self, true, NAME(read1), args, nargs);
}

static Value
pair_readinto(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return pass(th, self, true, NAME(readinto), args, nargs);
}

static Value
pair_readinto1(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return pass(th, self, true, NAME(readinto1), args, nargs);
}

static Value
pair_write(Thread *th, Value self, const Arg *args, size_t nargs)
{
    return pass(th, self, false, NAME(write), args, nargs);
}

static Value
pair_flush(Thread *th, Value self)
{
    return pass(th, self, false, NAME(flush), NULL, 0);
}

static Value
pair_readable(Thread *th, Value self)
{
    return pass(th, self, true, NAME(readable), NULL, 0);
}

static Value
pair_writable(Thread *th, Value self)
{
    return pass(th, self, false, NAME(writable), NULL, 0);
}

static Value
pair_close(Thread *th, Value self)
{
    Value r = pass(th, self, false, NAME(close), NULL, 0);
    Value exc = r == NULL ? error_take(th) : NULL;
    drop_null(th, r);
    r = pass(th, self, true, NAME(close), NULL, 0);
    if (exc != NULL) {
        drop_null(th, r);
        r = NULL;
        io_chain(th, exc);
    }
    return r;
}

static Value
pair_isatty(Thread *th, Value self)
{
    Value r = pass(th, self, false, NAME(isatty), NULL, 0);
    if (r != FALSE)
        return r; /* True, or an exception */
    return pass(th, self, true, NAME(isatty), NULL, 0);
}

static Value
pair_get_closed(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value writer = field_read(th, value_object(self), &as_pair(self)->writer);
    if (writer == NULL)
        return raise_error(th, &exc_RuntimeError,
                           "the BufferedRWPair object is being garbage-collected");
    Value r = get_attr(th, writer, NAME(closed));
    drop(th, writer);
    return r;
}

HOLDS_FIELDS(pair, Pair, reader, writer);
CLEARS_FIELDS(pair, Pair, reader, writer);

static const MethodDef pair_methods[] = {
    NATIVE_N("read", pair_read, 0, -1, NULL),
    NATIVE_N("peek", pair_peek, 0, -1, NULL),
    NATIVE_N("read1", pair_read1, 0, -1, NULL),
    NATIVE_N("readinto", pair_readinto, 0, -1, NULL),
    NATIVE_N("readinto1", pair_readinto1, 0, -1, NULL),
    NATIVE_N("write", pair_write, 0, -1, NULL),
    NATIVE_0("flush", pair_flush, NULL),
    NATIVE_0("readable", pair_readable, NULL),
    NATIVE_0("writable", pair_writable, NULL),
    NATIVE_0("close", pair_close, NULL),
    NATIVE_0("isatty", pair_isatty, NULL),
    NATIVE_END,
};

static const GetterDef pair_getters[] = {
    {.name = "closed", .get = pair_get_closed},
    {.name = NULL},
};

Type io_pair_type;
const TypeSpec io_pair_spec = {
    .name = "_io.BufferedRWPair",
    .base = &io_buffered_base_type,
    .size = sizeof(Pair),
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .doc = "BufferedRWPair(reader, writer, buffer_size=DEFAULT_BUFFER_SIZE, /)\n--\n\n"
           "A buffered reader and a buffered writer as one stream, for sockets, pipes and the\n"
           "like that cannot be positioned.",
    .methods = pair_methods,
    .getters = pair_getters,
    .slots = {.init = pair_init, .new = pair_new},
    .visit = pair_visit,
    .clear = pair_clear,
    .dealloc = pair_dealloc,
};
