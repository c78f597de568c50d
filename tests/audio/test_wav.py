"""WAV files in and out."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.audio.wav import read_wav, wav_bytes, write_wav
from claudiad.errors import DataError
from tests.audio.sounds import frequency, tone


def _wav(bits: int, channels: int, rate: int, samples: np.ndarray, *, tag: int = 1, extensible: bool = False) -> bytes:
    """A file with a mono sound of ±1 on every channel."""
    wide = np.repeat(samples, channels)
    if tag == 3:
        body = wide.astype("<f4").tobytes()
    elif bits == 8:
        body = np.clip(wide * 128 + 128, 0, 255).astype(np.uint8).tobytes()
    else:
        scaled = np.clip(wide * 2.0 ** (bits - 1), -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1).astype("<i4")
        body = scaled.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
    step = bits // 8 * channels
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate, rate * step, step, bits)
    if extensible:
        form += struct.pack("<HHIH14s", 22, bits, 0, tag, bytes.fromhex("000000001000800000aa00389b71"))
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"LIST" + struct.pack("<I", 3) + b"odd\0"
    chunks += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(("bits", "tag"), [(8, 1), (16, 1), (24, 1), (32, 1), (32, 3)])
@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8000, 6)])
def test_every_linear_format_sounds_the_same(  # noqa: PLR0917
    tmp_path: Path, rate: int, channels: int, bits: int, tag: int, extensible: bool
) -> None:
    """Width, rate, channels and kind of header change neither pitch nor level."""
    path = tmp_path / "a.wav"
    path.write_bytes(_wav(bits, channels, rate, tone(500, 400, rate=rate) / 32768, tag=tag, extensible=extensible))
    pcm = read_wav(path)
    assert abs(len(pcm) - 6400) <= 1
    assert abs(frequency(pcm) - 500) <= 3
    assert abs(int(np.abs(pcm[1000:-1000]).max()) - 8000) < 300


@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=200))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, samples: list[int]) -> None:
    """16 kHz mono survives to the bit."""
    path = tmp_path_factory.getbasetemp() / "round.wav"
    write_wav(path, np.array(samples, np.int16))
    assert read_wav(path).tolist() == samples


GOOD = wav_bytes(tone(300, 40))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty file"),
        (b"ID3 this is no wave at all", "not a WAV file"),
        (GOOD[:30], "no format"),
        (GOOD[:40], "no sound"),
        (GOOD[:-2], "truncated: 1278 of 1280 bytes"),
        (wav_bytes(np.zeros(0, np.int16)), "zero length"),
        (GOOD.replace(struct.pack("<HH", 1, 1), struct.pack("<HH", 85, 1), 1), "0x0055 with 16 bits"),
        (GOOD.replace(struct.pack("<HHI", 1, 1, 16_000), struct.pack("<HHI", 1, 0, 16_000), 1), "0 channels"),
        (GOOD[:12] + GOOD[36:], "sound before its format"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path: Path, content: bytes, complaint: str) -> None:
    """The error is one line with the file's name and its fault."""
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_wav(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert complaint in str(caught.value)


def test_a_missing_file_is_a_data_error(tmp_path: Path) -> None:
    """A wrong path is said, not thrown as an OSError."""
    with pytest.raises(DataError, match=r"none\.wav: cannot be read"):
        read_wav(tmp_path / "none.wav")


def test_a_length_the_recorder_could_not_know_means_to_the_end(tmp_path: Path) -> None:
    """A WAV that came out of a pipe is no truncated one."""
    path = tmp_path / "pipe.wav"
    path.write_bytes(GOOD[:40] + b"\xff\xff\xff\xff" + GOOD[44:])
    assert len(read_wav(path)) == 640


@given(st.binary(max_size=120))
def test_no_content_raises_anything_but_data_error(tmp_path_factory: pytest.TempPathFactory, tail: bytes) -> None:
    """Whatever stands behind a WAV header is read or refused by name."""
    path = tmp_path_factory.getbasetemp() / "fuzz.wav"
    path.write_bytes(b"RIFF\0\0\0\0WAVE" + tail)
    with pytest.raises(DataError):
        read_wav(path)
