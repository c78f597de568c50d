"""The control socket's language: one JSON object per line, each way. Pure.

    {"v":1,"cmd":"ask","text":"座って"}
    {"v":1,"ok":true,"result":{"text":"座って","route":"hotpath",…}}
    {"v":1,"ok":false,"error":{"code":"robot","message":"…"}}

Nothing is guessed: another version, an unknown command, an unknown key or a text where none belongs is an error with a
code that does not change. Both ends use this module; it imports nothing that takes time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

VERSION: Final = 1
MAX_LINE: Final = 65_536
"""Bytes of a line, its end included."""
MAX_TEXT: Final = 1000
"""Characters of a `text`: several times what is said in one breath."""

Command: TypeAlias = Literal["status", "ask", "say", "stop", "reset", "mute", "unmute", "reload", "stats"]
WITH_TEXT: Final = frozenset({"ask", "say"})

Code: TypeAlias = str
"""Of an error: one of `OWN_CODES`, or that of a `ClaudiaError` (docs/control.md)."""
OWN_CODES: Final[Mapping[Code, str]] = {
    "malformed": "the line is not a JSON object in UTF-8",
    "too-long": f"the line is longer than {MAX_LINE} bytes",
    "version": f"`v` is missing or not {VERSION}",
    "unknown-command": "`cmd` is missing or not a command",
    "unknown-key": "a key that the command does not have",
    "text": f"`text` is missing, empty, no text or longer than {MAX_TEXT} characters",
    "too-many": "too many connections; a stop is carried out all the same",
    "timeout": "nothing whole arrived in time, or the command took too long",
    "internal": "a fault of the program; the daemon's log has it",
}

JsonObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One command."""

    command: Command
    text: str = ""
    """For `ask` and `say`; lone surrogates are replaced, so that it can be written anywhere."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a request is not carried out; `message` is one line for a person."""

    code: Code
    message: str


def encode(message: Mapping[str, Any]) -> bytes:
    """One line. Raises ValueError for what has no place in JSON (NaN), TypeError for what is no plain value."""
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate has no UTF-8; backslashreplace writes it as JSON does: \ud800 and the like.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def request(command: Command, text: str | None = None) -> bytes:
    """The line that asks for it."""
    message: JsonObject = {"v": VERSION, "cmd": command}
    return encode(message if text is None else message | {"text": text})


def done(result: JsonObject) -> bytes:
    """The line that says it was carried out. Raises like `encode`."""
    return encode({"v": VERSION, "ok": True, "result": result})


def refused(fault: Fault) -> bytes:
    """The line that says why it was not."""
    return encode({"v": VERSION, "ok": False, "error": {"code": fault.code, "message": fault.message}})


def read_request(line: bytes) -> Request | Fault:
    """What a client asks for. Never raises."""
    message = _object(line)
    if message is None:
        return Fault("malformed", 'not a JSON object in UTF-8, such as {"v":1,"cmd":"status"}')
    version = message.pop("v", None)
    if type(version) is not int or version != VERSION:
        return Fault("version", f'this daemon speaks version {VERSION}: begin with {{"v":{VERSION},…')
    command = message.pop("cmd", None)
    if command not in get_args(Command):
        return Fault("unknown-command", f"cmd must be one of {', '.join(get_args(Command))}")
    text = message.pop("text", None) if command in WITH_TEXT else ""
    if message:
        return Fault("unknown-key", f"{command} has no key {shown(min(message))}")
    if not isinstance(text, str) or len(text) > MAX_TEXT or (command in WITH_TEXT and not text.strip()):
        return Fault("text", f"{command} needs a text of 1 to {MAX_TEXT} characters")
    return Request(command, text.encode("utf-8", "replace").decode("utf-8"))


def read_reply(line: bytes) -> JsonObject | Fault:
    """What the daemon answered. Raises ValueError when that is no answer in this language."""
    message = _object(line)
    if message is not None and message.get("v") == VERSION:
        result, error = message.get("result"), message.get("error")
        if message.get("ok") is True and isinstance(result, dict):
            return result
        if isinstance(error, dict):
            return Fault(str(error.get("code", "")), str(error.get("message", "")))
    raise ValueError("the daemon's answer cannot be understood; are claudiad and claudiactl of the same version?")


def shown(text: str) -> str:
    """Somebody else's text in a message of ours: quoted, short, on one line, in ASCII."""
    return ascii(text if len(text) <= 40 else f"{text[:39]}…")


def _object(line: bytes) -> JsonObject | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, numbers of thousands of digits; endless nesting
        return None
    return message if isinstance(message, dict) else None
