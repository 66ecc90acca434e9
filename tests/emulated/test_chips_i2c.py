"""I2C drivers on the emulated Pico's real I2C peripheral: the battery of tests/unit, over again.

Same rows, same simulated chips; the bus is the RP2040's controller under pico-sdk and machine.I2C.
The slower half of the chips is for `make soak`.
"""

import ast

import pytest
from pico_drivers import (
    PARTS,
    TESTS,
    I2CTrial,
    chip_of,
    drivers,
    install,
    points_on_the_unix_port,
    rows_on,
)

from hedgerow.emulate.chips.bme280 import BME280
from hedgerow.emulate.chips.sht4x import SHT4x
from hedgerow.emulate.chips.tca9548a import TCA9548A
from hedgerow.emulate.pico.board import PicoBoard

ROWS = rows_on("i2c")
QUICK = (
    *("bme280", "bmp388", "sht4x", "aht20", "tmp117", "sgp40", "bh1750", "tsl2591", "tcs34725"),
    *("mpu6050", "ina226", "ads1115", "max30102", "ds3231", "pcf8563"),
)
_SOAK = [pytest.param(key, marks=pytest.mark.soak) for key in ROWS if key not in QUICK]
CYCLES_PER_US = 125

USE_PART = """
import micropython
from driver_trial import board_at, load
from part_rows import ROWS
row = [row for row in ROWS if row["driver"] == {name!r}][0]
part = None
part = getattr(load({name!r}), {class_name!r})(board_at({freq_hz}).bus("i2c", "i2c0"), **{args!r})
def used():
    try:
        row["use"](part)
    except OSError as error:
        return error.errno
    return 0
"""
LOCKED = """
row["use"](part)
micropython.heap_lock()
try:
    row["use"](part)
finally:
    micropython.heap_unlock()
"""
BEHIND = """
import asyncio
from array import array
from driver_trial import board_at
from hedge.drivers.bme280 import BME280
from hedge.drivers.tca9548a import TCA9548A
switch = TCA9548A(board_at(400000).bus("i2c", "i2c0"))
sensors = [BME280(switch.channel(n)) for n in (0, 3)]
out = array("i", (0, 0, 0))
def temp(n):
    asyncio.run(sensors[n].read_into(out))
    return out[0]
print([temp(n) for n in (0, 1, 0, 1)])
"""


@pytest.fixture(scope="module")
def pico(need_target, tmp_path_factory):
    need_target("pico")
    with PicoBoard() as board:
        names = {ROWS[key]["driver"] for key in QUICK} | {row["driver"] for row in PARTS}
        install(board, names, tmp_path_factory.mktemp("mpy"), [TESTS / "unit" / "part_rows.py"])
        board.installed = names
        board.folder = tmp_path_factory.mktemp("more")
        yield board


@pytest.fixture(scope="module")
def on_unix(micropython):
    """{key: [values a point]}."""
    return points_on_the_unix_port(micropython, list(ROWS))


@pytest.fixture(scope="module", params=[*QUICK, *_SOAK])
def trial(request, pico):
    row = ROWS[request.param]
    if row["driver"] not in pico.installed:
        install(pico, [row["driver"]], pico.folder)
        pico.installed.add(row["driver"])
    trial = I2CTrial(pico, row)
    trial.key = request.param
    yield trial
    trial.close()


@pytest.fixture
def right(trial, on_unix):
    """right(i): the reading at point i is that of the Unix port; a clock may go on meanwhile."""

    def check(point):
        found = trial.read(trial.row["points"][point][0])
        assert same(trial, found, on_unix[trial.key][point])

    return check


def same(trial, found, expected):
    if isinstance(found, str):
        return False
    seconds = [channel[0] == "second" for channel in trial.entry["channels"]]
    pairs = zip(found, expected, seconds, strict=True)
    return all(a == b or (is_s and 0 <= a - b <= 1) for a, b, is_s in pairs)


def test_values_equal_those_of_the_unix_port(trial, right):
    for point in range(len(trial.row["points"])):
        right(point)


def test_a_read_does_not_allocate(trial, on_unix):
    allowed = trial.entry.get("alloc_bytes", 0)
    points = trial.row["points"] if allowed else trial.row["points"][:1]
    for i, (inputs, _) in enumerate(points):
        trial.read(inputs)
        values, cycles, us, heap_bytes = trial.measure()
        assert same(trial, values, on_unix[trial.key][i])
        assert heap_bytes <= allowed
        assert cycles < us * CYCLES_PER_US


