/* mod_stat.c -- module _stat: constants and tests of file modes.  Stateless. */
#include <sys/stat.h>

#include "objects/error/error.h"
#include "objects/model/model.h"
#include "objects/number/number.h"
#include "objects/text/str.h"

/* File types that this system does not have have no mode. */
#define S_IFDOOR 0
#define S_IFPORT 0
#define S_IFWHT 0

static bool
read_mode(Thread *th, Value v, mode_t *mode)
{
    uint64_t n;
    if (!is_int(v)) {
        raise_type_error(th, "an integer is required");
        return false;
    }
    if (!int_to_u64(th, v, &n))
        return false;
    if (n > (mode_t)-1) {
        raise_overflow(th, "mode out of range");
        return false;
    }
    *mode = (mode_t)n;
    return true;
}

#define TEST(name, expression)                                                 \
    static Value stat_##name(Thread *th, Value self, Value v)                  \
    {                                                                          \
        (void)self;                                                            \
        mode_t mode;                                                           \
        return read_mode(th, v, &mode) ? bool_from(expression) : NULL;         \
    }

TEST(S_ISBLK, S_ISBLK(mode))
TEST(S_ISCHR, S_ISCHR(mode))
TEST(S_ISDIR, S_ISDIR(mode))
TEST(S_ISFIFO, S_ISFIFO(mode))
TEST(S_ISLNK, S_ISLNK(mode))
TEST(S_ISREG, S_ISREG(mode))
TEST(S_ISSOCK, S_ISSOCK(mode))
TEST(S_ISDOOR, false)
TEST(S_ISPORT, false)
TEST(S_ISWHT, false)

static Value
stat_S_IMODE(Thread *th, Value self, Value v)
{
    (void)self;
    mode_t mode;
    return read_mode(th, v, &mode) ? value_from_fixnum(mode & 07777) : NULL;
}

static Value
stat_S_IFMT(Thread *th, Value self, Value v)
{
    (void)self;
    mode_t mode;
    return read_mode(th, v, &mode) ? value_from_fixnum(mode & S_IFMT) : NULL;
}

static char
type_letter(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return '-';
    case S_IFDIR: return 'd';
    case S_IFLNK: return 'l';
    case S_IFBLK: return 'b';
    case S_IFCHR: return 'c';
    case S_IFIFO: return 'p';
    case S_IFSOCK: return 's';
    default: return '?';
    }
}

static Value
stat_filemode(Thread *th, Value self, Value v)
{
    (void)self;
    mode_t mode;
    if (!read_mode(th, v, &mode))
        return NULL;
    char text[10];
    text[0] = type_letter(mode);
    for (int i = 0; i < 9; i++)
        text[1 + i] = mode & (0400 >> i) ? "rwx"[i % 3] : '-';
    if (mode & S_ISUID)
        text[3] = mode & S_IXUSR ? 's' : 'S';
    if (mode & S_ISGID)
        text[6] = mode & S_IXGRP ? 's' : 'S';
    if (mode & S_ISVTX)
        text[9] = mode & S_IXOTH ? 't' : 'T';
    return str_from_ascii(th, text, sizeof text);
}

#define METHOD(name, doc) NATIVE_1(#name, stat_##name, #name "(mode)\n\n" doc)

static const MethodDef stat_methods[] = {
    METHOD(S_ISBLK, "Whether mode is of a block special device file."),
    METHOD(S_ISCHR, "Whether mode is of a character special device file."),
    METHOD(S_ISDIR, "Whether mode is of a directory."),
    METHOD(S_ISDOOR, "Whether mode is of a door."),
    METHOD(S_ISFIFO, "Whether mode is of a FIFO (named pipe)."),
    METHOD(S_ISLNK, "Whether mode is of a symbolic link."),
    METHOD(S_ISPORT, "Whether mode is of an event port."),
    METHOD(S_ISREG, "Whether mode is of a regular file."),
    METHOD(S_ISSOCK, "Whether mode is of a socket."),
    METHOD(S_ISWHT, "Whether mode is of a whiteout."),
    METHOD(S_IMODE, "The portion of the mode that os.chmod() can set."),
    METHOD(S_IFMT, "The portion of the mode that tells the file's type."),
    METHOD(filemode, "The mode as text, as in '-rwxrwxrwx'."),
    NATIVE_END,
};

#define C(name) {#name, name},
static const struct {
    const char *name;
    int64_t value;
} constants[] = {
    C(S_IFDIR) C(S_IFCHR) C(S_IFBLK) C(S_IFREG) C(S_IFIFO) C(S_IFLNK) C(S_IFSOCK)
    C(S_IFDOOR) C(S_IFPORT) C(S_IFWHT) C(S_ISUID) C(S_ISGID) C(S_ISVTX)
    {"S_ENFMT", S_ISGID}, C(S_IREAD) C(S_IWRITE) C(S_IEXEC)
    C(S_IRWXU) C(S_IRUSR) C(S_IWUSR) C(S_IXUSR) C(S_IRWXG) C(S_IRGRP) C(S_IWGRP) C(S_IXGRP)
    C(S_IRWXO) C(S_IROTH) C(S_IWOTH) C(S_IXOTH)
    {"UF_NODUMP", 0x1}, {"UF_IMMUTABLE", 0x2}, {"UF_APPEND", 0x4}, {"UF_OPAQUE", 0x8},
    {"UF_NOUNLINK", 0x10}, {"UF_COMPRESSED", 0x20}, {"UF_HIDDEN", 0x8000},
    {"SF_ARCHIVED", 0x10000}, {"SF_IMMUTABLE", 0x20000}, {"SF_APPEND", 0x40000},
    {"SF_NOUNLINK", 0x100000}, {"SF_SNAPSHOT", 0x200000},
    {"ST_MODE", 0}, {"ST_INO", 1}, {"ST_DEV", 2}, {"ST_NLINK", 3}, {"ST_UID", 4}, {"ST_GID", 5},
    {"ST_SIZE", 6}, {"ST_ATIME", 7}, {"ST_MTIME", 8}, {"ST_CTIME", 9},
};
#undef C

static bool
stat_exec(Thread *th, Value module)
{
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        if (!module_add_int(th, module, constants[i].name, constants[i].value))
            return false;
    return true;
}

const ModuleSpec stat_module = {
    .name = "_stat",
    .doc = "Constants and tests of file modes: S_IF* types, S_I* permissions, UF_* and SF_*\n"
           "flags, ST_* indices into what os.stat() returns.",
    .methods = stat_methods,
    .exec = stat_exec,
};
