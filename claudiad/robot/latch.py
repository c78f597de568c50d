"""A stop that holds until somebody releases it, and is still there after a restart."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from claudiad.errors import RobotError

_log = logging.getLogger(__name__)


class Latch:
    """Set at once in memory and then on disk; while the file is there, a new Latch on the same path is closed.

    Only the existence of the file counts: one that cannot be read, or of which it cannot be known whether it is
    there, is a closed latch.
    """

    def __init__(self, path: Path | None = None) -> None:
        """`path` None: the latch does not survive a restart."""
        self._path = path
        # Counts instead of a flag: a close that comes while an older one is being released is not lost.
        self._closed = 0
        self._released = 0
        self._saved = 0
        self._file_lock = threading.Lock()
        self._reason = ""
        if path is not None and not _certainly_absent(path):
            self._closed = self._saved = 1
            self._reason = "restart"

    @property
    def closed(self) -> bool:
        """True while nothing may move. Never waits for the disk."""
        return self._closed > self._released

    @property
    def reason(self) -> str:
        """Why it was closed last; `restart` when it was found closed."""
        return self._reason

    def close(self, reason: str) -> None:
        """Close it in memory: immediate. Not for several threads at once; `StopLane.request` sees to that."""
        self._reason = reason
        self._closed += 1

    def save(self) -> None:
        """Put a closed latch on disk. A disk that fails is logged: the latch holds in memory all the same."""
        with self._file_lock:
            if self._path is None or not self.closed or self._saved == self._closed:
                return
            # Once per close, also when it fails: the lane asks again after each attempt to stop.
            self._saved = self._closed
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.write_text(json.dumps({"reason": self._reason}, ensure_ascii=False), encoding="utf-8")
            except OSError as fault:
                _log.error("the stop holds, but would not survive a restart: %s", fault)

    def release(self) -> None:
        """Open it. Raises RobotError, and stays closed, when the file cannot be removed."""
        with self._file_lock:
            seen = self._closed
            try:
                if self._path is not None:
                    self._path.unlink(missing_ok=True)
            except OSError as fault:
                raise RobotError(f"cannot release the stop: {fault}; remove {self._path} and try again") from fault
            self._released = seen


def _certainly_absent(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False
