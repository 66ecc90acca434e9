"""`hedgerow quantize`: a float .tflite or .onnx to the int8 .tflite that `convert` takes."""

import json
from pathlib import Path

import click

from hedgerow.errors import UsageError
from hedgerow.files import read_npy, refuse_to_overwrite

_EPILOG = """\b
Examples:
  hedgerow quantize net.tflite --data samples.npy -o net_int8.tflite
  hedgerow quantize net.onnx --data samples.npy --labels classes.npy -o net.tflite
  hedgerow quantize net.onnx --data samples.npy --labels classes.npy -o net.tflite \\
      --prune-channels 0.25 --epochs 10
"""
_SHARE = click.FloatRange(0.0, 1.0, max_open=True)
_PATH = click.Path(path_type=Path)


@click.command(epilog=_EPILOG)
@click.argument("model", type=_PATH)
@click.option(
    "--data", type=_PATH, required=True, help=".npy of samples, as the model takes them."
)
@click.option("-o", "--output", type=_PATH, required=True, help="The int8 .tflite to write.")
@click.option("--labels", type=_PATH, help=".npy of class numbers: accuracy before and after.")
@click.option(
    "--calibration",
    type=click.Choice(["minmax", "percentile", "mse"]),
    default="minmax",
    show_default=True,
    help="How the samples set the ranges of activations.",
)
@click.option("--prune", type=_SHARE, default=0.0, help="Share of the weights to set to 0.")
@click.option("--prune-channels", type=_SHARE, default=0.0, help="Share of channels to take out.")
@click.option(
    "--epochs",
    type=click.IntRange(0, 1000),
    default=0,
    help="Passes of tuning after pruning; needs --labels. One sample in five is kept from it, "
    "and only those are scored.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(
    model: Path,
    data: Path,
    output: Path,
    labels: Path | None,
    calibration: str,
    prune: float,
    prune_channels: float,
    epochs: int,
    as_json: bool,
) -> None:
    """Quantise a float MODEL (.tflite or .onnx) to a standard int8 .tflite.

    Its first axis apart, a sample has the shape of the model's input; 100 to 500 samples that
    are like what the board will see are enough.
    """
    from hedgerow.train import ptq

    refuse_to_overwrite(output, model, data, *([labels] if labels else []))
    if epochs and not (prune or prune_channels):
        raise UsageError("--epochs tunes what pruning left: give --prune or --prune-channels too")
    known = None if labels is None else read_npy(labels)
    pruning = ptq.Pruning(prune_channels, prune, epochs) if prune or prune_channels else None
    report = ptq.quantize_file(
        model, read_npy(data), output, labels=known, calibration=calibration, pruning=pruning
    ).as_dict()
    report["output"] = str(output)
    click.echo(json.dumps(report) if as_json else _text(report))


def _text(report: dict) -> str:
    lines = [
        f"{report['output']}: {report['tflite_bytes']} bytes, {report['weights']} of "
        f"{report['float_weights']} weights ({report['zero_weights']} zero), "
        f"input {tuple(report['input_shape'])}, output {tuple(report['output_shape'])}",
        f"int8 against float on {report['samples']} samples: mean error "
        f"{report['mean_error']:.4g}, worst {report['worst_error']:.4g}",
    ]
    if report["float_accuracy"] is not None:
        steps = [("float", "float_accuracy"), ("pruned", "pruned_accuracy")]
        steps.append(("int8", "int8_accuracy"))
        found = [f"{k} {report[v]:.2%}" for k, v in steps if report[v] is not None]
        lines.append("accuracy: " + ", ".join(found))
    return "\n".join(lines)
