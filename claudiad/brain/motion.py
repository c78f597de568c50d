"""Walking and turning with numbers: 一メートル前に進んで, 右に九十度回って, 三歩下がって, 一回転.

Works on keys, from a position on, so that a motion can be a step of a sequence. Signs and defaults are
those of docs/safety.md, 6: x forward, y and yaw left positive; 0.3 m or 90° without a number. Values are passed
on as said: limits are the safety compiler's business.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from claudiad.brain import numerals
from claudiad.brain.conjugate import Form, Word, words
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.tables import rows
from claudiad.errors import DataError

Verb = Literal["walk", "go", "forward", "back", "side", "turn", "face"]
Way = Literal["front", "back", "left", "right"]

STEP_M = 0.3
DEFAULT_M = 0.3
DEFAULT_RAD = math.pi / 2
WALK_M_S = 0.4
TURN_RAD_S = 0.8
"""What a time is worth: the default limits of docs/safety.md, 6, at which a Go2 walks and turns here."""
MAX_PIECES = 6

_SIGN: Mapping[Way, float] = {"front": 1.0, "back": -1.0, "left": 1.0, "right": -1.0}
_METRES = {
    "メエトル": 1.0,
    "メエタア": 1.0,
    "センチメエトル": 0.01,
    "センチメエタア": 0.01,
    "センチ": 0.01,
    "ホ": STEP_M,
    "ポ": STEP_M,
    "ミリ": 0.001,
    "キロメエトル": 1000.0,
    "キロ": 1000.0,
}
_ABOUT = r"(?:ホド|グライ|クライ|バカリ|ダケ|ブン|ズツ|チョット|チョオド)?(?:サキ(?:マデ|ニ|エ)?|ノトコロマデ)?"
_AMOUNT = re.compile(
    rf"(?:(?P<half>ハン)|(?P<number>{numerals.NUMBER}))"
    rf"(?P<unit>センチメエ?トル|センチメエタア?|センチ|ミリ|キロメエトル|キロ|メエ?トル|メエタア?|ホ|ポ|ド|ラジアン|カイテン|シュウ|カイ|ビョオカン|ビョオ)(?P<plus>ハン(?!カイテン|シュウ|メエト))?{_ABOUT}"
)
_CORNER = re.compile(r"チョッカク(?:ニ|ダケ)?")
_PART_OF_TURN = re.compile(rf"(?P<n>{numerals.NUMBER})ブンノイ[チッ](?:カイテン|シュウ)")
_TO = r"(?:ノホオ)?(?:ガワ)?(?:ニムカッテ|ニ|エ|オ|バ|サ|デ)?"
_WAYS: Mapping[str, Way] = {
    "ハントケエマワリ": "left",
    "トケエマワリ": "right",
    "マウシロ": "back",
    "ウシロムキ": "back",
    "ウシロ": "back",
    "コオホオ": "back",
    "マッスグ": "front",
    "ゼンポオ": "front",
    "マエ": "front",
    "ミギムキ": "right",
    "ミギ": "right",
    "ヒダリムキ": "left",
    "ヒダリ": "left",
    "ミギマワリ": "right",
    "ヒダリマワリ": "left",
    "ミギヨコ": "right",
    "ヒダリヨコ": "left",
    "マミギ": "right",
    "マヒダリ": "left",
    "マエムキ": "front",
    "マンマエ": "front",
    "ウシロガワ": "back",
    "ゼンシン": "front",
    "コオタイ": "back",
    "バック": "back",
    "チョクシン": "front",
}
_WAY = re.compile(rf"(?P<way>{'|'.join(sorted(_WAYS, key=len, reverse=True))}){_TO}")
_SOFT = re.compile(
    r"(?:モオスコシ|モオチョット|モオチョイ|モオチョコット|モチョット|モチット|モオ|モット|スコシ|チョット|チョイ|ソノママ|ソノバデ|ココデ|カラダオ|カオオ|ムキオ|"
    r"[グク]ル(?:ット|リト|ン|ント|[グク]ル)?|アト|サラニ|ヨコアルキデ|ムキワソノママデ|[コソ](?:ッチ|チラ)[ニエ]|ユックリト?|ハヤク|ヨコニ|ヨコムキニ|カニ(?:サン)?(?:ミタイニ|ノヨオニ)|ロオカオ|マズ|デキルダケ|チョオド)"
)
_MORE = re.compile(r"^モ(?:オ|ッ?ト|チ)")


@dataclass(frozen=True, slots=True)
class Motion:
    """What has been said so far: a way, a distance, an angle."""

    way: Way | None = None
    metres: float | None = None
    radians: float | None = None
    spins: float | None = None
    seconds: float | None = None
    more: bool = False
    """もう少し, もっと: with a way, that is enough to be an order."""

    @property
    def sizes(self) -> int:
        """How many amounts were said: more than one is a contradiction."""
        return sum(x is not None for x in (self.metres, self.radians, self.spins, self.seconds))

    def params(self, verb: Verb) -> dict[str, float] | None:
        """Parameters of `move`, or None when way, amount and verb do not go together."""
        if verb in ("turn", "face"):
            return self._turn(verb)
        if self.radians is not None or self.spins is not None or self.sizes > 1:
            return None
        way = self.way
        if verb in ("walk", "forward"):
            way = way or "front"
        elif verb == "back":
            way = way or "back"
        if way is None or (verb == "forward" and way != "front") or (verb == "back" and way != "back"):
            return None
        if verb == "side" and way not in ("left", "right"):
            return None
        metres = self.metres if self.seconds is None else self.seconds * WALK_M_S
        size = _SIGN[way] * (DEFAULT_M if metres is None else metres)
        return {"y" if way in ("left", "right") else "x": round(size, 4)}

    def _turn(self, verb: Verb) -> dict[str, float] | None:
        wayless = self.way == "front" or (verb == "face" and self.way is None)
        again = verb == "face" and self.spins is not None  # もう一回|右を向いて is a quarter turn once more
        if self.metres is not None or self.sizes > 1 or wayless or again:
            return None
        if self.way == "back":
            return {"yaw": round(math.pi, 4)} if not self.sizes else None
        sign = 1.0 if self.way is None else _SIGN[self.way]
        if self.spins is not None:
            return {"yaw": round(sign * self.spins * 2 * math.pi, 4)}
        if self.seconds is not None:
            return {"yaw": round(sign * self.seconds * TURN_RAD_S, 4)}
        if self.radians is None and self.way is None:
            return {"yaw": round(2 * math.pi, 4)}
        return {"yaw": round(sign * (DEFAULT_RAD if self.radians is None else self.radians), 4)}


class Motions:
    """The grammar of one motion."""

    def __init__(self, verbs: Lexicon[Verb], spelled: tuple[Word, ...] = ()) -> None:
        self.verbs = verbs
        self.words = spelled
        self.spoken: tuple[tuple[Verb, str], ...] = tuple(
            (verb, word.key) for word in spelled if word.form == "te" for _, verb in verbs.find(word.key)
        )
        """(class, key) of every verb in its te-form."""

    def at(self, key: str, start: int) -> Iterator[tuple[int, Form, dict[str, float]]]:
        """(end, form, parameters of `move`) for every motion that begins at `start`."""
        yield from self._continue(key, start, Motion(), 0)

    def begun(self, key: str, start: int) -> Iterator[tuple[int, Motion]]:
        """(end, what was said) for every way or amount that begins at `start`, without a verb yet."""
        level = [(start, Motion())]
        for _ in range(MAX_PIECES):
            level = [(end, more) for pos, said in level for end, more in self._pieces(key, pos, said)]
            yield from ((end, said) for end, said in level if said.sizes or said.way is not None)

    def _continue(self, key: str, pos: int, said: Motion, pieces: int) -> Iterator[tuple[int, Form, dict[str, float]]]:
        if pieces < MAX_PIECES:
            for end, more in self._pieces(key, pos, said):
                yield from self._continue(key, end, more, pieces + 1)
        if not said.sizes and said.way is None:
            return  # a bare verb is the phrase table's
        for end, form, verb in self.verbs.at(key, pos):
            params = said.params(verb)
            if params is not None:
                yield end, form, params
        if key.startswith("オ", pos):
            for end, form, verb in self.verbs.at(key, pos + 1):
                params = said.params(verb) if form == "stem" else None
                if params is not None:
                    yield end, "ostem", params
        yield from self._verbless(key, pos, said)

    def _pieces(self, key: str, pos: int, said: Motion) -> Iterator[tuple[int, Motion]]:
        if soft := _SOFT.match(key, pos):
            yield soft.end(), replace(said, more=said.more or bool(_MORE.match(soft[0])))
        if said.way is None and (way := _WAY.match(key, pos)):
            # に may also be the number: 右二歩. Tried second, or 左に百度 would become two hundred.
            for end in dict.fromkeys((way.end(), way.end("way"))):
                yield end, replace(said, way=_WAYS[way["way"]])
        if not said.sizes and (corner := _CORNER.match(key, pos)):
            yield corner.end(), replace(said, radians=DEFAULT_RAD)
        if not said.sizes and (part := _PART_OF_TURN.match(key, pos)) and (n := numerals.value(part["n"])):
            yield part.end(), replace(said, spins=1 / n)
        if amount := _AMOUNT.match(key, pos):
            more = _add(said, amount)
            if more is not None:
                yield amount.end(), more

    def _verbless(self, key: str, pos: int, said: Motion) -> Iterator[tuple[int, Form, dict[str, float]]]:
        """二歩前へ, 右に九十度, 一回転: no verb, but a size."""
        verb: Verb | None = None
        spun = said.spins is not None and key[:pos].endswith(("カイテン", "シュウ"))
        if spun or (said.radians is not None and said.way in ("left", "right")):
            verb = "turn"
        elif (said.metres is not None or said.seconds is not None or (said.more and not said.sizes)) and said.way:
            verb = "go"
        params = said.params(verb) if verb else None
        if params is None:
            return
        yield pos, "noun", params
        for sound in ("シテ", "オシテ"):
            if key.startswith(sound, pos) and verb == "turn":
                yield pos + len(sound), "te", params


def load_motions(path: Path) -> Motions:
    """Read `motions.tsv`. Raises `DataError` for a class that does not exist."""
    items: list[tuple[str, Form, Verb]] = []
    spelled: list[Word] = []
    for line, (verb, text) in rows(path, 2):
        if verb not in get_args(Verb):
            raise DataError(f"{path}:{line}: unknown class {verb!r}; known: {', '.join(get_args(Verb))}")
        for word in words(text):
            items.append((word.key, word.form, verb))  # type: ignore[arg-type]  # checked against Verb above
            spelled.append(word)
    return Motions(Lexicon(items), tuple(spelled))


def _add(said: Motion, amount: re.Match[str]) -> Motion | None:
    n = 0.5 if amount["half"] else numerals.value(amount["number"])
    if not n:
        return None
    unit = amount["unit"]
    n += 0.5 if amount["plus"] else 0.0
    unit = unit.replace("メト", "メエト")
    if unit.endswith("メエタ"):
        unit += "ア"
    if unit in _METRES:
        return _add_metres(said, n, unit, half_more=bool(amount["plus"]))
    if said.sizes:
        return None
    if unit in ("ビョオ", "ビョオカン"):
        return replace(said, seconds=n)
    if unit == "ラジアン":
        return replace(said, radians=n)
    return replace(said, radians=math.radians(n)) if unit == "ド" else replace(said, spins=n)


def _add_metres(said: Motion, n: float, unit: str, half_more: bool) -> Motion | None:
    if half_more and unit not in ("メエトル", "メエタア"):
        return None
    # 一メートル五十センチ: a second, smaller unit adds up; anything else said twice is not understood.
    if said.metres is not None and not (unit.startswith("センチ") and said.metres >= 1):
        return None
    return replace(said, metres=(said.metres or 0.0) + n * _METRES[unit])
