"""Everything that can go wrong between here and Anthropic, as `ModelError`; the key is in none of it.

The SDK gives a refused connection and a connection that breaks before the headers as `APIConnectionError`, a connect
timeout as `APITimeoutError`, a status as `APIStatusError`; an `error` event within the stream is also one of these,
with status 200 and the kind in `type`; a connection that breaks within the stream comes through as what the HTTP
client raises, and a line that is no JSON as `JSONDecodeError`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from claudiad.errors import ModelError, ModelFault

_KEY = "is the key valid? cloud.key_file, the systemd credential anthropic-key or $ANTHROPIC_API_KEY"
_BY_KIND: dict[str, ModelFault] = {
    "overloaded_error": "busy",
    "rate_limit_error": "busy",
    "api_error": "server",
    "timeout_error": "server",
    "not_found_error": "missing",
}
_BY_STATUS: dict[int, ModelFault] = {404: "missing", 408: "server", 429: "busy", 503: "busy", 529: "busy"}
_REMEDY: dict[int, str] = {401: _KEY, 403: _KEY, 402: "is the account in credit?"}
_LONGEST = 200
_SENDING_IMPOSSIBLE = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError")


class CloudExchange:
    """One request: about which model, how far it came, and whether it can have cost anything."""

    def __init__(self, model: str, key: str) -> None:
        self.model = model
        self.began = False
        """Whether the server has begun to answer."""
        self.free = True
        """It certainly costs nothing: it was not sent yet, never could be, or was refused as a whole."""
        self._key = key

    def error(self, fault: ModelFault, reason: str) -> ModelError:
        """A `ModelError` of one line that names the model."""
        line = " ".join(reason.replace(self._key, "***").split())
        return ModelError(fault, f"{self.model} in the cloud: {line}")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise `ModelError` for what the SDK raises; cancellation and faults of this program pass."""
        import anthropic
        import httpx2

        try:
            yield
        except anthropic.APITimeoutError as fault:
            self.free = _never_sent(fault)
            raise self.error("timeout", "no connection in time: is there a network?") from fault
        except anthropic.APIConnectionError as fault:
            self.free = _never_sent(fault)
            raise self.error("unreachable", "no connection: is there a network?") from fault
        except anthropic.APIStatusError as fault:
            self.free = not self.began
            raise self._of_status(fault) from fault
        except httpx2.HTTPError as fault:
            raise self.error("cut", "the connection broke within the answer") from fault
        except (anthropic.AnthropicError, ValueError) as fault:
            raise self.error("malformed", f"not what the protocol says: {type(fault).__name__}") from fault

    def _of_status(self, fault: Any) -> ModelError:
        status = fault.status_code if not self.began else None
        said = str(fault.api_message or fault.type or "no reason given")[:_LONGEST]
        kind = _BY_KIND.get(str(fault.type)) or _BY_STATUS.get(status or 0)
        if kind is None:
            kind = "server" if status is None or status >= 500 else "rejected"
        if kind == "missing":
            return self.error(kind, f"there is no such model (cloud.model): {said}")
        where = "within the answer" if status is None else f"{status}"
        remedy = _REMEDY.get(status or 0)
        return self.error(kind, f"{where}, {said}" + (f"; {remedy}" if remedy else ""))


def _never_sent(fault: BaseException) -> bool:
    return type(fault.__cause__).__name__ in _SENDING_IMPOSSIBLE
