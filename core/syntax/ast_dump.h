/* ast_dump.h -- the tree as text. */
#ifndef SYNTAX_AST_DUMP_H
#define SYNTAX_AST_DUMP_H

#include <stdio.h>

#include "core/syntax/ast.h"

/* Writes a constant or name (never NULL) as repr() shows it. */
typedef void (*AstShow)(FILE *file, Value value, void *context);

/* Writes `node` as ast.dump(node, include_attributes=attributes) does. */
void ast_dump(FILE *file, const void *node, bool attributes, AstShow show, void *context);

#endif
