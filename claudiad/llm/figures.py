"""Running figures of each language model, and what follows from them: who is asked first, and how long to wait. Pure
but for `load`.

A plain window of the last `WINDOW` calls: its percentiles mean what they say, where those of fading weights would not,
and it forgets by use, not by time. Who is asked first is decided on the last `RECENT` calls alone, so that a model
that has become slow or has recovered is treated so after half of these.

A call that was cancelled before its first token, because another model was quicker or the person went on, is no
failure: its first token would have taken *at least* as long as was waited. The percentiles are those of the
Kaplan-Meier estimate, which knows such observations; when the longest one is of that kind, it counts as if the token
had come then, so that a model that never answers is as slow as the longest wait for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from claudiad.errors import ModelFault
from claudiad.llm.degradation import Degradations, Kept
from claudiad.llm.state_file import read_bounded

WINDOW = 50
"""Calls of one model that are kept."""
RECENT = 9
"""Calls on which is decided who is asked first. Of a model that stalls in every fifth call, 5 of 9 are slow in 2 %."""
ENOUGH = 3
"""Fewer observations decide nothing."""
PATIENCE = 1.5
"""A first token is late at this many times the 90th percentile."""
MIN_DEADLINE_MS = 150.0
"""No deadline is shorter unless the budget is: a model of 20 ms on average is not late at 30."""
TRIAL_CALLS = 5
"""A model that is not waited for is asked first once after this many calls of others …"""
TRIAL_S = 120.0
"""… or this many seconds after its last call."""
MAX_MODELS = 16

CallFault = ModelFault | Literal["late", "cancelled"]
"""`late`: given up without a first token, which is a failure; `cancelled`: nobody wanted it any more, which is none."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a model, when it was over."""

    model: str
    at: float
    """Wall clock, seconds since the epoch."""
    first_token_ms: float | None
    """From asking; None: there was none."""
    total_ms: float
    """From asking to the end, whatever end."""
    fault: CallFault | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A model in the order of asking."""

    model: str
    deadline_ms: float
    """After this long without a first token the next one is asked as well; 0: at once."""


Ms = Annotated[float, Field(ge=0)]


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    version: Literal[2] = 2
    calls: list[tuple[str, float, Ms | None, Ms, CallFault | None]]
    """As `Call`, of each model in their order."""
    speeds: dict[str, Kept]


class Figures:
    """Of all models, `MAX_MODELS` at most; of more, the one called longest ago is forgotten."""

    def __init__(self) -> None:
        self._calls: dict[str, deque[Call]] = {}
        self._since: dict[str, int] = {}
        """Calls of other models since the last one of this."""

    def observe(self, call: Call) -> None:
        """Count a call that is over."""
        calls = self._calls.pop(call.model, None) or deque(maxlen=WINDOW)
        calls.append(call)
        self._calls[call.model] = calls
        self._since = {model: self._since.get(model, 0) + 1 for model in self._calls}
        self._since[call.model] = 0
        while len(self._calls) > MAX_MODELS:
            del self._calls[next(iter(self._calls))]

    def order(
        self, models: Iterable[str], budget_ms: float, now: float, beside: Callable[[str], bool] = lambda _model: False
    ) -> tuple[Ranked, ...]:
        """Who is asked first for a first token within `budget_ms`, and how long each is waited for.

        The order given stands. The deadline is `PATIENCE` times the 90th percentile of the first tokens a model gave,
        or what the next one that can be asked beside it (`beside`) leaves of the budget, if that is less (one nobody
        knows is taken to be as slow as this one); but no model is late within its own 90th percentile, and none is
        waited for beyond the budget.
        A model whose median first token is beyond the budget, or that failed in more than half of its last calls, goes
        behind the others and is not waited for. Now and then it has its old place back, still without being waited
        for: the next one is asked beside it, so a trial costs nobody time, and a model that has recovered returns.
        `now`: wall clock, seconds.
        """
        fit: list[Ranked] = []
        unfit: list[Ranked] = []
        trial = False
        names = tuple(models)
        for model in names:
            if self._fit(model, budget_ms):
                others = [other for other in names if other != model and beside(other) and self._fit(other, budget_ms)]
                fit.append(Ranked(model, self._deadline(model, others[:1], budget_ms)))
            elif not trial and self._due(model, now):
                trial = True
                fit.append(Ranked(model, 0.0))
            else:
                unfit.append(Ranked(model, 0.0))
        return (*fit, *unfit)

    def load(self, path: Path, degradations: Degradations | None = None) -> str | None:
        """Go on where an earlier run ended; what is wrong with the file, which is then left out of account, or None."""
        try:
            data = read_bounded(path)
            if data is None:
                return None
            file = _File.model_validate_json(data)
        except ValidationError as fault:
            first = fault.errors(include_url=False, include_input=False)[0]
            return f"{path}: {'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}"
        except OSError as fault:
            return str(fault)
        for row in file.calls:
            self.observe(Call(*row))
        self._since = {}
        if degradations is not None:
            degradations.from_json(file.speeds)
        return None

    def to_json(self, degradations: Degradations | None = None) -> str:
        """What is to survive a restart, as `load` reads it."""
        rows = [astuple(call) for calls in self._calls.values() for call in calls]
        speeds = degradations.to_json() if degradations is not None else {}
        return _File(calls=rows, speeds=speeds).model_dump_json()

    def _fit(self, model: str, budget_ms: float) -> bool:
        calls = list(self._calls.get(model, ()))[-RECENT:]
        if len(_judged(calls)) >= ENOUGH and _failure_rate(calls) > 0.5:
            return False
        middle = _quantile(calls, 0.5) if len(_waits(calls)) >= ENOUGH else None
        return middle is None or middle <= budget_ms

    def _deadline(self, model: str, beside: Sequence[str], budget_ms: float) -> float:
        usual = self._usual(model)
        if usual is None:
            return max(0.0, budget_ms)
        late = usual * PATIENCE
        for other in beside:
            late = min(late, max(usual, budget_ms - (self._usual(other) or usual)))
        return max(0.0, min(budget_ms, max(MIN_DEADLINE_MS, late)))

    def _usual(self, model: str) -> float | None:
        """The 90th percentile of the first tokens that came, ms: a stall says nothing about when they do."""
        came = [call for call in self._calls.get(model, ()) if call.first_token_ms is not None]
        return _quantile(came, 0.9) if len(came) >= ENOUGH else None

    def _due(self, model: str, now: float) -> bool:
        return self._since.get(model, 0) >= TRIAL_CALLS or now - self._calls[model][-1].at >= TRIAL_S


def _waits(calls: Iterable[Call]) -> list[tuple[float, bool]]:
    """How long a first token took in ms, and True; or how long it was waited for in vain, and False."""
    return [
        (call.total_ms if call.first_token_ms is None else call.first_token_ms, call.first_token_ms is not None)
        for call in calls
        if call.first_token_ms is not None or call.fault in ("late", "cancelled")
    ]


def _quantile(calls: Iterable[Call], share: float) -> float | None:
    """The time within which this share of first tokens comes, ms."""
    # At the same time, those that came before those given up: these were still waited for.
    waits = sorted(_waits(calls), key=lambda wait: (wait[0], not wait[1]))
    open_share = 1.0
    for left, (ms, came) in zip(range(len(waits), 0, -1), waits, strict=True):
        if came:
            open_share *= 1.0 - 1.0 / left
        if open_share <= 1.0 - share + 1e-9 or left == 1:
            return ms
    return None


def _judged(calls: Iterable[Call]) -> list[Call]:
    """The calls that say whether a model answers."""
    return [call for call in calls if call.fault != "cancelled" or call.first_token_ms is not None]


def _failure_rate(calls: Iterable[Call]) -> float:
    """0 to 1, of the calls that say whether a model answers."""
    judged = _judged(calls)
    return sum(call.fault not in (None, "cancelled") for call in judged) / max(1, len(judged))
