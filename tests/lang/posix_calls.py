# What module posix has beyond files: new processes, waiting, vectors of buffers, groups, priorities.
import os
import posix
import sys
import tempfile


os.closerange(3, 64)  # what the caller has left open: numbers of descriptors are printed


def show(f, *args, **kw):
    given = [repr(a).partition(" at 0x")[0][:40] for a in args] + [f"{k}={v!r}"[:60] for k, v in kw.items()]
    try:
        result = f(*args, **kw)
    except Exception as e:
        print(f.__name__, *given, "->", type(e).__name__, str(e))
    else:
        print(f.__name__, *given, "->", result)


def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


true = "/bin/true"

# -- posix_spawn
for spawn in (posix.posix_spawn, posix.posix_spawnp):
    show(spawn)
    show(spawn, "x", 1, 2)
    show(spawn, "x", [], {})
    show(spawn, "x", [""], {})
    show(spawn, "x", ["a"], 2)
    show(spawn, "/nonexistent", ["a"], {})
    show(spawn, "x", ["a", "b\0"], {})
    show(spawn, 1, ["a"], {})
    show(spawn, "x", ["a"], {1: 2})
    show(spawn, "x", ["a"], {"a=b": "2"})
    show(spawn, true, ["a"], env={})
    show(spawn, true, ["a"], {}, foo=1)
    for actions in ([None], [()], [(None,)], [(12345,)], [(os.POSIX_SPAWN_CLOSE,)], [(os.POSIX_SPAWN_CLOSE, None)],
                    [(os.POSIX_SPAWN_OPEN, 1, 2)], [(os.POSIX_SPAWN_OPEN, 1, "f\0", 0, 0)],
                    [(os.POSIX_SPAWN_OPEN, 1, 2, 0, 0)], [(os.POSIX_SPAWN_OPEN, 1, "f", None, 0)],
                    [(os.POSIX_SPAWN_DUP2, 1)], [(os.POSIX_SPAWN_DUP2, 1, "f")], [(os.POSIX_SPAWN_DUP2, -1, 1)],
                    [(os.POSIX_SPAWN_CLOSE, -1)], 3, [[os.POSIX_SPAWN_CLOSE, 1]], 0):
        show(spawn, true, ["a"], {}, file_actions=actions)
    show(spawn, true, ["a"], {}, setpgroup="x")
    show(spawn, true, ["a"], {}, setpgroup=-5)
    for signals in (None, 3, ["x"], [10 ** 30], [999], [0], [-1], [3.5]):
        show(spawn, true, ["a"], {}, setsigmask=signals)
        show(spawn, true, ["a"], {}, setsigdef=signals)
    for scheduler in (None, 3, (), (1,), (1, 2), (1, 2, 3), (os.SCHED_OTHER, os.sched_param(3)),
                      ("x", os.sched_param(0)), (None, os.sched_param("x"))):
        show(spawn, true, ["a"], {}, scheduler=scheduler)

with tempfile.TemporaryDirectory() as folder:
    out = os.path.join(folder, "out")
    actions = [(os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
               (os.POSIX_SPAWN_DUP2, 1, 2)]
    print(ended(os.posix_spawn("/bin/sh", ["sh", "-c", "echo $X; echo $0 $1 >&2", "a", "b"], {"X": "é"},
                               file_actions=actions)))
    print(open(out, encoding="utf-8").read())
    print(ended(os.posix_spawnp("sh", ("sh", "-c", "exit 7"), os.environ, file_actions=())))
    print(ended(os.posix_spawn("/bin/sh", ["sh", "-c", "kill -TERM $$"], {}, setsigdef=[15], setsid=True,
                               resetids=True, setsigmask=[])))
    print(ended(os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], {}, setpgroup=0,
                               scheduler=(os.SCHED_OTHER, os.sched_param(0)))))
    print(os.listdir(folder))

# -- waiting
usage = __import__("resource").struct_rusage
pid = os.posix_spawn(true, ["true"], {})
got, status, record = os.wait4(pid, 0)
print(got == pid, status, type(record) is usage, record.ru_maxrss > 0)
pid = os.posix_spawn("/bin/false", ["false"], {})
got, status, record = os.wait3(options=0)
print(got == pid, os.WEXITSTATUS(status=status), type(record) is usage)
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 9"], {})
r = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
print(r.si_pid == pid, r.si_status, r.si_code == os.CLD_EXITED, r.si_signo, type(r).__name__)
print(os.waitid(os.P_PID, pid, os.WEXITED).si_status)
show(posix.wait3, "x")
show(posix.wait4, 1)
show(posix.wait4, 0, 0)
show(posix.waitid, 0, 0, 0)
show(posix.waitid, "x", 0, 0)
show(posix.waitid, os.P_PID, -1, os.WEXITED)
show(posix.waitid_result, (1, 2))
show(posix.waitid_result, range(5))
show(posix.WCOREDUMP, "x")
show(posix.WCOREDUMP, status=1)
show(posix.WIFEXITED, status=0)

