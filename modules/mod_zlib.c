/* mod_zlib.c -- module zlib, on the system's zlib.
 *
 * A stream is under a lock of its own, because long pieces are worked on offline and two threads may
 * feed one object.  Under the lock only plain memory is touched: input is held by an export, output is
 * collected in malloc()ed memory and becomes bytes afterwards. */
#include "core/run/run.h"
#include "modules/modules.h"
#include "modules/static_types.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "modules/fork_mutex.h"

enum { OFFLINE_SIZE = 5 * 1024, OUT_SIZE = 16 * 1024 };

typedef struct Stream {
    struct Object head;
    ForkMutex lock;
    z_stream z;              /* [lock] */
    bool open;               /* [lock] z is initialised */
    bool compressing;        /* [const] */
    ATOMIC(uint8_t) eof;
    Value zdict;             /* [const] bytes, or NULL */
    bool raw;                /* [const] a stream without header: the dictionary is set at once */
    Field unused_data, unconsumed_tail; /* bytes; decompressing only */
} Stream;

static Type compress_type, decompress_type, error_type;

static Stream *as_stream(Value v) { return (Stream *)(void *)value_object(v); }

static void *
raise_zlib(Thread *th, const z_stream *z, int code, const char *what)
{
    const char *text = code == Z_VERSION_ERROR ? "library version mismatch" : z ? z->msg : NULL;
    if (text == NULL)
        text = code == Z_BUF_ERROR      ? "incomplete or truncated stream"
               : code == Z_STREAM_ERROR ? "inconsistent stream state"
               : code == Z_DATA_ERROR   ? "invalid input data"
                                        : NULL;
    return text ? raise_error(th, &error_type, "Error %d %s: %s", code, what, text)
                : raise_error(th, &error_type, "Error %d %s", code, what);
}

/* In the child of a fork that came in the middle of a step the stream cannot go on: its tables do not
 * fit together.  Its memory is left alone. */
static void
stream_lock(Thread *th, Stream *s)
{
    if (UNLIKELY(!fork_mutex_lock(th, &s->lock)))
        s->open = false;
}

/* -- output -- */

typedef struct Out {
    uint8_t *p;
    size_t n, capacity, max; /* max 0: as much as there is */
} Out;

/* Makes room for some more bytes; false: no memory.  At `max` the room is 0. */
static bool
out_grow(Out *o, z_stream *z)
{
    if (o->n == o->capacity) {
        size_t capacity = o->capacity ? o->capacity * 2 : OUT_SIZE;
        if (o->max && capacity > o->max)
            capacity = o->max;
        if (capacity > o->capacity) {
            uint8_t *p = mem_resize(o->p, capacity);
            if (p == NULL)
                return false;
            o->p = p;
            o->capacity = capacity;
        }
    }
    size_t room = o->capacity - o->n;
    z->next_out = o->p + o->n;
    z->avail_out = room > UINT_MAX ? UINT_MAX : (uInt)room;
    return true;
}

static Value
out_finish(Thread *th, Out *o, bool ok)
{
    Value v = ok ? bytes_from(th, o->p, o->n) : NULL;
    mem_free(o->p);
    return v;
}

static void
feed(z_stream *z, const uint8_t **p, size_t *left)
{
    size_t n = *left > UINT_MAX ? UINT_MAX : *left;
    z->next_in = (Bytef *)(uintptr_t)*p;
    z->avail_in = (uInt)n;
    *p += n;
    *left -= n;
}

/* Compresses n bytes; `flush` at their end.  A zlib code; Z_MEM_ERROR without memory. */
static int
deflate_all(z_stream *z, const uint8_t *p, size_t n, int flush, Out *o)
{
    int code = Z_OK;
    do {
        feed(z, &p, &n);
        do {
            if (!out_grow(o, z))
                return Z_MEM_ERROR;
            uInt room = z->avail_out;
            code = deflate(z, n ? Z_NO_FLUSH : flush);
            o->n += room - z->avail_out;
            if (code == Z_STREAM_ERROR)
                return code;
        } while (z->avail_out == 0);
    } while (n > 0);
    return code;
}

/* Decompresses until the input is used up, the stream ends or o->max is reached; *p and *n become what is
 * left of the input. */
