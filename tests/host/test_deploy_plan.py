"""What a deploy decides and says, without a board."""

import random
import zlib

import pytest

from hedgerow.device.app_files import collect
from hedgerow.device.compiled import arch_of, compiled
from hedgerow.device.deploy_plan import describe, plan
from hedgerow.device.frames import BLOCK_BYTES, file_frames, frame
from hedgerow.device.link_errors import BoardError, PortError
from hedgerow.device.port_faults import refusal, why_closed
from hedgerow.device.ports import choose_port
from hedgerow.errors import DeviceError, UsageError


def slot(**files):
    return {path.replace("_", "."): describe(data) for path, data in files.items()}


def test_only_what_is_nowhere_on_the_board_is_sent():
    wanted = {"a.mpy": b"new", "b.mpy": b"same", "c.mpy": b"there"}
    found = plan(wanted, slot(c_mpy=b"there", old_txt=b"x"), slot(a_mpy=b"old", b_mpy=b"same"))
    assert (found.send, found.copy) == ((("a.mpy", 0),), ("b.mpy",))
    assert (found.keep, found.remove) == (("c.mpy",), ("old.txt",))
    assert found.bytes_to_send(wanted) == 3


def test_a_part_of_the_same_file_is_gone_on_with_and_another_is_not():
    wanted = {"m": b"0123456789"}
    assert plan(wanted, {"m.part": describe(b"0123")}, {}).send == (("m", 4),)
    other = plan(wanted, {"m.part": describe(b"x123")}, {})
    assert (other.send, other.remove) == ((("m", 0),), ("m.part",))


def test_blocks_count_what_is_written_less_what_is_removed():
    wanted = {"m": bytes(8192)}
    found = plan(wanted, {"old": (4096, "")}, {})
    assert found.blocks_to_write(wanted, {"old": (4096, "")}, 4096) == 2 + 1 - 1


def patched(sent):
    """The body of a frame, as the board undoes it."""
    n_bytes, n_patches = int(sent[1:5], 16), int(sent[5:9], 16)
    body, patches = bytearray(sent[18 : 18 + n_bytes]), sent[18 + n_bytes :]
    assert len(patches) == 2 * n_patches
    for high, low in zip(patches[::2], patches[1::2], strict=True):
        body[(high & 127) << 7 | low & 127] = 3
    return bytes(body)


def test_no_frame_contains_ctrl_c_and_the_board_undoes_that():
    data = random.Random(1).randbytes(3 * BLOCK_BYTES) + b"\x03\x02\x10\x03"
    head, *blocks = file_frames("x", data)
    assert all(b"\x03" not in each for each in (head, *blocks))
    assert b"".join(map(patched, blocks)) == data
    assert b"\x03" not in frame("D", b"\x03" * BLOCK_BYTES)


def test_data_that_packs_is_packed_and_other_is_not():
    assert [each[:1] for each in file_frames("x", bytes(5000))] == [b"F", b"Z", b"Z"]
    noise = random.Random(1).randbytes(100)
    assert list(file_frames("x", noise))[1] == frame("D", noise)


def test_a_packed_frame_is_a_raw_deflate_stream_of_a_4_kb_window():
    packed = list(file_frames("x", b"soil" * 100))[1]
    assert zlib.decompress(patched(packed), -12) == b"soil" * 100


def test_a_file_takes_the_modules_beside_it_along_and_no_others(tmp_path):
    (tmp_path / "app.py").write_text("import time, near\nfrom pack import part\n")
    (tmp_path / "near.py").write_text("import far\n")
    (tmp_path / "far.py").write_text("")
    (tmp_path / "unused.py").write_text("")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("")
    (tmp_path / "pack" / "part.py").write_text("from . import other\n")
    (tmp_path / "pack" / "other.py").write_text("")
    app = collect(tmp_path / "app.py")
    assert app.entry == "app"
    expected = {"app.py", "near.py", "far.py", "pack/__init__.py", "pack/part.py"}
    assert set(app.files) == expected | {"pack/other.py"}


