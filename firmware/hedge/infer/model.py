"""Model: reads a .hgm file (SPEC.md), checks all of it once, then runs it without allocating.

    model = Model("soil_dry.hgm")
    model.input[0] = 12  # int8, memoryview into the arena
    model.invoke()
    p = (model.output[0] - model.output_zero_point) * model.output_scale

From -> to (DESIGN.md): features -> model is an int8 vector, model -> rule are int8 scores.
"""

import array
import sys

from ..core.errors import ModelError
from ..core.once import forget


def _kernels():
    """(run, is_aligned, load): viper where the firmware can compile or load it; else plain Python,
    which needs neither of the others."""
    if sys.implementation.name == "micropython":
        try:
            from . import viper

            return viper.run, viper.is_aligned, viper.load
        except SyntaxError:  # "invalid micropython decorator": built without native emitter
            pass
    from . import portable

    return portable.run, None, None


def _read(source):
    """The file as bytes or memoryview; zero copy from a memory-mapped (ROMFS) file."""
    if not isinstance(source, str):
        return source
    with open(source, "rb") as file:
        try:
            return memoryview(file)
        except TypeError:  # a file that is not in memory
            return file.read()


class Model:
    """One network, ready to run.

    source: path, or bytes/memoryview of a .hgm that the model keeps. arena: array("b") of at least
    model.arena_bytes to share between models that run in turn, or None to own one.

    .input, .output: int8 memoryviews into the arena, valid for the life of the model; .output
    holds the last invoke's result until the arena is written again. .input_scale,
    .input_zero_point, .output_scale, .output_zero_point: real = (int8 - zero_point) * scale.
    Raises ModelError if the file is damaged, hostile, too new, or the arena too small; OSError if
    the file cannot be read.
    """

    def __init__(self, source, arena=None):
        from . import plan

        self._run, is_aligned, load = _kernels()
        data = _read(source)
        if is_aligned is not None and not is_aligned(data):
            data = bytes(data)
        header = plan.check(data)
        self._data = data
        self.arena_bytes = header[plan.ARENA_BYTES]
        self._op_count = header[plan.OP_COUNT]
        if load is not None:
            load(plan.numbers(data, self._op_count))
        if arena is None:
            arena = array.array("b", bytes(self.arena_bytes))
        if len(arena) < self.arena_bytes:
            raise ModelError("arena of %d bytes, needs %d" % (len(arena), self.arena_bytes))
        self._arena = arena
        view = memoryview(arena)
        at, size, self.input_scale, self.input_zero_point = header[plan.INPUT : plan.INPUT + 4]
        self.input = view[at : at + size]
        at, size, self.output_scale, self.output_zero_point = header[plan.OUTPUT : plan.OUTPUT + 4]
        self.output = view[at : at + size]
        forget("hedge.infer.plan")
        forget("hedge.infer.ops")

    def invoke(self):
        """Compute .output from .input, which it may overwrite. Blocks; viper allocates nothing."""
        self._run(self._data, self._arena, self._op_count)
