"""One model with its prompts in a comparison: loaded, asked every case, its speed taken before and after.

Entrants go one after the other, each through all cases: taking turns would drive them out of the server's memory where
there is no room for both, and out of its prefix cache everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from claudiad.clock import Clock
from claudiad.config import TurnSettings
from claudiad.errors import DataError, ModelError
from claudiad.llm import checks, texts
from claudiad.llm.budget import Budget
from claudiad.llm.cases import Case
from claudiad.llm.checks import HOUR, STANDING, Tell
from claudiad.llm.comparison import Attempt, Result, Speeds, judge
from claudiad.llm.measured import Measured, measure
from claudiad.llm.model import ChatRequest
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.prompts import Asked, Prompts
from claudiad.llm.request_class import PromptKind, RequestClass, choose_kind, classify
from claudiad.llm.texts import PromptTexts
from claudiad.robot.registry import ActionSpec

SPEED_TEXT = "量子力学について教えて"
"""Asked before and after: its answer is long enough to tell a speed."""
SPEED_OF = 3
"""Answers whose median is the speed."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """Who is compared."""

    label: str
    model: str
    texts: PromptTexts | None
    """None: the program's own."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for all."""

    cases: Sequence[Case]
    repeat: int
    warm: bool
    """Every kind of prompt is read once before it is measured."""
    deadline_s: float
    """Longest wait for one answer."""


def parse_entrant(label: str) -> Entrant:
    """`model`, or `model@prompts.toml` in the form of `claudiad/data/prompts.toml`. Raises DataError for the file."""
    model, at, file = label.rpartition("@")
    if not (at and model and file.endswith(".toml")):
        return Entrant(label, label, None)
    try:
        written = Path(file).read_text(encoding="utf-8")
    except OSError as fault:
        raise DataError(f"{file}:0: cannot be read: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise DataError(f"{file}:0: is not UTF-8") from fault
    return Entrant(label, model, texts.parse(written, file))


class Trial:
    """One entrant on one server."""

    def __init__(
        self,
        entrant: Entrant,
        server: OllamaServer,
        clock: Clock,
        *,
        prompts: Prompts,
        turn: TurnSettings,
        actions: Mapping[str, int],
        registry: Mapping[str, ActionSpec],
    ) -> None:
        """Args: `prompts` those of the entrant; `actions` what a model may choose, with ids."""
        self._entrant = entrant
        self._server = server
        self._clock = clock
        self._prompts = prompts
        self._turn = turn
        self._actions = actions
        self._registry = registry
        self._model = server.model(entrant.model)

    async def run(self, rules: Rules, step: Callable[[], None], tell: Tell) -> Result:
        """All cases, as often as asked for; `step` is told of each. A model that fails is a result, no error."""
        label, name = self._entrant.label, self._entrant.model
        try:
            load_s = await self._load(rules, tell)
            here = (await checks.look(self._server, self._clock)).loaded_as(name)
        except ModelError as fault:
            nothing = Measured("", None, 0.0, None, str(fault))
            failed = [self._judged(case, nothing, step) for case in rules.cases for _ in range(rules.repeat)]
            return Result(label, name, 0.0, None, tuple(failed), Speeds(None, None))
        before = await self._speed(rules)
        attempts = []
        for _ in range(rules.repeat):
            for case in rules.cases:
                got = await measure(self._model, self._request(case.text, case.kind), self._clock, rules.deadline_s)
                attempts.append(self._judged(case, got, step))
        speeds = Speeds(before, await self._speed(rules))
        return Result(label, name, load_s, here.gpu_share if here else None, tuple(attempts), speeds)

    async def _load(self, rules: Rules, tell: Tell) -> float:
        """Loading is no part of a first token, with or without `warm`. Raises `ModelError`."""
        name = self._entrant.model
        load_s = await checks.load(self._server, name, self._clock, tell)
        if rules.warm:
            for kind in PromptKind:
                await checks.load(self._server, name, self._clock, tell, self._prompts.warm_messages(kind))
            greeting = self._prompts.warm_messages(PromptKind.DIALOG, RequestClass.GREETING)
            await checks.load(self._server, name, self._clock, tell, greeting)
        return load_s

    async def _speed(self, rules: Rules) -> float | None:
        """Tokens per second, of the answers that were long enough to tell."""
        request = self._request(SPEED_TEXT, None)
        got = [await measure(self._model, request, self._clock, rules.deadline_s) for _ in range(SPEED_OF)]
        speeds = [speed for each in got if each.done is not None and (speed := each.done.tokens_per_s) is not None]
        return median(speeds) if speeds else None

    def _request(self, text: str, kind: PromptKind | None) -> ChatRequest:
        """As a turn asks it, of a robot that stands, without anything said before."""
        kind = kind or choose_kind(text, STANDING, after_stop=False)
        return self._prompts.request(Asked(text, kind, classify(text), STANDING, HOUR, latched=False))

    def _judged(self, case: Case, got: Measured, step: Callable[[], None]) -> Attempt:
        budget = Budget.of(classify(case.text), self._turn, 0.0)
        step()
        return judge(case, got, self._actions, self._registry, budget.first_token_s * 1000.0)
