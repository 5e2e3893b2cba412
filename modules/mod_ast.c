/* mod_ast.c -- module _ast: the node classes, and trees to and from objects.
 *
 * Everything follows the table of core/syntax/ast.def: one class a kind of node and a family, with
 * _fields, _attributes and __match_args__.  Families without fields (operators, contexts) have one
 * instance each, which all trees share.
 */
#include "base/assert.h"
#include "core/run/run.h"
#include "modules/ast_validate.h"
#include "modules/modules.h"

#include <stdio.h>
#include <string.h>

typedef struct AstState {
    Type *base;                          /* AST */
    Value kinds[AST_KIND_COUNT];         /* class of each kind */
    Value families[AST_TYPE_COUNT];      /* class of each family */
    Value enums[AST_TYPE_COUNT][16];     /* classes of a family without fields */
    Value singles[AST_TYPE_COUNT][16];   /* and their instances */
    Value kind_fields[AST_KIND_COUNT][8];/* interned field names */
    Value attributes[4];
} AstState;

static const char *const attribute_names[4] = {"lineno", "col_offset", "end_lineno", "end_col_offset"};

static AstState *
ast_state(Thread *th)
{
    return load_acquire(&th->interp->slots[NATIVE_AST]); /* pairs with native_publish() */
}

/* The state, importing the module if need be. */
static AstState *
need_state(Thread *th)
{
    AstState *s = ast_state(th);
    if (s == NULL) {
        Value m = import_module_c(th, "_ast");
        drop_null(th, m);
        s = m ? ast_state(th) : NULL;
    }
    return s;
}

/* -- class AST --------------------------------------------------------------------------------------------- */

static bool
node_init(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    Value fields = NULL, type = value_of_type(type_of(self));
    Value name = str_intern_immortal(th, "_fields");
    if (name == NULL || get_attr_optional(th, type, name, &fields) == FAILED)
        return false;
    Value list = fields ? sequence_tuple(th, fields) : retain(th, tuple_empty);
    drop_null(th, fields);
    if (list == NULL)
        return false;
    bool ok = true;
    int64_t count = tuple_length(list);
    if ((int64_t)n > count) {
        raise_type_error(th, "%T constructor takes at most %lld positional argument%s", self, (long long)count,
                         count == 1 ? "" : "s");
        ok = false;
    }
    for (size_t i = 0; ok && i < n; i++)
        ok = set_attr(th, self, tuple_item(list, (int64_t)i), arg(a, i));
    for (int64_t i = 0; ok && kwnames && i < tuple_length(kwnames); i++) {
        Value key = tuple_item(kwnames, i);
        for (int64_t k = 0; ok && k < count && k < (int64_t)n; k++)
            if (is_str(tuple_item(list, k)) && str_equal(tuple_item(list, k), key)) {
                raise_type_error(th, "%T got multiple values for argument %R", self, key);
                ok = false;
            }
        ok = ok && set_attr(th, self, key, arg(a, n + (size_t)i));
    }
    drop(th, list);
    return ok;
}

static Value
node_new(Thread *th, Type *type, const Arg *a, size_t n, Value kwnames)
{
    (void)a, (void)n, (void)kwnames;
    return type_alloc(th, type, 0);
}

static Value
ast_reduce(Thread *th, Value self)
{
    Value dict = NULL;
    Answer have = get_attr_optional(th, self, NAME(__dict__), &dict);
    if (have == FAILED)
        return NULL;
    Value r = have == YES ? tuple_pack(th, 3, value_of_type(type_of(self)), tuple_empty, dict)
                          : tuple_pack(th, 2, value_of_type(type_of(self)), tuple_empty);
    drop_null(th, dict);
    return r;
}

static const MethodDef ast_methods_[] = {
    NATIVE_0("__reduce__", ast_reduce, NULL),
    NATIVE_END,
};

static const TypeSpec ast_spec = {
    .name = "ast.AST", .size = sizeof(struct Object), .flags = TYPE_BASE, .ops_flags = OPS_TRACKED,
    .methods = ast_methods_, .has_dict = true, .slots = {.init = node_init, .new = node_new},
};

