"""How far a model's answer is to be believed, and what may be done at that. Pure.

    confidence = form × agreement × purity × completeness × certainty

| factor | is |
|---|---|
| form | 0 when it is not of a known form or names what is not registered, else 1; 0.9 for bare text |
| agreement | of its actions with the words (`agreement`) |
| purity | 1 when the reply is clean as it came, 0.95 when it was repaired, 0.6 when a part had to be left out |
| completeness | 0.7 when the answer was cut, by the server or by `num_predict` |
| certainty | 0.7 + 0.3 · exp(mean log-probability of its tokens), where the server gives them, else 1 |

The values are ordered by what may go wrong, not fitted: what matters is on which side of `NOW` and `LATER` each falls.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from claudiad.brain.cache import has_negation
from claudiad.brain.phrases import Phrase
from claudiad.brain.reading import Heard, hear
from claudiad.robot.registry import ActionSpec
from claudiad.types import Action

NOW, LATER = 0.8, 0.5
"""From which confidence actions leave at once, and with the whole answer; below, the person is asked back."""

NAMED, ASKED, VOLUNTEERED, UNASKED, CONTRARY = 0.95, 0.85, 0.6, 0.45, 0.2
TALK, TALK_ONLY = 0.95, 0.6

_WEAK = 2
"""Fewest kana of a word that speaks for an action."""
_STRONG = {"noun": 3, "te": 4, "dict": 4, "imp": 4, "vol": 4}
"""Fewest kana of a form that speaks against a proposal without its action: タッテ, スル and コイ are in many words."""
_FORMS = frozenset(("te", "stem", "noun", "dict", "imp", "vol"))
_DENIALS = frozenset(
    ("ない", "無い", "ぬ", "まい", "ず", "駄目", "だめ", "ダメ", "嫌", "いや", "禁止", "やめる", "止める", "控える")
)
"""Dictionary forms of what denies or forbids."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which words speak for which action: the phrase table's, by their reading."""

    words: tuple[tuple[str, str, bool], ...]
    """(reading in katakana, name of the action, whether it also speaks against others)."""

    @classmethod
    def of(cls, keyed: Iterable[tuple[str, str, Phrase]]) -> Evidence:
        """From `Phrases.keyed`: the phrases that stand for one action."""
        found = {
            (key, phrase.actions[0].name, len(key) >= _STRONG.get(form, 99))
            for key, form, phrase in keyed
            if len(phrase.actions) == 1 and len(key) >= _WEAK and form in _FORMS
        }
        return cls(tuple(sorted(found)))

    def named(self, reading: str) -> frozenset[str]:
        """Names of the actions that words in `reading` speak for."""
        return frozenset(name for key, name, _ in self.words if key in reading)

    def meant(self, reading: str) -> frozenset[str]:
        """Of these, the ones that are certainly named."""
        return frozenset(name for key, name, strong in self.words if strong and key in reading)


def agreement(
    text: str,
    actions: Sequence[Action],
    evidence: Evidence,
    registry: Mapping[str, ActionSpec],
    *,
    asked: bool,
) -> float:
    """How well proposed actions go with the words. `asked`: the words ask for something to be done.

    `CONTRARY`: the words forbid, deny, or name something else. `NAMED`: they name every action. `ASKED`: they ask for
    something the tables do not know (可愛い動作して). `VOLUNTEERED`: nobody asked, and it is but a gesture on the spot.
    `UNASKED`: nobody asked for a motion. Without actions `TALK`, or `TALK_ONLY` where the words ask for an action that
    is known.
    """
    heard = hear(text)
    strong = evidence.meant(heard.key)
    if not actions:
        return TALK_ONLY if asked and strong else TALK
    names = {action.name for action in actions}
    if denies(heard) or (strong and not strong & names):
        return CONTRARY
    if names <= evidence.named(heard.key):
        return NAMED
    if asked:
        return ASKED
    gestures = all((spec := registry.get(name)) is not None and spec.action_class == "gesture" for name in names)
    return VOLUNTEERED if gestures else UNASKED


def denies(heard: Heard) -> bool:
    """True when the words deny or forbid something; in katakana also for many that do not."""
    if heard.kana_only:
        return has_negation(heard)
    tokens = heard.tokenised.tokens
    return any(
        token.lemma in _DENIALS or (token.surface == "な" and token.pos[1] == "終助詞" and before.pos[0] == "動詞")
        for before, token in zip((tokens[0], *tokens), tokens, strict=False)
    )


def certainty(logprobs: Sequence[float]) -> float:
    """From the mean log-probability of an answer's tokens; 1 where there is none."""
    return 0.7 + 0.3 * math.exp(min(0.0, sum(logprobs) / len(logprobs))) if logprobs else 1.0
