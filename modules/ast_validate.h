/* ast_validate.h -- what the compiler may rely on in a tree that Python code made. */
#ifndef MODULES_AST_VALIDATE_H
#define MODULES_AST_VALIDATE_H

#include "core/syntax/ast.h"
#include "threads/thread.h"

/* Makes `ast` empty; its values are released by th's drop(). */
void ast_start(Ast *ast, Thread *th);
/* ValueError or TypeError unless every node has what its kind needs. */
RAISES bool ast_validate(Thread *th, const AstMod *mod);

#endif
