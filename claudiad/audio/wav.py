"""WAV files: any linear PCM in, 16 kHz mono out; and writing.

Parsed here because the standard library's `wave` (3.11) refuses WAVE_FORMAT_EXTENSIBLE, which recorders
use for 24 and 32 bits, and reads a truncated file without a word. Layout: RFC 2361 and Microsoft's
"Multiple channel audio data and WAVE files".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from claudiad.audio.resample import convert
from claudiad.errors import DataError
from claudiad.types import SAMPLE_RATE, Pcm

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_UNKNOWN_LENGTH = 0xFFFFFFFF  # what a recorder writes that could not seek back (ffmpeg, sox into a pipe)


@dataclass(frozen=True, slots=True)
class _Format:
    tag: int
    channels: int
    rate: int
    bits: int


def read_wav(path: Path | str) -> Pcm:
    """The recording as 16 kHz mono int16, shape (n,), n > 0.

    Raises:
        DataError: `file: what is wrong`: unreadable, not a WAV, truncated, empty, or no linear PCM.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        form, data = _chunks(content)
        samples = _samples(form, data)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    return convert(samples, form.rate)


def write_wav(path: Path | str, pcm: Pcm, rate: int = SAMPLE_RATE) -> None:
    """Write mono int16 samples; raises OSError where the file cannot be written."""
    Path(path).write_bytes(wav_bytes(pcm, rate))


def wav_bytes(pcm: Pcm, rate: int = SAMPLE_RATE) -> bytes:
    """A complete mono 16 bit WAV file in memory."""
    body = np.ascontiguousarray(pcm, dtype="<i2").tobytes()
    form = struct.pack("<HHIIHH", _PCM, 1, rate, rate * 2, 2, 16)
    return b"".join(
        [
            b"RIFF" + struct.pack("<I", 36 + len(body)) + b"WAVE",
            b"fmt " + struct.pack("<I", len(form)) + form,
            b"data" + struct.pack("<I", len(body)) + body,
        ]
    )


def _chunks(content: bytes) -> tuple[_Format, bytes]:
    """Format and sound of a RIFF file; ValueError says what is wrong."""
    if not content:
        raise ValueError("empty file")
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise ValueError("not a WAV file (no RIFF/WAVE header)")
    form: _Format | None = None
    at = 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], struct.unpack_from("<I", content, at + 4)[0]
        body = content[at + 8 : at + 8 + size]
        if name == b"data":
            if form is None:
                raise ValueError("not a usable WAV file (sound before its format)")
            if len(body) < size and size != _UNKNOWN_LENGTH:
                raise ValueError(f"truncated: {len(body)} of {size} bytes of sound")
            return form, body
        if len(body) < size:
            break
        if name == b"fmt ":
            form = _format(body)
        at += 8 + size + size % 2
    raise ValueError("truncated: no sound in it" if form else "truncated: no format in it")


def _format(body: bytes) -> _Format:
    if len(body) < 16:
        raise ValueError("truncated: its format is too short")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE:
        if len(body) < 26:
            raise ValueError("truncated: its extended format is too short")
        tag = struct.unpack_from("<H", body, 24)[0]  # the sub-format's GUID begins with the plain tag
    if (tag, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32)}:
        raise ValueError(f"format {tag:#06x} with {bits} bits; linear PCM of 8, 16, 24 or 32 bits is meant")
    if not 1 <= channels <= 64 or not 1000 <= rate <= 768_000:
        raise ValueError(f"{channels} channels at {rate} Hz: not a recording")
    return _Format(tag, channels, rate, bits)


def _samples(form: _Format, data: bytes) -> NDArray[np.float32] | Pcm:
    """Shape (n, channels): int16 where the file has 16 bits, else float32 of ±1."""
    step = form.bits // 8 * form.channels
    data = data[: len(data) - len(data) % step]
    if not data:
        raise ValueError("zero length: no samples in it")
    if form.tag == _FLOAT:
        return np.frombuffer(data, "<f4").reshape(-1, form.channels)
    if form.bits == 16:
        return np.frombuffer(data, "<i2").astype(np.int16).reshape(-1, form.channels)
    raw = np.frombuffer(data, np.uint8)
    if form.bits == 8:
        scaled = (raw.astype(np.float32) - 128.0) / 128.0
    elif form.bits == 24:
        wide = np.zeros((len(raw) // 3, 4), np.uint8)
        wide[:, 1:] = raw.reshape(-1, 3)
        scaled = (wide.reshape(-1).view("<i4") / 2.0**31).astype(np.float32)
    else:
        scaled = (raw.view("<i4") / 2.0**31).astype(np.float32)
    return scaled.reshape(-1, form.channels)
