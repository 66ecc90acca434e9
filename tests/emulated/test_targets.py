"""Every target: programs, files, blobs, native code, and counts that repeat."""

import pytest

from hedgerow.emulate.targets import open_target
from hedgerow.errors import DeviceError, UsageError

# A loop of two instructions; on the Cortex-M0+ subs takes one cycle and the branch two.
SPIN = {
    "arm": """
@micropython.asm_thumb
def spin(r0):
    label(AGAIN)
    sub(r0, r0, 1)
    bne(AGAIN)
""",
    "rv32imc": """
@micropython.asm_rv32
def spin(a0):
    label(AGAIN)
    addi(a0, a0, -1)
    bne(a0, zero, AGAIN)
""",
}
PER_TURN = {"cycle": 3, "instruction": 2}
COUNT = """
def count(n):
    before = {expr}
    spin(n)
    return {expr} - before
count(1)  # the first lookups of names take longer: they fill a cache
print(count(1000), count(1000), count(2000), count(51000))
"""
IN_PLACE = """
import gc, uctypes
gc.collect()
before = gc.mem_alloc()
blob = uctypes.bytearray_at({address}, {size})
print(gc.mem_alloc() - before < 256, blob[0], blob[-1], sum(memoryview(blob)[-300:]))
"""


def test_it_is_micropython_1_25(board):
    said = board.exec("import sys; print(sys.implementation.name, sys.implementation.version[:2])")
    assert said == "micropython (1, 25)\n"


def test_a_native_module_loads_and_computes(board, native_sums):
    board.put("sums.mpy", native_sums(board.native_arch))
    said = board.exec("import sums; print(sums.squares(bytes((1, 2, 3, 253))))")
    assert said == "23\n"  # 253 is -3 as int8


def test_viper_computes_with_machine_words(board):
    source = """
@micropython.viper
def dot(a: ptr8, b: ptr8, n: int) -> int:
    acc = 0
    for i in range(n):
        acc += int(a[i]) * int(b[i])
    return acc
print(dot(bytes(range(100)), bytes(range(100)), 100))
"""
    assert board.exec(source) == "328350\n"  # n (n + 1) (2n + 1) / 6 for n = 99


def test_a_blob_is_used_in_place(board):
    data = bytes(i % 251 for i in range(400_000))
    address = board.blob(data)
    assert address % 64 == 0
    said = board.exec(IN_PLACE.format(address=address, size=len(data)))
    assert said.split() == ["True", "0", str(data[-1]), str(sum(data[-300:]))]


def test_blobs_do_not_overlap(board):
    first, second = board.blob(b"A" * 100), board.blob(b"B" * 100)
    said = board.exec(
        f"import uctypes\nprint(*(bytes(uctypes.bytearray_at(a, 100)) for a in {(first, second)}))"
    )
    assert said == f"{b'A' * 100} {b'B' * 100}\n"


def test_a_file_in_folders_is_read_back(board):
    data = bytes(range(256)) * 20
    board.put("one/two/file.bin", data)
    said = board.exec(
        "import hashlib, binascii\n"
        "read = open('one/two/file.bin', 'rb').read()\n"
        "print(len(read), read[:3], sum(read))"
    )
    assert said == f"5120 {data[:3]} {sum(data)}\n"


def test_modules_are_imported_from_the_top_and_from_lib(board):
    board.put("at_top.py", b"where = 'top'\n")
    board.put("lib/in_lib.py", b"where = 'lib'\n")
    assert board.exec("import at_top, in_lib; print(at_top.where, in_lib.where)") == "top lib\n"


def test_names_stay_defined(board):
    board.exec("kept = 41")
    assert board.exec("print(kept + 1)") == "42\n"


def test_an_exception_comes_back_with_its_traceback(board):
    with pytest.raises(DeviceError) as caught:
        board.exec("print('before')\n{}['key']")
    text = str(caught.value)
    assert text.startswith(f"{board.name}: the program failed:\nbefore\nTraceback")
    assert text.endswith("KeyError: key")
    assert board.exec("print('after')") == "after\n"


def test_a_loop_of_known_length_is_counted_exactly(board):
    if board.cycles_unit == "ns":
        pytest.skip("the Unix port has a clock, no counter")
    spin = SPIN.get(board.native_arch, SPIN["arm"])
    said = board.exec(spin + COUNT.format(expr=board.cycles_expr))
    first, again, double, long = (int(word) for word in said.split())
    assert again == first
    assert double - first == PER_TURN[board.cycles_unit] * 1000
    assert long - first == PER_TURN[board.cycles_unit] * 50000


def test_a_new_boot_counts_the_same(board):
    if board.cycles_unit == "ns":
        pytest.skip("the Unix port has a clock, no counter")
    source = "def work():\n    return sum(i * i for i in range(200))\n"
    source += f"before = {board.cycles_expr}\nwork()\nprint({board.cycles_expr} - before)"
    counts = []
    for _ in range(2):
        with open_target(board.name) as other:
            counts.append(other.exec(source))
    assert counts[0] == counts[1]


def test_time_goes_on_in_a_sleep(board):
    said = board.exec(
        "import time\nt = time.ticks_us()\ntime.sleep_ms(20)\n"
        "print(time.ticks_diff(time.ticks_us(), t))"
    )
    if board.cycles_unit == "ns":  # a PC's clock under load: 19.8 ms seen
        assert int(said) >= 19_000
    else:  # virtual time, whatever else this machine does
        assert 20_000 <= int(said) < 21_000


def test_asyncio_is_there(board):
    source = """
import asyncio
async def main():
    await asyncio.sleep_ms(5)
    print("slept")
asyncio.run(main())
"""
    assert board.exec(source) == "slept\n"


def test_an_unknown_target_is_told():
    with pytest.raises(UsageError, match="no target 'pico2': there are unix, pico, qemu-m3"):
        open_target("pico2")
