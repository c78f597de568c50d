"""The stop's own thread: past every queue and running action, repeated until the robot acknowledges it."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from claudiad.clock import Clock
from claudiad.robot.base import Robot
from claudiad.robot.latch import Latch

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StopReport:
    """What became of a request to stop."""

    acknowledged: bool
    """False: given up waiting for the report; the lane itself goes on trying until it is acknowledged or closed."""
    sent_at: float
    """Clock time, seconds, at which the first StopMove went out."""
    attempts: int
    elapsed_ms: float
    """From the request to the acknowledgement (or to this report, without one)."""


@dataclass(slots=True)
class _Ticket:
    """One stop to be sent, and everybody who waits for it."""

    reason: str
    asked_at: float
    report: Future[StopReport] = field(default_factory=Future)
    sent_at: float | None = None
    attempts: int = 0

    def settle(self, now: float, acknowledged: bool) -> None:
        if not self.report.done():
            sent_at = now if self.sent_at is None else self.sent_at
            self.report.set_result(StopReport(acknowledged, sent_at, self.attempts, (now - self.asked_at) * 1000))


class StopLane:
    """`request` may be called from any thread and never waits for the robot.

    At most two stops exist at a time: the one being sent and the next; whoever asks meanwhile shares the next one,
    so that each requester's report is of a StopMove sent after the request was made.
    """

    def __init__(
        self,
        robot: Robot,
        clock: Clock,
        latch_path: Path | None = None,
        *,
        retry_s: float = 0.05,
        timeout_s: float = 2.0,
        max_attempts: int = 20,
    ) -> None:
        """`timeout_s` and `max_attempts` bound the wait for a report, whichever comes first, not the attempts."""
        self._robot = robot
        self._clock = clock
        self._latch = Latch(latch_path)
        self._retry_s = retry_s
        self._timeout_s = timeout_s
        self._max_attempts = max_attempts
        self._cond = threading.Condition()
        self._next: _Ticket | None = None
        self._sending: _Ticket | None = None
        self._generation = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def generation(self) -> int:
        """Grows with every request, before anything is sent: what began under an older one must send nothing more."""
        return self._generation

    @property
    def latched(self) -> bool:
        """True while nothing may move until `reset`."""
        return self._latch.closed

    @property
    def pending(self) -> Future[StopReport] | None:
        """The report of the latest stop that is still awaited, or None."""
        ticket = self._next or self._sending
        return ticket.report if ticket is not None and not ticket.report.done() else None

    @property
    def unconfirmed(self) -> bool:
        """True while a stop has been asked for and the robot has not acknowledged it."""
        return self._next is not None or self._sending is not None

    def start(self) -> None:
        """Start the thread; sends nothing."""
        with self._cond:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="stop-lane", daemon=True)
                self._thread.start()

    def request(self, reason: str, latch: bool = False) -> Future[StopReport]:
        """Stop the robot. The future never raises and cannot be cancelled; await it with `asyncio.wrap_future`.

        A lane that was not started or is closed sends once, on the caller's thread.
        """
        with self._cond:
            self._generation += 1
            if latch:
                self._latch.close(reason)
            running = self._thread is not None and not self._closing.is_set()
            ticket = self._next if running and self._next is not None else _Ticket(reason, self._clock.now())
            # Running futures refuse cancel(): one requester that goes away must not take the report from the others.
            if not ticket.report.running():
                ticket.report.set_running_or_notify_cancel()
            if running:
                self._next = ticket
                self._cond.notify()
        if not running:
            acknowledged = self._attempt(ticket)
            now = self._clock.now()
            self._latch.save()
            ticket.settle(now, acknowledged)
        return ticket.report

    def reset(self) -> None:
        """Release the latch; moves nothing. Raises RobotError, and stays latched, when the file cannot be removed."""
        self._latch.release()

    def close(self, timeout_s: float = 5.0) -> None:
        """End the thread; a stop that is still waiting gets one attempt. Waits at most `timeout_s`."""
        with self._cond:
            self._closing.set()
            self._cond.notify()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
            if thread.is_alive():
                _log.error("the stop lane is still waiting for the robot and is left behind")

    def _run(self) -> None:
        while True:
            with self._cond:
                while self._next is None and not self._closing.is_set():
                    self._cond.wait()
                if self._next is None:
                    return
                self._sending, self._next = self._next, None
                ticket = self._sending
            self._send(ticket)

    def _send(self, ticket: _Ticket) -> None:
        """Repeat until acknowledged, given up and overtaken by a newer request (which repeats it), or closed."""
        while True:
            acknowledged = self._attempt(ticket)
            now = self._clock.now()
            # After the wire, for a slow disk must not hold up a stop; before the report, which says that it holds.
            self._latch.save()
            if acknowledged:
                # First: whoever reads the report may start a motion, and must not find the stop unconfirmed.
                self._sending = None
                ticket.settle(now, acknowledged=True)
                return
            if ticket.attempts >= self._max_attempts or now - ticket.asked_at >= self._timeout_s:
                if not ticket.report.done():
                    _log.error("stop (%s) not acknowledged after %d attempts", ticket.reason, ticket.attempts)
                ticket.settle(now, acknowledged=False)
            if self._closing.wait(self._retry_s):
                self._sending = None
                ticket.settle(self._clock.now(), acknowledged=False)
                return
            if ticket.report.done() and self._next is not None:
                return

    def _attempt(self, ticket: _Ticket) -> bool:
        ticket.attempts += 1
        if ticket.sent_at is None:
            ticket.sent_at = self._clock.now()
        try:
            return self._robot.stop_now()
        except Exception:  # whatever an engine raises, the lane has to live: it is the last thing that can stop it
            _log.exception("attempt %d to stop failed", ticket.attempts)
            return False
