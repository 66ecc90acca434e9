"""Node files: check them, compile them to the plan that a board loads (PLAN.md)."""

from typing import Any


def __getattr__(name: str) -> Any:
    """examine, check_file, compile_file, Report and Fault, imported when asked for."""
    if name in ("examine", "check_file", "compile_file", "Report"):
        import importlib

        return getattr(importlib.import_module("hedgerow.config.check"), name)
    if name == "Fault":
        from hedgerow.config.fault import Fault

        return Fault
    raise AttributeError(name)
