/* args.c -- arguments of native functions: counts, keywords, conversions, and their messages.
 *
 * Everything here works on the caller's borrowed words; results are borrowed, too.
 */
#include "objects/model/native.h"

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <limits.h>

bool
args_count(Thread *th, const char *name, size_t nargs, int min, int max)
{
    const char *bound = min == max ? "" : (int64_t)nargs < min ? "at least " : "at most ";
    int limit;
    if ((int64_t)nargs < min)
        limit = min;
    else if (max >= 0 && (int64_t)nargs > max)
        limit = max;
    else
        return true;
    raise_type_error(th, "%s expected %s%d argument%s, got %zu", name, bound, limit,
                     limit == 1 ? "" : "s", nargs);
    return false;
}

bool
args_no_keywords(Thread *th, const char *name, Value kwnames)
{
    if (LIKELY(kwnames == NULL || tuple_length(kwnames) == 0))
        return true;
    raise_type_error(th, "%s() takes no keyword arguments", name);
    return false;
}

/* -- binding -- */

static size_t
count_names(const ParamSpec *spec)
{
    size_t n = 0;
    while (n < ARRAY_LEN(spec->names) && spec->names[n] != NULL)
        n++;
    return n;
}

/* Which parameter a keyword names, from `start` on; `count` if none. */
static size_t
find_name(const ParamSpec *spec, size_t start, size_t count, Value keyword)
{
    for (size_t i = start; i < count; i++) {
        if (spec->names[i][0] != '\0' && str_equal_ascii(keyword, spec->names[i]))
            return i;
    }
    return count;
}

/* The number of arguments is wrong: says how. */
static COLD bool
wrong_count(Thread *th, const ParamSpec *spec, size_t count, size_t nargs, size_t nkeywords)
{
    size_t posonly_required = spec->required < spec->posonly ? spec->required : spec->posonly;
    if (nargs + nkeywords > count)
        raise_type_error(th, "%s() takes at most %zu %sargument%s (%zu given)", spec->name, count,
                         nargs == 0 ? "keyword " : "", count == 1 ? "" : "s", nargs + nkeywords);
    else if (nargs > spec->positional && spec->positional == 0)
        raise_type_error(th, "%s() takes no positional arguments", spec->name);
    else if (nargs > spec->positional)
        raise_type_error(th, "%s() takes %s %d positional argument%s (%zu given)", spec->name,
                         spec->required < spec->positional ? "at most" : "exactly", spec->positional, spec->positional == 1 ? "" : "s", nargs);
    else
        raise_type_error(th, "%s() takes %s %zu positional argument%s (%zu given)", spec->name,
                         posonly_required < spec->positional ? "at least" : "exactly",
                         posonly_required, posonly_required == 1 ? "" : "s", nargs);
    return false;
}

/* A keyword fits no parameter that is free: says which. */
static COLD bool
wrong_keyword(Thread *th, const ParamSpec *spec, size_t count, size_t nargs, Value kwnames)
{
    int64_t nkeywords = tuple_length(kwnames);
    for (size_t i = spec->posonly; i < nargs; i++) {
        for (int64_t k = 0; k < nkeywords; k++) {
            Value keyword = tuple_item(kwnames, k);
            if (is_str(keyword) && find_name(spec, i, i + 1, keyword) == i) {
                raise_type_error(th, "argument for %s() given by name ('%V') and position (%zu)",
                                 spec->name, keyword, i + 1);
                return false;
            }
        }
    }
    for (int64_t k = 0; k < nkeywords; k++) {
        Value keyword = tuple_item(kwnames, k);
        if (!is_str(keyword)) {
            raise_type_error(th, "keywords must be strings");
            return false;
        }
        if (find_name(spec, spec->posonly, count, keyword) == count) {
            raise_type_error(th, "'%V' is an invalid keyword argument for %s()", keyword,
                             spec->name);
            return false;
        }
    }
    raise_type_error(th, "%s() got an invalid keyword argument", spec->name);
    return false;
}

