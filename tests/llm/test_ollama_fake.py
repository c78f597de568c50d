"""The scripted Ollama itself: it takes what the real one takes, and nothing goes on in it unseen."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import httpx
import pytest

from claudiad.clock import JumpClock
from tests.fakes.ollama import ANSWERS, FakeOllama, Fault, OllamaTransport, ScriptedModel
from tests.fakes.ollama_contract import fitted
from tests.fakes.ollama_core import Reply
from tests.fakes.ollama_scripts import answer_of
from tests.llm.ollama_rig import GREETING, SCHEMA

HELLO = [{"role": "user", "content": "こんにちは"}]


@pytest.fixture
def core() -> FakeOllama:
    models = [ScriptedModel("plain", first_token_s=1.0), ScriptedModel("thinker", thinks=True)]
    return FakeOllama(JumpClock(), models)


async def post(core: FakeOllama, path: str, **fields: Any) -> tuple[int, list[dict[str, Any]]]:
    """Status and lines of a reply."""
    return await _lines(await core.handle("POST", path, json.dumps(fields).encode()))


async def _lines(reply: Reply) -> tuple[int, list[dict[str, Any]]]:
    content = b"".join([chunk async for chunk in reply.body])
    return reply.status, [json.loads(line) for line in content.splitlines()]


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("/api/chat", {"model": "plain", "messages": HELLO, "temprature": 1}, "unknown request field 'temprature'"),
        ("/api/chat", {"model": "plain", "options": {"num_prdict": 1}}, "unknown option field"),
        ("/api/chat", {"model": "plain", "options": {"num_predict": "5"}}, "cannot unmarshal str"),
        ("/api/chat", {"model": "plain", "options": {"num_ctx": True}}, "cannot unmarshal bool"),
        ("/api/chat", {"model": "plain", "messages": "x"}, "cannot unmarshal str"),
        ("/api/chat", {"model": "plain", "messages": ["x"]}, "ChatRequest.messages"),
        ("/api/chat", {"model": "plain", "messages": [{"role": "dog", "content": ""}]}, "invalid message"),
        ("/api/chat", {"model": "plain", "keep_alive": "soon"}, "missing unit"),
        ("/api/chat", {"model": "plain", "format": "xml"}, "invalid format"),
        ("/api/chat", {"model": "plain", "messages": HELLO, "think": True}, "does not support thinking"),
        ("/api/chat", {"model": ""}, "model is required"),
        ("/api/create", {"model": "mine"}, "neither 'from' or 'files'"),
        ("/api/create", {"model": "mine", "from": "plain", "parameters": {"x": 1}}, "unknown parameter field"),
    ],
)
async def test_a_wrong_request_is_refused(core: FakeOllama, path: str, fields: Any, said: str) -> None:
    """400 with the reason: a misspelt field does not pass unnoticed."""
    status, (line,) = await post(core, path, **fields)
    assert status == 400
    assert said in line["error"]
    assert core.generations == []


async def test_unknown_paths_and_models_are_not_found(core: FakeOllama) -> None:
    """404, and for a body that is no JSON 400."""
    assert (await core.handle("GET", "/api/nothing", b"")).status == 404
    assert (await core.handle("POST", "/api/chat", b"{")).status == 400
    assert (await core.handle("POST", "/api/chat", b"")).status == 400
    for path in ("/api/chat", "/api/show"):
        assert (await post(core, path, model="nobody"))[0] == 404
    assert (await core.handle("DELETE", "/api/delete", b'{"model":"nobody"}')).status == 404
    assert (await core.handle("DELETE", "/api/delete", b'{"model":"plain"}')).status == 200
    assert (await post(core, "/api/show", model="plain"))[0] == 404


async def test_a_model_that_thinks_thinks_unless_told_not_to(core: FakeOllama) -> None:
    """`think` left out means true where the model can."""
    for think, thoughts in (({}, True), ({"think": True}, True), ({"think": False}, False)):
        _, lines = await post(core, "/api/chat", model="thinker", messages=HELLO, **think)
        assert any(line["message"].get("thinking") for line in lines) is thoughts
        assert "".join(line["message"]["content"] for line in lines) == GREETING


async def test_an_answer_that_is_not_streamed_comes_at_once(core: FakeOllama) -> None:
    """One object, with the whole text; an error within it is a status."""
    status, (line,) = await post(core, "/api/chat", model="plain", messages=HELLO, stream=False, logprobs=True)
    assert (status, line["message"]["content"], line["done"]) == (200, GREETING, True)
    assert len(line["logprobs"]) == line["eval_count"]
    core.inject(Fault.ERROR_LINE)
    assert (await post(core, "/api/chat", model="plain", messages=HELLO, stream=False))[0] == 500


async def test_a_model_leaves_when_its_time_is_over(core: FakeOllama) -> None:
    """Five minutes, or as long as `keep_alive` says."""
    for keep, stays in (({}, 299.0), ({"keep_alive": "10m"}, 599.0), ({"keep_alive": 2}, 1.0)):
        await post(core, "/api/chat", model="plain", **keep)
        await core.clock.sleep(stays)
        assert [resident.model.name for resident in core.memory.ready()] == ["plain"]
        await core.clock.sleep(1.0)
        assert core.memory.ready() == []


async def test_a_reply_that_is_never_read_is_given_up(core: FakeOllama) -> None:
    """Closing it ends the answer, and the next has its turn."""
    body = json.dumps({"model": "plain", "messages": HELLO}).encode()
    reply = await core.handle("POST", "/api/chat", body)
    assert [generation.state for generation in core.generations] == ["running"]
    await reply.body.aclose()
    assert [generation.state for generation in core.generations] == ["cancelled"]
    assert (await post(core, "/api/chat", model="plain", messages=HELLO))[0] == 200


async def test_a_lasting_fault_lasts_for_its_model(core: FakeOllama) -> None:
    """Until it is cleared; other models are well."""
    core.inject(Fault.STATUS_500, model="plain", times=None)
    for _ in range(3):
        assert (await post(core, "/api/chat", model="plain:latest", messages=HELLO))[0] == 500
    assert (await post(core, "/api/chat", model="thinker", messages=HELLO))[0] == 200
    core.clear()
    assert (await post(core, "/api/chat", model="plain", messages=HELLO))[0] == 200


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
async def test_every_fault_shows(fault: Fault) -> None:
    """None of them lets the usual answer through; what never ends is given up here after an hour."""
    clock = JumpClock()
    core = FakeOllama(clock, [ScriptedModel("plain")])
    core.inject(fault)
    client = httpx.AsyncClient(transport=OllamaTransport(core), base_url="http://ollama", timeout=None)  # noqa: S113
    fields = {"model": "plain", "messages": HELLO, "options": {"num_predict": 100}}
    good = (await post(FakeOllama(clock, [ScriptedModel("plain")]), "/api/chat", **fields))[1]

    async def whole() -> str:
        try:
            return (await client.post("/api/chat", json=fields)).text
        except httpx.HTTPError as error:
            return str(error)

    task = asyncio.create_task(whole())
    await clock.sleep(3600.0)
    seen = task.result() if task.done() else ""
    task.cancel()
    assert [line for line in seen.splitlines() if line] != [
        json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in good
    ]
    await asyncio.gather(task, return_exceptions=True)
    await client.aclose()
    assert core.running == []


def test_the_longest_key_in_the_message_answers() -> None:
    """A message may hold more than the words of the person."""
    assert "1016" in answer_of(ANSWERS, "「立ってそして挨拶して」（電池 80 %）")
    assert answer_of(ANSWERS, "xyz") == ANSWERS[""]
    assert answer_of(lambda message: message[::-1], "abc") == "cba"


def test_an_answer_is_made_to_fit_the_schema() -> None:
    """Required keys are there, in the schema's order; free text becomes its text."""
    assert fitted('{"r":"はい"}', SCHEMA) == '{"a":[],"r":"はい"}'
    assert fitted("はい", SCHEMA) == '{"a":[],"r":"はい"}'
    assert fitted('{"r":"い","a":[1],"x":2}', SCHEMA) == '{"a":[1],"r":"い"}'


async def test_it_runs_as_a_process() -> None:
    """It prints its address and answers there."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.ollama", "--model", "mine", "--gpu-share", "0.03", "--load-ms", "1"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().strip()
        async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
            answer = await client.post("/api/chat", json={"model": "mine", "messages": HELLO, "stream": False})
            assert answer.json()["message"]["content"] == GREETING
            (loaded,) = (await client.get("/api/ps")).json()["models"]
        assert (loaded["size_vram"], loaded["size"]) == (60_000_000, 2_000_000_000)
    finally:
        process.terminate()
        await process.wait()
