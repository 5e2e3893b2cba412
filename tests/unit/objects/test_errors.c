/* test_errors.c -- exceptions, calls of natives, protocols, descriptors, aliases: without Python
 * code.  What is expected is what CPython 3.11 shows. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "gc/collect.h"
#include "gc/gc_init.h"
#include "gc/pending.h"
#include "objects/container/container.h"
#include "objects/error/caret.h"
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/bytes.h"
#include "objects/text/str.h"
#include "objects/typing/typing.h"
#include "tests/tap.h"
#include "threads/interp.h"

static Thread *th;

static Value
name(const char *text)
{
    Value s = str_intern_immortal(th, text);
    CHECK(s != NULL);
    return s;
}

static Value
num(int64_t n)
{
    return value_from_fixnum(n);
}

/* Whether str(v) (given up) is `text`. */
static bool
is_text(Value STEALS v, const char *text)
{
    char buf[2000] = "NULL";
    bool same = false;
    if (v != NULL) {
        same = is_str(v) && str_equal_ascii(v, text);
        if (is_str(v))
            str_to_buffer(v, buf, sizeof buf);
        drop(th, v);
    } else if (error_set(th)) {
        Value e = error_take(th);
        Value s = to_repr(th, e);
        if (s != NULL)
            str_to_buffer(s, buf, sizeof buf);
        drop_null(th, s);
        drop(th, e);
        error_clear(th);
    }
    if (!same)
        printf("# got: %s\n# want: %s\n", buf, text);
    return same;
}

static bool
repr_is(Value STEALS v, const char *text)
{
    Value r = v ? to_repr(th, v) : NULL;
    drop_null(th, v);
    return is_text(r, text);
}

/* Whether an exception "Type: text" is set; clears it. */
static bool
raised(const char *text)
{
    if (!error_set(th)) {
        printf("# nothing raised; want: %s\n", text);
        return false;
    }
    Value e = error_take(th);
    Value s = str_format_c(th, "%T: %V", e, e);
    drop(th, e);
    return is_text(s, text);
}

static Value
call_named(Value o, const char *method, size_t n, Value a, Value b)
{
    Value v[2] = {a, b};
    return call_method(th, o, name(method), args_of(v), n, NULL);
}

static Value
str(const char *text)
{
    Value s = str_from_c(th, text);
    CHECK(s != NULL);
    return s;
}

/* -- protocols -- */

