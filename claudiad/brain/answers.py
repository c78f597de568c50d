"""What it says when nothing was understood and no model is there: one short, honest Japanese sentence."""

from __future__ import annotations

import re

_QUESTION = re.compile(r"(?:カ|カナ|ノ|カシラ|ナニ|ナン|ダレ|ドコ|イツ|ドオ|イクラ|イクツ|ナゼ|ドオシテ)$")
_ASKING = re.compile(r"^(?:ナニ|ナン|ダレ|ドコ|イツ|ドオ|ドンナ|ドノ|イクラ|イクツ|ナゼ|ドッチ|ドレ)")
_GREETING = re.compile(r"^(?:コンニチワ|コンバンワ|オハヨオ|ハジメマシテ|ヨロシク|アリガトオ)")
_TEACH = re.compile(r"(?:オシエテ|シッテル|シッテイル)(?:クダサイ|クレル|ホシイ|ネ|ヨ)?$")
_ASKED_TO = re.compile(r"(?:テ|デ)(?:クダサイ|クレル|クレマスカ|モラエマスカ|チョオダイ|ホシイ)$")
_NOT = re.compile(
    r"(?:ナイデ|ナクテイイ|ナクテモイイ|イケナイ|チャダメ|ワダメ|イケマセン|ホシクナイ)(?:ヨ|ネ|クダサイ|クレル|デス)*$"
)

QUESTION = "ごめんなさい、それはまだ分かりません。"
REQUEST = "ごめんなさい、それはまだできません。"
FORBIDDEN = "はい、しません。"
GREETING = "こんにちは。"
STATEMENT = "なるほど、そうなんですね。"
UNHEARD = "すみません、もう一度お願いします。"
TOO_LONG = "すみません、一度にできるのは六つまでです。"
TOO_MUCH = "すみません、長くて分かりませんでした。短く言ってください。"


def answer(text: str, key: str) -> tuple[str, str]:
    """(intent, sentence) for a text that no rule took; `key` is its reading."""
    if len(key) < 2:
        return "unheard", UNHEARD
    if _NOT.search(key):
        return "forbidden", FORBIDDEN
    if _TEACH.search(key) or "?" in text or "？" in text or _QUESTION.search(key) or _ASKING.match(key):
        return "question", QUESTION
    if _ASKED_TO.search(key):
        return "request", REQUEST
    if _GREETING.match(key):
        return "greeting", GREETING
    return "statement", STATEMENT


def for_the_hour(reply: str, hour: int | None) -> str:
    """`reply` with its {greeting} filled in: おはようございます until ten, こんばんは from six in the evening."""
    if "{greeting}" not in reply:
        return reply
    greeting = "こんにちは"
    if hour is not None:
        greeting = "おはようございます" if 4 <= hour < 10 else "こんばんは" if hour >= 18 or hour < 4 else greeting
    return reply.replace("{greeting}", greeting)
