"""What an English or Chinese utterance is made of: segments, each something to do or say with words around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from claudiad.types import Action

CoreKind = Literal["do", "say", "stop", "rest"]
Sep = Literal["start", "break", "joint", "but", "rather", "praised", "beside", "aside"]
"""How a segment stands to the one before: behind punctuation, a joint, 而是, `no,`; or directly: `praised`, behind
praise or talk, where no command may stand (beautiful dance); `beside`, in Chinese (坐下握手); `aside`, in English,
where only a stop may."""


@dataclass(frozen=True, slots=True)
class Core:
    """What a segment is about, without the words around it."""

    kind: CoreKind
    text: str
    actions: tuple[Action, ...] = ()
    reply: str = ""
    personal: bool = False
    """It can be done for somebody: with grandpa, 给大家. Going somewhere cannot: to grandpa would be a place."""
    moves: bool = False
    """A motion: said twice, it is meant twice."""
    asked: bool = False
    """A request by itself: can I have your paw?"""
    value: str = ""
    """The last column of a stop or a rest."""


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around a core."""

    led: bool = False
    """Something that only a command has in front of it."""
    asked: bool = False
    """A request by its words: a question mark takes nothing from it."""
    can: bool = False
    """能…: a request only as a question."""
    question: bool = False
    negated: bool = False
    over: bool = False
    """了, any more: what is negated is going on and should end."""
    addressed: bool = False
    times: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    core: Core
    around: Around
    sep: Sep

    @property
    def times(self) -> int:
        return self.around.times or 1
