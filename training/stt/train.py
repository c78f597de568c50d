"""Train the speech model on a corpus folder, on a CPU or whatever JAX finds.

    python -m training.stt.train --corpus build/corpus --out build/model.npz --minutes 60

Loss: 0.6 cross-entropy of the decoder + 0.4 CTC on the encoder (the CTC term is what makes it learn
to listen before it learns to guess). Constant learning rate with a linear run-down at the end, so a
run can be continued (`--resume`) or cut to any length; an average of the weights is what is kept.
"""

from __future__ import annotations

import argparse
import functools
import json
import pickle
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from training.stt import augment
from training.stt import vocabulary as v
from training.stt.model import Params, Size, decode, encode, init

BUCKETS = (96, 128, 160, 200, 256, 336, 440)  # mel frames of 20 ms
TEXT = {96: 24, 128: 28, 160: 34, 200: 42, 256: 50, 336: 54, 440: 64}
FRAMES_PER_STEP = 4096


def bucket_batch(frames: int) -> int:
    return max(4, FRAMES_PER_STEP // frames)


class Corpus:
    """All shards of a folder in memory as int16; grows when new shards appear."""

    def __init__(self, folder: Path, voices: set[str] | None) -> None:
        self.folder, self.voices = folder, voices
        self.seen: set[Path] = set()
        self.pcm: list[np.ndarray] = []
        self.reading: list[str] = []
        self.refresh()

    def refresh(self) -> int:
        for path in sorted(self.folder.glob("part*-???.npz")):
            if path in self.seen:
                continue
            self.seen.add(path)
            with np.load(path) as z:
                ends = np.cumsum(z["length"])
                pcm = z["pcm"]
                for end, n, r, voice in zip(ends, z["length"], z["reading"], z["voice"], strict=True):
                    if self.voices is None or str(voice) in self.voices:
                        self.pcm.append(pcm[end - n : end])
                        self.reading.append(str(r))
        return len(self.pcm)


def example(rng: np.random.Generator, corpus: Corpus, filters: np.ndarray) -> tuple[np.ndarray, list[int]]:
    if rng.random() < 0.03:
        x = augment.noise(rng, int(rng.uniform(0.5, 3.0) * augment.RATE)) * 10 ** (rng.uniform(-55, -10) / 20)
        return augment.log_mel(x, filters), []
    i = int(rng.integers(len(corpus.pcm)))
    x = corpus.pcm[i].astype(np.float32) / 32768
    target = v.encode(corpus.reading[i])
    if rng.random() < 0.08 and len(x) < 3 * augment.RATE:  # two in a row: longer than anything spoken in one go
        j = int(rng.integers(len(corpus.pcm)))
        x = np.concatenate(
            [
                x,
                np.zeros(int(rng.uniform(0.05, 0.6) * augment.RATE), np.float32),
                corpus.pcm[j].astype(np.float32) / 32768,
            ]
        )
        target = target + v.encode(corpus.reading[j])
    k = int(rng.integers(len(corpus.pcm)))
    babble = corpus.pcm[k][::-1].astype(np.float32) / 32768
    return augment.mask(rng, augment.log_mel(augment.spoil(rng, x, babble), filters)), target


def batches(rng: np.random.Generator, corpus: Corpus) -> Iterator[dict[str, np.ndarray]]:
    filters = augment.mel_filters()
    pools: dict[int, list[tuple[np.ndarray, list[int]]]] = {b: [] for b in BUCKETS}
    while True:
        mel, target = example(rng, corpus, filters)
        b = next((b for b in BUCKETS if len(mel) <= b and len(target) + 2 <= TEXT[b]), None)
        if b is None:
            continue
        pools[b].append((mel, target))
        if len(pools[b]) < bucket_batch(b):
            continue
        rows, pools[b] = pools[b], []
        n, text = len(rows), TEXT[b]
        out = {
            "mel": np.zeros((n, b, augment.MELS), np.float32),
            "inp": np.full((n, text), v.EOT_ID, np.int32),
            "tgt": np.full((n, text), v.EOT_ID, np.int32),
            "wgt": np.zeros((n, text), np.float32),
            "ctc": np.zeros((n, text), np.int32),
            "ctc_pad": np.ones((n, text), np.float32),
        }
        for r, (m, t) in enumerate(rows):
            out["mel"][r] = m.min()
            out["mel"][r, : len(m)] = m
            noisy = [int(rng.integers(1, v.CTC_CLASSES)) if rng.random() < 0.06 else c for c in t]
            out["inp"][r, : len(t) + 2] = [v.SOT_ID, v.NOTS_ID, *noisy]
            out["tgt"][r, 1 : len(t) + 2] = [*t, v.EOT_ID]
            out["wgt"][r, 1 : len(t) + 2] = 1.0
            out["ctc"][r, : len(t)] = t
            out["ctc_pad"][r, : len(t)] = 0.0
        yield out


def loss_fn(p: Params, batch: dict[str, jax.Array], key: jax.Array, s: Size) -> tuple[jax.Array, dict[str, jax.Array]]:
    memory = encode(p, batch["mel"], s, key, 0.05)
    ctc_logits = memory @ p["ctc"]["w"] + p["ctc"]["b"]
    steps = jnp.zeros(ctc_logits.shape[:2])
    ctc = (
        optax.ctc_loss(ctc_logits, steps, batch["ctc"], batch["ctc_pad"]) / (1 + (1 - batch["ctc_pad"]).sum(1))
    ).mean()
    logits = decode(p, batch["inp"], memory, s)
    soft = optax.smooth_labels(jax.nn.one_hot(batch["tgt"], logits.shape[-1]), 0.08)
    ce = (optax.softmax_cross_entropy(logits, soft) * batch["wgt"]).sum() / batch["wgt"].sum()
    hit = ((logits.argmax(-1) == batch["tgt"]) * batch["wgt"]).sum() / batch["wgt"].sum()
    return 0.6 * ce + 0.4 * ctc, {"ce": ce, "ctc": ctc, "hit": hit}


def make_step(s: Size, tx: optax.GradientTransformation) -> Any:
    @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(
        p: Params, opt: Any, avg: Params, batch: dict[str, jax.Array], key: jax.Array, lr: jax.Array, decay: jax.Array
    ) -> Any:
        (loss, info), grad = jax.value_and_grad(loss_fn, has_aux=True)(p, batch, key, s)
        updates, opt = tx.update(grad, opt, p)
        p = jax.tree.map(lambda a, u: a + lr * u, p, updates)
        avg = jax.tree.map(lambda a, b: decay * a + (1 - decay) * b, avg, p)
        return p, opt, avg, loss, info

    return step


def optimiser() -> optax.GradientTransformation:
    return optax.chain(
        optax.clip_by_global_norm(1.0),
        optax.scale_by_adam(0.9, 0.98, 1e-8),
        optax.add_decayed_weights(0.02),
        optax.scale(-1.0),
    )


def save(path: Path, params: Params, size: Size, state: dict[str, Any]) -> None:
    tmp = path.with_suffix(".tmp")
    with tmp.open("wb") as f:
        pickle.dump(
            {
                "params": jax.tree.map(np.asarray, params),
                "size": size.__dict__,
                "state": jax.tree.map(np.asarray, state),
            },
            f,
        )
    tmp.replace(path)


def train(
    corpus_folder: Path,
    out: Path,
    minutes: float,
    max_steps: int,
    size: Size,
    peak: float,
    run_down: float,
    resume: Path | None,
    voices: set[str] | None,
    seed: int,
    warm: int = 400,
) -> dict[str, float]:
    """Run and write `out`; returns the last averaged figures. `run_down` = share of the run with falling rate."""
    corpus = Corpus(corpus_folder, voices)
    print(f"{len(corpus.pcm)} utterances", file=sys.stderr, flush=True)
    rng = np.random.default_rng(seed)
    tx = optimiser()
    if resume:
        with resume.open("rb") as f:
            saved = pickle.load(f)  # noqa: S301 - our own checkpoint
        size = Size(**saved["size"])
        p, opt, avg, step_no = (jax.tree.map(jnp.asarray, saved["state"][k]) for k in ("p", "opt", "avg", "step"))
        step_no = int(step_no)
    else:
        p = init(jax.random.PRNGKey(seed), size)
        opt, avg, step_no = tx.init(p), jax.tree.map(jnp.copy, p), 0
    step = make_step(size, tx)
    key = jax.random.PRNGKey(seed + 1)
    started, shown, first = time.monotonic(), time.monotonic(), step_no
    mean: dict[str, float] = {}
    source = batches(rng, corpus)
    t_data = 0.0
    while True:
        t0 = time.monotonic()
        batch = next(source)
        t_data += time.monotonic() - t0
        spent = max((t0 - started) / (60 * minutes), (step_no - first) / max_steps)
        if spent >= 1.0:
            break
        lr = peak * min(1.0, (step_no + 1) / warm) * (min(1.0, (1 - spent) / run_down) if run_down else 1.0)
        decay = min(0.998, (step_no + 1) / (step_no + 20))
        p, opt, avg, _loss, info = step(p, opt, avg, batch, jax.random.fold_in(key, step_no), lr, decay)
        step_no += 1
        for k, val in info.items():
            mean[k] = 0.98 * mean.get(k, float(val)) + 0.02 * float(val)
        if time.monotonic() - shown > 20:
            shown = time.monotonic()
            n = corpus.refresh()
            rate = (step_no - first) / (shown - started)
            print(
                json.dumps(
                    {
                        "step": step_no,
                        "min": round((shown - started) / 60, 1),
                        "lr": round(float(lr), 6),
                        "steps/s": round(rate, 2),
                        "data": round(t_data / (shown - started), 2),
                        "utt": n,
                        **{k: round(x, 3) for k, x in mean.items()},
                    }
                ),
                file=sys.stderr,
                flush=True,
            )
            save(out, avg, size, {"p": p, "opt": opt, "avg": avg, "step": step_no})
    save(out, avg, size, {"p": p, "opt": opt, "avg": avg, "step": step_no})
    return mean


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--corpus", type=Path, required=True)
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--minutes", type=float, default=60)
    a.add_argument("--steps", type=int, default=1_000_000)
    a.add_argument("--peak", type=float, default=1.5e-3)
    a.add_argument("--run-down", type=float, default=0.3)
    a.add_argument("--width", type=int, default=192)
    a.add_argument("--layers", type=int, default=5)
    a.add_argument("--resume", type=Path)
    a.add_argument("--voices", help="only these families (leave-one-out), comma separated")
    a.add_argument("--seed", type=int, default=1)
    o = a.parse_args()
    size = Size(width=o.width, encoder_layers=o.layers, heads=o.width // 48)
    train(
        o.corpus,
        o.out,
        o.minutes,
        o.steps,
        size,
        o.peak,
        o.run_down,
        o.resume,
        set(o.voices.split(",")) if o.voices else None,
        o.seed,
    )


if __name__ == "__main__":
    main()
