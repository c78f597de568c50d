"""From what was said to what a model is asked: prompt, state, memory, schema, token limit. Pure.

One system message for each kind of prompt, the same byte for byte whatever the robot does and whatever time it is, and
all kinds beginning alike: the server then keeps what it has computed for it. What changes comes last, in front of the
words. The person's words are data: nothing in them can end the quotation, begin another line or message, or be taken
for a control token of the model.

The texts are `claudiad/data/prompts.toml`; which actions there are comes from the registry.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from claudiad.brain.reading import clean
from claudiad.llm import texts as data
from claudiad.llm.memory import Exchange
from claudiad.llm.model import ChatRequest, Message
from claudiad.llm.request_class import PromptKind, RequestClass
from claudiad.llm.schema import Step, answer_json, answer_schema, offered, step_of
from claudiad.llm.texts import Example, PromptTexts
from claudiad.robot.registry import MOVE, ActionSpec
from claudiad.types import RobotState

MAX_WORDS = 300
"""Characters of the words said, and of a remembered reply."""
TOKENS_PER_CHARACTER = 1.0
"""An upper estimate for Qwen2.5 and Qwen3, which share a vocabulary: 0.70 over what people say to it, 0.65 over its
replies, at most 0.80 over a whole prompt (`python -m training.prompt_tokens`)."""
TOKENS_PER_RARE = 4.0
"""Of a character beyond the basic plane (emoji, rare kanji): one for each byte."""
TOKENS_PER_MESSAGE = 6
"""Role and delimiters of a message in ChatML."""

TOKEN_LIMITS: Mapping[RequestClass, int] = {
    RequestClass.GREETING: 40,
    RequestClass.SIMPLE: 60,
    RequestClass.COMPLEX: 120,
}
"""Most tokens of an answer."""
_SIZE = TOKEN_LIMITS.__getitem__

_CONTROL = frozenset("<>|\"'`\\")
"""Besides brackets and quotation marks: what the control tokens of models (<|im_end|>) and JSON are made of."""
_BRACKETS = frozenset(("Ps", "Pe", "Pi", "Pf"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a prompt is made of."""

    text: str
    """The person's words."""
    kind: PromptKind
    request_class: RequestClass
    state: RobotState
    hour: int | None
    """Local, 0–23; None: not told."""
    latched: bool
    """Nothing moves until an explicit release."""
    turns: tuple[Exchange, ...] = ()
    """Of the conversation so far, oldest first."""


