"""input() at a terminal: the end of the input."""
import os
import pty
import select
import sys

CODE = r'''
for prompt in 'p> ', 'r> ':
    try:
        print(repr(input(prompt)))
    except EOFError as e:
        print(type(e).__name__, e.args)
print('end')
'''
EXPECTED = b"p> EOFError ()\r\nr> 'line'\r\nend\r\n"

pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], '-c', CODE])
seen, answers = b'', {b'p> ': b'\x04', b'r> ': b'line\n'}
while not seen.endswith(b'end\r\n'):
    if not select.select([fd], [], [], 30)[0]:
        break
    try:
        seen += os.read(fd, 1000)
    except OSError: # it ended
        break
    for prompt in [p for p in answers if seen.endswith(p)]:
        os.write(fd, answers.pop(prompt))
os.close(fd)
os.waitpid(pid, 0)
seen = seen.replace(b'line\r\n', b'', 1) # the echo
print('ok' if seen == EXPECTED else seen)
