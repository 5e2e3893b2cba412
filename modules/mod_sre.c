/* mod_sre.c -- module _sre: Pattern, Match and Scanner objects over the engine. */
#include "modules/sre.h"

#include <stdio.h>
#include <string.h>

#include "base/unicode_db.h"

#include "gc/object_lock.h"

typedef struct Match {
    struct Object head;
    Value pattern, string;   /* [const] Pattern, subject */
    int64_t pos, end_pos;    /* [const] */
    int32_t last_index;      /* [const] -1: none */
    uint32_t groups;         /* [const] counted with group 0 */
    Field regs;              /* cached tuple */
    int64_t marks[];         /* [const] 2 * groups */
} Match;

typedef struct Scanner {
    struct Object head;
    Value pattern, string;   /* [const] */
    ATOMIC(int64_t) at;      /* where the next search begins; -1: over */
    ATOMIC(int64_t) must;    /* an empty match may not end there */
    int64_t end;             /* [const] */
    Buffer held;             /* [const] keeps what is no str from being resized; of no object for str */
} Scanner;

typedef struct SreModule {
    Type *pattern, *match, *scanner, *iterator;
} SreModule;

static SreModule *
sre(Thread *th)
{
    return load_acquire(&th->interp->slots[NATIVE_SRE]); /* pairs with native_publish() */
}

static Pattern *
as_pattern(Value v)
{
    return (Pattern *)(void *)v;
}

static Match *
as_match(Value v)
{
    return (Match *)(void *)v;
}

/* -- subjects -------------------------------------------------------------------------------------------- */

static bool
subject_open(Thread *th, Subject *s, Value string, const Pattern *p)
{
    memset(s, 0, sizeof *s);
    s->string = string;
    if (is_str(string)) {
        s->data = as_str(string)->data;
        s->width = as_str(string)->width;
        s->length = (int64_t)str_length(string);
    } else {
        if (!has_buffer(string)) {
            raise_type_error(th, "expected string or bytes-like object, got '%T'", string);
            return false;
        }
        if (!buffer_lend(th, string, &s->buffer, BUFFER_SIMPLE))
            return false;
        s->buffered = s->bytes = true;
        s->data = s->buffer.data;
        s->width = 1;
        s->length = s->buffer.length;
    }
    if (p && p->is_bytes == 0 && s->bytes) {
        raise_type_error(th, "cannot use a string pattern on a bytes-like object");
        buffer_release(th, &s->buffer);
        return false;
    }
    if (p && p->is_bytes == 1 && !s->bytes) {
        raise_type_error(th, "cannot use a bytes pattern on a string-like object");
        return false;
    }
    return true;
}

static void
subject_close(Thread *th, Subject *s)
{
    if (s->buffered)
        buffer_release(th, &s->buffer);
    s->buffered = false;
}

/* The part from .. to of the subject, as str or bytes. */
static Value
subject_slice(Thread *th, const Subject *s, int64_t from, int64_t to)
{
    if (!s->bytes) {
        if (from == 0 && to == s->length && is_exact(s->string, SHAPE_STR))
            return retain(th, s->string);
        return str_substring(th, s->string, (size_t)from, (size_t)to);
    }
    if (from == 0 && to == s->length && is_exact(s->string, SHAPE_BYTES))
        return retain(th, s->string);
    return bytes_from(th, (const uint8_t *)s->data + from, (size_t)(to - from));
}

/* -- matches ------------------------------------------------------------------------------------------------- */

static void
match_visit(Object *o, VisitFn visit, void *arg)
{
    Match *m = (Match *)o;
    value_visit(m->pattern, visit, arg);
    value_visit(m->string, visit, arg);
    field_visit(&m->regs, visit, arg);
}

static void
match_dealloc(Thread *th, Object *o)
{
    Match *m = (Match *)o;
    drop_null(th, m->pattern);
    drop_null(th, m->string);
    field_drop(th, &m->regs);
}

/* A Match for the state's result, or None for r == 0. */
static Value
match_new(Thread *th, Value pattern, Value string, SreState *s, int64_t pos, int r)
{
    if (r < 0)
        return NULL;
    if (r == 0)
        return NONE;
    Pattern *p = as_pattern(pattern);
    uint32_t groups = p->groups + 1;
    Value v = type_alloc(th, sre(th)->match, 2 * (size_t)groups);
    if (v == NULL)
        return NULL;
    Match *m = as_match(v);
    m->pattern = retain(th, pattern);
    m->string = retain(th, string);
    m->pos = pos;
    m->end_pos = s->end;
    m->groups = groups;
    m->last_index = s->last_index;
    m->marks[0] = s->start;
    m->marks[1] = s->at;
    for (uint32_t i = 0; i < p->groups; i++) {
        int64_t from = s->marks[2 * i], to = s->marks[2 * i + 1];
        bool set = from >= 0 && to >= from;
        m->marks[2 * i + 2] = set ? from : -1;
        m->marks[2 * i + 3] = set ? to : -1;
    }
    return v;
}

