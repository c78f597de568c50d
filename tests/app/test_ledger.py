"""The latency ledger, the turn record and the canonical line."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.app.ledger import Ledger, RefusedStep, Step, TurnRecord, canonical_line
from claudiad.types import Action, Refusal

STAND = Step(Action("stand_up", 1004), "立つ", "done")
HELLO = Step(Action("hello", 1016), "挨拶", "done")
TURN = TurnRecord(
    turn=42,
    started="2026-11-20T09:00:00.000+09:00",
    transcript="立って挨拶して",
    reading="タッテアイサツシテ",
    route="grammar",
    kind="action",
    rule="sequence: 立って挨拶",
    confidence=0.9,
    steps=(STAND, HELLO),
    timings_ms={"endpoint": 301.0, "stt": 41.2, "decide": 0.2, "speech_end_to_dispatch": 387.6},
)


def test_timings_count_from_the_end_of_speech() -> None:
    """The contract's keys: work of each stage alone, and the two waits a person feels."""
    ledger = Ledger(100.0)
    ledger.mark("endpoint", 100.3)
    ledger.mark("stt", 100.34)
    ledger.mark("decide", 100.3405)
    ledger.mark("dispatch", 100.342)
    ledger.mark("first_audio", 100.4)
    ledger.mark("stop", 100.5)
    ledger.mark("done", 102.0)
    assert ledger.timings_ms() == {
        "endpoint": 300.0,
        "stt": 40.0,
        "decide": 0.5,
        "speech_end_to_dispatch": 342.0,
        "speech_end_to_first_audio": 400.0,
        "speech_end_to_stop": 500.0,
        "speech_end_to_done": 2000.0,
    }


def test_decide_is_always_there() -> None:
    """A turn in which nothing was decided has decide = 0 and no other key."""
    assert Ledger(5.0).timings_ms() == {"decide": 0.0}


def test_a_stage_that_did_not_happen_lends_no_time_to_the_next() -> None:
    """Typed text has no endpoint and no stt: decide counts from the zero."""
    ledger = Ledger(5.0)
    ledger.mark("decide", 5.002)
    assert ledger.timings_ms() == {"decide": 2.0}


def test_work_that_began_elsewhere_counts_from_its_own_beginning() -> None:
    """`began` takes waiting out of stt, and lets recognition run ahead of the commit."""
    ledger = Ledger(0.0)
    ledger.mark("endpoint", 0.3)
    ledger.mark("stt", 0.2, began=0.16)
    ledger.mark("decide", 0.301, began=0.3)
    assert ledger.timings_ms() == {"endpoint": 300.0, "stt": 40.0, "decide": 1.0}


def test_the_first_mark_stays() -> None:
    """A second command or sound does not move the first."""
    ledger = Ledger(0.0)
    assert not ledger.has("dispatch")
    ledger.mark("dispatch", 0.4)
    ledger.mark("dispatch", 0.9)
    assert ledger.has("dispatch")
    assert ledger.timings_ms()["speech_end_to_dispatch"] == 400.0
    assert ledger.since_speech_end_ms(0.25) == 250.0


@pytest.mark.parametrize(
    ("stage", "at", "began"), [("sst", 1.0, None), ("stt", float("nan"), None), ("stt", 1.0, float("inf"))]
)
def test_nonsense_is_refused(stage: Any, at: float, began: float | None) -> None:
    """An unknown stage or a time that is none is a programming error."""
    with pytest.raises(ValueError, match=stage):
        Ledger(0.0).mark(stage, at, began=began)


@given(
    st.lists(st.tuples(st.sampled_from(["endpoint", "stt", "decide", "dispatch"]), st.floats(-1e6, 1e6)), max_size=8)
)
def test_stage_times_are_never_negative(marks: list[tuple[Any, float]]) -> None:
    """Whatever order the stages are marked in, no stage took less than nothing."""
    ledger = Ledger(0.0)
    for stage, at in marks:
        ledger.mark(stage, at)
    timings = ledger.timings_ms()
    assert all(timings.get(stage, 0.0) >= 0.0 for stage in ("endpoint", "stt", "decide"))


def test_the_line_of_the_design() -> None:
    """A sequence reads exactly as docs/logging.md has it."""
    assert canonical_line(TURN) == (
        "turn 42 heard 「立って挨拶して」 → grammar → 立つ, 挨拶 "
        "| stt 41 ms, decide 0.2 ms, first move 388 ms after speech"
    )


