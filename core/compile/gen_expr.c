/* gen_expr.c -- expressions to instructions.
 *
 * gen_expr() gives an operand wherever it is: a local variable is used in place.  gen_into() writes
 * to a destination.  A destination that is a variable is written by one instruction, the last, so an
 * exception on the way leaves the variable as it was.
 */
#include "core/compile/gen.h"

#include <string.h>

bool
is_simple(const AstExpr *e)
{
    return e->kind == AST_Constant || e->kind == AST_Name;
}

static bool
too_deep(Unit *u)
{
    if (u->c->failed)
        return true;
    if (thread_stack_low(u->th)) {
        u->c->failed = true;
        raise_recursion(u->th, " during compilation");
        return true;
    }
    return false;
}

/* -- names ----------------------------------------------------------------------------------- */

static Symbol *
find_symbol(Unit *u, Value mangled)
{
    return scope_find(u->scope, mangled);
}

int
gen_local_register(Unit *u, Value name)
{
    if (!u->is_function)
        return -1;
    Symbol *sym = find_symbol(u, gen_mangle(u, name));
    return sym && sym->place == PLACE_LOCAL ? sym->reg : -1;
}

void
gen_load_name(Unit *u, Value name, Dest d, const void *where)
{
    (void)where;
    name = gen_mangle(u, name);
    Symbol *sym = find_symbol(u, name);
    int place = sym ? sym->place : PLACE_GLOBAL_IMPLICIT;
    if (u->c->failed)
        return;
    switch (place) {
    case PLACE_LOCAL:
        if (u->is_function) {
            if (!bound_has(u, (unsigned)sym->reg))
                emit(u, OP_CHECK_BOUND, 0, (unsigned)sym->reg, 0, 0);
            bound_set(u, (unsigned)sym->reg);
            emit(u, OP_COPY, d.flags, d.reg, (unsigned)sym->reg, 0);
            break;
        }
        emit_wide(u, OP_LOAD_NAME, d.flags, d.reg, (int32_t)gen_name_wide(u, name));
        emit_extra(u, 0);
        break;
    case PLACE_CELL:
        if (u->scope->kind == SCOPE_MODULE) {
            emit_wide(u, OP_LOAD_NAME, d.flags, d.reg, (int32_t)gen_name_wide(u, name));
            emit_extra(u, 0);
        } else
            emit(u, OP_LOAD_DEREF, d.flags, d.reg, (unsigned)sym->reg, 0);
        break;
    case PLACE_FREE:
        emit(u, u->scope->kind == SCOPE_CLASS ? OP_LOAD_CLASSDEREF : OP_LOAD_DEREF, d.flags, d.reg,
             (unsigned)sym->reg, 0);
        break;
    case PLACE_GLOBAL_EXPLICIT:
        emit_wide(u, OP_LOAD_GLOBAL, d.flags, d.reg, (int32_t)gen_name_wide(u, name));
        emit_extra(u, 0);
        break;
    default:
        emit_wide(u, u->is_function ? OP_LOAD_GLOBAL : OP_LOAD_NAME, d.flags, d.reg,
                  (int32_t)gen_name_wide(u, name));
        emit_extra(u, 0);
    }
    dest_done(u, d);
}

/* -- operands --------------------------------------------------------------------------------- */

Opnd
gen_expr_temp(Unit *u, AstExpr *e)
{
    unsigned t = temp_new(u);
    gen_into(u, e, (Dest){(uint16_t)t, 0});
    return (Opnd){(uint16_t)t, true};
}

Opnd
gen_expr(Unit *u, AstExpr *e)
{
    if (e->kind == AST_Name && e->Name.ctx == AST_Load) {
        int reg = gen_local_register(u, e->Name.id);
        if (reg >= 0) {
            if (!bound_has(u, (unsigned)reg)) {
                gen_at(u, e);
                emit(u, OP_CHECK_BOUND, 0, (unsigned)reg, 0, 0);
                bound_set(u, (unsigned)reg);
            }
            return (Opnd){(uint16_t)reg, false};
        }
    }
    return gen_expr_temp(u, e);
}

/* An operand that is used after `later` was evaluated: a variable that `later` might assign (by a
 * walrus) is copied. */
static Opnd
gen_early(Unit *u, AstExpr *e, const AstExpr *later)
{
    if (u->scope->has_walrus && later && !is_simple(later) && e->kind == AST_Name)
        return gen_expr_temp(u, e);
    return gen_expr(u, e);
}

static unsigned
dead_b(Opnd o)
{
    return o.temp ? B_DEAD : 0;
}

static unsigned
dead_c(Opnd o)
{
    return o.temp ? C_DEAD : 0;
}

bool
small_int(const AstExpr *e, int *out)
{
    if (e->kind != AST_Constant || !value_is_fixnum(e->Constant.value))
        return false;
    int64_t n = value_fixnum(e->Constant.value);
    if (n < INT16_MIN || n > INT16_MAX)
        return false;
    *out = (int)n;
    return true;
}

/* -- constants ----------------------------------------------------------------------------------- */

/* Sizes beyond which an operation is left to run time. */
enum { FOLD_BITS = 128, FOLD_LENGTH = 4096 };

