"""What a conversation does, from sound to the robot's calls: all of it in virtual time."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from claudiad.app.conversation import QUEUE
from claudiad.app.judge import OWN_TAIL_S
from claudiad.app.stop_listener import SILENCE_MS
from claudiad.audio.microphone import CaptureStats, Microphone
from claudiad.brain.wording import LATCHED, RELEASED, STOPPED
from claudiad.robot.dispatcher import LATCHED as HELD
from claudiad.types import FRAME_MS, Frame, Posture
from tests.app.room import SECONDS_PER_KANA, room, settings_with


def names(record: object) -> list[tuple[str, str]]:
    return [(s.action.name, s.outcome) for s in record.steps]  # type: ignore[attr-defined]


def everything_in(folder: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())


async def test_a_command_moves_and_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """座って: the robot sits, the answer sounds to its end, and the record has both with their times."""
    async with room(monkeypatch) as r:
        record = await r.turn("座って")
        assert r.calls == ["Sit"]
        assert r.robot.state().posture is Posture.SITTING
        assert names(record) == [("Sit", "done")]
        assert (record.route, record.kind, record.dropped) == ("hotpath", "action", None)
        assert record.spoken == record.reply != ""
        times = record.timings_ms
        assert times["endpoint"] == pytest.approx(200, abs=FRAME_MS)
        assert times["endpoint"] <= times["speech_end_to_dispatch"] <= times["speech_end_to_done"]
        assert times["speech_end_to_first_audio"] >= times["endpoint"]


async def test_a_sequence_is_done_in_order_with_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """From lying, 挨拶して has StandUp put before it, marked as added."""
    async with room(monkeypatch, posture=Posture.LYING) as r:
        record = await r.turn("挨拶して")
        assert r.calls == ["StandUp", "Hello"]
        assert [(s.action.name, s.action.inserted) for s in record.steps] == [("StandUp", True), ("Hello", False)]
        record = await r.turn("座ってから挨拶して")
        assert r.calls == ["StandUp", "Hello", "Sit", "Hello"]
        assert names(record) == [("Sit", "done"), ("Hello", "done")]


async def test_a_stop_in_motion_ends_the_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 止まって nothing but stops is on the robot's log, though two more steps were due."""
    async with room(monkeypatch) as r:
        await r.speak("踊ってから座って挨拶して")
        await r.moving("Dance1")
        record = await r.turn("止まって")
        assert r.calls[0] == "Dance1"
        assert set(r.calls[1:]) == {"stop"}
        assert record.route == "emergency"
        assert names(record) == [("stop", "done")]
        assert record.reply == STOPPED
        assert record.timings_ms["speech_end_to_stop"] < 300 + 2 * FRAME_MS
        danced = next(one for one in r.records if one.turn == 1)
        assert names(danced) == [("Dance1", "stopped"), ("Sit", "stopped"), ("Hello", "stopped")]
        await r.clock.sleep(30)
        assert set(r.calls[1:]) == {"stop"}


async def test_the_body_stops_before_the_utterance_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A little silence is enough while the robot moves: StopMove comes well before the hangover ends."""
    async with room(monkeypatch, settings_with(endpoint={"hangover_ms": 1000})) as r:
        await r.speak("踊って")
        await r.moving("Dance1")
        await r.speak("止まって")
        ended = r.microphone.time_of(r.microphone.spoken[-1].end_sample)
        await r.until(lambda: "stop" in r.calls)
        stopped = next(call.t for call in r.robot.calls if call.name == "stop")
        assert stopped - ended < SILENCE_MS / 1000 + 0.2
        assert len(r.records) == 0
        await r.until(lambda: r.conversation.idle)
        assert [one.route for one in r.records] == ["hotpath", "emergency"]


async def test_a_stop_silences_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it explains what it can do, 止まって ends the sound within 100 ms of being understood."""
    async with room(monkeypatch) as r:
        await r.speak("何ができますか")
        await r.until(lambda: r.speaker.playing)
        await r.speak("止まって")
        await r.until(lambda: r.robot.body.stops)
        stopped = r.clock.now()
        await r.until(lambda: not r.speaker.playing or r.parts.mouth.now_saying == STOPPED)
        assert r.clock.now() - stopped <= 0.1
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        cut, stop = sorted(r.records, key=lambda one: one.turn)
        assert len(cut.spoken) < len(cut.reply)
        assert stop.spoken == STOPPED


