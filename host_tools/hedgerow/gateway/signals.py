"""What the records and the broker say that a person should know: conditions for alerts.

Names are the node's: "battery.voltage", "health.<sensor>" (1 well, 0 failed); thresholds come
from its info map.
"""

from hedgerow.gateway.alerts import AlertBook, AlertKey
from hedgerow.gateway.record_table import Stored
from hedgerow.gateway.rows import CLOCK_SET_S, Entry
from hedgerow.gateway.watermark import StreamKey

BATTERY_LOW_V = 3.3  # one lithium cell under load, near empty; info key battery_low_v overrides
_BATTERY_HYSTERESIS_V = 0.1
_CLOCK_BACK_S = 60.0
_STREAM_NAMES = {0: "events", 1: "telemetry", 2: "diagnostics"}


class Signals:
    """Raises and closes alerts from new records. Remembers one time per (device, boot, stream)."""

    def __init__(self, alerts: AlertBook):
        self._alerts = alerts
        self._last: dict[StreamKey, tuple[int, float]] = {}

    def forget(self) -> None:
        """A transaction was rolled back: what was seen in it will be seen again."""
        self._last.clear()

    def look(self, key: StreamKey, new: list[Stored], info: dict, now_s: float) -> None:
        """Look through records that were just stored; info: the node's info map."""
        for record in new:
            self._clock(key, record, now_s)
            for entry in record.entries or ():
                self._entry(key.device, entry, record.entries or [], info, now_s)

    def _entry(
        self, device: str, entry: Entry, pack: list[Entry], info: dict, now_s: float
    ) -> None:
        if entry.value is None:
            return
        if entry.name.startswith("health."):
            self._health(device, entry, pack, now_s)
        elif entry.unit == "V" and entry.name.removesuffix(".mean") == "battery.voltage":
            self._battery(device, entry.value, info, now_s)

    def _health(self, device: str, entry: Entry, pack: list[Entry], now_s: float) -> None:
        sensor = entry.name.removeprefix("health.")
        alert = AlertKey(device, "sensor", sensor)
        if entry.value:
            self._alerts.close(alert, now_s)
            return
        reason = next((e.text for e in pack if e.text), None)
        text = f"sensor {sensor} failed" + (f": {reason}" if reason else "")
        self._alerts.raise_(alert, text, now_s)

    def _battery(self, device: str, volts: float, info: dict, now_s: float) -> None:
        low = info.get("battery_low_v", BATTERY_LOW_V)
        low_v = float(low) if isinstance(low, int | float) else BATTERY_LOW_V
        alert = AlertKey(device, "battery")
        if volts < low_v:
            text = f"battery {volts:.2f} V, below {low_v:.2f} V"
            self._alerts.raise_(alert, text, now_s)
        elif volts >= low_v + _BATTERY_HYSTERESIS_V:
            self._alerts.close(alert, now_s)

    def _clock(self, key: StreamKey, record: Stored, now_s: float) -> None:
        time_s = record.device_time_s
        if time_s is None or time_s < CLOCK_SET_S:
            return
        last_seq, last_s = self._last.get(key, (0, time_s))
        if record.seq == last_seq + 1 and time_s < last_s - _CLOCK_BACK_S:
            text = f"clock of the node went back by {last_s - time_s:.0f} s"
            self._alerts.raise_(AlertKey(key.device, "clock"), text, now_s)
        self._last[key] = (record.seq, time_s)


def dropped_text(key: StreamKey, holes: list[range]) -> str:
    """Text of a "dropped" alert."""
    count = sum(len(hole) for hole in holes)
    name = _STREAM_NAMES.get(key.stream, f"stream {key.stream}")
    where = f"(boot {key.boot}, from {holes[0].start})"
    return f"{count} records of {name} {where} never came, and the node no longer holds them"
