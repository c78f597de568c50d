"""The filter as a plain function of text, for those who only speak."""

from __future__ import annotations

from claudiad.purity.filter import purify
from claudiad.purity.repertoire import is_clean, is_japanese_kanji, speakable

__all__ = ["gate", "is_clean", "is_japanese_kanji", "speakable"]


def gate(text: str) -> str:
    """Clean Japanese made of `text`, or ``""`` when nothing speakable remains."""
    return purify(text).clean or ""