async def test_a_stop_that_only_the_whole_utterance_tells_silences_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The early look hears something else; committed, it is a stop, and the answer under way ends there."""
    async with room(monkeypatch, separate=True) as r:
        await r.speak("何ができますか")
        await r.until(lambda: r.speaker.playing)
        assert r.stop_recogniser is not None
        r.stop_recogniser.says("ええと")
        await r.play(r.recogniser.says("止まって"))
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        cut, stop = sorted(r.records, key=lambda one: one.turn)
        assert len(cut.spoken) < len(cut.reply)
        assert (stop.route, stop.spoken) == ("emergency", STOPPED)


@pytest.mark.parametrize("heard", ["ニカトマレ", "ズトップ"])
async def test_its_own_voice_neither_hides_nor_distorts_a_stop(monkeypatch: pytest.MonkeyPatch, heard: str) -> None:
    """While it speaks, a stop behind what is left of its own voice, or one kana off, ends the answer; at rest, not."""
    async with room(monkeypatch) as r:
        assert (await r.turn(heard)).route != "emergency"
        await r.speak("何ができますか")
        await r.until(lambda: r.speaker.playing)
        await r.speak(heard, oov=0.9)
        await r.until(lambda: r.records[-1].route == "emergency" and r.conversation.idle)
        assert len(r.records[-2].spoken) < len(r.records[-2].reply)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"dropped": "hallucination"}, "hallucination"),
        ({"dropped": "silence"}, "silence"),
        ({"dropped": "too quiet"}, "too quiet"),
        ({"oov": 0.51}, "out of vocabulary"),
    ],
)
async def test_what_was_dropped_does_nothing(
    monkeypatch: pytest.MonkeyPatch, how: dict[str, object], reason: str
) -> None:
    """A transcript that is not believed neither moves the robot nor is answered, whatever it says."""
    async with room(monkeypatch) as r:
        record = await r.turn("座って", **how)
        assert record.dropped == reason
        assert (r.calls, r.speaker.played, record.steps, record.reply) == ([], [], (), "")


async def test_the_threshold_itself_is_in_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the setting nothing moves; at it, it does."""
    async with room(monkeypatch, settings_with(stt={"oov_threshold": 0.3})) as r:
        assert (await r.turn("座って", oov=0.3)).dropped is None
        assert (await r.turn("立って", oov=0.31)).dropped == "out of vocabulary"


async def test_an_unlikely_stop_counts_only_while_there_is_something_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mumble that sounds like 止まって: nothing at rest, a stop during a dance, and it is said to be one."""
    async with room(monkeypatch) as r:
        assert (await r.turn("止まって", oov=0.99)).dropped == "out of vocabulary"
        assert r.calls == []
        await r.speak("踊って")
        await r.moving("Dance1")
        record = await r.turn("止まって", oov=0.98, dropped="hallucination")
        assert set(r.calls[1:]) == {"stop"}
        assert (record.route, record.dropped, record.spoken) == ("emergency", None, STOPPED)


async def test_a_doubtful_stop_that_stopped_the_body_is_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """One kana off, it ends a dance; when it is committed the robot rests already, and it is a stop all the same."""
    async with room(monkeypatch) as r:
        assert (await r.turn("トバッテ")).route != "emergency"
        await r.speak("踊って")
        await r.moving("Dance1")
        record = await r.turn("トバッテ")
        assert set(r.calls[1:]) == {"stop"}
        assert (record.route, record.spoken) == ("emergency", STOPPED)


async def test_a_stop_needs_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the wake phrase on: no name, nothing; the name, and for a while after the answer nothing more is needed."""
    async with room(monkeypatch, settings_with(wake={"mode": "on", "follow_up_ms": 5000})) as r:
        assert (await r.turn("座って")).dropped == "not addressed"
        assert r.calls == []
        assert names(await r.turn("クラウディア座って")) == [("Sit", "done")]
        assert names(await r.turn("立って")) == [("StandUp", "done")]
        await r.clock.sleep(6)
        assert (await r.turn("伏せ")).dropped == "not addressed"
        assert (await r.turn("止まって")).route == "emergency"


