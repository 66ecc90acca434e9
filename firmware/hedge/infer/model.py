"""Model: reads a .hgm file (SPEC.md), checks all of it once, then runs it without allocating.

    model = Model("soil_dry.hgm")
    model.input[0] = 12  # int8, memoryview into the arena
    model.invoke()
    p = model.dequantize(0)

From -> to (DESIGN.md): features -> model is an int8 vector, model -> rule are int8 scores.
"""

# What Model reads from the header of the file (SPEC.md): name, format, byte offset.
_HEADER = (
    ("arena_bytes", "<I", 16),
    ("input_scale", "<f", 32),
    ("output_scale", "<f", 44),
    ("input_zero_point", "<b", 48),
    ("output_zero_point", "<b", 49),
    ("input_type", "<B", 50),
    ("output_type", "<B", 51),
)
# By cursor[4]: -1 viper, -2 portable; else native, whose own it is.
_KERNELS = ("native", "portable", "viper")


class Model:
    """One network, ready to run.

    source: path, or bytes/memoryview/bytearray of a .hgm that the model keeps and reads in place.
    arena: array("b") of at least model.arena_bytes to share between models that run in turn, or
    None to own one. profile: count the microseconds of every layer, see layers().
    kernels: "native", "viper", "portable", or None for the best that is there.

    .input, .output: int8 memoryviews into .arena, valid for the life of the model; .output
    holds the last invoke's result until the arena is written again. Of a model with wider types
    (input_type, output_type: bytes of an element) they hold its bytes, little-endian.
    .kernels: what runs. .input_scale, .input_zero_point, .output_scale, .output_zero_point:
    real = (element - zero_point) * scale. .arena_bytes: of the arena that the model needs.
    Raises ModelError if the file is damaged, hostile, too new, the arena too small, too large for
    the heap, or shared by a model with state; OSError if the file cannot be read.
    """

    _us = None  # microseconds of every layer, with profile=True

    def __init__(self, source, arena=None, profile=False, kernels=None):
        from .load import fill

        fill(self, source, arena, profile, kernels)
        self.reset()

    def invoke(self):
        """Compute .output from .input, which it may overwrite. Blocks; allocates nothing."""
        self._start(False)
        if self._us is None:
            self._advance()
        else:
            self._timed(self)

    def invoke_step(self, rows=8):
        """A slice of invoke(): True while more is to do, so that others can run in between.

        Does at most `rows` output rows of convolutions and pools, any other op as one row; all of
        them if rows is 0 or less. After False .output is complete, and the next call begins anew.
        A call of invoke() or reset() in between gives up what was begun.
        """
        cursor = self._cursor
        if cursor[2] == 0:
            self._start(False)
        cursor[3] = rows
        self._advance()
        return cursor[2] > 0

    def reset(self):
        """Bring the state of SVDF and LSTM to its start. A model without state keeps nothing."""
        self._start(True)
        self._advance()

    def _start(self, is_reset):
        """Set the cursor to the first record of a reset, or of an invoke."""
        data, cursor = self._data, self._cursor
        at, count = 60, data[22]  # SPEC.md: header_bytes, reset_count (at most 64)
        if not is_reset:
            for _ in range(count):
                at += 4 * data[at + 1]
            count = data[20] | data[21] << 8
        cursor[0] = at
        cursor[1] = 0
        cursor[2] = count
        cursor[3] = 0

    def _advance(self):
        try:
            self._run(self._data, self.arena, self._cursor)
        except ValueError:
            from .kernels import fall_back

            fall_back(self)
            self._run(self._data, self.arena, self._cursor)

    def layers(self):
        """[(name of the op, microseconds in the last invoke)]; with profile=True."""
        from .profile import named

        return named(self._data, self._us)

    def quantize_into(self, values):
        """Write real numbers into .input, rounded and saturated as TFLM's QUANTIZE does.

        values: as many as the input has elements. Allocates floats. Raises ModelError if there
        are more or fewer, or one is not a number; .input may then be written in part.
        """
        from .quantize import quantize_into

        quantize_into(self, values)

    def dequantize(self, i):
        """Real number of output element i, float32 as TFLM's DEQUANTIZE. Allocates a float."""
        from .quantize import dequantize

        return dequantize(self, i)

    def __getattr__(self, name):
        """.kernels from the cursor; .arena_bytes, .input_scale and the like from the header: as
        attributes or properties they would take RAM (500 bytes on the 64-bit Unix port)."""
        if name == "kernels":
            return _KERNELS[min(0, self._cursor[4])]
        for field, form, at in _HEADER:
            if field == name:
                from struct import unpack_from

                return unpack_from(form, self._data, at)[0]
        raise AttributeError(name)
