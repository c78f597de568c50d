"""The robot's services without a network: a parameter in, a reply out."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.go2sim import names
from claudiad.go2sim.services import (
    BadParameterError,
    MotionSwitcher,
    ObstaclesAvoid,
    RobotStates,
    Service,
    Videohub,
    Vui,
    decode,
)
from claudiad.go2sim.sport import SportService
from claudiad.robot import registry
from claudiad.robot.simulator import Go2Body
from claudiad.types import Posture
from tests.robot.fakes import HandClock

OK, NOT_IMPLEMENTED, BAD_PARAMETER, NOT_INITIALISED, BAD_POSTURE = 0, 3203, 3204, 4205, 4206
STOP, STAND, MOVE, HELLO = 1003, 1004, 1008, 1016


class Robot:
    """The services of one robot, on a clock moved by hand."""

    def __init__(self, posture: Posture = Posture.STANDING, *, legacy: bool = False) -> None:
        self.clock = HandClock()
        self.body = Go2Body(self.clock.now, posture=posture, legacy=legacy)
        self.switcher = MotionSwitcher()
        self.sport = SportService(self.body, self.switcher, legacy=legacy)

    def ask(self, api_id: int, parameter: str = "{}") -> int:
        return self.sport.handle(api_id, parameter, self.clock.t).code


def ask(service: Service, api_id: int, **values: object) -> tuple[int, object]:
    reply = service.handle(api_id, json.dumps(values), 0.0)
    return reply.code, json.loads(reply.data) if reply.data else None


@pytest.mark.parametrize(
    "parameter",
    [
        "x",
        "[]",
        "1",
        "null",
        '{"x": NaN, "y": 0, "z": 0}',
        '{"x": Infinity, "y": 0, "z": 0}',
        '{"x": -Infinity, "y": 0, "z": 0}',
        '{"x": 1e999, "y": 0, "z": 0}',
        '{"x": 0.1, "y": 0}',
        '{"x": "0.1", "y": 0, "z": 0}',
        '{"x": true, "y": 0, "z": 0}',
        '{"x": null, "y": 0, "z": 0}',
        '{"x": {"x": NaN}, "y": 0, "z": 0}',
        "[" * 100_000,
    ],
)
def test_a_bad_parameter_is_3204_and_moves_nothing(parameter: str) -> None:
    """No JSON, no object, no number, not finite: the body never hears of it."""
    robot = Robot()
    assert robot.ask(MOVE, parameter) == BAD_PARAMETER
    assert robot.body.calls == []


@given(st.text())
def test_whatever_is_asked_is_answered(parameter: str) -> None:
    """No text brings a service down, and Move takes none that is not three numbers."""
    robot = Robot()
    for service in (robot.sport, robot.switcher, Vui(), Videohub(robot.body), ObstaclesAvoid(robot.body)):
        for api_id in (MOVE, 1001, 1002, 1003, 1007):
            assert isinstance(service.handle(api_id, parameter, 0.0).code, int)
    assert all(math.isfinite(value) for call in robot.body.calls for value in call.params.values())


def test_an_empty_parameter_is_an_empty_object() -> None:
    """The SDK asks for a picture with no parameter at all."""
    assert decode("") == decode(" {} ") == {}
    with pytest.raises(BadParameterError):
        decode("''")


def test_sport_answers_what_the_body_does() -> None:
    """Accepted, wrong posture, unknown id."""
    robot = Robot(Posture.LYING)
    assert robot.ask(HELLO) == BAD_POSTURE
    assert robot.ask(STAND) == OK
    robot.clock.t = 2.0
    assert robot.ask(HELLO) == OK
    assert robot.ask(4711) == NOT_IMPLEMENTED
    assert [call.name for call in robot.body.calls] == ["Hello", "StandUp", "Hello"]


def test_every_action_takes_the_parameters_of_the_table() -> None:
    """With what the table allows each is accepted by its id, without it a parameter that matters is missed."""
    for spec in registry.load().values():
        if spec.service != "sport" or spec.legacy:
            continue
        values = {key: param.default for key, param in spec.params.items()}
        if spec.name == registry.MOVE:
            values = {"x": 0.1, "y": 0.0, "z": 0.0}
        posture = Posture.STANDING if Posture.STANDING in spec.needs else Posture.LYING
        assert Robot(posture).ask(spec.api_id, json.dumps(values)) == OK, spec.name
        assert Robot(posture).ask(spec.api_id) == (BAD_PARAMETER if values else OK), spec.name


def test_an_integer_keeps_to_its_range() -> None:
    """SpeedLevel knows -1, 0 and 1."""
    robot = Robot()
    speed = registry.load()["SpeedLevel"].api_id
    assert [robot.ask(speed, f'{{"data": {level}}}') for level in (-2, 2)] == [BAD_PARAMETER] * 2
    assert robot.ask(speed, '{"data": -1}') == OK


@pytest.mark.parametrize(("legacy", "code"), [(True, OK), (False, NOT_IMPLEMENTED)])
def test_old_actions_are_for_old_firmware(legacy: bool, code: int) -> None:
    """WiggleHips was taken out in July 2025."""
    assert Robot(legacy=legacy).ask(registry.load()["WiggleHips"].api_id) == code


def test_the_settings_of_the_sport_service() -> None:
    """They are answered as the SDK's client expects, and are no calls of the body."""
    robot = Robot()
    assert ask(robot.sport, names.AUTO_RECOVERY_GET) == (OK, {"data": True})
    assert ask(robot.sport, names.AUTO_RECOVERY_SET, data=False) == (OK, None)
    assert ask(robot.sport, names.AUTO_RECOVERY_GET) == (OK, {"data": False})
    assert ask(robot.sport, names.SWITCH_JOYSTICK, data=True) == (OK, None)
    assert ask(robot.sport, names.SWITCH_JOYSTICK, data=2) == (BAD_PARAMETER, None)
    assert ask(robot.sport, names.SWITCH_AVOID_MODE) == (OK, None)
    assert robot.body.calls == []


