"""Microseconds per decision, over everything the tests know: commands, stops, traps, everyday sentences.

python -m bench.brain [--rounds 20]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rich.console import Console

from bench.report import machine, percentile_table, percentiles, save, title
from claudiad.app.parts import brain_tables
from claudiad.brain.router import Router
from claudiad.config import Settings
from claudiad.robot.registry import load as load_registry
from claudiad.types import Posture, RobotState

DATA = Path(__file__).resolve().parent.parent / "tests" / "brain" / "data"
FILES = {
    "commands": ("commands.tsv", 0),
    "stops": ("stops.tsv", 1),
    "traps": ("traps.txt", 0),
    "everyday": ("everyday.txt", 0),
}
"""Kind → file and the column its texts are in."""
STANDING = RobotState(Posture.STANDING, 100)


def texts(file: str, column: int) -> list[str]:
    """The sentences of one test table."""
    lines = (DATA / file).read_text(encoding="utf-8").splitlines()
    return [line.split("\t")[column] for line in lines if line.strip() and not line.startswith("#")]


def decide_us(router: Router, text: str) -> float:
    """One decision, microseconds."""
    began = time.perf_counter_ns()
    router.decide(text, STANDING)
    return (time.perf_counter_ns() - began) / 1000.0


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=20, help="how often each sentence is decided (default 20)")
    rounds = p.parse_args().rounds
    where = machine()
    began = time.perf_counter()
    router = Router(brain_tables(Settings(), load_registry()))
    loading_ms = (time.perf_counter() - began) * 1000.0
    sentences = {kind: texts(*place) for kind, place in FILES.items()}
    # The first decision loads the morphological dictionary: start-up, not deciding.
    router.decide("お座り", STANDING)
    times = {
        kind: [decide_us(router, text) for _ in range(rounds) for text in several]
        for kind, several in sentences.items()
    }
    console = Console()
    title(console, "bench-brain: one decision, text in, plan out", where)
    everything = [t for several in times.values() for t in several]
    percentile_table(console, {**times, "all": everything}, "µs per decision")
    shown = ", ".join(f"{len(several)} {kind}" for kind, several in sentences.items())
    console.print(f"{shown}, {rounds} rounds; tables loaded in {loading_ms:.0f} ms")
    path = save(
        "bench-brain",
        where,
        {
            "rounds": rounds,
            "loading_ms": round(loading_ms, 1),
            "us": {kind: percentiles(several) for kind, several in {**times, "all": everything}.items()},
        },
    )
    console.print(f"written to {path}")


if __name__ == "__main__":
    main()