static bool
fold_allowed(int op, Value a, Value b)
{
    if (is_int(a) && is_int(b)) {
        int64_t x = int_bit_length(a), y = int_bit_length(b), n;
        if (op == BIN_MULTIPLY)
            return x + y <= FOLD_BITS;
        if (op == BIN_POWER)
            return int_fits_i64(b, &n) && n >= 0 && n <= FOLD_BITS && x * n <= FOLD_BITS;
        if (op == BIN_LSHIFT)
            return int_fits_i64(b, &n) && n >= 0 && n <= FOLD_BITS && x + n <= FOLD_BITS;
        return true;
    }
    if (op == BIN_MULTIPLY) {
        Value seq = is_int(a) ? b : a, count = is_int(a) ? a : b;
        int64_t n, length;
        if (!is_int(count) || !int_fits_i64(count, &n))
            return !is_str(seq) && !is_bytes(seq) && !is_tuple(seq);
        if (is_str(seq))
            length = (int64_t)str_length(seq);
        else if (is_bytes(seq))
            length = as_bytes(seq)->length;
        else if (is_tuple(seq))
            length = tuple_length(seq) * 16;
        else
            return true;
        return n <= 0 || length == 0 || n <= FOLD_LENGTH / length;
    }
    if (op == BIN_REMAINDER && (is_str(a) || is_bytes(a)))
        return false;
    if (op == BIN_POWER && (is_exact(a, SHAPE_COMPLEX) || is_exact(b, SHAPE_COMPLEX)))
        return true;
    return true;
}

static bool
become(Unit *u, AstExpr *e, Value STEALS v)
{
    if (v == NULL) { /* the run-time operation raises it again */
        if (error_matches(u->th, &exc_KeyboardInterrupt) || error_matches(u->th, &exc_MemoryError))
            u->c->failed = true;
        else
            error_clear(u->th);
        e->mark = 1;
        return false;
    }
    if (keep_value(u->c, v) == NULL)
        return false;
    ast_become_constant(e, v, AST_LITERAL_OTHER);
    return true;
}

static bool
fold_sequence(Unit *u, AstExpr *e, AstExprs elts)
{
    for (uint32_t i = 0; i < elts.count; i++)
        if (!fold_constant(u, elts.items[i])) {
            e->mark = 1;
            return false;
        }
    Value t = tuple_new(u->th, elts.count);
    if (t == NULL) {
        u->c->failed = true;
        return false;
    }
    for (uint32_t i = 0; i < elts.count; i++)
        tuple_init_item(t, i, retain(u->th, elts.items[i]->Constant.value));
    return become(u, e, t);
}

/* BinOp, UnaryOp and Tuple nodes carry mark 1 once they proved not constant. */
bool
fold_constant(Unit *u, AstExpr *e)
{
    if (e->kind == AST_Constant)
        return true;
    if (u->c->failed)
        return false;
    switch (e->kind) {
    case AST_BinOp: {
        if (e->mark == 1 || too_deep(u))
            return false;
        bool left = fold_constant(u, e->BinOp.left);
        if (!left || !fold_constant(u, e->BinOp.right)) {
            e->mark = 1;
            return false;
        }
        static const int ops[] = {
            [AST_Add] = BIN_ADD, [AST_Sub] = BIN_SUBTRACT, [AST_Mult] = BIN_MULTIPLY,
            [AST_Div] = BIN_TRUE_DIVIDE, [AST_FloorDiv] = BIN_FLOOR_DIVIDE, [AST_Mod] = BIN_REMAINDER,
            [AST_Pow] = BIN_POWER, [AST_MatMult] = BIN_MATRIX_MULTIPLY, [AST_LShift] = BIN_LSHIFT,
            [AST_RShift] = BIN_RSHIFT, [AST_BitAnd] = BIN_AND, [AST_BitOr] = BIN_OR, [AST_BitXor] = BIN_XOR,
        };
        int op = ops[e->BinOp.op];
        Value a = e->BinOp.left->Constant.value, b = e->BinOp.right->Constant.value;
        if (!fold_allowed(op, a, b)) {
            e->mark = 1;
            return false;
        }
        return become(u, e, number_binary(u->th, a, b, op));
    }
    case AST_UnaryOp: {
        if (e->mark == 1 || too_deep(u))
            return false;
        if (!fold_constant(u, e->UnaryOp.operand)) {
            e->mark = 1;
            return false;
        }
        Value v = e->UnaryOp.operand->Constant.value, r;
        switch (e->UnaryOp.op) {
        case AST_USub:
            r = number_negative(u->th, v);
            break;
        case AST_UAdd:
            r = number_positive(u->th, v);
            break;
        case AST_Invert:
            r = number_invert(u->th, v);
            break;
        default: {
            Answer a = is_true(u->th, v);
            r = a == FAILED ? NULL : bool_from(a == NO);
        }
        }
        return become(u, e, r);
    }
    case AST_Tuple:
        if (e->mark == 1 || e->Tuple.ctx != AST_Load || too_deep(u))
            return false;
        return fold_sequence(u, e, e->Tuple.elts);
    case AST_Name:
        if (e->Name.id == NAME(__debug__) && e->Name.ctx == AST_Load) {
            ast_become_constant(e, u->c->options->optimize ? FALSE : TRUE, AST_LITERAL_OTHER);
            return true;
        }
        return false;
    default:
        return false;
    }
}

/* -- operators ------------------------------------------------------------------------------------- */

