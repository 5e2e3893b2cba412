/* compile.h -- from source text or a syntax tree to a Code. */
#ifndef CORE_COMPILE_COMPILE_H
#define CORE_COMPILE_COMPILE_H

#include "core/syntax/ast.h"
#include "core/vm/code.h"

typedef struct CompileOptions {
    Value filename;          /* str (or bytes, path: as compile() was given) */
    int flags;               /* CODE_FUTURE_ bits to start with, and COMPILE_ bits below */
    int optimize;            /* 0, 1 (-O), 2 (-OO) */
} CompileOptions;

/* Numeric values as in the public `ast` module and __future__. */
enum {
    COMPILE_ONLY_AST = 0x400, COMPILE_TYPE_COMMENTS = 0x1000, COMPILE_TOP_LEVEL_AWAIT = 0x2000,
    COMPILE_ALLOW_INCOMPLETE = 0x4000, COMPILE_DONT_IMPLY_DEDENT = 0x200,
    COMPILE_FUTURE_MASK = 0x1fe0000, /* bits of __future__ that change or mark code */
};

/* Compiles a tree (Module, Interactive, Expression).  New Code, or NULL with SyntaxError etc. set. */
RAISES Value compile_ast(Thread *th, const AstNode *tree, const CompileOptions *options);

/* Calls show(th, scopes of the module) with what the compiler finds out about the names of a tree, and
 * returns its result.  NULL with SyntaxError etc. set. */
struct Scope;
RAISES Value compile_symbols(Thread *th, const AstNode *tree, const CompileOptions *options,
                             Value (*show)(Thread *th, const struct Scope *module));

/* Line `line` of the file `name` (a str or NULL) as a new str, or NULL without an exception. */
Value compile_source_line(Thread *th, Value name, int line);

/* The source text of an expression as `from __future__ import annotations` stores it: a str. */
RAISES Value ast_unparse_value(Thread *th, const AstExpr *e);

#endif
