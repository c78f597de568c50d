"""The daemon's own language models on a scripted Ollama, in a process of its own or in this one in virtual time."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection

from claudiad.app.language_models import LanguageModels
from claudiad.app.parts import brain_tables
from claudiad.brain.mind import Mind
from claudiad.brain.router import Router, Tables
from claudiad.clock import Clock, SystemClock
from claudiad.config import Settings
from claudiad.llm.ollama_address import full_name
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.request_class import RequestClass
from claudiad.llm.thinker import Concluded, Question, Thinking
from claudiad.robot import registry
from claudiad.types import Posture, RobotState
from tests.fakes.ollama import ANSWERS, FakeOllama, Fault, OllamaTcp, ScriptedModel

STANDING = RobotState(Posture.STANDING, 80)
HOUR = 15
START_S = 30.0
"""A server process that has not given its address by then will not."""

State = tuple[Sequence[ScriptedModel], str | None]
"""The models as they are from now on, and which of them stalls in its next answer."""


def settings_with(*, hedge: bool = True) -> Settings:
    """As they ship, but for this."""
    base = Settings().model_dump()
    base["llm"]["hedge"] = hedge
    return Settings.model_validate(base)


def put(core: FakeOllama, state: State) -> None:
    """Let the server be like this."""
    models, stalls = state
    core.models |= {full_name(model.name): model for model in models}
    core.clear()
    if stalls is not None:
        core.inject(Fault.STALL_AT_START, model=stalls)


@dataclass(frozen=True, slots=True)
class Remote:
    """The server in its process."""

    url: str
    wire: Connection

    def put(self, state: State) -> None:
        """See `put`; it is so when this returns."""
        self.wire.send(state)
        self.wire.recv()


@contextmanager
def served(models: Sequence[ScriptedModel], answers: Mapping[str, str] = ANSWERS) -> Iterator[Remote]:
    """A scripted Ollama on TCP, in a process of its own that ends with this block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, tuple(models), dict(answers)), daemon=True)
    process.start()
    try:
        if not here.poll(START_S):
            raise TimeoutError("the scripted Ollama did not start")
        yield Remote(here.recv(), here)
    finally:
        process.terminate()
        process.join()


def _serve(wire: Connection, models: Sequence[ScriptedModel], answers: Mapping[str, str]) -> None:
    async def serve() -> None:
        core = FakeOllama(SystemClock(), models, answers=answers)

        def obey() -> None:
            put(core, wire.recv())
            wire.send(None)

        async with OllamaTcp(core) as front:
            wire.send(front.url)
            asyncio.get_running_loop().add_reader(wire.fileno(), obey)
            await asyncio.get_running_loop().create_future()

    asyncio.run(serve())


@cache
def tables() -> Tables:
    """What the daemon understands without a model."""
    return brain_tables(Settings(), registry.load())


@asynccontextmanager
async def models_on(server: OllamaServer, settings: Settings, clock: Clock) -> AsyncIterator[LanguageModels]:
    """All models loaded and warmed, nothing known of how quick they are; on the way out the server is closed."""
    models = LanguageModels(
        settings, clock, server=server, cloud=None, registry=registry.load(), tables=tables(), kept=None
    )
    try:
        for name in settings.llm.models:
            await server.load(name)
        await models.residency.look()
        yield models
    finally:
        await models.close()
        await server.close()


def question(models: LanguageModels, text: str, zero_at: float, expected: RequestClass | None = None) -> Question:
    """As a turn asks it of a robot that stands. Raises ValueError when no model would be asked, or in another class."""
    decision = Mind(Router(tables())).decide(text, STANDING, zero_at, HOUR)
    asked = models.question(decision, STANDING, latched=False, hour=HOUR, zero_at=zero_at)
    if asked is None:
        raise ValueError(f"{text} is answered without a model: {decision.rule}")
    if expected not in (None, asked.request_class):
        raise ValueError(f"{text} is {asked.request_class}, not {expected}")
    return asked


async def concluded(thinking: Thinking) -> Concluded:
    """Read all thoughts."""
    async for thought in thinking.thoughts():
        if isinstance(thought, Concluded):
            return thought
    raise RuntimeError("the thoughts ended without a conclusion")
