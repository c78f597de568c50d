"""What the scripted Ollama takes: fields and types of its requests.

Stricter than the real one in one point, on purpose: Ollama ignores names it does not know, so that a misspelt option
would be noticed by nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_NUMBER = (int, float)
_FIELDS: dict[str, dict[str, tuple[type, ...]]] = {
    "/api/chat": {
        "model": (str,),
        "messages": (list,),
        "tools": (list,),
        "stream": (bool,),
        "format": (str, dict),
        "options": (dict,),
        "keep_alive": (int, float, str),
        "think": (bool, str),
        "logprobs": (bool,),
        "top_logprobs": (int,),
    },
    "/api/show": {"model": (str,), "verbose": (bool,)},
    "/api/pull": {"model": (str,), "stream": (bool,), "insecure": (bool,)},
    "/api/delete": {"model": (str,)},
    "/api/create": {
        "model": (str,),
        "from": (str,),
        "system": (str,),
        "template": (str,),
        "license": (str, list),
        "parameters": (dict,),
        "messages": (list,),
        "stream": (bool,),
        "quantize": (str,),
    },
}
_OPTIONS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("num_ctx", "num_batch", "num_gpu", "num_thread", "num_keep", "seed", "num_predict"), (int,)),
    **dict.fromkeys(("top_k", "repeat_last_n"), (int,)),
    **dict.fromkeys(("temperature", "top_p", "min_p", "typical_p", "repeat_penalty"), _NUMBER),
    **dict.fromkeys(("presence_penalty", "frequency_penalty"), _NUMBER),
    "stop": (list,),
}
_ROLES = ("system", "user", "assistant", "tool")


class Rejected(Exception):
    """The request is refused with this text."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def checked(path: str, body: bytes) -> dict[str, Any]:
    """The request's fields. Raises `Rejected` for an unknown name, a wrong type or a missing model."""
    if not body:
        raise Rejected("missing request body")
    try:
        fields = json.loads(body)
    except ValueError as fault:
        raise Rejected(f"invalid character: {fault}") from fault
    if not isinstance(fields, dict):
        raise Rejected("json: cannot unmarshal into Go value of type api.Request")
    _check("request", fields, _FIELDS[path])
    _check("option", fields.get("options", {}), _OPTIONS)
    _check("parameter", fields.get("parameters", {}), _OPTIONS)
    if not fields.get("model"):
        raise Rejected("model is required")
    if fields.get("format", "json") not in ("json", "") and not isinstance(fields["format"], dict):
        raise Rejected('invalid format: expected "json" or a JSON schema')
    if isinstance(fields.get("keep_alive"), str):
        seconds(fields["keep_alive"])
    for message in fields.get("messages", ()):
        if not isinstance(message, dict) or set(message) - {"role", "content", "thinking"}:
            raise Rejected("json: cannot unmarshal into Go struct field ChatRequest.messages")
        if message.get("role") not in _ROLES or not isinstance(message.get("content"), str):
            raise Rejected(f"invalid message: {message!r:.80}")
    return fields


def seconds(keep_alive: float | str | None) -> float | None:
    """How long a model stays after a request; None: for ever."""
    if keep_alive is None:
        return 300.0
    if isinstance(keep_alive, str):
        units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
        unit = next((unit for unit in units if keep_alive.endswith(unit)), None)
        try:
            keep_alive = float(keep_alive.removesuffix(unit or "")) * units[unit or ""]
        except (ValueError, KeyError) as fault:
            raise Rejected(f'time: missing unit in duration "{keep_alive}"') from fault
    return None if keep_alive < 0 else float(keep_alive)


def _check(what: str, fields: Mapping[str, Any], allowed: Mapping[str, tuple[type, ...]]) -> None:
    for name, value in fields.items():
        if name not in allowed:
            raise Rejected(f"unknown {what} field {name!r}")
        wrong_bool = isinstance(value, bool) and bool not in allowed[name]
        if wrong_bool or not isinstance(value, allowed[name]):
            raise Rejected(f"json: cannot unmarshal {type(value).__name__} into Go struct field {name}")


def fitted(answer: str, schema: Mapping[str, Any]) -> str:
    """The answer as a server constrained by `schema` writes it: an object with the required keys, in their order."""
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    try:
        given = json.loads(answer)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        given = {name: answer for name, kind in properties.items() if kind.get("type") == "string"}
    empty: dict[str, Any] = {"array": [], "string": "", "integer": 0, "number": 0, "boolean": False, "object": {}}
    names = [name for name in properties if name in given or name in schema.get("required", ())]
    whole = {name: given.get(name, empty.get(str(properties[name].get("type")))) for name in names}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
