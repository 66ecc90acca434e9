"""A prediction for people and for programs."""

from typing import Any

from hedgerow.power.predict import Prediction, Row


def table(prediction: Prediction) -> str:
    """mAh a day by phase, what is unknown, the largest, how long the battery lasts."""
    of = "" if prediction.of == "board" else f"; of the board only its {prediction.of} is counted"
    lines = [f"power a day, sleep = {prediction.sleep!r} on {prediction.board}{of}:"]
    lines += [_row(row) for row in prediction.rows if row.seconds != 0.0]
    least = "at least " if prediction.unknown else ""
    lines.append(f"  {'total':10} {least}{_mah(prediction.total_mah)}")
    lines += [f"  unknown: {text}" for text in prediction.unknown]
    if prediction.largest is not None and prediction.total_mah:
        share = (prediction.largest.mah or 0.0) / prediction.total_mah
        of = f", most of it {prediction.largest.of}" if prediction.largest.of else ""
        lines.append(f"  largest of what is known: {prediction.largest.phase}, {share:.0%}{of}")
    lines.append(f"  {_battery(prediction)}")
    return "\n".join(lines)


def _row(row: Row) -> str:
    time = "?" if row.seconds is None else f"{row.seconds:.0f} s"
    most = "at most " if row.most else ""
    current = "?" if row.ua is None else f"{row.ua / 1000:.3g} mA"
    charge = "?" if row.mah is None else _mah(row.mah)
    return f"  {row.phase:10} {charge:>12}   {most}{time} at {current}"


def _mah(value: float) -> str:
    return f"{value:.3g} mAh" if value < 100 else f"{value:.0f} mAh"


def _battery(prediction: Prediction) -> str:
    if not prediction.battery_mah:
        return "battery: no battery_mah in [power]"
    loss = prediction.self_discharge_mah
    said = f"{_mah(loss)} a day by itself" if loss is not None else "its self-discharge unknown"
    size = f"battery of {prediction.battery_mah:g} mAh ({said})"
    if prediction.days is None:
        return f"{size}: nothing is known to draw from it"
    least = "at most " if prediction.unknown else "about "
    return f"{size}: {least}{prediction.days:.0f} days"


def as_json(prediction: Prediction) -> dict[str, Any]:
    """For `hedgerow check --json`."""
    return {
        "sleep": prediction.sleep,
        "board": prediction.board,
        "counts": prediction.of,
        "phases": [
            {
                "phase": r.phase,
                "s": r.seconds,
                "ua": r.ua,
                "mah": r.mah,
                "at_most": r.most,
                "of": r.of,
            }
            for r in prediction.rows
        ],
        "total_mah": prediction.total_mah,
        "unknown": list(prediction.unknown),
        "largest": prediction.largest.phase if prediction.largest else None,
        "battery_mah": prediction.battery_mah,
        "self_discharge_mah": prediction.self_discharge_mah,
        "days": prediction.days,
    }
