"""Nothing blocks the event loop: no callback of it computes for long, and none waits for an engine."""

from __future__ import annotations

import asyncio

import pytest

from tests.app.room import room
from tests.fakes.loop import long_callbacks

LONGEST_MS = 50.0


@pytest.fixture
def worst(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """Processor time of every callback on the loop's thread, in ms: what other programs do does not count."""
    return long_callbacks(monkeypatch, LONGEST_MS)


async def test_no_callback_computes_for_long(monkeypatch: pytest.MonkeyPatch, worst: list[tuple[float, str]]) -> None:
    """Commands, an answer, a stop and a mumble: no single callback takes 50 ms of processor time once it listens."""
    async with room(monkeypatch) as r:
        await asyncio.sleep(0)  # what assembled the parts is a callback too, and ends here
        worst.clear()
        await r.turn("立って挨拶して")
        await r.speak("何ができますか")
        await r.until(lambda: r.speaker.playing)
        await r.turn("止まって")
        await r.turn("なんとかかんとか", oov=0.9)
        await r.turn("一メートル前に進んで")
        assert worst == []


async def test_callbacks_run_while_an_engine_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """With recogniser and synthesiser both waiting for something that only the loop can bring, the loop brings it."""
    async with room(monkeypatch, separate=True) as r:
        r.recogniser.hold()
        assert r.stop_recogniser is not None
        await r.speak("座って")
        await r.until(r.recogniser.waiting.is_set)
        # A callback that waited for the recogniser would now wait for this very line.
        asyncio.get_running_loop().call_soon(r.recogniser.gate.set)
        await r.until(lambda: r.records)
        assert r.calls == ["Sit"]
