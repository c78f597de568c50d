"""Thinks about what no table understood: asks the models, and hands on what they answer while they write it.

What comes out is a stream of thoughts: a filler when it takes long, actions as soon as they are to be believed, clean
clauses, and always, exactly once and last, a conclusion. It never ends in silence: the last link is the heuristic
answer, which needs no model. Nothing here moves or sounds; whoever reads the thoughts does that, and closing them ends
the generation on the server.

What a model proposes leaves at once at a confidence of `NOW`, with the whole answer at `LATER`; below that the person
is asked back, or, where the words forbid or name something else, nothing of it is done (`claudiad.llm.confidence`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from claudiad.brain import wording
from claudiad.brain.emergency import StopFinder
from claudiad.brain.proposal import Proposal
from claudiad.clock import Clock
from claudiad.config import Settings
from claudiad.llm.answer import ActionsClosed, Answer, AnswerReader, ReplyText
from claudiad.llm.budget import Budget
from claudiad.llm.clause_stream import ClauseStream
from claudiad.llm.confidence import CONTRARY, LATER, NOW, Evidence, agreement, certainty
from claudiad.llm.model import ChatModel, ChatRequest, Done, Piece
from claudiad.llm.race import Late, NoAnswer, Race, Runner, Won
from claudiad.llm.request_class import PromptKind, RequestClass
from claudiad.llm.speakable import Speakable, speakable
from claudiad.purity.filter import is_quick
from claudiad.robot.registry import MOVE, ActionSpec
from claudiad.types import Action, Decision, Kind, Route

log = logging.getLogger(__name__)

IN_JAPANESE = "\n（日本語だけで、もう一度答えてください。）"
"""What a model is told when it is asked again because of its language."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be thought about."""

    text: str
    request: ChatRequest
    kind: PromptKind
    request_class: RequestClass
    zero_at: float
    """Clock time at which the person stopped speaking."""
    heuristic: Decision
    """The answer that needs no model."""


@dataclass(frozen=True, slots=True)
class Filler:
    """It takes longer than it should: say something short."""


@dataclass(frozen=True, slots=True)
class Act:
    """Do this; safety is still to be asked."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Say:
    """One clean clause of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Account:
    """How an answer came about: for the ledger, the log and `--json`."""

    model: str = ""
    first_token_at: float | None = None
    """Clock time."""
    first_token_budget_ms: int | None = None
    tokens_per_s: float | None = None
    hedged: bool = False
    repairs: tuple[str, ...] = ()
    """Kinds of what was repaired or left out before the voice, in order."""
    reasons: tuple[str, ...] = ()
    """Why models did not answer."""


@dataclass(frozen=True, slots=True)
class Concluded:
    """The end: what all of it came to. Its reply has been said, clause by clause."""

    decision: Decision
    account: Account


Thought = Filler | Act | Say | Concluded


@dataclass(slots=True)
class _Draft:
    """One model's answer while it is written."""

    reader: AnswerReader
    clauses: ClauseStream = field(default_factory=ClauseStream)
    model: ChatModel | None = None
    first_token_at: float | None = None
    hedged: bool = False
    agreement: float = 0.0
    """Of the actions with the words; 0 as long as the actions are not known."""
    streamed: int = 0
    """Characters of the reply that were known before its end."""
    held: list[str] = field(default_factory=list)
    """Clauses that wait for the whole answer."""
    logprobs: list[float] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    left_out: bool = False
    done: Done | None = None
    answer: Answer | None = None
    confidence: float = 0.0

    @property
    def believed(self) -> bool:
        """What it says may leave while it is written."""
        return self.agreement >= NOW


class _Unclean(Exception):
    """The first clause of an answer cannot be said."""


