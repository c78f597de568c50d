"""Text and state in, a decision out: emergency → hot path → grammar → motion → a heuristic answer.

Pure: the tables are loaded once (`load_tables`) and passed in; nothing here waits, reads or knows the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from claudiad.brain import answers
from claudiad.brain.emergency import StopFinder, StopMatch, load_stops
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.motion import Motions, load_motions
from claudiad.brain.normalise import Edges, load_edges
from claudiad.brain.phrases import Phrase, Phrases, load_phrases
from claudiad.brain.reading import Heard, hear
from claudiad.brain.sequence import Grammar, Parsed, Step
from claudiad.brain.tables import DATA
from claudiad.types import Action, Decision, RobotState

STOPPED = "止まりました。"
LATCHED = "止まりました。解除と言われるまで動きません。"
RELEASED = "解除しました。もう動けます。"
IN_ORDER = "はい、順番にやります。"
AGAIN = "はい、繰り返します。"


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything the router looks things up in."""

    phrases: Phrases
    motions: Motions
    edges: Edges
    stops: StopFinder
    actions: Mapping[str, int]


def load_tables(actions: Mapping[str, int], own_phrases: Iterable[Path] = (), data: Path = DATA) -> Tables:
    """Load the package's tables and phrase files of one's own (the only I/O of this package).

    `actions`: every registered action's name and API id; `stop` and `move` among them, or the stop has no
    id to be sent as and numbers move nothing. Raises `DataError` (`file:line: …`).
    """
    phrases = load_phrases([data / "phrases.tsv", *own_phrases], actions)
    edges = load_edges(data / "endings.tsv")
    motions = load_motions(data / "motions.tsv")
    doings = Lexicon((w.key, w.form, w.surface) for w in (*phrases.words, *motions.words) if w.form != "said")
    stops = StopFinder(load_stops(data / "stops.tsv"), edges, doings)
    return Tables(phrases, motions, edges, stops, dict(actions))


class Router:
    """Decides what one text means. Immutable; safe to call from any thread."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._actions = tables.actions
        self._grammar = Grammar(tables.phrases.lexicon, tables.motions, tables.edges, tables.actions.get("move"))

    def decide(self, text: str, state: RobotState) -> Decision:
        """The decision for one text. Never raises; only ids given to `load_tables` can come out."""
        heard = hear(text)
        moving = state.running is not None
        if self._tables.stops.releases(heard):
            return Decision(text, "emergency", "dialog", (), RELEASED, 1.0, "release", release=True)
        if stop := self._tables.stops.find_heard(heard, moving):
            return self._stop(text, stop)
        if phrase := self._tables.phrases.foreign.get(heard.letters):
            return _said(text, phrase, 1.0)
        if not heard.key:
            return Decision(text, "none", "none", (), "", 0.0, "empty")
        if heard.truncated:
            return Decision(text, "fallback", "dialog", (), answers.TOO_MUCH, 0.0, "longer than the limit")
        return self._look_up(text, heard)

    def _stop(self, text: str, stop: StopMatch) -> Decision:
        number = self._actions.get("stop")
        actions = () if number is None else (Action("stop", number),)
        reply = LATCHED if stop.latch else STOPPED
        return Decision(
            text, "emergency", "action", actions, reply, stop.confidence, f"{stop.rule}: {stop.word}", stop.latch
        )

    def _look_up(self, text: str, heard: Heard) -> Decision:
        for form, phrase in self._tables.phrases.lexicon.find(heard.key):
            if self._tables.edges.ends(form, ""):  # not 座る, 座った, 座り by themselves
                return _said(text, phrase, 1.0)
        parsed = self._grammar.parse(heard.key)
        if parsed == "too long":
            return Decision(text, "grammar", "dialog", (), answers.TOO_LONG, 0.9, "more than six steps")
        if isinstance(parsed, Parsed):
            return _parsed(text, parsed)
        intent, sentence = answers.answer(text, heard.key)
        return Decision(text, "fallback", "dialog", (), sentence, 0.2, f"no rule: {intent}")


def _parsed(text: str, parsed: Parsed) -> Decision:
    first = parsed.steps[0]
    if len(parsed.steps) == 1 and first.times == 1 and first.phrase is not None:
        return _said(text, first.phrase, 0.98)
    rule = " → ".join(_name(step) for step in parsed.steps)
    if len(parsed.steps) == 1 and first.times == 1:
        return Decision(text, "motion", "action", parsed.actions, _moving(first.actions[0]), 0.97, rule)
    reply = IN_ORDER if len(parsed.steps) > 1 else AGAIN
    return Decision(text, "grammar", "action", parsed.actions, reply, 0.97, rule)


def _said(text: str, phrase: Phrase, confidence: float) -> Decision:
    return Decision(text, "hotpath", phrase.kind, phrase.actions, phrase.reply, confidence, phrase.text)


def _name(step: Step) -> str:
    if step.phrase is None:
        return " ".join(f"{k}={v:g}" for k, v in step.actions[0].params.items())
    return step.phrase.text + (f" ×{step.times}" if step.times > 1 else "")


def _moving(action: Action) -> str:
    params = action.params
    if "yaw" in params:
        return "はい、左に回ります。" if params["yaw"] > 0 else "はい、右に回ります。"
    if "y" in params:
        return "はい、左に動きます。" if params["y"] > 0 else "はい、右に動きます。"
    return "はい、前に進みます。" if params["x"] > 0 else "はい、下がります。"