static int
inflate_all(z_stream *z, const uint8_t **p, size_t *n, Value zdict, int flush, Out *o)
{
    int code = Z_OK;
    do {
        feed(z, p, n);
        do {
            if (!out_grow(o, z))
                return Z_MEM_ERROR;
            uInt room = z->avail_out;
            if (room == 0)
                goto done; /* max */
            code = inflate(z, flush);
            o->n += room - z->avail_out;
            if (code == Z_NEED_DICT && zdict)
                code = inflateSetDictionary(z, as_bytes(zdict)->data, (uInt)as_bytes(zdict)->length) == Z_OK
                           ? Z_OK : Z_DATA_ERROR;
            else if (code != Z_OK && code != Z_BUF_ERROR)
                goto done;
        } while (z->avail_out == 0 || (code == Z_OK && z->avail_in > 0));
    } while (*n > 0);
done:
    *p -= z->avail_in;
    *n += z->avail_in;
    return code;
}

/* -- functions -- */

/* wbits, level and so on. */
static bool
int_arg(Thread *th, Value v, int *out)
{
    return v == NULL || arg_int(th, v, out);
}

static Value
zlib_compress(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "compress", .names = {"", "level", "wbits"}, .positional = 3,
                                     .posonly = 1, .required = 1};
    Value v[3];
    int level = Z_DEFAULT_COMPRESSION, wbits = MAX_WBITS;
    Buffer b;
    if (!args_bind(th, &params, a, n, kwnames, v) || !int_arg(th, v[1], &level) || !int_arg(th, v[2], &wbits) ||
        !buffer_lend(th, v[0], &b, BUFFER_SIMPLE))
        return NULL;
    z_stream z = {.zalloc = Z_NULL};
    Out o = {.p = NULL};
    int code = deflateInit2(&z, level, Z_DEFLATED, wbits, 8, Z_DEFAULT_STRATEGY);
    bool ok = code == Z_OK;
    if (ok) {
        blocking_begin(th);
        code = deflate_all(&z, b.data, (size_t)b.length, Z_FINISH, &o);
        blocking_end(th);
        ok = code == Z_STREAM_END;
        if (!ok)
            code == Z_MEM_ERROR ? raise_memory(th) : raise_zlib(th, &z, code, "while compressing data");
        deflateEnd(&z);
    } else if (code == Z_MEM_ERROR)
        raise_error(th, &exc_MemoryError, "Out of memory while compressing data");
    else if (code == Z_STREAM_ERROR)
        raise_error(th, &error_type, "Bad compression level");
    else
        raise_zlib(th, &z, code, "while compressing data");
    buffer_release(th, &b);
    return out_finish(th, &o, ok);
}

static Value
zlib_decompress(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "decompress", .names = {"", "wbits", "bufsize"}, .positional = 3,
                                     .posonly = 1, .required = 1};
    Value v[3];
    int wbits = MAX_WBITS;
    int64_t size = OUT_SIZE;
    Buffer b;
    if (!args_bind(th, &params, a, n, kwnames, v) || !int_arg(th, v[1], &wbits) || !arg_ssize(th, v[2], &size) ||
        !buffer_lend(th, v[0], &b, BUFFER_SIMPLE))
        return NULL;
    z_stream z = {.zalloc = Z_NULL};
    Out o = {.p = NULL};
    const uint8_t *p = b.data;
    size_t left = (size_t)b.length;
    bool ok = false;
    if (size < 0) {
        raise_value_error(th, "bufsize must be non-negative");
    } else {
        int code = inflateInit2(&z, wbits);
        if (code == Z_MEM_ERROR)
            raise_error(th, &exc_MemoryError, "Out of memory while decompressing data");
        else if (code != Z_OK)
            raise_zlib(th, &z, code, "while preparing to decompress data");
        else {
            blocking_begin(th);
            code = inflate_all(&z, &p, &left, NULL, Z_SYNC_FLUSH, &o);
            blocking_end(th);
            ok = code == Z_STREAM_END;
            if (code == Z_MEM_ERROR)
                raise_error(th, &exc_MemoryError, "Out of memory while decompressing data");
            else if (!ok)
                raise_zlib(th, code == Z_OK || code == Z_BUF_ERROR ? NULL : &z, code == Z_OK ? Z_BUF_ERROR : code,
                           "while decompressing data");
            inflateEnd(&z);
        }
    }
    buffer_release(th, &b);
    return out_finish(th, &o, ok);
}

