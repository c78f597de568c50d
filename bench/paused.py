"""Utterances with pauses inside, for the measurement of turn-taking: a fixed list, the same every time.

Each is spoken piece by piece by Open JTalk, in another pitch and speed, with 300-800 ms of silence between the pieces.
What must come of it is what the whole says: 座って … はいけない is nothing, though sitting down may have begun.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.sentences import PITCHES, SPEEDS, Sentence, voice_end
from bench.sentences import speak as speak_sentence
from claudiad.types import SAMPLE_RATE, Pcm

PAUSES_MS = (300, 550, 800, 400, 650, 350, 750, 500, 700, 450, 600)
"""Eleven, so that they meet every pitch (seven) and speed (five)."""
GUARD_MS = 100
"""Left of each piece's own quiet beginning and end: breath, and consonants below the level of the voice."""

Line = tuple[str, str, str]
"""Pieces with ` … ` between them, the actions, those that may begin and have to be stopped."""

_DO = (
    ("立って", "StandUp"),
    ("座って", "Sit"),
    ("挨拶して", "Hello"),
    ("踊って", "Dance1"),
    ("伸びをして", "Stretch"),
    ("手を振って", "Hello"),
    ("お尻を振って", "WiggleHips"),
    ("前に進んで", "move"),
    ("右を向いて", "move"),
    ("ハートを作って", "Heart"),
    ("伏せて", "StandDown"),
    ("写真を撮って", "Photo"),
)
_FILLERS = ("えーと", "あの", "えっと", "あのー", "えー")
_JOINTS = ("から", "それから", "そして", "そのあと")

