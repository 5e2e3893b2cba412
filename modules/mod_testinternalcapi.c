/* mod_testinternalcapi.c -- module _testinternalcapi: what CPython's test support asks about the build.
 *
 * Only facts that hold here as well; the C-API tests of that name are not ours.
 */
#include "core/run/run.h"
#include "modules/modules.h"

static Value
get_config(Thread *th, Value self)
{
    (void)self;
    Value d = dict_new(th);
    if (d && !dict_set_c(th, d, "code_debug_ranges", value_from_fixnum(1))) /* instructions know columns */
        DROP_CLEAR(th, d);
    return d;
}

static Value
get_recursion_depth(Thread *th, Value self)
{
    (void)self;
    return value_from_fixnum(th->recursion_limit - th->recursion_left);
}

static const MethodDef testinternalcapi_methods[] = {
    NATIVE_0("get_config", get_config, NULL),
    NATIVE_0("get_recursion_depth", get_recursion_depth, NULL),
    NATIVE_END,
};

const ModuleSpec testinternalcapi_module = {
    .name = "_testinternalcapi", .methods = testinternalcapi_methods,
};
