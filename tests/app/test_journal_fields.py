"""A turn as journal fields."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from claudiad.app.journal_fields import event_of, turn_fields
from claudiad.app.ledger import RefusedStep, Step, TurnRecord
from claudiad.service.events import DROPPED, REFUSED, STOP, TURN, Event
from claudiad.service.journal import encode
from claudiad.types import Action, Refusal
from tests.app.room import room

SAID, ANSWERED = "ひみつの言葉", "ないしょの返事"
FULL = TurnRecord(
    turn=42,
    started="2026-07-01T12:00:00+09:00",
    transcript=SAID,
    reading=SAID,
    route="grammar",
    kind="action",
    rule=SAID,
    steps=(Step(Action("StandUp", 1004), "立つ", "done"), Step(Action("Hello", 1016), "挨拶", "stopped")),
    reply=ANSWERED,
    spoken=ANSWERED,
    model="7B",
    repairs=("gate",),
    unanswered=(SAID,),
    timings_ms={"stt": 41.0, "decide": 0.2, "speech_end_to_dispatch": 388.4, "speculation_lead": 3.0},
)


def test_the_facts_of_the_line_are_fields() -> None:
    """Each by itself: number, route, actions with what became of them, times from the end of speech."""
    fields = turn_fields(FULL, log_speech=True)
    assert fields["MESSAGE_ID"] == TURN.id
    assert (fields["CLAUDIA_TURN"], fields["CLAUDIA_ROUTE"], fields["CLAUDIA_KIND"]) == (42, "grammar", "action")
    assert fields["CLAUDIA_ACTIONS"] == ["StandUp", "Hello"]
    assert fields["CLAUDIA_OUTCOMES"] == ["done", "stopped"]
    assert fields["CLAUDIA_SPEECH_TO_MOVE_MS"] == 388.4
    assert (fields["CLAUDIA_HEARD"], fields["CLAUDIA_REPLY"]) == (SAID, ANSWERED)
    encode((name, "") for name in fields)


def test_without_speech_no_field_holds_a_spoken_word() -> None:
    """Neither what was said nor what was answered, wherever the record has them."""
    text = str(turn_fields(FULL, log_speech=False))
    assert SAID not in text
    assert ANSWERED not in text
    assert "Hello" in text


@pytest.mark.parametrize(
    ("record", "event"),
    [
        (FULL, TURN),
        (replace(FULL, dropped="silence"), DROPPED),
        (replace(FULL, route="emergency"), STOP),
        (replace(FULL, refused=(RefusedStep(Refusal("FrontFlip", 1030, "だめ"), "宙返り"),)), REFUSED),
    ],
)
def test_each_is_the_event_somebody_would_look_for(record: TurnRecord, event: Event) -> None:
    """A stop is a stop also when something was refused; a dropped turn is nothing else."""
    assert event_of(record) is event


async def test_the_line_of_a_turn_carries_its_fields(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As the conversation logs it."""
    with caplog.at_level(logging.INFO):
        async with room(monkeypatch) as r:
            await r.turn("座って")
    (line,) = [one for one in caplog.records if one.getMessage().startswith("turn 1 heard")]
    assert line.journal["MESSAGE_ID"] == TURN.id
    assert (line.journal["CLAUDIA_TURN"], line.journal["CLAUDIA_ACTIONS"]) == (1, ["Sit"])