static void
test_numbers(void)
{
    OK(number_add(th, num(2), num(3)) == num(5), "2 + 3");
    OK(number_floor_divide(th, num(-7), num(2)) == num(-4), "-7 // 2");
    OK(number_remainder(th, num(-7), num(2)) == num(1), "-7 % 2");
    OK(repr_is(number_add(th, num(FIXNUM_MAX), num(1)), "4611686018427387904"), "overflow of +");
    OK(repr_is(number_multiply(th, num(FIXNUM_MAX), num(-3)), "-13835058055282163709"),
       "overflow of *");
    OK(number_multiply(th, num(-3), num(5)) == num(-15), "-3 * 5");
    OK(repr_is(number_lshift(th, num(-1), num(62)), "-4611686018427387904"), "-1 << 62");
    OK(repr_is(number_lshift(th, num(1), num(62)), "4611686018427387904"), "1 << 62");
    OK(number_rshift(th, num(-5), num(100)) == num(-1), "-5 >> 100");
    OK(number_xor(th, num(6), num(-3)) == num(6 ^ -3), "xor");
    OK(repr_is(number_true_divide(th, num(1), num(3)), "0.3333333333333333"), "1 / 3");
    Value a = str("a");
    OK(number_add(th, num(1), a) == NULL &&
           raised("TypeError: unsupported operand type(s) for +: 'int' and 'str'"),
       "1 + 'a'");
    OK(number_inplace(th, num(1), a, BIN_ADD) == NULL &&
           raised("TypeError: unsupported operand type(s) for +=: 'int' and 'str'"),
       "1 += 'a'");
    OK(number_add(th, a, num(1)) == NULL &&
           raised("TypeError: can only concatenate str (not \"int\") to str"),
       "'a' + 1");
    OK(number_multiply(th, a, a) == NULL &&
           raised("TypeError: can't multiply sequence by non-int of type 'str'"),
       "'a' * 'a'");
    OK(is_text(number_multiply(th, num(3), a), "aaa"), "3 * 'a'");
    OK(number_power(th, num(1), a, num(3)) == NULL &&
           raised("TypeError: unsupported operand type(s) for ** or pow(): 'int', 'str', 'int'"),
       "pow(1, 'a', 3)");
    OK(number_negative(th, a) == NULL && raised("TypeError: bad operand type for unary -: 'str'"),
       "-'a'");
    OK(compare(th, num(1), a, OP_LT) == NULL &&
           raised("TypeError: '<' not supported between instances of 'int' and 'str'"),
       "1 < 'a'");
    OK(compare(th, num(1), a, OP_EQ) == FALSE, "1 == 'a'");
    OK(length_of(th, num(1)) == -1 && raised("TypeError: object of type 'int' has no len()"),
       "len(1)");
    OK(get_iter(th, NONE) == NULL && raised("TypeError: 'NoneType' object is not iterable"),
       "iter(None)");
    OK(get_item(th, num(1), num(1)) == NULL &&
           raised("TypeError: 'int' object is not subscriptable"),
       "1[1]");
    OK(get_item(th, value_of_type(&int_type), num(1)) == NULL &&
           raised("TypeError: type 'int' is not subscriptable"),
       "int[1]");
    OK(!set_item(th, tuple_empty, num(1), num(1)) &&
           raised("TypeError: 'tuple' object does not support item assignment"),
       "()[1] = 1");
    OK(!set_item(th, tuple_empty, num(1), NULL) &&
           raised("TypeError: 'tuple' object doesn't support item deletion"),
       "del ()[1]");
    OK(contains(th, num(1), num(1)) == FAILED &&
           raised("TypeError: argument of type 'int' is not iterable"),
       "1 in 1");
    OK(call_0(th, num(1)) == NULL && raised("TypeError: 'int' object is not callable"), "1()");
    OK(to_index(th, a) == NULL &&
           raised("TypeError: 'str' object cannot be interpreted as an integer"),
       "index('a')");
    OK(is_instance(th, num(1), num(1)) == FAILED &&
           raised("TypeError: isinstance() arg 2 must be a type, a tuple of types, or a union"),
       "isinstance(1, 1)");
    OK(is_subclass(th, num(1), value_of_type(&int_type)) == FAILED &&
           raised("TypeError: issubclass() arg 1 must be a class"),
       "issubclass(1, int)");
    OK(number_to_int(th, a) == NULL &&
           raised("ValueError: invalid literal for int() with base 10: 'a'"),
       "int('a')");
    OK(number_to_int(th, NONE) == NULL &&
           raised("TypeError: int() argument must be a string, a bytes-like object or a real "
                  "number, not 'NoneType'"),
       "int(None)");
    OK(repr_is(number_to_float(th, num(3)), "3.0"), "float(3)");
    drop(th, a);
}

/* -- natives -- */

static Value
echo(Thread *t, Value self, const Arg *args, size_t nargs, Value kwnames)
{
    static const ParamSpec params = {.name = "echo",
                                     .names = {"", "key", "reverse"},
                                     .positional = 2,
                                     .posonly = 1,
                                     .required = 1};
    (void)self;
    Value v[3];
    if (!args_bind(t, &params, args, nargs, kwnames, v))
        return NULL;
    return tuple_pack(t, 3, v[0], v[1] ? v[1] : NONE, v[2] ? v[2] : NONE);
}

static const MethodDef echo_def = NATIVE_K("echo", echo, "echo($module, x, /)\n--\n\nSays it.");

