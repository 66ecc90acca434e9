"""Recordings of ../shared as one-second clips of int16 at 16 kHz."""

import wave
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

FS_HZ = 16000


def clip(path: Path) -> np.ndarray:
    """(16000,) int16: resampled if need be, cut or filled with zeros."""
    with wave.open(str(path)) as file:
        x = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        rate = file.getframerate()
    if rate != FS_HZ:
        y = resample_poly(x.astype(float), FS_HZ, rate)
        x = np.clip(np.round(y), -32768, 32767).astype(np.int16)
    return np.pad(x[:FS_HZ], (0, max(0, FS_HZ - len(x))))


def clips(folder: Path, step: int = 1) -> dict[str, np.ndarray]:
    """Name -> clip: the words of micro_speech and every step-th spoken digit."""
    words = sorted((folder / "micro_speech_words").glob("*_1000ms.wav"))
    digits = sorted((folder / "spoken_digits").glob("*.wav"))[::step]
    return {path.stem: clip(path) for path in words + digits}
