/* mod_time.c -- module time: clocks, calendar times, sleeping.
 *
 * The module's state holds the type struct_time and does not change after exec.  The time zone is
 * the process's; its names in the module dict are set anew by tzset().
 *
 * Lock: zone_lock, a leaf.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* CLOCK_TAI, tm_gmtoff */
#endif

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/model/upcall.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "threads/blocking.h"
#include "threads/interp.h"
#include "threads/mutex.h"
#include "threads/os_thread.h"
#include "threads/safepoint.h"

typedef struct TimeState {
    Field struct_time; /* a type; NULL once the module is cleared */
} TimeState;

#define BILLION 1000000000

/* Round what may read the zone anew and frees the last one's name.  libc has a lock of its own for
 * that, which ThreadSanitizer does not see. */
static ByteLock zone_lock;

/* -- numbers to times -- */

static COLD bool
raise_time_range(Thread *th)
{
    raise_overflow(th, "timestamp out of range for platform time_t");
    return false;
}

/* Whole seconds, rounded down. */
static bool
seconds_from(Thread *th, Value v, time_t *out)
{
    if (is_float(v)) {
        double d = float_value(v);
        if (isnan(d)) {
            raise_value_error(th, "Invalid value NaN (not a number)");
            return false;
        }
        d = floor(d);
        if (!(d >= -0x1p63 && d < 0x1p63))
            return raise_time_range(th);
        *out = (time_t)d;
        return true;
    }
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    int64_t seconds;
    bool fits = int_fits_i64(n, &seconds);
    drop(th, n);
    if (!fits)
        return raise_time_range(th);
    *out = (time_t)seconds;
    return true;
}

/* Nanoseconds of a number of seconds, rounded up or down. */
static bool
nanoseconds_from(Thread *th, Value v, bool up, int64_t *out)
{
    if (is_float(v)) {
        double d = float_value(v);
        if (isnan(d)) {
            raise_value_error(th, "Invalid value NaN (not a number)");
            return false;
        }
        d *= 1e9;
        d = up ? ceil(d) : floor(d);
        if (!(d >= -0x1p63 && d < 0x1p63))
            return raise_time_range(th);
        *out = (int64_t)d;
        return true;
    }
    Value n = to_index(th, v);
    if (n == NULL)
        return false;
    int64_t seconds;
    bool fits = int_fits_i64(n, &seconds) && !__builtin_mul_overflow(seconds, BILLION, out);
    drop(th, n);
    if (!fits)
        raise_overflow(th, "timestamp too large to convert to C _PyTime_t");
    return fits;
}

static int64_t
nanoseconds_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * BILLION + t->tv_nsec;
}

/* -- clocks -- */

static Value
clock_seconds(Thread *th, clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0)
        return raise_os_error(th, errno);
    if (t.tv_nsec == 0)
        return float_from(th, (double)t.tv_sec);
    return float_from(th, (double)nanoseconds_of(&t) / 1e9);
}

static Value
clock_nanoseconds(Thread *th, clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0)
        return raise_os_error(th, errno);
    return int_from_i64(th, nanoseconds_of(&t));
}

#define CLOCK(name, id)                                                        \
    static Value time_##name(Thread *th, Value self)                           \
    {                                                                          \
        (void)self;                                                            \
        return clock_seconds(th, id);                                          \
    }                                                                          \
    static Value time_##name##_ns(Thread *th, Value self)                      \
    {                                                                          \
        (void)self;                                                            \
        return clock_nanoseconds(th, id);                                      \
    }

CLOCK(time, CLOCK_REALTIME)
CLOCK(monotonic, CLOCK_MONOTONIC)
CLOCK(perf_counter, CLOCK_MONOTONIC)
CLOCK(process_time, CLOCK_PROCESS_CPUTIME_ID)
CLOCK(thread_time, CLOCK_THREAD_CPUTIME_ID)

static Value
time_clock_gettime(Thread *th, Value self, Value v)
{
    (void)self;
    int id;
    return arg_int(th, v, &id) ? clock_seconds(th, id) : NULL;
}

static Value
time_clock_gettime_ns(Thread *th, Value self, Value v)
{
    (void)self;
    int id;
    return arg_int(th, v, &id) ? clock_nanoseconds(th, id) : NULL;
}

