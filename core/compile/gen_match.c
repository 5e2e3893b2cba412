/* gen_match.c -- match statements (PEP 634).
 *
 * While a pattern is tried, everything it takes apart stays in temporaries until the whole pattern
 * has succeeded or failed, so the temporaries only grow.  A failure with k of them live jumps to
 * the k-th entry of a chain that drops them one by one.  Names are bound after success.
 */
#include "core/compile/gen.h"

#include <string.h>

typedef struct Capture {
    Value name;
    unsigned reg;
    const AstNode *where;
} Capture;

typedef struct Match {
    VEC(Capture) captures;
    VEC(Label) fail;        /* fail.items[k]: k temporaries above `base` are live; -1: not used */
    VEC(uint16_t) extra;    /* registers of the temporaries, in the order they became live */
    size_t base;            /* live.count at the start */
} Match;

static void pattern(Unit *u, Match *m, AstPattern *p, unsigned subject, bool irrefutable_ok);

static void
no_memory(Unit *u)
{
    if (!u->c->failed) {
        u->c->failed = true;
        raise_memory(u->th);
    }
}

/* A temporary that stays until the end of the pattern. */
static void
hold(Unit *u, Match *m, unsigned reg)
{
    live_add(u, reg);
    if (!vec_push(&m->extra, (uint16_t)reg))
        no_memory(u);
}

static Label
fail_label(Unit *u, Match *m)
{
    size_t k = m->extra.count;
    while (m->fail.count <= k)
        if (!vec_push(&m->fail, -1)) {
            no_memory(u);
            return 0;
        }
    if (m->fail.items[k] < 0)
        m->fail.items[k] = label_new(u);
    return m->fail.items[k];
}

/* Emits the chain: where the pattern failed, everything above the base is dropped. */
static void
emit_failures(Unit *u, Match *m, Label next)
{
    size_t n = m->fail.count;
    for (size_t k = n; k-- > 0;) {
        if (m->fail.items[k] >= 0)
            label_bind(u, m->fail.items[k]);
        if (k > 0) {
            for (size_t i = 0; i < k; i++)
                live_add(u, m->extra.items[i]);
            emit(u, OP_DROP, 0, m->extra.items[k - 1], 0, 0);
            for (size_t i = 0; i < k; i++)
                live_del(u, m->extra.items[i]);
        }
    }
    emit_jump(u, OP_JUMP, 0, 0, next);
}

/* Where the innermost pattern that was generated last stands. */
static AstNode
last_place(const Unit *u)
{
    return (AstNode){.lineno = u->pos.line, .col_offset = u->pos.column, .end_lineno = u->pos.end_line,
                     .end_col_offset = u->pos.end_column};
}

static void
capture(Unit *u, Match *m, Value name, unsigned reg, const void *where)
{
    AstNode place = last_place(u);
    if (name == NAME(__debug__))
        gen_error(u, &place, "cannot assign to __debug__");
    for (size_t i = 0; i < m->captures.count; i++)
        if (m->captures.items[i].name == name) {
            gen_error(u, &place, "multiple assignments to name '%V' in pattern", name);
            return;
        }
    if (!vec_push(&m->captures, ((Capture){name, reg, where})))
        no_memory(u);
}

static void
value_pattern(Unit *u, Match *m, AstExpr *value, unsigned subject, bool identity)
{
    fold_constant(u, value);
    if (value->kind != AST_Constant && value->kind != AST_Attribute) {
        gen_error(u, value, "patterns may only match literals and attribute lookups");
        return;
    }
    Opnd v = gen_expr_temp(u, value);
    gen_at(u, value);
    if (identity) {
        emit(u, OP_IS, C_DEAD, v.reg, subject, v.reg);
        live_del(u, v.reg);
        live_add(u, v.reg);
        emit_jump(u, OP_JUMP_IF_FALSE, A_DEAD, v.reg, fail_label(u, m));
        opnd_end(u, v);
        return;
    }
    emit_jump_extra(u, OP_JUMP_COMPARE, OP_EQ << SUB_SHIFT | C_DEAD, 0, subject, v.reg, fail_label(u, m));
    opnd_end(u, v);
}

static bool
is_wildcard(const AstPattern *p)
{
    return p->kind == AST_MatchAs && p->MatchAs.pattern == NULL && p->MatchAs.name == NULL;
}

