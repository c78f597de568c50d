"""The language models of a running claudiad: put together, asked, remembered for, and closed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

from claudiad.app.ledger import TurnRecord
from claudiad.app.ollama_models import open_server
from claudiad.brain import answers
from claudiad.brain.router import Tables
from claudiad.clock import Clock
from claudiad.config import Settings
from claudiad.llm.budget import Budget
from claudiad.llm.cloud import CloudModel
from claudiad.llm.confidence import Evidence
from claudiad.llm.degradation import Degradations
from claudiad.llm.figures import Figures
from claudiad.llm.memory import Exchange, Memory
from claudiad.llm.model import ChatModel, Done
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.prompts import Asked, Prompts
from claudiad.llm.race import Race, Runner
from claudiad.llm.request_class import PromptKind, choose_kind, classify
from claudiad.llm.residency import Residency
from claudiad.llm.schema import offered, steps_of
from claudiad.llm.spending import Spending
from claudiad.llm.state_file import write_whole
from claudiad.llm.thinker import Question, Thinker
from claudiad.llm.wording import THINKING, Rotation
from claudiad.robot.registry import MOVE, ActionSpec
from claudiad.types import Decision, RobotState

log = logging.getLogger(__name__)

AFTER_STOP_S = 20.0
"""What is said so soon after a stop is about it."""
SAVE_EVERY = 10
"""Answers between two writings of the figures."""
_NOT_FOR_A_MODEL = frozenset((answers.UNHEARD, answers.TOO_MUCH, answers.FORBIDDEN))
"""Answers of the router that no model could better."""


class LanguageModels:
    """All that a turn needs of them. It belongs to the event loop."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        server: OllamaServer,
        cloud: ChatModel | None,
        registry: Mapping[str, ActionSpec],
        tables: Tables,
        kept: Path | None,
    ) -> None:
        """Args: `kept` is the folder in which the figures survive a restart; None: they do not."""
        s = settings.llm
        self.server = server
        self.cloud = cloud
        self.prompts = Prompts(
            registry, allow_high_risk=settings.robot.allow_high_risk, limit=s.num_predict, num_ctx=s.num_ctx
        )
        self.memory = Memory(s.memory_turns, s.memory_s)
        self.figures = Figures()
        self.degradations = Degradations()
        self.residency = Residency(
            server,
            s.models,
            lambda: self.prompts.warm_messages(PromptKind.COMMAND),
            clock,
            warm=s.warm,
            watch_s=s.watch_s,
        )
        self.thinker = Thinker(
            settings,
            clock,
            race=Race(self.figures, clock, time.time),
            runners=self._runners,
            cloud=cloud,
            registry=registry,
            actions=choosable(registry, settings.robot.allow_high_risk),
            evidence=Evidence.of(tables.phrases.keyed),
            stops=tables.stops,
            answered=self._answered,
        )
        self._settings = settings
        self._clock = clock
        self._registry = registry
        self._models = [server.model(name) for name in s.models]
        self._kept = kept / "models.json" if kept is not None else None
        self._unsaved = 0
        self._saving: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._fillers = Rotation(THINKING)
        self._stopped_at = float("-inf")

    def question(
        self, decision: Decision, state: RobotState, *, latched: bool, hour: int | None, zero_at: float
    ) -> Question | None:
        """What a model is to be asked about a decision of the router's, or None when that one stands.

        `zero_at`: clock time at which the person stopped speaking.
        """
        if decision.route != "fallback" or decision.reply in _NOT_FOR_A_MODEL:
            return None
        now = self._clock.now()
        after_stop = latched or now - self._stopped_at <= AFTER_STOP_S
        kind, request_class = choose_kind(decision.text, state, after_stop=after_stop), classify(decision.text)
        asked = Asked(decision.text, kind, request_class, state, hour, latched, self.memory.recent(now))
        return Question(decision.text, self.prompts.request(asked), kind, request_class, zero_at, decision)

    def remember(self, record: TurnRecord) -> None:
        """A turn is over: what was said, and what was really spoken and done."""
        now = self._clock.now()
        if record.route == "emergency":
            self._stopped_at = now
        if record.dropped is not None:
            return
        done = [step.action for step in record.steps if step.outcome == "done"]
        self.memory.add(Exchange(record.transcript, record.spoken, steps_of(done, self._registry), now), now)

    def filler(self) -> str:
        """Something short to say while it takes long."""
        return self._fillers.take()

    async def glance(self) -> None:
        """Find out what is loaded, for a command that asks and ends; it says itself what comes of asking."""
        await self.residency.look()

    def status(self) -> str:
        """In one line: the server, its models, and which of them has become slow."""
        return "; ".join([self.residency.found.line(), *(each.english for each in self.degradations.degraded)])

    async def close(self) -> None:
        """End what is under way and keep the figures."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._saving is not None:
            await asyncio.gather(self._saving, return_exceptions=True)  # or the older text might be written last
        await self._save()

    def load(self) -> None:
        """Read the figures of earlier runs. A file that cannot be read is reported and left out of account."""
        if self._kept is not None and (fault := self.figures.load(self._kept, self.degradations)):
            log.warning("the models' figures begin anew: %s", fault)

    async def _save(self) -> None:
        """Keep the figures as they are now: they change on the event loop, and only the writing is beside it.

        A disk that takes none is reported.
        """
        if self._kept is None:
            return
        text = self.figures.to_json(self.degradations)
        try:
            await asyncio.to_thread(write_whole, self._kept, text)
        except OSError as fault:
            log.warning("the models' figures are not kept: %s", fault)

    def _runners(self, budget: Budget) -> Sequence[Runner]:
        """The models to ask, the cloud last. One that is loaded goes before one that is not."""
        found, wall = self.residency.found, time.time()
        by_name = {model.name: model for model in self._models}
        left_ms = budget.first_token_left_ms(self._clock.now())
        ranked = self.figures.order(tuple(by_name), left_ms, wall, lambda model: self._hedge and found.has(model))
        runners = [
            Runner(
                by_name[each.model],
                each.deadline_ms / 1000.0,
                ready=self._hedge and found.has(each.model),
                host=self.server.address,
            )
            for each in ranked
            if each.model not in found.missing
        ]
        if found.state == "up":
            runners.sort(key=lambda runner: not found.has(runner.model.name))
        if self.cloud is not None:
            runners.append(Runner(self.cloud, left_ms / 1000.0, ready=self._hedge, host="cloud"))
        return runners

    @property
    def _hedge(self) -> bool:
        return self._settings.llm.hedge

    def _answered(self, model: str, done: Done) -> None:
        if (report := self.degradations.observe(model, done)) is not None:
            log.log(logging.INFO if report.recovered else logging.WARNING, "%s", report.english)
            if self._settings.llm.reload_degraded and not report.recovered:
                task = asyncio.create_task(self.residency.reload(model), name=f"reload {model}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        self._unsaved += 1
        if self._unsaved >= SAVE_EVERY and (self._saving is None or self._saving.done()):
            self._unsaved = 0
            self._saving = asyncio.create_task(self._save(), name="keep the figures")


def choosable(registry: Mapping[str, ActionSpec], allow_high_risk: bool) -> dict[str, int]:
    """Names and ids of all a model may choose, whatever the prompt named: never stop, never Damp."""
    return {spec.name: spec.api_id for spec in (*offered(registry, allow_high_risk=allow_high_risk), registry[MOVE])}


@asynccontextmanager
async def open_models(
    settings: Settings,
    clock: Clock,
    registry: Mapping[str, ActionSpec],
    tables: Tables,
    *,
    kept: Path | None,
    watch: bool = True,
) -> AsyncIterator[LanguageModels]:
    """The models the settings name, watched and kept loaded from now on; nothing waits for that.

    Args: `kept` is the folder in which the figures survive, or None; `watch` False: a command that asks and ends.

    Raises ConfigError for an address that is none, EngineMissing for a cloud that cannot be asked.
    """
    async with AsyncExitStack() as opened:
        # Their packages take a third of a second and more to import.
        server = await asyncio.to_thread(open_server, settings)
        opened.push_async_callback(server.close)
        cloud = await asyncio.to_thread(open_cloud, settings, clock, kept)
        if cloud is not None:
            opened.push_async_callback(cloud.close)
        models = LanguageModels(
            settings, clock, server=server, cloud=cloud, registry=registry, tables=tables, kept=kept
        )
        models.load()
        watching = asyncio.create_task(models.residency.run() if watch else models.glance(), name="watch Ollama")
        try:
            yield models
        finally:
            watching.cancel()
            await asyncio.gather(watching, models.close(), return_exceptions=True)


def open_cloud(settings: Settings, clock: Clock, kept: Path | None) -> CloudModel | None:
    """The cloud where it is enabled. Raises EngineMissing without its SDK or a key."""
    s = settings.cloud
    if not s.enabled:
        return None
    spending = Spending(kept / "cloud-spending.json" if kept is not None else None, s.daily_usd)
    return CloudModel(
        s, settings.llm.connect_ms, spending, clock=clock, today=lambda: datetime.now().astimezone().date()
    )
