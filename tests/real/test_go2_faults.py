"""What goes wrong between a program and a robot: each fault on real DDS, judged by what arrived at the robot."""

from __future__ import annotations

import asyncio
import math
import os
import random
import subprocess
import sys
import time
from asyncio import events
from pathlib import Path
from typing import Any

import pytest

from claudiad.clock import SystemClock
from claudiad.errors import ConfigError, RobotError
from claudiad.robot import registry
from claudiad.robot.base import Status
from claudiad.robot.dispatcher import LATCHED, STALE, Dispatcher, StepResult
from claudiad.robot.go2 import adapter
from claudiad.robot.go2.adapter import Go2Robot
from claudiad.robot.motion import Limits
from claudiad.robot.safety import Policy
from claudiad.robot.stop_lane import StopLane
from claudiad.types import Decision, Posture
from tests.real.go2_rig import LONG_S, Rig, act, motions, rig, router, sequence, statuses, texts, until
from tests.real.go2sim_process import ROOT, Go2Sim, Line

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("requires_sdk")]

STOP, MOVE = 1003, 1008
SHORT_S = 2.0
NUMBERS = (("move", "x"), ("move", "yaw"), ("Euler", "x"), ("SpeedLevel", "data"))
"""Actions that take a number, and which."""
UTTERANCES = ROOT / "tests" / "brain" / "data" / "utterances" / "tune.tsv"


def at_home(folder: Path) -> dict[str, str]:
    """An environment with a home and a state of its own."""
    return os.environ | {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}


async def walking(r: Rig, sim: Go2Sim) -> asyncio.Task[list[StepResult]]:
    """A long walk that has begun, and something behind it."""
    before = len(sim.lines())
    task = r.begin(act("move", x=3.0), act("Hello"))
    await asyncio.to_thread(sim.wait_call, "Move", after=before)
    return task


# --- the other side goes away ----------------------------------------------------------------------------------------


async def test_a_robot_that_dies_while_it_walks(tmp_path: Path) -> None:
    """Its state grows too old: the move ends, it is said, only stops go out, and a robot that comes back gets no more.

    The new one is found without being asked for; what was stopped stays stopped until a new command, which works.
    """
    with Go2Sim() as first:
        domain = first.domain
        async with rig(domain, tmp_path, patience_s=0.5) as r:
            task = await walking(r, first)
            first.kill()
            walked, greeted = await task
            assert (walked.status, walked.outcome.text) == (Status.UNKNOWN, STALE)
            assert (greeted.status, greeted.dispatched_at) == (Status.INTERRUPTED, None)
            ids = r.witness.ids()
            assert set(ids[ids.index(STOP) :]) == {STOP}
            (refused,) = await r.run(act("Hello"))
            assert (refused.status, refused.dispatched_at) == (Status.REFUSED, None)
            assert refused.outcome.text

            with Go2Sim(domain=domain) as second:
                await r.fresh()
                await until(lambda: not r.lane.unconfirmed, "the answer to a stop")
                second.status()
                assert {c["name"] for c in second.calls()} == {"StopMove"}
                ids = r.witness.ids()
                assert set(ids[ids.index(STOP) :]) == {STOP}
                results = await r.run(act("move", x=0.2))
                assert statuses(results) == ["done"], texts(results)
                assert second.status()["pose"][0] == pytest.approx(0.2, abs=0.05)


async def test_a_robot_that_is_restarted_while_nothing_happens(tmp_path: Path) -> None:
    """Not a single request goes out: not while it is gone, not when it is back."""
    with Go2Sim() as first:
        domain = first.domain
        async with rig(domain, tmp_path) as r:
            first.kill()
            await until(lambda: r.robot.state().age_ms > 500, "an old state")
            with Go2Sim("--posture", "lying", domain=domain) as second:
                await r.fresh()
                assert r.robot.state().posture is Posture.LYING
                second.status()
                assert (second.calls(), r.witness.heard) == ([], [])


