"""`claudiad mission`: a file of sentences, done one by one by one robot, each judged by what the robot reports."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claudiad.app import options, signals
from claudiad.app.output import action_json, refusal_json
from claudiad.app.parts import brain_tables
from claudiad.app.state import state_directory
from claudiad.brain import answers, places
from claudiad.brain.mind import Mind
from claudiad.brain.router import Router
from claudiad.clock import Clock
from claudiad.config import Settings
from claudiad.errors import DataError
from claudiad.robot.base import Outcome, Robot, Status
from claudiad.robot.dispatcher import UNCONFIRMED, Dispatcher, StepResult
from claudiad.robot.motion import Limits
from claudiad.robot.registry import MOVE
from claudiad.robot.registry import load as load_registry
from claudiad.robot.safety import Policy
from claudiad.robot.stop_lane import StopLane
from claudiad.types import Action, Decision, Posture, Refusal, RobotState

if TYPE_CHECKING:
    from argparse import _SubParsersAction

ALLOWED_PERCENT = 20.0
"""How far off, of the way and of the turn, a move may end and still be one that succeeded."""
ALLOWED_M, ALLOWED_DEG = 0.05, 5.0
"""Less than this is no error: the tolerances of a move (docs/safety.md, 6)."""
MAX_SLIP = 0.3
SETTLE_S = 2.0
"""Longest wait for a robot to stand still before its pose is read."""

_UNDONE = {answers.TOO_LONG, *places.UNDONE}
"""Answers that say that something was understood and is not done."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One line of the file."""

    line: int
    """From 1."""
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one sentence."""

    sentence: Sentence
    route: str
    actions: tuple[Action, ...]
    refused: tuple[Refusal, ...]
    success: bool
    seconds: float
    """On the robot's clock."""
    error_m: float | None
    """From where the moves of this sentence lead, begun where the robot was; None without a move, as the next two."""
    error_deg: float | None
    error_percent: float | None
    """Of the way; None also for a turn on the spot."""
    end: RobotState
    reply: str

    def json(self) -> dict[str, Any]:
        """The object of the command contract (docs/commands.md)."""
        return {
            "line": self.sentence.line,
            "text": self.sentence.text,
            "route": self.route,
            "actions": [action_json(a) for a in self.actions],
            "refused": [refusal_json(r) for r in self.refused],
            "success": self.success,
            "seconds": round(self.seconds, 3),
            "error_m": _rounded(self.error_m, 4),
            "error_deg": _rounded(self.error_deg, 2),
            "error_percent": _rounded(self.error_percent, 2),
            "pose": {
                "x": _rounded(self.end.x, 4),
                "y": _rounded(self.end.y, 4),
                "yaw": _rounded(self.end.yaw, 4),
            },
            "reply": self.reply,
        }


class Mission:
    """Carries sentences out on one robot that stays as each of them leaves it."""

    def __init__(self, robot: Robot, lane: StopLane, mind: Mind, policy: Policy, clock: Clock) -> None:
        self._robot = robot
        self._lane = lane
        self._mind = mind
        self._clock = clock
        self._dispatcher = Dispatcher(robot, lane, policy, clock)

    async def carry_out(self, sentence: Sentence) -> Report:
        """Decide with the state the robot is in, do it, and judge it. Raises RobotError when the latch stays shut."""
        began, before = self._clock.now(), self._robot.state()
        decision = self._mind.decide(sentence.text, before, began, datetime.now().astimezone().hour)
        self._mind.commit(decision, began)
        self._mind.asked(decision, began)
        if decision.release:
            self._lane.reset()
        notes = self._dispatcher.plan(decision.actions).notes
        results = await self._do(decision)
        seconds, after = self._clock.now() - began, await self._settled()
        kept_out = [r for r in results if r.status is Status.REFUSED and r.dispatched_at is None]
        done = [r for r in results if r not in kept_out]
        moves = [a for a in decision.actions if a.name == MOVE]
        error_m, error_deg, way, turn = _errors(moves, before, after)
        arrived = error_m <= max(ALLOWED_M, way * ALLOWED_PERCENT / 100.0) and error_deg <= max(
            ALLOWED_DEG, turn * ALLOWED_PERCENT / 100.0
        )
        told = [r.outcome.text for r in kept_out] or [decision.reply]
        return Report(
            sentence=sentence,
            route=decision.route,
            actions=tuple(r.action for r in done),
            refused=tuple(Refusal(r.action.name, r.action.api_id, r.outcome.text) for r in kept_out),
            success=arrived and not kept_out and (_done(done) if decision.actions else _answered(decision)),
            seconds=seconds,
            error_m=error_m if moves else None,
            error_deg=error_deg if moves else None,
            error_percent=100.0 * error_m / way if way else None,
            end=after,
            reply="".join(dict.fromkeys([*told, *notes, *(r.outcome.text for r in done)])),
        )

    async def _settled(self) -> RobotState:
        """The state once nothing runs any more, so that a robot that still rolls out is measured where it stands."""
        deadline = self._clock.now() + SETTLE_S
        while (seen := self._robot.state()).running is not None and self._clock.now() < deadline:
            await self._clock.sleep(0.1)
        return seen

    async def _do(self, decision: Decision) -> list[StepResult]:
        if decision.route != "emergency" or not decision.actions:
            return await self._dispatcher.run(decision.actions)
        report = await self._dispatcher.stop(reason="said in a mission", latch=decision.latch)
        outcome = Outcome(Status.DONE) if report.acknowledged else Outcome(Status.UNREACHABLE, UNCONFIRMED)
        return [StepResult(decision.actions[0], outcome, report.sent_at, self._clock.now())]


