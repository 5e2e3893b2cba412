/* call.c -- calls that are not the plain case of ops_call.h; entering functions from C.
 *
 * A Python callee gets a frame; everything else is called as C.  While C code runs, the callee
 * and the arguments stay in the caller's window, where the scan finds them.  Between taking the
 * window apart and pushing the frame there is no safepoint.
 */
#include "core/vm/disasm.h"
#include "core/vm/slow.h"

#include <stdlib.h>
#include <string.h>

#include "objects/container/container.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

enum { TMP_WORDS = 32 };

bool
push_frame(Thread *th, Frame *nf, Code *code, const Function *fn, unsigned bits, uint32_t params)
{
    if (UNLIKELY(th->recursion_left <= 0 || !frame_fits(th, nf->r, code))) {
        raise_recursion(th, "");
        return false;
    }
    th->recursion_left--;
    nf->link = frame_link(th->frame, bits);
    nf->pc = code->instrs;
    nf->code = code;
    nf->locals = NULL;
    nf->object = NULL;
    frame_init_variables(fn, code, nf->r, params);
    if (UNLIKELY(!(code->flags & CODE_OPTIMIZED))) { /* a module's code in a function: its names are globals */
        nf->locals = retain(th, function_globals(fn));
        nf->link |= FRAME_LOCALS;
    }
    th->frame = nf;
    return true;
}

static void
write_result(Thread *th, Frame *f, const Instr *pc, Value v)
{
    if (pc->flags & A_LIVE) {
        Value old = f->r[pc->c];
        f->r[pc->c] = v;
        reg_drop(th, old);
    } else {
        f->r[pc->c] = v;
    }
}

/* A call window as call_function() sees it. */
typedef struct Window {
    Value *args;     /* first argument word */
    size_t total;    /* words: positional and keyword arguments */
    Value kwnames;   /* tuple, or NULL */
    unsigned bits;   /* FRAME_ONE_WORD for CALL_EX */
} Window;

/* Where the callee's registers begin if its arguments lie at `args`. */
static Value *
callee_registers(Thread *th, Frame *f, Value *args)
{
    if (UNLIKELY(f->link & FRAME_GENERATOR))
        return frame_stack_top(th) + FRAME_WORDS;
    return args;
}

/* Calls the Python function in `function` (a register's word, taken over on success), with `self`
 * (a word that stays its owner's) in front if it is not NULL. */
static enum CallResult
call_function(Thread *th, Frame *f, Value function, Value self, Window w)
{
    Function *fn = (Function *)(void *)reg_object(function);
    function_touch(th, fn);
    Code *code = as_code(load_acquire(&fn->code));
    size_t extra = self != NULL;
    Value *nr = callee_registers(th, f, w.args);
    if (UNLIKELY(th->recursion_left <= 0 || !frame_fits(th, nr, code) ||
                 nr + w.total + STACK_SLACK > th->stack_limit)) {
        raise_recursion(th, "");
        return CALL_FAILED;
    }
    if (w.kwnames == NULL && code->simple_args == w.total + extra) {
        memmove(nr + extra, w.args, w.total * sizeof(Value));
        if (self != NULL)
            nr[0] = reg_copy(th, self);
    } else {
        Value small[TMP_WORDS];
        Value *tmp = small;
        if (w.total + extra > TMP_WORDS) {
            tmp = malloc((w.total + extra) * sizeof(Value));
            if (tmp == NULL) {
                raise_memory(th);
                return CALL_FAILED;
            }
        }
        memcpy(tmp + extra, w.args, w.total * sizeof(Value));
        if (self != NULL)
            tmp[0] = reg_copy(th, self);
        size_t nargs = w.total + extra - (w.kwnames ? (size_t)tuple_length(w.kwnames) : 0);
        bool ok = bind_args(th, fn, code, nr, tmp, nargs, w.kwnames);
        if (!ok) {
            memcpy(w.args, tmp + extra, w.total * sizeof(Value));
            if (self != NULL)
                reg_drop(th, tmp[0]);
        }
        if (tmp != small)
            free(tmp);
        if (!ok)
            return CALL_FAILED;
    }
    Frame *nf = frame_of(nr);
    nf->function = function;
    if (!push_frame(th, nf, code, fn, w.bits, code->param_count))
        abort(); /* there was room above */
    return CALL_PUSHED;
}

