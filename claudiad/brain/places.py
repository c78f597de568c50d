"""Places in odometry coordinates: x=2.0、y=1.0に行って, エックス二、ワイ一に移動して, 出発点に戻って. Pure.

A place is taken out of the text, and a walk of a length nobody asks for put there (前に九キロ行って). What the grammar
makes of that, with its politeness, negations and sequences, holds for the place as well; `led` then puts the way in.
Metres and radians; x forward and y left of where the robot started, yaw left positive.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from claudiad.brain import numerals, wording
from claudiad.brain.reading import Heard, reading
from claudiad.brain.sequence import MAX_STEPS
from claudiad.types import Action, Decision, RobotState

MAX_WALK_M = 3.0
"""Longest single walk (docs/safety.md, 6)."""
NEAR_M = 0.05
"""Nearer than this it is there: the tolerance of a walk."""
ALIGNED_RAD = math.radians(2.0)
"""Turns smaller than this are left out; the walk then goes that much sideways."""

HERE = "もうそこにいます。"
HOME = "もう出発点にいます。"
TOO_FAR = "遠すぎるので、一度には行けません。もっと近い所を言ってください。"
MOVING = "今は動いているので、終わってからもう一度言ってください。"
LOST = "今いる場所が分からないので、行けません。"

UNDONE = (TOO_FAR, MOVING, LOST)
"""Answers with which a place that was understood is not gone to."""

_FAR_M = 9000.0
_WRITTEN, _SOUNDED = ("九キロ", "前に", "後ろに"), ("キュウキロ", "マエニ", "ウシロニ")
_WALKS = {f"x={metres:g}" for metres in (_FAR_M, -_FAR_M)}
"""A walk of nine kilometres, in kanji, in katakana and as a rule names it: what stands for a place meanwhile."""

_NUMBER = r"(?:\d{1,4}(?:\.\d{1,6})?|[零〇一二三四五六七八九十百点]+|" + numerals.NUMBER + ")"
_SIGNED = rf"(?:\+|(?P<AXIS_minus>[-−‐‑–—ー]|マイナス))?\s*(?P<AXIS>{_NUMBER})\s*(?:メートル|メエトル|m)?"
_X, _Y = (_SIGNED.replace("AXIS", axis) for axis in "xy")
_IS = r"\s*(?:座標|ザヒョオ)?\s*(?:=|は|が|ワ|ガ|イコール|イコオル)?\s*"
_AND = r"\s*(?:[、,・]|と|ト)?\s*"
_NAMED = rf"(?<![a-z])(?:x|エックス|えっくす){_IS}{_X}{_AND}(?:y|ワイ|わい){_IS}{_Y}"
_PLAIN = rf"(?:座標|ザヒョオ)(?:の|ノ|は|ワ)?\s*\(?\s*{_X}\s*(?:[、,と]|\s)\s*{_Y}"
_BEFORE = r"(?:(?:座標|ザヒョオ)(?:の|ノ|は|ワ)?\s*)?\(?\s*"
_BEHIND = r"\s*\)?\s*(?:(?:の|ノ)?(?:座標|地点|場所|位置|ところ|所|ザヒョオ|チテン|バショ|トコロ))?"
_TO = r"(?:まで|へ|に|マデ|エ|ニ)[、\s]*"
_BACK = r"(?P<polite>[おオ]?)(?P<back>戻|帰|もど|かえ|モド|カエ)(?P<come>(?:って|ッテ)(?=[来きこキコ]))?"
_GO = (
    rf"(?:{_BACK}|(?P<head>向か|むか|ムカ)(?P<form>[いっわうえおイッワウエオ])"
    r"|(?=行|いっ|いき|いく|いけ|いか|進|すす|移|いど|動|うご|歩|ある|来|イ[ッキクケカド]|スス|ウゴ|アル|キ[テタ]))"
)
_HEADING = dict(zip("いっわうえおイッワウエオ", "きっかくけこキッカクケコ", strict=True))
"""向かって → 行って: a verb that the walks of the grammar have."""
_GOALS = tuple(re.compile(_BEFORE + place + _BEHIND + _TO + _GO, re.IGNORECASE) for place in (_NAMED, _PLAIN))
_SPOT = r"(?:場所|位置|地点|ところ|所|ばしょ|いち|ちてん|バショ|イチ|チテン|トコロ)"
_HOME = re.compile(
    r"(?:"
    rf"(?:出発|しゅっぱつ|シュッパツ|スタート|スタアト|開始|かいし|カイシ)(?:(?:した|シタ|の|ノ)?{_SPOT}|点|てん|テン|ライン)"
    rf"|(?:元|もと|モト)(?:(?:居|い)た|イタ|の|ノ){_SPOT}"
    rf"|(?:最初|さいしょ|サイショ|始め|初め|はじめ|ハジメ)(?:の|ノ|に(?:い|居)た|ニイタ){_SPOT}"
    r"|原点|げんてん|ゲンテン|スタート|スタアト"
    rf"){_TO}{_BACK}"
)


@dataclass(frozen=True, slots=True)
class Goal:
    """Where to, and the text with a walk in its place."""

    x: float
    y: float
    yaw: float | None
    """The direction to end in; None: the one in which it arrives."""
    text: str

    @property
    def rule(self) -> str:
        """For people who ask why: `place: x=2 y=1`."""
        return f"place: x={self.x:g} y={self.y:g}" + (f" yaw={self.yaw:g}" if self.yaw is not None else "")

    @property
    def going(self) -> str:
        """What is said when it sets out."""
        return "はい、出発点に戻ります。" if self.yaw is not None else "はい、そこへ行きます。"

    @property
    def question(self) -> str:
        """What is asked when it may not have been meant."""
        return "出発点に戻る、で合っていますか？" if self.yaw is not None else "その場所へ行く、で合っていますか？"


def find(heard: Heard) -> Goal | None:
    """The one place that is named as something to go to; None when there is none, or more than one."""
    text = "、".join(heard.clauses) if heard.kana_only else heard.text
    far, ahead, behind = _SOUNDED if heard.kana_only else _WRITTEN
    found = [match for pattern in (*_GOALS, _HOME) for match in pattern.finditer(text)]
    if len(found) != 1:
        return None
    said = found[0].groupdict()
    if said["back"] and not said["come"]:  # 戻って来て is 来て
        walk = behind + far + said["polite"] + ("モド" if heard.kana_only else "戻")
    elif said.get("head"):
        walk = ahead + far + ("イ" if heard.kana_only else "行") + _HEADING[said["form"]]
    else:
        walk = ahead + far
    text = text[: found[0].start()] + walk + text[found[0].end() :]
    if "x" not in said:
        return Goal(0.0, 0.0, 0.0, text)
    x, y = (_value(said[axis], minus=bool(said[f"{axis}_minus"])) for axis in "xy")
    return None if x is None or y is None else Goal(x, y, None, text)


def _value(written: str, *, minus: bool) -> float | None:
    number = float(written) if written[0].isdecimal() else numerals.value(reading(written))
    return None if number is None else -number if minus else number


def way(goal: Goal, x: float, y: float, yaw: float) -> tuple[dict[str, float], ...] | None:
    """The parameters of the `move`s from a pose to a goal: a turn, walks of equal length, for home a last turn.

    None when it is farther than a sequence of walks may lead.
    """
    moves: list[dict[str, float]] = []
    distance = math.hypot(goal.x - x, goal.y - y)
    if distance > MAX_STEPS * MAX_WALK_M:
        return None
    if distance >= NEAR_M:
        off = _wrap(math.atan2(goal.y - y, goal.x - x) - yaw)
        if abs(off) >= ALIGNED_RAD:
            moves.append({"yaw": round(off, 4)})
            yaw, off = yaw + off, 0.0
        pieces = math.ceil(distance / MAX_WALK_M - 1e-6)
        ahead, left = (round(part * distance / pieces, 4) for part in (math.cos(off), math.sin(off)))
        moves += [{"x": ahead, "y": left} if left else {"x": ahead}] * pieces
    if goal.yaw is not None and abs(last := _wrap(goal.yaw - yaw)) >= ALIGNED_RAD:
        moves.append({"yaw": round(last, 4)})
    return tuple(moves)


def walked(pose: tuple[float, float, float], params: Mapping[str, float]) -> tuple[float, float, float]:
    """Where a `move` with these parameters ends (x, y, yaw) when it is done exactly."""
    x, y, yaw = pose
    ahead, left = params.get("x", 0.0), params.get("y", 0.0)
    x += ahead * math.cos(yaw) - left * math.sin(yaw)
    y += ahead * math.sin(yaw) + left * math.cos(yaw)
    return x, y, _wrap(yaw + params.get("yaw", 0.0))


def led(meant: Decision, goal: Goal, state: RobotState) -> Decision | None:
    """The decision on `goal.text` with the way to the goal in it; None where the grammar took it for something else."""
    rule = meant.rule
    for walk in _WALKS:
        rule = rule.replace(walk, goal.rule)
    times = sum(map(_stands_in, (*meant.actions, *meant.asked)))
    if times != 1 or len(meant.asked) > 1:
        # Forbidden: it is not gone to, and what else was said is done or not as the grammar has it.
        return replace(meant, rule=rule) if times == 0 and rule != meant.rule else None
    actions = _filled(meant.actions or meant.asked, goal, state)
    if isinstance(actions, str):
        rule = f"{rule}, not gone"
        return Decision(meant.text, "motion", "dialog", (), actions, 0.9, rule)
    if meant.asked:
        return replace(meant, asked=actions, reply=goal.question, rule=rule)
    reply = goal.going if len(meant.actions) == 1 else wording.IN_ORDER
    return replace(meant, actions=actions, reply=reply, rule=rule, confidence=min(meant.confidence, 0.95))


def _filled(steps: Iterable[Action], goal: Goal, state: RobotState) -> tuple[Action, ...] | str:
    """`steps` with the way in its place, from where the moves before it lead; or what to say instead."""
    if not math.isfinite(state.x + state.y + state.yaw):
        return LOST
    if state.running is not None:
        return MOVING  # where it will be then is not known now
    pose = (state.x, state.y, state.yaw)
    actions: list[Action] = []
    for step in steps:
        moves = [step]
        if _stands_in(step):
            if (found := way(goal, *pose)) is None:
                return TOO_FAR
            moves = [replace(step, params=params) for params in found]
        for move in moves:
            pose = walked(pose, move.params) if move.name == "move" else pose
        actions += moves
    if len(actions) > MAX_STEPS:
        return TOO_FAR
    return tuple(actions) or (HERE if goal.yaw is None else HOME)


def _stands_in(action: Action) -> bool:
    return action.name == "move" and abs(action.params.get("x", 0.0)) == _FAR_M


def _wrap(angle: float) -> float:
    return math.remainder(angle, math.tau)
