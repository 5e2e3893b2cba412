# __text_signature__ of the functions of the modules below, of some methods, and the names of posix.
import _codecs
import posix
import sys

for module in (_codecs, posix):
    for name in sorted(vars(module)):
        f = getattr(module, name)
        if type(f) is type(len) and not name.startswith("_"):
            print(module.__name__, name, f.__text_signature__)
for f in (dict.pop, bytes.hex, bytearray.hex, memoryview.hex, int.__round__, tuple.__getnewargs__, str.maketrans,
          sys.getdlopenflags, sys.setdlopenflags, sys._current_exceptions, sys.getallocatedblocks):
    print(f.__qualname__, f.__text_signature__)
print([name for name in dir(posix) if name.isupper()])
print(sorted(posix.sysconf_names.items()), sorted(posix.confstr_names.items()), sorted(posix.pathconf_names.items()))
