"""Adaptive data rate, the network's half: from the SNR of many uplinks to rate and power.

Source: the algorithm that Semtech published for simple networks and The Things Network documents:
margin = best SNR of the last uplinks - SNR that the spreading factor needs - a safety margin;
each 3 dB of it is a step: first faster, then quieter.
"""

from hedge.net.lorawan.region import Region
from hedgerow.lns.database import Session

HISTORY = 20  # uplinks
SAFETY_DB = 10.0
_STEP_DB = 3.0
NEEDED_SNR_DB = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}


def note(session: Session, snr_db: float) -> None:
    """An uplink arrived; several gateways: the best of them."""
    session.snrs = [*session.snrs[-HISTORY + 1 :], snr_db]


def target(session: Session, region: Region, needed: int = HISTORY) -> tuple[int, int] | None:
    """(data rate, power index) that the device should use; None if it is well or unknown."""
    lora = region.lora(session.rate)
    if len(session.snrs) < needed or lora is None:
        return None
    margin_db = max(session.snrs) - NEEDED_SNR_DB[lora[0]] - SAFETY_DB
    found = _stepped(region, session.rate, session.power, int(margin_db / _STEP_DB))
    if found == (session.rate, session.power) or list(found) == session.refused:
        return None
    return found


def _stepped(region: Region, rate: int, power: int, steps: int) -> tuple[int, int]:
    highest = region.plan["default_rate_max"]
    while steps > 0 and rate < highest:
        rate, steps = rate + 1, steps - 1
    while steps > 0 and power + 1 < region.plan["power_steps"]:
        power, steps = power + 1, steps - 1
    while steps < 0 < power:  # a lower rate is the device's own decision, by ADRACKReq
        power, steps = power - 1, steps + 1
    return rate, power
