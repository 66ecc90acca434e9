"""What is soldered to the simulated board: chips on buses, sources on ADC pins, listeners on pins.

Tests and the simulator's scene call these functions through `machine`; the units (i2c.py, adc.py,
onewire.py, ...) look the chips up here at every transfer, so a chip may come and go at run time.
"""

i2c = {}  # bus key -> {address: chip}; see bus_key
onewire = {}  # pin number -> [chip, ...]
adc = {}  # pin number -> (source, noise_mv)
stuck_i2c = set()  # bus keys whose SDA or SCL is held low


def bus_key(bus_id):
    """0 for 0 and "i2c0"; (scl, sda) pin numbers stay as they are (SoftI2C)."""
    return int(bus_id[3:]) if isinstance(bus_id, str) else bus_id


def attach_i2c(bus_id, addr, chip):
    """Put chip at the 7-bit address addr of I2C(bus_id), or of SoftI2C with pins (scl, sda)."""
    if not 0 <= addr <= 0x7F:
        raise ValueError("I2C address %r" % (addr,))
    i2c.setdefault(bus_key(bus_id), {})[addr] = chip


def detach_i2c(bus_id, addr):
    """Take the chip at addr away; the address then does not answer."""
    i2c.get(bus_key(bus_id), {}).pop(addr, None)


def stick_i2c(bus_id, stuck=True):
    """Hold a bus line low: every transfer times out until stick_i2c(bus_id, False)."""
    if stuck:
        stuck_i2c.add(bus_key(bus_id))
    else:
        stuck_i2c.discard(bus_key(bus_id))


def attach_adc(pin, source, noise_mv=0):
    """Connect an ADC pin: source is a chip with mv(), a callable, or a number; all in mV.

    A source that gives None is an open circuit: the pin reads what a pull-down leaves, 0 to 10 mV.
    noise_mv: peak of a repeatable pseudo-random noise added to each reading.
    """
    adc[pin] = (source, noise_mv)


def attach_onewire(pin, chip):
    """Add a chip to the 1-Wire bus on that pin; several chips share one pin."""
    onewire.setdefault(pin, []).append(chip)


def detach_onewire(pin, chip):
    """Take one chip off the 1-Wire bus on that pin."""
    chips = onewire.get(pin, [])
    if chip in chips:
        chips.remove(chip)


def clear():
    """Take everything off I2C, 1-Wire and ADC (between tests)."""
    for table in (i2c, onewire, adc, stuck_i2c):
        table.clear()