class Prompts:
    """Makes the requests for one robot. Immutable."""

    def __init__(
        self,
        registry: Mapping[str, ActionSpec],
        *,
        allow_high_risk: bool,
        limit: int = 120,
        num_ctx: int = 2048,
        texts: PromptTexts | None = None,
    ) -> None:
        """`limit`: most tokens of any answer; `num_ctx`: tokens of the context, prompt and answer together."""
        self._texts = texts or data.load()
        self._registry = registry
        self._limit, self._num_ctx = limit, num_ctx
        self._offered = {spec.name: spec for spec in offered(registry, allow_high_risk=allow_high_risk)}
        self._able = self._offered.keys() | ({MOVE} & registry.keys())
        self._kinds = {kind: self._kind(kind, greets=False) for kind in PromptKind}
        self._greeting = self._kind(PromptKind.DIALOG, greets=True)
        # The Modelfiles' examples stand in front of whatever is sent.
        self._examples = estimate(self.examples())

    def request(self, asked: Asked) -> ChatRequest:
        """What the model is asked. As much of the conversation as there is room for, the oldest left out first."""
        greets = asked.request_class is RequestClass.GREETING and asked.kind is PromptKind.DIALOG
        system, schema = self._greeting if greets else self._kinds[asked.kind]
        # A greeting while nothing may move, or with a command in it, has more to answer.
        size = TOKEN_LIMITS[asked.request_class if greets else max(asked.request_class, RequestClass.SIMPLE, key=_SIZE)]
        answer = min(self._limit, size)
        last = Message("user", f"（{self._state(asked)}）\n「{plain(asked.text)}」")
        past = [self._exchange(turn) for turn in asked.turns]
        room = self._num_ctx - answer - self._examples - estimate([system, last])
        while past and estimate([m for pair in past for m in pair]) > room:
            past.pop(0)
        return ChatRequest((system, *(m for pair in past for m in pair), last), schema, answer)

    def warm_messages(self, kind: PromptKind, request_class: RequestClass = RequestClass.SIMPLE) -> tuple[Message, ...]:
        """What every request of this kind begins with."""
        greets = request_class is RequestClass.GREETING and kind is PromptKind.DIALOG
        return ((self._greeting if greets else self._kinds[kind])[0],)

    def examples(self) -> tuple[Message, ...]:
        """The examples of the Modelfiles; those with an action that cannot be chosen are left out."""
        found = [(each, self._steps(each)) for each in self._texts.examples]
        pairs = [_pair(each.said, steps, each.reply) for each, steps in found if steps is not None]
        return tuple(message for pair in pairs for message in pair)

    def _kind(self, kind: PromptKind, *, greets: bool) -> tuple[Message, dict[str, object]]:
        texts = self._texts
        names = texts.choices.greeting if greets else texts.choices.dialog
        few = [self._offered[name] for name in names if name in self._offered]
        able = kind in (PromptKind.DIALOG, PromptKind.COMMAND)
        chosen = list(self._offered.values()) if kind is PromptKind.COMMAND else few if able else []
        if greets:
            parts = [texts.base, *(self._row(spec, "") for spec in chosen)]
        else:
            parts = [texts.base, texts.rules, texts.kinds[kind]]
            parts += [self._row(spec, texts.when.get(spec.name, "")) for spec in chosen]
        if kind is PromptKind.TECHNICAL:
            parts.append("、".join(spec.title for spec in self._offered.values()))
        ids = [step for spec in chosen if isinstance(step := step_of(spec), int | str)]
        schema = answer_schema(ids, with_actions=able, move=kind is PromptKind.COMMAND and MOVE in self._registry)
        return Message("system", "\n".join(parts)), schema

    @staticmethod
    def _row(spec: ActionSpec, when: str) -> str:
        return f"{step_of(spec)} {spec.title}" + (f"（{when}）" if when else "")

    def _state(self, asked: Asked) -> str:
        words, state = self._texts.state, asked.state
        parts = [self._texts.posture[state.posture], f"{words.battery}{state.battery}"]
        if asked.hour is not None:
            day = max(hour for hour in self._texts.day if hour <= asked.hour)
            parts.append(f"{self._texts.day[day]}{asked.hour}{words.hour}")
        parts.append(self._doing(state.running))
        return "、".join([*parts, *([words.latched] if asked.latched else [])])

    def _doing(self, running: str | None) -> str:
        words = self._texts.state
        if not running:
            return words.still
        spec = self._registry.get(running.split(" ")[0])
        return spec.title + words.doing if spec else words.moving

    def _exchange(self, turn: Exchange) -> tuple[Message, Message]:
        """A remembered turn; what a model could not have chosen is left out of what it is told it chose."""
        return _pair(turn.said, [step for step in turn.actions if self._may(step)], turn.spoken)

    def _may(self, step: Step) -> bool:
        if isinstance(step, Mapping):
            return step.get("name") in self._able
        return any(step == step_of(spec) for spec in self._offered.values())

    def _steps(self, example: Example) -> tuple[Step, ...] | None:
        """The steps of an example, or None when one of them cannot be chosen."""
        if not self._able.issuperset(example.actions):
            return None
        return tuple(step_of(self._registry[name], example.move) for name in example.actions)


def plain(words: str) -> str:
    """A person's words as data: one line, no brackets, no quotation marks, nothing of a control token; bounded."""
    kept = (" " if c in _CONTROL or unicodedata.category(c) in _BRACKETS else c for c in clean(words))
    return " ".join("".join(kept).split())[:MAX_WORDS].rstrip()


def estimate(messages: Sequence[Message]) -> int:
    """Tokens of messages, rather too many than too few."""
    rare = sum(c > "\uffff" for m in messages for c in m.content)
    characters = sum(len(m.content) for m in messages) - rare
    return round(characters * TOKENS_PER_CHARACTER + rare * TOKENS_PER_RARE + len(messages) * TOKENS_PER_MESSAGE)


def _pair(said: str, steps: Sequence[Step], spoken: str) -> tuple[Message, Message]:
    return Message("user", f"「{plain(said)}」"), Message("assistant", answer_json(steps, plain(spoken)))
