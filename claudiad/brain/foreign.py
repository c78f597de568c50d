"""What English and Chinese speakers say to it: `can you turn left, please?`, 往前走两米，然后坐下.

A grammar over words (Latin letters) and single characters (Chinese), both languages in one: an utterance is segments
with joints between them, a segment is one command with politeness, addressees and counts around it. What the words are
is `data/foreign.tsv`'s business; each row gives a text one role. Everything must be known: one word without a role, or
in a place where its role does not belong, and the utterance means nothing, so nothing moves.

Stops come first: one that is a whole clause wins over everything around it, known or not.

Text with kana in it is Japanese and is not looked at. Japanese in kanji alone (握手, 前進) may be taken here; the table
gives it the meaning it has there.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from claudiad.brain import wording
from claudiad.brain.answers import FORBIDDEN
from claudiad.brain.foreign_table import Entry, Role, Rows, Tokens, Verb, read_table, split_words
from claudiad.brain.motion import STEP_M, Motion
from claudiad.brain.reading import MAX_CHARS, clean
from claudiad.types import Action, Kind

MAX_ACTIONS = 6
"""Longest sequence; three times one thing are three."""
MAX_TOKENS = 120
"""Words and characters of the longest utterance that is read; six commands need half of that."""
MAX_AROUND = 24
"""Most words and characters in front of what a segment is about, behind it, and of a motion with its numbers."""
_CoreKind = Literal["do", "say", "stop", "rest"]
Sep = Literal["start", "break", "joint", "but", "rather", "praised", "beside", "aside"]
"""How a segment stands to the one before: behind punctuation, a joint, 而是, `no,`; or directly: `praised`, behind
praise or talk, where no command may stand (beautiful dance); `beside`, in Chinese (坐下握手); `aside`, in English,
where only a stop may."""

_COMPANY: tuple[Role, ...] = ("name", "oh")
_FRONT: tuple[Role, ...] = (*_COMPANY, "front", "ask", "can", "not", "place")
_BEHIND: tuple[Role, ...] = (*_COMPANY, "behind", "ask", "closing", "over", "place")
_MARKS: Mapping[Role, Mapping[str, bool]] = {
    "front": {"led": True},
    "ask": {"led": True, "asked": True},
    "can": {"led": True, "can": True},
    "not": {"led": True, "negated": True},
    "place": {"led": True, "addressed": True},
    "closing": {"question": True},
    "over": {"over": True},
}
"""What a word of a role does to `_Around`; the others leave it as it is."""
_DO: tuple[Role, ...] = ("do", "go", "noun")
_OTHER: tuple[tuple[Role, _CoreKind], ...] = (("say", "say"), ("rest", "rest"), ("stop", "stop"))

_KANA = re.compile(r"[ぁ-ゖァ-ヺー\uff66-\uff9f]")
_NUMERAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_CHINESE = re.compile(r"[㐀-䶿一-鿿]")


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


_T = TypeVar("_T")


def load_foreign(path: Path, actions: Mapping[str, int]) -> Foreign:
    """Read the table, see `foreign_table.read_table`. Raises `DataError` (`file:line: …`)."""
    table, same = read_table(path, actions)
    return Foreign(table, same, actions)


class Foreign:
    """The grammar. Immutable; safe to call from any thread."""

    def __init__(self, table: Rows, same: Mapping[int, str], actions: Mapping[str, int]) -> None:
        self.table = table
        self.longest = max(map(len, table), default=0)
        self.actions = dict(actions)
        self._same = dict(same)

    def parse(self, text: str) -> ForeignMatch | None:
        """What a whole text asks for; None when any part of it is unknown, or it is too much. Never raises.

        `text`: as it was said, not yet cut to `reading.MAX_CHARS`; of a longer one only a stop is taken.
        """
        if _KANA.search(text):
            return None
        tokens = split_words(clean(text), self._same)
        whole = _Reading(self, tokens).match() if len(tokens) <= MAX_TOKENS else None
        if whole is not None and whole.stop:
            return whole
        return self._clause_stop(tokens, whole is not None) or (whole if len(text) <= MAX_CHARS else None)

    def _clause_stop(self, tokens: Tokens, understood: bool) -> ForeignMatch | None:
        """A stop that is a clause of its own: 停！…, `stop! there is …`.

        `understood`: the whole makes sense without it, so that `two steps, then stop` need not stop now.
        """
        stops: list[ForeignMatch] = []
        for mark, words in itertools.groupby(tokens, lambda t: t in (",", "?")):
            clause = tuple(words)
            if mark or len(clause) > MAX_TOKENS or (clause == tokens):
                continue
            reader = _Reading(self, clause)
            match = None if understood and reader.continues else reader.match(strong=True)
            if match is not None and match.stop:
                stops.append(match)
        return replace(stops[0], latch=any(s.latch for s in stops)) if stops else None


@dataclass(frozen=True, slots=True)
class _Core:
    """What a segment is about, without the words around it."""

    kind: _CoreKind
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
class _Around:
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
class _Segment:
    core: _Core
    around: _Around
    sep: Sep

    @property
    def times(self) -> int:
        return self.around.times or 1


@dataclass(frozen=True, slots=True)
class _Going:
    """A motion as far as it has been said."""

    said: Motion = field(default_factory=Motion)
    verb: Verb | None = None
    pieces: int = 0


class _Reading:
    """One text, or one clause of it, being read."""

    def __init__(self, grammar: Foreign, tokens: Tokens) -> None:
        self._actions = grammar.actions
        self._tokens = tokens
        self._talk = False
        self._dead: set[tuple[int, bool, Sep]] = set()
        self._hits: list[dict[Role, list[tuple[int, Entry]]]] = []
        for pos in range(len(tokens)):
            here: dict[Role, list[tuple[int, Entry]]] = {}
            for end in range(min(len(tokens), pos + grammar.longest), pos, -1):
                for role, entry in grammar.table.get(tokens[pos:end], {}).items():
                    here.setdefault(role, []).append((end, entry))
            self._hits.append(here)

    def match(self, strong: bool = False) -> ForeignMatch | None:
        """What the tokens mean. `strong`: a stop that is one only by itself is none.

        Read first as orders, perhaps with praise and greetings, then as talk without any: in `come here and sit` half
        is beyond it, and the other half alone is not what was asked for.
        """
        for self._talk in (False, True):
            self._dead.clear()
            segments = self._sequence(0, False, "start")
            if segments is not None:
                return self._compose(segments, strong)
        return None

    @property
    def continues(self) -> bool:
        """True when it begins as the continuation of something: then, and, 然后."""
        return bool(self._at(0, "joint"))

    # --- segments and what is between them

    def _sequence(self, pos: int, asked: bool, sep: Sep) -> list[_Segment] | None:
        state = (pos, asked, sep)
        if state in self._dead or pos >= len(self._tokens):
            return None
        for end, segment in self._segments(pos, asked, sep):
            if self._skip(end) == len(self._tokens):
                return [segment]
            for following, between in self._between(end, segment):
                rest = self._sequence(following, asked or segment.around.asked or segment.around.can, between)
                if rest is not None:
                    return [segment, *rest]
        self._dead.add(state)
        return None

    def _between(self, end: int, segment: _Segment) -> Iterator[tuple[int, Sep]]:
        start = self._skip(end)
        if start > end:
            yield from ((self._skip(e), "rather") for e, _ in self._at(start, "rather"))
            yield from ((self._skip(e), "rather") for e, _ in self._at(start, "lead") if self._skip(e) > e)
        if segment.around.negated:
            yield from ((self._skip(e), "but") for e, _ in self._at(start, "but"))
        for e, _ in self._at(start, "joint"):
            yield self._skip(e), "joint"
        if start > end:
            yield start, "break"
        elif segment.core.value in ("alone", "clause"):
            return
        elif segment.core.kind == "say" and segment.core.actions:
            yield end, "praised"
        elif all(map(_CHINESE.match, self._tokens[end - 1 : end + 1])):
            yield end, "beside"
        else:
            yield end, "aside"

    def _segments(self, pos: int, asked: bool, sep: Sep) -> Iterator[tuple[int, _Segment]]:
        for start, front in self._fronts(pos, sep):
            for middle, core in self._cores(start):
                if not _fits(core, front, sep):
                    continue
                for end, around in self._behinds(middle, core, front):
                    if self._sound(core, around, asked, end):
                        yield end, _Segment(core, around, sep)

    def _sound(self, core: _Core, around: _Around, asked: bool, end: int) -> bool:
        """False for `sit?` and 坐下吗, which ask about something, and for 能坐下, which reports."""
        if core.kind != "do":
            return True
        if around.addressed and not core.personal:
            return False
        if around.negated:
            return True
        question = around.question or self._tokens[end : end + 1] == ("?",)
        return (around.asked or around.can or asked or core.asked) if question else not around.can

    def _fronts(self, pos: int, sep: Sep) -> Iterator[tuple[int, _Around]]:
        def after(p: int, around: _Around) -> Iterator[tuple[int, _Around]]:
            for role in _FRONT:
                for end, _ in self._at(p, role):
                    now = _with(around, role)
                    yield end, now
                    if role != "not" and self._tokens[end : end + 1] == (",",):
                        yield end + 1, now
            if sep == "start" and not around.led:
                yield from ((self._skip(end), around) for end, _ in self._at(p, "lead") if self._skip(end) > end)
            yield from ((end, replace(around, addressed=True, led=True)) for end in self._addressees(p))

        return _reachable((pos, _Around()), after)

    def _behinds(self, pos: int, core: _Core, front: _Around) -> Iterator[tuple[int, _Around]]:
        def after(p: int, around: _Around) -> Iterator[tuple[int, _Around]]:
            starts = (p, p + 1) if self._tokens[p : p + 1] == (",",) else (p,)
            for start, role in itertools.product(starts, _COMPANY if core.kind == "say" else _BEHIND):
                if role != "over" or around.negated:
                    yield from ((end, _with(around, role)) for end, _ in self._at(start, role))
            if core.kind == "say":
                return
            if not around.times:
                yield from ((end, replace(around, times=n)) for end, n in self._times(p))
            yield from ((end, replace(around, addressed=True)) for end in self._addressees(p))

        return _reachable((pos, front), after)

    def _skip(self, pos: int) -> int:
        return pos + (self._tokens[pos : pos + 1] in ((",",), ("?",)))

    def _at(self, pos: int, role: Role) -> list[tuple[int, Entry]]:
        return self._hits[pos].get(role, []) if pos < len(self._tokens) else []

    # --- what a segment is about

    def _cores(self, pos: int) -> list[tuple[int, _Core]]:
        """Longest first, so that 站起来 is one thing and not 站 and 起来."""
        found = [(e, core) for end, core in self._commands(pos) for e in self._echoes(pos, end, core)]
        return sorted(found, key=lambda f: -f[0])

    def _echoes(self, pos: int, end: int, core: _Core) -> Iterator[int]:
        """`end`, and where repetitions of the same words end: no no no, a recogniser's sit sit."""
        yield end
        words = self._tokens[pos:end]
        while not core.moves and self._tokens[end : end + len(words)] == words:
            end += len(words)
            yield end

    def _commands(self, pos: int) -> Iterator[tuple[int, _Core]]:
        for role, kind in _OTHER:
            for end, e in self._at(pos, role):
                if kind != "say" or e.actions or self._talk:
                    yield end, _Core(kind, e.text, e.actions, e.reply, value=e.value)
        if self._talk:
            return
        for end in self._through(pos, "halt", "det"):
            ends = [e for e, _ in self._at(end, "doing")] + [e for e, _ in self._doings(end)]
            yield from ((e, _Core("stop", " ".join(self._tokens[pos:e]), value="-")) for e in ends)
        yield from self._doings(pos)

    def _doings(self, pos: int) -> Iterator[tuple[int, _Core]]:
        going = {end for end, _ in self._at(pos, "go")}
        for role in _DO:
            for end, e in self._at(pos, role):
                yield end, _Core("do", e.text, e.actions, e.reply, end not in going)
        given = set(self._through(pos, "giver", "det"))
        for hand, _ in self._at(pos, "hand"):
            given |= {e for p in self._people(hand) for e in self._many(p, "det")}
        for start in given:
            for end, e in self._at(start, "noun"):
                goes = any(f == end for f, _ in self._at(start, "go"))
                yield end, _Core("do", e.text, e.actions, e.reply, not goes, asked=True)
        yield from self._motions(pos)

    def _through(self, pos: int, role: Role, more: Role) -> Iterator[int]:
        for end, _ in self._at(pos, role):
            yield from self._many(end, more)

    def _many(self, pos: int, role: Role) -> Iterator[int]:
        """`pos`, and every place that can be reached from it by words of this role."""
        return (p for p, _ in _reachable((pos, None), lambda p, _: ((end, None) for end, _ in self._at(p, role))))

    def _addressees(self, pos: int) -> Iterator[int]:
        for end, _ in self._at(pos, "prep"):
            yield from self._people(end)

    def _people(self, pos: int) -> Iterator[int]:
        for start in self._many(pos, "owner"):
            for end, _ in self._at(start, "person"):
                yield end
                for more, _ in self._at(end, "also"):
                    yield from self._people(more)

    # --- motions

    def _motions(self, pos: int) -> Iterator[tuple[int, _Core]]:
        if (move := self._actions.get("move")) is None:
            return

        def after(p: int, going: _Going) -> Iterator[tuple[int, _Going]]:
            if going.pieces == 8:
                return
            for end, more in self._pieces(p, going):
                yield end, replace(more, pieces=going.pieces + 1)

        for end, going in _reachable((pos, _Going()), after):
            calls = tuple(Action("move", move, params) for params in _params(going))
            if calls:
                text = " ".join(self._tokens[pos:end])
                yield end, _Core("do", text, calls, wording.moving(calls[0]), moves=True)

    def _pieces(self, pos: int, going: _Going) -> Iterator[tuple[int, _Going]]:
        if going.pieces:
            yield from ((end, going) for end, _ in self._at(pos, "soft"))
        if going.verb is None:
            yield from ((end, replace(going, verb=e.value)) for end, e in self._at(pos, "verb"))  # type: ignore[arg-type]
        if going.said.way is None:
            for end, e in self._at(pos, "way"):
                yield end, replace(going, said=replace(going.said, way=e.value))  # type: ignore[arg-type]
        if not going.said.sizes:
            for start in (pos, *(end for end, _ in self._at(pos, "about"))):
                for end, unit, n in self._amounts(start):
                    yield end, replace(going, said=_sized(going.said, unit, n))

    def _amounts(self, pos: int) -> Iterator[tuple[int, str, float]]:
        found = [(end, n + 0.5) for e, n in self._numbers(pos) for end, _ in self._at(e, "andhalf")]
        found += [*self._numbers(pos), *((end, 0.5) for end, _ in self._at(pos, "half"))]
        for end, n in found:
            for start in (end, *(e for e, _ in self._at(end, "soft"))):
                for stop, unit in self._at(start, "unit"):
                    yield from ((e, unit.value, n + 0.5) for e, _ in self._at(stop, "andhalf") if n == int(n))
                    yield stop, unit.value, n

    # --- numbers

    def _times(self, pos: int) -> Iterator[tuple[int, int]]:
        yield from ((end, int(e.number)) for end, e in self._at(pos, "times"))
        for end, n in self._numbers(pos):
            if n == int(n) and 0 < n <= 100:
                yield from ((e, int(n)) for e, _ in self._at(end, "count"))

    def _numbers(self, pos: int) -> Iterator[tuple[int, float]]:
        """The number that begins here, 0 ≤ n < 1000: 12, 1.5, twenty five, 一百八十, one point five."""
        if pos < len(self._tokens) and _NUMERAL.fullmatch(self._tokens[pos]):
            if float(self._tokens[pos]) < 1000:
                yield pos + 1, float(self._tokens[pos])
            return
        end, n = self._integer(pos)
        if end == pos:
            return
        yield end, n
        for point, _ in self._at(end, "point"):
            place, digits = point, ""
            while (hit := self._at(place, "number")) and hit[0][1].number < 10:
                place, digits = hit[0][0], digits + str(int(hit[0][1].number))
            if digits:
                yield place, float(f"{n:g}.{digits}")

    def _integer(self, pos: int) -> tuple[int, float]:
        """(end, value); nothing was read when end is `pos`. `ceiling`: what the next part must be smaller than."""
        end, total, ceiling = pos, 0.0, 1000.0
        if ones := self._at(pos, "one"):
            end, total, ceiling = ones[0][0], ones[0][1].number, 0.0
            if scale := self._scale(end, 1000):
                end, total = scale
                ceiling = total
        while ceiling > 1:
            start = next((e for e, _ in self._at(end, "plus")), end) if total and ceiling > 10 else end
            if hit := self._at(start, "number"):
                start, n = hit[0][0], hit[0][1].number
                if n >= ceiling:
                    break
                scale = self._scale(start, ceiling) if 0 < n < 10 else None
                end, total = (start, total + n) if scale is None else (scale[0], total + n * scale[1])
                ceiling = scale[1] if scale else 10 if n >= 20 and n % 10 == 0 else 1
            elif end == start and (scale := self._scale(start, min(ceiling, 100))):
                end, total, ceiling = scale[0], total + scale[1], scale[1]
            else:
                break
        return end, total

    def _scale(self, pos: int, below: float) -> tuple[int, float] | None:
        return next(((end, e.number) for end, e in self._at(pos, "scale") if e.number < below), None)

    # --- what it comes to

    def _compose(self, segments: list[_Segment], strong: bool) -> ForeignMatch | None:
        tally = _Tally()
        for segment in segments:
            tally.take(segment)
        if tally.stops or (tally.weak and not strong):
            return self._stop(tally.stops + tally.weak)
        if tally.unclear:
            return None
        if tally.wanted:
            return _done(tally.wanted)
        if banned := tally.banned:
            names = frozenset(a.name for s in banned for a in s.core.actions)
            return ForeignMatch((), FORBIDDEN, "dialog", f"not {_rule(banned)}", forbidden=True, unwanted=names)
        return _answered(tally.said) if tally.said else None

    def _stop(self, stops: list[_Segment]) -> ForeignMatch:
        number = self._actions.get("stop")
        actions = () if number is None else (Action("stop", number),)
        latch = any(s.core.value == "latch" for s in stops)
        return ForeignMatch(actions, "", "action", _rule(stops), stop=True, latch=latch)


