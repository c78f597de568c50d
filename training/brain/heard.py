"""Sentences as the shipped recogniser hears them in noise; what was heard once is kept.

Each take has a speaker, a pace, a pitch and a noise drawn from its own seed, so it sounds the same in every run and
alone. SNR is drawn evenly from 18 to 0 dB: far worse than the training's 8 to 40, because it is slips that are
wanted. Below 0 dB there are few left: what is heard there is dropped, or like no phrase at all. What is not meant for
the robot is spoken clearly instead, at 18 to 35 dB: it is clear talk that the vocabulary score lets through.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy.signal import fftconvolve  # type: ignore[import-untyped]  # no stubs in the development environment

from claudiad.config import SttSettings
from claudiad.errors import EngineMissing
from claudiad.stt.embedded import EmbeddedRecogniser
from claudiad.stt.load import EMBEDDED
from claudiad.types import Pcm
from training.stt import augment, corpus, texts, voices

ENGINES = ("hts_engine", "espeak-ng")
MANNER = 1
"""Counted up when anything below makes a take sound otherwise: what was heard before is then not used."""
SNR_DB = (0.0, 18.0)
CLEAR_SNR_DB = (18.0, 35.0)
STRANGERS = 24
"""Speakers made at random of each HTS voice, by seeds no corpus of the recogniser has."""
STRANGER_SEED = 2_000_000
ESPEAK_SHARE = 0.12
BABBLE_SHARE = 0.15
SETTINGS = SttSettings(threads=1)


@dataclass(frozen=True, slots=True)
class Take:
    """One sentence said one time."""

    text: str
    number: int
    clear: bool = False
    """In little noise."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What became of a take."""

    reading: str
    """As pronounced."""
    kana: str
    """As recognised, whatever the vocabulary score says; empty when nothing was."""
    oov: float
    """Out-of-vocabulary score, 0..1."""
    looped: bool
    """Dropped as a hallucination."""
    snr_db: float
    voice: str

    @property
    def passes(self) -> bool:
        """True when the daemon would have let it through to the router."""
        return bool(self.kana) and not self.looped and self.oov <= SETTINGS.oov_threshold


_COLUMNS = "reading, kana, oov, looped, snr_db, voice"


