"""A device that is missing, lost, slow or mute, and frames all the same."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

import numpy as np
import pytest

from claudiad.audio.device import DeviceMicrophone
from claudiad.clock import JumpClock
from claudiad.config import AudioSettings
from claudiad.types import Frame
from tests.audio.fake_host import FakeHost
from tests.audio.sounds import frequency, tone


class _Bench:
    """A device microphone on a fake host, driven block by block."""

    def __init__(self, host: FakeHost, **settings: int) -> None:
        self.host = host
        self.clock = JumpClock()
        self.microphone = DeviceMicrophone(AudioSettings(**settings), self.clock, host)
        self.got: list[Frame] = []

    async def listen(self) -> None:
        async with aclosing(self.microphone.frames()) as frames:
            async for frame in frames:
                self.got.append(frame)

    async def until(self, condition: object) -> None:
        """Let the loop run until something holds; so many turns of it are for ever."""
        assert callable(condition)
        for _ in range(20_000):
            if condition():
                return
            await asyncio.sleep(0)
        pytest.fail("it never came")

    async def hear(self, mono: np.ndarray) -> None:
        """One block from the device, taken in before anything else happens."""
        self.host.last.capture(mono)
        for _ in range(3):
            await asyncio.sleep(0)


@asynccontextmanager
async def _listening(bench: _Bench) -> AsyncGenerator[_Bench]:
    task = asyncio.create_task(bench.listen())
    try:
        yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _opened(bench: _Bench) -> None:
    await bench.until(lambda: bench.microphone.stats.state == "open")


async def test_stereo_at_48_khz_becomes_16_khz_frames() -> None:
    """The device's own format goes in; its tone comes out in contiguous 20 ms frames."""
    async with _listening(_Bench(FakeHost(48_000, 2))) as bench:
        await _opened(bench)
        sound = tone(700, 1000, rate=48_000)
        for at in range(0, len(sound), 960):
            await bench.hear(sound[at : at + 960])
    assert len(bench.got) >= 47
    assert [frame.start_sample for frame in bench.got] == [320 * k for k in range(len(bench.got))]
    assert abs(frequency(np.concatenate([frame.pcm for frame in bench.got])) - 700) < 5
    assert (bench.microphone.stats.rate, bench.microphone.stats.channels) == (48_000, 2)


async def test_at_ease_the_same_frames_come_a_few_at_a_time() -> None:
    """In a quiet room 100 ms wake the loop once, with the times they would have had; then nothing is held back."""
    async with _listening(_Bench(FakeHost())) as bench:
        await _opened(bench)
        bench.microphone.attend(closely=False)
        got = []
        for _ in range(11):
            await bench.clock.sleep(0.02)
            await bench.hear(tone(700, 20))
            got.append(len(bench.got))
        assert got == [0, 0, 0, 0, 5, 5, 5, 5, 5, 10, 10]
        bench.microphone.attend(closely=True)
        await bench.until(lambda: len(bench.got) == 11)
        await bench.hear(tone(700, 20))
        assert len(bench.got) == 12
    assert [frame.start_sample for frame in bench.got] == [320 * k for k in range(12)]
    assert [frame.captured_at for frame in bench.got[:11]] == pytest.approx([0.02 * k for k in range(1, 12)])


async def test_at_ease_a_frame_has_the_time_of_the_most_punctual_block() -> None:
    """One thread that wakes late in five does not shift what it brings: an echo is looked for by these times."""
    async with _listening(_Bench(FakeHost())) as bench:
        await _opened(bench)
        bench.microphone.attend(closely=False)
        for late in (0.008, 0.0, 0.012, 0.015, 0.009):
            await bench.clock.sleep(0.02 + late)
            bench.host.last.capture(tone(700, 20))
            bench.clock._now -= late
        await bench.until(lambda: len(bench.got) == 5)
    assert [frame.captured_at for frame in bench.got] == pytest.approx([0.02 * k for k in range(1, 6)])


async def test_at_ease_a_device_that_goes_away_is_noticed_as_soon() -> None:
    """What it had delivered before is not lost, and it is reopened; the next one is as much at ease."""
    async with _listening(_Bench(FakeHost(), stale_ms=400)) as bench:
        await _opened(bench)
        bench.microphone.attend(closely=False)
        await bench.hear(tone(400, 20))
        await bench.until(lambda: len(bench.host.streams) == 2)
        assert len(bench.got) == 1
        await bench.hear(tone(400, 20))
        assert len(bench.got) == 1


async def test_closing_the_listener_closes_the_device() -> None:
    """No stream and no task is left over, and the state says so."""
    async with _listening(_Bench(FakeHost())) as bench:
        await _opened(bench)
        assert bench.host.running == 1
    assert bench.host.running == 0
    assert bench.microphone.stats.state == "closed"
    assert len(asyncio.all_tasks()) == 1


