/* mod_csv.c -- module _csv: dialects, readers, writers.
 *
 * A Dialect never changes.  What a reader knows about a record in the making lives on the C stack of
 * one __next__(), and a writer makes a record before it writes it; so both may be shared by threads.
 * The dialects' names and the field limit belong to the interpreter.
 */
#include "modules/modules.h"
#include "gc/holds.h"
#include "modules/static_types.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/protocol/slot.h"
#include "objects/text/str.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

enum { FIELD_LIMIT = 128 * 1024 };
enum { QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONNUMERIC, QUOTE_NONE };

#define NO_CHAR UINT32_MAX       /* a character that is not set */
#define END_OF_LINE (UINT32_MAX - 1)

typedef struct CsvState {
    Value error;                 /* [const] */
    Value dialects;              /* [const] dict by name */
    ATOMIC(int64_t) field_limit; /* [atomic] */
} CsvState;

static CsvState *
csv_state(Thread *th)
{
    return load_acquire(&th->interp->slots[NATIVE_CSV]); /* pairs with native_publish() */
}

static COLD void *
csv_error(Thread *th, const char *message)
{
    return raise_error(th, as_type(csv_state(th)->error), "%s", message);
}

/* -- dialects ------------------------------------------------------------------------------------ */

typedef ATOMIC(uint8_t) Flag;

typedef struct Dialect {
    struct Object head;
    uint32_t delimiter, quotechar, escapechar; /* [const] quotechar, escapechar may be NO_CHAR */
    int quoting;                               /* [const] */
    Flag doublequote, skipinitialspace, strict; /* [const] */
    Value lineterminator;                      /* [const] str */
} Dialect;

static Type dialect_type, reader_type, writer_type;

static inline Dialect *
as_dialect(Value v)
{
    return (Dialect *)(void *)value_object(v);
}

enum {
    P_DIALECT, P_DELIMITER, P_DOUBLEQUOTE, P_ESCAPECHAR, P_LINETERMINATOR, P_QUOTECHAR, P_QUOTING,
    P_SKIPINITIALSPACE, P_STRICT, P_COUNT
};
static const ParamSpec dialect_params = {
    .name = "Dialect",
    .names = {"dialect", "delimiter", "doublequote", "escapechar", "lineterminator", "quotechar",
              "quoting", "skipinitialspace", "strict"},
    .positional = 9};

static Value
registered_dialect(Thread *th, Value name)
{
    Value v = NULL;
    if (dict_get(th, csv_state(th)->dialects, name, &v) == NO)
        csv_error(th, "unknown dialect");
    return v;
}

static bool
set_char(Thread *th, const char *name, Value v, bool optional, uint32_t *out)
{
    if (v == NULL)
        return true;
    if (v == NONE && optional) {
        *out = NO_CHAR;
        return true;
    }
    if (!is_str(v)) {
        raise_type_error(th, optional ? "\"%s\" must be string or None, not %T"
                                      : "\"%s\" must be string, not %T", name, v);
        return false;
    }
    if (str_length(v) != 1) {
        raise_type_error(th, "\"%s\" must be a 1-character string", name);
        return false;
    }
    *out = str_char(as_str(v), 0);
    return true;
}

static bool
set_flag(Thread *th, Value v, Flag *out)
{
    bool flag;
    if (v == NULL)
        return true;
    if (!arg_bool(th, v, &flag))
        return false;
    store_relaxed(out, flag); /* not yet published */
    return true;
}

static bool
set_quoting(Thread *th, Value v, Dialect *d)
{
    int64_t n;
    if (v == NULL)
        return true;
    if (!is_exact(v, SHAPE_INT)) {
        raise_type_error(th, "\"quoting\" must be an integer");
        return false;
    }
    if (!int_fits_i64(v, &n) || n < QUOTE_MINIMAL || n > QUOTE_NONE) {
        raise_type_error(th, "bad \"quoting\" value");
        return false;
    }
    d->quoting = (int)n;
    return true;
}

static bool
set_terminator(Thread *th, Value v, Dialect *d)
{
    if (v == NULL)
        return (d->lineterminator = str_from_c(th, "\r\n")) != NULL;
    if (v == NONE || is_str(v)) {
        d->lineterminator = v == NONE ? NULL : retain(th, v);
        return true;
    }
    raise_type_error(th, "\"lineterminator\" must be a string");
    return false;
}

