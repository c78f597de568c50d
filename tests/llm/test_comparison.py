"""What answers are worth, one by one and together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from claudiad.app.language_models import choosable
from claudiad.llm.cases import Case
from claudiad.llm.comparison import WEIGHTS, Attempt, Result, Speeds, difference, judge, scores_of
from claudiad.llm.measured import Measured
from claudiad.llm.model import Done
from claudiad.robot import registry

REGISTRY = registry.load()
ACTIONS = choosable(REGISTRY, allow_high_risk=False)
SEQUENCE = Case(1, "立ってそして挨拶して", (("StandUp", "Hello"),), None)
TIRED = Case(2, "疲れた", ((),), None)
GOOD = '{"a":[1004,1016],"r":"立ちます。それから挨拶しますね。"}'


def attempt(
    text: str, case: Case = SEQUENCE, *, fault: str = "", reason: str = "stop", first_ms: float = 300
) -> Attempt:
    got = Measured(text, first_ms if text else None, 900.0, None if fault else Done(reason, 9, 20, 0, 0, 500), fault)
    return judge(case, got, ACTIONS, REGISTRY, 1000.0)


def test_a_good_answer_is_good_in_every_way() -> None:
    """Right, valid, pure and in time."""
    good = attempt(GOOD)
    assert good.right
    assert good.valid
    assert good.pure
    assert good.in_time
    assert (good.actions, good.tokens_per_s) == (("StandUp", "Hello"), 40.0)
    scores = scores_of([good])
    assert (scores.quality, scores.sequence_accuracy, scores.failed) == (100.0, 1.0, 0)


def test_chinese_is_not_pure_however_it_would_be_mended() -> None:
    """What is chosen is right all the same."""
    chinese = attempt('{"a":[1004,1016],"r":"立ちます然后は挨拶します"}')
    assert (chinese.right, chinese.valid, chinese.pure) == (True, True, False)
    assert chinese.findings


def test_an_invented_id_makes_nothing_of_the_answer_right() -> None:
    """It is counted, and is valid JSON."""
    invented = attempt('{"a":[1018],"r":"はい。"}', TIRED)
    assert (invented.right, invented.valid, invented.invented, invented.actions) == (False, True, ("1018",), ())
    assert scores_of([invented]).invented == 1


@pytest.mark.parametrize(
    ("text", "reason", "fault"),
    [
        ("わかりました。", "stop", ""),
        ('{"a":"x y","r":[1]}', "stop", ""),
        ('{"a":[],"r":"はい', "stop", ""),
        (GOOD, "length", ""),
        (GOOD, "stop", "the connection broke"),
        ("", "stop", "m: not installed"),
    ],
)
def test_what_is_no_whole_answer_is_not_valid_and_not_right(text: str, reason: str, fault: str) -> None:
    """Text, wrong types, a cut answer, one that broke off after all of it was there, and none."""
    bad = attempt(text, TIRED if not text.startswith("{") else SEQUENCE, fault=fault, reason=reason)
    assert not bad.valid
    assert not bad.right
    assert bad.actions == ()


def test_an_answer_without_words_is_not_pure() -> None:
    """There is nothing that could be spoken."""
    assert not attempt('{"a":[],"r":""}', TIRED).pure


def test_a_model_that_fails_is_worse_in_every_share() -> None:
    """The shares are of all that was asked."""
    good, none = attempt(GOOD), attempt("", fault="m: not installed")
    scores = scores_of([good, none])
    shares = (scores.accuracy, scores.sequence_accuracy, scores.json_validity, scores.purity, scores.in_time)
    assert shares == (0.5,) * 5
    assert (scores.failed, scores.quality, scores.first_token_p50_ms) == (1, 50.0, 300.0)
    nothing = scores_of([none])
    assert (nothing.quality, nothing.first_token_p90_ms, nothing.tokens_per_s) == (0.0, None, None)


def test_the_weights_are_a_hundred_and_those_of_sequences_go_to_the_others() -> None:
    """Without a sequence among the cases the best is still 100."""
    assert sum(WEIGHTS.values()) == 100
    assert scores_of([attempt('{"a":[],"r":"お疲れ様です。"}', TIRED)]).quality == 100.0
    wrong = scores_of([attempt('{"a":[1009],"r":"座りますね。"}', TIRED)])
    assert wrong.quality == pytest.approx(100 * (1 - 40 / 85))
    late = scores_of([attempt(GOOD, first_ms=1001)])
    assert late.quality == pytest.approx(90)


@pytest.mark.parametrize(("before", "after", "dropped"), [(37, 18.5, True), (37, 19, False), (None, 5, False)])
def test_half_the_speed_is_a_drop(before: float | None, after: float, dropped: bool) -> None:
    """Without a speed before there is nothing to say."""
    assert Speeds(before, after).dropped is dropped


def result(label: str, right: list[bool]) -> Result:
    good = attempt(GOOD)
    attempts = [replace(good, case=replace(SEQUENCE, line=n), right=r) for n, r in enumerate(right)]
    return Result(label, label, 0.0, 1.0, tuple(attempts), Speeds(None, None))


def test_a_difference_comes_with_its_chance() -> None:
    """Six to none is what one of 32 pairs of equal models shows; one to none says nothing."""
    found = difference(result("a", [True] * 8), result("b", [False] * 6 + [True] * 2))
    assert (found.first_better, found.second_better, found.chance) == (6, 0, 2 / 64)
    assert difference(result("a", [True, True]), result("b", [True, False])).chance == 1.0
    assert difference(result("a", [True]), result("b", [True])).chance == 1.0


def test_what_is_written_down_can_be_read_by_a_machine() -> None:
    """Scores and attempts do not share a key."""
    one = result("a", [True])
    assert one.summary()["asked"] == 1
    assert "attempts" not in one.summary()
    (row,) = one.detail()
    assert (row["line"], row["said"], row["expected"]) == (0, "立ってそして挨拶して", "StandUp Hello")
