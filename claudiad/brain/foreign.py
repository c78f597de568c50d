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
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from claudiad.brain import wording
from claudiad.brain.foreign_motion import Going, params_of, sized
from claudiad.brain.foreign_outcome import ForeignMatch, compose
from claudiad.brain.foreign_parts import Around, Core, CoreKind, Segment, Sep
from claudiad.brain.foreign_table import Entry, Role, Rows, Tokens, read_table, split_words
from claudiad.brain.reading import MAX_CHARS, clean
from claudiad.types import Action

MAX_TOKENS = 120
"""Words and characters of the longest utterance that is read; six commands need half of that."""
MAX_AROUND = 24
"""Most words and characters in front of what a segment is about, behind it, and of a motion with its numbers."""
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
"""What a word of a role does to `Around`; the others leave it as it is."""
_DO: tuple[Role, ...] = ("do", "go", "noun")
_OTHER: tuple[tuple[Role, CoreKind], ...] = (("say", "say"), ("rest", "rest"), ("stop", "stop"))

_KANA = re.compile(r"[ぁ-ゖァ-ヺー\uff66-\uff9f]")
_NUMERAL = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_CHINESE = re.compile(r"[㐀-䶿一-鿿]")


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
                return compose(segments, self._actions.get("stop"), strong)
        return None

    @property
    def continues(self) -> bool:
        """True when it begins as the continuation of something: then, and, 然后."""
        return bool(self._at(0, "joint"))

    # --- segments and what is between them

    def _sequence(self, pos: int, asked: bool, sep: Sep) -> list[Segment] | None:
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

    def _between(self, end: int, segment: Segment) -> Iterator[tuple[int, Sep]]:
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

    def _segments(self, pos: int, asked: bool, sep: Sep) -> Iterator[tuple[int, Segment]]:
        for start, front in self._fronts(pos, sep):
            for middle, core in self._cores(start):
                if not _fits(core, front, sep):
                    continue
                for end, around in self._behinds(middle, core, front):
                    if self._sound(core, around, asked, end):
                        yield end, Segment(core, around, sep)

    def _sound(self, core: Core, around: Around, asked: bool, end: int) -> bool:
        """False for `sit?` and 坐下吗, which ask about something, and for 能坐下, which reports."""
        if core.kind != "do":
            return True
        if around.addressed and not core.personal:
            return False
        if around.negated:
            return True
        question = around.question or self._tokens[end : end + 1] == ("?",)
        return (around.asked or around.can or asked or core.asked) if question else not around.can

    def _fronts(self, pos: int, sep: Sep) -> Iterator[tuple[int, Around]]:
        def after(p: int, around: Around) -> Iterator[tuple[int, Around]]:
            for role in _FRONT:
                for end, _ in self._at(p, role):
                    now = _with(around, role)
                    yield end, now
                    if role != "not" and self._tokens[end : end + 1] == (",",):
                        yield end + 1, now
            if sep == "start" and not around.led:
                yield from ((self._skip(end), around) for end, _ in self._at(p, "lead") if self._skip(end) > end)
            yield from ((end, replace(around, addressed=True, led=True)) for end in self._addressees(p))

        return _reachable((pos, Around()), after)

    def _behinds(self, pos: int, core: Core, front: Around) -> Iterator[tuple[int, Around]]:
        def after(p: int, around: Around) -> Iterator[tuple[int, Around]]:
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

    def _cores(self, pos: int) -> list[tuple[int, Core]]:
        """Longest first, so that 站起来 is one thing and not 站 and 起来."""
        found = [(e, core) for end, core in self._commands(pos) for e in self._echoes(pos, end, core)]
        return sorted(found, key=lambda f: -f[0])

    def _echoes(self, pos: int, end: int, core: Core) -> Iterator[int]:
        """`end`, and where repetitions of the same words end: no no no, a recogniser's sit sit."""
        yield end
        words = self._tokens[pos:end]
        while not core.moves and self._tokens[end : end + len(words)] == words:
            end += len(words)
            yield end

    def _commands(self, pos: int) -> Iterator[tuple[int, Core]]:
        for role, kind in _OTHER:
            for end, e in self._at(pos, role):
                if kind != "say" or e.actions or self._talk:
                    yield end, Core(kind, e.text, e.actions, e.reply, value=e.value)
        if self._talk:
            return
        for end in self._through(pos, "halt", "det"):
            ends = [e for e, _ in self._at(end, "doing")] + [e for e, _ in self._doings(end)]
            yield from ((e, Core("stop", " ".join(self._tokens[pos:e]), value="-")) for e in ends)
        yield from self._doings(pos)

    def _doings(self, pos: int) -> Iterator[tuple[int, Core]]:
        going = {end for end, _ in self._at(pos, "go")}
        for role in _DO:
            for end, e in self._at(pos, role):
                yield end, Core("do", e.text, e.actions, e.reply, end not in going)
        given = set(self._through(pos, "giver", "det"))
        for hand, _ in self._at(pos, "hand"):
            given |= {e for p in self._people(hand) for e in self._many(p, "det")}
        for start in given:
            for end, e in self._at(start, "noun"):
                goes = any(f == end for f, _ in self._at(start, "go"))
                yield end, Core("do", e.text, e.actions, e.reply, not goes, asked=True)
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

    def _motions(self, pos: int) -> Iterator[tuple[int, Core]]:
        if (move := self._actions.get("move")) is None:
            return

        def after(p: int, going: Going) -> Iterator[tuple[int, Going]]:
            if going.pieces == 8:
                return
            for end, more in self._pieces(p, going):
                yield end, replace(more, pieces=going.pieces + 1)

        for end, going in _reachable((pos, Going()), after):
            calls = tuple(Action("move", move, params) for params in params_of(going))
            if calls:
                text = " ".join(self._tokens[pos:end])
                yield end, Core("do", text, calls, wording.moving(calls[0]), moves=True)

    def _pieces(self, pos: int, going: Going) -> Iterator[tuple[int, Going]]:
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
                    yield end, replace(going, said=sized(going.said, unit, n))

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


def _fits(core: Core, front: Around, sep: Sep) -> bool:
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


def _with(around: Around, role: Role) -> Around:
    """`around` after one more word of this role."""
    marks = _MARKS.get(role)
    return around if marks is None else replace(around, **marks)
