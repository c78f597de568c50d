"""The sport service: the simulated body behind the SDK's parameters. Knows no DDS."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from claudiad.go2sim import names
from claudiad.go2sim.services import BadParameterError, MotionSwitcher, decode, flag, number, reply
from claudiad.robot import registry
from claudiad.robot.go2.rpc import NOT_IMPLEMENTED, OK, Reply
from claudiad.robot.registry import ActionSpec
from claudiad.robot.simulator import BAD_PARAMETER, Go2Body

NOT_INITIALISED = 4205
_SETTINGS = frozenset(
    (names.SWITCH_JOYSTICK, names.AUTO_RECOVERY_SET, names.AUTO_RECOVERY_GET, names.SWITCH_AVOID_MODE)
)


class SportService:
    """Serves the body; `stood_up_at` is for the fault that looks at it."""

    name = names.SPORT
    version = "1.0.0.1"

    def __init__(self, body: Go2Body, switcher: MotionSwitcher, *, legacy: bool = False) -> None:
        """`legacy`: as firmware that knows the ids which newer firmware does not. The body should be the same."""
        specs = (spec for spec in registry.load().values() if spec.service == names.SPORT)
        self._specs = {
            spec.api_id: spec for spec in specs if spec.api_id not in _SETTINGS and (legacy or not spec.legacy)
        }
        self._body = body
        self._switcher = switcher
        self._auto_recovery = True
        self.stood_up_at = -math.inf
        """When the last StandUp was accepted, seconds of `handle`'s clock."""

    def handle(self, api_id: int, parameter: str, now: float, ended: Callable[[bool], None] | None = None) -> Reply:
        """See `Service.handle`. A released robot (motion_switcher) answers 4205 to everything."""
        if not self._switcher.mode:
            return Reply(NOT_INITIALISED)
        spec = self._specs.get(api_id)
        if spec is None and api_id not in _SETTINGS:
            return Reply(NOT_IMPLEMENTED)
        try:
            values = decode(parameter)
            if spec is None:
                return self._setting(api_id, values)
            code = self._body.call(api_id, wire_parameters(spec, values), ended=ended)
        except BadParameterError:
            return Reply(BAD_PARAMETER)
        if code == OK and spec.name == registry.STAND_UP:
            self.stood_up_at = now
        return Reply(code)

    def lasts(self, api_id: int) -> bool:
        """Whether it is an action that takes time: those tell when they have `ended`."""
        spec = self._specs.get(api_id)
        return spec is not None and spec.name not in (registry.STOP, registry.MOVE)

    def _setting(self, api_id: int, values: Mapping[str, Any]) -> Reply:
        match api_id:
            case names.SWITCH_JOYSTICK:
                flag(values, "data")
                return Reply(OK)
            case names.AUTO_RECOVERY_SET:
                self._auto_recovery = flag(values, "data")
                return Reply(OK)
            case names.AUTO_RECOVERY_GET:
                return reply(data=self._auto_recovery)
        return Reply(OK)


def wire_parameters(spec: ActionSpec, values: Mapping[str, Any]) -> dict[str, float | int | bool]:
    """What an action takes, checked: everything it needs is there and a number or a flag. Raises BadParameterError.

    What is not looked at is left out, as the firmware does.
    """
    if spec.name == registry.MOVE:
        return {key: number(values, key) for key in ("x", "y", "z")}
    checked: dict[str, float | int | bool] = {}
    for key, param in spec.params.items():
        match param.kind:
            case "flag":
                checked[key] = flag(values, key)
            case "integer":
                checked[key] = int(number(values, key, param.min, param.max))
            case _:
                checked[key] = number(values, key)
    return checked
