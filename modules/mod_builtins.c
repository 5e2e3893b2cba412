/* mod_builtins.c -- module builtins: functions; the types and exceptions are added by name. */
#include "core/run/run.h"
#include "modules/io.h"
#include "modules/modules.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "objects/protocol/slot.h"
#include "threads/safepoint.h"

/* -- small functions ------------------------------------------------------------------------------------ */

static Value
builtin_abs(Thread *th, Value self, Value v)
{
    (void)self;
    return number_absolute(th, v);
}

/* The next item of an iterator, or of a list, which needs none. */
static inline Value
walk_next(Thread *th, Value it, int64_t *index)
{
    if (*index >= 0) {
        Value v = list_get(th, it, *index);
        *index = v != NULL ? *index + 1 : INT64_MAX - 1; /* once at its end, always */
        return v;
    }
    return iter_next(th, it);
}

/* What walk_next() takes: a new reference. */
static Value
walk_start(Thread *th, Value iterable, int64_t *index)
{
    *index = is_exact(iterable, SHAPE_LIST) ? 0 : -1;
    return *index == 0 ? retain(th, iterable) : get_iter(th, iterable);
}

static Value
all_or_any(Thread *th, Value iterable, bool stop_at)
{
    int64_t index;
    Value it = walk_start(th, iterable, &index);
    if (it == NULL)
        return NULL;
    Value v;
    while ((v = walk_next(th, it, &index))) {
        if (value_is_fixnum(v)) {
            if ((v != value_from_fixnum(0)) != stop_at)
                continue;
            drop(th, it);
            return bool_from(stop_at);
        }
        Answer a = is_true(th, v);
        drop(th, v);
        if (a == FAILED) {
            drop(th, it);
            return NULL;
        }
        if ((a == YES) == stop_at) {
            drop(th, it);
            return bool_from(stop_at);
        }
    }
    drop(th, it);
    return error_set(th) ? NULL : bool_from(!stop_at);
}

static Value
builtin_all(Thread *th, Value self, Value v)
{
    (void)self;
    return all_or_any(th, v, false);
}

static Value
builtin_any(Thread *th, Value self, Value v)
{
    (void)self;
    return all_or_any(th, v, true);
}

static Value
builtin_ascii(Thread *th, Value self, Value v)
{
    (void)self;
    return to_ascii(th, v);
}

static Value
in_base(Thread *th, Value v, int base)
{
    Value n = to_index(th, v);
    if (n == NULL)
        return NULL;
    Value s = int_to_str(th, n, base, true);
    drop(th, n);
    return s;
}

static Value
builtin_bin(Thread *th, Value self, Value v)
{
    (void)self;
    return in_base(th, v, 2);
}

static Value
builtin_oct(Thread *th, Value self, Value v)
{
    (void)self;
    return in_base(th, v, 8);
}

static Value
builtin_hex(Thread *th, Value self, Value v)
{
    (void)self;
    return in_base(th, v, 16);
}

static Value
builtin_callable(Thread *th, Value self, Value v)
{
    (void)th, (void)self;
    return bool_from(is_callable(v) == YES);
}

static Value
builtin_chr(Thread *th, Value self, Value v)
{
    (void)self;
    int64_t c;
    Value n = to_index(th, v);
    if (n == NULL)
        return NULL;
    if (!int_fits_i64(n, &c)) {
        drop(th, n);
        return raise_overflow(th, "Python int too large to convert to C int");
    }
    drop(th, n);
    if (c < 0 || c > 0x10ffff)
        return raise_value_error(th, "chr() arg not in range(0x110000)");
    return str_from_char(th, (uint32_t)c);
}

static Value
builtin_ord(Thread *th, Value self, Value v)
{
    (void)self;
    int64_t length;
    if (is_str(v)) {
        if (str_length(v) == 1)
            return value_from_fixnum(str_char(as_str(v), 0));
        length = (int64_t)str_length(v);
    } else if (is_bytes(v)) {
        if (as_bytes(v)->length == 1)
            return value_from_fixnum(as_bytes(v)->data[0]);
        length = as_bytes(v)->length;
    } else if (is_bytearray(v)) {
        Buffer b;
        if (!buffer_read(th, v, &b, BUFFER_SIMPLE))
            return NULL;
        length = b.length;
        int c = length == 1 ? b.data[0] : 0;
        buffer_release(th, &b);
        if (length == 1)
            return value_from_fixnum(c);
    } else
        return raise_type_error(th, "ord() expected string of length 1, but %T found", v);
    return raise_type_error(th, "ord() expected a character, but string of length %lld found",
                            (long long)length);
}

static Value
builtin_delattr(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    if (!is_str(arg(a, 1)))
        return raise_type_error(th, "attribute name must be string, not '%T'", arg(a, 1));
    return set_attr(th, arg(a, 0), arg(a, 1), NULL) ? NONE : NULL;
}

static Value
builtin_setattr(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    if (!is_str(arg(a, 1)))
        return raise_type_error(th, "attribute name must be string, not '%T'", arg(a, 1));
    return set_attr(th, arg(a, 0), arg(a, 1), arg(a, 2)) ? NONE : NULL;
}

