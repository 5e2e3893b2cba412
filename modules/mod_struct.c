/* mod_struct.c -- module _struct: Struct, and the functions that take a format.
 *
 * A Struct's compiled format is a bytes object in a Field: __init__ may replace it while another
 * thread packs with the old one.  The functions keep compiled formats in a dict of the module.
 */
#include "modules/static_types.h"
#include "gc/holds.h"
#include "modules/struct_format.h"

#include "objects/container/container.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

typedef struct StructState {
    Field cache; /* dict: format -> program; NULL once the module is cleared */
} StructState;

#define CACHE_MAX 100

typedef struct StructObject {
    struct Object head;
    Field format;  /* str, NULL before __init__ */
    Field program; /* bytes, NULL before __init__ */
} StructObject;

static inline StructObject *
as_struct(Value v)
{
    return (StructObject *)(void *)value_object(v);
}

/* What a Struct that was never initialised does. */
static const StructProgram empty_program = {.size = -1, .values = -1};

/* -- working on a program -- */

static COLD Value
raise_item_count(Thread *th, const char *name, int64_t want, size_t got)
{
    return raise_error(th, &struct_error, "%s expected %lld items for packing (got %zu)", name,
                       (long long)want, got);
}

static Value
do_pack(Thread *th, const StructProgram *program, const Arg *args, size_t nargs)
{
    if ((int64_t)nargs != program->values)
        return raise_item_count(th, "pack", program->values, nargs);
    Value bytes = bytes_new(th, (size_t)program->size);
    if (bytes == NULL)
        return NULL;
    if (!struct_pack_values(th, program, as_bytes(bytes)->data, args)) {
        drop(th, bytes);
        return NULL;
    }
    return bytes;
}

/* args: buffer, offset, values... */
/* Turns an offset into a buffer of `length` bytes into one that is not negative and has the
 * program's bytes behind it; struct.error if there is no such place.  `call`, `packing`, `no_room`:
 * how the messages name what is done. */
RAISES static bool
find_place(Thread *th, const StructProgram *program, int64_t length, int64_t *offset, const char *call,
           const char *packing, const char *no_room)
{
    int64_t size = program->size;
    if (*offset < 0) {
        if (*offset + size > 0)
            return raise_error(th, &struct_error, no_room, (long long)size, (long long)*offset);
        if (*offset + length < 0)
            return raise_error(th, &struct_error, "offset %lld out of range for %lld-byte buffer",
                               (long long)*offset, (long long)length);
        *offset += length;
    }
    if (length - *offset >= size)
        return true;
    return raise_error(th, &struct_error,
                       "%s requires a buffer of at least %llu bytes for %s %lld bytes at offset "
                       "%lld (actual buffer size is %lld)",
                       call, (unsigned long long)size + (unsigned long long)*offset, packing,
                       (long long)size, (long long)*offset, (long long)length);
}

static Value
do_pack_into(Thread *th, const StructProgram *program, const Arg *args, size_t nargs)
{
    if (nargs < 2 || (int64_t)nargs - 2 != program->values) {
        if (nargs == 0)
            return raise_error(th, &struct_error, "pack_into expected buffer argument");
        if (nargs == 1)
            return raise_error(th, &struct_error, "pack_into expected offset argument");
        return raise_item_count(th, "pack_into", program->values, nargs - 2);
    }
    Buffer b;
    Value target = arg(args, 0);
    if (!buffer_get(th, target, &b, BUFFER_WRITABLE)) {
        if (error_matches(th, &exc_TypeError) || error_matches(th, &exc_BufferError)) {
            error_clear(th);
            raise_type_error(th, "argument must be read-write bytes-like object, not %T", target);
        }
        return NULL;
    }
    Value result = NULL;
    int64_t offset, size = program->size;
    if (!to_ssize(th, arg(args, 1), &offset, &exc_IndexError))
        goto end;
    if (!find_place(th, program, b.length, &offset, "pack_into", "packing",
                    "no space to pack %lld bytes at offset %lld"))
        goto end;
    /* Packed apart: other threads may be looking at the buffer.  What was packed before an error
     * is put there, too. */
    uint8_t few[256], *packed = size <= (int64_t)sizeof few ? few : mem_alloc((size_t)size);
    if (packed == NULL) {
        raise_memory(th);
        goto end;
    }
    if (struct_pack_values(th, program, packed, args + 2))
        result = NONE;
    memory_move_raced(b.data + offset, packed, (size_t)size);
    if (packed != few)
        mem_free(packed);
end:
    buffer_release(th, &b);
    return result;
}