async def test_a_latch_holds_until_it_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """緊急停止 is said aloud and refuses what follows; 解除 moves nothing and lets the next command through."""
    async with room(monkeypatch) as r:
        assert (await r.turn("緊急停止")).spoken == LATCHED
        assert r.parts.lane.latched
        held = await r.turn("座って")
        assert [one.refusal.name for one in held.refused] == ["Sit"]
        assert (held.steps, held.reply) == ((), HELD)
        assert set(r.calls) == {"stop"}
        await r.clock.sleep(OWN_TAIL_S)
        await r.clock.sleep(OWN_TAIL_S)
        released = await r.turn("解除")
        assert (released.reply, released.steps) == (RELEASED, ())
        assert set(r.calls) == {"stop"}
        assert names(await r.turn("立って")) == [("StandUp", "done")]


async def test_a_latch_survives_a_restart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was latched is latched in the next process on the same state directory, until it is released."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    async with room(monkeypatch, keep=True) as r:
        await r.turn("動くな")
    async with room(monkeypatch, keep=True) as r:
        assert (await r.turn("座って")).refused != ()
        await r.clock.sleep(OWN_TAIL_S)
        await r.turn("解除")
    async with room(monkeypatch, keep=True) as r:
        assert names(await r.turn("座って")) == [("Sit", "done")]


async def test_a_newer_command_replaces_the_one_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """座って in mid-dance: the dance is cut short, and it sits."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.moving("Dance1")
        await r.clock.sleep(2)
        await r.turn("座って")
        assert r.calls == ["Dance1", "stop", "Sit"]
        assert [names(one) for one in sorted(r.records, key=lambda one: one.turn)] == [
            [("Dance1", "stopped")],
            [("Sit", "done")],
        ]


async def test_commands_of_one_breath_are_done_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """立って … 挨拶して with a pause between is both, and the first is not cut short."""
    async with room(monkeypatch, posture=Posture.LYING) as r:
        await r.speak("立って")
        await r.moving("StandUp")
        await r.turn("挨拶して")
        assert r.calls == ["StandUp", "Hello"]


async def test_what_a_stop_took_away_is_not_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """伸びをして … 踊って in one breath, and a stop before the dance: it does not dance, and says nothing but that it
    stopped."""
    async with room(monkeypatch) as r:
        await r.speak("伸びをして")
        await r.moving("Stretch")
        await r.speak("踊って")
        await r.until(lambda: r.parts.mouth.now_saying == "はい、踊ります。")
        await r.turn("止まって")
        await r.until(lambda: len(r.records) == 2)
        assert "Dance1" not in r.calls
        first = next(one for one in r.records if one.turn == 1)
        assert (names(first), first.utterances) == ([("Stretch", "stopped"), ("Dance1", "stopped")], 2)
        stopped = next(call.t for call in r.robot.calls if call.name == "stop")
        assert r.heard_since(stopped) == pytest.approx(len(STOPPED) * SECONDS_PER_KANA, abs=0.001)


async def test_a_question_does_not_interrupt_the_motion(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered, and the dance goes on."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.moving("Dance1")
        await r.clock.sleep(2)
        await r.turn("何ができますか")
        assert r.calls == ["Dance1"]
        assert {one.turn: names(one) for one in r.records}[1] == [("Dance1", "done")]


async def test_a_failing_recognition_stops_the_robot_and_not_the_daemon(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The fault is logged with its traceback, what moved is stopped, and the next command works."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.moving("Dance1")
        record = await r.turn("", fault=RuntimeError("broken weights"))
        assert record.dropped == "internal error"
        assert set(r.calls[1:]) == {"stop"}
        assert any("turn 2 failed" in one.message and one.exc_info for one in caplog.records)
        assert names(await r.turn("座って")) == [("Sit", "done")]


async def test_a_failing_early_look_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The stop listener's own fault is neither lost nor the end of the conversation."""
    async with room(monkeypatch, separate=True) as r:
        await r.speak("踊って")
        await r.moving("Dance1")
        pcm = r.recogniser.says("座って")
        assert r.stop_recogniser is not None
        r.stop_recogniser.says("", fault=RuntimeError("early"))
        await r.play(pcm)
        await r.until(lambda: any("listening for a stop" in one.message for one in caplog.records))
        await r.until(lambda: r.conversation.idle)
        assert "stop" in r.calls
        assert names(await r.turn("座って")) == [("Sit", "done")]


