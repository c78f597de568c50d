"""The stop over DDS: adapter, lane and dispatcher here, the simulated Go2 in a process of its own.

That nothing came after a stop is shown by the next command: it goes through the client that everything which was
under way would have gone through, so whatever was sent before it is in the simulator's log before it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from claudiad.app import cli
from claudiad.clock import SystemClock
from claudiad.robot import registry
from claudiad.robot.base import Status
from claudiad.robot.dispatcher import LATCHED, UNCONFIRMED, Dispatcher
from claudiad.robot.go2 import memo
from claudiad.robot.go2.adapter import Go2Robot
from claudiad.robot.go2.rpc import Client, Reply
from claudiad.robot.safety import Policy
from claudiad.robot.stop_lane import StopLane
from claudiad.types import Action
from tests.fakes.loop import long_callbacks
from tests.real.domains import free_domain
from tests.real.go2sim_process import ROOT, Go2Sim, Line

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("requires_sdk")]

PATIENCE_S = 20.0
STOP = "StopMove"


def do(name: str, **params: float) -> Action:
    return Action(name, registry.load()[name].api_id, params)


WALK, DANCE, HELLO, PHOTO = do(registry.MOVE, x=3.0), do("Dance1"), do("Hello"), do(registry.PHOTO)
NEXT = do("SpeedLevel", data=0)
"""A command that is over at once."""


@dataclass
class Rig:
    """A robot over DDS and everything that can stop it."""

    sim: Go2Sim
    robot: Go2Robot
    lane: StopLane
    dispatcher: Dispatcher

    async def called(self, name: str, after: int = 0) -> Line:
        """The simulator has got a call of that name, from its `after`-th line on."""
        return await asyncio.to_thread(self.sim.wait_call, name, PATIENCE_S, after=after)

    async def next_command(self) -> list[str]:
        """Give a command, which has to be done; all calls, of any service, that came after the first StopMove."""
        (result,) = await self.dispatcher.run([NEXT])
        assert result.status is Status.DONE, result
        await self.called(NEXT.name)
        names = [call["name"] for call in self.sim.calls()]
        return names[names.index(STOP) + 1 :]


@asynccontextmanager
async def rigged(folder: Path, *, report_s: float = 5.0) -> AsyncIterator[Rig]:
    """`report_s`: how long a stop's report is waited for."""
    with Go2Sim() as sim:
        clock = SystemClock()
        robot = Go2Robot(clock, "lo", sim.domain, photos=folder, kept=folder / "claudia")
        lane = StopLane(robot, clock, folder / "stop.latch", timeout_s=report_s, max_attempts=1000)
        await robot.start()
        lane.start()
        try:
            yield Rig(sim, robot, lane, Dispatcher(robot, lane, Policy(), clock))
        finally:
            lane.close()
            await robot.close()


async def until(condition: Callable[[], bool]) -> None:
    clock = SystemClock()
    deadline = clock.now() + PATIENCE_S
    while not condition():
        assert clock.now() < deadline, "it did not happen"
        await clock.sleep(0.01)


# --- what is under way -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("actions", "call"), [([WALK, HELLO], "Move"), ([DANCE, HELLO], "Dance1")])
async def test_a_stop_ends_what_is_under_way_and_what_would_follow(
    tmp_path: Path, actions: list[Action], call: str
) -> None:
    """A walk or a dance ends, the step after it is never sent, and the robot itself is at rest."""
    async with rigged(tmp_path) as rig:
        running = asyncio.create_task(rig.dispatcher.run(actions))
        await rig.called(call)
        report = await rig.dispatcher.stop("test")
        assert report.acknowledged
        first, second = await running
        assert (first.status, second.status) == (Status.INTERRUPTED, Status.INTERRUPTED)
        assert second.dispatched_at is None
        assert rig.sim.status()["running"] is None
        assert await rig.next_command() == [NEXT.name]


async def test_a_stop_between_two_steps(tmp_path: Path) -> None:
    """Asked for when the next step has been decided on and is about to be sent: it is not sent."""
    async with rigged(tmp_path) as rig:

        def on_dispatch(step: Action, _at: float) -> None:
            if step == DANCE:
                rig.lane.request("between")

        first, second, third = await rig.dispatcher.run([NEXT, DANCE, HELLO], on_dispatch=on_dispatch)
        assert (first.status, second.status, third.status) == (Status.DONE, Status.INTERRUPTED, Status.INTERRUPTED)
        await rig.called(STOP)
        assert await rig.next_command() == [NEXT.name]
        assert not rig.sim.calls("Dance1", "Hello")


