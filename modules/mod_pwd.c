/* mod_pwd.c -- modules pwd and grp: the databases of users and groups.
 *
 * Single entries are read by the re-entrant functions; walks over a whole database share a position in the
 * C library, so one walk is made at a time, and its entries are copied before the next. */
#include "modules/posix.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "modules/fork_mutex.h"
#include "threads/blocking.h"

typedef struct DatabaseModule {
    Type *record; /* [const] counted */
} DatabaseModule;

static ForkMutex walk_lock; /* positions of getpwent() and getgrent() */

/* A walk that another thread was left in by a fork is begun anew, as each is. */
static void
walk_begin(Thread *th)
{
    (void)fork_mutex_lock(th, &walk_lock);
}

static Value
text_value(Thread *th, const char *text)
{
    return text ? str_from_fs(th, text, strlen(text)) : NONE;
}

/* An id; (id)-1 is -1. */
static Value
id_value(Thread *th, uint32_t id)
{
    return id == UINT32_MAX ? value_from_fixnum(-1) : int_from_u64(th, id);
}

/* A struct sequence of the items (stolen; NULL: failed). */
static Value
record_of(Thread *th, Type *type, Value STEALS *items, int n)
{
    bool ok = true;
    for (int i = 0; i < n; i++)
        ok = ok && items[i] != NULL;
    Value r = ok ? struct_seq_new(th, type) : NULL;
    for (int i = 0; i < n; i++)
        if (r)
            struct_seq_init(r, i, items[i]);
        else
            drop_null(th, items[i]);
    return r;
}

static Value
passwd_value(Thread *th, Type *type, const struct passwd *p)
{
    Value items[] = {text_value(th, p->pw_name), text_value(th, p->pw_passwd), id_value(th, p->pw_uid),
                     id_value(th, p->pw_gid), text_value(th, p->pw_gecos), text_value(th, p->pw_dir),
                     text_value(th, p->pw_shell)};
    return record_of(th, type, items, 7);
}

static Value
group_value(Thread *th, Type *type, const struct group *g)
{
    Value members = list_new(th, 0);
    for (char **p = g->gr_mem; members && p && *p; p++) {
        Value name = text_value(th, *p);
        if (name == NULL || !list_append_steal(th, members, name))
            DROP_CLEAR(th, members);
    }
    Value items[] = {text_value(th, g->gr_name), text_value(th, g->gr_passwd), id_value(th, g->gr_gid), members};
    return record_of(th, type, items, 4);
}

/* A number of a user or group; false without exception: no such id can exist. */
static bool
number_arg(Thread *th, Value v, uint32_t *id)
{
    Value n = to_index(th, v);
    if (n == NULL) {
        if (error_matches(th, &exc_TypeError)) {
            error_clear(th);
            raise_type_error(th, "uid should be integer, not %T", v);
        }
        return false;
    }
    int64_t value;
    bool fits = int_fits_i64(n, &value) && value >= -1 && value <= (int64_t)UINT32_MAX;
    drop(th, n);
    *id = (uint32_t)value;
    return fits;
}

enum Ask { USER_NAME, USER_ID, GROUP_NAME, GROUP_ID };

/* Asks for one entry, offline; NULL with KeyError or another exception. */
static Value
ask(Thread *th, Value module, enum Ask what, const char *name, uint32_t id, Value shown)
{
    Type *type = ((DatabaseModule *)module_state(module))->record;
    size_t size = 4096;
    for (;;) {
        char *room = mem_alloc(size);
        if (room == NULL)
            return raise_memory(th);
        struct passwd user, *u = NULL;
        struct group group, *g = NULL;
        int r;
        blocking_begin(th);
        switch (what) {
        case USER_NAME: r = getpwnam_r(name, &user, room, size, &u); break;
        case USER_ID: r = getpwuid_r(id, &user, room, size, &u); break;
        case GROUP_NAME: r = getgrnam_r(name, &group, room, size, &g); break;
        default: r = getgrgid_r(id, &group, room, size, &g); break;
        }
        blocking_end(th);
        if (r == ERANGE && size < (size_t)1 << 26) {
            mem_free(room);
            size *= 4;
            continue;
        }
        Value result = u ? passwd_value(th, type, u) : g ? group_value(th, type, g) : NULL;
        mem_free(room);
        if (result == NULL && !error_set(th)) {
            static const char *const messages[] = {"getpwnam(): name not found: %R", "getpwuid(): uid not found: %V",
                                                   "getgrnam(): name not found: %R", "getgrgid(): gid not found: %V"};
            Value text = str_format_c(th, messages[what], shown);
            if (text)
                raise_key_error(th, text);
            drop_null(th, text);
        }
        return result;
    }
}

static Value
ask_name(Thread *th, Value self, enum Ask what, Value v, const char *fname)
{
    if (!is_str(v))
        return raise_type_error(th, "%s() argument must be str, not %B", fname, v);
    Value bytes = fs_encode(th, v);
    Value r = bytes ? ask(th, self, what, (const char *)as_bytes(bytes)->data, 0, v) : NULL;
    drop_null(th, bytes);
    return r;
}

