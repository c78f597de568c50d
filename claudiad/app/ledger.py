"""What one turn took, and what it was: the latency ledger, the turn record and its line in the log."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

from claudiad.config import TurnSettings
from claudiad.types import Action, Kind, Refusal, Route

Stage: TypeAlias = Literal[
    "endpoint", "stt", "transcript", "decide", "first_token", "dispatch", "first_audio", "stop", "done"
]
"""`endpoint`: the utterance was committed; `stt`: recognised, before the commit perhaps; `transcript`: both, so that
the words are final; `decide`: the router answered; `first_token`: a language model began to write; `dispatch`: the
first command went to the robot; `first_audio`: the
answer began to sound; `stop`: StopMove was acknowledged; `done`: the turn's last motion and sound ended."""

Outcome: TypeAlias = Literal["pending", "done", "unknown", "stopped", "failed", "skipped"]
"""Of one step. `done`: the robot's state shows it (docs/safety.md, 8); `unknown`: commanded, not confirmed."""

_BEFORE: Final[dict[str, Stage]] = {"stt": "endpoint", "decide": "stt"}


class Ledger:
    """Times of one turn. Zero is the moment the person stopped speaking.

    All times are seconds on one clock (`claudiad.clock.Clock.now`). The first mark of a stage stays: a turn
    has one first command and one first sound, whoever reports them again.
    """

    def __init__(self, speech_end_at: float) -> None:
        self.speech_end_at = speech_end_at
        self._lead_s: float | None = None
        self._wasted_s = 0.0
        self._ends: dict[str, float] = {}
        self._starts: dict[str, float] = {}

    def mark(self, stage: Stage, at: float, *, began: float | None = None) -> None:
        """Note that `stage` ended at clock time `at`.

        `began`: when its work began, for work that did not begin with the end of the stage before
        (recognition ahead of the commit, waiting in a queue). Raises ValueError for an unknown stage or a
        time that is no number.
        """
        if stage not in get_args(Stage):
            raise ValueError(f"no stage is called {stage!r}")
        if not math.isfinite(at) or not (began is None or math.isfinite(began)):
            raise ValueError(f"{stage}: {at}, {began} are no clock times")
        if stage in self._ends:
            return
        self._ends[stage] = at
        self._starts[stage] = self._begin(stage) if began is None else began

    def speculated(self, lead_s: float | None, wasted_s: float) -> None:
        """What working ahead of the commit gave and cost, in seconds.

        `lead_s`: by how much the decision was ready before the commit (negative: after it), None when there was none
        to use; `wasted_s`: recognition whose result was thrown away because more was said.
        """
        self._lead_s, self._wasted_s = lead_s, wasted_s

    def has(self, stage: Stage) -> bool:
        """Whether `stage` was marked."""
        return stage in self._ends

    def since_speech_end_ms(self, at: float) -> float:
        """Milliseconds from the end of speech to clock time `at`."""
        return _ms(at - self.speech_end_at)

    def timings_ms(self) -> dict[str, float]:
        """The contract's `timings_ms` (docs/commands.md), milliseconds.

        `endpoint` from the end of speech to the commit; `stt` and `decide` the work alone; and from the end
        of speech `speech_end_to_transcript`, `_first_token`, `_dispatch`, `_first_audio`, `_stop`, `_done`; and
        `speculation_lead` and `speculation_waste` (see `speculated`). `decide` is always there, the others when they
        happened.
        """
        timings: dict[str, float] = {}
        for stage in ("endpoint", "stt"):
            if stage in self._ends:
                timings[stage] = self._work_ms(stage)
        timings["decide"] = self._work_ms("decide") if "decide" in self._ends else 0.0
        if self._lead_s is not None:
            timings["speculation_lead"] = _ms(self._lead_s)
        if self._wasted_s:
            timings["speculation_waste"] = _ms(self._wasted_s)
        for stage in ("transcript", "first_token", "dispatch", "first_audio", "stop", "done"):
            if stage in self._ends:
                timings[f"speech_end_to_{stage}"] = self.since_speech_end_ms(self._ends[stage])
        return timings

    def _begin(self, stage: str) -> float:
        while stage in _BEFORE:
            stage = _BEFORE[stage]
            if stage in self._ends:
                return self._ends[stage]
        return self.speech_end_at

    def _work_ms(self, stage: str) -> float:
        return max(0.0, _ms(self._ends[stage] - self._starts[stage]))


def _ms(seconds: float) -> float:
    return round(seconds * 1000.0, 3)


@dataclass(frozen=True, slots=True)
class Step:
    """An action of a turn, with what became of it."""

    action: Action
    title: str
    """Japanese, as people call it: 立つ."""
    outcome: Outcome = "pending"


