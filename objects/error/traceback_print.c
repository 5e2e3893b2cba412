/* traceback_print.c -- an exception as text, as the default excepthook shows it.
 *
 * Causes and contexts come first, each exception once; groups are indented in a frame of
 * their own; each traceback entry shows its source line and, if the instruction's columns
 * are known, marks them.  All is built as one str and written at once.
 *
 * Whatever goes wrong while a part is looked up (a failing __str__, a missing file) makes
 * that part shorter; only lack of memory, or a deep recursion, makes it fail as a whole.
 */
#include "objects/error/error.h"

#include "objects/container/container.h"
#include "objects/error/caret.h"
#include "objects/error/exception_priv.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    GROUP_WIDTH_MAX = 15,
    GROUP_DEPTH_MAX = 10,
    SAME_LINES_SHOWN = 3,
    DEFAULT_LIMIT = 1000,
    SOURCE_INDENT = 4,
};

typedef struct Printer {
    StrBuilder out;
    Value seen;          /* list of the exceptions shown or being shown */
    int depth;           /* of groups: 0 outside */
    bool need_close;     /* the innermost group's frame must still be closed */
    Value source_name;   /* the file that `source` is of, counted, or NULL */
    uint8_t *source;     /* its bytes */
    size_t source_size;
} Printer;

static void
printer_init(Printer *p)
{
    memset(p, 0, sizeof *p);
    str_builder_init(&p->out);
}

static void
printer_free(Thread *th, Printer *p)
{
    str_builder_free(&p->out);
    drop_null(th, p->seen);
    drop_null(th, p->source_name);
    free(p->source);
}

static bool
put(Thread *th, Printer *p, const char *text)
{
    return str_builder_c(th, &p->out, text);
}

static bool
put_str(Thread *th, Printer *p, Value text)
{
    return str_builder_str(th, &p->out, text);
}

static bool
put_number(Thread *th, Printer *p, int64_t n)
{
    char text[24];
    char *at = text + sizeof text - 1;
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;
    *at = '\0';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (n < 0)
        *--at = '-';
    return put(th, p, at);
}

static bool
put_indent(Thread *th, Printer *p)
{
    return str_builder_fill(th, &p->out, ' ', (size_t)(2 * p->depth));
}

/* The beginning of a line: inside of groups an indented bar. */
static bool
put_margin(Thread *th, Printer *p)
{
    return put_indent(th, p) && (p->depth == 0 || put(th, p, "| "));
}

/* The attribute of v, new; NULL without an exception if there is none or it fails. */
static Value
quiet_attr(Thread *th, Value v, Value name)
{
    Value found;
    if (get_attr_optional(th, v, name, &found) != YES) {
        error_clear(th);
        return NULL;
    }
    return found;
}

static Value
quiet_attr_c(Thread *th, Value v, const char *name)
{
    Value found = get_attr_c(th, v, name);
    if (found == NULL)
        error_clear(th);
    return found;
}

/* -- source lines -- */

static bool
read_file(Thread *th, const char *path, uint8_t **data, size_t *size)
{
    bool ok = false;
    *data = NULL;
    blocking_begin(th);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < INT32_MAX) {
        *data = malloc((size_t)st.st_size + 1);
        size_t got = 0;
        while (*data != NULL && got < (size_t)st.st_size) {
            ssize_t n = read(fd, *data + got, (size_t)st.st_size - got);
            if (n <= 0)
                break;
            got += (size_t)n;
        }
        *size = got;
        ok = *data != NULL;
    }
    if (fd >= 0)
        close(fd);
    blocking_end(th);
    return ok;
}

static bool
read_named(Thread *th, Value name, uint8_t **data, size_t *size)
{
    Value bytes = fs_encode(th, name);
    if (bytes == NULL) {
        error_clear(th);
        return false;
    }
    bool ok = read_file(th, (const char *)as_bytes(bytes)->data, data, size);
    drop(th, bytes);
    return ok;
}

