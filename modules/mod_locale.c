/* mod_locale.c -- module _locale: the C library's locale, which is the process's.
 *
 * setlocale() is not safe beside any reader of the locale, so it runs while the world is stopped; the other
 * functions have no safepoint between reading and copying what the C library shows them. */
#include "core/run/run.h"
#include "modules/modules.h"
#include "modules/static_types.h"

#include <errno.h>
#include <langinfo.h>
#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"
#include "threads/stop_world.h"

static Type locale_error_type;

/* Text of the locale's: what it cannot be decoded as stays as surrogates. */
static Value
locale_text(Thread *th, const char *p)
{
    return str_from_fs(th, p, strlen(p));
}

static Value
locale_setlocale(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self;
    int category;
    Value v = n > 1 ? arg(a, 1) : NONE;
    const char *wanted = NULL;
    if (!arg_int(th, arg(a, 0), &category))
        return NULL;
    if (v != NONE) {
        if (!is_str(v))
            return raise_type_error(th, "setlocale() argument 2 must be str or None, not %B", v);
        wanted = str_c(th, v);
        if (wanted == NULL)
            return NULL;
        if (category < LC_CTYPE || category > LC_ALL)
            return raise_error(th, &locale_error_type, "invalid locale category");
    }
    char name[1024] = "";
    world_stop(th);
    const char *r = setlocale(category, wanted);
    if (r)
        snprintf(name, sizeof name, "%s", r);
    world_start(th);
    if (r == NULL)
        return raise_error(th, &locale_error_type, wanted ? "unsupported locale setting" : "locale query failed");
    return locale_text(th, name);
}

/* [3, 3, 0]: sizes of groups of digits. */
static Value
grouping(Thread *th, const char *text)
{
    Value list = list_new(th, 0);
    for (const char *p = text; list && *p; p++) {
        if (!list_append_steal(th, list, value_from_fixnum(*p)))
            DROP_CLEAR(th, list);
        if (*p == CHAR_MAX)
            return list;
    }
    if (list && *text && !list_append_steal(th, list, value_from_fixnum(0)))
        DROP_CLEAR(th, list);
    return list;
}

static Value
locale_localeconv(Thread *th, Value self)
{
    (void)self;
    Value d = dict_new(th);
    if (d == NULL)
        return NULL;
    const struct lconv *l = localeconv();
#define TEXT(x) dict_set_c_steal(th, d, #x, locale_text(th, l->x))
#define NUMBER(x) dict_set_c_steal(th, d, #x, value_from_fixnum(l->x))
#define GROUPS(x) dict_set_c_steal(th, d, #x, grouping(th, l->x))
    bool ok = TEXT(int_curr_symbol) && TEXT(currency_symbol) && TEXT(mon_decimal_point) && TEXT(mon_thousands_sep) &&
              GROUPS(mon_grouping) && TEXT(positive_sign) && TEXT(negative_sign) && NUMBER(int_frac_digits) &&
              NUMBER(frac_digits) && NUMBER(p_cs_precedes) && NUMBER(p_sep_by_space) && NUMBER(n_cs_precedes) &&
              NUMBER(n_sep_by_space) && NUMBER(p_sign_posn) && NUMBER(n_sign_posn) && TEXT(decimal_point) &&
              TEXT(thousands_sep) && GROUPS(grouping);
#undef TEXT
#undef NUMBER
#undef GROUPS
    if (!ok)
        DROP_CLEAR(th, d);
    return d;
}

/* The characters of a str without zeros, to be freed with mem_free(). */
static wchar_t *
wide_text(Thread *th, Value v)
{
    _Static_assert(sizeof(wchar_t) == 4, "wide characters are code points");
    size_t n = str_length(v);
    wchar_t *p = mem_alloc((n + 1) * sizeof *p);
    if (p == NULL)
        return raise_memory(th);
    for (size_t i = 0; i < n; i++) {
        p[i] = (wchar_t)str_char(as_str(v), i);
        if (p[i] == 0) {
            mem_free(p);
            return raise_value_error(th, "embedded null character");
        }
    }
    p[n] = 0;
    return p;
}

static Value
locale_strcoll(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    for (int i = 0; i < 2; i++)
        if (!is_str(arg(a, (size_t)i)))
            return raise_type_error(th, "strcoll() argument %d must be str, not %B", i + 1, arg(a, (size_t)i));
    wchar_t *x = wide_text(th, arg(a, 0)), *y = x ? wide_text(th, arg(a, 1)) : NULL;
    int r = y ? wcscoll(x, y) : 0;
    bool ok = y != NULL;
    mem_free(x);
    mem_free(y);
    return ok ? value_from_fixnum(r) : NULL;
}

