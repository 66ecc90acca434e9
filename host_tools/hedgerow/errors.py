"""Errors of the host tools.

    ToolError                  exit code 1: the work failed
      UsageError         2: the command line is wrong
      ConfigError        3: a node file, board file or data file is wrong
      ModelError         4: a model file is wrong or not supported
      ToolchainError     5: MicroPython or a compiler is missing or does not build
      DeviceError        6: a board or a simulated node failed
      GatewayError       7: broker, database or HTTP server failed

Every message says what failed and what to try. The command line catches ToolError in one
place (cli/main.py), prints `hedgerow: <message>` and exits with `exit_code`; a traceback on the
screen is a bug.
"""


class ToolError(Exception):
    """Base: `str(error)` is one clear message with the cure in it."""

    exit_code = 1


class UsageError(ToolError):
    exit_code = 2


class ConfigError(ToolError):
    exit_code = 3


class ModelError(ToolError):
    exit_code = 4


class ToolchainError(ToolError):
    exit_code = 5


class DeviceError(ToolError):
    exit_code = 6


class GatewayError(ToolError):
    exit_code = 7
