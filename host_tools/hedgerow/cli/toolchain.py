"""`hedgerow toolchain`: find or build MicroPython."""

import json

import click

from hedgerow.toolchain.frozen import frozen_micropython
from hedgerow.toolchain.unix import Unix, ensure_micropython


@click.group("toolchain")
def command() -> None:
    """Find or build MicroPython."""


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
