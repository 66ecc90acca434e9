"""What `pip install hedgerow` brings is all that a node needs: no clone beside it."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hedgerow import paths

_COMMAND = "import sys; from hedgerow.cli.main import main; sys.exit(main())"
_APP = """
import json, pathlib, sys
from hedgerow import paths
from hedgerow.device.node_app import node_app
app = node_app(pathlib.Path(sys.argv[1]), with_hedge=True)
parts = [*app.files.values(), *paths.boot_dir().rglob("*.py"), paths.kernels_dir()]
print(json.dumps({"clone": paths.in_clone(), "parts": [str(part) for part in parts]}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel unpacked."""
    if not paths.in_clone():
        pytest.skip("needs the clone that a wheel is built from")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder)]
    subprocess.run([*pip, str(paths.host_tools_dir())], check=True, timeout=300)
    (wheel,) = folder.glob("hedgerow-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _python(site: Path, *arguments: str) -> str:
    env = os.environ | {"PYTHONPATH": str(site), "HOME": str(site.parent)}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, env=env, cwd=site.parent, check=True, capture_output=True, text=True, timeout=120
    ).stdout


def test_a_node_is_made_checked_and_put_together_without_a_clone(installed: Path) -> None:
    _python(installed, "-c", _COMMAND, "new", "bed", "--template", "soil")
    node = installed.parent / "bed" / "node.toml"
    _python(installed, "-c", _COMMAND, "check", str(node))
    told = json.loads(_python(installed, "-c", _APP, str(node)))
    assert not told["clone"]
    assert len(told["parts"]) > 50
    assert [part for part in told["parts"] if not Path(part).exists()] == []
    outside = [part for part in told["parts"] if not Path(part).is_relative_to(installed.parent)]
    assert outside == []
