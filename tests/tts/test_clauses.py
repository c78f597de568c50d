from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.tts.clauses import clauses

TEXTS = st.text() | st.text(alphabet="あ立。、！？!?\n「」0123. 二三", max_size=60)


def spoken(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@given(TEXTS)
def test_nothing_speakable_is_lost(text: str) -> None:
    """Letters and digits come out once each, in order."""
    assert spoken("".join(clauses(text))) == spoken(text)


@given(TEXTS)
def test_every_clause_can_be_spoken(text: str) -> None:
    """No clause is white space or marks alone."""
    assert all(spoken(clause) for clause in clauses(text))


@given(st.integers(0, 999), st.integers(0, 99), st.sampled_from(["、", ".", "．"]))
def test_a_number_is_never_cut(left: int, right: int, mark: str) -> None:
    """Neither a decimal point nor the comma of 2、3歩 ends a clause."""
    number = f"{left}{mark}{right}"
    text = f"これから前に向かってゆっくりと{number}メートル歩きます。"
    assert clauses(text, min_comma=1) == [text]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("はい。立ちます！いいですか？", ["はい。", "立ちます！", "いいですか？"]),
        ("一行目\n二行目", ["一行目", "二行目"]),
        ("はい、立ちます。", ["はい、立ちます。"]),
        ("電池が少なくなりました、充電してください。", ["電池が少なくなりました、", "充電してください。"]),
        ("電池が少なくなりました、はい。", ["電池が少なくなりました、はい。"]),
        ("「はい。」と言う", ["「はい。」", "と言う"]),
        ("すごい！！？はい", ["すごい！！？", "はい"]),
        ("二、三歩ゆっくりと歩きます。", ["二、三歩ゆっくりと歩きます。"]),
        ("。、！", []),
        ("", []),
    ],
)
def test_where_it_cuts(text: str, cut: list[str]) -> None:
    """End marks always cut, a comma only between long enough parts, marks stay with what they close."""
    assert clauses(text) == cut
