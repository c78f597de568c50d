"""A model going through the cases, against the scripted server in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from claudiad.app.language_models import choosable
from claudiad.clock import JumpClock
from claudiad.config import TurnSettings
from claudiad.errors import DataError
from claudiad.llm.cases import Case
from claudiad.llm.comparison import Result
from claudiad.llm.entrant import SPEED_OF, Entrant, Rules, Trial, parse_entrant
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.prompts import Prompts
from claudiad.llm.request_class import PromptKind
from claudiad.robot import registry
from tests.fakes.ollama import FakeOllama, Fault, OllamaTransport, ScriptedModel

REGISTRY = registry.load()
SHIPPED = Path(__file__).parents[2] / "claudiad" / "data" / "prompts.toml"
CASES = (
    Case(1, "立ってそして挨拶して", (("StandUp", "Hello"),), None),
    Case(2, "可愛い動作して", (("*",),), None),
    Case(3, "疲れた", ((),), None),
    Case(4, "びっくりした", ((),), PromptKind.EMERGENCY),
)
GOOD = {
    "立ってそして": '{"a":[1004,1016],"r":"立ちます。それから挨拶しますね。"}',
    "可愛い": '{"a":[1036],"r":"ハートを作りますね。"}',
    "": '{"a":[],"r":"少し休んでくださいね。今日も一日お疲れさまでした。"}',
}
CHINESE = {"立ってそして": '{"a":[1004,1016],"r":"立ちます然后は挨拶します"}', "": GOOD[""], "可愛い": GOOD["可愛い"]}
INVENTIVE = {"可愛い": '{"a":[1018],"r":"はい、やってみますね。"}', "": GOOD[""], "立ってそして": GOOD["立ってそして"]}
CHATTY = {"": "わかりました。では、何をしましょうか。"}


@dataclass
class Place:
    """A server in virtual time."""

    clock: JumpClock
    core: FakeOllama
    front: OllamaTransport
    server: OllamaServer
    steps: int = 0
    told: list[str] = field(default_factory=list)

    async def run(
        self,
        name: str = "m:3b",
        *,
        repeat: int = 1,
        warm: bool = False,
        at_step: Callable[[int], None] = lambda _: None,
    ) -> Result:
        def step() -> None:
            self.steps += 1
            at_step(self.steps)

        trial = Trial(
            Entrant(name, name, None),
            self.server,
            self.clock,
            prompts=Prompts(REGISTRY, allow_high_risk=False),
            turn=TurnSettings(),
            actions=choosable(REGISTRY, allow_high_risk=False),
            registry=REGISTRY,
        )
        return await trial.run(Rules(CASES, repeat, warm, 30.0), step, self.told.append)

    def asked(self) -> list[str]:
        """What a person said in each request, in order."""
        chats = [each.fields["messages"] for each in self.core.requests if each.path == "/api/chat"]
        return [messages[-1]["content"].split("「")[-1].rstrip("」") for messages in chats if messages]


@asynccontextmanager
async def place(answers: dict[str, str] | None = None, **model: float) -> AsyncIterator[Place]:
    clock = JumpClock()
    core = FakeOllama(clock, [ScriptedModel("m:3b", answers=answers or GOOD, **model)])  # type: ignore[arg-type]
    front = OllamaTransport(core)
    server = OllamaServer(front.url, transport=front)
    yield Place(clock, core, front, server)
    await server.close()
    assert core.running == []
    assert not front.open


async def test_a_good_model_has_full_marks() -> None:
    """Every case asked as a turn asks it, with times and speeds."""
    async with place(first_token_s=0.2, tokens_per_s=40, gpu_share=0.5, load_s=5.0) as at:
        result = await at.run()
        scores = result.scores
        assert [each.fault for each in result.attempts] == [""] * 4
        assert (scores.quality, scores.accuracy, scores.sequence_accuracy, scores.purity) == (100.0, 1.0, 1.0, 1.0)
        assert scores.first_token_p50_ms == pytest.approx(200)
        assert scores.tokens_per_s == pytest.approx(40)
        assert (result.speeds.before, result.speeds.after) == (pytest.approx(40), pytest.approx(40))
        assert (result.gpu_share, result.load_s, at.steps) == (0.5, pytest.approx(5.0), 4)
        assert at.told == ["m:3b: being loaded, 2 s so far"]


async def test_the_cases_stand_between_two_measurements_of_speed() -> None:
    """Of the same request, in the same order each time it is repeated."""
    async with place() as at:
        await at.run(repeat=2)
        said = at.asked()
        assert len(set(said[:SPEED_OF] + said[-SPEED_OF:])) == 1
        assert said[SPEED_OF:-SPEED_OF] == [case.text for case in CASES] * 2


async def test_a_case_may_have_the_prompt_it_names() -> None:
    """びっくりした is talk, unless it is said after a stop."""
    async with place() as at:
        await at.run()
        chats = [each.fields["messages"] for each in at.core.requests if each.path == "/api/chat"]
        (surprised,) = [messages for messages in chats if messages and "びっくり" in messages[-1]["content"]]
        prompts = Prompts(REGISTRY, allow_high_risk=False)
        assert surprised[0]["content"] == prompts.warm_messages(PromptKind.EMERGENCY)[0].content


async def test_a_model_that_writes_chinese_is_right_and_not_pure() -> None:
    """One of four."""
    async with place(CHINESE) as at:
        scores = (await at.run()).scores
        assert (scores.accuracy, scores.json_validity, scores.purity) == (1.0, 1.0, 0.75)
        assert scores.quality == pytest.approx(95)


async def test_a_model_that_invents_ids_is_counted() -> None:
    """What it says is not done, so it is not right."""
    async with place(INVENTIVE) as at:
        scores = (await at.run()).scores
        assert (scores.accuracy, scores.json_validity, scores.invented) == (0.75, 1.0, 1)


async def test_a_model_that_does_not_write_json_is_not_valid() -> None:
    """Also where its sentence could be spoken."""
    async with place() as at:
        at.core.inject(Fault.NO_JSON, times=None)
        scores = (await at.run()).scores
        assert (scores.accuracy, scores.json_validity, scores.purity, scores.failed) == (0.0, 0.0, 1.0, 0)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.CUT_IN_THE_MIDDLE, "the connection broke within the answer"),
        (Fault.EOF_WITHOUT_DONE, "the answer ended before it was done"),
        (Fault.STATUS_500, "the server failed"),
        (Fault.STALL_IN_THE_MIDDLE, "not done in 30 s"),
        (Fault.STALL_AT_START, "no first token in 30 s"),
    ],
)
async def test_a_case_that_breaks_off_is_reported_and_the_next_one_asked(fault: Fault, reason: str) -> None:
    """Nothing is fatal, and nothing is waited for without end."""
    async with place() as at:
        result = await at.run(at_step=lambda step: at.core.inject(fault) if step == 1 else None)
        assert [bool(each.fault) for each in result.attempts] == [False, True, False, False]
        assert reason in result.attempts[1].fault
        assert result.scores.failed == 1
        assert not result.attempts[1].right


async def test_a_slow_model_is_not_in_time() -> None:
    """Against the budget of each request's class: the sequence is complex and has two seconds."""
    async with place(first_token_s=1.5, tokens_per_s=5) as at:
        result = await at.run()
        assert [each.in_time for each in result.attempts] == [True, False, False, False]
        assert result.scores.accuracy == 1.0