/* Looks for the last part of a file name in the directories of sys.path. */
static bool
read_on_path(Thread *th, Value name, uint8_t **data, size_t *size)
{
    Value path = upcalls.sys_get(th, "path");
    if (path == NULL)
        return false;
    bool found = false;
    size_t n = str_length(name);
    size_t start = n;
    while (start > 0 && str_char(as_str(name), start - 1) != '/')
        start--;
    Value tail = str_substring(th, name, start, n);
    for (int64_t i = 0; tail != NULL && is_list(path) && !found && i < list_length(path); i++) {
        Value dir = list_get(th, path, i);
        if (dir == NULL)
            break;
        Value full = is_str(dir) ? str_format_c(th, "%V/%V", dir, tail) : NULL;
        if (full != NULL)
            found = read_named(th, full, data, size);
        drop_null(th, full);
        drop(th, dir);
    }
    drop_null(th, tail);
    drop(th, path);
    error_clear(th);
    return found;
}

/* Makes the file `name` the printer's source. */
static bool
load_source(Thread *th, Printer *p, Value name)
{
    if (p->source_name != NULL && str_equal(p->source_name, name))
        return p->source != NULL;
    free(p->source);
    p->source = NULL;
    p->source_size = 0;
    drop_null(th, p->source_name);
    p->source_name = retain(th, name);
    size_t n = str_length(name);
    if (n > 0 && str_char(as_str(name), 0) == '<' && str_char(as_str(name), n - 1) == '>')
        return false;
    return read_named(th, name, &p->source, &p->source_size) ||
           read_on_path(th, name, &p->source, &p->source_size);
}

/* The bytes of line `line` (from 1), without its end; false if there are not so many. */
static bool
source_line(const Printer *p, int64_t line, const uint8_t **start, size_t *length)
{
    const uint8_t *at = p->source;
    const uint8_t *end = p->source + p->source_size;
    if (p->source_size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    for (int64_t k = 1; at < end; k++) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        if (k == line) {
            *start = at;
            *length = (size_t)(stop - at);
            if (*length > 0 && at[*length - 1] == '\r')
                --*length;
            return true;
        }
        at = stop + 1;
    }
    return false;
}

/* The encoding that one of the first two lines declares, into `name`; false: none. */
static bool
declared_encoding(const Printer *p, char *name, size_t room)
{
    for (int64_t line = 1; line <= 2; line++) {
        const uint8_t *at;
        size_t n;
        if (!source_line(p, line, &at, &n))
            return false;
        size_t i = 0;
        while (i < n && (at[i] == ' ' || at[i] == '\t' || at[i] == '\f'))
            i++;
        if (i == n)
            continue;
        if (at[i] != '#')
            return false;
        for (; i + 7 < n; i++) {
            if (memcmp(at + i, "coding", 6) != 0 || (at[i + 6] != ':' && at[i + 6] != '='))
                continue;
            i += 7;
            while (i < n && (at[i] == ' ' || at[i] == '\t'))
                i++;
            size_t k = 0;
            while (i < n && k + 1 < room &&
                   (at[i] == '-' || at[i] == '_' || at[i] == '.' ||
                    (at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'z') ||
                    (at[i] >= 'A' && at[i] <= 'Z')))
                name[k++] = (char)at[i++];
            name[k] = '\0';
            return k > 0;
        }
    }
    return false;
}

/* Line `line` of a file as a str, new; NULL without an exception if it cannot be had. */
static Value
get_line(Thread *th, Printer *p, Value filename, int64_t line)
{
    const uint8_t *at;
    size_t n;
    if (!load_source(th, p, filename) || !source_line(p, line, &at, &n))
        return NULL;
    char encoding[64];
    Value text;
    if (declared_encoding(p, encoding, sizeof encoding))
        text = str_decode(th, at, n, encoding, "replace");
    else
        text = str_decode_utf8(th, at, n, "replace", NULL);
    if (text == NULL)
        error_clear(th);
    return text;
}

/* -- traceback entries -- */