static int
binary_number(AstOperator op)
{
    switch (op) {
    case AST_Add: return BIN_ADD;
    case AST_Sub: return BIN_SUBTRACT;
    case AST_Mult: return BIN_MULTIPLY;
    case AST_Div: return BIN_TRUE_DIVIDE;
    case AST_FloorDiv: return BIN_FLOOR_DIVIDE;
    case AST_Mod: return BIN_REMAINDER;
    case AST_Pow: return BIN_POWER;
    case AST_MatMult: return BIN_MATRIX_MULTIPLY;
    case AST_LShift: return BIN_LSHIFT;
    case AST_RShift: return BIN_RSHIFT;
    case AST_BitAnd: return BIN_AND;
    case AST_BitOr: return BIN_OR;
    default: return BIN_XOR;
    }
}

static bool
float_const(const AstExpr *e)
{
    return e->kind == AST_Constant && value_is_flonum(e->Constant.value);
}

/* The instruction for `x op right` with a constant in it, and its operand c; OP_NOP: none. */
static enum Opcode
constant_form(Unit *u, int op, const AstExpr *right, uint16_t *c)
{
    int n;
    enum Opcode o = OP_NOP;
    if (small_int(right, &n)) {
        *c = (uint16_t)n;
        switch (op) {
        case BIN_ADD: return OP_ADD_IMM;
        case BIN_SUBTRACT: return OP_SUBTRACT_IMM;
        case BIN_MULTIPLY: return OP_MULTIPLY_IMM;
        case BIN_FLOOR_DIVIDE: return n > 0 ? OP_FLOOR_DIVIDE_IMM : OP_NOP;
        case BIN_REMAINDER: return n > 0 ? OP_REMAINDER_IMM : OP_NOP;
        case BIN_LSHIFT: return n >= 0 && n < 62 ? OP_LSHIFT_IMM : OP_NOP;
        case BIN_RSHIFT: return n >= 0 && n < 62 ? OP_RSHIFT_IMM : OP_NOP;
        case BIN_AND: return OP_AND_IMM;
        default: return OP_NOP;
        }
    }
    if (float_const(right)) {
        switch (op) {
        case BIN_ADD: o = OP_ADD_K; break;
        case BIN_SUBTRACT: o = OP_SUBTRACT_K; break;
        case BIN_MULTIPLY: o = OP_MULTIPLY_K; break;
        case BIN_TRUE_DIVIDE: o = OP_TRUE_DIVIDE_K; break;
        default: return OP_NOP;
        }
        unsigned index = gen_const(u, right->Constant.value);
        if (index > UINT16_MAX)
            return OP_NOP;
        *c = (uint16_t)index;
    }
    return o;
}

/* d = left op right; `left` ends if it is a temporary. */
void
gen_binary(Unit *u, int op, bool inplace, Dest d, Opnd left, AstExpr *right)
{
    unsigned x = inplace ? FLAG_X : 0;
    uint16_t c;
    fold_constant(u, right);
    Position at = u->pos;
    enum Opcode form = constant_form(u, op, right, &c);
    if (form != OP_NOP) {
        emit(u, form, d.flags | x | dead_b(left), d.reg, left.reg, c);
        opnd_end(u, left);
    } else {
        Opnd r = gen_expr(u, right);
        u->pos = at;
        emit(u, (enum Opcode)(OP_ADD + op), d.flags | x | dead_b(left) | dead_c(r), d.reg, left.reg,
             r.reg);
        opnd_end(u, r);
        opnd_end(u, left);
    }
    dest_done(u, d);
}

/* When the destination is a temporary it can hold the left operand meanwhile. */
static Opnd
left_operand(Unit *u, AstExpr *e, Dest d, const AstExpr *later)
{
    fold_constant(u, e);
    if (e->kind == AST_Name || d.flags & A_LIVE)
        return gen_early(u, e, later);
    gen_into(u, e, d);
    return (Opnd){d.reg, true};
}

static void
end_left(Unit *u, Opnd left, Dest d)
{
    if (left.temp && left.reg == d.reg && !(d.flags & A_LIVE))
        live_del(u, d.reg); /* becomes live again as the result, keeps its place */
    else
        opnd_end(u, left);
}

static void
gen_binop(Unit *u, AstExpr *e, Dest d)
{
    int op = binary_number(e->BinOp.op);
    /* A long chain leans to the left: the innermost first, in a loop. */
    uint32_t depth = 0;
    AstExpr *at = e;
    while (at->kind == AST_BinOp) {
        at = at->BinOp.left;
        depth++;
    }
    if (depth > 100 && !(d.flags & A_LIVE)) {
        AstExpr **chain = arena_alloc(&u->c->arena, depth * sizeof *chain);
        if (chain == NULL) {
            u->c->failed = true;
            raise_memory(u->th);
            return;
        }
        AstExpr *node = e;
        for (uint32_t i = depth; i-- > 0; node = node->BinOp.left)
            chain[i] = node;
        gen_into(u, at, d);
        for (uint32_t i = 0; i < depth && !u->c->failed; i++) {
            Opnd r = gen_expr(u, chain[i]->BinOp.right);
            gen_at(u, chain[i]);
            emit(u, (enum Opcode)(OP_ADD + binary_number(chain[i]->BinOp.op)), B_DEAD | dead_c(r), d.reg,
                 d.reg, r.reg);
            opnd_end(u, r);
        }
        return;
    }
    fold_constant(u, e->BinOp.left);
    fold_constant(u, e->BinOp.right);
    uint16_t c;
    if ((op == BIN_SUBTRACT || op == BIN_TRUE_DIVIDE) && float_const(e->BinOp.left)) { /* 1.0 - x */
        unsigned index = gen_const(u, e->BinOp.left->Constant.value);
        if (index <= UINT16_MAX) {
            Opnd right = left_operand(u, e->BinOp.right, d, NULL);
            gen_at(u, e);
            emit(u, op == BIN_SUBTRACT ? OP_SUBTRACT_FROM_K : OP_DIVIDE_K, d.flags | dead_b(right), d.reg,
                 right.reg, index);
            end_left(u, right, d);
            dest_done(u, d);
            return;
        }
    }
    Opnd left = left_operand(u, e->BinOp.left, d, e->BinOp.right);
    enum Opcode form = constant_form(u, op, e->BinOp.right, &c);
    if (form != OP_NOP) {
        gen_at(u, e);
        emit(u, form, d.flags | dead_b(left), d.reg, left.reg, c);
    } else {
        Opnd r = gen_expr(u, e->BinOp.right);
        gen_at(u, e);
        emit(u, (enum Opcode)(OP_ADD + op), d.flags | dead_b(left) | dead_c(r), d.reg, left.reg, r.reg);
        opnd_end(u, r);
    }
    end_left(u, left, d);
    dest_done(u, d);
}

