"""Text and state in, a decision out: emergency → hot path → grammar → motion → near misses → a heuristic answer.

Pure: the tables are loaded once (`load_tables`) and passed in; nothing here waits, reads or knows the time.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from claudiad.brain import answers, places, slips, wording
from claudiad.brain.clauses import meant_for_it, understand
from claudiad.brain.conjugate import Form, Word
from claudiad.brain.emergency import StopFinder, StopMatch
from claudiad.brain.foreign import Foreign, load_foreign
from claudiad.brain.insertions import Words, insertions, load_words
from claudiad.brain.lexicon import Lexicon
from claudiad.brain.motion import Motions, load_motions
from claudiad.brain.near import Confidences, Guess, Near, confidence, is_word, load_confidences
from claudiad.brain.normalise import Edges, load_edges
from claudiad.brain.phrases import Phrase, Phrases, load_phrases
from claudiad.brain.praise import beside_praise
from claudiad.brain.reading import Heard, Stems, grown_up, hear, is_kana, reading, split
from claudiad.brain.sequence import MAX_STEPS, Grammar, Parsed
from claudiad.brain.steps import Step
from claudiad.brain.stops import load_stops
from claudiad.brain.tables import DATA, rows
from claudiad.types import Action, Context, Decision, RobotState, Route

ACTS, ASKS = 0.85, 0.3
"""From which confidence a near miss is done, or asked back about."""

_WALKS = frozenset(
    ("move", "StaticWalk", "TrotRun", "EconomicGait", "FreeWalk", "ClassicWalk", "CrossStep", "SpeedLevel")
)
MAX_SLIPPED = 4
"""Most clauses one of which may have a slip."""
MAX_SLIP = 24
"""Longest key in which a slip of the tongue is looked for, in kana."""

_OVER = ("もうおしまい", "おしまい", "もう終わり", "終わり", "もういい", "もういいよ", "もう十分")
"""What ends one thing, and with a command behind it begins another."""
_NO_FURTHER = re.compile(r"(?:それ|これ|もうこれ)(?:以上|いじょう)|[ソコ]レイジョ[オー]")
"""In front of a ban, it is a stop: それ以上前に進まないで."""

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
    doings = Lexicon((w.key, w.form, w.surface) for w in _doings((*phrases.words, *motions.words)))
    stops = StopFinder(load_stops(data / "stops.tsv"), edges, doings)
    near = Near((*phrases.keyed, *_without_particle(phrases.all)), edges, motions, actions.get("move"))
    confidences = load_confidences(data / "nearness.tsv")
    stems = Stems({written: kana for _, (written, kana) in rows(data / "stems.tsv", 2)})
    foreign = load_foreign(data / "foreign.tsv", actions)
    words = load_words(data / "context.tsv")
    return Tables(phrases, motions, edges, stops, near, confidences, stems, words, foreign, dict(actions))


def _without_particle(phrases: Iterable[Phrase]) -> Iterator[tuple[str, Form, Phrase]]:
    """ハート作って for ハートを作って: which the grammar takes apart, and a near miss cannot."""
    for phrase in phrases:
        if "を" in phrase.text and phrase.text.endswith(("て", "で")):
            yield reading(phrase.text.replace("を", "")), "te", phrase


def _doings(words: Iterable[Word]) -> Iterator[Word]:
    """Everything that can be stopped: 踊る, 腰を振る and, as people say it, 腰振る."""
    for word in words:
        if word.form != "said":
            yield word
        if word.form == "dict" and "を" in word.surface:
            yield replace(word, key=reading(word.surface.replace("を", "")))


class Router:
    """Decides what one text means. Immutable; safe to call from any thread."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._grammar = Grammar(tables.phrases, tables.motions, tables.edges, tables.actions.get("move"))

    def decide(self, text: str, state: RobotState, context: Context = NOBODY) -> Decision:
        """The decision for one text. Never raises; only ids given to `load_tables` can come out."""
        heard_once = functools.cache(hear)  # several rules look at the same part of a text
        return _Deciding(self._tables, self._grammar, text, state, context, heard_once).decide(heard_once(text))