/* -- making the classes --------------------------------------------------------------------------------------- */

static Value
make_class(Thread *th, Value m, const char *name, Value base, Value fields, const char *doc)
{
    Value dict = dict_new(th), bases = tuple_of(th, &base, 1), cls = NULL;
    if (dict && bases && dict_set_c_steal(th, dict, "__module__", str_from_c(th, "ast")) &&
        dict_set_c_steal(th, dict, "__doc__", str_from_c(th, doc ? doc : name)) &&
        (fields == NULL || (dict_set_c(th, dict, "_fields", fields) &&
                            dict_set_c(th, dict, "__match_args__", fields)))) {
        Value text = str_intern_c(th, name);
        if (text) {
            Value args[3] = {text, bases, dict};
            cls = call(th, value_of_type(&type_type), args_of(args), 3, NULL);
            drop(th, text);
        }
    }
    drop_null(th, dict);
    drop_null(th, bases);
    if (cls && !module_add(th, m, name, retain(th, cls)))
        DROP_CLEAR(th, cls);
    return cls;
}

static bool
set_attributes(Thread *th, Value cls, int attributes)
{
    int n = attributes == AST_ATTRIBUTES_NONE ? 0 : 4;
    Value t = tuple_new(th, (size_t)n);
    for (int i = 0; t && i < n; i++)
        tuple_init_item(t, i, str_intern_immortal(th, attribute_names[i]));
    bool ok = t && set_attr_c(th, cls, "_attributes", t);
    drop_null(th, t);
    if (ok && attributes == AST_ATTRIBUTES_START)
        ok = set_attr_c(th, cls, "end_lineno", NONE) && set_attr_c(th, cls, "end_col_offset", NONE);
    return ok;
}

#define DOC_SIZE 4096

/* Appends "Name(type field, ...)" to doc[used ...]; returns the new length. */
static size_t
describe_kind(const AstKindInfo *info, char doc[DOC_SIZE], size_t used)
{
    static const char *const marks[] = {"", "?", "*"};
    used += (size_t)snprintf(doc + used, DOC_SIZE - used, "%s", info->name);
    for (int i = 0; i < info->field_count; i++)
        used += (size_t)snprintf(doc + used, DOC_SIZE - used, "%s%s%s %s", i ? ", " : "(",
                                 ast_type_name((AstType)info->fields[i].type),
                                 marks[info->fields[i].cardinality], info->fields[i].name);
    if (info->field_count)
        used += (size_t)snprintf(doc + used, DOC_SIZE - used, ")");
    CHECK(used < DOC_SIZE);
    return used;
}

/* "name = A(...)\n     | B(...)", or "name = A | B" for a family without fields. */
static void
describe_family(AstType type, char doc[DOC_SIZE])
{
    const char *name = ast_type_name(type);
    size_t used = (size_t)snprintf(doc, DOC_SIZE, "%s = ", name);
    for (int i = 1; i <= ast_enum_count(type); i++)
        used += (size_t)snprintf(doc + used, DOC_SIZE - used, "%s%s", i > 1 ? " | " : "", ast_enum_name(type, i));
    bool first = true;
    for (int kind = 1; kind < AST_KIND_COUNT; kind++) {
        if (ast_kinds[kind].type != type)
            continue;
        if (!first)
            used += (size_t)snprintf(doc + used, DOC_SIZE - used, "\n%*s| ", (int)strlen(name) + 1, "");
        first = false;
        used = describe_kind(&ast_kinds[kind], doc, used);
    }
    CHECK(used < DOC_SIZE);
}

/* Classes come in the order of the table: a family first, then its members. */
static bool
make_family(Thread *th, Value m, AstState *s, AstType type, int attributes)
{
    const char *name = ast_type_name(type);
    char doc[DOC_SIZE];
    describe_family(type, doc);
    s->families[type] = make_class(th, m, name, value_of_type(s->base), tuple_empty, doc);
    return s->families[type] && set_attributes(th, s->families[type], attributes);
}

