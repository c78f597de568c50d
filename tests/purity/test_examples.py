"""Examples of what comes out of a text, one layer at a time; and kana and kanji that nothing happens to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.purity.filter import purify
from claudiad.purity.repertoire import is_japanese_kanji


@given(
    st.lists(
        st.sampled_from(["今日は", "右に", "犬が", "アンコ", "ぱ", "ャッ", "歩く", "座って", "ニャー"]), min_size=1
    )
)
def test_plain_japanese_is_untouched(words: list[str]) -> None:
    """Kana and kanji without marks come out as they went in."""
    assert purify("".join(words)).clean == "".join(words)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>用户说你好</think>はい、立ちます！", "はい、立ちます！"),
        ("考えています</think>はい。", "はい。"),
        ("はい。<think>まだ考えている", "はい。"),
        ('```json\n{"reply": "こんにちは", "action": "hello"}\n```', "こんにちは"),
        ('{"action": "sit", "reply": "座ります。"}', "座ります。"),
        ('{"reply": "座りま', "座りま"),
        ("```python\nprint(1)\n```", None),
        ("# 見出し\n- **一つ**目\n- 二つ目", "見出し。一つ目。二つ目"),
        ("[ここ](https://example.com)を見て", "ここを見て"),
        ("https://example.com/を見て、はい", "を見て、はい"),
        ("電池は85%です😊", "電池は85パーセントです"),
        ("１．５ｍ歩いて、1,000回", "1.5メートル歩いて、1000回"),
        ("気温は-5℃です", "気温はマイナス5度です"),
        ("10:30に起きる", "10時30分に起きる"),
        ("10〜20秒", "10から20秒"),
        ("ﾊﾝｶｸ｡", "ハンカク。"),
        ("OK！Go2です。", "オーケー！ゴーツーです。"),
        ("すごい！！？", "すごい？"),
        ("はい\x00い\u202eえ", "はいいえ"),
        ("😊", None),
        ("。。、", None),
        ("", None),
    ],
)
def test_packaging_is_taken_off(text: str, said: str | None) -> None:
    """Thoughts, code, JSON, Markdown, links, emoji and signs go or become words; the Japanese stays."""
    assert purify(text).clean == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("然后座ります", "それから座ります"),
        ("但是、行きます", "でも、行きます"),
        ("谢谢！", "ありがとう！"),
        ("好的，我来帮你。座りますね。", "はい。座りますね。"),
        ("今天天气很好。散歩に行きましょう。", "散歩に行きましょう。"),
        ("我说这么多吧", None),
        ("友好的な犬です。", "友好的な犬です。"),
        ("是非、立ってください。", "是非、立ってください。"),
        ("Hello world! はい。", "はい。"),
        ("はい。Wow!", "はい。"),
        ("안녕하세요。はい。", "はい。"),
    ],
)
def test_other_languages_are_translated_or_left_out(text: str, said: str | None) -> None:
    """Known Chinese words are said in Japanese, other foreign clauses not at all, and look-alikes in Japanese stay."""
    assert purify(text).clean == said


@pytest.mark.parametrize("character", "說们这么吧你说扑")
def test_chinese_kanji_are_not_japanese(character: str) -> None:
    """Kanji outside JIS X 0208 are refused."""
    assert not is_japanese_kanji(character)


@pytest.mark.parametrize("character", "剝噓塡瘦髙﨑頰擦然后犬")
def test_japanese_kanji_are_kept(character: str) -> None:
    """JIS X 0208 and the allowed kanji beyond it pass, also through the normalisation."""
    assert is_japanese_kanji(character)
    assert purify(f"{character}です").clean == f"{character}です"