static Value
checksum(Thread *th, const Arg *a, size_t n, uLong start, uLong (*sum)(uLong, const Bytef *, z_size_t))
{
    if (n > 1) {
        Value given = to_index(th, arg(a, 1));
        if (given == NULL)
            return NULL;
        start = (uint32_t)int_to_u64_wrap(given);
        drop(th, given);
    }
    Buffer b;
    if (!buffer_lend(th, arg(a, 0), &b, BUFFER_SIMPLE))
        return NULL;
    bool offline = b.length > OFFLINE_SIZE;
    if (offline)
        blocking_begin(th);
    uLong r = b.length ? sum(start, b.data, (z_size_t)b.length) : start;
    if (offline)
        blocking_end(th);
    buffer_release(th, &b);
    return value_from_fixnum((int64_t)(r & 0xffffffffu));
}

static Value
zlib_adler32(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    return checksum(th, a, n, 1, adler32_z);
}

static Value
zlib_crc32(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    return checksum(th, a, n, 0, crc32_z);
}

/* -- objects -- */

static Value
stream_new(Thread *th, Type *type, Value zdict, bool compressing)
{
    Value v = type_alloc(th, type, 0);
    if (v == NULL)
        return NULL;
    Stream *s = as_stream(v);
    s->compressing = compressing;
    s->zdict = zdict ? retain(th, zdict) : NULL;
    field_init(&s->unused_data, retain(th, bytes_empty));
    field_init(&s->unconsumed_tail, retain(th, bytes_empty));
    return v;
}

static void
stream_dealloc(Thread *th, Object *o)
{
    Stream *s = (Stream *)o;
    if (s->open)
        s->compressing ? deflateEnd(&s->z) : inflateEnd(&s->z);
    drop_null(th, s->zdict);
    field_drop(th, &s->unused_data);
    field_drop(th, &s->unconsumed_tail);
}

/* The dictionary argument as bytes; NULL in *out if there is none. */
static bool
zdict_arg(Thread *th, Value v, Value *out)
{
    *out = NULL;
    if (v == NULL || v == NONE)
        return true;
    if (!has_buffer(v)) {
        raise_type_error(th, "zdict argument must support the buffer protocol");
        return false;
    }
    *out = bytes_from_value(th, v);
    if (*out && as_bytes(*out)->length > UINT_MAX) {
        raise_overflow(th, "zdict length does not fit in an unsigned int");
        DROP_CLEAR(th, *out);
    }
    return *out != NULL;
}

static Value
zlib_compressobj(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "compressobj",
                                     .names = {"level", "method", "wbits", "memLevel", "strategy", "zdict"},
                                     .positional = 6};
    Value v[6], zdict;
    int level = Z_DEFAULT_COMPRESSION, method = Z_DEFLATED, wbits = MAX_WBITS, memory = 8, strategy = Z_DEFAULT_STRATEGY;
    if (!args_bind(th, &params, a, n, kwnames, v) || !int_arg(th, v[0], &level) || !int_arg(th, v[1], &method) ||
        !int_arg(th, v[2], &wbits) || !int_arg(th, v[3], &memory) || !int_arg(th, v[4], &strategy) ||
        !zdict_arg(th, v[5], &zdict))
        return NULL;
    Value r = stream_new(th, &compress_type, NULL, true);
    if (r) {
        Stream *s = as_stream(r);
        int code = deflateInit2(&s->z, level, method, wbits, memory, strategy);
        s->open = code == Z_OK;
        if (code == Z_MEM_ERROR)
            raise_error(th, &exc_MemoryError, "Can't allocate memory for compression object");
        else if (code == Z_STREAM_ERROR)
            raise_value_error(th, "Invalid initialization option");
        else if (code != Z_OK)
            raise_zlib(th, &s->z, code, "while creating compression object");
        else if (zdict) {
            code = deflateSetDictionary(&s->z, as_bytes(zdict)->data, (uInt)as_bytes(zdict)->length);
            if (code != Z_OK)
                raise_value_error(th, code == Z_STREAM_ERROR ? "Invalid dictionary" : "deflateSetDictionary()");
        }
    }
    drop_null(th, zdict);
    if (error_set(th) && r)
        DROP_CLEAR(th, r);
    return r;
}

