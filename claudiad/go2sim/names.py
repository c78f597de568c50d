"""Names of what the robot's services can be asked, by service and api id."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from claudiad.robot import registry

SPORT = "sport"
MOTION_SWITCHER = "motion_switcher"
VUI = "vui"
VIDEOHUB = "videohub"
OBSTACLES_AVOID = "obstacles_avoid"
ROBOT_STATE = "robot_state"

STOP_MOVE, MOVE = 1003, 1008
SWITCH_JOYSTICK, AUTO_RECOVERY_SET, AUTO_RECOVERY_GET, SWITCH_AVOID_MODE = 1027, 2054, 2055, 2058
"""Switches of the sport service: answered at once, whatever the body is doing."""


@cache
def table() -> Mapping[tuple[str, int], str]:
    """The SDK's name of each api."""
    sport = {spec.api_id: spec.name for spec in registry.load().values() if spec.service == SPORT}
    sport |= {STOP_MOVE: "StopMove", MOVE: "Move"}
    others = {
        MOTION_SWITCHER: ("CheckMode", "SelectMode", "ReleaseMode"),
        VUI: ("SetSwitch", "GetSwitch", "SetVolume", "GetVolume", "SetBrightness", "GetBrightness"),
        VIDEOHUB: ("GetImageSample",),
        OBSTACLES_AVOID: ("SwitchSet", "SwitchGet", "Move", "UseRemoteCommandFromApi"),
    }
    return MappingProxyType(
        {(SPORT, number): name for number, name in sport.items()}
        | {(service, 1001 + n): name for service, names in others.items() for n, name in enumerate(names)}
        | {(ROBOT_STATE, 1003): "ServiceList"}
    )


def name_of(service: str, api_id: int) -> str:
    """The name, or the id as text where nobody knows one."""
    return table().get((service, api_id), str(api_id))


def find(word: str) -> tuple[str, int]:
    """The api that `word` means: `[SERVICE/]NAME` or `[SERVICE/]ID`, of the sport service unless it says otherwise.

    Raises ValueError, one line, for a service or a name there is not; an id need not be known.
    """
    service, _, api = word.rpartition("/")
    service = service or SPORT
    services = sorted({known for known, _ in table()})
    if service not in services:
        raise ValueError(f"there is no service {service!r}; here are: {', '.join(services)}")
    if api.isascii() and api.isdecimal():
        return service, int(api)
    for (known, number), name in table().items():
        if known == service and name.casefold() == api.casefold():
            return service, number
    raise ValueError(f"the service {service} has no api {api!r}; an id of the SDK, such as 1016, or its name, Hello")