static Value
match_slice(Thread *th, Match *m, int64_t group, Value fallback)
{
    int64_t from = m->marks[2 * group], to = m->marks[2 * group + 1];
    if (from < 0)
        return retain(th, fallback);
    Subject s;
    if (!subject_open(th, &s, m->string, NULL))
        return NULL;
    if (from > s.length)
        from = s.length;
    if (to > s.length)
        to = s.length;
    Value v = subject_slice(th, &s, from, to);
    subject_close(th, &s);
    return v;
}

/* The number of a group given by number or name; -1 with IndexError. */
static int64_t
group_number(Thread *th, Match *m, Value key)
{
    int64_t n = -1;
    if (value_is_fixnum(key))
        n = value_fixnum(key);
    else if (type_of(key)->s.index) {
        Value i = to_index(th, key);
        if (i == NULL)
            return -1;
        if (!int_fits_i64(i, &n))
            n = -1;
        drop(th, i);
    } else {
        Value number = NULL;
        Answer a = dict_get(th, as_pattern(m->pattern)->group_index, key, &number);
        if (a == FAILED) {
            if (!error_matches(th, &exc_TypeError))
                return -1;
            error_clear(th);
        }
        if (number && !int_fits_i64(number, &n))
            n = -1;
        drop_null(th, number);
    }
    if (n < 0 || n >= (int64_t)m->groups) {
        raise_error(th, &exc_IndexError, "no such group");
        return -1;
    }
    return n;
}

static Value
match_get(Thread *th, Value self, Value key, Value fallback)
{
    int64_t n = group_number(th, as_match(self), key);
    return n < 0 ? NULL : match_slice(th, as_match(self), n, fallback);
}

static Value
match_group(Thread *th, Value self, const Arg *a, size_t n)
{
    if (n == 0)
        return match_slice(th, as_match(self), 0, NONE);
    if (n == 1)
        return match_get(th, self, arg(a, 0), NONE);
    Value t = tuple_new(th, n);
    for (size_t i = 0; t && i < n; i++) {
        Value v = match_get(th, self, arg(a, i), NONE);
        if (v == NULL)
            DROP_CLEAR(th, t);
        else
            tuple_init_item(t, (int64_t)i, v);
    }
    return t;
}

static Value
match_getitem(Thread *th, Value self, Value key)
{
    return match_get(th, self, key, NONE);
}

static Value
match_groups(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "groups", .names = {"default"}, .positional = 1};
    Value v[1];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    Match *m = as_match(self);
    Value t = tuple_new(th, m->groups - 1);
    for (uint32_t i = 1; t && i < m->groups; i++) {
        Value g = match_slice(th, m, i, v[0] ? v[0] : NONE);
        if (g == NULL)
            DROP_CLEAR(th, t);
        else
            tuple_init_item(t, i - 1, g);
    }
    return t;
}

static Value
match_groupdict(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "groupdict", .names = {"default"}, .positional = 1};
    Value v[1];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    Match *m = as_match(self);
    Value d = dict_new(th), key, number;
    size_t pos = 0;
    while (d && dict_next(th, as_pattern(m->pattern)->group_index, &pos, &key, &number)) {
        Value g = match_get(th, self, key, v[0] ? v[0] : NONE);
        if (g == NULL || !dict_set(th, d, key, g))
            DROP_CLEAR(th, d);
        drop_null(th, g);
        drop(th, key);
        drop(th, number);
    }
    return d;
}

static int64_t
optional_group(Thread *th, Value self, const Arg *a, size_t n)
{
    return n ? group_number(th, as_match(self), arg(a, 0)) : 0;
}

static Value
match_start(Thread *th, Value self, const Arg *a, size_t n)
{
    int64_t g = optional_group(th, self, a, n);
    return g < 0 ? NULL : value_from_fixnum(as_match(self)->marks[2 * g]);
}

static Value
match_end(Thread *th, Value self, const Arg *a, size_t n)
{
    int64_t g = optional_group(th, self, a, n);
    return g < 0 ? NULL : value_from_fixnum(as_match(self)->marks[2 * g + 1]);
}

static Value
span_of(Thread *th, Match *m, int64_t g)
{
    return tuple_pack(th, 2, value_from_fixnum(m->marks[2 * g]), value_from_fixnum(m->marks[2 * g + 1]));
}

static Value
match_span(Thread *th, Value self, const Arg *a, size_t n)
{
    int64_t g = optional_group(th, self, a, n);
    return g < 0 ? NULL : span_of(th, as_match(self), g);
}

static Value
match_regs(Thread *th, Value self, void *closure)
{
    (void)closure;
    Match *m = as_match(self);
    Value t = field_read(th, value_object(self), &m->regs);
    if (t)
        return t;
    t = tuple_new(th, m->groups);
    for (uint32_t i = 0; t && i < m->groups; i++) {
        Value s = span_of(th, m, i);
        if (s == NULL)
            DROP_CLEAR(th, t);
        else
            tuple_init_item(t, i, s);
    }
    if (t)
        field_replace(th, value_object(self), &m->regs, retain(th, t));
    return t;
}

static Value
match_lastindex(Thread *th, Value self, void *closure)
{
    (void)th, (void)closure;
    int32_t i = as_match(self)->last_index;
    return i >= 0 ? value_from_fixnum(i) : NONE;
}

