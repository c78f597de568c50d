"""Keeping models loaded, against the scripted server in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from claudiad.clock import JumpClock
from claudiad.llm.model import Message
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.residency import Residency
from tests.fakes.ollama import FakeOllama, Fault, OllamaTransport, ScriptedModel

PROMPT = (Message("system", "あなたは犬です。"),)


@dataclass
class Home:
    """A server, and who watches it."""

    clock: JumpClock
    core: FakeOllama
    transport: OllamaTransport
    residency: Residency

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - virtual time passes only while the loop turns
                await asyncio.sleep(0)

    def loads(self) -> list[str]:
        """Models that a chat was sent to, in order."""
        return [str(asked.fields["model"]) for asked in self.core.requests if asked.path == "/api/chat"]


@asynccontextmanager
async def home(*installed: ScriptedModel, max_loaded: int = 3, warm: bool = True) -> AsyncIterator[Home]:
    clock = JumpClock()
    core = FakeOllama(clock, installed, max_loaded=max_loaded)
    transport = OllamaTransport(core)
    server = OllamaServer(transport.url, transport=transport)
    residency = Residency(server, ("big", "small"), lambda: PROMPT, clock, warm=warm, watch_s=30.0)
    running = asyncio.create_task(residency.run())
    try:
        yield Home(clock, core, transport, residency)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await server.close()


def both(**how: float) -> tuple[ScriptedModel, ScriptedModel]:
    return ScriptedModel("big", **how), ScriptedModel("small", **how)


async def test_each_model_is_loaded_and_reads_the_real_prompt() -> None:
    """After the start every configured model is there, warmed with the messages it will be asked with."""
    async with home(*both(load_s=3.0)) as h:
        await h.until(lambda: h.residency.found.has("big") and h.residency.found.has("small"))
        chats = [asked.fields for asked in h.core.requests if asked.path == "/api/chat"]
        assert [chat["model"] for chat in chats] == ["big", "small"]
        assert all(chat["messages"] == [{"role": "system", "content": "あなたは犬です。"}] for chat in chats)
        assert all(chat["keep_alive"] == -1 for chat in chats)


async def test_what_was_evicted_is_loaded_again() -> None:
    """Somebody else's model drove ours out: it is back after the next look."""
    async with home(*both(), ScriptedModel("other")) as h:
        await h.until(lambda: h.residency.found.has("small"))
        await h.residency._server.unload("big")
        await h.until(lambda: h.loads().count("big") >= 3)  # loaded, unloaded, loaded again
        await h.until(lambda: h.residency.found.has("big"))


async def test_where_only_one_fits_the_first_one_stays(caplog: pytest.LogCaptureFixture) -> None:
    """The second drives the first out: the first is loaded again, the second never more, and it is said once."""
    async with home(*both(), max_loaded=1) as h:
        await h.until(lambda: h.loads() == ["big", "small", "big"])
        later = h.clock.now() + 300
        await h.until(lambda: h.clock.now() > later)
        assert h.loads() == ["big", "small", "big"]
        assert h.residency.found.has("big")
        assert caplog.text.count("there is no room for both") == 1


async def test_a_missing_server_is_found_when_it_comes(caplog: pytest.LogCaptureFixture) -> None:
    """Down is a state, not an end, and said once: what is configured is loaded as soon as the server answers."""
    async with home(*both()) as h:
        await h.transport.down()
        await h.until(lambda: h.residency.found.state == "down")
        later = h.clock.now() + 100
        await h.until(lambda: h.clock.now() > later)
        assert caplog.text.count("Ollama down: ") == 1
        await h.transport.up()
        await h.until(lambda: h.residency.found.has("big"))
        assert h.residency.found.state == "up"


async def test_a_model_that_is_not_installed_is_named_and_left_alone() -> None:
    """Only what is there is loaded; what is not is in the status line."""
    async with home(ScriptedModel("small")) as h:
        await h.until(lambda: h.residency.found.has("small"))
        assert h.residency.found.missing == ("big",)
        assert "not installed: big" in h.residency.found.line()
        assert h.loads() == ["small"]


async def test_a_model_mostly_on_the_cpu_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """The commonest reason for slowness is named with its remedy."""
    async with home(ScriptedModel("big", gpu_share=0.4), ScriptedModel("small")) as h:
        await h.until(lambda: h.residency.found.has("small"))
        later = h.clock.now() + 100
        await h.until(lambda: h.clock.now() > later)
        assert caplog.text.count("40 % on the GPU") == 1


async def test_without_warming_it_only_looks() -> None:
    """`llm.warm = false` loads nothing."""
    async with home(*both(), warm=False) as h:
        later = h.clock.now() + 100
        await h.until(lambda: h.clock.now() > later)
        assert h.loads() == []
        assert h.residency.found.state == "up"


async def test_a_server_that_stalls_is_down_until_it_answers_again() -> None:
    """The watch does not hang on it."""
    clock = JumpClock()
    core = FakeOllama(clock, both())
    core.inject(Fault.SLOW_HEADERS, path="/api/ps")
    transport = OllamaTransport(core)
    server = OllamaServer(transport.url, transport=transport)
    residency = Residency(server, ("big", "small"), lambda: PROMPT, clock, warm=False, watch_s=30.0)
    running = asyncio.create_task(residency.run())
    async with asyncio.timeout(20):
        while residency.found.state == "unknown":  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0)
        assert (residency.found.state, clock.now()) == ("down", 5.0)
        while residency.found.state == "down":  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0)
    assert residency.found.line() == "Ollama 0.33.0 up: no model loaded"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await server.close()
