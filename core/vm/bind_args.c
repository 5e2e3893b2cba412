/* bind_args.c -- arguments to parameters, in general; the evaluator handles the plain case itself.
 *
 * No safepoint in here: borrowed words may lie in C variables.  Keywords are compared as strs,
 * which runs no Python code.  Until everything is checked the given words are only copied, so that
 * a failure leaves them to their owner.
 */
#include "core/vm/frame.h"

#include "objects/container/dict_priv.h"
#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/text/str.h"

#include <stdio.h>

static Value
variable_name(const Code *code, uint32_t i)
{
    return tuple_item(code->var_names, i);
}

/* "'a', 'b', and 'c'" of a list of names. */
static Value
join_names(Thread *th, const Value *names, size_t n)
{
    StrBuilder b;
    str_builder_init(&b);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        if (i > 0)
            ok = str_builder_c(th, &b, n == 2 ? " and " : i + 1 == n ? ", and " : ", ");
        ok = ok && str_builder_char(th, &b, '\'') && str_builder_str(th, &b, names[i]) &&
             str_builder_char(th, &b, '\'');
    }
    if (!ok) {
        str_builder_free(&b);
        return NULL;
    }
    return str_builder_finish(th, &b);
}

static bool
fail_missing(Thread *th, Value qualname, const char *kind, const Value *names, size_t n)
{
    Value joined = join_names(th, names, n);
    if (joined == NULL)
        return false;
    raise_type_error(th, "%V() missing %zu required %s argument%s: %V", qualname, n, kind,
                     n == 1 ? "" : "s", joined);
    drop(th, joined);
    return false;
}

static bool
fail_too_many(Thread *th, const Code *code, Value qualname, size_t given, size_t default_count,
              const Value *dst)
{
    size_t kwonly_given = 0;
    for (uint32_t i = 0; i < code->kwonly_count; i++) {
        if (dst[code->arg_count + i] != NULL)
            kwonly_given++;
    }
    bool plural = default_count != 0 || code->arg_count != 1;
    char takes[64], but[96] = "";
    if (default_count != 0)
        snprintf(takes, sizeof takes, "from %zu to %u", code->arg_count - default_count,
                 code->arg_count);
    else
        snprintf(takes, sizeof takes, "%u", code->arg_count);
    if (kwonly_given != 0)
        snprintf(but, sizeof but, " positional argument%s (and %zu keyword-only argument%s)",
                 given != 1 ? "s" : "", kwonly_given, kwonly_given != 1 ? "s" : "");
    raise_type_error(th, "%V() takes %s positional argument%s but %zu%s %s given", qualname, takes,
                     plural ? "s" : "", given, but,
                     given == 1 && kwonly_given == 0 ? "was" : "were");
    return false;
}

/* Raises TypeError if positional-only parameters were given by keyword; true if none were. */
static bool
check_posonly(Thread *th, const Code *code, Value qualname, Value kwnames)
{
    StrBuilder b;
    str_builder_init(&b);
    bool any = false, ok = true;
    for (uint32_t i = 0; i < code->posonly_count && ok; i++) {
        Value name = variable_name(code, i);
        for (int64_t k = 0; k < tuple_length(kwnames) && ok; k++) {
            Value kw = tuple_item(kwnames, k);
            if (kw == name || (is_str(kw) && str_equal(kw, name))) {
                ok = (!any || str_builder_c(th, &b, ", ")) && str_builder_str(th, &b, name);
                any = true;
            }
        }
    }
    if (!any) {
        str_builder_free(&b);
        return true;
    }
    Value joined = ok ? str_builder_finish(th, &b) : NULL;
    if (!ok)
        str_builder_free(&b);
    if (joined != NULL) {
        raise_type_error(th,
                         "%V() got some positional-only arguments passed as keyword arguments: "
                         "'%V'",
                         qualname, joined);
        drop(th, joined);
    }
    return false;
}

/* The parameter a keyword names, or -1. */
static int
find_parameter(const Code *code, Value name)
{
    uint32_t end = code->arg_count + code->kwonly_count;
    for (uint32_t j = code->posonly_count; j < end; j++) {
        if (variable_name(code, j) == name)
            return (int)j;
    }
    for (uint32_t j = code->posonly_count; j < end; j++) {
        if (str_equal(variable_name(code, j), name))
            return (int)j;
    }
    return -1;
}

