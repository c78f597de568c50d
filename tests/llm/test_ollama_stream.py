"""An answer from Ollama, whole, broken and given up, over TCP and over virtual time."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.clock import JumpClock
from claudiad.errors import ModelError, ModelFault
from claudiad.llm import ollama_faults
from claudiad.llm.model import ChatModel, ChatRequest, Done, Message, Piece
from claudiad.llm.ollama_server import OllamaServer
from tests.fakes.ollama import FakeOllama, Fault, OllamaTransport, ScriptedModel
from tests.llm.ollama_rig import GREETING, PLAIN, THINKER, Rig, ask, rig


@pytest.fixture(params=["tcp", "virtual"])
async def ollama(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with rig(request.param) as made:
        yield made


async def test_an_answer_comes_in_pieces_and_ends_once(ollama: Rig) -> None:
    """Pieces with their log-probability, then one Done with the server's account."""
    parts = [part async for part in ollama.server.stream(PLAIN, ask())]
    pieces, done = parts[:-1], parts[-1]
    assert "".join(part.text for part in pieces if isinstance(part, Piece)) == GREETING
    assert len(pieces) > 5
    assert all(isinstance(part, Piece) and part.logprob == pytest.approx(-0.05) for part in pieces)
    assert isinstance(done, Done)
    assert (done.reason, done.tokens, done.prompt_tokens > 0) == ("stop", len(pieces), True)
    assert [generation.state for generation in ollama.core.generations] == ["finished"]


async def test_the_request_says_what_it_must(ollama: Rig) -> None:
    """Schema, options, for ever; the options are the same whatever is asked."""
    await ollama.text(ask())
    await ollama.text(ask("立って", 30, schema=False))
    first, second = (asked.fields for asked in ollama.core.requests if asked.path == "/api/chat")
    assert first["model"] == PLAIN
    assert first["messages"][-1] == {"role": "user", "content": "こんにちは"}
    assert first["format"]["required"] == ["a", "r"]
    assert first["keep_alive"] == -1
    assert first["options"] == {"num_ctx": 2048, "temperature": 0.2, "top_p": 0.8, "num_predict": 200}
    assert second["options"] == {**first["options"], "num_predict": 30}
    assert "format" not in second
    assert "think" not in first
    assert ollama.core.memory.loads == [(PLAIN, 2048)]


async def test_a_model_that_thinks_is_told_not_to(ollama: Rig) -> None:
    """`think` is false where the model can think, and it is looked up once."""
    for _ in range(2):
        assert (await ollama.text(ask(), THINKER))[0] == GREETING
    chats = [asked.fields for asked in ollama.core.requests if asked.path == "/api/chat"]
    assert [chat["think"] for chat in chats] == [False, False]
    assert sum(asked.path == "/api/show" for asked in ollama.core.requests) == 1


async def test_thinking_is_never_a_piece(ollama: Rig) -> None:
    """A model replaced by one that thinks aloud: the thoughts are left out, and it is told not to the next time."""
    await ollama.server.show(PLAIN)
    ollama.core.models[PLAIN] = ollama.core.models[THINKER]
    assert (await ollama.text(ask()))[0] == GREETING
    assert (await ollama.text(ask()))[0] == GREETING
    chats = [asked.fields for asked in ollama.core.requests if asked.path == "/api/chat"]
    assert [chat.get("think") for chat in chats] == [None, False]


async def test_num_predict_cuts(ollama: Rig) -> None:
    """An answer longer than allowed ends with the reason length."""
    text, done = await ollama.text(ask(num_predict=4))
    assert GREETING.startswith(text)
    assert (done.reason, done.tokens) == ("length", 4)


async def test_a_model_is_a_chat_model(ollama: Rig) -> None:
    """`model` gives something that can be asked by itself."""
    model: ChatModel = ollama.server.model(PLAIN)
    assert model.name == PLAIN
    assert isinstance([part async for part in model.stream(ask())][-1], Done)


