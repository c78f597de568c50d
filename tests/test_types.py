"""Values that can do something: utterances with silence behind them, and two as one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.types import Utterance, joined


def utterance(start: int, speech: tuple[int, int], commit: int) -> Utterance:
    """Samples that tell their own place in the stream."""
    pcm = np.arange(start, commit, dtype=np.int16)
    return Utterance(
        pcm, start, *speech, commit, voiced_ms=(speech[1] - speech[0]) // 16, level_dbfs=-20, floor_dbfs=-60
    )


@pytest.mark.parametrize(("ms", "samples"), [(0, 8000), (100, 8000), (200, 8000), (300, 9600)])
def test_silence_is_added_where_there_is_too_little(ms: int, samples: int) -> None:
    """200 ms are there; what is missing is zeros, what is there stays."""
    one = utterance(0, (1600, 4800), 8000)
    padded = one.with_silence(ms)
    assert len(padded) == samples
    assert np.array_equal(padded[:8000], one.pcm)
    assert not padded[8000:].any()


@given(st.integers(0, 3000), st.integers(-1000, 3000))
def test_two_are_one_stretch_of_the_stream(length: int, gap: int) -> None:
    """Every sample stands where it was; what neither has is zero; what both have is there once."""
    first = utterance(100, (200, 1100), 1200 + length)
    start = max(1100, first.commit_sample + gap)
    second = utterance(start, (start + 50, start + 700), start + 900)
    whole = joined(first, second)
    assert len(whole.pcm) == second.commit_sample - first.start_sample
    places = whole.pcm.astype(int) - np.arange(first.start_sample, second.commit_sample)
    assert set(np.unique(places[whole.pcm != 0])) <= {0}
    assert np.count_nonzero(whole.pcm == 0) == max(0, second.start_sample - first.commit_sample)
    assert (whole.speech_start_sample, whole.speech_end_sample) == (200, start + 700)
    assert whole.voiced_ms == first.voiced_ms + second.voiced_ms
