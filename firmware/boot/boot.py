# Runs first, and before every raw REPL session: nothing is done here that could keep a host out.
# What starts the app is main.py. Built-in modules are known from here on: `import os` looks for a
# file in each folder of sys.path first, every time (9 ms on an RP2040, 15 ms from within an app).
# One that a file extends is found as ever.
import sys

_path = sys.path[:]
try:
    sys.path[:] = [".frozen"]
    import os

    _files = os.listdir("/")
    _files += os.listdir("/lib") if "lib" in _files else []
    _files = [_file.split(".")[0] for _file in _files]
    _names = "binascii errno hashlib io json machine os random select struct time"
    for _name in _names.split():
        if _name not in _files:
            try:
                sys.modules[_name] = __import__(_name)
            except ImportError:
                pass  # this port has none
finally:
    sys.path[:] = _path