/* Fills a new dialect from values, NULL: the default. */
static bool
dialect_fill(Thread *th, Dialect *d, const Value *v)
{
    d->delimiter = ',';
    d->quotechar = '"';
    d->escapechar = NO_CHAR;
    store_relaxed(&d->doublequote, 1);
    if (!set_char(th, "delimiter", v[P_DELIMITER], false, &d->delimiter) ||
        !set_flag(th, v[P_DOUBLEQUOTE], &d->doublequote) ||
        !set_char(th, "escapechar", v[P_ESCAPECHAR], true, &d->escapechar) ||
        !set_terminator(th, v[P_LINETERMINATOR], d) ||
        !set_char(th, "quotechar", v[P_QUOTECHAR], true, &d->quotechar) ||
        !set_quoting(th, v[P_QUOTING], d) ||
        !set_flag(th, v[P_SKIPINITIALSPACE], &d->skipinitialspace) ||
        !set_flag(th, v[P_STRICT], &d->strict))
        return false;
    if (v[P_QUOTECHAR] == NONE && v[P_QUOTING] == NULL)
        d->quoting = QUOTE_NONE;
    if (d->quoting != QUOTE_NONE && d->quotechar == NO_CHAR) {
        raise_type_error(th, "quotechar must be set if quoting enabled");
        return false;
    }
    if (d->lineterminator == NULL) {
        raise_type_error(th, "lineterminator must be set");
        return false;
    }
    return true;
}

static Value
dialect_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    Value v[P_COUNT], read[P_COUNT] = {NULL}, base = NULL, self = NULL;
    if (!args_bind(th, &dialect_params, args, nargs, kwnames, v))
        return NULL;
    if (v[P_DIALECT] != NULL && v[P_DIALECT] != NONE) {
        base = is_str(v[P_DIALECT]) ? registered_dialect(th, v[P_DIALECT])
                                    : retain(th, v[P_DIALECT]);
        if (base == NULL)
            return NULL;
        bool more = false;
        for (int i = P_DIALECT + 1; i < P_COUNT; i++)
            more = more || v[i] != NULL;
        if (!more && type == &dialect_type && type_of(base) == &dialect_type)
            return base;
        for (int i = P_DIALECT + 1; i < P_COUNT; i++) {
            if (v[i] != NULL)
                continue;
            v[i] = read[i] = get_attr_c(th, base, dialect_params.names[i]);
            error_clear(th); /* what is missing has its default */
        }
    }
    self = type_alloc(th, type, 0);
    if (self != NULL && !dialect_fill(th, as_dialect(self), v))
        DROP_CLEAR(th, self);
    for (int i = 0; i < P_COUNT; i++)
        drop_null(th, read[i]);
    drop_null(th, base);
    return self;
}

static void
dialect_dealloc(Thread *th, Object *o)
{
    drop_null(th, ((Dialect *)(void *)o)->lineterminator);
}

static Value
char_or_none(Thread *th, uint32_t c)
{
    return c == NO_CHAR ? NONE : str_from_char(th, c);
}

static Value
dialect_get_delimiter(Thread *th, Value self, void *closure)
{
    (void)closure;
    return char_or_none(th, as_dialect(self)->delimiter);
}

static Value
dialect_get_escapechar(Thread *th, Value self, void *closure)
{
    (void)closure;
    return char_or_none(th, as_dialect(self)->escapechar);
}

static Value
dialect_get_quotechar(Thread *th, Value self, void *closure)
{
    (void)closure;
    return char_or_none(th, as_dialect(self)->quotechar);
}

static Value
dialect_get_lineterminator(Thread *th, Value self, void *closure)
{
    (void)closure;
    return retain(th, as_dialect(self)->lineterminator);
}

static Value
dialect_get_quoting(Thread *th, Value self, void *closure)
{
    (void)closure;
    (void)th;
    return value_from_fixnum(as_dialect(self)->quoting);
}

static Value
dialect_reduce(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)args, (void)nargs;
    return raise_type_error(th, "cannot pickle '%T' instances", self);
}