static void
gen_unary(Unit *u, AstExpr *e, Dest d)
{
    enum Opcode op = e->UnaryOp.op == AST_Not      ? OP_NOT
                     : e->UnaryOp.op == AST_USub   ? OP_NEGATIVE
                     : e->UnaryOp.op == AST_UAdd   ? OP_POSITIVE
                                                   : OP_INVERT;
    Opnd v = left_operand(u, e->UnaryOp.operand, d, NULL);
    gen_at(u, e);
    emit(u, op, d.flags | dead_b(v), d.reg, v.reg, 0);
    end_left(u, v, d);
    dest_done(u, d);
}

static int
compare_number(AstCmpop op)
{
    switch (op) {
    case AST_Lt: return OP_LT;
    case AST_LtE: return OP_LE;
    case AST_Eq: return OP_EQ;
    case AST_NotEq: return OP_NE;
    case AST_Gt: return OP_GT;
    case AST_GtE: return OP_GE;
    default: return -1;
    }
}

const char *
literal_type(const AstExpr *e)
{
    switch (e->kind) {
    case AST_Constant: return type_name_of(e->Constant.value);
    case AST_Tuple: return "tuple";
    case AST_List: case AST_ListComp: return "list";
    case AST_Dict: case AST_DictComp: return "dict";
    case AST_Set: case AST_SetComp: return "set";
    case AST_GeneratorExp: return "generator";
    case AST_Lambda: return "function";
    case AST_JoinedStr: case AST_FormattedValue: return "str";
    default: return NULL;
    }
}

static bool
odd_for_is(Unit *u, AstExpr *e)
{
    if (e->kind == AST_Tuple && e->Tuple.ctx == AST_Load) {
        for (uint32_t i = 0; i < e->Tuple.elts.count; i++)
            if (!fold_constant(u, e->Tuple.elts.items[i]))
                return false;
        return true;
    }
    fold_constant(u, e);
    if (e->kind != AST_Constant)
        return false;
    Value v = e->Constant.value;
    return v != NONE && v != TRUE && v != FALSE && v != ELLIPSIS;
}

static void
check_compare(Unit *u, AstExpr *e)
{
    AstExpr *left = e->Compare.left;
    bool left_ok = !odd_for_is(u, left);
    for (uint32_t i = 0; i < e->Compare.ops.count; i++) {
        AstCmpop op = e->Compare.ops.items[i];
        bool right_ok = !odd_for_is(u, e->Compare.comparators.items[i]);
        if ((op == AST_Is || op == AST_IsNot) && (!left_ok || !right_ok)) {
            gen_warn(u, e, op == AST_Is ? "\"is\" with a literal. Did you mean \"==\"?"
                                        : "\"is not\" with a literal. Did you mean \"!=\"?");
            return;
        }
        left_ok = right_ok;
    }
}

/* x in [constants] and x in {constants}: a constant container. */
static void
fold_container(Unit *u, AstCmpop op, AstExpr *right)
{
    if (op != AST_In && op != AST_NotIn)
        return;
    if (right->kind == AST_List && right->List.elts.count)
        (void)(right->mark != 1 && fold_sequence(u, right, right->List.elts));
    else if (right->kind == AST_Set && right->mark != 1 &&
             fold_sequence(u, right, right->Set.elts)) {
        Value frozen = frozenset_from(u->th, right->Constant.value);
        if (frozen == NULL) {
            error_clear(u->th); /* unhashable item: cannot be, constants are hashable */
            return;
        }
        if (keep_value(u->c, frozen))
            right->Constant.value = frozen;
    }
}

/* d = a op b for one comparison. */
static void
emit_compare(Unit *u, AstCmpop op, Dest d, Opnd a, Opnd b)
{
    unsigned flags = d.flags | dead_b(a) | dead_c(b);
    int number = compare_number(op);
    if (number >= 0)
        emit(u, OP_COMPARE, flags | (unsigned)number << SUB_SHIFT, d.reg, a.reg, b.reg);
    else if (op == AST_Is || op == AST_IsNot)
        emit(u, OP_IS, flags | (op == AST_IsNot ? FLAG_X : 0), d.reg, a.reg, b.reg);
    else
        emit(u, OP_CONTAINS, flags | (op == AST_NotIn ? FLAG_X : 0), d.reg, a.reg, b.reg);
}

