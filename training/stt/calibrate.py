"""Fit the out-of-vocabulary score: a logistic regression on the evidence, on speech nobody trained on.

    python -m training.stt.calibrate --model claudiad/data/stt --rohan rohan4600_transcript_utf8.txt

Wanted (score 0): held-in command texts with new seeds that were recognised exactly. Unwanted (score 1): ROHAN
sentences that came out wrong, noise, music-like sound and speech played backwards. Writes ``calibration.json``
into the model folder. The threshold 0.5 is then `stt.oov_threshold`'s default.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from training.stt import augment, evaluate, texts

FEATURES = ("decoder_log_p", "gap", "sharpness", "rate")
ROHAN_TUNE = slice(3900, 4000)  # trained on, but not as these clauses' noisy twins; the test uses 4000 and later


def fit(good: NDArray[np.float64], bad: NDArray[np.float64]) -> dict[str, float]:
    """Weights on raw features. A command refused costs twice an intruder let in: the router refuses most of those."""
    x = np.vstack([good, bad])
    mean, scale = x.mean(0), x.std(0) + 1e-6
    z = np.hstack([(x - mean) / scale, np.ones((len(x), 1))])
    y = np.r_[np.zeros(len(good)), np.ones(len(bad))]
    w = np.r_[np.full(len(good), 2 / 3 / len(good)), np.full(len(bad), 1 / 3 / len(bad))]

    def loss(c: NDArray[np.float64]) -> float:
        s = z @ c
        return float((w * (np.logaddexp(0, s) - y * s)).sum() + 1e-3 * (c[:-1] ** 2).sum())

    c = minimize(loss, np.zeros(z.shape[1]), method="L-BFGS-B").x
    raw = c[:-1] / scale
    return {**dict(zip(FEATURES, raw.tolist(), strict=True)), "bias": float(c[-1] - raw @ mean)}


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--model", type=Path, required=True)
    a.add_argument("--rohan", type=Path, required=True)
    a.add_argument("--count", type=int, default=300)
    a.add_argument("--workers", type=int, default=2)
    o = a.parse_args()
    from claudiad.config import SttSettings
    from claudiad.stt.embedded import CALIBRATION, EmbeddedRecogniser

    placeholder = o.model / CALIBRATION
    if not placeholder.exists():
        placeholder.write_text(json.dumps(dict.fromkeys((*FEATURES, "bias"), 0.0)))
    recogniser = EmbeddedRecogniser(SttSettings(), str(o.model))
    families = ["mei", "nitech"] if evaluate.corpus.NITECH.exists() else ["mei"]
    stream = itertools.islice(texts.sentences(77, ["あ"]), 4 * o.count)
    wanted = [t for t in stream if len(t) > 1][: o.count]
    pieces = texts.rohan_pieces(texts.rohan_sentences(o.rohan)[ROHAN_TUNE])[: o.count]
    work = [evaluate.Item("wanted", t, "", families[i % len(families)], 5_000_000 + i) for i, t in enumerate(wanted)]
    work += [evaluate.Item("rohan", t, "", families[i % len(families)], 6_000_000 + i) for i, t in enumerate(pieces)]
    with ProcessPoolExecutor(o.workers) as pool:
        spoken = list(pool.map(evaluate.pronounce, work, chunksize=8))
    good, bad = [], []
    for item, reading, pcm in spoken:
        kana, e = recogniser.hear(pcm)
        row = [asdict(e)[f] for f in FEATURES]
        if item.kind == "wanted" and kana == reading:
            good.append(row)
        elif item.kind == "rohan" and kana != reading:
            bad.append(row)
        if item.kind == "wanted":
            bad.append([asdict(recogniser.hear(pcm[::-1].copy())[1])[f] for f in FEATURES])
    rng = np.random.default_rng(3)
    for _ in range(o.count // 2):
        x = augment.noise(rng, int(rng.uniform(0.5, 3) * augment.RATE))
        x = (x / np.abs(x).max() * rng.uniform(0.05, 0.9) * 32767).astype(np.int16)
        kana, e = recogniser.hear(x)
        if kana:
            bad.append([asdict(e)[f] for f in FEATURES])
    weights = fit(np.array(good), np.array(bad))
    placeholder.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    g, b = (np.array(m) @ [weights[f] for f in FEATURES] + weights["bias"] for m in (good, bad))
    print(
        json.dumps(
            {
                "wanted": len(g),
                "wanted refused": float((g > 0).mean()),
                "unwanted": len(b),
                "unwanted let in": float((b < 0).mean()),
            }
        ),
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
