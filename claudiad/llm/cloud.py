"""A language model of Anthropic's, the last of the chain: off by default, capped, and asked without its key being seen.

The `anthropic` SDK is the extra `claudiad[cloud]`. What is not done, and why: no beginning is put in the model's mouth
(newer models refuse an answer that was begun for them), and no temperature is sent (the SDK has dropped it, and newer
models refuse it); JSON is asked for in words, and read as tolerantly as any model's.

What is set aside for a call is the most it can cost, and what a call that broke off has cost is not known exactly: the
input as the server counted it, and all the output it was allowed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import date
from pathlib import Path
from typing import Any

from claudiad.clock import Clock
from claudiad.config import CloudSettings
from claudiad.errors import EngineMissing, ModelError
from claudiad.llm.cloud_faults import CloudExchange
from claudiad.llm.model import ChatRequest, Done, Piece
from claudiad.llm.spending import Spending

_log = logging.getLogger(__name__)

CREDENTIAL = "anthropic-key"
"""Name of the systemd credential."""
_WAYS = (
    "the cloud needs a key of Anthropic's: name a file that holds it in cloud.key_file, or give the service a systemd "
    f"credential {CREDENTIAL} (LoadCredential={CREDENTIAL}:FILE), or set $ANTHROPIC_API_KEY"
)
_KEY = re.compile(r"[!-~]{8,500}", re.ASCII)
"""What can stand in a header. Anything else would be refused there, with the key in the message."""
_JSON_ONLY = (
    "\n\n答えは、次のJSONスキーマに従うJSONオブジェクト一つだけを書いてください。前後には何も書かないでください。\n"
)
_CUT = frozenset(("max_tokens", "model_context_window_exceeded"))
_FRAMING = 16
"""Tokens around each message, at most."""


def read_key(settings: CloudSettings, environ: Mapping[str, str]) -> str:
    """The key from the first of its three places that is there. Raises EngineMissing; the message never holds it."""
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    credential = Path(folder) / CREDENTIAL
    if settings.key_file:
        key, where = _read(Path(settings.key_file).expanduser()), settings.key_file
    elif folder and credential.exists():
        key, where = _read(credential), f"{credential}"
    else:
        key, where = environ.get("ANTHROPIC_API_KEY", "").strip(), "$ANTHROPIC_API_KEY"
    if not key:
        raise EngineMissing(_WAYS)
    if not _KEY.fullmatch(key):
        raise EngineMissing(f"what is in {where} is no key; {_WAYS}")
    return key


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is no text"
        raise EngineMissing(f"{path} cannot be read ({reason}); {_WAYS}") from None


class CloudModel:
    """A `ChatModel`."""

    def __init__(
        self,
        settings: CloudSettings,
        connect_ms: int,
        spending: Spending,
        *,
        clock: Clock,
        today: Callable[[], date],
        environ: Mapping[str, str] = os.environ,
        http_client: Any = None,
    ) -> None:
        """Raises EngineMissing without the SDK or a key.

        Args: `connect_ms` is how long is waited for a connection; `today` gives the local date; `http_client`, an
        `httpx2.AsyncClient`, stands in for the SDK's own.
        """
        try:
            import anthropic
            import httpx2
        except ImportError as missing:
            raise EngineMissing("the cloud needs Anthropic's SDK: pip install claudiad[cloud]") from missing
        self._settings = settings
        self._spending = spending
        self._clock = clock
        self._today = today
        self._key = read_key(settings, environ)
        self._client = anthropic.AsyncAnthropic(
            api_key=self._key,
            # A question that is asked again is late: the next link of the chain is there for that.
            max_retries=0,
            timeout=httpx2.Timeout(None, connect=connect_ms / 1000.0),
            http_client=http_client,
        )

    @property
    def name(self) -> str:
        """As configured."""
        return self._settings.model

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Piece | Done, None]:
        """As `ChatModel.stream`. Raises `ModelError("budget")`, without asking, when the day's money is spent."""
        asked = _asked(self.name, request)
        exchange = CloudExchange(self.name, self._key)
        most = self._usd(_most_tokens(asked), asked["max_tokens"])
        try:
            reservation = self._spending.reserve(most, self._today())
        except ModelError:
            await self._save()
            raise
        bill = _Bill()
        try:
            if not await self._save():
                raise exchange.error("budget", "what it costs cannot be written down, see the log")
            async with aclosing(self._answer(asked, exchange, bill)) as parts:
                async for part in parts:
                    yield part
        finally:
            tokens_out = bill.tokens_out if bill.final else asked["max_tokens"]
            known = self._usd(bill.tokens_in, tokens_out) if bill.tokens_in is not None else most
            self._spending.settle(reservation, 0.0 if exchange.free else known)
            await self._save()

    async def _answer(
        self, asked: dict[str, Any], exchange: CloudExchange, bill: _Bill
    ) -> AsyncGenerator[Piece | Done, None]:
        first_at: float | None = None
        stop_reason: str | None = None
        with exchange.translated():
            exchange.free = False
            stream = await self._client.messages.create(**asked, stream=True)
            exchange.began = True
            async with stream:
                async for event in stream:
                    bill.read(event)
                    text = _text(event)
                    if text:
                        first_at = self._clock.now() if first_at is None else first_at
                        yield Piece(text)
                    stop_reason = getattr(getattr(event, "delta", None), "stop_reason", None) or stop_reason
                    if getattr(event, "type", None) == "message_stop":
                        bill.final = True
        if not bill.final:
            raise exchange.error("cut", "the answer ended before it was done")
        if stop_reason == "refusal":
            raise exchange.error("rejected", "the model declines to answer that")
        yield Done(
            "length" if stop_reason in _CUT else "stop",
            prompt_tokens=bill.tokens_in or 0,
            tokens=bill.tokens_out,
            eval_ms=(self._clock.now() - first_at) * 1000.0 if first_at is not None else 0.0,
        )

    def _usd(self, tokens_in: int, tokens_out: int) -> float:
        s = self._settings
        return (tokens_in * s.usd_per_mtok_in + tokens_out * s.usd_per_mtok_out) / 1e6

    async def _save(self) -> bool:
        """Write the account, beside the event loop; False, and a line in the log, when that cannot be done."""
        try:
            await asyncio.to_thread(self._spending.save)
        except OSError as fault:
            _log.error("the cloud is not asked, its account cannot be written: %s", fault)
            return False
        return True


