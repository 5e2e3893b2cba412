/* text_string.h -- what module _string offers, in C. */
#ifndef OBJECTS_TEXT_TEXT_STRING_H
#define OBJECTS_TEXT_TEXT_STRING_H

#include "objects/model/type.h"

/* An iterator over (literal, field name, format spec, conversion) of a format string. */
RAISES Value format_parser(Thread *th, Value text);
/* (first, rest): the first part of a field name, an int or a str, and an iterator over
 * (is attribute, name or index). */
RAISES Value format_field_name_split(Thread *th, Value name);

#endif
