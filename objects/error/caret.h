/* caret.h -- which part of an expression's text a traceback points at with ^. */
#ifndef OBJECTS_ERROR_CARET_H
#define OBJECTS_ERROR_CARET_H

#include <stdbool.h>
#include <stddef.h>

/* If the expression in text[0..n) is, as a whole, a binary operation or a subscript: the
 * bytes of its operator or brackets. */
bool caret_anchors(const char *text, size_t n, size_t *start, size_t *end);

#endif