static Value
builtin_getattr(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    if (!is_str(arg(a, 1)))
        return raise_type_error(th, "attribute name must be string, not '%T'", arg(a, 1));
    if (n == 2)
        return get_attr(th, arg(a, 0), arg(a, 1));
    Value v;
    switch (get_attr_optional(th, arg(a, 0), arg(a, 1), &v)) {
    case YES:
        return v;
    case NO:
        return retain(th, arg(a, 2));
    default:
        return NULL;
    }
}

static Value
builtin_hasattr(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    if (!is_str(arg(a, 1)))
        return raise_type_error(th, "attribute name must be string, not '%T'", arg(a, 1));
    Value v = NULL;
    Answer have = get_attr_optional(th, arg(a, 0), arg(a, 1), &v);
    drop_null(th, v);
    return have == FAILED ? NULL : bool_from(have == YES);
}

static Value
builtin_dir(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    return to_dir(th, n ? arg(a, 0) : NULL);
}

static Value
builtin_divmod(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    return number_divmod(th, arg(a, 0), arg(a, 1));
}

static Value
builtin_format(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    if (n > 1 && !is_str(arg(a, 1)))
        return raise_type_error(th, "format() argument 2 must be str, not %B", arg(a, 1));
    return to_format(th, arg(a, 0), n > 1 ? arg(a, 1) : NULL);
}

static Value
builtin_hash(Thread *th, Value self, Value v)
{
    (void)self;
    int64_t h;
    return to_hash(th, v, &h) ? int_from_i64(th, h) : NULL;
}

static Value
builtin_id(Thread *th, Value self, Value v)
{
    (void)self;
    return int_from_u64(th, value_bits(v));
}

static Value
builtin_isinstance(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    Answer r = is_instance(th, arg(a, 0), arg(a, 1));
    return r == FAILED ? NULL : bool_from(r == YES);
}

static Value
builtin_issubclass(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    Answer r = is_subclass(th, arg(a, 0), arg(a, 1));
    return r == FAILED ? NULL : bool_from(r == YES);
}

static Value
builtin_iter(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    if (n == 1)
        return get_iter(th, arg(a, 0));
    if (is_callable(arg(a, 0)) != YES)
        return raise_type_error(th, "iter(v, w): v must be callable");
    return call_iter_new(th, arg(a, 0), arg(a, 1));
}

static Value
builtin_aiter(Thread *th, Value self, Value v)
{
    (void)self;
    return get_aiter(th, v);
}

static Value
builtin_next(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    Value it = arg(a, 0);
    NextFn next = SLOT(type_of(it), next);
    if (next == NULL)
        return raise_type_error(th, "'%T' object is not an iterator", it);
    Value v = next(th, it);
    if (v)
        return v;
    if (n > 1) {
        if (error_set(th)) {
            if (!error_matches(th, &exc_StopIteration))
                return NULL;
            error_clear(th);
        }
        return retain(th, arg(a, 1));
    }
    return error_set(th) ? NULL : raise_none(th, &exc_StopIteration);
}

static Value
builtin_anext(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    Value it = arg(a, 0);
    UnaryFn next = SLOT(type_of(it), anext);
    if (next == NULL)
        return raise_type_error(th, "'%T' object is not an async iterator", it);
    Value awaitable = next(th, it);
    if (awaitable == NULL || n == 1)
        return awaitable;
    Value r = anext_awaitable_new(th, awaitable, arg(a, 1));
    drop(th, awaitable);
    return r;
}

static Value
builtin_len(Thread *th, Value self, Value v)
{
    (void)self;
    int64_t n = length_of(th, v);
    return n < 0 ? NULL : int_from_i64(th, n);
}

static Value
builtin_repr(Thread *th, Value self, Value v)
{
    (void)self;
    return to_repr(th, v);
}

static Value
builtin_globals(Thread *th, Value self)
{
    (void)self;
    Value g = upcalls.frame_globals(th);
    return g || error_set(th) ? g : raise_system_error(th, "globals() outside Python code");
}

static Value
builtin_locals(Thread *th, Value self)
{
    (void)self;
    Value l = upcalls.frame_locals(th);
    return l || error_set(th) ? l : raise_system_error(th, "locals() outside Python code");
}

static Value
builtin_vars(Thread *th, Value self, const Arg *a, size_t n)
{
    if (n == 0)
        return builtin_locals(th, self);
    Value v;
    Answer have = get_attr_optional(th, arg(a, 0), NAME(__dict__), &v);
    if (have == NO)
        return raise_type_error(th, "vars() argument must have __dict__ attribute");
    return have == YES ? v : NULL;
}

static Value
builtin_pow(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {
        .name = "pow", .names = {"base", "exp", "mod"}, .positional = 3, .required = 2};
    Value v[3];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    return number_power(th, v[0], v[1], v[2] ? v[2] : NONE);
}

