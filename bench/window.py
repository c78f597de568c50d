"""The same utterances recognised twice: the encoder window cut to the utterance, and padded to Whisper's 30 s.

    python -m bench.window [--utterances 100]

The embedded model never saw 30 s in its training, so only the times compare, not the texts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from rich.console import Console
from rich.progress import Progress

from bench.report import machine, percentile_table, percentiles, save, title
from bench.sentences import sentences, speak
from claudiad.config import Settings, SttSettings
from claudiad.stt.base import Recogniser
from claudiad.stt.engines import open_recogniser
from claudiad.types import Pcm

FULL_S = 30.0


@dataclass(frozen=True, slots=True)
class Windows:
    """Milliseconds per utterance, pairwise."""

    short_ms: tuple[float, ...]
    full_ms: tuple[float, ...]
    same_text: int
    """How often both gave the same text."""


def compare(settings: SttSettings, utterances: Sequence[Pcm], progress: Progress) -> Windows:
    """Recognise each utterance in both windows, one right after the other, so that both meet the same machine."""
    short = open_recogniser(settings, settings.model)
    full = open_recogniser(settings.model_copy(update={"window_s": FULL_S}), settings.model)
    for each in (short, full):
        each.recognise(utterances[0])
    pairs = [
        (_timed(short, pcm), _timed(full, pcm))
        for pcm in progress.track(utterances, description="short window and 30 s …")
    ]
    return Windows(
        tuple(a for (a, _), _ in pairs),
        tuple(b for _, (b, _) in pairs),
        sum(one == other for (_, one), (_, other) in pairs),
    )


def _timed(recogniser: Recogniser, pcm: Pcm) -> tuple[float, str]:
    began = time.perf_counter()
    text = recogniser.recognise(pcm).text
    return (time.perf_counter() - began) * 1000.0, text


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--utterances", type=int, default=100, help="from the list of bench-turn (default 100)")
    count = max(1, p.parse_args().utterances)
    console, where = Console(highlight=False), machine()
    title(console, f"bench.window: {count} utterances", where)
    with Progress(console=console) as bar:
        said = [speak(s) for s in bar.track(list(islice(sentences(), count)), description="preparing the speech …")]
        found = compare(Settings().stt, said, bar)
    rows = {"window cut to the utterance": found.short_ms, f"padded to {FULL_S:g} s": found.full_ms}
    percentile_table(console, rows, "ms per recognition", digits=1)
    ratio = percentiles(found.full_ms)["p50"] / percentiles(found.short_ms)["p50"]
    console.print(f"30 s costs {ratio:.1f} times the short window (medians)")
    result = {"ms": {name: percentiles(values) for name, values in rows.items()}, "ratio": round(ratio, 2)}
    console.print(f"written to {save('bench-window', where, result)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
