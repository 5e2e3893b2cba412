/* ast.c -- the syntax tree's memory, and ast.def as a table. */
#include "core/syntax/ast.h"

#include <stdlib.h>
#include <string.h>

/* -- memory --------------------------------------------------------------- */

void
ast_init(Ast *ast, AstRelease release, void *context)
{
    memset(ast, 0, sizeof(*ast));
    ast->release = release;
    ast->context = context;
}

void
ast_free(Ast *ast)
{
    for (size_t i = ast->owned.count; i > 0; i--) {
        ast->release(ast->context, ast->owned.items[i - 1]);
    }
    vec_free(&ast->owned);
    arena_free(&ast->arena);
    ast->root = NULL;
}

Value
ast_own(Ast *ast, Value value STEALS)
{
    if (value == NULL) {
        return NULL;
    }
    if (!vec_push(&ast->owned, value)) {
        ast->release(ast->context, value);
        return NULL;
    }
    return value;
}

void *
ast_alloc(Ast *ast, AstKind kind, size_t size)
{
    AstNode *node = arena_alloc(&ast->arena, size);
    if (node != NULL) {
        memset(node, 0, sizeof(*node));
        node->kind = (uint8_t)kind;
    }
    return node;
}

/* -- tables --------------------------------------------------------------- */

/* The fields of all kinds, in one array a kind. */
#define AST_NODE(sum, Node) static const AstFieldInfo fields_##Node[] = {
#define AST_FIELD(sum, Node, type, cardinality, name)                          \
    {#name, AST_TYPE_##type, AST_CARDINALITY_##cardinality,                    \
     offsetof(struct AST_STRUCT_##sum, Node.name)},
#define AST_NODE_END(sum, Node) {NULL, 0, 0, 0}};
#define AST_PRODUCT(product, attributes) static const AstFieldInfo fields_##product[] = {
#define AST_PART(product, type, cardinality, name)                             \
    {#name, AST_TYPE_##type, AST_CARDINALITY_##cardinality,                    \
     offsetof(struct AST_STRUCT_##product, name)},
#define AST_PRODUCT_END(product) {NULL, 0, 0, 0}};
#include "core/syntax/ast.def"

enum {
#define AST_SUM(sum, attributes) attributes_of_##sum = AST_ATTRIBUTES_##attributes,
#include "core/syntax/ast.def"
};

const AstKindInfo ast_kinds[AST_KIND_COUNT] = {
#define AST_NODE(sum, Node)                                                    \
    [AST_##Node] = {#Node, AST_TYPE_##sum, attributes_of_##sum,                \
                    ARRAY_LEN(fields_##Node) - 1, AST_SIZE(Node), fields_##Node},
#define AST_PRODUCT(product, attributes)                                       \
    [AST_##product] = {#product, AST_TYPE_##product, AST_ATTRIBUTES_##attributes, \
                       ARRAY_LEN(fields_##product) - 1,                        \
                       sizeof(struct AST_STRUCT_##product), fields_##product},
#include "core/syntax/ast.def"
};

static const char *const type_names[AST_TYPE_COUNT] = {
    "identifier", "string", "constant", "int",
#define AST_SUM(sum, attributes) #sum,
#define AST_ENUM(sum) #sum,
#define AST_PRODUCT(product, attributes) #product,
#include "core/syntax/ast.def"
};

#define AST_ENUM(sum) static const char *const items_##sum[] = {NULL,
#define AST_ITEM(sum, Node) #Node,
#define AST_ENUM_END(sum) };
#include "core/syntax/ast.def"

static const struct {
    const char *const *names;
    int count;
} enums[AST_TYPE_COUNT] = {
#define AST_ENUM(sum) [AST_TYPE_##sum] = {items_##sum, ARRAY_LEN(items_##sum) - 1},
#include "core/syntax/ast.def"
};

const char *
ast_type_name(AstType type)
{
    return type_names[type];
}

bool
ast_type_is_enum(AstType type)
{
    return enums[type].count > 0;
}

int
ast_enum_count(AstType type)
{
    return enums[type].count;
}

const char *
ast_enum_name(AstType type, int item)
{
    return item >= 1 && item <= enums[type].count ? enums[type].names[item] : NULL;
}

/* 1 + attributes; 0: not such a family */
static const uint8_t sums[AST_TYPE_COUNT] = {
#define AST_SUM(sum, attributes) [AST_TYPE_##sum] = 1 + AST_ATTRIBUTES_##attributes,
#include "core/syntax/ast.def"
};

bool
ast_type_is_sum(AstType type)
{
    return sums[type] != 0;
}

int
ast_type_attributes(AstType type)
{
    return sums[type] != 0 ? sums[type] - 1 : AST_ATTRIBUTES_NONE;
}

size_t
ast_item_size(AstType type)
{
    return ast_type_is_enum(type) ? sizeof(AstCmpop) : sizeof(void *);
}
