"""A robot made of nothing but the official SDK: its RPC server, its channels, and a body of a few lines.

`python -m tests.real.plain_server DOMAIN [--slow SECONDS] [--avoid]` prints a JSON line per request and ends when
standard input does. `--slow`: Hello is answered when it is over, after so long; the SDK's server handles one request
after the other, so all others wait for it. `--avoid`: there is a service obstacles_avoid.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any

# unitree-sdk2 1.0.1 imports a subpackage that it does not contain (docs/facts.md).
sys.modules.setdefault("unitree_sdk2py.b2", types.ModuleType("unitree_sdk2py.b2"))

LINES = sys.stdout
sys.stdout = sys.stderr  # the SDK prints

STAND_UP, BALANCE_STAND, STOP_MOVE, SIT, MOVE, HELLO = 1004, 1002, 1003, 1009, 1008, 1016
BALANCE, LOCKED, TRICK, SITTING, LYING, WALK = 1013, 1002, 1006, 1007, 2006, 1015
HELLO_S, HOLD_S, PERIOD_S = 0.5, 1.0, 0.02


def say(**fields: Any) -> None:
    """One line."""
    LINES.write(json.dumps(fields) + "\n")
    LINES.flush()


class Body:
    """Where it is and what it does."""

    def __init__(self, slow_s: float) -> None:
        self._lock = threading.Lock()
        self._slow_s = slow_s
        self._trick_until = 0.0
        self._over = threading.Event()
        self.machine = LYING
        self.x = self.y = self.yaw = 0.0
        self.velocity = (0.0, 0.0, 0.0)
        self._held_until = 0.0

    def handler(self, service: str, api_id: int) -> Callable[[str], tuple[int, str]]:
        """As the SDK's server wants it: parameter in, code and data out."""

        def handle(parameter: str) -> tuple[int, str]:
            say(service=service, api_id=api_id, parameter=parameter)
            if service == "sport":
                self._do(api_id, parameter)
            return 0, ""

        return handle

    def _do(self, api_id: int, parameter: str) -> None:
        now = time.monotonic()
        with self._lock:
            if api_id in (STAND_UP, BALANCE_STAND, SIT):
                self.machine = {STAND_UP: LOCKED, BALANCE_STAND: BALANCE, SIT: SITTING}[api_id]
            elif api_id == HELLO:
                self.machine, self._trick_until = TRICK, now + (self._slow_s or HELLO_S)
            elif api_id == STOP_MOVE:
                self.velocity = (0.0, 0.0, 0.0)
            elif api_id == MOVE and self.machine in (BALANCE, WALK):
                wanted = json.loads(parameter)
                self.velocity = (wanted["x"], wanted["y"], wanted["z"])
                self._held_until = now + HOLD_S
        if api_id == HELLO and self._slow_s:
            self._over.wait(self._slow_s)

    def advance(self, seconds: float) -> None:
        """Move on."""
        now = time.monotonic()
        with self._lock:
            if now > self._held_until:
                self.velocity = (0.0, 0.0, 0.0)
            ahead, left, turn = self.velocity
            self.x += (ahead * math.cos(self.yaw) - left * math.sin(self.yaw)) * seconds
            self.y += (ahead * math.sin(self.yaw) + left * math.cos(self.yaw)) * seconds
            self.yaw += turn * seconds
            if self.machine == TRICK and now > self._trick_until:
                self.machine = BALANCE
            if self.machine in (BALANCE, WALK):
                self.machine = WALK if any(self.velocity) else BALANCE


def serve(name: str, ids: tuple[int, ...], body: Body) -> Any:
    """The SDK's own server."""
    from unitree_sdk2py.rpc.server import Server

    server = Server(name)
    server._SetApiVersion("1.0.0.1")
    for api_id in ids:
        server._RegistHandler(api_id, body.handler(name, api_id), False)
    server.Start(False)
    return server


def main() -> None:
    """Run until standard input ends."""
    p = argparse.ArgumentParser()
    p.add_argument("domain", type=int)
    p.add_argument("--slow", type=float, default=0.0)
    p.add_argument("--avoid", action="store_true")
    args = p.parse_args()

    from unitree_sdk2py.core.channel import ChannelFactoryInitialize, ChannelPublisher
    from unitree_sdk2py.idl.default import unitree_go_msg_dds__LowState_, unitree_go_msg_dds__SportModeState_
    from unitree_sdk2py.idl.unitree_go.msg.dds_ import LowState_, SportModeState_

    ChannelFactoryInitialize(args.domain, "lo")
    body = Body(args.slow)
    servers = [serve("sport", (STAND_UP, BALANCE_STAND, STOP_MOVE, SIT, MOVE, HELLO), body)]
    if args.avoid:
        servers.append(serve("obstacles_avoid", (1001,), body))
    sport, low = ChannelPublisher("rt/sportmodestate", SportModeState_), ChannelPublisher("rt/lf/lowstate", LowState_)
    sport.Init()
    low.Init()
    over = threading.Event()

    def publish() -> None:
        state, charge = unitree_go_msg_dds__SportModeState_(), unitree_go_msg_dds__LowState_()
        charge.bms_state.soc = 77
        before = time.monotonic()
        while not over.wait(PERIOD_S):
            now = time.monotonic()
            body.advance(now - before)
            before = now
            state.error_code = body.machine
            state.position = [body.x, body.y, 0.3]
            state.velocity = [*body.velocity[:2], 0.0]
            state.yaw_speed = body.velocity[2]
            state.imu_state.rpy = [0.0, 0.0, body.yaw]
            sport.Write(state)
            low.Write(charge)

    publisher = threading.Thread(target=publish)
    publisher.start()
    say(event="ready")
    sys.stdin.read()
    over.set()
    publisher.join()
    say(event="end", x=body.x, y=body.y, yaw=body.yaw, servers=len(servers))


if __name__ == "__main__":
    main()
