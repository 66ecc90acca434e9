"""A .hgm file as the host sees it: checked by the board's own reader, its header by name."""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from hedge.core.errors import ModelError as DeviceModelError
from hedge.infer import plan
from hedgerow.errors import ModelError, UsageError
from hedgerow.files import read_npy

_HEADER = struct.Struct("<4sHHIIIHHIIfIIfbbBBII")  # SPEC.md
_MAX_INPUTS_BYTES = 1 << 28


@dataclass(frozen=True)
class ModelFile:
    """data: the whole file; sizes in elements of the given NumPy types."""

    data: bytes
    arena_bytes: int
    input_offset: int
    input_size: int
    input_dtype: np.dtype
    output_offset: int
    output_size: int
    output_dtype: np.dtype


def read_model(path: Path) -> ModelFile:
    """Raises ModelError naming the file and its first fault."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    try:
        return parse_model(data)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def parse_model(data: bytes) -> ModelFile:
    """Raises ModelError for what the board would refuse."""
    try:
        plan.check(data)
    except DeviceModelError as error:
        hint = "" if data[:4] == b"HGM2" else ": make it with `hedgerow convert MODEL.tflite`"
        raise ModelError(f"{error}{hint}") from None
    h = _HEADER.unpack_from(data)
    input_dtype, output_dtype = (np.dtype("<i" + str(n)) for n in (h[16], h[17]))
    return ModelFile(
        data=data,
        arena_bytes=h[5],
        input_offset=h[8],
        input_size=h[9] // input_dtype.itemsize,
        input_dtype=input_dtype,
        output_offset=h[11],
        output_size=h[12] // output_dtype.itemsize,
        output_dtype=output_dtype,
    )


def read_inputs(path: Path, model: ModelFile) -> np.ndarray:
    """(n, input_size) of a .npy file whose first axis is the batch.

    Raises UsageError saying what the file holds and what the model takes.
    """
    return check_inputs(read_npy(path), model, str(path))


def check_inputs(inputs: np.ndarray, model: ModelFile, name: str) -> np.ndarray:
    """As read_inputs(), of an array."""
    wanted = f"(n, {model.input_size}) {model.input_dtype.name}, any shape behind n"
    found = f"{name}: holds {inputs.shape} {inputs.dtype.name}, the model takes {wanted}"
    if inputs.dtype.newbyteorder("<") != model.input_dtype:
        raise UsageError(f"{found}: quantise it with the model's scale and zero point")
    if inputs.ndim < 2 or prod(inputs.shape[1:]) != model.input_size:
        raise UsageError(f"{found}: the first axis is the batch")
    if not len(inputs) or inputs.nbytes > _MAX_INPUTS_BYTES:
        raise UsageError(f"{found}: 1 input to {_MAX_INPUTS_BYTES >> 20} MB of them")
    return np.array(inputs, model.input_dtype).reshape(len(inputs), -1)