async def test_a_failing_action_is_logged_and_stopped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of the robot's engine ends that turn, with a stop, and no other."""
    async with room(monkeypatch) as r:

        async def breaks(*_: object) -> None:
            raise RuntimeError("no such joint")

        with monkeypatch.context() as patch:
            patch.setattr(r.robot, "perform", breaks)
            record = await r.turn("座って")
        assert record.dropped == "internal error"
        assert "stop" in r.calls
        assert any("turn 1 failed" in one.message for one in caplog.records)
        assert names(await r.turn("座って")) == [("Sit", "done")]


async def test_a_slow_large_model_does_not_delay_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stop model of its own, a stop is obeyed while the large one is still thinking about something else."""
    async with room(monkeypatch, separate=True) as r:
        await r.speak("踊って")
        await r.moving("Dance1")
        r.recogniser.hold()
        await r.speak("何ができますか")
        await r.until(r.recogniser.waiting.is_set)
        await r.speak("止まって")
        await r.until(lambda: r.robot.body.stops)
        assert set(r.calls[1:]) == {"stop"}
        r.recogniser.gate.set()
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        assert "止まって" not in r.recogniser.heard
        stop = next(one for one in r.records if one.turn == 2)
        assert (stop.route, names(stop), stop.spoken) == ("emergency", [("stop", "done")], STOPPED)


async def test_the_loop_runs_while_the_recogniser_thinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recognition that does not return costs no frame: the microphone is read on, a hundred frames and more."""
    async with room(monkeypatch) as r:
        r.recogniser.hold()
        await r.speak("座って")
        await r.until(r.recogniser.waiting.is_set)
        before = r.microphone.stats.frames
        await r.until(lambda: r.microphone.stats.frames > before + 100)
        assert r.calls == []
        r.recogniser.gate.set()
        await r.until(lambda: r.records)
        assert r.calls == ["Sit"]


async def test_when_recognition_cannot_keep_up_the_oldest_is_dropped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One is being recognised, eight wait, two more come: the two oldest that wait are lost, each with a line."""
    async with room(monkeypatch) as r:
        r.recogniser.hold()
        await r.speak("最初")
        await r.clock.sleep(1.1)
        for number in range(QUEUE + 2):
            await r.speak(f"その{number}")
            await r.clock.sleep(1.1)
        r.recogniser.gate.set()
        await r.until(lambda: len(r.records) == QUEUE + 1 and r.conversation.idle)
        assert r.recogniser.heard == ["最初", *(f"その{number}" for number in range(2, QUEUE + 2))]
        assert sum("cannot keep up" in one.message for one in caplog.records) == 2


@pytest.mark.parametrize("log_speech", [True, False])
async def test_the_privacy_switch_keeps_words_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path, log_speech: bool
) -> None:
    """Off, neither the log nor the audit file has what was said or answered; what was done is in both."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    caplog.set_level(logging.DEBUG)
    async with room(monkeypatch, settings_with(privacy={"log_speech": log_speech}), keep=True) as r:
        await r.turn("座って")
        await r.speak("踊って")
        await r.moving("Dance1")
        await r.turn("止まって")
        await r.turn("緊急停止")
        await r.turn("", fault=RuntimeError("x"))
        spoken = [one.reply for one in r.records if one.reply]
    written = everything_in(tmp_path)
    kept = written + caplog.text
    for words in ("座って", "止まって", "緊急停止", *spoken):
        assert (words in kept) is log_speech, words
    assert "Sit" in written
    assert "座る" in caplog.text


