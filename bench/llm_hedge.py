"""A first model that stalls now and then, a second one loaded beside it: the first token with the hedge and without."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.llm_rig import State, concluded, models_on, put, question, served, settings_with
from claudiad.clock import Clock, JumpClock, SystemClock
from claudiad.config import Settings
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.request_class import RequestClass
from tests.fakes.ollama import FakeOllama, OllamaTransport, ScriptedModel

SEED = 6
STALLS = 0.2
"""Share of the turns in which the first model says nothing."""
JITTER = 0.25
"""A first token takes this much less or more, evenly spread."""
BIG, SMALL = Settings().llm.models
MODELS = (
    ScriptedModel(BIG, first_token_s=0.2, tokens_per_s=40.0),
    ScriptedModel(SMALL, first_token_s=0.12, tokens_per_s=60.0),
)
GONE_MS = 250.0
"""Of a budget when the models are asked, where hearing and understanding took their time."""
TEXTS: dict[RequestClass, tuple[str, ...]] = {
    RequestClass.GREETING: ("いただきます", "ごちそうさまでした", "失礼します"),
    RequestClass.SIMPLE: ("好きな色は何", "いい天気だね", "今日は何をしたの"),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One question."""

    request_class: RequestClass
    hedge: bool
    """It was switched on."""
    gone_ms: float
    """Of the budget, when the models were asked."""
    real: bool
    """In real time over TCP."""
    stalled: bool
    """Had the first model been asked, it would have said nothing."""
    first_token_ms: float | None
    """From the end of speech; None: the models were given up."""
    model: str
    over_ms: float
    """When the thinking was over."""


async def turns(
    server: OllamaServer,
    clock: Clock,
    state: Callable[[State], None],
    *,
    count: int,
    request_class: RequestClass,
    hedge: bool,
    real: bool,
    gone_ms: float = 0.0,
) -> list[Turn]:
    """One conversation after a fresh start. `gone_ms`: of the budget when the models are asked."""
    rng = random.Random(SEED)
    texts, found = TEXTS[request_class], []
    async with models_on(server, settings_with(hedge=hedge), clock) as models:
        for number in range(count):
            stalled = rng.random() < STALLS
            now = [replace(m, first_token_s=m.first_token_s * rng.uniform(1 - JITTER, 1 + JITTER)) for m in MODELS]
            state((now, BIG if stalled else None))
            zero = clock.now() - gone_ms / 1000.0
            asked = question(models, texts[number % len(texts)], zero, request_class)
            end = await concluded(models.thinker.begin(asked))
            first = end.account.first_token_at
            found.append(
                Turn(
                    request_class, hedge, gone_ms, real, stalled,
                    None if first is None else (first - zero) * 1000.0,
                    end.account.model, (clock.now() - zero) * 1000.0,
                )
            )  # fmt: skip
    return found


async def virtual(count: int, request_class: RequestClass, *, hedge: bool, gone_ms: float = 0.0) -> list[Turn]:
    """In virtual time, without sockets."""
    clock = JumpClock()
    core = FakeOllama(clock, MODELS)
    transport = OllamaTransport(core)
    server = OllamaServer(transport.url, transport=transport)
    return await turns(
        server, clock, lambda state: put(core, state),
        count=count, request_class=request_class, hedge=hedge, real=False, gone_ms=gone_ms,
    )  # fmt: skip


async def real(count: int, request_class: RequestClass, *, hedge: bool) -> list[Turn]:
    """In real time, over TCP to another process."""
    with served(MODELS) as remote:
        return await turns(
            OllamaServer(remote.url), SystemClock(), remote.put,
            count=count, request_class=request_class, hedge=hedge, real=True,
        )  # fmt: skip
