"""Simulated chips on the pins of the emulated Pico: its real I2C, ADC and GPIO peripherals."""

import ast
import errno
import os
import subprocess

import pytest

from hedgerow import paths
from hedgerow.emulate.chips.bme280 import BME280
from hedgerow.emulate.chips.ds18b20 import DS18B20
from hedgerow.emulate.chips.pump import Pump
from hedgerow.emulate.chips.soil_probe import SoilProbe
from hedgerow.emulate.pico.board import PicoBoard
from hedgerow.errors import DeviceError

# What the drivers need, copied into the board's own littlefs as source text.
CORE = ("__init__", "errors", "clock")
DRIVERS = ("i2c_sensor", "adc_mv", "bme280", "ds18b20", "soil_probe", "relay")
ONEWIRE = ("on_board/onewire.py", "unix/onewire_bus.py")  # our image has only _onewire
AIR = {"temp_c": 21.37, "humidity_pct": 54.2, "pressure_pa": 100325.0}

HARD_BUS = "I2C(0, scl=Pin(5), sda=Pin(4), freq=400000)"
SOFT_BUS = "SoftI2C(scl=Pin(5), sda=Pin(4), freq=400000)"
# Run on the emulated Pico and on the Unix port.
READ_BME = """
import asyncio
from array import array
from machine import I2C, Pin
from hedge.drivers.bme280 import BME280
out = array("i", (0, 0, 0))
driver = BME280(I2C(0, scl=Pin(5), sda=Pin(4), freq=400000))
async def read():
    try:
        await asyncio.wait_for(driver.read_into(out), 2)
    except Exception as e:
        return type(e).__name__
    return list(out)
print(repr(asyncio.run(read())))
"""
UNIX_BENCH = """
import time
import machine
from hedgerow.emulate.chips.bme280 import BME280
chip = BME280(time.ticks_ms)
chip.temp_c, chip.humidity_pct, chip.pressure_pa = {air}
machine.attach_i2c(0, 0x76, chip)
"""
READ_DS18B20 = """
import asyncio
from array import array
from machine import Pin
from onewire import OneWire
from hedge.drivers.ds18b20 import DS18B20
bus = OneWire(Pin(16))
def read(rom):
    out = array("i", (0,))
    try:
        asyncio.run(DS18B20(bus, rom).read_into(out))
    except Exception as e:
        return type(e).__name__
    return out[0]
roms = sorted(bus.scan())
print([(rom.hex(), read(rom)) for rom in roms] or read(""))
"""
READ_PROBE = """
from array import array
from machine import ADC
from hedge.drivers.soil_probe import SoilProbe
out = array("i", (0,))
SoilProbe(ADC(26)).poll(out)
print(out[0])
"""


@pytest.fixture(scope="module")
def pico(need_target):
    need_target("pico")
    with PicoBoard() as board:
        install(board)
        yield board


@pytest.fixture
def bme(pico):
    chip = BME280(pico.now_ms)
    for name, value in AIR.items():
        setattr(chip, name, value)
    pico.attach_i2c(0, 0x76, chip)
    yield chip
    pico.detach_i2c(0, 0x76)


def install(board):
    board.exec("import os\nfor d in ('hedge', 'hedge/core', 'hedge/drivers'): os.mkdir(d)")
    files = [f"hedge/core/{name}.py" for name in CORE]
    files += [f"hedge/drivers/{name}.py" for name in DRIVERS]
    for name in files:
        board.put(name, (paths.firmware_dir() / name).read_bytes())
    emulate = paths.host_tools_dir() / "hedgerow" / "emulate"
    for path in (emulate / name for name in ONEWIRE):
        board.put(path.name, path.read_bytes())


def read_bme(pico):
    return ast.literal_eval(pico.exec(READ_BME))


