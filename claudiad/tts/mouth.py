"""Says things: gate, clauses, synthesis in a thread of its own, playback; one clause ahead, silent at once.

Invariants:
- At most one clause is being synthesised or waiting beside the one that sounds (prefetch depth 1).
- `cancel` raises the generation. Whatever was begun in an older generation is never played, however late the
  synthesiser returns it: a running synthesis cannot be interrupted, only ignored.
- Replies do not overlap: a second `say` waits for the first, and one `cancel` ends both.
- `pause` silences as fast as `cancel` and loses nothing: the clause it was in is said again from its beginning after
  `resume`. Nobody is left hanging: a pause ends by itself after `LONGEST_PAUSE_S`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from claudiad.audio.waiting import wait_for_event
from claudiad.clock import Clock
from claudiad.errors import ClaudiaError
from claudiad.purity.filter import is_quick, purify
from claudiad.tts.base import Output, Voice
from claudiad.tts.cache import ClauseCache
from claudiad.tts.clauses import clauses
from claudiad.types import Pcm

log = logging.getLogger(__name__)

CACHE_BYTES = 16_000_000
"""Rendered speech kept: nearly three minutes at 48 kHz."""
REMEMBERED = 16
"""Clauses kept for `said_since`: more than sound during one utterance."""
LONGEST_PAUSE_S = 30.0
"""Longer than any utterance and the decision on it."""
DUCKED = 0.25
"""What the voice is lowered to while somebody else speaks: 12 dB."""


async def _clean_clauses(text: str) -> list[str]:
    """What of a text may be spoken, clause by clause. What had to be repaired or left out is logged by kind, not by
    word: what is said may be private.

    In another thread if it may take long (a canned reply does not); that cannot be interrupted, only ignored.
    """
    purified = purify(text) if is_quick(text) else await asyncio.to_thread(purify, text)
    if not purified.pure:
        log.info("before the voice: %s, clauses left out: %d", purified.repairs, purified.left_out)
    return clauses(purified.clean or "")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What became of one reply."""

    spoken: tuple[str, ...]
    """Clauses played to their end, also into a missing device: then `first_audio_at` is None."""
    planned: tuple[str, ...]
    """All clauses; empty when the gate left nothing, or `cancel` came before it was through."""
    first_audio_at: float | None
    """Clock time, seconds, of the first sample that sounded."""
    interrupted: bool
    """True when `cancel` ended it."""
    failed: tuple[str, ...] = ()
    """Clauses that the voice could not speak."""
    first_pcm_at: float | None = None
    """Clock time at which the first clause was ready to play: what synthesis cost."""


@dataclass(slots=True)
class _Progress:
    """One reply under way."""

    generation: int
    complete: bool
    """A whole text: once one clause of it is known, all are."""
    on_last: Callable[[], None] = lambda: None
    planned: list[str] = field(default_factory=list)
    """All clauses that are known of."""
    begun: int = 0
    spoken: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    first_pcm_at: float | None = None
    first_audio_at: float | None = None

    def sounded(self, at: float) -> None:
        if self.first_audio_at is None:
            self.first_audio_at = at

    def result(self, *, interrupted: bool) -> Spoken:
        return Spoken(
            tuple(self.spoken),
            tuple(self.planned),
            self.first_audio_at,
            interrupted,
            tuple(self.failed),
            self.first_pcm_at,
        )


_Coming = tuple[str, asyncio.Future[Pcm]]
"""A clause and its synthesis."""


async def _whole(text: str, progress: _Progress) -> AsyncIterator[str]:
    progress.planned += await _clean_clauses(text)
    for clause in progress.planned:
        yield clause


async def _gated(written: AsyncIterator[str]) -> AsyncIterator[str]:
    async for text in written:
        for clause in await _clean_clauses(text):
            yield clause


