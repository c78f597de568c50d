"""Things to do later, on one thread."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Later:
    """Does each thing at its time, in order of their times. `after` may be called from any thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="later", daemon=True).start()

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Call `do` so many seconds from now; what it raises is logged."""
        with self._changed:
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._count), do))
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._heap or self._heap[0][0] > time.monotonic():
                    self._changed.wait(self._heap[0][0] - time.monotonic() if self._heap else None)
                do = heapq.heappop(self._heap)[2]
            try:
                do()
            except Exception:  # the next one has its time all the same
                _log.exception("later")