static Value
locale_strxfrm(Thread *th, Value self, Value v)
{
    (void)self;
    if (!is_str(v))
        return raise_type_error(th, "strxfrm() argument must be str, not %B", v);
    wchar_t *x = wide_text(th, v);
    if (x == NULL)
        return NULL;
    size_t room = str_length(v) + 1, need;
    uint32_t *out = NULL;
    for (;;) {
        mem_free(out);
        out = mem_alloc(room * sizeof *out);
        if (out == NULL) {
            mem_free(x);
            return raise_memory(th);
        }
        need = wcsxfrm((wchar_t *)(void *)out, x, room);
        if (need < room)
            break;
        room = need + 1;
    }
    /* Weights may lie outside Unicode: what is too large is cut to its last character. */
    for (size_t i = 0; i < need; i++)
        if (out[i] > 0x10ffff)
            out[i] = 0x10ffff;
    Value r = str_from_ucs4(th, out, need);
    mem_free(out);
    mem_free(x);
    return r;
}

static const struct {
    const char *name;
    int value;
} langinfo_constants[] = {
#define C(x) {#x, x},
    C(DAY_1) C(DAY_2) C(DAY_3) C(DAY_4) C(DAY_5) C(DAY_6) C(DAY_7) C(ABDAY_1) C(ABDAY_2) C(ABDAY_3) C(ABDAY_4)
    C(ABDAY_5) C(ABDAY_6) C(ABDAY_7) C(MON_1) C(MON_2) C(MON_3) C(MON_4) C(MON_5) C(MON_6) C(MON_7) C(MON_8) C(MON_9)
    C(MON_10) C(MON_11) C(MON_12) C(ABMON_1) C(ABMON_2) C(ABMON_3) C(ABMON_4) C(ABMON_5) C(ABMON_6) C(ABMON_7)
    C(ABMON_8) C(ABMON_9) C(ABMON_10) C(ABMON_11) C(ABMON_12) C(RADIXCHAR) C(THOUSEP) C(CRNCYSTR) C(D_FMT) C(D_T_FMT)
    C(T_FMT) C(AM_STR) C(PM_STR) C(CODESET) C(T_FMT_AMPM) C(ERA) C(ERA_D_FMT) C(ERA_D_T_FMT) C(ERA_T_FMT)
    C(ALT_DIGITS) C(YESEXPR) C(NOEXPR) C(_DATE_FMT)
#undef C
};

static Value
locale_nl_langinfo(Thread *th, Value self, Value v)
{
    (void)self;
    int key;
    if (!arg_int(th, v, &key))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(langinfo_constants); i++)
        if (langinfo_constants[i].value == key)
            return locale_text(th, nl_langinfo(key));
    return raise_value_error(th, "unsupported langinfo constant");
}

static Value
locale_getencoding(Thread *th, Value self)
{
    (void)self;
    const char *name = nl_langinfo(CODESET);
    return locale_text(th, *name ? name : "UTF-8");
}

/* -- messages -- */

static bool
message_arg(Thread *th, const char *fname, int which, Value v, bool optional, const char **out)
{
    *out = NULL;
    if (optional && v == NONE)
        return true;
    if (!is_str(v)) {
        raise_type_error(th, optional ? "%s() argument %d must be str or None, not %B" : "%s() argument %d must be str, not %B",
                         fname, which, v);
        return false;
    }
    return (*out = str_c(th, v)) != NULL;
}

static Value
locale_gettext(Thread *th, Value self, Value v)
{
    (void)self;
    const char *message;
    return message_arg(th, "gettext", 1, v, false, &message) ? locale_text(th, gettext(message)) : NULL;
}

static Value
locale_dgettext(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    const char *domain, *message;
    if (!message_arg(th, "dgettext", 1, arg(a, 0), true, &domain) ||
        !message_arg(th, "dgettext", 2, arg(a, 1), false, &message))
        return NULL;
    return locale_text(th, dgettext(domain, message));
}

static Value
locale_dcgettext(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    const char *domain, *message;
    int category;
    if (!message_arg(th, "dcgettext", 1, arg(a, 0), true, &domain) ||
        !message_arg(th, "dcgettext", 2, arg(a, 1), false, &message) || !arg_int(th, arg(a, 2), &category))
        return NULL;
    return category < LC_CTYPE || category >= LC_ALL ? retain(th, arg(a, 1))
                                                     : locale_text(th, dcgettext(domain, message, category));
}

