/* gen_call.c -- calls, displays with * and **, f-strings.
 *
 * A call window is FRAME_WORDS registers (the callee in the first) and then the arguments: when the
 * callee is Python code, its frame is already in place.
 */
#include "core/compile/gen.h"

enum { DISPLAY_MAX = 500 }; /* more items than this are appended one by one */

static bool
has_starred(AstExprs list)
{
    for (uint32_t i = 0; i < list.count; i++)
        if (list.items[i]->kind == AST_Starred)
            return true;
    return false;
}

/* Ends everything of the window: callee and n registers from the first argument on. */
static void
window_end(Unit *u, unsigned win, unsigned n)
{
    for (unsigned i = n; i-- > 0;)
        live_del(u, win + FRAME_WORDS + i);
    live_del(u, win);
    u->top = win;
    if (u->live.count && u->live.items[u->live.count - 1] >= u->top)
        u->top = u->live.items[u->live.count - 1] + 1u;
}

/* c = r[win](nargs arguments), for generated calls. */
void
gen_call_window(Unit *u, unsigned win, unsigned nargs, Dest d)
{
    emit(u, OP_CALL, d.flags, win, nargs, d.reg);
    emit_extra(u, 0);
    window_end(u, win, nargs);
    dest_done(u, d);
}

/* `where`: the call, at which an error about a name stands. */
static bool
check_keywords(Unit *u, AstKeywords keywords, const void *where)
{
    for (uint32_t i = 0; i < keywords.count; i++) {
        AstKeyword *k = keywords.items[i];
        if (k->arg == NULL)
            continue;
        if (k->arg == NAME(__debug__)) {
            gen_error(u, where, "cannot assign to __debug__");
            return false;
        }
        for (uint32_t j = i + 1; j < keywords.count; j++)
            if (keywords.items[j]->arg == k->arg) {
                gen_error(u, keywords.items[j], "keyword argument repeated: %V", k->arg);
                return false;
            }
    }
    return true;
}

static void
append_starred(Unit *u, AstExprs elts, unsigned list, enum Opcode append, enum Opcode extend,
               unsigned extend_flags)
{
    for (uint32_t i = 0; i < elts.count && !u->c->failed; i++) {
        AstExpr *e = elts.items[i];
        bool star = e->kind == AST_Starred;
        Opnd v = gen_expr(u, star ? e->Starred.value : e);
        gen_at(u, e);
        emit(u, star ? extend : append, (v.temp ? B_DEAD : 0) | (star ? extend_flags : 0), list, v.reg, 0);
        opnd_end(u, v);
    }
}

/* The keyword arguments as a dict in register `reg`; win names the callee for messages. */
static void
gen_keyword_dict(Unit *u, AstKeywords keywords, unsigned reg, unsigned win)
{
    uint32_t i = 0;
    bool made = false;
    Position at = u->pos;
    while (i < keywords.count && !u->c->failed) {
        if (keywords.items[i]->arg == NULL) {
            if (!made) {
                emit(u, OP_BUILD_MAP, 0, reg, u->top, 0);
                live_add(u, reg);
                made = true;
            }
            Opnd v = gen_expr(u, keywords.items[i]->value);
            u->pos = at;
            emit(u, OP_DICT_MERGE, v.temp ? B_DEAD : 0, reg, v.reg, win);
            opnd_end(u, v);
            i++;
            continue;
        }
        uint32_t n = 0;
        unsigned base = u->top;
        unsigned target = made ? temp_new(u) : reg;
        if (made)
            base = u->top;
        while (i < keywords.count && keywords.items[i]->arg && n < 200) {
            unsigned k = temp_new(u);
            load_const(u, keywords.items[i]->arg, (Dest){(uint16_t)k, 0}); /* not mangled, as in CPython */
            unsigned v = temp_new(u);
            gen_into(u, keywords.items[i]->value, (Dest){(uint16_t)v, 0});
            n++;
            i++;
        }
        u->pos = at;
        emit(u, OP_BUILD_MAP, 0, target, base, n);
        for (unsigned r = base + 2 * n; r-- > base;)
            temp_end(u, r);
        live_add(u, target);
        if (made) {
            emit(u, OP_DICT_MERGE, B_DEAD, reg, target, win);
            temp_end(u, target);
        }
        made = true;
    }
}

/* Arguments into an open window (callee live at win; for methods self live behind it, `given`
 * arguments are in place already) and the call. */
