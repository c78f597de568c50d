from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from claudiad.audio.virtual import MemorySpeaker
from claudiad.clock import JumpClock
from claudiad.purity.filter import Purified, purify
from claudiad.tts import mouth
from claudiad.tts.mouth import DUCKED, LONGEST_PAUSE_S, Mouth, Spoken
from claudiad.types import Pcm
from tests.tts.fakes import FakeSpeaker, FakeVoice

ONE, TWO, THREE = "立ちます。", "座ります。", "伏せます。"
ALL = (ONE, TWO, THREE)
TEXT = "".join(ALL)


async def until(true: Callable[[], bool]) -> None:
    """Let the loop and the voice's thread go on until `true`; a bounded number of rounds, no clock."""
    for _ in range(20_000):
        if true():
            return
        await asyncio.sleep(0)
        await asyncio.to_thread(lambda: None)
    raise AssertionError("it never happened")


class StandingClock(JumpClock):
    """Time does not pass: nothing that waits for it ends."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class Scene:
    """A mouth with fake voice and speaker."""

    def __init__(
        self, voice: FakeVoice, *, instant: bool = False, cache_bytes: int = 1000, clock: JumpClock | None = None
    ) -> None:
        self.clock = clock or JumpClock(100.0)
        self.voice = voice
        self.speaker = FakeSpeaker(self.clock, instant=instant)
        self.mouth = Mouth(voice, self.speaker, self.clock, cache_bytes)

    def say(self, text: str = TEXT) -> asyncio.Task[Spoken]:
        return asyncio.create_task(self.mouth.say(text))


async def test_clauses_sound_in_order() -> None:
    """All clauses are heard, in order, and the result says so with the time of the first sample."""
    scene = Scene(FakeVoice(), instant=True)
    assert await scene.mouth.say(TEXT) == Spoken(ALL, ALL, 100.0, interrupted=False, failed=(), first_pcm_at=100.0)
    assert scene.speaker.played == list(ALL)
    await scene.mouth.close()


async def test_the_gate_stands_before_the_voice() -> None:
    """The voice is asked for clean Japanese only, and for nothing when nothing is left."""
    scene = Scene(FakeVoice(), instant=True)
    said = await scene.mouth.say("<think>hm</think>**立ちます。** Hello world!")
    nothing = await scene.mouth.say("😊 ok then!")
    assert scene.voice.asked == [ONE]
    assert said.spoken == (ONE,)
    assert nothing == Spoken((), (), None, interrupted=False)
    await scene.mouth.close()


class HeldFilter:
    """The purity filter; what `held` is in waits for the test, and may not be judged on the event loop's thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, held: str = "flurb") -> None:
        self.asked: list[str] = []
        self.begun = threading.Event()
        self.release = threading.Event()
        self._held = held
        self._loop = threading.current_thread()
        monkeypatch.setattr(mouth, "purify", self._purify)

    def _purify(self, text: str) -> Purified:
        elsewhere = threading.current_thread() is not self._loop
        self.asked.append(f"{text} elsewhere" if elsewhere else text)
        if self._held in text:
            assert elsewhere, "the event loop would wait"
            self.begun.set()
            assert self.release.wait(5), "nobody released the filter"
        return purify(text.replace(self._held, ""))


async def test_only_what_may_take_long_is_judged_in_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canned reply costs no way to a thread and back; a Latin word or a long text does not hold the loop."""
    held = HeldFilter(monkeypatch)
    held.release.set()
    scene = Scene(FakeVoice(), instant=True)
    await scene.mouth.say(ONE)
    await scene.mouth.say(f"flurb{TWO}")
    await scene.mouth.prepare(f"flurb{THREE}")
    await scene.mouth.say(ONE * 40)
    assert held.asked == [ONE, f"flurb{TWO} elsewhere", f"flurb{THREE} elsewhere", f"{ONE * 40} elsewhere"]
    await scene.mouth.close()


async def test_a_reply_that_takes_long_to_judge_keeps_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said after it is heard after it, however soon that is judged; clauses keep their order, too."""
    held = HeldFilter(monkeypatch)
    scene = Scene(FakeVoice(), instant=True)

    async def written() -> AsyncIterator[str]:
        yield f"flurb{TWO}"
        yield THREE

    first, second = scene.say(f"flurb{ONE}"), scene.say(TWO)
    third = asyncio.create_task(scene.mouth.say_as_written(written()))
    await until(held.begun.is_set)
    assert scene.mouth.speaking
    held.release.set()
    assert [(await said).spoken for said in (first, second, third)] == [(ONE,), (TWO,), (TWO, THREE)]
    assert scene.speaker.played == [ONE, TWO, TWO, THREE]
    await scene.mouth.close()