class _Bill:
    """What a call has cost, as far as the server has said."""

    def __init__(self) -> None:
        self.tokens_in: int | None = None
        self.tokens_out = 0
        self.final = False
        """The server has said all."""

    def read(self, event: Any) -> None:
        """Take the counts from an event, where it has any. They are totals so far, not increments."""
        usage = getattr(event, "usage", None) or getattr(getattr(event, "message", None), "usage", None)
        if usage is None:
            return
        parts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        counted = sum(_count(usage, part) for part in parts)
        self.tokens_in = max(self.tokens_in or 0, counted) if counted or self.tokens_in is not None else None
        self.tokens_out = max(self.tokens_out, _count(usage, "output_tokens"))


def _count(usage: Any, name: str) -> int:
    # The SDK builds events without checking them.
    value = getattr(usage, name, None)
    return value if isinstance(value, int) and value > 0 else 0


def _text(event: Any) -> str:
    delta = getattr(event, "delta", None)
    text = getattr(delta, "text", None) if getattr(delta, "type", None) == "text_delta" else None
    return text if isinstance(text, str) else ""


def _asked(model: str, request: ChatRequest) -> dict[str, Any]:
    """The request's body. Twice `num_predict`, which is meant for tokenisers that write Japanese in fewer tokens."""
    system = "\n\n".join(message.content for message in request.messages if message.role == "system")
    if request.schema is not None:
        system += _JSON_ONLY + json.dumps(request.schema, ensure_ascii=False, separators=(",", ":"))
    return {
        "model": model,
        "max_tokens": request.num_predict * 2,
        "system": system,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages if m.role != "system"],
    }


def _most_tokens(asked: dict[str, Any]) -> int:
    """A bound on what is read: no token is shorter than a byte."""
    texts = [asked["system"], *(message["content"] for message in asked["messages"])]
    return sum(len(text.encode("utf-8", "replace")) + _FRAMING for text in texts)
