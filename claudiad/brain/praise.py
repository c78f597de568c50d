"""Praise and feelings in a sentence of their own making: お前は孫より賢いのう, 検査ばっかりで疲れた.

The end of the sentence is a known phrase of praise; what stands in front may say how, why and compared to whom, but
may name nobody and nothing else: 孫が可愛い and この服、可愛い are not about the robot.
"""

from __future__ import annotations

from collections.abc import Sequence

from claudiad.brain.insertions import Words
from claudiad.brain.reading import Token

_ASIDE = frozenset(("より", "で", "から"))
"""Particles behind what praise is compared to or caused by."""
_TOPIC = frozenset(("は", "が", "って", "も", "の", "と", "、"))
_HOW = frozenset(("副詞", "感動詞", "接続詞", "連体詞", "接頭辞"))


def beside_praise(said: Sequence[Token], words: Words) -> bool:
    """True when words in front of praise name nobody but the robot."""
    i = 0
    while i < len(said):
        if said[i].lemma in words["asking"] or said[i].lemma in words["saying"] or said[i].lemma in words["time"]:
            return False
        step = _aside(said, i, words)
        if not step:
            return False
        i += step
    return True


def _aside(said: Sequence[Token], i: int, words: Words) -> int:
    """How many words from `i` on are a manner, a cause, a comparison or the robot; 0 for anything else."""
    t = said[i]
    following = said[i + 1].surface if i + 1 < len(said) else ""
    if t.pos[0] in _HOW:
        return 2 if following in ("と", "に") else 1
    if t.lemma in words["self"]:
        return 2 if following in _TOPIC else 1
    if t.surface in ("こんな", "そんな", "あんな", "今日", "ほんと", "本当", "世界一", "一番"):
        return 2 if following in ("は", "も", "に") else 1
    if t.pos[0] == "形容詞" and t.pos[5].startswith("連用形"):
        return 2 if following == "て" else 1  # きつくて
    return _cause(said, i)


def _cause(said: Sequence[Token], i: int) -> int:
    """孫より, 検査ばっかりで, ロボットなのに."""
    j = i
    while j < len(said) and said[j].pos[0] in ("名詞", "接尾辞"):
        j += 1
    if j == i:
        return 0
    rest = [t.surface for t in said[j : j + 3]]
    if rest == ["な", "の", "に"]:
        return j + 3 - i
    if rest[:1] in (["ばっかり"], ["ばかり"]):
        return j + 2 - i
    return j + 1 - i if rest[:1] and rest[0] in _ASIDE else 0
