"""A stop ends what came before it also where that was only waiting to be understood (docs/safety.md, 3)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from claudiad.app.judge import STOPPED
from claudiad.robot.stop_lane import StopReport
from tests.app.room import Room, room

MOVING = {"Sit", "StandUp", "Hello", "move"}


async def held(r: Room, text: str) -> None:
    """Say it; it is committed, and its recognition does not end before the gate opens."""
    r.recogniser.hold()
    await r.speak(text)
    await r.until(r.recogniser.waiting.is_set)
    await r.pause(1200)


async def walking(r: Room) -> None:
    """So long since it was told to that what comes next is another turn."""
    await r.speak("前に3メートル歩いて")
    await r.moving("move")
    await r.pause(1500)


async def over(r: Room, turns: int) -> None:
    await r.until(lambda: len(r.records) >= turns and r.conversation.idle)


def moved(r: Room) -> list[str]:
    """Each motion that was begun; a walk goes to the robot many times."""
    return [*dict.fromkeys(name for name in r.calls if name in MOVING)]


async def test_a_typed_stop_ends_what_was_typed_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both at once: the walk is not begun; the record says why."""
    async with room(monkeypatch) as r:
        asked = [asyncio.ensure_future(r.conversation.ask(text)) for text in ("前に2メートル歩いて", "止まれ")]
        await r.until(lambda: all(each.done() for each in asked))
        assert moved(r) == []
        assert "stop" in r.calls
        assert [each.result().dropped for each in asked] == [STOPPED, None]


async def test_what_is_typed_behind_a_stop_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stop is carried out before its turn and again in it; neither concerns the sentence that came later."""
    async with room(monkeypatch) as r:
        asked = [asyncio.ensure_future(r.conversation.ask(text)) for text in ("止まれ", "座って")]
        await r.until(lambda: all(each.done() for each in asked))
        assert [each.result().dropped for each in asked] == [None, None]
        assert asked[1].result().steps or asked[1].result().refused  # the robot may not have answered the stop yet


async def test_a_stop_ends_what_is_still_being_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    """立って hangs in recognition while 止まれ is typed: it never moves, now or later."""
    async with room(monkeypatch) as r:
        await held(r, "立って")
        asked = asyncio.ensure_future(r.conversation.ask("止まれ"))
        await r.until(lambda: "stop" in r.calls)
        r.recogniser.gate.set()
        await r.until(asked.done)
        await over(r, 2)
        assert moved(r) == []
        assert next(one for one in r.records if not one.typed).dropped == STOPPED


async def test_a_stop_in_the_silence_behind_a_command_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are over, the commit has not come yet."""
    async with room(monkeypatch) as r:
        await r.speak("座って")
        await r.pause(180)
        assert r.calls == []
        await r.parts.dispatcher.stop("a button")
        await over(r, 1)
        assert moved(r) == []
        assert r.records[0].dropped == STOPPED


async def test_a_stop_heard_in_the_next_words_ends_the_ones_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stop listener is quicker than the recogniser, in which the command before is still held."""
    async with room(monkeypatch, separate=True) as r:
        await walking(r)
        await held(r, "座って")
        await r.speak("止まって")
        await r.until(lambda: "stop" in r.calls)
        r.recogniser.gate.set()
        await over(r, 3)
        assert moved(r) == ["move"]
        assert next(one for one in r.records if one.transcript == "座って").dropped == STOPPED


async def test_a_newer_command_is_no_stop_for_the_one_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops what moves, to make way; what was said behind it is done all the same."""
    async with room(monkeypatch) as r:
        await walking(r)
        asked = [asyncio.ensure_future(r.conversation.ask(text)) for text in ("座って", "立って")]
        await r.until(lambda: all(each.done() for each in asked))
        assert [each.result().dropped for each in asked] == [None, None]
        assert moved(r)[-1] == "StandUp"


async def test_a_stop_while_it_makes_way_ends_the_newer_command_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops it in the moment between the old motion and the new one means both."""
    async with room(monkeypatch) as r:
        await walking(r)
        dispatcher, stop = r.parts.dispatcher, r.parts.dispatcher.stop

        async def stop_twice(*args: Any, **how: Any) -> StopReport:
            report = await stop(*args, **how)
            monkeypatch.setattr(dispatcher, "stop", stop)
            r.parts.lane.request("a button")
            return report

        monkeypatch.setattr(dispatcher, "stop", stop_twice)
        await r.speak("座って")
        await over(r, 2)
        assert moved(r) == ["move"]


async def test_a_reload_or_a_fault_stops_it_before_anything_that_could_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """The conversation ends while it walks, and what thought ahead does not let go: the robot stands at once."""
    async with room(monkeypatch) as r:
        await walking(r)
        closing, let_go = asyncio.Event(), asyncio.Event()

        async def hang() -> None:
            closing.set()
            await let_go.wait()

        monkeypatch.setattr(r.conversation._early, "close", hang)
        r.running.cancel()
        await closing.wait()
        let_go.set()
        assert r.calls[-1] == "stop"
        assert r.robot.state().running is None
        with contextlib.suppress(asyncio.CancelledError):
            await r.running
