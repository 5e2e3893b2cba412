/* mod_marshal.c -- module marshal: dump, load, dumps, loads.  Stateless. */
#include "modules/marshal.h"

#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"

static Value
marshal_method_dump(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    int version = MARSHAL_VERSION;
    if (nargs > 2 && !arg_int(th, arg(args, 2), &version))
        return NULL;
    Value bytes = marshal_dump(th, arg(args, 0), version);
    if (bytes == NULL)
        return NULL;
    Value r = call_method_1(th, arg(args, 1), NAME(write), bytes);
    drop(th, bytes);
    return r;
}

static Value
marshal_method_dumps(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    int version = MARSHAL_VERSION;
    if (nargs > 1 && !arg_int(th, arg(args, 1), &version))
        return NULL;
    return marshal_dump(th, arg(args, 0), version);
}

static Value
marshal_method_load(Thread *th, Value self, Value file)
{
    (void)self;
    /* A file that reads str is refused before anything is read. */
    Value probe = call_method_1(th, file, NAME(read), value_from_fixnum(0));
    if (probe == NULL)
        return NULL;
    if (!is_bytes(probe)) {
        raise_type_error(th, "file.read() returned not bytes but %T", probe);
        drop(th, probe);
        return NULL;
    }
    drop(th, probe);
    return marshal_load_file(th, file);
}

static Value
marshal_method_loads(Thread *th, Value self, Value data)
{
    (void)self;
    if (is_exact(data, SHAPE_BYTES))
        return marshal_load(th, as_bytes(data)->data, (size_t)as_bytes(data)->length);
    /* A copy: other threads may change the memory, and sizes are checked before they are used. */
    Buffer b;
    if (!buffer_read(th, data, &b, BUFFER_SIMPLE))
        return NULL;
    Value copy = bytes_from(th, b.data, (size_t)b.length), v = NULL;
    buffer_release(th, &b);
    if (copy != NULL) {
        v = marshal_load(th, as_bytes(copy)->data, (size_t)as_bytes(copy)->length);
        drop(th, copy);
    }
    return v;
}

static const MethodDef marshal_methods[] = {
    NATIVE_N("dump", marshal_method_dump, 2, 3,
             "dump($module, value, file, version=version, /)\n--\n\n"
             "Writes the value to a binary file.\n\n"
             "ValueError if the value, or one in it, has a type that is not supported."),
    NATIVE_1("load", marshal_method_load,
             "load($module, file, /)\n--\n\nReads one value from a binary file.\n\n"
             "EOFError, ValueError or TypeError if there is none."),
    NATIVE_N("dumps", marshal_method_dumps, 1, 2,
             "dumps($module, value, version=version, /)\n--\n\n"
             "The bytes that dump() would write."),
    NATIVE_1("loads", marshal_method_loads,
             "loads($module, bytes, /)\n--\n\n"
             "The value that a bytes-like object holds; what follows it is ignored."),
    NATIVE_END,
};

static bool
marshal_exec(Thread *th, Value module)
{
    return module_add_int(th, module, "version", MARSHAL_VERSION);
}

const ModuleSpec marshal_module = {
    .name = "marshal",
    .doc = "This module contains functions that can read and write Python values in\n"
           "a binary format. The format is specific to Python, but independent of\n"
           "machine architecture issues.",
    .methods = marshal_methods,
    .exec = marshal_exec,
};
