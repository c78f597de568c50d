"""Count how often a near miss of each kind is right, and write `nearness.tsv`.

    python -m training.brain.nearness --rohan rohan4600_transcript_utf8.txt --out claudiad/data/nearness.tsv

Speaks commands and other things in noise, has the shipped recogniser hear them, and asks the shipped router what it
would have guessed where no exact rule fits. What was heard is kept under `--kept`: after a change of the tables only
new sentences are spoken, and the rest takes a minute. The same seed gives the same table. README.md says what is
assumed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, track

from claudiad.app.parts import brain_tables
from claudiad.brain.router import Tables
from claudiad.brain.tables import DATA
from claudiad.config import Settings
from claudiad.errors import DataError, EngineMissing
from claudiad.robot.registry import load as load_registry
from training.brain import heard, report, said, slips
from training.brain.counts import Judge, Kind, Tally, Trial, confidences, slipped, tally, weigh
from training.brain.said import Saying, Source
from training.stt import corpus

PHRASES = DATA / "phrases.tsv"
ENOUGH = 20
"""Slips of one kind; where fewer were heard, slips are made. Not more, because made ones are too often right: README."""
DRAWS = 60_000
"""Most slips made in search of rare kinds."""
TITLE = "# How often a near miss was right. difference<TAB>frame<TAB>kana of the skeleton from<TAB>right<TAB>wrong"


@dataclass(frozen=True, slots=True)
class Material:
    """What is said, and in how many cases a command's own sentence is not understood: those are left out."""

    spoken: tuple[Saying, ...]
    written: tuple[Saying, ...]
    strange: int


def material(judge: Judge, tables: Tables, rohan: Path | None, seed: int, limit: int | None) -> Material:
    """All sentences. `limit`: the first so many of each source."""
    sources: dict[Source, Iterator[Saying]] = {
        "command": said.commands(PHRASES, tables.phrases.all, tables.actions, said.LISTS, seed),
        "to it": said.to_it(PHRASES, tables.phrases.all, said.LISTS),
        "traps": said.traps(said.LISTS),
    }
    if rohan:
        sources |= {"people": said.people(rohan), "read": said.read(rohan)}
    every = {source: list(islice(sayings, limit)) for source, sayings in sources.items()}
    clear = [s for s in every["command"] if judge.understands(s, corpus.front_end(s.text)[0])]
    strange = len(every["command"]) - len(clear)
    every["command"] = clear
    spoken = [s for source in said.HEARD for s in every.get(source, ())]
    written = [s for source in said.TALK if source not in said.HEARD for s in every.get(source, ())]
    return Material(tuple(spoken), tuple(written), strange)


def listen(judge: Judge, sayings: Sequence[Saying], seed: int, kept: Path, workers: int, shown: Console) -> list[Trial]:
    """Trials of what is spoken; what cannot be spoken, and what nothing was heard of, is left out."""
    takes = [heard.Take(s.text, s.number, clear=s.source == "people") for s in sayings]
    found = dict(heard.hear_all(takes, seed, kept, workers, shown))
    return [
        judge.judge(s, hearing.kana, passes=hearing.passes)
        for s, take in track(list(zip(sayings, takes, strict=True)), "deciding …", console=shown)
        if (hearing := found.get(take)) and hearing.kana
    ]


def top_up(judge: Judge, trials: Sequence[Trial], seed: int, shown: Console) -> list[Trial]:
    """Made slips of the kinds of which fewer than `ENOUGH` were heard, up to as many."""
    commands = [t for t in trials if t.saying.source == "command"]
    readings = {text: corpus.front_end(text)[0] for text in dict.fromkeys(t.saying.text for t in commands)}
    confusions = slips.learn((readings[t.saying.text], t.kana) for t in slipped(commands))
    have = Counter({kind: t.slips for kind, t in tally(trials).items()})
    rng = random.Random(seed)
    out: list[Trial] = []
    if not confusions.pairs:
        return out
    with Progress(console=shown, transient=True) as progress:
        for _ in progress.track(range(DRAWS), description="making slips …"):
            saying = rng.choice(commands).saying
            kana = slips.slip(readings[saying.text], confusions, rng)
            trial = judge.judge(saying, kana, passes=True, made=True)
            if trial.outcome == "guess" and trial.kind and have[trial.kind] < ENOUGH:
                have[trial.kind] += 1
                out.append(trial)
    return out


def table(tallies: Mapping[Kind, Tally], weights: Mapping[Source, float], command: str) -> str:
    """`nearness.tsv`."""
    lines = [TITLE, f"# Made by: {command}"]
    lines += ["\t".join(map(str, (*kind, *t.row(weights)))) for kind, t in tallies.items()]
    return "\n".join(lines) + "\n"


def run(o: argparse.Namespace) -> None:
    """Everything, printed and written. Raises DataError when a table cannot be read, EngineMissing when nothing can be spoken."""
    shown, console = Console(stderr=True), Console(highlight=False)
    tables = brain_tables(Settings(), load_registry())
    judge = Judge(tables)
    what = material(judge, tables, o.rohan, o.seed, o.limit)
    trials = listen(judge, what.spoken, o.seed, o.kept, o.workers, shown)
    trials += [judge.judge(s, s.text, passes=True) for s in track(what.written, "reading …", console=shown)]
    trials += top_up(judge, trials, o.seed, shown)
    tallies, weights = tally(trials), weigh(trials)
    command = "python -m training.brain.nearness" + (f" --rohan {o.rohan.name}" if o.rohan else "")
    command += f" --out {o.out.name if o.out.is_absolute() else o.out} --seed {o.seed}"
    command += f" --limit {o.limit}" if o.limit else ""
    o.out.write_text(table(tallies, weights, command), encoding="utf-8")
    report.sources(console, trials, what.strange)
    report.kinds(console, tallies, weights)
    report.reliability(console, trials, o.seed)
    sure = confidences(tallies, weights)
    report.fates(console, trials, sure)
    report.thresholds(console, trials, sure)
    if o.show:
        report.mistakes(console, trials)
    shown.print(f"written to {o.out}")


def main(argv: Sequence[str] | None = None) -> int:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rohan", type=Path, help="rohan4600_transcript_utf8.txt; without it no talk among people")
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--kept", type=Path, default=Path("build/nearness"), help="what was heard before")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--workers", type=int, default=1)
    a.add_argument("--limit", type=int, help="sentences of each source, for a trial run")
    a.add_argument("--show", action="store_true", help="print every guess that is wrong")
    o = a.parse_args(argv)
    try:
        run(o)
    except (DataError, EngineMissing) as fault:
        print(fault, file=sys.stderr)
        return fault.exit_status
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
