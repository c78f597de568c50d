"""What a result code means: an outcome and what to tell the person (docs/facts.md has where each comes from)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from claudiad.robot.base import Outcome, Status

RUNNING = Outcome(Status.UNKNOWN, "")
"""Accepted or unanswered: the state has to show what came of it."""

_NOBODY = "ロボットに届きませんでした。電源と、つながり方を確かめてください。"
_UNSURE = "ロボットの返事がないので、できたかどうか分かりません。"
_INSIDE = "ロボットの中で問題がありました。"
_LEASE = "ほかの人がロボットを動かしているので、できません。"
_MODE = "ロボットの動き方を切り替えられませんでした。"

CODES: Mapping[int, Outcome] = MappingProxyType(
    {
        0: RUNNING,
        -1: Outcome(Status.INTERRUPTED),  # ours: the permit was gone
        3001: Outcome(Status.UNKNOWN, _UNSURE),
        3102: Outcome(Status.UNREACHABLE, _NOBODY),
        3103: Outcome(Status.REFUSED, "このプログラムは、その動作の送り方を知りません。"),
        3104: RUNNING,  # no reply in time says nothing about the action
        3105: Outcome(Status.UNKNOWN, _UNSURE),
        3106: Outcome(Status.UNKNOWN, _UNSURE),
        3107: Outcome(Status.REFUSED, _LEASE),
        3201: Outcome(Status.UNKNOWN, _UNSURE),
        3202: Outcome(Status.REFUSED, _INSIDE),
        3203: Outcome(Status.REFUSED, "このロボットはその動作を知りません。"),
        3204: Outcome(Status.REFUSED, "その指定では、ロボットが動けませんでした。"),
        3205: Outcome(Status.REFUSED, _LEASE),
        3206: Outcome(Status.REFUSED, _LEASE),
        3207: Outcome(Status.REFUSED, _LEASE),
        4101: Outcome(Status.REFUSED, "その道は進めません。"),
        4201: Outcome(Status.UNKNOWN, "時間までに終わりませんでした。"),
        4202: Outcome(Status.REFUSED, "ロボットの準備がまだできていません。"),
        4205: Outcome(Status.REFUSED, "ロボットの準備がまだできていません。"),
        4206: Outcome(Status.REFUSED, "今の姿勢ではできません。"),
        5201: Outcome(Status.REFUSED, _MODE),
        5202: Outcome(Status.REFUSED, _MODE),
        **{code: Outcome(Status.REFUSED, _MODE) for code in range(7001, 7010)},
    }
)


def outcome(code: int) -> Outcome:
    """What a code means; a code nobody has seen is no success."""
    return CODES.get(code, Outcome(Status.UNKNOWN, _UNSURE))
