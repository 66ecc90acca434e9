"""Facts about a board for `hedgerow doctor`, one line of JSON. Runs in its raw REPL."""

import gc
import json
import os
import sys


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def read_json(path):
    try:
        return json.loads(read(path) or "null")
    except ValueError:
        return None


def reset_cause():
    try:
        import machine

        names = [name for name in dir(machine) if name.endswith("_RESET") or name == "PWRON_RESET"]
        cause = machine.reset_cause()
        return [name for name in names if getattr(machine, name) == cause]
    except (ImportError, AttributeError):
        return []


def can_write():
    try:
        with open("/doctor.tmp", "w") as file:
            file.write("x")
        os.remove("/doctor.tmp")
        return True
    except OSError as error:
        return error.errno == 28  # full is another fault


def head_of(path):
    """First bytes of a file."""
    try:
        with open(path, "rb") as file:
            return list(file.read(4))
    except OSError:
        return None


def slot_facts(slot, manifest):
    """Sizes and first bytes of what the manifest names."""
    found = {}
    for name, (size, _) in (manifest or {}).get("files", {}).items():
        path = "/app/%s/%s" % (slot, name)
        try:
            found[name] = [size, os.stat(path)[6], head_of(path)]
        except OSError:
            found[name] = [size, None, None]
    return found


def facts():
    gc.collect()
    stat = os.statvfs("/")
    current = read_json("/app/current")
    boots = read_json("/app/boots")
    slot = (current or {}).get("slot")
    manifest = read_json("/app/%s/manifest.json" % slot)
    counted = boots and current and boots[0] == current.get("generation")
    return {
        "mpy": getattr(sys.implementation, "_mpy", 0),
        "version": list(sys.implementation.version[:3]),
        "reset_cause": reset_cause(),
        "heap_free_bytes": gc.mem_free(),
        "fs_free_pct": 100 * stat[3] // stat[2] if stat[2] else None,
        "writable": can_write(),
        "main": read("/main.py"),
        "boot": read_json("/app/boot.json"),
        "boot_files": os.listdir("/lib") if "lib" in os.listdir("/") else [],
        "current": current,
        "failed_boots": boots[1] if counted else 0,
        "crash": read("/app/crash"),
        "manifest": manifest is not None,
        "slot_files": slot_facts(slot, manifest),
        "held": read("/app/hold") is not None,
    }


print(json.dumps(facts()))
