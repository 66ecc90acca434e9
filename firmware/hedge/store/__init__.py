"""Power-loss-safe record log and a small key-value file. Bytes in SPEC.md.

store = Store("/log")
store.open()
seq = store.append(TELEMETRY, payload)
"""

from .kv import KV
from .log import DIAG, EVENTS, TELEMETRY, Batch, Store


def audit(path):
    """Everything the log in `path` still knows; see hedge.store.audit_log.Audit."""
    from .audit_log import Audit

    return Audit(path)


__all__ = ("DIAG", "EVENTS", "KV", "TELEMETRY", "Batch", "Store", "audit")