static bool
make_kind(Thread *th, Value m, AstState *s, AstKind kind, bool product)
{
    const AstKindInfo *info = &ast_kinds[kind];
    Value fields = tuple_new(th, info->field_count);
    for (int i = 0; fields && i < info->field_count; i++) {
        Value name = str_intern_immortal(th, info->fields[i].name);
        if (name == NULL) {
            drop(th, fields);
            return false;
        }
        s->kind_fields[kind][i] = name;
        tuple_init_item(fields, i, name);
    }
    if (fields == NULL)
        return false;
    char doc[DOC_SIZE];
    describe_kind(info, doc, 0);
    Value base = product ? value_of_type(s->base) : s->families[info->type];
    s->kinds[kind] = make_class(th, m, info->name, base, fields, doc);
    drop(th, fields);
    if (s->kinds[kind] == NULL)
        return false;
    if (product) {
        s->families[info->type] = s->kinds[kind];
        if (!set_attributes(th, s->kinds[kind], info->attributes))
            return false;
    }
    for (int i = 0; i < info->field_count; i++)
        if (info->fields[i].cardinality == AST_CARDINALITY_OPT &&
            !set_attr_c(th, s->kinds[kind], info->fields[i].name, NONE))
            return false;
    return true;
}

static bool
make_enum(Thread *th, Value m, AstState *s, AstType type)
{
    if (!make_family(th, m, s, type, AST_ATTRIBUTES_NONE))
        return false;
    for (int i = 1; i <= ast_enum_count(type); i++) {
        s->enums[type][i] = make_class(th, m, ast_enum_name(type, i), s->families[type], tuple_empty,
                                       ast_enum_name(type, i));
        s->singles[type][i] = s->enums[type][i] ? call_0(th, s->enums[type][i]) : NULL;
        if (s->singles[type][i] == NULL)
            return false;
    }
    return true;
}

static bool
ast_exec(Thread *th, Value m)
{
    AstState *s = module_state(m);
    s->base = type_from_spec(th, &ast_spec, m, NULL);
    if (s->base == NULL || !module_add(th, m, "AST", retain(th, value_of_type(s->base))))
        return false;
    Value base = value_of_type(s->base);
    if (!set_attr_c(th, base, "_fields", tuple_empty) || !set_attr_c(th, base, "_attributes", tuple_empty) ||
        !set_attr_c(th, base, "__match_args__", tuple_empty))
        return false;
    for (int i = 0; i < 4; i++)
        s->attributes[i] = str_intern_immortal(th, attribute_names[i]);
    bool ok = true;
#define AST_SUM(sum, attributes) ok = ok && make_family(th, m, s, AST_TYPE_##sum, AST_ATTRIBUTES_##attributes);
#define AST_NODE(sum, Node) ok = ok && make_kind(th, m, s, AST_##Node, false);
#define AST_PRODUCT(product, attributes) ok = ok && make_kind(th, m, s, AST_##product, true);
#define AST_ENUM(sum) ok = ok && make_enum(th, m, s, AST_TYPE_##sum);
#include "core/syntax/ast.def"
    if (!ok)
        return false;
    return native_publish(th, NATIVE_AST, s, m) && module_add_int(th, m, "PyCF_ONLY_AST", COMPILE_ONLY_AST) &&
           module_add_int(th, m, "PyCF_TYPE_COMMENTS", COMPILE_TYPE_COMMENTS) &&
           module_add_int(th, m, "PyCF_ALLOW_TOP_LEVEL_AWAIT", COMPILE_TOP_LEVEL_AWAIT);
}

/* -- tree to objects ---------------------------------------------------------------------------------------------- */

static Value node_to_object(Thread *th, AstState *s, const AstNode *node);

static Value
item_to_object(Thread *th, AstState *s, AstType type, const void *at)
{
    switch (type) {
    case AST_TYPE_identifier:
    case AST_TYPE_string:
    case AST_TYPE_constant: {
        Value v = *(const Value *)at;
        return v ? retain(th, v) : NONE;
    }
    case AST_TYPE_int:
        return value_from_fixnum(*(const int *)at);
    default:
        if (ast_type_is_enum(type))
            return retain(th, s->singles[type][*(const unsigned *)at]);
        return node_to_object(th, s, *(const AstNode *const *)at);
    }
}

