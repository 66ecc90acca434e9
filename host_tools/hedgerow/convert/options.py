"""Options of TFLite ops by name: which table of the schema, and which of its fields we use.

Adding an op's options is a row of TABLES. Schema: tensorflow/lite/schema/schema.fbs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import tflite

from hedgerow.errors import ModelError

ACTIVATIONS = {
    tflite.ActivationFunctionType.NONE: "none",
    tflite.ActivationFunctionType.RELU: "relu",
    tflite.ActivationFunctionType.RELU6: "relu6",
    tflite.ActivationFunctionType.RELU_N1_TO_1: "relu_n1_to_1",
    tflite.ActivationFunctionType.TANH: "tanh",
}
PADDINGS = {tflite.Padding.SAME: "same", tflite.Padding.VALID: "valid"}
_WINDOW = {"stride_h": "StrideH", "stride_w": "StrideW", "padding": "Padding"}
_DILATION = {"dilation_h": "DilationHFactor", "dilation_w": "DilationWFactor"}
_FUSED = {"activation": "FusedActivationFunction"}
_POOL = {**_WINDOW, "filter_h": "FilterHeight", "filter_w": "FilterWidth", **_FUSED}

# kind -> (options table of the schema, our name -> its accessor); train.graph_writer writes by it
TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "ADD": ("AddOptions", _FUSED),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "CONCATENATION": ("ConcatenationOptions", {"axis": "Axis", **_FUSED}),
    "CONV_2D": ("Conv2DOptions", {**_WINDOW, **_DILATION, **_FUSED}),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        {**_WINDOW, **_DILATION, "depth_multiplier": "DepthMultiplier", **_FUSED},
    ),
    "FULLY_CONNECTED": ("FullyConnectedOptions", {**_FUSED, "weights_format": "WeightsFormat"}),
    "LEAKY_RELU": ("LeakyReluOptions", {"alpha": "Alpha"}),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "MEAN": ("ReducerOptions", {"keep_dims": "KeepDims"}),
    "MUL": ("MulOptions", _FUSED),
    "SOFTMAX": ("SoftmaxOptions", {"beta": "Beta"}),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        {
            "begin_mask": "BeginMask",
            "end_mask": "EndMask",
            "shrink_mask": "ShrinkAxisMask",
            "ellipsis_mask": "EllipsisMask",
            "new_axis_mask": "NewAxisMask",
        },
    ),
    "SUB": ("SubOptions", _FUSED),
    "SVDF": ("SVDFOptions", {"rank": "Rank", **_FUSED}),
    "TRANSPOSE_CONV": ("TransposeConvOptions", _WINDOW),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        "UnidirectionalSequenceLSTMOptions",
        {"cell_clip": "CellClip", "proj_clip": "ProjClip", "time_major": "TimeMajor", **_FUSED},
    ),
}
# Where a writer leaves the table out.
_DEFAULTS = {"activation": "none", "keep_dims": False, "weights_format": 0}
_MEANINGS: Mapping[str, Callable[[Any], Any]] = {
    "activation": lambda code: ACTIVATIONS.get(code, f"activation {code}"),
    "padding": lambda code: PADDINGS.get(code, f"padding {code}"),
}


def read_options(kind: str, raw: Any) -> Mapping[str, Any]:
    """Options of a raw `tflite` operator by our names; empty for kinds without a row.

    Raises ModelError if the op carries another op's options or lacks what it needs.
    """
    if kind not in TABLES:
        return MappingProxyType({})
    name, fields = TABLES[kind]
    table = raw.BuiltinOptions()
    if table is None or raw.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, name):
        if not set(fields) <= set(_DEFAULTS):
            raise ModelError(f"{kind} without its {name}")
        return MappingProxyType({key: _DEFAULTS[key] for key in fields})
    options = getattr(tflite, name)()
    options.Init(table.Bytes, table.Pos)
    values = {key: getattr(options, accessor)() for key, accessor in fields.items()}
    same = lambda value: value  # noqa: E731
    return MappingProxyType({k: _MEANINGS.get(k, same)(v) for k, v in values.items()})
