"""Which models the scripted Ollama has in its memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from claudiad.clock import Clock
from claudiad.llm.ollama_address import full_name
from tests.fakes.ollama_scripts import ScriptedModel


@dataclass
class Resident:
    """A model that is loaded, or being loaded."""

    model: ScriptedModel
    num_ctx: int
    used_at: float
    ends_at: float | None
    """On the server's clock; None: never."""
    busy: int = 0
    ready: bool = False


class Memory:
    """Room for `limit` models, each of which `parallel` requests may use at a time."""

    def __init__(self, clock: Clock, limit: int, parallel: int) -> None:
        self.loads: list[tuple[str, int]] = []
        """Every load there was: model and num_ctx."""
        self._clock = clock
        self._limit = limit
        self._parallel = parallel
        self._residents: dict[str, Resident] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._loading = asyncio.Lock()
        self._freed = asyncio.Event()

    def ready(self) -> list[Resident]:
        """What is loaded now."""
        now = self._clock.now()
        for name, resident in list(self._residents.items()):
            if not resident.busy and resident.ends_at is not None and resident.ends_at <= now:
                del self._residents[name]
        return [resident for resident in self._residents.values() if resident.ready]

    def drop(self, name: str) -> None:
        """Unload a model."""
        self._residents.pop(full_name(name), None)

    @asynccontextmanager
    async def use(self, model: ScriptedModel, num_ctx: int, keep_s: float | None) -> AsyncIterator[None]:
        """Wait for one's turn, load the model if need be, keep it from being dropped, then start its time to live."""
        name = full_name(model.name)
        async with self._turns.setdefault(name, asyncio.Semaphore(self._parallel)):
            async with self._loading:
                resident = await self._loaded(name, model, num_ctx)
            resident.busy += 1
            try:
                yield
            finally:
                resident.busy -= 1
                resident.used_at = self._clock.now()
                resident.ends_at = None if keep_s is None else resident.used_at + keep_s
                self._freed.set()

    async def _loaded(self, name: str, model: ScriptedModel, num_ctx: int) -> Resident:
        self.ready()
        known = self._residents.get(name)
        if known is not None and known.num_ctx == num_ctx:
            return known
        self._residents.pop(name, None)
        while len(self._residents) >= self._limit:
            idle = [key for key, resident in self._residents.items() if not resident.busy]
            if idle:
                del self._residents[min(idle, key=lambda key: self._residents[key].used_at)]
            else:
                self._freed.clear()
                await self._freed.wait()
        self.loads.append((model.name, num_ctx))
        if model.load_s:
            await self._clock.sleep(model.load_s)
        resident = Resident(model, num_ctx, self._clock.now(), None, ready=True)
        self._residents[name] = resident
        return resident