static const MethodDef dialect_methods[] = {
    NATIVE_N("__reduce__", dialect_reduce, 0, -1, "raises an exception to avoid pickling"),
    NATIVE_N("__reduce_ex__", dialect_reduce, 0, -1, "raises an exception to avoid pickling"),
    NATIVE_END,
};

static const GetterDef dialect_getters[] = {
    {.name = "delimiter", .get = dialect_get_delimiter},
    {.name = "escapechar", .get = dialect_get_escapechar},
    {.name = "lineterminator", .get = dialect_get_lineterminator},
    {.name = "quotechar", .get = dialect_get_quotechar},
    {.name = "quoting", .get = dialect_get_quoting},
    {.name = NULL},
};

static const MemberDef dialect_members[] = {
    {.name = "skipinitialspace", .kind = MEMBER_BOOL, .offset = offsetof(Dialect, skipinitialspace),
     .readonly = true},
    {.name = "doublequote", .kind = MEMBER_BOOL, .offset = offsetof(Dialect, doublequote),
     .readonly = true},
    {.name = "strict", .kind = MEMBER_BOOL, .offset = offsetof(Dialect, strict), .readonly = true},
    {.name = NULL},
};

static const TypeSpec dialect_spec = {
    .name = "_csv.Dialect",
    .size = sizeof(Dialect),
    .flags = TYPE_BASE,
    .doc = "CSV dialect\n\n"
           "The Dialect type records CSV dialect options.",
    .methods = dialect_methods,
    .getters = dialect_getters,
    .members = dialect_members,
    .slots = {.new = dialect_new},
    .dealloc = dialect_dealloc,
};

/* Dialect(dialect, **keywords); `dialect` may be NULL. */
static Value
make_dialect(Thread *th, Value dialect, const Arg *keywords, Value kwnames)
{
    size_t n = kwnames ? (size_t)tuple_length(kwnames) : 0;
    Value v[P_COUNT + 1];
    if (n > P_COUNT)
        return raise_type_error(th, "too many keyword arguments for a dialect");
    v[0] = dialect;
    for (size_t i = 0; i < n; i++)
        v[i + 1] = arg(keywords, i);
    return dialect ? call(th, value_of_type(&dialect_type), args_of(v), 1, kwnames)
                   : call(th, value_of_type(&dialect_type), args_of(v + 1), 0, kwnames);
}

/* -- reader -------------------------------------------------------------------------------------- */

typedef struct CsvReader {
    struct Object head;
    Value input;              /* [const] iterator of lines */
    Value dialect;            /* [const] */
    ATOMIC(int64_t) line_num; /* lines read */
} CsvReader;

enum ReadState {
    START_RECORD, START_FIELD, ESCAPED_CHAR, IN_FIELD, IN_QUOTED_FIELD, ESCAPE_IN_QUOTED_FIELD,
    QUOTE_IN_QUOTED_FIELD, EAT_LINE_END, AFTER_ESCAPED_LINE_END,
};

/* A record in the making. */
typedef struct Record {
    const Dialect *d;
    enum ReadState state;
    Value fields;       /* list */
    StrBuilder field;
    size_t field_length;
    int64_t limit;
    bool numeric;       /* the field is an unquoted one that must be a number */
} Record;

static bool
add_char(Thread *th, Record *r, uint32_t c)
{
    if ((int64_t)r->field_length >= r->limit) {
        raise_error(th, as_type(csv_state(th)->error), "field larger than field limit (%lld)",
                    (long long)r->limit);
        return false;
    }
    r->field_length++;
    return str_builder_char(th, &r->field, c);
}

static bool
save_field(Thread *th, Record *r)
{
    Value v = str_builder_finish(th, &r->field);
    str_builder_init(&r->field);
    r->field_length = 0;
    if (v != NULL && r->numeric) {
        Value text = v;
        r->numeric = false;
        v = number_to_float(th, text);
        drop(th, text);
    }
    return v != NULL && list_append_steal(th, r->fields, v);
}

static inline bool
is_line_end(uint32_t c)
{
    return c == '\n' || c == '\r' || c == END_OF_LINE;
}

/* A field is done with a line's end. */
static bool
end_field_and_line(Thread *th, Record *r, uint32_t c)
{
    r->state = c == END_OF_LINE ? START_RECORD : EAT_LINE_END;
    return save_field(th, r);
}