static void
test_natives(void)
{
    Value list = list_new(th, 0);
    OK(call_named(list, "append", 0, NULL, NULL) == NULL &&
           raised("TypeError: list.append() takes exactly one argument (0 given)"),
       "[].append()");
    OK(call_named(list, "clear", 1, num(1), NULL) == NULL &&
           raised("TypeError: list.clear() takes no arguments (1 given)"),
       "[].clear(1)");
    OK(call_named(list, "insert", 1, num(1), NULL) == NULL &&
           raised("TypeError: insert expected 2 arguments, got 1"),
       "[].insert(1)");
    OK(call_named(list, "pop", 2, num(1), num(2)) == NULL &&
           raised("TypeError: pop expected at most 1 argument, got 2"),
       "[].pop(1, 2)");
    Value kw = tuple_pack(th, 1, name("x"));
    Value v[2] = {num(1), num(2)};
    OK(call_method(th, list, name("append"), args_of(v), 0, kw) == NULL &&
           raised("TypeError: list.append() takes no keyword arguments"),
       "[].append(x=1)");
    Value append = get_attr(th, value_of_type(&list_type), name("append"));
    OK(repr_is(retain(th, append), "<method 'append' of 'list' objects>"), "list.append");
    OK(call_0(th, append) == NULL &&
           raised("TypeError: unbound method list.append() needs an argument"),
       "list.append()");
    OK(call_1(th, append, num(1)) == NULL &&
           raised("TypeError: descriptor 'append' for 'list' objects doesn't apply to a 'int' "
                  "object"),
       "list.append(1)");
    OK(is_text(get_attr(th, append, name("__qualname__")), "list.append"), "its qualname");
    OK(get_attr(th, append, name("__objclass__")) == value_of_type(&list_type), "its class");
    drop(th, append);

    Value f = native_function_new(th, &echo_def, NULL, NULL);
    OK(repr_is(retain(th, f), "<built-in function echo>"), "repr of a function");
    OK(is_text(get_attr(th, f, name("__doc__")), "Says it."), "doc");
    OK(is_text(get_attr(th, f, name("__text_signature__")), "($module, x, /)"), "signature");
    OK(call_0(th, f) == NULL &&
           raised("TypeError: echo() takes at least 1 positional argument (0 given)"),
       "echo()");
    OK(call(th, f, args_of(v), 1, kw) == NULL &&
           raised("TypeError: 'x' is an invalid keyword argument for echo()"),
       "echo(1, x=2)");
    Value key = tuple_pack(th, 1, name("key"));
    OK(repr_is(call(th, f, args_of(v), 1, key), "(1, 2, None)"), "echo(1, key=2)");
    Value three[4] = {num(1), num(2), num(3), num(4)};
    OK(call(th, f, args_of(three), 2, key) == NULL &&
           raised("TypeError: argument for echo() given by name ('key') and position (2)"),
       "echo(1, 2, key=3)");
    OK(call(th, f, args_of(three), 3, NULL) == NULL &&
           raised("TypeError: echo() takes at most 2 positional arguments (3 given)"),
       "echo(1, 2, 3)");
    OK(call(th, f, args_of(three), 4, NULL) == NULL &&
           raised("TypeError: echo() takes at most 3 arguments (4 given)"),
       "echo(1, 2, 3, 4)");
    Value dict = dict_new(th);
    CHECK(dict_set_c(th, dict, "reverse", num(9)));
    Value one = tuple_pack(th, 1, num(1));
    OK(repr_is(call_tuple_dict(th, f, one, dict), "(1, None, 9)"), "echo(*t, **d)");
    CHECK(dict_set(th, dict, num(1), num(9)));
    OK(call_tuple_dict(th, f, one, dict) == NULL && raised("TypeError: keywords must be strings"),
       "echo(**{1: 9})");
    Value method = method_new(th, f, num(7));
    OK(repr_is(call_1(th, method, num(8)), "(7, 8, None)"), "a bound method");
    Value again = method_new(th, f, num(7));
    OK(values_equal(th, method, again) == YES, "equal methods");
    int64_t h1, h2;
    OK(to_hash(th, method, &h1) && to_hash(th, again, &h2) && h1 == h2, "with equal hashes");
    OK(is_text(get_attr(th, method, name("__name__")), "echo"), "attributes of its function");
    drop(th, method);
    drop(th, again);
    drop(th, one);
    drop(th, dict);
    drop(th, key);
    drop(th, kw);
    drop(th, f);
    drop(th, list);
}

