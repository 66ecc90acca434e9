"""What a gateway holds of one device: straight from its database, or over its HTTP API."""

import json
import sqlite3
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from hedgerow.errors import GatewayError
from hedgerow.sim.audit import Key

_TIMEOUT_S = 10


def stored_in_db(db: Path, device: str) -> dict[Key, bytes]:
    """Read-only; sees what is committed."""
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT boot, stream, seq, payload FROM record WHERE device = ?", (device,)
        )
        return {(boot, stream, seq): payload for boot, stream, seq, payload in rows}
    finally:
        connection.close()


def stored_over_http(url: str, device: str) -> dict[Key, bytes]:
    """Page through GET /api/devices/{id}/records. Raises GatewayError."""
    stored: dict[Key, bytes] = {}
    for row in get_json(f"{url}/api/devices/{device}/sequences", missing={"sequences": []})[
        "sequences"
    ]:
        boot, stream, after = row["boot"], row["stream"], 0
        while True:
            query = f"boot={boot}&stream={stream}&after={after}"
            page = get_json(f"{url}/api/devices/{device}/records?{query}")["records"]
            stored.update({(boot, stream, seq): bytes.fromhex(data) for seq, data in page})
            if not page:
                break
            after = page[-1][0]
    return stored


def get_json(url: str, missing: Any = None) -> Any:
    """One GET; `missing` instead of an error where the answer is 404. Raises GatewayError."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404 and missing is not None:
            return missing
        raise GatewayError(f"{url}: {error}") from error
    except (OSError, ValueError) as error:
        raise GatewayError(f"{url}: {error}; is `hedgerow gateway` running there?") from error


def gateway_answers(url: str) -> bool:
    """True if a gateway's API answers at this address."""
    try:
        get_json(f"{url}/api/health")
    except GatewayError:
        return False
    return True
