"""A bounded buffer of samples between PortAudio's thread and the event loop."""

from __future__ import annotations

import threading

import numpy as np

from claudiad.types import Pcm


class Ring:
    """Thread-safe, of fixed size, allocated once: `write` and `read` only copy.

    When it is full the newest samples are refused and counted: the older ones are already part of an
    utterance, and a gap there would be worse than one at its end.
    """

    def __init__(self, capacity: int) -> None:
        """Args: `capacity` in samples (at least 1)."""
        if capacity < 1:
            raise ValueError(f"a ring of {capacity} samples holds nothing")
        self._data = np.zeros(capacity, np.int16)
        self._head = 0
        self._size = 0
        self._refused = 0
        self._written = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._size

    @property
    def capacity(self) -> int:
        """Samples that fit."""
        return len(self._data)

    @property
    def refused(self) -> int:
        """Samples that did not fit, since it was made."""
        return self._refused

    @property
    def written(self) -> int:
        """Samples that did fit, since it was made."""
        return self._written

    def write(self, samples: Pcm) -> int:
        """Copy in what fits; returns how many samples that was."""
        with self._lock:
            count = min(len(samples), self.capacity - self._size)
            at = (self._head + self._size) % self.capacity
            first = min(count, self.capacity - at)
            self._data[at : at + first] = samples[:first]
            if count > first:
                self._data[: count - first] = samples[first:count]
            self._size += count
            self._written += count
            self._refused += len(samples) - count
            return count

    def read(self, most: int | None = None) -> Pcm:
        """Take out up to `most` samples, oldest first, as a new array; all of them when `most` is None."""
        with self._lock:
            count = self._size if most is None else min(most, self._size)
            first = min(count, self.capacity - self._head)
            out = self._data[self._head : self._head + first].copy()
            if count > first:
                out = np.concatenate([out, self._data[: count - first]])
            self._head = (self._head + count) % self.capacity
            self._size -= count
            return out

    def clear(self) -> None:
        """Drop everything in it."""
        with self._lock:
            self._head = self._size = 0