/* -- exceptions -- */

static Value
make2(Type *type, Value a, Value b)
{
    Value v[2] = {a, b};
    return call(th, value_of_type(type), args_of(v), b ? 2 : a ? 1 : 0, NULL);
}

static void
test_exceptions(void)
{
    Value text = str("b");
    Value e = make2(&exc_ValueError, num(1), NULL);
    OK(repr_is(retain(th, e), "ValueError(1)"), "repr of one argument");
    OK(repr_is(call_named(e, "__reduce__", 0, NULL, NULL), "(<class 'ValueError'>, (1,))"),
       "reduce");
    OK(!set_attr(th, e, name("args"), NULL) && raised("TypeError: args may not be deleted"),
       "del e.args");
    OK(set_attr(th, e, name("x"), num(2)), "an attribute");
    OK(repr_is(call_named(e, "__reduce__", 0, NULL, NULL),
               "(<class 'ValueError'>, (1,), {'x': 2})"),
       "reduce with attributes");
    OK(call_named(e, "add_note", 1, num(1), NULL) == NULL &&
           raised("TypeError: note must be a str, not 'int'"),
       "add_note(1)");
    OK(call_named(e, "add_note", 1, text, NULL) == NONE &&
           repr_is(get_attr(th, e, name("__notes__")), "['b']"),
       "add_note('b')");
    drop(th, e);
    e = make2(&exc_KeyError, text, NULL);
    OK(is_text(to_str(th, e), "'b'"), "str of KeyError");
    drop(th, e);
    e = make2(&exc_OSError, num(2), text);
    OK(e && type_of(e) == &exc_FileNotFoundError && is_text(to_str(th, e), "[Errno 2] b"),
       "OSError(2, 'b')");
    drop(th, e);
    raise_os_error_path(th, 13, text);
    OK(raised("PermissionError: [Errno 13] Permission denied: 'b'"), "raise_os_error_path()");
    raise_os_error_paths(th, 17, text, text);
    OK(raised("FileExistsError: [Errno 17] File exists: 'b' -> 'b'"), "two paths");
    raise_key_error(th, num(3));
    OK(raised("KeyError: 3"), "raise_key_error()");
    raise_attribute_error(th, num(3), name("foo"));
    Value exc = error_take(th);
    OK(get_attr(th, exc, name("obj")) == num(3), "AttributeError.obj");
    drop(th, exc);
    raise_stop_iteration(th, num(4));
    Value value;
    OK(error_take_stop_iteration(th, &value) == YES && value == num(4), "StopIteration(4)");
    raise_unicode_error(th, &exc_UnicodeEncodeError, "ascii", text, 0, 1, "bad");
    OK(raised("UnicodeEncodeError: 'ascii' codec can't encode character '\\x62' in position 0: "
              "bad"),
       "UnicodeEncodeError");
    Value where = tuple_pack(th, 4, text, num(2), num(3), NONE);
    e = make2(&exc_SyntaxError, text, where);
    OK(is_text(to_str(th, e), "b (b, line 2)"), "SyntaxError");
    drop(th, e);
    drop(th, where);
    raise_memory(th);
    OK(raised("MemoryError: "), "MemoryError");
    raise_object(th, num(3), NULL);
    OK(raised("TypeError: exceptions must derive from BaseException"), "raise 3");
    raise_object(th, value_of_type(&exc_ValueError), num(1));
    OK(raised("TypeError: exception causes must derive from BaseException"), "raise from 1");
    raise_object(th, NULL, NULL);
    OK(raised("RuntimeError: No active exception to reraise"), "raise");

    /* contexts */
    Value a = make2(&exc_ValueError, num(1), NULL);
    Value b = make2(&exc_ValueError, num(2), NULL);
    struct ErrorItem item = {a, th->handled};
    th->handled = &item;
    raise_object(th, b, NULL);
    OK(error_take(th) == b && get_attr(th, b, name("__context__")) == a, "context set");
    item.value = b;
    raise_object(th, a, NULL);
    error_clear(th);
    OK(get_attr(th, a, name("__context__")) == b && get_attr(th, b, name("__context__")) == NONE,
       "a circle is cut");
    th->handled = item.outer;
    raise_object(th, a, value_of_type(&exc_KeyError));
    error_clear(th);
    OK(repr_is(get_attr(th, a, name("__cause__")), "KeyError()") &&
           get_attr(th, a, name("__suppress_context__")) == TRUE,
       "cause set");
    drop(th, text);
    drop(th, a);
    drop(th, b);
}

