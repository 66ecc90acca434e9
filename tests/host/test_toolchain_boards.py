"""Building for boards: what is missing is named, and what changed is built anew."""

import pytest

from hedgerow.errors import ToolchainError, UsageError
from hedgerow.toolchain import build_qemu, cross
from hedgerow.toolchain.build_pico import build_firmware, build_rom
from hedgerow.toolchain.npm import ensure_rp2040js
from hedgerow.toolchain.pico import ensure_pico
from hedgerow.toolchain.pico_manifest import write_manifest
from hedgerow.toolchain.qemu import ensure_qemu


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine with no program at all; the cache."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "cache"


def failure(call, *arguments):
    with pytest.raises(ToolchainError) as caught:
        call(*arguments)
    return str(caught.value)


def test_everything_the_pico_lacks_is_named_at_once(bare):
    text = failure(build_firmware, bare)
    assert text.startswith("cannot build MicroPython for the Pico, missing: gcc make pkg-config")
    for package in ("gcc-arm-none-eabi", "cmake", "libstdc++-arm-none-eabi-newlib", "apt "):
        assert package in text
    assert "`apt-get install gcc " in text


@pytest.mark.parametrize("region_kb", [-4, 28, 33, 1028])
def test_the_sizes_of_a_region_are_told(region_kb):
    with pytest.raises(UsageError, match=f"region of {region_kb} KB: give 32 to 1024 KB"):
        ensure_pico(region_kb=region_kb)


def test_a_region_brings_its_own_boot_and_its_size(tmp_path):
    write_manifest(tmp_path / "manifest.py", 64, tmp_path)
    text = (tmp_path / "manifest.py").read_text()
    assert 'freeze("$(PORT_DIR)/modules", "rp2.py")' in text
    assert "module('_boot.py'" in text
    assert (tmp_path / "_region_bytes.py").read_text() == "REGION_BYTES = 65536\n"


def test_without_a_region_it_is_the_boot_of_the_port(tmp_path):
    write_manifest(tmp_path / "manifest.py", 0, tmp_path)
    text = (tmp_path / "manifest.py").read_text()
    assert 'freeze("$(PORT_DIR)/modules")' in text
    assert "_boot" not in text


def test_the_boot_rom_needs_only_the_compiler(bare, tmp_path):
    (tmp_path / "rom").mkdir()
    text = failure(build_rom, bare, tmp_path / "rom")
    assert text.endswith("missing: gcc-arm-none-eabi: `apt-get install gcc-arm-none-eabi`")


def test_node_is_named_before_anything_is_fetched(bare):
    assert "missing: nodejs npm: `apt-get install nodejs npm`" in failure(ensure_rp2040js, bare)


@pytest.mark.parametrize(("name", "package"), [("m4", "arm"), ("rv32", "misc")])
def test_the_qemu_of_the_board_is_named(bare, name, package):
    assert f"missing: qemu-system-{package}:" in failure(ensure_qemu, name)


def test_an_unknown_board_is_told():
    with pytest.raises(UsageError, match="no QEMU board 'm33': there are m3, m4, m7, rv32"):
        ensure_qemu("m33")


def test_a_library_that_its_compiler_does_not_find_is_missing(bare, tmp_path):
    compiler = tmp_path / "bin" / "some-gcc"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\necho lib.a\n")  # what gcc prints of a file it does not find
    compiler.chmod(0o755)
    library = {"libsome-dev": ("some-gcc", "lib.a")}
    assert cross.missing({"some": "some-gcc"}, library) == ["libsome-dev"]
    (tmp_path / "lib.a").touch()
    compiler.write_text(f"#!/bin/sh\necho {tmp_path}/lib.a\n")
    assert cross.missing({"some": "some-gcc"}, library) == []


def test_a_changed_board_file_changes_the_image(tmp_path):
    board = tmp_path / "boards" / "ONE" / "board.mk"
    board.parent.mkdir(parents=True)
    board.write_text("heap = 1")
    before = build_qemu._hash(tmp_path)
    board.write_text("heap = 2")
    assert build_qemu._hash(tmp_path) != before


def test_a_command_that_fails_is_told_with_its_log(tmp_path):
    log = tmp_path / "tool.log"
    text = failure(cross.run, ["sh", "-c", "echo out of paper; exit 3"], "print", log)
    assert text == f"cannot print, see {log}\n  out of paper"
    assert log.read_text() == "out of paper\n"