# -- sched_param
show(posix.sched_param)
show(posix.sched_param, 1, 2)
show(posix.sched_param, sched_priority=3)
show(posix.sched_param, "x")
print(posix.sched_param.__text_signature__, os.sched_param(4).sched_priority)
show(posix.sched_getparam, 0)
show(posix.sched_getparam, -1)
show(posix.sched_getscheduler, -1)
show(posix.sched_setscheduler, 0, 0, 1)
show(posix.sched_setscheduler, 0, 0, os.sched_param("x"))
show(posix.sched_setscheduler, 0, 0, os.sched_param(5))
show(posix.sched_setscheduler, 0, 0, os.sched_param(2 ** 40))
show(posix.sched_setparam, 0, (0,))
show(posix.sched_setparam, -1, os.sched_param(0))
show(posix.sched_rr_get_interval, -1)
show(posix.sched_get_priority_max, policy=os.SCHED_FIFO)

# -- users, groups, priorities
for f in (posix.setgroups,):
    for groups in (3, "x", [1.5], ["a"], None, [-2], [2 ** 32]):
        show(f, groups)
show(posix.getgrouplist, "root", 0)
show(posix.getgrouplist, 1, 0)
show(posix.getgrouplist, "root", "x")
show(posix.getgrouplist, "nonexistent", 7)
show(posix.getgrouplist, "a\0", 0)
show(posix.getgrouplist, "root", 2 ** 40)
show(posix.initgroups, 1, 0)
show(posix.initgroups, "root", "x")
show(posix.initgroups, "a\0", 0)
show(posix.initgroups, b"root", -2)
for f in (posix.setuid, posix.setgid, posix.seteuid, posix.setegid):
    for number in (-2, "x", 1.5, 2 ** 32, 2 ** 80, -2 ** 80):
        show(f, number)
show(posix.setreuid, -1, -1)
show(posix.setresuid, -1, -1, -1)
show(posix.setresgid, -1, -1, -1)
show(posix.setresuid, 1)
show(posix.setresgid, -1, -1, 2 ** 32)
show(posix.setpriority, 77, 0, 0)
show(posix.setpriority, 0, 0, "x")
show(posix.getpriority, which=77, who=0)

# -- terminals
show(posix.tcgetpgrp, -1)
show(posix.tcsetpgrp, -1, 1)
show(posix.tcsetpgrp, "x", 1)
show(posix.login_tty, -1)
show(posix.login_tty, "x")
show(posix.login_tty, 999)
show(posix.ctermid)

# -- vectors
r, w = os.pipe()
for f in (posix.readv, posix.writev):
    show(f, r, 3)
    show(f, r, [3])
    show(f, r, ["x"])
    show(f, -1, [])
    show(f, "x", [])
    show(f, r, b"abc")
    show(f, 999, [bytearray(2)])
    show(f, r, [bytearray(1)] * 2000)
show(posix.readv, r, [b"a"])
show(posix.writev, w, [b"ab", bytearray(b"cd"), memoryview(b"ef"), b""])
buffers = [bytearray(3), memoryview(bytearray(10))]
show(posix.readv, r, buffers[:1])
show(posix.readv, r, tuple(buffers))
print(buffers[0], bytes(buffers[1]))
show(posix.writev, w, [memoryview(b"abcdef")[::2]])
with tempfile.TemporaryFile() as file:
    fd = file.fileno()
    show(posix.pwritev, fd, [b"ab", b"cd"], 2)
    show(posix.pwritev, fd, 3, 0)
    show(posix.pwritev, fd, [], "x")
    show(posix.pwritev, fd, [b"z"])
    buffers = [bytearray(3), bytearray(10)]
    show(posix.preadv, fd, buffers, 1)
    print(buffers)
    show(posix.preadv, fd, [b"x"], 1)
    show(posix.preadv, fd, 3, 1)
    show(posix.preadv, fd, buffers, 2 ** 70)
    show(posix.copy_file_range, fd, fd, -1)
    show(posix.copy_file_range, 0, 1, 2, "x")
    show(posix.copy_file_range, 1)
    show(posix.copy_file_range, fd, 999, 3)
    show(posix.copy_file_range, "x", fd, 0)
    show(posix.copy_file_range, fd, fd, 1, 2 ** 70)
    show(posix.splice, fd, w, -1)
    show(posix.splice, fd, w, 3, 2)
    show(posix.splice, fd, w, 2, offset_src=3)
    show(posix.read, r, 10)
    show(posix.splice, fd, w, 3, "x")
    show(posix.splice, fd, w, 3, 0, flags="x")
    show(posix.splice, fd, w, 1, 0, None, -1)
    show(posix.splice, fd, w, 1, 0, None, 2 ** 33)
    show(posix.fsync, fd=fd)
    show(posix.ftruncate, fd, length=3)
    show(posix.fchmod, fd=fd, mode=0o600)