static bool
is_star_wildcard(const AstPattern *p)
{
    return p->kind == AST_MatchStar && p->MatchStar.name == NULL;
}

static void
sequence_pattern(Unit *u, Match *m, AstPattern *p, unsigned subject)
{
    AstPattern **items = p->MatchSequence.patterns.items;
    uint32_t n = p->MatchSequence.patterns.count, star = UINT32_MAX;
    bool only_wildcards = true;
    for (uint32_t i = 0; i < n; i++) {
        if (items[i]->kind == AST_MatchStar) {
            if (star != UINT32_MAX) {
                gen_error(u, p, "multiple starred names in sequence pattern");
                return;
            }
            star = i;
        }
        only_wildcards = only_wildcards && (is_wildcard(items[i]) || is_star_wildcard(items[i]));
    }
    unsigned t = temp_new(u);
    emit(u, OP_MATCH_SEQUENCE, 0, t, subject, 0);
    live_add(u, t);
    emit_jump(u, OP_JUMP_IF_FALSE, A_DEAD, t, fail_label(u, m));
    temp_end(u, t);
    uint32_t needed = star == UINT32_MAX ? n : n - 1;
    if (star == UINT32_MAX || needed > 0) {
        t = temp_new(u);
        emit(u, OP_GET_LEN, 0, t, subject, 0);
        live_add(u, t);
        unsigned op = star == UINT32_MAX ? OP_EQ : OP_GE;
        if (needed <= INT16_MAX)
            emit_jump_extra(u, OP_JUMP_COMPARE_IMM, op << SUB_SHIFT | B_DEAD, 0, t, needed,
                            fail_label(u, m));
        else {
            unsigned k = temp_new(u);
            load_const(u, value_from_fixnum(needed), (Dest){(uint16_t)k, 0});
            emit_jump_extra(u, OP_JUMP_COMPARE, op << SUB_SHIFT | B_DEAD | C_DEAD, 0, t, k,
                            fail_label(u, m));
            temp_end(u, k);
        }
        temp_end(u, t);
    }
    if (only_wildcards)
        return;
    if (star != UINT32_MAX && is_star_wildcard(items[star])) { /* [x, *_, y]: only these items are asked for */
        for (uint32_t i = 0; i < n && !u->c->failed; i++) {
            if (i == star || is_wildcard(items[i]))
                continue;
            unsigned item = temp_new(u), key = temp_new(u);
            if (i < star)
                load_const(u, value_from_fixnum(i), (Dest){(uint16_t)key, 0});
            else {
                emit(u, OP_GET_LEN, 0, key, subject, 0);
                live_add(u, key);
                emit(u, OP_SUBTRACT_IMM, B_DEAD, key, key, n - i);
            }
            emit(u, OP_GET_ITEM, C_DEAD, item, subject, key);
            emit_extra(u, 0);
            temp_end(u, key);
            hold(u, m, item);
            pattern(u, m, items[i], item, true);
        }
        return;
    }
    unsigned base = temps_new(u, n);
    if (star == UINT32_MAX)
        emit(u, OP_UNPACK, 0, base, subject, n);
    else {
        emit(u, OP_UNPACK_EX, 0, base, subject, 0);
        emit_extra(u, (uint64_t)star | (uint64_t)(n - star - 1) << 32);
    }
    for (uint32_t i = 0; i < n; i++)
        hold(u, m, base + i);
    for (uint32_t i = 0; i < n && !u->c->failed; i++) {
        AstPattern *item = items[i];
        if (item->kind == AST_MatchStar) {
            gen_at(u, item);
            if (item->MatchStar.name)
                capture(u, m, item->MatchStar.name, base + i, item);
        } else
            pattern(u, m, item, base + i, true);
    }
}

