"""Child processes: what fails before exec(), closing a pipe that was read in part, a child forked by a thread."""
import subprocess
import sys

for options in ({"process_group": 999999}, {"cwd": "/nonexistent"}):
    try:
        subprocess.Popen(["/bin/true"], **options)
    except OSError as error:
        print(repr(error), error.filename)
try:
    subprocess.Popen(["/nonexistent"])
except OSError as error:
    print(repr(error), error.filename)

with subprocess.Popen(["/bin/echo", "some", "text"], stdout=subprocess.PIPE) as child:
    print(child.stdout.read(1))
    child.stdout.close()
print(child.returncode)

forking = r"""
import os, threading
main = threading.current_thread()
def other():
    main.join()
    print("other thread ends", flush=True)
def worker():
    child = os.fork()
    if child:
        print("child ended:", os.waitpid(child, 0)[1], flush=True)
        return
    thread = threading.Thread(target=other)
    print("child", flush=True)
    thread.start()
threading.Thread(target=worker).start()
"""
done = subprocess.run([sys.executable, "-c", forking], capture_output=True, timeout=60)
print(done.returncode, done.stdout, done.stderr)