async def test_a_model_that_is_not_there_fails_every_case_without_being_asked() -> None:
    """Its report stands beside the others'."""
    async with place() as at:
        result = await at.run("none:1b", repeat=2)
        assert [each.fault for each in result.attempts] == [
            f"none:1b on {at.server.address}: not installed: `ollama pull none:1b`"
        ] * 8
        assert (result.scores.quality, result.speeds.before, at.steps, at.asked()) == (0.0, None, 8, [])


async def test_a_model_that_becomes_slow_is_noticed() -> None:
    """As on a computer that heats up: the same request, before and after."""
    async with place(tokens_per_s=40) as at:

        def brake(step: int) -> None:
            if step == len(CASES):
                at.core.models["m:3b"] = ScriptedModel("m:3b", answers=GOOD, tokens_per_s=20)

        result = await at.run(at_step=brake)
        assert (result.speeds.before, result.speeds.after) == (pytest.approx(40), pytest.approx(20))
        assert result.speeds.dropped


async def test_a_warm_model_has_read_every_prompt() -> None:
    """Once for each kind and for a greeting, before anything is measured."""
    async with place() as at:
        await at.run()
        cold = len(at.asked())
    async with place() as at:
        await at.run(warm=True)
        assert len(at.asked()) == cold + len(PromptKind) + 1


def test_a_model_may_come_with_its_prompts(tmp_path: Path) -> None:
    """After an @, in the form of the program's own; a digest or a tag is part of the name."""
    assert parse_entrant("qwen2.5:3b") == Entrant("qwen2.5:3b", "qwen2.5:3b", None)
    assert parse_entrant("m@sha256:00").model == "m@sha256:00"
    mine = tmp_path / "mine.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    mine.write_text(text.replace("クラウディア", "ポチ"), encoding="utf-8")
    entrant = parse_entrant(f"m:3b@{mine}")
    assert (entrant.label, entrant.model) == (f"m:3b@{mine}", "m:3b")
    assert entrant.texts is not None
    assert "ポチ" in entrant.texts.base
    mine.write_text(text.replace("battery =", "batterie ="), encoding="utf-8")
    with pytest.raises(DataError, match=r"mine\.toml:\d+: state"):
        parse_entrant(f"m:3b@{mine}")
    with pytest.raises(DataError, match=r"none\.toml:0: cannot be read"):
        parse_entrant(f"m:3b@{tmp_path}/none.toml")
