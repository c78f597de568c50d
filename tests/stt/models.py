"""Copies of the embedded model to break."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from claudiad.stt.load import EMBEDDED

SHIPPED = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json", "preprocessor_config.json")
HEAD = ("ctc.npz", "calibration.json")
CALIBRATION = '{"bias": -9.0, "decoder_log_p": -13.0, "gap": 0.5, "sharpness": 2.0, "rate": 0.8}'


def copy(folder: Path, *, head: bool = True) -> Path:
    """The embedded model in `folder`, which is made, with right checksums; without `head` a plain Whisper model."""
    folder.mkdir()
    for name in SHIPPED + (HEAD if head else ()):
        shutil.copy(EMBEDDED / name, folder / name)
    sums = (
        f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n"
        for n in sorted(SHIPPED + HEAD)
        if (folder / n).exists()
    )
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder
