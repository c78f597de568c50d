"""Every way the scripted Ollama can go wrong, by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fault(Enum):
    """What happens instead of a good answer."""

    # The connection
    REFUSED = "nobody listens"
    SLOW_HEADERS = "nothing comes for as long as it is waited for, not even headers"
    STALL_AT_START = "headers, and nothing more"
    STALL_IN_THE_MIDDLE = "half the tokens, and nothing more"
    CUT_AT_START = "the connection is lost after the headers"
    CUT_IN_THE_MIDDLE = "the connection is lost between two lines"
    CUT_IN_A_STRING = "the connection is lost within a line, in a JSON string"
    CUT_IN_A_CHARACTER = "the connection is lost within the bytes of one character"
    # The protocol
    EOF_AT_START = "an empty body"
    EOF_WITHOUT_DONE = "all the tokens, but no line with done"
    STALL_AFTER_DONE = "a whole answer, but the body never ends"
    EOF_IN_A_LINE = "an orderly end within a line"
    ERROR_AT_START = "an error line under 200 before anything else"
    ERROR_LINE = "an error line under 200 after half the tokens"
    MALFORMED_LINE = "a line that is not JSON, after half the tokens"
    LIST_LINE = "a line that is JSON but no object"
    WRONG_FIELD_LINE = "a line whose message is text"
    STATUS_400 = "400"
    STATUS_404 = "404"
    STATUS_429 = "429"
    STATUS_500 = "500"
    STATUS_503 = "503"
    # The answer
    STRAY_THINK = "</think> without an opener before the answer"
    THINK_BLOCK = "a think block in the content"
    CODE_FENCE = "the JSON in a code fence"
    TEXT_BEFORE = "text before the JSON"
    TEXT_AFTER = "text after the JSON"
    TEXT_AROUND = "text before and after it"
    UNREGISTERED_ID = "an API id nobody knows"
    WRONG_TYPES = "the right keys with the wrong types"
    NO_JSON = "a sentence, no JSON"
    HALF_JSON = "JSON that is never closed"
    EMPTY = "no text at all"
    REPETITION = "the same syllables until num_predict"
    CHINESE = "Chinese in the reply"
    HUGE_LINE = "one token of half a megabyte"
    LENGTH = "half the answer, done with the reason length"


STATUSES: dict[Fault, tuple[int, str]] = {
    Fault.STATUS_400: (400, "invalid request"),
    Fault.STATUS_404: (404, "model '{model}' not found"),
    Fault.STATUS_429: (429, "too many requests"),
    Fault.STATUS_500: (500, "model runner has unexpectedly stopped, this may be due to resource limitations"),
    Fault.STATUS_503: (503, "server busy, please try again.  maximum pending requests exceeded"),
}

ERROR_TEXT = "an error was encountered while running the model: CUDA error: out of memory"


class ConnectionLost(Exception):
    """The server's side of the connection is to go now, without the protocol's farewell."""


class Refused(Exception):
    """There is to be no connection at all."""


@dataclass
class Injection:
    """A fault that waits for a request."""

    fault: Fault
    model: str | None
    path: str
    times: int | None
    """How often it still happens; None: always."""


def altered(answer: str, fault: Fault | None) -> str:
    """The answer as a model with `fault` writes it."""
    if fault is None:
        return answer
    return {
        Fault.STRAY_THINK: f"</think>\n\n{answer}",
        Fault.THINK_BLOCK: f"<think>ユーザーは何を望んでいるのか。1016 かな。</think>{answer}",
        Fault.CODE_FENCE: f"```json\n{answer}\n```",
        Fault.TEXT_BEFORE: f"はい、次のとおりです。\n{answer}",
        Fault.TEXT_AFTER: f"{answer}\n以上です。",
        Fault.TEXT_AROUND: f"次のとおりです。\n{answer}\n以上です。",
        Fault.UNREGISTERED_ID: '{"a":[1018],"r":"はい、やってみます。"}',
        Fault.WRONG_TYPES: '{"a":"1016","r":["はい"]}',
        Fault.NO_JSON: "わかりました。挨拶をしますね。",
        Fault.HALF_JSON: answer.rstrip("}").rstrip('"'),
        Fault.EMPTY: "",
        Fault.REPETITION: '{"a":[],"r":"' + "はいはい" * 4000,
        Fault.CHINESE: '{"a":[1004,1016],"r":"立ちます然后は挨拶します"}',
        Fault.HUGE_LINE: '{"a":[],"r":"' + "あ" * 170_000 + '"}',
    }.get(fault, answer)
