"""Is there raw flash for a node's log on a board, before anything of it is changed."""

from dataclasses import dataclass
from typing import Any

from hedgerow.device.link import SerialLink
from hedgerow.device.session import on_board
from hedgerow.errors import DeviceError

_CURES = {
    "rp2": "flash a firmware that leaves it (`hedgerow toolchain pico --region-kb {kb}`)",
    "esp32": 'flash a partition table with a data partition "{partition}"',
}


@dataclass(frozen=True)
class RawFlash:
    """What [store] kind = "flash" of a plan takes. least_bytes: 1 where all of a partition is."""

    port: str
    partition: str
    least_bytes: int


def raw_flash(plan: dict[str, Any]) -> RawFlash | None:
    """Of a plan; None if its log lies in files."""
    store, port = plan["store"], plan["board"]["port"]
    if store.get("kind") != "flash":
        return None
    return RawFlash(port, store["partition"], store["max_bytes"] if port == "rp2" else 1)


def check_raw_flash(link: SerialLink, wanted: RawFlash) -> None:
    """Raises DeviceError if the board, which is in the raw REPL, has too little of it."""
    source = f"{on_board('region_room')}\nregion_room({wanted.partition!r})\n"
    room, of_firmware = map(int, link.run(source).split())
    if room >= wanted.least_bytes:
        return
    kb = wanted.least_bytes // 1024
    if of_firmware >= wanted.least_bytes:
        raise DeviceError(
            f"{link.port}: a file system of an earlier firmware covers the flash for [store]: at "
            "the board's prompt (`hedgerow repl`) `import hedge_region; hedge_region.make_room()` "
            "formats it anew, and all its files go; then deploy again"
        )
    cure = _CURES[wanted.port].format(kb=kb, partition=wanted.partition)
    has = f"has {room // 1024} KB of raw flash" + (f", [store] takes {kb}" if kb else "")
    raise DeviceError(f'{link.port}: the board {has}: {cure}, or [store] kind = "files"')
