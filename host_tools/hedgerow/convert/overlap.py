"""How far a layer may write over its own input: row-ring execution without a ring.

CONV and DEPTHWISE make output pixels in ascending order and read all that a pixel needs before
they write it (SPEC.md, "Overlap"). So the output may start `lag` bytes below the input, and lie
over it: a 3x3 layer of 5 columns, 64 channels needs 384 bytes beside its input, not 8,000.
"""

import numpy as np

from hedgerow.convert.graph import Op
from hedgerow.convert.ops.conv import Window


def lag_bytes(op: Op) -> int | None:
    """The least input offset minus output offset at which they may overlap, >= 0, a multiple of 4.

    None: they must lie apart. For batches too: each row of a batch is a record of its own.
    """
    if op.kind not in ("conv", "depthwise") or op.options["in_shape"][0] != 1:
        return None
    if op.kind == "conv" and is_direct(op) and int(np.prod(op.options["window"].out)) == 1:
        return None  # its channels are written one block after the other while the input is read
    written, read = _written_ends(op), _first_reads(op)
    if len(read) == 1:
        return 0
    later = np.minimum.accumulate(read[::-1])[::-1]  # the first byte of this pixel or any later
    lag = int((written[:-1] - later[1:]).max())
    return -(-max(lag, 0) // 4) * 4


def is_direct(op: Op) -> bool:
    """Whether a conv's input pixels lie as its outputs need them: 1x1, no steps, no padding."""
    area: Window = op.options["window"]
    ones = area.kernel == area.stride == area.dilation == (1, 1)
    return ones and area.pad == (0, 0) and area.out == tuple(op.options["in_shape"][1:3])


def sees_border(op: Op) -> bool:
    """Whether some output pixel of a windowed op reaches outside the input."""
    area: Window = op.options["window"]
    sides = op.options["in_shape"][1:3]
    ends = [
        (area.out[a] - 1) * area.stride[a] + (area.kernel[a] - 1) * area.dilation[a] - area.pad[a]
        for a in range(2)
    ]
    return area.pad != (0, 0) or any(end >= side for end, side in zip(ends, sides, strict=True))


def _written_ends(op: Op) -> np.ndarray:
    """(pixels,) byte after each output pixel, from the start of the output."""
    area: Window = op.options["window"]
    return np.arange(1, area.out[0] * area.out[1] + 1) * _out_channels(op)


def _out_channels(op: Op) -> int:
    return len(op.options["bias"])


def _first_reads(op: Op) -> np.ndarray:
    """(pixels,) first byte that each output pixel may read, from the start of the input."""
    area: Window = op.options["window"]
    _, height, width, channels = op.options["in_shape"]
    rows = np.clip(np.arange(area.out[0]) * area.stride[0] - area.pad[0], 0, height)
    columns = np.clip(np.arange(area.out[1]) * area.stride[1] - area.pad[1], 0, width)
    return ((rows[:, None] * width + columns) * channels).reshape(-1)
