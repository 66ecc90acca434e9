"""`hedgerow doctor`: what is wrong with a board, and what helps."""

import json
import sys

import click

from hedgerow.cli.port_options import port_options


@click.command()
@port_options
@click.option("--list", "list_only", is_flag=True, help="Only list the faults that it knows.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def command(*, port: str | None, baud: int, list_only: bool, as_json: bool) -> None:
    """Look for faults of the board and its line; exit code 6 if there are any."""
    from hedgerow.device.doctor import Diagnosis, diagnose
    from hedgerow.device.doctor_faults import FAULTS
    from hedgerow.errors import DeviceError

    if list_only:
        click.echo(Diagnosis(None, FAULTS, "").text())
        return
    found = diagnose(port, baud=baud)
    if as_json:
        faults = [{"name": f.name, "cause": f.cause, "cure": f.cure} for f in found.faults]
        click.echo(json.dumps({"port": found.port, "faults": faults, "details": found.details}))
    else:
        click.echo(found.text())
    if found.faults:
        sys.exit(DeviceError.exit_code)
