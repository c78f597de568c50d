"""What an Ollama server says about its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Installed:
    """One model on the server's disk (`/api/tags`)."""

    name: str
    """With its tag."""
    size: int
    """Bytes."""
    digest: str
    parameter_size: str
    """As published, e.g. `3.1B`; "" when not known."""
    quantization: str
    """E.g. `Q4_K_M`."""
    family: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """One model in the server's memory (`/api/ps`)."""

    name: str
    size: int
    """Bytes in all memories together."""
    size_vram: int
    """Bytes of them on the GPU."""
    context_length: int | None
    """Tokens; None where the server does not say."""
    expires_at: datetime | None

    @property
    def gpu_share(self) -> float | None:
        """Part of the model that is on the GPU, 0 to 1; None when the server gives no size."""
        return self.size_vram / self.size if self.size > 0 else None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a model is (`/api/show`)."""

    capabilities: frozenset[str]
    """E.g. `completion`, `thinking`; empty from a server older than capabilities."""
    parameters: str
    """The Modelfile's, one a line."""
    template: str
    parameter_size: str
    quantization: str
    family: str
    info: Mapping[str, Any]
    """The server's `model_info`: `<architecture>.context_length` and others."""

    @property
    def thinks(self) -> bool:
        """Whether it would think aloud unless told not to."""
        return "thinking" in self.capabilities


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of a pull or a create."""

    status: str
    """The server's words; the last one is `success`."""
    digest: str | None = None
    completed: int | None = None
    """Bytes of `digest` that are here."""
    total: int | None = None
    """Bytes of `digest`."""
