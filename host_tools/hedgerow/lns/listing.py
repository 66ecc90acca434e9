"""What the network server knows of its devices, as lines for a person."""

import time

from hedge.net.lorawan.region import load
from hedgerow.errors import ConfigError
from hedgerow.lns.adr import NEEDED_SNR_DB
from hedgerow.lns.database import Database, Session
from hedgerow.lns.devices import Site

_HEAD = ("device", "address", "heard", "rate", "power", "margin", "uplinks", "downlinks")


def device_lines(database: Database, site: Site, now_s: float | None = None) -> list[str]:
    """A head and a line for each device of the site; those never heard say so."""
    rows: list[tuple[str, ...]] = [_HEAD]
    for device in site.devices:
        session = database.session(device.name)
        if session is None or session.fcnt_up < 0 or not session.is_in(site.region):
            rows.append((device.name, "", "never", "", "", "", "", ""))
        else:
            rows.append(_row(session, site, time.time() if now_s is None else now_s))
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    return [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _row(session: Session, site: Site, now_s: float) -> tuple[str, ...]:
    region = load(site.region)
    sf, bw_khz = region.lora(session.rate)
    margin = f"{max(session.snrs) - NEEDED_SNR_DB[sf]:.0f} dB" if session.snrs else ""
    return (
        session.device,
        f"{session.dev_addr:08x}",
        f"{_ago(now_s - session.last_seen_s)} ago",
        f"SF{sf}BW{bw_khz}",
        f"{region.power_dbm(session.power)} dBm",
        margin,
        str(session.fcnt_up + 1),
        str(session.fcnt_down),
    )


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def forget_device(database: Database, site: Site, name: str) -> str:
    """Drop what is known of a device: it may join with any DevNonce. Raises ConfigError."""
    if name not in [device.name for device in site.devices]:
        raise ConfigError(f"no device {name!r} in the devices file")
    known = database.forget(name)
    return f"{name}: forgotten, it may join again" if known else f"{name}: nothing was known of it"
