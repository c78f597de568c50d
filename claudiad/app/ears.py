"""Recognition on worker threads: one for the conversation, one that only listens for a stop.

The stop listener has a recogniser and a thread of its own, so that a stop never queues behind anything: a second copy
of the embedded model costs 7 MB (measured). Where both settings name the same model, they hear alike: then the
committed utterance needs one pass, the same text serves both.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from claudiad.config import SttSettings
from claudiad.stt.base import Recogniser
from claudiad.stt.embedded import has_head
from claudiad.stt.engines import open_recogniser
from claudiad.types import Pcm, Transcript, Utterance

SILENCE_MS = 300
"""Behind the last word, in what the recogniser is given. Its vocabulary score was fitted with that much: with the
160 ms of an early guess, half as many again of known sentences are taken for unknown ones (measured)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript and what it cost."""

    transcript: Transcript
    work_ms: float
    """Time the recogniser worked, queueing excluded."""


class Ears:
    """Owns the recognisers and their threads; `close` waits for both."""

    def __init__(self, main: Recogniser, stop: Recogniser | None = None, *, alike: bool = False) -> None:
        """Args: `stop` None means `main` hears stops as well; `alike`: both are the same model."""
        self.main = main
        self._alike = alike
        self.stop = stop or main
        self._main_worker = ThreadPoolExecutor(1, thread_name_prefix="stt")
        self._stop_worker = ThreadPoolExecutor(1, thread_name_prefix="stt-stop") if stop else self._main_worker

    @classmethod
    def open(cls, settings: SttSettings) -> Ears:
        """Load the models the settings name; blocking, raises EngineMissing."""
        main = open_recogniser(settings, settings.model)
        alike = settings.stop_model == settings.model
        if alike and not has_head(settings.model):
            return cls(main)  # a second copy of a stock model is no small thing
        one_thread = settings.model_copy(update={"threads": 1})
        return cls(main, open_recogniser(one_thread, settings.stop_model), alike=alike)

    @property
    def separate(self) -> bool:
        """True when the stop listener's model is another one, and may hear a stop that the main one does not."""
        return self.stop is not self.main and not self._alike

    async def hear(self, pcm: Pcm) -> Heard:
        """Recognise one utterance for the conversation."""
        return await self._run(self._main_worker, self.main, pcm)

    async def hear_utterance(self, utterance: Utterance) -> Heard:
        """The same, however soon behind the last word it is."""
        return await self.hear(utterance.with_silence(SILENCE_MS))

    async def hear_stop(self, pcm: Pcm) -> Heard:
        """Recognise the same for the stop listener."""
        return await self._run(self._stop_worker, self.stop, pcm)

    async def warm(self) -> None:
        """One throw-away recognition each, so that the first person does not pay for lazy set-up."""
        hiss = (np.random.default_rng(0).standard_normal(16_000) * 3000).astype(np.int16)
        await self.hear(hiss)
        if self.stop is not self.main:
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