async def test_a_cancel_does_not_wait_for_the_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply that is still being judged ends at once and never sounds; the next one is heard."""
    held = HeldFilter(monkeypatch)
    scene = Scene(FakeVoice(), instant=True)
    saying = scene.say(f"flurb{ONE}")
    await until(held.begun.is_set)
    scene.mouth.cancel()
    assert await saying == Spoken((), (), None, interrupted=True)
    assert not scene.mouth.speaking
    assert (await scene.mouth.say(TWO)).spoken == (TWO,)
    held.release.set()
    await until(lambda: len(held.asked) == 2)
    assert scene.speaker.played == [TWO]
    await scene.mouth.close()


async def test_cancelling_the_task_while_it_is_judged_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task cancelled while the filter works ends as cancelled."""
    held = HeldFilter(monkeypatch)
    scene = Scene(FakeVoice(), instant=True)
    saying = scene.say(f"flurb{ONE}")
    await until(held.begun.is_set)
    saying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saying
    assert not scene.mouth.speaking
    held.release.set()
    await scene.mouth.close()
    assert scene.speaker.played == []


async def test_one_clause_ahead_and_no_more() -> None:
    """While the first clause sounds the second is synthesised, and the third is not."""
    scene = Scene(FakeVoice())
    saying = scene.say()
    await until(lambda: scene.speaker.sounding == ONE and scene.voice.finished == [ONE, TWO])
    for _ in range(50):
        await asyncio.to_thread(lambda: None)
    assert scene.voice.asked == [ONE, TWO]
    assert scene.mouth.speaking
    assert scene.mouth.now_saying == ONE
    scene.speaker.end()
    await until(lambda: scene.speaker.sounding == TWO)
    scene.speaker.end()
    await until(lambda: scene.speaker.sounding == THREE)
    scene.speaker.end()
    assert (await saying).spoken == ALL
    assert not scene.mouth.speaking
    assert scene.mouth.now_saying == ""
    await scene.mouth.close()


async def test_cancel_silences_at_once() -> None:
    """Cancel during playback stops the speaker in the same call; only clauses heard to the end count as spoken."""
    scene = Scene(FakeVoice())
    saying = scene.say()
    await scene.speaker.begun.wait()
    scene.speaker.end()
    await until(lambda: scene.speaker.sounding == TWO)
    scene.mouth.cancel()
    assert scene.speaker.stops == 1
    said = await saying
    assert (said.spoken, said.interrupted) == ((ONE,), True)
    assert scene.speaker.played == [ONE, TWO]
    await scene.mouth.close()


async def test_late_synthesis_never_sounds() -> None:
    """A clause that is still being synthesised when it is cancelled is thrown away when it comes."""
    scene = Scene(FakeVoice(held=(ONE,)))
    saying = scene.say()
    await asyncio.to_thread(scene.voice.started[ONE].wait, 5)
    assert scene.mouth.speaking
    scene.mouth.cancel()
    said = await saying
    assert not scene.mouth.speaking
    assert said == Spoken((), ALL, None, interrupted=True)
    scene.voice.release[ONE].set()
    await until(lambda: scene.voice.finished == [ONE])
    await asyncio.sleep(0)
    assert scene.speaker.played == []
    await scene.mouth.close()


