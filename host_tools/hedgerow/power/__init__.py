"""What a node draws, phase by phase, and how long a battery lasts: from data alone."""

from hedgerow.power.predict import Prediction, Row, predict
from hedgerow.power.report import as_json, table

__all__ = ("Prediction", "Row", "as_json", "predict", "table")