async def test_a_device_missing_at_start_is_waited_for_with_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Every reopen_ms another attempt, one warning in all, and frames once it is there."""
    caplog.set_level(logging.INFO)
    async with _listening(_Bench(FakeHost(present=False), reopen_ms=500)) as bench:
        await bench.until(lambda: bench.clock.now() >= 5.0)
        assert bench.microphone.stats.state == "missing"
        assert 10 <= bench.host.attempts <= 12
        bench.host.present = True
        await _opened(bench)
        await bench.hear(tone(400, 40))
        await bench.until(lambda: len(bench.got) == 2)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "no device 'default'" in warnings[0]
    assert "every 500 ms" in warnings[0]


async def test_a_silent_device_is_given_up_and_reopened_without_a_gap(caplog: pytest.LogCaptureFixture) -> None:
    """PortAudio tells nothing: after stale_ms without a block the device is reopened and the count goes on."""
    async with _listening(_Bench(FakeHost(), stale_ms=400)) as bench:
        await _opened(bench)
        await bench.hear(tone(400, 60))
        await bench.until(lambda: len(bench.host.streams) == 2)
        assert 0.4 <= bench.clock.now() <= 0.6
        assert bench.host.streams[0].closed
        await bench.until(lambda: bench.microphone.stats.state == "open")
        await bench.hear(tone(400, 60))
        await bench.until(lambda: len(bench.got) == 6)
    assert [frame.start_sample for frame in bench.got] == [320 * k for k in range(6)]
    assert bench.microphone.stats.reopened == 1
    assert "no audio for 0.4 s" in caplog.text


async def test_a_device_that_ends_by_itself_is_reopened_at_once() -> None:
    """A server that dies says so; nobody waits for stale_ms."""
    async with _listening(_Bench(FakeHost())) as bench:
        await _opened(bench)
        await bench.hear(tone(400, 20))
        before = bench.clock.now()
        bench.host.last.on_end()
        await bench.until(lambda: len(bench.host.streams) == 2)
        assert bench.clock.now() - before < 0.5


async def test_a_lost_device_that_is_gone_is_lost_and_not_missing() -> None:
    """The state tells a robot whose microphone fell off from one that never had any."""
    async with _listening(_Bench(FakeHost(), reopen_ms=100)) as bench:
        await _opened(bench)
        await bench.hear(tone(400, 20))
        bench.host.present = False
        bench.host.last.on_end()
        await bench.until(lambda: bench.host.attempts >= 4)
        assert bench.microphone.stats.state == "lost"
        bench.host.present = True
        await _opened(bench)
    assert bench.microphone.stats.reopened == 1


async def test_a_device_that_opens_and_never_delivers_is_not_opened_without_rest() -> None:
    """A first block may take five seconds; then comes the pause, not a storm."""
    async with _listening(_Bench(FakeHost(), reopen_ms=1000, stale_ms=400)) as bench:
        await bench.until(lambda: len(bench.host.streams) == 3)
        assert bench.clock.now() >= 12.0


async def test_what_does_not_fit_is_counted_and_the_rest_is_kept() -> None:
    """A loop that is busy for 300 ms with a ring of 200 ms loses 100 ms, and knows it."""
    async with _listening(_Bench(FakeHost(), ring_ms=200)) as bench:
        await _opened(bench)
        for _ in range(15):
            bench.host.last.capture(tone(400, 20))
        await bench.until(lambda: len(bench.got) == 10)
        await bench.hear(tone(400, 20))
        await bench.until(lambda: len(bench.got) == 11)
    assert bench.microphone.stats.overflow_samples == 1600


async def test_only_zeros_for_five_seconds_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line with what to do; sound takes the flag back."""
    async with _listening(_Bench(FakeHost(), stale_ms=10_000)) as bench:
        await _opened(bench)
        for _ in range(60):
            await bench.hear(np.zeros(1600, np.int16))
        assert bench.microphone.stats.silent_zeros
        await bench.hear(tone(400, 100))
        await bench.until(lambda: len(bench.got) == 305)
        assert not bench.microphone.stats.silent_zeros
    assert caplog.text.count("delivers only zeros") == 1
    assert "alsamixer" in caplog.text


async def test_frames_of_a_backlog_know_when_they_were_in_the_air() -> None:
    """Three frames that come in one block were captured 40, 20 and 0 ms before it."""
    async with _listening(_Bench(FakeHost())) as bench:
        await _opened(bench)
        await bench.hear(tone(400, 60))
        await bench.until(lambda: len(bench.got) == 3)
        times = [frame.captured_at for frame in bench.got]
    assert np.diff(times) == pytest.approx([0.02, 0.02])
    assert times[-1] <= bench.clock.now()
