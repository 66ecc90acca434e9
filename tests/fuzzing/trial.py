"""One reader against so many spoilt packets: what became of them, how long, what stays held.

    told = asyncio.run(run(Reader(cbor.decode, seeds), 10000, 1, print))

Runs under both Pythons.
"""

import gc
import random
import sys
import time
from binascii import hexlify

import mutate

from hedge.core.errors import FrameError

_KEPT = 3  # findings that are told in full
_UPY = sys.implementation.name == "micropython"

# CPU time, for a machine that stalls is no reader that hangs.
cpu_s = time.clock if _UPY else time.process_time


def taken(function):
    """read(data) of a function whose result does not matter."""

    def read(data):
        function(data)

    return read


class Reader:
    """read(data): returns None for what it takes, or the word for what it does with it instead;
    may be a coroutine function. What it raises beyond `faults` is a finding.

    seeds: list of well-formed bytes, or a function that gives one: it is asked anew every `every`
    packets. tokens: see mutate. seal(data): makes checksums fit, done to half of the mutants.
    deaf: it never shows whether it took or refused. close(): called at the end.
    """

    def __init__(
        self,
        read,
        seeds,
        faults=(FrameError,),
        tokens=(),
        seal=None,
        deaf=False,
        every=100,
        close=None,
    ):
        self.read = read
        self.faults = faults
        self.seal = seal
        self.deaf = deaf
        self.close = close
        self.tokens = tokens
        self._every = every
        self._make = seeds if callable(seeds) else None
        self.seeds = [] if callable(seeds) else list(seeds)

    def mutant(self, number):
        if self._make and number % self._every == 0:
            self.seeds = self._make()
        data = mutate.mutated(self.seeds, self.tokens)
        return self.seal(data) if self.seal and random.getrandbits(1) else data


async def run(reader, packets, seed, say):
    """Dict: counts by outcome, crashes (count) and findings, slowest, seconds, growth.

    say(number): called now and then, so that who watches knows that it lives.
    """
    random.seed(seed)
    told = {"counts": {}, "crashes": 0, "findings": [], "slowest_ms": 0, "slowest_hex": ""}
    warm, step = packets // 10, max(min(packets // 50, 500), 1)
    held = 0
    began_s = time.time()
    for number in range(packets):
        if number == warm:
            held = held_bytes()
        if number % step == 0:
            say(number)
        await _one(reader, number, told)
    told["growth_bytes"] = held_bytes() - held
    told["seconds"] = time.time() - began_s
    if reader.close:
        reader.close()
    told["one_sided"] = not reader.deaf and len(told["counts"]) < 2
    return told


async def _one(reader, number, told):
    data = reader.mutant(number)
    begin_s = cpu_s()
    try:
        word = reader.read(data)
        if hasattr(word, "send"):
            word = await word
        word = word or "accepted"
    except reader.faults as e:
        word = type(e).__name__
    except Exception as e:  # noqa: BLE001  that is what is looked for
        word = "crash"
        _keep(told, number, data, e)
    took_ms = (cpu_s() - begin_s) * 1000
    told["counts"][word] = told["counts"].get(word, 0) + 1
    if took_ms > told["slowest_ms"]:
        told["slowest_ms"], told["slowest_hex"] = took_ms, shown(data)


def _keep(told, number, data, error):
    told["crashes"] += 1
    if len(told["findings"]) < _KEPT:
        told["findings"].append({"packet": number, "hex": shown(data), "trace": trace(error)})


def shown(data):
    text = hexlify(bytes(data[:400])).decode()
    return text + "..." if len(data) > 400 else text


def trace(error):
    import io

    text = io.StringIO()
    if _UPY:
        sys.print_exception(error, text)
    else:
        import traceback

        traceback.print_exception(error, file=text)
    return text.getvalue()[-1500:]


def held_bytes():
    """What is alive on the heap; under CPython of the process."""
    gc.collect()
    if _UPY:
        return gc.mem_alloc()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
