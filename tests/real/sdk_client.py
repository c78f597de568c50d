"""The unmodified SDK in a process of its own: one JSON line in, one out.

In: [client, method, arguments…], client being `sport`, `video`, `vui`, `obstacles_avoid`, `robot_state` or
`motion_switcher` (which this SDK has no class for). The method `raw` takes an api id and a parameter as text.
Out: {"result": …, "s": seconds it took}. Started with the number of the DDS domain and the timeout of a call, seconds.
"""

from __future__ import annotations

import json
import sys
import time
import types
from typing import Any

sys.modules.setdefault("unitree_sdk2py.b2", types.ModuleType("b2"))  # missing from 1.0.1 on PyPI

from unitree_sdk2py.core.channel import ChannelFactoryInitialize, ChannelSubscriber  # noqa: E402
from unitree_sdk2py.go2.obstacles_avoid.obstacles_avoid_client import ObstaclesAvoidClient  # noqa: E402
from unitree_sdk2py.go2.robot_state.robot_state_client import RobotStateClient  # noqa: E402
from unitree_sdk2py.go2.sport.sport_client import SportClient  # noqa: E402
from unitree_sdk2py.go2.video.video_client import VideoClient  # noqa: E402
from unitree_sdk2py.go2.vui.vui_client import VuiClient  # noqa: E402
from unitree_sdk2py.idl.unitree_go.msg.dds_ import LowState_, SportModeState_  # noqa: E402
from unitree_sdk2py.rpc.client import Client  # noqa: E402


class MotionSwitcherClient(Client):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__("motion_switcher", False)

    def Init(self) -> None:  # noqa: N802
        self._SetApiVerson("1.0.0.1")


KINDS: dict[str, Any] = {
    "sport": SportClient,
    "video": VideoClient,
    "vui": VuiClient,
    "obstacles_avoid": ObstaclesAvoidClient,
    "robot_state": RobotStateClient,
    "motion_switcher": MotionSwitcherClient,
}


class Sdk:
    def __init__(self, domain: int, timeout_s: float) -> None:
        ChannelFactoryInitialize(domain, "lo")
        self._timeout_s = timeout_s
        self._clients: dict[str, Any] = {}
        self._sport: Any = None
        self._low: Any = None
        self._count = 0
        self._subscribers = [
            ChannelSubscriber("rt/sportmodestate", SportModeState_),
            ChannelSubscriber("rt/lf/lowstate", LowState_),
        ]
        self._subscribers[0].Init(self._on_sport, 10)
        self._subscribers[1].Init(self._on_low, 10)

    def _on_sport(self, message: Any) -> None:
        self._sport = message
        self._count += 1

    def _on_low(self, message: Any) -> None:
        self._low = message

    def state(self) -> dict[str, Any]:
        """What the robot said of itself last."""
        sport, low = self._sport, self._low
        return {
            "count": self._count,
            "error_code": sport and sport.error_code,
            "mode": sport and sport.mode,
            "position": sport and list(sport.position),
            "velocity": sport and list(sport.velocity),
            "yaw": sport and sport.imu_state.rpy[2],
            "height": sport and sport.body_height,
            "stamp": sport and sport.stamp.sec,
            "soc": low and low.bms_state.soc,
        }

    def client(self, name: str) -> Any:
        if name not in self._clients:
            client = KINDS[name]()
            client.SetTimeout(self._timeout_s)
            client.Init()
            self._clients[name] = client
        return self._clients[name]

    def do(self, name: str, method: str, arguments: list[Any]) -> Any:
        if name == "state":
            return self.state()
        client = self.client(name)
        if method == "init":
            return 0
        if method == "raw":
            client._RegistApi(arguments[0], 0)
            return client._Call(*arguments)
        return getattr(client, method)(*arguments)


def main() -> None:
    sdk = Sdk(int(sys.argv[1]), float(sys.argv[2]))
    for line in sys.stdin:
        name, method, *arguments = json.loads(line)
        began = time.monotonic()
        result = sdk.do(name, method, arguments)
        took = time.monotonic() - began
        # The SDK prints to standard output too: what is ours begins like this.
        print("> " + json.dumps({"result": result, "s": took}, default=vars), flush=True)


if __name__ == "__main__":
    main()
