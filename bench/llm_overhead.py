"""What lies between a question and its first token that is not the server: this program, and the client it uses.

Four ways ask the same thing of the same server in another process, one after another in every round, in a random order.
Each has a connection of its own that stays open, and its answer is read to the end before the next one asks.
"""

from __future__ import annotations

import gc
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import ollama

from bench.llm_rig import concluded, models_on, question, served, settings_with
from claudiad.app.language_models import LanguageModels
from claudiad.clock import SystemClock
from claudiad.llm.ollama_server import OllamaServer
from tests.fakes.ollama import ScriptedModel

TEXT = "可愛い動作して"
SEED = 6
WARM = 30
"""Rounds that are not counted."""
BARE, PACKAGE, ADAPTER, OURS = "bare httpx", "ollama package", "OllamaServer", "Thinker"
"""Each of them contains the one before it."""
CLOCK = SystemClock()

Way = Callable[[], Awaitable[float]]
"""Asks, reads the answer to the end, and returns the seconds from asking to the first of it."""


class Recorder(httpx.AsyncHTTPTransport):
    """Keeps what was sent last."""

    body = b""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.body = await request.aread()
        return await super().handle_async_request(request)


async def overhead(rounds: int) -> dict[str, list[float]]:
    """Milliseconds to the first token, of each way, in the order of the rounds."""
    settings = settings_with()
    async with AsyncExitStack() as stack:
        remote = stack.enter_context(served([ScriptedModel(name) for name in settings.llm.models]))
        recorder = Recorder()
        recorded = OllamaServer(remote.url, transport=recorder)
        models = await stack.enter_async_context(models_on(OllamaServer(remote.url), settings, CLOCK))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=remote.url, trust_env=False))
        client = ollama.AsyncClient(remote.url, trust_env=False)
        stack.push_async_callback(client.close)
        request, name = question(models, TEXT, CLOCK.now()).request, settings.llm.models[0]
        await _first(recorded.stream(name, request))
        await recorded.close()
        body = recorder.body
        ways: dict[str, Way] = {
            BARE: lambda: _first(_lines(http, body)),
            PACKAGE: lambda: _first(_package(client, json.loads(body))),
            ADAPTER: lambda: _first(models.server.stream(name, request)),
            OURS: lambda: _thinker(models),
        }
        found: dict[str, list[float]] = {way: [] for way in ways}
        names, rng = list(ways), random.Random(SEED)
        gc.collect()
        gc.freeze()  # as the daemon does: the tables of the language are many objects
        for number in range(WARM + rounds):
            for way in rng.sample(names, len(names)):
                seconds = await ways[way]()
                if number >= WARM:
                    found[way].append(seconds * 1000.0)
        return found


async def _first(parts: AsyncIterator[Any]) -> float:
    began, first = CLOCK.now(), None
    async for _ in parts:
        first = CLOCK.now() if first is None else first
    if first is None:
        raise RuntimeError("the scripted Ollama did not answer")
    return first - began


async def _lines(http: httpx.AsyncClient, body: bytes) -> AsyncIterator[str]:
    async with http.stream("POST", "/api/chat", content=body) as response:
        async for line in response.aiter_lines():
            yield line


async def _package(client: ollama.AsyncClient, fields: dict[str, Any]) -> AsyncIterator[object]:
    async for part in await client.chat(**fields):
        yield part


async def _thinker(models: LanguageModels) -> float:
    asked = question(models, TEXT, CLOCK.now())
    began = CLOCK.now()
    account = (await concluded(models.thinker.begin(asked))).account
    if account.first_token_at is None:
        raise RuntimeError(f"no model answered: {account.reasons}")
    return account.first_token_at - began
