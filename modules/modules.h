/* modules.h -- the native modules, by name. */
#ifndef MODULES_MODULES_H
#define MODULES_MODULES_H

#include "objects/model/native.h"

#define MODULE(symbol) extern const ModuleSpec symbol##_module;
#include "modules/modules.def"
#undef MODULE

extern const ModuleSpec *const native_modules[];

/* mod_ast.c: tree <-> objects of module _ast. */
struct Ast;
struct AstMod;
RAISES Value ast_to_object(Thread *th, const struct AstMod *mod);
/* Fills `ast` (to be freed with ast_free) from an object of the class that `start` asks for. */
RAISES bool ast_from_object(Thread *th, Value object, int start, struct Ast *ast);
/* Whether `object` is an instance of _ast.AST. */
Answer ast_is_node(Thread *th, Value object);

#endif
