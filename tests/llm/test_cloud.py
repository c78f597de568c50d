"""The cloud against a server that speaks the Messages API's stream, in this process: no network."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from claudiad.clock import JumpClock
from claudiad.config import CloudSettings
from claudiad.errors import EngineMissing, ModelError
from claudiad.llm.answer import AnswerReader
from claudiad.llm.cloud import CloudModel, read_key
from claudiad.llm.model import ChatRequest, Done, Message, Piece
from claudiad.llm.spending import Spending

httpx2 = pytest.importorskip("httpx2", reason="the cloud's SDK is not installed: pip install claudiad[cloud]")
pytest.importorskip("anthropic", reason="the cloud's SDK is not installed: pip install claudiad[cloud]")

KEY = "sk-ant-not-a-real-key-0123456789"
TODAY = date(2026, 11, 21)
SETTINGS = CloudSettings(daily_usd=0.5, usd_per_mtok_in=1.0, usd_per_mtok_out=5.0)
REQUEST = ChatRequest(
    (
        Message("system", "あなたはクラウディア。"),
        Message("user", "何でも答えて"),
        Message("assistant", "はい。"),
        Message("user", "虹はなぜ七色？"),
    ),
    {"type": "object", "properties": {"a": {"type": "array"}, "r": {"type": "string"}}},
    50,
)
MOST_OUT = 2 * 50 * 5.0 / 1e6
"""US dollars of all the output that request may have."""


def event(kind: str, **content: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **content}, ensure_ascii=False)}\n\n".encode()


def start(tokens_in: int = 100, **more: int) -> bytes:
    usage = {"input_tokens": tokens_in, "output_tokens": 1, **more}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m", "usage": usage}
    return event("message_start", message=message)


def text(words: str) -> bytes:
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": words})


def end(tokens_out: int = 20, reason: str = "end_turn") -> bytes:
    delta = event("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": tokens_out})
    return delta + event("message_stop")


BEGIN = event("content_block_start", index=0, content_block={"type": "text", "text": ""}) + event("ping")
STOP = event("content_block_stop", index=0)
ANSWER = [start(), BEGIN, text('{"a":[],"r":"光が'), text('曲がるからです。"}'), STOP, end()]

Script = Sequence[bytes | Exception]


class Body(httpx2.AsyncByteStream):
    """The parts of an answer in order; an exception among them is a connection that breaks there."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.closed = False
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._script:
            if isinstance(part, Exception):
                raise part
            self.given += 1
            yield part
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        self.closed = True


class Server(httpx2.AsyncBaseTransport):
    """Answers every request alike and keeps what it was asked."""

    def __init__(self, script: Script = (), status: int = 200, *, refuses: Exception | None = None) -> None:
        self.body = Body(script)
        self._status = status
        self._refuses = refuses
        self.requests: list[Any] = []
        self.came = asyncio.Event()
        self.hold: asyncio.Event | None = None
        """Headers wait for this."""

    async def handle_async_request(self, request: Any) -> Any:
        self.requests.append(request)
        self.came.set()
        if self._refuses is not None:
            raise self._refuses
        if self.hold is not None:
            await self.hold.wait()
        kind = "text/event-stream" if self._status == 200 else "application/json"
        return httpx2.Response(self._status, headers={"content-type": kind}, stream=self.body)

    @property
    def asked(self) -> dict[str, Any]:
        """The body of the only request."""
        (request,) = self.requests
        found: dict[str, Any] = json.loads(request.content)
        return found


@asynccontextmanager
async def cloud(server: Server, spending: Spending, settings: CloudSettings = SETTINGS) -> AsyncIterator[CloudModel]:
    async with httpx2.AsyncClient(transport=server) as client:
        model = CloudModel(
            settings,
            1000,
            spending,
            clock=JumpClock(),
            today=lambda: TODAY,
            environ={"ANTHROPIC_API_KEY": KEY},
            http_client=client,
        )
        yield model
        await model.close()


def all_of(error: BaseException | None) -> Iterator[str]:
    """Everything an exception and those behind it could show."""
    while error is not None:
        yield from (f"{error}", f"{error!r}", f"{error.args}")
        error = error.__cause__ or error.__context__


async def read(server: Server, spending: Spending, request: ChatRequest = REQUEST) -> tuple[str, Done | None, str]:
    """What was written, the end of it, and the fault if there was one; no fault names the key."""
    words, done, fault, said = "", None, "", list[str]()
    async with cloud(server, spending) as model:
        try:
            async with aclosing(model.stream(request)) as parts:
                async for part in parts:
                    assert done is None
                    if isinstance(part, Piece):
                        assert part.text
                        words += part.text
                    else:
                        done = part
        except ModelError as error:
            fault = error.fault
            said = list(all_of(error))
    assert not any(KEY in line for line in said)
    if fault not in ("", "budget"):
        assert said[0].startswith("claude-haiku-4-5 in the cloud: ")
        assert "\n" not in said[0]
    return words, done, fault


