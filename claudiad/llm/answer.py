"""Read a language model's answer while it is being written: the actions first, then the words as they grow. Pure.

    {"a": [1016, "Sit"], "r": "はい、挨拶します。"}      current: the actions leave when their list closes
    {"r": "はい。", "a": 1016, "seq": []}               older: they leave when both are known, or at the end

What one model or another puts around or into that is allowed for: thoughts, a stray `</think>` (everything before it
was thought), a code fence, words before and after, commas too many, a repeated key, an answer that is cut. Nothing
leaves early unless the answer begins with its object, because words before it may still turn out to be thought;
such an answer is read at the finish. What may be named at all is decided in `claudiad.brain.proposal`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal

from claudiad.brain.proposal import MAX_REPLY, Proposal, read_proposal, read_steps
from claudiad.llm.object_reader import Closed, Grown, ObjectReader

MAX_TEXT = 8000
"""Characters that are read; a model that has not come to an end by then is repeating itself."""

_KEYS = ("a", "r", "seq")
_MAX_TRIES = 8
"""Opening braces behind words that are tried as the beginning of the answer: bounds the work on `{"":{"":{"":…`."""
_MAX_TAG = 40
_TAG = re.compile(r"<(/?)think(?:ing)?\b[^<>]*>\Z", re.IGNORECASE)
_LEAD = re.compile(r"\s*(?:```\w*\s*)?")
_BRACKET = re.compile(r"[{\[]")
_NOISE = str.maketrans("", "", "\0\ufeff")

Form = Literal["current", "older", "text", "none"]


@dataclass(frozen=True, slots=True)
class ActionsClosed:
    """What is to be done is known, before the words are. Its proposal has no reply; it may be invalid or unknown."""

    proposal: Proposal


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The reply has grown by this; never empty, no control characters, white space as one space."""

    text: str


Event = ActionsClosed | ReplyText


@dataclass(frozen=True, slots=True)
class Answer:
    """All that was read."""

    proposal: Proposal
    """Invalid when something contradicts what left early; of a cut answer, actions only if their list had closed."""
    reply: str
    """The same as `proposal.reply`; what left early is how it begins."""
    form: Form
    """`older`: with a `seq`, or the words before `a`; `text`: no JSON, the reply is the text; `none`: neither."""
    complete: bool
    """The object had its end. For `text` that cannot be seen here: only false when it was certainly cut."""


class _Reply:
    """Cleans like `claudiad.brain.proposal`, as the text grows."""

    def __init__(self) -> None:
        self.text = ""
        self._taken = 0
        self._gaps = 0
        self._white = False

    def grow(self, more: str) -> str:
        """What comes out now; white space waits until something follows."""
        before = len(self.text)
        for char in more[: MAX_REPLY - self._taken]:
            white = char.isspace()
            if white and not self._white:
                self._gaps += 1
            elif not white and char.isprintable():
                self.text += " " * self._gaps * bool(self.text) + char
                self._gaps = 0
            self._white = white
        self._taken += len(more)
        return self.text[before:]


class _Reading:
    """One object as an answer."""

    def __init__(self, actions: Mapping[str, int]) -> None:
        self.contradicted = False
        """Something came that does not go with what had left; nothing leaves any more."""
        self.spoke = False
        """Something has left."""
        self._actions = actions
        self._object = ObjectReader()
        self._first: dict[str, Any] = {}
        self._reply = _Reply()
        self._words_first = False
        self._steps: Proposal | None = None

    @property
    def ended(self) -> bool:
        return self._object.closed or self._object.broken

    @property
    def broken(self) -> bool:
        return self._object.broken

    @property
    def usable(self) -> bool:
        """It has a part of an answer and is not broken."""
        return not self._object.broken and bool(self._first or self._reply.text)

    def feed(self, char: str) -> Event | None:
        change = self._object.feed(char)
        event: Event | None = None
        if isinstance(change, Grown):
            event = self._grown(change)
        elif isinstance(change, Closed):
            event = self._closed(change)
        if self._object.closed and self._first and self._steps is None:
            event = self._leave_steps()
        if event is None or self.contradicted:
            return None
        self.spoke = True
        return event

    def _grown(self, change: Grown) -> Event | None:
        if change.key != "r" or "r" in self._first:
            return None
        more = self._reply.grow(change.text)
        return ReplyText(more) if more else None

    def _closed(self, change: Closed) -> Event | None:
        if change.key not in _KEYS:
            return None
        if change.key in self._first:
            # By their writing: to Python, 1 == True.
            self.contradicted |= repr(change.value) != repr(self._first[change.key])
            return None
        self._first[change.key] = change.value
        self._words_first |= change.key == "a" and "r" in self._first
        known = "a" in self._first and (isinstance(self._first["a"], list) or "seq" in self._first)
        return self._leave_steps() if known and self._steps is None else None

    def _leave_steps(self) -> ActionsClosed:
        self._steps = read_steps(self._first, self._actions)
        if self._object.closed and not isinstance(self._first.get("r"), str):
            self._steps = Proposal((), "", (), valid=False)
        return ActionsClosed(self._steps)

    def answer(self) -> Answer:
        reply = self._reply.text
        if self._object.closed:
            proposal = read_proposal(self._first, self._actions)
            self.contradicted |= self._steps is not None and self._steps.actions != proposal.actions
        elif self._steps is not None and not self._object.broken:
            proposal = Proposal(self._steps.actions, reply, self._steps.unknown, self._steps.valid)
        else:
            proposal = Proposal((), reply, (), valid=False)
        if self.contradicted:
            proposal = Proposal((), reply, (), valid=False)
        return Answer(proposal, reply, self._form(), self._object.closed)

    def _form(self) -> Form:
        if not (self._first or self._reply.text):
            return "none"
        return "older" if "seq" in self._first or ("a" in self._first and self._words_first) else "current"


