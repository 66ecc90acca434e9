"""`hedgerow toolchain`: find or build MicroPython, for this machine and for emulated boards."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import click

from hedgerow.toolchain.frozen import frozen_micropython
from hedgerow.toolchain.natmod import ARCHES, build_prebuilt, native_module
from hedgerow.toolchain.pico import ensure_pico
from hedgerow.toolchain.qemu import BOARDS, ensure_qemu
from hedgerow.toolchain.unix import Unix, ensure_micropython


@click.group("toolchain")
def command() -> None:
    """Find or build MicroPython, for this machine and for emulated boards."""


@command.command("unix")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option("--force", is_flag=True, help="Build anew, whatever is installed.")
@click.option("--frozen", is_flag=True, help="One with hedge frozen in, as in a board's firmware.")
def unix(*, as_json: bool, force: bool, frozen: bool) -> None:
    """Find MicroPython's Unix port (1.25 or newer), else build it.

    Looks at $MICROPYTHON, then `micropython` on PATH, then the build cache. Building takes half
    a minute, once, and needs gcc, make, pkg-config, libffi-dev and Debian's apt.

    \b
    Examples:
      hedgerow toolchain unix
      hedgerow toolchain unix --json
      hedgerow toolchain unix --frozen      prints the path of a program of its own
      MICROPYTHON=~/micropython/ports/unix/build-standard/micropython hedgerow toolchain unix
    """
    if frozen:
        program = str(frozen_micropython())
        click.echo(json.dumps({"micropython": program}) if as_json else program)
        return
    found = ensure_micropython(force=force)
    click.echo(_as_json(found) if as_json else _as_text(found))


@command.command("pico")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option("--force", is_flag=True, help="Build anew.")
@click.option(
    "--region-kb",
    default=0,
    help='Raw flash that its file system leaves alone, for [store] kind = "flash"; 32 to 1024.',
)
def pico(*, as_json: bool, force: bool, region_kb: int) -> None:
    """Build MicroPython for the Raspberry Pi Pico, and what its emulator needs.

    A minute, once. `firmware.uf2` can be copied onto a real board. Needs Debian's
    gcc-arm-none-eabi, libnewlib-arm-none-eabi, libstdc++-arm-none-eabi-newlib, cmake, g++, nodejs
    and npm; names those that are missing.

    \b
    Examples:
      hedgerow toolchain pico
      hedgerow toolchain pico --region-kb 256    ten seconds more, then
        hedgerow flash .../firmware.uf2
    """
    parts = dataclasses.asdict(ensure_pico(force=force, region_kb=region_kb))
    click.echo(_parts(parts, as_json=as_json))


@command.command("qemu")
@click.argument("boards", nargs=-1, type=click.Choice(list(BOARDS)))
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
@click.option("--force", is_flag=True, help="Build anew.")
def qemu(*, boards: tuple[str, ...], as_json: bool, force: bool) -> None:
    """Build MicroPython for boards of QEMU, all of them if none is named.

    A quarter of a minute each, once. Needs Debian's qemu-system-arm, gcc-arm-none-eabi and
    libnewlib-arm-none-eabi; for rv32 qemu-system-misc, gcc-riscv64-unknown-elf and
    picolibc-riscv64-unknown-elf.

    \b
    Examples:
      hedgerow toolchain qemu
      hedgerow toolchain qemu m3 rv32
    """
    images = {name: ensure_qemu(name, force=force).image for name in boards or BOARDS}
    click.echo(_parts(images, as_json=as_json))


@command.command("kernels")
@click.option("--arch", "arches", multiple=True, type=click.Choice(ARCHES), help="Else: x64.")
@click.option("--small", is_flag=True, help="Only the ops of the MLPerf Tiny models.")
@click.option("--force", is_flag=True, help="Compile, even if a prebuilt module fits.")
@click.option("--prebuilt", is_flag=True, help="Compile all that the project ships.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def kernels(
    *, arches: tuple[str, ...], small: bool, force: bool, prebuilt: bool, as_json: bool
) -> None:
    """Native kernels of hedge.infer as .mpy, one per architecture.

    Prints the path of the prebuilt module, or compiles where the sources have changed. That needs
    gcc-arm-none-eabi for armv6m and armv7*, gcc-riscv64-unknown-elf for rv32imc, and for xtensawin
    LLVM 22, which it fetches (90 MB, 450 unpacked); names what is missing. On a board the file is
    called hedge_infer_native.mpy.

    \b
    Examples:
      hedgerow toolchain kernels --arch armv6m
      hedgerow toolchain kernels --arch armv6m --small
      hedgerow toolchain kernels --prebuilt
    """
    if prebuilt:
        click.echo(_parts({path.name: path for path in build_prebuilt()}, as_json=as_json))
        return
    found = {arch: native_module(arch, small=small, force=force) for arch in arches or ("x64",)}
    click.echo(_parts(found, as_json=as_json))


def _parts(parts: Mapping[str, Path], *, as_json: bool) -> str:
    if as_json:
        return json.dumps({name: str(path) for name, path in parts.items()})
    return "\n".join(f"{name:<12} {path}" for name, path in parts.items())


def _as_text(found: Unix) -> str:
    lines = [f"micropython  {found.micropython}  ({found.version}, {found.origin})"]
    lines.append(f"mpy-cross    {found.mpy_cross or 'none (set MPY_CROSS, or --force builds it)'}")
    return "\n".join(lines)


def _as_json(found: Unix) -> str:
    mpy_cross = None if found.mpy_cross is None else str(found.mpy_cross)
    return json.dumps(
        {
            "micropython": str(found.micropython),
            "mpy_cross": mpy_cross,
            "version": found.version,
            "origin": found.origin,
        }
    )
