"""What systemd is told: readiness, state, reloading, the watchdog. Without systemd every call does nothing.

Three traps are dealt with here (sdnotify 0.3.2): it swallows errors unless `debug=True`; it encodes as Latin-1, so
that a status in Japanese raises (and, swallowed, is lost); and its socket blocks while PID 1 is busy.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Final

import sdnotify

log = logging.getLogger(__name__)

VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""Taken out of the environment: a child that inherited them could declare the daemon ready, or dead."""

SEND_S: Final = 0.2
"""Longest wait for PID 1 to take a message: audio must not wait for it any longer."""

STATUS_CHARACTERS: Final = 400


class Notifier:
    """Sends to the service manager. May be called from any thread: each message is one datagram."""

    def __init__(
        self,
        send: Callable[[str], None] | None = None,
        watchdog_s: float | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        """Args: `send` delivers one message or raises OSError; None: nobody listens. `close` lets go of it."""
        self._send = send
        self._close = close
        self._failing = False
        self.watchdog_s = watchdog_s
        """Longest time between two `alive`, seconds; None: the unit has no watchdog."""

    @classmethod
    def from_environment(cls) -> Notifier:
        """Connect to `$NOTIFY_SOCKET` and take what concerns systemd out of the environment.

        One that is named and cannot be reached is reported and left alone: systemd will end the start when its
        time is over, and says so.
        """
        address, watchdog_s = os.environ.get("NOTIFY_SOCKET"), _watchdog_s(os.environ)
        notifier = None
        if address:
            try:
                notifier = sdnotify.SystemdNotifier(debug=True)
                notifier.socket.settimeout(SEND_S)
            except OSError as fault:
                log.error("systemd cannot be told anything: NOTIFY_SOCKET=%s: %s", address, fault)
        for name in VARIABLES:
            os.environ.pop(name, None)
        if notifier is None:
            return cls()
        return cls(notifier.notify, watchdog_s, notifier.socket.close)

    def close(self) -> None:
        """Tell nothing any more."""
        self._send = None
        self._close()

    def loading(self, step: str, allowed_s: float) -> None:
        """A step of the start begins; it may take `allowed_s` before the start counts as failed."""
        self._tell(f"STATUS={_one_line(step)}", f"EXTEND_TIMEOUT_USEC={round(allowed_s * 1e6)}")

    def ready(self, status: str) -> None:
        """The start, or a reload, is over; a refused one as well, or `systemctl reload` would hang."""
        self._tell("READY=1", f"STATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        """The line in `systemctl status`."""
        self._tell(f"STATUS={_one_line(status)}")

    def reloading(self) -> None:
        """A reload begins. MONOTONIC_USEC is what `Type=notify-reload` needs (systemd 253)."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reloading")

    def stopping(self) -> None:
        """The end begins."""
        self._tell("STOPPING=1", "STATUS=stopping")

    def alive(self) -> None:
        """All stages make progress. Only `claudiad.service.watchdog` may say so."""
        if self.watchdog_s is not None:
            self._tell("WATCHDOG=1")

    def trigger(self, reason: str) -> None:
        """Ask to be ended and restarted now; nothing where the unit has no watchdog."""
        if self.watchdog_s is not None:
            self._tell(f"STATUS={_one_line(reason)}", "WATCHDOG=trigger")

    def _tell(self, *lines: str) -> None:
        if self._send is None:
            return
        try:
            # UTF-8, in the disguise that sdnotify's Latin-1 turns back into the same bytes.
            self._send("\n".join(lines).encode("utf-8", "replace").decode("latin-1"))
        except OSError as fault:
            if not self._failing:
                log.error("systemd was not told %s: %s", lines[0], fault)
            self._failing = True
        else:
            self._failing = False


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    usec, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not usec.isdecimal() or int(usec) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 1e6


def _one_line(text: str) -> str:
    """A line break would begin another variable."""
    return " ".join(text.split())[:STATUS_CHARACTERS]