# -- eventfd, memfd
for args in ((), ("x",), (-1,), (2 ** 32,), (5, -1)):
    show(posix.eventfd, *args)
e = os.eventfd(4, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
print(os.get_inheritable(e))
show(posix.eventfd_read, e)
show(posix.eventfd_read, fd=e)
show(posix.eventfd_write, e, 2 ** 64 - 1)
show(posix.eventfd_write, e, 2 ** 64)
show(posix.eventfd_write, e, -1)
show(posix.eventfd_write, e, 2 ** 64 - 2)
show(posix.eventfd_write, e, 1)
show(posix.eventfd_write, e, "x")
show(posix.eventfd_read, e)
show(posix.eventfd_read, -1)
show(posix.eventfd_read, "x")
m = os.memfd_create("name")
print(os.get_inheritable(m), os.write(m, b"abc"), os.pread(m, 5, 1))
for args in ((), (1,), ("a" * 300,), ("a\0",), ("abc", "x"), ("abc", -1)):
    show(posix.memfd_create, *args)

# -- what hooks hear
heard = []
sys.addaudithook(lambda event, args: heard.append((event, args)) if event.startswith("os.") else None)


def hear(f, *args, **kw):
    heard.clear()
    try:
        f(*args, **kw)
    except OSError as e:
        pass
    print(f.__name__, heard)


none = "/nonexistent/file"
hear(posix.posix_spawn, none, ["a"], {"x": "y"})
hear(posix.posix_spawnp, none, ("a",), {})
hear(posix.killpg, 999999999, 0)
hear(posix.kill, 999999999, 0)
hear(posix.putenv, "a", "b")
hear(posix.unsetenv, "a")
hear(posix.execv, none, ["a"])
hear(posix.execve, none, ["a"], {"a": "b"})
hear(posix.system, "true")
hear(posix.truncate, none, 1)
hear(posix.ftruncate, 999, 1)
hear(posix.lockf, 999, 1, 1)
hear(posix.utime, none, None)
hear(posix.chmod, none, 1)
hear(posix.chown, none, 1, 1)
hear(posix.lchown, none, -1, 1)
hear(posix.fchmod, 999, 1)
hear(posix.getxattr, none, "a")
hear(posix.setxattr, none, "a", b"x")
hear(posix.removexattr, none, "a")
hear(posix.listxattr, none)
hear(posix.chdir, none)
hear(posix.fchdir, 999)
hear(posix.mkdir, none)
hear(posix.rmdir, none)
hear(posix.remove, none)
hear(posix.unlink, none)
hear(posix.rename, none, none)
hear(posix.link, none, none)
hear(posix.symlink, none, none)
hear(posix.listdir, none)
hear(posix.scandir, none)

# -- sys
print(sys.getdlopenflags() == os.RTLD_NOW, sys.setdlopenflags(os.RTLD_LAZY), sys.getdlopenflags() == os.RTLD_LAZY)
show(sys.setdlopenflags, "x")
print(sys.getallocatedblocks() > 100)
print([*sys._current_exceptions().values()])
try:
    1 / 0
except ZeroDivisionError as e:
    print([*sys._current_exceptions().values()] == [sys.exc_info()])
for name in ("posix_spawn", "splice", "preadv", "eventfd", "setpriority", "setgroups", "waitid", "kill"):
    print(name, getattr(posix, name).__text_signature__)
print(len(posix.sysconf_names) > 100, posix.sysconf("SC_PAGESIZE") == posix.sysconf(posix.sysconf_names["SC_PAGESIZE"]))
show(posix.confstr, "CS_PATH")

# -- wrong arguments elsewhere
import warnings
for f in (type(sys.flags), type(sys.version_info)):
    show(f)
    show(f, [1] * 18)
for number in (-1, 2 ** 64, 2 ** 64 - 1, "x"):
    show(posix.major, number)
    show(posix.minor, number)
show(posix.makedev, -1, -1)
for flag in (None, [], 1.5):
    show(posix.posix_spawn, none, ["a"], {}, resetids=flag)
    show(posix.posix_spawn, none, ["a"], {}, setsid=flag)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    show(posix.chdir, bytearray(b"/nonexistent"))
    print(type(posix.listdir(memoryview(b"/"))[0]))
    print([str(w.message) for w in caught])
