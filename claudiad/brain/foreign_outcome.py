"""What the segments of an English or Chinese utterance come to together: a stop, a sequence, a ban, an answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from claudiad.brain import wording
from claudiad.brain.answers import FORBIDDEN
from claudiad.brain.foreign_parts import Segment
from claudiad.types import Action, Kind

MAX_ACTIONS = 6
"""Longest sequence; three times one thing are three."""


@dataclass(frozen=True, slots=True)
class ForeignMatch:
    """An utterance that was understood."""

    actions: tuple[Action, ...]
    """In the order in which they are to be done, at most `MAX_ACTIONS`; the stop itself for a stop."""
    reply: str
    """Japanese; empty for a stop, whose words are the router's."""
    kind: Kind
    rule: str
    """The rows that matched, for people who ask why."""
    stop: bool = False
    latch: bool = False
    """Nothing may move after this stop until a release."""
    forbidden: bool = False
    """It was told what not to do, and nothing else: `actions` is empty."""
    unwanted: frozenset[str] = frozenset()
    """Names of the actions that must not be done. One that is running while this is said should end."""


def compose(segments: list[Segment], stop: int | None, strong: bool) -> ForeignMatch | None:
    """What segments come to; None when they contradict each other, or it is too much.

    `stop`: API id of the stop; `strong`: a stop that is one only by itself is none.
    """
    tally = Tally()
    for segment in segments:
        tally.take(segment)
    if tally.stops or (tally.weak and not strong):
        return _stop(tally.stops + tally.weak, stop)
    if tally.unclear:
        return None
    if tally.wanted:
        return _done(tally.wanted)
    if banned := tally.banned:
        names = frozenset(a.name for s in banned for a in s.core.actions)
        return ForeignMatch((), FORBIDDEN, "dialog", f"not {_rule(banned)}", forbidden=True, unwanted=names)
    return _answered(tally.said) if tally.said else None


def _stop(stops: list[Segment], number: int | None) -> ForeignMatch:
    actions = () if number is None else (Action("stop", number),)
    latch = any(s.core.value == "latch" for s in stops)
    return ForeignMatch(actions, "", "action", _rule(stops), stop=True, latch=latch)


@dataclass(slots=True)
class Tally:
    """Segments sorted by what they come to."""

    wanted: list[Segment] = field(default_factory=list)
    banned: list[Segment] = field(default_factory=list)
    said: list[Segment] = field(default_factory=list)
    stops: list[Segment] = field(default_factory=list)
    weak: list[Segment] = field(default_factory=list)
    """Stops unless something else is wanted after them: no, sit down."""
    unclear: bool = False
    carried: bool = False
    """The segment before was banned, and so is what is joined to it: do not sit and dance."""
    last: bool = False
    """Do not sit, stand up: the one that is wanted. With another behind it, it may be a list of bans."""

    def take(self, segment: Segment) -> None:
        """Put the next segment where it belongs."""
        core, around, sep = segment.core, segment.around, segment.sep
        if sep == "rather":
            self.wanted, self.banned, self.carried, self.last = [], [], False, False
        if core.kind == "say":
            self.said.append(segment)
            return
        negated = around.negated or (self.carried and sep in ("joint", "beside") and core.kind == "do")
        if core.kind == "do":
            self.unclear = self.unclear or self.last
        if negated:
            (self.stops if around.over and core.kind == "do" else self.banned).append(segment)
        elif core.kind == "stop":
            (self.weak if core.value == "alone" else self.stops).append(segment)
        elif core.kind == "rest":
            self.weak += [] if self.wanted else [segment]
        elif not self._repeated(segment):
            self.wanted.append(segment)
            if sep == "break":
                self.weak = []
            self.last = self.carried and sep == "break"
        self.carried = negated

    def _repeated(self, segment: Segment) -> bool:
        """Sit, sit, sit! is one command."""
        if not self.wanted or segment.core.moves or segment.sep not in ("break", "beside"):
            return False
        before = self.wanted[-1]
        return (before.core, before.times) == (segment.core, segment.times)


def _done(wanted: list[Segment]) -> ForeignMatch | None:
    actions = tuple(a for s in wanted for _ in range(min(s.times, MAX_ACTIONS + 1)) for a in s.core.actions)
    if len(actions) > MAX_ACTIONS:
        return None
    reply = wording.IN_ORDER if len(wanted) > 1 else wording.AGAIN if wanted[0].times > 1 else wanted[0].core.reply
    return ForeignMatch(actions, reply, "action" if actions else "dialog", _rule(wanted))


def _answered(said: list[Segment]) -> ForeignMatch:
    """Praise, greetings and questions: the first with an action, else the first."""
    chosen = next((s for s in said if s.core.actions), said[0]).core
    return ForeignMatch(chosen.actions, chosen.reply, "dialog_with_action" if chosen.actions else "dialog", chosen.text)


def _rule(segments: list[Segment]) -> str:
    return " → ".join(s.core.text + (f" ×{s.times}" if s.times > 1 else "") for s in segments)