static Value
field_to_object(Thread *th, AstState *s, const AstNode *node, const AstFieldInfo *f)
{
    const char *at = (const char *)node + f->offset;
    AstType type = (AstType)f->type;
    if (f->cardinality != AST_CARDINALITY_SEQ)
        return item_to_object(th, s, type, at);
    const AstSeq *seq = (const AstSeq *)(const void *)at;
    Value list = list_new(th, seq->count);
    size_t size = ast_item_size(type);
    for (uint32_t i = 0; list && i < seq->count; i++) {
        Value v = item_to_object(th, s, type, (const char *)seq->items + i * size);
        if (v == NULL || !list_append_steal(th, list, v))
            DROP_CLEAR(th, list);
    }
    return list;
}

static Value
node_to_object(Thread *th, AstState *s, const AstNode *node)
{
    if (node == NULL)
        return NONE;
    if (thread_stack_low(th))
        return raise_recursion(th, " during ast construction");
    const AstKindInfo *info = &ast_kinds[node->kind];
    Value v = type_alloc(th, as_type(s->kinds[node->kind]), 0);
    if (v == NULL)
        return NULL;
    for (int i = 0; i < info->field_count; i++) {
        Value f = field_to_object(th, s, node, &info->fields[i]);
        bool ok = f && set_attr(th, v, s->kind_fields[node->kind][i], f);
        drop_null(th, f);
        if (!ok) {
            drop(th, v);
            return NULL;
        }
    }
    if (info->attributes != AST_ATTRIBUTES_NONE) {
        int values[4] = {node->lineno, node->col_offset, node->end_lineno, node->end_col_offset};
        for (int i = 0; i < 4; i++)
            if (!set_attr(th, v, s->attributes[i], value_from_fixnum(values[i]))) {
                drop(th, v);
                return NULL;
            }
    }
    return v;
}

Value
ast_to_object(Thread *th, const struct AstMod *mod)
{
    AstState *s = need_state(th);
    return s ? node_to_object(th, s, (const AstNode *)mod) : NULL;
}

/* -- objects to tree ----------------------------------------------------------------------------------------------- */

typedef struct Reader {
    Thread *th;
    AstState *s;
    Ast *ast;
} Reader;

static AstNode *read_node(Reader *r, Value v, AstType type, bool optional, bool *ok);

static bool
own(Reader *r, Value v)
{
    return ast_own(r->ast, retain(r->th, v)) != NULL;
}

static bool
read_item(Reader *r, Value v, AstType type, bool optional, void *at)
{
    Thread *th = r->th;
    switch (type) {
    case AST_TYPE_identifier: {
        if (v == NONE) { /* may be missed by read_fields() */
            *(Value *)at = NULL;
            return true;
        }
        if (!is_exact(v, SHAPE_STR)) {
            raise_type_error(th, "AST identifier must be of type str");
            return false;
        }
        Value name = str_intern(th, retain(th, v));
        *(Value *)at = name;
        if (name == NULL)
            return false;
        return ast_own(r->ast, name) != NULL;
    }
    case AST_TYPE_string:
        if (v == NONE && optional) {
            *(Value *)at = NULL;
            return true;
        }
        if (!is_exact(v, SHAPE_STR) && !is_exact(v, SHAPE_BYTES)) {
            raise_type_error(th, "AST string must be of type str");
            return false;
        }
        *(Value *)at = v;
        return own(r, v);
    case AST_TYPE_constant:
        *(Value *)at = v;
        return own(r, v);
    case AST_TYPE_int: {
        if (v == NONE && optional) {
            *(int *)at = 0;
            return true;
        }
        if (!is_int(v)) {
            raise_value_error(th, "invalid integer value: %R", v);
            return false;
        }
        return arg_int(th, v, (int *)at);
    }
    default:
        break;
    }
    if (ast_type_is_enum(type)) {
        for (int i = 1; i <= ast_enum_count(type); i++) {
            Answer a = is_instance(th, v, r->s->enums[type][i]);
            if (a == FAILED)
                return false;
            if (a == YES) {
                *(unsigned *)at = (unsigned)i;
                return true;
            }
        }
        raise_type_error(th, "expected some sort of %s, but got %R", ast_type_name(type), v);
        return false;
    }
    bool ok;
    *(AstNode **)at = read_node(r, v, type, optional, &ok);
    return ok;
}

