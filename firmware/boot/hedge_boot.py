"""The supervisor: starts the app of the current slot, undoes a bad one, leaves the REPL reachable.

    /app/current       pointer, JSON: slot, previous, confirmed, generation; replaced by a rename
    /app/boots         JSON [generation, boots that have not become healthy yet]
    /app/crash         text of the last traceback, at most 1 KB
    /app/hold          there: the next boot starts no app (a host wants the board for itself)
    /app/a  /app/b     slots: the app's files and manifest.json {entry, healthy_after_ms, files}

A boot is healthy when the app says so (`hedge_boot.confirm()`), when it ends by itself, or when it
has run for healthy_after_ms of its manifest (null: only the app may say it). MAX_BOOTS boots in a
row that are not: an unconfirmed slot is rolled back to the one before, else the board stays in
safe mode: no app, REPL and link. A crash resets the board, so that a watchdog that the app has
started (an RP2040's cannot be stopped: 8388 ms at most) never bites a REPL session.

Wake-ups from deep sleep are not counted: flash is written twice per cold boot, not per sample.
Runs under CPython too. Source of atomicity: littlefs DESIGN.md, rename replaces atomically.
"""

import json
import os
import sys
import time

ROOT = "/app"
MAX_BOOTS = 3
CRASH_CHARS = 1024
_ENOENT = 2
_HEAD_BYTES = 200  # of a manifest: what comes before its files
RESTART_MS = 2000  # after a crash: time to read the traceback and to press Ctrl-C

_running = None  # the Slots whose app runs; None otherwise


class Slots:
    """The state of the two slots, in files under root. Every change is one rename."""

    def __init__(self, root=ROOT):
        self.root = root

    def current(self):
        """{"slot", "previous", "confirmed", "generation"}, or None if there is none to run."""
        # A FAT file system removes before it renames: then the new one is all there is.
        for name in ("current", "current.new"):
            found = self._read(name)
            if isinstance(found, dict) and found.get("slot") in ("a", "b"):
                return found
        return None

    def spare(self):
        """Name of the slot that may be written: never the one that is the way back.

        A slot that is not confirmed yet gives way to the proven one before it, so that this one
        stays the way back, however many deploys come before the next confirmation.
        """
        now = self.current()
        if self._way_back(now):
            return now["slot"]
        return "b" if now and now["slot"] == "a" else "a"

    def open_spare(self):
        """The spare slot, from now on incomplete; the board starts the other one meanwhile."""
        self.roll_back()
        slot = self.spare()
        try:
            os.remove("%s/%s/manifest.json" % (self.root, slot))
        except OSError as error:
            if error.errno != _ENOENT:
                raise
        return slot

    def manifest(self, slot):
        """What a complete slot holds, or None."""
        return _manifest(self._read(slot + "/manifest.json"))

    def head(self, slot):
        """manifest() without its files: to parse a hundred takes 40 ms and 14 KB on an RP2040."""
        try:
            with open("%s/%s/manifest.json" % (self.root, slot), "rb") as file:
                text = file.read(_HEAD_BYTES)
                file.seek(-2, 2)
                whole = file.read() == b"}}"
        except OSError:
            return None
        at = text.find(b',"files":')
        if at < 0:  # written by something else
            return self.manifest(slot)
        try:
            return _manifest(json.loads(text[:at] + b"}")) if whole else None
        except ValueError:
            return None

    def switch(self, slot):
        """Start slot from the next boot on, unconfirmed. Raises ValueError if it is incomplete."""
        if self.head(slot) is None:
            raise ValueError("slot %s has no manifest: deploy again" % slot)
        now = self.current()
        proven = now and now["confirmed"] and now["slot"] != slot
        previous = now["slot"] if proven else None
        self._point(slot, previous, False, now)

    def confirm(self):
        """Keep the current slot and forget its failed boots. Writes nothing if that is so."""
        now = self.current()
        if now is None:
            return
        if not now["confirmed"]:
            self._point(now["slot"], now["previous"], True, now)
        self.set_boots(0, now)

    def roll_back(self):
        """Point to the slot before the unconfirmed one. False if there is none."""
        now = self.current()
        back = self._way_back(now)
        if back:
            self._point(back, None, True, now)
        return bool(back)

    def _way_back(self, now):
        if now is None or now["confirmed"] or now["previous"] is None:
            return None
        return now["previous"] if self.head(now["previous"]) else None

    def boots(self, now=None):
        """Boots of this generation that have not become healthy. now: current(), if at hand."""
        now, found = now or self.current(), self._read("boots")
        if now and isinstance(found, list) and len(found) == 2 and found[0] == now["generation"]:
            return found[1]
        return 0

    def set_boots(self, count, now=None):
        now = now or self.current()
        if now and self.boots(now) != count:
            self.write("boots", json.dumps([now["generation"], count]))

    def take_hold(self):
        """True if a host asked for one boot without the app."""
        try:
            os.remove(self.root + "/hold")
        except OSError:
            return False
        return True

    def write(self, name, text):
        """Replace a file at once: it has the old text or the new one, also after a power cut."""
        path = self.root + "/" + name
        with open(path + ".new", "w") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def _point(self, slot, previous, confirmed, now):
        # Another generation has no failed boots: `boots` need not be written in the same instant.
        generation = now["generation"] if now else 0
        if not (now and now["slot"] == slot and confirmed):
            generation += 1
        state = {"slot": slot, "previous": previous, "confirmed": confirmed}
        state["generation"] = generation
        self.write("current", json.dumps(state))

    def _read(self, name):
        """Parsed JSON of a file, None if it is missing or damaged."""
        try:
            with open(self.root + "/" + name) as file:
                return json.load(file)
        except (OSError, ValueError):
            return None


