"""Runs on the Unix port: what each I2C driver reads there at the points of its battery row.

micropython unix_points.py sht4x bmp388     # a line a row: [key, [values a point]]
"""

import sys
from array import array

import machine
from driver_bench import Bench, read
from driver_rows import all_rows, chip_of, driver_module, feel, key_of


def points(row):
    """[values] a point, from one driver and one chip."""
    bench = Bench()
    module = driver_module(row["driver"])
    entry = module.DRIVER
    chip = chip_of(row, entry, bench.now_ms)
    args = row.get("args", {})
    machine.attach_i2c(0, args.get("addr", entry["addrs"][0]), chip)
    bus = bench.board_at(min(entry["max_hz"], 400000)).i2c("i2c0")
    sensor = getattr(module, entry["class"])(bus, **args)
    out = array("i", [0] * len(entry["channels"]))
    found = []
    for inputs, _ in row["points"]:
        feel(chip, inputs)
        found.append(list(read(sensor, out)))
    bench.close()
    return found


wanted = sys.argv[1:]
for row in all_rows():
    if key_of(row) in wanted:
        print(repr([key_of(row), points(row)]))