static Value
match_lastgroup(Thread *th, Value self, void *closure)
{
    (void)closure;
    Match *m = as_match(self);
    Value names_ = as_pattern(m->pattern)->index_group;
    if (m->last_index >= 0 && m->last_index < tuple_length(names_))
        return retain(th, tuple_item(names_, m->last_index));
    return NONE;
}

static Value
match_expand(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "expand", .names = {"template"}, .positional = 1, .required = 1};
    Value v[1];
    if (!args_bind(th, &params, a, n, kwnames, v))
        return NULL;
    Value re = import_module_c(th, "re"), f = re ? get_attr_c(th, re, "_expand") : NULL;
    Value r = f ? call_3(th, f, as_match(self)->pattern, self, v[0]) : NULL;
    drop_null(th, f);
    drop_null(th, re);
    return r;
}

static Value
match_repr(Thread *th, Value self)
{
    Match *m = as_match(self);
    Value g = match_slice(th, m, 0, NONE);
    Value r = g ? str_format_c(th, "<%T object; span=(%lld, %lld), match=%R>", self, (long long)m->marks[0],
                               (long long)m->marks[1], g)
                : NULL;
    drop_null(th, g);
    return r;
}

static Value
return_self(Thread *th, Value self)
{
    return retain(th, self);
}

static Value
return_self_1(Thread *th, Value self, Value memo)
{
    (void)memo;
    return retain(th, self);
}

static Value
class_getitem(Thread *th, Value cls, Value args)
{
    return generic_alias_new(th, cls, args);
}

#define GENERIC {.name = "__class_getitem__", .f1 = class_getitem, .flags = METHOD_1 | METHOD_CLASS, .nmin = 1, .nmax = 1, .doc = "See PEP 585"}

static const MethodDef match_methods[] = {
    NATIVE_N("group", match_group, 0, -1, "group([group1, ...]) -> str or tuple.\nReturn subgroup(s) of the match by indices or names."),
    NATIVE_K("groups", match_groups, "groups($self, /, default=None)\n--\n\nReturn a tuple containing all the subgroups of the match, from 1."),
    NATIVE_K("groupdict", match_groupdict, "groupdict($self, /, default=None)\n--\n\nReturn a dictionary containing all the named subgroups of the match, keyed by the subgroup name."),
    NATIVE_N("start", match_start, 0, 1, "start($self, group=0, /)\n--\n\nReturn index of the start of the substring matched by group."),
    NATIVE_N("end", match_end, 0, 1, "end($self, group=0, /)\n--\n\nReturn index of the end of the substring matched by group."),
    NATIVE_N("span", match_span, 0, 1, "span($self, group=0, /)\n--\n\nFor match object m, return the 2-tuple (m.start(group), m.end(group))."),
    NATIVE_K("expand", match_expand, "expand($self, /, template)\n--\n\nReturn the string obtained by doing backslash substitution on the string template, as done by the sub() method."),
    NATIVE_0("__copy__", return_self, NULL), NATIVE_1("__deepcopy__", return_self_1, NULL),
    GENERIC, NATIVE_END,
};

static const GetterDef match_getters[] = {
    {"regs", match_regs, NULL, NULL, NULL},
    {"lastindex", match_lastindex, NULL, "The integer index of the last matched capturing group.", NULL},
    {"lastgroup", match_lastgroup, NULL, "The name of the last matched capturing group.", NULL},
    {.name = NULL},
};

static const MemberDef match_members[] = {
    {"string", MEMBER_CONST_VALUE, offsetof(Match, string), true, "The string passed to match() or search()."},
    {"re", MEMBER_CONST_VALUE, offsetof(Match, pattern), true, "The regular expression object."},
    {"pos", MEMBER_LONG, offsetof(Match, pos), true, "The index into the string at which the RE engine started looking for a match."},
    {"endpos", MEMBER_LONG, offsetof(Match, end_pos), true, "The index into the string beyond which the RE engine will not go."},
    {.name = NULL},
};

static const TypeSpec match_spec = {
    .name = "re.Match", .size = sizeof(Match), .item_size = sizeof(int64_t), .flags = TYPE_DISALLOW_NEW,
    .ops_flags = OPS_TRACKED, .methods = match_methods, .getters = match_getters, .members = match_members,
    .doc = "The result of re.match() and re.search().\nMatch objects always have a boolean value of True.",
    .slots = {.repr = match_repr, .getitem = match_getitem}, .visit = match_visit, .dealloc = match_dealloc,
};

/* -- patterns -------------------------------------------------------------------------------------------------- */

static void
pattern_visit(Object *o, VisitFn visit, void *arg)
{
    Pattern *p = (Pattern *)o;
    value_visit(p->pattern, visit, arg);
    value_visit(p->group_index, visit, arg);
    value_visit(p->index_group, visit, arg);
}

static void
pattern_dealloc(Thread *th, Object *o)
{
    Pattern *p = (Pattern *)o;
    drop_null(th, p->pattern);
    drop_null(th, p->group_index);
    drop_null(th, p->index_group);
    buffer_free(p->code);
}

