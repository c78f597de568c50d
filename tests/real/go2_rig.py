"""The Go2 adapter, dispatcher and stop lane in this process, on a DDS domain where a robot is another process."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from claudiad.brain.router import Router, load_tables
from claudiad.clock import SystemClock
from claudiad.robot import registry
from claudiad.robot.dispatcher import Dispatcher, StepResult
from claudiad.robot.go2.adapter import Go2Robot
from claudiad.robot.go2.link import Link
from claudiad.robot.safety import Policy
from claudiad.robot.stop_lane import StopLane
from claudiad.types import Action, Decision

LONG_S = 20.0
"""For waits that only a fault makes long."""

SERVICES = ("sport", "obstacles_avoid", "videohub", "motion_switcher", "vui", "robot_state")


@cache
def router() -> Router:
    """The shipped one."""
    return Router(load_tables(registry.askable(registry.load())))


def act(name: str, **params: float | int | bool) -> Action:
    """A step of the registry."""
    return Action(name, registry.load()[name].api_id, params)


async def until(wanted: Callable[[], object], what: str, seconds: float = LONG_S) -> None:
    """Wait for what nobody announces; fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > deadline:
            pytest.fail(f"never within {seconds:g} s: {what}")
        await asyncio.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Heard:
    """One request as it was on the wire."""

    service: str
    api_id: int
    parameter: str
    noreply: bool


class Witness:
    """A participant of its own that hears every request, also those that no robot takes."""

    def __init__(self, domain: int) -> None:
        self._link = Link("lo", domain)
        self._lock = threading.Lock()
        self._heard: list[Heard] = []
        self.on_sport: Callable[[], None] | None = None
        """Called on CycloneDDS's thread with each request to the sport service but StopMove."""
        for service in SERVICES:
            self._link.reader(f"rt/api/{service}/request", self._link.messages.Request, self._listener(service))

    def _listener(self, service: str) -> Callable[[Any], None]:
        def hear(request: Any) -> None:
            header, stop = request.header, registry.load()[registry.STOP].api_id
            with self._lock:
                self._heard.append(
                    Heard(service, header.identity.api_id, request.parameter, bool(header.policy.noreply))
                )
            if self.on_sport is not None and service == "sport" and header.identity.api_id != stop:
                self.on_sport()

        return hear

    @property
    def heard(self) -> list[Heard]:
        """All of it so far, in order."""
        with self._lock:
            return list(self._heard)

    def ids(self, service: str = "sport") -> list[int]:
        """Api ids of the requests to one service so far."""
        return [each.api_id for each in self.heard if each.service == service]

    def close(self) -> None:
        self._link.close()


class Rig:
    """What commands the robot, and a witness."""

    def __init__(self, domain: int, folder: Path, policy: Policy, patience_s: float) -> None:
        self.domain = domain
        self.clock = SystemClock()
        self.robot = Go2Robot(self.clock, "lo", domain, photos=folder / "photos", kept=folder / "kept")
        self.witness = Witness(domain)
        self.lane = StopLane(self.robot, self.clock, folder / "latch", timeout_s=patience_s, max_attempts=1000)
        self.dispatcher = Dispatcher(self.robot, self.lane, policy, self.clock)

    def decide(self, text: str) -> Decision:
        """What the router makes of a text now."""
        return router().decide(text, self.robot.state())

    async def say(self, text: str) -> list[StepResult]:
        """Decide and do."""
        return await self.run(*self.decide(text).actions)

    async def run(self, *actions: Action) -> list[StepResult]:
        """Do; ends by itself, or fails."""
        return await asyncio.wait_for(self.dispatcher.run(actions), 60.0)

    def begin(self, *actions: Action) -> asyncio.Task[list[StepResult]]:
        """Do it while the test does something else."""
        return asyncio.ensure_future(self.run(*actions))

    async def fresh(self) -> None:
        """Wait until the robot's state is not too old."""
        await until(lambda: self.robot.state().age_ms < 300, "a state that is not old")


@asynccontextmanager
async def rig(
    domain: int, folder: Path, policy: Policy | None = None, *, patience_s: float = 2.0
) -> AsyncIterator[Rig]:
    """A rig, started; `folder` gets photos, latch and memo. `patience_s`: how long a stop's report is waited for."""
    made = Rig(domain, folder, policy or Policy(), patience_s)
    try:
        await made.robot.start()
        made.lane.start()
        yield made
    finally:
        await asyncio.to_thread(made.lane.close)
        await made.robot.close()
        made.witness.close()


def sequence(names: Iterable[str]) -> list[str]:
    """Names in order, a burst of one of them as one."""
    return [name for name, _ in itertools.groupby(names)]


def statuses(results: Iterable[StepResult]) -> list[str]:
    """What became of each step."""
    return [result.status.value for result in results]


def texts(results: Iterable[StepResult]) -> str:
    """All that the steps have to tell."""
    return "".join(result.outcome.text for result in results)


def motions(calls: Iterable[dict[str, Any]]) -> list[str]:
    """Names of the calls of the sport service that are no stop."""
    return [call["name"] for call in calls if call["service"] == "sport" and call["name"] != "StopMove"]


def decoded(heard: Heard) -> dict[str, Any]:
    """Its parameter."""
    value = json.loads(heard.parameter)
    assert isinstance(value, dict)
    return value
