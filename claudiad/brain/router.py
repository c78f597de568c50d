"""Text and state in, a decision out: emergency → hot path → grammar → motion → near misses → a heuristic answer.

Pure: the tables are loaded once (`load_tables`) and passed in; nothing here waits, reads or knows the time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from claudiad.brain import answers
from claudiad.brain.clauses import understand
from claudiad.brain.emergency import StopFinder, StopMatch, load_stops
from claudiad.brain.foreign import Foreign, load_foreign
from claudiad.brain.insertions import Words, insertions, load_words
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.motion import Motions, load_motions
from claudiad.brain.near import Confidences, Near, confidence, is_word, load_confidences
from claudiad.brain.normalise import Edges, load_edges
from claudiad.brain.phrases import Phrase, Phrases, load_phrases
from claudiad.brain.reading import Heard, Stems, as_words, grown_up, hear, reading, split, tokenised
from claudiad.brain.sequence import MAX_STEPS, Grammar, Parsed, Step
from claudiad.brain.tables import DATA, rows
from claudiad.types import Action, Context, Decision, RobotState

STOPPED = "止まりました。"
LATCHED = "止まりました。解除と言われるまで動きません。"
RELEASED = "解除しました。もう動けます。"
IN_ORDER = "はい、順番にやります。"
AGAIN = "はい、繰り返します。"
ONCE_MORE = "はい、もう一回やります。"
ENDED = "はい、やめます。"
NOT_THEN = "分かりました、やりません。"

ACTS, ASKS = 0.85, 0.3
"""From which confidence a near miss is done, or asked back about."""

_TWICE = re.compile(r"(.{2,4})\1(?=.{2})")

NOBODY = Context()


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything the router looks things up in."""

    phrases: Phrases
    motions: Motions
    edges: Edges
    stops: StopFinder
    near: Near
    confidences: Confidences
    stems: Stems
    words: Words
    foreign: Foreign
    actions: Mapping[str, int]


def load_tables(actions: Mapping[str, int], own_phrases: Iterable[Path] = (), data: Path = DATA) -> Tables:
    """Load the package's tables and phrase files of one's own (the only I/O of this package).

    `actions`: every registered action's name and API id; `stop` and `move` among them, or the stop has no
    id to be sent as and numbers move nothing. Raises `DataError` (`file:line: …`).
    """
    phrases = load_phrases([data / "phrases.tsv", *own_phrases], actions)
    edges = load_edges(data / "endings.tsv")
    motions = load_motions(data / "motions.tsv")
    said = [w for w in (*phrases.words, *motions.words) if w.form != "said"]
    dropped = [
        replace(w, key=reading(w.surface.replace("を", ""))) for w in said if "を" in w.surface and w.form == "dict"
    ]
    doings = Lexicon((w.key, w.form, w.surface) for w in (*said, *dropped))
    stops = StopFinder(load_stops(data / "stops.tsv"), edges, doings)
    near = Near(phrases.keyed, edges)
    confidences = load_confidences(data / "nearness.tsv")
    stems = Stems({written: kana for _, (written, kana) in rows(data / "stems.tsv", 2)})
    foreign = load_foreign(data / "foreign.tsv", actions)
    words = load_words(data / "context.tsv")
    return Tables(phrases, motions, edges, stops, near, confidences, stems, words, foreign, dict(actions))


