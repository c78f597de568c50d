"""Feeding, and what happens when a stage hangs. Each look is called by hand; one test has the real thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass, field

import pytest

from claudiad.service.events import STACK, STALLED
from claudiad.service.heartbeats import Heartbeats, Stalled
from claudiad.service.notify import Notifier
from claudiad.service.watchdog import LOOP, LOOP_S, Watchdog
from claudiad.service.watched import CALL_S, SLOWER, Watched, WatchedRecogniser, WatchedVoice
from claudiad.types import Pcm, Transcript
from tests.app.room import ToneVoice
from tests.fakes.recogniser import FakeRecogniser


@dataclass
class Rig:
    """A watchdog with a 30 s period, looked through by hand."""

    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    told: list[str] = field(default_factory=list)
    stalls: list[Stalled] = field(default_factory=list)
    now: float = 0.0

    def watchdog(self) -> Watchdog:
        notifier = Notifier(self.told.append, watchdog_s=30.0)
        watchdog = Watchdog(
            self.heartbeats, notifier, asyncio.get_running_loop(), self.stalls.append, now=lambda: self.now
        )
        self.heartbeats.expect(LOOP, LOOP_S)
        return watchdog

    async def looks(self, watchdog: Watchdog, seconds: float) -> None:
        """A look each second, in between the event loop runs."""
        for _ in range(int(seconds)):
            watchdog.look()
            await asyncio.sleep(0)
            self.now += 1.0


async def test_progress_feeds_it_four_times_per_period() -> None:
    """A loop that answers and workers that are idle: WATCHDOG=1 and nothing else."""
    rig = Rig()
    await rig.looks(rig.watchdog(), 60)
    assert set(rig.told) == {"WATCHDOG=1"}
    assert len(rig.told) == 8


async def test_a_stuck_worker_is_named_and_triggers_once(caplog: pytest.LogCaptureFixture) -> None:
    """The robot is stopped first; error, stacks of threads and tasks, then the trigger, and no feeding any more."""
    rig = Rig()
    watchdog = rig.watchdog()
    stuck = asyncio.create_task(asyncio.Event().wait(), name="turn-7")
    rig.heartbeats.busy("recognition", CALL_S)
    with caplog.at_level(logging.ERROR):
        await rig.looks(watchdog, 40)
    stuck.cancel()
    assert [s.stage for s in rig.stalls] == ["recognition"]
    assert [line for line in rig.told if line != "WATCHDOG=1"] == [
        f"STATUS={rig.stalls[0]}\nWATCHDOG=trigger".encode().decode("latin-1")
    ]
    assert rig.told[-1].endswith("trigger")
    first, *stacks = caplog.records
    assert first.journal == STALLED.fields(CLAUDIA_STAGE="recognition")
    assert {r.journal["MESSAGE_ID"] for r in stacks} == {STACK.id}
    text = "\n".join(r.getMessage() for r in stacks)
    assert "task turn-7" in text
    assert "in Event.wait" in text
    assert "thread MainThread" in text


async def test_what_recovers_is_fed_again(caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing restarts it (a terminal), a stage that goes on is said and the watch goes on."""
    rig = Rig()
    watchdog = rig.watchdog()
    rig.heartbeats.busy("voice", 5.0)
    await rig.looks(watchdog, 10)
    rig.heartbeats.idle("voice")
    rig.told.clear()
    await rig.looks(watchdog, 10)
    assert "voice goes on again" in caplog.text
    assert set(rig.told) == {"WATCHDOG=1"}


async def test_it_triggers_even_when_the_robot_cannot_be_told() -> None:
    """A fault in what is done first does not keep systemd from being asked."""
    rig = Rig()

    def broken(_: Stalled) -> None:
        raise RuntimeError

    watchdog = Watchdog(
        rig.heartbeats, Notifier(rig.told.append, 30.0), asyncio.get_running_loop(), broken, lambda: rig.now
    )
    rig.heartbeats.busy("voice", 5.0)
    with pytest.raises(RuntimeError):
        await rig.looks(watchdog, 20)
    assert rig.told[-1].endswith("WATCHDOG=trigger")


def test_a_blocked_event_loop_is_found_by_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    """The loop itself hangs: the thread sees it, and its stack names the line that blocks."""
    rig, hung, found = Rig(), threading.Event(), threading.Event()

    def stalled(what: Stalled) -> None:
        rig.stalls.append(what)

    def told(line: str) -> None:
        if "trigger" in line:
            found.set()

    async def blocks_the_loop() -> None:
        ticks = iter(range(10_000))
        watchdog = Watchdog(
            rig.heartbeats, Notifier(told, 0.08), asyncio.get_running_loop(), stalled, lambda: float(next(ticks))
        )
        watchdog.start()
        hung.set()
        assert found.wait(20)
        await asyncio.to_thread(watchdog.close)

    with caplog.at_level(logging.ERROR):
        asyncio.run(blocks_the_loop())
    assert hung.is_set()
    assert rig.stalls[0].stage == LOOP
    assert "in blocks_the_loop" in caplog.text


def test_a_recogniser_is_busy_for_as_long_as_it_works() -> None:
    """Before and behind a call nothing is expected of it; inside, its deadline runs; name and result stay."""
    hb, gate, inside = Heartbeats(), threading.Event(), threading.Event()

    class Slow:
        name = "slow"

        def recognise(self, _pcm: Pcm) -> Transcript:
            inside.set()
            assert gate.wait(20)
            return Transcript("はい", "", 1.0, 0.0)

    watched = WatchedRecogniser(Slow(), hb, "recognition")
    assert watched.name == "slow"
    results: list[Transcript] = []
    worker = threading.Thread(target=lambda: results.append(watched.recognise(FakeRecogniser().says("はい"))))
    worker.start()
    assert inside.wait(20)
    hb.stalled(0.0)
    for now in range(2, int(CALL_S) + 2, 2):
        assert hb.stalled(now) is None
    stalled = hb.stalled(CALL_S + 4)
    assert stalled is not None
    assert stalled.stage == "recognition"
    gate.set()
    worker.join()
    assert hb.stalled(CALL_S + 5) is None
    assert results[0].text == "はい"


def test_a_voice_is_what_it_was() -> None:
    """Watching changes neither its name, nor its rate, nor its sound."""
    plain, watched = ToneVoice(), WatchedVoice(ToneVoice(), Heartbeats())
    assert (watched.name, watched.sample_rate) == (plain.name, plain.sample_rate)
    assert (watched.synthesise("あ") == plain.synthesise("あ")).all()


def test_a_slow_computer_has_longer_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large model on a small machine is slow, not stuck: what it has taken before says how long it may take."""
    now = [0.0]
    monkeypatch.setattr("claudiad.service.watched.time.monotonic", lambda: now[0])
    watched = Watched(Heartbeats(), "recognition")
    assert watched.deadline_s == CALL_S
    for seconds in (0.5, 10.0, 1.0):
        with watched.call():
            now[0] += seconds
    assert watched.deadline_s == 10.0 * SLOWER
