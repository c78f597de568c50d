"""A clock moved by hand and a robot whose answers are scripted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from claudiad.robot import registry
from claudiad.robot.base import Outcome, Status, always
from claudiad.types import Action, Posture, RobotState


def act(name: str, **params: float | bool) -> Action:
    return Action(name, registry.load()[name].api_id, params)


class HandClock:
    """Stands still until it is told to move."""

    def __init__(self, start: float = 0.0) -> None:
        self.t = start

    def now(self) -> float:
        return self.t

    async def sleep(self, seconds: float) -> None:
        await asyncio.get_running_loop().create_future()


class ScriptedRobot:
    """Answers `stop_now` by script (the last answer repeats) and performs whatever it is given.

    Refuses to be used wrongly: two actions at a time, or a `perform` whose permit is already gone and that
    would send nonetheless, fail the test.
    """

    name = "scripted"

    def __init__(self, *answers: bool | BaseException, state: RobotState | None = None) -> None:
        self._answers = list(answers) or [True]
        self.reported = state or RobotState(Posture.STANDING, 100)
        self.log: list[str] = []
        self.stopped = threading.Event()
        self.stop_gate = threading.Event()
        self.stop_gate.set()
        self.hold: asyncio.Event | None = None
        self.outcome: Outcome | BaseException = Outcome(Status.DONE)
        self.on_stop: Callable[[], None] = lambda: None
        self._busy = False

    def state(self) -> RobotState:
        return self.reported

    foreign = False
    stops_elsewhere = 0

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def stop_now(self) -> bool:
        self.on_stop()
        self.log.append("stop")
        self.stopped.set()
        assert self.stop_gate.wait(10.0), "the test forgot to open the gate"
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def perform(self, action: Action, permit: Callable[[], bool] = always) -> Outcome:
        assert not self._busy, "two motions at a time"
        if not permit():
            return Outcome(Status.INTERRUPTED)
        self._busy = True
        try:
            self.log.append(action.name)
            if self.hold is not None:
                await self.hold.wait()
            if isinstance(self.outcome, BaseException):
                raise self.outcome
            return self.outcome if permit() else Outcome(Status.INTERRUPTED)
        finally:
            self._busy = False
