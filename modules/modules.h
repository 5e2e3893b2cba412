/* modules.h -- the native modules, by name. */
#ifndef MODULES_MODULES_H
#define MODULES_MODULES_H

#include "objects/model/native.h"

#define MODULE(symbol) extern const ModuleSpec symbol##_module;
#include "modules/modules.def"
#undef MODULE

extern const ModuleSpec *const native_modules[];

/* mod_builtins.c: the source text that str, bytes and buffers hold, for function `fname` of messages; adds to
 * *flags what its kind says of the encoding.  *held (may be NULL) keeps the text alive; drop it afterwards.
 * `buffer` and *buffered are the function's own. */
RAISES const char *source_text(Thread *th, Value v, const char *fname, const char *what, int *flags, size_t *n,
                               Value *held, Buffer *buffer, bool *buffered);

/* The file name that is given with a source text, as a str: str, bytes, os.PathLike, and buffers with a
 * DeprecationWarning. */
RAISES Value source_filename(Thread *th, Value v);

/* mod_imp.c: the lock of _imp.acquire_lock(), recursive. */
void import_lock_take(Thread *th);
bool import_lock_give(Thread *th); /* false: th does not hold it */

/* mod_ast.c: tree <-> objects of module _ast. */
struct Ast;
struct AstMod;
RAISES Value ast_to_object(Thread *th, const struct AstMod *mod);
/* Fills `ast` (to be freed with ast_free) from an object of the class that `start` asks for. */
RAISES bool ast_from_object(Thread *th, Value object, int start, struct Ast *ast);
/* Whether `object` is an instance of _ast.AST. */
Answer ast_is_node(Thread *th, Value object);

#endif