def spending(cap: float = 0.5) -> Spending:
    return Spending(None, cap)


async def test_an_answer_comes_in_pieces_with_its_account() -> None:
    """Pieces as they are written, then one end; the day is charged exactly what the server counted."""
    account = spending()
    words, done, fault = await read(Server(ANSWER), account)
    assert (words, fault) == ('{"a":[],"r":"光が曲がるからです。"}', "")
    assert done is not None
    assert (done.reason, done.prompt_tokens, done.tokens) == ("stop", 100, 20)
    assert account.spent(TODAY) == pytest.approx(100 * 1e-6 + 20 * 5e-6)
    reader = AnswerReader({})
    reader.feed(words)
    assert reader.finish().proposal.valid


async def test_the_request_is_what_every_model_accepts() -> None:
    """The system prompt apart, JSON asked for in words, no begun answer, no temperature, one attempt."""
    server = Server(ANSWER)
    await read(server, spending())
    asked = server.asked
    assert set(asked) == {"model", "max_tokens", "system", "messages", "stream"}
    assert (asked["model"], asked["max_tokens"], asked["stream"]) == ("claude-haiku-4-5", 100, True)
    assert asked["system"].startswith("あなたはクラウディア。")
    assert '"properties":{"a"' in asked["system"]
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant", "user"]
    assert any(KEY in value for value in server.requests[0].headers.values())


async def test_free_text_is_asked_for_without_a_schema() -> None:
    """Then the system prompt is the caller's alone."""
    server = Server(ANSWER)
    await read(server, spending(), ChatRequest(REQUEST.messages, None, 50))
    assert server.asked["system"] == "あなたはクラウディア。"


@pytest.mark.parametrize(
    ("reason", "expected"), [("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length")]
)
async def test_an_answer_that_reached_its_limit_says_so(reason: str, expected: str) -> None:
    """As Ollama's do."""
    _, done, _ = await read(Server([start(), text("は"), end(reason=reason)]), spending())
    assert done is not None
    assert done.reason == expected


async def test_what_the_cache_read_and_wrote_is_charged() -> None:
    """All that was read counts, whatever it is called."""
    account = spending()
    counted = start(10, cache_creation_input_tokens=20, cache_read_input_tokens=30)
    await read(Server([counted, text("は"), end(0)]), account)
    assert account.spent(TODAY) == pytest.approx(60 * 1e-6 + 1 * 5e-6)


def refusal(kind: str, message: str = "because") -> list[bytes]:
    return [json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()]


@pytest.mark.parametrize(
    ("status", "kind", "fault"),
    [
        (400, "invalid_request_error", "rejected"),
        (401, "authentication_error", "rejected"),
        (402, "billing_error", "rejected"),
        (403, "permission_error", "rejected"),
        (404, "not_found_error", "missing"),
        (408, "request_timeout", "server"),
        (409, "conflict", "rejected"),
        (413, "request_too_large", "rejected"),
        (422, "unprocessable", "rejected"),
        (429, "rate_limit_error", "busy"),
        (500, "api_error", "server"),
        (503, "unavailable", "busy"),
        (504, "timeout_error", "server"),
        (529, "overloaded_error", "busy"),
    ],
)
async def test_a_status_is_a_fault_and_costs_nothing(status: int, kind: str, fault: str) -> None:
    """Once, without a second attempt."""
    server, account = Server(refusal(kind), status), spending()
    assert await read(server, account) == ("", None, fault)
    assert len(server.requests) == 1
    assert account.spent(TODAY) == 0.0


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_names_the_places_of_the_key(status: int) -> None:
    """And never the key, even when the server repeats it."""
    async with cloud(Server(refusal("authentication_error", f"no such key {KEY}"), status), spending()) as model:
        with pytest.raises(ModelError, match=r"cloud\.key_file") as caught:
            await anext(model.stream(REQUEST))
    assert KEY not in str(caught.value)
    assert "***" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"5", b'{"error": 5}'])
async def test_a_status_of_some_box_in_between_is_a_fault_too(body: bytes) -> None:
    """Its body is not Anthropic's."""
    assert await read(Server([body], 502), spending()) == ("", None, "server")


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("overloaded_error", "busy"), ("rate_limit_error", "busy"), ("api_error", "server"), ("something_new", "server")],
)
async def test_an_error_within_the_stream_is_a_fault(kind: str, fault: str) -> None:
    """After status 200 and a part of the answer; what was read is charged, and all that could have been written."""
    account = spending()
    error = event("error", error={"type": kind, "message": "sorry"})
    assert await read(Server([start(), text("は"), error]), account) == ("は", None, fault)
    assert account.spent(TODAY) == pytest.approx(100 * 1e-6 + MOST_OUT)


