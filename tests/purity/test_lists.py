"""The lists of bad and good strings: what comes out of each, and how many of each half are right."""

from __future__ import annotations

import pytest

from bench.purity import FOLDER, Row, load_bad, load_good, unharmed
from claudiad.purity.filter import purify
from claudiad.purity.repertoire import is_clean

BAD = load_bad(FOLDER / "bad.tsv")
GOOD = load_good(FOLDER / "good.tsv")

KNOWN_BAD: dict[str, str] = {
    "朋友が来ました": "a table says it in Japanese by now, and the list wants it left out",
    "东西を持ってきます": "a table says it in Japanese by now, and the list wants it left out",
    "吃饭の時間です": "a verb stands as a noun, and is said in its dictionary form",
    "结束します": "a table says it in Japanese by now, and the list wants it left out",
    "運動會です": "old shapes of kanji inside JIS X 0208 are read rightly and stay",
    "寫眞を撮ります": "old shapes of kanji inside JIS X 0208 are read rightly and stay",
    "電氣を消してください": "old shapes of kanji inside JIS X 0208 are read rightly and stay",
    "歡迎光臨": "two Japanese words in old shapes",
    "應該できます": "two kanji in old shapes that do not look Chinese enough",
    "㈱ロボットです": "said as 株、ロボット",
    "立って、then座ります": "the guess of an English function word is another one",
    "天气がいいですね": "气 is a kanji of JIS X 0208: left out instead of reshaped",
    "主人，我来了！": "the clause that is left out takes its tone with it",
    "小心，前面有人。": "each clause could be Japanese",
    "谢谢😊ありがとう": "no mark is put where an emoji stood",
}
"""Rows of bad.tsv that come out otherwise, and why."""
KNOWN_GOOD: dict[str, str] = {
    "起来とは書かず、起床と書く。": "talks about a Chinese word",
    "そうですね〜。": "a wave after kana is said as a long vowel",
}
"""Rows of good.tsv that are harmed, and why."""


def marked(rows: list[Row], known: dict[str, str]) -> list[object]:
    return [
        pytest.param(row, id=repr(row.text), marks=[pytest.mark.xfail(reason=known[row.text], strict=True)])
        if row.text in known
        else pytest.param(row, id=repr(row.text))
        for row in rows
    ]


def test_the_lists_are_as_long_as_they_should_be() -> None:
    """The lists that judge the filter do not shrink unnoticed, and hold nothing twice."""
    assert min(len({row.text for row in BAD}), len({row.text for row in GOOD})) >= 300
    assert len(BAD) + len(GOOD) == len({row.text for row in (*BAD, *GOOD)}) + len(
        {row.text for row in BAD} & {row.text for row in GOOD}
    )


def test_every_exception_is_about_a_row_that_is_there() -> None:
    """A known failure that was mended or removed does not stay on the list."""
    assert set(KNOWN_BAD) <= {row.text for row in BAD}
    assert set(KNOWN_GOOD) <= {row.text for row in GOOD}


@pytest.mark.parametrize("row", marked(BAD, KNOWN_BAD))
def test_what_is_bad_is_repaired_or_left_out(row: Row) -> None:
    """A bad string comes out as the list says."""
    assert row.fits(purify(row.text)), purify(row.text)


@pytest.mark.parametrize("row", BAD, ids=lambda row: repr(row.text))
def test_what_comes_out_of_a_bad_string_is_clean(row: Row) -> None:
    """Whatever is said of a bad string, repaired well or not, is inside the allow-list."""
    assert all(map(is_clean, purify(row.text).clean or ""))


@pytest.mark.parametrize("row", marked(GOOD, KNOWN_GOOD))
def test_what_is_good_is_left_alone(row: Row) -> None:
    """A good string is pure, and is spoken as it is but for punctuation and digits."""
    assert unharmed(row.text, purify(row.text)), purify(row.text)