def test_the_line_without_speech() -> None:
    """With log_speech off the line says what was done, and no word of what was said or answered."""
    assert canonical_line(TURN, log_speech=False) == (
        "turn 42 heard speech → grammar → 立つ, 挨拶 | stt 41 ms, decide 0.2 ms, first move 388 ms after speech"
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"dropped": "hallucination", "steps": (), "transcript": "ご視聴ありがとう", "timings_ms": {"stt": 41.2}},
            "turn 42 heard 「ご視聴ありがとう」 → dropped: hallucination | stt 41 ms",
        ),
        (
            {"dropped": "silence", "steps": (), "transcript": "", "timings_ms": {"stt": 7.0, "decide": 0.0}},
            "turn 42 heard nothing → dropped: silence | stt 7.0 ms",
        ),
        (
            {
                "steps": (),
                "refused": (RefusedStep(Refusal("front_flip", 1030, "危ないのでできません。"), "前転"),),
                "timings_ms": {"decide": 0.31, "speech_end_to_first_audio": 9.96},
            },
            "turn 42 heard 「立って挨拶して」 → grammar → refused 前転 (危ないのでできません。) | decide 0.3 ms, "
            "first sound 10 ms after speech",
        ),
        (
            {
                "steps": (
                    replace(STAND, action=Action("stand_up", 1004, inserted=True)),
                    replace(HELLO, outcome="stopped"),
                ),
                "timings_ms": {},
            },
            "turn 42 heard 「立って挨拶して」 → grammar → 立つ (added), 挨拶 (stopped)",
        ),
        (
            {
                "transcript": "止まれ",
                "route": "emergency",
                "steps": (Step(Action("stop", 1003), "停止", "done"),),
                "timings_ms": {
                    "stt": 12.0,
                    "decide": 0.1,
                    "speech_end_to_dispatch": 120.0,
                    "speech_end_to_stop": 121.0,
                },
            },
            "turn 42 heard 「止まれ」 → emergency → 停止 | stt 12 ms, decide 0.1 ms, stopped 121 ms after speech",
        ),
        (
            {
                "steps": (),
                "route": "fallback",
                "reply": "いい天気ですね。",
                "timings_ms": {"speech_end_to_first_audio": 412.0},
            },
            "turn 42 heard 「立って挨拶して」 → fallback → answered 「いい天気ですね。」 "
            "| first sound 412 ms after speech",
        ),
        (
            {"steps": (), "route": "none", "reply": "", "truncated": True, "timings_ms": {}},
            "turn 42 heard 「立って挨拶して」 (cut at the limit) → none → nothing to do",
        ),
    ],
)
def test_the_line_of_other_turns(changes: dict[str, Any], line: str) -> None:
    """Dropped, refused, stopped, stopping, answered and empty turns each have their form."""
    assert canonical_line(replace(TURN, **changes)) == line


@given(st.text(), st.text(), st.sampled_from([None, "silence"]), st.booleans())
def test_the_line_is_one_line_whatever_was_said(said: str, reply: str, dropped: str | None, act: bool) -> None:
    """Line breaks, escape sequences and marks that turn text around do not reach the log."""
    turn = replace(TURN, transcript=said, reply=reply, dropped=dropped, steps=(HELLO,) if act else ())
    line = canonical_line(turn)
    assert len(line.splitlines()) == 1
    assert not set(line) & {"\x1b", "\x00", "\u202e", "\x9b"}


def test_what_steers_a_terminal_becomes_blank() -> None:
    """Escape sequences and right-to-left marks lose their effect, the words stay."""
    line = canonical_line(replace(TURN, transcript="立\u202eっ\x1b[31mて\n座れ"))
    assert line.startswith("turn 42 heard 「立 っ [31mて 座れ」 →")


@given(st.text(alphabet="秘密話", min_size=3), st.booleans(), st.sampled_from([None, "silence"]))
def test_no_spoken_word_leaves_with_the_privacy_switch_off(secret: str, act: bool, dropped: str | None) -> None:
    """Neither transcript, reading, rule, reply nor what was sounded shows in the line."""
    turn = replace(
        TURN,
        transcript=secret,
        reading=secret,
        rule=secret,
        reply=secret,
        spoken=secret,
        steps=(HELLO,) if act else (),
        dropped=dropped,
    )
    assert secret not in canonical_line(turn, log_speech=False)


def test_the_record_as_json() -> None:
    """The contract's field names, and JSON can hold it."""
    refused = (RefusedStep(Refusal("front_flip", 1030, "危ない。"), "前転"),)
    inserted = Step(Action("move", 1008, {"x": 0.3}, inserted=True), "歩く", "unknown")
    record = replace(TURN, steps=(inserted, HELLO), refused=refused, reply="はい。", spoken="はい。").to_json()
    assert json.loads(json.dumps(record)) == record
    assert record == {
        "turn": 42,
        "started": "2026-11-20T09:00:00.000+09:00",
        "transcript": "立って挨拶して",
        "reading": "タッテアイサツシテ",
        "dropped": None,
        "oov": 0.0,
        "route": "grammar",
        "kind": "action",
        "rule": "sequence: 立って挨拶",
        "confidence": 0.9,
        "actions": [
            {
                "name": "move",
                "api_id": 1008,
                "params": {"x": 0.3},
                "inserted": True,
                "title": "歩く",
                "outcome": "unknown",
            },
            {"name": "hello", "api_id": 1016, "params": {}, "title": "挨拶", "outcome": "done"},
        ],
        "refused": [{"name": "front_flip", "api_id": 1030, "title": "前転", "reason": "危ない。"}],
        "reply": "はい。",
        "spoken": "はい。",
        "timings_ms": {"endpoint": 301.0, "stt": 41.2, "decide": 0.2, "speech_end_to_dispatch": 387.6},
        "truncated": False,
        "utterances": 1,
    }
