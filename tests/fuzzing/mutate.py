"""Well-formed bytes, spoilt: the one mutator of all fuzz tests, for both Pythons.

    random.seed(1)
    data = mutated(seeds, tokens)    # one of seeds after 0 to 6 changes; now and then pure noise

tokens: pieces that mean something to the reader at hand; they are put in anywhere.
"""

import random

MAX_BYTES = 4096
_TELLING = b"\x00\x01\x02\x7f\x80\x81\xc0\xfe\xff"
_BOMBS = (b"\x81", b"\x9f", b"\xa1\x01", b"\xc1", b"[", b'{"n":', b"\xff")
_HOW_MANY = (0, 1, 1, 1, 2, 2, 3, 6)
_RARE = 64  # of one in so many, nothing of the seed is left


def mutated(seeds, tokens=()):
    """bytes, at most MAX_BYTES."""
    bits = random.getrandbits
    if not bits(16) % _RARE:
        return noise(bits(8))
    out = bytearray(seeds[bits(16) % len(seeds)])
    for _ in range(_HOW_MANY[bits(3)]):
        at = bits(16) % (len(out) + 1)
        out = _CHANGES[bits(16) % len(_CHANGES)](out, at, seeds, tokens)
    return bytes(out[:MAX_BYTES])


def noise(size):
    """size random bytes."""
    return bytes([random.getrandbits(8) for _ in range(size)])


def _flip(out, at, seeds, tokens):
    if at < len(out):
        out[at] ^= 1 << random.getrandbits(3)
    return out


def _tell(out, at, seeds, tokens):
    """A byte that is often a limit."""
    if at < len(out):
        out[at] = _TELLING[random.getrandbits(8) % len(_TELLING)]
    return out


def _lie(out, at, seeds, tokens):
    """A length, or any number, that is a little or far off; half the time of two bytes."""
    if at < len(out):
        out[at] = out[at] + (1, 255, 2, 16, 64, 100, 128, 200)[random.getrandbits(3)] & 255
    if at + 1 < len(out) and random.getrandbits(1):
        out[at + 1] = 0xFF
    return out


def _change(out, at, seeds, tokens):
    if at < len(out):
        out[at] = random.getrandbits(8)
    return out


def _cut(out, at, seeds, tokens):
    return out[:at]


def _drop(out, at, seeds, tokens):
    return out[:at] + out[at + 1 + random.getrandbits(4) :]


def _double(out, at, seeds, tokens):
    return out[: at + 1 + random.getrandbits(5)] + out[at:]


def _pad(out, at, seeds, tokens):
    """A run of 0x00 or 0xFF, at times longer than any buffer."""
    size = 600 if not random.getrandbits(6) else 1 + random.getrandbits(3)
    return out[:at] + (b"\x00", b"\xff")[random.getrandbits(1)] * size + out[at:]


def _insert(out, at, seeds, tokens):
    return out[:at] + bytes((random.getrandbits(8),)) + out[at:]


def _splice(out, at, seeds, tokens):
    """The begin of this one, the end of another."""
    other = seeds[random.getrandbits(16) % len(seeds)]
    return out[:at] + other[random.getrandbits(16) % (len(other) + 1) :]


def _glue(out, at, seeds, tokens):
    """Two in a row, as streams have them."""
    return out + seeds[random.getrandbits(16) % len(seeds)]


def _token(out, at, seeds, tokens):
    if not tokens:
        return _change(out, at, seeds, tokens)
    return out[:at] + tokens[random.getrandbits(16) % len(tokens)] + out[at:]


def _bomb(out, at, seeds, tokens):
    """What opens a level, up to 255 times."""
    opener = _BOMBS[random.getrandbits(8) % len(_BOMBS)]
    return out[:at] + opener * random.getrandbits(8) + out[at:]


# A kind that is here twice comes twice as often.
_CHANGES = (_flip, _flip, _flip, _tell, _tell, _lie, _lie, _change, _change, _cut, _drop, _double)
_CHANGES += (_pad, _insert, _insert, _splice, _glue, _token, _token, _token, _bomb)
