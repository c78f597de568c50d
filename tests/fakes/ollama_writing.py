"""How the scripted Ollama writes an answer: token by token, until it is done, cut or given up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

from claudiad.clock import Clock
from tests.fakes.ollama_contract import fitted
from tests.fakes.ollama_faults import ERROR_TEXT, ConnectionLost, Fault, altered
from tests.fakes.ollama_scripts import Answers, ScriptedModel, answer_of, tokens_of

_THOUGHT = "ユーザーは何を望んでいるのでしょう。まず考えます。"
_AT_START = frozenset({Fault.STALL_AT_START, Fault.CUT_AT_START, Fault.EOF_AT_START, Fault.ERROR_AT_START})
_IN_A_LINE = frozenset({Fault.CUT_IN_A_STRING, Fault.CUT_IN_A_CHARACTER, Fault.EOF_IN_A_LINE})


@dataclass
class Generation:
    """One answer being written; `running` also while it waits for its turn or its model."""

    model: str
    prompt: str
    """The last message."""
    started_at: float
    tokens: int = 0
    """Written so far."""
    state: Literal["running", "finished", "cancelled", "failed"] = "running"
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self, state: Literal["finished", "cancelled", "failed"]) -> None:
        """It is over; how it ended first is how it ended."""
        if self.state == "running":
            self.state = state
            self.ended.set()

    def given_up(self) -> None:
        """Nobody reads it any more."""
        self.end("cancelled")


async def spoken(
    model: ScriptedModel,
    fields: Mapping[str, Any],
    generation: Generation,
    *,
    fault: Fault | None,
    clock: Clock,
    answers: Answers,
) -> AsyncGenerator[bytes, None]:
    """The lines of one answer. An empty chunk is the headers alone."""
    if fault in _AT_START:
        async for chunk in _nothing(fault, generation):
            yield chunk
        return
    pieces = _pieces(model, fields, fault, answers)
    limit = fields["options"].get("num_predict", -1)
    reason = "stop"
    if fault is Fault.LENGTH:
        limit = max(1, len(pieces) // 2)
    if 0 <= limit < len(pieces):
        pieces, reason = pieces[:limit], "length"
    half, ready = len(pieces) // 2, clock.now()
    for number, (kind, text) in enumerate(pieces):
        wait = ready + model.first_token_s + number / model.tokens_per_s - clock.now()
        if wait > 0:
            await clock.sleep(wait)
        line = _line(fields, model, {kind: text}, done=False)
        if number >= half and fault is not None:
            async for chunk in _fault_here(fault, line, text, generation):
                yield chunk
            if generation.state == "failed":
                return
        generation.tokens += 1
        yield line
    generation.end("failed" if fault is Fault.EOF_WITHOUT_DONE else "finished")
    if fault is not Fault.EOF_WITHOUT_DONE:
        now = clock.now()
        account = {
            "done_reason": reason,
            "total_duration": _ns(now - generation.started_at),
            "load_duration": _ns(ready - generation.started_at),
            "prompt_eval_count": sum(len(tokens_of(message["content"])) for message in fields["messages"]),
            "prompt_eval_duration": _ns(model.first_token_s),
            "eval_count": generation.tokens,
            "eval_duration": _ns(max(now - ready - model.first_token_s, generation.tokens / model.tokens_per_s)),
        }
        yield _line(fields, model, {"content": ""}, done=True, **account)
    if fault is Fault.STALL_AFTER_DONE:
        await _ever()


async def interrupted(steps: AsyncGenerator[bytes, None], fault: Fault | None) -> AsyncGenerator[bytes, None]:
    """The lines of a pull or a create, with `fault` in the place of the second."""
    async with aclosing(steps):
        number = 0
        async for line in steps:
            number += 1
            if number == 2 and fault is Fault.EOF_WITHOUT_DONE:
                return
            if number == 2 and fault is Fault.CUT_IN_THE_MIDDLE:
                raise ConnectionLost
            if number == 2 and fault is Fault.STALL_IN_THE_MIDDLE:
                await _ever()
            if number == 2 and (instead := _instead(fault)):
                yield instead
                return
            yield line


async def whole(lines: AsyncIterable[bytes]) -> tuple[int, dict[str, Any]]:
    """Status and fields of an answer that is not streamed."""
    answer: dict[str, Any] = {}
    text, logprobs = "", []
    async for line in lines:
        answer = json.loads(line)
        if "error" in answer:
            return 500, answer
        text += answer["message"]["content"]
        logprobs += answer.get("logprobs", [])
    answer["message"]["content"] = text
    return 200, answer | ({"logprobs": logprobs} if logprobs else {})


def _pieces(
    model: ScriptedModel, fields: Mapping[str, Any], fault: Fault | None, answers: Answers
) -> list[tuple[str, str]]:
    asked = [message["content"] for message in fields["messages"] if message["role"] == "user"]
    answer = answer_of(answers, asked[-1] if asked else "")
    if isinstance(fields.get("format"), dict):
        answer = fitted(answer, fields["format"])
    answer = altered(answer, fault)
    tokens = [answer] if fault is Fault.HUGE_LINE else tokens_of(answer)
    thinks = model.thinks and fields.get("think") is not False
    thought = [("thinking", token) for token in tokens_of(_THOUGHT)] if thinks else []
    return [*thought, *(("content", token) for token in tokens)]


async def _nothing(fault: Fault | None, generation: Generation) -> AsyncGenerator[bytes, None]:
    if fault is Fault.ERROR_AT_START:
        generation.end("failed")
        yield _bytes({"error": ERROR_TEXT})
        return
    yield b""
    if fault is Fault.STALL_AT_START:
        await _ever()
    generation.end("failed")
    if fault is Fault.CUT_AT_START:
        raise ConnectionLost


async def _fault_here(fault: Fault, line: bytes, text: str, generation: Generation) -> AsyncGenerator[bytes, None]:
    """What comes instead of `line`; nothing, when the fault does not fall on it."""
    if fault is Fault.STALL_IN_THE_MIDDLE:
        await _ever()
    if fault in _IN_A_LINE:
        if text.isascii():
            return
        generation.end("failed")
        multibyte = next(at for at, byte in enumerate(line) if byte >= 0x80)
        yield line[: multibyte + 1 if fault is Fault.CUT_IN_A_CHARACTER else multibyte]
        if fault is not Fault.EOF_IN_A_LINE:
            raise ConnectionLost
        return
    if instead := _instead(fault):
        generation.end("failed")
        yield instead
    if fault is Fault.CUT_IN_THE_MIDDLE:
        generation.end("failed")
        raise ConnectionLost


def _instead(fault: Fault | None) -> bytes | None:
    """The line that comes in the place of a good one."""
    lines = {
        Fault.ERROR_LINE: _bytes({"error": ERROR_TEXT}),
        Fault.MALFORMED_LINE: b'{"model": broken}\n',
        Fault.LIST_LINE: b'["done"]\n',
        Fault.WRONG_FIELD_LINE: _bytes({"message": "text", "status": {"done": False}}),
    }
    return lines.get(fault) if fault is not None else None


def _line(
    fields: Mapping[str, Any], model: ScriptedModel, said: Mapping[str, str], *, done: bool, **account: Any
) -> bytes:
    message = {"role": "assistant", "content": "", **said}
    line: dict[str, Any] = {"model": fields["model"], "created_at": "2026-01-01T00:00:00.123456789Z"}
    line |= {"message": message, "done": done, **account}
    if fields.get("logprobs") and said.get("content"):
        line["logprobs"] = [{"token": said["content"], "logprob": model.logprob}]
    return _bytes(line)


def _bytes(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _ns(seconds: float) -> int:
    return max(0, round(seconds * 1e9))


async def _ever() -> None:
    await asyncio.get_running_loop().create_future()
