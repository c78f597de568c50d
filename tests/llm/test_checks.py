"""Checks of a server and its models, against the scripted one in virtual time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from claudiad.clock import JumpClock
from claudiad.errors import ModelError
from claudiad.llm import checks
from claudiad.llm.checks import Stalled, look, try_model
from claudiad.llm.model import ChatRequest, Done, Piece
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.prompts import Prompts
from claudiad.robot import registry
from tests.fakes.ollama import FakeOllama, Fault, OllamaTransport, ScriptedModel

PROMPTS = Prompts(registry.load(), allow_high_risk=False)


@dataclass
class Place:
    """A server and a client to it."""

    clock: JumpClock
    core: FakeOllama
    front: OllamaTransport
    server: OllamaServer
    told: list[str] = field(default_factory=list)

    def before(self, number: int, fault: Fault) -> None:
        """Let this one of the answers that are measured go wrong, from 1."""
        stream, asked = self.server.stream, iter(range(1, 100))

        def counted(model: str, request: ChatRequest) -> AsyncGenerator[Piece | Done, None]:
            if next(asked) == number:
                self.core.inject(fault)
            return stream(model, request)

        self.server.stream = counted  # type: ignore[method-assign]

    async def tried(self, name: str = "m:3b") -> checks.ModelTried:
        return await try_model(self.server, name, PROMPTS, self.clock, self.told.append)


@asynccontextmanager
async def place(**model: float) -> AsyncIterator[Place]:
    clock = JumpClock()
    core = FakeOllama(clock, [ScriptedModel("m:3b", **model)])  # type: ignore[arg-type]
    front = OllamaTransport(core)
    server = OllamaServer(front.url, transport=front)
    yield Place(clock, core, front, server)
    await server.close()
    assert core.running == []
    assert not front.open


async def test_a_server_says_what_it_is_and_has() -> None:
    """Version, models on its disk, models in its memory, by any spelling of their names."""
    async with place() as at:
        found = await look(at.server, at.clock)
        assert found.version == "0.33.0"
        assert found.installed_as("M:3B") is not None
        assert found.loaded_as("m:3b") is None
        await at.server.load("m:3b")
        assert (await look(at.server, at.clock)).loaded_as("m:3b") is not None


@pytest.mark.parametrize("path", ["/api/version", "/api/tags", "/api/ps"])
async def test_a_server_that_stalls_is_not_waited_for(path: str) -> None:
    """After a while it is said, with the command that helps."""
    async with place() as at:
        at.core.inject(Fault.SLOW_HEADERS, path=path)
        with pytest.raises(Stalled, match="no answer in 5 s: `systemctl restart ollama`"):
            await look(at.server, at.clock)
        assert at.clock.now() == pytest.approx(checks.LOOK_S)


async def test_nobody_there_is_no_stall() -> None:
    """It is the client's own error."""
    async with place() as at:
        await at.front.down()
        with pytest.raises(ModelError) as raised:
            await look(at.server, at.clock)
        assert (raised.value.fault, isinstance(raised.value, Stalled)) == ("unreachable", False)


async def test_a_model_is_measured_with_the_real_prompt() -> None:
    """Loaded with its system message, asked with it, and nothing asked that would push it out of the cache."""
    async with place(first_token_s=0.2, tokens_per_s=40, load_s=1.0, gpu_share=0.5) as at:
        tried = await at.tried()
        assert tried.faults == ()
        assert tried.first_token_ms == pytest.approx(200)
        assert tried.tokens_per_s == pytest.approx(40)
        assert (tried.gpu_share, at.told) == (0.5, [])
        chats = [asked.fields for asked in at.core.requests if asked.path == "/api/chat"]
        assert len(chats) == 3
        assert len({chat["messages"][0]["content"] for chat in chats}) == 1
        assert len({chat["options"]["num_ctx"] for chat in chats}) == 1


async def test_loading_that_takes_long_is_told() -> None:
    """From two seconds on, and every ten."""
    async with place(load_s=15.0) as at:
        assert (await at.tried()).load_s == pytest.approx(15.0)
        assert at.told == ["m:3b: being loaded, 2 s so far", "m:3b: being loaded, 12 s so far"]


async def test_loading_without_end_is_given_up() -> None:
    """Everything has a deadline."""
    async with place(load_s=1e6) as at:
        tried = await at.tried()
        assert tried.faults == (f"m:3b on {at.server.address}: not loaded in 180 s",)
        assert at.clock.now() == pytest.approx(checks.LOAD_S)


async def test_an_answer_that_stalls_is_given_up() -> None:
    """What was measured of it stays, and nothing more is asked."""
    async with place(first_token_s=0.2) as at:
        at.before(1, Fault.STALL_IN_THE_MIDDLE)
        tried = await at.tried()
        assert tried.faults == ("m:3b: not done in 30 s",)
        assert tried.first_token_ms == pytest.approx(200)
        assert tried.tokens_per_s is None


@pytest.mark.parametrize("fault", [Fault.NO_JSON, Fault.CODE_FENCE, Fault.UNREGISTERED_ID, Fault.STATUS_400])
async def test_output_that_does_not_follow_the_schema_is_named(fault: Fault) -> None:
    """Only the tiny request is held to it exactly; what a turn asks is read more kindly."""
    async with place(first_token_s=0.2, tokens_per_s=40) as at:
        at.before(2, fault)
        tried = await at.tried()
        assert len(tried.faults) == 1
        assert tried.faults[0].startswith("structured output does not work: ")
        assert tried.first_token_ms == pytest.approx(200)
