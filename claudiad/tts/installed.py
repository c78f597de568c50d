"""Which Piper voices are on this machine, and which of them is meant."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from claudiad.errors import EngineMissing
from claudiad.tts.manifest import find_listed, load_manifest, shipped_folder

SYSTEM_FOLDER = Path("/var/lib/claudia/voices")


@dataclass(frozen=True, slots=True)
class InstalledVoice:
    """A ``.onnx`` with its ``.onnx.json``."""

    name: str
    """File name without ``.onnx``."""
    path: Path
    """The ``.onnx`` file."""
    phoneme_type: str
    """Piper's name for how text becomes phonemes; `japanese` reads kanji."""
    speech: bool
    """False for the project's test voice."""
    fault: str = ""
    """Why the ``.onnx.json`` cannot be read, or ""."""

    @property
    def suits(self) -> bool:
        """True when it may be chosen without being named: it speaks, and it speaks Japanese."""
        return self.speech and self.phoneme_type == "japanese" and not self.fault


def voice_folders(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Folders that hold voices, most particular first: $CLAUDIA_VOICES, the user's data folder, the system's."""
    own = [Path(part) for part in environment.get("CLAUDIA_VOICES", "").split(os.pathsep) if part]
    data = environment.get("XDG_DATA_HOME") or str(Path(environment.get("HOME") or "/") / ".local" / "share")
    return (*own, Path(data) / "claudia" / "voices", SYSTEM_FOLDER)


def installed_voices(folders: Sequence[Path] | None = None) -> tuple[InstalledVoice, ...]:
    """Complete voices in `folders` (default: `voice_folders`), by folder, then name; the first of a name wins.

    A voice with an unreadable ``.onnx.json`` is listed with its fault, so that a person can see it.
    """
    found: dict[str, InstalledVoice] = {}
    for folder in voice_folders() if folders is None else folders:
        for path in _models(folder):
            if path.stem not in found and Path(f"{path}.json").is_file():
                found[path.stem] = _describe(path)
    return tuple(found.values())


def default_voice(folders: Sequence[Path] | None = None) -> InstalledVoice | None:
    """The first installed voice that `suits`, or None."""
    return next((voice for voice in installed_voices(folders) if voice.suits), None)


def resolve_voice(wanted: str, folders: Sequence[Path] | None = None) -> Path:
    """The ``.onnx`` file meant by `tts.voice`: a path, the name or alias of an installed voice, or "" for the default.

    Raises `EngineMissing` with the command that helps.
    """
    if not wanted:
        voice = default_voice(folders)
        if voice is None:
            raise EngineMissing(
                "no Japanese Piper voice is installed: `claudiad voices fetch ja_JP-hi_fi_captain-medium`, "
                'or set tts.engine = "openjtalk"'
            )
        return voice.path
    if "/" in wanted or wanted.endswith(".onnx"):
        return Path(wanted).expanduser()
    listed = find_listed(wanted, load_manifest())
    names = (wanted, *((listed.name, *listed.aliases) if listed else ()))
    searched = (*(voice_folders() if folders is None else folders), shipped_folder())
    for voice in installed_voices(searched):
        if voice.name in names:
            return voice.path
    raise EngineMissing(f"the voice {wanted!r} is not installed: `claudiad voices` shows what is and what can be had")


def _models(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".onnx" and path.is_file())
    except OSError:
        # Most of the folders are not there on most machines.
        return []


def _describe(path: Path) -> InstalledVoice:
    try:
        config = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
        return InstalledVoice(
            path.stem, path, str(config.get("phoneme_type", "espeak")), speech=not config.get("not_speech", False)
        )
    except (OSError, ValueError, AttributeError) as fault:
        return InstalledVoice(path.stem, path, "", speech=False, fault=f"{path.name}.json cannot be read: {fault}")
