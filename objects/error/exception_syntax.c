/* exception_syntax.c -- SyntaxError: where in which file, and the line itself.
 *
 * SyntaxError(msg, (filename, lineno, offset, text[, end_lineno, end_offset])).
 */
#include "objects/error/exception_priv.h"

#include "objects/container/container.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

#include <stddef.h>

static inline SyntaxErrorObject *
as_syntax_error(Value v)
{
    return (SyntaxErrorObject *)(void *)value_object(v);
}

static bool
set_location(Thread *th, SyntaxErrorObject *e, Value info)
{
    Value t = sequence_tuple(th, info);
    if (t == NULL)
        return false;
    int64_t n = tuple_length(t);
    if (n < 4 || n > 6) {
        raise_type_error(th, "function takes at %s %d arguments (%lld given)",
                         n < 4 ? "least" : "most", n < 4 ? 4 : 6, (long long)n);
        drop(th, t);
        return false;
    }
    Object *o = &e->base.head;
    field_replace(th, o, &e->filename, retain(th, tuple_item(t, 0)));
    field_replace(th, o, &e->lineno, retain(th, tuple_item(t, 1)));
    field_replace(th, o, &e->offset, retain(th, tuple_item(t, 2)));
    field_replace(th, o, &e->text, retain(th, tuple_item(t, 3)));
    field_replace(th, o, &e->end_lineno, n > 4 ? retain(th, tuple_item(t, 4)) : NULL);
    field_replace(th, o, &e->end_offset, n > 5 ? retain(th, tuple_item(t, 5)) : NULL);
    drop(th, t);
    if (n == 5) {
        raise_type_error(th, "end_offset must be provided when end_lineno is provided");
        return false;
    }
    return true;
}

static bool
syntax_error_init(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    if (!exception_type_init(th, self, args, nargs, kwnames))
        return false;
    SyntaxErrorObject *e = as_syntax_error(self);
    if (nargs >= 1)
        field_replace(th, &e->base.head, &e->msg, retain(th, arg(args, 0)));
    if (nargs == 2)
        return set_location(th, e, arg(args, 1));
    return true;
}

/* What follows the last slash of a path, a new reference. */
static Value
base_name(Thread *th, Value path)
{
    size_t n = str_length(path);
    size_t start = n;
    while (start > 0 && str_char(as_str(path), start - 1) != '/')
        start--;
    return str_substring(th, path, start, n);
}

static Value
syntax_error_str(Thread *th, Value self)
{
    SyntaxErrorObject *e = as_syntax_error(self);
    Object *o = &e->base.head;
    Value msg = field_read(th, o, &e->msg);
    Value filename = field_read(th, o, &e->filename);
    Value lineno = field_read(th, o, &e->lineno);
    Value shown = msg ? msg : NONE;
    bool has_line = lineno != NULL && is_exact(lineno, SHAPE_INT);
    Value r = NULL;
    if (filename != NULL && is_str(filename)) {
        Value base = base_name(th, filename);
        if (base == NULL)
            goto done;
        r = has_line ? str_format_c(th, "%V (%V, line %V)", shown, base, lineno) :
                       str_format_c(th, "%V (%V)", shown, base);
        drop(th, base);
    } else if (has_line) {
        r = str_format_c(th, "%V (line %V)", shown, lineno);
    } else {
        r = to_str(th, shown);
    }
done:
    drop_null(th, msg);
    drop_null(th, filename);
    drop_null(th, lineno);
    return r;
}

#define MEMBER(name_, doc_)                                                    \
    {#name_, MEMBER_VALUE_NONE, offsetof(SyntaxErrorObject, name_), false, doc_}

static const MemberDef members[] = {
    MEMBER(msg, "exception msg"),
    MEMBER(filename, "exception filename"),
    MEMBER(lineno, "exception lineno"),
    MEMBER(offset, "exception offset"),
    MEMBER(text, "exception text"),
    MEMBER(end_lineno, "exception end lineno"),
    MEMBER(end_offset, "exception end offset"),
    MEMBER(print_file_and_line, "exception print_file_and_line"),
    {.name = NULL},
};

const TypeSpec exception_spec_SyntaxError = {
    .size = sizeof(SyntaxErrorObject),
    .members = members,
    .slots = {.str = syntax_error_str, .init = syntax_error_init},
    .visit = exception_visit_8,
    .clear = exception_clear_8,
    .dealloc = exception_dealloc_8,
};
