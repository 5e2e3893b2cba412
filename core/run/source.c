/* source.c -- text to syntax tree to code: the parser's hooks, and its errors as exceptions. */
#include "core/run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "threads/safepoint.h"

/* What the hooks need besides the thread. */
typedef struct Context {
    Thread *th;
    Value filename;
} Context;

static Thread *
thread_of(void *context)
{
    return ((Context *)context)->th;
}

static Value
make_int(void *context, const char *digits, size_t n, int base)
{
    Thread *th = thread_of(context);
    if (n <= 18 && base == 10) {
        int64_t v = 0;
        for (size_t i = 0; i < n; i++)
            v = v * 10 + (digits[i] - '0');
        return value_from_fixnum(v);
    }
    return int_from_text(th, digits, n, base);
}

static Value
make_float(void *context, double d)
{
    return float_from(thread_of(context), d);
}

static Value
make_complex(void *context, double imag)
{
    return complex_from(thread_of(context), 0.0, imag);
}

static bool
looks_like_name(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z') || p[i] == '_' ||
              (p[i] >= '0' && p[i] <= '9')))
            return false;
    return true;
}

static Value
make_str(void *context, const char *text, size_t n)
{
    Thread *th = thread_of(context);
    Value s = str_from_wtf8(th, text, n);
    if (s && n < 4096 && looks_like_name(text, n)) /* as constants that are names are one object */
        s = str_intern(th, s);
    return s;
}

static Value
make_bytes(void *context, const char *p, size_t n)
{
    return bytes_from(thread_of(context), p, n);
}

static Value
intern_name(void *context, const char *p, size_t n)
{
    Thread *th = thread_of(context);
    Value s = str_from_utf8(th, p, n);
    return s ? str_intern(th, s) : NULL;
}

static Value
singleton(void *context, AstLiteral literal)
{
    (void)context;
    switch (literal) {
    case AST_LITERAL_TRUE:
        return TRUE;
    case AST_LITERAL_FALSE:
        return FALSE;
    case AST_LITERAL_ELLIPSIS:
        return ELLIPSIS;
    default:
        return NONE;
    }
}

static void
release(void *context, Value v)
{
    drop((Thread *)context, v);
}

static void
hook_release(void *context, Value v)
{
    drop(thread_of(context), v);
}

static int
decode(void *context, const char *encoding, const char *bytes, size_t n, char **text, size_t *length)
{
    Thread *th = thread_of(context);
    Value s = str_decode(th, (const uint8_t *)bytes, n, encoding, "strict");
    if (s == NULL) {
        if (!error_matches(th, &exc_Exception) || error_matches(th, &exc_MemoryError))
            return PARSE_DECODE_FAILED;
        Value exc = error_take(th);
        Value message = to_str(th, exc);
        drop(th, exc);
        const char *m = message ? str_c(th, message) : NULL;
        *text = m ? strdup(m) : NULL;
        drop_null(th, message);
        return m ? PARSE_DECODE_REFUSED : PARSE_DECODE_FAILED;
    }
    size_t size;
    const char *utf8 = is_str(s) ? str_utf8(th, s, &size) : NULL;
    char *copy = utf8 ? malloc(size + 1) : NULL;
    if (copy == NULL) {
        if (!error_set(th))
            raise_type_error(th, "decoder did not return str");
        drop(th, s);
        return PARSE_DECODE_FAILED;
    }
    memcpy(copy, utf8, size);
    copy[size] = 0;
    *text = copy;
    *length = size;
    drop(th, s);
    return PARSE_DECODED;
}

/* 0: warned; 1: the warning is an error; -1: another exception. */
static int
warn_about(void *context, ParseWarning category, const char *message, int line)
{
    Type *type = category == PARSE_WARNING_SYNTAX ? &exc_SyntaxWarning : &exc_DeprecationWarning;
    Context *c = context;
    Thread *th = c->th;
    Value text = str_from_c(th, message);
    Value module = text ? import_module_c(th, "_warnings") : NULL;
    Value f = module ? get_attr_c(th, module, "warn_explicit") : NULL;
    Value result = NULL;
    if (f) {
        Value args[4] = {text, value_of_type(type), c->filename, value_from_fixnum(line)};
        result = call(th, f, args_of(args), 4, NULL);
    }
    drop_null(th, f);
    drop_null(th, module);
    drop_null(th, text);
    if (result) {
        drop(th, result);
        return 0;
    }
    if (error_matches(th, type)) {
        error_clear(th);
        return 1;
    }
    return -1;
}

static const ParserHooks parser_hooks = {
    .make_int = make_int, .make_float = make_float, .make_complex = make_complex, .make_str = make_str,
    .make_bytes = make_bytes, .intern_name = intern_name, .singleton = singleton,
    .release = hook_release, .decode = decode, .warn = warn_about,
};

