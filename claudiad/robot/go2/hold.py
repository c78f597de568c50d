"""One process holds a real robot; the kernel lets go of it when the process ends, however it ends."""

from __future__ import annotations

import socket

from claudiad.errors import Busy


class Hold:
    """Held until `release`."""

    def __init__(self, interface: str, domain: int) -> None:
        """Raises Busy when another process of this machine holds the robot."""
        # An abstract socket: a name that is nobody's file, and gone with its process.
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(f"\0claudiad-go2-{interface}-{domain}")
        except OSError as fault:
            self._socket.close()
            raise Busy(
                f"the robot on {interface} is held by another claudiad: talk to that one (claudiactl), "
                "or stop it first; `claudiad stop-robot` works in any case"
            ) from fault

    def release(self) -> None:
        """Let another process have it."""
        self._socket.close()
