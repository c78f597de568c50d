"""Robot engines without a robot: `sim` walks a simulated body on any clock, `none` knows a state and does nothing."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from claudiad.clock import Clock
from claudiad.errors import RobotError
from claudiad.robot import photo, registry
from claudiad.robot.base import Outcome, Status, always
from claudiad.robot.motion import REFRESH_S, Limits, MoveTracker
from claudiad.robot.simulator import NOT_IMPLEMENTED, NOT_SENT, OK, Call, Go2Body
from claudiad.types import Action, Posture, RobotState

_log = logging.getLogger(__name__)

_WATCH_S = 0.05
"""How often the state is looked at while something runs: the rate a Go2 publishes it at is higher."""

_INTERRUPTED = Outcome(Status.INTERRUPTED)


class SimRobot:
    """A simulated Go2 in this process. With `JumpClock` it runs as fast as the machine allows."""

    name = "sim"

    def __init__(
        self,
        clock: Clock,
        posture: Posture = Posture.STANDING,
        battery: int = 100,
        on_call: Callable[[Call], None] | None = None,
        *,
        limits: Limits | None = None,
        slip: float = 0.0,
        photos: Path | None = None,
    ) -> None:
        """`on_call` sees every call that reaches the body, on the caller's thread (see `Go2Body`).

        `photos` is the folder for pictures; None: a temporary one, made for the first picture.
        """
        self.body = Go2Body(clock.now, posture=posture, battery=battery, slip=slip, on_call=on_call)
        self._clock = clock
        self._limits = limits or Limits()
        self._photos = photos
        table = registry.load()
        self._stop_id = table[registry.STOP].api_id
        self._photo_s = table[registry.PHOTO].duration_s

    @property
    def photos(self) -> Path | None:
        """The folder pictures are in; None before the first one, when none was given."""
        return self._photos

    @property
    def calls(self) -> list[Call]:
        """Every call that reached the body, oldest first."""
        return self.body.calls

    def state(self) -> RobotState:
        """The body's state, always fresh."""
        return self.body.state()

    @property
    def foreign(self) -> bool:
        """Nobody else can reach it."""
        return False

    @property
    def stops_elsewhere(self) -> int:
        """Nobody else can reach it."""
        return 0

    async def start(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Nothing to disconnect."""

    def stop_now(self) -> bool:
        """StopMove; acknowledged at once."""
        return self.body.call(self._stop_id, {}) == OK

    async def perform(self, action: Action, permit: Callable[[], bool] = always) -> Outcome:
        """One step, to its end. A stop from any side ends it: INTERRUPTED."""
        stops = self.body.stops

        def allowed() -> bool:
            return self.body.stops == stops and permit()

        if action.name == registry.MOVE:
            return await self._walk(action, allowed)
        if action.name == registry.PHOTO:
            return await self._photograph(allowed)
        code = self.body.call(action.api_id, action.params, allowed)
        if code != OK:
            return _failed(code)
        while self.body.state().running is not None and allowed():
            await self._clock.sleep(_WATCH_S)
        return Outcome(Status.DONE) if allowed() else _INTERRUPTED

    async def _photograph(self, allowed: Callable[[], bool]) -> Outcome:
        """The camera is no part of the body: its id means Damp there."""
        await self._clock.sleep(self._photo_s)
        if not allowed():
            return _INTERRUPTED
        seen = self.body.state()
        if self._photos is None:
            self._photos = Path(tempfile.mkdtemp(prefix="claudiad-photos-"))
        try:
            path = photo.save(photo.simulated(seen.x, seen.y, seen.yaw), self._photos, datetime.now().astimezone())
        except RobotError as fault:
            _log.error("%s", fault)
            return Outcome(Status.REFUSED, "写真を保存できませんでした。")
        _log.info("picture: %s", path)
        return Outcome(Status.DONE, photo.spoken(path))

    async def _walk(self, action: Action, allowed: Callable[[], bool]) -> Outcome:
        seen = self.body.state()
        tracker = MoveTracker(action.params, seen.x, seen.y, seen.yaw, self._limits)
        deadline = self._clock.now() + tracker.timeout_s
        try:
            while (velocity := tracker.step(seen.x, seen.y, seen.yaw)) is not None:
                if self._clock.now() >= deadline:
                    return Outcome(Status.UNKNOWN, "目標の所まで行けませんでした。")
                wire = {"x": velocity.x, "y": velocity.y, "z": velocity.yaw}
                code = self.body.call(action.api_id, wire, allowed)
                if code != OK:
                    return _failed(code)
                await self._clock.sleep(REFRESH_S)
                seen = self.body.state()
            return Outcome(Status.DONE) if allowed() else _INTERRUPTED
        finally:
            # Also when the task is cancelled: a velocity is held for a second after the last command.
            self.stop_now()


class NullRobot:
    """Engine `none`: a known state and nothing that could move. What would be done is the plan's to show."""

    name = "none"

    def __init__(self, posture: Posture = Posture.STANDING, battery: int = 100) -> None:
        self._state = RobotState(posture, battery)

    def state(self) -> RobotState:
        """The state it was given."""
        return self._state

    @property
    def foreign(self) -> bool:
        """Nobody else can reach it."""
        return False

    @property
    def stops_elsewhere(self) -> int:
        """Nobody else can reach it."""
        return 0

    async def start(self) -> None:
        """Nothing to connect."""

    async def close(self) -> None:
        """Nothing to disconnect."""

    def stop_now(self) -> bool:
        """There is nothing that could be moving."""
        return True

    async def perform(self, action: Action, permit: Callable[[], bool] = always) -> Outcome:
        """Executes nothing: UNREACHABLE."""
        return Outcome(Status.UNREACHABLE, "ロボットがつながっていません。")


def _failed(code: int) -> Outcome:
    if code == NOT_SENT:
        return _INTERRUPTED
    if code == NOT_IMPLEMENTED:
        return Outcome(Status.REFUSED, "このロボットはその動作を知りません。")
    return Outcome(Status.REFUSED, "今の姿勢ではできません。")
