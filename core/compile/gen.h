/* gen.h -- the code generator's hands: units, registers, labels, blocks.
 *
 * One Unit makes one Code.  Variables have registers 0 .. temp_base-1, temporaries lie above and
 * are used like a stack.  `live` lists the temporaries that hold a value; emit() writes down for
 * each instruction which are live while it runs (operands included, the destination not).
 *
 * The first error is sticky: it stays in th->error, generation goes on without effect.
 */
#ifndef CORE_COMPILE_GEN_H
#define CORE_COMPILE_GEN_H

#include "base/assert.h"
#include "base/vec.h"
#include "core/compile/compile.h"
#include "core/compile/symbols.h"
#include "objects/container/container.h"
#include "objects/text/bytes.h"
#include "objects/error/error.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

/* Mark of a `from __future__` statement that stands where it may. */
#define FUTURE_ACCEPTED 0x46555455u

/* Where an operand is. */
typedef struct Opnd {
    uint16_t reg;
    bool temp; /* a temporary: ends with the instruction that uses it */
} Opnd;

/* Where a result goes: a temporary (flags 0) or a variable (flags A_LIVE). */
typedef struct Dest {
    uint16_t reg;
    uint8_t flags;
} Dest;

typedef int32_t Label;
typedef VEC(Value) ValueVec;

enum BlockKind {
    BLOCK_LOOP,        /* for and while */
    BLOCK_FINALLY,     /* body of try ... finally */
    BLOCK_FINALLY_END, /* the finally part, run for an exception */
    BLOCK_TRY,         /* body of try ... except */
    BLOCK_HANDLER,     /* body of an except clause */
    BLOCK_STAR,        /* except* clauses */
    BLOCK_WITH,
};

enum { BLOCKS_MAX = 20 };

typedef struct Block {
    enum BlockKind kind;
    Label top, end;        /* loop: continue and break targets */
    int reg;               /* loop: iterator or -1; handler: saved pair; with: exit method */
    Label handler;         /* where exceptions of this block go, -1: nowhere */
    int32_t range_start;   /* open protected range, -1: suspended */
    const AstStmts *final; /* BLOCK_FINALLY: the finally part */
    AstExpr *name;         /* BLOCK_HANDLER: name to unbind, or NULL */
    bool is_async;
    const AstNode *where;
    struct Block *outer;
    int depth;
    uint32_t live_count;   /* live temporaries at the block's start */
} Block;

typedef struct Fixup {
    uint32_t word;   /* instruction (bc) or extra word */
    uint32_t base;   /* jumps are relative to this word */
    Label label;
    bool extra;
} Fixup;

typedef struct Protected {
    ExceptionEntry e;
    Label handler;
    int depth;
} Protected;

typedef struct Compiler {
    Thread *th;
    Symbols symbols;
    Arena arena;
    const CompileOptions *options;
    uint32_t future;       /* CODE_FUTURE_ bits */
    bool failed;
    bool interactive;
    VEC(Value) keep;       /* names and constants made here */
    Value mangle_dict;     /* (class, name) -> mangled */
} Compiler;

typedef struct Unit {
    struct Unit *outer;
    Compiler *c;
    Thread *th;
    Scope *scope;
    Value name, qualname;
    VEC(uint64_t) words;
    VEC(Position) positions;
    VEC(uint16_t) live_index;
    Position pos;
    ValueVec consts;
    uint32_t *const_hash;
    uint32_t const_hash_size;
    ValueVec names;
    uint32_t *name_hash;
    uint32_t name_hash_size;
    VEC(Value) var_names;
    VEC(uint8_t) var_kinds;
    uint32_t temp_base, top, max;
    VEC(uint16_t) live;
    VEC(uint32_t) live_start;
    VEC(uint16_t) live_registers;
    uint32_t *live_hash;
    uint32_t live_hash_size;
    int live_id;           /* of the present live list, -1: not known */
    VEC(int32_t) labels;
    VEC(Fixup) fixups;
    VEC(Protected) ranges;
    Block *block;
    uint64_t *bound;       /* variables that surely hold a value */
    uint64_t *deleted;     /* variables somewhere deleted: never sure */
    uint32_t bound_words;
    bool is_function;      /* names are registers */
    uint32_t flags;
    uint32_t arg_count, posonly_count, kwonly_count, local_count, cell_count, free_count;
    Value self_attrs[64];
    uint32_t self_attr_count;
    int class_cell_reg;    /* class body: register of the __class__ cell, or -1 */
    uint32_t depth;        /* nested expressions */
} Unit;

/* -- gen.c -- */
void gen_error(Unit *u, const void *node, const char *format, ...);
void gen_warn(Unit *u, const void *node, const char *format, ...);
bool gen_failed(Unit *u);
void gen_at(Unit *u, const void *node);           /* position of what follows */
/* The same for what happens when attribute `attr` is named: it starts at the name where that has a line of its own. */
void gen_at_attr(Unit *u, const void *node, const AstExpr *attr);
uint32_t emit(Unit *u, enum Opcode op, unsigned flags, unsigned a, unsigned b, unsigned c);
uint32_t emit_wide(Unit *u, enum Opcode op, unsigned flags, unsigned a, int32_t bc);
void emit_extra(Unit *u, uint64_t word);
Label label_new(Unit *u);
void label_bind(Unit *u, Label l);
void emit_jump(Unit *u, enum Opcode op, unsigned flags, unsigned a, Label to);
void emit_jump_extra(Unit *u, enum Opcode op, unsigned flags, unsigned a, unsigned b, unsigned c,
                     Label to);
