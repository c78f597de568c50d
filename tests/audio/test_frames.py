"""Frames are exactly 20 ms whatever comes in."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from claudiad.audio.frames import FrameCutter, split


@given(st.lists(st.integers(0, 1500), max_size=20))
def test_nothing_is_lost_doubled_or_reordered(lengths: list[int]) -> None:
    """Joined again, the frames are the stream, and only less than a frame is held back."""
    stream = (np.arange(sum(lengths)) % 30_011).astype(np.int16)
    cutter, frames, at = FrameCutter(), [], 0
    for length in lengths:
        frames += cutter.push(stream[at : at + length])
        at += length
        assert cutter.pending == at % 320
    assert all(frame.shape == (320,) for frame in frames)
    joined = np.concatenate([np.zeros(0, np.int16), *frames])
    assert np.array_equal(joined, stream[: len(joined)])
    assert len(stream) - len(joined) == cutter.pending


def test_the_end_is_padded_once() -> None:
    """One sample more than a frame makes a second frame of one sample and zeros."""
    frames = split(np.ones(321, np.int16))
    assert [int(frame.sum()) for frame in frames] == [320, 1]
    assert split(np.zeros(0, np.int16)) == []


def test_discarded_samples_do_not_come_back() -> None:
    """After a break the next frame begins with the next stretch of sound."""
    cutter = FrameCutter()
    cutter.push(np.full(100, 7, np.int16))
    cutter.discard()
    assert cutter.push(np.zeros(320, np.int16))[0].any() == np.False_


def test_a_kept_rest_does_not_change_with_the_callers_buffer() -> None:
    """A device's buffer is reused after the call; what was kept must be a copy."""
    cutter, buffer = FrameCutter(), np.full(100, 7, np.int16)
    cutter.push(buffer)
    buffer[:] = 9
    assert set(cutter.push(np.full(220, 7, np.int16))[0].tolist()) == {7}