/* string, pos, endpos of match(), search() ... */
static bool
string_args(Thread *th, const char *name, const Arg *a, size_t n, Value kwnames, Value *string, int64_t *pos,
            int64_t *end)
{
    ParamSpec params = {.name = name, .names = {"string", "pos", "endpos"}, .positional = 3, .required = 1};
    Value v[3];
    *pos = 0;
    *end = INT64_MAX;
    if (n == 1 && kwnames == NULL) {
        *string = arg(a, 0);
        return true;
    }
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_ssize(th, v[1], pos) ||
        !arg_ssize(th, v[2], end))
        return false;
    *string = v[0];
    return true;
}

static Value
run_once(Thread *th, Value self, const char *name, const Arg *a, size_t n, Value kwnames, bool search, bool full)
{
    Value string;
    int64_t pos, end;
    if (!string_args(th, name, a, n, kwnames, &string, &pos, &end))
        return NULL;
    Subject subject;
    SreState s;
    Pattern *p = as_pattern(self);
    if (!subject_open(th, &subject, string, p))
        return NULL;
    Value r = NULL;
    if (sre_begin(&s, th, p, &subject, pos, end)) {
        s.match_all = full;
        pos = s.start;
        int found = s.start > s.end ? 0 : search ? sre_search(&s, p, s.start) : sre_match(&s, p, s.start);
        r = match_new(th, self, string, &s, pos, found);
        sre_end(&s);
    }
    subject_close(th, &subject);
    return r;
}

static Value
pattern_match(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    return run_once(th, self, "match", a, n, kwnames, false, false);
}

static Value
pattern_fullmatch(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    return run_once(th, self, "fullmatch", a, n, kwnames, false, true);
}

static Value
pattern_search(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    return run_once(th, self, "search", a, n, kwnames, true, false);
}

/* After a match: where the next one may begin, and that it may not be empty there again. */
static void
advance(SreState *s)
{
    s->must_advance = s->at == s->start ? s->at : -1;
    s->start = s->at;
}

static Value
group_or_empty(Thread *th, const Subject *subject, SreState *s, uint32_t group)
{
    int64_t from = s->marks[2 * group], to = s->marks[2 * group + 1];
    if (from < 0 || to < from)
        return subject->bytes ? retain(th, bytes_empty) : retain(th, str_empty);
    return subject_slice(th, subject, from, to);
}

static Value
pattern_findall(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    Value string;
    int64_t pos, end;
    if (!string_args(th, "findall", a, n, kwnames, &string, &pos, &end))
        return NULL;
    Subject subject;
    SreState s;
    Pattern *p = as_pattern(self);
    if (!subject_open(th, &subject, string, p))
        return NULL;
    Value list = list_new(th, 0);
    if (list && !sre_begin(&s, th, p, &subject, pos, end))
        DROP_CLEAR(th, list);
    if (list == NULL) {
        subject_close(th, &subject);
        return NULL;
    }
    while (list && s.start <= s.end) {
        int r = sre_search(&s, p, s.start);
        if (r < 0)
            DROP_CLEAR(th, list);
        if (r <= 0)
            break;
        Value item;
        if (p->groups == 0)
            item = subject_slice(th, &subject, s.start, s.at);
        else if (p->groups == 1)
            item = group_or_empty(th, &subject, &s, 0);
        else {
            item = tuple_new(th, p->groups);
            for (uint32_t i = 0; item && i < p->groups; i++) {
                Value g = group_or_empty(th, &subject, &s, i);
                if (g == NULL)
                    DROP_CLEAR(th, item);
                else
                    tuple_init_item(item, i, g);
            }
        }
        if (item == NULL || !list_append_steal(th, list, item))
            DROP_CLEAR(th, list);
        advance(&s);
    }
    sre_end(&s);
    subject_close(th, &subject);
    return list;
}

static Value
pattern_split(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "split", .names = {"string", "maxsplit"}, .positional = 2,
                                     .required = 1};
    Value v[2];
    int64_t max = 0, count = 0, last = 0;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_ssize(th, v[1], &max))
        return NULL;
    Subject subject;
    SreState s;
    Pattern *p = as_pattern(self);
    if (!subject_open(th, &subject, v[0], p))
        return NULL;
    Value list = list_new(th, 0);
    if (list && !sre_begin(&s, th, p, &subject, 0, INT64_MAX))
        DROP_CLEAR(th, list);
    if (list == NULL) {
        subject_close(th, &subject);
        return NULL;
    }
    while (list && (max == 0 || count < max)) {
        int r = sre_search(&s, p, s.start);
        if (r < 0)
            DROP_CLEAR(th, list);
        if (r <= 0)
            break;
        Value part = subject_slice(th, &subject, last, s.start);
        if (part == NULL || !list_append_steal(th, list, part))
            DROP_CLEAR(th, list);
        for (uint32_t i = 0; list && i < p->groups; i++) {
            int64_t from = s.marks[2 * i], to = s.marks[2 * i + 1];
            Value g = from < 0 || to < from ? NONE : subject_slice(th, &subject, from, to);
            if (g == NULL || !list_append_steal(th, list, g))
                DROP_CLEAR(th, list);
        }
        last = s.at;
        count++;
        advance(&s);
    }
    if (list) {
        Value part = subject_slice(th, &subject, last, subject.length);
        if (part == NULL || !list_append_steal(th, list, part))
            DROP_CLEAR(th, list);
    }
    sre_end(&s);
    subject_close(th, &subject);
    return list;
}

