"""`hedgerow convert`: an int8 .tflite to the .hgm file that boards run."""

import json
from pathlib import Path

import click

from hedgerow.errors import ToolError, UsageError

_EPILOG = """\b
Examples:
  hedgerow convert soil_dry.tflite
  hedgerow convert soil_dry.tflite -o build/soil_dry.hgm --verify 1000
  hedgerow convert soil_dry.tflite --plot plan.svg --json
"""


@click.command(epilog=_EPILOG)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Default: MODEL with suffix .hgm."
)
@click.option(
    "--verify",
    type=click.IntRange(0, 1_000_000),
    default=0,
    metavar="N",
    help="Compare every layer on N random inputs with the tflite-micro package; exit 1 on any "
    "differing byte, naming the first layer.",
)
@click.option(
    "--plot", type=click.Path(path_type=Path), help="Draw the memory plan: a .svg or .png file."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    model: Path, output: Path | None, verify: int, plot: Path | None, as_json: bool
) -> None:
    """Convert an int8 .tflite MODEL to .hgm and report what it needs on a board.

    Trees and other classic models (XGBoost .json or .ubj, LightGBM .txt, .skops) become .hgl.
    """
    from hedgerow.convert import convert as api
    from hedgerow.convert.classic import is_classic

    if is_classic(model):
        if verify or plot:
            raise UsageError(
                f"{model}: --verify and --plot are for .tflite models: leave them out"
            )
        click.echo(_classic(model, output or model.with_suffix(".hgl"), as_json))
        return
    target = output or model.with_suffix(".hgm")
    if plot:
        from hedgerow.files import refuse_to_overwrite

        refuse_to_overwrite(plot, model, target)
    result = api.convert_file(model, target)
    report = {"output": str(target), **result.report.as_dict()}
    if plot:
        from hedgerow.convert.picture import draw_plan

        draw_plan(result.plan, plot)
    if verify:
        api.refuse_crash(model)
        inputs = api.random_inputs_for(result, verify)
        report["verified_inputs"] = verify
        found = api.verify_against_tflm(model.read_bytes(), result, inputs)
        report["differing_bytes"], report["first_differing"] = found.differing_bytes, found.first
    click.echo(json.dumps(report) if as_json else _text(report))
    if report.get("differing_bytes"):
        raise ToolError(
            f"{report['differing_bytes']} bytes differ from tflite-micro, first in "
            f"{report['first_differing']}: our bug, please report it"
        )


def _classic(model: Path, target: Path, as_json: bool) -> str:
    """Write the .hgl; what to print."""
    from hedgerow.convert.classic import convert_classic_file
    from hedgerow.files import refuse_to_overwrite, write_whole

    refuse_to_overwrite(target, model)
    data = convert_classic_file(model)
    write_whole(target, data)
    report = {"output": str(target), "flash_bytes": len(data)}
    return json.dumps(report) if as_json else f"{target}: {len(data):,} bytes of flash"


def _text(report: dict) -> str:
    lines = [f"{'op':10}{'output bytes':>13}{'MACs':>10}{'constants':>11}  layer"]
    lines += [
        f"{layer['kind']:10}{layer['output_bytes']:13}{layer['macs']:10}"
        f"{layer['constant_bytes']:11}  {layer['name']}"
        for layer in report["layers"]
    ]
    lines.append(
        f"{report['output']}: {report['flash_bytes']:,} bytes of flash, "
        f"{report['arena_bytes']:,} bytes of RAM for the arena, {report['macs']:,} MACs"
    )
    lines += _gone(report["eliminated"])
    lines += [_predicted(board, cycles) for board, cycles in report["cycles"].items()]
    if "verified_inputs" in report:
        n, differing = report["verified_inputs"], report["differing_bytes"]
        lines.append(f"every layer, {n} random inputs: {differing} bytes differ from tflite-micro")
    return "\n".join(lines)


def _gone(eliminated: dict) -> list[str]:
    gone = eliminated["macs_gone"], eliminated["weights_gone"]
    if not any(gone):
        return []
    return [f"eliminated exactly: {gone[0]:,} MACs and {gone[1]:,} weights that change no output"]


def _predicted(board: str, cycles: int) -> str:
    from hedgerow.convert.cost import costs

    cost = costs()[board]
    off = cost["worst_model_error"]
    line = f"predicted on {board}: {cycles:,} {cost['unit']}s"
    clock_hz = cost["clock_hz"]
    if clock_hz:
        line += f", {cycles / clock_hz * 1e3:,.1f} ms at {clock_hz / 1e6:g} MHz"
    return f"{line} (within {off:.0%} on MLPerf Tiny's models)"
