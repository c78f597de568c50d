"""Turns that a language model answers: the whole loop with a scripted Ollama, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from claudiad.app.daemon_status import status_line
from claudiad.app.ledger import TurnRecord
from claudiad.audio.microphone import CaptureStats
from claudiad.brain.wording import STOPPED
from claudiad.clock import Clock
from claudiad.config import Settings
from claudiad.llm.ollama_server import OllamaServer
from claudiad.robot import registry
from tests.app.room import Room, room, settings_with
from tests.fakes.ollama import FakeOllama, Fault, OllamaTransport, ScriptedModel

BIG, SMALL = Settings().llm.models
CUTE = "可愛い動作して"
"""What no table knows; the scripted models make a heart."""
TURN_MS = Settings().turn.turn_budget_ms


@dataclass
class Server:
    """The scripted Ollama of a room; made with the room's clock."""

    timing: dict[str, Any] = field(default_factory=dict)
    big: dict[str, Any] = field(default_factory=dict)
    core: FakeOllama = field(init=False)
    transport: OllamaTransport = field(init=False)

    def __call__(self, clock: Clock) -> OllamaServer:
        timing = {"first_token_s": 0.2, "tokens_per_s": 20.0} | self.timing
        self.core = FakeOllama(clock, [ScriptedModel(BIG, **timing | self.big), ScriptedModel(SMALL, **timing)])
        self.transport = OllamaTransport(self.core)
        return OllamaServer(self.transport.url, transport=self.transport)

    @property
    def chats(self) -> list[dict[str, Any]]:
        """What was asked, in order; loading a model asks nothing."""
        return [dict(a.fields) for a in self.core.requests if a.path == "/api/chat" and a.fields["stream"]]


@asynccontextmanager
async def served(
    monkeypatch: pytest.MonkeyPatch, server: Server, settings: Settings | None = None, battery: int = 100
) -> AsyncIterator[Room]:
    """A room with this server, both models loaded; on the way out nothing is being written and no reply is open."""
    settings = settings or settings_with()
    async with room(monkeypatch, settings, battery=battery, ollama=server) as r:
        models = r.parts.models
        assert models is not None
        for name in (BIG, SMALL):
            await models.server.load(name)
        await models.residency.look()
        yield r
    assert server.core.running == []
    assert not server.transport.open


async def answered(r: Room, text: str = CUTE, **how: Any) -> TurnRecord:
    return await r.turn(text, **how)


async def test_a_model_acts_and_speaks_while_it_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The robot moves before the first word sounds, and the first clause sounds before the last is written."""
    server = Server()
    async with served(monkeypatch, server) as r:
        record = await answered(r)
        assert r.calls == ["Heart"]
        assert (record.route, record.model, record.spoken) == ("llm", BIG, "ハートを作りますね。")
        t = record.timings_ms
        assert t["speech_end_to_first_token"] < t["speech_end_to_dispatch"] < t["speech_end_to_first_audio"]


async def test_thinking_begins_in_the_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first token of a 200 ms model is there before the silence is over that tells the end of the words."""
    async with served(monkeypatch, Server()) as r:
        record = await answered(r)
        assert record.timings_ms["speech_end_to_first_token"] < record.timings_ms["endpoint"]
        assert record.timings_ms["speech_end_to_dispatch"] >= record.timings_ms["endpoint"]


async def test_without_speculation_nothing_is_asked_before_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """`turn.speculate = false`: the model is asked when the words are final, and once."""
    server = Server()
    async with served(monkeypatch, server, settings_with(turn={"speculate": False})) as r:
        record = await answered(r, "量子力学って何ですか")
        assert record.timings_ms["speech_end_to_first_token"] > record.timings_ms["endpoint"]
        assert len(server.chats) == 1


async def test_more_words_throw_the_early_thought_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was thought about half a sentence is cancelled on the server; only the whole is answered."""
    server = Server()
    async with served(monkeypatch, server) as r:
        await r.speak(CUTE)
        await r.until(lambda: server.chats)
        await r.speak("なんて言わないから量子力学について教えて")
        await r.until(lambda: r.records and r.conversation.idle)
        assert next(g.state for g in server.core.generations if "可愛い" in g.prompt) == "cancelled"
        assert r.calls == []


async def test_a_missing_server_is_degraded_in_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """`systemctl status` says so for as long as it is so, and then what is there."""
    server = Server()
    async with served(monkeypatch, server) as r:
        models = r.parts.models
        assert models is not None
        hearing = CaptureStats(state="open")
        assert status_line(r.parts, hearing, None, None).startswith("listening; Ollama ")
        await server.transport.down()
        await models.residency.look()
        assert status_line(r.parts, hearing, None, None).startswith("degraded: no Ollama; Ollama down: ")
        await server.transport.up()
        await models.residency.look()
        assert status_line(r.parts, hearing, None, None).startswith("listening; Ollama ")


async def test_what_the_tables_know_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """座って is decided here; the server hears nothing of it."""
    server = Server()
    async with served(monkeypatch, server) as r:
        assert (await answered(r, "座って")).route == "hotpath"
        assert server.chats == []


async def test_a_scrap_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """One syllable, or something that is forbidden, has its answer here."""
    server = Server()
    async with served(monkeypatch, server) as r:
        assert (await answered(r, "ぬ")).route == "fallback"
        assert server.chats == []


async def test_a_loaded_model_is_asked_before_one_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading takes seconds: the first model gets its turn back when it is there."""
    server = Server()
    async with served(monkeypatch, server) as r:
        models = r.parts.models
        assert models is not None
        await models.server.unload(BIG)
        await models.residency.look()
        assert (await answered(r)).model == SMALL
        assert {chat["model"] for chat in server.chats} == {SMALL}


