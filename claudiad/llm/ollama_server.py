"""Ollama: one server, its models, and an answer as it is written.

On the `ollama` package's client; its deviations end here (`claudiad.llm.ollama_faults`). Everything raises
`ModelError` and nothing else. Nothing has a deadline but the connection: the caller knows how long it can wait, and
cancelling any of these ends the request, which ends the generation on the server.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import httpx

from claudiad.errors import ConfigError
from claudiad.llm.model import ChatRequest, Done, Message, Piece
from claudiad.llm.ollama_address import full_name, is_this_computer, server_address
from claudiad.llm.ollama_facts import Installed, Loaded, Progress, Shown
from claudiad.llm.ollama_faults import Exchange

if TYPE_CHECKING:
    import ollama

FOR_EVER = -1
DRAIN_S = 0.05
"""How long the end of a finished answer is waited for, so that its connection serves the next question."""


class OllamaServer:
    """One server. Make it before the event loop is busy: the client takes a third of a second to import.

    `num_ctx`, `temperature` and `top_p` go with every request unchanged: another `num_ctx` would reload the model.
    `transport` stands in for the network. Raises `ConfigError` when `host` or $OLLAMA_HOST is no address.
    """

    def __init__(
        self,
        host: str = "",
        *,
        num_ctx: int = 2048,
        temperature: float = 0.2,
        top_p: float = 0.8,
        connect_ms: int = 1000,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.address = server_address(host, os.environ)
        self._options: dict[str, Any] = {"num_ctx": num_ctx, "temperature": temperature, "top_p": top_p}
        self._thinks: dict[str, bool] = {}
        self._client = _client(self.address, connect_ms / 1000.0, transport)

    def model(self, name: str) -> OllamaModel:
        """One of its models, whether it is installed or not."""
        return OllamaModel(self, name)

    async def stream(self, model: str, request: ChatRequest) -> AsyncGenerator[Piece | Done, None]:
        """`ChatModel.stream` for one of its models."""
        exchange = Exchange(self.address, model)
        think = await self._think(model)
        with exchange.translated():
            answer = await self._client.chat(
                model,
                _plain(request.messages),
                stream=True,
                think=think,
                # A server that does not know it leaves it out of account.
                logprobs=True,
                format=dict(request.schema) if request.schema is not None else None,
                options={**self._options, "num_predict": request.num_predict},
                keep_alive=FOR_EVER,
            )
        # `answer` is a generator by nature, an iterator by its annotation.
        async with aclosing(answer) as parts:  # type: ignore[type-var]
            while True:
                with exchange.translated():
                    part: ollama.ChatResponse | None = await anext(parts, None)
                if part is None:
                    raise exchange.error("cut", "the answer ended before it was done")
                exchange.began = True
                if part.message.thinking and think is None:
                    # The model behind this name is another than the one that was looked at: look again next time.
                    self._thinks.pop(full_name(model), None)
                if part.message.content:
                    yield Piece(part.message.content, _mean_logprob(part))
                if part.done:
                    break
            await _drain(parts)
            yield _done(part)

    async def version(self) -> str:
        """The server's version, e.g. `0.33.1`."""
        exchange = Exchange(self.address)
        with exchange.translated():
            # The package has no call for it; its client knows address, headers and deadlines.
            response = await self._client._client.get("/api/version")
            response.raise_for_status()
            version = response.json()["version"]
        if not isinstance(version, str):
            raise exchange.error("malformed", f"its version is {version!r}")
        return version

    async def installed(self) -> tuple[Installed, ...]:
        """The models on its disk."""
        with Exchange(self.address).translated():
            listed = (await self._client.list()).models
        return tuple(
            Installed(
                name=each.model or "",
                size=each.size or 0,
                parameter_size=(each.details and each.details.parameter_size) or "",
                quantization=(each.details and each.details.quantization_level) or "",
            )
            for each in listed
        )

    async def loaded(self) -> tuple[Loaded, ...]:
        """The models in its memory."""
        with Exchange(self.address).translated():
            listed = (await self._client.ps()).models
        return tuple(
            Loaded(name=each.model or each.name or "", size=each.size or 0, size_vram=each.size_vram or 0)
            for each in listed
        )

    async def show(self, model: str) -> Shown:
        """What a model is and can do."""
        with Exchange(self.address, model).translated():
            shown = await self._client.show(model)
        found = Shown(frozenset(shown.capabilities or ()))
        self._thinks[full_name(model)] = found.thinks
        return found

    async def load(self, model: str, messages: Sequence[Message] = ()) -> Done:
        """Load a model for good. With the messages of a real request also their common beginning is worked through,
        so that the next request that begins alike has its first token sooner."""
        think = await self._think(model)
        return await self._ask(
            model, messages, think=think, options={**self._options, "num_predict": 1}, keep_alive=FOR_EVER
        )

    async def unload(self, model: str) -> None:
        """Drop a model from the server's memory."""
        await self._ask(model, (), keep_alive=0)

    async def pull(self, model: str) -> AsyncGenerator[Progress, None]:
        """Fetch a model from Ollama's library; ends after `success`."""
        self._thinks.pop(full_name(model), None)
        exchange = Exchange(self.address, model)
        with exchange.translated():
            answer = await self._client.pull(model, stream=True)
        async with aclosing(_progress(exchange, answer)) as steps:
            async for step in steps:
                yield step

    async def create(
        self,
        model: str,
        base: str,
        *,
        system: str | None = None,
        messages: Sequence[Message] = (),
        parameters: Mapping[str, Any] | None = None,
        template: str | None = None,
        licences: Sequence[str] = (),
    ) -> AsyncGenerator[Progress, None]:
        """Make a model out of another, or anew; ends after `success`. A base that is not there is pulled by the
        server, if it can."""
        self._thinks.pop(full_name(model), None)
        exchange = Exchange(self.address, model)
        with exchange.translated():
            answer = await self._client.create(
                model,
                from_=base,
                system=system,
                template=template,
                license=list(licences) or None,
                parameters=dict(parameters) if parameters else None,
                messages=_plain(messages) or None,
                stream=True,
            )
        async with aclosing(_progress(exchange, answer)) as steps:
            async for step in steps:
                yield step

    async def close(self) -> None:
        """Close its connections; whatever is still being asked ends with `ModelError`."""
        await self._client.close()  # type: ignore[no-untyped-call]

    async def _think(self, model: str) -> bool | None:
        """What goes into `think`: False where the model would think, else nothing. Raises `ModelError`."""
        name = full_name(model)
        if name not in self._thinks:
            await self.show(model)
        return False if self._thinks.get(name) else None

    async def _ask(self, model: str, messages: Sequence[Message], **how: Any) -> Done:
        exchange = Exchange(self.address, model)
        with exchange.translated():
            answer = await self._client.chat(model, _plain(messages), stream=False, **how)
        if not answer.done:
            raise exchange.error("cut", "the answer was not done")
        return _done(answer)