static void
gen_compare(Unit *u, AstExpr *e, Dest d)
{
    check_compare(u, e);
    uint32_t n = e->Compare.ops.count;
    if (n == 1) {
        AstExpr *right = e->Compare.comparators.items[0];
        fold_constant(u, right);
        fold_container(u, e->Compare.ops.items[0], right);
        Opnd a = left_operand(u, e->Compare.left, d, right);
        Opnd b = gen_expr(u, right);
        gen_at(u, e);
        emit_compare(u, e->Compare.ops.items[0], d, a, b);
        opnd_end(u, b);
        end_left(u, a, d);
        dest_done(u, d);
        return;
    }
    /* a < b < c: each middle operand stays for the next comparison.  On a false result the operand
     * kept must end, too. */
    unsigned t = d.reg;
    Dest td = d;
    if (d.flags & A_LIVE) {
        t = temp_new(u);
        td = (Dest){(uint16_t)t, 0};
    }
    Label cleanup = label_new(u), end = label_new(u);
    Opnd a = gen_expr_temp(u, e->Compare.left);
    for (uint32_t i = 0; i < n; i++) {
        AstExpr *right = e->Compare.comparators.items[i];
        bool last = i + 1 == n;
        if (last)
            fold_container(u, e->Compare.ops.items[i], right);
        Opnd b = gen_expr_temp(u, right);
        gen_at(u, e);
        if (last) {
            emit_compare(u, e->Compare.ops.items[i], td, a, b);
            opnd_end(u, b);
            opnd_end(u, a);
            dest_done(u, td);
            break;
        }
        Opnd keep = b;
        keep.temp = false;
        emit_compare(u, e->Compare.ops.items[i], td, a, keep);
        live_del(u, a.reg);
        dest_done(u, td);
        /* The kept operand moves to a's register, so that every exit has the same registers. */
        emit(u, OP_MOVE, 0, a.reg, b.reg, 0);
        live_add(u, a.reg);
        temp_end(u, b.reg);
        emit_jump(u, OP_JUMP_IF_FALSE, 0, t, cleanup);
        emit(u, OP_DROP, 0, t, 0, 0);
        live_del(u, t);
    }
    emit_jump(u, OP_JUMP, 0, 0, end);
    label_bind(u, cleanup);
    live_add(u, a.reg);
    emit(u, OP_DROP, 0, a.reg, 0, 0);
    temp_end(u, a.reg);
    label_bind(u, end);
    if (d.flags & A_LIVE) {
        emit(u, OP_MOVE, d.flags, d.reg, t, 0);
        temp_end(u, t);
        dest_done(u, d);
    }
}

/* Evaluates e into the temporary of td and jumps to `stop` by `stop_if` (JUMP_IF_TRUE or JUMP_IF_FALSE); the value
 * lives on both ways.  What decides an inner `and` or `or` decides the outer one: nothing is tested twice. */
static void
gen_tested(Unit *u, AstExpr *e, Dest td, Label stop, enum Opcode stop_if, const AstExpr *whole)
{
    if (too_deep(u))
        return;
    if (e->kind != AST_BoolOp) {
        gen_into(u, e, td);
        gen_at(u, whole);
        emit_jump(u, stop_if, 0, td.reg, stop);
        return;
    }
    uint32_t n = e->BoolOp.values.count;
    enum Opcode op = e->BoolOp.op == AST_And ? OP_JUMP_IF_FALSE : OP_JUMP_IF_TRUE;
    Label skip = op == stop_if ? stop : label_new(u);
    uint64_t *bound = NULL;
    for (uint32_t i = 0; i < n && !u->c->failed; i++) {
        bool last = i + 1 == n;
        gen_tested(u, e->BoolOp.values.items[i], td, last ? stop : skip, last ? stop_if : op, e);
        if (i == 0)
            bound = bound_save(u);
        if (!last) {
            emit(u, OP_DROP, 0, td.reg, 0, 0);
            live_del(u, td.reg);
        }
    }
    if (skip != stop)
        label_bind(u, skip);
    bound_meet(u, bound);
}

static void
gen_boolop(Unit *u, AstExpr *e, Dest d)
{
    unsigned t = d.reg;
    if (d.flags & A_LIVE)
        t = temp_new(u);
    Dest td = {(uint16_t)t, 0};
    Label end = label_new(u);
    uint32_t n = e->BoolOp.values.count;
    enum Opcode op = e->BoolOp.op == AST_And ? OP_JUMP_IF_FALSE : OP_JUMP_IF_TRUE;
    uint64_t *bound = NULL;
    for (uint32_t i = 0; i < n && !u->c->failed; i++) {
        if (i + 1 < n)
            gen_tested(u, e->BoolOp.values.items[i], td, end, op, e);
        else
            gen_into(u, e->BoolOp.values.items[i], td);
        if (i == 0)
            bound = bound_save(u);
        if (i + 1 < n) {
            emit(u, OP_DROP, 0, t, 0, 0);
            live_del(u, t);
        }
    }
    label_bind(u, end);
    bound_meet(u, bound);
    live_add(u, t);
    if (d.flags & A_LIVE) {
        emit(u, OP_MOVE, d.flags, d.reg, t, 0);
        temp_end(u, t);
        dest_done(u, d);
    }
}