class Thinker:
    """Everything a question needs; one for the life of the program."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        race: Race,
        runners: Callable[[Budget], Sequence[Runner]],
        cloud: ChatModel | None,
        registry: Mapping[str, ActionSpec],
        actions: Mapping[str, int],
        evidence: Evidence,
        stops: StopFinder,
        answered: Callable[[str, Done], None] = lambda _model, _done: None,
    ) -> None:
        """Args: `runners` gives the models to ask within a budget, in order, the cloud last; `actions` what a model may
        choose, with ids; `answered` is told of every complete answer.
        """
        self.settings = settings
        self.clock = clock
        self.race = race
        self.runners = runners
        self.cloud = cloud
        self.registry = registry
        self.actions = actions
        self.evidence = evidence
        self.stops = stops
        self.answered = answered

    def begin(self, question: Question) -> Thinking:
        """Begin to think; nothing has an effect until the thoughts are read."""
        return Thinking(self, question)


class Thinking:
    """One question being thought about, in a task of its own."""

    def __init__(self, thinker: Thinker, question: Question) -> None:
        self.question = question
        self._t = thinker
        self._budget = Budget.of(question.request_class, thinker.settings.turn, question.zero_at)
        self._out: asyncio.Queue[Thought] = asyncio.Queue()
        self._said: list[str] = []
        self._acted: tuple[Action, ...] = ()
        self._reasons: list[str] = []
        self._asked_again = False
        self._task = asyncio.create_task(self._run(), name="think")

    async def thoughts(self) -> AsyncGenerator[Thought, None]:
        """All thoughts, the conclusion last. Leaving it early ends the thinking."""
        try:
            while True:
                thought = await self._out.get()
                yield thought
                if isinstance(thought, Concluded):
                    return
        finally:
            await self.close()

    async def close(self) -> None:
        """End it, on the server too."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def _gone_out(self) -> bool:
        return bool(self._said or self._acted)

    @property
    def _too_late(self) -> bool:
        """Nobody would be waited for any more."""
        return self._t.clock.now() >= self._budget.give_up_at

    async def _run(self) -> None:
        try:
            await self._think()
        except Exception:
            log.exception("thinking failed; answering without a model")
            self._conclude_without()

    async def _think(self) -> None:
        t, request = self._t, self.question.request
        runners = list(t.runners(self._budget))
        unsure: _Draft | None = None
        while runners:
            draft = _Draft(AnswerReader(t.actions))
            try:
                await self._ask(request, runners, draft)
            except NoAnswer as none:
                self._reasons += none.reasons
                if self._gone_out:
                    self._conclude(draft)
                    return
                runners = [r for r in runners if none.broke_off is not None and r.model is not none.broke_off]
                if self._too_late:
                    break
                continue
            except _Unclean:
                self._asked_again = True
                last = request.messages[-1]
                again = replace(last, content=last.content + IN_JAPANESE)
                request = replace(request, messages=(*request.messages[:-1], again))
                continue
            beyond = [r for r in runners if r.model is t.cloud and draft.model is not t.cloud]
            if draft.confidence < NOW and beyond and not self._gone_out and not self._too_late:
                unsure, runners = draft, beyond
                self._reasons.append(f"{_name(draft)}: unsure ({draft.confidence:.2f})")
                continue
            self._conclude(draft)
            return
        if unsure is not None:
            self._conclude(unsure)
        else:
            self._conclude_without()

    async def _ask(self, request: ChatRequest, runners: Sequence[Runner], draft: _Draft) -> None:
        """One race, with what may leave while the winner writes. Raises `NoAnswer`, `_Unclean`."""
        async with aclosing(self._t.race.run(request, runners, self._budget)) as events:
            async for event in events:
                match event:
                    case Late(hedged):
                        if not self._gone_out and (not hedged or self.question.request_class is RequestClass.COMPLEX):
                            self._out.put_nowait(Filler())
                    case Won(model, at, hedged):
                        draft.model, draft.first_token_at, draft.hedged = model, at, hedged
                    case Piece(text, logprob):
                        if logprob is not None:
                            draft.logprobs.append(logprob)
                        await self._read(text, draft)
                    case Done():
                        draft.done = event
                        await self._finish(draft)

    async def _read(self, text: str, draft: _Draft) -> None:
        for event in draft.reader.feed(text):
            match event:
                case ActionsClosed(proposal):
                    await self._choose(proposal, draft)
                case ReplyText(more):
                    draft.streamed += len(more)
                    for clause in draft.clauses.push(more):
                        await self._clause(clause, draft)

    async def _choose(self, proposal: Proposal, draft: _Draft) -> None:
        """What it wants to do is known, before it has said a word."""
        draft.agreement = self._agreement(proposal)
        if draft.believed and proposal.actions:
            self._act(proposal.actions)
        if draft.believed:  # the older form: words first
            held, draft.held = draft.held, []
            for clause in held:
                await self._clause(clause, draft)

    def _agreement(self, proposal: Proposal) -> float:
        if not proposal.valid or proposal.unknown:
            return 0.0
        t, q = self._t, self.question
        asked = q.kind is PromptKind.COMMAND
        return agreement(q.text, proposal.actions, t.evidence, t.registry, asked=asked)

    async def _clause(self, clause: str, draft: _Draft) -> None:
        if not draft.believed:
            draft.held.append(clause)
            return
        clean = await self._speakable(clause)
        draft.repairs += clean.repairs
        draft.left_out |= clean.left_out
        if clean.text:
            self._say(clean.text)
        elif not self._gone_out and not self._asked_again and not self._too_late:
            raise _Unclean

    async def _finish(self, draft: _Draft) -> None:
        """The answer is complete."""
        answer = draft.answer = draft.reader.finish()
        if draft.done is not None and draft.model is not None:
            self._t.answered(draft.model.name, draft.done)
        rest = answer.reply[draft.streamed :]  # what came behind other text is only known now
        for clause in (*draft.clauses.push(rest), *draft.clauses.flush()):
            await self._clause(clause, draft)
        if not draft.believed:
            draft.held = await self._cleaned(draft)
        draft.confidence = self._confidence(answer, draft)

    async def _speakable(self, clause: str) -> Speakable:
        """In another thread where it may take long: an unknown Latin word costs milliseconds, the first one a model."""
        if is_quick(clause):
            return speakable(clause, self._t.stops)
        return await asyncio.to_thread(speakable, clause, self._t.stops)

    async def _cleaned(self, draft: _Draft) -> list[str]:
        """What waited for the whole answer, as it can be said."""
        clean = [await self._speakable(clause) for clause in draft.held]
        draft.repairs += [kind for each in clean for kind in each.repairs]
        draft.left_out |= any(each.left_out for each in clean)
        return [each.text for each in clean if each.text]

    def _confidence(self, answer: Answer, draft: _Draft) -> float:
        if answer.form == "none" or not (answer.proposal.valid or answer.form == "text"):
            return 0.0
        bare = answer.form == "text"
        agreed = draft.agreement or self._agreement(replace(answer.proposal, valid=True))
        purity = 0.6 if draft.left_out else 0.95 if draft.repairs else 1.0
        complete = answer.complete and (draft.done is None or draft.done.reason != "length")
        return agreed * (0.9 if bare else 1.0) * purity * (1.0 if complete else 0.7) * certainty(draft.logprobs)

    def _conclude(self, draft: _Draft) -> None:
        """Say and do what is left of a draft, and close."""
        if draft.answer is None:  # it broke off, with something said or done
            draft.confidence = min(draft.agreement, LATER)
        proposed = draft.answer.proposal.actions if draft.answer is not None else self._acted
        question: tuple[Action, ...] = ()
        if not draft.believed:
            if draft.confidence < LATER and proposed and draft.agreement > CONTRARY:
                question = proposed
            elif draft.confidence < LATER:
                self._conclude_without(draft)
                return
            if proposed and not question:
                self._act(proposed)
            for clause in () if question else draft.held:
                self._say(clause)
        if question:
            self._say(_ask_back(question, self._t.registry))
        elif not self._said:
            if not self._acted:
                self._conclude_without(draft)
                return
            self._say(canned(self._acted, self._t.registry))
        kind: Kind = "dialog" if not self._acted else _WITH[self.question.kind is PromptKind.COMMAND]
        route: Route = "cloud" if draft.model is self._t.cloud and draft.model is not None else "llm"
        decision = Decision(
            self.question.text,
            route,
            kind,
            self._acted,
            "".join(self._said),
            round(draft.confidence, 3),
            f"{_name(draft)}, {self.question.kind.value}",
            asked=question,
        )
        self._close(decision, draft)

    def _conclude_without(self, draft: _Draft | None = None) -> None:
        """The answer that needs no model; what was said or done before stays."""
        heuristic = self.question.heuristic
        if not self._said:
            self._say(canned(self._acted, self._t.registry) if self._acted else heuristic.reply)
        reasons = "; ".join(self._reasons) or "no usable answer"
        decision = replace(
            heuristic, actions=self._acted, reply="".join(self._said), rule=f"{heuristic.rule}; {reasons}"
        )
        if self._acted:
            decision = replace(decision, kind="dialog_with_action", route="llm")
        self._close(decision, draft)

    def _close(self, decision: Decision, draft: _Draft | None) -> None:
        d = draft or _Draft(AnswerReader({}))
        speed = d.done.tokens_per_s if d.done is not None else None
        account = Account(
            _name(d) if d.model is not None else "",
            d.first_token_at,
            round(self._budget.first_token_s * 1000.0),
            speed,
            d.hedged,
            tuple(d.repairs),
            tuple(self._reasons),
        )
        self._out.put_nowait(Concluded(decision, account))

    def _act(self, actions: tuple[Action, ...]) -> None:
        self._acted = actions
        self._out.put_nowait(Act(actions))

    def _say(self, text: str) -> None:
        self._said.append(text)
        self._out.put_nowait(Say(text))


def canned(actions: Sequence[Action], registry: Mapping[str, ActionSpec]) -> str:
    """The registry's own reply to what is done."""
    if len(actions) > 1:
        return wording.IN_ORDER
    (action,) = actions
    if action.name == MOVE:
        return wording.moving(action) if len(action.params) == 1 else "はい。"
    spec = registry.get(action.name)
    return spec.reply if spec is not None else "はい。"


def _ask_back(actions: Sequence[Action], registry: Mapping[str, ActionSpec]) -> str:
    titles = [registry[a.name].title if a.name in registry else a.name for a in actions]
    return "、".join(titles) + "、で合っていますか？"


def _name(draft: _Draft) -> str:
    return draft.model.name if draft.model is not None else "no model"


_WITH: dict[bool, Kind] = {True: "action", False: "dialog_with_action"}
