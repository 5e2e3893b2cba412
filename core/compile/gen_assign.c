/* gen_assign.c -- targets: names, attributes, items, unpacking, del. */
#include "core/compile/gen.h"

static bool
forbidden_name(Unit *u, Value name, const void *where, bool del)
{
    if (name == NAME(__debug__)) {
        gen_error(u, where, del ? "cannot delete __debug__" : "cannot assign to __debug__");
        return true;
    }
    return false;
}

void
gen_store_name(Unit *u, Value name, Opnd value, const void *where)
{
    if (forbidden_name(u, name, where, false))
        return;
    name = gen_mangle(u, name);
    Symbol *sym = scope_find(u->scope, name);
    int place = sym ? sym->place : PLACE_GLOBAL_IMPLICIT;
    unsigned dead_a = value.temp ? A_DEAD : 0;
    if (u->c->failed)
        return;
    if (place == PLACE_LOCAL && u->is_function) {
        if (value.reg != sym->reg) {
            emit(u, value.temp ? OP_MOVE : OP_COPY, A_LIVE, (unsigned)sym->reg, value.reg, 0);
            opnd_end(u, value);
        }
        bound_set(u, (unsigned)sym->reg);
        return;
    }
    if ((place == PLACE_CELL && u->scope->kind != SCOPE_MODULE) || place == PLACE_FREE)
        emit(u, OP_STORE_DEREF, value.temp ? B_DEAD : 0, (unsigned)sym->reg, value.reg, 0);
    else {
        bool global = place == PLACE_GLOBAL_EXPLICIT || (u->is_function && place != PLACE_LOCAL);
        emit_wide(u, global ? OP_STORE_GLOBAL : OP_STORE_NAME, dead_a, value.reg,
                  (int32_t)gen_name_wide(u, name));
        emit_extra(u, 0);
    }
    opnd_end(u, value);
}

void
gen_delete_name(Unit *u, Value name, const void *where)
{
    if (forbidden_name(u, name, where, true))
        return;
    name = gen_mangle(u, name);
    Symbol *sym = scope_find(u->scope, name);
    int place = sym ? sym->place : PLACE_GLOBAL_IMPLICIT;
    if (u->c->failed)
        return;
    if (place == PLACE_LOCAL && u->is_function) {
        emit(u, OP_DELETE_FAST, 0, (unsigned)sym->reg, 0, 0);
        u->deleted[(unsigned)sym->reg / 64] |= (uint64_t)1 << ((unsigned)sym->reg % 64);
    } else if ((place == PLACE_CELL && u->scope->kind != SCOPE_MODULE) || place == PLACE_FREE)
        emit(u, OP_DELETE_DEREF, 0, (unsigned)sym->reg, 0, 0);
    else if (place == PLACE_GLOBAL_EXPLICIT || (u->is_function && place != PLACE_LOCAL))
        emit_wide(u, OP_DELETE_GLOBAL, 0, 0, (int32_t)gen_name_wide(u, name));
    else
        emit_wide(u, OP_DELETE_NAME, 0, 0, (int32_t)gen_name_wide(u, name));
}

/* Notes a store of `name` on the first parameter: the class reserves a slot for it. */
static void
note_self_attr(Unit *u, AstExpr *object, Value name)
{
    if (!u->is_function || object->kind != AST_Name || u->arg_count == 0 ||
        gen_local_register(u, object->Name.id) != 0)
        return;
    for (uint32_t i = 0; i < u->self_attr_count; i++)
        if (u->self_attrs[i] == name)
            return;
    if (u->self_attr_count < ARRAY_LEN(u->self_attrs))
        u->self_attrs[u->self_attr_count++] = name;
}