static Value
ask_id(Thread *th, Value self, enum Ask what, Value v)
{
    uint32_t id;
    if (!number_arg(th, v, &id)) {
        if (error_set(th))
            return NULL;
        Value text = str_format_c(th, what == USER_ID ? "getpwuid(): uid not found" : "getgrgid(): gid not found");
        if (text)
            raise_key_error(th, text);
        drop_null(th, text);
        return NULL;
    }
    return ask(th, self, what, NULL, id, v);
}

static Value
pwd_getpwnam(Thread *th, Value self, Value v)
{
    return ask_name(th, self, USER_NAME, v, "getpwnam");
}

static Value
pwd_getpwuid(Thread *th, Value self, Value v)
{
    return ask_id(th, self, USER_ID, v);
}

static Value
grp_getgrnam(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "getgrnam", .names = {"name"}, .positional = 1, .required = 1};
    Value v;
    return args_bind(th, &params, a, n, kwnames, &v) ? ask_name(th, self, GROUP_NAME, v, "getgrnam") : NULL;
}

static Value
grp_getgrgid(Thread *th, Value self, const Arg *a, size_t n, Value kwnames)
{
    static const ParamSpec params = {.name = "getgrgid", .names = {"id"}, .positional = 1, .required = 1};
    Value v;
    return args_bind(th, &params, a, n, kwnames, &v) ? ask_id(th, self, GROUP_ID, v) : NULL;
}

static Value
all_entries(Thread *th, Value self, bool groups)
{
    Type *type = ((DatabaseModule *)module_state(self))->record;
    Value list = list_new(th, 0);
    walk_begin(th);
    groups ? setgrent() : setpwent();
    while (list) {
        struct passwd *u = NULL;
        struct group *g = NULL;
        blocking_begin(th);
        if (groups)
            g = getgrent();
        else
            u = getpwent();
        blocking_end(th);
        if (u == NULL && g == NULL)
            break;
        Value v = u ? passwd_value(th, type, u) : group_value(th, type, g);
        if (v == NULL || !list_append_steal(th, list, v))
            DROP_CLEAR(th, list);
    }
    groups ? endgrent() : endpwent();
    fork_mutex_unlock(&walk_lock);
    return list;
}

static Value
pwd_getpwall(Thread *th, Value self)
{
    return all_entries(th, self, false);
}

static Value
grp_getgrall(Thread *th, Value self)
{
    return all_entries(th, self, true);
}

#define F(n, d) {n, d}
static const StructSeqField passwd_fields[] = {
    F("pw_name", "user name"), F("pw_passwd", "password"), F("pw_uid", "user id"), F("pw_gid", "group id"),
    F("pw_gecos", "real name"), F("pw_dir", "home directory"), F("pw_shell", "shell program"), F(NULL, NULL)};
static const StructSeqSpec passwd_spec = {
    .name = "pwd.struct_passwd", .doc = "pwd.struct_passwd: Results from getpw*() routines.", .fields = passwd_fields,
    .visible = 7};
static const StructSeqField group_fields[] = {F("gr_name", "group name"), F("gr_passwd", "password"),
                                              F("gr_gid", "group id"), F("gr_mem", "group members"), F(NULL, NULL)};
static const StructSeqSpec group_spec = {
    .name = "grp.struct_group", .doc = "grp.struct_group: Results from getgr*() routines.", .fields = group_fields,
    .visible = 4};

static const MethodDef pwd_methods[] = {
    NATIVE_1("getpwnam", pwd_getpwnam, "getpwnam($module, name, /)\n--\n\nThe entry of a user name."),
    NATIVE_1("getpwuid", pwd_getpwuid, "getpwuid($module, uidobj, /)\n--\n\nThe entry of a user id."),
    NATIVE_0("getpwall", pwd_getpwall, "getpwall($module, /)\n--\n\nA list of all entries, in no order."),
    NATIVE_END,
};
static const MethodDef grp_methods[] = {
    NATIVE_K("getgrnam", grp_getgrnam, "getgrnam($module, /, name)\n--\n\nThe entry of a group name."),
    NATIVE_K("getgrgid", grp_getgrgid, "getgrgid($module, /, id)\n--\n\nThe entry of a group id."),
    NATIVE_0("getgrall", grp_getgrall, "getgrall($module, /)\n--\n\nA list of all entries, in no order."),
    NATIVE_END,
};

static bool
add_record_type(Thread *th, Value m, const StructSeqSpec *spec, const char *name)
{
    DatabaseModule *s = module_state(m);
    s->record = struct_seq_type(th, spec);
    return s->record && module_add(th, m, name, retain(th, value_of_type(s->record)));
}

static bool
pwd_exec(Thread *th, Value m)
{
    return add_record_type(th, m, &passwd_spec, "struct_passwd");
}

static bool
grp_exec(Thread *th, Value m)
{
    return add_record_type(th, m, &group_spec, "struct_group");
}

static void
database_visit(Value m, VisitFn visit, void *arg)
{
    DatabaseModule *s = module_state(m);
    if (s->record)
        visit(value_of_type(s->record), arg);
}

const ModuleSpec pwd_module = {
    .name = "pwd", .doc = "This module provides access to the Unix password database.", .methods = pwd_methods,
    .exec = pwd_exec, .state_size = sizeof(DatabaseModule), .visit = database_visit,
};
const ModuleSpec grp_module = {
    .name = "grp", .doc = "Access to the Unix group database.", .methods = grp_methods, .exec = grp_exec,
    .state_size = sizeof(DatabaseModule), .visit = database_visit,
};