bool
args_bind(Thread *th, const ParamSpec *spec, const Arg *args, size_t nargs, Value kwnames,
          Value *v)
{
    size_t count = count_names(spec);
    size_t nkeywords = kwnames ? (size_t)tuple_length(kwnames) : 0;
    size_t posonly_required = spec->required < spec->posonly ? spec->required : spec->posonly;
    if (UNLIKELY(nargs + nkeywords > count || nargs > spec->positional ||
                 nargs < posonly_required))
        return wrong_count(th, spec, count, nargs, nkeywords);
    for (size_t i = 0; i < nargs; i++)
        v[i] = arg(args, i);
    for (size_t i = nargs; i < count; i++)
        v[i] = NULL;
    size_t bound = 0;
    for (size_t k = 0; k < nkeywords; k++) {
        Value keyword = tuple_item(kwnames, (int64_t)k);
        if (!is_str(keyword))
            continue;
        size_t start = nargs > spec->posonly ? nargs : spec->posonly;
        size_t i = find_name(spec, start, count, keyword);
        if (i < count && v[i] == NULL) {
            v[i] = arg(args, nargs + k);
            bound++;
        }
    }
    for (size_t i = nargs; i < count; i++) {
        bool needed = i < spec->required || ((spec->kwonly_required >> i) & 1) != 0;
        if (UNLIKELY(needed && v[i] == NULL)) {
            raise_type_error(th, "%s() missing required argument '%s' (pos %zu)", spec->name,
                             spec->names[i], i + 1);
            return false;
        }
    }
    if (UNLIKELY(bound < nkeywords))
        return wrong_keyword(th, spec, count, nargs, kwnames);
    return true;
}

/* -- conversions -- */

/* An int from anything with __index__, as int64; the message is for overflow. */
static bool
index_to_i64(Thread *th, Value v, int64_t *out, const char *message)
{
    if (LIKELY(value_is_fixnum(v))) {
        *out = value_fixnum(v);
        return true;
    }
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    bool fits = int_fits_i64(n, out);
    drop(th, n);
    if (!fits)
        raise_overflow(th, message);
    return fits;
}

bool
arg_ssize(Thread *th, Value v, int64_t *out)
{
    if (v == NULL)
        return true;
    return index_to_i64(th, v, out, "Python int too large to convert to C ssize_t");
}

bool
arg_ssize_clamped(Thread *th, Value v, int64_t *out)
{
    if (v == NULL || v == NONE)
        return true;
    if (!value_is_fixnum(v) && __atomic_load_n(&type_of(v)->s.index, __ATOMIC_RELAXED) == NULL) {
        raise_type_error(th,
                         "slice indices must be integers or None or have an __index__ method");
        return false;
    }
    return to_ssize(th, v, out, NULL);
}

bool
arg_int(Thread *th, Value v, int *out)
{
    if (v == NULL)
        return true;
    int64_t n;
    if (!index_to_i64(th, v, &n, "Python int too large to convert to C int"))
        return false;
    if (n < INT_MIN || n > INT_MAX) {
        raise_overflow(th, "Python int too large to convert to C int");
        return false;
    }
    *out = (int)n;
    return true;
}

bool
arg_long(Thread *th, Value v, int64_t *out)
{
    if (v == NULL)
        return true;
    return index_to_i64(th, v, out, "Python int too large to convert to C long");
}

bool
arg_ulong(Thread *th, Value v, uint64_t *out)
{
    if (v == NULL)
        return true;
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    bool ok = int_to_u64(th, n, out);
    drop(th, n);
    return ok;
}

bool
arg_double(Thread *th, Value v, double *out)
{
    if (v == NULL)
        return true;
    if (is_float(v)) {
        *out = float_value(v);
        return true;
    }
    if (value_is_fixnum(v)) {
        *out = (double)value_fixnum(v);
        return true;
    }
    const Type *t = type_of(v);
    if (__atomic_load_n(&t->s.to_float, __ATOMIC_RELAXED) == NULL &&
        __atomic_load_n(&t->s.index, __ATOMIC_RELAXED) == NULL) {
        raise_type_error(th, "must be real number, not %T", v);
        return false;
    }
    Value f = number_to_float(th, v);
    if (f == NULL)
        return false;
    *out = float_value(f);
    drop(th, f);
    return true;
}

bool
arg_bool(Thread *th, Value v, bool *out)
{
    if (v == NULL)
        return true;
    Answer answer = is_true(th, v);
    if (answer == FAILED)
        return false;
    *out = answer == YES;
    return true;
}

bool
arg_flag(Thread *th, Value v, bool *out)
{
    int n = *out;
    if (!arg_int(th, v, &n))
        return false;
    *out = n != 0;
    return true;
}

bool
arg_str(Thread *th, const char *fname, const char *what, Value v)
{
    if (LIKELY(v == NULL || is_str(v)))
        return true;
    if (v == NONE)
        raise_type_error(th, "%s() %s must be str, not None", fname, what);
    else
        raise_type_error(th, "%s() %s must be str, not %T", fname, what, v);
    return false;
}
