"""What may be done: actions, the robot's state and a policy in; the steps to execute and the refusals out. Pure.

Decisions, where the promises (docs/safety.md) leave a choice:

- `stop` passes whatever the state. What follows a stop in the same sequence is refused: a stop ends it.
- A sequence of more than `max_steps` (as asked, before insertion) is refused whole, except for its stops.
- State that is too old, or a posture that is unknown, is not assumed good. Old: nothing but stop. Unknown posture:
  also what the table marks right from any posture: StandDown, which only lowers the robot, and RecoveryStand, which
  is made for a robot that has fallen.
- A missing posture is inserted: StandUp for what needs standing, StandDown for what needs lying (Damp). Gestures of
  the forelegs are done sitting as well, so 座って挨拶 has nothing inserted between. A posture already held is still
  listed when it was asked for.
- Numbers out of range are clamped, and the person is told; numbers that are not finite, and parameters the table
  does not know, make the step refused: nobody knows what was meant.
- When a step is refused: after a gesture, dance or acrobatic that is left out the rest goes on; after a posture, a
  way of walking or a move that is left out the rest is refused too, for it would begin in the wrong place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from claudiad.config import RobotSettings
from claudiad.robot import registry
from claudiad.robot.registry import ActionSpec, ParamSpec
from claudiad.types import Action, Posture, Refusal, RobotState

Params = dict[str, float | int | bool]

_SMALLEST_MOVE = 0.005
"""Metres or radians: less is below what odometry can tell."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the person in charge allows."""

    allow_high_risk: bool = False
    max_steps: int = 6
    state_max_age_ms: float = 500.0
    max_distance: float = 3.0
    """Longest single walk, metres."""
    max_turn: float = math.tau
    """Longest single turn, radians."""
    allow_damp: bool = True
    """False for what a language model chose: it never goes limp on a model's word (docs/safety.md, 13)."""
    table: Mapping[str, ActionSpec] = field(default_factory=registry.load, repr=False, compare=False)

    @classmethod
    def from_settings(cls, settings: RobotSettings) -> Policy:
        """The policy that `[robot]` describes."""
        return cls(
            allow_high_risk=settings.allow_high_risk,
            max_steps=settings.max_steps,
            state_max_age_ms=settings.state_max_age_ms,
            max_distance=settings.max_distance,
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be executed, in order, and what will not."""

    steps: tuple[Action, ...]
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    """Japanese sentences about what was changed (a distance that was cut)."""


def compile_plan(actions: Sequence[Action], state: RobotState, policy: Policy) -> Plan:
    """Turn what was asked for into what may be done, starting from `state`. Never raises."""
    too_long = len(actions) > policy.max_steps
    steps: list[Action] = []
    refused: list[Refusal] = []
    notes: list[str] = []
    posture = state.posture
    ended = ""
    for action in actions:
        spec = policy.table.get(action.name) if isinstance(action.name, str) else None
        if spec is None or spec.api_id != action.api_id:
            refused.append(Refusal(action.name, action.api_id, "その動作は登録されていません。"))
            ended = ended or "できない動作があったので、続きはしません。"
            continue
        if spec.name == registry.STOP:
            steps.append(Action(spec.name, spec.api_id))
            ended = "そのあとの動作はしません。"
            continue
        if too_long:
            refused.append(_refusal(spec, f"一度にできる動作は{policy.max_steps}個までです。"))
            continue
        if ended:
            refused.append(_refusal(spec, ended))
            continue
        needed, reason = _way_in(spec, posture, policy)
        params, fault, note = _clamp(spec, action.params, policy)
        reason = _forbidden(spec, state, policy) or reason or fault
        if not reason and needed is not None:
            reason = _forbidden(needed, state, policy)
        if reason:
            refused.append(_refusal(spec, reason))
            if spec.action_class == "safe":
                ended = "できない動作があったので、続きはしません。"
            continue
        if needed is not None:
            steps.append(Action(needed.name, needed.api_id, inserted=True))
            posture = needed.gives or posture
        steps.append(Action(spec.name, spec.api_id, params))
        notes += [note] if note else []
        posture = spec.gives or posture
    return Plan(tuple(steps), tuple(refused), tuple(notes))


def check_step(step: Action, state: RobotState, policy: Policy) -> Refusal | None:
    """The same rules once more for one step of a plan, against the state right before it is sent.

    The robot may not have got where the plan assumed, and its battery falls: nothing is inserted here.
    """
    plan = compile_plan((step,), state, policy)
    if plan.refused:
        return plan.refused[0]
    if len(plan.steps) > 1:
        return _refusal(policy.table[step.name], "姿勢が変わったので、続きはしません。")
    return None


def _forbidden(spec: ActionSpec, state: RobotState, policy: Policy) -> str:
    """Why this action may not be done at all in this state, posture aside; empty when it may."""
    if spec.internal:
        return f"{_topic(spec)}人が自分で決めることなので、しません。"
    if spec.dangerous and not policy.allow_high_risk:
        return f"{_topic(spec)}危ないので、許可されていません。"
    if spec.name == registry.DAMP and not policy.allow_damp:
        return f"{_topic(spec)}直接頼まれたときだけです。"
    # Written so that NaN counts as too old.
    if not 0.0 <= state.age_ms <= policy.state_max_age_ms:
        return "ロボットの状態が届いていないので、動けません。"
    return _battery(spec, state.battery)


def _battery(spec: ActionSpec, percent: int) -> str:
    if not 0 <= percent <= 100:
        return "" if spec.low_battery else "電池の残りが分からないので、動けません。"
    if percent <= 10:
        allowed = spec.low_battery
    elif percent <= 20:
        allowed = spec.action_class in ("safe", "gesture")
    else:
        allowed = percent > 30 or spec.action_class != "acrobatic"
    return "" if allowed else f"電池が残り{percent}パーセントなので、{_topic(spec)}できません。"


def _way_in(spec: ActionSpec, posture: Posture, policy: Policy) -> tuple[ActionSpec | None, str]:
    """The posture step to insert, or None; and why there is no way, or an empty string."""
    if posture in spec.needs:
        return None, ""
    if posture is Posture.UNKNOWN:
        return None, f"今の姿勢が分からないので、{_topic(spec)}できません。"
    name = registry.STAND_UP if Posture.STANDING in spec.needs else registry.STAND_DOWN
    return policy.table[name], ""


def _clamp(spec: ActionSpec, given: Mapping[str, object], policy: Policy) -> tuple[Params, str, str]:
    """Parameters within range with defaults filled in; why they cannot be used; what was cut."""
    params: Params = {}
    cut: set[str] = set()
    if given.keys() - spec.params.keys():
        return params, f"{_topic(spec)}その指定ではできません。", ""
    for key, rule in spec.params.items():
        value = _value(rule, given.get(key, rule.default))
        if value is None:
            return params, "数が正しくないので、動けません。", ""
        params[key] = value if rule.kind == "flag" else _within(rule, value)
        if params[key] != value:
            cut.add(key)
    if spec.name == registry.MOVE:
        return _clamp_move(params, cut, policy)
    return params, "", "大きすぎる数は小さくしました。" if cut else ""


def _within(rule: ParamSpec, value: float) -> float | int:
    clamped = min(max(value, rule.min), rule.max)
    return int(clamped) if rule.kind == "integer" else clamped


def _value(rule: ParamSpec, value: object) -> float | int | bool | None:
    """A flag as it is, a number as a finite float, an integer as an int; None for anything else."""
    if rule.kind == "flag":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    if rule.kind == "integer":
        return int(number) if number.is_integer() else None
    return number


def _clamp_move(params: Params, cut: set[str], policy: Policy) -> tuple[Params, str, str]:
    x, y, yaw = params["x"], params["y"], params["yaw"]
    distance = math.hypot(x, y)
    if max(distance, abs(yaw)) < _SMALLEST_MOVE:
        return params, "どこへ動くのか分かりません。", ""
    note = ""
    if distance > policy.max_distance:
        # Both by the same factor: the way gets shorter, its direction stays.
        x, y = x * policy.max_distance / distance, y * policy.max_distance / distance
        note = f"一度に歩けるのは{policy.max_distance:g}メートルまでです。"
    if "yaw" in cut or abs(yaw) > policy.max_turn:
        yaw = math.copysign(min(abs(yaw), policy.max_turn), yaw)
        note += "一度に回れるのは一回転までです。"
    return {"x": x, "y": y, "yaw": yaw}, "", note


def _refusal(spec: ActionSpec, reason: str) -> Refusal:
    return Refusal(spec.name, spec.api_id, reason)


def _topic(spec: ActionSpec) -> str:
    """The action as the topic of a sentence: 宙返りは, 座ることは."""
    return spec.title + ("ことは" if spec.title[-1] in "うくぐすつぬぶむる" else "は")
