"""One motion at a time, each only after the one before it is completed; every stop ends all that came before it.

What was begun belongs to the epoch of that moment: the stop lane's generation, which grows with each request to stop,
from whichever side, before anything is sent; and the count of stops that other programs sent to the robot. A step
whose epoch has passed is never sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from claudiad.clock import Clock
from claudiad.errors import RobotError
from claudiad.robot import registry
from claudiad.robot.base import Outcome, Robot, Status
from claudiad.robot.safety import Plan, Policy, check_step, compile_plan
from claudiad.robot.stop_lane import StopLane, StopReport
from claudiad.types import Action, Refusal

OnDispatch = Callable[[Action, float], None]

LATCHED = "今は動けません。動けるようにするには「解除」と言ってください。"
UNCONFIRMED = "ロボットの返事を待っています。まだ動けません。"
QUEUE_FULL = "まだ前の動作の途中です。"
UNREACHABLE = "ロボットに届きませんでした。"
STALE = "ロボットの状態が届かなくなったので、動作をやり直してください。"

_WATCH_S = 0.1
_MAX_WAITING = 4


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of a plan, or one that was refused, and what became of it."""

    action: Action
    outcome: Outcome
    dispatched_at: float | None = None
    """Clock time, seconds, at which it was handed to the robot; None = it never was."""
    ended_at: float | None = None

    @property
    def status(self) -> Status:
        """Short for `outcome.status`."""
        return self.outcome.status