_NUMBERS: tuple[Line, ...] = (
    ("右に … 九十度回って", "move", ""),
    ("左に … 九十度回って", "move", ""),
    ("右に九十度 … 回って", "move", ""),
    ("左に四十五度 … 回って", "move", ""),
    ("前に … 一メートル進んで", "move", ""),
    ("前に一メートル … 進んで", "move", ""),
    ("後ろに … 五十センチ下がって", "move", ""),
    ("後ろに二歩 … 下がって", "move", ""),
    ("三歩 … 前に進んで", "move", ""),
    ("一メートル … 前に進んで", "move", ""),
    ("前に … 二メートル … 進んで", "move", ""),
    ("右に … 百八十度 … 回って", "move", ""),
    ("二回 … 挨拶して", "Hello Hello", ""),
    ("三回 … 手を振って", "Hello Hello Hello", ""),
    ("立って … 二回挨拶して", "StandUp Hello Hello", ""),
    ("前に一メートル進んで … 右に九十度回って", "move move", ""),
    ("一メートル前に進んで … 座って", "move Sit", ""),
    ("右に … 三十度回って … 挨拶して", "move Hello", ""),
    ("もう少し … 前に進んで", "move", ""),
    ("ゆっくり … 座って", "Sit", ""),
)
_TAKEN_BACK: tuple[Line, ...] = (
    ("座って … はいけない", "", "Sit"),
    ("踊って … はいけません", "", "Dance1"),
    ("立って … はだめだよ", "", "StandUp"),
    ("伏せ … ないで", "", "StandDown"),
    ("踊って … ほしくない", "", "Dance1"),
    ("座って … いる人は誰", "", "Sit"),
    ("立って … いる人は誰ですか", "", "StandUp"),
    ("踊って … いる人を見たよ", "", "Dance1"),
    ("座って … いいですか", "", "Sit"),
    ("挨拶して … じゃない", "", "Hello"),
    ("前に進んで … やっぱりやめた", "", "move"),
    ("座って … なんてね", "", "Sit"),
    ("踊って … 疲れました", "", "Dance1"),
    ("座って … と言われた", "", "Sit"),
    ("手を振って … はだめです", "", "Hello"),
    ("前に進んで … はいけないよ", "", "move"),
    ("お座り … じゃないよ", "", "Sit"),
    ("踊って … くれてありがとう", "", "Dance1"),
)
_CORRECTED: tuple[Line, ...] = (
    ("前に進んで … じゃなくて座って", "Sit", "move"),
    ("座って … じゃなくて立って", "StandUp", "Sit"),
    ("踊って … じゃなくて挨拶して", "Hello", "Dance1"),
    ("立って … 違う、座って", "Sit", "StandUp"),
    ("踊って … 違う違う、伸びをして", "Stretch", "Dance1"),
    ("座って … やっぱり立って", "StandUp", "Sit"),
    ("右を向いて … じゃなくて左を向いて", "move", "move"),
    ("伏せて … 間違えた、座って", "Sit", "StandDown"),
    ("挨拶して … やっぱり踊って", "Dance1", "Hello"),
    ("後ろに下がって … じゃなくて前に進んで", "move", "move"),
    ("ハートを作って … じゃなくて手を振って", "Hello", "Heart"),
    ("座って … その前に挨拶して", "Hello Sit", "Sit"),
)
_POLITE: tuple[Line, ...] = (
    ("座って … ください", "Sit", ""),
    ("立って … ください", "StandUp", ""),
    ("踊って … ください", "Dance1", ""),
    ("挨拶して … くださいね", "Hello", ""),
    ("座って … お願いします", "Sit", ""),
    ("伸びをして … お願い", "Stretch", ""),
    ("立って … くれますか", "StandUp", ""),
    ("踊って … くれる", "Dance1", ""),
    ("手を振って … もらえますか", "Hello", ""),
    ("座って … ほしいな", "Sit", ""),
    ("踊って … ほしいんだけど", "Dance1", ""),
    ("前に進んで … ください", "move", ""),
    ("伏せて … ちょうだい", "StandDown", ""),
    ("右を向いて … くれませんか", "move", ""),
    ("座って … おいで", "Sit", ""),
    ("ハートを作って … みて", "Heart", ""),
    ("座って … 座って", "Sit", ""),
    ("座って … ありがとう", "Sit", ""),
)
_REASONS: tuple[Line, ...] = (
    ("立ったら … 挨拶して", "StandUp Hello", ""),
    ("座ったら … 手を振って", "Sit Hello", ""),
    ("挨拶したら … 座って", "Hello Sit", ""),
    ("一メートル進んだら … 座って", "move Sit", ""),
    ("座る前に … 挨拶して", "Hello Sit", ""),
    ("お客さんが来るから … 立って", "StandUp", ""),
    ("写真を撮るから … 座って", "Sit", ""),
    ("音楽をかけるから … 踊って", "Dance1", ""),
    ("悪いけど … 座って", "Sit", ""),
    ("すみませんが … 立ってください", "StandUp", ""),
    ("伸びをしたら … 座って", "Stretch Sit", ""),
    ("もし … よかったら … 踊って", "Dance1", ""),
)


@dataclass(frozen=True, slots=True)
class Paused:
    """One thing to say, in pieces."""

    pieces: tuple[str, ...]
    pauses_ms: tuple[int, ...]
    """Silence behind each piece but the last."""
    actions: tuple[str, ...]
    """What must have been done or be under way in the end, by name, in order."""
    half_tones: float
    speed: float
    may_begin: tuple[str, ...] = ()
    """What may have begun, and has to be stopped."""


def paused() -> Iterator[Paused]:
    """The list; 200 and some utterances."""
    for number, (said, actions, begins) in enumerate(_lines()):
        pieces = tuple(said.split(" … "))
        pauses = tuple(PAUSES_MS[(number + 3 * i) % len(PAUSES_MS)] for i in range(len(pieces) - 1))
        half_tones, speed = PITCHES[number % len(PITCHES)], SPEEDS[number % len(SPEEDS)]
        yield Paused(pieces, pauses, tuple(actions.split()), half_tones, speed, tuple(begins.split()))


