"""The control socket's commands on a real conversation: the whole loop in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from claudiad.app.controls import DaemonControls, spoken_form
from claudiad.app.conversation import Conversation
from claudiad.app.typed import MOST
from claudiad.audio.virtual import NullMicrophone
from claudiad.brain.wording import LATCHED, RELEASED
from claudiad.control import wire
from claudiad.control.server import ControlServer
from claudiad.errors import Busy, ConfigError, DataError
from claudiad.robot.dispatcher import LATCHED as HELD
from tests.app.control_rig import Client
from tests.app.room import Room, _tables, room, settings_with

ME = "uid 1, pid 2"


@dataclass
class Controlled:
    room: Room
    controls: DaemonControls
    reloads: list[Exception | None]
    """What the next reloads end in."""

    async def done(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Let time pass until it is."""
        task = asyncio.ensure_future(work)
        await self.room.until(task.done)
        return task.result()

    async def quiet(self) -> None:
        await self.room.until(lambda: self.room.conversation.idle and not self.room.parts.mouth.speaking)


@asynccontextmanager
async def controlled(monkeypatch: pytest.MonkeyPatch, **how: Any) -> AsyncIterator[Controlled]:
    async with room(monkeypatch, **how) as r:
        reloads: list[Exception | None] = [None]

        async def reload() -> None:
            if (fault := reloads.pop(0)) is not None:
                raise fault

        controls = DaemonControls(r.parts, r.microphone.stats, reload)
        controls.attend(r.parts, r.conversation)
        r.conversation._on_turn = lambda record: (r.records.append(record), controls.note(record))  # type: ignore[func-returns-value,assignment]
        await r.until(lambda: r.microphone.position > 0 or "microphone" in how)
        yield Controlled(r, controls, reloads)


async def test_a_typed_sentence_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """It moves the daemon's robot and is answered aloud; the object comes when it is done, with `ask`'s keys."""
    async with controlled(monkeypatch) as c:
        got = await c.done(c.controls.ask("座って"))
        assert c.room.calls == ["Sit"]
        assert (got["route"], got["kind"], got["text"]) == ("hotpath", "action", "座って")
        assert got["actions"] == [{"name": "Sit", "api_id": 1009, "params": {}, "outcome": "done"}]
        assert {"text", "route", "kind", "actions", "refused", "reply", "confidence", "timings_ms"} <= set(got)
        assert got["timings_ms"]["decide"] >= 0
        assert c.room.heard_since(0) > 0
        assert [r.typed for r in c.room.records] == [True]
        json.dumps(got, allow_nan=False)


async def test_what_was_typed_needs_no_name_and_is_no_part_of_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the wake phrase on it is done all the same; speech right behind it is a turn of its own."""
    async with controlled(monkeypatch, settings=settings_with(wake={"mode": "on"})) as c:
        await c.done(c.controls.ask("立って挨拶して"))
        await c.quiet()
        record = await c.room.turn("座って")
        assert [r.turn for r in c.room.records] == [1, 2]
        assert record.utterances == 1


async def test_speech_and_typing_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed right behind a spoken command, where speech would be added to it: it stays a turn of its own."""
    async with controlled(monkeypatch) as c:
        await c.room.speak("座って")
        await c.room.until(lambda: c.room.calls == ["Sit"])
        got = await c.done(c.controls.ask("何ができますか"))
        assert got["turn"] == 2
        await c.quiet()
        assert {(r.turn, r.typed, r.utterances) for r in c.room.records} == {(1, False, 1), (2, True, 1)}


async def test_what_is_said_behind_typing_is_a_turn_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spoken right behind a typed command, where it would be added to a spoken one."""
    async with controlled(monkeypatch) as c:
        typed = asyncio.ensure_future(c.controls.ask("座って"))
        await c.room.until(lambda: c.room.calls == ["Sit"])
        await c.room.speak("何ができますか")
        await c.room.until(typed.done)
        await c.room.until(lambda: len(c.room.records) == 2 and c.room.conversation.idle)
        assert {(r.turn, r.typed, r.utterances) for r in c.room.records} == {(1, True, 1), (2, False, 1)}


async def test_typing_needs_no_microphone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no sound ever comes, a typed sentence is done and answered all the same."""
    async with controlled(monkeypatch, microphone=lambda _: NullMicrophone()) as c:
        got = await c.done(c.controls.ask("座って"))
        assert (got["turn"], c.room.calls) == (1, ["Sit"])


