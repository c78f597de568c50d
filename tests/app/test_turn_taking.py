"""Whose turn it is: how long it waits, what it does early, and what is over its budget. All in virtual time."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from claudiad.app.stop_listener import FIRST_MS, PASS_MS
from claudiad.brain.mind import Mind
from claudiad.brain.wording import STOPPED
from claudiad.types import FRAME_MS
from tests.app.room import BETWEEN, COMPLETE, OPEN, actions, room, settings_with
from tests.audio.sounds import voice

# --- how long it waits ---


@pytest.mark.parametrize(
    ("text", "ms"),
    [("座って", COMPLETE), ("ありがとう", COMPLETE), ("今日は暑い", BETWEEN), ("座ってから", OPEN), ("えーと", OPEN)],
)
async def test_the_words_tell_how_long_to_wait(monkeypatch: pytest.MonkeyPatch, text: str, ms: int) -> None:
    """A complete command or answer acts soon, an unfinished phrase is waited for, the rest is in between."""
    async with room(monkeypatch) as r:
        record = await r.turn(text)
        assert record.timings_ms["endpoint"] == pytest.approx(ms, abs=FRAME_MS)


async def test_the_profile_and_the_settings_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """calm waits longer; a setting of its own stands before the profile."""
    async with room(monkeypatch, settings_with(turn={"profile": "calm", "open_ms": 1500})) as r:
        assert (await r.turn("座って")).timings_ms["endpoint"] == pytest.approx(300, abs=FRAME_MS)
        assert (await r.turn("座ってから")).timings_ms["endpoint"] == pytest.approx(1500, abs=FRAME_MS)


async def test_without_adapting_every_utterance_waits_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """`turn.adaptive = false`: the hangover, for commands and unfinished phrases."""
    async with room(monkeypatch, settings_with(turn={"adaptive": False}, endpoint={"hangover_ms": 400})) as r:
        for text in ("座って", "座ってから"):
            assert (await r.turn(text)).timings_ms["endpoint"] == pytest.approx(400, abs=FRAME_MS)


async def test_an_unfinished_phrase_is_finished_in_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """座ってから … 挨拶して with 800 ms between: one utterance, one turn, and the first guess was thrown away."""
    async with room(monkeypatch) as r:
        await r.speak("座ってから")
        await r.pause(800)
        last = r.says("挨拶して")
        r.recogniser.takes(300 + 800 + 400, "座ってから挨拶して")
        await r.play(last)
        await r.until(lambda: r.records)
        (record,) = r.records
        assert actions(record) == ["Sit", "Hello"]
        assert record.utterances == 1
        assert record.timings_ms["speculation_waste"] > 0
        assert r.recogniser.heard == ["座ってから", "座ってから挨拶して"]


async def test_it_gets_used_to_a_slow_speaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few long pauses inside sentences, what is neither complete nor open is waited for longer."""
    async with room(monkeypatch) as r:
        for _ in range(5):
            await r.speak("座ってから")
            await r.pause(800)
            r.recogniser.takes(300 + 800 + 400, "今日は寒いから暑い")
            await r.play(voice(400, amplitude=9000))
            await r.until(lambda: r.conversation.idle)
        record = await r.turn("今日は暑い")
        assert record.timings_ms["endpoint"] == pytest.approx(900, abs=2 * FRAME_MS)


# --- what it does early, and what it does not ---


async def test_nothing_happens_before_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guess is there at 160 ms of silence; the robot is called and the voice begins at 200, and not before."""
    async with room(monkeypatch) as r:
        await r.speak("座って")
        ended = r.microphone.time_of(r.microphone.spoken[-1].end_sample)
        await r.until(lambda: r.recogniser.heard)
        assert r.calls == []
        await r.until(lambda: r.records)
        record, first = r.records[0], r.robot.calls[0]
        assert first.t - ended >= COMPLETE / 1000 - 0.001
        assert r.speaker.played[0].start_time - ended >= COMPLETE / 1000 - 0.001
        assert record.timings_ms["speculation_lead"] == pytest.approx(COMPLETE - 160, abs=FRAME_MS)
        assert r.recogniser.heard == ["座って"]


async def test_a_guess_that_more_speech_overtook_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """座って is heard in the pause, then 180 ms later it goes on: nothing of it was done, said or remembered."""
    async with room(monkeypatch) as r:
        await r.speak("座って")
        await r.pause(180)
        r.recogniser.takes(300 + 180 + 420, "座っている人は誰")
        await r.play(voice(420, amplitude=9000))
        await r.until(lambda: r.records)
        (record,) = r.records
        assert (r.calls, actions(record), record.transcript) == ([], [], "座っている人は誰")
        again = await r.turn("もう一回")
        assert actions(again) == []


async def test_without_speculation_it_is_recognised_at_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """`turn.speculate = false`: the early transcript tells how long to wait, and nothing else."""
    async with room(monkeypatch, settings_with(turn={"speculate": False})) as r:
        record = await r.turn("座って")
        assert r.recogniser.heard == ["座って", "座って"]
        assert "speculation_lead" not in record.timings_ms
        assert record.timings_ms["endpoint"] == pytest.approx(COMPLETE, abs=FRAME_MS)


async def test_an_early_decision_counts_only_while_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The robot's charge changes between guess and commit: it is decided again. Unchanged, it is not."""
    decided: list[str] = []
    decide = Mind.decide

    def counted(self: Mind, text: str, *args: object) -> object:
        decided.append(text)
        return decide(self, text, *args)  # type: ignore[arg-type]

    async with room(monkeypatch) as r:
        monkeypatch.setattr(Mind, "decide", counted)
        await r.turn("座って")
        assert decided == ["座って"]
        await r.speak("今日は暑い")
        await r.until(lambda: "今日は暑い" in decided)
        state = r.robot.state
        monkeypatch.setattr(r.robot, "state", lambda: replace(state(), battery=40))
        await r.until(lambda: len(r.records) == 2)
        assert decided == ["座って", "今日は暑い", "今日は暑い"]


