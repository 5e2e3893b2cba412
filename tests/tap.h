/* tap.h -- the Test Anything Protocol for C tests.
 *
 *     OK(x == 3, "x is three");     one test point
 *     DONE();                       the plan; ends main()
 *
 * TAP_SCALE(n) is n, or a tenth of it under a sanitizer, or TEST_SCALE percent of it if
 * that environment variable is set.
 */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sanitize.h"

static int tap_count, tap_failed;

#define OK(condition, text)                                                    \
    do {                                                                       \
        bool ok_ = (condition);                                                \
        tap_failed += !ok_;                                                    \
        printf("%sok %d - %s\n", ok_ ? "" : "not ", ++tap_count, (text));      \
        if (!ok_)                                                              \
            printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);           \
        fflush(stdout);                                                        \
    } while (0)

#define DONE()                                                                 \
    do {                                                                       \
        printf("1..%d\n", tap_count);                                          \
        return tap_failed != 0;                                                \
    } while (0)

static inline long
TAP_SCALE(long n)
{
    const char *percent = getenv("TEST_SCALE");
    if (percent)
        n = n * atol(percent) / 100;
    else if (WEFT_ASAN || WEFT_TSAN)
        n /= 10;
    return n > 1 ? n : 1;
}

#endif
