/* mod_io.c -- module _io: open(), open_code(), text_encoding(), and the types of io_*.c. */
#include "modules/io.h"
#include "modules/static_types.h"

#include "core/run/run.h"
#include "objects/model/upcall.h"
#include "threads/at_fork.h"

#include <string.h>

/* -- open() ------------------------------------------------------------------------------- */

typedef struct OpenMode {
    bool creating, reading, writing, appending, updating, text, binary;
} OpenMode;

/* Parses the mode; the one for FileIO goes to raw. */
static bool
parse_mode(Thread *th, Value mode, OpenMode *m, char raw[8])
{
    size_t n;
    const char *p = str_utf8(th, mode, &n);
    if (p == NULL)
        return false;
    *m = (OpenMode){0};
    for (size_t i = 0; i < n; i++) {
        bool *flag = p[i] == 'x'   ? &m->creating
                     : p[i] == 'r' ? &m->reading
                     : p[i] == 'w' ? &m->writing
                     : p[i] == 'a' ? &m->appending
                     : p[i] == '+' ? &m->updating
                     : p[i] == 't' ? &m->text
                     : p[i] == 'b' ? &m->binary
                                   : NULL;
        if (flag == NULL || *flag) {
            raise_value_error(th, "invalid mode: '%V'", mode);
            return false;
        }
        *flag = true;
    }
    size_t k = 0;
    if (m->creating)
        raw[k++] = 'x';
    if (m->reading)
        raw[k++] = 'r';
    if (m->writing)
        raw[k++] = 'w';
    if (m->appending)
        raw[k++] = 'a';
    if (m->updating)
        raw[k++] = '+';
    raw[k] = 0;
    const char *problem = NULL;
    if (m->text && m->binary)
        problem = "can't have text and binary mode at once";
    else if (m->creating + m->reading + m->writing + m->appending > 1)
        problem = "must have exactly one of create/read/write/append mode";
    if (problem != NULL)
        raise_value_error(th, "%s", problem);
    return problem == NULL;
}

/* What does not go with binary mode. */
static bool
check_binary(Thread *th, Value encoding, Value errors, Value newline)
{
    const char *what = encoding ? "an encoding" : errors ? "an errors" : newline ? "a newline" : NULL;
    if (what != NULL)
        raise_value_error(th, "binary mode doesn't take %s argument", what);
    return what == NULL;
}

static bool
str_or_none(Thread *th, const char *what, Value *v)
{
    if (*v == NONE)
        *v = NULL;
    if (*v == NULL || is_str(*v))
        return *v == NULL || str_c(th, *v) != NULL;
    raise_type_error(th, "open() argument '%s' must be str or None, not %B", what, *v);
    return false;
}

static Value
new_file(Thread *th, Value file, const char *mode, int closefd, Value opener)
{
    Value m = str_from_c(th, mode);
    if (m == NULL)
        return NULL;
    Value args[4] = {file, m, bool_from(closefd != 0), opener ? opener : NONE};
    Value raw = call(th, value_of_type(&io_file_type), args_of(args), 4, NULL);
    drop(th, m);
    return raw;
}

/* stream.close() after an error, which is kept. */
static void *
close_failed(Thread *th, Value STEALS stream)
{
    Value exc = error_take(th);
    (void)!io_call(th, stream, NAME(close));
    io_chain(th, exc);
    drop(th, stream);
    return NULL;
}

static Answer
is_terminal(Thread *th, Value raw)
{
    if (load_relaxed(&as_file(raw)->regular))
        return NO;
    Value v = call_method_0(th, raw, NAME(isatty));
    Answer a = v ? is_true(th, v) : FAILED;
    drop_null(th, v);
    return a;
}