/* f(*args, **kwargs) of a Python function: the arguments come out of the containers. */
static enum CallResult
call_function_ex(Thread *th, Frame *f, const Instr *pc, Function *fn, Code *code, Value self,
                 Value tuple, Value dict)
{
    size_t extra = self != NULL, nargs = (size_t)tuple_length(tuple);
    size_t room = dict ? (size_t)dict_length(dict) : 0, kwargs = 0;
    Value *window = f->r + pc->a;
    Value *nr = callee_registers(th, f, window + FRAME_WORDS);
    if (UNLIKELY(th->recursion_left <= 0 || !frame_fits(th, nr, code))) {
        raise_recursion(th, "");
        return CALL_FAILED;
    }
    Value small[TMP_WORDS];
    Value *tmp = small;
    if (nargs + extra + room > TMP_WORDS) {
        tmp = malloc((nargs + extra + room) * sizeof(Value));
        if (tmp == NULL) {
            raise_memory(th);
            return CALL_FAILED;
        }
    }
    Value names = NULL;
    bool ok = true;
    if (self != NULL)
        tmp[0] = reg_copy(th, self);
    for (size_t i = 0; i < nargs; i++)
        tmp[extra + i] = retain(th, tuple_item(tuple, (int64_t)i));
    if (room != 0) {
        names = tuple_new(th, room);
        ok = names != NULL;
        size_t pos = 0;
        Value key, value;
        while (ok && kwargs < room && dict_next(th, dict, &pos, &key, &value)) {
            if (!is_str(key)) {
                Value qualname = field_read(th, &fn->head, &fn->qualname);
                raise_type_error(th, "keywords must be strings");
                drop(th, qualname);
                ok = false;
            }
            tuple_init_item(names, (int64_t)kwargs, key);
            tmp[extra + nargs + kwargs++] = value;
        }
        if (ok && kwargs < room) { /* another thread took some away */
            Value fewer = tuple_slice(th, names, 0, (int64_t)kwargs);
            ok = fewer != NULL;
            drop(th, names);
            names = fewer;
        }
    }
    ok = ok && bind_args(th, fn, code, nr, tmp, nargs + extra, kwargs ? names : NULL);
    if (!ok) {
        for (size_t i = 0; i < extra + nargs + kwargs; i++)
            reg_drop(th, tmp[i]);
    }
    drop_null(th, names);
    if (tmp != small)
        free(tmp);
    return ok ? CALL_PUSHED : CALL_FAILED;
}

