/* cell.c -- cells: variables that closures share.
 *
 * The content is a Field; NULL while the variable is unbound.
 */
#include "objects/model/model.h"

#include "objects/error/error.h"
#include "objects/number/number.h"
#include "objects/protocol/protocol.h"
#include "objects/text/str.h"

static inline Cell *
as_cell(Value v)
{
    return (Cell *)(void *)value_object(v);
}

Value
cell_new(Thread *th, Value v)
{
    Object *o = object_new_fast(th, SHAPE_CELL, sizeof(Cell), true);
    if (o == NULL)
        return NULL;
    field_init(&((Cell *)(void *)o)->content, retain_null(th, v));
    return value_of(o);
}

static Value
cell_content(Thread *th, Value self)
{
    Cell *c = as_cell(self);
    return field_read(th, &c->head, &c->content);
}

static Value
cell_type_new(Thread *th, Type *type, const Arg *args, size_t nargs, Value kwnames)
{
    (void)type;
    if (!args_no_keywords(th, "cell", kwnames) || !args_count(th, "cell", nargs, 0, 1))
        return NULL;
    return cell_new(th, nargs ? arg(args, 0) : NULL);
}

static Value
cell_compare(Thread *th, Value a, Value b, int op)
{
    if (!is_exact(a, SHAPE_CELL) || !is_exact(b, SHAPE_CELL))
        return NOT_IMPLEMENTED;
    Value x = cell_content(th, a);
    Value y = cell_content(th, b);
    Value r;
    if (x != NULL && y != NULL) /* an empty cell comes before all others */
        r = compare(th, x, y, op);
    else
        r = compare(th, value_from_fixnum(x != NULL), value_from_fixnum(y != NULL), op);
    drop_null(th, x);
    drop_null(th, y);
    return r;
}

static Value
cell_repr(Thread *th, Value self)
{
    Value v = cell_content(th, self);
    Value r = v ? str_format_c(th, "<cell at %p: %T object at %p>", (void *)self, v, (void *)v) :
                  str_format_c(th, "<cell at %p: empty>", (void *)self);
    drop_null(th, v);
    return r;
}

static Value
get_contents(Thread *th, Value self, void *closure)
{
    (void)closure;
    Value v = cell_content(th, self);
    if (v == NULL)
        return raise_value_error(th, "Cell is empty");
    return v;
}

static bool
set_contents(Thread *th, Value self, Value v, void *closure)
{
    (void)closure;
    Cell *c = as_cell(self);
    field_replace(th, &c->head, &c->content, retain_null(th, v));
    return true;
}

static const GetterDef getters[] = {
    {"cell_contents", get_contents, set_contents, NULL, NULL},
    {.name = NULL},
};

static void
visit(Object *o, VisitFn fn, void *arg)
{
    field_visit(&((Cell *)(void *)o)->content, fn, arg);
}

static void
clear(Thread *th, Object *o)
{
    field_replace(th, o, &((Cell *)(void *)o)->content, NULL);
}

static void
dealloc(Thread *th, Object *o)
{
    field_drop(th, &((Cell *)(void *)o)->content);
}

Type cell_type;
const TypeSpec cell_spec = {
    .name = "cell",
    .size = sizeof(Cell),
    .ops_flags = OPS_TRACKED,
    .doc = "cell([contents])\n--\n\n"
           "Create a new cell object.\n\n"
           "  contents\n"
           "    the contents of the cell. If not specified, the cell will be empty,\n"
           "    and \n further attempts to access its cell_contents attribute will\n"
           "    raise a ValueError.",
    .getters = getters,
    .slots = {.repr = cell_repr,
              .hash = hash_unhashable,
              .getattr = generic_get_attr,
              .compare = cell_compare,
              .new = cell_type_new},
    .visit = visit,
    .clear = clear,
    .dealloc = dealloc,
};
