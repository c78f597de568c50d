"""Keeps the configured models in the server's memory, and knows what is there.

The first answer of a model that has to be loaded takes seconds, and one whose prompt was never seen hundreds of
milliseconds: so each is loaded at start and given the real prompt's stable beginning, and again whenever the server has
dropped it. The robot does not wait for any of that, and a server that is missing is looked for again and again.

Where not all models fit at once, the first ones stay: a model whose loading drove out one before it is not loaded
again, or the two would take turns for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from claudiad.clock import Clock
from claudiad.errors import ModelError
from claudiad.llm import checks
from claudiad.llm.model import Message
from claudiad.llm.ollama_address import same_model
from claudiad.llm.ollama_facts import Loaded
from claudiad.llm.ollama_faults import remedy
from claudiad.llm.ollama_server import OllamaServer

log = logging.getLogger(__name__)

MOSTLY_CPU = 0.9
"""Below this share on the GPU, where any of it is on one, a model is slow for a reason that can be mended."""

State = Literal["unknown", "up", "down"]


@dataclass(frozen=True, slots=True)
class Residents:
    """What was found at the last look."""

    state: State = "unknown"
    loaded: tuple[Loaded, ...] = ()
    missing: tuple[str, ...] = ()
    """Configured and not installed."""
    reason: str = ""
    """Why the server is down."""
    version: str = ""
    """The server's, when it is up."""

    def has(self, model: str) -> bool:
        """Whether a model is loaded."""
        return any(same_model(each.name, model) for each in self.loaded)

    def line(self) -> str:
        """For STATUS and the log."""
        if self.state != "up":
            return f"Ollama {self.state}" + (f": {self.reason}" if self.reason else "")
        named = ", ".join(each.name for each in self.loaded) or "no model loaded"
        mend = ", ".join(f"{name} (`{remedy(name)}`)" for name in self.missing)
        return f"Ollama {self.version} up: {named}" + (f"; not installed: {mend}" if mend else "")


class Residency:
    """Watches one server. All of it belongs to the event loop."""

    def __init__(
        self,
        server: OllamaServer,
        models: Sequence[str],
        prompt: Callable[[], Sequence[Message]],
        clock: Clock,
        *,
        warm: bool,
        watch_s: float,
    ) -> None:
        """Args: `prompt` gives the messages a model is warmed with."""
        self._server = server
        self._models = tuple(models)
        self._prompt = prompt
        self._clock = clock
        self._warm = warm
        self._watch_s = watch_s
        self._no_room: set[str] = set()
        self._slow_told: set[str] = set()
        self._found = Residents()

    @property
    def found(self) -> Residents:
        """What was found at the last look."""
        return self._found

    async def run(self) -> None:
        """Look, load what is missing, wait, again; until cancelled."""
        while True:
            before = self._found
            self._tell(before, await self.look())
            if self._warm and self._found.state == "up":
                await self._load_missing()
            await self._clock.sleep(self._watch_s)

    async def look(self) -> Residents:
        """Ask the server once. Never raises ModelError: a server that is not there is something found."""
        try:
            here = await checks.look(self._server, self._clock)
        except ModelError as fault:
            self._found = Residents("down", reason=str(fault))
        else:
            missing = tuple(name for name in self._models if here.installed_as(name) is None)
            self._found = Residents("up", here.loaded, missing, version=here.version)
        return self._found

    async def reload(self, model: str) -> None:
        """Drop a model and load it again: the cure for one that has become slow, if it has one."""
        try:
            await self._server.unload(model)
            await checks.load(self._server, model, self._clock, log.info, self._prompt())
        except ModelError as fault:
            log.warning("%s cannot be reloaded: %s", model, fault)

    async def _load_missing(self) -> None:
        for model in self._models:
            if self._found.has(model) or model in self._found.missing or model in self._no_room:
                continue
            before = [name for name in self._models if self._found.has(name)]
            log.info("loading %s", model)
            try:
                seconds = await checks.load(self._server, model, self._clock, log.info, self._prompt())
            except ModelError as fault:
                log.warning("%s cannot be loaded: %s", model, fault)
                continue
            log.info("%s is loaded and has read its prompt (%.1f s)", model, seconds)
            found = self._found
            self._tell(found, await self.look())
            driven_out = [name for name in before if not self._found.has(name)]
            if any(self._models.index(name) < self._models.index(model) for name in driven_out):
                self._no_room.add(model)
                log.warning(
                    "%s drove out %s: there is no room for both. It is only asked when the others fail "
                    "(OLLAMA_MAX_LOADED_MODELS, or a smaller model)",
                    model,
                    ", ".join(driven_out),
                )
                await self._load_missing()
                return

    def _tell(self, before: Residents, found: Residents) -> None:
        """The log: what has changed, once."""
        if (before.state, before.missing) != (found.state, found.missing):
            log.log(logging.INFO if found.state == "up" and not found.missing else logging.WARNING, "%s", found.line())
        for each in found.loaded:
            share = each.gpu_share
            if share == 0 and each.name not in self._slow_told:
                self._slow_told.add(each.name)
                log.info("%s is all on the CPU; where there is a GPU, `journalctl -u ollama` says why", each.name)
            if each.size_vram and share is not None and share < MOSTLY_CPU and each.name not in self._slow_told:
                self._slow_told.add(each.name)
                log.warning(
                    "%s is only %.0f %% on the GPU: it answers slowly. A smaller model, a smaller llm.num_ctx or more "
                    "free GPU memory mends that",
                    each.name,
                    share * 100,
                )