static Value
open_file(Thread *th, Value file, Value mode, int buffering, Value encoding, Value errors,
          Value newline, int closefd, Value opener)
{
    OpenMode m;
    char raw_mode[8];
    if (!parse_mode(th, mode, &m, raw_mode) ||
        (m.binary && !check_binary(th, encoding, errors, newline)))
        return NULL;
    if (m.binary && buffering == 1 &&
        !warn(th, &exc_RuntimeWarning, 1,
              "line buffering (buffering=1) isn't supported in binary mode, the default buffer "
              "size will be used"))
        return NULL;
    Value raw = new_file(th, file, raw_mode, closefd, opener);
    if (raw == NULL)
        return NULL;
    bool line_buffering = buffering == 1;
    if (line_buffering) {
        buffering = -1;
    } else if (buffering < 0) {
        Answer terminal = is_terminal(th, raw);
        if (terminal == FAILED)
            return close_failed(th, raw);
        line_buffering = terminal == YES;
    }
    if (buffering < 0) {
        buffering = load_relaxed(&as_file(raw)->block_size);
        if (buffering < IO_BUFFER_SIZE && load_relaxed(&as_file(raw)->regular))
            buffering = IO_BUFFER_SIZE;
    }
    if (buffering == 0) {
        if (m.binary)
            return raw;
        raise_value_error(th, "can't have unbuffered text I/O");
        return close_failed(th, raw);
    }
    Type *type = m.updating                                ? &io_random_type
                 : m.creating || m.writing || m.appending ? &io_writer_type
                                                           : &io_reader_type;
    Value buffer = io_buffered_new(th, type, raw, buffering);
    if (buffer == NULL)
        return close_failed(th, raw);
    drop(th, raw);
    if (m.binary)
        return buffer;
    Value text = io_text_new(th, buffer, encoding, errors, newline, line_buffering);
    if (text == NULL)
        return close_failed(th, buffer);
    drop(th, buffer);
    if (!set_attr(th, text, NAME(mode), mode))
        return close_failed(th, text);
    return text;
}

static Value
io_open(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "open",
                                     .names = {"file", "mode", "buffering", "encoding", "errors",
                                               "newline", "closefd", "opener"},
                                     .positional = 8,
                                     .required = 1};
    (void)self;
    Value v[8];
    int buffering = -1, closefd = 1;
    if (!args_bind(th, &params, args, nargs, kwnames, v) ||
        !arg_str(th, "open", "argument 'mode'", v[1]) ||
        (v[1] != NULL && str_c(th, v[1]) == NULL) || !arg_int(th, v[2], &buffering) ||
        !str_or_none(th, "encoding", &v[3]) || !str_or_none(th, "errors", &v[4]) ||
        !str_or_none(th, "newline", &v[5]) || !arg_int(th, v[6], &closefd))
        return NULL;
    Value file = v[0];
    if (is_str(file) || is_bytes(file) || is_int(file)) {
        retain(th, file);
    } else {
        file = fs_path(th, file);
        if (file == NULL)
            return NULL;
    }
    bool binary = v[1] != NULL && str_contains_char(v[1], 'b');
    Value text = NULL;
    if (!binary && v[3] == NULL && interp_state(th)->settings.warn_default_encoding &&
        !warn(th, &exc_EncodingWarning, 1, "'encoding' argument not specified"))
        goto end;
    text = open_file(th, file, v[1] ? v[1] : NAME(r), buffering, v[3], v[4], v[5], closefd,
                     v[7] == NONE ? NULL : v[7]);
end:
    drop(th, file);
    return text;
}

static Value
io_open_code(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "open_code", .names = {"path"}, .positional = 1, .required = 1};
    (void)self;
    Value v[1];
    if (!args_bind(th, &params, args, nargs, kwnames, v) ||
        !arg_str(th, "open_code", "argument 'path'", v[0]))
        return NULL;
    Value mode = str_from_c(th, "rb");
    if (mode == NULL)
        return NULL;
    Value r = open_file(th, v[0], mode, -1, NULL, NULL, NULL, 1, NULL);
    drop(th, mode);
    return r;
}

static Value
io_text_encoding(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    int level = 2;
    if (nargs > 1 && !arg_int(th, arg(args, 1), &level))
        return NULL;
    Value encoding = arg(args, 0);
    if (encoding != NONE)
        return retain(th, encoding);
    const Settings *s = &interp_state(th)->settings;
    if (s->warn_default_encoding &&
        !warn(th, &exc_EncodingWarning, level, "'encoding' argument not specified"))
        return NULL;
    return str_from_c(th, s->utf8_mode ? "utf-8" : "locale");
}

/* -- the module --------------------------------------------------------------------------- */

static void
count_fork(void)
{
    store_relaxed(&io_fork_survivor, thread_current->run);
    fetch_add_relaxed(&io_fork_generation, 1);
}

static const ForkHooks fork_hooks = {.child = count_fork};

/* What is made once a process. */
static void
start_process(Thread *th)
{
    static ATOMIC(uint8_t) started;
    if (load_acquire(&started)) /* pairs with the release below */
        return;
#define N(x) io_names.x = str_intern_immortal(th, #x);
    IO_NAMES(N)
#undef N
    fork_register_hooks(&fork_hooks);
    store_release(&started, 1); /* pairs with the acquire above */
}

