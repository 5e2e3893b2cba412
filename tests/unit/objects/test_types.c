/* test_types.c -- classes, instances, attribute lookup and slots, without any Python code. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "gc/collect.h"
#include "gc/gc_init.h"
#include "gc/reclaim.h"
#include "objects/container/container.h"
#include "objects/error/error.h"
#include "objects/model/type_priv.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"
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
new_class(const char *text, Value bases, Value dict)
{
    Value b = bases ? retain(th, bases) : retain(th, tuple_empty);
    Value d = dict ? retain(th, dict) : dict_new(th);
    Value cls = type_create(th, &type_type, name(text), b, d, NULL, NULL);
    drop(th, b);
    drop(th, d);
    return cls;
}

static Value
class_1(const char *text, Value base)
{
    Value bases = tuple_pack(th, 1, base);
    Value cls = new_class(text, bases, NULL);
    drop(th, bases);
    return cls;
}

/* Whether an exception of `type` with this text is set; clears it. */
static bool
raised(Type *type, const char *text)
{
    if (!error_set(th))
        return false;
    Value e = error_take(th);
    bool same = is_instance_of(e, type);
    Value s = to_str(th, e);
    if (s == NULL || !str_equal_ascii(s, text)) {
        char buf[300] = "?";
        if (s)
            str_to_buffer(s, buf, sizeof buf);
        printf("# got: %s: %s\n", type_name_of(e), buf);
        same = false;
    }
    drop_null(th, s);
    drop(th, e);
    return same;
}

static void
test_instances(void)
{
    Value cls = class_1("Point", value_of_type(&object_type));
    OK(cls != NULL, "class made");
    Value p = call_0(th, cls);
    OK(p && type_of(p) == as_type(cls), "instance made");
    OK(object_cell_size(value_object(p)) <= 48, "an instance with two attributes takes 48 bytes");
    OK(set_attr(th, p, name("x"), value_from_fixnum(1)) &&
       set_attr(th, p, name("y"), value_from_fixnum(2)), "attributes set");
    OK(get_attr(th, p, name("x")) == value_from_fixnum(1) &&
       get_attr(th, p, name("y")) == value_from_fixnum(2), "attributes read");
    Value q = call_0(th, cls);
    OK(set_attr(th, q, name("x"), value_from_fixnum(3)) &&
       set_attr(th, q, name("y"), value_from_fixnum(4)), "a second instance");
    OK(shape_of(p) == shape_of(q), "same attributes in same order share a shape");
    OK(get_attr(th, p, name("z")) == NULL &&
       raised(&exc_AttributeError, "'Point' object has no attribute 'z'"), "absent");
    char buf[16];
    for (int i = 0; i < 40; i++) {
        snprintf(buf, sizeof buf, "a%d", i);
        CHECK(set_attr(th, p, name(buf), value_from_fixnum(i)));
    }
    bool all = true;
    for (int i = 0; i < 40; i++) {
        snprintf(buf, sizeof buf, "a%d", i);
        all = all && get_attr(th, p, name(buf)) == value_from_fixnum(i);
    }
    OK(all, "forty more attributes, in the overflow array");
    Value r = call_0(th, cls);
    OK(shape_at(shape_of(r))->inline_capacity > 3, "new instances have more inline slots");
    OK(set_attr(th, p, name("a7"), NULL) && get_attr(th, p, name("a7")) == NULL, "deleted");
    error_clear(th);
    OK(!set_attr(th, p, name("a7"), NULL) &&
       raised(&exc_AttributeError, "'Point' object has no attribute 'a7'"), "deleted twice");
    Value d = instance_dict(th, p);
    OK(d && dict_length(d) == 41 && shape_at(shape_of(p))->dict_mode, "__dict__ is a dict");
    OK(dict_set_c(th, d, "fresh", TRUE) && get_attr(th, p, name("fresh")) == TRUE,
       "what is put into __dict__ is an attribute");
    OK(set_attr(th, p, name("a7"), FALSE) && dict_length(d) == 43, "and the other way");
    for (int i = 0; i < 100; i++) {
        snprintf(buf, sizeof buf, "b%d", i);
        CHECK(set_attr(th, q, name(buf), value_from_fixnum(i)));
    }
    OK(shape_at(shape_of(q))->dict_mode && get_attr(th, q, name("b99")) == value_from_fixnum(99) &&
       get_attr(th, q, name("x")) == value_from_fixnum(3), "too many attributes: a dict");
    drop(th, d);
    drop(th, p);
    drop(th, q);
    drop(th, r);
    drop(th, cls);
}