static bool
start_field(Thread *th, Record *r, uint32_t c)
{
    const Dialect *d = r->d;
    if (is_line_end(c))
        return end_field_and_line(th, r, c);
    if (c == d->quotechar && d->quoting != QUOTE_NONE)
        r->state = IN_QUOTED_FIELD;
    else if (c == d->escapechar)
        r->state = ESCAPED_CHAR;
    else if (c == ' ' && load_relaxed(&d->skipinitialspace))
        r->state = START_FIELD;
    else if (c == d->delimiter) {
        r->state = START_FIELD;
        return save_field(th, r);
    } else {
        r->numeric = d->quoting == QUOTE_NONNUMERIC;
        r->state = IN_FIELD;
        return add_char(th, r, c);
    }
    return true;
}

static bool
in_field(Thread *th, Record *r, uint32_t c)
{
    if (is_line_end(c))
        return end_field_and_line(th, r, c);
    if (c == r->d->escapechar)
        r->state = ESCAPED_CHAR;
    else if (c == r->d->delimiter) {
        r->state = START_FIELD;
        return save_field(th, r);
    } else
        return add_char(th, r, c);
    return true;
}

static bool
after_quote(Thread *th, Record *r, uint32_t c)
{
    const Dialect *d = r->d;
    if (d->quoting != QUOTE_NONE && c == d->quotechar) { /* "" stands for " */
        r->state = IN_QUOTED_FIELD;
        return add_char(th, r, c);
    }
    if (c == d->delimiter) {
        r->state = START_FIELD;
        return save_field(th, r);
    }
    if (is_line_end(c))
        return end_field_and_line(th, r, c);
    if (!load_relaxed(&d->strict)) {
        r->state = IN_FIELD;
        return add_char(th, r, c);
    }
    Value delimiter = str_from_char(th, d->delimiter), quote = str_from_char(th, d->quotechar);
    if (delimiter != NULL && quote != NULL)
        raise_error(th, as_type(csv_state(th)->error), "'%V' expected after '%V'", delimiter, quote);
    drop_null(th, delimiter);
    drop_null(th, quote);
    return false;
}

static bool
take_char(Thread *th, Record *r, uint32_t c)
{
    const Dialect *d = r->d;
    switch (r->state) {
    case START_RECORD:
        if (c == END_OF_LINE)
            return true; /* an empty line is a record without fields */
        if (c == '\n' || c == '\r') {
            r->state = EAT_LINE_END;
            return true;
        }
        return start_field(th, r, c);
    case START_FIELD: return start_field(th, r, c);
    case ESCAPED_CHAR:
        r->state = c == '\n' || c == '\r' ? AFTER_ESCAPED_LINE_END : IN_FIELD;
        return add_char(th, r, c == END_OF_LINE ? '\n' : c);
    case AFTER_ESCAPED_LINE_END: return c == END_OF_LINE || in_field(th, r, c);
    case IN_FIELD: return in_field(th, r, c);
    case IN_QUOTED_FIELD:
        if (c == END_OF_LINE)
            return true;
        if (c == d->escapechar)
            r->state = ESCAPE_IN_QUOTED_FIELD;
        else if (c == d->quotechar && d->quoting != QUOTE_NONE)
            r->state = load_relaxed(&d->doublequote) ? QUOTE_IN_QUOTED_FIELD : IN_FIELD;
        else
            return add_char(th, r, c);
        return true;
    case ESCAPE_IN_QUOTED_FIELD:
        r->state = IN_QUOTED_FIELD;
        return add_char(th, r, c == END_OF_LINE ? '\n' : c);
    case QUOTE_IN_QUOTED_FIELD: return after_quote(th, r, c);
    case EAT_LINE_END:
    default:
        if (c == '\n' || c == '\r')
            return true;
        if (c == END_OF_LINE) {
            r->state = START_RECORD;
            return true;
        }
        csv_error(th, "new-line character seen in unquoted field - do you need to open the file "
                      "in universal-newline mode?");
        return false;
    }
}

/* One line; gives it up. */
static bool
take_line(Thread *th, Record *r, Value STEALS line)
{
    bool ok = is_str(line);
    if (!ok)
        raise_error(th, as_type(csv_state(th)->error),
                    "iterator should return strings, not %T (the file should be opened in text mode)",
                    line);
    for (size_t i = 0; ok && i < str_length(line); i++)
        ok = take_char(th, r, str_char(as_str(line), i));
    drop(th, line);
    return ok && take_char(th, r, END_OF_LINE);
}

