"""Whose turn it is: how long it waits, what it does early, and who speaks when both do. All in virtual time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from claudiad.app.barge_in import MOST_PAUSES
from claudiad.app.judge import BACKCHANNEL, OWN_VOICE
from claudiad.app.stop_listener import FIRST_MS, PASS_MS
from claudiad.brain.continuation import AGAIN
from claudiad.brain.mind import Mind
from claudiad.brain.wording import STOPPED
from claudiad.robot.base import Outcome, Status
from claudiad.types import FRAME_MS, Action, Posture
from tests.app.room import SECONDS_PER_KANA, Room, room, settings_with
from tests.audio.sounds import voice

COMPLETE, BETWEEN, OPEN = 200, 600, 1000


def actions(record: object) -> list[str]:
    return [s.action.name for s in record.steps]  # type: ignore[attr-defined]


def gain(r: Room) -> float:
    return r.speaker._gain.target


async def pause(r: Room, ms: int) -> None:
    """Silence behind what was spoken last."""
    end = r.microphone.spoken[-1].end_sample + ms * 16
    await r.until(lambda: r.microphone.position >= end)


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
        await pause(r, 800)
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
            await pause(r, 800)
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
        await pause(r, 180)
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
            await pause(r, 400)
            await r.play(voice(300, amplitude=9000))
        r.recogniser.takes(3 * 300 + 2 * 400, "えーと座って")
        await pause(r, 400)
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
        await pause(r, 1500)
        r.stop_recogniser.hold()
        heard = len(r.stop_recogniser.heard)
        r.microphone.speak(voice(3000, amplitude=9000))
        await r.until(r.stop_recogniser.waiting.is_set)
        await r.clock.sleep(2.0)
        r.stop_recogniser.gate.set()
        await r.until(lambda: len(r.stop_recogniser.heard) > heard)
        assert len(r.stop_recogniser.heard) <= heard + 2
        await r.until(lambda: r.conversation.idle)


# --- one turn out of several utterances ---


async def test_a_command_goes_on_in_the_same_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """立って … 挨拶して with 700 ms between: StandUp at once, then Hello, one record."""
    async with room(monkeypatch, posture=Posture.SITTING) as r:
        await r.speak("立って")
        await pause(r, 700)
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
            await pause(r, 900)
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert (actions(record), record.utterances) == (["Sit", "StandUp", "Hello"], 3)


async def test_a_ban_of_what_began_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """踊って … はいけない: while it moves, that is as good as a stop."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await pause(r, 500)
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
        await pause(r, 500)
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
        await pause(r, 500)
        await r.speak("ムニャムニャ", oov=0.99)
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert actions(record) == ["Dance1", "stop"]
        assert record.spoken.endswith(AGAIN)


async def test_a_correction_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """踊って … じゃなくて座って: the dance is stopped, then it sits."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await pause(r, 500)
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
            await pause(r, 700)
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert actions(record) == ["Dance1", "stop", "Sit"]
        assert record.utterances == 3


async def test_politeness_behind_a_command_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """座って … ください: one sitting, and the answer is not given twice."""
    async with room(monkeypatch) as r:
        await r.speak("座って")
        await pause(r, 500)
        await r.speak("ください")
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert (r.calls, record.reply, record.utterances) == (["Sit"], "はい、座ります。", 2)
        assert record.spoken == record.reply


async def test_thanks_behind_a_command_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """踊って … ありがとう: it goes on dancing."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await pause(r, 500)
        await r.speak("ありがとう")
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert (r.calls, [s.outcome for s in record.steps]) == (["Dance1"], ["done"])
        assert record.spoken.endswith("どういたしまして。")


async def test_a_cough_behind_a_command_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a record of its own, and the command goes on."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await pause(r, 500)
        await r.speak("", dropped="silence")
        await r.until(lambda: r.conversation.idle)
        command, cough = sorted(r.records, key=lambda one: one.turn)
        assert (actions(command), command.utterances, cough.dropped) == (["Dance1"], 1, "silence")
        assert r.calls == ["Dance1"]


