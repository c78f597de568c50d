"""The scripted Ollama without a network: a request in, a reply out, on any clock.

Faithful in what a client can notice: the headers of a stream come with its first line, one model writes one answer at
a time (`parallel`), loading one model too many drops the one unused for longest, another `num_ctx` loads it again, a
request that is given up stops writing. Two fronts carry it: `OllamaTcp` and `OllamaTransport`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from claudiad.clock import Clock
from claudiad.llm.ollama_address import full_name
from tests.fakes.ollama_contract import Rejected, checked, seconds
from tests.fakes.ollama_faults import STATUSES, Fault, Injection, Refused
from tests.fakes.ollama_memory import Memory
from tests.fakes.ollama_scripts import ANSWERS, Answers, ScriptedModel
from tests.fakes.ollama_writing import Generation, interrupted, spoken, whole

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""What the server's calendar says when its clock says 0."""
_EVER = datetime(2318, 4, 13, tzinfo=UTC)
NDJSON = {"Content-Type": "application/x-ndjson"}
PLAIN = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    fields: Mapping[str, Any]


class Body:
    """The bytes of a reply, as they come. Whoever carries it closes it, read to the end or not."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], closed: Callable[[], None] = lambda: None) -> None:
        self._chunks = chunks
        self._closed = closed
        self._first: bytes | None = None

    async def wait(self) -> None:
        """Until there is something to send; an empty chunk is the headers alone."""
        try:
            self._first = await anext(self._chunks, b"")
        except BaseException:
            await self.aclose()
            raise

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        if self._first:
            first, self._first = self._first, None
            return first
        try:
            return await anext(self._chunks)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        await self._chunks.aclose()
        self._closed()


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: Body


class FakeOllama:
    """The server. `requests`, `generations` and `memory.loads` are what tests look at."""

    def __init__(
        self,
        clock: Clock,
        models: Iterable[ScriptedModel] = (),
        *,
        answers: Answers = ANSWERS,
        library: Iterable[ScriptedModel] = (),
        max_loaded: int = 3,
        parallel: int = 1,
        max_queue: int = 512,
        version: str = "0.33.0",
        pull_s: float = 0.0,
    ) -> None:
        self.clock = clock
        self.models = {full_name(model.name): model for model in models}
        self.answers = answers
        self.library = {full_name(model.name): model for model in library}
        self.version = version
        self.memory = Memory(clock, max_loaded, parallel)
        self.requests: list[Asked] = []
        self.generations: list[Generation] = []
        self._max_queue = max_queue
        self._waiting = 0
        self._arrived = asyncio.Event()
        self._pull_s = pull_s
        self._injections: list[Injection] = []

    @property
    def running(self) -> list[Generation]:
        """Answers that are being written, or wait for it."""
        return [generation for generation in self.generations if generation.state == "running"]

    def inject(self, fault: Fault, *, model: str | None = None, path: str = "/api/chat", times: int | None = 1) -> None:
        """Let the next `times` requests to `path` (of `model`) go wrong; None: all that follow."""
        self._injections.append(Injection(fault, model and full_name(model), path, times))

    def clear(self) -> None:
        """No more faults."""
        self._injections.clear()

    async def handle(self, method: str, path: str, body: bytes) -> Reply:
        """Answer one request. Raises `Refused` and `ConnectionLost` where there is to be no answer."""
        routes: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "/api/version"): lambda: {"version": self.version},
            ("GET", "/api/tags"): lambda: {"models": [self._tag(model) for model in self.models.values()]},
            ("GET", "/api/ps"): self._ps,
        }
        posts = {"/api/chat": self._chat, "/api/show": self._show, "/api/pull": self._pull, "/api/create": self._create}
        try:
            if (method, path) in routes:
                self._note(method, path, {})
                return await self._failing(path, None) or _json(200, routes[method, path]())
            if method == "DELETE" and path == "/api/delete":
                return self._delete(self._asked(method, path, body))
            if method != "POST" or path not in posts:
                return _reply(404, {"Content-Type": "text/plain"}, b"404 page not found")
            fields = self._asked(method, path, body)
            model = fields["model"]
            if failure := await self._failing(path, model):
                return failure
            return await posts[path](fields)
        except Rejected as fault:
            return _json(fault.status, {"error": str(fault)})

    async def arrival(self, path: str) -> None:
        """Wait until there has been a request to `path`."""
        while not any(asked.path == path for asked in self.requests):
            self._arrived.clear()
            await self._arrived.wait()

    async def quiet(self) -> None:
        """Wait until nothing is being written."""
        for generation in list(self.generations):
            await generation.ended.wait()

    def _asked(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        fields = checked(path, body)
        self._note(method, path, fields)
        return fields

    def _note(self, method: str, path: str, fields: Mapping[str, Any]) -> None:
        self.requests.append(Asked(method, path, fields))
        self._arrived.set()

    def _take(self, path: str, model: str | None, kinds: Callable[[Fault], bool]) -> Fault | None:
        for injection in self._injections:
            fits = injection.model is None or (model is not None and injection.model == full_name(model))
            if fits and injection.path == path and kinds(injection.fault):
                if injection.times is not None:
                    injection.times -= 1
                    if not injection.times:
                        self._injections.remove(injection)
                return injection.fault
        return None

    async def _failing(self, path: str, model: str | None) -> Reply | None:
        """Faults that need no answer."""
        fault = self._take(path, model, lambda each: not _later(each))
        if fault is Fault.REFUSED:
            raise Refused
        if fault is Fault.SLOW_HEADERS:
            await asyncio.get_running_loop().create_future()
        if fault is None:
            return None
        status, text = STATUSES[fault]
        return _json(status, {"error": text.format(model=model)})

    async def _chat(self, fields: Mapping[str, Any]) -> Reply:
        model = self._model(fields["model"])
        if fields.get("think") and not model.thinks:
            raise Rejected(f'"{fields["model"]}" does not support thinking')
        messages, keep = fields.get("messages") or [], seconds(fields.get("keep_alive"))
        if not messages and keep == 0:
            self.memory.drop(model.name)
            return _json(200, _nothing(fields["model"], "unload"))
        options = {**model.parameters, **fields.get("options", {})}
        context = options.get("num_ctx", 4096)
        if not messages:
            async with self.memory.use(model, context, keep):
                return _json(200, _nothing(fields["model"], "load"))
        if self._waiting >= self._max_queue:
            raise Rejected(STATUSES[Fault.STATUS_503][1], 503)
        generation = Generation(fields["model"], messages[-1]["content"], self.clock.now())
        self.generations.append(generation)
        chunks = self._written(model, {**fields, "options": options}, generation, keep)
        body = Body(chunks, generation.given_up)
        await body.wait()
        if fields.get("stream", True):
            return Reply(200, NDJSON, body)
        status, answer = await whole(body)
        return _json(status, answer)

    async def _written(
        self, model: ScriptedModel, fields: Mapping[str, Any], generation: Generation, keep: float | None
    ) -> AsyncGenerator[bytes, None]:
        """Wait for the model, load it, write."""
        self._waiting += 1
        try:
            use = self.memory.use(model, fields["options"].get("num_ctx", 4096), keep)
            await use.__aenter__()
        finally:
            self._waiting -= 1
        try:
            fault = self._take("/api/chat", model.name, _later)
            lines = spoken(
                model, fields, generation, fault=fault, clock=self.clock, answers=model.answers or self.answers
            )
            try:
                async for line in lines:
                    yield line
            finally:
                await lines.aclose()
        finally:
            await use.__aexit__(None, None, None)

    def _model(self, name: str) -> ScriptedModel:
        model = self.models.get(full_name(name))
        if model is None:
            raise Rejected(f"model '{name}' not found", 404)
        return model

    def _tag(self, model: ScriptedModel) -> dict[str, Any]:
        return {
            "name": _tagged(model.name),
            "model": _tagged(model.name),
            "modified_at": "2026-01-01T00:00:00.123456789Z",
            "size": model.size,
            "digest": sha256(model.name.encode()).hexdigest(),
            "details": _details(model),
        }

    def _ps(self) -> dict[str, Any]:
        rows = []
        for resident in self.memory.ready():
            ends = _EVER if resident.ends_at is None else EPOCH + timedelta(seconds=resident.ends_at)
            model = resident.model
            rows.append(
                {
                    **{key: value for key, value in self._tag(model).items() if key != "modified_at"},
                    "expires_at": ends.isoformat(),
                    "size_vram": int(model.size * model.gpu_share),
                    "context_length": resident.num_ctx,
                }
            )
        return {"models": rows}

    async def _show(self, fields: Mapping[str, Any]) -> Reply:
        model = self._model(fields["model"])
        capabilities = ["completion", "tools", *(["thinking"] if model.thinks else [])]
        return _json(
            200,
            {
                "modelfile": f"FROM {model.name}",
                "parameters": "\n".join(f"{name:<30} {value}" for name, value in model.parameters.items()),
                "template": model.template,
                **({"system": model.system} if model.system else {}),
                **({"messages": list(model.messages)} if model.messages else {}),
                "details": _details(model),
                "model_info": {"general.architecture": model.family, f"{model.family}.context_length": 32768},
                "capabilities": capabilities,
                "modified_at": "2026-01-01T00:00:00Z",
            },
        )

    async def _pull(self, fields: Mapping[str, Any]) -> Reply:
        return await self._steps("/api/pull", fields, self._pulled(fields["model"]))

    async def _create(self, fields: Mapping[str, Any]) -> Reply:
        if "from" not in fields:
            raise Rejected("neither 'from' or 'files' was specified")
        return await self._steps("/api/create", fields, self._created(fields))

    async def _steps(self, path: str, fields: Mapping[str, Any], steps: AsyncGenerator[bytes, None]) -> Reply:
        body = Body(interrupted(steps, self._take(path, fields["model"], _later)))
        if fields.get("stream", True):
            await body.wait()
            return Reply(200, NDJSON, body)
        last: dict[str, Any] = {}
        async for line in body:
            last = json.loads(line)
        return _json(500 if "error" in last else 200, last)

    async def _pulled(self, name: str) -> AsyncGenerator[bytes, None]:
        yield _line({"status": "pulling manifest"})
        model = self.library.get(full_name(name))
        if model is None:
            yield _line({"error": "pull model manifest: file does not exist"})
            return
        digest = f"sha256:{'6' * 64}"
        for quarter in range(5):
            if quarter and self._pull_s:
                await self.clock.sleep(self._pull_s / 4)
            here = {"completed": model.size * quarter // 4} if quarter else {}
            yield _line({"status": f"pulling {digest[7:19]}", "digest": digest, "total": model.size, **here})
        for status in ("verifying sha256 digest", "writing manifest"):
            yield _line({"status": status})
        self.models[full_name(name)] = model
        yield _line({"status": "success"})

    async def _created(self, fields: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        if full_name(fields["from"]) not in self.models:
            async for line in self._pulled(fields["from"]):
                if b'"success"' not in line:
                    yield line
        base = self.models.get(full_name(fields["from"]))
        if base is None:
            return
        for status in ("using existing layer sha256:0123", "creating new layer sha256:4567", "writing manifest"):
            yield _line({"status": status})
        self.memory.drop(fields["model"])
        self.models[full_name(fields["model"])] = replace(
            base,
            name=fields["model"],
            system=fields.get("system", base.system),
            template=fields.get("template", base.template),
            parameters={**base.parameters, **fields.get("parameters", {})},
            messages=tuple(fields.get("messages", base.messages)),
        )
        yield _line({"status": "success"})

    def _delete(self, fields: Mapping[str, Any]) -> Reply:
        del self.models[full_name(self._model(fields["model"]).name)]
        self.memory.drop(fields["model"])
        return _reply(200, PLAIN, b"")


def _later(fault: Fault) -> bool:
    """Whether a fault shows in the body only."""
    return fault not in STATUSES and fault not in (Fault.REFUSED, Fault.SLOW_HEADERS)


def _details(model: ScriptedModel) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": model.quantization,
    }


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _nothing(model: str, reason: Literal["load", "unload"]) -> dict[str, Any]:
    return {
        "model": model,
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": reason,
    }


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def _json(status: int, fields: Mapping[str, Any]) -> Reply:
    return _reply(status, PLAIN, json.dumps(fields, ensure_ascii=False).encode())


def _reply(status: int, headers: Mapping[str, str], content: bytes) -> Reply:
    async def once() -> AsyncGenerator[bytes, None]:
        yield content

    return Reply(status, headers, Body(once()))
