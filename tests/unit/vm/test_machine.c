/* test_machine.c -- the machine on hand-assembled code: calls, loops, exceptions, generators,
 * upgrades of borrowed words, code objects. */
#include <string.h>

#include "core/vm/internal.h"
#include "gc/collect.h"
#include "gc/gc_init.h"
#include "gc/pending.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/model/names.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
#include "tests/tap.h"
#include "threads/interp.h"
#include "threads/safepoint.h"

static Thread *th;

/* -- an assembler -- */

enum { MAX_WORDS = 64, MAX_LIVE = 64 };

typedef struct Asm {
    Instr words[MAX_WORDS];
    uint16_t live_index[MAX_WORDS];
    uint32_t live_start[MAX_LIVE + 1];
    uint16_t live_registers[MAX_LIVE * 4];
    ExceptionEntry exceptions[4];
    uint32_t count, live_sets, live_total, exception_count;
    Value consts[8], names_[8], vars[8];
    uint32_t const_count, name_count, var_count;
} Asm;

/* One instruction; `live`: its live temporaries, ended by 0 (register 0 is never one). */
static uint32_t
op(Asm *a, int code, unsigned flags, unsigned x, unsigned y, unsigned z, const uint16_t *live)
{
    uint32_t at = a->count;
    uint32_t set = a->live_sets++;
    a->live_start[set] = a->live_total;
    for (; live != NULL && *live != 0; live++)
        a->live_registers[a->live_total++] = *live;
    a->live_start[set + 1] = a->live_total;
    a->words[a->count] = (Instr){(uint8_t)code, (uint8_t)flags, (uint16_t)x, (uint16_t)y, (uint16_t)z};
    a->live_index[a->count++] = (uint16_t)set;
    for (int i = 0; i < opcode_words((uint8_t)code); i++) {
        memset(&a->words[a->count], 0, sizeof(Instr));
        a->live_index[a->count++] = (uint16_t)set;
    }
    return at;
}

static uint32_t
wide(Asm *a, int code, unsigned flags, unsigned x, int32_t bc, const uint16_t *live)
{
    return op(a, code, flags, x, (uint16_t)bc, (uint16_t)((uint32_t)bc >> 16), live);
}

static void
extra(Asm *a, uint32_t at, int32_t word)
{
    memcpy(&a->words[at + 1], &word, sizeof word);
}

static unsigned
name(Asm *a, const char *text)
{
    a->names_[a->name_count] = str_intern_c(th, text);
    return a->name_count++;
}

static void
var(Asm *a, const char *text)
{
    a->vars[a->var_count++] = str_intern_c(th, text);
}