void
gen_call_args(Unit *u, unsigned win, bool method, AstExprs args, AstKeywords keywords, Dest d,
              unsigned given)
{
    Position at = u->pos;
    unsigned self = method ? 1 : 0;
    AstNode call = {.lineno = at.line, .col_offset = at.column, .end_lineno = at.end_line,
                    .end_col_offset = at.end_column};
    if (!check_keywords(u, keywords, &call))
        return;
    bool starred = has_starred(args), star = starred;
    for (uint32_t i = 0; i < keywords.count; i++)
        star = star || keywords.items[i]->arg == NULL;
    if (star || args.count + keywords.count + given > 2000) {
        /* No method form: the caller opened a plain window. */
        unsigned tuple = win + FRAME_WORDS;
        if (!starred && args.count + given <= DISPLAY_MAX) {
            for (uint32_t i = 0; i < args.count; i++) {
                unsigned t = temp_new(u);
                gen_into(u, args.items[i], (Dest){(uint16_t)t, 0});
            }
            unsigned n = given + args.count;
            if (n == 0)
                tuple = temp_new(u);
            u->pos = at;
            emit(u, OP_BUILD_TUPLE, 0, tuple, tuple, n);
            for (unsigned i = n; i-- > 1;)
                live_del(u, tuple + i);
            live_add(u, tuple);
            u->top = tuple + 1;
        } else if (tuple = temp_new(u), given == 0 && args.count == 1 && args.items[0]->kind == AST_Starred)
            gen_into(u, args.items[0]->Starred.value, (Dest){(uint16_t)tuple, 0});
        else {
            /* Arguments in place move into the list first. */
            if (given)
                emit(u, OP_BUILD_LIST, 0, tuple, win + FRAME_WORDS, given);
            else
                emit(u, OP_BUILD_LIST, 0, tuple, u->top, 0);
            for (unsigned i = given; i-- > 0;)
                live_del(u, win + FRAME_WORDS + i);
            live_add(u, tuple);
            append_starred(u, args, tuple, OP_LIST_APPEND, OP_LIST_EXTEND, 0);
            u->pos = at;
            unsigned first = win + FRAME_WORDS;
            emit(u, OP_LIST_TO_TUPLE, B_DEAD, first, tuple, 0);
            live_del(u, tuple);
            live_add(u, first);
            u->top = first + 1;
            tuple = first;
        }
        if (tuple != win + FRAME_WORDS) { /* cannot happen: the first argument's place */
            emit(u, OP_MOVE, 0, win + FRAME_WORDS, tuple, 0);
            live_del(u, tuple);
            live_add(u, win + FRAME_WORDS);
        }
        if (keywords.count) {
            unsigned dict = temp_new(u);
            gen_keyword_dict(u, keywords, dict, win);
        }
        u->pos = at;
        emit(u, OP_CALL_EX, d.flags | (keywords.count ? FLAG_X : 0), win, 0, d.reg);
        window_end(u, win, 2);
        dest_done(u, d);
        return;
    }
    for (uint32_t i = 0; i < args.count; i++) {
        unsigned t = temp_new(u);
        gen_into(u, args.items[i], (Dest){(uint16_t)t, 0});
    }
    for (uint32_t i = 0; i < keywords.count; i++) {
        unsigned t = temp_new(u);
        gen_into(u, keywords.items[i]->value, (Dest){(uint16_t)t, 0});
    }
    unsigned nargs = given + args.count + keywords.count;
    u->pos = at;
    if (keywords.count) {
        Value names = u->c->failed ? NULL : tuple_new(u->th, keywords.count);
        if (names == NULL) {
            u->c->failed = true;
            return;
        }
        for (uint32_t i = 0; i < keywords.count; i++)
            tuple_init_item(names, i, retain(u->th, keywords.items[i]->arg));
        unsigned index = gen_const(u, names);
        drop(u->th, names);
        emit(u, method ? OP_CALL_METHOD_KW : OP_CALL_KW, d.flags, win, nargs, d.reg);
        emit_extra(u, index);
    } else {
        emit(u, method ? OP_CALL_METHOD : OP_CALL, d.flags, win, nargs, d.reg);
        emit_extra(u, 0);
    }
    window_end(u, win, nargs + self);
    dest_done(u, d);
}

static void
check_caller(Unit *u, AstExpr *e)
{
    AstExpr *f = e->Call.func;
    fold_constant(u, f);
    const char *name = f->kind == AST_Lambda ? NULL : literal_type(f);
    if (name)
        gen_warn(u, e, "'%s' object is not callable; perhaps you missed a comma?", name);
}

/* super() in a function: the object need not be made. */
static bool
plain_super(Unit *u, const AstExpr *e)
{
    return u->is_function && e->kind == AST_Call && e->Call.args.count == 0 &&
           e->Call.keywords.count == 0 && e->Call.func->kind == AST_Name &&
           e->Call.func->Name.id == NAME(super);
}

