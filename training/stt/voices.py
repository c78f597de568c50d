"""Speakers for the training corpus, all from synthesis.

Three families: HTS voices spoken by ``hts_engine`` (Debian package ``htsengine``), random *speaker
transforms* of those voices, and eSpeak NG. A transform is what speaker adaptation (MLLR) would learn:
one affine map of all mel-cepstral means of a voice. Drawn at random it yields a speaker who does not
exist, whose vowels all moved together, which plain filtering or pitch shifting cannot do.
"""

from __future__ import annotations

import random
import re
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 16_000
MCP_ORDER = 35  # static mel-cepstral coefficients per frame, both voices ([STREAM] VECTOR_LENGTH)


def transform_voice(source: Path, target: Path, seed: int, strength: float = 0.085) -> None:
    """Write `source` with its mel-cepstral means moved by one random affine map.

    Layout of an HTS 1.0 voice: text header up to ``[DATA]``, offsets in ``[POSITION]`` relative to it;
    a PDF block is one uint32 count per state, then mean and variance vectors of static+delta+delta².
    """
    raw = bytearray(source.read_bytes())
    base = raw.index(b"[DATA]\n") + len(b"[DATA]\n")
    span = re.search(rb"STREAM_PDF\[MCP\]:(\d+)-(\d+)", bytes(raw[:base]))
    if span is None:
        raise ValueError(f"{source}: no mel-cepstral stream in the header")
    begin, end = base + int(span[1]) + 4 * 5, base + int(span[2]) + 1
    table = np.frombuffer(bytes(raw[begin:end]), dtype="<f4").reshape(-1, MCP_ORDER * 6).copy()
    means = table[:, : MCP_ORDER * 3].reshape(-1, 3, MCP_ORDER).astype(np.float64)
    centre = means[:, 0].mean(axis=0)
    spread = means[:, 0].std(axis=0)
    rng = np.random.default_rng(seed)
    mix = rng.normal(0, strength, (MCP_ORDER, MCP_ORDER)) * np.exp(
        -np.abs(np.subtract.outer(range(MCP_ORDER), range(MCP_ORDER))) / 8
    )
    mix[0] = mix[:, 0] = 0.0  # energy stays
    turn = np.eye(MCP_ORDER) + np.diag(rng.normal(0, 0.05, MCP_ORDER)) + mix * (spread[:, None] / spread[None, :])
    shift = rng.normal(0, 0.35, MCP_ORDER) * spread
    shift[0] = 0.0
    means[:, 0] = centre + (means[:, 0] - centre) @ turn.T + shift
    means[:, 1:] = means[:, 1:] @ turn.T
    table[:, : MCP_ORDER * 3] = means.reshape(len(table), -1)
    raw[begin:end] = table.astype("<f4").tobytes()
    target.write_bytes(bytes(raw))


@dataclass(frozen=True)
class Manner:
    """How one utterance is spoken; ranges are wider than anything measured later."""

    voices: tuple[Path, ...]
    weights: tuple[float, ...]
    rate: float
    half_tones: float
    all_pass: float
    voicing: float
    spectrum_variance: float
    pitch_variance: float
    post_filter: float


def draw_manner(rng: random.Random, voices: list[Path]) -> Manner:
    """A manner over one voice, or over a blend of two (hts_engine interpolates their models)."""
    if len(voices) > 1 and rng.random() < 0.4:
        pair = tuple(rng.sample(voices, 2))
        w = rng.uniform(-0.15, 1.15)
        chosen, weights = pair, (w, 1 - w)
    else:
        chosen, weights = (rng.choice(voices),), (1.0,)
    return Manner(
        voices=chosen,
        weights=weights,
        rate=rng.uniform(0.78, 1.3),
        half_tones=rng.uniform(-6, 6),
        all_pass=rng.choice([0.55, rng.uniform(0.47, 0.62)]),
        voicing=rng.uniform(0.35, 0.65),
        spectrum_variance=rng.uniform(0.6, 1.3),
        pitch_variance=rng.uniform(0.3, 1.6),
        post_filter=rng.choice([0.0, rng.uniform(0.0, 0.4)]),
    )


def read_wave(path: Path) -> tuple[NDArray[np.float32], int]:
    with wave.open(str(path)) as w:
        data = np.frombuffer(w.readframes(w.getnframes()), dtype="<i2").astype(np.float32) / 32768
        return data, w.getframerate()


def to_16k(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    if rate == RATE:
        return samples
    out: NDArray[np.float32] = soxr.resample(samples, rate, RATE, quality="MQ")
    return out


def speak_hts(labels: list[str], manner: Manner) -> NDArray[np.float32]:
    """Full-context labels → float32 samples at 16 kHz; raises CalledProcessError if the engine fails."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as tmp:
        lab, out = Path(tmp) / "x.lab", Path(tmp) / "x.wav"
        lab.write_text("\n".join(labels) + "\n", encoding="utf-8")
        cmd = ["hts_engine"]
        for v in manner.voices:
            cmd += ["-m", str(v)]
        if len(manner.voices) > 1:
            cmd += ["-i", str(len(manner.voices)), *(f"{w:.3f}" for w in manner.weights)]
        cmd += [
            "-r",
            f"{manner.rate:.3f}",
            "-fm",
            f"{manner.half_tones:.2f}",
            "-a",
            f"{manner.all_pass:.3f}",
            "-u",
            f"{manner.voicing:.2f}",
            "-jm",
            f"{manner.spectrum_variance:.2f}",
            "-jf",
            f"{manner.pitch_variance:.2f}",
            "-b",
            f"{manner.post_filter:.2f}",
            "-ow",
            str(out),
            str(lab),
        ]
        subprocess.run(cmd, check=True, capture_output=True, timeout=60)
        return to_16k(*read_wave(out))


ESPEAK_VARIANTS = [
    "",
    "+m1",
    "+m2",
    "+m3",
    "+m4",
    "+m5",
    "+m6",
    "+m7",
    "+f1",
    "+f2",
    "+f3",
    "+f4",
    "+f5",
    "+klatt",
    "+klatt2",
    "+klatt4",
]


def speak_espeak(kana: str, rng: random.Random) -> NDArray[np.float32]:
    """Kana → float32 samples at 16 kHz through eSpeak NG (Debian package ``espeak-ng``)."""
    with tempfile.TemporaryDirectory() as tmp:
        out = Path(tmp) / "x.wav"
        cmd = [
            "espeak-ng",
            "-v",
            "ja" + rng.choice(ESPEAK_VARIANTS),
            "-s",
            str(rng.randint(120, 190)),
            "-p",
            str(rng.randint(15, 85)),
            "-w",
            str(out),
            kana,
        ]
        subprocess.run(cmd, check=True, capture_output=True, timeout=60)
        return to_16k(*read_wave(out))