static Value
do_unpack(Thread *th, const StructProgram *program, Value data)
{
    Buffer b;
    if (!buffer_lend(th, data, &b, BUFFER_SIMPLE))
        return NULL;
    Value r;
    if (b.length != program->size)
        r = raise_error(th, &struct_error, "unpack requires a buffer of %lld bytes",
                        (long long)program->size);
    else
        r = struct_unpack_values(th, program, b.data);
    buffer_release(th, &b);
    return r;
}

static Value
do_unpack_from(Thread *th, const StructProgram *program, Value data, Value offset_value)
{
    Buffer b;
    int64_t offset = 0, size = program->size;
    if (!buffer_lend(th, data, &b, BUFFER_SIMPLE))
        return NULL;
    Value r = NULL;
    if (offset_value != NULL && !arg_ssize(th, offset_value, &offset))
        goto end;
    if (!find_place(th, program, b.length, &offset, "unpack_from", "unpacking",
                    "not enough data to unpack %lld bytes at offset %lld"))
        goto end;
    if (size >= 0)
        r = struct_unpack_values(th, program, b.data + offset);
    else
        raise_error(th, &struct_error, "unpack requires a buffer of -1 bytes");
end:
    buffer_release(th, &b);
    return r;
}

/* -- the iterator -- */

typedef struct UnpackIter {
    struct Object head;
    Value program;           /* [const] bytes */
    Buffer buffer;           /* [const] exported until the iterator dies */
    bool has_buffer;         /* [const] */
    ATOMIC(int64_t) offset;  /* of the next values */
} UnpackIter;

static inline UnpackIter *
as_iter(Value v)
{
    return (UnpackIter *)(void *)value_object(v);
}

static Type unpack_iter_type;

static Value
do_iter_unpack(Thread *th, Value program, Value data)
{
    const StructProgram *p = program_of(program);
    if (p->size == 0)
        return raise_error(th, &struct_error,
                           "cannot iteratively unpack with a struct of length 0");
    Value v = type_alloc(th, &unpack_iter_type, 0);
    if (v == NULL)
        return NULL;
    UnpackIter *it = as_iter(v);
    it->program = retain(th, program);
    it->has_buffer = buffer_get(th, data, &it->buffer, BUFFER_SIMPLE);
    if (!it->has_buffer)
        goto fail;
    if (it->buffer.length % p->size != 0) {
        raise_error(th, &struct_error,
                    "iterative unpacking requires a buffer of a multiple of %lld bytes",
                    (long long)p->size);
        goto fail;
    }
    return v;
fail:
    drop(th, v);
    return NULL;
}

static Value
iter_unpack_next(Thread *th, Value self)
{
    UnpackIter *it = as_iter(self);
    const StructProgram *p = program_of(it->program);
    int64_t offset = load_relaxed(&it->offset);
    do {
        if (it->buffer.length - offset < p->size)
            return NULL;
    } while (!cas_relaxed(&it->offset, &offset, offset + p->size));
    const uint8_t *from = it->buffer.data + offset;
    if (!WEFT_TSAN)
        return struct_unpack_values(th, p, from);
    uint8_t *copy = mem_alloc((size_t)p->size); /* others may be writing */
    if (copy == NULL)
        return raise_memory(th);
    memory_move_raced(copy, from, (size_t)p->size);
    Value v = struct_unpack_values(th, p, copy);
    mem_free(copy);
    return v;
}

static Value
iter_unpack_hint(Thread *th, Value self)
{
    UnpackIter *it = as_iter(self);
    int64_t left = it->buffer.length - load_relaxed(&it->offset);
    return int_from_i64(th, left / program_of(it->program)->size);
}

static Value
iter_unpack_self(Thread *th, Value self)
{
    return retain(th, self);
}

