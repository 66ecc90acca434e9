"""Bytes sensed against bytes sent: the soil template for three weeks of a dry spring."""

import asyncio
import tempfile
from pathlib import Path

from sim_runs import new_project

from hedgerow.sim.run import SimOptions, simulate

_DAYS = 21


def measure() -> list[dict]:
    """One row; its peer is each reading as the chip gives it, without time, name or protocol."""
    with tempfile.TemporaryDirectory() as name:
        node_file = new_project(Path(name), "bench", 900)
        options = SimOptions(node_file, days=_DAYS, gateway="private")
        result = asyncio.run(simulate(options, say=lambda text: None))
    assert not result["lost"] and not result["duplicates"]
    raw, sent = result["raw_bytes"], result["sent_bytes"]
    return [
        {
            "name": "bytes_sent_per_day",
            "value": round(sent / _DAYS),
            "unit": "bytes",
            "peer": "bare sensor bytes",
            "peer_value": round(raw / _DAYS),
            "ratio": round(raw / sent, 2),
            "how": f"soil template, 15 min samples, {_DAYS} days in the simulated field; sent: "
            "all MQTT bytes to the socket, with acknowledged telemetry, events and keepalive",
        }
    ]