async def test_a_program_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    """The other side's restart: ours dies in a move, the robot stands still by itself, the next start sends nothing."""
    with Go2Sim() as sim:
        command = [sys.executable, "-m", "claudiad", "ask", "--robot", "go2", "三メートル前に進んで"]
        options = ["--set", "robot.interface=lo", "--set", f"robot.domain={sim.domain}"]
        ours = await asyncio.create_subprocess_exec(*command, *options, cwd=ROOT, env=at_home(tmp_path))
        try:
            await asyncio.to_thread(sim.wait_call, "Move", 60.0)
        finally:
            ours.kill()
            await ours.wait()
        async with rig(sim.domain, tmp_path) as r:
            # What still rolls was begun by nobody this one knows.
            await until(lambda: sim.status()["running"] is None and not r.robot.foreign, "that it is left alone")
            arrived = len(sim.calls())
            assert r.witness.heard == []
            assert statuses(await r.run(act("Sit"))) == ["done"]
            assert motions(sim.calls()[arrived:]) == ["Sit"]


async def test_a_state_that_is_lost_stops_the_move(tmp_path: Path) -> None:
    """The robot still takes calls and does not tell its state: it is stopped, and moves only when it tells it again."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            task = await walking(r, sim)
            sim.fault("drop-state")
            walked, _ = await task
            assert (walked.status, walked.outcome.text) == (Status.UNKNOWN, STALE)
            now = sim.status()
            assert (now["running"], now["stops"]) == (None, 1)
            assert sim.calls()[-1]["name"] == "StopMove"
            before = len(sim.calls())
            assert statuses(await r.run(act("move", x=0.2))) == ["refused"]
            sim.status()
            assert len(sim.calls()) == before
            sim.clear()
            await r.fresh()
            assert statuses(await r.run(act("move", x=0.2))) == ["done"]


# --- answers that come late, never, or say nothing ------------------------------------------------------------------


async def test_no_answer_and_done_all_the_same(tmp_path: Path) -> None:
    """3104 is no failure: the state shows a gesture, a posture and an unlocking, and no call is made twice."""
    with Go2Sim("--posture", "lying", "--fault", "unknown") as sim:
        async with rig(sim.domain, tmp_path) as r:
            results = await r.run(act("StandUp"), act("Pose"), act("Sit"))
            assert statuses(results) == ["done", "done", "done"], texts(results)
            assert motions(sim.calls()) == ["StandUp", "BalanceStand", "Pose", "Sit"]
            assert all(c["code"] is None and c["done"] for c in sim.calls())


async def test_no_answer_where_the_state_shows_nothing(tmp_path: Path) -> None:
    """A setting that is not answered, and a gesture that never begins: unknown, in words, and the rest is left out."""
    with Go2Sim("--fault", "unknown:SpeedLevel", "--fault", "no-reply:Pose") as sim:
        async with rig(sim.domain, tmp_path) as r:
            setting, behind = await r.run(act("SpeedLevel"), act("Hello"))
            assert (setting.status, setting.outcome.text) == (Status.UNKNOWN, adapter.UNSURE)
            assert (behind.status, behind.dispatched_at) == (Status.INTERRUPTED, None)
            (gesture,) = await r.run(act("Pose"))
            assert (gesture.status, gesture.outcome.text) == (Status.UNKNOWN, adapter.UNSURE)
            assert motions(sim.calls()) == ["SpeedLevel", "Pose"]


async def test_moves_that_get_lost(tmp_path: Path) -> None:
    """Velocities that nobody follows: it gives up with words and a stop, and is where it was."""
    with Go2Sim("--fault", "no-reply:Move") as sim:
        async with rig(sim.domain, tmp_path) as r:
            (walked,) = await r.run(act("move", x=1.0))
            assert (walked.status, walked.outcome.text) == (Status.UNKNOWN, adapter.STUCK)
            assert sequence(c["name"] for c in sim.calls()) == ["SwitchSet", "Move", "StopMove"]
            assert sim.status()["pose"] == [0.0, 0.0, 0.0]


async def test_late_answers(tmp_path: Path) -> None:
    """An answer within the time limit is waited for; one that comes after it changes nothing, least of all another."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            sim.fault("late-reply:0.5:SpeedLevelx1", "late-reply:1.5:SpeedLevelx1", "no-reply:SpeedLevel")
            assert statuses(await r.run(act("SpeedLevel"))) == ["done"]
            assert statuses(await r.run(act("SpeedLevel"))) == ["unknown"]
            # While this one waits, the answer to the one before it arrives.
            assert statuses(await r.run(act("SpeedLevel"))) == ["unknown"]
            sim.clear()
            sim.fault("late-reply:1.5:Pose", "late-reply:1.5:Sit", "late-reply:0.5:obstacles_avoid/SwitchSet")
            results = await r.run(act("Pose"), act("move", x=0.2), act("Sit"))
            assert statuses(results) == ["done", "done", "done"], texts(results)
            # The service that avoids obstacles did not answer in time either: it is taken for missing, and said.
            assert texts(results) == adapter.SLOWLY


