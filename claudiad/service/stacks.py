"""What every task waits for and where every thread is, as text. Frames only: no value of a variable is shown."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any


def stacks(loop: asyncio.AbstractEventLoop | None) -> Iterator[tuple[str, str]]:
    """Name and stack of each thread, then of each task of `loop`, innermost call last. From any thread."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        yield f"thread {names.get(ident, ident)}", "".join(traceback.format_stack(frame)).rstrip()
    for task in sorted(asyncio.all_tasks(loop), key=lambda t: t.get_name()) if loop is not None else []:
        yield f"task {task.get_name()}", "\n".join(_waiting(task.get_coro())) or "  (no frames)"


def _waiting(awaited: Any) -> Iterator[str]:
    """A suspended task's own stack has one frame: what it waits for is found by following its coroutines."""
    for _ in range(100):  # a chain that leads into itself would be followed for ever
        frame = _frame(awaited)
        if frame is None:
            return
        yield f'  File "{frame.f_code.co_filename}", line {frame.f_lineno}, in {frame.f_code.co_qualname}'
        awaited = next((getattr(awaited, name) for name in _INNER if hasattr(awaited, name)), None)


def _frame(awaited: Any) -> FrameType | None:
    frame = next((getattr(awaited, name) for name in _FRAME if hasattr(awaited, name)), None)
    return frame if isinstance(frame, FrameType) else None


_FRAME = ("cr_frame", "gi_frame", "ag_frame")
_INNER = ("cr_await", "gi_yieldfrom", "ag_await")
