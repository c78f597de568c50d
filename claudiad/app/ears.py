"""Recognition on worker threads: one for the conversation, one that only listens for a stop.

The stop listener has its own small model when `stt.model` is a large one, so that a stop never queues
behind a recognition that takes a second. When both settings name the same model there is one recogniser
and one pass: the same text serves both.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from claudiad.config import SttSettings
from claudiad.stt.base import Recogniser
from claudiad.stt.engines import open_recogniser
from claudiad.types import Pcm, Transcript


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript and what it cost."""

    transcript: Transcript
    work_ms: float
    """Time the recogniser worked, queueing excluded."""


class Ears:
    """Owns the recognisers and their threads; `close` waits for both."""

    def __init__(self, main: Recogniser, stop: Recogniser | None = None) -> None:
        """Args: `stop` None means `main` hears stops as well."""
        self.main = main
        self.stop = stop or main
        self._main_worker = ThreadPoolExecutor(1, thread_name_prefix="stt")
        self._stop_worker = ThreadPoolExecutor(1, thread_name_prefix="stt-stop") if stop else self._main_worker

    @classmethod
    def open(cls, settings: SttSettings) -> Ears:
        """Load the models the settings name; blocking, raises EngineMissing."""
        main = open_recogniser(settings, settings.model)
        separate = settings.stop_model != settings.model
        return cls(main, open_recogniser(settings, settings.stop_model) if separate else None)

    @property
    def separate(self) -> bool:
        """True when stops have a recogniser of their own."""
        return self.stop is not self.main

    async def hear(self, pcm: Pcm) -> Heard:
        """Recognise one utterance for the conversation."""
        return await self._run(self._main_worker, self.main, pcm)

    async def hear_stop(self, pcm: Pcm) -> Heard:
        """Recognise the same for the stop listener."""
        return await self._run(self._stop_worker, self.stop, pcm)

    async def warm(self) -> None:
        """One throw-away recognition each, so that the first person does not pay for lazy set-up."""
        import numpy as np

        hiss = (np.random.default_rng(0).standard_normal(16_000) * 3000).astype(np.int16)
        await self.hear(hiss)
        if self.separate:
            await self.hear_stop(hiss)

    async def close(self) -> None:
        """End the threads; a recognition under way is waited for, those queued are dropped."""
        for worker in {self._main_worker, self._stop_worker}:
            worker.shutdown(wait=False, cancel_futures=True)
            await asyncio.to_thread(worker.shutdown)

    @staticmethod
    async def _run(worker: ThreadPoolExecutor, recogniser: Recogniser, pcm: Pcm) -> Heard:
        return await asyncio.get_running_loop().run_in_executor(worker, _timed, recogniser.recognise, pcm)


def _timed(recognise: Callable[[Pcm], Transcript], pcm: Pcm) -> Heard:
    began = time.perf_counter()
    transcript = recognise(pcm)
    return Heard(transcript, (time.perf_counter() - began) * 1000.0)
