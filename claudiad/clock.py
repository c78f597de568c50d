"""Time as a part that can be exchanged: the system's, or one that jumps where it is told to wait."""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds on a clock that never goes back."""

    def now(self) -> float:
        """Current time in seconds; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long on this clock."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class JumpClock:
    """A clock for work faster than real time: sleeping moves it forward at once.

    Sleepers wake in order of their deadlines, so two tasks that wait 1 s and 3 s interleave as they
    would in real time. Everything else that is ready runs before time moves. A sleeper that was
    cancelled moves nothing. It belongs to one event loop at a time; `now` may be called from any thread.
    """

    _SETTLE = 16
    """Passes of the event loop without a new sleeper before time moves: how far a wake-up may have to
    travel through awaiting tasks until it ends in the next sleep."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self._quiet = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now + max(0.0, seconds), self._count, done))
        self._quiet = 0
        if self._loop is not loop:
            # None, or a loop that ended with its sleepers: those futures are not this loop's to wake.
            self._sleepers = sorted(sleeper for sleeper in self._sleepers if sleeper[2].get_loop() is loop)
            self._loop = loop
            loop.call_soon(self._pass, loop)
        await done

    def _pass(self, loop: asyncio.AbstractEventLoop) -> None:
        """One pass of the loop. Only this moves time, so however many sleep, each waking gets its time to settle."""
        if self._loop is not loop:
            return
        self._quiet += 1
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if not self._sleepers:
            self._loop = None
            return
        if self._quiet > self._SETTLE:
            deadline, _, first = heapq.heappop(self._sleepers)
            self._now = max(self._now, deadline)
            first.set_result(None)
            self._quiet = 0
        loop.call_soon(self._pass, loop)


class TailClock:
    """Real time while there is input to listen to, then as fast as it goes.

    A recording that has ended can bring no surprise any more: after `release` every wait, also those
    already begun, is over in the order of its deadline.
    """

    def __init__(self) -> None:
        self._system = SystemClock()
        self._jump: JumpClock | None = None
        self._released = asyncio.Event()

    def now(self) -> float:
        return self._jump.now() if self._jump else self._system.now()

    def release(self) -> None:
        """Stop waiting for the real time."""
        if self._jump is None:
            self._jump = JumpClock(self._system.now())
            self._released.set()

    async def sleep(self, seconds: float) -> None:
        deadline = self.now() + seconds
        if self._jump is None:
            try:
                await asyncio.wait_for(self._released.wait(), max(0.0, seconds))
            except TimeoutError:
                return
        if self._jump is not None:
            await self._jump.sleep(max(0.0, deadline - self._jump.now()))