static Value
zlib_decompressobj(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "decompressobj", .names = {"wbits", "zdict"}, .positional = 2};
    Value v[2], zdict;
    int wbits = MAX_WBITS;
    if (!args_bind(th, &params, a, n, kwnames, v) || !int_arg(th, v[0], &wbits) || !zdict_arg(th, v[1], &zdict))
        return NULL;
    Value r = stream_new(th, &decompress_type, zdict, false);
    if (r) {
        Stream *s = as_stream(r);
        s->raw = wbits < 0;
        int code = inflateInit2(&s->z, wbits);
        s->open = code == Z_OK;
        if (code == Z_MEM_ERROR)
            raise_error(th, &exc_MemoryError, "Can't allocate memory for decompression object");
        else if (code == Z_STREAM_ERROR)
            raise_value_error(th, "Invalid initialization option");
        else if (code != Z_OK)
            raise_zlib(th, &s->z, code, "while creating decompression object");
        else if (zdict && s->raw) {
            code = inflateSetDictionary(&s->z, as_bytes(zdict)->data, (uInt)as_bytes(zdict)->length);
            if (code != Z_OK)
                raise_zlib(th, &s->z, code, "while setting zdict");
        }
    }
    drop_null(th, zdict);
    if (error_set(th) && r)
        DROP_CLEAR(th, r);
    return r;
}

static Value
compress_compress(Thread *th, Value self, Value data)
{
    Stream *s = as_stream(self);
    Buffer b;
    if (!buffer_lend(th, data, &b, BUFFER_SIMPLE))
        return NULL;
    Out o = {.p = NULL};
    stream_lock(th, s);
    blocking_begin(th);
    int code = s->open ? deflate_all(&s->z, b.data, (size_t)b.length, Z_NO_FLUSH, &o) : Z_STREAM_ERROR;
    blocking_end(th);
    fork_mutex_unlock(&s->lock);
    bool ok = code == Z_OK || code == Z_BUF_ERROR;
    if (!ok)
        code == Z_MEM_ERROR ? raise_memory(th) : raise_zlib(th, NULL, code, "while compressing data");
    buffer_release(th, &b);
    return out_finish(th, &o, ok);
}

static Value
compress_flush(Thread *th, Value self, const Arg *a, size_t n)
{
    Stream *s = as_stream(self);
    int mode = Z_FINISH;
    if (n && !arg_int(th, arg(a, 0), &mode))
        return NULL;
    if (mode == Z_NO_FLUSH)
        return retain(th, bytes_empty);
    Out o = {.p = NULL};
    stream_lock(th, s);
    blocking_begin(th);
    int code = s->open ? deflate_all(&s->z, NULL, 0, mode, &o) : Z_STREAM_ERROR;
    if (code == Z_STREAM_END && mode == Z_FINISH) {
        deflateEnd(&s->z);
        s->open = false;
    }
    blocking_end(th);
    fork_mutex_unlock(&s->lock);
    bool ok = code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END;
    if (!ok)
        code == Z_MEM_ERROR ? raise_memory(th) : raise_zlib(th, NULL, code, "while flushing");
    return out_finish(th, &o, ok);
}

/* Puts what is left of the input where it belongs; `p` lies in the export or in the old tail. */
static bool
keep_rest(Thread *th, Value self, const uint8_t *p, size_t left, bool ended)
{
    Stream *s = as_stream(self);
    if (ended) {
        Value before = field_read(th, &s->head, &s->unused_data);
        size_t n = (size_t)as_bytes(before)->length;
        Value all = left ? bytes_new(th, n + left) : retain(th, before);
        if (all && left) {
            memcpy(as_bytes(all)->data, as_bytes(before)->data, n);
            memcpy(as_bytes(all)->data + n, p, left);
        }
        drop(th, before);
        if (all == NULL)
            return false;
        field_replace(th, &s->head, &s->unused_data, all);
        left = 0;
    }
    Value tail = left ? bytes_from(th, p, left) : retain(th, bytes_empty);
    if (tail == NULL)
        return false;
    field_replace(th, &s->head, &s->unconsumed_tail, tail);
    return true;
}