def _done(results: list[StepResult]) -> bool:
    return bool(results) and all(r.status is Status.DONE for r in results)


def _answered(decision: Decision) -> bool:
    """True for an answer that is one: no fallback, no question back, no 遠すぎる."""
    understood = decision.route not in ("fallback", "none") and not decision.asked
    return understood and bool(decision.reply) and decision.reply not in _UNDONE


def _errors(moves: Iterable[Action], before: RobotState, after: RobotState) -> tuple[float, float, float, float]:
    """Metres and degrees off after these moves, then the length of the way in metres and of all turns in degrees."""
    pose = (before.x, before.y, before.yaw)
    way = turn = 0.0
    for move in moves:
        pose = places.walked(pose, move.params)
        way += math.hypot(move.params.get("x", 0.0), move.params.get("y", 0.0))
        turn += abs(math.degrees(move.params.get("yaw", 0.0)))
    off_m = math.hypot(after.x - pose[0], after.y - pose[1])
    off_deg = abs(math.degrees(math.remainder(after.yaw - pose[2], math.tau)))
    return off_m, off_deg, way, turn


def read(path: Path) -> list[Sentence]:
    """The sentences of a mission file. Raises DataError ``file:line: ...`` when it cannot be read or holds none."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as fault:
        raise DataError(f"{path}:1: cannot be read: {fault.strerror or fault}") from fault
    except UnicodeDecodeError as fault:
        line = data[: fault.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: is not UTF-8") from fault
    rows = [Sentence(number, row.strip()) for number, row in enumerate(text.split("\n"), 1)]
    found = [row for row in rows if row.text and not row.text.startswith("#")]
    if not found:
        raise DataError(f"{path}:{len(rows)}: no sentence in it")
    return found


def slip(text: str) -> float:
    """argparse type: the part of each movement that is lost."""
    value = float(text)
    if not 0.0 <= value <= MAX_SLIP:  # catches nan as well
        raise argparse.ArgumentTypeError(f"0 to {MAX_SLIP:g}")
    return value


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("mission", help="carry out a file of sentences and judge each")
    p.add_argument("file", type=Path, metavar="FILE", help="UTF-8, one sentence per line; # begins a comment")
    options.add_config(p)
    p.add_argument("--json", action="store_true", help="one JSON object per line")
    p.add_argument("--robot", choices=("sim", "go2"), default="sim", help="what executes it (default: sim)")
    p.add_argument("--posture", choices=options.STARTING_POSTURES, default="standing", help="how the simulator begins")
    p.add_argument("--battery", type=options.battery, default=100, metavar="0-100", help="its charge, percent")
    p.add_argument("--slip", type=slip, default=0.0, metavar="0-0.3", help="part of each movement the simulator loses")
    p.add_argument(
        "--photos",
        type=Path,
        metavar="FOLDER",
        help="where the simulator's pictures go (default: robot.photos, or temporary)",
    )
    p.add_argument("--allow-high-risk", action="store_true", help="allow flips, jumps, pounces and handstands")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 when every sentence succeeded, else 1. Raises DataError, ConfigError, EngineMissing, RobotError."""
    sentences = read(args.file)
    settings = options.settings_of(args)
    mind = Mind(Router(brain_tables(settings, load_registry())))
    clock = options.clock_of(args)
    robot = _robot(args, settings, clock)
    show = _as_json if args.json else _as_text
    simulated = args.robot == "sim"
    work = _all(sentences, robot, mind, settings=settings, clock=clock, show=show, simulated=simulated)
    reports = signals.run(work)
    if not args.json:
        _table(reports)
    print(_summary(reports, robot), file=sys.stderr if args.json else sys.stdout)
    return 0 if all(r.success for r in reports) else 1


