/* ast.h -- the syntax tree: node structs made from ast.def.
 *
 * A family with several kinds of node is a struct with a head (kind and
 * place) and a union with one member a kind, named like the kind:
 *
 *     switch (expr->kind) {
 *     case AST_BinOp:
 *         visit(expr->BinOp.left);
 *
 * A family with one kind (arguments, keyword, ...) has its fields directly:
 * `keyword->arg`.  A family without fields (operator, expr_context, ...) is
 * an enum: AST_Add, AST_Load.  A sequence field is {items, count}; its items
 * may be NULL only in Dict.keys (`**mapping`) and arguments.kw_defaults.
 *
 * A node is allocated only as long as its kind needs, so a whole node is
 * never copied by assignment.  Every expr has room for a Constant: constant
 * folding may rewrite it in place with ast_become_constant().
 *
 * All nodes lie in the arena of their Ast.  Values in nodes (constants,
 * names) are borrowed from the Ast, which owns one reference to each
 * and gives it up in ast_free().
 */
#ifndef SYNTAX_AST_H
#define SYNTAX_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attrs.h"
#include "base/value.h"
#include "base/vec.h"

/* AstKind: AST_Module, AST_FunctionDef, AST_BinOp, AST_arguments, ... */
typedef enum AstKind {
    AST_NO_KIND,
#define AST_NODE(sum, Node) AST_##Node,
#define AST_PRODUCT(product, attributes) AST_##product,
#include "core/syntax/ast.def"
    AST_KIND_COUNT
} AstKind;

/* One enum a family without fields; its members count from 1. */
#define AST_ENUM(sum) typedef enum AstEnum_##sum { AST_##sum##_unset,
#define AST_ITEM(sum, Node) AST_##Node,
#define AST_ENUM_END(sum) } AstEnum_##sum;
#include "core/syntax/ast.def"
typedef AstEnum_expr_context AstContext;
typedef AstEnum_boolop AstBoolop;
typedef AstEnum_operator AstOperator;
typedef AstEnum_unaryop AstUnaryop;
typedef AstEnum_cmpop AstCmpop;

/* What a Constant is, where the parser made it. */
typedef enum AstLiteral {
    AST_LITERAL_OTHER,      /* made by constant folding, or by Python code */
    AST_LITERAL_NONE,
    AST_LITERAL_TRUE,
    AST_LITERAL_FALSE,
    AST_LITERAL_ELLIPSIS,
    AST_LITERAL_INT,
    AST_LITERAL_FLOAT,
    AST_LITERAL_COMPLEX,
    AST_LITERAL_STR,
    AST_LITERAL_BYTES
} AstLiteral;

/* Bits of a node's `flags`. */
#define AST_PARENTHESIZED 1     /* an expr that stood in its own parentheses */

/* The head of every node.  Columns count UTF-8 bytes from 0, lines from 1.
 * `mark` is free for the compiler's passes and 0 at first. */
#define AST_HEAD                                                               \
    uint8_t kind;           /* AstKind */                                      \
    uint8_t literal;        /* AstLiteral, of a Constant or MatchSingleton */  \
    uint16_t flags;                                                            \
    int32_t lineno;                                                            \
    int32_t col_offset;                                                        \
    int32_t end_lineno;                                                        \
    int32_t end_col_offset;                                                    \
    uint32_t mark

typedef struct AstNode {
    AST_HEAD;
} AstNode;

typedef struct AstMod AstMod;
typedef struct AstStmt AstStmt;
typedef struct AstExpr AstExpr;
typedef struct AstComprehension AstComprehension;
typedef struct AstExcepthandler AstExcepthandler;
typedef struct AstArguments AstArguments;
typedef struct AstArg AstArg;
typedef struct AstKeyword AstKeyword;
typedef struct AstAlias AstAlias;
typedef struct AstWithitem AstWithitem;
typedef struct AstMatchCase AstMatchCase;
typedef struct AstPattern AstPattern;
typedef struct AstTypeIgnore AstTypeIgnore;