async def test_a_stop_that_gets_lost_is_repeated(tmp_path: Path) -> None:
    """The lane sends StopMove until it is answered, the move sends nothing meanwhile, and the report says so."""
    with Go2Sim("--fault", "no-reply:StopMovex3") as sim:
        async with rig(sim.domain, tmp_path, patience_s=LONG_S) as r:
            task = await walking(r, sim)
            report = await r.dispatcher.stop("asked")
            assert (report.acknowledged, report.attempts) == (True, 4)
            assert statuses(await task) == ["interrupted", "interrupted"]
            sim.status()
            names = [c["name"] for c in sim.calls()]
            assert names[names.index("StopMove") :] == ["StopMove"] * 4


async def test_a_stop_that_is_answered_late_is_answered(tmp_path: Path) -> None:
    """A robot that takes longer to answer than one attempt waits has stopped all the same, and can move again."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path, patience_s=5.0) as r:
            task = await walking(r, sim)
            sim.fault("late-reply:0.3:StopMove")
            report = await r.dispatcher.stop("asked")
            assert statuses(await task) == ["interrupted", "interrupted"]
            assert report.acknowledged
            assert statuses(await r.run(act("Pose"))) == ["done"]


async def test_a_stop_passes_a_call_that_hangs(tmp_path: Path) -> None:
    """The robot takes a gesture and answers nothing but stops: one is answered while that call still waits."""
    with Go2Sim("--fault", "deaf-but-stop") as sim:
        async with rig(sim.domain, tmp_path) as r:
            task = r.begin(act("Hello"), act("Sit"))
            await asyncio.to_thread(sim.wait_call, "Hello")
            report = await r.dispatcher.stop("asked")
            assert (report.acknowledged, report.attempts) == (True, 1)
            assert statuses(await task) == ["interrupted", "interrupted"]
            sim.status()
            assert [c["name"] for c in sim.calls()] == ["Hello", "StopMove"]


async def test_nothing_holds_up_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither computing nor waiting for answers: no callback takes 20 ms of processor time, none blocks for long."""
    long: list[tuple[float, float, str]] = []
    run = events.Handle._run

    def timed(handle: events.Handle) -> None:
        began, worked = time.monotonic(), time.thread_time()
        run(handle)
        spent, computed = time.monotonic() - began, time.thread_time() - worked
        # What other programs do counts as waiting too. A call that is not answered blocks for 0.3 s or more.
        if computed > 0.02 or spent - computed > 0.25:
            long.append((round(spent, 3), round(computed, 3), repr(handle)))

    late = ["late-reply:0.9:Pose", "late-reply:0.9:obstacles_avoid/SwitchSet", "late-reply:0.1:StopMove"]
    with Go2Sim(*(word for each in late for word in ("--fault", each))) as sim:
        async with rig(sim.domain, tmp_path) as r:
            r.decide("座って")  # the first analysis of a text loads what all others use
            await asyncio.sleep(0)
            monkeypatch.setattr(events.Handle, "_run", timed)
            results = await r.run(act("Pose"), act("move", x=0.1))
            sim.clear()
            task = r.begin(act("move", x=2.0))
            await until(lambda: r.witness.ids()[-1] == MOVE, "a move")
            await r.dispatcher.stop("asked")
            await task
            await asyncio.sleep(0)
            monkeypatch.undo()
            assert statuses(results) == ["done"] * 2, texts(results)
            assert long == []


