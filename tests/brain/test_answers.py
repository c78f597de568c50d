"""The sentence that needs no model: it fits what was said, it is clean, and it promises nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.brain import answers
from claudiad.brain.answers import answer
from claudiad.brain.reading import reading
from claudiad.purity.filter import purify


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("量子力学について教えて", "knowledge"),
        ("量子力学って何", "knowledge"),
        ("相対性理論を説明して", "knowledge"),
        ("どうして空は青いの", "knowledge"),
        ("リョーシリキガクニツイテオシエテ", "knowledge"),
        ("駅までどうやって行くの", "question"),
        ("疲れましたか", "question"),
        ("楽しい？", "question"),
        ("歌を作ってください", "request"),
        ("階段を上ったらくたびれた", "weary"),
        ("孫と一日遊んで疲れたよ", "weary"),
        ("友達が引っ越して寂しいな", "sad"),
        ("明日の手術が心配だなあ", "sad"),
        ("朝から膝が痛いんだ", "ill"),
        ("旅行がとても楽しかった", "glad"),
        ("来週の旅行が楽しみだね", "glad"),
        ("早くみんなに会いたいな", "statement"),
        ("寂しい駅だったよ、誰もいなくて", "statement"),
        ("疲れたって言うと幸せが逃げるらしいよ", "statement"),
        ("今日は雨だった", "statement"),
        ("踊らないで", "forbidden"),
        ("あ", "unheard"),
    ],
)
def test_the_sentence_fits_what_was_said(text: str, intent: str) -> None:
    """A feeling at the end of a sentence is answered with sympathy, a large question with an honest no."""
    assert answer(text, reading(text))[0] == intent


def test_every_sentence_is_one_that_may_be_spoken() -> None:
    """The gate before the voice changes none of them."""
    sentences = {v for k, v in vars(answers).items() if k.isupper() and isinstance(v, str) and k[0] != "_"}
    assert len(sentences) >= 12
    assert {s for s in sentences if purify(s).clean != s} == set()


@given(st.text(max_size=60))
def test_there_is_always_a_sentence(text: str) -> None:
    """Whatever was said."""
    intent, sentence = answer(text, reading(text))
    assert intent
    assert sentence.endswith("。")
