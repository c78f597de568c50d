"""Take the packaging off a language model's answer: thoughts, code, JSON, Markdown, links, ids. Pure."""

from __future__ import annotations

import re

from claudiad.purity.traced import Traced

# No pattern here may look at a long text once for each place it could begin at: nothing that repeats without a bound is
# tried from within what it repeats.
_THOUGHT = re.compile(r"<think(?:ing)?\b[^<>]*>.*?(?:</think(?:ing)?\s*>|\Z)", re.DOTALL | re.IGNORECASE)
# A closing tag without an opener occurs (docs/facts.md): all before it was thought.
_STRAY_THOUGHT = re.compile(r"\A.*</think(?:ing)?\s*>", re.DOTALL | re.IGNORECASE)
_JSON_FENCE = re.compile(r"```(?:json)?(?=\s*[{\[])|(?<=[}\]])\s*```", re.IGNORECASE)
_FENCE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<\|[^|<>]*\|>|<!--.*?(?:-->|\Z)", re.DOTALL)
_LABEL = r"[^\[\]]*+(?:\[[^\[\]]*+\]?[^\[\]]*+)?"
_TARGET = r"\([^()]*+(?:\([^()]*+\)?[^()]*+)?\)"
"""With at most one more bracket inside: 犬_(動物)."""
_IMAGE = re.compile(rf"!\[{_LABEL}\]{_TARGET}")
_LINK = re.compile(rf"\[({_LABEL})\]{_TARGET}")
# Addresses are ASCII; the Japanese that follows one without a space is not part of it.
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,30}+://|www\.)[!-'*-~]*|[a-z0-9._%+-]{1,64}+@[a-z0-9.-]+", re.IGNORECASE | re.ASCII
)
_LINE_MARK = re.compile(
    r"^(?:[ \t]*+(?:#{1,6}(?=\s|\w)|>+|[-*+•・](?=\s)|\d{1,2}[.)](?=\s))|[-*_=|: \t]{3,}+$)[ \t]*", re.MULTILINE
)
_EMPHASIS = re.compile(r"\*+|_{2,}|~~|`+|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
_BAR = re.compile(r"\|")

_JSON_KEY = re.compile(r"[\"'](\w+)[\"']\s*:\s*")
_JSON_STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)(?:\"|\Z)|'((?:[^'\\]|\\.)*)(?:'|\Z)", re.DOTALL)
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_JSON_SCRAP = re.compile(r"[\"']\s*[}\]]+\s*\Z|\A\s*[{\[]+\s*[\"']")
_SPOKEN_KEYS = ("r", "reply", "speech", "say", "text", "message", "response", "answer", "content")

_ID = r"(?:10[0-6]\d|20[45]\d)"
_IN_BRACKETS = re.compile(
    rf"[(（\[【]\s*+(?:(?:api[_ ]?)?id)?+\s*+[:：=]?+\s*+{_ID}(?:\s*+,\s*+{_ID})*+\s*+[)）\]】]", re.IGNORECASE
)
_NAMED = re.compile(rf"(?:api[_ ]?id|(?<![A-Za-z])id)\s*+[:：=]?+\s*+{_ID}(?![0-9])", re.IGNORECASE)
_NUMBERED = re.compile(rf"(アクション|コマンド|動作)(?:番号)?\s*{_ID}(?![0-9])")
_NOTHING_ELSE = re.compile(rf"\A\W*{_ID}(?:\W+{_ID})*\W*\Z")

_SUSPECT = re.compile(r"[<>`~*_#|\[\]{}\"'@\\]|://|www\.|\d|^[ \t]*[-+•・=]", re.IGNORECASE | re.MULTILINE)
"""What one of the patterns above begins with or needs; without it there is nothing to take off."""


def strip_markup(text: Traced) -> Traced:
    """The words a person is meant to hear, still with whatever punctuation and script they had."""
    if not _SUSPECT.search(text.text):
        return text
    text = text.sub(_THOUGHT, "", "thought").sub(_STRAY_THOUGHT, "", "thought")
    text = text.sub(_JSON_FENCE, "", "markup").sub(_FENCE, "\n", "code")
    text = _from_json(text)
    text = text.sub(_TAG, "", "markup").sub(_IMAGE, "", "markup").sub(_LINK, r"\1", "markup")
    text = text.sub(_ADDRESS, "", "link")
    text = text.sub(_LINE_MARK, lambda m: "" if m[0].strip() else m[0], "markup").sub(_BAR, "、", "markup")
    return _without_ids(text.sub(_EMPHASIS, "", "markup"))


def _without_ids(text: Traced) -> Traced:
    """Without the robot's action ids, which models put beside the words (挨拶します(1016))."""
    text = text.sub(_IN_BRACKETS, "", "id").sub(_NAMED, "", "id").sub(_NUMBERED, r"\1", "id")
    return text.sub(_NOTHING_ELSE, "", "id")


def _from_json(text: Traced) -> Traced:
    """What a JSON object in it says, instead of the object; it may be cut off, or not quite JSON."""
    keys = list(_JSON_KEY.finditer(text.text))
    if not keys:
        return text.sub(_JSON_SCRAP, "", "json")
    brace = text.text.find("{", 0, keys[0].start())
    begin = brace if brace >= 0 else keys[0].start()
    end = text.text.rfind("}", keys[-1].end()) + 1 or len(text.text)
    text.note(begin, end, "json")
    inside = _said(text, keys)
    around = (text.part(0, begin), inside, text.part(end, len(text.text)))
    spoken = [part for part in around if part.text.strip()]
    stop = text.made("\n", begin, end)
    return text.joined(piece for number, part in enumerate(spoken) for piece in ((stop, part) if number else (part,)))


def _said(text: Traced, keys: list[re.Match[str]]) -> Traced:
    for wanted in _SPOKEN_KEYS:
        for key in keys:
            if key[1] == wanted and (value := _JSON_STRING.match(text.text, key.end())):
                return text.part(*value.span(value.lastindex or 0)).sub(_JSON_ESCAPE, _unescaped)
    return text.nothing()


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return {"n": "\n", "r": "\n", "t": " ", "b": "", "f": "", "u": ""}.get(match[2], match[2])
