"""The noise floor follows the room and not the speaker."""

from hypothesis import given
from hypothesis import strategies as st

from claudiad.audio.floor import LOWEST_DBFS, START_DBFS, NoiseFloor


def _feed(floor: NoiseFloor, levels: list[float], *, speech: bool) -> float:
    for level in levels:
        floor.update(level, speech=speech)
    return floor.dbfs


def test_the_first_frames_may_be_speech() -> None:
    """Speech from the first frame on leaves the floor where a quiet room has it."""
    floor = NoiseFloor()
    assert _feed(floor, [-25.0, -20.0, -30.0] * 10, speech=True) == START_DBFS


def test_the_first_room_noise_is_taken_at_once() -> None:
    """One frame without speech says how loud the room is."""
    assert _feed(NoiseFloor(), [-42.0], speech=False) == -42.0


def test_it_falls_quickly_and_rises_slowly() -> None:
    """A fan that stops is forgotten in 200 ms; a noise that starts needs a second for 10 dB."""
    floor = NoiseFloor()
    _feed(floor, [-40.0] * 50, speech=False)
    assert _feed(floor, [-60.0] * 10, speech=False) < -58.0
    before = floor.dbfs
    assert _feed(floor, [-40.0] * 50, speech=False) <= before + 10.01


def test_speech_with_its_dips_does_not_raise_it() -> None:
    """Ten seconds of syllables at -20 with closures down at -50 leave a floor of -55 below -45."""
    floor = NoiseFloor()
    _feed(floor, [-55.0] * 50, speech=False)
    assert _feed(floor, ([-20.0] * 40 + [-50.0] * 6) * 11, speech=True) < -45.0


def test_a_fan_taken_for_speech_is_learnt() -> None:
    """A steady sound that the detector calls speech is the room after four seconds."""
    floor = NoiseFloor()
    _feed(floor, [-60.0] * 50, speech=False)
    assert abs(_feed(floor, [-35.0] * 200, speech=True) + 35.0) < 2.0
    assert _feed(floor, [-60.0] * 20, speech=False) < -58.0


@given(st.lists(st.tuples(st.floats(-96, 0), st.booleans()), min_size=1, max_size=400))
def test_it_stays_between_silence_and_what_was_heard(frames: list[tuple[float, bool]]) -> None:
    """Whatever comes, the floor is finite and never above the loudest frame (or where it began)."""
    floor = NoiseFloor()
    for level, speech in frames:
        now = floor.update(level, speech=speech)
        assert LOWEST_DBFS <= now <= max(START_DBFS, *(one for one, _ in frames)) + 1e-9
