"""CTC arithmetic against the definition: every path written out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from claudiad.stt.evidence import BLANK, best_path, forced, log_softmax, weigh, without_decoder

Grid = NDArray[np.float32]


@st.composite
def grids(draw: st.DrawFn, frames: int = 5, classes: int = 4) -> Grid:
    """Log-probabilities of a few frames over a few classes."""
    shape = (draw(st.integers(1, frames)), draw(st.integers(2, classes)))
    values = st.floats(-8, 8, width=32)
    logits = draw(
        st.lists(st.lists(values, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0])
    )
    return log_softmax(np.array(logits, np.float32))


def collapsed(path: tuple[int, ...]) -> list[int]:
    """What a path says: repeats merged, then blanks removed."""
    return [c for c, _ in itertools.groupby(path) if c != BLANK]


def brute_force(log_p: Grid, labels: list[int]) -> float:
    """log P(labels) as the definition has it: the sum over all paths that say it."""
    frames, classes = log_p.shape
    paths = (p for p in itertools.product(range(classes), repeat=frames) if collapsed(p) == labels)
    found = [sum(float(log_p[t, c]) for t, c in enumerate(path)) for path in paths]
    return float(np.logaddexp.reduce(found)) if found else -math.inf


@given(st.data())
def test_the_forward_recursion_is_the_sum_over_all_paths(data: st.DataObject) -> None:
    """`forced` equals the sum over every path, for any labels, also ones that need more frames than there are."""
    log_p = data.draw(grids())
    labels = data.draw(st.lists(st.integers(1, log_p.shape[1] - 1), max_size=4))
    expected = brute_force(log_p, labels)
    if math.isinf(expected):
        assert forced(log_p, labels) == -math.inf
    else:
        assert forced(log_p, labels) == pytest.approx(expected, abs=1e-3)


@given(grids(frames=4, classes=3))
def test_all_texts_together_are_certain(log_p: Grid) -> None:
    """The probabilities of all label sequences sum to one."""
    frames, classes = log_p.shape
    texts = (list(t) for n in range(frames + 1) for t in itertools.product(range(1, classes), repeat=n))
    assert sum(math.exp(forced(log_p, t)) for t in texts) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("labels", "frames"), [([1, 2], 2), ([1, 1], 3), ([1, 1, 1], 5)])
def test_too_few_frames_cannot_say_it(labels: list[int], frames: int) -> None:
    """A repeated character needs a blank between: one frame fewer than needed is impossible, exactly enough is not."""
    even = log_softmax(np.zeros((frames, 3), np.float32))
    assert math.isfinite(forced(even, labels))
    assert forced(even[:-1], labels) == -math.inf


@given(grids())
def test_the_best_path_says_what_its_frames_say(log_p: Grid) -> None:
    """Greedy decoding is the collapse of the best class of each frame, with that path's own log-probability."""
    labels, total = best_path(log_p)
    path = tuple(int(c) for c in log_p.argmax(axis=1))
    assert labels == collapsed(path)
    assert total == pytest.approx(sum(float(log_p[t, c]) for t, c in enumerate(path)), abs=1e-4)


@given(st.data())
def test_no_text_is_better_supported_than_the_sound_itself(data: st.DataObject) -> None:
    """The gap is never negative, never infinite, and 50 when the text is impossible."""
    log_p = data.draw(grids())
    labels = data.draw(st.lists(st.integers(1, log_p.shape[1] - 1), max_size=8))
    found = weigh(log_p, labels, -1.0, 0.5)
    assert 0.0 <= found.gap <= 50.0
    if len(labels) > len(log_p):
        assert found.gap == 50.0
    assert 0.0 <= found.sharpness <= 1.0
    assert found.labels == tuple(labels)


def test_a_clear_sound_supports_its_own_text_only() -> None:
    """One-hot frames: no gap for what they say, a large one for anything else."""
    spoken = [0, 1, 1, 0, 2, 0]
    log_p = log_softmax(np.eye(3, dtype=np.float32)[spoken] * 20)
    assert weigh(log_p, [1, 2], 0.0, 1.0).gap == pytest.approx(0.0, abs=1e-3)
    assert weigh(log_p, [2, 1], 0.0, 1.0).gap > 5
    assert weigh(log_p, [1, 2], -0.6, 1.0).decoder_log_p == pytest.approx(-0.2)
    assert weigh(log_p, [1, 2], 0.0, 0.5).rate == pytest.approx(4.0)


def test_nothing_but_blanks_is_an_empty_text() -> None:
    """Silence votes for no character: no labels, no sharpness, finite figures."""
    log_p = log_softmax(np.array([[9.0, 0.0]] * 4, np.float32))
    found = without_decoder(log_p, 0.0)
    assert found.labels == ()
    assert (found.sharpness, found.rate) == (0.0, 0.0)
    assert math.isfinite(found.joint)
    assert math.isfinite(found.decoder_log_p)


@given(grids())
def test_without_a_decoder_the_heads_own_reading_is_taken(log_p: Grid) -> None:
    """Its labels are the greedy ones, and what it is unsure of costs confidence."""
    found = without_decoder(log_p, 1.0)
    assert list(found.labels) == best_path(log_p)[0]
    assert found.decoder_log_p <= 0.0