static void
gen_ifexp(Unit *u, AstExpr *e, Dest d)
{
    Label other = label_new(u), end = label_new(u);
    gen_condition(u, e->IfExp.test, other, false);
    uint64_t *at_test = bound_save(u);
    gen_into(u, e->IfExp.body, d);
    emit_jump(u, OP_JUMP, 0, 0, end);
    if (!(d.flags & A_LIVE))
        live_del(u, d.reg);
    uint64_t *after_body = bound_save(u);
    bound_restore(u, at_test);
    label_bind(u, other);
    gen_into(u, e->IfExp.orelse, d);
    bound_meet(u, after_body);
    if (d.flags & A_LIVE)
        bound_set(u, d.reg);
    label_bind(u, end);
}

/* -- conditions: jump without making a bool ----------------------------------------------------------- */

static void
jump_on(Unit *u, Opnd v, Label to, bool jump_if)
{
    emit_jump(u, jump_if ? OP_JUMP_IF_TRUE : OP_JUMP_IF_FALSE, v.temp ? A_DEAD : 0, v.reg, to);
    opnd_end(u, v);
}

static bool
condition_compare(Unit *u, AstExpr *e, Label to, bool jump_if)
{
    AstCmpop op = e->Compare.ops.items[0];
    AstExpr *left = e->Compare.left, *right = e->Compare.comparators.items[0];
    int number = compare_number(op), n;
    if (op == AST_Is || op == AST_IsNot) {
        if (right->kind != AST_Constant || right->Constant.value != NONE)
            return false;
        check_compare(u, e);
        Opnd a = gen_expr(u, left);
        bool none = (op == AST_Is) == jump_if;
        gen_at(u, e);
        emit_jump(u, none ? OP_JUMP_IF_NONE : OP_JUMP_IF_NOT_NONE, a.temp ? A_DEAD : 0, a.reg, to);
        opnd_end(u, a);
        return true;
    }
    if (number < 0)
        return false;
    fold_constant(u, left);
    fold_constant(u, right);
    unsigned flags = (unsigned)number << SUB_SHIFT | (jump_if ? FLAG_X : 0);
    Opnd a = gen_early(u, left, right);
    if (small_int(right, &n)) {
        gen_at(u, e);
        emit_jump_extra(u, OP_JUMP_COMPARE_IMM, flags | dead_b(a), 0, a.reg, (uint16_t)n, to);
    } else {
        Opnd b = gen_expr(u, right);
        gen_at(u, e);
        emit_jump_extra(u, OP_JUMP_COMPARE, flags | dead_b(a) | dead_c(b), 0, a.reg, b.reg, to);
        opnd_end(u, b);
    }
    opnd_end(u, a);
    return true;
}

void
gen_condition(Unit *u, AstExpr *e, Label to, bool jump_if)
{
    if (too_deep(u))
        return;
    if (fold_constant(u, e)) {
        Answer a = is_true(u->th, e->Constant.value);
        if (a == FAILED) {
            u->c->failed = true;
            return;
        }
        if ((a == YES) == jump_if)
            emit_jump(u, OP_JUMP, 0, 0, to);
        return;
    }
    if (e->kind == AST_UnaryOp && e->UnaryOp.op == AST_Not) {
        gen_condition(u, e->UnaryOp.operand, to, !jump_if);
        return;
    }
    if (e->kind == AST_BoolOp) {
        bool is_and = e->BoolOp.op == AST_And;
        uint32_t n = e->BoolOp.values.count;
        uint64_t *bound = NULL;
        if (is_and == !jump_if) { /* any decides: same target */
            for (uint32_t i = 0; i < n; i++) {
                gen_condition(u, e->BoolOp.values.items[i], to, jump_if);
                if (i == 0)
                    bound = bound_save(u);
            }
        } else {
            Label skip = label_new(u);
            for (uint32_t i = 0; i + 1 < n; i++) {
                gen_condition(u, e->BoolOp.values.items[i], skip, !jump_if);
                if (i == 0)
                    bound = bound_save(u);
            }
            gen_condition(u, e->BoolOp.values.items[n - 1], to, jump_if);
            label_bind(u, skip);
        }
        bound_meet(u, bound);
        return;
    }
    if (e->kind == AST_Compare && e->Compare.ops.count == 1 &&
        condition_compare(u, e, to, jump_if))
        return;
    Opnd v = gen_expr(u, e);
    gen_at(u, e);
    jump_on(u, v, to, jump_if);
}

/* -- subscripts and attributes ---------------------------------------------------------------------------- */

static void
gen_slice_part(Unit *u, AstExpr *e, unsigned reg)
{
    if (e)
        gen_into(u, e, (Dest){(uint16_t)reg, 0});
    else
        load_const(u, NONE, (Dest){(uint16_t)reg, 0});
}

unsigned
gen_slice_parts(Unit *u, AstExpr *e, unsigned *n)
{
    unsigned base = temp_new(u);
    gen_slice_part(u, e->Slice.lower, base);
    unsigned t = temp_new(u);
    gen_slice_part(u, e->Slice.upper, t);
    if (e->Slice.step) {
        t = temp_new(u);
        gen_slice_part(u, e->Slice.step, t);
    }
    *n = e->Slice.step ? 3 : 2;
    return base;
}