static Value
builtin_round(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {
        .name = "round", .names = {"number", "ndigits"}, .positional = 2, .required = 1};
    Value v[2];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    bool missing = false;
    bool digits = v[1] && v[1] != NONE;
    Value r = call_special(th, v[0], NAME(__round__), args_of(&v[1]), digits ? 1 : 0, &missing);
    if (r == NULL && missing)
        return raise_type_error(th, "type %T doesn't define __round__ method", v[0]);
    return r;
}

/* -- sum, min, max, sorted ------------------------------------------------------------------------------------ */

static Value
builtin_sum(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "sum", .names = {"", "start"}, .positional = 2, .posonly = 1,
                                     .required = 1};
    Value v[2];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    Value total = v[1] ? v[1] : value_from_fixnum(0);
    if (is_str(total))
        return raise_type_error(th, "sum() can't sum strings [use ''.join(seq) instead]");
    if (is_bytes(total))
        return raise_type_error(th, "sum() can't sum bytes [use b''.join(seq) instead]");
    if (is_bytearray(total))
        return raise_type_error(th, "sum() can't sum bytearray [use b''.join(seq) instead]");
    int64_t index;
    Value it = walk_start(th, v[0], &index);
    if (it == NULL)
        return NULL;
    retain(th, total);
    Value item;
    uint32_t count = 0;
    while ((item = walk_next(th, it, &index))) {
        int64_t s;
        if (value_is_fixnum(total) && value_is_fixnum(item) &&
            !__builtin_add_overflow(value_fixnum(total), value_fixnum(item), &s) && fixnum_fits(s)) {
            total = value_from_fixnum(s);
            if ((++count & 0x1fff) == 0 && !safepoint_poll(th)) {
                drop(th, it);
                return NULL;
            }
            continue;
        }
        Value next;
        if (value_is_flonum(total) && value_is_flonum(item))
            next = float_from(th, float_decode(total) + float_decode(item));
        else
            next = number_add(th, total, item);
        drop(th, item);
        drop(th, total);
        total = next;
        if (total == NULL)
            break;
        if ((++count & 0xfff) == 0 && !safepoint_poll(th)) {
            DROP_CLEAR(th, total);
            break;
        }
    }
    drop(th, it);
    if (error_set(th))
        DROP_CLEAR(th, total);
    return total;
}

static Value
min_or_max(Thread *th, const char *name, int op, const Arg *a, size_t n, Value kwnames)
{
    Value key = NULL, fallback = NULL;
    if (kwnames)
        for (int64_t i = 0; i < tuple_length(kwnames); i++) {
            Value k = tuple_item(kwnames, i), v = arg(a, n + (size_t)i);
            if (str_equal_ascii(k, "key"))
                key = v == NONE ? NULL : v;
            else if (str_equal_ascii(k, "default"))
                fallback = v;
            else
                return raise_type_error(th, "%s() got an unexpected keyword argument '%V'", name, k);
        }
    if (n == 0)
        return raise_type_error(th, "%s expected at least 1 argument, got 0", name);
    if (n > 1 && fallback)
        return raise_type_error(th, "Cannot specify a default for %s() with multiple positional arguments",
                                name);
    Value it = NULL;
    if (n == 1 && (it = get_iter(th, arg(a, 0))) == NULL)
        return NULL;
    Value best = NULL, best_key = NULL;
    for (size_t i = 0;; i++) {
        Value item = it ? iter_next(th, it) : i < n ? retain(th, arg(a, i)) : NULL;
        if (item == NULL)
            break;
        Value k = key ? call_1(th, key, item) : retain(th, item);
        if (k == NULL) {
            drop(th, item);
            goto fail;
        }
        if (best) {
            Answer better;
            if (value_is_fixnum(k) && value_is_fixnum(best_key))
                better = op == OP_LT ? value_fixnum(k) < value_fixnum(best_key)
                                     : value_fixnum(k) > value_fixnum(best_key);
            else
                better = compare_answer(th, k, best_key, op);
            if (better != YES) {
                drop(th, item);
                drop(th, k);
                if (better == FAILED)
                    goto fail;
                continue;
            }
            drop(th, best);
            drop(th, best_key);
        }
        best = item;
        best_key = k;
    }
    if (error_set(th))
        goto fail;
    drop_null(th, it);
    drop_null(th, best_key);
    if (best)
        return best;
    if (fallback)
        return retain(th, fallback);
    return raise_value_error(th, "%s() arg is an empty sequence", name);
fail:
    drop_null(th, it);
    drop_null(th, best);
    drop_null(th, best_key);
    return NULL;
}

static Value
builtin_min(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    return min_or_max(th, "min", OP_LT, a, n, kwnames);
}

static Value
builtin_max(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    return min_or_max(th, "max", OP_GT, a, n, kwnames);
}

static Value
builtin_sorted(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {
        .name = "sort", .names = {"", "key", "reverse"}, .positional = 1, .posonly = 1, .required = 1};
    Value v[3];
    if (n != 1)
        return raise_type_error(th, "sorted expected 1 argument, got %zu", n);
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    int reverse = 0;
    Value list = sequence_list(th, v[0]);
    if (list == NULL || !arg_int(th, v[2], &reverse) ||
        !list_sort(th, list, v[1] && v[1] != NONE ? v[1] : NULL, reverse != 0)) {
        drop_null(th, list);
        return NULL;
    }
    return list;
}

