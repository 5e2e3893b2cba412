/* symbols.h -- scopes: who binds which name, in which block.
 *
 * symbols_build() walks the tree twice: the first pass collects what each block does with each
 * name, the second decides where the name lives.  Everything lies in the arena given.
 */
#ifndef CORE_COMPILE_SYMBOLS_H
#define CORE_COMPILE_SYMBOLS_H

#include "base/arena.h"
#include "core/syntax/ast.h"
#include "objects/model/type.h"

/* What a block does with a name. */
enum {
    DEF_GLOBAL = 1, DEF_LOCAL = 2, DEF_PARAM = 4, DEF_NONLOCAL = 8, USE = 16, DEF_FREE = 32,
    DEF_FREE_CLASS = 64, DEF_IMPORT = 128, DEF_ANNOT = 256, DEF_COMP_ITER = 512,
    DEF_BOUND = DEF_LOCAL | DEF_PARAM | DEF_IMPORT,
};

/* Where a name lives, seen from the block. */
enum { PLACE_NONE, PLACE_LOCAL, PLACE_GLOBAL_EXPLICIT, PLACE_GLOBAL_IMPLICIT, PLACE_FREE, PLACE_CELL };

enum ScopeKind { SCOPE_MODULE, SCOPE_CLASS, SCOPE_FUNCTION };
enum CompKind { COMP_NONE, COMP_LIST, COMP_SET, COMP_DICT, COMP_GENERATOR };

typedef struct Symbol {
    Value name;      /* interned, kept by the tree or the compiler */
    uint16_t flags;  /* DEF_ */
    uint8_t place;   /* PLACE_ */
    uint8_t captured;/* an inner block refers to it */
    int32_t lineno, col, end_lineno, end_col; /* first global/nonlocal statement */
    int32_t reg;     /* register, given by the code generator */
} Symbol;

typedef struct Scope {
    struct Scope *parent;
    enum ScopeKind kind;
    enum CompKind comp;
    const AstNode *node;
    Value name;              /* of the function or class */
    Value private_class;     /* class name for mangling, or NULL */
    Symbol *symbols;         /* in order of appearance */
    uint32_t count, capacity;
    uint32_t *hash;          /* open addressing, index + 1; NULL while few */
    uint32_t hash_size;
    struct Scope **children; /* in order of appearance */
    uint32_t child_count, child_capacity;
    uint32_t next_child;
    bool is_generator, is_coroutine, has_star_import, has_yield_value, nested;
    bool has_varargs, has_varkeywords;
    bool needs_class_cell;   /* class: an inner function uses __class__ */
    bool has_walrus;
    bool in_comp_iter;       /* the part of a comprehension where walrus is forbidden */
    bool returns_value;
    bool is_annotation;      /* stands for an annotation that is kept as text; has no code */
    int32_t lineno, col;
} Scope;

typedef struct Symbols {
    Thread *th;
    Arena *arena;
    Value filename;          /* for errors */
    bool future_annotations;
    bool failed;
    Scope *module;
    Scope *current;
    Scope **by_node;         /* node->mark - 1 indexes it */
    uint32_t node_count, node_capacity;
    Value (*mangle)(void *context, Value class_name, Value name); /* kept by the context */
    Value (*keep)(void *context, Value STEALS name); /* until the code is made; NULL: failed */
    void *context;
} Symbols;

/* False with SyntaxError, RecursionError or MemoryError set. */
RAISES bool symbols_build(Symbols *s, const AstNode *tree);
/* The scope made for a function, class, lambda or comprehension node. */
Scope *symbols_of(Symbols *s, const AstNode *node);
Symbol *scope_find(const Scope *scope, Value name);

/* Raises SyntaxError at a place (columns as in the tree).  Source text of the line is added by
 * the caller of the compiler that has it. */
COLD void compile_error(Thread *th, Value filename, int line, int col, int end_line, int end_col,
                        const char *format, ...);
/* The same as the passes before the code generator raise it: `args` has the message alone.  Offsets count
 * bytes from 1; COMPILE_NO_END: end_offset is None. */
COLD void compile_error_later(Thread *th, Value filename, int line, int offset, int end_line, int end_offset,
                              const char *format, ...);
#define COMPILE_NO_END (-1)

#endif