@pytest.mark.parametrize(
    ("refuses", "fault", "free"),
    [
        (httpx2.ConnectError("refused"), "unreachable", True),
        (httpx2.ConnectTimeout("slow"), "timeout", True),
        (httpx2.ReadTimeout("slow"), "timeout", False),
        (httpx2.RemoteProtocolError("server disconnected"), "unreachable", False),
        (httpx2.ReadError("reset"), "unreachable", False),
        (OSError("no route"), "unreachable", False),
    ],
)
async def test_no_connection_is_a_fault(refuses: Exception, fault: str, *, free: bool) -> None:
    """Free when nothing can have been sent; otherwise the server may have begun to work."""
    server, account = Server(refuses=refuses), spending()
    assert await read(server, account) == ("", None, fault)
    assert len(server.requests) == 1
    assert (account.spent(TODAY) == 0.0) is free


@pytest.mark.parametrize(
    ("script", "words", "fault"),
    [
        ([], "", "cut"),
        ([start(), text("は")], "は", "cut"),
        ([start(), text("は"), STOP, event("message_delta", delta={"stop_reason": "end_turn"})], "は", "cut"),
        ([start(), text("は"), httpx2.ReadError("reset")], "は", "cut"),
        ([start(), httpx2.RemoteProtocolError("incomplete chunked read")], "", "cut"),
        ([start(), b"event: content_block_delta\ndata: {\n\n"], "", "malformed"),
        ([start(), b"event: content_block_delta\ndata: 5\n\n", text("は")], "は", "cut"),
        ([start(), b'event: message_delta\ndata: {"type":"message_delta","usage":5}\n\n'], "", "cut"),
        ([b"hello"], "", "cut"),
        ([start(), end(reason="refusal")], "", "rejected"),
    ],
)
async def test_an_answer_that_breaks_off_is_a_fault(script: Script, words: str, fault: str) -> None:
    """What came before it was an answer that was cut; the connection is closed."""
    server = Server(script)
    assert await read(server, spending()) == (words, None, fault)
    assert server.body.closed


async def test_leaving_early_closes_the_connection_and_charges_the_worst() -> None:
    """The server may write on for a moment, and bills it."""
    server, account = Server([start(), text("は"), *[text("い")] * 50, end()]), spending()
    async with cloud(server, account) as model:
        async with aclosing(model.stream(REQUEST)) as parts:
            assert await anext(parts) == Piece("は")
        assert server.body.closed
        assert server.body.given < 50
        assert account.spent(TODAY) == pytest.approx(100 * 1e-6 + MOST_OUT)


async def test_cancelling_before_the_headers_ends_the_request() -> None:
    """Nothing is left running, and what was set aside stays spent: the question was sent."""
    server, account = Server(ANSWER), spending()
    server.hold = asyncio.Event()
    async with cloud(server, account) as model:
        task = asyncio.create_task(anext(model.stream(REQUEST)))
        await server.came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert account.spent(TODAY) > MOST_OUT


