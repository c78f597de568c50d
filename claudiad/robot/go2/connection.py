"""What one process has of one robot: its clients and its state. Made once and kept until the process ends.

Taking DDS entities down while the network's threads still call into them has crashed the interpreter, so nothing is
taken down: a robot that is opened again gets what is there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

from claudiad.robot.go2.link import Link
from claudiad.robot.go2.rpc import Client
from claudiad.robot.go2.watch import Watch


@dataclass(frozen=True, slots=True)
class Connection:
    """Clients of the robot's services, and what it reports."""

    sport: Client
    stopping: Client
    """The stop's own client for the same service: nothing that hangs in the other holds it up."""
    avoidance: Client
    camera: Client
    watch: Watch


@cache
def connect(interface: str, domain: int) -> Connection:
    """Join the network. Blocks for some 0.3 s the first time. Raises EngineMissing, RobotError."""
    link = Link(interface, domain)
    found = Connection(
        sport=Client(link, "sport"),
        stopping=Client(link, "sport"),
        avoidance=Client(link, "obstacles_avoid"),
        camera=Client(link, "videohub"),
        watch=Watch(time.monotonic),
    )
    found.watch.listen(link)
    return found
