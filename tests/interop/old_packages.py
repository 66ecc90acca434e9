"""Packages of MicroPython libraries on PyPI that predate Python packaging."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

UMQTT = "micropython-umqtt.simple==1.3.4"
MQTT_ASYNC = "micropython-mqtt-async==0.7b4"  # a fork of mqtt_as, the one that PyPI has; MIT


def unpacked(requirement: str, folder: Path) -> Path | None:
    """Folder with the modules of the package, below folder; None if it could not be had.

    pip cannot install such a package: it downloads and unpacks it, then complains.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-clean", "--no-deps", "-q"]
    env = dict(os.environ, TMPDIR=str(folder), PIP_DISABLE_PIP_VERSION_CHECK="1")
    with contextlib.suppress(subprocess.TimeoutExpired):  # found below, or not
        subprocess.run(
            [*command, "--dest", str(folder), requirement],
            env=env,
            capture_output=True,
            timeout=300,
        )
    found = sorted(folder.glob("*/*/*.egg-info"))
    return found[0].parent if found else None