/* -- print, input ------------------------------------------------------------------------------------------------- */

static bool
write_to(Thread *th, Value file, Value text)
{
    if (io_is_plain_text(th, file) && is_str(text))
        return io_text_write(th, file, text);
    Value r = call_method_1(th, file, NAME(write), text);
    drop_null(th, r);
    return r != NULL;
}

static Value
builtin_print(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    Value sep = NULL, end = NULL, file = NULL, flush = NULL;
    if (kwnames)
        for (int64_t i = 0; i < tuple_length(kwnames); i++) {
            Value k = tuple_item(kwnames, i), v = arg(a, n + (size_t)i);
            if (str_equal_ascii(k, "sep"))
                sep = v;
            else if (str_equal_ascii(k, "end"))
                end = v;
            else if (str_equal_ascii(k, "file"))
                file = v;
            else if (str_equal_ascii(k, "flush"))
                flush = v;
            else
                return raise_type_error(th, "'%V' is an invalid keyword argument for print()", k);
        }
    if (sep == NONE)
        sep = NULL;
    if (end == NONE)
        end = NULL;
    if (sep && !is_str(sep))
        return raise_type_error(th, "sep must be None or a string, not %T", sep);
    if (end && !is_str(end))
        return raise_type_error(th, "end must be None or a string, not %T", end);
    Value held = NULL;
    if (file == NULL || file == NONE) {
        held = file = sys_get_object(th, "stdout");
        if (file == NULL)
            return raise_error(th, &exc_RuntimeError, "lost sys.stdout");
        if (file == NONE)
            return NONE;
    }
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        if (i > 0)
            ok = write_to(th, file, sep ? sep : str_latin1(' '));
        if (ok) {
            Value s = to_str(th, arg(a, i));
            ok = s && write_to(th, file, s);
            drop_null(th, s);
        }
    }
    ok = ok && write_to(th, file, end ? end : str_latin1('\n'));
    if (ok && flush) {
        Answer f = is_true(th, flush);
        ok = f != FAILED;
        if (f == YES) {
            Value r = call_method_0(th, file, NAME(flush));
            ok = r != NULL;
            drop_null(th, r);
        }
    }
    drop_null(th, held);
    return ok ? NONE : NULL;
}

/* Whether a stream is file descriptor `fd`, and that a terminal. */
static bool
is_terminal(Thread *th, Value stream, int fd)
{
    Value n = call_method_0(th, stream, NAME(fileno));
    if (n == NULL) {
        error_clear(th);
        return false;
    }
    bool same = is_int(n) && value_is_fixnum(n) && value_fixnum(n) == fd;
    drop(th, n);
    return same && isatty(fd);
}

static Value
builtin_input(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    Value in = sys_get_object(th, "stdin"), out = sys_get_object(th, "stdout");
    Value line = NULL;
    if (in == NULL || in == NONE) {
        raise_error(th, &exc_RuntimeError, "input(): lost sys.stdin");
        goto done;
    }
    if (out == NULL || out == NONE) {
        raise_error(th, &exc_RuntimeError, "input(): lost sys.stdout");
        goto done;
    }
    Value err = sys_get_object(th, "stderr");
    if (err && err != NONE) {
        Value r = call_method_0(th, err, NAME(flush));
        if (r == NULL)
            error_clear(th);
        drop_null(th, r);
    }
    drop_null(th, err);
    bool terminal = is_terminal(th, in, 0) && is_terminal(th, out, 1);
    if (n) {
        Value prompt = to_str(th, arg(a, 0));
        bool ok = prompt && write_to(th, out, prompt);
        drop_null(th, prompt);
        if (!ok)
            goto done;
    }
    Value r = call_method_0(th, out, NAME(flush));
    if (r == NULL)
        error_clear(th); /* a stream without flush() will do */
    drop_null(th, r);
    line = call_method_0(th, in, NAME(readline));
    if (line && !is_str(line)) {
        DROP_CLEAR(th, line);
        raise_type_error(th, "object.readline() returned non-string");
    }
    if (line) {
        size_t length = str_length(line);
        if (length == 0) {
            DROP_CLEAR(th, line);
            if (terminal)
                raise_none(th, &exc_EOFError);
            else
                raise_error(th, &exc_EOFError, "EOF when reading a line");
        } else if (str_char(as_str(line), length - 1) == '\n') {
            Value cut = str_substring(th, line, 0, length - 1);
            drop(th, line);
            line = cut;
        }
    }
done:
    drop_null(th, in);
    drop_null(th, out);
    return line;
}

/* -- compile, eval, exec ------------------------------------------------------------------------------------------ */

