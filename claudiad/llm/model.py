"""What a language model is to this program: messages in, pieces of text out, and an account at the end.

`ChatModel` has two real implementations, Ollama (`claudiad.llm.ollama_server`) and the cloud (`claudiad.llm.cloud`).
Their deviations end there: above them there are pieces, one `Done`, or a `ModelError`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What one model is asked once."""

    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None
    """JSON schema the answer is to follow; None: free text."""
    num_predict: int
    """Most tokens it may write."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text as it comes, never empty; a token or several."""

    text: str
    logprob: float | None = None
    """Mean natural log-probability of its tokens, where the server gives it."""


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a complete answer, with the server's own account of it."""

    reason: str
    """`stop`, or `length` when `num_predict` cut it."""
    prompt_tokens: int = 0
    tokens: int = 0
    load_ms: float = 0.0
    prompt_ms: float = 0.0
    eval_ms: float = 0.0

    @property
    def tokens_per_s(self) -> float | None:
        """How fast it wrote; None when too little was written to tell."""
        return self.tokens / self.eval_ms * 1000.0 if self.tokens >= MEASURABLE and self.eval_ms > 0 else None


MEASURABLE = 5
"""Fewest tokens from which a speed means anything."""


class ChatModel(Protocol):
    """One model that can be asked."""

    @property
    def name(self) -> str:
        """As configured."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[Piece | Done, None]:
        """Pieces as they are written, then exactly one `Done`.

        Closing the generator (`aclose`, or cancelling the task that reads it) ends the generation on the server. It has
        no deadline of its own besides that for connecting: how long is waited is the caller's budget. Raises
        `ModelError`; what came before it is an answer that was cut.
        """
        ...