static bool
read_field(Reader *r, Value v, const AstKindInfo *info, const AstFieldInfo *f, AstNode *node)
{
    Thread *th = r->th;
    char *at = (char *)node + f->offset;
    AstType type = (AstType)f->type;
    if (f->cardinality != AST_CARDINALITY_SEQ)
        return read_item(r, v, type, f->cardinality == AST_CARDINALITY_OPT, at);
    if (!is_list(v)) {
        raise_type_error(th, "%s field \"%s\" must be a list, not a %T", info->name, f->name, v);
        return false;
    }
    AstSeq *seq = (AstSeq *)(void *)at;
    int64_t n = list_length(v);
    size_t size = ast_item_size(type);
    seq->count = 0;
    seq->items = arena_calloc(&r->ast->arena, (size_t)(n > 0 ? n : 1) * size);
    if (seq->items == NULL) {
        raise_memory(th);
        return false;
    }
    bool may_be_none = (strcmp(info->name, "Dict") == 0 && strcmp(f->name, "keys") == 0) ||
                       strcmp(f->name, "kw_defaults") == 0;
    for (int64_t i = 0; i < n; i++) {
        Value item = list_get(th, v, i);
        if (item == NULL || list_length(v) != n) {
            drop_null(th, item);
            raise_error(th, &exc_RuntimeError, "%s field \"%s\" changed size during iteration", info->name, f->name);
            return false;
        }
        bool ok = read_item(r, item, type, may_be_none, (char *)seq->items + (size_t)i * size);
        drop(th, item);
        if (!ok)
            return false;
        seq->count = (uint32_t)i + 1;
    }
    return true;
}

static bool
read_attributes(Reader *r, Value v, AstNode *node, int attributes, const char *family)
{
    Thread *th = r->th;
    int *places[4] = {&node->lineno, &node->col_offset, &node->end_lineno, &node->end_col_offset};
    for (int i = 0; i < 4; i++) {
        Value n = NULL;
        if (get_attr_optional(th, v, r->s->attributes[i], &n) == FAILED)
            return false;
        if (n == NULL || n == NONE) {
            drop_null(th, n);
            if (i < 2 || attributes == AST_ATTRIBUTES_ALL) {
                if (n == NONE)
                    raise_value_error(th, "invalid integer value: None");
                else
                    raise_type_error(th, "required field \"%s\" missing from %s", attribute_names[i], family);
                return false;
            }
            *places[i] = i == 2 ? node->lineno : node->col_offset;
            continue;
        }
        if (!is_int(n)) {
            raise_value_error(th, "invalid integer value: %R", n);
            drop(th, n);
            return false;
        }
        bool ok = arg_int(th, n, places[i]);
        drop(th, n);
        if (!ok)
            return false;
    }
    return true;
}

/* Whether a field that must have a value has none. */
static bool
field_missing(const AstFieldInfo *f, const AstNode *node)
{
    AstType type = (AstType)f->type;
    if (f->cardinality != AST_CARDINALITY_ONE || type == AST_TYPE_int || ast_type_is_enum(type))
        return false;
    return *(void *const *)(const void *)((const char *)node + f->offset) == NULL;
}

static bool
read_fields(Reader *r, Value v, const AstKindInfo *info, AstNode *node)
{
    Thread *th = r->th;
    AstKind kind = (AstKind)(info - ast_kinds);
    for (int i = 0; i < info->field_count; i++) {
        Value f = NULL;
        if (get_attr_optional(th, v, r->s->kind_fields[kind][i], &f) == FAILED)
            return false;
        if (f == NULL) {
            if (info->fields[i].cardinality == AST_CARDINALITY_OPT)
                continue;
            raise_type_error(th, "required field \"%s\" missing from %s", info->fields[i].name, info->name);
            return false;
        }
        bool good = read_field(r, f, info, &info->fields[i], node);
        drop(th, f);
        if (!good)
            return false;
    }
    for (int i = 0; i < info->field_count; i++)
        if (field_missing(&info->fields[i], node)) {
            raise_value_error(th, "field '%s' is required for %s", info->fields[i].name, info->name);
            return false;
        }
    return true;
}