const char *
source_text(Thread *th, Value v, const char *fname, const char *what, int *flags, size_t *n, Value *held,
            Buffer *buffer, bool *buffered)
{
    *held = NULL;
    *buffered = false;
    const char *p;
    if (is_str(v)) {
        *flags |= PARSE_SOURCE_IS_UTF8;
        p = str_utf8(th, v, n);
    } else if (is_bytes(v)) {
        p = (const char *)as_bytes(v)->data;
        *n = (size_t)as_bytes(v)->length;
    } else if (has_buffer(v)) {
        if (!buffer_lend(th, v, buffer, BUFFER_SIMPLE))
            return NULL;
        *held = bytes_from(th, buffer->data, (size_t)buffer->length);
        buffer_release(th, buffer);
        if (*held == NULL)
            return NULL;
        p = (const char *)as_bytes(*held)->data;
        *n = (size_t)as_bytes(*held)->length;
    } else {
        raise_type_error(th, "%s() arg 1 must be a %s object", fname, what);
        return NULL;
    }
    if (p && memchr(p, 0, *n)) {
        raise_value_error(th, "source code string cannot contain null bytes");
        DROP_CLEAR(th, *held);
        return NULL;
    }
    return p;
}

Value
source_filename(Thread *th, Value v)
{
    Value encoded;
    if (!is_str(v) && !is_bytes(v) && has_buffer(v)) {
        encoded = warn(th, &exc_DeprecationWarning, 1, "path should be string, bytes, or os.PathLike, not %T", v)
                      ? bytes_from_value(th, v)
                      : NULL;
        if (encoded && memchr(as_bytes(encoded)->data, 0, (size_t)as_bytes(encoded)->length)) {
            drop(th, encoded);
            return raise_value_error(th, "embedded null byte");
        }
    } else {
        encoded = fs_encode(th, v);
    }
    Value filename = encoded ? str_from_fs(th, (const char *)as_bytes(encoded)->data,
                                           (size_t)as_bytes(encoded)->length)
                             : NULL;
    drop_null(th, encoded);
    return filename;
}

/* Flags of the calling code that are inherited. */
static int
inherited_flags(Thread *th)
{
    Value frame = frame_object_at(th, 0);
    if (frame == NULL)
        return 0;
    int flags = (int)(frame_code(frame)->flags & COMPILE_FUTURE_MASK);
    drop(th, frame);
    return flags;
}

static Value
builtin_compile(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {
        .name = "compile",
        .names = {"source", "filename", "mode", "flags", "dont_inherit", "optimize", "_feature_version"},
        .positional = 6, .required = 3};
    Value v[7];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    int flags = 0, optimize = -1, feature = -1;
    bool dont_inherit = false;
    if (!arg_int(th, v[3], &flags) || !arg_flag(th, v[4], &dont_inherit) || !arg_int(th, v[5], &optimize) ||
        !arg_int(th, v[6], &feature) || !arg_str(th, "compile", "argument 'mode'", v[2]))
        return NULL;
    if (flags & ~(COMPILE_FUTURE_MASK | COMPILE_ONLY_AST | COMPILE_TYPE_COMMENTS | COMPILE_TOP_LEVEL_AWAIT |
                  COMPILE_ALLOW_INCOMPLETE | COMPILE_DONT_IMPLY_DEDENT | 0x10))
        return raise_value_error(th, "compile(): unrecognised flags");
    if (optimize < -1 || optimize > 2)
        return raise_value_error(th, "compile(): invalid optimize value");
    feature = feature < 0 ? 0 : feature == 0 ? 1 : feature; /* nothing came with 3.1 */
    if (optimize < 0)
        optimize = interp_state(th)->settings.optimize;
    if (!dont_inherit)
        flags |= inherited_flags(th);
    int start;
    if (str_equal_ascii(v[2], "exec"))
        start = START_FILE;
    else if (str_equal_ascii(v[2], "eval"))
        start = START_EVAL;
    else if (str_equal_ascii(v[2], "single"))
        start = START_SINGLE;
    else if (str_equal_ascii(v[2], "func_type")) {
        if (!(flags & COMPILE_ONLY_AST))
            return raise_value_error(th, "compile() mode 'func_type' requires flag PyCF_ONLY_AST");
        start = START_FUNC_TYPE;
    } else
        return raise_value_error(th, flags & COMPILE_ONLY_AST
                                         ? "compile() mode must be 'exec', 'eval', 'single' or 'func_type'"
                                         : "compile() mode must be 'exec', 'eval' or 'single'");
    Value filename = source_filename(th, v[1]);
    if (filename == NULL)
        return NULL;
    Value result = NULL;
    Answer node = ast_is_node(th, v[0]);
    if (node == YES) {
        if (flags & COMPILE_ONLY_AST)
            result = retain(th, v[0]);
        else {
            Ast ast;
            if (ast_from_object(th, v[0], start, &ast)) {
                CompileOptions options = {.filename = filename, .flags = flags, .optimize = optimize};
                result = compile_ast(th, (const AstNode *)ast.root, &options);
                ast_free(&ast);
            }
        }
    } else if (node == NO) {
        size_t length;
        Value held;
        Buffer buffer;
        bool buffered;
        const char *text = source_text(th, v[0], "compile", "string, bytes or AST", &flags, &length, &held,
                                       &buffer, &buffered);
        if (text && (flags & COMPILE_ONLY_AST)) {
            Ast ast;
            if (source_parse_version(th, text, length, filename, start, flags, feature, &ast)) {
                result = ast_to_object(th, ast.root);
                ast_free(&ast);
            }
        } else if (text)
            result = source_compile(th, text, length, filename, start, flags, optimize);
        drop_null(th, held);
    }
    drop(th, filename);
    return result;
}

