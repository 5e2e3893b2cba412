/* mod_symtable.c -- module _symtable: what the compiler knows about the names of a program.
 *
 * The compiler's scopes are copied into entry objects that never change. */
#include "core/compile/symbols.h"
#include "core/run/run.h"
#include "modules/modules.h"
#include "modules/static_types.h"

/* One block: everything is [const] after publication. */
typedef struct Entry {
    struct Object head;
    Value name, symbols, varnames, children; /* str, dict, list, list */
    Value id, type, lineno, nested;          /* ints */
} Entry;

static Type entry_type;

/* How a name's flags show: DEF_ bits below, the place above. */
#define SCOPE_OFF 11
#define SCOPE_MASK 15
_Static_assert(DEF_COMP_ITER < 1 << SCOPE_OFF && PLACE_CELL <= SCOPE_MASK, "places lie above the flags");

enum { TYPE_OF_FUNCTION, TYPE_OF_CLASS, TYPE_OF_MODULE };

static void
entry_visit(Object *o, VisitFn visit, void *arg)
{
    Entry *e = (Entry *)o;
    value_visit(e->symbols, visit, arg);
    value_visit(e->varnames, visit, arg);
    value_visit(e->children, visit, arg);
}

static void
entry_dealloc(Thread *th, Object *o)
{
    Entry *e = (Entry *)o;
    drop_null(th, e->name);
    drop_null(th, e->symbols);
    drop_null(th, e->varnames);
    drop_null(th, e->children);
    drop_null(th, e->id);
}

static Value
entry_repr(Thread *th, Value self)
{
    Entry *e = (Entry *)(void *)self;
    return str_format_c(th, "<symtable entry %V(%V), line %V>", e->name, e->id, e->lineno);
}

static const MemberDef entry_members[] = {
    {"id", MEMBER_CONST_VALUE, offsetof(Entry, id), true, NULL},
    {"name", MEMBER_CONST_VALUE, offsetof(Entry, name), true, NULL},
    {"symbols", MEMBER_CONST_VALUE, offsetof(Entry, symbols), true, NULL},
    {"varnames", MEMBER_CONST_VALUE, offsetof(Entry, varnames), true, NULL},
    {"children", MEMBER_CONST_VALUE, offsetof(Entry, children), true, NULL},
    {"nested", MEMBER_CONST_VALUE, offsetof(Entry, nested), true, NULL},
    {"type", MEMBER_CONST_VALUE, offsetof(Entry, type), true, NULL},
    {"lineno", MEMBER_CONST_VALUE, offsetof(Entry, lineno), true, NULL},
    {.name = NULL},
};

static const TypeSpec entry_spec = {
    .name = "symtable entry", .size = sizeof(Entry), .flags = TYPE_DISALLOW_NEW, .ops_flags = OPS_TRACKED,
    .members = entry_members, .slots = {.repr = entry_repr}, .visit = entry_visit, .dealloc = entry_dealloc,
};

/* The name a block goes by: functions and classes their own, others one for their kind. */
static Value
block_name(Thread *th, const Scope *scope)
{
    static const char *const comps[] = {NULL, "listcomp", "setcomp", "dictcomp", "genexpr"};
    if (scope->kind == SCOPE_MODULE)
        return str_from_c(th, "top");
    if (scope->comp != COMP_NONE)
        return str_from_c(th, comps[scope->comp]);
    if (str_equal_ascii(scope->name, "<lambda>"))
        return str_from_c(th, "lambda");
    return retain(th, scope->name);
}