async def test_the_same_words_again_come_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model's answer is kept for a while."""
    server = Server()
    async with served(monkeypatch, server) as r:
        await answered(r)
        assert (await answered(r)).route == "cache"
        assert len(server.chats) == 1
        assert r.calls == ["Heart", "Heart"]


async def test_a_stop_ends_thinking_on_the_server_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """止まって while it thinks: nothing of the answer is done or said, and nothing is written any more."""
    server = Server({"first_token_s": 1.5})
    async with served(monkeypatch, server) as r:
        await r.speak(CUTE)
        await r.until(lambda: r.conversation.turns == 1)
        await r.speak("止まって")
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        assert set(r.calls) == {"stop"}
        assert server.core.running == []
        thought, stop = sorted(r.records, key=lambda one: one.turn)
        assert thought.steps == ()
        assert stop.spoken == STOPPED


async def test_a_stop_before_the_motion_begins_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop from elsewhere, between the question and the answer: what the model wants is never sent."""
    server = Server({"first_token_s": 1.5})
    async with served(monkeypatch, server) as r:
        await r.speak(CUTE)
        await r.until(lambda: r.conversation.turns == 1)
        await r.parts.dispatcher.stop(reason="a button")
        await r.until(lambda: r.records and r.conversation.idle)
        assert set(r.calls) == {"stop"}


async def test_a_newer_question_replaces_the_older(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the last thing said is answered."""
    server = Server({"first_token_s": 4.0})
    async with served(monkeypatch, server, settings_with(turn={"simple_budget_ms": 5000})) as r:
        await r.speak(CUTE)
        await r.until(lambda: r.conversation.turns == 1)
        await r.speak("量子力学について教えて")
        await r.until(lambda: len(r.records) == 2 and r.conversation.idle)
        assert r.calls == []
        older, newer = sorted(r.records, key=lambda one: one.turn)
        assert (older.spoken, older.unanswered) == ("", ("overtaken by what was said next",))
        assert newer.model == BIG


async def test_what_safety_refuses_is_not_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that lets a nearly empty robot dance: the reason is said, not the model's promise."""
    server = Server()
    async with served(monkeypatch, server, battery=15) as r:
        server.core.answers = {"": '{"a":[1022],"r":"はい、元気に踊ります。"}'}
        record = await answered(r, "何か楽しいことを見せて")
        assert r.calls == []
        assert record.refused
        assert "踊ります" not in record.spoken
        assert record.spoken


async def test_a_stalling_model_is_hedged_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loaded second model answers beside a first one that says nothing; the first one is cancelled."""
    server = Server()
    async with served(monkeypatch, server) as r:
        server.core.inject(Fault.STALL_AT_START, model=BIG)
        record = await answered(r)
        assert (record.model, record.hedged, r.calls) == (SMALL, True, ["Heart"])
        assert [g.state for g in server.core.generations if g.model.startswith(BIG)][-1] == "cancelled"


async def test_the_conversation_is_remembered_as_it_was_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next question carries what was said and done before, in the form the model is to answer in."""
    server = Server()
    async with served(monkeypatch, server) as r:
        await answered(r)
        await answered(r, "量子力学について教えて")
        sent = server.chats[-1]["messages"]
        assert any(CUTE in m["content"] for m in sent[:-1])
        assert {"role": "assistant", "content": '{"a":[1036],"r":"ハートを作りますね。"}'} in sent


async def test_the_prompt_begins_alike_and_ends_with_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's prefix cache holds: the system message is the same, posture and battery stand with the words."""
    server = Server()
    async with served(monkeypatch, server, battery=55) as r:
        await answered(r, "量子力学について教えて")
        await answered(r, "座って")
        await answered(r, "相対性理論について教えて")
        first, second = (chat["messages"] for chat in server.chats)
        assert first[0] == second[0]
        assert "55" in second[-1]["content"]
        assert "座って" in second[-1]["content"]
        assert {chat["options"]["num_ctx"] for chat in server.chats} == {2048}


async def test_a_missing_server_is_an_answer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Degraded, not deaf: the hot path moves the robot, everything else has its sentence, the reason is kept."""
    server = Server()
    async with served(monkeypatch, server) as r:
        await server.transport.down()
        record = await answered(r, "量子力学について教えて")
        assert record.route == "fallback"
        assert record.spoken
        assert record.unanswered
        assert record.timings_ms["speech_end_to_first_audio"] <= record.timings_ms["endpoint"] + 50
        await answered(r, "座って")
        assert r.calls == ["Sit"]


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "always"])
async def test_whatever_goes_wrong_there_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, lasting: bool
) -> None:
    """Each fault, of the first call or of all: something clean is said within the turn's budget, only a valid decision
    moves the robot, and nothing is left running."""
    server = Server()
    async with served(monkeypatch, server) as r:
        begun = r.clock.now()
        await r.until(lambda: r.clock.now() > begun + 0.5)
        tasks = asyncio.all_tasks()
        server.core.inject(fault, times=None if lasting else 1)
        record = await answered(r)
        assert record.spoken
        assert record.timings_ms["speech_end_to_first_audio"] <= TURN_MS
        known = registry.askable(registry.load())
        assert set(r.calls) <= set(known)
        if record.route == "fallback":
            assert r.calls == []
        assert all(step.action.name in known for step in record.steps)
        await r.until(lambda: server.core.running == [])
        assert not {task for task in asyncio.all_tasks() - tasks if not task.done()}


async def test_nothing_reachable_is_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that swallows packets: the connection is given up in time."""
    server = Server()
    async with served(monkeypatch, server) as r:
        server.transport.unplug()
        record = await answered(r)
        assert record.spoken
        assert record.timings_ms["speech_end_to_first_audio"] <= TURN_MS
