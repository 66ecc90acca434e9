"""[uplink] kind = "cellular": the modem's pins and PIN, and what needs PPP -> plan."""

from typing import Any

from hedgerow.config.draft import Draft
from hedgerow.config.fault import Path
from hedgerow.config.schema import is_known


def cellular_part(draft: Draft, path: Path, table: dict[str, Any]) -> None:
    """Check what belongs together; replace the label of power_key by the number of its pin."""
    if table["kind"] != "cellular":
        return
    port = draft.board.port if draft.board else None
    if table.get("ppp") is True and port is not None and port != "esp32":
        message = f"ppp on {port}: its MicroPython has no network.PPP"
        draft.fault((*path, "ppp"), message, "false, or a board with an ESP32")
    if table.get("tls") is True and table.get("ppp") is False:
        draft.fault((*path, "tls"), "tls over the modem's own TCP", "ppp = true")
    pin = table.get("sim_pin")
    if is_known(pin) and not (pin.isdigit() and 4 <= len(pin) <= 8):
        draft.fault((*path, "sim_pin"), "sim_pin is no PIN", "4 to 8 digits in quotes")
    for key in ("apn", "apn_user", "apn_password"):
        if is_known(table.get(key)) and not _goes_into_a_command(table[key]):
            draft.fault((*path, key), f"a quote or control character in {key}", "plain text")
    if table.get("power_key") is not None:
        row = {"name": "the modem's power key"}
        where = (*path, "power_key")
        table["power_key"] = draft.tables["claims"].take(
            where, table["power_key"], row, "output_pin"
        )


def _goes_into_a_command(text: str) -> bool:
    """AT commands have their texts in quotes and know no escape (V.250 section 5.4.2.2)."""
    return text.isascii() and text.isprintable() and '"' not in text
