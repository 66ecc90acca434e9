"""Bytes with a few changed, cut, doubled or added: for fuzzing of parsers."""

import random
from collections.abc import Sequence


def mutated(dice: random.Random, whole: bytes, changes: int, values: Sequence[int]) -> bytes:
    """whole after so many changes; values: bytes that mean something to the parser."""
    data = bytearray(whole)
    for _ in range(changes):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(4)
        if kind == 0 and at < len(data):
            data[at] = dice.choice((*values, dice.randrange(256)))
        elif kind == 1:
            del data[at : at + dice.randint(1, 8)]
        elif kind == 2:
            data[at:at] = data[at : at + dice.randint(1, 8)]
        else:
            data[at:at] = dice.randbytes(dice.randint(1, 4))
    return bytes(data)
