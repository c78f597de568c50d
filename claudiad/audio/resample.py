"""Any rate and channel count to the program's own (16 kHz mono int16), and from there to a speaker's rate.

The streaming converter holds back about 40 ms of audio at 44.1 and 48 kHz (measured with soxr 1.1, HQ).
soxr's LQ would hold back 20 ms, at the price of everything above 6.5 kHz: the difference between し and ひ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from claudiad.types import SAMPLE_RATE, Pcm

QUALITY = "HQ"

Block = NDArray[Any]
"""int16 or float32 (±1), shape (n,) for mono or (n, channels)."""


def to_mono(block: Block) -> Pcm:
    """The mean of the channels as int16, shape (n,).

    Raises:
        TypeError: the samples are neither int16 nor floating point.
        ValueError: the block has more than two dimensions.
    """
    if block.dtype == np.int16 and (block.ndim == 1 or (block.ndim == 2 and block.shape[1] == 1)):
        mono: Pcm = np.ascontiguousarray(block.reshape(-1), dtype=np.int16)
        return mono
    return _rounded(_mixed(block))


def _mixed(block: Block) -> NDArray[np.float32]:
    """The mean of the channels in steps of int16, not rounded."""
    if block.ndim not in (1, 2):
        raise ValueError(f"audio block of {block.ndim} dimensions; (n,) or (n, channels) is meant")
    whole = block.dtype == np.int16
    if not whole and not np.issubdtype(block.dtype, np.floating):
        raise TypeError(f"audio samples of type {block.dtype}; int16 or floating point is meant")
    columns = block if block.ndim == 2 else block[:, np.newaxis]
    # Column by column: numpy's mean over so short an axis takes ten times as long, fifty times a second.
    mixed = columns[:, 0].astype(np.float32)
    for channel in range(1, columns.shape[1]):
        mixed += columns[:, channel]
    if columns.shape[1] > 1:
        mixed /= columns.shape[1]
    # NaN and infinity come out of some drivers on their first block; they are silence and full scale.
    return mixed if whole else np.nan_to_num(mixed, posinf=1.0, neginf=-1.0) * np.float32(32767.0)


def _rounded(samples: NDArray[np.floating[Any]]) -> Pcm:
    steps = np.rint(samples)
    np.maximum(steps, -32768, out=steps)
    np.minimum(steps, 32767, out=steps)
    pcm: Pcm = steps.astype(np.int16)
    return pcm


class StreamConverter:
    """Blocks at a device's rate in, 16 kHz mono out, with the filter's state kept between blocks."""

    def __init__(self, rate: float, *, out_rate: float = SAMPLE_RATE) -> None:
        """Args: `rate` and `out_rate` in Hz.

        Raises:
            ValueError: a rate is not positive.
        """
        if rate <= 0 or out_rate <= 0:
            raise ValueError(f"sample rates must be positive, not {rate} and {out_rate}")
        self._stream: Any = None
        if rate != out_rate:
            import soxr

            self._stream = soxr.ResampleStream(rate, out_rate, 1, dtype="float32", quality=QUALITY)

    def push(self, block: Block) -> Pcm:
        """The output that is ready after `block` (may be empty); raises as `to_mono`."""
        if self._stream is None:
            return to_mono(block)
        return self._convert(_mixed(block), last=False)

    def flush(self) -> Pcm:
        """What the filter still holds; the converter is at its end after this."""
        nothing = np.zeros(0, np.float32)
        return self._convert(nothing, last=True) if self._stream is not None else nothing.astype(np.int16)

    def _convert(self, mono: NDArray[np.float32], *, last: bool) -> Pcm:
        # soxr dithers int16, seeded by the time of day: the same recording would not give the same samples twice.
        return _rounded(self._stream.resample_chunk(mono, last=last))


def convert(block: Block, rate: float, *, out_rate: float = SAMPLE_RATE) -> Pcm:
    """A whole recording at once: mono int16 at `out_rate` (16 kHz unless told otherwise); raises as `to_mono`."""
    converter = StreamConverter(rate, out_rate=out_rate)
    return np.concatenate([converter.push(block), converter.flush()])
