"""What the scripted Ollama's models are and answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Answers: TypeAlias = Callable[[str], str] | Mapping[str, str]
"""From the last user message to the answer. Of a table, the longest key the message contains; "" is for all others."""

ANSWERS: Mapping[str, str] = {
    "こんにちは": '{"a":[],"r":"こんにちは。今日も元気です。"}',
    "おはよう": '{"a":[],"r":"おはようございます。よく眠れましたか。"}',
    "立って": '{"a":[1004],"r":"はい、立ちますね。"}',
    "座って": '{"a":[1009],"r":"はい、座りますね。"}',
    "挨拶して": '{"a":[1016],"r":"こんにちは。お会いできてうれしいです。"}',
    "立ってそして挨拶して": '{"a":[1004,1016],"r":"立ちます。それから挨拶しますね。"}',
    "可愛い動作して": '{"a":[1036],"r":"ハートを作りますね。"}',
    "疲れた": '{"a":[],"r":"お疲れさまです。少し休んでくださいね。"}',
    "量子力学": '{"a":[],"r":"とても小さな粒の世界の決まりです。粒は波のようにもふるまいます。"}',
    "": '{"a":[],"r":"すみません、よくわかりませんでした。"}',
}


def answer_of(answers: Answers, message: str) -> str:
    """What is answered to a user's message: to the words in it, not to the state in front of them."""
    message = message.rpartition("「")[2].rstrip("」") or message
    if not isinstance(answers, Mapping):
        return answers(message)
    known = sorted((key for key in answers if key in message), key=len)
    return answers[known[-1]] if known else ""


@dataclass(frozen=True)
class ScriptedModel:
    """One model of the scripted server."""

    name: str
    first_token_s: float = 0.0
    """From the request, once the model is loaded, to its first token."""
    tokens_per_s: float = float("inf")
    load_s: float = 0.0
    size: int = 2_000_000_000
    """Bytes."""
    gpu_share: float = 1.0
    thinks: bool = False
    logprob: float = -0.05
    """Of every token."""
    parameter_size: str = "3.1B"
    quantization: str = "Q4_K_M"
    family: str = "qwen2"
    system: str | None = None
    template: str = "{{ .Prompt }}"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Mapping[str, str], ...] = ()
    answers: Answers | None = None
    """Its own; None: the server's."""


def tokens_of(text: str) -> list[str]:
    """Two characters a token: near to what Japanese takes."""
    return [text[at : at + 2] for at in range(0, len(text), 2)]