static bool
check_namespaces(Thread *th, const char *name, Value *globals, Value *locals)
{
    *globals = *globals == NONE ? NULL : *globals;
    *locals = *locals == NONE ? NULL : *locals;
    if (*globals && !is_dict(*globals)) {
        if (strcmp(name, "eval") == 0)
            raise_type_error(th, is_mapping(*globals)
                                     ? "globals must be a real dict; try eval(code, {}, mapping)"
                                     : "globals must be a dict");
        else
            raise_type_error(th, "exec() globals must be a dict, not %T", *globals);
        return false;
    }
    if (*locals && !is_mapping(*locals)) {
        if (strcmp(name, "eval") == 0)
            raise_type_error(th, "locals must be a mapping");
        else
            raise_type_error(th, "locals must be a mapping or None, not %T", *locals);
        return false;
    }
    return true;
}

static Value
run_code(Thread *th, const char *name, Value source, Value globals, Value locals, Value closure)
{
    if (!check_namespaces(th, name, &globals, &locals))
        return NULL;
    Value own_globals = NULL, own_locals = NULL, result = NULL;
    if (globals == NULL) {
        globals = own_globals = upcalls.frame_globals(th);
        if (globals == NULL)
            return error_set(th) ? NULL : raise_system_error(th, "%s() outside Python code", name);
        if (locals == NULL && (locals = own_locals = upcalls.frame_locals(th)) == NULL)
            goto done;
    }
    Answer have = dict_contains(th, globals, NAME(__builtins__));
    if (have == FAILED)
        goto done;
    if (have == NO) {
        Value b = upcalls.frame_builtins(th);
        if (b == NULL && !error_set(th))
            b = retain(th, th->interp->builtins);
        bool ok = b && dict_set(th, globals, NAME(__builtins__), b);
        drop_null(th, b);
        if (!ok)
            goto done;
    }
    if (is_exact(source, SHAPE_CODE)) {
        Code *c = as_code(source);
        if (strcmp(name, "eval") == 0 && c->free_count) {
            raise_type_error(th, "code object passed to eval() may not contain free variables");
            goto done;
        }
        if (c->free_count == 0 && closure && closure != NONE) {
            raise_type_error(th, "cannot use a closure with this code object");
            goto done;
        }
        if (c->free_count) {
            bool ok = closure && is_exact(closure, SHAPE_TUPLE) &&
                      tuple_length(closure) == (int64_t)c->free_count;
            for (int64_t i = 0; ok && i < tuple_length(closure); i++)
                ok = is_exact(tuple_item(closure, i), SHAPE_CELL);
            if (!ok) {
                raise_type_error(th, "code object requires a closure of exactly length %u", c->free_count);
                goto done;
            }
        }
        Value args = tuple_of(th, &source, 1);
        bool allowed = args && upcalls.audit(th, "exec", args);
        drop_null(th, args);
        if (allowed)
            result = eval_code(th, source, globals, locals, closure == NONE ? NULL : closure);
    } else if (closure && closure != NONE)
        raise_type_error(th, "closure can only be used when source is a code object");
    else {
        int flags = inherited_flags(th);
        size_t length;
        Value held;
        Buffer buffer;
        bool buffered;
        const char *text = source_text(th, source, name, "string, bytes or code", &flags, &length, &held,
                                       &buffer, &buffered);
        if (text) {
            bool eval = strcmp(name, "eval") == 0;
            if (eval)
                while (length && (*text == ' ' || *text == '\t'))
                    text++, length--;
            Value filename = str_from_c(th, "<string>");
            Value code = filename ? source_compile(th, text, length, filename,
                                                   eval ? START_EVAL : START_FILE, flags,
                                                   interp_state(th)->settings.optimize)
                                  : NULL;
            drop_null(th, filename);
            if (code) {
                result = eval_code(th, code, globals, locals, NULL);
                drop(th, code);
            }
        }
        drop_null(th, held);
    }
done:
    drop_null(th, own_globals);
    drop_null(th, own_locals);
    return result;
}

static Value
builtin_eval(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    return run_code(th, "eval", arg(a, 0), n > 1 ? arg(a, 1) : NONE, n > 2 ? arg(a, 2) : NONE, NULL);
}

static Value
builtin_exec(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "exec", .names = {"", "", "", "closure"}, .positional = 3,
                                     .posonly = 3, .required = 1};
    Value v[4];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    Value r = run_code(th, "exec", v[0], v[1] ? v[1] : NONE, v[2] ? v[2] : NONE, v[3]);
    if (r == NULL)
        return NULL;
    drop(th, r);
    return NONE;
}