@dataclass(slots=True)
class _Tally:
    """Segments sorted by what they come to."""

    wanted: list[_Segment] = field(default_factory=list)
    banned: list[_Segment] = field(default_factory=list)
    said: list[_Segment] = field(default_factory=list)
    stops: list[_Segment] = field(default_factory=list)
    weak: list[_Segment] = field(default_factory=list)
    """Stops unless something else is wanted after them: no, sit down."""
    unclear: bool = False
    carried: bool = False
    """The segment before was banned, and so is what is joined to it: do not sit and dance."""
    last: bool = False
    """Do not sit, stand up: the one that is wanted. With another behind it, it may be a list of bans."""

    def take(self, segment: _Segment) -> None:
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

    def _repeated(self, segment: _Segment) -> bool:
        """Sit, sit, sit! is one command."""
        if not self.wanted or segment.core.moves or segment.sep not in ("break", "beside"):
            return False
        before = self.wanted[-1]
        return (before.core, before.times) == (segment.core, segment.times)


def _reachable(start: tuple[int, _T], after: Callable[[int, _T], Iterable[tuple[int, _T]]]) -> Iterator[tuple[int, _T]]:
    """`start`, and every (place, state) within `MAX_AROUND` that `after` leads to, each once, nearest first."""
    seen = {start}
    todo = deque([start])
    while todo:
        here = todo.popleft()
        yield here
        for following in after(*here):
            if following not in seen and following[0] - start[0] <= MAX_AROUND:
                seen.add(following)
                todo.append(following)


