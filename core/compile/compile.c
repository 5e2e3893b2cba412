/* compile.c -- the whole pipeline on one page: tree, future features, scopes, code. */
#include "core/compile/compile.h"

#include "core/compile/gen.h"
#include "objects/model/upcall.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* -- errors and warnings --------------------------------------------------------------------------- */

Value
compile_source_line(Thread *th, Value name, int line)
{
    if (name == NULL || !is_str(name) || line <= 0)
        return NULL;
    const char *path = str_c(th, name);
    if (path == NULL) {
        error_clear(th);
        return NULL;
    }
    FILE *f = path[0] == '<' ? NULL : fopen(path, "re");
    if (f == NULL)
        return NULL;
    char *text = NULL;
    size_t capacity = 0;
    ssize_t n = 0;
    while (line-- > 0 && (n = getline(&text, &capacity, f)) >= 0)
        ;
    fclose(f);
    Value v = n > 0 ? str_decode_utf8(th, (const uint8_t *)text, (size_t)n, "replace", NULL) : NULL;
    free(text);
    if (v == NULL && error_set(th))
        error_clear(th);
    return v;
}

/* Characters before byte `bytes` of the line, counted from 1. */
static int
char_offset(Value text, int bytes)
{
    if (text == NULL || bytes < 0)
        return bytes + 1;
    Str *s = as_str(text);
    int seen = 0;
    size_t i = 0;
    for (; i < s->length && seen < bytes; i++) {
        uint32_t c = str_char(s, i);
        seen += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    return (int)i + 1 + (bytes - seen > 0 ? bytes - seen : 0);
}

void
compile_error(Thread *th, Value filename, int line, int col, int end_line, int end_col,
              const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value message = str_format_c_va(th, format, ap);
    va_end(ap);
    if (message == NULL)
        return;
    Value text = compile_source_line(th, filename, line);
    Value end_text = end_line == line || end_line <= 0 ? retain_null(th, text)
                                                       : compile_source_line(th, filename, end_line);
    Value place = tuple_pack(th, 6, filename ? filename : NONE, value_from_fixnum(line),
                             value_from_fixnum(char_offset(text, col)), text ? text : NONE,
                             value_from_fixnum(end_line), value_from_fixnum(char_offset(end_text, end_col)));
    Value e = place ? call_2(th, value_of_type(&exc_SyntaxError), message, place) : NULL;
    drop_null(th, place);
    drop_null(th, text);
    drop_null(th, end_text);
    drop(th, message);
    if (e)
        raise_instance(th, e);
}

void
compile_error_later(Thread *th, Value filename, int line, int offset, int end_line, int end_offset,
                    const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value message = str_format_c_va(th, format, ap);
    va_end(ap);
    Value e = message ? call_1(th, value_of_type(&exc_SyntaxError), message) : NULL;
    drop_null(th, message);
    if (e == NULL)
        return;
    Value text = compile_source_line(th, filename, line);
    Value end = end_offset == COMPILE_NO_END ? NONE : value_from_fixnum(char_offset(text, end_offset - 1));
    bool ok = set_attr_c(th, e, "lineno", value_from_fixnum(line)) &&
              set_attr_c(th, e, "offset", value_from_fixnum(char_offset(text, offset - 1))) &&
              set_attr_c(th, e, "end_lineno", value_from_fixnum(end_line)) &&
              set_attr_c(th, e, "end_offset", end) &&
              set_attr_c(th, e, "filename", filename ? filename : NONE) &&
              set_attr_c(th, e, "text", text ? text : NONE) &&
              set_attr_c(th, e, "print_file_and_line", NONE);
    drop_null(th, text);
    if (ok)
        raise_instance(th, e);
    else
        drop(th, e);
}

/* A SyntaxWarning at a node; one that became an error is a SyntaxError there. */
void
gen_warn(Unit *u, const void *node, const char *format, ...)
{
    if (u->c->failed)
        return;
    const AstNode *n = node;
    va_list ap;
    va_start(ap, format);
    Value message = str_format_c_va(u->th, format, ap);
    va_end(ap);
    if (message == NULL) {
        u->c->failed = true;
        return;
    }
    /* warnings.warn_explicit(message, SyntaxWarning, filename, lineno) */
    Value module = upcalls.import_module(u->th, "_warnings");
    Value explicit_ = module ? get_attr_c(u->th, module, "warn_explicit") : NULL;
    Value result = NULL;
    if (explicit_) {
        Value args[4] = {message, value_of_type(&exc_SyntaxWarning), u->c->options->filename,
                         value_from_fixnum(n->lineno)};
        result = call(u->th, explicit_, args_of(args), 4, NULL);
    }
    drop_null(u->th, explicit_);
    drop_null(u->th, module);
    if (result)
        drop(u->th, result);
    else if (error_matches(u->th, &exc_SyntaxWarning)) {
        error_clear(u->th);
        gen_error(u, node, "%V", message);
    } else
        u->c->failed = true;
    drop(u->th, message);
}

/* -- from __future__ import ... --------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t flag;
} features[] = {
    {"nested_scopes", 0}, {"generators", 0}, {"division", 0x20000}, {"absolute_import", 0x40000},
    {"with_statement", 0x80000}, {"print_function", 0x100000}, {"unicode_literals", 0x200000},
    {"barry_as_FLUFL", CODE_FUTURE_BARRY_AS_BDFL}, {"generator_stop", CODE_FUTURE_GENERATOR_STOP},
    {"annotations", CODE_FUTURE_ANNOTATIONS},
};

static bool
future_statement(Compiler *c, AstStmt *st)
{
    for (uint32_t i = 0; i < st->ImportFrom.names.count; i++) {
        AstAlias *alias = st->ImportFrom.names.items[i];
        size_t k = 0;
        while (k < ARRAY_LEN(features) && !str_equal_ascii(alias->name, features[k].name))
            k++;
        if (k == ARRAY_LEN(features)) {
            const char *format = str_equal_ascii(alias->name, "braces") ? "not a chance"
                                                                         : "future feature %V is not defined";
            compile_error_later(c->th, c->options->filename, st->lineno, st->col_offset + 1, st->lineno,
                                COMPILE_NO_END, format, alias->name);
            return false;
        }
        c->future |= features[k].flag;
    }
    return true;
}

static bool
is_future_import(const AstStmt *st)
{
    return st->kind == AST_ImportFrom && st->ImportFrom.module &&
           str_equal_ascii(st->ImportFrom.module, "__future__");
}

/* Future imports stand before everything but strings.  Later ones are found by the code generator, except in
 * the line where the others end. */
static bool
find_futures(Compiler *c, AstStmts body)
{
    bool done = false;
    int line = 0;
    for (uint32_t i = 0; i < body.count; i++) {
        AstStmt *st = body.items[i];
        if (done && st->lineno > line)
            break;
        line = st->lineno;
        if (is_future_import(st)) {
            if (done) {
                compile_error_later(c->th, c->options->filename, st->lineno, st->col_offset, st->lineno,
                                    COMPILE_NO_END,
                                    "from __future__ imports must occur at the beginning of the file");
                return false;
            }
            if (!future_statement(c, st))
                return false;
            st->mark = FUTURE_ACCEPTED;
        } else if (i > 0 || st->kind != AST_Expr || st->Expr.value->kind != AST_Constant ||
                   !is_str(st->Expr.value->Constant.value))
            done = true;
    }
    return true;
}

/* -- everything ----------------------------------------------------------------------------------------- */

static Value
compile_module(Compiler *c, AstMod *mod)
{
    Unit u;
    Value code = NULL;
    if (!unit_begin(&u, c, NULL, c->symbols.module, c->symbols.module->name)) {
        unit_free(&u);
        return NULL;
    }
    u.pos = (Position){0, 0, -1, -1};
    Scope *scope = c->symbols.module;
    scope->lineno = 1;
    emit(&u, OP_RESUME, 0, 0, 0, 0);
    if (mod->kind == AST_Expression) {
        Opnd v = gen_expr_temp(&u, mod->Expression.body);
        emit(&u, OP_RETURN, A_DEAD, v.reg, 0, 0);
        opnd_end(&u, v);
    } else {
        AstStmts body = mod->kind == AST_Module ? mod->Module.body : mod->Interactive.body;
        gen_module_start(&u, &body, mod->kind == AST_Module);
        gen_body(&u, body);
        emit_wide(&u, OP_RETURN_CONST, 0, 0, (int32_t)gen_const(&u, NONE));
    }
    /* Top-level await makes the body a coroutine: its first instruction makes the object. */
    if ((u.flags & CODE_COROUTINE) && !c->failed) {
        Instr first;
        memcpy(&first, &u.words.items[0], sizeof first);
        first.op = OP_RETURN_GENERATOR;
        memcpy(&u.words.items[0], &first, sizeof first);
    }
    code = unit_finish(&u);
    unit_free(&u);
    return code;
}

static Value
keep_name(void *context, Value STEALS name)
{
    return keep_value(context, name);
}

/* Compiles, or only shows the scopes if `show` is given. */
static Value
compile_tree(Thread *th, const AstNode *tree, const CompileOptions *options,
             Value (*show)(Thread *th, const Scope *module))
{
    AstMod *mod = (AstMod *)(uintptr_t)tree;
    Compiler c = {.th = th, .arena = ARENA_INIT, .options = options};
    c.future = (uint32_t)options->flags & COMPILE_FUTURE_MASK;
    c.interactive = mod->kind == AST_Interactive;
    Value code = NULL;
    if (mod->kind != AST_Module && mod->kind != AST_Interactive && mod->kind != AST_Expression) {
        raise_type_error(th, "this tree cannot be compiled");
        return NULL;
    }
    bool ok = mod->kind == AST_Expression ||
              find_futures(&c, mod->kind == AST_Module ? mod->Module.body : mod->Interactive.body);
    if (ok) {
        c.symbols = (Symbols){.th = th, .arena = &c.arena, .filename = options->filename,
                              .future_annotations = (c.future & CODE_FUTURE_ANNOTATIONS) != 0,
                              .mangle = mangle_name, .keep = keep_name, .context = &c};
        if (symbols_build(&c.symbols, tree))
            code = show ? show(th, c.symbols.module) : compile_module(&c, mod);
    }
    if (code == NULL && !error_set(th))
        raise_system_error(th, "the compiler failed without an exception");
    for (size_t i = 0; i < c.keep.count; i++)
        drop(th, c.keep.items[i]);
    vec_free(&c.keep);
    drop_null(th, c.mangle_dict);
    arena_free(&c.arena);
    return code;
}

Value
compile_ast(Thread *th, const AstNode *tree, const CompileOptions *options)
{
    return compile_tree(th, tree, options, NULL);
}

Value
compile_symbols(Thread *th, const AstNode *tree, const CompileOptions *options,
                Value (*show)(Thread *th, const Scope *module))
{
    return compile_tree(th, tree, options, show);
}
