"""What comes of an answer while it is written: actions, clean clauses, and always a conclusion. In virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.app.parts import brain_tables
from claudiad.brain.router import Tables
from claudiad.clock import JumpClock
from claudiad.config import Settings
from claudiad.errors import ModelError
from claudiad.llm.budget import Budget
from claudiad.llm.confidence import Evidence
from claudiad.llm.figures import Figures
from claudiad.llm.model import ChatRequest, Message
from claudiad.llm.race import Race, Runner
from claudiad.llm.request_class import PromptKind, RequestClass
from claudiad.llm.thinker import Act, Concluded, Filler, Question, Say, Thinker, Thought
from claudiad.purity.repertoire import is_clean
from claudiad.robot import registry
from claudiad.types import Decision
from tests.fakes.chat import ScriptedModel

REGISTRY = registry.load()
HEURISTIC = "ごめんなさい、それはまだ分かりません。"


@cache
def tables() -> Tables:
    return brain_tables(Settings(), REGISTRY)


@cache
def evidence() -> Evidence:
    return Evidence.of(tables().phrases.keyed)


class Head:
    """A thinker with scripted models; remembers when each thought came."""

    def __init__(self, *models: ScriptedModel, clock: JumpClock, cloud: ScriptedModel | None = None) -> None:
        self.clock = clock
        self.models = models
        self.cloud = cloud
        self.times: list[float] = []
        self.thoughts: list[Thought] = []
        self.thinker = Thinker(
            Settings(),
            clock,
            race=Race(Figures(), clock, lambda: 0.0),
            runners=self.runners,
            cloud=cloud,
            registry=REGISTRY,
            actions=registry.askable(REGISTRY),
            evidence=evidence(),
            stops=tables().stops,
        )

    def runners(self, _budget: Budget) -> Sequence[Runner]:
        asked = [*self.models, *([self.cloud] if self.cloud is not None else [])]
        return [Runner(model, 0.5, ready=True) for model in asked]

    async def think(
        self,
        text: str,
        kind: PromptKind = PromptKind.COMMAND,
        request_class: RequestClass = RequestClass.SIMPLE,
    ) -> Concluded:
        heuristic = Decision(text, "fallback", "dialog", (), HEURISTIC, 0.2, "no rule: question")
        request = ChatRequest((Message("user", f"「{text}」"),), None, 60)
        question = Question(text, request, kind, request_class, self.clock.now(), heuristic)
        async with aclosing(self.thinker.begin(question).thoughts()) as thoughts:
            async for thought in thoughts:
                self.times.append(self.clock.now())
                self.thoughts.append(thought)
        assert all(model.running == 0 for model in (*self.models, *([self.cloud] if self.cloud else [])))
        (concluded,) = self.of(Concluded)
        assert isinstance(concluded, Concluded)
        assert self.thoughts[-1] is concluded
        return concluded

    def of(self, kind: type) -> list[Thought]:
        return [thought for thought in self.thoughts if isinstance(thought, kind)]

    @property
    def said(self) -> str:
        return "".join(thought.text for thought in self.thoughts if isinstance(thought, Say))

    @property
    def acted(self) -> list[str]:
        return [action.name for thought in self.thoughts if isinstance(thought, Act) for action in thought.actions]

    def at(self, kind: type) -> float:
        return next(at for at, thought in zip(self.times, self.thoughts, strict=True) if isinstance(thought, kind))


def head(*scripts: str | ModelError, cloud: str | None = None, **how: object) -> Head:
    clock = JumpClock()
    models = [ScriptedModel("7b", clock, list(scripts), **how)] if scripts else []  # type: ignore[arg-type]
    sky = ScriptedModel("sky", clock, [cloud]) if cloud is not None else None
    return Head(*models, clock=clock, cloud=sky)


async def test_what_was_asked_for_is_done_before_a_word_is_written() -> None:
    """The actions leave when their list closes; each clause with its full stop, while the next one is being written."""
    h = head('{"a":[1016],"r":"はい、挨拶しますね。今日も会えて嬉しいです。"}')
    concluded = await h.think("可愛く挨拶してみせてよ")
    assert h.acted == ["Hello"]
    assert h.said == "はい、挨拶しますね。今日も会えて嬉しいです。"
    assert h.at(Act) < h.at(Say) < h.at(Concluded)
    assert h.at(Act) == pytest.approx(0.2 + 5 * 0.05)
    d = concluded.decision
    assert (d.route, d.kind, d.reply) == ("llm", "action", h.said)
    assert concluded.account.model == "7b"
    assert concluded.account.first_token_at == pytest.approx(0.2)
    assert concluded.account.tokens_per_s == pytest.approx(20.0)


async def test_the_older_form_is_read_too() -> None:
    """Owners' models write the reply first; what they choose is done all the same."""
    h = head('{"r":"はい、立って挨拶します。","a":null,"seq":[1004,1016]}')
    await h.think("立ってから可愛く挨拶して")
    assert h.acted == ["StandUp", "Hello"]
    assert h.said == "はい、立って挨拶します。"