static inline bool
is_blank(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

/* The UTF-8 column `bytes` of a line as a count of characters. */
static size_t
column_of(Value line, int64_t bytes)
{
    const Str *s = as_str(line);
    size_t i = 0;
    for (int64_t at = 0; i < s->length && at < bytes; i++) {
        uint32_t c = str_char(s, i);
        at += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    return i;
}

/* The lines and columns of the instruction at `lasti`; false if they are not known. */
static bool
positions_of(Thread *th, Value code, int lasti, int64_t out[4])
{
    Value name = str_intern_c(th, "co_positions");
    Value it = name ? call_method_0(th, code, name) : NULL;
    drop_null(th, name);
    Value entry = NULL;
    for (int i = 0; it != NULL && i <= lasti / 2; i++) {
        drop_null(th, entry);
        entry = iter_next(th, it);
        if (entry == NULL)
            break;
    }
    drop_null(th, it);
    bool ok = entry != NULL && is_tuple(entry) && tuple_length(entry) == 4;
    for (int i = 0; ok && i < 4; i++) {
        Value v = tuple_item(entry, i);
        ok = value_is_fixnum(v);
        if (ok)
            out[i] = value_fixnum(v);
    }
    drop_null(th, entry);
    error_clear(th);
    return ok;
}

/* The marks below a line that was shown without its first `lead` characters. */
static bool
put_carets(Thread *th, Printer *p, Value line, size_t lead, Value code, int lasti)
{
    int64_t where[4]; /* first line, last line, first column, end column */
    if (lasti < 0 || !positions_of(th, code, lasti, where))
        return true;
    size_t n = str_length(line);
    size_t start = column_of(line, where[2]);
    size_t end = n;
    size_t mark_start = 0, mark_end = 0; /* ^ within ~, if there is such a part */
    bool marked = false;
    if (where[0] == where[1]) {
        end = column_of(line, where[3]);
        Value part = end > start ? str_substring(th, line, start, end) : NULL;
        size_t length;
        const char *text = part ? str_utf8(th, part, &length) : NULL;
        size_t from, to;
        if (text != NULL && caret_anchors(text, length, &from, &to)) {
            marked = true;
            mark_start = start + column_of(part, (int64_t)from);
            mark_end = start + column_of(part, (int64_t)to);
        }
        drop_null(th, part);
        error_clear(th);
    } else {
        while (end > 0 && is_blank(str_char(as_str(line), end - 1)))
            end--;
    }
    if (end < start || (end - start == n - lead && !marked))
        return true;
    if (!put_margin(th, p) || !str_builder_fill(th, &p->out, ' ', SOURCE_INDENT))
        return false;
    for (size_t i = lead; i < end; i++) {
        char c = i < start ? ' ' : marked && (i < mark_start || i >= mark_end) ? '~' : '^';
        if (!str_builder_char(th, &p->out, (uint32_t)c))
            return false;
    }
    return put(th, p, "\n");
}

static bool
put_source(Thread *th, Printer *p, Value filename, int64_t lineno, Value code, int lasti)
{
    Value line = get_line(th, p, filename, lineno);
    if (line == NULL)
        return true;
    size_t n = str_length(line);
    size_t lead = 0;
    while (lead < n && is_blank(str_char(as_str(line), lead)))
        lead++;
    bool ok = put_margin(th, p) && str_builder_fill(th, &p->out, ' ', SOURCE_INDENT) &&
              str_builder_sub(th, &p->out, line, lead, n) && put(th, p, "\n") &&
              put_carets(th, p, line, lead, code, lasti);
    drop(th, line);
    return ok;
}

/* What identifies a traceback entry; counted. */
typedef struct Entry {
    Value code, filename, name;
    int64_t line;
} Entry;

static void
entry_drop(Thread *th, Entry *e)
{
    drop_null(th, e->code);
    drop_null(th, e->filename);
    drop_null(th, e->name);
    *e = (Entry){NULL, NULL, NULL, 0};
}

static void
entry_read(Thread *th, Traceback *tb, Entry *e)
{
    *e = (Entry){quiet_attr(th, tb->frame, NAME(f_code)), NULL, NULL,
                 traceback_line(value_of(tb))};
    if (e->code == NULL)
        return;
    e->filename = quiet_attr_c(th, e->code, "co_filename");
    e->name = quiet_attr(th, e->code, NAME(co_name));
}

static bool
entry_same(const Entry *a, const Entry *b)
{
    if (a->filename == NULL || b->filename == NULL || a->name == NULL || b->name == NULL ||
        !is_str(a->filename) || !is_str(b->filename) || !is_str(a->name) || !is_str(b->name))
        return false;
    return a->line == b->line && str_equal(a->filename, b->filename) &&
           str_equal(a->name, b->name);
}

static bool
put_entry(Thread *th, Printer *p, const Traceback *tb, const Entry *e)
{
    if (e->filename == NULL || e->name == NULL || !is_str(e->filename) || !is_str(e->name))
        return true;
    return put_margin(th, p) && put(th, p, "  File \"") && put_str(th, p, e->filename) &&
           put(th, p, "\", line ") && put_number(th, p, e->line) && put(th, p, ", in ") &&
           put_str(th, p, e->name) && put(th, p, "\n") &&
           put_source(th, p, e->filename, e->line, e->code, tb->lasti);
}

static bool
put_repeated(Thread *th, Printer *p, int64_t count)
{
    count -= SAME_LINES_SHOWN;
    if (count <= 0)
        return true;
    return put_margin(th, p) && put(th, p, "  [Previous line repeated ") &&
           put_number(th, p, count) && put(th, p, count > 1 ? " more times]\n" : " more time]\n");
}

/* tb.tb_next, a new reference or NULL. */
static Value
next_of(Thread *th, Value tb)
{
    Traceback *t = (Traceback *)(void *)value_object(tb);
    return field_read(th, &t->head, &t->next);
}

/* The entries, the last `limit` of them. */
static bool
put_entries(Thread *th, Printer *p, Value tb, int64_t limit)
{
    int64_t count = 0;
    Value at = retain(th, tb);
    while (at != NULL) {
        count++;
        Value next = next_of(th, at);
        drop(th, at);
        at = next;
    }
    Entry last = {NULL, NULL, NULL, 0};
    int64_t same = 0;
    bool ok = true;
    at = retain(th, tb);
    while (at != NULL && ok) {
        if (count-- <= limit) {
            Entry e;
            entry_read(th, (Traceback *)(void *)value_object(at), &e);
            if (!entry_same(&e, &last)) {
                ok = put_repeated(th, p, same);
                same = 0;
            }
            entry_drop(th, &last);
            last = e;
            if (ok && ++same <= SAME_LINES_SHOWN)
                ok = put_entry(th, p, (Traceback *)(void *)value_object(at), &e);
        }
        Value next = next_of(th, at);
        drop(th, at);
        at = next;
    }
    drop_null(th, at);
    ok = ok && put_repeated(th, p, same);
    entry_drop(th, &last);
    return ok;
}

/* sys.tracebacklimit, or the default. */
static int64_t
traceback_limit(Thread *th)
{
    int64_t limit = DEFAULT_LIMIT;
    Value v = upcalls.sys_get(th, "tracebacklimit");
    if (v != NULL) {
        if (is_int(v) && !int_fits_i64(v, &limit))
            limit = int_sign(v) < 0 ? 0 : INT64_MAX;
        drop(th, v);
    }
    error_clear(th);
    return limit;
}

static bool
put_traceback(Thread *th, Printer *p, Value exc)
{
    Value tb = exception_traceback(th, exc);
    if (tb == NULL)
        return true;
    bool group = is_instance_of(exc, &exc_BaseExceptionGroup);
    int64_t limit = traceback_limit(th);
    bool ok = true;
    if (limit > 0) {
        if (group && p->depth == 1)
            ok = put_indent(th, p) && put(th, p, "+ ");
        else
            ok = put_margin(th, p);
        ok = ok && put(th, p, group ? "Exception Group Traceback (most recent call last):\n" :
                                      "Traceback (most recent call last):\n") &&
             put_entries(th, p, tb, limit);
    }
    drop(th, tb);
    return ok;
}

/* -- one exception -- */

/* The text of a SyntaxError with a mark below columns offset .. end (from 1). */
static bool
put_error_text(Thread *th, Printer *p, Value text, int64_t offset, int64_t end)
{
    const Str *s = as_str(text);
    int64_t n = (int64_t)s->length;
    int64_t start = 0;
    while (start < n && is_blank(str_char(s, (size_t)start)))
        start++;
    bool newline = n > start && str_char(s, (size_t)n - 1) == '\n';
    int64_t at = offset - 1; /* columns count from 1 */
    int64_t last = n - newline;
    if (at > last)
        at = last;
    int64_t stop = end > 0 && end > offset ? end - 1 : at;
    int64_t width = (stop < n ? stop : n) - at;
    if (width < 1)
        width = 1;
    for (;;) { /* the line that has the column */
        int64_t k = start;
        while (k < n && str_char(s, (size_t)k) != '\n')
            k++;
        if (k == n || k >= at)
            break;
        start = k + 1;
    }
    if (!put_margin(th, p) || !put(th, p, "    ") ||
        !str_builder_sub(th, &p->out, text, (size_t)start, (size_t)n) ||
        (!newline && !put(th, p, "\n")))
        return false;
    if (at < start)
        return true;
    return put_margin(th, p) && put(th, p, "    ") &&
           str_builder_fill(th, &p->out, ' ', (size_t)(at - start)) &&
           str_builder_fill(th, &p->out, '^', (size_t)width) && put(th, p, "\n");
}

/* An int attribute: false if it is none; None gives `fallback`. */
static bool
int_attr(Thread *th, Value v, Value name, int64_t *out, int64_t fallback)
{
    Value found = quiet_attr(th, v, name);
    bool ok = false;
    if (found != NULL) {
        if (found == NONE) {
            *out = fallback;
            ok = true;
        } else if (is_int(found)) {
            ok = int_fits_i64(found, out);
        }
        drop(th, found);
    }
    return ok;
}

/* Where a SyntaxError is: file, line and text.  *shown is its message, new, or NULL if it has
 * no such attributes and is shown as any other exception. */
static bool
put_syntax_location(Thread *th, Printer *p, Value exc, Value *shown)
{
    *shown = NULL;
    Value marker = quiet_attr(th, exc, NAME(print_file_and_line));
    if (marker == NULL)
        return true;
    drop(th, marker);
    int64_t line, offset, end_line, end_offset;
    Value msg = quiet_attr(th, exc, NAME(msg));
    Value filename = quiet_attr(th, exc, NAME(filename));
    Value text = quiet_attr(th, exc, NAME(text));
    bool ok = true;
    if (msg != NULL && filename != NULL && text != NULL &&
        int_attr(th, exc, NAME(lineno), &line, -1) && line != -1 &&
        int_attr(th, exc, NAME(offset), &offset, -1) &&
        int_attr(th, exc, NAME(end_lineno), &end_line, line) &&
        int_attr(th, exc, NAME(end_offset), &end_offset, -1)) {
        Value file_text = filename == NONE ? NULL : to_str(th, filename);
        error_clear(th);
        ok = put_margin(th, p) && put(th, p, "  File \"") &&
             (file_text ? put_str(th, p, file_text) : put(th, p, "<string>")) &&
             put(th, p, "\", line ") && put_number(th, p, line) && put(th, p, "\n");
        drop_null(th, file_text);
        if (ok && is_str(text)) {
            ok = put_error_text(th, p, text, offset, end_offset);
        }
        *shown = retain(th, msg);
    }
    drop_null(th, msg);
    drop_null(th, filename);
    drop_null(th, text);
    return ok;
}

/* "module.Type: message" */
static bool
put_message(Thread *th, Printer *p, Value exc, Value shown)
{
    Value type = value_of_type(type_of(exc));
    Value module = quiet_attr(th, type, NAME(__module__));
    Value qualname = quiet_attr(th, type, NAME(__qualname__));
    bool ok = put_margin(th, p);
    if (ok && (module == NULL || !is_str(module)))
        ok = put(th, p, "<unknown>.");
    else if (ok && !str_equal_ascii(module, "builtins") && !str_equal_ascii(module, "__main__"))
        ok = put_str(th, p, module) && put(th, p, ".");
    if (ok)
        ok = qualname != NULL && is_str(qualname) ? put_str(th, p, qualname) :
                                                    put(th, p, "<unknown>");
    drop_null(th, module);
    drop_null(th, qualname);
    if (!ok || shown == NONE)
        return ok;
    Value text = to_str(th, shown);
    if (text == NULL) {
        error_clear(th);
        return put(th, p, ": <exception str() failed>");
    }
    if (str_length(text) != 0)
        ok = put(th, p, ": ") && put_str(th, p, text);
    drop(th, text);
    return ok;
}

static bool
put_suggestion(Thread *th, Printer *p, Value exc)
{
    Value name = error_suggestion(th, exc);
    if (name == NULL)
        return true;
    bool ok = put(th, p, ". Did you mean: '") && put_str(th, p, name) && put(th, p, "'?");
    drop(th, name);
    return ok;
}

/* A note, line by line. */
static bool
put_note(Thread *th, Printer *p, Value note)
{
    Value text = to_str(th, note);
    if (text == NULL) {
        error_clear(th);
        return put_margin(th, p) && put(th, p, "<note str() failed>") && put(th, p, "\n");
    }
    Value name = str_intern_c(th, "splitlines");
    Value lines = name ? call_method_0(th, text, name) : NULL;
    drop_null(th, name);
    drop(th, text);
    bool ok = lines != NULL && is_list(lines);
    for (int64_t i = 0; ok && i < list_length(lines); i++) {
        Value line = list_get(th, lines, i);
        ok = line != NULL && put_margin(th, p) && put_str(th, p, line) && put(th, p, "\n");
        drop_null(th, line);
    }
    drop_null(th, lines);
    return ok;
}

static bool
put_notes(Thread *th, Printer *p, Value exc)
{
    Value notes = quiet_attr(th, exc, NAME(__notes__));
    if (notes == NULL)
        return true;
    bool ok = true;
    if (!is_sequence(notes) || is_str(notes) || is_bytes(notes)) {
        Value text = to_repr(th, notes);
        error_clear(th);
        ok = put_margin(th, p) &&
             (text ? put_str(th, p, text) : put(th, p, "<__notes__ repr() failed>"));
        drop_null(th, text);
    } else {
        int64_t n = length_of(th, notes);
        error_clear(th);
        for (int64_t i = 0; ok && i < n; i++) {
            Value note = get_item_index(th, notes, i);
            if (note == NULL) {
                error_clear(th);
                break;
            }
            ok = put_note(th, p, note);
            drop(th, note);
        }
    }
    drop(th, notes);
    return ok;
}

static bool
put_exception(Thread *th, Printer *p, Value exc)
{
    Value shown;
    if (!put_traceback(th, p, exc) || !put_syntax_location(th, p, exc, &shown))
        return false;
    bool ok = put_message(th, p, exc, shown ? shown : exc) && put_suggestion(th, p, exc) &&
              put(th, p, "\n") && put_notes(th, p, exc);
    drop_null(th, shown);
    return ok;
}

/* -- chains and groups -- */

static bool put_all(Thread *th, Printer *p, Value exc);

/* Whether exc was shown, or is about to be. */
static bool
is_seen(Thread *th, const Printer *p, Value exc)
{
    for (int64_t i = 0; i < list_length(p->seen); i++) {
        Value v = list_get(th, p->seen, i);
        drop_null(th, v);
        if (v == exc)
            return true;
    }
    return false;
}

static bool
put_chained(Thread *th, Printer *p, Value exc, const char *message)
{
    bool close = p->need_close;
    bool ok = put_all(th, p, exc);
    p->need_close = close;
    return ok && put_margin(th, p) && put(th, p, "\n") && put_margin(th, p) &&
           put(th, p, message) && put_margin(th, p) && put(th, p, "\n");
}

static bool
put_history(Thread *th, Printer *p, Value exc)
{
    if (!list_append(th, p->seen, exc))
        return false;
    BaseException *e = as_exception(exc);
    Value cause = field_read(th, &e->head, &e->cause);
    Value context = field_read(th, &e->head, &e->context);
    bool ok = true;
    if (cause != NULL) {
        if (!is_seen(th, p, cause))
            ok = put_chained(th, p, cause,
                             "The above exception was the direct cause of the following "
                             "exception:\n");
    } else if (context != NULL && load_relaxed(&e->suppress_context) == 0) {
        if (!is_seen(th, p, context))
            ok = put_chained(th, p, context,
                             "During handling of the above exception, another exception "
                             "occurred:\n");
    }
    drop_null(th, cause);
    drop_null(th, context);
    return ok;
}

/* The rule between the members of a group, with the number of the next one. */
static bool
put_rule(Thread *th, Printer *p, int64_t i, bool truncated)
{
    return put_indent(th, p) && put(th, p, i == 0 ? "+-" : "  ") &&
           put(th, p, "+---------------- ") &&
           (truncated ? put(th, p, "...") : put_number(th, p, i + 1)) &&
           put(th, p, " ----------------\n");
}

static bool
put_members(Thread *th, Printer *p, Value members)
{
    int64_t total = tuple_length(members);
    int64_t shown = total > GROUP_WIDTH_MAX ? GROUP_WIDTH_MAX + 1 : total;
    bool ok = true;
    p->need_close = false;
    for (int64_t i = 0; ok && i < shown; i++) {
        bool last = i == shown - 1;
        bool truncated = i >= GROUP_WIDTH_MAX;
        if (last) /* a nested group may close the frame */
            p->need_close = true;
        ok = put_rule(th, p, i, truncated);
        p->depth++;
        if (ok && truncated) {
            int64_t more = total - GROUP_WIDTH_MAX;
            ok = put_margin(th, p) && put(th, p, "and ") && put_number(th, p, more) &&
                 put(th, p, more > 1 ? " more exceptions\n" : " more exception\n");
        } else if (ok) {
            ok = put_all(th, p, tuple_item(members, i));
        }
        if (ok && last && p->need_close) {
            ok = put_indent(th, p) && put(th, p, "+------------------------------------\n");
            p->need_close = false;
        }
        p->depth--;
    }
    return ok;
}

static bool
put_group(Thread *th, Printer *p, Value exc)
{
    if (p->depth > GROUP_DEPTH_MAX)
        return put_margin(th, p) && put(th, p, "... (max_group_depth is ") &&
               put_number(th, p, GROUP_DEPTH_MAX) && put(th, p, ")\n");
    if (p->depth == 0)
        p->depth = 1;
    bool ok = put_exception(th, p, exc);
    if (ok) {
        GroupError *g = (GroupError *)(void *)value_object(exc);
        Value members = field_read(th, &g->base.head, &g->exceptions);
        if (members != NULL && is_tuple(members))
            ok = put_members(th, p, members);
        drop_null(th, members);
    }
    if (p->depth == 1)
        p->depth = 0;
    return ok;
}

static bool
put_all(Thread *th, Printer *p, Value exc)
{
    if (thread_stack_low(th)) {
        raise_recursion(th, " in print_exception_recursive");
        return false;
    }
    if (!put_history(th, p, exc))
        return false;
    if (is_instance_of(exc, &exc_BaseExceptionGroup))
        return put_group(th, p, exc);
    return put_exception(th, p, exc);
}

/* -- entry points -- */

static bool
write_out(Thread *th, Printer *p, Value file)
{
    Value text = str_builder_finish(th, &p->out);
    str_builder_init(&p->out);
    if (text == NULL)
        return false;
    Value r = call_method_1(th, file, NAME(write), text);
    drop(th, text);
    if (r == NULL)
        return false;
    drop(th, r);
    return true;
}

static bool
print_into(Thread *th, Printer *p, Value exc)
{
    p->seen = list_new(th, 0);
    if (p->seen == NULL)
        return false;
    if (is_exception(exc))
        return put_all(th, p, exc);
    return put(th, p, "TypeError: print_exception(): Exception expected for value, ") &&
           put(th, p, type_name_of(exc)) && put(th, p, " found");
}

bool
error_print(Thread *th, Value exc, Value file)
{
    Value saved = error_take(th);
    Printer p;
    printer_init(&p);
    bool ok = print_into(th, &p, exc) && write_out(th, &p, file);
    printer_free(th, &p);
    if (ok)
        error_restore(th, saved);
    else
        drop_null(th, saved);
    return ok;
}

Value
error_to_text(Thread *th, Value exc)
{
    Value saved = error_take(th);
    Printer p;
    printer_init(&p);
    Value text = NULL;
    if (print_into(th, &p, exc)) {
        text = str_builder_finish(th, &p.out);
        str_builder_init(&p.out);
    }
    printer_free(th, &p);
    if (text != NULL)
        error_restore(th, saved);
    else
        drop_null(th, saved);
    return text;
}

bool
traceback_print(Thread *th, Value tb, Value file, bool header, int64_t limit)
{
    Printer p;
    printer_init(&p);
    bool ok = (!header || put(th, &p, "Traceback (most recent call last):\n")) &&
              put_entries(th, &p, tb, limit) && write_out(th, &p, file);
    printer_free(th, &p);
    return ok;
}