/* The C type of a field of each type of ast.def. */
#define AST_C_identifier Value
#define AST_C_string Value
#define AST_C_constant Value
#define AST_C_int int
#define AST_C_expr_context AstContext
#define AST_C_boolop AstBoolop
#define AST_C_operator AstOperator
#define AST_C_unaryop AstUnaryop
#define AST_C_cmpop AstCmpop
#define AST_C_mod AstMod *
#define AST_C_stmt AstStmt *
#define AST_C_expr AstExpr *
#define AST_C_comprehension AstComprehension *
#define AST_C_excepthandler AstExcepthandler *
#define AST_C_arguments AstArguments *
#define AST_C_arg AstArg *
#define AST_C_keyword AstKeyword *
#define AST_C_alias AstAlias *
#define AST_C_withitem AstWithitem *
#define AST_C_match_case AstMatchCase *
#define AST_C_pattern AstPattern *
#define AST_C_type_ignore AstTypeIgnore *

/* Sequences.  AstSeq is what all of them look like. */
typedef struct AstSeq {
    void *items;
    uint32_t count;
} AstSeq;

#define AST_SEQUENCE(type, Name)                                               \
    typedef struct Name {                                                      \
        AST_C_##type *items;                                                   \
        uint32_t count;                                                        \
    } Name;                                                                    \
    typedef Name AstSeq_##type;

AST_SEQUENCE(identifier, AstIdentifiers)
AST_SEQUENCE(cmpop, AstCmpops)
AST_SEQUENCE(stmt, AstStmts)
AST_SEQUENCE(expr, AstExprs)
AST_SEQUENCE(comprehension, AstComprehensions)
AST_SEQUENCE(excepthandler, AstExcepthandlers)
AST_SEQUENCE(arg, AstArgs)
AST_SEQUENCE(keyword, AstKeywords)
AST_SEQUENCE(alias, AstAliases)
AST_SEQUENCE(withitem, AstWithitems)
AST_SEQUENCE(match_case, AstMatchCases)
AST_SEQUENCE(pattern, AstPatterns)
AST_SEQUENCE(type_ignore, AstTypeIgnores)

#define AST_FIELD_ONE(type) AST_C_##type
#define AST_FIELD_OPT(type) AST_C_##type
#define AST_FIELD_SEQ(type) AstSeq_##type

/* One struct a kind: struct AstFields_BinOp { AstExpr *left; ... }. */
#define AST_NODE(sum, Node) struct AstFields_##Node {
#define AST_FIELD(sum, Node, type, cardinality, name)                          \
    AST_FIELD_##cardinality(type) name;
#define AST_NODE_END(sum, Node) };
#include "core/syntax/ast.def"

/* One struct a family. */
#define AST_STRUCT_mod AstMod
#define AST_STRUCT_stmt AstStmt
#define AST_STRUCT_expr AstExpr
#define AST_STRUCT_excepthandler AstExcepthandler
#define AST_STRUCT_pattern AstPattern
#define AST_STRUCT_type_ignore AstTypeIgnore
#define AST_STRUCT_comprehension AstComprehension
#define AST_STRUCT_arguments AstArguments
#define AST_STRUCT_arg AstArg
#define AST_STRUCT_keyword AstKeyword
#define AST_STRUCT_alias AstAlias
#define AST_STRUCT_withitem AstWithitem
#define AST_STRUCT_match_case AstMatchCase

#define AST_SUM(sum, attributes)                                               \
    struct AST_STRUCT_##sum {                                                  \
        AST_HEAD;                                                              \
        union {
#define AST_NODE(sum, Node) struct AstFields_##Node Node;
#define AST_SUM_END(sum)                                                       \
        };                                                                     \
    };
#define AST_PRODUCT(product, attributes)                                       \
    struct AST_STRUCT_##product {                                              \
        AST_HEAD;
#define AST_PART(product, type, cardinality, name)                             \
        AST_FIELD_##cardinality(type) name;
#define AST_PRODUCT_END(product) };
#include "core/syntax/ast.def"

/* -- the tree as a whole -------------------------------------------------- */

/* Gives up one reference to `value`. */
typedef void (*AstRelease)(void *context, Value value);

typedef struct Ast {
    AstMod *root;
    Arena arena;
    VEC(Value) owned;       /* one reference each */
    AstRelease release;
    void *context;          /* first argument of `release` */
} Ast;

/* Makes `ast` empty.  parse() does it by itself. */
void ast_init(Ast *ast, AstRelease release, void *context);

/* Frees all nodes and gives up all values; `ast` is empty afterwards. */
void ast_free(Ast *ast);