async def test_what_nobody_asked_for_is_asked_back() -> None:
    """疲れた and a model that would lie down: it asks, and does not move."""
    h = head('{"a":[1005],"r":"はい、伏せます。"}')
    concluded = await h.think("今日は疲れたなあ", PromptKind.DIALOG)
    assert h.acted == []
    assert "合っていますか" in h.said
    assert [a.name for a in concluded.decision.asked] == ["StandDown"]


async def test_a_gesture_nobody_asked_for_waits_for_the_whole_answer() -> None:
    """A heart out of the blue is charming, but only once the answer is complete."""
    h = head('{"a":[1036],"r":"わあ、嬉しいです。"}')
    await h.think("なんだか楽しい気分だなあ", PromptKind.DIALOG)
    assert h.acted == ["Heart"]
    assert h.times[0] == h.at(Concluded)


async def test_what_was_forbidden_is_not_done() -> None:
    """A model that sits down although it was told not to is not believed, whatever it says."""
    h = head('{"a":[1009],"r":"はい、座ります。"}')
    concluded = await h.think("今日は座らないでいてほしい")
    assert h.acted == []
    assert h.said == HEURISTIC
    assert concluded.decision.route == "fallback"


@pytest.mark.parametrize(
    "answer", ['{"a":[1018],"r":"はい。"}', '{"a":["Fly"],"r":"飛びます。"}', '{"a":[1001.5],"r":"は"}']
)
async def test_what_is_not_registered_does_nothing_at_all(answer: str) -> None:
    """An id that does not exist moves nothing, and what was said about it is not said."""
    h = head(answer)
    concluded = await h.think("飛んでみせて")
    assert h.acted == []
    assert h.said == HEURISTIC
    assert concluded.decision.actions == ()


async def test_chinese_is_repaired_before_the_voice_and_counted() -> None:
    """然后 never reaches the voice."""
    h = head('{"a":[],"r":"散歩が好きです。然后お昼寝も好きです。"}')
    concluded = await h.think("好きなことは何", PromptKind.DIALOG)
    assert "然后" not in h.said
    assert "お昼寝も好きです" in h.said
    assert concluded.account.repairs
    assert concluded.decision.confidence < 0.95


async def test_an_unspeakable_beginning_is_asked_for_again_once() -> None:
    """Nothing but Chinese: the model is asked once more, for Japanese; the second answer is said."""
    h = head('{"a":[],"r":"我很高兴见到你。"}', '{"a":[],"r":"会えて嬉しいです。"}')
    await h.think("会えて嬉しい？", PromptKind.DIALOG)
    assert h.said == "会えて嬉しいです。"
    first, second = h.models[0].requests
    assert "日本語" in second.messages[-1].content
    assert first.messages[:-1] == second.messages[:-1]


async def test_twice_unspeakable_is_answered_without_a_model() -> None:
    """It is asked again once, not for ever."""
    h = head('{"a":[],"r":"我很高兴见到你。"}')
    await h.think("会えて嬉しい？", PromptKind.DIALOG)
    assert h.said == HEURISTIC
    assert len(h.models[0].requests) == 2


