"""Take the packaging off a language model's answer: thoughts, code, JSON, Markdown, links. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

_THOUGHT = re.compile(r"<think(?:ing)?\b[^>]*>.*?(?:</think(?:ing)?\s*>|\Z)", re.DOTALL | re.IGNORECASE)
# A closing tag without an opener occurs (docs/facts.md): all before it was thought.
_STRAY_THOUGHT = re.compile(r"\A.*</think(?:ing)?\s*>", re.DOTALL | re.IGNORECASE)
_FENCED_JSON = re.compile(r"\A\s*```(?:json)?\s*(\{.*\})\s*```\s*\Z", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<\|[^|<>]*\|>|<!--.*?-->", re.DOTALL)
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
# Addresses are ASCII; the Japanese that follows one without a space is not part of it.
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)[!-~]*|[a-z0-9._%+-]+@[a-z0-9.-]+", re.IGNORECASE | re.ASCII)
_LINE_MARK = re.compile(
    r"^[ \t]*(?:#{1,6}(?=\s|\w)|>+|[-*+•・](?=\s)|\d{1,2}[.)](?=\s)|[-*_=|: \t]{3,}$)[ \t]*", re.MULTILINE
)
_EMPHASIS = re.compile(r"\*+|_{2,}|~~|`+|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
_JSON_KEY = re.compile(r"[\"'](?:\w|-)+[\"']\s*:")
_SPOKEN_KEYS = ("reply", "speech", "say", "text", "message", "response", "answer", "content")


def strip_markup(text: str) -> str:
    """The words a person is meant to hear, still with whatever punctuation and script they had."""
    text = _THOUGHT.sub("", text)
    text = _STRAY_THOUGHT.sub("", text)
    fenced = _FENCED_JSON.match(text)
    if fenced:
        text = fenced[1]
    text = _from_json(_FENCE.sub("\n", text))
    text = _TAG.sub("", text)
    text = _IMAGE.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _ADDRESS.sub("", text)
    text = _LINE_MARK.sub("", text)
    text = text.replace("|", "、")
    return _EMPHASIS.sub("", text)


def _from_json(text: str) -> str:
    stripped = text.strip()
    if not stripped.startswith(("{", "[")):
        return text
    try:
        value: Any = json.loads(stripped)
    except (ValueError, RecursionError):
        # Cut off or not quite JSON: without its keys the values are left, and they are judged as text.
        return _JSON_KEY.sub("、", text)
    if isinstance(value, dict):
        return next((value[key] for key in _SPOKEN_KEYS if isinstance(value.get(key), str)), "")
    return ""