/* The register of the first of some variables that lie one behind the other; -1: they do not. */
static int
variables_in_a_row(Unit *u, AstExprs elts)
{
    int first = -1;
    for (uint32_t i = 0; i < elts.count; i++) {
        const AstExpr *e = elts.items[i];
        int reg = e->kind == AST_Name ? gen_local_register(u, e->Name.id) : -1;
        if (reg < 0 || (i != 0 && reg != first + (int)i) ||
            forbidden_name(u, e->Name.id, e, false))
            return -1;
        if (i == 0)
            first = reg;
    }
    return first;
}

static void
gen_unpack(Unit *u, AstExpr *target, AstExprs elts, Opnd value)
{
    uint32_t star = UINT32_MAX;
    for (uint32_t i = 0; i < elts.count; i++)
        if (elts.items[i]->kind == AST_Starred) {
            if (star != UINT32_MAX) {
                gen_error(u, target, "multiple starred expressions in assignment");
                return;
            }
            star = i;
        }
    int first = star == UINT32_MAX && value.temp ? variables_in_a_row(u, elts) : -1;
    if (first >= 0) {
        emit(u, OP_UNPACK, B_DEAD | A_LIVE, (unsigned)first, value.reg, elts.count);
        for (uint32_t i = 0; i < elts.count; i++)
            bound_set(u, (unsigned)first + i);
        temp_end(u, value.reg);
        return;
    }
    unsigned base = temps_new(u, elts.count);
    if (star == UINT32_MAX)
        emit(u, OP_UNPACK, value.temp ? B_DEAD : 0, base, value.reg, elts.count);
    else {
        if (star >= 256 * 256 || elts.count - star > 60000) {
            gen_error(u, target, "too many expressions in star-unpacking assignment");
            return;
        }
        emit(u, OP_UNPACK_EX, value.temp ? B_DEAD : 0, base, value.reg, 0);
        emit_extra(u, (uint64_t)star | (uint64_t)(elts.count - star - 1) << 32);
    }
    if (value.temp)
        live_del(u, value.reg);
    for (uint32_t i = 0; i < elts.count; i++)
        live_add(u, base + i);
    for (uint32_t i = 0; i < elts.count && !u->c->failed; i++) {
        AstExpr *t = elts.items[i];
        u->top = base + elts.count; /* items not stored yet stay */
        gen_store(u, t->kind == AST_Starred ? t->Starred.value : t, (Opnd){(uint16_t)(base + i), true});
    }
    u->top = base;
    if (value.temp && value.reg < base)
        temp_end(u, value.reg);
}

void
gen_store(Unit *u, AstExpr *target, Opnd value)
{
    if (u->c->failed)
        return;
    if (thread_stack_low(u->th)) {
        u->c->failed = true;
        raise_recursion(u->th, " during compilation");
        return;
    }
    gen_at(u, target);
    switch (target->kind) {
    case AST_Name:
        gen_store_name(u, target->Name.id, value, target);
        break;
    case AST_Attribute: {
        if (forbidden_name(u, target->Attribute.attr, target, false))
            return;
        Opnd object = gen_expr(u, target->Attribute.value);
        Value name = gen_mangle(u, target->Attribute.attr);
        note_self_attr(u, target->Attribute.value, name);
        gen_at_attr(u, target, target);
        emit(u, OP_STORE_ATTR, (object.temp ? A_DEAD : 0) | (value.temp ? B_DEAD : 0), object.reg,
             value.reg, gen_name(u, name));
        emit_extra(u, 0);
        opnd_end(u, object);
        opnd_end(u, value);
        break;
    }
    case AST_Subscript: {
        Opnd object = gen_expr(u, target->Subscript.value);
        if (u->scope->has_walrus && !object.temp && !is_simple(target->Subscript.slice))
            object = gen_expr_temp(u, target->Subscript.value);
        if (target->Subscript.slice->kind == AST_Slice) {
            unsigned n, base = gen_slice_parts(u, target->Subscript.slice, &n);
            gen_at(u, target);
            emit(u, OP_SET_SLICE,
                 (object.temp ? A_DEAD : 0) | (value.temp ? C_DEAD : 0) | (n == 3 ? FLAG_X : 0),
                 object.reg, base, value.reg);
            for (unsigned i = n; i-- > 0;)
                temp_end(u, base + i);
            opnd_end(u, object);
            opnd_end(u, value);
            break;
        }
        int n;
        fold_constant(u, target->Subscript.slice);
        if (small_int(target->Subscript.slice, &n)) {
            gen_at(u, target);
            emit(u, OP_SET_ITEM_IMM, (object.temp ? A_DEAD : 0) | (value.temp ? C_DEAD : 0), object.reg,
                 (uint16_t)n, value.reg);
            opnd_end(u, object);
            opnd_end(u, value);
            break;
        }
        Opnd key = gen_expr(u, target->Subscript.slice);
        gen_at(u, target);
        emit(u, OP_SET_ITEM,
             (object.temp ? A_DEAD : 0) | (key.temp ? B_DEAD : 0) | (value.temp ? C_DEAD : 0), object.reg,
             key.reg, value.reg);
        opnd_end(u, key);
        opnd_end(u, object);
        opnd_end(u, value);
        break;
    }
    case AST_Tuple:
        gen_unpack(u, target, target->Tuple.elts, value);
        break;
    case AST_List:
        gen_unpack(u, target, target->List.elts, value);
        break;
    case AST_Starred:
        gen_error(u, target, "starred assignment target must be in a list or tuple");
        break;
    default:
        gen_error(u, target, "cannot assign to expression");
    }
}

