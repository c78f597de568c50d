"""Speak the training sentences: text → reading → labels → many voices → shards of 16 kHz speech.

    python -m training.stt.corpus --count 14000 --seed 1 --out build/corpus

A shard is an ``.npz``: ``pcm`` (int16, all utterances end to end), ``length`` (samples each),
``reading`` (katakana as pronounced), ``text`` and ``voice`` (family: mei, nitech, blend, espeak).
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyopenjtalk
from numpy.typing import NDArray

from training.stt import texts, voices

NITECH = Path("/usr/share/hts-voice/nitech-jp-atr503-m001/nitech_jp_atr503_m001.htsvoice")
MEI = Path(pyopenjtalk.__file__).parent / "htsvoice" / "mei_normal.htsvoice"
KANA = re.compile(r"[^ァ-ヴー]")
# Open JTalk reads these wrong (マテテ, イッカイコロガシテ, トドメロ); people do not.
SPELLED = {
    "待て": "まて",
    "立て": "たて",
    "止めろ": "とめろ",
    "一回転": "いっかいてん",
    "半回転": "はんかいてん",
    "二回転": "にかいてん",
    "三回転": "さんかいてん",
    "前転": "ぜんてん",
    "側転": "そくてん",
    "バク転": "ばくてん",
    "半下がって": "はんさがって",
}
HELDOUT = Path(__file__).with_name("heldout.tsv")
ROHAN_TRAIN = 4000  # the last 600 ROHAN sentences are never trained on: false-motion tests use them


def front_end(text: str) -> tuple[str, list[str]]:
    """Surface text → (pronunciation in katakana, full-context labels)."""
    for written, spelled in SPELLED.items():
        text = text.replace(written, spelled)
    njd = pyopenjtalk.run_frontend(text)
    return KANA.sub("", "".join(f["pron"] for f in njd)), pyopenjtalk.make_label(njd)


def heldout() -> list[tuple[str, str, str]]:
    """(kind, text, expected) rows of the phrasings kept out of training."""
    rows = (line.split("\t") for line in HELDOUT.read_text(encoding="utf-8").splitlines() if line and line[0] != "#")
    return [(r[0], r[1], r[2]) for r in rows]


@dataclass(frozen=True)
class Plan:
    families: tuple[str, ...]
    folder: str
    transforms: int
    espeak_share: float


def family_voices(family: str, folder: Path, transforms: int) -> list[Path]:
    """The voice itself four times (most weight on real voices) and its random relatives."""
    base = {"mei": MEI, "nitech": NITECH}[family]
    relatives = []
    for i in range(transforms):
        target = folder / f"{family}-{i}.htsvoice"
        if not target.exists():
            voices.transform_voice(base, target, seed=hash_seed(family, i))
        relatives.append(target)
    return [base] * max(1, transforms // 2) + relatives


def hash_seed(family: str, i: int) -> int:
    return sum(map(ord, family)) * 1000 + i


def speak(job: tuple[int, str, Plan]) -> tuple[str, str, str, NDArray[np.int16]] | None:
    seed, text, plan = job
    rng = random.Random(seed)
    reading, labels = front_end(text)
    if not 2 <= len(reading) <= 48:
        return None
    try:
        if rng.random() < plan.espeak_share:
            family, samples = "espeak", voices.speak_espeak(reading, rng)
        else:
            family = rng.choice([*plan.families, "blend"] if len(plan.families) > 1 else list(plan.families))
            members = plan.families if family == "blend" else (family,)
            pool = [v for f in members for v in family_voices(f, Path(plan.folder), plan.transforms)]
            manner = voices.draw_manner(rng, pool)
            samples = voices.speak_hts(labels, manner)
    except (subprocess.SubprocessError, OSError) as exc:
        print(f"skipped {text!r}: {exc}", file=sys.stderr)
        return None
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < 1e-3 or not np.isfinite(peak):
        return None
    loud = np.flatnonzero(np.abs(samples) > 0.02 * peak)  # trim the engine's leading and trailing silence
    samples = samples[max(0, loud[0] - 1600) : loud[-1] + 1600]
    if len(samples) > 7.5 * voices.RATE:
        return None
    return text, reading, family, (samples * (0.7 / peak) * 32767).astype(np.int16)


def jobs(count: int, seed: int, plan: Plan, rohan: list[str]) -> Iterator[tuple[int, str, Plan]]:
    forbidden = {front_end(t)[0] for _, t, _ in heldout()}
    for i, text in enumerate(texts.sentences(seed, rohan)):
        if i >= count:
            return
        if front_end(text)[0] not in forbidden:
            yield seed * 1_000_003 + i, text, plan


def build(
    out: Path,
    count: int,
    seed: int,
    families: tuple[str, ...],
    rohan: Path | None,
    shard: int,
    workers: int,
    transforms: int = 16,
    espeak_share: float = 0.12,
) -> None:
    """Speak `count` sentences into `out`, `shard` utterances a file, with progress on standard error."""
    out.mkdir(parents=True, exist_ok=True)
    for f in families:
        family_voices(f, out, transforms)
    plan = Plan(families, str(out), transforms, espeak_share)
    pieces = texts.rohan_pieces(texts.rohan_sentences(rohan)[:ROHAN_TRAIN]) if rohan else list(texts.EVERYDAY_VERBS)
    started, done, part = time.monotonic(), 0, 0
    batch: list[tuple[str, str, str, NDArray[np.int16]]] = []

    def flush() -> None:
        nonlocal part
        np.savez(
            out / f"part{seed}-{part:03d}.tmp.npz",
            pcm=np.concatenate([b[3] for b in batch]),
            length=np.array([len(b[3]) for b in batch]),
            text=np.array([b[0] for b in batch]),
            reading=np.array([b[1] for b in batch]),
            voice=np.array([b[2] for b in batch]),
        )
        (out / f"part{seed}-{part:03d}.tmp.npz").rename(out / f"part{seed}-{part:03d}.npz")
        part += 1
        batch.clear()

    with ProcessPoolExecutor(workers) as pool:
        for result in pool.map(speak, jobs(count, seed, plan, pieces), chunksize=16):
            done += 1
            if result is not None:
                batch.append(result)
            if len(batch) >= shard:
                flush()
            if done % 200 == 0:
                print(
                    f"{done}/{count} spoken, {done / (time.monotonic() - started):.1f}/s", file=sys.stderr, flush=True
                )
        if batch:
            flush()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--count", type=int, default=14_000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--families", default="mei,nitech")
    p.add_argument("--rohan", type=Path, default=None, help="rohan4600_transcript_utf8.txt")
    p.add_argument("--shard", type=int, default=500)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--espeak-share", type=float, default=0.12)
    a = p.parse_args()
    build(
        a.out, a.count, a.seed, tuple(a.families.split(",")), a.rohan, a.shard, a.workers, espeak_share=a.espeak_share
    )


if __name__ == "__main__":
    main()