def test_removed_is_an_error_and_returned_it_reads_again(trial, right):
    right(0)
    trial.chip.present = False
    assert trial.read() == "OSError"
    trial.chip.present = True
    right(1)


def test_each_fault_is_an_error_or_does_no_harm(trial, right):
    for fault, error in trial.row["faults"].items():
        right(0)
        trial.chip.fault = fault
        if error is None:
            right(0)
        else:
            assert trial.read() == error.__name__, fault
        trial.chip.fault = None
        if fault == "bus":
            # The transfer that timed out still waits in the controller's FIFO and goes out once
            # the bus is free: the next read may meet a chip that did not expect it.
            trial.pause()
            trial.read()
        right(2)


def test_a_foreign_chip_is_refused(trial):
    if trial.row["foreign"] is None:
        pytest.skip("the chip has no identity to read")
    trial.renew()
    trial.row["foreign"](trial.chip)
    assert trial.read() == "SensorError"
    trial.renew()


def test_a_bus_that_is_too_fast_for_the_chip_is_an_error(trial, right):
    if trial.entry["max_hz"] >= 1000000:
        pytest.skip("MicroPython's I2C of an RP2040 goes to 1 MHz")
    trial.restart(trial.entry["max_hz"] * 11 // 10)
    assert trial.read() == "OSError"
    trial.restart(trial.entry["max_hz"])
    right(1)


@pytest.fixture(scope="module", params=PARTS, ids=[row["driver"] for row in PARTS])
def part(request, pico):
    """The row, its chip on the bus, and the part as `part` on the board."""
    row, entry = request.param, drivers()[request.param["driver"]]
    chip, addr = chip_of(row, entry, pico.now_ms), entry["addrs"][0]
    pico.attach_i2c(0, addr, chip)
    args = {"addr": addr} if "addr" in entry["params"] else {}
    names = {"name": row["driver"], "class_name": entry["class"], "freq_hz": entry["max_hz"]}
    pico.exec(USE_PART.format(**names, args={**args, **row.get("args", {})}))
    yield row, chip
    pico.detach_i2c(0, addr)


def used(pico):
    return ast.literal_eval(pico.exec("print(used())"))


def test_a_part_works_and_does_not_allocate(pico, part):
    row, chip = part
    assert not row["right"](chip)
    pico.exec(LOCKED)
    assert row["right"](chip)


def test_a_part_that_does_not_answer_is_an_error(pico, part):
    row, chip = part
    for attribute, bad, good in (("present", False, True), ("fault", "nack", None)):
        setattr(chip, attribute, bad)
        assert used(pico) == 5  # EIO
        setattr(chip, attribute, good)
        assert used(pico) == 0
        assert row["right"](chip)


def test_two_chips_of_one_address_behind_a_switch(pico):
    switch = TCA9548A(pico.now_ms)
    pico.attach_i2c(0, 0x70, switch)
    pico.attach_i2c(0, 0x76, switch.behind(0x76))
    for channel, temp_c in ((0, 10.0), (3, 30.0)):
        chip = BME280(pico.now_ms)
        chip.temp_c = temp_c
        switch.attach(channel, 0x76, chip)
    assert ast.literal_eval(pico.exec(BEHIND)) == [1000, 3000, 1000, 3000]
    pico.detach_i2c(0, 0x70)
    pico.detach_i2c(0, 0x76)


@pytest.mark.parametrize(("stretch_us", "error"), [(20000, None), (60000, 110)])
def test_a_chip_may_hold_the_clock_for_less_than_the_time_out(pico, stretch_us, error):
    """50 ms unless the program says otherwise; 110 is ETIMEDOUT."""
    chip = SHT4x(pico.now_ms)
    chip.stretch_us = stretch_us
    pico.attach_i2c(0, 0x44, chip)
    source = """
import time
from machine import I2C, Pin
bus = I2C(0, scl=Pin(5), sda=Pin(4), freq=400000)
began_us = time.ticks_us()
try:
    bus.writeto(0x44, b"\\xfd")
    error = None
except OSError as e:
    error = e.errno
print(repr((error, time.ticks_diff(time.ticks_us(), began_us))))
"""
    found, took_us = ast.literal_eval(pico.exec(source))
    assert found == error
    assert took_us >= stretch_us
    pico.detach_i2c(0, 0x44)