/* Decompresses `n` bytes at `p`; `finish`: nothing more comes. */
static Value
decompress_bytes(Thread *th, Value self, const uint8_t *p, size_t n, size_t max, bool finish)
{
    Stream *s = as_stream(self);
    Out o = {.max = max};
    stream_lock(th, s);
    blocking_begin(th);
    bool over = load_relaxed(&s->eof);
    int code = over       ? Z_STREAM_END
               : !s->open ? Z_STREAM_ERROR
                          : inflate_all(&s->z, &p, &n, s->zdict, finish ? Z_FINISH : Z_SYNC_FLUSH, &o);
    if (code == Z_STREAM_END && !over)
        store_relaxed(&s->eof, 1);
    if (code == Z_STREAM_END && finish && s->open) {
        inflateEnd(&s->z);
        s->open = false;
    }
    blocking_end(th);
    fork_mutex_unlock(&s->lock);
    bool ok = code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END;
    if (code == Z_MEM_ERROR)
        raise_memory(th);
    else if (!ok)
        raise_zlib(th, &s->z, code, finish ? "while flushing" : "while decompressing data");
    ok = keep_rest(th, self, p, n, code == Z_STREAM_END) && ok;
    return out_finish(th, &o, ok);
}

static Value
decompress_decompress(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "decompress", .names = {"", "max_length"}, .positional = 2, .posonly = 1,
                                     .required = 1};
    Value v[2];
    int64_t max = 0;
    Buffer b;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_ssize(th, v[1], &max))
        return NULL;
    if (max < 0)
        return raise_value_error(th, "max_length must be non-negative");
    if (!buffer_lend(th, v[0], &b, BUFFER_SIMPLE))
        return NULL;
    Value r = decompress_bytes(th, self, b.data, (size_t)b.length, (size_t)max, false);
    buffer_release(th, &b);
    return r;
}

static Value
decompress_flush(Thread *th, Value self, const Arg *a, size_t n)
{
    Stream *s = as_stream(self);
    int64_t length = OUT_SIZE;
    if (n && !arg_ssize(th, arg(a, 0), &length))
        return NULL;
    if (length <= 0)
        return raise_value_error(th, "length must be greater than zero");
    Value tail = field_read(th, &s->head, &s->unconsumed_tail);
    Value r = decompress_bytes(th, self, as_bytes(tail)->data, (size_t)as_bytes(tail)->length, 0, true);
    drop(th, tail);
    return r;
}

static Value
stream_copy(Thread *th, Value self)
{
    Stream *s = as_stream(self);
    Value v = stream_new(th, type_of(self), s->zdict, s->compressing);
    if (v == NULL)
        return NULL;
    Stream *c = as_stream(v);
    stream_lock(th, s);
    int code = !s->open         ? Z_STREAM_ERROR
               : s->compressing ? deflateCopy(&c->z, &s->z)
                                : inflateCopy(&c->z, &s->z);
    c->open = code == Z_OK;
    c->raw = s->raw;
    plain_store(&c->eof, load_relaxed(&s->eof));
    fork_mutex_unlock(&s->lock);
    if (code != Z_OK) {
        drop(th, v);
        return code == Z_STREAM_ERROR ? raise_value_error(th, "Inconsistent stream state")
                                      : raise_error(th, &exc_MemoryError, "Can't allocate memory for %s object",
                                                    s->compressing ? "compression" : "decompression");
    }
    field_replace(th, &c->head, &c->unused_data, field_read(th, &s->head, &s->unused_data));
    field_replace(th, &c->head, &c->unconsumed_tail, field_read(th, &s->head, &s->unconsumed_tail));
    return v;
}

static Value
stream_deepcopy(Thread *th, Value self, Value memo)
{
    (void)memo;
    return stream_copy(th, self);
}

static Value
decompress_get_eof(Thread *th, Value self, void *closure)
{
    (void)th, (void)closure;
    return bool_from(load_relaxed(&as_stream(self)->eof));
}

#define COPIES                                                                                                          \
    NATIVE_0("copy", stream_copy, "copy($self, /)\n--\n\nReturn a copy of the object."),                                \
    NATIVE_0("__copy__", stream_copy, NULL), NATIVE_1("__deepcopy__", stream_deepcopy, NULL)

