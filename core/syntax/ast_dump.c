/* ast_dump.c -- the tree as text, in the form of Python's ast.dump(). */
#include "core/syntax/ast_dump.h"

typedef struct Dump {
    FILE *file;
    bool attributes;
    AstShow show;
    void *context;
} Dump;

static void dump_node(const Dump *d, const AstNode *node);

/* One value of a field: what `at` points to. */
static void
dump_item(const Dump *d, AstType type, const void *at)
{
    switch (type) {
    case AST_TYPE_identifier:
    case AST_TYPE_string:
    case AST_TYPE_constant: {
        Value value = *(const Value *)at;
        if (value == NULL) {
            fputs("None", d->file);
        } else {
            d->show(d->file, value, d->context);
        }
        return;
    }
    case AST_TYPE_int:
        fprintf(d->file, "%d", *(const int *)at);
        return;
    default:
        if (ast_type_is_enum(type)) {
            fprintf(d->file, "%s()", ast_enum_name(type, *(const int *)at));
            return;
        }
        dump_node(d, *(AstNode *const *)at);
    }
}

static void
dump_field(const Dump *d, const AstFieldInfo *field, const void *at)
{
    if (field->cardinality != AST_CARDINALITY_SEQ) {
        dump_item(d, field->type, at);
        return;
    }
    const AstSeq *seq = at;
    size_t size = ast_item_size(field->type);
    fputc('[', d->file);
    for (uint32_t i = 0; i < seq->count; i++) {
        if (i > 0) {
            fputs(", ", d->file);
        }
        dump_item(d, field->type, (const char *)seq->items + i * size);
    }
    fputc(']', d->file);
}

/* Whether ast.dump() leaves the field out: it is optional and not there. */
static bool
is_absent(const AstFieldInfo *field, const void *at)
{
    return field->cardinality == AST_CARDINALITY_OPT && field->type != AST_TYPE_int &&
           *(void *const *)at == NULL;
}

static void
dump_node(const Dump *d, const AstNode *node)
{
    if (node == NULL) {
        fputs("None", d->file);
        return;
    }
    const AstKindInfo *kind = &ast_kinds[node->kind];
    const char *separator = "";
    fprintf(d->file, "%s(", kind->name);
    for (int i = 0; i < kind->field_count; i++) {
        const AstFieldInfo *field = &kind->fields[i];
        const void *at = (const char *)node + field->offset;
        if (is_absent(field, at)) {
            continue;
        }
        fprintf(d->file, "%s%s=", separator, field->name);
        dump_field(d, field, at);
        separator = ", ";
    }
    if (d->attributes && kind->attributes != AST_ATTRIBUTES_NONE) {
        fprintf(d->file, "%slineno=%d, col_offset=%d, end_lineno=%d, end_col_offset=%d",
                separator, node->lineno, node->col_offset, node->end_lineno,
                node->end_col_offset);
    }
    fputc(')', d->file);
}

void
ast_dump(FILE *file, const void *node, bool attributes, AstShow show, void *context)
{
    Dump d = {file, attributes, show, context};
    dump_node(&d, node);
}
