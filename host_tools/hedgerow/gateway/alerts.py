"""Alerts with a beginning and an end, kept in the table `alert`.

A condition that lasts (battery low, node silent, sensor failed) is opened and closed by what
the nodes say. A fact that has no end (records dropped, conflict, malformed frames) closes by
itself once it has not happened again for a day; the row stays.
"""

import sqlite3
from typing import NamedTuple


class AlertKey(NamedTuple):
    """What the alert is about. device "" is the gateway itself; key: sensor, stream or reason."""

    device: str
    kind: str
    key: str = ""


SEVERITY = {
    "battery": "warning",
    "silent": "critical",
    "sensor": "warning",
    "clock": "warning",
    "series": "warning",
    "dropped": "warning",
    "conflict": "critical",
    "malformed": "warning",
    "broker": "critical",
    "restored": "warning",
}
# Facts, not conditions: nothing will ever say that they are over.
_FACTS = ("dropped", "conflict", "malformed", "clock", "series", "restored")
_QUIET_S = 86400.0


class AlertBook:
    """Opens and closes alerts through the writing connection, inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection
        self._open: set[AlertKey] = set()
        self.reload()

    def reload(self) -> None:
        """Forget what a rolled-back transaction may have changed."""
        sql = "SELECT device, kind, key FROM alert WHERE closed_s IS NULL"
        self._open = {AlertKey(*row) for row in self._connection.execute(sql)}

    def is_open(self, alert: AlertKey) -> bool:
        return alert in self._open

    def was_raised(self, alert: AlertKey, since_s: float) -> bool:
        """True if it was opened or renewed since then."""
        sql = "SELECT 1 FROM alert WHERE device = ? AND kind = ? AND key = ? AND last_s >= ?"
        return self._connection.execute(sql, (*alert, since_s)).fetchone() is not None

    def raise_(self, alert: AlertKey, text: str, now_s: float, count: int = 1) -> None:
        """Open an alert, or count one more occurrence of an open one and renew its text."""
        if alert in self._open:
            self._connection.execute(
                "UPDATE alert SET text = ?, count = count + ?, last_s = ? "
                "WHERE device = ? AND kind = ? AND key = ? AND closed_s IS NULL",
                (text, count, now_s, *alert),
            )
            return
        self._connection.execute(
            "INSERT INTO alert (device, kind, key, severity, text, count, opened_s, last_s) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*alert, SEVERITY[alert.kind], text, count, now_s, now_s),
        )
        self._open.add(alert)

    def close(self, alert: AlertKey, now_s: float) -> None:
        """Close it if it is open."""
        if alert not in self._open:
            return
        self._connection.execute(
            "UPDATE alert SET closed_s = ? "
            "WHERE device = ? AND kind = ? AND key = ? AND closed_s IS NULL",
            (now_s, *alert),
        )
        self._open.discard(alert)

    def close_quiet(self, now_s: float) -> None:
        """Close facts that have not been renewed for a day."""
        sql = "SELECT device, kind, key FROM alert WHERE closed_s IS NULL AND last_s < ?"
        for row in self._connection.execute(sql, (now_s - _QUIET_S,)).fetchall():
            alert = AlertKey(*row)
            if alert.kind in _FACTS:
                self.close(alert, now_s)