async def test_an_unspeakable_reply_to_what_is_done_is_replaced_by_its_own() -> None:
    """The robot moves already: the registry's sentence is said."""
    h = head('{"a":[1016],"r":"我很高兴见到你。"}')
    await h.think("可愛く挨拶してみせてよ")
    assert h.acted == ["Hello"]
    assert h.said == REGISTRY["Hello"].reply


async def test_a_stop_word_in_a_reply_is_reworded() -> None:
    """The robot's own voice must not stop it."""
    h = head('{"a":[],"r":"少々お待ちください。とても楽しみです。"}')
    concluded = await h.think("あとで遊ぼうね", PromptKind.DIALOG)
    assert tables().stops.find_stop(h.said, moving=True) is None
    assert "楽しみ" in h.said
    assert "stop word" in concluded.account.repairs


async def test_no_server_is_answered_at_once_with_the_reason() -> None:
    """A refused connection costs nothing: the sentence that needs no model is said, and why is told."""
    h = head(ModelError("unreachable", "Ollama at 127.0.0.1 is not running"), first_token_s=0.0)
    concluded = await h.think("量子力学について教えて", PromptKind.DIALOG)
    assert h.said == HEURISTIC
    assert h.clock.now() < 0.01
    assert concluded.account.reasons == ("Ollama at 127.0.0.1 is not running",)
    assert concluded.decision.route == "fallback"


async def test_a_late_complex_request_has_a_filler() -> None:
    """Somebody who asked for an explanation hears that it is being thought about."""
    h = head('{"a":[],"r":"光は波です。"}', first_token_s=2.4)
    await h.think("虹がなぜ七色なのか説明して", PromptKind.DIALOG, RequestClass.COMPLEX)
    assert h.of(Filler)
    assert h.at(Filler) < h.at(Say)
    assert h.said == "光は波です。"


async def test_silence_ends_at_the_hard_deadline() -> None:
    """A model that never begins: a filler, then the answer without it, within the turn's budget."""
    h = head("x", stalls_after=0)
    await h.think("散歩の話をして", PromptKind.DIALOG, RequestClass.COMPLEX)
    assert h.said == HEURISTIC
    assert h.clock.now() <= Settings().turn.turn_budget_ms / 1000
    assert len(h.of(Filler)) == 1


async def test_a_cut_answer_ends_with_what_was_said() -> None:
    """The connection breaks in the second sentence: the first one stands, half a sentence is never said."""
    h = head('{"a":[],"r":"散歩が好きです。それから、おひるねも"}', breaks_after=14)
    concluded = await h.think("好きなことは何", PromptKind.DIALOG)
    assert h.said == "散歩が好きです。"
    assert concluded.account.reasons
    assert concluded.decision.route == "llm"


async def test_nobody_takes_over_in_mid_reply() -> None:
    """What has begun to be said by one model is not said again by another."""
    clock = JumpClock()
    broken = ScriptedModel("7b", clock, ['{"a":[],"r":"散歩が好きです。それから、おひるねも"}'], breaks_after=14)
    other = ScriptedModel("3b", clock, ['{"a":[],"r":"ご飯が好きです。"}'])
    h = Head(broken, other, clock=clock)
    await h.think("好きなことは何", PromptKind.DIALOG)
    assert h.said == "散歩が好きです。"
    assert not other.requests


async def test_a_cut_before_anything_was_said_asks_the_next_model() -> None:
    """Nothing has left yet: somebody else may answer."""
    clock = JumpClock()
    broken = ScriptedModel("7b", clock, breaks_after=2)
    whole = ScriptedModel("3b", clock, ['{"a":[],"r":"散歩が好きです。"}'])
    h = Head(broken, whole, clock=clock)
    concluded = await h.think("好きなことは何", PromptKind.DIALOG)
    assert h.said == "散歩が好きです。"
    assert concluded.account.model == "3b"


