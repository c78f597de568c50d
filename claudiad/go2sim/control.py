"""Standard input: faults while it runs, `clear`, `status`."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable

from claudiad.go2sim.desk import Desk
from claudiad.go2sim.faults import parse


def obey(line: str, desk: Desk, say: Callable[[str], None]) -> None:
    """Do what one line says; `say` gets one line when it says nothing that can be done. An empty line is none."""
    match line.strip():
        case "":
            return
        case "clear":
            desk.clear()
        case "status":
            desk.status()
        case words:
            try:
                fault = parse(words)
            except ValueError as wrong:
                say(f"{wrong} (or: clear, status)")
            else:
                desk.give([fault], time.monotonic())


def listen(desk: Desk, say: Callable[[str], None], at_end: Callable[[], None], fd: int = 0) -> None:
    """Obey each line of a file descriptor until there are no more; then `at_end`."""
    # Unbuffered: a thread that waits in a buffered reader holds a lock that the interpreter wants when it ends.
    with contextlib.suppress(OSError), io.FileIO(fd, closefd=False) as lines:
        for line in lines:
            obey(line.decode(errors="replace"), desk, say)
    at_end()