/* The replacement: *literal is set when it is text as it stands, else a callable is returned. */
static Value
replacement(Thread *th, Value self, Value repl, bool *literal)
{
    *literal = false;
    if (is_callable(repl) == YES)
        return retain(th, repl);
    bool plain = false;
    if (is_exact(repl, SHAPE_STR))
        plain = !str_contains_char(repl, '\\');
    else if (!is_str(repl) && has_buffer(repl)) {
        Buffer b;
        if (!buffer_get(th, repl, &b, BUFFER_SIMPLE))
            return NULL;
        plain = memchr(b.data, '\\', (size_t)b.length) == NULL;
        buffer_release(th, &b);
    }
    if (plain) {
        *literal = true;
        return retain(th, repl);
    }
    Value re = import_module_c(th, "re"), f = re ? get_attr_c(th, re, "_subx") : NULL;
    Value r = f ? call_2(th, f, self, repl) : NULL;
    drop_null(th, f);
    drop_null(th, re);
    if (r && is_callable(r) != YES)
        *literal = true;
    return r;
}

static Value
substitute(Thread *th, Value self, const char *name, const Arg *a, size_t n, Value kwnames, bool with_count)
{
    ParamSpec params = {.name = name, .names = {"repl", "string", "count"}, .positional = 3, .required = 2};
    Value v[3];
    int64_t max = 0, count = 0, last = 0;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_ssize(th, v[2], &max))
        return NULL;
    bool literal;
    Value filter = replacement(th, self, v[0], &literal);
    if (filter == NULL)
        return NULL;
    Subject subject;
    SreState s;
    Pattern *p = as_pattern(self);
    if (!subject_open(th, &subject, v[1], p)) {
        drop(th, filter);
        return NULL;
    }
    Value list = list_new(th, 0);
    if (list && !sre_begin(&s, th, p, &subject, 0, INT64_MAX))
        DROP_CLEAR(th, list);
    if (list == NULL) {
        subject_close(th, &subject);
        drop(th, filter);
        return NULL;
    }
    while (list && (max == 0 || count < max)) {
        int r = sre_search(&s, p, s.start);
        if (r < 0)
            DROP_CLEAR(th, list);
        if (r <= 0)
            break;
        if (last < s.start) {
            Value part = subject_slice(th, &subject, last, s.start);
            if (part == NULL || !list_append_steal(th, list, part)) {
                DROP_CLEAR(th, list);
                break;
            }
        }
        Value item;
        if (literal)
            item = retain(th, filter);
        else {
            Value m = match_new(th, self, v[1], &s, 0, 1);
            item = m ? call_1(th, filter, m) : NULL;
            drop_null(th, m);
        }
        if (item == NONE)
            ;
        else if (item == NULL || !list_append_steal(th, list, item)) {
            DROP_CLEAR(th, list);
            break;
        }
        last = s.at;
        count++;
        advance(&s);
    }
    Value joined = NULL;
    if (list && count == 0 && (is_exact(v[1], SHAPE_STR) || is_exact(v[1], SHAPE_BYTES)))
        joined = retain(th, v[1]);
    else if (list) {
        bool ok = true;
        if (last < subject.length || count == 0) {
            Value part = subject_slice(th, &subject, last, subject.length);
            ok = part && list_append_steal(th, list, part);
        }
        if (ok)
            joined = subject.bytes ? call_method_1(th, bytes_empty, NAME(join), list)
                                   : str_join(th, str_empty, list);
    }
    drop_null(th, list);
    sre_end(&s);
    subject_close(th, &subject);
    drop(th, filter);
    if (joined == NULL || !with_count)
        return joined;
    Value t = tuple_pack(th, 2, joined, value_from_fixnum(count));
    drop(th, joined);
    return t;
}

static Value
pattern_sub(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    return substitute(th, self, "sub", a, n, kwnames, false);
}

static Value
pattern_subn(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    return substitute(th, self, "subn", a, n, kwnames, true);
}

/* -- scanners -------------------------------------------------------------------------------------------------------- */

static Value
scanner_new(Thread *th, Value self, const char *name, const Arg *a, size_t n, Value kwnames, bool iterator)
{
    Value string;
    int64_t pos, end;
    if (!string_args(th, name, a, n, kwnames, &string, &pos, &end))
        return NULL;
    Subject subject;
    if (!subject_open(th, &subject, string, as_pattern(self)))
        return NULL;
    int64_t length = subject.length;
    Value v = type_alloc(th, iterator ? sre(th)->iterator : sre(th)->scanner, 0);
    if (v == NULL) {
        subject_close(th, &subject);
        return NULL;
    }
    Scanner *s = (Scanner *)(void *)v;
    s->pattern = retain(th, self);
    s->string = retain(th, string);
    plain_store(&s->at, pos < 0 ? 0 : pos > length ? length : pos);
    plain_store(&s->must, -1);
    s->end = end < 0 ? 0 : end > length ? length : end;
    if (subject.buffered)
        s->held = subject.buffer;
    return v;
}