async def test_a_stop_behind_a_command_is_a_turn_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """踊って … 止まって: stopped, latched by nothing, and reported as a stop."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await pause(r, 500)
        await r.speak("止まって")
        await r.until(lambda: r.conversation.idle)
        command, stop = sorted(r.records, key=lambda one: one.turn)
        assert ([s.outcome for s in command.steps], stop.route) == (["stopped"], "emergency")


async def test_later_speech_is_another_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.3 s after a command, the next one replaces it."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await pause(r, 1300)
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
        await pause(r, 400)
        await r.speak("挨拶して")
        await r.until(lambda: r.conversation.idle)
        (record,) = r.records
        assert r.calls == ["Dance1"]
        assert [(s.action.name, s.outcome) for s in record.steps] == [("Dance1", "unknown"), ("Hello", "stopped")]


# --- a stop does not wait for the end of speech ---


async def test_a_drawn_out_stop_acts_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """とまれー, more than a second long: stopped within 600 ms of its beginning."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.moving("Dance1")
        await pause(r, 1500)
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
        await pause(r, 1500)
        await r.speak("えーと")
        await pause(r, 500)
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
        await pause(r, 400)
        assert r.stop_recogniser.heard == []


# --- both speak ---


async def speaking(r: Room) -> None:
    """Until it is well into an answer of several clauses."""
    await r.speak("何ができますか")
    await r.until(lambda: r.speaker.playing)
    await pause(r, 1500)


async def test_other_speech_lowers_and_pauses_the_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lowered as soon as it is speech, silent after 200 ms of it."""
    async with room(monkeypatch) as r:
        await speaking(r)
        start = r.microphone.speak(r.says("座って")).start_sample
        await r.until(lambda: gain(r) < 1.0)
        lowered = r.clock.now() - r.microphone.time_of(start)
        await r.until(lambda: r.parts.mouth.paused)
        silent = r.clock.now() - r.microphone.time_of(start)
        assert lowered <= 0.06 + 2 * FRAME_MS / 1000
        assert silent == pytest.approx(0.2, abs=2 * FRAME_MS / 1000)
        await r.until(lambda: not r.speaker.playing)


async def test_a_real_utterance_takes_the_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reply ends there, the command is done, and what was not spoken is not in the record."""
    async with room(monkeypatch) as r:
        await speaking(r)
        await r.turn("座って")
        await r.until(lambda: len(r.records) == 2)
        first, second = sorted(r.records, key=lambda one: one.turn)
        assert len(first.spoken) < len(first.reply)
        assert (r.calls, second.spoken) == (["Sit"], second.reply)
        assert gain(r) == 1.0


@pytest.mark.parametrize(
    ("text", "how", "reason"),
    [
        ("ゴホン", {"oov": 0.99}, "out of vocabulary"),
        ("", {"dropped": "silence"}, "silence"),
        ("うん", {}, BACKCHANNEL),
        ("はい", {}, BACKCHANNEL),
        ("ハハハ", {}, BACKCHANNEL),
    ],
)
async def test_a_cough_or_a_backchannel_lets_it_finish(
    monkeypatch: pytest.MonkeyPatch, text: str, how: dict[str, object], reason: str
) -> None:
    """It pauses, and two seconds later goes on from the clause it was in, to the end."""
    async with room(monkeypatch) as r:
        await speaking(r)
        clause = r.parts.mouth.now_saying
        await r.speak(text, **how)
        await r.until(lambda: r.parts.mouth.paused or len(r.records) == 1)
        paused = r.clock.now()
        await r.until(lambda: not r.parts.mouth.paused)
        assert r.clock.now() - paused == pytest.approx(2.0, abs=0.2)
        assert r.parts.mouth.now_saying == clause
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        answer, other = sorted(r.records, key=lambda one: one.turn)
        assert answer.spoken == answer.reply
        assert other.dropped == reason