static enum CallResult
slow_call_ex(Thread *th, Frame *f, const Instr *pc)
{
    Value *window = f->r + pc->a;
    bool has_dict = (pc->flags & FLAG_X) != 0;
    if (UNLIKELY(!is_exact(value_strip(window[FRAME_WORDS]), SHAPE_TUPLE))) {
        Value t = star_tuple(th, value_strip(window[0]), value_strip(window[FRAME_WORDS]));
        if (t == NULL)
            return CALL_FAILED;
        Value old = window[FRAME_WORDS];
        window[FRAME_WORDS] = t;
        reg_drop(th, old);
    }
    if (UNLIKELY(has_dict && !is_exact(value_strip(window[FRAME_WORDS + 1]), SHAPE_DICT))) {
        Value d = dict_new(th);
        if (d == NULL || !dict_merge_keywords(th, d, value_strip(window[FRAME_WORDS + 1]),
                                              value_strip(window[0]))) {
            drop_null(th, d);
            return CALL_FAILED;
        }
        Value old = window[FRAME_WORDS + 1];
        window[FRAME_WORDS + 1] = d;
        reg_drop(th, old);
    }
    Value callee_word = window[0], tuple_word = window[FRAME_WORDS];
    Value dict_word = has_dict ? window[FRAME_WORDS + 1] : NULL;
    Value callee = value_strip(callee_word), tuple = value_strip(tuple_word);
    Value dict = dict_word ? value_strip(dict_word) : NULL;
    Value self = NULL, function = NULL;
    uint32_t shape = shape_of(callee);
    if (is_function(callee)) {
        function = callee_word;
    } else if (shape == SHAPE_METHOD) {
        Method *m = (Method *)(void *)value_object(callee);
        if (is_function(m->function)) {
            self = m->self;
            function = m->function;
        }
    }
    if (function != NULL) {
        Function *fn = (Function *)(void *)reg_object(function);
        function_touch(th, fn);
        Code *code = as_code(load_acquire(&fn->code));
        /* The binder writes where the containers lie; it has read them all by then, but a
         * failure wants them back. */
        enum CallResult did = call_function_ex(th, f, pc, fn, code, self, tuple, dict);
        if (did == CALL_FAILED) {
            window[FRAME_WORDS] = tuple_word;
            if (has_dict)
                window[FRAME_WORDS + 1] = dict_word;
            return CALL_FAILED;
        }
        Frame *nf = frame_of(callee_registers(th, f, window + FRAME_WORDS));
        nf->function = self != NULL ? retain(th, function) : function;
        if (!push_frame(th, nf, code, fn, FRAME_ONE_WORD, code->param_count))
            abort(); /* there was room */
        if (self != NULL)
            reg_drop(th, callee_word);
        reg_drop(th, tuple_word);
        reg_drop(th, dict_word);
        return CALL_PUSHED;
    }
    Value v = call_tuple_dict(th, callee, tuple, dict);
    if (v == NULL)
        return CALL_FAILED;
    reg_drop(th, window[0]);
    reg_drop(th, window[FRAME_WORDS]);
    if (has_dict)
        reg_drop(th, window[FRAME_WORDS + 1]);
    write_result(th, f, pc, v);
    return CALL_DONE;
}

enum CallResult
slow_call(Thread *th, Frame *f, Instr *pc)
{
    uint8_t op = opcode_generic(instr_op(pc));
    if (op == OP_CALL_EX)
        return slow_call_ex(th, f, pc);
    Value *window = f->r + pc->a;
    Window w = {.args = window + FRAME_WORDS, .total = pc->b};
    if (op == OP_CALL_METHOD || op == OP_CALL_METHOD_KW) {
        if (window[FRAME_WORDS] == NULL)
            w.args++;
        else
            w.total++;
    }
    if (op == OP_CALL_KW || op == OP_CALL_METHOD_KW)
        w.kwnames = f->code->consts[*(const uint64_t *)(const void *)(pc + 1)];
    Value callee = value_strip(window[0]);
    size_t nargs = w.total - (w.kwnames ? (size_t)tuple_length(w.kwnames) : 0);
    const Arg *args = args_of(w.args);
    Value v;
    switch (shape_of(callee)) {
    case SHAPE_FUNCTION:
        return call_function(th, f, window[0], NULL, w);
    case SHAPE_METHOD: {
        Method *m = (Method *)(void *)value_object(callee);
        if (is_function(m->function)) {
            Value method_word = window[0];
            Value function = retain(th, m->function);
            enum CallResult did = call_function(th, f, function, m->self, w);
            if (did == CALL_PUSHED)
                reg_drop(th, method_word);
            else
                drop(th, function);
            return did;
        }
        v = call(th, callee, args, nargs, w.kwnames);
        break;
    }
    case SHAPE_NATIVE_FUNCTION: {
        const NativeFunction *nf = (NativeFunction *)(void *)value_object(callee);
        v = native_call(th, nf->def, nf->self, args, nargs, w.kwnames);
        break;
    }
    case SHAPE_METHOD_DESCR: {
        const MethodDescr *d = (MethodDescr *)(void *)value_object(callee);
        if (LIKELY(nargs != 0 && is_instance_of(arg(args, 0), d->type)))
            v = native_call(th, d->def, arg(args, 0), args + 1, nargs - 1, w.kwnames);
        else
            v = call(th, callee, args, nargs, w.kwnames);
        break;
    }
    default:
        if (is_function(callee))
            return call_function(th, f, window[0], NULL, w);
        if ((op == OP_CALL || op == OP_CALL_METHOD) && is_type(callee) && cache_warm(th, pc))
            specialize_call(th, pc, callee, op);
        v = call(th, callee, args, nargs, w.kwnames);
        break;
    }
    if (UNLIKELY(v == NULL))
        return CALL_FAILED;
    for (size_t i = 0; i < w.total; i++)
        reg_drop(th, w.args[i]);
    reg_drop(th, window[0]);
    write_result(th, f, pc, v);
    return CALL_DONE;
}