async def test_a_failing_guess_is_made_good_at_the_commit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The early recognition fails: one line in the log, and the whole utterance is recognised as ever."""
    async with room(monkeypatch) as r:
        pcm = r.says("座って", fault=RuntimeError("broken"))
        await r.play(pcm)
        await r.until(lambda: r.recogniser.heard)
        r.recogniser.takes(300, "座って")
        await r.until(lambda: r.records)
        assert r.calls == ["Sit"]
        assert "ahead of the end failed" in caplog.text


async def test_a_slow_recogniser_works_on_the_newest_pause_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is busy with the first pause, two more come: only the last of them is recognised after it."""
    async with room(monkeypatch, settings_with(turn={"between_ms": 2000, "open_ms": 2000})) as r:
        r.recogniser.hold()
        await r.speak("えーと")
        for _ in range(2):
            await r.pause(400)
            await r.play(voice(300, amplitude=9000))
        r.recogniser.takes(3 * 300 + 2 * 400, "えーと座って")
        await r.pause(400)
        r.recogniser.gate.set()
        await r.until(lambda: r.records)
        assert r.recogniser.heard == ["えーと", "えーと座って"]
        assert actions(r.records[0]) == ["Sit"]


async def test_a_pass_of_the_stop_listener_is_never_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one listens, however long it takes, no second one waits behind it."""
    async with room(monkeypatch, separate=True) as r:
        assert r.stop_recogniser is not None
        await r.speak("踊って")
        await r.moving("Dance1")
        await r.pause(1500)
        r.stop_recogniser.hold()
        heard = len(r.stop_recogniser.heard)
        r.microphone.speak(voice(3000, amplitude=9000))
        await r.until(r.stop_recogniser.waiting.is_set)
        await r.clock.sleep(2.0)
        r.stop_recogniser.gate.set()
        await r.until(lambda: len(r.stop_recogniser.heard) > heard)
        assert len(r.stop_recogniser.heard) <= heard + 2
        await r.until(lambda: r.conversation.idle)


# --- a stop does not wait for the end of speech ---


async def test_a_drawn_out_stop_acts_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """とまれー, more than a second long: stopped within 600 ms of its beginning."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.moving("Dance1")
        await r.pause(1500)
        r.recogniser.takes(400, "止まれ", unfinished=True)
        r.recogniser.takes(1300, "止まれー")
        start = r.microphone.speak(voice(1300, amplitude=9000)).start_sample
        await r.until(lambda: r.robot.body.stops)
        stopped = next(call.t for call in r.robot.calls if call.name == "stop")
        assert stopped - r.microphone.time_of(start) <= (FIRST_MS + PASS_MS + 3 * FRAME_MS) / 1000
        assert r.conversation.turns == 1
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        assert r.records[-1].spoken == STOPPED
        assert r.records[-1].timings_ms["speech_end_to_dispatch"] < 0


async def test_a_stop_behind_a_pause_is_heard_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """あのね … 止まって, one utterance: the pass hears what was said since the pause."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.moving("Dance1")
        await r.pause(1500)
        await r.speak("えーと")
        await r.pause(500)
        await r.speak("止まって")
        await r.until(lambda: r.robot.body.stops)
        assert r.conversation.turns == 1
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        assert r.records[-1].route == "emergency"


async def test_at_rest_and_in_silence_nobody_listens_for_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to stop: one recognition for one command."""
    async with room(monkeypatch, separate=True) as r:
        assert r.stop_recogniser is not None
        await r.speak("今日は暑い")
        await r.pause(400)
        assert r.stop_recogniser.heard == []


# --- budgets ---


async def test_what_is_over_its_budget_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line with both figures; a turn within its budget has none."""
    caplog.set_level(logging.WARNING)
    async with room(monkeypatch, settings_with(turn={"action_budget_ms": 250, "open_ms": 1000})) as r:
        await r.turn("座って")
        assert "budget" not in caplog.text
        r.recogniser.hold()
        await r.speak("立って")
        await r.clock.sleep(0.7)
        r.recogniser.gate.set()
        await r.until(lambda: len(r.records) == 2)
        assert "turn 2: first move after speech: " in caplog.text
        assert "budget 250 ms" in caplog.text
