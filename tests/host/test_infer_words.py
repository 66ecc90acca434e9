"""The viper kernels on a machine with 32-bit words: the same source, run with simulated words.

The Unix port has 64-bit words, boards 32. Word wraps like a 32-bit register, so a sum that leaves
32 bits on a board gives a wrong byte here too.
"""

import array
import itertools
import struct
import types
from pathlib import Path

import numpy as np
import pytest
from random_ops import OPS

from hedge.infer import Model, plan
from hedgerow import paths
from hedgerow.convert import convert as api
from hedgerow.errors import ModelError
from hedgerow.train.tflite_writer import DenseLayer, DenseNetwork, Quant, write_tflite

FOLDER = Path(paths.firmware_dir(), "hedge", "infer")
VIPER_FILES = sorted(FOLDER.glob("viper*.py"))
CURSOR_BYTES, WORK_BYTES = 16, 512


class Word(int):
    """A viper int of `bits` bits: arithmetic wraps, shifts are arithmetic."""

    bits = 32

    def __new__(cls, value: int) -> "Word":
        half = 1 << (cls.bits - 1)
        return super().__new__(cls, (int(value) + half) % (2 * half) - half)

    def __str__(self) -> str:
        return str(int(self))


class Word64(Word):
    bits = 64


def _wrap(name: str):
    method = getattr(int, name)
    return lambda self, other: type(self)(method(int(self), int(other)))


for _name in ("add", "sub", "mul", "and", "or", "xor", "lshift", "rshift"):
    for _method in (f"__{_name}__", f"__r{_name}__"):
        setattr(Word, _method, _wrap(_method))


class Pointer:
    """ptr8 or ptr32 into one flat memory; loads give words, as the machine extends them."""

    def __init__(self, memory: bytearray, address: int, size: int, word: type[Word]) -> None:
        self.memory, self.address, self.size, self.word = memory, int(address), size, word

    def _at(self, index: int) -> slice:
        start = self.address + int(index) * self.size
        assert 0 <= start <= len(self.memory) - self.size, "out of bounds"
        assert start % self.size == 0, "unaligned"
        return slice(start, start + self.size)

    def __getitem__(self, index: int) -> Word:
        # Unsigned: a 64-bit port extends ptr32 loads with zeros; a 32-bit word wraps by itself.
        return self.word(int.from_bytes(self.memory[self._at(index)], "little"))

    def __setitem__(self, index: int, value: int) -> None:
        mask = (1 << 8 * self.size) - 1
        self.memory[self._at(index)] = (int(value) & mask).to_bytes(self.size, "little")


def load_kernels(memory: bytearray, work: int, word: type[Word]) -> types.ModuleType:
    """The viper files run under CPython; every int literal becomes a Word by the operators.

    work: address of what viper_fixed.py keeps in an array.
    """
    lines = "\n".join(p.read_text(encoding="utf-8") for p in VIPER_FILES).splitlines()
    source = "\n".join(x for x in lines if not x.startswith(("import ", "from ")))
    # Constants must be words as well: 1 << 31 in plain ints would not wrap.
    source = source.replace("top = 1\n", "top = word(1)\n")
    module = types.ModuleType("viper_words")

    def cast(size: int):
        return lambda at: Pointer(
            memory, at.address if isinstance(at, Pointer) else at, size, word
        )

    def placed(kind: str, values: tuple[int, ...]) -> Pointer:
        data = array.array(kind, values).tobytes()
        assert len(data) <= WORK_BYTES
        memory[work : work + len(data)] = data
        return Pointer(memory, work, 4, word)

    module.__dict__.update(
        word=word,
        micropython=types.SimpleNamespace(viper=lambda function: function),
        array=types.SimpleNamespace(array=placed),
        ptr8=cast(1),
        ptr16=cast(2),
        ptr32=cast(4),
        int=lambda value: word(value.address if isinstance(value, Pointer) else value),
    )
    exec(compile(source, "viper.py", "exec"), module.__dict__)
    return module