static Value
scanner_step(Thread *th, Value self, bool search)
{
    Scanner *sc = (Scanner *)(void *)self;
    int64_t at = load_acquire(&sc->at), must = load_relaxed(&sc->must);
    if (at < 0 || at > sc->end)
        return NONE;
    Subject subject;
    SreState s;
    Pattern *p = as_pattern(sc->pattern);
    if (!subject_open(th, &subject, sc->string, p))
        return NULL;
    Value r = NULL;
    if (sre_begin(&s, th, p, &subject, at, sc->end)) {
        s.must_advance = must;
        int found = s.start > s.end ? 0 : search ? sre_search(&s, p, s.start) : sre_match(&s, p, s.start);
        r = match_new(th, sc->pattern, sc->string, &s, at, found);
        if (found > 0) {
            store_relaxed(&sc->must, s.at == s.start ? s.at : -1);
            store_release(&sc->at, s.at); /* pairs with the load above [scanner] */
        } else if (found == 0)
            store_release(&sc->at, -1);
        sre_end(&s);
    }
    subject_close(th, &subject);
    return r;
}

static Value
scanner_match(Thread *th, Value self)
{
    return scanner_step(th, self, false);
}

static Value
scanner_search(Thread *th, Value self)
{
    return scanner_step(th, self, true);
}

static Value
scanner_next(Thread *th, Value self)
{
    Value m = scanner_step(th, self, true);
    return m == NONE ? NULL : m;
}

static void
scanner_visit(Object *o, VisitFn visit, void *arg)
{
    value_visit(((Scanner *)o)->pattern, visit, arg);
    value_visit(((Scanner *)o)->string, visit, arg);
}

static void
scanner_dealloc(Thread *th, Object *o)
{
    Scanner *s = (Scanner *)o;
    if (s->held.data)
        buffer_release(th, &s->held);
    drop_null(th, s->pattern);
    drop_null(th, s->string);
}

static const MethodDef scanner_methods[] = {
    NATIVE_0("match", scanner_match, "match($self, /)\n--\n\n"),
    NATIVE_0("search", scanner_search, "search($self, /)\n--\n\n"),
    NATIVE_END,
};

static const MemberDef scanner_members[] = {
    {"pattern", MEMBER_CONST_VALUE, offsetof(Scanner, pattern), true, NULL},
    {.name = NULL},
};

static const TypeSpec scanner_spec = {
    .name = "_sre.SRE_Scanner", .size = sizeof(Scanner), .flags = TYPE_DISALLOW_NEW, .ops_flags = OPS_TRACKED,
    .methods = scanner_methods, .members = scanner_members, .visit = scanner_visit, .dealloc = scanner_dealloc,
};

static const TypeSpec iterator_spec = {
    .name = "callable_iterator", .size = sizeof(Scanner), .flags = TYPE_DISALLOW_NEW, .ops_flags = OPS_TRACKED,
    .slots = {.iter = return_self, .next = scanner_next}, .visit = scanner_visit, .dealloc = scanner_dealloc,
};

static Value
pattern_scanner(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    return scanner_new(th, self, "scanner", a, n, kwnames, false);
}

static Value
pattern_finditer(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    return scanner_new(th, self, "finditer", a, n, kwnames, true);
}

static Value
pattern_repr(Thread *th, Value self)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } flags[] = {{"re.TEMPLATE", 1}, {"re.IGNORECASE", 2}, {"re.LOCALE", 4}, {"re.MULTILINE", 8},
                 {"re.DOTALL", 16}, {"re.VERBOSE", 64}, {"re.DEBUG", 128}, {"re.ASCII", 256}};
    Pattern *p = as_pattern(self);
    uint32_t left = p->flags;
    if (p->pattern && is_str(p->pattern) && (left & (4 | 32 | 256)) == 32)
        left &= ~32u;
    Value text = to_repr(th, p->pattern);
    if (text == NULL)
        return NULL;
    StrBuilder b;
    str_builder_init(&b);
    size_t shown = str_length(text) < 200 ? str_length(text) : 200;
    bool ok = str_builder_c(th, &b, "re.compile(") && str_builder_sub(th, &b, text, 0, shown);
    drop(th, text);
    bool any = false;
    for (size_t i = 0; ok && i < ARRAY_LEN(flags); i++)
        if (left & flags[i].flag) {
            ok = str_builder_c(th, &b, any ? "|" : ", ") && str_builder_c(th, &b, flags[i].name);
            left &= ~flags[i].flag;
            any = true;
        }
    if (ok && left) {
        char hex[32];
        snprintf(hex, sizeof hex, "%s0x%x", any ? "|" : ", ", left);
        ok = str_builder_c(th, &b, hex);
    }
    ok = ok && str_builder_c(th, &b, ")");
    if (!ok) {
        str_builder_free(&b);
        return NULL;
    }
    return str_builder_finish(th, &b);
}