/* Hands one reference of `value` to the tree.  Returns `value`, or NULL
 * (the reference is given up) when `value` is NULL or there is no memory. */
RAISES Value ast_own(Ast *ast, Value value STEALS);

/* A node of `size` bytes whose fields are unset, or NULL without memory. */
RAISES void *ast_alloc(Ast *ast, AstKind kind, size_t size);

/* How many bytes a node of a kind takes. */
#define AST_SIZE_MIN (sizeof(AstNode) + sizeof(struct AstFields_Constant))
#define AST_SIZE(Node)                                                         \
    (sizeof(AstNode) + sizeof(struct AstFields_##Node) < AST_SIZE_MIN          \
         ? AST_SIZE_MIN                                                        \
         : sizeof(AstNode) + sizeof(struct AstFields_##Node))

/* Makes a node of a family with several kinds; its place is that of `where`
 * (any node).  NULL when there is no memory.  Fields not given are zero.
 *
 *     AstExpr *e = AST_NEW(ast, expr, BinOp, left, .left = left, ...);
 */
#define AST_NEW(ast, sum, Node, where, ...)                                    \
    ({                                                                         \
        struct AST_STRUCT_##sum *new_ = ast_alloc(ast, AST_##Node, AST_SIZE(Node)); \
        if (new_ != NULL) {                                                    \
            ast_copy_place((AstNode *)new_, (const AstNode *)(where));         \
            new_->Node = (struct AstFields_##Node){__VA_ARGS__};               \
        }                                                                      \
        new_;                                                                  \
    })

static inline void
ast_copy_place(AstNode *to, const AstNode *from)
{
    to->lineno = from->lineno;
    to->col_offset = from->col_offset;
    to->end_lineno = from->end_lineno;
    to->end_col_offset = from->end_col_offset;
}

/* Turns any expr into a Constant in place; the tree owns `value` already
 * (see ast_own()).  The place stays. */
static inline void
ast_become_constant(AstExpr *expr, Value value, AstLiteral literal)
{
    expr->kind = AST_Constant;
    expr->literal = (uint8_t)literal;
    expr->Constant.value = value;
    expr->Constant.kind = NULL;
}

/* -- the table, for code that treats all kinds alike ---------------------- */

typedef enum AstType {
    AST_TYPE_identifier,
    AST_TYPE_string,
    AST_TYPE_constant,
    AST_TYPE_int,
#define AST_SUM(sum, attributes) AST_TYPE_##sum,
#define AST_ENUM(sum) AST_TYPE_##sum,
#define AST_PRODUCT(product, attributes) AST_TYPE_##product,
#include "core/syntax/ast.def"
    AST_TYPE_COUNT
} AstType;

typedef enum AstCardinality {
    AST_CARDINALITY_ONE,
    AST_CARDINALITY_OPT,
    AST_CARDINALITY_SEQ
} AstCardinality;

typedef enum AstAttributes {
    AST_ATTRIBUTES_NONE,
    AST_ATTRIBUTES_START,
    AST_ATTRIBUTES_ALL
} AstAttributes;

typedef struct AstFieldInfo {
    const char *name;
    uint8_t type;           /* AstType */
    uint8_t cardinality;    /* AstCardinality */
    uint16_t offset;        /* from the start of the node */
} AstFieldInfo;

typedef struct AstKindInfo {
    const char *name;       /* "BinOp" */
    uint8_t type;           /* the family, an AstType */
    uint8_t attributes;     /* AstAttributes */
    uint8_t field_count;
    uint16_t size;          /* for ast_alloc() */
    const AstFieldInfo *fields;
} AstKindInfo;

/* Indexed by AstKind; entry 0 is empty. */
extern const AstKindInfo ast_kinds[AST_KIND_COUNT];

/* The name of a family ("expr") and of a member of a family without fields
 * ("Add"; NULL when `item` is none).  ast_enum_count() is 0 for the other
 * families; items count from 1. */
const char *ast_type_name(AstType type);
bool ast_type_is_enum(AstType type);
int ast_enum_count(AstType type);
const char *ast_enum_name(AstType type, int item);

/* Whether a family has several kinds of nodes with fields; and the attributes of
 * its nodes (AstAttributes; NONE for other families). */
bool ast_type_is_sum(AstType type);
int ast_type_attributes(AstType type);

/* How long one item of a sequence of `type` is. */
size_t ast_item_size(AstType type);

#endif
