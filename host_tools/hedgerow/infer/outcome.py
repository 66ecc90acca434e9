"""What running a batch on a target gives: outputs and figures."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Outcome:
    """outputs: (n, m) in the model's output type. What a target cannot tell is None.

    cycles_unit: what cycles_per_inference counts: "cycle" or "instruction". kernels: which code
    ran: "native", "viper", "portable" or "numpy".
    """

    outputs: np.ndarray
    kernels: str
    us_per_inference: float | None
    cycles_per_inference: int | None
    cycles_unit: str | None
    arena_bytes: int
    persistent_bytes: int | None
    heap_bytes_per_invoke: int | None

    def figures(self) -> dict:
        """For --json: all but the outputs."""
        return {
            "n": len(self.outputs),
            "us_per_inference": self.us_per_inference,
            "cycles_per_inference": self.cycles_per_inference,
            "cycles_unit": self.cycles_unit,
            "arena_bytes": self.arena_bytes,
            "persistent_bytes": self.persistent_bytes,
            "heap_bytes_per_invoke": self.heap_bytes_per_invoke,
            "kernels": self.kernels,
        }
