/* holds.h -- visit(), clear() and dealloc() of a type from a list of what its instances hold.
 *
 * For types that hold a fixed set of references and nothing else that dealloc() would have to
 * free.  `T` is the C type, which starts with its struct Object; a *value* is a plain Value,
 * [const] after publication, a *field* a Field; both may be NULL.
 *
 *     HOLDS_VALUES(link, Link, key, result)             link_visit(), link_dealloc()
 *     HOLDS_FIELDS(zip, Zip, iters, result)             zip_visit(), zip_dealloc()
 *     HOLDS_BOTH(map, Map, (function, iters), (result)) values first, then fields
 *     CLEARS_FIELDS(zip, Zip, result)                   zip_clear(): those that it makes NULL
 *
 * What is listed first is dropped first.
 */
#ifndef GC_HOLDS_H
#define GC_HOLDS_H

#include "gc/field.h"

/* M(T, each), for up to 12. */
#define HOLDS_1(M, T, a) M(T, a)
#define HOLDS_2(M, T, a, ...) M(T, a) HOLDS_1(M, T, __VA_ARGS__)
#define HOLDS_3(M, T, a, ...) M(T, a) HOLDS_2(M, T, __VA_ARGS__)
#define HOLDS_4(M, T, a, ...) M(T, a) HOLDS_3(M, T, __VA_ARGS__)
#define HOLDS_5(M, T, a, ...) M(T, a) HOLDS_4(M, T, __VA_ARGS__)
#define HOLDS_6(M, T, a, ...) M(T, a) HOLDS_5(M, T, __VA_ARGS__)
#define HOLDS_7(M, T, a, ...) M(T, a) HOLDS_6(M, T, __VA_ARGS__)
#define HOLDS_8(M, T, a, ...) M(T, a) HOLDS_7(M, T, __VA_ARGS__)
#define HOLDS_9(M, T, a, ...) M(T, a) HOLDS_8(M, T, __VA_ARGS__)
#define HOLDS_10(M, T, a, ...) M(T, a) HOLDS_9(M, T, __VA_ARGS__)
#define HOLDS_11(M, T, a, ...) M(T, a) HOLDS_10(M, T, __VA_ARGS__)
#define HOLDS_12(M, T, a, ...) M(T, a) HOLDS_11(M, T, __VA_ARGS__)
#define HOLDS_PICK(a, b, c, d, e, f, g, h, i, j, k, l, NAME, ...) NAME
#define HOLDS_EACH(M, T, ...)                                                                      \
    HOLDS_PICK(__VA_ARGS__, HOLDS_12, HOLDS_11, HOLDS_10, HOLDS_9, HOLDS_8, HOLDS_7, HOLDS_6,      \
               HOLDS_5, HOLDS_4, HOLDS_3, HOLDS_2, HOLDS_1, )                                      \
    (M, T, __VA_ARGS__)
#define HOLDS_BARE(...) __VA_ARGS__ /* a list without its parentheses */
#define HOLDS_EACH_OF(M, T, LIST) HOLDS_EACH(M, T, HOLDS_BARE LIST)

#define HOLDS_MEMBER(T, member) ((T *)(void *)o)->member
#define HOLDS_VISIT_VALUE(T, member) value_visit(HOLDS_MEMBER(T, member), visit, arg);
#define HOLDS_VISIT_FIELD(T, member) field_visit(&HOLDS_MEMBER(T, member), visit, arg);
#define HOLDS_DROP_VALUE(T, member) drop_null(th, HOLDS_MEMBER(T, member));
#define HOLDS_DROP_FIELD(T, member) field_drop(th, &HOLDS_MEMBER(T, member));
#define HOLDS_CLEAR_FIELD(T, member) field_replace(th, o, &HOLDS_MEMBER(T, member), NULL);

#define HOLDS_DEFINE(name, visits, drops)                                                          \
    static void name##_visit(Object *o, VisitFn visit, void *arg)                                  \
    {                                                                                              \
        visits                                                                                     \
    }                                                                                              \
    static void name##_dealloc(Thread *th, Object *o)                                              \
    {                                                                                              \
        drops                                                                                      \
    }                                                                                              \
    _Static_assert(1, "takes a semicolon")

#define HOLDS_VALUES(name, T, ...)                                                                 \
    HOLDS_DEFINE(name, HOLDS_EACH(HOLDS_VISIT_VALUE, T, __VA_ARGS__),                              \
                 HOLDS_EACH(HOLDS_DROP_VALUE, T, __VA_ARGS__))

#define HOLDS_FIELDS(name, T, ...)                                                                 \
    HOLDS_DEFINE(name, HOLDS_EACH(HOLDS_VISIT_FIELD, T, __VA_ARGS__),                              \
                 HOLDS_EACH(HOLDS_DROP_FIELD, T, __VA_ARGS__))

#define HOLDS_BOTH(name, T, values, fields)                                                        \
    HOLDS_DEFINE(name,                                                                             \
                 HOLDS_EACH_OF(HOLDS_VISIT_VALUE, T, values)                                       \
                     HOLDS_EACH_OF(HOLDS_VISIT_FIELD, T, fields),                                  \
                 HOLDS_EACH_OF(HOLDS_DROP_VALUE, T, values)                                        \
                     HOLDS_EACH_OF(HOLDS_DROP_FIELD, T, fields))

#define CLEARS_FIELDS(name, T, ...)                                                                \
    static void name##_clear(Thread *th, Object *o)                                                \
    {                                                                                              \
        HOLDS_EACH(HOLDS_CLEAR_FIELD, T, __VA_ARGS__)                                              \
    }                                                                                              \
    _Static_assert(1, "takes a semicolon")

#endif