def run_words(hgm: bytes, x: bytes, word: type[Word], rows: int = 0) -> bytes:
    """Output of one invoke on the simulated machine, in slices of `rows`.

    Its memory: the file, the arena as it is after loading, WORK, the cursor.
    """
    model = Model(hgm)
    set_input(model, x)
    start = len(hgm) + -len(hgm) % 4
    work = start + model.arena_bytes
    at = work + WORK_BYTES
    memory = bytearray(at + CURSOR_BYTES)
    memory[: len(hgm)] = hgm
    memory[start:work] = model.arena.tobytes()
    kernels = load_kernels(memory, work, word)
    first, count = first_record(hgm)
    memory[at:] = struct.pack("<4i", first, 0, count, rows)
    pointers = [Pointer(memory, where, 1, word) for where in (0, start, at)]
    while struct.unpack_from("<i", memory, at + 8)[0]:
        kernels.run(*pointers)
    header = plan.check(hgm)
    out = start + header[plan.OUTPUT]
    return bytes(memory[out : out + header[plan.OUTPUT + 1]])


def first_record(hgm: bytes) -> tuple[int, int]:
    """(byte offset, number) of the records of an invoke."""
    header = plan.check(hgm)
    at = plan.HEADER_BYTES
    for _, start, words in plan.records(hgm, header[plan.RESET_COUNT]):
        at = start + 4 * words
    return at, header[plan.OP_COUNT]


def set_input(model: Model, x: bytes) -> None:
    model.input[:] = memoryview(x).cast("b")


def run_portable(hgm: bytes, x: bytes) -> bytes:
    model = Model(hgm, kernels="portable")
    set_input(model, x)
    model.invoke()
    return bytes(model.output.cast("B"))


def network(rng: np.random.Generator, sizes: tuple[int, ...], scale: float) -> bytes:
    """Random int8 layers; scale sets how large the multipliers are."""
    layers = []
    for n_in, n_out in itertools.pairwise(sizes):
        weights = rng.integers(-127, 128, size=(n_out, n_in), dtype=np.int8)
        bias = rng.integers(-(2**20), 2**20, size=n_out, dtype=np.int32)
        out = Quant(scale * float(rng.uniform(0.5, 20.0)), int(rng.integers(-128, 128)))
        layers.append(DenseLayer(weights, 0.01, bias, bool(rng.integers(2)), out))
    return write_tflite(DenseNetwork(Quant(0.05, -7), tuple(layers), logistic=True), name="noise")


@pytest.mark.parametrize("word", [Word, Word64])
@pytest.mark.parametrize("seed", range(12))
def test_kernels_equal_portable_on_both_word_sizes(seed: int, word: type[Word]) -> None:
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-4, 1)
    hgm = api.convert(network(rng, (5, 6, 3), scale)).hgm
    for x in api.random_inputs(6, 5, seed=seed):
        assert run_words(hgm, x.tobytes(), word) == run_portable(hgm, x.tobytes())


@pytest.mark.parametrize("kind", sorted(OPS))
@pytest.mark.parametrize("word", [Word, Word64])
def test_ops_equal_portable_on_both_word_sizes(kind: str, word: type[Word]) -> None:
    small = 0
    for seed in range(60):
        try:
            result = api.convert(OPS[kind](np.random.default_rng(seed)))
        except ModelError:  # scales that the op does not take
            continue
        header = plan.check(result.hgm)
        if result.report.macs + 20 * header[plan.OUTPUT + 1] > 6000:  # simulated words are slow
            continue
        small += 1
        rng = np.random.default_rng(seed)
        x = rng.integers(0, 256, size=header[plan.INPUT + 1], dtype=np.uint8).tobytes()
        wanted = run_portable(result.hgm, x)
        assert run_words(result.hgm, x, word) == wanted, seed
        assert run_words(result.hgm, x, word, rows=1) == wanted, seed
        if small == 4:
            break
    assert small > 1


def test_word_wraps_like_a_register() -> None:
    assert Word((1 << 31) - 1) + 1 == -(1 << 31)
    assert Word(1) << 31 == -(1 << 31)
    assert Word(-5) >> 1 == -3