async def test_cancelling_before_anything_was_sent_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the account is still being written nobody has been asked: what was set aside is free again."""
    server, account = Server(ANSWER), spending()
    writing, written = threading.Event(), threading.Event()

    def save() -> None:
        writing.set()
        assert written.wait(30)

    monkeypatch.setattr(account, "save", save)
    async with cloud(server, account) as model:
        task = asyncio.create_task(anext(model.stream(REQUEST)))
        await asyncio.to_thread(writing.wait, 30)
        assert account.spent(TODAY) > MOST_OUT
        task.cancel()
        written.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert server.requests == []
    assert account.spent(TODAY) == 0.0


async def test_beyond_the_cap_nobody_is_asked() -> None:
    """The worst of the request decides, before anything is sent."""
    server = Server(ANSWER)
    assert await read(server, spending(cap=MOST_OUT)) == ("", None, "budget")
    assert server.requests == []


async def test_what_is_set_aside_is_more_than_any_answer_costs() -> None:
    """No token is shorter than a byte, so a request of that many bytes cannot read more tokens."""
    server, account = Server(ANSWER), spending()
    async with cloud(server, account) as model, aclosing(model.stream(REQUEST)) as parts:
        await anext(parts)
        asked = server.asked
        read_most = len(asked["system"].encode()) + sum(len(m["content"].encode()) for m in asked["messages"])
        assert account.spent(TODAY) >= read_most * 1e-6 + MOST_OUT


async def test_an_account_that_cannot_be_written_is_not_spent_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart would forget it, so the cloud is not asked; what was set aside is free again."""

    def full(_handle: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("claudiad.llm.state_file.os.fsync", full)
    server, account = Server(ANSWER), Spending(tmp_path / "spending.json", 0.5)
    assert await read(server, account) == ("", None, "budget")
    assert server.requests == []
    assert account.spent(TODAY) == 0.0


async def test_the_account_is_on_disk_while_the_answer_comes(tmp_path: Path) -> None:
    """The worst first, the price at the end."""
    path = tmp_path / "spending.json"
    async with cloud(Server(ANSWER), Spending(path, 0.5)) as model, aclosing(model.stream(REQUEST)) as parts:
        await anext(parts)
        assert Spending(path, 0.5).spent(TODAY) > MOST_OUT
        async for _ in parts:
            pass
    assert Spending(path, 0.5).spent(TODAY) == pytest.approx(100 * 1e-6 + 20 * 5e-6)


async def test_a_spoilt_account_is_closed_on_disk_too(tmp_path: Path) -> None:
    """So that tomorrow begins with a sound one, however often the program is started today."""
    path = tmp_path / "spending.json"
    path.write_text("{", encoding="utf-8")
    assert await read(Server(ANSWER), Spending(path, 0.5)) == ("", None, "budget")
    again = Spending(path, 0.5)
    assert (again.fault, again.spent(TODAY)) == (None, 0.5)


async def test_the_key_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Not even where everything is."""
    with caplog.at_level(logging.DEBUG):
        await read(Server(ANSWER), spending())
        await read(Server(refusal("authentication_error"), 401), spending())
        await read(Server(refuses=httpx2.ConnectError("refused")), spending())
    assert caplog.records
    assert KEY not in caplog.text
    assert all(KEY not in repr(vars(record)) for record in caplog.records)


@pytest.fixture
def places(tmp_path: Path) -> Callable[..., tuple[CloudSettings, dict[str, str]]]:
    def make(file: str | None, credential: str | None, variable: str | None) -> tuple[CloudSettings, dict[str, str]]:
        (tmp_path / "credentials").mkdir()
        environ = {"CREDENTIALS_DIRECTORY": f"{tmp_path / 'credentials'}"}
        if credential is not None:
            (tmp_path / "credentials" / "anthropic-key").write_text(credential, encoding="utf-8")
        if variable is not None:
            environ["ANTHROPIC_API_KEY"] = variable
        if file is not None:
            (tmp_path / "key").write_text(file, encoding="utf-8")
        return CloudSettings(key_file=f"{tmp_path / 'key'}" if file is not None else ""), environ

    return make


@pytest.mark.parametrize(
    ("file", "credential", "variable", "key"),
    [
        ("sk-ant-file\n", "sk-ant-credential", "sk-ant-variable", "sk-ant-file"),
        (None, "sk-ant-credential\n", "sk-ant-variable", "sk-ant-credential"),
        (None, None, "sk-ant-variable", "sk-ant-variable"),
    ],
)
def test_the_key_comes_from_the_first_place_that_has_one(
    places: Callable[..., Any], file: str | None, credential: str | None, variable: str | None, key: str
) -> None:
    """File, systemd credential, environment."""
    assert read_key(*places(file, credential, variable)) == key


@pytest.mark.parametrize(
    ("file", "credential", "variable"),
    [(None, None, None), (None, None, " "), ("", None, "sk-ant-variable"), (None, "", "sk-ant-variable")],
)
def test_without_a_key_the_three_ways_are_named(
    places: Callable[..., Any], file: str | None, credential: str | None, variable: str | None
) -> None:
    """An empty file is no key, and no reason to take another one than was named."""
    with pytest.raises(EngineMissing, match=r"cloud\.key_file.*LoadCredential.*\$ANTHROPIC_API_KEY"):
        read_key(*places(file, credential, variable))


@pytest.mark.parametrize("secret", ["two words secret", "sk-ant-secret\nsecond", "sk-ant-秘密の鍵です"])
def test_what_cannot_be_sent_as_a_key_is_refused_without_being_shown(places: Callable[..., Any], secret: str) -> None:
    """A header that cannot be written would show it."""
    with pytest.raises(EngineMissing, match="is no key") as caught:
        read_key(*places(secret, None, None))
    assert "secret" not in str(caught.value)
    assert "秘密" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_key_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None) -> None:
    """Not there, or no text."""
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineMissing, match="cannot be read") as caught:
        read_key(CloudSettings(key_file=f"{path}"), {})
    assert "xff" not in str(caught.value)


@pytest.mark.parametrize("absent", ["anthropic", "httpx2"])
def test_without_the_sdk_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    """It is needed by nobody who does not ask the cloud."""
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(EngineMissing, match=r"pip install claudiad\[cloud\]"):
        CloudModel(SETTINGS, 1000, spending(), clock=JumpClock(), today=lambda: TODAY, environ={})
