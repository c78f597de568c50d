"""Clauses of a reply that is still being written."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.llm.clause_stream import ClauseStream

TEXT = st.text(alphabet="あいはい漢字、。！？!?\n 「」1２三，", max_size=80)


@pytest.mark.parametrize(
    ("pieces", "clauses"),
    [
        (["はい。座り", "ます。"], ["はい。", "座ります。"]),
        (["今日はいい天気ですね、", "散歩に行きましょう。"], ["今日はいい天気ですね、", "散歩に行きましょう。"]),
        (["量子力学は、", "小さな粒の話で、"], ["量子力学は、", "小さな粒の話で、"]),
        (["いいですよ。そうだね、", "はい、", "それで。"], ["いいですよ。", "そうだね、はい、それで。"]),
        (["はい、座ります"], ["はい、座ります"]),
        (["一緒に歩きましょう、2、", "3歩だけ。"], ["一緒に歩きましょう、", "2、3歩だけ。"]),
        (["えっ！？", "本当ですか？"], ["えっ！？", "本当ですか？"]),
        (["", "  "], []),
    ],
)
def test_clauses_leave_as_soon_as_they_are_certain(pieces: list[str], clauses: list[str]) -> None:
    """A full stop ends one at once; a comma when enough stands before it, less in the first, and no number goes on."""
    stream = ClauseStream()
    found = [clause for piece in pieces for clause in stream.push(piece)]
    assert found + stream.flush() == clauses


def test_a_full_stop_is_not_waited_behind() -> None:
    """The first clause leaves with its full stop, before anything else is written."""
    assert ClauseStream().push("はい。") == ["はい。"]


@given(TEXT, st.lists(st.integers(0, 80), max_size=6))
def test_nothing_is_lost_or_made_up(text: str, cuts: list[int]) -> None:
    """Joined together, the clauses are the text, however it was cut into pieces; only white space at the end may go."""
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    stream = ClauseStream()
    found = [c for a, b in pairwise(edges) for c in stream.push(text[a:b])]
    joined = "".join(found + stream.flush())
    assert joined == text or (text.startswith(joined) and not text[len(joined) :].strip())
