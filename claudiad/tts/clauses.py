"""Cut a reply into the pieces that are synthesised one after another, so that the first sounds early. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

MIN_COMMA_CHARACTERS = 8
"""A clause shorter than this is not worth a pause of its own: a comma ends it only from here on."""

# An end mark takes further marks and closing brackets with it; a comma between digits (2、3歩) is part of a number.
_END = re.compile(r"[。！？!?\n]+[」』）)\]】\s]*[。！？!?\n」』）)\]】\s]*")
_COMMA = re.compile(r"(?<![0-9０-９〇一二三四五六七八九十百千])[、，]|[、，](?![0-9０-９〇一二三四五六七八九十百千])")


def clauses(text: str, min_comma: int = MIN_COMMA_CHARACTERS) -> list[str]:
    """Clauses of `text` in order, each with its closing marks and with something to pronounce.

    Cuts after 。！？ and line ends always, after 、 when the clause already has `min_comma` characters, never inside a
    number. Joined together they hold every letter and digit of `text`; only white space at the cuts is lost.
    """
    pieces: list[str] = []
    for sentence in _cut(text, _END):
        pieces += _merge_short(_cut(sentence, _COMMA), min_comma)
    return _attach_marks(pieces)


def _cut(text: str, where: re.Pattern[str]) -> list[str]:
    ends = [match.end() for match in where.finditer(text)]
    edges = [0, *ends, len(text)]
    return [text[a:b] for a, b in pairwise(edges) if a < b]


def _merge_short(parts: list[str], minimum: int) -> list[str]:
    """Join neighbours until each but the last has `minimum` characters; a short last one joins its predecessor."""
    merged: list[str] = []
    for part in parts:
        if merged and len(merged[-1]) < minimum:
            merged[-1] += part
        else:
            merged.append(part)
    if len(merged) > 1 and len(merged[-1]) < minimum:
        merged[-2:] = ["".join(merged[-2:])]
    return merged


def _attach_marks(pieces: list[str]) -> list[str]:
    """A piece of marks alone goes to the one before it, or is dropped when it is the first."""
    clauses: list[str] = []
    for piece in map(str.strip, pieces):
        if any(map(str.isalnum, piece)):
            clauses.append(piece)
        elif clauses:
            clauses[-1] += piece
    return clauses
