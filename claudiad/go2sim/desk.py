"""One request: written down, given to its service unless a fault falls upon it, and answered now, later or never.

Knows no DDS and starts no thread but the one that `serial` needs; time is what is passed in and what `later` makes
of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Literal

from claudiad.go2sim import names
from claudiad.go2sim.faults import Fault, Faults, Kind
from claudiad.go2sim.journal import Journal
from claudiad.go2sim.services import BadParameterError, Service, decode
from claudiad.go2sim.sport import SportService
from claudiad.robot.go2.rpc import OK, Reply
from claudiad.robot.simulator import Go2Body

NOT_IN_TIME = 4201
"""What an action that was stopped answers when answers come at its end."""

ReplyAt = Literal["accept", "end"]

_SILENT = frozenset((Kind.NO_REPLY, Kind.DEAF_BUT_STOP, Kind.UNKNOWN))
_UNDONE = frozenset((Kind.NO_REPLY, Kind.DEAF_BUT_STOP, Kind.CODE, Kind.LOCKED))


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    service: Service
    api_id: int
    parameter: str
    number: int
    """The client's, by which it finds the response."""
    noreply: bool
    respond: Callable[[Reply], None]
    t: float
    """When it arrived, monotonic seconds."""


class Desk:
    """Takes the requests of all services. `receive` may be called from several threads, one per service."""

    def __init__(
        self,
        body: Go2Body,
        sport: SportService,
        journal: Journal,
        *,
        later: Callable[[float, Callable[[], None]], None],
        die: Callable[[], None],
        reply_at: ReplyAt = "accept",
        serial: bool = False,
    ) -> None:
        """`later(seconds, do)` does something so much later, on a thread of its own; `die` ends the process.

        `serial`: the sport service takes the next request when the last one has been answered.
        """
        self._body = body
        self._sport = sport
        self._journal = journal
        self._later = later
        self._die = die
        self._at_end = reply_at == "end"
        self._faults = Faults()
        self._lock = threading.Lock()
        self._falls = 0
        self._shown: tuple[str, int] | None = None
        self._serial = serial
        self._queue: SimpleQueue[Request] = SimpleQueue()
        if serial:
            threading.Thread(target=self._one_by_one, name="serial", daemon=True).start()

    def receive(self, request: Request) -> None:
        """Serve a request."""
        if self._serial and request.service is self._sport:
            self._queue.put(request)
        else:
            self._serve(request)

    def give(self, faults: Iterable[Fault], now: float) -> None:
        """Faults from `now` on."""
        for fault in faults:
            with self._lock:
                self._faults.add(fault, now)
            self._journal.event("fault", fault=fault.text, what="given")

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            count = self._faults.clear()
        self._journal.event("fault", what="cleared", count=count)

    def status(self) -> None:
        """Write down how things are."""
        seen, pose = self._body.report(), self._body.pose
        with self._lock:
            faults = list(self._faults)
        self._journal.event(
            "status",
            posture=seen.posture.value,
            machine=seen.machine,
            running=seen.running,
            battery=round(seen.battery, 2),
            pose=[round(part, 4) for part in pose],
            odometry=[round(part, 4) for part in (seen.x, seen.y, seen.yaw)],
            stops=self._body.stops,
            falls=self._body.falls,
            faults=faults,
        )

    def tick(self, now: float) -> bool:
        """Look at what time has brought, often; True when state is to be published."""
        with self._lock:
            due = self._faults.due(now)
            silent = self._faults.silent(now)
        for fault in due:
            self._happen(fault)
        seen = self._body.report()
        if (shown := (seen.posture.value, seen.machine)) != self._shown:
            self._shown = shown
            self._journal.event("state", posture=shown[0], machine=shown[1], running=seen.running)
        while self._falls < self._body.falls:
            self._falls += 1
            self._journal.event("fall", falls=self._falls)
        return not silent

    def _happen(self, fault: Fault) -> None:
        what = "happens"
        if fault.kind is Kind.BATTERY:
            self._body.set_battery(fault.value)
        elif fault.kind is Kind.REMOTE and not self._body.remote("sit" if fault.what == "sit" else "walk"):
            what = "cannot happen now"
        self._journal.event("fault", fault=fault.text, what=what)
        if fault.kind is Kind.DIE:
            self._die()

    def _one_by_one(self) -> None:
        while True:
            answered = threading.Event()
            self._serve(self._queue.get(), answered.set)
            answered.wait()

    def _serve(self, request: Request, answered: Callable[[], None] = lambda: None) -> None:
        service, api_id = request.service, request.api_id
        with self._lock:
            fault = self._faults.upon(service.name, api_id, request.t, self._sport.stood_up_at)
        kind = fault.kind if fault else None
        silent = kind in _SILENT

        def finish(reply: Reply) -> None:
            if not silent:
                request.respond(reply)
            answered()

        def completed(done: bool) -> None:
            # The body is locked here: nothing may be sent now.
            self._later(delay_s, partial(at_end, OK if done else NOT_IN_TIME))

        def at_end(code: int) -> None:
            if not silent:
                self._journal.event("answer", id=request.number, code=code)
            finish(Reply(code))

        delay_s = fault.value if fault and kind is Kind.LATE_REPLY else 0.0
        waits = self._at_end and service is self._sport and self._sport.lasts(api_id)
        if fault and kind in _UNDONE:
            reply, done = Reply(int(fault.value) if kind is Kind.CODE else OK), False
        else:
            reply = service.handle(api_id, request.parameter, request.t, completed if waits else None)
            done = reply.code == OK
        self._write(request, None if silent else reply.code, fault, done=done)
        if waits and done:
            return
        if delay_s > 0.0:
            self._later(delay_s, partial(finish, reply))
        else:
            finish(reply)

    def _write(self, request: Request, code: int | None, fault: Fault | None, *, done: bool) -> None:
        self._journal.call(
            request.t,
            service=request.service.name,
            api_id=request.api_id,
            name=names.name_of(request.service.name, request.api_id),
            params=readable(request.parameter),
            code=code,
            done=done,
            noreply=request.noreply,
            id=request.number,
            fault=fault.text if fault else None,
        )


def readable(parameter: str) -> object:
    """The parameter as it came: its JSON, or the text where it is none that could be written again."""
    try:
        return decode(parameter)
    except BadParameterError:
        return parameter
