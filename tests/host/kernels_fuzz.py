"""Mutated .hgm files that the reader lets pass, on the kernels, under AddressSanitizer.

python kernels_fuzz.py LIBRARY SEED COUNT

Prints how many of COUNT mutations ran; the others the reader refused. Every buffer is as large as
the file says, so that a read or write past it ends the process.
"""

import binascii
import struct
import sys

import numpy as np
from kernel_library import SCALAR, Library
from random_ops import OPS

from hedge.core.errors import ModelError as Refused
from hedge.infer import plan
from hedgerow import paths
from hedgerow.convert import convert as api

_INPUT_BYTES = 9  # place in what plan.check gives
_MOST_BYTES = 1 << 17  # of an arena: larger ones only take time
_VALUES = (0, 1, 2, 3, 4, 127, 128, 255)


def seeds() -> list[bytes]:
    """Two models of every op that a board runs, and the project's own."""
    files = [make(np.random.default_rng(i)) for make in OPS.values() for i in range(2)]
    models = sorted(paths.share_dir("models").rglob("*.hgm"))
    return [api.convert(data).hgm for data in files] + [path.read_bytes() for path in models]


def mutated(rng: np.random.Generator, hgm: bytes) -> bytes:
    """One to three bytes changed, mostly in header and plan; the CRC is right again."""
    data = bytearray(hgm)
    plan_end = min(len(data), 60 + 4 * 16 * (data[20] + data[22]))
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(16, plan_end if rng.integers(4) else len(data)))
        low = data[at]
        data[at] = int(rng.choice((*_VALUES, (low + 1) & 255, (low - 1) & 255, low ^ 128)))
    struct.pack_into("<I", data, 12, binascii.crc32(memoryview(data)[16:]))
    return bytes(data)


def main(library: str, seed: int, count: int) -> int:
    """Number of mutations that ran."""
    lib, files, ran = Library(library), seeds(), 0
    rng = np.random.default_rng(seed)
    for i in range(count):
        hgm = mutated(rng, files[i % len(files)])
        try:
            header = plan.check(hgm)
        except Refused:
            continue
        if header[plan.ARENA_BYTES] > _MOST_BYTES:
            continue
        x = rng.integers(-128, 128, header[_INPUT_BYTES], dtype=np.int8)
        lib.infer(hgm, x, min(lib.level, 1 + i % 4) or SCALAR, rows=i % 3)
        ran += 1
    return ran


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
