"""Speech that is already rendered."""

from __future__ import annotations

from collections import OrderedDict

from claudiad.types import Pcm


class ClauseCache:
    """Least recently used first out, bounded by `max_bytes` of samples. Pinned clauses stay until it is dropped."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._clauses: OrderedDict[str, Pcm] = OrderedDict()
        self._pinned: set[str] = set()
        self.size = 0
        """Bytes held."""

    def get(self, clause: str) -> Pcm | None:
        """Its samples, now the most recently used, or None."""
        pcm = self._clauses.get(clause)
        if pcm is not None:
            self._clauses.move_to_end(clause)
        return pcm

    def put(self, clause: str, pcm: Pcm, *, pin: bool = False) -> bool:
        """Keep `pcm`, making room by dropping unpinned clauses. False, and nothing kept, when it cannot fit."""
        self._remove(clause)
        pinned = sum(self._clauses[key].nbytes for key in self._pinned)
        if pinned + pcm.nbytes > self._max_bytes:
            return False
        for key in [key for key in self._clauses if key not in self._pinned]:
            if self.size + pcm.nbytes <= self._max_bytes:
                break
            self._remove(key)
        self._clauses[clause] = pcm
        self.size += pcm.nbytes
        if pin:
            self._pinned.add(clause)
        return True

    def _remove(self, clause: str) -> None:
        pcm = self._clauses.pop(clause, None)
        if pcm is not None:
            self.size -= pcm.nbytes
            self._pinned.discard(clause)
