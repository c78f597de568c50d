"""The echo canceller as the conversation uses it: frames in, frames out."""

import logging
from collections.abc import Iterator
from itertools import cycle

import numpy as np
import pytest

from claudiad.audio.echo import LEAD_S, TAIL_S, EchoCanceller
from claudiad.audio.level import level_dbfs
from claudiad.audio.reference import PlaybackReference
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Frame, Pcm
from tests.audio.echoes import Microphone, echo, mixed, play, spoken
from tests.audio.sounds import noise, tone

REPLY = "天気はまだ分かりません。空を見てみてくださいね。"


class _Scene:
    """One robot in one room."""

    def __init__(self, **options: object) -> None:
        self.reference = PlaybackReference()
        self.echo = EchoCanceller(self.reference, **options)  # type: ignore[arg-type]
        self.microphone = Microphone()

    def idle(self, seconds: float) -> None:
        """Nothing is played, the room is quiet."""
        for frame in self.microphone.frames(noise(-62, round(seconds * 1000))):
            assert self.echo.process(frame) is frame

    def reply(self, heard: Pcm, played: Pcm, late: Iterator[float] | None = None) -> tuple[Pcm, list[bool]]:
        """Play it while the microphone hears this: what is left, and which frames hold nothing but echo."""
        play(self.reference, played, self.microphone.at)
        left, only = [], []
        for frame in self.microphone.frames(heard, late):
            left.append(self.echo.process(frame).pcm)
            only.append(self.echo.echo_only)
        return np.concatenate(left), only


def _fell_by(heard: Pcm, left: Pcm) -> float:
    return level_dbfs(heard[: len(left)]) - level_dbfs(left)


def test_while_nothing_is_played_frames_are_let_through() -> None:
    """The same objects, before a reply and from `TAIL_S` after it on."""
    asked: list[float] = []

    def keep(heard: Pcm, _played: Pcm) -> Pcm:
        asked.append(scene.microphone.at)
        return heard

    scene = _Scene(make=lambda: keep)
    scene.idle(1.0)
    begins = scene.microphone.at
    play(scene.reference, tone(600, 500), begins)
    for frame in scene.microphone.frames(noise(-62, 4000)):
        scene.echo.process(frame)
    assert begins <= asked[0] <= begins + 0.041
    assert asked[-1] == pytest.approx(begins + 0.5 + TAIL_S, abs=0.041)
    scene.idle(1.0)


def test_its_own_voice_is_taken_away() -> None:
    """Of the second reply a hundredth is left; position and time of the frames are theirs."""
    scene, played = _Scene(), spoken(REPLY)
    heard = echo(played, -6, 20)
    scene.idle(1.0)
    scene.reply(heard, played)
    left, _ = scene.reply(heard, played)
    assert _fell_by(heard, left) > 20
    frame = Frame(heard[:FRAME_SAMPLES], scene.microphone._position, scene.microphone.at + 0.02)
    after = scene.echo.process(frame)
    assert (after.start_sample, after.captured_at) == (frame.start_sample, frame.captured_at)


def test_a_thread_that_wakes_late_does_not_disturb_it() -> None:
    """Frames whose times are up to 15 ms wrong, each by another amount: as good as without."""
    scene, played = _Scene(), spoken(REPLY)
    heard, wrong = echo(played, -6, 20), cycle(np.random.default_rng(0).uniform(0, 0.015, 97))
    for frame in scene.microphone.frames(noise(-62, 2000), wrong):
        scene.echo.process(frame)
    scene.reply(heard, played, wrong)
    left, _ = scene.reply(heard, played, wrong)
    assert _fell_by(heard, left) > 18


def test_an_echo_that_seems_to_come_too_early_is_caught() -> None:
    """The device said that it takes 15 ms longer than it does."""
    scene, played = _Scene(), spoken(REPLY)
    early = echo(played, -6, 0)[240:]
    scene.idle(1.0)
    scene.reply(early, played)
    left, _ = scene.reply(early, played)
    assert LEAD_S > 0.015
    assert _fell_by(early, left) > 18


def test_its_own_voice_is_nobody_from_the_first_reply_on() -> None:
    """Hardly a loud frame of three replies in a room is taken for a voice."""
    scene, played = _Scene(), spoken(REPLY)
    heard = echo(played, -6, 20, 0.3)
    loud = [level_dbfs(heard[n : n + FRAME_SAMPLES]) > -50 for n in range(0, len(heard) - 319, FRAME_SAMPLES)]
    scene.idle(1.0)
    for _ in range(3):
        _, only = scene.reply(heard, played)
        taken = [one for one, is_loud in zip(only, loud, strict=True) if is_loud]
        assert np.mean(taken) > 0.95


