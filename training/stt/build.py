"""The embedded speech model from nothing, in one command.

    python -m training.stt.build --rohan rohan4600_transcript_utf8.txt --out claudiad/data/stt

Speaks the corpus, trains, exports, calibrates, and evaluates on phrasings that were kept out. The sizes are
those of the shipped model: about two hours on two cores, most of it training; `--smoke` runs every stage in a
minute at sizes that learn nothing, and is what the tests run. A stage whose result is already in `--work` is
not run again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = "training.stt"


def stage(name: str, *args: object) -> None:
    """Run one module of the recipe as its own process, its progress on our standard error."""
    print(f"== {name} {' '.join(map(str, args))}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", f"{HERE}.{name}", *map(str, args)], check=True)


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rohan", type=Path, required=True, help="ROHAN transcript (CC0), for phonetic breadth")
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--work", type=Path, default=Path("build/stt"))
    a.add_argument("--families", default="mei,nitech", help="HTS voices; leave one out to measure an unknown speaker")
    a.add_argument("--utterances", type=int, default=7250)
    a.add_argument("--steps", type=int, default=6500)
    a.add_argument("--smoke", action="store_true")
    o = a.parse_args()
    utterances, steps = (40, 4) if o.smoke else (o.utterances, o.steps)
    corpus, checkpoint = o.work / "corpus", o.work / "model.ckpt"
    if not any(corpus.glob("part*.npz")):
        stage("corpus", "--count", utterances, "--out", corpus, "--families", o.families, "--rohan", o.rohan)
    if not checkpoint.exists():
        small = ["--width", 96, "--layers", 2] if o.smoke else []
        stage(
            "train",
            "--corpus",
            corpus,
            "--out",
            checkpoint,
            "--steps",
            steps,
            "--minutes",
            100_000,
            "--run-down",
            0.25,
            *small,
        )
    stage("export", "--model", checkpoint, "--out", o.out)
    if not o.smoke:  # four steps hear nothing, and nothing cannot be calibrated
        stage("calibrate", "--model", o.out, "--rohan", o.rohan)
        stage("export", "--checksums", "--out", o.out)
        stage("evaluate", "--model", o.out, "--rohan", o.rohan, "--voices", "mei,nitech")


if __name__ == "__main__":
    main()
