"""The recipe of `nearness.tsv`: small runs with real voices and the shipped recogniser, and its arithmetic."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from claudiad.brain.kana import fold
from claudiad.brain.near import LENGTHS, load_confidences
from claudiad.errors import EngineMissing
from claudiad.types import Action
from training.brain import counts, heard, nearness, slips
from training.brain.counts import Tally, Trial
from training.brain.said import Saying, Source

SENTENCE = "ROHAN4600_{:04d}:今日(きょう)は、よい天気(てんき)だ。,キョーワ、ヨイテンキダ。\n"
SIT = (Action("Sit", 1009),)
KANA = st.text("アイウエオカキクケコサシスセソタチツテトッー", min_size=1, max_size=20)


def run(folder: Path, name: str) -> str:
    rohan = folder / "rohan.txt"
    rohan.write_text("".join(SENTENCE.format(i) for i in range(1, 5)), encoding="utf-8")
    out = folder / name
    command = ["--rohan", str(rohan), "--kept", str(folder / "kept"), "--limit", "6", "--out", str(out)]
    assert nearness.main(command) == 0
    return out.read_text(encoding="utf-8")


def test_a_run_writes_a_table_and_speaks_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The router loads what the recipe writes, and a second run writes the same from what was heard in the first."""
    monkeypatch.setattr(nearness, "DRAWS", 200)
    first = run(tmp_path, "first.tsv")
    assert "python -m training.brain.nearness" in first
    assert str(tmp_path) not in first
    assert {length for _, _, length in load_confidences(tmp_path / "first.tsv")} <= set(LENGTHS)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("spoken again")

    monkeypatch.setattr(heard, "ProcessPoolExecutor", refuse)
    assert run(tmp_path, "first.tsv") == first


def test_without_its_voices_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine to speak with is a fault with its remedy, and nothing is remembered as unspeakable."""
    monkeypatch.setattr(heard, "ENGINES", ("no_such_engine",))
    out = tmp_path / "out.tsv"
    assert nearness.main(["--kept", str(tmp_path), "--limit", "1", "--out", str(out)]) == EngineMissing.exit_status
    assert not out.exists()


def trial(source: Source, *, right: bool = False, made: bool = False, outcome: counts.Outcome = "guess") -> Trial:
    saying = Saying(source, "座って", "座って", SIT if source == "command" else ())
    return Trial(saying, "スワテ", True, outcome, ("sound", "asked", 3), "座って", right, made)


def test_talk_weighs_as_much_as_is_assumed_however_much_of_it_was_read() -> None:
    """All talk together weighs `OTHERS_PER_SLIP` times the slips, its sources equally, and made slips nothing."""
    trials = [trial("command", right=True)] * 4 + [trial("command", right=True, made=True)] * 50
    trials += [trial("command", outcome="understood")] * 9
    trials += [trial("read", outcome="unknown")] * 599 + [trial("read")] + [trial("traps")] * 3
    weights = counts.weigh(trials)
    reached = {"read": 600, "traps": 3}
    assert sum(reached[source] * weight for source, weight in weights.items()) == pytest.approx(
        counts.OTHERS_PER_SLIP * 4
    )
    assert reached["read"] * weights["read"] == pytest.approx(reached["traps"] * weights["traps"])


def test_made_slips_add_to_a_kind_and_leave_its_share_of_talk_as_it_is() -> None:
    """Where half of a kind is made, its talk counts twice, and a fraction of a wrong guess is a whole one."""
    heard_only = Tally(right=10, talk=Counter({"read": 5}))
    with_made = Tally(right=10, made_right=9, made_wrong=1, talk=Counter({"read": 5}))
    assert heard_only.row({"read": 0.3}) == (10, 2)
    assert with_made.row({"read": 0.3}) == (19, 1 + 3)


def test_a_guess_in_talk_is_wrong_whatever_it_is() -> None:
    """Nothing that asks for no motion can make a near miss look right."""
    (only,) = counts.tally([trial("read"), trial("command", right=True)]).values()
    assert (only.right, only.wrong, only.talk["read"]) == (1, 0, 1)


def test_what_is_learnt_is_what_was_heard() -> None:
    """A kana lost, one that came from nowhere and one for another are told apart; another sentence is no slip."""
    learnt = slips.learn(
        [("アルイテ", "アイテ"), ("スワッテ", "スワッテネ"), ("フセテ", "クセテ"), ("オテ", "コンニチハ")]
    )
    assert dict(zip(learnt.pairs, learnt.counts, strict=True)) == {("ル", ""): 1, ("", "ネ"): 1, ("フ", "ク"): 1}
    assert learnt.faults == (3, 0, 0)


@given(KANA, st.lists(st.tuples(KANA, KANA), min_size=1), st.integers(0, 2**32))
def test_a_made_slip_is_near_what_was_said(reading: str, heard_before: list[tuple[str, str]], seed: int) -> None:
    """It differs in no more kana than faults can be drawn, and the same seed makes the same one."""
    confusions = slips.learn(heard_before)
    if not confusions.pairs:
        return
    made = slips.slip(reading, confusions, random.Random(seed))
    assert made == slips.slip(reading, confusions, random.Random(seed))
    assert Levenshtein.distance(fold(reading), made) <= slips.MOST_FAULTS