# --- what must not be sent at all -----------------------------------------------------------------------------------


async def test_a_wrong_interface_is_one_clear_error(tmp_path: Path) -> None:
    """One that is not there, is down, or was not said: an error that names it, at once, and no robot."""
    robot = Go2Robot(SystemClock(), "eth9nope", 77)
    with pytest.raises(RobotError, match=r"eth9nope.*here are: .*lo"):
        await robot.start()
    with pytest.raises(RobotError):
        await robot.perform(act("Hello"))
    assert robot.state().age_ms == math.inf
    assert not robot.stop_now()
    await robot.close()

    with pytest.raises(ConfigError, match=r"robot\.interface: not set"):
        await Go2Robot(SystemClock(), "", 77).start()

    command = [sys.executable, "-m", "claudiad", "ask", "--robot", "go2", "--set", "robot.interface=eth9nope", "お手"]
    ran = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=ROOT,
        env=at_home(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (76, "")
    assert len([line for line in ran.stderr.splitlines() if "eth9nope" in line]) == 1
    assert "Traceback" not in ran.stderr


async def test_numbers_that_are_none_never_reach_the_wire(tmp_path: Path) -> None:
    """Refused in words by safety; and past safety, the adapter itself would rather fail than send it."""
    none = [math.nan, math.inf, -math.inf]
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            for step in (act(name, **{key: bad}) for name, key in NUMBERS for bad in [*none, True]):
                (result,) = await r.run(step)
                assert (result.status, result.dispatched_at) == (Status.REFUSED, None), step
                assert result.outcome.text
            sim.status()
            assert (sim.calls(), r.witness.heard) == ([], [])
            for step in (act(name, **{key: bad}) for name, key in NUMBERS for bad in none):
                with pytest.raises((RobotError, ValueError)):
                    await asyncio.wait_for(r.robot.perform(step), 10.0)
                # The stop of one that failed would end the next.
                await asyncio.get_running_loop().run_in_executor(r.robot._worker, int)
            sim.status()
            assert {c["name"] for c in sim.calls()} <= {"StopMove", "SwitchSet"}


async def test_numbers_that_are_too_large_are_cut(tmp_path: Path) -> None:
    """Far too far and far too steep: what arrives is within the limits."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            for step in (act("Euler", x=1e308, z=-1e308), act("move", x=-1e308, y=1e308, yaw=1e308)):
                before, task = len(sim.lines()), r.begin(step)
                await asyncio.to_thread(
                    sim.wait_for, lambda line: line.get("api_id") in (1007, MOVE), 10.0, after=before
                )
                assert (await r.dispatcher.stop("enough")).acknowledged
                await task
            sim.status()
            for call in sim.calls():
                check_call(call)
            assert [c["params"] for c in sim.calls("Euler")] == [{"x": 0.5, "y": 0.0, "z": -0.5}]


@pytest.mark.parametrize(("percent", "name"), [(30, "FrontFlip"), (20, "Dance1"), (10, "Content")])
async def test_a_battery_that_falls_during_a_sequence(tmp_path: Path, percent: int, name: str) -> None:
    """What was planned with more than that is refused, in words, before it is sent; sitting down is still done."""
    with Go2Sim("--battery", "60") as sim:
        async with rig(sim.domain, tmp_path, Policy(allow_high_risk=True)) as r:
            task = r.begin(act("Pose"), act(name), act("Sit"))
            await asyncio.to_thread(sim.wait_call, "Pose")
            sim.fault(f"battery:{percent}")
            await until(lambda: r.robot.state().battery == percent, "that its battery is known")
            posed, refused, sat = await task
            assert posed.status is Status.DONE, posed.outcome.text
            assert (refused.status, refused.dispatched_at) == (Status.REFUSED, None)
            assert f"{percent}パーセント" in refused.outcome.text
            assert (sat.status, sat.dispatched_at) == (Status.INTERRUPTED, None)
            assert statuses(await r.run(act("Sit"))) == ["done"]
            assert motions(sim.calls()) == ["Pose", "Sit"]


async def test_a_stop_that_latches(tmp_path: Path) -> None:
    """Nothing but a stop is sent until the reset, nor after another start; the reset itself sends nothing."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            task = await walking(r, sim)
            assert (await r.dispatcher.stop("緊急停止", latch=True)).acknowledged
            assert statuses(await task) == ["interrupted", "interrupted"]
            after = len(r.witness.heard)
            (refused,) = await r.run(act("Hello"))
            assert (refused.status, refused.outcome.text) == (Status.REFUSED, LATCHED)

            again = StopLane(r.robot, r.clock, tmp_path / "latch")
            again.start()
            try:
                other = Dispatcher(r.robot, again, Policy(), r.clock)
                assert texts(await other.run([act("Sit")])) == LATCHED
                again.reset()
            finally:
                await asyncio.to_thread(again.close)
            r.lane.reset()
            sim.status()
            assert r.witness.heard[after:] == []
            assert sim.calls()[-1]["name"] == "StopMove"
            assert statuses(await r.run(act("Pose"))) == ["done"]


# --- a thousand sentences -------------------------------------------------------------------------------------------

KANA = "".join(map(chr, range(0x3041, 0x3097))) + "ー、。っん"
KANJI = "一二三前後左右歩進止回立座伏寝手足力抜飛跳転速遅犬電池写真見危険緊急動無限百千万度秒"
ODD = "ａ１２３４５６７８９0123456789.-∞％eNaN　 !?！？…😀\u200b\x00"


def sentences(seed: int, count: int) -> list[str]:
    """A half of what people say, the other half garbage: letters at random, and speech cut up and put together."""
    chance = random.Random(seed)
    said = [row.split("\t")[1] for row in UTTERANCES.read_text(encoding="utf-8").splitlines() if "\t" in row[1:]]

    def garbage() -> str:
        if chance.random() < 0.5:
            return "".join(chance.choices(KANA + KANJI + ODD, k=chance.randint(1, 30)))
        pieces = []
        for text in chance.sample(said, chance.randint(1, 4)):
            begin = chance.randrange(len(text))
            pieces.append(text[begin:] if chance.random() < 0.5 else text[:begin])
        number = chance.choice(["", "9999", "-1", "1e9", "一億", "0"])
        return chance.choice(["", "、", "て", "して"]).join([*pieces, number])

    return [chance.choice(said) if chance.random() < 0.5 else garbage() for _ in range(count)]


def check_call(call: Line) -> None:
    """An id of the registry that may be used, and finite parameters within their ranges."""
    table = {(spec.service, spec.api_id): spec for spec in registry.load().values()}
    if (call["service"], call["api_id"]) == ("obstacles_avoid", 1001):
        assert call["params"] == {"enable": True}
        return
    spec = table[call["service"], call["api_id"]]
    assert not spec.dangerous, call
    assert not spec.internal, call
    params: dict[str, Any] = call["params"]
    assert isinstance(params, dict), call
    numbers = [value for value in params.values() if not isinstance(value, bool)]
    assert all(isinstance(n, int | float) and math.isfinite(n) for n in numbers), call
    if spec.name == registry.MOVE:
        limits = Limits()
        assert set(params) == {"x", "y", "z"}, call
        assert math.hypot(params["x"], params["y"]) <= limits.max_speed + 1e-6, call
        assert abs(params["z"]) <= limits.max_turn_rate + 1e-6, call
        return
    assert set(params) == set(spec.params), call
    for key, value in params.items():
        rule = spec.params[key]
        assert isinstance(value, bool) if rule.kind == "flag" else rule.min <= value <= rule.max, call


class Talk:
    """Sentences, one after another, each cut short by a stop as soon as the robot has its first call."""

    def __init__(self, r: Rig, seed: int) -> None:
        self._r = r
        self._chance = random.Random(seed)
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        r.witness.on_sport = self._arrival
        self.done = self.cut = 0

    def _arrival(self) -> None:
        self._loop.call_soon_threadsafe(self._arrived.set)

    async def hear(self, text: str) -> None:
        """Decide and do; returns when nothing of it is under way any more."""
        r = self._r
        decision = router().decide(text, r.robot.state())
        if decision.release:
            r.lane.reset()
        if decision.route == "emergency":
            await self._stop(decision)
        elif decision.actions:
            self._arrived.clear()
            work, seen = r.begin(*decision.actions), asyncio.ensure_future(self._arrived.wait())
            await asyncio.wait({work, seen}, return_when=asyncio.FIRST_COMPLETED, timeout=LONG_S)
            seen.cancel()
            # Now and then one is let go on, or it would never be in another posture.
            short = all(registry.load()[a.name].duration_s <= SHORT_S and a.name != "move" for a in decision.actions)
            if not work.done() and not (short and self._chance.random() < 0.25):
                await self._stop(decision)
                self.cut += 1
            results = await work
            self.done += any(result.status is Status.DONE for result in results)

    async def _stop(self, decision: Decision) -> None:
        report = await self._r.dispatcher.stop(decision.text, latch=decision.latch)
        assert report.acknowledged
        if decision.latch:
            self._r.lane.reset()  # somebody said 解除, or nothing more would be tried here


async def test_a_thousand_sentences_send_nothing_unsafe(tmp_path: Path) -> None:
    """Four robots, a thousand sentences, half of them garbage: the robots' logs hold only what may be sent."""
    bodies = [("standing", "100"), ("lying", "100"), ("sitting", "18"), ("damped", "100")]
    everything = sentences(20_260_704, 1000)

    async def one(number: int, sim: Go2Sim) -> tuple[int, int]:
        async with rig(sim.domain, tmp_path / str(number)) as r:
            talk = Talk(r, number)
            for text in everything[number :: len(bodies)]:
                await talk.hear(text)
            return talk.done, talk.cut

    sims = [Go2Sim("--posture", posture, "--battery", battery) for posture, battery in bodies]
    try:
        counted = await asyncio.gather(*(one(number, sim) for number, sim in enumerate(sims)))
        for sim in sims:
            end = sim.status()
            calls = sim.calls()
            for call in calls:
                check_call(call)
            assert end["falls"] == 0
            assert sim.events("fall") == []
            # A damped robot lay when it was damped: what its state was before, in the order of its own log.
            posture = ""
            for line in sim.lines():
                posture = line["posture"] if line.get("event") == "state" else posture
                assert line.get("name") != "Damp" or posture in ("lying", "damped"), line
        names = {call["name"] for sim in sims for call in sim.calls()}
    finally:
        for sim in sims:
            sim.close()
    done, cut = map(sum, zip(*counted, strict=True))
    # It has to have been a conversation: much was begun and stopped, some was done, and not only one kind of thing.
    assert cut > 150
    assert done > 15
    assert len(names) > 15, names
