"""Engine `go2`: a real Go2, or whatever speaks its protocol, over DDS.

Three rules shape it. A code is no proof: "done" is said when the robot's state shows it. Nothing waits on the event
loop: requests block on one worker thread, the stop on its own lane with a client of its own. And between the question
whether a command may still be sent and the send itself there is no room for a stop: both happen under the wire's lock.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path

from claudiad.clock import Clock
from claudiad.errors import RobotError
from claudiad.robot import firmware, interface, photo, registry
from claudiad.robot.base import FOREIGN, Outcome, Status, always
from claudiad.robot.go2 import codes, memo
from claudiad.robot.go2.connection import Connection, connect
from claudiad.robot.go2.hold import Hold
from claudiad.robot.go2.rpc import NOT_SENT, OK, TIMEOUT, Client, Reply
from claudiad.robot.go2.watch import UNKNOWN_BATTERY, Watch
from claudiad.robot.motion import REFRESH_S, Limits, MoveTracker, Velocity
from claudiad.robot.registry import ActionSpec
from claudiad.types import Action, Posture, RobotState

log = logging.getLogger(__name__)

CALL_S = 1.0
"""Longest wait for a response. Firmware may answer when an action is accepted or when it is over: nobody knows."""
STOP_S = 0.15
HALTS = 4
"""Attempts to end a move before the stop lane has to."""
PHOTO_S = 3.0
AVOID_S = 0.3
FIRST_STATE_S = 2.5
"""How long a start waits for the robot's first report."""
LOOK_S = 0.04
SETTLE_S = 0.35
"""A posture counts once the robot has shown it for so long after it was asked for."""
BEGINS_S = 3.0
"""A gesture that was accepted is seen to begin within this time."""
UNLOCK_S = 12.0
"""After StandUp the joints are locked; it takes up to 10 s until BalanceStand frees them (docs/facts.md)."""
STUCK_S = 3.0
"""A move that gets nowhere for so long is given up."""
STUCK_M, STUCK_RAD = 0.03, math.radians(3)
SLOW_M_S = 0.2
"""Fastest walk where obstacles are not avoided (docs/safety.md, 6)."""

SWITCH_AVOIDANCE = 1001
GET_IMAGE = 1001
BALANCE_STAND = "BalanceStand"

TAKEN = "リモコンかアプリで操作されたので、やめました。"
UNSURE = "ロボットの返事がないので、できたかどうか分かりません。"
STUCK = "進めませんでした。前に何かあるかもしれません。"
LOST = "ロボットの様子が急に変わったので、動作をやめました。"
MISSED = "目標の所まで行けませんでした。"
LOCKED = "足が固まったままなので、動けませんでした。"
NO_WAY_BACK = "障害物をよける機能が使えないので、後ろには動けません。"
SLOWLY = "障害物をよける機能が使えないので、ゆっくり動きました。"
NO_PHOTO = "写真が撮れませんでした。"

_NOTHING_KNOWN = RobotState(Posture.UNKNOWN, UNKNOWN_BATTERY, age_ms=math.inf)
_INTERRUPTED = Outcome(Status.INTERRUPTED)
_DONE = Outcome(Status.DONE)


