"""The complete soil node, frozen into the firmware, lives in as many words as a 64 KB board has.

Sensors, model, rules, store and uplink together; a real mosquitto. See tests/bench/heap.py.
"""

import sys
from pathlib import Path

import pytest

from hedgerow.errors import ToolchainError

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

import heap

pytestmark = pytest.mark.interop

_LIMIT_S = 120.0  # a run takes a few seconds; a loaded machine stands still for some


@pytest.fixture(scope="module")
def field():
    """Builds the firmware if need be: 40 s once, 3 s after a change of the sources."""
    try:
        with heap.field() as here:
            yield here
    except (ToolchainError, FileNotFoundError) as missing:
        pytest.skip(f"no firmware to measure: {missing}")


def test_it_boots_publishes_and_decides_without_losing_anything(field):
    told = field.run("64wk", limit_s=_LIMIT_S)
    assert told, "it died"
    assert (told["outages"], told["warnings"], told["pending"]) == (0, 0, 0)
    assert told["stored"] == told["records"] > 50
    assert told["inferences"] > 0
    assert told["actuations"] > 0
    print(f"bytes in use at work: {told['connected']}, of these not on a board: {told['bench']}")


def test_what_it_holds_does_not_grow(field):
    ten = field.run("256k", days=10, limit_s=_LIMIT_S)
    thirty = field.run("256k", days=30, limit_s=_LIMIT_S)
    assert ten, "it died"
    assert thirty, "it died"
    assert thirty["held"] < ten["held"] + 2000
