"""What of a model's reply may reach the voice: clean Japanese, and no word that would stop the robot itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from claudiad.brain.emergency import StopFinder
from claudiad.brain.tables import DATA, rows
from claudiad.purity.filter import purify


@dataclass(frozen=True, slots=True)
class Speakable:
    """One clause on its way to the voice."""

    text: str
    """"" when it has to be left out."""
    repairs: tuple[str, ...]
    """Kinds of what was repaired or left out (`claudiad.purity.filter.KINDS`, `stop word`), for counting."""
    left_out: bool
    """Something of it could not be repaired."""

    @property
    def clean(self) -> bool:
        """It came as it is said."""
        return not self.repairs


def speakable(clause: str, stops: StopFinder) -> Speakable:
    """Purify a clause and reword the stop words in it. Never raises.

    A motion may be under way when it is heard: what would be a stop then counts as one.
    """
    purified = purify(clause)
    repairs = tuple(finding.kind for finding in purified.findings)
    text = purified.clean or ""
    if text and stops.find_stop(text, moving=True) is not None:
        repairs = (*repairs, "stop word")
        for written, instead in _rewording():
            text = text.replace(written, instead)
        if stops.find_stop(text, moving=True) is not None:
            text = ""
    return Speakable(text, repairs, left_out=purified.left_out > 0 or not text)


@cache
def _rewording() -> tuple[tuple[str, str], ...]:
    found = [(written, instead) for _, (written, instead) in rows(DATA / "rewording.tsv", 2)]
    return tuple(sorted(found, key=lambda row: -len(row[0])))