static Value
builtin_import(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "__import__",
                                     .names = {"name", "globals", "locals", "fromlist", "level"},
                                     .positional = 5, .required = 1};
    Value v[5];
    int level = 0;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[4], &level))
        return NULL;
    return import_name(th, v[0], v[1], v[3] ? v[3] : tuple_empty, level);
}

static Value
builtin_breakpoint(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    Value hook = sys_get_object(th, "breakpointhook");
    if (hook == NULL)
        return raise_error(th, &exc_RuntimeError, "lost sys.breakpointhook");
    Value r = call(th, hook, a, n, kwnames);
    drop(th, hook);
    return r;
}

/* -- the module ------------------------------------------------------------------------------------------------------ */

static const MethodDef builtins_methods[] = {
    NATIVE_K("__build_class__", vm_build_class,
             "__build_class__(func, name, /, *bases, [metaclass], **kwds) -> class\n\n"
             "Internal helper function used by the class statement."),
    NATIVE_K("__import__", builtin_import,
             "__import__(name, globals=None, locals=None, fromlist=(), level=0)\n--\n\nImport a module."),
    NATIVE_1("abs", builtin_abs, "abs($module, x, /)\n--\n\nReturn the absolute value of the argument."),
    NATIVE_1("all", builtin_all,
             "all($module, iterable, /)\n--\n\nReturn True if bool(x) is True for all values x in the iterable."),
    NATIVE_1("any", builtin_any,
             "any($module, iterable, /)\n--\n\nReturn True if bool(x) is True for any x in the iterable."),
    NATIVE_1("ascii", builtin_ascii, "ascii($module, obj, /)\n--\n\nReturn an ASCII-only representation of an object."),
    NATIVE_1("bin", builtin_bin, "bin($module, number, /)\n--\n\nReturn the binary representation of an integer.\n\n   >>> bin(-10)\n   '-0b1010'"),
    NATIVE_K("breakpoint", builtin_breakpoint, "breakpoint(*args, **kws)\n\nCall sys.breakpointhook(*args, **kws)."),
    NATIVE_1("callable", builtin_callable, "callable($module, obj, /)\n--\n\nReturn whether the object is callable."),
    NATIVE_1("chr", builtin_chr, "chr($module, i, /)\n--\n\nReturn a Unicode string of one character with ordinal i."),
    NATIVE_K("compile", builtin_compile,
             "compile($module, /, source, filename, mode, flags=0,\n        dont_inherit=False, optimize=-1, *, "
             "_feature_version=-1)\n--\n\nCompile source into a code object."),
    NATIVE_N("delattr", builtin_delattr, 2, 2, "delattr($module, obj, name, /)\n--\n\nDeletes the named attribute from the given object."),
    NATIVE_N("dir", builtin_dir, 0, 1, "dir([object]) -> list of strings\n\nNames in the current scope, or attributes of the object."),
    NATIVE_N("divmod", builtin_divmod, 2, 2, "divmod($module, x, y, /)\n--\n\nReturn the tuple (x//y, x%y)."),
    NATIVE_N("eval", builtin_eval, 1, 3,
             "eval($module, source, globals=None, locals=None, /)\n--\n\nEvaluate the given source in the context of globals and locals."),
    NATIVE_K("exec", builtin_exec,
             "exec($module, source, globals=None, locals=None, /, *, closure=None)\n--\n\nExecute the given source in the context of globals and locals."),
    NATIVE_N("format", builtin_format, 1, 2, "format($module, value, format_spec='', /)\n--\n\nReturn type(value).__format__(value, format_spec)."),
    NATIVE_N("getattr", builtin_getattr, 2, 3,
             "getattr(object, name[, default]) -> value\n\nGet a named attribute from an object."),
    NATIVE_0("globals", builtin_globals, "globals($module, /)\n--\n\nReturn the dictionary containing the current scope's global variables."),
    NATIVE_N("hasattr", builtin_hasattr, 2, 2, "hasattr($module, obj, name, /)\n--\n\nReturn whether the object has an attribute with the given name."),
    NATIVE_1("hash", builtin_hash, "hash($module, obj, /)\n--\n\nReturn the hash value for the given object."),
    NATIVE_1("hex", builtin_hex, "hex($module, number, /)\n--\n\nReturn the hexadecimal representation of an integer.\n\n   >>> hex(48879)\n   '0xbeef'"),
    NATIVE_1("id", builtin_id, "id($module, obj, /)\n--\n\nReturn the identity of an object."),
    NATIVE_N("input", builtin_input, 0, 1, "input($module, prompt='', /)\n--\n\nRead a string from standard input."),
    NATIVE_N("isinstance", builtin_isinstance, 2, 2,
             "isinstance($module, obj, class_or_tuple, /)\n--\n\nReturn whether an object is an instance of a class or of a subclass thereof."),
    NATIVE_N("issubclass", builtin_issubclass, 2, 2,
             "issubclass($module, cls, class_or_tuple, /)\n--\n\nReturn whether 'cls' is derived from another class or is the same class."),
    NATIVE_N("iter", builtin_iter, 1, 2, "iter(iterable) -> iterator\niter(callable, sentinel) -> iterator"),
    NATIVE_1("aiter", builtin_aiter, "aiter($module, async_iterable, /)\n--\n\nReturn an AsyncIterator for an AsyncIterable object."),
    NATIVE_1("len", builtin_len, "len($module, obj, /)\n--\n\nReturn the number of items in a container."),
    NATIVE_0("locals", builtin_locals, "locals($module, /)\n--\n\nReturn a dictionary containing the current scope's local variables."),
    NATIVE_K("max", builtin_max, "max(iterable, *[, default=obj, key=func]) -> value\nmax(arg1, arg2, *args, *[, key=func]) -> value"),
    NATIVE_K("min", builtin_min, "min(iterable, *[, default=obj, key=func]) -> value\nmin(arg1, arg2, *args, *[, key=func]) -> value"),
    NATIVE_N("next", builtin_next, 1, 2, "next(iterator[, default])\n\nReturn the next item from the iterator."),
    NATIVE_N("anext", builtin_anext, 1, 2, "anext($module, aiterator, default=<unrepresentable>, /)\n--\n\nReturn the next item from the async iterator."),
    NATIVE_1("oct", builtin_oct, "oct($module, number, /)\n--\n\nReturn the octal representation of an integer.\n\n   >>> oct(493)\n   '0o755'"),
    NATIVE_1("ord", builtin_ord, "ord($module, c, /)\n--\n\nReturn the Unicode code point for a one-character string."),
    NATIVE_K("pow", builtin_pow, "pow($module, /, base, exp, mod=None)\n--\n\nEquivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments."),
    NATIVE_K("print", builtin_print,
             "print($module, /, *args, sep=' ', end='\\n', file=None, flush=False)\n--\n\nPrints the values to a stream, or to sys.stdout by default."),
    NATIVE_1("repr", builtin_repr, "repr($module, obj, /)\n--\n\nReturn the canonical string representation of the object."),
    NATIVE_K("round", builtin_round, "round($module, /, number, ndigits=None)\n--\n\nRound a number to a given precision in decimal digits."),
    NATIVE_N("setattr", builtin_setattr, 3, 3, "setattr($module, obj, name, value, /)\n--\n\nSets the named attribute on the given object to the specified value."),
    NATIVE_K("sorted", builtin_sorted,
             "sorted($module, iterable, /, *, key=None, reverse=False)\n--\n\nReturn a new list containing all items from the iterable in ascending order."),
    NATIVE_K("sum", builtin_sum, "sum($module, iterable, /, start=0)\n--\n\nReturn the sum of a 'start' value (default: 0) plus an iterable of numbers"),
    NATIVE_N("vars", builtin_vars, 0, 1, "vars([object]) -> dictionary\n\nWithout arguments, equivalent to locals()."),
    NATIVE_END,
};