static void
iter_unpack_visit(Object *o, VisitFn visit, void *arg)
{
    UnpackIter *it = (UnpackIter *)(void *)o;
    value_visit(it->program, visit, arg);
    if (it->has_buffer)
        value_visit(it->buffer.owner, visit, arg);
}

static void
iter_unpack_dealloc(Thread *th, Object *o)
{
    UnpackIter *it = (UnpackIter *)(void *)o;
    if (it->has_buffer)
        buffer_release(th, &it->buffer);
    drop_null(th, it->program);
}

static const MethodDef unpack_iter_methods[] = {
    NATIVE_0("__length_hint__", iter_unpack_hint, NULL),
    NATIVE_END,
};

static const TypeSpec unpack_iter_spec = {
    .name = "_struct.unpack_iterator",
    .size = sizeof(UnpackIter),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .methods = unpack_iter_methods,
    .slots = {.iter = iter_unpack_self, .next = iter_unpack_next},
    .visit = iter_unpack_visit,
    .dealloc = iter_unpack_dealloc,
};

/* -- Struct -- */

static Type struct_type;

/* A new reference to the program of a Struct, or NULL if it has none. */
static Value
struct_program(Thread *th, Value self)
{
    return field_read(th, value_object(self), &as_struct(self)->program);
}

static const StructProgram *
program_or_empty(Value program)
{
    return program ? program_of(program) : &empty_program;
}

static Value
struct_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)args;
    (void)nargs;
    (void)kwnames;
    return type_alloc(th, type, 0);
}

/* The format as a str. */
static Value
format_text(Thread *th, Value format)
{
    if (is_exact(format, SHAPE_STR))
        return retain(th, format);
    if (is_bytes(format))
        return str_from_latin1(th, as_bytes(format)->data, (size_t)as_bytes(format)->length);
    return str_substring(th, format, 0, str_length(format));
}

static bool
struct_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "Struct", .names = {"format"}, .positional = 1, .required = 1};
    Value v[1];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return false;
    Value program = struct_compile(th, v[0]);
    if (program == NULL)
        return false;
    Value text = format_text(th, v[0]);
    if (text == NULL) {
        drop(th, program);
        return false;
    }
    StructObject *s = as_struct(self);
    field_replace(th, &s->head, &s->format, text);
    field_replace(th, &s->head, &s->program, program);
    return true;
}

static Value
struct_method_pack(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Value program = struct_program(th, self);
    Value r = do_pack(th, program_or_empty(program), args, nargs);
    drop_null(th, program);
    return r;
}

static Value
struct_method_pack_into(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Value program = struct_program(th, self);
    Value r = do_pack_into(th, program_or_empty(program), args, nargs);
    drop_null(th, program);
    return r;
}

static Value
struct_method_unpack(Thread *th, Value self, Value data)
{
    Value program = struct_program(th, self);
    Value r = do_unpack(th, program_or_empty(program), data);
    drop_null(th, program);
    return r;
}

static Value
struct_method_unpack_from(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "unpack_from",
                                     .names = {"buffer", "offset"},
                                     .positional = 2,
                                     .required = 1};
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value program = struct_program(th, self);
    Value r = do_unpack_from(th, program_or_empty(program), v[0], v[1]);
    drop_null(th, program);
    return r;
}

static Value
struct_method_iter_unpack(Thread *th, Value self, Value data)
{
    Value program = struct_program(th, self);
    if (program == NULL)
        return raise_error(th, &struct_error,
                           "cannot iteratively unpack with a struct of length 0");
    Value r = do_iter_unpack(th, program, data);
    drop(th, program);
    return r;
}

static Value
struct_get_size(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value program = struct_program(th, self);
    Value r = int_from_i64(th, program_or_empty(program)->size);
    drop_null(th, program);
    return r;
}

static Value
struct_get_format(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value format = field_read(th, value_object(self), &as_struct(self)->format);
    return format ? format : retain(th, str_empty);
}

static Value
struct_sizeof(Thread *th, Value self)
{
    Value program = struct_program(th, self);
    size_t n = sizeof(StructObject) + (program ? (size_t)as_bytes(program)->length : 0);
    drop_null(th, program);
    return int_from_size(th, n);
}