static void
raise_parse_error(Thread *th, const ParseError *e, Value filename, bool whole_file, bool from_file)
{
    Type *type = &exc_SyntaxError;
    Value message = NULL;
    bool number = e->kind == PARSE_ERROR_RAISED; /* the columns of these are not told */
    switch (e->kind) {
    case PARSE_ERROR_RAISED: {
        if (e->lineno == 0 || !error_matches(th, &exc_ValueError))
            return;
        /* an int that has too many digits */
        Value exc = error_take(th);
        message = str_format_c(th, "%V - Consider hexadecimal for huge integer literals to avoid decimal "
                                   "conversion limits.", exc);
        drop(th, exc);
        if (message == NULL)
            return;
        break;
    }
    case PARSE_ERROR_MEMORY:
        raise_none(th, &exc_MemoryError);
        return;
    case PARSE_ERROR_VALUE:
        raise_value_error(th, "%s", e->message);
        return;
    case PARSE_ERROR_INDENTATION:
        type = &exc_IndentationError;
        break;
    case PARSE_ERROR_TAB:
        type = &exc_TabError;
        break;
    case PARSE_ERROR_SYNTAX:
        break;
    }
    if (message == NULL)
        message = str_from_c(th, e->message ? e->message : "invalid syntax");
    Value text = message && e->text ? str_decode_utf8(th, (const uint8_t *)e->text, strlen(e->text),
                                                      "replace", NULL)
                                    : NULL;
    const char *newline = text ? strchr(e->text, '\n') : NULL;
    if (newline && newline[1] && whole_file && (e->message == NULL || strncmp(e->message, "f-string: ", 10) != 0)) {
        /* of a logical line only the one in the file, if there is a file */
        Value line = compile_source_line(th, filename, e->lineno);
        if (line) {
            drop(th, text);
            text = line;
        }
    }
    Value exc = NULL;
    if (message && !text && !e->text && e->lineno == 0 && from_file) /* the text could not be read */
        exc = call_1(th, value_of_type(type), message);
    else if (message && (text || !e->text)) {
        Value place = e->lineno == 0 && !text
                          ? tuple_pack(th, 4, filename, value_from_fixnum(0), value_from_fixnum(-1), NONE)
                          : tuple_pack(th, 6, filename, value_from_fixnum(e->lineno),
                                       value_from_fixnum(number ? 0 : e->col), text ? text : NONE,
                                       value_from_fixnum(e->end_lineno),
                                       value_from_fixnum(number ? 0 : e->end_col));
        exc = place ? call_2(th, value_of_type(type), message, place) : NULL;
        drop_null(th, place);
    }
    drop_null(th, text);
    drop_null(th, message);
    if (exc)
        raise_instance(th, exc);
}

bool
source_parse(Thread *th, const char *text, size_t n, Value filename, int start, int flags, Ast *ast)
{
    return source_parse_version(th, text, n, filename, start, flags, 0, ast);
}

bool
source_parse_version(Thread *th, const char *text, size_t n, Value filename, int start, int flags,
                     int feature_version, Ast *ast)
{
    Context context = {th, filename};
    char name[256] = "";
    if (is_str(filename))
        str_to_buffer(filename, name, sizeof name);
    ParseOptions options = {
        .hooks = &parser_hooks, .context = &context, .mode = (ParseMode)start,
        .flags = (uint32_t)(flags & ~SOURCE_FROM_FILE), .from_file = (flags & SOURCE_FROM_FILE) != 0,
        .feature_version = feature_version, .filename = name, .stack_limit = (const char *)th->c_stack_limit,
    };
    ParseError error;
    if (!parse(&options, text, n, ast, &error)) {
        raise_parse_error(th, &error, filename, start == START_FILE, (flags & SOURCE_FROM_FILE) != 0);
        parse_error_free(&error);
        return false;
    }
    /* The tree outlives the context. */
    ast->release = release;
    ast->context = th;
    return true;
}

Value
source_compile(Thread *th, const char *text, size_t n, Value filename, int start, int flags, int optimize)
{
    Ast ast;
    if (!source_parse(th, text, n, filename, start, flags, &ast))
        return NULL;
    CompileOptions options = {.filename = filename, .flags = flags, .optimize = optimize};
    Value code = compile_ast(th, (const AstNode *)ast.root, &options);
    ast_free(&ast);
    return code;
}

bool
source_endless(const char *p, size_t n)
{
    return n >= 4096 && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

bool
source_read(Thread *th, const char *path, char **text, size_t *n)
{
    blocking_begin(th);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = errno;
    struct stat st;
    size_t size = 0, capacity = 0;
    char *data = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        error = EISDIR;
        close(fd);
        fd = -1;
    }
    bool ok = fd >= 0;
    while (ok) {
        if (size == capacity) {
            capacity = capacity ? capacity * 2 : 1 << 16;
            char *grown = realloc(data, capacity + 1);
            if (grown == NULL) {
                ok = false;
                error = ENOMEM;
                break;
            }
            data = grown;
        }
        ssize_t got = read(fd, data + size, capacity - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            ok = false;
            error = errno;
        }
        if (got <= 0)
            break;
        size += (size_t)got;
        if (!S_ISREG(st.st_mode) && source_endless(data + size - got, (size_t)got)) {
            close(fd);
            blocking_end(th);
            free(data);
            raise_error(th, &exc_SyntaxError, "source code cannot contain null bytes");
            return false;
        }
    }
    if (fd >= 0)
        close(fd);
    blocking_end(th);
    if (!ok) {
        free(data);
        Value name = str_from_fs(th, path, strlen(path));
        if (name) {
            raise_os_error_path(th, error, name);
            drop(th, name);
        }
        return false;
    }
    data[size] = 0;
    *text = data;
    *n = size;
    return true;
}