async def test_a_stop_while_a_call_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker thread is in the dance's call until after the stop has been acknowledged."""
    let_go = threading.Event()
    send = Client.call

    def hanging(self: Client, api_id: int, *given: Any, **named: Any) -> Reply:
        reply = send(self, api_id, *given, **named)
        if api_id == DANCE.api_id:
            assert let_go.wait(PATIENCE_S)
        return reply

    monkeypatch.setattr(Client, "call", hanging)
    async with rigged(tmp_path) as rig:
        running = asyncio.create_task(rig.dispatcher.run([DANCE, HELLO]))
        try:
            await rig.called("Dance1")
            report = await rig.dispatcher.stop("test")
            assert report.acknowledged
            assert not running.done()
        finally:
            let_go.set()
        assert [step.status for step in await running] == [Status.INTERRUPTED, Status.INTERRUPTED]
        assert await rig.next_command() == [NEXT.name]


@pytest.mark.parametrize("fault", ["no-reply:Dance1", "deaf-but-stop"])
async def test_a_stop_while_nothing_else_is_answered(tmp_path: Path, fault: str) -> None:
    """The call that is under way is lost, or all calls but the stop are."""
    async with rigged(tmp_path) as rig:
        rig.sim.fault(fault)
        running = asyncio.create_task(rig.dispatcher.run([DANCE, HELLO]))
        lost = await rig.called("Dance1")
        assert lost["code"] is None
        report = await rig.dispatcher.stop("test")
        assert report.acknowledged
        assert [step.status for step in await running] == [Status.INTERRUPTED, Status.INTERRUPTED]
        rig.sim.clear()
        assert await rig.next_command() == [NEXT.name]


async def test_a_stop_that_nobody_answers_is_repeated_until_somebody_does(tmp_path: Path) -> None:
    """The report says so, nothing may move meanwhile, the lane goes on, and it is over when the robot is back."""
    async with rigged(tmp_path, report_s=0.3) as rig:
        rig.sim.fault("no-reply")
        running = asyncio.create_task(rig.dispatcher.run([DANCE]))
        await rig.called("Dance1")
        report = await rig.dispatcher.stop("test")
        assert not report.acknowledged
        assert [step.status for step in await running] == [Status.INTERRUPTED]
        (refused,) = await rig.dispatcher.run([DANCE])
        assert (refused.status, refused.outcome.text) == (Status.REFUSED, UNCONFIRMED)
        again = await rig.called(STOP, after=len(rig.sim.lines()))
        assert again["code"] is None
        rig.sim.clear()
        await until(lambda: not rig.lane.unconfirmed)
        *stops, last = await rig.next_command()
        assert (set(stops), last) == ({STOP}, NEXT.name)
        assert (await rig.dispatcher.stop("test")).acknowledged


async def test_a_latched_stop_holds_until_it_is_reset(tmp_path: Path) -> None:
    """Nothing that is asked for reaches the wire, also through a lane of a later process; after the reset it does."""
    async with rigged(tmp_path) as rig:
        running = asyncio.create_task(rig.dispatcher.run([WALK]))
        await rig.called("Move")
        assert (await rig.dispatcher.stop("test", latch=True)).acknowledged
        await running
        later = StopLane(rig.robot, SystemClock(), tmp_path / "stop.latch")
        for dispatcher in (rig.dispatcher, Dispatcher(rig.robot, later, Policy(), SystemClock())):
            results = await dispatcher.run([DANCE, WALK, NEXT])
            assert {(step.status, step.outcome.text) for step in results} == {(Status.REFUSED, LATCHED)}
        rig.lane.reset()
        assert await rig.next_command() == [NEXT.name]


# --- claudiad stop-robot ---------------------------------------------------------------------------------------------


