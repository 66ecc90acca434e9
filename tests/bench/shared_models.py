"""The models that benchmarks run: ours, and those of ../shared where it is there."""

import os
from pathlib import Path

from hedgerow import paths

SHARED = Path(
    os.environ.get(
        "HEDGEROW_SHARED", Path(__file__).resolve().parent.parent.parent.parent / "shared"
    )
)
_TINY = {
    "kws": "kws_ref_model",
    "vww": "vww_96_int8",
    "ic": "pretrainedResnet_quant",
    "ad": "ad01_int8",
    "sww": "str_ww_ref_model",
}


def mlperf_tiny() -> dict[str, Path]:
    """Short name -> .tflite of the five MLPerf Tiny models; none without ../shared."""
    folder = SHARED / "models" / "mlperf_tiny"
    found = {name: folder / f"{stem}.tflite" for name, stem in _TINY.items()}
    return {name: path for name, path in found.items() if path.exists()}


def all_models() -> dict[str, Path]:
    """Those, soil_dry, and the examples of TFLM."""
    soil = paths.share_dir("models") / "soil_dry" / "soil_dry.tflite"
    tflm = sorted((SHARED / "models" / "tflm").glob("*.tflite"))
    return {"soil_dry": soil, **mlperf_tiny(), **{path.stem: path for path in tflm}}
