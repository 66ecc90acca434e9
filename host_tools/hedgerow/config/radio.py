"""[uplink] kind = "lorawan": the radio on its bus and pins, and one kind of activation -> plan."""

from typing import Any

from hedge.net.lorawan.channels import Channels
from hedge.net.lorawan.region import load
from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path
from hedgerow.config.schema import is_known

_MAX_HZ = 8_000_000  # SX1276 and SX1262 take 10 and 16 MHz
_OTAA = ("dev_eui", "join_eui", "app_key")
_ABP = ("dev_addr", "nwk_s_key", "app_s_key")
_NEEDED = ("radio", "spi", "cs")
_NO_JOIN_EUI = 16 * "0"
_WIRING = ("spi", "cs", "reset", "dio0", "dio1", "busy", "tcxo_mv")


def lorawan_part(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    """Check the keys of the activation; replace those of the wiring by `modem`."""
    if table["kind"] != "lorawan":
        return
    _check_activation(draft, path, table)
    _check_region(draft, path, table)
    modem = _modem(draft, _wired(draft, path, table), table)
    for key in _WIRING:
        table.pop(key, None)
    table["modem"] = modem


def _wired(draft: Draft, path: Path, table: dict[str, Any]) -> Path:
    """Take the wiring from [radio] if [uplink] has none; the section that has it."""
    keys = ("radio", *_WIRING)
    found = draft.table("radio")
    if found and all(table.get(key) is None for key in keys):
        path = ("radio",)
        table.update({key: found.get(key) for key in keys})
    elif all(table.get(key) is None for key in _NEEDED):
        expected = 'a section [radio], e.g. radio = "sx1276", spi = "spi0", cs = "GP17"'
        draft.fault(path, "no radio", expected, key=True)
        return path
    for key in _NEEDED:
        if table.get(key) is None:
            expected = f"{key} = ..., here or all of the radio in [radio]"
            draft.fault(path, f"no {key} of the radio", expected, key=True)
    return path


def _check_activation(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    chosen, other = (_ABP, _OTAA) if table.get("dev_addr") is not None else (_OTAA, _ABP)
    if chosen is _OTAA and table.get("join_eui") is None:
        table["join_eui"] = _NO_JOIN_EUI
    for key in other:
        if is_known(table.get(key)):
            message = f"{key} beside {chosen[0]}: a device joins, or is personalised"
            draft.fault((*path, key), message, f"one of {chosen[0]} and {other[0]}", key=True)
            return
    for key in chosen:
        if table.get(key) is None:
            expected = f"{key} beside the others of {', '.join(chosen)}"
            draft.fault(path, f"{key} is missing", expected)


def _check_region(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    """A data rate that no channel takes would leave the node silent."""
    if not is_known(table.get("region")):
        return
    region, sub_band, rate = load(table["region"]), table.get("sub_band"), table.get("rate")
    if is_known(sub_band) and sub_band and not region.fixed:
        message = f"sub_band = {sub_band}: {region.name} has no sub-bands"
        draft.fault((*path, "sub_band"), message, "0, or region US915 or AU915")
    channels = Channels(region)
    fit = [r for r in range(7) if region.is_rate_up(r, region.dwell) and channels.usable(r)]
    if is_known(rate) and rate not in fit:
        message = f"rate = {rate} is none of {region.name}, to begin with"
        draft.fault((*path, "rate"), message, f"{fit[0]} to {fit[-1]}")


def _modem(draft: Draft, path: Path, table: dict[str, Any]) -> list[Any] | None:
    """What hedge.more_buses takes for "lora"."""
    claims = draft.tables.get("claims")
    if claims is None or not is_known(table.get("radio")):
        return None
    first = "dio0" if table["radio"].startswith("sx127") else "busy"
    unused = "busy" if first == "dio0" else "dio0"
    if is_known(table.get(unused)):
        message = f"{table['radio']} has no {unused}"
        draft.fault((*path, unused), message, first, key=True)
    if first == "busy" and table.get("busy") is None:
        draft.fault(path, f"busy is missing: {table['radio']} needs it", "busy = the pin")
    row = {"name": "the uplink's radio", "bus": table.get("spi")}
    bus = claims.spi(path, row, _MAX_HZ, "spi")
    pins = []
    for key, kind in (
        ("cs", "output_pin"),
        ("reset", "output_pin"),
        (first, "input_pin"),
        ("dio1", "input_pin"),
    ):
        label = table.get(key)
        pin = None if label is None else claims.take((*path, key), label, row, kind)
        pins.append(-1 if pin is None else pin)
    return [table["radio"], bus, *pins, table.get("tcxo_mv") or 0]
