/* unicode_ucd.h -- the Unicode Character Database as module unicodedata shows it.
 *
 * Facts that text itself does not need every day: bidirectional class, width, decompositions,
 * normal forms, named sequences; each for Unicode 14.0, and for 3.2, which the rules for
 * internationalised domain names are written in.  Everything is read-only: any thread at any time.
 */
#ifndef BASE_UNICODE_UCD_H
#define BASE_UNICODE_UCD_H

#include "base/unicode_db.h"

typedef enum { UCD_NEW, UCD_OLD } UcdVersion; /* 14.0.0, 3.2.0 */

/* Whether version 3.2 has the code point. */
bool ucd_old_assigned(uint32_t c);

const char *ucd_category(uint32_t c, UcdVersion version);
/* "" if unassigned. */
const char *ucd_bidi(uint32_t c, UcdVersion version);
const char *ucd_width(uint32_t c, UcdVersion version);
int ucd_combining(uint32_t c, UcdVersion version);
bool ucd_mirrored(uint32_t c, UcdVersion version);
/* -1: none */
int ucd_decimal(uint32_t c, UcdVersion version);

/* The decomposition of one step: how many code points (0: none), with its tag ("" if canonical)
 * in *tag.  Hangul syllables have none here: theirs is computed. */
#define UCD_DECOMPOSITION_MAX 32
int ucd_decomposition(uint32_t c, const char **tag, uint32_t out[UCD_DECOMPOSITION_MAX]);

/* The code points of a named sequence in any case; 0: there is none of that name. */
#define UCD_SEQUENCE_MAX 4
int ucd_sequence(const char *name, size_t length, uint32_t out[UCD_SEQUENCE_MAX]);

typedef enum { NORMAL_C = 0, NORMAL_D = 1, NORMAL_KC = 2, NORMAL_KD = 3 } NormalForm;

/* The normal form of n code points (lone surrogates pass through): *out_n code points to be freed
 * with mem_free(), never NULL but for lack of memory.  Takes time in proportion to n. */
uint32_t *ucd_normalize(const uint32_t *text, size_t n, NormalForm form, UcdVersion version, size_t *out_n);

#endif