static Value
time_clock_getres(Thread *th, Value self, Value v)
{
    (void)self;
    int id;
    struct timespec t;
    if (!arg_int(th, v, &id))
        return NULL;
    if (clock_getres(id, &t) != 0)
        return raise_os_error(th, errno);
    return float_from(th, (double)t.tv_sec + (double)t.tv_nsec * 1e-9);
}

static Value
set_clock(Thread *th, int id, int64_t ns)
{
    struct timespec t = {.tv_sec = ns / BILLION, .tv_nsec = ns % BILLION};
    if (t.tv_nsec < 0) {
        t.tv_nsec += BILLION;
        t.tv_sec--;
    }
    if (clock_settime(id, &t) != 0)
        return raise_os_error(th, errno);
    return NONE;
}

static Value
time_clock_settime(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    int id;
    int64_t ns;
    if (!arg_int(th, arg(args, 0), &id) || !nanoseconds_from(th, arg(args, 1), false, &ns))
        return NULL;
    return set_clock(th, id, ns);
}

static Value
time_clock_settime_ns(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    (void)nargs;
    int id;
    int64_t ns;
    if (!arg_int(th, arg(args, 0), &id))
        return NULL;
    Value v = arg(args, 1);
    if (!is_int(v))
        return raise_type_error(th, "expect int, got %T", v);
    if (!int_to_i64(th, v, &ns))
        return NULL;
    return set_clock(th, id, ns);
}

static Value
time_pthread_getcpuclockid(Thread *th, Value self, Value v)
{
    (void)self;
    if (!is_int(v))
        return raise_type_error(th, "pthread_getcpuclockid() argument 1 must be int, not %B", v);
    uint64_t ident = int_to_u64_wrap(v);
    /* Only threads known to be alive: libc trusts the number it is given. */
    if (ident == os_thread_self()->ident) {
        clockid_t id;
        int error = pthread_getcpuclockid(pthread_self(), &id);
        return error ? raise_os_error(th, error) : int_from_i64(th, id);
    }
    Interp *interp = th->interp;
    int32_t native = 0;
    mutex_lock(th, &interp->threads_lock);
    for (Thread *t = load_acquire(&interp->threads); t != NULL; t = load_acquire(&t->next))
        if (t->in_use && t->os_thread != NULL && t->ident == ident)
            native = t->os_thread->native_id;
    mutex_unlock(&interp->threads_lock);
    if (native == 0)
        return raise_os_error(th, ESRCH);
    /* The kernel's number for "scheduled time of one thread". */
    return int_from_i64(th, (int)((~(uint32_t)native << 3) | 6));
}

