"""Is this transcript what the robot itself was saying? Pure; independent of any echo cancelling.

What a recogniser makes of an echo is a piece of what was said, with some kana lost, wrong or added. So it is laid
against every place in what was said, and the best one counts. A command differs from the answer to it mostly in its
end (横になって, はい、横になります): where it ends like a command, what was said must do so as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from claudiad.brain.near import skeleton
from claudiad.brain.reading import reading

SHORTEST = 4
"""Fewest kana of a skeleton that may differ: 座って and はい、座ります are near each other."""
SHORTEST_EXACT = 2
"""Fewest that are compared at all."""
SLIPS = 0.3
"""Part of the kana that may be lost, wrong or added."""
LONGER = 2
"""What was heard may be longer than all that was said by so many kana; more was said by somebody else."""

_ANYBODYS = frozenset(("ハイ", "ウン", "エエ"))
"""What people say to what is being said."""
_COMMANDS = frozenset("テレロ")
_SHIFTS = (-2, -1, 0, 1, 2)


def is_own_voice(heard: str, said: Sequence[str]) -> bool:
    """True when `heard`, a transcript, is a piece of `said`: the clauses that sounded at the time, in their order.

    Not for stops: one that is heard counts, whoever says it. Never raises.
    """
    piece, whole = skeleton(reading(heard)), skeleton("".join(map(reading, said)))
    if SHORTEST_EXACT <= len(piece) < SHORTEST:
        return piece in whole and piece not in _ANYBODYS
    if not SHORTEST <= len(piece) <= len(whole) + LONGER:
        return False
    near = fuzz.partial_ratio_alignment(piece, whole)
    assert near is not None, "without a cutoff there is always a best place"  # noqa: S101
    ends = sorted({min(len(whole), max(0, near.dest_end + shift)) for shift in _SHIFTS})
    starts = sorted({min(len(whole), max(0, near.dest_start + shift)) for shift in _SHIFTS})
    places = [(Levenshtein.distance(piece, whole[start:end]), end) for start in starts for end in ends]
    slips, _ = min(places)
    if slips > SLIPS * len(piece):
        return False
    last = piece[-1]
    return last not in _COMMANDS or any(last in whole[max(0, end - 1) : end] for n, end in places if n == slips)
