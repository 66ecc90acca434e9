"""Kernel, stride and padding of ONNX, as TFLite's SAME or VALID with a PAD before it if needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hedgerow.errors import ModelError
from hedgerow.train.graph_builder import GraphBuilder


@dataclass(frozen=True)
class Sides:
    """(rows, columns) each; pads: (before, after) of rows and of columns; auto: ONNX auto_pad."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: tuple[tuple[int, int], tuple[int, int]]
    auto: str

    def steps(self) -> dict[str, int]:
        return {
            "stride_h": self.stride[0],
            "stride_w": self.stride[1],
            "dilation_h": self.dilation[0],
            "dilation_w": self.dilation[1],
        }

    def reach(self, axis: int) -> int:
        return (self.kernel[axis] - 1) * self.dilation[axis] + 1

    def divides(self, image: Sequence[int]) -> bool:
        """Whether the last window ends where the padded image does, so rounding up adds none."""
        return all(
            (image[a] + sum(self.pads[a]) - self.reach(a)) % self.stride[a] == 0 for a in range(2)
        )

    def same(self, side: int, axis: int) -> tuple[int, int]:
        """What TFLite's SAME puts before and after."""
        out = -(-side // self.stride[axis])
        total = max(0, (out - 1) * self.stride[axis] + self.reach(axis) - side)
        return total // 2, total - total // 2


def side_pairs(attributes: Mapping[str, Any], axes: int, kernel: Sequence[int]) -> Sides:
    """Attributes of a node over 1 or 2 spatial axes; a missing row axis has size 1."""

    def pair(name: str) -> tuple[int, int]:
        values = [int(v) for v in attributes.get(name, [1] * axes)]
        full = [1] * (2 - axes) + values
        if len(full) != 2 or min(full) < 1:
            raise ModelError(f"{name} {values} do not fit {axes} axes")
        return full[0], full[1]

    flat = [int(v) for v in attributes.get("pads", [0] * 2 * axes)]
    if axes not in (1, 2) or len(kernel) != 2 or len(flat) != 2 * axes or min(flat) < 0:
        raise ModelError(f"kernel {tuple(kernel)} and pads {flat}; only over 1 or 2 axes")
    pads = [(0, 0)] * (2 - axes) + [(flat[i], flat[i + axes]) for i in range(axes)]
    auto = str(attributes.get("auto_pad", "NOTSET"))
    if auto not in ("NOTSET", "VALID", "SAME_UPPER"):
        raise ModelError(f"auto_pad {auto} is not supported: give pads")
    sizes = (int(kernel[0]), int(kernel[1]))
    return Sides(sizes, pair("strides"), pair("dilations"), (pads[0], pads[1]), auto)


def transposed_spans(
    attributes: Mapping[str, Any], sides: Sides, image: Sequence[int]
) -> list[tuple[int, int]]:
    """(first, count) of ConvTranspose's rows and columns that are kept, by pads, output_shape or
    auto_pad. They may go on behind what the kernel reaches: bias alone (output_padding).

    Source: onnx.ai/onnx/operators/onnx__ConvTranspose.html, formulas of output_shape.
    """
    whole = [(n - 1) * s + k for n, s, k in zip(image, sides.stride, sides.kernel, strict=True)]
    extra = _trailing(attributes.get("output_padding", ()), 0)
    upper = sides.auto == "SAME_UPPER"
    given = [n * s for n, s in zip(image, sides.stride, strict=True)] if upper else [0, 0]
    given = _trailing(attributes.get("output_shape", given), 1)
    spans = []
    for w, e, out, pads in zip(whole, extra, given, sides.pads, strict=True):
        if out:
            cut = max(0, w + e - out)
            spans.append((cut // 2 if upper else cut - cut // 2, out))
        else:
            spans.append((pads[0], w + e - sum(pads)))
    if min(out for _, out in spans) < 1:
        raise ModelError(f"pads {sides.pads} leave nothing of {tuple(whole)}")
    return spans


def _trailing(values: Sequence[Any], missing: int) -> list[int]:
    """The last two of a list; a missing row axis is `missing`."""
    last = [int(v) for v in values][-2:]
    return [missing] * (2 - len(last)) + last


def padded(
    b: GraphBuilder, x: int, sides: Sides, fill: float, *, may_be_same: bool = True
) -> tuple[int, str, tuple[int, int]]:
    """(tensor, "same" or "valid", output sides): a PAD goes before where SAME is not meant."""
    image = b.tensors[x].shape[1:3]
    same = [sides.same(image[a], a) for a in range(2)]
    pads = same if sides.auto == "SAME_UPPER" else list(sides.pads)
    if pads == same and any(map(any, pads)) and may_be_same:
        out = [-(-image[a] // sides.stride[a]) for a in range(2)]
        return x, "same", (out[0], out[1])
    if any(map(any, pads)):
        x = _pad(b, x, pads, fill)
    whole = b.tensors[x].shape[1:3]
    out = [(whole[a] - sides.reach(a)) // sides.stride[a] + 1 for a in range(2)]
    if min(out) < 1:
        raise ModelError(f"a kernel of {sides.kernel} is larger than its image {image}")
    return x, "valid", (out[0], out[1])


def _pad(b: GraphBuilder, x: int, pads: Sequence[tuple[int, int]], fill: float) -> int:
    widths = [(0, 0), *pads, (0, 0)]
    shape = [n + a + c for n, (a, c) in zip(b.tensors[x].shape, widths, strict=True)]
    inputs = [x, b.constant("pads", widths)]
    if not fill:
        return b.op("PAD", inputs, shape)
    return b.op("PADV2", [*inputs, b.constant("fill", np.array([fill], dtype=np.float32))], shape)
