/* main.c -- the program: hands the table of native modules to the runtime. */
#include "core/run/run.h"
#include "modules/modules.h"

int
main(int argc, char **argv)
{
    return runtime_main(argc, argv, native_modules);
}
