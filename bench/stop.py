"""How long from the decision to stop until StopMove is at the robot, and does anything else come after it?

    python -m bench.stop [--trials 200] [--situations walking,hung]

What is real: dispatcher, stop lane, the Go2 adapter, DDS on loopback, and a simulated Go2 in a process of its own. Both
processes read the same monotonic clock, so the simulator's log says when a call arrived, and what came after it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.report import machine, title
from bench.stop_report import Trial, show
from claudiad.clock import SystemClock
from claudiad.errors import ClaudiaError
from claudiad.robot import registry
from claudiad.robot.base import Status
from claudiad.robot.dispatcher import Dispatcher, StepResult
from claudiad.robot.go2 import sdk
from claudiad.robot.go2.adapter import Go2Robot
from claudiad.robot.safety import Policy
from claudiad.robot.stop_lane import StopLane
from claudiad.types import Action
from tests.real.go2sim_process import Go2Sim

QUIET_S = 0.12
"""After each stop nothing is asked for so long. A walk that went on would send its next command within 0.1 s."""
PATIENCE_S = 20.0


def _do(name: str, **params: float) -> Action:
    return Action(name, registry.load()[name].api_id, params)


@dataclass(frozen=True, slots=True)
class Way:
    """What is under way when the stop comes, and the call by which the simulator's log shows it."""

    actions: tuple[Action, ...]
    begins: str


@dataclass(frozen=True, slots=True)
class Situation:
    """One row of the report."""

    shown: str
    ways: tuple[Way | None, ...]
    """Taken in turns; None: nothing is under way."""
    faults: tuple[str, ...] = ()
    within_s: float = 0.2
    """The stop comes at a random time up to this after the call."""


WALK = Way((_do(registry.MOVE, x=3.0),), "Move")
DANCE = Way((_do("Dance1"),), "Dance1")
SEQUENCE = Way(
    (
        _do(registry.MOVE, yaw=0.1),
        _do(registry.MOVE, x=0.05),
        _do(registry.MOVE, yaw=-0.1),
        _do(registry.MOVE, x=0.05),
        _do("Hello"),
    ),
    "Move",
)
LOST_WALK = Way(WALK.actions, "SwitchSet")
"""Its first call is the one that asks for obstacles to be avoided."""

SITUATIONS = {
    "idle": Situation("idle", (None,)),
    "walking": Situation("walking", (WALK,)),
    "dance": Situation("in a dance", (DANCE,)),
    "sequence": Situation("in a sequence of five steps", (SEQUENCE,), within_s=1.2),
    "hung": Situation(
        "the call under way hangs", (DANCE, LOST_WALK), ("no-reply:Dance1", "no-reply:obstacles_avoid/SwitchSet")
    ),
    "deaf": Situation("nothing but StopMove is answered", (DANCE, LOST_WALK), ("deaf-but-stop",), within_s=0.5),
}


class Bench:
    """A robot, and everything that can stop it."""

    def __init__(self, sim: Go2Sim, folder: Path) -> None:
        self._clock = clock = SystemClock()
        self.robot = Go2Robot(clock, "lo", sim.domain, photos=folder)
        self.lane = StopLane(self.robot, clock, folder / "stop.latch")
        self._dispatcher = Dispatcher(self.robot, self.lane, Policy(), clock)
        self._sim = sim
        self._random = random.Random(0)

    async def trial(self, name: str, number: int) -> Trial:
        """One stop. Every second one latches, and something is asked for while it holds."""
        situation, latch = SITUATIONS[name], number % 2 == 1
        way = situation.ways[number // 2 % len(situation.ways)]
        given = time.monotonic()
        running = await self._begin(way) if way else None
        await self._clock.sleep(self._random.uniform(0.0, situation.within_s))
        step = self._dispatcher.running
        decided = time.monotonic()
        report = await self._dispatcher.stop("bench", latch)
        results = await running if running else []
        refused = True
        if latch:
            tried = await self._dispatcher.run(way.actions if way else DANCE.actions)
            refused = all(each.status is Status.REFUSED for each in tried)
        await self._clock.sleep(QUIET_S)
        while self.lane.unconfirmed:  # one that was not acknowledged goes on until it is
            await self._clock.sleep(QUIET_S)
        if latch:
            self.lane.reset()
        return Trial(
            situation=name,
            latch=latch,
            step=step,
            steps_done=sum(each.status is Status.DONE for each in results),
            given=given,
            decided=decided,
            acknowledged=report.acknowledged,
            attempts=report.attempts,
            acknowledged_ms=report.elapsed_ms,
            held=refused,
        )

    async def _begin(self, way: Way) -> asyncio.Task[list[StepResult]]:
        """Give the command; ends when the simulator has got the call of it."""
        seen = len(self._sim.lines())
        running = asyncio.create_task(self._dispatcher.run(way.actions))
        called = asyncio.create_task(asyncio.to_thread(self._sim.wait_call, way.begins, PATIENCE_S, after=seen))
        await asyncio.wait({running, called}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            raise RuntimeError(f"it ended before it could be stopped: {running.result()}")
        await called
        return running


async def measure(names: Sequence[str], trials: int, console: Console) -> list[Trial]:
    """All trials, each with what the simulator's log says of it."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    done: list[Trial] = []
    with tempfile.TemporaryDirectory() as folder, Go2Sim() as sim, bar:
        bench = Bench(sim, Path(folder))
        await bench.robot.start()
        bench.lane.start()
        try:
            for name in names:
                sim.fault(*SITUATIONS[name].faults)
                numbers = bar.track(range(trials), description=f"{SITUATIONS[name].shown} …")
                done += [await bench.trial(name, number) for number in numbers]
                sim.clear()
        finally:
            bench.lane.close()
            await bench.robot.close()
        over = time.monotonic()
        sim.status()  # its answer is behind every call in the log
        ends = [*(trial.given for trial in done[1:]), over]
        calls = sim.calls()
        for trial, end in zip(done, ends, strict=True):
            trial.read(calls, end)
    return done


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--trials", type=int, default=200, help="stops in each situation (default 200: ten minutes)")
    p.add_argument("--situations", default=",".join(SITUATIONS), help=f"default: {','.join(SITUATIONS)}")
    a = p.parse_args()
    names, trials = a.situations.split(","), max(1, a.trials)
    if unknown := [name for name in names if name not in SITUATIONS]:
        p.error(f"there is no situation {unknown[0]!r}; here are: {', '.join(SITUATIONS)}")
    logging.basicConfig(level=logging.ERROR)
    console, where = Console(highlight=False), machine()
    try:
        sdk.load()
        title(console, f"bench-stop: {trials} stops in each of {len(names)} situations, over DDS", where)
        done = asyncio.run(measure(names, trials, console))
    except ClaudiaError as fault:
        console.print(f"bench-stop: {fault}")
        return fault.exit_status
    return 0 if show(console, done, {name: SITUATIONS[name].shown for name in names}, where) else 1


if __name__ == "__main__":
    raise SystemExit(main())