def decide(slots, counts=True):
    """("run", slot) or ("repl" or "safe", reason); rolls back or counts the boot.

    counts: False for a wake-up from deep sleep.
    """
    if slots.take_hold():
        return "repl", "held by a host"
    now = slots.current()
    if now is None:
        return "repl", "no app is deployed"
    boots = slots.boots(now)
    if boots >= MAX_BOOTS:
        if not slots.roll_back():
            return "safe", "%d boots in a row failed" % boots
        print("boot: slot %s failed %d times: back to the one before" % (now["slot"], boots))
        now, boots = slots.current(), 0
    if slots.head(now["slot"]) is None:
        return "safe", "slot %s is damaged" % now["slot"]
    if counts:
        _count(slots, boots + 1, now)
    return "run", now["slot"]


def main(root=ROOT):
    """Start the app, or say why not and return to the REPL."""
    slots = Slots(root)
    what, detail = decide(slots, not _woke_from_deep_sleep())
    if what == "run":
        return run(slots, detail)
    print("boot: %s" % detail)
    if what == "safe":
        print("boot: safe mode: `hedgerow doctor` says why, `hedgerow deploy` replaces the app")
        _open_link()
    return None


def run(slots, slot, reset=None):
    """Run the app of a slot; returns when it ends or is stopped. A crash ends in reset()."""
    global _running
    folder = slots.root + "/" + slot
    head = slots.head(slot)
    print("boot: slot %s starts %s" % (slot, head["entry"]))
    sys.path.insert(0, folder)
    _forget(os.listdir(folder))
    _running = slots
    timer = _confirm_later(head.get("healthy_after_ms"))
    try:
        __import__(head["entry"])
        confirm()
    except SystemExit:
        confirm()
    except KeyboardInterrupt:
        print("boot: stopped by the host")
        _count(slots, max(0, slots.boots() - 1))
    except Exception as error:  # noqa: BLE001  any fault of the app is counted, shown and kept
        if timer:
            timer.deinit()
        timer = None
        _crashed(slots, error)
        _restart(reset)
    finally:
        _running = None
        if timer:
            timer.deinit()


def _forget(files):
    """A module that the app brings is found, also if boot.py knows a built-in one by its name."""
    for name in list(sys.modules):
        if name in files or name + ".py" in files or name + ".mpy" in files:
            del sys.modules[name]


def _manifest(found):
    return found if isinstance(found, dict) and "entry" in found else None


def confirm(_=None):
    """For the app: it works. Keeps its slot, and forgets failed boots. Harmless if repeated."""
    if _running is not None:
        try:
            _running.confirm()
        except OSError as error:
            print("boot: cannot confirm: %r" % error)


def path(name):
    """For the app: full path of a file that was deployed with it."""
    slots = _running or Slots()
    now = slots.current()
    return "%s/%s/%s" % (slots.root, now["slot"], name) if now else name


def _count(slots, boots, now=None):
    try:
        slots.set_boots(boots, now)
    except OSError as error:  # a full file system must not keep the app from starting
        print("boot: cannot count boots: %r" % error)


def _crashed(slots, error):
    text = _traceback(error)
    print(text)
    try:
        slots.write("crash", text[-CRASH_CHARS:])
    except OSError as fault:
        print("boot: cannot keep the traceback: %r" % fault)


def _traceback(error):
    import io

    out = io.StringIO()
    if hasattr(sys, "print_exception"):
        sys.print_exception(error, out)
    else:
        import traceback

        traceback.print_exception(error, file=out)
    return out.getvalue()


def _restart(reset):
    print("boot: the app crashed: reset in %d ms, Ctrl-C for the REPL" % RESTART_MS)
    try:
        time.sleep(RESTART_MS / 1000)
    except KeyboardInterrupt:
        return
    if reset is None:
        import machine

        reset = machine.reset
    reset()


def _confirm_later(after_ms):
    """A timer that confirms, or None where the port has none (then the app must)."""
    if after_ms is None:
        return None
    try:
        from machine import Timer

        return Timer(period=after_ms, mode=Timer.ONE_SHOT, callback=confirm)
    except (ImportError, AttributeError):
        return None
    except (TypeError, ValueError, OSError):  # a port whose timers have numbers (ESP32)
        timer = Timer(0)
        timer.init(period=after_ms, mode=Timer.ONE_SHOT, callback=confirm)
        return timer


def _woke_from_deep_sleep():
    try:
        import machine

        return machine.reset_cause() == machine.DEEPSLEEP_RESET
    except (ImportError, AttributeError):
        return False  # the RP2 port does not tell: it wakes by a watchdog reset


def _open_link():
    """Join the network that hedge_safe knows, if there is one; the serial REPL needs nothing."""
    try:
        from hedge_safe import open_link
    except ImportError:
        return
    open_link()
