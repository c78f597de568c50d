"""The list of voices that can be fetched or come with the program: `voices/manifest.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claudiad.errors import DataError

_TEXT_KEYS = ("name", "language", "description", "licence", "source")


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """One of the two files of a Piper voice."""

    file: str
    """Its name on disk, without folder."""
    url: str
    """Where it is fetched from; empty when it comes with the program."""
    size: int | None
    """Bytes, when known."""
    sha256: str | None
    """Lower-case hex, when known."""


@dataclass(frozen=True, slots=True)
class ListedVoice:
    """One voice of the manifest."""

    name: str
    aliases: tuple[str, ...]
    language: str
    description: str
    licence: str
    source: str
    speech: bool
    """False for a voice that does not speak: it is for tests and never chosen by itself."""
    files: tuple[VoiceFile, ...]

    @property
    def size(self) -> int | None:
        """Bytes of all files, when all are known."""
        sizes = [file.size for file in self.files]
        return sum(size for size in sizes if size is not None) if None not in sizes else None


def shipped_folder() -> Path:
    """The folder with the manifest and the project's own voices: in the package, or beside it in a source tree."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "data" / "voices"
    return installed if installed.is_dir() else package.parent / "voices"


def load_manifest(path: Path | None = None) -> tuple[ListedVoice, ...]:
    """Read a manifest, by default the shipped one. Raises `DataError` with ``file:line:`` and what is wrong."""
    path = path or shipped_folder() / "manifest.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise DataError(f"{path}:0: cannot be read: {fault.strerror}") from fault
    try:
        entries = tomllib.loads(text).get("voice", [])
    except tomllib.TOMLDecodeError as fault:
        # tomllib puts the place into its message only: "… (at line 3, column 7)" or "(at end of document)".
        at = str(fault).rpartition("(at line ")[2].partition(",")[0]
        raise DataError(f"{path}:{at if at.isdigit() else len(text.splitlines())}: {fault}") from fault
    headers = [number for number, line in enumerate(text.splitlines(), 1) if line.strip() == "[[voice]]"]
    if not isinstance(entries, list) or len(entries) != len(headers):
        raise DataError(f"{path}:1: each voice must begin with a line [[voice]]")
    voices: list[ListedVoice] = []
    for number, entry in zip(headers, entries, strict=True):
        voice = _voice(f"{path}:{number}", entry)
        if any(voice.name in (known.name, *known.aliases) for known in voices):
            raise DataError(f"{path}:{number}: the voice {voice.name!r} is listed already")
        voices.append(voice)
    return tuple(voices)


def find_listed(name: str, listed: tuple[ListedVoice, ...]) -> ListedVoice | None:
    """The entry with that name or alias."""
    return next((voice for voice in listed if name in (voice.name, *voice.aliases)), None)


def _voice(where: str, entry: dict[str, Any]) -> ListedVoice:
    for key in _TEXT_KEYS:
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise DataError(f"{where}: {key} is missing or not text")
    aliases, speech, files = entry.get("aliases", []), entry.get("speech", True), entry.get("files")
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise DataError(f"{where}: aliases must be a list of names")
    if not isinstance(speech, bool):
        raise DataError(f"{where}: speech must be true or false")
    if not isinstance(files, list) or not files:
        raise DataError(f"{where}: files must be a list of {{file, url, size, sha256}}")
    texts = {key: str(entry[key]) for key in _TEXT_KEYS}
    checked = tuple(_file(where, file) for file in files)
    if sorted(file.file for file in checked) != [f"{texts['name']}.onnx", f"{texts['name']}.onnx.json"]:
        raise DataError(f"{where}: files must be {texts['name']}.onnx and {texts['name']}.onnx.json")
    return ListedVoice(aliases=tuple(aliases), speech=speech, files=checked, **texts)


def _file(where: str, entry: Any) -> VoiceFile:
    if not isinstance(entry, dict):
        raise DataError(f"{where}: files must be a list of {{file, url, size, sha256}}")
    name, url = entry.get("file"), entry.get("url", "")
    size, sha256 = entry.get("size"), entry.get("sha256")
    # A file name, never a path: it is joined to the folder that is written to.
    if not isinstance(name, str) or Path(name).name != name:
        raise DataError(f"{where}: file must be a plain name, not {name!r}")
    if not isinstance(url, str) or (url and not url.startswith(("https://", "http://"))):
        raise DataError(f"{where}: url must begin with https:// or http://, not {url!r}")
    if size is not None and (not isinstance(size, int) or size <= 0):
        raise DataError(f"{where}: size must be a positive number of bytes, not {size!r}")
    if sha256 is not None and (
        not isinstance(sha256, str) or len(sha256) != 64 or set(sha256) - set("0123456789abcdef")
    ):
        raise DataError(f"{where}: sha256 must be 64 lower-case hexadecimal digits, not {sha256!r}")
    return VoiceFile(name, url, size, sha256)
