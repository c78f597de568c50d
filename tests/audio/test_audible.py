"""Whether anything that is played comes back at all."""

from __future__ import annotations

import pytest

from claudiad.audio.audible import DYING, KNOWN, Audible

ROOM, LOUD, SILENCE = -62.0, -20.0, -100.0


def after(audible: Audible, frames: int, heard: float, played: float) -> bool:
    """What it says of the last of so many frames."""
    said = True
    for _ in range(frames):
        said = audible.judge(heard, played, ROOM)
    return said


def test_until_it_is_known_there_may_be_an_echo() -> None:
    """The first half second of the first reply is cancelled, whatever comes back."""
    audible = Audible()
    assert after(audible, KNOWN - 1, ROOM, LOUD)
    assert not after(audible, 1, ROOM, LOUD)


@pytest.mark.parametrize(("above_room", "echo"), [(5.0, False), (7.0, True), (30.0, True)])
def test_an_echo_is_what_stands_out_of_the_room(above_room: float, echo: bool) -> None:
    """6 dB above the room's level while something loud is played."""
    assert after(Audible(), 100, ROOM + above_room, LOUD) is echo


def test_somebody_who_speaks_meanwhile_is_no_echo() -> None:
    """Two thirds of the time somebody speaks, and the rest is as quiet as the room: nothing comes back."""
    audible = Audible()
    for _ in range(40):
        after(audible, 2, -25.0, LOUD)
        said = after(audible, 1, ROOM, LOUD)
    assert not said


def test_quiet_sound_tells_nothing() -> None:
    """What is played softly may come back below the room's level: it does not count."""
    assert after(Audible(), 500, ROOM, -40.0)


def test_after_the_last_sound_there_is_none() -> None:
    """As soon as it has died away, what is heard is left alone; with the next sound it may be there again."""
    audible = Audible()
    after(audible, 100, -30.0, LOUD)
    assert after(audible, DYING, -30.0, SILENCE)
    assert not after(audible, 1, -30.0, SILENCE)
    assert after(audible, 1, -30.0, LOUD)


def test_a_speaker_that_is_turned_up_is_noticed() -> None:
    """Known to be silent, then heard: after a second and a half of loud sound it is cancelled again."""
    audible = Audible()
    assert not after(audible, 200, ROOM, LOUD)
    assert after(audible, 75, -30.0, LOUD)
