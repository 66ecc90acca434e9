"""Run tests/unit (and tests/upy) under CPython and MicroPython; zero tests run is a failure.

    python tests/run.py                 both
    python tests/run.py --only upy      one side: cpython or upy
    python tests/run.py test_cbor ...   only modules whose name contains one of these

Run under MicroPython (by itself, as a child) it imports the modules that its arguments name.
"""

import sys

_UNIT = "unit"
_UPY_ONLY = "upy"
_MODULES_AT_ONCE = 6


def _here():
    return __file__.rsplit("/", 1)[0] if "/" in __file__ else "."


def _summary(side, run, passed, failed, skipped):
    for name, reason in skipped:
        print("SKIP %s: %s" % (name, reason))
    text = "unit tests under %s: %d run, %d passed, %d failed, %d skipped"
    print(text % (side, run, passed, failed, len(skipped)))
    return 0 if run and not failed else 1


def _run_here_upy(names):
    """The MicroPython side: import each module and run it with our own unittest."""
    import unittest

    modules = [__import__(name) for name in names]
    result = unittest.run_modules(modules)
    return _summary("MicroPython", result.run, result.passed, len(result.failed), result.skipped)


def _run_here_cpython(names):
    import importlib
    import unittest

    suite = unittest.TestSuite()
    for name in names:
        suite.addTests(
            unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name))
        )
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors)
    skipped = [(test.id(), reason) for test, reason in result.skipped]
    passed = result.testsRun - failed - len(skipped)
    return _summary("CPython", result.testsRun, passed, failed, skipped)


def _names(folder, patterns):
    from pathlib import Path

    stems = sorted(path.stem for path in Path(_here(), folder).glob("test_*.py"))
    return [stem for stem in stems if any(pattern in stem for pattern in patterns)]


def _child_upy(command, env):
    import subprocess

    return subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, timeout=600)


def _spawn_upy(patterns):
    import os
    from concurrent.futures import ThreadPoolExecutor

    from hedgerow import paths
    from hedgerow.toolchain.unix import find_micropython

    here = os.path.abspath(_here())
    folders = [f"{here}/shim/upy", f"{here}/unit", f"{here}/upy", str(paths.firmware_dir())]
    folders += [str(paths.emulate_dir()), str(paths.host_tools_dir()), ".frozen"]
    env = dict(os.environ, MICROPYPATH=":".join(folders))
    names = _names(_UNIT, patterns) + _names(_UPY_ONLY, patterns)
    # A process for some modules each: all of them fill the heap, a larger one is slow to sweep.
    parts = [names[i : i + _MODULES_AT_ONCE] for i in range(0, len(names), _MODULES_AT_ONCE)]
    command = [str(find_micropython()), f"{here}/run.py", "--child"]
    codes, counts = [], [0, 0, 0, 0]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(lambda part: _child_upy(command + part, env), parts):
            *said, summary = done.stdout.splitlines() or [""]
            print("\n".join(said), flush=True)
            found = [int(word) for word in summary.replace(",", "").split() if word.isdigit()]
            if len(found) != len(counts):  # it died before its last line
                print(summary)
                return 1
            counts = [a + b for a, b in zip(counts, found)]  # noqa: B905  MicroPython parses this file
            codes.append(done.returncode)
    print("unit tests under MicroPython: %d run, %d passed, %d failed, %d skipped" % tuple(counts))
    return max(codes) if codes else 1


def _cpython(patterns):
    from hedgerow import paths

    here = _here()
    sys.path[:0] = [f"{here}/shim/cpython", f"{here}/unit", str(paths.emulate_dir())]
    import micropython  # noqa: F401  adds the MicroPython names to time and asyncio

    return _run_here_cpython(_names(_UNIT, patterns))


def _arguments(args):
    import argparse

    parser = argparse.ArgumentParser(description="Unit tests under CPython and MicroPython")
    parser.add_argument("--only", choices=("cpython", "upy"), default="")
    parser.add_argument("module", nargs="*", help="part of a module's name; without any, all")
    said = parser.parse_args(args)
    return said.only, said.module or [""]


def main(args):
    if args and args[0] == "--child":
        return _run_here_upy(args[1:])
    only, patterns = _arguments(args)
    codes = []
    if only in ("", "cpython"):
        codes.append(_cpython(patterns))
    if only in ("", "upy"):
        codes.append(_spawn_upy(patterns))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
