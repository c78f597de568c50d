"""New settings for a running daemon: what takes effect at once, and what needs a restart.

At once means: with the next turn, in a new conversation on the same microphone, robot, voice and ears. What those
were opened with needs a restart: opening a device, a model or a robot anew would be one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from claudiad.app.parts import Parts, brain_tables, mind_of, wake_gate
from claudiad.app.state import open_audit
from claudiad.brain.display import load_speller
from claudiad.config import Settings

LIVE_SECTIONS: Final = frozenset({"endpoint", "wake", "brain", "turn", "privacy", "audit", "log"})
LIVE: Final = frozenset({"audio.echo_cancellation", "stt.oov_threshold"})
RESTART: Final = frozenset(
    {"turn.greeting_budget_ms", "turn.simple_budget_ms", "turn.complex_budget_ms", "turn.turn_budget_ms"}
)
"""Of a live section, and yet not: the language models were given them."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a reload comes to."""

    settings: Settings
    """In force from now on: the old ones with what can be changed."""
    applied: tuple[str, ...]
    """``section.key``, sorted."""
    need_restart: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"changed {', '.join(self.applied)}"] if self.applied else ["nothing to change"]
        if self.need_restart:
            parts.append(f"{', '.join(self.need_restart)} will change with a restart")
        return "; ".join(parts)


def is_live(dotted: str) -> bool:
    """Whether ``section.key`` takes effect without a restart."""
    return dotted in LIVE or (dotted.partition(".")[0] in LIVE_SECTIONS and dotted not in RESTART)


def change(old: Settings, new: Settings) -> Change:
    """Compare; nothing is applied yet."""
    was, wanted = old.model_dump(), new.model_dump()
    different = sorted(f"{s}.{key}" for s, table in wanted.items() for key in table if table[key] != was[s][key])
    applied = tuple(dotted for dotted in different if is_live(dotted))
    sections: dict[str, dict[str, Any]] = {}
    for section, _, key in (dotted.partition(".") for dotted in applied):
        sections.setdefault(section, {})[key] = wanted[section][key]
    updates = {section: getattr(old, section).model_copy(update=values) for section, values in sections.items()}
    rest = tuple(dotted for dotted in different if not is_live(dotted))
    return Change(old.model_copy(update=updates), applied, rest)


def renewed(parts: Parts, settings: Settings) -> Parts:
    """The parts for a new conversation; those that were opened stay the same. Blocking: it may read tables.

    The phrases are read again also when no setting changed: people edit that file and reload. Raises
    DataError for a phrase file that is none; then nothing has changed.
    """
    old = parts.settings
    mind, stops, speller = parts.mind, parts.stops, parts.speller
    if old.brain != settings.brain or settings.brain.phrases:
        tables = brain_tables(settings, parts.registry)
        mind = mind_of(tables, settings.brain)
        stops, speller = tables.stops, load_speller(tables.phrases)
    audit = parts.audit
    if (old.audit, old.privacy) != (settings.audit, settings.privacy):
        audit = open_audit(settings)
    wake = parts.wake if old.wake == settings.wake else wake_gate(settings)
    return replace(parts, settings=settings, mind=mind, stops=stops, speller=speller, wake=wake, audit=audit)