static void
test_groups(void)
{
    Value one = make2(&exc_ValueError, num(1), NULL);
    Value two = make2(&exc_TypeError, num(2), NULL);
    Value three = make2(&exc_ValueError, num(3), NULL);
    Value list = list_of(th, (Value[]){one, two}, 2);
    Value text = str("g");
    Value inner = make2(&exc_BaseExceptionGroup, text, list);
    OK(inner && type_of(inner) == exc_ExceptionGroup, "a group of exceptions");
    OK(is_text(to_str(th, inner), "g (2 sub-exceptions)"), "its str");
    drop(th, list);
    list = list_of(th, (Value[]){inner, three}, 2);
    Value outer = make2(&exc_BaseExceptionGroup, text, list);
    OK(repr_is(call_named(outer, "split", 1, value_of_type(&exc_ValueError), NULL),
               "(ExceptionGroup('g', [ExceptionGroup('g', [ValueError(1)]), ValueError(3)]), "
               "ExceptionGroup('g', [ExceptionGroup('g', [TypeError(2)])]))"),
       "split");
    OK(repr_is(call_named(outer, "subgroup", 1, value_of_type(&exc_KeyError), NULL), "None"),
       "subgroup");
    OK(call_named(outer, "split", 1, num(1), NULL) == NULL &&
           raised("TypeError: expected a function, exception type or tuple of exception types"),
       "split(1)");
    Value rest;
    Value match = exception_group_match(th, outer, value_of_type(&exc_TypeError), &rest);
    OK(repr_is(match, "ExceptionGroup('g', [ExceptionGroup('g', [TypeError(2)])])"),
       "except* TypeError");
    Value raised_list = list_of(th, (Value[]){rest, three}, 2);
    OK(repr_is(exception_group_reraise(th, outer, raised_list),
               "ExceptionGroup('', [ValueError(3), ExceptionGroup('g', [ExceptionGroup('g', "
               "[ValueError(1)]), ValueError(3)])])"),
       "what is raised at the end");
    drop(th, raised_list);
    drop(th, rest);
    match = exception_group_match(th, three, value_of_type(&exc_ValueError), &rest);
    OK(rest == NONE && repr_is(match, "ExceptionGroup('', (ValueError(3),))"), "a bare exception");
    OK(exception_group_match(th, three, value_of_type(exc_ExceptionGroup), &rest) == NULL &&
           raised("TypeError: catching ExceptionGroup with except* is not allowed. Use except "
                  "instead."),
       "except* ExceptionGroup");
    OK(is_text(error_to_text(th, outer),
               "  | ExceptionGroup: g (2 sub-exceptions)\n"
               "  +-+---------------- 1 ----------------\n"
               "    | ExceptionGroup: g (2 sub-exceptions)\n"
               "    +-+---------------- 1 ----------------\n"
               "      | ValueError: 1\n"
               "      +---------------- 2 ----------------\n"
               "      | TypeError: 2\n"
               "      +------------------------------------\n"
               "    +---------------- 2 ----------------\n"
               "    | ValueError: 3\n"
               "    +------------------------------------\n"),
       "a group as text");
    drop(th, list);
    drop(th, text);
    drop(th, one);
    drop(th, two);
    drop(th, three);
    drop(th, inner);
    drop(th, outer);
}