async def test_a_click_does_not_silence_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A door of 100 ms lowers the voice at most."""
    async with room(monkeypatch) as r:
        await speaking(r)
        await r.play(voice(100, amplitude=12000))
        assert not r.parts.mouth.paused
        await r.until(lambda: r.conversation.idle)
        assert gain(r) == 1.0
        assert r.records[0].spoken == r.records[0].reply


async def test_a_television_cannot_silence_it_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few interruptions that were nothing, the voice is only lowered, and the answer comes to its end."""
    async with room(monkeypatch) as r:
        await r.speak("何ができますか")
        pauses = 0
        was = False
        noise = r.says("テレビ", oov=0.99)
        while not any(one.reply for one in r.records):
            if not r.conversation._endpointer.in_speech:
                r.microphone.speak(noise)
            await r.clock.sleep(FRAME_MS / 1000)
            pauses += r.parts.mouth.paused and not was
            was = r.parts.mouth.paused
        assert pauses == MOST_PAUSES
        (answer,) = [one for one in r.records if one.reply]
        assert answer.spoken == answer.reply


async def test_barge_in_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then only a stop ends the voice."""
    async with room(monkeypatch, settings_with(turn={"barge_in": False})) as r:
        await speaking(r)
        await r.speak("ゴホン", oov=0.99)
        assert not r.parts.mouth.paused
        await pause(r, 700)
        await r.turn("止まって")
        await r.until(lambda: len(r.records) == 3)
        answer = next(one for one in r.records if one.turn == 1)
        assert len(answer.spoken) < len(answer.reply)


async def test_a_question_that_was_cut_off_has_no_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was about to ask back, and was interrupted before it did: はい afterwards does nothing."""
    async with room(monkeypatch) as r:
        await r.speak("お座りできる？")
        await r.until(lambda: r.conversation.turns == 1)
        await r.turn("ありがとう")
        record = await r.turn("はい")
        assert (actions(record), r.calls) == ([], [])


async def test_a_yes_into_the_question_itself_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """People answer before the last mora: はい during the question is an answer, and no backchannel."""
    async with room(monkeypatch) as r:
        await r.speak("お座りできる？")
        await r.until(lambda: r.parts.mouth.now_saying.endswith("で合っていますか？"))
        await r.clock.sleep(2 * SECONDS_PER_KANA)
        record = await r.turn("はい")
        assert actions(record) == ["Sit"]


async def test_it_does_not_answer_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it hears of its own answer is dropped, and it speaks on."""
    async with room(monkeypatch) as r:
        await speaking(r)
        await r.speak(r.parts.mouth.now_saying)
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        answer, echo = sorted(r.records, key=lambda one: one.turn)
        assert echo.dropped == OWN_VOICE
        assert answer.spoken == answer.reply


@pytest.mark.parametrize(("text", "goes_on"), [("ゼン", True), ("ハイネ", True), ("キョオハアツイ", False)])
async def test_a_scrap_that_means_nothing_does_not_interrupt_it(
    monkeypatch: pytest.MonkeyPatch, text: str, goes_on: bool
) -> None:
    """What is left of an echo is short; a sentence is somebody's, understood or not."""
    async with room(monkeypatch) as r:
        await speaking(r)
        await r.speak(text)
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        answer, other = sorted(r.records, key=lambda one: one.turn)
        assert (answer.spoken == answer.reply) is goes_on
        assert (other.dropped == OWN_VOICE) is goes_on


async def test_its_own_voice_does_not_release_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how to take the latch off; hearing itself say that takes nothing off."""
    async with room(monkeypatch) as r:
        await r.turn("緊急停止")
        await pause(r, 3000)
        await r.speak("座って")
        await r.until(lambda: "解除" in r.parts.mouth.now_saying)
        await r.speak("解除")
        await r.until(lambda: r.conversation.idle)
        assert r.parts.lane.latched
        assert r.records[-1].dropped == OWN_VOICE or r.records[-2].dropped == OWN_VOICE


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