@dataclass(frozen=True, slots=True)
class RefusedStep:
    """An action that was understood and not done."""

    refusal: Refusal
    title: str


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """Everything worth keeping of one turn: what the log line, the journal and the audit log are made from."""

    turn: int
    started: str
    """Wall time of the end of speech, ISO 8601 with zone."""
    transcript: str = ""
    reading: str = ""
    dropped: str | None = None
    """Why nothing was done with it, or None."""
    oov: float = 0.0
    route: Route = "none"
    kind: Kind = "none"
    rule: str = ""
    confidence: float = 0.0
    steps: tuple[Step, ...] = ()
    """In the order executed."""
    refused: tuple[RefusedStep, ...] = ()
    reply: str = ""
    """What was to be said."""
    spoken: str = ""
    """What the speaker got as far as sounding; shorter than `reply` when it was cut off."""
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    """From `Ledger.timings_ms`."""
    truncated: bool = False
    """The utterance was cut at the maximum length."""
    utterances: int = 1
    """More than one when the person went on right behind a command."""
    typed: bool = False
    """It was written (`claudiactl ask`), not heard: the times count from when it came."""
    model: str = ""
    """The language model that answered; "" when none did."""
    tokens_per_s: float | None = None
    """How fast it wrote."""
    hedged: bool = False
    """It was asked beside a slower one."""
    repairs: tuple[str, ...] = ()
    """Kinds of what was repaired or left out of its words before the voice."""
    unanswered: tuple[str, ...] = ()
    """Why models gave no answer."""
    first_token_budget_ms: int | None = None
    """What the request's class allowed."""

    def to_json(self) -> dict[str, Any]:
        """As in the audit log: the contract's field names, plus what the contract does not ask for."""
        return {
            "turn": self.turn,
            "started": self.started,
            "transcript": self.transcript,
            "reading": self.reading,
            "dropped": self.dropped,
            "oov": self.oov,
            "route": self.route,
            "kind": self.kind,
            "rule": self.rule,
            "confidence": self.confidence,
            "actions": [_step_json(step) for step in self.steps],
            "refused": [
                {
                    "name": each.refusal.name,
                    "api_id": each.refusal.api_id,
                    "title": each.title,
                    "reason": each.refusal.reason,
                }
                for each in self.refused
            ],
            "reply": self.reply,
            "spoken": self.spoken,
            "timings_ms": dict(self.timings_ms),
            "truncated": self.truncated,
            "utterances": self.utterances,
            **({"typed": True} if self.typed else {}),
        } | (self._model_json() if self.model or self.unanswered else {})

    def _model_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "tokens_per_s": self.tokens_per_s,
            "hedged": self.hedged,
            "repairs": list(self.repairs),
            "unanswered": list(self.unanswered),
            "first_token_budget_ms": self.first_token_budget_ms,
        }


def canonical_line(turn: TurnRecord, *, log_speech: bool = True) -> str:
    """The one line of a turn (docs/logging.md), readable aloud. Without `log_speech` it holds no spoken word."""
    came = "was typed" if turn.typed else "heard"
    parts = [f"turn {turn.turn} {came} {_heard(turn, log_speech)}", *_what(turn, log_speech)]
    times = ", ".join(_times(turn))
    return " → ".join(parts) + (f" | {times}" if times else "")


def over_budget(turn: TurnRecord, budgets: TurnSettings) -> list[str]:
    """What took longer than its budget (docs/architecture.md), in words, with both figures."""
    times = turn.timings_ms
    first = "stop" if turn.route == "emergency" else "first move"
    allowed = budgets.stop_budget_ms if turn.route == "emergency" else budgets.action_budget_ms
    if turn.model:
        allowed = budgets.turn_budget_ms
    limits = (
        ("first token after speech", times.get("speech_end_to_first_token"), turn.first_token_budget_ms or math.inf),
        (f"{first} after speech", times.get("speech_end_to_dispatch"), allowed),
        ("first sound after speech", times.get("speech_end_to_first_audio"), budgets.turn_budget_ms),
    )
    return [f"{what}: {ms:.0f} ms, budget {limit} ms" for what, ms, limit in limits if ms is not None and ms > limit]


def _heard(turn: TurnRecord, log_speech: bool) -> str:
    cut = " (cut at the limit)" if turn.truncated else ""
    if not turn.transcript:
        return f"nothing{cut}"
    return (f"「{_clean(turn.transcript)}」" if log_speech else "speech") + cut


def _what(turn: TurnRecord, log_speech: bool) -> list[str]:
    if turn.dropped is not None:
        return [f"dropped: {turn.dropped}"]
    done = [_step_text(step) for step in turn.steps]
    done += [f"refused {each.title} ({_clean(each.refusal.reason)})" for each in turn.refused]
    if done:
        return [turn.route, ", ".join(done)]
    if turn.reply:
        return [turn.route, f"answered 「{_clean(turn.reply)}」" if log_speech else "answered"]
    return [turn.route, "nothing to do"]


def _step_text(step: Step) -> str:
    added = " (added)" if step.action.inserted else ""
    return step.title + added + ("" if step.outcome in {"done", "pending"} else f" ({step.outcome})")


def _times(turn: TurnRecord) -> list[str]:
    times = turn.timings_ms
    parts = [f"stt {_short(times['stt'])}"] if "stt" in times else []
    if turn.dropped is None and "decide" in times:
        parts.append(f"decide {_short(times['decide'])}")
    if "speech_end_to_first_token" in times:
        parts.append(f"{turn.model} first token {_short(times['speech_end_to_first_token'])} after speech")
    if "speech_end_to_stop" in times:
        parts.append(f"stopped {_short(times['speech_end_to_stop'])} after speech")
    elif "speech_end_to_dispatch" in times:
        parts.append(f"first move {_short(times['speech_end_to_dispatch'])} after speech")
    elif "speech_end_to_first_audio" in times:
        parts.append(f"first sound {_short(times['speech_end_to_first_audio'])} after speech")
    return parts


def _short(ms: float) -> str:
    return f"{ms:.1f} ms" if abs(ms) < 9.95 else f"{ms:.0f} ms"


def _clean(text: str) -> str:
    """One line without control characters: what a model wrote must not steer a terminal."""
    return "".join(" " if unicodedata.category(char) in _UNSAFE else char for char in text).strip()


# Cf holds the marks that reorder text; Zl and Zp break lines.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def _step_json(step: Step) -> dict[str, Any]:
    action = step.action
    result: dict[str, Any] = {"name": action.name, "api_id": action.api_id, "params": dict(action.params)}
    if action.inserted:
        result["inserted"] = True
    return result | {"title": step.title, "outcome": step.outcome}