def _robot(args: argparse.Namespace, settings: Settings, clock: Clock) -> Robot:
    if args.robot != "sim":
        return options.robot_of(args, clock, settings)
    from claudiad.robot.sim import SimRobot

    r = settings.robot
    photos = args.photos or (Path(r.photos) if r.photos else None)
    limits = Limits.from_settings(r)
    return SimRobot(clock, Posture(args.posture), args.battery, limits=limits, slip=args.slip, photos=photos)


async def _all(
    sentences: list[Sentence],
    robot: Robot,
    mind: Mind,
    *,
    settings: Settings,
    clock: Clock,
    show: Callable[[Report], None],
    simulated: bool,
) -> list[Report]:
    """Every sentence in order. Whatever ends it early, Ctrl-C too, stops the robot through the lane first."""
    await robot.start()
    try:
        # A real robot that was told to stay where it is stays there, whoever asks (docs/safety.md, 3).
        lane = StopLane(robot, clock, latch_path=None if simulated else state_directory() / "latch")
        lane.start()
        mission = Mission(robot, lane, mind, Policy.from_settings(settings.robot), clock)
        reports: list[Report] = []
        try:
            for sentence in sentences:
                reports.append(await mission.carry_out(sentence))
                show(reports[-1])
        except BaseException:
            await asyncio.wrap_future(lane.request("the mission was broken off"))
            raise
        finally:
            await asyncio.to_thread(lane.close)
        return reports
    finally:
        await robot.close()


def _as_json(report: Report) -> None:
    print(json.dumps(report.json(), ensure_ascii=False), flush=True)


def _as_text(report: Report) -> None:
    print(f"{report.sentence.line:3} {report.sentence.text}", flush=True)
    if report.reply:
        print(f"    「{report.reply}」", flush=True)


def _table(reports: list[Report]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("line", "sentence", "actions", "", "seconds", "off by", "pose")
    for column in table.columns:
        column.overflow = "fold"
    for r in reports:
        table.add_row(
            str(r.sentence.line),
            r.sentence.text,
            ", ".join([*map(_call, r.actions), *(f"refused {each.name}" for each in r.refused)]) or "-",
            "done" if r.success else "FAILED",
            f"{r.seconds:.1f}",
            _off(r),
            f"{r.end.x:.2f} {r.end.y:.2f} {math.degrees(r.end.yaw):.0f}°",
        )
    Console().print(table)


def _call(action: Action) -> str:
    """`move x=1`, and StandUp+ where safety put it there."""
    params = "".join(f" {name}={value:.4g}" for name, value in action.params.items() if value)
    return f"{action.name}{params}{'+' if action.inserted else ''}"


def _off(report: Report) -> str:
    if report.error_m is None or report.error_deg is None:
        return ""
    percent = "" if report.error_percent is None else f" ({report.error_percent:.1f} %)"
    return f"{report.error_m:.3f} m{percent}, {report.error_deg:.1f}°"


def _summary(reports: list[Report], robot: Robot) -> str:
    good = sum(r.success for r in reports)
    said = f"{good} of {len(reports)} sentences succeeded in {sum(r.seconds for r in reports):.1f} s"
    if moved := [r.error_m for r in reports if r.error_m is not None]:
        said += f", largest error {max(moved):.3f} m"
    folder = getattr(robot, "photos", None)
    return said + (f"; pictures in {folder}" if folder is not None else "")


def _rounded(value: float | None, digits: int) -> float | None:
    """None also for what is no number: JSON has none of these."""
    return round(value, digits) if value is not None and math.isfinite(value) else None
