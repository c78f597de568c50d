"""What is said beside what is done: one place for the router's sentences."""

from __future__ import annotations

import math

from claudiad.brain.steps import Step
from claudiad.types import Action

STOPPED = "止まりました。"
LATCHED = "止まりました。解除と言われるまで動きません。"
RELEASED = "解除しました。もう動けます。"
IN_ORDER = "はい、順番にやります。"
AGAIN = "はい、繰り返します。"
ONCE_MORE = "はい、もう一回やります。"
ENDED = "はい、やめます。"
NOT_THEN = "分かりました、やりません。"


def name(step: Step) -> str:
    """For the rule: the line of the table, or a motion's parameters."""
    if step.phrase is None:
        return " ".join(f"{k}={v:g}" for k, v in step.actions[0].params.items())
    return step.phrase.text + (f" ×{step.times}" if step.times > 1 else "")


def ask_back(steps: tuple[Step, ...]) -> str:
    """座る、で合っていますか？"""
    return "、".join(_title(step) for step in steps) + "、で合っていますか？"


def moving(action: Action) -> str:
    """はい、左に回ります。 for a `move` with one parameter."""
    side, verb, _ = _words(action)
    return f"はい、{'' if verb == '下がる' else side}{_POLITE[verb]}。"


def title(action: Action) -> str:
    """左に90度回る for a `move` with one parameter."""
    side, verb, size = _words(action)
    return side + size + verb


def _title(step: Step) -> str:
    named = title(step.actions[0]) if step.phrase is None else step.phrase.title or step.phrase.text
    return named + (f"、{step.times}回" if step.times > 1 else "")


_POLITE = {"回る": "回ります", "動く": "動きます", "進む": "進みます", "下がる": "下がります"}


def _words(action: Action) -> tuple[str, str, str]:
    """(which way, verb, how far or how much) in Japanese."""
    params = action.params
    if "yaw" in params:
        return "左に" if params["yaw"] > 0 else "右に", "回る", f"{abs(math.degrees(params['yaw'])):.0f}度"
    if "y" in params:
        return "左に" if params["y"] > 0 else "右に", "動く", f"{abs(params['y']):g}メートル"
    if params["x"] > 0:
        return "前に", "進む", f"{params['x']:g}メートル"
    return "後ろに", "下がる", f"{-params['x']:g}メートル"