@pytest.mark.parametrize("state", ["idle", "speech", "recognising", "speaking", "moving", "queued"])
async def test_cancelled_in_any_state_it_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """Nothing plays, nothing moves, and no task and no thread of it is left; a moving robot got its stop."""
    import asyncio
    import threading

    before = set(threading.enumerate())
    async with room(monkeypatch) as r:
        if state == "speech":
            r.microphone.speak(r.says("座って"))
            await r.clock.sleep(0.2)
        elif state == "recognising":
            r.recogniser.hold()
            await r.speak("座って")
            await r.until(r.recogniser.waiting.is_set)
        elif state == "speaking":
            await r.speak("何ができますか")
            await r.until(lambda: r.speaker.playing)
        elif state in ("moving", "queued"):
            await r.speak("踊って")
            await r.moving("Dance1")
            if state == "queued":
                await r.speak("座って")
                await r.until(lambda: r.parts.mouth.now_saying == "はい、座ります。")
        r.running.cancel()
        r.recogniser.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await r.running
        assert not r.speaker.playing
        assert not r.parts.mouth.speaking
        assert r.robot.state().running is None
        if state in ("moving", "queued"):
            assert r.calls[-1] == "stop"
        else:
            assert "stop" not in r.calls
    assert asyncio.all_tasks() == {asyncio.current_task()}
    left = {t for t in set(threading.enumerate()) - before if not t.name.startswith("asyncio_")}
    assert left == set()


async def test_a_microphone_that_ends_lets_the_last_turn_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun is done, what was being said is understood, then the conversation returns."""
    async with room(monkeypatch) as r:
        await r.speak("座って")
        r.microphone.close()
        await r.running
        assert [names(one) for one in r.records] == [[("Sit", "done")]]
        assert r.conversation.idle


async def test_a_microphone_that_fails_ends_the_conversation_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the source is raised to the caller, and the robot is stopped before that."""
    async with room(monkeypatch) as r:
        await r.speak("踊って")
        await r.moving("Dance1")

        def breaks(_: object, **__: object) -> None:
            raise RuntimeError("no frames")

        monkeypatch.setattr(r.conversation._endpointer, "push", breaks)
        with pytest.raises(ExceptionGroup, match="TaskGroup") as caught:
            await r.running
        assert [str(one) for one in caught.value.exceptions] == ["no frames"]
        assert r.calls[0] == "Dance1"
        assert set(r.calls[1:]) == {"stop"}


async def test_utterances_at_the_length_limit_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who does not pause is cut at the maximum, and the record says so."""
    from tests.audio.sounds import voice

    async with room(monkeypatch, settings_with(endpoint={"max_utterance_ms": 1000})) as r:
        await r.play(voice(1300, amplitude=9000))
        await r.until(lambda: len(r.records) == 2)
        assert [one.truncated for one in r.records] == [True, False]


class Attended:
    """A live microphone that remembers how closely it was listened to."""

    def __init__(self, inner: Microphone) -> None:
        self._inner = inner
        self.closely: list[bool] = []

    @property
    def stats(self) -> CaptureStats:
        return self._inner.stats

    def frames(self) -> AsyncGenerator[Frame, None]:
        return self._inner.frames()

    def attend(self, *, closely: bool) -> None:
        self.closely.append(closely)


async def test_it_listens_closely_while_anything_is_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the beginning of speech to the end of motion and voice every frame counts; in between they may come late."""
    live: list[Attended] = []
    async with room(monkeypatch, microphone=lambda m: live.append(Attended(m)) or live[-1]) as r:  # type: ignore[func-returns-value]
        await r.until(lambda: live[0].closely == [True, False])
        await r.speak("踊って")
        assert live[0].closely == [True, False, True]
        await r.moving("Dance1")
        assert live[0].closely == [True, False, True]
        await r.until(lambda: r.conversation.idle and not r.speaker.playing)
        at = r.microphone.position
        await r.until(lambda: r.microphone.position > at + 320)
        assert live[0].closely == [True, False, True, False]
