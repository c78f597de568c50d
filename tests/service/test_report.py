"""What the audit log comes to."""

from __future__ import annotations

import json
import math
import tracemalloc
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.app.ledger import RefusedStep, Step, TurnRecord
from claudiad.config import TurnSettings
from claudiad.service.audit import MAX_LINE, AuditLog, read, without_speech
from claudiad.service.histogram import ACCURACY, Histogram
from claudiad.service.report import KINDS, OTHERS, Budgets, Report
from claudiad.service.since import is_before, since
from claudiad.types import Action, Refusal

BUDGETS = Budgets.of(TurnSettings())


def turn(number: int, **values: Any) -> dict[str, Any]:
    return TurnRecord(turn=number, started="2026-07-01T12:00:00+09:00", **values).to_json()


def reported(*records: Any) -> dict[str, Any]:
    report = Report(BUDGETS)
    for record in records:
        report.add(record)
    return report.to_json()


SIT = Step(Action("Sit", 1009), "座る", "done")
FLIP = RefusedStep(Refusal("FrontFlip", 1030, "危ないので、できません。"), "宙返り")
DAY = [
    turn(1, route="hotpath", steps=(SIT,), timings_ms={"stt": 40.0, "decide": 0.2, "speech_end_to_dispatch": 380.0}),
    turn(2, route="grammar", refused=(FLIP,), timings_ms={"decide": 1.0, "speech_end_to_dispatch": 900.0}),
    turn(3, route="emergency", timings_ms={"speech_end_to_dispatch": 350.0, "speech_end_to_stop": 360.0}),
    turn(4, dropped="silence", timings_ms={"decide": 0.0}),
    turn(5, route="llm", model="7B", tokens_per_s=20.0, hedged=True, repairs=("gate", "gate"),
         timings_ms={"speech_end_to_dispatch": 3000.0, "speech_end_to_first_audio": 9000.0}),
    turn(6, route="fallback", unanswered=("7B: unreachable",)),
]  # fmt: skip


def test_a_day_is_added_up() -> None:
    """Hit rate over what was not dropped, routes, refusals, what was late, models and times."""
    found = reported(*DAY)
    assert (found["turns"], found["answered"], found["understood_without_model"]) == (6, 5, 3)
    assert (found["hit_rate"], found["hit_rate_of_all"]) == (0.6, 0.5)
    assert found["routes"] == {"hotpath": 1, "grammar": 1, "emergency": 1, "llm": 1, "fallback": 1}
    assert found["dropped"] == {"silence": 1}
    assert found["refused"] == {"FrontFlip: 危ないので、できません。": 1}
    assert found["outcomes"] == {"done": 1}
    assert found["budget_misses"] == {"first move": 1, "stop": 1, "first sound": 1}
    assert found["repairs"] == {"gate": 2}
    assert found["models"] == {
        "answers": {"7B": 1}, "hedged": 1, "unanswered": {"7B: unreachable": 1}, "tokens_per_s_p50": 20.0
    }  # fmt: skip
    assert found["times_ms"]["stt"] == {"count": 1, "p50": 40.0, "p90": 40.0, "p99": 40.0, "max": 40.0}
    assert found["times_ms"]["decide"]["count"] == 2, "nothing decided is no time"
    json.dumps(found, allow_nan=False)


def test_a_private_log_gives_the_same_report() -> None:
    """Without what was said, everything that is counted is still there; reasons of models are only counted."""
    open_, private = reported(*DAY), reported(*(without_speech(record) for record in DAY))
    assert private.pop("models")["unanswered"] == {"?": 1}
    del open_["models"]
    assert private == open_


def test_nothing_at_all_has_the_same_keys() -> None:
    """Rates that would divide by nothing are null."""
    assert set(reported()) == set(reported(*DAY))
    assert reported()["hit_rate"] is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(sorted(DAY[4])), _JSON), st.dictionaries(st.sampled_from(["stt", "decide"]), _JSON)
)
def test_whatever_a_field_holds_it_is_counted(values: dict[str, Any], times: dict[str, Any]) -> None:
    """A record of another version, or of nonsense, raises nothing."""
    found = reported({**values, "timings_ms": times}, {**DAY[0], **values})
    assert found["turns"] == 2
    json.dumps(found, allow_nan=False)


