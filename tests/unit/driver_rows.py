"""The rows of the battery, and what each is about; imports no `machine`, so any side may use it.

tests/unit runs them on the Unix port and CPython, tests/emulated on the emulated Pico.
"""

import os

_HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."


def all_rows():
    """The rows of every driver_rows_*.py beside this file."""
    rows = ()
    for name in sorted(os.listdir(_HERE)):
        if name.startswith("driver_rows_") and name.endswith(".py"):
            rows += __import__(name[:-3]).ROWS
    return rows


def key_of(row):
    """Name of a row: two rows may be of one driver."""
    return row["driver"] + row.get("variant", "")


def driver_module(name):
    return getattr(__import__("hedge.drivers." + name).drivers, name)


def chip_class(name, class_name):
    return getattr(
        getattr(__import__("hedgerow.emulate.chips." + name).emulate.chips, name), class_name
    )


def chip_of(row, entry, now_ms):
    """The simulated chip of a row; entry: DRIVER of its driver."""
    if "make_chip" in row:
        return row["make_chip"](now_ms)
    return chip_class(row["driver"], entry["class"])(now_ms)


def feel(chip, inputs):
    """Set the physical inputs of a chip."""
    for name in inputs:
        setattr(chip, name, inputs[name])