async def test_a_reply_after_a_cancel_is_heard() -> None:
    """Cancelling ends what was said before it and nothing that is said after it."""
    scene = Scene(FakeVoice(held=(ONE,)))
    first = scene.say()
    await asyncio.to_thread(scene.voice.started[ONE].wait, 5)
    scene.mouth.cancel()
    second = scene.say(TWO)
    scene.voice.release[ONE].set()
    await until(lambda: scene.speaker.sounding == TWO)
    scene.speaker.end()
    assert (await first).interrupted
    assert (await second).spoken == (TWO,)
    assert scene.speaker.played == [TWO]
    await scene.mouth.close()


async def test_cancel_ends_waiting_replies_too() -> None:
    """Replies wait for each other, and one cancel ends the one that sounds and the one that waits."""
    scene = Scene(FakeVoice())
    first, second = scene.say(ONE), scene.say(TWO)
    await until(lambda: scene.speaker.sounding == ONE)
    assert scene.speaker.played == [ONE]
    scene.mouth.cancel()
    assert (await first).interrupted
    assert await second == Spoken((), (TWO,), None, interrupted=True)
    assert scene.speaker.played == [ONE]
    await scene.mouth.close()


async def test_replies_do_not_overlap() -> None:
    """A second reply begins when the first has ended."""
    scene = Scene(FakeVoice(), instant=True)
    await asyncio.gather(scene.say(ONE + TWO), scene.say(THREE))
    assert scene.speaker.played == [ONE, TWO, THREE]
    await scene.mouth.close()


async def test_cancelling_the_task_silences() -> None:
    """A cancelled task stops the speaker, raises CancelledError and leaves the mouth usable."""
    scene = Scene(FakeVoice())
    saying = scene.say()
    await until(lambda: scene.speaker.sounding == ONE)
    saying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saying
    assert scene.speaker.stops == 1
    assert not scene.mouth.speaking
    again = scene.say(THREE)
    await until(lambda: scene.speaker.sounding == THREE)
    scene.speaker.end()
    assert (await again).spoken == (THREE,)
    await scene.mouth.close()


async def test_cancelling_the_task_during_synthesis_raises() -> None:
    """A task cancelled while the voice works ends as cancelled also when the mouth is cancelled with it."""
    scene = Scene(FakeVoice(held=(ONE,)))
    saying = scene.say()
    await asyncio.to_thread(scene.voice.started[ONE].wait, 5)
    saying.cancel()
    scene.mouth.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saying
    scene.voice.release[ONE].set()
    await scene.mouth.close()
    assert scene.speaker.played == []


async def test_a_pause_goes_on_from_the_clause_it_was_in() -> None:
    """Silent at once; after `resume` the clause begins again, the rest follows, and nothing counts as interrupted."""
    scene = Scene(FakeVoice(), clock=StandingClock())
    saying = scene.say()
    await until(lambda: scene.speaker.sounding == ONE)
    scene.speaker.end()
    await until(lambda: scene.speaker.sounding == TWO)
    scene.mouth.pause()
    await until(lambda: scene.speaker.sounding is None)
    assert scene.mouth.paused
    assert scene.mouth.speaking
    for _ in range(8):
        await asyncio.sleep(0)
    assert scene.speaker.played == [ONE, TWO]
    scene.mouth.resume()
    for clause in (TWO, THREE):
        await until(lambda clause=clause: scene.speaker.sounding == clause)  # type: ignore[misc]
        scene.speaker.end()
    said = await saying
    assert scene.speaker.played == [ONE, TWO, TWO, THREE]
    assert (said.spoken, said.interrupted) == (ALL, False)
    await scene.mouth.close()


async def test_a_pause_while_the_next_clause_is_made_holds_it_back() -> None:
    """Paused between two clauses, the next one waits, however soon it is ready."""
    scene = Scene(FakeVoice(held=(TWO,)), clock=StandingClock())
    saying = scene.say(ONE + TWO)
    await until(lambda: scene.speaker.sounding == ONE)
    scene.speaker.end()
    await until(lambda: scene.speaker.sounding is None)
    scene.mouth.pause()
    scene.voice.release[TWO].set()
    await until(lambda: scene.voice.finished == [ONE, TWO])
    for _ in range(8):
        await asyncio.sleep(0)
    assert scene.speaker.played == [ONE]
    scene.mouth.resume()
    await until(lambda: scene.speaker.sounding == TWO)
    scene.speaker.end()
    assert (await saying).spoken == (ONE, TWO)
    await scene.mouth.close()