static void
mapping_pattern(Unit *u, Match *m, AstPattern *p, unsigned subject)
{
    AstExprs keys = p->MatchMapping.keys;
    uint32_t n = keys.count;
    unsigned t = temp_new(u);
    emit(u, OP_MATCH_MAPPING, 0, t, subject, 0);
    live_add(u, t);
    emit_jump(u, OP_JUMP_IF_FALSE, A_DEAD, t, fail_label(u, m));
    temp_end(u, t);
    if (n == 0 && p->MatchMapping.rest == NULL)
        return;
    if (n) {
        t = temp_new(u);
        emit(u, OP_GET_LEN, 0, t, subject, 0);
        live_add(u, t);
        emit_jump_extra(u, OP_JUMP_COMPARE_IMM, OP_GE << SUB_SHIFT | B_DEAD, 0, t,
                        n <= INT16_MAX ? n : INT16_MAX, fail_label(u, m));
        temp_end(u, t);
    }
    /* Literal keys must differ. */
    for (uint32_t i = 0; i < n && !u->c->failed; i++) {
        fold_constant(u, keys.items[i]);
        if (keys.items[i]->kind == AST_Constant)
            for (uint32_t j = 0; j < i; j++)
                if (keys.items[j]->kind == AST_Constant) {
                    Answer same = values_equal(u->th, keys.items[i]->Constant.value,
                                               keys.items[j]->Constant.value);
                    if (same == FAILED)
                        u->c->failed = true;
                    else if (same == YES)
                        gen_error(u, p, "mapping pattern checks duplicate key (%R)",
                                  keys.items[i]->Constant.value);
                }
        if (keys.items[i]->kind != AST_Constant && keys.items[i]->kind != AST_Attribute)
            gen_error(u, p, "mapping pattern keys may only match literals and attribute lookups");
    }
    unsigned key_tuple = temp_new(u);
    gen_sequence(u, keys, OP_BUILD_TUPLE, (Dest){(uint16_t)key_tuple, 0});
    gen_at(u, p);
    hold(u, m, key_tuple);
    unsigned values = temp_new(u);
    emit(u, OP_MATCH_KEYS, 0, values, subject, key_tuple);
    hold(u, m, values);
    emit_jump(u, OP_JUMP_IF_NONE, 0, values, fail_label(u, m));
    if (n) {
        unsigned base = temps_new(u, n);
        emit(u, OP_UNPACK, 0, base, values, n);
        for (uint32_t i = 0; i < n; i++)
            hold(u, m, base + i);
        for (uint32_t i = 0; i < n && !u->c->failed; i++)
            pattern(u, m, p->MatchMapping.patterns.items[i], base + i, true);
    }
    if (p->MatchMapping.rest) {
        unsigned rest = temp_new(u);
        emit(u, OP_COPY_DICT_WITHOUT, 0, rest, subject, key_tuple);
        hold(u, m, rest);
        capture(u, m, p->MatchMapping.rest, rest, p);
    }
}

static void
class_pattern(Unit *u, Match *m, AstPattern *p, unsigned subject)
{
    uint32_t positional = p->MatchClass.patterns.count, named = p->MatchClass.kwd_patterns.count;
    AstIdentifiers attrs = p->MatchClass.kwd_attrs;
    for (uint32_t i = 0; i < named; i++)
        for (uint32_t j = i + 1; j < named; j++)
            if (attrs.items[i] == attrs.items[j]) {
                gen_error(u, p->MatchClass.kwd_patterns.items[j],
                          "attribute name repeated in class pattern: %V", attrs.items[j]);
                return;
            }
    for (uint32_t i = 0; i < named; i++)
        if (attrs.items[i] == NAME(__debug__)) {
            gen_error(u, p->MatchClass.kwd_patterns.items[i], "cannot assign to __debug__");
            return;
        }
    if (positional + named > 60000) {
        gen_error(u, p, "too many sub-patterns in class pattern");
        return;
    }
    unsigned cls = temp_new(u);
    gen_into(u, p->MatchClass.cls, (Dest){(uint16_t)cls, 0});
    Value names = u->c->failed ? NULL : tuple_new(u->th, named);
    if (names == NULL || keep_value(u->c, names) == NULL) {
        u->c->failed = true;
        return;
    }
    for (uint32_t i = 0; i < named; i++)
        tuple_init_item(names, i, retain(u->th, attrs.items[i]));
    unsigned t = temp_new(u);
    load_const(u, names, (Dest){(uint16_t)t, 0});
    gen_at(u, p);
    emit(u, OP_MATCH_CLASS, 0, cls, subject, cls);
    emit_extra(u, positional);
    temp_end(u, t);
    live_del(u, cls);
    hold(u, m, cls);
    emit_jump(u, OP_JUMP_IF_NONE, 0, cls, fail_label(u, m));
    uint32_t n = positional + named;
    if (n == 0)
        return;
    unsigned base = temps_new(u, n);
    emit(u, OP_UNPACK, 0, base, cls, n);
    for (uint32_t i = 0; i < n; i++)
        hold(u, m, base + i);
    for (uint32_t i = 0; i < n && !u->c->failed; i++)
        pattern(u, m,
                i < positional ? p->MatchClass.patterns.items[i]
                               : p->MatchClass.kwd_patterns.items[i - positional],
                base + i, true);
}