static void
gen_slice(Unit *u, AstExpr *e, Dest d)
{
    unsigned n, base = gen_slice_parts(u, e, &n);
    gen_at(u, e);
    emit(u, OP_BUILD_SLICE, d.flags, d.reg, base, n);
    for (unsigned i = n; i-- > 0;)
        temp_end(u, base + i);
    dest_done(u, d);
}

/* Warns of an index that cannot be one, where both types are known. */
static void
check_index(Unit *u, AstExpr *e)
{
    AstExpr *value = e->Subscript.value, *key = e->Subscript.slice;
    const char *type = literal_type(key);
    if (type == NULL || (key->kind == AST_Constant && is_int(key->Constant.value)))
        return;
    switch (value->kind) {
    case AST_Constant:
        if (!is_str(value->Constant.value) && !is_bytes(value->Constant.value) && !is_tuple(value->Constant.value))
            return;
        break;
    case AST_Tuple: case AST_List: case AST_ListComp: case AST_JoinedStr: case AST_FormattedValue:
        break;
    default:
        return;
    }
    gen_warn(u, e, "%s indices must be integers or slices, not %s; perhaps you missed a comma?", literal_type(value),
             type);
}

static void
gen_subscript(Unit *u, AstExpr *e, Dest d)
{
    AstExpr *value = e->Subscript.value, *key = e->Subscript.slice;
    fold_constant(u, value);
    fold_constant(u, key);
    switch (value->kind) { /* as CPython warns */
    case AST_Constant:
        if (value->Constant.value != NONE && value->Constant.value != ELLIPSIS &&
            !is_int(value->Constant.value) && !is_float(value->Constant.value) &&
            !is_complex(value->Constant.value))
            break;
        /* fall through */
    case AST_Set: case AST_SetComp: case AST_GeneratorExp: case AST_Lambda:
        gen_warn(u, e, "'%s' object is not subscriptable; perhaps you missed a comma?",
                 value->kind == AST_Constant    ? type_name_of(value->Constant.value)
                 : value->kind == AST_Lambda    ? "function"
                 : value->kind == AST_GeneratorExp ? "generator" : "set");
        break;
    default:
        break;
    }
    check_index(u, e);
    Opnd a = left_operand(u, value, d, key);
    if (key->kind == AST_Slice) {
        unsigned n, base = gen_slice_parts(u, key, &n);
        gen_at(u, e);
        emit(u, OP_GET_SLICE, d.flags | dead_b(a) | (n == 3 ? FLAG_X : 0), d.reg, a.reg, base);
        for (unsigned i = n; i-- > 0;)
            temp_end(u, base + i);
        end_left(u, a, d);
        dest_done(u, d);
        return;
    }
    int n;
    if (small_int(key, &n)) {
        gen_at(u, e);
        emit(u, OP_GET_ITEM_IMM, d.flags | dead_b(a), d.reg, a.reg, (uint16_t)n);
        end_left(u, a, d);
        dest_done(u, d);
        return;
    }
    Opnd b = gen_expr(u, key);
    gen_at(u, e);
    emit(u, OP_GET_ITEM, d.flags | dead_b(a) | dead_c(b), d.reg, a.reg, b.reg);
    emit_extra(u, 0);
    opnd_end(u, b);
    end_left(u, a, d);
    dest_done(u, d);
}

static void
gen_attribute(Unit *u, AstExpr *e, Dest d)
{
    Opnd a = left_operand(u, e->Attribute.value, d, NULL);
    gen_at_attr(u, e, e);
    emit(u, OP_LOAD_ATTR, d.flags | dead_b(a), d.reg, a.reg, gen_name(u, gen_mangle(u, e->Attribute.attr)));
    emit_extra(u, 0);
    end_left(u, a, d);
    dest_done(u, d);
}

/* -- await, yield --------------------------------------------------------------------------------------------- */

bool
is_async_scope(Unit *u)
{
    return u->is_function && u->scope->is_coroutine;
}

void
gen_await(Unit *u, unsigned reg, Dest d, unsigned kind)
{
    /* The iterator takes the awaitable's place; the value to send lies above. */
    emit(u, OP_GET_AWAITABLE, B_DEAD | kind << SUB_SHIFT, reg, reg, 0);
    unsigned sent = temp_new(u);
    load_const(u, NONE, (Dest){(uint16_t)sent, 0});
    emit(u, OP_YIELD_FROM, d.flags, d.reg, reg, sent);
    temp_end(u, sent);
    if (reg == d.reg && !(d.flags & A_LIVE))
        live_del(u, reg);
    else
        temp_end(u, reg);
    dest_done(u, d);
}

static bool
top_level_await(Unit *u)
{
    return (u->c->options->flags & COMPILE_TOP_LEVEL_AWAIT) && u->scope->kind == SCOPE_MODULE;
}

static void
gen_await_expr(Unit *u, AstExpr *e, Dest d)
{
    if (!top_level_await(u)) {
        if (!u->is_function) {
            gen_error(u, e, "'await' outside function");
            return;
        }
        if (!u->scope->is_coroutine && u->scope->comp == COMP_NONE) {
            gen_error(u, e, "'await' outside async function");
            return;
        }
    } else
        u->flags |= CODE_COROUTINE;
    Opnd v = gen_expr_temp(u, e->Await.value);
    gen_at(u, e);
    gen_await(u, v.reg, d, 0);
}