def hear_all(
    takes: Sequence[Take], seed: int, kept: Path, workers: int, console: Console
) -> Iterator[tuple[Take, Hearing]]:
    """(take, hearing) in the order given, those left out that cannot be spoken.

    `kept`: folder of what was heard before, by seed, voices and recogniser. Interrupted, it goes on where it was.
    Raises EngineMissing when there is something to speak and nothing to speak it with.
    """
    kept.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(kept / f"heard-{MANNER}-{seed}-{_ear()}-{'-'.join(_voices())}.sqlite", isolation_level=None)
    db.execute(f"CREATE TABLE IF NOT EXISTS heard (text, number, clear, {_COLUMNS}, PRIMARY KEY (text, number, clear))")
    known = {Take(text, n, bool(clear)): rest for text, n, clear, *rest in db.execute("SELECT * FROM heard")}
    wanted = [take for take in dict.fromkeys(takes) if take not in known]
    if wanted:
        if missing := [engine for engine in ENGINES if not shutil.which(engine)]:
            raise EngineMissing(f"{' and '.join(missing)} not found; scripts/system-packages test installs them")
        with ProcessPoolExecutor(workers, initializer=_listen, initargs=(str(kept),)) as pool:
            made = pool.map(_hear, wanted, [seed] * len(wanted), chunksize=8)
            for take, heard in track(zip(wanted, made, strict=True), "hearing …", len(wanted), console=console):
                row = [None] * 6 if heard is None else list(astuple(heard))
                db.execute("INSERT INTO heard VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*astuple(take), *row))
                known[take] = row
    db.close()
    for take in takes:
        reading, kana, oov, looped, snr_db, voice = known[take]
        if reading is not None:
            yield take, Hearing(reading, kana, oov, bool(looped), snr_db, voice)


def _ear() -> str:
    return hashlib.sha256((EMBEDDED / "SHA256SUMS").read_bytes()).hexdigest()[:8]


def _voices() -> list[str]:
    return ["mei", "nitech"] if corpus.NITECH.exists() else ["mei"]


_recogniser: EmbeddedRecogniser | None = None
_folder = Path(tempfile.gettempdir())


def _listen(folder: str) -> None:
    global _recogniser, _folder  # one recogniser per worker process
    _recogniser, _folder = EmbeddedRecogniser(SETTINGS), Path(folder)


def _hear(take: Take, seed: int) -> Hearing | None:
    assert _recogniser is not None, "the pool's initialiser sets it"
    number = int.from_bytes(
        hashlib.sha256(f"{seed} {take.number} {take.text}{' clear' * take.clear}".encode()).digest()[:8]
    )
    reading, labels = corpus.front_end(take.text)
    if not 2 <= len(reading) <= 60:
        return None
    rng = random.Random(number)
    try:
        voice, speech = _speak(reading, labels, rng)
        snr_db = rng.uniform(*(CLEAR_SNR_DB if take.clear else SNR_DB))
        pcm = in_noise(speech, snr_db, np.random.default_rng(number), _babble(rng))
    except subprocess.SubprocessError:
        return None
    heard = _recogniser.recognise(pcm)
    return Hearing(reading, heard.text, round(heard.oov, 4), heard.dropped == "hallucination", round(snr_db, 1), voice)


def _speak(reading: str, labels: list[str], rng: random.Random) -> tuple[str, NDArray[np.float32]]:
    if rng.random() < ESPEAK_SHARE:
        return "espeak", voices.speak_espeak(reading, rng)
    family = rng.choice(_voices())
    base = {"mei": corpus.MEI, "nitech": corpus.NITECH}[family]
    # The voice itself, which the recogniser knows, and strangers.
    stranger = rng.randrange(-STRANGERS // 2, STRANGERS)
    path = base if stranger < 0 else _stranger(base, family, stranger)
    return family if stranger < 0 else "stranger", voices.speak_hts(labels, voices.draw_manner(rng, [path]))


def _stranger(base: Path, family: str, number: int) -> Path:
    path = _folder / f"{family}-{number}.htsvoice"
    if not path.exists():
        with tempfile.NamedTemporaryFile(dir=_folder, delete=False) as made:
            voices.transform_voice(base, Path(made.name), seed=STRANGER_SEED + corpus.hash_seed(family, number))
        Path(made.name).replace(path)
    return path


def _babble(rng: random.Random) -> NDArray[np.float32] | None:
    """Now and then another person."""
    if rng.random() >= BABBLE_SHARE:
        return None
    return voices.speak_espeak(corpus.front_end(texts.chatter(rng))[0], rng)


def in_noise(
    speech: NDArray[np.float32], snr_db: float, rng: np.random.Generator, babble: NDArray[np.float32] | None = None
) -> Pcm:
    """Speech in a room with noise, or somebody else's speech, `snr_db` below the voice; 16 kHz."""
    x = augment.stretch(speech, rng.uniform(0.86, 1.16))
    power = float(np.sqrt(np.mean(np.square(x)))) + 1e-9
    x = np.pad(x, (int(rng.uniform(0.1, 0.3) * augment.RATE), int(rng.uniform(0.1, 0.3) * augment.RATE)))
    if rng.random() < 0.4:
        x = fftconvolve(x, augment.room(rng))[: len(x)].astype(np.float32)
    noise = augment.noise(rng, len(x)) if babble is None else np.resize(babble, len(x))
    level = float(np.sqrt(np.mean(np.square(noise)))) + 1e-9
    x = x + noise * (power / level) * 10 ** (-snr_db / 20)
    x = x / (np.abs(x).max() + 1e-9) * rng.uniform(0.15, 0.9)
    out: Pcm = (x * 32767).astype(np.int16)
    return out
