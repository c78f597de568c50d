"""The recipe of the embedded model, run for real at a size that learns nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from claudiad.config import SttSettings
from claudiad.stt.embedded import EmbeddedRecogniser

ROOT = Path(__file__).parents[2]
SENTENCE = "ROHAN4600_{:04d}:今日(きょう)はよい天気(てんき)だ。,キョーワヨイテンキダ。\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder made by the one command of the recipe, from nothing."""
    folder = tmp_path_factory.mktemp("recipe")
    rohan = folder / "rohan.txt"
    rohan.write_text("".join(SENTENCE.format(i) for i in range(1, 5)), encoding="utf-8")
    command = [sys.executable, "-m", "training.stt.build", "--smoke", "--families", "mei"]
    command += ["--rohan", str(rohan), "--work", str(folder / "work"), "--out", str(folder / "stt")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "stt"


def test_the_recipe_makes_a_model_the_recogniser_loads(model: Path) -> None:
    """What the recipe exports is loaded and run by the very class that runs the shipped model."""
    noise = (np.random.default_rng(1).standard_normal(16_000) * 3000).astype(np.int16)
    kana, evidence = EmbeddedRecogniser(SttSettings(), str(model)).hear(noise)
    assert set(kana) <= set((ROOT / "training/stt/vocabulary.py").read_text(encoding="utf-8"))
    assert evidence.gap >= 0.0


def test_stock_faster_whisper_transcribes_with_it(model: Path) -> None:
    """The folder is an ordinary faster-whisper model: `transcribe` runs on it unchanged."""
    from faster_whisper import WhisperModel

    whisper = WhisperModel(str(model), device="cpu", compute_type="int8")
    segments, info = whisper.transcribe(np.zeros(16_000, np.float32), beam_size=1, temperature=0.0)
    assert info.duration == pytest.approx(1.0)
    assert all(isinstance(s.text, str) for s in segments)


def test_every_file_has_its_checksum(model: Path) -> None:
    """SHA256SUMS names every file of the folder, and `sha256sum -c` agrees."""
    listed = {line.split()[1] for line in (model / "SHA256SUMS").read_text().splitlines()}
    assert listed == {p.name for p in model.iterdir()} - {"SHA256SUMS"}
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=model, check=True)


def test_held_out_phrasings_are_not_trained_on() -> None:
    """No sentence of the training stream is read like a held-out one."""
    from training.stt import corpus

    plan = corpus.Plan(("mei",), ".", 0, 0.0)
    forbidden = {corpus.front_end(text)[0] for _, text, _ in corpus.heldout()}
    made = [text for _, text, _ in corpus.jobs(1500, 4, plan, ["あ"])]
    assert made
    assert not forbidden & {corpus.front_end(text)[0] for text in made}