async def test_a_cancel_ends_a_pause() -> None:
    """Paused and then cancelled: only what sounded whole was spoken, and the next reply is heard."""
    scene = Scene(FakeVoice())
    saying = scene.say()
    await until(lambda: scene.speaker.sounding == ONE)
    scene.mouth.pause()
    scene.mouth.cancel()
    said = await saying
    assert (said.spoken, said.interrupted) == ((), True)
    assert not scene.mouth.paused
    again = scene.say(TWO)
    await until(lambda: scene.speaker.sounding == TWO)
    scene.speaker.end()
    assert (await again).spoken == (TWO,)
    await scene.mouth.close()


async def test_a_pause_nobody_ends_ends_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    """After the longest pause, in the clock's time, it goes on and says why."""
    scene = Scene(FakeVoice())
    saying = scene.say(ONE)
    await until(lambda: scene.speaker.sounding == ONE)
    scene.mouth.pause()
    await until(lambda: scene.speaker.played == [ONE, ONE])
    assert scene.clock.now() == pytest.approx(100.0 + LONGEST_PAUSE_S)
    assert "nobody resumed" in caplog.text
    scene.speaker.end()
    assert (await saying).spoken == (ONE,)
    await scene.mouth.close()


async def test_there_is_nothing_to_pause_in_silence() -> None:
    """A pause while nothing is said does not hold back the next reply."""
    scene = Scene(FakeVoice(), instant=True)
    scene.mouth.pause()
    assert not scene.mouth.paused
    assert (await scene.mouth.say(ONE)).spoken == (ONE,)
    await scene.mouth.close()


async def test_what_was_said_lately_is_known() -> None:
    """Clauses that sounded at a time or later, whole or cut off, the present one included."""
    scene = Scene(FakeVoice())
    saying = scene.say()
    await until(lambda: scene.speaker.sounding == ONE)
    assert scene.mouth.said_since(100.0) == (ONE,)
    await scene.clock.sleep(2.0)
    scene.speaker.end()
    await until(lambda: scene.speaker.sounding == TWO)
    assert scene.mouth.said_since(101.0) == (ONE, TWO)
    assert scene.mouth.said_since(102.1) == (TWO,)
    scene.mouth.cancel()
    await saying
    assert scene.mouth.said_since(102.0) == (ONE, TWO)
    assert scene.mouth.said_since(102.1) == ()
    await scene.mouth.close()


async def test_the_last_clause_is_announced_when_it_begins() -> None:
    """Not before, and never for a reply that was cut off before it."""
    scene, told = Scene(FakeVoice()), []
    saying = asyncio.create_task(scene.mouth.say(ONE + TWO, lambda: told.append(scene.speaker.played[:])))
    await until(lambda: scene.speaker.sounding == ONE)
    assert told == []
    scene.speaker.end()
    await until(lambda: scene.speaker.sounding == TWO)
    assert told == [[ONE]]
    scene.speaker.end()
    await saying
    cut = asyncio.create_task(scene.mouth.say(ONE + TWO, lambda: told.append([])))
    await until(lambda: scene.speaker.sounding == ONE)
    scene.mouth.cancel()
    await cut
    assert told == [[ONE]]
    await scene.mouth.close()


async def test_ducking_is_the_speakers_gain() -> None:
    """Down, and back to what it was."""
    scene = Scene(FakeVoice(), instant=True)
    scene.mouth.duck(down=True)
    scene.mouth.duck(down=False)
    assert scene.speaker.gains == [DUCKED, 1.0]
    await scene.mouth.close()


async def test_what_is_prepared_needs_no_synthesis() -> None:
    """The first clause is rendered ahead, once, and nothing sounds; a broken voice is no error."""
    scene = Scene(FakeVoice(broken=(THREE,)), instant=True)
    await scene.mouth.prepare(ONE + TWO)
    await scene.mouth.prepare(ONE + TWO)
    await scene.mouth.prepare(THREE)
    await scene.mouth.prepare("")
    assert scene.voice.asked == [ONE, THREE]
    assert scene.speaker.played == []
    await scene.mouth.say(ONE)
    assert scene.voice.asked == [ONE, THREE]
    await scene.mouth.close()