/* -- other types -- */

static Value
class_1(const char *text, Value base)
{
    Value bases = tuple_pack(th, 1, base);
    Value d = dict_new(th);
    CHECK(dict_set_c(th, d, "__module__", name("m")));
    Value cls = type_create(th, &type_type, name(text), bases, d, NULL, NULL);
    drop(th, d);
    drop(th, bases);
    CHECK(cls != NULL);
    return cls;
}

static int callbacks;

static Value
count_callback(Thread *t, Value self, Value ref)
{
    (void)t;
    (void)self;
    callbacks += weakref_get(t, ref) == NULL;
    return NONE;
}

static const MethodDef callback_def = NATIVE_1("callback", count_callback, NULL);

static void
test_types(void)
{
    Value list_t = value_of_type(&list_type);
    Value int_t = value_of_type(&int_type);
    Value str_t = value_of_type(&str_type);
    Value alias = get_item(th, list_t, int_t);
    OK(repr_is(retain(th, alias), "list[int]"), "list[int]");
    OK(repr_is(get_attr(th, alias, name("__args__")), "(<class 'int'>,)"), "its arguments");
    OK(repr_is(call_0(th, alias), "[]"), "list[int]()");
    OK(get_item(th, alias, int_t) == NULL &&
           raised("TypeError: list[int] is not a generic class"),
       "list[int][int]");
    OK(is_instance(th, num(1), alias) == FAILED &&
           raised("TypeError: isinstance() argument 2 cannot be a parameterized generic"),
       "isinstance(1, list[int])");
    Value u = number_or(th, int_t, str_t);
    OK(repr_is(retain(th, u), "int | str"), "int | str");
    OK(repr_is(number_or(th, u, alias), "int | str | list[int]"), "a union grows");
    OK(number_or(th, u, NONE) != NULL && repr_is(number_or(th, u, NONE), "int | str | None"),
       "int | str | None");
    OK(number_or(th, u, int_t) != NULL && repr_is(number_or(th, u, int_t), "int | str"),
       "no duplicates");
    OK(is_instance(th, num(1), u) == YES && is_instance(th, NONE, u) == NO, "isinstance of it");
    drop(th, u);
    drop(th, alias);

    Value cls = class_1("C", value_of_type(&object_type));
    Value o = call_0(th, cls);
    Value callback = native_function_new(th, &callback_def, NULL, NULL);
    Value ref = weakref_new(th, o, callback);
    Value plain = weakref_new(th, o, NULL);
    Value same = weakref_new(th, o, NULL);
    OK(plain != NULL && plain == same, "plain references are shared");
    OK(ref != plain && values_equal(th, ref, plain) == YES, "references compare by referent");
    Value proxy = weakproxy_new(th, o, NULL);
    OK(set_attr(th, proxy, name("x"), num(5)) && get_attr(th, o, name("x")) == num(5), "a proxy");
    OK(weakref_new(th, num(1), NULL) == NULL &&
           raised("TypeError: cannot create weak reference to 'int' object"),
       "ref(1)");
    drop(th, o);
    pending_serve(th);
    OK(callbacks == 1, "the callback ran");
    OK(call_0(th, ref) == NONE, "and the reference is dead");
    OK(get_attr(th, proxy, name("x")) == NULL &&
           raised("ReferenceError: weakly-referenced object no longer exists"),
       "as the proxy");
    drop(th, ref);
    drop(th, plain);
    drop(th, same);
    drop(th, proxy);
    drop(th, callback);

    Value sub = class_1("D", cls);
    Value d = call_0(th, sub);
    CHECK(set_attr(th, cls, name("v"), num(1)) && set_attr(th, sub, name("v"), num(2)));
    OK(super_get_attr(th, as_type(sub), d, name("v")) == num(1), "super().v");
    Value s = super_new(th, as_type(sub), d);
    OK(get_attr(th, s, name("v")) == num(1), "super(D, d).v");
    OK(repr_is(s, "<super: <class 'D'>, <D object>>"), "its repr");
    OK(super_new(th, as_type(sub), num(1)) == NULL &&
           raised("TypeError: super(type, obj): obj must be an instance or subtype of type"),
       "super(D, 1)");
    Value p = property_new(th, NULL, NULL, NULL, NULL);
    CHECK(set_attr(th, sub, name("p"), p));
    OK(get_attr(th, d, name("p")) == NULL &&
           raised("AttributeError: property of 'D' object has no getter"),
       "a property without getter");
    CHECK(call_named(p, "__set_name__", 2, sub, name("p")) == NONE);
    OK(!set_attr(th, d, name("p"), num(1)) &&
           raised("AttributeError: property 'p' of 'D' object has no setter"),
       "and with a name");
    drop(th, p);
    drop(th, d);
    drop(th, sub);
    drop(th, cls);

    Value m = module_new(th, name("mod"));
    OK(get_attr(th, m, name("foo")) == NULL &&
           raised("AttributeError: module 'mod' has no attribute 'foo'"),
       "a module's missing attribute");
    OK(set_attr(th, m, name("foo"), num(1)) && get_attr(th, m, name("foo")) == num(1),
       "and one that is there");
    drop(th, m);
    Value cell = cell_new(th, NULL);
    OK(get_attr(th, cell, name("cell_contents")) == NULL && raised("ValueError: Cell is empty"),
       "an empty cell");
    drop(th, cell);
    Value kw = dict_new(th);
    CHECK(dict_set_c(th, kw, "a", num(1)));
    OK(repr_is(namespace_new(th, kw), "namespace(a=1)"), "a namespace");
    OK(repr_is(mappingproxy_new(th, kw), "mappingproxy({'a': 1})"), "a mapping proxy");
    drop(th, kw);
    OK(mappingproxy_new(th, num(1)) == NULL &&
           raised("TypeError: mappingproxy() argument must be a mapping, not int"),
       "mappingproxy(1)");
}

static void
test_carets(void)
{
    static const struct {
        const char *text;
        int start, end; /* -1: none */
    } cases[] = {
        {"1/0", 1, 2},         {"x['a']['b']", 6, 11}, {"(a+1) * 3 / 0 // 2", 14, 16},
        {"f(n-1)", -1, 0},     {"-a ** 2", -1, 0},     {"2 ** 3 ** 4", 2, 4},
        {"a if b+c else d", -1, 0}, {"'a+b'[1]", 5, 8}, {"x < y + 1", -1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t start = 0, end = 0;
        bool found = caret_anchors(cases[i].text, strlen(cases[i].text), &start, &end);
        OK(found ? (int)start == cases[i].start && (int)end == cases[i].end :
                   cases[i].start == -1,
           cases[i].text);
    }
}

int
main(void)
{
    gc_init();
    Interp *interp = interp_create();
    th = interp ? thread_create_main(interp) : NULL;
    CHECK(th != NULL && types_init(th) && exceptions_init(th) && container_init(th));
    interp->builtins = dict_new(th);
    test_numbers();
    test_natives();
    test_exceptions();
    test_groups();
    test_types();
    test_carets();
    OK(!error_set(th), "nothing is left raised");
    DONE();
}
