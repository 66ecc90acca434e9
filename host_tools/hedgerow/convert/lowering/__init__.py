"""TFLite ops to device ops: zero points folded into biases, multipliers and clamps final.

graph = lower_ops(imported)

One function per kind, one row in LOWERINGS; it adds device ops (and tensors between them) to the
Builder. RESHAPE stays for a pass to drop.
"""

from collections.abc import Callable, Mapping

from hedgerow.convert.graph import Graph, naming
from hedgerow.convert.lowering import elementwise, image, move, recurrent
from hedgerow.convert.lowering.build import Builder
from hedgerow.convert.ops import unary


def _reshape(build: Builder) -> None:
    build.ops.append(build.at)


LOWERINGS: Mapping[str, Callable[[Builder], None]] = {
    "ADD": elementwise.add,
    "AVERAGE_POOL_2D": image.pool,
    "CONCATENATION": move.concatenation,
    "CONV_2D": image.conv_2d,
    "DEPTHWISE_CONV_2D": image.depthwise_conv_2d,
    "FULLY_CONNECTED": image.fully_connected,
    "MAX_POOL_2D": image.pool,
    "MEAN": elementwise.mean,
    "MUL": elementwise.mul,
    "PAD": move.pad,
    "PADV2": move.pad,
    "RESHAPE": _reshape,
    "SOFTMAX": elementwise.softmax,
    "STRIDED_SLICE": move.strided_slice,
    "SUB": elementwise.add,
    "SVDF": recurrent.svdf,
    "TRANSPOSE_CONV": image.transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm,
    **dict.fromkeys(unary.TABLES, elementwise.table),
    "QUANTIZE": elementwise.quantize,
}


def lower_ops(graph: Graph) -> Graph:
    """Every op but RESHAPE becomes device ops, which carry the shapes they need."""
    if not graph.ops:
        return graph
    build = Builder(graph)
    for op in graph.ops:
        build.at = op
        with naming(graph, op):
            LOWERINGS[op.kind](build)
    return build.finish()
