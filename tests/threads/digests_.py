"""The library behind the digests is loaded with the first of their modules, whichever thread asks first; a program that
asks for none does without it."""
import threading


def mapped():
    with open("/proc/self/maps") as maps:
        return "libcrypto" in maps.read()


assert not mapped()
barrier = threading.Barrier(5)
results = {}


def ask(module, function):
    barrier.wait()
    digest = getattr(__import__(module), function)(b"abc").hexdigest
    results[function] = digest(16) if function.startswith("shake") else digest()


wanted = {
    "md5": ("_md5", "900150983cd24fb0d6963f7d28e17f72"),
    "sha1": ("_sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    "sha256": ("_sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    "sha384": ("_sha512", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                          "8086072ba1e7cc2358baeca134c825a7"),
    "shake_128": ("_sha3", "5881092dd818bf5cf8a3ddb793fbcba7"),
}
threads = [threading.Thread(target=ask, args=(module, name)) for name, (module, _) in wanted.items()]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert results == {name: digest for name, (_, digest) in wanted.items()}, results
assert mapped()
print("ok")