class OllamaModel:
    """One model of a server: a `ChatModel`."""

    def __init__(self, server: OllamaServer, name: str) -> None:
        self.server = server
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def stream(self, request: ChatRequest) -> AsyncGenerator[Piece | Done, None]:
        return self.server.stream(self._name, request)


def _client(address: str, connect_s: float, transport: httpx.AsyncBaseTransport | None) -> ollama.AsyncClient:
    try:
        import ollama
    except ValueError as fault:
        # The package makes a client of its own when it is imported, for whatever $OLLAMA_HOST says.
        raise ConfigError([f"OLLAMA_HOST: {os.environ.get('OLLAMA_HOST')!r} is no address: {fault}"]) from fault
    # Without TLS no certificates are read (60 ms); with none, nothing that redirects to TLS is believed.
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if address.startswith("http:") else True
    return ollama.AsyncClient(
        address,
        timeout=httpx.Timeout(None, connect=connect_s),
        transport=transport,
        verify=verify,
        # httpx would send even 127.0.0.1 to $HTTP_PROXY, which Ollama's own client does not.
        trust_env=not is_this_computer(address),
    )


def _plain(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _mean_logprob(part: ollama.ChatResponse) -> float | None:
    if not part.logprobs:
        return None
    return sum(token.logprob for token in part.logprobs) / len(part.logprobs)


def _done(part: ollama.ChatResponse) -> Done:
    """The server's account; its durations are in nanoseconds."""
    return Done(
        reason=part.done_reason or "stop",
        prompt_tokens=part.prompt_eval_count or 0,
        tokens=part.eval_count or 0,
        load_ms=(part.load_duration or 0) / 1e6,
        prompt_ms=(part.prompt_eval_duration or 0) / 1e6,
        eval_ms=(part.eval_duration or 0) / 1e6,
    )


async def _drain(parts: Any) -> None:
    """Read to the end of the body: a connection that was left before it cannot be used again."""
    try:
        async with asyncio.timeout(DRAIN_S):
            await anext(parts, None)
    except Exception:  # noqa: S110 - the answer is complete whatever follows it
        pass


async def _progress(exchange: Exchange, answer: Any) -> AsyncGenerator[Progress, None]:
    async with aclosing(answer) as lines:
        while True:
            with exchange.translated():
                line: ollama.ProgressResponse | None = await anext(lines, None)
            if line is None:
                raise exchange.error("cut", "it ended before it was done")
            exchange.began = True
            status = line.status or ""
            yield Progress(status, line.completed, line.total)
            if status == "success":
                return
