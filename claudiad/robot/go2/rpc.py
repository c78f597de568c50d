"""Requests and responses over DDS topics, as the SDK's `rpc` package does it, from both ends.

Topics `rt/api/SERVICE/request` and `/response`; a response carries the id of its request (docs/facts.md). Both ends
talk to the unmodified SDK.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from claudiad.robot.go2.link import Link

_log = logging.getLogger(__name__)

OK = 0
NOT_SENT = -1
"""Not a code of the SDK: the caller's permit was gone when it was this request's turn."""
SEND_FAILED = 3102
TIMEOUT = 3104
NOT_IMPLEMENTED = 3203

REQUEST_LIFESPAN_MS = 300
"""A request that could not be delivered for so long is forgotten: a link that comes back must not bring back a Move."""

API_VERSION = 1
"""Internal request of every service: its API version, as text."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the code (0 is good), text and bytes."""

    code: int
    data: str = ""
    binary: bytes = b""


class Client:
    """Asks one service. Calls from several threads do not wait for one another."""

    def __init__(self, link: Link, service: str) -> None:
        m = link.messages
        self._link = link
        self._messages = m
        self._waiting: dict[int, Future[Reply]] = {}
        self._last_id = 0
        self._given_up: deque[int] = deque(maxlen=64)
        self._late: dict[int, int] = {}
        """By kind, the number of the latest request that was answered when nobody waited any more."""
        self._requests = link.writer(f"rt/api/{service}/request", m.Request, REQUEST_LIFESPAN_MS)
        self._responses = link.reader(f"rt/api/{service}/response", m.Response, self._answered)

    @property
    def reachable(self) -> bool:
        """True when some server reads requests and can answer. One that died counts for some seconds more."""
        return self._requests.listeners > 0 and self._responses.writers > 0

    def call(
        self,
        api_id: int,
        parameter: str = "{}",
        *,
        timeout_s: float,
        permit: Callable[[], bool] | None = None,
        reply: bool = True,
        urgent: bool = False,
    ) -> Reply:
        """Send one request and wait for its response, at most `timeout_s`; blocks.

        `permit` is asked under the lock of the wire, with nothing between it and the send. Without `reply` code 0
        only says that it was sent. `urgent` sends it to whoever may listen, also when no answer can be expected yet.
        """
        m, answer = self._messages, Future[Reply]()
        with self._link.wire:
            if permit is not None and not permit():
                return Reply(NOT_SENT)
            if not (self.reachable or (urgent and self._requests.listeners)):
                return Reply(SEND_FAILED)
            number = self._last_id = max(time.monotonic_ns(), self._last_id + 1)
            identity, policy = m.RequestIdentity(number, api_id), m.RequestPolicy(0, not reply)
            if reply:
                self._waiting[number] = answer
            sent = self._requests.write(m.Request(m.RequestHeader(identity, m.RequestLease(0), policy), parameter, []))
        if not sent or not reply:
            self._waiting.pop(number, None)
            return Reply(OK if sent else SEND_FAILED)
        try:
            return answer.result(timeout_s)
        except Late:
            self._given_up.append(number)
            return Reply(TIMEOUT)
        finally:
            self._waiting.pop(number, None)

    def answered_late(self, api_id: int, since: int) -> bool:
        """True when a request of this kind that was sent since then (ns, monotonic) was answered well, but late."""
        return self._late.get(api_id, 0) >= since

    def _answered(self, response: Any) -> None:
        identity, code = response.header.identity, int(response.header.status.code)
        answer = self._waiting.pop(identity.id, None)
        if answer is not None:
            answer.set_result(Reply(code, response.data, bytes(response.binary)))
        elif identity.id in self._given_up and code == OK:
            self._given_up.remove(identity.id)
            self._late[int(identity.api_id)] = int(identity.id)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived."""

    number: int
    """The client's: it knows the response by it."""
    api_id: int
    parameter: str
    binary: bytes
    noreply: bool
    respond: Callable[[Reply], None]
    """Send the response, now or later, from any thread; does nothing when none is wanted."""


class Server:
    """Serves one service: `handle` gets the requests one after another and answers when it likes.

    On a thread of its own, not on CycloneDDS's: what is written there can lock it up.
    """

    def __init__(self, link: Link, service: str, handle: Callable[[Asked], None], version: str = "1.0.0.1") -> None:
        m = link.messages
        self._messages = m
        self._handle = handle
        self._version = version
        self._lock = threading.Lock()
        self._requests: SimpleQueue[Any] = SimpleQueue()
        self._responses = link.writer(f"rt/api/{service}/response", m.Response)
        link.reader(f"rt/api/{service}/request", m.Request, self._requests.put)
        threading.Thread(target=self._serve, name=f"serve-{service}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                self._asked(self._requests.get())
            except Exception:  # a server answers the next request whatever the last one did
                _log.exception("request")

    def _asked(self, request: Any) -> None:
        identity, noreply = request.header.identity, bool(request.header.policy.noreply)

        def respond(reply: Reply) -> None:
            if noreply:
                return
            m = self._messages
            header = m.ResponseHeader(identity, m.ResponseStatus(reply.code))
            with self._lock:
                self._responses.write(m.Response(header, reply.data, list(reply.binary)))

        if identity.api_id == API_VERSION:
            respond(Reply(OK, self._version))
        else:
            self._handle(
                Asked(identity.id, identity.api_id, request.parameter, bytes(request.binary), noreply, respond)
            )