static const MethodDef compress_methods[] = {
    NATIVE_1("compress", compress_compress, "compress($self, data, /)\n--\n\nCompresses data; what is ready of the output is returned."),
    NATIVE_N("flush", compress_flush, 0, 1, "flush($self, mode=zlib.Z_FINISH, /)\n--\n\nReturns what is left of the output."),
    COPIES, NATIVE_END,
};
static const MethodDef decompress_methods[] = {
    NATIVE_K("decompress", decompress_decompress, "decompress($self, data, /, max_length=0)\n--\n\nDecompresses data; with max_length, input not yet used becomes unconsumed_tail."),
    NATIVE_N("flush", decompress_flush, 0, 1, "flush($self, length=zlib.DEF_BUF_SIZE, /)\n--\n\nReturns what is left of the output."),
    COPIES, NATIVE_END,
};
static const GetterDef decompress_getters[] = {{"eof", decompress_get_eof, NULL, NULL, NULL}, {.name = NULL}};
static const MemberDef decompress_members[] = {
    {"unused_data", MEMBER_VALUE, offsetof(Stream, unused_data), true, NULL},
    {"unconsumed_tail", MEMBER_VALUE, offsetof(Stream, unconsumed_tail), true, NULL},
    {.name = NULL},
};
static const TypeSpec compress_spec = {
    .name = "zlib.Compress", .size = sizeof(Stream), .flags = TYPE_DISALLOW_NEW | TYPE_IMMUTABLE,
    .methods = compress_methods, .dealloc = stream_dealloc,
};
static const TypeSpec decompress_spec = {
    .name = "zlib.Decompress", .size = sizeof(Stream), .flags = TYPE_DISALLOW_NEW | TYPE_IMMUTABLE,
    .methods = decompress_methods, .getters = decompress_getters, .members = decompress_members,
    .dealloc = stream_dealloc,
};
static const TypeSpec error_spec = {.name = "zlib.error", .base = &exc_Exception, .flags = TYPE_BASE};

static const MethodDef zlib_methods[] = {
    NATIVE_K("compress", zlib_compress, "compress($module, data, /, level=Z_DEFAULT_COMPRESSION, wbits=MAX_WBITS)\n--\n\nReturns a bytes object with compressed data."),
    NATIVE_K("decompress", zlib_decompress, "decompress($module, data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE)\n--\n\nReturns a bytes object with the uncompressed data."),
    NATIVE_K("compressobj", zlib_compressobj, "compressobj($module, /, level=Z_DEFAULT_COMPRESSION, method=DEFLATED,\n            wbits=MAX_WBITS, memLevel=DEF_MEM_LEVEL,\n            strategy=Z_DEFAULT_STRATEGY, zdict=None)\n--\n\nReturns an object that compresses piece by piece."),
    NATIVE_K("decompressobj", zlib_decompressobj, "decompressobj($module, /, wbits=MAX_WBITS, zdict=b\'\')\n--\n\nReturns an object that decompresses piece by piece."),
    NATIVE_N("adler32", zlib_adler32, 1, 2, "adler32($module, data, value=1, /)\n--\n\nThe Adler-32 checksum of data, going on from value."),
    NATIVE_N("crc32", zlib_crc32, 1, 2, "crc32($module, data, value=0, /)\n--\n\nThe CRC-32 checksum of data, going on from value."),
    NATIVE_END,
};

static const struct {
    const char *name;
    int value;
} constants[] = {
#define C(x) {#x, x},
    C(MAX_WBITS) C(Z_NO_COMPRESSION) C(Z_BEST_SPEED) C(Z_BEST_COMPRESSION) C(Z_DEFAULT_COMPRESSION) C(Z_FILTERED)
    C(Z_HUFFMAN_ONLY) C(Z_RLE) C(Z_FIXED) C(Z_DEFAULT_STRATEGY) C(Z_NO_FLUSH) C(Z_PARTIAL_FLUSH) C(Z_SYNC_FLUSH)
    C(Z_FULL_FLUSH) C(Z_FINISH) C(Z_BLOCK) C(Z_TREES)
#undef C
    {"DEFLATED", Z_DEFLATED}, {"DEF_MEM_LEVEL", 8}, {"DEF_BUF_SIZE", OUT_SIZE},
};

static bool
zlib_exec(Thread *th, Value m)
{
    static const StaticType types[] = {
        {&compress_type, &compress_spec}, {&decompress_type, &decompress_spec}, {&error_type, &error_spec}};
    if (!static_types_ready(th, types, ARRAY_LEN(types)) || !module_add_type(th, m, &error_type) ||
        !module_add_str(th, m, "ZLIB_VERSION", ZLIB_VERSION) ||
        !module_add_str(th, m, "ZLIB_RUNTIME_VERSION", zlibVersion()))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, m, constants[i].name, constants[i].value))
            return false;
    return true;
}

const ModuleSpec zlib_module = {
    .name = "zlib", .doc = "Compression and decompression with the zlib library, which GNU zip is based on.",
    .methods = zlib_methods, .exec = zlib_exec,
};
