"""A machine with 32-bit (or 64-bit) words that runs viper source under CPython.

    machine = Machine(Word, "hedge/dsp/viper_fft.py")
    bits = machine.call("radix2", array, 64, 3)      # arrays are changed in place

The Unix port has 64-bit words, boards 32. Word wraps like a register, so a sum that leaves 32 bits
on a board gives a wrong number here too; an access outside an array or an unaligned one fails.
"""

import array
import types
from collections.abc import Callable
from pathlib import Path

from hedgerow import paths


class Word(int):
    """A viper int of `bits` bits: arithmetic wraps, shifts are arithmetic."""

    bits = 32

    def __new__(cls, value: int) -> "Word":
        half = 1 << (cls.bits - 1)
        return super().__new__(cls, (int(value) + half) % (2 * half) - half)


class Word64(Word):
    bits = 64


def _wrap(name: str):
    method = getattr(int, name)
    return lambda self, other: type(self)(method(int(self), int(other)))


for _name in ("add", "sub", "mul", "and", "or", "xor", "lshift", "rshift"):
    for _method in (f"__{_name}__", f"__r{_name}__"):
        setattr(Word, _method, _wrap(_method))


class Pointer:
    """ptr8, ptr16 or ptr32 into the machine's memory; loads are unsigned, as on a 64-bit port."""

    def __init__(self, machine: "Machine", address: int, size: int) -> None:
        self.machine, self.address, self.size = machine, int(address), size

    def _at(self, index: int) -> slice:
        start = self.address + int(index) * self.size
        assert start % self.size == 0, "unaligned"
        assert self.machine.owns(start, self.size), "out of bounds"
        return slice(start, start + self.size)

    def __getitem__(self, index: int) -> Word:
        return self.machine.word(int.from_bytes(self.machine.memory[self._at(index)], "little"))

    def __setitem__(self, index: int, value: int) -> None:
        mask = (1 << 8 * self.size) - 1
        data = (int(value) & mask).to_bytes(self.size, "little")
        self.machine.memory[self._at(index)] = data


class Machine:
    """Memory with the arrays of one call, a gap between them, and the functions of a file."""

    def __init__(self, word: type[Word], file: str) -> None:
        self.word = word
        self.memory = bytearray()
        self._arrays: list[tuple[int, int, array.array]] = []
        source = (Path(paths.firmware_dir()) / file).read_text(encoding="utf-8")
        source = source.replace("import micropython\n", "")
        source = source.replace("top = 1\n", "top = word(1)\n")  # 1 << 31 of plain ints: no wrap
        self.module = types.ModuleType("viper_words")
        self.module.__dict__.update(
            word=word,
            micropython=types.SimpleNamespace(viper=self._viper),
            ptr8=self._cast(1),
            ptr16=self._cast(2),
            ptr32=self._cast(4),
            int=lambda value: word(value.address if isinstance(value, Pointer) else value),
        )
        exec(compile(source, file, "exec"), self.module.__dict__)

    def _cast(self, size: int) -> Callable:
        return lambda at: Pointer(self, at.address if isinstance(at, Pointer) else at, size)

    def _viper(self, function: Callable) -> Callable:
        """Arguments become what the annotations say, as viper's prologue makes them."""
        kinds = [kind for name, kind in function.__annotations__.items() if name != "return"]
        return lambda *args: function(*(kind(a) for kind, a in zip(kinds, args, strict=True)))

    def owns(self, start: int, size: int) -> bool:
        return any(at <= start and start + size <= at + n for at, n, _ in self._arrays)

    def call(self, name: str, *args: object) -> int | None:
        """Run a function; arrays among the arguments lie in memory and come back changed."""
        self.memory, self._arrays, words = bytearray(16), [], []
        for arg in args:
            words.append(self._place(arg) if isinstance(arg, array.array) else arg)
        result = getattr(self.module, name)(*words)
        for at, size, values in self._arrays:
            values[:] = array.array(values.typecode, bytes(self.memory[at : at + size]))
        return None if result is None else int(result)

    def _place(self, values: array.array) -> Pointer:
        for at, _, known in self._arrays:
            if known is values:
                return Pointer(self, at, 1)
        data, at = values.tobytes(), len(self.memory)
        self._arrays.append((at, len(data), values))
        self.memory += data + bytes(16 + -len(data) % 4)
        return Pointer(self, at, 1)


def copies(args: tuple) -> list:
    """The arguments with arrays copied; the same array twice stays one."""
    made: dict[int, array.array] = {}
    for arg in args:
        if isinstance(arg, array.array):
            made.setdefault(id(arg), array.array(arg.typecode, arg))
    return [made.get(id(arg), arg) for arg in args]