def test_a_bme280_on_real_i2c_reads_as_on_the_unix_port(pico, bme, micropython):
    folders = [paths.emulate_dir(), paths.firmware_dir(), paths.host_tools_dir(), ".frozen"]
    done = subprocess.run(
        [micropython, "-c", UNIX_BENCH.format(air=tuple(AIR.values())) + READ_BME],
        env={**os.environ, "MICROPYPATH": ":".join(map(str, folders))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = read_bme(pico)
    assert found == ast.literal_eval(done.stdout)
    for value, truth, limit in zip(found, (2137, 5420, 100325), (1, 2, 3), strict=True):
        assert abs(value - truth) <= limit
    assert bme.conversions == 1


def test_a_bme280_on_pins_that_the_program_drives(pico):
    """SoftI2C, and scan(), for which MicroPython drives the pins of the hardware bus itself."""
    chip = BME280(pico.now_ms)
    for name, value in AIR.items():
        setattr(chip, name, value)
    pico.attach_i2c((5, 4), 0x76, chip)
    assert pico.exec(f"from machine import I2C, Pin\nprint({HARD_BUS}.scan())") == "[118]\n"
    soft = READ_BME.replace("I2C, Pin", "SoftI2C, Pin").replace(HARD_BUS, SOFT_BUS)
    assert ast.literal_eval(pico.exec(soft))[0] == 2137
    pico.detach_i2c((5, 4), 0x76)
    assert pico.exec(f"print({HARD_BUS}.scan())") == "[]\n"


def test_a_bme280_converts_in_the_boards_time(pico, bme):
    bme.fault = "slow"
    began_ms = pico.now_ms()
    assert read_bme(pico)[0] == 2137
    assert pico.now_ms() - began_ms >= 8 * 8  # DS 9.1: 8 ms at x1, the fault takes 8 times as long


@pytest.mark.parametrize(
    ("fault", "error"), [("nack", "OSError"), ("bus", "OSError"), ("blank", "SensorError")]
)
def test_a_faulty_bme280_is_an_error_and_healed_it_reads_again(pico, bme, fault, error):
    bme.fault = fault
    assert read_bme(pico) == error
    bme.fault = None
    assert read_bme(pico)[0] == 2137


def test_an_absent_bme280_is_an_error_and_returned_it_reads_again(pico, bme):
    bme.present = False
    assert read_bme(pico) == "OSError"
    bme.present = True
    assert read_bme(pico)[0] == 2137


def test_errors_of_the_bus_are_those_of_the_sdk(pico, bme):
    """EIO for an address that nobody acknowledges, else the number of bytes that were.

    pico-sdk's i2c_write_blocking returns it, MicroPython's writeto hands it on, and writeto_mem
    drops it: a driver must not use that.
    """
    source = """
from machine import I2C, Pin
bus = I2C(0, scl=Pin(5), sda=Pin(4))
def tried(transfer, *arguments):
    try:
        return transfer(*arguments)
    except OSError as error:
        return -error.errno
print([tried(bus.writeto, 0x20, b"1"), tried(bus.readfrom, 0x20, 1),
    tried(bus.writeto, 0x76, b"123"), tried(bus.readfrom_mem, 0x76, 0xd0, 1)])
"""
    bme.fault = "nack"
    assert ast.literal_eval(pico.exec(source)) == [-errno.EIO, -errno.EIO, 1, b"\x60"]


def test_transfers_take_the_buses_time(pico, bme):
    source = """
import time
from machine import I2C, Pin
def took_us(freq):
    bus = I2C(0, scl=Pin(5), sda=Pin(4), freq=freq)
    began = time.ticks_us()
    bus.readfrom_mem(0x76, 0xd0, 30)
    return time.ticks_diff(time.ticks_us(), began)
print([took_us(freq) for freq in (100000, 400000)])
"""
    slow_us, fast_us = ast.literal_eval(pico.exec(source))
    n_bits = 9 * 33  # address twice, register, 30 bytes, each with its acknowledge
    assert slow_us >= n_bits * 10
    assert n_bits * 2.5 <= fast_us < slow_us


def test_a_soil_probe_is_read_through_the_adc(pico):
    probe = SoilProbe()
    pico.attach_adc(26, probe)
    for vwc_pct in (5.0, 23.4, 45.0):
        probe.vwc_pct = vwc_pct
        # 12 bits of 3.3 V are 0.8 mV, of which 32 are 1 %; the driver rounds to whole mV.
        assert abs(int(pico.exec(READ_PROBE)) / 100 - vwc_pct) < 0.06
    probe.fault = "open"
    with pytest.raises(DeviceError, match=r"SensorError: soil_probe: .* cut, shorted"):
        pico.exec(READ_PROBE)


def test_ds18b20s_on_one_pin_are_found_and_read_in_their_time_slots(pico):
    warm, cold = DS18B20(pico.now_ms, serial=0x0102), DS18B20(pico.now_ms, serial=0x0503)
    warm.temp_c, cold.temp_c = 18.25, -3.5
    pico.attach_onewire(16, warm)
    pico.attach_onewire(16, cold)
    found = ast.literal_eval(pico.exec(READ_DS18B20))
    assert found == sorted([(warm.rom.hex(), 1825), (cold.rom.hex(), -350)])
    pico.detach_onewire(16, cold)
    warm.fault = "crc"
    assert ast.literal_eval(pico.exec(READ_DS18B20)) == [(warm.rom.hex(), "SensorError")]
    pico.detach_onewire(16, warm)
    assert pico.exec(READ_DS18B20).strip() in ("SensorError", "OSError")


def test_the_host_sees_a_relay_switch_and_for_how_long(pico):
    levels = []
    pump = Pump(pico.now_ms, litres_per_min=60)
    pico.on_pin(15, pump.on_level)
    pico.on_pin(15, lambda level: levels.append((pico.now_ms(), level)))
    source = """
import time
from machine import Pin
from hedge.drivers.relay import Relay
relay = Relay(Pin(15), max_on_ms=500)
relay.on(10000)
while relay.poll():
    time.sleep_ms(10)
"""
    pico.exec(source)
    assert [level for _, level in levels] == [0, 1, 0]
    assert 500 <= levels[2][0] - levels[1][0] <= 520
    assert pico.pin(15) == 0
    assert abs(pump.take_litres() - 0.5) <= 0.02


def test_a_reset_lets_go_of_the_pins(pico):
    levels = []
    pico.on_pin(12, levels.append)
    pico.exec("from machine import Pin\nPin(12, Pin.OUT, value=1)")
    pico.reset()
    assert levels == [1, None]
    assert pico.pin(12) is None


def test_a_driven_pin_is_read_and_interrupts(pico):
    pico.exec(
        "from machine import Pin\nbutton = Pin(14, Pin.IN, Pin.PULL_UP)\nseen = []\n"
        "button.irq(lambda pin: seen.append(pin.value()), Pin.IRQ_FALLING)"
    )
    assert pico.exec("print(button.value())") == "1\n"
    pico.drive_pin(14, 0)
    assert pico.exec("print(button.value(), seen)") == "0 [0]\n"
    pico.drive_pin(14, None)
    assert pico.exec("print(button.value(), seen)") == "1 [0]\n"


def test_an_echo_answers_while_the_program_waits(pico):
    """A callback drives another pin some time later, as an ultrasonic sensor does."""

    def trigger(level):
        if level == 0:
            pico.drive_pin(17, 1, after_ns=200000)
            pico.drive_pin(17, 0, after_ns=1200000)

    pico.on_pin(18, trigger)
    source = """
import time
from machine import Pin, time_pulse_us
trigger, echo = Pin(18, Pin.OUT, value=0), Pin(17, Pin.IN)
trigger(1)
time.sleep_us(10)
trigger(0)
print(time_pulse_us(echo, 1, 30000))
"""
    assert abs(int(pico.exec(source)) - 1000) <= 30  # it looks at the pin every few us


def test_chips_stay_when_the_board_is_reset(pico, bme):
    before_ms = pico.now_ms()
    pico.reset()
    assert read_bme(pico)[0] == 2137
    assert pico.now_ms() >= before_ms


def test_wires_to_nowhere_are_refused(pico):
    for attach in (
        lambda: pico.attach_i2c(2, 0x76, None),
        lambda: pico.attach_i2c(0, 0x80, None),
        lambda: pico.attach_adc(3, 100),
        lambda: pico.on_pin(30, print),
        lambda: pico.drive_pin(-1, 0),
    ):
        with pytest.raises(DeviceError, match="pico: "):
            attach()


def test_a_chip_cannot_run_programs_on_its_board(pico):
    pico.on_pin(13, lambda level: pico.exec("print(1)"))
    with pytest.raises(DeviceError, match="cannot run programs"):
        pico.exec("from machine import Pin\nPin(13, Pin.OUT)")
