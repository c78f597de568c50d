"""Running figures of the models, and who is asked first because of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.llm.degradation import Degradations
from claudiad.llm.figures import (
    ENOUGH,
    MAX_MODELS,
    MIN_DEADLINE_MS,
    PATIENCE,
    RECENT,
    TRIAL_CALLS,
    TRIAL_S,
    WINDOW,
    Call,
    CallFault,
    Figures,
    Ranked,
)
from claudiad.llm.model import Done

BUDGET_MS = 500.0
NOW = 1_000_000.0


def answered(model: str, ms: float, *, at: float = NOW) -> Call:
    return Call(model, at, ms, ms + 1000.0, None)


def ended(model: str, fault: CallFault, *, waited: float = 700.0, at: float = NOW) -> Call:
    return Call(model, at, None, waited, fault)


def figures(*calls: Call) -> Figures:
    made = Figures()
    for call in calls:
        made.observe(call)
    return made


def order(made: Figures, *models: str, now: float = NOW) -> tuple[Ranked, ...]:
    return made.order(models, BUDGET_MS, now)


def fits(made: Figures, budget_ms: float) -> bool:
    """Whether model a, which was asked just now, is asked before one that nobody knows."""
    return made.order(("a", "b"), budget_ms, NOW)[0].model == "a"


def deadline(made: Figures) -> float:
    """Of model a, with no budget to speak of."""
    (ranked,) = made.order(("a",), 1e9, NOW)
    return ranked.deadline_ms


def test_a_model_nobody_asked_has_the_whole_budget() -> None:
    """Nothing known decides nothing."""
    assert order(Figures(), "a", "b") == (Ranked("a", BUDGET_MS), Ranked("b", BUDGET_MS))


@given(st.lists(st.floats(0, 10_000), min_size=ENOUGH, max_size=WINDOW))
def test_percentiles_of_complete_observations_are_the_plain_ones(times: list[float]) -> None:
    """Without cancelled calls, the nearest rank: of all for the deadline, of the last ones for the order."""
    made, ranked, recent = figures(*(answered("a", ms) for ms in times)), sorted(times), sorted(times[-RECENT:])
    assert deadline(made) == max(MIN_DEADLINE_MS, PATIENCE * ranked[math.ceil(round(0.9 * len(times), 6)) - 1])
    middle = recent[math.ceil(0.5 * len(recent)) - 1]
    assert fits(made, middle)
    assert not fits(made, math.nextafter(middle, -1.0))


def test_only_the_last_calls_count() -> None:
    """The window is bounded by calls."""
    made = figures(*(answered("a", 9000.0) for _ in range(WINDOW)), *(answered("a", 200.0) for _ in range(WINDOW)))
    assert deadline(made) == 300.0


def test_a_cancelled_call_says_at_least_and_is_no_failure() -> None:
    """Waiting 600 ms in vain makes the median later, not the failures more."""
    quick = [answered("a", 300.0 + n) for n in range(3)]
    made = figures(*quick, *(ended("a", "cancelled", waited=600.0) for _ in range(6)))
    assert fits(made, 600.0)
    assert not fits(made, 599.0)


def test_a_call_cancelled_early_moves_no_percentile() -> None:
    """Somebody said 止まれ after 50 ms: that says nothing about a first token at 300 ms."""
    quick = [answered("a", 300.0) for _ in range(3)]
    made = figures(*quick, *(ended("a", "cancelled", waited=50.0) for _ in range(6)))
    assert fits(made, 300.0)
    assert not fits(made, 299.0)
    assert deadline(made) == 450.0


@given(st.lists(st.tuples(st.floats(0, 5000), st.booleans()), min_size=ENOUGH, max_size=RECENT))
def test_the_median_lies_within_what_was_waited(waits: list[tuple[float, bool]]) -> None:
    """Whatever was cancelled: never before the shortest wait, never beyond the longest."""
    made = figures(*(answered("a", ms) if came else ended("a", "cancelled", waited=ms) for ms, came in waits))
    times = [ms for ms, _ in waits]
    assert fits(made, max(times))
    assert not fits(made, math.nextafter(min(times), -1.0))


@pytest.mark.parametrize("fault", ["unreachable", "server", "malformed", "late", "cut"])
def test_a_fault_is_a_failure(fault: CallFault) -> None:
    """With and without a first token before it; more than half of them are too many."""
    good, bad = answered("a", 100.0), (ended("a", fault), Call("a", NOW, 100.0, 200.0, fault))
    assert fits(figures(good, good, *bad), 1e9)
    assert not fits(figures(good, *bad), 1e9)


@pytest.mark.parametrize(("ms", "deadline"), [(20.0, MIN_DEADLINE_MS), (200.0, 300.0), (400.0, BUDGET_MS)])
def test_the_deadline_follows_the_model_within_floor_and_budget(ms: float, deadline: float) -> None:
    """One and a half times its 90th percentile."""
    assert order(figures(*(answered("a", ms) for _ in range(9))), "a") == (Ranked("a", deadline),)


@pytest.mark.parametrize(
    ("budget_ms", "deadline"),
    [(500.0, 300.0), (400.0, 250.0), (300.0, 200.0)],
    ids=["time for both", "the next one's time is kept", "not within its usual time"],
)
def test_the_next_model_beside_it_gets_its_time(budget_ms: float, deadline: float) -> None:
    """A first one that is late leaves enough for the second, but it is not late within its usual time."""
    made = figures(*(answered(model, ms) for model, ms in (("a", 200.0), ("b", 150.0)) for _ in range(9)))
    assert made.order(("a", "b"), budget_ms, NOW, lambda model: model == "b")[0] == Ranked("a", deadline)
    assert made.order(("a", "b"), budget_ms, NOW)[0] == Ranked("a", 300.0)


def test_stalls_do_not_stretch_the_deadline() -> None:
    """A model that says nothing in every third call is late as soon as one that always answers."""
    calls = [ended("a", "cancelled", waited=490.0) if n % 3 == 0 else answered("a", 200.0) for n in range(15)]
    assert order(figures(*calls), "a") == (Ranked("a", 300.0),)


def test_no_deadline_is_beyond_what_is_left() -> None:
    """Also when nothing is left."""
    made = figures(*(answered("a", 20.0) for _ in range(9)))
    assert made.order(("a", "b"), 30.0, NOW) == (Ranked("a", 30.0), Ranked("b", 30.0))
    assert {each.deadline_ms for each in made.order(("a", "b"), -5.0, NOW)} == {0.0}


@pytest.mark.parametrize(
    "bad",
    [
        answered("a", BUDGET_MS + 1),
        ended("a", "cancelled", waited=BUDGET_MS + 1),
        ended("a", "late", waited=BUDGET_MS + 1),
        ended("a", "unreachable", waited=3.0),
    ],
    ids=["slow", "overtaken", "late", "failing"],
)
def test_a_model_that_cannot_answer_in_time_is_not_waited_for(bad: Call) -> None:
    """It goes behind the others, and whoever comes after it is asked at once."""
    waited_for = (Ranked("a", BUDGET_MS), Ranked("b", BUDGET_MS))
    assert order(figures(*[bad] * (ENOUGH - 1)), "a", "b") == waited_for
    assert order(figures(*[bad] * ENOUGH), "a", "b") == (Ranked("b", BUDGET_MS), Ranked("a", 0.0))


def test_one_bad_call_in_five_changes_no_order() -> None:
    """A model that stalls now and then keeps its place."""
    made = figures(*(answered("a", 200.0 if n % 5 else 3000.0) for n in range(40)))
    assert [each.model for each in order(made, "a", "b")] == ["a", "b"]


def test_a_model_that_recovered_has_its_place_back_after_half_of_the_recent_calls() -> None:
    """What was long ago does not keep it behind."""
    made = figures(*(answered("a", 3000.0) for _ in range(WINDOW)))
    for _ in range(RECENT // 2):
        made.observe(answered("a", 200.0))
        assert order(made, "a", "b")[0].model == "b"
    made.observe(answered("a", 200.0))
    assert order(made, "a", "b")[0].model == "a"


def test_it_is_tried_after_some_calls_of_others() -> None:
    """First again, but not waited for; once it was called, the others are counted anew."""
    made = figures(*(answered("a", 3000.0) for _ in range(9)))
    for _ in range(TRIAL_CALLS):
        assert order(made, "a", "b")[0].model == "b"
        made.observe(answered("b", 200.0))
    assert order(made, "a", "b") == (Ranked("a", 0.0), Ranked("b", 300.0))
    made.observe(answered("a", 3000.0))
    assert order(made, "a", "b")[0].model == "b"


def test_it_is_tried_after_some_time() -> None:
    """One model at a time: of two, the second one stays behind."""
    made = figures(*(ended(model, "server") for model in "ab" for _ in range(ENOUGH)))
    assert [each.model for each in order(made, "a", "b", "c", now=NOW + TRIAL_S - 1)] == ["c", "a", "b"]
    assert order(made, "a", "b", "c", now=NOW + TRIAL_S) == (Ranked("a", 0.0), Ranked("c", BUDGET_MS), Ranked("b", 0.0))


def test_a_stalling_model_is_found_out_by_the_hedges_alone() -> None:
    """Its calls are all cancelled when the other one answers, each a little after its deadline."""
    made = figures(*(answered("a", 200.0) for _ in range(20)))
    asked_first = []
    for _ in range(20):
        first = order(made, "a", "b")[0]
        asked_first.append(first.model)
        if first.model == "a":
            made.observe(ended("a", "cancelled", waited=first.deadline_ms + 210.0))
        made.observe(answered("b", 200.0))
    assert asked_first.count("a") <= RECENT


calls_of_many = st.builds(
    Call,
    st.sampled_from([f"model-{n}" for n in range(MAX_MODELS + 3)]),
    st.floats(0, 1e10),
    st.none() | st.floats(0, 1e5),
    st.floats(0, 1e5),
    st.sampled_from([None, "late", "cancelled", "busy", "unreachable"]),
)


@given(st.lists(calls_of_many, max_size=60), st.floats(0, 5000), st.floats(0, 1e10))
def test_every_model_is_ranked_once_with_a_deadline_within_the_budget(
    calls: list[Call], budget: float, now: float
) -> None:
    """Whatever happened: nobody is lost, and nobody is waited for longer than allowed."""
    models = sorted({call.model for call in calls} | {"new"})
    ranked = figures(*calls).order(models, budget, now)
    assert sorted(each.model for each in ranked) == models
    assert all(0 <= each.deadline_ms <= budget for each in ranked)


def test_figures_survive_a_restart(tmp_path: Path) -> None:
    """With the speeds of the models beside them, and the order that follows from them."""
    made, speeds = figures(*(answered("a", 3000.0) for _ in range(9)), answered("b", 100.0)), Degradations()
    for _ in range(10):
        speeds.observe("a", Done("stop", tokens=20, eval_ms=1000.0))
    (tmp_path / "models.json").write_text(made.to_json(speeds), encoding="utf-8")
    again, speeds_again = Figures(), Degradations()
    assert again.load(tmp_path / "models.json", speeds_again) is None
    assert again.to_json(speeds_again) == made.to_json(speeds)
    assert order(again, "a", "b") == order(made, "a", "b")
    assert speeds_again.of("a").baseline == 20.0


def test_no_file_is_no_fault(tmp_path: Path) -> None:
    """The first start."""
    assert Figures().load(tmp_path / "models.json") is None


ROW = ["a", NOW, 100.0, 900.0, None]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "\0" * 20,
        json.dumps({"version": 1, "calls": [], "speeds": {}}),
        json.dumps({"version": 2, "calls": []}),
        json.dumps({"version": 2, "calls": [ROW[:4]], "speeds": {}}),
        json.dumps({"version": 2, "calls": [[*ROW[:4], "tired"]], "speeds": {}}),
        json.dumps({"version": 2, "calls": [["a", NOW, -1.0, *ROW[3:]]], "speeds": {}}),
        json.dumps({"version": 2, "calls": [["a", NOW, float("nan"), *ROW[3:]]], "speeds": {}}),
        json.dumps({"version": 2, "calls": [], "speeds": {"a": {"baseline": 0.0, "recent": [], "degraded": True}}}),
        json.dumps({"version": 2, "calls": [ROW] * 40_000, "speeds": {}}),
    ],
    ids=range(12),
)
def test_a_file_that_is_not_ours_is_reported_and_left_alone(text: str, tmp_path: Path) -> None:
    """Cut, foreign, of another version, impossible or too large: one line, and nothing of it counts."""
    path = tmp_path / "models.json"
    path.write_text(text, encoding="utf-8")
    made = Figures()
    fault = made.load(path)
    assert fault is not None
    assert str(path) in fault
    assert "\n" not in fault
    assert made.to_json() == Figures().to_json()


def test_what_cannot_be_read_is_reported(tmp_path: Path) -> None:
    """A folder where the file should be."""
    assert Figures().load(tmp_path) is not None


def test_the_file_stays_small(tmp_path: Path) -> None:
    """However many models were configured over the years, it can be read again."""
    made = figures(*(answered(f"{'long' * 25}-{n}", 123.456789 / 7) for n in range(30) for _ in range(60)))
    (tmp_path / "models.json").write_text(made.to_json(), encoding="utf-8")
    assert Figures().load(tmp_path / "models.json") is None
    assert len(json.loads((tmp_path / "models.json").read_bytes())["calls"]) == MAX_MODELS * WINDOW