HOLDS_FIELDS(struct, StructObject, format, program);

static const MethodDef struct_type_methods[] = {
    NATIVE_N("pack", struct_method_pack, 0, -1,
             "S.pack(v1, v2, ...) -> bytes\n\nThe values as bytes, by the format S.format."),
    NATIVE_N("pack_into", struct_method_pack_into, 0, -1,
             "S.pack_into(buffer, offset, v1, v2, ...)\n\n"
             "Writes the values into a writable buffer, from the offset on."),
    NATIVE_1("unpack", struct_method_unpack,
             "unpack($self, buffer, /)\n--\n\nThe tuple of values that exactly S.size bytes hold."),
    NATIVE_K("unpack_from", struct_method_unpack_from,
             "unpack_from($self, /, buffer, offset=0)\n--\n\n"
             "The tuple of values in a buffer from the offset on."),
    NATIVE_1("iter_unpack", struct_method_iter_unpack,
             "iter_unpack($self, buffer, /)\n--\n\n"
             "An iterator over the tuples in a buffer of a multiple of S.size bytes."),
    NATIVE_0("__sizeof__", struct_sizeof, "S.__sizeof__() -> size of S in memory, in bytes"),
    NATIVE_END,
};

static const GetterDef struct_type_getters[] = {
    {.name = "format", .get = struct_get_format, .doc = "struct format string"},
    {.name = "size", .get = struct_get_size, .doc = "struct size in bytes"},
    {.name = NULL},
};

static const TypeSpec struct_type_spec = {
    .name = "_struct.Struct",
    .size = sizeof(StructObject),
    .flags = TYPE_BASE | TYPE_WEAKREFS,
    .doc = "Struct(fmt) --> compiled struct object\n\n",
    .methods = struct_type_methods,
    .getters = struct_type_getters,
    .slots = {.new = struct_new, .init = struct_init},
    .visit = struct_visit,
    .dealloc = struct_dealloc,
};

Type struct_error;
static const TypeSpec struct_error_spec = {
    .name = "struct.error",
    .base = &exc_Exception,
    .flags = TYPE_BASE | TYPE_EXCEPTION_SUBCLASS,
};

/* -- functions -- */

/* A new reference to the program of a format, from the cache if it is there. */
static Value
cached_program(Thread *th, Value module, Value format)
{
    StructState *state = module_state(module);
    if (!is_exact(format, SHAPE_STR) && !is_exact(format, SHAPE_BYTES))
        return struct_compile(th, format);
    Value cache = field_read(th, value_object(module), &state->cache), program;
    if (cache == NULL)
        return struct_compile(th, format);
    Answer found = dict_get(th, cache, format, &program);
    if (found == YES) {
        drop(th, cache);
        return program;
    }
    program = found == NO ? struct_compile(th, format) : NULL;
    if (program != NULL) {
        if (dict_length(cache) >= CACHE_MAX)
            dict_clear(th, cache);
        if (!dict_set(th, cache, format, program))
            DROP_CLEAR(th, program);
    }
    drop(th, cache);
    return program;
}

static Value
struct_calcsize(Thread *th, Value self, Value format)
{
    Value program = cached_program(th, self, format);
    if (program == NULL)
        return NULL;
    Value r = int_from_i64(th, program_of(program)->size);
    drop(th, program);
    return r;
}

static Value
struct_pack(Thread *th, Value self, const Arg *args, size_t nargs)
{
    if (nargs == 0)
        return raise_type_error(th, "missing format argument");
    Value program = cached_program(th, self, arg(args, 0));
    if (program == NULL)
        return NULL;
    Value r = do_pack(th, program_of(program), args + 1, nargs - 1);
    drop(th, program);
    return r;
}

static Value
struct_pack_into(Thread *th, Value self, const Arg *args, size_t nargs)
{
    if (nargs == 0)
        return raise_type_error(th, "missing format argument");
    Value program = cached_program(th, self, arg(args, 0));
    if (program == NULL)
        return NULL;
    Value r = do_pack_into(th, program_of(program), args + 1, nargs - 1);
    drop(th, program);
    return r;
}

