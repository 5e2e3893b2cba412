/* codecs.h -- the built-in encodings, one C function each, for module _codecs.
 *
 * `errors` NULL is "strict".  `consumed` NULL: the input ends here; else an incomplete
 * sequence at the end is left, and *consumed says how many bytes were taken.
 * `byteorder`: -1 little, 1 big, 0 by a byte order mark (native if there is none).
 */
#ifndef OBJECTS_TEXT_CODECS_H
#define OBJECTS_TEXT_CODECS_H

#include "objects/model/type.h"

/* Encoders make bytes. */
RAISES Value codec_utf8_encode(Thread *th, Value s, const char *errors);
RAISES Value codec_latin1_encode(Thread *th, Value s, const char *errors);
RAISES Value codec_ascii_encode(Thread *th, Value s, const char *errors);
RAISES Value codec_utf7_encode(Thread *th, Value s, const char *errors);
RAISES Value codec_utf16_encode(Thread *th, Value s, const char *errors, int byteorder);
RAISES Value codec_utf32_encode(Thread *th, Value s, const char *errors, int byteorder);
RAISES Value codec_unicode_escape_encode(Thread *th, Value s);
RAISES Value codec_raw_unicode_escape_encode(Thread *th, Value s);
/* mapping NULL or None: Latin-1. */
RAISES Value codec_charmap_encode(Thread *th, Value s, const char *errors, Value mapping);
RAISES Value codec_charmap_build(Thread *th, Value decoding_table);
/* bytes to bytes: the escapes of a bytes literal. */
RAISES Value codec_escape_encode(Thread *th, Value bytes);

/* Decoders make a str. */
RAISES Value codec_utf8_decode(Thread *th, const uint8_t *p, size_t n, const char *errors,
                               size_t *consumed);
RAISES Value codec_latin1_decode(Thread *th, const uint8_t *p, size_t n);
RAISES Value codec_ascii_decode(Thread *th, const uint8_t *p, size_t n, const char *errors);
RAISES Value codec_utf7_decode(Thread *th, const uint8_t *p, size_t n, const char *errors,
                               size_t *consumed);
/* *byteorder is changed to what a byte order mark says. */
RAISES Value codec_utf16_decode(Thread *th, const uint8_t *p, size_t n, const char *errors,
                                int *byteorder, size_t *consumed);
RAISES Value codec_utf32_decode(Thread *th, const uint8_t *p, size_t n, const char *errors,
                                int *byteorder, size_t *consumed);
RAISES Value codec_unicode_escape_decode(Thread *th, const uint8_t *p, size_t n,
                                         const char *errors, size_t *consumed);
RAISES Value codec_raw_unicode_escape_decode(Thread *th, const uint8_t *p, size_t n,
                                             const char *errors, size_t *consumed);
RAISES Value codec_charmap_decode(Thread *th, const uint8_t *p, size_t n, const char *errors,
                                  Value mapping);
/* bytes of a bytes literal's body; takes all of the input. */
RAISES Value codec_escape_decode(Thread *th, const uint8_t *p, size_t n, const char *errors);

/* [const] after start: development mode (-X dev).  Encodings' and error handlers' names are then
 * looked up before each use; else a handler's name is looked at when there is an error. */
extern bool codec_check_names;
/* Looks names up (NULL: nothing to look up) if codec_check_names is set. */
RAISES bool codec_check(Thread *th, const char *encoding, const char *errors);

/* Forgets a cached codec (test support: _codecs._forget_codec). */
RAISES bool codec_forget(Thread *th, Value encoding);

#endif
