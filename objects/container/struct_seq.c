/* struct_seq.c -- tuples with names, as os.stat() returns.
 *
 * An instance is a tuple whose length counts the visible fields only; the others stand behind
 * them in the same cell.  How many there are is in the type's spec, which lives for ever: one for
 * each StructSeqSpec, found again when another interpreter makes its type.
 */
#include <stdlib.h>
#include <string.h>

#include "objects/container/container_priv.h"

typedef struct SeqTypeSpec {
    TypeSpec type;                /* first: a Type's spec points here */
    const StructSeqSpec *from;    /* [const] */
    struct SeqTypeSpec *next;     /* [const] */
    int fields, visible, unnamed; /* [const] */
    const char **names;           /* [const] of the named fields, in order */
    MemberDef members[];          /* [const] */
} SeqTypeSpec;

static ATOMIC(SeqTypeSpec *) all_specs; /* grows at the front */

static const SeqTypeSpec *
spec_of(const Type *type)
{
    return (const SeqTypeSpec *)(const void *)type->spec;
}

static Value seq_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames);
static Value seq_repr(Thread *th, Value self);
static Value seq_reduce(Thread *th, Value self);
static void seq_visit(Object *o, VisitFn visit, void *arg);
static void seq_dealloc(Thread *th, Object *o);

static const MethodDef seq_methods[] = {
    NATIVE_0("__reduce__", seq_reduce, NULL),
    NATIVE_END,
};

/* -- types -- */

static SeqTypeSpec *
spec_make(Thread *th, const StructSeqSpec *from)
{
    int fields = 0, unnamed = 0;
    for (; from->fields[fields].name != NULL; fields++)
        unnamed += from->fields[fields].name[0] == 0;
    size_t named = (size_t)(fields - unnamed);
    SeqTypeSpec *s = calloc(1, sizeof *s + (named + 1) * sizeof(MemberDef));
    const char **names = calloc(named + 1, sizeof *names);
    if (s == NULL || names == NULL) {
        free(s);
        free(names);
        return raise_memory(th);
    }
    s->from = from;
    s->fields = fields;
    s->visible = from->visible;
    s->unnamed = unnamed;
    s->names = names;
    size_t put = 0;
    for (int i = 0; i < fields; i++) {
        if (from->fields[i].name[0] == 0)
            continue;
        names[put] = from->fields[i].name;
        s->members[put++] = (MemberDef){
            .name = from->fields[i].name,
            .kind = MEMBER_CONST_VALUE,
            .offset = offsetof(Tuple, items) + (size_t)i * sizeof(Value),
            .readonly = true,
            .doc = from->fields[i].doc,
        };
    }
    s->type = (TypeSpec){
        .name = from->name,
        .base = &tuple_type,
        .size = sizeof(Tuple),
        .item_size = sizeof(Value),
        .flags = TYPE_TUPLE_SUBCLASS | TYPE_SEQUENCE | (from->no_new ? TYPE_DISALLOW_NEW : 0),
        .ops_flags = OPS_TRACKED | OPS_IMMUTABLE,
        .doc = from->doc,
        .methods = seq_methods,
        .members = s->members,
        .slots = {.repr = seq_repr, .new = from->no_new ? NULL : from->new ? from->new : seq_make},
        .visit = seq_visit,
        .dealloc = seq_dealloc,
    };
    s->next = load_acquire(&all_specs); /* pairs with the publication below [struct_seq.specs] */
    while (!cas_acq_rel(&all_specs, &s->next, s)) {
    }
    return s;
}

Type *
struct_seq_type(Thread *th, const StructSeqSpec *from)
{
    SeqTypeSpec *s = load_acquire(&all_specs); /* pairs with spec_make() [struct_seq.specs] */
    while (s != NULL && s->from != from)
        s = s->next;
    if (s == NULL && (s = spec_make(th, from)) == NULL)
        return NULL;
    Type *type = type_from_spec(th, &s->type, NULL, NULL);
    if (type == NULL)
        return NULL;
    Value dict = field_read(th, &type->ops.head, &type->dict);
    int matched = s->visible - s->unnamed;
    Value names = tuple_new(th, (size_t)matched);
    bool ok = names != NULL;
    for (int i = 0; ok && i < matched; i++) {
        Value name = str_intern_c(th, s->names[i]);
        ok = name != NULL;
        if (ok)
            tuple_init_item(names, i, name);
    }
    ok = ok && dict_set_c(th, dict, "__match_args__", names) &&
         dict_set_c(th, dict, "n_sequence_fields", value_from_fixnum(s->visible)) &&
         dict_set_c(th, dict, "n_fields", value_from_fixnum(s->fields)) &&
         dict_set_c(th, dict, "n_unnamed_fields", value_from_fixnum(s->unnamed));
    drop_null(th, names);
    drop(th, dict);
    if (ok)
        return type;
    drop(th, value_of_type(type));
    return NULL;
}

