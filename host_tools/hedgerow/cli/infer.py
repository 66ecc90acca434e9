"""`hedgerow infer`: a batch of raw inputs through a .hgm on a target's own runtime."""

import json
from pathlib import Path

import click

from hedgerow.errors import UsageError
from hedgerow.files import refuse_to_overwrite, write_npy
from hedgerow.infer.batch import PATHS, TARGETS

_EPILOG = """\b
Examples:
  hedgerow infer kws.hgm --input in.npy --output out.npy
  hedgerow infer kws.hgm --input in.npy --output out.npy --on pico --json
  hedgerow infer kws.hgm --input in.npy --output out.npy --on unix --path viper
"""


@click.command(epilog=_EPILOG)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--input",
    "source",
    type=click.Path(path_type=Path),
    required=True,
    help="A .npy file of raw int8; its first axis is the batch.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, help="The .npy file to write."
)
@click.option(
    "--on", "target", type=click.Choice(list(TARGETS)), default="unix", show_default=True
)
@click.option(
    "--path", type=click.Choice(PATHS), help="Which code runs; default: the best that there is."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def command(
    model: Path, source: Path, output: Path, target: str, path: str | None, as_json: bool
) -> None:
    """Run a batch of raw inputs through MODEL.hgm on a target and report time and memory."""
    from hedgerow.infer.batch import run
    from hedgerow.infer.model_file import read_inputs, read_model

    if output.suffix != ".npy":
        raise UsageError(f"--output {output}: must end in .npy")
    refuse_to_overwrite(output, model, source)
    loaded = read_model(model)
    outcome = run(loaded, read_inputs(source, loaded), target, path)
    write_npy(output, outcome.outputs)
    figures = {**outcome.figures(), "on": target, "output": str(output)}
    click.echo(json.dumps(figures) if as_json else _text(figures))


def _text(figures: dict) -> str:
    lines = [
        f"{figures['output']}: {figures['n']} outputs, {figures['kernels']} on {figures['on']}"
    ]
    if figures["cycles_per_inference"] is not None:
        lines.append(
            f"{figures['cycles_per_inference']:,} {figures['cycles_unit']}s per inference"
        )
    if figures["us_per_inference"] is not None:
        lines.append(f"{figures['us_per_inference']:,.1f} us per inference")
    lines.append(f"{figures['arena_bytes']:,} bytes of arena")
    if figures["persistent_bytes"] is not None:
        lines.append(
            f"{figures['persistent_bytes']:,} bytes of RAM beside it, "
            f"{figures['heap_bytes_per_invoke']:,} bytes of heap per inference"
        )
    return "\n".join(lines)
