/* plain_hooks.h -- ParserHooks without an object layer, for tests.
 *
 * A value is its text: what plain_show() prints.  Ints are shown in decimal,
 * strings as ascii() shows them, floats by their bits.
 */
#ifndef TESTS_SYNTAX_PLAIN_HOOKS_H
#define TESTS_SYNTAX_PLAIN_HOOKS_H

#include <stdio.h>

#include "core/syntax/parser.h"

extern const ParserHooks plain_hooks;
extern long plain_live;     /* values that were made and not released */
extern bool plain_print_warnings;

void plain_show(FILE *file, Value value, void *context);

#endif