static bool
pattern_hash(Thread *th, Value self, int64_t *hash)
{
    Pattern *p = as_pattern(self);
    int64_t h;
    if (!to_hash(th, p->pattern, &h))
        return false;
    uint64_t x = (uint64_t)h ^ p->flags ^ (uint64_t)(int64_t)p->is_bytes ^ p->groups;
    for (uint32_t i = 0; i < p->code_count; i++)
        x = x * 1000003 ^ p->code[i];
    *hash = (int64_t)x == -1 ? -2 : (int64_t)x;
    return true;
}

static Value
pattern_compare(Thread *th, Value a, Value b, int op)
{
    if ((op != OP_EQ && op != OP_NE) || type_of(a) != type_of(b))
        return NOT_IMPLEMENTED;
    Pattern *x = as_pattern(a), *y = as_pattern(b);
    bool same = x == y;
    if (!same && x->flags == y->flags && x->is_bytes == y->is_bytes && x->code_count == y->code_count &&
        memcmp(x->code, y->code, x->code_count * sizeof *x->code) == 0) {
        Answer eq = values_equal(th, x->pattern, y->pattern);
        if (eq == FAILED)
            return NULL;
        same = eq == YES;
    }
    return bool_from(same == (op == OP_EQ));
}

static Value
pattern_groupindex(Thread *th, Value self, void *closure)
{
    (void)closure;
    return mappingproxy_new(th, as_pattern(self)->group_index);
}

static const MethodDef pattern_methods[] = {
    NATIVE_K("match", pattern_match, "match($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nMatches zero or more characters at the beginning of the string."),
    NATIVE_K("fullmatch", pattern_fullmatch, "fullmatch($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nMatches against all of the string."),
    NATIVE_K("search", pattern_search, "search($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nScan through string looking for a match, and return a corresponding match object instance.\n\nReturn None if no position in the string matches."),
    NATIVE_K("sub", pattern_sub, "sub($self, /, repl, string, count=0)\n--\n\nReturn the string obtained by replacing the leftmost non-overlapping occurrences of pattern in string by the replacement repl."),
    NATIVE_K("subn", pattern_subn, "subn($self, /, repl, string, count=0)\n--\n\nReturn the tuple (new_string, number_of_subs_made) found by replacing the leftmost non-overlapping occurrences of pattern with the replacement repl."),
    NATIVE_K("findall", pattern_findall, "findall($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nReturn a list of all non-overlapping matches of pattern in string."),
    NATIVE_K("split", pattern_split, "split($self, /, string, maxsplit=0)\n--\n\nSplit string by the occurrences of pattern."),
    NATIVE_K("finditer", pattern_finditer, "finditer($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\nReturn an iterator over all non-overlapping matches for the RE pattern in string."),
    NATIVE_K("scanner", pattern_scanner, "scanner($self, /, string, pos=0, endpos=sys.maxsize)\n--\n\n"),
    NATIVE_0("__copy__", return_self, NULL), NATIVE_1("__deepcopy__", return_self_1, NULL),
    GENERIC, NATIVE_END,
};

static const GetterDef pattern_getters[] = {
    {"groupindex", pattern_groupindex, NULL, "A dictionary mapping group names to group numbers.", NULL},
    {.name = NULL},
};

static const MemberDef pattern_members[] = {
    {"pattern", MEMBER_CONST_VALUE, offsetof(Pattern, pattern), true, "The pattern string from which the RE object was compiled."},
    {"flags", MEMBER_UINT, offsetof(Pattern, flags), true, "The regex matching flags."},
    {"groups", MEMBER_UINT, offsetof(Pattern, groups), true, "The number of capturing groups in the pattern."},
    {.name = NULL},
};

static const TypeSpec pattern_spec = {
    .name = "re.Pattern", .size = sizeof(Pattern), .flags = TYPE_DISALLOW_NEW | TYPE_WEAKREFS, .ops_flags = OPS_TRACKED,
    .methods = pattern_methods, .getters = pattern_getters, .members = pattern_members,
    .doc = "Compiled regular expression object.",
    .slots = {.repr = pattern_repr, .hash = pattern_hash, .compare = pattern_compare},
    .visit = pattern_visit, .dealloc = pattern_dealloc,
};

/* -- the module ------------------------------------------------------------------------------------------------------ */

