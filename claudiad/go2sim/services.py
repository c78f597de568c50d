"""What each service of the robot answers, the sport service apart. They know no DDS: a parameter in, a reply out."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from claudiad.go2sim import names
from claudiad.robot import photo
from claudiad.robot.go2.rpc import NOT_IMPLEMENTED, OK, Reply
from claudiad.robot.simulator import BAD_PARAMETER, Go2Body

MODE_UNKNOWN = 7004
"""SelectMode: there is no mode of that name."""


class BadParameterError(ValueError):
    """A parameter is no JSON object, or not the one this api takes."""


class Service(Protocol):
    """One service."""

    @property
    def name(self) -> str:
        """As in the topics `rt/api/NAME/request` and `/response`."""
        ...

    @property
    def version(self) -> str:
        """Of its API, as the SDK has it."""
        ...

    def handle(self, api_id: int, parameter: str, now: float, ended: Callable[[bool], None] | None = None) -> Reply:
        """The reply to one request that came at `now` (monotonic seconds).

        `ended` is called when the action that it began has ended: True = completed. It is not called where there is
        nothing to wait for. Raises nothing for whatever is asked.
        """
        ...


def decode(parameter: str) -> dict[str, Any]:
    """The JSON object of a request; empty text is an empty one. Raises BadParameterError, also for NaN and Infinity."""
    if not parameter.strip():
        return {}
    try:
        value = json.loads(parameter, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as fault:
        raise BadParameterError(str(fault)) from None
    if not isinstance(value, dict):
        raise BadParameterError("not an object")
    return value


def number(values: Mapping[str, Any], key: str, least: float = -math.inf, most: float = math.inf) -> float:
    """A number that has to be there. Raises BadParameterError."""
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadParameterError(key)
    return value


def flag(values: Mapping[str, Any], key: str) -> bool:
    """True or false, or the 1 and 0 some clients send. Raises BadParameterError."""
    value = values.get(key)
    if value not in (True, False):
        raise BadParameterError(key)
    return bool(value)


def reply(code: int = OK, /, **data: Any) -> Reply:
    """A reply with a JSON object as its data; without any, with none."""
    return Reply(code, json.dumps(data) if data else "")


class _Small(ABC):
    """A service that answers at once."""

    name = ""
    version = "1.0.0.1"

    def handle(self, api_id: int, parameter: str, now: float, ended: Callable[[bool], None] | None = None) -> Reply:
        """See `Service.handle`."""
        try:
            return self._answer(api_id, decode(parameter))
        except BadParameterError:
            return Reply(BAD_PARAMETER)

    @abstractmethod
    def _answer(self, api_id: int, values: Mapping[str, Any]) -> Reply:
        """The reply to one request. Raises BadParameterError."""


class MotionSwitcher(_Small):
    """Which program moves the robot. Released, there is none, and the sport service does nothing."""

    name = names.MOTION_SWITCHER
    MODES = ("normal", "ai", "advanced", "mcf")

    def __init__(self) -> None:
        self.mode = "normal"
        """Empty = released."""

    def _answer(self, api_id: int, values: Mapping[str, Any]) -> Reply:
        match names.name_of(self.name, api_id):
            case "CheckMode":
                return reply(form="0", name=self.mode)
            case "SelectMode":
                if values.get("name") not in self.MODES:
                    return Reply(MODE_UNKNOWN)
                self.mode = values["name"]
                return Reply(OK)
            case "ReleaseMode":
                self.mode = ""
                return Reply(OK)
        return Reply(NOT_IMPLEMENTED)


class Vui(_Small):
    """Volume and light."""

    name = names.VUI

    def __init__(self) -> None:
        self._values = {"enable": 1, "volume": 5, "brightness": 5}

    def _answer(self, api_id: int, values: Mapping[str, Any]) -> Reply:
        called = names.name_of(self.name, api_id)
        key = {"Switch": "enable", "Volume": "volume", "Brightness": "brightness"}.get(called[3:])
        if key is None:
            return Reply(NOT_IMPLEMENTED)
        if called.startswith("Get"):
            return reply(**{key: self._values[key]})
        if key == "enable":
            self._values[key] = int(flag(values, key))
        else:
            self._values[key] = int(number(values, key, 0, 10))
        return Reply(OK)


class Videohub(_Small):
    """The camera."""

    name = names.VIDEOHUB

    def __init__(self, body: Go2Body) -> None:
        self._body = body

    def _answer(self, api_id: int, values: Mapping[str, Any]) -> Reply:
        if names.name_of(self.name, api_id) != "GetImageSample":
            return Reply(NOT_IMPLEMENTED)
        return Reply(OK, "", photo.simulated(*self._body.pose))


class ObstaclesAvoid(_Small):
    """Avoiding obstacles; there are none here. Its Move walks as the sport service's does once it has been allowed."""

    name = names.OBSTACLES_AVOID
    version = "1.0.0.2"

    def __init__(self, body: Go2Body) -> None:
        self._body = body
        self.on = False
        self._from_api = False

    def _answer(self, api_id: int, values: Mapping[str, Any]) -> Reply:
        match names.name_of(self.name, api_id):
            case "SwitchSet":
                self.on = flag(values, "enable")
                return Reply(OK)
            case "SwitchGet":
                return reply(enable=self.on)
            case "UseRemoteCommandFromApi":
                self._from_api = flag(values, "is_remote_commands_from_api")
                return Reply(OK)
            case "Move":
                wire = {"x": number(values, "x"), "y": number(values, "y"), "z": number(values, "yaw")}
                return Reply(self._body.call(names.MOVE, wire, lambda: self._from_api and self.on) and OK)
        return Reply(NOT_IMPLEMENTED)


class RobotStates(_Small):
    """Which services run; switching them is not simulated."""

    name = names.ROBOT_STATE

    def __init__(self, services: Callable[[], list[str]]) -> None:
        self._services = services

    def _answer(self, api_id: int, values: Mapping[str, Any]) -> Reply:
        if names.name_of(self.name, api_id) != "ServiceList":
            return Reply(NOT_IMPLEMENTED)
        return Reply(OK, json.dumps([{"name": name, "status": 1, "protect": True} for name in self._services()]))


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value