async def test_a_broken_clause_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """A synthesis error is logged, named in the result, and the next clause is spoken."""
    scene = Scene(FakeVoice(broken=(ONE, THREE)), instant=True)
    with caplog.at_level(logging.WARNING):
        said = await scene.mouth.say(TEXT)
    assert (said.spoken, said.failed, said.interrupted) == ((TWO,), (ONE, THREE), False)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    await scene.mouth.close()


async def test_when_all_fail_the_result_says_so() -> None:
    """Nothing spoken, no first sample, every clause in `failed`."""
    scene = Scene(FakeVoice(broken=ALL), instant=True)
    assert await scene.mouth.say(TEXT) == Spoken((), ALL, None, interrupted=False, failed=ALL)
    await scene.mouth.close()


async def test_a_failure_nobody_waits_for_is_no_noise() -> None:
    """A clause that failed ahead of time and was then cancelled leaves no unretrieved exception."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    scene = Scene(FakeVoice(broken=(TWO,)))
    saying = scene.say()
    await until(lambda: scene.speaker.sounding == ONE and scene.voice.asked == [ONE, TWO])
    for _ in range(20):
        await asyncio.to_thread(lambda: None)
    scene.mouth.cancel()
    await saying
    await scene.mouth.close()
    gc.collect()
    assert complaints == []


async def test_primed_texts_need_no_synthesis() -> None:
    """A primed acknowledgement starts while the voice is busy with something else."""
    scene = Scene(FakeVoice(held=(TWO,)), instant=True)
    await scene.mouth.prime(["はい。"])
    busy = scene.say(TWO)
    await asyncio.to_thread(scene.voice.started[TWO].wait, 5)
    scene.mouth.cancel()
    await busy
    assert (await scene.mouth.say("はい。")).spoken == ("はい。",)
    assert scene.voice.asked == ["はい。", TWO]
    scene.voice.release[TWO].set()
    await scene.mouth.close()


async def test_primed_texts_stay_ready() -> None:
    """However much is said in between, an acknowledgement is not synthesised again."""
    scene = Scene(FakeVoice(), instant=True, cache_bytes=30)
    await scene.mouth.prime(["はい。"])
    await scene.mouth.say(TEXT)
    await scene.mouth.say("はい。")
    assert scene.voice.asked == ["はい。", *ALL]
    await scene.mouth.close()


async def test_priming_survives_a_broken_voice(caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be rendered ahead of time is logged; the others are ready."""
    scene = Scene(FakeVoice(broken=(ONE,)), instant=True)
    await scene.mouth.prime([ONE, TWO])
    assert len(caplog.records) == 1
    await scene.mouth.say(TWO)
    assert scene.voice.asked == [ONE, TWO]
    await scene.mouth.close()


async def test_close_leaves_no_thread() -> None:
    """After close the voice's thread has ended."""
    scene = Scene(FakeVoice(held=(ONE,)))
    saying = scene.say(ONE)
    await asyncio.to_thread(scene.voice.started[ONE].wait, 5)
    closing = asyncio.create_task(scene.mouth.close())
    assert (await saying).interrupted
    scene.voice.release[ONE].set()
    await closing
    with pytest.raises(RuntimeError):
        await scene.mouth.say(TWO)


async def test_the_volume_scales_what_is_played() -> None:
    """Half the volume is half the samples, also for what was rendered ahead of time."""
    clock = JumpClock()
    speaker = MemorySpeaker(clock, "fast")
    quiet = Mouth(LoudVoice(), speaker, clock, volume=0.5)
    await quiet.prime([ONE])
    await quiet.say(ONE + TWO)
    assert {int(np.abs(one.pcm).max()) for one in speaker.played} == {4000}
    await quiet.close()


class LoudVoice:
    """A tenth of a second of the same sample, whatever the clause."""

    name = "loud"
    sample_rate = 16_000

    def synthesise(self, clause: str) -> Pcm:
        return np.full(1600, 8000, np.int16)
