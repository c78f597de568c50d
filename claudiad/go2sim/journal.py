"""The log: one JSON object a line on standard output, flushed, and the last calls for the view."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TextIO


class Journal:
    """Writes lines. Safe from any thread: no line is torn, and their order is that of the calls."""

    def __init__(self, out: TextIO, now: Callable[[], float]) -> None:
        """`now` is monotonic seconds. When nobody reads `out` any more, lines are lost in silence."""
        self._out = out
        self._now = now
        self._lock = threading.Lock()
        self.closed = False
        """Nobody reads it any more."""
        self.recent: deque[dict[str, Any]] = deque(maxlen=8)
        """The last calls, oldest first."""

    def call(self, t: float, **fields: Any) -> None:
        """One request, that arrived at `t`."""
        entry = {"t": round(t, 6), **fields}
        self.recent.append(entry)
        self._write(entry)

    def event(self, event: str, **fields: Any) -> None:
        """Something that is no request."""
        self._write({"t": round(self._now(), 6), "event": event, **fields})

    def _write(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry)
        with self._lock:
            if self.closed:
                return
            try:
                self._out.write(line + "\n")
                self._out.flush()
            except (BrokenPipeError, ValueError):
                self.closed = True
