"""models/README.md, "Bring your own": its commands and its scikit-learn lines run as written.

Exports from Keras and PyTorch happen where the user trains; the test supplies the files they
write, and runs PyTorch's own lines too if it is installed.
"""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from float_models import conv_net

from hedgerow.convert.importer import read_tflite
from hedgerow.train.float_ops import FLOAT_OPS, run_float
from hedgerow.train.graph_writer import write_graph

README = Path(__file__).resolve().parent.parent.parent / "models" / "README.md"
HEDGEROW = Path(sys.executable).with_name("hedgerow")


def blocks(section: str, language: str) -> list[str]:
    """Fenced blocks of a language under a ### heading."""
    text = README.read_text(encoding="utf-8")
    part = re.split(r"^##+ ", text.split(f"### {section}\n")[1], flags=re.MULTILINE)[0]
    return re.findall(rf"```{language}\n(.*?)```", part, flags=re.DOTALL)


def run_commands(section: str, folder: Path) -> str:
    """Output of the section's commands; fails with what a failing one printed."""
    lines = "".join(blocks(section, "sh")).splitlines()
    assert lines
    output = ""
    for line in lines:
        name, *arguments = line.split()
        assert name == "hedgerow"
        command = [str(HEDGEROW), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        output += done.stdout
    return output


def save_samples(folder: Path, shape: tuple[int, ...], classes: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, *shape)).astype(np.float32)
    np.save(folder / "samples.npy", x)
    np.save(folder / "classes.npy", rng.integers(0, classes, 60))
    return x


def check(output: str, folder: Path, name: str) -> None:
    assert re.search(r"accuracy: float [\d.]+%, int8 [\d.]+%", output) or name == "sklearn"
    assert "0 bytes differ from tflite-micro" in output
    assert read_tflite((folder / f"{name}_int8.tflite").read_bytes()).tensors[0].dtype == "int8"
    assert (folder / f"{name}.hgm").stat().st_size > 100


@pytest.fixture(autouse=True)
def oracle() -> None:
    pytest.importorskip("tflite_micro", reason="needs the tflite-micro package")


def test_keras(tmp_path: Path) -> None:
    graph = conv_net(np.random.default_rng(0))
    (tmp_path / "keras.tflite").write_bytes(write_graph(graph, name="keras"))
    x = save_samples(tmp_path, (8, 8, 2), 3)
    np.save(tmp_path / "classes.npy", run_float(graph, x).argmax(axis=1))
    output = run_commands("Keras", tmp_path)
    check(output, tmp_path, "keras")
    assert "float 100.00%" in output


def test_pytorch(tmp_path: Path) -> None:
    onnx_models = pytest.importorskip("onnx_models", reason="needs the onnx package")
    (tmp_path / "torch.onnx").write_bytes(onnx_models.MODELS["sequence"]())
    save_samples(tmp_path, (3, 32), 5)
    check(run_commands("PyTorch", tmp_path), tmp_path, "torch")


def test_pytorch_export_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch (it is no dependency)")
    pytest.importorskip("onnxscript", reason="torch.onnx.export needs the onnxscript package")
    monkeypatch.chdir(tmp_path)
    nn = torch.nn
    model = nn.Sequential(nn.Conv1d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(120, 5))
    for block in blocks("PyTorch", "python"):
        exec(compile(block, str(README), "exec"), {"model": model})
    save_samples(tmp_path, (3, 32), 5)
    check(run_commands("PyTorch", tmp_path), tmp_path, "torch")


def test_scikit_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn", reason="needs scikit-learn: hedgerow[train]")
    monkeypatch.chdir(tmp_path)
    (block,) = blocks("scikit-learn", "python")
    assert len(block.splitlines()) <= 11
    names: dict = {}
    exec(compile(block, str(README), "exec"), names)
    report = names["result"].report
    assert report.float_accuracy > 0.85
    assert report.int8_accuracy > report.float_accuracy - 0.01
    check(run_commands("scikit-learn", tmp_path), tmp_path, "sklearn")


def test_the_list_of_ops_is_complete() -> None:
    text = README.read_text(encoding="utf-8")
    listed = set(re.findall(r"[A-Z0-9_]+", text.split("\nOps: ")[1].split(". Recurrent")[0]))
    assert listed == set(FLOAT_OPS) - {"QUANTIZE"}  # which only the quantiser itself puts in