void
gen_delete(Unit *u, AstExpr *target)
{
    if (u->c->failed)
        return;
    gen_at(u, target);
    switch (target->kind) {
    case AST_Name:
        gen_delete_name(u, target->Name.id, target);
        break;
    case AST_Attribute: {
        if (forbidden_name(u, target->Attribute.attr, target, true))
            return;
        Opnd object = gen_expr(u, target->Attribute.value);
        gen_at_attr(u, target, target);
        emit(u, OP_DELETE_ATTR, object.temp ? A_DEAD : 0, object.reg, 0,
             gen_name(u, gen_mangle(u, target->Attribute.attr)));
        opnd_end(u, object);
        break;
    }
    case AST_Subscript: {
        Opnd object = gen_expr(u, target->Subscript.value);
        Opnd key = gen_expr(u, target->Subscript.slice);
        gen_at(u, target);
        emit(u, OP_DELETE_ITEM, (object.temp ? A_DEAD : 0) | (key.temp ? B_DEAD : 0), object.reg, key.reg,
             0);
        opnd_end(u, key);
        opnd_end(u, object);
        break;
    }
    case AST_Tuple:
        for (uint32_t i = 0; i < target->Tuple.elts.count; i++)
            gen_delete(u, target->Tuple.elts.items[i]);
        break;
    case AST_List:
        for (uint32_t i = 0; i < target->List.elts.count; i++)
            gen_delete(u, target->List.elts.items[i]);
        break;
    default:
        gen_error(u, target, "cannot delete expression");
    }
}

static bool
plain_elements(AstExprs list)
{
    for (uint32_t i = 0; i < list.count; i++)
        if (list.items[i]->kind == AST_Starred)
            return false;
    return true;
}

/* Whether writing the variable only as the last step is what gen_into() does for `e`. */
static bool
writes_once(const AstExpr *e)
{
    switch (e->kind) {
    case AST_BoolOp:
        return false;
    case AST_Compare:
        return e->Compare.ops.count == 1;
    case AST_IfExp:
        return writes_once(e->IfExp.body) && writes_once(e->IfExp.orelse);
    case AST_NamedExpr:
    case AST_Await:
    case AST_Yield:
    case AST_YieldFrom:
        return false;
    default:
        return true;
    }
}