async def test_a_refused_action_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What safety does not allow comes back with its reason, and nothing moves."""
    async with controlled(monkeypatch, battery=5) as c:
        got = await c.done(c.controls.ask("踊って"))
        assert c.room.calls == []
        assert got["refused"][0]["reason"]


async def test_a_typed_stop_overtakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """While recognition is stuck on something else, a typed 止まれ stops the robot all the same."""
    async with controlled(monkeypatch) as c:
        await c.room.speak("ダンスして")
        await c.room.until(lambda: c.room.robot.state().running is not None)
        c.room.recogniser.hold()
        await c.room.speak("お手")
        await c.room.until(c.room.recogniser.waiting.is_set)
        stopping = asyncio.ensure_future(c.controls.ask("止まれ"))
        await c.room.until(lambda: "stop" in c.room.calls)
        c.room.recogniser.gate.set()
        await c.room.until(stopping.done)
        assert stopping.result()["route"] == "emergency"


async def test_too_many_typed_sentences_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A robot does one thing after the other: who comes fifth is told so, and a stop among them still stops."""
    async with controlled(monkeypatch) as c:
        c.room.recogniser.hold()
        await c.room.speak("お手")
        await c.room.until(c.room.recogniser.waiting.is_set)
        waiting = [asyncio.ensure_future(c.controls.ask("座って")) for _ in range(MOST)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="too much"):
            await c.controls.ask("座って")
        with pytest.raises(Busy, match="too much"):
            await c.controls.ask("動くな")
        await c.room.until(lambda: "stop" in c.room.calls)
        assert c.room.parts.lane.latched
        c.room.recogniser.gate.set()
        await c.room.until(lambda: all(w.done() for w in waiting))
        assert c.room.calls == ["stop"]


async def test_who_waits_is_told_that_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon ends with a sentence under way: an error, not a silence, and no task is left."""
    async with controlled(monkeypatch) as c:
        waiting = asyncio.ensure_future(c.controls.ask("ダンスして"))
        await c.room.until(lambda: c.room.robot.state().running is not None)
    with pytest.raises(Busy, match="ended before"):
        await asyncio.wait_for(waiting, 30)


async def test_stop_latches_and_reset_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    """`stop` ends a dance, holds and says so; motions are refused until `reset`, which itself moves nothing."""
    async with controlled(monkeypatch) as c:
        await c.room.speak("ダンスして")
        await c.room.until(lambda: c.room.robot.state().running is not None)
        got = await c.done(c.controls.stop(ME))
        assert got["acknowledged"]
        assert got["latched"]
        assert c.room.robot.state().running is None
        assert (await c.controls.status())["state"] == "stopped"
        await c.room.until(lambda: c.room.parts.mouth.said_since(0)[-1:] == ("解除と言われるまで動きません。",))
        await c.quiet()
        assert "".join(c.room.parts.mouth.said_since(0)).endswith(LATCHED)
        calls = len(c.room.calls)
        assert (await c.done(c.controls.ask("座って")))["refused"][0]["reason"] == HELD
        assert await c.controls.reset(ME) == {"was_latched": True, "latched": False}
        await c.quiet()
        assert "".join(c.room.parts.mouth.said_since(0)).endswith(RELEASED)
        assert len(c.room.calls) == calls
        assert await c.controls.reset(ME) == {"was_latched": False, "latched": False}
        await c.done(c.controls.ask("座って"))
        assert c.room.calls[-1] == "Sit"


async def test_stop_is_on_its_way_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the rest of the daemon fails: the lane has been asked, and the latch is closed."""
    async with controlled(monkeypatch) as c:

        def broken() -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(c.room.parts.mouth, "cancel", broken)
        with pytest.raises(ZeroDivisionError):
            await c.controls.stop(ME)
        monkeypatch.undo()
        assert c.room.parts.lane.latched
        await c.room.until(lambda: "stop" in c.room.calls)


@pytest.mark.parametrize("separate", [False, True])
async def test_muted_it_hears_stops_and_nothing_else(monkeypatch: pytest.MonkeyPatch, separate: bool) -> None:
    """Commands and talk are no turns and leave no word; a stop word stops a dance; unmuted it listens again."""
    async with controlled(monkeypatch, separate=separate) as c:
        assert await c.controls.mute(muted=True) == {"muted": True}
        await c.room.speak("座って")
        await c.room.speak("ひみつの話")
        await c.quiet()
        assert (c.room.calls, c.room.records) == ([], [])
        assert (await c.controls.status())["state"] == "muted"
        dancing = asyncio.ensure_future(c.controls.ask("ダンスして"))
        await c.room.until(lambda: c.room.robot.state().running is not None)
        await c.room.speak("止まって")
        await c.room.until(lambda: "stop" in c.room.calls)
        await c.room.until(dancing.done)
        await c.quiet()
        assert await c.controls.mute(muted=False) == {"muted": False}
        await c.room.turn("座って")
        assert c.room.calls[-1] == "Sit"