@dataclass(frozen=True, slots=True)
class _Deciding:
    """One decision under way."""

    tables: Tables
    grammar: Grammar
    text: str
    state: RobotState
    context: Context
    hear: Callable[[str], Heard]

    def decide(self, heard: Heard) -> Decision:
        if self.tables.stops.releases(heard):
            return Decision(self.text, "emergency", "dialog", (), wording.RELEASED, 1.0, "release", release=True)
        if stop := self.tables.stops.find_heard(heard, self.moving):
            # 回るのをやめて、座って replaces one thing by another: the new command does that.
            instead = self.look_up(heard) if stop.rule == "doing" and heard.bounds else self.after_end(heard, stop)
            return instead if instead and instead.actions else self.stop(stop)
        if phrase := self.tables.phrases.foreign.get(heard.letters):
            return self.said(phrase, 1.0)
        if not heard.key:
            return Decision(self.text, "none", "none", (), "", 0.0, "empty")
        if heard.truncated:
            return self.talk("fallback", answers.TOO_MUCH, 0.0, "longer than the limit")
        return (
            self.answered(heard)
            or self.to_place(heard)
            or self.look_up(heard)
            or self.foreign(heard)
            or self.begun_twice(heard)
            or self.among_talk(heard)
            or self.in_dialect(heard)
            or self.stuttered(heard)
            or self.nearly(heard)
            or self.nearly_in_clause(heard)
            or self.fallback(heard)
        )

    def after_end(self, heard: Heard, stop: StopMatch) -> Decision | None:
        """それはもうおしまい、立って: one thing is over, and another begins."""
        parts = split(heard.text)
        rest = self.hear("、".join(parts[1:]))
        if stop.word not in _OVER or not rest.key or self.tables.stops.find_heard(rest, self.moving):
            return None
        return self.look_up(rest)

    @property
    def moving(self) -> bool:
        return self.state.running is not None

    def answered(self, heard: Heard) -> Decision | None:
        """はい to a question of its own, もう一回 after something was done."""
        answer, context = self.tables.edges.answers.get(heard.key), self.context
        if answer == "again" and context.last:
            return Decision(self.text, "grammar", "action", context.last, wording.ONCE_MORE, 0.95, "again")
        if answer == "yes" and context.asked:
            return Decision(self.text, "grammar", "action", context.asked, "はい。", 0.95, "yes, as asked")
        if answer == "no" and context.asked:
            return self.talk("grammar", wording.NOT_THEN, 0.95, "no, as asked")
        return None

    def to_place(self, heard: Heard) -> Decision | None:
        """x=2、y=1に行って, 出発点に戻って: understood as a walk, and then led there."""
        if (goal := places.find(heard)) is None:
            return None
        walk = self.hear(goal.text)
        meant = self.look_up(walk) or self.among_talk(walk)
        return places.led(meant, goal, self.state) if meant else None

    def look_up(self, heard: Heard) -> Decision | None:
        """The hot path, then the grammar: every kana is known."""
        if not meant_for_it(heard, self.tables.words):
            return None
        asked = heard.marks[-1:] == ("?",)
        for form, phrase in self.tables.phrases.lexicon.find(heard.key):
            # Not 座る, 座った, 座り by themselves; nor お座り？, which the grammar below asks back about.
            if self.tables.edges.ends(form, "") and not (form == "noun" and asked):
                return self.checked(heard, (Step(phrase.actions, phrase),)) or self.said(phrase, 1.0)
        parsed = self.grammar.parse(heard.key, heard.bounds)
        if parsed == "too long":
            return self.talk("grammar", answers.TOO_LONG, 0.9, "more than six steps")
        if not isinstance(parsed, Parsed):
            return None
        if asked and parsed.steps and parsed.steps[-1].bare:
            return self.ask_back(parsed.steps, 0.6, "question: " + " → ".join(map(wording.name, parsed.steps)))
        return self.checked(heard, parsed.steps) or self.parsed(parsed, 0.98)

    def checked(self, heard: Heard, steps: tuple[Step, ...]) -> Decision | None:
        """A question, where the kanji say that something else was meant than what it sounds like."""
        phrase = steps[0].phrase if len(steps) == 1 else None
        if phrase is None or not self.written_otherwise(heard, phrase):
            return None
        return self.ask_back(steps, 0.5, f"sounds like {phrase.text}")

    def written_otherwise(self, heard: Heard, phrase: Phrase) -> bool:
        """交代, 開店, 星座: a known sound, written with other kanji, and nothing with it that asks for anything."""
        if heard.kana_only or heard.bounds or not phrase.actions:
            return False
        if any(t.lemma in self.tables.words["request"] for t in heard.tokens):
            return False
        table, text = (frozenset(c for c in s if "一" <= c <= "龯") for s in (phrase.text, heard.text))
        verb = phrase.text.endswith(("て", "で"))  # 手を降って may be 手を振って
        other = bool(text - table - self.tables.stops.common_kanji)
        return other and bool(table - text) and not (verb and table & text)

    def foreign(self, heard: Heard) -> Decision | None:
        """English and Chinese; anything with kana in it is neither."""
        if heard.kana_only or (found := self.tables.foreign.parse(self.text)) is None:
            return None
        if found.stop:
            return self.stop(StopMatch(found.rule, found.latch, "foreign", 0.95))
        if self.is_doing(found.unwanted):
            return self.end(f"forbidden: {found.rule}")
        route: Route = "hotpath" if len(found.actions) <= 1 else "grammar"
        return Decision(self.text, route, found.kind, found.actions, found.reply, 0.95, found.rule)

    def among_talk(self, heard: Heard) -> Decision | None:
        """A command with talk around it; a wish or a question, which is asked back."""
        heard = heard.tokenised
        if not meant_for_it(heard, self.tables.words):
            return None
        if (found := understand(heard, self.grammar, self.tables.edges, self.tables.words)) is not None:
            return self.said(found.talk, 0.9) if found.talk else self.parsed(found.order, 0.9)
        if (able := self.able(heard)) is not None:
            return able
        if (praised := self.praised(heard)) is not None:
            return self.said(praised, 0.9)
        wish = self.grammar.parse(heard.key, heard.bounds, insertions(heard, self.tables.words), perhaps=True)
        if isinstance(wish, Parsed) and wish.steps and all(s.joins for s in wish.steps):
            return self.ask_back(wish.steps, 0.6, "wish or question: " + " → ".join(map(wording.name, wish.steps)))
        return None

    def praised(self, heard: Heard) -> Phrase | None:
        """Praise or a feeling behind words that only say how, or name the robot."""
        key, words = heard.key, self.tables.words
        end = next((b for b in heard.bounds if self.tables.edges.is_company(key[b:])), len(key))  # 賢いな、|お前は
        starts = list(self.tables.edges.topic_ends(key))
        if not heard.bounds or end == heard.bounds[0]:
            tokens = heard.tokens
            starts += [t.start for i, t in enumerate(tokens) if i and beside_praise(tokens[:i], words)]
        for start in starts:
            praise = self.grammar.parse(key[start:end])
            first = praise.steps[0] if isinstance(praise, Parsed) and praise.steps else None
            if first and first.phrase and first.phrase.actions and not first.joins:
                return first.phrase
        return None

    def able(self, heard: Heard) -> Decision | None:
        """バク転できるんでしょ、|やって: asked whether it can, and then for it."""
        for cut in reversed((*heard.bounds, *heard.reasons)):
            if self.grammar.only_asks(heard.key[cut:]):
                wish = self.grammar.parse(
                    heard.key[:cut], heard.bounds, insertions(heard, self.tables.words), perhaps=True
                )
                if isinstance(wish, Parsed) and wish.steps and all(s.joins for s in wish.steps):
                    return self.parsed(wish, 0.9)
        return None

    def in_dialect(self, heard: Heard) -> Decision | None:
        """座らいん, 手ば振って: the kanji read as those of commands are, since the tokeniser took them otherwise."""
        parts = split(heard.text)
        spelled = [self.spelled(part) for part in parts]
        if spelled == parts and not heard.kana_only:
            return None
        again = self.hear("、".join(spelled)) if spelled != parts else heard.as_words
        return self.again(again) if again.key != heard.key else None

    def again(self, heard: Heard) -> Decision | None:
        """The exact rules once more, for another reading of the same."""
        if stop := self.tables.stops.find_heard(heard, self.moving):
            return self.stop(stop)
        return self.look_up(heard) or self.among_talk(heard)

    def spelled(self, clause: str) -> str:
        """A clause in kana, as a small child may have meant it, where only that makes a command or a stop of it."""
        spelled = self.tables.stems.spell(clause)
        kana = spelled or clause
        voiced: Iterable[str] = slips.unvoiced(self.hear(kana).key) if spelled or is_kana(clause) else ()
        for attempt in (kana, grown_up(kana), kana.replace("ちゅ", "つ"), *voiced):
            if attempt == clause:
                continue
            again = self.hear(attempt)
            if isinstance(self.grammar.parse(again.key), Parsed) or self.tables.stops.is_stop(again.key):
                return attempt
        return clause

    def begun_twice(self, heard: Heard) -> Decision | None:
        """え座っ座って; ふ、伏せて: where kanji or a comma prove it."""
        if (once := slips.written_twice(heard.text)) is not None:
            return self.again(self.hear(once))
        parts = split(heard.text)
        if len(parts) == len(heard.clauses) and (cut := slips.broken_off(heard.clauses)):
            rest = self.hear("、".join(part for i, part in enumerate(parts) if i not in cut))
            return self.again(rest) or self.nearly(rest)
        return None

    def stuttered(self, heard: Heard) -> Decision | None:
        """Other slips of the tongue that leave an exact command: お座りりして, 座っ下さい."""
        if len(heard.clauses) > 1 or len(heard.key) > MAX_SLIP:
            return None
        slurred = self.tables.edges.slurred
        for key in itertools.chain(slips.unstuttered(heard.key), slips.unslurred(heard.key, slurred)):
            again = replace(heard, key=key, clauses=(key,), tokens=())
            if stop := self.tables.stops.find_heard(again, self.moving):
                return self.stop(stop)
            if (decision := self.look_up(again)) is not None and (decision.actions or decision.asked):
                return decision
        return None

    def nearly(self, heard: Heard) -> Decision | None:
        """A slip of tongue or recogniser: done when near misses of this kind proved right, else asked back."""
        guessed = self.guess(heard.text, heard.key)
        if guessed is None:
            return None
        guess, sure = guessed
        rule = f"near: {guess.phrase.text} ({guess.difference}, {guess.length} kana)"
        if sure >= ACTS:
            return replace(self.said(guess.phrase, sure), route="semantic", rule=rule)
        return self.ask_back((Step(guess.phrase.actions, guess.phrase),), sure, rule) if sure >= ASKS else None

    def nearly_in_clause(self, heard: Heard) -> Decision | None:
        """写真撮るよ、ポズして: a slip in one clause, where all others are understood."""
        parts = split(heard.text)
        if not 1 < len(parts) <= MAX_SLIPPED or len(parts) != len(heard.clauses):
            return None
        for i, (part, key) in enumerate(zip(parts, heard.clauses, strict=True)):
            guessed = self.guess(part, key)
            if guessed is None or isinstance(self.grammar.parse(key), Parsed):
                continue
            guess, sure = guessed
            whole = self.hear("、".join([*parts[:i], guess.phrase.text, *parts[i + 1 :]]))
            meant = self.look_up(whole) or self.among_talk(whole)
            if meant is None or not meant.actions or sure < ASKS:
                continue
            rule = f"near: {guess.phrase.text} ({guess.difference}, {guess.length} kana) in {meant.rule}"
            if sure >= ACTS:
                return replace(meant, route="semantic", rule=rule, confidence=sure)
            return replace(self.ask_back((Step(guess.phrase.actions, guess.phrase),), sure, rule), asked=meant.actions)
        return None

    def guess(self, text: str, key: str) -> tuple[Guess, float] | None:
        """The nearest phrase or motion, and how far it is to be believed."""
        found = []
        if guess := self.tables.near.find(key):
            found.append((guess, self.sure(self.hear(text), guess)))
        if spelled := self.tables.stems.spell(text):  # 踊て, which the tokeniser cannot read
            heard = self.hear(spelled)
            if guess := self.tables.near.find(heard.key):
                found.append((guess, self.sure(heard, guess)))
        return max(found, key=lambda each: each[1], default=None)

    def sure(self, heard: Heard, guess: Guess) -> float:
        """How far a guess is to be believed; only far enough to ask where it may have been another word."""
        sure = confidence(guess, self.tables.confidences)
        return min(sure, (ACTS + ASKS) / 2) if is_word(heard, guess) else sure

    def fallback(self, heard: Heard) -> Decision:
        intent, sentence = answers.answer(self.text, heard.key)
        return self.talk("fallback", sentence, 0.2, f"no rule: {intent}")

    def parsed(self, order: Parsed, confidence: float) -> Decision:
        steps, actions = order.steps, order.actions
        if not steps:
            return self.forbidden(order.forbidden)
        if len(actions) > MAX_STEPS:
            return self.talk("grammar", answers.TOO_LONG, 0.9, "more than six steps")
        first, single = steps[0], len(steps) == 1 and steps[0].times == 1
        if single and first.phrase is not None:
            return self.said(first.phrase, confidence)
        rule = " → ".join(map(wording.name, steps))
        if single:
            reply = wording.moving(first.actions[0])
            return Decision(self.text, "motion", "action", actions, reply, confidence - 0.01, rule)
        reply = wording.IN_ORDER if len(steps) > 1 else wording.AGAIN
        return Decision(self.text, "grammar", "action", actions, reply, confidence - 0.01, rule)

    def forbidden(self, steps: tuple[Step, ...]) -> Decision:
        """踊らないで: nothing, unless that is what it is doing."""
        rule = "forbidden: " + ", ".join(map(wording.name, steps))
        if _NO_FURTHER.match(self.text):
            return self.end(rule)
        if self.is_doing(a.name for step in steps for a in step.actions):
            return self.end(rule)
        return self.talk("grammar", answers.FORBIDDEN, 0.9, rule)

    def is_doing(self, names: Iterable[str]) -> bool:
        """True when one of these is what the robot is doing: both dances are dancing, every gait is walking."""
        running = (self.state.running or "").split(" ")[0]
        return bool(running) and any(
            (name in _WALKS and running in _WALKS) or name.rstrip("12") == running.rstrip("12") for name in names
        )

    def said(self, phrase: Phrase, confidence: float) -> Decision:
        reply = answers.for_the_hour(phrase.reply, self.context.hour)
        return Decision(self.text, "hotpath", phrase.kind, phrase.actions, reply, confidence, phrase.text)

    def talk(self, route: Route, reply: str, confidence: float, rule: str) -> Decision:
        return Decision(self.text, route, "dialog", (), reply, confidence, rule)

    def ask_back(self, steps: tuple[Step, ...], confidence: float, rule: str) -> Decision:
        actions = tuple(a for step in steps for a in step.actions * step.times)
        return replace(self.talk("semantic", wording.ask_back(steps), confidence, rule), asked=actions)

    def stop(self, stop: StopMatch) -> Decision:
        reply = wording.LATCHED if stop.latch else wording.STOPPED
        rule = f"{stop.rule}: {stop.word}"
        return Decision(self.text, "emergency", "action", self.stopping, reply, stop.confidence, rule, stop.latch)

    def end(self, rule: str) -> Decision:
        return Decision(self.text, "emergency", "action", self.stopping, wording.ENDED, 0.95, rule)

    @property
    def stopping(self) -> tuple[Action, ...]:
        number = self.tables.actions.get("stop")
        return () if number is None else (Action("stop", number),)