static Value
struct_unpack(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    Value program = cached_program(th, self, arg(args, 0));
    if (program == NULL)
        return NULL;
    Value r = do_unpack(th, program_of(program), arg(args, 1));
    drop(th, program);
    return r;
}

static Value
struct_unpack_from(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "unpack_from",
                                     .names = {"", "buffer", "offset"},
                                     .positional = 3,
                                     .posonly = 1,
                                     .required = 2};
    Value v[3];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value program = cached_program(th, self, v[0]);
    if (program == NULL)
        return NULL;
    Value r = do_unpack_from(th, program_of(program), v[1], v[2]);
    drop(th, program);
    return r;
}

static Value
struct_iter_unpack(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)nargs;
    Value program = cached_program(th, self, arg(args, 0));
    if (program == NULL)
        return NULL;
    Value r = do_iter_unpack(th, program, arg(args, 1));
    drop(th, program);
    return r;
}

static Value
struct_clearcache(Thread *th, Value self)
{
    StructState *state = module_state(self);
    Value cache = field_read(th, value_object(self), &state->cache);
    if (cache != NULL) {
        dict_clear(th, cache);
        drop(th, cache);
    }
    return NONE;
}

static const MethodDef struct_methods[] = {
    NATIVE_0("_clearcache", struct_clearcache,
             "_clearcache($module, /)\n--\n\nForgets the compiled formats."),
    NATIVE_1("calcsize", struct_calcsize,
             "calcsize($module, format, /)\n--\n\nThe size in bytes of what the format describes."),
    NATIVE_N("iter_unpack", struct_iter_unpack, 2, 2,
             "iter_unpack($module, format, buffer, /)\n--\n\n"
             "An iterator over the tuples in a buffer, by the format."),
    NATIVE_N("pack", struct_pack, 0, -1,
             "pack(format, v1, v2, ...) -> bytes\n\nThe values as bytes, by the format."),
    NATIVE_N("pack_into", struct_pack_into, 0, -1,
             "pack_into(format, buffer, offset, v1, v2, ...)\n\n"
             "Writes the values into a writable buffer, by the format."),
    NATIVE_N("unpack", struct_unpack, 2, 2,
             "unpack($module, format, buffer, /)\n--\n\n"
             "The tuple of values that the bytes of a buffer hold, by the format."),
    NATIVE_K("unpack_from", struct_unpack_from,
             "unpack_from($module, format, /, buffer, offset=0)\n--\n\n"
             "The tuple of values in a buffer from the offset on, by the format."),
    NATIVE_END,
};

static bool
struct_exec(Thread *th, Value module)
{
    static const StaticType types[] = {
        {&struct_error, &struct_error_spec},
        {&struct_type, &struct_type_spec},
        {&unpack_iter_type, &unpack_iter_spec},
    };
    StructState *state = module_state(module);
    Value cache = dict_new(th);
    if (cache == NULL)
        return false;
    field_replace(th, value_object(module), &state->cache, cache);
    return static_types_ready(th, types, ARRAY_LEN(types)) &&
           module_add(th, module, "error", value_of_type(&struct_error)) &&
           module_add(th, module, "Struct", value_of_type(&struct_type));
}

static void
struct_module_visit(Value module, VisitFn visit, void *arg)
{
    field_visit(&((StructState *)module_state(module))->cache, visit, arg);
}

static void
struct_module_clear(Thread *th, Value module)
{
    field_replace(th, value_object(module), &((StructState *)module_state(module))->cache, NULL);
}

const ModuleSpec struct_module = {
    .name = "_struct",
    .doc = "Functions to convert between Python values and C structs.\n\n"
           "A format begins with the byte order (@ = < > !) and names the values by characters,\n"
           "which may have a count before them:\n"
           "  x pad  c char  b B h H i I l L q Q n N integers  ? bool  e f d floats\n"
           "  s p bytes  P pointer",
    .methods = struct_methods,
    .exec = struct_exec,
    .state_size = sizeof(StructState),
    .visit = struct_module_visit,
    .clear = struct_module_clear,
};
