"""A scripted Ollama behind either of its fronts, and a client to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from claudiad.clock import Clock, JumpClock, SystemClock
from claudiad.llm.model import ChatRequest, Done, Message, Piece
from claudiad.llm.ollama_server import OllamaServer
from tests.fakes.ollama import FakeOllama, OllamaTcp, OllamaTransport, ScriptedModel

PLAIN = "plain:3b"
THINKER = "thinker:4b"
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "array"}, "r": {"type": "string"}},
    "required": ["a", "r"],
}
GREETING = '{"a":[],"r":"こんにちは。今日も元気です。"}'


@dataclass
class Rig:
    """Server, the way to it, client."""

    core: FakeOllama
    front: OllamaTcp | OllamaTransport
    server: OllamaServer
    clock: Clock

    async def text(self, request: ChatRequest, model: str = PLAIN) -> tuple[str, Done]:
        """A whole answer."""
        said, ends = "", []
        async for part in self.server.stream(model, request):
            if isinstance(part, Piece):
                assert part.text
                said += part.text
            else:
                ends.append(part)
        assert len(ends) == 1
        return said, ends[0]


def ask(text: str = "こんにちは", num_predict: int = 200, *, schema: bool = True) -> ChatRequest:
    """A request as the prompts make it."""
    messages = (Message("system", "あなたは犬です。"), Message("user", text))
    return ChatRequest(messages, SCHEMA if schema else None, num_predict)


@asynccontextmanager
async def rig(kind: str, **timing: Any) -> AsyncIterator[Rig]:
    """`kind`: `tcp` on the machine's time, `virtual` on a clock that jumps."""
    options = {key: timing.pop(key) for key in ("max_loaded", "parallel", "max_queue", "pull_s") if key in timing}
    clock: Clock = SystemClock() if kind == "tcp" else JumpClock()
    models = [ScriptedModel(PLAIN, **timing), ScriptedModel(THINKER, thinks=True, **timing)]
    core = FakeOllama(clock, models, library=[ScriptedModel("qwen2.5:3b")], **options)
    if kind == "tcp":
        async with OllamaTcp(core) as front:
            server = OllamaServer(front.url)
            try:
                yield Rig(core, front, server, clock)
            finally:
                await server.close()
        return
    transport = OllamaTransport(core)
    server = OllamaServer(transport.url, transport=transport)
    yield Rig(core, transport, server, clock)
    await server.close()
    assert not transport.open, "a reply was not closed"
