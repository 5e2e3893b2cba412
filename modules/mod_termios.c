/* mod_termios.c -- module termios: terminals.  Stateless but for its exception, a static type. */
#include "modules/posix.h"
#include "modules/static_types.h"

#include <asm/ioctls.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "threads/blocking.h"

static Type termios_error_type;

static Value
termios_failed(Thread *th)
{
    int error = errno;
    Value text = str_from_c(th, strerror(error));
    Value args = text ? tuple_pack(th, 2, value_from_fixnum(error), text) : NULL;
    Value exc = args ? call_tuple_dict(th, value_of_type(&termios_error_type), args, NULL) : NULL;
    drop_null(th, text);
    drop_null(th, args);
    return exc ? raise_instance(th, exc) : NULL;
}

/* [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]: cc has bytes of one character, and numbers for VMIN and
 * VTIME when input is not canonical. */
static Value
termios_tcgetattr(Thread *th, Value self, Value v)
{
    (void)self;
    int fd, r;
    struct termios mode;
    if (!fd_arg(th, v, &fd))
        return NULL;
    BLOCKING(th, r, tcgetattr(fd, &mode));
    if (r < 0)
        return termios_failed(th);
    Value cc = list_new(th, NCCS);
    for (int i = 0; cc && i < NCCS; i++) {
        char c = (char)mode.c_cc[i];
        bool number = !(mode.c_lflag & ICANON) && (i == VMIN || i == VTIME);
        Value item = number ? value_from_fixnum(mode.c_cc[i]) : bytes_from(th, &c, 1);
        if (item == NULL || !list_append_steal(th, cc, item))
            DROP_CLEAR(th, cc);
    }
    if (cc == NULL)
        return NULL;
    Value items[] = {value_from_fixnum(mode.c_iflag), value_from_fixnum(mode.c_oflag), value_from_fixnum(mode.c_cflag),
                     value_from_fixnum(mode.c_lflag), value_from_fixnum(cfgetispeed(&mode)),
                     value_from_fixnum(cfgetospeed(&mode)), cc};
    Value list = list_of(th, items, ARRAY_LEN(items));
    drop(th, cc);
    return list;
}

static bool
flag_item(Thread *th, Value list, int i, tcflag_t *out)
{
    int64_t n;
    Value v = tuple_item(list, i);
    if (!arg_long(th, v, &n))
        return false;
    *out = (tcflag_t)n;
    return true;
}

static bool
characters_from(Thread *th, Value v, struct termios *mode)
{
    if (!is_list(v) || list_length(v) != NCCS) {
        raise_type_error(th, "tcsetattr: attributes[6] must be %d element list", NCCS);
        return false;
    }
    Value cc = sequence_tuple(th, v);
    bool ok = cc != NULL;
    for (int i = 0; ok && i < NCCS && i < tuple_length(cc); i++) {
        Value item = tuple_item(cc, i);
        int64_t n = 0;
        if (is_bytes(item) && as_bytes(item)->length == 1)
            n = as_bytes(item)->data[0];
        else if (is_int(item))
            ok = arg_long(th, item, &n);
        else {
            raise_type_error(th, "tcsetattr: elements of attributes must be characters or integers");
            ok = false;
        }
        mode->c_cc[i] = (cc_t)n;
    }
    drop_null(th, cc);
    return ok;
}

static Value
termios_tcsetattr(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, when, r;
    struct termios mode;
    tcflag_t in, out;
    if (!fd_arg(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &when))
        return NULL;
    if (!is_list(arg(a, 2)) || list_length(arg(a, 2)) != 7)
        return raise_type_error(th, "tcsetattr, arg 3: must be 7 element list");
    BLOCKING(th, r, tcgetattr(fd, &mode)); /* for what the list does not name */
    if (r < 0)
        return termios_failed(th);
    Value t = sequence_tuple(th, arg(a, 2));
    if (t == NULL)
        return NULL;
    bool ok = tuple_length(t) == 7 && flag_item(th, t, 0, &mode.c_iflag) && flag_item(th, t, 1, &mode.c_oflag) &&
              flag_item(th, t, 2, &mode.c_cflag) && flag_item(th, t, 3, &mode.c_lflag) && flag_item(th, t, 4, &in) &&
              flag_item(th, t, 5, &out) && characters_from(th, tuple_item(t, 6), &mode);
    drop(th, t);
    if (!ok)
        return error_set(th) ? NULL : raise_type_error(th, "tcsetattr, arg 3: must be 7 element list");
    if (cfsetispeed(&mode, in) < 0 || cfsetospeed(&mode, out) < 0)
        return termios_failed(th);
    BLOCKING(th, r, tcsetattr(fd, when, &mode));
    return r < 0 ? termios_failed(th) : NONE;
}

/* The functions with a descriptor and a number. */
static Value
two_ints(Thread *th, const Arg *a, int (*function)(int fd, int n))
{
    int fd, n, r;
    if (!fd_arg(th, arg(a, 0), &fd) || !arg_int(th, arg(a, 1), &n))
        return NULL;
    BLOCKING(th, r, function(fd, n));
    return r < 0 ? termios_failed(th) : NONE;
}