void
gen_assign(Unit *u, AstStmt *st)
{
    AstExprs targets = st->Assign.targets;
    AstExpr *value = st->Assign.value, *target = targets.items[0];
    fold_constant(u, value);
    if (targets.count == 1 && target->kind == AST_Name) {
        int reg = gen_local_register(u, target->Name.id);
        if (reg >= 0 && writes_once(value) && !forbidden_name(u, target->Name.id, target, false)) {
            gen_into(u, value, (Dest){(uint16_t)reg, A_LIVE});
            return;
        }
    }
    /* a, b = x, y without a tuple in between. */
    if (targets.count == 1 && target->kind == AST_Tuple && value->kind == AST_Tuple &&
        target->Tuple.elts.count == value->Tuple.elts.count && value->Tuple.elts.count <= 16 &&
        plain_elements(target->Tuple.elts) && plain_elements(value->Tuple.elts)) {
        uint32_t n = value->Tuple.elts.count;
        unsigned base = u->top;
        for (uint32_t i = 0; i < n; i++)
            (void)gen_expr_temp(u, value->Tuple.elts.items[i]);
        for (uint32_t i = 0; i < n && !u->c->failed; i++) {
            u->top = base + n;
            gen_store(u, target->Tuple.elts.items[i], (Opnd){(uint16_t)(base + i), true});
        }
        u->top = base;
        return;
    }
    Opnd v = gen_expr(u, value);
    for (uint32_t i = 0; i < targets.count && !u->c->failed; i++) {
        bool last = i + 1 == targets.count;
        unsigned top = u->top;
        if (last || !v.temp)
            gen_store(u, targets.items[i], v);
        else {
            unsigned t = temp_new(u);
            emit(u, OP_COPY, 0, t, v.reg, 0);
            live_add(u, t);
            gen_store(u, targets.items[i], (Opnd){(uint16_t)t, true});
            u->top = top;
        }
    }
}

static int
inplace_number(AstOperator op)
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

void
gen_aug_assign(Unit *u, AstStmt *st)
{
    AstExpr *target = st->AugAssign.target, *right = st->AugAssign.value;
    int op = inplace_number(st->AugAssign.op);
    switch (target->kind) {
    case AST_Name: {
        int reg = gen_local_register(u, target->Name.id);
        if (forbidden_name(u, target->Name.id, target, false))
            return;
        if (reg >= 0 && !u->scope->has_walrus) {
            if (!bound_has(u, (unsigned)reg)) {
                gen_at(u, target);
                emit(u, OP_CHECK_BOUND, 0, (unsigned)reg, 0, 0);
            }
            gen_at(u, st);
            gen_binary(u, op, true, (Dest){(uint16_t)reg, A_LIVE}, (Opnd){(uint16_t)reg, false}, right);
            return;
        }
        Opnd t = {(uint16_t)temp_new(u), true};
        gen_at(u, target);
        gen_load_name(u, target->Name.id, (Dest){t.reg, 0}, target);
        gen_at(u, st);
        gen_binary(u, op, true, (Dest){t.reg, 0}, t, right);
        gen_at(u, target);
        gen_store_name(u, target->Name.id, t, target);
        break;
    }
    case AST_Attribute: {
        Opnd object = gen_expr(u, target->Attribute.value);
        Value name = gen_mangle(u, target->Attribute.attr);
        Opnd t = {(uint16_t)temp_new(u), true};
        gen_at_attr(u, target, target);
        emit(u, OP_LOAD_ATTR, 0, t.reg, object.reg, gen_name(u, name));
        emit_extra(u, 0);
        live_add(u, t.reg);
        gen_at(u, st);
        gen_binary(u, op, true, (Dest){t.reg, 0}, t, right);
        note_self_attr(u, target->Attribute.value, name);
        gen_at_attr(u, target, target);
        emit(u, OP_STORE_ATTR, (object.temp ? A_DEAD : 0) | B_DEAD, object.reg, t.reg, gen_name(u, name));
        emit_extra(u, 0);
        opnd_end(u, t);
        opnd_end(u, object);
        break;
    }
    case AST_Subscript: {
        Opnd object = gen_expr(u, target->Subscript.value);
        int n;
        fold_constant(u, target->Subscript.slice);
        bool small = small_int(target->Subscript.slice, &n);
        Opnd key = {0, false};
        if (!small)
            key = gen_expr(u, target->Subscript.slice);
        Opnd t = {(uint16_t)temp_new(u), true};
        gen_at(u, target);
        if (small) {
            emit(u, OP_GET_ITEM_IMM, 0, t.reg, object.reg, (uint16_t)n);
        } else {
            emit(u, OP_GET_ITEM, 0, t.reg, object.reg, key.reg);
            emit_extra(u, 0);
        }
        live_add(u, t.reg);
        gen_at(u, st);
        gen_binary(u, op, true, (Dest){t.reg, 0}, t, right);
        gen_at(u, target);
        if (small)
            emit(u, OP_SET_ITEM_IMM, (object.temp ? A_DEAD : 0) | C_DEAD, object.reg, (uint16_t)n, t.reg);
        else
            emit(u, OP_SET_ITEM, (object.temp ? A_DEAD : 0) | (key.temp ? B_DEAD : 0) | C_DEAD, object.reg,
                 key.reg, t.reg);
        opnd_end(u, t);
        opnd_end(u, key);
        opnd_end(u, object);
        break;
    }
    default:
        gen_error(u, target, "illegal expression for augmented assignment");
    }
}

