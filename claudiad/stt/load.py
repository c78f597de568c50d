"""Find and open a faster-whisper model: the embedded one, a folder, or a name already downloaded."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from claudiad.errors import EngineMissing

EMBEDDED = Path(__file__).resolve().parent.parent / "data" / "stt"
NEEDED = ("model.bin", "config.json", "tokenizer.json")
SUMS = "SHA256SUMS"
BINARY = ("model.bin", "ctc.npz")
"""Files whose damage could load and only show as a robot that hears nonsense."""


def model_folder(model: str) -> Path | str:
    """`embedded` or a path → its folder, checked; anything else is a faster-whisper name, as it stands.

    Raises EngineMissing when a folder is not a model, naming what is missing.
    """
    if model != "embedded" and "/" not in model and not model.startswith("."):
        return model
    folder = EMBEDDED if model == "embedded" else Path(model).expanduser()
    if not folder.is_dir():
        raise EngineMissing(f"stt.model: no folder {folder}; use `embedded`, or see `claudiad models`")
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise EngineMissing(
            f"stt.model: {folder} lacks {', '.join(missing)}: not a faster-whisper model, or a broken copy"
        )
    return folder


def open_model(model: str, *, threads: int, device: str, compute_type: str) -> Any:
    """A loaded `faster_whisper.WhisperModel`. Never downloads. Raises EngineMissing with what to do."""
    from faster_whisper import WhisperModel

    source = model_folder(model)
    if isinstance(source, Path):
        _check(source)
    try:
        return WhisperModel(
            str(source),
            device=device,
            compute_type=compute_type,
            cpu_threads=threads,
            num_workers=1,  # parallel calls leak memory (faster-whisper #1055)
            local_files_only=True,
        )
    except Exception as exc:  # tokenizers raises plain Exception, CTranslate2 RuntimeError, the hub its own
        reason = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        if isinstance(source, Path):
            raise EngineMissing(f"stt.model: {source} cannot be loaded ({reason}); a broken copy? restore it") from exc
        raise EngineMissing(f"stt.model: {source} is not here; `claudiad models fetch {source}` gets it") from exc


def _check(folder: Path) -> None:
    """What faster-whisper would not notice. Raises EngineMissing naming the file."""
    features = folder / "preprocessor_config.json"
    try:
        if features.is_file():
            json.loads(features.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        # faster-whisper would only warn, and take another frame rate.
        raise EngineMissing(f"stt.model: {features} is broken ({exc}); restore it") from exc
    if not (folder / SUMS).is_file():
        return
    for line in (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines():
        wanted, _, name = line.partition("  ")
        if name in BINARY and (folder / name).is_file() and _sum(folder / name) != wanted:
            raise EngineMissing(f"stt.model: {folder / name} is not what {SUMS} says: a broken copy; restore it")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
