"""What an Ollama server says of its models, and what can be done with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from claudiad.errors import ConfigError, ModelError, ModelFault
from claudiad.llm.model import Message
from claudiad.llm.ollama_facts import Loaded, Progress
from claudiad.llm.ollama_server import OllamaServer
from tests.fakes.ollama import Fault
from tests.llm.ollama_rig import GREETING, PLAIN, THINKER, Rig, ask, rig

PROMPT = (Message("system", "あなたは犬です。"), Message("user", "こんにちは"))


@pytest.fixture(params=["tcp", "virtual"])
async def ollama(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with rig(request.param) as made:
        yield made


async def steps(progress: AsyncGenerator[Progress, None]) -> list[Progress]:
    async with aclosing(progress):
        return [step async for step in progress]


async def test_version_and_installed(ollama: Rig) -> None:
    """What is on the server's disk, with what is known of it."""
    assert await ollama.server.version() == "0.33.0"
    first, second = await ollama.server.installed()
    assert (first.name, first.size, first.parameter_size) == (PLAIN, 2_000_000_000, "3.1B")
    assert first.quantization == "Q4_K_M"
    assert second.name == THINKER


async def test_show_tells_whether_it_thinks(ollama: Rig) -> None:
    """By its capabilities."""
    plain, thinker = await ollama.server.show(PLAIN), await ollama.server.show(THINKER)
    assert (plain.thinks, thinker.thinks) == (False, True)
    assert "completion" in plain.capabilities


async def test_a_model_is_loaded_for_ever_until_it_is_unloaded(ollama: Rig) -> None:
    """`load` and `unload`, with and without `:latest`; what is loaded says how much of it is on the GPU."""
    ollama.core.models["mine:latest"] = ollama.core.models[PLAIN].__class__("mine", gpu_share=0.25)
    assert await ollama.server.loaded() == ()
    done = await ollama.server.load("mine")
    assert (done.reason, done.tokens) == ("load", 0)
    (loaded,) = await ollama.server.loaded()
    assert (loaded.name, loaded.gpu_share) == ("mine:latest", 0.25)
    (resident,) = ollama.core.memory.ready()
    assert (resident.num_ctx, resident.ends_at) == (2048, None)
    await ollama.server.unload("mine:latest")
    assert await ollama.server.loaded() == ()


async def test_loading_with_a_prompt_writes_one_token(ollama: Rig) -> None:
    """The real prompt with the options of every request, so that its beginning is worked through and kept."""
    await ollama.server.load(THINKER, PROMPT)
    (chat,) = [asked.fields for asked in ollama.core.requests if asked.path == "/api/chat"]
    assert chat["options"] == {"num_ctx": 2048, "temperature": 0.2, "top_p": 0.8, "num_predict": 1}
    assert (chat["keep_alive"], chat["stream"], chat["think"], len(chat["messages"])) == (-1, False, False, 2)
    assert [generation.tokens for generation in ollama.core.generations] == [1]
    await ollama.text(ask(), THINKER)
    assert ollama.core.memory.loads == [(THINKER, 2048)]


def test_the_share_of_a_model_without_a_size_is_not_known() -> None:
    """No division by what the server does not give."""
    assert Loaded("m", 0, 0).gpu_share is None


async def test_a_pull_shows_its_progress(ollama: Rig) -> None:
    """Bytes of the layer, then success; the model is there."""
    seen = await steps(ollama.server.pull("qwen2.5:3b"))
    assert seen[0].status == "pulling manifest"
    bytes_here = [step.completed for step in seen if step.total]
    assert bytes_here == [None, 500_000_000, 1_000_000_000, 1_500_000_000, 2_000_000_000]
    assert seen[-1].status == "success"
    assert "qwen2.5:3b" in [each.name for each in await ollama.server.installed()]


async def test_what_the_library_has_not_is_missing(ollama: Rig) -> None:
    """Ollama says so in a line under 200."""
    with pytest.raises(ModelError, match="library has no model") as caught:
        await steps(ollama.server.pull("nobody:1b"))
    assert caught.value.fault == "missing"


