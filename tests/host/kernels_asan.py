"""Runs random layers of kernel_layers.py on a library; under AddressSanitizer from the test.

python kernels_asan.py LIBRARY FIRST_SEED COUNT
"""

import sys

from kernel_layers import LAYERS, sample
from kernel_library import Library


def main(library: str, first: int, count: int) -> int:
    """Number of layers whose output differs."""
    lib, differing = Library(library), 0
    for name in LAYERS:
        for seed in range(first, first + count):
            hgm, x, wanted = sample(name, seed)
            for level in range(1, lib.level + 1):
                differing += int((lib.infer(hgm, x, level) != wanted).any())
    return differing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])) > 0)