/* -- entering from C -- */

Value
function_call(Thread *th, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    Function *fn = as_function(self);
    function_touch(th, fn);
    Code *code = as_code(load_acquire(&fn->code));
    size_t total = nargs + (kwnames ? (size_t)tuple_length(kwnames) : 0);
    Frame *nf = (Frame *)(void *)frame_stack_top(th);
    if (UNLIKELY(th->recursion_left <= 0 || !frame_fits(th, nf->r, code)))
        return raise_recursion(th, "");
    /* Words with the borrowed bit come out of registers that hold them as long as the call
     * lasts; others are counted, since the caller may be any C code. */
    if (LIKELY(total == nargs && code->simple_args == nargs)) {
        for (size_t i = 0; i < nargs; i++)
            nf->r[i] = reg_copy(th, args[i].raw);
    } else {
        Value small[TMP_WORDS];
        Value *tmp = small;
        if (total > TMP_WORDS) {
            tmp = malloc(total * sizeof(Value));
            if (tmp == NULL)
                return raise_memory(th);
        }
        for (size_t i = 0; i < total; i++)
            tmp[i] = reg_copy(th, args[i].raw);
        bool ok = bind_args(th, fn, code, nf->r, tmp, nargs, kwnames);
        if (!ok) {
            for (size_t i = 0; i < total; i++)
                reg_drop(th, tmp[i]);
        }
        if (tmp != small)
            free(tmp);
        if (!ok)
            return NULL;
    }
    nf->function = retain(th, self);
    if (!push_frame(th, nf, code, fn, FRAME_ENTRY, code->param_count))
        abort(); /* there was room */
    return eval_frame(th, nf, EVAL_RUN);
}

/* Runs `code` in a frame of its own with the names of `locals` (NULL: registers only). */
static Value
run_with_locals(Thread *th, Value function, Value locals)
{
    Function *fn = as_function(function);
    object_touch(th, &fn->head);
    Code *code = as_code(load_acquire(&fn->code));
    Frame *nf = (Frame *)(void *)frame_stack_top(th);
    if (UNLIKELY(th->recursion_left <= 0 || !frame_fits(th, nf->r, code)))
        return raise_recursion(th, "");
    /* Whoever makes a class of any function: its parameters have their defaults, or it complains. */
    if (code->param_count != 0 && !bind_args(th, fn, code, nf->r, NULL, 0, NULL))
        return NULL;
    nf->function = retain(th, function);
    if (!push_frame(th, nf, code, fn, FRAME_ENTRY, code->param_count))
        abort(); /* there was room */
    if (locals != NULL && locals != nf->locals) {
        Value old = nf->locals;
        nf->locals = retain(th, locals);
        nf->link |= FRAME_LOCALS;
        drop_null(th, old);
    }
    return eval_frame(th, nf, EVAL_RUN);
}

Value
function_run_in(Thread *th, Value function, Value locals)
{
    return run_with_locals(th, function, locals);
}

Value
eval_code(Thread *th, Value code, Value globals, Value locals, Value closure)
{
    Code *c = as_code(code);
    if ((closure == NULL ? 0 : tuple_length(closure)) != (int64_t)c->free_count)
        return raise_type_error(th, "code object requires a closure of exactly length %u",
                                c->free_count);
    Value function = function_new(th, code, globals, NULL);
    if (function == NULL)
        return NULL;
    if (closure != NULL) {
        object_set_bits(value_object(closure), BIT_SHARED);
        field_init(&as_function(function)->closure, retain(th, closure));
    }
    Value result;
    if (UNLIKELY(disasm_wanted()))
        disasm_code(c);
    if (c->param_count != 0)
        result = function_call(th, function, NULL, 0, NULL); /* complains about arguments */
    else
        result = run_with_locals(th, function,
                                 locals != NULL                        ? locals
                                 : c->flags & CODE_NEWLOCALS ? NULL
                                                                       : globals);
    drop(th, function);
    return result;
}
