"""One daemon thread for a library that may be called from one thread only and may block for good."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from claudiad.errors import DeviceError

T = TypeVar("T")


class Worker:
    """Runs calls one after the other. The thread is a daemon: a call that never returns does not hold the exit."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._running_since: float | None = None

    @property
    def busy(self) -> bool:
        """A call is in progress."""
        return self._running_since is not None

    def post(self, call: Callable[[], object]) -> None:
        """Run a call after those before it; nobody waits for it, so it must not raise."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()
        self._calls.put(call)

    async def run(self, call: Callable[[], T], timeout_s: float) -> T:
        """Wait for the call's result, at most `timeout_s` of real time; raises what it raises.

        Raises:
            DeviceError: no result in time, or (at once) an earlier call has hung that long. The call is made
                all the same, when those before it have returned.
        """
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()

        def settle(value: T | None, error: BaseException | None) -> None:
            if result.done():
                return
            if error is not None:
                result.set_exception(error)
            else:
                result.set_result(value)  # type: ignore[arg-type]  # None only where T is None

        def work() -> None:
            value: T | None = None
            error: BaseException | None = None
            try:
                value = call()
            except Exception as caught:
                error = caught
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for this any more
                loop.call_soon_threadsafe(settle, value, error)

        self.post(work)
        since = self._running_since
        hung = since is not None and time.monotonic() - since > timeout_s
        try:
            return await asyncio.wait_for(result, 0.0 if hung else timeout_s)
        except TimeoutError:
            raise DeviceError(f"the sound system has not answered for {timeout_s:g} s") from None

    def settle(self, timeout_s: float) -> bool:
        """Wait until all calls so far have returned, at most `timeout_s` of real time; False when they have not.

        From any thread. For the end of the process: a library's call must not find itself without an interpreter.
        """
        if self._thread is None:
            return True
        settled = threading.Event()
        self.post(settled.set)
        return settled.wait(timeout_s)

    def _serve(self) -> None:
        while True:
            call = self._calls.get()
            self._running_since = time.monotonic()
            call()
            self._running_since = None