static Value
time_get_clock_info(Thread *th, Value self, Value name)
{
    (void)self;
    static const struct {
        const char *name, *implementation;
        clockid_t id;
        bool monotonic, adjustable;
    } clocks[] = {
        {"time", "clock_gettime(CLOCK_REALTIME)", CLOCK_REALTIME, false, true},
        {"monotonic", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false},
        {"perf_counter", "clock_gettime(CLOCK_MONOTONIC)", CLOCK_MONOTONIC, true, false},
        {"process_time", "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", CLOCK_PROCESS_CPUTIME_ID, true,
         false},
        {"thread_time", "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", CLOCK_THREAD_CPUTIME_ID, true,
         false},
    };
    if (!is_str(name))
        return raise_type_error(th, "get_clock_info() argument 1 must be str, not %B", name);
    for (size_t i = 0; i < ARRAY_LEN(clocks); i++) {
        if (!str_equal_ascii(name, clocks[i].name))
            continue;
        struct timespec t;
        if (clock_getres(clocks[i].id, &t) != 0)
            return raise_os_error(th, errno);
        double resolution = (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
        Value d = dict_new(th);
        if (d == NULL)
            return NULL;
        Value info = NULL;
        if (dict_set_c_steal(th, d, "implementation", str_from_c(th, clocks[i].implementation)) &&
            dict_set_c(th, d, "monotonic", bool_from(clocks[i].monotonic)) &&
            dict_set_c(th, d, "adjustable", bool_from(clocks[i].adjustable)) &&
            dict_set_c_steal(th, d, "resolution", float_from(th, resolution)))
            info = namespace_new(th, d);
        drop(th, d);
        return info;
    }
    return raise_value_error(th, "unknown clock");
}

static Value
time_sleep(Thread *th, Value self, Value v)
{
    (void)self;
    int64_t ns;
    if (!nanoseconds_from(th, v, true, &ns))
        return NULL;
    if (ns < 0)
        return raise_value_error(th, "sleep length must be non-negative");
    struct timespec until;
    if (clock_gettime(CLOCK_MONOTONIC, &until) != 0)
        return raise_os_error(th, errno);
    int64_t deadline;
    if (__builtin_add_overflow(nanoseconds_of(&until), ns, &deadline))
        deadline = INT64_MAX;
    until.tv_sec = deadline / BILLION;
    until.tv_nsec = deadline % BILLION;
    for (;;) {
        int error;
        BLOCKING(th, error, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
        if (error == 0)
            return NONE;
        if (error != EINTR)
            return raise_os_error(th, error);
        if (!safepoint_poll(th)) /* runs signal handlers; then sleeps on */
            return NULL;
    }
}

/* -- calendar times -- */

static Value
struct_time_from(Thread *th, Value module, const struct tm *tm)
{
    TimeState *state = module_state(module);
    Value type = field_read(th, value_object(module), &state->struct_time);
    if (type == NULL)
        return raise_error(th, &exc_RuntimeError, "module time is cleared");
    Value seq = struct_seq_new(th, as_type(type));
    drop(th, type);
    if (seq == NULL)
        return NULL;
    const int fields[] = {tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday,
                          tm->tm_hour,        tm->tm_min,     tm->tm_sec,
                          (tm->tm_wday + 6) % 7, tm->tm_yday + 1, tm->tm_isdst};
    for (int i = 0; i < 9; i++)
        struct_seq_init(seq, i, value_from_fixnum(fields[i]));
    if (tm->tm_year > INT_MAX - 1900)
        struct_seq_init(seq, 0, value_from_fixnum((int64_t)tm->tm_year + 1900));
    Value zone = str_from_fs(th, tm->tm_zone ? tm->tm_zone : "",
                             tm->tm_zone ? strlen(tm->tm_zone) : 0);
    if (zone == NULL) {
        drop(th, seq);
        return NULL;
    }
    struct_seq_init(seq, 9, zone);
    struct_seq_init(seq, 10, value_from_fixnum(tm->tm_gmtoff));
    return seq;
}

/* The optional argument of gmtime(), localtime(), ctime(). */
static bool
optional_seconds(Thread *th, const char *name, const Arg *args, size_t nargs, time_t *t)
{
    if (nargs > 1) {
        raise_type_error(th, "%s() takes at most 1 argument (%zu given)", name, nargs);
        return false;
    }
    if (nargs == 0 || arg(args, 0) == NONE) {
        *t = time(NULL);
        return true;
    }
    return seconds_from(th, arg(args, 0), t);
}

static void
set_process_zone(void)
{
    byte_lock(&zone_lock);
    tzset();
    byte_unlock(&zone_lock);
}

static bool
local_time(Thread *th, time_t t, struct tm *tm)
{
    errno = 0;
    if (localtime_r(&t, tm) != NULL)
        return true;
    raise_os_error(th, errno ? errno : EINVAL);
    return false;
}

static Value
time_gmtime(Thread *th, Value self, const Arg *args, size_t nargs)
{
    time_t t;
    struct tm tm;
    if (!optional_seconds(th, "gmtime", args, nargs, &t))
        return NULL;
    errno = 0;
    if (gmtime_r(&t, &tm) == NULL)
        return raise_os_error(th, errno ? errno : EINVAL);
    return struct_time_from(th, self, &tm);
}

static Value
time_localtime(Thread *th, Value self, const Arg *args, size_t nargs)
{
    time_t t;
    struct tm tm;
    if (!optional_seconds(th, "localtime", args, nargs, &t) || !local_time(th, t, &tm))
        return NULL;
    return struct_time_from(th, self, &tm);
}

/* A struct tm that also holds the zone's name. */
typedef struct Calendar {
    struct tm tm;
    Value zone; /* counted str whose UTF-8 tm.tm_zone is, or NULL */
} Calendar;

static void
calendar_free(Thread *th, Calendar *c)
{
    drop_null(th, c->zone);
}

/* An item of a time tuple. */
static bool
read_field(Thread *th, Value v, int *out)
{
    int64_t n;
    if (!arg_long(th, v, &n))
        return false;
    if (n < INT_MIN || n > INT_MAX) {
        raise_overflow(th, n > 0 ? "signed integer is greater than maximum"
                                 : "signed integer is less than minimum");
        return false;
    }
    *out = (int)n;
    return true;
}

/* Reads a tuple of nine ints or a struct_time. */
static bool
calendar_read(Thread *th, Value module, const char *name, Value v, Calendar *c)
{
    TimeState *state = module_state(module);
    memset(c, 0, sizeof *c);
    bool is_struct = value_of_type(type_of(v)) == field_peek(&state->struct_time);
    if (!is_tuple(v)) {
        raise_type_error(th, "Tuple or struct_time argument required");
        return false;
    }
    if (tuple_length(v) != 9) {
        raise_type_error(th, "%s(): illegal time tuple argument", name);
        return false;
    }
    int fields[9];
    for (int i = 0; i < 9; i++)
        if (!read_field(th, tuple_item(v, i), &fields[i]))
            return false;
    if (fields[0] < INT_MIN + 1900) {
        raise_overflow(th, "year out of range");
        return false;
    }
    c->tm.tm_year = fields[0] - 1900;
    c->tm.tm_mon = (int)((unsigned)fields[1] - 1);
    c->tm.tm_mday = fields[2];
    c->tm.tm_hour = fields[3];
    c->tm.tm_min = fields[4];
    c->tm.tm_sec = fields[5];
    c->tm.tm_wday = (int)(((int64_t)fields[6] + 1) % 7);
    c->tm.tm_yday = (int)((unsigned)fields[7] - 1);
    c->tm.tm_isdst = fields[8];
    if (is_struct) {
        Value zone = get_attr_c(th, v, "tm_zone");
        if (zone == NULL)
            return false;
        if (zone != NONE && is_str(zone)) {
            const char *text = str_c(th, zone);
            if (text == NULL) {
                drop(th, zone);
                return false;
            }
            c->tm.tm_zone = text;
            c->zone = zone;
        } else
            drop(th, zone);
        Value offset = get_attr_c(th, v, "tm_gmtoff");
        if (offset == NULL) {
            calendar_free(th, c);
            return false;
        }
        if (offset != NONE) {
            int64_t n;
            bool good = arg_long(th, offset, &n);
            drop(th, offset);
            if (!good) {
                calendar_free(th, c);
                return false;
            }
            c->tm.tm_gmtoff = n;
        }
    }
    return true;
}

static bool
calendar_check(Thread *th, struct tm *tm)
{
    const char *wrong = NULL;
    if (tm->tm_mon == -1)
        tm->tm_mon = 0;
    if (tm->tm_mday == 0)
        tm->tm_mday = 1;
    if (tm->tm_yday == -1)
        tm->tm_yday = 0;
    if (tm->tm_mon < 0 || tm->tm_mon > 11)
        wrong = "month out of range";
    else if (tm->tm_mday < 0 || tm->tm_mday > 31)
        wrong = "day of month out of range";
    else if (tm->tm_hour < 0 || tm->tm_hour > 23)
        wrong = "hour out of range";
    else if (tm->tm_min < 0 || tm->tm_min > 59)
        wrong = "minute out of range";
    else if (tm->tm_sec < 0 || tm->tm_sec > 61)
        wrong = "seconds out of range";
    else if (tm->tm_wday < 0)
        wrong = "day of week out of range";
    else if (tm->tm_yday < 0 || tm->tm_yday > 365)
        wrong = "day of year out of range";
    if (wrong)
        raise_value_error(th, "%s", wrong);
    return wrong == NULL;
}

/* Reads the optional tuple of asctime() and strftime(), the local time if it is not given. */
static bool
calendar_optional(Thread *th, Value module, const char *name, const Arg *args, size_t nargs,
                  size_t at, Calendar *c)
{
    if (nargs > at) {
        if (!calendar_read(th, module, name, arg(args, at), c))
            return false;
        if (calendar_check(th, &c->tm))
            return true;
        calendar_free(th, c);
        return false;
    }
    c->zone = NULL;
    return local_time(th, time(NULL), &c->tm);
}

static Value
ascii_time(Thread *th, const struct tm *tm)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char buf[80];
    int n = snprintf(buf, sizeof buf, "%s %s%3d %.2d:%.2d:%.2d %lld", days[tm->tm_wday],
                     months[tm->tm_mon], tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec,
                     (long long)tm->tm_year + 1900);
    return str_from_ascii(th, buf, (size_t)n);
}

static Value
time_asctime(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Calendar c;
    if (!calendar_optional(th, self, "asctime", args, nargs, 0, &c))
        return NULL;
    Value s = ascii_time(th, &c.tm);
    calendar_free(th, &c);
    return s;
}

static Value
time_ctime(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    time_t t;
    struct tm tm;
    if (!optional_seconds(th, "ctime", args, nargs, &t) || !local_time(th, t, &tm))
        return NULL;
    return ascii_time(th, &tm);
}

static Value
time_mktime(Thread *th, Value self, Value v)
{
    Calendar c;
    if (!calendar_read(th, self, "mktime", v, &c))
        return NULL;
    c.tm.tm_wday = -1; /* changes if mktime() succeeds */
    byte_lock(&zone_lock);
    time_t t = mktime(&c.tm);
    byte_unlock(&zone_lock);
    bool failed = t == (time_t)-1 && c.tm.tm_wday == -1;
    calendar_free(th, &c);
    if (failed)
        return raise_overflow(th, "mktime argument out of range");
    return float_from(th, (double)t);
}

/* -- strftime -- */

/* Appends what libc makes of one directive, "%...c" of n bytes. */
static bool
append_directive(Thread *th, StrBuilder *b, const char *directive, size_t n, const struct tm *tm)
{
    char local[256], format[48];
    /* A final mark tells an empty result from a buffer too small. */
    memcpy(format, directive, n);
    memcpy(format + n, "|", 2);
    char *buf = local;
    size_t size = sizeof local, length;
    for (;;) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        byte_lock(&zone_lock);
        length = strftime(buf, size, format, tm);
        byte_unlock(&zone_lock);
#pragma GCC diagnostic pop
        if (length != 0)
            break;
        if (buf != local)
            buffer_free(buf);
        size *= 8;
        if (size > (size_t)1 << 30) {
            raise_memory(th);
            return false;
        }
        buf = buffer_new(th, size);
        if (buf == NULL)
            return false;
    }
    Value piece = str_from_fs(th, buf, length - 1);
    bool good = piece != NULL && str_builder_str(th, b, piece);
    drop_null(th, piece);
    if (buf != local)
        buffer_free(buf);
    return good;
}