static bool
builtins_exec(Thread *th, Value m)
{
    static const struct {
        const char *name;
        Type *type;
    } types[] = {
        {"object", &object_type}, {"type", &type_type}, {"int", &int_type}, {"bool", &bool_type},
        {"float", &float_type}, {"complex", &complex_type}, {"str", &str_type}, {"bytes", &bytes_type},
        {"bytearray", &bytearray_type}, {"memoryview", &memoryview_type}, {"tuple", &tuple_type},
        {"list", &list_type}, {"dict", &dict_type}, {"set", &set_type}, {"frozenset", &frozenset_type},
        {"slice", &slice_type}, {"range", &range_type}, {"enumerate", &enumerate_type},
        {"reversed", &reversed_type}, {"zip", &zip_type}, {"map", &map_type}, {"filter", &filter_type},
        {"property", &property_type}, {"classmethod", &classmethod_type},
        {"staticmethod", &staticmethod_type}, {"super", &super_type},
#define EXCEPTION(name, base, doc) {#name, &exc_##name},
#include "objects/error/exceptions.def"
#undef EXCEPTION
        {"EnvironmentError", &exc_OSError}, {"IOError", &exc_OSError},
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (!module_add(th, m, types[i].name, retain(th, value_of_type(types[i].type))))
            return false;
    return module_add(th, m, "ExceptionGroup", retain(th, value_of_type(exc_ExceptionGroup))) &&
           module_add(th, m, "None", NONE) && module_add(th, m, "True", TRUE) &&
           module_add(th, m, "False", FALSE) && module_add(th, m, "Ellipsis", ELLIPSIS) &&
           module_add(th, m, "NotImplemented", NOT_IMPLEMENTED) &&
           module_add(th, m, "__debug__", bool_from(!interp_state(th)->settings.optimize));
}

const ModuleSpec builtins_module = {
    .name = "builtins",
    .doc = "Built-in functions, types, exceptions, and other objects.\n\n"
           "Noteworthy: None is the `nil' object; Ellipsis represents `...' in slices.",
    .methods = builtins_methods,
    .exec = builtins_exec,
};
