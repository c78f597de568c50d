"""The protocol as a server speaks it: the scripted one always, and the one CLAUDIA_TEST_OLLAMA names.

Nothing here knows which it is: no times, no words of an answer. The model is CLAUDIA_TEST_MODEL, any that can chat:
`CLAUDIA_TEST_OLLAMA=127.0.0.1:11434 CLAUDIA_TEST_MODEL=qwen2.5:3b python -m pytest tests/real/test_ollama.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import ollama
import pytest

from claudiad.clock import SystemClock
from claudiad.errors import ModelError
from claudiad.llm.model import ChatRequest, Done, Message, Piece
from claudiad.llm.ollama_address import same_model
from claudiad.llm.ollama_server import OllamaServer
from tests.fakes.ollama import FakeOllama, OllamaTcp, ScriptedModel

SYSTEM = Message("system", '日本語だけで、{"a":[],"r":"返事"} の形で短く答えてください。')
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "integer"}, "maxItems": 3}, "r": {"type": "string"}},
    "required": ["a", "r"],
}
MADE = "claudia-test-made"


@dataclass(frozen=True)
class Subject:
    """A server, and a model it has."""

    server: OllamaServer
    model: str


ADDRESS, MODEL = os.environ.get("CLAUDIA_TEST_OLLAMA", ""), os.environ.get("CLAUDIA_TEST_MODEL", "")
"""A real server and a model of it: where they are named, all of this is asked of them, too."""
SUBJECTS = ["scripted", *([pytest.param("real", marks=pytest.mark.real)] if ADDRESS and MODEL else [])]


@pytest.fixture(params=SUBJECTS)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "scripted":
        core = FakeOllama(SystemClock(), [ScriptedModel("scripted:3b")])
        async with OllamaTcp(core) as front:
            server = OllamaServer(front.url)
            yield Subject(server, "scripted:3b")
            await server.close()
        return
    server = OllamaServer(ADDRESS, connect_ms=5000)
    yield Subject(server, MODEL)
    await server.close()


def ask(text: str, num_predict: int = 80, *, schema: bool = True) -> ChatRequest:
    return ChatRequest((SYSTEM, Message("user", text)), SCHEMA if schema else None, num_predict)


async def answer(subject: Subject, request: ChatRequest) -> tuple[list[Piece], Done]:
    parts = [part async for part in subject.server.stream(subject.model, request)]
    *pieces, done = parts
    assert isinstance(done, Done)
    return [piece for piece in pieces if isinstance(piece, Piece)], done


async def test_the_server_knows_its_version_and_the_model(subject: Subject) -> None:
    """Version, what is installed, what the model can do."""
    assert re.match(r"\d+\.\d+", await subject.server.version())
    (here,) = [each for each in await subject.server.installed() if same_model(each.name, subject.model)]
    assert here.size > 0
    shown = await subject.server.show(subject.model)
    assert "completion" in shown.capabilities


async def test_a_loaded_model_is_listed_until_it_is_unloaded(subject: Subject) -> None:
    """With its share of the GPU."""
    done = await subject.server.load(subject.model)
    assert done.reason == "load"
    (loaded,) = [each for each in await subject.server.loaded() if same_model(each.name, subject.model)]
    assert loaded.size > 0
    assert loaded.gpu_share is not None
    assert 0 <= loaded.gpu_share <= 1
    await subject.server.unload(subject.model)
    assert not [each for each in await subject.server.loaded() if same_model(each.name, subject.model)]


async def test_an_answer_by_schema_is_json(subject: Subject) -> None:
    """Several pieces, an account, and the keys the schema asks for."""
    await subject.server.load(subject.model, (SYSTEM, Message("user", "こんにちは")))
    pieces, done = await answer(subject, ask("こんにちは", 200))
    text = "".join(piece.text for piece in pieces)
    assert len(pieces) > 1
    assert done.tokens > 1
    assert done.prompt_tokens > 0
    assert done.eval_ms >= 0
    assert "<think" not in text
    shown = await subject.server.show(subject.model)
    if done.reason == "stop" and not shown.thinks:
        said = json.loads(text)
        assert isinstance(said["a"], list)
        assert isinstance(said["r"], str)


async def test_log_probabilities_are_below_zero_where_there_are_any(subject: Subject) -> None:
    """A server that does not know them leaves them out."""
    pieces, _ = await answer(subject, ask("こんにちは"))
    assert all(piece.logprob is None or piece.logprob <= 0 for piece in pieces)


async def test_num_predict_is_kept(subject: Subject) -> None:
    """The answer is cut there, and says so."""
    _, done = await answer(subject, ask("長い物語を話してください", 5, schema=False))
    assert done.reason == "length"
    assert done.tokens <= 6


async def test_closing_leaves_the_server_free(subject: Subject) -> None:
    """After an answer was given up, also while it was waited for, the next is whole."""
    async with aclosing(subject.server.stream(subject.model, ask("長い物語を話してください", 1000))) as parts:
        assert isinstance(await anext(parts), Piece)
    task = asyncio.create_task(answer(subject, ask("長い物語を話してください", 1000)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _, done = await answer(subject, ask("こんにちは"))
    assert done.reason in ("stop", "length")


async def test_a_missing_model_is_missing(subject: Subject) -> None:
    """To chat with, to look at, to load; what is not in the library cannot be pulled."""
    nobody = "claudia-test-nobody:1b"
    for asked in (
        anext(subject.server.stream(nobody, ask("こんにちは"))),
        subject.server.show(nobody),
        subject.server.load(nobody),
    ):
        with pytest.raises(ModelError, match="ollama pull") as caught:
            await asked
        assert caught.value.fault == "missing"
    async with aclosing(subject.server.pull(nobody)) as steps:
        with pytest.raises(ModelError) as caught:
            assert [step async for step in steps]
    # "server": it has no way to the library.
    assert caught.value.fault in ("missing", "server")


async def test_a_model_can_be_made_out_of_another(subject: Subject) -> None:
    """It is there, it answers, and making it again replaces it."""
    client = ollama.AsyncClient(subject.server.address)
    try:
        for system in ("あなたは犬です。", "あなたは猫です。"):
            progress = subject.server.create(
                MADE,
                subject.model,
                system=system,
                messages=(Message("user", "立って"), Message("assistant", '{"a":[1004],"r":"はい。"}')),
                parameters={"temperature": 0.2, "num_ctx": 2048, "stop": ["<|im_end|>"]},
            )
            async with aclosing(progress) as steps:
                assert [step.status async for step in steps][-1] == "success"
        assert [each for each in await subject.server.installed() if same_model(each.name, MADE)]
        assert "num_ctx" in ((await client.show(MADE)).parameters or "")
        _, done = await answer(Subject(subject.server, MADE), ask("こんにちは", 20))
        assert done.tokens > 0
        await subject.server.unload(MADE)
    finally:
        await client.delete(MADE)
        await client.close()


async def test_where_nobody_listens_is_unreachable() -> None:
    """Port 1 of this computer."""
    server = OllamaServer("127.0.0.1:1")
    with pytest.raises(ModelError) as caught:
        await server.version()
    assert caught.value.fault == "unreachable"
    await server.close()