/* A str whose hash and comparison run no Python code: new reference. */
static Value
exact_name(Thread *th, Value name)
{
    if (LIKELY(is_exact(name, SHAPE_STR)))
        return retain(th, name);
    StrBuilder b;
    str_builder_init(&b);
    if (str_builder_str(th, &b, name))
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

/* The default of a keyword-only parameter, or NULL; runs no Python code whatever the keys are. */
static Value
keyword_default(Thread *th, Value kwdefaults, Value name)
{
    if (kwdefaults == NULL)
        return NULL;
    if (LIKELY(dict_table((Dict *)(void *)value_object(kwdefaults))->stride == DICT_COMPACT))
        return dict_get_str(th, kwdefaults, name);
    size_t pos = 0;
    Value key, v, found = NULL;
    while (found == NULL && dict_next(th, kwdefaults, &pos, &key, &v)) {
        if (is_exact(key, SHAPE_STR) && str_equal(key, name))
            found = retain(th, v);
        drop(th, key);
        drop(th, v);
    }
    return found;
}

static bool
bind_keywords(Thread *th, const Code *code, Value qualname, Value *dst, const Value *given,
              Value kwnames, Value kwdict)
{
    for (int64_t i = 0; i < tuple_length(kwnames); i++) {
        Value name = tuple_item(kwnames, i);
        if (!is_str(name)) {
            raise_type_error(th, "%V() keywords must be strings", qualname);
            return false;
        }
        int j = find_parameter(code, name);
        if (j >= 0) {
            if (dst[j] != NULL) {
                raise_type_error(th, "%V() got multiple values for argument '%V'", qualname, name);
                return false;
            }
            dst[j] = given[i];
        } else if (kwdict != NULL) {
            Value key = exact_name(th, name);
            bool ok = key != NULL && dict_set(th, kwdict, key, value_strip(given[i]));
            drop_null(th, key);
            if (!ok)
                return false;
        } else {
            if (code->posonly_count == 0 || check_posonly(th, code, qualname, kwnames))
                raise_type_error(th, "%V() got an unexpected keyword argument '%V'", qualname,
                                 name);
            return false;
        }
    }
    return true;
}

/* Raises TypeError if parameters from..to have neither value nor default. */
static bool
check_positional(Thread *th, const Code *code, Value qualname, const Value *dst, uint32_t from,
                 uint32_t to)
{
    Value names[256];
    size_t missing = 0;
    for (uint32_t i = from; i < to; i++) {
        if (dst[i] == NULL && missing < ARRAY_LEN(names))
            names[missing++] = variable_name(code, i);
    }
    return missing == 0 || fail_missing(th, qualname, "positional", names, missing);
}

static bool
check_kwonly(Thread *th, const Code *code, Value qualname, const Value *dst, Value kwdefaults)
{
    Value names[256];
    size_t missing = 0;
    for (uint32_t i = code->arg_count; i < code->arg_count + code->kwonly_count; i++) {
        if (dst[i] != NULL)
            continue;
        Value name = variable_name(code, i);
        Value v = keyword_default(th, kwdefaults, name);
        drop_null(th, v);
        if (v == NULL && missing < ARRAY_LEN(names))
            names[missing++] = name;
    }
    return missing == 0 || fail_missing(th, qualname, "keyword-only", names, missing);
}

bool
bind_args(Thread *th, Function *fn, Code *code, Value *dst, Value *given, size_t nargs,
          Value kwnames)
{
    uint32_t nparams = code->arg_count + code->kwonly_count;
    size_t kwargs = kwnames ? (size_t)tuple_length(kwnames) : 0;
    /* Uncounted: no safepoint in here, and what leaves a function waits for one. */
    Value defaults = field_peek(&fn->defaults);
    Value kwdefaults = code->kwonly_count ? field_peek(&fn->kwdefaults) : NULL;
    Value qualname = field_peek(&fn->qualname);
    size_t default_count = defaults ? (size_t)tuple_length(defaults) : 0;
    if (default_count > code->arg_count) /* of another code object: the last ones count */
        default_count = code->arg_count;
    size_t skipped = defaults ? (size_t)tuple_length(defaults) - default_count : 0;
    Value kwdict = NULL, rest = NULL;
    bool ok = false;

    for (uint32_t i = 0; i < code->param_count; i++)
        dst[i] = NULL;
    if (code->flags & CODE_VARKEYWORDS) {
        kwdict = dict_new(th);
        if (kwdict == NULL)
            goto done;
    }
    size_t placed = nargs < code->arg_count ? nargs : code->arg_count;
    for (size_t i = 0; i < placed; i++)
        dst[i] = given[i];
    if (kwargs != 0 &&
        !bind_keywords(th, code, qualname, dst, given + nargs, kwnames, kwdict))
        goto done;
    if (nargs > code->arg_count && !(code->flags & CODE_VARARGS)) {
        fail_too_many(th, code, qualname, nargs, default_count, dst);
        goto done;
    }
    if (!check_positional(th, code, qualname, dst, (uint32_t)placed,
                          code->arg_count - (uint32_t)default_count))
        goto done;
    if (code->kwonly_count != 0 && !check_kwonly(th, code, qualname, dst, kwdefaults))
        goto done;
    if (code->flags & CODE_VARARGS) {
        rest = tuple_new(th, nargs - placed);
        if (rest == NULL)
            goto done;
        for (size_t i = placed; i < nargs; i++)
            tuple_init_item(rest, (int64_t)(i - placed), reg_take(th, given[i]));
    }

    /* Nothing fails from here on. */
    for (size_t i = 0; i < kwargs; i++) { /* those that went to **kwargs */
        if (kwdict != NULL && find_parameter(code, tuple_item(kwnames, (int64_t)i)) < 0)
            reg_drop(th, given[nargs + i]);
    }
    for (uint32_t i = code->arg_count - (uint32_t)default_count; i < code->arg_count; i++) {
        if (dst[i] == NULL)
            dst[i] = reg_own(th, tuple_item(defaults, (int64_t)(skipped + i + default_count -
                                                                code->arg_count)));
    }
    for (uint32_t i = code->arg_count; i < nparams; i++) {
        if (dst[i] == NULL)
            dst[i] = keyword_default(th, kwdefaults, variable_name(code, i));
        if (dst[i] == NULL)
            dst[i] = REG_STATIC(NONE); /* taken away by another thread meanwhile */
    }
    uint32_t at = nparams;
    if (rest != NULL)
        dst[at++] = rest;
    if (kwdict != NULL)
        dst[at] = kwdict;
    kwdict = NULL;
    ok = true;
done:
    drop_null(th, kwdict);
    return ok;
}