static Value
sre_compile(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    (void)self;
    static const ParamSpec params = {.name = "compile",
                                     .names = {"pattern", "flags", "code", "groups", "groupindex", "indexgroup"},
                                     .positional = 6, .required = 6};
    Value v[6];
    int flags;
    int64_t groups;
    if (!args_bind(th, &params, a, n, kwnames, v) || !arg_int(th, v[1], &flags) || !arg_ssize(th, v[3], &groups))
        return NULL;
    if (!is_list(v[2]) || !is_dict(v[4]) || !is_tuple(v[5]))
        return raise_type_error(th, "compile() takes a list, a dict and a tuple");
    if (groups < 0 || groups > SRE_MAXGROUPS)
        return raise_error(th, &exc_RuntimeError, "invalid SRE code");
    Value r = type_alloc(th, sre(th)->pattern, 0);
    if (r == NULL)
        return NULL;
    Pattern *p = as_pattern(r);
    int64_t count = list_length(v[2]);
    p->code = buffer_new(th, ((size_t)count + 1) * sizeof *p->code);
    p->code_count = (uint32_t)count;
    p->flags = (uint32_t)flags;
    p->groups = (uint32_t)groups;
    p->pattern = retain(th, v[0]);
    p->group_index = retain(th, v[4]);
    p->index_group = retain(th, v[5]);
    p->is_bytes = v[0] == NONE ? -1 : !is_str(v[0]);
    bool ok = p->code != NULL;
    for (int64_t i = 0; ok && i < count; i++) {
        Value word = list_get(th, v[2], i);
        uint64_t x = 0;
        ok = word && is_int(word) && int_to_u64(th, word, &x) && x <= UINT32_MAX;
        p->code[i] = (uint32_t)x;
        drop_null(th, word);
        if (!ok && !error_set(th))
            raise_overflow(th, "regular expression code size limit exceeded");
    }
    if (ok && !sre_code_valid(p->code, (size_t)count, p->groups)) {
        raise_error(th, &exc_RuntimeError, "invalid SRE code");
        ok = false;
    }
    if (!ok)
        DROP_CLEAR(th, r);
    return r;
}

static bool
char_arg(Thread *th, Value v, uint32_t *c)
{
    int x;
    if (!arg_int(th, v, &x))
        return false;
    *c = (uint32_t)x;
    return true;
}

static Value
sre_ascii_iscased(Thread *th, Value self, Value v)
{
    (void)self;
    uint32_t c;
    return char_arg(th, v, &c) ? bool_from((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) : NULL;
}

static Value
sre_unicode_iscased(Thread *th, Value self, Value v)
{
    (void)self;
    uint32_t c;
    if (!char_arg(th, v, &c))
        return NULL;
    uint32_t upper[3] = {c};
    if (c <= UNICODE_MAX)
        unicode_to_upper(c, upper); /* the full mapping: ligatures have no other */
    return bool_from(sre_lower_unicode(c) != c || upper[0] != c);
}

static Value
sre_ascii_tolower(Thread *th, Value self, Value v)
{
    (void)self;
    uint32_t c;
    return char_arg(th, v, &c) ? value_from_fixnum(sre_lower_ascii(c)) : NULL;
}

static Value
sre_unicode_tolower(Thread *th, Value self, Value v)
{
    (void)self;
    uint32_t c;
    return char_arg(th, v, &c) ? value_from_fixnum(sre_lower_unicode(c)) : NULL;
}

static Value
sre_getcodesize(Thread *th, Value self)
{
    (void)th, (void)self;
    return value_from_fixnum(4);
}

static const MethodDef sre_methods[] = {
    NATIVE_K("compile", sre_compile, "compile($module, /, pattern, flags, code, groups, groupindex,\n        indexgroup)\n--\n\n"),
    NATIVE_0("getcodesize", sre_getcodesize, "getcodesize($module, /)\n--\n\n"),
    NATIVE_1("ascii_iscased", sre_ascii_iscased, "ascii_iscased($module, character, /)\n--\n\n"),
    NATIVE_1("unicode_iscased", sre_unicode_iscased, "unicode_iscased($module, character, /)\n--\n\n"),
    NATIVE_1("ascii_tolower", sre_ascii_tolower, "ascii_tolower($module, character, /)\n--\n\n"),
    NATIVE_1("unicode_tolower", sre_unicode_tolower, "unicode_tolower($module, character, /)\n--\n\n"),
    NATIVE_END,
};

static bool
sre_exec(Thread *th, Value m)
{
    SreModule *s = module_state(m);
    s->pattern = type_from_spec(th, &pattern_spec, m, NULL);
    s->match = s->pattern ? type_from_spec(th, &match_spec, m, NULL) : NULL;
    s->scanner = s->match ? type_from_spec(th, &scanner_spec, m, NULL) : NULL;
    s->iterator = s->scanner ? type_from_spec(th, &iterator_spec, m, NULL) : NULL;
    if (s->iterator == NULL)
        return false;
    return native_publish(th, NATIVE_SRE, s, m) && module_add_int(th, m, "MAGIC", 20220615) && module_add_int(th, m, "CODESIZE", 4) &&
           module_add_int(th, m, "MAXREPEAT", 4294967295) && module_add_int(th, m, "MAXGROUPS", SRE_MAXGROUPS) &&
           module_add_str(th, m, "copyright", " SRE 2.2.2 ");
}

static void
sre_visit(Value m, VisitFn visit, void *arg)
{
    SreModule *s = module_state(m);
    Type *types[] = {s->pattern, s->match, s->scanner, s->iterator};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i])
            visit(value_of_type(types[i]), arg);
}

const ModuleSpec sre_module = {
    .name = "_sre",
    .methods = sre_methods,
    .exec = sre_exec,
    .state_size = sizeof(SreModule),
    .visit = sre_visit,
};
