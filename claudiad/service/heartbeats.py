"""Which stage makes progress and which one hangs. Pure: time is passed in.

A stage beats, or says that it works and until when it has to be done, or is observed by a counter somebody else
keeps. Nobody stamps a time: `stalled` looks at the counters now and then, and counts only the time that passed for the
one who looks. So a process that was frozen, a computer that was suspended and a clock that was set stall nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stalled:
    """A stage that has made no progress for longer than it may."""

    stage: str
    since_s: float
    deadline_s: float

    def __str__(self) -> str:
        return f"{self.stage} has made no progress for {self.since_s:.0f} s (allowed: {self.deadline_s:g} s)"


@dataclass(slots=True)
class _Stage:
    deadline_s: float | None
    """None: idle, nothing is expected of it."""
    beats: int = 0
    read: Callable[[], int | None] | None = None
    seen: int = -1
    """`beats` when it was last looked at."""
    progress_at: float = field(default=0.0)
    """Watched time at which progress was last seen."""


class Heartbeats:
    """The stages of the running daemon.

    `beat`, `busy` and `idle` may be called from any thread and only change a number or two; one stage belongs to one
    thread at a time. `stalled` belongs to the one who watches.
    """

    def __init__(self, longest_look_s: float = 2.0) -> None:
        """Args: `longest_look_s`: more than this between two looks was not time in which anybody could work."""
        self._stages: dict[str, _Stage] = {}
        self._longest_look_s = longest_look_s
        self._watched_s = 0.0
        self._looked_at: float | None = None

    def expect(self, stage: str, deadline_s: float) -> None:
        """From now on it beats at least that often."""
        self._stages[stage] = _Stage(deadline_s)

    def observe(self, stage: str, deadline_s: float, read: Callable[[], int | None]) -> None:
        """Look at a counter that changes at least that often; None from it: nothing is expected at present."""
        self._stages[stage] = _Stage(deadline_s, read=read)

    def beat(self, stage: str) -> None:
        """Progress. Raises KeyError for a stage nobody expects."""
        self._stages[stage].beats += 1

    def busy(self, stage: str, deadline_s: float) -> None:
        """Work begins that has to end, by `idle`, within that time."""
        one = self._stages.setdefault(stage, _Stage(None))
        one.beats += 1  # first: a look in between must not measure new work from the end of the last
        one.deadline_s = deadline_s

    def idle(self, stage: str) -> None:
        """Its work has ended."""
        if (one := self._stages.get(stage)) is not None:
            one.deadline_s = None

    @contextmanager
    def working(self, stage: str, deadline_s: float) -> Iterator[None]:
        """`busy` for as long as the block runs."""
        self.busy(stage, deadline_s)
        try:
            yield
        finally:
            self.idle(stage)

    def stalled(self, now: float) -> Stalled | None:
        """The stage that is furthest over its time, or None. `now`: seconds on any clock that never goes back."""
        passed = 0.0 if self._looked_at is None else max(0.0, now - self._looked_at)
        self._looked_at = now
        self._watched_s += min(passed, self._longest_look_s)
        worst: Stalled | None = None
        for name, one in list(self._stages.items()):
            deadline = one.deadline_s
            beats = one.beats if one.read is None else one.read()
            if deadline is None or beats is None or beats != one.seen:
                one.seen = -1 if beats is None else beats
                one.progress_at = self._watched_s
                continue
            since = self._watched_s - one.progress_at
            if since > deadline and (worst is None or since / deadline > worst.since_s / worst.deadline_s):
                worst = Stalled(name, since, deadline)
        return worst
