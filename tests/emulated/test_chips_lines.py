"""Drivers on the emulated Pico's SPI, UART, PWM and pins, against the chips of the unit tests.

Inputs, expected values and tolerances are those of the battery's rows.
"""

import pytest
from pico_drivers import OnBoard, all_rows, chip_class, chip_of, drivers, feel, install, key_of

from hedgerow.emulate.chips.servo import Servo
from hedgerow.emulate.chips.stepper import Stepper
from hedgerow.emulate.chips.valve import Valve
from hedgerow.emulate.chips.ws2812 import WS2812
from hedgerow.emulate.pico.board import PicoBoard

ROWS = {key_of(row): row for row in all_rows()}
BUS = {"spi": ("spi", ("spi0", 17)), "uart": ("uart", "uart0"), "dht": ("dht", 14)}
BUS.update(
    {"pins": ("pins", (10, 11)), "echo": ("echo", (12, 13)), "input_pin": ("input_pin", 15)}
)
SENSORS = (
    *("mcp3008", "rc522", "mhz19", "pms5003", "gps", "tf_luna", "dht22", "hx711", "hcsr04"),
    "flow_meter",
)
ONCE = ("gps", "pms5003", "dht22")  # they take seconds
FAULTS = {
    "rc522": "crc",
    "mhz19": "crc",
    "tf_luna": "crc",
    "dht22": "sum",
    "hx711": "overload",
    "hcsr04": "deaf",
}
ACTUATORS = ("servo", "buzzer", "ws2812", "stepper", "valve")
MAKE = """
import time
from driver_trial import board_at, load
it = load({name!r}).{class_name}(board_at(400000).bus({bus!r}, {where!r}), **{args!r})
def poll_until_done():
    while it.poll():
        time.sleep_ms(1)
"""


@pytest.fixture(scope="module")
def pico(need_target, tmp_path_factory):
    need_target("pico")
    with PicoBoard() as board:
        install(board, [*SENSORS, *ACTUATORS], tmp_path_factory.mktemp("mpy"))
        yield board


def attach(pico, name, chip):
    bus = drivers()[name]["bus"]
    if bus == "spi":
        pico.attach_spi(0, BUS["spi"][1][1], chip)
    elif bus == "uart":
        pico.attach_uart(0, chip)
    elif bus == "dht":
        pico.attach_dht(14, chip)
    elif bus == "input_pin":
        chip.drive = lambda level: pico.drive_pin(15, level)
        chip.drive(chip.IDLE)
        pico.each_ms(chip.step)
    else:
        chip.attach(*BUS[bus][1], machine=pico)


@pytest.fixture(scope="module", params=SENSORS)
def plugged(request, pico):
    """(row, chip, driver on the board)."""
    name, row = request.param, ROWS[request.param]
    entry = drivers()[name]
    chip = chip_of(row, entry, pico.now_ms)
    args = row.get("args", {})
    if name == "hx711":
        args = {}  # its row stops the clock, which is too slow for simulated pins
    attach(pico, name, chip)
    yield row, chip, OnBoard(pico, name, BUS[entry["bus"]], args)
    if entry["bus"] == "uart":
        pico.attach_uart(0, None)


def near(row, values, point):
    """A pulse of a line may begin a few us late: a mm of an echo, a pulse of a flow meter."""
    _, expected = row["points"][point]
    slack = {"hcsr04": 3, "flow_meter": 23}.get(row["driver"], 0)
    limits = [limit + slack for limit in row["tolerance"]]
    assert isinstance(values, list), values
    for value, wanted, limit in zip(values, expected, limits, strict=True):
        assert abs(value - wanted) <= limit, (values, expected)


def test_values_are_those_of_the_chip(plugged):
    row, chip, driver = plugged
    if row["driver"] == "flow_meter":
        chip.flow_l_per_s = 0.2
        driver.read()
        assert abs(driver.read()[0] - 2000) <= 23  # a pulse a second is 22
        return
    for i in range(1 if row["driver"] in ONCE else 2):
        feel(chip, row["points"][i][0])
        near(row, driver.read(), i)


def test_a_read_does_not_allocate(plugged):
    row, _, driver = plugged
    values, _, _, heap_bytes = driver.measure()
    assert len(values) == len(drivers()[row["driver"]]["channels"])
    assert heap_bytes == 0


@pytest.mark.parametrize("plugged", FAULTS, indirect=True)
def test_a_fault_is_an_error_and_healed_it_reads_again(plugged):
    row, chip, driver = plugged
    fault = FAULTS[row["driver"]]
    feel(chip, row["points"][1][0])
    chip.fault = fault
    found = driver.read()
    chip.fault = None
    assert found == row["faults"][fault].__name__
    near(row, driver.read(), 1)


