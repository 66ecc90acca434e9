"""Entry point of `hedgerow`: a table of commands and the one place that prints errors.

Exit codes: 0 done; 1 failed; 2 usage; 3 config; 4 model; 5 toolchain; 6 device; 7 gateway
(errors.py); 130 interrupted.
"""

import errno
import importlib
import os
import sys

import click

from hedgerow import __version__
from hedgerow.errors import ToolError

# command -> one line for --help; the command lives in cli/<command>.py as `command`.
COMMANDS = {
    "boards": "List the boards, show one, draw its pin-out.",
    "bridge": "Send the records of boards on cables over MQTT.",
    "check": "Validate a node file: all errors at once, with file:line:column.",
    "convert": "Convert an int8 .tflite model to .hgm.",
    "cp": "Copy files to and from a board.",
    "demo": "Run broker, gateway, page and three nodes in a simulated field.",
    "deploy": "Put an app on a board: only what changed, never half of it.",
    "doctor": "Say what is wrong with a board, and what helps.",
    "drivers": "List the drivers: channels, units, ranges, times, sources.",
    "emulate": "Run an emulated board with a serial line for mpremote.",
    "flash": "Put firmware on an attached board, verify it, wait for its prompt.",
    "gateway": "Run the gateway: broker, ingest, HTTP API and live page.",
    "infer": "Run a batch of inputs through a .hgm on a board, emulated or here.",
    "lns": "Run a LoRaWAN network server for one site, or join ChirpStack to the gateway.",
    "ls": "List the files of a board.",
    "monitor": "Show what a board prints, plot its values.",
    "new": "Make a new node project from a template.",
    "quantize": "Quantise a float .tflite or .onnx model to an int8 .tflite.",
    "repl": "Open a board's prompt.",
    "rm": "Remove files of a board.",
    "run": "Run a file on a board without storing it; --watch runs it again.",
    "sim": "Run a node file on the Unix port with simulated chips.",
    "toolchain": "Find or build MicroPython.",
    "wiring": "Draw how sensors and actuators are joined to the board.",
}


class _LazyGroup(click.Group):
    """Imports a command's file only when it is used, so `hedgerow --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"hedgerow.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hedgerow")
def cli() -> None:
    """Hedgerow: edge computing for microcontrollers."""


def main() -> None:
    """Run the command line; print a ToolError as one message and exit with its code."""
    try:
        cli.main(prog_name="hedgerow", standalone_mode=False)
    except ToolError as error:
        click.echo(f"hedgerow: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("hedgerow: interrupted", err=True)
        sys.exit(130)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _let_go_of_stdout()
        click.echo(f"hedgerow: {error}: free some, then try again", err=True)
        sys.exit(1)


def _let_go_of_stdout() -> None:
    """Python tries once more to write what is left, at its very end, and would tell of it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
