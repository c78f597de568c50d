"""What was played, when: the reference of the echo canceller."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.audio.reference import PlaybackReference
from claudiad.audio.resample import convert
from claudiad.types import SAMPLE_RATE, Pcm
from tests.audio.sounds import noise, tone


def _write(reference: PlaybackReference, pcm: Pcm, rate: int, at: float, block: int) -> None:
    for begin in range(0, len(pcm), block):
        reference.write(pcm[begin : begin + block], rate, at + begin / rate)


def test_what_was_written_is_read_at_its_time() -> None:
    """Sample for sample, with zeros before and after."""
    reference, sound = PlaybackReference(), noise(-20, 500)
    _write(reference, sound, SAMPLE_RATE, 100.0, 320)
    read = reference.read(99.9, 12_000)
    assert not read[:1600].any()
    assert np.array_equal(read[1600:9600], sound)
    assert not read[9600:].any()


@pytest.mark.parametrize(("rate", "block"), [(48_000, 960), (44_100, 882), (44_100, 512), (22_050, 441), (8000, 37)])
def test_other_rates_are_converted_without_seams(rate: int, block: int) -> None:
    """Read frame by frame while it is written, it is what converting the whole at once gives."""
    reference = PlaybackReference()
    sound = convert(noise(-20, 1000), SAMPLE_RATE, out_rate=rate)
    ahead, written, frames = 0.04, 0, []
    for n in range(45):
        while written / rate < n * 0.02 + 0.02 + ahead:
            reference.write(sound[written : written + block], rate, 50.0 + written / rate)
            written += block
        frames.append(reference.read(50.0 + n * 0.02, 320))
    expected = convert(sound, rate)[: 45 * 320].astype(int)
    difference = np.abs(np.concatenate(frames).astype(int) - expected)
    assert np.sqrt(np.mean(difference[160:-160] ** 2)) < 0.01 * np.sqrt(np.mean(expected**2))


def test_the_end_of_a_sound_is_not_held_back() -> None:
    """A converter with state would keep the last 40 ms until more comes."""
    reference = PlaybackReference()
    _write(reference, tone(600, 100, rate=48_000), 48_000, 10.0, 960)
    read = reference.read(10.0, 1600)
    assert np.abs(read[-80:].astype(int)).max() > 6000


def test_a_block_that_comes_late_has_a_gap_before_it() -> None:
    """Two sounds with a pause: the pause is silent and as long as it was."""
    reference = PlaybackReference()
    reference.write(np.full(320, 1000, np.int16), SAMPLE_RATE, 10.0)
    reference.write(np.full(320, 2000, np.int16), SAMPLE_RATE, 10.1)
    read = reference.read(10.0, 3200)
    assert np.all(read[:320] == 1000)
    assert not read[320:1600].any()
    assert np.all(read[1600:1920] == 2000)


def test_a_block_a_hair_off_follows_without_a_seam() -> None:
    """Times that are a millisecond wrong neither leave a hole nor overlap."""
    reference, sound = PlaybackReference(), noise(-20, 200)
    for n, wrong in enumerate((0.0, 0.001, -0.001, 0.0005, 0.0) * 2):
        reference.write(sound[n * 320 : (n + 1) * 320], SAMPLE_RATE, 10.0 + n * 0.02 + wrong)
    assert np.array_equal(reference.read(10.0, 3200), sound)


def test_memory_is_bounded_whether_anybody_reads_or_not() -> None:
    """Of a minute the last second is there, and the rest is silent, not what was in its place."""
    for reads in (False, True):
        reference = PlaybackReference(keep_s=1.0)
        for n in range(3000):
            reference.write(np.full(320, n % 1000 + 1, np.int16), SAMPLE_RATE, n * 0.02)
            if reads:
                reference.read(n * 0.02, 320)
        assert len(reference._new) <= 51
        assert not reference.read(57.0, 320).any()
        assert reference.read(59.9, 1)[0] == 2995 % 1000 + 1
        assert len(reference._spans) == 1


def test_old_sound_does_not_come_back_behind_a_long_pause() -> None:
    """A ring that is reused: what was played a minute ago is silent now."""
    reference = PlaybackReference(keep_s=1.0)
    reference.write(np.full(8000, 1000, np.int16), SAMPLE_RATE, 10.0)
    reference.read(10.0, 320)
    reference.write(np.full(320, 2000, np.int16), SAMPLE_RATE, 70.7)
    assert not reference.read(70.0, 11_200).any()


def test_audible_while_it_sounds_and_for_the_tail() -> None:
    """From its first sample on, not before; until the tail is over."""
    reference = PlaybackReference()
    reference.write(np.full(1600, 500, np.int16), SAMPLE_RATE, 10.0)
    assert not reference.audible(9.99)
    assert reference.audible(10.05)
    assert not reference.audible(10.2)
    assert reference.audible(10.2, 0.2)
    assert not reference.audible(10.4, 0.2)


def test_silence_is_not_audible() -> None:
    """Zeros are written by a device that has nothing to play."""
    reference = PlaybackReference()
    reference.write(np.zeros(1600, np.int16), SAMPLE_RATE, 10.0)
    assert not reference.audible(10.05, 1.0)


def test_the_samples_are_copied() -> None:
    """The device's buffer is used again for the next block."""
    reference, buffer = PlaybackReference(), np.full(320, 1000, np.int16)
    reference.write(buffer, SAMPLE_RATE, 10.0)
    buffer[:] = 0
    assert np.all(reference.read(10.0, 320) == 1000)


def test_one_thread_writes_while_another_reads() -> None:
    """Every block that was read back is whole."""
    reference = PlaybackReference()

    def write() -> None:
        for n in range(400):
            reference.write(np.full(320, n + 1, np.int16), SAMPLE_RATE, n * 0.02)

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(200):
        reference.read(0.0, 320)
        reference.audible(1.0, 1.0)
    writer.join()
    read = reference.read(0.0, 400 * 320)
    assert np.array_equal(read[::320], np.arange(1, 401))


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(1, 900), st.integers(0, 2000)), min_size=1, max_size=25),
    st.integers(-500, 40_000),
    st.integers(1, 5000),
)
def test_any_writes_any_read(pieces: list[tuple[int, int]], start: int, count: int) -> None:
    """Property: pieces with pauses between them, read anywhere, are as laid on an endless tape."""
    tape = np.zeros(100_000, np.int16)
    reference, at = PlaybackReference(), 0
    for number, (length, pause) in enumerate(pieces):
        piece = np.full(length, number + 1, np.int16)
        reference.write(piece, SAMPLE_RATE, 5.0 + at / SAMPLE_RATE)
        tape[1000 + at : 1000 + at + length] = piece
        at += length + (pause if pause > 200 else 0)
    read = reference.read(5.0 + start / SAMPLE_RATE, count)
    assert np.array_equal(read, tape[1000 + start : 1000 + start + count])
