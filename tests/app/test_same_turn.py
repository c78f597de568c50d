"""One turn out of several utterances: what is said right behind a command belongs to it. All in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from claudiad.brain.continuation import AGAIN
from claudiad.robot.base import Outcome, Status
from claudiad.types import FRAME_MS, Action, Posture
from tests.app.room import COMPLETE, actions, room


async def test_a_command_goes_on_in_the_same_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """立って … 挨拶して with 700 ms between: StandUp at once, then Hello, one record."""
    async with room(monkeypatch, posture=Posture.SITTING) as r:
        await r.speak("立って")
        await r.pause(700)
        assert r.calls == ["StandUp"]
        await r.speak("挨拶して")
        await r.until(lambda: r.records and r.conversation.idle)
        (record,) = r.records
        assert r.calls == ["StandUp", "Hello"]
        assert actions(record) == ["StandUp", "Hello"]
        assert [s.outcome for s in record.steps] == ["done", "done"]
        assert (record.utterances, record.transcript) == (2, "立って、挨拶して")
        assert record.timings_ms["speech_end_to_dispatch"] == pytest.approx(COMPLETE, abs=FRAME_MS)


async def test_three_utterances_are_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window begins anew with each of them."""
    async with room(monkeypatch) as r:
        for text in ("座って", "立って", "挨拶して"):
            await r.speak(text)
            await r.pause(900)
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert (actions(record), record.utterances) == (["Sit", "StandUp", "Hello"], 3)


async def test_a_ban_of_what_began_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """踊って … はいけない: while it moves, that is as good as a stop."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.pause(500)
        await r.speak("はいけない")
        ended = r.microphone.time_of(r.microphone.spoken[-1].end_sample)
        await r.until(lambda: r.conversation.idle)
        assert r.calls[0] == "Dance1"
        assert set(r.calls[1:]) == {"stop"}
        assert next(call.t for call in r.robot.calls if call.name == "stop") - ended <= 0.25


@pytest.mark.parametrize("rest", ["いる人は誰", "って言ったの"])
async def test_what_takes_it_back_stops_what_began(monkeypatch: pytest.MonkeyPatch, rest: str) -> None:
    """踊って … はいけない: the dance is stopped as soon as that is heard, and nothing else is done."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.pause(500)
        assert r.calls == ["Dance1"]
        await r.speak(rest)
        ended = r.microphone.time_of(r.microphone.spoken[-1].end_sample)
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert actions(record) == ["Dance1", "stop"]
        assert record.steps[0].outcome == "stopped"
        assert set(r.calls[1:]) == {"stop"}
        stopped = next(call.t for call in r.robot.calls if call.name == "stop")
        assert stopped - ended <= (COMPLETE + 2 * FRAME_MS) / 1000
        again = await r.turn("もう一回")
        assert actions(again) == []


async def test_unknown_words_behind_a_command_take_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have been a ban: the safe side is to stop and to ask."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.pause(500)
        await r.speak("ムニャムニャ", oov=0.99)
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert actions(record) == ["Dance1", "stop"]
        assert record.spoken.endswith(AGAIN)


async def test_a_correction_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """踊って … じゃなくて座って: the dance is stopped, then it sits."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.pause(500)
        await r.speak("じゃなくて座って")
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert actions(record) == ["Dance1", "stop", "Sit"]
        assert [s.outcome for s in record.steps] == ["stopped", "done", "done"]


async def test_what_comes_behind_a_no_belongs_to_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """踊って … 違う … 座って: the dance is stopped, then it sits, and all of it is one turn."""
    async with room(monkeypatch) as r:
        for text in ("踊って", "違う", "座って"):
            await r.speak(text)
            await r.pause(700)
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert actions(record) == ["Dance1", "stop", "Sit"]
        assert record.utterances == 3


async def test_politeness_behind_a_command_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """座って … ください: one sitting, and the answer is not given twice."""
    async with room(monkeypatch) as r:
        await r.speak("座って")
        await r.pause(500)
        await r.speak("ください")
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert (r.calls, record.reply, record.utterances) == (["Sit"], "はい、座ります。", 2)
        assert record.spoken == record.reply


async def test_thanks_behind_a_command_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """踊って … ありがとう: it goes on dancing."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.pause(500)
        await r.speak("ありがとう")
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert (r.calls, [s.outcome for s in record.steps]) == (["Dance1"], ["done"])
        assert record.spoken.endswith("どういたしまして。")


async def test_a_cough_behind_a_command_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a record of its own, and the command goes on."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.pause(500)
        await r.speak("", dropped="silence")
        await r.until(lambda: r.conversation.idle)
        command, cough = sorted(r.records, key=lambda one: one.turn)
        assert (actions(command), command.utterances, cough.dropped) == (["Dance1"], 1, "silence")
        assert r.calls == ["Dance1"]


async def test_a_stop_behind_a_command_is_a_turn_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """踊って … 止まって: stopped, latched by nothing, and reported as a stop."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.pause(500)
        await r.speak("止まって")
        await r.until(lambda: r.conversation.idle)
        command, stop = sorted(r.records, key=lambda one: one.turn)
        assert ([s.outcome for s in command.steps], stop.route) == (["stopped"], "emergency")


async def test_later_speech_is_another_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.3 s after a command, the next one replaces it."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.pause(1300)
        await r.speak("挨拶して")
        await r.until(lambda: r.conversation.idle)
        first, second = sorted(r.records, key=lambda one: one.turn)
        assert ([s.outcome for s in first.steps], actions(second)) == (["stopped"], ["Hello"])


async def test_a_step_that_failed_ends_what_was_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows what became of the dance: the Hello behind it is not begun."""
    async with room(monkeypatch) as r:
        perform = r.robot.perform

        async def unknown(step: Action, permit: Callable[[], bool]) -> Outcome:
            await perform(step, permit)
            return Outcome(Status.UNKNOWN)

        monkeypatch.setattr(r.robot, "perform", unknown)
        await r.speak("踊って")
        await r.pause(400)
        await r.speak("挨拶して")
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert r.calls == ["Dance1"]
        assert [(s.action.name, s.outcome) for s in record.steps] == [("Dance1", "unknown"), ("Hello", "stopped")]
