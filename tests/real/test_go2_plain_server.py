"""The same adapter against a server built from the SDK alone, so that our simulator is not the only witness."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from claudiad.robot.base import Status
from claudiad.robot.go2 import adapter, codes
from claudiad.types import Posture
from tests.real.domains import free_domain
from tests.real.go2_rig import LONG_S, act, rig, sequence, statuses, texts, until
from tests.real.go2sim_process import ROOT

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("requires_sdk")]

STAND_UP, BALANCE_STAND, STOP_MOVE, SIT, MOVE, HELLO = 1004, 1002, 1003, 1009, 1008, 1016

Line = dict[str, Any]


class PlainServer:
    """`plain_server.py` and its lines."""

    def __init__(self, *options: str) -> None:
        self.domain = free_domain()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.real.plain_server", str(self.domain), *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: list[Line] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(lambda line: line.get("event") == "ready")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            with self._changed:
                self._lines.append(json.loads(text))
                self._changed.notify_all()

    def wait_for(self, wanted: Callable[[Line], object], seconds: float = LONG_S) -> Line:
        """The first line that is wanted, now or later; fails with all of them when there is none."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while (found := next(filter(wanted, self._lines), None)) is None:
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    pytest.fail(f"never logged; its lines: {self._lines[-20:]}")
            return found

    def calls(self, service: str = "sport") -> list[Line]:
        """The requests it got so far."""
        with self._changed:
            return [line for line in self._lines if line.get("service") == service]

    def ids(self) -> list[int]:
        """Those of the sport service, a burst of one id as one."""
        return [int(text) for text in sequence(str(line["api_id"]) for line in self.calls())]

    def end(self) -> Line:
        """Let it end; its last line, with the pose in truth."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.wait_for(lambda line: line.get("event") == "end")

    def __enter__(self) -> PlainServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


async def test_calls_arrive_as_the_sdk_sends_them(tmp_path: Path) -> None:
    """The SDK's server finds its handlers by our ids and reads our JSON; the start sends nothing; 3203 is said."""
    with PlainServer("--avoid") as server:
        async with rig(server.domain, tmp_path) as r:
            state = r.robot.state()
            assert (state.posture, state.battery) == (Posture.LYING, 77)
            assert (server.calls(), r.witness.heard) == ([], [])

            results = await r.run(act("StandUp"), act("Hello"), act("move", x=0.4), act("move", yaw=-0.5), act("Sit"))
            assert statuses(results) == ["done"] * 5, texts(results)
            assert texts(results) == ""
            assert server.ids() == [STAND_UP, BALANCE_STAND, HELLO, MOVE, STOP_MOVE, MOVE, STOP_MOVE, SIT]
            for call in server.calls():
                wire = json.loads(call["parameter"])
                if call["api_id"] == MOVE:
                    assert list(wire) == ["x", "y", "z"]
                    assert all(isinstance(value, float) and math.isfinite(value) for value in wire.values())
                else:
                    assert wire == {}
            avoid = [json.loads(call["parameter"]) for call in server.calls("obstacles_avoid")]
            assert avoid == [{"enable": True}, {"enable": True}]

            (unknown,) = await r.run(act("Content"))
            assert (unknown.status, unknown.outcome.text) == (Status.REFUSED, codes.outcome(3203).text)
        end = server.end()
        assert math.hypot(end["x"] - 0.4, end["y"]) <= 0.05
        assert abs(end["yaw"] + 0.5) <= math.radians(5)


async def test_without_obstacle_avoidance_it_is_slow_and_says_so(tmp_path: Path) -> None:
    """No such service: at most 0.2 m/s, never backwards, and the person is told (docs/safety.md, 6)."""
    with PlainServer() as server:
        async with rig(server.domain, tmp_path) as r:
            results = await r.run(act("StandUp"), act("move", x=0.3))
            assert statuses(results) == ["done", "done"], texts(results)
            assert results[1].outcome.text == adapter.SLOWLY
            moves = [json.loads(call["parameter"]) for call in server.calls() if call["api_id"] == MOVE]
            assert max(math.hypot(v["x"], v["y"]) for v in moves) == pytest.approx(0.2)
            before = len(r.witness.heard)
            (back,) = await r.run(act("move", x=-0.3))
            assert (back.status, back.outcome.text) == (Status.REFUSED, adapter.NO_WAY_BACK)
            assert r.witness.heard[before:] == []


async def test_a_stop_behind_a_slow_action_is_repeated_until_it_is_answered(tmp_path: Path) -> None:
    """The SDK's server takes one request at a time: the lane goes on sending, and reports the answer it got."""
    with PlainServer("--slow", "4") as server:
        async with rig(server.domain, tmp_path, patience_s=LONG_S) as r:
            assert statuses(await r.run(act("StandUp"))) == ["done"]
            task = r.begin(act("Hello"), act("Sit"))
            await until(lambda: HELLO in r.witness.ids(), "Hello on the wire")
            await asyncio.to_thread(server.wait_for, lambda line: line.get("api_id") == HELLO)
            stopping = asyncio.ensure_future(r.dispatcher.stop("asked"))
            await until(lambda: r.witness.ids().count(STOP_MOVE) >= 3, "a stop that is repeated")
            # All of them wait behind Hello: it has heard none, and nobody says that it has stopped.
            assert STOP_MOVE not in server.ids()
            assert not stopping.done()
            assert r.lane.unconfirmed
            report = await stopping
            assert report.acknowledged
            assert report.attempts >= 3
            assert statuses(await task) == ["interrupted", "interrupted"]
            assert server.ids()[-2:] == [HELLO, STOP_MOVE]
            assert r.witness.ids()[-1] == STOP_MOVE


async def test_a_move_can_be_stopped(tmp_path: Path) -> None:
    """StopMove is the last thing that arrives, and it stands still."""
    with PlainServer("--avoid") as server:
        async with rig(server.domain, tmp_path) as r:
            assert statuses(await r.run(act("StandUp"))) == ["done"]
            task = r.begin(act("move", x=3.0))
            await asyncio.to_thread(server.wait_for, lambda line: line.get("api_id") == MOVE)
            assert (await r.dispatcher.stop("asked")).acknowledged
            assert statuses(await task) == ["interrupted"]
            assert server.ids()[-1] == STOP_MOVE
            await until(lambda: r.robot.state().running is None, "that it stands still")
            assert r.witness.ids()[-1] == STOP_MOVE