/* Reads lines until a record is whole; NO: there are no more lines. */
static Answer
read_record(Thread *th, CsvReader *reader, Record *r)
{
    do {
        Value line = iter_next(th, reader->input);
        if (line == NULL) {
            if (error_set(th))
                return FAILED;
            if (r->field_length == 0 && r->state != IN_QUOTED_FIELD)
                return NO;
            if (load_relaxed(&r->d->strict)) {
                csv_error(th, "unexpected end of data");
                return FAILED;
            }
            return save_field(th, r) ? YES : FAILED;
        }
        fetch_add_relaxed(&reader->line_num, 1);
        if (!take_line(th, r, line) || !safepoint_poll(th))
            return FAILED;
    } while (r->state != START_RECORD);
    return YES;
}

static Value
reader_next(Thread *th, Value self)
{
    CsvReader *reader = (CsvReader *)(void *)value_object(self);
    Record r = {.d = as_dialect(reader->dialect),
                .limit = load_relaxed(&csv_state(th)->field_limit)};
    r.fields = list_new(th, 0);
    if (r.fields == NULL)
        return NULL;
    str_builder_init(&r.field);
    if (read_record(th, reader, &r) != YES)
        DROP_CLEAR(th, r.fields);
    str_builder_free(&r.field);
    return r.fields;
}

static Value
reader_iter(Thread *th, Value self)
{
    return retain(th, self);
}

HOLDS_VALUES(reader, CsvReader, input, dialect);

static const MemberDef reader_members[] = {
    {.name = "dialect", .kind = MEMBER_CONST_VALUE, .offset = offsetof(CsvReader, dialect),
     .readonly = true},
    {.name = "line_num", .kind = MEMBER_LONG, .offset = offsetof(CsvReader, line_num),
     .readonly = true},
    {.name = NULL},
};

static const TypeSpec reader_spec = {
    .name = "_csv.reader",
    .size = sizeof(CsvReader),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .doc = "CSV reader\n\nReader objects are responsible for reading and parsing tabular data\n"
           "in CSV format.\n",
    .members = reader_members,
    .slots = {.iter = reader_iter, .next = reader_next},
    .visit = reader_visit,
    .dealloc = reader_dealloc,
};

/* `f(first[, dialect], **keywords)`. */
static bool
first_and_dialect(Thread *th, const Arg *args, size_t nargs, Value kwnames,
                  Value *dialect)
{
    if (!args_count(th, "", nargs, 1, 2))
        return false;
    *dialect = make_dialect(th, nargs > 1 ? arg(args, 1) : NULL, args + nargs, kwnames);
    return *dialect != NULL;
}

static Value
csv_reader(Thread *th, Value module, const Arg *args, size_t nargs, Value kwnames)
{
    (void)module;
    Value dialect;
    if (!args_count(th, "", nargs, 1, 2))
        return NULL;
    Value input = get_iter(th, arg(args, 0));
    if (input == NULL)
        return NULL;
    if (!first_and_dialect(th, args, nargs, kwnames, &dialect)) {
        drop(th, input);
        return NULL;
    }
    Value self = type_alloc(th, &reader_type, 0);
    if (self == NULL) {
        drop(th, input);
        drop(th, dialect);
        return NULL;
    }
    CsvReader *r = (CsvReader *)(void *)value_object(self);
    r->input = input;
    r->dialect = dialect;
    return self;
}

/* -- writer -------------------------------------------------------------------------------------- */

typedef struct CsvWriter {
    struct Object head;
    Value write;   /* [const] the file's method */
    Value dialect; /* [const] */
} CsvWriter;

static bool
is_special(const Dialect *d, uint32_t c)
{
    return c == d->delimiter || c == d->escapechar || c == d->quotechar ||
           str_contains_char(d->lineterminator, c);
}

/* Whether a character of a field needs the escape character in front. */
static bool
needs_escape(const Dialect *d, uint32_t c)
{
    if (d->quoting == QUOTE_NONE)
        return true;
    if (c == d->quotechar)
        return !load_relaxed(&d->doublequote);
    return c == d->escapechar;
}