/* The length of the directive at s[i] = '%', 0 if it is none that libc should see. */
static size_t
directive_length(const Str *s, size_t i, char *out, size_t room)
{
    size_t n = 1, k = i + 1;
    out[0] = '%';
    while (k < s->length && n < room) {
        uint32_t c = str_char(s, k);
        if (c == 0 || c >= 128)
            return 0;
        out[n++] = (char)c;
        k++;
        bool modifier = (c >= '0' && c <= '9') || strchr("_-^#+EO:", (int)c) != NULL;
        if (!modifier)
            return n;
    }
    return 0;
}

static Value
time_strftime(Thread *th, Value self, const Arg *args, size_t nargs)
{
    Value format = arg(args, 0);
    if (!is_str(format))
        return raise_type_error(th, "strftime() argument 1 must be str, not %B", format);
    Calendar c;
    if (!calendar_optional(th, self, "strftime", args, nargs, 1, &c))
        return NULL;
    if (c.tm.tm_isdst < -1)
        c.tm.tm_isdst = -1;
    else if (c.tm.tm_isdst > 1)
        c.tm.tm_isdst = 1;
    const Str *s = as_str(format);
    StrBuilder b;
    str_builder_init(&b);
    Value result = NULL;
    for (size_t i = 0; i < s->length;) {
        uint32_t ch = str_char(s, i);
        char directive[40];
        size_t n = ch == '%' ? directive_length(s, i, directive, sizeof directive) : 0;
        if (ch == 0) {
            raise_value_error(th, "embedded null character");
            goto fail;
        }
        if (n != 0) {
            if (!append_directive(th, &b, directive, n, &c.tm))
                goto fail;
            i += n;
        } else {
            if (!str_builder_char(th, &b, ch))
                goto fail;
            i++;
        }
    }
    result = str_builder_finish(th, &b);
    calendar_free(th, &c);
    return result;
fail:
    str_builder_free(&b);
    calendar_free(th, &c);
    return NULL;
}

