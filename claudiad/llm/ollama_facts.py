"""What an Ollama server says about its models."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Installed:
    """One model on the server's disk (`/api/tags`)."""

    name: str
    """With its tag."""
    size: int
    """Bytes."""
    parameter_size: str
    """As published, e.g. `3.1B`; "" when not known."""
    quantization: str
    """E.g. `Q4_K_M`."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One model in the server's memory (`/api/ps`)."""

    name: str
    size: int
    """Bytes in all memories together."""
    size_vram: int
    """Bytes of them on the GPU."""

    @property
    def gpu_share(self) -> float | None:
        """Part of the model that is on the GPU, 0 to 1; None when the server gives no size."""
        return self.size_vram / self.size if self.size > 0 else None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a model is (`/api/show`)."""

    capabilities: frozenset[str]
    """E.g. `completion`, `thinking`; empty from a server older than capabilities."""

    @property
    def thinks(self) -> bool:
        """Whether it would think aloud unless told not to."""
        return "thinking" in self.capabilities


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of a pull or a create."""

    status: str
    """The server's words; the last one is `success`."""
    completed: int | None = None
    """Bytes of the layer it is about that are here."""
    total: int | None = None
    """Bytes of that layer."""
