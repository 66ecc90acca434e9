"""Build MicroPython for the Raspberry Pi Pico, and a boot ROM image for its emulator.

    build/micropython/
      1.25.0/pico/<hash>/firmware.bin .uf2    RPI_PICO, asyncio, onewire frozen in; here only when
                                       complete; the hash is that of the manifest and our modules
      1.25.0/pico/<hash>/region-256k-<hash>/firmware.bin .uf2    whose file system leaves 256 KB
      1.25.0/pico/<hash>/build/        cmake's folder, of all of these
      rom-<hash>/bootrom.bin           of emulate/pico/rom, the hash is that of its sources

Debian's pico-sdk is exactly what MicroPython 1.25 expects. picotool is not needed: only the UF2
file would come from it, and MicroPython's own tools/uf2conv.py makes that.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from hedgerow.toolchain import compiler, cross
from hedgerow.toolchain.apt import Package, Source, missing_tools
from hedgerow.toolchain.pico_manifest import firmware_hash, region_hash, write_manifest
from hedgerow.toolchain.progress import Progress
from hedgerow.toolchain.sources import VERSION, Library, Tree, publish
from hedgerow.toolchain.steps import Step, building_in, run_steps

_LIBRARIES = (
    Library(Source("pico-sdk", "2.1.1-1", or_prefix="2.1."), "", ("lib/pico-sdk",)),
    Library(
        Package("tinyusb-source", "0.18.0+dfsg-1", or_prefix="0.18."),
        "usr/src/tinyusb",
        ("lib/tinyusb", "lib/pico-sdk/lib/tinyusb"),
    ),
)
_MANIFEST = "manifest.py"
_MAKE_LINES = 494  # that make prints, counted in a build from nothing
_FLASH_BASE = "0x10000000"
_ROM_BYTES = 16 * 1024
# No builtin memory functions: the ROM's own memcpy must not become a call of itself.
_ROM_FLAGS = (
    *("-mcpu=cortex-m0plus", "-mthumb", "-O2", "-Wall", "-Werror", "-ffreestanding"),
    *("-fno-builtin", "-fno-tree-loop-distribute-patterns", "-nostdlib", "-Wl,--gc-sections"),
)


def build_firmware(cache: Path, *, force: bool = False, region_kb: int = 0) -> Path:
    """Path of firmware.bin (firmware.uf2 lies beside it), built if need be.

    region_kb: at the end of the flash, that its file system leaves alone.
    Blocks for about a minute, a tenth of it for another region. Raises ToolchainError naming
    every missing Debian package.
    """
    tree = Tree(cache)
    folder = tree.folder / "pico" / firmware_hash()
    into = folder / f"region-{region_kb}k-{region_hash()}" if region_kb else folder
    result = into / "firmware.bin"
    with building_in(cache):
        if force:
            shutil.rmtree(folder, ignore_errors=True)
        into.mkdir(parents=True, exist_ok=True)
        if not result.is_file():
            write_manifest(folder / _MANIFEST, region_kb, into)
        configured = [folder / "build" / name for name in ("CMakeCache.txt", "Makefile")]
        steps = [
            *tree.steps(),
            *tree.library_steps("pico", _LIBRARIES),
            Step("configure", 5, lambda: _all(configured), lambda _: _configure(tree, folder)),
            Step("firmware", 45, result.is_file, lambda bar: _make(tree, folder, result, bar)),
        ]
        run_steps(f"MicroPython {VERSION} for the Pico", steps, lambda: _check(tree))
    return result


def _all(files: list[Path]) -> bool:
    return all(file.is_file() for file in files)


def build_rom(cache: Path, sources: Path) -> Path:
    """Path of the 16 KB boot ROM image, compiled from the folder `sources` if need be."""
    files = sorted(path for path in sources.iterdir() if path.suffix in (".S", ".c", ".ld"))
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:12]
    result = cache / f"rom-{digest}" / "bootrom.bin"
    if not result.is_file():
        cross.need(
            "build the boot ROM image", cross.missing({"gcc-arm-none-eabi": "arm-none-eabi-gcc"})
        )
        with building_in(cache):
            _make_rom(files, result)
    return result


def _check(tree: Tree) -> None:
    host = compiler.missing() + missing_tools() if not tree.mpy_cross.is_file() else []
    lacking = host + cross.missing(cross.ARM_PICO, cross.ARM_PICO_LIBRARIES)
    cross.need("build MicroPython for the Pico", list(dict.fromkeys(lacking)))


def _configure(tree: Tree, folder: Path) -> None:
    port = tree.src / "ports" / "rp2"
    options = {
        "PICO_BUILD_DOCS": 0,
        "PICO_NO_PICOTOOL": 1,
        "MICROPY_BOARD": "RPI_PICO",
        "MICROPY_BOARD_DIR": port / "boards" / "RPI_PICO",
        "MICROPY_FROZEN_MANIFEST": folder / _MANIFEST,
        "Python3_EXECUTABLE": sys.executable,
    }
    shutil.rmtree(folder / "build", ignore_errors=True)
    command: list[str | Path] = ["cmake", "-S", port, "-B", folder / "build"]
    command += [f"-D{key}={value}" for key, value in options.items()]
    cross.run(command, "configure the Pico's build", tree.folder / "cmake-pico.log")


def _make(tree: Tree, folder: Path, result: Path, bar: Progress) -> None:
    # makemanifest.py compiles what is newer than its .mpy: of two files of one name, the stock
    # _boot.py and ours, it would keep whichever was compiled last.
    shutil.rmtree(folder / "build" / "frozen_mpy", ignore_errors=True)
    tree.make(bar, "pico", [f"-C{folder / 'build'}"], _MAKE_LINES)
    built = folder / "build" / "firmware.bin"
    uf2 = folder / "build" / "firmware.uf2"
    convert: list[str | Path] = [
        sys.executable,
        tree.src / "tools" / "uf2conv.py",
        "-f",
        "RP2040",
        "-c",
    ]
    convert += ["-b", _FLASH_BASE, "-o", uf2, built]
    cross.run(convert, "make firmware.uf2", tree.folder / "uf2-pico.log")
    publish(uf2, result.with_suffix(".uf2"))
    publish(built, result)


def _make_rom(files: list[Path], result: Path) -> None:
    result.parent.mkdir(parents=True, exist_ok=True)
    (script,) = (path for path in files if path.suffix == ".ld")
    elf = result.with_suffix(".elf")
    code = [str(path) for path in files if path != script]
    command: list[str | Path] = [
        "arm-none-eabi-gcc",
        *_ROM_FLAGS,
        f"-Wl,-T,{script}",
        *code,
        "-lgcc",
        "-o",
        elf,
    ]
    log = result.with_suffix(".log")
    cross.run(command, "compile the boot ROM", log)
    image = result.with_suffix(".image")
    cross.run(["arm-none-eabi-objcopy", "-O", "binary", elf, image], "make the boot ROM", log)
    _publish_padded(image, result)


def _publish_padded(image: Path, to: Path) -> None:
    part = to.with_suffix(".part")
    part.write_bytes(image.read_bytes().ljust(_ROM_BYTES, b"\0"))
    part.rename(to)