static void
test_inheritance(void)
{
    Value a = class_1("A", value_of_type(&object_type));
    Value b = class_1("B", a), c = class_1("C", a);
    Value bases = tuple_pack(th, 2, b, c);
    Value d = new_class("D", bases, NULL);
    drop(th, bases);
    Value mro = field_peek(&as_type(d)->mro);
    OK(tuple_length(mro) == 5 && tuple_item(mro, 1) == b && tuple_item(mro, 2) == c &&
       tuple_item(mro, 3) == a, "C3 of a diamond");
    OK(set_attr(th, a, name("v"), value_from_fixnum(1)), "class attribute");
    Value o = call_0(th, d);
    OK(get_attr(th, o, name("v")) == value_from_fixnum(1), "found through the bases");
    uint32_t guard = shape_guard(th, shape_of(o));
    OK(guard != 0 && shape_guard(th, shape_of(o)) == guard, "a guard stays");
    OK(set_attr(th, c, name("w"), TRUE) && load_acquire(&shape_version[shape_of(o)]) == guard,
       "a change that no inline cache depends on leaves the guard");
    uint32_t index = attr_cache_index(th, guard, name("v"), value_from_fixnum(1));
    OK(index != 0 && load_acquire(&attr_cache[index]) == value_from_fixnum(1), "a cached value");
    OK(set_attr(th, c, name("v"), value_from_fixnum(2)) &&
       get_attr(th, o, name("v")) == value_from_fixnum(2), "a change in a base is seen");
    OK(load_acquire(&shape_version[shape_of(o)]) == 0, "and ends the guards below");
    OK(set_attr(th, c, name("v"), NULL) &&
       get_attr(th, o, name("v")) == value_from_fixnum(1), "so is a deletion");
    bases = tuple_pack(th, 2, a, b);
    OK(new_class("E", bases, NULL) == NULL &&
       raised(&exc_TypeError, "Cannot create a consistent method resolution\norder (MRO) for "
                              "bases A, B"), "no order");
    drop(th, bases);
    bases = tuple_pack(th, 2, value_of_type(&int_type), value_of_type(&list_type));
    OK(new_class("E", bases, NULL) == NULL &&
       raised(&exc_TypeError, "multiple bases have instance lay-out conflict"), "layouts");
    drop(th, bases);
    Value bool_base = tuple_pack(th, 1, value_of_type(&bool_type));
    OK(new_class("E", bool_base, NULL) == NULL &&
       raised(&exc_TypeError, "type 'bool' is not an acceptable base type"), "bool");
    drop(th, bool_base);
    Value subs = type_subclasses_list(th, as_type(a));
    OK(subs && list_length(subs) == 2, "subclasses");
    drop(th, subs);
    drop(th, o);
    drop(th, d);
    drop(th, c);
    drop(th, b);
    drop(th, a);
}