static bool
put_field(Thread *th, StrBuilder *b, const Dialect *d, Value text, bool quoted)
{
    size_t n = str_length(text);
    for (size_t i = 0; !quoted && i < n; i++) {
        uint32_t c = str_char(as_str(text), i);
        quoted = is_special(d, c) && !needs_escape(d, c);
    }
    if (quoted && !str_builder_char(th, b, d->quotechar))
        return false;
    for (size_t i = 0; i < n; i++) {
        uint32_t c = str_char(as_str(text), i);
        if (is_special(d, c)) {
            if (needs_escape(d, c)) {
                if (d->escapechar == NO_CHAR) {
                    csv_error(th, "need to escape, but no escapechar set");
                    return false;
                }
                if (!str_builder_char(th, b, d->escapechar))
                    return false;
            } else if (c == d->quotechar && !str_builder_char(th, b, c))
                return false;
        }
        if (!str_builder_char(th, b, c))
            return false;
    }
    return !quoted || str_builder_char(th, b, d->quotechar);
}

static bool
is_number(Value v)
{
    const Type *t = type_of(v);
    return SLOT(t, index) != NULL || SLOT(t, to_int) != NULL || SLOT(t, to_float) != NULL ||
           is_complex(v);
}

/* A row in the making.  A writer has one record, as in CPython: a row that a field's __str__ or the
 * row's iterator writes by the same writer takes the place of what was there. */
typedef struct Row {
    struct Row *outer; /* of the same thread */
    const CsvWriter *writer;
    StrBuilder text;
    size_t count;      /* fields */
} Row;

static _Thread_local Row *rows; /* the innermost one */

/* The row is done; `text` is what it is, NULL where memory ran out. */
static bool
row_end(Thread *th, Row *row, Value text)
{
    Row *outer = row->outer;
    rows = outer;
    while (outer != NULL && outer->writer != row->writer)
        outer = outer->outer;
    if (outer == NULL || text == NULL)
        return true;
    str_builder_free(&outer->text);
    str_builder_init(&outer->text);
    outer->count = row->count;
    return str_builder_str(th, &outer->text, text);
}

/* All fields of a row. */
static bool
put_row(Thread *th, Row *row, const Dialect *d, Value it)
{
    Value field;
    StrBuilder *b = &row->text;
    for (; (field = iter_next(th, it)) != NULL; row->count++) {
        bool quoted = d->quoting == QUOTE_ALL || (d->quoting == QUOTE_NONNUMERIC && !is_number(field));
        Value text = is_str(field)   ? retain(th, field)
                     : field == NONE ? retain(th, str_empty)
                                     : to_str(th, field);
        drop(th, field);
        bool ok = text != NULL && (row->count == 0 || str_builder_char(th, b, d->delimiter)) &&
                  put_field(th, b, d, text, quoted);
        drop_null(th, text);
        if (!ok)
            return false;
    }
    return !error_set(th);
}

static Value
writer_writerow(Thread *th, Value self, Value row)
{
    CsvWriter *w = (CsvWriter *)(void *)value_object(self);
    const Dialect *d = as_dialect(w->dialect);
    Value it = get_iter(th, row), text = NULL;
    if (it == NULL) {
        if (error_matches(th, &exc_TypeError))
            raise_error(th, as_type(csv_state(th)->error), "iterable expected, not %T", row);
        return NULL;
    }
    Row made = {.outer = rows, .writer = w};
    StrBuilder *b = &made.text;
    str_builder_init(b);
    rows = &made;
    bool ok = put_row(th, &made, d, it);
    drop(th, it);
    if (ok && made.count > 0 && b->length == 0) { /* an empty line would mean no field at all */
        ok = d->quoting != QUOTE_NONE;
        if (!ok)
            csv_error(th, "single empty field record must be quoted");
        ok = ok && put_field(th, b, d, str_empty, true);
    }
    ok = ok && str_builder_str(th, b, d->lineterminator);
    Value error = th->error, r = NULL;
    th->error = NULL;
    text = str_builder_finish(th, b);
    bool done = row_end(th, &made, text);
    if (!ok) {
        error_clear(th);
        th->error = error;
    } else if (text != NULL && done) {
        r = call_1(th, w->write, text);
    }
    drop_null(th, text);
    return r;
}

