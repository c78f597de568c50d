"""Fetch a listed voice: into a temporary folder, checked, then moved into place."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError

from claudiad.errors import EngineMissing
from claudiad.tts.installed import InstalledVoice, installed_voices, voice_folders
from claudiad.tts.manifest import ListedVoice, VoiceFile, find_listed, load_manifest

Progress = Callable[[str, int, int | None], None]
"""Called with file name, bytes so far, and bytes in all when known."""

TIMEOUT_S = 30.0
"""Longest silence of the server."""
MAX_BYTES = 500_000_000
"""No Piper voice is nearly as large: more is something else."""
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Fetched:
    """A voice that is now on disk."""

    voice: InstalledVoice
    listed: ListedVoice
    sums: dict[str, str]
    """File name to sha256 of what came."""
    verified: bool
    """True when every file was compared with a sum from the manifest."""


def fetch_folder() -> Path:
    """Where a voice goes unless told otherwise: the first of `voice_folders` that can be written."""
    folders = voice_folders()
    return next((folder for folder in folders if _writable(folder)), folders[0])


def fetch(
    name: str, target: Path, progress: Progress | None = None, listed: Sequence[ListedVoice] | None = None
) -> Fetched:
    """Download the listed voice `name` (or alias) into the folder `target`; blocks.

    Nothing is put in place before all its files are there and checked. ``NAME.fetched.json`` records their sums;
    where the manifest has none, a later fetch must bring what that record says. `listed` replaces the shipped
    manifest. Raises `EngineMissing` with one line that says what to do instead, `DataError` for a malformed manifest.
    """
    voice = find_listed(name, tuple(load_manifest() if listed is None else listed))
    if voice is None:
        raise EngineMissing(f"no voice {name!r} is listed: `claudiad voices` shows those that are")
    if not all(file.url for file in voice.files):
        raise EngineMissing(f'{voice.name} comes with claudiad and need not be fetched: tts.voice = "{voice.name}"')
    record = target / f"{voice.name}.fetched.json"
    known = _recorded(record)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target) as scratch:
            sums = {}
            for file in voice.files:
                sums[file.file] = _download(file, Path(scratch) / file.file, target, progress)
                _check_sum(file, sums[file.file], known.get(file.file), record)
            for file in voice.files:
                (Path(scratch) / file.file).replace(target / file.file)
        record.write_text(
            json.dumps({"source": voice.source, "licence": voice.licence, "sha256": sums}, indent=1) + "\n"
        )
    except OSError as fault:
        raise EngineMissing(f"cannot write to {target} ({fault.strerror}): choose another folder with --to") from fault
    installed = next(found for found in installed_voices([target]) if f"{found.name}.onnx" in sums)
    return Fetched(installed, voice, sums, verified=all(file.sha256 for file in voice.files))


def _download(file: VoiceFile, path: Path, target: Path, progress: Progress | None) -> str:
    """Write one file and return its sha256. Raises `EngineMissing` for the network, `OSError` for the disk."""
    by_hand = f"try again later, or copy {file.file} into {target} from another computer (source: {file.url})"
    digest, got, total = hashlib.sha256(), 0, None
    with path.open("wb") as out:
        for chunk, announced in _chunks(file.url, by_hand):
            total = file.size or announced
            got += len(chunk)
            if got > (file.size or MAX_BYTES):
                raise EngineMissing(
                    f"{file.file} is larger than the {file.size or MAX_BYTES} bytes expected: {by_hand}"
                )
            out.write(chunk)
            digest.update(chunk)
            if progress is not None:
                progress(file.file, got, total)
    if total is not None and got != total:
        raise EngineMissing(f"{file.file} came cut off, {got} of {total} bytes: {by_hand}")
    return digest.hexdigest()


def _chunks(url: str, by_hand: str) -> Iterator[tuple[bytes, int | None]]:
    """Pieces of the body, each with the length that the server announced; an empty body yields one empty piece."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:  # noqa: S310 - the manifest allows http(s) only
            length = response.headers.get("Content-Length")
            announced = int(length) if length is not None and length.isdigit() else None
            yield b"", announced
            while chunk := response.read(_CHUNK):
                yield chunk, announced
    except HTTPError as fault:
        fault.close()
        raise EngineMissing(f"the server answered {fault.code} {fault.reason}: {by_hand}") from fault
    except (URLError, TimeoutError, ConnectionError, HTTPException) as fault:
        raise EngineMissing(f"no connection ({getattr(fault, 'reason', fault)}): {by_hand}") from fault


def _check_sum(file: VoiceFile, got: str, recorded: str | None, record: Path) -> None:
    wanted = file.sha256 or recorded
    if wanted is not None and got != wanted:
        origin = "the manifest" if file.sha256 else str(record)
        raise EngineMissing(
            f"{file.file} is not the file that {origin} names (sha256 {got[:12]}…, not {wanted[:12]}…): "
            f"it was not installed; if you trust the new one, " + ("report it" if file.sha256 else f"remove {record}")
        )


def _recorded(record: Path) -> dict[str, str]:
    try:
        sums = json.loads(record.read_text(encoding="utf-8"))["sha256"]
        return {str(file): str(value) for file, value in sums.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # No record, or none that can be read: nothing to compare with.
        return {}


def _writable(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)