static Value
assemble(Asm *a, const char *text, unsigned params, unsigned flags)
{
    static const uint8_t kinds[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    Position positions[MAX_WORDS];
    for (uint32_t i = 0; i < a->count; i++)
        positions[i] = (Position){(int32_t)(10 + i / 2), (int32_t)(10 + i / 2), (int32_t)i, -1};
    Value id = str_intern_c(th, text);
    CodeInit init = {
        .instrs = a->words, .instr_count = a->count, .register_count = 40,
        .temp_base = a->var_count, .flags = flags | CODE_OPTIMIZED | CODE_NEWLOCALS,
        .arg_count = params, .local_count = a->var_count, .first_line = 9,
        .const_tuple = tuple_of(th, a->consts, a->const_count),
        .name_tuple = tuple_of(th, a->names_, a->name_count),
        .var_names = tuple_of(th, a->vars, a->var_count), .var_kinds = kinds,
        .name = id, .qualname = id, .filename = id,
        .live_index = a->live_index, .live_start = a->live_start,
        .live_registers = a->live_registers, .live_sets = a->live_sets,
        .exceptions = a->exceptions, .exception_count = a->exception_count,
        .positions = positions,
    };
    if (!code_verify(th, &init))
        return NULL;
    return code_new(th, &init);
}

static Value globals;

static Value
make(Asm *a, const char *text, unsigned params, unsigned flags)
{
    Value code = assemble(a, text, params, flags);
    Value f = code ? function_new(th, code, globals, NULL) : NULL;
    drop_null(th, code);
    if (f != NULL && !dict_set_c(th, globals, text, f))
        return NULL;
    return f;
}

static const uint16_t T1[] = {1, 0}, T2[] = {2, 0}, T2_8[] = {2, 8, 0}, T1_2[] = {1, 2, 0},
                      T1_2_8[] = {1, 2, 8, 0}, T3[] = {3, 0}, T1_7[] = {1, 7, 0}, T1_9[] = {1, 9, 0};

/* def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2) */
static Value
make_fib(void)
{
    Asm a = {0};
    var(&a, "n");
    unsigned fib = name(&a, "fib");
    wide(&a, OP_RESUME, 0, 0, 0, NULL);
    uint32_t jump = op(&a, OP_JUMP_COMPARE_IMM, OP_LT << SUB_SHIFT, 0, 0, 2, NULL);
    op(&a, OP_RETURN, 0, 0, 0, 0, NULL);
    extra(&a, jump, (int32_t)(a.count - jump - 2));
    wide(&a, OP_LOAD_GLOBAL, 0, 2, (int32_t)fib, NULL);
    op(&a, OP_SUBTRACT_IMM, 0, 8, 0, 1, T2);
    op(&a, OP_CALL, 0, 2, 1, 1, T2_8);
    wide(&a, OP_LOAD_GLOBAL, 0, 2, (int32_t)fib, T1);
    op(&a, OP_SUBTRACT_IMM, 0, 8, 0, 2, T1_2);
    op(&a, OP_CALL, 0, 2, 1, 2, T1_2_8);
    op(&a, OP_ADD, B_DEAD | C_DEAD, 1, 1, 2, T1_2);
    op(&a, OP_RETURN, 0, 1, 0, 0, T1);
    return make(&a, "fib", 1, 0);
}

static void
test_fib(void)
{
    Value f = make_fib();
    Value r = f ? call_1(th, f, value_from_fixnum(20)) : NULL;
    OK(r == value_from_fixnum(6765), "fib(20)");
    int32_t left = th->recursion_left;
    r = call_1(th, f, value_from_fixnum(100000));
    OK(r == NULL && error_matches(th, &exc_RecursionError), "too deep a recursion");
    error_clear(th);
    OK(th->frame == NULL && th->recursion_left == left, "the stack is empty again");
    r = call_2(th, f, NONE, NONE);
    OK(r == NULL && error_matches(th, &exc_TypeError), "one argument too many");
    error_clear(th);
    drop(th, f);
}

/* def total(n): t = 0; for i in range(n) ...: by hand, over an iterator that is given */
static Value
make_total(void)
{
    Asm a = {0};
    var(&a, "it");
    var(&a, "t");
    var(&a, "i");
    wide(&a, OP_LOAD_INT, A_LIVE, 1, 0, NULL);
    op(&a, OP_GET_ITER, 0, 3, 0, 0, NULL);
    uint32_t loop = op(&a, OP_FOR_ITER, A_LIVE, 3, 2, 0, T3);
    op(&a, OP_ADD, A_LIVE | FLAG_X, 1, 1, 2, T3);
    uint32_t back = wide(&a, OP_JUMP_BACK, 0, 0, 0, T3);
    int32_t distance = (int32_t)loop - (int32_t)(back + 1);
    a.words[back].b = (uint16_t)distance;
    a.words[back].c = (uint16_t)((uint32_t)distance >> 16);
    extra(&a, loop, (int32_t)(a.count - loop - 2));
    op(&a, OP_RETURN, 0, 1, 0, 0, NULL);
    return make(&a, "total", 1, 0);
}

/* def count(n): i = 0; while i < n: yield i; i += 1 */
static Value
make_count(void)
{
    Asm a = {0};
    var(&a, "n");
    op(&a, OP_RETURN_GENERATOR, 0, 0, 0, 0, NULL);
    var(&a, "i");
    wide(&a, OP_LOAD_INT, A_LIVE, 1, 0, NULL);
    uint32_t top = op(&a, OP_JUMP_COMPARE, OP_LT << SUB_SHIFT, 0, 1, 0, NULL);
    op(&a, OP_YIELD, 0, 2, 1, 0, NULL);
    op(&a, OP_DROP, 0, 2, 0, 0, T2);
    op(&a, OP_ADD_IMM, A_LIVE | FLAG_X, 1, 1, 1, NULL);
    uint32_t back = wide(&a, OP_JUMP_BACK, 0, 0, 0, NULL);
    int32_t distance = (int32_t)top - (int32_t)(back + 1);
    a.words[back].b = (uint16_t)distance;
    a.words[back].c = (uint16_t)((uint32_t)distance >> 16);
    extra(&a, top, (int32_t)(a.count - top - 2));
    a.consts[a.const_count++] = NONE;
    wide(&a, OP_RETURN_CONST, 0, 0, 0, NULL);
    return make(&a, "count", 1, CODE_GENERATOR);
}

static void
test_loops(void)
{
    Value total = make_total(), count = make_count();
    Value range = range_new(th, value_from_fixnum(0), value_from_fixnum(1000), value_from_fixnum(1));
    Value r = call_1(th, total, range);
    OK(r == value_from_fixnum(499500), "a loop over a range");
    Value g = call_1(th, count, value_from_fixnum(1000));
    OK(g != NULL && is_exact(g, SHAPE_GENERATOR), "a generator");
    r = call_1(th, total, g);
    OK(r == value_from_fixnum(499500), "a loop over a generator");
    OK(load_relaxed(&as_generator(g)->state) == GEN_FINISHED, "it is finished");
    drop(th, g);

    g = call_1(th, count, value_from_fixnum(3));
    Value v = iter_next(th, g);
    OK(v == value_from_fixnum(0), "next()");
    v = iter_next(th, g);
    OK(v == value_from_fixnum(1), "next() again");
    r = call_method_0(th, g, NAME(close));
    OK(r == NONE, "close()");
    v = iter_next(th, g);
    OK(v == NULL && !error_set(th), "nothing after close()");
    drop(th, g);
    drop(th, range);
    drop(th, total);
    drop(th, count);
}

/* def safe(f): try: return f() except: return the exception */
static void
test_exceptions(void)
{
    Asm a = {0};
    var(&a, "f");
    uint32_t start = op(&a, OP_COPY, 0, 1, 0, 0, NULL);
    op(&a, OP_CALL, 0, 1, 0, 1, T1);
    uint32_t end = a.count;
    op(&a, OP_RETURN, 0, 1, 0, 0, T1);
    uint32_t handler = op(&a, OP_ENTER_HANDLER, 0, 1, 0, 0, NULL);
    op(&a, OP_COPY, 0, 3, 2, 0, T1_2);
    static const uint16_t live3[] = {1, 2, 3, 0};
    op(&a, OP_LEAVE_HANDLER, 0, 1, 0, 0, live3);
    op(&a, OP_RETURN, 0, 3, 0, 0, T3);
    a.exceptions[a.exception_count++] = (ExceptionEntry){start, end, handler, 0};
    Value safe = make(&a, "safe", 1, 0);

    Asm b = {0};
    var(&b, "x");
    op(&b, OP_RETURN, 0, 0, 0, 0, NULL);
    Value one = make(&b, "one", 1, 0);
    Value e = call_1(th, safe, one);
    OK(e != NULL && is_instance_of(e, &exc_TypeError), "the callee's exception is handled");
    Value text = e ? to_str(th, e) : NULL;
    OK(text && str_equal_ascii(text, "one() missing 1 required positional argument: 'x'"),
       "its message");
    drop_null(th, text);
    OK(exception_traceback_peek(e) != NULL, "it has a traceback");
    OK(th->handled->value == NULL, "nothing is handled any more");
    drop_null(th, e);

    /* through three frames */
    Asm c = {0};
    unsigned g = name(&c, "one");
    wide(&c, OP_LOAD_GLOBAL, 0, 1, (int32_t)g, NULL);
    op(&c, OP_CALL, 0, 1, 0, 1, T1);
    op(&c, OP_RETURN, 0, 1, 0, 0, T1);
    var(&c, "unused");
    Value middle = make(&c, "middle", 0, 0);
    e = call_1(th, safe, middle);
    OK(e != NULL && is_instance_of(e, &exc_TypeError), "an exception from two frames down");
    int entries = 0;
    for (Value tb = exception_traceback_peek(e); tb != NULL && tb != NONE; entries++) {
        Value next = get_attr_c(th, tb, "tb_next");
        drop_null(th, next); /* kept by the chain */
        tb = next;
    }
    OK(entries == 2, "one traceback entry a frame");
    drop_null(th, e);
    drop(th, middle);
    drop(th, one);
    drop(th, safe);
}

/* def first(l): x = l[0]; f(); return x -- with l shared, so that x is borrowed over the call */
static Value saved;

static Value
force_epoch(Thread *t, Value self)
{
    (void)self;
    Value none = list_get(t, saved, 0);
    drop_null(t, none);
    if (!list_delete_slice(t, saved, 0, 1))
        return NULL;
    safepoint_request(t, REQUEST_EPOCH);
    if (!safepoint_poll(t))
        return NULL;
    reclaim_flush(t);
    return NONE;
}

static void
test_borrowing(void)
{
    static const MethodDef force_def = NATIVE_0("force", force_epoch, "");
    Value force = native_function_new(th, &force_def, NULL, NULL);
    if (!dict_set_c(th, globals, "force", force))
        return;
    Asm a = {0};
    var(&a, "l");
    unsigned f = name(&a, "force");
    wide(&a, OP_LOAD_INT, 0, 2, 0, NULL);
    op(&a, OP_GET_ITEM, C_DEAD, 1, 0, 2, T2);
    wide(&a, OP_LOAD_GLOBAL, 0, 7, (int32_t)f, T1);
    op(&a, OP_CALL, 0, 7, 0, 9, T1_7);
    op(&a, OP_DROP, 0, 9, 0, 0, T1_9);
    op(&a, OP_RETURN, 0, 1, 0, 0, T1);
    Value first = make(&a, "first", 1, 0);
    Value text = str_from_c(th, "a str that only the list holds");
    saved = list_of(th, &text, 1);
    drop(th, text);
    object_set_bits(value_object(saved), BIT_SHARED);
    Value v = first ? call_1(th, first, saved) : NULL;
    OK(v != NULL && str_equal_ascii(v, "a str that only the list holds"),
       "a borrowed word outlives its container's reference");
    OK(v != NULL && object_refcount(value_object(v)) == 1, "and is counted once");
    drop_null(th, v);
    drop(th, saved);
    drop_null(th, first);
    drop(th, force);
}

static void
test_code(void)
{
    Asm a = {0};
    var(&a, "x");
    op(&a, OP_RETURN, 0, 0, 0, 0, NULL);
    Value code = assemble(&a, "code", 1, 0);
    Value bytes = get_attr_c(th, code, "co_code");
    Value copy = call_method_0(th, code, str_intern_c(th, "replace"));
    OK(copy != NULL && values_equal(th, copy, code) == YES, "replace() gives an equal code");
    OK(code_line(as_code(code), 0) == 10, "lines");
    a.words[0].a = 4000;
    Value bad = assemble(&a, "bad", 1, 0);
    OK(bad == NULL && error_matches(th, &exc_ValueError), "a bad operand is refused");
    error_clear(th);
    drop_null(th, bytes);
    drop_null(th, copy);
    drop(th, code);
}

/* How often an instruction that no better form fits is written to, and how often it is looked at. */
static void
test_waiting(void)
{
    Instr words[2] = {{0}};
    CacheWord seen = cache_load(words);
    int looks = 0, writes = 0, first = 0;
    enum { RUNS = 200000 };
    for (int i = 1; i <= RUNS; i++) {
        if (cache_warm(th, words)) {
            looks++;
            if (first == 0)
                first = i;
            cache_back_off(words, OP_LOAD_ATTR);
        }
        CacheWord now = cache_load(words);
        writes += now != seen;
        seen = now;
    }
    OK(first == 4, "a new instruction is looked at in its fourth run");
    OK(looks > RUNS / 4096 && looks < RUNS / 256, "one that nothing fits is looked at ever more seldom");
    OK(writes < RUNS / 32, "and is seldom written to");
    cache_store(words, cache_word(7, FAMILY_LOAD_ATTR_SLOT, 8));
    cache_back_off(words, OP_LOAD_ATTR);
    int runs = 1;
    while (!cache_warm(th, words) && runs < RUNS)
        runs++;
    OK(runs < 2000, "after a miss it is looked at again soon");
}

int
main(void)
{
    gc_init();
    Interp *interp = interp_create();
    th = interp ? thread_create_main(interp) : NULL;
    if (th == NULL || !vm_thread_init(th) || !types_init(th) || !exceptions_init(th) ||
        !container_init(th) || !vm_init(th))
        return 2;
    interp->modules = dict_new(th);
    interp->builtins = dict_new(th);
    globals = dict_new(th);
    if (globals == NULL || !dict_set_c(th, globals, "__builtins__", interp->builtins))
        return 2;
    test_fib();
    test_loops();
    test_exceptions();
    test_borrowing();
    test_code();
    test_waiting();
    gc_collect(th, 2);
    OK(th->frame == NULL && !error_set(th), "all is quiet");
    DONE();
}
