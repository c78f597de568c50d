"""Whether a prompt is Japanese, apart from the JSON, the ids and the names in it."""

from __future__ import annotations

import re

from claudiad.purity.filter import purify

_NOT_JAPANESE_BY_DESIGN = re.compile(r'[\s（）\[\]{}:,]+|"[a-z]+"|[A-Za-z]+[0-9]*(?![ぁ-ん])|[0-9]+(?:\.[0-9]+)?')


def japanese(text: str) -> list[str]:
    """What is left between JSON, ids, names of actions and brackets."""
    return [piece for piece in (p.strip('"') for p in _NOT_JAPANESE_BY_DESIGN.split(text)) if piece.strip("「」、。")]


def impure(text: str) -> list[str]:
    """The pieces that may not be spoken as they are."""
    return [piece for piece in japanese(text) if not _pure(piece)]


def _pure(piece: str) -> bool:
    # What cannot begin or end a spoken clause is no fault of a piece cut out of a sentence.
    bare = piece.strip("「」、。・")
    return purify(bare).pure and purify(bare).clean == bare
