"""Model: reads a .hgm file (SPEC.md), checks all of it once, then runs it without allocating.

model = Model("soil_dry.hgm")
model.input[0] = 12  # int8, memoryview into the arena
model.invoke()
p = (model.output[0] - model.output_zero_point) * model.output_scale
"""

from ..core.errors import ModelError


class Model:
    """source: path, bytes or memoryview of a .hgm. arena: bytearray to share, or None.

    .input, .output: int8 memoryviews, valid for the life of the model; .output holds the last
    invoke's result. .input_scale, .input_zero_point, .output_scale, .output_zero_point: real =
    (int8 - zero_point) * scale. Raises ModelError if the file is damaged, too new, or does not
    fit the arena.
    """

    def __init__(self, source, arena=None):
        raise ModelError("under construction")

    def invoke(self):
        """Compute .output from .input."""