/* Evaluates for its effects and drops. */
static void
gen_effect(Unit *u, AstExpr *e)
{
    Opnd v = gen_expr(u, e);
    if (v.temp) {
        emit(u, OP_DROP, 0, v.reg, 0, 0);
        opnd_end(u, v);
    }
}

void
gen_ann_assign(Unit *u, AstStmt *st)
{
    AstExpr *target = st->AnnAssign.target, *annotation = st->AnnAssign.annotation;
    bool future = u->c->future & CODE_FUTURE_ANNOTATIONS;
    if (st->AnnAssign.value) {
        Opnd v = gen_expr(u, st->AnnAssign.value);
        gen_store(u, target, v);
    }
    gen_at(u, st);
    switch (target->kind) {
    case AST_Name:
        if (forbidden_name(u, target->Name.id, st, false))
            return;
        if (st->AnnAssign.simple && !u->is_function) {
            Opnd a = {(uint16_t)temp_new(u), true};
            if (future)
                load_const(u, keep_value(u->c, ast_unparse_value(u->th, annotation)), (Dest){a.reg, 0});
            else
                gen_into(u, annotation, (Dest){a.reg, 0});
            gen_at(u, st);
            Opnd dict = {(uint16_t)temp_new(u), true};
            gen_load_name(u, NAME(__annotations__), (Dest){dict.reg, 0}, target);
            Opnd key = {(uint16_t)temp_new(u), true};
            load_const(u, gen_mangle(u, target->Name.id), (Dest){key.reg, 0});
            emit(u, OP_SET_ITEM, A_DEAD | B_DEAD | C_DEAD, dict.reg, key.reg, a.reg);
            opnd_end(u, key);
            opnd_end(u, dict);
            opnd_end(u, a);
        } else if (!st->AnnAssign.simple && !u->is_function && !future)
            gen_effect(u, annotation);
        break;
    case AST_Attribute:
        if (forbidden_name(u, target->Attribute.attr, target, false))
            return;
        if (!st->AnnAssign.value)
            gen_effect(u, target->Attribute.value);
        if (!u->is_function && !future)
            gen_effect(u, annotation);
        break;
    case AST_Subscript:
        if (!st->AnnAssign.value) {
            gen_effect(u, target->Subscript.value);
            gen_effect(u, target->Subscript.slice);
        }
        if (!u->is_function && !future)
            gen_effect(u, annotation);
        break;
    default:
        gen_error(u, st, "invalid node type for annotated assignment");
    }
}