def test_it_does_not_grow_with_the_log() -> None:
    """Twenty thousand turns, each with a reason and times of its own, need no more memory than a hundred kilobytes."""
    report = Report(BUDGETS)
    tracemalloc.start()
    for number in range(20_000):
        report.add({"dropped": f"reason {number}", "timings_ms": {"stt": number * 0.37}})
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    found = report.to_json()
    assert len(found["dropped"]) == KINDS + 1
    assert found["dropped"][OTHERS] == 20_000 - KINDS
    assert size < 300_000


@given(st.lists(st.floats(min_value=-1e9, max_value=1e9), min_size=1), st.sampled_from([1, 50, 90, 99, 100]))
def test_percentiles_are_as_near_as_promised(values: list[float], percent: int) -> None:
    """Within one percent of the value that is really there, negative and zero included."""
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]
    assert abs(histogram.percentile(percent) - exact) <= abs(exact) * ACCURACY * 1.001 + 0.01


def test_what_is_no_number_is_no_time() -> None:
    """Refused, and nothing is left of it; without values there is no percentile."""
    histogram = Histogram()
    for value in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="finite"):
            histogram.add(value)
    with pytest.raises(ValueError, match="no values"):
        histogram.percentile(50)


def test_rotated_files_are_read_in_order_and_damage_is_counted(tmp_path: Path) -> None:
    """Oldest first; torn, foreign and endless lines are counted, the records around them kept."""
    (tmp_path / "audit.2.jsonl").write_text('{"turn": 1}\n')
    (tmp_path / "audit.10.jsonl").write_text('{"turn": 0}\n[1]\n')
    (tmp_path / "audit.1.jsonl").write_bytes(b'{"turn": 2}\n' + b"x" * (3 * MAX_LINE) + b'\n{"turn": 3}\n{"tu')
    log = AuditLog(tmp_path, 10_000, 3, log_speech=True)
    log.write({"turn": 4})
    log.close()
    damaged: list[None] = []
    assert [r["turn"] for r in read(tmp_path, lambda: damaged.append(None))] == [0, 1, 2, 3, 4]
    assert len(damaged) == 3


TOKYO = timezone(timedelta(hours=9))
NOW = datetime(2026, 7, 1, 15, 30, tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", "2026-07-01T00:00:00+09:00"),
        ("Yesterday", "2026-06-30T00:00:00+09:00"),
        ("90m", "2026-07-01T14:00:00+09:00"),
        ("2h", "2026-07-01T13:30:00+09:00"),
        ("-2h", "2026-07-01T13:30:00+09:00"),
        ("7 d ago", "2026-06-24T15:30:00+09:00"),
        ("1w", "2026-06-24T15:30:00+09:00"),
        ("9:05", "2026-07-01T09:05:00+09:00"),
        ("2026-05-01", "2026-05-01T00:00:00+09:00"),
        ("2026-05-01 14:30", "2026-05-01T14:30:00+09:00"),
        ("2026-05-01T14:30:00Z", "2026-05-01T14:30:00+00:00"),
    ],
)
def test_times_as_people_write_them(text: str, expected: str) -> None:
    """Days, spans, times of day and dates, in the zone of the one who asks."""
    assert since(text, NOW) == datetime.fromisoformat(expected)


@given(st.text())
def test_what_is_no_time_is_said(text: str) -> None:
    """With what is allowed; never another error."""
    try:
        since(text, NOW)
    except ValueError as fault:
        assert "allowed: today" in str(fault)  # noqa: PT017 - the others must not raise at all


def test_a_record_without_a_time_is_kept() -> None:
    """Only what is known to be older is left out."""
    assert is_before("2026-07-01T15:29:59+09:00", NOW)
    assert not is_before("2026-07-01T06:30:00+00:00", NOW)
    assert is_before("2026-07-01T15:29:00", NOW)
    for unknown in (None, 3, "", "gestern"):
        assert not is_before(unknown, NOW)
