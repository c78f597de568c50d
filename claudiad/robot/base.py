"""What every robot engine is to the rest of the program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from claudiad.types import Action, RobotState


class Status(StrEnum):
    """What became of one step."""

    DONE = "done"
    """The robot's state shows it."""
    INTERRUPTED = "interrupted"
    """A stop ended it, or came before it was sent."""
    REFUSED = "refused"
    """Safety or the robot itself would not."""
    UNKNOWN = "unknown"
    """Sent, and not seen to complete; it may still be going on."""
    UNREACHABLE = "unreachable"
    """There is no robot to send it to, or it does not answer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one step, and what to tell the person about it (Japanese; empty when there is nothing)."""

    status: Status
    text: str = ""


FOREIGN = "リモコンかアプリで操作されているので、わたしは動きません。"
"""What is said when somebody else moves the robot, and to whoever asks for a motion meanwhile."""


def always() -> bool:
    """The permit of a caller that nothing can overtake."""
    return True


class Robot(Protocol):
    """A robot, real or not. Engines: `sim.SimRobot`, `sim.NullRobot`, and the Go2 over DDS."""

    @property
    def name(self) -> str:
        """The engine's name in the configuration."""
        ...

    def state(self) -> RobotState:
        """The last thing the robot reported, with its age. Cheap, never blocks, from any thread."""
        ...

    @property
    def foreign(self) -> bool:
        """True while somebody else moves it (the phone app, the remote control): it is theirs until they leave it."""
        ...

    @property
    def stops_elsewhere(self) -> int:
        """StopMoves of other programs so far: what was begun here before one is over."""
        ...

    async def start(self) -> None:
        """Connect; sends no motion. Raises EngineMissing or RobotError."""
        ...

    async def close(self) -> None:
        """Disconnect; sends no motion. Stopping the robot first is the caller's part."""
        ...

    async def perform(self, action: Action, permit: Callable[[], bool] = always) -> Outcome:
        """Do one step and wait until it is completed, has failed or was interrupted. Always ends, soon when cancelled.

        `permit` is asked immediately before each thing that is sent, with nothing between the two that a stop
        could slip into, and while waiting: once it is False nothing but a stop is sent and INTERRUPTED returned.
        May raise RobotError.
        """
        ...

    def stop_now(self) -> bool:
        """Send StopMove and wait for the acknowledgement, at most a short time; True when it came.

        Blocking; called from the stop lane's own thread while `perform` is under way on another. It must share
        no lock with `perform` that is held longer than one send. May raise: the lane takes that as False.
        """
        ...