def test_an_import_of_hedge_brings_its_modules_unless_told_otherwise(tmp_path):
    (tmp_path / "app.py").write_text("from hedge.store import KV\n")
    files = collect(tmp_path / "app.py").files
    assert {"hedge/__init__.py", "hedge/store/kv.py", "hedge/core/errors.py"} <= set(files)
    assert set(collect(tmp_path / "app.py", with_hedge=False).files) == {"app.py"}


def test_a_folder_is_taken_whole_but_for_hidden_files(tmp_path):
    (tmp_path / "main.py").write_text("")
    (tmp_path / "model.hgm").write_bytes(b"m")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x").write_text("")
    assert set(collect(tmp_path).files) == {"main.py", "model.hgm"}


def test_bad_apps_are_one_clear_error(tmp_path):
    with pytest.raises(UsageError, match=r"no main\.py"):
        collect(tmp_path)
    with pytest.raises(UsageError, match=r"give a \.py file"):
        collect(tmp_path / "none.txt")
    (tmp_path / "main.py").write_text("def (:\n")
    with pytest.raises(DeviceError, match="does not parse"):
        collect(tmp_path)


def test_mpy_words_of_boards_give_their_architecture():
    # sys.implementation._mpy: Pico 4870 (measured on the emulated one), ESP32 10758
    assert arch_of(4870) == "armv6m"
    assert arch_of(10758) == "xtensawin"
    assert arch_of(6) is None
    assert arch_of(5) is None  # an older MicroPython gets sources
    with pytest.raises(DeviceError, match="unknown architecture"):
        arch_of(6 | 63 << 10)


def test_sources_are_compiled_by_content_with_their_name_on_the_board(tmp_path, micropython):
    (tmp_path / "x.py").write_text("raise ValueError(1)\n")
    found = compiled({"lib/x.py": tmp_path / "x.py"}, "armv6m")
    assert list(found) == ["lib/x.mpy"]
    assert found["lib/x.mpy"][:1] == b"M"
    assert b"lib/x.py" in found["lib/x.mpy"]
    assert str(tmp_path).encode() not in found["lib/x.mpy"]
    assert compiled({"x.py": tmp_path / "x.py"}, None) == {"x.py": b"raise ValueError(1)\n"}


def test_errors_of_a_board_become_advice():
    full = BoardError("/dev/x", 'Traceback:\n  File "a"\nOSError: [Errno 28] ENOSPC\n')
    assert full.number == 28
    assert "hedgerow rm" in str(full)
    assert BoardError("/dev/x", "OSError: 28").number == 28
    other = BoardError("/dev/x", "Traceback\nMemoryError: memory allocation failed")
    assert (other.kind, other.number) == ("MemoryError", None)


def test_why_a_port_does_not_open(tmp_path):
    assert "cable that carries data" in why_closed(str(tmp_path / "none"))
    (tmp_path / "file").write_text("")
    assert "not a serial port" in why_closed(str(tmp_path / "file"))
    assert "usermod -a -G" in refusal("/dev/null", 13)
    assert "another program" in refusal("/dev/null", 16)
    assert why_closed("socket://localhost:1") is None


def test_the_only_board_is_taken_and_others_are_named(monkeypatch):
    from hedgerow.device.find import Attached

    monkeypatch.delenv("HEDGEROW_PORT", raising=False)
    one = Attached("serial", "/dev/ttyACM0", "repl", ("RPI_PICO",), ("rp2040",), "Pico")
    two = Attached("serial", "/dev/ttyUSB0", "bridge", (), (), "CP2102")
    boot = Attached("drive", "/media/RPI", "boot", (), (), "RPI-RP2")
    assert choose_port(None, lambda: [one, boot]) == "/dev/ttyACM0"
    assert choose_port("COM3", list) == "COM3"
    with pytest.raises(PortError, match=r"more than one board.*ttyACM0.*ttyUSB0"):
        choose_port(None, lambda: [one, two])
    with pytest.raises(PortError, match="boot loader"):
        choose_port(None, lambda: [boot])
    with pytest.raises(PortError, match="no board found"):
        choose_port(None, list)
    monkeypatch.setenv("HEDGEROW_PORT", "/dev/ttyS9")
    assert choose_port(None, lambda: [one, two]) == "/dev/ttyS9"