static void
gen_yield(Unit *u, AstExpr *e, Dest d)
{
    if (!u->is_function) {
        gen_error(u, e, "'yield' outside function");
        return;
    }
    Opnd v;
    if (e->Yield.value && e->Yield.value->kind == AST_Name && !u->scope->is_coroutine &&
        !(d.flags & A_LIVE)) {
        v = gen_expr(u, e->Yield.value);
        if (!v.temp) { /* a variable, which stays */
            gen_at(u, e);
            emit(u, OP_YIELD, 0, d.reg, v.reg, 0);
            dest_done(u, d);
            return;
        }
    } else if (e->Yield.value)
        v = gen_expr_temp(u, e->Yield.value);
    else {
        v = (Opnd){(uint16_t)temp_new(u), true};
        load_const(u, NONE, (Dest){v.reg, 0});
    }
    gen_at(u, e);
    if (u->scope->is_coroutine)
        emit(u, OP_ASYNC_GEN_WRAP, B_DEAD, v.reg, v.reg, 0);
    live_del(u, v.reg);
    live_add(u, v.reg);
    unsigned t = d.flags & A_LIVE ? v.reg : d.reg;
    emit(u, OP_YIELD, B_DEAD, t, v.reg, 0);
    if (d.flags & A_LIVE) {
        emit(u, OP_MOVE, d.flags, d.reg, t, 0);
        temp_end(u, t);
    } else
        temp_end(u, v.reg);
    dest_done(u, d);
}

static void
gen_yield_from(Unit *u, AstExpr *e, Dest d)
{
    if (!u->is_function) {
        gen_error(u, e, "'yield' outside function");
        return;
    }
    if (u->scope->is_coroutine) {
        gen_error(u, e, "'yield from' inside async function");
        return;
    }
    Opnd v = gen_expr_temp(u, e->YieldFrom.value);
    gen_at(u, e);
    emit(u, OP_GET_YIELD_FROM_ITER, B_DEAD, v.reg, v.reg, 0);
    unsigned sent = temp_new(u);
    load_const(u, NONE, (Dest){(uint16_t)sent, 0});
    emit(u, OP_YIELD_FROM, d.flags, d.reg, v.reg, sent);
    temp_end(u, sent);
    temp_end(u, v.reg);
    dest_done(u, d);
}

/* -- everything -------------------------------------------------------------------------------------------------- */

static void
gen_named(Unit *u, AstExpr *e, Dest d)
{
    AstExpr *target = e->NamedExpr.target;
    Opnd v = gen_expr_temp(u, e->NamedExpr.value);
    gen_at(u, e);
    emit(u, OP_COPY, d.flags, d.reg, v.reg, 0);
    if (!(d.flags & A_LIVE))
        live_add(u, d.reg);
    gen_store(u, target, v);
    if (d.flags & A_LIVE)
        bound_set(u, d.reg);
}

void
gen_into(Unit *u, AstExpr *e, Dest d)
{
    if (too_deep(u))
        return;
    if (e->kind != AST_Constant)
        fold_constant(u, e);
    gen_at(u, e);
    switch (e->kind) {
    case AST_Constant:
        load_const(u, e->Constant.value, d);
        break;
    case AST_Name:
        gen_load_name(u, e->Name.id, d, e);
        break;
    case AST_BinOp:
        gen_binop(u, e, d);
        break;
    case AST_UnaryOp:
        gen_unary(u, e, d);
        break;
    case AST_BoolOp:
        gen_boolop(u, e, d);
        break;
    case AST_Compare:
        gen_compare(u, e, d);
        break;
    case AST_IfExp:
        gen_ifexp(u, e, d);
        break;
    case AST_Attribute:
        gen_attribute(u, e, d);
        break;
    case AST_Subscript:
        gen_subscript(u, e, d);
        break;
    case AST_Slice:
        gen_slice(u, e, d);
        break;
    case AST_Call:
        gen_call(u, e, d);
        break;
    case AST_Tuple:
        gen_sequence(u, e->Tuple.elts, OP_BUILD_TUPLE, d);
        break;
    case AST_List:
        gen_sequence(u, e->List.elts, OP_BUILD_LIST, d);
        break;
    case AST_Set:
        gen_sequence(u, e->Set.elts, OP_BUILD_SET, d);
        break;
    case AST_Dict:
        gen_dict(u, e, d);
        break;
    case AST_JoinedStr:
        gen_joined_str(u, e, d);
        break;
    case AST_FormattedValue:
        gen_formatted(u, e, d);
        break;
    case AST_Lambda:
        gen_lambda(u, e, d);
        break;
    case AST_ListComp:
    case AST_SetComp:
    case AST_DictComp:
    case AST_GeneratorExp:
        gen_comprehension(u, e, d);
        break;
    case AST_NamedExpr:
        gen_named(u, e, d);
        break;
    case AST_Await:
        gen_await_expr(u, e, d);
        break;
    case AST_Yield:
        gen_yield(u, e, d);
        break;
    case AST_YieldFrom:
        gen_yield_from(u, e, d);
        break;
    case AST_Starred:
        gen_error(u, e, e->Starred.ctx == AST_Store
                            ? "starred assignment target must be in a list or tuple"
                            : "can't use starred expression here");
        break;
    default:
        if (!u->c->failed) {
            u->c->failed = true;
            raise_system_error(u->th, "unexpected expression");
        }
    }
}