static Value
time_strptime(Thread *th, Value self, const Arg *args, size_t nargs)
{
    (void)self;
    Value module = upcalls.import_module(th, "_strptime");
    if (module == NULL)
        return NULL;
    Value f = get_attr_c(th, module, "_strptime_time");
    drop(th, module);
    if (f == NULL)
        return NULL;
    Value r = call(th, f, args, nargs, NULL);
    drop(th, f);
    return r;
}

/* -- the time zone -- */

/* Sets timezone, altzone, daylight and tzname in the module, by January and July. */
static bool
set_zone(Thread *th, Value module)
{
    const time_t half_year = 182 * 24 * 3600;
    time_t now = time(NULL);
    struct tm jan, jul;
    time_t t = now - now % (2 * half_year);
    struct tm start;
    if (gmtime_r(&now, &start) != NULL) {
        memset(&jan, 0, sizeof jan);
        jan.tm_year = start.tm_year;
        jan.tm_mday = 1;
        t = timegm(&jan);
    }
    if (!local_time(th, t, &jan) || !local_time(th, t + half_year, &jul))
        return false;
    /* The standard zone is the one farther west. */
    bool south = jan.tm_gmtoff > jul.tm_gmtoff;
    const struct tm *standard = south ? &jul : &jan, *summer = south ? &jan : &jul;
    Value names[2] = {NULL, NULL}, pair = NULL;
    names[0] = str_from_fs(th, standard->tm_zone, strlen(standard->tm_zone));
    if (names[0] != NULL)
        names[1] = str_from_fs(th, summer->tm_zone, strlen(summer->tm_zone));
    if (names[1] != NULL)
        pair = tuple_of(th, names, 2);
    drop_null(th, names[0]);
    drop_null(th, names[1]);
    return module_add(th, module, "tzname", pair) &&
           module_add_int(th, module, "timezone", -standard->tm_gmtoff) &&
           module_add_int(th, module, "altzone", -summer->tm_gmtoff) &&
           module_add_int(th, module, "daylight", standard->tm_gmtoff != summer->tm_gmtoff);
}