static Value
writer_writerows(Thread *th, Value self, Value rows)
{
    Value it = get_iter(th, rows), row;
    if (it == NULL)
        return NULL;
    while ((row = iter_next(th, it)) != NULL) {
        Value r = writer_writerow(th, self, row);
        drop(th, row);
        drop_null(th, r);
        if (r == NULL || !safepoint_poll(th))
            break;
    }
    drop(th, it);
    return error_set(th) ? NULL : NONE;
}

HOLDS_VALUES(writer, CsvWriter, write, dialect);

static const MethodDef writer_methods[] = {
    NATIVE_1("writerow", writer_writerow,
             "writerow(iterable)\n\nWrites the fields of one row, as one line."),
    NATIVE_1("writerows", writer_writerows,
             "writerows(iterable of iterables)\n\nWrites several rows."),
    NATIVE_END,
};

static const MemberDef writer_members[] = {
    {.name = "dialect", .kind = MEMBER_CONST_VALUE, .offset = offsetof(CsvWriter, dialect),
     .readonly = true},
    {.name = NULL},
};

static const TypeSpec writer_spec = {
    .name = "_csv.writer",
    .size = sizeof(CsvWriter),
    .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED,
    .doc = "CSV writer\n\nWriter objects are responsible for generating tabular data\n"
           "in CSV format from sequence input.\n",
    .methods = writer_methods,
    .members = writer_members,
    .visit = writer_visit,
    .dealloc = writer_dealloc,
};

static Value
csv_writer(Thread *th, Value module, const Arg *args, size_t nargs, Value kwnames)
{
    (void)module;
    Value write = NULL, dialect;
    if (!args_count(th, "", nargs, 1, 2) ||
        get_attr_optional(th, arg(args, 0), NAME(write), &write) == FAILED)
        return NULL;
    if (write == NULL || is_callable(write) != YES) {
        drop_null(th, write);
        return raise_type_error(th, "argument 1 must have a \"write\" method");
    }
    if (!first_and_dialect(th, args, nargs, kwnames, &dialect)) {
        drop(th, write);
        return NULL;
    }
    Value self = type_alloc(th, &writer_type, 0);
    if (self == NULL) {
        drop(th, write);
        drop(th, dialect);
        return NULL;
    }
    CsvWriter *w = (CsvWriter *)(void *)value_object(self);
    w->write = write;
    w->dialect = dialect;
    return self;
}

/* -- the module ---------------------------------------------------------------------------------- */

static Value
csv_register_dialect(Thread *th, Value module, const Arg *args, size_t nargs, Value kwnames)
{
    (void)module;
    if (!args_count(th, "", nargs, 1, 2))
        return NULL;
    if (!is_str(arg(args, 0)))
        return raise_type_error(th, "dialect name must be a string");
    Value dialect = make_dialect(th, nargs > 1 ? arg(args, 1) : NULL, args + nargs, kwnames);
    bool ok = dialect != NULL && dict_set(th, csv_state(th)->dialects, arg(args, 0), dialect);
    drop_null(th, dialect);
    return ok ? NONE : NULL;
}

static Value
csv_unregister_dialect(Thread *th, Value module, Value name)
{
    (void)module;
    Answer found = dict_delete(th, csv_state(th)->dialects, name);
    if (found == NO)
        csv_error(th, "unknown dialect");
    return found == YES ? NONE : NULL;
}

static Value
csv_get_dialect(Thread *th, Value module, Value name)
{
    (void)module;
    return registered_dialect(th, name);
}

static Value
csv_list_dialects(Thread *th, Value module)
{
    (void)module;
    return dict_keys_list(th, csv_state(th)->dialects);
}

static Value
csv_field_size_limit(Thread *th, Value module, const Arg *args, size_t nargs, Value kwnames)
{
    (void)module;
    static const ParamSpec params = {
        .name = "field_size_limit", .names = {"new_limit"}, .positional = 1};
    Value v[1];
    CsvState *st = csv_state(th);
    int64_t old = load_relaxed(&st->field_limit), limit;
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    if (v[0] != NULL) {
        if (!is_exact(v[0], SHAPE_INT))
            return raise_type_error(th, "limit must be an integer");
        if (!arg_long(th, v[0], &limit))
            return NULL;
        store_relaxed(&st->field_limit, limit);
    }
    return int_from_i64(th, old);
}