void
gen_call(Unit *u, AstExpr *e, Dest d)
{
    AstExpr *f = e->Call.func;
    bool star = has_starred(e->Call.args) || e->Call.args.count + e->Call.keywords.count > 2000;
    for (uint32_t i = 0; i < e->Call.keywords.count; i++)
        star = star || e->Call.keywords.items[i]->arg == NULL;
    bool method = f->kind == AST_Attribute && !star;
    check_caller(u, e);
    /* The destination may be a temporary right below; the window starts at the top. */
    unsigned win = u->top;
    if (method && plain_super(u, f->Attribute.value)) {
        temps_new(u, FRAME_WORDS + 1);
        gen_into(u, f->Attribute.value->Call.func, (Dest){(uint16_t)win, 0});
        gen_at(u, f);
        emit(u, OP_LOAD_SUPER, B_DEAD, win, win, gen_name(u, gen_mangle(u, f->Attribute.attr)));
        live_add(u, win + FRAME_WORDS);
    } else if (method) {
        Opnd object = gen_expr(u, f->Attribute.value);
        /* The object's temporary is the window's first register or none: it ends in LOAD_METHOD. */
        win = u->top;
        if (object.temp && object.reg + 1u == u->top)
            win = object.reg;
        u->top = win;
        temps_new(u, FRAME_WORDS + 1);
        gen_at_attr(u, f, f);
        emit(u, OP_LOAD_METHOD, object.temp ? B_DEAD : 0, win, object.reg,
             gen_name(u, gen_mangle(u, f->Attribute.attr)));
        emit_extra(u, 0);
        if (object.temp)
            live_del(u, object.reg);
        live_add(u, win);
        live_add(u, win + FRAME_WORDS);
    } else {
        temps_new(u, FRAME_WORDS);
        gen_into(u, f, (Dest){(uint16_t)win, 0});
    }
    if (method)
        gen_at_attr(u, e, f);
    else
        gen_at(u, e);
    gen_call_args(u, win, method, e->Call.args, e->Call.keywords, d, 0);
}

/* -- displays ----------------------------------------------------------------------------------------- */


void
gen_sequence(Unit *u, AstExprs elts, enum Opcode build, Dest d)
{
    Position at = u->pos;
    if (!has_starred(elts) && elts.count <= DISPLAY_MAX) {
        /* A list or set of many constants is made from a constant tuple. */
        unsigned base = u->top;
        for (uint32_t i = 0; i < elts.count; i++) {
            unsigned t = temp_new(u);
            gen_into(u, elts.items[i], (Dest){(uint16_t)t, 0});
        }
        u->pos = at;
        emit(u, build, d.flags, d.reg, base, elts.count);
        for (unsigned i = elts.count; i-- > 0;)
            live_del(u, base + i);
        u->top = base;
        dest_done(u, d);
        return;
    }
    bool set = build == OP_BUILD_SET;
    unsigned t = d.flags & A_LIVE || build == OP_BUILD_TUPLE ? temp_new(u) : d.reg;
    emit(u, set ? OP_BUILD_SET : OP_BUILD_LIST, 0, t, u->top, 0);
    live_add(u, t);
    append_starred(u, elts, t, set ? OP_SET_ADD : OP_LIST_APPEND, set ? OP_SET_UPDATE : OP_LIST_EXTEND,
                   set ? 0 : FLAG_X);
    u->pos = at;
    if (build == OP_BUILD_TUPLE)
        emit(u, OP_LIST_TO_TUPLE, d.flags | B_DEAD, d.reg, t, 0);
    else if (t != d.reg)
        emit(u, OP_MOVE, d.flags, d.reg, t, 0);
    if (t != d.reg) {
        temp_end(u, t);
        dest_done(u, d);
    }
}

