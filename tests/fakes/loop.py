"""What the event loop spends its time on."""

from __future__ import annotations

import time
from asyncio import events

import pytest


def long_callbacks(monkeypatch: pytest.MonkeyPatch, longer_than_ms: float) -> list[tuple[float, str]]:
    """Processor time in ms of each callback that takes longer on the loop's thread: other programs do not count."""
    seen: list[tuple[float, str]] = []
    run = events.Handle._run

    def timed(handle: events.Handle) -> None:
        began = time.thread_time()
        run(handle)
        spent = (time.thread_time() - began) * 1000
        if spent > longer_than_ms:
            seen.append((round(spent), repr(handle)))

    monkeypatch.setattr(events.Handle, "_run", timed)
    return seen
