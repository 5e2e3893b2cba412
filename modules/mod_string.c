/* mod_string.c -- module _string: how str.format() takes its format apart.  Stateless. */
#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/text/str.h"
#include "objects/text/text_string.h"

static Value
string_formatter_parser(Thread *th, Value self, Value text)
{
    (void)self;
    if (!is_str(text))
        return raise_type_error(th, "expected str, got %T", text);
    return format_parser(th, text);
}

static Value
string_field_name_split(Thread *th, Value self, Value name)
{
    (void)self;
    if (!is_str(name))
        return raise_type_error(th, "expected str, got %T", name);
    return format_field_name_split(th, name);
}

static const MethodDef string_methods[] = {
    NATIVE_1("formatter_field_name_split", string_field_name_split,
             "split the argument as a field name"),
    NATIVE_1("formatter_parser", string_formatter_parser, "parse the argument as a format string"),
    NATIVE_END,
};

const ModuleSpec string_module = {
    .name = "_string",
    .doc = "string helper module",
    .methods = string_methods,
};
