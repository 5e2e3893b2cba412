/* sanitize.h -- what the sanitizers are told, and nothing in other builds.
 *
 * WEFT_ASAN and WEFT_TSAN are 1 in builds with that sanitizer.  Under any of
 * them WEFT_LIBC_MALLOC is set: memory then comes from libc's malloc, which the
 * sanitizer watches, instead of mimalloc.
 */
#ifndef BASE_SANITIZE_H
#define BASE_SANITIZE_H

#include <stddef.h>

#if defined(__has_feature)
#define WEFT_HAS_FEATURE(x) __has_feature(x)
#else
#define WEFT_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || WEFT_HAS_FEATURE(address_sanitizer)
#define WEFT_ASAN 1
#else
#define WEFT_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || WEFT_HAS_FEATURE(thread_sanitizer)
#define WEFT_TSAN 1
#else
#define WEFT_TSAN 0
#endif

#if (WEFT_ASAN || WEFT_TSAN) && !defined(WEFT_LIBC_MALLOC)
#define WEFT_LIBC_MALLOC 1
#endif

/* Moves bytes that a program lets several threads read and write at the same time (memory
 * behind memoryviews, items of arrays): any mix of old and new bytes is right.  The areas may
 * overlap.  ThreadSanitizer is not shown these accesses. */
#if WEFT_TSAN
__attribute__((no_sanitize("thread"), noinline, unused)) static void
memory_move_raced(void *to, const void *from, size_t n)
{
    volatile unsigned char *t = to;
    const volatile unsigned char *f = from;
    if ((size_t)((char *)to - (const char *)from) >= n)
        for (size_t i = 0; i < n; i++)
            t[i] = f[i];
    else
        while (n-- > 0)
            t[n] = f[n];
}
#else
#define memory_move_raced(to, from, n) ((void)__builtin_memmove((to), (from), (n)))
#endif

/* Round a system call.  Its memory may be a buffer that the program lets several threads use, and
 * the file descriptor may be closed and given out anew by other threads while it runs: both are for
 * the system to put in order.  ThreadSanitizer, which takes either for a race inside the call, is
 * not shown what it reads and writes. */
#if WEFT_TSAN
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
#define system_call_begin() AnnotateIgnoreReadsBegin(__FILE__, __LINE__)
#define system_call_end() AnnotateIgnoreReadsEnd(__FILE__, __LINE__)
#else
#define system_call_begin() ((void)0)
#define system_call_end() ((void)0)
#endif

/* Memory inside a block that must not be touched for a while (freed cells). */
#if WEFT_ASAN
void __asan_poison_memory_region(void const volatile *p, size_t size);
void __asan_unpoison_memory_region(void const volatile *p, size_t size);
#define memory_forbid(p, size) __asan_poison_memory_region((p), (size))
#define memory_allow(p, size) __asan_unpoison_memory_region((p), (size))
#else
#define memory_forbid(p, size) ((void)(p), (void)(size))
#define memory_allow(p, size) ((void)(p), (void)(size))
#endif

#endif
