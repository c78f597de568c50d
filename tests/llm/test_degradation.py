"""A model that has become slow for good is noticed, once, and so is its recovery."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from claudiad.llm.degradation import BASELINE_OF, LATELY, MAX_MODELS, Degradation, Degradations, Report
from claudiad.llm.model import MEASURABLE, Done


def done(speed: float, tokens: int = 40) -> Done:
    return Done("stop", tokens=tokens, eval_ms=tokens / speed * 1000.0)


def reports(watch: Degradation, speeds: Sequence[float]) -> list[Report]:
    return [report for speed in speeds if (report := watch.observe(done(speed)))]


def settled(speed: float = 37.0) -> Degradation:
    watch = Degradation("m")
    assert reports(watch, [speed] * BASELINE_OF) == []
    return watch


def test_a_lasting_drop_is_reported_once() -> None:
    """The third slow answer of five makes it lasting; what follows adds nothing."""
    watch = settled()
    assert reports(watch, [5.0, 5.0]) == []
    (report,) = reports(watch, [5.0] * 20)
    assert (report.model, round(report.baseline), round(report.now), report.recovered) == ("m", 37, 5, False)
    assert watch.degraded is not None


def test_the_report_names_the_remedy() -> None:
    """In one line; so is the recovery."""
    assert Report("m", 37.0, 5.0).english == (
        "m has become slow: 5.0 tokens/s instead of 37.0; keep models loaded (keep_alive); reboot"
    )
    assert Report("m", 37.0, 36.0, recovered=True).english == "m is as quick as before: 36.0 tokens/s"


def test_recovery_is_reported_once_and_a_second_drop_again() -> None:
    """The baseline is still the one of the good days."""
    watch = settled()
    found = reports(watch, [5.0] * 10 + [36.0] * 10 + [5.0] * 10)
    assert [report.recovered for report in found] == [False, True, False]
    assert [round(report.baseline) for report in found] == [37, 37, 37]


def test_in_between_is_neither_degraded_nor_recovered() -> None:
    """A speed that wavers around half of the baseline is not reported again and again."""
    found = reports(settled(), [18.0] * 6 + [20.0, 18.0] * 20)
    assert [report.recovered for report in found] == [False]


def test_single_slow_answers_are_no_drop() -> None:
    """Two of five, again and again."""
    assert reports(settled(), [37.0, 37.0, 5.0, 37.0, 5.0] * 10) == []


def test_short_answers_do_not_count() -> None:
    """Neither for the baseline nor for the drop."""
    watch = settled()
    for _ in range(50):
        assert watch.observe(done(5.0, tokens=MEASURABLE - 1)) is None
    assert watch.degraded is None
    assert watch.baseline == 37.0


def test_a_start_on_a_slow_machine_sets_no_low_measure_for_good() -> None:
    """The measure rises with what the machine shows it can do, not with one lucky answer."""
    watch = settled(5.0)
    assert reports(watch, [37.0]) == []
    assert watch.baseline == 5.0
    assert reports(watch, [37.0] * BASELINE_OF) == []
    assert [report.now for report in reports(watch, [5.0] * LATELY)] == [5.0]


def test_it_goes_on_after_a_restart() -> None:
    """What was reported is not reported again; what has been mended by the reboot is."""
    before = Degradations()
    for speed in [37.0] * BASELINE_OF + [5.0] * 10:
        before.observe("m", done(speed))
    after = Degradations()
    after.from_json(before.to_json())
    assert [report.model for report in after.degraded] == ["m"]
    assert all(after.observe("m", done(5.0)) is None for _ in range(10))
    found = [report for _ in range(10) if (report := after.observe("m", done(37.0)))]
    assert [report.recovered for report in found] == [True]
    assert after.degraded == ()


def test_models_are_watched_apart_and_not_without_end() -> None:
    """One that is no longer asked is forgotten first."""
    watches = Degradations()
    for n in range(MAX_MODELS + 5):
        watches.observe(f"m{n}", done(37.0))
    assert list(watches.to_json()) == [f"m{n}" for n in range(5, MAX_MODELS + 5)]


@given(st.lists(st.floats(0.1, 1000.0), max_size=80))
def test_reports_alternate(speeds: list[float]) -> None:
    """Whatever the speeds: a drop first, then a recovery, then a drop; each with the figures that justify it."""
    found = reports(Degradation("m"), speeds)
    assert [report.recovered for report in found] == [bool(n % 2) for n in range(len(found))]
    for report in found:
        assert report.now >= 0.75 * report.baseline if report.recovered else report.now <= 0.5 * report.baseline
