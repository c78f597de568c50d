"""Any device format becomes 16 kHz mono int16."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.audio.resample import StreamConverter, convert, to_mono
from tests.audio.sounds import frequency, tone


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_level_and_length(rate: int) -> None:
    """1 kHz at any rate is 1 kHz at 16 kHz, as loud and as long."""
    out = convert(tone(1000, 1000, rate=rate), rate)
    assert abs(len(out) - 16_000) <= 1
    assert abs(frequency(out) - 1000) <= 2
    assert abs(int(np.abs(out[2000:-2000]).max()) - 8000) < 80


def test_what_16_khz_cannot_hold_is_removed() -> None:
    """10 kHz does not come back as 6 kHz."""
    assert np.abs(convert(tone(10_000, 500, rate=48_000), 48_000)[500:-500]).max() < 10


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=12), st.sampled_from([16_000, 44_100, 48_000]))
def test_cutting_a_stream_anywhere_changes_nothing(cuts: list[int], rate: int) -> None:
    """Blocks of any length, empty ones too, give exactly what the whole gives."""
    whole = tone(440, sum(cuts) * 1000 // rate + 1, rate=rate)
    converter = StreamConverter(rate)
    edges = np.minimum(np.cumsum([0, *cuts]), len(whole))
    parts = [converter.push(whole[a:b]) for a, b in zip(edges, [*edges[1:], len(whole)], strict=True)]
    streamed = np.concatenate([*parts, converter.flush()])
    assert np.array_equal(streamed, convert(whole, rate))


def test_channels_are_averaged_without_overflow() -> None:
    """Two loud channels do not wrap round."""
    stereo = np.array([[32767, 32767], [-32768, -32768], [100, 300]], np.int16)
    assert to_mono(stereo).tolist() == [32767, -32768, 200]


def test_float_samples_are_scaled_and_clipped_and_nan_is_silence() -> None:
    """Full scale is 1.0; a driver's NaN is not a crack."""
    block = np.array([0.5, -2.0, np.nan, np.inf], np.float32)
    assert to_mono(block).tolist() == [16384, -32768, 0, 32767]


@pytest.mark.parametrize("block", [np.zeros(4, np.int32), np.zeros(4, np.uint8)])
def test_other_sample_types_are_refused(block: np.ndarray) -> None:
    """An unscaled integer type would be noise or silence."""
    with pytest.raises(TypeError, match=str(block.dtype)):
        to_mono(block)


def test_impossible_shapes_and_rates_are_refused() -> None:
    """Three dimensions and rate 0 mean nothing."""
    with pytest.raises(ValueError, match="3 dimensions"):
        to_mono(np.zeros((2, 2, 2), np.int16))
    with pytest.raises(ValueError, match="positive"):
        StreamConverter(0)