async def test_a_cut_after_the_actions_says_what_is_done() -> None:
    """The robot moves and the words never came: the registry's sentence is said."""
    h = head('{"a":[1016],"r":"はい、あいさつ', breaks_after=7)
    await h.think("可愛く挨拶してみせてよ")
    assert h.acted == ["Hello"]
    assert h.said == REGISTRY["Hello"].reply


async def test_half_a_list_of_actions_moves_nothing() -> None:
    """A list that was never closed may have gone on with anything."""
    h = head('{"a":[1016,10', breaks_after=6)
    await h.think("可愛く挨拶してみせてよ")
    assert h.acted == []
    assert h.said == HEURISTIC


async def test_an_unsure_answer_is_asked_of_the_cloud() -> None:
    """Below 0.8 and with nothing said yet, the cloud is asked; above, it never is."""
    h = head('{"a":[1005],"r":"はい、伏せます。"}', cloud='{"a":[],"r":"ゆっくり休んでくださいね。"}')
    concluded = await h.think("今日は疲れたなあ", PromptKind.DIALOG)
    assert h.said == "ゆっくり休んでくださいね。"
    assert concluded.decision.route == "cloud"
    h = head('{"a":[],"r":"ゆっくり休んでくださいね。"}', cloud='{"a":[],"r":"空から。"}')
    await h.think("今日は疲れたなあ", PromptKind.DIALOG)
    assert h.cloud is not None
    assert not h.cloud.requests


async def test_an_unsure_answer_that_ends_late_is_not_asked_of_the_cloud() -> None:
    """When no first token would be waited for any more, the cloud would cost money for nothing."""
    h = head('{"a":[1005],"r":"はい、伏せます。"}', cloud='{"a":[],"r":"ゆっくり休んでくださいね。"}', token_s=0.3)
    concluded = await h.think("今日は疲れたなあ", PromptKind.DIALOG)
    assert h.clock.now() > Budget.of(RequestClass.SIMPLE, Settings().turn, 0.0).give_up_at
    assert h.cloud is not None
    assert not h.cloud.requests
    assert "合っていますか" in h.said
    assert concluded.account.model == "7b"


async def test_bare_text_is_an_answer_without_actions() -> None:
    """A model that forgot the form is heard when it is clean, and moves nothing."""
    h = head("今日はいい天気ですね。")
    concluded = await h.think("天気の話をしよう", PromptKind.DIALOG)
    assert h.said == "今日はいい天気ですね。"
    assert concluded.decision.actions == ()


async def test_a_sure_answer_that_waited_for_its_end_needs_no_cloud() -> None:
    """Bare text is said at its end; it was sure enough all the same."""
    h = head("今日はいい天気ですね。", cloud='{"a":[],"r":"空から。"}')
    await h.think("天気の話をしよう", PromptKind.DIALOG)
    assert h.said == "今日はいい天気ですね。"
    assert h.cloud is not None
    assert not h.cloud.requests


async def test_leaving_the_thoughts_ends_the_generation() -> None:
    """A cancelled turn cancels the model."""
    h = head('{"a":[],"r":"' + "とても長い話です。" * 50 + '"}')
    heuristic = Decision("話して", "fallback", "dialog", (), HEURISTIC, 0.2, "")
    request = ChatRequest((Message("user", "「話して」"),), None, 60)
    thinking = h.thinker.begin(Question("話して", request, PromptKind.DIALOG, RequestClass.SIMPLE, 0.0, heuristic))
    async with aclosing(thinking.thoughts()) as thoughts:
        async for thought in thoughts:
            if isinstance(thought, Say):
                break
    assert h.models[0].running == 0
    assert h.models[0].written < 30


@given(st.text(max_size=60) | st.from_regex(r'\{"a":\[[0-9,"A-Za-z ]{0,20}\],"r":".{0,30}"\}', fullmatch=True))
async def test_whatever_a_model_writes_something_clean_is_said(answer: str) -> None:
    """It always ends, always says something, and every character of it is inside the allow-list; only registered
    actions come out."""
    h = head(answer)
    await h.think("何かして")
    assert h.said
    assert all(map(is_clean, h.said))
    assert set(h.acted) <= set(REGISTRY)