class Go2Robot:
    """A Go2 on a network interface. Motion methods belong to one event loop; `state` and `stop_now` to any thread."""

    name = "go2"

    def __init__(
        self,
        clock: Clock,
        interface_name: str,
        domain: int = 0,
        *,
        limits: Limits | None = None,
        photos: Path | None = None,
        kept: Path | None = None,
    ) -> None:
        """`photos`: where pictures go; `kept`: the folder that remembers the interface of a robot that was found."""
        self._clock = clock
        self._interface, self._domain = interface_name, domain
        self._limits = limits or Limits()
        self._photos, self._kept = photos, kept
        self._remembered = False
        self._table: Mapping[str, ActionSpec] = registry.load()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="go2")
        self._hold: Hold | None = None
        self._robot: Connection | None = None
        self._stops = 0
        self._stopping_since = 0
        """When the first of the stops that are not acknowledged yet was sent (ns, monotonic); 0 = there is none."""

    # --- lifetime ----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Join the network and wait a moment for the robot's first report; sends nothing.

        A robot that is not there yet is no error: it is found when it comes. Raises EngineMissing without the SDK,
        RobotError when the interface cannot be used, Busy when another process holds the robot.
        """
        interface.check(self._interface)
        self._remembered = False
        self._hold = Hold(self._interface, self._domain)
        try:
            self._robot = await asyncio.to_thread(connect, self._interface, self._domain)
        except BaseException:
            self._hold.release()
            raise
        try:
            deadline = self._clock.now() + FIRST_STATE_S
            while self._clock.now() < deadline and not self._complete():
                await self._clock.sleep(LOOK_S)
        except BaseException:
            await self.close()
            raise
        if self._watch.seen is None:
            log.warning("no Go2 reports anything on %s yet; it will be found when it does", self._interface)
        else:
            self._remember()

    def _remember(self) -> None:
        """Keep the interface for `claudiad stop-robot`, once in each start."""
        if self._remembered:
            return
        self._remembered = True
        if self._kept is None:
            return
        try:
            memo.save(self._kept, self._interface, self._domain)
        except OSError as fault:
            log.warning("`claudiad stop-robot` will have to be told the interface: %s", fault)

    @property
    def _there(self) -> Connection:
        if self._robot is None:
            raise RobotError("the Go2 is not connected")
        return self._robot

    @property
    def _watch(self) -> Watch:
        return self._there.watch

    def _complete(self) -> bool:
        return self._watch.seen is not None and self._watch.state().battery >= 0 and self._there.sport.reachable

    async def close(self) -> None:
        """Let go of the robot; sends nothing."""
        await asyncio.to_thread(self._worker.shutdown, wait=True, cancel_futures=True)
        self._robot = None
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    def state(self) -> RobotState:
        """The last report; an infinite age when there never was one."""
        return self._robot.watch.state() if self._robot else _NOTHING_KNOWN

    @property
    def foreign(self) -> bool:
        """Somebody else moves the robot: it does, or lately did, what nobody here asked for."""
        return self._robot is not None and self._robot.watch.foreign

    @property
    def stops_elsewhere(self) -> int:
        """StopMoves that other programs sent."""
        return self._robot.watch.stops if self._robot else 0

    def stop_now(self) -> bool:
        """StopMove through a client of its own; True when it was acknowledged. Blocks for at most `STOP_S`."""
        self._stops += 1
        if self._robot is None:
            return False
        self._robot.watch.touch()
        client, stop = self._robot.stopping, self._table[registry.STOP].api_id
        if not self._stopping_since:
            self._stopping_since = time.monotonic_ns()
        # An answer that takes longer than one attempt waits is one all the same.
        stopped = client.call(stop, timeout_s=STOP_S, urgent=True).code == OK
        stopped = stopped or client.answered_late(stop, self._stopping_since)
        if stopped:
            self._stopping_since = 0
        return stopped

    # --- one step ----------------------------------------------------------------------------------------------------

    async def perform(self, action: Action, permit: Callable[[], bool] = always) -> Outcome:
        """One step, until the robot's state shows that it is over. Raises RobotError before `start`."""
        robot = self._there
        stops = self._stops

        def allowed() -> bool:
            return self._stops == stops and permit()

        # A robot that came after the start. Whatever becomes of this process now, something is left that can stop it.
        if not self._remembered:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._remember)
        if action.name == registry.PHOTO:
            return await self._photograph(allowed)
        if robot.watch.foreign:
            return Outcome(Status.REFUSED, FOREIGN)
        robot.watch.own(action.name)
        try:
            if action.name == registry.MOVE:
                return await self._unlocked(allowed) or await self._walk(action, allowed)
            return await self._act(action, allowed)
        finally:
            robot.watch.own(None)

    async def _act(self, action: Action, allowed: Callable[[], bool]) -> Outcome:
        spec = self._table[action.name]
        shown = firmware.shows_busy(spec)
        if shown and (stiff := await self._unlocked(allowed)):
            return stiff
        begun = self._watch.busy_count
        reply = await self._call(self._there.sport, action.api_id, dict(action.params), allowed)
        if reply.code not in (OK, TIMEOUT):
            return codes.outcome(reply.code)
        if shown:
            return await self._shown(spec, allowed, lambda: self._watch.busy_count > begun, self._at_rest)
        if spec.gives is not None and firmware.gait(spec) is None:
            # A robot that was in that posture already shows it before it has even begun: what it shows now is old.
            # Lying counts late: Damp may follow, and a robot on its way down would fall.
            wait = spec.duration_s if spec.gives in (Posture.LYING, Posture.DAMPED) else SETTLE_S
            settled = self._clock.now() + wait
            held = lambda: self._clock.now() > settled and self._holds(spec.gives)  # noqa: E731 - it is a condition
            return await self._shown(spec, allowed, held, self._at_rest)
        # A setting, and ways of walking: the state does not show them. Only an answer says that it was taken.
        if reply.code != OK:
            return Outcome(Status.UNKNOWN, UNSURE)
        taken = self._clock.now() + spec.duration_s
        while self._clock.now() < taken and allowed():
            await self._clock.sleep(LOOK_S)
        return _DONE if allowed() else _INTERRUPTED

    async def _shown(
        self,
        spec: ActionSpec,
        allowed: Callable[[], bool],
        begun: Callable[[], bool],
        over: Callable[[], bool],
    ) -> Outcome:
        """Wait for the state. Ends when it shows completion, a stop came, or twice the usual time has passed.

        A reply that never came (3104) says nothing: the state does.
        """
        now = self._clock.now()
        latest, deadline = (
            now + BEGINS_S + spec.duration_s * (spec.gives is not None),
            now + 2 * spec.duration_s + BEGINS_S,
        )
        while not (begun() and over()):
            if not allowed():
                return _INTERRUPTED
            now = self._clock.now()
            if now > deadline or (now > latest and not begun()):
                return Outcome(Status.UNKNOWN, UNSURE)
            await self._clock.sleep(LOOK_S)
        return _DONE if allowed() else _INTERRUPTED

    def _holds(self, posture: Posture | None) -> bool:
        return self._watch.state().posture is posture

    def _at_rest(self) -> bool:
        seen = self._watch.seen
        return seen is not None and not seen.busy

    async def _unlocked(self, allowed: Callable[[], bool]) -> Outcome | None:
        """BalanceStand where StandUp left the joints locked; None when they are free."""
        seen = self._watch.seen
        if seen is None or not seen.locked:
            return None
        reply = await self._call(self._there.sport, self._table[BALANCE_STAND].api_id, {}, allowed)
        if reply.code not in (OK, TIMEOUT):
            return codes.outcome(reply.code)
        deadline = self._clock.now() + UNLOCK_S
        while (seen := self._watch.seen) is not None and seen.locked:
            if not allowed():
                return _INTERRUPTED
            if self._clock.now() > deadline:
                return Outcome(Status.UNKNOWN, LOCKED)
            await self._clock.sleep(LOOK_S)
        return None

    # --- walking -----------------------------------------------------------------------------------------------------

    async def _walk(self, action: Action, allowed: Callable[[], bool]) -> Outcome:
        if not all(map(math.isfinite, action.params.values())):
            raise RobotError(f"a move by numbers that are none: {dict(action.params)}")
        avoiding = await self._call(self._there.avoidance, SWITCH_AVOIDANCE, {"enable": True}, allowed, AVOID_S)
        if not allowed():
            return _INTERRUPTED
        limits, careful = self._limits, avoiding.code != OK
        if careful:
            if float(action.params.get("x", 0.0)) < 0.0:
                return Outcome(Status.REFUSED, NO_WAY_BACK)
            limits = Limits(min(limits.max_speed, SLOW_M_S), limits.max_turn_rate)
        pose = self.state()
        tracker = MoveTracker(action.params, pose.x, pose.y, pose.yaw, limits)
        # Cancelled in there, the dispatcher stops it.
        outcome = await self._follow(action, tracker, allowed, careful=careful)
        walked = bool(action.params.get("x", 0.0) or action.params.get("y", 0.0))
        if outcome.status is Status.DONE and careful and walked:
            return Outcome(Status.DONE, SLOWLY)
        return outcome

    async def _follow(
        self, action: Action, tracker: MoveTracker, allowed: Callable[[], bool], *, careful: bool
    ) -> Outcome:
        """Send velocities until odometry says that it is there; a stop, somebody else, or the time ends it sooner."""
        began = self._clock.now()
        progress, jumps = _Progress(self.state(), began), self._watch.jumps
        while True:
            state, now = self.state(), self._clock.now()
            if (taken := self._taken(state, allowed)) is not None:
                return taken
            if state.posture is not Posture.STANDING or self._watch.jumps != jumps:
                return await self._halted(Outcome(Status.UNKNOWN, LOST))
            if (seen := self._watch.seen) is not None and seen.locked:
                # Locked only now: StandUp was answered before it was over.
                if (stiff := await self._unlocked(allowed)) is not None:
                    return stiff
                began = self._clock.now()
                progress = _Progress(self.state(), began)
                continue
            velocity = tracker.step(state.x, state.y, state.yaw)
            late = now - began > tracker.timeout_s
            if velocity is None or late or progress.stuck(state, now):
                failed = Outcome(Status.UNKNOWN, MISSED if late else STUCK)
                return await self._halted(_DONE if velocity is None else failed)
            if careful:
                velocity = Velocity(max(0.0, velocity.x), velocity.y, velocity.yaw)
            reply = await self._send(action.api_id, velocity, allowed)
            if reply.code == NOT_SENT:
                return _INTERRUPTED
            if reply.code != OK:
                return await self._halted(codes.outcome(reply.code))
            await self._clock.sleep(max(0.0, REFRESH_S - (self._clock.now() - now)))

    def _taken(self, state: RobotState, allowed: Callable[[], bool]) -> Outcome | None:
        """Why a move is no longer this one's to go on with: a stop, or somebody else who does something with it.

        Then it is left to them: a StopMove would take it out of their hands.
        """
        if not allowed():
            return _INTERRUPTED
        seen = self._watch.seen
        elsewhere = state.posture in (Posture.SITTING, Posture.LYING)
        if self._watch.foreign or elsewhere or (seen is not None and seen.busy):
            self._watch.taken()
            return Outcome(Status.INTERRUPTED, TAKEN)
        return None

    async def _halted(self, outcome: Outcome) -> Outcome:
        """Stop walking, then `outcome`. Raises RobotError when no stop was acknowledged: then the lane stops it."""
        if not await asyncio.get_running_loop().run_in_executor(self._worker, self._halt):
            raise RobotError("the end of a move was not acknowledged")
        return outcome

    def _halt(self) -> bool:
        client, stop, began = self._there.sport, self._table[registry.STOP].api_id, time.monotonic_ns()
        for _ in range(HALTS):
            if client.call(stop, timeout_s=STOP_S, urgent=True).code == OK or client.answered_late(stop, began):
                return True
        return False

    async def _send(self, api_id: int, velocity: Velocity, allowed: Callable[[], bool]) -> Reply:
        wire = json.dumps({"x": velocity.x, "y": velocity.y, "z": velocity.yaw}, allow_nan=False)
        send = partial(self._there.sport.call, api_id, wire, timeout_s=CALL_S, permit=allowed, reply=False)
        return await asyncio.get_running_loop().run_in_executor(self._worker, send)

    # --- other services ----------------------------------------------------------------------------------------------

    async def _photograph(self, allowed: Callable[[], bool]) -> Outcome:
        reply = await self._call(self._there.camera, GET_IMAGE, {}, allowed, PHOTO_S)
        if reply.code != OK:
            found = codes.outcome(reply.code)
            return Outcome(found.status, found.text or NO_PHOTO)
        try:
            path = await asyncio.to_thread(
                photo.save, reply.binary, self._photos or Path.cwd(), datetime.now().astimezone()
            )
        except (OSError, RobotError) as fault:
            log.error("the photo is lost: %s", fault)
            return Outcome(Status.REFUSED, NO_PHOTO)
        log.info("photo: %s", path)
        return Outcome(Status.DONE, photo.spoken(path))

    async def _call(
        self,
        client: Client,
        api_id: int,
        params: Mapping[str, float | int | bool],
        allowed: Callable[[], bool],
        timeout_s: float = CALL_S,
    ) -> Reply:
        ask = partial(client.call, api_id, json.dumps(params, allow_nan=False), timeout_s=timeout_s, permit=allowed)
        return await asyncio.get_running_loop().run_in_executor(self._worker, ask)


class _Progress:
    """Whether a move gets anywhere."""

    def __init__(self, state: RobotState, now: float) -> None:
        self._state, self._at = state, now

    def stuck(self, state: RobotState, now: float) -> bool:
        last = self._state
        moved = math.hypot(state.x - last.x, state.y - last.y) > STUCK_M
        if moved or abs(math.remainder(state.yaw - last.yaw, math.tau)) > STUCK_RAD:
            self._state, self._at = state, now
        return now - self._at > STUCK_S
