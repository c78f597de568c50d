"""Everything that can go wrong between here and Ollama, as `ModelError`.

What the client raises for what is in the table of its own deviations: a refused connection is `httpx.ConnectError`
when streaming and the builtin `ConnectionError` when not; an error line within a stream is a `ResponseError` with
status -1; a line that is no JSON is a `JSONDecodeError`, one that is no object an `AttributeError` or `TypeError`, one
with the wrong types a `ValidationError` (a `ValueError`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from claudiad.errors import ModelError, ModelFault
from claudiad.llm import modelfile

_BUSY = frozenset({429, 503})
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


class Exchange:
    """One request: to whom, about which model, and how far it came."""

    def __init__(self, address: str, model: str | None = None) -> None:
        self.address = address
        self.model = model
        self.began = False
        """Whether a part of the answer has come."""

    def error(self, fault: ModelFault, reason: str) -> ModelError:
        """A `ModelError` of one line that names the model, or else the server."""
        subject = f"{self.model} on {self.address}" if self.model else f"Ollama at {self.address}"
        return ModelError(fault, f"{subject}: {_one_line(reason)}")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise `ModelError` for what the client raises; cancellation and faults of this program pass."""
        import ollama  # a third of a second to import; whoever makes a server has done so

        try:
            yield
        except ModelError:
            raise
        except ollama.ResponseError as fault:
            raise self._of_status(fault.status_code, fault.error) from fault
        except httpx.HTTPStatusError as fault:
            raise self._of_status(fault.response.status_code, fault.response.reason_phrase) from fault
        except httpx.TimeoutException as fault:
            raise self.error("timeout", "no connection in time: is the computer on?") from fault
        except (httpx.ConnectError, ConnectionError, httpx.UnsupportedProtocol) as fault:
            raise self.error(
                "unreachable", "nobody answers there: is it running (`systemctl start ollama`, or `ollama serve`)?"
            ) from fault
        except httpx.TransportError as fault:
            raise self._of_break(fault) from fault
        except json.JSONDecodeError as fault:
            if _broken_off(fault.doc):
                raise self.error("cut", "the connection ended within a line") from fault
            raise self.error("malformed", f"not a line of Ollama's protocol: {fault.doc[:60]!r}") from fault
        except RuntimeError as fault:
            if "closed" not in str(fault):
                raise
            raise self.error("unreachable", "this program has closed its connections") from fault
        except (ValueError, TypeError, LookupError, AttributeError, httpx.HTTPError) as fault:
            reason = f"not what Ollama's protocol says: {type(fault).__name__}: {fault}"
            raise self.error("malformed", reason) from fault

    def _of_status(self, status: int, said: str) -> ModelError:
        if status == httpx.codes.NOT_FOUND:
            if self.model is None:
                return self.error("rejected", f"404, this is no Ollama, or one of another age: {said}")
            return self.error("missing", f"not installed: `{remedy(self.model)}`")
        if status == -1 and "file does not exist" in said:
            # A pull of what the library has not: the server has said 200 by then.
            return self.error("missing", f"Ollama's library has no model of that name ({said})")
        if status in _BUSY:
            return self.error("busy", f"{status}, too many requests: {said}")
        if status == -1 or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            where = "within the answer" if status == -1 else str(status)
            return self.error("server", f"the server failed ({where}): {said}")
        return self.error("rejected", f"the request was refused ({status}): {said}")

    def _of_break(self, fault: httpx.TransportError) -> ModelError:
        # httpcore and h11 have one exception for a connection lost before the headers and after them; only the
        # words differ, and only what is said depends on it.
        if self.began or "complete message body" in str(fault):
            return self.error("cut", "the connection broke within the answer")
        return self.error("unreachable", "the connection broke before the answer began")


def remedy(model: str) -> str:
    """The command that installs a model: made from a Modelfile of this program, or pulled."""
    return f"claudiad models create {model}" if modelfile.find(model) else f"ollama pull {model}"


def _broken_off(line: str) -> bool:
    """Whether a line is the beginning of a JSON object: a string or a bracket is still open at its end."""
    outside = _STRING.sub("", line)
    return line.startswith("{") and ('"' in outside or sum(map(outside.count, "{[")) > sum(map(outside.count, "}]")))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
