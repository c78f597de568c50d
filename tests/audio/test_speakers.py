"""Speakers: what sounds, for how long, and how it ends."""

import asyncio
import logging
from typing import cast

import numpy as np
import pytest

from claudiad.audio.device_out import DeviceSpeaker
from claudiad.audio.speaker import Speaker
from claudiad.audio.virtual import MemorySpeaker, NullSpeaker
from claudiad.clock import JumpClock
from claudiad.config import AudioSettings
from claudiad.types import Pcm
from tests.audio.fake_host import FakeHost
from tests.audio.sounds import frequency, tone


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class _Device:
    """A device speaker on a fake host whose device takes 20 ms every 20 ms."""

    def __init__(self, rate: int = 16_000, channels: int = 1, *, present: bool = True, **settings: int) -> None:
        self.clock = JumpClock()
        self.host = FakeHost(rate, channels, present=present)
        self.speaker = DeviceSpeaker(AudioSettings(**settings), self.clock, self.host)
        self.heard: list[Pcm] = []
        self.frozen = False

    async def run(self) -> None:
        """The device's own rhythm."""
        while True:
            await self.clock.sleep(0.02)
            if self.host.running and not self.frozen:
                self.heard.append(self.host.last.take(self.host.rate // 50))

    async def __aenter__(self) -> "_Device":
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def everything(self) -> Pcm:
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.int16)


async def test_a_device_plays_every_sample_at_its_own_rate() -> None:
    """16 kHz mono comes out of a 48 kHz stereo device with its pitch, length and order."""
    async with _Device(48_000, 2) as device:
        await device.speaker.play(tone(600, 500), 16_000)
        sound = device.everything()
    loud = np.flatnonzero(sound)
    assert abs((loud[-1] - loud[0]) / 48_000 - 0.5) < 0.002
    assert abs(frequency(sound[loud[0] : loud[-1]], 48_000) - 600) < 4


async def test_play_returns_when_the_last_sample_has_been_handed_over() -> None:
    """Neither before the device has it all nor long after."""
    async with _Device() as device:
        await device.speaker.open()
        start = device.clock.now()
        await device.speaker.play(tone(600, 500), 16_000)
        assert device.clock.now() - start == pytest.approx(0.5, abs=0.041)
        sound = device.everything()
        begin = int(np.flatnonzero(sound)[0]) - 1  # a sine's first sample is 0
        assert np.array_equal(sound[begin : begin + 8000], tone(600, 500))


async def test_the_first_sample_is_reported_once_with_its_time() -> None:
    """The ledger gets the time the device took the first block, not the time of the call."""
    async with _Device() as device:
        await device.speaker.open()
        await device.clock.sleep(1.0)
        times: list[float] = []
        asked = device.clock.now()
        await device.speaker.play(tone(600, 300), 16_000, times.append)
        assert len(times) == 1
        assert asked <= times[0] <= asked + 0.021


async def test_stop_silences_the_device_with_its_next_block() -> None:
    """After stop only zeros are taken, play returns, and the rest never sounds."""
    async with _Device() as device:
        play = asyncio.create_task(device.speaker.play(np.full(32_000, 1000, np.int16), 16_000))
        await device.clock.sleep(0.5)
        assert device.speaker.playing
        before = len(device.heard)
        device.speaker.stop()
        await play
        await device.clock.sleep(0.5)
        assert not np.concatenate(device.heard[before:]).any()
        assert not device.speaker.playing


async def test_cancelling_silences_the_device_with_its_next_block() -> None:
    """A cancelled turn leaves nothing playing."""
    async with _Device() as device:
        play = asyncio.create_task(device.speaker.play(np.full(32_000, 1000, np.int16), 16_000))
        await device.clock.sleep(0.5)
        play.cancel()
        await asyncio.gather(play, return_exceptions=True)
        before = len(device.heard)
        await device.clock.sleep(0.3)
        assert play.cancelled()
        assert not np.concatenate(device.heard[before:]).any()


async def test_a_missing_device_takes_the_time_and_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """A turn goes on as if it were heard; the device is looked for again, and used when it is there."""
    async with _Device(present=False, reopen_ms=1000) as device:
        start = device.clock.now()
        for _ in range(4):
            await device.speaker.play(tone(600, 400), 16_000)
        assert device.clock.now() - start == pytest.approx(1.6, abs=0.05)
        assert 2 <= device.host.attempts <= 3
        device.host.present = True
        await device.clock.sleep(1.0)
        await device.speaker.play(tone(600, 400), 16_000)
        assert device.everything().any()
    assert [record.levelno for record in caplog.records].count(logging.WARNING) == 1


@pytest.mark.parametrize("how", ["ends", "freezes"])
async def test_a_device_that_goes_away_in_mid_sentence_costs_only_the_sound(how: str) -> None:
    """The rest is played to nowhere in its own time, the device is closed, and the next call opens it anew."""
    async with _Device(stale_ms=300) as device:
        play = asyncio.create_task(device.speaker.play(np.full(32_000, 1000, np.int16), 16_000))
        await device.clock.sleep(0.5)
        if how == "ends":
            device.host.last.on_end()
        device.frozen = True
        await play
        assert device.clock.now() == pytest.approx(2.0 if how == "ends" else 2.3, abs=0.1)
        device.frozen = False
        await device.speaker.play(tone(600, 100), 16_000)
        assert [stream.closed for stream in device.host.streams] == [True, False]


async def test_closing_releases_the_device() -> None:
    """Nothing is open afterwards, and the latency of no device is 0."""
    async with _Device() as device:
        await device.speaker.open()
        assert device.speaker.latency_s == 0.04
        await device.speaker.close()
        assert device.host.running == 0
        assert device.speaker.latency_s == 0.0


async def test_memory_keeps_what_sounded_and_when() -> None:
    """Two plays after one another: their times, their samples at 16 kHz."""
    clock = JumpClock(10.0)
    speaker = MemorySpeaker(clock)
    first: list[float] = []
    await asyncio.gather(
        speaker.play(tone(600, 500, rate=48_000), 48_000, first.append), speaker.play(tone(300, 200), 16_000)
    )
    assert first == [10.0]
    assert [round(one.start_time, 6) for one in speaker.played] == [10.0, 10.5]
    assert [len(one.pcm) for one in speaker.played] == [8000, 3200]
    assert len(speaker.everything()) == 11_200
    assert not speaker.playing


async def test_memory_in_fast_pace_takes_no_time() -> None:
    """The clock stands still and everything is kept."""
    clock = JumpClock()
    speaker = MemorySpeaker(clock, "fast")
    await speaker.play(tone(600, 500), 16_000)
    assert clock.now() == 0.0
    assert len(speaker.everything()) == 8000


@pytest.mark.parametrize("kind", ["memory", "null", "device", "missing"])
async def test_stop_ends_what_plays_and_what_waits(kind: str) -> None:
    """Every speaker: the present call and the one behind it return early; a later one plays."""
    async with _Device(present=kind != "missing") as device:
        clock = device.clock
        speakers = {"memory": MemorySpeaker(clock), "null": NullSpeaker(clock)}
        speaker = cast(Speaker, speakers.get(kind, device.speaker))
        plays = [asyncio.create_task(speaker.play(tone(600, 5000), 16_000)) for _ in range(2)]
        await clock.sleep(0.3)
        speaker.stop()
        await clock.sleep(0.05)
        assert all(play.done() for play in plays)
        before = clock.now()
        await speaker.play(tone(600, 200), 16_000)
        assert clock.now() - before >= 0.19


async def test_stop_does_not_wait_for_a_busy_loop() -> None:
    """The very next block is silent, before the event loop has had a turn."""
    async with _Device() as device:
        play = asyncio.create_task(device.speaker.play(np.full(32_000, 1000, np.int16), 16_000))
        await device.clock.sleep(0.3)
        assert device.host.last.take(320).any()
        device.speaker.stop()
        assert not device.host.last.take(320).any()
        await play


async def test_stop_works_from_another_thread() -> None:
    """The stop lane is not the loop's: it may silence from its own thread."""
    async with _Device() as device:
        play = asyncio.create_task(device.speaker.play(tone(600, 5000), 16_000))
        await device.clock.sleep(0.3)
        await asyncio.to_thread(device.speaker.stop)
        await _turns(30)
        assert play.done()


async def test_memory_keeps_only_what_sounded_before_the_stop() -> None:
    """300 ms of five seconds."""
    clock = JumpClock()
    speaker = MemorySpeaker(clock)
    play = asyncio.create_task(speaker.play(tone(600, 5000), 16_000))
    await clock.sleep(0.3)
    assert speaker.playing
    speaker.stop()
    await play
    assert len(speaker.everything()) == pytest.approx(4800, abs=320)


async def test_a_device_notes_what_sounds_and_when_it_is_heard() -> None:
    """The reference has the very samples, at 16 kHz, from the time of the device's block plus its latency."""
    async with _Device(48_000, 2) as device:
        await device.speaker.open()
        await device.clock.sleep(1.0)
        times: list[float] = []
        await device.speaker.play(tone(600, 300), 16_000, times.append)
        heard = device.speaker.reference.read(times[0] - 0.1, 12_000).astype(int)
        begin = int(np.flatnonzero(np.abs(heard) > 400)[0])
        assert begin / 16_000 - 0.1 == pytest.approx(0.04, abs=0.001)
        assert np.abs(heard[begin : begin + 4700] - tone(600, 300)[1:4701]).max() < 1000
        assert device.speaker.reference.audible(device.clock.now())


async def test_a_stopped_device_notes_only_what_it_took() -> None:
    """What was cut off never sounded, and is no reference."""
    async with _Device() as device:
        play = asyncio.create_task(device.speaker.play(np.full(32_000, 1000, np.int16), 16_000))
        await device.clock.sleep(0.5)
        device.speaker.stop()
        await play
        await device.clock.sleep(0.5)
        noted = device.speaker.reference.read(0.0, 32_000)
        assert np.count_nonzero(noted) == np.count_nonzero(device.everything())


async def test_without_a_device_nothing_is_noted() -> None:
    """A missing speaker and one that plays to nobody: nothing was in the air."""
    async with _Device(present=False) as device:
        for speaker in (device.speaker, NullSpeaker(device.clock)):
            await speaker.play(tone(600, 300), 16_000)
            assert not speaker.reference.audible(device.clock.now(), 10.0)


@pytest.mark.parametrize("kind", ["memory", "device"])
async def test_the_gain_lowers_what_sounds_and_the_reference_alike(kind: str) -> None:
    """Ducked in the middle of a sound: 12 dB within 40 ms, no click, in what is heard and in what is noted."""
    async with _Device() as device:
        memory = MemorySpeaker(device.clock)
        speaker = cast(Speaker, memory if kind == "memory" else device.speaker)
        await speaker.open()
        play = asyncio.create_task(speaker.play(np.full(16_000, 8000, np.int16), 16_000))
        await device.clock.sleep(0.5)
        speaker.set_gain(0.25)
        asked = device.clock.now()
        await play
        sound = memory.everything() if kind == "memory" else device.everything()
        sound = sound[np.flatnonzero(sound)[0] : np.flatnonzero(sound)[-1] + 1].astype(int)
        assert len(sound) == 16_000
        assert (sound[0], sound[-1]) == (8000, 2000)
        assert np.diff(sound).min() > -200
        noted = speaker.reference.read(0.0, 32_000).astype(int)
        assert np.array_equal(noted[noted > 0], sound)
        lowered = int(np.flatnonzero(noted == 2000)[0]) / 16_000
        assert lowered - asked <= speaker.latency_s + 0.041


@pytest.mark.parametrize("kind", ["memory", "device"])
async def test_the_gain_stays_for_what_comes_after(kind: str) -> None:
    """Also for a device that was opened anew meanwhile; a gain that is none is refused."""
    async with _Device() as device:
        memory = MemorySpeaker(device.clock)
        speaker = cast(Speaker, memory if kind == "memory" else device.speaker)
        speaker.set_gain(0.5)
        await speaker.open()
        await speaker.play(np.full(4000, 8000, np.int16), 16_000)
        sound = memory.everything() if kind == "memory" else device.everything()
        assert int(sound[-1] if kind == "memory" else sound[np.flatnonzero(sound)[-1]]) == 4000
        for wrong in (-0.1, 1.5, float("nan")):
            with pytest.raises(ValueError, match="gain"):
                speaker.set_gain(wrong)


async def test_memory_that_takes_no_time_is_not_in_the_air() -> None:
    """Recordings faster than real time are not heard by anybody."""
    speaker = MemorySpeaker(JumpClock(5.0), "fast")
    await speaker.play(tone(600, 500), 16_000)
    assert not speaker.reference.audible(5.1, 1.0)


async def test_memory_lowers_its_own_copy() -> None:
    """What is cached and played again is as loud as before."""
    speaker, sound = MemorySpeaker(JumpClock()), np.full(3200, 8000, np.int16)
    speaker.set_gain(0.25)
    await speaker.play(sound, 16_000)
    assert np.all(sound == 8000)