/* Alternatives: each starts from the same temporaries; after success the captured values lie in
 * the same registers whichever alternative it was. */
static void
or_pattern(Unit *u, Match *m, AstPattern *p, unsigned subject, bool irrefutable_ok)
{
    AstPattern **items = p->MatchOr.patterns.items;
    uint32_t n = p->MatchOr.patterns.count;
    Label success = label_new(u);
    size_t extra = m->extra.count, captures = m->captures.count;
    unsigned base = u->top;
    Capture *first = NULL;
    size_t count = 0;
    for (uint32_t i = 0; i < n && !u->c->failed; i++) {
        AstPattern *alt = items[i];
        /* A chain of its own while the alternative is tried. */
        Match inner = {.base = m->base};
        for (size_t k = 0; k < extra; k++)
            if (!vec_push(&inner.extra, m->extra.items[k]))
                no_memory(u);
        for (size_t k = 0; k < captures; k++)
            if (!vec_push(&inner.captures, m->captures.items[k]))
                no_memory(u);
        pattern(u, &inner, alt, subject, irrefutable_ok && i + 1 == n);
        Capture *mine = inner.captures.items + captures;
        size_t my_count = inner.captures.count - captures;
        if (i == 0) {
            count = my_count;
            first = arena_alloc(&u->c->arena, (count + 1) * sizeof *first);
            if (first == NULL) {
                no_memory(u);
                break;
            }
            if (count)
                memcpy(first, mine, count * sizeof *first);
        }
        bool same = my_count == count;
        for (size_t k = 0; k < count && same; k++) {
            bool found = false;
            for (size_t j = 0; j < my_count; j++)
                found = found || mine[j].name == first[k].name;
            same = found;
        }
        if (!same) {
            AstNode place = last_place(u);
            gen_error(u, &place, "alternative patterns bind different names");
        }
        if (!u->c->failed) {
            /* Copies on top, everything of the alternative goes, copies come down. */
            unsigned top = temps_new(u, (unsigned)count);
            for (size_t k = 0; k < count; k++)
                for (size_t j = 0; j < my_count; j++)
                    if (mine[j].name == first[k].name) {
                        emit(u, OP_COPY, 0, top + (unsigned)k, mine[j].reg, 0);
                        live_add(u, top + (unsigned)k);
                        break;
                    }
            for (size_t k = inner.extra.count; k-- > extra;) {
                emit(u, OP_DROP, 0, inner.extra.items[k], 0, 0);
                live_del(u, inner.extra.items[k]);
            }
            for (size_t k = 0; k < count; k++)
                if (top != base) {
                    emit(u, OP_MOVE, 0, base + (unsigned)k, top + (unsigned)k, 0);
                    live_del(u, top + (unsigned)k);
                    live_add(u, base + (unsigned)k);
                }
            emit_jump(u, OP_JUMP, 0, 0, success);
            for (size_t k = 0; k < count; k++)
                live_del(u, base + (unsigned)k);
            u->top = base;
            /* The alternative failed: drop down to what was live before it, then the next one. */
            for (size_t k = inner.fail.count; k-- > extra;) {
                if (inner.fail.items[k] >= 0)
                    label_bind(u, inner.fail.items[k]);
                if (k > extra) {
                    for (size_t j = extra; j < k; j++)
                        live_add(u, inner.extra.items[j]);
                    emit(u, OP_DROP, 0, inner.extra.items[k - 1], 0, 0);
                    for (size_t j = extra; j < k; j++)
                        live_del(u, inner.extra.items[j]);
                }
            }
            u->top = base;
        }
        vec_free(&inner.captures);
        vec_free(&inner.extra);
        vec_free(&inner.fail);
    }
    if (u->c->failed)
        return;
    emit_jump(u, OP_JUMP, 0, 0, fail_label(u, m));
    label_bind(u, success);
    u->top = base + (unsigned)count;
    for (size_t k = 0; k < count; k++) {
        hold(u, m, base + (unsigned)k);
        capture(u, m, first[k].name, base + (unsigned)k, first[k].where);
    }
}