async def test_create_makes_a_model_out_of_another(ollama: Rig) -> None:
    """System prompt, parameters, messages and template arrive; what was known of the old model is forgotten."""
    await ollama.server.show(PLAIN)
    parameters = {"temperature": 0.2, "num_ctx": 2048, "stop": ["<|im_end|>"]}
    progress = ollama.server.create(
        "mine",
        THINKER,
        system="犬です。",
        messages=PROMPT,
        parameters=parameters,
        template="{{ .Prompt }}",
        licences=["MIT"],
    )
    assert (await steps(progress))[-1].status == "success"
    made = ollama.core.models["mine:latest"]
    assert (made.system, made.parameters, made.template, made.thinks) == ("犬です。", parameters, "{{ .Prompt }}", True)
    assert [message["role"] for message in made.messages] == ["system", "user"]
    assert (await ollama.text(ask(), "mine"))[0] == GREETING
    await steps(ollama.server.create("mine", PLAIN))
    assert (await ollama.text(ask(), "mine"))[0] == GREETING
    assert [asked.fields.get("think") for asked in ollama.core.requests if asked.path == "/api/chat"] == [False, None]


async def test_a_missing_base_is_pulled_by_the_server(ollama: Rig) -> None:
    """And what cannot be pulled is missing."""
    seen = await steps(ollama.server.create("mine", "qwen2.5:3b"))
    assert any(step.total for step in seen)
    with pytest.raises(ModelError) as caught:
        await steps(ollama.server.create("other", "nobody:1b"))
    assert caught.value.fault == "missing"


BROKEN: dict[Fault, ModelFault] = {
    Fault.REFUSED: "unreachable",
    Fault.CUT_IN_THE_MIDDLE: "cut",
    Fault.EOF_WITHOUT_DONE: "cut",
    Fault.ERROR_LINE: "server",
    Fault.MALFORMED_LINE: "malformed",
    Fault.LIST_LINE: "malformed",
    Fault.WRONG_FIELD_LINE: "malformed",
    Fault.STATUS_500: "server",
    Fault.STATUS_503: "busy",
}


@pytest.mark.parametrize("path", ["/api/pull", "/api/create"])
@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: fault.name)
async def test_a_broken_pull_or_create_is_an_error(ollama: Rig, path: str, fault: Fault) -> None:
    """Nothing that did not succeed looks as if it had."""
    ollama.core.inject(fault, path=path)
    progress = ollama.server.pull("qwen2.5:3b") if path == "/api/pull" else ollama.server.create("mine", PLAIN)
    with pytest.raises(ModelError) as caught:
        await steps(progress)
    assert caught.value.fault == BROKEN[fault]
    assert not {"qwen2.5:3b", "mine:latest"} & set(ollama.core.models)


QUESTIONS: dict[str, Callable[[OllamaServer], Any]] = {
    "/api/version": lambda server: server.version(),
    "/api/tags": lambda server: server.installed(),
    "/api/ps": lambda server: server.loaded(),
    "/api/show": lambda server: server.show(PLAIN),
    "/api/chat": lambda server: server.load(PLAIN),
}


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.STATUS_500, Fault.STATUS_429, Fault.STATUS_404])
async def test_every_question_raises_model_errors_only(ollama: Rig, path: str, fault: Fault) -> None:
    """Refused, failing, busy, not there."""
    ollama.core.inject(fault, path=path)
    with pytest.raises(ModelError) as caught:
        await QUESTIONS[path](ollama.server)
    about_a_model = path in ("/api/show", "/api/chat")
    assert (
        caught.value.fault
        == {
            Fault.REFUSED: "unreachable",
            Fault.STATUS_500: "server",
            Fault.STATUS_429: "busy",
            Fault.STATUS_404: "missing" if about_a_model else "rejected",
        }[fault]
    )


@pytest.mark.parametrize("path", QUESTIONS)
async def test_every_question_can_be_cancelled(ollama: Rig, path: str) -> None:
    """A server that never answers holds nobody who does not want to wait."""
    ollama.core.inject(Fault.SLOW_HEADERS, path=path)
    task = asyncio.create_task(QUESTIONS[path](ollama.server))
    await ollama.core.arrival(path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_model_too_many_drops_the_one_unused_for_longest() -> None:
    """As Ollama does it; another context length loads a model again."""
    async with rig("virtual", load_s=2.0, max_loaded=1) as made:
        await made.server.load(PLAIN)
        await made.server.load(THINKER)
        assert [loaded.name for loaded in await made.server.loaded()] == [THINKER]
        other = OllamaServer(made.front.url, num_ctx=4096, transport=made.front)  # type: ignore[arg-type]
        await other.load(THINKER)
        assert made.core.memory.loads == [(PLAIN, 2048), (THINKER, 2048), (THINKER, 4096)]
        assert made.clock.now() == 6.0


async def test_a_bad_address_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the setting or the environment, before anything is asked."""
    with pytest.raises(ConfigError, match=r"llm\.host"):
        OllamaServer("http://a:b")
    monkeypatch.setenv("OLLAMA_HOST", "http://a:b")
    with pytest.raises(ConfigError, match="OLLAMA_HOST"):
        OllamaServer()