FAULTS: dict[Fault, ModelFault] = {
    Fault.REFUSED: "unreachable",
    Fault.CUT_AT_START: "cut",
    Fault.CUT_IN_THE_MIDDLE: "cut",
    Fault.CUT_IN_A_STRING: "cut",
    Fault.CUT_IN_A_CHARACTER: "cut",
    Fault.EOF_AT_START: "cut",
    Fault.EOF_WITHOUT_DONE: "cut",
    Fault.EOF_IN_A_LINE: "cut",
    Fault.ERROR_AT_START: "server",
    Fault.ERROR_LINE: "server",
    Fault.MALFORMED_LINE: "malformed",
    Fault.LIST_LINE: "malformed",
    Fault.WRONG_FIELD_LINE: "malformed",
    Fault.STATUS_400: "rejected",
    Fault.STATUS_404: "missing",
    Fault.STATUS_429: "busy",
    Fault.STATUS_500: "server",
    Fault.STATUS_503: "busy",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_has_its_name(ollama: Rig, fault: Fault) -> None:
    """A `ModelError` of one line that names the model and the server; the next answer is whole again."""
    ollama.core.inject(fault)
    said: list[str] = []
    with pytest.raises(ModelError) as caught:
        await _read(ollama, said)
    assert caught.value.fault == FAULTS[fault]
    assert str(caught.value).startswith(f"{PLAIN} on {ollama.front.url}: ")
    assert "\n" not in str(caught.value)
    assert GREETING.startswith("".join(said))
    assert ollama.core.running == []
    assert (await ollama.text(ask()))[0] == GREETING


async def test_what_came_before_a_cut_is_there(ollama: Rig) -> None:
    """The pieces before the fault have been given out."""
    ollama.core.inject(Fault.CUT_IN_THE_MIDDLE)
    said: list[str] = []
    with pytest.raises(ModelError):
        await _read(ollama, said)
    assert "".join(said) == GREETING[: len(GREETING) // 4 * 2]


async def test_what_comes_after_done_is_not_waited_for(ollama: Rig) -> None:
    """A body that never ends does not hold a whole answer."""
    ollama.core.inject(Fault.STALL_AFTER_DONE)
    assert (await ollama.text(ask()))[0] == GREETING


STRANGE = {
    Fault.STRAY_THINK: f"</think>\n\n{GREETING}",
    Fault.CODE_FENCE: f"```json\n{GREETING}\n```",
    Fault.EMPTY: "",
    Fault.WRONG_TYPES: '{"a":"1016","r":["はい"]}',
    Fault.CHINESE: '{"a":[1004,1016],"r":"立ちます然后は挨拶します"}',
}


@pytest.mark.parametrize("fault", STRANGE, ids=lambda fault: fault.name)
async def test_strange_answers_pass_as_they_are(ollama: Rig, fault: Fault) -> None:
    """What a model writes is not judged here."""
    ollama.core.inject(fault)
    text, done = await ollama.text(ask())
    assert (text, done.reason) == (STRANGE[fault], "stop")


async def test_a_huge_line_is_one_piece(ollama: Rig) -> None:
    """Half a megabyte in one line is read."""
    ollama.core.inject(Fault.HUGE_LINE)
    text, _ = await ollama.text(ask())
    assert len(json.loads(text)["r"]) == 170_000


async def test_endless_repetition_ends_at_num_predict(ollama: Rig) -> None:
    """A model that cannot stop is stopped by the server."""
    ollama.core.inject(Fault.REPETITION)
    text, done = await ollama.text(ask(num_predict=50))
    assert text.count("はい") > 40
    assert done.reason == "length"


async def test_a_missing_model_names_the_command(ollama: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ollama pull`, or `claudiad models create` for a model made from a Modelfile of this program."""
    with pytest.raises(ModelError, match=r"not installed: `ollama pull nobody:1b`$") as caught:
        await ollama.text(ask(), "nobody:1b")
    assert caught.value.fault == "missing"
    monkeypatch.setattr(ollama_faults.modelfile, "find", lambda name: name if name == "Ours" else None)
    with pytest.raises(ModelError, match=r"not installed: `claudiad models create Ours`$"):
        await ollama.text(ask(), "Ours")


STALLS = [Fault.SLOW_HEADERS, Fault.STALL_AT_START, Fault.STALL_IN_THE_MIDDLE]


@pytest.mark.parametrize("fault", STALLS, ids=lambda fault: fault.name)
async def test_a_cancelled_wait_ends_the_request(ollama: Rig, fault: Fault) -> None:
    """However long the server says nothing, the task that reads can be cancelled, and nothing goes on."""
    ollama.core.inject(fault)
    said: list[str] = []
    halfway = asyncio.Event()
    task = asyncio.create_task(_read(ollama, said, halfway))
    await ollama.core.arrival("/api/chat")
    if fault is Fault.STALL_IN_THE_MIDDLE:
        await halfway.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ollama.core.quiet()
    assert ollama.core.running == []
    assert all(generation.state == "cancelled" for generation in ollama.core.generations)
    assert (await ollama.text(ask()))[0] == GREETING


@pytest.mark.parametrize("kind", ["tcp", "virtual"])
@pytest.mark.parametrize("taken", [0, 1, 3])
async def test_closing_the_generator_ends_the_generation(kind: str, taken: int) -> None:
    """An answer nobody wants any more is not written to its end."""
    async with rig(kind, tokens_per_s=200.0) as made:
        async with aclosing(made.server.stream(PLAIN, ask())) as parts:
            for _ in range(taken):
                assert isinstance(await anext(parts), Piece)
        if kind == "virtual":
            # Not some time later, when the garbage is collected.
            assert made.core.running == []
        await made.core.quiet()
        states = [(generation.state, generation.tokens < 15) for generation in made.core.generations]
        assert states == ([("cancelled", True)] if taken else [])


async def test_cancelling_while_the_model_loads_gives_the_load_up() -> None:
    """A request that waits for a load can be cancelled; the model is not loaded then."""
    async with rig("virtual", load_s=60.0) as made:
        with pytest.raises(TimeoutError):
            await _within(made, 5.0, made.text(ask()))
        assert made.clock.now() == 5.0
        assert [generation.state for generation in made.core.generations] == ["cancelled"]
        assert await made.server.loaded() == ()


async def test_two_questions_to_one_model_wait_for_each_other() -> None:
    """One model writes one answer at a time; two models write beside each other."""
    async with rig("virtual", first_token_s=1.0) as made:
        await asyncio.gather(made.text(ask()), made.text(ask()))
        assert made.clock.now() == 2.0
        await asyncio.gather(made.text(ask()), made.text(ask(), THINKER))
        assert made.clock.now() == 3.0


async def test_pieces_come_when_the_model_writes_them() -> None:
    """The first after the first-token time, the others at the model's speed."""
    async with rig("virtual", first_token_s=0.2, tokens_per_s=20.0, load_s=3.0) as made:
        await made.server.load(PLAIN)
        assert made.clock.now() == 3.0
        times, done = [], None
        async for part in made.server.stream(PLAIN, ask()):
            times.append(made.clock.now())
            done = part
        assert times[:3] == pytest.approx([3.2, 3.25, 3.3])
        assert isinstance(done, Done)
        assert done.load_ms == 0
        assert done.prompt_ms == pytest.approx(200)
        assert done.tokens_per_s == pytest.approx(20)


async def test_a_full_queue_is_busy() -> None:
    """503 when more wait than the server allows."""
    async with rig("virtual", first_token_s=1.0, max_queue=1) as made:
        await made.server.show(PLAIN)
        first, second = (asyncio.create_task(made.text(ask())) for _ in range(2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(ModelError) as caught:
            await made.text(ask())
        assert caught.value.fault == "busy"
        await asyncio.gather(first, second)


async def test_a_server_that_went_and_came_back_is_asked_again(ollama: Rig) -> None:
    """A connection kept from before does not spoil the answer."""
    await ollama.text(ask())
    await ollama.front.down()
    with pytest.raises(ModelError, match="is it running") as caught:
        await ollama.text(ask())
    assert caught.value.fault == "unreachable"
    await ollama.front.up()
    assert (await ollama.text(ask()))[0] == GREETING


async def test_no_connection_in_time_is_a_timeout() -> None:
    """An address nobody answers at is given up after `connect_ms`."""
    async with rig("virtual") as made:
        assert isinstance(made.front, OllamaTransport)
        made.front.unplug()
        with pytest.raises(ModelError) as caught:
            await made.text(ask())
        assert (caught.value.fault, made.clock.now()) == ("timeout", 1.0)


async def test_a_finished_answer_leaves_its_connection_for_the_next() -> None:
    """Answers one after another come over one connection, also when the reader stops at Done."""
    async with rig("tcp") as made:
        for _ in range(3):
            async with aclosing(made.server.stream(PLAIN, ask())) as parts:
                async for part in parts:
                    if isinstance(part, Done):
                        break
        pool = made.server._client._client._transport._pool  # type: ignore[attr-defined]
        assert len(pool.connections) == 1
        assert pool.connections[0].is_idle()


async def test_after_close_there_is_a_model_error(ollama: Rig) -> None:
    """A closed client raises what everything else raises."""
    await ollama.server.close()
    with pytest.raises(ModelError) as caught:
        await ollama.text(ask())
    assert caught.value.fault == "unreachable"


async def test_a_bug_here_is_not_blamed_on_the_server() -> None:
    """What is no fault of the exchange is raised as it is."""
    with pytest.raises(RuntimeError, match="ours"), ollama_faults.Exchange("http://x").translated():
        raise RuntimeError("ours")


async def test_the_proxy_is_not_asked_for_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """$HTTP_PROXY is for the world outside."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with rig("tcp") as made:
        assert (await made.text(ask()))[0] == GREETING
    far = OllamaServer("http://192.0.2.1")
    assert far._client._client._mounts
    await far.close()


async def test_a_request_without_a_user_is_answered(ollama: Rig) -> None:
    """Messages need no particular order."""
    text, _ = await ollama.text(ChatRequest((Message("system", "あなたは犬です。"),), None, 50))
    assert text


@functools.cache
def _wire() -> bytes:
    """A whole answer as it goes over the wire."""

    async def written() -> bytes:
        core = FakeOllama(JumpClock(), [ScriptedModel(PLAIN)])
        fields = {"model": PLAIN, "messages": [{"role": "user", "content": "こんにちは"}]}
        reply = await core.handle("POST", "/api/chat", json.dumps(fields).encode())
        return b"".join([chunk async for chunk in reply.body])

    return asyncio.run(written())


def _told(chunks: list[bytes]) -> tuple[str, ModelFault | None, bool]:
    """Text, fault and whether it was done, of a reply that comes in these chunks."""

    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/show":
            return httpx.Response(200, json={"model_info": {}})
        return httpx.Response(200, content=stream())

    async def read() -> tuple[str, ModelFault | None, bool]:
        server, text, done = OllamaServer("a", transport=httpx.MockTransport(reply)), "", False
        try:
            async for part in server.stream(PLAIN, ask()):
                assert not done
                text, done = (text + part.text, False) if isinstance(part, Piece) else (text, True)
        except ModelError as error:
            return text, error.fault, done
        return text, None, done

    return asyncio.run(read())


@given(st.lists(st.integers(0, 4000), max_size=8))
def test_how_the_bytes_are_parted_makes_no_difference(cuts: list[int]) -> None:
    """Chunks may end within a line and within a character."""
    wire = _wire()
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    chunks = [wire[start:end] for start, end in pairwise(edges)]
    assert _told(chunks) == (GREETING, None, True)


@given(st.integers(0, 4000))
def test_an_answer_cut_anywhere_is_cut(length: int) -> None:
    """What came before is given out, and there is never a Done."""
    wire = _wire()
    # Without its last line feed the answer is whole.
    text, fault, done = _told([wire[: min(length, len(wire) - 2)]])
    assert (fault, done) == ("cut", False)
    assert GREETING.startswith(text)


_KEYS = st.sampled_from(
    ["message", "content", "role", "thinking", "done", "done_reason", "error", "logprobs", "eval_count"]
)
_VALUES = st.none() | st.booleans() | st.integers() | st.sampled_from(["assistant", "はい", ""])
_LINES = st.recursive(_VALUES, lambda some: st.lists(some, max_size=3) | st.dictionaries(_KEYS, some, max_size=5))


@given(st.binary(max_size=200) | st.lists(_LINES).map(lambda lines: "\n".join(map(json.dumps, lines)).encode()))
def test_whatever_comes_is_an_answer_or_a_model_error(wire: bytes) -> None:
    """No other exception, whatever the other side sends."""
    text, fault, done = _told([wire])
    assert (fault is None) == done
    assert text == "" or fault is not None or done


async def _read(made: Rig, said: list[str], halfway: asyncio.Event | None = None) -> None:
    async for part in made.server.stream(PLAIN, ask()):
        if isinstance(part, Piece):
            said.append(part.text)
        if halfway is not None and len(said) == len(GREETING) // 4:
            halfway.set()


async def _within(made: Rig, seconds: float, doing: object) -> None:
    """`asyncio.wait_for` on the rig's clock."""
    task = asyncio.ensure_future(doing)  # type: ignore[call-overload]
    await made.clock.sleep(seconds)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        raise TimeoutError from None