static void
pattern(Unit *u, Match *m, AstPattern *p, unsigned subject, bool irrefutable_ok)
{
    if (u->c->failed)
        return;
    if (thread_stack_low(u->th)) {
        u->c->failed = true;
        raise_recursion(u->th, " during compilation");
        return;
    }
    gen_at(u, p);
    switch (p->kind) {
    case AST_MatchValue:
        value_pattern(u, m, p->MatchValue.value, subject, false);
        break;
    case AST_MatchSingleton: {
        AstExpr *constant = arena_calloc(&u->c->arena, AST_SIZE(Constant));
        if (constant == NULL) {
            no_memory(u);
            return;
        }
        constant->kind = AST_Constant;
        ast_copy_place((AstNode *)constant, (const AstNode *)p);
        constant->Constant.value = p->MatchSingleton.value;
        value_pattern(u, m, constant, subject, true);
        break;
    }
    case AST_MatchSequence:
        sequence_pattern(u, m, p, subject);
        break;
    case AST_MatchMapping:
        mapping_pattern(u, m, p, subject);
        break;
    case AST_MatchClass:
        class_pattern(u, m, p, subject);
        break;
    case AST_MatchStar:
        gen_error(u, p, "can't use starred pattern here");
        break;
    case AST_MatchOr:
        or_pattern(u, m, p, subject, irrefutable_ok);
        break;
    case AST_MatchAs:
        if (p->MatchAs.pattern)
            pattern(u, m, p->MatchAs.pattern, subject, irrefutable_ok);
        else if (!irrefutable_ok) {
            if (p->MatchAs.name)
                gen_error(u, p, "name capture '%V' makes remaining patterns unreachable", p->MatchAs.name);
            else
                gen_error(u, p, "wildcard makes remaining patterns unreachable");
            return;
        }
        if (p->MatchAs.name)
            capture(u, m, p->MatchAs.name, subject, p);
        break;
    default:
        break;
    }
}

void
gen_match(Unit *u, AstStmt *st)
{
    AstMatchCase **cases = st->Match.cases.items;
    uint32_t n = st->Match.cases.count;
    Label end = label_new(u);
    Opnd subject = gen_expr_temp(u, st->Match.subject);
    uint64_t *before = bound_save(u);
    for (uint32_t i = 0; i < n && !u->c->failed; i++) {
        AstMatchCase *c = cases[i];
        Label next = label_new(u);
        Match m = {.base = u->live.count};
        bool last = i + 1 == n;
        bound_restore(u, before);
        unsigned mark = u->top;
        pattern(u, &m, c->pattern, subject.reg, last || c->guard != NULL);
        /* Bind the names, then let everything go. */
        for (size_t k = 0; k < m.captures.count && !u->c->failed; k++) {
            unsigned top = u->top;
            Opnd t = {(uint16_t)temp_new(u), true};
            gen_at(u, m.captures.items[k].where);
            emit(u, OP_COPY, 0, t.reg, m.captures.items[k].reg, 0);
            live_add(u, t.reg);
            gen_store_name(u, m.captures.items[k].name, t, m.captures.items[k].where);
            u->top = top;
        }
        for (size_t k = m.extra.count; k-- > 0;) {
            emit(u, OP_DROP, 0, m.extra.items[k], 0, 0);
            live_del(u, m.extra.items[k]);
        }
        u->top = mark;
        Label fail = -1;
        if (c->guard) {
            fail = label_new(u);
            gen_condition(u, c->guard, fail, false);
        }
        emit(u, OP_DROP, 0, subject.reg, 0, 0);
        live_del(u, subject.reg);
        gen_body(u, c->body);
        emit_jump(u, OP_JUMP, 0, 0, end);
        live_add(u, subject.reg);
        u->top = mark;
        emit_failures(u, &m, next);
        if (fail >= 0)
            label_bind(u, fail);
        label_bind(u, next);
        vec_free(&m.captures);
        vec_free(&m.fail);
        vec_free(&m.extra);
    }
    emit(u, OP_DROP, 0, subject.reg, 0, 0);
    opnd_end(u, subject);
    bound_restore(u, before);
    label_bind(u, end);
}