class Mouth:
    """One voice on one speaker. All methods belong to the event loop's thread; only synthesis runs elsewhere."""

    def __init__(
        self, voice: Voice, speaker: Output, clock: Clock, cache_bytes: int = CACHE_BYTES, volume: float = 1.0
    ) -> None:
        """Args: `volume` is what the samples are multiplied by, 0 to 1."""
        self._voice = voice
        self._speaker = speaker
        self._clock = clock
        self._volume = volume
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="voice")
        self._cache = ClauseCache(cache_bytes)
        self._turn = asyncio.Lock()
        self._generation = 0
        self._replies = 0
        self._rendering: asyncio.Future[Pcm] | None = None
        self._coming: asyncio.Task[_Coming | None] | None = None
        self._now_saying = ""
        self._lately: deque[tuple[str, float]] = deque(maxlen=REMEMBERED)
        """Clauses that sounded, whole or in part, and when they ended."""
        self._paused = False
        self._pauses = 0
        self._going_on = asyncio.Event()

    @property
    def speaking(self) -> bool:
        """True while a reply is said or waits to be: the pauses between its clauses and its synthesis included."""
        return self._replies > 0

    @property
    def now_saying(self) -> str:
        """The clause that sounds, or ""."""
        return self._now_saying

    def said_since(self, at: float) -> tuple[str, ...]:
        """Clauses that sounded at clock time `at` or later, the present one included, in order."""
        present = (self._now_saying,) if self._now_saying else ()
        return (*(clause for clause, ended in self._lately if ended >= at), *present)

    @property
    def paused(self) -> bool:
        """Silent between `pause` and `resume`, with something left to say."""
        return self._paused

    def pause(self) -> None:
        """Silence at once, to go on later; nothing to do for a voice that says nothing."""
        if self.speaking and not self._paused:
            self._paused = True
            self._pauses += 1
            self._speaker.stop()

    def resume(self) -> None:
        """Go on with the clause that `pause` cut off, from its beginning."""
        self._paused = False
        self._going_on.set()

    def duck(self, *, down: bool) -> None:
        """Lower the voice, or raise it again."""
        self._speaker.set_gain(DUCKED if down else 1.0)

    async def prepare(self, text: str) -> None:
        """Render the first clause of `text` into the cache, so that `say` can begin at once. Failures come up there."""
        first = next(iter(await _clean_clauses(text)), None)
        if first is None or self._cache.get(first) is not None or self.speaking:
            return
        try:
            pcm = await asyncio.get_running_loop().run_in_executor(self._worker, self._synthesise, first)
        except ClaudiaError as fault:
            log.debug("not rendered ahead of time: %s", fault)
        else:
            self._cache.put(first, pcm)

    async def prime(self, texts: Sequence[str]) -> None:
        """Render fixed texts into the cache, to stay there, so that they start at once. Failures are logged."""
        for clause in [clause for text in texts for clause in await _clean_clauses(text)]:
            try:
                pcm = await asyncio.get_running_loop().run_in_executor(self._worker, self._synthesise, clause)
            except ClaudiaError as fault:
                log.warning("cannot render %r ahead of time: %s", clause, fault)
                continue
            if not self._cache.put(clause, pcm, pin=True):
                log.warning("no room to keep %r ready: it is synthesised when it is said", clause)

    async def say(self, text: str, on_last: Callable[[], None] = lambda: None) -> Spoken:
        """Speak what the gate leaves of `text` and return when it has sounded or was cancelled.

        `on_last` is called when its last clause begins to be played.

        A clause that cannot be synthesised is logged and left out. Cancelling the task silences it like `cancel`.
        Raises nothing else as long as voice and speaker keep their contracts.
        """
        progress = _Progress(self._generation, complete=True, on_last=on_last)
        return await self._say(_whole(text, progress), progress)

    async def say_as_written(self, written: AsyncIterator[str]) -> Spoken:
        """Speak clauses that are still being written, each through the gate, as `say` does a text.

        It waits for the next one as long as `written` does; `cancel` ends that wait. Closing `written` is the caller's.
        """
        progress = _Progress(self._generation, complete=False)
        return await self._say(_gated(written), progress)

    async def _say(self, source: AsyncIterator[str], progress: _Progress) -> Spoken:
        self._replies += 1
        try:
            async with self._turn:
                await self._speak(source, progress)
        except asyncio.CancelledError:
            # `cancel` ends a wait for the synthesiser by cancelling that wait: not a cancelled task.
            task = asyncio.current_task()
            if not self._stale(progress) or (task is not None and task.cancelling()):
                raise
        finally:
            self._replies -= 1
            if not self._replies:
                self.resume()  # there is nothing left to go on with
        return progress.result(interrupted=self._stale(progress))

    def cancel(self) -> None:
        """Silence at once; whatever is being said or waits to be said ends, interrupted."""
        self._generation += 1
        self.resume()
        self._speaker.stop()
        self._forget_rendering()

    async def close(self) -> None:
        """Silence, and wait for the synthesiser's thread to end."""
        self.cancel()
        self._worker.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._worker.shutdown)

    async def _speak(self, source: AsyncIterator[str], progress: _Progress) -> None:
        """Synthesise and play clause by clause, the next one on its way while one sounds; ends when stale."""
        try:
            coming = await self._prefetch(source, progress)
            while coming is not None and not self._stale(progress):
                clause, ahead = coming
                pcm = await self._rendered(clause, ahead, progress)
                if self._stale(progress):
                    return
                progress.begun += 1
                following = self._prefetch(source, progress)
                if pcm is not None:
                    if progress.complete and progress.begun == len(progress.planned):
                        progress.on_last()
                    await self._play(clause, pcm, progress)
                coming = await following
        finally:
            self._forget_rendering()

    def _prefetch(self, source: AsyncIterator[str], progress: _Progress) -> asyncio.Task[_Coming | None]:
        """Begin to synthesise the next clause, as soon as it is known; never before the one ahead was awaited."""
        self._coming = asyncio.create_task(self._next(source, progress), name="next clause")
        return self._coming

    async def _next(self, source: AsyncIterator[str], progress: _Progress) -> _Coming | None:
        clause = await anext(source, None)
        if clause is None or self._stale(progress):
            return None
        if not progress.complete:
            progress.planned.append(clause)
        return clause, self._render(clause)

    def _render(self, clause: str) -> asyncio.Future[Pcm]:
        """Begin to synthesise; never more than one at a time, because the one before has been awaited."""
        loop = asyncio.get_running_loop()
        ready = self._cache.get(clause)
        if ready is not None:
            self._rendering = loop.create_future()
            self._rendering.set_result(ready)
        else:
            self._rendering = loop.run_in_executor(self._worker, self._synthesise, clause)
        return self._rendering

    def _synthesise(self, clause: str) -> Pcm:
        """On the worker thread."""
        pcm = self._voice.synthesise(clause)
        return pcm if self._volume == 1.0 else (pcm * self._volume).astype(pcm.dtype)

    async def _rendered(self, clause: str, ahead: asyncio.Future[Pcm], progress: _Progress) -> Pcm | None:
        try:
            pcm = await ahead
        except ClaudiaError as fault:
            log.warning("voice %s left out %r: %s", self._voice.name, clause, fault)
            progress.failed.append(clause)
            return None
        if self._cache.get(clause) is None:
            self._cache.put(clause, pcm)
        if progress.first_pcm_at is None:
            progress.first_pcm_at = self._clock.now()
        return pcm

    async def _play(self, clause: str, pcm: Pcm, progress: _Progress) -> None:
        self._now_saying = clause
        try:
            while pcm.size and not self._stale(progress):
                await self._until_resumed()
                pauses = self._pauses
                if not self._stale(progress):
                    await self._speaker.play(pcm, self._voice.sample_rate, progress.sounded)
                if pauses == self._pauses:
                    break
        except asyncio.CancelledError:
            self._speaker.stop()
            raise
        finally:
            self._now_saying = ""
            self._lately.append((clause, self._clock.now()))
        if not self._stale(progress):
            progress.spoken.append(clause)

    async def _until_resumed(self) -> None:
        """Ends by `resume`, `cancel`, or because nobody came back."""
        self._going_on.clear()
        while self._paused:
            if not await wait_for_event(self._going_on, self._clock, LONGEST_PAUSE_S):
                log.warning("the voice was paused and nobody resumed it: it goes on")
                self._paused = False

    def _stale(self, progress: _Progress) -> bool:
        return progress.generation != self._generation

    def _forget_rendering(self) -> None:
        """Forget the clause that is awaited or being synthesised: cancelled if it waits, ignored if it runs."""
        if self._coming is not None:
            self._coming.cancel()
            self._coming = None
        # Cancelling also tells asyncio that a failure nobody awaits is no oversight.
        if self._rendering is not None:
            self._rendering.cancel()
            self._rendering = None