static const MethodDef csv_methods[] = {
    NATIVE_K("reader", csv_reader,
             "csv_reader = reader(iterable [, dialect='excel']\n"
             "                       [optional keyword args])\n\n"
             "An iterator over the rows, lists of str, that the lines of an iterable make."),
    NATIVE_K("writer", csv_writer,
             "csv_writer = csv.writer(fileobj [, dialect='excel']\n"
             "                            [optional keyword args])\n\n"
             "An object whose writerow() and writerows() write to a file."),
    NATIVE_0("list_dialects", csv_list_dialects,
             "list_dialects($module, /)\n--\n\nThe names of all dialects."),
    NATIVE_K("register_dialect", csv_register_dialect,
             "Create a mapping from a string name to a dialect class.\n"
             "    dialect = csv.register_dialect(name[, dialect[, **fmtparams]])"),
    NATIVE_1("unregister_dialect", csv_unregister_dialect,
             "unregister_dialect($module, /, name)\n--\n\nForgets a dialect."),
    NATIVE_1("get_dialect", csv_get_dialect,
             "get_dialect($module, /, name)\n--\n\nThe dialect of a name."),
    NATIVE_K("field_size_limit", csv_field_size_limit,
             "field_size_limit([limit])\n\nThe longest field a reader accepts; sets it if given."),
    NATIVE_END,
};

static Value
make_error(Thread *th)
{
    Value bases = tuple_pack(th, 1, value_of_type(&exc_Exception)), name = str_from_c(th, "Error");
    Value d = dict_new(th), cls = NULL;
    if (bases != NULL && name != NULL && d != NULL &&
        dict_set_c_steal(th, d, "__module__", str_from_c(th, "_csv")))
        cls = call_3(th, value_of_type(&type_type), name, bases, d);
    drop_null(th, bases);
    drop_null(th, name);
    drop_null(th, d);
    return cls;
}

static CsvState *
make_state(Thread *th)
{
    CsvState *st = csv_state(th);
    if (st != NULL)
        return st;
    st = buffer_new_zeroed(th, sizeof *st);
    if (st == NULL)
        return NULL;
    st->error = make_error(th);
    st->dialects = dict_new(th);
    store_relaxed(&st->field_limit, FIELD_LIMIT);
    Value holder = st->error && st->dialects ? tuple_pack(th, 2, st->error, st->dialects) : NULL;
    CsvState *now = holder ? native_publish(th, NATIVE_CSV, st, holder) : NULL;
    drop_null(th, holder);
    drop_null(th, st->error);
    drop_null(th, st->dialects);
    if (now != st)
        buffer_free(st);
    return now; /* that of another thread that was faster; NULL without memory */
}

static bool
csv_exec(Thread *th, Value module)
{
    static const StaticType types[] = {
        {&dialect_type, &dialect_spec},
        {&reader_type, &reader_spec},
        {&writer_type, &writer_spec},
    };
    CsvState *st = static_types_ready(th, types, ARRAY_LEN(types)) ? make_state(th) : NULL;
    return st != NULL && module_add_str(th, module, "__version__", "1.0") &&
           module_add(th, module, "_dialects", retain(th, st->dialects)) &&
           module_add(th, module, "Error", retain(th, st->error)) &&
           module_add(th, module, "Dialect", value_of_type(&dialect_type)) &&
           module_add(th, module, "Reader", value_of_type(&reader_type)) &&
           module_add(th, module, "Writer", value_of_type(&writer_type)) &&
           module_add_int(th, module, "QUOTE_MINIMAL", QUOTE_MINIMAL) &&
           module_add_int(th, module, "QUOTE_ALL", QUOTE_ALL) &&
           module_add_int(th, module, "QUOTE_NONNUMERIC", QUOTE_NONNUMERIC) &&
           module_add_int(th, module, "QUOTE_NONE", QUOTE_NONE);
}

const ModuleSpec csv_module = {
    .name = "_csv",
    .doc = "CSV parsing and writing.\n\n"
           "Readers and writers of tables as comma separated values; a Dialect says how the\n"
           "values are separated and quoted.",
    .methods = csv_methods,
    .exec = csv_exec,
};