void
gen_dict(Unit *u, AstExpr *e, Dest d)
{
    AstExprs keys = e->Dict.keys, values = e->Dict.values;
    bool plain = keys.count <= DISPLAY_MAX / 2;
    for (uint32_t i = 0; i < keys.count; i++)
        plain = plain && keys.items[i];
    if (plain) {
        unsigned base = u->top;
        for (uint32_t i = 0; i < keys.count; i++) {
            unsigned k = temp_new(u);
            gen_into(u, keys.items[i], (Dest){(uint16_t)k, 0});
            unsigned v = temp_new(u);
            gen_into(u, values.items[i], (Dest){(uint16_t)v, 0});
        }
        gen_at(u, e);
        emit(u, OP_BUILD_MAP, d.flags, d.reg, base, keys.count);
        for (unsigned i = 2 * keys.count; i-- > 0;)
            live_del(u, base + i);
        u->top = base;
        dest_done(u, d);
        return;
    }
    unsigned t = d.flags & A_LIVE ? temp_new(u) : d.reg;
    emit(u, OP_BUILD_MAP, 0, t, u->top, 0);
    live_add(u, t);
    for (uint32_t i = 0; i < keys.count && !u->c->failed; i++) {
        if (keys.items[i] == NULL) {
            Opnd v = gen_expr(u, values.items[i]);
            gen_at(u, values.items[i]);
            emit(u, OP_DICT_UPDATE, v.temp ? B_DEAD : 0, t, v.reg, 0);
            opnd_end(u, v);
            continue;
        }
        Opnd k = gen_expr_temp(u, keys.items[i]);
        Opnd v = gen_expr(u, values.items[i]);
        gen_at(u, e);
        emit(u, OP_MAP_ADD, B_DEAD | (v.temp ? C_DEAD : 0), t, k.reg, v.reg);
        opnd_end(u, v);
        opnd_end(u, k);
    }
    if (t != d.reg) {
        emit(u, OP_MOVE, d.flags, d.reg, t, 0);
        temp_end(u, t);
        dest_done(u, d);
    }
}

/* -- f-strings --------------------------------------------------------------------------------------------- */

void
gen_formatted(Unit *u, AstExpr *e, Dest d)
{
    Opnd v = gen_expr(u, e->FormattedValue.value);
    int conversion = e->FormattedValue.conversion;
    if (conversion != 's' && conversion != 'r' && conversion != 'a' && conversion != -1) {
        if (!u->c->failed) {
            u->c->failed = true;
            raise_system_error(u->th, "Unrecognized conversion character %d", conversion);
        }
        return;
    }
    unsigned sub = e->FormattedValue.conversion == 's'   ? 1
                   : e->FormattedValue.conversion == 'r' ? 2
                   : e->FormattedValue.conversion == 'a' ? 3
                                                         : 0;
    unsigned flags = sub << SUB_SHIFT | d.flags | (v.temp ? B_DEAD : 0);
    if (e->FormattedValue.format_spec) {
        Opnd spec = gen_expr_temp(u, e->FormattedValue.format_spec);
        gen_at(u, e);
        emit(u, OP_FORMAT_VALUE, flags | FLAG_X | C_DEAD, d.reg, v.reg, spec.reg);
        opnd_end(u, spec);
    } else {
        gen_at(u, e);
        emit(u, OP_FORMAT_VALUE, flags, d.reg, v.reg, 0);
    }
    opnd_end(u, v);
    dest_done(u, d);
}

void
gen_joined_str(Unit *u, AstExpr *e, Dest d)
{
    AstExprs values = e->JoinedStr.values;
    if (values.count == 0) {
        load_const(u, str_empty, d);
        return;
    }
    if (values.count == 1 && values.items[0]->kind == AST_FormattedValue) {
        gen_into(u, values.items[0], d);
        return;
    }
    if (values.count > DISPLAY_MAX) { /* ''.join(list) */
        unsigned win = temps_new(u, FRAME_WORDS + 1);
        Opnd empty = {(uint16_t)temp_new(u), true};
        load_const(u, str_empty, (Dest){empty.reg, 0});
        emit(u, OP_LOAD_METHOD, B_DEAD, win, empty.reg, gen_name(u, NAME(join)));
        emit_extra(u, 0);
        temp_end(u, empty.reg);
        live_add(u, win);
        live_add(u, win + FRAME_WORDS);
        unsigned list = temp_new(u);
        emit(u, OP_BUILD_LIST, 0, list, u->top, 0);
        live_add(u, list);
        append_starred(u, values, list, OP_LIST_APPEND, OP_LIST_EXTEND, 0);
        gen_at(u, e);
        emit(u, OP_CALL_METHOD, d.flags, win, 1, d.reg);
        emit_extra(u, 0);
        window_end(u, win, 2);
        dest_done(u, d);
        return;
    }
    unsigned base = u->top;
    for (uint32_t i = 0; i < values.count; i++) {
        unsigned t = temp_new(u);
        gen_into(u, values.items[i], (Dest){(uint16_t)t, 0});
    }
    gen_at(u, e);
    emit(u, OP_BUILD_STRING, d.flags, d.reg, base, values.count);
    for (unsigned i = values.count; i-- > 0;)
        live_del(u, base + i);
    u->top = base;
    dest_done(u, d);
}