static AstNode *
read_node(Reader *r, Value v, AstType type, bool optional, bool *ok)
{
    Thread *th = r->th;
    *ok = false;
    if (v == NONE && (optional || ast_type_is_sum(type))) { /* what must not be missing is found later */
        *ok = true;
        return NULL;
    }
    if (thread_stack_low(th)) {
        raise_recursion(th, " during  traversing AST");
        return NULL;
    }
    bool sum = ast_type_is_sum(type);
    AstNode place = {.lineno = 0};
    int attributes = ast_type_attributes(type);
    if (attributes != AST_ATTRIBUTES_NONE && !read_attributes(r, v, &place, attributes, ast_type_name(type)))
        return NULL;
    for (int kind = 1; kind < AST_KIND_COUNT; kind++) {
        const AstKindInfo *info = &ast_kinds[kind];
        if (info->type != type)
            continue;
        Answer a = sum ? is_instance(th, v, r->s->kinds[kind]) : YES; /* others only need the fields */
        if (a == FAILED)
            return NULL;
        if (a == NO)
            continue;
        AstNode *node = ast_alloc(r->ast, (AstKind)kind, info->size);
        if (node == NULL) {
            raise_memory(th);
            return NULL;
        }
        memset((char *)node + sizeof(AstNode), 0, info->size - sizeof(AstNode));
        node->mark = 0;
        *ok = read_fields(r, v, info, node);
        if (*ok && !sum && info->attributes != AST_ATTRIBUTES_NONE)
            *ok = read_attributes(r, v, &place, info->attributes, ast_type_name(type));
        node->lineno = place.lineno;
        node->col_offset = place.col_offset;
        node->end_lineno = place.end_lineno;
        node->end_col_offset = place.end_col_offset;
        return *ok ? node : NULL;
    }
    raise_type_error(th, "expected some sort of %s, but got %R", ast_type_name(type), v);
    return NULL;
}

bool
ast_from_object(Thread *th, Value object, int start, struct Ast *ast)
{
    AstState *s = need_state(th);
    if (s == NULL)
        return false;
    AstKind wanted = start == START_FILE ? AST_Module : start == START_EVAL ? AST_Expression : AST_Interactive;
    Answer a = is_instance(th, object, s->kinds[wanted]);
    if (a != YES) {
        if (a == NO)
            raise_type_error(th, "expected %s node, got %T", ast_kinds[wanted].name, object);
        return false;
    }
    ast_start(ast, th);
    Reader r = {th, s, ast};
    bool ok;
    AstNode *root = read_node(&r, object, AST_TYPE_mod, false, &ok);
    ast->root = (AstMod *)root;
    if (!ok || !ast_validate(th, ast->root)) {
        ast_free(ast);
        return false;
    }
    return true;
}

Answer
ast_is_node(Thread *th, Value object)
{
    AstState *s = ast_state(th);
    if (s == NULL) /* nobody can have made one */
        return NO;
    return is_instance(th, object, value_of_type(s->base));
}

static void
ast_visit(Value m, VisitFn visit, void *arg)
{
    AstState *s = module_state(m);
    if (s->base)
        visit(value_of_type(s->base), arg);
    for (int i = 0; i < AST_KIND_COUNT; i++)
        value_visit(s->kinds[i], visit, arg);
    for (int i = 0; i < AST_TYPE_COUNT; i++) {
        bool product = false;
        for (int k = 0; k < AST_KIND_COUNT; k++)
            product = product || (s->kinds[k] && s->kinds[k] == s->families[i]);
        if (!product)
            value_visit(s->families[i], visit, arg);
        for (int k = 0; k < 16; k++) {
            value_visit(s->enums[i][k], visit, arg);
            value_visit(s->singles[i][k], visit, arg);
        }
    }
}

const ModuleSpec ast_module = {
    .name = "_ast",
    .exec = ast_exec,
    .state_size = sizeof(AstState),
    .visit = ast_visit,
};