def test_when_it_stood_up_is_remembered() -> None:
    """Only a StandUp that was accepted counts."""
    robot = Robot()
    robot.ask(HELLO)
    robot.clock.t = 1.0
    assert robot.ask(STAND) == BAD_POSTURE
    assert robot.sport.stood_up_at == -math.inf
    robot.clock.t = 5.0
    assert robot.ask(STAND) == OK
    assert robot.sport.stood_up_at == 5.0


def test_which_calls_last() -> None:
    """Actions take time; stop, Move, settings and what is unknown do not."""
    sport = Robot().sport
    lasting = [api for api in (HELLO, STAND, STOP, MOVE, names.AUTO_RECOVERY_GET, 4711) if sport.lasts(api)]
    assert lasting == [HELLO, STAND]


def test_a_released_robot_does_nothing() -> None:
    """motion_switcher says which program moves it; after ReleaseMode there is none until one is selected."""
    robot = Robot()
    assert ask(robot.switcher, 1001) == (OK, {"form": "0", "name": "normal"})
    assert ask(robot.switcher, 1003) == (OK, None)
    assert ask(robot.switcher, 1001) == (OK, {"form": "0", "name": ""})
    assert robot.ask(HELLO) == NOT_INITIALISED
    assert ask(robot.switcher, 1002, name="waltz") == (7004, None)
    assert ask(robot.switcher, 1002, name=["normal"]) == (7004, None)
    assert ask(robot.switcher, 1002, name="normal") == (OK, None)
    assert robot.ask(HELLO) == OK
    assert ask(robot.switcher, 1004) == (NOT_IMPLEMENTED, None)


@pytest.mark.parametrize(("first", "key", "value"), [(1001, "enable", 0), (1003, "volume", 9), (1005, "brightness", 0)])
def test_volume_and_light(first: int, key: str, value: int) -> None:
    """What was set is what is got; out of range is refused and changes nothing."""
    vui = Vui()
    assert ask(vui, first, **{key: value}) == (OK, None)
    assert ask(vui, first, **{key: 11}) == (BAD_PARAMETER, None)
    assert ask(vui, first) == (BAD_PARAMETER, None)
    assert ask(vui, first + 1) == (OK, {key: value})
    assert ask(vui, 1007) == (NOT_IMPLEMENTED, None)


def test_the_camera_sees_where_it_is() -> None:
    """A JPEG, with the true pose in it."""
    robot = Robot()
    robot.ask(MOVE, '{"x": 0.5, "y": 0, "z": 0}')
    robot.clock.t = 1.0
    reply = Videohub(robot.body).handle(1001, "", 0.0)
    assert reply.code == OK
    assert reply.binary.startswith(b"\xff\xd8")
    assert b"x=0.500" in reply.binary
    assert Videohub(robot.body).handle(1002, "", 0.0).code == NOT_IMPLEMENTED


def test_avoiding_obstacles() -> None:
    """It can be switched, and its Move moves once the SDK has asked to command it."""
    robot = Robot()
    avoid = ObstaclesAvoid(robot.body)
    assert ask(avoid, 1002) == (OK, {"enable": False})
    assert ask(avoid, 1001, enable=True) == (OK, None)
    assert ask(avoid, 1001) == (BAD_PARAMETER, None)
    assert ask(avoid, 1002) == (OK, {"enable": True})
    assert ask(avoid, 1003, x=0.3, y=0.0, yaw=0.0, mode=0) == (OK, None)
    assert robot.body.calls == []
    assert ask(avoid, 1004, is_remote_commands_from_api=True) == (OK, None)
    assert ask(avoid, 1003, x=0.3, y=0.0, yaw=0.1, mode=0) == (OK, None)
    assert [dict(call.params) for call in robot.body.calls] == [{"x": 0.3, "y": 0.0, "z": 0.1}]
    assert ask(avoid, 1003, x=0.3) == (BAD_PARAMETER, None)
    assert ask(avoid, 1005) == (NOT_IMPLEMENTED, None)


def test_the_list_of_services() -> None:
    """As RobotStateClient reads it."""
    service = RobotStates(lambda: ["sport", "vui"])
    code, services = ask(service, 1003)
    assert code == OK
    assert isinstance(services, list)
    assert [each["name"] for each in services] == ["sport", "vui"]
    assert {"status", "protect"} <= set(services[0])
    assert ask(service, 1001) == (NOT_IMPLEMENTED, None)


def test_names_are_those_of_the_sdk() -> None:
    """Every service has its own; an unknown id is its number."""
    assert names.name_of("sport", 1003) == "StopMove"
    assert names.name_of("videohub", 1001) == "GetImageSample"
    assert names.name_of("motion_switcher", 1002) == "SelectMode"
    assert names.name_of("sport", 9) == "9"
    assert names.find("vui/setvolume") == ("vui", 1003)
