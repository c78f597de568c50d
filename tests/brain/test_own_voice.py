"""Which transcripts are what the robot itself was saying."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.brain.near import skeleton
from claudiad.brain.own_voice import SHORTEST, is_own_voice
from claudiad.brain.phrases import load_phrases
from claudiad.brain.reading import reading
from claudiad.robot import registry

PHRASES = Path(__file__).parents[2] / "claudiad" / "data" / "phrases.tsv"
SIT = ("はい、座ります。",)
LIE = ("はい、横になります。",)
DOG = ("犬の形をしたロボット、クラウディアです。",)
HELP = ("座って、踊って、前に進んで、のように話しかけてください。",)
MANY = ("座る、立つ、伏せる、挨拶、ダンス、伸び、ハートができます。", "歩いたり回ったりもできます。")


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("はい、座ります。", SIT),
        ("ハイスワリマス", SIT),
        ("イスワリマス", SIT),
        ("ハイスワリマ", SIT),
        ("スワリマス", SIT),
        ("ハイスアリマス", SIT),
        ("ハイスワリマスー", SIT),
        ("ハイスーリマス", SIT),
        ("ヨコニナリマ", LIE),
        ("ハートガデキマスアルイタリ", MANY),  # over the border of two clauses
        ("マアッタリモレキマス", MANY),
        ("アルイタリマーッタリモデキマス", MANY),
        ("スワッテ", HELP),  # a whole clause, though it is short
        ("ノビ", MANY),
        ("ゼン", ("物を運ぶことはまだできません。",)),
        ("マエニススンデ", HELP),
        ("オドッテマエニスツンデ", HELP),
    ],
)
def test_an_echo_is_its_own_voice(heard: str, said: tuple[str, ...]) -> None:
    """Whole, cut at either end, and with what a recogniser does to it."""
    assert is_own_voice(heard, said)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("座って", SIT),
        ("スワッテ", SIT),
        ("すわれ", SIT),
        ("はい", SIT),
        ("ハイ", ("はい。",)),
        ("ハイ", SIT),
        ("テ", ("手。",)),
        ("うん", SIT),
        ("横になって", LIE),
        ("ヨコニナッテ", LIE),
        ("ヨコニナレ", LIE),
        ("立って", MANY),
        ("踊って", MANY),
        ("前に進んで", SIT),
        ("ハイスワリマスタッテクダサイ", SIT),  # it, and somebody behind it
        ("伏せて", SIT),
        ("お手", LIE),
        ("スワラナイ", SIT),
        ("イヌノカタチオシタロボットクラウディアデスココダヨ", DOG),
        ("ありがとう", SIT),
        ("", SIT),
        ("、。", SIT),
        ("座ります", ()),
        ("座ります", ("",)),
        ("座ります", ("、",)),
    ],
)
def test_a_person_is_not(heard: str, said: tuple[str, ...]) -> None:
    """A command is not the answer to it, a short word is nobody's, and who says more is somebody else."""
    assert not is_own_voice(heard, said)


REPLIES = sorted(
    {
        phrase.reply
        for phrase in load_phrases([PHRASES], registry.askable(registry.load())).all
        if phrase.reply and "{" not in phrase.reply
    }
)


@given(st.sampled_from(REPLIES))
def test_every_reply_is_its_own_voice(reply: str) -> None:
    """Property: as written, and as the recogniser would write it; unless it is too short to tell."""
    long = len(reading(reply)) >= SHORTEST + 2
    assert is_own_voice(reply, [reply]) or not long
    assert is_own_voice(reading(reply), [reply]) or not long


@given(st.sampled_from(REPLIES), st.data())
def test_every_longer_piece_of_a_reply_is(reply: str, data: st.DataObject) -> None:
    """Property: eight kana or more from anywhere in it, one of them wrong."""
    key = reading(reply)
    if len(key) < 10:
        return
    begin = data.draw(st.integers(0, len(key) - 10))
    piece = key[begin : data.draw(st.integers(begin + 10, len(key)))]
    wrong = data.draw(st.integers(0, len(piece) - 2))
    assert is_own_voice(piece[:wrong] + "ヌ" + piece[wrong + 1 :], [reply])


@given(st.text(max_size=60), st.lists(st.text(max_size=40), max_size=4))
def test_it_never_raises(heard: str, said: list[str]) -> None:
    """Property: whatever a recogniser or a model may come up with."""
    assert is_own_voice(heard, said) in (True, False)


@given(st.text(alphabet="アイウエオカサタナハマヤラワン", max_size=SHORTEST - 2), st.sampled_from(REPLIES))
def test_two_kana_are_nobodys(heard: str, reply: str) -> None:
    """Property: so short, only what is a piece of it to the kana is taken for it."""
    assert not is_own_voice(heard, [reply]) or skeleton(reading(heard)) in skeleton(reading(reply))
