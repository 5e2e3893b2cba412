/* attrs.h -- what C cannot say by itself, said in function signatures. */
#ifndef BASE_ATTRS_H
#define BASE_ATTRS_H

/* The result tells success from failure and must be looked at. */
#define RAISES __attribute__((warn_unused_result))

/* Marks a parameter whose reference the callee takes over, also on failure. */
#define STEALS
/* Marks a result that is not a new reference. */
#define BORROWED

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define COLD __attribute__((cold, noinline))
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* The struct that holds `member` at p. */
#define CONTAINER_OF(p, type, member) ((type *)(void *)((char *)(p) - __builtin_offsetof(type, member)))

#endif
