"""What may be spent in a day, and what becomes of the account."""

from __future__ import annotations

import json
import logging
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.errors import ModelError
from claudiad.llm.spending import Spending

TODAY = date(2026, 11, 21)
TOMORROW = TODAY + timedelta(days=1)


def refused(spending: Spending, usd: float, today: date = TODAY) -> bool:
    try:
        spending.reserve(usd, today)
    except ModelError as fault:
        return fault.fault == "budget" and "cloud.daily_usd" in str(fault)
    return False


def test_calls_side_by_side_cannot_go_beyond_the_cap() -> None:
    """The worst of each is set aside before it is made."""
    spending = Spending(None, 1.0)
    first, _second = spending.reserve(0.5, TODAY), spending.reserve(0.5, TODAY)
    assert refused(spending, 0.01)
    spending.settle(first, 0.1)
    assert spending.spent(TODAY) == pytest.approx(0.6)
    assert not refused(spending, 0.4)


def test_a_call_is_settled_once() -> None:
    """A second time changes nothing; costing more than expected counts."""
    spending = Spending(None, 1.0)
    call = spending.reserve(0.1, TODAY)
    spending.settle(call, 0.3)
    spending.settle(call, 0.0)
    assert spending.spent(TODAY) == pytest.approx(0.3)


def test_a_cap_of_nothing_allows_nothing() -> None:
    """Zero is a cap, not the absence of one."""
    assert refused(Spending(None, 0.0), 0.000001)


def test_a_price_that_is_no_number_is_refused() -> None:
    """Nothing compares as too much with it."""
    assert refused(Spending(None, 1.0), float("nan"))


def test_a_new_day_begins_at_nothing() -> None:
    """What was set aside before midnight does not count after it."""
    spending = Spending(None, 1.0)
    call = spending.reserve(0.9, TODAY)
    assert spending.spent(TOMORROW) == 0.0
    spending.settle(call, 0.1)
    assert spending.spent(TOMORROW) == 0.0


def test_a_clock_that_is_set_back_gives_no_second_budget() -> None:
    """The day is the clock's, what was spent stays; and the next day is a new one."""
    spending = Spending(None, 1.0)
    spending.reserve(0.9, TOMORROW)
    assert refused(spending, 0.2, TODAY)
    assert not refused(spending, 0.2, TOMORROW)


def test_the_account_survives_a_restart(tmp_path: Path) -> None:
    """With what is set aside, in case the process ends within the call."""
    path = tmp_path / "state" / "spending.json"
    before = Spending(path, 1.0)
    before.settle(before.reserve(0.5, TODAY), 0.2)
    before.reserve(0.7, TODAY)
    before.save()
    after = Spending(path, 1.0)
    assert after.fault is None
    assert after.spent(TODAY) == pytest.approx(0.9)
    assert refused(after, 0.2)
    assert not refused(after, 0.2, TOMORROW)
    assert [file.name for file in path.parent.iterdir()] == ["spending.json"]


def test_nothing_new_is_not_written(tmp_path: Path) -> None:
    """The file is left alone until something has changed."""
    path = tmp_path / "spending.json"
    spending = Spending(path, 1.0)
    spending.save()
    assert not path.exists()
    spending.reserve(0.1, TODAY)
    spending.save()
    path.unlink()
    spending.save()
    assert not path.exists()


GOOD = {"version": 1, "day": "2026-11-21", "usd": 0.1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "\0\0\0",
        json.dumps({**GOOD, "version": 2}),
        json.dumps({**GOOD, "usd": -1.0}),
        json.dumps({**GOOD, "usd": "0.1"}),
        json.dumps({**GOOD, "usd": float("nan")}),
        json.dumps({**GOOD, "day": "someday"}),
        json.dumps({**GOOD, "more": 1}),
        json.dumps({"version": 1, "day": "2026-11-21"}),
    ],
    ids=range(11),
)
def test_a_spoilt_account_is_a_day_without_the_cloud(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is reported, closed for today even after a restart, and open again tomorrow."""
    path = tmp_path / "spending.json"
    path.write_text(text, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        spending = Spending(path, 1.0)
    assert spending.fault is not None
    assert str(path) in caplog.text
    assert refused(spending, 0.01)
    spending.save()
    again = Spending(path, 1.0)
    assert again.fault is None
    assert refused(again, 0.01)
    assert not refused(again, 0.01, TOMORROW)
    assert not refused(spending, 0.01, TOMORROW)
    assert spending.fault is None


def test_an_account_that_cannot_be_read_is_a_day_without_the_cloud(tmp_path: Path) -> None:
    """A folder where the file should be."""
    assert refused(Spending(tmp_path, 1.0), 0.01)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.booleans()), max_size=40))
def test_what_was_spent_is_what_the_calls_cost(calls: list[tuple[float, float, bool]]) -> None:
    """And as long as no call costs more than its worst, it is never more than the cap."""
    spending, spent = Spending(None, 1.0), 0.0
    for worst, share, settled in calls:
        try:
            call = spending.reserve(worst, TODAY)
        except ModelError:
            continue
        spent += worst
        if settled:
            spending.settle(call, worst * share)
            spent += worst * share - worst
        assert spending.spent(TODAY) == pytest.approx(spent, abs=1e-9)
        assert spending.spent(TODAY) <= 1.0 + 1e-9
