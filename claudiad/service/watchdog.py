"""Feeds systemd's watchdog, but only while every stage of the daemon makes progress.

It has a thread of its own: an event loop that hangs is one of the things it looks for. When a stage hangs, it stops
the robot, writes every stack to the log and asks systemd to restart the daemon. Whatever keeps the thread itself from
doing that (a lock, a library that never lets go of the interpreter) keeps it from feeding as well, and systemd ends
the daemon when the period is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from claudiad.service.events import STACK, STALLED
from claudiad.service.heartbeats import Heartbeats, Stalled
from claudiad.service.notify import Notifier
from claudiad.service.stacks import stacks

log = logging.getLogger(__name__)

LOOP: Final = "event loop"
LOOP_S: Final = 5.0
"""Longest time the event loop may need to answer: hundreds of times what it needs on a slow core."""
LOOK_S: Final = 1.0
"""Between two looks; less for a short watchdog period."""


class Watchdog:
    """Looks at the heartbeats from `start` to `close`."""

    def __init__(
        self,
        heartbeats: Heartbeats,
        notifier: Notifier,
        loop: asyncio.AbstractEventLoop,
        on_stall: Callable[[Stalled], None] = lambda _: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: `on_stall` is called on the watchdog's thread, first of all, and must return soon."""
        self._heartbeats = heartbeats
        self._notifier = notifier
        self._loop = loop
        self._on_stall = on_stall
        self._now = now
        period = notifier.watchdog_s
        self.look_s = LOOK_S if period is None else min(LOOK_S, period / 8)
        self._feed_s = self.look_s if period is None else period / 4
        self._fed_at = float("-inf")
        self._stalled: Stalled | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to look; the event loop is expected to answer from now on."""
        self._heartbeats.expect(LOOP, LOOP_S)
        self._thread.start()

    def close(self) -> None:
        """Look no more, and wait for the thread."""
        self._closing.set()
        self._thread.join()

    def look(self) -> None:
        """One look: feed, or report what hangs. `start` calls it again and again on its thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the end is near, nobody expects an answer
            self._loop.call_soon_threadsafe(self._heartbeats.beat, LOOP)
        now = self._now()
        stalled = self._heartbeats.stalled(now)
        if stalled is None:
            if self._stalled is not None:
                log.warning("%s goes on again", self._stalled.stage)
            if now - self._fed_at >= self._feed_s:
                self._fed_at = now
                self._notifier.alive()
        elif self._stalled is None or self._stalled.stage != stalled.stage:
            self._report(stalled)
        self._stalled = stalled

    def _report(self, stalled: Stalled) -> None:
        try:
            self._on_stall(stalled)
            log.error("%s", stalled, extra={"journal": STALLED.fields(CLAUDIA_STAGE=stalled.stage)})
            for name, text in stacks(self._loop):
                log.error("%s\n%s", name, text, extra={"journal": STACK.fields(CLAUDIA_STAGE=stalled.stage)})
        finally:
            self._notifier.trigger(str(stalled))

    def _run(self) -> None:
        while not self._closing.wait(self.look_s):
            try:
                self.look()
            except Exception:
                # It goes on feeding as long as there is nothing to report: a fault here is not the daemon's stall.
                log.exception("the watchdog's look failed")
