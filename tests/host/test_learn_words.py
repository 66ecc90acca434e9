"""The viper kernels of hedge.learn on 32-bit words, as boards have them.

The same source runs with simulated words; an access outside the file, the inputs, the working
memory and the scores fails, and so does a write to the file.
"""

import array
import base64
import inspect
import json
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from viper_words import Machine, Word, Word64

from hedge.core.errors import ModelError
from hedge.learn import layout as at
from hedge.learn import portable
from hedge.learn.model import Predictor
from hedgerow import paths

MODELS = json.loads(
    (Path(__file__).resolve().parent.parent / "unit" / "learn_models.json").read_text()
)


def hgl(name: str) -> bytes:
    return base64.b64decode(MODELS[name]["hgl"])


class LearnMachine(Machine):
    """Both files of kernels, and one .hgl: predict(x) -> (index, scores)."""

    def __init__(self, data: bytes, word: type[Word]) -> None:
        super().__init__(word, "hedge/learn/viper_scores.py")
        self.module.__dict__["uint"] = lambda value: int(value) % (1 << word.bits)
        self.model = Predictor(data)
        self._file = array.array("B", data)
        if self.model._head[at.KIND] in (at.DISTANCES, at.GAUSSIANS):
            path = Path(paths.firmware_dir()) / "hedge" / "learn" / "viper_distances.py"
            lines = path.read_text().replace("top = 1\n", "top = word(1)\n").splitlines()
            kept = [line for line in lines if not line.startswith(("import ", "from "))]
            exec(compile("\n".join(kept), path.name, "exec"), self.module.__dict__)

    def _viper(self, function: Callable) -> Callable:
        """As the base, but a parameter without annotation stays an object."""
        parameters = inspect.signature(function).parameters.values()
        kinds = [p.annotation for p in parameters]

        def call(*args: object) -> object:
            pairs = zip(kinds, args, strict=True)
            return function(
                *(a if kind is inspect.Parameter.empty else kind(a) for kind, a in pairs)
            )

        return call

    def predict(self, x: array.array) -> tuple[int, list[int]]:
        model, file = self.model, array.array("B", self._file)
        index = self.call("run", file, x, model._work, model.scores)
        assert file == self._file, "wrote to the file"
        return index, list(model.scores)


def fill(x: array.array, chance: random.Random) -> None:
    """Small, large and extreme inputs."""
    for i in range(len(x)):
        if x.typecode == "f":
            x[i] = chance.choice((0.0, -0.0, 1e30, -1e30, chance.gauss(3, 3), chance.gauss(3, 3)))
        else:
            x[i] = chance.choice((-32768, 32767, 0, *(chance.randint(-32768, 32767),) * 4)) >> (
                chance.choice((0, 0, 3, 9))
            )


@pytest.mark.parametrize("word", [Word, Word64])
@pytest.mark.parametrize("name", MODELS)
def test_kernels_equal_portable_on_both_word_sizes(name: str, word: type[Word]) -> None:
    machine, chance = LearnMachine(hgl(name), word), random.Random(5)
    x, wanted = machine.model.input, list(machine.model.scores)
    for _ in range(25):
        fill(x, chance)
        index = portable.run(hgl(name), x, None, wanted)
        assert machine.predict(x) == (index, wanted)


def mutated(good: bytes, chance: random.Random) -> bytes:
    """A few numbers changed, length and CRC right again."""
    data = bytearray(good)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(16, len(data))
        data[place] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
    struct.pack_into("<II", data, 8, len(data), zlib.crc32(data[16:]))
    return bytes(data)


@pytest.mark.parametrize("name", MODELS)
def test_mutated_files_are_refused_or_run_in_bounds(name: str) -> None:
    """What check() lets pass reads and writes only what it may, and fits 32-bit words."""
    chance, refused, ran = random.Random(11), 0, 0
    while ran < 40:
        data = mutated(hgl(name), chance)
        try:
            machine = LearnMachine(data, Word)
        except ModelError:
            refused += 1
            continue
        x, wanted = machine.model.input, list(machine.model.scores)
        fill(x, chance)
        index = portable.run(data, x, None, wanted)
        assert machine.predict(x) == (index, wanted)
        ran += 1
    assert refused > 5