static void
test_slots_of_builtins(void)
{
    Value l = class_1("L", value_of_type(&list_type));
    OK(as_type(l)->s.getitem == list_type.s.getitem && as_type(l)->s.item == list_type.s.item &&
       as_type(l)->s.compare == list_type.s.compare, "a subclass of list keeps list's functions");
    Value dict = dict_new(th);
    CHECK(dict_set_c(th, dict, "__len__", value_of_type(&int_type)));
    Value bases = tuple_pack(th, 1, l);
    Value m = new_class("M", bases, dict);
    OK(as_type(m)->s.length != list_type.s.length && as_type(m)->s.getitem == list_type.s.getitem,
       "an override changes its slot only");
    OK(set_attr(th, l, name("__getitem__"), value_of_type(&int_type)) &&
       as_type(m)->s.getitem != list_type.s.getitem, "a later override reaches subclasses");
    OK(set_attr(th, l, name("__getitem__"), NULL) &&
       as_type(m)->s.getitem == list_type.s.getitem, "and its deletion");
    Value wrapper = get_attr(th, value_of_type(&int_type), name("__add__"));
    Value one = value_from_fixnum(1), two = value_from_fixnum(2);
    OK(wrapper && call_2(th, wrapper, one, two) == value_from_fixnum(3), "int.__add__(1, 2)");
    OK(call_2(th, wrapper, str_empty, two) == NULL &&
       raised(&exc_TypeError, "descriptor '__add__' requires a 'int' object but received a 'str'"),
       "int.__add__('', 2)");
    OK(call_1(th, wrapper, one) == NULL &&
       raised(&exc_TypeError, "expected 1 argument, got 0"), "int.__add__(1)");
    Value bound = get_attr(th, one, name("__add__"));
    OK(bound && call_1(th, bound, two) == value_from_fixnum(3), "(1).__add__(2)");
    OK(!set_attr(th, value_of_type(&int_type), name("x"), one) &&
       raised(&exc_TypeError, "cannot set 'x' attribute of immutable type 'int'"), "immutable");
    OK(call_1(th, value_of_type(&object_type), one) == NULL &&
       raised(&exc_TypeError, "object() takes no arguments"), "object(1)");
    drop(th, bound);
    drop(th, wrapper);
    drop(th, bases);
    drop(th, dict);
    drop(th, m);
    drop(th, l);
}

static void
test_class_slots(void)
{
    Value dict = dict_new(th);
    Value slot_list = tuple_pack(th, 2, name("a"), name("__b"));
    CHECK(dict_set_c(th, dict, "__slots__", slot_list));
    Value s = new_class("S", NULL, dict);
    drop(th, slot_list);
    OK(s && as_type(s)->attrs_offset == 0 && as_type(s)->slots_count == 2, "__slots__");
    Value o = call_0(th, s);
    OK(set_attr(th, o, name("a"), TRUE) && set_attr(th, o, name("_S__b"), FALSE) &&
       get_attr(th, o, name("a")) == TRUE && get_attr(th, o, name("_S__b")) == FALSE,
       "set and read, mangled");
    OK(!set_attr(th, o, name("c"), TRUE) &&
       raised(&exc_AttributeError, "'S' object has no attribute 'c'"), "nothing else");
    CHECK(dict_set_c(th, dict, "a", TRUE));
    OK(new_class("S", NULL, dict) == NULL &&
       raised(&exc_ValueError, "'a' in __slots__ conflicts with class variable"), "conflict");
    drop(th, dict);
    Value i = class_1("I", value_of_type(&int_type));
    Value n = call_1(th, i, value_from_fixnum(5));
    OK(n && type_of(n) == as_type(i) && set_attr(th, n, name("note"), TRUE) &&
       get_attr(th, n, name("note")) == TRUE && int_compare(n, value_from_fixnum(5)) == 0,
       "attributes of an int's subclass");
    drop_null(th, n);
    drop(th, i);
    drop(th, o);
    drop(th, s);
}

static void
test_collection(void)
{
    Value a = class_1("Gone", value_of_type(&object_type));
    Value o = call_0(th, a);
    CHECK(set_attr(th, o, name("self"), o));
    CHECK(set_attr(th, a, name("instance"), o));
    drop(th, o);
    drop(th, a);
    reclaim_flush(th);
    gc_collect(th, 2);
    Value subs = type_subclasses_list(th, &object_type);
    bool there = false;
    for (int64_t i = 0; i < list_length(subs); i++) {
        Value v = list_get(th, subs, i);
        there = there || strcmp(type_name(as_type(v)), "Gone") == 0;
        drop(th, v);
    }
    drop(th, subs);
    OK(!there, "a class and its instance in a cycle are collected");
}

int
main(void)
{
    gc_init();
    Interp *interp = interp_create();
    th = interp ? thread_create_main(interp) : NULL;
    if (th == NULL || !types_init(th) || !exceptions_init(th) || !container_init(th))
        return 1;
    test_instances();
    test_inheritance();
    test_slots_of_builtins();
    test_class_slots();
    test_collection();
    DONE();
}
