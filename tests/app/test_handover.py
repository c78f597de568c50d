"""A microphone that passes from one conversation to the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import numpy as np
import pytest

from claudiad.app.handover import WAITING_MS, HandedOver
from claudiad.audio.microphone import CaptureStats
from claudiad.errors import DeviceError
from claudiad.types import FRAME_MS, FRAME_SAMPLES, Frame

WAITING = WAITING_MS // FRAME_MS


class Counting:
    """Frames whose samples are their number, as fast as they are taken."""

    def __init__(self, count: int, fault: Exception | None = None) -> None:
        self.stats = CaptureStats()
        self.made = 0
        self.closed = False
        self.closely = True
        self._count = count
        self._fault = fault

    def attend(self, *, closely: bool) -> None:
        self.closely = closely

    async def frames(self) -> AsyncGenerator[Frame, None]:
        try:
            for number in range(self._count):
                self.made += 1
                yield Frame(np.full(FRAME_SAMPLES, number, np.int16), number * FRAME_SAMPLES, float(number))
                await asyncio.sleep(0)
            if self._fault is not None:
                raise self._fault
        finally:
            self.closed = True


async def take(microphone: HandedOver, count: int) -> list[Frame]:
    got: list[Frame] = []
    async with aclosing(microphone.frames()) as frames:
        async for frame in frames:
            got.append(frame)
            if len(got) == count:
                break
    return got


async def test_no_frame_is_lost_between_two_listeners() -> None:
    """The second hears on where the first stopped, counted from 0 as its own; the device stays open."""
    inner = Counting(100 + 2 * WAITING)  # more than is read ahead
    async with HandedOver(inner) as microphone:
        first = await take(microphone, 40)
        assert not inner.closed
        second = await take(microphone, 60)
        assert not inner.closed
        assert [int(f.pcm[0]) for f in first + second] == list(range(100))
        assert [f.start_sample for f in second] == [n * FRAME_SAMPLES for n in range(60)]
        assert [f.captured_at for f in second] == [float(n) for n in range(40, 100)]
        assert microphone.taken == 100
        assert microphone.stats is inner.stats


async def test_a_listener_that_is_cancelled_loses_nothing() -> None:
    """A conversation ends by cancellation while it waits for a frame."""
    inner = Counting(10)
    async with HandedOver(inner) as microphone:
        listening = asyncio.create_task(take(microphone, 10))
        for _ in range(8):
            await asyncio.sleep(0)
        taken = microphone.taken
        assert 0 < taken < 10
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        rest = await take(microphone, 100)
        assert [int(f.pcm[0]) for f in rest] == list(range(taken, 10))


async def test_its_end_and_its_faults_reach_whoever_listens() -> None:
    """Each listener from then on, not only the first."""
    async with HandedOver(Counting(2)) as microphone:
        assert len(await take(microphone, 100)) == 2
        assert await take(microphone, 100) == []
    async with HandedOver(Counting(1, DeviceError("gone"))) as microphone:
        for _ in range(2):
            with pytest.raises(DeviceError, match="gone"):
                await take(microphone, 100)


async def test_what_nobody_takes_is_bounded_and_leaving_closes_the_device() -> None:
    """With no listener the microphone waits, and its own ring keeps what comes."""
    inner = Counting(10_000)
    async with HandedOver(inner):
        for _ in range(3000):
            await asyncio.sleep(0)
        assert inner.made <= WAITING + 1
    assert inner.closed


async def test_taking_frames_is_progress_and_so_is_looking_for_the_device() -> None:
    """A listener that hangs while the microphone delivers makes none: its counter stands still."""
    inner = Counting(100)
    async with HandedOver(inner) as microphone:
        assert microphone.progress is None
        inner.stats.state = "open"
        await take(microphone, 3)
        assert microphone.progress == 3
        for _ in range(20):
            await asyncio.sleep(0)
        assert microphone.progress == 3
        inner.stats.state = "lost"
        tries = set()
        for attempt in range(1, 4):
            inner.stats.attempts = attempt
            tries.add(microphone.progress)
        assert len(tries) == 3