class Router:
    """Decides what one text means. Immutable; safe to call from any thread."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._actions = tables.actions
        self._grammar = Grammar(tables.phrases, tables.motions, tables.edges, tables.actions.get("move"))

    def decide(self, text: str, state: RobotState, context: Context = NOBODY) -> Decision:
        """The decision for one text. Never raises; only ids given to `load_tables` can come out."""
        heard = hear(text)
        moving = state.running is not None
        if self._tables.stops.releases(heard):
            return Decision(text, "emergency", "dialog", (), RELEASED, 1.0, "release", release=True)
        if stop := self._tables.stops.find_heard(heard, moving):
            # 回るのをやめて、座って replaces one thing by another: the new command does that.
            instead = self._look_up(text, heard, state, context) if stop.rule == "doing" and heard.bounds else None
            return instead if instead and instead.actions else self._stop(text, stop)
        if phrase := self._tables.phrases.foreign.get(heard.letters):
            return _said(text, phrase, 1.0, context)
        if not heard.key:
            return Decision(text, "none", "none", (), "", 0.0, "empty")
        if heard.truncated:
            return Decision(text, "fallback", "dialog", (), answers.TOO_MUCH, 0.0, "longer than the limit")
        return (
            self._answered(text, heard, context)
            or self._look_up(text, heard, state, context)
            or self._foreign(text, heard, state)
            or self._among_talk(text, heard, state, context)
            or self._in_dialect(text, heard, state, context)
            or self._stuttered(text, heard, state, context)
            or self._nearly(text, heard, context)
            or _fallback(text, heard)
        )

    def _stop(self, text: str, stop: StopMatch) -> Decision:
        reply = LATCHED if stop.latch else STOPPED
        rule = f"{stop.rule}: {stop.word}"
        return Decision(text, "emergency", "action", self._stopping(), reply, stop.confidence, rule, stop.latch)

    def _stopping(self) -> tuple[Action, ...]:
        number = self._actions.get("stop")
        return () if number is None else (Action("stop", number),)

    def _answered(self, text: str, heard: Heard, context: Context) -> Decision | None:
        """はい to a question of its own, もう一回 after something was done."""
        answer = self._tables.edges.answers.get(heard.key)
        if answer == "again" and context.last:
            return Decision(text, "grammar", "action", context.last, ONCE_MORE, 0.95, "again")
        if answer == "yes" and context.asked:
            return Decision(text, "grammar", "action", context.asked, "はい。", 0.95, "yes, as asked")
        if answer == "no" and context.asked:
            return Decision(text, "grammar", "dialog", (), NOT_THEN, 0.95, "no, as asked")
        return None

    def _look_up(self, text: str, heard: Heard, state: RobotState, context: Context) -> Decision | None:
        for form, phrase in self._tables.phrases.lexicon.find(heard.key):
            if self._tables.edges.ends(form, ""):  # not 座る, 座った, 座り by themselves
                return _said(text, phrase, 1.0, context)
        parsed = self._grammar.parse(heard.key, heard.bounds)
        if parsed == "too long":
            return Decision(text, "grammar", "dialog", (), answers.TOO_LONG, 0.9, "more than six steps")
        if isinstance(parsed, Parsed):
            return self._parsed(text, parsed.steps, parsed.forbidden, state, context, 0.98)
        return None

    def _foreign(self, text: str, heard: Heard, state: RobotState) -> Decision | None:
        """English and Chinese; anything with kana in it is neither."""
        if heard.kana_only or (found := self._tables.foreign.parse(text)) is None:
            return None
        if found.stop:
            return self._stop(text, StopMatch(found.rule, found.latch, "foreign", 0.95))
        if state.running is not None and any(_same_doing(name, state.running) for name in found.unwanted):
            return Decision(text, "emergency", "action", self._stopping(), ENDED, 0.95, f"forbidden: {found.rule}")
        route = "hotpath" if len(found.actions) <= 1 else "grammar"
        return Decision(text, route, found.kind, found.actions, found.reply, 0.95, found.rule)

    def _among_talk(self, text: str, heard: Heard, state: RobotState, context: Context) -> Decision | None:
        """A command with talk around it; a wish or a question, which is asked back."""
        heard = tokenised(heard)
        if (found := understand(heard, self._grammar, self._tables.edges, self._tables.words)) is not None:
            if found.talk:
                return _said(text, found.talk, 0.9, context)
            return self._parsed(text, found.steps, found.forbidden, state, context, 0.9)
        for start in self._tables.edges.topic_ends(heard.key):
            praise = self._grammar.parse(heard.key[start:])
            if isinstance(praise, Parsed) and praise.steps and (phrase := praise.steps[0].phrase):
                if not praise.steps[0].joins and phrase.actions:
                    return _said(text, phrase, 0.9, context)
        wish = self._grammar.parse(heard.key, heard.bounds, insertions(heard, self._tables.words), perhaps=True)
        if isinstance(wish, Parsed) and wish.steps and all(s.joins for s in wish.steps):
            rule = "wish or question: " + " → ".join(map(_name, wish.steps))
            return _ask_back(text, wish.steps, 0.6, rule)
        return None

    def _in_dialect(self, text: str, heard: Heard, state: RobotState, context: Context) -> Decision | None:
        """座らいん, 手ば振って: read as the table reads those kanji, since the tokeniser took them for something else."""
        spelled = "、".join(self._spelled(part) for part in split(heard.text))
        again = hear(spelled) if spelled != "、".join(split(heard.text)) else as_words(heard)
        if again.key == heard.key:
            return None
        if stop := self._tables.stops.find_heard(again, state.running is not None):
            return self._stop(text, stop)
        return self._look_up(text, again, state, context) or self._among_talk(text, again, state, context)

    def _spelled(self, clause: str) -> str:
        """A clause in kana, as a small child may have meant it, where only that makes a command or a stop of it."""
        kana = self._tables.stems.spell(clause) or clause
        for attempt in (kana, grown_up(kana)):
            key = hear(attempt).key if attempt != clause else ""
            if key and (self._tables.stops.find_stop(attempt) or isinstance(self._grammar.parse(key), Parsed)):
                return attempt
        return clause

    def _stuttered(self, text: str, heard: Heard, state: RobotState, context: Context) -> Decision | None:
        """起き起きて, お、お手: a beginning said twice."""
        once = _TWICE.sub(r"\1", heard.key)
        return self._look_up(text, replace(heard, key=once, clauses=(once,)), state, context) if once != heard.key else None

    def _nearly(self, text: str, heard: Heard, context: Context) -> Decision | None:
        """A slip of tongue or recogniser: done when near misses of this kind proved right, else asked back."""
        guess = self._tables.near.find(heard.key)
        if guess is None and (spelled := self._tables.stems.spell(heard.text)):
            heard = hear(spelled)  # 踊て, which the tokeniser cannot read
            guess = self._tables.near.find(heard.key)
        if guess is None:
            return None
        sure = confidence(guess, self._tables.confidences)
        if is_word(heard, guess):
            sure = min(sure, (ACTS + ASKS) / 2)
        rule = f"near: {guess.phrase.text} ({guess.difference}, {guess.length} kana)"
        if sure >= ACTS:
            said = _said(text, guess.phrase, sure, context)
            return replace(said, route="semantic", rule=rule)
        if sure >= ASKS:
            return _ask_back(text, (Step(guess.phrase.actions, guess.phrase),), sure, rule)
        return None

    def _parsed(
        self,
        text: str,
        steps: tuple[Step, ...],
        forbidden: tuple[Step, ...],
        state: RobotState,
        context: Context,
        confidence: float,
    ) -> Decision:
        if not steps:
            return self._forbidden(text, forbidden, state)
        actions = tuple(a for step in steps for a in step.actions * step.times)
        if len(actions) > MAX_STEPS:
            return Decision(text, "grammar", "dialog", (), answers.TOO_LONG, 0.9, "more than six steps")
        first = steps[0]
        if len(steps) == 1 and first.times == 1 and first.phrase is not None:
            return _said(text, first.phrase, confidence, context)
        rule = " → ".join(map(_name, steps))
        if len(steps) == 1 and first.times == 1:
            return Decision(
                text,
                "motion",
                "action",
                actions,
                f"はい、{_moving(first.actions[0], 'masu')}。",
                confidence - 0.01,
                rule,
            )
        reply = IN_ORDER if len(steps) > 1 else AGAIN
        return Decision(text, "grammar", "action", actions, reply, confidence - 0.01, rule)

    def _forbidden(self, text: str, steps: tuple[Step, ...], state: RobotState) -> Decision:
        """踊らないで: nothing, unless that is what it is doing."""
        rule = "forbidden: " + ", ".join(map(_name, steps))
        doing = state.running
        if doing is not None and any(_same_doing(a.name, doing) for step in steps for a in step.actions):
            return Decision(text, "emergency", "action", self._stopping(), ENDED, 0.95, rule)
        return Decision(text, "grammar", "dialog", (), answers.FORBIDDEN, 0.9, rule)


def _same_doing(forbidden: str, running: str) -> bool:
    """Both dances are dancing; every gait and every move is walking."""
    walks = ("move", "StaticWalk", "TrotRun", "EconomicGait", "FreeWalk", "ClassicWalk", "CrossStep", "SpeedLevel")
    running = running.split()[0] if running else running
    if forbidden in walks and running in walks:
        return True
    return forbidden.rstrip("12") == running.rstrip("12")


def _fallback(text: str, heard: Heard) -> Decision:
    intent, sentence = answers.answer(text, heard.key)
    return Decision(text, "fallback", "dialog", (), sentence, 0.2, f"no rule: {intent}")


def _ask_back(text: str, steps: tuple[Step, ...], confidence: float, rule: str) -> Decision:
    titles = "、".join(_title(step) for step in steps)
    actions = tuple(a for step in steps for a in step.actions * step.times)
    reply = f"{titles}、で合っていますか？"
    return Decision(text, "semantic", "dialog", (), reply, confidence, rule, asked=actions)


def _said(text: str, phrase: Phrase, confidence: float, context: Context) -> Decision:
    reply = answers.for_the_hour(phrase.reply, context.hour)
    return Decision(text, "hotpath", phrase.kind, phrase.actions, reply, confidence, phrase.text)


def _name(step: Step) -> str:
    if step.phrase is None:
        return " ".join(f"{k}={v:g}" for k, v in step.actions[0].params.items())
    return step.phrase.text + (f" ×{step.times}" if step.times > 1 else "")


def _title(step: Step) -> str:
    title = _moving(step.actions[0], "ru") if step.phrase is None else step.phrase.title
    return title + (f"、{step.times}回" if step.times > 1 else "")


def _moving(action: Action, form: str) -> str:
    """In words: 左に回ります, 前に1.5メートル進む."""
    params = action.params
    if "yaw" in params:
        side, verb, size = (
            "左に" if params["yaw"] > 0 else "右に",
            ("回ります", "回る"),
            f"{abs(math.degrees(params['yaw'])):.0f}度",
        )
    elif "y" in params:
        side, verb, size = "左に" if params["y"] > 0 else "右に", ("動きます", "動く"), f"{abs(params['y']):g}メートル"
    elif params["x"] > 0:
        side, verb, size = "前に", ("進みます", "進む"), f"{params['x']:g}メートル"
    else:
        side, verb, size = "後ろに", ("下がります", "下がる"), f"{-params['x']:g}メートル"
    if form == "ru":
        return side + size + verb[1]
    return ("" if verb[0] == "下がります" else side) + verb[0]