static Value
entry_from(Thread *th, const Scope *scope)
{
    Value v = type_alloc(th, &entry_type, 0);
    if (v == NULL || !recursion_enter(th, " during symtable construction")) {
        drop_null(th, v);
        return NULL;
    }
    Entry *e = (Entry *)(void *)v;
    e->id = int_from_u64(th, (uint64_t)(uintptr_t)v);
    e->name = block_name(th, scope);
    e->symbols = dict_new(th);
    e->varnames = list_new(th, 0);
    e->children = list_new(th, scope->child_count);
    e->nested = value_from_fixnum(scope->nested);
    e->type = value_from_fixnum(scope->kind == SCOPE_MODULE  ? TYPE_OF_MODULE
                                : scope->kind == SCOPE_CLASS ? TYPE_OF_CLASS
                                                             : TYPE_OF_FUNCTION);
    e->lineno = value_from_fixnum(scope->kind == SCOPE_MODULE ? 0 : scope->lineno);
    bool ok = e->id && e->name && e->symbols && e->varnames && e->children;
    for (uint32_t i = 0; ok && i < scope->count; i++) {
        const Symbol *s = &scope->symbols[i];
        ok = dict_set(th, e->symbols, s->name, value_from_fixnum((int64_t)s->flags | (int64_t)s->place << SCOPE_OFF)) &&
             (!(s->flags & DEF_PARAM) || list_append(th, e->varnames, s->name));
    }
    for (uint32_t i = 0; ok && i < scope->child_count; i++) {
        Value child = entry_from(th, scope->children[i]);
        ok = child && list_append_steal(th, e->children, child);
    }
    recursion_leave(th);
    if (!ok)
        DROP_CLEAR(th, v);
    return v;
}

static Value
symtable_symtable(Thread *th, Value self, const Arg *a, size_t n)
{
    (void)self, (void)n;
    int start;
    Value filename = source_filename(th, arg(a, 1)), held = NULL, result = NULL;
    if (filename == NULL)
        return NULL;
    int flags = 0;
    size_t length;
    Buffer buffer;
    bool buffered;
    const char *text = source_text(th, arg(a, 0), "symtable", "string or bytes", &flags, &length, &held, &buffer,
                                   &buffered);
    if (text == NULL)
        goto done;
    if (!is_str(arg(a, 2))) {
        raise_type_error(th, "symtable() argument 3 must be str, not %B", arg(a, 2));
        goto done;
    }
    if (str_equal_ascii(arg(a, 2), "exec"))
        start = START_FILE;
    else if (str_equal_ascii(arg(a, 2), "eval"))
        start = START_EVAL;
    else if (str_equal_ascii(arg(a, 2), "single"))
        start = START_SINGLE;
    else {
        raise_value_error(th, "symtable() arg 3 must be 'exec' or 'eval' or 'single'");
        goto done;
    }
    Ast ast;
    if (source_parse(th, text, length, filename, start, flags, &ast)) {
        CompileOptions options = {.filename = filename, .flags = flags};
        result = compile_symbols(th, (const AstNode *)ast.root, &options, entry_from);
        ast_free(&ast);
    }
done:
    drop_null(th, held);
    drop(th, filename);
    return result;
}

static const MethodDef symtable_methods[] = {
    NATIVE_N("symtable", symtable_symtable, 3, 3, "symtable($module, source, filename, startstr, /)\n--\n\nThe names of a program and what its blocks do with them."),
    NATIVE_END,
};

static const struct {
    const char *name;
    int value;
} constants[] = {
#define C(x) {#x, x},
    C(USE) C(DEF_GLOBAL) C(DEF_NONLOCAL) C(DEF_LOCAL) C(DEF_PARAM) C(DEF_FREE) C(DEF_FREE_CLASS) C(DEF_IMPORT)
    C(DEF_BOUND) C(DEF_ANNOT) C(SCOPE_OFF) C(SCOPE_MASK)
#undef C
    {"TYPE_FUNCTION", TYPE_OF_FUNCTION}, {"TYPE_CLASS", TYPE_OF_CLASS}, {"TYPE_MODULE", TYPE_OF_MODULE},
    {"LOCAL", PLACE_LOCAL}, {"GLOBAL_EXPLICIT", PLACE_GLOBAL_EXPLICIT}, {"GLOBAL_IMPLICIT", PLACE_GLOBAL_IMPLICIT},
    {"FREE", PLACE_FREE}, {"CELL", PLACE_CELL},
};

static bool
symtable_exec(Thread *th, Value m)
{
    static const StaticType types[] = {{&entry_type, &entry_spec}};
    if (!static_types_ready(th, types, ARRAY_LEN(types)))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, m, constants[i].name, constants[i].value))
            return false;
    return true;
}

const ModuleSpec symtable_module = {.name = "_symtable", .methods = symtable_methods, .exec = symtable_exec};
