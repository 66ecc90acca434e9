"""The definition of every op: one row per kind, one file per family.

A definition takes (graph, op, values by tensor index) and returns the value of the op's first
output. Adding an op is a row here, its options in options.py, and a function in a family's file.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hedgerow.convert.graph import Graph, Op
from hedgerow.convert.ops import conv, device, elementwise, pool, recurrent, shape, softmax, unary
from hedgerow.convert.ops.quant import Values

Definition = Callable[[Graph, Op, Values], np.ndarray]

OPS: Mapping[str, Definition] = {
    "ADD": elementwise.add,
    "AVERAGE_POOL_2D": pool.average_pool_2d,
    "CONCATENATION": shape.concatenation,
    "CONV_2D": conv.conv_2d,
    "DEPTHWISE_CONV_2D": conv.depthwise_conv_2d,
    "FULLY_CONNECTED": conv.fully_connected,
    "MAX_POOL_2D": pool.max_pool_2d,
    "MEAN": pool.mean,
    "MUL": elementwise.mul,
    "PAD": shape.pad,
    "PADV2": shape.pad,
    "RESHAPE": shape.reshape,
    "SOFTMAX": softmax.softmax,
    "STRIDED_SLICE": shape.strided_slice,
    "SUB": elementwise.sub,
    "SVDF": recurrent.svdf,
    "TRANSPOSE_CONV": conv.transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm,
    **dict.fromkeys(unary.TABLES, unary.apply),
    "QUANTIZE": unary.quantize,  # of any integer type
    # device ops
    "add": device.add,
    "conv": device.conv,
    "depthwise": device.depthwise,
    "lstm": device.lstm,
    "mean": device.mean,
    "move": device.move,
    "mul": device.mul,
    "pool": device.pool,
    "requantize": device.requantize_type,
    "softmax": device.softmax,
    "svdf": device.svdf,
    "table": device.table,
}
