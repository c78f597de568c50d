"""What a model of training/stt brings beside the Whisper files: the CTC head and the calibration of its score."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from claudiad.errors import EngineMissing

HEAD = "ctc.npz"
CALIBRATION = "calibration.json"
FEATURES = "preprocessor_config.json"
WEIGHTS = ("bias", "decoder_log_p", "gap", "rate", "sharpness")
"""Of the logistic regression: names of `claudiad.stt.evidence.Evidence`."""


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer on the encoder's output, and how its evidence becomes a score."""

    weight: NDArray[np.float32]
    """(encoder width, classes); class 0 is the blank, class k is `characters[k - 1]`."""
    bias: NDArray[np.float32]
    characters: tuple[str, ...]
    calibration: Mapping[str, float]
    """One number for each of `WEIGHTS`."""


def load_head(folder: Path) -> Head:
    """Read and check both files. Raises EngineMissing naming the one that is missing or broken."""
    if not (folder / FEATURES).is_file():
        # Without it faster-whisper takes stock Whisper's frame rate, and hears nothing.
        raise EngineMissing(f"stt.model: {folder} lacks {FEATURES}: a broken copy; restore it")
    try:
        weight, bias, characters = _layer(folder / HEAD)
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as exc:
        raise _broken(folder / HEAD, exc) from exc
    try:
        calibration = _calibration(folder / CALIBRATION)
    except (OSError, ValueError) as exc:
        raise _broken(folder / CALIBRATION, exc) from exc
    return Head(weight, bias, characters, calibration)


def _layer(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[str, ...]]:
    with path.open("rb") as file, np.load(file) as arrays:
        weight = arrays["weight"].astype(np.float32)
        bias = arrays["bias"].astype(np.float32)
        characters = tuple(str(c) for c in arrays["characters"])
    classes = len(characters) + 1
    if weight.ndim != 2 or weight.shape[1] != classes or bias.shape != (classes,):
        raise ValueError(f"weight {weight.shape} and bias {bias.shape} for {classes - 1} characters and a blank")
    return weight, bias, characters


def _calibration(path: Path) -> dict[str, float]:
    table = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(table, dict) or set(table) != set(WEIGHTS):
        raise ValueError(f"numbers for {', '.join(WEIGHTS)} are meant, nothing else")
    if not all(type(value) in (int, float) and math.isfinite(value) for value in table.values()):
        raise ValueError("a value is no finite number")
    return {name: float(value) for name, value in table.items()}


def _broken(path: Path, exc: Exception) -> EngineMissing:
    reason = (str(exc).splitlines() or [type(exc).__name__])[0]
    return EngineMissing(f"stt.model: {path} is missing or broken ({reason}); restore it")
