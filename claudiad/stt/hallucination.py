"""What Whisper says about silence: known sentences it learned from subtitles, and loops.

Only a whole utterance is ever dropped, and only when the evidence of speech is weak as well: people
do say ありがとうございました. List: docs/facts.md.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib import resources

_PUNCTUATION = re.compile(r"[\s、。！？!?.,・…「」『』()（）]+")
_LOOP = re.compile(r"(.{1,12}?)\1{4,}")


def _plain(text: str) -> str:
    return _PUNCTUATION.sub("", unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=1)
def known() -> tuple[re.Pattern[str], ...]:
    """Patterns of the shipped list, one regular expression a line, matched against the whole utterance."""
    table = resources.files("claudiad.data").joinpath("hallucinations.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in table.splitlines())
    return tuple(re.compile(line) for line in lines if line and not line.startswith("#"))


def is_known(text: str) -> bool:
    """True when the whole text is one of the sentences Whisper is known to make up."""
    plain = _plain(text)
    return any(p.fullmatch(plain) for p in known())


def is_loop(text: str) -> bool:
    """True when a short piece repeats five times or more and makes up most of the text."""
    plain = _plain(text)
    found = _LOOP.search(plain)
    return found is not None and len(found[0]) > 0.6 * len(plain) and len(plain) >= 10
