/* assert.h -- claims about the program's own state.
 *
 * CHECK is always tested, ASSERT in debug builds, ASSERT_SLOW in
 * --enable-debug=full.  A disabled claim is still compiled, never run.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#include "base/attrs.h"

/* Prints the claim and where it stands, then aborts. */
NORETURN COLD void assert_failed(const char *file, int line, const char *claim);

#define CHECK(claim)                                                           \
    (LIKELY(claim) ? (void)0 : assert_failed(__FILE__, __LINE__, #claim))

#if defined(WEFT_DEBUG) && WEFT_DEBUG >= 1
#define ASSERT(claim) CHECK(claim)
#else
#define ASSERT(claim) ((void)sizeof(!(claim)))
#endif

#if defined(WEFT_DEBUG) && WEFT_DEBUG >= 2
#define ASSERT_SLOW(claim) CHECK(claim)
#else
#define ASSERT_SLOW(claim) ((void)sizeof(!(claim)))
#endif

#endif