/* class UnsupportedOperation(OSError, ValueError) */
static Type *
make_unsupported(Thread *th)
{
    Value name = str_from_c(th, "UnsupportedOperation"), dict = dict_new(th);
    Value bases = tuple_pack(th, 2, value_of_type(&exc_OSError), value_of_type(&exc_ValueError));
    Value module = str_from_c(th, "io"), type = NULL;
    if (name && dict && bases && module && dict_set(th, dict, NAME(__module__), module))
        type = type_create(th, &type_type, name, bases, dict, NULL, NULL);
    drop_null(th, name);
    drop_null(th, dict);
    drop_null(th, bases);
    drop_null(th, module);
    return type ? as_type(type) : NULL;
}

/* The interpreter's state; made when the module is executed for the first time. */
static IoState *
make_state(Thread *th)
{
    IoState *state = io_state(th);
    if (state != NULL)
        return state;
    Type *unsupported = make_unsupported(th);
    state = unsupported ? buffer_new(th, sizeof *state) : NULL;
    if (state == NULL)
        return NULL;
    state->unsupported = unsupported;
    IoState *now = native_publish(th, NATIVE_IO, state, value_of_type(unsupported));
    drop(th, value_of_type(unsupported)); /* kept, if it was the first */
    if (now != state)
        buffer_free(state);
    return now;
}

static bool
io_exec(Thread *th, Value module)
{
    static const StaticType types[] = {
        {&io_base_type, &io_base_spec},
        {&io_raw_base_type, &io_raw_base_spec},
        {&io_buffered_base_type, &io_buffered_base_spec},
        {&io_text_base_type, &io_text_base_spec},
        {&io_file_type, &io_file_spec},
        {&io_bytesio_type, &io_bytesio_spec},
        {&io_bytes_view_type, &io_bytes_view_spec},
        {&io_stringio_type, &io_stringio_spec},
        {&io_reader_type, &io_reader_spec},
        {&io_writer_type, &io_writer_spec},
        {&io_random_type, &io_random_spec},
        {&io_pair_type, &io_pair_spec},
        {&io_text_type, &io_text_spec},
        {&io_newline_decoder_type, &io_newline_decoder_spec},
    };
    start_process(th);
    if (!static_types_ready(th, types, ARRAY_LEN(types)))
        return false;
    /* Memory needs no closing. */
    io_bytesio_type.ops.wants_finalize = io_never_finalize;
    io_stringio_type.ops.wants_finalize = io_never_finalize;
    IoState *state = make_state(th);
    if (state == NULL)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].type != &io_bytes_view_type && !module_add_type(th, module, types[i].type))
            return false;
    return module_add_int(th, module, "DEFAULT_BUFFER_SIZE", IO_BUFFER_SIZE) &&
           module_add_type(th, module, state->unsupported) &&
           module_add_type(th, module, &exc_BlockingIOError);
}

static const MethodDef io_methods[] = {
    NATIVE_K("open", io_open,
             "open($module, /, file, mode='r', buffering=-1, encoding=None,\n"
             "     errors=None, newline=None, closefd=True, opener=None)\n--\n\n"
             "Opens a file and returns a stream.\n\n"
             "file: a path, or a file descriptor to wrap.\n"
             "mode: 'r' read (default), 'w' write (truncates first), 'x' create, must be new,\n"
             "    'a' append; 't' text (default) or 'b' binary; '+' read and write.\n"
             "buffering: 0 none (binary only), 1 by lines (text only), above 1 the size of the\n"
             "    buffer in bytes; by default that depends on the file.\n"
             "encoding, errors, newline: as TextIOWrapper has them; text mode only.\n"
             "closefd: with a descriptor, whether close() closes it.\n"
             "opener: a function that is called with (file, flags) for a descriptor.\n\n"
             "Text gives a TextIOWrapper; binary a BufferedReader, BufferedWriter or, with '+',\n"
             "BufferedRandom; without a buffer, a FileIO."),
    NATIVE_K("open_code", io_open_code,
             "open_code($module, /, path)\n--\n\n"
             "Opens a file whose contents are going to be executed.  The path is absolute."),
    NATIVE_N("text_encoding", io_text_encoding, 1, 2,
             "text_encoding($module, encoding, stacklevel=2, /)\n--\n\n"
             "The encoding as it is, or what None stands for: \"locale\" or \"utf-8\".\n\n"
             "For functions that pass an optional encoding on; where asked for by\n"
             "-X warn_default_encoding, None gives a warning."),
    NATIVE_END,
};

const ModuleSpec io_module = {
    .name = "_io",
    .doc = "Streams: files, buffers, text, memory.  See the module io.",
    .methods = io_methods,
    .exec = io_exec,
};
