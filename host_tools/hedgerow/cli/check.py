"""`hedgerow check FILE`: all faults of a node file at once, or what the node will do."""

import json
import sys
from pathlib import Path

import click

_EPILOG = """\b
Examples:
  hedgerow check node.toml          all mistakes, each with file:line:column
  hedgerow check node.toml --json   the same for an editor or CI

\b
Exit codes: 0 the file is good (warnings allowed), 3 it is not, 2 wrong usage.
"""


@click.command(epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(file: Path, as_json: bool) -> None:
    """Validate a node FILE and say what the node will do."""
    from hedgerow.config.check import examine
    from hedgerow.config.summary import summary
    from hedgerow.errors import ConfigError
    from hedgerow.power import predict, table

    report = examine(file)
    text = summary(report.plan) if report.plan else ""
    if as_json:
        click.echo(json.dumps(_as_json(report, text)))
    else:
        for fault in report.errors + report.warnings:
            click.echo(str(fault))
        if report.plan:
            click.echo(f"{file}: ok: {text}")
            if prediction := predict(report.plan):
                click.echo(table(prediction))
        else:
            click.echo(f"{file}: {_count(report)}", err=True)
    if not report.plan:
        sys.exit(ConfigError.exit_code)


def _as_json(report, text):  # type: ignore[no-untyped-def]
    from hedgerow.power import as_json, predict

    prediction = predict(report.plan) if report.plan else None
    return {
        "file": report.file,
        "ok": report.plan is not None,
        "errors": [fault.as_json() for fault in report.errors],
        "warnings": [fault.as_json() for fault in report.warnings],
        "summary": text,
        "power": as_json(prediction) if prediction else None,
    }


def _count(report) -> str:  # type: ignore[no-untyped-def]
    n = len(report.errors)
    return f"{n} mistake{'' if n == 1 else 's'} found"
