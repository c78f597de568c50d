"""`claudiad-go2sim` as a process, and the unmodified SDK in another."""

from __future__ import annotations

import contextlib
import json
import math
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from tests.real.domains import free_domain
from tests.real.go2sim_process import ROOT, Go2Sim

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("requires_sdk")]

OK, NOT_SENT, TIMEOUT, NOT_IMPLEMENTED, BAD_PARAMETER, NOT_IN_TIME, BAD_POSTURE = 0, 3102, 3104, 3203, 3204, 4201, 4206
CLIENT = Path(__file__).parent / "sdk_client.py"


class Sdk:
    """The SDK's clients in a process of their own."""

    def __init__(self, domain: int, timeout_s: float = 10.0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(CLIENT), str(domain), str(timeout_s)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answers: Queue[dict[str, Any] | None] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.took_s = math.nan
        """How long the last call took."""

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("> "):
                self._answers.put(json.loads(line[2:]))
        self._answers.put(None)

    def ask(self, client: str, method: str, *arguments: object) -> Any:
        """Call a method of a client; what it returns."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([client, method, *arguments]) + "\n")
        self.process.stdin.flush()
        answer = self._answers.get(timeout=60.0)
        assert answer is not None, "the SDK's process ended"
        self.took_s = answer["s"]
        return answer["result"]

    def sport(self, method: str, *arguments: object) -> Any:
        return self.ask("sport", method, *arguments)

    def state(self, wanted: Callable[[dict[str, Any]], object], seconds: float = 15.0) -> dict[str, Any]:
        """The robot's state once it is as wanted; fails when it does not become so."""
        deadline = time.monotonic() + seconds
        while True:
            seen = self.ask("state", "")
            if seen["count"] and seen["soc"] is not None and wanted(seen):
                assert isinstance(seen, dict)
                return seen
            if time.monotonic() > deadline:
                pytest.fail(f"the state never became what was waited for; it is {seen}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@contextlib.contextmanager
def robot(*arguments: str, timeout_s: float = 10.0) -> Iterator[tuple[Go2Sim, Sdk]]:
    """A simulated robot and an SDK that has heard of it."""
    with Go2Sim(*arguments) as sim, contextlib.closing(Sdk(sim.domain, timeout_s)) as sdk:
        sdk.sport("init")
        sdk.state(lambda seen: seen["error_code"] or seen["mode"])
        yield sim, sdk


@contextlib.contextmanager
def second_client(sim: Go2Sim, timeout_s: float) -> Iterator[Callable[[str], Future[Any]]]:
    """Another process that can be told to do something; the code is in the future."""
    with contextlib.closing(Sdk(sim.domain, timeout_s)) as other, ThreadPoolExecutor(1) as pool:
        other.sport("init")
        yield lambda method: pool.submit(other.sport, method)


def test_hello() -> None:
    """Answered 0; the state shows a social trick, and then balance again; the log has the call."""
    with robot() as (sim, sdk):
        sdk.state(lambda seen: seen["error_code"] == 1013)
        assert sdk.sport("Hello") == OK
        sdk.state(lambda seen: seen["error_code"] == 1006)
        sdk.state(lambda seen: seen["error_code"] == 1013)
        call = sim.calls()[-1]
        assert (call["service"], call["api_id"], call["name"], call["params"]) == ("sport", 1016, "Hello", {})
        assert (call["code"], call["done"], call["noreply"]) == (OK, True, False)
        assert sim.ready["t"] < call["t"] < time.monotonic()
        assert [event["machine"] for event in sim.events("state")] == [1013, 1006, 1013]


def test_what_it_answers_to_what_it_cannot_do() -> None:
    """Unknown id, NaN, wrong posture, no JSON; none of it moves the robot."""
    with robot("--posture", "lying") as (sim, sdk):
        assert sdk.sport("raw", 4711, "{}") == [NOT_IMPLEMENTED, ""]
        assert sdk.sport("raw", 1033, "{}") == [NOT_IMPLEMENTED, ""]
        assert sdk.sport("raw", 1008, '{"x": NaN, "y": 0, "z": 0}') == [BAD_PARAMETER, ""]
        assert sdk.sport("raw", 1016, "hello") == [BAD_PARAMETER, ""]
        assert sdk.sport("Hello") == BAD_POSTURE
        status = sim.status()
        assert (status["posture"], status["machine"], status["pose"]) == ("lying", 2006, [0.0, 0.0, 0.0])


def test_walking() -> None:
    """Move, which the SDK does not wait for, moves odometry, and the SDK's NaN does not."""
    with robot("--slip", "0.25", "--drift", "0.1") as (sim, sdk):
        assert sdk.sport("Move", math.nan, 0.0, 0.0) == OK
        assert sim.wait_call("Move")["code"] == BAD_PARAMETER
        assert sdk.sport("Move", 0.4, 0.0, 0.0) == OK
        moving = sdk.state(lambda seen: seen["velocity"][0] > 0)
        assert moving["error_code"] == 1015
        assert moving["velocity"][0] == pytest.approx(0.3)
        still = sdk.state(lambda seen: seen["velocity"][0] == 0)
        assert still["position"][0] == pytest.approx(0.33, abs=1e-3)
        assert sim.status()["pose"][0] == pytest.approx(0.3, abs=1e-3)
        call = sim.calls("Move")[-1]
        assert (call["noreply"], call["params"]) == (True, {"x": 0.4, "y": 0.0, "z": 0.0})


def test_stand_up_locks_the_joints() -> None:
    """1002 after StandUp, and Move is ignored, until BalanceStand."""
    with robot("--posture", "lying", "--unlock", "60", "--battery", "42") as (sim, sdk):
        assert sdk.sport("StandUp") == OK
        assert sdk.state(lambda seen: seen["error_code"] == 1002)["soc"] == 42
        sdk.sport("Move", 0.4, 0.0, 0.0)
        sim.wait_call("Move")
        assert sim.status()["running"] is None
        assert sdk.sport("BalanceStand") == OK
        sdk.state(lambda seen: seen["error_code"] == 1013)
        sdk.sport("Move", 0.4, 0.0, 0.0)
        sdk.state(lambda seen: seen["position"][0] > 0.1)


@pytest.mark.parametrize("arguments", [(), ("--reply-at", "end")])
def test_a_stop_is_answered_while_it_dances(arguments: tuple[str, ...]) -> None:
    """Also where answers come at the end of an action, and another client waits for one: it gets 4201 then."""
    with robot(*arguments) as (sim, sdk), second_client(sim, 20.0) as other:
        dancing = other("Dance1")
        sdk.state(lambda seen: seen["error_code"] == 1006)
        assert sdk.sport("StopMove") == OK
        assert sdk.took_s < 5.0, "it waited for the dance"
        assert dancing.result(20.0) == (NOT_IN_TIME if arguments else OK)
        sdk.state(lambda seen: seen["error_code"] == 1013)
        stop, dance_call = sim.calls("StopMove")[0], sim.calls("Dance1")[0]
        assert stop["t"] - dance_call["t"] < 8.0


def test_serial_makes_a_stop_wait() -> None:
    """One request at a time, answered at its end: a stop behind a hello is not answered in time, and is still done."""
    with robot("--serial", "--reply-at", "end", timeout_s=0.5) as (sim, sdk), second_client(sim, 20.0) as other:
        waving = other("Hello")
        sdk.state(lambda seen: seen["error_code"] == 1006)
        assert sdk.sport("StopMove") == TIMEOUT
        assert waving.result(20.0) == OK
        stop = sim.wait_call("StopMove")
        assert stop["code"] == OK
        assert stop["t"] - sim.calls("Hello")[0]["t"] < 3.0, "t is when it arrived, not when its turn came"


def test_the_other_services() -> None:
    """Motion switcher, voice and light, camera, obstacles, the list of services: as the SDK's clients read them."""
    with robot() as (sim, sdk):
        code, data = sdk.ask("motion_switcher", "raw", 1001, "{}")
        assert (code, json.loads(data)) == (OK, {"form": "0", "name": "normal"})
        assert sdk.ask("vui", "SetVolume", 7) == OK
        assert sdk.ask("vui", "GetVolume") == [OK, 7]
        code, jpeg = sdk.ask("video", "GetImageSample")
        assert code == OK
        assert bytes(jpeg[:2]) + bytes(jpeg[-2:]) == b"\xff\xd8\xff\xd9"
        assert sdk.ask("obstacles_avoid", "SwitchSet", True) == OK
        assert sdk.ask("obstacles_avoid", "SwitchGet") == [OK, True]
        assert sdk.ask("obstacles_avoid", "GetServerApiVersion") == [OK, "1.0.0.2"]
        code, services = sdk.ask("robot_state", "ServiceList")
        assert code == OK
        assert [service["name"] for service in services] == sim.ready["services"]


def test_without_the_service_that_avoids_obstacles() -> None:
    """Nobody answers there, as on a robot that has none."""
    with robot("--no-avoid", timeout_s=0.5) as (sim, sdk):
        assert "obstacles_avoid" not in sim.ready["services"]
        assert sdk.ask("obstacles_avoid", "SwitchGet")[0] == NOT_SENT


def test_old_firmware() -> None:
    """`error_code` is 0 and `mode` tells the state; WiggleHips is known."""
    with robot("--firmware", "old", "--posture", "sitting") as (_, sdk):
        seen = sdk.state(lambda seen: seen["mode"] == 10)
        assert seen["error_code"] == 0
        assert sdk.sport("RiseSit") == OK
        sdk.state(lambda seen: seen["mode"] == 1)
        assert sdk.sport("raw", 1033, "{}") == [OK, ""]


def test_faults_while_it_runs() -> None:
    """Typed in, they hold; cleared, they do not; and one in no form is said to be wrong without ending anything."""
    with robot(timeout_s=0.5) as (sim, sdk):
        sim.fault("unknown:Hello")
        assert sdk.sport("Hello") == TIMEOUT
        sdk.state(lambda seen: seen["error_code"] == 1006)
        sim.fault("deaf-but-stop")
        assert sdk.sport("Sit") == TIMEOUT
        assert sdk.sport("StopMove") == OK
        assert [(call["name"], call["code"], call["done"]) for call in sim.calls()] == [
            ("Hello", None, True),
            ("Sit", None, False),
            ("StopMove", OK, True),
        ]
        sim.clear()
        sim.fault("battery:8")
        sdk.state(lambda seen: seen["soc"] == 8)
        sim.fault("remote:sit")
        sdk.state(lambda seen: seen["error_code"] == 1007)
        sim.fault("code:3202:RiseSitx1")
        assert [sdk.sport("RiseSit"), sdk.sport("RiseSit")] == [3202, OK]


def test_state_that_stays_away_and_comes_back() -> None:
    """Without the state topics calls are served all the same."""
    with robot() as (sim, sdk):
        sim.fault("drop-state")
        # What is still under way is there when a call that was made after the fault has been answered.
        sdk.ask("vui", "GetVolume")
        seen = sdk.ask("state", "")["count"]
        for _ in range(100):
            assert sdk.ask("vui", "GetVolume")[0] == OK
        assert sdk.sport("StopMove") == OK
        assert sdk.ask("state", "")["count"] <= seen + 1
        sim.clear()
        sdk.state(lambda now: now["count"] > seen + 1)


def test_a_fall_is_in_the_log() -> None:
    """The robot obeys: damped on its feet it falls."""
    with robot() as (sim, sdk):
        assert sdk.sport("Damp") == OK
        assert sim.wait_for(lambda line: line.get("event") == "fall", 10.0)["falls"] == 1
        sdk.state(lambda seen: seen["error_code"] == 1001)


@pytest.mark.parametrize("how", ["kill", "die"])
def test_a_robot_that_is_gone(how: str) -> None:
    """State ends, and a call is not answered."""
    with robot(timeout_s=0.5) as (sim, sdk):
        if how == "kill":
            sim.kill()
        else:
            sim.fault("die")
        assert sim.wait() != 0
        assert sdk.sport("StopMove") in (TIMEOUT, NOT_SENT)
        count = sdk.ask("state", "")["count"]
        assert sdk.sport("StopMove") in (TIMEOUT, NOT_SENT)
        assert sdk.ask("state", "")["count"] == count


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    """Exit 0, nothing on standard error but what CycloneDDS says, and a last line."""
    with Go2Sim() as sim:
        assert sim.end(number) == 0
        assert sim.lines()[0]["event"] == "start"
        assert (sim.ready["interface"], sim.ready["domain"], sim.ready["pid"]) == ("lo", sim.domain, sim.pid)
        assert [event["event"] for event in sim.events()[-2:]] == ["status", "stop"]
        assert [line for line in sim.errors if "not multicast-capable" not in line] == []


def test_it_ends_with_who_started_it() -> None:
    """With --exit-on-eof, when nothing can be typed any more."""
    with Go2Sim() as sim:
        assert sim.process.stdin is not None
        sim.process.stdin.close()
        assert sim.wait() == 0


def test_the_live_view() -> None:
    """On standard error, while the log goes on on standard output."""
    with robot("--view") as (sim, sdk):
        assert sdk.sport("Sit") == OK
        sim.wait_for(lambda line: line.get("machine") == 1007, 15.0)
        assert sim.end() == 0
        assert "last calls" in "\n".join(sim.errors)


def test_a_free_domain_is_given_once() -> None:
    """And not while somebody is on it."""
    first = free_domain()
    assert first != free_domain()
    with Go2Sim() as sim:
        assert sim.domain not in {free_domain() for _ in range(3)}