class _In(Enum):
    HEAD = auto()
    """Nothing certain yet: what is here may be words before the object, or thought."""
    THOUGHT = auto()
    OBJECT = auto()
    TAIL = auto()


class AnswerReader:
    """Give it what the model writes, piece by piece; what leaves does not depend on how it was cut into pieces."""

    def __init__(self, actions: Mapping[str, int]) -> None:
        """`actions`: every action that may be chosen, and its API id."""
        self._actions = actions
        self._in = _In.HEAD
        self._read = 0
        self._text = ""
        """All that may belong to the answer, without thoughts."""
        self._tail = ""
        """The last characters, for tags."""
        self._reading = _Reading(actions)

    def feed(self, text: str) -> tuple[Event, ...]:
        """Read on. Never raises. `ActionsClosed` comes once at most, at the latest when the object closes."""
        events: list[Event] = []
        text = text.translate(_NOISE)[: MAX_TEXT - self._read]
        self._read += len(text)
        for char in text:
            event = self._take(char)
            if isinstance(event, ReplyText) and events and isinstance(events[-1], ReplyText):
                events[-1] = ReplyText(events[-1].text + event.text)
            elif event is not None:
                events.append(event)
        return tuple(events)

    def finish(self) -> Answer:
        """The answer, when nothing more comes."""
        if self._in in (_In.OBJECT, _In.TAIL):
            return self._reading.answer()
        found = self._find()
        if found is not None:
            return found
        reply = _Reply()
        reply.grow(_LEAD.sub("", _BRACKET.split(self._text, maxsplit=1)[0].strip(), count=1))
        said = reply.text if any(map(str.isalpha, reply.text)) else ""
        complete = bool(said) and self._in is _In.HEAD and self._read < MAX_TEXT
        return Answer(Proposal((), said, (), valid=False), said, "text" if said else "none", complete)

    def _take(self, char: str) -> Event | None:
        self._tail = (self._tail + char)[-_MAX_TAG:]
        if self._in in (_In.HEAD, _In.OBJECT):
            self._text += char
        if self._in is _In.OBJECT:
            return self._in_object(char)
        tag = _TAG.search(self._tail) if char == ">" else None
        if tag is not None:
            self._tagged(closing=bool(tag[1]), length=len(tag[0]))
        elif self._in is _In.HEAD and char == "{" and _LEAD.fullmatch(self._text[:-1]):
            self._in = _In.OBJECT
            self._reading = _Reading(self._actions)
        return None

    def _tagged(self, *, closing: bool, length: int) -> None:
        if self._in is _In.TAIL:
            self._reading.contradicted |= closing
        elif closing:
            self._in, self._text = _In.HEAD, ""
        elif self._in is _In.HEAD:
            self._in, self._text = _In.THOUGHT, self._text[:-length]

    def _in_object(self, char: str) -> Event | None:
        event = self._reading.feed(char)
        if self._reading.ended:
            # A brace that began no answer was only a word among others, and more may follow.
            self._in = _In.TAIL if self._reading.spoke else _In.HEAD
        return event

    def _find(self) -> Answer | None:
        """The first object that is an answer, behind words."""
        start = -1
        for _ in range(_MAX_TRIES):
            start = self._text.find("{", start + 1)
            if start < 0:
                return None
            reading, end = _Reading(self._actions), start + 1
            while end < len(self._text) and not reading.ended:
                reading.feed(self._text[end])
                end += 1
            if reading.usable:
                return reading.answer()
            if not reading.broken:
                start = end - 1  # whole, and no answer: what is inside it is none either
        return None