def _fits(core: _Core, front: _Around, sep: Sep) -> bool:
    """True when a core may stand here, with this in front of it."""
    match core.kind:
        case "say":
            return not front.led and sep not in ("beside", "aside")
        case "rest":
            return not front.negated and (sep == "joint" or (core.value == "loose" and sep not in ("start", "aside")))
        case "do":
            return sep not in ("praised", "aside")
        case _:
            return True


def _with(around: _Around, role: Role) -> _Around:
    """`around` after one more word of this role."""
    marks = _MARKS.get(role)
    return around if marks is None else replace(around, **marks)


def _sized(said: Motion, unit: str, n: float) -> Motion:
    """`said` with an amount: n metres, centimetres, steps, seconds, degrees or turns."""
    match unit:
        case "m":
            return replace(said, metres=n)
        case "cm":
            return replace(said, metres=n / 100)
        case "step":
            return replace(said, metres=n * STEP_M)
        case "s":
            return replace(said, seconds=n)
        case "deg":
            return replace(said, radians=math.radians(n))
        case _:
            return replace(said, spins=n)


def _params(going: _Going) -> list[dict[str, float]]:
    """Parameters of `move`, several for several full turns; none when it is no motion or contradicts itself."""
    said, verb = going.said, going.verb
    size = next((n for n in (said.metres, said.seconds, said.radians, said.spins) if n is not None), None)
    if size == 0:
        return []
    params: dict[str, float] | None = None
    match verb:
        case None if size is not None and said.way is not None:  # two steps back, 左边九十度
            turning = said.radians is not None or said.spins is not None
            params = said.params("turn" if turning and said.way in ("left", "right") else "go")
        case "walk" | "forward" | "back":
            params = said.params(verb)
        case "go" if size is not None or said.way is not None:
            params = said.params("walk")
        case "take" if size is not None:
            params = said.params("walk")
        case "make" if said.spins is not None:
            params = said.params("turn")
        case "turn" if size is not None or said.way is not None:
            params = said.params("turn")
        case "face" if said.way is not None:
            params = said.params("face")
        case "spin" if said.way not in ("front", "back"):
            params = (said if size is not None else replace(said, spins=1.0)).params("turn")
    turns = int(said.spins) if said.spins is not None and said.spins == int(said.spins) else 1
    if params is None:
        return []
    return [{"yaw": params["yaw"] / turns}] * turns if turns > 1 else [params]


def _done(wanted: list[_Segment]) -> ForeignMatch | None:
    actions = tuple(a for s in wanted for _ in range(min(s.times, MAX_ACTIONS + 1)) for a in s.core.actions)
    if len(actions) > MAX_ACTIONS:
        return None
    reply = wording.IN_ORDER if len(wanted) > 1 else wording.AGAIN if wanted[0].times > 1 else wanted[0].core.reply
    return ForeignMatch(actions, reply, "action" if actions else "dialog", _rule(wanted))


def _answered(said: list[_Segment]) -> ForeignMatch:
    """Praise, greetings and questions: the first with an action, else the first."""
    chosen = next((s for s in said if s.core.actions), said[0]).core
    return ForeignMatch(chosen.actions, chosen.reply, "dialog_with_action" if chosen.actions else "dialog", chosen.text)


def _rule(segments: list[_Segment]) -> str:
    return " → ".join(s.core.text + (f" ×{s.times}" if s.times > 1 else "") for s in segments)