static Value termios_tcsendbreak(Thread *th, Value self, const Arg *a, size_t n) { (void)self, (void)n; return two_ints(th, a, tcsendbreak); }
static Value termios_tcflush(Thread *th, Value self, const Arg *a, size_t n) { (void)self, (void)n; return two_ints(th, a, tcflush); }
static Value termios_tcflow(Thread *th, Value self, const Arg *a, size_t n) { (void)self, (void)n; return two_ints(th, a, tcflow); }

static Value
termios_tcdrain(Thread *th, Value self, Value v)
{
    (void)self;
    int fd, r;
    if (!fd_arg(th, v, &fd))
        return NULL;
    BLOCKING(th, r, tcdrain(fd));
    return r < 0 ? termios_failed(th) : NONE;
}

static Value
termios_tcgetwinsize(Thread *th, Value self, Value v)
{
    (void)self;
    int fd, r;
    struct winsize w;
    if (!fd_arg(th, v, &fd))
        return NULL;
    BLOCKING(th, r, ioctl(fd, TIOCGWINSZ, &w));
    return r < 0 ? termios_failed(th) : tuple_pack(th, 2, value_from_fixnum(w.ws_row), value_from_fixnum(w.ws_col));
}

static Value
termios_tcsetwinsize(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int fd, r;
    struct winsize w;
    int64_t size[2];
    if (!fd_arg(th, arg(a, 0), &fd))
        return NULL;
    Value t = is_sequence(arg(a, 1)) ? sequence_tuple(th, arg(a, 1)) : NULL;
    if (t == NULL || tuple_length(t) != 2) {
        drop_null(th, t);
        return error_set(th) ? NULL : raise_type_error(th, "tcsetwinsize, arg 2: must be a two-item sequence");
    }
    bool ok = arg_long(th, tuple_item(t, 0), &size[0]) && arg_long(th, tuple_item(t, 1), &size[1]);
    drop(th, t);
    if (!ok)
        return NULL;
    for (int i = 0; i < 2; i++)
        if (size[i] < 0 || size[i] > 0xffff)
            return raise_overflow(th, "winsize value(s) out of range.");
    BLOCKING(th, r, ioctl(fd, TIOCGWINSZ, &w)); /* the size in pixels stays */
    if (r < 0)
        return termios_failed(th);
    w.ws_row = (unsigned short)size[0];
    w.ws_col = (unsigned short)size[1];
    BLOCKING(th, r, ioctl(fd, TIOCSWINSZ, &w));
    return r < 0 ? termios_failed(th) : NONE;
}

static const MethodDef termios_methods[] = {
    NATIVE_1("tcgetattr", termios_tcgetattr, "tcgetattr($module, fd, /)\n--\n\nThe attributes of a terminal: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]."),
    NATIVE_N("tcsetattr", termios_tcsetattr, 3, 3, "tcsetattr($module, fd, when, attributes, /)\n--\n\nSets the attributes of a terminal."),
    NATIVE_N("tcsendbreak", termios_tcsendbreak, 2, 2, "tcsendbreak($module, fd, duration, /)\n--\n\nSend a break on file descriptor fd."),
    NATIVE_1("tcdrain", termios_tcdrain, "tcdrain($module, fd, /)\n--\n\nWait until all output written to file descriptor fd has been transmitted."),
    NATIVE_N("tcflush", termios_tcflush, 2, 2, "tcflush($module, fd, queue, /)\n--\n\nDiscard queued data on file descriptor fd."),
    NATIVE_N("tcflow", termios_tcflow, 2, 2, "tcflow($module, fd, action, /)\n--\n\nSuspend or resume input or output on file descriptor fd."),
    NATIVE_1("tcgetwinsize", termios_tcgetwinsize, "tcgetwinsize($module, fd, /)\n--\n\nThe window size of a terminal as (rows, columns)."),
    NATIVE_N("tcsetwinsize", termios_tcsetwinsize, 2, 2, "tcsetwinsize($module, fd, winsize, /)\n--\n\nSets the window size of a terminal."),
    NATIVE_END,
};

static const TypeSpec termios_error_spec = {.name = "termios.error", .base = &exc_Exception, .flags = TYPE_BASE};

static const struct {
    const char *name;
    int64_t value;
} constants[] = {
#define SAME(name) {#name, (int64_t)(name)},
#define VALUE(name, value) {#name, (int64_t)(value)},
#include "modules/termios_constants.def"
#undef SAME
#undef VALUE
};

static bool
termios_exec(Thread *th, Value m)
{
    static const StaticType types[] = {{&termios_error_type, &termios_error_spec}};
    if (!static_types_ready(th, types, ARRAY_LEN(types)) || !module_add_type(th, m, &termios_error_type))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, m, constants[i].name, constants[i].value))
            return false;
    return true;
}

const ModuleSpec termios_module = {
    .name = "termios", .doc = "This module provides an interface to the Posix calls for tty I/O control.",
    .methods = termios_methods, .exec = termios_exec,
};