static Value
time_tzset(Thread *th, Value self)
{
    set_process_zone();
    return set_zone(th, self) ? NONE : NULL;
}

/* -- the module -- */

#define CLOCK_METHODS(name, text)                                              \
    NATIVE_0(#name, time_##name, #name "() -> float\n\n" text),                \
        NATIVE_0(#name "_ns", time_##name##_ns, #name "_ns() -> int\n\n" text " In nanoseconds.")

static const MethodDef time_methods[] = {
    CLOCK_METHODS(time, "The current time in seconds since the Epoch."),
    CLOCK_METHODS(monotonic, "A clock that cannot go backward."),
    CLOCK_METHODS(perf_counter, "A clock for measuring performance."),
    CLOCK_METHODS(process_time, "CPU time of the process, system and user."),
    CLOCK_METHODS(thread_time, "CPU time of the thread, system and user."),
    NATIVE_1("clock_gettime", time_clock_gettime,
             "clock_gettime(clk_id) -> float\n\nThe time of the clock clk_id."),
    NATIVE_1("clock_gettime_ns", time_clock_gettime_ns,
             "clock_gettime_ns(clk_id) -> int\n\nThe time of the clock clk_id in nanoseconds."),
    NATIVE_N("clock_settime", time_clock_settime, 2, 2,
             "clock_settime(clk_id, time)\n\nSets the time of the clock clk_id."),
    NATIVE_N("clock_settime_ns", time_clock_settime_ns, 2, 2,
             "clock_settime_ns(clk_id, time)\n\nSets the clock clk_id, in nanoseconds."),
    NATIVE_1("clock_getres", time_clock_getres,
             "clock_getres(clk_id) -> float\n\nThe resolution of the clock clk_id."),
    NATIVE_1("pthread_getcpuclockid", time_pthread_getcpuclockid,
             "pthread_getcpuclockid(thread_id) -> int\n\nThe CPU-time clock of a thread."),
    NATIVE_1("sleep", time_sleep,
             "sleep(seconds)\n\nWaits for a number of seconds, which may have a fraction."),
    NATIVE_N("gmtime", time_gmtime, 0, -1,
             "gmtime([seconds]) -> struct_time\n\nSeconds since the Epoch, or now, as UTC."),
    NATIVE_N("localtime", time_localtime, 0, -1,
             "localtime([seconds]) -> struct_time\n\n"
             "Seconds since the Epoch, or now, as local time."),
    NATIVE_N("asctime", time_asctime, 0, 1,
             "asctime([tuple]) -> string\n\nA time as text, as in 'Sat Jun 06 16:26:11 1998'."),
    NATIVE_N("ctime", time_ctime, 0, -1,
             "ctime([seconds]) -> string\n\n"
             "Seconds since the Epoch, or now, as local time in text."),
    NATIVE_1("mktime", time_mktime,
             "mktime(tuple) -> float\n\nA local time as seconds since the Epoch."),
    NATIVE_N("strftime", time_strftime, 1, 2,
             "strftime(format[, tuple]) -> string\n\nA time, or now, as text by a format."),
    NATIVE_N("strptime", time_strptime, 0, -1,
             "strptime(string, format) -> struct_time\n\nReads a time from text by a format."),
    NATIVE_0("tzset", time_tzset,
             "tzset()\n\nTakes over the time zone that the environment variable TZ names."),
    NATIVE_1("get_clock_info", time_get_clock_info,
             "get_clock_info(name: str) -> dict\n\nFacts about the named clock."),
    NATIVE_END,
};

static const StructSeqField struct_time_fields[] = {
    {"tm_year", "year, for example, 1993"},
    {"tm_mon", "month of year, range [1, 12]"},
    {"tm_mday", "day of month, range [1, 31]"},
    {"tm_hour", "hours, range [0, 23]"},
    {"tm_min", "minutes, range [0, 59]"},
    {"tm_sec", "seconds, range [0, 61])"},
    {"tm_wday", "day of week, range [0, 6], Monday is 0"},
    {"tm_yday", "day of year, range [1, 366]"},
    {"tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"},
    {"tm_zone", "abbreviation of timezone name"},
    {"tm_gmtoff", "offset from UTC in seconds"},
    {NULL, NULL},
};

static const StructSeqSpec struct_time_spec = {
    .name = "time.struct_time",
    .doc = "A calendar time: what gmtime(), localtime() and strptime() return, and what\n"
           "asctime(), mktime() and strftime() take.  A sequence of nine integers.",
    .fields = struct_time_fields,
    .visible = 9,
};

static bool
time_exec(Thread *th, Value module)
{
    static const struct {
        const char *name;
        int id;
    } clocks[] = {
        {"CLOCK_REALTIME", CLOCK_REALTIME},
        {"CLOCK_MONOTONIC", CLOCK_MONOTONIC},
        {"CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW},
        {"CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID},
        {"CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID},
        {"CLOCK_BOOTTIME", CLOCK_BOOTTIME},
        {"CLOCK_TAI", CLOCK_TAI},
    };
    TimeState *state = module_state(module);
    for (size_t i = 0; i < ARRAY_LEN(clocks); i++)
        if (!module_add_int(th, module, clocks[i].name, clocks[i].id))
            return false;
    set_process_zone();
    Type *type = struct_seq_type(th, &struct_time_spec);
    if (type == NULL)
        return false;
    field_replace(th, value_object(module), &state->struct_time, value_of_type(type));
    return set_zone(th, module) && module_add_int(th, module, "_STRUCT_TM_ITEMS", 11) &&
           module_add(th, module, "struct_time", retain(th, value_of_type(type)));
}

static void
time_visit(Value module, VisitFn visit, void *arg)
{
    field_visit(&((TimeState *)module_state(module))->struct_time, visit, arg);
}

static void
time_clear(Thread *th, Value module)
{
    TimeState *state = module_state(module);
    field_replace(th, value_object(module), &state->struct_time, NULL);
}

const ModuleSpec time_module = {
    .name = "time",
    .doc = "Clocks, calendar times and sleeping.\n\n"
           "A time is either a number of seconds since the Epoch, January 1st 1970 UTC, or a\n"
           "struct_time of year, month, day, hours, minutes, seconds, weekday, day of the year\n"
           "and whether summer time is in effect.",
    .methods = time_methods,
    .exec = time_exec,
    .state_size = sizeof(TimeState),
    .visit = time_visit,
    .clear = time_clear,
};
