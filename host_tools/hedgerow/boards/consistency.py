"""Faults that only two keys, or board.json and pins.csv together, can show."""

import re
from collections.abc import Mapping

from hedgerow.boards import schema

_OFFSET = re.compile(r"^(0|0x[0-9a-fA-F]+)$")


def contradictions(data: schema.BoardFile, pins: Mapping[str, str]) -> list[str]:
    """One line a fault, each beginning with its key. pins: label -> CPU pin, of pins.csv."""
    return (
        _pin_faults(data.hedge, set(pins.values()))
        + _header_faults(data.hedge, pins)
        + _layout_faults(data.hedge)
        + _flashing_faults(data)
    )


def _pin_faults(hedge: schema.Hedge, cpu_pins: set[str]) -> list[str]:
    """Every pin named in board.json must be in pins.csv or be reserved."""
    known = cpu_pins | set(hedge.reserved)
    named = [("adc_pins", pin) for pin in hedge.adc_pins]
    named += [("input_only", pin) for pin in hedge.input_only]
    named += [("caution", pin) for pin in hedge.caution]
    for name, bus in hedge.buses.items():
        pins = bus.model_dump(exclude={"freq_hz"})
        named += [(f"buses.{name}.{role}", pin) for role, pin in pins.items()]
    return [f"hedge.{key}: {pin} is not in pins.csv" for key, pin in named if pin not in known]


def _header_faults(hedge: schema.Hedge, pins: Mapping[str, str]) -> list[str]:
    """A header pin is a label, a reserved CPU pin or a word of POWER; a label stands once."""
    if hedge.headers is None:
        return []
    sides = {"left": hedge.headers.left, "right": hedge.headers.right}
    words = [(side, word) for side, row in sides.items() for word in row]
    known = {*pins, *hedge.reserved, *schema.POWER}
    allowed = f"allowed: labels of pins.csv, reserved CPU pins, {', '.join(schema.POWER)}"
    faults = [f"hedge.headers.{s}: {w!r}; {allowed}" for s, w in words if w not in known]
    labels = [word for _, word in words if word not in schema.POWER]
    twice = sorted({word for word in labels if labels.count(word) > 1})
    return faults + [f"hedge.headers: {word!r} stands twice" for word in twice]


def _layout_faults(hedge: schema.Hedge) -> list[str]:
    """Regions must ascend, not overlap, and end within the flash."""
    faults = []
    end = 0
    for number, region in enumerate(hedge.flash_layout):
        key = f"hedge.flash_layout.{number}"
        if region.start < end:
            faults.append(
                f"{key}.start: {region.start} lies before {end}, where the last one ends"
            )
        end = region.start + region.size_bytes
        if end > (hedge.flash_bytes or 0):
            flash = f"the flash has {hedge.flash_bytes or 'no fixed size'}"
            faults.append(f"{key}.size_bytes: {region.name} ends at {end}; {flash}")
    return faults


def _flashing_faults(data: schema.BoardFile) -> list[str]:
    """The method must be the port's, and esptool must be told where an image starts."""
    hedge = data.hedge
    faults = []
    wanted = schema.PORT_FLASHING[hedge.port]
    if hedge.flash_method != wanted:
        faults.append(
            f"hedge.flash_method: {hedge.flash_method!r}; port {hedge.port!r} wants {wanted!r}"
        )
    offset = data.deploy_options.get("flash_offset")
    if hedge.flash_method == "esptool" and offset is None:
        faults.append('deploy_options.flash_offset: missing; for example "0x1000" or "0"')
    if offset is not None and not _OFFSET.match(offset):
        faults.append(f'deploy_options.flash_offset: {offset!r}; expected "0" or "0x..."')
    return faults
