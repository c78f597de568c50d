"""What it says when nothing was understood and no model is there: one short, honest Japanese sentence."""

from __future__ import annotations

import re

_QUESTION = re.compile(r"(?:カ|カナ|ノ|カシラ|ナニ|ナン|ダレ|ドコ|イツ|ドオ|イクラ|イクツ|ナゼ|ドオシテ)$")
_ASKING = re.compile(r"^(?:ナニ|ナン|ダレ|ドコ|イツ|ドオ|ドンナ|ドノ|イクラ|イクツ|ナゼ|ドッチ|ドレ)")
_TEACH = re.compile(r"(?:オシエテ|シッテル|シッテイル)(?:クダサイ|クレル|ホシイ|ネ|ヨ)?$")
_EXPLAIN = re.compile(r"(?:セツメエ|カイセツ)シテ(?:クダサイ|クレル|ホシイ|ネ|ヨ)?$")
_NOT = re.compile(
    r"(?:ナイデ|ナクテイイ|ナクテモイイ|イケナイ|チャダメ|ワダメ|イケマセン|ホシクナイ)(?:ヨ|ネ|クダサイ|クレル|デス)*$"
)
_KNOWLEDGE = re.compile(
    r"ニツイテ|ニカンシテ|トワ(?:ナニ|ナン)|ッテ(?:ナニ|ナン)|セツメエ|カイセツ|シクミ|リユウ|^ナゼ|^ドオシテ|^ナンデ"
)
_TONE = r"(?:ナア|ナ|ヨオ|ヨ|ネエ|ネ|ワ|ノ|ダ|デス|マス|ンダ|ンデス|ケド|モン)*$"

KNOWLEDGE = "ごめんなさい、今はよく考えられないので、分かりません。"
QUESTION = "ごめんなさい、それはまだ分かりません。"
REQUEST = "ごめんなさい、それはまだできません。"
FORBIDDEN = "はい、しません。"
GREETING = "こんにちは。"
WEARY = "お疲れ様です。ゆっくり休んでくださいね。"
SAD = "そうでしたか。わたしがそばにいます。"
ILL = "それは大変です。どうかお大事になさってください。"
GLAD = "それはよかったですね。わたしもうれしいです。"
STATEMENT = "なるほど、そうなんですね。"
UNHEARD = "すみません、もう一度お願いします。"
TOO_LONG = "すみません、一度にできるのは六つまでです。"
TOO_MUCH = "すみません、長くて分かりませんでした。短く言ってください。"

_TOLD = tuple(
    (intent, re.compile(pattern), sentence)
    for intent, pattern, sentence in (
        ("request", r"(?:テ|デ)(?:クダサイ|クレル|クレマスカ|モラエマスカ|チョオダイ|ホシイ)$", REQUEST),
        ("greeting", r"^(?:コンニチワ|コンバンワ|オハヨオ|ハジメマシテ|ヨロシク|アリガトオ)", GREETING),
        (
            "weary",
            rf"(?:ツカレ(?:タ|マシタ|チャッタ|テル|テイル)|クタビレタ|シンドイ|ダルイ|ネムイ|ネムタイ){_TONE}",
            WEARY,
        ),
        ("sad", rf"(?:サ[ビミ]シ|カナシ|ツラ)(?:イ|カッタ){_TONE}|(?:シンパイ|フアン){_TONE}", SAD),
        ("ill", rf"(?:アタマ|オナカ|ヒザ|コシ|アシ|ノド|カタ|ハガ|セナカ)(?:ガ|モ)?イタ(?:イ|カッタ){_TONE}", ILL),
        ("glad", rf"(?:ウレシ|タノシ|オモシロ)(?:イ|カッタ)?{_TONE}|タノシミ{_TONE}", GLAD),
    )
)
"""What is told or asked for, the first that fits."""


def answer(text: str, key: str) -> tuple[str, str]:
    """(intent, sentence) for a text that no rule took; `key` is its reading."""
    if len(key) < 2:
        return "unheard", UNHEARD
    if _NOT.search(key):
        return "forbidden", FORBIDDEN
    asks = (p.search(key) for p in (_TEACH, _QUESTION, _ASKING, _EXPLAIN))
    if "?" in text or "？" in text or any(asks):
        return ("knowledge", KNOWLEDGE) if _KNOWLEDGE.search(key) else ("question", QUESTION)
    told = ((intent, sentence) for intent, pattern, sentence in _TOLD if pattern.search(key))
    return next(told, ("statement", STATEMENT))


def for_the_hour(reply: str, hour: int | None) -> str:
    """`reply` with its {greeting} filled in: おはようございます until ten, こんばんは from six in the evening."""
    if "{greeting}" not in reply:
        return reply
    greeting = "こんにちは"
    if hour is not None:
        greeting = "おはようございます" if 4 <= hour < 10 else "こんばんは" if hour >= 18 or hour < 4 else greeting
    return reply.replace("{greeting}", greeting)