def test_somebody_over_it_is_somebody() -> None:
    """Over the second reply: a good part of the frames are not only echo, and what is left sounds like him."""
    scene, played = _Scene(), spoken(REPLY)
    alone, person = echo(played, -6, 20), spoken("止まってください", -3.0, 9000.0)
    scene.idle(1.0)
    scene.reply(alone, played)
    left, only = scene.reply(mixed((alone, 0), (person, 24_000)), played)
    over = slice(24_000 // FRAME_SAMPLES, (24_000 + len(person)) // FRAME_SAMPLES)
    assert np.mean(only[over]) < 0.7
    likeness = np.corrcoef(left[24_000 : 24_000 + len(person)], person)[0, 1]
    assert likeness > 0.97


def test_what_was_taken_away_is_told() -> None:
    """In decibels for each frame, and 0 for one that was let through."""
    scene, played = _Scene(), spoken(REPLY)
    heard = echo(played, -6, 20)
    scene.reply(heard, played)
    play(scene.reference, played, scene.microphone.at)
    told = []
    for frame in scene.microphone.frames(heard):
        left = scene.echo.process(frame)
        told.append(scene.echo.suppressed_db)
        if left is not frame:
            assert told[-1] == pytest.approx(level_dbfs(frame.pcm) - level_dbfs(left.pcm))
    assert max(told) > 20
    for frame in scene.microphone.frames(noise(-62, 3000)):
        scene.echo.process(frame)
    assert scene.echo.suppressed_db == 0.0


def test_what_is_played_elsewhere_is_no_echo() -> None:
    """Headphones, or a canceller in the microphone: after half a second of it, frames are as they came."""
    scene, played = _Scene(), np.tile(spoken(REPLY), 2)
    person = spoken("止まってください", -3.0, 9000.0)
    heard = mixed((noise(-62, 10_000), 0), (person, len(played) // 2))[: len(played)]
    scene.idle(1.0)
    left, only = scene.reply(heard, played)
    half = len(played) // 2 // FRAME_SAMPLES
    assert np.array_equal(left[half * FRAME_SAMPLES :], heard[half * FRAME_SAMPLES : len(left)])
    assert not any(only[half:])


def test_switched_off_it_does_nothing() -> None:
    """`[audio] echo_cancellation = false`: not even while something is played."""
    scene, played = _Scene(enabled=False), spoken(REPLY)
    play(scene.reference, played, scene.microphone.at)
    for frame in scene.microphone.frames(echo(played, -6, 20)):
        assert scene.echo.process(frame) is frame
    assert not scene.echo.echo_only


def test_a_canceller_that_fails_is_done_without(caplog: pytest.LogCaptureFixture) -> None:
    """One line in the log; every frame arrives, that one too."""

    def broken(_heard: Pcm, _played: Pcm) -> Pcm:
        raise RuntimeError("no")

    scene, played = _Scene(make=lambda: broken), tone(600, 500)
    play(scene.reference, played, scene.microphone.at)
    for frame in scene.microphone.frames(tone(600, 500)):
        assert scene.echo.process(frame) is frame
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_the_canceller_gets_what_is_heard_and_what_is_played_then() -> None:
    """The reference, `LEAD_S` early, sample for sample, from the first sound on."""
    pairs: list[tuple[Pcm, Pcm]] = []

    def keep(heard: Pcm, played: Pcm) -> Pcm:
        pairs.append((heard, played))
        return heard

    scene, played = _Scene(make=lambda: keep), noise(-20, 1000)
    scene.idle(0.5)
    play(scene.reference, played, scene.microphone.at + 0.1)
    heard = noise(-40, 1200, seed=3)
    scene.reply(heard, np.zeros(0, np.int16))
    got = np.concatenate([one[1] for one in pairs])
    begin = int(np.flatnonzero(got)[0])
    assert np.array_equal(got[begin : begin + len(played)], played)
    first = np.flatnonzero([np.array_equal(pairs[0][0], heard[n : n + 320]) for n in range(0, 12_000, 320)])[0]
    assert (first * 320 + begin) / SAMPLE_RATE == pytest.approx(0.1 - LEAD_S, abs=1 / SAMPLE_RATE)