def test_a_long_transfer_goes_by_dma_and_is_whole(pico):
    class Inverter:
        """Answers each byte with the one before it, inverted."""

        last = 0

        def select(self):
            self.last = 0

        def deselect(self):
            self.ended = True

        def transfer(self, mosi):
            last, self.last = self.last, mosi
            return last ^ 0xFF

    chip = Inverter()
    pico.attach_spi(1, 9, chip)
    source = """
from machine import SPI, Pin
cs = Pin(9, Pin.OUT, value=1)
bus = SPI(1, baudrate=1000000, sck=Pin(10), mosi=Pin(11), miso=Pin(8))
sent, got = bytes(range(200)), bytearray(200)
cs(0)
bus.write_readinto(sent, got)
cs(1)
print(got == bytes([255] + [255 ^ i for i in range(199)]))
"""
    assert pico.exec(source) == "True\n"
    assert chip.ended


def make(pico, name, where, args=None):
    entry = drivers()[name]
    names = {"name": name, "class_name": entry["class"], "bus": entry["bus"]}
    pico.exec("it = None\n" + MAKE.format(**names, where=where, args=args or {}))


def test_a_servo_gets_pulses_of_its_angle(pico):
    make(pico, "servo", 6)
    meter = pico.pwm_on(6)
    arm = Servo(pico.now_ms, lambda: meter)
    for deg in (0, 90, 180, 45):
        pico.exec(f"it.move_to({deg})\ntime.sleep_ms(600)")
        assert abs(meter.high_ns / 1000 - (500 + deg * 1900 / 180)) <= 1
        assert abs(meter.period_ns - 20_000_000) <= 1000
        assert abs(arm.angle_deg() - deg) <= 0.2
    pico.exec("time.sleep_ms(1000)\nit.poll()\ntime.sleep_ms(300)")
    pico.each_ms(lambda: None)
    pico.exec("time.sleep_ms(2)")
    assert meter.freq() == 0  # hold_ms is over: no pulses


def test_a_buzzer_is_a_square_wave_that_ends(pico):
    make(pico, "buzzer", 2)
    meter = pico.pwm_on(2)
    pico.exec("it.beep(2700, 30)\ntime.sleep_ms(10)")
    assert abs(meter.freq() - 2700) <= 1
    assert abs(meter.high_ns / meter.period_ns - 0.5) < 0.01
    pico.exec("poll_until_done()\ntime.sleep_ms(300)")
    assert meter.freq() == 0


def test_a_row_of_ws2812_understands_the_bits(pico):
    """machine.bitstream() counts cycles: bits within the data sheet's 150 ns."""
    chip = WS2812(4)
    pico.attach_bitstream(7, chip)
    make(pico, "ws2812", 7, {"count": 4})
    pico.exec("it.set(0, 255, 0, 1)\nit.set(3, 0x55, 0xAA, 0x0F)\nit.show()\ntime.sleep_ms(3)")
    assert chip.colours == [(255, 0, 1), (0, 0, 0), (0, 0, 0), (0x55, 0xAA, 0x0F)]
    pico.exec("it.off()\ntime.sleep_ms(3)")
    assert chip.colours == [(0, 0, 0)] * 4


def test_a_stepper_follows_without_a_lost_step(pico):
    chip = Stepper(pico.now_ms)
    chip.attach(18, 19, 20, 21, machine=pico)
    make(pico, "stepper", (18, 19, 20, 21))
    for steps, position in ((40, 40), (-60, -20)):
        pico.exec(f"it.move({steps})\npoll_until_done()")
        assert (chip.position, chip.lost) == (position, 0)
    before_ms = chip.on_ms()
    pico.exec("time.sleep_ms(100)")
    assert chip.on_ms() == before_ms  # no current while it rests


def test_a_valve_gets_pulses_and_closes_by_itself(pico):
    chip = Valve(pico.now_ms, is_open=True)
    chip.attach(21, 22, machine=pico)
    make(pico, "valve", (21, 22), {"max_on_ms": 500})
    assert not chip.is_open
    pico.exec("it.on(10000)")
    assert chip.is_open
    pico.exec("poll_until_done()")
    assert not chip.is_open
    assert chip.pulses == 3
    assert chip.shorted == 0
    assert 60 <= chip.longest_ms <= 62


def test_what_the_board_sends_arrives_as_one_message_at_its_speed(pico):
    """A chip at another speed hears other bytes."""
    chip = chip_class("mhz19", "MHZ19")(pico.now_ms)
    heard = []
    chip.hear = heard.append
    pico.attach_uart(1, chip)
    for baud in (9600, 4800):
        pico.exec(
            "from machine import UART, Pin\nimport time\n"
            f"UART(1, {baud}, tx=Pin(4), rx=Pin(5)).write(b'hedgerow')\ntime.sleep_ms(50)"
        )
    pico.attach_uart(1, None)
    assert heard[0] == b"hedgerow"
    assert len(heard[1]) == len(heard[0])
    assert heard[1] != heard[0]


def test_an_absent_chip_is_an_error(pico):
    for name, expected in (("mhz19", "OSError"), ("hx711", "OSError"), ("dht22", "OSError")):
        bus, where = BUS[drivers()[name]["bus"]]
        where = {"pins": (26, 27), "dht": 28}.get(bus, where)
        assert OnBoard(pico, name, (bus, where)).read() == expected