async def test_muted_talk_does_not_interrupt_the_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Muted while somebody speaks over it: the reply that had paused goes on and is not lowered any more."""
    async with controlled(monkeypatch) as c:
        saying = asyncio.ensure_future(
            c.controls.say("今日はとてもいい天気なので、外に出て、公園まで歩いて行きたいです。")
        )
        await c.room.until(lambda: c.room.speaker.playing)
        await c.room.speak("ところで、きのうの話だけど")
        await c.controls.mute(muted=True)
        assert not c.room.parts.mouth.paused
        await c.room.until(saying.done)
        assert not saying.result()["interrupted"]


async def test_say_speaks_clean_japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the filter, and a stop word is reworded; what leaves nothing is refused."""
    async with controlled(monkeypatch) as c:
        got = await c.done(c.controls.say("立ちます然后は挨拶します"))
        assert got["clean"] == got["spoken"]
        assert "然后" not in got["clean"]
        assert got["repairs"]
        stop = await c.done(c.controls.say("少々お待ちください。"))
        assert stop["repairs"] == ["stop word"]
        assert c.room.parts.stops.find_stop(stop["spoken"], moving=True) is None
        with pytest.raises(DataError, match="nothing of it"):
            await c.controls.say("<think></think>")
        with pytest.raises(DataError, match="stop the robot"):
            await c.controls.say("止まれ。")


async def test_before_the_first_conversation_only_a_stop_does_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the daemon starts the rest is refused in words, and a stop reaches the robot and holds."""
    async with room(monkeypatch) as r:
        early = DaemonControls(r.parts, r.microphone.stats, lambda: asyncio.sleep(0))
        for work in (early.ask("座って"), early.status(), early.mute(muted=True), early.stop(ME)):
            with pytest.raises(Busy, match="still starting"):
                await work
        assert r.parts.lane.latched
        await r.until(lambda: r.calls == ["stop"])


async def test_muted_it_stays_after_a_reload(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next conversation, with other settings, does not begin to listen again by itself."""
    async with controlled(monkeypatch) as c:
        await c.controls.mute(muted=True)
        following = Conversation(c.room.parts, c.room.microphone)
        c.controls.attend(c.room.parts, following)
        assert following.muted


async def test_reload_is_the_daemons(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused configuration comes back as it is."""
    async with controlled(monkeypatch) as c:
        c.reloads[:] = [None, ConfigError(["a.toml:1: x"])]
        assert await c.controls.reload(ME) == {"reloaded": True}
        with pytest.raises(ConfigError, match=r"a\.toml:1: x"):
            await c.controls.reload(ME)


async def test_the_status_tells_state_and_nothing_that_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listening, moving, speaking; robot, microphone and last turn; no word of the person's, all of it JSON."""
    async with controlled(monkeypatch) as c:
        first = await c.controls.status()
        assert (first["state"], first["last_turn"], first["turns"]) == ("listening", None, 0)
        await c.room.speak("ダンスして")
        await c.room.until(lambda: c.room.robot.state().running is not None)
        assert (await c.controls.status())["state"] == "moving"
        await c.quiet()
        await c.room.until(lambda: c.room.records)
        last = await c.controls.status()
        assert last["last_turn"]["turn"] == 1
        assert last["last_turn"]["actions"]
        assert last["robot"] | {"battery": 0} == {
            "engine": "sim", "posture": "standing", "battery": 0, "running": None, "age_ms": 0, "latched": False,
            "stop_unconfirmed": False, "moved_by_others": False,
        }  # fmt: skip
        assert last["microphone"]["device"] == "scripted"
        assert "ダンスして" not in json.dumps(last, ensure_ascii=False, allow_nan=False)
        c.room.microphone.stats.state = "lost"
        assert (await c.controls.status())["state"] == "deaf"


async def test_the_stats_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns by route, what became of actions, times, and what the process takes."""
    async with controlled(monkeypatch) as c:
        await c.done(c.controls.ask("座って"))
        await c.room.turn("なんとかかんとか", oov=0.9)
        got = await c.controls.stats()
        assert (got["turns"], got["routes"], got["dropped"]) == (2, {"hotpath": 1}, {"out of vocabulary": 1})
        assert got["actions"] == {"done": 1}
        assert got["times_ms"]["speech_end_to_dispatch"]["n"] == 1
        assert got["process"]["resident_bytes"] > 10_000_000
        assert got["process"]["tasks"] > 0


async def test_over_the_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same through the server: a sentence typed by a client sits the robot down."""
    async with (
        controlled(monkeypatch) as c,
        ControlServer(c.controls, tmp_path / "s") as _,
    ):
        client = Client(*await asyncio.open_unix_connection(tmp_path / "s"))
        await client.send(wire.request("ask", "座って"))
        reply = await c.done(client.line())
        assert reply["result"]["actions"][0]["name"] == "Sit"
        await client.close()


def test_the_spoken_form_of_packaging_is_its_words() -> None:
    """A model's JSON, pasted: what is in it is not read aloud as JSON."""
    clean, repairs = spoken_form("**はい**、座りますね。", _tables().stops)
    assert clean == "はい、座りますね。"
    assert repairs