def speak(one: Paused) -> Pcm:
    """16 kHz speech: from the end of a piece's voice to the beginning of the next one's lies exactly the pause.

    Both by level, within 30 dB of the loudest 10 ms of their piece. There is `GUARD_MS` before the first and behind
    the last, and nothing but digital silence in the pauses: the room's noise is the caller's to add.
    """
    guard = SAMPLE_RATE * GUARD_MS // 1000
    parts = [_trimmed(one.pieces[0], one)]
    for piece, pause in zip(one.pieces[1:], one.pauses_ms, strict=True):
        parts += [np.zeros(SAMPLE_RATE * pause // 1000 - 2 * guard, np.int16), _trimmed(piece, one)]
    return np.concatenate(parts)


def spoken(piece: str) -> str:
    """A piece as Open JTalk reads it rightly: は at its beginning is the particle."""
    return "わ" + piece[1:] if piece.startswith(("はいけ", "はだめ")) else piece


def _trimmed(piece: str, one: Paused) -> Pcm:
    pcm = speak_sentence(Sentence(spoken(piece), (), one.half_tones, one.speed))
    guard = SAMPLE_RATE * GUARD_MS // 1000
    begin, end = len(pcm) - voice_end(np.ascontiguousarray(pcm[::-1])), voice_end(pcm)
    padded = np.concatenate([np.zeros(guard, np.int16), pcm, np.zeros(guard, np.int16)])
    return padded[begin : end + 2 * guard]


def _lines() -> Iterator[Line]:
    """Round-robin over the kinds, so that any beginning of the list has something of each."""
    kinds = [_NUMBERS, _TAKEN_BACK, _CORRECTED, _POLITE, _REASONS]
    kinds += [tuple(made) for made in (_sequences(), _in_three(), _joined(), _filled(), _called())]
    for several in itertools.zip_longest(*kinds):
        yield from (line for line in several if line is not None)


def _sequences() -> Iterator[Line]:
    """立って … 挨拶して."""
    for i, (first, one) in enumerate(_DO):
        for step in (1, 3, 5, 7, 8):
            then, other = _DO[(i + step) % len(_DO)]
            if other != one:  # 挨拶して、手を振って is one greeting
                yield f"{first} … {then}", f"{one} {other}", ""


def _in_three() -> Iterator[Line]:
    """立って … 挨拶して … 座って."""
    for i in range(len(_DO)):
        steps = [_DO[(i + step) % len(_DO)] for step in (0, 1, 3)]
        yield " … ".join(said for said, _ in steps), " ".join(name for _, name in steps), ""


def _joined() -> Iterator[Line]:
    """立ってから … 挨拶して, 立って … から挨拶して, 立って … それから … 挨拶して."""
    for i, (first, one) in enumerate(_DO):
        then, other = _DO[(i + 4) % len(_DO)]
        joint = _JOINTS[i % len(_JOINTS)]
        yield f"{first}から … {then}", f"{one} {other}", ""
        yield f"{first} … {joint}{then}", f"{one} {other}", ""
        if joint != "から":
            yield f"{first} … {joint} … {then}", f"{one} {other}", ""


def _filled() -> Iterator[Line]:
    """えーと … 座って, 立って … えーと … 挨拶して."""
    for i, (said, name) in enumerate(_DO):
        yield f"{_FILLERS[i % len(_FILLERS)]} … {said}", name, ""
        if i % 3 == 0:
            then, other = _DO[(i + 2) % len(_DO)]
            yield f"{said} … {_FILLERS[(i + 1) % len(_FILLERS)]} … {then}", f"{name} {other}", ""


def _called() -> Iterator[Line]:
    """クラウディア … お座り."""
    for i, (said, name) in enumerate((("お座り", "Sit"), ("伏せ", "StandDown"), *_DO)):
        yield f"{('クラウディア', 'クラちゃん', 'ねえクラウディア')[i % 3]} … {said}", name, ""