unsigned temp_new(Unit *u);
unsigned temps_new(Unit *u, unsigned n);          /* consecutive */
void live_add(Unit *u, unsigned reg);
void live_del(Unit *u, unsigned reg);
bool live_has(Unit *u, unsigned reg);
void temp_end(Unit *u, unsigned reg);             /* no longer live; the top sinks to it */
void opnd_end(Unit *u, Opnd o);
unsigned gen_const(Unit *u, Value v);             /* index; retains */
unsigned gen_name(Unit *u, Value name);           /* index of a mangled name; below 65536 */
unsigned gen_name_wide(Unit *u, Value name);
Value gen_mangle(Unit *u, Value name);
void load_const(Unit *u, Value v, Dest d);
void dest_done(Unit *u, Dest d);                  /* d holds a value now */
void bound_set(Unit *u, unsigned reg);
bool bound_has(Unit *u, unsigned reg);
uint64_t *bound_save(Unit *u);
void bound_restore(Unit *u, const uint64_t *saved);
void bound_meet(Unit *u, const uint64_t *saved);
void bound_unreachable(Unit *u);
Value keep_value(Compiler *c, Value STEALS v);    /* freed with the compiler */
Value mangle_name(void *compiler, Value class_name, Value name);
Block *block_push(Unit *u, Block *b, enum BlockKind kind, Label handler);
void block_pop(Unit *u, Block *b);
void block_suspend(Unit *u, Block *b);
void block_resume(Unit *u, Block *b);
bool unit_begin(Unit *u, Compiler *c, Unit *outer, Scope *scope, Value name);
Value unit_finish(Unit *u);                       /* new Code */
void unit_free(Unit *u);

/* -- gen_expr.c -- */
Opnd gen_expr(Unit *u, AstExpr *e);               /* anywhere */
Opnd gen_expr_temp(Unit *u, AstExpr *e);          /* in a temporary */
void gen_into(Unit *u, AstExpr *e, Dest d);
void gen_condition(Unit *u, AstExpr *e, Label to, bool jump_if);
void gen_binary(Unit *u, int op, bool inplace, Dest d, Opnd left, AstExpr *right);
void gen_load_name(Unit *u, Value name, Dest d, const void *where);
int gen_local_register(Unit *u, Value name);      /* -1: not a plain local variable */
void gen_await(Unit *u, unsigned reg, Dest d, unsigned kind); /* reg: an awaitable, live; ends */
bool is_async_scope(Unit *u);
void gen_call_window(Unit *u, unsigned win, unsigned nargs, Dest d);
bool small_int(const AstExpr *e, int *out);      /* a constant that fits an instruction's 16 bits */
/* The type's name that an expression surely has, or NULL. */
const char *literal_type(const AstExpr *e);
bool fold_constant(Unit *u, AstExpr *e);          /* e became (or is) a Constant */
bool is_simple(const AstExpr *e);
/* The bounds of a slice in consecutive temporaries from the result on; *n: 2, or 3 with a step. */
unsigned gen_slice_parts(Unit *u, AstExpr *e, unsigned *n);

/* -- gen_call.c -- */
void gen_call(Unit *u, AstExpr *e, Dest d);
void gen_call_args(Unit *u, unsigned win, bool method, AstExprs args, AstKeywords keywords, Dest d,
                   unsigned given);
void gen_joined_str(Unit *u, AstExpr *e, Dest d);
void gen_formatted(Unit *u, AstExpr *e, Dest d);
void gen_sequence(Unit *u, AstExprs elts, enum Opcode build, Dest d);
void gen_dict(Unit *u, AstExpr *e, Dest d);

/* -- gen_assign.c -- */
void gen_store(Unit *u, AstExpr *target, Opnd value);  /* value ends if temporary */
void gen_store_name(Unit *u, Value name, Opnd value, const void *where);
void gen_delete(Unit *u, AstExpr *target);
void gen_delete_name(Unit *u, Value name, const void *where);
void gen_assign(Unit *u, AstStmt *st);
void gen_aug_assign(Unit *u, AstStmt *st);
void gen_ann_assign(Unit *u, AstStmt *st);

/* -- gen_stmt.c, gen_block.c -- */
void gen_body(Unit *u, AstStmts body);
void gen_stmt(Unit *u, AstStmt *st);
void gen_for(Unit *u, AstStmt *st);
void gen_async_for(Unit *u, AstStmt *st);
void gen_while(Unit *u, AstStmt *st);
void gen_try(Unit *u, AstStmt *st);
void gen_try_star(Unit *u, AstStmt *st);
void gen_with(Unit *u, AstStmt *st, bool is_async);
void gen_return(Unit *u, AstStmt *st);
void gen_break(Unit *u, AstStmt *st, bool is_continue);

/* -- gen_func.c, gen_match.c -- */
void gen_function_def(Unit *u, AstStmt *st);
void gen_class_def(Unit *u, AstStmt *st);
void gen_lambda(Unit *u, AstExpr *e, Dest d);
void gen_comprehension(Unit *u, AstExpr *e, Dest d);
void gen_match(Unit *u, AstStmt *st);
void gen_module_start(Unit *u, AstStmts *body, bool docstring);
bool body_docstring(AstStmts body, Value *doc);   /* BORROWED */

#endif
