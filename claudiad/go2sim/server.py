"""A simulated Go2 on one DDS participant: services, state, and the log."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TextIO

from claudiad.go2sim.desk import Desk, ReplyAt, Request
from claudiad.go2sim.faults import Fault
from claudiad.go2sim.journal import Journal
from claudiad.go2sim.later import Later
from claudiad.go2sim.publish import LOW_LF, PERIODS_S, SPORT, SPORT_LF, Deadlines, StateMessages
from claudiad.go2sim.services import MotionSwitcher, ObstaclesAvoid, RobotStates, Service, Videohub, Vui
from claudiad.go2sim.sport import SportService
from claudiad.robot.go2 import rpc
from claudiad.robot.go2.link import Link
from claudiad.robot.simulator import Go2Body

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How the robot's programs behave; how its body does is the body's."""

    reply_at: ReplyAt = "accept"
    serial: bool = False
    avoid: bool = True
    """Whether there is a service that avoids obstacles."""
    old_firmware: bool = False


class Go2Server:
    """On the network from construction to `close`."""

    def __init__(
        self,
        link: Link,
        body: Go2Body,
        options: Options,
        faults: Sequence[Fault],
        out: TextIO,
        *,
        die: Callable[[], None],
    ) -> None:
        """`out` gets the log. `die` is called by the fault of that name."""
        self._link = link
        self._body = body
        self.journal = Journal(out, time.monotonic)
        switcher = MotionSwitcher()
        sport = SportService(body, switcher, legacy=options.old_firmware)
        self.desk = Desk(
            body, sport, self.journal, later=Later().after, die=die, reply_at=options.reply_at, serial=options.serial
        )
        services: list[Service] = [sport, switcher, Vui(), Videohub(body)]
        if options.avoid:
            services.append(ObstaclesAvoid(body))
        services.append(RobotStates(lambda: [service.name for service in services]))
        m = link.messages
        kinds = {SPORT: m.SportModeState, SPORT_LF: m.SportModeState, LOW_LF: m.LowState}
        self._writers = {topic: link.writer(topic, kind) for topic, kind in kinds.items()}
        self._messages = StateMessages(m, old_firmware=options.old_firmware)
        self._servers = [
            rpc.Server(link, service.name, partial(self._arrived, service), service.version) for service in services
        ]
        self.journal.event(
            "start",
            interface=link.interface,
            domain=link.domain,
            pid=os.getpid(),
            posture=body.report().posture.value,
            services=[service.name for service in services],
        )
        self.desk.give(faults, time.monotonic())
        self._over = threading.Event()
        self._publisher = threading.Thread(target=self._publish, name="state", daemon=True)
        self._publisher.start()

    def close(self) -> None:
        """Off the network; the last line of the log."""
        self._over.set()
        self._publisher.join(timeout=1.0)
        self.desk.status()
        self.journal.event("stop")
        self._link.close()

    def _arrived(self, service: Service, asked: rpc.Asked) -> None:
        t = time.monotonic()
        self.desk.receive(
            Request(service, asked.api_id, asked.parameter, asked.number, asked.noreply, asked.respond, t)
        )

    def _publish(self) -> None:
        deadlines = Deadlines(PERIODS_S, time.monotonic())
        while not self._over.wait(deadlines.wait_s(time.monotonic())):
            try:
                now = time.monotonic()
                due = deadlines.due(now)
                if self.desk.tick(now):
                    self._send(due, now)
            except Exception:  # a robot that stops telling its state is a fault that has to be asked for
                _log.exception("state")

    def _send(self, due: list[str], now: float) -> None:
        seen = self._body.report()
        for topic in due:
            message = (
                self._messages.low(seen, int(now * 1000))
                if topic == LOW_LF
                else self._messages.sport(seen, time.time_ns())
            )
            self._writers[topic].write(message)