class Dispatcher:
    """Runs plans on a robot. All methods belong to one event loop; `lane.request` may be called from anywhere."""

    def __init__(self, robot: Robot, lane: StopLane, policy: Policy, clock: Clock) -> None:
        self._robot = robot
        self._lane = lane
        self._policy = policy
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._running: str | None = None
        self._unsettled = False
        self._in_turn = 0

    @property
    def unsettled(self) -> bool:
        """True when the last step was sent, was not seen to end, and nothing has been stopped since."""
        return self._unsettled

    @property
    def running(self) -> str | None:
        """Name of the action that is under way."""
        return self._running

    def plan(self, actions: Sequence[Action], policy: Policy | None = None) -> Plan:
        """What `run` would do now. While the stop holds or is unconfirmed, everything but a stop is refused."""
        used = policy or self._policy
        plan = compile_plan(actions, self._robot.state(), used)
        reason = LATCHED if self._lane.latched else UNCONFIRMED if self._lane.unconfirmed else ""
        if not reason:
            return plan
        kept = tuple(step for step in plan.steps if step.name == registry.STOP)
        held = tuple(
            Refusal(step.name, step.api_id, reason)
            for step in plan.steps
            if step.name != registry.STOP and not step.inserted
        )
        return Plan(kept, held + plan.refused)

    async def run(
        self,
        actions: Sequence[Action],
        *,
        on_dispatch: OnDispatch | None = None,
        policy: Policy | None = None,
        since: tuple[int, int] | None = None,
    ) -> list[StepResult]:
        """Do what was asked for; waits its turn behind what is under way. Results: the steps, then the refusals.

        `on_dispatch` is called with each step and the clock time right before it goes to the robot (for a stop:
        right after, with the time it went out). `policy` replaces the dispatcher's own for this call. `since`: the
        `epoch` in which it was asked for, when that was before now; a stop since then ends it here.

        Ends when: all steps are done; one was not done (the rest is never sent); a stop was requested since the call
        began, also while it waited. Cancelling it stops the robot if a step of it was under way; await the cancelled
        call before the next one, which that stop would end as well.
        """
        epoch = since or self.epoch()
        if actions and actions[0].name == registry.STOP:
            # Never behind the turn lock: it is for what is under way that the stop is meant.
            return await self._execute(self.plan(actions, policy), epoch, on_dispatch, policy)
        if self._waiting >= _MAX_WAITING:
            return [_never(action, Outcome(Status.REFUSED, QUEUE_FULL)) for action in actions]
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            if (stopping := self._lane.pending) is not None:
                # Asked for before this call: it is waited for, not raced. Its report comes in any case.
                await asyncio.wrap_future(stopping)
            return await self._execute(self.plan(actions, policy), epoch, on_dispatch, policy)
        finally:
            self._turn.release()

    def epoch(self) -> tuple[int, int]:
        """Stops so far: the lane's, from whichever side here, and those that other programs sent to the robot.

        What was decided before one of them must not be begun after it: `run` takes the epoch of that moment.
        """
        return self._lane.generation, self._robot.stops_elsewhere

    def barrier(self) -> tuple[int, int]:
        """As `epoch`, without the stops that came `in_turn`.

        What was said before one of the others and still waits to be understood must not be begun after it.
        """
        return self._lane.generation - self._in_turn, self._robot.stops_elsewhere

    async def stop(self, reason: str, latch: bool = False, *, in_turn: bool = False) -> StopReport:
        """Stop the robot, end the sequence under way and those that wait; with `latch` nothing moves until `reset`.

        `in_turn`: asked for by something said, in the order of what is said: it does not concern what was said since.
        Cancelling the wait does not take the stop back.
        """
        self._in_turn += in_turn
        report = await asyncio.wrap_future(self._lane.request(reason, latch))
        self._unsettled = self._unsettled and not report.acknowledged
        return report

    async def _execute(
        self, plan: Plan, epoch: tuple[int, int], on_dispatch: OnDispatch | None, policy: Policy | None
    ) -> list[StepResult]:
        results: list[StepResult] = []
        ended: Outcome | None = None
        for step in plan.steps:
            if step.name == registry.STOP:
                result = await self._stop_step(step, on_dispatch)
            elif ended is not None:
                result = _never(step, ended)
            else:
                result = await self._step(step, epoch, on_dispatch, policy or self._policy)
                if result.status is not Status.DONE:
                    ended = Outcome(Status.INTERRUPTED)
            results.append(result)
        return results + [
            _never(Action(refusal.name, refusal.api_id), Outcome(Status.REFUSED, refusal.reason))
            for refusal in plan.refused
        ]

    async def _stop_step(self, step: Action, on_dispatch: OnDispatch | None) -> StepResult:
        report = await self.stop("asked for in a sequence", in_turn=True)
        if on_dispatch is not None:
            on_dispatch(step, report.sent_at)
        status = Status.DONE if report.acknowledged else Status.UNREACHABLE
        text = "" if report.acknowledged else UNCONFIRMED
        return StepResult(step, Outcome(status, text), report.sent_at, self._clock.now())

    async def _step(
        self, step: Action, epoch: tuple[int, int], on_dispatch: OnDispatch | None, policy: Policy
    ) -> StepResult:
        def permit() -> bool:
            return self.epoch() == epoch

        if not permit():
            return _never(step, Outcome(Status.INTERRUPTED))
        # The plan assumed where each step leaves the robot; here is where it is.
        if (refusal := check_step(step, self._robot.state(), policy)) is not None:
            return _never(step, Outcome(Status.REFUSED, refusal.reason))
        dispatched_at = self._clock.now()
        if on_dispatch is not None:
            on_dispatch(step, dispatched_at)
        self._running, self._unsettled = step.name, True
        try:
            outcome = await self._watched(step, permit, policy)
            self._unsettled = outcome.status in (Status.UNKNOWN, Status.UNREACHABLE)
        finally:
            self._running = None
        return StepResult(step, outcome, dispatched_at, self._clock.now())

    async def _watched(self, step: Action, permit: Callable[[], bool], policy: Policy) -> Outcome:
        """Perform one step while looking at the age of the robot's state (docs/safety.md, 7)."""
        work = asyncio.ensure_future(self._robot.perform(step, permit))
        # What it raises while it is being stopped adds nothing to the reason it is stopped for.
        work.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        try:
            while not work.done():
                pause = asyncio.ensure_future(self._clock.sleep(_WATCH_S))
                try:
                    await asyncio.wait({work, pause}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    pause.cancel()
                # Written so that an age of NaN counts as too old.
                if not work.done() and not self._robot.state().age_ms <= policy.state_max_age_ms:
                    await self.stop("the robot's state is too old")
                    await asyncio.wait({work})
                    return Outcome(Status.UNKNOWN, STALE)
            return work.result()
        except BaseException as fault:
            # Cancelled, or the engine failed: either way nobody watches this motion any more. The stop is requested
            # before anything is awaited, so that a second cancellation cannot lose it.
            stopped = asyncio.wrap_future(self._lane.request(f"{type(fault).__name__} during {step.name}"))
            work.cancel()
            ending: set[asyncio.Future[Any]] = {work, stopped}
            await asyncio.wait(ending)
            if isinstance(fault, RobotError):
                return Outcome(Status.UNREACHABLE, UNREACHABLE)
            raise


def _never(action: Action, outcome: Outcome) -> StepResult:
    return StepResult(action, outcome)