def claudiad(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, that knows of nothing outside `folder`."""
    env = {name: value for name, value in os.environ.items() if name not in {"STATE_DIRECTORY", "CLAUDIA_CONFIG"}}
    env |= {"HOME": str(folder), "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")} | variables
    command = [sys.executable, "-m", "claudiad", *words]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60.0, check=False)


def stop_robot(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return claudiad(folder, "stop-robot", *arguments, **variables)


@pytest.mark.parametrize(("action", "call"), [(DANCE, "Dance1"), (WALK, "Move")])
async def test_stop_robot_while_another_process_holds_the_robot(tmp_path: Path, action: Action, call: str) -> None:
    """It ends what the holder began, who does not go on with it; when told to, the holder can command again."""
    async with rigged(tmp_path) as rig:
        running = asyncio.create_task(rig.dispatcher.run([action, HELLO]))
        await rig.called(call)
        ended = await asyncio.to_thread(stop_robot, tmp_path, "--interface", "lo", "--domain", str(rig.sim.domain))
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.startswith("stopped: acknowledged on lo after")
        assert [step.status for step in await running] == [Status.INTERRUPTED, Status.INTERRUPTED]
        assert rig.sim.status()["running"] is None
        assert set(await rig.next_command()) <= {STOP, NEXT.name}


async def test_stop_robot_knows_where_the_robot_was_last(tmp_path: Path) -> None:
    """A good start has left a memo; nothing else tells it the interface and the domain."""
    async with rigged(tmp_path) as rig:
        assert memo.load({"XDG_STATE_HOME": str(tmp_path)}) == ("lo", rig.sim.domain)
        ended = await asyncio.to_thread(stop_robot, tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert rig.sim.calls(STOP)


def test_stop_robot_reads_no_configuration(tmp_path: Path) -> None:
    """Neither the user's file nor the one that is named, with which every other command ends."""
    file = tmp_path / "config" / "claudia" / "claudiad.toml"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"[robot\nengine = \xff\n")
    assert claudiad(tmp_path, "ask", "座って").returncode == 78
    with Go2Sim() as sim:
        to = ("--interface", "lo", "--domain", str(sim.domain))
        assert stop_robot(tmp_path, *to).returncode == 0
        ended = stop_robot(tmp_path, *to, CLAUDIA_CONFIG=str(file), CLAUDIA_ROBOT__ENGINE="none of them")
        assert ended.returncode == 0, ended.stderr
        sim.wait_call(STOP, PATIENCE_S)


def test_stop_robot_says_that_nobody_answered(tmp_path: Path) -> None:
    """76, and what the person can do."""
    ended = stop_robot(tmp_path, "--interface", "lo", "--domain", str(free_domain()), "--timeout", "0.3")
    assert ended.returncode == 76
    assert "did not acknowledge a stop" in ended.stderr
    assert "remote control" in ended.stderr


def test_stop_robot_goes_on_until_it_is_answered(tmp_path: Path) -> None:
    """Its first three stops are lost. Once it is answered it only stops more."""
    with Go2Sim("--fault", "no-reply:StopMovex3") as sim:
        ended = stop_robot(tmp_path, "--interface", "lo", "--domain", str(sim.domain), "--timeout", "15")
        assert ended.returncode == 0, ended.stderr
        assert [call["code"] for call in sim.calls()[:4]] == [None, None, None, 0]
        assert {call["name"] for call in sim.calls()} == {STOP}


def test_stop_robot_asks_for_the_interface_it_was_never_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """78, before anything is sent; also on a machine from which a Go2 was used."""
    monkeypatch.setattr(memo, "folders", lambda _environ: [tmp_path])
    assert cli.main(["stop-robot"]) == 78
    assert "which interface?" in capsys.readouterr().err


# --- the event loop --------------------------------------------------------------------------------------------------

LONGEST_MS = 20.0


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, str]]:
    """Processor time, in ms, of each callback of the loop that took longer than `LONGEST_MS` on the loop's thread."""
    return long_callbacks(monkeypatch, LONGEST_MS)


async def test_nothing_blocks_the_event_loop(tmp_path: Path, blocked: list[tuple[float, str]]) -> None:
    """From the start on: a walk, a gesture, a photo, and a stop of a dance. Waiting costs no processor time, so it is
    shown by `test_the_loop_runs_while_every_call_hangs`."""
    async with rigged(tmp_path) as rig:
        results = await rig.dispatcher.run([do(registry.MOVE, x=0.3), HELLO, PHOTO])
        assert [step.status for step in results] == [Status.DONE] * 3
        running = asyncio.create_task(rig.dispatcher.run([DANCE]))
        await rig.called("Dance1")
        await rig.dispatcher.stop("test")
        await running
        assert blocked == []


async def test_the_loop_runs_while_every_call_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that end only when a callback of the loop lets them: on the loop, they would wait for ever."""
    async with rigged(tmp_path) as rig:
        loop = asyncio.get_running_loop()
        send = Client.call

        def hanging(self: Client, *given: Any, **named: Any) -> Reply:
            let_go = threading.Event()
            loop.call_soon_threadsafe(let_go.set)
            assert let_go.wait(PATIENCE_S)
            return send(self, *given, **named)

        monkeypatch.setattr(Client, "call", hanging)
        results = await rig.dispatcher.run([do(registry.MOVE, x=0.1), HELLO, PHOTO])
        assert [step.status for step in results] == [Status.DONE] * 3
        assert (await rig.dispatcher.stop("test")).acknowledged
