"""Who speaks when both do: barge-in, coughs, its own voice. All in virtual time."""

from __future__ import annotations

import pytest

from claudiad.app.barge_in import MOST_PAUSES
from claudiad.app.judge import BACKCHANNEL, OWN_VOICE
from claudiad.types import FRAME_MS
from tests.app.room import SECONDS_PER_KANA, Room, actions, room, settings_with
from tests.audio.sounds import voice


def gain(r: Room) -> float:
    return r.speaker._gain.target


async def speaking(r: Room) -> None:
    """Until it is well into an answer of several clauses."""
    await r.speak("何ができますか")
    await r.until(lambda: r.speaker.playing)
    await r.pause(1500)


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
        await r.pause(700)
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
        await r.pause(3000)
        await r.speak("座って")
        await r.until(lambda: "解除" in r.parts.mouth.now_saying)
        await r.speak("解除")
        await r.until(lambda: r.conversation.idle)
        assert r.parts.lane.latched
        assert r.records[-1].dropped == OWN_VOICE or r.records[-2].dropped == OWN_VOICE