bool
type_is_struct_seq(const Type *type, const char *name)
{
    return type->spec != NULL && type->spec->visit == seq_visit && strcmp(type->spec->name, name) == 0;
}

/* -- instances -- */

Value
struct_seq_new(Thread *th, Type *type)
{
    const SeqTypeSpec *s = spec_of(type);
    Value v = type_alloc(th, type, (size_t)s->fields);
    if (v == NULL)
        return NULL;
    for (int i = 0; i < s->fields; i++)
        as_tuple(v)->items[i] = NONE;
    as_tuple(v)->length = s->visible;
    return v;
}

void
struct_seq_init(Value seq, int i, Value v)
{
    as_tuple(seq)->items[i] = v; /* what was there is None */
}

static Value
seq_make(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {
        .name = "structseq", .names = {"sequence", "dict"}, .positional = 2, .required = 1};
    const SeqTypeSpec *s = spec_of(type);
    Value v[2];
    if (!args_bind(th, &params, args, nargs, kwnames, v))
        return NULL;
    Value items = sequence_fast(th, v[0], "constructor requires a sequence");
    if (items == NULL)
        return NULL;
    Value tuple = is_list(items) ? list_to_tuple(th, items) : retain(th, items), seq = NULL;
    drop(th, items);
    if (tuple == NULL)
        return NULL;
    int64_t n = tuple_length(tuple);
    if (v[1] != NULL && !is_dict(v[1]))
        raise_type_error(th, "%N() takes a dict as second arg, if any", type);
    else if (s->visible != s->fields && n < s->visible)
        raise_type_error(th, "%N() takes an at least %d-sequence (%lld-sequence given)", type,
                         s->visible, (long long)n);
    else if (s->visible != s->fields && n > s->fields)
        raise_type_error(th, "%N() takes an at most %d-sequence (%lld-sequence given)", type,
                         s->fields, (long long)n);
    else if (s->visible == s->fields && n != s->fields)
        raise_type_error(th, "%N() takes a %d-sequence (%lld-sequence given)", type, s->fields,
                         (long long)n);
    else
        seq = struct_seq_new(th, type);
    for (int i = 0; seq != NULL && i < s->fields; i++) {
        if (i < n) {
            struct_seq_init(seq, i, retain(th, tuple_item(tuple, i)));
        } else if (v[1] != NULL) {
            Value hidden = dict_get_c(th, v[1], s->names[i - s->unnamed]);
            if (hidden != NULL)
                struct_seq_init(seq, i, hidden);
        }
    }
    drop(th, tuple);
    return seq;
}

static Value
seq_repr(Thread *th, Value self)
{
    const SeqTypeSpec *s = spec_of(type_of(self));
    StrBuilder b;
    str_builder_init(&b);
    bool ok = str_builder_c(th, &b, s->type.name) && str_builder_char(th, &b, '(');
    for (int i = 0; ok && i < s->visible; i++) {
        Value text = to_repr(th, tuple_item(self, i));
        ok = text != NULL && (i == 0 || str_builder_ascii(th, &b, ", ", 2)) &&
             str_builder_c(th, &b, s->names[i]) && str_builder_char(th, &b, '=') &&
             str_builder_str(th, &b, text);
        drop_null(th, text);
    }
    if (ok && str_builder_char(th, &b, ')'))
        return str_builder_finish(th, &b);
    str_builder_free(&b);
    return NULL;
}

static Value
seq_reduce(Thread *th, Value self)
{
    const SeqTypeSpec *s = spec_of(type_of(self));
    Value visible = tuple_of(th, as_tuple(self)->items, (size_t)s->visible);
    Value hidden = dict_new(th), args = NULL, result = NULL;
    bool ok = visible != NULL && hidden != NULL;
    for (int i = s->visible; ok && i < s->fields; i++)
        ok = dict_set_c(th, hidden, s->names[i - s->unnamed], as_tuple(self)->items[i]);
    if (ok)
        args = tuple_pack(th, 2, visible, hidden);
    if (args != NULL)
        result = tuple_pack(th, 2, value_of_type(type_of(self)), args);
    drop_null(th, visible);
    drop_null(th, hidden);
    drop_null(th, args);
    return result;
}

static void
seq_visit(Object *o, VisitFn visit, void *arg)
{
    int n = spec_of(type_of(value_of(o)))->fields;
    for (int i = 0; i < n; i++)
        value_visit(((Tuple *)(void *)o)->items[i], visit, arg);
}

static void
seq_dealloc(Thread *th, Object *o)
{
    int n = spec_of(type_of(value_of(o)))->fields;
    for (int i = 0; i < n; i++)
        drop_null(th, ((Tuple *)(void *)o)->items[i]);
}