static Value
locale_textdomain(Thread *th, Value self, Value v)
{
    (void)self;
    const char *domain;
    if (!message_arg(th, "textdomain", 1, v, true, &domain))
        return NULL;
    const char *r = textdomain(domain);
    return r ? locale_text(th, r) : raise_os_error(th, errno);
}

static Value
bind_domain(Thread *th, const char *fname, const Arg *a, char *(*bind)(const char *, const char *))
{
    const char *domain, *value;
    if (!message_arg(th, fname, 1, arg(a, 0), false, &domain) || !message_arg(th, fname, 2, arg(a, 1), true, &value))
        return NULL;
    if (*domain == 0 && bind == bindtextdomain)
        return raise_error(th, &locale_error_type, "domain must be a non-empty string");
    errno = 0;
    const char *r = bind(domain, value);
    return r ? locale_text(th, r) : errno ? raise_os_error(th, errno) : NONE;
}

static Value
locale_bindtextdomain(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    return bind_domain(th, "bindtextdomain", a, bindtextdomain);
}

static Value
locale_bind_textdomain_codeset(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    return bind_domain(th, "bind_textdomain_codeset", a, bind_textdomain_codeset);
}

static const MethodDef locale_methods[] = {
    NATIVE_N("setlocale", locale_setlocale, 1, 2, "setlocale($module, category, locale=<unrepresentable>, /)\n--\n\nActivates/queries locale processing."),
    NATIVE_0("localeconv", locale_localeconv, "localeconv($module, /)\n--\n\nReturns numeric and monetary locale-specific parameters."),
    NATIVE_N("strcoll", locale_strcoll, 2, 2, "strcoll($module, os1, os2, /)\n--\n\nCompares two strings according to the locale."),
    NATIVE_1("strxfrm", locale_strxfrm, "strxfrm($module, string, /)\n--\n\nReturn a string that can be used as a key for locale-aware comparisons."),
    NATIVE_1("nl_langinfo", locale_nl_langinfo, "nl_langinfo($module, key, /)\n--\n\nReturn the value for the locale information associated with key."),
    NATIVE_0("getencoding", locale_getencoding, "getencoding($module, /)\n--\n\nGet the current locale encoding."),
    NATIVE_1("gettext", locale_gettext, "gettext($module, msg, /)\n--\n\nReturn translation of msg."),
    NATIVE_N("dgettext", locale_dgettext, 2, 2, "dgettext($module, domain, msg, /)\n--\n\nReturn translation of msg in domain."),
    NATIVE_N("dcgettext", locale_dcgettext, 3, 3, "dcgettext($module, domain, msg, category, /)\n--\n\nReturn translation of msg in domain and category."),
    NATIVE_1("textdomain", locale_textdomain, "textdomain($module, domain, /)\n--\n\nSet the C library's textdmain to domain, returning the new domain."),
    NATIVE_N("bindtextdomain", locale_bindtextdomain, 2, 2, "bindtextdomain($module, domain, dir, /)\n--\n\nBind the C library's domain to dir."),
    NATIVE_N("bind_textdomain_codeset", locale_bind_textdomain_codeset, 2, 2, "bind_textdomain_codeset($module, domain, codeset, /)\n--\n\nBind the C library's domain to codeset."),
    NATIVE_END,
};

static const TypeSpec locale_error_spec = {.name = "locale.Error", .base = &exc_Exception, .flags = TYPE_BASE};

static bool
locale_exec(Thread *th, Value m)
{
    static const StaticType types[] = {{&locale_error_type, &locale_error_spec}};
    static const struct {
        const char *name;
        int value;
    } categories[] = {{"LC_CTYPE", LC_CTYPE}, {"LC_TIME", LC_TIME}, {"LC_COLLATE", LC_COLLATE},
                      {"LC_MONETARY", LC_MONETARY}, {"LC_MESSAGES", LC_MESSAGES}, {"LC_NUMERIC", LC_NUMERIC},
                      {"LC_ALL", LC_ALL}, {"CHAR_MAX", CHAR_MAX}};
    if (!static_types_ready(th, types, ARRAY_LEN(types)) || !module_add_type(th, m, &locale_error_type))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(categories); i++)
        if (!module_add_int(th, m, categories[i].name, categories[i].value))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(langinfo_constants); i++)
        if (!module_add_int(th, m, langinfo_constants[i].name, langinfo_constants[i].value))
            return false;
    return true;
}

const ModuleSpec locale_module = {
    .name = "_locale", .doc = "Support for POSIX locales.", .methods = locale_methods, .exec = locale_exec,
};
